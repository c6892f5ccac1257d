"""The cheapest error patterns of a frame, not only the best: lists of ordered-statistics decoding.

A pattern is held by its flips of the most reliable basis, ascending; different flips are different words.
"""

from collections import namedtuple

import numpy as np

from fecnn.decoders.kernels import basis as mrb
from fecnn.decoders.kernels import lists, words
from fecnn.decoders.kernels.arena import empty
from fecnn.jit import kernel

Kept = namedtuple("Kept", "prices rows flips counts")
"""The cheapest patterns so far, of L at most.

prices: (L,) f8; ascending.
rows: (L,) i8; where the flips of each are.
flips: (L, k + 1) i8.
counts: (L,) i8; how many flips a row of these has.
"""


@kernel(inline="always")
def new_kept(arena, size, k):
    """Memory for ``size`` patterns."""
    return Kept(
        empty(arena, size, np.float64),
        empty(arena, size, np.int64),
        empty(arena, (size, k + 1), np.int64),
        empty(arena, size, np.int64),
    )


@kernel(borrows=True)
def offer(kept, size, price, chosen, count):
    """Keep a pattern that is cheaper than the worst of a full list, behind equals; how many are kept."""
    prices, rows, flips, counts = kept.prices, kept.rows, kept.flips, kept.counts
    row = size
    if size == len(prices):
        size -= 1
        row = rows[size]
    i = size
    while i > 0 and prices[i - 1] > price:
        prices[i], rows[i] = prices[i - 1], rows[i - 1]
        i -= 1
    prices[i], rows[i], counts[row] = price, row, count
    for flip in range(count):
        flips[row, flip] = chosen[flip]
    return size + 1


@kernel(borrows=True)
def has(kept, size, chosen, count):
    """Whether the pattern with these flips is kept."""
    for row in range(size):
        same = kept.counts[row] == count
        i = 0
        while same and i < count:
            same = kept.flips[row, i] == chosen[i]
            i += 1
        if same:
            return True
    return False


@kernel(inline="always")
def begin(values, i, columns, frame):
    """Tabulate frame i of values (B n,) f4; its pattern of order 0."""
    n = len(frame.order)
    row = mrb.padded_row(values, i, n, frame.spare)
    mrb.reduce(row, words.syndrome_of(columns, row), columns, frame)
    mrb.tabulate(frame)
    return words.load(frame.ordered, n)


@kernel(borrows=True)
def fill(start, order, frame, scratch, kept):
    """Keep the cheapest patterns of at most ``order`` flips; how many.

    Depth first; as the basis ascends in reliability, the first flip that costs too much ends its loop.
    """
    flip, price, parity, sums = frame.flip, frame.price, frame.parity, frame.sums
    chosen, spent, patterns = scratch.chosen, scratch.spent, scratch.patterns
    k, most = len(price), len(kept.prices)
    none = np.int64(0)
    size = offer(kept, none, mrb.exact_price(start, chosen, none, flip, price, parity), chosen, none)
    worst = kept.prices[most - 1] if size == most else np.inf
    limit, depth = lists.limit_of(worst), np.int64(0)
    chosen[0], spent[0] = -1, np.float32(0)
    words.store(patterns, 0, start)
    if order == 0:
        return size
    while depth >= 0:
        chosen[depth] += 1
        j = chosen[depth]
        if j == k or spent[depth] + price[j] >= limit:
            depth -= 1
            continue
        cost = spent[depth] + price[j]
        pattern = words.xor(words.load(patterns, depth), words.load(flip, j))
        if cost + words.price_of(pattern, sums) < limit:
            total = mrb.exact_price(start, chosen, depth + 1, flip, price, parity)
            if total < worst:
                size = offer(kept, size, total, chosen, depth + 1)
                worst = kept.prices[most - 1] if size == most else np.inf
                limit = lists.limit_of(worst)
        if depth + 1 < order:
            depth += 1
            chosen[depth], spent[depth] = j, cost
            words.store(patterns, depth, pattern)
    return size


@kernel(inline="always")
def write(values, i, start, size, frame, kept, out, held):
    """The words of the patterns of frame i: out (B, L, n) u1, zeros beyond them; held (B, L) b1."""
    n = len(frame.order)
    for place in range(out.shape[1]):
        held[i, place] = place < size
        word = out[i, place]
        for j in range(n):
            word[j] = place < size and values[i * n + j] < 0
        if place < size:
            row = kept.rows[place]
            mrb.correct(
                start, frame.order, frame.ordered, frame.place, frame.basis,
                kept.flips[row], kept.counts[row], word,
            )  # fmt: skip


@kernel(borrows=True)
def osd_list(arena, llr, columns, checks, order, out, held):
    """The cheapest patterns of at most ``order`` flips.

    arena, llr, columns, checks: as for `fecnn.decoders.kernels.osd.osd`, but checks may be 0. Out: the best L
    words (B, L, n) u1, best first; held (B, L) b1, whether there is one.
    """
    values, n = llr.reshape(-1), llr.shape[1]
    frame, scratch = lists.new_memory(arena, columns, n, checks)
    kept = new_kept(arena, out.shape[1], n - checks)
    for i in range(len(out)):
        start = begin(values, i, columns, frame)
        size = fill(start, order, frame, scratch, kept)
        write(values, i, start, size, frame, kept, out, held)
