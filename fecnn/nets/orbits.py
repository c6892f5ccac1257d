"""Parity checks by orbits: the checks that a group of automorphisms maps to each other."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import Bits
from fecnn.codes.automorphism import Permutation
from fecnn.codes.code import Code
from fecnn.codes.low_weight import MAX_WORDS


def check_orbits(words: Bits, moves: Permutation, fixing: list[Permutation]) -> list[list[int]]:
    """One word from every orbit under the group ``moves`` (p, n), as the positions of its ones.

    They are in the order of the words (N, n), except that an orbit is followed by those that the permutations
    ``fixing`` map it to.
    """
    known = {word.tobytes() for word in words}
    seen: set[bytes] = set()
    orbits = []
    for first in words:
        waiting = [first]
        while waiting:
            word = waiting.pop()
            if word.tobytes() not in known or word.tobytes() in seen:
                continue
            orbits.append(np.flatnonzero(word).tolist())
            seen |= {image.tobytes() for image in moved(word, moves)}
            waiting += [moved(word, one[None])[0] for one in reversed(fixing)]
    return orbits


def first_orbits(found: list[list[int]], orbits: int | None, code: Code) -> NDArray[np.int16]:
    """The first ``orbits`` of the orbits found, or all, as rows of positions padded by -1.

    Raises:
        ValueError: If there are not so many.
    """
    if orbits is not None and orbits > len(found):
        raise ValueError(f"{code.name} has {len(found)} orbits of light checks, fewer than {orbits}")
    return padded(found[:orbits])


def incoming_checks(
    supports: NDArray[np.int16], checks: Bits, moves: Permutation
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which check brings each message, (n / p blocks, degree, p), and its weight, (n / p blocks, degree).

    Row d of a block holds the images under ``moves`` (p, n) of one check of its first bit, for all its bits;
    missing rows of a block point to one past the last check. If the moves of an orbit's word bring the same
    check r times, its weight is r, divided by the least such number of all.
    """
    length, n = moves.shape
    places = {check.tobytes(): place for place, check in enumerate(checks)}
    to_first = np.argsort(moves, axis=0)[0]  # the move that takes each bit to the first place of its block
    blocks: list[Counter[int]] = []
    for first in range(0, n, length):
        met = (
            places[moved(word, moves[[to_first[position]]]).tobytes()]
            for word in words_at(supports, n)
            for position in np.flatnonzero(word[first : first + length]) + first
        )
        blocks.append(Counter(met))
    incoming = np.full((len(blocks), max(map(len, blocks)), length), len(checks))
    repeats = np.ones(incoming.shape[:2], np.int64)
    least = min(count for counts in blocks for count in counts.values())
    for block, counts in enumerate(blocks):
        for row, (place, count) in enumerate(counts.items()):
            images = moved(checks[place], moves)
            incoming[block, row] = [places[image.tobytes()] for image in images]
            repeats[block, row] = count // least
    return incoming, repeats


def words_at(supports: NDArray[np.int16], n: int) -> Bits:
    """The words (N, n) whose ones are at the positions in each row, which is padded by -1."""
    words = np.zeros((len(supports), n), np.uint8)
    for word, support in zip(words, supports, strict=True):
        word[support[support >= 0]] = 1
    return words


def moved(word: Bits, moves: Permutation) -> Bits:
    """The word (n,) with position j moved to moves[s, j], for each s: (p, n)."""
    images = np.zeros(moves.shape, np.uint8)
    np.put_along_axis(images, moves[:, np.flatnonzero(word)], 1, axis=1)
    return images


def padded(supports: Sequence[Sequence[int]]) -> NDArray[np.int16]:
    """Positions of ones as the rows of an array, padded by -1."""
    rows = np.full((len(supports), max(map(len, supports))), -1, np.int16)
    for row, support in zip(rows, supports, strict=True):
        row[: len(support)] = support
    return rows


def all_images(supports: NDArray[np.int16], code: Code, moves: Permutation) -> Bits:
    """Each image of each orbit under the group ``moves`` once, as a check: (m, n) bits."""
    if (
        supports.dtype.kind != "i"
        or supports.ndim != 2
        or not supports.size
        or supports.min() < -1
        or supports.max() >= code.n
    ):
        raise ValueError(f"supports must be rows of positions below n = {code.n}, padded by -1")
    if len(supports) * len(moves) > MAX_WORDS:
        raise ValueError(f"supports must be at most {MAX_WORDS // len(moves)} orbits, got {len(supports)}")
    images = {image.tobytes(): image for word in words_at(supports, code.n) for image in moved(word, moves)}
    checks = np.array(list(images.values()))
    if code.dual.syndrome(checks).any():
        raise ValueError(f"supports hold words that are not parity checks of {code.name}")
    return checks


def tied_edges(checks: Bits, fixing: list[Permutation]) -> NDArray[np.int64]:
    """Classes, (degree,) from 0, of the edges at bit 0 that automorphisms map to each other.

    An edge is a check that contains bit 0, (degree, n) bits; the permutations ``fixing`` leave bit 0 where
    it is.
    """
    places = {check.tobytes(): place for place, check in enumerate(checks)}
    classes = np.full(len(checks), -1)
    for place in range(len(checks)):
        waiting, name = [place], classes.max() + 1
        while waiting:
            if classes[one := waiting.pop()] < 0:
                classes[one] = name
                images = moved(checks[one], np.array(fixing))
                waiting += [places[image.tobytes()] for image in images if image.tobytes() in places]
    return classes
