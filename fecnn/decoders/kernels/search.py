"""Exact maximum likelihood by search: cheap certificates first, then everything that could win.

1. The hard decisions are a codeword: nothing is more likely.
2. The pattern of order 0 meets the distance bound (`lists.price_start`).
3. A depth-first search by weight, pruned exactly, of a few hundred patterns (`lists.search`).
4. The same question with local constraints, first a few and then more (`constraints.search`), until nothing
   better can exist or the budget of nodes is spent.

With z >= 0, step 4 also skips improbable patterns, which makes it near maximum likelihood.
"""

import numpy as np

from fecnn.decoders.kernels import constraints, lists
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
    k = n - checks
    frame, scratch = lists.new_memory(columns, n, checks)
    few, many = min(8 if n <= 64 else 10, checks), min(10 if n <= 64 else 14, checks)
    _search(
        llr.reshape(-1), columns, distance, z, budgets, out, work, certain, frame, scratch,
        constraints.new_nodes(k), constraints.new_relaxed(k, few), constraints.new_relaxed(k, many),
    )  # fmt: skip


@kernel(borrows=True)
def _search(values, columns, distance, z, budgets, out, work, certain, frame, scratch, nodes, few, many):
    for i in range(len(out)):
        work[i], certain[i] = 0, True
        clean, start, best, bound = lists.begin(values, i, columns, distance, frame, out)
        if clean:
            continue
        count = np.int64(0)
        if best > bound:
            lists.prepare(start, distance, frame, scratch)
            best, count, tried, done = lists.search(
                start, best, count, 1, len(frame.basis), 0.0, budgets[0], frame, scratch
            )
            for turn in range(1, 3):
                if done:
                    break
                relaxed = few if turn == 1 else many
                best, count, visited, done = constraints.search(
                    start, best, count, z, budgets[turn], frame, scratch, nodes, relaxed
                )
                tried += visited
            work[i], certain[i] = tried, done
        lists.end(start, frame, scratch.flips, count, out[i])
