"""The minimal trellis of a code: whether it is small enough, its time per frame, and how to build it."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fecnn.arrays import Bits
from fecnn.codes import gf2
from fecnn.codes.bit_order import bit_order, trellis_states, with_message_bits
from fecnn.codes.code import Code
from fecnn.decoders.cost import REAL, Cost
from fecnn.decoders.kernels.trellis import BUTTERFLY, MERGE, PASS, SPLIT, Trellis

__all__ = [
    "bcjr_ns",
    "bit_order",
    "build_trellis",
    "trellis_fits",
    "trellis_states",
    "viterbi_ns",
    "with_message_bits",
]

MAX_STATES = 1 << 22
"""Largest number of states (over all depths) of a trellis that is built: 256 MiB of memory for BCJR."""


def trellis_fits(code: Code, states: int) -> bool:
    """Whether a trellis with that many states may be built."""
    return states <= MAX_STATES


def viterbi_ns(code: Code, states: int) -> float:
    """Approximate nanoseconds per frame of Viterbi decoding on a trellis with that many states."""
    return 0.135 * states + 0.6 * code.n


def bcjr_ns(code: Code, states: int) -> float:
    """Approximate nanoseconds per frame of BCJR on a trellis with that many states.

    All states of 16 frames are kept, 64 bytes each; 1e5 states and more do not fit in the cache.
    """
    return 0.22 * states * (1.0 + states / 3e5) + 3.0 * code.n


def build_trellis(code: Code, order: Iterable[int] | None = None) -> Trellis:
    """The minimal trellis of a code for which `trellis_fits`, with its bits in the given order.

    It is the product of the trellises of the rows of a minimum-span generator: a row is active from its first
    one to its last, and a state is the message bits of the active rows (Kschischang and Sorokine, IEEE Trans.
    IT 41(6), 1995). So the cost of building depends on the size of the trellis, not on n - k.

    Args:
        code: The code.
        order: Order in which the trellis takes the positions; 0 to n - 1 by default.

    Example:
        >>> import fecnn
        >>> code = fecnn.load_code("polar-64-32")
        >>> build_trellis(code, bit_order(code)).widest
        512
    """
    taken = np.arange(code.n) if order is None else np.array(tuple(order))
    rows = minimum_span(code.G[:, taken])
    active: list[int] = []
    dimensions, kinds, zeros, wings = [0], [], [], []
    previous = [np.zeros((1, 2), np.int32)]
    for t in range(code.n):
        section = _section(rows, active, t)
        active = [row for row in section.rows if row != section.ending]
        kind, zero, wing = _wings(section)
        dimensions.append(len(active))
        kinds.append(kind)
        zeros.append(zero)
        wings.append(wing)
        previous.append(_previous(section, len(active)))
    sizes = 1 << np.array(dimensions)
    return Trellis(
        order=taken,
        first=_starts(sizes),
        previous=np.concatenate(previous),
        widest=int(sizes.max()),
        kind=np.array(kinds, np.uint8),
        begin=_starts([len(wing) for wing in wings]).astype(np.uint64),
        zeros=np.array(zeros, np.uint64),
        wings=np.concatenate(wings),
    )


class _Section(NamedTuple):
    """The rows active in a section, a new row last; bit i of a register is the message bit of rows[i]."""

    rows: list[int]
    starting: int | None
    ending: int | None
    ones: int  # mask of the register bits whose sum is the code bit


def _section(rows: Bits, active: list[int], t: int) -> _Section:
    starting = next((row for row in range(len(rows)) if rows[row].argmax() == t), None)
    here = active if starting is None else [*active, starting]
    ending = next((row for row in here if not rows[row, t + 1 :].any()), None)
    ones = sum(int(rows[row, t]) << i for i, row in enumerate(here))
    return _Section(here, starting, ending, ones)


def _branches(section: _Section) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Source, target and code bit of every branch of a section, by register."""
    register = np.arange(1 << len(section.rows))
    source = register & ((1 << (len(section.rows) - (section.starting is not None))) - 1)
    target = register
    if section.ending is not None:
        place = section.rows.index(section.ending)
        target = (register >> (place + 1) << place) | (register & ((1 << place) - 1))
    return source, target, gf2.weights((register & section.ones)[:, None]) & 1


def _previous(section: _Section, dimension: int) -> NDArray[np.int32]:
    """(states, 2): the predecessor of each state by code bit; one past the last state if there is none."""
    source, target, bit = _branches(section)
    previous = np.full((1 << dimension, 2), source.max() + 1, np.int32)
    previous[target, bit] = source
    return previous


def _wings(section: _Section) -> tuple[int, int, NDArray[np.int32]]:
    """Kind of a section, how many of its wings (the first ones) carry a 0, and its wings, as in `Trellis`."""
    source, target, bit = _branches(section)
    splits = section.starting is not None
    if not splits and section.ending is None:
        by_bit = np.argsort(bit, kind="stable")
        source, target = source[by_bit], target[by_bit]
        return PASS, int((bit == 0).sum()), _table(source, source, target, target)
    # One wing per register whose bits for the starting and the ending row are 0.
    start = 1 << (len(section.rows) - 1) if splits else 0
    end = 0 if section.ending is None else 1 << section.rows.index(section.ending)
    register = np.flatnonzero(np.arange(len(source)) & (start | end) == 0)
    flipped = bit[register] == 1
    if not end:
        zero, one = target[register], target[register | start]
        here = source[register]
        return SPLIT, 0, _table(here, here, np.where(flipped, one, zero), np.where(flipped, zero, one))
    zero, one = source[register], source[register | end]
    there = target[register]
    zero, one = np.where(flipped, one, zero), np.where(flipped, zero, one)
    if not splits:
        return MERGE, 0, _table(zero, one, there, there)
    return BUTTERFLY, 0, _table(zero, one, there, target[register | start])


def _table(*columns: NDArray[np.int64]) -> NDArray[np.int32]:
    return np.stack(columns, axis=1).astype(np.int32)


def _starts(sizes: ArrayLike) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(sizes)])


def minimum_span(G: Bits) -> Bits:
    """A generator of the same code whose rows have k distinct start and k distinct end positions.

    Example:
        >>> minimum_span(np.array([[1, 1, 1], [1, 0, 1]], np.uint8))
        array([[1, 0, 1],
               [0, 1, 0]], dtype=uint8)
    """
    rows = gf2.rref(G)[0]
    ends = rows.shape[1] - 1 - rows[:, ::-1].argmax(axis=1)
    # Of two rows with the same end, the one that starts later is added to the other, keeping its start.
    for row in range(len(rows) - 1, -1, -1):
        while (clash := np.flatnonzero(ends[row + 1 :] == ends[row])).size:
            rows[row] ^= rows[row + 1 + clash[0]]
            ends[row] = rows.shape[1] - 1 - rows[row, ::-1].argmax()
    return rows


def bcjr_cost(code: Code) -> Cost:
    """Forward and backward passes over the minimal trellis, down to the a-posteriori LLRs of its bits."""
    from fecnn.decoders.kernels.trellis import RESCALE
    from fecnn.decoders.trellis import bit_order, build_trellis

    varies = code.G.any(axis=0)
    if not varies.all():  # constant bits are left out
        code = Code.from_generator(code.G[:, varies], name=code.name)
    n, trellis = code.n, build_trellis(code, bit_order(code))
    sizes = np.diff(trellis.first)
    # The first section begins and the last ends with one state; there are sizes[t] states before section t.
    wings = np.diff(trellis.begin.astype(np.int64))
    branches = int(np.array([2, 2, 4, 1])[trellis.kind] @ wings)
    joins = (branches - int(sizes[1:].sum())) + (branches - int(sizes[:-1].sum())) + branches
    scaled = int(sizes[RESCALE::RESCALE].sum() + sizes[:-1:RESCALE].sum())
    return Cost(
        multiplications=3 * branches + 3 * n + scaled,
        additions=joins + 2 * n,
        comparisons=4 * n + scaled,
        exponentials=2 * n,
        memory_bits=REAL * (len(trellis.previous) + 2 * trellis.widest + 4 * n),
    )
