"""Another decoder that refuses what it is not sure of: by checks that are kept for this, or by its margin."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits
from fecnn.channels.channel import Channel
from fecnn.codes import gf2
from fecnn.codes.code import Code
from fecnn.decoders.built import BuiltDecoder, BuiltListDecoder
from fecnn.decoders.complexity import complexity
from fecnn.decoders.contract import Decoder, Effort, Measured
from fecnn.decoders.cost import Cost
from fecnn.decoders.make import decoder as decoder_named
from fecnn.decoders.make import list_decoder
from fecnn.decoders.registry import BuiltIn, Example
from fecnn.errors import real, whole

LIST = {"scl": 8}
"""Words that are listed for a margin, of which the best two count; 2 of other decoders."""


def refusing(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    decoder: str = "ml",
    margin: float | None = None,
    unchecked: int = 0,
    **options: Any,
) -> Decoder:
    """Another decoder that refuses frames: by a threshold on its margin, or by checks left for this.

    Forney, IEEE Trans. IT 14(2), 1968, with the likeliest other word in place of all others. A frame is
    refused if its decision is no codeword, if the other decoder refuses it, or if the margin, the
    log-likelihood ratio of the best and the second best word of the list, is below the threshold. A list that
    is not exact may lack the second best word; its margin is then too large. One without a second word, as if
    no other path satisfies a CRC or the queries run out, has an infinite margin and counts as uncertified;
    if it is empty, the frame is refused too. `decode.measure` says what is refused, and the margin; studies
    count ``refusals``, and the block errors that were not refused as ``undetected``.

    Args:
        code: The code.
        channel: That of the other decoder.
        decoder: The other decoder: a name, as `fecnn.decoder` takes it; with a margin, one that
            `fecnn.list_decoder` knows.
        margin: The least margin of a decision that is not refused, 0 or more; with 0 none is refused for it.
            None: the other decoder gives one word, and there is no margin.
        unchecked: How many of the last checks the other decoder is not told of, such as the CRC of
            ``fecnn.polar(128, 64, crc=11)`` or of `Code.subcode`, for which it is 11. It then decodes a
            larger code, and its decision is refused if it violates one of them.
        options: The options of the other decoder.

    Raises:
        LookupError: If there is no such decoder, or with a margin no such list decoder.
        TypeError: If it has no such option.
        ValueError: If the margin is negative, or the code has not so many checks that can be left out.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("refusing", fecnn.hamming(3), decoder="ml", margin=2.0)
        >>> bits, effort = decode.measure(np.float32([2, 3, -0.5, 4, 1.5, 2.5, 3.5]))
        >>> float(effort.margin), bool(effort.refused)
        (4.5, False)
    """
    inner = code_of_other_checks(code, unchecked)
    if margin is None:
        return Refusing(decoder_named(decoder, inner, channel, **options), code, None)
    if not real("margin", margin) >= 0:
        raise ValueError(f"margin must be a log-likelihood ratio, 0 or more, got {margin}")
    size = options.pop("list", LIST.get(decoder, 2))
    if whole("list", size) < 2:
        raise ValueError(f"list must be 2 or more for a margin, got {size}")
    lister = list_decoder(decoder, inner, channel, list=size, **options)
    return Refusing(lister, code, float(margin))


def code_of_other_checks(code: Code, unchecked: int) -> Code:
    """The larger code that the checks but the last so many leave.

    Raises:
        ValueError: If it has not as many more message bits.
    """
    unchecked = whole("unchecked", unchecked)
    if unchecked == 0:
        return code
    if not 0 < unchecked <= len(code.H):
        raise ValueError(f"unchecked must be in 0..{len(code.H)} checks of {code.name}, got {unchecked}")
    kept = code.H[: len(code.H) - unchecked]
    if code.mother is not None or gf2.rank(kept) != code.n - code.k - unchecked:
        raise ValueError(
            f"the last {unchecked} checks of {code.name} follow from others in part; unchecked is for those "
            "of a CRC, as of fecnn.polar(128, 64, crc=11) or Code.subcode"
        )
    name = f"{code.name} without {unchecked} checks"
    return Code(gf2.null_space(kept), kept, name=name, bit_order=code.bit_order)


class Refusing(Measured):
    """A decoder that refuses.

    Args:
        decode: The decoder, or with a margin a list decoder, of a code that holds all codewords.
        code: The code.
        margin: The least margin of what is not refused.
    """

    def __init__(self, decode: BuiltDecoder | BuiltListDecoder, code: Code, margin: float | None) -> None:
        super().__init__(self._measure)
        self._decode, self._code, self._margin = decode, code, margin

    def at(self, channel: Channel | None) -> "Refusing":
        """The same decoder for another channel."""
        return Refusing(self._decode.at(channel), self._code, self._margin)

    def _measure(self, llr: LLR) -> tuple[Bits, Effort]:
        margin: NDArray[np.float32] | None = None
        if isinstance(self._decode, BuiltListDecoder):
            words, metrics = self._decode(llr)
            found, other = words[:, 0], metrics[:, 1]
            with np.errstate(invalid="ignore"):
                margin = other - metrics[:, 0]
            lost, alone = np.isinf(metrics[:, 0]), np.isinf(other)  # the LLRs are finite here
            margin[lost] = 0
            effort = Effort(np.zeros(len(llr), np.int64), alone)
            with np.errstate(over="ignore"):
                refused = lost | (margin < np.float32(self._margin or 0))
        else:
            found, effort = self._decode.measure(llr)
            refused = np.zeros(len(llr), np.bool_) if effort.refused is None else effort.refused
            margin = effort.margin
        refused = refused | self._code.syndrome(found).any(axis=1)
        return np.ascontiguousarray(found), Effort(effort.work, effort.uncertified, refused, margin)


def refusing_cost(
    code: Code,
    work: float | None = None,
    *,
    decoder: str = "ml",
    margin: float | None = None,
    unchecked: int = 0,
    **options: Any,
) -> Cost:
    """The other decoder, for one word; then the checks of the decision and, with a margin, a comparison.

    What a list costs beyond its best word is not counted.
    """
    inner = code_of_other_checks(code, unchecked)
    if margin is not None and decoder != "scl":
        options.pop("list", None)
    checks = Cost(binary=int(code.H.sum()), comparisons=int(margin is not None))
    return complexity(decoder, inner, work=work if margin is None else None, **options) + checks


REFUSING = BuiltIn(
    refusing,
    cost=refusing_cost,
    cites="Forney, IEEE Trans. IT 14(2), 1968",
    reach="whatever the other decoder takes",
    example=Example("bch-31-21", 3.0),
    around=True,
)
