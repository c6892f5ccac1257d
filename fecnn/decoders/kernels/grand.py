"""Guessing random additive noise: try error patterns from the likeliest on until the rest is a codeword.

`sgrand` keeps patterns on a heap. The other searches walk depth-first through patterns of a given weight with
the syndrome that remains at each depth; the last flips must be columns that sum to what remains.

A search ends with the first codeword, or with a `Kept` once enough are listed; it then also sums the
probabilities of the patterns that it tried. Without one, None, these steps cost nothing: they are compiled
away.
"""

from collections import namedtuple

import numpy as np

from fecnn.decoders.kernels.heap import pop, push
from fecnn.decoders.kernels.loops import any_set, sort_places
from fecnn.jit import kernel

Kept = namedtuple("Kept", "words place odds product sums counts rules")
"""The codewords found in a frame, and the probability of what was tried.

words: (L, n) u1; the hard decision in each row, turned where the pattern of that row flips.
place: (n,) i8; the positions of the places that patterns are made of.
odds: (n,) f8; of each place, that its bit is wrong: exp(-abs(llr)).
product: (n + 1,) f8; of the odds of the flips down to each depth.
sums: (5,) f8; products of odds of tried patterns with an even number of flips above 0, and with an odd one;
    of those that are listed; the probability of no flip; that of all other patterns that the code allows.
counts: (4,) i8; words listed, tried patterns of even and of odd weight, and which of these two the code
    allows (-1: both).
rules: (5,) f8; 1 for a code without words of odd weight, else 0; the probability of a lost word at which a
    list is good enough; 1 / 2^k; 1 over the number of patterns that the code allows; 2^k over this number.
"""

CHECK_EVERY = 64
"""Queries between two looks at whether the list is good enough; a power of 2."""

LEAST_SHARE = 1e-12
"""The remaining probability is a difference; as a smaller share than this it is only rounding."""


@kernel
def grand(llr, columns, queries, ranked, line, out, used, found):
    """Undo the first pattern, by rising weight, that has the syndrome of the hard decision.

    llr (B, n) f4; columns (n, W) u8; ``ranked``: order patterns by the sum of their ranks of reliability (the
    least reliable bit has rank 1), plus the `intercept` for each flip if ``line``; else by how many bits they
    flip, earlier bits first.
    Out: (B, n) u1; used (B,) i8 patterns tried; found (B,) b1, False if ``queries`` did not suffice, which
    leaves the hard decision.
    """
    scratch = _new_scratch(columns)
    place, flips = scratch.place, scratch.flips
    for frame in range(len(llr)):
        _harden(llr, frame, columns, scratch, out[frame])
        if not any_set(scratch.rest[0]):
            used[frame], found[frame] = 1, True
            continue
        if ranked:
            sort_places(scratch.reliability, place, scratch.spare)  # stable: ties go by position
        count, spent = _walk(scratch, columns, ranked, line, queries, None)
        used[frame], found[frame] = spent, count > 0
        for i in range(count):
            out[frame, place[flips[i]]] ^= 1


@kernel
def grand_list(llr, columns, queries, ranked, line, rules, words, held, used, rest, density):
    """List the first codewords that `grand` comes to, until there are L or they are as good as certain.

    The first five arguments are those of `grand`; rules: as in `Kept`. Out: words (B, L, n) u1, of which the
    first held (B,) i8 hold; used (B,) i8 patterns tried; rest (B,) f8 the probability of all others that the
    code allows, 0 where it is lost in rounding; density (B,) f8 the share of codewords among them.
    """
    frames, n = llr.shape
    scratch = _new_scratch(columns)
    place = scratch.place
    odds, product = np.empty(n, np.float64), np.empty(n + 1, np.float64)
    sums, counts = np.empty(5, np.float64), np.empty(4, np.int64)
    for frame in range(frames):
        kept = Kept(words[frame], place, odds, product, sums, counts, rules)
        _harden(llr, frame, columns, scratch, words[frame, 0])
        if ranked:
            sort_places(scratch.reliability, place, scratch.spare)
        _begin(kept, scratch.reliability)
        hit = not any_set(scratch.rest[0])
        if hit:
            _keep(kept, scratch.flips, np.int64(0))
        spent = np.int64(1)
        if not _ends(kept, hit, spent):
            _, spent = _walk(scratch, columns, ranked, line, queries, kept)
        used[frame], held[frame] = spent, counts[0]
        rest[frame], density[frame] = _rest(kept), _density(kept)


Scratch = namedtuple("Scratch", "rest ordered reliability place spare flips")
"""Memory for a search.

rest: (n + 1, W) u8; the syndrome that remains at each depth.
ordered: (n, W) u8; columns in order of reliability.
reliability: (n,) f8.
place, spare: (n,) i8; positions in order, at first the natural one.
flips: (n,) i8; the places that the pattern flips.
"""


@kernel
def _new_scratch(columns):
    n, words = columns.shape
    place = np.empty(n, np.int64)
    for j in range(n):
        place[j] = j
    return Scratch(
        np.empty((n + 1, words), np.uint64),
        np.empty((n, words), np.uint64),
        np.empty(n, np.float64),
        place,
        np.empty(n, np.int64),
        np.empty(n, np.int64),
    )


@kernel(borrows=True)
def _harden(llr, frame, columns, scratch, word):
    """The hard decision of a frame, its reliabilities, and its syndrome at depth 0."""
    rest, reliability = scratch.rest, scratch.reliability
    rest[0] = np.uint64(0)
    for j in range(len(word)):
        reliability[j] = abs(np.float64(llr[frame, j]))
        word[j] = llr[frame, j] < 0
        if word[j]:
            for i in range(rest.shape[1]):
                rest[0, i] ^= columns[j, i]


@kernel
def _walk(scratch, columns, ranked, line, queries, kept):
    """Search from the pattern without flips on: how many flips (0 if none fits), and patterns tried."""
    rest, ordered, reliability, place, _, flips = scratch
    if not ranked:
        return _by_hamming_weight(rest, columns, queries, flips, kept)
    for rank in range(len(columns)):
        for word in range(columns.shape[1]):
            ordered[rank, word] = columns[place[rank], word]
    extra = intercept(reliability, place) if line else np.int64(0)
    return _by_rank(rest, ordered, extra, queries, flips, kept)


@kernel(borrows=True)
def _begin(kept, reliability):
    """Start a frame: words[0] is its hard decision, and all places are known."""
    sums, counts = kept.sums, kept.counts
    parity = np.int64(0)
    for j in range(kept.words.shape[1]):
        parity ^= np.int64(kept.words[0, j])
        for row in range(1, len(kept.words)):
            kept.words[row, j] = kept.words[0, j]
    none, even, odd = 1.0, 0.0, 0.0
    for j in range(len(kept.odds)):
        kept.odds[j] = np.exp(-reliability[kept.place[j]])
        wrong = kept.odds[j] / (1.0 + kept.odds[j])
        odd, even = odd * (1.0 - wrong) + (none + even) * wrong, even * (1.0 - wrong) + odd * wrong
        none *= 1.0 - wrong
    kept.product[0] = 1.0
    allowed = parity if kept.rules[0] > 0 else np.int64(-1)
    sums[0], sums[1], sums[2], sums[3] = 0.0, 0.0, 0.0, none
    sums[4] = odd if allowed == 1 else (even if allowed == 0 else even + odd)
    counts[0], counts[1], counts[2], counts[3] = 0, 1, 0, allowed  # the pattern without flips is tried


@kernel(borrows=True)
def _extend(kept, depth, j):
    """Flip place j at this depth."""
    if kept is not None:
        kept.product[depth + 1] = kept.product[depth] * kept.odds[j]


@kernel(borrows=True)
def _weigh(kept, depth, i, j, weight):
    """Count a pattern that is tried: the flips down to a depth, place i, and j unless it is negative."""
    if kept is not None:
        odds = kept.product[depth] * kept.odds[i]
        if j >= 0:
            odds *= kept.odds[j]
        kept.sums[weight & 1] += odds
        kept.counts[1 + (weight & 1)] += 1


@kernel(borrows=True)
def _keep(kept, flips, weight):
    """List the word of these flips."""
    if kept is not None:
        odds, row = 1.0, kept.counts[0]
        for i in range(weight):
            kept.words[row, kept.place[flips[i]]] ^= 1
            odds *= kept.odds[flips[i]]
        kept.sums[2] += odds
        kept.counts[0] += 1


@kernel(borrows=True)
def _ends(kept, hit, spent):
    """Whether the search is over after a pattern, which is a hit or not."""
    if kept is None:
        return hit
    if not hit and ((spent & (CHECK_EVERY - 1)) != 0 or kept.counts[0] == 0):
        return False
    density = _density(kept)
    if kept.counts[0] == len(kept.words) or density == 0.0:
        return True
    others = max(_rest(kept), LEAST_SHARE * kept.sums[4]) * density
    return others < kept.rules[1] * (kept.sums[3] * kept.sums[2] + others)


@kernel(borrows=True)
def _rest(kept):
    """The probability of the patterns that were not tried and that the code allows."""
    allowed, sums = kept.counts[3], kept.sums
    tried = sums[0] + sums[1] if allowed < 0 else sums[allowed]
    rest = sums[4] - sums[3] * tried
    return rest if rest > LEAST_SHARE * sums[4] else 0.0


@kernel(borrows=True)
def _density(kept):
    """The share of codewords among the patterns that were not tried: (2^k - listed) / (2^n - tried)."""
    allowed, counts, rules = kept.counts[3], kept.counts, kept.rules
    tried = counts[1] + counts[2] if allowed < 0 else counts[1 + allowed]
    left = 1.0 - counts[0] * rules[2]
    return left / (1.0 - tried * rules[3]) * rules[4] if left > 0.0 else 0.0


@kernel
def _by_hamming_weight(rest, columns, queries, flips, kept):
    """Fill in the pattern that ends the search: how many flips (0 if none does), and patterns tried."""
    n = len(columns)
    following = np.empty(n, np.int64)
    spent = 1  # the pattern without flips
    for weight in range(1, n + 1):
        depth = np.int64(0)
        following[0] = 0
        while depth >= 0:
            j = following[depth]
            if j > n - (weight - depth):
                depth -= 1
                continue
            if depth == weight - 1:
                for last in range(j, n):
                    if spent == queries:
                        return 0, spent
                    spent += 1
                    _weigh(kept, depth, last, np.int64(-1), weight)
                    hit = _equal(rest, depth, columns, last)
                    if hit:
                        flips[depth] = last
                        _keep(kept, flips, weight)
                    if _ends(kept, hit, spent):
                        return weight, spent
                depth -= 1
                continue
            following[depth] = j + 1
            flips[depth] = j
            _take(rest, depth, columns, j)
            _extend(kept, depth, j)
            depth += 1
            following[depth] = j + 1
    return 0, spent


@kernel
def intercept(reliability, place):
    """J of the line through the least and the middle reliability, (J + rank) times the slope, rounded.

    Above n (n + 1) / 2 it makes no difference: patterns are then in order of their flips.
    """
    n = len(place)
    half = (n + 1) // 2
    least, middle = reliability[place[0]], reliability[place[half - 1]]
    most = n * (n + 1) // 2
    if half == 1 or least == 0:
        return np.int64(0)
    if least * (half - 1) >= (most + 1) * (middle - least):
        return np.int64(most)
    return np.int64(max(np.floor(least * (half - 1) / (middle - least) - 0.5), 0.0))


@kernel
def _by_rank(rest, ordered, extra, queries, flips, kept):
    """The same, by the sum of ranks 1 to n, plus ``extra`` for each: few flips first among equals.

    The ranks of a pattern are a partition of its sum into distinct parts.
    """
    n = len(ordered)
    spent = np.int64(1)
    for total in range(extra + 1, n * extra + n * (n + 1) // 2 + 1):
        if total <= n + extra:
            if spent == queries:
                return 0, spent
            spent += 1
            rank = total - extra - 1
            _weigh(kept, np.int64(0), rank, np.int64(-1), np.int64(1))
            hit = _equal(rest, np.int64(0), ordered, rank)
            if hit:
                flips[0] = rank
                _keep(kept, flips, np.int64(1))
            if _ends(kept, hit, spent):
                return 1, spent
        weight = np.int64(2)
        while weight <= n and weight * (weight + 1) // 2 + weight * extra <= total:
            logistic = total - weight * extra
            if 2 * logistic <= weight * (2 * n + 1 - weight):
                over, spent = _partitions(logistic, weight, rest, ordered, spent, queries, flips, kept)
                if over:
                    return weight, spent
                if spent == queries:
                    return 0, spent
            weight += 1
    return 0, spent


@kernel
def _partitions(logistic, weight, rest, ordered, spent, queries, flips, kept):
    """Try all sets of ``weight`` at least 2 ranks with this sum: whether one ends it, and patterns tried."""
    n = len(ordered)
    following = np.empty(weight, np.int64)  # the next part to try at each depth
    left = np.empty(weight, np.int64)  # what the parts from there on must sum to
    depth = np.int64(0)
    left[0] = logistic
    following[0] = _least_part(depth, logistic, weight, n)
    while depth >= 0:
        part, parts = following[depth], weight - depth
        if parts == 2:
            while 2 * part < left[depth]:
                if spent == queries:
                    return False, spent
                spent += 1
                last = left[depth] - part
                _weigh(kept, depth, part - 1, last - 1, weight)
                hit = _sum_is(rest, depth, ordered, part - 1, last - 1)
                if hit:
                    flips[depth], flips[depth + 1] = part - 1, last - 1
                    _keep(kept, flips, weight)
                if _ends(kept, hit, spent):
                    return True, spent
                part += 1
            depth -= 1
        elif part > n or part * parts + parts * (parts - 1) // 2 > left[depth]:
            depth -= 1
        else:
            following[depth] = part + 1
            flips[depth] = part - 1
            _take(rest, depth, ordered, part - 1)
            _extend(kept, depth, part - 1)
            left[depth + 1] = left[depth] - part
            depth += 1
            following[depth] = _least_part(part, left[depth], parts - 1, n)
    return False, spent


@kernel(borrows=True)
def _least_part(before, total, parts, n):
    """The least part above ``before`` that the parts after it, at most n each, can complete to the total."""
    rest = parts - 1
    return max(before + 1, total - (rest * n - rest * (rest - 1) // 2))


@kernel(borrows=True)
def _equal(rest, depth, columns, j):
    for word in range(columns.shape[1]):
        if rest[depth, word] != columns[j, word]:
            return False
    return True


@kernel(borrows=True)
def _sum_is(rest, depth, columns, i, j):
    for word in range(columns.shape[1]):
        if rest[depth, word] != columns[i, word] ^ columns[j, word]:
            return False
    return True


@kernel(borrows=True)
def _take(rest, depth, columns, j):
    for word in range(columns.shape[1]):
        rest[depth + 1, word] = rest[depth, word] ^ columns[j, word]


@kernel
def sgrand(llr, columns, queries, out, used, found):
    """Undo the least costly pattern that has the syndrome of the hard decision; arguments as for `grand`."""
    frames = len(llr)
    scratch, tree = _new_scratch(columns), _new_tree(columns, queries)
    place = scratch.place
    for frame in range(frames):
        _harden(llr, frame, columns, scratch, out[frame])
        sort_places(scratch.reliability, place, scratch.spare)
        at, hit, spent = _by_cost(scratch, columns, tree, queries, None)
        used[frame], found[frame] = spent, hit
        while hit and at > 0:
            out[frame, place[tree.last[at]]] ^= 1
            at = tree.before[at]


@kernel
def sgrand_list(llr, columns, queries, rules, words, held, used, rest, density):
    """List the least costly codewords, as `grand_list` does those that come first."""
    frames, n = llr.shape
    scratch, tree = _new_scratch(columns), _new_tree(columns, queries)
    place = scratch.place
    odds, product = np.empty(n, np.float64), np.empty(n + 1, np.float64)
    sums, counts = np.empty(5, np.float64), np.empty(4, np.int64)
    for frame in range(frames):
        kept = Kept(words[frame], place, odds, product, sums, counts, rules)
        _harden(llr, frame, columns, scratch, words[frame, 0])
        sort_places(scratch.reliability, place, scratch.spare)
        _begin(kept, scratch.reliability)
        _, _, spent = _by_cost(scratch, columns, tree, queries, kept)
        used[frame], held[frame] = spent, counts[0]
        rest[frame], density[frame] = _rest(kept), _density(kept)


Tree = namedtuple("Tree", "heap cost last before rest")
"""The patterns of `sgrand`.

heap: (Q + 1, 2) f8; cost and pattern of those that wait.
cost, last: (2 Q + 1,) f8 and i8; of each pattern, and its last flip.
before: (2 Q + 1,) i8; the pattern without its last flip.
rest: (2 Q + 1, W) u8; the syndrome that remains.
"""


@kernel
def _new_tree(columns, queries):
    tree = Tree(
        np.empty((queries + 1, 2), np.float64),
        np.empty(2 * queries + 1, np.float64),
        np.empty(2 * queries + 1, np.int64),
        np.empty(2 * queries + 1, np.int64),
        np.empty((2 * queries + 1, columns.shape[1]), np.uint64),
    )
    tree.cost[0], tree.last[0], tree.before[0] = 0.0, -1, -1  # no flip
    return tree


@kernel(borrows=True)
def _by_cost(scratch, columns, tree, queries, kept):
    """Try patterns by rising cost: the last one, whether it leaves no syndrome, and how many were tried.

    A pattern of ranks that ends in j has two successors, which cost no less: j + 1 instead of j, or added.
    Each pattern is the successor of one other, so all patterns come in order of cost.
    """
    reliability, place, flips = scratch.reliability, scratch.place, scratch.flips
    heap, cost, last, before, rest = tree
    n = len(columns)
    for word in range(columns.shape[1]):
        rest[0, word] = scratch.rest[0, word]
    spent, made, waiting = np.int64(1), np.int64(1), np.int64(0)
    at, hit = np.int64(0), not any_set(rest[0])
    if hit:
        _keep(kept, flips, np.int64(0))
    while not _ends(kept, hit, spent) and spent < queries:
        following = last[at] + 1
        if following < n:
            for stem in (before[at], at):
                if stem >= 0:
                    cost[made] = cost[stem] + reliability[place[following]]
                    last[made], before[made] = following, stem
                    for word in range(columns.shape[1]):
                        rest[made, word] = rest[stem, word] ^ columns[place[following], word]
                    waiting = push(heap, waiting, cost[made], np.float64(made))
                    made += 1
        if not waiting:
            return at, False, spent
        at = np.int64(heap[0, 1])
        waiting = pop(heap, waiting)
        spent += 1
        hit = not any_set(rest[at])
        _weigh_way(kept, tree, at, hit, flips)
    return at, hit, spent


@kernel(borrows=True)
def _weigh_way(kept, tree, at, hit, flips):
    """Count a pattern of the tree, and list it if it is a hit."""
    if kept is not None:
        odds, weight = np.exp(-tree.cost[at]), np.int64(0)
        while at > 0:
            flips[weight] = tree.last[at]
            weight += 1
            at = tree.before[at]
        kept.sums[weight & 1] += odds
        kept.counts[1 + (weight & 1)] += 1
        if hit:
            _keep(kept, flips, weight)
