"""The channels that ship with fecnn, and how other names are resolved."""

import importlib
import inspect
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from fecnn._files.named import function_named, no_such
from fecnn.channels.channel import Channel
from fecnn.errors import nearest, shown

REGISTRY = {
    "awgn": "fecnn.channels.awgn:AWGN",
    "bec": "fecnn.channels.discrete:BEC",
    "bsc": "fecnn.channels.discrete:BSC",
    "rayleigh": "fecnn.channels.fading:Rayleigh",
    "rician": "fecnn.channels.fading:Rician",
}
"""Where each built-in channel is defined: a class with ``at``; modules are imported on first use."""

GROUP = "fecnn.channels"

Factory = Callable[..., Channel]
"""A function ``make(ebn0_db, rate, /, **options)`` that returns a channel at that Eb/N0."""

Value = bool | int | float | str
"""An option of a channel."""

Named = str | tuple[tuple[str, Value], ...]
"""A channel as plain data: its name; or pairs of its options, in order, with ``name`` among them."""


def built_in(name: str) -> Any:
    """The class of a channel that ships with fecnn.

    Raises:
        LookupError: If none has this name.
    """
    if name not in REGISTRY:
        raise LookupError(f"no built-in channel {name!r}; {nearest(name, list(REGISTRY))}")
    module, _, constant = REGISTRY[name].partition(":")
    return getattr(importlib.import_module(module), constant)


def channel_names() -> list[str]:
    """All channel names: built-in channels and installed plug-ins.

    Example:
        >>> {"awgn", "bec", "bsc", "rayleigh"} <= set(channel_names())
        True
    """
    return sorted({*REGISTRY, *(entry.name for entry in entry_points(group=GROUP))})


def plugin(name: str) -> EntryPoint | None:
    """The entry point of that name, if any package has one; nothing is imported."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}.get(name)


def factory(name: str) -> Factory:
    """The function ``make(ebn0_db, rate, /, **options)`` behind a channel's name.

    Args:
        name: A built-in name, a plug-in's entry point, ``"module:function"`` or ``"./file.py:function"``.
            What it names may also be a class with such a function ``at``.

    Raises:
        LookupError: If there is no such channel, module or function.
        TypeError: If the object behind the name cannot be called.
    """
    if name in REGISTRY:
        found = built_in(name)
    elif ":" in name:
        found = function_named(name, "channel")
    elif (entry := plugin(name)) is not None:
        found = entry.load()
    else:
        raise no_such("channel", name, channel_names())
    make = getattr(found, "at", found)
    if not callable(make):
        raise TypeError(
            f"channel {name} must be a function make(ebn0_db, rate, /, **options), or a class with such an "
            f"at, got {type(found).__name__}"
        )
    return make  # type: ignore[no-any-return]


def options_of(name: str) -> Mapping[str, inspect.Parameter]:
    """The options that a channel takes besides Eb/N0 and the rate; raises as `factory`."""
    parameters = list(inspect.signature(factory(name)).parameters.values())
    return {it.name: it for it in parameters[2:] if it.kind is not it.VAR_KEYWORD}


def parts_of(channel: Named) -> tuple[str, dict[str, Value]]:
    """The name and the options of a channel.

    Example:
        >>> parts_of("bsc"), parts_of((("block", 4), ("name", "rayleigh")))
        (('bsc', {}), ('rayleigh', {'block': 4}))
    """
    if isinstance(channel, str):
        return channel, {}
    options = dict(channel)
    return str(options.pop("name")), options


def named(name: str, options: Mapping[str, Value]) -> Named:
    """A channel as plain data, so that equal ones are written alike: without options that have their default.

    The options of a channel that does not ship with fecnn are taken as they are, because its code is not run.

    Raises:
        LookupError: If there is no such channel.
        TypeError, ValueError: If an option does not exist, or its value does not fit.

    Example:
        >>> named("rician", {"k_factor_db": 6, "block": 1})
        (('k_factor_db', 6.0), ('name', 'rician'))
        >>> named("awgn", {"modulation": "bpsk"})
        'awgn'
    """
    given = dict(options)
    if name in REGISTRY:
        check_options(name, given)
        known = options_of(name)
        for option, value in options.items():
            if known[option].annotation is float:
                given[option] = float(value)
            if given[option] == known[option].default:
                del given[option]
        factory(name)(0.0, 0.5, **given)
    return tuple(sorted({**given, "name": name}.items())) if given else name


def sent_over(channel: Named) -> Named:
    """What of a channel decides what is received: a built-in one without its demapper.

    Example:
        >>> sent_over((("demapper", "maxlog"), ("modulation", "16qam"), ("name", "awgn")))
        (('modulation', '16qam'), ('name', 'awgn'))
    """
    name, options = parts_of(channel)
    if name in REGISTRY:
        options.pop("demapper", None)
    return tuple(sorted({**options, "name": name}.items())) if options else name


def told(channel: Named) -> str:
    """A channel in a table or a sentence: its name and options.

    Example:
        >>> told("bsc"), told((("block", 4), ("name", "rayleigh")))
        ('bsc', 'rayleigh (block 4)')
    """
    name, options = parts_of(channel)
    return f"{name} ({', '.join(f'{key} {value}' for key, value in options.items())})" if options else name


def channel_at(channel: Named, ebn0_db: float, rate: float) -> Channel:
    """A channel by name, at an Eb/N0 and for a code of this rate.

    Args:
        channel: A name (see `factory`), or pairs of options with ``name`` among them.
        ebn0_db: Eb/N0 in dB per information bit.
        rate: Information bits per transmitted bit, k / n.

    Raises:
        LookupError: If there is no such channel.
        TypeError: If it has no such option, or is no channel.
        ValueError: If a value does not fit.

    Example:
        >>> print(channel_at("awgn", 3.0, 0.5))
        AWGN, sigma 0.708
    """
    name, options = parts_of(channel)
    check_options(name, options)
    made = factory(name)(ebn0_db, rate, **options)
    if not callable(getattr(made, "transmit", None)):
        raise TypeError(f"channel {name} must return an object with transmit, got {shown(made)}")
    return made


def check_options(name: str, options: Mapping[str, Value]) -> None:
    """Reject options that a channel does not have, or whose values are not of the type that it names.

    Raises:
        LookupError: If there is no such channel.
        TypeError: Naming the option and the closest existing one, or what it must be.
    """
    known = options_of(name)
    takes_any = any(it.kind is it.VAR_KEYWORD for it in inspect.signature(factory(name)).parameters.values())
    for option, value in options.items():
        if option not in known:
            if takes_any:
                continue
            hint = nearest(option, list(known)) if known else "it has none"
            if option in ("crossover", "erasure"):
                hint = f"it is the axis of a study, {option} = [...] in place of ebn0_db"
            raise TypeError(f"channel {name} has no option {option!r}; {hint}")
        kind = known[option].annotation
        if kind in WORDS and not (
            isinstance(value, int | float if kind is float else kind)
            and isinstance(value, bool) == (kind is bool)
        ):
            raise TypeError(f"{option} of channel {name} must be {WORDS[kind]}, got {shown(value)}")
    for option, it in known.items():
        if it.default is it.empty and it.kind is it.KEYWORD_ONLY and option not in options:
            raise TypeError(f"channel {name} needs the option {option!r}, which has no default")


WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text in quotes"}


def channel_rows() -> list[tuple[str, str, str]]:
    """The table of built-in channels: name, what it is, its options."""
    return [
        (
            name,
            (inspect.getdoc(built_in(name)) or "").partition("\n")[0],
            ", ".join(f"`{option}`" for option in options_of(name)),
        )
        for name in REGISTRY
    ]
