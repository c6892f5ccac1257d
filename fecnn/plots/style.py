"""How a figure is dressed: its size, type, legend and ranges. What it shows is decided in `scene`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypedDict, get_args

from fecnn.errors import nearest

Limits = str | Sequence[float]
"""Ends of an axis: ``"1e-6:1"`` or ``(1e-6, 1)``."""

Legend = Literal["below", "right", "inside", "none"]


class Options(TypedDict, total=False):
    """The keyword arguments that every figure takes, see `styled`."""

    style: str
    width: str | float | None
    title: bool | str | None
    serif: bool | None
    legend: str | None
    xlim: Limits | None
    ylim: Limits | None


@dataclass(frozen=True)
class Style:
    """A dress for figures.

    font: Size of the type in points.
    panel: Natural width and height of a panel in inches.
    scale: Factor on the widths of lines and the sizes of markers.
    serif: Whether the type is like Times.
    title: Whether the figure has a title, or the title.
    width: Width of the figure in inches; by default what its panels need.
    legend: Where the legend is.
    xlim, ylim: Ends of the axes; ``ylim`` is for error rates.
    """

    font: float
    panel: tuple[float, float]
    scale: float = 1.0
    serif: bool = False
    title: bool | str = True
    width: float | None = None
    legend: Legend = "below"
    xlim: tuple[float, float] | None = None
    ylim: tuple[float, float] | None = None

    @property
    def rc(self) -> Any:
        """The style as matplotlib's settings."""
        # STIX resembles Times and ships with matplotlib; the second family has the letters that it lacks.
        serif = {"font.family": ["STIXGeneral", "DejaVu Sans"], "mathtext.fontset": "stix"}
        return (serif if self.serif else {}) | {
            "font.size": self.font,
            "axes.titlesize": self.font,
            "axes.labelsize": self.font,
            "xtick.labelsize": 0.9 * self.font,
            "ytick.labelsize": 0.9 * self.font,
            "legend.fontsize": 0.85 * self.font,
            "figure.titlesize": 1.1 * self.font,
            "axes.linewidth": 0.8 * self.scale,
        }

    def across(self, panels: int) -> int:
        """How many panels stand side by side."""
        room = 2 if self.width is None else round(self.width / self.panel[0])
        return max(1, min(2, panels, room))


STYLES = {
    "report": Style(font=10, panel=(5.4, 4.3)),
    "paper": Style(font=8, panel=(3.5, 2.6), scale=0.75, serif=True, title=False, width=3.5),
    "talk": Style(font=15, panel=(6.4, 4.8), scale=1.6),
}
"""By name: for web pages, for the column of a journal, and for slides."""

SAVED: Any = {
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "fecnn",
}
"""Settings while a figure is written: TrueType, as journals refuse Type 3, and ids that depend on content."""

_UNITS = {"in": 1.0, "cm": 1 / 2.54, "mm": 1 / 25.4, "pt": 1 / 72.27}


def styled(
    style: str = "report",
    width: str | float | None = None,
    title: bool | str | None = None,
    serif: bool | None = None,
    legend: str | None = None,
    xlim: Limits | None = None,
    ylim: Limits | None = None,
) -> Style:
    """The style of a name, changed by whatever else is given.

    Args:
        style: ``report`` (web pages), ``paper`` (a column of 3.5 in, serif, no title) or ``talk`` (slides).
        width: Width of the figure, such as ``3.5in``, ``88mm`` or ``7cm``; a number is inches.
        title: False for none, or another title.
        serif: Whether the type is like Times.
        legend: ``below`` or ``right`` of the panels, ``inside`` the first one, or ``none``.
        xlim: Ends of the x axes, ``(0, 6)`` or ``"0:6"``.
        ylim: Ends of the y axes of error rates, ``(1e-6, 1)`` or ``"1e-6:1"``.

    Raises:
        LookupError: If there is no such style or place of a legend.
        ValueError: If a length or an end is impossible.

    Example:
        >>> dress = styled("paper", width="88mm", ylim="1e-6:1")
        >>> round(dress.width, 2), dress.ylim
        (3.46, (1e-06, 1.0))
    """
    if style not in STYLES:
        raise LookupError(f"unknown style {style!r}; {nearest(style, list(STYLES))}")
    if legend is not None and legend not in get_args(Legend):
        raise LookupError(f"unknown legend position {legend!r}; {nearest(legend, get_args(Legend))}")
    changes: dict[str, Any] = {
        "width": None if width is None else inches(width),
        "title": title,
        "serif": serif,
        "legend": legend,
        "xlim": _limits("xlim", xlim),
        "ylim": _limits("ylim", ylim),
    }
    return replace(STYLES[style], **{name: value for name, value in changes.items() if value is not None})


def inches(width: str | float) -> float:
    """A length in inches.

    Raises:
        ValueError: If it has no known unit, or is not between 1 and 100 inches.

    Example:
        >>> inches("25.4mm"), inches(3.5)
        (1.0, 3.5)
    """
    number = isinstance(width, (int, float)) and not isinstance(width, bool)
    found = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*(\w+)\s*", f"{width}in" if number else str(width))
    if found is None or found[2] not in _UNITS:
        raise ValueError(f"width must be a length such as 3.5in, 88mm or 7cm, got {width!r}")
    length = round(float(found[1]) * _UNITS[found[2]], 6)
    if not 1 <= length <= 100:
        raise ValueError(f"width must be between 1in and 100in, got {width!r}")
    return length


def _limits(name: str, given: Limits | None) -> tuple[float, float] | None:
    """The ends of an axis, from text or a pair."""
    if given is None:
        return None
    try:
        low, high = map(float, given.split(":") if isinstance(given, str) else given)
    except (TypeError, ValueError):
        low, high = 0.0, 0.0
    if not -1e300 < low < high < 1e300:
        raise ValueError(f"{name} must be two numbers LOW:HIGH, the lower first, got {given!r}")
    if name == "ylim" and low <= 0:
        raise ValueError(f"ylim must be above 0, as error rates are on a logarithmic axis, got {given!r}")
    return low, high
