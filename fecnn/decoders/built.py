"""Decoders as objects: called like functions, pickled, compared and printed by what they were built from."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Self, TypeGuard, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fecnn._notebook import html
from fecnn.arrays import LARGE, LLR, Bits, as_float32, as_int8, as_llr, restored, within_reach
from fecnn.channels.channel import Channel
from fecnn.codes.code import Code
from fecnn.decoders.contract import Effort, Measured, Tunable, discrepancy, no_effort
from fecnn.decoders.kernels.loops import all_within, to_int8
from fecnn.decoders.registry import REGISTRY, built_in, described, function_name

Name = str | Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Recipe:
    """What a decoder is built from; decoders are pickled as this and built again.

    make: `fecnn.decoder`, `fecnn.soft_decoder` or `fecnn.list_decoder`.
    how: Its own keyword arguments, such as ``output``, where they are not the default.
    options: The options of the decoder's factory.
    """

    make: Callable[..., Any]
    name: Name
    code: Code
    channel: Channel | None
    options: dict[str, Any]
    how: dict[str, Any] = field(default_factory=dict)

    @property
    def called(self) -> str:
        """The decoder's name, or that of the function."""
        return self.name if isinstance(self.name, str) else function_name(self.name)

    def again(self) -> Any:
        """Build the decoder again."""
        return self.make(self.name, self.code, self.channel, **self.how, **self.options)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Recipe):
            return NotImplemented
        ours, theirs = self.how | self.options, other.how | other.options
        return (
            (self.make, self.name, self.code, self.channel)
            == (other.make, other.name, other.code, other.channel)
            and ours.keys() == theirs.keys()
            and all(_are_equal(ours[option], theirs[option]) for option in ours)
        )

    def __hash__(self) -> int:
        return hash((self.make, self.name, self.code))

    def __str__(self) -> str:
        options = "".join(f", {key}={value!r}" for key, value in (self.how | self.options).items())
        name = repr(self.name) if isinstance(self.name, str) else getattr(self.name, "__name__", "a function")
        return f"{self.make.__name__}({name}, {self.code.name}{options})"

    def _repr_html_(self) -> str:
        given = ", ".join(f"{key}={value!r}" for key, value in (self.how | self.options).items())
        channel = "not given" if self.channel is None else str(self.channel)
        parts = [html.table(("options", "channel"), [(given or "defaults", channel)], words=2)]
        if self.name in REGISTRY:
            known = built_in(self.called)
            cited = known.cites in known.summary
            parts += [html.line(known.summary), "" if cited else html.line(known.cites, faint=True)]
        elif not isinstance(self.name, str) and (text := inspect.getdoc(self.name)):
            parts.append(html.line(text.partition("\n")[0]))
        return html.card(self.called, f"{self.make.__name__.replace('_', ' ')} of {self.code.name}", *parts)


def _are_equal(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return type(one) is type(other) and one.dtype == other.dtype and np.array_equal(one, other)
    try:
        return bool(one == other)
    except (TypeError, ValueError, RuntimeError):  # such as tensors
        return one is other


Out = TypeVar("Out", np.uint8, np.float32)


class _Built:
    """What decoders have in common.

    function: What the factory returned: a function of float32 (B, n), finite and C-contiguous; of int8 where
        it says so (see `fecnn.decoders.Measured`).
    """

    def __init__(self, function: Callable[[LLR], Any], recipe: Recipe) -> None:
        self.function, self.recipe = function, recipe
        self._n = recipe.code.n

    def at(self, channel: Channel | None) -> Self:
        """The same decoder for another channel or noise level; built-in ones are not built again."""
        refuse_no_channel(channel)
        recipe = replace(self.recipe, channel=channel)
        if isinstance(self.function, Tunable):
            return type(self)(self.function.at(channel), recipe)
        if isinstance(recipe.name, str) and recipe.name in REGISTRY:
            return type(self)(self.function, recipe)  # none of the others looks at its channel
        again: Self = recipe.again()
        return again

    def __reduce__(self) -> tuple[Any, ...]:
        return Recipe.again, (self.recipe,)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Built):
            return NotImplemented
        return self.recipe == other.recipe

    def __hash__(self) -> int:
        return hash(self.recipe)

    def __repr__(self) -> str:
        return f"<{self.recipe}>"

    def _repr_html_(self) -> str:
        return self.recipe._repr_html_()


class _ToOneArray(_Built, Generic[Out]):
    """What hard and soft decoders have in common."""

    def __call__(
        self, llr: ArrayLike, /, *, channel: Channel | None = None, out: NDArray[Out] | None = None
    ) -> NDArray[Out]:
        """The decisions, or a-posteriori LLRs, of LLRs ``(..., n)``.

        Args:
            llr: Real numbers, positive for bit 0.
            channel: The channel of these frames, if it is not the one given before; see `at`.
            out: An array to fill and return.

        Raises:
            TypeError: If these are not real numbers, or ``out`` has another dtype.
            ValueError: If there is a NaN, or a shape does not fit.
        """
        decode = self if channel is None else self.at(channel)
        found = decode._decode(llr)
        return found if out is None else filled(out, found)

    def _decode(self, llr: ArrayLike) -> NDArray[Out]:
        raise NotImplementedError


class BuiltDecoder(_ToOneArray[np.uint8]):
    """A hard decoder, from `fecnn.decoder`: LLRs ``(..., n)`` to bits, uint8.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("osd", fecnn.hamming(3), order=1)
        >>> decode
        <decoder('osd', hamming-7-4, order=1)>
        >>> bits, effort = decode.measure(np.float32([2, 3, -0.1, 4, 1, 2, 3]))
        >>> bool(effort.uncertified)
        False
    """

    def __init__(self, function: Callable[[Any], NDArray[Any]], recipe: Recipe) -> None:
        super().__init__(function, recipe)
        self._as_message = recipe.how.get("output") == "message"
        self._ours = recipe.name in REGISTRY  # what the others return is looked at
        self._takes_int8 = isinstance(function, Measured) and function.int8

    def _given(self, llr: ArrayLike) -> NDArray[Any]:
        """Frames as the function takes them."""
        if not self._takes_int8:
            return llr if _is_ready(llr, self._n) else as_llr(llr, self._n)
        if not _is_ready(llr, self._n):
            return as_int8(llr, self._n)
        rounded = np.empty(llr.shape, np.int8)
        to_int8(llr.reshape(-1, self._n), rounded.reshape(-1, self._n))
        return rounded

    def _decode(self, llr: ArrayLike) -> Bits:
        frames = self._given(llr)
        flat = frames if frames.ndim == 2 else frames.reshape(-1, self._n)
        bits = self._shaped(self.function(flat), len(flat))
        return bits if frames.ndim == 2 else bits.reshape(*frames.shape[:-1], bits.shape[1])

    def measure(self, llr: ArrayLike, /) -> tuple[Bits, Effort]:
        """The bits, and the decoder's `fecnn.decoders.Effort` on each frame; zeros if it reports none."""
        frames = self._given(llr)
        axes, flat = frames.shape[:-1], frames.reshape(-1, self._n)
        if isinstance(self.function, Measured):
            bits, effort = self.function.measure(flat)
        else:
            bits, effort = self.function(flat), no_effort(len(flat))
        bits = self._shaped(bits, len(flat))
        return bits.reshape(*axes, bits.shape[1]), effort.reshaped(axes)

    def _shaped(self, bits: Any, frames: int) -> Bits:
        """What the function decided, as code or message bits."""
        code = self.recipe.code
        if not self._ours:
            _check_bits(bits, frames, self.recipe)
        if bits.shape[1] == self._n:
            return code.extract(bits) if self._as_message else bits
        return bits if self._as_message else code.encode(bits)


class BuiltSoftDecoder(_ToOneArray[np.float32]):
    """A soft decoder, from `fecnn.soft_decoder`: LLRs ``(..., n)`` to a-posteriori LLRs, float32.

    Example:
        >>> import fecnn
        >>> soft = fecnn.soft_decoder("map", fecnn.repetition(3))
        >>> soft([1.0, 2.0, -0.5], prior=[0.0, 0.0, 1.0])
        array([3.5, 3.5, 3.5], dtype=float32)
        >>> soft.extrinsic([1.0, 2.0, -0.5], prior=[0.0, 0.0, 1.0])
        array([2.5, 1.5, 3. ], dtype=float32)
    """

    def __call__(
        self,
        llr: ArrayLike,
        /,
        *,
        prior: ArrayLike | None = None,
        channel: Channel | None = None,
        out: LLR | None = None,
    ) -> LLR:
        """The a-posteriori LLRs of LLRs ``(..., n)``.

        Args:
            llr: Real numbers, positive for bit 0.
            prior: LLRs of what is known about the bits from elsewhere, such as another decoder's extrinsic
                LLRs: ``(..., n)`` or ``(n,)``, 0 for nothing.
            channel: The channel of these frames, if it is not the one given before; see `at`.
            out: An array to fill and return.

        Raises:
            TypeError: If these are not real numbers.
            ValueError: If there is a NaN, a shape or ``out`` does not fit, or the prior is sure of a bit and
                the LLR of its contrary.
        """
        return super().__call__(self._with_prior(llr, prior), channel=channel, out=out)

    def extrinsic(
        self,
        llr: ArrayLike,
        /,
        *,
        prior: ArrayLike | None = None,
        channel: Channel | None = None,
        out: LLR | None = None,
    ) -> LLR:
        """What the code adds: the a-posteriori LLRs minus both inputs, and 0 where a bit was sure before.

        The difference of float32 numbers is as accurate as they are: beside an LLR of 1e5, to 1e-2.
        Arguments and errors are those of the decoder itself.
        """
        given = as_float32(self._with_prior(llr, prior), self._n)
        app = super().__call__(given, channel=channel)
        with np.errstate(invalid="ignore", over="ignore"):
            found = np.where(app == given, np.float32(0), app - given)
        return found if out is None else filled(out, found)

    def _with_prior(self, llr: ArrayLike, prior: ArrayLike | None) -> ArrayLike:
        if prior is None:
            return llr
        frames, before = as_float32(llr, self._n), as_float32(prior, self._n, "prior")
        if before.ndim > 1 and before.shape != frames.shape:
            raise ValueError(f"prior must have the shape of llr, {frames.shape}, or (n,), got {before.shape}")
        if np.isnan(before).any():
            raise ValueError("prior holds NaN; a position that nothing is known about has LLR 0")
        if (np.isinf(frames) & (frames == -before)).any():
            raise ValueError("prior must not be sure of the contrary of a bit that llr is sure of")
        with np.errstate(over="ignore"):
            return frames + before

    def _decode(self, llr: ArrayLike) -> LLR:
        name = self.recipe.called
        frames = llr if (ready := _is_ready(llr, self._n)) else as_float32(llr, self._n)
        given = frames.reshape(-1, self._n)
        flat = given if ready else within_reach(given)
        app = self.function(flat)
        if not isinstance(app, np.ndarray) or app.dtype != np.float32 or app.shape != flat.shape:
            raise TypeError(
                f"soft decoder {name} must return float32 of shape {flat.shape}, got {described(app)}"
            )
        if np.isnan(app).any():
            raise ValueError(f"soft decoder {name} returned NaN")
        found = restored(app, given, flat)
        if flat is not given:  # a bit known with certainty stays so, whatever the others say
            found = np.where(np.isinf(given), given, found)
        return found.reshape(frames.shape)


class BuiltListDecoder(_Built):
    """A list decoder, from `fecnn.list_decoder`: LLRs ``(..., n)`` to words ``(..., L, n)`` and metrics."""

    def __call__(self, llr: ArrayLike, /, *, channel: Channel | None = None) -> tuple[Bits, LLR]:
        """The words of LLRs ``(..., n)``, best first, and their metrics; see `fecnn.list_decoder`.

        Args:
            llr: Real numbers, positive for bit 0.
            channel: The channel of these frames, if it is not the one given before; see `at`.

        Raises:
            TypeError: If these are not real numbers.
            ValueError: If there is a NaN, or a shape does not fit.
        """
        if channel is not None:
            return self.at(channel)(llr)
        code, size = self.recipe.code, self.recipe.how["list"]
        frames = as_float32(llr, self._n)
        given = frames.reshape(-1, self._n)
        flat = within_reach(given)
        words, metrics = _best_first(self.function(flat), given, flat, size)
        if self.recipe.how.get("output") == "message":
            words = code.extract(words)
        axes = frames.shape[:-1]
        return words.reshape(*axes, size, words.shape[-1]), metrics.reshape(*axes, size)


def _best_first(found: tuple[Bits, NDArray[np.bool_]], given: LLR, flat: LLR, size: int) -> tuple[Bits, LLR]:
    """The best words (B, size, n) of what a lister found, and their metrics (B, size) by the given LLRs.

    Words that contradict infinite LLRs, all of infinite metric, are told apart by ``flat``.
    """
    words, held = found
    metrics = discrepancy(given[:, None], words)
    finite = metrics if flat is given else discrepancy(flat[:, None], words)
    order = np.lexsort((finite, metrics, ~held), axis=-1)[:, :size]
    frames = np.arange(len(words))[:, None]
    words, held, metrics = words[frames, order], held[frames, order], metrics[frames, order]
    words[~held], metrics[~held] = 0, np.inf
    lacking = ((0, 0), (0, size - order.shape[1]))
    with np.errstate(over="ignore"):
        rounded = metrics.astype(np.float32)
    return np.pad(words, (*lacking, (0, 0))), np.pad(rounded, lacking, constant_values=np.inf)


def _is_ready(llr: object, n: int) -> TypeGuard[LLR]:
    """Whether these are frames (..., n) as kernels take them, so that nothing needs to be looked at again."""
    return (
        type(llr) is np.ndarray
        and llr.dtype == _LLR
        and llr.shape[-1:] == (n,)
        and llr.flags.carray
        and all_within(llr.reshape(-1, n), _LARGE)
    )


_LLR, _LARGE = np.dtype(np.float32), np.float32(LARGE)


def refuse_no_channel(channel: object) -> None:
    """Reject what is neither None nor a channel, such as a number of dB.

    Raises:
        TypeError: Saying what a channel is.
    """
    if channel is not None and (isinstance(channel, type) or not hasattr(channel, "transmit")):
        raise TypeError(
            f"channel must be a channel, such as fecnn.AWGN.at(4.0, code.rate), or None, got {channel!r}"
        )


def _check_bits(bits: Any, frames: int, recipe: Recipe) -> None:
    code, name = recipe.code, recipe.called
    if not isinstance(bits, np.ndarray) or bits.dtype != np.uint8:
        raise TypeError(f"decoder {name} must return a uint8 array, got {described(bits)}")
    if bits.shape not in ((frames, code.n), (frames, code.k)):
        raise ValueError(
            f"decoder {name} must return shape {(frames, code.n)} (code bits) or "
            f"{(frames, code.k)} (message bits), got {bits.shape}"
        )
    if bits.size and bits.max() > 1:
        raise ValueError(f"decoder {name} must return bits 0 and 1, got {bits.max()}")


def filled(out: NDArray[Out], found: NDArray[Out]) -> NDArray[Out]:
    """The caller's array, filled with a result.

    Raises:
        ValueError: If it has another dtype or shape.
    """
    if not isinstance(out, np.ndarray) or out.dtype != found.dtype or out.shape != found.shape:
        raise ValueError(f"out must be {found.dtype} of shape {found.shape}, got {described(out)}")
    out[...] = found
    return out
