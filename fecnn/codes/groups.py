"""Groups of automorphisms to draw from: affine maps of binary digits or of field elements, and shifts."""

from collections.abc import Callable, Iterator
from math import gcd

import numpy as np
from numpy.typing import NDArray

from fecnn.codes.automorphism import Permutation, is_automorphism, powers_of, shifts, squarings
from fecnn.codes.code import Code
from fecnn.codes.cyclic import MAX_DEGREE, field

DRAWS = 64
"""The group has no more permutations if so many draws for each that is known give none that is new."""

Drawn = tuple[Permutation, bytes]
"""An automorphism, and a name; successive cancellation decides alike after all those of one name."""

Group = Callable[[Code, np.random.Generator], Iterator[Drawn]]


def affine(code: Code, rng: np.random.Generator) -> Iterator[Drawn]:
    """Endless draws of maps x -> A x + b of the binary digits of a position, uniform over a known group.

    A digit may be added to another, or flipped, if doing only that is an automorphism. Matrices A whose
    additions are all of that kind have products and inverses of the same kind. For Reed-Muller codes in
    natural order that is the affine group GA(m), and for polar codes the block lower-triangular one (which is
    the whole affine automorphism group of a decreasing monomial code: Geiselhart, Elkelesh, Ebada, Cammerer
    and ten Brink, ISIT 2021). There are no draws if n is not 2^m, or there is no such automorphism.
    """
    n, m = code.n, code.n.bit_length() - 1
    positions, digits = np.arange(n), np.arange(m)
    if n != 1 << m:
        return
    flipped = np.array([is_automorphism(code, positions ^ 1 << i) for i in digits], np.int64)
    added = np.array(
        [
            [i == j or is_automorphism(code, positions ^ (positions >> j & 1) << i) for j in digits]
            for i in digits
        ]
    )
    if not flipped.any() and added.sum() == m:
        return
    bits = positions[:, None] >> digits & 1
    # Digits that may be added to each other. A is invertible where it is on each of these blocks.
    blocks = {tuple(np.flatnonzero(row).tolist()) for row in added & added.T}
    while True:
        A, b = added * rng.integers(0, 2, (m, m)), flipped * rng.integers(0, 2, m)
        for block in sorted(blocks):
            part = np.ix_(block, block)
            while echelon(A[part]) is None:
                A[part] = rng.integers(0, 2, (len(block), len(block)))
        yield (bits @ A.T + b) % 2 @ (1 << digits), np.array(echelon(A)).tobytes()


def echelon(A: NDArray[np.int64]) -> list[int] | None:
    """What a binary matrix A has in common with T A for each T that SC absorbs; None if A is singular.

    It is the rows of A as numbers. Each is reduced by those above, to 0 at their lowest ones, and the first
    two by each other. T is invertible and adds digits of a position to more significant ones, or the two
    least significant to each other. Successive cancellation of polar codes in natural order commutes with
    that, so it decides alike after A and after T A (Geiselhart, Elkelesh, Ebada, Cammerer and ten Brink, IEEE
    Trans. Commun. 69(10), 2021; Ye et al., ISIT 2022). Of some codes it absorbs other maps too.

    Example:
        >>> echelon(np.array([[1, 0, 0], [0, 1, 0], [1, 1, 1]])), echelon(np.array([[1, 1], [1, 1]]))
        ([1, 2, 4], None)
    """
    reduced: list[int] = []
    for row in (A @ (1 << np.arange(len(A)))).tolist():
        for above in reduced:
            row ^= above if row & above & -above else 0
        if not row:
            return None
        if len(reduced) == 1:
            reduced[0] ^= row if reduced[0] & row & -row else 0
            reduced.append(row)
            reduced.sort(key=lambda one: one & -one)
        else:
            reduced.append(row)
    return reduced


def over_field(code: Code, rng: np.random.Generator) -> Iterator[Drawn]:
    """Endless, uniform draws of x -> a x^(2^i) + b over GF(2^m), for extended primitive cyclic codes.

    The last position is the element 0, and position j is a power w^j of a primitive element w, which is
    searched. Extended BCH codes and Reed-Muller codes in cyclic order have these automorphisms (MacWilliams
    and Sloane 1977, Ch. 8). There are no draws if n is not 2^m, or there is no such element.
    """
    n, m = code.n, code.n.bit_length() - 1
    if n != 1 << m or not 2 <= m <= MAX_DEGREE:
        return
    exp, _ = field(m)
    turned = np.append((np.arange(n - 1) + 1) % (n - 1), n - 1)
    for step in range(1, n - 1):
        # Conjugates of w only rename the elements, so the least power of each cyclotomic coset is enough.
        if gcd(step, n - 1) > 1 or step != min(step * 2**i % (n - 1) for i in range(m)):
            continue
        element = np.append(exp[np.arange(n - 1) * step % (n - 1)], 0)
        place = np.argsort(element)
        if is_automorphism(code, place[element ^ 1]) and is_automorphism(code, turned):
            break
    else:
        return
    while True:
        turn, square = rng.integers(n - 1), rng.integers(m)
        moved = np.append((np.arange(n - 1) * 2**square + turn) % (n - 1), n - 1)
        found = place[element[moved] ^ rng.integers(n)]
        yield found, found.tobytes()


def shifting(code: Code, rng: np.random.Generator) -> Iterator[Drawn]:
    """Endless, uniform draws of products of `shifts` and `squarings`: of cyclic and quasi-cyclic codes."""
    tables = [powers_of(one) for one in shifts(code) + squarings(code)]
    while tables:
        found = np.arange(code.n)
        for powers in tables:
            found = powers[rng.integers(len(powers)), found]
        yield found, found.tobytes()


GROUPS: dict[str, Group] = {"affine": affine, "field": over_field, "shifts": shifting}


def drawn(code: Code, count: int, group: str, seed: int) -> Permutation:
    """Distinct automorphisms from a group, (count, n) int64, the identity first.

    Those after which successive cancellation may decide differently come first. Each one is verified.

    Args:
        code: Any code.
        count: How many, 1 or more.
        group: ``affine``, ``field`` or ``shifts``, or ``auto`` for the first of these that has so many.
        seed: Seed of the draws.

    Raises:
        ValueError: If there is no such group, or it has too few automorphisms.

    Example:
        >>> import fecnn
        >>> drawn(fecnn.bch(7, 4), 2, "auto", seed=1)
        array([[0, 1, 2, 3, 4, 5, 6],
               [6, 1, 3, 5, 0, 2, 4]])
    """
    if group not in (*GROUPS, "auto"):
        raise ValueError(f"group must be auto, {', '.join(GROUPS)}, got {group!r}")
    most = 1
    for name in GROUPS if group == "auto" else (group,):
        found = _some(code, count, GROUPS[name](code, np.random.default_rng(seed)))
        if len(found) == count:
            return found
        most = max(most, len(found))
    where = "" if group == "auto" else f" in the group {group}"
    raise ValueError(
        f"an ensemble of {count} needs as many automorphisms, and {code.name} has {most} known{where}, "
        "with the identity"
    )


def _some(code: Code, count: int, draws: Iterator[Drawn]) -> Permutation:
    """Up to ``count`` distinct automorphisms from the first of these draws; the identity is the first."""
    identity = np.arange(code.n)
    first, others = [identity], list[Permutation]()
    seen, kinds, vain = {identity.tobytes()}, set[bytes](), 0
    for _, (found, kind) in zip(range(DRAWS * count), draws, strict=False):
        if len(first) == count or vain == DRAWS * len(seen):
            break
        if found.tobytes() in seen:
            vain += 1
            continue
        vain = 0
        seen.add(found.tobytes())
        if not is_automorphism(code, found):
            raise AssertionError(f"a permutation drawn for {code.name} is not an automorphism")
        (others if kind in kinds else first).append(found)
        kinds.add(kind)
    return np.array((first + others)[:count])
