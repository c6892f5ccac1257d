"""A scene as a pgfplots picture for LaTeX, with the data in it as tables that a person can read and edit."""

import math
from collections.abc import Iterator, Sequence

from fecnn._version import __version__
from fecnn.plots.scene import LAYERS, Mark, Panel, Scene, Series
from fecnn.plots.style import Style

_MARKS = {
    "circle": "*",
    "square": "square*",
    "triangle-up": "triangle*",
    "diamond": "diamond*",
    "triangle-down": "triangle*, every mark/.append style={rotate=180}",
    "cross": "oplus*",
    "x": "otimes*",
    "triangle-left": "triangle*, every mark/.append style={rotate=90}",
    "triangle-right": "triangle*, every mark/.append style={rotate=270}",
    "pentagon": "pentagon*",
    "hexagon": "10-pointed star",
    "x-thin": "x",
    "cross-thin": "+",
    "y-down": "Mercedes star flipped",
    "y-up": "Mercedes star",
    "y-left": "Mercedes star, every mark/.append style={rotate=90}",
    "y-right": "Mercedes star, every mark/.append style={rotate=270}",
    "line-ns": "|",
    "": "none",
}
_DASHES = {
    "solid": "solid",
    "dash": "dashed",
    "dot": "densely dotted",
    "dashdot": "dash dot",
    "longdash": "dash pattern=on 8pt off 3pt",
    "": "draw=none",
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
    yield "  legend style={draw=none, font=\\footnotesize, at={(0.5,-0.25)}, anchor=north},"
    yield "  every axis plot/.append style={line width=0.8pt, mark size=1.8pt},"
    yield "]"
    named: set[str] = set()
    texts = {one.label: text for one, text in scene.entries}
    for panel in scene.panels:
        yield from _panel(panel, style, texts, named)
    yield r"\end{groupplot}"
    yield r"\end{tikzpicture}"


def _panel(panel: Panel, style: Style, texts: dict[str, str], named: set[str]) -> Iterator[str]:
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
        new = series.label not in named
        yield from _series(series, forget=not new or style.legend == "none")
        if new and style.legend != "none":
            yield f"\\addlegendentry{{{escaped(texts[series.label])}}}"
        named.add(series.label)


def _series(series: Series, *, forget: bool) -> Iterator[str]:
    """A curve with its error bars, then its hollow marks, then its upper limits."""
    look = series.look
    colour = "color={{rgb,255:red,{};green,{};blue,{}}}".format(
        *(int(look.colour[i : i + 2], 16) for i in (1, 3, 5))
    )
    shape = [f"mark={_MARKS[look.marker]}", "mark options={solid}"]
    bars = any(math.isfinite(mark.low) for mark in series.seen)
    yield f"% {_one_line(series.label)}"
    line = [colour, _DASHES[look.dash] if look.dash else "only marks", *shape]
    line += ["forget plot"] if forget else []
    yield from _plot(line, series.seen, bars=bars)
    if hollow := [mark for mark in series.seen if mark.hollow and look.marker]:
        yield "% fewer than 100 block errors"
        yield from _plot([colour, "only marks", *shape, "mark options={fill=white}", "forget plot"], hollow)
    if series.limits:
        yield "% no errors: the upper end of the interval"
        limit = ["only marks", "mark=triangle*", "mark options={rotate=180}", "forget plot"]
        yield from _plot([colour, *limit], series.limits)


def _plot(settings: Sequence[str], marks: Sequence[Mark], *, bars: bool = False) -> Iterator[str]:
    counts = any(mark.frames for mark in marks)
    yield f"\\addplot[{', '.join(settings)},"
    if bars:
        yield "  error bars/.cd, y dir=both, y explicit, error bar style={solid},"
    yield r"] table[x=x, y=y," + (
        r" y error plus expr=\thisrow{high}-\thisrow{y}, y error minus expr=\thisrow{y}-\thisrow{low}]{"
        if bars
        else "]{"
    )
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
