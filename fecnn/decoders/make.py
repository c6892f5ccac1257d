"""Decoders by name: a factory ``make(code, channel, /, **options)`` returns a function ``llr -> bits``.

A name is a built-in, an entry point of group ``fecnn.decoders`` (or ``fecnn.soft_decoders``),
``"module:function"`` or ``"./file.py:function"``; a function may also be given itself. All set-up costs are
paid in the factory. The functions returned here check their input and output, so factories and the functions
they return may rely on it: float32 ``(B, n)``, finite, C-contiguous.
"""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Literal

import numpy as np

from fecnn.arrays import bpsk
from fecnn.channels.channel import Channel
from fecnn.codes.code import Code
from fecnn.decoders.built import (
    BuiltDecoder,
    BuiltListDecoder,
    BuiltSoftDecoder,
    Recipe,
    refuse_no_channel,
)
from fecnn.decoders.contract import Factory
from fecnn.decoders.registry import (
    REGISTRY,
    as_factory,
    checked_options,
    described,
    factory,
    function_name,
    list_factory,
)
from fecnn.errors import extra

MAX_LIST = 4096
"""Largest number of words of a list."""


def decoder(
    name: str | Callable[..., Any],
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    output: Literal["code", "message"] = "code",
    **options: Any,
) -> BuiltDecoder:
    """A decoder by name, ready to call.

    Args:
        name: A built-in name, a plug-in's entry point, ``"module:function"`` or ``"./file.py:function"``; or
            a function of your own: a factory, which takes a code and a channel, or the decoder itself,
            which takes LLRs.
        code: The code to decode.
        channel: The channel that produced the LLRs; None for decoders that need only the LLRs.
        output: ``code`` for n code bits, ``message`` for k message bits. A decoder that decides on messages
            gives the codewords of its decisions; of a word that is not a codeword the message is what
            `Code.extract` reads.
        options: The factory's own options, such as ``order=2`` of ``osd``.

    Returns:
        A function from LLRs, ``(..., n)`` real, to code bits ``(..., n)`` or message bits ``(..., k)``,
        uint8. Its ``measure`` also tells the work; `fecnn.decoders.BuiltDecoder` has the rest.

    Raises:
        LookupError: If there is no such decoder.
        TypeError: If the decoder has no such option, or the option is of another type.
        ValueError: If an option or the code does not fit, or the decoder returns message bits where n = k.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("ml", fecnn.hamming(3))
        >>> decode(np.float32([2, 3, -0.1, 4, 1, 2, 3]))
        array([0, 0, 0, 0, 0, 0, 0], dtype=uint8)
        >>> decode = fecnn.decoder("ml", fecnn.hamming(3), output="message")
        >>> decode(np.float32([2, 3, -0.1, 4, 1, 2, 3]))
        array([0, 0, 0, 0], dtype=uint8)
        >>> decode = fecnn.decoder(lambda llr: (llr < 0).astype(np.uint8), fecnn.hamming(3))
        >>> decode(np.float32([2, 3, -0.1, 4, 1, 2, 3]))
        array([0, 0, 1, 0, 0, 0, 0], dtype=uint8)
    """
    _check_output(output)
    recipe = Recipe(decoder, name, code, channel, options, {} if output == "code" else {"output": output})
    decode = BuiltDecoder(_made(name, code, channel, options), recipe)
    if code.n == code.k:
        _refuse_messages(decode, code)
    return decode


def soft_decoder(
    name: str | Callable[..., Any], code: Code, channel: Channel | None = None, /, **options: Any
) -> BuiltSoftDecoder:
    """A soft-output decoder by name: LLRs ``(..., n)`` to a-posteriori LLRs ``(..., n)`` float32.

    Errors are those of `decoder`. An output is infinite where the input is, or where the code has a constant
    bit. A bit that only follows from infinite inputs has an output of about 1000, as good as certain.

    Args:
        name: As for `decoder`; built-in names are those of ``decoder_names(soft=True)``.
        code: The code to decode.
        channel: The channel that produced the LLRs; None for decoders that need only the LLRs.
        options: The factory's own options.

    Example:
        >>> import fecnn
        >>> app = fecnn.soft_decoder("map", fecnn.repetition(3))
        >>> app(np.float32([1, 2, -0.5]))
        array([2.5, 2.5, 2.5], dtype=float32)
    """
    function = _made(name, code, channel, options, soft=True)
    return BuiltSoftDecoder(function, Recipe(soft_decoder, name, code, channel, options))


def list_decoder(
    name: str,
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    list: int = 8,
    output: Literal["code", "message"] = "code",
    **options: Any,
) -> BuiltListDecoder:
    """A list decoder by name: the L best codewords it finds, ``(..., L, n)``, and their metrics ``(..., L)``.

    The words of a frame differ, and come best first. The metric of a word is its correlation discrepancy, the
    sum of abs(llr) over the positions where it differs from the hard decision. It is 0 for the hard decision
    itself, and smaller is better; the log-likelihood ratio of two words is the difference of their metrics.
    Words of equal metric come in an order that depends only on the frame. Where fewer than L words are found,
    or the code has fewer, the rest are zeros with metric infinity. A word that contradicts an infinite LLR
    has metric infinity too.

    Args:
        name: ``ml`` (exact), ``osd``, ``lc-osd``, ``chase2``, ``scl``, ``sgrand`` (exact), ``orbgrand`` or
            ``grand``. What its list holds is said by `fecnn.decoders.ml.ml_list`,
            `fecnn.decoders.osd.osd_list`, `fecnn.decoders.osd.lc_osd_list`,
            `fecnn.decoders.chase.chase2_list`, `fecnn.decoders.polar.scl_list`,
            `fecnn.decoders.grand.sgrand_list`, `fecnn.decoders.grand.orbgrand_list` and
            `fecnn.decoders.grand.grand_list`.
        code: The code to decode.
        channel: As for `decoder`.
        list: Number of words L, 1 to 4096. For ``scl`` it is also the number of paths.
        output: ``code`` for code bits, ``message`` for message bits ``(..., L, k)``.
        options: The decoder's own, such as ``order=2`` of ``osd``, or ``checked=False`` of ``scl``, which
            keeps the paths that fail the CRC.

    Returns:
        A function from LLRs, ``(..., n)`` real, to words, uint8, and metrics, summed in float64 and rounded
        to float32. It is pickled and compared like a decoder, and has its ``at``.

    Raises:
        LookupError: If there is no such list decoder.
        TypeError: If the decoder has no such option, or something is not of the kind asked for.
        ValueError: If an option or the code does not fit, such as a code without a small trellis for ``ml``.

    Example:
        >>> import fecnn
        >>> decode = fecnn.list_decoder("ml", fecnn.hamming(3), list=3)
        >>> words, metrics = decode(np.float32([2, 3, -0.5, 4, 1.5, 2.5, 3.5]))
        >>> words
        array([[0, 0, 0, 0, 0, 0, 0],
               [1, 1, 1, 0, 0, 0, 0],
               [0, 0, 1, 1, 1, 0, 0]], dtype=uint8)
        >>> metrics
        array([0.5, 5. , 5.5], dtype=float32)
    """
    if not isinstance(list, int) or not 1 <= list <= MAX_LIST:
        raise ValueError(f"list must be in 1..{MAX_LIST} words, got {list!r}")
    _check_output(output)
    make = list_factory(name)
    _check_code(code)
    refuse_no_channel(channel)
    options = checked_options(name, make, options)
    how = {"list": list} | ({} if output == "code" else {"output": output})
    function = make(code, channel, list=list, **options)
    return BuiltListDecoder(function, Recipe(list_decoder, name, code, channel, options, how))


def _check_output(output: str) -> None:
    if output not in ("code", "message"):
        raise ValueError(f"output must be code or message, got {output!r}")


def _check_code(code: object) -> None:
    if not isinstance(code, Code):
        raise TypeError(f"code must be a fecnn.Code (see fecnn.load_code), got {described(code)}")


def _named(given: str | Callable[..., Any], *, soft: bool = False) -> tuple[Factory, str]:
    """The factory that is meant, and what to call it."""
    if isinstance(given, str):
        return factory(given, soft=soft), given
    if not callable(given):
        raise TypeError(f"a decoder is a name or a function, got {described(given)}")
    return as_factory(given), function_name(given)


def _refuse_messages(decode: BuiltDecoder, code: Code) -> None:
    """Reject a decoder that returns message bits where n = k: they would be read as code bits.

    Raises:
        ValueError: Saying what to return instead.
    """
    messages = np.concatenate([np.eye(code.k, dtype=np.uint8), np.ones((1, code.k), np.uint8)])[-64:]
    codewords = code.encode(messages)
    if (messages == codewords).all():
        return
    decided = decode(8 * bpsk(codewords))
    returned = code.encode(decided) if "output" in decode.recipe.how else decided
    if (returned == messages).all():
        raise ValueError(
            f"decoder {decode.recipe.called} returns message bits of {code.name}, where n = k = {code.k}: it "
            "must return code bits there, because widths cannot tell them apart; pass messages through "
            "fecnn.decoders.as_output(code, messages)"
        )


def _made(
    given: str | Callable[..., Any],
    code: Code,
    channel: Channel | None,
    options: dict[str, Any],
    *,
    soft: bool = False,
) -> Callable[[Any], Any]:
    """What the factory returns for a code."""
    make, name = _named(given, soft=soft)
    _check_code(code)
    refuse_no_channel(channel)
    options = checked_options(name, make, options)
    with extra("nets", f"decoder {name}") if name in REGISTRY else nullcontext():
        function: Callable[[Any], Any] = make(code, channel, **options)
    if not callable(function):
        raise TypeError(
            f"the factory of decoder {name} must return a function llr -> bits, got {described(function)}"
        )
    return function
