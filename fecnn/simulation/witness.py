"""Whether a decoder stands by its decisions: counts of one that does not are nobody's to recompute."""

import threading
import time
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np

from fecnn.arrays import LLR, Bits
from fecnn.decoders.contract import Decoder

SHARE = 0.03
"""Most of the time of batches that is spent on asking their decoder again, the first batch left out."""

FIRST, QUICK = 16, 1e-3
"""After each of the first batches it is asked if that takes no more seconds: most states show early."""

LEAST, PART = 16, 64
"""Frames that it is asked about, at least; and one of how many in a batch."""


@dataclass
class _Heard:
    """What a decoder said of some frames; always asked alike, for sums may depend on how many they are."""

    llr: LLR
    bits: Bits
    spent: float = 0.0
    asking: float = 0.0
    last: float = 0.0
    batches: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


_heard: "WeakKeyDictionary[Decoder, _Heard]" = WeakKeyDictionary()
_lock = threading.Lock()


def hear(decode: Decoder, llr: LLR, batch: int) -> bool:
    """Ask a decoder twice about some of the first frames that it gets, unless it was asked before.

    Args:
        decode: The decoder.
        llr: The frames, (B, n).
        batch: Frames of a batch.

    Returns:
        Whether it was asked now.

    Raises:
        ValueError: If it decides otherwise the second time.
    """
    if decode in _heard:
        return False
    some = llr[: max(LEAST, batch // PART)].copy()
    heard = _Heard(some, np.array(decode(some.copy())))
    with _lock:
        heard = _heard.setdefault(decode, heard)
    _ask(decode, heard)
    return True


def ask_again(decode: Decoder, seconds: float) -> None:
    """Ask a decoder once more after a batch, as often as time allows.

    Args:
        decode: A decoder that was asked before.
        seconds: How long the batch took.

    Raises:
        ValueError: If it decides otherwise now.
    """
    heard = _heard[decode]
    with heard.lock:
        heard.spent += seconds
        heard.batches += 1
        early = heard.batches <= FIRST and heard.last <= QUICK
        due = early or heard.asking <= SHARE * heard.spent
    if due:
        began = time.thread_time()
        _ask(decode, heard)
        with heard.lock:
            heard.last = time.thread_time() - began
            heard.asking += heard.last


def _ask(decode: Decoder, heard: _Heard) -> None:
    if not np.array_equal(decode(heard.llr.copy()), heard.bits):
        raise ValueError(
            "the decoder decided the same frames differently the second time: decisions must depend on the "
            "LLRs alone, not on earlier frames or unseeded random numbers (see fecnn.testing.check_decoder)"
        )
