"""Bounds from light words, checked by codebooks, exact results, slow twins and counts."""

import csv
import itertools
import math
from functools import cache
from pathlib import Path

import numpy as np
import oracles
import pytest
from scipy.optimize import linprog
from scipy.special import ndtr
from scipy.stats import norm

import fecnn
from fecnn.channels.channel import noise_sigma
from fecnn.codes import low_weight
from fecnn.codes.code import Code
from fecnn.codes.low_weight import light_words
from fecnn.theory import light_words as light
from fecnn.theory import ml_bler as rare
from fecnn.theory.bounds import kat_bound, log_both, union_bound
from fecnn.theory.light_words import kat_of_words, most_union
from fecnn.theory.ml_bler import Estimate, ml_bler

FOUR = ("polar-ecct-128-64", "ldpc-121-70", "ldpc-121-80", "ccsds-128-64")


def anonymous(code):
    """The code, of which nothing is stated or remembered."""
    return Code(code.G, code.H)


def random_code(n, k, seed):
    rng = np.random.default_rng(seed)
    return Code.from_generator(np.hstack([np.eye(k, dtype=int), rng.integers(0, 2, (k, n - k))]))


CODES = {
    "cyclic": lambda: fecnn.load_code("bch-31-16"),
    "flips": lambda: fecnn.load_code("polar-16-8"),
    "random, rate 1/2": lambda: random_code(24, 12, 1),
    "random, rate 1/3": lambda: random_code(27, 9, 2),
    "random, rate 3/4": lambda: random_code(16, 12, 3),
    "uncoded": lambda: fecnn.uncoded(6),
    "repetition": lambda: fecnn.repetition(5),
}


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("name", "rows"),
    [(name, rows) for rows in (1, 2, 3, None) for name in CODES if rows is None or name != "cyclic"],
)
def test_all_words_are_found_up_to_the_weight_that_is_proved(name, rows):
    code = anonymous(CODES[name]())
    k = code.k
    sums = 2**k if rows is None else 3 * sum(math.comb(k, i) for i in range(1, min(rows, k) + 1))
    found = light_words(code, max(sums, k))
    words = code.codebook()[1:]
    assert not code.syndrome(found.words).any()
    assert len(np.unique(found.words, axis=0)) == len(found.words)
    weights = found.words.sum(axis=1)
    assert (np.diff(weights.astype(int)) >= 0).all()
    all_weights = words.sum(axis=1)
    for weight in range(1, found.complete + 1):
        assert (weights == weight).sum() == (all_weights == weight).sum()
    if rows is None:
        assert found.complete == code.n
        assert len(found.words) == len(words)


def test_few_sums_prove_what_they_should():
    """Golay: cyclic (23) by one generator, extended (24) by two; distance 7 and 8."""
    three = sum(math.comb(12, i) for i in (1, 2, 3))
    plain = light_words(anonymous(fecnn.golay(extended=False)), three)
    assert plain.complete == 7
    assert len(plain.words) >= 253
    extended = light_words(anonymous(fecnn.golay()), 2 * three)
    assert extended.complete == 7
    assert extended.words[0].sum() == 8


def test_where_there_is_no_room_the_lightest_words_are_kept(monkeypatch):
    code = fecnn.load_code("bch-31-16")
    spectrum = code.weight_spectrum()
    for room in (1000, 500, 100):
        monkeypatch.setattr(low_weight, "MAX_LIGHT", room)
        found = light_words(anonymous(code))
        weights = np.bincount(found.words.sum(axis=1), minlength=32)
        assert len(found.words) <= room
        for weight in range(1, found.complete + 1):
            assert weights[weight] == spectrum[weight]
        assert found.complete >= {1000: 8, 500: 7, 100: 6}[room]
    assert not anonymous(code).syndrome(found.words).any()


def test_a_false_minimum_distance_is_refused():
    G = random_code(48, 24, 1).G
    with pytest.raises(ValueError, match=r"stated as 20, but it has a word of weight [2-9]; leave it out"):
        light_words(Code(G, Code.from_generator(G).H, name="false", minimum_distance=20), 10**6)
    with pytest.raises(ValueError, match="sums must be at least k = 24"):
        light_words(Code.from_generator(G), 23)


# The lower bound


@pytest.mark.kernel
@pytest.mark.parametrize("name", ["hamming-7-4", "polar-16-8", "ext-hamming-8-4"])
@pytest.mark.parametrize("ebn0_db", [2.0, 6.0])
def test_the_lower_bound_is_that_of_its_slow_twin(name, ebn0_db):
    code = fecnn.load_code(name)
    words = light_words(code).words
    sigma = noise_sigma(ebn0_db, code.rate)
    weights = words.sum(axis=1).astype(float)
    common = words.astype(float) @ words.T
    alone = norm.sf(np.sqrt(weights) / sigma)
    both_of = cache(lambda *kind: oracles._both(*kind, sigma))
    both = np.diag(alone)
    for i, j in itertools.permutations(range(len(words)), 2):
        both[i, j] = both_of(weights[i], weights[j], common[i, j])
    ends = [int((weights <= weight).sum()) for weight in np.unique(weights)]
    slow = max(oracles.kuai_alajaji_takahara(alone[:end], both[:end, :end]) for end in ends)
    assert slow * (1 - 2e-4) <= kat_of_words(code, words, ebn0_db) <= slow


def test_no_overlap_of_two_words_is_underestimated():
    """The integral misses its tail; the margin must cover it for all words and Eb/N0."""
    for sigma in (1.0, 0.5, 0.35, 0.25):
        for one, other, common in [
            (8, 8, 4),
            (10, 12, 6),
            (12, 14, 10),
            (3, 4, 3),
            (22, 24, 14),
            (16, 16, 15),
        ]:
            distance = np.sqrt([one, other]) / sigma
            correlation = np.full((2, 2), common / math.sqrt(one * other))
            found = np.exp(log_both(distance, correlation))
            truth = oracles._both(one, other, common, sigma)
            best = max(found[0, 1], found[1, 0])
            assert best <= truth * (1 + 1e-8)
            assert best * math.exp(light.PAIR_MARGIN) >= truth


@pytest.mark.parametrize("name", ["bch-31-16", "golay-24-12"])
def test_pairs_of_words_bound_more_tightly_than_the_spectrum_alone(name):
    code = fecnn.load_code(name)
    for ebn0_db in (3.0, 6.0, 9.0):
        assert kat_of_words(code, light_words(code).words, ebn0_db) >= kat_bound(code, ebn0_db) * (1 - 1e-4)


def test_automorphisms_only_save_time(monkeypatch):
    code = fecnn.load_code("bch-31-16")
    words = light_words(code).words[:-1]  # all but the word of ones, which is an orbit of its own
    compared, chosen, sizes = light._orbits(code, words)
    assert len(chosen) * 31 == sizes.sum() == len(compared) == len(words)
    fast = [kat_of_words(code, words, ebn0_db) for ebn0_db in (3.0, 6.0)]
    part = words[np.random.default_rng(1).random(len(words)) < 0.9]  # not all images of each other
    assert len(light._orbits(code, part)[1]) == min(len(part), light.MAX_PAIRED)
    monkeypatch.setattr(light, "translations", lambda code: [])
    monkeypatch.setattr(light, "MAX_PAIRED", 1 << 16)
    for ebn0_db, bound in zip((3.0, 6.0), fast, strict=True):
        assert kat_of_words(code, words, ebn0_db) == pytest.approx(bound, rel=1e-12)


# The upper bound


def little_known(monkeypatch, sums):
    """Of a code and its dual only what so many sums prove."""
    monkeypatch.setattr(light, "light_words", lambda code: light_words(code, max(sums, code.k)))


def worst_by_linprog(code, ebn0_db, own, dual):
    """The same linear program in double precision, for small codes, without what divisibility excludes."""
    n, k = code.n, code.k
    alone = ndtr(-np.sqrt(np.arange(n + 1)) / noise_sigma(ebn0_db, code.rate))

    def krawtchouk(j, w):
        return sum((-1) ** i * math.comb(w, i) * math.comb(n - w, j - i) for i in range(j + 1))

    polynomials = np.array([[krawtchouk(j, w) for w in range(n + 1)] for j in range(n + 1)])
    limits, counts = [(1, 1)], np.bincount(own.words.sum(axis=1), minlength=n + 1)
    for w in range(1, n + 1):
        limits.append((counts[w], counts[w] if w <= own.complete else None))
    least = np.bincount(dual.words.sum(axis=1), minlength=n + 1)
    least[0] = 1
    exact = np.arange(n + 1) <= dual.complete
    table = polynomials / 2.0**k
    found = linprog(
        -alone[1:] * 1e3, table[~exact][:, 1:] * -1, table[~exact][:, 0] - least[~exact],
        table[exact][:, 1:], least[exact] - table[exact][:, 0], limits[1:], method="highs",
    )  # fmt: skip
    assert found.status == 0
    return -found.fun / 1e3


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("rows", [1, 2])
def test_the_upper_bound_is_the_worst_spectrum_that_fits(monkeypatch, rows, seed):
    code = random_code(16, 8, seed)
    sums = 2 * sum(math.comb(8, i) for i in range(1, rows + 1))
    little_known(monkeypatch, sums)
    own, dual = light_words(code, sums), light_words(code.dual, sums)
    assert own.complete < 8
    expected = worst_by_linprog(code, 3.0, own, dual)
    if light._divisor(code) == light._divisor(code.dual) == 1 and not code.syndrome(np.ones(16, int)).any():
        pytest.skip("the all-ones word says more")
    assert most_union(code, 3.0) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("sums", [100, 3000, 10**6, 10**8])
@pytest.mark.parametrize("name", ["bch-31-16", "golay-24-12", "polar-64-32", "ebch-64-36", "rm-32-16"])
def test_the_upper_bound_is_above_the_union_bound_whatever_is_known(monkeypatch, name, sums):
    code = fecnn.load_code(name)
    little_known(monkeypatch, sums)
    last = 1.0
    for ebn0_db in (4.0, 6.0, 9.0):
        bound = most_union(anonymous(code), ebn0_db)
        assert union_bound(code, ebn0_db) * (1 - 1e-9) <= bound <= last
        last = bound


def test_the_more_is_known_the_tighter_it_is(monkeypatch):
    code, bounds = fecnn.load_code("bch-63-45"), []
    for sums in (100, 10**4, 10**6, 10**8):
        little_known(monkeypatch, sums)
        bounds.append(most_union(anonymous(code), 6.0))
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[0] > 10 * bounds[-1]
    assert bounds[-1] == pytest.approx(union_bound(code, 6.0), rel=0.2)


def test_an_early_end_only_loosens_it(monkeypatch):
    code = fecnn.load_code("bch-63-45")
    little_known(monkeypatch, 10**5)
    best = most_union(anonymous(code), 6.0)
    for pivots in (0, 5, 20):
        monkeypatch.setattr(light, "MAX_PIVOTS", pivots)
        assert most_union(anonymous(code), 6.0) >= best


def test_long_codes_have_no_upper_bound():
    assert most_union(fecnn.repetition(300), 6.0) == 1.0


# The estimate


@pytest.mark.parametrize("name", ["ext-hamming-8-4", "golay-24-12", "bch-31-21", "bch-63-45", "polar-32-16"])
def test_where_the_truth_is_known_it_is_between_the_ends(name):
    code = fecnn.load_code(name)
    for ebn0_db, near in ((4.0, 1.7), (6.0, 1.1), (8.0, 1.02)):
        truth = ml_bler(code, ebn0_db, 0.05)
        found = ml_bler(code, ebn0_db, method="light words")
        assert found.method == "light words"
        assert found.low <= truth.high
        assert found.high >= truth.low
        assert truth.value / near < found.value < truth.value * near
    assert found.low > 0.96 * truth.value
    assert found.high < 1.02 * truth.value


def counted(code, ebn0_db):
    path = Path(fecnn.load_study("published-nets-table").path).parent / "results.csv"
    with path.open() as file:
        for row in csv.DictReader(file):
            if (row["curve"], float(row["ebn0_db"])) == (f"ml of {code}", ebn0_db):
                return float(row["bler_low"]), float(row["bler_high"])
    raise LookupError(code)


SIX_DB = {
    "polar-ecct-128-64": (4.0e-7, 0.99, 1.04),
    "ldpc-121-70": (4.85e-9, 0.99, 1.2),
    "ldpc-121-80": (1.41e-9, 0.99, 1.04),
}
"""Estimates, and how far the ends may be."""


@pytest.mark.slow
@pytest.mark.parametrize("name", [*FOUR, "polar-ecct-128-86"])
def test_of_codes_whose_spectrum_is_not_known(name):
    code = fecnn.load_code(name)
    for ebn0_db in (4.0, 5.0):
        found, (low, high) = ml_bler(code, ebn0_db), counted(name, ebn0_db)
        assert found.method == "light words"
        assert found.low <= high
        assert found.high >= low
    found = ml_bler(code, 6.0)
    assert 0 < found.low <= found.value <= found.high
    if name in SIX_DB:
        value, low, high = SIX_DB[name]
        assert found.value == pytest.approx(value, rel=5e-3)
        assert low * value < found.low
        assert found.high < high * value


def test_it_says_what_is_proved(monkeypatch):
    code = fecnn.load_code("polar-128-64")
    monkeypatch.setattr(rare, "light_words", lambda code: light_words(code, 10**6))
    little_known(monkeypatch, 10**6)
    found = ml_bler(code, 6.0)
    assert found == ml_bler(code, 6.0, method="light words", seed=2)
    assert (found.method, found.certain) == ("light words", True)
    assert str(found).endswith(f"by light words, {found.frames:,} words")
    assert "BLER of exact ML [bounds]" in found._repr_html_()
    found = ml_bler(anonymous(fecnn.load_code("bch-127-64")), 6.0)
    assert found.method == "light words (not proved all)"
    assert "by light words (not proved all), " in str(found)
    assert found.low <= found.value <= found.high
    assert not Estimate(1e-3, 9e-4, 1.1e-3, "union", 100, 10.0).certain


def test_errors_are_counted_where_that_is_fast(monkeypatch):
    code = fecnn.load_code("polar-128-86")
    monkeypatch.setattr(rare, "light_words", lambda code: light_words(code, 10**6))
    little_known(monkeypatch, 10**6)
    found = ml_bler(code, 3.5, 0.3)
    assert found.method == "monte-carlo"
    bounds = ml_bler(code, 3.5, method="light words")
    assert bounds.low <= found.high
    assert bounds.high >= found.low

    def hopeless(*_):
        raise ValueError("a search exhausted its budget")

    monkeypatch.setattr(rare, "_monte_carlo", hopeless)
    assert ml_bler(code, 3.5, 0.3) == bounds


def test_too_small_to_compute():
    with pytest.raises(ValueError, match="BLER of hamming-7-4 at 30 dB is below 1e-300"):
        ml_bler(fecnn.hamming(3), 30.0, method="light words")
