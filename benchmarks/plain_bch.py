"""The kernel of `berlekamp-massey` before packed syndromes: a plain twin, and peer of `bench_bch`.

It sums the powers of all ones of a word, takes every step of Massey's algorithm, and tries every column.

Algebraic decoding of binary cyclic codes from consecutive zeros (Berlekamp 1968; Massey 1969).

Errors in columns j have locators X = beta^j and syndromes S_l = sum of X^(first + l), a linear
recurrence whose shortest register is the product of (1 - X z). Its roots name the columns; that they are the
right ones is checked against all parity checks of the code, not only these zeros.
"""

import numpy as np

from fecnn.decoders.kernels.loops import any_set, copy
from fecnn.jit import kernel


@kernel
def correct(llr, powers, exp, log, step, columns, t, out, found):
    """Hard decisions corrected in up to t places where that gives a codeword.

    llr (B, n) f4; out (B, n) u1; found (B,) b1 out: whether it does. powers (n', l) i8: what an error in
    column j adds to each syndrome, with n' = n, or n - 1 if the last bit is an overall parity. exp, log: of
    the field; step: log of beta.
    columns (n, W) u8: packed columns of H.
    """
    frames, n = llr.shape
    core, length = powers.shape
    syndrome = np.empty(columns.shape[1], np.uint64)
    sums = np.empty(length, np.int64)
    work = np.empty((3, length + 2), np.int64)
    flips = np.empty(t + 1, np.int64)
    for frame in range(frames):
        syndrome[:] = np.uint64(0)
        sums[:] = 0
        for j in range(n):
            out[frame, j] = llr[frame, j] < 0
            if out[frame, j]:
                for word in range(len(syndrome)):
                    syndrome[word] ^= columns[j, word]
                if j < core:
                    for i in range(length):
                        sums[i] ^= powers[j, i]
        count = locate(sums, syndrome, exp, log, step, core, columns, t, work, flips)
        found[frame] = count >= 0
        for i in range(count):
            out[frame, flips[i]] ^= 1


@kernel
def locate(sums, syndrome, exp, log, step, core, columns, t, work, flips):
    """Fill in the columns of at most t errors with these syndromes; how many, or -1 if there are none such.

    ``sums`` are the syndromes of the zeros, ``syndrome`` those of the packed checks, which is spoilt.
    """
    if not any_set(syndrome):
        return 0
    degree = _shortest_register(sums, exp, log, work)
    if degree > t:
        return -1
    count = _roots(work[0], degree, exp, log, step, core, flips)
    if count < degree:
        return -1
    for i in range(count):
        for word in range(len(syndrome)):
            syndrome[word] ^= columns[flips[i], word]
    if any_set(syndrome) and core < len(columns) and count < t:
        flips[count] = core
        count += 1
        for word in range(len(syndrome)):
            syndrome[word] ^= columns[core, word]
    return -1 if any_set(syndrome) else count


@kernel
def _shortest_register(sums, exp, log, work):
    """Massey's algorithm: work[0] becomes the connection polynomial, lowest power first; its length."""
    order = len(log) - 1
    now, before, spare = work[0], work[1], work[2]
    now[:] = 0
    before[:] = 0
    now[0], before[0] = 1, 1
    length, gap, last = 0, 1, 1  # last: the discrepancy when the length last grew, gap steps ago
    for step in range(len(sums)):
        discrepancy = sums[step]
        for i in range(1, length + 1):
            if now[i] and sums[step - i]:
                discrepancy ^= exp[log[now[i]] + log[sums[step - i]]]
        if discrepancy == 0:
            gap += 1
            continue
        ratio = log[discrepancy] - log[last] + order
        if ratio >= order:
            ratio -= order
        grows = 2 * length <= step
        if grows:
            copy(now, spare)
        for i in range(len(now) - gap):
            if before[i]:
                now[i + gap] ^= exp[log[before[i]] + ratio]
        if grows:
            copy(spare, before)
            length, gap, last = step + 1 - length, 1, discrepancy
        else:
            gap += 1
    return length


@kernel
def _roots(polynomial, degree, exp, log, step, core, flips):
    """Columns j with a root at beta^-j, at most ``degree`` (Chien 1964); how many."""
    order = len(log) - 1
    count = 0
    for j in range(core):
        inverse = (order - j * step % order) % order
        value, power = 1, 0
        for i in range(1, degree + 1):
            power += inverse
            if power >= order:
                power -= order
            if polynomial[i]:
                value ^= exp[log[polynomial[i]] + power]
        if value == 0:
            if count == degree:
                return -1
            flips[count] = j
            count += 1
    return count
