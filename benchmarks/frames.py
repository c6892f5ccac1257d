"""Frames that every benchmark of a code and an Eb/N0 decodes."""

import fecnn
from fecnn.engine import Engine
from fecnn.stream import FrameStream


def frames_of(code, ebn0_db, count, first=0):
    """LLRs and sent words of a stream that depends on the code and Eb/N0 only."""
    engine = Engine(code, fecnn.AWGN.at(ebn0_db, code.rate))
    return engine.frames(FrameStream(f"benchmark {code.fingerprint} {ebn0_db}", first), count)


def bler(decided, sent):
    return float((decided != sent).any(axis=1).mean())
