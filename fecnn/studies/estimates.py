"""Points of a study that are estimated rather than counted, at low error rates."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from fecnn._notebook import html
from fecnn.simulation.store import Store
from fecnn.simulation.task import RarePoint, build_decoder
from fecnn.theory.ml_bler import Estimate, ml_bler
from fecnn.theory.rare import rare_bler


@dataclass(frozen=True)
class Estimation:
    """An estimated point of a study in its current state.

    estimate: The estimate; None if there is none (yet).
    refusal: Why it cannot be made.
    new: Whether it was made, or refused, just now.
    """

    point: RarePoint
    estimate: Estimate | None = None
    refusal: str | None = None
    new: bool = False

    def __str__(self) -> str:
        """One line describing the point."""
        where = f"{self.point.curve} {self.point.said}"
        if self.estimate is None:
            return f"{where}: not estimated" + (f": {self.refusal}" if self.refusal else "")
        return f"{where}: {self.estimate}"

    def _repr_html_(self) -> str:
        return html.line(str(self))


def estimate_points(
    points: Sequence[RarePoint], store: Store, stop_now: Callable[[], bool] = lambda: False
) -> Iterator[Estimation]:
    """Estimate the points that a store lacks, committing each estimate as it is made.

    First yields every point as it stands, then each point that was estimated or refused. Refusals are not
    stored; the next run tries again.

    Args:
        points: The points of a study.
        store: The results file, open for writing.
        stop_now: Called before each point; once it returns True, nothing else is started.

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
            found = _estimate(point)
        except ValueError as error:
            yield Estimation(point, refusal=str(error), new=True)
            continue
        except (Exception, SystemExit) as error:  # of a decoder's own code
            yield Estimation(point, refusal=f"{type(error).__name__}: {error}", new=True)
            continue
        store.append_estimate(point, found, time.thread_time() - began)
        yield Estimation(point, found, new=True)


def _estimate(point: RarePoint) -> Estimate:
    task = point.task
    if task.decoder == "ml":
        return ml_bler(point.code, point.ebn0_db, point.rel_error, seed=point.seed)
    decode = build_decoder(task, point.code)
    return rare_bler(decode, point.code, point.ebn0_db, point.rel_error, seed=point.seed)
