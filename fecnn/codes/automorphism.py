"""Automorphisms: permutations of the positions that map a code onto itself."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fecnn.codes.code import Code

Permutation = NDArray[np.int64]


def is_automorphism(code: Code, permutation: Permutation) -> bool:
    """Whether moving position j of each codeword to permutation[j], (n,) int64, maps the code onto itself.

    Example:
        >>> import fecnn
        >>> is_automorphism(fecnn.load_code("bch-31-16"), 2 * np.arange(31) % 31)
        True
    """
    moved = np.empty_like(code.G)
    moved[:, permutation] = code.G
    return not code.syndrome(moved).any()


def block_shift(n: int, length: int) -> Permutation:
    """The permutation that shifts each block of ``length`` positions cyclically by one."""
    positions = np.arange(n)
    return positions - positions % length + (positions + 1) % length


def shift_length(code: Code) -> int:
    """The largest p such that cyclically shifting every block of p positions maps the code onto itself.

    This is n for a cyclic code, the circulant size (or a multiple) for a quasi-cyclic one, else 1.

    Example:
        >>> import fecnn
        >>> shift_length(fecnn.load_code("bch-31-16")), shift_length(fecnn.load_code("ccsds-128-64"))
        (31, 16)
    """
    lengths = (p for p in range(code.n, 0, -1) if code.n % p == 0)
    return next(p for p in lengths if is_automorphism(code, block_shift(code.n, p)))


def squaring(code: Code) -> Permutation | None:
    """The permutation j -> 2 j mod n, (n,) int64, if it maps the code onto itself; else None.

    It does for every binary cyclic code of odd length, by x -> x^2 (MacWilliams and Sloane 1977, Ch. 8).
    """
    doubled = 2 * np.arange(code.n) % code.n
    return doubled if code.n % 2 and is_automorphism(code, doubled) else None


def automorphisms(code: Code) -> list[Permutation]:
    """Generators of the known automorphisms, `translations` and then `stabilisers`; may be empty."""
    return translations(code) + stabilisers(code)


def translations(code: Code) -> list[Permutation]:
    """Automorphisms that move every bit: cyclic and block shifts, and j -> j XOR 2^i; may be empty.

    Cyclic codes have shifts of all bits by one, array codes shifts of blocks and within blocks, and polar and
    Reed-Muller codes in their natural order the flips of a binary digit of the position.

    Example:
        >>> import fecnn
        >>> len(translations(fecnn.load_code("bch-31-21"))), len(translations(fecnn.load_code("ldpc-49-24")))
        (1, 2)
    """
    return shifts(code) + flips(code)


def shifts(code: Code) -> list[Permutation]:
    """The automorphisms that shift all positions cyclically, and those of each block; may be empty."""
    n, positions = code.n, np.arange(code.n)
    turns = [(positions + step) % n for step in range(1, n) if n % step == 0]
    cyclic = next((turn for turn in turns if is_automorphism(code, turn)), None)
    found = [] if cyclic is None else [cyclic]
    length = shift_length(code)
    if 1 < length < n:
        found.append(block_shift(n, length))
    return found


def flips(code: Code) -> list[Permutation]:
    """The permutations j -> j XOR 2^i that map a code of length n = 2^m onto itself; may be empty.

    Example:
        >>> import fecnn
        >>> len(flips(fecnn.load_code("polar-64-32"))), len(flips(fecnn.load_code("ccsds-128-64")))
        (6, 1)
    """
    n, positions = code.n, np.arange(code.n)
    digits = range(n.bit_length() - 1) if n & (n - 1) == 0 else ()
    return [flip for i in digits if is_automorphism(code, flip := positions ^ 1 << i)]


def stabilisers(code: Code) -> list[Permutation]:
    """Known automorphisms that leave position 0 where it is, (n,) int64 each; may be empty.

    Cyclic codes of odd length have `squaring`; array codes the same within each block of p and among the
    blocks; polar and Reed-Muller codes in their natural order the additions of one binary digit of the
    position to another (Bardet, Dragoi, Otmani and Tillich 2016). They map the `translations` of these codes
    onto translations, so a network whose weights both share decides alike after any of them.

    Example:
        >>> import fecnn
        >>> len(stabilisers(fecnn.load_code("bch-31-21"))), len(stabilisers(fecnn.load_code("rm-32-16")))
        (1, 20)
    """
    n, positions = code.n, np.arange(code.n)
    digits = range(n.bit_length() - 1) if n & (n - 1) == 0 else ()
    sums = [positions ^ (positions >> j & 1) << i for i in digits for j in digits if i != j]
    return squarings(code) + [one for one in sums if is_automorphism(code, one)]


def squarings(code: Code) -> list[Permutation]:
    """`squaring`, or of array codes the same within each block of p and among the blocks; may be empty."""
    n, positions = code.n, np.arange(code.n)
    found = [squaring(code)]
    p = math.isqrt(n)
    if p * p == n and n % 2:
        doubled = 2 * (positions // p) % p * p + 2 * positions % p
        found.append(doubled if is_automorphism(code, doubled) else None)
    return [permutation for permutation in found if permutation is not None]


def regular_group(code: Code) -> Permutation:
    """A group of automorphisms that moves the bits of each block, freely: (p, n) int64.

    Each block of p consecutive positions is moved onto itself, and each of its positions to each other one by
    exactly one of the p permutations: the first position b p of a block goes to b p + s by permutation s. It
    is the cyclic group, that of `flips` or that of `translations` if it has one block, otherwise that of
    block shifts, which is trivial (p = 1) if no block can be shifted.

    Example:
        >>> import fecnn
        >>> regular_group(fecnn.load_code("polar-64-32")).shape
        (64, 64)
        >>> regular_group(fecnn.load_code("ccsds-128-64")).shape
        (16, 128)
    """
    n = code.n
    length = shift_length(code)
    for generators in (flips(code), translations(code)) if length < n else ():
        group = _closure(generators, n)
        if len(set(group[:, 0].tolist())) == n:
            return group[np.argsort(group[:, 0])]
    shift = block_shift(n, length)
    moves = [np.arange(n)]
    for _ in range(length - 1):
        moves.append(shift[moves[-1]])
    return np.array(moves)


def _closure(generators: list[Permutation], n: int) -> Permutation:
    """All products of these permutations of n positions, (group order, n); the identity if more than n."""
    identity = np.arange(n)
    fresh, group = [identity], {identity.tobytes(): identity}
    while fresh and len(group) <= n:
        products = {one.tobytes(): one for old in fresh for one in (step[old] for step in generators)}
        fresh = [one for key, one in products.items() if key not in group]
        group |= {one.tobytes(): one for one in fresh}
    return np.array(list(group.values()) if len(group) <= n else [identity])


def reach_all(permutations: list[Permutation], n: int) -> bool:
    """Whether products of these permutations of n positions move the first one to every other.

    Example:
        >>> reach_all([block_shift(4, 2)], 4), reach_all([block_shift(4, 4)], 4)
        (False, True)
    """
    reached, fresh = {0}, {0}
    while fresh:
        fresh = {int(permutation[j]) for permutation in permutations for j in fresh} - reached
        reached |= fresh
    return len(reached) == n


def random_automorphisms(code: Code, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Random products of powers of the generators, (count, n); identities if there are no generators.

    Example:
        >>> import fecnn
        >>> places = random_automorphisms(fecnn.hamming(3), 2, np.random.default_rng(1))
        >>> places.shape
        (2, 7)
    """
    product = np.tile(np.arange(code.n), (count, 1))
    for powers in _powers(code):
        product = powers[rng.integers(0, len(powers), count)[:, None], product]
    return product


@lru_cache(maxsize=16)
def _powers(code: Code) -> list[NDArray[np.int64]]:
    """All powers of each generator, (order, n) per generator."""
    return [powers_of(generator) for generator in automorphisms(code)]


def powers_of(permutation: Permutation) -> Permutation:
    """All powers of a permutation, from the identity on: (order, n)."""
    powers = [np.arange(len(permutation))]
    while (power := permutation[powers[-1]]).tolist() != powers[0].tolist():
        powers.append(power)
    return np.array(powers)
