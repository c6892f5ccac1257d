"""One HTML page about one or more studies: curves, distances and cost, tables, the study files."""

import html
import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import numpy as np

from fecnn._files.atomic import write
from fecnn._version import __version__
from fecnn.analysis.costs import cost_table, display_costs
from fecnn.analysis.gap import Gap, display_gaps, gap_to_ml
from fecnn.analysis.table import FEW_ERRORS, METRICS, counted, display, estimated
from fecnn.plots.figure import COLOURS, bound_curves, curve_places, published_label
from fecnn.plots.pareto import marks
from fecnn.studies.estimates import THINGS
from fecnn.studies.reference import Reference
from fecnn.studies.study import Study
from fecnn.theory.bounds import BOUNDS

if TYPE_CHECKING:
    import pandas as pd

_SYMBOLS = (
    "circle",
    "square",
    "triangle-up",
    "diamond",
    "triangle-down",
    "cross",
    "x",
    "star",
    "hexagon",
    "pentagon",
)
_DASHES = ("solid", "dash", "dot", "dashdot")
_CROSSES = ("x-thin", "cross-thin", "asterisk", "y-up", "y-down", "y-left", "y-right")


@dataclass(frozen=True)
class _Style:
    colour: str
    symbol: str
    dash: str


def report(
    studies: Sequence[Study], results: Sequence["pd.DataFrame"], references: Sequence[Reference] = ()
) -> str:
    """The page: a section for each study and, if there are several, one before them with all their curves.

    Curves and published points can be switched on and off, tables sorted; it needs no network, can be read
    on a phone and printed, follows the reader's choice of dark or light, and can be used by keyboard alone.

    Args:
        studies: The studies.
        results: Their tables, from `fecnn.table`.
        references: Published points besides those of the studies, such as your own.

    Raises:
        ValueError: If a study has no results.
    """
    from plotly.offline import get_plotlyjs

    for study, found in zip(studies, results, strict=True):
        if found.empty:
            raise ValueError(f"there are no results of {study.name} yet; run it first")
    parts: list[_Part] = []
    for study, found in zip(studies, results, strict=True):
        parts.append(_Part(study, found, references, sum(len(part.styles) for part in parts)))
    groups = [parts, *([part] for part in parts)] if len(parts) > 1 else [parts]
    data = [{"charts": _charts(group)} for group in groups]
    sections = [_section(i, group, len(data[i]["charts"])) for i, group in enumerate(groups)]
    title = studies[0].title if len(studies) == 1 else f"{len(studies)} studies of decoders"
    home = files("fecnn.reports")
    return Template((home / "page.html").read_text(encoding="utf-8")).substitute(
        title=html.escape(title),
        version=__version__,
        style=(home / "page.css").read_text(encoding="utf-8"),
        sections="\n".join(sections),
        plotly=get_plotlyjs(),
        # A "</script>" in a name would end the script that holds it.
        data=json.dumps(data).replace("<", "\\u003c"),
        script=(home / "page.js").read_text(encoding="utf-8"),
    )


class _Part:
    """A study with its results, gaps and styles, the first of which has this number."""

    def __init__(
        self, study: Study, results: "pd.DataFrame", references: Sequence[Reference], first: int
    ) -> None:
        self.study, self.results = study, results
        self.marks = marks(study, results)
        self.labels = {curve.name: curve.what for curve in study.curves}
        places = curve_places(study, list(self.labels.values()))
        self.styles = {name: _style(first + place) for name, place in places.items()}
        self.codes = list(dict.fromkeys(results["code"]))
        wanted = [r for r in study.references if study.drawn is None or r.decoder in study.drawn]
        self.bounds: dict[str, dict[str, tuple[list[float], list[float]]]] = {}
        self.problems: list[str] = []
        for code in self.codes:
            found, problems = bound_curves(study, code)
            self.problems += problems
            for bound, curve in found.items():
                self.bounds.setdefault(BOUNDS[bound].label, {})[code] = curve
        self.published: dict[str, list[Reference]] = {}
        for reference in [*wanted, *references]:
            if reference.code in self.codes and reference.metric in METRICS:
                self.published.setdefault(published_label(reference), []).append(reference)


def _style(place: int) -> _Style:
    colour = COLOURS[place % len(COLOURS)]
    return _Style(
        "black" if colour == "#000000" else colour,
        _SYMBOLS[place % len(_SYMBOLS)],
        _DASHES[place % len(_DASHES)],
    )


def _named(part: _Part, name: str, several: bool) -> str:
    return f"{name} ({part.study.name})" if several else name


def _charts(parts: list[_Part]) -> list[dict[str, Any]]:
    several = len(parts) > 1
    charts: list[dict[str, Any]] = []
    for metric, label in METRICS.items():
        traces = [trace for part in parts for trace in _curves(part, metric, several)]
        traces += [trace for part in parts for trace in _references(part, metric, several)]
        if metric == "bler":
            traces += [trace for part in parts for trace in _bounds(part, several)]
        charts.append(
            {
                "title": label,
                "x": "Eb/N0 [dB]",
                "y": label,
                "xtype": "linear",
                "ytype": "log",
                "traces": traces,
            }
        )
    for title, label, spent in (
        ("Distance and operations", "operations a message bit at that point", "operations"),
        ("Distance and time", "decoding time at that point [us/frame]", "microseconds"),
    ):
        traces = [trace for part in parts for trace in _marks(part, spent, several)]
        if traces:
            charts.append(
                {
                    "title": title,
                    "x": label,
                    "y": "gap to ML at BLER 1e-3 [dB]",
                    "xtype": "log",
                    "ytype": "linear",
                    "front": True,
                    "traces": traces,
                }
            )
    return charts


def _curves(part: _Part, metric: str, several: bool) -> list[dict[str, Any]]:
    traces = []
    for name, style in part.styles.items():
        rows = part.results[part.results["curve"] == name].sort_values("ebn0_db")
        if rows.empty:
            continue
        curve, code = _named(part, part.labels[name], several), rows["code"].iloc[0]
        common = {"curve": curve, "code": "" if code.startswith("uncoded") else code, "colour": style.colour}
        if metric == "bler" and len(exact := estimated(rows)):
            traces.append({**common, **_estimated_trace(curve, exact)})
        rows = counted(rows)
        seen, none = rows[rows[metric] > 0], rows[rows[metric] == 0]
        if rows.empty:
            continue
        traces.append(
            {
                **common,
                "x": seen["ebn0_db"].tolist(),
                "y": seen[metric].tolist(),
                "mode": "lines+markers",
                "line": {"dash": style.dash, "width": 1.6},
                "marker": {"symbol": style.symbol, "size": 8},
                "hollow": (seen["block_errors"] < FEW_ERRORS).tolist(),
                "error_y": _bars(seen, metric),
                **_hover(curve, seen, metric),
            }
        )
        if len(none):
            traces.append(
                {
                    **common,
                    "x": none["ebn0_db"].tolist(),
                    "y": none[f"{metric}_high"].tolist(),
                    "mode": "markers",
                    "marker": {"symbol": "triangle-down", "size": 10, "opacity": 0.6},
                    "hollow": [False] * len(none),
                    **_hover(curve, none, metric),
                }
            )
    return traces


def _bars(rows: "pd.DataFrame", metric: str) -> dict[str, Any]:
    return {
        "type": "data",
        "array": (rows[f"{metric}_high"] - rows[metric]).tolist(),
        "arrayminus": (rows[metric] - rows[f"{metric}_low"]).tolist(),
    }


def _estimated_trace(curve: str, rows: "pd.DataFrame") -> dict[str, Any]:
    """A dashed line without markers: nothing of it is a number of errors."""
    text = [
        f"<b>{html.escape(curve)}</b><br>{html.escape(row['code'])}, {row['ebn0_db']:g} dB<br>"
        f"BLER {row['bler']:.3g} [{row['bler_low']:.3g}, {row['bler_high']:.3g}]<br>"
        f"estimated by {row['method']}: {row['frames']:,} {THINGS[row['method']]}"
        for _, row in rows.iterrows()
    ]
    return {
        "x": rows["ebn0_db"].tolist(),
        "y": rows["bler"].tolist(),
        "mode": "lines",
        "line": {"dash": "longdash", "width": 1.6},
        "error_y": _bars(rows, "bler"),
        "text": text,
        "hovertemplate": "%{text}<extra></extra>",
    }


def _hover(curve: str, rows: "pd.DataFrame", metric: str) -> dict[str, Any]:
    text = [
        f"<b>{html.escape(curve)}</b><br>{html.escape(row['code'])}, {row['ebn0_db']:g} dB<br>"
        f"{METRICS[metric]} {row[metric]:.3g} [{row[f'{metric}_low']:.3g}, {row[f'{metric}_high']:.3g}]<br>"
        f"{row['frames']:,} frames, {row['block_errors']:,} block errors<br>"
        f"{row['us_per_frame']:.3g} us/frame"
        for _, row in rows.iterrows()
    ]
    return {"text": text, "hovertemplate": "%{text}<extra></extra>"}


def _references(part: _Part, metric: str, several: bool) -> list[dict[str, Any]]:
    traces = []
    for place, (label, series) in enumerate(part.published.items()):
        for code in dict.fromkeys(reference.code for reference in series):
            drawn = [r for r in series if r.metric == metric and r.code == code]
            if drawn:
                curve = _named(part, label, several)
                traces.append(
                    {
                        "curve": curve,
                        "code": code,
                        "colour": "black",
                        "x": [r.ebn0_db for r in drawn],
                        "y": [r.value for r in drawn],
                        "mode": "markers",
                        "marker": {"symbol": _CROSSES[place % len(_CROSSES)], "size": 9},
                        "hollow": [False] * len(drawn),
                        "text": [_passport(r) for r in drawn],
                        "hovertemplate": "%{text}<extra></extra>",
                    }
                )
    return traces


def _bounds(part: _Part, several: bool) -> list[dict[str, Any]]:
    traces = []
    for place, (label, curves) in enumerate(part.bounds.items()):
        for code, (grid, values) in curves.items():
            curve = _named(part, label, several)
            traces.append(
                {
                    "curve": curve,
                    "code": code,
                    "colour": "black",
                    "x": grid,
                    "y": values,
                    "mode": "lines",
                    "line": {"dash": _DASHES[1:][place % (len(_DASHES) - 1)], "width": 1},
                    "hovertemplate": f"{html.escape(curve)}<br>%{{x}} dB: %{{y:.3g}}<extra></extra>",
                }
            )
    return traces


def _passport(point: Reference) -> str:
    low, high = point.interval
    names = (html.escape(name) for name in (point.decoder, point.code, point.source, point.where, point.how))
    decoder, code, source, where, how = names
    return (
        f"<b>{decoder}</b>, published<br>{code}, {point.ebn0_db:g} dB<br>"
        f"{METRICS[point.metric]} {point.value:.3g} [{low:.3g}, {high:.3g}]<br>{source}<br>{where} ({how})"
    )


def _marks(part: _Part, spent: str, several: bool) -> list[dict[str, Any]]:
    """A mark for each curve with a gap to ML: that, and what it spends where it meets the target."""
    traces = []
    for mark in part.marks:
        gap, cost = mark.gap, getattr(mark, spent)
        if cost is None:
            continue
        curve, style = _named(part, mark.what, several), part.styles[gap.curve]
        high = gap.high if np.isfinite(gap.high) else gap.gap_db
        bars = {"type": "data", "array": [high - gap.gap_db], "arrayminus": [gap.gap_db - gap.low]}
        traces.append(
            {
                "curve": curve,
                "code": gap.code,
                "colour": style.colour,
                "x": [cost],
                "y": [gap.gap_db],
                "mode": "markers",
                "marker": {"symbol": style.symbol, "size": 10},
                "hollow": [False],
                "error_y": bars,
                "text": [
                    f"<b>{html.escape(curve)}</b><br>{html.escape(gap.code)}<br>{_gap_text(gap)}<br>{cost:,.3g}"
                ],
                "hovertemplate": "%{text}<extra></extra>",
            }
        )
    return traces


def _gap_text(gap: Gap) -> str:
    return f"gap to ML {gap.gap_db:.2f} dB [{gap.low:.2f}, {gap.high:.2f}]"


def _section(index: int, parts: list[_Part], charts: int) -> str:
    several = len(parts) > 1
    study = parts[0].study
    lines = [f'<section id="section-{index}">']
    if index or several:  # a single study's title is that of the page
        lines.append(f"<h2>{'All of them' if several else html.escape(study.title)}</h2>")
    if not several:
        lines.append(f"<p>{html.escape(study.question)}</p>")
        name = shlex.quote(study.name if _shipped(study) else study.path.name)
        lines.append(
            f"<p>Made again by <code>fecnn run {html.escape(name)}</code>; noise of seed {study.seed}.</p>"
        )
    lines.append(_controls(parts))
    lines.append('<div class="charts">' + '<div class="chart"></div>' * charts + "</div>")
    if not several:
        part = parts[0]
        lines += [f"<p>Not drawn: {html.escape(problem)}.</p>" for problem in part.problems]
        gaps = display_gaps(gap_to_ml(study, part.results))
        if len(gaps):
            lines += ["<h3>Distance from maximum likelihood</h3>", _table(gaps)]
        costs = display_costs(cost_table(study, part.results))
        if len(costs):
            lines += ["<h3>Operations a frame</h3>", _table(costs)]
        lines += ["<h3>All points</h3>", _table(display(study, part.results))]
        text = html.escape(study.path.read_text(encoding="utf-8"))
        lines.append(f"<details><summary>The study file</summary><pre>{text}</pre></details>")
    return "\n".join([*lines, "</section>"])


def _shipped(study: Study) -> bool:
    from fecnn.studies.study import study_names

    return study.path.parent.name == study.name and study.name in study_names()


def _controls(parts: list[_Part]) -> str:
    several = len(parts) > 1
    found: dict[str, tuple[str, str, list[str]]] = {}
    for part in parts:
        for name, style in part.styles.items():
            rows = part.results[part.results["curve"] == name]
            if len(rows):
                label = _named(part, part.labels[name], several)
                codes = part.codes if rows["code"].iloc[0].startswith("uncoded") else [rows["code"].iloc[0]]
                kind = "swatch" if len(counted(rows)) else "swatch estimated"
                found.setdefault(label, (style.colour, kind, []))[2].extend(codes)
        for label, series in part.published.items():
            codes = [reference.code for reference in series]
            found.setdefault(_named(part, label, several), ("black", "swatch published", []))[2].extend(codes)
        for label, curves in part.bounds.items():
            found.setdefault(_named(part, label, several), ("black", "swatch published", []))[2].extend(
                curves
            )
    codes = [
        code
        for code in dict.fromkeys(code for part in parts for code in part.codes)
        if not code.startswith("uncoded")
    ]
    boxes = "".join(
        f'<label><input type="checkbox" checked value="{html.escape(label)}" data-colour="{colour}" '
        f'data-codes="{html.escape(json.dumps(list(dict.fromkeys(of))))}"><span class="{kind}"></span>'
        f"{html.escape(label)}</label>"
        for label, (colour, kind, of) in found.items()
    )
    choice = ""
    if len(codes) > 1:
        options = "".join(f"<option>{html.escape(code)}</option>" for code in codes)
        choice = f'<label>code <select>{options}<option value="">all</option></select></label>'
    return (
        f'<fieldset><legend>Curves</legend><div class="choices">{choice}'
        '<button type="button" data-all="yes">all</button>'
        '<button type="button" data-all="no">none</button></div>'
        f'<div class="curves">{boxes}</div></fieldset>'
    )


def _table(shown: "pd.DataFrame") -> str:
    heads = "".join(
        f'<th scope="col"><button type="button">{html.escape(name)}</button></th>' for name in shown.columns
    )
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in shown.itertuples(index=False, name=None)
    )
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'


def save(page: str, path: str | Path) -> None:
    """Write the page; a half-written one never stands there."""
    write(path, page)
