"""Which paths of a list survive a fork: of both choices on all paths, the cheapest that the list can hold.

A path that survives stays in its lane. If its other choice survives too, that goes to the lane of a path that
ends, or to one behind the last. Of choices that cost the same, that of the first path survives, zero first.

Up to 64 lanes are looked at together: sets of lanes are the bits of a number.
"""

import numpy as np

from fecnn.decoders.kernels.lanes import as_integer, as_mask, choose, greatest, less, load, splat, width
from fecnn.decoders.kernels.loops import sort_places
from fecnn.decoders.kernels.words import trailing_zeros
from fecnn.jit import kernel, popcount

ONE, NONE, ALL = np.uint64(1), np.uint64(0), np.uint64(0xFFFFFFFFFFFFFFFF)


@kernel(error_model="numpy", inline="always")
def survivors(first, count, paths, low, high, chosen, candidates, order):
    """Which of ``count`` paths from lane ``first`` on go on twice and which end, for ``paths`` at most.

    low, high: of each lane, the metric of its better choice, which is ``chosen``, and of its worse.
    Out: the numbers of both kinds of paths, ascending, in the rows of order (2, 2 L) i8. Where both choices
    cost the same, ``chosen`` becomes zero. candidates (2 L,) is scratch.

    Returns:
        How many go on twice, and how many end.
    """
    if 2 * count <= paths:
        for path in range(count):
            order[0, path] = path
        return count, 0
    if len(low) > 64:
        return _by_sorting(first, count, paths, low, high, chosen, candidates, order)
    lanes = width(low)
    frame = (ALL >> np.uint64(64 - count)) << np.uint64(first)
    far = splat(low.dtype.type(np.inf))
    zero = splat(low.dtype.type(0))
    dearest, cheapest = zero - far, zero - far
    for v in range(len(low) // lanes):
        here = as_mask(np.int64(frame >> np.uint64(v * lanes)), far)
        value = choose(here, load(low, v), zero - far)
        dearest = choose(less(dearest, value), value, dearest)
        value = choose(here, zero - load(high, v), zero - far)
        cheapest = choose(less(cheapest, value), value, cheapest)
    costliest, limit = greatest(dearest), -greatest(cheapest)
    both, end = NONE, NONE
    if count == paths and limit >= costliest:
        return 0, 0
    equal = frame & ~_differ(low, high)
    while equal != NONE:
        chosen[trailing_zeros(equal)] = 0
        equal &= equal - ONE
    bad, good = frame, frame
    if count == paths:  # else some worse choices survive whatever they cost
        bad &= ~_above(high, costliest)
        good &= ~_below(low, limit)
    while bad != NONE:
        lane = trailing_zeros(bad)
        before = _before(low, high, high[lane], frame, (ONE << np.uint64(lane)) - ONE)
        own = np.int64(high[lane] == low[lane])
        if before + own < paths:
            both |= ONE << np.uint64(lane)
        bad &= bad - ONE
    while good != NONE:
        lane = trailing_zeros(good)
        if _before(low, high, low[lane], frame, (ONE << np.uint64(lane)) - ONE) >= paths:
            end |= ONE << np.uint64(lane)
        good &= good - ONE
    return _listed(both, first, order, 0), _listed(end, first, order, 1)


@kernel(inline="always")
def _differ(low, high):
    """Lanes whose two metrics differ, in spite of rounding."""
    found, lanes = NONE, width(low)
    for v in range(len(low) // lanes):
        found |= np.uint64(as_integer(less(load(low, v), load(high, v)))) << np.uint64(v * lanes)
    return found


@kernel(inline="always")
def _below(values, limit):
    """Lanes whose values are below the limit."""
    found, lanes = NONE, width(values)
    for v in range(len(values) // lanes):
        found |= np.uint64(as_integer(less(load(values, v), splat(limit)))) << np.uint64(v * lanes)
    return found


@kernel(inline="always")
def _above(values, limit):
    found, lanes = NONE, width(values)
    for v in range(len(values) // lanes):
        found |= np.uint64(as_integer(less(splat(limit), load(values, v)))) << np.uint64(v * lanes)
    return found


@kernel(borrows=True)
def _before(low, high, value, frame, earlier):
    """How many choices of a frame's paths precede one of this metric: of equals those in earlier lanes."""
    lows = (_below(low, value) | (earlier & ~_above(low, value))) & frame
    highs = (_below(high, value) | (earlier & ~_above(high, value))) & frame
    return popcount(lows) + popcount(highs)


@kernel(borrows=True)
def _listed(lanes, first, order, row):
    """Write the numbers of paths in a set of lanes; how many there are."""
    count = 0
    while lanes != NONE:
        order[row, count] = trailing_zeros(lanes) - first
        lanes &= lanes - ONE
        count += 1
    return count


@kernel(borrows=True)
def _by_sorting(first, count, paths, low, high, chosen, candidates, order):
    """The same for lists of any length: path p with bit b is at 2 p + b."""
    costliest, cheapest = low[first], high[first]
    for lane in range(first, first + count):
        costliest, cheapest = max(costliest, low[lane]), min(cheapest, high[lane])
    if count == paths and cheapest >= costliest:
        return 0, 0
    for lane in range(first, first + count):
        chosen[lane] *= low[lane] != high[lane]
    for path in range(count):
        better = np.int64(chosen[first + path])
        candidates[2 * path + better] = low[first + path]
        candidates[2 * path + 1 - better] = high[first + path]
    sort_places(candidates[: 2 * count], order[0], order[1])
    for place in range(2 * count):
        candidates[order[0, place]] = place
    both, end = 0, 0
    for path in range(count):
        better = np.int64(chosen[first + path])
        if candidates[2 * path + 1 - better] < paths:
            order[0, both] = path
            both += 1
        if candidates[2 * path + better] >= paths:
            order[1, end] = path
            end += 1
    return both, end
