"""Bounds against slow definitions and closed forms, and around what is exact or published."""

import math

import numpy as np
import oracles
import pytest
from scipy.optimize import brentq
from scipy.special import betaincinv
from scipy.stats import multivariate_normal, nct, norm

import fecnn
from fecnn.analysis.table import table
from fecnn.channels.channel import noise_sigma
from fecnn.theory import bounds
from fecnn.theory.bounds import (
    BOUNDS,
    _information_density,
    kat_bound,
    meta_converse,
    normal_approximation,
    random_coding_bound,
    sphere_packing_bound,
    tangential_sphere_bound,
    union_bound,
)

OF_CODES = (union_bound, tangential_sphere_bound, kat_bound)
OF_SIZES = (sphere_packing_bound, random_coding_bound, meta_converse, normal_approximation)


@pytest.mark.parametrize("name", ["hamming-7-4", "polar-16-8", "bch-31-21"])
@pytest.mark.parametrize("ebn0_db", [0.0, 3.0, 6.0])
def test_tangential_sphere_bound_is_poltyrevs(name, ebn0_db):
    code = fecnn.load_code(name)
    slow = oracles.tangential_sphere(code, noise_sigma(ebn0_db, code.rate))
    assert tangential_sphere_bound(code, ebn0_db) == pytest.approx(slow, rel=1e-6)


@pytest.mark.parametrize(("n", "k"), [(7, 4), (31, 16), (63, 45), (63, 1)])
@pytest.mark.parametrize("ebn0_db", [0.0, 2.0, 4.0])
def test_sphere_packing_is_a_noncentral_t_distribution(n, k, ebn0_db):
    angle = math.asin(math.sqrt(betaincinv((n - 1) / 2, 0.5, 2.0 ** (1 - k))))
    distribution = nct(n - 1, math.sqrt(n) / noise_sigma(ebn0_db, k / n))
    expected = distribution.cdf(math.sqrt(n - 1) / math.tan(angle))
    assert sphere_packing_bound(n, k, ebn0_db) == pytest.approx(expected, rel=1e-8, abs=1e-14)


@pytest.mark.parametrize(("n", "ebn0_db", "error"), [(100, 3.297546, 0.015), (1000, 1.271164, 0.005)])
def test_sphere_packing_against_printed_values(n, ebn0_db, error):
    """Eb/N0 at which the best code of rate 1/2 has a BLER of 1e-5, by Shannon's asymptotic formula (1959).

    Printed in the output of the second cell of ``Sphere_Packaging_Bound.ipynb`` in the GitHub repository
    Lcrypto/Shannon-and-Polyanskiy-bound ("N = 100.000000, SNR = 3.297546"), read in the stored text of the
    notebook. The formula is asymptotic, and errs by about 1 / n; Shannon's own paper could not be read.
    """
    found = brentq(lambda x: math.log(sphere_packing_bound(n, n // 2, x) / 1e-5), 0, 8)
    assert found == pytest.approx(ebn0_db, abs=error)
    assert found < ebn0_db


def test_capacity_against_printed_values():
    """Of BPSK over AWGN in bits, which the normal approximation and the meta-converse stand on.

    Printed in ``tests/link_budgets/test_biawgn_capacity.py`` of the GitHub repository mhostetter/sdr,
    "verified visually from published papers", for an SNR 1 / sigma^2 of -30, -25, ..., 20 dB.
    """
    printed = [
        *(7.20987087e-04, 2.27750199e-03, 7.17764533e-03, 2.24576590e-02, 6.87433134e-02, 1.97731546e-01),
        *(4.85944154e-01, 8.59194084e-01, 9.96756328e-01, 9.99999959e-01, 1.00000000e00),
    ]
    for snr_db, capacity in zip(np.linspace(-30, 20, 11), printed, strict=True):
        density, weight = _information_density(10 ** (-snr_db / 20))
        assert weight @ density == pytest.approx(capacity, rel=3e-9)


# "NCT converse" and "RCU+ achievable" of the GitHub repository nire123/awgn-fbl, plots/stress/inversions:
# error_vs_n/snr+0_R0.30.csv (1 / sigma^2 = 0 dB, k = 0.3 n; all rows whose k is whole) and
# snr_vs_eps/n100_R0.40.csv (n = 100, k = 40). That program integrates over a noncentral t, and leaves out
# what is below e^-15 of it: nothing to speak of where the BLER is above 1e-5.
PRINTED_AT_0_DB = [
    (sphere_packing_bound, 50, 0.00675363),
    (sphere_packing_bound, 700, 2.34006e-12),
    (sphere_packing_bound, 1350, 2.02776e-21),
    (sphere_packing_bound, 2000, 2.08616e-30),
    (random_coding_bound, 50, 0.0189919),
]
PRINTED_OF_100_40 = [
    (0.00135388, 1.21686, 1.44838),
    (0.00335982, 0.960008, 1.18574),
    (0.00833782, 0.669473, 0.890092),
    (0.0206914, 0.33293, 0.549143),
    (0.0513483, -0.0710477, 0.141607),
    (0.127427, -0.58536, -0.375156),
    (0.316228, -1.32463, -1.11472),
]


@pytest.mark.parametrize(("bound", "n", "printed"), PRINTED_AT_0_DB)
def test_bounds_on_the_sphere_against_printed_values(bound, n, printed):
    """BLER to four digits; the last figures of theirs come from a grid."""
    k = 3 * n // 10
    assert bound(n, k, -10 * math.log10(2 * k / n)) == pytest.approx(printed, rel=2e-4)


@pytest.mark.parametrize(("error", "converse_db", "achieved_db"), PRINTED_OF_100_40)
def test_bounds_on_the_sphere_against_printed_noise_levels(error, converse_db, achieved_db):
    for bound, snr_db in ((sphere_packing_bound, converse_db), (random_coding_bound, achieved_db)):
        found = brentq(lambda x, bound=bound: math.log(bound(100, 40, x) / error), -4, 6)
        assert found + 10 * math.log10(0.8) == pytest.approx(snr_db, abs=3e-4)


@pytest.mark.parametrize(
    ("n", "k", "snr_db"),
    [
        (108, 32, -0.159861),
        (108, 53, 2.301967),
        (108, 81, 5.302113),
        (432, 85, -3.085360),
        (432, 149, -0.536806),
        (864, 149, -4.130002),
    ],
)
def test_meta_converse_against_printed_values(n, k, snr_db):
    """1 / sigma^2 in dB at which the bound of BPSK is 1e-3.

    Printed in ``results/SNR_vs_A_PDCCH_0.001_<n>_cap.txt`` of the GitHub repository
    robmaunder/polar-3gpp-matlab, in the row of k - 21, by the saddle-point formula of Erseghe (2016) that
    the SPECTRE toolbox calls On2. It has the density over z in place of a Gaussian tail Q(z), here 9 % too
    much: where it says 1e-3 the bound is Q(z), up to the terms of 1 / n that it leaves out.
    """
    z = brentq(lambda z: norm.pdf(z) / z - 1e-3, 1, 5)
    found = meta_converse(n, k, snr_db - 10 * math.log10(2 * k / n))
    assert (1 - 5 / n) * norm.sf(z) < found < norm.sf(z)


@pytest.mark.parametrize(
    ("esn0_db", "capacity", "dispersion"),
    [
        (-10, 0.131416082353, 0.31641800871),
        (-3, 0.48671359211, 0.659712378047),
        (0, 0.72145159079, 0.533271940479),
        (3, 0.912352116906, 0.223239060342),
        (6, 0.990263800775, 0.029690421597),
        (10, 0.99998332824, 5.83925621148e-05),
    ],
)
def test_normal_approximation_against_printed_values(esn0_db, capacity, dispersion):
    """Capacity and dispersion of BPSK over AWGN, in bits: all that the approximation consists of.

    Printed in ``tests/channel_capacity.rs`` of gf2-coding in the GitHub repository erankavija/gf2,
    "computed independently [...] by adaptive Gauss-Kronrod quadrature".
    """
    n, k = 128, 64
    ebn0_db = esn0_db + 10 * math.log10(n / k)
    expected = norm.sf((n * capacity - k + 0.5 * math.log2(n)) / math.sqrt(n * dispersion))
    assert normal_approximation(n, k, ebn0_db) == pytest.approx(expected, rel=1e-8, abs=1e-300)


@pytest.mark.parametrize("ebn0_db", [0.0, 4.0, 8.0, 12.0])
def test_union_bound_against_a_printed_formula(ebn0_db):
    """Of the Hamming (7,4) code: 7 Q(sqrt(3 x)) + 7 Q(sqrt(4 x)) + Q(sqrt(7 x)), x = 2 R Eb/N0.

    Printed in exercise 1.12 of the LNTwww (TU Munich), from Friedrichs, "Kanalcodierung", 1996.
    """
    x = 2 * 4 / 7 * 10 ** (ebn0_db / 10)
    printed = 7 * norm.sf(math.sqrt(3 * x)) + 7 * norm.sf(math.sqrt(4 * x)) + norm.sf(math.sqrt(7 * x))
    assert union_bound(fecnn.hamming(3), ebn0_db) == pytest.approx(min(1, printed), rel=1e-12)


@pytest.mark.parametrize("n", [2, 3, 7, 63])
@pytest.mark.parametrize("ebn0_db", [-2.0, 4.0])
def test_of_two_words_all_bounds_of_the_code_are_exact(n, ebn0_db):
    code = fecnn.repetition(n)
    exact = norm.sf(math.sqrt(2 * 10 ** (ebn0_db / 10)))
    for bound in OF_CODES:
        assert bound(code, ebn0_db) == pytest.approx(exact, rel=1e-6)
    assert sphere_packing_bound(n, 1, ebn0_db) == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("ebn0_db", [0.0, 4.0, 8.0])
def test_kat_bound_against_the_pairs_one_by_one(ebn0_db):
    code = fecnn.single_parity_check(5)
    words = code.codebook()[1:]
    sigma = noise_sigma(ebn0_db, code.rate)
    distance = np.sqrt(words.sum(axis=1)) / sigma
    # With the true overlaps the bound can only be better, and it must stay below the truth.
    correlation = (words @ words.T.astype(float)) / np.outer(distance, distance) / sigma**2
    both = np.diag(norm.sf(distance))
    for i in range(len(words)):
        for j in range(i):
            joint = multivariate_normal([0, 0], [[1, correlation[i, j]], [correlation[i, j], 1]])
            both[i, j] = both[j, i] = joint.cdf([-distance[i], -distance[j]])
    true = oracles.kuai_alajaji_takahara(norm.sf(distance), both)
    assert 0 < kat_bound(code, ebn0_db) <= true * (1 + 1e-6)
    assert true <= union_bound(code, ebn0_db)


@pytest.mark.parametrize("ebn0_db", [2.0, 5.0, 9.0])
def test_kat_bound_with_the_words_of_least_weight_alone(ebn0_db):
    # All words of weight w overlap in half of them: a simplex code, whose bound has no slack of overlaps.
    code = fecnn.hamming(3).dual
    sigma = noise_sigma(ebn0_db, code.rate)
    alone = np.full(7, norm.sf(2 / sigma))
    joint = multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]]).cdf([-2 / sigma, -2 / sigma])
    both = np.full((7, 7), joint)
    np.fill_diagonal(both, alone)
    expected = oracles.kuai_alajaji_takahara(alone, both)
    assert kat_bound(code, ebn0_db) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("ebn0_db", [0.0, 3.0, 6.0])
def test_meta_converse_of_length_two(k, ebn0_db):
    slow = oracles.meta_converse_of_two(k, noise_sigma(ebn0_db, k / 2))
    assert meta_converse(2, k, ebn0_db) == pytest.approx(slow, rel=5e-3)


def test_meta_converse_of_uncoded_bits_is_below_their_error_rate():
    for n in (2, 16, 128):
        exact = 1 - norm.cdf(math.sqrt(2 * 10**0.6)) ** n
        assert 0.05 * exact < meta_converse(n, n, 6.0) < exact


@pytest.mark.parametrize("name", ["hamming-7-4", "bch-31-16", "bch-31-21", "bch-63-51"])
def test_bounds_enclose_published_maximum_likelihood(name):
    """The points of the Kaiserslautern database, within their intervals."""
    code = fecnn.load_code(name)
    study = fecnn.load_study("rptu-bch")
    points = [r for r in study.references if r.code == name and r.metric == "bler"]
    assert len(points) > 5
    for point in points:
        low, high = fecnn.proportion_interval(point.errors, point.frames, confidence=0.999)
        assert kat_bound(code, point.ebn0_db) <= high
        assert tangential_sphere_bound(code, point.ebn0_db) >= low
        assert meta_converse(code.n, code.k, point.ebn0_db) <= high
        assert sphere_packing_bound(code.n, code.k, point.ebn0_db) <= high


@pytest.mark.parametrize("study", ["optimal-hamming-7-4", "optimal-polar-16-8", "optimal-bch-31-21"])
def test_bounds_enclose_exact_maximum_likelihood(study):
    study = fecnn.load_study(study)
    results = table(study, study.path.parent / "results.csv")
    found = results[(results["decoder"] == "ml") & (results["uncertified"] == 0)]
    assert len(found) > 5
    for _, row in found.iterrows():
        code = fecnn.load_code(row["code"])
        low, high = fecnn.proportion_interval(int(row["block_errors"]), int(row["frames"]), confidence=0.999)
        for name, bound in BOUNDS.items():
            if name == "random-coding":  # of the best codes of a size, perhaps not of this one
                continue
            value = bound.value(code, row["ebn0_db"])
            assert bound.side != "upper" or value >= low, name
            assert bound.side != "lower" or value <= high, name


@pytest.mark.parametrize("name", ["hamming-7-4", "golay-24-12", "bch-63-36", "ebch-64-36", "polar-64-32"])
def test_bounds_of_a_code_fall_and_keep_their_order(name):
    code = fecnn.load_code(name)
    grid = np.arange(-5.0, 21.0)
    for bound in OF_CODES:
        values = np.array([bound(code, ebn0_db) for ebn0_db in grid])
        assert (values >= 0).all()
        assert (values <= 1).all()
        assert (np.diff(values) <= 1e-12 * values[:-1]).all()
    for ebn0_db in grid:
        below, sphere, union = (bound(code, ebn0_db) for bound in (kat_bound, *OF_CODES[1::-1]))
        assert below <= sphere * (1 + 1e-6)
        assert sphere <= union * (1 + 1e-6)
    assert kat_bound(code, 12.0) == pytest.approx(union_bound(code, 12.0), rel=0.02)


@pytest.mark.parametrize(("n", "k"), [(2, 1), (7, 4), (63, 51), (128, 64), (256, 128), (1024, 512)])
def test_bounds_of_a_size_fall_and_keep_their_order(n, k):
    grid = np.arange(-3.0, 13.0)
    values = {bound: np.array([bound(n, k, ebn0_db) for ebn0_db in grid]) for bound in OF_SIZES}
    for found in values.values():
        assert (found >= 0).all()
        assert (found <= 1).all()
        assert (np.diff(found) <= 1e-9 * found[:-1]).all()
    assert (values[sphere_packing_bound] <= values[random_coding_bound] * (1 + 1e-6)).all()


def test_of_sizes_that_make_no_sense():
    for bound in OF_SIZES:
        with pytest.raises(ValueError, match="n must be at least 2"):
            bound(1, 1, 3.0)
        with pytest.raises(ValueError, match="k at least 1"):
            bound(7, 0, 3.0)
    with pytest.raises(ValueError, match="k must be at most n = 7, got 8"):
        meta_converse(7, 8, 3.0)


def test_of_sizes_that_are_too_large_for_the_numbers():
    """Beyond, 2^-k and parts of the sphere underflow, and a sum of densities leaves its grid."""
    for bound in (sphere_packing_bound, random_coding_bound):
        assert bound(2000, 1000, 1.0) == pytest.approx(2.2e-6, rel=0.15)
        with pytest.raises(ValueError, match="k up to 1000, got 1001"):
            bound(2002, 1001, 1.0)
    assert 1e-12 < meta_converse(1500, 500, 1.0) < meta_converse(1500, 500, 0.9)
    with pytest.raises(ValueError, match="n up to 1500, got 1501"):
        meta_converse(1501, 700, 1.0)


@pytest.mark.parametrize("name", list(BOUNDS))
def test_a_bound_is_registered_with_all_that_a_study_and_a_legend_need(name):
    bound = BOUNDS[name]
    assert bound.name == name
    assert bound.side in ("upper", "lower", None)
    assert len(BOUNDS) == len(bounds._BOUNDS)  # no name twice
    words = {"upper": "is below)", "lower": "is above)", None: "(no bound)"}[bound.side]
    assert bound.label.endswith(words)
    assert len({other.label for other in BOUNDS.values()}) == len(BOUNDS)


@pytest.mark.parametrize("ebn0_db", [2.0, 4.0, 6.0])
def test_upper_bounds_lie_above_lower_ones(ebn0_db):
    code = fecnn.load_code("bch-31-21")
    values = {
        side: [bound.value(code, ebn0_db) for bound in BOUNDS.values() if bound.side == side]
        for side in ("upper", "lower")
    }
    assert 0 < min(values["lower"])
    assert max(values["lower"]) <= min(values["upper"]) <= max(values["upper"]) <= 1
