import re
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from study_runs import run_all

import fecnn
from fecnn.analysis.table import FOOTNOTE, display, judge, markdown, table
from fecnn.errors import StoreError
from fecnn.intervals import proportion_interval, rate_interval
from fecnn.plots.figure import plot, save
from fecnn.reports import report
from fecnn.simulation.store import Store
from fecnn.simulation.tally import COUNTS, Tally
from fecnn.studies.reference import COLUMNS, read_references
from fecnn.studies.study import load_study
from fecnn.theory.bounds import union_bound

STUDY = """
title = "Two curves"
code = "hamming-7-4"
ebn0_db = [0, 1, 2]
batch = 1000
stop = { frames = 4000 }
[[curve]]
decoder = "ml"
published = "ML"
[[curve]]
label = "second"
decoder = "osd"
options = { order = 1 }
"""

HEADER = ",".join(COLUMNS)

# block errors, bit errors and squares, code bit errors and squares of batches of 1000 frames
MANY = Tally(1000, 150, 300, 660, 480, 1600, 150, seconds=0.002)
FEW = Tally(1000, 9, 18, 40, 28, 94, 9, seconds=0.001)
NONE = Tally(1000, seconds=0.004)


def flagged(counts):
    """With flags: the first frames are wrong."""
    wrong = np.arange(counts.frames) < counts.block_errors
    return replace(counts, flags=np.packbits(wrong).tobytes())


@pytest.fixture
def study(tmp_path):
    (tmp_path / "study.toml").write_text(STUDY)
    return load_study(tmp_path)


@pytest.fixture
def store(study, tmp_path):
    """ML: many errors at 0 dB, few at 1 dB, none at 2 dB; the second curve only at 0 dB, unfinished."""
    path = tmp_path / "r.sqlite"
    with Store(path, write=True) as file:
        for point, counts in zip(study.points[:3], (MANY, FEW, NONE), strict=True):
            for i in range(5):  # one more than the rule asks for
                file.append(point.task, i, flagged(counts))
        file.append(study.points[3].task, 0, flagged(MANY))
        file.append(study.points[3].task, 2, flagged(MANY))  # does not count: batch 1 is missing
        file.append(study.points[5].task, 1, flagged(MANY))
    return path


def refer(study, *rows):
    """Published points beside the study."""
    (study.path.parent / "reference.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    return load_study(study.path)


# Table


def test_every_point_has_a_row_with_its_counts_and_rates(study, store):
    rows = table(study, store)
    assert list(rows["curve"]) == ["ml", "ml", "ml", "second"]
    assert list(rows["ebn0_db"]) == [0, 1, 2, 0]
    assert list(rows["finished"]) == [True, True, True, False]
    assert list(rows["frames"]) == [4000, 4000, 4000, 1000]
    ours = dict(rows.loc[0])
    assert (ours["decoder"], ours["code"], ours["channel"], ours["options"]) == (
        "ml",
        "hamming-7-4",
        "awgn",
        "{}",
    )
    assert rows.loc[3, "options"] == '{"order": 1}'
    total = sum([MANY] * 4, Tally())
    assert {name: ours[name] for name in COUNTS} == {name: getattr(total, name) for name in COUNTS}
    assert (ours["bler"], ours["ber"]) == (0.15, 300 / 4000)
    assert ours["ber_code"] == pytest.approx(480 / 7000)
    assert ours["us_per_frame"] == pytest.approx(2.0)
    assert (ours["bler_low"], ours["bler_high"]) == proportion_interval(600, 4000)
    assert (ours["ber_low"], ours["ber_high"]) == rate_interval(1200, 2640, 4000, 4)
    assert (ours["ber_code_low"], ours["ber_code_high"]) == rate_interval(1920, 6400, 4000, 7)
    none = dict(rows.loc[2])
    assert (none["bler"], none["bler_low"], none["bler_high"]) == (0.0, 0.0, proportion_interval(0, 4000)[1])


def test_a_store_without_counts_gives_an_empty_table(study, tmp_path):
    Store(tmp_path / "new.sqlite", write=True).close()
    rows = table(study, tmp_path / "new.sqlite")
    assert rows.empty
    assert {"curve", "ebn0_db", "bler_low", *COUNTS} <= set(rows.columns)


def test_results_of_this_folder_come_before_the_shipped_ones(study, store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no results in .* create them with fecnn run"):
        table(study)
    table(study, store).to_csv(tmp_path / "results.csv", index=False)
    shipped = table(study)
    pd.testing.assert_frame_equal(shipped, table(study, store))
    local = fecnn.studies.run.store_path(study)
    with Store(local, write=True) as file:
        file.append(study.points[0].task, 0, flagged(FEW))
    assert list(table(study)["block_errors"]) == [9]


def test_a_missing_results_csv_says_how_to_make_it(study, tmp_path):
    with pytest.raises(FileNotFoundError, match="create them with fecnn run"):
        table(study, tmp_path / "none.csv")


def test_a_results_csv_of_another_kind_is_refused(study, tmp_path):
    (tmp_path / "results.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"results\.csv"):
        table(study, tmp_path / "results.csv")


# Published points


def row(
    value="0.15",
    errors="",
    frames="",
    how="seen",
    ebn0_db="0.0",
    metric="bler",
    decoder="ML",
    code="hamming-7-4",
):
    return f'{code},{decoder},{ebn0_db},{metric},{value},{errors},{frames},"Someone, 2001",table 1,"{how}"'


# Ours at 0 dB: BLER 0.15 [0.139, 0.1614], BER 0.075 [0.0687, 0.0817].
@pytest.mark.parametrize(
    ("published", "verdict"),
    [
        (row("0.15"), "agrees"),
        (row("0.1625"), "differs"),
        (row("0.16"), "agrees"),
        (row("0.1380"), "differs"),
        (row("0.14"), "agrees"),
        (row("0.17"), "differs"),  # rounded: at least 0.165
        (row("0.2"), "agrees"),
        (row("0.17", how="digitised, 5.5 %"), "agrees"),
        (row("0.17", how="digitised, 2 %"), "differs"),
        (row("0.17", how="digitised; 2 % in x, 10% in y"), "agrees"),
        (row("0.17", 100, 588), "agrees"),
        (row("0.17", 10_000, 58_824), "differs"),
        (row("0.13", 10_000, 76_923), "differs"),
        (row("0.13", 100, 769), "agrees"),
        (row("0.075", metric="ber"), "agrees"),
        (row("0.085", metric="ber"), "differs"),
        (row("0.0686", metric="ber_code"), "agrees"),
        (row("0.060", metric="ber_code"), "differs"),
        (row("2.68", metric="-ln(ber_code)"), "agrees"),
        (row("2.81", metric="-ln(ber_code)"), "differs"),
    ],
)
def test_published_points_are_judged_by_their_error_and_ours(study, store, published, verdict):
    study = refer(study, published)
    if published == row("0.2"):  # half a unit of its only digit: 0.15 to 0.25
        assert study.references[0].interval == pytest.approx((0.15, 0.25))
    (judged,) = judge(study, table(study, store)).to_dict("records")
    assert judged["verdict"] == verdict
    assert (judged["curve"], judged["ebn0_db"], judged["source"], judged["where"]) == (
        "ml",
        0.0,
        "Someone, 2001",
        "table 1",
    )


@pytest.mark.parametrize(
    "published",
    [
        row(decoder="OSD"),
        row(code="hamming-15-11"),
        row(ebn0_db="0.5"),
        row(metric="fer"),
        row(ebn0_db="7"),
    ],
)
def test_points_of_something_else_are_not_judged(study, store, published):
    assert judge(refer(study, published), table(study, store)).empty


def test_reading_errors_are_those_named_or_of_the_last_digit(study):
    study = refer(study, row("0.150"), row("1.5e-3"), row("0.2", how="digitised, 5 %"), row("0.17", 100, 588))
    intervals = [reference.interval for reference in study.references]
    assert intervals[0] == pytest.approx((0.1495, 0.1505))
    assert intervals[1] == pytest.approx((1.45e-3, 1.55e-3))
    assert intervals[2] == pytest.approx((0.19, 0.21))
    assert intervals[3] == proportion_interval(100, 588)


def test_logarithms_of_rates_are_read_as_rates(study):
    (reference,) = refer(study, row("6.15", metric="-ln(ber_code)")).references
    assert (reference.metric, reference.value) == ("ber_code", pytest.approx(np.exp(-6.15)))
    assert -np.log(reference.interval) == pytest.approx([6.155, 6.145], abs=1e-4)


BROKEN = {
    "no number": (row("many"), 2, "many"),
    "no value": (row(""), 2, "value"),
    "not finite": (row("nan"), 2, "value nan is not finite"),
    "infinite": (row("Infinity"), 2, "value Infinity is not finite"),
    "no Eb/N0": (row(ebn0_db="x"), 2, "x"),
    "Eb/N0 not finite": (row(ebn0_db="nan"), 2, "nan"),
    "errors no number": (row(errors="1.5", frames="10"), 2, "1.5"),
    "more errors than frames": (row(errors="11", frames="10"), 2, "11"),
    "negative errors": (row(errors="-1", frames="10"), 2, "-1"),
    "negative value": (row("-0.1"), 2, "-0.1"),
    "logarithm of nothing": (row("-800", metric="-ln(ber)"), 2, "math range error"),
    "too few fields": ("hamming-7-4,ML,1", 2, "value"),
    "too many fields": (row() + ",more", 2, "more"),
    "third line": (row() + "\n" + row("x"), 3, "x"),
    "after blank lines": (row() + "\n\n\n" + row("x"), 5, "x"),
    "after a quoted line break": (row(how="seen\nby us") + "\n" + row("x"), 4, "x"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_references_are_refused_by_line(study, case):
    text, line, words = BROKEN[case]
    with pytest.raises(ValueError, match=rf"reference\.csv, line {line}: .*{re.escape(words)}"):
        refer(study, text).references  # noqa: B018


def test_references_without_a_column_or_that_are_no_csv_are_refused(tmp_path):
    path = tmp_path / "reference.csv"
    path.write_text(HEADER.replace(",how", "") + "\n")
    with pytest.raises(ValueError, match=r"reference\.csv has no column how; references have code, "):
        read_references(path)
    path.write_text(HEADER + '\n"unfinished')
    with pytest.raises(ValueError, match="is not CSV"):
        read_references(path)
    path.write_bytes(HEADER.encode() + b"\n\xff\xfe")
    with pytest.raises(ValueError, match=r"reference.csv, line 2: not text \(invalid UTF-8\)"):
        read_references(path)


@pytest.mark.parametrize(
    "how", ["1" * 100_000, "1 " * 50_000, "1" + " " * 100_000, "1" * 50_000 + " " * 50_000]
)
def test_a_long_passport_is_gone_through_once(study, how):
    """Each digit was once tried as the beginning of a percentage, minutes for a field of digits."""
    begun = time.process_time()
    (reference,) = refer(study, row(how=how)).references
    assert reference.interval == pytest.approx((0.145, 0.155))
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"errors": "1" + "0" * 30, "frames": "2" + "0" * 30}, "errors must be at most 2^53, got an integer"),
        ({"errors": "1", "frames": str(2**53 + 1)}, "frames must be at most 2^53"),
        ({"how": "digitised, " + "9" * 400 + " %"}, "has no finite interval"),
        ({"value": "1e308", "how": "digitised, 200 %"}, "has no finite interval"),
    ],
)
def test_numbers_beyond_sense_are_refused(study, changes, words):
    with pytest.raises(ValueError, match=rf"reference\.csv, line 2: .*{re.escape(words)}"):
        refer(study, row(**changes)).references  # noqa: B018


@pytest.mark.parametrize(
    "wrong",
    [row("x" * 100_000), row(errors="1" * 100_000), row(ebn0_db="9" * 100_000), row() + "," + "x" * 100_000],
)
def test_refusals_of_references_are_short(study, wrong):
    with pytest.raises(ValueError, match=r"reference\.csv, line 2: ") as refused:
        refer(study, wrong).references  # noqa: B018
    assert len(str(refused.value)) < 1000


def test_too_large_a_file_of_references_is_not_read(study, monkeypatch):
    monkeypatch.setattr("fecnn.studies.reference.MAX_BYTES", len(HEADER))
    with pytest.raises(ValueError, match=r"reference\.csv has more than \d+ bytes"):
        refer(study, row()).references  # noqa: B018


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("references")


fields = st.sampled_from(
    [
        "",
        "ML",
        "1",
        "1.0",
        "nan",
        "inf",
        "1e400",
        "1e-999999999",
        "-1",
        "x",
        '"',
        '"a\nb"',
        "2 %",
        ". %",
        "\x00",
        "é",
    ]
)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.lists(fields, min_size=1, max_size=12), max_size=4), st.binary(max_size=8))
@example([["c", "ML", "1", "bler", "0.1", "", "", "s", "w", "read at . %"]], b"")
@example([["c", "ML", "1", "bler", "0.1", "3", "2", "s", "w", "seen"]], b"")
def test_any_file_is_read_whole_or_refused_with_a_value_error(folder, rows, tail):
    path = folder / "reference.csv"
    path.write_bytes("\n".join([HEADER, *map(",".join, rows)]).encode() + b"\n" + tail)
    try:
        references, told = read_references(path), "reference.csv"
    except ValueError as error:
        references, told = [], str(error)
    assert "reference.csv" in told
    for reference in references:
        low, high = reference.interval
        assert low <= reference.value <= high


# What people read


def test_display_is_sorted_and_marks_few_errors(study, store):
    shown = display(study, table(study, store))
    assert list(shown.columns) == [
        "Eb/N0 [dB]",
        "decoder",
        "frames",
        "block errors",
        "not ML",
        "BLER [95 %]",
        "BER [95 %]",
        "us/frame",
    ]
    assert list(shown["Eb/N0 [dB]"]) == ["0", "0", "1", "2"]
    assert list(shown["decoder"]) == ["ml", "second", "ml", "ml"]
    assert list(shown["frames"]) == ["4,000", "1,000", "4,000", "4,000"]
    assert list(shown["block errors"]) == ["600", "150", "36*", "0*"]
    low, high = proportion_interval(600, 4000)
    assert shown.loc[0, "BLER [95 %]"] == f"1.50e-01 [{low:.2e}, {high:.2e}]"


def test_display_shows_published_points_with_their_verdict(study, store):
    study = refer(
        study, row("0.15", 10, 67), row("0.2000"), row("0.075", metric="ber"), row("0.15", ebn0_db="1")
    )
    shown = display(study, table(study, store))
    assert shown.loc[0, "published"] == "2 agree; BLER 0.2 differs"
    assert list(shown["published"][1:]) == ["", "BLER 0.15 differs", ""]


def test_markdown_is_a_table(study, store):
    lines = markdown(display(study, table(study, store))).splitlines()
    assert lines[0] == (
        "| Eb/N0 [dB] | decoder | frames | block errors | not ML | BLER [95 %] | BER [95 %] | us/frame |"
    )
    assert lines[1] == "|---|---|---|---|---|---|---|---|"
    assert len(lines) == 2 + 4 + 2
    assert all(line.count("|") == 9 for line in lines[:6])
    assert lines[-1] == FOOTNOTE


def test_labels_do_not_break_the_markdown_table(study, store):
    study.path.write_text(STUDY.replace('"second"', '"a | b"'))
    study = load_study(study.path)
    text = markdown(display(study, table(study, store)))
    assert r"| a \| b |" in text


# Figure


def lines_of(axes, marker=None):
    return [line for line in axes.get_lines() if marker is None or line.get_marker() == marker]


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
    assert labels == ["ml", "second", "ML: Someone, 2001 [seen]", "other: Someone, 2001 [seen]"]
    (drawn,) = [line for line in figure.axes[0].get_lines() if line.get_label() == labels[2]]
    assert xy(drawn) == [(0.0, 0.16), (1.0, 0.011)]
    study.path.write_text('drawn = ["ML"]\n' + STUDY)
    figure = plot(load_study(study.path), table(study, store))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == labels[:3]


def test_the_figure_is_written_in_three_formats_with_the_same_bytes_each_time(study, store, tmp_path):
    results = table(study, store)
    starts = {".svg": b"<?xml", ".pdf": b"%PDF", ".png": b"\x89PNG"}
    for ending, start in starts.items():
        paths = [tmp_path / f"{place}" / f"figure{ending}" for place in (1, 2)]
        for path in paths:
            save(plot(study, results, ("bler",)), path)
        one, other = (path.read_bytes() for path in paths)
        assert one == other
        assert one.startswith(start)
        assert len(one) > 3000
    assert b"<dc:date>" not in (tmp_path / "1" / "figure.svg").read_bytes()
    with pytest.raises(ValueError, match=r"a figure is written as \.svg, \.pdf, \.png, got figure\.jpg"):
        save(plot(study, results), tmp_path / "figure.jpg")
    assert not (tmp_path / "figure.jpg").exists()


def test_unknown_metrics_and_missing_results_are_refused(study, store):
    results = table(study, store)
    with pytest.raises(LookupError, match="no metric 'fer'; known: bler, ber, ber_code"):
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
    assert any(label.startswith("no union bound for polar-128-64: ") for label in labels)
    assert "no bounds for bch-15-7 over rayleigh: they are for awgn" in labels
    page = report([bounded], [results])
    assert "<p>Not drawn: no bounds for bch-15-7 over rayleigh: they are for awgn.</p>" in page
    save(figure, tmp_path / "f.svg")


def test_an_unknown_bound_is_refused(tmp_path):
    (tmp_path / "study.toml").write_text(STUDY.replace("batch = 1000", 'batch = 1000\nbounds = ["unoin"]'))
    with pytest.raises(ValueError, match="no bound 'unoin'; did you mean union"):
        load_study(tmp_path)


def test_counts_that_contradict_each_other_are_refused_with_the_file(study, tmp_path):
    """Also by the n and k of its code."""
    wide = Tally(1000, 1, 5, 25, 5, 25), Tally(1000, 1, 1, 1, 8, 64)
    for counts in (Tally(1000, 2000), Tally(1000, 1, 5000, 5000, 1, 1), Tally(1000, 1, 1, 1, 20, 10), *wide):
        path = tmp_path / f"{counts.block_errors}-{counts.bit_errors}-{counts.code_bit_errors}.sqlite"
        with Store(path, write=True) as results:
            results.append(study.points[0].task, 0, flagged(counts))
        with pytest.raises(
            StoreError, match=rf"{path.name} is damaged \(batch 0 .*, ml at 0.0 dB, .*move it away"
        ):
            table(study, path)
