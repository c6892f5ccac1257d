import numpy as np
import pytest
from matplotlib.colors import to_hex
from study_runs import make, run_all
from two_curves import STUDY, filled, refer, row

import fecnn
from fecnn.analysis.table import table
from fecnn.intervals import proportion_interval
from fecnn.plots.figure import plot, save
from fecnn.reports import report
from fecnn.studies.study import load_study
from fecnn.theory.bounds import union_bound


@pytest.fixture
def study(tmp_path):
    return make(tmp_path, STUDY, "study.toml")


@pytest.fixture
def store(study, tmp_path):
    return filled(study, tmp_path / "r.sqlite")


def lines_of(axes, marker=None):
    return [line for line in axes.get_lines() if marker is None or line.get_marker() == marker]


def footnotes(figure):
    """The lines below a figure."""
    _, *notes = figure.texts  # after the title
    return [] if not notes else notes[0].get_text().replace("\n     ", " ").split("\n")


def xy(line):
    return [(float(x), float(y)) for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)]


def test_the_figure_shows_every_point_with_its_band(study, store):
    results = table(study, store)
    figure = plot(study, results)
    assert len(figure.axes) == 2
    for axes, metric in zip(figure.axes, ("bler", "ber"), strict=True):
        assert axes.get_yscale() == "log"
        assert "Eb/N0" in axes.get_xlabel()
        ml = results[results["curve"] == "ml"]
        (line,) = [line for line in axes.get_lines() if line.get_label() == "ml"]
        assert xy(line) == [(0.0, ml[metric][0]), (1.0, ml[metric][1])]
        bands = [collection.get_paths()[0].vertices for collection in axes.collections]
        heights = {(round(float(x), 6), round(float(y), 12)) for x, y in bands[0]}
        for i in (0, 1):
            for end in ("low", "high"):
                assert (float(i), round(ml[f"{metric}_{end}"][i], 12)) in heights
    assert figure.axes[0].get_ylabel() == "BLER"
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["ml", "second"]


def test_points_with_few_errors_are_hollow_and_without_any_are_upper_limits(study, store):
    axes = plot(study, table(study, store), ("bler",)).axes[0]
    full, hollow = lines_of(axes, "o")
    assert xy(full) == [(0.0, 0.15)]
    assert to_hex(full.get_markerfacecolor()) == to_hex(full.get_markeredgecolor()) != "#ffffff"
    assert xy(hollow) == [(1.0, 0.009)]
    assert to_hex(hollow.get_markerfacecolor()) == "#ffffff"
    limits = [line for line in lines_of(axes, 7) if len(line.get_xdata())]
    assert [xy(line) for line in limits] == [[(2.0, proportion_interval(0, 4000)[1])]]


def test_published_points_are_drawn_with_their_source(study, store):
    rows = [
        row("0.16"),
        row("0.011", ebn0_db="1.0"),
        row("0.07", metric="ber"),
        row(decoder="other"),
        row(code="bch-15-7"),
    ]
    study = refer(study, *rows)
    figure = plot(study, table(study, store))
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["ml", "second", "ML [1]", "other [1]"]
    assert footnotes(figure) == ["[1] Someone, 2001 [seen]"]
    (drawn,) = [line for line in figure.axes[0].get_lines() if line.get_label().startswith("ML: ")]
    assert xy(drawn) == [(0.0, 0.16), (1.0, 0.011)]
    study.path.write_text('drawn = ["ML"]\n' + STUDY)
    figure = plot(load_study(study.path), table(study, store))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == labels[:3]


def test_the_figure_is_written_in_every_format_with_the_same_bytes_each_time(study, store, tmp_path):
    results = table(study, store)
    starts = {
        ".svg": b"<?xml",
        ".pdf": b"%PDF",
        ".png": b"\x89PNG",
        ".eps": b"%!PS",
        ".tex": b"% made by fecnn",
        ".tikz": b"% made by fecnn",
    }
    for ending, start in starts.items():
        paths = [tmp_path / f"{place}" / f"figure{ending}" for place in (1, 2)]
        for path in paths:
            save(plot(study, results, ("bler",)), path)
        one, other = (path.read_bytes() for path in paths)
        assert one == other
        assert one.startswith(start)
        assert len(one) > 1000
        assert b"Date" not in one
    assert b"<dc:date>" not in (tmp_path / "1" / "figure.svg").read_bytes()
    with pytest.raises(ValueError, match=r"is written as \.svg, \.pdf, \.png, \.eps, .* got figure\.jpg"):
        save(plot(study, results), tmp_path / "figure.jpg")
    assert not (tmp_path / "figure.jpg").exists()


def test_unknown_metrics_and_missing_results_are_refused(study, store):
    results = table(study, store)
    with pytest.raises(
        LookupError, match="no metric 'fer'; known: bler, ber, ber_code, undetected, refused, gap"
    ):
        plot(study, results, ("bler", "fer"))
    with pytest.raises(ValueError, match=r"there are no results of .* yet; run it first"):
        plot(study, results[:0])


def test_a_single_point_without_errors_can_be_drawn(study, store, tmp_path):
    results = table(study, store)
    save(plot(study, results[results["block_errors"] == 0]), tmp_path / "none.svg")
    assert (tmp_path / "none.svg").stat().st_size > 3000


def test_a_curve_without_results_does_not_break_the_legend(study, store):
    results = table(study, store)
    figure = plot(study, results[results["curve"] == "second"], ("ber_code",))
    assert figure.axes[0].get_ylabel() == "BER (code bits)"
    assert np.isfinite(figure.axes[0].get_ylim()).all()


def test_bounds_are_drawn_beside_the_curves(tmp_path):
    text = STUDY.replace("batch = 1000", 'batch = 1000\nbounds = ["union", "kat"]')
    (tmp_path / "study.toml").write_text(text)
    bounded = load_study(tmp_path)
    run_all(bounded, tmp_path / "b.sqlite")
    figure = plot(bounded, table(bounded, tmp_path / "b.sqlite"))
    by_panel = [{str(line.get_gid()): line for line in axes.get_lines()} for axes in figure.axes]
    assert {"bound-union", "bound-kat"} <= set(by_panel[0])
    assert not any(name.startswith("bound") for name in by_panel[1])
    line = by_panel[0]["bound-union"]
    for ebn0_db, value in zip(line.get_xdata(), line.get_ydata(), strict=True):
        assert value == pytest.approx(union_bound(fecnn.load_code("hamming-7-4"), ebn0_db))
    assert list(line.get_xdata()) == [0.0, 0.5, 1.0, 1.5, 2.0]
    labels = [entry.get_text() for entry in figure.legends[0].get_texts()]
    assert "union bound (ML is below)" in labels


def test_bounds_are_drawn_for_each_code_and_what_is_not_drawn_is_said(tmp_path):
    text = STUDY.replace(
        "batch = 1000", 'batch = 500\nbounds = ["union", "sphere-packing"]\nstop = { frames = 500 }'
    )
    text = text.replace("stop = { frames = 4000 }\n", "")
    text += """
[[curve]]
decoder = "hard"
code = ["hamming-15-11", "uncoded"]
ebn0_db = [1, 3]
[[curve]]
decoder = "bp"
code = "polar-128-64"
[[curve]]
decoder = "hard"
label = "faded"
code = "bch-15-7"
channel = "rayleigh"
"""
    (tmp_path / "study.toml").write_text(text)
    bounded = load_study(tmp_path)
    run_all(bounded, tmp_path / "b.sqlite")
    results = table(bounded, tmp_path / "b.sqlite")
    figure = plot(bounded, results)
    lines = {str(line.get_gid()): line for line in figure.axes[0].get_lines()}
    assert {name for name in lines if name.startswith("bound")} == {
        "bound-union-hamming-7-4",
        "bound-sphere-packing-hamming-7-4",
        "bound-union-hamming-15-11",
        "bound-sphere-packing-hamming-15-11",
        "bound-sphere-packing-polar-128-64",
    }
    line = lines["bound-union-hamming-15-11"]
    assert list(line.get_xdata()) == [1.0, 1.5, 2.0, 2.5, 3.0]
    for ebn0_db, value in zip(line.get_xdata(), line.get_ydata(), strict=True):
        assert value == pytest.approx(union_bound(fecnn.load_code("hamming-15-11"), ebn0_db))
    labels = [entry.get_text().replace("\n", " ") for entry in figure.legends[0].get_texts()]
    assert "hamming-15-11: union bound (ML is below)" in labels
    notes = footnotes(figure)
    assert any(note.startswith("Not drawn: no union bound for polar-128-64: ") for note in notes)
    assert "Not drawn: bounds over rayleigh (they are for BPSK over AWGN)" in notes
    page = report([bounded], [results])
    assert ">Not drawn: bounds over rayleigh (they are for BPSK over AWGN).</p>" in page
    save(figure, tmp_path / "f.svg")


def test_an_unknown_bound_is_refused(tmp_path):
    (tmp_path / "study.toml").write_text(STUDY.replace("batch = 1000", 'batch = 1000\nbounds = ["unoin"]'))
    with pytest.raises(ValueError, match="no bound 'unoin'; did you mean union"):
        load_study(tmp_path)
