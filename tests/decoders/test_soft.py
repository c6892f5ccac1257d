"""Soft decoders: what their LLRs promise, and that their signs are as good as hard decisions."""

import numpy as np
import oracles
import pytest
from scipy.optimize import brentq
from scipy.special import expit

import fecnn
from fecnn.decoders.registry import decoder_names

GUESSERS = ("grand", "orbgrand", "sgrand")
SLOPES = {
    "map": (0.95, 1.05),
    "osd": (0.8, 1.0),
    "scl": (0.8, 1.1),
    "chase2": (0.7, 1.0),
    "bp": (0.6, 0.85),
    "grand": (0.7, 0.9),
    "orbgrand": (0.85, 1.0),
    "sgrand": (0.85, 1.0),
}
"""Least and largest slope of the log-odds of being right against |APP|, as the docstrings say."""

ANY = (0.5, 1.5)
"""What is asked of a soft decoder that says nothing."""

CODES = {"bch-31-21": 3.0, "hamming-15-11": 4.0, "polar-32-16": 2.5}


def slope(app, codewords, largest=8.0):
    """The s for which bits of |APP| up to ``largest`` are right with probability 1 / (1 + e^(-s |APP|)).

    By maximum likelihood: then the sum of |APP| over right bits is what that probability lets expect.
    """
    magnitude = np.abs(app).ravel().astype(np.float64)
    right = ((app < 0) == codewords).ravel()
    used = magnitude <= largest
    magnitude, right = magnitude[used], right[used]
    return brentq(lambda s: (magnitude * (right - expit(s * magnitude))).sum(), 0.0, 20.0)


def received(name, frames=6000):
    rng = np.random.default_rng(7)
    code = fecnn.load_code(name)
    channel = fecnn.AWGN.at(CODES[name], code.rate)
    codewords = code.encode(rng.integers(0, 2, (frames, code.k), dtype=np.uint8))
    return code, channel, codewords, channel.transmit(codewords, rng)


def suited(name):
    if name in GUESSERS:  # 16 checks take long
        return ["bch-31-21", "hamming-15-11"]
    return ["polar-32-16"] if name == "scl" else CODES


def test_the_slope_of_true_posteriors_is_1(rng):
    app = rng.normal(0, 3, 200_000)
    assert abs(slope(app, rng.random(200_000) < expit(-app)) - 1) < 0.02
    assert abs(slope(2 * app, rng.random(200_000) < expit(-app)) - 0.5) < 0.02


@pytest.mark.parametrize("name", decoder_names(soft=True))
def test_reliabilities_are_as_calibrated_as_stated(name):
    low, high = SLOPES.get(name, ANY)
    for code_name in suited(name):
        code, channel, codewords, llr = received(code_name)
        found = slope(fecnn.soft_decoder(name, code, channel)(llr), codewords)
        assert low <= found <= high, (code_name, found)


@pytest.mark.parametrize("name", decoder_names(soft=True))
def test_signs_are_no_worse_than_hard_decisions_of_the_same_decoder(name):
    for code_name in suited(name):
        code, channel, codewords, llr = received(code_name)
        decided = fecnn.decoder(name, code, channel)(llr)
        decided = decided if decided.shape[1] == code.n else code.encode(decided)
        signs = fecnn.soft_decoder(name, code, channel)(llr) < 0
        errors, soft_errors = ((bits != codewords).any(axis=1).sum() for bits in (decided, signs))
        # Bit-wise maximum a posteriori decides no codewords: some more block errors, and fewer bit errors.
        # So do words together with what was not listed.
        allowance = errors * (0.1 if name == "map" else 0.2 if name in GUESSERS else 0)
        assert soft_errors <= errors + allowance + 3 * np.sqrt(allowance), (code_name, errors, soft_errors)


@pytest.mark.parametrize("options", [{"list": 2}, {"list": 8}, {"list": 8, "exact": True}], ids=str)
@pytest.mark.parametrize("crc", [0, 6])
def test_signs_of_soft_scl_are_the_path_of_scl(crc, options, rng):
    """Also where all paths except the costliest fail a CRC: no competitor is left to compare it with."""
    code = fecnn.polar(32, 16, crc=crc)
    channel = fecnn.AWGN.at(3.0, code.rate)
    codewords = code.encode(rng.integers(0, 2, (3000, code.k), dtype=np.uint8))
    llr = channel.transmit(codewords, rng)
    decided, effort = fecnn.decoder("scl", code, **options).measure(llr)
    app = fecnn.soft_decoder("scl", code, **options)(llr)
    errors, soft_errors = ((bits != codewords).any(axis=1).sum() for bits in (decided, app < 0))
    assert soft_errors <= errors
    assert (app[~effort.uncertified] != 0).all()
    assert 0.9 <= slope(app, codewords) <= 1.8


@pytest.mark.parametrize("options", [{}, {"rule": "min-sum"}, {"schedule": "layered"}], ids=str)
@pytest.mark.parametrize("name", ["golay-24-12", "bch-31-16", "polar-128-64"])
def test_soft_bp_does_not_leave_the_codeword_that_bp_finds_for_none(name, options, rng):
    code = fecnn.load_code(name)
    channel = fecnn.AWGN.at(3.5, code.rate)
    codewords = code.encode(rng.integers(0, 2, (2000, code.k), dtype=np.uint8))
    llr = channel.transmit(codewords, rng)
    decided, effort = fecnn.decoder("bp", code, **options).measure(llr)
    signs = (fecnn.soft_decoder("bp", code, **options)(llr) < 0).astype(np.uint8)
    found = ~effort.uncertified
    assert not code.syndrome(signs[found]).any()
    assert (signs[~found] == decided[~found]).all()
    assert (signs != codewords).any(axis=1).sum() <= (decided != codewords).any(axis=1).sum() + 2


@pytest.mark.parametrize("name", ["bch-31-21", "bch-63-45", "ebch-128-64", "golay-24-12"])
def test_signs_of_soft_chase_are_the_word_of_chase(name, rng):
    """In 1 of 3 frames each other value would be outvoted by a wrong channel value."""
    code = fecnn.load_code(name)
    channel = fecnn.AWGN.at(3.0, code.rate)
    llr = channel.transmit(code.encode(rng.integers(0, 2, (500, code.k), dtype=np.uint8)), rng)
    for options in ({}, {"positions": 2}, {"positions": 5, "t": 1}):
        decided = fecnn.decoder("chase2", code, **options)(llr)
        for beta in (0.0, 0.5):
            app = fecnn.soft_decoder("chase2", code, beta=beta, **options)(llr)
            assert ((app < 0) == decided).all(), (options, beta)


def test_ties_of_soft_chase_have_the_signs_of_its_word(rng):
    code = fecnn.load_code("bch-15-7")
    llr = np.where(rng.random((500, 15)) < 0.15, -1, 1).astype(np.float32)
    app = fecnn.soft_decoder("chase2", code, positions=4)(llr)
    assert ((app < 0) == fecnn.decoder("chase2", code, positions=4)(llr)).all()


def test_a_prior_is_more_evidence_and_the_rest_is_extrinsic(rng):
    code = fecnn.load_code("hamming-7-4")
    soft = fecnn.soft_decoder("map", code)
    llr, prior = rng.normal(1, 2, (2, 50, code.n)).astype(np.float32)
    expected = oracles.app(code, llr.astype(np.float64) + prior, code.codebook())
    np.testing.assert_allclose(soft(llr, prior=prior), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(soft(llr, prior=prior[0]), soft(llr + prior[0]))
    extrinsic = soft.extrinsic(llr, prior=prior, out=np.empty_like(llr))
    np.testing.assert_allclose(extrinsic, expected - llr - prior, rtol=1e-4, atol=1e-5)
    channel = fecnn.AWGN.at(3.0, code.rate)
    np.testing.assert_array_equal(soft.extrinsic(llr, channel=channel), soft.at(channel).extrinsic(llr))


def test_what_is_certain_has_nothing_extrinsic():
    soft = fecnn.soft_decoder("map", fecnn.single_parity_check(3))
    llr, prior = [1.0, np.inf, -2.0], [0.0, np.inf, -np.inf]
    np.testing.assert_array_equal(soft.extrinsic(llr), [-2, 0, 1])
    found = soft.extrinsic(llr, prior=prior)
    assert found[0] < -1000  # as good as certain, see `fecnn.arrays.within_reach`
    np.testing.assert_array_equal(found[1:], 0)


@pytest.mark.parametrize(
    ("prior", "said"),
    [
        ([0.0, 0.0], "prior must have n = 3 values on the last axis"),
        ([[0.0, 0.0, 0.0]], r"prior must have the shape of llr, \(3,\), or \(n,\), got \(1, 3\)"),
        ([0.0, np.nan, 0.0], "prior holds NaN"),
        ([0.0, -np.inf, 0.0], "prior must not be sure of the contrary"),
        ([0, 1, 0], "prior must be log-likelihood ratios"),
    ],
)
def test_a_prior_that_is_none_is_refused(prior, said):
    soft = fecnn.soft_decoder("map", fecnn.single_parity_check(3))
    for decode in (soft, soft.extrinsic):
        with pytest.raises((ValueError, TypeError), match=said):
            decode([1.0, np.inf, -2.0], prior=prior)


def test_rows_and_columns_of_a_product_code_help_each_other(rng):
    """Turbo decoding (Hagenauer, Offer and Papke 1996): what rows find is the prior of columns, and back."""
    code = fecnn.load_code("ext-hamming-8-4")
    soft = fecnn.soft_decoder("map", code)
    messages = rng.integers(0, 2, (400, code.k, code.k), dtype=np.uint8)
    sent = code.encode(code.encode(messages).swapaxes(1, 2))
    llr = fecnn.AWGN.at(2.0, code.rate**2).transmit(sent, rng)
    prior, errors = np.zeros_like(llr), []
    for _ in range(6):
        errors.append(np.count_nonzero((soft(llr, prior=prior) < 0) != sent))
        prior = soft.extrinsic(llr, prior=prior).swapaxes(1, 2)
        llr, sent = llr.swapaxes(1, 2), sent.swapaxes(1, 2)
    assert errors[0] > 1000
    assert errors[1] < 0.5 * errors[0]
    assert errors[-1] < 0.25 * errors[0]
