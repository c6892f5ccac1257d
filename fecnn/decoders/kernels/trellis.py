"""Viterbi and BCJR on the minimal trellis of a code, several frames side by side (see `lanes`).

The trellis is a product of rows of a minimum-span generator (`fecnn.decoders.trellis.build_trellis`), so all
states of a depth behave alike. In the section of one bit they do one of four things, a few of them at a time,
with the branches between them: a *wing*.

- SPLIT, a row starts: a state has a successor for each bit;
- MERGE, a row ends: a state has a predecessor for each bit;
- BUTTERFLY, both: two states, two successors, the four branches between them;
- PASS, neither: a state, a successor, one branch.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fecnn.decoders.kernels.lanes import (
    as_integer,
    choose,
    less,
    load,
    magnitude,
    rows,
    splat,
    store,
    store_bits,
    transpose,
    width,
)
from fecnn.decoders.kernels.polynomials import exp, log
from fecnn.jit import kernel

SPLIT, MERGE, BUTTERFLY, PASS = range(4)

LANES = 16
"""Frames side by side in float32; half as many in float64."""

RESCALE = 16
"""Sections after which probabilities are scaled to a maximum of 1: between, they grow to 2^16 at most."""


class Trellis(NamedTuple):
    """States numbered within each depth 0..n, and how they are connected.

    order: (n,) i8, the position of each section's bit.
    first: (n + 2,) i8; the states of depth t are rows first[t]..first[t + 1] of `previous`.
    previous: (states, 2) i4; [s, b] is the state of depth t - 1 from which bit b leads to s, counted within
        its depth; one past the last if there is none.
    widest: The largest number of states of one depth.
    kind: (n,) u1, of each section.
    begin: (n + 1,) u8; the wings of section t are rows begin[t]..begin[t + 1] of `wings`.
    zeros: (n,) u8; the first zeros[t] wings of a PASS carry bit 0, the others bit 1.
    wings: (wings, 4) i4, [p0, p1, q0, q1]: bit 0 leads from p0 to q0 and from p1 to q1, bit 1 from p0 to q1
        and from p1 to q0. Of a SPLIT p0 = p1, of a MERGE q0 = q1, of a PASS both, and there is one branch.
    """

    order: NDArray[np.int64]
    first: NDArray[np.int64]
    previous: NDArray[np.int32]
    widest: int
    kind: NDArray[np.uint8]
    begin: NDArray[np.uint64]
    zeros: NDArray[np.uint64]
    wings: NDArray[np.int32]


@kernel
def _side_by_side(llr, start, price):
    """Frames ``start``, ... of llr (B, n) to price (n or more, lanes); spare lanes repeat the last frame."""
    n, lanes = llr.shape[1], width(price)
    if _in_squares(llr, start, lanes):
        for j in range(0, n, lanes):
            transpose(llr, start * n + j, n, price, j * lanes, lanes)
    else:
        for j in range(n):
            for lane in range(lanes):
                price[j, lane] = llr[min(start + lane, len(llr) - 1), j]


@kernel
def _one_by_one(soft, start, app):
    """The reverse: soft (n or more, lanes) to frames ``start``, ... of app (B, n)."""
    n, lanes = app.shape[1], width(soft)
    if _in_squares(app, start, lanes):
        # The last columns first: what they spill into the next frames is written later.
        for j in range((n - 1) // lanes * lanes, -1, -lanes):
            transpose(soft, j * lanes, lanes, app, start * n + j, n)
    else:
        for j in range(n):
            for lane in range(min(lanes, len(app) - start)):
                app[start + lane, j] = soft[j, lane]


@kernel
def _in_squares(values, start, lanes):
    """Whether rows of (B, n) may be taken in squares of ``lanes``, the last of them beyond column n."""
    n = values.shape[1]
    return (start + lanes - 1) * n + (n + lanes - 1) // lanes * lanes <= values.size


@kernel
def _closeness(price, n):
    """By how much two sums of these LLRs must differ for float32 to tell them apart."""
    total = magnitude(load(price, 0))
    for j in range(1, n):
        total = total + magnitude(load(price, j))
    return total * splat(np.float32(3 * n * 2.0**-24))


def viterbi(llr: NDArray[np.float32], trellis: Trellis, out: Any, doubtful: Any) -> None:
    """The most likely codeword of each frame, and where float32 cannot tell.

    llr (B, n) f4; out (B, n) u1; doubtful (B,) b1: True where ``out`` may not be the best word.

    A path is priced by the sum of the LLRs of its ones: n - 1 additions, none above T = sum_j |llr_j|,
    that err by 2^-24 T each. Two paths are compared rightly if they differ by more than 2 n 2^-24 T. Where
    they are closer (than 3 n 2^-24 T, to leave room for the errors of float64 too) the survivor is marked.
    A word without a mark is the most likely one: where the path of another last met its own, that path, or
    one that had beaten it (rounding keeps the order of sums), lost by more than all errors together.
    """
    by = _viterbi_by_history if len(trellis.order) < 32 else _viterbi_by_traceback
    by(llr, trellis, out, doubtful)


@kernel
def _viterbi_by_history(llr, trellis, out, doubtful):
    """Of n < 32 bits: each path carries its word, bit j for position j, and its mark in bit 31."""
    order, begin, wings, kind = trellis.order, trellis.begin, trellis.wings, trellis.kind
    n, widest = len(order), trellis.widest
    price = rows(n + LANES, np.float32)
    metric, history = rows(2 * widest, np.float32), rows(2 * widest, np.int32)
    octets = out.reshape(out.size)
    clear, mark = splat(np.int32(0)), splat(np.int32(-(2**31)))
    for start in range(0, len(llr), LANES):
        _side_by_side(llr, start, price)
        close = _closeness(price, n)
        old, new = 0, widest
        store(metric, old, splat(np.float32(0)))
        store(history, old, clear)
        for t in range(n):
            cost, one = load(price, order[t]), splat(np.int32(1 << order[t]))
            if kind[t] == SPLIT:
                for w in range(begin[t], begin[t + 1]):
                    m, h = load(metric, old + wings[w, 0]), load(history, old + wings[w, 0])
                    store(metric, new + wings[w, 2], m)
                    store(history, new + wings[w, 2], h)
                    store(metric, new + wings[w, 3], m + cost)
                    store(history, new + wings[w, 3], h | one)
            elif kind[t] == PASS:
                for w in range(begin[t], begin[t + 1]):
                    m, h = load(metric, old + wings[w, 0]), load(history, old + wings[w, 0])
                    if w >= begin[t] + trellis.zeros[t]:
                        m, h = m + cost, h | one
                    store(metric, new + wings[w, 2], m)
                    store(history, new + wings[w, 2], h)
            else:
                for w in range(begin[t], begin[t + 1]):
                    m0, h0 = load(metric, old + wings[w, 0]), load(history, old + wings[w, 0])
                    m1, h1 = load(metric, old + wings[w, 1]), load(history, old + wings[w, 1])
                    m, h = _survivor(m0, m1 + cost, h0, h1 | one, close, clear, mark)
                    store(metric, new + wings[w, 2], m)
                    store(history, new + wings[w, 2], h)
                    if kind[t] == BUTTERFLY:
                        m, h = _survivor(m1, m0 + cost, h1, h0 | one, close, clear, mark)
                        store(metric, new + wings[w, 3], m)
                        store(history, new + wings[w, 3], h)
            old, new = new, old
        for lane in range(min(LANES, len(llr) - start)):
            frame, word = start + lane, history[old, lane]
            doubtful[frame] = word < 0
            if frame * n + 32 <= len(octets):  # the excess belongs to the next frames, written later
                store_bits(octets, frame * n, word)
            else:
                for j in range(n):
                    out[frame, j] = (word >> j) & 1


@kernel(inline="always")
def _survivor(zero, one, history0, history1, close, clear, mark):
    """The cheaper of two paths: its metric and its history, marked where the two are close."""
    better = less(one, zero)
    sure = less(close, magnitude(one - zero))
    history = choose(better, history1, history0) | choose(sure, clear, mark)
    return choose(better, one, zero), history


@kernel
def _viterbi_by_traceback(llr, trellis, out, doubtful):
    """Any n: each state keeps, a bit for each lane, which branch survived and whether that was close."""
    order, begin, wings, kind = trellis.order, trellis.begin, trellis.wings, trellis.kind
    n, widest = len(order), trellis.widest
    price = rows(n + LANES, np.float32)
    metric = rows(2 * widest, np.float32)
    taken = np.zeros(len(trellis.previous), np.uint16)
    marked = np.zeros(len(trellis.previous), np.uint16)
    for start in range(0, len(llr), LANES):
        _side_by_side(llr, start, price)
        close = _closeness(price, n)
        old, new = 0, widest
        store(metric, old, splat(np.float32(0)))
        for t in range(n):
            cost, here = load(price, order[t]), trellis.first[t + 1]
            if kind[t] == SPLIT:
                for w in range(begin[t], begin[t + 1]):
                    m = load(metric, old + wings[w, 0])
                    store(metric, new + wings[w, 2], m)
                    store(metric, new + wings[w, 3], m + cost)
            elif kind[t] == PASS:
                for w in range(begin[t], begin[t + 1]):
                    m = load(metric, old + wings[w, 0])
                    store(metric, new + wings[w, 2], m + cost if w >= begin[t] + trellis.zeros[t] else m)
            else:
                for w in range(begin[t], begin[t + 1]):
                    m0, m1 = load(metric, old + wings[w, 0]), load(metric, old + wings[w, 1])
                    q0, q1 = wings[w, 2], wings[w, 3]
                    better, sure, m = _decide(m0, m1 + cost, close)
                    store(metric, new + q0, m)
                    taken[here + q0], marked[here + q0] = better, ~sure
                    if kind[t] == BUTTERFLY:
                        better, sure, m = _decide(m1, m0 + cost, close)
                        store(metric, new + q1, m)
                        taken[here + q1], marked[here + q1] = better, ~sure
            old, new = new, old
        _trace(trellis, taken, marked, start, out, doubtful)


@kernel(inline="always")
def _decide(zero, one, close):
    """Where the path with a one is cheaper and where that is sure, a bit a lane; the cheaper metric."""
    better = less(one, zero)
    sure = less(close, magnitude(one - zero))
    return as_integer(better), as_integer(sure), choose(better, one, zero)


@kernel
def _trace(trellis, taken, marked, start, out, doubtful):
    """Follow the survivors of frames ``start``, ... back, one step of all of them at a time."""
    n, first, previous = len(trellis.order), trellis.first, trellis.previous
    frames = min(LANES, len(out) - start)
    state = np.zeros(LANES, np.int64)
    doubt = np.zeros(LANES, np.int64)
    for t in range(n - 1, -1, -1):
        position, merges = trellis.order[t], trellis.kind[t] == MERGE or trellis.kind[t] == BUTTERFLY
        for lane in range(frames):
            row = first[t + 1] + state[lane]
            if merges:
                bit = (np.int64(taken[row]) >> lane) & 1
                doubt[lane] |= (np.int64(marked[row]) >> lane) & 1
            else:
                bit = np.int64(previous[row, 0] == first[t + 1] - first[t])
            out[start + lane, position] = bit
            state[lane] = previous[row, bit]
    for lane in range(frames):
        doubtful[start + lane] = doubt[lane] != 0


@kernel
def viterbi_float64(llr, trellis, out):
    """The most likely codeword of each frame, in float64: llr (B, n) f4, out (B, n) u1.

    A path is priced by the reliability of the hard decisions that it contradicts: sums of numbers that are
    not negative. Of equals the zero wins.
    """
    order, first, previous, widest = trellis.order, trellis.first, trellis.previous, trellis.widest
    n = llr.shape[1]
    old = np.empty((widest + 1, LANES), np.float64)
    new = np.empty((widest + 1, LANES), np.float64)
    taken = np.empty((len(previous), LANES), np.uint8)
    cost = np.empty((2, LANES), np.float64)
    for start in range(0, len(llr), LANES):
        lanes = min(LANES, len(llr) - start)
        old[0] = 0.0
        old[1] = np.inf
        for t in range(n):
            cost[:] = 0.0
            for lane in range(lanes):
                value = np.float64(llr[start + lane, order[t]])
                cost[1 if value >= 0 else 0, lane] = abs(value)
            base, states = first[t + 1], first[t + 2] - first[t + 1]
            for s in range(states):
                zeros, ones = old[previous[base + s, 0]], old[previous[base + s, 1]]
                for lane in range(LANES):
                    zero = zeros[lane] + cost[0, lane]
                    one = ones[lane] + cost[1, lane]
                    taken[base + s, lane] = one < zero
                    new[s, lane] = zero if zero <= one else one
            new[states] = np.inf
            old, new = new, old
        for lane in range(lanes):
            s = 0
            for t in range(n - 1, -1, -1):
                bit = taken[first[t + 1] + s, lane]
                out[start + lane, order[t]] = bit
                s = previous[first[t + 1] + s, bit]


@kernel
def bcjr(llr, trellis, margin, app, doubtful):
    """A-posteriori LLRs of the code bits, in the precision of ``llr``, and where it does not do.

    llr (B, n) f4 or f8; margin f8; app (B, n) out, of the same type; doubtful (B,) b1 out.

    Probabilities are scaled to a maximum of 1 every few sections, and there are only sums of what is not
    negative, so an error is a rounding (n 2^-21 at most in an LLR, and mostly far less) or an underflow. What
    underflows is below the smallest normal number, and its share of the whole, the sum over all codewords, at
    most f / w there: f is that number times the growth 2^RESCALE, w the scaled whole as the section has it. A
    bit value whose share is p = 1 / (1 + e^|app|) therefore loses f / (p w) of itself, and where p w > 1e-24
    (float32) or 1e-280 (float64) that is far below a rounding, for |app| up to 55 or 640.

    A frame is doubtful if p w is less for some bit and section. With a margin only signs are wanted: then p
    is that of the likelier value, at least 1/2, but a frame with some |app| below the margin is doubtful.
    """
    n = len(trellis.order)
    forward = rows(len(trellis.previous), llr.dtype)
    backward = rows(2 * trellis.widest, llr.dtype)
    price, ratio = rows(n + LANES, llr.dtype), rows(n, llr.dtype)
    zero, one = rows(n, llr.dtype), rows(n, llr.dtype)
    extremes = rows(3, llr.dtype)
    prices, ratios = price.reshape(price.size), ratio.reshape(ratio.size)
    zeros, ones = zero.reshape(zero.size), one.reshape(one.size)
    lanes, limit = width(price), 1e-24 if price.itemsize == 4 else 1e-280
    for start in range(0, len(llr), lanes):
        _side_by_side(llr, start, price)
        _weigh(prices, zeros, ones)
        _forward(trellis, zero, one, forward)
        _backward(trellis, zero, one, forward, backward, ratio, extremes)
        _add_logs(ratios, prices)
        _one_by_one(price, start, app)
        _extremes(price, n, extremes)
        for lane in range(min(lanes, len(llr) - start)):
            whole, nearest, farthest = extremes[0, lane], extremes[1, lane], extremes[2, lane]
            share = exp(-np.float64(farthest)) if margin == 0.0 else 1.0
            doubtful[start + lane] = nearest < margin or not share * whole > limit


@kernel
def _extremes(soft, n, extremes):
    """Rows 1 and 2 of extremes (3, lanes): least and largest magnitude of the first n rows of soft."""
    low = high = magnitude(load(soft, 0))
    for t in range(1, n):
        value = magnitude(load(soft, t))
        low, high = choose(less(value, low), value, low), choose(less(high, value), value, high)
    store(extremes, 1, low)
    store(extremes, 2, high)


@kernel(error_model="numpy")
def _weigh(price, zero, one):
    """Probabilities of both bit values, up to a factor: 1 for the likelier."""
    for i in range(len(zero)):
        unlikely = exp(-abs(np.float64(price[i])))
        zero[i] = 1.0 if price[i] >= 0.0 else unlikely
        one[i] = unlikely if price[i] >= 0.0 else 1.0


@kernel(error_model="numpy")
def _add_logs(ratio, soft):
    for i in range(len(ratio)):
        soft[i] += log(np.float64(ratio[i]))


@kernel
def _forward(trellis, zero, one, forward):
    """Probabilities of the past of every state: forward (states, lanes) out."""
    order, first = trellis.order, trellis.first
    kind, begin, wings = trellis.kind, trellis.begin, trellis.wings
    forward[0] = 1.0
    for t in range(len(kind)):
        w0, w1 = load(zero, order[t]), load(one, order[t])
        old, new = first[t], first[t + 1]
        if kind[t] == SPLIT:
            for w in range(begin[t], begin[t + 1]):
                x = load(forward, old + wings[w, 0])
                store(forward, new + wings[w, 2], w0 * x)
                store(forward, new + wings[w, 3], w1 * x)
        elif kind[t] == MERGE:
            for w in range(begin[t], begin[t + 1]):
                x0, x1 = load(forward, old + wings[w, 0]), load(forward, old + wings[w, 1])
                store(forward, new + wings[w, 2], w0 * x0 + w1 * x1)
        elif kind[t] == BUTTERFLY:
            for w in range(begin[t], begin[t + 1]):
                x0, x1 = load(forward, old + wings[w, 0]), load(forward, old + wings[w, 1])
                store(forward, new + wings[w, 2], w0 * x0 + w1 * x1)
                store(forward, new + wings[w, 3], w1 * x0 + w0 * x1)
        else:
            for w in range(begin[t], begin[t + 1]):
                x = load(forward, old + wings[w, 0])
                store(forward, new + wings[w, 2], (w0 if w < begin[t] + trellis.zeros[t] else w1) * x)
        if t % RESCALE == RESCALE - 1:
            _rescale(forward, new, first[t + 2])


@kernel
def _backward(trellis, zero, one, forward, backward, ratio, extremes):
    """Probabilities of the future of every state, and what follows.

    ratio (n, lanes) out: of the sums over the branches with bit 0 and bit 1, without their own weights;
    row 0 of extremes (3, lanes) out: the least weighted sum of both.
    """
    order, first = trellis.order, trellis.first
    kind, begin, wings = trellis.kind, trellis.begin, trellis.wings
    n = len(kind)
    old, new = trellis.widest, 0
    backward[old] = 1.0
    extremes[0] = np.inf
    for t in range(n - 1, -1, -1):
        w0, w1, here = load(zero, order[t]), load(one, order[t]), first[t]
        sum0 = w0 - w0
        sum1 = w0 - w0
        if kind[t] == SPLIT:
            for w in range(begin[t], begin[t + 1]):
                x = load(forward, here + wings[w, 0])
                y0, y1 = load(backward, old + wings[w, 2]), load(backward, old + wings[w, 3])
                sum0, sum1 = sum0 + x * y0, sum1 + x * y1
                store(backward, new + wings[w, 0], w0 * y0 + w1 * y1)
        elif kind[t] == MERGE:
            for w in range(begin[t], begin[t + 1]):
                x0, x1 = load(forward, here + wings[w, 0]), load(forward, here + wings[w, 1])
                y = load(backward, old + wings[w, 2])
                sum0, sum1 = sum0 + x0 * y, sum1 + x1 * y
                store(backward, new + wings[w, 0], w0 * y)
                store(backward, new + wings[w, 1], w1 * y)
        elif kind[t] == BUTTERFLY:
            for w in range(begin[t], begin[t + 1]):
                x0, x1 = load(forward, here + wings[w, 0]), load(forward, here + wings[w, 1])
                y0, y1 = load(backward, old + wings[w, 2]), load(backward, old + wings[w, 3])
                sum0, sum1 = sum0 + x0 * y0, sum1 + x0 * y1
                sum0, sum1 = sum0 + x1 * y1, sum1 + x1 * y0
                store(backward, new + wings[w, 0], w0 * y0 + w1 * y1)
                store(backward, new + wings[w, 1], w1 * y0 + w0 * y1)
        else:
            ones = begin[t] + trellis.zeros[t]
            for w in range(begin[t], ones):
                y = load(backward, old + wings[w, 2])
                sum0 = sum0 + load(forward, here + wings[w, 0]) * y
                store(backward, new + wings[w, 0], w0 * y)
            for w in range(ones, begin[t + 1]):
                y = load(backward, old + wings[w, 2])
                sum1 = sum1 + load(forward, here + wings[w, 0]) * y
                store(backward, new + wings[w, 0], w1 * y)
        store(ratio, order[t], sum0 / sum1)
        both, low = w0 * sum0 + w1 * sum1, load(extremes, 0)
        store(extremes, 0, choose(less(low, both), low, both))
        if t % RESCALE == 0:
            _rescale(backward, new, new + first[t + 1] - first[t])
        old, new = new, old


@kernel
def _rescale(values, begin, end):
    """Divide rows begin..end by their largest, lane by lane; a lane that is all 0 stays so."""
    top = splat(values.dtype.type(1e-37 if values.itemsize == 4 else 1e-300))
    for s in range(begin, end):
        value = load(values, s)
        top = choose(less(top, value), value, top)
    for s in range(begin, end):
        store(values, s, load(values, s) / top)


@kernel
def bcjr_logarithmic(llr, trellis, app):
    """A-posteriori LLRs in the log domain: slow, without limits. llr (B, n) f4; app (B, n) f4 or f8 out."""
    # One row past each depth stands for "no such state"; depth t starts at row first[t] + t.
    states = len(trellis.previous) + len(trellis.order) + 1
    forward, backward = np.empty(states), np.empty(states)
    for frame in range(len(llr)):
        _logarithmic(llr[frame], trellis, forward, backward, app[frame])


@kernel
def _logarithmic(llr, trellis, forward, backward, app):
    """One frame in the log domain: slower, without limits; app is infinite for a bit that is constant."""
    order, first, previous = trellis.order, trellis.first, trellis.previous
    n = len(llr)
    forward[0], forward[1] = 0.0, -np.inf
    for t in range(n):
        g0, g1 = _log_weights(llr[order[t]])
        before, here, states = first[t] + t, first[t + 1] + t + 1, first[t + 2] - first[t + 1]
        for s in range(states):
            p0, p1 = previous[first[t + 1] + s, 0], previous[first[t + 1] + s, 1]
            forward[here + s] = log_add(forward[before + p0] + g0, forward[before + p1] + g1)
        forward[here + states] = -np.inf
    backward[:] = -np.inf
    backward[first[n] + n] = 0.0
    for t in range(n - 1, -1, -1):
        g0, g1 = _log_weights(llr[order[t]])
        before, here, states = first[t] + t, first[t + 1] + t + 1, first[t + 2] - first[t + 1]
        top0, top1 = -np.inf, -np.inf
        for s in range(states):
            p0, p1 = previous[first[t + 1] + s, 0], previous[first[t + 1] + s, 1]
            end = backward[here + s]
            top0 = max(top0, forward[before + p0] + end)
            top1 = max(top1, forward[before + p1] + end)
        sum0, sum1 = 0.0, 0.0
        for s in range(states):
            p0, p1 = previous[first[t + 1] + s, 0], previous[first[t + 1] + s, 1]
            end = backward[here + s]
            if top0 > -np.inf:
                sum0 += np.exp(forward[before + p0] + end - top0)
            if top1 > -np.inf:
                sum1 += np.exp(forward[before + p1] + end - top1)
            backward[before + p0] = log_add(backward[before + p0], end + g0)
            backward[before + p1] = log_add(backward[before + p1], end + g1)
        backward[here - 1] = -np.inf
        if top1 == -np.inf:
            app[order[t]] = np.inf
        elif top0 == -np.inf:
            app[order[t]] = -np.inf
        else:
            app[order[t]] = (top0 - top1 + np.float64(llr[order[t]])) + np.log(sum0 / sum1)


@kernel(inline="always")
def _log_weights(llr):
    """Log weights of bit 0 and bit 1: 0 for the hard decision, -|llr| for the other."""
    value = np.float64(llr)
    return min(value, 0.0), min(-value, 0.0)


@kernel(inline="always")
def log_add(a, b):
    """ln(e^a + e^b), without overflow."""
    top, low = max(a, b), min(a, b)
    if low < top - 40.0 or low == -np.inf:  # adds less than one rounding
        return top
    return top + np.log1p(np.exp(low - top))
