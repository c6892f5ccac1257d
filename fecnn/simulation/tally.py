"""Counts over frames, which can be added."""

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits
from fecnn.codes.code import Code
from fecnn.decoders.contract import Effort


@dataclass(frozen=True)
class Tally:
    """Counts over frames; tallies of different frames can be added (sum them starting from ``Tally()``).

    Attributes:
        frames: Frames decoded.
        block_errors: Frames with any wrong code bit.
        bit_errors, bit_errors_sq: Wrong message bits, and the sum of their squares per frame.
        code_bit_errors, code_bit_errors_sq: The same for code bits.
        ml_errors: Block errors in which the decoder's codeword is more likely than the sent one. Maximum
            likelihood errs in these frames too, so they bound its block error rate from below.
        work: Test patterns, queries or search nodes that the decoder tried; 0 if it does not count them.
        uncertified: Frames in which a budget ran out before the decoder could do all it promises.
        seconds: Decoding time: CPU time of the decoding thread.
        refusals: Frames whose decision the decoder refused to vouch for.
        refused_errors: Block errors among these; the others are undetected.
        flags: The block errors of one batch, one bit per frame (`numpy.packbits`); a sum has none.

    Example:
        >>> sum([Tally(frames=100, block_errors=3), Tally(frames=50)], Tally()).frames
        150
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
    refusals: int = 0
    refused_errors: int = 0
    flags: bytes | None = field(default=None, compare=False, repr=False)

    def __add__(self, other: "Tally") -> "Tally":
        """The counts of both."""
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in COUNTS})


COUNTS = tuple(f.name for f in fields(Tally) if f.name != "flags")
"""The fields of a tally that can be added."""


def tally(
    code: Code,
    codewords: Bits,
    llr: LLR,
    words: Bits,
    seconds: float,
    effort: Effort | None = None,
) -> Tally:
    """Counts of one batch of decisions.

    Args:
        code: The code.
        codewords: Sent codewords, (B, n).
        llr: What the decoder saw, (B, n).
        words: What it decided, (B, n).
        seconds: CPU time of decoding.
        effort: The effort that the decoder reported, if any.
    """
    code_bits = (words != codewords).sum(axis=1, dtype=np.int64)
    bits = (code.extract(words) != code.extract(codewords)).sum(axis=1, dtype=np.int64)
    wrong = code_bits > 0
    return Tally(
        frames=len(llr),
        block_errors=int(wrong.sum()),
        bit_errors=int(bits.sum()),
        bit_errors_sq=int((bits * bits).sum()),
        code_bit_errors=int(code_bits.sum()),
        code_bit_errors_sq=int((code_bits * code_bits).sum()),
        ml_errors=_more_likely(code, codewords[wrong], words[wrong], llr[wrong]),
        **effort_counts(effort, wrong),
        seconds=seconds,
        flags=np.packbits(wrong).tobytes(),
    )


def effort_counts(effort: Effort | None, wrong: NDArray[np.bool_]) -> dict[str, int]:
    """The counts that follow from a decoder's effort and which frames are wrong; none if it reports none."""
    if effort is None:
        return {}
    counts = {"work": int(effort.work.sum()), "uncertified": int(np.count_nonzero(effort.uncertified))}
    if effort.refused is not None:
        counts["refusals"] = int(np.count_nonzero(effort.refused))
        counts["refused_errors"] = int(np.count_nonzero(effort.refused & wrong))
    return counts


def _more_likely(code: Code, sent: Bits, words: Bits, llr: LLR) -> int:
    """Number of frames in which ``words`` is a codeword more likely than ``sent``."""
    change = np.where(words > sent, -1.0, 0.0) + np.where(words < sent, 1.0, 0.0)
    with np.errstate(invalid="ignore"):  # contradictory infinite LLRs compare as False
        gain = np.where(change == 0, 0.0, change * llr.astype(np.float64)).sum(axis=1)
    is_codeword = ~code.syndrome(words).any(axis=1)
    return int(((gain > 0) & is_codeword).sum())
