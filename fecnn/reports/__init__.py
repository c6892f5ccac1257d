"""One HTML page about one or more studies: curves, gaps, cost, tables, and the study files."""

import html
import json
import math
import shlex
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from fecnn._files.atomic import write
from fecnn._version import __version__
from fecnn.analysis.costs import cost_table, display_costs
from fecnn.analysis.gap import display_gaps, gap_to_ml
from fecnn.analysis.table import METRICS, display
from fecnn.errors import extra
from fecnn.plots.scene import LAYERS, Mark, Panel, Scene, Series, rate_scene, tradeoff_scene
from fecnn.reports.swatch import swatch
from fecnn.studies.reference import Reference
from fecnn.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd


PIXELS = 4 / 3
"""Pixels per point of a scene."""


def report(
    studies: Sequence[Study], results: Sequence["pd.DataFrame"], references: Sequence[Reference] = ()
) -> str:
    """The page: a section for each study, preceded by one with all curves if there are several studies.

    Curves and published points can be toggled and tables sorted. The page needs no network, works on phones,
    in print and by keyboard alone, and follows the reader's dark or light mode.

    Args:
        studies: The studies.
        results: Their tables, from `fecnn.table`.
        references: Published points in addition to those of the studies, such as your own.

    Raises:
        ValueError: If a study has no results.
    """
    with extra("report", "a report"):
        from plotly.offline import get_plotlyjs

    scenes = [_scene(study, found, references) for study, found in zip(studies, results, strict=True)]
    sections = [
        "\n".join([_heading(study, len(studies) == 1), _pictures(scene), _tables(study, found)])
        for study, found, scene in zip(studies, results, scenes, strict=True)
    ]
    if len(studies) > 1:
        scenes.insert(0, _together(studies, results, references))
        sections.insert(0, "<h2>All of them</h2>\n" + _pictures(scenes[0]))
    data = [{"charts": [_chart(panel) for panel in scene.panels]} for scene in scenes]
    title = studies[0].title if len(studies) == 1 else f"{len(studies)} studies of decoders"
    home = files("fecnn.reports")
    return Template((home / "page.html").read_text(encoding="utf-8")).substitute(
        title=html.escape(title),
        version=__version__,
        style=(home / "page.css").read_text(encoding="utf-8"),
        sections="\n".join(
            f'<section id="section-{i}">\n{section}\n</section>' for i, section in enumerate(sections)
        ),
        plotly=get_plotlyjs(),
        # A "</script>" in a name would end the enclosing script.
        data=json.dumps(data).replace("<", "\\u003c"),
        script=(home / "page.js").read_text(encoding="utf-8"),
    )


def _scene(study: Study, results: "pd.DataFrame", references: Sequence[Reference], first: int = 0) -> Scene:
    """All that the page draws of a study: a chart for each error rate, then gaps against cost."""
    rates = rate_scene(study, results, list(METRICS), panels="metric", references=references, first=first)
    costs = tradeoff_scene(study, results, panels="metric", first=first)
    return Scene(study.title, rates.panels + costs.panels)


def _together(
    studies: Sequence[Study], results: Sequence["pd.DataFrame"], references: Sequence[Reference]
) -> Scene:
    """Several studies in the same charts; labels name the study, and each study continues the looks."""
    panels: dict[str, Panel] = {}
    first = 0
    for study, found in zip(studies, results, strict=True):
        codes = [code for code in dict.fromkeys(found["code"]) if not code.startswith("uncoded")]
        for panel in _scene(study, found, references, first).panels:
            series = [
                # Uncoded bits are shown with the code of their own study.
                replace(
                    one,
                    label=f"{one.label} ({study.name})",
                    code=codes[0] if not _code(one) and len(codes) == 1 else one.code,
                )
                for one in panel.series
            ]
            before = panels.get(panel.x + panel.y, replace(panel, series=()))
            panels[panel.x + panel.y] = replace(before, series=(*before.series, *series))
        first += len(study.curves)
    return Scene("All of them", tuple(panels.values()))


def _chart(panel: Panel) -> dict[str, Any]:
    series = sorted(panel.series, key=lambda one: LAYERS[one.kind])
    return {
        "title": panel.title or panel.y,
        "x": panel.x,
        "y": panel.y,
        "xtype": panel.scales[0],
        "ytype": panel.scales[1],
        "front": bool(panel.front),
        "traces": [trace for one in series for trace in _traces(one)],
    }


def _traces(series: Series) -> list[dict[str, Any]]:
    """A trace of the points with errors, and one of the triangles for points without, if any."""
    look = series.look
    drawn = {
        "mode": "+".join(["lines"] * bool(look.dash) + ["markers"] * bool(look.marker)),
        "line": {"dash": look.dash or "solid", "width": PIXELS * look.width},
        "marker": {"symbol": look.marker or "circle", "size": PIXELS * look.size},
    }
    triangles = {"mode": "markers", "marker": {"symbol": "triangle-down", "size": 10, "opacity": 0.6}}
    made = [
        _trace(series, marks, how)
        for marks, how in ((series.seen, drawn), (series.limits, triangles))
        if marks
    ]
    if series.seen and math.isfinite(series.seen[0].low):
        made[0]["error_y"] = {
            "type": "data",
            "array": [mark.high - mark.y for mark in series.seen],
            "arrayminus": [mark.y - mark.low for mark in series.seen],
        }
    return made


def _trace(series: Series, marks: Sequence[Mark], how: dict[str, Any]) -> dict[str, Any]:
    return {
        "curve": series.label,
        "code": _code(series),
        "colour": series.look.colour,
        "x": [mark.x for mark in marks],
        "y": [mark.y for mark in marks],
        "hollow": [mark.hollow for mark in marks],
        "text": [
            "<br>".join([f"<b>{html.escape(series.label)}</b>", *map(html.escape, mark.said)])
            for mark in marks
        ],
        "hovertemplate": "%{text}<extra></extra>",
        **how,
    }


def _code(series: Series) -> str:
    """The code of a series; empty for uncoded bits, which are shown with every code."""
    return "" if series.code.startswith("uncoded") else series.code


def _heading(study: Study, alone: bool) -> str:
    """Question and command of a study, and its title unless that is the page's title."""
    name = html.escape(shlex.quote(study.name if _shipped(study) else study.path.name))
    title = "" if alone else f"<h2>{html.escape(study.title)}</h2>\n"
    return (
        f"{title}<p>{html.escape(study.question)}</p>\n"
        f"<p>Reproduce with <code>fecnn run {name}</code>; the noise has seed {study.seed}.</p>"
    )


def _tables(study: Study, results: "pd.DataFrame") -> str:
    lines = []
    gaps = display_gaps(gap_to_ml(study, results))
    if len(gaps):
        lines += ["<h3>Distance from maximum likelihood</h3>", _table(gaps)]
    costs = display_costs(cost_table(study, results))
    if len(costs):
        lines += ["<h3>Operations per frame</h3>", _table(costs)]
    lines += ["<h3>All points</h3>", _table(display(study, results))]
    text = html.escape(study.path.read_text(encoding="utf-8"))
    lines.append(f"<details><summary>The study file</summary><pre>{text}</pre></details>")
    return "\n".join(lines)


def _shipped(study: Study) -> bool:
    from fecnn.studies.study import study_names

    return study.path.parent.name == study.name and study.name in study_names()


def _pictures(scene: Scene) -> str:
    """The toggles for curves, the placeholders of the charts, what coincides and what is not drawn."""
    codes: dict[str, dict[str, None]] = {}
    for series in (series for panel in scene.panels for series in panel.series):
        codes.setdefault(series.label, {})[_code(series)] = None
    boxes = "".join(
        f'<label><input type="checkbox" checked value="{html.escape(one.label)}" '
        f'data-colour="{one.look.colour}" data-codes="{html.escape(json.dumps(list(codes[one.label])))}">'
        f"{swatch(one)}<span>{html.escape(one.label)}</span></label>"
        for one in scene.legend
    )
    every = [code for code in dict.fromkeys(code for found in codes.values() for code in found) if code]
    choice = ""
    if len(every) > 1:
        options = "".join(f"<option>{html.escape(code)}</option>" for code in every)
        choice = f'<label>code <select>{options}<option value="">all</option></select></label>'
    notes = [f"<p>{html.escape(note)}.</p>" for note in scene.coincidences]
    notes += [f"<p>Not drawn: {html.escape(note)}.</p>" for note in scene.notes]
    return "\n".join(
        [
            f'<fieldset><legend>Curves</legend><div class="choices">{choice}'
            '<button type="button" data-all="yes">all</button>'
            '<button type="button" data-all="no">none</button></div>'
            f'<div class="curves">{boxes}</div></fieldset>',
            '<div class="charts">' + '<div class="chart"></div>' * len(scene.panels) + "</div>",
            *notes,
        ]
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
    """Write the page atomically."""
    write(path, page)
