"""The decoders that ship with fecnn, and how other names are resolved."""

import ast
import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fecnn._files.named import function_named, no_such
from fecnn.decoders.signature import misfits, wrong_values
from fecnn.errors import nearest

if TYPE_CHECKING:
    from fecnn.decoders.contract import Factory, Lister
    from fecnn.decoders.cost import Cost


@dataclass(frozen=True)
class Example:
    """The case with which a built-in decoder is tested, timed and shown.

    code: A code of the catalogue.
    ebn0_db: Eb/N0 in dB, over AWGN.
    options: The decoder's options.
    """

    code: str
    ebn0_db: float
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class BuiltIn:
    """Everything about a decoder that ships with fecnn.

    hard: ``make(code, channel, /, **options)``, which returns a function from LLRs to bits.
    cost: ``cost(code, work, **options)``, the operations for a frame; see `fecnn.decoders.complexity`.
    cites: Who published it, where and when; or that it is fecnn's own.
    reach: The codes it takes.
    example: A suitable code and Eb/N0.
    soft: Like ``hard``, but the function returns a-posteriori LLRs; None if there is none.
    lister: Like ``hard``, but with ``list``, and the function is a `fecnn.decoders.contract.Lister`; None if
        there is none.
    trained: Whether it runs trained weights, named by its option ``weights``.
    symmetric: Whether the decision on llr * bpsk(c) is the decision on llr, plus c.
    around: Whether it calls another decoder, which its option ``decoder`` names, and passes on to it the
        options that it does not have itself.
    unit: What the work of a frame counts, in the plural (of ``ml`` that of its search); "" if it counts
        nothing, or what the other decoder counts.
    """

    hard: "Factory"
    cost: "Callable[..., Cost]"
    cites: str
    reach: str
    example: Example
    soft: "Factory | None" = None
    lister: "Callable[..., Lister] | None" = None
    trained: bool = False
    symmetric: bool = True
    around: bool = False
    unit: str = ""

    @property
    def summary(self) -> str:
        """The first line of the factory's docstring."""
        return (inspect.getdoc(self.hard) or "").partition("\n")[0]


REGISTRY = {
    "aed": "fecnn.decoders.aed:AED",
    "berlekamp-massey": "fecnn.decoders.berlekamp_massey:BERLEKAMP_MASSEY",
    "bp": "fecnn.decoders.bp:BP",
    "bp-osd": "fecnn.decoders.bp_osd:BP_OSD",
    "chase2": "fecnn.decoders.chase:CHASE2",
    "crossmpt": "fecnn.decoders.trained:CROSSMPT",
    "ecct": "fecnn.decoders.trained:ECCT",
    "fano": "fecnn.decoders.fano:FANO",
    "fecnn-net": "fecnn.decoders.trained:FECNN_NET",
    "fs-osd": "fecnn.decoders.osd:FS_OSD",
    "gcd": "fecnn.decoders.gcd:GCD",
    "grand": "fecnn.decoders.grand:GRAND",
    "hard": "fecnn.decoders.hard:HARD",
    "hard-ml": "fecnn.decoders.hard:HARD_ML",
    "lc-osd": "fecnn.decoders.osd:LC_OSD",
    "list-viterbi": "fecnn.decoders.list_viterbi:LIST_VITERBI",
    "literature-mlnn": "fecnn.decoders.trained:LITERATURE_MLNN",
    "literature-slnn": "fecnn.decoders.trained:LITERATURE_SLNN",
    "map": "fecnn.decoders.map:MAP",
    "ml": "fecnn.decoders.ml:ML",
    "mlnn": "fecnn.decoders.networks:FREE_MLNN",
    "near-ml": "fecnn.decoders.ml:NEAR_ML",
    "orbgrand": "fecnn.decoders.grand:ORBGRAND",
    "osd": "fecnn.decoders.osd:OSD",
    "pb-osd": "fecnn.decoders.osd:PB_OSD",
    "refusing": "fecnn.decoders.refusing:REFUSING",
    "rpa": "fecnn.decoders.rpa:RPA",
    "sc": "fecnn.decoders.polar:SC",
    "scl": "fecnn.decoders.polar:SCL",
    "sgrand": "fecnn.decoders.grand:SGRAND",
    "slnn": "fecnn.decoders.networks:FREE_SLNN",
    "turbo-product": "fecnn.decoders.turbo_product:TURBO_PRODUCT",
}
"""Where each built-in decoder is defined; modules are imported on first use."""

HARD_GROUP, SOFT_GROUP = "fecnn.decoders", "fecnn.soft_decoders"


def built_in(name: str) -> BuiltIn:
    """A decoder that ships with fecnn.

    Raises:
        LookupError: If none has this name.
    """
    if name not in REGISTRY:
        raise LookupError(f"no built-in decoder {name!r}; {nearest(name, list(REGISTRY))}")
    module, _, constant = REGISTRY[name].partition(":")
    found: BuiltIn = getattr(importlib.import_module(module), constant)
    return found


def summaries() -> dict[str, tuple[str, bool]]:
    """What each decoder is, in a sentence, and whether it gives soft outputs.

    The built-in ones are read from their source files, because importing them takes much longer.
    """
    found = {}
    trees: dict[str, ast.Module] = {}
    for name, place in REGISTRY.items():
        module, _, constant = place.partition(":")
        if module not in trees:
            path = Path(__file__).parent / f"{module.rpartition('.')[2]}.py"
            trees[module] = ast.parse(path.read_text(encoding="utf-8"))
        found[name] = _summary(trees[module], constant)
    soft = {entry.name for entry in entry_points(group=SOFT_GROUP)}
    for name in sorted({entry.name for entry in entry_points(group=HARD_GROUP)} | soft):
        if name not in found:
            make = factory(name, soft=plugin(name) is None)
            found[name] = (inspect.getdoc(make) or "").partition("\n")[0], name in soft
    return found


def _summary(tree: ast.Module, constant: str) -> tuple[str, bool]:
    """The first line of the factory that a module's `BuiltIn` names, and whether it has a soft one."""
    calls = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    call = calls[constant]
    assert isinstance(call, ast.Call)
    assert isinstance(call.args[0], ast.Name)
    hard = call.args[0].id
    if hard in functions:
        text = ast.get_docstring(functions[hard]) or ""
    else:  # made by a function, which is given the text
        made = calls[hard]
        assert isinstance(made, ast.Call)
        text = str(ast.literal_eval(made.args[-1]))
    soft = next((keyword.value for keyword in call.keywords if keyword.arg == "soft"), None)
    return text.partition("\n")[0], soft is not None


def is_trained(name: str) -> bool:
    """Whether a name, including ``module:function``, refers to a built-in decoder with trained weights."""
    if name in REGISTRY:
        return built_in(name).trained
    make = factory(name)
    return any(ours.trained and ours.hard is make for ours in map(built_in, REGISTRY))


def inside(name: str, options: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """The decoder that a built-in one calls with these options, and its options; None if it calls none.

    Example:
        >>> inside("aed", {"ensemble": 4, "decoder": "scl", "list": 2}), inside("scl", {"list": 2})
        (('scl', {'list': 2}), None)
    """
    make = factory(name)
    known = [name] if name in REGISTRY else REGISTRY
    if not any(ours.around and ours.hard is make for ours in map(built_in, known)):
        return None
    own = inspect.signature(make).parameters
    passed = {option: value for option, value in options.items() if option not in own}
    return str(options.get("decoder", own["decoder"].default)), passed


def unit_of_work(name: str, options: Mapping[str, Any]) -> str:
    """What the work of a built-in decoder counts; "" of others, and of those that count nothing.

    Example:
        >>> unit_of_work("orbgrand", {}), unit_of_work("refusing", {"decoder": "osd"}), unit_of_work("sc", {})
        ('queries', 'patterns', '')
    """
    if name not in REGISTRY:
        return ""
    found = built_in(name)
    other = None if found.unit else inside(name, options)
    return unit_of_work(*other) if other else found.unit


def decoder_rows() -> list[tuple[str, str, str, str, str, str]]:
    """The table of built-in decoders: name, what it is, the codes it takes, soft output, lists, source."""
    return [
        (
            name,
            ours.summary,
            ours.reach,
            "yes" if ours.soft else "",
            "yes" if ours.lister else "",
            ours.cites,
        )
        for name, ours in ((name, built_in(name)) for name in sorted(REGISTRY))
    ]


def decoder_names(*, soft: bool = False) -> list[str]:
    """All decoder names: built-in decoders and installed plug-ins.

    Args:
        soft: Only those that also give a-posteriori LLRs.

    Example:
        >>> {"map", "osd"} <= set(decoder_names(soft=True)) < set(decoder_names())
        True
    """
    ours = [name for name in REGISTRY if not soft or built_in(name).soft]
    theirs = [entry.name for entry in entry_points(group=SOFT_GROUP if soft else HARD_GROUP)]
    return sorted({*ours, *theirs})


def plugin(name: str, *, soft: bool = False) -> EntryPoint | None:
    """The entry point of that name, if any package has one; nothing is imported."""
    group = SOFT_GROUP if soft else HARD_GROUP
    return {entry.name: entry for entry in entry_points(group=group)}.get(name)


def factory(name: str, *, soft: bool = False) -> "Factory":
    """The factory behind a decoder's name.

    Raises:
        LookupError: If there is no such decoder, module or function.
        TypeError: If the object behind the name cannot be called.
    """
    kind = "soft decoder" if soft else "decoder"
    found: Any = None
    if name in REGISTRY:
        ours = built_in(name)
        found = ours.soft if soft else ours.hard
    elif ":" in name:
        found = function_named(name, kind)
    elif (entry := plugin(name, soft=soft)) is not None:
        found = entry.load()
    if found is None:
        raise no_such(kind, name, decoder_names(soft=soft))
    if not callable(found):
        raise TypeError(
            f"{kind} {name} must be a function make(code, channel, /, **options), got {described(found)}"
        )
    return found  # type: ignore[no-any-return]


def list_factory(name: str) -> "Callable[..., Lister]":
    """The factory of lists behind the name of a built-in decoder.

    Raises:
        TypeError: If it is not a name.
        LookupError: If there is no such decoder, or it gives no lists.
    """
    if not isinstance(name, str):
        raise TypeError(f"a list decoder is the name of a built-in one, got {described(name)}")
    found = built_in(name).lister if name in REGISTRY else None
    if found is None:
        names = [known for known in REGISTRY if built_in(known).lister]
        raise LookupError(f"no list decoder {name!r}; {nearest(name, names)}")
    return found


def as_factory(function: Callable[..., Any]) -> "Factory":
    """A function as a factory: it is one if it takes a code, or two arguments; if not, it is a decoder."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:  # some functions written in C have none
        parameters = []
    taken = [p for p in parameters if p.kind in kinds]
    called = [p.name for p in taken]
    needed = [p for p in taken if p.default is p.empty]
    if len(needed) >= 2 or called[:1] == ["code"] or called[1:2] == ["channel"]:
        return function
    return lambda code, channel, /: function


def function_name(function: Callable[..., Any]) -> str:
    """What to call a function in messages."""
    return str(getattr(function, "__qualname__", type(function).__name__))


def checked_options(name: str, make: "Callable[..., Any]", options: dict[str, Any]) -> dict[str, Any]:
    """Reject a function that is no factory, options that it does not have, and values of another type.

    Only factories of fecnn are looked at for types, and get plain numbers in place of NumPy's: what others
    mean by theirs is their affair.

    Raises:
        TypeError: Naming the argument, or the option and the closest existing one.
    """
    try:
        signature = inspect.signature(make)
    except ValueError:  # some functions written in C have none
        return options
    for problem in misfits(name, signature, options):
        raise TypeError(problem)
    if name not in REGISTRY:
        return options
    plain = {key: value.item() if isinstance(value, np.generic) else value for key, value in options.items()}
    for problem in wrong_values(signature, plain):
        raise TypeError(problem)
    return plain


def described(value: object) -> str:
    """A value's type and shape, for an error message."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} array of shape {value.shape}"
    return type(value).__name__
