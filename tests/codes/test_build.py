import subprocess
import sys
from functools import cache
from itertools import pairwise
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

import fecnn
from fecnn.codes import gf2
from fecnn.codes.code import macwilliams
from fecnn.codes.families import (
    array_ldpc,
    bch,
    golay,
    hamming,
    ldpc_qc,
    random_code,
    reed_muller,
    repetition,
    single_parity_check,
    uncoded,
)
from fecnn.codes.polar import best_channels, erasure_scores, gaussian_means, polar

bch = cache(bch)  # galois takes seconds for each new field


def same_code(one, other):
    return np.array_equal(gf2.rref(one.G)[0], gf2.rref(other.G)[0])


def distance(code):
    return next(weight for weight, count in enumerate(code.weight_spectrum()) if weight and count)


def has_identity(code, positions):
    return np.array_equal(code.G[:, positions], np.eye(code.k, dtype=np.uint8))


def test_importing_the_builders_does_not_import_galois():
    program = "import sys, fecnn.codes.families; print('galois' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("r", [2, 3, 4, 5, 6, 8])
def test_hamming_codes_are_perfect(r):
    code = hamming(r)
    assert (code.n, code.k, code.minimum_distance) == (2**r - 1, 2**r - 1 - r, 3)
    assert has_identity(code, range(code.k))
    columns = {column.tobytes() for column in code.H.T}
    assert len(columns) == code.n  # distinct ...
    assert bytes(r) not in columns  # ... and nonzero, so every single error has its own syndrome
    assert code.weight_spectrum()[:4] == (1, 0, 0, code.n * (code.n - 1) // 6)


@pytest.mark.parametrize("r", [2, 3, 4, 5])
def test_extended_hamming_codes(r):
    code, plain = hamming(r, extended=True), hamming(r)
    assert (code.n, code.k, code.name) == (2**r, plain.k, f"ext-hamming-{2**r}-{plain.k}")
    assert code.minimum_distance == distance(code) == 4
    assert np.array_equal(code.G[:, :-1], plain.G)
    assert sum(code.weight_spectrum()[1::2]) == 0


# Lin & Costello, Error Control Coding, 2nd ed., appendix C, and the counts of each designed distance.
@pytest.mark.parametrize(
    ("n", "k", "d"),
    [
        (7, 4, 3),
        (15, 11, 3),
        (15, 7, 5),
        (15, 5, 7),
        pytest.param(31, 21, 5, marks=pytest.mark.slow),
        pytest.param(31, 11, 11, marks=pytest.mark.slow),
    ],
)
def test_bch_codes_have_their_known_distances(n, k, d):
    code = bch(n, k)
    assert (code.n, code.k, code.name) == (n, k, f"bch-{n}-{k}")
    assert code.minimum_distance == distance(code) == d
    assert has_identity(code, range(k))
    shifted = np.roll(code.G, 1, axis=1)
    assert not code.syndrome(shifted).any()  # cyclic


def test_bch_15_7_has_its_published_spectrum():
    assert bch(15, 7).weight_spectrum() == (1, 0, 0, 0, 0, 18, 30, 15, 15, 30, 18, 0, 0, 0, 0, 1)


def test_extended_bch_appends_the_overall_parity():
    code, plain = bch(15, 7, extended=True), bch(15, 7)
    assert (code.name, code.minimum_distance) == ("ebch-16-7", 6)
    assert np.array_equal(code.G[:, :-1], plain.G)
    assert not (code.G.sum(axis=1) % 2).any()


@pytest.mark.slow
def test_bch_claims_no_distance_that_it_did_not_count():
    assert bch(63, 45).minimum_distance is None


@pytest.mark.parametrize(
    ("n", "k", "words"),
    [
        (15, 8, "no BCH code of length 15 has k = 8; the nearest possible: 7 and 11"),
        (15, 15, "has k = 15; the nearest possible: 7 and 11"),
        (31, 0, "has k = 0; the nearest possible: 1 and 6"),
        (63, 40, "has k = 40; the nearest possible: 39 and 36|has k = 40; the nearest possible: 36 and 39"),
        (127, 60, "has k = 60; the nearest possible: 57 and 64"),
        (16, 7, "no BCH code of length 16 has k = 7; the nearest possible: 6 and 11"),
        (60, 8, "has k = 8; the nearest possible: 4 and 7"),
        (1, 1, r"n must be in 3..16383, got 1"),
    ],
)
def test_impossible_bch_codes_are_refused_with_the_nearest(n, k, words):
    with pytest.raises(ValueError, match=words):
        bch(n, k)


def test_golay_codes_have_their_published_spectra():
    extended = {0: 1, 8: 759, 12: 2576, 16: 759, 24: 1}
    perfect = {0: 1, 7: 253, 8: 506, 11: 1288, 12: 1288, 15: 506, 16: 253, 23: 1}
    for code, counts in ((golay(), extended), (golay(extended=False), perfect)):
        assert code.weight_spectrum() == tuple(counts.get(weight, 0) for weight in range(code.n + 1))
        assert code.minimum_distance == distance(code)
        assert has_identity(code, range(12))
    assert sum(comb(23, errors) for errors in range(4)) == 2**11  # spheres of radius 3 fill the space
    assert not (golay().G.astype(int) @ golay().G.T % 2).any()  # self-dual


@pytest.mark.parametrize(("p", "rows"), [(3, 2), (5, 3), (7, 4), (7, 6), (11, 4), (11, 5), (11, 6), (13, 3)])
def test_array_codes_are_points_and_lines_of_a_plane(p, rows):
    code = array_ldpc(p, rows)
    k = p * p - p * rows + rows - 1
    assert (code.n, code.k, code.name) == (p * p, k, f"ldpc-{p * p}-{k}")
    assert set(code.H.sum(axis=1)) == {p}
    assert set(code.H.sum(axis=0)) == {rows}
    overlap = code.H.astype(int) @ code.H.T
    assert (overlap[~np.eye(p * rows, dtype=bool)] <= 1).all()  # no cycles of length 4
    assert gf2.rank(code.H) == p * rows - rows + 1
    assert not (code.G.sum(axis=1) % 2).any()
    points = code.G.reshape(k, p, p)
    for axis in (1, 2):  # translations of the plane are automorphisms
        assert not code.syndrome(np.roll(points, 1, axis=axis).reshape(k, p * p)).any()


@pytest.mark.parametrize(
    ("p", "rows", "words"),
    [
        (9, 3, "p must be a prime, got 9"),
        (2, 2, r"p must be in 3..128, got 2"),
        (131, 2, r"p must be in 3..128, got 131"),
        (7, 1, r"rows must be in 2..6, got 1"),
        (7, 7, r"rows must be in 2..6, got 7"),
    ],
)
def test_impossible_array_codes_are_refused(p, rows, words):
    with pytest.raises(ValueError, match=words):
        array_ldpc(p, rows)


@pytest.mark.parametrize("m", [1, 2, 3, 4, 5])
def test_reed_muller_codes(m):
    for r in range(m + 1):
        code = reed_muller(r, m)
        assert (code.n, code.k) == (2**m, sum(comb(m, degree) for degree in range(r + 1)))
        assert code.minimum_distance == distance(code) == 2 ** (m - r)
        if r < m:
            dual = reed_muller(m - r - 1, m)
            assert np.array_equal(gf2.rref(code.H)[0], gf2.rref(dual.G)[0])


def test_reed_muller_codes_are_nested_and_have_classic_members():
    assert not reed_muller(2, 5).syndrome(reed_muller(1, 5).G).any()
    assert same_code(reed_muller(0, 4), repetition(16))
    assert same_code(reed_muller(3, 4), single_parity_check(16))
    assert reed_muller(2, 4).weight_spectrum() == hamming(4, extended=True).weight_spectrum()
    first_order = {0: 1, 16: 62, 32: 1}
    assert reed_muller(1, 5).weight_spectrum() == tuple(first_order.get(weight, 0) for weight in range(33))


@pytest.mark.parametrize(
    ("r", "m", "words"),
    [
        (4, 3, "r must be in 0..3, got 4"),
        (-1, 3, "r must be in 0..3, got -1"),
        (1, 15, "m must be in 1..14, got 15"),
    ],
)
def test_impossible_reed_muller_codes_are_refused(r, m, words):
    with pytest.raises(ValueError, match=words):
        reed_muller(r, m)


@pytest.mark.parametrize("n", [2, 3, 8, 65])
def test_trivial_codes(n):
    assert repetition(n).codebook().tolist() == [[0] * n, [1] * n]
    assert repetition(n).minimum_distance == n
    spc = single_parity_check(n)
    assert spc.H.tolist() == [[1] * n]
    assert spc.minimum_distance == distance(spc) == 2
    assert macwilliams(repetition(n).weight_spectrum(), 1) == spc.weight_spectrum()
    free = uncoded(n)
    assert (free.rate, free.minimum_distance, free.H.shape) == (1.0, 1, (0, n))
    assert [code.name for code in (repetition(n), spc, free)] == [
        f"repetition-{n}",
        f"spc-{n}",
        f"uncoded-{n}",
    ]


@pytest.mark.parametrize(
    ("build", "size", "words"),
    [
        (hamming, 1, r"r must be in 2..14, got 1"),
        (hamming, 15, r"r must be in 2..14, got 15"),
        (repetition, 1, r"n must be in 2..16384, got 1"),
        (single_parity_check, 10**9, r"n must be in 2..16384, got 1000000000"),
        (uncoded, 0, r"k must be in 1..16384, got 0"),
    ],
)
def test_sizes_out_of_range_are_refused(build, size, words):
    with pytest.raises(ValueError, match=words):
        build(size)


def test_a_size_that_is_no_whole_number_is_the_wrong_type():
    with pytest.raises(TypeError, match=r"must be a whole number, got 3\.0"):
        hamming(3.0)
    with pytest.raises(TypeError, match="r must be a whole number, got True"):
        hamming(True)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: fecnn.bch(63, 45, extended="yes"), "extended must be true or false, got 'yes'"),
        (lambda: fecnn.bch(63, 45, polynomial="x"), "polynomial must be a whole number, got 'x'"),
        (lambda: fecnn.random_code(10, 5, seed="a"), "seed must be a whole number, got 'a'"),
        (lambda: fecnn.pac(128, 64, polynomial="0o133"), "polynomial must be a whole number, got '0o133'"),
        (lambda: fecnn.polar(64, 32, crc=6.0), "crc must be a whole number, got 6.0"),
        (lambda: fecnn.polar(64, 32, design_snr_db="a"), "design_snr_db must be a number, got 'a'"),
        (lambda: fecnn.polar(64, 2, information_set=[1.5, 2]), "an index in information_set must be a whole"),
        (lambda: fecnn.hamming(3).extend(name=3), "the name of a code must be a text, got 3"),
    ],
)
def test_arguments_of_the_wrong_kind_are_named(build, words):
    with pytest.raises(TypeError, match=words):
        build()


# --- polar codes


def kernel(m):
    power = np.ones((1, 1), np.uint8)
    for _ in range(m):
        power = np.kron(power, np.array([[1, 0], [1, 1]], np.uint8))
    return power


def test_polar_16_8():
    code = polar(16, 8)
    rows = [7, 9, 10, 11, 12, 13, 14, 15]
    assert np.array_equal(code.G, kernel(4)[rows])
    assert code.fingerprint == polar(16, 8, erasure=0.5).fingerprint
    assert code.fingerprint == polar(16, 8, information_set=rows[::-1]).fingerprint
    counts = {0: 1, 4: 28, 8: 198, 12: 28, 16: 1}
    assert code.weight_spectrum() == tuple(counts.get(weight, 0) for weight in range(17))


@settings(deadline=None)
@given(
    st.integers(1, 5).flatmap(lambda m: st.sets(st.integers(0, 2**m - 1), min_size=1).map(lambda s: (m, s)))
)
def test_any_polar_code_has_the_minimum_row_weight_and_a_systematic_twin(case):
    m, rows = case
    n, k, positions = 2**m, len(rows), sorted(rows)
    code = polar(n, k, information_set=rows)
    assert np.array_equal(code.G, kernel(m)[positions])
    if min(k, n - k) <= 12:
        assert code.minimum_distance == distance(code)
    twin = polar(n, k, information_set=rows, systematic=True)
    assert has_identity(twin, positions)
    assert same_code(code, twin)
    assert np.array_equal(code.H, twin.H)


def test_every_dimension_from_one_to_n_is_a_polar_code():
    previous = set()
    for k in range(1, 33):
        code = polar(32, k, design_snr_db=1.0, systematic=True)
        chosen = set(best_channels(gaussian_means(5, 1.0), k))
        assert code.k == k
        assert previous < chosen
        previous = chosen


def test_ties_go_to_the_larger_index():
    assert best_channels(np.array([1.0, 1.0, 1.0, 0.0]), 2) == [1, 2]


def test_erasure_channels_by_hand():
    z = 1.0 / (1.0 + np.exp(erasure_scores(2, 0.5)))
    assert z == pytest.approx([15 / 16, 9 / 16, 7 / 16, 1 / 16], rel=1e-12)


@pytest.mark.parametrize("erasure", [1e-6, 0.1, 0.5, 0.9])
def test_erasure_channels_keep_the_capacity(erasure):
    z = 1.0 / (1.0 + np.exp(erasure_scores(8, erasure)))
    assert z.mean() == pytest.approx(erasure, rel=1e-9)


def test_erasure_scores_keep_their_digits_at_both_ends():
    # At 1/2 the channel is its own mirror image: score i is minus score n - 1 - i.
    scores = erasure_scores(10, 0.5)
    assert scores == pytest.approx(-scores[::-1], rel=1e-9)
    assert len(np.unique(erasure_scores(7, 0.5))) == 128


def phi(mean):
    """1 - E[tanh(L / 2)] for L ~ N(mean, 2 mean), straight from the definition."""
    spread = np.sqrt(2.0 * mean)

    def integrand(llr):
        return (1.0 - np.tanh(llr / 2.0)) * norm.pdf(llr, mean, spread)

    return quad(integrand, mean - 12 * spread, mean + 12 * spread, points=[0.0], limit=400, epsabs=1e-14)[0]


@pytest.mark.parametrize("design_snr_db", [-20.0, -6.0, 0.0, 3.0, 6.0])
def test_one_polarisation_step_of_the_gaussian_approximation(design_snr_db):
    mean = 4.0 * 10 ** (design_snr_db / 10.0)
    worse, better = gaussian_means(1, design_snr_db)
    assert better == pytest.approx(2.0 * mean)
    assert phi(worse) == pytest.approx(1.0 - (1.0 - phi(mean)) ** 2, rel=1e-5)
    assert 1.0 - phi(worse) == pytest.approx((1.0 - phi(mean)) ** 2, rel=1e-3)


@pytest.mark.parametrize("scores", [lambda m: gaussian_means(m, 0.0), lambda m: erasure_scores(m, 0.3)])
def test_a_channel_with_more_good_splits_is_more_reliable(scores):
    values = scores(6)
    for low in range(64):
        for high in range(64):
            if low != high and low & high == low:
                assert values[low] < values[high]


def test_channels_improve_with_the_design_snr():
    means = [gaussian_means(8, db) for db in (-6.0, -2.0, 0.0, 2.0, 6.0)]
    assert all((better > worse).all() for worse, better in pairwise(means))


def test_gaussian_approximation_is_near_the_published_curve_fit():
    # Chung, Richardson & Urbanke 2001, eq. (9): phi(x) = exp(-0.4527 x^0.86 + 0.0218) for 0 < x < 10.
    mean = 1.0
    fitted = 1.0 - (1.0 - np.exp(-0.4527 * mean**0.86 + 0.0218)) ** 2
    worse = ((0.0218 - np.log(fitted)) / 0.4527) ** (1 / 0.86)
    assert gaussian_means(1, 10.0 * np.log10(mean / 4.0))[0] == pytest.approx(worse, rel=0.05)


def test_gaussian_approximation_stays_finite_for_long_codes_at_both_ends():
    for design_snr_db in (-40.0, 40.0):
        means = gaussian_means(14, design_snr_db)
        assert np.isfinite(means).all()
        assert (means >= 0).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n": 24, "k": 3}, "n must be a power of two, got 24; the nearest are 16 and 32"),
        ({"n": 1, "k": 1}, r"n must be in 2..16384, got 1"),
        ({"n": 16, "k": 17}, r"k must be in 1..16, got 17"),
        ({"n": 16, "k": 0}, r"k must be in 1..16, got 0"),
        (
            {"n": 16, "k": 8, "erasure": 1.0},
            "erasure must be a probability strictly between 0 and 1, got 1.0",
        ),
        ({"n": 16, "k": 8, "erasure": float("nan")}, "erasure must be .* got nan"),
        (
            {"n": 16, "k": 8, "design_snr_db": 41.0},
            "design_snr_db must be an Es/N0 of -40 to 40 dB, got 41.0",
        ),
        ({"n": 16, "k": 8, "design_snr_db": float("nan")}, "design_snr_db must be .* got nan"),
        ({"n": 16, "k": 1, "information_set": [16]}, "information_set must hold indices 0 to 15, got 16"),
        ({"n": 16, "k": 2, "information_set": [3, 3]}, "must hold k = 2 distinct indices, got 2, 1 distinct"),
        ({"n": 16, "k": 3, "information_set": [3, 4]}, "must hold k = 3 distinct indices, got 2, 2 distinct"),
        (
            {"n": 16, "k": 8, "erasure": 0.5, "design_snr_db": 0.0},
            "one construction, got design_snr_db and erasure; keep only one of them",
        ),
    ],
)
def test_impossible_polar_codes_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        polar(**options)


def test_quasi_cyclic_codes_of_base_matrices():
    shifts = [[(0, 7), (2,), (14,), (6,)], [(6,), (0, 15), (0,), (1,)]]
    base = [[shift[0] for shift in row] for row in shifts]
    code = ldpc_qc(base, 16)
    assert code.H.shape == (32, 64)
    for i, row in enumerate(base):
        for j, shift in enumerate(row):
            block = code.H[16 * i : 16 * i + 16, 16 * j : 16 * j + 16]
            assert [int(one) for one in block.argmax(axis=1)] == [(t + shift) % 16 for t in range(16)]
    # The array codes are of this kind: P^(i j), moved to the left.
    array = ldpc_qc([[-i * j % 7 for j in range(7)] for i in range(4)], 7)
    assert same_code(array, array_ldpc(7, 4))
    for wrong, words in (
        (([[0, 1], [0]], 4), r"base must be a matrix, got rows of \[1, 2\] entries"),
        (([[0, -2]], 4), "must be -1 or a shift from 0 on, got -2"),
        (([[0] * 5], 4000), "times z, must be in"),
        (([], 4), "base must be a matrix"),
    ):
        with pytest.raises(ValueError, match=words):
            ldpc_qc(*wrong)
    with pytest.raises(TypeError, match="base must be a matrix of whole numbers, got"):
        ldpc_qc([[0, 1.5]], 4)


def test_random_codes_are_the_same_everywhere_and_differ_by_seed():
    """Ones are half of the parity bits; the first are those of SHAKE-256, by hand."""
    from hashlib import shake_256

    code = random_code(128, 64, seed=5)
    parity = code.G[:, 64:]
    assert has_identity(code, range(64))
    assert abs(parity.mean() - 0.5) < 0.03
    first = shake_256(b"128,64,5").digest(1)[0]
    assert "".join(map(str, parity[0, :8])) == f"{first:08b}"
    assert random_code(128, 64, seed=5) == code
    assert random_code(128, 64, seed=6) != code
    assert random_code(16, 8).minimum_distance == distance(random_code(16, 8))


@pytest.mark.parametrize(("n", "k"), [(8, 0), (8, 8), (1, 1), (20000, 5)])
def test_random_codes_out_of_range_are_refused(n, k):
    with pytest.raises(ValueError, match="must be in"):
        random_code(n, k)
