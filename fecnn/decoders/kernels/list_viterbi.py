"""The L most likely codewords of a frame, exactly: list Viterbi on the minimal trellis of a code.

Forward over the trellis, the least price of a path from the root to each state; then from the end back, best
first. A path is followed to the root by the cheaper branch; the other branch of each state on its way goes on
a heap, under the price of its best path (Soong and Huang, ICASSP 1991; serially, Seshadri and Sundberg, IEEE
Trans. Comm. 42(2/3/4), 1994). The next word is the cheapest on the heap, so that words come in order. Prices
are sums of the reliabilities that a word contradicts, in float64, with nothing to cancel.
"""

import numpy as np

from fecnn.decoders.kernels.heap import pop, push
from fecnn.jit import kernel


@kernel
def list_viterbi(llr, trellis, out, held):
    """The best L words of frames.

    llr (B, n) f4; trellis, a `fecnn.decoders.kernels.trellis.Trellis`. Out: the words (B, L, n) u1, best
    first, zeros where a code has fewer; held (B, L) b1, whether there is one.
    """
    order, first, previous = trellis.order, trellis.first, trellis.previous
    n, most = len(order), out.shape[1]
    least = np.empty(len(previous), np.float64)
    price = np.empty((n, 2), np.float64)  # of each section's bit
    heap, spent = np.empty((n * most + 1, 2), np.float64), np.empty(n * most + 1, np.float64)
    ways = np.empty((n * most + 1, 3), np.int64)  # the word it leaves, its depth then, and its state
    for frame in range(len(llr)):
        for t in range(n):
            value = np.float64(llr[frame, order[t]])
            price[t, 0], price[t, 1] = max(-value, 0.0), max(value, 0.0)
        _forward(price, first, previous, least)
        for place in range(most):
            held[frame, place] = False
            for j in range(n):
                out[frame, place, j] = 0
        ways[0, 0], ways[0, 1], ways[0, 2] = -1, n, 0
        heap[0, 0], heap[0, 1], spent[0] = least[first[n]], 0.0, 0.0
        waiting, used, found = np.int64(1), 1, 0
        while waiting > 0 and found < most:
            way = np.int64(heap[0, 1])
            waiting = pop(heap, waiting)
            parent, t, state, cost = ways[way, 0], ways[way, 1], ways[way, 2], spent[way]
            word = out[frame, found]
            if parent >= 0:
                for section in range(t, n):
                    word[order[section]] = out[frame, parent, order[section]]
                word[order[t]] ^= 1
            while t > 0:
                t -= 1
                row, below, states = first[t + 1] + state, first[t], first[t + 1] - first[t]
                zero, one = _by_bit(previous, row, below, states, least, price[t])
                bit = np.int64(cost + one < cost + zero)
                if max(zero, one) < np.inf:
                    ways[used, 0], ways[used, 1] = found, t
                    ways[used, 2] = previous[row, 1 - bit]
                    spent[used] = cost + price[t, 1 - bit]
                    waiting = push(heap, waiting, cost + max(zero, one), np.float64(used))
                    used += 1
                word[order[t]] = bit
                cost += price[t, bit]
                state = np.int64(previous[row, bit])
            held[frame, found] = True
            found += 1


@kernel
def _forward(price, first, previous, least):
    """The least price of a path to each state: least (states,) f8 out."""
    least[0] = 0.0
    for t in range(len(price)):
        below, states = first[t], first[t + 1] - first[t]
        for row in range(first[t + 1], first[t + 2]):
            zero, one = _by_bit(previous, row, below, states, least, price[t])
            least[row] = min(zero, one)


@kernel(inline="always")
def _by_bit(previous, row, below, states, least, price):
    """The least price of a path to a state that ends with bit 0, and with bit 1; infinite if none does."""
    p0, p1 = previous[row, 0], previous[row, 1]
    zero = least[below + p0] + price[0] if p0 < states else np.inf
    one = least[below + p1] + price[1] if p1 < states else np.inf
    return zero, one
