"""Builders of classic codes. Each returns a `Code`, named as in the catalogue."""

import dataclasses
import hashlib
import math
import operator
from collections.abc import Sequence

import numpy as np

from fecnn.arrays import Bits
from fecnn.codes import gf2
from fecnn.codes.code import MAX_LENGTH, Code
from fecnn.codes.operations import counted
from fecnn.errors import truth, whole


def hamming(r: int, *, extended: bool = False) -> Code:
    """The Hamming code (2^r - 1, 2^r - 1 - r), systematic (Hamming 1950).

    Args:
        r: Number of parity checks, 2 to 14. The columns of H are all nonzero r-bit words, unit words last.
        extended: Append an overall parity bit: (2^r, 2^r - 1 - r) of minimum distance 4.

    Raises:
        ValueError: If r is out of range.

    Example:
        >>> hamming(3)
        Code(hamming-7-4: n=7, k=4)
        >>> hamming(3, extended=True).minimum_distance
        4
    """
    r = whole_number("r", r, 2, 13 if extended else 14)
    values = [value for value in range(1, 2**r) if value.bit_count() > 1]
    parity = ((np.array(values)[:, None] >> np.arange(r)) & 1).astype(np.uint8)
    n, k = 2**r - 1, len(values)
    code = Code(*systematic_form(parity), name=f"hamming-{n}-{k}", minimum_distance=3)
    return code.extend(name=f"ext-hamming-{n + 1}-{k}") if extended else code


def bch(
    n: int,
    k: int | None = None,
    *,
    d: int | None = None,
    polynomial: int | None = None,
    extended: bool = False,
) -> Code:
    """The narrow-sense BCH code (n, k), primitive or shortened, systematic (Bose & Ray-Chaudhuri 1960).

    Built by galois, which takes seconds; the usual codes are in the catalogue. The minimum distance is set
    only where counting all weights is quick; elsewhere the designed distance is just a lower bound.

    Args:
        n: Length before extension. Unless it is 2^m - 1, the code of the next such length is shortened in its
            first message bits.
        k: Dimension; only certain values exist for each n.
        d: Designed distance, instead of k: the largest code of at least this.
        polynomial: The primitive polynomial of degree m of the field, as bits with the leading one, such as
            0b1000011 for x^6 + x + 1. By default galois's ``matlab_primitive_poly`` (x^7 + x^3 + 1 for
            n = 127).
        extended: Append an overall parity bit: (n + 1, k).

    Raises:
        ValueError: If there is no such code (the message names the closest possible k), neither or both of k
            and d are given, or the polynomial is not primitive of degree m.

    Example:
        >>> bch(15, 7).minimum_distance
        5
        >>> bch(63, d=7), bch(40, 28)
        (Code(bch-63-45: n=63, k=45), Code(bch-40-28: n=40, k=28))
    """
    n = whole_number("n", n, 3, MAX_LENGTH - 1)
    extended = truth("extended", extended)
    m = n.bit_length()
    shortened = 2**m - 1 - n
    # Of each dimension the largest designed distance.
    distances = {full - shortened: distance for full, distance in _bch_distances(m) if full > shortened}
    k = _bch_dimension(n, k, d, distances)
    import galois  # takes seconds to import, so only where a BCH code is built

    field, label = None, ""
    if polynomial is not None:
        polynomial = whole("polynomial", polynomial)
        if polynomial.bit_length() != m + 1 or not galois.Poly.Int(polynomial).is_primitive():
            raise ValueError(
                f"polynomial must be primitive of degree {m} for n = {n}, such as "
                f"{int(galois.primitive_poly(2, m)):#b}, got {polynomial:#b}"
            )
        field = galois.GF(2**m, irreducible_poly=polynomial)
        if polynomial != int(galois.matlab_primitive_poly(2, m)):
            label = f"-0x{polynomial:x}"
    built = galois.BCH(2**m - 1, k + shortened, extension_field=field)
    # Shortened in its first bits, which are message bits, and without the zeros this leaves in H.
    G = np.asarray(built.G).astype(np.uint8)[shortened:, shortened:]
    H = np.asarray(built.H).astype(np.uint8)[:, shortened:]
    code = Code(G, H, name=f"bch-{n}-{k}{label}")
    return counted(code.extend(name=f"e{code.name.replace(str(n), str(n + 1), 1)}") if extended else code)


def reed_muller(r: int, m: int) -> Code:
    """The Reed-Muller code RM(r, m) of length 2^m and minimum distance 2^(m - r) (Muller 1954, Reed 1954).

    The rows of G are the rows of weight at least 2^(m - r) of the m-th Kronecker power of [[1, 0], [1, 1]];
    those of H generate the dual code RM(m - r - 1, m).

    Args:
        r: Order, 0 to m.
        m: The length is 2^m.

    Raises:
        ValueError: If r is not in 0..m, or 2^m is too large.

    Example:
        >>> reed_muller(2, 5)
        Code(rm-32-16: n=32, k=16)
    """
    m = whole_number("m", m, 1, MAX_LENGTH.bit_length() - 1)
    r = whole_number("r", r, 0, m)
    heavy = [row for row in range(2**m) if row.bit_count() >= m - r]
    dual = [row for row in range(2**m) if row.bit_count() > r]
    name = f"rm-{2**m}-{len(heavy)}"
    return Code(kernel_rows(m, heavy), kernel_rows(m, dual), name=name, minimum_distance=2 ** (m - r))


def repetition(n: int) -> Code:
    """The repetition code (n, 1).

    Args:
        n: Length, at least 2.

    Raises:
        ValueError: If n is out of range.

    Example:
        >>> repetition(3).codebook()
        array([[0, 0, 0],
               [1, 1, 1]], dtype=uint8)
    """
    n = whole_number("n", n, 2, MAX_LENGTH)
    G, H = systematic_form(np.ones((1, n - 1), np.uint8))
    return Code(G, H, name=f"repetition-{n}", minimum_distance=n)


def single_parity_check(n: int) -> Code:
    """The single-parity-check code (n, n - 1); the last bit is the parity of the others.

    Args:
        n: Length, at least 2.

    Raises:
        ValueError: If n is out of range.

    Example:
        >>> single_parity_check(3).encode([1, 0])
        array([1, 0, 1], dtype=uint8)
    """
    n = whole_number("n", n, 2, MAX_LENGTH)
    G, H = systematic_form(np.ones((n - 1, 1), np.uint8))
    return Code(G, H, name=f"spc-{n}", minimum_distance=2)


def golay(*, extended: bool = True) -> Code:
    """The binary Golay code (24, 12), or the perfect (23, 12), systematic (Golay 1949).

    The (23, 12) code is the cyclic one generated by x^11 + x^10 + x^6 + x^5 + x^4 + x^2 + 1; the (24, 12)
    code appends an overall parity bit.

    Args:
        extended: Whether the parity bit is appended.

    Example:
        >>> golay().minimum_distance, golay(extended=False).minimum_distance
        (8, 7)
    """
    shifts = np.zeros((12, 23), np.uint8)
    for row in range(12):
        shifts[row, [row + power for power in (0, 2, 4, 5, 6, 10, 11)]] = 1
    code = Code(*systematic_form(gf2.rref(shifts)[0][:, 12:]), name="golay-23-12", minimum_distance=7)
    return code.extend(name="golay-24-12") if extended else code


def ccsds_128_64() -> Code:
    """The (128, 64) LDPC code for telecommand of CCSDS 231.0-B, G systematic on the first 64 bits.

    H is a 4 by 8 array of 16 by 16 circulants. It was written down from memory, not copied from the standard;
    the resulting generator matches the one tabulated elsewhere, and the minimum distance is 14.

    Example:
        >>> code = ccsds_128_64()
        >>> code.H.shape, sorted(set(code.H.sum(axis=1).tolist()))
        ((64, 128), [8])
    """
    shifts: list[list[tuple[int, ...]]] = [
        [(0, 7), (2,), (14,), (6,), (), (0,), (13,), (0,)],
        [(6,), (0, 15), (0,), (1,), (0,), (), (0,), (7,)],
        [(4,), (1,), (0, 15), (14,), (11,), (0,), (), (3,)],
        [(0,), (1,), (9,), (0, 13), (14,), (1,), (0,), ()],
    ]
    H = np.concatenate([np.concatenate([_circulant(16, block) for block in row], axis=1) for row in shifts])
    return Code(gf2.rref(gf2.null_space(H))[0], H, name="ccsds-128-64", minimum_distance=14)


def array_ldpc(p: int, rows: int) -> Code:
    """The array LDPC code of length p^2 (Fan 2000): H is ``rows`` by p blocks, block (i, j) being P^(i j).

    P is the p by p identity shifted left by one. Bits are the points and checks the lines of slopes 0 to
    rows - 1 in the plane over GF(p): two lines meet at most once, so the Tanner graph has no cycles of
    length 4, and translations of the plane are automorphisms. H keeps all p ``rows`` rows; its rank is
    rows - 1 less.

    Args:
        p: A prime, 3 to 127.
        rows: Rows of blocks, that is, ones per column; 2 to p - 1.

    Raises:
        ValueError: If p is not a prime in range, or ``rows`` is out of range.

    Example:
        >>> code = array_ldpc(7, 4)
        >>> code, code.H.shape
        (Code(ldpc-49-24: n=49, k=24), (28, 49))
    """
    p = whole_number("p", p, 3, math.isqrt(MAX_LENGTH))
    if any(p % divisor == 0 for divisor in range(2, math.isqrt(p) + 1)):
        raise ValueError(f"p must be a prime, got {p}")
    rows = whole_number("rows", rows, 2, p - 1)
    H = np.block([[_circulant(p, [-i * j % p]) for j in range(p)] for i in range(rows)])
    G = gf2.rref(gf2.null_space(H))[0]
    return Code(G, H, name=f"ldpc-{p * p}-{len(G)}")


def ldpc_qc(base: Sequence[Sequence[int]], z: int) -> Code:
    """The quasi-cyclic LDPC code of a base matrix of shifts (Fossorier 2004).

    H keeps all its rows, though some may depend on others. `fecnn.read_matrix` reads such matrices from a
    file.

    Args:
        base: The base matrix, rows of whole numbers: -1 for a block of zeros, s from 0 on for the identity
            matrix with its ones moved s columns to the right, modulo z.
        z: Size of the blocks, at least 1.

    Raises:
        TypeError: If an entry of base or z is no whole number.
        ValueError: If the rows differ in length, an entry is below -1, the code would be too long, or only
            the zero word satisfies all checks.

    Example:
        >>> code = ldpc_qc([[0, 1, 2, -1], [-1, 2, 0, 1]], 5)
        >>> code, code.H.shape
        (Code(ldpc-qc-20-10: n=20, k=10), (10, 20))
    """
    z = whole_number("z", z, 1, MAX_LENGTH)
    try:
        rows = [[operator.index(entry) for entry in row] for row in base]
    except TypeError:
        raise TypeError(f"base must be a matrix of whole numbers, got {base!r}") from None
    if not rows or not rows[0] or len({len(row) for row in rows}) > 1:
        raise ValueError(f"base must be a matrix, got rows of {sorted({len(row) for row in rows})} entries")
    if min(map(min, rows)) < -1:
        raise ValueError(f"entries of base must be -1 or a shift from 0 on, got {min(map(min, rows))}")
    whole_number("the length, columns of base times z,", len(rows[0]) * z, 1, MAX_LENGTH)
    H = np.block([[_circulant(z, [entry % z] if entry >= 0 else []) for entry in row] for row in rows])
    code = Code.from_parity_check(H)
    return dataclasses.replace(code, name=f"ldpc-qc-{code.n}-{code.k}")


def uncoded(k: int) -> Code:
    """The trivial code: k bits sent as they are (G is the identity, H has no rows).

    Args:
        k: Number of bits, at least 1.

    Raises:
        ValueError: If k is out of range.

    Example:
        >>> uncoded(4).rate
        1.0
    """
    k = whole_number("k", k, 1, MAX_LENGTH)
    return Code(
        np.eye(k, dtype=np.uint8), np.zeros((0, k), np.uint8), name=f"uncoded-{k}", minimum_distance=1
    )


def random_code(n: int, k: int, seed: int = 0) -> Code:
    """A random linear code: systematic, its parity bits those of SHAKE-256 of the numbers n, k and seed.

    The minimum distance is counted where that is quick.

    Args:
        n: Length.
        k: Dimension, 1 to n - 1.
        seed: Any whole number; each gives another code, the same everywhere.

    Raises:
        ValueError: If n or k is out of range.

    Example:
        >>> random_code(12, 6, seed=3)
        Code(random-12-6-3: n=12, k=6)
    """
    n = whole_number("n", n, 2, MAX_LENGTH)
    k = whole_number("k", k, 1, n - 1)
    seed = whole("seed", seed)
    size = k * (n - k)
    octets = hashlib.shake_256(f"{n},{k},{seed}".encode()).digest(-(-size // 8))
    parity = np.unpackbits(np.frombuffer(octets, np.uint8), count=size).reshape(k, n - k)
    return counted(Code(*systematic_form(parity), name=f"random-{n}-{k}-{seed}"))


def _circulant(size: int, shifts: Sequence[int]) -> Bits:
    """The sum of the identity matrices of that size, shifted right by each of the shifts."""
    block = np.zeros((size, size), np.uint8)
    for shift in shifts:
        block ^= np.roll(np.eye(size, dtype=np.uint8), shift, axis=1)
    return block


def whole_number(name: str, value: int, low: int, high: int) -> int:
    """Check that a family's parameter is a whole number in low..high, and return it."""
    number = whole(name, value)
    if not low <= number <= high:
        raise ValueError(f"{name} must be in {low}..{high}, got {number}")
    return number


def log2_of(name: str, n: int) -> int:
    """The m of a length n = 2**m; errors name the nearest powers of two."""
    n = whole_number(name, n, 2, MAX_LENGTH)
    if n & (n - 1):
        below = 1 << (n.bit_length() - 1)
        raise ValueError(f"{name} must be a power of two, got {n}; the nearest are {below} and {2 * below}")
    return n.bit_length() - 1


def systematic_form(parity: Bits) -> tuple[Bits, Bits]:
    """G = [I | P] and H = [P^T | I] of the (k, n - k) parity part P."""
    k, checks = parity.shape
    G = np.concatenate([np.eye(k, dtype=np.uint8), parity], axis=1)
    H = np.concatenate([parity.T, np.eye(checks, dtype=np.uint8)], axis=1)
    return G, H


def _bch_distances(m: int) -> list[tuple[int, int]]:
    """Every k below 2^m - 1 of a narrow-sense BCH code, falling, with its largest designed distance."""
    n = 2**m - 1
    roots: set[int] = set()
    found = []
    for start in range(1, n):
        if start in roots:
            continue
        if roots:
            found.append((n - len(roots), start))
        power = start
        while power not in roots:
            roots.add(power)
            power = 2 * power % n
    return [*found, (n - len(roots), n)]


def _bch_dimension(n: int, k: int | None, d: int | None, distances: dict[int, int]) -> int:
    """The dimension asked for, by itself or by its designed distance."""
    if k is None and d is not None:
        d = whole("d", d)
        possible = [other for other, distance in distances.items() if distance >= d > 1]
        if not possible:
            most = max(distances.values(), default=0)
            raise ValueError(f"no BCH code of length {n} has designed distance {d}: it is 2 to {most}")
        return max(possible)
    if k is None or d is not None:
        raise ValueError("a BCH code is given by its dimension k or its designed distance d, one of them")
    k = whole("k", k)
    if k not in distances:
        near = sorted(sorted(distances, key=lambda other: abs(other - k))[:2])
        raise ValueError(
            f"no BCH code of length {n} has k = {k}; the nearest possible: {' and '.join(map(str, near))}"
        )
    return k


def kernel_rows(m: int, rows: Sequence[int]) -> Bits:
    """Rows i of the m-th Kronecker power of [[1, 0], [1, 1]]: 1 at j where the ones of j are ones of i."""
    index = np.asarray(rows, np.int64).reshape(-1, 1)
    return np.asarray((np.arange(2**m) & ~index) == 0).astype(np.uint8)
