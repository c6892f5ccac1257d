"""The axis of a study: Eb/N0, Es/N0, or a probability; in files, tables and figures."""

import math

import numpy as np
import pytest
from scipy.stats import norm
from typer.testing import CliRunner

import fecnn
from fecnn.channels.axis import AXES
from fecnn.channels.registry import channel_at
from fecnn.cli.app import app
from fecnn.plots.rates import rate_scene
from fecnn.simulation.task import build_channel
from fecnn.studies.study import load_study

BSC = """
title = "hard decisions"
code = "hamming-7-4"
channel = "bsc"
crossover = [0.01, 0.05, 0.1]
stop = { frames = 20000 }
[[curve]]
decoder = "ml"
[[curve]]
decoder = "hard"
"""


def made(name="mine", **settings):
    return fecnn.make_study(name, **({"code": "hamming-7-4", "curves": ["ml"]} | settings))


@pytest.mark.parametrize("value", [1e-6, 0.01, 0.25, 0.49])
def test_a_crossover_probability_is_that_of_the_channel(value):
    (point,) = made(channel="bsc", crossover=value).points
    assert build_channel(point.task, point.code).crossover == pytest.approx(value, rel=1e-7)
    assert (point.at, point.said) == (value, f"crossover {value:g}")


@pytest.mark.parametrize("value", [1e-6, 0.3, 0.99])
def test_an_erasure_probability_is_that_of_the_channel(value):
    (point,) = made(channel="bec", erasure=value).points
    assert build_channel(point.task, point.code).erasure == pytest.approx(value, rel=1e-7)
    assert (point.at, point.said) == (value, f"erasure {value:g}")


@pytest.mark.parametrize(
    ("modulation", "code", "symbols"),
    [("bpsk", "bch-63-45", 63), ("qpsk", "polar-128-64", 64), ("16qam", "bch-63-45", 16)],
)
@pytest.mark.parametrize("name", ["awgn", "rayleigh"])
def test_es_n0_is_that_of_each_symbol(name, modulation, code, symbols):
    """The mean of the frame, padding included: k message bits in so many symbols."""
    channel = {"name": name, "modulation": modulation}
    (point,) = made(code=code, channel=channel, esn0_db=7.5).points
    assert point.task.ebn0_db == pytest.approx(7.5 - 10 * math.log10(point.code.k / symbols), abs=1e-8)
    sent = build_channel(point.task, point.code)
    loudness, energy = (of(point.code.n) for of in (sent.modem.loudness, sent.modem.energy))
    assert 10 * math.log10(energy / symbols / 2 / (sent.sigma * loudness) ** 2) == pytest.approx(
        7.5, abs=1e-7
    )
    assert (point.at, point.said) == (7.5, "Es/N0 7.5 dB")


def test_an_eb_n0_is_what_it_was():
    (point,) = made(ebn0_db=3.3).points
    assert (point.task.ebn0_db, point.at, point.said) == (3.3, 3.3, "3.3 dB")


def test_the_same_channel_has_the_same_frames_on_any_axis():
    by_energy = made(channel="awgn", esn0_db=2.0).points[0].task
    assert made(channel="awgn", ebn0_db=by_energy.ebn0_db).points[0].task == by_energy


def test_ids_do_not_depend_on_the_last_digits_of_a_logarithm():
    (point,) = made(channel="bsc", crossover=0.05).points
    assert point.task.ebn0_db == round(point.task.ebn0_db, 9)
    assert point.task.ebn0_db == pytest.approx(10 * np.log10(norm.isf(0.05) ** 2 / 2 * 7 / 4), abs=1e-9)
    assert point.task.id == "fd02d4fdc7607eee922fc64ed7264345568f73868d436cb521fb087f36717d88"


@pytest.fixture
def hard(tmp_path, monkeypatch):
    """A study over a crossover probability, with its results."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hard.toml").write_text(BSC)
    study = load_study(tmp_path / "hard.toml")
    fecnn.run(study).finish()
    return study


def test_it_is_named_wherever_it_is_shown(hard, tmp_path):
    """And the counts are the closed form: Hamming codes correct one error, and no more."""
    results = fecnn.table(hard)
    assert list(results.columns[:8]) == [
        *("curve", "decoder", "options", "code", "channel", "ebn0_db", "crossover", "finished")
    ]
    assert sorted(set(results["crossover"])) == [0.01, 0.05, 0.1]
    for _, row in results.iterrows():
        p = row["crossover"]
        expected = 1 - (1 - p) ** 7 - 7 * p * (1 - p) ** 6
        assert row["bler_low"] * 0.9 < expected < row["bler_high"] * 1.1
    run = CliRunner().invoke(app, ["table", "hard.toml"])
    assert "crossover probability" in run.output
    assert "Eb/N0 [dB]  " not in run.output
    rows = [line.split() for line in run.output.splitlines() if " ml " in line or " hard " in line]
    assert [row[0] for row in rows if row[0][0] == "0"] == ["0.01", "0.05", "0.1"]
    text = CliRunner().invoke(app, ["table", "hard.toml", "--format", "csv"]).output
    assert text.splitlines()[0].split(",")[5:7] == ["ebn0_db", "crossover"]
    (panel,) = rate_scene(hard, results, ["bler"]).panels
    assert panel.x == "crossover probability"
    assert [mark.x for mark in panel.series[0].marks] == [0.01, 0.05, 0.1]
    assert panel.series[0].marks[0].said[0] == "hamming-7-4, crossover 0.01"
    assert [mark.y for mark in panel.series[0].marks] == sorted(mark.y for mark in panel.series[0].marks)
    assert "crossover probability" in hard._repr_html_()
    assert "0.01, 0.05, 0.1" in hard._repr_html_()
    compared = fecnn.compare(hard, "ml", "hard")
    assert list(compared) == [0.01, 0.05, 0.1]
    assert "crossover probability" in CliRunner().invoke(app, ["compare", "hard.toml", "ml", "hard"]).output
    assert len(fecnn.frames(hard, "ml", ebn0_db=0.05, wrong=True, most=3)) == 3
    with pytest.raises(ValueError, match=r"no point at crossover 0.2; known: 0.01, 0.05, 0.1"):
        fecnn.frames(hard, "ml", ebn0_db=0.2)
    report = tmp_path / "page.html"
    assert CliRunner().invoke(app, ["report", "hard.toml", "-o", str(report)]).exit_code == 0
    assert "crossover probability" in report.read_text()


def test_progress_names_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = made(channel="bec", erasure=[0.2], stop={"frames": 4096})
    steps = list(fecnn.run(study))
    assert str(steps[-1]).startswith("ml erasure 0.2: 4,096 frames")
    assert "erasure probability" in steps[-1]._repr_html_()


def test_curves_of_several_codes_share_it(tmp_path, monkeypatch):
    """A row of the table is one value, whatever Eb/N0 that is for a code."""
    monkeypatch.chdir(tmp_path)
    study = made(
        code=None,
        channel="bec",
        erasure=[0.1, 0.3],
        stop={"frames": 4096},
        curves=[{"decoder": "ml", "code": ["hamming-7-4", "bch-15-7"]}],
    )
    assert len({point.task.ebn0_db for point in study.points}) == 4
    fecnn.run(study).finish()
    results = fecnn.table(study)
    assert sorted(results["erasure"]) == [0.1, 0.1, 0.3, 0.3]
    from fecnn.analysis.table import display

    assert list(display(study, results)["erasure probability"]) == ["0.1", "0.1", "0.3", "0.3"]


def test_bounds_move_with_the_axis():
    """With Es/N0 a bound is drawn where its Eb/N0 is."""
    study = made(esn0_db=[1.0, 3.0], bounds=["union"], stop={"frames": 100})
    from fecnn.plots.rates import bound_marks

    (marks,) = bound_marks(study, "hamming-7-4")[0].values()
    shift = 10 * math.log10(4 / 7)
    assert [mark.x for mark in marks] == pytest.approx([1.0, 1.5, 2.0, 2.5, 3.0])
    value = fecnn.theory.bounds.union_bound(fecnn.load_code("hamming-7-4"), 2.0 - shift)
    assert marks[2].y == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"channel": "awgn", "crossover": 0.1}, "crossover is for the channel bsc, got awgn"),
        ({"channel": "bsc", "erasure": 0.1}, "erasure is for the channel bec, got bsc"),
        (
            {"channel": "bsc", "esn0_db": 1.0},
            "esn0_db is for the channel awgn or rayleigh or rician, got bsc",
        ),
        ({"channel": "bsc", "crossover": [0.1, 0.5]}, r"crossover \[0.1, 0.5\] is outside 0..0.5, both ends"),
        ({"channel": "bec", "erasure": 0.0}, "erasure 0.0 is outside 0..1, both ends excluded"),
        ({"esn0_db": 200.0}, "esn0_db"),
        ({"ebn0_db": 1.0, "esn0_db": 2.0}, "a study has one axis: give ebn0_db or esn0_db"),
        (
            {"ebn0_db": 1.0, "curves": [{"decoder": "ml", "esn0_db": 2.0}]},
            "a study has one axis: give ebn0_db or esn0_db",
        ),
        ({"channel": "bsc", "crossover": [0.1, 0.1]}, "names a point twice"),
        ({"channel": "bsc", "crossover": "often"}, "a number, a list of numbers, or { from, to, step }"),
        ({"channel": "bsc", "crosover": 0.1}, "did you mean crossover"),
        ({"channel": "bsc", "curves": [{"decoder": "ml", "crossover": []}]}, "has no points"),
        ({}, "ebn0_db is missing"),
    ],
)
def test_axes_that_do_not_fit_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        made(**settings)


def test_values_and_eb_n0_are_inverse():
    for key, channel, values in (
        ("esn0_db", "awgn", (-3.0, 0.0, 7.25)),
        ("crossover", "bsc", (1e-9, 0.02, 0.4)),
        ("erasure", "bec", (1e-9, 0.02, 0.9)),
    ):
        for value in values:
            ebn0_db = AXES[key].ebn0_db(value, 63, 45, channel)
            assert AXES[key].value(ebn0_db, 63, 45, channel) == pytest.approx(value, rel=1e-5)
            assert channel_at(channel, ebn0_db, 45 / 63)
