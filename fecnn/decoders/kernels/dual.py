"""A-posteriori LLRs from the 2^(n - k) words of the dual code (Hartmann, Rudolph, IEEE Trans. IT 22, 1976).

With t_j = tanh(llr_j / 2) = p_j(0) - p_j(1) and h_j the column j of H, let

    F(u) = product of t_j over the j with u . h_j = 1,    S(v) = sum over u of (-1)^(u . v) F(u).

S(v) is 2^(n - k) times the probability of the words of syndrome v. Both are transforms of 2^(n - k) places:
F is found by a butterfly of products, S by a Walsh-Hadamard transform. If E_b is the sum over the codewords
with c_j = b, without the factor of bit j itself, S(0) + S(h_j) = E_0 + E_1, S(0) - S(h_j) = t_j (E_0 - E_1).
"""

import numba as nb
import numpy as np

from fecnn.decoders.kernels.lanes import load, magnitude, rows, splat, store, total
from fecnn.decoders.kernels.polynomials import exp, log

FAINTEST = 5e-7
"""Least |tanh| that is divided by; |llr| below 1e-6 counts as that much for the other bits."""


@nb.njit(cache=True, nogil=True, error_model="numpy")
def posterior(llr, columns, checks, signs, margin, app, doubtful):
    """A-posteriori LLRs of code bits, frame by frame.

    llr (B, n) f4; columns (n,) i8, h_j >> 3; checks, the bits of h_j, at least 3; signs (n, 8) f8,
    (-1)^(h_j . lane), for the three low bits of u are the lanes; margin f8; app (B, n) f4 out; doubtful (B,)
    b1 out.

    S cancels: its values err by (n - k) 2^-51 times the sum of |F| at most, an E by that and by that over
    t_j. An E below its error is set to it, which caps the extrinsic |app - llr|. Without a margin a frame is
    doubtful where an E errs by more than 1e-6 of itself; with one, where the sign of some app is not sure or
    its magnitude is below the margin.
    """
    n, blocks = len(columns), 1 << (checks - 3)
    plus, minus = rows(blocks, np.float64), rows(blocks, np.float64)
    tanh, at_column = np.empty(n), np.empty(n)
    for frame in range(len(llr)):
        _tanh(llr[frame], tanh)
        plus[:] = 1.0
        minus[:] = 1.0
        for j in range(n):
            block = columns[j]
            # The factor of u = (0, lane), 1 or t, and of u with an odd part in the block's bits, t or 1.
            mean, half = splat(0.5 + 0.5 * tanh[j]), splat(0.5 - 0.5 * tanh[j]) * load(signs, j)
            store(plus, block, load(plus, block) * (mean + half))
            store(minus, block, load(minus, block) * (mean - half))
        _products(plus, minus)
        error = _sum(plus) * checks * 2.0**-51
        _walsh_hadamard(plus)
        whole = total(load(plus, 0))
        for j in range(n):
            at_column[j] = total(load(signs, j) * load(plus, columns[j]))
        doubtful[frame] = _conclude(llr[frame], tanh, whole, at_column, error, margin, app[frame])


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _tanh(llr, tanh):
    for j in range(len(llr)):
        value = np.float64(llr[j])
        e = exp(-abs(value))
        t = max((1.0 - e) / (1.0 + e), FAINTEST)
        tanh[j] = t if value >= 0.0 else -t


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _conclude(llr, tanh, whole, at_column, error, margin, app):
    """From S(0) and S(h_j): app (n,) f4 out, and whether some of it is doubtful."""
    doubtful = False
    for j in range(len(llr)):
        both, difference = whole + at_column[j], (whole - at_column[j]) / tanh[j]
        uncertain = error * (1.0 + 1.0 / abs(tanh[j])) + 1e-300
        zero, one = both + difference, both - difference
        share = uncertain / max(min(zero, one), uncertain)
        value = np.float64(llr[j]) + log(max(zero, uncertain) / max(one, uncertain))
        app[j] = value
        doubtful |= share > 1e-6 if margin == 0.0 else abs(value) < margin + 2.0 * share
    return doubtful


@nb.njit(cache=True, nogil=True)
def _sum(values):
    """Sum of magnitudes of (rows, 8)."""
    lanes = magnitude(load(values, 0))
    for i in range(1, len(values)):
        lanes = lanes + magnitude(load(values, i))
    return total(lanes)


@nb.njit(cache=True, nogil=True)
def _products(plus, minus):
    """The butterfly of products over the bits of the row, two bits a pass: plus, minus (rows, 8) in place."""
    size = len(plus)
    half = 1
    while 4 * half <= size:
        for start in range(0, size, 4 * half):
            for i in range(start, start + half):
                i1, i2, i3 = i + half, i + 2 * half, i + 3 * half
                p0, p1, m0, m1 = _product(load(plus, i), load(plus, i1), load(minus, i), load(minus, i1))
                p2, p3, m2, m3 = _product(load(plus, i2), load(plus, i3), load(minus, i2), load(minus, i3))
                p0, p2, m0, m2 = _product(p0, p2, m0, m2)
                p1, p3, m1, m3 = _product(p1, p3, m1, m3)
                store(plus, i, p0)
                store(plus, i1, p1)
                store(plus, i2, p2)
                store(plus, i3, p3)
                store(minus, i, m0)
                store(minus, i1, m1)
                store(minus, i2, m2)
                store(minus, i3, m3)
        half *= 4
    if half < size:
        for i in range(half):
            p0, p1, m0, m1 = _product(
                load(plus, i), load(plus, i + half), load(minus, i), load(minus, i + half)
            )
            store(plus, i, p0)
            store(plus, i + half, p1)


@nb.njit(cache=True, nogil=True, inline="always")
def _product(p0, p1, m0, m1):
    return p0 * p1, p0 * m1, m0 * m1, m0 * p1


@nb.njit(cache=True, nogil=True)
def _walsh_hadamard(values):
    """The Walsh-Hadamard transform over the bits of the row, two bits a pass: values (rows, 8) in place."""
    size = len(values)
    half = 1
    while 4 * half <= size:
        for start in range(0, size, 4 * half):
            for i in range(start, start + half):
                i1, i2, i3 = i + half, i + 2 * half, i + 3 * half
                a, b, c, d = load(values, i), load(values, i1), load(values, i2), load(values, i3)
                a, b, c, d = a + b, a - b, c + d, c - d
                store(values, i, a + c)
                store(values, i1, b + d)
                store(values, i2, a - c)
                store(values, i3, b - d)
        half *= 4
    if half < size:
        for i in range(half):
            a, b = load(values, i), load(values, i + half)
            store(values, i, a + b)
            store(values, i + half, a - b)
