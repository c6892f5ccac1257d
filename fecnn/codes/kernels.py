"""Numba kernels for codes. They take arrays and do not validate: their callers do."""

import numpy as np

from fecnn.jit import kernel, popcount


@kernel
def apply_map(bits, table, out):
    """Apply a `gf2.LinearMap`: bits (B, r) u1; table (octets, 256, W) u8; out (B, columns) u1."""
    frames, r = bits.shape
    octets, _, words = table.shape
    columns = out.shape[1]
    total = np.empty(words, np.uint64)
    for frame in range(frames):
        total[:] = np.uint64(0)
        for octet in range(octets):
            value = np.int64(0)
            for i in range(8 * octet, min(8 * octet + 8, r)):
                value |= np.int64(bits[frame, i]) << (i - 8 * octet)
            for word in range(words):
                total[word] ^= table[octet, value, word]
        for column in range(columns):
            out[frame, column] = (total[column >> 6] >> np.uint64(column & 63)) & np.uint64(1)


@kernel
def count_weights(table, rows, counts):
    """Add to counts (n + 1,) the weights of all sums of packed rows with table entries, by a Gray code."""
    words = table.shape[1]
    base = np.zeros(words, np.uint64)
    for step in range(1 << len(rows)):
        if step > 0:
            flip = 0
            while (step >> flip) & 1 == 0:
                flip += 1
            base ^= rows[flip]
        for entry in range(len(table)):
            weight = 0
            for word in range(words):
                weight += popcount(base[word] ^ table[entry, word])
            counts[weight] += 1


@kernel
def list_sums(rows, weight, found):
    """Fill ``found`` with the nonzero words of at most ``weight`` in the span of packed rows (Gray code).

    Returns their number, which may exceed the size of ``found``.
    """
    word = np.zeros(rows.shape[1], np.uint64)
    size = 0
    for step in range(1, 1 << len(rows)):
        flip = 0
        while (step >> flip) & 1 == 0:
            flip += 1
        word ^= rows[flip]
        ones = 0
        for part in word:
            ones += popcount(part)
        if ones <= weight:
            if size < len(found):
                for part in range(len(word)):
                    found[size, part] = word[part]
            size += 1
    return size


@kernel
def lightest_sum(basis, most):
    """Least weight of a sum of 1 to ``most`` packed rows."""
    k, words = basis.shape
    sums = np.zeros((most + 1, words), np.uint64)
    following = np.zeros(most + 1, np.int64)
    lightest, depth = 64 * words, 0
    while depth >= 0:
        row = following[depth]
        if row == k or depth == most:
            depth -= 1
            continue
        following[depth] = row + 1
        ones = 0
        for part in range(words):
            sums[depth + 1, part] = sums[depth, part] ^ basis[row, part]
            ones += popcount(sums[depth + 1, part])
        lightest = min(lightest, ones)
        depth += 1
        following[depth] = row + 1
    return lightest


@kernel
def lightest_sums(basis, most, limit, found):
    """Fill ``found`` with the lightest sums of 1 to ``most`` packed rows, of weight at most ``limit``.

    Returns the weight up to which all are there (``limit``, or less if they do not fit), and their number.
    """
    k, words = basis.shape
    sums = np.zeros((most + 1, words), np.uint64)
    following = np.zeros(most + 1, np.int64)
    depth, size = 0, 0
    while depth >= 0:
        row = following[depth]
        if row == k:
            depth -= 1
            continue
        if depth == most - 1:  # nearly all sums are made here
            for last in range(row, k):
                ones = 0
                for part in range(words):
                    ones += popcount(sums[depth, part] ^ basis[last, part])
                if ones <= limit:
                    for part in range(words):
                        sums[most, part] = sums[depth, part] ^ basis[last, part]
                    limit, size = _keep_lightest(sums[most], ones, limit, found, size)
            depth -= 1
            continue
        following[depth] = row + 1
        ones = 0
        for part in range(words):
            sums[depth + 1, part] = sums[depth, part] ^ basis[row, part]
            ones += popcount(sums[depth + 1, part])
        depth += 1
        following[depth] = row + 1
        if ones <= limit:
            limit, size = _keep_lightest(sums[depth], ones, limit, found, size)
    return limit, size


@kernel
def _keep_lightest(word, ones, limit, found, size):
    """Store a word of at most the limit. Where there is no room, the limit falls, and heavier words go."""
    while size == len(found) and ones <= limit:
        kept = 0
        for at in range(size):
            weight = 0
            for part in range(len(word)):
                weight += popcount(found[at, part])
            if weight <= limit:
                for part in range(len(word)):
                    found[kept, part] = found[at, part]
                kept += 1
        if kept == size:
            limit -= 1
        size = kept
    if ones <= limit:
        for part in range(len(word)):
            found[size, part] = word[part]
        size += 1
    return limit, size


@kernel(borrows=True)
def systematic(rows, order):
    """Make packed rows (k, W) systematic in place, on the first information set of columns in this order."""
    k, words = rows.shape
    top = 0
    for column in order:
        word, bit = column >> 6, np.uint64(1) << np.uint64(column & 63)
        pivot = top
        while pivot < k and rows[pivot, word] & bit == np.uint64(0):
            pivot += 1
        if pivot == k:
            continue
        for part in range(words):
            rows[top, part], rows[pivot, part] = rows[pivot, part], rows[top, part]
        for row in range(k):
            if row != top and rows[row, word] & bit != np.uint64(0):
                for part in range(words):
                    rows[row, part] ^= rows[top, part]
        top += 1
        if top == k:
            break


@kernel
def short_sums(basis, limit, lightest, found):
    """Fill ``found`` with sums of one to three rows of weight at most ``limit``.

    Returns the limit and the number of sums. If ``lightest``, the limit drops to the least weight seen.
    """
    k, words = basis.shape
    pair, triple = np.empty(words, np.uint64), np.empty(words, np.uint64)
    size = 0
    for a in range(k):
        limit, size = _keep(basis[a], limit, lightest, found, size)
        for b in range(a):
            for part in range(words):
                pair[part] = basis[a, part] ^ basis[b, part]
            limit, size = _keep(pair, limit, lightest, found, size)
            for c in range(b):
                for part in range(words):
                    triple[part] = pair[part] ^ basis[c, part]
                limit, size = _keep(triple, limit, lightest, found, size)
    return limit, size


@kernel(inline="always")
def _keep(word, limit, lightest, found, size):
    ones = 0
    for part in word:
        ones += popcount(part)
    if ones <= limit:
        if lightest and ones < limit:
            limit, size = ones, 0
        if size < len(found):
            found[size] = word
            size += 1
    return limit, size


@kernel
def anneal(columns, order, steps, rng):
    """Simulated annealing: leave the best order found in ``order`` (n,) i8; columns (n,) u8 packed.

    A worse order is accepted with probability exp(-(growth of the log of the states) / temperature), where
    the temperature falls linearly from 0.3.
    """
    n = len(order)
    basis = np.empty(64, np.uint64)
    ranks = np.empty(n + 1, np.int64)
    now, tried = order.copy(), order.copy()
    cost = count_states(columns, now, basis, ranks)
    least = cost
    for step in range(steps):
        i, j = int(n * rng.random()), int(n * rng.random())
        tried[:] = now
        if rng.random() < 0.5:
            tried[i], tried[j] = now[j], now[i]
        else:
            away = 1 if i < j else -1
            for t in range(i, j, away):
                tried[t] = now[t + away]
            tried[j] = now[i]
        tried_cost = count_states(columns, tried, basis, ranks)
        temperature = 0.3 * (1.0 - step / steps) + 1e-6
        if tried_cost <= cost or rng.random() < np.exp(np.log(cost / tried_cost) / temperature):
            now, tried = tried, now
            cost = tried_cost
            if cost < least:
                least = cost
                order[:] = now


@kernel
def count_states(columns, order, basis, ranks):
    """Number of states over all depths for packed columns in this order, as a float."""
    n = len(order)
    rank = 0
    ranks[0] = 0
    for t in range(n):
        rank = _insert(columns[order[t]], basis, rank)
        ranks[t + 1] = rank
    full, rank, total = rank, 0, 0.0
    for t in range(n - 1, -1, -1):
        total += 2.0 ** (ranks[t + 1] + rank - full)
        rank = _insert(columns[order[t]], basis, rank)
    return total


@kernel
def _insert(column, basis, rank):
    """Rank after adding a column. No basis vector has a 1 at the lowest 1 of an earlier one."""
    for i in range(rank):
        if column & (basis[i] & (~basis[i] + np.uint64(1))):
            column ^= basis[i]
    if column:
        basis[rank] = column
        return rank + 1
    return rank
