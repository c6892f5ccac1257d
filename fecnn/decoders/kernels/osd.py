"""Ordered-statistics decoding: the best pattern with at most ``order`` flips in the most reliable basis."""

import math

import numpy as np

from fecnn.decoders.kernels import basis as mrb
from fecnn.decoders.kernels import lists, words
from fecnn.jit import kernel

ENDLESS = 1 << 62


@kernel
def osd(llr, columns, checks, distance, order, prune, z, out, tried):
    """Decode frames.

    Args:
        llr: (B, n) f4.
        columns: Columns of a full-rank H with ``checks`` rows, see `fecnn.decoders.kernels.words`.
        checks: n - k, at least 1.
        distance: At most the minimum distance; 1 is always right, more prunes more.
        order: Most flips.
        prune: False to try the whole list.
        z: Negative for no more than exact pruning; else patterns whose checks would have to cost less than
            `lists.expected_price` are skipped.
        out: (B, n) u1 code bits out.
        tried: (B,) i8 out; test patterns tried besides that of order 0.
    """
    n = llr.shape[1]
    spare, keys, rank, sequence, ordered, place, check, basis, reliability, flip, price, parity, sums = (
        mrb.new_frame(columns, n, checks)
    )
    k = n - checks
    floors, prefix = np.zeros(k + 1), np.zeros(k + 1)
    chosen, flips = np.zeros(k + 2, np.int64), np.zeros(k + 2, np.int64)
    spent, patterns = np.zeros(k + 2, np.float32), words.new_sets(columns, k + 2)
    values, width = llr.reshape(-1), len(spare)
    for frame in range(len(llr)):
        if frame % mrb.STRIP == 0:
            mrb.harden(llr, frame, out)
        tried[frame] = 0
        row = mrb.padded_row(values, frame * n, n, width, spare)
        syndrome = words.syndrome_of(columns, row)
        if words.is_empty(syndrome):
            continue  # the hard decisions are a codeword: nothing is more likely
        mrb.sort(row, n, keys, rank, sequence)
        mrb.arrange(row, syndrome, columns, sequence, reliability, ordered)
        mrb.eliminate(ordered, n, checks, place, check, basis)
        start = words.load(ordered, n)
        best, bound = lists.price_start(start, distance, place, reliability)
        count = np.int64(0)
        if not prune or best > bound:
            mrb.gather(ordered, place, basis, reliability, flip, price, parity)
            mrb.tabulate(parity, sums)
            lists.bound_weights(start, distance, check, price, parity, floors, prefix)
            if z >= 0.0:
                rest = lists.expected_price(checks, z, check, parity)
                for w in range(1, k + 1):
                    floors[w] = max(floors[w], rest)
            best, count, tried[frame], _ = lists.search(
                start, best, count, 1, order, prune, -1.0, ENDLESS, flip, price, parity, sums, floors, prefix,
                chosen, spent, patterns, flips,
            )  # fmt: skip
        mrb.correct(sequence, ordered, place, basis, flips, count, out[frame])


@kernel
def probable(llr, columns, checks, distance, order, promise, success, out, tried):
    """The same, but giving up what is improbable (`_promising_price`) and stopping at what is probably right.

    The posterior probability of a pattern of price W among random codes is about 1 / (1 + 2^-(n-k) e^W / P),
    P the probability of no error at all: so ``success`` is a price (`_good_price`).

    Args:
        llr, columns, checks, distance, order, out, tried: As for `osd`.
        promise: Least probability of a pattern to be better than the best so far.
        success: Probability at which the best so far is good enough.
    """
    n = llr.shape[1]
    spare, keys, rank, sequence, ordered, place, check, basis, reliability, flip, price, parity, sums = (
        mrb.new_frame(columns, n, checks)
    )
    k = n - checks
    floors, prefix = np.zeros(k + 1), np.zeros(k + 1)
    chosen, flips = np.zeros(k + 2, np.int64), np.zeros(k + 2, np.int64)
    spent, patterns = np.zeros(k + 2, np.float32), words.new_sets(columns, k + 2)
    values, width = llr.reshape(-1), len(spare)
    for frame in range(len(llr)):
        if frame % mrb.STRIP == 0:
            mrb.harden(llr, frame, out)
        tried[frame] = 0
        row = mrb.padded_row(values, frame * n, n, width, spare)
        syndrome = words.syndrome_of(columns, row)
        if words.is_empty(syndrome):
            continue
        mrb.sort(row, n, keys, rank, sequence)
        mrb.arrange(row, syndrome, columns, sequence, reliability, ordered)
        mrb.eliminate(ordered, n, checks, place, check, basis)
        start = words.load(ordered, n)
        best, bound = lists.price_start(start, distance, place, reliability)
        count = np.int64(0)
        if best > bound:
            mrb.gather(ordered, place, basis, reliability, flip, price, parity)
            mrb.tabulate(parity, sums)
            lists.bound_weights(start, distance, check, price, parity, floors, prefix)
            clean, errors, tosses = _expected(price, checks, parity)
            stop = _good_price(clean + _clean(parity, checks), checks, success)
            for weight in range(1, order + 1):
                if best <= stop:
                    break
                rest = best - _promising_price(best, promise, clean, errors, tosses)
                floors[weight] = max(floors[weight], rest)
                best, count, looked, _ = lists.search(
                    start, best, count, weight, weight, True, stop, ENDLESS, flip, price, parity, sums,
                    floors, prefix, chosen, spent, patterns, flips,
                )  # fmt: skip
                tried[frame] += looked
        mrb.correct(sequence, ordered, place, basis, flips, count, out[frame])


@kernel
def _clean(reliabilities, count):
    """Log-probability that the first ``count`` positions have no error: an error has p = 1 / (1 + e^a)."""
    total = 0.0
    for i in range(count):
        total -= np.log1p(np.exp(-np.float64(reliabilities[i])))
    return total


@kernel
def _good_price(clean, checks, success):
    """The price at which a pattern is right with probability ``success``; clean: log-probability of none."""
    return clean + checks * np.log(2.0) + np.log((1.0 - success) / success)


@kernel
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


@kernel
def _promising_price(best, promise, clean, errors, tosses):
    """The dearest flips with which a pattern still has that probability to be better than ``best``.

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


@kernel
def _below(distance, variance):
    """Probability that a Gaussian of this variance is less than its mean + ``distance``."""
    return 0.5 * math.erfc(-distance / math.sqrt(2.0 * variance + 1e-300))
