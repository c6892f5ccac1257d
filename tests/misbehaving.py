"""Decoders to go wrong with, named as ``misbehaving:<function>`` once this folder is on sys.path."""

import os
import signal
import sys
import time

import numpy as np

import fecnn


def late(code, channel=None, /, *, fault, after):
    """Maximum likelihood for ``after`` batches (and the first single frame), then the fault."""
    decode = fecnn.decoder("ml", code)
    begun, good = set(), set()  # batches by their first frames: some frames of the first are asked for again

    def decide(llr):
        first = llr[0].tobytes()
        if len(llr) > 1:
            begun.add(first)
        if len(begun) <= after:
            good.add(first)
        if len(llr) == 1 or first in good:
            return decode(llr)
        if fault == "raise":
            raise ZeroDivisionError("a decoder's own mistake")
        if fault == "exit":
            sys.exit("a decoder's farewell")
        if fault == "hang":
            time.sleep(1000)
        if fault == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        return {
            "shape": decode(llr)[:, :-1],
            "dtype": decode(llr).astype(np.float64),
            "list": decode(llr).tolist(),
            "bits": decode(llr) + np.uint8(1),
            "nan": np.full(llr.shape, np.nan),
            "rows": decode(llr)[:-1],
        }[fault]

    return decide


def patient(code, channel=None, /, *, milliseconds):
    """Maximum likelihood that takes its time."""
    decode = fecnn.decoder("ml", code)

    def decide(llr):
        time.sleep(milliseconds / 1000)
        return decode(llr)

    return decide


def complains(code, channel=None, /):
    """A factory with an error of a kind of its own, as torch raises for a device that is missing."""
    raise RuntimeError("no such device")


def leaves(code, channel=None, /):
    """A factory that was a script."""
    sys.exit("usage: leaves.py FILE")


def needs_sigma(code, channel, /):
    """A factory that needs its channel."""
    if channel is None:
        raise ValueError("needs_sigma needs a channel")
    return fecnn.decoder("ml", code)


def never(code, channel=None, /):
    """Decodes nothing, ever."""
    return lambda llr: time.sleep(1000)
