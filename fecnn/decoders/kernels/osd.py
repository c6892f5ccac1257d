"""Ordered-statistics decoding in the error domain.

Everything depends only on the reliabilities a = |llr| and the syndrome: look for the error pattern e with
H e = syndrome that minimises the sum of a_j e_j. Eliminating H's columns in increasing order of reliability
leaves n - k pivots (the least reliable basis); the other k positions are the most reliable basis of
Fossorier and Lin, and the column of each says which parity positions its flip would flip.
"""

import numba as nb
import numpy as np


@nb.njit(cache=True, nogil=True)
def osd(llr, columns, checks, order, out):
    """The best of all patterns with at most ``order`` flips in the most reliable basis.

    llr (B, n) f4; columns (n, W) u8, the packed columns of a full-rank H with ``checks`` rows;
    out (B, n) u1 code bits.
    """
    frames, n = llr.shape
    words = columns.shape[1]
    k = n - checks
    ordered = np.empty((n + 1, words), np.uint64)  # columns by reliability, then the syndrome
    parity = np.empty(checks, np.int64)  # place, in that order, of the pivot of each check
    basis = np.empty(k, np.int64)  # places of the most reliable basis, least reliable first
    price = np.empty(k, np.float64)
    sums = np.empty((-(-checks // 8), 256), np.float64)
    reliability = np.empty(n, np.float64)
    path = np.empty((order + 1, words), np.uint64)
    flips = np.empty(order, np.int64)
    for frame in range(frames):
        clean = _syndrome(llr[frame], columns, ordered[n], reliability, out[frame])
        if clean:
            continue  # the hard decision is a codeword: nothing is more likely
        by_reliability = np.argsort(reliability, kind="mergesort")  # stable: ties go by position
        for place in range(n):
            ordered[place] = columns[by_reliability[place]]
        _eliminate(ordered, checks, parity, basis)
        for i in range(k):
            price[i] = reliability[by_reliability[basis[i]]]
        _tabulate(reliability, by_reliability, parity, sums)
        path[0] = ordered[n]
        count = _search(ordered, basis, price, sums, path, flips)
        for i in range(count):
            path[0] ^= ordered[basis[flips[i]]]
            out[frame, by_reliability[basis[flips[i]]]] ^= 1
        for check in range(checks):
            if (path[0, check >> 6] >> np.uint64(check & 63)) & np.uint64(1):
                out[frame, by_reliability[parity[check]]] ^= 1


@nb.njit(cache=True, nogil=True)
def _syndrome(llr, columns, syndrome, reliability, hard):
    """Fill in reliabilities, hard decisions and their syndrome; True if it is zero."""
    syndrome[:] = np.uint64(0)
    for j in range(len(llr)):
        reliability[j] = abs(np.float64(llr[j]))
        hard[j] = llr[j] < 0
        if hard[j]:
            syndrome ^= columns[j]
    for word in syndrome:
        if word != 0:
            return False
    return True


@nb.njit(cache=True, nogil=True)
def _eliminate(ordered, checks, parity, basis):
    """Gauss-Jordan over columns from the least reliable on; each pivot becomes a unit column."""
    n, words = len(ordered) - 1, ordered.shape[1]
    unused = np.full(words, np.uint64(0xFFFFFFFFFFFFFFFF))
    rest = np.empty(words, np.uint64)
    pivots, others = 0, 0
    for place in range(n):
        word = 0
        while pivots < checks and word < words and (ordered[place, word] & unused[word]) == 0:
            word += 1
        if pivots == checks or word == words:
            basis[others] = place
            others += 1
            continue
        candidates = ordered[place, word] & unused[word]
        bit = candidates & (~candidates + np.uint64(1))
        unused[word] ^= bit
        check = 64 * word
        while (bit >> np.uint64(check & 63)) != 1:
            check += 1
        parity[check] = place
        pivots += 1
        rest[:] = ordered[place]
        rest[word] ^= bit
        for j in range(n + 1):
            if ordered[j, word] & bit:
                for w in range(words):
                    ordered[j, w] ^= rest[w]


@nb.njit(cache=True, nogil=True)
def _tabulate(reliability, by_reliability, parity, sums):
    """sums[b, v]: the total reliability of the parity positions that are ones of value v of byte b."""
    sums[:, 0] = 0.0
    for octet in range(len(sums)):
        for i in range(8):
            check = 8 * octet + i
            price = reliability[by_reliability[parity[check]]] if check < len(parity) else 0.0
            for value in range(1 << i):
                sums[octet, value + (1 << i)] = sums[octet, value] + price


@nb.njit(cache=True, nogil=True)
def _search(ordered, basis, price, sums, path, flips):
    """Depth-first over patterns; fills in the best one's ``flips`` and returns how many.

    path[0] is the parity pattern without flips. Prices ascend, so that the first flip which alone is as dear
    as the best pattern so far ends its level: that loses nothing.
    """
    order = len(path) - 1
    chosen = np.empty(order + 1, np.int64)
    spent = np.zeros(order + 1, np.float64)
    following = np.zeros(order + 1, np.int64)
    best, count = _parity_price(path[0], sums), 0
    depth = 0
    while depth >= 0:
        i = following[depth]
        if depth == order or i == len(price) or spent[depth] + price[i] >= best:
            depth -= 1
            continue
        following[depth] = i + 1
        chosen[depth] = i
        total = spent[depth] + price[i]
        column = ordered[basis[i]]
        for word in range(len(column)):
            path[depth + 1, word] = path[depth, word] ^ column[word]
        depth += 1
        spent[depth], following[depth] = total, i + 1
        total += _parity_price(path[depth], sums)
        if total < best:
            best, count = total, depth
            flips[:depth] = chosen[:depth]
    return count


@nb.njit(cache=True, nogil=True, inline="always")
def _parity_price(pattern, sums):
    total = 0.0
    for octet in range(len(sums)):
        total += sums[octet, np.int64((pattern[octet >> 3] >> np.uint64(8 * (octet & 7))) & np.uint64(255))]
    return total
