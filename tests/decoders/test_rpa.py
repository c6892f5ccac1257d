"""Recursive projection-aggregation: a plain twin, one error everywhere, and how near it comes to ML."""

import numpy as np
import oracles
import pytest

import fecnn


@pytest.mark.parametrize(("r", "m"), [(1, 3), (2, 3), (2, 4), (3, 4)])
@pytest.mark.parametrize("iterations", [None, 1])
def test_decisions_are_those_of_the_plain_twin(r, m, iterations, rng):
    code = fecnn.reed_muller(r, m)
    llr = fecnn.AWGN.at(2.0, code.rate).transmit(code.encode(rng.integers(0, 2, (12, code.k))), rng)
    found = fecnn.decoder("rpa", code, iterations=iterations)(llr)
    for frame, bits in zip(llr.astype(np.float64), found, strict=True):
        assert (bits == oracles.rpa(frame, m, r, iterations)).all()


def test_order_1_is_maximum_likelihood(rng):
    code = fecnn.reed_muller(1, 5)
    llr = rng.normal(0.1, 1, (300, 32)).astype(np.float32)
    bits, effort = fecnn.decoder("rpa", code).measure(llr)
    assert (bits == oracles.ml(code, llr)).all()
    assert (effort.work == 1).all()
    assert not effort.uncertified.any()


def test_order_2_is_near_maximum_likelihood(rng):
    """RM(2, 5) at 2 dB: within a fifth of ML's errors (Ye and Abbe say that the two can hardly be told)."""
    code = fecnn.reed_muller(2, 5)
    words = code.encode(rng.integers(0, 2, (6000, code.k)))
    llr = fecnn.AWGN.at(2.0, code.rate).transmit(words, rng)
    errors = [(fecnn.decoder(name, code)(llr) != words).any(axis=1).sum() for name in ("rpa", "ml")]
    assert errors[1] > 200
    assert errors[1] <= errors[0] < 1.2 * errors[1]


def test_a_frame_is_decided_alike_in_any_batch_and_at_any_scale(rng):
    code = fecnn.reed_muller(3, 5)
    llr = rng.normal(0.4, 1, (40, 32)).astype(np.float32)
    decode = fecnn.decoder("rpa", code)
    bits, effort = decode.measure(llr)
    for i in range(0, 40, 7):
        alone, its = decode.measure(llr[i : i + 1])
        assert (alone == bits[i]).all()
        assert its.work == effort.work[i]
    assert (effort.uncertified == code.syndrome(bits).any(axis=1)).all()


def test_positions_may_be_moved_by_an_affine_map(rng):
    code = fecnn.reed_muller(2, 4)
    moved = fecnn.Code.from_generator(code.G[:, np.arange(16) ^ 5])
    llr = rng.normal(0.5, 1, (50, 16)).astype(np.float32)
    assert (fecnn.decoder("rpa", moved)(llr) == fecnn.decoder("rpa", code)(llr)).all()


@pytest.mark.parametrize(
    ("code", "options", "message"),
    [
        (fecnn.hamming(3), {}, "hamming-7-4 is no Reed-Muller code of order 1 or more"),
        (fecnn.polar(16, 8), {}, "polar-16-8 is no Reed-Muller code"),
        (fecnn.reed_muller(0, 4), {}, "of order 1 or more"),
        (fecnn.reed_muller(4, 8), {}, "rm-256-163 has 2,040,255 projections to order 1, more than 131,072"),
        (fecnn.reed_muller(2, 4), {"iterations": 0}, "iterations must be 1 or more, got 0"),
        (fecnn.reed_muller(2, 4), {"theta": -1.0}, "theta must be 0 or more, got -1.0"),
    ],
)
def test_what_it_cannot_decode_is_refused(code, options, message):
    with pytest.raises(ValueError, match=message):
        fecnn.decoder("rpa", code, **options)
