"""Docstrings as a terminal shows them."""

import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import typer

from fecnn.cli.terminal import table_console

LISTS = ("Args:", "Attributes:", "Raises:")
"""Sections whose lines at their first level each begin an entry."""

WIDEST = 100
"""Longer lines are hard to read, however wide the terminal is."""


def print_documentation(head: str, *about: Callable[..., Any]) -> None:
    """Print a line and the documentation of what is meant, wrapped to the terminal.

    Of all but the last, which says how it is called, only what comes before the arguments is printed.
    """
    texts = [inspect.getdoc(it) or "" for it in about]
    texts[:-1] = [text.partition("\nArgs:")[0].rstrip() for text in texts[:-1]]
    width = min(table_console().width, WIDEST)
    typer.echo(wrapped(head, width))
    for text in texts:
        typer.echo("\n" + "\n".join(wrapped_documentation(text, width)))


def wrapped(line: str, width: int) -> str:
    """A line, wrapped with the rest indented."""
    return textwrap.fill(line, width, subsequent_indent="  ", break_on_hyphens=False)


def wrapped_documentation(text: str, width: int) -> list[str]:
    r"""The lines of a docstring, its paragraphs and entries wrapped anew, and its examples as they are.

    Example:
        >>> for line in wrapped_documentation("One two three.\n\nArgs:\n    k: Four\n        five.", 14):
        ...     print(line)
        One two three.
        <BLANKLINE>
        Args:
            k: Four
                five.
    """
    lines: list[str] = []
    for block, entry in _blocks(text.replace("``", "").splitlines()):
        first = block[0]
        if len(block) == 1 and (len(first) <= width or first.lstrip().startswith((">>>", "..."))):
            lines.append(first)
            continue
        margin = " " * _indent(first)
        hanging = "    " if entry else "  " if first.lstrip().startswith("- ") else ""
        lines += textwrap.wrap(
            " ".join(line.strip() for line in block),
            width,
            initial_indent=margin,
            subsequent_indent=margin + hanging,
            break_on_hyphens=False,
        )
    return lines


def _blocks(lines: list[str]) -> Iterator[tuple[list[str], bool]]:
    """Lines that belong together, and whether they are an entry of a list; lines of an example are alone."""
    block: list[str] = []
    section, entry, verbatim = "", False, False
    for line in lines:
        said, indent = line.strip(), _indent(line)
        verbatim = bool(said) and (verbatim or said.startswith(">>>"))
        begins = section in LISTS and indent == 4
        alone = (
            verbatim
            or not said
            or said.startswith("- ")
            or begins
            or indent < (_indent(block[-1]) if block else 0)
        )
        if block and (alone or not block[-1].strip() or block == [section]):
            yield block, entry
            block = []
        if not block:
            entry = begins
        block.append(line)
        if indent == 0 and said.endswith(":"):
            section = said
    if block:
        yield block, entry


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
