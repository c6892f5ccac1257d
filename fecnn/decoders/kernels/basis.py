"""One frame in the error domain: reliabilities in order, and H eliminated on the least reliable positions.

Every decision depends only on the reliabilities a = |llr| and the syndrome s of the hard decisions: look for
the error pattern e with H e = s of least price, the sum of a_j e_j. H is kept by columns. Going from the
least reliable position on, each column that is independent of those before becomes a unit column: these n -
k positions carry the parity checks (the least reliable basis). Of each other position, the most reliable
basis of Fossorier and Lin (1995), the column then *is* the set of parity positions that its flip flips, and
the syndrome's column is the whole pattern of order 0.
"""

from collections import namedtuple

import numpy as np

from fecnn.decoders.kernels import words
from fecnn.decoders.kernels.arena import empty, empty_each, zeros
from fecnn.jit import kernel

FAR = np.int32(0x7FFFFFFF)

Frame = namedtuple(
    "Frame", "spare keys rank order ordered place check basis reliability flip price parity sums"
)
"""Memory for one frame.

spare: (N,) f4; a padded row, N the next multiple of `words.ROW`.
keys, rank: (M,) i4, M the next multiple of 16: scratch of `sort`.
order: (n,) i4; positions by increasing reliability. All that follows counts places in this order.
ordered: The eliminated columns, and the pattern of order 0 at n.
place: (checks,) i8; the place that carries each check.
check: (checks,) i8; the checks by increasing reliability.
basis: (k,) i8; the places of the most reliable basis, increasing.
reliability: (n,) f4.
flip: The k columns of the basis: the checks that each flip of the basis changes.
price: (k,) f4; the reliability of each place of the basis.
parity: (8 t,) f4; the reliability of each check's place, then zeros.
sums: (256 t,) f4; byte tables of sums of ``parity``, t = 2, 3 or 4, or 8 for each word.

Kernels that take it whole borrow it: otherwise every use of an array in it would count a reference.
"""


@kernel(inline="always")
def new_frame(arena, columns, n, checks):
    """Memory for frames of a code with these columns."""
    padded = (n + 15) & ~15
    k = n - checks
    octets = max(2, (checks + 7) // 8) if checks <= 32 else 8 * ((checks + 63) // 64)
    return Frame(
        zeros(arena, (n + words.ROW - 1) // words.ROW * words.ROW, np.float32),
        empty(arena, padded, np.int32),
        empty(arena, padded, np.int32),
        empty(arena, n, np.int32),
        empty_each(arena, columns, (n + 8) & ~7),
        empty(arena, checks, np.int64),
        empty(arena, checks, np.int64),
        empty(arena, k, np.int64),
        empty(arena, n, np.float32),
        empty_each(arena, columns, k),
        empty(arena, k, np.float32),
        zeros(arena, 8 * octets, np.float32),
        empty(arena, 256 * octets, np.float32),
    )


@kernel(inline="always")
def reduce(row, syndrome, columns, frame):
    """Sort a padded row of LLRs and eliminate H on its least reliable positions."""
    n, checks = len(frame.order), len(frame.place)
    sort(row, n, frame.keys, frame.rank, frame.order)
    arrange(row, syndrome, columns, frame.order, frame.reliability, frame.ordered)
    eliminate(frame.ordered, n, checks, frame.place, frame.check, frame.basis)


@kernel(inline="always")
def tabulate(frame):
    """Fill in what a search of patterns looks up: ``flip``, ``price``, ``parity`` and ``sums``."""
    gather(frame.ordered, frame.place, frame.basis, frame.reliability, frame.flip, frame.price, frame.parity)
    sum_bytes(frame.parity, frame.sums)


@kernel(borrows=True)
def arrange(llr, syndrome, columns, order, reliability, ordered):
    """Columns and reliabilities in sorted order, and the syndrome behind them."""
    for j in range(len(order)):
        reliability[j] = abs(llr[order[j]])
        words.store(ordered, j, words.load(columns, order[j]))
    words.store(ordered, len(order), syndrome)


@kernel(borrows=True)
def gather(ordered, place, basis, reliability, flip, price, parity):
    """What a search of patterns needs, without gaps."""
    for i in range(len(basis)):
        words.store(flip, i, words.load(ordered, basis[i]))
        price[i] = reliability[basis[i]]
    for i in range(len(place)):
        parity[i] = reliability[place[i]]


@kernel(borrows=True)
def correct(start, order, ordered, place, basis, flips, count, hard):
    """Add the pattern of order 0 with these flips of the basis to the hard decisions (n,) u1."""
    pattern = start
    for i in range(count):
        j = basis[flips[i]]
        pattern = words.xor(pattern, words.load(ordered, j))
        hard[order[j]] ^= 1
    while not words.is_empty(pattern):
        hard[order[place[words.index(pattern)]]] ^= 1
        pattern = words.without_lowest(pattern)


STRIP = 64
"""Frames that are hardened at a time: in one pass, and still in cache when each is decoded."""


@kernel(borrows=True)
def harden(values, i, out):
    """Hard decisions of the strip that begins at frame i: values (B n,) f4, out (B, n) u1."""
    bits, first = out[i : i + STRIP].reshape(-1), i * out.shape[1]
    strip = values[first : first + len(bits)]
    for j in range(len(bits)):
        bits[j] = strip[j] < 0


@kernel(inline="always")
def padded_row(values, i, n, spare):
    """Row i of the rows of n LLRs in ``values``, read on to a whole number of vectors; copied at the end."""
    first = i * n
    row = values[first : first + len(spare)]
    if len(row) < len(spare):
        for j in range(n):
            spare[j] = values[first + j]
        row = spare
    return row


@kernel(borrows=True)
def sort(row, n, keys, rank, order):
    """Positions by increasing |llr|, of equals the first first: a padded row of llr, order (n,) i4 out.

    The rank of a position is the number of smaller reliabilities, counted all against all on their bit
    patterns: n^2 comparisons without a branch are several times faster than a sort up to n = 256.
    """
    bits = row.view(np.int32)
    padded = len(keys)
    for i in range(padded):
        keys[i] = bits[i] & FAR
    for i in range(n, padded):
        keys[i] = FAR
    for i in range(padded):
        rank[i] = 0
    for j in range(0, padded, 4):
        a, b, c, d = keys[j], keys[j + 1], keys[j + 2], keys[j + 3]
        for i in range(padded):
            key = keys[i]
            rank[i] += np.int32(a < key) + np.int32(b < key) + np.int32(c < key) + np.int32(d < key)
    total = np.int32(0)
    for i in range(padded):
        total += rank[i]
    if total != n * (n - 1) // 2 + (padded - n) * n:
        for i in range(n):
            equals = np.int32(0)
            for j in range(i):
                equals += np.int32(keys[j] == keys[i])
            rank[i] += equals
    for i in range(n):
        order[rank[i]] = i


@kernel(borrows=True)
def eliminate(columns, n, checks, place, check, basis):
    """Gauss-Jordan on ordered columns (n + 1 and padding, the syndrome at n); the pivots become unit columns.

    place (checks,) i8 out: the place in the order of each check's pivot; check (checks,) i8 out: the checks
    by increasing reliability of their pivots; basis (n - checks,) i8 out: the places of the other positions.
    """
    width = (n + 8) & ~7
    unused = words.everything(columns)
    pivots, others, j = 0, 0, 0
    while pivots < checks:
        column = words.load(columns, j)
        bit = words.lowest(words.both(column, unused))
        if words.is_empty(bit):
            basis[others] = j
            others += 1
        else:
            unused = words.xor(unused, bit)
            number = words.index(bit)
            place[number] = j
            check[pivots] = number
            pivots += 1
            words.clear(columns, bit, words.xor(column, bit), width)
        j += 1
    for rest in range(others, n - checks):
        basis[rest] = j
        j += 1


@kernel(borrows=True)
def sum_bytes(parity, sums):
    """Byte tables of sums of ``parity`` (8 t,) f4: sums (256 t,) f4 out.

    Sixteen sums of the low nibble, then each sum of the high nibble added to all of them as one vector.
    """
    for octet in range(len(sums) >> 8):
        row = sums[256 * octet : 256 * octet + 256]
        first = 8 * octet
        a, b, c, d = parity[first], parity[first + 1], parity[first + 2], parity[first + 3]
        ab, cd = a + b, c + d
        row[0], row[1], row[2], row[3] = np.float32(0), a, b, ab
        row[4], row[5], row[6], row[7] = c, a + c, b + c, ab + c
        row[8], row[9], row[10], row[11] = d, a + d, b + d, ab + d
        row[12], row[13], row[14], row[15] = cd, a + cd, b + cd, ab + cd
        e, f, g, h = parity[first + 4], parity[first + 5], parity[first + 6], parity[first + 7]
        gh = g + h
        for z in range(16):
            none = row[z]
            one, two = none + e, none + f
            three = one + f
            row[16 + z], row[32 + z], row[48 + z] = one, two, three
            row[64 + z], row[80 + z], row[96 + z], row[112 + z] = none + g, one + g, two + g, three + g
            row[128 + z], row[144 + z], row[160 + z], row[176 + z] = none + h, one + h, two + h, three + h
            row[192 + z], row[208 + z], row[224 + z], row[240 + z] = none + gh, one + gh, two + gh, three + gh


@kernel(borrows=True)
def exact_price(start, flips, count, flip, price, parity):
    """The pattern's price in float64, where sums of float32 reliabilities are exact in practice.

    Decoders that find the same optimum by different routes must break near ties alike.
    """
    total = 0.0
    pattern = start
    for i in range(count):
        total += np.float64(price[flips[i]])
        pattern = words.xor(pattern, words.load(flip, flips[i]))
    while not words.is_empty(pattern):
        total += np.float64(parity[words.index(pattern)])
        pattern = words.without_lowest(pattern)
    return total
