"""The compiled engine makes the frames and the counts of the readable one, bit for bit, over all channels."""

import numpy as np
import pytest
from decoding_cases import SMALL, random_codes

import fecnn
from fecnn.channels.registry import channel_at
from fecnn.channels.stream import FrameStream
from fecnn.decoders.contract import Effort
from fecnn.simulation.frames import Engine, PlainEngine
from fecnn.simulation.kernels import STRIP


def codes(rng):
    if SMALL:
        return [*random_codes(rng), fecnn.load_code("bch-127-64")]
    wide = rng.integers(0, 2, (130, 70), dtype=np.uint8)
    return [
        *random_codes(rng, count=12, longest=20),
        *(fecnn.load_code(name) for name in ("bch-31-21", "polar-64-32", "bch-63-45", "bch-127-64")),
        fecnn.Code.from_generator(
            np.concatenate([np.eye(130, dtype=np.uint8), wide], axis=1), name="k > 128"
        ),
        fecnn.uncoded(64),
        fecnn.uncoded(65),
    ]


def both(code, channel="awgn"):
    made = channel_at(channel, 1.0, code.rate)
    return Engine(code, made), PlainEngine(code, made)


CHANNELS = {
    "awgn": "awgn",
    "16-QAM": (("interleaver", "random"), ("modulation", "16qam"), ("name", "awgn")),
    "8-PSK": (("demapper", "maxlog"), ("modulation", "8psk"), ("name", "awgn")),
    "bec": "bec",
    "bsc": "bsc",
    "rayleigh": "rayleigh",
    "rician": (("block", 0), ("modulation", "qpsk"), ("name", "rician")),
}


@pytest.mark.kernel
@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(("first", "count"), [(0, 1), (3, STRIP), (2**33, 2 * STRIP + 5)])
def test_frames_are_equal(first, count, channel, rng):
    for code in codes(rng):
        engines = both(code, CHANNELS[channel])
        fast, plain = (e.frames(FrameStream(code.name, first), count) for e in engines)
        assert (fast.llr == plain.llr).all(), code.name
        assert (fast.codewords == plain.codewords).all(), code.name


@pytest.mark.kernel
@pytest.mark.parametrize("channel", CHANNELS)
def test_counts_are_equal(channel, rng):
    """Also over erasures, whose LLRs are infinite or 0."""
    count = 30 if SMALL else 300
    for code in codes(rng):
        fast, plain = both(code, CHANNELS[channel])
        ours, theirs = (e.frames(FrameStream("counts", 7), count) for e in (fast, plain))
        decisions = {
            "hard": (ours.llr < 0).astype(np.uint8),
            "codewords": code.encode(rng.integers(0, 2, (count, code.k), dtype=np.uint8)),
            "osd": fecnn.decoder("osd", code, order=min(code.k, 1))(ours.llr),
        }
        effort = Effort(np.arange(count), np.arange(count) % 7 == 0)
        for kind, decided in decisions.items():
            a, b = fast.count(ours, decided, 0.5, effort), plain.count(theirs, decided, 0.5, effort)
            assert a == b, (code.name, kind)
            assert a.flags == b.flags
            assert (a.work, a.uncertified) == (count * (count - 1) // 2, -(-count // 7))


@pytest.mark.kernel
def test_nothing_to_count(rng):
    code = fecnn.hamming(3)
    fast, plain = both(code)
    frames = fast.frames(FrameStream("none", 0), 0)
    assert fast.count(frames, frames.codewords, 0.0) == plain.count(
        plain.frames(FrameStream("none", 0), 0), frames.codewords, 0.0
    )
