"""What pictures of a study hold, looked at as data; and that the renderers draw just that."""

import ast
import json
import re
from pathlib import Path

import pytest
from matplotlib.colors import to_hex
from study_runs import shipped

import fecnn
from fecnn.analysis.table import FEW_ERRORS, counted
from fecnn.plots import scene as scene_module
from fecnn.plots.figure import plot
from fecnn.plots.pareto import plot_pareto
from fecnn.plots.scene import CROSSES, DASHES, MARKERS, Look, Series, rate_scene, tradeoff_scene
from fecnn.reports import report
from fecnn.reports.swatch import swatch
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
    tree = ast.parse(Path(scene_module.__file__).read_text())
    names = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not [name for name in names if name.startswith(("matplotlib", "plotly"))]


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
    bler, ber = rate_scene(study, results).panels
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
    scene = rate_scene(study, results)
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
    (charts,) = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    drawn = {
        (trace["curve"], (trace["colour"], trace["marker"]["symbol"]))
        for chart in charts["charts"]
        for trace in chart["traces"]
        if trace["curve"] in expected and "opacity" not in trace["marker"]
    }
    assert drawn == set(expected.items())


def test_every_marker_and_dash_has_a_swatch():
    marker = {name: swatch(Series("counted", "", "", Look("#000000", marker=name), ())) for name in MARKERS}
    marker |= {
        name: swatch(Series("published", "", "", Look("#000000", marker=name), ())) for name in CROSSES
    }
    dash = {name: swatch(Series("bound", "", "", Look("#000000", name, 1.0), ())) for name in DASHES}
    assert len({*marker.values(), *dash.values()}) == len(MARKERS) + len(CROSSES) + len(DASHES)


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
    with pytest.raises(LookupError, match="no metric 'fer'; known: bler, ber, ber_code, gap"):
        rate_scene(study, results, ["fer"])
    with pytest.raises(ValueError, match="there are no results of rptu-bch yet; run it first"):
        rate_scene(study, results[:0])
