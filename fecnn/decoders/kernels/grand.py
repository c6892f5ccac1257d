"""Guessing random additive noise: try error patterns from the likeliest on until the rest is a codeword.

`sgrand` keeps patterns on a heap. The other searches walk depth-first through patterns of a given weight with
the syndrome that remains at each depth; the last flips must be columns that sum to what remains.
"""

import numpy as np

from fecnn.decoders.kernels.heap import pop, push
from fecnn.decoders.kernels.loops import any_set, sort_places
from fecnn.jit import kernel


@kernel
def grand(llr, columns, queries, ranked, line, out, used, found):
    """Undo the first pattern, by rising weight, that has the syndrome of the hard decision.

    llr (B, n) f4; columns (n, W) u8; ``ranked``: order patterns by the sum of their ranks of reliability (the
    least reliable bit has rank 1), plus the `intercept` for each flip if ``line``; else by how many bits they
    flip, earlier bits first.
    Out: (B, n) u1; used (B,) i8 patterns tried; found (B,) b1, False if ``queries`` did not suffice, which
    leaves the hard decision.
    """
    frames, n = llr.shape
    rest = np.empty((n + 1, columns.shape[1]), np.uint64)  # the syndrome that remains at each depth
    ordered = np.empty(columns.shape, np.uint64)
    place, spare = np.empty(n, np.int64), np.empty(n, np.int64)
    for j in range(n):
        place[j] = j
    reliability = np.empty(n, np.float64)
    flips = np.empty(n, np.int64)
    for frame in range(frames):
        rest[0] = np.uint64(0)
        for j in range(n):
            reliability[j] = abs(np.float64(llr[frame, j]))
            out[frame, j] = llr[frame, j] < 0
            if out[frame, j]:
                for word in range(rest.shape[1]):
                    rest[0, word] ^= columns[j, word]
        if not any_set(rest[0]):
            used[frame], found[frame] = 1, True
            continue
        if ranked:
            sort_places(reliability, place, spare)  # stable: ties go by position
            for rank in range(n):
                for word in range(columns.shape[1]):
                    ordered[rank, word] = columns[place[rank], word]
            extra = intercept(reliability, place) if line else np.int64(0)
            count, spent = _by_rank(rest, ordered, extra, queries, flips)
        else:
            count, spent = _by_hamming_weight(rest, columns, queries, flips)
        used[frame], found[frame] = spent, count > 0
        for i in range(count):
            out[frame, place[flips[i]]] ^= 1


@kernel
def _by_hamming_weight(rest, columns, queries, flips):
    """Fill in the first pattern that leaves no syndrome: how many flips (0 if none), and patterns tried."""
    n = len(columns)
    following = np.empty(n, np.int64)
    spent = 1  # the pattern without flips
    for weight in range(1, n + 1):
        depth = np.int64(0)
        following[0] = 0
        while depth >= 0:
            j = following[depth]
            if j > n - (weight - depth):
                depth -= 1
                continue
            if depth == weight - 1:
                for last in range(j, n):
                    if spent == queries:
                        return 0, spent
                    spent += 1
                    if _equal(rest, depth, columns, last):
                        flips[depth] = last
                        return weight, spent
                depth -= 1
                continue
            following[depth] = j + 1
            flips[depth] = j
            _take(rest, depth, columns, j)
            depth += 1
            following[depth] = j + 1
    return 0, spent


@kernel
def intercept(reliability, place):
    """J of the line through the least and the middle reliability, (J + rank) times the slope, rounded.

    Above n (n + 1) / 2 it makes no difference: patterns are then in order of their flips.
    """
    n = len(place)
    half = (n + 1) // 2
    least, middle = reliability[place[0]], reliability[place[half - 1]]
    most = n * (n + 1) // 2
    if half == 1 or least == 0:
        return np.int64(0)
    if least * (half - 1) >= (most + 1) * (middle - least):
        return np.int64(most)
    return np.int64(max(np.floor(least * (half - 1) / (middle - least) - 0.5), 0.0))


@kernel
def _by_rank(rest, ordered, extra, queries, flips):
    """The same, by the sum of ranks 1 to n, plus ``extra`` for each: few flips first among equals.

    The ranks of a pattern are a partition of its sum into distinct parts.
    """
    n = len(ordered)
    spent = np.int64(1)
    for total in range(extra + 1, n * extra + n * (n + 1) // 2 + 1):
        if total <= n + extra:
            if spent == queries:
                return 0, spent
            spent += 1
            if _equal(rest, np.int64(0), ordered, total - extra - 1):
                flips[0] = total - extra - 1
                return 1, spent
        weight = np.int64(2)
        while weight <= n and weight * (weight + 1) // 2 + weight * extra <= total:
            logistic = total - weight * extra
            if 2 * logistic <= weight * (2 * n + 1 - weight):
                hit, spent = _partitions(logistic, weight, rest, ordered, spent, queries, flips)
                if hit:
                    return weight, spent
                if spent == queries:
                    return 0, spent
            weight += 1
    return 0, spent


@kernel
def _partitions(logistic, weight, rest, ordered, spent, queries, flips):
    """Try all sets of ``weight`` at least 2 ranks with this sum: whether one fits, and patterns tried."""
    n = len(ordered)
    following = np.empty(weight, np.int64)  # the next part to try at each depth
    left = np.empty(weight, np.int64)  # what the parts from there on must sum to
    depth = np.int64(0)
    left[0] = logistic
    following[0] = _least_part(depth, logistic, weight, n)
    while depth >= 0:
        part, parts = following[depth], weight - depth
        if parts == 2:
            while 2 * part < left[depth]:
                if spent == queries:
                    return False, spent
                spent += 1
                last = left[depth] - part
                if _sum_is(rest, depth, ordered, part - 1, last - 1):
                    flips[depth], flips[depth + 1] = part - 1, last - 1
                    return True, spent
                part += 1
            depth -= 1
        elif part > n or part * parts + parts * (parts - 1) // 2 > left[depth]:
            depth -= 1
        else:
            following[depth] = part + 1
            flips[depth] = part - 1
            _take(rest, depth, ordered, part - 1)
            left[depth + 1] = left[depth] - part
            depth += 1
            following[depth] = _least_part(part, left[depth], parts - 1, n)
    return False, spent


@kernel
def _least_part(before, total, parts, n):
    """The least part above ``before`` that the parts after it, at most n each, can complete to the total."""
    rest = parts - 1
    return max(before + 1, total - (rest * n - rest * (rest - 1) // 2))


@kernel
def _equal(rest, depth, columns, j):
    for word in range(columns.shape[1]):
        if rest[depth, word] != columns[j, word]:
            return False
    return True


@kernel
def _sum_is(rest, depth, columns, i, j):
    for word in range(columns.shape[1]):
        if rest[depth, word] != columns[i, word] ^ columns[j, word]:
            return False
    return True


@kernel
def _take(rest, depth, columns, j):
    for word in range(columns.shape[1]):
        rest[depth + 1, word] = rest[depth, word] ^ columns[j, word]


@kernel
def sgrand(llr, columns, queries, out, used, found):
    """Undo the least costly pattern that has the syndrome of the hard decision; arguments as for `grand`.

    A pattern of ranks that ends in j has two successors, which cost no less: j + 1 instead of j, or added.
    Each pattern is the successor of one other, so all patterns come in order of cost.
    """
    frames, n = llr.shape
    words = columns.shape[1]
    heap = np.empty((queries + 1, 2), np.float64)  # cost, pattern
    cost = np.empty(2 * queries + 1, np.float64)
    last = np.empty(2 * queries + 1, np.int64)
    before = np.empty(2 * queries + 1, np.int64)  # the pattern without its last flip
    rest = np.empty((2 * queries + 1, words), np.uint64)  # the syndrome that remains
    place, spare = np.empty(n, np.int64), np.empty(n, np.int64)
    reliability = np.empty(n, np.float64)
    cost[0], last[0], before[0] = 0.0, -1, -1  # no flip
    for frame in range(frames):
        rest[0] = np.uint64(0)
        for j in range(n):
            reliability[j] = abs(np.float64(llr[frame, j]))
            out[frame, j] = llr[frame, j] < 0
            if out[frame, j]:
                for word in range(words):
                    rest[0, word] ^= columns[j, word]
        sort_places(reliability, place, spare)
        spent, made, waiting = np.int64(1), np.int64(1), np.int64(0)
        at, hit = np.int64(0), not any_set(rest[0])
        while not hit and spent < queries:
            following = last[at] + 1
            if following < n:
                for stem in (before[at], at):
                    if stem >= 0:
                        cost[made] = cost[stem] + reliability[place[following]]
                        last[made], before[made] = following, stem
                        for word in range(words):
                            rest[made, word] = rest[stem, word] ^ columns[place[following], word]
                        waiting = push(heap, waiting, cost[made], np.float64(made))
                        made += 1
            if not waiting:
                break
            at = np.int64(heap[0, 1])
            waiting = pop(heap, waiting)
            spent += 1
            hit = not any_set(rest[at])
        used[frame], found[frame] = spent, hit
        while hit and at > 0:
            out[frame, place[last[at]]] ^= 1
            at = before[at]
