"""Successive cancellation with lists: in the error domain, see `polar`.

Paths lie side by side in the lanes of vectors: all paths of one frame, or of several frames if they fit one
vector. ``paths`` lanes from a multiple of that number on belong to a frame, and its paths move in step.

LLRs (``alpha``) have a row of ``wide`` vectors for each value. Layer l has n >> l rows, from
2 n - 2 (n >> l) on; layer 0 is the channel. Bits have one for each 32 values, a *block*: bit j of a lane's
number is value j of its path. Subtrees of fewer values have one block.

A path is cloned by copying its bits, and for each layer of LLRs the number of the lane that holds its own
(``at``). A layer is renewed for all paths at once, each in its own lane; what the lanes held before is dead
by then.

Subtrees of free bits, where all is max-log: a prefix costs as much as its best continuation, hard decisions,
so the list bit by bit ends with the cheapest words of all, and these differ from the hard decisions in some
of the ``paths`` - 1 least reliable bits (Hashemi, Condo and Gross 2017).
"""

import math
from collections import namedtuple
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fecnn.decoders.kernels.arena import empty, zeros
from fecnn.decoders.kernels.forks import survivors
from fecnn.decoders.kernels.lanes import (
    as_mask,
    choose,
    has_bit,
    higher,
    less,
    load,
    lower,
    magnitude,
    splat,
    store,
    width,
    within,
)
from fecnn.decoders.kernels.loops import sort_places
from fecnn.decoders.kernels.polar import (
    FREE,
    FROZEN,
    REPETITION,
    Inputs,
    are_exact,
    join_llrs,
    satisfied,
    subtrees,
)
from fecnn.jit import kernel

BLOCK = 32
"""Values whose bits lie in one number of each lane."""


class Tree(NamedTuple):
    """What is known of a code before any LLRs; layers are those of the values.

    begins: (layers + 1,) i8, the first block of each layer in ``left``; barred: (blocks,), the frozen bits.
    depth, kind, driven, effect: see `subtrees`.
    """

    begins: NDArray[np.int64]
    barred: NDArray[Any]
    depth: NDArray[np.int64]
    kind: NDArray[np.int64]
    driven: NDArray[np.bool_]
    effect: NDArray[np.uint64]


def tree_of(inputs: Inputs, word: type[np.unsignedinteger[Any]]) -> Tree:
    """The tree of a code, for lists whose LLRs are as wide as ``word``: exact if that is 64 bits."""
    n = len(inputs.frozen)
    layers = n.bit_length() - 1
    blocks = [((n >> layer) + BLOCK - 1) // BLOCK for layer in range(layers)]
    shifts = np.arange(n, dtype=word) % BLOCK
    barred = np.bitwise_or.reduceat(inputs.frozen.astype(word) << shifts, np.arange(0, n, BLOCK))
    nodes = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.bool_), np.empty_like(inputs.masks)
    subtrees(inputs, layers, np.dtype(word).itemsize == 4, *nodes)
    return Tree(np.cumsum([0, *blocks]), barred, *nodes)


Group = namedtuple(
    "Group",
    "alpha spare metric cost low high value candidates left sums inner place own origin chosen scratch "
    "at hard word order who moved past before fresh begins barred limit",
)
"""Memory for the frames that are decoded side by side, with ``wide`` vectors in a row of W lanes.

Vectors, each ``wide`` times in a row, of W lanes together; all arrays of them are flat:

alpha: 2 n rows, LLRs in float32 or float64; spare: n rows, LLRs of paths that have moved.
metric, low, high: of each path, and after the better and the worse choice.
cost: 2 rows, what either choice costs each path.
left, sums, inner: a row for each block, numbers as wide as LLRs: partial sums of left subtrees, sums of the
    subtree that ends with the present bit, and the transform of the hard decisions.
value, place: the least reliable bit of each lane: its reliability and where it is.
own, origin, chosen, scratch: numbers as wide as LLRs: of each lane, its own, that of its path before a
    subtree, and its choice at a fork.

Others:

at, moved: (layers + 1, W) and (layers + 1,) i8; the lane where a path finds its LLRs of a layer, and whether
    that is another than its own for any path.
hard: (frames, blocks), hard decisions; word: (blocks,), scratch of one frame.
past, before: (D, W) u8, sums of the bits that each path has decided; fresh: (D, 1) u8, of hard decisions.
candidates, order: (2 L,) and (2, 2 L) i8, scratch of `survivors`.
who: (frames,) i8, which frames are decoded side by side.
limit: where LLRs saturate, as they do in fixed point; None if they do not.
begins, barred: see `Tree`.
"""


@kernel(inline="always")
def _new_group(arena, llr, tree, paths, limit):
    """Memory for lists of this size of as many frames as are decoded side by side."""
    n, groups = tree.effect.shape
    lanes, blocks, levels = width(llr), len(tree.barred), len(tree.begins)
    spread, frames = (paths + lanes - 1) // lanes * lanes, max(lanes // paths, 1)
    real, word = llr.dtype, tree.barred.dtype
    own, moved = empty(arena, spread, word), empty(arena, levels, np.int64)
    for lane in range(spread):
        own[lane] = lane
    moved[:] = True  # so that `at` is set
    return Group(
        zeros(arena, 2 * n * spread, real),
        empty(arena, n * spread, real),
        zeros(arena, spread, real),
        zeros(arena, 2 * spread, real),
        zeros(arena, spread, real),
        zeros(arena, spread, real),
        zeros(arena, spread, real),
        zeros(arena, 2 * paths, real),
        empty(arena, (tree.begins[-1] + 1) * spread, word),
        empty(arena, blocks * spread, word),
        empty(arena, blocks * spread, word),
        empty(arena, spread, word),
        own,
        empty(arena, spread, word),
        empty(arena, spread, word),
        empty(arena, spread, word),
        empty(arena, (levels, spread), word),
        empty(arena, (frames, blocks), word),
        empty(arena, blocks, word),
        empty(arena, (2, 2 * paths), np.int64),
        empty(arena, frames, np.int64),
        moved,
        empty(arena, (groups, spread), np.uint64),
        empty(arena, (groups, spread), np.uint64),
        empty(arena, (groups, 1), np.uint64),
        tree.begins,
        tree.barred,
        limit,
    )


@kernel(inline="always")
def place_frame(row, slot, paths, inputs, group):
    """Put a row of LLRs (n,) in its lanes; whether its hard decisions have the right frozen bits."""
    n, spread = len(row), len(group.origin)
    hard, word, fresh = group.hard[slot], group.word, group.fresh
    alpha, inner = group.alpha, group.inner
    _pack(row, hard)
    for block in range(len(hard)):
        word[block] = hard[block]
    _transform(word, n, np.int64(1))
    if len(fresh):  # the frozen bits of v before any error: all are zero for a codeword
        fresh[:] = 0
        _note(word, inputs.masks, 0, n, fresh)
        _add_past(word, inputs.places, 0, n, fresh)
    even, first = _is_even(row), slot * paths
    for v in range(spread // width(alpha)):
        here = as_mask(np.int64((1 << paths) - 1) << first if paths < width(alpha) else -1, load(alpha, v))
        for j in range(n):
            value = abs(row[j])
            value = row.dtype.type(value > 0) if even else value
            at = j * (spread // width(alpha)) + v
            store(alpha, at, choose(here, splat(value), load(alpha, at)))
        for block in range(len(word)):
            at = block * (spread // width(alpha)) + v
            store(inner, at, choose(here, splat(word[block]), load(inner, at)))
    wrong = word.dtype.type(0)
    for block in range(len(word)):
        wrong |= word[block] & group.barred[block]
    return wrong == 0


@kernel(borrows=True)
def _is_even(row):
    """Whether max-log LLRs are all of one magnitude, or zero."""
    some = row.dtype.type(0)
    for j in range(len(row)):
        value = abs(row[j])
        if some > 0 and value > 0 and value != some:
            return False
        some = max(some, value)
    return not are_exact(row)


@kernel(borrows=True)
def _pack(row, hard):
    """Hard decisions of LLRs (n,), bit j of a number for value j of a block."""
    for block in range(len(hard)):
        bits = np.uint64(0)
        for j in range(min(BLOCK, len(row))):
            bits |= np.uint64(row[block * BLOCK + j] < 0) << np.uint64(j)
        hard[block] = bits


@kernel(borrows=True)
def unpack(sums, lane, spread, hard, out):
    """The word of a path: out (n,) u1, from its partial sums and the hard decisions."""
    words = sums
    for block in range(len(hard)):
        bits = words[block * spread + lane] ^ hard[block]
        for j in range(min(BLOCK, len(out))):
            out[block * BLOCK + j] = (bits >> words.dtype.type(j)) & words.dtype.type(1)


@kernel(inline="always")
def follow(filled, paths, inputs, tree, group):
    """Grow the lists of the first ``filled`` frames over all bits; how many paths each has then.

    ``sums`` and ``metric`` are theirs.
    """
    depth, kind, driven, effect = tree.depth, tree.kind, tree.driven, tree.effect
    n, layers = len(depth), len(group.begins) - 1
    sums, past, metric, cost = group.sums, group.past, group.metric, group.cost
    spread = len(metric)
    wide = spread // width(metric)
    metric[:] = 0
    past[:] = 0
    for layer in range(layers + 1):
        _stay(group.at, group.moved, layer)
    count, i = np.int64(1), np.int64(0)
    while i < n:
        size = n >> depth[i]
        start, length = (2 * n - 2 * size) * wide, (size + BLOCK - 1) // BLOCK * spread
        _descend(group, i, depth[i], layers)
        if kind[i] == FREE:
            _hard_words(group.alpha, start, size, wide, sums)
            cost[:] = 0
            forks = min(paths - 1, size)
        else:
            _known_words(group.inner, i, size, wide, kind[i] == REPETITION, sums)
            if driven[i]:
                _add_past(sums, inputs.places[i:], 0, size, past)
            _transform(sums, size, spread)
            _weigh(group.alpha, start, size, sums, cost)
            forks = np.int64(kind[i] == REPETITION)
            if kind[i] == FROZEN:
                for v in range(wide):
                    store(metric, v, load(metric, v) + load(cost, v))
        for v in range(wide):
            store(group.origin, v, load(group.own, v))
        moved = False
        for _ in range(forks):
            if kind[i] == FREE:
                _next_least(group.alpha, start, size, group.value, group.place, group.origin, cost)
            _try_both(group.metric, cost, group.low, group.high, group.chosen)
            now = min(2 * count, paths)
            for first in range(0, filled * paths, paths):
                moved |= _fork(first, count, paths, length, group)
            count = now
            if kind[i] == REPETITION:
                _add_choices(group.chosen, size, sums)
            elif not _flip(group.chosen, group.origin, group.place, filled * paths, sums):
                break  # and what is more reliable costs more still
        if moved:
            _move(group, i, depth[i], group.origin)
        if len(past):
            _note(sums, effect[i:], 0, size, past)
        _ascend(sums, group.left, group.begins, i, depth[i], n, wide)
        i += size
    return count


@kernel(borrows=True)
def _stay(at, moved, layer):
    """From now on, each path finds its LLRs of a layer in its own lane."""
    if moved[layer]:
        for lane in range(at.shape[1]):
            at[layer, lane] = lane
        moved[layer] = False


@kernel(borrows=True)
def _transform(words, size, spread):
    """In place, the product of F and the words of all lanes: the first ``size`` values of flat blocks."""
    length = (size + BLOCK - 1) // BLOCK * spread
    half = 1
    while half < min(size, BLOCK):
        first = words.dtype.type(0xFFFFFFFF // ((1 << half) + 1))  # of each pair of runs, the first
        shift = words.dtype.type(half)
        for v in range(length):
            words[v] ^= (words[v] >> shift) & first
        half *= 2
    half = spread
    while half < length:
        for begin in range(0, length, 2 * half):
            for v in range(begin, begin + half):
                words[np.uintp(v)] ^= words[np.uintp(v + half)]
        half *= 2


@kernel(borrows=True)
def _note(words, effect, i, size, past):
    """Add to the sums in ``past`` (D, lanes) what the words, flat blocks, of the subtree at bit i add."""
    spread = past.shape[1]
    for group in range(len(past)):
        for j in range(size):
            mask = effect[i + j, group]
            if mask:
                block, shift = j // BLOCK * spread, np.uint64(j % BLOCK)
                for lane in range(spread):
                    past[group, lane] ^= mask * ((np.uint64(words[block + lane]) >> shift) & np.uint64(1))


@kernel(borrows=True)
def _add_past(words, places, i, size, past):
    """Add to words, flat blocks, the sums that the dynamic frozen bits from bit i on are."""
    spread = past.shape[1]
    for j in range(size):
        place = places[i + j]
        if place >= 0:
            group, shift = place >> 6, np.uint64(place & 63)
            block, here = j // BLOCK * spread, np.uint64(j % BLOCK)
            for lane in range(spread):
                words[block + lane] ^= words.dtype.type(((past[group, lane] >> shift) & np.uint64(1)) << here)


@kernel(borrows=True)
def _known_words(inner, i, size, wide, but_last, sums):
    """The inputs of a subtree that are known; the last is taken to be zero if it is not."""
    here = i // BLOCK * wide
    for v in range((size + BLOCK - 1) // BLOCK * wide):
        bits = load(inner, here + v)
        if size < BLOCK:
            bits = lower(bits, i % BLOCK) & splat(inner.dtype.type((1 << size) - 1))
        store(sums, v, bits)
    if but_last:
        last = splat(inner.dtype.type(0xFFFFFFFF ^ (1 << ((size - 1) % BLOCK))))
        for v in range((size - 1) // BLOCK * wide, (size - 1) // BLOCK * wide + wide):
            store(sums, v, load(sums, v) & last)


@kernel(inline="always")
def _descend(group, i, bottom, layers):
    """LLRs of bit i or its subtree: from the highest layer that i renews once to the right, then left."""
    alpha, moved, wide = group.alpha, group.moved, len(group.metric) // width(group.metric)
    n = 1 << layers
    layer = 1
    if i > 0:
        layer = layers
        while (i >> (layers - layer)) & 1 == 0:
            layer -= 1
        size = n >> layer
        first, begin = (2 * n - 4 * size) * wide, group.begins[layer] * wide
        if moved[layer - 1]:
            _fetch(alpha, first, 2 * size, group.at[layer - 1], group.spare)
            _right(group.spare, np.int64(0), alpha, size, group.left, begin, wide, n, group.limit)
        else:
            _right(alpha, first, alpha, size, group.left, begin, wide, n, group.limit)
        _stay(group.at, moved, layer)
        layer += 1
    while layer <= bottom:
        size = n >> layer
        join_llrs(alpha, (2 * n - 2 * size) * wide, size * wide)
        _stay(group.at, moved, layer)
        layer += 1


@kernel(borrows=True)
def _fetch(alpha, first, count, at, spare):
    """Rows of LLRs of paths that have moved, each to its own lane."""
    values, fetched, spread = alpha, spare, len(at)
    begin = first * width(alpha)
    for j in range(0, count * spread, spread):
        for lane in range(spread):
            fetched[np.uintp(j + lane)] = values[np.uintp(begin + j + at[lane])]


@kernel(borrows=True)
def _right(above, first, alpha, size, left, begin, wide, n, limit):
    """Sums or differences of LLRs above, as the left partial sums say."""
    start = (2 * n - 2 * size) * wide
    for block in range((size + BLOCK - 1) // BLOCK):
        for v in range(wide):
            bits = load(left, begin + block * wide + v)
            for j in range(min(size, BLOCK)):
                row = (block * BLOCK + j) * wide + v
                a, b = load(above, first + row), load(above, first + size * wide + row)
                store(alpha, start + row, within(choose(has_bit(bits, j), b - a, b + a), limit))


@kernel(borrows=True)
def _ascend(sums, left, begins, i, bottom, n, wide):
    """Join finished subtrees, as far as bit i or its subtree ends them, and keep the sums of a left one."""
    layer, size = bottom, n >> bottom
    while layer > 0 and i & size:
        begin = begins[layer] * wide
        if size < BLOCK:
            for v in range(wide):
                before, ones = load(left, begin + v), load(sums, v)
                store(sums, v, (before ^ ones) | higher(ones, size))
        else:
            length = size // BLOCK * wide
            for v in range(length):
                ones = load(sums, v)
                store(sums, length + v, ones)
                store(sums, v, load(left, begin + v) ^ ones)
        layer, size = layer - 1, 2 * size
    if layer > 0:
        begin = begins[layer] * wide
        for v in range((size + BLOCK - 1) // BLOCK * wide):
            store(left, begin + v, load(sums, v))


@kernel(borrows=True)
def _weigh(alpha, start, size, words, cost):
    """What its word costs each path, and what the word costs with ones added to all its bits.

    Deciding against an LLR costs its magnitude; with exact LLRs, -log of the probability.
    """
    lanes = width(cost)
    wide = len(cost) // (2 * lanes)
    zero = splat(alpha.dtype.type(0))
    if are_exact(alpha):
        cost[:] = 0
        _weigh_exactly(alpha[start * lanes :], size, words, cost)
        return
    for v in range(wide):
        total, other = zero, zero
        for block in range((size + BLOCK - 1) // BLOCK):
            bits = load(words, block * wide + v)
            for j in range(min(size, BLOCK)):
                a = load(alpha, start + (block * BLOCK + j) * wide + v)
                against = choose(has_bit(bits, j), a, zero - a)
                total = total + choose(less(zero, against), against, zero)
                other = other + choose(less(zero, against), zero, zero - against)
        store(cost, v, total)
        store(cost, wide + v, other)


@kernel(error_model="numpy", borrows=True)
def _weigh_exactly(alpha, size, words, cost):
    """The same, added in the order of the bits, from the first of the LLRs on."""
    spread = len(cost) // 2
    for j in range(size):
        for lane in range(spread):
            value = alpha[j * spread + lane]
            uncertain = math.log1p(math.exp(-abs(value)))
            one = (words[j // BLOCK * spread + lane] >> words.dtype.type(j % BLOCK)) & words.dtype.type(1)
            against = value if one else -value
            cost[lane] += max(against, 0.0) + uncertain
            cost[spread + lane] += max(-against, 0.0) + uncertain


@kernel(inline="always")
def _try_both(metric, cost, low, high, chosen):
    """Let each path take its better choice: low, its metric; high, what that would be after the other."""
    wide = len(metric) // width(metric)
    none, one = splat(chosen.dtype.type(0)), splat(chosen.dtype.type(1))
    for v in range(wide):
        before, zeros, ones = load(metric, v), load(cost, v), load(cost, wide + v)
        better = less(ones, zeros)
        least = before + choose(better, ones, zeros)
        store(low, v, least)
        store(metric, v, least)
        store(high, v, before + choose(better, zeros, ones))
        store(chosen, v, choose(better, one, none))


@kernel(inline="always")
def _fork(first, count, paths, length, group):
    """Let the cheapest of both choices of a frame's paths survive; whether a path has moved."""
    low, high, metric, chosen = group.low, group.high, group.metric, group.chosen
    origin, words, order = group.origin, group.sums, group.order
    both, end = survivors(first, count, paths, low, high, chosen, group.candidates, order)
    for i in range(both):
        lane = first + order[0, i]
        clone = first + (order[1, i] if i < end else count + i - end)
        better = chosen[lane] != 0
        metric[clone] = low[lane] if better else high[lane]
        metric[lane] = high[lane] if better else low[lane]
        chosen[clone], chosen[lane] = 1, 0
        origin[clone] = origin[lane]
        for block in range(0, length, len(origin)):
            words[block + clone] = words[block + lane]
    return both > 0


@kernel(inline="always")
def _move(group, i, bottom, origin):
    """Fetch what each path needs above the subtree at bit i from the lane where it was.

    That is where its LLRs are, of which the right halves are yet to come, and bits of left subtrees.
    """
    at, moved, left, begins, scratch = group.at, group.moved, group.left, group.begins, group.scratch
    layers, spread = len(begins) - 1, len(origin)
    wide = spread // width(origin)
    for layer in range(1, bottom + 1):
        if (i >> (layers - layer)) & 1:
            end = begins[layer + 1] if layer < layers else begins[layer] + 1
            for block in range(begins[layer], end):
                _fetch(left, block * wide, np.int64(1), origin, scratch)
                _copy(scratch, wide, left, block * wide)
        elif layer > 1:
            _fetch(at[layer - 1], np.int64(0), np.int64(1), origin, scratch)
            for lane in range(spread):
                at[layer - 1, lane] = scratch[lane]
            moved[layer - 1] = True
    past, before = group.past, group.before
    for word in range(len(past)):
        for lane in range(spread):
            before[word, lane] = past[word, lane]
        for lane in range(spread):
            past[word, lane] = before[word, np.int64(origin[lane])]


@kernel(borrows=True)
def _copy(vectors, count, target, begin):
    for v in range(count):
        store(target, begin + v, load(vectors, v))


@kernel(borrows=True)
def _add_choices(chosen, size, sums):
    """Add the choice of each path to all bits of its word."""
    words, spread = sums, len(chosen)
    ones = words.dtype.type((1 << min(size, BLOCK)) - 1)
    for block in range((size + BLOCK - 1) // BLOCK):
        for lane in range(spread):
            words[block * spread + lane] ^= ones * chosen[lane]


@kernel(inline="always")
def _next_least(alpha, start, size, value, place, origin, cost):
    """What flipping the least reliable bit costs each path, of those not tried before."""
    spread = len(origin)
    begin = start * width(alpha)
    _least_reliable(alpha, start, size, value, place)
    for lane in range(spread):
        alpha[np.uintp(begin + np.int64(place[lane]) * spread + lane)] = np.inf
        cost[np.uintp(spread + lane)] = value[np.uintp(origin[lane])]


@kernel(inline="always")
def _flip(chosen, origin, place, lanes, words):
    """Flip the chosen bits of the paths' words; whether there are any."""
    some = chosen.dtype.type(0)
    for lane in range(lanes):
        j = np.int64(place[np.uintp(origin[lane])])
        words[np.uintp(j // BLOCK * len(origin) + lane)] ^= chosen[lane] << words.dtype.type(j % BLOCK)
        some |= chosen[lane]
    return some != 0


@kernel(borrows=True)
def _hard_words(alpha, start, size, wide, sums):
    zero, none = splat(alpha.dtype.type(0)), splat(sums.dtype.type(0))
    for block in range((size + BLOCK - 1) // BLOCK):
        for v in range(wide):
            bits = none
            for j in range(min(size, BLOCK)):
                value = load(alpha, start + (block * BLOCK + j) * wide + v)
                bits = bits | choose(less(value, zero), splat(sums.dtype.type(1 << j)), none)
            store(sums, block * wide + v, bits)


@kernel(borrows=True)
def _least_reliable(alpha, start, size, value, place):
    """For each lane, the least magnitude in a subtree and where it is; of equal ones, the first."""
    wide = len(value) // width(value)
    for v in range(wide):
        least, where = magnitude(load(alpha, start + v)), splat(place.dtype.type(0))
        for j in range(1, size):
            own = magnitude(load(alpha, start + j * wide + v))
            smaller = less(own, least)
            least = choose(smaller, own, least)
            where = choose(smaller, splat(place.dtype.type(j)), where)
        store(value, v, least)
        store(place, v, where)


@kernel(error_model="numpy", borrows=True)
def scl(arena, llr, inputs, columns, paths, tree, limit, out, tested, passed):
    """Best of the final paths that is a word of the code.

    llr (B, n), f4 for the max-log box-plus and metric or f8 for the exact ones; inputs, `polar.Inputs`;
    columns (n, W) u8, packed columns of the code's checks (W = 0 if all are frozen bits); paths, the list
    size; tree, from `tree_of`; limit, where sums of LLRs saturate, or None.
    Out: (B, n) u1; tested (B,) i8, paths whose checks were looked at; passed (B,) b1, whether one satisfied
    them (else the best path is the answer).
    """
    frames = len(llr)
    group = _new_group(arena, llr, tree, paths, limit)
    who, filled = group.who, np.int64(0)
    for frame in range(frames):
        _harden(llr[frame], out[frame])
        if place_frame(llr[frame], filled, paths, inputs, group) and satisfied(out[frame], columns):
            tested[frame], passed[frame] = 1, True  # the hard decision is a codeword: none is more likely
        else:
            who[filled] = frame
            filled += 1
        if filled == len(who) or (filled > 0 and frame == frames - 1):
            count = follow(filled, paths, inputs, tree, group)
            for slot in range(filled):
                done, found = _select(slot, paths, count, columns, group, out[who[slot]])
                tested[who[slot]], passed[who[slot]] = done, found
            filled = np.int64(0)


@kernel(borrows=True)
def _harden(row, out):
    for j in range(len(row)):
        out[j] = row[j] < 0


@kernel(inline="always")
def _select(slot, paths, count, columns, group, out):
    """Write the best path whose word satisfies the checks, or the best; how many were tested, and whether."""
    first, spread, order = slot * paths, len(group.metric), group.order
    sort_places(group.metric[first : first + count], order[0], order[1])
    for place in range(count + 1):
        path = order[0, place % count]  # the best once more where none satisfies them
        unpack(group.sums, first + path, spread, group.hard[slot], out)
        if place < count and satisfied(out, columns):
            return place + 1, True
    return count, False


@kernel(error_model="numpy", borrows=True)
def scl_list(arena, llr, inputs, columns, paths, tree, out, held):
    """The words of all final paths: the arguments as for `scl`.

    Out: (B, paths, n) u1, zeros where there are fewer; held (B, paths) b1, whether there is one and it
    satisfies the checks.
    """
    frames = len(llr)
    group = _new_group(arena, llr, tree, paths, None)
    together, spread = len(group.hard), len(group.metric)
    for begin in range(0, frames, together):
        filled = min(together, frames - begin)
        for slot in range(filled):
            place_frame(llr[begin + slot], slot, paths, inputs, group)
        count = follow(filled, paths, inputs, tree, group)
        for slot in range(filled):
            for path in range(paths):
                word = out[begin + slot, path]
                if path < count:
                    unpack(group.sums, slot * paths + path, spread, group.hard[slot], word)
                    held[begin + slot, path] = satisfied(word, columns)
                else:
                    word[:] = 0
                    held[begin + slot, path] = False


@kernel(error_model="numpy", borrows=True)
def soft_scl(arena, llr, inputs, columns, paths, tree, app):
    """Max-log a-posteriori LLRs over the final paths: app (B, n) f4 out, the rest as for `scl`.

    The price of a path is the reliability that its word contradicts. For each bit, the least price with an
    error there, less that without; where only one of them is known, the other is the highest price of all,
    but at least half a mean reliability above the lowest: the path that is found may be the costliest itself.
    """
    frames, n = llr.shape
    word, least = empty(arena, n, np.uint8), empty(arena, (2, n), np.float64)
    group = _new_group(arena, llr, tree, paths, None)
    together = len(group.hard)
    for begin in range(0, frames, together):
        filled = min(together, frames - begin)
        for slot in range(filled):
            place_frame(llr[begin + slot], slot, paths, inputs, group)
        count = follow(filled, paths, inputs, tree, group)
        for slot in range(filled):
            row = llr[begin + slot]
            costliest = _least_prices(row, slot, paths, count, columns, True, group, word, least)
            if least[0, 0] == np.inf and least[1, 0] == np.inf:  # no path satisfies the checks
                costliest = _least_prices(row, slot, paths, count, columns, False, group, word, least)
            mean = 0.0
            for j in range(n):
                mean += abs(np.float64(row[j])) / n
            costliest = max(costliest, min(least[0, 0], least[1, 0]) + 0.5 * mean)
            for j in range(n):
                gap = min(least[1, j], costliest) - min(least[0, j], costliest)
                app[begin + slot, j] = -gap if row[j] < 0 else gap


@kernel(borrows=True)
def _least_prices(row, slot, paths, count, columns, checked, group, word, least):
    """Least prices without and with an error in each bit, (2, n); the highest price of any path."""
    least[:] = np.inf
    costliest = 0.0
    for path in range(count):
        unpack(group.sums, slot * paths + path, len(group.metric), group.hard[slot], word)
        price = 0.0
        for j in range(len(row)):
            price += abs(np.float64(row[j])) if word[j] != (row[j] < 0) else 0.0
        costliest = max(costliest, price)
        if not checked or satisfied(word, columns):
            for j in range(len(row)):
                wrong = np.int64(word[j] != (row[j] < 0))
                least[wrong, j] = min(least[wrong, j], price)
    return costliest
