"""The report page: what it holds, and how it behaves in a browser."""

import re
import shutil

import pytest
from study_runs import run_all
from typer.testing import CliRunner

import fecnn
from fecnn.analysis.table import table
from fecnn.cli.app import app
from fecnn.reports import report
from fecnn.studies.reference import read_references

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def of(*names, references=()):
    studies = [fecnn.load_study(name) for name in names]
    return report(studies, [table(s, s.path.parent / "results.csv") for s in studies], references)


def test_page_is_complete_in_itself():
    page = of("optimal-hamming-7-4")
    ours = page.replace(page[page.index("<script>") : page.index('<script type="application/json"')], "")
    assert not re.search(r'(src|href)="(?!data:)', ours)
    assert "https://" not in re.sub(r"<pre>.*?</pre>", "", ours, flags=re.DOTALL)
    study = fecnn.load_study("optimal-hamming-7-4")
    assert study.question in page
    assert "fecnn run optimal-hamming-7-4" in page
    assert f"fecnn {fecnn.__version__}" in page
    assert "label = &quot;uncoded&quot;" in page


def test_what_a_study_says_cannot_break_the_page(tmp_path):
    nasty = "</script><script>alert(1)</script> & <b>"
    (tmp_path / "study.toml").write_text(
        f"title = '{nasty}'\nquestion = '{nasty}'\ncode = 'hamming-7-4'\nebn0_db = [2]\n"
        f"[stop]\nframes = 100\n[[curve]]\ndecoder = 'ml'\nlabel = '{nasty}'\n"
    )
    study = fecnn.load_study(tmp_path / "study.toml")
    run_all(study, tmp_path / "a.sqlite")
    assert "<script>alert" not in report([study], [table(study, tmp_path / "a.sqlite")])


def test_a_study_without_results_is_refused():
    study = fecnn.load_study("optimal-hamming-7-4")
    with pytest.raises(ValueError, match="no results of optimal-hamming-7-4 yet"):
        report([study], [table(study, study.path.parent / "results.csv").iloc[:0]])


def test_command(tmp_path):
    mine = tmp_path / "mine.csv"
    mine.write_text(
        "code,decoder,ebn0_db,metric,value,errors,frames,source,where,how\n"
        "hamming-7-4,my net,4,bler,0.02,100,5000,my thesis,Fig. 1,seen\n"
    )
    run = CliRunner()
    path = tmp_path / "deep" / "both.html"
    names = ["optimal-hamming-7-4", "optimal-polar-16-8"]
    done = run.invoke(app, ["report", *names, "-o", str(path), "--published", str(mine)])
    assert done.exit_code == 0, done.output
    assert "my net" in path.read_text()
    assert not path.with_name("both.html.new").exists()
    wrong = run.invoke(app, ["report", names[0], "-o", str(tmp_path / "a.pdf")])
    assert wrong.exit_code == 1
    assert "written as .html" in wrong.output


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium here")
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Opens a report; whatever it complains of or asks for ends up in a list that must stay empty."""
    trouble = []

    def open_page(content, **options):
        path = tmp_path / "report.html"
        path.write_text(content)
        page = browser.new_page(**options)
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on(
            "request", lambda request: trouble.append(request.url) if "report.html" not in request.url else 0
        )
        page.goto(path.as_uri())
        page.wait_for_selector(".chart .main-svg")
        return page

    yield open_page
    assert trouble == []


def drawn(page, chart=0):
    """The curves of a chart as they are drawn."""
    return page.evaluate(f"document.querySelectorAll('.chart')[{chart}].data.map((trace) => trace.curve)")


def test_a_click_hides_a_curve_in_every_chart(opened):
    page = opened(of("optimal-hamming-7-4"))
    charts = page.locator(".chart").count()
    assert charts == 5
    assert all("hard" in drawn(page, chart) for chart in range(3))
    page.get_by_label("hard", exact=True).click()
    assert not any("hard" in drawn(page, chart) for chart in range(charts))
    assert "ml" in drawn(page)
    page.get_by_role("button", name="none", exact=True).click()
    assert drawn(page) == []
    page.get_by_role("button", name="all", exact=True).click()
    assert "hard" in drawn(page)


def test_by_keyboard_alone(opened):
    page = opened(of("optimal-hamming-7-4"))
    page.get_by_label("hard", exact=True).focus()
    page.keyboard.press("Space")
    assert "hard" not in drawn(page)
    head = page.locator("th button", has_text="us/frame").first
    head.focus()
    page.keyboard.press("Enter")
    column = page.locator("table").last.locator("tbody tr td:nth-last-child(2)").all_inner_texts()
    assert [float(cell) for cell in column] == sorted(float(cell) for cell in column)
    page.keyboard.press("Enter")
    column = page.locator("table").last.locator("tbody tr td:nth-last-child(2)").all_inner_texts()
    assert [float(cell) for cell in column] == sorted((float(cell) for cell in column), reverse=True)


def test_codes_are_chosen(opened):
    page = opened(of("osd-orders"))
    page.get_by_label("code").select_option("polar-64-32")
    codes = page.evaluate("document.querySelector('.chart').data.map((trace) => trace.code)")
    assert set(codes) == {"polar-64-32"}
    assert page.get_by_label("scl (list 8)", exact=True).is_visible()
    page.get_by_label("code").select_option("bch-63-45")
    assert not page.get_by_label("scl (list 8)", exact=True).is_visible()


def test_several_studies_and_published_points(opened, tmp_path):
    mine = tmp_path / "mine.csv"
    mine.write_text(
        "code,decoder,ebn0_db,metric,value,errors,frames,source,where,how\n"
        "hamming-7-4,my net,4,bler,0.02,100,5000,my thesis,Fig. 1,seen\n"
    )
    page = opened(of("optimal-hamming-7-4", "optimal-polar-16-8", references=read_references(mine)))
    assert page.locator("section").count() == 3
    names = drawn(page)
    assert "ml (optimal-hamming-7-4)" in names
    assert any(name.startswith("my net") for name in names)


def test_bounds_are_drawn_with_the_bler(opened):
    page = opened(of("verdict-bch-31-21"))
    label = "tangential-sphere bound (ML is below)"
    assert label in drawn(page)
    assert label not in drawn(page, 1)
    page.get_by_label(label, exact=True).click()
    assert label not in drawn(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_dark_and_light(opened, scheme):
    page = opened(of("optimal-hamming-7-4"), color_scheme=scheme)

    def brightness():
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in re.findall(r"\d+", colour)[:3])

    before = brightness()
    assert (before > 600) == (scheme == "light")
    page.get_by_role("button", name="dark or light").click()
    assert (brightness() > 600) == (scheme == "dark")


def test_on_a_phone_nothing_sticks_out(opened):
    page = opened(of("optimal-hamming-7-4"), viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
