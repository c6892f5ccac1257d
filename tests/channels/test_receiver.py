"""Receivers: a wrong noise level, and LLRs of few bits."""

import numpy as np
import pytest

import fecnn
from fecnn import AWGN, BSC, Rayleigh, Receiver


@pytest.mark.parametrize(("bits", "largest"), [(2, 4.0), (3, 6.0), (5, 10.0), (16, 100.0)])
def test_levels_are_even_symmetric_and_hold_zero(bits, largest, rng):
    llr = rng.normal(0, largest, 200_000).astype(np.float32)
    receive = Receiver(bits=bits, range=largest)
    seen = receive(llr)
    assert seen.dtype == np.float32
    levels = np.unique(np.abs(seen)) if bits > 8 else np.unique(seen)
    if bits <= 8:
        assert levels == pytest.approx(np.linspace(-largest, largest, 2**bits - 1), rel=1e-6, abs=1e-6)
    step = largest / (2 ** (bits - 1) - 1)
    inside = np.abs(llr) <= largest
    assert np.abs(seen - llr)[inside].max() <= step / 2 + 1e-7 * largest
    assert np.abs(seen[~inside]) == pytest.approx(largest)
    assert (receive(-llr) == -seen).all()


def test_lost_bits_stay_lost_and_certain_ones_are_cut_off():
    llr = np.array([0, np.inf, -np.inf, 1e30], np.float32)
    assert Receiver(bits=4, range=7.0)(llr).tolist() == [0, 7, -7, 7]
    assert Receiver(scale=0.5)(llr).tolist()[:3] == [0, np.inf, -np.inf]


def test_scale_comes_first():
    assert Receiver(scale=2.0, bits=3, range=3.0)(np.float32([0.6, 0.7, 2])).tolist() == [1, 1, 3]


@pytest.mark.parametrize("channel", [AWGN(0.8), Rayleigh(0.8)])
def test_the_believed_noise_level_gives_the_scaled_llrs(channel):
    """With BPSK, as if the receiver took this variance of the noise for the true one."""
    bits = np.zeros((50, 16), np.uint8)
    believed = Receiver(scale=4.0).believed(channel)
    assert believed.sigma == pytest.approx(0.4)
    # The same received values, read with the believed level: undo the true scale, apply the believed one.
    llr = channel.transmit(bits, np.random.default_rng(1))
    read = llr * (channel.sigma / believed.sigma) ** 2
    assert Receiver(scale=4.0)(llr) == pytest.approx(read, rel=1e-6)


def test_other_channels_have_no_believed_level():
    assert Receiver(scale=4.0).believed(BSC(0.1)) is None
    assert Receiver(bits=4, range=8.0).believed(BSC(0.1)) == BSC(0.1)


def test_a_network_that_is_told_a_wrong_noise_level_sees_the_same_values(rng):
    """It takes received values, and these do not depend on what a receiver believes."""
    code = fecnn.load_code("bch-31-16")
    channel, receiver = AWGN.at(3.0, code.rate), Receiver(scale=4.0)
    llr = channel.transmit(code.encode(rng.integers(0, 2, (300, code.k), dtype=np.uint8)), rng)
    true = fecnn.decoder("fecnn-net", code, channel)(llr)
    assert (fecnn.decoder("fecnn-net", code, receiver.believed(channel))(receiver(llr)) == true).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": 0.0}, "scale must be a factor above 0, got 0.0"),
        ({"bits": 4}, "bits and range belong together"),
        ({"bits": 1, "range": 4.0}, "bits must be in 2..16, got 1; hard decisions are the channel bsc"),
        ({"bits": 17, "range": 4.0}, "bits must be in 2..16"),
        ({"bits": 4, "range": -1.0}, "range must be the largest LLR"),
    ],
)
def test_mistakes_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        Receiver(**options)


def test_large_llrs_do_not_become_certain():
    llr = np.float32([3e38, -3e38, np.inf, -np.inf, 1])
    seen = Receiver(scale=2.0)(llr)
    assert np.isfinite(seen).tolist() == [True, True, False, False, True]
    assert (seen[[0, 1]] == np.finfo(np.float32).max * np.float32([1, -1])).all()
    assert (seen[2:] == 2 * llr[2:]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": "2"}, "scale must be a number, got '2'"),
        ({"bits": 2.5, "range": 1.0}, "bits must be a whole number, got 2.5"),
        ({"bits": 4, "range": "3"}, "range must be a number, got '3'"),
    ],
)
def test_numbers_of_the_wrong_kind_are_refused(options, message):
    with pytest.raises(TypeError, match=message):
        Receiver(**options)
