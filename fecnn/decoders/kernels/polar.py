"""Successive-cancellation list decoding of polar codes, on LLRs and in the error domain.

With h the hard decision of the received word and u = h F, F the Kronecker power of [[1, 0], [1, 1]], the
error word e = c + h has transform v = e F with v_i = u_i in the frozen positions. So the decoder sees the
reliabilities |llr|, all positive, and the frozen values: it cannot favour a codeword, and where an LLR is 0
it decides as the received word does.

All paths of a list move in step. A layer of LLRs or partial sums is renewed by all paths at once, each in
its own slot, and what the slots held before is dead by then. A path is therefore cloned by copying, for each
layer, the number of the slot it reads.

A subtree of frozen bits only is not entered: its word is known, and the metric grows by what that word costs,
which is the same as bit by bit, exactly and in the max-log form (Alamdar-Yazdi and Kschischang 2011; Hashemi,
Condo and Gross 2016).
"""

import math

import numba as nb
import numpy as np


@nb.njit(cache=True, nogil=True, error_model="numpy")
def scl(llr, frozen, columns, paths, exact, out, tested, passed):
    """Best of the final paths that is a word of the code.

    llr (B, n) f4; frozen (n,) b1; columns (n, W) u8, packed columns of the code's checks (W = 0 if all
    are frozen bits); paths, the list size; exact, whether box-plus and metric are exact or max-log.
    Out: (B, n) u1; tested (B,) i8, paths whose checks were looked at; passed (B,) b1, whether one satisfied
    them (else the best path is the answer).
    """
    frames, n = llr.shape
    layers = 0
    while 1 << layers < n:
        layers += 1
    # Layer l has n >> l values, from 2 n - 2 (n >> l) on; layer 0 is the channel, in slot 0 for all paths.
    alpha = np.empty((paths, 2 * n), np.float64)
    left = np.empty((paths, 2 * n), np.uint8)
    alpha_slot = np.zeros((paths, layers + 1), np.int64)
    left_slot = np.empty((paths, layers + 1), np.int64)
    sums = np.empty((paths, n), np.uint8)  # of the subtree that ends with the present bit
    metric = np.empty(paths, np.float64)
    hard = np.empty(n, np.uint8)
    transform = np.empty(n, np.uint8)
    no_error = np.zeros(n, np.uint8)
    work = _fork_space(paths)
    depth = _frozen_subtrees(frozen, layers)
    for frame in range(frames):
        for j in range(n):
            alpha[0, j] = abs(np.float64(llr[frame, j]))
            hard[j] = llr[frame, j] < 0
            transform[j] = hard[j]
        _transform(transform)
        if not (frozen & (transform > 0)).any() and _satisfied(no_error, hard, columns):
            out[frame], tested[frame], passed[frame] = hard, 1, True
            continue  # the hard decision is a codeword: none is more likely
        count = 1
        metric[0] = 0.0
        i = 0
        while i < n:
            top, bottom = _first_layer(i, layers), depth[i]
            size = n >> bottom
            for path in range(count):
                _descend(alpha, alpha_slot, left, left_slot, path, i, top, bottom, exact)
            if frozen[i]:
                _transform(transform[i : i + size])
                for path in range(count):
                    for j in range(size):
                        value = alpha[path, 2 * n - 2 * size + j]
                        metric[path] += _penalty(value, transform[i + j], exact)
                        sums[path, j] = transform[i + j]
            else:
                count = _fork(alpha, alpha_slot, left_slot, sums, metric, count, exact, work)
            for path in range(count):
                _ascend(sums, left, left_slot, path, i, bottom, layers)
            i += size
        tested[frame], passed[frame] = _select(sums, hard, metric, count, columns, out[frame])


@nb.njit(cache=True, nogil=True)
def _transform(bits):
    """In place, the product of a row of bits and F."""
    half = 1
    while half < len(bits):
        for start in range(0, len(bits), 2 * half):
            for j in range(start, start + half):
                bits[j] ^= bits[j + half]
        half *= 2


@nb.njit(cache=True, nogil=True)
def _frozen_subtrees(frozen, layers):
    """For each bit, the highest layer of a subtree that starts with it and is frozen, else the last layer."""
    depth = np.full(len(frozen), layers)
    for i in range(len(frozen)):
        size = 1
        while frozen[i] and i % (2 * size) == 0 and frozen[i : i + 2 * size].all() and 2 * size < len(frozen):
            size *= 2
            depth[i] -= 1
    return depth


@nb.njit(cache=True, nogil=True)
def _first_layer(i, layers):
    """The highest layer that bit i renews: its subtree starts with i."""
    if i == 0:
        return 1
    layer = layers
    while (i >> (layers - layer)) & 1 == 0:
        layer -= 1
    return layer


@nb.njit(cache=True, nogil=True, inline="always")
def _leaf(alpha, path):
    return alpha[path, alpha.shape[1] - 2]


@nb.njit(cache=True, nogil=True)
def _descend(alpha, alpha_slot, left, left_slot, path, i, top, bottom, exact):
    """LLRs of one path from layer ``top`` to bit i or its subtree: once to the right, then to the left."""
    n = alpha.shape[1] // 2
    for layer in range(top, bottom + 1):
        size = n >> layer
        start, above = 2 * n - 2 * size, 2 * n - 4 * size
        slot = alpha_slot[path, layer - 1]
        if layer == top and i > 0:
            _right(alpha, slot, above, left, left_slot[path, layer], path, start, size)
        elif exact:
            _left_exact(alpha, slot, above, path, start, size)
        else:
            _left(alpha, slot, above, path, start, size)
        alpha_slot[path, layer] = path


# The casts to unsigned below spare the test for negative indices, which would keep these loops scalar.


@nb.njit(cache=True, nogil=True)
def _right(alpha, slot, above, left, left_slot, path, start, size):
    for j in range(size):
        a, b = alpha[slot, np.uintp(above + j)], alpha[slot, np.uintp(above + size + j)]
        alpha[path, np.uintp(start + j)] = b + (-a if left[left_slot, np.uintp(start + j)] else a)


@nb.njit(cache=True, nogil=True)
def _left(alpha, slot, above, path, start, size):
    """Max-log box-plus."""
    for j in range(size):
        a, b = alpha[slot, np.uintp(above + j)], alpha[slot, np.uintp(above + size + j)]
        magnitude = min(abs(a), abs(b))
        alpha[path, np.uintp(start + j)] = -magnitude if (a < 0) != (b < 0) else magnitude


@nb.njit(cache=True, nogil=True)
def _left_exact(alpha, slot, above, path, start, size):
    """Box-plus, written so that large values lose nothing."""
    for j in range(size):
        a, b = alpha[slot, np.uintp(above + j)], alpha[slot, np.uintp(above + size + j)]
        total, difference = abs(a) + abs(b), abs(abs(a) - abs(b))
        magnitude = min(abs(a), abs(b)) + math.log1p(math.exp(-total)) - math.log1p(math.exp(-difference))
        alpha[path, np.uintp(start + j)] = -magnitude if (a < 0) != (b < 0) else magnitude


@nb.njit(cache=True, nogil=True)
def _ascend(sums, left, left_slot, path, i, bottom, layers):
    """Partial sums of one path: join finished subtrees, as far as this one ends them, and keep a left one."""
    n = sums.shape[1]
    layer, size = bottom, n >> bottom
    while layer > 0 and (i >> (layers - layer)) & 1:
        start, slot = 2 * n - 2 * size, left_slot[path, layer]
        for j in range(size):
            sums[path, np.uintp(j + size)] = sums[path, j]
            sums[path, j] ^= left[slot, np.uintp(start + j)]
        layer, size = layer - 1, 2 * size
    if layer > 0:
        start = 2 * n - 2 * size
        for j in range(size):
            left[path, np.uintp(start + j)] = sums[path, j]
        left_slot[path, layer] = path


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _penalty(value, bit, exact):
    """What deciding ``bit`` against an LLR costs: -log of its probability, or its max-log form."""
    against = value if bit else -value
    return max(against, 0.0) + (math.log1p(math.exp(-abs(value))) if exact else 0.0)


@nb.njit(cache=True, nogil=True)
def _fork_space(paths):
    return (
        np.empty(2 * paths, np.float64),  # metric of path p with bit b, at 2 p + b
        np.empty(2 * paths + 1, np.int64),  # the best of these, in order
        np.empty((paths, 2), np.bool_),  # which bits each path goes on with
    )


@nb.njit(cache=True, nogil=True)
def _fork(alpha, alpha_slot, left_slot, sums, metric, count, exact, work):
    """Try both values of a bit on all paths and keep the best; returns how many there are now."""
    candidates, best, keeps = work
    for path in range(count):
        value = _leaf(alpha, path)
        for bit in range(2):
            candidates[2 * path + bit] = metric[path] + _penalty(value, bit, exact)
            keeps[path, bit] = False
    kept = min(2 * count, len(metric))
    _smallest(candidates, 2 * count, kept, best)
    for place in range(kept):
        keeps[best[place] >> 1, best[place] & 1] = True
    free = 0  # clones go to the places of paths that end, and then behind the last
    for path in range(count):
        if keeps[path, 0] and keeps[path, 1]:
            while free < count and (keeps[free, 0] or keeps[free, 1]):
                free += 1
            for layer in range(alpha_slot.shape[1]):
                alpha_slot[free, layer] = alpha_slot[path, layer]
                left_slot[free, layer] = left_slot[path, layer]
            metric[free], sums[free, 0] = candidates[2 * path + 1], 1
            free += 1
        if keeps[path, 0] or keeps[path, 1]:
            bit = 0 if keeps[path, 0] else 1
            metric[path], sums[path, 0] = candidates[2 * path + bit], bit
    return kept


@nb.njit(cache=True, nogil=True)
def _smallest(values, count, kept, best):
    """Places of the ``kept`` smallest of the first ``count`` values, in order; of equal ones, the first."""
    filled = 0
    for place in range(count):
        if filled == kept and not values[place] < values[best[kept - 1]]:
            continue
        at = min(filled, kept - 1)
        while at > 0 and values[place] < values[best[at - 1]]:
            best[at] = best[at - 1]
            at -= 1
        best[at] = place
        filled = min(filled + 1, kept)


@nb.njit(cache=True, nogil=True)
def _select(sums, hard, metric, count, columns, out):
    """Write the best path whose word satisfies the checks, or the best; how many were tested, and whether."""
    order = np.argsort(metric[:count], kind="mergesort")
    for place in range(count):
        if _satisfied(sums[order[place]], hard, columns):
            out[:] = hard ^ sums[order[place]]
            return place + 1, True
    out[:] = hard ^ sums[order[0]]
    return count, False


@nb.njit(cache=True, nogil=True)
def _satisfied(error, hard, columns):
    for word in range(columns.shape[1]):
        syndrome = np.uint64(0)
        for j in range(len(hard)):
            syndrome ^= columns[j, word] * np.uint64(hard[j] ^ error[j])
        if syndrome != 0:
            return False
    return True
