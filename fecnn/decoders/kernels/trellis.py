"""Viterbi and BCJR on the minimal trellis of a code, found from its parity-check columns.

The state at depth t is the syndrome of the first t bits (Wolf, IEEE Trans. IT 24(1), 1978), kept only where a
codeword passes (the minimal trellis: Bahl, Cocke, Jelinek and Raviv, 1974; Massey 1978). Paths are priced by
the reliability of the hard decisions they contradict, so that costs are sums of non-negative numbers.
"""

from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray

LANES = 8


@dataclass(frozen=True)
class Trellis:
    """States numbered within each depth 0..n, and where each comes from.

    first: (n + 2,) i8; the states of depth t are rows first[t]..first[t + 1] of `previous`.
    previous: (states, 2) i4; [s, b] is the state of depth t - 1 from which bit b leads to s, counted within
        its depth; one past the last if there is none.
    widest: The largest number of states of one depth.
    """

    first: NDArray[np.int64]
    previous: NDArray[np.int32]
    widest: int


def build(columns: NDArray[np.uint64], checks: int) -> Trellis:
    """The trellis of the code with parity-check columns (n,) u8, each of ``checks`` bits."""
    n = len(columns)
    steps = columns.astype(np.int64)
    futures = np.zeros((n + 1, 1 << checks), np.bool_)
    futures[n, 0] = True
    for t in range(n - 1, -1, -1):
        futures[t] = futures[t + 1]
        futures[t, np.flatnonzero(futures[t + 1]) ^ steps[t]] = True
    position = np.full(1 << checks, -1, np.int64)
    states = np.zeros(1, np.int64)
    first = [0, 1]
    previous = [np.full((1, 2), 0, np.int32)]
    for t in range(n):
        position[states] = np.arange(len(states))
        reached = np.union1d(states, states ^ steps[t])
        reached = reached[futures[t + 1, reached]]
        origins = position[np.stack([reached, reached ^ steps[t]], axis=1)]
        origins[origins < 0] = len(states)
        position[states] = -1
        previous.append(origins.astype(np.int32))
        states = reached
        first.append(first[-1] + len(states))
    return Trellis(np.array(first), np.concatenate(previous), int(np.diff(first).max()))


@nb.njit(cache=True, nogil=True)
def viterbi(llr, first, previous, widest, out):
    """The most likely codeword of each frame: llr (B, n) f4, a `Trellis`, out (B, n) u1."""
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
                value = np.float64(llr[start + lane, t])
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
                out[start + lane, t] = bit
                s = previous[first[t + 1] + s, bit]


@nb.njit(cache=True, nogil=True)
def bcjr(llr, first, previous, app):
    """A-posteriori LLRs of the code bits: llr (B, n) f4, a `Trellis`, app (B, n) f8 out.

    A frame is done with probabilities scaled to a maximum of 1 at each depth. Where every bit has both its
    values above 1e-200, whatever fell below 1e-308 on the way is far below a rounding, and the result stands;
    otherwise the frame is done again in the log domain, which has no limit.
    """
    n = llr.shape[1]
    # One row past each depth stands for "no such state"; depth t starts at row first[t] + t.
    forward = np.empty(len(previous) + n + 1, np.float64)
    backward = np.empty(len(previous) + n + 1, np.float64)
    for frame in range(len(llr)):
        if not _scaled(llr[frame], first, previous, forward, backward, app[frame]):
            _logarithmic(llr[frame], first, previous, forward, backward, app[frame])


@nb.njit(cache=True, nogil=True)
def _scaled(llr, first, previous, forward, backward, app):
    """One frame of probabilities; False if some bit value has next to none."""
    n = len(llr)
    forward[0], forward[1] = 1.0, 0.0
    for t in range(n):
        w0, w1 = _weights(llr[t])
        before, here, states = first[t] + t, first[t + 1] + t + 1, first[t + 2] - first[t + 1]
        top = 0.0
        for s in range(states):
            p0, p1 = previous[first[t + 1] + s, 0], previous[first[t + 1] + s, 1]
            value = w0 * forward[before + p0] + w1 * forward[before + p1]
            forward[here + s] = value
            top = max(top, value)
        if top == 0.0:
            return False
        forward[here + states] = 0.0
        for s in range(states):
            forward[here + s] *= 1.0 / top
    backward[:] = 0.0
    backward[first[n] + n] = 1.0
    for t in range(n - 1, -1, -1):
        w0, w1 = _weights(llr[t])
        before, here, states = first[t] + t, first[t + 1] + t + 1, first[t + 2] - first[t + 1]
        sum0, sum1 = 0.0, 0.0
        for s in range(states):
            p0, p1 = previous[first[t + 1] + s, 0], previous[first[t + 1] + s, 1]
            end = backward[here + s]
            sum0 += forward[before + p0] * end
            sum1 += forward[before + p1] * end
            backward[before + p0] += w0 * end
            backward[before + p1] += w1 * end
        if not min(w0 * sum0, w1 * sum1) > 1e-200:
            return False
        app[t] = np.float64(llr[t]) + np.log(sum0 / sum1)
        backward[here - 1] = 0.0
        top = 0.0
        for s in range(before, here - 1):
            top = max(top, backward[s])
        if top == 0.0:
            return False
        for s in range(before, here - 1):
            backward[s] *= 1.0 / top
    return True


@nb.njit(cache=True, nogil=True)
def _logarithmic(llr, first, previous, forward, backward, app):
    """One frame in the log domain: slower, without limits; app is infinite for a bit that is constant."""
    n = len(llr)
    forward[0], forward[1] = 0.0, -np.inf
    for t in range(n):
        g0, g1 = _log_weights(llr[t])
        before, here, states = first[t] + t, first[t + 1] + t + 1, first[t + 2] - first[t + 1]
        for s in range(states):
            p0, p1 = previous[first[t + 1] + s, 0], previous[first[t + 1] + s, 1]
            forward[here + s] = _log_add(forward[before + p0] + g0, forward[before + p1] + g1)
        forward[here + states] = -np.inf
    backward[:] = -np.inf
    backward[first[n] + n] = 0.0
    for t in range(n - 1, -1, -1):
        g0, g1 = _log_weights(llr[t])
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
            backward[before + p0] = _log_add(backward[before + p0], end + g0)
            backward[before + p1] = _log_add(backward[before + p1], end + g1)
        backward[here - 1] = -np.inf
        if top1 == -np.inf:
            app[t] = np.inf
        elif top0 == -np.inf:
            app[t] = -np.inf
        else:
            app[t] = (top0 - top1 + np.float64(llr[t])) + np.log(sum0 / sum1)


@nb.njit(cache=True, nogil=True, inline="always")
def _log_weights(llr):
    """Log weights of bit 0 and bit 1: 0 for the hard decision, -|llr| for the other."""
    value = np.float64(llr)
    return min(value, 0.0), min(-value, 0.0)


@nb.njit(cache=True, nogil=True, inline="always")
def _weights(llr):
    """The same as probabilities, up to a factor."""
    g0, g1 = _log_weights(llr)
    return np.exp(g0), np.exp(g1)


@nb.njit(cache=True, nogil=True, inline="always")
def _log_add(a, b):
    """ln(e^a + e^b), without overflow."""
    top, low = max(a, b), min(a, b)
    if low < top - 40.0 or low == -np.inf:  # adds less than one rounding
        return top
    return top + np.log1p(np.exp(low - top))
