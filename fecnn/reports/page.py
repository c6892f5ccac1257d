"""The pieces of a page: its frame, headings, charts and tables, in one file that loads nothing."""

import html
import json
import math
import re
from collections.abc import Sequence
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

from fecnn._version import __version__
from fecnn.plots.scene import LAYERS, Mark, Panel, Scene, Series
from fecnn.reports.shapes import DASHES, SHAPES

if TYPE_CHECKING:
    import pandas as pd

PIXELS = 4 / 3
"""Pixels per point of a scene."""

OVER = ("time", "operations", "training", "factor", "bits")
"""What gaps are drawn over; one of these words is in the label of the x axis."""

MATTERS = re.compile(r"decoder|E[bs]/N0|probability|BLER|gap|operations|per message bit")
"""Columns shown on a narrow page start with one of these; the others only when the reader asks for them."""


def whole_page(title: str, contents: Sequence[str], parts: Sequence[str], data: list[dict[str, Any]]) -> str:
    """A whole page.

    Args:
        title: Its title, as text.
        contents: Entries of the contents list, as HTML.
        parts: Its sections, as HTML.
        data: What their charts show, see `charts`.
    """
    home = files("fecnn.reports")
    text = {"shapes": SHAPES, "dashes": DASHES, "sections": data}
    return Template((home / "page.html").read_text(encoding="utf-8")).substitute(
        title=html.escape(title),
        version=__version__,
        style=(home / "page.css").read_text(encoding="utf-8"),
        contents="".join(f"<li>{entry}</li>" for entry in contents),
        sections="\n".join(parts),
        # A "</script>" in a name would end the enclosing script.
        data=json.dumps(text, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"),
        chart=(home / "chart.js").read_text(encoding="utf-8"),
        script=(home / "page.js").read_text(encoding="utf-8"),
    )


def heading(title: str, codes: Sequence[str] = ()) -> str:
    """A heading with what is chosen below it: the code, and all or no curves."""
    return (
        f'<div class="bar head">{title}{choice(codes)}<span class="gap"></span>'
        '<span class="hint">Click a legend entry to hide or show its curve.</span>'
        '<button type="button" data-all="yes">show all</button>'
        '<button type="button" data-all="no">hide all</button></div>'
    )


def choice(codes: Sequence[str]) -> str:
    """The choice among codes, if there are several."""
    codes = [code for code in codes if not is_everywhere(code)]
    if len(codes) < 2:
        return ""
    options = "".join(f"<option>{html.escape(code)}</option>" for code in codes)
    return f'<label>code <select aria-label="code"><option value="">all</option>{options}</select></label>'


def enclosed(name: str, inside: str) -> str:
    """A section whose charts and tables belong together."""
    return f'<section class="study" id="{name}">\n{inside}\n</section>'


def is_everywhere(code: str) -> bool:
    """Uncoded bits are shown with every code."""
    return code.startswith("uncoded")


def charts(scene: Scene, data: list[dict[str, Any]], first: str, code: str = "") -> str:
    """The place of a scene's charts, whose content is appended to ``data``.

    The first is the error rate named, the next one is chosen among the others: gaps, then other error rates.
    """
    names = {one.label: text for one, text in scene.entries}
    panels = sorted(scene.panels, key=lambda panel: (panel.y != first, panel.scales[1] == "log"))
    data.append({"panels": [_chart(panel, names, code) for panel in panels]})
    return f'<div class="figures" data-section="{len(data) - 1}"></div>'


def _chart(panel: Panel, names: dict[str, str], code: str) -> dict[str, Any]:
    rate = panel.scales[1] == "log"
    return {
        "tab": panel.y if rate else f"gap and {next(it for it in OVER if it in panel.x)}",
        "title": f"{code}: " * bool(code) + (panel.title or panel.y),
        "x": panel.x,
        "y": panel.y,
        "log": [scale == "log" for scale in panel.scales],
        "front": bool(panel.front),
        "curves": [_curve(one, names[one.label]) for one in panel.series],
    }


def _curve(series: Series, name: str) -> dict[str, Any]:
    look = series.look
    return {
        "label": series.label,
        "name": name,
        "code": "" if is_everywhere(series.code) else series.code,
        "kind": series.kind,
        "layer": LAYERS[series.kind],
        "colour": look.colour,
        "dash": look.dash,
        "width": round(PIXELS * look.width, 2),
        "marker": look.marker,
        "size": round(PIXELS * look.size, 2),
        "marks": [_mark(mark) for mark in series.marks],
    }


def _mark(mark: Mark) -> list[Any]:
    """x, y, the interval (null if there is none), 1 if hollow or 2 if without errors, and the text."""
    ends = [_short(end) if math.isfinite(end) else None for end in (mark.low, mark.high)]
    return [
        _short(mark.x),
        _short(mark.y),
        *ends,
        2 if mark.limit else int(mark.hollow),
        "\n".join(mark.said),
    ]


def _short(number: float) -> float:
    return float(f"{number:.5g}")


def _column(name: str) -> str:
    """The class of a column: ``name`` if it may be wrapped, ``rest`` if it is left out on a narrow screen."""
    if name == "decoder":
        return ' class="name"'
    return "" if MATTERS.match(name) else ' class="rest"'


def sortable(title: str, table: "pd.DataFrame", curves: dict[str, str]) -> str:
    """The rows of some curves, given with their labels; each names its label, to be hidden with its curve."""
    heads = "".join(
        f'<th scope="col"{_column(name)}><button type="button">{html.escape(name)}</button></th>'
        for name in table.columns
    )
    place = list(table.columns).index("decoder")
    rows = ""
    for row in table.itertuples(index=False, name=None):
        if (label := curves.get(row[place])) is not None:
            cells = (*row[:place], label, *row[place + 1 :])
            inside = "".join(f"<td>{html.escape(cell)}" for cell in cells)
            rows += f'<tr data-curve="{html.escape(label)}">{inside}'
    if not rows:
        return ""
    return (
        f'<div class="scroll"><table><caption>{title}</caption><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )
