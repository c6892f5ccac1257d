"""Bits of which nothing is known, for decoders that only correct errors."""

from collections.abc import Callable

import numpy as np

from fecnn.arrays import LLR, Bits, hard
from fecnn.decoders.contract import Effort


def with_erasures(
    decode: Callable[[LLR], tuple[Bits, Effort]],
) -> Callable[[LLR], tuple[Bits, Effort]]:
    """A bounded-distance decoder that takes LLRs of 0 for erasures, from one that only corrects errors.

    A frame with erasures is decoded twice, with all of them 0 and with all of them 1; of two codewords, that
    which agrees with more of the other bits is the decision (Moon, Error Correction Coding, 2005, section
    3.8). One of the two has at most half of the erasures wrong, so e errors and s erasures are corrected
    whenever 2 e + s <= 2 t.

    Args:
        decode: Gives words and which of them are no codewords (``uncertified``).
    """

    def both(llr: LLR) -> tuple[Bits, Effort]:
        words, effort = decode(llr)
        lost = llr == 0
        if not lost.any():
            return words, effort
        rows = np.flatnonzero(lost.any(axis=1))
        given, lost = llr[rows], lost[rows]
        ones, other = decode(np.where(lost, given.dtype.type(-1), given))
        wrong = [
            np.where(failed, llr.shape[1] + 1, ((found != hard(given)) & ~lost).sum(axis=1))
            for found, failed in ((words[rows], effort.uncertified[rows]), (ones, other.uncertified))
        ]
        better = wrong[1] < wrong[0]
        words[rows[better]] = ones[better]
        effort.uncertified[rows[better]] = False
        return words, effort

    return both
