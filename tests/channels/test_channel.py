"""Channels: the sign convention, the noise level, and LLRs that are what they claim."""

import numpy as np
import pytest
from scipy.stats import norm

from fecnn import AWGN, BSC, Rayleigh
from fecnn.channels.channel import CHANNELS, channel_at
from fecnn.channels.stream import FrameStream


def sent_and_llr(channel, frames=40000):
    stream = FrameStream("channel", 0)
    bits = stream.messages(frames, 8)
    return bits, channel.transmit(bits, stream)


@pytest.mark.parametrize("name", sorted(CHANNELS))
def test_llr_is_the_log_likelihood_ratio(name):
    """Among bits with LLR near x, the share of zeros is 1 / (1 + e^-x): positive means 0, and by how much."""
    bits, llr = sent_and_llr(channel_at(name, 1.0, 0.5))
    assert llr.dtype == np.float32
    for low in np.arange(-4, 4, 0.5):
        chosen = (llr >= low) & (llr < low + 0.5)
        count = chosen.sum()
        if count < 500:
            continue
        expected = 1 / (1 + np.exp(-llr[chosen].astype(np.float64)))
        assert abs((bits[chosen] == 0).mean() - expected.mean()) < 5 * 0.5 / np.sqrt(count), low


def test_uncoded_error_rates_are_the_closed_forms():
    ebn0_db, rate = 3.0, 0.75
    ebn0 = rate * 10 ** (ebn0_db / 10)
    closed = {
        "awgn": norm.sf(np.sqrt(2 * ebn0)),
        "bsc": norm.sf(np.sqrt(2 * ebn0)),
        "rayleigh": 0.5 * (1 - np.sqrt(ebn0 / (1 + ebn0))),  # Proakis
    }
    assert set(closed) == set(CHANNELS), "a channel without its closed form"
    for name, expected in closed.items():
        bits, llr = sent_and_llr(channel_at(name, ebn0_db, rate))
        assert abs(((llr < 0) != bits).mean() - expected) < 5 * np.sqrt(expected / bits.size), name


def test_noiseless_zero_word_has_positive_llrs():
    zero = np.zeros((10, 5), np.uint8)
    for channel in (AWGN(1e-3), BSC(0.0), Rayleigh(1e-6)):
        assert (channel.transmit(zero, FrameStream("positive", 0)) > 0).all()
        assert (channel.transmit(zero + 1, np.random.default_rng(0)) < 0).all()
    assert np.isinf(BSC(0.0).transmit(zero, FrameStream("positive", 0))).all()


def test_bsc_says_nothing_at_one_half():
    assert (BSC(0.5).transmit(np.zeros((3, 4), np.uint8), FrameStream("half", 0)) == 0).all()


def test_noise_level():
    assert AWGN.at(0, 1).sigma == pytest.approx(np.sqrt(0.5))
    assert AWGN.at(3, 0.5).sigma == pytest.approx(10 ** (-3 / 20))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: AWGN.at(float("nan"), 0.5), ValueError, "ebn0_db"),
        (lambda: AWGN.at(1000, 0.5), ValueError, "-100..100"),
        (lambda: AWGN.at(3, 0), ValueError, "rate"),
        (lambda: BSC(0.7), ValueError, "crossover"),
        (lambda: channel_at("awng", 3, 0.5), LookupError, "did you mean awgn"),
    ],
)
def test_mistakes_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
