"""The learning curve of a network: its BLER on the validation frames, and that of exact ML."""

from typing import TYPE_CHECKING, Unpack

from fecnn.analysis.table import FEW_ERRORS
from fecnn.intervals import proportion_interval
from fecnn.nets.card import Card, Validated
from fecnn.plots.figure import picture
from fecnn.plots.looks import look
from fecnn.plots.scene import Look, Mark, Panel, Scene, Series
from fecnn.plots.style import Options, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_learning(card: Card, **options: Unpack[Options]) -> "Figure":
    """Draw the validation BLER over steps with 95 % intervals, and the BLER of exact ML as a dashed line.

    Args:
        card: The network's card.
        options: As for `fecnn.plots.style.styled`.
    """
    return picture(learning_scene(card), styled(**options))


def learning_scene(card: Card) -> Scene:
    """One panel: a curve per Eb/N0, and a line for exact ML on the same frames."""
    series = []
    steps = [validation.step for validation in card.validations]
    for place, point in enumerate(card.validations[-1].points if card.validations else ()):
        how, at = look(place), f"{point.ebn0_db:g} dB"
        marks = [_mark(validation.step, validation.points[place]) for validation in card.validations]
        series.append(Series("counted", at, card.code, how, tuple(marks)))
        ml = point.ml_block_errors / point.frames
        if ml:
            line = tuple(Mark(step, ml) for step in (steps[0], steps[-1]))
            dashed = Look(how.colour, "longdash", 1.2)
            series.append(Series("estimated", f"exact ML, {at}", card.code, dashed, line))
    panel = Panel("", "step", "BLER on the validation frames", tuple(series))
    return Scene(card.name, (panel,))


def _mark(step: int, point: Validated) -> Mark:
    low, high = proportion_interval(point.block_errors, point.frames)
    none = not point.block_errors
    return Mark(
        step,
        high if none else point.block_errors / point.frames,
        low,
        high,
        hollow=0 < point.block_errors < FEW_ERRORS,
        limit=none,
        frames=point.frames,
        block_errors=point.block_errors,
    )
