"""Correlation with all 2^k codewords by one Walsh-Hadamard transform.

With G's column j read as the index g_j, the correlation of an LLR vector with the codeword of message u is
sum_j llr_j (-1)^(u . g_j): the transform, at u, of the vector that holds the sum of the llr_j with g_j = g at
place g. It costs k 2^k additions instead of n 2^k (Be'ery and Snyders, IEEE Trans. IT 32(3), 1986).
"""

import numba as nb
import numpy as np


@nb.njit(cache=True, nogil=True)
def _correlate(llr, first, columns, work):
    """Correlations of frames ``first``, ... (one a lane) with all codewords: work (2^k, lanes) f8."""
    size, lanes = work.shape
    work[:] = 0.0
    for lane in range(min(lanes, len(llr) - first)):
        for j in range(len(columns)):
            work[columns[j], lane] += np.float64(llr[first + lane, j])
    half = 1
    while half < size:
        for start in range(0, size, 2 * half):
            for i in range(start, start + half):
                for lane in range(lanes):
                    a, b = work[i, lane], work[i + half, lane]
                    work[i, lane] = a + b
                    work[i + half, lane] = a - b
        half *= 2


@nb.njit(cache=True, nogil=True)
def most_likely(llr, columns, k, lanes, message):
    """Index of the most likely message; of equals the lowest.

    llr (B, n) f4; columns (n,) i8, the k bits of each column of G, first row most significant;
    lanes, frames done side by side; message (B,) i8 out.
    """
    work = np.empty((1 << k, lanes), np.float64)
    best = np.empty(lanes, np.float64)
    argbest = np.empty(lanes, np.int64)
    for first in range(0, len(llr), lanes):
        _correlate(llr, first, columns, work)
        best[:] = work[0]
        argbest[:] = 0
        for i in range(1, len(work)):
            for lane in range(lanes):
                if work[i, lane] > best[lane]:
                    best[lane] = work[i, lane]
                    argbest[lane] = i
        for lane in range(min(lanes, len(llr) - first)):
            message[first + lane] = argbest[lane]


@nb.njit(cache=True, nogil=True)
def posterior(llr, columns, k, targets, app):
    """A-posteriori LLRs of bits, each a linear function of the message.

    llr (B, n) f4; columns as in `most_likely`; targets (2^k, t) f8, the t wanted bits of each message as 0.0
    and 1.0; app (B, t) f8 out, infinite where a bit is constant.
    """
    work = np.empty((1 << k, 1), np.float64)
    wanted = targets.shape[1]
    zeros, ones = np.empty(wanted, np.float64), np.empty(wanted, np.float64)
    for frame in range(len(llr)):
        _correlate(llr, frame, columns, work)
        top = work[:, 0].max()
        zeros[:] = 0.0
        ones[:] = 0.0
        for i in range(len(work)):
            weight = np.exp(0.5 * (work[i, 0] - top))
            for j in range(wanted):
                share = weight * targets[i, j]  # all or nothing, without a branch
                ones[j] += share
                zeros[j] += weight - share
        for j in range(wanted):
            if min(zeros[j], ones[j]) > 1e-280:
                app[frame, j] = np.log(zeros[j] / ones[j])
            else:
                app[frame, j] = _far_posterior(work, targets[:, j])


@nb.njit(cache=True, nogil=True)
def _far_posterior(work, bits):
    """The same for one bit whose less likely value underflows: each value has its own reference."""
    tops = np.full(2, -np.inf)
    for i in range(len(work)):
        bit = np.int64(bits[i])
        tops[bit] = max(tops[bit], work[i, 0])
    if tops[1] == -np.inf:
        return np.inf
    if tops[0] == -np.inf:
        return -np.inf
    sums = np.zeros(2)
    for i in range(len(work)):
        bit = np.int64(bits[i])
        sums[bit] += np.exp(0.5 * (work[i, 0] - tops[bit]))
    return 0.5 * (tops[0] - tops[1]) + np.log(sums[0] / sums[1])
