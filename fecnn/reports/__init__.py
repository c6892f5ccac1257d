"""One HTML page about one or more studies: curves, gaps, cost, tables, and the study files."""

import html
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fecnn._files.atomic import write
from fecnn.analysis.costs import cost_table, display_costs
from fecnn.analysis.gap import display_gaps, gap_to_ml, without_optimum
from fecnn.analysis.table import METRICS, OF_REFUSALS, display, refuses
from fecnn.plots.looks import labels_of
from fecnn.plots.rates import rate_scene
from fecnn.plots.scene import Panel, Scene
from fecnn.plots.tradeoffs import tradeoff_scene
from fecnn.reports.page import charts, choice, enclosed, heading, is_everywhere, sortable, whole_page
from fecnn.studies.reference import Reference
from fecnn.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd


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

    Example:
        >>> import fecnn
        >>> study = fecnn.load_study("optimal-hamming-7-4")
        >>> page = report([study], [fecnn.table(study, study.path.parent / "results.csv")])
        >>> page.startswith("<!doctype html>"), "http" in page.partition("<body")[0]
        (True, False)
    """
    scenes = [_scene(study, found, references) for study, found in zip(studies, results, strict=True)]
    data: list[dict[str, Any]] = []
    parts = []
    contents = []
    if len(studies) > 1:
        whole = _together(studies, results, references)
        codes = list(dict.fromkeys(series.code for panel in whole.panels for series in panel.series))
        notes = "".join(f"<p>{html.escape(note)}.</p>" for note in whole.footnotes)
        drawn = f'{charts(whole, data, METRICS["bler"])}<div class="notes">{notes}</div>'
        parts.append(enclosed("all", f"{heading('<h2>All of them</h2>', codes)}\n{drawn}"))
        contents.append('<a href="#all">All of them</a>')
    for place, (study, found, scene) in enumerate(zip(studies, results, scenes, strict=True), 1):
        section, entry = _study(study, found, scene, f"study-{place}", len(studies) == 1, data)
        parts.append(section)
        contents.append(entry)
    title = studies[0].title if len(studies) == 1 else f"{len(studies)} studies of decoders"
    return whole_page(title, contents, parts, data)


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
    parts, links = [_heading(study, alone), choice(codes)], []
    for place, code in enumerate(codes, 1):
        here = _of_code(scene, code)
        curves = {curve: labels[curve] for curve in home if home[curve] == code or is_everywhere(home[curve])}
        shown = [sortable(title, table, curves) for title, table in tables]
        below = [f"<p>{html.escape(note)}.</p>" for note in here.footnotes]
        title = heading(f"<h3>{html.escape(code)}</h3>")
        parts += [
            f'<section class="code" id="{name}-{place}" data-code="{html.escape(code)}">',
            f"{title}\n{charts(here, data, first, code)}",
            f'<div class="tables">{"".join(shown)}</div>',
            f'<div class="notes">{"".join(below)}</div>\n</section>',
        ]
        links.append(f'<li><a href="#{name}-{place}">{html.escape(code)}</a></li>')
    parts += [f'<p class="notes">Not drawn: {html.escape(note)}.</p>' for note in scene.notes]
    if study.path.is_file():  # one that was made in Python has none
        text = html.escape(study.path.read_text(encoding="utf-8"))
        parts.append(f"<details><summary>The study file</summary><pre>{text}</pre></details>")
    entry = f'<a href="#{name}">{html.escape(study.title)}</a><ul>{" ".join(links)}</ul>'
    return enclosed(name, "\n".join(parts)), entry


def _scene(study: Study, results: "pd.DataFrame", references: Sequence[Reference], first: int = 0) -> Scene:
    """All that the page draws of a study: a chart for each error rate, then gaps against cost."""
    told = [name for name in METRICS if refuses(results) or name not in OF_REFUSALS]
    metrics = study.metrics if study.over else told
    rates = rate_scene(study, results, metrics, panels="metric", references=references, first=first)
    costs = tradeoff_scene(study, results, panels="metric", first=first)
    return Scene(study.title, rates.panels + costs.panels)


def _of_code(scene: Scene, code: str) -> Scene:
    """The panels of one code, without notes: these are about all codes."""
    panels = []
    for panel in scene.panels:
        series = tuple(
            replace(one, label=one.label.removeprefix(f"{code}: "))
            for one in panel.series
            if one.code == code or is_everywhere(one.code)
        )
        if series:
            panels.append(replace(panel, series=series, notes=()))
    return Scene(scene.title, tuple(panels))


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
                    code=codes[0] if is_everywhere(one.code) and len(codes) == 1 else one.code,
                )
                for one in panel.series
                for source in [f": {one.source}" * bool(one.source)]
            ]
            before = panels.get(panel.x + panel.y, replace(panel, series=()))
            panels[panel.x + panel.y] = replace(before, series=(*before.series, *series))
        first += len(study.curves)
    return Scene("All of them", tuple(panels.values()))


def _heading(study: Study, alone: bool) -> str:
    """Question and command of a study, and its title unless that is the page's title."""
    title = "" if alone else f"<h2>{html.escape(study.title)}</h2>\n"
    how = "Made by a program"
    if study.path.is_file():
        name = html.escape(shlex.quote(study.name if _shipped(study) else study.path.name))
        how = f"Reproduce with <code>fecnn run {name}</code>"
    return f"{title}<p>{html.escape(study.question)}</p>\n<p>{how}; the noise has seed {study.seed}.</p>"


def _tables(study: Study, results: "pd.DataFrame") -> list[tuple[str, "pd.DataFrame"]]:
    """Titles and tables of a study; the column ``decoder`` has the names of curves."""
    gaps = gap_to_ml(study, results)
    passed = gaps if any(gap.is_passed for gap in gaps) else []
    tables = [
        ("All points", display(study, results)),
        ("Gap to ML", display_gaps(passed, without=without_optimum(study, results, gaps))),
        ("Operations", display_costs(study, cost_table(study, results))),
    ]
    return [(title, table) for title, table in tables if len(table)]


def _shipped(study: Study) -> bool:
    from fecnn.studies.study import study_names

    return study.path.parent.name == study.name and study.name in study_names()


def save(page: str, path: str | Path) -> None:
    """Write the page atomically."""
    write(path, page)
