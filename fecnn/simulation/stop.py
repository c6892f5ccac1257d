"""When a point has enough: the rule, and the ordered prefix of batches that it looks at."""

import math
from dataclasses import dataclass

from fecnn.intervals import proportion_interval
from fecnn.simulation.tally import Tally

WIDTH = 2 * 1.96
"""Width of a 95 % interval in standard deviations."""


@dataclass(frozen=True)
class Stop:
    """When a point has enough: as soon as any given rule is met by the ordered prefix of its batches.

    block_errors: This many block errors.
    frames: This many frames.
    relative_width: The 95 % interval of the BLER is at most this wide, relative to the BLER.
    seconds: This much decoding time (the only rule whose counts depend on the machine).
    """

    block_errors: int | None = None
    frames: int = 10**9
    relative_width: float | None = None
    seconds: float | None = None

    def met(self, total: Tally) -> bool:
        """Whether a tally satisfies any of the rules."""
        if total.frames >= self.frames:
            return True
        if self.block_errors is not None and total.block_errors >= self.block_errors:
            return True
        if self.seconds is not None and total.seconds >= self.seconds:
            return True
        if self.relative_width is not None and total.block_errors:
            low, high = proportion_interval(total.block_errors, total.frames)
            return (high - low) * total.frames <= self.relative_width * total.block_errors
        return False

    def share(self, parts: int) -> "Stop":
        """The rule for one of several shares that do not know of each other.

        Of errors it asks two standard deviations more than a part, so that the shares together will mostly
        do, wherever their errors happen to lie.
        """

        def part(errors: float) -> float:
            return errors / parts + 2 * math.sqrt(errors / parts)

        errors, width = self.block_errors, self.relative_width
        return Stop(
            block_errors=None if errors is None else math.ceil(part(errors)),
            frames=-(-self.frames // parts),
            relative_width=None if width is None else WIDTH / math.sqrt(part((WIDTH / width) ** 2)),
            seconds=None if self.seconds is None else self.seconds / parts,
        )

    def frames_left(self, total: Tally) -> float:
        """About how many frames are still missing, if errors and time go on as they did."""
        left = float(self.frames - total.frames)
        if self.block_errors is not None and total.block_errors:
            left = min(left, total.frames * (self.block_errors / total.block_errors - 1))
        if self.relative_width is not None and total.block_errors:
            needed = (WIDTH / self.relative_width) ** 2
            left = min(left, total.frames * (needed / total.block_errors - 1))
        if self.seconds is not None and total.seconds:
            left = min(left, total.frames * (self.seconds / total.seconds - 1))
        return max(left, 0.0)


class Prefix:
    """The batches that count for a point: 0, 1, 2, ... up to the first at which its stopping rule is met.

    Batches may be added in any order; whoever finished first does not matter.
    """

    def __init__(self, stop: Stop) -> None:
        self.total = Tally()
        self.length = 0
        self.finished = False
        self._stop = stop
        self._ahead: dict[int, Tally] = {}

    @property
    def ahead(self) -> int:
        """Batches that wait for one before them."""
        return len(self._ahead)

    def add(self, i: int, batch: Tally) -> None:
        """Add batch i."""
        self._ahead[i] = batch
        while not self.finished and self.length in self._ahead:
            self.total += self._ahead.pop(self.length)
            self.length += 1
            self.finished = self._stop.met(self.total)
