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

import numpy as np

from fecnn.decoders.kernels import words
from fecnn.decoders.kernels.basis import exact_price
from fecnn.decoders.kernels.lists import expected_price, limit_of
from fecnn.decoders.kernels.minplus import relax
from fecnn.jit import kernel

SCALE = np.float32(30000.0)
"""The best price so far, in integer units; twice that saturates uint16 and is out of the question."""


@kernel
def states_of(delta):
    """States of ``delta`` constraints, as whole vectors."""
    return 1 << max(delta, 5)


@kernel
def scale_of(best):
    """Units of a price of 1."""
    return min(SCALE / np.float32(best), np.float32(1e34))


@kernel
def constrain(start, delta, scale, check, flip, price, parity, steps, units, V):
    """Solve the relaxed problem: steps (k,) i8, units (k,) u2 and V (k + 1, states) u2 out.

    Returns:
        The state of the pattern of order 0.
    """
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


@kernel
def search(
    start, best, count, delta, z, budget, check, flip, price, parity, sums, flips, spent, patterns, levels,
    children, steps, units, V,
):  # fmt: skip
    """Improve on the pattern ``flips[:count]`` of exact price ``best``, or prove that nothing is better.

    Args:
        start: The pattern of order 0.
        best, count: The best price so far and its number of flips.
        delta: Constraints, at most n - k.
        z: Standard deviations of `lists.expected_price`; negative for an exact search.
        budget: Stop after this many nodes.
        check, flip, price, parity, sums: See `fecnn.decoders.kernels.basis.Frame`.
        flips: (k + 2,) i8; the best flips, in and out.
        spent, patterns, levels, children: Scratch: (k + 2,) f4, k + 2 sets, (5, k + 2) i8 with the state,
            price in units, flip, next child and number of children of each depth, and (k + 2, k + 2) i4.
        steps, units, V: Scratch of `constrain`.

    Returns:
        The best price, its number of flips, nodes visited, and whether the search came to its end.
    """
    k = len(price)
    scale = scale_of(best)
    state = constrain(start, delta, scale, check, flip, price, parity, steps, units, V)
    rest = expected_price(len(check) - delta, z, check, parity)
    root, last = np.int64(V[k, state]), in_units(best, rest, scale)
    limit = root + (last - root) // 3
    nodes = 0
    state_of, units_of, chosen, following, end = levels[0], levels[1], levels[2], levels[3], levels[4]
    state_of[0], units_of[0], spent[0] = state, 0, np.float32(0)
    words.store(patterns, 0, start)
    while root <= last:
        limit = min(limit, last)
        before = nodes
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
                continue  # the limit has shrunk meanwhile
            nodes += 1
            if nodes > budget:
                return best, count, nodes, False
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
        limit += max(1, (limit - root) // (4 if nodes - before > 200 else 2))
    return best, count, nodes, True


@kernel
def _children(places, state, limit, steps, units, V, children):
    """Which of the first ``places`` places may be flipped next within the limit, in order: how many."""
    found = np.int64(0)
    for j in range(places):
        children[found] = j
        found += np.int64(np.int64(units[j]) + np.int64(V[j, state ^ steps[j]]) <= limit)
    return found


@kernel
def in_units(best, rest, scale):
    """The largest integer price that may still be better than ``best``."""
    return np.int64((np.float64(limit_of(best)) - rest) * np.float64(scale)) + 1
