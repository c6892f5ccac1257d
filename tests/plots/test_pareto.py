"""Distance and cost: what stands in the figure, and what no other decoder beats."""

import itertools

import numpy as np
import pytest
from study_runs import shipped
from typer.testing import CliRunner

from fecnn.analysis.costs import curve_costs
from fecnn.analysis.tradeoff import front, tradeoffs
from fecnn.cli.app import app
from fecnn.plots.pareto import plot_pareto


def test_front_is_what_nothing_beats_in_both():
    rng = np.random.default_rng(1)
    for _ in range(50):
        costs, gaps = rng.integers(0, 6, (2, 8)).astype(float)
        kept = front(list(costs), list(gaps))
        for i in kept:
            assert not any(costs[j] < costs[i] and gaps[j] <= gaps[i] for j in range(8))
        for i, j in itertools.product(range(8), kept):
            assert i in kept or any(costs[at] <= costs[i] and gaps[at] <= gaps[i] for at in kept), (i, j)


def test_costs_are_those_at_the_crossing():
    study, results = shipped("optimal-bch-31-21")
    found = {one.gap.curve: one for one in tradeoffs(study, results)}
    assert "osd (order 1)" in found
    assert "uncoded" not in found
    one = found["osd (order 1)"]
    costs = curve_costs(study, results)["osd (order 1)"]
    below, above = costs[4.5][0].operations / 21, costs[5.0][0].operations / 21
    assert min(below, above) <= one.operations <= max(below, above)
    times = results[results["curve"] == "osd (order 1)"].set_index("ebn0_db")["us_per_frame"]
    assert min(times[4.5], times[5.0]) <= one.microseconds <= max(times[4.5], times[5.0])
    assert found["ml"].gap.gap_db == 0.0


def test_figure_shows_every_decoder():
    study, results = shipped("osd-orders")
    found = tradeoffs(study, results)
    figure = plot_pareto(study, results)
    codes = list(dict.fromkeys(one.gap.code for one in found))
    assert len(figure.axes) == 2 * len(codes)
    drawn = sum(
        len(line.get_xdata())
        for axes in figure.axes[1::2]
        for line in axes.get_lines()
        if line.get_marker() != "None"
    )
    assert drawn == len(found)
    with pytest.raises(ValueError, match="no curve of osd-orders reaches BLER 1e-3"):
        plot_pareto(study, results[results["ebn0_db"] < 1.2])


def test_command(tmp_path):
    path = tmp_path / "pareto.svg"
    done = CliRunner().invoke(app, ["plot", "optimal-bch-31-21", "--pareto", "-o", str(path)])
    assert done.exit_code == 0, done.output
    assert "<svg" in path.read_text()
