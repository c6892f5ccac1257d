"""Decoders on LLRs of 8 bits that saturate."""

import pickle

import numpy as np
import oracles
import pytest

import fecnn
from fecnn import Code
from fecnn.decoders.polar import arranged
from fecnn.testing import check_decoder

POLAR = [
    fecnn.polar(2, 1),
    fecnn.polar(16, 9, systematic=True),
    fecnn.polar(32, 3),  # its repetitions are long
    fecnn.polar(64, 50),
    fecnn.uncoded(4),
    fecnn.reed_muller(2, 5),
    fecnn.pac(16, 6),
    fecnn.pac(64, 50, polynomial=0o3),
    fecnn.hamming(4, extended=True),
]


def int8_llrs(n, frames, rng):
    """Of all kinds: small ones with many zeros, moderate ones, and some that saturate at once."""
    kinds = [
        rng.integers(-2, 4, (frames, n)),
        np.rint(rng.normal(12, 20, (frames, n))),
        np.rint(rng.normal(60, 90, (frames, n))),
        rng.choice([-127, -128, 127, 127, 0], (frames, n)),
        rng.choice([-9, 9, 9, 0], (frames, n)),
        rng.choice([-127, -126, 126, 127, 127, 1, 0], (frames, n)),
    ]
    return np.concatenate(kinds).clip(-128, 127).astype(np.int8)


def as_sc_twin(code, llr):
    """The slow twin, in the order in which the code, or its mother, is polar."""
    form, whole = arranged(code), code if code.mother is None else code.mother.code
    order = np.arange(whole.n) if form.order is None else form.order
    found = np.empty(llr.shape, np.uint8)
    sums = oracles.frozen_sums(Code.from_generator(whole.G[:, order]))
    found[:, order] = oracles.sc_int8(sums, llr[:, order])
    return found


@pytest.mark.kernel
@pytest.mark.parametrize("code", POLAR, ids=lambda code: code.name)
def test_sc_is_its_twin_in_saturating_integers(code, rng):
    llr = int8_llrs(code.n, 13, rng)
    assert (fecnn.decoder("sc", code, int8=True)(llr) == as_sc_twin(code, llr)).all()


def test_sc_of_many_frames_side_by_side_is_its_twin(rng):
    """Full rows of lanes are read another way than parts of rows."""
    for code in (fecnn.polar(128, 64), fecnn.pac(32, 16), fecnn.polar(8, 4)):
        llr = int8_llrs(code.n, 60, rng)
        decode, expected = fecnn.decoder("sc", code, int8=True), as_sc_twin(code, llr)
        for frames in (0, 1, 63, 64, 65, 256, 257, 360):
            assert (decode(llr[:frames]) == expected[:frames]).all(), (code, frames)


def test_saturation_matters(rng):
    """Otherwise the tests above would not see it."""
    code = fecnn.polar(64, 32)
    llr = np.rint(rng.normal(60, 90, (2000, 64))).clip(-127, 127).astype(np.int8)
    differ = (fecnn.decoder("sc", code, int8=True)(llr) != fecnn.decoder("sc", code)(llr)).any(axis=1)
    assert 20 < differ.sum() < 1500


def test_small_llrs_are_decoded_as_in_float32(rng):
    """No sum of 32 of them reaches 127."""
    for code in (fecnn.polar(32, 16), fecnn.pac(32, 16)):
        llr = rng.integers(-2, 4, (3000, 32)).astype(np.int8)
        assert (fecnn.decoder("sc", code, int8=True)(llr) == fecnn.decoder("sc", code)(llr)).all()


@pytest.mark.parametrize(
    "code",
    [
        fecnn.polar(32, 16).shorten([30, 31]),
        fecnn.polar(32, 16).puncture([0, 1, 5]),
        fecnn.nr_polar(12, 34, link="uplink"),
        fecnn.nr_polar(12, 80, link="uplink"),
        fecnn.nr_polar(12, 40),
    ],
    ids=lambda code: code.name,
)
def test_what_is_cut_from_a_longer_code_is_decoded_there(code, rng):
    """Known bits have 127, bits that are not sent have 0, and repeated ones their saturating sum."""
    llr = int8_llrs(code.n, 20, rng)
    mother = np.zeros((len(llr), code.mother.code.n), int)
    for i, place in enumerate(code.mother.sent):
        mother[:, place] = np.clip(mother[:, place] + np.maximum(llr[:, i], -127), -127, 127)
    mother[:, list(code.mother.zero)] = 127
    words = as_sc_twin(code, mother)
    spoilt = words[:, list(code.mother.zero)].any(axis=1)
    expected = np.where(spoilt[:, None], llr < 0, words[:, list(code.mother.sent)])
    bits, effort = fecnn.decoder("sc", code, int8=True).measure(llr)
    assert (bits == expected).all()
    assert (effort.uncertified == spoilt).all()


def _metrics(code, llr, limit):
    """Of each codeword, (B, words): what it costs, subtree by subtree, with LLRs up to ``limit``."""
    words, sums = code.codebook(), oracles.frozen_sums(code)
    free = np.array([sum_ is None for sum_ in sums])
    hard, size = llr < 0, np.abs(np.clip(llr.astype(int), -127, 127))
    even = [len(set(row) - {0}) == 1 for row in size]
    size[even] = np.sign(size[even])
    errors = words[None] ^ hard[:, None]

    def cost(values, x, free):  # x (B, words, N), values alike or (B, 1, N)
        if free.all() or not free[:-1].any():
            return (np.abs(values) * (x != (values < 0))).sum(axis=2)
        half = len(free) // 2
        a, b, left = values[..., :half], values[..., half:], x[..., :half] ^ x[..., half:]
        least = np.where((a < 0) ^ (b < 0), -1, 1) * np.minimum(abs(a), abs(b))
        total = np.clip(np.where(left == 1, b - a, b + a), -limit, limit)
        return cost(least, left, free[:half]) + cost(total, x[..., half:], free[half:])

    return cost(size[:, None], errors, free)


@pytest.mark.parametrize("code", [fecnn.polar(16, 7), fecnn.polar(64, 8), fecnn.pac(32, 7)], ids=str)
def test_the_whole_list_is_most_likely_in_saturating_llrs(code, rng):
    """With all words in the list, scl finds the least metric, which is wide."""
    assert arranged(code).order is None
    llr = int8_llrs(code.n, 40, rng)
    decided = fecnn.decoder("scl", code, list=1 << code.k, int8=True)(llr)
    words = code.codebook()
    place = (decided[:, None] == words).all(axis=2).argmax(axis=1)
    rows = np.arange(len(llr))
    assert (words[place] == decided).all()
    metrics, wide = (_metrics(code, llr, limit) for limit in (127, 1 << 20))
    assert (metrics[rows, place] == metrics.min(axis=1)).all()
    assert (wide[rows, place] > wide.min(axis=1)).any()  # saturation matters


@pytest.mark.parametrize("paths", [2, 8, 32])
def test_lists_of_small_llrs_are_those_in_float32(paths, rng):
    for code in (fecnn.polar(32, 16, crc=6), fecnn.pac(32, 16)):
        llr = rng.integers(-2, 4, (400, 32)).astype(np.int8)
        (bits, effort), (expected, other) = (
            fecnn.decoder("scl", code, list=paths, int8=int8).measure(llr) for int8 in (True, False)
        )
        assert (bits == expected).all()
        assert (effort.uncertified == other.uncertified).all()
        assert (effort.work == other.work).all()


def test_a_list_of_one_path_and_adaptive_lists_saturate_too(rng):
    code = fecnn.polar(32, 16)
    llr = int8_llrs(32, 20, rng)
    assert (fecnn.decoder("scl", code, list=1, int8=True)(llr) == as_sc_twin(code, llr)).all()
    code = fecnn.polar(64, 24, crc=6)
    llr = int8_llrs(64, 20, rng)
    one, whole = (fecnn.decoder("scl", code, list=size, int8=True).measure(llr) for size in (1, 2))
    bits = fecnn.decoder("scl", code, list=2, adaptive=True, int8=True)(llr)
    failed = one[1].uncertified
    assert (bits == np.where(failed[:, None], whole[0], one[0])).all()
    assert failed.any()


@pytest.mark.kernel
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"scale": 0.7},
        {"schedule": "layered", "scale": 0.75},
        {"schedule": "layered", "offset": 2.0},
        {"scale": 1.5, "offset": 1.0},
        {"scale": 0.0001},
    ],
    ids=str,
)
def test_bp_is_its_twin_in_saturating_integers(options, rng):
    """Frames alone and side by side; where it stops at a codeword, the twin does so by hand."""
    code = fecnn.hamming(3)
    llr = int8_llrs(7, 8, rng)
    twin = {
        "scale": max(1, round(256 * options.get("scale", 1))),
        "offset": int(options.get("offset", 0)),
        "layered": "schedule" in options,
    }
    bits, effort = fecnn.decoder("bp", code, rule="min-sum", iterations=4, int8=True, **options).measure(llr)
    expected, used = (llr < 0).astype(np.uint8), np.zeros(len(llr), int)
    for count in range(1, 5):
        left = code.syndrome(expected).any(axis=1)
        found = oracles.bp_int8(code.H, llr, count, **twin)
        expected[left] = ((found < 0) | ((found == 0) & (llr < 0)))[left]
        used[left] = count
    assert (bits == expected).all()
    assert (effort.work == used).all()
    decode = fecnn.decoder("bp", code, rule="min-sum", iterations=4, int8=True, **options)
    assert (np.array([decode(row) for row in llr[::5]]) == expected[::5]).all()
    plain = fecnn.decoder("bp", code, rule="min-sum", iterations=4, **options)(llr)
    assert (plain != expected).any()  # saturation, or rounding, matters


def test_bp_of_a_punctured_code_has_zeros_there(rng):
    code = fecnn.load_code("ccsds-128-64").puncture(8)
    llr = np.rint(rng.normal(8, 9, (50, 120))).astype(np.int8)
    options = {"rule": "min-sum", "scale": 0.75, "iterations": 10}
    mother = np.concatenate([llr, np.zeros((50, 8), np.int8)], axis=1)
    expected = fecnn.decoder("bp", code.mother.code, int8=True, **options)(mother)[:, :120]
    assert (fecnn.decoder("bp", code, int8=True, **options)(llr) == expected).all()


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({}, "int8 needs rule='min-sum'"),
        ({"rule": "min-sum", "damping": 0.5}, "no damping"),
        ({"rule": "min-sum", "offset": 0.5}, "whole number of steps"),
    ],
)
def test_options_of_bp_that_need_fractions_are_refused(options, match):
    with pytest.raises(ValueError, match=match):
        fecnn.decoder("bp", fecnn.hamming(3), int8=True, **options)


DECODERS = {
    "bp": (fecnn.load_code("ccsds-128-64"), {"rule": "min-sum", "iterations": 8}),
    "scl": (fecnn.polar(32, 16, crc=6), {"list": 4}),
    "sc": (fecnn.polar(32, 16), {}),
    "berlekamp-massey": (fecnn.bch(31, 16), {}),
    "hard": (fecnn.hamming(4), {}),
}


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("berlekamp-massey", fecnn.bch(31, 16)),
        ("berlekamp-massey", fecnn.bch(31, 16).shorten(4)),
        ("berlekamp-massey", fecnn.bch(31, 16).puncture(2)),
        ("hard", fecnn.hamming(4, extended=True)),
        ("hard", fecnn.bch(63, 36)),
    ],
)
def test_algebra_needs_the_signs_alone(name, code, rng):
    """And zeros, which are erasures."""
    llr = int8_llrs(code.n, 40, rng)
    llr = np.concatenate([llr, np.abs(np.maximum(llr, -127)) * rng.choice([1, 1, 1, 1, 1, -1], llr.shape)])
    bits, effort = fecnn.decoder(name, code, int8=True).measure(llr.astype(np.int8))
    expected, other = fecnn.decoder(name, code).measure(llr.astype(np.float32))
    assert (bits == expected).all()
    assert (effort.uncertified == other.uncertified).all()
    assert effort.uncertified.any()
    assert not effort.uncertified.all()


@pytest.mark.parametrize("name", DECODERS)
def test_the_contract_holds(name):
    """But for symmetry: what is rounded to 0 is taken for bit 0."""
    code, options = DECODERS[name]
    check_decoder(name, code, symmetric=False, int8=True, **options)


@pytest.mark.parametrize("name", DECODERS)
def test_it_is_symmetric_without_zeros(name, rng):
    code, options = DECODERS[name]
    decode = fecnn.decoder(name, code, int8=True, **options)
    llr = int8_llrs(code.n, 30, rng)
    llr[llr == 0] = 1
    word = code.encode(rng.integers(0, 2, code.k, dtype=np.uint8))
    sent = np.where(word == 1, -np.maximum(llr, -127), llr).astype(np.int8)
    assert (decode(sent) == decode(llr) ^ word).all()


@pytest.mark.parametrize("name", DECODERS)
def test_other_llrs_are_rounded_and_cut_off(name, rng):
    code, options = DECODERS[name]
    decode = fecnn.decoder(name, code, int8=True, **options)
    llr = np.concatenate([rng.normal(3, 6, (200, code.n)), rng.normal(90, 120, (200, code.n))])
    llr[::7, ::3] = rng.choice([0.5, 1.5, -0.5, -2.5, np.inf, 1e6, -300], llr[::7, ::3].shape)
    steps = np.array([[max(-127, min(127, v if np.isinf(v) else round(v))) for v in row] for row in llr])
    expected, effort = decode.measure(steps.astype(np.int8))
    for given in (
        llr,
        llr.astype(np.float32),
        np.clip(llr, -300, 300).astype(np.float32),
        steps,
        steps.astype(np.int16),
        np.asfortranarray(llr),
    ):
        bits, found = decode.measure(given)
        assert (bits == expected).all()
        assert (decode(given) == expected).all()
        assert (found.uncertified == effort.uncertified).all()
        assert (found.work == effort.work).all()


@pytest.mark.parametrize("name", DECODERS)
def test_int8_arrays_of_any_form_are_llrs(name, rng):
    code, options = DECODERS[name]
    decode = fecnn.decoder(name, code, int8=True, **options)
    llr = int8_llrs(code.n, 20, rng)
    expected, before = decode(llr), llr.copy()
    assert (decode(np.asfortranarray(llr)) == expected).all()
    assert (decode(np.repeat(llr, 2, axis=1)[:, ::2]) == expected).all()
    assert (decode(llr.reshape(2, -1, code.n)) == expected.reshape(2, -1, code.n)).all()
    assert (decode(llr[5]) == expected[5]).all()
    assert (decode(np.maximum(llr, -127)) == expected).all()
    assert (llr == before).all()
    ones = rng.integers(0, 2, (5, code.n)).astype(np.int8)
    assert not decode(ones).any()  # LLRs of 0 and 1, not bits: no bit is thought to be 1
    again = pickle.loads(pickle.dumps(decode))
    assert again == decode
    assert (again(llr) == expected).all()


@pytest.mark.parametrize("name", DECODERS)
def test_what_are_no_llrs_is_refused(name):
    code, options = DECODERS[name]
    decode = fecnn.decoder(name, code, int8=True, **options)
    with pytest.raises(ValueError, match=f"n = {code.n} values"):
        decode(np.ones((2, code.n + 1), np.int8))
    with pytest.raises(ValueError, match="NaN"):
        decode(np.full(code.n, np.nan))
    with pytest.raises(TypeError, match="masked"):
        decode(np.ma.masked_equal(np.ones(code.n, np.int8), 1))
    with pytest.raises(TypeError, match="int8 must be true or false"):
        fecnn.decoder(name, code, int8=1, **options)


def test_exact_box_plus_has_no_int8():
    for name in ("sc", "scl"):
        with pytest.raises(ValueError, match="only one of them"):
            fecnn.decoder(name, fecnn.polar(8, 4), exact=True, int8=True)


def test_other_decoders_take_int8_as_float32(rng):
    code = fecnn.load_code("bch-15-7")
    llr = rng.integers(-128, 128, (50, 15)).astype(np.int8)
    for name in ("ml", "osd", "berlekamp-massey"):
        decode = fecnn.decoder(name, code)
        assert (decode(llr) == decode(llr.astype(np.float32))).all()


def test_a_decoder_around_another_passes_the_option_on(rng):
    code = fecnn.reed_muller(2, 5)
    llr = rng.normal(8, 14, (40, 32))
    decode = fecnn.decoder("aed", code, ensemble=1, decoder="sc", stop="never", int8=True)
    assert (decode(llr) == fecnn.decoder("sc", code, int8=True)(llr)).all()
