"""All problems of a file in one error: where each is, what it is, and the closest known key."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from fecnn.errors import nearest, shown

MAX_PROBLEMS, MAX_PROBLEM, MAX_NAME = 50, 600, 100
"""Most problems listed for a file, most characters shown of each, and of each key."""


def sentences(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """The problems that validation found, one sentence each.

    Args:
        error: The validation error.
        model: The model of the whole file.
    """
    return [sentence(problem, model) for problem in error.errors()]


def sentence(problem: Any, model: type[BaseModel]) -> str:
    """One pydantic problem as a sentence: where, what, and the value given or the closest known key."""
    place, kind, value = problem["loc"], problem["type"], problem.get("input")
    unknown = kind == "extra_forbidden"  # then the last part is a key, whatever it looks like
    members = {one.__name__ for one in _models(model)}
    rest, last = (place[:-1], place[-1:]) if unknown else (place, ())
    parts = [part for part in rest if part not in members and not str(part).startswith("list[")]
    where = place_of((*parts, *last)) or "the file"
    if unknown:
        advice = nearest(str(place[-1])[:MAX_NAME], keys_at(model, rest))
        if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            meant = re.sub(r"(?<=did you mean )(\w+).*", r"[[\1]]?", advice)  # the closest of them
            return f"[[{where}]]: unknown table; {meant}"
        return f"{where}: unknown key; {advice}"
    if kind == "missing":
        return f"{where}: missing"
    got = "" if isinstance(value, dict | list) else f", got {shown(value)}"
    said = KINDS.get(kind) or problem["msg"].removeprefix("Value error, ").replace("Input should", "must", 1)
    return f"{where}: {said}{got}"


KINDS = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "must be a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "must be a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "must be true or false"),
    **dict.fromkeys(
        ("dict_type", "model_type", "model_attributes_type", "dataclass_type"), "must be a table"
    ),
    "string_type": "must be a text in quotes",
    "list_type": "must be a list",
    "too_short": "must not be empty",
}
"""What pydantic says of the most frequent problems, in the words of the file."""


def place_of(parts: Sequence[object]) -> str:
    """Where something is in a file, as people count: tables of one name, and entries of a list, from 1.

    Example:
        >>> place_of(("curve", 0, "stop", "frames"))
        'curve 1.stop.frames'
    """
    where = ""
    for part in parts:
        if isinstance(part, int):
            where += f" {part + 1}" if where else f"entry {part + 1}"
        else:
            where += f".{str(part)[:MAX_NAME]}" if where else str(part)[:MAX_NAME]
    return where


def refusal(path: str | Path, problems: Sequence[str], kind: str = "") -> ValueError:
    """One ValueError that lists all problems of a file.

    Args:
        path: The file.
        problems: At least one; duplicates are listed once.
        kind: What the file should have been, such as ``a code file``, for readers who may not know.
    """
    unique = list(dict.fromkeys(problems))
    told = [
        text if len(text) <= MAX_PROBLEM else text[:MAX_PROBLEM] + "..." for text in unique[:MAX_PROBLEMS]
    ]
    is_not = f" is not {kind}" if kind else ""
    if len(unique) == 1:
        return ValueError(f"{path}{is_not}: {told[0]}")
    head = f"{path}{is_not}: it has" if kind else f"{path} has"
    more = f"\n  and {len(unique) - len(told)} more" if len(unique) > len(told) else ""
    listed = "".join(f"\n  - {problem}" for problem in told)
    return ValueError(f"{head} {len(unique)} problems:{listed}{more}")


def keys_at(model: type[BaseModel], place: Sequence[object]) -> list[str]:
    """The keys of the table at this place in the file."""
    models = [model]
    for part in place:
        named = [one for one in models if one.__name__ == part]
        inner = [
            found
            for one in models
            for name, field in one.model_fields.items()
            if part in (name, field.alias)
            for found in _models_of(field.annotation)
        ]
        models = named or inner or models
    keys = [field.alias or name for one in models for name, field in one.model_fields.items()]
    return list(dict.fromkeys(keys))


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model and the models of its nested tables, which pydantic names where several are possible."""
    yield model
    for field in model.model_fields.values():
        for inner in _models_of(field.annotation):
            yield from _models(inner)


def _models_of(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_of(argument)
