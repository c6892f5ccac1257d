"""Decoders by name: a factory ``make(code, channel, /, **options)`` returns a function ``llr -> bits``.

A name is a built-in, an entry point of group ``fecnn.decoders`` (or ``fecnn.soft_decoders``),
``"module:function"`` or ``"./file.py:function"``; a function may also be given itself. All set-up costs are
paid in the factory. The functions returned here check their input and output, so factories and the functions
they return may rely on it: float32 ``(B, n)``, finite, C-contiguous.
"""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fecnn.arrays import LLR, Bits, as_float32, as_llr, bpsk, restored, within_reach
from fecnn.channels.channel import Channel
from fecnn.codes.code import Code
from fecnn.decoders.contract import Decoder, Effort, Factory, Made, Measured, Recipe, SoftDecoder
from fecnn.decoders.registry import REGISTRY, as_factory, check_options, described, factory, function_name
from fecnn.errors import extra


def decoder(
    name: str | Callable[..., Any], code: Code, channel: Channel | None = None, /, **options: Any
) -> Decoder:
    """A decoder by name, ready to call.

    Args:
        name: A built-in name, a plug-in's entry point, ``"module:function"`` or ``"./file.py:function"``; or
            a function of your own: a factory, which takes a code and a channel, or the decoder itself,
            which takes LLRs.
        code: The code to decode.
        channel: The channel that produced the LLRs; None for decoders that need only the LLRs.
        options: The factory's own options, such as ``order=2`` of ``osd``.

    Returns:
        A function from LLRs, ``(..., n)`` real, to code bits ``(..., n)`` or message bits ``(..., k)``,
        uint8. If n = k these are code bits, since their width cannot tell.

    Raises:
        LookupError: If there is no such decoder.
        TypeError: If the decoder has no such option.
        ValueError: If an option or the code does not fit, or the decoder returns message bits where n = k.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("ml", fecnn.hamming(3))
        >>> decode(np.float32([2, 3, -0.1, 4, 1, 2, 3]))
        array([0, 0, 0, 0, 0, 0, 0], dtype=uint8)
        >>> decode = fecnn.decoder(lambda llr: (llr < 0).astype(np.uint8), fecnn.hamming(3))
        >>> decode(np.float32([2, 3, -0.1, 4, 1, 2, 3]))
        array([0, 0, 1, 0, 0, 0, 0], dtype=uint8)
    """
    given = name
    make, name = _named(given)
    decode = _make(make, name, code, channel, options)

    def checked_frames(llr: ArrayLike) -> tuple[LLR, tuple[int, ...]]:
        frames = as_llr(llr, code.n)
        return frames.reshape(frames.size // code.n, code.n), frames.shape[:-1]

    def checked_bits(bits: Bits, frames: int) -> Bits:
        if not isinstance(bits, np.ndarray) or bits.dtype != np.uint8:
            raise TypeError(f"decoder {name} must return a uint8 array, got {described(bits)}")
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

    recipe = Recipe(decoder, given, code, channel, options)
    final = Measured(measure, recipe) if isinstance(decode, Measured) else Made(checked, recipe)
    if code.n == code.k:
        _refuse_messages(final, name, code)
    return final


def soft_decoder(
    name: str | Callable[..., Any], code: Code, channel: Channel | None = None, /, **options: Any
) -> SoftDecoder:
    """A soft-output decoder by name: LLRs ``(..., n)`` to a-posteriori LLRs ``(..., n)`` float32.

    Arguments and errors are those of `decoder`. An output is infinite for a bit that is certain.

    Example:
        >>> import fecnn
        >>> app = fecnn.soft_decoder("map", fecnn.repetition(3))
        >>> app(np.float32([1, 2, -0.5]))
        array([2.5, 2.5, 2.5], dtype=float32)
    """
    given = name
    make, name = _named(given, soft=True)
    decode = _make(make, name, code, channel, options)

    def checked(llr: ArrayLike) -> LLR:
        frames = as_float32(llr, code.n)
        given = frames.reshape(frames.size // code.n, code.n)
        flat = within_reach(given)
        app = decode(flat)
        if not isinstance(app, np.ndarray) or app.dtype != np.float32 or app.shape != flat.shape:
            raise TypeError(
                f"soft decoder {name} must return float32 of shape {flat.shape}, got {described(app)}"
            )
        if np.isnan(app).any():
            raise ValueError(f"soft decoder {name} returned NaN")
        return restored(app, given, flat).reshape(frames.shape)

    return Made(checked, Recipe(soft_decoder, given, code, channel, options))


def _named(given: str | Callable[..., Any], *, soft: bool = False) -> tuple[Factory, str]:
    """The factory that is meant, and what to call it."""
    if isinstance(given, str):
        return factory(given, soft=soft), given
    if not callable(given):
        raise TypeError(f"a decoder is a name or a function, got {described(given)}")
    return as_factory(given), function_name(given)


def _refuse_messages(decode: Decoder, name: str, code: Code) -> None:
    """Reject a decoder that returns message bits where n = k: they would be read as code bits.

    Raises:
        ValueError: Saying what to return instead.
    """
    messages = np.concatenate([np.eye(code.k, dtype=np.uint8), np.ones((1, code.k), np.uint8)])[-64:]
    codewords = code.encode(messages)
    if (messages == codewords).all():
        return
    decided = decode(8 * bpsk(codewords))
    if (decided == messages).all():
        raise ValueError(
            f"decoder {name} returns message bits of {code.name}, where n = k = {code.k}: it must return "
            "code bits there, because widths cannot tell them apart; pass messages through "
            "fecnn.decoders.as_output(code, messages)"
        )


def _make(make: Factory, name: str, code: Code, channel: Channel | None, options: dict[str, Any]) -> Any:
    if not isinstance(code, Code):
        raise TypeError(f"code must be a fecnn.Code (see fecnn.load_code), got {described(code)}")
    check_options(name, make, options)
    with extra("nets", f"decoder {name}") if name in REGISTRY else nullcontext():
        decode = make(code, channel, **options)
    if not callable(decode):
        raise TypeError(
            f"the factory of decoder {name} must return a function llr -> bits, got {described(decode)}"
        )
    return decode
