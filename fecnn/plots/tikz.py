"""A scene as a pgfplots picture for LaTeX, with the data in it as tables that a person can read and edit."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from fecnn._version import __version__
from fecnn.plots.scene import LAYERS, Look, Mark, Panel, Scene, Series
from fecnn.plots.style import Style

_MARKS = {
    "circle": ("*", 0),
    "square": ("square*", 0),
    "triangle-up": ("triangle*", 0),
    "diamond": ("diamond*", 0),
    "triangle-down": ("triangle*", 180),
    "cross": ("oplus*", 0),
    "x": ("otimes*", 0),
    "triangle-left": ("triangle*", 90),
    "triangle-right": ("triangle*", 270),
    "pentagon": ("pentagon*", 0),
    "hexagon": ("10-pointed star", 0),
    "x-thin": ("x", 0),
    "cross-thin": ("+", 0),
    "y-down": ("Mercedes star flipped", 0),
    "y-up": ("Mercedes star", 0),
    "y-left": ("Mercedes star", 90),
    "y-right": ("Mercedes star", 270),
    "line-ns": ("|", 0),
    "": ("none", 0),
}
"""Marks of TikZ, and by how many degrees they are turned."""

_DASHES = {
    "solid": "solid",
    "dash": "dashed",
    "dot": "densely dotted",
    "dashdot": "dash dot",
    "longdash": "dash pattern=on 8pt off 3pt",
    "": "only marks",
}
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}

_HEAD = r"""\documentclass[border=2pt]{standalone}
\usepackage[T1]{fontenc}
\usepackage{pgfplots}
\usetikzlibrary{plotmarks}
\usepgfplotslibrary{groupplots}
\pgfplotsset{compat=1.18}
"""


def tikz(scene: Scene, style: Style, *, document: bool = True) -> str:
    r"""The scene in LaTeX: a document of its own, or the picture alone, for ``\input``.

    Each curve is a table of x, y and the ends of its interval, drawn as error bars, with the counts beside
    them. The preamble that the picture alone needs is in a comment at its top.
    """
    lines = list(_picture(scene, style))
    if document:
        font = "\\usepackage{newtxtext,newtxmath}\n" if style.serif else ""
        lines = [*f"{_HEAD}{font}".splitlines(), r"\begin{document}", *lines, r"\end{document}"]
    else:
        needed = _HEAD.splitlines()[2:]
        lines = ["% The preamble needs:", *(f"%   {line}" for line in needed), *lines]
    return "\n".join([f"% made by fecnn {__version__}", *lines]) + "\n"


def _picture(scene: Scene, style: Style) -> Iterator[str]:
    columns = style.across(len(scene.panels))
    width = (style.width or columns * style.panel[0]) / columns
    rows = -(-len(scene.panels) // columns)
    yield f"% {_one_line(scene.title)}"
    yield from (f"% {_one_line(note)}" for note in scene.footnotes)
    yield r"\begin{tikzpicture}"
    yield r"\begin{groupplot}["
    yield f"  group style={{group size={columns} by {rows}, horizontal sep=1.6cm, vertical sep=1.6cm}},"
    yield f"  width={width:.2f}in, height={width * style.panel[1] / style.panel[0]:.2f}in,"
    yield "  grid=major, legend columns=2, legend cell align=left,"
    yield f"  legend style={{draw=none, font=\\footnotesize, {_place(style.legend, columns)}}},"
    yield "  every axis plot/.append style={line width=0.8pt, mark size=1.8pt},"
    yield "]"
    for panel in scene.panels:
        yield from _panel(panel, style)
    if style.legend != "none":
        yield ""
        yield "% the legend, for all panels"
        for one, text in scene.entries:
            yield f"\\addlegendimage{{{', '.join(_look(one.look))}}}\\addlegendentry{{{escaped(text)}}}"
    yield r"\end{groupplot}"
    yield r"\end{tikzpicture}"


def _place(legend: str, columns: int) -> str:
    """Where the legend is, as seen from the last panel."""
    if legend == "right":
        return "at={(1.05,1)}, anchor=north west"
    if legend == "inside":
        return "at={(0.97,0.97)}, anchor=north east"
    return f"at={{({0.5 if columns == 1 else -0.15},-0.25)}}, anchor=north"


def _panel(panel: Panel, style: Style) -> Iterator[str]:
    x, y = panel.scales
    settings = [f"xlabel={{{escaped(panel.x)}}}", f"ylabel={{{escaped(panel.y)}}}"]
    settings += [f"title={{{escaped(panel.title)}}}"] if panel.title else []
    settings += ["xmode=log"] if x == "log" else []
    settings += ["ymode=log"] if y == "log" else []
    if style.xlim and x == "linear":
        settings.append("xmin={:g}, xmax={:g}".format(*style.xlim))
    if y == "log":
        low, high = style.ylim or _heights(panel)
        settings.append(f"ymin={low:.3g}, ymax={high:.3g}")
    yield ""
    yield f"\\nextgroupplot[{', '.join(settings)}]"
    for series in sorted(panel.series, key=lambda one: LAYERS[one.kind]):
        yield from _series(series)


def _look(look: Look, *more: str) -> list[str]:
    """A look as settings of a plot, with further settings of its marks."""
    red, green, blue = (int(look.colour[i : i + 2], 16) for i in (1, 3, 5))
    mark, turn = _MARKS[look.marker]
    marks = ", ".join(["solid", *[f"rotate={turn}"] * bool(turn), *more])
    colour = f"color={{rgb,255:red,{red};green,{green};blue,{blue}}}"
    return [colour, _DASHES[look.dash], f"mark={mark}", f"mark options={{{marks}}}"]


def _series(series: Series) -> Iterator[str]:
    """A curve with its error bars, then its hollow marks, then its upper limits."""
    look, dots = series.look, replace(series.look, dash="")
    yield f"% {_one_line(series.label)}"
    if series.seen:
        yield from _plot(_look(look), series.seen, bars=math.isfinite(series.seen[0].low))
    if hollow := [mark for mark in series.seen if mark.hollow]:
        yield "% fewer than 100 block errors"
        yield from _plot(_look(dots, "fill=white"), hollow)
    if series.limits:
        yield "% no errors: the upper end of the interval"
        yield from _plot(_look(replace(dots, marker="triangle-down")), series.limits)


def _plot(settings: Sequence[str], marks: Sequence[Mark], *, bars: bool = False) -> Iterator[str]:
    counts = any(mark.frames for mark in marks)
    head = f"\\addplot[forget plot, {', '.join(settings)}"
    if bars:
        yield f"{head},"
        yield "  error bars/.cd, y dir=both, y explicit, error bar style={solid},"
        yield r"] table[x=x, y=y, y error plus expr=\thisrow{high}-\thisrow{y},"
        yield r"  y error minus expr=\thisrow{y}-\thisrow{low}]{"
    else:
        yield f"{head}] table[x=x, y=y]{{"
    names = ["x", "y", *["low", "high"] * bars, *["frames", "block_errors"] * counts]
    yield "  " + " ".join(f"{name:<12}" for name in names).rstrip()
    for mark in marks:
        cells = [f"{mark.x:.10g}", f"{mark.y:.6g}"]
        cells += [f"{mark.low:.6g}", f"{mark.high:.6g}"] * bars
        cells += [str(mark.frames), str(mark.block_errors)] * counts
        yield "  " + " ".join(f"{cell:<12}" for cell in cells).rstrip()
    yield "};"


def _heights(panel: Panel) -> tuple[float, float]:
    """A range that shows every rate and interval; bounds may reach out of it."""
    shown = [one for one in panel.series if one.kind != "bound"] or panel.series
    ends = [end for one in shown for mark in one.marks for end in (mark.y, mark.low, mark.high) if end > 0]
    return (0.7 * min(ends), min(1.3 * max(ends), 1.0)) if ends else (1e-6, 1.0)


def escaped(text: str) -> str:
    r"""Text as LaTeX prints it verbatim.

    Example:
        >>> print(escaped("100 % of $x_1$"))
        100 \% of \$x\_1\$
    """
    return "".join(_SPECIAL.get(sign, sign) for sign in " ".join(text.split()))


def _one_line(text: str) -> str:
    """Text that stays in one comment."""
    return " ".join(text.split())
