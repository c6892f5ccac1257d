"""The points of a study that are estimated, not counted: exact ML where errors are rare."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from fecnn.simulation.store import Store
from fecnn.simulation.task import RarePoint
from fecnn.theory.ml_bler import Estimate, ml_bler

THINGS = {"monte-carlo": "frames", "rays": "rays", "union": "words", "union and rays": "words and rays"}
"""What an estimate by each method rests on."""


@dataclass(frozen=True)
class Estimation:
    """An estimated point of a study as it stands.

    estimate: None if it is not made, yet or at all.
    refusal: Why it cannot be made.
    new: Whether it was made, or refused, just now.
    """

    point: RarePoint
    estimate: Estimate | None = None
    refusal: str | None = None
    new: bool = False

    def __str__(self) -> str:
        """A line for people."""
        where = f"{self.point.curve} {self.point.ebn0_db:g} dB"
        if self.estimate is None:
            return f"{where}: not estimated" + (f": {self.refusal}" if self.refusal else "")
        found = self.estimate
        return (
            f"{where}: BLER {found.value:.2e} [{found.low:.2e}, {found.high:.2e}] by {found.method}, "
            f"{found.frames:,} {THINGS[found.method]}"
        )


def estimate_points(
    points: Sequence[RarePoint], store: Store, stop_now: Callable[[], bool] = lambda: False
) -> Iterator[Estimation]:
    """Estimate what is not in a store yet, keeping each estimate as it is made.

    First yields every point as it stands, then each that was made or refused. What is refused is not kept:
    the next run tries again.

    Args:
        points: Those of a study.
        store: Open for writing.
        stop_now: Asked before each point; when it says so, no more is begun.

    Raises:
        StoreError: If the store cannot be used.
    """
    missing = []
    for point in points:
        found = store.estimate(point)
        yield Estimation(point, found)
        if found is None:
            missing.append(point)
    for point in missing:
        if stop_now():
            return
        began = time.thread_time()
        try:
            found = ml_bler(point.code, point.ebn0_db, point.rel_error, seed=point.seed)
        except ValueError as error:
            yield Estimation(point, refusal=str(error), new=True)
            continue
        store.append_estimate(point, found, time.thread_time() - began)
        yield Estimation(point, found, new=True)
