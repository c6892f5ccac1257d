"""The decoder contract: a function from LLRs to bits, which may also report the work it did."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fecnn._notebook import html
from fecnn.arrays import LLR, Bits
from fecnn.channels.channel import Channel
from fecnn.codes.code import Code
from fecnn.decoders.registry import REGISTRY, built_in, function_name

Decoder = Callable[[LLR], Bits]


SoftDecoder = Callable[[LLR], LLR]


Factory = Callable[..., Callable[[LLR], NDArray[Any]]]


@dataclass(frozen=True)
class Effort:
    """What a decoder reports about its decisions, frame by frame.

    work: Iterations, test patterns, queries or search nodes, (B,) int64; 0 where it never varies.
    uncertified: (B,) bool, True where the decoder gave up, or a budget ran out before it could do all it
        promises.
    """

    work: NDArray[np.int64]
    uncertified: NDArray[np.bool_]


@dataclass(frozen=True)
class Recipe:
    """How `decoder` or `soft_decoder` built a decoder; decoders are pickled as this and rebuilt."""

    make: Callable[..., Any]
    name: str | Callable[..., Any]
    code: Code
    channel: Channel | None
    options: dict[str, Any]

    def again(self) -> Any:
        """Build the decoder again."""
        return self.make(self.name, self.code, self.channel, **self.options)

    def __str__(self) -> str:
        options = "".join(f", {key}={value!r}" for key, value in self.options.items())
        name = repr(self.name) if isinstance(self.name, str) else getattr(self.name, "__name__", "a function")
        return f"{self.make.__name__}({name}, {self.code.name}{options})"

    def _repr_html_(self) -> str:
        given = ", ".join(f"{key}={value!r}" for key, value in self.options.items())
        channel = "not given" if self.channel is None else str(self.channel)
        parts = [html.table(("options", "channel"), [(given or "defaults", channel)], words=2)]
        if isinstance(self.name, str):
            name = self.name
            if name in REGISTRY:
                known = built_in(name)
                cited = known.cites in known.summary
                parts += [html.line(known.summary), "" if cited else html.line(known.cites, faint=True)]
        else:
            name = function_name(self.name)
            if text := inspect.getdoc(self.name):
                parts.append(html.line(text.partition("\n")[0]))
        return html.card(name, f"{self.make.__name__.replace('_', ' ')} of {self.code.name}", *parts)


class Made:
    """A hard or soft decoder that is called like a function, can be pickled, and prints its name."""

    def __init__(self, decode: Callable[[LLR], Any], recipe: Recipe) -> None:
        self._decode, self._recipe = decode, recipe

    def __call__(self, llr: LLR) -> Any:
        """Decisions, or a-posteriori LLRs."""
        return self._decode(llr)

    def __reduce__(self) -> tuple[Any, ...]:
        return Recipe.again, (self._recipe,)

    def __repr__(self) -> str:
        return f"<{self._recipe}>"

    def _repr_html_(self) -> str:
        return self._recipe._repr_html_()


class Measured:
    """A decoder that reports the work it did and whether a budget ran out.

    It is called like any decoder. ``measure`` returns the same bits together with their `Effort`.

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
        """The bits, without the effort."""
        return self.measure(llr)[0]

    def __reduce__(self) -> tuple[Any, ...]:
        if self._recipe is None:
            raise TypeError("only decoders made by fecnn.decoder can be pickled, not what a factory returns")
        return Recipe.again, (self._recipe,)

    def __repr__(self) -> str:
        return object.__repr__(self) if self._recipe is None else f"<{self._recipe}>"

    def _repr_html_(self) -> str | None:
        return None if self._recipe is None else self._recipe._repr_html_()


def as_output(code: Code, messages: Bits) -> Bits:
    """Message bits (B, k) in the form decoders return: re-encoded where n = k, since widths cannot tell."""
    return code.encode(messages) if code.n == code.k else messages
