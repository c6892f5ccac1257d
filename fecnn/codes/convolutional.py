"""Feedforward convolutional codes of rate 1/m as block codes: terminated by zeros, or tail-biting."""

import operator
from collections.abc import Iterable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import Bits
from fecnn.codes import gf2
from fecnn.codes.code import MAX_LENGTH, Code
from fecnn.codes.families import whole_number
from fecnn.codes.operations import counted

MAX_MEMORY = 20
"""Most register cells of an encoder."""

DISTANCE_STEPS = 1 << 24
"""Most states, over all time steps and first states, in which a minimum distance is searched (0.2 s)."""


def convolutional(k: int, polynomials: Iterable[int]) -> Code:
    """The convolutional code of k message bits, terminated by zeros (Elias 1955).

    The encoder starts and ends with zeros in its register, so n = (k + memory) times the number of
    polynomials. The bits of a time step are sent together, in the order of the polynomials. To send nothing
    for the zeros at the end, puncture it: ``code.puncture(memory * len(polynomials))``.

    ``ml`` and ``map`` work on its trellis of about 2**memory states.

    Args:
        k: Message bits.
        polynomials: The taps of each output, at least two, as they are tabulated in octal: the leading bit of
            the longest is the tap of the present bit, the last one that of the bit ``memory`` steps ago.
            (0o5, 0o7), (0o15, 0o17), (0o23, 0o35), (0o53, 0o75), (0o133, 0o171), (0o247, 0o371) and
            (0o561, 0o753) have the free distances 5, 6, 7, 8, 10, 10 and 12, the best of their memory
            (Odenwalder 1970; Larsen, IEEE Trans. IT 19(3), 1973).

    Raises:
        TypeError: If the polynomials are no list of whole numbers.
        ValueError: If a number is out of range, or the polynomials have a common factor, so that the encoder
            is catastrophic or has a register cell without use.

    Example:
        >>> code = convolutional(4, (0o5, 0o7))
        >>> code, code.minimum_distance
        (Code(conv-5-7-12-4: n=12, k=4), 5)
        >>> code.encode([1, 0, 0, 0])
        array([1, 1, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0], dtype=uint8)
    """
    taps = _taps(polynomials)
    outputs, memory = taps.shape[0], taps.shape[1] - 1
    k = whole_number("k", k, 1, MAX_LENGTH // outputs - memory)
    n, flush = (k + memory) * outputs, memory * outputs
    G = _shifts(taps.T, k)
    H = np.concatenate([_shifts(check, k + 2 * memory)[:, flush : flush + n] for check in _checks(taps)])
    return _named("conv", G, H, taps, _distance(taps, k, np.zeros(1, np.int64), memory))


def tailbiting(k: int, polynomials: Iterable[int]) -> Code:
    """The tail-biting convolutional code of k message bits (Ma and Wolf, IEEE Trans. Comm. 34(2), 1986).

    The register holds the last message bits at the start, and so at the end: nothing is spent on zeros, and
    n = k times the number of polynomials. The code is quasi-cyclic. ``ml`` and ``map`` work on its own
    trellis of 2**memory states, for which ``map`` takes time and memory in proportion to 4**memory.

    Args:
        k: Message bits, at least ``memory``.
        polynomials: As for `convolutional`. (0o133, 0o171, 0o165) are those of LTE (3GPP TS 36.212). For
            (128, 64), (0o133, 0o171) has the minimum distance 10, (0o515, 0o677) has 12.

    Raises:
        TypeError: As for `convolutional`.
        ValueError: As for `convolutional`, or if k is less than ``memory``.

    Example:
        >>> code = tailbiting(8, (0o5, 0o7))
        >>> code, code.minimum_distance
        (Code(tailbiting-5-7-16-8: n=16, k=8), 4)
    """
    taps = _taps(polynomials)
    outputs, memory = taps.shape[0], taps.shape[1] - 1
    k = whole_number("k", k, 1, MAX_LENGTH // outputs)
    if k < memory:
        raise ValueError(
            f"a tail-biting code of memory {memory} has at least that many message bits: the least k is "
            f"{memory}, got {k}"
        )
    G = _wrapped(_shifts(taps.T, k), k * outputs)
    H = np.concatenate([_wrapped(_shifts(check, k), k * outputs) for check in _checks(taps)])
    return _named("tailbiting", G, H, taps, _distance(taps, k, np.arange(1 << memory), 0))


def tail_biting_taps(code: Code) -> Bits | None:
    """The taps of the outputs of a tail-biting code, (outputs, memory + 1), that of the present bit first.

    Any code has them whose generator's rows are the first one, each shifted by n / k positions more; None for
    all others.

    Example:
        >>> tail_biting_taps(tailbiting(8, (0o13, 0o17)))
        array([[1, 0, 1, 1],
               [1, 1, 1, 1]], dtype=uint8)
    """
    outputs, rest = divmod(code.n, code.k)
    shifted = np.stack([np.roll(code.G[0], row * outputs) for row in range(code.k)])
    if rest or outputs < 2 or (shifted != code.G).any():
        return None
    steps = code.G[0].reshape(code.k, outputs)
    return np.ascontiguousarray(steps[: np.flatnonzero(steps.any(axis=1))[-1] + 1].T)


def output_bits(taps: Bits) -> Bits:
    """The output bits for each window, (outputs, 2**(memory + 1)); the present bit is in the lowest place."""
    memory = taps.shape[1] - 1
    tapped = np.bitwise_and(
        np.arange(2 << memory), (taps.astype(np.int64) @ (1 << np.arange(memory + 1)))[:, None]
    )
    return (gf2.weights(tapped[..., None]) & 1).astype(np.uint8)


def _taps(polynomials: Iterable[int]) -> Bits:
    """The taps of each output, (outputs, memory + 1), that of the present bit first."""
    try:
        given = [operator.index(polynomial) for polynomial in polynomials]
    except TypeError:
        raise TypeError(
            f"polynomials must be a list of whole numbers, such as (0o133, 0o171), got {polynomials!r}"
        ) from None
    if len(given) < 2 or min(given) < 1:
        raise ValueError(
            f"polynomials must be two or more positive numbers, such as (0o133, 0o171), got {_octal(given)}"
        )
    length = max(given).bit_length()
    if length > MAX_MEMORY + 1:
        raise ValueError(f"polynomials must have up to {MAX_MEMORY + 1} bits, got {length}: {_octal(given)}")
    common = 0
    for polynomial in given:
        while polynomial:
            common, polynomial = polynomial, _divided(common, polynomial)[1]
    if common > 1:
        why = "the last register cell has no use" if common == 2 else "the encoder is catastrophic"
        rest = _octal([_divided(polynomial, common)[0] for polynomial in given])
        raise ValueError(
            f"polynomials {_octal(given)} have the common factor {common:#o}, so {why}; without it they are "
            f"{rest}"
        )
    return ((np.array(given)[:, None] >> np.arange(length - 1, -1, -1)) & 1).astype(np.uint8)


def _octal(polynomials: list[int]) -> str:
    return f"({', '.join(f'{polynomial:#o}' for polynomial in polynomials)})"


def _divided(dividend: int, divisor: int) -> tuple[int, int]:
    """Quotient and remainder of polynomials over GF(2)."""
    quotient = 0
    while (excess := dividend.bit_length() - divisor.bit_length()) >= 0:
        quotient |= 1 << excess
        dividend ^= divisor << excess
    return quotient, dividend


def _shifts(pattern: Bits, rows: int) -> Bits:
    """The bits of a pattern of some time steps, (steps, outputs), each row one step later."""
    steps, outputs = pattern.shape
    shifted = np.zeros((rows, rows + steps - 1, outputs), np.uint8)
    for row in range(rows):
        shifted[row, row : row + steps] = pattern
    return shifted.reshape(rows, -1)


def _wrapped(rows: Bits, n: int) -> Bits:
    """Rows of more than n bits, what is beyond n added at the start."""
    wrapped = rows[:, :n].copy()
    wrapped[:, : rows.shape[1] - n] ^= rows[:, n:]
    return wrapped


def _checks(taps: Bits) -> list[Bits]:
    """Checks of consecutive time steps, (memory + 1, outputs) each, that all outputs satisfy.

    Of two outputs a and b, a filtered by the taps of b is b filtered by the taps of a. As the polynomials
    have no common factor, these checks of all pairs are enough (Bezout).
    """
    checks = []
    for a, b in combinations(range(len(taps)), 2):
        check = np.zeros_like(taps.T)
        check[:, a], check[:, b] = taps[b, ::-1], taps[a, ::-1]
        checks.append(check)
    return checks


def _distance(taps: Bits, k: int, starts: NDArray[np.int64], zeros: int) -> int | None:
    """The least weight of k steps, and then some zeros, that end where they start; None if that is long.

    The message may be assumed to begin with a one: words are shifts of such words.
    """
    memory = taps.shape[1] - 1
    states = 1 << memory
    if len(starts) * states * (k + zeros) > DISTANCE_STEPS:
        return None
    before = np.arange(2 * states) >> 1
    weight = output_bits(taps).sum(axis=0, dtype=np.int32)
    never = np.int32(1 << 20)
    least = np.full((len(starts), states), never, np.int32)
    least[np.arange(len(starts)), starts] = 0
    for step in range(k + zeros):
        paths = least[:, before] + weight
        if step == 0:
            paths[:, 0::2] = never
        elif step >= k:
            paths[:, 1::2] = never
        least = paths.reshape(len(starts), 2, states).min(axis=1)
    return int(least[np.arange(len(starts)), starts].min())


def _named(kind: str, G: Bits, H: Bits, taps: Bits, distance: int | None) -> Code:
    k, n = G.shape
    polynomials = "-".join(f"{int(''.join(map(str, row)), 2):o}" for row in taps.tolist())
    name = f"{kind}-{polynomials}-{n}-{k}"
    return counted(Code(G, H[H.any(axis=1)], name=name, minimum_distance=distance))
