"""One HTML page about one or more studies: curves, gaps, cost, tables, and the study files."""

import html
import json
import math
import re
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
from fecnn.plots.scene import LAYERS, Mark, Panel, Scene, Series, labels_of, rate_scene, tradeoff_scene
from fecnn.reports.shapes import DASHES, SHAPES
from fecnn.studies.reference import Reference
from fecnn.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd


PIXELS = 4 / 3
"""Pixels per point of a scene."""

MATTERS = re.compile(r"decoder|Eb/N0|BLER|gap|operations|per message bit")
"""Columns shown on a narrow page start with one of these; the others only when the reader asks for them."""


def report(
    studies: Sequence[Study], results: Sequence["pd.DataFrame"], references: Sequence[Reference] = ()
) -> str:
    """The page: a section for each code of each study, after one with all curves if there are several.

    Legend entries toggle curves in all charts and tables of a study. Charts can be zoomed and saved as PNG,
    tables sorted. The page needs no network, works on phones, in print and by keyboard alone, and follows the
    reader's dark or light mode.

    Args:
        studies: The studies.
        results: Their tables, from `fecnn.table`.
        references: Published points in addition to those of the studies, such as your own.

    Raises:
        ValueError: If a study has no results.
    """
    scenes = [_scene(study, found, references) for study, found in zip(studies, results, strict=True)]
    data: list[dict[str, Any]] = []
    parts = []
    contents = []
    if len(studies) > 1:
        whole = _together(studies, results, references)
        codes = list(dict.fromkeys(series.code for panel in whole.panels for series in panel.series))
        notes = "".join(f"<p>{html.escape(note)}.</p>" for note in whole.footnotes)
        drawn = f'{_figures(whole, data, METRICS["bler"])}<div class="notes">{notes}</div>'
        parts.append(_study_section("all", f"{_head('<h2>All of them</h2>', codes)}\n{drawn}"))
        contents.append('<a href="#all">All of them</a>')
    for place, (study, found, scene) in enumerate(zip(studies, results, scenes, strict=True), 1):
        section, entry = _study(study, found, scene, f"study-{place}", len(studies) == 1, data)
        parts.append(section)
        contents.append(entry)
    title = studies[0].title if len(studies) == 1 else f"{len(studies)} studies of decoders"
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


def _head(title: str, codes: Sequence[str] = ()) -> str:
    """A heading with what is chosen below it: the code, and all or no curves."""
    return (
        f'<div class="bar head">{title}{_choice(codes)}<span class="gap"></span>'
        '<span class="hint">Click a legend entry to hide or show its curve.</span>'
        '<button type="button" data-all="yes">show all</button>'
        '<button type="button" data-all="no">hide all</button></div>'
    )


def _study_section(name: str, inside: str) -> str:
    return f'<section class="study" id="{name}">\n{inside}\n</section>'


def _study(
    study: Study, results: "pd.DataFrame", scene: Scene, name: str, alone: bool, data: list[dict[str, Any]]
) -> tuple[str, str]:
    """The section of a study with one for each code, and its entry in the contents list.

    The content of charts is appended to ``data``.
    """
    every = list(dict.fromkeys(results["code"]))
    codes = [code for code in every if not code.startswith("uncoded")] or every
    tables = _tables(study, results)
    labels = labels_of(study)
    home = dict(zip(results["curve"], results["code"], strict=True))
    first = METRICS.get(study.metrics[0], METRICS["bler"])
    parts, links = [_heading(study, alone), _choice(codes)], []
    for place, code in enumerate(codes, 1):
        here = _of_code(scene, code)
        curves = {curve: labels[curve] for curve in home if home[curve] == code or _everywhere(home[curve])}
        shown = [_table(title, table, curves) for title, table in tables]
        below = [f"<p>{html.escape(note)}.</p>" for note in here.footnotes]
        title = _head(f"<h3>{html.escape(code)}</h3>")
        parts += [
            f'<section class="code" id="{name}-{place}" data-code="{html.escape(code)}">',
            f"{title}\n{_figures(here, data, first, code)}",
            f'<div class="tables">{"".join(shown)}</div>',
            f'<div class="notes">{"".join(below)}</div>\n</section>',
        ]
        links.append(f'<li><a href="#{name}-{place}">{html.escape(code)}</a></li>')
    parts += [f'<p class="notes">Not drawn: {html.escape(note)}.</p>' for note in scene.notes]
    text = html.escape(study.path.read_text(encoding="utf-8"))
    parts.append(f"<details><summary>The study file</summary><pre>{text}</pre></details>")
    entry = f'<a href="#{name}">{html.escape(study.title)}</a><ul>{" ".join(links)}</ul>'
    return _study_section(name, "\n".join(parts)), entry


def _scene(study: Study, results: "pd.DataFrame", references: Sequence[Reference], first: int = 0) -> Scene:
    """All that the page draws of a study: a chart for each error rate, then gaps against cost."""
    rates = rate_scene(study, results, list(METRICS), panels="metric", references=references, first=first)
    costs = tradeoff_scene(study, results, panels="metric", first=first)
    return Scene(study.title, rates.panels + costs.panels)


def _of_code(scene: Scene, code: str) -> Scene:
    """The panels of one code, without notes: these are about all codes."""
    panels = []
    for panel in scene.panels:
        series = tuple(
            replace(one, label=one.label.removeprefix(f"{code}: "))
            for one in panel.series
            if one.code == code or _everywhere(one.code)
        )
        if series:
            panels.append(replace(panel, series=series, notes=()))
    return Scene(scene.title, tuple(panels))


def _everywhere(code: str) -> bool:
    """Uncoded bits are shown with every code."""
    return code.startswith("uncoded")


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
                    label=f"{one.label.removesuffix(source)} ({study.name}){source}",
                    code=codes[0] if _everywhere(one.code) and len(codes) == 1 else one.code,
                )
                for one in panel.series
                for source in [f": {one.source}" * bool(one.source)]
            ]
            before = panels.get(panel.x + panel.y, replace(panel, series=()))
            panels[panel.x + panel.y] = replace(before, series=(*before.series, *series))
        first += len(study.curves)
    return Scene("All of them", tuple(panels.values()))


def _choice(codes: Sequence[str]) -> str:
    """The choice among codes, if there are several."""
    codes = [code for code in codes if not _everywhere(code)]
    if len(codes) < 2:
        return ""
    options = "".join(f"<option>{html.escape(code)}</option>" for code in codes)
    return f'<label>code <select aria-label="code"><option value="">all</option>{options}</select></label>'


def _figures(scene: Scene, data: list[dict[str, Any]], first: str, code: str = "") -> str:
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
        "tab": panel.y if rate else "gap and " + ("time" if "time" in panel.x else "operations"),
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
        "code": "" if _everywhere(series.code) else series.code,
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


def _heading(study: Study, alone: bool) -> str:
    """Question and command of a study, and its title unless that is the page's title."""
    name = html.escape(shlex.quote(study.name if _shipped(study) else study.path.name))
    title = "" if alone else f"<h2>{html.escape(study.title)}</h2>\n"
    return (
        f"{title}<p>{html.escape(study.question)}</p>\n"
        f"<p>Reproduce with <code>fecnn run {name}</code>; the noise has seed {study.seed}.</p>"
    )


def _tables(study: Study, results: "pd.DataFrame") -> list[tuple[str, "pd.DataFrame"]]:
    """Titles and tables of a study; the column ``decoder`` has the names of curves."""
    tables = [
        ("All points", display(study, results)),
        ("Gap to ML", display_gaps(gap_to_ml(study, results))),
        ("Operations", display_costs(cost_table(study, results))),
    ]
    return [(title, table) for title, table in tables if len(table)]


def _column(name: str) -> str:
    """The class of a column: ``name`` if it may be wrapped, ``rest`` if it is left out on a narrow screen."""
    if name == "decoder":
        return ' class="name"'
    return "" if MATTERS.match(name) else ' class="rest"'


def _table(title: str, table: "pd.DataFrame", curves: dict[str, str]) -> str:
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


def _shipped(study: Study) -> bool:
    from fecnn.studies.study import study_names

    return study.path.parent.name == study.name and study.name in study_names()


def save(page: str, path: str | Path) -> None:
    """Write the page atomically."""
    write(path, page)
