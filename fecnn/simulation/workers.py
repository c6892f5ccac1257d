"""Who makes batches: the interface of threads and clusters."""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import NamedTuple, Protocol

from fecnn.simulation.tally import Tally
from fecnn.simulation.task import Point, Task


class Made(NamedTuple):
    """A batch that was made: its counts, and the wall time that it took."""

    counts: Tally
    seconds: float


class Failed(NamedTuple):
    """A batch that cannot be made: why, where in the code that was, and whether it took too long."""

    reason: str
    trace: str = ""
    late: bool = False


class WorkerLost(Exception):
    """A worker is gone, and with it what it was doing."""


class Workers(Protocol):
    """Whoever makes batches: threads of this process (`threads`), or a cluster (`cluster`)."""

    @property
    def threads(self) -> int:
        """How many make batches at a time; it may change, and a cluster may have none yet."""

    @property
    def slots(self) -> int:
        """How many lots may be under way at a time."""

    @property
    def seconds(self) -> float:
        """How long a lot should take."""

    def prepare(self, points: Sequence[Point]) -> None:
        """See to it that all can load the codes and weights of these points.

        Raises:
            ValueError: If they cannot.
        """

    def submit(self, task: Task, batches: Sequence[int]) -> "Future[list[Made | Failed]]":
        """Make a lot of batches of a task: each of them in this order, up to the first that fails.

        The future may also raise `WorkerLost`: then the lot is to be handed out again.
        """
