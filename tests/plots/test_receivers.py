"""Figures over a number of the receiver."""

import math

import pytest

import fecnn
from fecnn.analysis.gap import gap_to_ml, gaps_along_ml
from fecnn.plots.figure import plot
from fecnn.plots.rates import rate_scene
from fecnn.plots.tikz import tikz
from fecnn.reports import report

SCALES = [{"scale": 0.5}, {}, {"scale": 4}]
BITS = [{}, {"bits": 2, "range": 2.5}, {"bits": 4, "range": 6}]


def ran(curves, **settings):
    settings = {"stop": {"frames": 4096}, "ebn0_db": [3, 5], "code": "hamming-7-4"} | settings
    study = fecnn.make_study("mine", curves=curves, **settings)
    fecnn.run(study).finish()
    return study, fecnn.table(study)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_curves_that_differ_in_the_factor_alone_are_one_line(here):
    study, results = ran(
        [{"decoder": name, "receiver": SCALES} for name in ("ml", "map")],
        over="scale",
        metrics=["bler", "ber"],
    )
    scene = rate_scene(study, results)
    assert [(panel.title, panel.y, panel.scales) for panel in scene.panels] == [
        ("3 dB", "BLER", ("log", "log")),
        ("5 dB", "BLER", ("log", "log")),
        ("3 dB", "BER", ("log", "log")),
        ("5 dB", "BER", ("log", "log")),
    ]
    assert [one.label for one in scene.legend] == ["ml", "map"]
    rows = results.set_index(["curve", "ebn0_db"])
    for panel, (at, metric) in zip(
        scene.panels, [(3, "bler"), (5, "bler"), (3, "ber"), (5, "ber")], strict=True
    ):
        for one in panel.series:
            names = [f"{one.label}, LLR scale 0.5", one.label, f"{one.label}, LLR scale 4.0"]
            assert [mark.x for mark in one.marks] == [0.5, 1, 4]
            assert [mark.y for mark in one.marks] == [rows.loc[(name, at), metric] for name in names]


def test_curves_that_differ_in_more_than_the_factor_are_lines_of_their_own(here):
    few = {"bits": 4, "range": 8.0}
    receivers = [{"scale": 0.5}, {"scale": 2.0}, {"scale": 0.5, **few}, {"scale": 2.0, **few}]
    study, results = ran([{"decoder": "bp", "receiver": receivers}], over="scale", metrics=["bler"])
    (first, _) = rate_scene(study, results).panels
    assert [one.label for one in first.series] == ["bp", "bp, LLR bits 4, range 8.0"]
    assert [[mark.x for mark in one.marks] for one in first.series] == [[0.5, 2], [0.5, 2]]


def test_two_curves_at_one_place_of_a_line_are_refused(here):
    receivers = [{"bits": 4, "range": 8.0}, {"bits": 4, "range": 9.0}]
    wrong = "over: bp, LLR bits 4, range 8.0 and bp, LLR bits 4, range 9.0 are one line, and both at bits 4"
    with pytest.raises(ValueError, match=wrong):
        ran([{"decoder": "bp", "receiver": receivers}], over="bits", metrics=["bler"])


def test_what_is_not_quantised_is_a_line_across_and_gaps_are_those_of_the_table(here):
    codes = ["hamming-7-4", "bch-15-7"]
    curves = [{"decoder": name, "receiver": BITS, "code": codes} for name in ("ml", "osd")]
    study, results = ran(curves, over="bits", metrics=["gap"], panels="code", ebn0_db=[4, 6, 8, 10])
    gaps = {gap.curve: gap.gap_db for gap in gap_to_ml(study, results)}
    scene = rate_scene(study, results)
    assert [panel.title for panel in scene.panels] == codes
    for panel, code in zip(scene.panels, codes, strict=True):
        found = {(one.label, one.kind): one.marks for one in panel.series}
        assert set(found) == {(name, kind) for name in ("ml", "osd") for kind in ("counted", "estimated")}
        for name in ("ml", "osd"):
            assert [mark.x for mark in found[name, "counted"]] == [2, 4]
            assert [mark.y for mark in found[name, "counted"]] == [
                gaps[f"{name}, LLR {bits} of {code}"] for bits in ("bits 2, range 2.5", "bits 4, range 6.0")
            ]
            assert [(mark.x, mark.y) for mark in found[name, "estimated"]] == [
                (x, gaps[f"{name} of {code}"]) for x in (2, 4)
            ]
    # Two bits lose the most, and exact ML of what is not quantised is the reference.
    assert gaps["ml of bch-15-7"] == 0 < gaps["ml, LLR bits 4, range 6.0 of bch-15-7"] < 0.5
    assert gaps["ml, LLR bits 2, range 2.5 of bch-15-7"] > 0.4


def test_every_way_to_draw_takes_it(here, tmp_path):
    curves = [{"decoder": "ml", "receiver": BITS}, {"decoder": "hard", "receiver": BITS}]
    study, results = ran(curves, over="bits", metrics=["bler", "gap"], ebn0_db=[4, 6, 8, 10])
    figure = plot(study, results)
    assert figure.axes[0].get_xlabel() == "bits of an LLR (dashed: not quantised)"
    assert "bits of an LLR" in tikz(figure.scene, figure.style)
    page = report([study], [results])
    assert "bits of an LLR" in page


def test_gaps_along_ml_are_those_over_the_same_channel(here):
    rayleigh = {"name": "rayleigh"}
    study, results = ran(
        [
            {"decoder": "ml", "receiver": {"bits": 2, "range": 2}, "label": "two bits"},
            {"decoder": "hard"},
            {"decoder": "ml"},
            {"decoder": "hard", "channel": rayleigh, "label": "hard, fading"},
            {"decoder": "ml", "channel": rayleigh, "label": "ml, fading"},
        ],
        ebn0_db=[2, 4, 6, 8, 10],
    )
    along = gaps_along_ml(study, results, "hamming-7-4")
    assert set(along) == {"two bits", "hard", "hard, fading"}
    assert {gap.reference for _, gap in along["hard"] + along["two bits"]} == {"ml"}
    assert {gap.reference for _, gap in along["hard, fading"]} == {"ml, fading"}
    assert any(math.isfinite(gap.gap_db) for _, gap in along["hard, fading"])


def test_what_a_maxlog_demapper_loses_is_counted_from_ml_with_the_exact_one(here):
    exact, maxlog = ({"name": "awgn", "modulation": "64qam", "demapper": it} for it in ("exact", "maxlog"))
    curves = [
        {"decoder": "ml", "channel": maxlog, "label": "ml, max-log"},
        {"decoder": "hard", "channel": maxlog, "label": "hard, max-log"},
        {"decoder": "ml", "channel": exact, "label": "ml, exact"},
    ]
    study, results = ran(curves, ebn0_db=[6, 9, 12, 15, 18])
    gaps = {gap.curve: gap for gap in gap_to_ml(study, results, bler=0.01)}
    assert {gap.reference for gap in gaps.values()} == {"ml, exact"}
    assert gaps["ml, exact"].gap_db == 0
    assert gaps["ml, max-log"].low < gaps["ml, max-log"].high
    assert set(gaps_along_ml(study, results, "hamming-7-4")) == {"ml, max-log", "hard, max-log"}
    # Without it, ML on the same LLRs is what there is; a curve with the exact demapper has no reference then.
    curves[2] = {"decoder": "hard", "channel": exact, "label": "hard, exact"}
    study, results = ran(curves, ebn0_db=[6, 9, 12, 15, 18])
    gaps = {gap.curve: gap.reference for gap in gap_to_ml(study, results, bler=0.01)}
    assert gaps == {"ml, max-log": "ml, max-log", "hard, max-log": "ml, max-log"}


def test_a_code_of_which_ml_alone_is_counted_lacks_no_gaps(here):
    curves = [{"decoder": it, "code": "hamming-7-4"} for it in ("ml", "hard")]
    curves += [{"decoder": "ml", "code": "bch-15-7"}, {"decoder": "hard", "code": "golay-24-12"}]
    study, results = ran(curves, ebn0_db=[2, 4, 6])
    (panel,) = rate_scene(study, results, ["gap"]).panels
    assert {one.label for one in panel.series} == {"hard of hamming-7-4"}
    assert panel.notes == ("gaps of golay-24-12 (exact ML was not counted)",)
