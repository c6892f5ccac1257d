"""A-posteriori LLRs from the 2^(n - k) words of the dual code (Hartmann, Rudolph, IEEE Trans. IT 22, 1976).

With t_j = tanh(llr_j / 2) = p_j(0) - p_j(1) and h_j the column j of H, let

    F(u) = product of t_j over the j with u . h_j = 1,    S(v) = sum over u of (-1)^(u . v) F(u).

S(v) is 2^(n - k) times the probability of the words of syndrome v. Both are transforms of 2^(n - k) places:
F is found by a butterfly of products, S by a Walsh-Hadamard transform. If E_b is the sum over the codewords
with c_j = b, without the factor of bit j itself, S(0) + S(h_j) = E_0 + E_1, S(0) - S(h_j) = t_j (E_0 - E_1).
"""

import numpy as np

from fecnn.decoders.kernels.lanes import load, magnitude, rows, splat, store, total
from fecnn.decoders.kernels.polynomials import exp, log
from fecnn.decoders.kernels.transform import walsh_hadamard
from fecnn.jit import kernel

FAINT, BRIGHT = 1e-3, 0.5
"""Below |t_j| = FAINT the division costs digits. As E does not depend on t_j, t_j is BRIGHT for that bit."""


@kernel(error_model="numpy")
def posterior(llr, columns, checks, signs, margin, app, doubtful):
    """A-posteriori LLRs of code bits, frame by frame.

    llr (B, n) f4; columns (n,) i8, h_j >> 3; checks, the bits of h_j, at least 3; signs (n, 8) f8,
    (-1)^(h_j . lane), for the three low bits of u are the lanes; margin f8; app (B, n) f4 out; doubtful (B,)
    b1 out.

    With g = (E_0 - E_1) / (E_0 + E_1) the app is llr + ln((1 + g) / (1 - g)). S cancels: its values err by
    (2 n - k) 2^-52 times the sum of |F| at most, g by that times (1 + 1 / |t_j|) / (E_0 + E_1). The app is
    taken within that of |g| = 1, which caps |app - llr|. Without a margin a frame is doubtful where the error
    of g is more than 1e-6 in some app; with one, where it leaves the sign of some app open, or that is below
    the margin.
    """
    n, blocks = len(columns), 1 << (checks - 3)
    plus, minus = rows(blocks, np.float64), rows(blocks, np.float64)
    tanh, flipped = np.empty(n), np.empty(n)
    gain, doubt = np.empty(n), np.empty(n)
    soft, slack = np.empty(n), np.empty(n)
    for frame in range(len(llr)):
        _tanh(llr[frame], tanh)
        error = _syndromes(tanh, columns, signs, plus, minus)
        whole = total(load(plus, 0))
        for j in range(n):
            flipped[j] = total(load(signs, j) * load(plus, columns[j]))
        _gains(tanh, whole, flipped, error, gain, doubt)
        for j in range(n):
            if abs(tanh[j]) < FAINT:
                own, tanh[j] = tanh[j], BRIGHT
                error = _syndromes(tanh, columns, signs, plus, minus)
                whole, other = total(load(plus, 0)), total(load(signs, j) * load(plus, columns[j]))
                gain[j], doubt[j] = _gain(BRIGHT, whole, other), _doubt(BRIGHT, whole, other, error)
                tanh[j] = own
        _add_extrinsic(llr[frame], gain, doubt, soft)
        _slacks(gain, doubt, slack)
        doubtful[frame] = False
        for j in range(n):
            app[frame, j] = soft[j]
            if margin == 0.0:
                doubtful[frame] |= slack[j] > 1e-6
            elif abs(soft[j]) < margin + slack[j]:
                doubtful[frame] |= _sign_is_open(np.float64(llr[frame, j]), gain[j], doubt[j], margin)


@kernel(error_model="numpy")
def _tanh(llr, tanh):
    for j in range(len(llr)):
        value = np.float64(llr[j])
        e = exp(-abs(value))
        t = (1.0 - e) / (1.0 + e)
        tanh[j] = t if value >= 0.0 else -t


@kernel
def _syndromes(tanh, columns, signs, plus, minus):
    """S for v = (row, lane), not yet summed over the lanes, into plus (rows, 8). Returns an error bound."""
    plus[:] = 1.0
    minus[:] = 1.0
    for j in range(len(tanh)):
        block = columns[j]
        # The factor of u = (0, lane), 1 or t, and of u with an odd part in the block's bits, t or 1.
        mean, half = splat(0.5 + 0.5 * tanh[j]), splat(0.5 - 0.5 * tanh[j]) * load(signs, j)
        store(plus, block, load(plus, block) * (mean + half))
        store(minus, block, load(minus, block) * (mean - half))
    _products(plus, minus)
    error = _sum(plus) * (len(tanh) + np.log2(8 * len(plus))) * 2.0**-52
    walsh_hadamard(plus)
    return error


@kernel(error_model="numpy")
def _gains(tanh, whole, flipped, error, gain, doubt):
    """Every g and its error bound, from S(0) and the S(h_j); where t_j is faint they mean nothing."""
    for j in range(len(tanh)):
        gain[j] = _gain(tanh[j], whole, flipped[j])
    for j in range(len(tanh)):
        doubt[j] = _doubt(tanh[j], whole, flipped[j], error)


@kernel(inline="always", error_model="numpy")
def _gain(tanh, whole, flipped):
    both = whole + flipped
    return min(max((whole - flipped) / (tanh * both if both > 0.0 else 1.0), -1.0), 1.0)


@kernel(inline="always", error_model="numpy")
def _doubt(tanh, whole, flipped, error):
    """At most 2: no g is further from another."""
    return min(error * (1.0 + 1.0 / abs(tanh)) / max(whole + flipped - error, 0.5 * error + 1e-300), 2.0)


@kernel(error_model="numpy")
def _add_extrinsic(llr, gain, doubt, app):
    """Write llr + ln((1 + g) / (1 - g)), for |g| at most 1 less its error."""
    for j in range(len(gain)):
        cap = max(1.0 - doubt[j], 0.0)
        g = min(max(gain[j], -cap), cap)
        app[j] = np.float64(llr[j]) + log((1.0 + g) / (1.0 - g))


@kernel(error_model="numpy")
def _slacks(gain, doubt, slack):
    """How much the app may err: the error of g times the largest slope of ln((1 + g) / (1 - g)) within it."""
    for j in range(len(gain)):
        slack[j] = 2.0 * doubt[j] / max(1.0 - abs(gain[j]) - doubt[j], 1e-300)


@kernel(error_model="numpy")
def _sign_is_open(llr, gain, doubt, margin):
    """Whether the app may be on either side of 0, or within the margin, for some g within its error."""
    least, most = gain - doubt, gain + doubt
    surely_zero = least > -1.0 and llr + log((1.0 + least) / max(1.0 - least, 1e-300)) > margin
    surely_one = most < 1.0 and llr + log(max(1.0 + most, 1e-300) / (1.0 - most)) < -margin
    return not (surely_zero or surely_one)


@kernel
def _sum(values):
    """Sum of magnitudes of (rows, 8)."""
    lanes = magnitude(load(values, 0))
    for i in range(1, len(values)):
        lanes = lanes + magnitude(load(values, i))
    return total(lanes)


@kernel
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


@kernel(inline="always")
def _product(p0, p1, m0, m1):
    return p0 * p1, p0 * m1, m0 * m1, m0 * p1
