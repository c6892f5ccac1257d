"""The whole list of OSD as it was tried before pairs of flips: a plain twin, and peer of `bench_osd`.

Patterns are made and priced one by one, by look-ups in a byte table for each eight of 32 checks.
"""

import numpy as np

from fecnn.decoders.kernels import basis as mrb
from fecnn.decoders.kernels import lists, words
from fecnn.decoders.kernels.arena import empty_each, zeros
from fecnn.jit import kernel


@kernel(borrows=True)
def osd(arena, llr, columns, checks, order, out):
    """Decode frames by all patterns of up to ``order`` flips: llr (B, n) f4; at most 32 checks."""
    n = llr.shape[1]
    k, values = n - checks, llr.reshape(-1)
    frame = mrb.new_frame(arena, columns, n, checks)
    parity, sums = zeros(arena, 32, np.float32), zeros(arena, 4 * 256, np.float32)
    chosen, flips = zeros(arena, k + 2, np.int64), zeros(arena, k + 2, np.int64)
    spent, patterns = zeros(arena, k + 2, np.float32), empty_each(arena, columns, k + 2)
    for i in range(len(out)):
        clean, start, best, _ = lists.begin(values, i, columns, 1, frame, out)
        if clean:
            continue
        mrb.gather(
            frame.ordered, frame.place, frame.basis, frame.reliability, frame.flip, frame.price, frame.parity
        )
        for check in range(checks):
            parity[check] = frame.parity[check]
        mrb.sum_bytes(parity, sums)
        count, limit = 0, lists.limit_of(best)
        words.store(patterns, 0, start)
        for weight in range(1, order + 1):
            depth = 0
            chosen[0], spent[0] = -1, np.float32(0)
            while depth >= 0:
                chosen[depth] += 1
                if chosen[depth] + weight - depth > k:
                    depth -= 1
                    continue
                if depth < weight - 1:
                    j = chosen[depth]
                    pattern = words.xor(words.load(patterns, depth), words.load(frame.flip, j))
                    words.store(patterns, depth + 1, pattern)
                    spent[depth + 1], chosen[depth + 1] = spent[depth] + frame.price[j], j
                    depth += 1
                    continue
                j = _next(
                    chosen[depth],
                    words.load(patterns, depth),
                    spent[depth],
                    limit,
                    frame.flip,
                    frame.price,
                    sums,
                )
                chosen[depth] = j
                if j < k:
                    total = mrb.exact_price(start, chosen, weight, frame.flip, frame.price, frame.parity)
                    if total < best:
                        best, count, limit = total, weight, lists.limit_of(total)
                        for f in range(weight):
                            flips[f] = chosen[f]
        lists.end(start, frame, flips, count, out[i])


@kernel(borrows=True)
def _next(j, pattern, spent, limit, flip, price, sums):
    """The first last flip from j on with a price below ``limit``; k if none."""
    while j < len(price):
        if spent + price[j] + _price(pattern ^ flip[j], sums) < limit:
            break
        j += 1
    return j


@kernel(borrows=True)
def _price(word, sums):
    first, second = np.int64(word & np.uint64(255)), np.int64((word >> np.uint64(8)) & np.uint64(255))
    third, fourth = np.int64((word >> np.uint64(16)) & np.uint64(255)), np.int64(word >> np.uint64(24))
    return (sums[first] + sums[256 + second]) + (sums[512 + third] + sums[768 + fourth])
