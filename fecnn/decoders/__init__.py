"""Decoders by name: a factory ``make(code, channel, /, **options)`` returns a function ``llr -> bits``.

Names resolve as a built-in, an entry point of group ``fecnn.decoders`` (or ``fecnn.soft_decoders``), or
``"module:function"``. A factory pays every set-up cost once. The functions returned here check their input
and output; factories and what they return may trust it: float32 ``(B, n)``, finite, C-contiguous.
"""

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fecnn._files.rooms import loader
from fecnn.arrays import LLR, Bits, as_float32, as_llr, bpsk, restored, within_reach
from fecnn.channels.channel import Channel
from fecnn.codes.code import Code
from fecnn.errors import nearest

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


BUILT_IN = {
    "berlekamp-massey": "fecnn.decoders.berlekamp_massey:berlekamp_massey",
    "bp": "fecnn.decoders.bp:bp",
    "chase2": "fecnn.decoders.chase:chase2",
    "crossmpt": "fecnn.decoders.trained:crossmpt",
    "ecct": "fecnn.decoders.trained:ecct",
    "fecnn-net": "fecnn.decoders.trained:fecnn_net",
    "fs-osd": "fecnn.decoders.osd:fs_osd",
    "grand": "fecnn.decoders.grand:grand",
    "hard": "fecnn.decoders.hard:hard",
    "hard-ml": "fecnn.decoders.hard:hard_ml",
    "lc-osd": "fecnn.decoders.osd:lc_osd",
    "literature-mlnn": "fecnn.decoders.trained:literature_mlnn",
    "literature-slnn": "fecnn.decoders.trained:literature_slnn",
    "map": "fecnn.decoders.map:map_bits",
    "ml": "fecnn.decoders.ml:ml",
    "mlnn": "fecnn.decoders.networks:mlnn",
    "near-ml": "fecnn.decoders.ml:near_ml",
    "orbgrand": "fecnn.decoders.grand:orbgrand",
    "osd": "fecnn.decoders.osd:osd",
    "pb-osd": "fecnn.decoders.osd:pb_osd",
    "sc": "fecnn.decoders.polar:sc",
    "scl": "fecnn.decoders.polar:scl",
    "slnn": "fecnn.decoders.networks:slnn",
}
BUILT_IN_SOFT = {
    "bp": "fecnn.decoders.bp:bp_app",
    "chase2": "fecnn.decoders.chase:chase2_app",
    "map": "fecnn.decoders.map:map_app",
    "osd": "fecnn.decoders.osd:osd_app",
    "scl": "fecnn.decoders.polar:scl_app",
}

HARD_GROUP, SOFT_GROUP = "fecnn.decoders", "fecnn.soft_decoders"


def decoder(name: str, code: Code, channel: Channel | None = None, /, **options: Any) -> Decoder:
    """A decoder by name, ready to call.

    Args:
        name: A built-in name, a plug-in's entry point, or ``"module:function"``.
        code: The code to decode.
        channel: The channel that made the LLRs; None for decoders that need no more than LLRs.
        options: The factory's own options, such as ``order=2`` of ``osd``.

    Returns:
        A function from LLRs, ``(..., n)`` real, to code bits ``(..., n)`` or message bits ``(..., k)``,
        uint8. Where n = k these are code bits: widths cannot tell.

    Raises:
        LookupError: If there is no such decoder.
        TypeError: If it has no such option.
        ValueError: If an option or the code does not suit it, or it returns message bits where n = k.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("ml", fecnn.hamming(3))
        >>> decode(np.float32([2, 3, -0.1, 4, 1, 2, 3]))
        array([0, 0, 0, 0, 0, 0, 0], dtype=uint8)
    """
    decode = _make(factory(name), name, code, channel, options)

    def checked_frames(llr: ArrayLike) -> tuple[LLR, tuple[int, ...]]:
        frames = as_llr(llr, code.n)
        return frames.reshape(frames.size // code.n, code.n), frames.shape[:-1]

    def checked_bits(bits: Bits, frames: int) -> Bits:
        if not isinstance(bits, np.ndarray) or bits.dtype != np.uint8:
            raise TypeError(f"decoder {name} must return a uint8 array, got {_describe(bits)}")
        if bits.shape not in ((frames, code.n), (frames, code.k)):
            raise ValueError(
                f"decoder {name} must return shape {(frames, code.n)} (code bits) or "
                f"{(frames, code.k)} (message bits), got {bits.shape}"
            )
        if bits.size and bits.max() > 1:
            raise ValueError(f"decoder {name} must return bits 0 and 1, got {bits.max()}")
        return bits

    def measure(llr: ArrayLike) -> tuple[Bits, Effort]:
        flat, axes = checked_frames(llr)
        bits, effort = decode.measure(flat)
        checked_bits(bits, len(flat))
        return bits.reshape(*axes, bits.shape[1]), Effort(
            effort.work.reshape(axes), effort.uncertified.reshape(axes)
        )

    def checked(llr: ArrayLike) -> Bits:
        flat, axes = checked_frames(llr)
        bits = checked_bits(decode(flat), len(flat))
        return bits.reshape(*axes, bits.shape[1])

    recipe = Recipe(decoder, name, code, channel, options)
    final = Measured(measure, recipe) if isinstance(decode, Measured) else Made(checked, recipe)
    if code.n == code.k:
        _refuse_messages(final, name, code)
    return final


def soft_decoder(name: str, code: Code, channel: Channel | None = None, /, **options: Any) -> SoftDecoder:
    """A soft-output decoder by name: LLRs ``(..., n)`` to a-posteriori LLRs ``(..., n)`` float32.

    Arguments and errors as for `decoder`; an output may be infinite (a bit that is certain).

    Example:
        >>> import fecnn
        >>> app = fecnn.soft_decoder("map", fecnn.repetition(3))
        >>> app(np.float32([1, 2, -0.5]))
        array([2.5, 2.5, 2.5], dtype=float32)
    """
    decode = _make(factory(name, soft=True), name, code, channel, options)

    def checked(llr: ArrayLike) -> LLR:
        frames = as_float32(llr, code.n)
        given = frames.reshape(frames.size // code.n, code.n)
        flat = within_reach(given)
        app = decode(flat)
        if not isinstance(app, np.ndarray) or app.dtype != np.float32 or app.shape != flat.shape:
            raise TypeError(
                f"soft decoder {name} must return float32 of shape {flat.shape}, got {_describe(app)}"
            )
        if np.isnan(app).any():
            raise ValueError(f"soft decoder {name} returned NaN")
        return restored(app, given, flat).reshape(frames.shape)

    return Made(checked, Recipe(soft_decoder, name, code, channel, options))


def decoder_names(*, soft: bool = False) -> list[str]:
    """Every decoder known by name: the built-in ones and installed plug-ins."""
    group = SOFT_GROUP if soft else HARD_GROUP
    return sorted(
        {*(BUILT_IN_SOFT if soft else BUILT_IN), *(entry.name for entry in entry_points(group=group))}
    )


def plugin(name: str, *, soft: bool = False) -> EntryPoint | None:
    """The entry point of that name, if a package has one; nothing of it is imported."""
    group = SOFT_GROUP if soft else HARD_GROUP
    return {entry.name: entry for entry in entry_points(group=group)}.get(name)


def factory(name: str, *, soft: bool = False) -> Factory:
    """The factory behind a decoder's name.

    Raises:
        LookupError: If there is no such decoder, module or function.
        TypeError: If what the name leads to cannot be called.
    """
    kind = "soft decoder" if soft else "decoder"
    target = (BUILT_IN_SOFT if soft else BUILT_IN).get(name)
    found: Any
    if target is None and ":" not in name:
        entry = plugin(name, soft=soft)
        if entry is None:
            raise LookupError(f"no {kind} {name!r}; {nearest(name, decoder_names(soft=soft))}")
        found = entry.load()
    else:
        module, _, function = (target or name).partition(":")
        if not module or not function:
            raise LookupError(f"{kind} {name!r} must be named module:function")
        try:
            loaded = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name is None or not (module + ".").startswith(error.name + "."):
                raise
            raise LookupError(
                f"no module {module!r} for {kind} {name!r}; is it installed, or on PYTHONPATH?"
            ) from None
        if not hasattr(loaded, function):
            raise LookupError(f"module {module!r} has no function {function!r} for {kind} {name!r}")
        found = getattr(loaded, function)
    if not callable(found):
        raise TypeError(
            f"{kind} {name} must be a function make(code, channel, /, **options), got {_describe(found)}"
        )
    return found  # type: ignore[no-any-return]


def check_options(name: str, make: Factory, options: dict[str, Any]) -> None:
    """Refuse options that a factory does not have.

    Raises:
        TypeError: Naming the option and the nearest that exists.
    """
    parameters = inspect.signature(make).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return
    known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    for option in options:
        if option not in known:
            hint = nearest(option, known) if known else "it has none"
            raise TypeError(f"decoder {name} has no option {option!r}; {hint}")


def as_output(code: Code, messages: Bits) -> Bits:
    """Message bits (B, k) as decoders return them: as code bits where n = k, for widths tell them apart."""
    return code.encode(messages) if code.n == code.k else messages


def _refuse_messages(decode: Decoder, name: str, code: Code) -> None:
    """Refuse a decoder that undoes the encoding of a word without noise, where n = k: bits would be mixed up.

    Raises:
        ValueError: Saying what is expected.
    """
    messages = np.concatenate([np.eye(code.k, dtype=np.uint8), np.ones((1, code.k), np.uint8)])[-64:]
    codewords = code.encode(messages)
    if (messages == codewords).all():
        return
    decided = decode(8 * bpsk(codewords))
    if (decided == messages).all():
        raise ValueError(
            f"decoder {name} returns message bits of {code.name}, where n = k = {code.k}: there it must "
            "return code bits, as widths cannot tell them apart; pass messages through "
            "fecnn.decoders.as_output(code, messages)"
        )


def _make(make: Factory, name: str, code: Code, channel: Channel | None, options: dict[str, Any]) -> Any:
    if not isinstance(code, Code):
        raise TypeError(f"code must be a fecnn.Code (see fecnn.load_code), got {_describe(code)}")
    check_options(name, make, options)
    decode = make(code, channel, **options)
    if not callable(decode):
        raise TypeError(
            f"the factory of decoder {name} must return a function llr -> bits, got {_describe(decode)}"
        )
    return decode


def _describe(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} array of shape {value.shape}"
    return type(value).__name__


if not TYPE_CHECKING:
    __getattr__ = loader(__name__, __path__)
