"""Correlation with all 2^k codewords by one Walsh-Hadamard transform.

With G's column j read as the index g_j, the correlation of an LLR vector with the codeword of message u is
sum_j llr_j (-1)^(u . g_j): the transform, at u, of the vector that holds the sum of the llr_j with g_j = g at
place g. It costs k 2^k additions instead of n 2^k (Be'ery and Snyders, IEEE Trans. IT 32(3), 1986).
"""

import numpy as np

from fecnn.decoders.kernels.lanes import choose, less, load, rows, splat, store
from fecnn.decoders.kernels.polynomials import exp
from fecnn.decoders.kernels.transform import walsh_hadamard
from fecnn.jit import kernel

LANES = 8
"""Messages side by side: the three low bits of a message are its lane, over which there are no passes."""


@kernel
def _lane_signs(columns):
    """(-1)^(g_j . lane): (n, 8) f8."""
    signs = rows(len(columns), np.float64)
    for j in range(len(columns)):
        for lane in range(LANES):
            both = columns[j] & lane
            signs[j, lane] = 1.0 - 2.0 * ((both ^ (both >> 1) ^ (both >> 2)) & 1)
    return signs


@kernel
def _correlate(llr, columns, signs, work):
    """Correlations of one frame (n,) f4 with all codewords: work (2^k / 8 or 1, 8) f8 out."""
    work[:] = 0.0
    for j in range(len(columns)):
        row = columns[j] >> 3
        store(work, row, load(work, row) + splat(np.float64(llr[j])) * load(signs, j))
    walsh_hadamard(work)


@kernel
def most_likely(llr, columns, k, message):
    """Index of the most likely message; of equals the lowest.

    llr (B, n) f4; columns (n,) i8, the k bits of each column of G, first row most significant; message (B,)
    i8 out.
    """
    work, signs = rows(max(1, 1 << k >> 3), np.float64), _lane_signs(columns)
    best, place = rows(1, np.float64), rows(1, np.int64)
    for frame in range(len(llr)):
        _correlate(llr[frame], columns, signs, work)
        top, row = load(work, 0), splat(np.int64(0))
        for i in range(1, len(work)):
            value = load(work, i)
            better = less(top, value)
            top, row = choose(better, value, top), choose(better, splat(np.int64(i)), row)
        store(best, 0, top)
        store(place, 0, row)
        winner = 0
        for lane in range(1, LANES):
            ahead = best[0, lane] > best[0, winner]
            equal = best[0, lane] == best[0, winner]
            if ahead or (equal and place[0, lane] < place[0, winner]):
                winner = lane
        message[frame] = LANES * place[0, winner] + winner


@kernel
def posterior(llr, columns, k, targets, app):
    """A-posteriori LLRs of bits, each a linear function of the message.

    llr (B, n) f4; columns as in `most_likely`; targets (2^k, t) f8, the t wanted bits of each message as 0.0
    and 1.0; app (B, t) f8 out, infinite where a bit is constant.
    """
    vectors, signs = rows(max(1, 1 << k >> 3), np.float64), _lane_signs(columns)
    work = vectors.reshape(vectors.size)[: 1 << k]
    wanted = targets.shape[1]
    zeros, ones = np.empty(wanted, np.float64), np.empty(wanted, np.float64)
    for frame in range(len(llr)):
        _correlate(llr[frame], columns, signs, vectors)
        top = work[0]
        for i in range(1, len(work)):
            top = max(top, work[i])
        zeros[:] = 0.0
        ones[:] = 0.0
        for i in range(len(work)):
            weight = exp(0.5 * (work[i] - top))
            for j in range(wanted):
                share = weight * targets[i, j]  # all or nothing, without a branch
                ones[j] += share
                zeros[j] += weight - share
        for j in range(wanted):
            if min(zeros[j], ones[j]) > 1e-280:
                app[frame, j] = np.log(zeros[j] / ones[j])
            else:
                app[frame, j] = _far_posterior(work, targets[:, j])


@kernel
def _far_posterior(work, bits):
    """The same for one bit whose less likely value underflows: each value has its own reference."""
    tops = np.empty(2)
    tops[0] = tops[1] = -np.inf
    for i in range(len(work)):
        bit = np.int64(bits[i])
        tops[bit] = max(tops[bit], work[i])
    if tops[1] == -np.inf:
        return np.inf
    if tops[0] == -np.inf:
        return -np.inf
    sums = np.zeros(2)
    for i in range(len(work)):
        bit = np.int64(bits[i])
        sums[bit] += np.exp(0.5 * (work[i] - tops[bit]))
    return 0.5 * (tops[0] - tops[1]) + np.log(sums[0] / sums[1])
