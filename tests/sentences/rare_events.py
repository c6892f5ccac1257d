"""The page about bounds and rare events: its table, and what it says of counting."""

# ruff: noqa: E501  (sentences are quoted whole)

import inspect
import re

from fecnn.theory import bounds
from fecnn.theory.ml_bler import NORMAL
from fecnn.theory.rare import MOST_FRAMES
from sentences import ROOT, printed, says

PAGE = "docs/bounds-and-rare-events.md"


@says(
    PAGE,
    "An interval of 10 % on each side takes about 400 block errors: at a BLER of 1e-9 these are 4e11 frames.",
    "if `rel_error` would take more than 2^26 frames (6.7e7), or no error was met at all, it raises an error.",
)
def counting():
    errors = (NORMAL / 0.1) ** 2
    printed(errors, "4e2", errors / 1e-9, "4e11", MOST_FRAMES, "6.7e7")
    assert MOST_FRAMES == 2**26


@says(PAGE, "The first column is the name for `bounds` in a [study](studies.md).")
def table_of_bounds():
    """Names, functions, sides and sources are those of the code, and so are the limits."""
    found = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (ROOT / PAGE).read_text().splitlines()
        if re.match(r"\| `[\w-]+` \| `\w+\(", line)
    ]
    assert [row[0].strip("`") for row in found] == list(bounds.BOUNDS)
    for name, call, what, source, needs in found:
        function = getattr(bounds, call.strip("`").partition("(")[0])
        assert call == f"`{function.__name__}({', '.join(inspect.signature(function).parameters)})`"
        side = {"upper": "from above", "lower": "from below", None: "nothing: it approximates"}
        assert side[bounds.BOUNDS[name.strip("`")].side] in what
        told = inspect.getdoc(function)
        for words in re.findall(r"[A-Z][a-z]+|\d{4}", source):
            assert words in told, (name, words)
        limit = {"k up to": bounds.MAX_DIMENSION, "n up to": bounds.MAX_DENSITIES}.get(needs[:7])
        assert limit is None or f"{limit:,}" in needs
