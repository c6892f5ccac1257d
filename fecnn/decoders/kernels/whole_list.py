"""Ordered-statistics decoding as in a textbook: every pattern of up to ``order`` flips is priced.

The last two flips of a pattern are taken as one, from a list of all pairs in lexicographic order. Those that
may follow a given flip are the end of that list, so patterns are priced in long passes, which the compiler
turns into vectors. A pass only counts the patterns below the best price; those of a block that has some are
looked at one by one. Prices are float32 there and exact in the end, as in `fecnn.decoders.kernels.lists`.
"""

from collections import namedtuple

import numpy as np

from fecnn.decoders.kernels import basis as mrb
from fecnn.decoders.kernels import lists, words
from fecnn.decoders.kernels.arena import empty, empty_each
from fecnn.jit import kernel

BLOCK = 128

Scratch = namedtuple("Scratch", "pairs costs chosen spent patterns flips")
"""Memory for a list.

pairs, costs: k (k - 1) / 2 sets and f4; what each pair of flips changes, and costs in the basis.
chosen, spent, patterns: k + 1 levels, i8, f4 and sets: the flips so far, their price, the pattern.
flips: (k + 1,) i8; the best flips.
"""


@kernel(borrows=True)
def osd(arena, llr, columns, checks, order, out, tried):
    """Decode frames.

    Args:
        arena: Memory, see `fecnn.decoders.kernels.arena`.
        llr: (B, n) f4.
        columns: Columns of a full-rank H with ``checks`` rows, see `fecnn.decoders.kernels.words`.
        checks: n - k, at least 1.
        order: Most flips, 0 to k.
        out: (B, n) u1 code bits out.
        tried: (B,) i8 out; test patterns tried besides that of order 0: none, or the whole list.
    """
    values, k = llr.reshape(-1), llr.shape[1] - checks
    frame, count = mrb.new_frame(arena, columns, llr.shape[1], checks), k * (k - 1) // 2 if order > 1 else 0
    scratch = Scratch(
        empty_each(arena, columns, count),
        empty(arena, count, np.float32),
        empty(arena, k + 1, np.int64),
        empty(arena, k + 1, np.float32),
        empty_each(arena, columns, k + 1),
        empty(arena, k + 1, np.int64),
    )
    for i in range(len(out)):
        tried[i] = 0
        clean, start, best, _ = lists.begin(values, i, columns, 1, frame, out)
        if clean:
            continue
        mrb.tabulate(frame)
        if order > 1:
            _pair(frame.flip, frame.price, scratch.pairs, scratch.costs)
        count = 0
        for weight in range(1, order + 1):
            best, count, looked = _weigh(start, best, count, weight, frame, scratch)
            tried[i] += looked
        lists.end(start, frame, scratch.flips, count, out[i])


@kernel(borrows=True)
def _pair(flip, price, pairs, costs):
    at = 0
    for a in range(len(price)):
        first, cost = words.load(flip, a), price[a]
        for b in range(a + 1, len(price)):
            words.store(pairs, at, words.xor(first, words.load(flip, b)))
            costs[at] = cost + price[b]
            at += 1


@kernel(borrows=True)
def _weigh(start, best, count, weight, frame, scratch):
    """Try all patterns of this weight: improve on ``flips[:count]`` of exact price ``best``.

    Returns:
        The best price, its number of flips, and patterns tried.
    """
    flip, price = frame.flip, frame.price
    chosen, spent, patterns = scratch.chosen, scratch.spent, scratch.patterns
    k, before, depth, tried = len(price), max(weight - 2, 0), 0, 0  # flips before the last one or two
    chosen[0], spent[0] = -1, np.float32(0)
    words.store(patterns, 0, start)
    while depth >= 0:
        if depth == before:
            first = chosen[depth - 1] + 1 if depth > 0 else 0
            skipped = first * (2 * k - first - 1) // 2
            best, count = _extend(weight, skipped, start, best, count, frame, scratch)
            tried += (len(scratch.costs) if weight > 1 else k) - skipped
            depth -= 1
            continue
        chosen[depth] += 1
        j = chosen[depth]
        if j + weight - depth > k:
            depth -= 1
            continue
        words.store(patterns, depth + 1, words.xor(words.load(patterns, depth), words.load(flip, j)))
        spent[depth + 1], chosen[depth + 1] = spent[depth] + price[j], j
        depth += 1
    return best, count, tried


@kernel(borrows=True)
def _extend(weight, skipped, start, best, count, frame, scratch):
    """Try the flips that are chosen with each pair but the first ones; of weight 1, each flip."""
    flip, price, parity, sums = frame.flip, frame.price, frame.parity, frame.sums
    chosen, flips = scratch.chosen, scratch.flips
    k, depth, limit, j = len(price), max(weight - 2, 0), lists.limit_of(best), skipped - 1
    sets, costs = (scratch.pairs, scratch.costs) if weight > 1 else (flip, price)
    pattern, spent = words.load(scratch.patterns, depth), scratch.spent[depth]
    while True:
        j = _next(j + 1, sets, costs, pattern, spent, limit, sums)
        if j == len(costs):
            return best, count
        first, left = 0, j
        while weight > 1 and left >= k - 1 - first:
            left -= k - 1 - first
            first += 1
        if weight > 1:
            chosen[depth], chosen[depth + 1] = first, first + 1 + left
        else:
            chosen[0] = j
        total = mrb.exact_price(start, chosen, weight, flip, price, parity)
        if total < best:
            best, count, limit = total, weight, lists.limit_of(total)
            for i in range(weight):
                flips[i] = chosen[i]


@kernel(borrows=True)
def _next(j, sets, costs, pattern, spent, limit, sums):
    """The first of ``sets`` from j on with a price below ``limit``; their number if none."""
    tables = len(sums) >> 8
    while j < len(costs):
        if tables == 2:
            below = _count(j, sets, costs[j : j + BLOCK], pattern, spent, limit, sums, 2)
        elif tables == 3:
            below = _count(j, sets, costs[j : j + BLOCK], pattern, spent, limit, sums, 3)
        elif tables == 4:
            below = _count(j, sets, costs[j : j + BLOCK], pattern, spent, limit, sums, 4)
        else:
            below = _count(j, sets, costs[j : j + BLOCK], pattern, spent, limit, sums, 8)
        if below > 0:
            while spent + costs[j] + words.price_of(words.xor(pattern, words.load(sets, j)), sums) >= limit:
                j += 1
            return j
        j += BLOCK
    return len(costs)


@kernel(borrows=True)
def _count(first, sets, costs, pattern, spent, limit, sums, tables):
    """How many of the sets from ``first`` on that cost this have a price below ``limit``."""
    below, start = np.int32(0), np.uint64(first)
    for i in range(len(costs)):
        members = words.xor(pattern, words.load(sets, start + np.uint64(i)))
        below += np.int32(spent + costs[i] + words.price_from(members, sums, tables) < limit)
    return below
