"""Coset leaders of a code as a table over syndromes, grown one flip at a time.

A syndrome's entry says which position to flip next on the way to a leader of its coset: the table is a
breadth-first tree over the 2^(n-k) syndromes, rooted at zero, whose depth is the leader's weight.
"""

import numpy as np

from fecnn.jit import kernel


@kernel
def grow(columns, radius, flip):
    """Fill flip (2^(n-k),) i2, n at zero, -1 where none, from columns (n,) u8 up to weight ``radius``."""
    n = len(columns)
    flip[:] = -1
    flip[0] = n
    queue = np.empty(len(flip), np.int64)
    queue[0] = 0
    begin, end = 0, 1
    for _ in range(radius):
        level = end
        for place in range(begin, level):
            for j in range(n):
                syndrome = queue[place] ^ np.int64(columns[j])
                if flip[syndrome] < 0:
                    flip[syndrome] = j
                    queue[end] = syndrome
                    end += 1
        if end == level:
            break
        begin = level


@kernel
def correct(llr, columns, flip, out, found):
    """Hard decisions of llr (B, n), f4 or i1, plus the leader of their coset if there is one: out (B, n) u1.

    found (B,) b1 out: whether there is one, so that the output is a codeword.
    """
    frames, n = llr.shape
    for frame in range(frames):
        syndrome = np.int64(0)
        for j in range(n):
            out[frame, j] = llr[frame, j] < 0
            if out[frame, j]:
                syndrome ^= np.int64(columns[j])
        found[frame] = flip[syndrome] >= 0
        if not found[frame]:
            continue
        while syndrome != 0:
            j = flip[syndrome]
            out[frame, j] ^= 1
            syndrome ^= np.int64(columns[j])
