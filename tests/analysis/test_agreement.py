"""Published points as a set: chance is called chance, and what is low together is seen."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, norm

import fecnn
from fecnn.analysis.agreement import agreement, log_rate, sentences, stopped_at, z_score
from fecnn.analysis.table import judge, published_summary, table
from fecnn.studies.reference import Reference

RATES = (0.4, 0.2, 0.05, 0.02, 5e-3, 2e-3, 5e-4, 1e-4)


def until(rng, rate, errors):
    """Frames until there are so many errors."""
    return int(errors + rng.negative_binomial(errors, rate))


def simulated(rng, points, published_errors=100, factor=lambda rate: 1.0):
    """Verdicts of published points that stopped at a count of errors, against ours that did at another."""
    rows = []
    for place in range(points):
        rate = RATES[place % len(RATES)]
        theirs = log_rate(
            published_errors, until(rng, rate * factor(rate), published_errors), until_errors=True
        )
        frames = until(rng, rate, 400)
        rows.append(
            {
                "code": "a",
                "ebn0_db": float(place),
                "metric": "bler",
                "published": math.exp(theirs[0]),
                "source": "s",
                "where": "w",
                "ours": 400 / frames,
                "z": z_score(theirs, log_rate(400, frames, until_errors=True)),
            }
        )
    return pd.DataFrame(rows)


@pytest.mark.parametrize("errors", [20, 100])
def test_unbiased_references_are_called_chance(rng, errors):
    verdicts = simulated(rng, 8000, errors)
    assert abs(verdicts["z"].mean()) < 3 / math.sqrt(8000)
    assert verdicts["z"].var() == pytest.approx(1.0, abs=0.1)
    found = agreement(verdicts)
    assert list(found["points"]) == [2000] * 4
    assert (found["p_mean"] > 1e-3).all()
    assert found["mean_z"].to_numpy() == pytest.approx(found["sigma"].to_numpy() / math.sqrt(2000))


def test_without_the_bias_of_stopping_they_would_not_be(rng):
    """Twenty errors: 5 % too high, a fifth of a standard deviation each."""
    z = []
    for _ in range(4000):
        theirs = log_rate(20, until(rng, 0.02, 20), until_errors=False)
        z.append(z_score(theirs, log_rate(4000, until(rng, 0.02, 4000), until_errors=True)))
    assert np.mean(z) * math.sqrt(4000) > 8


def test_chance_is_as_frequent_as_it_says(rng):
    p_mean, p_scatter = [], []
    for _ in range(200):
        found = agreement(simulated(rng, 80))
        p_mean += list(found["p_mean"])
        p_scatter += list(found["p_scatter"])
    for p in (p_mean, p_scatter):
        assert np.mean(np.array(p) < 0.1) == pytest.approx(0.1, abs=0.04)


def test_biased_references_are_found_where_they_are_biased(rng):
    """Low by a tenth, a standard deviation or less each, at high rates only."""
    found = agreement(simulated(rng, 256, factor=lambda rate: 0.9 if rate >= 0.1 else 1.0)).set_index("bler")
    assert found.loc["0.1 and more", "sigma"] < -5
    assert (found["p_mean"].iloc[1:] > 0.01).all()
    lines = sentences(found.reset_index())
    assert lines[0].startswith("BLER 0.1 and more: 64 points, mean z -")
    assert "low together by" in lines[0]
    assert all(" sigma together, p = " in line for line in lines[1:])


def test_scatter_that_counts_do_not_explain_is_found(rng):
    noise = iter(rng.normal(0, 0.3, 256))
    found = agreement(simulated(rng, 256, factor=lambda rate: math.exp(next(noise))))
    assert (found["p_scatter"] < 1e-3).all()


def test_z_against_its_formula():
    theirs, ours = (
        log_rate(100, 1000, until_errors=False),
        log_rate(400, 5000, until_errors=False),
    )
    v, w = 0.9 / 100, 0.92 / 400
    expected = (math.log(0.1 / 0.08) + (v - w) / 2) / math.sqrt(v + w)
    assert z_score(theirs, ours) == pytest.approx(expected, rel=1e-12)
    assert log_rate(100, 1000, until_errors=True)[0] == pytest.approx(math.log(99 / 999) + v / 2, rel=1e-12)
    assert log_rate(1, 1000, until_errors=False) is None
    assert math.isnan(z_score(None, ours))
    assert math.isnan(z_score(log_rate(9, 9, until_errors=False), log_rate(9, 9, until_errors=False)))
    found = agreement(
        pd.DataFrame(
            [
                {
                    "code": "a",
                    "ebn0_db": e,
                    "metric": "bler",
                    "published": 1.0,
                    "source": "",
                    "where": "",
                    "ours": 0.5,
                    "z": z,
                }
                for e, z in ((1.0, -2.0), (2.0, -3.0), (2.0, -2.9), (3.0, math.nan))
            ]
        )
    )  # two curves at 2 dB: the first counts
    (row,) = found.to_dict("records")
    assert (row["points"], row["mean_z"], row["chi_square"]) == (2, -2.5, 13.0)
    assert row["p_mean"] == pytest.approx(2 * norm.cdf(-5 / math.sqrt(2)))
    assert row["p_scatter"] == pytest.approx(chi2.sf(13, 2))


def point(errors, decoder="ML", source="a"):
    return Reference("c", decoder, 1.0, "bler", 0.1, 0.01, errors, 1000, source, "", "seen")


def test_where_a_source_stopped_is_seen_in_its_points():
    points = [point(100), point(100), point(44), point(50, source="b"), point(None), point(7, "OSD")]
    assert stopped_at(points) == {("a", "ML"): 100}


def test_no_published_points_no_lines():
    study = fecnn.load_study("optimal-polar-16-8")
    results = table(study, study.path.parent / "results.csv")
    assert published_summary(study, results) == []
    assert agreement(judge(study, results)).empty


def test_the_database_is_low_together_at_high_rates_and_nowhere_else():
    study = fecnn.load_study("rptu-bch")
    results = table(study, study.path.parent / "results.csv")
    found = agreement(judge(study, results)).set_index("bler")
    assert list(found["points"]) == [32, 23, 14, 25]
    assert found.loc["0.1 and more", "sigma"] < -5
    assert (found["p_mean"].iloc[1:] > 0.1).all()
    assert (found["p_scatter"].iloc[1:] > 0.1).all()
    readme = (Path(__file__).parents[2] / "studies/rptu-bch/README.md").read_text()
    assert all(f"\n- {line}\n" in readme for line in sentences(found.reset_index()))
