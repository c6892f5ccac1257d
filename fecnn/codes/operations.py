"""Codes made of other codes: some positions sent, others zero or left out; a parity bit more; more checks."""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from fecnn.arrays import as_bits
from fecnn.codes import gf2
from fecnn.codes.code import Code, few_weights
from fecnn.codes.crc import crc_of, with_crc
from fecnn.codes.mother import Mother
from fecnn.errors import whole

DISTANCE_BY_COUNTING = 16
"""Largest min(k, n - k) for which the minimum distance is found by counting all weights (milliseconds)."""


def rate_matched(code: Code, sent: Sequence[int], zero: Iterable[int] = (), *, name: str = "") -> Code:
    """The code whose bits are chosen positions of the words of another that are zero in certain places.

    Args:
        code: The other code.
        sent: The position of each bit; one that appears several times is repeated.
        zero: Positions that are zero.
        name: Of the new code; by default it says from which it is, and of which size.

    Raises:
        ValueError: If only the zero word is left, or words become equal.

    Example:
        >>> import fecnn
        >>> rate_matched(fecnn.hamming(3), [4, 5, 6, 1, 2, 3, 4, 5], [0])
        Code(hamming-7-4-shortened-repeated-8-3: n=8, k=3)
    """
    sent, zero = tuple(sent), tuple(sorted(set(zero)))
    first = dict.fromkeys(sent)
    if both := sorted(set(sent) & set(zero)):
        raise ValueError(f"position {both[0]} of {code.name} cannot be both sent and zero")
    kept = {*sent, *zero}
    lost = [place for place in range(code.n) if place not in kept]
    G = gf2.vanishing(code.G, zero)[:, list(sent)]
    if not len(G):
        raise ValueError(f"shortening {code.name} in {len(zero)} positions leaves only the zero word")
    if (rank := gf2.rank(G)) < len(G):
        raise ValueError(
            f"{code.name} has {len(G)} message bits, but only {rank} can be told from the {len(first)} "
            "positions that are kept: puncture fewer"
        )
    checks = gf2.vanishing(code.H, lost)
    firsts = {place: i for i, place in reversed(list(enumerate(sent)))}
    H = np.zeros((len(checks), len(sent)), np.uint8)
    H[:, [firsts[place] for place in first]] = checks[:, list(first)]
    again = [i for i, place in enumerate(sent) if firsts[place] != i]
    copies = np.zeros((len(again), len(sent)), np.uint8)
    copies[np.arange(len(again)), again] = 1
    copies[np.arange(len(again)), [firsts[sent[i]] for i in again]] = 1
    H = np.concatenate([H[H.any(axis=1)], copies])
    mother = _seen_from_the_first(code, sent, zero)
    name = name or f"{mother.code.name}-{mother.how}-{len(sent)}-{len(G)}"
    order = None if code.bit_order is None else _order(code.bit_order, sent)
    return counted(Code(G, H, name=name, bit_order=order, mother=mother))


def shorten(code: Code, bits: int | Iterable[int], *, name: str = "") -> Code:
    """See `fecnn.Code.shorten`."""
    zero = _positions(code, bits, "bits", range(code.n))
    return rate_matched(code, [i for i in range(code.n) if i not in zero], zero, name=name)


def puncture(code: Code, bits: int | Iterable[int], *, name: str = "") -> Code:
    """See `fecnn.Code.puncture`."""
    lost = _positions(code, bits, "bits", range(code.n - 1, -1, -1))
    return rate_matched(code, [i for i in range(code.n) if i not in lost], name=name)


def extend(code: Code, *, name: str = "") -> Code:
    """See `fecnn.Code.extend`."""
    parity = (code.G.sum(axis=1, keepdims=True) % 2).astype(np.uint8)
    H = np.pad(code.H, ((0, 1), (0, 1)))
    H[-1] = 1
    distance, spectrum = code.minimum_distance, code.known_spectrum
    if spectrum is not None:
        even = [0] * (code.n + 2)
        for weight, count in enumerate(spectrum):
            even[weight + weight % 2] += count
        spectrum = tuple(even)
    return Code(
        np.concatenate([code.G, parity], axis=1),
        H,
        name=name or f"{code.name}-extended",
        minimum_distance=None if distance is None else distance + distance % 2,
        known_spectrum=spectrum,
        bit_order=None if code.bit_order is None else (*code.bit_order, code.n),
    )


def subcode(
    code: Code, *, crc: int | str | None = None, checks: ArrayLike | None = None, name: str = ""
) -> Code:
    """See `fecnn.Code.subcode`."""
    if crc is not None and checks is None:
        outer = crc_of(crc)
        if outer.degree >= code.k:
            raise ValueError(f"{code.name} has k = {code.k}: too few message bits for a {outer}")
        return counted(with_crc(code, outer, name=name or f"{code.name}-{outer.label}"))
    if checks is None or crc is not None:
        raise ValueError("a subcode is given by crc or by checks, one of them")
    rows = np.atleast_2d(as_bits(checks, "checks", code.n))
    G = gf2.LinearMap(code.G)(gf2.null_space((code.G @ rows.T % 2).T.astype(np.uint8)))
    if not len(G):
        raise ValueError(f"these checks leave only the zero word of {code.name}")
    return counted(Code(G, np.concatenate([code.H, rows]), name=name or f"{code.name}-subcode-{len(G)}"))


def counted(code: Code) -> Code:
    """The code with its minimum distance and weight spectrum, if counting all weights is quick."""
    if min(code.k, code.n - code.k) > DISTANCE_BY_COUNTING:
        return code
    spectrum = few_weights(code) or code.weight_spectrum()  # the latter compiles a kernel
    distance = next(weight for weight, count in enumerate(spectrum) if weight and count)
    return dataclasses.replace(code, minimum_distance=distance, known_spectrum=spectrum)


def _seen_from_the_first(code: Code, sent: tuple[int, ...], zero: tuple[int, ...]) -> Mother:
    """What is sent of the code, or of the one that it was cut from itself."""
    if code.mother is None:
        return Mother(code, sent, zero)
    outer = code.mother
    places = tuple(outer.sent[i] for i in sent)
    return Mother(outer.code, places, tuple(sorted({*outer.zero, *(outer.sent[i] for i in zero)})))


def _order(order: Sequence[int], sent: Sequence[int]) -> tuple[int, ...]:
    """The order of positions that keeps a trellis small, for those that are sent."""
    rank = {place: i for i, place in enumerate(order)}
    return tuple(sorted(range(len(sent)), key=lambda i: rank[sent[i]]))


def _positions(code: Code, bits: int | Iterable[int], name: str, places: Sequence[int]) -> set[int]:
    """The positions that are given, or the first so many of ``places``."""
    if isinstance(bits, str) or not isinstance(bits, Iterable):
        count = whole(name, bits)
        if not 0 < count < code.n:
            raise ValueError(
                f"{name} must be 1 to n - 1 = {code.n - 1} positions of {code.name}, got {count}"
            )
        return set(places[:count])
    chosen = [whole(f"a position in {name}", place) for place in bits]
    wrong = [place for place in chosen if not 0 <= place < code.n]
    if wrong or not chosen or len(set(chosen)) < len(chosen) or len(chosen) >= code.n:
        what = f"got {wrong[0]}" if wrong else f"got {len(chosen)}, {len(set(chosen))} of them distinct"
        raise ValueError(
            f"{name} must be distinct positions 0 to {code.n - 1} of {code.name}, some but not all, {what}"
        )
    return set(chosen)
