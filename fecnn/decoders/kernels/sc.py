"""Successive cancellation, many frames side by side: in the error domain, see `polar`.

All arrays have a row for each value. Of an LLR, a row is up to four vectors, a lane for each frame. Of a bit,
it is a word for each vector, a bit for each of its lanes, so one operation adds the bits of all of them.
Layer l of LLRs (``alpha``), and of partial sums of left subtrees (``left``), has n >> l rows, from
2 n - 2 (n >> l) on; layer 0 is the channel.
"""

import numpy as np

from fecnn.decoders.kernels.arena import empty
from fecnn.decoders.kernels.lanes import (
    as_integer,
    as_mask,
    less,
    load,
    minus_or_plus,
    negated,
    plus,
    splat,
    store,
    transpose,
    width,
)
from fecnn.decoders.kernels.polar import FREE, REPETITION, harden, join_llrs, layers_of, subtrees
from fecnn.jit import kernel

WIDEST = 4
"""Most vectors in a row: more frames share the work for each step, but need more memory."""


@kernel(error_model="numpy", borrows=True)
def sc(arena, llr, inputs, kind, out):
    """Successive cancellation: llr (B, n), f4 or i1 for the max-log box-plus, f8 for the exact one.

    kind: An array of unsigned integers, of as many bits as a vector has lanes, or more. Out: (B, n) u1.
    """
    frames, n = llr.shape
    layers = layers_of(n)
    lanes = width(llr)
    wide = max(1, min(WIDEST, (frames + lanes - 1) // lanes))
    alpha = empty(arena, (max(2 * n, lanes) * wide, lanes), llr.dtype)
    left, sums = empty(arena, 2 * n * wide, kind.dtype), empty(arena, n * wide, kind.dtype)
    hard, inner = empty(arena, n * wide, kind.dtype), empty(arena, n * wide, kind.dtype)
    word = empty(arena, n, kind.dtype)
    past = empty(arena, (inputs.masks.shape[1], wide * lanes), np.uint64)
    depth, form = empty(arena, n, np.int64), empty(arena, n, np.int64)
    driven, effect = empty(arena, n, np.bool_), empty(arena, inputs.masks.shape, np.uint64)
    subtrees(inputs, layers, True, depth, form, driven, effect)
    for first in range(0, frames, wide * lanes):
        _side_by_side(llr, first, wide, alpha)
        harden(alpha, n * wide, wide, hard)
        for v in range(n * wide):
            inner[v] = hard[v]
        _transform(inner, wide)
        if len(past):
            _without_errors(inner, inputs, wide, past)
        i = np.int64(0)
        while i < n:
            size = n >> depth[i]
            start = (2 * n - 2 * size) * wide
            _descend(alpha, left, i, depth[i], layers, wide)
            if form[i] == FREE:
                _signs(alpha, start, size * wide, sums)
            else:
                if driven[i]:
                    _add_past(inner, inputs.places, i, size, wide, past)
                _known_word(inner, i, size, wide, form[i] == REPETITION, sums)
                if form[i] == REPETITION:
                    _repeat(alpha, start, size, wide, sums)
            if len(past):
                _note(sums, effect, i, size, wide, past)
            _ascend(sums, left, i, depth[i], layers, wide)
            i += size
        for v in range(wide):
            for j in range(n):
                word[j] = sums[j * wide + v] ^ hard[j * wide + v]
            for lane in range(min(lanes, frames - first - v * lanes)):
                _write_frame(word, lane, out[first + v * lanes + lane])


@kernel(borrows=True)
def _side_by_side(llr, first, wide, alpha):
    """Frames from ``first`` on, as far as there are any, each in its lane of the first n rows."""
    n, lanes = llr.shape[1], width(alpha)
    if (first + wide * lanes - 1) * n + (n + lanes - 1) // lanes * lanes <= llr.size:
        for v in range(wide):
            for j in range(0, n, lanes):
                transpose(llr, (first + v * lanes) * n + j, n, alpha, (j * wide + v) * lanes, wide * lanes)
    else:
        values = alpha.reshape(-1)
        for lane in range(min(wide * lanes, len(llr) - first)):
            for j in range(n):
                values[j * wide * lanes + lane] = llr[first + lane, j]


@kernel(borrows=True)
def _write_frame(word, lane, out):
    """One lane of n words: out (n,) u1."""
    for j in range(len(out)):
        out[j] = (word[j] >> lane) & 1


@kernel(borrows=True)
def _transform(bits, wide):
    """In place, the product of F and rows of ``wide`` words that lie one after the other."""
    half = wide
    while half < len(bits):
        for start in range(0, len(bits), 2 * half):
            for v in range(start, start + half):
                bits[np.uintp(v)] ^= bits[np.uintp(v + half)]
        half *= 2


@kernel(borrows=True)
def _without_errors(inner, inputs, wide, past):
    """Change the transform of h into the frozen bits of v before any error: all are zero for a codeword."""
    n = len(inner) // wide
    past[:] = 0
    _note(inner, inputs.masks, 0, n, wide, past)
    _add_past(inner, inputs.places, 0, n, wide, past)
    past[:] = 0


@kernel(borrows=True)
def _note(words, effect, i, size, wide, past):
    """Add to the sums in ``past`` (D, lanes) what the words of the subtree at bit i add."""
    lanes = past.shape[1] // wide
    for group in range(len(past)):
        for j in range(size):
            mask = effect[i + j, group]
            if mask:
                for v in range(wide):
                    bits = np.uint64(words[j * wide + v])
                    for lane in range(lanes):
                        past[group, v * lanes + lane] ^= mask * ((bits >> np.uint64(lane)) & np.uint64(1))


@kernel(borrows=True)
def _add_past(inner, places, i, size, wide, past):
    """Add to rows i to i + size the sums that the dynamic frozen bits among them are."""
    lanes = past.shape[1] // wide
    for j in range(i, i + size):
        if places[j] >= 0:
            group, shift = places[j] >> 6, np.uint64(places[j] & 63)
            for v in range(wide):
                bits = np.uint64(0)
                for lane in range(lanes):
                    bits |= ((past[group, v * lanes + lane] >> shift) & np.uint64(1)) << np.uint64(lane)
                inner[j * wide + v] ^= inner.dtype.type(bits)


@kernel(borrows=True)
def _descend(alpha, left, i, bottom, layers, wide):
    """LLRs of bit i or its subtree: from the highest layer that i renews once to the right, then left."""
    n = len(left) // (2 * wide)
    layer = 1
    if i > 0:
        layer = layers
        while (i >> (layers - layer)) & 1 == 0:
            layer -= 1
        length = (n >> layer) * wide
        start = 2 * n * wide - 2 * length
        for v in range(start, start + length):
            a, b = load(alpha, v - 2 * length), load(alpha, v - length)
            store(alpha, v, minus_or_plus(as_mask(left[np.uintp(v)], a), b, a))
        layer += 1
    while layer <= bottom:
        join_llrs(alpha, (2 * n - 2 * (n >> layer)) * wide, (n >> layer) * wide)
        layer += 1


@kernel(borrows=True)
def _signs(alpha, start, length, sums):
    zero = splat(alpha.dtype.type(0))
    for v in range(length):
        sums[v] = as_integer(less(load(alpha, start + v), zero))


@kernel(borrows=True)
def _known_word(inner, i, size, wide, but_last, sums):
    """The word of a subtree whose inputs are known; the last is taken to be zero if it is not."""
    for v in range(size * wide):
        sums[v] = inner[np.uintp(i * wide + v)]
    if but_last:
        for v in range((size - 1) * wide, size * wide):
            sums[v] = 0
    _transform(sums[: size * wide], wide)


@kernel(borrows=True)
def _repeat(alpha, start, size, wide, sums):
    """Add ones to the words of those lanes where that is more likely: halves to halves, as bit by bit.

    The sums of LLRs take the rows below the subtree.
    """
    half = size // 2 * wide
    for v in range(half):
        a, b = load(alpha, start + v), load(alpha, start + half + v)
        a, b = negated(as_mask(sums[np.uintp(v)], a), a), negated(as_mask(sums[np.uintp(half + v)], b), b)
        store(alpha, start + 2 * half + v, plus(b, a))
    top = start
    while half >= wide:
        top += 2 * half
        half //= 2
        if half >= wide:
            for v in range(half):
                store(alpha, top + 2 * half + v, plus(load(alpha, top + half + v), load(alpha, top + v)))
    zero = splat(alpha.dtype.type(0))
    for v in range(wide):
        total = load(alpha, top + v)
        if size == 1:
            total = negated(as_mask(sums[np.uintp(v)], total), total)
        ones = as_integer(less(total, zero))
        for j in range(v, size * wide, wide):
            sums[j] ^= ones


@kernel(borrows=True)
def _ascend(sums, left, i, bottom, layers, wide):
    """Join finished subtrees, as far as bit i or its subtree ends them, and keep the sums of a left one."""
    n = len(sums) // wide
    layer, size = bottom, n >> bottom
    while layer > 0 and (i >> (layers - layer)) & 1:
        start, length = (2 * n - 2 * size) * wide, size * wide
        for v in range(length):
            sums[np.uintp(length + v)] = sums[v]
            sums[v] ^= left[np.uintp(start + v)]
        layer, size = layer - 1, 2 * size
    if layer > 0:
        start = (2 * n - 2 * size) * wide
        for v in range(size * wide):
            left[np.uintp(start + v)] = sums[v]
