"""Exact bit-wise a-posteriori probabilities of tail-biting codes on their own trellis.

States and windows are those of `fecnn.decoders.kernels.tail_biting`: window w leads from state w >> 1 to
state w mod S. Wanted are sums over the paths that end where they start, so all start states are followed side
by side: forward[t, u, s] is the sum over the paths from s to u in t steps, and that over the rest of them is
kept for one step only.
"""

import numpy as np

from fecnn.decoders.kernels.tail_biting import price
from fecnn.decoders.kernels.trellis import log_add
from fecnn.jit import kernel

LEAST_WHOLE, LEAST_SHARE = 1e-50, 1e-200
"""Where a scaled sum, or the share of a bit value in it, is less, what underflowed may count."""


@kernel
def posterior(llr, ones, labels, app, doubtful):
    """A-posteriori LLRs of the bits that windows stand for, in float64, and where that does not do.

    llr (B, n) f4; ones (outputs, 2 S) u1; labels (rows, 2 S) u1, the wanted bits of each window; app
    (B, steps * rows) f8 out; doubtful (B,) b1 out.
    """
    outputs, windows = ones.shape
    states, steps = windows // 2, llr.shape[1] // outputs
    weight = np.empty((steps, windows), np.float64)
    forward = np.empty((steps + 1, states, states), np.float64)
    backward = np.empty((2, states, states), np.float64)
    sums = np.empty((2, len(labels)), np.float64)
    for frame in range(len(llr)):
        price(llr[frame], ones, weight)
        for step in range(steps):
            for window in range(windows):
                weight[step, window] = np.exp(-weight[step, window])
        _unit(forward[0])
        _unit(backward[0])
        for step in range(steps):
            _ahead(forward[step], weight[step], forward[step + 1])
        now, sure = 0, True
        for step in range(steps - 1, -1, -1):
            whole = _shares(forward[step], weight[step], backward[now], labels, sums)
            for row in range(len(labels)):
                zero, one = sums[0, row], sums[1, row]
                sure = sure and whole > LEAST_WHOLE and min(zero, one) > LEAST_SHARE * whole
                app[frame, step * len(labels) + row] = np.log(zero) - np.log(one) if sure else 0.0
            _back(backward[now], weight[step], backward[1 - now])
            now = 1 - now
        doubtful[frame] = not sure


@kernel(borrows=True)
def _unit(matrix):
    matrix[:] = 0.0
    for state in range(len(matrix)):
        matrix[state, state] = 1.0


@kernel(borrows=True)
def _ahead(old, weight, new):
    """One step forward, scaled to a maximum of 1."""
    states = len(new)
    top = 1e-300
    for state in range(states):
        one, other = old[np.uintp(state >> 1)], old[np.uintp((state >> 1) + states // 2)]
        left, right = weight[state], weight[np.uintp(state + states)]
        for start in range(states):
            value = left * one[start] + right * other[start]
            new[state, start] = value
            top = max(top, value)
    _scale(new, top)


@kernel(borrows=True)
def _back(old, weight, new):
    """One step backward, likewise."""
    states = len(new)
    top = 1e-300
    for state in range(states):
        first = 2 * state
        one, other = old[np.uintp(first % states)], old[np.uintp((first + 1) % states)]
        left, right = weight[np.uintp(first)], weight[np.uintp(first + 1)]
        for start in range(states):
            value = left * one[start] + right * other[start]
            new[state, start] = value
            top = max(top, value)
    _scale(new, top)


@kernel(borrows=True)
def _scale(matrix, top):
    factor = 1.0 / top
    for state in range(len(matrix)):
        for start in range(len(matrix)):
            matrix[state, start] *= factor


@kernel(borrows=True, fastmath={"reassoc"})
def _shares(forward, weight, backward, labels, sums):
    """The sums over the windows of a step with either value of each wanted bit; returns the whole."""
    states = len(forward)
    sums[:] = 0.0
    whole = 0.0
    for window in range(2 * states):
        before, after = forward[np.uintp(window >> 1)], backward[np.uintp(window % states)]
        value = 0.0
        for start in range(states):
            value += before[start] * after[start]
        value *= weight[window]
        whole += value
        for row in range(len(labels)):
            sums[labels[row, window], row] += value
    return whole


@kernel
def posterior_logarithmic(llr, ones, labels, app):
    """As `posterior`, in the log domain: slow, without limits; infinite for a bit that is constant."""
    outputs, windows = ones.shape
    states, steps = windows // 2, llr.shape[1] // outputs
    cost = np.empty((steps, windows), np.float64)
    forward = np.empty((steps + 1, states), np.float64)
    backward = np.empty((steps + 1, states), np.float64)
    sums = np.empty((2, steps * len(labels)), np.float64)
    for frame in range(len(llr)):
        price(llr[frame], ones, cost)
        sums[:] = -np.inf
        for start in range(states):
            forward[0], backward[steps] = -np.inf, -np.inf
            forward[0, start] = backward[steps, start] = 0.0
            for step in range(steps):
                for state in range(states):
                    one = forward[step, state >> 1] - cost[step, state]
                    other = forward[step, (state >> 1) + states // 2] - cost[step, state + states]
                    forward[step + 1, state] = log_add(one, other)
            for step in range(steps - 1, -1, -1):
                for state in range(states):
                    one = backward[step + 1, 2 * state % states] - cost[step, 2 * state]
                    other = backward[step + 1, (2 * state + 1) % states] - cost[step, 2 * state + 1]
                    backward[step, state] = log_add(one, other)
                for window in range(windows):
                    value = (
                        forward[step, window >> 1] - cost[step, window] + backward[step + 1, window % states]
                    )
                    for row in range(len(labels)):
                        place, bit = step * len(labels) + row, labels[row, window]
                        sums[bit, place] = log_add(sums[bit, place], value)
        for place in range(sums.shape[1]):
            zero, one = sums[0, place], sums[1, place]
            if one == -np.inf:
                app[frame, place] = np.inf
            else:
                app[frame, place] = zero - one
