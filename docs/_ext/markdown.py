"""Small pieces of Markdown."""

from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def link(kind: str, name: str) -> str:
    """A link to the page of a code, a decoder, a network or a study."""
    return f"[{name}](/generated/{kind}/{name}.md)"


def contents(names: Iterable[str]) -> str:
    """The pages below this one, for the menu."""
    return "\n```{toctree}\n:hidden:\n\n" + "\n".join(names) + "\n```\n"
