"""What a decoder is: a function from LLRs to bits, which may also say how much work its decisions took."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits
from fecnn.channels.channel import Channel
from fecnn.codes.code import Code

Decoder = Callable[[LLR], Bits]


SoftDecoder = Callable[[LLR], LLR]


Factory = Callable[..., Callable[[LLR], NDArray[Any]]]


@dataclass(frozen=True)
class Effort:
    """What a decoder says of its own decisions, frame by frame.

    work: Iterations done, or test patterns, queries or search nodes tried, (B,) int64; 0 where it never
        varies.
    uncertified: True where the decoder gave up, or a budget ran out before it could do all that it promises,
        (B,) bool.
    """

    work: NDArray[np.int64]
    uncertified: NDArray[np.bool_]


@dataclass(frozen=True)
class Recipe:
    """What `decoder` or `soft_decoder` made a decoder of: it is pickled as that, and made again."""

    make: Callable[..., Any]
    name: str
    code: Code
    channel: Channel | None
    options: dict[str, Any]

    def again(self) -> Any:
        """The decoder."""
        return self.make(self.name, self.code, self.channel, **self.options)

    def __str__(self) -> str:
        options = "".join(f", {key}={value!r}" for key, value in self.options.items())
        return f"{self.make.__name__}({self.name!r}, {self.code.name}{options})"


class Made:
    """A decoder, hard or soft, that is called like a function, pickles, and prints what it is."""

    def __init__(self, decode: Callable[[LLR], Any], recipe: Recipe) -> None:
        self._decode, self._recipe = decode, recipe

    def __call__(self, llr: LLR) -> Any:
        """Its decisions, or a-posteriori LLRs."""
        return self._decode(llr)

    def __reduce__(self) -> tuple[Any, ...]:
        return Recipe.again, (self._recipe,)

    def __repr__(self) -> str:
        return f"<{self._recipe}>"


class Measured:
    """A decoder whose work depends on the data, or whose budget may run out, and that says so.

    It is called like any decoder. ``measure`` returns the same bits with their `Effort`.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("osd", fecnn.hamming(3), order=1)
        >>> bits, effort = decode.measure(np.float32([2, 3, -0.1, 4, 1, 2, 3]))
        >>> bool(effort.uncertified)
        False
    """

    def __init__(self, measure: Callable[[LLR], tuple[Bits, Effort]], recipe: Recipe | None = None) -> None:
        self.measure = measure
        self._recipe = recipe

    def __call__(self, llr: LLR) -> Bits:
        """The bits alone."""
        return self.measure(llr)[0]

    def __reduce__(self) -> tuple[Any, ...]:
        if self._recipe is None:
            raise TypeError("only what fecnn.decoder has made can be pickled, not what a factory returns")
        return Recipe.again, (self._recipe,)

    def __repr__(self) -> str:
        return object.__repr__(self) if self._recipe is None else f"<{self._recipe}>"


def as_output(code: Code, messages: Bits) -> Bits:
    """Message bits (B, k) as decoders return them: as code bits where n = k, for widths tell them apart."""
    return code.encode(messages) if code.n == code.k else messages
