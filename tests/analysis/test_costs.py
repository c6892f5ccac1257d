"""Costs of the curves of a study: the measured work goes in, and what has no formula stays out."""

import math

import pytest
from study_runs import shipped
from typer.testing import CliRunner

import fecnn
from fecnn.analysis.costs import cost_table, curve_costs, display_costs, operations_at
from fecnn.cli.app import app
from fecnn.decoders.complexity import complexity


def test_measured_work_is_counted():
    study, results = shipped("optimal-bch-31-21")
    costs = cost_table(study, results)
    code = fecnn.load_code("bch-31-21")
    for curve, decoder, options in (("ml", "ml", {}), ("osd (order 2)", "osd", {"order": 2})):
        for _, row in results[results["curve"] == curve].iterrows():
            (found,) = costs[(costs["curve"] == curve) & (costs["ebn0_db"] == row["ebn0_db"])]["operations"]
            expected = complexity(decoder, code, work=row["work"] / row["frames"], **options)
            assert found == pytest.approx(expected.operations)
    slnn = costs[costs["curve"] == "slnn"]
    assert len(slnn) == 1
    assert math.isnan(slnn["ebn0_db"].iloc[0])
    assert slnn["parameters"].iloc[0] == 31 * 2**21
    assert slnn["per_bit"].iloc[0] == slnn["operations"].iloc[0] / 21


def test_between_points():
    study, results = shipped("optimal-bch-31-21")
    costs = curve_costs(study, results)["osd (order 2)"]
    at = {ebn0_db: cost.operations for ebn0_db, (cost, _) in costs.items()}
    assert operations_at(costs, 2.0) == pytest.approx(at[2.0])
    assert operations_at(costs, 2.25) == pytest.approx(math.sqrt(at[2.0] * at[2.5]))


@pytest.mark.parametrize("name", fecnn.study_names())
def test_every_study_has_costs(name):
    study, results = shipped(name)
    costs = cost_table(study, results)
    assert not costs.empty
    assert (costs["operations"] > 0).all()
    shown = display_costs(study, costs)
    assert len(shown) == len(costs)


def test_command():
    run = CliRunner()
    shown = run.invoke(app, ["complexity", "optimal-hamming-7-4"])
    assert shown.exit_code == 0
    assert "exponentials" in shown.output
    lines = run.invoke(app, ["complexity", "optimal-hamming-7-4", "--format", "csv"]).output.splitlines()
    assert any(line.startswith("slnn,hamming-7-4,,56.0") for line in lines), lines
    assert run.invoke(app, ["complexity", "optimal-hamming-7-4", "--format", "markdown"]).exit_code == 0
    wrong = run.invoke(app, ["complexity", "optimal-hamming-7-4", "--format", "pdf"])
    assert wrong.exit_code == 1
