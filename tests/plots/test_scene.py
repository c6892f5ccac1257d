"""What pictures of a study hold, looked at as data; and that the renderers draw just that."""

import ast
import itertools
import json
import re
from pathlib import Path

import pytest
from matplotlib.colors import to_hex
from study_runs import run_all, shipped

import fecnn
from fecnn.analysis.table import FEW_ERRORS, counted
from fecnn.plots import scene as scene_module
from fecnn.plots.coincidence import groups
from fecnn.plots.figure import plot
from fecnn.plots.looks import labels_of, look
from fecnn.plots.pareto import plot_pareto
from fecnn.plots.rates import rate_scene
from fecnn.plots.scene import CROSSES, DASHES, MARKERS, Mark, Series
from fecnn.plots.tradeoffs import tradeoff_scene
from fecnn.reports import report
from fecnn.reports.shapes import DASHES as REPORTED
from fecnn.reports.shapes import SHAPES
from fecnn.studies.reference import Reference
from fecnn.theory.bounds import BOUNDS

STUDIES = ["verdict-bch-31-21", "osd-orders", "rptu-bch"]
"""With bounds and an estimate; a panel for each of several codes; one panel of several codes."""


def of_kind(panel, kind):
    return {series.label: series for series in panel.series if series.kind == kind}


def looks(scene, *kinds):
    """Colour and marker by label."""
    found = {}
    for series in (series for panel in scene.panels for series in panel.series if series.kind in kinds):
        look = series.look.colour, series.look.marker
        assert found.setdefault(series.label, look) == look
    return found


def published(decoder, source, ebn0_db=2.0, code="hamming-7-4", metric="bler"):
    return Reference(code, decoder, ebn0_db, metric, 0.01, 0.0005, None, None, source, "Fig. 1", "seen")


def test_it_knows_no_library_that_draws():
    folder = Path(scene_module.__file__).parent
    for module in ("scene", "looks", "rates", "receivers", "tradeoffs"):
        tree = ast.parse((folder / f"{module}.py").read_text())
        names = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        names |= {
            alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        }
        assert not [name for name in names if name.startswith("matplotlib")], module


def test_marks_are_the_rows_hollow_with_few_errors_and_limits_without_any():
    study, results = shipped("verdict-bch-31-21")
    results = results.copy()
    none = (results["curve"] == "ml") & (results["ebn0_db"] == 6.0)
    results.loc[none, ["block_errors", "bler", "bler_low"]] = 0
    few = (results["curve"] == "ml") & (results["ebn0_db"] == 5.5)
    results.loc[few, "block_errors"] = FEW_ERRORS - 1
    (panel,) = rate_scene(study, results, ["bler"]).panels
    ml = of_kind(panel, "counted")["ml"]
    rows = counted(results[results["curve"] == "ml"]).sort_values("ebn0_db")
    assert [mark.x for mark in ml.marks] == list(rows["ebn0_db"])
    assert [mark.y for mark in ml.seen] == list(rows["bler"][:-1])
    assert [(mark.low, mark.high) for mark in ml.seen] == list(
        zip(rows["bler_low"][:-1], rows["bler_high"][:-1], strict=True)
    )
    assert [mark.x for mark in ml.marks if mark.hollow] == [5.5]
    assert [(mark.x, mark.y) for mark in ml.limits] == [(6.0, rows["bler_high"].iloc[-1])]


def test_an_estimated_curve_has_the_colour_of_ml_and_no_markers():
    study, results = shipped("verdict-bch-31-21")
    bler, ber, _ = rate_scene(study, results).panels
    exact = of_kind(bler, "estimated")["exact ML (estimated)"]
    assert (exact.look.colour, exact.look.marker) == (of_kind(bler, "counted")["ml"].look.colour, "")
    assert exact.look.dash == "longdash"
    assert of_kind(ber, "estimated") == of_kind(ber, "bound") == {}


def test_bounds_are_those_of_the_registry():
    study, results = shipped("verdict-bch-31-21")
    found = of_kind(rate_scene(study, results).panels[0], "bound")
    assert list(found) == [BOUNDS[name].label for name in study.bounds]
    mark = found[BOUNDS["kat"].label].marks[4]
    assert mark.y == BOUNDS["kat"].value(fecnn.load_code("bch-31-21"), mark.x)


def test_published_series_are_told_apart_by_decoder_source_and_marker():
    study, results = shipped("optimal-hamming-7-4")
    mine = [published("ML", "A thesis " * 9 + part) for part in "ab"]
    mine += [published("ML", "elsewhere", code="bch-15-7"), published("ML", "elsewhere", metric="fer")]
    (panel,) = rate_scene(study, results, ["bler"], references=mine).panels
    found = of_kind(panel, "published")
    labels = [f"ML: {' '.join(one.source.split())} [seen]" for one in mine]
    assert set(labels[:2]) < set(found)
    assert labels[2] not in found
    assert len({series.look.marker for series in found.values()}) == len(found) <= len(CROSSES)
    assert {mark.said[0] for mark in found[labels[0]].marks} == {"hamming-7-4, 2 dB"}
    figure = plot(study, results, ["bler"])
    drawn = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "ML [1]" in drawn
    (source,) = [text for text in figure.scene.footnotes if text.startswith("[1]")]
    assert source == "[1] " + next(iter(of_kind(figure.scene.panels[0], "published").values())).source
    assert "".join(source.split()) in "".join(figure.texts[-1].get_text().split())


def test_a_published_series_has_one_marker_in_all_panels():
    study, results = shipped("osd-orders")
    codes = list(dict.fromkeys(results["code"]))
    mine = [published("A", "first", code=codes[0]), published("B", "second", code=codes[1])]
    mine.append(published("A", "first", code=codes[1]))
    found = looks(rate_scene(study, results, references=mine), "published")
    assert found["A: first [seen]"] != found["B: second [seen]"]


def test_a_study_of_several_codes_has_a_panel_for_each_in_which_decoders_look_the_same():
    study, results = shipped("osd-orders")
    scene = rate_scene(study, results, ["bler"])
    codes = list(dict.fromkeys(results["code"]))
    assert [panel.title for panel in scene.panels] == codes
    for panel in scene.panels:
        assert {series.code for series in panel.series} == {panel.title}
    assert {panel.y for panel in scene.panels} == {"BLER"}
    assert list(looks(scene, "counted")) == [
        series.label for series in scene.legend if series.kind == "counted"
    ]
    (whole,) = rate_scene(study, results, panels="metric", metrics=["bler"]).panels
    assert {series.code for series in whole.series} == set(codes)


@pytest.mark.parametrize("name", STUDIES)
def test_a_curve_has_one_colour_and_one_marker_in_all_pictures(name):
    study, results = shipped(name)
    expected = looks(rate_scene(study, results), "counted")
    assert looks(tradeoff_scene(study, results), "gap").items() <= expected.items()

    for figure in (plot(study, results), plot_pareto(study, results)):
        lines = [line for axes in figure.axes for line in axes.get_lines() if line.get_label() in expected]
        drawn = {(line.get_label(), to_hex(line.get_color()).upper()) for line in lines}
        assert drawn
        assert drawn <= {(label, colour) for label, (colour, _) in expected.items()}

    page = report([study], [results])
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    drawn = {
        (curve["label"], (curve["colour"], curve["marker"]))
        for section in data["sections"]
        for panel in section["panels"]
        for curve in panel["curves"]
        if curve["label"] in expected
    }
    assert drawn == set(expected.items())


def test_the_report_knows_every_marker_and_dash():
    assert set(SHAPES) == {*MARKERS, *CROSSES}
    assert set(DASHES) < set(REPORTED)
    assert len({*SHAPES.values()}) == len(SHAPES)
    assert len({*REPORTED.values()}) == len(REPORTED)


def test_the_front_is_joined_by_what_no_other_beats():
    study, results = shipped("verdict-bch-31-21")
    for panel in tradeoff_scene(study, results).panels:
        marks = [(mark.x, mark.y) for series in panel.series for mark in series.marks]
        assert set(panel.front) <= set(marks)
        assert list(panel.front) == sorted(panel.front)
        for x, y in marks:
            assert any(cost <= x and gap <= y for cost, gap in panel.front)
    nothing = results[results["ebn0_db"] < 3]
    assert tradeoff_scene(study, nothing).panels == ()


def test_what_cannot_be_drawn_is_refused():
    study, results = shipped("rptu-bch")
    with pytest.raises(
        LookupError, match="no metric 'fer'; known: bler, ber, ber_code, undetected, refused, gap"
    ):
        rate_scene(study, results, ["fer"])
    with pytest.raises(ValueError, match="there are no results of rptu-bch yet; run it first"):
        rate_scene(study, results[:0])


def test_a_decoder_in_a_file_is_called_by_its_function(tmp_path):
    (tmp_path / "mine.py").write_text("def nearest(code, channel=None, /, *, power=1.0): ...\n")
    (tmp_path / "other.py").write_text(
        "def nearest(code, channel=None, /): ...\ndef best(code, channel=None, /): ...\n"
    )
    head = 'title = "t"\ncode = "hamming-7-4"\nebn0_db = [1]\n'
    curves = [
        'decoder = "./mine.py:nearest"',
        'decoder = "./mine.py:nearest"\noptions = { power = 0.5 }',
        'decoder = "./other.py:best"\nlabel = "a:b"',
        'decoder = "osd"\noptions = { order = 1 }\ncode = "bch-15-7"',
    ]
    path = tmp_path / "study.toml"

    def labels(curves):
        path.write_text(head + "".join(f"[[curve]]\n{curve}\n" for curve in curves))
        return list(labels_of(fecnn.load_study(path)).values())

    assert labels(curves) == ["nearest", "nearest (power 0.5)", "a:b", "osd (order 1) of bch-15-7"]
    both = labels([*curves, 'decoder = "./other.py:nearest"'])
    assert both[0] == "./mine.py:nearest"
    assert both[-1] == "./other.py:nearest"


def test_any_two_of_36_curves_differ_in_two_ways():
    drawn = [look(place) for place in range(36)]
    for one, other in itertools.combinations(drawn, 2):
        assert (one.colour != other.colour) + (one.dash != other.dash) + (one.marker != other.marker) >= 2


def test_curves_on_each_other_are_named_and_nested():
    study, results = shipped("optimal-hamming-7-4")
    scene = rate_scene(study, results, ["bler"])
    assert "Coincide within 95 % intervals: ml, slnn, osd (order 1) and osd (order 2)" in scene.footnotes
    found = of_kind(scene.panels[0], "counted")
    sizes = [found[name].look.size for name in ("ml", "slnn", "osd (order 1)", "osd (order 2)")]
    assert sizes == sorted(set(sizes), reverse=True)
    assert found["hard"].look.size == found["uncoded"].look.size == scene_module.DOT
    assert {one.look.size for one in scene.legend if one.kind == "counted"} == {scene_module.DOT}
    page = report([study], [results])
    assert "<p>Coincide within 95 % intervals: ml, slnn, osd (order 1) and osd (order 2).</p>" in page


def test_where_curves_are_on_each_other_is_said_unless_it_is_everywhere():
    study, results = shipped("osd-orders")
    lines = rate_scene(study, results).coincidences
    assert (
        "Coincide within 95 % intervals (bch-63-45): ml, osd (order 2), osd (order 3) and osd (order 4)"
        in lines
    )


def test_curves_are_on_each_other_only_if_they_are_everywhere_they_meet():
    def series(*rates, code="a", kind="counted"):
        marks = tuple(Mark(x, y, 0.9 * y, 1.1 * y) for x, y in enumerate(rates))
        return Series(kind, "", code, look(0), marks)

    base = series(0.1, 0.01, 0.001)
    assert groups([base, series(0.1, 0.0105, 0.001)])
    assert not groups([base, series(0.1, 0.012, 0.001)])
    assert not groups([base, series(0.1)])  # one point says nothing
    assert not groups([base, series(0.1, 0.01, 0.001, code="b")])
    assert not groups([base, series(0.1, 0.01, 0.001, kind="bound")])
    far = series(0.1, 0.0118, 0.001)
    between = series(0.1, 0.0109, 0.001)
    assert [len(group) for group in groups([base, far, between])] == [2]


def test_gaps_to_ml_have_a_panel():
    study, results = shipped("verdict-bch-31-21")
    rates, gaps = rate_scene(study, results, ["bler", "gap"]).panels
    assert gaps.y == "gap to ML [dB]"
    shown = of_kind(gaps, "counted")
    assert "ml" not in shown
    assert "exact ML (estimated)" not in shown
    grid = {mark.x for mark in of_kind(rates, "counted")["ml"].marks}
    for series in shown.values():
        assert {mark.x for mark in series.marks} <= grid
        assert all(mark.low <= mark.y <= mark.high for mark in series.marks)
        assert series.look.colour == of_kind(rates, "counted")[series.label].look.colour
    assert all(mark.y == pytest.approx(0, abs=0.01) for mark in shown["osd (order 2)"].marks)
    assert all(1 < mark.y < 2 for mark in shown["bp"].marks)
    networks = of_kind(gaps, "published")
    assert {label.partition(":")[0] for label in networks} == set(study.drawn)
    assert set(networks) <= set(of_kind(rates, "published"))
    assert all(mark.low <= mark.y <= mark.high for one in networks.values() for mark in one.marks)
    study, results = shipped("published-nets-table")
    (panel, *_) = rate_scene(study, results[results["decoder"] != "ml"], ["gap"]).panels
    assert panel.series == ()


def test_where_curves_lie_on_each_other_gaps_are_shown_unless_panels_were_chosen():
    study, results = shipped("optimal-bch-31-21")
    assert "metrics" not in study.model_fields_set
    assert rate_scene(study, results).coincidences
    assert [panel.y for panel in rate_scene(study, results).panels] == ["BLER", "BER", "gap to ML [dB]"]
    assert [panel.y for panel in rate_scene(study, results, ["bler", "ber"]).panels] == ["BLER", "BER"]
    apart = results[results["curve"].isin(["ml", "hard", "uncoded"])]
    assert [panel.y for panel in rate_scene(study, apart).panels] == ["BLER", "BER"]
    without = results[results["decoder"] != "ml"]
    assert rate_scene(study, without).coincidences
    assert [panel.y for panel in rate_scene(study, without).panels] == ["BLER", "BER"]
    study, results = shipped("osd-orders")
    codes = list(dict.fromkeys(results["code"]))
    shown = [(panel.title, panel.y) for panel in rate_scene(study, results).panels]
    assert shown == [(code, y) for code in codes for y in ("BLER", "gap to ML [dB]")]


def test_twenty_publications_look_different():
    study, results = shipped("osd-orders")
    (code, *_) = dict.fromkeys(results["code"])
    mine = [published(f"D{i}", "one source", code=code) for i in range(20)]
    found = looks(rate_scene(study, results, references=mine), "published")
    assert len(found) == len(set(found.values())) == 20


def test_a_gap_without_exact_ml_is_said(tmp_path):
    (tmp_path / "study.toml").write_text(
        'title = "t"\ncode = "hamming-7-4"\nebn0_db = [1, 2]\nbatch = 500\nmetrics = ["gap"]\n'
        '[stop]\nframes = 500\n[[curve]]\ndecoder = "hard"\n[[curve]]\ndecoder = "hard"\ncode = "uncoded"\n'
    )
    study = fecnn.load_study(tmp_path)
    run_all(study, tmp_path / "a.sqlite")
    results = fecnn.table(study, tmp_path / "a.sqlite")
    figure = plot(study, results)
    assert figure.scene.notes == ("gaps of hamming-7-4 (exact ML was not counted)",)
    figure.savefig(tmp_path / "a.png")


def test_a_pareto_figure_says_what_is_missing_and_why():
    study, results = shipped("verdict-bch-31-21")
    notes = tradeoff_scene(study, results).notes
    assert any(
        note.startswith("osd (order 0); bp; MLNN [1000,500], trained; ")
        and note.endswith("(BLER above 1e-3 at every point)")
        for note in notes
    ), notes
    study, results = shipped("osd-orders")
    notes = tradeoff_scene(study, results).notes
    shown = {series.label for panel in tradeoff_scene(study, results).panels for series in panel.series}
    assert "polar-128-64 (exact ML does not reach BLER 1e-3)" in notes
    assert "bch-63-45: osd (order 0) and bp (BLER above 1e-3 at every point)" in notes
    assert shown.isdisjoint({"osd (order 0)", "bp"})
    without = results[results["curve"] != "ml of polar-64-32"]
    notes = tradeoff_scene(study, without).notes
    assert "polar-64-32 (no exact ML to compare with)" in notes
