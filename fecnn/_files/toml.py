"""Reading TOML of unknown origin: size and depth are bounded, and every fault is a ValueError."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fecnn._files.problems import refusal, sentences
from fecnn._files.text import read_text, refuse_in_all

MAX_BYTES = 1 << 18
"""Largest study or training file read, in bytes."""

MULTILINE = frozenset(("question", "source", "minimum_distance_proof"))
"""Keys whose values may span several lines, because they are never shown on one."""

MAX_DEPTH = 64
"""Deepest nesting read; for dotted names with very many parts tomllib takes quadratic time."""

_KEY = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')"""
_DEEP_NAME = re.compile(rf"(?<![A-Za-z0-9_-])(?:{_KEY}[ \t]*+\.[ \t]*+){{{MAX_DEPTH}}}")


class Table(BaseModel):
    """A table that rejects unknown keys and values of the wrong type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Positive = Annotated[int, Field(ge=1)]
AnyTable = TypeVar("AnyTable", bound=Table)


def read_table(path: Path, kind: type[AnyTable]) -> AnyTable:
    """A TOML file that is one table.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not TOML, or not such a table, with every problem.
    """
    try:
        return kind.model_validate(read_toml(path))
    except ValidationError as error:
        raise refusal(path, sentences(error, kind)) from None


def read_toml(path: Path) -> dict[str, Any]:
    """The contents of a TOML file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is too large, not TOML, or has control characters, naming it.
    """
    text = read_text(path, MAX_BYTES, "a study or training")
    try:
        content = toml_of(text)
    except ValueError as error:
        raise ValueError(f"{path} is not TOML: {error}") from None
    refuse_controls(content, path)
    return content


def refuse_controls(content: dict[str, Any], path: Path) -> None:
    """Reject control characters in the contents of a TOML file; only `MULTILINE` values may have line breaks.

    Raises:
        ValueError: Naming the file, the place and the character.
    """
    try:
        refuse_in_all(content, MULTILINE)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def toml_of(text: str) -> dict[str, Any]:
    """The contents of TOML text.

    Raises:
        ValueError: If it is not TOML, holds an integer of thousands of digits, or is nested too deeply.
    """
    deep = ValueError(f"its tables or lists are nested too deeply (at most {MAX_DEPTH})")
    if _DEEP_NAME.search(text):
        raise deep
    try:
        content = tomllib.loads(text)
    except RecursionError:
        raise deep from None
    level: list[Any] = [content]
    for _ in range(MAX_DEPTH):
        level = [
            part
            for whole in level
            for part in (whole.values() if isinstance(whole, dict) else whole)
            if isinstance(part, dict | list)
        ]
        if not level:
            return content
    raise deep
