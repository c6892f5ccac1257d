"""Every public name says what it is, what it takes, what it refuses, and shows how it is used.

The rule, for each public function, each public class and its public methods: there is a sentence; every
parameter or field is named under ``Args:`` or ``Attributes:``; an error that the body itself raises is named
under ``Raises:``; functions and classes have an example. Errors need only the sentence.
"""

import ast
import builtins
import dataclasses
import inspect
import re
import textwrap
from pathlib import Path

import pytest

import fecnn
from fecnn.decoders.registry import REGISTRY, built_in

NAMES = [name for name in fecnn.__all__ if callable(getattr(fecnn, name))]
TYPES = ("Bits", "LLR", "Decoder", "SoftDecoder")


def members(name):
    """What is documented under a public name: itself, and of a class its public methods."""
    found = getattr(fecnn, name)
    yield name, found
    if inspect.isclass(found) and not issubclass(found, Exception):
        for method, value in vars(found).items():
            value = value.__func__ if isinstance(value, classmethod | staticmethod) else value
            if inspect.isfunction(value) and not method.startswith(("_", "model_")):
                yield f"{name}.{method}", value


def told(text, *heads):
    """The names that the sections under some heads begin lines with."""
    names = set()
    for head in heads:
        for section in re.findall(rf"^{head}:\n((?:    .*\n|\n)+)", f"{text}\n", re.MULTILINE):
            for line in re.findall(r"^    (\w[\w, ]*):", section, re.MULTILINE):
                names |= {name.strip() for name in line.split(",")}
    return names


def taken(thing):
    if dataclasses.is_dataclass(thing):
        return {field.name for field in dataclasses.fields(thing)}
    if hasattr(thing, "model_fields"):
        return set(thing.model_fields)
    return set(inspect.signature(thing).parameters) - {"self", "cls"}


def error(name):
    return getattr(fecnn, name, None) or getattr(builtins, name, None)


def raised(thing):
    """The errors that a function's own body raises, or the check of a dataclass's fields, by name."""
    if inspect.isclass(thing):
        thing = getattr(thing, "__post_init__", None)
        if thing is None:
            return set()
    tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
    calls = (node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise))
    names = {call.func.id for call in calls if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)}
    return {name for name in names if error(name)}  # others are functions that make an error


def lacks(name, thing):
    text = inspect.getdoc(thing) or ""
    if not re.match(r"\S.*[.:](\n|$)", text):
        yield "a sentence"
    if inspect.isclass(thing) and issubclass(thing, Exception):
        return
    yield from (f"{it} under Args" for it in sorted(taken(thing) - told(text, "Args", "Attributes")))
    named = [error(it) for it in told(text, "Raises")]
    for it in sorted(raised(thing)):
        if not any(issubclass(more_special, error(it)) for more_special in named):
            yield f"{it} under Raises"
    if "." not in name and ">>> " not in text:
        yield "an example"


def test_the_source_of_each_decoder_is_in_the_bibliography():
    """By its first author and its year, or its number at arXiv."""
    entries = (Path(__file__).parents[1] / "docs" / "references.bib").read_text().split("@misc")
    for name in REGISTRY:
        if (cites := built_in(name).cites) == "our own":
            continue
        for work in cites.split("; "):
            words = [re.match(r"\w+", work)[0], re.search(r"\b(?:19|20)\d\d\b|\d{4}\.\d{5}", work)[0]]
            assert any(all(word in entry for word in words) for entry in entries), (name, work)


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(TYPES)))
def test_a_public_name_is_documented(name):
    missing = [f"{it}: {what}" for it, thing in members(name) for what in lacks(it, thing)]
    assert missing == []
