"""The studies that are shipped: complete, consistent, recomputable, and right where the truth is known."""

import importlib
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom, norm
from study_runs import shipped

import fecnn
from fecnn.analysis.table import display, estimated, judge, table
from fecnn.analysis.texts import markdown
from fecnn.decoders.complexity import complexity
from fecnn.simulation.simulate import run_batch
from fecnn.simulation.stop import Prefix
from fecnn.simulation.tally import COUNTS, Tally
from fecnn.theory.bounds import kat_bound, tangential_sphere_bound

STUDIES = fecnn.study_names()
PAGES = Path(__file__).parents[2] / "studies"
"""Of the checkout: a wheel has no pages and figures."""
OPTIMAL = [name for name in STUDIES if name.startswith("optimal-")]


def row(results, curve, ebn0_db):
    return results[(results["curve"] == curve) & (results["ebn0_db"] == ebn0_db)].iloc[0]


@pytest.fixture
def tool(monkeypatch):
    """Imports a program of the folder ``tools``."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "tools")
    return importlib.import_module


@pytest.fixture
def published_table(tool):
    """The tool that writes the table of published-nets-table."""
    return tool("write_published_table")


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_ships_everything(name, published_table):
    study, results = shipped(name)
    home = PAGES / name
    assert len(results) == len(study.all_points)
    assert results["finished"].all()
    assert "<svg" in (home / "figure.svg").read_text()
    readme = (home / "README.md").read_text()
    own = name == published_table.NAME
    made = published_table.table(study, results) if own else markdown(display(study, results))
    assert made in readme
    assert f"fecnn run {name}" in readme
    assert study.question
    for point in study.points:
        found = row(results, point.curve, point.task.ebn0_db)
        assert found["bler"] == pytest.approx(found["block_errors"] / found["frames"])
        low, high = fecnn.proportion_interval(int(found["block_errors"]), int(found["frames"]))
        assert (found["bler_low"], found["bler_high"]) == pytest.approx((low, high))
        assert found["ber"] == pytest.approx(found["bit_errors"] / found["frames"] / point.code.k)
        assert found["frames"] % point.task.batch == 0


def test_the_table_of_verdicts_is_the_one_that_the_record_gives(published_table):
    study, results = shipped(published_table.NAME)
    made = published_table.verdicts(study, results)
    text = (PAGES / study.name / "README.md").read_text()
    assert published_table.between(text, "<!-- verdicts -->", made, "<!-- end of verdicts -->") == text


@pytest.mark.parametrize("name", [name for name in STUDIES if name.startswith("verdict-")])
def test_the_networks_of_a_verdict_are_those_of_the_record(name, tool):
    study = fecnn.load_study(name)
    made = tool("write_study").networks(study)
    assert made.count("\n") == 2 + len(study.drawn)
    assert made in (PAGES / name / "README.md").read_text()


def test_work_and_operations_per_frame_stand_in_the_page(tool):
    study, results = shipped("queries-to-ml")
    made = tool("write_study").per_frame(study, results)
    assert made in (PAGES / study.name / "README.md").read_text()
    one = row(results, "gcd of bch-63-45", 3.0)
    (line, more) = (it for it in made.splitlines() if it.startswith("| bch-63-45 | 3 |"))
    assert float(line.split("|")[4]) == pytest.approx(one["work"] / one["frames"], rel=0.02)
    operations = complexity("gcd", fecnn.load_code("bch-63-45"), work=one["work"] / one["frames"]).operations
    assert float(more.split("|")[4].replace(",", "")) == pytest.approx(operations, abs=0.51)


# Counted from the model of the papers' own code, layers and widths as given.
@pytest.mark.parametrize(
    ("n", "checks", "layers", "width", "parameters"),
    [
        (31, 15, 2, 32, 28_498),
        (31, 15, 10, 128, 1_990_706),
        (63, 18, 6, 64, 310_575),
        (64, 32, 6, 128, 1_208_769),
        (49, 28, 6, 32, 82_671),
    ],
)
def test_parameters_of_the_published_transformers(published_table, n, checks, layers, width, parameters):
    assert published_table.transformer_parameters(n, checks, layers, width) == parameters


@pytest.mark.parametrize("name", OPTIMAL)
def test_networks_have_the_counts_of_the_exact_decoders(name):
    """Where the exact decoder has decided more frames, it decides those of the network again."""
    study, results = shipped(name)
    tasks = {(point.curve, point.ebn0_db): point.task for point in study.points}
    counts = [count for count in COUNTS if count not in ("seconds", "work", "uncertified")]
    compared = 0
    for exact, network in (("ml", "slnn"), ("map", "mlnn")):
        for _, theirs in results[results["curve"] == network].iterrows():
            ebn0_db, frames = theirs["ebn0_db"], int(theirs["frames"])
            ours = row(results, exact, ebn0_db)
            if ours["frames"] != frames:
                same = replace(tasks[exact, ebn0_db], batch=tasks[network, ebn0_db].batch)
                again = sum((run_batch(same, i) for i in range(frames // same.batch)), Tally())
                ours = {count: getattr(again, count) for count in counts}
            assert {count: ours[count] for count in counts} == dict(theirs[counts]), (network, ebn0_db)
            compared += 1
    assert compared >= 10


@pytest.mark.parametrize(
    ("name", "floor"),
    [("optimal-hamming-7-4", 1e-5), ("optimal-polar-16-8", 1e-5), ("optimal-bch-31-21", 1e-4)],
)
def test_points_have_enough_errors(name, floor):
    _, results = shipped(name)
    for _, found in results.iterrows():
        slow = name == "optimal-bch-31-21" and found["curve"] in ("slnn", "mlnn")
        if found["bler"] >= (1e-2 if slow else floor):
            assert found["block_errors"] >= (100 if slow else 200), (found["curve"], found["ebn0_db"])
    ml = results[results["curve"] == "ml"]
    assert ml["bler"].min() < 2 * floor


@pytest.mark.parametrize(("ebn0_db", "bler"), [(0, 0.1790), (2, 0.0641), (4, 0.01196), (6, 7.99e-4)])
def test_ml_of_hamming_7_4(ebn0_db, bler):
    found = row(shipped("optimal-hamming-7-4")[1], "ml", ebn0_db)
    assert found["bler_low"] <= bler * 1.005
    assert found["bler_high"] >= bler * 0.995


@pytest.mark.parametrize("name", OPTIMAL)
def test_hard_decisions_follow_their_closed_form(name):
    study, results = shipped(name)
    code = fecnn.load_code(study.code)
    t = (code.minimum_distance - 1) // 2
    for _, found in results[results["curve"] == "hard"].iterrows():
        p = norm.sf(math.sqrt(2 * code.rate * 10 ** (found["ebn0_db"] / 10)))
        low, high = fecnn.proportion_interval(int(found["block_errors"]), int(found["frames"]), 0.9999)
        assert low <= binom.sf(t, code.n, p) <= high


def test_ml_agrees_with_the_published_points():
    for name, least in (("optimal-bch-31-21", 12), ("rptu-bch", 88)):
        study, results = shipped(name)
        verdicts = judge(study, results)
        published = verdicts[verdicts["source"].str.contains("RPTU")]
        assert len(published) == (13 if name == "optimal-bch-31-21" else 94)
        assert (published["verdict"] == "agrees").sum() >= least


@pytest.mark.parametrize(
    ("name", "agree", "published"),
    [
        ("transformers-bch-31-16", 14, 14),
        ("transformers-bch-63-51", 22, 27),
        ("transformers-bch-127-64", 19, 26),
    ],
)
def test_classical_curves_beside_the_transformers_agree_with_published_ones(name, agree, published):
    verdicts = judge(*shipped(name))
    assert len(verdicts) == published
    assert (verdicts["verdict"] == "agrees").sum() == agree


@pytest.mark.parametrize("name", ["transformers-bch-31-16", "transformers-bch-63-51"])
def test_fecnn_net_stands_between_ml_and_the_published_transformers(name):
    study, results = shipped(name)
    published = [r for r in study.references if r.decoder.startswith(("ECCT", "CrossMPT"))]
    compared = 0
    for reference in published:
        if reference.ebn0_db in (4.0, 5.0, 6.0):
            ours, best = (row(results, curve, reference.ebn0_db) for curve in ("fecnn-net", "ml"))
            assert ours["ber_code_high"] < reference.interval[0]
            assert ours["block_errors"] / ours["frames"] > best["bler_low"]
            compared += 1
    assert compared >= 12


def least_values(results, curve, least, errors):
    for ebn0_db, minimum in zip((4.0, 5.0, 6.0), least, strict=True):
        found = row(results, curve, ebn0_db)
        assert -math.log(found["ber_code"]) >= minimum
        assert found["block_errors"] >= errors


def test_fecnn_net_is_as_good_as_it_is_held_to():
    _, results = shipped("published-nets-table")
    least_values(results, "fecnn-net of bch-31-16", (7.35, 9.75, 12.8), 100)
    # Alone it has 15.93 at 6 dB.
    least_values(results, "fecnn-net of bch-63-45", (7.8, 11.3, 15.9), 20)
    least_values(results, "fecnn-net (tries 8) of bch-63-45", (7.8, 11.3, 16.0), 10)
    assert row(results, "fecnn-net of bch-63-45", 4.0)["bler"] <= 4.5e-3


@pytest.mark.parametrize(
    ("name", "first", "last", "counted"),
    [("verdict-bch-31-21", 5.0, 9.0, 3), ("verdict-bch-63-45", 4.5, 8.0, 2)],
)
def test_estimates_agree_with_counts_and_are_recomputed(name, first, last, counted):
    study, results = shipped(name)
    code = fecnn.load_code(study.code)
    grid = list(np.arange(first, last + 0.1, 0.5))
    assert [point.ebn0_db for point in study.rare_points] == grid
    rows = estimated(results).set_index("ebn0_db")
    assert rows["bler"].iloc[-1] < 1e-10
    for ebn0_db, found in rows.iterrows():
        assert kat_bound(code, ebn0_db) <= found["bler_high"]
        assert found["bler_low"] <= tangential_sphere_bound(code, ebn0_db)
        # Noise that rays leave out has up to a hundredth of the interval.
        width = 2 * study.rare_points[0].rel_error * found["bler"]
        assert found["bler_high"] - found["bler_low"] <= 1.01 * width
    for ebn0_db in grid[:counted]:  # where errors can be counted, too
        ml = row(results, "ml", ebn0_db)
        low, high = fecnn.proportion_interval(int(ml["block_errors"]), int(ml["frames"]), confidence=0.999)
        assert low <= rows.loc[ebn0_db, "bler"] <= high
    for point in study.rare_points[3::2]:  # sums in another order may differ in their last digits
        again = fecnn.ml_bler(point.code, point.ebn0_db, point.rel_error, seed=point.seed)
        assert again.value == pytest.approx(rows.loc[point.ebn0_db, "bler"], rel=1e-6)


def recompute(study, points):
    """Run some points of a study anew and compare every count with what is shipped."""
    shipped_results = table(study, study.path.parent / "results.csv")
    from fecnn.simulation.simulate import run_batch

    for point in points:
        prefix = Prefix(point.stop)
        while not prefix.finished:
            prefix.add(prefix.length, run_batch(point.task, prefix.length))
        found = row(shipped_results, point.curve, point.task.ebn0_db)
        for count in COUNTS:
            if count != "seconds":
                assert getattr(prefix.total, count) == found[count], (point.curve, point.task.ebn0_db, count)


def test_shipped_counts_are_recomputed():
    for name in ("optimal-hamming-7-4", "optimal-polar-16-8", "rptu-bch"):
        study = fecnn.load_study(name)
        recompute(study, [p for p in study.points if p.task.ebn0_db == 1.0 and p.code.n < 31])
    study = fecnn.load_study("optimal-bch-31-21")
    quick = [p for p in study.points if p.task.ebn0_db == 1.0 and p.curve not in ("slnn", "mlnn")]
    recompute(study, quick)


@pytest.mark.slow
def test_more_shipped_counts_are_recomputed():
    for name in STUDIES:
        study, results = shipped(name)
        limit = 1 if name == "published-nets-table" else 15  # it has hundreds of points
        quick = [p for p in study.points if row(results, p.curve, p.task.ebn0_db)["seconds"] < limit]
        recompute(study, quick)
