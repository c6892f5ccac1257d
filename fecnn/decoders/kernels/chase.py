"""Chase decoding in the error domain: it sees reliabilities and the syndrome, never the word itself."""

import numpy as np

from fecnn.decoders.kernels.berlekamp_massey import locate
from fecnn.decoders.kernels.loops import any_set, copy
from fecnn.jit import kernel

LEAST = 1e-37  # of an LLR that still has the sign of the codeword found


@kernel
def chase2(llr, positions, table, algebra, t, beta, out, app, tried, found):
    """Correct the hard decision with every pattern of flips of the ``positions`` least reliable bits.

    The best codeword wins. The inner decoder is a table of coset leaders of a one-word syndrome
    (`coset.grow`), or, if the table is empty, that of `berlekamp_massey` with its algebra; both know the
    columns by algebra.columns, (n, W) u8.

    llr (B, n) f4. Out: (B, n) u1; app (B, n) f4, or (0, n) if it is not wanted; tried
    (B,) i8 patterns; found (B,) b1, whether any gave a codeword (else the hard decision is the answer).
    """
    frames, n = llr.shape
    columns = algebra.columns
    syndrome = np.empty(columns.shape[1], np.uint64)
    spoilt = np.empty(columns.shape[1], np.uint64)
    work, flips = np.empty((6, algebra.room), np.uint16), np.empty(t + 2, np.int64)
    reliability = np.empty(n, np.float64)
    least_reliable = np.empty(positions, np.int64)
    error = np.zeros(n, np.uint8)  # the pattern, and for a moment the correction with it
    best = np.empty(n, np.uint8)
    cheapest = np.empty((n, 2), np.float64)  # codeword found that errs in bit j, or does not
    soft = len(app) > 0
    for frame in range(frames):
        for j in range(n):
            out[frame, j] = llr[frame, j] < 0
        _syndrome(out[frame], columns, syndrome)
        clean = not any_set(syndrome)
        if clean and not soft:
            tried[frame], found[frame] = 1, True
            continue  # nothing is more likely than a hard decision that is a codeword
        for j in range(n):
            reliability[j] = abs(np.float64(llr[frame, j]))
            error[j] = 0
            if soft:
                cheapest[j, 0] = cheapest[j, 1] = np.inf
        _least(reliability, least_reliable)
        price = np.inf
        for pattern in range(1 << positions):
            if pattern > 0:
                place = 0
                while (pattern >> place) & 1 == 0:
                    place += 1
                error[least_reliable[place]] ^= 1
                _flip(least_reliable[place], columns, syndrome)
            copy(syndrome, spoilt)
            if len(table) > 0:
                count = _leader(spoilt[0], table, columns, flips)
            else:
                count = locate(spoilt, algebra, t, work, flips)
            if count < 0:
                continue
            total = _price(error, least_reliable, flips, count, reliability)
            if total < price or soft:
                for i in range(count):
                    error[flips[i]] ^= 1
                if total < price:
                    price = total
                    copy(error, best)
                if soft:
                    for j in range(n):
                        cheapest[j, error[j]] = min(cheapest[j, error[j]], total)
                for i in range(count):
                    error[flips[i]] ^= 1
        tried[frame], found[frame] = 1 << positions, price < np.inf
        if soft:
            _soften(llr[frame], reliability, best, cheapest, price, beta, app[frame])
        if price < np.inf:
            for j in range(n):
                out[frame, j] ^= best[j]


@kernel
def _syndrome(hard, columns, syndrome):
    """The sum of the columns where hard decisions (n,) u1 are 1, without a branch."""
    for word in range(len(syndrome)):
        total = np.uint64(0)
        for j in range(len(hard)):
            total ^= columns[j, word] & (np.uint64(0) - np.uint64(hard[j]))
        syndrome[word] = total


@kernel
def _least(values, places):
    """Places of the least values in ascending order, of equals the first first: places (P,) i8 out."""
    held = 0
    for j in range(len(values)):
        if held < len(places):
            held += 1
        elif held == 0 or values[j] >= values[places[held - 1]]:
            continue
        i = held - 1
        while i > 0 and values[j] < values[places[i - 1]]:
            places[i] = places[i - 1]
            i -= 1
        places[i] = j


@kernel
def _flip(j, columns, syndrome):
    for word in range(len(syndrome)):
        syndrome[word] ^= columns[j, word]


@kernel
def _leader(syndrome, table, columns, flips):
    """Fill in the positions of a coset leader; how many, or -1 if the table has none for this syndrome."""
    if table[np.int64(syndrome)] < 0:
        return -1
    count = 0
    while syndrome != 0:
        flips[count] = table[np.int64(syndrome)]
        syndrome ^= columns[flips[count], 0]
        count += 1
    return count


@kernel
def _price(error, least_reliable, flips, count, reliability):
    """Total reliability of the bits that the pattern and its correction flip together."""
    total = 0.0
    for i in range(len(least_reliable)):
        j = least_reliable[i]
        if error[j]:
            total += reliability[j]
    for i in range(count):
        j = flips[i]
        total += -reliability[j] if error[j] else reliability[j]
    return total


@kernel
def _soften(llr, reliability, best, cheapest, price, beta, app):
    """Max-log LLRs over the codewords found, with the signs of the best.

    Where all agree: beta mean reliabilities, and the bit's own if it agrees too.
    """
    if price == np.inf:
        copy(llr, app)
        return
    total = 0.0
    for j in range(len(llr)):
        total += reliability[j]
    lean = beta * (total / len(llr))
    for j in range(len(llr)):
        hard = -1.0 if llr[j] < 0 else 1.0  # positive values below: the hard decision is right
        rival = cheapest[j, 1 - best[j]]
        if rival < np.inf:
            value = rival - price
        else:  # the bit's own LLR counts only where it agrees with the codeword found
            value = lean if best[j] else reliability[j] + lean
        value = max(value, LEAST)
        app[j] = -hard * value if best[j] else hard * value
