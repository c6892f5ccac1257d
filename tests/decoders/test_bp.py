"""Belief propagation and the low-weight words that it can run on."""

import numpy as np
import oracles
import pytest
from decoding_cases import llrs, random_codes

import fecnn
from fecnn import Code
from fecnn.arrays import bpsk
from fecnn.codes import gf2
from fecnn.codes.low_weight import distance_bound, low_weight_checks, low_weight_words
from fecnn.testing import check_decoder

VARIANTS = [
    {"rule": "sum-product"},
    {"rule": "sum-product", "scale": 0.7, "damping": 0.3},
    {"rule": "sum-product", "schedule": "layered"},
    {"rule": "min-sum"},
    {"rule": "min-sum", "scale": 0.75, "schedule": "layered"},
    {"rule": "min-sum", "offset": 0.4, "damping": 0.5, "schedule": "layered"},
]


def simulated_bler(code, decode, ebn0_db, frames, rng):
    codewords = code.encode(rng.integers(0, 2, (frames, code.k), dtype=np.uint8))
    llr = fecnn.AWGN.at(ebn0_db, code.rate).transmit(codewords, rng)
    return (decode(llr) != codewords).any(axis=1).sum()


@pytest.mark.kernel
@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_bp_equals_message_by_message(options, rng):
    oracle = {**options, "layered": options.get("schedule") == "layered"}
    oracle.pop("schedule", None)
    for code in random_codes(rng, count=12, longest=9):
        H = code.H[code.H.any(axis=1)]
        for kind, values in llrs(rng, code.n).items():
            llr = values[:6].astype(np.float32)
            soft = fecnn.soft_decoder("bp", code, iterations=3, **options)
            expected = oracles.bp(H, llr, iterations=3, **oracle)
            found = soft(llr)
            ones = (expected < 0) | ((expected == 0) & (llr < 0))
            kept = ~code.syndrome(ones.astype(np.uint8)).any(axis=1)  # elsewhere bp may have stopped before
            found, expected, llr = found[kept], expected[kept], llr[kept]
            scale = np.abs(expected) + np.abs(llr).max(axis=1, keepdims=True)
            assert (np.abs(found - expected) <= 2e-5 * scale).all(), (code.name, kind)


@pytest.mark.kernel
@pytest.mark.parametrize("schedule", ["flooding", "layered"])
def test_sum_product_is_exact_on_trees(schedule, rng):
    tree = Code.from_parity_check([[1, 1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 0, 1, 0], [0, 0, 0, 0, 0, 1, 1]])
    for code in (tree, fecnn.repetition(6), fecnn.single_parity_check(40)):
        llr = rng.normal(0.5, 2, (20, code.n)).astype(np.float32)
        if code.k <= 10:
            expected = oracles.app(code, llr, code.codebook())
        else:
            t = np.tanh(llr.astype(np.float64) / 2)
            expected = llr + 2 * np.arctanh(t.prod(axis=1, keepdims=True) / t)
        found = fecnn.soft_decoder("bp", code, schedule=schedule, iterations=8)(llr)
        assert np.allclose(found, expected, rtol=1e-5, atol=1e-5), code.name


def test_min_sum_does_not_depend_on_the_scale_of_llrs(rng):
    code = fecnn.load_code("bch-31-21")
    llr = rng.normal(1, 1, (100, 31)).astype(np.float32)
    decode = fecnn.decoder("bp", code, rule="min-sum", scale=0.75)
    assert (decode(llr) == decode(llr * np.float32(2.0**-60))).all()
    assert (decode(llr) == decode(llr * np.float32(2.0**10))).all()


@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_contract(options):
    check_decoder("bp", **options)
    check_decoder("bp", fecnn.load_code("bch-15-7"), fecnn.polar(16, 8), checks="overcomplete", **options)


def test_known_and_erased_bits(rng):
    """A single erasure is the parity of the others, known for sure."""
    code = fecnn.single_parity_check(9)
    codewords = code.encode(rng.integers(0, 2, (50, 8), dtype=np.uint8))
    llr = bpsk(codewords) * np.float32(np.inf)
    llr[:, 4] = 0
    for rule in ("sum-product", "min-sum"):
        assert (fecnn.decoder("bp", code, rule=rule)(llr) == codewords).all()


def test_effort_counts_iterations_and_frames_left_unsatisfied(rng):
    code = fecnn.load_code("bch-31-16")
    codewords = code.encode(rng.integers(0, 2, (300, 16), dtype=np.uint8))
    llr = fecnn.AWGN.at(2.0, code.rate).transmit(codewords, rng)
    bits, effort = fecnn.decoder("bp", code, iterations=7).measure(llr)
    clean = ~code.syndrome(bits).any(axis=1)
    assert (effort.uncertified == ~clean).all()
    assert ((effort.work == 0) == ~code.syndrome(llr < 0).any(axis=1)).all()
    assert (effort.work[~clean] == 7).all()
    assert 0 < (effort.work[clean] < 7).sum()


def test_overcomplete_checks_come_close_to_maximum_likelihood(rng):
    """BCH (31,16): plain H is hopeless, all 465 dual words of weight 8 are within a third of exact ML."""
    code = fecnn.load_code("bch-31-16")
    ml = simulated_bler(code, fecnn.decoder("ml", code), 3.0, 6000, np.random.default_rng(5))
    plain = simulated_bler(code, fecnn.decoder("bp", code), 3.0, 6000, np.random.default_rng(5))
    options = {"checks": "overcomplete", "scale": 0.2}
    rich = simulated_bler(code, fecnn.decoder("bp", code, **options), 3.0, 6000, np.random.default_rng(5))
    assert ml <= rich < 1.35 * ml + 10
    assert plain > 3 * rich


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rule": "spa"}, "rule must be sum-product or min-sum, got 'spa'"),
        ({"schedule": "random"}, "schedule must be flooding or layered"),
        ({"checks": "G"}, "checks must be H or overcomplete"),
        ({"iterations": 0}, "iterations must be 1 or more, got 0"),
        ({"scale": 0}, "scale must be above 0"),
        ({"damping": 1.0}, "damping must be 0 or more and below 1"),
        ({"offset": -1.0, "rule": "min-sum"}, "offset must be 0 or more"),
        ({"offset": 0.3}, "offset needs rule='min-sum'"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    for make in (fecnn.decoder, fecnn.soft_decoder):
        with pytest.raises(ValueError, match=message):
            make("bp", fecnn.hamming(3), **options)


# --- low-weight words


@pytest.mark.parametrize("extra", [0, 1, 3])
def test_low_weight_words_are_those_of_the_codebook(extra, rng):
    for code in random_codes(rng, count=20):
        weights = code.codebook().sum(axis=1)
        weight = min(int(weights[weights > 0].min()) + extra, code.n)
        expected = code.codebook()[(weights > 0) & (weights <= weight)]
        found = low_weight_words(code, weight if extra else None)
        assert found.complete
        assert {w.tobytes() for w in found.words} == {w.tobytes() for w in expected}
        assert len(found.words) == len(expected)
        assert (np.diff(found.words.sum(axis=1, dtype=int)) >= 0).all()


@pytest.mark.parametrize(
    ("name", "weight", "number"), [("bch-31-16", 8, 465), ("bch-63-45", 16, 189), ("bch-63-51", 24, 210)]
)
def test_light_dual_words_of_bch_codes(name, weight, number):
    dual = fecnn.load_code(name).dual
    found = low_weight_words(dual)
    assert found.complete
    assert found.words.shape == (number, dual.n)
    assert (found.words.sum(axis=1) == weight).all()
    assert not dual.syndrome(found.words).any()


@pytest.mark.parametrize("name", ["golay-24-12", "bch-31-21", "polar-64-48"])
def test_hunting_finds_what_listing_finds(name, monkeypatch):
    code = fecnn.load_code(name)
    dual = Code(code.dual.G, code.dual.H)
    listed = low_weight_words(dual)
    monkeypatch.setattr("fecnn.codes.low_weight.MAX_LISTED_DIMENSION", 5)
    hunted = low_weight_words(dual)
    assert (hunted.words == listed.words).all()
    assert listed.complete
    assert not hunted.complete  # its spectrum is not known: nothing proves that these are all
    assert low_weight_words(code.dual).complete


def test_light_dual_words_of_bch_127_64():
    """A_22 = 201930: the (128, 64, 22) extended code has 243840 such words, in 128 like positions."""
    found = low_weight_words(fecnn.load_code("bch-127-64").dual)
    assert len(found.words) == 243840 * (128 - 22) // 128
    assert (found.words.sum(axis=1) == 22).all()
    assert not found.complete


def test_checks_always_span_the_dual(rng):
    codes = [code for code in random_codes(rng) if code.k < code.n]
    for code in [*codes, fecnn.load_code("bch-63-36"), fecnn.load_code("polar-64-32")]:
        H = low_weight_checks(code)
        assert not code.syndrome(code.G).any()
        assert not (H.astype(int) @ code.G.T % 2).any()
        assert gf2.rank(H) == code.n - code.k


def test_distance_bounds_are_met_by_short_codes(rng):
    for code in random_codes(rng, count=24):
        distance = next(w for w, number in enumerate(code.weight_spectrum()) if w and number)
        bounds = [distance_bound(code, sums) for sums in range(1, code.k + 1)]
        assert bounds == sorted(bounds)
        assert bounds[-1] == distance
    assert distance_bound(fecnn.golay(), 3) == 8
    assert distance_bound(fecnn.load_code("bch-31-16"), 3) == 7
    with pytest.raises(ValueError, match=r"sums must be in 1\.\.4 rows for hamming-7-4, got 5"):
        distance_bound(fecnn.hamming(3), 5)


def test_one_generator_bounds_the_distance_of_a_transitive_code():
    for name, d in (("bch-15-7", 5), ("bch-31-21", 5), ("golay-24-12", 8)):
        code = fecnn.load_code(name)  # cyclic, or the extended quadratic residue code
        bounds = [distance_bound(code, sums, transitive=True) for sums in range(1, d + 1)]
        assert bounds == sorted(bounds)
        assert bounds[-1] == d
        assert all(bound >= min(d, (sums + 1) * code.n / code.k) for sums, bound in enumerate(bounds, 1))


CCSDS_FER = {2: 0.333, 3: 4.96e-2}  # AFF3CT's reference: layered sum-product, 50 iterations


@pytest.mark.parametrize("ebn0_db", CCSDS_FER)
def test_published_points_of_the_ccsds_code(ebn0_db, rng):
    code, frames = fecnn.load_code("ccsds-128-64"), 12_000
    decode = fecnn.decoder("bp", code, schedule="layered")
    errors = simulated_bler(code, decode, ebn0_db, frames, rng)
    low, high = fecnn.proportion_interval(errors, frames, 0.999)
    assert low / 1.1 < CCSDS_FER[ebn0_db] < high * 1.1, errors / frames


@pytest.mark.slow
def test_a_published_point_of_the_ccsds_code_further_down(rng):
    code, frames = fecnn.load_code("ccsds-128-64"), 200_000
    errors = simulated_bler(code, fecnn.decoder("bp", code, schedule="layered"), 4, frames, rng)
    low, high = fecnn.proportion_interval(errors, frames, 0.999)
    assert low / 1.15 < 1.52e-3 < high * 1.15, errors / frames


def test_too_many_words_are_refused():
    with pytest.raises(
        ValueError, match=r"words of low weight .at most 262144 are listed.; ask for a lower weight"
    ):
        low_weight_words(fecnn.load_code("bch-63-45"), 12)
    with pytest.raises(ValueError, match="or use bp with checks='H'"):
        fecnn.decoder("bp", fecnn.reed_muller(1, 9), checks="overcomplete")
    with pytest.raises(ValueError, match=r"weight must be in 1\.\.7"):
        low_weight_words(fecnn.hamming(3), 8)
