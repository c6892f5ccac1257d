"""The report page: what it holds, and how it behaves in a browser."""

import re
import shutil
import time

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
    assert not re.search(r'(src|href)="(?!data:|#)', page)
    assert "https://" not in re.sub(r"<pre>.*?</pre>", "", page, flags=re.DOTALL)
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
        page.wait_for_selector(".chart svg")
        return page

    yield open_page
    assert trouble == []


def drawn(page, chart=0):
    """The curves of a chart as they are drawn; charts behind another one are not counted."""
    visible = page.locator(".chart:not([hidden])").nth(chart)
    return visible.locator(".curve").evaluate_all("all => all.map((one) => one.dataset.curve)")


def entry(page, label, chart=0):
    """A curve in the legend of a chart."""
    return page.locator(".chart:not([hidden])").nth(chart).get_by_role("button", name=label, exact=True)


def rows(page, title="All points", place=0):
    """The visible decoders of a table, from top to bottom."""
    tables = page.locator(".tables").nth(place)
    tables.get_by_role("button", name=title).click()
    table = tables.locator("table:visible")
    column = table.locator("th").all_inner_texts().index("decoder")
    return table.locator(f"tbody tr:visible td:nth-child({column + 1})").all_inner_texts()


def test_every_panel_has_a_legend(opened):
    page = opened(of("osd-orders"))
    for tab in ("gap and time", "BER", "BER (code bits)", "gap and operations"):
        for button in page.get_by_role("button", name=tab, exact=True).all():
            button.click()
        for chart in range(page.locator(".chart:not([hidden])").count()):
            place = page.locator(".chart:not([hidden])").nth(chart)
            labels = place.locator(".entry").evaluate_all("all => all.map((one) => one.dataset.name)")
            assert set(labels) == set(drawn(page, chart)) != set()


def test_a_curve_without_an_error_is_drawn_without_a_line(opened):
    page = opened(of("shared-weights"))  # exact ML of LDPC (121,60) made none in a million frames
    assert all("ml" in drawn(page, chart) for chart in range(5))


def test_a_click_hides_a_curve_in_every_chart_and_table(opened):
    page = opened(of("optimal-hamming-7-4"))
    assert all("hard" in drawn(page, chart) for chart in range(2))
    assert "hard" in rows(page)
    entry(page, "hard").click()
    assert not any("hard" in drawn(page, chart) for chart in range(2))
    assert entry(page, "hard", 1).get_attribute("aria-pressed") == "false"
    for title in ("Gap to ML", "Operations", "All points"):
        names = rows(page, title)
        assert "ml" in names
        assert "hard" not in names
    page.get_by_role("button", name="BER", exact=True).click()
    assert "ml" in drawn(page, 1)
    assert "hard" not in drawn(page, 1)
    page.get_by_role("button", name="hide all").click()
    assert drawn(page) == rows(page) == []
    page.get_by_role("button", name="show all").click()
    assert "hard" in drawn(page)


def test_by_keyboard_alone(opened):
    page = opened(of("optimal-hamming-7-4"))
    entry(page, "hard").focus()
    page.keyboard.press("Space")
    assert "hard" not in drawn(page)
    page.keyboard.press("Enter")  # the entry has kept the focus
    assert "hard" in drawn(page)

    page.get_by_role("application").first.focus()
    page.keyboard.press("ArrowRight")
    tip = page.get_by_role("status").first
    assert "hamming-7-4, 0 dB" in tip.inner_text()
    page.keyboard.press("ArrowRight")
    assert "hamming-7-4, 1 dB" in tip.inner_text()
    page.keyboard.press("+")
    assert page.get_by_role("button", name="reset zoom").count() == 1
    page.keyboard.press("0")
    assert page.get_by_role("button", name="reset zoom").count() == 0

    head = page.locator("th button", has_text="us/frame").first
    head.focus()
    for reverse in (False, True):
        page.keyboard.press("Enter")
        column = page.locator("table:visible tbody tr td:nth-last-child(2)").all_inner_texts()
        assert [float(cell) for cell in column] == sorted((float(cell) for cell in column), reverse=reverse)


def test_dragging_zooms_and_pointing_tells(opened):
    page = opened(of("optimal-hamming-7-4"))
    sheet = page.locator(".sheet").first
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    mark = page.locator(".curve[data-curve=hard] path[transform]").nth(4).bounding_box()
    page.mouse.move(mark["x"] + 4, mark["y"] + 4)
    assert "block errors" in page.get_by_role("status").first.inner_text()
    before = page.locator(".chart svg text").all_inner_texts()
    page.mouse.move(box["x"] + 50, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 150, box["y"] + 80, steps=3)
    page.mouse.up()
    assert page.locator(".chart svg text").all_inner_texts() != before
    page.mouse.dblclick(box["x"] + 100, box["y"] + 50)
    assert page.locator(".chart svg text").all_inner_texts() == before


def test_a_saved_picture_has_its_legend(opened, tmp_path):
    page = opened(of("optimal-hamming-7-4"), color_scheme="dark")
    entry(page, "hard").click()
    svg = page.evaluate(
        "(() => { const chart = studies[0].figures[0].chart; return chart.svg(640, 420, true).outerHTML })()"
    )
    assert ">osd (order 1)<" in svg
    assert "Kaiserslautern" in svg  # sources are spelt out, as a picture has no footnotes
    assert ">hard<" not in svg
    with page.expect_download() as download:
        page.get_by_role("button", name="save PNG").first.click()
    assert download.value.suggested_filename == "hamming-7-4-BLER.png"
    download.value.save_as(tmp_path / "a.png")
    pixels = pytest.importorskip("matplotlib.image").imread(tmp_path / "a.png")[..., :3]
    width, height = (float(re.search(rf'{side}="([\d.]+)"', svg)[1]) for side in ("width", "height"))
    assert pixels.shape[1] >= 2 * width
    assert pixels.shape[0] > 2 * 420  # the legend is below the axes
    assert pixels[0, 0].max() < 0.2  # the page's dark paper
    assert pixels[2 * 420 :].max() > 0.8
    assert height > 420


def test_a_contents_list_leads_to_studies_and_codes(opened):
    page = opened(of("osd-orders", "optimal-hamming-7-4"), viewport={"width": 1280, "height": 800})
    links = page.get_by_role("navigation", name="Contents").get_by_role("link")
    codes = ["bch-63-45", "bch-127-64", "polar-64-32", "polar-128-64"]
    titles = [fecnn.load_study(name).title for name in ("osd-orders", "optimal-hamming-7-4")]
    assert links.all_inner_texts() == ["All of them", titles[0], *codes, titles[1], "hamming-7-4"]
    page.locator("#study-1 select").select_option("bch-63-45")
    links.filter(has_text="polar-128-64").click()
    heading = page.get_by_role("heading", name="polar-128-64")
    assert 0 <= heading.bounding_box()["y"] < 100


def test_a_code_fits_one_screen_with_its_tables_after_its_charts(opened):
    page = opened(of("osd-orders"), viewport={"width": 1280, "height": 800})
    sections = page.locator("section.code")
    assert sections.count() == 4
    for section in sections.all():
        assert section.bounding_box()["height"] <= 800
        figures = [figure.bounding_box() for figure in section.locator("figure").all()]
        bottom = max(box["y"] + box["height"] for box in figures)
        table = section.locator(".scroll:visible").bounding_box()
        assert table["y"] >= bottom
        assert table["height"] > 150


def test_codes_are_chosen(opened):
    page = opened(of("osd-orders"))
    page.get_by_label("code", exact=True).select_option("polar-64-32")
    assert page.locator("section.code:visible h3").all_inner_texts() == ["polar-64-32"]
    assert page.locator("table:visible").count() == 1
    assert "scl (list 8)" in rows(page, place=2)
    page.get_by_label("code", exact=True).select_option("bch-63-45")
    assert page.locator("section.code:visible h3").all_inner_texts() == ["bch-63-45"]
    assert "scl (list 8)" not in rows(page)
    assert entry(page, "scl (list 8)").count() == 0


def test_several_studies_and_published_points(opened, tmp_path):
    mine = tmp_path / "mine.csv"
    mine.write_text(
        "code,decoder,ebn0_db,metric,value,errors,frames,source,where,how\n"
        "hamming-7-4,my net,4,bler,0.02,100,5000,my thesis,Fig. 1,seen\n"
    )
    page = opened(of("optimal-hamming-7-4", "optimal-polar-16-8", references=read_references(mine)))
    assert page.locator("section.study").count() == 3
    assert page.locator("section.code").count() == 2
    names = drawn(page)
    assert "ml (optimal-hamming-7-4)" in names
    assert any(name.startswith("my net") for name in names)
    page.get_by_label("code", exact=True).select_option("polar-16-8")
    assert not [name for name in drawn(page) if "hamming" in name]
    assert "my thesis [seen]" in page.locator("#study-1 .notes").first.inner_text()


def test_bounds_are_drawn_with_the_bler(opened):
    page = opened(of("verdict-bch-31-21"))
    label = "tangential-sphere bound (ML is below)"
    assert label in drawn(page)
    assert label not in drawn(page, 1)
    entry(page, label).click()
    assert label not in drawn(page)


def test_a_page_is_small_and_soon_made():
    before = time.process_time()
    assert len(of("osd-orders").encode()) < 400_000
    assert time.process_time() - before < 5


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


@pytest.mark.parametrize("names", [["optimal-hamming-7-4", "optimal-polar-16-8"], ["rptu-bch"]])
def test_on_a_phone_nothing_sticks_out(opened, names):
    page = opened(of(*names), viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_on_a_phone_tables_show_the_columns_that_matter(opened):
    page = opened(of("optimal-hamming-7-4"), viewport={"width": 390, "height": 800})

    def heads():
        return page.locator("table:visible th:visible").all_inner_texts()

    assert heads() == ["Eb/N0 [dB]", "decoder", "BLER [95 %]"]
    box = page.locator(".scroll:visible")
    assert box.evaluate("box => box.scrollWidth <= box.clientWidth")
    page.get_by_role("button", name="Gap to ML").click()
    assert heads() == ["decoder", "Eb/N0 for BLER 0.001 [dB]", "gap to ML [dB]"]
    page.get_by_role("button", name="All points").click()
    page.get_by_role("button", name="more columns").click()
    assert "us/frame" in heads()
    page.set_viewport_size({"width": 1280, "height": 800})
    assert not page.get_by_role("button", name="more columns").is_visible()
    assert "us/frame" in heads()
