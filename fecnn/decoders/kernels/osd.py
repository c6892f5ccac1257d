"""Ordered-statistics decoding: the best pattern with at most ``order`` flips in the most reliable basis."""

import numpy as np

from fecnn.decoders.kernels import lists
from fecnn.jit import kernel


@kernel(borrows=True)
def osd(arena, llr, columns, checks, distance, order, z, out, tried):
    """Decode frames.

    Args:
        arena: Memory, see `fecnn.decoders.kernels.arena`.
        llr: (B, n) f4.
        columns: Columns of a full-rank H with ``checks`` rows, see `fecnn.decoders.kernels.words`.
        checks: n - k, at least 1.
        distance: At most the minimum distance; 1 is always right, more prunes more.
        order: Most flips.
        z: Negative for exact pruning only; else patterns whose checks would have to cost less than
            `lists.expected_price` are skipped.
        out: (B, n) u1 code bits out.
        tried: (B,) i8 out; test patterns tried besides that of order 0.
    """
    frame, scratch = lists.new_memory(arena, columns, llr.shape[1], checks)
    values = llr.reshape(-1)
    for i in range(len(out)):
        tried[i] = 0
        clean, start, best, bound = lists.begin(values, i, columns, distance, frame, out)
        if clean:
            continue
        count = np.int64(0)
        if best > bound:
            lists.prepare(start, distance, frame, scratch)
            if z >= 0.0:
                rest = lists.expected_price(checks, z, frame.check, frame.parity)
                for w in range(1, len(scratch.floors)):
                    scratch.floors[w] = max(scratch.floors[w], rest)
            best, count, tried[i], _ = lists.search(
                start, best, count, 1, order, -1.0, lists.ENDLESS, frame, scratch
            )
        lists.end(start, frame, scratch.flips, count, out[i])
