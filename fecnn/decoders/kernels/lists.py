"""Depth-first search of the flips of a most reliable basis, weight by weight, with exact pruning.

A pattern of flips costs the reliabilities it flips in the basis plus those it flips among the checks. Let d
be at most the minimum distance, and n0 the weight of the pattern of order 0. A pattern with w >= 1 flips
gives another codeword, which differs in at least d positions: in w of the basis, hence in at least d - w
checks, of which at least d - w - n0 are not ones of the pattern of order 0, so that the pattern itself has
ones there. Their reliabilities bound the price of its checks from below (`floors`). As the basis ascends in
reliability, the first flip that costs too much ends its loop. Nothing that could win is skipped: the
decision is the same with or without pruning.

Prices are float32, and may err by less than `SLACK` for up to `MOST_FLIPS` flips. Bounds are compared with a
limit that much above the best price; what stays below it is priced exactly. A search that would need more
flips ends without a proof.
"""

from collections import namedtuple

import numpy as np

from fecnn.decoders.kernels import basis as mrb
from fecnn.decoders.kernels import words
from fecnn.decoders.kernels.arena import empty, empty_each, zeros
from fecnn.jit import kernel

SLACK, MOST_FLIPS = 2e-5, 300

ENDLESS = 1 << 62
"""A budget that is never spent."""


@kernel(inline="always")
def limit_of(best):
    """The float32 price below which a pattern may be better than the exact price ``best``."""
    return np.float32(best * (1.0 + SLACK))


@kernel(borrows=True)
def price_start(pattern, distance, place, reliability):
    """Price of the pattern of order 0, exact, and a lower bound of the price of every other pattern.

    Any other error pattern differs from this one by a codeword of weight >= d, so that it has ones in at
    least d - n0 of the other positions (Taipale and Pursley, IEEE Trans. IT 37(1), 1991), the least reliable
    of which are among the first d places. If the price is within the bound, the pattern is maximum
    likelihood. d counts up to 63 here.
    """
    total, free, need = 0.0, words.FULL, min(distance, 63)
    while not words.is_empty(pattern):
        j = place[words.index(pattern)]
        pattern = words.without_lowest(pattern)
        total += np.float64(reliability[j])
        need -= 1
        if j < 64:
            free &= ~(words.ONE << np.uint64(j))
    bound = 0.0
    for _ in range(need):
        j = words.index(free)
        if j >= len(reliability):
            break
        bound += np.float64(reliability[j])
        free = words.without_lowest(free)
    return total, bound


@kernel(borrows=True)
def bound_weights(pattern, distance, check, price, parity, floors, prefix):
    """Least prices by number of flips w: floors[w] among the checks, prefix[w] in the basis (both f8)."""
    k = len(price)
    prefix[0] = 0.0
    for w in range(k):
        prefix[w + 1] = prefix[w] + np.float64(price[w])
    floors[: k + 1] = 0.0
    free = distance - words.count(pattern)  # with w flips, free - w ones outside the pattern
    total, found, i = 0.0, 0, 0
    while found < free - 1 and i < len(check):
        if not words.has(pattern, check[i]):
            total += np.float64(parity[check[i]])
            found += 1
            if free - found <= k:
                floors[free - found] = total
        i += 1
    for w in range(min(free - found - 1, k), 0, -1):  # fewer checks are free than must be ones
        floors[w] = total


@kernel(borrows=True)
def expected_price(first, z, check, parity):
    """Expected cost of the ``first`` least reliable checks of the right pattern, less z standard deviations.

    A check whose place has reliability a is wrong with probability p = 1 / (1 + e^a), and costs a then: mean
    and variance of the price are the sums of p a and of p (1 - p) a^2. Zero for negative z.
    """
    if z < 0.0:
        return 0.0
    mean, variance = 0.0, 0.0
    for i in range(first):
        a = np.float64(parity[check[i]])
        p = 1.0 / (1.0 + np.exp(min(a, 700.0)))
        mean += a * p
        variance += a * a * p * (1.0 - p)
    return max(0.0, mean - z * np.sqrt(variance))


@kernel(borrows=True)
def next_candidate(j, spent, pattern, ceiling, limit, flip, price, sums):
    """The first last flip from j on that may win: its index, or k if none, and how many were tried.

    ceiling bounds the price in the basis, limit the whole price; both f4. Where the ceiling ends the loop is
    found first, as prices ascend: then a pattern costs little more than its look-ups.
    """
    first, end = j, len(price)
    if end > first and spent + price[end - 1] >= ceiling:
        end = first
        while spent + price[end] < ceiling:
            end += 1
    while j < end:
        if spent + price[j] + words.price_of(words.xor(pattern, words.load(flip, j)), sums) < limit:
            return j, j - first + 1
        j += 1
    return len(price), end - first


@kernel(inline="always")
def begin(values, i, columns, distance, frame, out):
    """Decode frame i of values (B n,) f4 with order 0: hard decisions to ``out[i]``, all else to ``frame``.

    Returns:
        Whether the hard decisions are a codeword, than which none is more likely. If not: the pattern of
        order 0, and what `price_start` says of it.
    """
    if i % mrb.STRIP == 0:
        mrb.harden(values, i, out)
    row = mrb.padded_row(values, i, len(frame.order), frame.spare)
    start = words.syndrome_of(columns, row)
    clean, best, bound = words.is_empty(start), 0.0, 0.0
    if not clean:
        mrb.reduce(row, start, columns, frame)
        start = words.load(frame.ordered, len(frame.order))
        best, bound = price_start(start, distance, frame.place, frame.reliability)
    return clean, start, best, bound


@kernel(inline="always")
def end(start, frame, flips, count, hard):
    """Correct the hard decisions (n,) u1 by the pattern of order 0 with ``flips[:count]``."""
    mrb.correct(start, frame.order, frame.ordered, frame.place, frame.basis, flips, count, hard)


Scratch = namedtuple("Scratch", "floors prefix chosen spent patterns flips")
"""Memory for a search.

floors, prefix: (k + 1,) f8; least prices by number of flips, see `bound_weights`.
chosen, spent, patterns: k + 2 levels, i8, f4 and sets: the flips so far, their price, the pattern.
flips: (k + 2,) i8; the best flips.
"""


@kernel(inline="always")
def new_memory(arena, columns, n, checks):
    """A `basis.Frame` and a `Scratch` for frames of a code with these columns."""
    k = n - checks
    return mrb.new_frame(arena, columns, n, checks), Scratch(
        empty(arena, k + 1, np.float64),
        empty(arena, k + 1, np.float64),
        empty(arena, k + 2, np.int64),
        zeros(arena, k + 2, np.float32),
        empty_each(arena, columns, k + 2),
        empty(arena, k + 2, np.int64),
    )


@kernel(inline="always")
def prepare(start, distance, frame, scratch):
    """Fill in what a search of patterns looks up, and its bounds."""
    mrb.tabulate(frame)
    bound_weights(start, distance, frame.check, frame.price, frame.parity, scratch.floors, scratch.prefix)


@kernel(inline="always")
def search(start, best, count, first, order, stop, budget, frame, scratch):
    """Try patterns of ``first`` to ``order`` flips: improve on ``flips[:count]`` of exact price ``best``.

    Args:
        start: The pattern of order 0.
        best, count: The best price so far, f8, and its number of flips.
        first, order: Fewest and most flips.
        stop: A price that is good enough.
        budget: Stop when more patterns than this have been tried.
        frame: A tabulated `fecnn.decoders.kernels.basis.Frame`.
        scratch: Prepared; its ``flips`` are the best ones, in and out.

    Returns:
        The best price, its number of flips, patterns tried, and whether the search came to its end.
    """
    flip, price, parity, sums = frame.flip, frame.price, frame.parity, frame.sums
    floors, prefix = scratch.floors, scratch.prefix
    chosen, spent, patterns, flips = scratch.chosen, scratch.spent, scratch.patterns, scratch.flips
    k, tried = len(price), 0
    limit = limit_of(best)
    for weight in range(first, order + 1):
        if not _any_left(weight, order, limit, floors, prefix):
            break
        if prefix[weight] + floors[weight] >= limit:
            continue
        if weight > MOST_FLIPS:
            return best, count, tried, False
        depth = 0
        chosen[0], spent[0] = -1, np.float32(0)
        words.store(patterns, 0, start)
        while depth >= 0:
            if depth == weight - 1:
                pattern = words.load(patterns, depth)
                j = chosen[depth] + 1
                while j < k:
                    ceiling = np.float32(limit - floors[weight])
                    j, looked = next_candidate(j, spent[depth], pattern, ceiling, limit, flip, price, sums)
                    tried += looked
                    if j < k:
                        chosen[depth] = j
                        total = mrb.exact_price(start, chosen, weight, flip, price, parity)
                        if total < best:
                            best, count = total, weight
                            limit = limit_of(best)
                            for i in range(weight):
                                flips[i] = chosen[i]
                            if best <= stop:
                                return best, count, tried, True
                        j += 1
                if tried > budget:
                    return best, count, tried, False
                depth -= 1
                continue
            chosen[depth] += 1
            j = chosen[depth]
            left = weight - 1 - depth
            if j + left >= k:
                depth -= 1
                continue
            cost = spent[depth] + price[j]
            least = np.float64(cost) + (prefix[j + 1 + left] - prefix[j + 1]) + floors[weight]
            if least >= limit:
                depth -= 1
                continue
            words.store(patterns, depth + 1, words.xor(words.load(patterns, depth), words.load(flip, j)))
            depth += 1
            spent[depth], chosen[depth] = cost, j
    return best, count, tried, True


@kernel(borrows=True)
def _any_left(weight, order, limit, floors, prefix):
    """Whether patterns of this or a larger weight can still win; prefix ascends, floors descend to zero."""
    for w in range(weight, order + 1):
        if prefix[w] + floors[w] < limit:
            return True
        if floors[w] == 0.0:
            return False
    return False
