"""Automorphism ensemble decoding: another decoder, in several places at once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits
from fecnn.channels.channel import Channel
from fecnn.codes.automorphism import Permutation
from fecnn.codes.code import Code
from fecnn.codes.groups import drawn
from fecnn.decoders.built import BuiltDecoder
from fecnn.decoders.complexity import complexity
from fecnn.decoders.contract import Decoder, Effort, Measured, discrepancy
from fecnn.decoders.cost import Cost
from fecnn.decoders.finish import surely_most_likely
from fecnn.decoders.make import decoder as decoder_named
from fecnn.decoders.registry import BuiltIn, Example

STOPS = ("proved", "codeword", "never")


def aed(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    ensemble: int = 8,
    decoder: str = "sc",
    group: str = "auto",
    stop: str = "proved",
    seed: int = 1,
    **options: Any,
) -> Decoder:
    """Automorphism ensemble decoding: another decoder on permuted LLRs, the likeliest codeword of all.

    Geiselhart, Elkelesh, Ebada, Cammerer and ten Brink, IEEE Trans. Commun. 69(10), 2021. An automorphism of
    the code permutes the LLRs, the other decoder decides, and its word is permuted back. Of the words of the
    ensemble that are codewords, the most likely is the decision, the first of equals. If none is, the
    decision is the word that the other decoder found without a permutation, and the frame is counted as
    uncertified. The work of a frame is its number of decodings. If the other decoder refuses frames, a
    decision is refused if it was where it was found.

    An ensemble only helps a decoder that decides differently after a permutation. ``ml`` does not, ``osd``
    does only in ties, and ``bp`` does not after one that maps the checks of H to each other, such as a shift
    of a quasi-cyclic H. ``sc`` does not after one that adds binary digits of a position to more significant
    ones only. Most polar codes have few others, and a large ensemble then repeats decisions: that of
    polar-128-64 has 9 different ones.

    Args:
        code: A code with known automorphisms.
        channel: That of the other decoder.
        ensemble: Number of permutations, the first of which is the identity. Each is verified to be an
            automorphism.
        decoder: The other decoder: a name, as `fecnn.decoder` takes it.
        group: ``affine``: maps x -> A x + b of the binary digits of a position, the affine group of
            Reed-Muller codes, and the block lower-triangular one of polar codes. ``field``: x -> a x^(2^i) +
            b over GF(2^m), for extended primitive cyclic codes, with the parity bit last. ``shifts``: cyclic
            shifts of all positions or of each block, and j -> 2 j, for cyclic, quasi-cyclic and array codes.
            ``auto``: the first of these that has enough. The permutations are drawn uniformly, but those
            after which ``sc`` may decide differently come first.
        stop: The decodings of a frame end early with ``proved``, when the minimum distance proves the best
            codeword so far to be ML, which changes no decision (Taipale and Pursley 1991; if the distance is
            not known, only the hard decision counts as proved); with ``codeword``, at the first codeword,
            likely or not; or ``never``.
        seed: Seed of the permutations, 0 or more.
        options: The options of the other decoder.

    Raises:
        ValueError: If an option is out of range, or the code has too few known automorphisms.
        LookupError, TypeError: If there is no such decoder, or it has no such option.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("aed", fecnn.reed_muller(2, 5), ensemble=4, decoder="scl", list=2)
        >>> bits, effort = decode.measure(np.ones(32, np.float32))
        >>> int(bits.sum()), int(effort.work)
        (0, 1)
    """
    if not isinstance(ensemble, int) or ensemble < 1:
        raise ValueError(f"ensemble must be 1 or more, got {ensemble!r}")
    if stop not in STOPS:
        raise ValueError(f"stop must be {', '.join(STOPS[:-1])} or {STOPS[-1]}, got {stop!r}")
    if seed < 0:
        raise ValueError(f"seed must be 0 or more, got {seed}")
    return Ensemble(
        decoder_named(decoder, code, channel, **options), drawn(code, ensemble, group, seed), stop
    )


class Ensemble(Measured):
    """A decoder behind automorphisms.

    Args:
        decode: The decoder.
        places: Where each automorphism moves the positions, (M, n).
        stop: When decodings end.
    """

    def __init__(self, decode: BuiltDecoder, places: Permutation, stop: str) -> None:
        super().__init__(self._measure)
        self._decode, self._places, self._stop = decode, places, stop

    def at(self, channel: Channel | None) -> "Ensemble":
        """The same ensemble for another channel."""
        return Ensemble(self._decode.at(channel), self._places, self._stop)

    def _measure(self, llr: LLR) -> tuple[Bits, Effort]:
        code = self._decode.recipe.code
        words, least = np.empty(llr.shape, np.uint8), np.full(len(llr), np.inf)
        work, rows = np.zeros(len(llr), np.int64), np.arange(len(llr))
        refused: NDArray[np.bool_] | None = None
        margin: NDArray[np.float32] | None = None
        for i, place in enumerate(self._places):
            given = llr[rows]
            turned, effort = self._decode.measure(given.take(np.argsort(place), axis=1))
            found = turned.take(place, axis=1)
            work[rows] += 1
            prices = np.where(code.syndrome(found).any(axis=1), np.inf, discrepancy(given, found))
            better = (prices < least[rows]) | (i == 0)
            words[rows[better]], least[rows[better]] = found[better], prices[better]
            if effort.refused is not None:
                refused = np.zeros(len(llr), np.bool_) if refused is None else refused
                refused[rows[better]] = effort.refused[better]
            if effort.margin is not None:
                margin = np.zeros(len(llr), np.float32) if margin is None else margin
                margin[rows[better]] = effort.margin[better]
            better[better] = self._is_done(given[better], found[better], prices[better])
            rows = rows[~better]
        return words, Effort(work, np.isinf(least), refused, margin)

    def _is_done(self, llr: LLR, words: Bits, prices: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether these words, the best so far, end the decodings of their frames."""
        code = self._decode.recipe.code
        if self._stop == "never":
            return np.zeros(len(llr), np.bool_)
        if self._stop == "codeword":
            return np.isfinite(prices)
        if code.minimum_distance is None:
            return np.equal(prices, 0)
        return surely_most_likely(code, llr, words)


def aed_cost(
    code: Code,
    work: float | None = None,
    *,
    ensemble: int = 8,
    decoder: str = "sc",
    group: str = "auto",
    stop: str = "proved",
    seed: int = 1,
    **options: Any,
) -> Cost:
    """``work`` decodings of another decoder, by default as many as the ensemble has; each word is compared.

    A word takes a syndrome, n exclusive ors with the hard decision, at most n additions and a comparison.
    The proofs of ``stop`` are not counted.
    """
    word = Cost(additions=code.n, comparisons=1, binary=int(code.H.sum()) + code.n, memory_bits=code.n)
    return (complexity(decoder, code, **options) + word).times(ensemble if work is None else work)


AED = BuiltIn(
    aed,
    cost=aed_cost,
    cites="Geiselhart, Elkelesh, Ebada, Cammerer and ten Brink, IEEE Trans. Commun. 69(10), 2021",
    reach="codes with known automorphisms: Reed-Muller, polar, cyclic (also extended), quasi-cyclic",
    example=Example("rm-128-64", 3.0),
    around=True,
    unit="decodings",
)
