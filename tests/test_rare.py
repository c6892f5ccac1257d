"""Rare errors of exact ML: three estimators against each other, closed forms, bounds and simulation."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import norm

import fecnn
from fecnn import rare
from fecnn.bounds import kat_bound, tangential_sphere_bound
from fecnn.channel import noise_sigma
from fecnn.rare import Estimate, ml_bler

METHODS = ("monte-carlo", "rays", "union")


def agree(one, other):
    """Estimates whose difference is no more than chance allows: three standard deviations."""
    spread = math.hypot(one.high - one.low, other.high - other.low) / 2 / 1.96
    return abs(one.value - other.value) < 3 * spread


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("n", "ebn0_db"), [(1, 3.0), (5, 4.0)])
def test_of_two_words(method, n, ebn0_db):
    code = fecnn.repetition(n) if n > 1 else fecnn.uncoded(1)
    found = ml_bler(code, ebn0_db, 0.05, method=method)
    assert isinstance(found, Estimate)
    exact = norm.sf(math.sqrt(2 * 10 ** (ebn0_db / 10)))
    assert found.low <= exact * (1 + 1e-9)
    assert exact * (1 - 1e-9) <= found.high
    assert found.high - found.low <= 0.1 * found.value * (1 + 1e-9)


@pytest.mark.parametrize(
    ("name", "ebn0_db"), [("hamming-7-4", 6.0), ("golay-24-12", 4.0), ("polar-16-8", 5.0), ("bch-31-21", 5.0)]
)
def test_methods_agree_where_they_overlap(name, ebn0_db):
    code = fecnn.load_code(name)
    found = [ml_bler(code, ebn0_db, 0.05, method=method) for method in METHODS]
    for one, other in itertools.combinations(found, 2):
        assert agree(one, other), (one, other)
    for one in found:
        assert kat_bound(code, ebn0_db) < one.high
        assert one.low < tangential_sphere_bound(code, ebn0_db)


def test_bch_31_21_at_5_and_6_db():
    code = fecnn.load_code("bch-31-21")
    for ebn0_db in (5.0, 6.0):
        rays, union = (ml_bler(code, ebn0_db, 0.02, method=method) for method in ("rays", "union"))
        assert agree(rays, union)


@pytest.fixture
def light_words_only(monkeypatch):
    """Lists the words of least weight of Golay (24,12), 759 of 4095, and leaves the others to rays."""
    monkeypatch.setattr(rare, "MAX_WORDS", 800)


@pytest.mark.parametrize("ebn0_db", [2.0, 3.0])
def test_heavy_words_are_found_by_rays(light_words_only, ebn0_db):
    code = fecnn.load_code("golay-24-12")
    found = ml_bler(code, ebn0_db, 0.02, method="union")
    assert found.method == "union and rays"
    assert agree(found, ml_bler(code, ebn0_db, 0.02, method="rays"))
    assert found.high - found.low <= 0.04 * found.value


def test_errors_are_those_of_listed_words_and_of_rays(light_words_only):
    """Neither part can be left out: together they are what all words listed give."""
    code, ebn0_db = fecnn.load_code("golay-24-12"), 2.0
    listed = rare._Listed(code, ebn0_db, 0.01, 1)
    listed.draw(0.005, rare._exact(code))
    rays = rare._Rays(code, ebn0_db, 0.01, [1, 1], listed.heaviest)
    for _ in range(20):
        rays.cast()
    assert listed.heaviest == 8
    assert rays.mean > 5 * rays.spread
    whole = ml_bler(code, ebn0_db, 0.005, method="monte-carlo")
    spread = math.hypot(listed.spread, rays.spread, (whole.high - whole.low) / 2) / 1.96
    assert abs(listed.mean + rays.mean - whole.value) < 3 * spread


def test_one_in_a_hundred_where_neither_way_alone_reaches_it():
    """The light words of BCH (63,45) are not enough here, and rays would take minutes."""
    code = fecnn.load_code("bch-63-45")
    found = ml_bler(code, 5.0)
    assert found.method == "union and rays"
    assert found.high - found.low <= 0.02 * found.value
    assert agree(found, ml_bler(code, 5.0, 0.05, method="rays"))


@pytest.mark.parametrize("name", ["hamming-7-4", "bch-31-21", "bch-63-45", "bch-63-51"])
def test_down_to_one_in_ten_thousand_million(name):
    code = fecnn.load_code(name)
    last = 1.0
    for ebn0_db in (2.0, 4.0, 7.0, 9.0, 11.5):
        found = ml_bler(code, ebn0_db, 0.05)
        assert kat_bound(code, ebn0_db) <= found.high
        assert found.low <= tangential_sphere_bound(code, ebn0_db)
        assert 0 < found.low < found.value < found.high < last
        assert found.high - found.low <= 0.1 * found.value * (1 + 1e-9)
        last = found.low
    assert last < 1e-10


def test_rays_end_where_a_slow_search_along_them_does():
    """Along each direction, the shortest length at which some word of the codebook is nearer."""
    code = fecnn.load_code("hamming-7-4")
    sigma = noise_sigma(4.0, code.rate)
    rng = np.random.default_rng([1, 1])
    direction = rng.standard_normal((1 << 14, code.n))
    direction /= np.sqrt((direction**2).sum(axis=1, keepdims=True))
    words = code.codebook()[1:].astype(float)
    against = -direction @ words.T
    reach = np.where(against > 0, words.sum(axis=1) / np.maximum(against, 1e-300), np.inf).min(axis=1)
    from scipy.special import chdtrc

    expected = chdtrc(code.n, (reach / sigma) ** 2).mean()
    found = ml_bler(code, 4.0, 0.2, method="rays")
    assert found.frames == 1 << 14
    assert found.value == pytest.approx(expected, rel=1e-4)


def test_intervals_of_both_together_cover(monkeypatch):
    code, ebn0_db = fecnn.load_code("hamming-7-4"), 3.0
    truth = ml_bler(code, ebn0_db, 0.005, method="rays", seed=99)
    monkeypatch.setattr(rare, "MAX_WORDS", 7)  # those of weight 3
    covered = 0
    for seed in range(60):
        found = ml_bler(code, ebn0_db, 0.1, method="union", seed=seed)
        assert found.method == "union and rays"
        covered += found.low <= truth.value <= found.high
    assert covered >= 52


@pytest.mark.parametrize("method", METHODS)
def test_intervals_cover(method):
    code, ebn0_db = fecnn.load_code("hamming-7-4"), 4.0
    truth = ml_bler(code, ebn0_db, 0.002, method="union", seed=99)
    covered = 0
    for seed in range(60):
        found = ml_bler(code, ebn0_db, 0.1, method=method, seed=seed)
        covered += found.low <= truth.value <= found.high
    assert covered >= 52


def test_equal_seeds_give_equal_estimates():
    code = fecnn.load_code("hamming-7-4")
    for method in METHODS:
        assert ml_bler(code, 5.0, 0.1, method=method) == ml_bler(code, 5.0, 0.1, method=method)
        assert ml_bler(code, 5.0, 0.1, method=method) != ml_bler(code, 5.0, 0.1, method=method, seed=2)


def test_what_cannot_be_reached_is_refused(monkeypatch):
    code = fecnn.load_code("bch-63-45")
    with monkeypatch.context() as few:
        few.setattr(rare, "MOST_RAYS", 1 << 15)
        with pytest.raises(ValueError, match=r"union: after .* worth"):
            ml_bler(code, 6.0, 0.01, method="union")
    with pytest.raises(ValueError, match=r"rays: after .* worth"):
        ml_bler(code, 8.0, 0.01, method="rays")
    with pytest.raises(ValueError, match=r"monte-carlo: after .* worth"):
        ml_bler(fecnn.hamming(3), 12.0, 0.01, method="monte-carlo")
    with pytest.raises(ValueError, match="weight spectrum of polar-128-64"):
        ml_bler(fecnn.load_code("polar-128-64"), 4.0)
    with pytest.raises(ValueError, match=r"rel_error must be in \(0, 0.5\], got 0"):
        ml_bler(code, 4.0, 0)
    with pytest.raises(ValueError, match="method must be auto"):
        ml_bler(code, 4.0, method="guess")
