"""Soft output of ordered-statistics decoding: max-log a-posteriori LLRs over the list.

For each position the least price of a listed pattern with an error there, less that of one without
(Fossorier and Lin, GLOBECOM 1998). Where the list knows only one of them, the other is put at the dearest
price of the list.
"""

import numpy as np

from fecnn.decoders.kernels import basis as mrb
from fecnn.decoders.kernels import words
from fecnn.jit import kernel

NONE = np.float32(np.inf)


@kernel
def soft_osd(llr, columns, checks, order, app):
    """A-posteriori LLRs of code bits: llr (B, n) f4, app (B, n) f4 out; the rest as for `osd`."""
    n = llr.shape[1]
    spare, keys, rank, sequence, ordered, place, check, basis, reliability, flip, price, parity, sums = (
        mrb.new_frame(columns, n, checks)
    )
    k = n - checks
    least = np.empty((2, n), np.float32)  # price without and with an error, basis first, then checks
    chosen, spent, patterns = (
        np.zeros(k + 2, np.int64),
        np.zeros(k + 2, np.float32),
        words.new_sets(columns, k + 2),
    )
    flipped = np.zeros(k, np.bool_)
    values, width = llr.reshape(-1), len(spare)
    for frame in range(len(llr)):
        row = mrb.padded_row(values, frame * n, n, width, spare)
        mrb.sort(row, n, keys, rank, sequence)
        mrb.arrange(row, words.syndrome_of(columns, row), columns, sequence, reliability, ordered)
        mrb.eliminate(ordered, n, checks, place, check, basis)
        mrb.gather(ordered, place, basis, reliability, flip, price, parity)
        mrb.tabulate(parity, sums)
        start = words.load(ordered, n)
        dearest = _weigh(start, order, checks, flip, price, sums, chosen, spent, patterns, flipped, least)
        for i in range(n):
            position = sequence[basis[i] if i < k else place[i - k]]
            without, error = min(least[0, i], dearest), min(least[1, i], dearest)
            app[frame, position] = (error - without) * (-1 if llr[frame, position] < 0 else 1)


@kernel
def _weigh(start, order, checks, flip, price, sums, chosen, spent, patterns, flipped, least):
    """Go through the list, depth first, and fill in ``least``; the dearest price of all."""
    k, depth, dearest = len(price), np.int64(0), np.float32(0)
    least[:] = NONE
    words.store(patterns, 0, start)
    chosen[0] = -1
    while depth >= 0:
        pattern = words.load(patterns, depth)
        total = spent[depth] + words.price_of(pattern, sums)
        dearest = max(dearest, total)
        for j in range(k):
            least[0, j] = min(least[0, j], NONE if flipped[j] else total)
            least[1, j] = min(least[1, j], total if flipped[j] else NONE)
        for i in range(checks):
            wrong = words.has(pattern, i)
            least[0, k + i] = min(least[0, k + i], NONE if wrong else total)
            least[1, k + i] = min(least[1, k + i], total if wrong else NONE)
        depth = _next(depth, order, flip, price, chosen, spent, patterns, flipped)
    return dearest


@kernel
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
