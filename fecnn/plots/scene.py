"""What a picture shows, decided once; `figure`, `tikz` and the report page only draw it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from fecnn.plots.coincidence import groups

COLOURS = ("#000000", "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#8A6D00", "#56B4E9", "#882255", "#E69F00")
"""Okabe and Ito's colours, which colour-blind readers can tell apart; in greyscale the markers do it.

The numbers of colours, dashes and markers share no divisor, so that any two of 36 curves differ in two of the
three.
"""

MARKERS = (
    "circle",
    "square",
    "triangle-up",
    "diamond",
    "triangle-down",
    "cross",
    "x",
    "triangle-left",
    "triangle-right",
    "pentagon",
    "hexagon",
)
CROSSES = ("x-thin", "cross-thin", "y-down", "y-up", "y-left", "y-right", "line-ns")
"""Markers of published points, all without area."""

GREYS = ("#404040", "#A0A0A0", "#707070")
"""Colours of published points: another one when all `CROSSES` are taken."""

DASHES = ("solid", "dash", "dot", "dashdot")
"""Dashes of counted curves and, except the first, of bounds; estimated curves use ``longdash``."""

GAP, GAP_LABEL = "gap", "gap to ML [dB]"
"""The panel that shows gaps to ML, beside those of error rates; and the label of its axis."""

LINE, DOT = 1.5, 6.0
"""Width of a curve's line and size of its markers in points, unless it lies on others."""

NEAR = 0.1
"""Gaps up to this many dB are shown on a linear scale, larger ones on a logarithmic scale."""

Kind = Literal["counted", "estimated", "bound", "published", "gap"]

LAYERS: dict[Kind, int] = {"bound": 0, "counted": 1, "estimated": 1, "gap": 1, "published": 2}
"""Series of higher layers are drawn over those of lower ones."""


@dataclass(frozen=True)
class Look:
    """How a series is drawn.

    colour: ``#rrggbb``.
    dash: Dash of the line; empty for no line.
    width: Width of the line in points.
    marker: Marker of the points; empty for none.
    size: Size of the markers in points.
    """

    colour: str
    dash: str = ""
    width: float = 0.0
    marker: str = ""
    size: float = 0.0


@dataclass(frozen=True)
class Mark:
    """A point of a series.

    y: The value, or the upper end of its interval if no error was seen.
    low, high: Ends of the 95 % interval; NaN if none is drawn.
    hollow: Whether there are fewer than 100 block errors behind it.
    limit: Whether there are no errors behind it.
    frames, block_errors: The counts behind it, if it is counted.
    said: Lines of text shown to a reader who points at it.
    """

    x: float
    y: float
    low: float = math.nan
    high: float = math.nan
    hollow: bool = False
    limit: bool = False
    frames: int = 0
    block_errors: int = 0
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Series:
    """Points of one decoder, one bound or one publication, for one code.

    label: Its name in a legend; the same for several codes drawn alike.
    marks: In the order in which its line joins them; the line skips limits.
    id: Name of its line in an SVG, if any.
    source: Where it is published, and how it was read.
    """

    kind: Kind
    label: str
    code: str
    look: Look
    marks: tuple[Mark, ...]
    id: str = ""
    source: str = ""

    @property
    def seen(self) -> tuple[Mark, ...]:
        """Marks with errors."""
        return tuple(mark for mark in self.marks if not mark.limit)

    @property
    def limits(self) -> tuple[Mark, ...]:
        """Marks without errors."""
        return tuple(mark for mark in self.marks if mark.limit)


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    title: The title above it, if any.
    x, y: Labels of the axes.
    series: In legend order; `LAYERS` gives the drawing order.
    notes: What should be drawn but cannot be, and why.
    scales: Scales of x and y: ``linear``, ``log``, or ``symlog`` (linear up to `NEAR`).
    front: The points (x, y) that no other beats in both, joined by steps.
    whole: Whether x is a whole number everywhere.
    """

    title: str
    x: str
    y: str
    series: tuple[Series, ...]
    notes: tuple[str, ...] = ()
    scales: tuple[str, str] = ("linear", "log")
    front: tuple[tuple[float, float], ...] = ()
    whole: bool = False


@dataclass(frozen=True)
class Scene:
    """A picture: its title, and its panels in reading order."""

    title: str
    panels: tuple[Panel, ...]

    @property
    def legend(self) -> tuple[Series, ...]:
        """One series per label, in the order of the panels; all curves of the same size."""
        found: dict[str, Series] = {}
        for panel in self.panels:
            for series in panel.series:
                if series.kind == "counted":
                    series = replace(series, look=replace(series.look, width=LINE, size=DOT))
                found.setdefault(series.label, series)
        return tuple(found.values())

    @property
    def entries(self) -> list[tuple[Series, str]]:
        """The legend where there is no room for sources: each is a number, explained in the `footnotes`."""
        numbers = {source: i for i, source in enumerate(self._sources, 1)}
        return [
            (one, f"{one.label.removesuffix(f': {one.source}')} [{numbers[one.source]}]")
            if one.source
            else (one, one.label)
            for one in self.legend
        ]

    @property
    def footnotes(self) -> list[str]:
        """What is to be read below the picture: sources, curves on each other, and what is not drawn."""
        return [
            *(f"[{i}] {source}" for i, source in enumerate(self._sources, 1)),
            *self.coincidences,
            *(f"Not drawn: {note}" for note in self.notes),
        ]

    @property
    def coincidences(self) -> list[str]:
        """Which curves lie on each other, and in which panels if not in all."""
        rates = [panel for panel in self.panels if panel.scales[1] == "log"]
        found: dict[str, list[str]] = {}
        for panel in rates:
            for group in groups(panel.series):
                found.setdefault(listed([one.label for one in group]), []).append(panel.title or panel.y)
        places = {names: f" ({listed(where)})" * (len(where) < len(rates)) for names, where in found.items()}
        return [f"Coincide within 95 % intervals{where}: {names}" for names, where in places.items()]

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes of all panels, without repetition."""
        return tuple(dict.fromkeys(note for panel in self.panels for note in panel.notes))

    @property
    def _sources(self) -> list[str]:
        return list(dict.fromkeys(one.source for one in self.legend if one.source))


def listed(names: Sequence[str]) -> str:
    """Names as in a sentence: ``a, b and c``; or ``a; b, trained; c`` if there are commas in them."""
    if any("," in name for name in names):
        return "; ".join(names)
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
