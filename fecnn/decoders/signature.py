"""Whether a factory can be called as ``make(code, channel, /, **options)``."""

from collections.abc import Iterator, Mapping
from inspect import Parameter, Signature
from types import NoneType, UnionType
from typing import Any, get_args

from fecnn.errors import nearest, shown

FACTORY = "factory(code, channel=None, /, **options)"
"""How every factory can be called."""

PLAIN = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


def misfits(
    name: str, signature: Signature, options: Mapping[str, Any], *, complete: bool = True
) -> Iterator[str]:
    """Why a factory cannot be called with a code, a channel and these options, one sentence each.

    Args:
        name: The decoder.
        signature: That of its factory.
        options: The options.
        complete: Whether these are all options that are given.
    """
    parameters = list(signature.parameters.values())
    kinds = {parameter.kind for parameter in parameters}
    plain = [parameter for parameter in parameters if parameter.kind in PLAIN]
    if len(plain) < 2 and Parameter.VAR_POSITIONAL not in kinds:
        lacking = "takes no code and no channel" if not plain else f"takes {plain[0].name} but no channel"
        yield (
            f"decoder {name} {lacking}: it must be a {FACTORY}, which returns the function from LLRs to bits"
        )
        return
    named = [it for it in plain[2:] if it.kind is Parameter.POSITIONAL_OR_KEYWORD]
    named += [it for it in parameters if it.kind is Parameter.KEYWORD_ONLY]
    for it in plain[2:]:
        if it.kind is Parameter.POSITIONAL_ONLY and it.default is Parameter.empty:
            yield f"decoder {name} takes {it.name} by position: it must be a {FACTORY}"
    known = [it.name for it in named]
    for option in options:
        if option not in known and Parameter.VAR_KEYWORD not in kinds:
            hint = nearest(option, known) if known else "it has none"
            yield f"decoder {name} has no option {option!r}; {hint}"
    for it in named:
        if complete and it.default is Parameter.empty and it.name not in options:
            yield f"decoder {name} needs the option {it.name!r}, which has no default"


def wrong_values(signature: Signature, options: Mapping[str, Any]) -> Iterator[str]:
    """Options whose values are not of the type that a factory of fecnn names, one sentence each."""
    for option, value in options.items():
        it = signature.parameters.get(option)
        if it is None:
            continue
        kinds = get_args(it.annotation) if isinstance(it.annotation, UnionType) else (it.annotation,)
        if value is None and NoneType in kinds:
            continue
        kinds = tuple(kind for kind in kinds if kind is not NoneType)
        if len(kinds) == 1 and kinds[0] in WORDS and not _fits(value, kinds[0]):
            yield f"{option} must be {WORDS[kinds[0]]}, got {shown(value)}"
        elif isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:  # kernels take no others
            yield f"{option} must be a number of 64 bits with its sign, got a larger one"


WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text in quotes"}


def _fits(value: object, kind: type) -> bool:
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    return isinstance(value, int | float if kind is float else kind)
