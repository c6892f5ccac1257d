"""Codewords of low weight: listed exhaustively for small codes, else searched with information sets."""

from dataclasses import dataclass
from itertools import count
from math import comb

import numpy as np

from fecnn.arrays import Bits
from fecnn.codes import gf2
from fecnn.codes.automorphism import Permutation, reach_all, translations
from fecnn.codes.code import Code, per_code
from fecnn.codes.cyclic import is_cyclic
from fecnn.codes.kernels import lightest_sum, lightest_sums, list_sums, short_sums, systematic

MAX_LISTED_DIMENSION = 26
"""Largest k for which all 2**k codewords are enumerated."""

MAX_WORDS = 1 << 18
"""Most words listed."""

MAX_FINDS = 1 << 16
"""Most words taken from one information set."""

MAX_LIGHT = 1 << 17
"""Most words of `light_words`."""

MAX_SUMS = 1 << 32
"""Sums tried by `light_words`, about ten seconds."""

MAX_SETS = 20_000
"""Most information sets tried in a search."""

SIGHTINGS = 12
"""A search without a known total ends when every word, up to cyclic shifts, was found this often."""


@dataclass(frozen=True)
class LowWeightWords:
    """Codewords of low weight.

    words: (N, n) bits, ordered by weight and then as binary numbers, first bit most significant.
    complete: True if it is proved that there are no others: all words were enumerated, or the weight spectrum
        gives this number.
    """

    words: Bits
    complete: bool


@dataclass(frozen=True)
class LightWords:
    """The lightest codewords that could be found, some heavier ones, and how many are certainly all.

    words: (N, n) bits, ordered by weight and then as binary numbers, first bit most significant.
    complete: The weight up to which it is proved that there are no others; 0 if that is not even proved for
        weight 1.
    """

    words: Bits
    complete: int


@per_code
def light_words(code: Code, sums: int = MAX_SUMS) -> LightWords:
    """All nonzero codewords up to the weight that can be proved, and heavier ones as they are met.

    Sums of few rows of generators, systematic on disjoint sets of columns, are enumerated. A word that is no
    such sum has many ones in each set, so it is heavy (Zimmermann 1996; see `distance_bound`). If known
    automorphisms move any bit to every other one, one generator is enough. Each word found yields its images.
    A stated minimum distance is taken as proved. The result is cached per code and therefore read-only.

    Args:
        code: Any code.
        sums: Most sums tried, at least k; 2**32 take about ten seconds.

    Raises:
        ValueError: If ``sums`` is below k, or a word is lighter than the stated minimum distance.

    Example:
        >>> import fecnn
        >>> found = light_words(fecnn.load_code("polar-64-32"), 10**6)
        >>> found.complete, int((found.words.sum(axis=1) == 8).sum())
        (11, 664)
    """
    n, k = code.n, code.k
    if sums < k:
        raise ValueError(f"sums must be at least k = {k} for {code.name}, got {sums}")
    moves = translations(code)
    transitive = reach_all(moves, n)
    bases = [(gf2.rref(code.G)[0], 0)] if transitive else _disjoint_generators(code)
    most = k if 2**k <= sums else 1
    while most < k and len(bases) * sum(comb(k, rows) for rows in range(1, most + 2)) <= sums:
        most += 1
    bases = [(basis, missing) for basis, missing in bases if missing <= most]
    if transitive:
        complete = -(-(most + 1) * n // k) - 1
    else:
        complete = sum(most + 1 - missing for _, missing in bases) - 1
    limit = n
    if most == k:
        complete, bases = n, bases[:1]
    found = []
    for basis, _ in bases:
        sums_found = np.empty((MAX_LIGHT, -(-n // 64)), np.uint64)
        weight, size = lightest_sums(gf2.pack(basis), most, limit, sums_found)
        limit = min(limit, int(weight))
        found.append(gf2.unpack(sums_found[:size], n))
    words, limit = _with_images(np.concatenate(found), moves, limit)
    distance = code.minimum_distance or 1
    if words[0].sum() < distance:
        raise ValueError(
            f"minimum_distance of {code.name} is stated as {distance}, but it has a word of weight "
            f"{words[0].sum()}; leave it out if it is not known"
        )
    words.flags.writeable = False
    return LightWords(words, max(min(complete, limit), distance - 1))


def low_weight_words(code: Code, weight: int | None = None, *, seed: int = 1) -> LowWeightWords:
    """The nonzero codewords of at most this weight; by default, those of minimum weight.

    Small codes are enumerated. Otherwise sums of up to three rows of the generator, made systematic on random
    information sets, are tried (Lee and Brickell, Eurocrypt 1988); in a cyclic code, each word found yields
    its cyclic shifts. The search ends when the weight spectrum (of the code or, by MacWilliams, of its dual)
    says that all are found, or when all words were found so often that others are unlikely.

    Args:
        code: Any code. Words seen by one information set in a thousand are found within seconds.
        weight: Largest weight, 1 to n.
        seed: Seed of the random information sets.

    Raises:
        ValueError: If the weight is not in 1..n, there are more than 2**18 words, or the stated weight
            spectrum is false.

    Example:
        >>> import fecnn
        >>> found = low_weight_words(fecnn.hamming(3))
        >>> len(found.words), found.complete
        (7, True)
    """
    if weight is not None and not 1 <= weight <= code.n:
        raise ValueError(f"weight must be in 1..{code.n} for {code.name}, got {weight}")
    spectrum = _spectrum(code)
    if weight is None and spectrum is not None:
        weight = next(w for w, number in enumerate(spectrum) if w and number)
    total = None if spectrum is None or weight is None else sum(spectrum[1 : weight + 1])
    if total is not None and total > MAX_WORDS:
        raise _too_many(code, f"{total}")
    if code.k <= MAX_LISTED_DIMENSION and weight is not None and total is not None:
        rows, found = gf2.pack(code.G), np.empty((total, -(-code.n // 64)), np.uint64)
        if list_sums(rows, weight, found) != total:
            raise ValueError(
                f"the weight spectrum of {code.name} is false: it does not have {total} words of weight 1 to "
                f"{weight}; leave it out"
            )
        return LowWeightWords(_sorted(gf2.unpack(found, code.n)), True)
    return _hunt(code, weight, total, seed)


@per_code
def low_weight_checks(code: Code, *, seed: int = 1) -> Bits:
    """All least-weight words of the dual code, plus further short ones until they span it: (m, n) bits.

    The result is cached per code and therefore read-only. It is complete as far as `low_weight_words` of the
    dual code is.

    Raises:
        ValueError: If there are more than 2**18.
    """
    if code.n == code.k:
        return code.H
    dual = code.dual
    words = low_weight_words(dual, seed=seed).words
    missing = dual.k - gf2.rank(words)
    if missing == 0:
        words.flags.writeable = False
        return words
    rng = np.random.default_rng(seed)
    bases = [gf2.rref(code.H, order=rng.permutation(code.n).tolist())[0] for _ in range(100)]
    pool = np.concatenate([code.H, *bases])
    pool = pool[np.argsort(pool.sum(axis=1), kind="stable")]
    checks = np.concatenate([words, pool[_independent_of(words, pool)]])
    checks.flags.writeable = False
    return checks


def light_weight(code: Code, sets: int = 10) -> int:
    """The weight of some light codeword: a quick upper bound on the minimum distance.

    It is the least weight of a sum of at most two rows of generators that are systematic on random
    information sets.

    Args:
        code: Any code.
        sets: Number of information sets tried.

    Example:
        >>> import fecnn
        >>> light_weight(fecnn.golay())
        8
    """
    rng = np.random.default_rng(1)
    bases = (gf2.rref(code.G, order=rng.permutation(code.n).tolist())[0] for _ in range(sets))
    return min(int(lightest_sum(gf2.pack(basis), min(2, code.k))) for basis in bases)


def distance_bound(code: Code, sums: int, *, transitive: bool = False) -> int:
    """A proved lower bound on the minimum distance, from sums of at most ``sums`` rows of generators.

    The generators are systematic on disjoint sets of columns, so a word that is no such sum has more than
    ``sums`` ones in each set (Zimmermann 1996). If the lightest sum found is no heavier than this bound, it
    is the minimum distance. For an even code (all weights even) the bound is rounded up.

    Args:
        code: Best with rate at most 1/2, or transitive.
        sums: 1 to k; the cost grows as binomial(k, sums).
        transitive: Set this if automorphisms of the code map every bit to every other one, as the shifts of a
            cyclic code do. One generator is then enough: some image of a word of weight w has at most
            w k / n ones in the k systematic columns.

    Raises:
        ValueError: If ``sums`` is not in 1..k.

    Example:
        >>> import fecnn
        >>> distance_bound(fecnn.golay(), 3)
        8
    """
    if not 1 <= sums <= code.k:
        raise ValueError(f"sums must be in 1..{code.k} rows for {code.name}, got {sums}")
    if transitive:
        lightest = int(lightest_sum(gf2.pack(gf2.rref(code.G)[0]), sums))
        promised = -(-(sums + 1) * code.n // code.k)
    else:
        lightest, promised = code.n, 0
        for basis, missing in _disjoint_generators(code):
            if missing <= sums:
                lightest = min(lightest, int(lightest_sum(gf2.pack(basis), sums)))
                promised += sums + 1 - missing
    if not (code.G.sum(axis=1) % 2).any():
        promised += promised % 2
    return lightest if sums == code.k else min(lightest, promised)


def _disjoint_generators(code: Code) -> list[tuple[Bits, int]]:
    """Generators systematic on disjoint sets of columns, each with its number of ``missing`` rows.

    Missing rows are not systematic. Of a few random column orders, the one with fewest missing rows is taken.
    """
    rng = np.random.default_rng(1)
    best: list[tuple[Bits, int]] = []
    for _ in range(20):
        fresh: list[int] = rng.permutation(code.n).tolist()
        used: list[int] = []
        found: list[tuple[Bits, int]] = []
        while fresh:
            basis, pivots = gf2.rref(code.G, order=fresh + used)
            taken = set(pivots) & set(fresh)
            if not taken:
                break
            found.append((basis, code.k - len(taken)))
            fresh, used = [j for j in fresh if j not in taken], used + sorted(taken)
        if not best or [missing for _, missing in found] < [missing for _, missing in best]:
            best = found
    return best


def _spectrum(code: Code) -> tuple[int, ...] | None:
    try:
        if code.known_spectrum is None and min(code.k, code.n - code.k) > MAX_LISTED_DIMENSION:
            return None
        return code.weight_spectrum()
    except ValueError:
        return None


def _too_many(code: Code, number: str) -> ValueError:
    return ValueError(
        f"{code.name} has {number} words of low weight (at most {MAX_WORDS} are listed); "
        "ask for a lower weight, or use bp with checks='H'"
    )


def _sorted(words: Bits) -> Bits:
    """Sort by weight, then as binary numbers."""
    return words[np.lexsort((*words.T[::-1], words.sum(axis=1)))]


def _independent_of(words: Bits, pool: Bits) -> list[int]:
    """Rows of the pool, in order, that extend ``words`` to the rank of both together."""
    # On the transpose, left-to-right elimination picks each column not spanned by earlier ones.
    basis = gf2.rref(words)[0]
    pivots = gf2.rref(np.concatenate([basis, pool]).T.copy())[1]
    return [pivot - len(basis) for pivot in pivots if pivot >= len(basis)]


def _hunt(code: Code, weight: int | None, total: int | None, seed: int) -> LowWeightWords:
    """Sums of few rows of random systematic generators, until all ``total`` words are found."""
    rng = np.random.default_rng(seed)
    shifts = code.n if is_cyclic(code) else 1
    limit = code.n if weight is None else weight
    orbit_of: dict[int, int] = {}  # maps each word found, and each of its shifts, to its orbit
    met: list[int] = []  # how often each orbit was found
    found = np.empty((MAX_FINDS, -(-code.n // 64)), np.uint64)
    rows = gf2.pack(code.G)
    for tried in count(1):
        basis = rows.copy()
        systematic(basis, rng.permutation(code.n))
        lightest, finds = short_sums(basis, limit, weight is None, found)
        if lightest < limit:
            limit = lightest
            orbit_of, met = {}, []
        for word in _integers(found[:finds]):
            if word not in orbit_of:
                orbit_of |= dict.fromkeys(_orbit(word, code.n, shifts), len(met))
                met.append(0)
            met[orbit_of[word]] += 1
        if len(orbit_of) > MAX_WORDS:
            raise _too_many(code, f"more than {MAX_WORDS}")
        known = total is not None and len(orbit_of) == total
        if known or tried == MAX_SETS or (total is None and met and min(met) >= SIGHTINGS):
            break
    size = 8 * found.shape[1]
    packed = np.frombuffer(b"".join(word.to_bytes(size, "little") for word in orbit_of), "<u8")
    return LowWeightWords(_sorted(gf2.unpack(packed.reshape(-1, found.shape[1]), code.n)), known)


def _with_images(words: Bits, moves: list[Permutation], limit: int) -> tuple[Bits, int]:
    """Words and all their images, at most MAX_LIGHT, by weight; and the weight up to which none is left out.

    Args:
        words: (N, n) bits, perhaps repeated.
        moves: Automorphisms.
        limit: The weight up to which ``words`` has every word, or a word of which it is an image.
    """
    n, weights = words.shape[1], words.sum(axis=1)
    taken: list[Bits] = []
    room = MAX_LIGHT
    for weight in np.unique(weights).tolist():
        fresh = np.unique(np.packbits(words[weights == weight], axis=1), axis=0)
        known = {row.tobytes() for row in fresh}
        while len(fresh) and len(known) <= room:
            bits = np.unpackbits(fresh, axis=1, count=n)
            images = set()
            for move in moves:
                moved = np.empty_like(bits)
                moved[:, move] = bits
                images |= {row.tobytes() for row in np.packbits(moved, axis=1)}
            images -= known
            known |= images
            fresh = np.frombuffer(b"".join(images), np.uint8).reshape(-1, -(-n // 8))
        if len(known) > room and taken:
            return np.concatenate(taken), min(limit, weight - 1)
        rows = np.frombuffer(b"".join(sorted(known)[:room]), np.uint8).reshape(-1, -(-n // 8))
        taken.append(np.unpackbits(rows, axis=1, count=n))
        if len(known) > room:
            return taken[0], min(limit, weight - 1)
        room -= len(known)
    return np.concatenate(taken), limit


def _integers(words: gf2.Words) -> list[int]:
    """Packed words as integers, bit i of a word being bit i."""
    octets = words.astype("<u8", copy=False).tobytes()
    size = 8 * words.shape[1]
    return [int.from_bytes(octets[at : at + size], "little") for at in range(0, len(octets), size)]


def _orbit(word: int, n: int, shifts: int) -> set[int]:
    """The distinct cyclic shifts of a word of n bits, the first ``shifts`` of them."""
    twice, mask = word | word << n, (1 << n) - 1
    return {twice >> i & mask for i in range(shifts)}
