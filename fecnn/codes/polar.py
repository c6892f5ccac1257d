"""Polar codes, constructed by Arikan's recursions, with or without a cyclic redundancy check."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fecnn._files.text import read_text
from fecnn.arrays import Bits
from fecnn.codes import gf2, nr_tables
from fecnn.codes.code import Code
from fecnn.codes.crc import crc_of, with_crc
from fecnn.codes.families import kernel_rows, log2_of, whole_number
from fecnn.errors import real, truth, whole

Floats = NDArray[np.float64]


def polar(
    n: int,
    k: int,
    *,
    design_snr_db: float | None = None,
    erasure: float | None = None,
    information_set: Iterable[int] | None = None,
    sequence: str | None = None,
    systematic: bool = False,
    crc: int | str = 0,
) -> Code:
    """A polar code: k rows of the m-th Kronecker power of [[1, 0], [1, 1]], natural order (Arikan 2009).

    The rows are those of the k most reliable synthetic channels; ties go to the larger index. At most one
    construction may be given; the default is ``erasure=0.5``. The minimum distance is the smallest row weight
    (Hussami, Korada & Urbanke 2009; Korada 2009).

    Args:
        n: Length, a power of two.
        k: Dimension, 1 to n.
        design_snr_db: Gaussian approximation (Chung, Richardson & Urbanke 2001; Trifonov 2012) at this Es/N0
            in dB, with the energy of a *code* bit. The function phi is integrated, not fitted.
        erasure: Bhattacharyya parameters of a binary erasure channel with this erasure probability.
        information_set: The k row indices themselves, 0-based, natural order.
        sequence: ``5g``: the reliability sequence of 3GPP TS 38.212, table 5.3.1.2-1, for n up to 1024.
        systematic: The same code, but the message appears in the codeword at the information positions, in
            increasing order (Arikan 2011).
        crc: A cyclic redundancy check, as `fecnn.codes.crc.crc_of` takes it (a length of 3GPP TS 38.212, or
            any polynomial; 0 for none), placed in the last information positions, of which there are as many
            more. The result is a subcode of dimension k of that polar code, with unknown minimum distance.

    Raises:
        ValueError: If a number is out of range, the information set does not fit, more than one construction
            is given, or there is no such CRC.

    Example:
        >>> polar(16, 8)
        Code(polar-16-8: n=16, k=8)
        >>> polar(8, 4, information_set=[3, 5, 6, 7]).minimum_distance
        4
        >>> polar(128, 64, sequence="5g", crc=11)
        Code(polar-5g-128-64-crc-11: n=128, k=64)
    """
    m = log2_of("n", n)
    outer = None if crc == 0 and crc is not False else crc_of(crc)
    checks = outer.degree if outer else 0
    k = whole_number("k", k, 1, n - checks) + checks
    given = {
        "design_snr_db": design_snr_db,
        "erasure": erasure,
        "information_set": information_set,
        "sequence": sequence,
    }
    named = [name for name, value in given.items() if value is not None]
    if len(named) > 1:
        raise ValueError(
            f"a polar code takes one construction, got {' and '.join(named)}; keep only one of them"
        )
    if information_set is not None:
        rows = _checked_set(information_set, n, k)
    elif sequence is not None:
        rows = sorted(reliability_sequence(n, sequence)[-k:])
    elif design_snr_db is not None:
        rows = best_channels(gaussian_means(m, real("design_snr_db", design_snr_db)), k)
    else:
        rows = best_channels(erasure_scores(m, 0.5 if erasure is None else erasure), k)
    kind = "-systematic" if truth("systematic", systematic) else ""
    order = "" if sequence is None else f"-{sequence}"
    code = _polar(m, rows, systematic, f"polar{order}-{n}-{k}{kind}")
    if not outer:
        return code
    return with_crc(code, outer, name=f"polar{order}-{n}-{k - checks}{kind}-{outer.label}")


def reliability_sequence(n: int, name: str = "5g") -> list[int]:
    """The synthetic channels of a polar code of length n, worst first, 0-based in natural order.

    Args:
        n: Length, a power of two.
        name: ``5g``: table 5.3.1.2-1 of 3GPP TS 38.212, of 1024 channels; those below n are a shorter code's.

    Raises:
        ValueError: If there is no such sequence, or it is shorter.

    Example:
        >>> reliability_sequence(16)
        [0, 1, 2, 4, 8, 3, 5, 9, 6, 10, 12, 7, 11, 13, 14, 15]
    """
    if name != "5g":
        raise ValueError(f"sequence must be '5g', got {name!r}")
    log2_of("n", n)
    known = nr_tables.polar_sequence()
    if n > len(known):
        raise ValueError(f"the sequence of 3GPP TS 38.212 has {len(known)} channels, got n = {n}")
    return [channel for channel in known if channel < n]


def read_reliability(path: str | Path) -> list[int]:
    """The channels of a polar code, best first, 0-based in natural order, from a file as AFF3CT writes it.

    Its lines are n, the channel's name, its noise, and the n channels.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not such a file, naming it.
    """
    tokens = read_text(Path(path), 1 << 20, "the channels of a polar code").split()
    numbers = [token for token in (*tokens[:1], *tokens[3:]) if token.isascii() and token.isdigit()]
    channels = [int(token) for token in numbers[1:] if len(token) <= 9]
    if len(numbers) != len(tokens) - 2 or sorted(channels) != list(range(len(channels))):
        raise ValueError(
            f"{path} does not list the channels of a polar code: n, the channel's name, its noise, then each "
            "of 0 to n - 1 once, best first"
        )
    if numbers[0] != str(len(channels)):
        raise ValueError(f"{path} says n = {numbers[0][:20]}, but lists {len(channels)} channels")
    log2_of("n", len(channels))
    return channels


def kronecker_transform(words: Bits) -> Bits:
    """``words F`` with F the Kronecker power of [[1, 0], [1, 1]], on the last axis (n a power of two).

    The transform is its own inverse: it maps words u to codewords of polar codes in natural order, and back.
    """
    out = words.copy()
    n, half = out.shape[-1], 1
    while half < n:
        pairs = out.reshape(*out.shape[:-1], n // (2 * half), 2, half)
        pairs[..., 0, :] ^= pairs[..., 1, :]
        half *= 2
    return out


def checks_of_inputs(U: Bits) -> Bits:
    """The checks of the codewords u F of the inputs spanned by U: frozen inputs first, then all others."""
    n = U.shape[1]
    frozen = np.flatnonzero(~U.any(axis=0))
    free = np.flatnonzero(U.any(axis=0))
    others = gf2.null_space(np.ascontiguousarray(U[:, free]))
    of_inputs = np.zeros((len(frozen) + len(others), n), np.uint8)
    of_inputs[np.arange(len(frozen)), frozen] = 1
    of_inputs[len(frozen) :, free] = others
    # u = c F, so a check x of u is x F^T of c: F^T is F with both axes reversed.
    return np.ascontiguousarray(kronecker_transform(np.ascontiguousarray(of_inputs[:, ::-1]))[:, ::-1])


def best_channels(scores: Floats, k: int) -> list[int]:
    """Indices of the ``k`` largest of ``(n,)`` scores, in increasing order; ties go to the larger index."""
    order = np.lexsort((np.arange(len(scores)), scores))
    return sorted(int(index) for index in order[len(scores) - k :])


def erasure_scores(m: int, erasure: float) -> Floats:
    """log((1 - Z) / Z) of the 2^m synthetic channels of an erasure channel, natural order (Arikan 2009).

    Z and 1 - Z are tracked separately, so that neither end loses digits. Larger is better.

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
        # Check node: phi' = 1 - (1 - phi)^2 = phi (2 - phi), with y = -log phi, accurate at both ends.
        gap = -np.expm1(-y)
        worse = np.where(y < 1.0, -np.log1p(-(np.minimum(gap, 0.9) ** 2)), y - np.log1p(gap))
        means = _interleave(loss.mean_of(worse), 2.0 * means)
    return means


def _polar(m: int, rows: list[int], systematic: bool, name: str) -> Code:
    n = 2**m
    frozen = sorted(set(range(n)) - set(rows))
    G = kernel_rows(m, rows)
    # The kernel's power is its own inverse, so row i of x F is a check for every frozen i: column i of F,
    # and F[j, i] = 1 where the ones of i are ones of j.
    index = np.asarray(frozen, np.int64).reshape(-1, 1)
    H = np.asarray((index & ~np.arange(n)) == 0).astype(np.uint8)
    if systematic:
        # F restricted to the information rows and columns is triangular, so these columns are the pivots.
        G = gf2.rref(G, order=rows)[0]
    return Code(G, H, name=name, minimum_distance=2 ** min(row.bit_count() for row in rows))


def _checked_set(information_set: Iterable[int], n: int, k: int) -> list[int]:
    rows = [whole("an index in information_set", row) for row in information_set]
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
    on an even grid is exact to rounding. It is tabulated on logarithmic scales, where it is nearly straight.
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
        """-log phi of means, elementwise; linear below the table."""
        inside = np.exp(self._forward(np.log(np.maximum(x, self._edge_x))))
        return np.where(x < self._edge_x, x * (self._edge_y / self._edge_x), inside)

    def mean_of(self, y: Floats) -> Floats:
        """The inverse of `of_mean`, elementwise."""
        inside = np.exp(self._backward(np.log(np.maximum(y, self._edge_y))))
        return np.where(y < self._edge_y, y * (self._edge_x / self._edge_y), inside)
