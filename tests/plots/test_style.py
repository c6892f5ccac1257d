"""The dress of a figure: its size, type, legend and ranges, and the fonts in its files."""

import re
import zlib

import matplotlib
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from study_runs import shipped
from typer.testing import CliRunner

import fecnn
from fecnn.cli.app import app
from fecnn.nets.card import ZOO, read_card
from fecnn.plots.figure import plot, save
from fecnn.plots.learning import plot_learning
from fecnn.plots.pareto import plot_pareto
from fecnn.plots.style import STYLES, inches, styled

NAMES = ["optimal-hamming-7-4", "transformers-bch-31-16", "rptu-bch"]


def unpacked(pdf):
    """A PDF with its streams inflated."""

    def inflate(found):
        try:
            return zlib.decompress(found[1])
        except zlib.error:
            return found[0]

    return pdf + re.sub(rb"stream\r?\n(.*?)endstream", inflate, pdf, flags=re.DOTALL)


@pytest.mark.parametrize("style", STYLES)
def test_fonts_are_embedded_as_truetype(style, tmp_path):
    study, results = shipped("rptu-bch")
    figure = plot(study, results, ["bler"], style=style)
    save(figure, tmp_path / "a.pdf")
    figure.savefig(tmp_path / "b.pdf")
    save(figure, tmp_path / "a.eps")
    for name in ("a.pdf", "b.pdf"):
        text = unpacked((tmp_path / name).read_bytes())
        assert b"/FontFile2" in text
        assert b"/Type3" not in text
    eps = (tmp_path / "a.eps").read_bytes()
    assert b"/FontType 42" in eps
    assert b"/FontType 3" not in eps
    font = b"STIXGeneral" if style == "paper" else b"DejaVuSans"
    assert font in text
    assert font in eps


def test_eps_needs_no_transparency(caplog, tmp_path):
    save(plot(*shipped("osd-orders")), tmp_path / "a.eps")
    assert not caplog.records


@pytest.mark.parametrize(
    ("width", "expected"), [("3.5in", 3.5), ("88mm", 88 / 25.4), (" 7 cm", 7 / 2.54), (4, 4.0), (2.5, 2.5)]
)
def test_widths(width, expected):
    assert inches(width) == pytest.approx(expected, abs=1e-6)
    assert styled("paper", width=width).width == inches(width)


@pytest.mark.parametrize("width", ["3", "wide", "3 parsec", "-2in", "", True, float("nan"), "1..5in"])
def test_what_is_no_width_is_refused(width):
    with pytest.raises(ValueError, match=r"width must be a length such as 3\.5in, 88mm or 7cm, got"):
        styled(width=width)


@pytest.mark.parametrize("width", ["1mm", "200in", 0])
def test_widths_without_sense_are_refused(width):
    with pytest.raises(ValueError, match="width must be between 1in and 100in, got"):
        styled(width=width)


def test_ranges():
    assert styled(xlim="-1:6", ylim=(1e-6, 1)).xlim == (-1.0, 6.0)
    for wrong in ("6:0", "1", "a:b", (1, 1), (1, 2, 3), "nan:1", 5, "0:inf"):
        with pytest.raises(ValueError, match="xlim must be two numbers LOW:HIGH, the lower first, got"):
            styled(xlim=wrong)
    with pytest.raises(ValueError, match="ylim must be above 0"):
        styled(ylim="0:1")
    figure = plot(*shipped("optimal-hamming-7-4"), ["bler", "gap"], xlim=(2, 5), ylim="1e-4:1")
    assert [axes.get_xlim() for axes in figure.axes] == [(2.0, 5.0), (2.0, 5.0)]
    assert figure.axes[0].get_ylim() == (1e-4, 1.0)
    assert figure.axes[1].get_ylim()[0] < 0
    with pytest.raises(ValueError, match="ylim are for error rates"):
        plot_pareto(*shipped("verdict-bch-31-21"), ylim="1e-4:1")


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(LookupError, match="unknown style 'papre'; did you mean paper"):
        styled("papre")
    with pytest.raises(LookupError, match="unknown legend position 'belw'; did you mean below"):
        styled(legend="belw")
    with pytest.raises(TypeError, match="colour"):
        plot(*shipped("rptu-bch"), colour="red")


def test_title_and_serif():
    study, results = shipped("rptu-bch")
    assert plot(study, results).get_suptitle() == study.title
    assert plot(study, results, style="paper").get_suptitle() == ""
    assert plot(study, results, style="paper", title="$x$").get_suptitle() == "$x$"
    assert plot(study, results, title=False).get_suptitle() == ""
    figure = plot(study, results, serif=True)
    for text in (figure.axes[0].xaxis.label, *figure.axes[0].get_xticklabels(), *figure.legends[0].texts):
        assert text.get_fontfamily()[0] == "STIXGeneral"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "options", [{}, {"style": "paper"}, {"style": "talk"}, {"style": "paper", "width": "7.16in"}], ids=str
)
def test_nothing_is_cut_and_nothing_overlaps(name, options):
    figure = plot(*shipped(name), **options)
    if "width" in options or options.get("style") == "paper":
        assert figure.get_figwidth() == inches(options.get("width", "3.5in"))
    FigureCanvasAgg(figure).draw()
    whole = figure.bbox.padded(1)
    legend = figure.legends[0].get_window_extent()
    notes = [text.get_window_extent() for text in figure.texts if text.get_text().startswith("[")]
    for box in (legend, *notes):
        assert whole.x0 <= box.x0 < box.x1 <= whole.x1
        assert whole.y0 <= box.y0 < box.y1 <= whole.y1
        assert not any(axes.axison and box.overlaps(axes.get_tightbbox()) for axes in figure.axes)
    assert not any(legend.overlaps(box) for box in notes)


def test_the_legend_is_where_it_is_wanted():
    study, results = shipped("rptu-bch")
    beside = plot(study, results, legend="right")
    FigureCanvasAgg(beside).draw()
    right = max(axes.get_tightbbox().x1 for axes in beside.axes)
    assert right <= beside.legends[0].get_window_extent().x0
    inside = plot(study, results, legend="inside")
    assert not inside.legends
    assert inside.axes[0].get_legend() is not None
    assert inside.axes[1].get_legend() is None
    none = plot(study, results, legend="none")
    assert not none.legends
    assert none.axes[0].get_legend() is None


def test_axes_of_your_own():
    study, results = shipped("optimal-hamming-7-4")
    with matplotlib.rc_context({"font.size": 7}):
        mine = Figure()
        left, right = mine.subplots(1, 2)
    assert plot(study, results, ax=left) is mine
    assert left.get_ylabel() == "BLER"
    assert not right.lines
    assert left.xaxis.label.get_fontsize() == 7
    labels = [text.get_text().replace("\n", " ") for text in left.get_legend().get_texts()]
    assert any(label.startswith("ML: Kaiserslautern/RPTU database of channel codes and") for label in labels)
    plot(study, results, ["gap"], ax=right, legend="none")
    assert right.get_ylabel() == "gap to ML [dB]"
    assert right.get_legend() is None
    both = Figure().subplots(1, 2)
    plot(study, results, ax=both)
    assert [axes.get_ylabel() for axes in both] == ["BLER", "BER"]
    with pytest.raises(ValueError, match="ax must be one pair of axes per panel, 2 for BLER, BER; got 1"):
        plot(study, results, ["bler", "ber"], ax=left)


def test_learning_curves_have_the_same_style(tmp_path):
    card = read_card(ZOO / "fecnn-net-bch-31-16")
    figure = plot_learning(card, style="paper", width="88mm")
    assert figure.get_figwidth() == inches("88mm")
    assert figure.get_suptitle() == ""
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    points = card.validations[-1].points
    assert labels == [
        label for point in points for label in (f"{point.ebn0_db:g} dB", f"exact ML, {point.ebn0_db:g} dB")
    ]
    line = next(line for line in figure.axes[0].get_lines() if line.get_label() == labels[0])
    assert list(line.get_xdata()) == [validation.step for validation in card.validations]
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    assert set(lines[labels[1]].get_ydata()) == {points[0].ml_block_errors / points[0].frames}
    save(figure, tmp_path / "a.svg")
    save(plot_learning(card.model_copy(update={"validations": ()})), tmp_path / "b.svg")


def test_the_command_takes_them(tmp_path):
    run, path = CliRunner(), tmp_path / "a.eps"
    command = ["plot", "rptu-bch", "-o", str(path), "--metric", "bler", "--style", "paper", "--width", "88mm"]
    command += ["--sans", "--title", "--legend", "right", "--xlim", "0:6", "--ylim", "1e-5:1"]
    done = run.invoke(app, command)
    assert done.exit_code == 0, done.output
    width = re.search(rb"%%HiResBoundingBox: (\S+) \S+ (\S+)", path.read_bytes())
    assert float(width[2]) - float(width[1]) == pytest.approx(72 * 88 / 25.4, abs=1)
    for option, value, said in (
        ("--width", "3 miles", "width must be a length such as 3.5in, 88mm or 7cm, got '3 miles'"),
        ("--ylim", "1", "ylim must be two numbers LOW:HIGH, the lower first, got '1'"),
        ("--style", "talks", "unknown style 'talks'; did you mean talk?"),
    ):
        done = run.invoke(app, ["plot", "rptu-bch", option, value, "-o", str(tmp_path / "b.svg")])
        assert done.exit_code == 1
        assert said in done.output
    assert not (tmp_path / "b.svg").exists()
    net = ["plot", "fecnn-net-bch-31-16", "-o", str(tmp_path / "c.tikz"), "--style", "talk"]
    assert run.invoke(app, net).exit_code == 0


def test_letters_that_the_serif_type_lacks_are_drawn(tmp_path):
    figure = plot(*shipped("rptu-bch"), ["bler"], serif=True, title="σ² → ∞ ☃")
    save(figure, tmp_path / "a.pdf")


def test_the_public_function_takes_them(tmp_path):
    study = fecnn.load_study("rptu-bch")
    results = fecnn.table(study, study.path.parent / "results.csv")
    figure = fecnn.plot(study, results, style="paper", width="3.5in", legend="right", xlim=(0, 8))
    figure.savefig(tmp_path / "a.png")
