"""The page of the record: the decoders of each code, how far they are from exact ML, and their training."""

import html
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fecnn._files.shipped import RESULTS
from fecnn.analysis.record import EXACT, TARGETS, Standing, display_standings, names, standings, written
from fecnn.analysis.table import FEW_ERRORS, METRICS
from fecnn.plots.looks import look
from fecnn.plots.scene import Mark, Panel, Scene, Series
from fecnn.reports.page import charts, enclosed, heading, sortable, whole_page
from fecnn.studies.record import OURS, record
from fecnn.studies.reference import Reference


def record_page(codes: Sequence[str] | None = None, *, folder: str | Path = RESULTS) -> str:
    """The page, which needs no network: a section for each code.

    Args:
        codes: Codes by name; by default all that somebody else has published points of.
        folder: The folder of results, with your own points in its folder ``record``.

    Raises:
        LookupError: If nothing is known about a code.
        ValueError: If a file of the record is invalid.
    """
    data: list[dict[str, Any]] = []
    parts, contents = [], []
    for code in codes or published_codes(folder=folder):
        found = standings(code, folder=folder)
        if not found:
            raise LookupError(f"the record has no points of {code}")
        parts.append(_section(code, found, data))
        contents.append(f'<a href="#{html.escape(code)}">{html.escape(code)}</a>')
    return whole_page("Decoders of short codes, published and counted", contents, parts, data)


def published_codes(*, folder: str | Path = RESULTS) -> list[str]:
    """Codes of which the record has points of others, by name."""
    return sorted({point.code for point in record(folder=folder) if point.source != OURS})


def _section(code: str, found: Sequence[Standing], data: list[dict[str, Any]]) -> str:
    labels = names(found)
    drawn = charts(_scene(code, found, labels), data, METRICS["bler"], code)
    table = sortable("Decoders", display_standings(found), {label: label for label in labels})
    inside = (
        f'<section class="code" data-code="{html.escape(code)}">{heading(f"<h2>{html.escape(code)}</h2>")}\n'
        f'{drawn}<div class="tables">{table}</div></section>'
    )
    return enclosed(code, inside)


def _scene(code: str, found: Sequence[Standing], labels: Sequence[str]) -> Scene:
    """Error rates, and gaps to ML over training frames."""
    rates, gaps = [], []
    for place, (one, label) in enumerate(zip(found, labels, strict=True)):
        shown = look(place)
        marks = tuple(_mark(point) for point in sorted(one.points, key=_level) if point.metric == "bler")
        if marks and one.decoder == EXACT:
            rates.append(Series("estimated", label, code, replace(shown, dash="longdash", marker=""), marks))
        elif marks:
            rates.append(Series("counted", label, code, shown, marks))
        if one.training_frames and TARGETS[0] in one.gaps:
            gap, low, high = one.gaps[TARGETS[0]]
            said = (
                label,
                f"gap to ML {gap:.2f} dB [{low:.2f}, {high:.2f}]",
                f"{one.training_frames:,} frames",
            )
            dot = Mark(one.training_frames, gap, low, high, said=said)
            gaps.append(Series("gap", label, code, replace(shown, dash=""), (dot,)))
    panels = [Panel("", "Eb/N0 [dB]", METRICS["bler"], tuple(rates))] if rates else []
    if gaps:
        y = f"gap to ML at BLER {written(TARGETS[0])} [dB]"
        panels.append(Panel("", "training frames", y, tuple(gaps), scales=("log", "linear")))
    return Scene(code, tuple(panels))


def _level(point: Reference) -> float:
    return point.ebn0_db


def _mark(point: Reference) -> Mark:
    low, high = point.interval
    counts = f"{point.errors:,} of {point.frames:,} frames wrong" if point.frames else point.how
    said = (f"{point.ebn0_db:g} dB", f"BLER {point.value:.3g} [{low:.3g}, {high:.3g}]", counts)
    few = point.errors is not None and 0 < point.errors < FEW_ERRORS
    return Mark(point.ebn0_db, point.value or high, low, high, hollow=few, limit=not point.value, said=said)
