"""Sentences of comparison in the pages, and functions that recompute them from the counts they are about.

Each module is about some of the pages. ``tests/studies/test_sentences.py`` runs what they hold.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

from study_runs import shipped

from fecnn.analysis.gap import gap_to_ml
from fecnn.analysis.table import judge

ROOT = Path(__file__).parents[2]
LEVELS = (4.0, 5.0, 6.0)
BCH_CODES = ("bch-31-16", "bch-63-36", "bch-63-45", "bch-63-51")
"""Codes of published-nets-table that have a network of ours."""


@dataclass(frozen=True)
class Claim:
    """Sentences of a page, quoted whole, and a function whose assertions are what they say."""

    page: str
    sentences: tuple[str, ...]
    holds: Callable[[], None]


CLAIMS: dict[str, Claim] = {}
"""All claims, by page and function."""


def says(page, *sentences):
    """Put the sentences of a page beside the function that recomputes them."""

    def put(holds):
        name = f"{page}: {holds.__name__}"
        assert name not in CLAIMS, name
        CLAIMS[name] = Claim(page, sentences, holds)
        return holds

    return put


def readme(study):
    """The page of a study."""
    return f"studies/{study}/README.md"


@cache
def text(page):
    """A page without line breaks."""
    return " ".join((ROOT / page).read_text().split())


@cache
def results(study):
    """The table of a study's shipped results; not to be changed."""
    return shipped(study)[1]


@cache
def gaps(study):
    """The gaps to ML of a study's curves at BLER 1e-3."""
    return {gap.curve: gap for gap in gap_to_ml(*shipped(study))}


@cache
def published(study):
    """How a study's curves stand beside published points."""
    return judge(*shipped(study))


def row(study, curve, ebn0_db):
    """The results of a curve at an Eb/N0; none if it was not simulated there."""
    known = results(study)
    found = known[(known["curve"] == curve) & (known["ebn0_db"] == ebn0_db)]
    return found.iloc[0] if len(found) else None


def rows(study, curve):
    """The results of a curve at all its Eb/N0, from low to high."""
    known = results(study)
    found = known[known["curve"] == curve].sort_values("ebn0_db")
    assert len(found), curve
    return [one for _, one in found.iterrows()]


def pairs(study, one, other):
    """The results of two curves at each Eb/N0 that both have."""
    there = {it["ebn0_db"]: it for it in rows(study, other)}
    found = [(it, there[it["ebn0_db"]]) for it in rows(study, one) if it["ebn0_db"] in there]
    assert found, (one, other)
    return found


def total(study, curve, count):
    """A count of a curve at all its Eb/N0 together."""
    return int(sum(one[count] for one in rows(study, curve)))


def lost(study, curve):
    """Block errors of a curve that are certainly not those of ML."""
    return total(study, curve, "block_errors") - total(study, curve, "ml_errors")


def below(one, other, metric="bler"):
    """Whether the interval of a rate lies below that of another."""
    return one[f"{metric}_high"] < other[f"{metric}_low"]


def overlap(one, other, metric="bler"):
    """Whether the intervals of two rates overlap."""
    return not (below(one, other, metric) or below(other, one, metric))


def printed(*numbers):
    """Whether each value (the first of two, and so on) is what is printed, to its last digit."""
    for value, told in zip(numbers[::2], numbers[1::2], strict=True):
        unit = 10.0 ** Decimal(told).as_tuple().exponent
        assert abs(float(value) - float(told)) <= 0.501 * unit, (float(value), told)
    return True


def interval(gap):
    """A gap to ML as it is written."""
    low, value, high = (f"{round(it, 2) + 0.0:.2f}" for it in (gap.low, gap.gap_db, gap.high))
    return f"{value} dB [{low}, {high}]"
