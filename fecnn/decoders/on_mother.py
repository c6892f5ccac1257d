"""Decoders of shortened, punctured and repeated codes that work on the words of the mother code.

Each takes the mother and what a factory returned for its code, and returns the same for the code cut from it.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits, hard, within_reach
from fecnn.codes.mother import Mother
from fecnn.decoders.contract import Decoder, Effort, Lister, Measured, SoftDecoder, no_effort


def hard_on(mother: Mother, decode: Decoder) -> Measured:
    """Hard outputs.

    A word of the mother that is not 0 where it must be is none of the code: the frame is left as its hard
    decision, and counted as uncertified.
    """
    int8 = isinstance(decode, Measured) and decode.int8

    def measure(llr: LLR) -> tuple[Bits, Effort]:
        given = mother.llr(llr) if int8 else within_reach(mother.llr(llr))
        if isinstance(decode, Measured):
            words, effort = decode.measure(given)
        else:
            words, effort = decode(given), no_effort(len(llr))
        lost, out = mother.spoilt(words), mother.sent_of(words)
        out[lost] = hard(llr[lost])
        return out, Effort(effort.work, effort.uncertified | lost)

    return Measured(measure, int8=int8)


def soft_on(mother: Mother, app: SoftDecoder) -> SoftDecoder:
    """A-posteriori LLRs."""
    return lambda llr: mother.sent_of(app(within_reach(mother.llr(llr))))


def list_on(mother: Mother, lister: Callable[..., tuple[Bits, NDArray[np.bool_]]]) -> Lister:
    """Lists, without the words of the mother that are not 0 where they must be."""

    def listed(llr: LLR) -> tuple[Bits, NDArray[np.bool_]]:
        words, held = lister(within_reach(mother.llr(llr)))
        return mother.sent_of(words), held & ~mother.spoilt(words)

    return listed
