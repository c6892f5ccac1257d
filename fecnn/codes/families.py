"""Builders of classic codes: functions that return a `Code`, named as in the catalogue."""

import math
import operator
from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import Bits
from fecnn.codes import gf2
from fecnn.codes.code import MAX_LENGTH, Code

Floats = NDArray[np.float64]

CRC_POLYNOMIALS = {6: 0b1100001, 11: 0b111000100001, 24: 0b1101100101011000100010111}
"""CRC6, CRC11 and CRC24C of 3GPP TS 38.212, section 5.1, by their length; bit i is the coefficient of D^i."""

_DISTANCE_BY_COUNTING = 16
"""Largest min(k, n - k) for which `bch` counts all weights to know the minimum distance (milliseconds)."""


def hamming(r: int, *, extended: bool = False) -> Code:
    """The Hamming code (2^r - 1, 2^r - 1 - r), systematic (Hamming 1950).

    Args:
        r: Parity checks, 2 to 14. The columns of H are all nonzero r-bit words, the unit words last.
        extended: Append an overall parity bit: (2^r, 2^r - 1 - r) of minimum distance 4.

    Raises:
        ValueError: If r is out of range.

    Example:
        >>> hamming(3)
        Code(hamming-7-4: n=7, k=4)
        >>> hamming(3, extended=True).minimum_distance
        4
    """
    r = _integer("r", r, 2, 13 if extended else 14)
    values = [value for value in range(1, 2**r) if value.bit_count() > 1]
    parity = ((np.array(values)[:, None] >> np.arange(r)) & 1).astype(np.uint8)
    G, H = _systematic(parity)
    n, k = 2**r - 1, len(values)
    if extended:
        return Code(*_extend(G, H), name=f"ext-hamming-{n + 1}-{k}", minimum_distance=4)
    return Code(G, H, name=f"hamming-{n}-{k}", minimum_distance=3)


def bch(n: int, k: int, *, extended: bool = False) -> Code:
    """The primitive narrow-sense BCH code (n, k), systematic, built by galois (Bose & Ray-Chaudhuri 1960).

    The field is the one galois takes for BCH codes, its ``matlab_primitive_poly``: x^7 + x^3 + 1 for n = 127.
    Building takes seconds; the catalogue has the usual ones. The minimum distance is set where
    counting all weights is quick; elsewhere the designed distance would only be a lower bound.

    Args:
        n: Length before extension, 2^m - 1.
        k: Dimension; only some are possible for each n.
        extended: Append an overall parity bit: (n + 1, k).

    Raises:
        ValueError: If n is not 2^m - 1, or there is no such code; the message names the nearest possible k.

    Example:
        >>> bch(15, 7).minimum_distance
        5
    """
    n = _integer("n", n, 3, MAX_LENGTH - 1)
    if (n + 1) & n:
        raise ValueError(
            f"n of a primitive BCH code must be 2**m - 1, got {n}; the nearest is {_near_primitive(n)}"
        )
    k = operator.index(k)
    possible = _bch_dimensions(n)
    if k not in possible:
        near = sorted(sorted(possible, key=lambda other: abs(other - k))[:2])
        raise ValueError(
            f"no BCH code of length {n} has k = {k}; the nearest possible: {' and '.join(map(str, near))}"
        )
    import galois  # seconds to import: only where a BCH code is built

    built = galois.BCH(n, k)
    G, H = (np.asarray(matrix).astype(np.uint8) for matrix in (built.G, built.H))
    if extended:
        G, H = _extend(G, H)
    code = Code(G, H, name=f"ebch-{n + 1}-{k}" if extended else f"bch-{n}-{k}")
    if min(k, code.n - k) > _DISTANCE_BY_COUNTING:
        return code
    spectrum = code.weight_spectrum()
    return Code(G, H, name=code.name, minimum_distance=_first_weight(spectrum), known_spectrum=spectrum)


def polar(
    n: int,
    k: int,
    *,
    design_snr_db: float | None = None,
    erasure: float | None = None,
    information_set: Iterable[int] | None = None,
    systematic: bool = False,
    crc: int = 0,
) -> Code:
    """A polar code: k rows of the m-th Kronecker power of [[1, 0], [1, 1]], natural order (Arikan 2009).

    The rows are those of the k most reliable synthetic channels; of equally reliable ones, the larger index.
    At most one construction is given; without any it is ``erasure=0.5``. The minimum distance is the smallest
    row weight (Hussami, Korada & Urbanke 2009; Korada 2009).

    Args:
        n: Length, a power of two.
        k: Dimension, 1 to n.
        design_snr_db: Gaussian approximation (Chung, Richardson & Urbanke 2001; Trifonov 2012) at this Es/N0
            in dB, the energy of a *code* bit. The function phi is integrated, not taken from a fit.
        erasure: Bhattacharyya parameters of a binary erasure channel with this erasure probability.
        information_set: The k row indices themselves, 0-based, natural order.
        systematic: Same code, but the message appears in the codeword at the information positions, in
            increasing order (Arikan 2011).
        crc: Bits of a cyclic redundancy check of 3GPP TS 38.212 (6, 11 or 24; 0 for none) that fill the last
            ones of k + crc information positions: a subcode of that polar code, of dimension k. Its minimum
            distance is not known.

    Raises:
        ValueError: If a number is out of range, the information set does not fit, two constructions are
            given, or there is no such CRC.

    Example:
        >>> polar(16, 8)
        Code(polar-16-8: n=16, k=8)
        >>> polar(8, 4, information_set=[3, 5, 6, 7]).minimum_distance
        4
    """
    m = _log2("n", n)
    if crc and crc not in CRC_POLYNOMIALS:
        known = ", ".join(map(str, CRC_POLYNOMIALS))
        raise ValueError(f"crc must be 0 for none, or {known} bits (3GPP TS 38.212), got {crc!r}")
    k = _integer("k", k, 1, n - crc) + crc
    given = {"design_snr_db": design_snr_db, "erasure": erasure, "information_set": information_set}
    named = [name for name, value in given.items() if value is not None]
    if len(named) > 1:
        raise ValueError(
            f"a polar code takes one construction, got {' and '.join(named)}; leave all but one out"
        )
    if information_set is not None:
        rows = _checked_set(information_set, n, k)
    elif design_snr_db is not None:
        rows = best_channels(gaussian_means(m, design_snr_db), k)
    else:
        rows = best_channels(erasure_scores(m, 0.5 if erasure is None else erasure), k)
    code = _polar(m, rows, systematic)
    return _with_crc(code, crc) if crc else code


def kronecker_transform(words: Bits) -> Bits:
    """``words F``, F the Kronecker power of [[1, 0], [1, 1]], on the last axis (n a power of two).

    It is its own inverse, and takes words u to codewords of polar codes in natural order and back.
    """
    out = words.copy()
    n, half = out.shape[-1], 1
    while half < n:
        pairs = out.reshape(*out.shape[:-1], n // (2 * half), 2, half)
        pairs[..., 0, :] ^= pairs[..., 1, :]
        half *= 2
    return out


def best_channels(scores: Floats, k: int) -> list[int]:
    """Indices of the ``k`` largest of ``(n,)`` scores, increasing; of equal scores, the larger index."""
    order = np.lexsort((np.arange(len(scores)), scores))
    return sorted(int(index) for index in order[len(scores) - k :])


def erasure_scores(m: int, erasure: float) -> Floats:
    """log((1 - Z) / Z) of the 2^m synthetic channels of an erasure channel, natural order (Arikan 2009).

    Both Z and 1 - Z are followed, so that neither end loses digits; larger is better.

    Raises:
        ValueError: If the erasure probability is not strictly between 0 and 1.
    """
    if not 0.0 < erasure < 1.0:
        raise ValueError(f"erasure must be a probability strictly between 0 and 1, got {erasure}")
    z, c = np.array([erasure]), np.array([1.0 - erasure])
    for _ in range(m):
        z, c = _interleave(z * (1.0 + c), z * z), _interleave(c * c, c * (1.0 + z))
    tiny = np.finfo(np.float64).tiny
    return np.asarray(np.log(np.maximum(c, tiny)) - np.log(np.maximum(z, tiny)))


def gaussian_means(m: int, design_snr_db: float) -> Floats:
    """Mean LLRs of the 2^m synthetic channels on AWGN, Gaussian approximation, natural order.

    Larger is better.

    Args:
        m: log2 of the length.
        design_snr_db: Es/N0 in dB per code bit, -40 to 40; the channel's LLRs have mean 4 Es/N0.

    Raises:
        ValueError: If the design SNR is out of range.
    """
    if not -40.0 <= design_snr_db <= 40.0:
        raise ValueError(f"design_snr_db must be an Es/N0 of -40 to 40 dB, got {design_snr_db}")
    loss = _log_phi()
    means = np.array([4.0 * 10.0 ** (design_snr_db / 10.0)])
    for _ in range(m):
        y = loss.of_mean(means)
        # Check node: phi' = 1 - (1 - phi)^2 = phi (2 - phi), in y = -log phi, losing no digits at either end.
        gap = -np.expm1(-y)
        worse = np.where(y < 1.0, -np.log1p(-(np.minimum(gap, 0.9) ** 2)), y - np.log1p(gap))
        means = _interleave(loss.mean_of(worse), 2.0 * means)
    return means


def reed_muller(r: int, m: int) -> Code:
    """The Reed-Muller code RM(r, m) of length 2^m and minimum distance 2^(m - r) (Muller 1954, Reed 1954).

    G is the rows of weight at least 2^(m - r) of the m-th Kronecker power of [[1, 0], [1, 1]]; H, those that
    generate the dual code RM(m - r - 1, m).

    Raises:
        ValueError: If r is not in 0..m, or 2^m is too long.

    Example:
        >>> reed_muller(2, 5)
        Code(rm-32-16: n=32, k=16)
    """
    m = _integer("m", m, 1, MAX_LENGTH.bit_length() - 1)
    r = _integer("r", r, 0, m)
    heavy = [row for row in range(2**m) if row.bit_count() >= m - r]
    dual = [row for row in range(2**m) if row.bit_count() > r]
    name = f"rm-{2**m}-{len(heavy)}"
    return Code(_kernel_rows(m, heavy), _kernel_rows(m, dual), name=name, minimum_distance=2 ** (m - r))


def repetition(n: int) -> Code:
    """The repetition code (n, 1), n at least 2.

    Example:
        >>> repetition(3).codebook()
        array([[0, 0, 0],
               [1, 1, 1]], dtype=uint8)
    """
    n = _integer("n", n, 2, MAX_LENGTH)
    G, H = _systematic(np.ones((1, n - 1), np.uint8))
    return Code(G, H, name=f"repetition-{n}", minimum_distance=n)


def single_parity_check(n: int) -> Code:
    """The single-parity-check code (n, n - 1), n at least 2; the last bit is the parity of the others.

    Example:
        >>> single_parity_check(3).encode([1, 0])
        array([1, 0, 1], dtype=uint8)
    """
    n = _integer("n", n, 2, MAX_LENGTH)
    G, H = _systematic(np.ones((n - 1, 1), np.uint8))
    return Code(G, H, name=f"spc-{n}", minimum_distance=2)


def golay(*, extended: bool = True) -> Code:
    """The binary Golay code (24, 12), or the perfect (23, 12), systematic (Golay 1949).

    The (23, 12) code is the cyclic one generated by x^11 + x^10 + x^6 + x^5 + x^4 + x^2 + 1; the (24, 12)
    code appends an overall parity bit.

    Example:
        >>> golay().minimum_distance, golay(extended=False).minimum_distance
        (8, 7)
    """
    shifts = np.zeros((12, 23), np.uint8)
    for row in range(12):
        shifts[row, [row + power for power in (0, 2, 4, 5, 6, 10, 11)]] = 1
    G, H = _systematic(gf2.rref(shifts)[0][:, 12:])
    if extended:
        return Code(*_extend(G, H), name="golay-24-12", minimum_distance=8)
    return Code(G, H, name="golay-23-12", minimum_distance=7)


def ccsds_128_64() -> Code:
    """The (128, 64) LDPC code for telecommand of CCSDS 231.0-B, G systematic on the first 64 bits.

    H is a 4 by 8 array of 16 by 16 circulants. They were written down from memory, not from the standard's
    text; the generator that follows is the one that others tabulate for it, and the minimum distance is 14.

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
        rows: Rows of blocks, the ones of each column, 2 to p - 1.

    Raises:
        ValueError: If p is not a prime in range, or ``rows`` leaves its range.

    Example:
        >>> code = array_ldpc(7, 4)
        >>> code, code.H.shape
        (Code(ldpc-49-24: n=49, k=24), (28, 49))
    """
    p = _integer("p", p, 3, math.isqrt(MAX_LENGTH))
    if any(p % divisor == 0 for divisor in range(2, math.isqrt(p) + 1)):
        raise ValueError(f"p must be a prime, got {p}")
    rows = _integer("rows", rows, 2, p - 1)
    H = np.block([[_circulant(p, [-i * j % p]) for j in range(p)] for i in range(rows)])
    G = gf2.rref(gf2.null_space(H))[0]
    return Code(G, H, name=f"ldpc-{p * p}-{len(G)}")


def uncoded(k: int) -> Code:
    """No code at all: k bits sent as they are (G the identity, H without rows).

    Example:
        >>> uncoded(4).rate
        1.0
    """
    k = _integer("k", k, 1, MAX_LENGTH)
    return Code(
        np.eye(k, dtype=np.uint8), np.zeros((0, k), np.uint8), name=f"uncoded-{k}", minimum_distance=1
    )


def _circulant(size: int, shifts: Sequence[int]) -> Bits:
    """The sum of the identity of that size shifted right by each of the shifts."""
    block = np.zeros((size, size), np.uint8)
    for shift in shifts:
        block ^= np.roll(np.eye(size, dtype=np.uint8), shift, axis=1)
    return block


def _integer(name: str, value: int, low: int, high: int) -> int:
    number = operator.index(value)
    if not low <= number <= high:
        raise ValueError(f"{name} must be in {low}..{high}, got {number}")
    return number


def _log2(name: str, n: int) -> int:
    n = _integer(name, n, 2, MAX_LENGTH)
    if n & (n - 1):
        below = 1 << (n.bit_length() - 1)
        raise ValueError(f"{name} must be a power of two, got {n}; the nearest are {below} and {2 * below}")
    return n.bit_length() - 1


def _systematic(parity: Bits) -> tuple[Bits, Bits]:
    """G = [I | P] and H = [P^T | I] of the (k, n - k) parity part P."""
    k, checks = parity.shape
    G = np.concatenate([np.eye(k, dtype=np.uint8), parity], axis=1)
    H = np.concatenate([parity.T, np.eye(checks, dtype=np.uint8)], axis=1)
    return G, H


def _extend(G: Bits, H: Bits) -> tuple[Bits, Bits]:
    """Append the overall parity bit to G, and its check (a row of ones) to H."""
    parity = (G.sum(axis=1, keepdims=True) % 2).astype(np.uint8)
    wider = np.pad(H, ((0, 1), (0, 1)))
    wider[-1] = 1
    return np.concatenate([G, parity], axis=1), wider


def _first_weight(spectrum: Sequence[int]) -> int:
    return next(weight for weight, count in enumerate(spectrum) if weight and count)


def _near_primitive(n: int) -> int:
    m = max(2, n.bit_length() - 1)
    below, above = (1 << m) - 1, min(2 << m, MAX_LENGTH) - 1
    return above if above - n < n - below else below


def _bch_dimensions(n: int) -> set[int]:
    """Every k below n of a narrow-sense BCH code of length n = 2^m - 1, from cyclotomic cosets modulo n."""
    roots: set[int] = set()
    possible = set()
    for start in range(1, n):
        power = start
        while power not in roots:
            roots.add(power)
            power = 2 * power % n
        possible.add(n - len(roots))
    return possible


def _kernel_rows(m: int, rows: Sequence[int]) -> Bits:
    """Rows i of the m-th Kronecker power of [[1, 0], [1, 1]]: 1 at j where the ones of j are ones of i."""
    index = np.asarray(rows, np.int64).reshape(-1, 1)
    return np.asarray((np.arange(2**m) & ~index) == 0).astype(np.uint8)


def _polar(m: int, rows: list[int], systematic: bool) -> Code:
    n, k = 2**m, len(rows)
    frozen = sorted(set(range(n)) - set(rows))
    G = _kernel_rows(m, rows)
    # The kernel's power is its own inverse, so row i of x F is a check for every frozen i: column i of F,
    # and F[j, i] = 1 where the ones of i are ones of j.
    index = np.asarray(frozen, np.int64).reshape(-1, 1)
    H = np.asarray((index & ~np.arange(n)) == 0).astype(np.uint8)
    if systematic:
        # F restricted to the information rows and columns is triangular, so these columns are the pivots.
        G = gf2.rref(G, order=rows)[0]
    name = f"polar-{n}-{k}" + ("-systematic" if systematic else "")
    return Code(G, H, name=name, minimum_distance=2 ** min(row.bit_count() for row in rows))


def _with_crc(polar_code: Code, crc: int) -> Code:
    """The subcode whose last ``crc`` information bits are the CRC of those before, first bit sent first."""
    k = polar_code.k - crc
    polynomial, remainder = CRC_POLYNOMIALS[crc], 1
    rows: list[list[int]] = []
    for _ in range(k):
        for _ in range(crc if not rows else 1):  # D^crc for the last bit, one power more for each before
            remainder <<= 1
            remainder ^= polynomial * (remainder >> crc)
        rows.append([(remainder >> power) & 1 for power in range(crc - 1, -1, -1)])
    outer_G, outer_H = _systematic(np.array(rows[::-1], np.uint8))
    G = gf2.LinearMap(polar_code.G)(outer_G)
    checks = gf2.LinearMap(gf2.right_inverse(polar_code.G).T.copy())(outer_H)
    name = polar_code.name.replace(f"-{polar_code.k}", f"-{k}") + f"-crc-{crc}"
    return Code(G, np.concatenate([polar_code.H, checks]), name=name)


def _checked_set(information_set: Iterable[int], n: int, k: int) -> list[int]:
    rows = [operator.index(row) for row in information_set]
    outside = [row for row in rows if not 0 <= row < n]
    if outside:
        raise ValueError(f"information_set must hold indices 0 to {n - 1}, got {outside[0]}")
    if len(set(rows)) != len(rows) or len(rows) != k:
        raise ValueError(
            f"information_set must hold k = {k} distinct indices, got {len(rows)}, {len(set(rows))} distinct"
        )
    return sorted(rows)


def _interleave(worse: Floats, better: Floats) -> Floats:
    """Channels 2i (worse) and 2i + 1 (better) of channel i: the first split is the top bit."""
    return np.stack([worse, better], axis=-1).reshape(-1)


@cache
def _log_phi() -> "_LogPhi":
    return _LogPhi()


class _LogPhi:
    """y = -log phi(x), x the mean of a Gaussian LLR of variance 2 x, and its inverse (Chung et al. 2001).

    phi(x) = E[1 - tanh(L / 2)] = e^(-x/4) E[1 / cosh(T)] with T ~ N(0, x / 2): positive and smooth, so a sum
    on an even grid is exact to rounding. Tabulated on logarithmic scales, where it is nearly straight.
    """

    def __init__(self) -> None:
        from scipy.interpolate import PchipInterpolator

        x = np.logspace(-6, 10, 641)[:, None]
        grid = np.linspace(-10.0, 10.0, 801)
        scale = np.minimum(np.sqrt(2.0 * x), 8.0)
        u = scale * grid
        inside = np.exp(-u * u / (4.0 * x)) / np.cosh(u / 2.0)
        integral = inside.sum(axis=1) * (grid[1] - grid[0]) * scale[:, 0] / np.sqrt(4.0 * np.pi * x[:, 0])
        y = x[:, 0] / 4.0 - np.log(integral)
        self._edge_x, self._edge_y = float(x[0, 0]), float(y[0])
        self._forward = PchipInterpolator(np.log(x[:, 0]), np.log(y))
        self._backward = PchipInterpolator(np.log(y), np.log(x[:, 0]))

    def of_mean(self, x: Floats) -> Floats:
        """-log phi of means, elementwise; x / 2 below the table."""
        inside = np.exp(self._forward(np.log(np.maximum(x, self._edge_x))))
        return np.where(x < self._edge_x, x * (self._edge_y / self._edge_x), inside)

    def mean_of(self, y: Floats) -> Floats:
        """The inverse of `of_mean`, elementwise."""
        inside = np.exp(self._backward(np.log(np.maximum(y, self._edge_y))))
        return np.where(y < self._edge_y, y * (self._edge_x / self._edge_y), inside)
