"""Figures of undetected errors against refused frames, along the threshold of a decoder that refuses."""

import math

import pytest

import fecnn
from fecnn.plots.figure import plot
from fecnn.plots.rates import rate_scene
from fecnn.plots.tikz import tikz
from fecnn.reports import report

MARGINS = [0, 1.0, 4.0]
THRESHOLD = {"decoder": "refusing", "label": "ML", "options": {"margin": MARGINS}}
CHECKED = {"decoder": "refusing", "label": "checked", "options": {"unchecked": 1}}


def study_of(curves, **settings):
    settings = {
        "stop": {"frames": 8192},
        "ebn0_db": [1, 4],
        "code": "hamming-7-4",
        "over": "margin",
        "metrics": ["undetected"],
    } | settings
    return fecnn.make_study("mine", curves=curves, **settings)


@pytest.fixture
def ran(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(curves, **settings):
        study = study_of(curves, **settings)
        fecnn.run(study).finish()
        return study, fecnn.table(study)

    return run


def test_a_list_of_an_option_gives_a_curve_for_each_value():
    study = study_of([THRESHOLD, {"decoder": "refusing", "options": {"margin": [2.0, 3.0]}}])
    assert [curve.name for curve in study.curves] == [
        "ML, margin 0",
        "ML, margin 1.0",
        "ML, margin 4.0",
        "refusing (margin 2.0)",
        "refusing (margin 3.0)",
    ]
    orders = {"decoder": "osd", "label": "OSD", "options": {"order": [0, 1, 2]}}
    study = fecnn.make_study("orders", curves=[orders], code=["hamming-7-4"][0], ebn0_db=3)
    assert [dict(point.task.options) for point in study.points] == [{"order": order} for order in (0, 1, 2)]


def test_undetected_errors_are_drawn_unless_the_study_says_otherwise():
    told = {"code": "hamming-7-4", "ebn0_db": 3, "over": "margin"}
    assert fecnn.make_study("mine", curves=[THRESHOLD], **told).metrics == ["undetected"]
    chosen = fecnn.make_study("mine", curves=[THRESHOLD], metrics=["bler", "refused"], **told)
    assert chosen.metrics == ["bler", "refused"]


def test_misses_over_refusals(ran):
    study, results = ran([THRESHOLD, CHECKED])
    scene = rate_scene(study, results)
    assert [(panel.title, panel.scales) for panel in scene.panels] == [
        ("1 dB", ("log", "log")),
        ("4 dB", ("log", "log")),
    ]
    rows = results.set_index(["curve", "ebn0_db"])
    for panel, at in zip(scene.panels, (1, 4), strict=True):
        line, point, across = panel.series
        assert [one.label for one in panel.series] == ["ML", "checked", "ML"]
        for mark, margin in zip(line.marks, (1.0, 4.0), strict=True):
            row = rows.loc[(f"ML, margin {margin}", at)]
            assert mark.x == pytest.approx(row.refusals / row.frames)
            assert mark.y == pytest.approx((row.block_errors - row.refused_errors) / row.frames)
        assert line.marks[0].x < line.marks[1].x
        assert line.marks[0].y > line.marks[1].y
        # A threshold of 0 refuses nothing: its undetected errors are all block errors.
        assert {mark.y for mark in across.marks} == {rows.loc[("ML, margin 0", at)].bler}
        (mark,) = point.marks
        assert 0 < mark.x < 1
        assert not math.isnan(mark.y)


def test_it_is_drawn_everywhere(ran, tmp_path):
    study, results = ran([THRESHOLD, CHECKED])
    figure = plot(study, results)
    figure.savefig(tmp_path / "figure.svg")
    assert "xlabel={refused}" in tikz(figure.scene, figure.style)
    page = report([study], [results])
    alarms = results.refusals - results.refused_errors
    assert (alarms[results.curve == "checked"] == 0).all()
    assert all(f"{count:,} of them right decisions" in page for count in alarms)


@pytest.mark.parametrize(
    ("curves", "settings", "wrong"),
    [
        ([{"decoder": "ml"}], {}, "over: no curve has a margin"),
        ([THRESHOLD], {"metrics": ["gap"]}, "metrics: a gap to ML is not drawn over the margin"),
        (
            [THRESHOLD, {**THRESHOLD, "label": "ML", "options": {"margin": 1.0, "list": 3}}],
            {},
            "one line, and both at margin 1",
        ),
        (
            [{**THRESHOLD, "options": {"margin": []}}],
            {},
            "an option is a number, a word, true or false, or a list",
        ),
        ([{**THRESHOLD, "options": {"margin": [[1.0]]}}], {}, "an option is a number, a word"),
        ([{**THRESHOLD, "options": {"margin": [1.0, "much"]}}], {}, "margin"),
        ([{**THRESHOLD, "published": "theirs"}], {}, "published: these points are of one decoder"),
    ],
)
def test_what_cannot_be_drawn_is_refused(curves, settings, wrong):
    with pytest.raises(ValueError, match=wrong):
        study_of(curves, **settings).check()


def test_gaps_over_the_margin_are_refused(ran):
    study, results = ran([THRESHOLD])
    with pytest.raises(ValueError, match="drawn over the margin"):
        rate_scene(study, results, ["gap"])


def test_a_risk_is_a_threshold_too(ran):
    risks = {"decoder": "orbgrand", "options": {"risk": [0.5, 0.1]}}
    study, results = ran([risks], over="risk", metrics=["undetected"], ebn0_db=2)
    (panel,) = rate_scene(study, results).panels
    (line,) = panel.series
    assert line.label == "orbgrand"
    rates = results.set_index("curve").loc[["orbgrand (risk 0.5)", "orbgrand (risk 0.1)"]]
    assert [(mark.x, mark.y) for mark in line.marks] == list(
        zip(rates.refused, rates.undetected, strict=True)
    )
    with pytest.raises(ValueError, match="over: no curve has a risk, an option of grand"):
        study_of([THRESHOLD], over="risk")
