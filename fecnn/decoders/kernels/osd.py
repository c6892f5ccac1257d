"""Ordered-statistics decoding: the best pattern with at most ``order`` flips in the most reliable basis."""

import numba as nb
import numpy as np

from fecnn.decoders.kernels import basis as mrb
from fecnn.decoders.kernels import lists, words


@nb.njit(cache=True, nogil=True)
def osd(llr, columns, checks, distance, order, prune, z, out, tried):
    """Decode frames.

    Args:
        llr: (B, n) f4.
        columns: Columns of a full-rank H with ``checks`` rows, see `fecnn.decoders.kernels.words`.
        checks: n - k, at least 1.
        distance: At most the minimum distance; 1 is always right, more prunes more.
        order: Most flips.
        prune: False to try the whole list.
        z: Negative for no more than exact pruning; else patterns whose checks would have to cost less than
            `lists.expected_price` are skipped.
        out: (B, n) u1 code bits out.
        tried: (B,) i8 out; test patterns tried besides that of order 0.
    """
    n = llr.shape[1]
    spare, keys, rank, sequence, ordered, place, check, basis, reliability, flip, price, parity, sums = (
        mrb.new_frame(columns, n, checks)
    )
    k = n - checks
    floors, prefix = np.zeros(k + 1), np.zeros(k + 1)
    chosen, flips = np.zeros(k + 2, np.int64), np.zeros(k + 2, np.int64)
    spent, patterns = np.zeros(k + 2, np.float32), words.new_sets(columns, k + 2)
    values, width = llr.reshape(-1), len(spare)
    mrb.harden(llr, out)
    for frame in range(len(llr)):
        tried[frame] = 0
        row = mrb.padded_row(values, frame * n, n, width, spare)
        syndrome = words.syndrome_of(columns, row)
        if words.is_empty(syndrome):
            continue  # the hard decisions are a codeword: nothing is more likely
        mrb.sort(row, n, keys, rank, sequence)
        mrb.arrange(row, syndrome, columns, sequence, reliability, ordered)
        mrb.eliminate(ordered, n, checks, place, check, basis)
        start = words.load(ordered, n)
        best, bound = lists.price_start(start, distance, place, reliability)
        count = 0
        if not prune or best > bound:
            mrb.gather(ordered, place, basis, reliability, flip, price, parity)
            mrb.tabulate(parity, sums)
            lists.bound_weights(start, distance, check, price, parity, floors, prefix)
            if z >= 0.0:
                rest = lists.expected_price(checks, z, check, parity)
                for w in range(1, k + 1):
                    floors[w] = max(floors[w], rest)
            best, count, tried[frame], _ = lists.search(
                start, best, order, prune, 1 << 62, flip, price, parity, sums, floors, prefix, chosen, spent, patterns,
                flips,
            )  # fmt: skip
        mrb.correct(sequence, ordered, place, basis, flips, count, out[frame])
