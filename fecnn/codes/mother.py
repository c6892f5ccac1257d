"""Codes that are cut from a longer one: which of its positions are sent, and which are known."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits, Int8

if TYPE_CHECKING:
    from fecnn.codes.code import Code

Values = TypeVar("Values", Bits, LLR)
Seen = TypeVar("Seen", LLR, Int8)


@dataclass(frozen=True)
class Mother:
    """The longer code of a shortened, punctured or repeated one, from which decoders may work.

    A position that is neither sent nor zero is punctured: the receiver knows nothing of it.

    Attributes:
        code: The longer code, of length N.
        sent: The position in it of each of the n code bits; one that is sent several times is repeated.
        zero: Its positions that are 0 in every word.

    Example:
        >>> import fecnn
        >>> mother = fecnn.hamming(3).shorten([0]).puncture([5]).mother
        >>> mother.code, mother.sent, mother.zero
        (Code(hamming-7-4: n=7, k=4), (1, 2, 3, 4, 5), (0,))
        >>> mother.llr(np.float32([[1, 2, 3, 4, 5]]))
        array([[inf,  1.,  2.,  3.,  4.,  5.,  0.]], dtype=float32)
    """

    code: "Code"
    sent: tuple[int, ...]
    zero: tuple[int, ...] = ()

    @cached_property
    def only_shortened(self) -> bool:
        """Whether every position of the longer code is sent once or is zero."""
        return sorted(self.sent + self.zero) == list(range(self.code.n))

    @property
    def how(self) -> str:
        """What was done to the longer code: ``shortened``, ``punctured``, ``repeated``, joined by hyphens."""
        distinct = set(self.sent)
        words = {
            "shortened": bool(self.zero),
            "punctured": len(distinct | set(self.zero)) < self.code.n,
            "repeated": len(distinct) < len(self.sent),
        }
        return "-".join(word for word, true in words.items() if true) or "permuted"

    @cached_property
    def _turns(self) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Positions of the longer code, and of this one, sent for the first time, the second time, ..."""
        times: dict[int, int] = {}
        turns: list[list[tuple[int, int]]] = []
        for i, place in enumerate(self.sent):
            turn = times[place] = times.get(place, -1) + 1
            if turn == len(turns):
                turns.append([])
            turns[turn].append((place, i))
        return [(np.array(pairs)[:, 0], np.array(pairs)[:, 1]) for pairs in turns]

    def llr(self, llr: Seen) -> Seen:
        """LLRs of the longer code, (B, N), from those of the code bits, (B, n), in float32 or int8.

        They are 0 where it is punctured, infinite where it is zero, and the sum where it is repeated;
        repeated bits that contradict each other with certainty give 0. In int8, 127 stands for infinite, and
        sums saturate.
        """
        out = np.zeros((len(llr), self.code.n), llr.dtype)
        llr = np.maximum(llr, -127) if llr.dtype == np.int8 else llr  # so that -128 is no other summand
        for turn, (places, positions) in enumerate(self._turns):
            if turn == 0:
                out[:, places] = llr[:, positions]
            elif llr.dtype == np.int8:
                out[:, places] = np.clip(np.add(out[:, places], llr[:, positions], dtype=np.int16), -127, 127)
            else:
                with np.errstate(invalid="ignore"):
                    total = out[:, places] + llr[:, positions]
                out[:, places] = np.where(np.isnan(total), np.float32(0), total)
        out[:, self.zero] = 127 if llr.dtype == np.int8 else np.inf
        return out

    def sent_of(self, values: Values) -> Values:
        """The values of the code bits, (..., n), among those of the longer code, (..., N)."""
        return np.ascontiguousarray(values[..., self.sent])

    def spoilt(self, words: Bits) -> NDArray[np.bool_]:
        """Which words of the longer code, (..., N), are not 0 where they must be."""
        return np.asarray(words[..., self.zero].any(axis=-1))
