"""The kernels of `sc` and `scl` before lanes and float32: plain twins, and peers of `bench_lists`.

They are kept as they were, in float64 and without vectors of lanes.

Successive-cancellation decoding of polar codes, alone and with lists, on LLRs and in the error domain.

With h the hard decision of the received word and u = h F, F the Kronecker power of [[1, 0], [1, 1]], the
error word e = c + h has transform v = e F with v_i = u_i in the frozen positions. So the decoder sees the
reliabilities |llr|, all positive, and the frozen values: it cannot favour a codeword, and where an LLR is 0
it decides as the received word does.

A frozen bit may be dynamic (Trifonov and Miloslavskaya 2016), a sum of information bits before it. Then v_i
is the same sum of v_j and of the transform h F. The latter is added to h F at once; for the former each path
carries the sums so far of all dynamic frozen bits, packed, in ``past``. A subtree whose word is x, and whose
inputs are v = x F there, adds to them the masks of all v_j = 1, which are those of F^T where x_j = 1.

All arrays have a row for each value and ``lanes`` columns, so that a step is a pass over rows: the columns
are the paths of one frame's list, or, where there is no list, frames side by side. Layer l of LLRs
(``alpha``), and of partial sums of left subtrees (``left``), has n >> l rows, from 2 n - 2 (n >> l) on; layer
0 is the channel.

The paths of a list move in step. A layer is renewed for all paths at once, each in its own column, and what
the columns held before is dead by then. A path is therefore cloned by copying, for each layer, the number of
the column it reads.

Three kinds of subtrees are not entered (Alamdar-Yazdi and Kschischang 2011; Sarkis, Giard, Vardy, Thibeault
and Gross 2014, 2016), for a path's metric grows by what its word costs there, the same as bit by bit, exactly
and in the max-log form. FROZEN bits only: the word is known. A REPETITION, where the last bit alone is free:
two words. FREE bits only, where all is max-log: a prefix costs as much as its best continuation, hard
decisions, so the list bit by bit ends with the cheapest words of all, and these differ from the hard
decisions in some of the lanes - 1 least reliable bits (Hashemi, Condo and Gross 2017).
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fecnn.decoders.kernels.loops import copy, sort_places
from fecnn.jit import kernel

LANES = 16  # frames side by side
FROZEN, REPETITION, FREE = range(3)


class Inputs(NamedTuple):
    """What is known of the inputs u of all codewords u F.

    frozen: (n,) b1, where u_i is 0, or dynamic: a sum of information bits before it.
    masks: (n, D) u8, packed: of each u_j, the dynamic frozen bits that are sums with it; D may be 0.
    places: (n,) i8, the bit of these masks that stands for u_i, or -1 if it is not a dynamic frozen bit.
    """

    frozen: NDArray[np.bool_]
    masks: NDArray[np.uint64]
    places: NDArray[np.int64]


@kernel(error_model="numpy")
def sc(llr, inputs, exact, out):
    """Successive cancellation: exact or max-log box-plus; out (B, n) u1; the rest as for `scl`."""
    frames, n = llr.shape
    layers = _layers(n)
    alpha, left, sums, alpha_at, left_at = _new_tree(n, layers, LANES)
    transform = np.empty((n, LANES), np.uint8)
    total = np.empty(LANES, np.float64)
    past = np.zeros((inputs.masks.shape[1], LANES), np.uint64)
    depth, kind, driven, effect = _subtrees(inputs, layers, True)
    for first in range(0, frames, LANES):
        count = min(LANES, frames - first)
        for lane in range(count):
            for j in range(n):
                alpha[j, lane] = abs(np.float64(llr[first + lane, j]))
                transform[j, lane] = llr[first + lane, j] < 0
        _transform(transform.reshape(-1), LANES)
        _without_errors(transform, inputs, past)
        i = np.int64(0)
        while i < n:
            bottom = depth[i]
            size = n >> bottom
            _descend(alpha, alpha_at, left, i, bottom, layers, exact)
            if kind[i] == FREE:
                _hard(alpha, 2 * n - 2 * size, size, sums)
            else:
                if kind[i] == REPETITION:
                    transform[i + size - 1] = 0
                if driven[i]:
                    _add_past(transform[i : i + size], inputs.places, i, past)
                _transform(transform[i : i + size].reshape(-1), LANES)
                for j in range(size):
                    for lane in range(LANES):
                        sums[j, lane] = transform[i + j, lane]
                if kind[i] == REPETITION:
                    _repeat(alpha, 2 * n - 2 * size, size, sums, total)
            _note(sums, effect, i, size, past)
            _ascend(sums, left, left_at, i, bottom, layers)
            i += size
        for lane in range(count):
            for j in range(n):
                out[first + lane, j] = sums[j, lane] ^ np.uint8(llr[first + lane, j] < 0)


@kernel(error_model="numpy")
def scl(llr, inputs, columns, paths, exact, out, tested, passed):
    """Best of the final paths that is a word of the code.

    llr (B, n) f4; inputs, `Inputs`; columns (n, W) u8, packed columns of the code's checks (W = 0 if all
    are frozen bits); paths, the list size; exact, whether box-plus and metric are exact or max-log.
    Out: (B, n) u1; tested (B,) i8, paths whose checks were looked at; passed (B,) b1, whether one satisfied
    them (else the best path is the answer).
    """
    frames, n = llr.shape
    layers = _layers(n)
    tree = _new_tree(n, layers, paths)
    sums = tree[2]
    metric = np.empty(paths, np.float64)
    hard = np.empty(n, np.uint8)
    transform = np.empty((n, 1), np.uint8)
    work = _fork_space(paths, inputs.masks.shape[1])
    nodes = _subtrees(inputs, layers, not exact)
    for frame in range(frames):
        for j in range(n):
            hard[j] = llr[frame, j] < 0
            transform[j, 0] = hard[j]
        _transform(transform.reshape(-1), 1)
        _without_errors(transform, inputs, work[8])
        if _is_codeword(hard, transform, inputs.frozen, columns):
            copy(hard, out[frame])
            tested[frame], passed[frame] = 1, True
            continue  # the hard decision is a codeword: none is more likely
        count = _follow(llr[frame], transform, inputs, nodes, layers, tree, metric, exact, work)
        tested[frame], passed[frame] = _select(sums, hard, metric, count, columns, work[6], out[frame])


@kernel(error_model="numpy")
def scl_list(llr, inputs, columns, paths, exact, out, held):
    """The words of all final paths: the arguments as for `scl`.

    Out: (B, paths, n) u1, zeros where there are fewer; held (B, paths) b1, whether there is one and it
    satisfies the checks.
    """
    frames, n = llr.shape
    layers = _layers(n)
    tree = _new_tree(n, layers, paths)
    sums = tree[2]
    metric = np.empty(paths, np.float64)
    transform = np.empty((n, 1), np.uint8)
    work = _fork_space(paths, inputs.masks.shape[1])
    nodes = _subtrees(inputs, layers, not exact)
    for frame in range(frames):
        for j in range(n):
            transform[j, 0] = llr[frame, j] < 0
        _transform(transform.reshape(-1), 1)
        _without_errors(transform, inputs, work[8])
        count = _follow(llr[frame], transform, inputs, nodes, layers, tree, metric, exact, work)
        for path in range(paths):
            for j in range(n):
                out[frame, path, j] = path < count and sums[j, path] ^ np.uint8(llr[frame, j] < 0)
            held[frame, path] = path < count and _satisfied(out[frame, path], columns)


@kernel(error_model="numpy")
def soft_scl(llr, inputs, columns, paths, exact, app):
    """Max-log a-posteriori LLRs over the final paths: app (B, n) f4 out, the rest as for `scl`.

    The price of a path is the reliability that its word contradicts. For each bit, the least price with an
    error there, less that without; where only one of them is known, the other is the highest price of all,
    but at least half a mean reliability above the lowest: the path that is found may be the costliest itself.
    """
    frames, n = llr.shape
    layers = _layers(n)
    tree = _new_tree(n, layers, paths)
    metric = np.empty(paths, np.float64)
    transform, word = np.empty((n, 1), np.uint8), np.empty(n, np.uint8)
    least = np.empty((2, n), np.float64)
    work = _fork_space(paths, inputs.masks.shape[1])
    nodes = _subtrees(inputs, layers, not exact)
    for frame in range(frames):
        row = llr[frame]
        for j in range(n):
            transform[j, 0] = row[j] < 0
        _transform(transform.reshape(-1), 1)
        _without_errors(transform, inputs, work[8])
        count = _follow(row, transform, inputs, nodes, layers, tree, metric, exact, work)
        costliest = _least_prices(row, tree[2], count, columns, True, word, least)
        if least[0, 0] == np.inf and least[1, 0] == np.inf:  # no path satisfies the checks
            costliest = _least_prices(row, tree[2], count, columns, False, word, least)
        mean = 0.0
        for j in range(n):
            mean += abs(np.float64(row[j])) / n
        costliest = max(costliest, min(least[0, 0], least[1, 0]) + 0.5 * mean)
        for j in range(n):
            gap = min(least[1, j], costliest) - min(least[0, j], costliest)
            app[frame, j] = -gap if row[j] < 0 else gap


@kernel
def _least_prices(row, sums, count, columns, checked, word, least):
    """Least prices without and with an error in each bit, (2, n); the highest price of any path."""
    least[:] = np.inf
    costliest = 0.0
    for path in range(count):
        price = 0.0
        for j in range(len(row)):
            word[j] = sums[j, path] ^ np.uint8(row[j] < 0)
            price += abs(np.float64(row[j])) if sums[j, path] else 0.0
        costliest = max(costliest, price)
        if not checked or _satisfied(word, columns):
            for j in range(len(row)):
                least[sums[j, path], j] = min(least[sums[j, path], j], price)
    return costliest


@kernel(error_model="numpy", inline="always")
def _follow(row, transform, inputs, nodes, layers, tree, metric, exact, work):
    """Grow the list over all bits of a frame; how many paths there are, ``sums`` and ``metric`` theirs."""
    alpha, left, sums, alpha_at, left_at = tree
    depth, kind, driven, effect = nodes
    cost, parent, chosen, past = work[0], work[2], work[3], work[7]
    n, paths = sums.shape
    for j in range(n):
        reliability = abs(np.float64(row[j]))
        for path in range(paths):
            alpha[j, path] = reliability
    metric[:] = 0.0
    past[:] = 0
    count, i = np.int64(1), np.int64(0)
    while i < n:
        bottom = depth[i]
        size = n >> bottom
        _descend(alpha, alpha_at, left, i, bottom, layers, exact)
        start = 2 * n - 2 * size
        if kind[i] == FREE:
            count = _free(alpha, start, size, sums, metric, count, alpha_at, left_at, work)
        else:
            if kind[i] == REPETITION:
                transform[i + size - 1] = 0
            word = transform[i : i + size]
            if driven[i]:
                _own_words(word, inputs.places, i, past, sums[:size])
            else:
                _transform(word.reshape(-1), 1)
            for bit in range(kind[i] + 1):  # REPETITION is 1
                if driven[i]:
                    _weigh_each(alpha, start, sums[:size], bit, exact, cost[bit])
                else:
                    _weigh(alpha, start, word, bit, exact, cost[bit])
            if kind[i] == REPETITION:
                count = _fork(metric, count, alpha_at, left_at, work)
            else:
                for path in range(paths):
                    metric[path] += cost[0, path]
                    chosen[path] = 0
            if not driven[i]:
                for j in range(size):
                    for path in range(paths):
                        sums[j, path] = word[j, 0] ^ chosen[path]
            elif kind[i] == REPETITION:
                _take_words(sums[:size], parent, chosen, count)
        if len(past):
            _note(sums, effect, i, size, past)
        _ascend(sums, left, left_at, i, bottom, layers)
        i += size
    return count


@kernel(inline="always")
def _layers(n):
    layers = 0
    while 1 << layers < n:
        layers += 1
    return layers


@kernel(inline="always")
def _new_tree(n, layers, lanes):
    """LLRs, left and last partial sums, and, for each layer, in which column a path finds its own.

    The last column of the latter two says whether any path has to look elsewhere than in its own column.
    """
    alpha_at, left_at = (
        np.zeros((layers + 1, lanes + 1), np.int64),
        np.zeros((layers + 1, lanes + 1), np.int64),
    )
    for layer in range(layers + 1):
        for lane in range(lanes):
            alpha_at[layer, lane] = left_at[layer, lane] = lane
    return (
        np.zeros((2 * n, lanes), np.float64),
        np.zeros((2 * n, lanes), np.uint8),
        np.zeros((n, lanes), np.uint8),  # of the subtree that ends with the present bit
        alpha_at,
        left_at,
    )


@kernel(borrows=True)
def _stay(at, layer):
    """From now on, each path finds the data of a layer in its own column."""
    if at[layer, -1]:
        for path in range(at.shape[1] - 1):
            at[layer, path] = path
        at[layer, -1] = False


@kernel(borrows=True)
def _transform(bits, lanes):
    """In place, the product of F and each lane of rows of bits that lie one after the other."""
    half = lanes
    while half < len(bits):
        for start in range(0, len(bits), 2 * half):
            for j in range(start, start + half):
                bits[np.uintp(j)] ^= bits[np.uintp(j + half)]
        half *= 2


@kernel(inline="always")
def _is_codeword(hard, transform, frozen, columns):
    for i in range(len(frozen)):
        if frozen[i] and transform[i, 0]:
            return False
    return _satisfied(hard, columns)


@kernel(inline="always")
def _subtrees(inputs, layers, free_too):
    """For each bit the layer of the largest subtree that starts with it and is of a kind, and the kind.

    Also whether that has dynamic frozen bits; and, for each bit of a word of it, the masks that it adds.
    """
    frozen, masks, places = inputs
    depth, kind = np.empty(len(frozen), np.int64), np.empty(len(frozen), np.int64)
    driven, effect = np.zeros(len(frozen), np.bool_), masks.copy()
    for i in range(len(frozen)):
        depth[i], kind[i] = layers, FROZEN
        size, layer = 1, layers
        while i % size == 0 and (2 * size <= len(frozen)):
            free = size
            for j in range(i, i + size):
                free -= frozen[j]
            if free == 0:
                depth[i], kind[i] = layer, FROZEN
            elif free == size and free_too:
                depth[i], kind[i] = layer, FREE
            elif free == 1 and not frozen[i + size - 1]:
                depth[i], kind[i] = layer, REPETITION
            size, layer = 2 * size, layer - 1
    i = 0
    while i < len(frozen):
        size = len(frozen) >> depth[i]
        driven[i] = places[i : i + size].max() >= 0
        half = 1
        while half < size:
            for start in range(i, i + size, 2 * half):
                for j in range(start, start + half):
                    effect[j + half] ^= effect[j]
            half *= 2
        i += size
    return depth, kind, driven, effect


@kernel(borrows=True)
def _without_errors(transform, inputs, past):
    """Change the transform of h into the frozen bits of v before any error: all are zero for a codeword."""
    if len(past) == 0:
        return
    past[:] = 0
    _note(transform, inputs.masks, 0, len(transform), past)
    _add_past(transform, inputs.places, 0, past)
    past[:] = 0


@kernel(borrows=True)
def _own_words(bits, places, i, past, words):
    """The word of each path in the subtree at bit i: bits (size, 1) and its sums; words (size, paths) out."""
    for j in range(len(words)):
        for path in range(words.shape[1]):
            words[j, path] = bits[j, 0]
    _add_past(words, places, i, past)
    _transform(words.reshape(-1), words.shape[1])


@kernel(borrows=True)
def _take_words(words, parent, chosen, count):
    """After a fork, each path's word is that of its parent, with its choice added to all bits."""
    for path in range(count):
        origin = parent[path]
        if origin != path:
            for j in range(len(words)):
                words[j, path] = words[j, origin]
    for j in range(len(words)):
        for path in range(count):
            words[j, path] ^= chosen[path]


@kernel(borrows=True)
def _note(words, effect, i, size, past):
    """Add to the sums in ``past`` (D, lanes) what the words (size, lanes) of the subtree at bit i add."""
    for group in range(len(past)):
        for j in range(size):
            mask = effect[i + j, group]
            if mask:
                for lane in range(past.shape[1]):
                    past[group, lane] ^= mask if words[j, lane] else np.uint64(0)


@kernel(borrows=True)
def _add_past(bits, places, i, past):
    """Add to bits (size, lanes), those from bit i on, the sums that the dynamic frozen ones are."""
    for j in range(len(bits)):
        place = places[i + j]
        if place >= 0:
            group, shift = place >> 6, np.uint64(place & 63)
            for lane in range(past.shape[1]):
                bits[j, lane] ^= np.uint8((past[group, lane] >> shift) & np.uint64(1))


@kernel(borrows=True)
def _descend(alpha, at, left, i, bottom, layers, exact):
    """LLRs of bit i or its subtree: from the highest layer that i renews once to the right, then left."""
    n = len(alpha) // 2
    layer = 1
    if i > 0:
        layer = layers
        while (i >> (layers - layer)) & 1 == 0:
            layer -= 1
        size = n >> layer
        if at[layer - 1, -1]:
            _right_moved(alpha, left, at, layer - 1, 2 * n - 2 * size, size)
        else:
            _right(alpha, left, 2 * n - 2 * size, size)
        _stay(at, layer)
        layer += 1
    while layer <= bottom:
        size = n >> layer
        if exact:
            _left_exact(alpha, 2 * n - 2 * size, size)
        else:
            _left(alpha, 2 * n - 2 * size, size)
        _stay(at, layer)
        layer += 1


# Rows lie one after the other: where no path has moved, many are passed over in one loop. The casts to
# unsigned spare the test for negative indices, which would keep these loops scalar.


@kernel(inline="always")
def _flat(rows, start, size):
    """All rows in a line; where a layer and the one above begin in it, and the length of the former."""
    lanes = rows.shape[1]
    return rows.reshape(-1), start * lanes, (start - 2 * size) * lanes, size * lanes


@kernel
def _right(alpha, left, start, size):
    values, begin, above, length = _flat(alpha, start, size)
    ones = left.reshape(-1)
    for j in range(length):
        a, b = values[np.uintp(above + j)], values[np.uintp(above + length + j)]
        values[np.uintp(begin + j)] = b + (-a if ones[np.uintp(begin + j)] else a)


@kernel
def _right_moved(alpha, left, at, layer, start, size):
    """The left sums were just written, each in its own column; the LLRs above have moved since."""
    above = start - 2 * size
    for j in range(size):
        for path in range(alpha.shape[1]):
            column = np.uintp(at[layer, path])
            a, b = alpha[np.uintp(above + j), column], alpha[np.uintp(above + size + j), column]
            alpha[np.uintp(start + j), path] = b + (-a if left[np.uintp(start + j), path] else a)


@kernel
def _left(alpha, start, size):
    """Max-log box-plus."""
    values, begin, above, length = _flat(alpha, start, size)
    for j in range(length):
        a, b = values[np.uintp(above + j)], values[np.uintp(above + length + j)]
        magnitude = min(abs(a), abs(b))
        values[np.uintp(begin + j)] = -magnitude if (a < 0) != (b < 0) else magnitude


@kernel
def _left_exact(alpha, start, size):
    """Box-plus, written so that large values lose nothing."""
    values, begin, above, length = _flat(alpha, start, size)
    for j in range(length):
        a, b = values[np.uintp(above + j)], values[np.uintp(above + length + j)]
        total, difference = abs(a) + abs(b), abs(abs(a) - abs(b))
        magnitude = min(abs(a), abs(b)) + math.log1p(math.exp(-total)) - math.log1p(math.exp(-difference))
        values[np.uintp(begin + j)] = -magnitude if (a < 0) != (b < 0) else magnitude


@kernel(borrows=True)
def _ascend(sums, left, at, i, bottom, layers):
    """Join finished subtrees, as far as bit i or its subtree ends them, and keep the sums of a left one."""
    n = len(sums)
    layer, size = bottom, n >> bottom
    while layer > 0 and (i >> (layers - layer)) & 1:
        if at[layer, -1]:
            _join_moved(sums, left, at, layer, 2 * n - 2 * size, size)
        else:
            _join(sums, left, 2 * n - 2 * size, size)
        layer, size = layer - 1, 2 * size
    if layer > 0:
        ones, kept = sums.reshape(-1), left.reshape(-1)
        begin = (2 * n - 2 * size) * sums.shape[1]
        for j in range(size * sums.shape[1]):
            kept[np.uintp(begin + j)] = ones[j]
        _stay(at, layer)


@kernel
def _join(sums, left, start, size):
    ones, before, length = sums.reshape(-1), left.reshape(-1), size * sums.shape[1]
    begin = start * sums.shape[1]
    for j in range(length):
        ones[np.uintp(length + j)] = ones[j]
        ones[j] ^= before[np.uintp(begin + j)]


@kernel
def _join_moved(sums, left, at, layer, start, size):
    for j in range(size):
        for path in range(sums.shape[1]):
            sums[np.uintp(size + j), path] = sums[j, path]
            sums[j, path] ^= left[np.uintp(start + j), np.uintp(at[layer, path])]


@kernel(error_model="numpy", inline="always")
def _penalty(value, bit, exact):
    """What deciding ``bit`` against an LLR costs: -log of its probability, or its max-log form."""
    against = value if bit else -value
    return max(against, 0.0) + (math.log1p(math.exp(-abs(value))) if exact else 0.0)


@kernel(error_model="numpy")
def _weigh(alpha, start, word, bit, exact, cost):
    """What a word costs each path, with ``bit`` added to all its bits."""
    cost[:] = 0.0
    for j in range(len(word)):
        one = word[j, 0] ^ bit
        for path in range(len(cost)):
            cost[path] += _penalty(alpha[np.uintp(start + j), path], one, exact)


@kernel(error_model="numpy")
def _weigh_each(alpha, start, words, bit, exact, cost):
    """What its own word costs each path, with ``bit`` added to all its bits."""
    cost[:] = 0.0
    for j in range(len(words)):
        for path in range(len(cost)):
            cost[path] += _penalty(alpha[np.uintp(start + j), path], words[j, path] ^ bit, exact)


@kernel(borrows=True)
def _hard(alpha, start, size, sums):
    for j in range(size):
        for lane in range(alpha.shape[1]):
            sums[j, lane] = alpha[np.uintp(start + j), lane] < 0


@kernel
def _repeat(alpha, start, size, sums, total):
    """Add the ones to the words in ``sums`` of those lanes where that is more likely."""
    total[:] = 0.0
    for j in range(size):
        for lane in range(alpha.shape[1]):
            value = alpha[np.uintp(start + j), lane]
            total[lane] += -value if sums[j, lane] else value
    for j in range(size):
        for lane in range(alpha.shape[1]):
            sums[j, lane] ^= total[lane] < 0


@kernel(inline="always")
def _free(alpha, start, size, sums, metric, count, alpha_at, left_at, work):
    """The cheapest words of all paths together: flip what is least reliable, or not, bit by bit."""
    cost, _, parent, chosen, place, _, _, _, _ = work
    _hard(alpha, start, size, sums)
    cost[0] = 0.0
    for _ in range(min(len(metric) - 1, size)):
        _least_reliable(alpha, start, size, cost[1], place)
        for path in range(count):
            alpha[start + place[path], path] = np.inf  # tried
        before, flipped = count, 0
        count = _fork(metric, before, alpha_at, left_at, work)
        for path in range(count):
            flipped += chosen[path]
        if flipped == 0:
            break  # and what is more reliable costs more still
        for path in range(count):
            origin = parent[path]
            if origin != path:
                place[path] = place[origin]
                for j in range(size):
                    sums[j, path], alpha[start + j, path] = sums[j, origin], alpha[start + j, origin]
        for path in range(count):
            sums[place[path], path] ^= chosen[path]
    return count


@kernel(borrows=True)
def _least_reliable(alpha, start, size, value, place):
    """For each lane, the least magnitude in a subtree and where it is."""
    value[:] = np.inf
    place[:] = 0
    for j in range(size):
        for lane in range(len(value)):
            own = abs(alpha[np.uintp(start + j), lane])
            smaller = own < value[lane]
            value[lane] = own if smaller else value[lane]
            place[lane] = j if smaller else place[lane]


@kernel(inline="always")
def _fork_space(paths, groups):
    return (
        np.empty((2, paths), np.float64),  # what either choice costs each path
        np.empty(2 * paths, np.bool_),  # which choices survive: path p with bit b at 2 p + b
        np.empty(paths, np.int64),  # of each surviving path, its parent
        np.zeros(paths, np.uint8),  # and its choice
        np.empty(paths, np.int64),  # its least reliable bit
        np.empty(2 * paths, np.float64),  # metrics, as the choices
        np.empty((2, 2 * paths), np.int64),  # scratch of sorting
        np.zeros((groups, paths), np.uint64),  # sums of the bits that it has decided
        np.zeros((groups, 1), np.uint64),  # scratch of such sums
    )


@kernel(error_model="numpy", borrows=True)
def _fork(metric, count, alpha_at, left_at, work):
    """Try both choices on all paths and keep the best; returns how many there are now."""
    cost, keeps, parent, chosen, _, candidates, order, past, _ = work
    if count == len(metric) and _nothing_ends(metric, cost, parent, chosen):
        return count
    for path in range(count):
        for bit in range(2):
            candidates[2 * path + bit] = metric[path] + cost[bit, path]
    kept = min(2 * count, len(metric))
    _keep_smallest(candidates[: 2 * count], kept, keeps, order)
    free = 0  # clones go to the places of paths that end, and then behind the last
    for path in range(count):
        zero, one = keeps[2 * path], keeps[2 * path + 1]
        if zero and one:
            while free < count and (keeps[2 * free] or keeps[2 * free + 1]):
                free += 1
            for layer in range(1, len(alpha_at)):
                alpha_at[layer, free] = alpha_at[layer, path]
                left_at[layer, free] = left_at[layer, path]
                alpha_at[layer, -1] = left_at[layer, -1] = True
            for group in range(len(past)):
                past[group, free] = past[group, path]
            metric[free], chosen[free], parent[free] = candidates[2 * path + 1], 1, path
            free += 1
        if zero or one:
            bit = 0 if zero else 1
            metric[path], chosen[path], parent[path] = candidates[2 * path + bit], bit, path
    return kept


@kernel(error_model="numpy")
def _nothing_ends(metric, cost, parent, chosen):
    """Where all better choices are better than all worse ones, each path keeps its own."""
    costliest, cheapest = -np.inf, np.inf
    for path in range(len(metric)):
        costliest = max(costliest, metric[path] + min(cost[0, path], cost[1, path]))
        cheapest = min(cheapest, metric[path] + max(cost[0, path], cost[1, path]))
    if cheapest < costliest:
        return False
    for path in range(len(metric)):
        one = cost[1, path] < cost[0, path]
        metric[path] += cost[1, path] if one else cost[0, path]
        chosen[path], parent[path] = one, path
    return True


@kernel
def _keep_smallest(values, kept, keeps, order):
    """Mark the ``kept`` smallest values; of equal ones, the first."""
    if kept == len(values):
        keeps[:kept] = True
    elif kept <= 32:  # counting the smaller ones takes no branches
        for place in range(len(values)):
            value, smaller = values[place], 0
            for other in range(place):
                smaller += values[other] <= value
            for other in range(place + 1, len(values)):
                smaller += values[other] < value
            keeps[place] = smaller < kept
    else:
        sort_places(values, order[0], order[1])
        for place in range(len(values)):
            keeps[order[0, place]] = place < kept


@kernel(inline="always")
def _select(sums, hard, metric, count, columns, order, out):
    """Write the best path whose word satisfies the checks, or the best; how many were tested, and whether."""
    sort_places(metric[:count], order[0], order[1])
    for place in range(count + 1):
        path = order[0, place % count]  # the best once more where none satisfies them
        for j in range(len(hard)):
            out[j] = hard[j] ^ sums[j, path]
        if place < count and _satisfied(out, columns):
            return place + 1, True
    return count, False


@kernel
def _satisfied(word, columns):
    for check in range(columns.shape[1]):
        syndrome = np.uint64(0)
        for j in range(len(word)):
            syndrome ^= columns[j, check] if word[j] else np.uint64(0)
        if syndrome != 0:
            return False
    return True
