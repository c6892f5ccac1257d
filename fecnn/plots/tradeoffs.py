"""Pictures of gap against cost."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from fecnn.analysis.tradeoff import Tradeoff, front, weighed
from fecnn.plots.looks import labels_of, looks_of
from fecnn.plots.scene import Mark, Panel, Scene, Series, listed
from fecnn.simulation.task import Point
from fecnn.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd


def tradeoff_scene(
    study: Study, results: "pd.DataFrame", *, panels: Literal["metric", "code"] = "code", first: int = 0
) -> Scene:
    """Gaps to ML at BLER 1e-3 against operations and against time: two panels per code, or two in all.

    There are no panels if no curve has a gap to ML. Arguments are those of `rate_scene`.
    """
    found, missing = weighed(study, results)
    codes = list(dict.fromkeys(one.gap.code for one in found))
    looks, labels = looks_of(study, first), labels_of(study)
    notes = _missing(missing, codes, labels)
    uncounted = [labels[one.gap.curve] for one in found if one.operations is None]
    if uncounted:
        notes += [f"operations of {listed(uncounted)} (no formula)"]

    def panel(title: str, x: str, codes: list[str], cost: Callable[[Tradeoff], float | None]) -> Panel:
        series = []
        for place, one in enumerate(found):
            at, gap = cost(one), one.gap
            if at is not None and gap.code in codes:
                high = gap.high if math.isfinite(gap.high) else gap.gap_db
                said = f"gap to ML {gap.gap_db:.2f} dB [{gap.low:.2f}, {gap.high:.2f}]"
                mark = Mark(at, gap.gap_db, gap.low, high, said=(gap.code, said, f"{at:,.3g}"))
                size = 10 - 3 * place / len(found)  # those on each other stay visible
                dot = replace(looks[gap.curve], dash="", size=size)
                series.append(Series("gap", labels[gap.curve], gap.code, dot, (mark,)))
        places = [(one.marks[0].x, one.marks[0].y) for one in series]
        best = tuple(places[i] for i in front(*zip(*places, strict=True))) if places else ()
        y = "gap to ML at BLER 1e-3 [dB]"
        return Panel(title, x, y, tuple(series), tuple(notes), scales=("log", "linear"), front=best)

    def pair(codes: list[str], titles: tuple[str, str]) -> list[Panel]:
        return [
            panel(titles[0], "operations per message bit", codes, lambda one: one.operations),
            panel(titles[1], "decoding time [us/frame], one thread", codes, lambda one: one.microseconds),
        ]

    if panels == "code":
        return Scene(study.title, tuple(p for code in codes for p in pair([code], (code, code))))
    titles = "Distance and operations", "Distance and time"
    return Scene(study.title, tuple(pair(codes, titles) if found else ()))


def _missing(missing: Sequence[tuple[Point, str]], shown: Sequence[str], labels: dict[str, str]) -> list[str]:
    """Curves that are not shown with the reason: whole codes by their name, others code by code."""
    codes: dict[str, dict[str, list[str]]] = {}
    for point, why in missing:
        codes.setdefault(point.code.name, {}).setdefault(why, []).append(labels[point.curve])
    several = len({*codes, *shown}) > 1
    notes = []
    for code, reasons in codes.items():
        for why, names in reasons.items():
            whole = code not in shown and len(reasons) == 1
            here = f"{code}: " if several else ""
            notes.append(f"{code if whole else here + listed(names)} ({why})")
    return notes
