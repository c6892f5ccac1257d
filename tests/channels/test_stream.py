"""Frames are a function of (name, index): against Python integers and float64, and as random numbers."""

import hashlib

import numpy as np
import oracles
import pytest
from scipy import stats

import fecnn
from fecnn.channels.kernels import box_muller, philox
from fecnn.channels.stream import FrameStream


@pytest.mark.kernel
def test_philox_known_answers():
    """The vectors published with the generator (Salmon et al., Random123 kat_vectors)."""
    for key, purpose, block, expected in [
        ((0, 0, 0), 0, 0, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((2**32 - 1,) * 3, 2**32 - 1, 2**64 - 1, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    ]:
        out = np.empty((4, 1), np.uint32)
        philox(np.array(key, np.uint32), np.uint32(purpose), np.uint64(block), out)
        assert tuple(out[:, 0].tolist()) == expected
        assert oracles.philox(key, purpose, block) == expected


@pytest.mark.kernel
def test_philox_equals_python_integers(rng):
    key = rng.integers(0, 2**32, 3, dtype=np.uint32)
    for first in (0, 5, 2**32 - 2, 2**40 + 3):
        out = np.empty((4, 5), np.uint32)
        philox(key, np.uint32(7), np.uint64(first), out)
        for i in range(5):
            assert tuple(out[:, i].tolist()) == oracles.philox(key, 7, first + i)


@pytest.mark.kernel
def test_box_muller_equals_float64(rng):
    words = rng.integers(0, 2**32, (4, 50, 3), dtype=np.uint32)
    words[:, 0] = [[0, 2**32 - 1, 2**31], [0, 2**30, 2**31 - 1], [1, 2, 3], [2**29, 2**30 + 2**29, 3 * 2**30]]
    out = np.empty((50, 12), np.float32)
    box_muller(words, out)
    for frame in range(50):
        for block in range(3):
            for pair in range(2):
                x, y = oracles.box_muller(*(int(words[2 * pair + i, frame, block]) for i in range(2)))
                assert abs(out[frame, 2 * pair * 3 + block] - x) < 4e-5
                assert abs(out[frame, (2 * pair + 1) * 3 + block] - y) < 4e-5


@pytest.mark.parametrize("n", [1, 3, 4, 31, 64, 129])
def test_frames_do_not_depend_on_the_batch(n):
    whole = FrameStream("split", 0)
    messages, noise, second = whole.messages(40, n), whole.standard_normal((40, n)), whole.random((40, n))
    for first, frames in ((0, 1), (1, 6), (7, 33)):
        part = FrameStream("split", first)
        rows = slice(first, first + frames)
        assert (part.messages(frames, n) == messages[rows]).all()
        assert (part.standard_normal((frames, n)) == noise[rows]).all()
        assert (part.random((frames, n)) == second[rows]).all()


@pytest.mark.parametrize(
    ("name", "digest"),
    [("AWGN", "a8e1181542b84b14"), ("BSC", "cf2fcfb20e04dd8b"), ("Rayleigh", "0ec81fe7c2e38b94")],
)
def test_frames_of_stored_results_are_pinned(name, digest):
    """A change of these raises `STREAM`: counts of two noises must not be pooled."""
    found = hashlib.sha256()
    for n in (1, 31, 64, 129):
        stream = FrameStream(f"pinned {n}", 5)
        bits = stream.messages(70, n)
        found.update(bits.tobytes() + getattr(fecnn, name).at(2.0, 0.5).transmit(bits, stream).tobytes())
    assert found.hexdigest()[:16] == digest


def test_names_draws_and_purposes_are_independent():
    a, b = FrameStream("a", 0), FrameStream("b", 0)
    first, again, other = (s.standard_normal((20000, 4)).ravel() for s in (a, a, b))
    for left, right in ((first, again), (first, other)):
        assert abs(np.corrcoef(left, right)[0, 1]) < 5 / np.sqrt(left.size)


def test_values_are_gaussian_and_uniform():
    stream = FrameStream("quality", 0)
    z = stream.standard_normal((50000, 8)).astype(np.float64)
    assert stats.kstest(z.ravel(), "norm").pvalue > 1e-3
    size = np.sqrt(z.size)
    for moment, mean, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((z**moment).mean() - mean) < 4.5 * np.sqrt(variance) / size
    assert np.abs(np.corrcoef(z.T) - np.eye(8)).max() < 5 / np.sqrt(len(z))
    u = stream.random((50000, 8)).astype(np.float64).ravel()
    assert stats.kstest(u, "uniform").pvalue > 1e-3
    assert 0 <= u.min() <= u.max() < 1
    bits = stream.messages(50000, 130)
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 5 * 0.5 / np.sqrt(50000)
    assert abs(np.corrcoef(bits[:, 0], bits[:, 129])[0, 1]) < 5 / np.sqrt(50000)
