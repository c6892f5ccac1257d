"""Rare errors of exact ML: three estimators against each other, closed forms, bounds and simulation."""

import itertools
import math

import numpy as np
import oracles
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

import fecnn
from fecnn.channels.channel import noise_sigma
from fecnn.theory import ml_bler as rare
from fecnn.theory.bounds import kat_bound, tangential_sphere_bound, union_bound
from fecnn.theory.ml_bler import Estimate, ml_bler

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


def test_bch_31_21_at_6_db():
    code = fecnn.load_code("bch-31-21")
    rays, union = (ml_bler(code, 6.0, 0.04, method=method) for method in ("rays", "union"))
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
    spread = math.hypot(listed.high - listed.low, 2 * rays.spread, whole.high - whole.low) / 2 / 1.96
    assert abs(listed.mean + rays.mean - whole.value) < 3 * spread


def test_one_in_a_hundred_where_neither_way_alone_reaches_it():
    """The light words of BCH (63,45) are not enough here, and rays would take minutes."""
    code = fecnn.load_code("bch-63-45")
    found = ml_bler(code, 5.0)
    assert found.method == "union and rays"
    assert found.high - found.low <= 0.02 * found.value
    assert agree(found, ml_bler(code, 5.0, 0.08, method="rays"))


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


@pytest.mark.parametrize("seed", [-1, 1.0, True, "1"])
def test_a_seed_that_is_none_is_refused(seed):
    with pytest.raises(ValueError, match=r"seed must be a whole number, 0 or more, got"):
        ml_bler(fecnn.hamming(3), 5.0, 0.1, seed=seed)


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
        ml_bler(fecnn.load_code("polar-128-64"), 4.0, method="union")
    with pytest.raises(ValueError, match=r"rel_error must be in \(0, 0.5\], got 0"):
        ml_bler(code, 4.0, 0)
    for method in ("auto", "union", "rays"):
        with pytest.raises(ValueError, match=r"BLER of hamming-7-4 at 30 dB is below 1e-300"):
            ml_bler(fecnn.hamming(3), 30.0, method=method)
    with pytest.raises(ValueError, match="method must be auto"):
        ml_bler(code, 4.0, method="guess")


def covered(code, ebn0_db, truth, rel_error, method="union"):
    """By how many intervals of 40 seeds."""
    found = [ml_bler(code, ebn0_db, rel_error, method=method, seed=seed) for seed in range(40)]
    for one in found:
        assert one.low < one.value < one.high
        assert one.high - one.low <= 2.02 * rel_error * one.value
        assert math.isfinite(one.effective)
    return sum(one.low <= truth <= one.high for one in found)


@pytest.mark.parametrize(
    ("code", "ebn0_db", "truth"),
    [
        (fecnn.hamming(3, extended=True), 12.0, oracles.bler_of_biorthogonal),
        (fecnn.reed_muller(1, 4), 9.0, oracles.bler_of_biorthogonal),
        (fecnn.single_parity_check(16), 11.24, oracles.bler_of_parity_check),
        (fecnn.load_code("polar-16-8"), 11.46, oracles.bler_by_overlaps),
        (fecnn.hamming(3), 12.0, oracles.bler_by_overlaps),
        (fecnn.repetition(5), 14.66, lambda n, sigma: norm.sf(math.sqrt(n) / sigma)),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_intervals_cover_where_two_words_hardly_ever_win_at_once(code, ebn0_db, truth):
    of = code if truth is oracles.bler_by_overlaps else code.n
    assert covered(code, ebn0_db, truth(of, noise_sigma(ebn0_db, code.rate)), 0.05) >= 34


def test_estimates_lie_between_bounds():
    code = fecnn.golay(extended=False)
    for ebn0_db in (9.0, 10.0, 11.0):
        found = ml_bler(code, ebn0_db, 0.05)
        least, most = kat_bound(code, ebn0_db), tangential_sphere_bound(code, ebn0_db)
        assert least * (1 - 1e-8) <= found.low < found.value < found.high <= most * (1 + 1e-8)


def test_interval_of_rare_values():
    """No value seen: the mean is below 3.69 / count (Poisson); many: the normal interval."""
    none, one, many = rare._Sample(), rare._Sample(), rare._Sample()
    none.add(np.zeros(1000))
    one.add(np.append(np.zeros(999), 1.0))
    assert none.interval(1.0) == (0.0, pytest.approx(3.689e-3, rel=1e-3))
    assert one.interval(1.0) == pytest.approx((0.0253e-3, 5.572e-3), rel=1e-2)  # Garwood's of one event
    values = np.random.default_rng(1).choice([0.0, 0.5, 2 / 3], 100_000, p=[0.7, 0.2, 0.1])
    many.add(values)
    low, high = many.interval(1.0)
    assert (low + high) / 2 == pytest.approx(values.mean(), rel=1e-3)
    assert high - low == pytest.approx(2 * many.spread, rel=1e-2)
    most = rare._Sample()
    most.add(1 - values)
    assert most.interval(1.0) == pytest.approx((1 - high, 1 - low), rel=1e-12)


GRID = {
    "rm-1-3": (fecnn.reed_muller(1, 3), oracles.bler_of_biorthogonal),
    "rm-1-4": (fecnn.reed_muller(1, 4), oracles.bler_of_biorthogonal),
    "spc-4": (fecnn.single_parity_check(4), oracles.bler_of_parity_check),
    "spc-16": (fecnn.single_parity_check(16), oracles.bler_of_parity_check),
    "repetition-5": (fecnn.repetition(5), lambda n, sigma: norm.sf(math.sqrt(n) / sigma)),
    "uncoded-6": (fecnn.uncoded(6), lambda n, sigma: -math.expm1(n * math.log1p(-norm.sf(1 / sigma)))),
    "hamming-7-4": (fecnn.hamming(3), None),
    "polar-16-8": (fecnn.load_code("polar-16-8"), None),
    "golay-24-12": (fecnn.golay(), None),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", GRID)
def test_intervals_cover_from_one_in_a_thousand_to_1e_14(name):
    code, closed = GRID[name]
    rel_error, all_covered, count = 0.05, 0, 0
    for exponent in (3, 4, 5, 6, 8, 10, 12, 14) if code.k < 12 else (8, 14):
        ebn0_db = brentq(lambda x, e=exponent: math.log10(union_bound(code, x)) + e, 2.0, 16.0)
        sigma = noise_sigma(ebn0_db, code.rate)
        truth = closed(code.n, sigma) if closed else oracles.bler_by_overlaps(code, sigma)
        # Rays are for 1e-2 to 1e-6.
        for method in ("union", "rays", "auto") if exponent <= 5 and code.k < 12 else ("auto",):
            found = covered(code, ebn0_db, truth, rel_error, method)
            assert found >= 33, (name, exponent, method)
            all_covered, count = all_covered + found, count + 40
    assert all_covered >= 0.94 * count


@pytest.mark.slow
def test_intervals_of_both_together_cover_at_low_rates(monkeypatch):
    monkeypatch.setattr(rare, "MAX_WORDS", 7)  # those of weight 3
    code = fecnn.hamming(3)
    for ebn0_db in (4.0, 6.0):
        truth = oracles.bler_by_overlaps(code, noise_sigma(ebn0_db, code.rate), 1 << 22)
        assert covered(code, ebn0_db, truth, 0.01) >= 34
