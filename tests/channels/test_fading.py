"""Fading with known gains: its statistics, and that what was there stays bit for bit."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import kstest, norm, rayleigh, rice

import fecnn
from fecnn import AWGN, Rayleigh, Rician
from fecnn.channels.fading import _gains
from fecnn.channels.stream import FrameStream
from fecnn.testing import check_channel


def count_wrong(channel, frames, n):
    stream = FrameStream("fading", 0)
    bits = stream.messages(frames, n)
    return ((channel.transmit(bits, stream) < 0) != bits).mean(axis=1)


@pytest.mark.kernel
def test_fast_rayleigh_fading_of_bpsk_is_what_it_was():
    """Frames of stored results: noise first, then the two parts of the gain."""
    bits = FrameStream("bits", 0).messages(50, 31)
    channel, stream = Rayleigh.at(3.0, 0.5), FrameStream("gains", 0)
    noise, a, b = (stream.standard_normal((50, 31)) for _ in range(3))
    gain = np.sqrt(np.float32(0.5) * (a * a + b * b))
    y = gain * fecnn.bpsk(bits) + np.float32(channel.sigma) * noise
    expected = gain * y * np.float32(2 / channel.sigma**2)
    assert (channel.transmit(bits, FrameStream("gains", 0)) == expected).all()


@pytest.mark.parametrize("k_factor_db", [None, -3.0, 6.0])
def test_gains_have_their_distribution(k_factor_db):
    k = 0.0 if k_factor_db is None else 10 ** (k_factor_db / 10)
    gain = _gains(FrameStream("gains", 0), 20_000, 4, k, 1).ravel().astype(np.float64)
    scale = np.sqrt(0.5 / (1 + k))
    law = rice(np.sqrt(2 * k), scale=scale) if k else rayleigh(scale=scale)
    assert kstest(gain, law.cdf).pvalue > 1e-3
    assert np.mean(gain**2) == pytest.approx(1, abs=5 * np.sqrt(1 / gain.size))


@pytest.mark.parametrize("block", [0, 1, 3, 5, 13, 40])
def test_gains_last_for_a_block(block):
    gain = _gains(FrameStream("gains", 0), 50, 13, 0.0, block)
    assert gain.shape == (50, 13)
    starts = range(0, 13, min(block, 13) or 13)
    assert len(np.unique(gain[0])) == len(starts)
    for start in starts:
        part = gain[:, start : start + (block or 13)]
        assert (part == part[:, :1]).all()


@pytest.mark.parametrize("block", [0, 1, 4])
@pytest.mark.parametrize("modulation", ["bpsk", "qpsk", "8psk", "16qam", "256qam"])
@pytest.mark.parametrize("name", ["rayleigh", "rician"])
def test_fading_keeps_the_contract(name, modulation, block):
    check_channel(name, modulation=modulation, block=block, interleaver="random")


@pytest.mark.parametrize("modulation", ["bpsk", "qpsk"])
@pytest.mark.parametrize("block", [0, 2])
def test_rayleigh_has_the_closed_form(modulation, block):
    gamma = 10**0.6
    wrong = count_wrong(Rayleigh.at(6.0, 1.0, block=block, modulation=modulation), 100_000, 8)
    expected = 0.5 * (1 - np.sqrt(gamma / (1 + gamma)))
    assert abs(wrong.mean() - expected) < 5 * wrong.std() / np.sqrt(len(wrong))


def test_rayleigh_of_16_qam_is_the_mean_over_the_fading():
    gamma = 10**1.2

    def given(power):
        x = np.sqrt(0.8 * gamma * power)
        return (0.75 * norm.sf(x) + 0.5 * norm.sf(3 * x) - 0.25 * norm.sf(5 * x)) * np.exp(-power)

    expected = quad(given, 0, np.inf)[0]
    wrong = count_wrong(Rayleigh.at(12.0, 1.0, modulation="16qam", demapper="maxlog"), 100_000, 8)
    assert abs(wrong.mean() - expected) < 5 * wrong.std() / np.sqrt(len(wrong))


@pytest.mark.parametrize("k_factor_db", [-5.0, 3.0, 10.0])
def test_rician_has_its_integral(k_factor_db):
    """Simon and Alouini, Digital Communication over Fading Channels, 2005: the generating function."""
    k, gamma = 10 ** (k_factor_db / 10), 10**0.4

    def integrand(angle):
        s = np.sin(angle) ** 2
        return (1 + k) * s / ((1 + k) * s + gamma) * np.exp(-k * gamma / ((1 + k) * s + gamma)) / np.pi

    expected = quad(integrand, 0, np.pi / 2)[0]
    wrong = count_wrong(Rician.at(4.0, 1.0, k_factor_db=k_factor_db), 60_000, 8)
    assert abs(wrong.mean() - expected) < 5 * wrong.std() / np.sqrt(len(wrong))


def test_rician_lies_between_rayleigh_and_awgn():
    """At the ends of the K factor it is one of the two, up to rounding."""
    bits = FrameStream("bits", 0).messages(200, 16)
    low = Rician(0.7, -100.0).transmit(bits, FrameStream("ends", 0))
    assert np.allclose(low, Rayleigh(0.7).transmit(bits, FrameStream("ends", 0)), rtol=2e-3, atol=2e-3)
    high = Rician(0.7, 100.0).transmit(bits, FrameStream("ends", 0))
    assert np.allclose(high, AWGN(0.7).transmit(bits, FrameStream("ends", 0)), rtol=1e-3, atol=1e-3)


def test_a_frame_with_one_gain_fails_as_a_whole():
    """The chance that a code of rate 1 fails is then that of the gain, and errors come together."""
    fast, slow = (count_wrong(Rayleigh.at(10.0, 1.0, block=block), 40_000, 32) > 0 for block in (1, 0))
    assert slow.mean() < 0.5 * fast.mean()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Rayleigh(1.0, block=-1), "block must be a number of symbols, or 0"),
        (lambda: Rician.at(3.0, 0.5, k_factor_db=1000.0), "k_factor_db .* -100..100"),
        (lambda: Rician.at(3.0, 0.5, modulation="32qam"), "no modulation '32qam'"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_block_is_a_whole_number():
    for wrong in (1.5, True):
        with pytest.raises(TypeError, match=f"block must be a whole number, got {wrong}"):
            Rayleigh.at(3.0, 0.5, block=wrong)
    with pytest.raises(ValueError, match=r"block must be a number of symbols, .*, got -1"):
        Rayleigh.at(3.0, 0.5, block=-1)
