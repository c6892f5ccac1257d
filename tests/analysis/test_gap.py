"""Gaps to ML: crossings against root finding, intervals against the truth."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

import fecnn
from fecnn.analysis.gap import Crossing, Gap, _crossings, display_gaps, gap_to_ml, published_gaps_along_ml
from fecnn.analysis.table import table
from fecnn.studies.reference import Reference
from fecnn.theory.bounds import tangential_sphere_bound

STUDY = """
title = "synthetic"
code = "hamming-7-4"
ebn0_db = [2, 3, 4, 5]
[[curve]]
decoder = "hard"
[[curve]]
decoder = "ml"
[[curve]]
label = "no reference"
decoder = "hard"
code = "uncoded"
"""


@pytest.fixture
def study(tmp_path):
    (tmp_path / "study.toml").write_text(STUDY)
    return fecnn.load_study(tmp_path / "study.toml")


def rates(ebn0_db, loss):
    """A curve of one wrong word, and one that is worse by so many dB: straight where gaps interpolate."""
    return norm.sf(1.8 * 10 ** ((np.asarray(ebn0_db) - loss) / 20))


def simulated(study, rng, loss, frames=20_000):
    """A table of results: ML's errors, and those of a decoder that also errs where ML does not."""
    rows = []
    for ebn0_db in study.ebn0_db:
        both, worse = rates(ebn0_db, 0), rates(ebn0_db, loss)
        shared, alone = rng.multinomial(frames, [both, worse - both, 1 - worse])[:2]
        for curve, errors in (("ml", shared), ("hard", shared + alone), ("no reference", shared)):
            rows.append(
                {
                    "curve": curve,
                    "ebn0_db": ebn0_db,
                    "frames": frames,
                    "block_errors": errors,
                    "ml_errors": shared,
                    "bit_errors": 2 * errors,
                    "bit_errors_sq": 4 * errors,
                    "code_bit_errors": 3 * errors,
                    "code_bit_errors_sq": 9 * errors,
                }
            )
    return pd.DataFrame(rows)


@pytest.mark.parametrize("name", ["hamming-7-4", "bch-31-16", "bch-63-45"])
@pytest.mark.parametrize("target", [1e-2, 1e-3, 1e-5])
def test_crossings_between_points_one_db_apart_are_right_to_hundredths(name, target):
    code = fecnn.load_code(name)
    truth = brentq(lambda x: math.log(tangential_sphere_bound(code, x) / target), -2, 12)
    for shift in (0.0, 0.3, 0.6):
        grid = np.arange(-2.0, 12.0) + shift
        curve = np.array([tangential_sphere_bound(code, ebn0_db) for ebn0_db in grid])
        assert _crossings(grid, curve[None], target)[0] == pytest.approx(truth, abs=0.02)


def test_crossings_at_and_beyond_the_ends():
    grid = np.array([1.0, 2.0, 3.0])
    assert _crossings(grid, np.array([0.1, 0.01, 0.001])[None], 0.01)[0] == pytest.approx(2.0)
    assert _crossings(grid, np.array([0.1, 0.01, 0.001])[None], 0.1)[0] == 1.0
    assert _crossings(grid, np.array([0.1, 0.01, 0.001])[None], 0.2)[0] == -math.inf
    assert _crossings(grid, np.array([0.1, 0.01, 0.001])[None], 1e-4)[0] == math.inf
    assert 1 < _crossings(grid, np.array([1.0, 0.01, 0.001])[None], 0.5)[0] < 2


def test_a_known_loss_is_found(study):
    results = simulated(study, np.random.default_rng(1), 0.5, frames=10**9)
    for metric, factor in (("bler", 1), ("ber", 2 / 4), ("ber_code", 3 / 7)):
        gap, _ = gap_to_ml(study, results, **{metric: 1e-2 * factor})
        assert (gap.curve, gap.code, gap.reference) == ("hard", "hamming-7-4", "ml")
        assert gap.gap_db == pytest.approx(0.5, abs=2e-3)
        assert gap.low < gap.gap_db < gap.high
        assert gap.crossing.ebn0_db == pytest.approx(brentq(lambda x: rates(x, 0.5) - 1e-2, 0, 9), abs=2e-3)


def test_intervals_of_decoders_that_agree_are_narrow(study):
    """On the same frames what both do wrong tells nothing of their distance."""
    results = simulated(study, np.random.default_rng(2), 0.0)
    gap, _ = gap_to_ml(study, results, bler=5e-3)
    assert gap.gap_db == 0.0
    assert -0.03 < gap.low <= 0 <= gap.high < 0.03
    assert gap.crossing.high - gap.crossing.low > 0.1


def published(rng, loss, frames):
    """Points with counts of a curve that is worse than ML by so many dB."""
    return [
        Reference(
            "hamming-7-4", "net", ebn0_db, "bler", errors / frames, 0.0, errors, frames, "a", "b", "seen"
        )
        for ebn0_db in (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
        for errors in [int(rng.binomial(frames, rates(ebn0_db, loss)))]
    ]


def test_a_published_curve_has_its_loss_at_every_point_of_ml(study):
    rng = np.random.default_rng(4)
    results = simulated(study, rng, 0.5, frames=10**9)
    found = published_gaps_along_ml(study, results, published(rng, 0.5, 10**9))
    assert [ebn0_db for ebn0_db, _ in found] == study.ebn0_db
    for _, gap in found:
        assert (gap.curve, gap.code, gap.reference) == ("net", "hamming-7-4", "ml")
        assert gap.gap_db == pytest.approx(0.5, abs=5e-3)
        assert gap.low < gap.gap_db < gap.high
    (uncounted, *_) = published(rng, 0.5, 1000)
    assert published_gaps_along_ml(study, results, [replace(uncounted, errors=None, frames=None)]) == []
    (other, *_) = published(rng, 0.5, 1000)
    assert published_gaps_along_ml(study, results, [replace(other, code="bch-15-7")]) == []


def test_intervals_of_published_curves_cover(study):
    rng = np.random.default_rng(5)
    inside = [
        gap.low <= 0.3 <= gap.high
        for _ in range(60)
        for _, gap in published_gaps_along_ml(
            study, simulated(study, rng, 0.3, frames=100_000), published(rng, 0.3, 200_000)
        )
    ]
    assert len(inside) == 240
    assert 0.9 < sum(inside) / 240 < 0.995


def test_drawn_curves_are_continued_a_little(study):
    """At the BLER of the last point the interval has two ends, and one far beyond is infinite."""
    results = simulated(study, np.random.default_rng(3), 1.0)
    last = rates(5.0, 1.0)
    gap, _ = gap_to_ml(study, results, bler=float(last) * 1.02)
    assert gap.low < 1.0 < gap.high < 1.6
    grid = np.array([0.0, 1.0])
    measured = [0.1, 0.01]
    line = _crossings(grid, np.array([measured, measured]), 0.006)
    assert line[0] == math.inf
    assert 1 < line[1] < 1.5
    assert _crossings(grid, np.array([measured, measured]), 1e-6).tolist() == [math.inf, math.inf]
    line = _crossings(grid, np.array([measured, measured]), 0.12)
    assert line[0] == -math.inf
    assert -0.5 < line[1] < 0
    rising = [0.01, 0.02]
    assert _crossings(grid, np.array([measured, rising]), 0.005)[1] == math.inf


def test_curves_that_do_not_pass_the_target_say_on_which_side_they_are(study):
    results = simulated(study, np.random.default_rng(3), 1.0)
    for bler, words in ((1e-9, "above it at all points"), (0.9, "below it at all points")):
        gap, _ = gap_to_ml(study, results, bler=bler)
        assert math.isnan(gap.gap_db)
        assert math.isnan(gap.crossing.ebn0_db)
        (row,) = display_gaps([gap], bler).to_numpy().tolist()
        assert row == ["hard", words, ""]
        assert str(gap) == f"hard of hamming-7-4: {words}"


def test_the_tangential_sphere_bound_as_reference(study):
    results = simulated(study, np.random.default_rng(4), 0.5)
    gaps = {gap.curve: gap for gap in gap_to_ml(study, results, bler=5e-3, reference="tsb")}
    assert set(gaps) == {"hard", "ml", "no reference"}
    code = fecnn.load_code("hamming-7-4")
    truth = brentq(lambda x: tangential_sphere_bound(code, x) - 5e-3, 0, 10)
    hard = gaps["hard"]
    assert hard.gap_db == pytest.approx(hard.crossing.ebn0_db - truth, abs=1e-5)
    assert hard.reference == "tangential-sphere bound"


def test_of_shipped_results():
    study = fecnn.load_study("optimal-hamming-7-4")
    results = table(study, study.path.parent / "results.csv")
    gaps = {gap.curve: gap for gap in gap_to_ml(study, results)}
    assert gaps["slnn"].gap_db == 0.0
    assert (gaps["ml"].gap_db, gaps["ml"].low, gaps["ml"].high) == (0.0, 0.0, 0.0)
    assert gaps["osd (order 0)"].low > 0.1
    assert "uncoded" not in gaps
    shown = display_gaps(list(gaps.values()))
    assert list(shown["decoder"]) == list(gaps)


def test_a_gap_in_words():
    there = Crossing(4.376, 4.351, 4.402)
    gap = Gap("osd (order 1)", "bch-31-16", there, "ml", 0.0866, 0.046, 0.128)
    assert str(gap) == "osd (order 1) of bch-31-16: at 4.38 [4.35, 4.40] dB, 0.09 [0.05, 0.13] dB from ml"
    assert str(replace(gap, gap_db=math.nan)) == (
        "osd (order 1) of bch-31-16: at 4.38 [4.35, 4.40] dB; ml does not reach it"
    )
    nowhere = Crossing(math.nan, -math.inf, -math.inf)
    assert str(replace(gap, crossing=nowhere)) == "osd (order 1) of bch-31-16: below it at all points"


def test_what_makes_no_sense_is_refused(study):
    results = simulated(study, np.random.default_rng(5), 0.5)
    with pytest.raises(ValueError, match="one target, got bler and ber"):
        gap_to_ml(study, results, bler=1e-3, ber=1e-3)
    with pytest.raises(ValueError, match=r"in \(0, 1\), got 1.5"):
        gap_to_ml(study, results, bler=1.5)
    with pytest.raises(ValueError, match="'ml' or 'tsb', got 'osd'"):
        gap_to_ml(study, results, reference="osd")
    with pytest.raises(ValueError, match="a bound on BLER"):
        gap_to_ml(study, results, ber=1e-3, reference="tsb")


def coverage(study, loss, rounds, seed):
    covered = {"bler": 0, "ber": 0}
    for one in range(rounds):
        results = simulated(study, np.random.default_rng([seed, one]), loss)
        for metric, target in (("bler", 5e-3), ("ber", 2.5e-3)):
            gap, _ = gap_to_ml(study, results, **{metric: target})
            covered[metric] += gap.low <= loss <= gap.high
    return {metric: count / rounds for metric, count in covered.items()}


def test_intervals_cover(study, monkeypatch):
    monkeypatch.setattr("fecnn.analysis.gap.REPETITIONS", 400)
    found = coverage(study, 0.3, 60, 1)
    assert found["bler"] > 0.86
    assert found["ber"] > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("loss", [0.05, 0.3, 1.0])
def test_intervals_cover_95_percent(study, loss):
    """BLER, drawn together: 95 %. BER, drawn as independent: more."""
    found = coverage(study, loss, 1000, 2)
    assert 0.93 < found["bler"] < 0.98
    assert found["ber"] > 0.94
