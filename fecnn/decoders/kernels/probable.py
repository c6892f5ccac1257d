"""PB-OSD: lists that skip improbable patterns and stop at a probable one, by a fixed rule and as published.

The posterior probability of a pattern of price W among random codes is about 1 / (1 + 2^-(n-k) e^W / P), P
the probability of no error at all.
"""

import math

import numpy as np

from fecnn.decoders.kernels import basis as mrb
from fecnn.decoders.kernels import lists, words
from fecnn.decoders.kernels.arena import empty
from fecnn.decoders.kernels.polynomials import exp
from fecnn.jit import kernel


@kernel(borrows=True)
def fixed(arena, llr, columns, checks, distance, order, promise, success, out, tried):
    """By fixed probabilities: skip a pattern that costs more than `_promising_price`, stop at `_good_price`.

    Args:
        arena, llr, columns, checks, distance, order, out, tried: As for `fecnn.decoders.kernels.osd.osd`.
        promise: Least probability of a pattern to be better than the best so far.
        success: Probability at which the best so far is good enough.
    """
    values, n = llr.reshape(-1), llr.shape[1]
    frame, scratch = lists.new_memory(arena, columns, n, checks)
    odds = empty(arena, n, np.float64)
    floors, prefix = scratch.floors, scratch.prefix
    for i in range(len(out)):
        tried[i] = 0
        clean, start, best, bound = lists.begin(values, i, columns, distance, frame, out)
        if clean:
            continue
        count, stop = np.int64(0), best
        if best > bound:
            _error_odds(frame.reliability, odds)
            stop = _good_price(_none(odds), checks, success)
        if best > stop:  # none of what follows is needed before
            lists.prepare(start, distance, frame, scratch)
            none, errors, tosses = _expected(odds, frame)
            for weight in range(1, order + 1):
                if best <= stop:
                    break
                if prefix[weight] + floors[weight] >= lists.limit_of(best):
                    continue
                if _chance(best - floors[weight], best, none, errors, tosses) < promise:
                    # The price that it would find is less than 4e-5 of the best above the right one.
                    if _chance(prefix[weight] - 4e-5 * best, best, none, errors, tosses) < promise:
                        continue
                    rest = best - _promising_price(0.0, best, promise, none, errors, tosses, 16)
                    floors[weight] = max(floors[weight], rest)
                best, count, looked, _ = lists.search(
                    start, best, count, weight, weight, stop, lists.ENDLESS, frame, scratch
                )
                tried[i] += looked
        lists.end(start, frame, scratch.flips, count, out[i])


@kernel(borrows=True)
def published(arena, llr, columns, checks, order, promise, success, out, tried):
    """PB-OSD as published: it skips and stops by probabilities alone, with thresholds that follow the frame.

    At most ``order`` bits of the basis are wrong with probability P (`_at_most`). A pattern is skipped if it
    beats the best so far with less than ``promise`` times the root of (1 - P) / N, N the patterns of at most
    ``order`` flips; the list ends once a new best is right with more than ``success`` P (`_right`). No bound
    is used that the rule does not have, so that ``tried`` is what it counts, less the pattern of order 0.

    Args:
        arena, llr, columns, checks, order, out, tried: As for `fixed`.
        promise: Factor of the threshold of a pattern.
        success: Factor of the threshold of the best so far.
    """
    values, n = llr.reshape(-1), llr.shape[1]
    frame, scratch = lists.new_memory(arena, columns, n, checks)
    odds = empty(arena, n, np.float64)
    k, order = len(frame.price), min(order, lists.MOST_FLIPS)
    choices = math.lgamma(k + 1.0) - math.lgamma(order + 1.0) - math.lgamma(k - order + 1.0)
    factor = promise * np.exp(-0.5 * (choices + np.log(_down_from(order, k, 1.0))))
    for i in range(len(out)):
        tried[i] = 0
        clean, start, best, _ = lists.begin(values, i, columns, 1, frame, out)
        if clean:
            continue
        _error_odds(frame.reliability, odds)
        none, wrong = _of_basis(odds, frame.basis)
        codewords, count = _none(odds) + checks * np.log(2.0), np.int64(0)
        right = _right(codewords, best, none)
        if right <= success:  # else it is more than this times any probability
            within, beyond = _at_most(order, k, wrong / k, choices)
            if right <= success * within:
                mrb.tabulate(frame)
                errors, tosses = _counted(odds, frame)
                moments = (factor * np.sqrt(beyond), none, errors, tosses)
                count, tried[i] = _list(
                    start, best, order, moments, codewords, success * within, frame, scratch
                )
        lists.end(start, frame, scratch.flips, count, out[i])


@kernel(borrows=True)
def _list(start, best, order, moments, codewords, enough, frame, scratch):
    """Try the patterns of 1 to ``order`` flips that are promising until one is probably right.

    Flips that cost more than `_promising_price` are skipped, of which each better pattern makes more.

    Returns:
        The number of flips of the best one, which are in ``scratch.flips``, and patterns tried.
    """
    flip, price, parity, sums = frame.flip, frame.price, frame.parity, frame.sums
    prefix, chosen, spent, patterns = scratch.prefix, scratch.chosen, scratch.spent, scratch.patterns
    k, tried, count = len(price), 0, 0
    none = moments[1]
    prefix[0] = 0.0
    for j in range(k):
        prefix[j + 1] = prefix[j] + np.float64(price[j])
    limit = lists.limit_of(best)
    ceiling = _ceiling(price[0], best, moments)
    for weight in range(1, order + 1):
        if prefix[weight] >= ceiling:
            break
        depth = 0
        chosen[0], spent[0] = -1, np.float32(0)
        words.store(patterns, 0, start)
        while depth >= 0:
            left = weight - 1 - depth
            if left == 0:
                pattern, j = words.load(patterns, depth), chosen[depth] + 1
                while j < k:
                    j, looked = lists.next_candidate(
                        j, spent[depth], pattern, ceiling, limit, flip, price, sums
                    )
                    tried += looked
                    if j == k:
                        break
                    chosen[depth] = j
                    total = mrb.exact_price(start, chosen, weight, flip, price, parity)
                    if total < best:
                        best, count = total, weight
                        for i in range(weight):
                            scratch.flips[i] = chosen[i]
                        flipped = np.float64(spent[depth]) + np.float64(price[j])
                        if _right(codewords, best, none - flipped) > enough:
                            return count, tried
                        limit = lists.limit_of(best)
                        ceiling = _ceiling(price[0], best, moments)
                    j += 1
                depth -= 1
                continue
            chosen[depth] += 1
            j = chosen[depth]
            if j + left >= k:
                depth -= 1
                continue
            cost = spent[depth] + price[j]
            if np.float64(cost) + (prefix[j + 1 + left] - prefix[j + 1]) >= ceiling:
                depth -= 1
                continue
            words.store(patterns, depth + 1, words.xor(words.load(patterns, depth), words.load(flip, j)))
            depth += 1
            spent[depth], chosen[depth] = cost, j
    return count, tried


@kernel(borrows=True)
def _ceiling(cheapest, best, moments):
    """What flips may cost, f4: less than ``best``, and up to `_promising_price`; 0 if that admits none."""
    promise, none, errors, tosses = moments
    if _chance(best, best, none, errors, tosses) >= promise:
        return np.float32(best)
    if _chance(np.float64(cheapest), best, none, errors, tosses) < promise:
        return np.float32(0)
    return np.float32(_promising_price(np.float64(cheapest), best, promise, none, errors, tosses, 24))


@kernel(borrows=True)
def _at_most(order, k, p, choices):
    """Probabilities that at most ``order`` of k bits are wrong, each with p, and that more are.

    choices: the logarithm of binomial(k, order).
    """
    if p == 0.0:
        return 1.0, 0.0
    odds = p / (1.0 - p)
    term = np.exp(choices + order * np.log(p) + (k - order) * np.log1p(-p))
    if order < k * p:  # the terms fall from here on
        within = min(term * _down_from(order, k, odds), 1.0)
        return within, 1.0 - within
    beyond = 0.0
    for j in range(order + 1, k + 1):
        term *= (k - j + 1.0) / j * odds
        beyond += term
        if term < 1e-17 * beyond:
            break
    return 1.0 - beyond, beyond


@kernel(borrows=True)
def _down_from(order, k, odds):
    """The sum of binomial(k, j) odds^j for j up to ``order``, as a multiple of the last of them."""
    total, term = 0.0, 1.0
    for j in range(order, -1, -1):
        total += term
        term *= j / ((k - j + 1.0) * odds)
    return total


@kernel(borrows=True)
def _right(codewords, best, flips):
    """Probability that a pattern of price ``best`` is the right one, others being random codewords.

    codewords: log-probability that no position is wrong, plus (n - k) log 2. flips: log-probability of its
    flips in the basis, of which others have the rest.
    """
    log_odds = codewords - best - np.log1p(-min(np.exp(flips), 1 - 1e-16))
    return 1.0 / (1.0 + np.exp(min(-log_odds, 700.0)))


@kernel(borrows=True, error_model="numpy")
def _error_odds(reliability, odds):
    """P / (1 - p) = e^-a of an error in each position: odds (n,) f8 out."""
    for j in range(len(odds)):
        odds[j] = exp(-np.float64(reliability[j]))


@kernel(borrows=True)
def _none(odds):
    """Log-probability that no position is wrong."""
    total, product = 0.0, 1.0
    for j in range(len(odds)):
        product *= 1.0 + odds[j]
        if product > 1e200:
            total, product = total - np.log(product), 1.0
    return total - np.log(product)


@kernel(borrows=True)
def _of_basis(odds, basis):
    """Log-probability that no position of the basis is wrong, and the mean number that are."""
    total, product, wrong = 0.0, 1.0, 0.0
    for i in range(len(basis)):
        one = 1.0 + odds[basis[i]]
        wrong += odds[basis[i]] / one
        product *= one
        if product > 1e200:
            total, product = total - np.log(product), 1.0
    return total - np.log(product), wrong


@kernel(borrows=True)
def _counted(odds, frame):
    """Mean and variance of what the checks cost with the right flips, and with others, by their number.

    Each check has the mean price. Of others it is wrong with probability 1/2, of the right ones with the mean
    probability.
    """
    wrong, mean, checks = 0.0, 0.0, len(frame.place)
    for i in range(checks):
        o = odds[frame.place[i]]
        wrong += o / (1.0 + o)
        mean += np.float64(frame.parity[i]) / checks
    errors = (mean * wrong, mean * mean * wrong * (1.0 - wrong / checks))
    return errors, (mean * checks / 2, mean * mean * checks / 4)


@kernel(borrows=True)
def _good_price(clean, checks, success):
    """The price at which a pattern is right with probability ``success``; clean: log-probability of none."""
    return clean + checks * np.log(2.0) + np.log((1.0 - success) / success)


@kernel(borrows=True)
def _expected(odds, frame):
    """What the probabilities of a pattern are made of.

    Returns:
        The log-probability that the basis has no error; mean and variance of what the checks cost with the
        right flips (p a and p (1 - p) a^2 each), and with others, as by tossing coins (a / 2 and a^2 / 4).
    """
    mean, variance, mean_else, variance_else = 0.0, 0.0, 0.0, 0.0
    for i in range(len(frame.place)):
        a, o = np.float64(frame.parity[i]), odds[frame.place[i]]
        p = o / (1.0 + o)
        mean += p * a
        variance += p * (1.0 - p) * a * a
        mean_else += a / 2
        variance_else += a * a / 4
    none, _ = _of_basis(odds, frame.basis)
    return none, (mean, variance), (mean_else, variance_else)


@kernel(borrows=True)
def _promising_price(low, best, promise, clean, errors, tosses, halvings):
    """The highest price of flips at which a pattern is better than ``best`` with probability ``promise``.

    It is found by halving [low, best], where `_chance` falls, and is not below.
    """
    high = best
    for _ in range(halvings):
        c = (low + high) / 2
        promising = _chance(c, best, clean, errors, tosses) >= promise
        low, high = (c, high) if promising else (low, c)
    return high


@kernel(borrows=True)
def _chance(c, best, clean, errors, tosses):
    """Probability that a pattern whose flips cost c is better than ``best``.

    Its flips are the right ones with probability e^(clean - c). What the checks cost is taken as Gaussian,
    of the given means and variances.
    """
    right = np.exp(clean - c)
    wins = right * _below(best - c - errors[0], errors[1])
    return wins + (1.0 - right) * _below(best - c - tosses[0], tosses[1])


@kernel(borrows=True)
def _below(distance, variance):
    """Probability that a Gaussian of this variance is less than its mean + ``distance``."""
    return 0.5 * math.erfc(-distance / math.sqrt(2.0 * variance + 1e-300))
