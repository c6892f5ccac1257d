"""What decoders of polar codes by successive cancellation share: `sc` and `scl` are the schedules.

With h the hard decision of the received word and u = h F, F the Kronecker power of [[1, 0], [1, 1]], the
error word e = c + h has transform v = e F with v_i = u_i in the frozen positions. So a decoder sees the
reliabilities |llr|, all positive, and the frozen values: it cannot favour a codeword, and where an LLR is 0
it decides as the received word does.

A frozen bit may be dynamic (Trifonov and Miloslavskaya 2016), a sum of information bits before it. Then v_i
is the same sum of v_j and of the transform h F. The latter is added to h F at once; for the former each path
carries the sums so far of all dynamic frozen bits, packed, in ``past``. A subtree whose word is x, and whose
inputs are v = x F there, adds to them the masks of all v_j = 1, which are those of F^T where x_j = 1.

Three kinds of subtrees are not entered (Alamdar-Yazdi and Kschischang 2011; Sarkis, Giard, Vardy, Thibeault
and Gross 2014, 2016), for what a word costs there is the same as bit by bit, exactly and in the max-log form.
FROZEN bits only: the word is known. A REPETITION, where the last bit alone is free: two words. FREE bits
only: hard decisions, in a list with some of the least reliable ones flipped. A single parity check is
entered: the word by hard decisions, with the least reliable bit flipped if need be, would be the same but
where reliabilities are equal, and its few steps are as many.

Max-log LLRs are float32, or int8 that saturate at 127. They are sums and differences of reliabilities, so
rounding in float32 changes the sign only of one that would be about zero in exact sums. Where all
reliabilities of a frame are equal, or zero, they are replaced by ones, whose sums are exact: on a binary
symmetric or erasure channel ties stay ties, and int8 seldom saturates. Exact LLRs are float64.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fecnn.decoders.kernels.lanes import (
    as_integer,
    as_mask,
    choose,
    less,
    load,
    magnitude,
    negated,
    splat,
    store,
    width,
)
from fecnn.jit import kernel

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


@kernel(inline="always")
def layers_of(n):
    """The number of layers above single bits: log2 n."""
    layers = 0
    while 1 << layers < n:
        layers += 1
    return layers


@kernel(inline="always")
def are_exact(llr):
    """Whether LLRs are for the exact box-plus, by their type; all others are for its max-log form."""
    return llr.itemsize == 8


@kernel(borrows=True)
def subtrees(inputs, layers, free_too, depth, kind, driven, effect):
    """For each bit the layer of the largest subtree that starts with it and is of a kind, and the kind.

    depth, kind: (n,) i8 out. driven: (n,) b1 out, whether the subtree has dynamic frozen bits. effect: out,
    like ``inputs.masks``; for each bit of a word of the subtree, the masks that it adds.
    """
    frozen, masks, places = inputs
    for i in range(len(frozen)):
        depth[i], kind[i], driven[i] = layers, FROZEN, False
        for group in range(masks.shape[1]):
            effect[i, group] = masks[i, group]
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
        for j in range(i, i + size):
            driven[i] |= places[j] >= 0
        half = 1
        while half < size:
            for start in range(i, i + size, 2 * half):
                for j in range(start, start + half):
                    for group in range(effect.shape[1]):
                        effect[j + half, group] ^= effect[j, group]
            half *= 2
        i += size


@kernel(borrows=True)
def harden(alpha, length, wide, hard):
    """LLRs, ``length`` vectors in rows of ``wide``, to reliabilities; the signs to ``hard``, a bit a lane."""
    zero, one = splat(alpha.dtype.type(0)), splat(alpha.dtype.type(1))
    for v in range(length):
        value = load(alpha, v)
        hard[v] = as_integer(less(value, zero))
        store(alpha, v, magnitude(value))
    everywhere = as_integer(less(zero, one))
    for first in range(0 if are_exact(alpha) else wide):
        top, uneven = zero, everywhere ^ everywhere
        for v in range(first, length, wide):
            value = load(alpha, v)
            top = choose(less(top, value), value, top)
        v = first
        while v < length and uneven != everywhere:
            value = load(alpha, v)
            uneven |= as_integer(less(value, top)) & as_integer(less(zero, value))
            v += wide
        if uneven != everywhere:
            differ = as_mask(uneven, top)
            for v in range(first, length, wide):
                value = load(alpha, v)
                store(alpha, v, choose(differ, value, choose(less(zero, value), one, zero)))


@kernel(borrows=True)
def join_llrs(alpha, start, length):
    """Box-plus of the vectors above: exact in float64, else its max-log form."""
    above = start - 2 * length
    if are_exact(alpha):
        values, lanes = alpha.reshape(-1), width(alpha)
        for j in range(start * lanes, (start + length) * lanes):
            values[j] = box_plus(values[j - 2 * length * lanes], values[j - length * lanes])
        return
    zero = splat(alpha.dtype.type(0))
    for v in range(length):
        a, b = load(alpha, above + v), load(alpha, above + length + v)
        least, other = magnitude(a), magnitude(b)
        least = choose(less(other, least), other, least)
        odd = as_integer(less(a, zero)) ^ as_integer(less(b, zero))
        store(alpha, start + v, negated(as_mask(odd, a), least))


@kernel(error_model="numpy", inline="always")
def box_plus(a, b):
    """Written so that large values lose nothing."""
    total, difference = abs(a) + abs(b), abs(abs(a) - abs(b))
    least = min(abs(a), abs(b)) + math.log1p(math.exp(-total)) - math.log1p(math.exp(-difference))
    return -least if (a < 0) != (b < 0) else least


@kernel(borrows=True)
def satisfied(word, columns):
    """Whether a word (n,) u1 satisfies the checks with these packed columns (n, W) u8."""
    for check in range(columns.shape[1]):
        syndrome = np.uint64(0)
        for j in range(len(word)):
            syndrome ^= columns[j, check] if word[j] else np.uint64(0)
        if syndrome != 0:
            return False
    return True


@kernel
def are_satisfied(words, columns, found):
    """Whether each word of (B, n) u1 satisfies the checks: found (B,) b1 out; columns as for `satisfied`."""
    for frame in range(len(words)):
        found[frame] = satisfied(words[frame], columns)
