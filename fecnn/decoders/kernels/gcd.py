"""Guessing the codeword: patterns of an information set by rising price, each re-encoded.

Where positions of an information set are flipped, the flips of the other n - k positions follow. Sets of
flips come off a heap in order of the reliabilities that they flip, as in `fecnn.decoders.kernels.grand`.
Each costs that and what follows from it among the checks; once the next one alone costs no less than the
best whole pattern so far, that is maximum likelihood (Ma, ITW 2024).
"""

from collections import namedtuple

import numpy as np

from fecnn.decoders.kernels import basis as mrb
from fecnn.decoders.kernels import lists, words
from fecnn.decoders.kernels.arena import empty, empty_each
from fecnn.decoders.kernels.heap import pop, push
from fecnn.decoders.kernels.loops import sort_places
from fecnn.jit import kernel


@kernel(borrows=True)
def gcd(arena, llr, columns, checks, reliable, queries, out, used, certain):
    """Decode frames.

    Args:
        arena: Memory, see `fecnn.decoders.kernels.arena`.
        llr: (B, n) f4.
        columns: Columns of a full-rank H with ``checks`` rows, see `fecnn.decoders.kernels.words`.
        checks: n - k, at least 1.
        reliable: Whether the information set is the most reliable basis of each frame; if not, it is the
            first k positions that are independent.
        queries: Most patterns of a frame.
        out: (B, n) u1 code bits out.
        used: (B,) i8 out; patterns tried, with that of no flips.
        certain: (B,) bool out; False where the patterns ran out before the end was justified.
    """
    values, n = llr.reshape(-1), llr.shape[1]
    frame, memory = mrb.new_frame(arena, columns, n, checks), _new_memory(arena, columns, n - checks, queries)
    if not reliable:
        _fix(columns, frame, memory)
    for i in range(len(out)):
        if i % mrb.STRIP == 0:
            mrb.harden(values, i, out)
        row = mrb.padded_row(values, i, n, frame.spare)
        start = words.syndrome_of(columns, row)
        used[i], certain[i] = 1, True
        if words.is_empty(start):
            continue
        if reliable:
            mrb.reduce(row, start, columns, frame)
        else:
            _reuse(row, out[i], frame, memory)
        start = words.load(frame.ordered, n)
        mrb.tabulate(frame)
        count, used[i], certain[i] = _guess(start, queries, frame, memory)
        mrb.correct(start, frame.order, frame.ordered, frame.place, frame.basis, memory.flips, count, out[i])


Memory = namedtuple("Memory", "first rank spare heap cost last stem pattern flips")
"""Memory for the patterns of a frame, at most two for each query and that of no flips.

first, rank, spare: (k,) i8; the places of a fixed information set, and scratch to sort them.
heap: (Q, 2) f8; price in the information set, and number of a pattern.
cost: (P,) f8; price in the information set.
last: (P,) i8; the last flip.
stem: (P,) i8; the pattern without it.
pattern: P sets; the checks that are flipped.
flips: (k,) i8; the best flips.
"""


@kernel(inline="always")
def _new_memory(arena, columns, k, queries):
    made = 2 * queries + 1
    return Memory(
        empty(arena, k, np.int64),
        empty(arena, k, np.int64),
        empty(arena, k, np.int64),
        empty(arena, (queries + 1, 2), np.float64),
        empty(arena, made, np.float64),
        empty(arena, made, np.int64),
        empty(arena, made, np.int64),
        empty_each(arena, columns, made),
        empty(arena, k, np.int64),
    )


@kernel(borrows=True)
def _fix(columns, frame, memory):
    """Eliminate H once, on the last positions that allow it: its columns for all frames to ``frame``."""
    n = len(frame.order)
    for j in range(n):
        frame.order[j] = n - 1 - j
        words.store(frame.ordered, j, words.load(columns, n - 1 - j))
    mrb.eliminate(frame.ordered, n, len(frame.place), frame.place, frame.check, frame.basis)
    for i in range(len(frame.basis)):
        memory.first[i] = frame.basis[i]


@kernel(borrows=True)
def _reuse(row, hard, frame, memory):
    """Reliabilities of a row, its syndrome behind the columns of `_fix`, the basis by rising reliability."""
    n = len(frame.order)
    syndrome = words.load(frame.ordered, 0)
    syndrome = words.xor(syndrome, syndrome)  # no check
    for j in range(n):
        frame.reliability[j] = abs(row[frame.order[j]])
        if hard[frame.order[j]]:
            syndrome = words.xor(syndrome, words.load(frame.ordered, j))
    words.store(frame.ordered, n, syndrome)
    for i in range(len(frame.basis)):
        frame.price[i] = frame.reliability[memory.first[i]]
    sort_places(frame.price, memory.rank, memory.spare)
    for i in range(len(frame.basis)):
        frame.basis[i] = memory.first[memory.rank[i]]


@kernel(borrows=True)
def _guess(start, queries, frame, memory):
    """Try patterns by price in the basis: how many flips the best one has, how many were tried, whether all.

    A pattern that ends in flip j has two successors, which cost no less: j + 1 instead of j, or added. Those
    that alone cost as much as the best whole pattern are not kept.
    """
    flip, price, parity, sums = frame.flip, frame.price, frame.parity, frame.sums
    heap, cost, last, stem, patterns = memory.heap, memory.cost, memory.last, memory.stem, memory.pattern
    flips, k = memory.flips, len(price)
    cost[0], last[0], stem[0] = 0.0, -1, -1
    words.store(patterns, 0, start)
    best, count = mrb.exact_price(start, flips, 0, flip, price, parity), np.int64(0)
    at, used, made, waiting = np.int64(0), np.int64(1), np.int64(1), np.int64(0)
    winner = np.int64(0)
    while True:
        following = last[at] + 1
        if following < k:
            for root in (stem[at], at):
                if root >= 0 and cost[root] + np.float64(price[following]) < best:
                    cost[made] = cost[root] + np.float64(price[following])
                    last[made], stem[made] = following, root
                    changed = words.xor(words.load(patterns, root), words.load(flip, following))
                    words.store(patterns, made, changed)
                    waiting = push(heap, waiting, cost[made], np.float64(made))
                    made += 1
        if waiting == 0 or heap[0, 0] >= best or used == queries:
            break
        at = np.int64(heap[0, 1])
        waiting = pop(heap, waiting)
        used += 1
        pattern = words.load(patterns, at)
        if np.float32(cost[at]) + words.price_of(pattern, sums) < lists.limit_of(best):
            total = cost[at] + mrb.exact_price(pattern, flips, 0, flip, price, parity)
            if total < best:
                best, winner = total, at
    while winner > 0:
        flips[count] = last[winner]
        count += 1
        winner = stem[winner]
    return count, used, waiting == 0 or heap[0, 0] >= best
