"""Search with local constraints: a perfect lower bound from the most reliable checks.

Keep of the n - k checks only the ``delta`` whose parity positions are the most reliable, and forget the
price of all others. What remains is a shortest-path problem on 2^delta states, solved once a frame by

    V_0(s) = price of the constraint bits s,      V_{t+1}(s) = min(V_t(s), a_t + V_t(s ^ h_t)),

where a_t is the price of basis place t and h_t what its flip does to the constraints. V_t(s) is the least
price of completing a pattern in state s with flips among the t least reliable places: a bound that is exact
for the relaxed problem, so that a depth-first search which follows it never enters a branch without a leaf.
(Local constraints: Wang, Liang and Ma, ITW 2022; here they bound an exact search instead of ordering a list.)

Prices are scaled to integers and rounded down, so that V stays a lower bound. The search deepens its limit
step by step (Korf 1985): with the full limit it would follow a poor first pattern too far.
"""

from collections import namedtuple

import numpy as np

from fecnn.decoders.kernels import words
from fecnn.decoders.kernels.arena import empty
from fecnn.decoders.kernels.basis import exact_price
from fecnn.decoders.kernels.lists import MOST_FLIPS, expected_price, limit_of
from fecnn.decoders.kernels.minplus import relax
from fecnn.jit import kernel

SCALE = np.float32(30000.0)
"""The best price so far, in integer units; twice that saturates uint16 and is out of the question."""


@kernel(borrows=True)
def scale_of(best):
    """Units of a price of 1."""
    return min(SCALE / np.float32(best), np.float32(1e34))


Relaxed = namedtuple("Relaxed", "delta steps units V")
"""The relaxed problem of a frame.

delta: Constraints, at most n - k.
steps: (k,) i8; what the flip of each place of the basis does to the state.
units: (k,) u2; its price.
V: (k + 1, states) u2; least prices.
"""


@kernel(inline="always")
def new_relaxed(arena, k, delta):
    """Memory for it, of 2^delta states, or more to fill a vector."""
    V = empty(arena, (k + 1, 1 << max(delta, 5)), np.uint16)
    return Relaxed(np.int64(delta), empty(arena, k, np.int64), empty(arena, k, np.uint16), V)


Nodes = namedtuple("Nodes", "levels children")
"""Memory for a search: for each depth, levels (5, k + 2) i8, its state, price in units, flip, next child and
number of children; children (k + 2, k + 2) i4."""


@kernel(inline="always")
def new_nodes(arena, k):
    """Memory for searches among k places."""
    return Nodes(empty(arena, (5, k + 2), np.int64), empty(arena, (k + 2, k + 2), np.int32))


@kernel(borrows=True)
def constrain(start, scale, frame, relaxed):
    """Solve the relaxed problem of a tabulated frame.

    Returns:
        The state of the pattern of order 0.
    """
    check, flip, price, parity = frame.check, frame.flip, frame.price, frame.parity
    delta, steps, units, V = relaxed.delta, relaxed.steps, relaxed.units, relaxed.V
    k = len(price)
    state = np.int64(0)
    for j in range(k):
        steps[j] = 0
    V[0] = np.uint16(65535)
    V[0, 0] = 0
    for i in range(delta):
        number = check[len(check) - 1 - i]
        for j in range(k):
            steps[j] |= np.int64(words.has(words.load(flip, j), number)) << i
        state |= np.int64(words.has(start, number)) << i
        unit = np.int64(min(np.float32(60000), parity[number] * scale))
        half = 1 << i
        for s in range(half):
            V[0, half + s] = np.uint16(min(np.int64(65535), np.int64(V[0, s]) + unit))
    for j in range(k):
        units[j] = np.uint16(min(np.float32(60000), price[j] * scale))
        relax(V[j], V[j + 1], steps[j], units[j])
    return state


@kernel(inline="always")
def search(start, best, count, z, budget, frame, scratch, nodes, relaxed):
    """Improve on the pattern ``flips[:count]`` of exact price ``best``, or prove that nothing is better.

    Args:
        start: The pattern of order 0.
        best, count: The best price so far and its number of flips.
        z: Standard deviations of `lists.expected_price`; negative for an exact search.
        budget: Stop after this many nodes.
        frame: A tabulated `fecnn.decoders.kernels.basis.Frame`.
        scratch: A `fecnn.decoders.kernels.lists.Scratch`; its ``flips`` are the best ones, in and out.
        nodes: Memory for the search.
        relaxed: Memory for the relaxed problem, which is solved here.

    Returns:
        The best price, its number of flips, nodes visited, and whether the search came to its end.
    """
    check, flip, price, parity, sums = frame.check, frame.flip, frame.price, frame.parity, frame.sums
    spent, patterns, flips = scratch.spent, scratch.patterns, scratch.flips
    levels, children = nodes.levels, nodes.children
    k = len(price)
    scale = scale_of(best)
    state = constrain(start, scale, frame, relaxed)
    steps, units, V = relaxed.steps, relaxed.units, relaxed.V
    rest = expected_price(len(check) - relaxed.delta, z, check, parity)
    root, last = np.int64(V[k, state]), in_units(best, rest, scale)
    limit = root + (last - root) // 3
    visited = 0
    state_of, units_of, chosen, following, end = levels[0], levels[1], levels[2], levels[3], levels[4]
    state_of[0], units_of[0], spent[0] = state, 0, np.float32(0)
    words.store(patterns, 0, start)
    while root <= last:
        limit = min(limit, last)
        before = visited
        ceiling = limit_of(best)
        following[0], end[0] = 0, _children(k, state, limit, steps, units, V, children[0])
        depth = 0
        while depth >= 0:
            if following[depth] == end[depth]:
                depth -= 1
                continue
            j = np.int64(children[depth, following[depth]])
            following[depth] += 1
            used, reached = units_of[depth] + np.int64(units[j]), state_of[depth] ^ steps[j]
            if used + np.int64(V[j, reached]) > limit:
                continue  # the limit has shrunk since
            visited += 1
            if visited > budget or depth == MOST_FLIPS:
                return best, count, visited, False
            cost = spent[depth] + price[j]
            pattern = words.xor(words.load(patterns, depth), words.load(flip, j))
            chosen[depth] = j
            depth += 1
            if used + np.int64(V[0, reached]) <= limit and cost + words.price_of(pattern, sums) < ceiling:
                total = exact_price(start, chosen, depth, flip, price, parity)
                if total < best:
                    best, count = total, depth
                    for i in range(depth):
                        flips[i] = chosen[i]
                    ceiling, last = limit_of(best), in_units(best, rest, scale)
                    limit = min(limit, last)
            if j == 0:
                depth -= 1
                continue
            state_of[depth], units_of[depth], spent[depth] = reached, used, cost
            words.store(patterns, depth, pattern)
            following[depth] = 0
            end[depth] = _children(j, reached, limit - used, steps, units, V, children[depth])
        if limit >= last:
            break
        limit += max(1, (limit - root) // (4 if visited - before > 200 else 2))
    return best, count, visited, True


@kernel(borrows=True)
def _children(places, state, limit, steps, units, V, children):
    """Which of the first ``places`` places may be flipped next within the limit, in order: how many."""
    found = np.int64(0)
    for j in range(places):
        children[found] = j
        found += np.int64(np.int64(units[j]) + np.int64(V[j, state ^ steps[j]]) <= limit)
    return found


@kernel(borrows=True)
def in_units(best, rest, scale):
    """The largest integer price that may still be better than ``best``."""
    return np.int64((np.float64(limit_of(best)) - rest) * np.float64(scale)) + 1
