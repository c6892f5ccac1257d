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


@kernel(borrows=True)
def search(arena, llr, columns, checks, distance, z, budgets, out, work, certain):
    """Decode frames.

    Args:
        arena: Memory, see `fecnn.decoders.kernels.arena`.
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
    values, n = llr.reshape(-1), llr.shape[1]
    k, short = n - checks, n <= 64
    frame, scratch = lists.new_memory(arena, columns, n, checks)
    nodes = constraints.new_nodes(arena, k)
    few = constraints.new_relaxed(arena, k, min(8 if short else 10, checks))
    many = constraints.new_relaxed(arena, k, min(10 if short else 14, checks))
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
