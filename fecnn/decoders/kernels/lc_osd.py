"""OSD with local constraints: a list in the order of price, not of weight.

Of the patterns that satisfy the ``delta`` most reliable checks, the cheapest (in the basis and in those
checks) comes first, then the next (Wang, Liang and Ma, ITW 2022; Liang, Wang, Cai and Ma, IEEE Commun. Lett.
27(2), 2023). With the minimum prices V of `fecnn.decoders.kernels.constraints` a pattern is read off from
the most reliable place down, always taking the cheaper way; each way not taken goes on a heap under the
least price that it can still have, and the next pattern is the cheapest on the heap. Since prices come in
order, the list may end as soon as they reach the whole price of the best pattern: then that is maximum
likelihood.

Prices are in units of 1 / 30000 of the price of order 0, rounded down.
"""

import numpy as np

from fecnn.decoders.kernels import basis as mrb
from fecnn.decoders.kernels import constraints, lists, words
from fecnn.decoders.kernels.loops import copy
from fecnn.jit import kernel

POOL = 1 << 16
"""Ways not taken that are remembered for a frame."""


@kernel
def lc_osd(llr, columns, checks, distance, delta, candidates, z, out, tried, certain):
    """Decode frames.

    Args:
        llr, columns, checks, distance, out: As for `fecnn.decoders.kernels.osd.osd`.
        delta: Local constraints, at most n - k.
        candidates: Most patterns of a frame.
        z: Negative to end when nothing better can follow; else when it would have to be better than
            `lists.expected_price` lets expect.
        tried: (B,) i8 out; patterns tried besides that of order 0.
        certain: (B,) bool out; False where the list ended before its end was justified.
    """
    n = llr.shape[1]
    spare, keys, rank, sequence, ordered, place, check, basis, reliability, flip, price, parity, sums = (
        mrb.new_frame(columns, n, checks)
    )
    k = n - checks
    steps, units = np.zeros(k, np.int64), np.zeros(k, np.uint16)
    V = np.empty((k + 1, constraints.states_of(delta)), np.uint16)
    flips, chosen = np.zeros(k + 2, np.int64), np.zeros(k + 2, np.int64)
    heap, links = np.empty((POOL, 2), np.int64), np.empty((POOL, 2), np.int64)
    ways = np.empty((POOL, 4), np.int64)
    values, width = llr.reshape(-1), len(spare)
    for frame in range(len(llr)):
        if frame % mrb.STRIP == 0:
            mrb.harden(llr, frame, out)
        tried[frame], certain[frame] = 0, True
        row = mrb.padded_row(values, frame * n, n, width, spare)
        syndrome = words.syndrome_of(columns, row)
        if words.is_empty(syndrome):
            continue
        mrb.sort(row, n, keys, rank, sequence)
        mrb.arrange(row, syndrome, columns, sequence, reliability, ordered)
        mrb.eliminate(ordered, n, checks, place, check, basis)
        start = words.load(ordered, n)
        best, bound = lists.price_start(start, distance, place, reliability)
        count = np.int64(0)
        if best > bound:
            mrb.gather(ordered, place, basis, reliability, flip, price, parity)
            mrb.tabulate(parity, sums)
            scale = constraints.scale_of(best)
            state = constraints.constrain(start, delta, scale, check, flip, price, parity, steps, units, V)
            rest = lists.expected_price(checks - delta, z, check, parity)
            count, tried[frame], certain[frame] = _in_order(
                start, best, rest, state, scale, candidates, flip, price, parity, sums, steps, units, V, heap,
                ways, links, chosen, flips,
            )  # fmt: skip
        mrb.correct(sequence, ordered, place, basis, flips, count, out[frame])


@kernel
def _in_order(
    start, best, rest, state, scale, candidates, flip, price, parity, sums, steps, units, V, heap, ways,
    links, chosen, flips,
):  # fmt: skip
    """Go through patterns by price: flips of the best one, how many were tried, and whether that is all.

    heap: (P, 2) i8; least price and number of a way. ways: (P, 4) i8; its place, state, price so far and last
    link. links: (P, 2) i8; a flip and the link before it.
    """
    k = len(price)
    count, tried, waiting, used_ways, used_links = 0, 0, np.int64(1), np.int64(1), 1
    heap[0, 0], heap[0, 1] = np.int64(V[k, state]), 0
    ways[0, 0], ways[0, 1], ways[0, 2], ways[0, 3] = k, state, 0, 0
    last = constraints.in_units(best, rest, scale)
    while waiting > 0 and heap[0, 0] <= last:
        if tried == candidates:
            return count, tried, False
        way = heap[0, 1]
        waiting = _pop(heap, waiting)
        t, here, spent, link = ways[way, 0], ways[way, 1], ways[way, 2], ways[way, 3]
        while t > 0:
            t -= 1
            stay = spent + np.int64(V[t, here])
            moved = spent + np.int64(units[t]) + np.int64(V[t, here ^ steps[t]])
            if max(stay, moved) <= last:
                if used_ways == len(ways) or used_links + 1 >= len(links):
                    return count, tried, False
                ways[used_ways, 0] = t
                if stay <= moved:
                    links[used_links, 0], links[used_links, 1] = t, link
                    ways[used_ways, 1], ways[used_ways, 2] = here ^ steps[t], spent + np.int64(units[t])
                    ways[used_ways, 3] = used_links
                    used_links += 1
                else:
                    ways[used_ways, 1], ways[used_ways, 2], ways[used_ways, 3] = here, spent, link
                waiting = _push(heap, waiting, max(stay, moved), used_ways)
                used_ways += 1
            if moved < stay:
                if used_links == len(links):
                    return count, tried, False
                links[used_links, 0], links[used_links, 1] = t, link
                link = used_links
                used_links += 1
                spent += np.int64(units[t])
                here ^= steps[t]
        tried += 1
        flipped, total, pattern = 0, np.float32(0), start
        while link:
            j = links[link, 0]
            chosen[flipped] = j
            total += price[j]
            pattern = words.xor(pattern, words.load(flip, j))
            flipped += 1
            link = links[link, 1]
        if total + words.price_of(pattern, sums) < lists.limit_of(best):
            exact = mrb.exact_price(start, chosen, flipped, flip, price, parity)
            if exact < best:
                best, count, last = exact, flipped, constraints.in_units(exact, rest, scale)
                copy(chosen, flips[:flipped])
    return count, tried, True


@kernel
def _push(heap, size, key, value):
    """Add to a binary heap of ``size`` rows; its new size."""
    i = size
    while i > 0 and heap[(i - 1) >> 1, 0] > key:
        heap[i, 0], heap[i, 1] = heap[(i - 1) >> 1, 0], heap[(i - 1) >> 1, 1]
        i = (i - 1) >> 1
    heap[i, 0], heap[i, 1] = key, value
    return size + 1


@kernel
def _pop(heap, size):
    """Take the least off the heap; its new size."""
    size -= 1
    key, value = heap[size, 0], heap[size, 1]
    i = 0
    while 2 * i + 1 < size:
        child = 2 * i + 1
        if child + 1 < size and heap[child + 1, 0] < heap[child, 0]:
            child += 1
        if heap[child, 0] >= key:
            break
        heap[i, 0], heap[i, 1] = heap[child, 0], heap[child, 1]
        i = child
    heap[i, 0], heap[i, 1] = key, value
    return size
