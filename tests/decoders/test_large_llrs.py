"""LLRs of any finite size: decided as exact sums would, or refused."""

from fractions import Fraction

import numpy as np
import pytest
from decoding_cases import TRAINED

import fecnn
from fecnn.arrays import LARGE, as_llr, bpsk
from fecnn.decoders.registry import REGISTRY, decoder_names

SIZES = [1e6, 1e9, 1e15, 1e18, 1e30, 3e38]
EXACT = {
    "ml by codebook": ("ml", {"method": "codebook"}),
    "ml by trellis": ("ml", {"method": "trellis"}),
    "ml by search": ("ml", {"method": "search"}),
    "slnn": ("slnn", {}),
    "slnn bipolar": ("slnn", {"weights": "bipolar"}),
    "osd": ("osd", {"order": 7}),
    "osd unpruned": ("osd", {"order": 7, "prune": False}),
    "lc-osd": ("lc-osd", {}),
    "gcd": ("gcd", {}),
    "gcd fixed": ("gcd", {"reliable": False}),
}
BITING = {"family": "tailbiting", "k": 8, "polynomials": [5, 7]}


def frames(code, size, rng):
    """Known bits of one size and of several, contradictory ones, all of them huge, and steps of sizes."""
    sent = code.encode(rng.integers(0, 2, (25, code.k), dtype=np.uint8))
    ordinary = fecnn.AWGN.at(1.0, code.rate).transmit(sent, rng)
    known = np.arange(code.n) % 3 == 0
    spread = rng.uniform(0.3, 1, ordinary.shape)
    steps = np.where(np.arange(code.n) % 4 == 0, 1e30, np.where(np.arange(code.n) % 4 == 1, 1e15, 1))
    with np.errstate(over="ignore"):
        return {
            "one size": np.where(known, bpsk(sent) * size, ordinary),
            "several sizes": np.where(known, bpsk(sent) * size * spread, ordinary),
            "contradictions": np.where(known, np.sign(ordinary) * size, ordinary),
            "all huge": ordinary / 64 * size,
            "all of one size": np.sign(ordinary) * size,
            "three steps": np.where(steps > 1, bpsk(sent) * steps, ordinary),
        }


def exact_correlations(code, llr):
    """(2^k) for each frame, as exact integers."""
    signs = bpsk(code.codebook()).astype(int).astype(object)
    for values in llr:
        fractions = [Fraction(float(value)) for value in values]
        common = max(value.denominator for value in fractions)
        yield signs @ np.array([int(value * common) for value in fractions], object)


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("size", SIZES)
def test_exact_decoders_decide_as_exact_sums(name, size, rng):
    code = fecnn.load_code("bch-15-7")
    decode = fecnn.decoder(EXACT[name][0], code, **EXACT[name][1])
    for kind, values in frames(code, size, rng).items():
        llr = values.astype(np.float32)
        decided = decode(llr)
        messages = decided if decided.shape[1] == code.k else code.extract(decided)
        rows = messages @ (1 << np.arange(code.k)[::-1])
        for frame, correlations in enumerate(exact_correlations(code, llr)):
            assert correlations[rows[frame]] == correlations.max(), (kind, frame)


def test_noisy_steps_of_size_are_exact_or_refused(rng):
    """Several steps, each of different LLRs, are more than sums in float64 hold."""
    code = fecnn.load_code("bch-15-7")
    steps = np.where(np.arange(15) < 2, 1e30, np.where(np.arange(15) < 4, 1e15, 1))
    llr = (rng.normal(0.7, 1, (40, 15)) * steps).astype(np.float32)
    for name in ("ml by codebook", "ml by trellis", "ml by search", "osd"):
        decided = fecnn.decoder(EXACT[name][0], code, **EXACT[name][1])(llr)
        rows = code.extract(decided) @ (1 << np.arange(code.k)[::-1])
        for frame, correlations in enumerate(exact_correlations(code, llr)):
            assert correlations[rows[frame]] == correlations.max(), (name, frame)
    for name, options in (("slnn", {}), ("mlnn", {}), ("map", {"method": "codebook"})):
        with pytest.raises(ValueError, match=r"spans .* in several steps"):
            fecnn.decoder(name, code, **options)(llr)


@pytest.mark.parametrize("name", sorted({*REGISTRY} - TRAINED))
def test_every_decoder_takes_large_llrs_of_one_size_as_known_bits(name, rng):
    needs = dict.fromkeys(("aed", "fano", "sc", "scl"), "polar-16-8") | {
        "turbo-product": "product-64-16",
        "list-viterbi": BITING,
        "rpa": "rm-32-16",
    }
    code = fecnn.load_code(needs.get(name, "bch-15-7"))
    decode = fecnn.decoder(name, code, fecnn.AWGN.at(2.0, code.rate))
    sent = code.encode(rng.integers(0, 2, (200, code.k), dtype=np.uint8))
    ordinary = fecnn.AWGN.at(2.0, code.rate).transmit(sent, rng)
    known = np.arange(code.n) % 4 == 0
    expected = decode(np.where(known, bpsk(sent) * np.float32(np.inf), ordinary))
    for size in (1e9, 1e18, 3e38):
        llr = np.where(known, bpsk(sent) * size, ordinary).astype(np.float32)
        assert (decode(llr) == expected).all(), size


@pytest.mark.parametrize("name", decoder_names(soft=True))
def test_every_soft_decoder_keeps_what_the_others_say_of_a_known_bit(name, rng):
    code = fecnn.load_code("polar-16-8")
    soft = fecnn.soft_decoder(name, code, fecnn.AWGN.at(2.0, code.rate))
    sent = code.encode(rng.integers(0, 2, (100, code.k), dtype=np.uint8))
    ordinary = fecnn.AWGN.at(2.0, code.rate).transmit(sent, rng)
    known = np.arange(code.n) % 4 == 0
    expected = soft(np.where(known, bpsk(sent) * np.float32(np.inf), ordinary))
    for size in (1e9, 1e18, 3e38):
        llr = np.where(known, bpsk(sent) * size, ordinary).astype(np.float32)
        app = soft(llr)
        assert (app[:, ~known] == expected[:, ~known]).all()
        assert ((app < 0) == (expected < 0)).all()
        assert (np.abs(app[:, known]) >= size / 2).all()
    huge = soft(np.full((1, code.n), 3e38, np.float32))
    assert (huge > 1e37).all()
    assert np.isfinite(huge).all()


def test_sums_beyond_float32_are_right():
    app = fecnn.soft_decoder("osd", fecnn.repetition(9), order=1)
    out = app(np.array([-1, 1, 1, -1, -1, 1, 1, 1, -1.0]) * 1e38)
    assert np.allclose(out, 1e38, rtol=1e-5)


def test_ordinary_llrs_are_not_touched(rng):
    llr = (rng.normal(0, 1, (50, 7)) * 10.0 ** rng.uniform(-40, 3, (50, 1))).astype(np.float32)
    llr[0] = LARGE
    assert as_llr(llr, 7) is llr
    with_one = np.concatenate([llr, np.full((1, 7), 1e30, np.float32)])
    assert (as_llr(with_one, 7)[:50] == llr).all()
    infinite = llr.copy()
    infinite[:, 2] = -np.inf
    expected = 1000 + 2 * np.abs(llr[:, [0, 1, 3, 4, 5, 6]].astype(np.float64)).sum(axis=1)
    assert (as_llr(infinite, 7)[:, 2] == -expected.astype(np.float32)).all()


@pytest.mark.parametrize(
    ("llr", "error", "message"),
    [
        (np.ma.array(np.ones((1, 7)), mask=np.eye(7)[:1]), TypeError, r"1 masked values; .*llr\.filled\(0\)"),
        (np.zeros((1, 7), bool), TypeError, "got bool values that look like bits; .*bpsk"),
        (np.ones((1, 7), np.uint8), TypeError, "got uint8 values that look like bits"),
        ([1, 0, 1, 1, 0, 0, 1], TypeError, "values that look like bits"),
        ([np.nan] + [1e30] * 6, ValueError, "NaN"),
    ],
)
def test_what_is_no_llr_is_refused(llr, error, message):
    for make in (fecnn.decoder, fecnn.soft_decoder):
        with pytest.raises(error, match=message):
            make("map", fecnn.hamming(3))(llr)


def test_a_mask_that_hides_nothing_and_integer_llrs_are_fine():
    decode = fecnn.decoder("ml", fecnn.hamming(3))
    assert not decode(np.ma.array(np.ones((1, 7)))).any()
    assert not decode([3, -1, 2, 2, 4, 1, 1]).any()
