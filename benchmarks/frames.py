"""Common frames for all benchmarks of a code and Eb/N0, and comparisons of the decisions on them."""

import numpy as np

import fecnn
from fecnn.channels.stream import FrameStream
from fecnn.simulation.frames import Engine


def frames_of(code, ebn0_db, count, first=0):
    """LLRs and sent words of a stream that depends on the code and Eb/N0 only."""
    engine = Engine(code, fecnn.AWGN.at(ebn0_db, code.rate))
    return engine.frames(FrameStream(f"benchmark {code.fingerprint} {ebn0_db}", first), count)


def bler(decided, sent):
    return float((decided != sent).any(axis=1).mean())


def assert_no_worse(ours, theirs, sent):
    """Check that the peer is not right where we are wrong more often than three standard deviations allow.

    Frames on which both are right, or both wrong, carry no information (McNemar 1947).
    """
    wrong, wrong_there = (ours != sent).any(axis=1), (theirs != sent).any(axis=1)
    lost, won = int((wrong & ~wrong_there).sum()), int((~wrong & wrong_there).sum())
    assert lost - won <= 3 * np.sqrt(lost + won), f"{lost} frames lost to the peer, {won} won"


def assert_same(ours, theirs, allowed=0.0):
    """Check that decisions are equal, except for the share of frames (or one) that rounding may change."""
    different = int((ours != theirs).any(axis=1).sum())
    most = max(1.0, allowed * len(ours)) if allowed else 0
    assert different <= most, f"{different} of {len(ours)} frames are decided differently"
