"""Serial list Viterbi on the trellis of the register of a convolutional encoder, until a word checks.

A state is the register, the latest bit in the lowest place. A path is priced by the reliability of the hard
decisions that it contradicts, in float64. Paths may start in any state, or in state 0 alone, and should end
where they started.

Forward, the least price of a path to each state of each step. Then from the end back: the cheapest path is
followed to its start, and on its way the other branch into each state goes on a heap, under the price of the
cheapest path through it (Seshadri and Sundberg 1994; Soong and Huang 1991). Paths so come off the heap in the
order of their prices, and those that do not end where they started are passed over.
"""

import numpy as np

from fecnn.decoders.kernels.heap import pop, push
from fecnn.decoders.kernels.polar import satisfied
from fecnn.decoders.kernels.tail_biting import price
from fecnn.jit import kernel


@kernel
def list_until_checked(llr, ones, anywhere, columns, most, out, tried, found):
    """The cheapest path that ends where it starts and whose word satisfies the checks.

    llr (B, n) f4; ones (outputs, 2 S) u1, the output bits for each window, as for `tail_biting`; anywhere,
    whether a path may start in any of the S states, or only in the first; columns (n, W) u8, packed columns
    of checks; most, paths that are tried. Out: (B, n) u1, of frames without such a path the cheapest that
    ends where it starts, or else the cheapest of all; tried (B,) i8; found (B,) b1.
    """
    outputs, windows = ones.shape
    states, steps = windows // 2, llr.shape[1] // outputs
    half = states // 2
    starts = states if anywhere else 1
    cost, least = np.empty((steps, windows), np.float64), np.empty((steps + 1, states), np.float64)
    size = steps * most + starts + 1
    heap, spent = np.empty((size, 2), np.float64), np.empty(size, np.float64)
    ways = np.empty((size, 4), np.int32)  # the path it leaves, the step below it, its state there and at last
    path, word = np.empty((most, steps), np.int32), np.empty(llr.shape[1], np.uint8)
    for frame in range(len(llr)):
        price(llr[frame], ones, cost)
        for state in range(states):
            least[0, state] = 0.0 if state < starts else np.inf
        for step in range(steps):
            for state in range(states):
                one = least[step, state >> 1] + cost[step, state]
                other = least[step, (state >> 1) + half] + cost[step, state + states]
                least[step + 1, state] = min(one, other)
        waiting, used = np.int64(0), np.int64(0)
        for state in range(starts):
            ways[used, 0], ways[used, 1], ways[used, 2], ways[used, 3] = -1, steps, state, state
            spent[used] = 0.0
            waiting = push(heap, waiting, least[steps, state], np.float64(used))
            used += 1
        count, closed = 0, False
        found[frame] = False
        while waiting > 0 and count < most and not found[frame]:
            way = np.int64(heap[0, 1])
            waiting = pop(heap, waiting)
            parent, last = ways[way, 0], ways[way, 3]
            begin, here = np.int64(ways[way, 1]), np.int64(ways[way, 2])
            total = spent[way]
            for later in range(begin, steps):
                path[count, later] = path[parent, later]
            if parent >= 0:
                path[count, begin] ^= states  # the other branch into the same state
            for step in range(begin - 1, -1, -1):
                one, other = here >> 1, (here >> 1) + half
                first = least[step, one] + cost[step, here]
                second = least[step, other] + cost[step, here + states]
                if max(first, second) < np.inf:
                    ways[used, 0], ways[used, 1], ways[used, 3] = count, step, last
                    ways[used, 2] = other if first <= second else one
                    spent[used] = total + cost[step, here + states if first <= second else here]
                    waiting = push(heap, waiting, total + max(first, second), np.float64(used))
                    used += 1
                window = here if first <= second else here + states
                path[count, step] = window
                total += cost[step, window]
                here = window >> 1
            count += 1
            if here == last or count == 1:
                _write(path[count - 1], ones, word)
                found[frame] = here == last and satisfied(word, columns)
                if found[frame] or count == 1 or not closed:
                    for j in range(len(word)):
                        out[frame, j] = word[j]
                closed |= here == last
        tried[frame] = count


@kernel(borrows=True)
def _write(path, ones, word):
    """The code bits of a path of windows."""
    outputs = len(ones)
    for step in range(len(path)):
        for output in range(outputs):
            word[step * outputs + output] = ones[output, path[step]]
