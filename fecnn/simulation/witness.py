"""Checks that a decoder repeats its decisions; otherwise its counts could not be recomputed."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np

from fecnn.arrays import LLR, Bits
from fecnn.decoders.built import BuiltDecoder
from fecnn.simulation.task import Received

SHARE = 0.03
"""Largest share of batch time spent on rechecking a decoder; the first check comes on top."""

FIRST, QUICK = 16, 1e-3
"""A check taking at most QUICK seconds follows each of the first FIRST batches: most state shows early."""

LEAST, PART = 16, 64
"""Least number of frames rechecked, and the inverse of their share of a batch."""


@dataclass
class _Record:
    """A decoder's decisions on some frames; always rechecked together, as sums may depend on batch size."""

    llr: LLR
    bits: Bits
    spent: float = 0.0
    asking: float = 0.0
    last: float = 0.0
    batches: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


_records: "WeakKeyDictionary[Callable[[LLR], object], _Record]" = WeakKeyDictionary()
"""By what the factories returned: decoders built alike compare equal, but may remember different frames."""
_lock = threading.Lock()


def record(decode: BuiltDecoder | Received, llr: LLR, batch: int) -> bool:
    """Record a decoder's decisions on some of its first frames and check them once, unless done before.

    Args:
        decode: The decoder.
        llr: The frames, (B, n).
        batch: Frames per batch.

    Returns:
        Whether the decoder was checked now.

    Raises:
        ValueError: If it decides differently the second time.
    """
    if decode.function in _records:
        return False
    some = llr[: max(LEAST, batch // PART)].copy()
    made = _Record(some, np.array(decode(some.copy())))
    with _lock:
        made = _records.setdefault(decode.function, made)
    _check(decode, made)
    return True


def recheck(decode: BuiltDecoder | Received, seconds: float) -> None:
    """Check a decoder once more after a batch, if time allows.

    Args:
        decode: A decoder that was recorded before.
        seconds: Duration of the batch.

    Raises:
        ValueError: If it now decides differently.
    """
    made = _records[decode.function]
    with made.lock:
        made.spent += seconds
        made.batches += 1
        early = made.batches <= FIRST and made.last <= QUICK
        due = early or made.asking <= SHARE * made.spent
    if due:
        began = time.thread_time()
        _check(decode, made)
        with made.lock:
            made.last = time.thread_time() - began
            made.asking += made.last


def _check(decode: BuiltDecoder | Received, made: _Record) -> None:
    if not np.array_equal(decode(made.llr.copy()), made.bits):
        raise ValueError(
            "the decoder decided the same frames differently the second time: decisions must depend on the "
            "LLRs alone, not on earlier frames or unseeded random numbers (see fecnn.testing.check_decoder)"
        )
