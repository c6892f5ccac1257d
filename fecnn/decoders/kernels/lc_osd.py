"""OSD with local constraints: a list ordered by cost, not by weight.

Of the patterns that satisfy the ``delta`` most reliable checks, the cheapest (in the basis and in those
checks) comes first, then the next (Wang, Liang and Ma, ITW 2022; Liang, Wang, Cai and Ma, IEEE Commun. Lett.
27(2), 2023). With the minimum prices V of `fecnn.decoders.kernels.constraints` a pattern is read off from
the most reliable place down, always taking the cheaper way; each way not taken goes on a heap under the
least price that it can still have, and the next pattern is the cheapest on the heap. Since prices come in
order, the list may end as soon as they reach the whole price of the best pattern: then that is maximum
likelihood. For the L best, it ends when they reach the price of the worst of these.

Prices are in units of 1 / 30000 of the price of order 0, or of the worst of L to begin with, rounded down.
"""

from collections import namedtuple

import numpy as np

from fecnn.decoders.kernels import basis as mrb
from fecnn.decoders.kernels import cheapest, constraints, lists, words
from fecnn.decoders.kernels.arena import empty
from fecnn.decoders.kernels.heap import pop, push
from fecnn.decoders.kernels.loops import copy
from fecnn.jit import kernel

POOL = 1 << 16
"""Ways not taken that are remembered for a frame."""


@kernel(borrows=True)
def lc_osd(arena, llr, columns, checks, distance, delta, candidates, z, out, tried, certain):
    """Decode frames.

    Args:
        arena, llr, columns, checks, distance, out: As for `fecnn.decoders.kernels.osd.osd`.
        delta: Local constraints, at most n - k.
        candidates: Most patterns of a frame.
        z: Negative to end when nothing better can follow; else when it would have to be better than
            `lists.expected_price` lets expect.
        tried: (B,) i8 out; patterns tried besides that of order 0.
        certain: (B,) bool out; False where the list ended before its end was justified.
    """
    values, n = llr.reshape(-1), llr.shape[1]
    frame, scratch = lists.new_memory(arena, columns, n, checks)
    relaxed, ways = constraints.new_relaxed(arena, n - checks, delta), _new_ways(arena)
    for i in range(len(out)):
        tried[i], certain[i] = 0, True
        clean, start, best, bound = lists.begin(values, i, columns, distance, frame, out)
        if clean:
            continue
        count = np.int64(0)
        if best > bound:
            mrb.tabulate(frame)
            rest = lists.expected_price(len(frame.check) - relaxed.delta, z, frame.check, frame.parity)
            count, tried[i], certain[i] = _in_order(
                start, best, rest, candidates, frame, scratch, relaxed, ways
            )
        lists.end(start, frame, scratch.flips, count, out[i])


Ways = namedtuple("Ways", "heap ways links")
"""Memory for ways not taken.

heap: (P, 2) i8; least price and number of a way.
ways: (P, 4) i8; its place, state, price so far and last link.
links: (P, 2) i8; a flip and the link before it.
"""


@kernel(inline="always")
def _new_ways(arena):
    """Memory for `POOL` ways."""
    return Ways(
        empty(arena, (POOL, 2), np.int64),
        empty(arena, (POOL, 4), np.int64),
        empty(arena, (POOL, 2), np.int64),
    )


@kernel(borrows=True)
def _in_order(start, best, rest, candidates, frame, scratch, relaxed, memory):
    """Go through patterns by price: flips of the best one, how many were tried, and whether that is all."""
    flip, price, parity, sums = frame.flip, frame.price, frame.parity, frame.sums
    V = relaxed.V
    chosen, flips = scratch.chosen, scratch.flips
    heap, ways, links = memory.heap, memory.ways, memory.links
    scale = constraints.scale_of(best)
    state = constraints.constrain(start, scale, frame, relaxed)
    k = len(price)
    count, tried, waiting, used_ways, used_links = 0, 0, np.int64(1), np.int64(1), np.int64(1)
    heap[0, 0], heap[0, 1] = np.int64(V[k, state]), 0
    ways[0, 0], ways[0, 1], ways[0, 2], ways[0, 3] = k, state, 0, 0
    last = constraints.in_units(best, rest, scale)
    while waiting > 0 and heap[0, 0] <= last:
        if tried == candidates:
            return count, tried, False
        way = heap[0, 1]
        waiting = pop(heap, waiting)
        link, waiting, used_ways, used_links = _read_off(
            way, last, waiting, used_ways, used_links, relaxed, memory
        )
        if link < 0:
            return count, tried, False
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


@kernel(borrows=True)
def _read_off(way, last, waiting, used_ways, used_links, relaxed, memory):
    """Follow a way to the end, always the cheaper branch, and put the others of at most ``last`` on the heap.

    Returns:
        The last link of the pattern, 0 if it has no flip, or -1 if the memory is full; then how many ways
        wait on the heap, and how many ways and links are used.
    """
    steps, units, V = relaxed.steps, relaxed.units, relaxed.V
    heap, ways, links = memory.heap, memory.ways, memory.links
    t, here, spent, link = ways[way, 0], ways[way, 1], ways[way, 2], ways[way, 3]
    while t > 0:
        t -= 1
        stay = spent + np.int64(V[t, here])
        moved = spent + np.int64(units[t]) + np.int64(V[t, here ^ steps[t]])
        if max(stay, moved) <= last:
            if used_ways == len(ways) or used_links + 1 >= len(links):
                return np.int64(-1), waiting, used_ways, used_links
            ways[used_ways, 0] = t
            if stay <= moved:
                links[used_links, 0], links[used_links, 1] = t, link
                ways[used_ways, 1], ways[used_ways, 2] = here ^ steps[t], spent + np.int64(units[t])
                ways[used_ways, 3] = used_links
                used_links += 1
            else:
                ways[used_ways, 1], ways[used_ways, 2], ways[used_ways, 3] = here, spent, link
            waiting = push(heap, waiting, max(stay, moved), used_ways)
            used_ways += 1
        if moved < stay:
            if used_links == len(links):
                return np.int64(-1), waiting, used_ways, used_links
            links[used_links, 0], links[used_links, 1] = t, link
            link = used_links
            used_links += 1
            spent += np.int64(units[t])
            here ^= steps[t]
    return link, waiting, used_ways, used_links


@kernel(borrows=True)
def lc_osd_list(arena, llr, columns, checks, delta, candidates, z, order, out, held):
    """The cheapest of the patterns tried by OSD of this order and then in order of price.

    Args:
        arena, llr, columns, checks, delta, candidates, z: As for `lc_osd`; the list ends when nothing that
            follows can be among the best L.
        order: Of patterns tried first, so that the price of the worst of L is known to be no higher.
        out, held: As for `fecnn.decoders.kernels.cheapest.osd_list`.
    """
    values, n = llr.reshape(-1), llr.shape[1]
    frame, scratch = lists.new_memory(arena, columns, n, checks)
    relaxed, ways = constraints.new_relaxed(arena, n - checks, delta), _new_ways(arena)
    kept = cheapest.new_kept(arena, out.shape[1], n - checks)
    for i in range(len(out)):
        start = cheapest.begin(values, i, columns, frame)
        size = cheapest.fill(start, order, frame, scratch, kept)
        if size == len(kept.prices) and order < len(frame.price):  # else these are all words
            rest = lists.expected_price(len(frame.check) - relaxed.delta, z, frame.check, frame.parity)
            _improve(start, rest, candidates, frame, scratch, relaxed, ways, kept)
        cheapest.write(values, i, start, size, frame, kept, out, held)


@kernel(borrows=True)
def _improve(start, rest, candidates, frame, scratch, relaxed, memory, kept):
    """Go through patterns by price as `_in_order` does, and improve on a full list of them."""
    flip, price, parity, sums = frame.flip, frame.price, frame.parity, frame.sums
    heap, ways, links = memory.heap, memory.ways, memory.links
    chosen, k, size = scratch.chosen, len(price), len(kept.prices)
    worst = kept.prices[size - 1]
    scale = constraints.scale_of(max(worst, 1e-30))
    state = constraints.constrain(start, scale, frame, relaxed)
    tried, waiting, used_ways, used_links = 0, np.int64(1), np.int64(1), np.int64(1)
    heap[0, 0], heap[0, 1] = np.int64(relaxed.V[k, state]), 0
    ways[0, 0], ways[0, 1], ways[0, 2], ways[0, 3] = k, state, 0, 0
    last = constraints.in_units(worst, rest, scale)
    while waiting > 0 and heap[0, 0] <= last and tried < candidates:
        way = heap[0, 1]
        waiting = pop(heap, waiting)
        link, waiting, used_ways, used_links = _read_off(
            way, last, waiting, used_ways, used_links, relaxed, memory
        )
        if link < 0:
            return
        tried += 1
        flipped, total, pattern = np.int64(0), np.float32(0), start
        while link:
            j = links[link, 0]
            chosen[flipped] = j
            total += price[j]
            pattern = words.xor(pattern, words.load(flip, j))
            flipped += 1
            link = links[link, 1]
        if total + words.price_of(pattern, sums) < lists.limit_of(worst):
            exact = mrb.exact_price(start, chosen, flipped, flip, price, parity)
            if exact < worst and not cheapest.has(kept, size, chosen, flipped):
                cheapest.offer(kept, size, exact, chosen, flipped)
                worst = kept.prices[size - 1]
                last = constraints.in_units(worst, rest, scale)
