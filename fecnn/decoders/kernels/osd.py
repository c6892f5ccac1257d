"""Ordered-statistics decoding: the best pattern with at most ``order`` flips in the most reliable basis."""

import math

import numpy as np

from fecnn.decoders.kernels import lists
from fecnn.jit import kernel

ENDLESS = 1 << 62


@kernel
def osd(llr, columns, checks, distance, order, z, out, tried):
    """Decode frames.

    Args:
        llr: (B, n) f4.
        columns: Columns of a full-rank H with ``checks`` rows, see `fecnn.decoders.kernels.words`.
        checks: n - k, at least 1.
        distance: At most the minimum distance; 1 is always right, more prunes more.
        order: Most flips.
        z: Negative for exact pruning only; else patterns whose checks would have to cost less than
            `lists.expected_price` are skipped.
        out: (B, n) u1 code bits out.
        tried: (B,) i8 out; test patterns tried besides that of order 0.
    """
    frame, scratch = lists.new_memory(columns, llr.shape[1], checks)
    _osd(llr.reshape(-1), columns, checks, distance, order, z, out, tried, frame, scratch)


@kernel(borrows=True)
def _osd(values, columns, checks, distance, order, z, out, tried, frame, scratch):
    for i in range(len(out)):
        tried[i] = 0
        clean, start, best, bound = lists.begin(values, i, columns, distance, frame, out)
        if clean:
            continue
        count = np.int64(0)
        if best > bound:
            lists.prepare(start, distance, frame, scratch)
            if z >= 0.0:
                rest = lists.expected_price(checks, z, frame.check, frame.parity)
                for w in range(1, len(scratch.floors)):
                    scratch.floors[w] = max(scratch.floors[w], rest)
            best, count, tried[i], _ = lists.search(
                start, best, count, 1, order, -1.0, ENDLESS, frame, scratch
            )
        lists.end(start, frame, scratch.flips, count, out[i])


@kernel
def probable(llr, columns, checks, distance, order, promise, success, out, tried):
    """Like `osd`, but it skips improbable patterns (`_promising_price`) and stops at a probable one.

    The posterior probability of a pattern of price W among random codes is about 1 / (1 + 2^-(n-k) e^W / P),
    P the probability of no error at all: so ``success`` is a price (`_good_price`).

    Args:
        llr, columns, checks, distance, order, out, tried: As for `osd`.
        promise: Least probability of a pattern to be better than the best so far.
        success: Probability at which the best so far is good enough.
    """
    frame, scratch = lists.new_memory(columns, llr.shape[1], checks)
    _probable(llr.reshape(-1), columns, checks, distance, order, promise, success, out, tried, frame, scratch)


@kernel(borrows=True)
def _probable(values, columns, checks, distance, order, promise, success, out, tried, frame, scratch):
    for i in range(len(out)):
        tried[i] = 0
        clean, start, best, bound = lists.begin(values, i, columns, distance, frame, out)
        if clean:
            continue
        count = np.int64(0)
        if best > bound:
            lists.prepare(start, distance, frame, scratch)
            none, errors, tosses = _expected(frame.price, checks, frame.parity)
            stop = _good_price(none + _clean(frame.parity, checks), checks, success)
            for weight in range(1, order + 1):
                if best <= stop:
                    break
                rest = best - _promising_price(best, promise, none, errors, tosses)
                scratch.floors[weight] = max(scratch.floors[weight], rest)
                best, count, looked, _ = lists.search(
                    start, best, count, weight, weight, stop, ENDLESS, frame, scratch
                )
                tried[i] += looked
        lists.end(start, frame, scratch.flips, count, out[i])


@kernel(borrows=True)
def _clean(reliabilities, count):
    """Log-probability that the first ``count`` positions have no error: an error has p = 1 / (1 + e^a)."""
    total = 0.0
    for i in range(count):
        total -= np.log1p(np.exp(-np.float64(reliabilities[i])))
    return total


@kernel(borrows=True)
def _good_price(clean, checks, success):
    """The price at which a pattern is right with probability ``success``; clean: log-probability of none."""
    return clean + checks * np.log(2.0) + np.log((1.0 - success) / success)


@kernel(borrows=True)
def _expected(price, checks, parity):
    """What the probabilities of a pattern are made of.

    Returns:
        The log-probability that the basis has no error; mean and variance of what the checks cost with the
        right flips (p a and p (1 - p) a^2 each), and with others, as by tossing coins (a / 2 and a^2 / 4).
    """
    mean, variance, mean_else, variance_else = 0.0, 0.0, 0.0, 0.0
    for i in range(checks):
        a = np.float64(parity[i])
        p = 1.0 / (1.0 + np.exp(min(a, 700.0)))
        mean += p * a
        variance += p * (1.0 - p) * a * a
        mean_else += a / 2
        variance_else += a * a / 4
    return _clean(price, len(price)), (mean, variance), (mean_else, variance_else)


@kernel(borrows=True)
def _promising_price(best, promise, clean, errors, tosses):
    """The highest price of flips at which a pattern still has this probability of being better than ``best``.

    Flips of price c are the right ones with probability e^(clean - c). Both sums over the checks are taken as
    Gaussian; the probability falls with c.
    """
    low, high = 0.0, best
    for _ in range(16):
        c = (low + high) / 2
        right = np.exp(clean - c)
        wins = right * _below(best - c - errors[0], errors[1])
        wins += (1.0 - right) * _below(best - c - tosses[0], tosses[1])
        low, high = (c, high) if wins >= promise else (low, c)
    return high


@kernel(borrows=True)
def _below(distance, variance):
    """Probability that a Gaussian of this variance is less than its mean + ``distance``."""
    return 0.5 * math.erfc(-distance / math.sqrt(2.0 * variance + 1e-300))
