"""The interface of workers, which simulate batches: threads or a cluster."""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import NamedTuple, Protocol

from fecnn.simulation.tally import Tally
from fecnn.simulation.task import Point, Task


class Made(NamedTuple):
    """A simulated batch: its counts and wall time."""

    counts: Tally
    seconds: float


class Failed(NamedTuple):
    """A batch that failed: the reason, the traceback, and whether it exceeded the time limit."""

    reason: str
    trace: str = ""
    late: bool = False


class WorkerLost(Exception):
    """A worker died and lost its lot of batches."""


class Workers(Protocol):
    """Workers that simulate batches: threads of this process (`threads`) or a cluster (`cluster`)."""

    @property
    def threads(self) -> int:
        """Number of batches simulated at once; it may change, and a cluster may have none yet."""

    @property
    def slots(self) -> int:
        """Most lots that may be in progress at once."""

    @property
    def seconds(self) -> float:
        """Target duration of a lot, in seconds."""

    def prepare(self, points: Sequence[Point]) -> None:
        """Make sure that all workers can load the codes and weights of these points.

        Raises:
            ValueError: If they cannot.
        """

    def submit(self, task: Task, batches: Sequence[int]) -> "Future[list[Made | Failed]]":
        """Simulate a lot of batches of a task, in this order, up to the first failure.

        The future may also raise `WorkerLost`; the lot must then be submitted again.
        """
