"""Curves that lie on each other: which they are, and looks in which each of them stays visible."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fecnn.plots.scene import Series


def groups(series: "Iterable[Series]") -> "list[list[Series]]":
    """Counted curves of a code of which each rate is inside the others' intervals wherever they meet."""
    found: list[list[Series]] = []
    for one in series:
        if one.kind == "counted":
            home = next((group for group in found if all(_alike(one, other) for other in group)), None)
            if home is None:
                found.append([one])
            else:
                home.append(one)
    return [group for group in found if len(group) > 1]


def nested(series: "Sequence[Series]") -> "list[Series]":
    """The series, those on each other from large to small, so that each shows around the next."""
    looks = {}
    for group in groups(series):
        for place, one in enumerate(group):
            rest = 1 - place / (len(group) - 1)
            looks[id(one)] = replace(one.look, width=0.9 + 2.0 * rest, size=3.5 + 5.0 * rest)
    return [replace(one, look=looks.get(id(one), one.look)) for one in series]


def _alike(one: "Series", other: "Series") -> bool:
    others = {mark.x: mark for mark in other.seen}
    pairs = [(mark, others[mark.x]) for mark in one.seen if mark.x in others]
    return (
        one.code == other.code
        and len(pairs) > 1
        and all(a.low <= b.y <= a.high and b.low <= a.y <= b.high for a, b in pairs)
    )
