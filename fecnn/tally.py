"""Counts that add, and the intervals that follow from them."""

from dataclasses import dataclass, field, fields

import numpy as np

from fecnn.arrays import LLR, Bits
from fecnn.code import Code
from fecnn.decoders import Effort


@dataclass(frozen=True)
class Tally:
    """Counts over frames; tallies of different frames add (sum them with ``Tally()`` as the start).

    frames: Frames decoded.
    block_errors: Frames with any wrong code bit.
    bit_errors, bit_errors_sq: Wrong message bits, and the sum of their squares per frame.
    code_bit_errors, code_bit_errors_sq: The same for code bits.
    ml_errors: Block errors in which the decoder's codeword is more likely than the sent one: there maximum
        likelihood errs too, so that they bound its block error rate from below.
    work: Test patterns, queries or search nodes that the decoder tried; 0 if it does not count them.
    uncertified: Frames in which a budget ran out before the decoder could do all it promises.
    seconds: Decoding time: CPU time of the one thread that decodes.
    flags: The block errors of one batch, a bit a frame (`numpy.packbits`); a sum has none.
    """

    frames: int = 0
    block_errors: int = 0
    bit_errors: int = 0
    bit_errors_sq: int = 0
    code_bit_errors: int = 0
    code_bit_errors_sq: int = 0
    ml_errors: int = 0
    work: int = 0
    uncertified: int = 0
    seconds: float = 0.0
    flags: bytes | None = field(default=None, compare=False, repr=False)

    def __add__(self, other: "Tally") -> "Tally":
        """The counts of both."""
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in COUNTS})


COUNTS = tuple(f.name for f in fields(Tally) if f.name != "flags")
"""The fields of a tally that add."""


def tally(
    code: Code,
    messages: Bits,
    codewords: Bits,
    llr: LLR,
    decided: Bits,
    seconds: float,
    effort: Effort | None = None,
) -> Tally:
    """Count one batch of decisions.

    Args:
        code: The code.
        messages: Sent messages, (B, k).
        codewords: Sent codewords, (B, n).
        llr: What the decoder saw, (B, n).
        decided: What it returned: (B, n) code bits or (B, k) message bits; code bits where n = k.
        seconds: How long that took its thread.
        effort: What the decoder says of its decisions.
    """
    if decided.shape[1] == code.n:
        words, guesses = decided, code.extract(decided)
    else:
        words, guesses = code.encode(decided), decided
    code_bits = (words != codewords).sum(axis=1, dtype=np.int64)
    bits = (guesses != messages).sum(axis=1, dtype=np.int64)
    wrong = code_bits > 0
    work, uncertified = effort_counts(effort)
    return Tally(
        frames=len(llr),
        block_errors=int(wrong.sum()),
        bit_errors=int(bits.sum()),
        bit_errors_sq=int((bits * bits).sum()),
        code_bit_errors=int(code_bits.sum()),
        code_bit_errors_sq=int((code_bits * code_bits).sum()),
        ml_errors=_more_likely(code, codewords[wrong], words[wrong], llr[wrong]),
        work=work,
        uncertified=uncertified,
        seconds=seconds,
        flags=np.packbits(wrong).tobytes(),
    )


def effort_counts(effort: Effort | None) -> tuple[int, int]:
    """Work and uncertified frames of a decoder's effort; zeros if it does not measure it."""
    return (0, 0) if effort is None else (int(effort.work.sum()), int(np.count_nonzero(effort.uncertified)))


def _more_likely(code: Code, sent: Bits, words: Bits, llr: LLR) -> int:
    """In how many frames ``words`` is a codeword and more likely than ``sent``."""
    change = np.where(words > sent, -1.0, 0.0) + np.where(words < sent, 1.0, 0.0)
    with np.errstate(invalid="ignore"):  # contradictory infinite LLRs compare as False
        gain = np.where(change == 0, 0.0, change * llr.astype(np.float64)).sum(axis=1)
    is_codeword = ~code.syndrome(words).any(axis=1)
    return int(((gain > 0) & is_codeword).sum())


def proportion_interval(errors: int, frames: int, confidence: float = 0.95) -> tuple[float, float]:
    """Clopper-Pearson interval (1934) of a probability seen ``errors`` times in ``frames`` trials.

    Raises:
        ValueError: If not 0 <= errors <= frames, or the confidence is not in (0, 1).

    Example:
        >>> low, high = proportion_interval(0, 100)
        >>> low, round(high, 4)
        (0.0, 0.0362)
    """
    from scipy.special import betaincinv  # costs a part of a second: only where there is an interval

    _check(frames, confidence)
    if not 0 <= errors <= frames:
        raise ValueError(f"errors must be in 0..{frames} frames, got {errors}")
    if frames == 0:
        return 0.0, 1.0
    tail = (1 - confidence) / 2
    low = 0.0 if errors == 0 else float(betaincinv(float(errors), float(frames - errors + 1), tail))
    high = 1.0 if errors == frames else float(betaincinv(float(errors + 1), float(frames - errors), 1 - tail))
    return low, high


def rate_interval(
    total: int, squares: int, frames: int, width: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval of a bit error rate from frames whose ``width`` bits err together.

    The wrong bits of a frame are not independent, so that a binomial interval on bits is far too narrow. The
    errors are taken as ``total^2 / variance`` independent events of equal size, with the variance of their
    sum estimated from the squares per frame, and the events as Poisson (Fay and Feuer, Statistics in Medicine
    16, 1997, gamma interval for weighted counts). Without errors the upper end is that of the block error
    rate.

    Args:
        total: Wrong bits in all frames.
        squares: Sum over frames of the squared number of wrong bits.
        frames: Frames.
        width: Bits of a frame, k or n.
        confidence: Coverage aimed at.

    Raises:
        ValueError: If the counts contradict each other, or the confidence is not in (0, 1).

    Example:
        >>> low, high = rate_interval(total=200, squares=800, frames=10_000, width=4)
        >>> round(low, 5), round(high, 5)
        (0.00371, 0.00659)
    """
    from scipy.special import gammaincinv

    _check(frames, confidence)
    if (
        not (0 <= total <= squares <= width * total and total <= width * frames)
        or total * total > squares * frames
    ):
        raise ValueError(
            f"counts contradict each other: total {total}, squares {squares}, {frames} frames of {width} bits"
        )
    if total == 0:
        return proportion_interval(0, frames, confidence)
    if total == width * frames:
        return proportion_interval(frames, frames, confidence)
    tail = (1 - confidence) / 2
    rate = total / (frames * width)
    variance = squares - total * total / frames
    # Frames that all have equally many errors (a single one, say) show no variance: each counts as rare.
    events = total * total / (variance if variance > 0 else squares)
    low = float(gammaincinv(events, tail)) / events
    high = float(gammaincinv(events + 1, 1 - tail)) / events
    return rate * low, min(1.0, rate * high)


def _check(frames: int, confidence: float) -> None:
    if frames < 0:
        raise ValueError(f"frames must be 0 or more, got {frames}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be in (0, 1), got {confidence}")
