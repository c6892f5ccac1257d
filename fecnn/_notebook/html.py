"""Pieces of HTML for notebooks: text is escaped, nothing is fetched, and colours are the reader's own."""

from collections.abc import Sequence
from html import escape

from fecnn.arrays import Bits

MOST_ONES, MOST_COLUMNS = 1024, 256
"""A matrix with more of either is not drawn: the picture would be large, or too fine to see."""

_WIDTH, _SIDE = 480, 9
"""Most pixels across a picture, and along a side of one of its cells."""

_FAINT = "opacity:.7"


def card(title: str, kind: str, *parts: str) -> str:
    """A title and, unless it is the same, what it is; below them the parts, which are HTML of this module."""
    told = "" if kind == title else f' <span style="{_FAINT}">{escape(kind)}</span>'
    return f"<div><b>{escape(title)}</b>{told}{''.join(parts)}</div>"


def line(text: str, *, faint: bool = False) -> str:
    """A paragraph of text."""
    return f'<div style="margin:.3em 0{";" + _FAINT if faint else ""}">{escape(text)}</div>'


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, words: int = 1) -> str:
    """A table of text; the first ``words`` columns are words, aligned to the left, the others numbers."""
    lines = [_row("th", columns, words), *(_row("td", row, words) for row in rows)]
    # Scrolls by itself where the page is narrow; notebooks centre a table that stands alone.
    return (
        '<div style="overflow-x:auto"><table style="margin:.3em 0;font-variant-numeric:tabular-nums">'
        f"<thead>{lines[0]}</thead><tbody>{''.join(lines[1:])}</tbody></table></div>"
    )


def _row(tag: str, cells: Sequence[str], words: int) -> str:
    sides = ["left"] * words + ["right"] * (len(cells) - words)
    return "<tr>{}</tr>".format(
        "".join(
            f'<{tag} style="text-align:{side}">{escape(cell)}</{tag}>'
            for cell, side in zip(cells, sides, strict=True)
        )
    )


def picture(matrix: Bits, what: str) -> str:
    """A matrix of bits, drawn with a square for each one; empty if it is too large.

    Args:
        matrix: (rows, columns) bits.
        what: What it is, for those who cannot see it.
    """
    rows, columns = matrix.shape
    if matrix.sum() > MOST_ONES or columns > MOST_COLUMNS or not rows:
        return ""
    side = max(2, min(_SIDE, _WIDTH // columns))
    drawn = side - (side > 3)  # a gap between neighbours, if there is room
    squares = "".join(
        f"M{side * column} {side * row}h{drawn}v{drawn}h-{drawn}z"
        for row, bits in enumerate(matrix)
        for column in bits.nonzero()[0].tolist()
    )
    return (
        f'<svg width="{side * columns}" height="{side * rows}" role="img" aria-label="{escape(what)}" '
        'style="margin:.3em 0;outline:1px solid rgba(128,128,128,.5)" shape-rendering="crispEdges">'
        f'<title>{escape(what)}</title><path d="{squares}" fill="currentColor"/></svg>'
    )
