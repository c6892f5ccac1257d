"""The reference of the package: a page for each room of the table of public names in ``docs/public.md``."""

import importlib
import inspect
import re
import typing

from sphinx.pycode import ModuleAnalyzer

import fecnn

from .repository import ROOT

MORE = {
    "What functions return": """
        fecnn.analysis.gap.Gap fecnn.analysis.compare.Comparison fecnn.analysis.frames.DecodedFrames
        fecnn.studies.verify.Check fecnn.studies.run.Merged fecnn.studies.run.Run
        fecnn.simulation.simulate.Progress
    """,
    "The contract of a decoder": """
        fecnn.testing.check_decoder fecnn.decoders.Measured fecnn.decoders.Effort
        fecnn.decoders.BuiltDecoder fecnn.decoders.BuiltSoftDecoder fecnn.decoders.BuiltListDecoder
    """,
    "The contract of a channel": """
        fecnn.testing.check_channel fecnn.channels.channel.Channel fecnn.channels.stream.Noise
        fecnn.channels.registry.channel_at
    """,
    "Costs": "fecnn.decoders.complexity.complexity fecnn.decoders.cost.Cost",
    "Bounds": """
        fecnn.theory.bounds.union_bound fecnn.theory.bounds.tangential_sphere_bound
        fecnn.theory.bounds.kat_bound fecnn.theory.bounds.sphere_packing_bound
        fecnn.theory.bounds.random_coding_bound fecnn.theory.bounds.meta_converse
        fecnn.theory.bounds.normal_approximation
    """,
    "Workers": "fecnn.simulation.threads.Threads fecnn.simulation.cluster.connect",
}
"""Names of other modules that the pages show; of these only `check_decoder` and
`check_channel` are public."""


def rooms() -> dict[str, list[str]]:
    """The public names by room, from the table that a test compares with ``fecnn.__all__``."""
    text = (ROOT / "docs" / "public.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z]+) \| (.*) \|$", text, flags=re.MULTILINE)
    return {room: re.findall(r"`(\w+)`", names) for room, names in rows}


def title(text: str, under: str = "=") -> str:
    return f"{text}\n{under * len(text)}\n\n"


def entry(name: str) -> str:
    module, _, last = name.rpartition(".")
    found = getattr(importlib.import_module(module), last)
    if not callable(found) or typing.get_origin(found):
        return alias(last)
    if inspect.isclass(found):
        bases = "   :show-inheritance:\n" if issubclass(found, Exception) else ""
        return f".. autoclass:: {name}\n   :members:\n{bases}\n"
    return f".. autofunction:: {name}\n\n"


def alias(name: str) -> str:
    """Another name for a type; what it says follows it in its source."""
    home = next(home for home, names in fecnn._HOMES.items() if name in names.split())
    said = ModuleAnalyzer.for_module(f"fecnn.{home}").find_attr_docs()["", name]
    return f".. py:data:: {name}\n\n" + "".join(f"   {line}\n" for line in said) + "\n"


def page(room: str, names: list[str]) -> str:
    full = [f"fecnn.{name}" for name in names]
    shown = [name for name in names if not typing.get_origin(getattr(fecnn, name))]
    summary = ".. autosummary::\n   :nosignatures:\n\n" + "".join(f"   {name}\n" for name in shown) + "\n"
    return title(room.capitalize()) + ".. currentmodule:: fecnn\n\n" + summary + "".join(map(entry, full))


def more() -> str:
    text = title("Other modules")
    text += "Names that other pages use. They work as shown in this version, but may move: of these, only\n"
    text += "`fecnn.testing.check_decoder` is :doc:`public </public>`.\n\n.. currentmodule:: fecnn\n\n"
    for head, names in MORE.items():
        text += title(head, "-") + "".join(map(entry, names.split()))
    return text


def pages() -> dict[str, str]:
    made = {f"api/{room}.rst": page(room, names) for room, names in rooms().items()}
    tree = "".join(f"   {room}\n" for room in [*rooms(), "more"])
    text = title("Python") + "All public names, as ``import fecnn`` has them.\n\n.. toctree::\n\n" + tree
    return made | {"api/index.rst": text, "api/more.rst": more()}
