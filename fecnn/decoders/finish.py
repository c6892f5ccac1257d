"""Finishing another decoder's work: OSD on what it believes, and the channel as the judge."""

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits, hard
from fecnn.codes.code import Code
from fecnn.decoders.contract import Lister
from fecnn.decoders.osd import osd_list

LISTED = 8
"""Words that OSD lists for another decoder, unless its order is 0."""


def finisher(code: Code, order: int) -> Lister:
    """OSD of an order that lists its best words by what another decoder believes."""
    return osd_list(code, list=LISTED if order else 1, order=order)


def surely_most_likely(code: Code, y: LLR, word: Bits) -> NDArray[np.bool_]:
    """Whether each word (B, n) is a codeword that the minimum distance d proves to be maximum likelihood.

    Any other codeword differs in at least d places. At best for it, these are the w places where the word
    differs from the hard decision and the d - w least reliable others. The word is proved ML if the former
    cost no more than the latter (Taipale and Pursley, IEEE Trans. IT 37(1), 1991). If d is not known, every
    codeword counts as proved.
    """
    codeword: NDArray[np.bool_] = np.asarray(~code.syndrome(word).any(axis=1))
    if code.minimum_distance is None:
        return codeword
    differs = word != hard(y)
    others = np.sort(np.where(differs, np.inf, np.abs(y)), axis=1)
    missing = code.minimum_distance - differs.sum(axis=1)
    counted = np.arange(code.n) < missing[:, None]
    safe: NDArray[np.bool_] = price(y, word) <= np.where(counted, others, 0).sum(axis=1)
    return codeword & safe


def most_likely(code: Code, y: LLR, own: Bits, words: Bits, held: NDArray[np.bool_]) -> Bits:
    """Of own words (B, n), codewords or not, and listed ones (B, L, n) where they are held, the likeliest."""
    all_of_them = np.concatenate([own[:, None], words], axis=1)
    held = np.concatenate([~code.syndrome(own).any(axis=1, keepdims=True), held], axis=1)
    differs = all_of_them != hard(y)[:, None]
    prices = np.where(differs, np.abs(y)[:, None], 0).sum(axis=2, dtype=np.float32)
    best: Bits = all_of_them[np.arange(len(y)), np.where(held, prices, np.inf).argmin(axis=1)]
    return best


def price(y: LLR, word: Bits) -> NDArray[np.float32]:
    """Cost of words relative to the hard decision: the sum of |y| where they differ, (B,)."""
    total: NDArray[np.float32] = np.where(word != hard(y), np.abs(y), 0).sum(axis=1, dtype=np.float32)
    return total
