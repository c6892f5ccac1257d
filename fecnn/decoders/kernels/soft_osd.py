"""Soft output of ordered-statistics decoding: max-log a-posteriori LLRs over the list.

For each position the least price of a listed pattern with an error there, less that of one without
(Fossorier and Lin, GLOBECOM 1998). Where the list knows only one of them, the other is put at the highest
price of the list.
"""

import numpy as np

from fecnn.decoders.kernels import basis as mrb
from fecnn.decoders.kernels import lists, words
from fecnn.decoders.kernels.arena import empty, zeros
from fecnn.jit import kernel

NONE = np.float32(np.inf)


@kernel(borrows=True)
def soft_osd(arena, llr, columns, checks, order, app):
    """A-posteriori LLRs of code bits: llr (B, n) f4, app (B, n) f4 out; the rest as for `osd`."""
    values, n = llr.reshape(-1), llr.shape[1]
    k = n - checks
    frame, scratch = lists.new_memory(arena, columns, n, checks)
    flipped = zeros(arena, k, np.bool_)
    least = empty(arena, (2, n), np.float32)  # price without and with an error, basis first, then checks
    for i in range(len(app)):
        row = mrb.padded_row(values, i, n, frame.spare)
        mrb.reduce(row, words.syndrome_of(columns, row), columns, frame)
        mrb.tabulate(frame)
        start = words.load(frame.ordered, n)
        costliest = _weigh(start, order, frame, scratch, flipped, least)
        for j in range(n):
            position = frame.order[frame.basis[j] if j < k else frame.place[j - k]]
            without, error = min(least[0, j], costliest), min(least[1, j], costliest)
            app[i, position] = (error - without) * (-1 if values[i * n + position] < 0 else 1)


@kernel(borrows=True)
def _weigh(start, order, frame, scratch, flipped, least):
    """Go through the list, depth first, and fill in ``least``; the highest price in the list."""
    flip, price, sums = frame.flip, frame.price, frame.sums
    chosen, spent, patterns = scratch.chosen, scratch.spent, scratch.patterns
    k, depth, costliest = len(price), np.int64(0), np.float32(0)
    least[:] = NONE
    words.store(patterns, 0, start)
    chosen[0] = -1
    while depth >= 0:
        pattern = words.load(patterns, depth)
        total = spent[depth] + words.price_of(pattern, sums)
        costliest = max(costliest, total)
        for j in range(k):
            least[0, j] = min(least[0, j], NONE if flipped[j] else total)
            least[1, j] = min(least[1, j], total if flipped[j] else NONE)
        for i in range(len(frame.place)):
            wrong = words.has(pattern, i)
            least[0, k + i] = min(least[0, k + i], NONE if wrong else total)
            least[1, k + i] = min(least[1, k + i], total if wrong else NONE)
        depth = _next(depth, order, flip, price, chosen, spent, patterns, flipped)
    return costliest


@kernel(borrows=True)
def _next(depth, order, flip, price, chosen, spent, patterns, flipped):
    """Move to the next pattern in depth-first order; its depth, or -1 after the last."""
    k = len(price)
    j = chosen[depth] + 1
    if depth == order or j == k:  # no deeper: advance the last flip that can be
        while depth > 0:
            j = chosen[depth] + 1
            flipped[chosen[depth]] = False
            depth -= 1
            if j < k:
                break
        else:
            return -1
        if j == k:
            return -1
    depth += 1
    chosen[depth] = j
    flipped[j] = True
    spent[depth] = spent[depth - 1] + price[j]
    words.store(patterns, depth, words.xor(words.load(patterns, depth - 1), words.load(flip, j)))
    return depth
