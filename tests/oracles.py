"""Slow, obvious twins of everything fast: float64, no cleverness."""

import math
from itertools import combinations, product

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq, minimize
from scipy.special import betainc, erf, gammainc, gammaincc, logsumexp
from scipy.stats import binom, norm

from fecnn.arrays import bpsk


def correlations(code, llr):
    """(B, 2^k): the correlation of each frame with each codeword."""
    return llr.astype(np.float64) @ bpsk(code.codebook()).astype(np.float64).T


def metric(words, llr):
    """(B,): the correlation of each frame with its own word."""
    return (bpsk(words).astype(np.float64) * llr).sum(axis=1)


def ml(code, llr):
    return code.codebook()[correlations(code, llr).argmax(axis=1)]


def discrepancies(code, llr):
    """(B, 2^k): the sum of |llr| where each codeword differs from the hard decision."""
    size, hard = np.abs(llr.astype(np.float64)), llr < 0
    return np.array([(code.codebook() != h) @ s for s, h in zip(size, hard, strict=True)])


def best(code, llr, size):
    """The ``size`` codewords of least discrepancy, and these: (B, size, n) and (B, size)."""
    found = discrepancies(code, llr)
    order = np.argsort(found, axis=1, kind="stable")[:, :size]
    return code.codebook()[order], np.take_along_axis(found, order, axis=1)


def app(code, llr, bits):
    """A-posteriori LLRs of ``bits``, (2^k, t), one row a message."""
    log_weight = correlations(code, llr) / 2
    out = np.empty((len(llr), bits.shape[1]))
    for j in range(bits.shape[1]):
        zero, one = bits[:, j] == 0, bits[:, j] == 1
        out[:, j] = (logsumexp(log_weight[:, zero], axis=1) if zero.any() else -np.inf) - (
            logsumexp(log_weight[:, one], axis=1) if one.any() else -np.inf
        )
    return out


def osd(code, llr, order):
    """Textbook OSD: re-encode the most reliable basis with every pattern of at most ``order`` flips."""
    lists = [(osd_words(code, values, order), values) for values in llr]
    return np.array([words[metric(words, values).argmax()] for words, values in lists], np.uint8)


def pb_osd(code, values, order, promise=0.001, success=0.99):
    """PB-OSD of one frame as published: the word, all patterns tried, and how surely the word is right.

    Yue et al. (2021), with the thresholds of the first author's program. The pattern of order 0 counts.
    """
    n, k = code.n, code.k
    by_reliability = np.argsort(np.abs(values), kind="stable")[::-1]
    basis = most_reliable_basis(code.G, by_reliability)
    checks = [j for j in by_reliability if j not in basis]
    encode, decided = systematic_on(code.G, basis), (values < 0).astype(int)
    sizes = np.abs(values.astype(np.float64))
    wrong = 1 / (1 + np.exp(sizes))
    at_most = binom(k, wrong[basis].mean())
    patterns = [flips for weight in range(order + 1) for flips in combinations(range(k - 1, -1, -1), weight)]
    least = promise * np.sqrt(at_most.sf(order) / len(patterns))
    number = wrong[checks].sum()
    right_checks = norm(number, np.sqrt(number * (1 - number / (n - k))))
    other_checks = norm((n - k) / 2, np.sqrt((n - k) / 4))
    best, tried, found, surely = np.inf, 0, None, 0.0
    for flips in patterns:
        price = sizes[basis][list(flips)].sum()
        if price > best:
            continue
        flips_right = np.exp(-price) * (1 - wrong[basis]).prod()
        fewer = (best - price) / sizes[checks].mean()
        promising = flips_right * right_checks.cdf(fewer) + (1 - flips_right) * other_checks.cdf(fewer)
        if promising < least:
            continue
        tried += 1
        word = (decided[basis] ^ np.isin(np.arange(k), flips)) @ encode % 2
        total = sizes[word != decided].sum()
        if total < best:
            best, found = total, word
            checks_right = np.exp(-(total - price)) * (1 - wrong[checks]).prod()
            right = flips_right * checks_right
            surely = right / (right + (1 - flips_right) * 2.0 ** (k - n))
            if surely > success * at_most.cdf(order):
                break
    return found, tried, surely


def osd_words(code, values, order):
    """The words that OSD tries for one frame."""
    by_reliability = np.argsort(np.abs(values), kind="stable")
    basis = most_reliable_basis(code.G, by_reliability[::-1])
    encode = systematic_on(code.G, basis)
    decided = (values < 0).astype(int)[basis]
    patterns = [flips for weight in range(order + 1) for flips in combinations(range(code.k), weight)]
    flipped = np.array([np.isin(np.arange(code.k), flips) for flips in patterns])
    return ((decided ^ flipped) @ encode % 2).astype(np.uint8)


def most_reliable_basis(G, order):
    """The first k independent columns of G in the given order."""
    chosen = []
    for j in order:
        if real_rank_gf2(G[:, [*chosen, int(j)]]) == len(chosen) + 1:
            chosen.append(int(j))
    return chosen


def systematic_on(G, basis):
    """G with the identity in the columns ``basis``: row by row elimination on integers."""
    rows = G.astype(int).copy()
    for i, j in enumerate(basis):
        pivot = next(r for r in range(i, len(rows)) if rows[r, j])
        rows[[i, pivot]] = rows[[pivot, i]]
        for r in range(len(rows)):
            if r != i and rows[r, j]:
                rows[r] = (rows[r] + rows[i]) % 2
    return rows


def real_rank_gf2(matrix):
    """Rank by counting: a matrix of rank r maps 2^c vectors onto 2^r."""
    rows = [int("".join(map(str, column)), 2) for column in matrix.T.tolist()]
    span = {0}
    for row in rows:
        span |= {row ^ other for other in span}
    return (len(span) - 1).bit_length()


def bounded_distance(code, llr, t):
    """The codeword within t of the hard decision, else the hard decision."""
    book = code.codebook()
    out = (llr < 0).astype(np.uint8)
    for frame, word in enumerate(out.copy()):
        distances = (book != word).sum(axis=1)
        if distances.min() <= t:
            out[frame] = book[distances.argmin()]
    return out


def philox(key, purpose, block):
    """Philox-4x32-10 of one counter, on Python integers."""
    a, b, c, d = block & 0xFFFFFFFF, block >> 32, int(key[2]), int(purpose)
    k0, k1 = int(key[0]), int(key[1])
    for _ in range(10):
        left, right = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (right >> 32) ^ b ^ k0, right & 0xFFFFFFFF, (left >> 32) ^ d ^ k1, left & 0xFFFFFFFF
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return a, b, c, d


def box_muller(first, second):
    """Two Gaussians from two words, in float64: the top two bits of the second are the quadrant."""
    radius = np.sqrt(-2 * np.log((first + 0.5) / 2.0**32))
    fraction = second % 2**30 / 2.0**30  # of a quarter turn, from its middle on and wrapped
    angle = (second >> 30) * np.pi / 2 + (fraction if fraction < 0.5 else fraction - 1) * np.pi / 2
    return radius * np.cos(angle), radius * np.sin(angle)


def bp(H, llr, rule, iterations, *, scale=1.0, offset=0.0, layered=False, damping=0.0):
    """Posterior LLRs of belief propagation, message by message in float64, saturated at 1e30."""
    llr = np.clip(llr.astype(np.float64), -1e30, 1e30)
    out = np.empty_like(llr)
    for frame, channel in enumerate(llr):
        total = channel.copy()
        message = np.zeros(H.shape)
        for _ in range(iterations):
            following = channel.copy()
            for check, row in enumerate(H):
                ones = np.flatnonzero(row)
                incoming = np.clip(total[ones] - message[check, ones], -1e30, 1e30)
                for i, j in enumerate(ones):
                    new = scale * check_node(np.delete(incoming, i), rule, offset)
                    new = (1 - damping) * new + damping * message[check, j]
                    message[check, j] = new
                    following[j] += new
                    if layered:
                        total[j] = incoming[i] + new
            if not layered:
                total = following
        out[frame] = total
    return out


def bp_int8(H, llr, iterations, *, scale=256, offset=0, layered=False):
    """Posteriors of min-sum in integers of -127 to 127, message by message; scale in 256ths."""

    def cut(value):
        return max(-127, min(127, value))

    out = np.empty(llr.shape, int)
    for frame, channel in enumerate(llr.tolist()):
        channel = [cut(value) for value in channel]
        total, message = channel.copy(), np.zeros(H.shape, int).tolist()
        for _ in range(iterations):
            following = channel.copy()
            for check, row in enumerate(H):
                ones = np.flatnonzero(row).tolist()
                incoming = [cut(total[j] - message[check][j]) for j in ones]
                for i, j in enumerate(ones):
                    others = incoming[:i] + incoming[i + 1 :]
                    size = max(min(map(abs, others), default=1000) - offset, 0)
                    new = min((scale * size + 128) >> 8, 127)
                    message[check][j] = -new if sum(value < 0 for value in others) % 2 else new
                    following[j] = cut(following[j] + message[check][j])
                    if layered:
                        total[j] = cut(incoming[i] + message[check][j])
            if not layered:
                total = following
        out[frame] = total
    return out


def check_node(incoming, rule, offset):
    if len(incoming) == 0:
        return 1e30
    if rule == "min-sum":
        return np.prod(np.where(incoming < 0, -1, 1)) * max(np.abs(incoming).min() - offset, 0)
    total = incoming[0]
    for value in incoming[1:]:
        total = box_plus(total, value)
    return total


def box_plus(a, b):
    """The LLR of the sum of two bits: 2 atanh(tanh(a/2) tanh(b/2)), without loss for large values."""
    if abs(a) < 1 or abs(b) < 1:
        return 2 * np.arctanh(np.tanh(a / 2) * np.tanh(b / 2))
    least = min(abs(a), abs(b))
    return np.sign(a) * np.sign(b) * (least + np.log1p(np.exp(-abs(a) - abs(b)))) - np.sign(a * b) * np.log1p(
        np.exp(-abs(abs(a) - abs(b)))
    )


def frozen_sums(code):
    """Of each input of a polar transform, the earlier ones whose sum it always is; None if it is free."""
    F = np.ones((1, 1), np.uint8)
    while len(F) < code.n:
        F = np.kron(F, np.array([[1, 0], [1, 1]], np.uint8))
    columns = [int("".join(map(str, column)), 2) for column in (code.G @ F % 2).T]
    basis, sums = [], []
    for i, column in enumerate(columns):
        used = {i}
        for pivot, vector, inputs in basis:
            if column & pivot:
                column, used = column ^ vector, used ^ inputs
        if column:
            basis.append((1 << (column.bit_length() - 1), column, used))
        sums.append(None if column else sorted(used - {i}))
    return sums


def scl(code, frozen, llr, paths, exact, sums=None):
    """The textbook: every path's LLR of bit i by recursion over its decided bits; the best that checks.

    A frozen bit is zero, or the sum of earlier ones.
    """
    n = code.n
    out = np.empty(llr.shape, np.uint8)
    F = np.ones((1, 1), np.uint8)
    while len(F) < n:
        F = np.kron(F, np.array([[1, 0], [1, 1]], np.uint8))
    for frame, channel in enumerate(llr.astype(np.float64)):
        alive = [(0.0, [])]
        for i in range(n):
            extended = []
            for metric, u in alive:
                value = bit_llr(channel, u, exact)
                known = sum(u[j] for j in sums[i]) % 2 if sums and frozen[i] else 0
                for bit in [known] if frozen[i] else [0, 1]:
                    against = -value if bit == 0 else value
                    penalty = np.logaddexp(0, against) if exact else max(against, 0)
                    extended.append((metric + penalty, [*u, bit]))
            alive = sorted(extended, key=lambda path: path[0])[:paths]
        words = [np.array(u) @ F % 2 for _, u in alive]
        clean = [word for word in words if not (code.H.astype(int) @ word % 2).any()]
        out[frame] = (clean or words)[0]
    return out


def sc_int8(sums, llr):
    """The textbook in integers of -127 to 127, in terms of errors: subtrees of free bits by hard decisions.

    sums: Of each input, None if it is free, else the earlier ones that it is the sum of.
    """
    out = np.empty(llr.shape, np.uint8)
    F = np.ones((1, 1), np.uint8)
    while len(F) < len(sums):
        F = np.kron(F, np.array([[1, 0], [1, 1]], np.uint8))
    for frame, channel in enumerate(llr.astype(int)):
        hard = channel < 0
        size = np.minimum(abs(channel), 127)
        size = np.sign(size) if len(set(size) - {0}) == 1 else size
        u_of_hard, u = (hard @ F % 2).tolist(), []
        out[frame] = hard ^ _errors(size.tolist(), sums, u_of_hard, u, F)
    return out


def _errors(values, sums, u_of_hard, u, F):
    """The word of errors in the subtree that begins with the next input; the inputs are added to ``u``."""
    here, half = slice(len(u), len(u) + len(values)), len(values) // 2
    if all(sum_ is None for sum_ in sums[here]):
        word = np.array([value < 0 for value in values])
        u += ((word @ F[: len(word), : len(word)] + u_of_hard[here]) % 2).tolist()
        return word
    if not half:
        u.append(sum(u[j] for j in sums[len(u)]) % 2)
        return np.array([u[-1] != u_of_hard[len(u) - 1]])
    pairs = list(zip(values[:half], values[half:], strict=True))
    left = _errors([_sign(a) * _sign(b) * min(abs(a), abs(b)) for a, b in pairs], sums, u_of_hard, u, F)
    sums_of_pairs = [b - a if one else b + a for (a, b), one in zip(pairs, left, strict=True)]
    right = _errors([max(-127, min(127, value)) for value in sums_of_pairs], sums, u_of_hard, u, F)
    return np.concatenate([left ^ right, right])


def _sign(value):
    return -1 if value < 0 else 1


def fano(code, sums, llr, delta, most):
    """Fano's flow chart, thresholds in steps of delta: words, visits, and whether they were enough.

    The bias is the cutoff rate of erasure channels, of which the first has that of the code.
    """
    n = code.n
    erasures = [2 ** (1 - code.k / n) - 1]
    while len(erasures) < n:
        erasures = [e for z in erasures for e in (2 * z - z * z, z * z)]
    F = np.ones((1, 1), np.uint8)
    while len(F) < n:
        F = np.kron(F, np.array([[1, 0], [1, 1]], np.uint8))
    out, visits, complete = np.empty(llr.shape, np.uint8), [], []
    for frame, channel in enumerate(llr.astype(np.float64)):
        choices = {}  # of each path, its branches, the best first: their bit and metric

        def branches(u, before, channel=channel, choices=choices):
            if tuple(u) not in choices:
                value, sum_ = bit_llr(channel, u, True), sums[len(u)]
                bits = sorted([0, 1], key=lambda bit: -value if bit else value, reverse=True)
                bits = bits if sum_ is None else [sum(u[j] for j in sum_) % 2]
                bias = 1 - np.log2(1 + erasures[len(u)])
                gains = [1 - np.logaddexp(0, value if bit else -value) / np.log(2) - bias for bit in bits]
                choices[tuple(u)] = [(bit, before + gain) for bit, gain in zip(bits, gains, strict=True)]
            return choices[tuple(u)]

        u, metrics, turns, threshold, turn, count = [], [0.0], [], 0.0, 0, 0
        while len(u) < n:
            bit, ahead = branches(u, metrics[-1])[turn]
            if ahead >= threshold or count >= most:
                first = metrics[-1] < threshold + delta
                u, metrics, turns = [*u, bit], [*metrics, ahead], [*turns, turn]
                while first and ahead >= threshold + delta:
                    threshold += delta
                turn, count = 0, count + 1
                continue
            while True:
                if not u or metrics[-2] < threshold:
                    threshold, turn = threshold - delta, 0
                    break
                last = turns[-1]
                u, metrics, turns = u[:-1], metrics[:-1], turns[:-1]
                if last + 1 < len(branches(u, metrics[-1])):
                    turn = last + 1
                    break
        out[frame] = np.array(u) @ F % 2
        visits.append(count)
        complete.append(count <= most)
    return out, np.array(visits), np.array(complete)


def bit_llr(channel, u, exact):
    """LLR of bit len(u) given the bits before it."""
    n = len(channel)
    if n == 1:
        return channel[0]
    first, second = channel[: n // 2], channel[n // 2 :]
    if len(u) < n // 2:
        joined = [
            box_plus(a, b) if exact else check_node(np.array([a, b]), "min-sum", 0)
            for a, b in zip(first, second, strict=True)
        ]
        return bit_llr(np.array(joined), u, exact)
    left = np.array(u[: n // 2])
    for half in (1 << s for s in range((n // 2).bit_length() - 1)):
        pairs = left.reshape(-1, 2, half)
        pairs[:, 0] ^= pairs[:, 1]
    return bit_llr(second + np.where(left, -1, 1) * first, u[n // 2 :], exact)


def chase2(code, llr, positions, t):
    """(B, n): the best codeword within t of the hard decision with any flips of the weakest positions."""
    book = code.codebook()
    out = (llr < 0).astype(np.uint8)
    for frame, values in enumerate(llr):
        candidates = chase_candidates(book, values, positions, t)
        if len(candidates):
            out[frame] = candidates[metric(candidates, values).argmax()]
    return out


def chase_candidates(book, values, positions, t):
    weakest = np.argsort(np.abs(values), kind="stable")[:positions]
    found = []
    for pattern in range(2**positions):
        word = (values < 0).astype(np.uint8)
        word[weakest] ^= np.array([pattern >> i & 1 for i in range(positions)], np.uint8)
        distance = (book != word).sum(axis=1)
        if distance.min() <= t:
            found.append(book[distance.argmin()])
    return np.array(found, np.uint8)


def max_log_app(candidates, values):
    """Per bit, the best log-likelihood of a candidate with a 0 less that of one with a 1, inf if none has."""
    out = np.empty(len(values))
    value = metric(candidates, values.astype(np.float64))
    for j in range(len(values)):
        zero, one = candidates[:, j] == 0, candidates[:, j] == 1
        out[j] = (value[zero].max() if zero.any() else -np.inf) - (value[one].max() if one.any() else -np.inf)
    return out / 2


def grand(code, llr, queries, ranked, line=False):
    """Try all patterns in order: (B, n) bits and (B,) patterns tried, -1 where queries ran out."""
    n = code.n
    patterns = [flips for weight in range(n + 1) for flips in combinations(range(n), weight)]
    out, used = (llr < 0).astype(np.uint8), np.full(len(llr), -1)
    for frame, values in enumerate(llr):
        order = np.argsort(np.abs(values), kind="stable") if ranked else np.arange(n)
        if ranked:
            extra = intercept(np.sort(np.abs(values.astype(np.float64)))) if line else 0
            patterns.sort(key=lambda flips: (sum(flips) + len(flips) * (1 + extra), len(flips), flips))
        for tried, flips in enumerate(patterns[:queries], 1):
            word = out[frame].copy()
            word[order[list(flips)]] ^= 1
            if not (code.H.astype(int) @ word % 2).any():
                out[frame], used[frame] = word, tried
                break
    return out, used


def sgrand(code, llr, queries):
    """The same, with all patterns in order of the sum of |llr|."""
    patterns = np.array(list(product([0, 1], repeat=code.n)), np.uint8)
    out, used = (llr < 0).astype(np.uint8), np.full(len(llr), -1)
    for frame, values in enumerate(np.abs(llr.astype(np.float64))):
        order = np.argsort(patterns @ values, kind="stable")[:queries]
        fits = np.flatnonzero(~code.syndrome(patterns[order] ^ out[frame]).any(axis=1))
        if len(fits):
            out[frame] ^= patterns[order[fits[0]]]
            used[frame] = fits[0] + 1
    return out, used


def ordered_patterns(values, order):
    """All (2^n, n) patterns as a guesser orders them: by "weight", "rank", "line" or "cost"."""
    n, size = len(values), np.abs(values.astype(np.float64))
    places = np.arange(n) if order == "weight" else np.argsort(size, kind="stable")
    extra = intercept(np.sort(size)) if order == "line" else 0
    key = {
        "weight": len,
        "rank": lambda flips: (sum(flips) + len(flips), len(flips), flips),
        "line": lambda flips: (sum(flips) + len(flips) * (1 + extra), len(flips), flips),
        "cost": lambda flips: size[places[list(flips)]].sum(),
    }
    flips = [flips for weight in range(n + 1) for flips in combinations(range(n), weight)]
    out = np.zeros((2**n, n), np.uint8)
    for row, places_of_one in enumerate(sorted(flips, key=key[order])):
        out[row, places[list(places_of_one)]] = 1
    return out


def sogrand(code, values, order, queries, size):
    """Guess until ``size`` words are listed: the words, their probabilities, and that of all other words.

    The others are the share (2^k - listed) / (allowed - tried) of what was not tried. A code without words of
    odd weight allows only patterns that make the weight even.
    """
    patterns, hard = ordered_patterns(values, order), (values < 0).astype(np.uint8)
    wrong = 1 / (1 + np.exp(np.abs(values.astype(np.float64))))
    probability = np.where(patterns == 1, wrong, 1 - wrong).prod(axis=1)
    allowed = np.ones(len(patterns), bool)
    if not (code.codebook().sum(axis=1) % 2).any():
        allowed = (patterns ^ hard).sum(axis=1) % 2 == 0
    fits = ~code.syndrome(patterns ^ hard).any(axis=1)
    listed = np.flatnonzero(fits[:queries])[:size]
    tried = min(queries, len(patterns)) if len(listed) < size else listed[-1] + 1
    left = allowed[tried:]
    share = (2**code.k - len(listed)) / max(left.sum(), 1)
    return patterns[listed] ^ hard, probability[listed], probability[tried:][left].sum() * share


def sogrand_app(code, values, order, queries, size):
    """Bit LLRs of the listed words, and of the channel as far as the sent word is another."""
    words, probability, others = sogrand(code, values, order, queries, size)
    if not len(words):
        return values.astype(np.float64)
    one = 1 / (1 + np.exp(values.astype(np.float64)))
    ones = probability @ words + others * one
    zeros = probability @ (1 - words) + others * (1 - one)
    with np.errstate(divide="ignore"):
        return np.log(zeros) - np.log(ones)


def gcd(code, llr, queries, reliable):
    """All patterns of an information set in order of price, re-encoded: words, patterns tried, if proved."""
    patterns = np.array(list(product([0, 1], repeat=code.k)))
    out, used, proved = (llr < 0).astype(np.uint8), [], []
    for frame, values in enumerate(llr.astype(np.float64)):
        size, hard = np.abs(values), out[frame].astype(int)
        order = np.argsort(size, kind="stable")[::-1] if reliable else range(code.n)
        basis = most_reliable_basis(code.G, order)
        encode = systematic_on(code.G, basis)
        alone = patterns @ size[basis]
        best, count = np.inf, 0
        for i in np.argsort(alone, kind="stable"):
            if alone[i] >= best or count == queries:
                break
            count += 1
            word = (hard[basis] ^ patterns[i]) @ encode % 2
            if (word != hard) @ size < best:
                best, out[frame] = (word != hard) @ size, word
        used.append(count)
        proved.append(count == len(patterns) or alone[i] >= best)
    return out, np.array(used), np.array(proved)


def list_viterbi(polynomials, steps, bites, checks, llr, most):
    """All paths of a register by price, until one ends where it starts and checks: words, tried, if found."""
    taps = [[int(tap) for tap in f"{it:b}"] for it in polynomials]
    memory = max(map(len, taps)) - 1
    taps = np.array([[0] * (memory + 1 - len(row)) + row for row in taps])
    if bites:
        paths = np.array(list(product([0, 1], repeat=memory + steps)))
    else:
        paths = np.array(list(product([0, 1], repeat=steps)))
        paths = np.pad(paths, ((0, 0), (memory, memory)))
    windows = np.lib.stride_tricks.sliding_window_view(paths, memory + 1, axis=1)[:, :, ::-1]
    words = (windows @ taps.T % 2).reshape(len(paths), -1)
    closed = (paths[:, :memory] == paths[:, -memory:]).all(axis=1)
    out, tried, found = np.empty(llr.shape, np.uint8), [], []
    for frame, values in enumerate(llr.astype(np.float64)):
        order = np.argsort(((words != (values < 0)) * np.abs(values)).sum(axis=1), kind="stable")[:most]
        good = [closed[i] and not (checks @ words[i] % 2).any() for i in order]
        place = next((i for i, it in enumerate(good) if it), None)
        first = next((i for i in order if closed[i]), order[0])
        out[frame] = words[first if place is None else order[place]]
        tried.append(len(order) if place is None else place + 1)
        found.append(place is not None)
    return out, np.array(tried), np.array(found)


def intercept(sizes):
    """Of the line through the first and the middle of sorted reliabilities, as a multiple of its slope.

    GRAND-MATLAB rounds size / slope - 1, halves up: 1 less than where the line starts is rank 0.
    """
    n = len(sizes)
    half = math.floor(n / 2 + 0.5)
    if half == 1 or sizes[0] == 0:
        return 0
    slope = (sizes[half - 1] - sizes[0]) / (half - 1)
    if sizes[0] >= slope * (n * (n + 1) // 2 + 1):
        return n * n * n
    return max(math.floor(sizes[0] / slope - 1 + 0.5), 0)


def ensemble(code, llr, decode, places, first):
    """The likeliest codeword over permutations (or the first found), and decodings; else the first word."""
    words, tried = [], []
    for values in llr:
        found = []
        for place in places:
            moved = np.empty_like(values)
            for j, to in enumerate(place):
                moved[to] = values[j]
            decided = decode(moved[None])[0]
            found.append(np.array([decided[to] for to in place], np.uint8))
            if first and not code.syndrome(found[-1][None]).any():
                break
        tried.append(len(found))
        good = [word for word in found if not code.syndrome(word[None]).any()]
        words.append(max(good, key=lambda word: metric(word[None], values)[0]) if good else found[0])
    return np.array(words), np.array(tried)


def ecct_pairs(H):
    """Which tokens attend to which, bits first, by the definition: itself, a shared check, an edge."""
    m, n = H.shape
    pairs = np.zeros((n + m, n + m), bool)
    for a in range(n + m):
        pairs[a, a] = True
    for check in range(m):
        members = [bit for bit in range(n) if H[check, bit]]
        for bit in members:
            pairs[bit, n + check] = pairs[n + check, bit] = True
            for other in members:
                pairs[bit, other] = True
    return pairs


def layer_norm(x, weights, name):
    mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-5) * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def linear(x, weights, name):
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def attention(queries, sources, pairs, weights, name, heads):
    """One frame: head by head, query by query, a softmax over the sources it may see."""
    d = queries.shape[1]
    W, b = np.split(weights[f"{name}.qkv.weight"], 3), np.split(weights[f"{name}.qkv.bias"], 3)
    q, k, v = queries @ W[0].T + b[0], sources @ W[1].T + b[1], sources @ W[2].T + b[2]
    mixed = np.zeros((len(queries), d))
    for head in range(heads):
        part = slice(head * d // heads, (head + 1) * d // heads)
        for i in range(len(queries)):
            seen = np.flatnonzero(pairs[i])
            score = np.array([q[i, part] @ k[j, part] for j in seen]) / np.sqrt(d // heads)
            share = np.exp(score - logsumexp(score))
            for weight, j in zip(share, seen, strict=True):
                mixed[i, part] += weight * v[j, part]
    return linear(mixed, weights, f"{name}.out")


def feed_forward(x, weights, name):
    hidden = linear(layer_norm(x, weights, f"{name}.feed_norm"), weights, f"{name}.widen")
    return linear(hidden * (1 + erf(hidden / np.sqrt(2))) / 2, weights, f"{name}.narrow")


def ecct(H, weights, layers, heads, magnitude, syndrome):
    """Logits (B, n) of ECCT, frame by frame, from |y| (B, n) and the +-1 syndrome (B, m)."""
    out = []
    for values in np.hstack([magnitude, syndrome]).astype(np.float64):
        x = values[:, None] * weights["embedding"]
        for i in range(layers):
            name = f"blocks.{i}"
            normed = layer_norm(x, weights, f"{name}.attention_norm")
            x = x + attention(normed, normed, ecct_pairs(H), weights, f"{name}.attention", heads)
            x = x + feed_forward(x, weights, name)
            if i + 1 == layers // 2:
                x = layer_norm(x, weights, "middle_norm")
        x = layer_norm(x, weights, "norm")
        out.append(linear(linear(x, weights, "per_token")[:, 0], weights, "out"))
    return np.array(out)


def crossmpt(H, weights, layers, heads, magnitude, syndrome):
    """Logits (B, n) of CrossMPT: the bits ask their checks, then the checks their bits."""
    n = H.shape[1]

    def step(x, sources, pairs, name):
        normed = layer_norm(x, weights, f"{name}.attention_norm")
        x = x + attention(normed, sources, pairs, weights, f"{name}.attention", heads)
        return x + feed_forward(x, weights, name)

    out = []
    for values, signs in zip(magnitude.astype(np.float64), syndrome, strict=True):
        bits = values[:, None] * weights["embedding"][:n]
        checks = signs[:, None] * weights["embedding"][n:]
        for i in range(layers):
            bits = step(bits, checks, H.T == 1, f"blocks.{i}")
            checks = step(checks, bits, H == 1, f"blocks.{i}")
            if i + 1 == layers // 2:
                bits, checks = (layer_norm(stream, weights, "middle_norm") for stream in (bits, checks))
        x = layer_norm(np.vstack([bits, checks]), weights, "norm")
        out.append(linear(linear(x, weights, "per_token")[:, 0], weights, "out"))
    return np.array(out)


def alike(checks, maps):
    """Numbers from 0 of the sets of checks, lists of positions, that the ``maps`` of positions connect."""
    numbers = list(range(len(checks)))
    for _ in checks:
        for i, check in enumerate(checks):
            for image in (sorted(f(j) for j in check) for f in maps):
                if image in checks:
                    j = checks.index(image)
                    numbers[i] = numbers[j] = min(numbers[i], numbers[j])
    return [sorted(set(numbers)).index(number) for number in numbers]


def decide_again(decide, code, y, tries, known):
    """Frame by frame: the most likely codeword among the decisions on the frame and on copies of it, each
    with one weak bit flipped and fixed.

    Once a word is proven most likely, by the minimum distance, no more is tried.
    """

    def price(values, word):
        return sum(abs(float(v)) for v, bit in zip(values, word, strict=True) if bit != (v < 0))

    def safe(values, word):
        if code.syndrome(word).any():
            return False
        agreeing = sorted(abs(float(v)) for v, bit in zip(values, word, strict=True) if bit == (v < 0))
        missing = code.minimum_distance - (code.n - len(agreeing))
        return price(values, word) <= sum(agreeing[: max(missing, 0)])

    words = decide(y)
    for word, values in zip(words, y, strict=True):
        best = np.inf if code.syndrome(word).any() else price(values, word)
        for place in sorted(range(len(values)), key=lambda j: abs(values[j]))[:tries]:
            if safe(values, word):
                break
            turned = values.copy()
            turned[place] = known if values[place] < 0 else -known
            found = decide(turned[None])[0]
            if not code.syndrome(found).any() and price(values, found) < best - 1e-6:
                best, word[:] = price(values, found), found
    return words


def finished(code, y, own, believed, order, size):
    """Frame by frame: of the own word, if a codeword, and OSD's ``size`` best by belief, the best by y."""
    out = own.copy()
    for frame, values in enumerate(believed):
        words = osd_words(code, values, order)
        listed = words[np.argsort(-metric(words, values), kind="stable")[:size]]
        if not code.syndrome(own[frame]).any():
            listed = np.concatenate([own[frame][None], listed])
        out[frame] = listed[metric(listed, y[frame]).argmax()]
    return out


def fecnn_net(code, weights, length, group, maps, iterations, scale, magnitude, hard):
    """Logits (B, n) of fecnn-net after its last iteration, bit by bit and check by check.

    Checks are the images of ``supports`` under ``group``, functions of a position that move the bits within
    blocks of ``length``. Those of a block's first bit are met in the order of supports and of their ones.
    Those of bit 0 that ``maps`` take to each other have the same weights. A check that the images of a word
    bring several times counts so often, relative to the least such number.
    """
    n, out = code.n, []
    lists = [[int(i) for i in support if i >= 0] for support in weights["supports"]]
    edges, times = [[] for _ in range(n)], [[] for _ in range(n)]
    for first in range(0, n, length):
        met = [
            sorted(g(i) for i in support)
            for support in lists
            for place in support
            for g in group
            if g(place) == first
        ]
        for check in [check for i, check in enumerate(met) if check not in met[:i]]:
            for g in group:
                edges[g(first)].append(sorted(g(i) for i in check))
                times[g(first)].append(met.count(check))
    least = min(min(counts) for counts in times)
    kinds = alike(edges[0], maps) if maps else None
    for values, bits in zip(np.float64(magnitude), hard, strict=True):
        L = scale * values
        X = L.copy()
        memory = np.zeros((n, weights["expand.weight"].shape[1]))
        for _ in range(iterations):
            messages = [
                np.array(
                    [
                        (-1) ** sum(int(bits[i]) for i in check)
                        * 2
                        * np.arctanh(np.prod([np.tanh(X[i] / 2) for i in check if i != j]))
                        for check in edges[j]
                    ]
                )
                for j in range(n)
            ]
            logits = np.zeros(n)
            for j in range(n):
                q, m = j // length, messages[j] * np.array(times[j]) / least
                kind = kinds or list(range(len(m)))
                memory[j] += (
                    weights["input_bias"][q, :, 0]
                    + 0.3 * weights["llr_weight"][q, :, 0] * L[j]
                    + 0.3 * weights["input_weight"][q][:, kind] @ m
                )
                z = memory[j] / np.sqrt((memory[j] ** 2).mean() + 1e-6) * weights["norm"][:, 0]
                z = linear(z, weights, "expand")
                memory[j] += linear(z * (1 + erf(z / np.sqrt(2))) / 2, weights, "contract")
                pushed = weights["message_weight"][q, 0, kind] @ m
                X[j] = L[j] + pushed + weights["reliability"][0] @ memory[j]
                logits[j] = -(weights["llr_verdict"] * L[j] + pushed + weights["verdict"][0] @ memory[j])
        out.append(logits)
    return np.array(out)


def tangential_sphere(code, sigma):
    """Poltyrev's bound as he wrote it: noise along and across, and the cone with the best radius."""
    n, spectrum = code.n, code.weight_spectrum()
    words = [(math.sqrt(w / (1 - w / n)), spectrum[w]) for w in range(1, n) if spectrum[w]]

    def excess(radius):
        caps = [
            count * betainc((n - 2) / 2, 0.5, 1 - (b / radius) ** 2) / 2 for b, count in words if b < radius
        ]
        return sum(caps) - 1

    radius = brentq(excess, 1e-3, 1e4)

    def across(x, edge):
        return norm.pdf(x, scale=sigma) * gammainc((n - 2) / 2, (edge**2 - x**2) / (2 * sigma**2))

    def along(z):
        edge = radius * (1 - z / math.sqrt(n))
        error = gammaincc((n - 1) / 2, edge**2 / (2 * sigma**2))
        for b, count in words:
            least = b * (1 - z / math.sqrt(n))
            if least < edge:
                error += count * quad(across, least, min(edge, least + 12 * sigma), args=(edge,))[0]
        return error * norm.pdf(z, scale=sigma)

    return quad(along, -9 * sigma, math.sqrt(n), limit=200)[0] + norm.sf(math.sqrt(n) / sigma)


def kuai_alajaji_takahara(alone, both):
    """Their lower bound on a union of events: probabilities of each (N,) and of each two, (N, N)."""
    total = 0.0
    for p, row in zip(alone, both, strict=True):
        expected = row.sum() / p
        part = expected - math.floor(expected)
        total += part * p**2 / (row.sum() + (1 - part) * p) + (1 - part) * p**2 / (row.sum() - part * p)
    return total


def meta_converse_of_two(k, sigma, points=1500):
    """The meta-converse of length 2, from all pairs of a grid of received values."""
    y, step = np.linspace(1 - 9 * sigma, 1 + 9 * sigma, points, retstep=True)
    density = 1 - np.logaddexp(0, -2 * y / sigma**2) / np.log(2)
    weight = step * norm.pdf(y, 1, sigma)
    densities = (density[:, None] + density).ravel()
    weights = (weight[:, None] * weight).ravel()
    order = np.argsort(-densities)
    false_alarm = np.cumsum(weights[order] * 2 ** -densities[order])
    return 1 - weights[order][false_alarm <= 2.0**-k].sum()


def likelihood_lost(pair, residual):
    """Twice the log likelihood that the counts of a comparison lose if the mean residual must be zero."""
    counts = np.array([pair.both, pair.only_first, pair.only_second, 0.0])
    counts[3] = pair.frames - counts.sum()

    def minus(logits):
        shares = np.exp(logits - logsumexp(logits))
        return -(counts[counts > 0] * np.log(shares[counts > 0])).sum()

    def mean(logits):
        return (np.exp(logits - logsumexp(logits)) @ residual) * pair.frames

    start = np.log((counts + 0.5) / counts.sum())
    found = minimize(
        minus,
        start,
        constraints={"type": "eq", "fun": mean},
        method="SLSQP",
        options={"maxiter": 2000, "ftol": 1e-12},
    )
    free = -(counts[counts > 0] * np.log(counts[counts > 0] / pair.frames)).sum()
    return 2 * (found.fun - free)


def integral(function, low, high, panels=400):
    """Of a smooth function of arrays, by Gauss-Legendre in many panels."""
    nodes, weights = np.polynomial.legendre.leggauss(32)
    edges = np.linspace(low, high, panels + 1)
    half = np.diff(edges)[:, None] / 2
    return float((function(edges[:-1, None] + half * (nodes + 1)) * half * weights).sum())


def bler_of_biorthogonal(n, sigma):
    """ML of the first-order Reed-Muller code: n axes, the sent word on one; another coordinate is larger."""
    signal = np.sqrt(n) / sigma

    def error(x):
        return norm.pdf(x - signal) * -np.expm1((n - 1) * np.log1p(-2 * norm.sf(x)))

    return norm.sf(signal) + integral(error, 1e-12, signal + 12)


def bler_of_parity_check(n, sigma):
    """ML of the single-parity-check code: two hard errors, or one that is not the least reliable symbol."""
    rest = n - 1

    def error(x):  # x: how far beyond zero the one wrong symbol is, over sigma
        right = norm.logsf(-1 / sigma)
        further = norm.logsf(x - 1 / sigma)
        return norm.pdf(x + 1 / sigma) * np.exp(rest * right) * -np.expm1(rest * (further - right))

    return binom.sf(1, n, norm.sf(1 / sigma)) + n * integral(error, 0, 14)


def bler_by_overlaps(code, sigma, draws=1 << 20, seed=7):
    """Union bound less overlaps: of pairs, integrated, where triples do not matter; else a long sampling."""
    words = code.codebook()
    words = words[words.any(axis=1)].astype(np.float64)
    weights = words.sum(axis=1)
    alone = norm.sf(np.sqrt(weights) / sigma)
    union = alone.sum()
    keep = alone > 1e-9 * alone.max()  # what the others do is below all that is asked of this
    words, weights, alone = words[keep], weights[keep], alone[keep]
    first, second = np.triu_indices(len(words), 1)
    overlap = (words @ words.T)[first, second]
    kinds, counts = np.unique(
        np.stack([weights[first], weights[second], overlap], axis=1), axis=0, return_counts=True
    )
    pairs = sum(count * _both(*kind, sigma) for kind, count in zip(kinds, counts, strict=True))
    if pairs < 1e-3 * union:
        return union - pairs
    rng, lost = np.random.default_rng(seed), 0.0
    for _ in range(draws >> 12):
        which = rng.choice(len(words), 1 << 12, p=alone / alone.sum())
        along = norm.isf(rng.random(1 << 12) * alone[which])
        noise = rng.standard_normal((1 << 12, code.n))
        unit = words[which] / np.sqrt(weights[which])[:, None]
        noise += unit * (-along - (noise * unit).sum(axis=1))[:, None]
        wins = (-sigma * noise @ words.T > weights * (1 - 1e-9)).sum(axis=1)
        lost += (1 - 1 / wins).sum()
    return union - alone.sum() * lost / (draws >> 12 << 12)


def _both(one, other, common, sigma):
    """Probability that words of two weights with so many ones in common both beat the sent one."""
    correlation = common / np.sqrt(one * other)
    first, second = np.sqrt(one) / sigma, np.sqrt(other) / sigma
    rest = np.sqrt(1 - correlation**2)
    return integral(lambda x: norm.pdf(x) * norm.sf((second - correlation * x) / rest), first, first + 14)


def density_ratio(noise, shares, sphere, words, bits):
    """Density of a mixture of noise over that of N(0, 1) for each value, at one point, (n,).

    Args:
        noise: The point.
        shares: Of the three parts.
        sphere: Density of the length, a function; the direction is uniform.
        words: Means (W, n), and the share of each.
        bits: How often each bit is hit (n,); mean and deviation without a hit, and of a hit.
    """
    n, length = len(noise), math.sqrt(sum(value**2 for value in noise))
    surface = 2 * math.pi ** (n / 2) / math.gamma(n / 2) * length ** (n - 1)
    of_words = 0.0
    for mean, share in zip(*words, strict=True):
        of_words += share * math.prod(norm.pdf(value, m, 1) for value, m in zip(noise, mean, strict=True))
    hits, mean, deviation, hit_mean, hit_deviation = bits
    of_bits = math.prod(
        (1 - hit) * norm.pdf(value, mean, deviation) + hit * norm.pdf(value, hit_mean, hit_deviation)
        for value, hit in zip(noise, hits, strict=True)
    )
    mixed = shares[0] * sphere(length) / surface + shares[1] * of_words + shares[2] * of_bits
    return mixed / math.prod(norm.pdf(value) for value in noise)


def constellation(modulation):
    """Symbols by the bits of a label, first bit first: the formulas of TS 38.211, section 5.1, as printed."""
    if modulation == "bpsk":
        return {(0,): 1 + 0j, (1,): -1 + 0j}
    if modulation == "8psk":  # the binary reflected Gray code around the circle
        gray = ["000", "001", "011", "010", "110", "111", "101", "100"]
        return {tuple(map(int, bits)): np.exp(2j * np.pi * i / 8) for i, bits in enumerate(gray)}
    size = {"qpsk": 2, "16qam": 4, "64qam": 6, "256qam": 8}[modulation]
    found = {}
    for bits in product((0, 1), repeat=size):
        b = [1 - 2 * bit for bit in bits]
        if size == 2:
            point = (b[0] + 1j * b[1]) / math.sqrt(2)
        elif size == 4:
            point = (b[0] * (2 - b[2]) + 1j * b[1] * (2 - b[3])) / math.sqrt(10)
        elif size == 6:
            point = (b[0] * (4 - b[2] * (2 - b[4])) + 1j * b[1] * (4 - b[3] * (2 - b[5]))) / math.sqrt(42)
        else:
            real = b[0] * (8 - b[2] * (4 - b[4] * (2 - b[6])))
            imag = b[1] * (8 - b[3] * (4 - b[5] * (2 - b[7])))
            point = (real + 1j * imag) / math.sqrt(170)
        found[bits] = point
    return found


def demapped(modulation, y, sigma, gain, order, n, exact=True):
    """LLRs (B, n) of received symbols y (B, S): over all points, known padding bits being 0."""
    points = constellation(modulation)
    bits = len(next(iter(points)))
    llr = np.full((len(y), n), np.nan)
    for frame in range(len(y)):
        for s in range(y.shape[1]):
            places = order[s * bits : (s + 1) * bits]
            possible = {
                label: -(abs(y[frame, s] - gain[frame, s] * point) ** 2) / (2 * sigma**2)
                for label, point in points.items()
                if all(bit == 0 for bit, place in zip(label, places, strict=True) if place >= n)
            }
            for t, place in enumerate(places):
                if place < n:
                    sides = [[v for label, v in possible.items() if label[t] == side] for side in (0, 1)]
                    zero, one = (logsumexp(side) if exact else max(side) for side in sides)
                    llr[frame, place] = zero - one
    return llr


def turbo_product(down, along, llr, *, iterations, positions, alpha, beta):
    """Half-iterations over rows and columns, one frame at a time: decisions (B, n), and how many were made.

    Chase decoding with the code's whole codebook, in float64.
    """
    out, used = [], []
    for frame in llr.astype(np.float64):
        given = frame.reshape(down.n, along.n)
        decided, count, extrinsic = (given < 0).astype(np.uint8), 0, np.zeros_like(given)
        while count < 2 * iterations and not (in_code(along, decided) and in_code(down, decided.T)):
            belief = given + alpha * extrinsic
            rows = count % 2 == 0
            lines = belief if rows else belief.T
            app = np.array([chase_app(along if rows else down, line, positions, beta) for line in lines])
            app = app if rows else app.T
            decided, extrinsic, count = (app < 0).astype(np.uint8), app - belief, count + 1
        out.append(decided.ravel())
        used.append(count)
    return np.array(out), np.array(used)


def in_code(code, words):
    """Whether all words are in the codebook."""
    return {word.tobytes() for word in words.astype(np.uint8)} <= {word.tobytes() for word in code.codebook()}


def chase_app(code, values, positions, beta):
    """Pyndiah's LLRs of one frame; see `fecnn.decoders.chase.chase2_app`."""
    distance = code.codebook().sum(axis=1)[1:].min()
    candidates = chase_candidates(code.codebook(), values, min(positions, code.n), (distance - 1) // 2)
    if not len(candidates):
        return values
    best = candidates[metric(candidates, values).argmax()]
    app = max_log_app(candidates, values)
    alone = ~np.isfinite(app)
    own = np.where((values < 0) == best, np.abs(values), 0)
    app[alone] = ((beta * np.abs(values).mean() + own) * bpsk(best))[alone]
    return app


def rpa(llr, m, r, iterations=None, theta=0.05):
    """Recursive projection-aggregation of one frame, point by point: Ye and Abbe's algorithm 1."""
    n = 2**m
    if r == 1:
        best, chosen = -np.inf, None
        for word in range(2 * n):
            bits = np.array([bin(z & word).count("1") % 2 ^ (word >> m) for z in range(n)])
            total = ((1 - 2 * bits) * llr).sum()
            if total > best:
                best, chosen = total, bits
        return chosen.astype(np.uint8)
    for _ in range(iterations or -(-m // 2)):
        new = np.zeros(n)
        for b in range(1, n):
            top = b.bit_length() - 1
            pairs = [z for z in range(n) if not z >> top & 1]
            sums = [np.logaddexp(0, llr[z] + llr[z ^ b]) - np.logaddexp(llr[z], llr[z ^ b]) for z in pairs]
            # The points of the shorter code are the pairs in order.
            shorter = rpa(np.array(sums), m - 1, r - 1, iterations, theta)
            for place, z in enumerate(pairs):
                sign = 1 - 2 * int(shorter[place])
                new[z] += sign * llr[z ^ b]
                new[z ^ b] += sign * llr[z]
        new /= n - 1
        still = (np.abs(new - llr) <= theta * np.abs(llr)).all()
        llr = new
        if still:
            break
    return (llr < 0).astype(np.uint8)
