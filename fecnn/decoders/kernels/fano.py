"""Fano's algorithm on the tree of inputs of a polar transform (Fano 1963; Arikan 2019).

As in `polar`, a decoder sees reliabilities |llr| and looks for the inputs v of the error word: v_i is the
input u_i plus the transform of the hard decision, so no codeword is favoured where LLRs are 0.

Layer l of LLRs (``alpha``) and of partial sums (``beta``) has a row of n values, those of a subtree at the
places of its bits; layer 0 is the channel. What stands at the subtrees that begin no later than bit i depends
on bits before i alone, so it is still there when the decoder moves back to i, and only a move forward
computes anything. All is float64, with the exact box-plus.
"""

import math

import numpy as np

from fecnn.decoders.kernels.polar import box_plus, layers_of
from fecnn.jit import kernel


@kernel(error_model="numpy")
def fano(llr, inputs, bias, delta, most, out, visits, complete):
    """The path that Fano's algorithm ends with.

    llr (B, n) f4; inputs, `polar.Inputs`; bias (n,) f8, taken off the metric of each bit; delta, by how much
    thresholds differ; most, after how many visits the search is over, and the best branches are followed from
    where it stands. Out: (B, n) u1; visits (B,) i8, moves forward; complete (B,) b1, whether it was not over.
    """
    frames, n = llr.shape
    frozen, masks, places = inputs
    layers = layers_of(n)
    alpha, beta = np.zeros((layers + 1, n), np.float64), np.zeros((layers + 1, n), np.uint8)
    metric, past = np.zeros(n + 1, np.float64), np.zeros(masks.shape[1], np.uint64)
    received, second = np.empty(n, np.uint8), np.zeros(n, np.uint8)
    for frame in range(frames):
        for j in range(n):
            received[j] = llr[frame, j] < 0
            alpha[0, j] = abs(np.float64(llr[frame, j]))
            out[frame, j] = received[j]
        _transform(received)
        past[:] = 0
        threshold, i, turn, searching = 0.0, np.int64(0), np.uint8(0), True
        visits[frame], complete[frame] = 0, True
        _descend(alpha, beta, i, layers)
        while i < n:
            value = alpha[layers, i]
            bit = np.uint8(value < 0) ^ turn
            if frozen[i]:
                bit = received[i]
                if places[i] >= 0:
                    bit ^= np.uint8((past[places[i] >> 6] >> np.uint64(places[i] & 63)) & np.uint64(1))
            ahead = metric[i] + _gain(value, bit) - bias[i]
            if ahead >= threshold or not searching:
                if metric[i] < threshold + delta and ahead > threshold:  # for the first time here
                    threshold += delta * math.floor((ahead - threshold) / delta)
                beta[layers, i], second[i], metric[i + 1] = bit, turn, ahead
                _note(past, masks, i, bit ^ received[i])
                _ascend(beta, i, layers)
                i, turn = i + 1, np.uint8(0)
                visits[frame] += 1
                if i < n:
                    _descend(alpha, beta, i, layers)
                    searching = visits[frame] < most
                    complete[frame] = searching
                continue
            while True:
                if i == 0 or metric[i - 1] < threshold:
                    # Lowered at once as far as needed to move at all: no step between would lead anywhere.
                    if not frozen[i]:
                        ahead = metric[i] + _gain(value, np.uint8(value < 0)) - bias[i]
                    if i > 0:
                        ahead = max(ahead, metric[i - 1])
                    lower = threshold - delta * max(1.0, math.ceil((threshold - ahead) / delta))
                    threshold, turn = min(lower, ahead), np.uint8(0)
                    break
                i -= 1
                _note(past, masks, i, beta[layers, i] ^ received[i])
                if not frozen[i] and second[i] == 0:
                    turn = np.uint8(1)
                    break
                value, ahead = alpha[layers, i], metric[i + 1]
        for j in range(n):
            out[frame, j] ^= beta[0, j]


@kernel(error_model="numpy", inline="always")
def _gain(value, bit):
    """1 - log2 (1 + e^-x), where x is the LLR, negated for a 1: how much likelier the bit makes the rest."""
    x = -value if bit else value
    return 1.0 - (max(-x, 0.0) + math.log1p(math.exp(-abs(x)))) / math.log(2.0)


@kernel(borrows=True)
def _transform(bits):
    """In place, the product with F."""
    half = 1
    while half < len(bits):
        for start in range(0, len(bits), 2 * half):
            for j in range(start, start + half):
                bits[j] ^= bits[j + half]
        half *= 2


@kernel(borrows=True)
def _note(past, masks, i, value):
    """Add to the dynamic frozen bits, or take off, what input i adds to them if it is a one."""
    if value:
        for group in range(len(past)):
            past[group] ^= masks[i, group]


@kernel(error_model="numpy", borrows=True)
def _descend(alpha, beta, i, layers):
    """LLRs of the subtrees that begin with bit i: the largest is to the right of one that is known."""
    n = alpha.shape[1]
    layer = 1
    if i > 0:
        layer = layers
        while (i >> (layers - layer)) & 1 == 0:
            layer -= 1
        size = n >> layer
        for j in range(i, i + size):
            a, b = alpha[layer - 1, j - size], alpha[layer - 1, j]
            alpha[layer, j] = b - a if beta[layer, j - size] else b + a
        layer += 1
    while layer <= layers:
        size = n >> layer
        for j in range(i, i + size):
            alpha[layer, j] = box_plus(alpha[layer - 1, j], alpha[layer - 1, j + size])
        layer += 1


@kernel(borrows=True)
def _ascend(beta, i, layers):
    """Partial sums of the subtrees that end with bit i."""
    layer, size = layers, 1
    while layer > 0 and (i >> (layers - layer)) & 1:
        for j in range(i + 1 - 2 * size, i + 1 - size):
            beta[layer - 1, j] = beta[layer, j] ^ beta[layer, j + size]
            beta[layer - 1, j + size] = beta[layer, j + size]
        layer, size = layer - 1, 2 * size
