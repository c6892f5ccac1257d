"""Exact maximum likelihood by search: cheap certificates first, then everything that could win.

1. The hard decisions are a codeword: nothing is more likely.
2. The pattern of order 0 meets the distance bound (`lists.price_start`).
3. A depth-first search by weight, pruned exactly, of a few hundred patterns (`lists.search`).
4. The same question with local constraints, first a few and then more (`constraints.search`), until nothing
   better can exist or the budget of nodes is spent.

With z >= 0 step 4 also skips what is improbable: near maximum likelihood.
"""

import numpy as np

from fecnn.decoders.kernels import basis as mrb
from fecnn.decoders.kernels import constraints, lists, words
from fecnn.jit import kernel


@kernel
def search(llr, columns, checks, distance, z, budgets, out, work, certain):
    """Decode frames.

    Args:
        llr: (B, n) f4.
        columns: Columns of a full-rank H with ``checks`` rows, see `fecnn.decoders.kernels.words`.
        checks: n - k, at least 1.
        distance: At most the minimum distance; 1 is always right, more proves sooner.
        z: Negative for exact maximum likelihood; else see `lists.expected_price`.
        budgets: (3,) i8; patterns of step 3, nodes of the first round of step 4 and of the second.
        out: (B, n) u1 code bits out.
        work: (B,) i8 out; patterns and nodes tried.
        certain: (B,) bool out; False where the budget ended the search.
    """
    n = llr.shape[1]
    spare, keys, rank, sequence, ordered, place, check, basis, reliability, flip, price, parity, sums = (
        mrb.new_frame(columns, n, checks)
    )
    k = n - checks
    floors, prefix = np.zeros(k + 1), np.zeros(k + 1)
    flips, chosen = np.zeros(k + 2, np.int64), np.zeros(k + 2, np.int64)
    spent, patterns = np.zeros(k + 2, np.float32), words.new_sets(columns, k + 2)
    levels, children = np.zeros((5, k + 2), np.int64), np.zeros((k + 2, k + 2), np.int32)
    steps, units = np.zeros(k, np.int64), np.zeros(k, np.uint16)
    few, many = min(8 if n <= 64 else 10, checks), min(10 if n <= 64 else 14, checks)
    V_few = np.empty((k + 1, constraints.states_of(few)), np.uint16)
    V_many = np.empty((k + 1, constraints.states_of(many)), np.uint16)
    values, width = llr.reshape(-1), len(spare)
    for frame in range(len(llr)):
        if frame % mrb.STRIP == 0:
            mrb.harden(llr, frame, out)
        work[frame], certain[frame] = 0, True
        row = mrb.padded_row(values, frame * n, n, width, spare)
        syndrome = words.syndrome_of(columns, row)
        if words.is_empty(syndrome):
            continue
        mrb.sort(row, n, keys, rank, sequence)
        mrb.arrange(row, syndrome, columns, sequence, reliability, ordered)
        mrb.eliminate(ordered, n, checks, place, check, basis)
        start = words.load(ordered, n)
        best, bound = lists.price_start(start, distance, place, reliability)
        count = np.int64(0)
        if best > bound:
            mrb.gather(ordered, place, basis, reliability, flip, price, parity)
            mrb.tabulate(parity, sums)
            lists.bound_weights(start, distance, check, price, parity, floors, prefix)
            best, count, tried, done = lists.search(
                start, best, count, 1, k, True, 0.0, budgets[0], flip, price, parity, sums, floors, prefix,
                chosen, spent, patterns, flips,
            )  # fmt: skip
            for turn in range(1, 3):
                if done:
                    break
                delta, V = (few, V_few) if turn == 1 else (many, V_many)
                best, count, nodes, done = constraints.search(
                    start, best, count, delta, z, budgets[turn], check, flip, price, parity, sums, flips,
                    spent, patterns, levels, children, steps, units, V,
                )  # fmt: skip
                tried += nodes
            work[frame], certain[frame] = tried, done
        mrb.correct(sequence, ordered, place, basis, flips, count, out[frame])
