"""Exact Viterbi decoding of tail-biting convolutional codes on their own trellis.

A state is the register, the latest bit in the lowest place; 2^memory states, k steps. A path is priced by the
reliability of the hard decisions that it contradicts. Wanted is the best one that ends where it starts.

A first pass lets paths start anywhere, so its metric of a final state is a bound on those that start there
too. States are then tried in the order of their bounds until none can be better (Shankar, Kumar, Sasidharan
and Rajan, ISIT 2001). If the best path into a state started there, it is the best of all that are left; else
a pass that starts in this state alone finds its best path.
"""

import numpy as np

from fecnn.jit import kernel


@kernel
def tail_biting(llr, ones, out, passes):
    """The most likely codeword of each frame, in float64.

    llr (B, n) f4; ones (outputs, 2 S) u1, the output bits for each window, the register of S states with the
    present bit in the lowest place; out (B, n) u1; passes (B,) i8, over all states.
    """
    outputs, windows = ones.shape
    states, steps = windows // 2, llr.shape[1] // outputs
    cost = np.empty((steps, windows), np.float64)
    metric = np.empty((2, states), np.float64)
    came, fixed = np.empty((steps, states), np.uint8), np.empty((steps, states), np.uint8)
    bound = np.empty(states, np.float64)
    for frame in range(len(llr)):
        price(llr[frame], ones, cost)
        metric[0] = 0.0
        last = _pass(cost, metric, came)
        bound[:] = metric[last]
        passes[frame] = 1
        least = np.inf
        while True:
            state = bound.argmin()
            if bound[state] >= least:
                break
            if _start(came, state) == state:
                least = bound[state]
                _trace(came, state, ones, out[frame])
                break  # the bounds of all others are as high
            metric[0] = np.inf
            metric[0, state] = 0.0
            last = _pass(cost, metric, fixed)
            passes[frame] += 1
            if metric[last, state] < least:
                least = metric[last, state]
                _trace(fixed, state, ones, out[frame])
            bound[state] = np.inf


@kernel(borrows=True)
def price(row, ones, cost):
    """What each window costs in each step."""
    outputs, windows = ones.shape
    cost[:] = 0.0
    for step in range(len(cost)):
        for output in range(outputs):
            value = np.float64(row[step * outputs + output])
            price = abs(value)
            hard = np.uint8(value < 0)
            for window in range(windows):
                cost[step, window] += price if ones[output, window] != hard else 0.0


@kernel(borrows=True)
def _pass(cost, metric, came):
    """All steps from metric[0]: of the two states before each, the better; where the last metrics are."""
    steps, states = came.shape
    half = states // 2
    now = 0
    for step in range(steps):
        old, new = metric[now], metric[1 - now]
        for state in range(states):
            one = old[np.uintp(state >> 1)] + cost[step, np.uintp(state)]
            other = old[np.uintp((state >> 1) + half)] + cost[step, np.uintp(state + states)]
            came[step, state] = other < one
            new[state] = other if other < one else one
        now = 1 - now
    return now


@kernel(borrows=True)
def _start(came, state):
    """Where the best path into a final state starts."""
    steps, states = came.shape
    for step in range(steps - 1, -1, -1):
        state = (state >> 1) + (states // 2) * came[step, state]
    return state


@kernel(borrows=True)
def _trace(came, state, ones, word):
    """The code bits of the best path into a final state."""
    steps, states = came.shape
    outputs = len(ones)
    for step in range(steps - 1, -1, -1):
        window = state + states * came[step, state]
        for output in range(outputs):
            word[step * outputs + output] = ones[output, window]
        state = window >> 1
