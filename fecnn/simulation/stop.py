"""Stopping rules, and the ordered prefix of batches that they look at."""

import math
from dataclasses import dataclass

from fecnn.intervals import proportion_interval
from fecnn.simulation.tally import Tally

MOST_FRAMES = 10**9
"""Frames after which a point stops if no other rule is met."""

WIDTH = 2 * 1.96
"""Width of a 95 % interval in standard deviations."""


@dataclass(frozen=True)
class Stop:
    """A stopping rule: a point stops as soon as the ordered prefix of its batches meets any of these.

    block_errors: This many block errors.
    frames: This many frames.
    relative_width: The 95 % interval of the BLER is at most this wide, relative to the BLER.
    seconds: This much decoding time (the only rule that makes counts depend on the machine).
    """

    block_errors: int | None = None
    frames: int = MOST_FRAMES
    relative_width: float | None = None
    seconds: float | None = None

    def __str__(self) -> str:
        """The rules, such as ``100 block errors``; the default limit of frames only if it is alone."""
        rules = [
            "" if self.block_errors is None else f"{self.block_errors:,} block errors",
            "" if self.relative_width is None else f"an interval of {self.relative_width:.3g} of the BLER",
            "" if self.seconds is None else f"{self.seconds:g} s of decoding",
        ]
        if self.frames != MOST_FRAMES or not any(rules):
            rules.append(f"{self.frames:,} frames")
        return " or ".join(filter(None, rules))

    def met(self, total: Tally) -> bool:
        """Whether a tally meets any of the rules."""
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
        """The rule for one of several shards that do not communicate.

        It asks for two standard deviations more errors than an equal part, so that the shards together almost
        always meet the rule, however the errors are distributed.
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
        """Estimated number of frames still missing, at the current rates of errors and time."""
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
    """The batches that count for a point: 0, 1, 2, ... up to the first at which the stopping rule is met.

    Batches may be added in any order; the order in which they finish does not matter.
    """

    def __init__(self, stop: Stop) -> None:
        self.total = Tally()
        self.length = 0
        self.finished = False
        self._stop = stop
        self._ahead: dict[int, Tally] = {}

    @property
    def ahead(self) -> int:
        """Number of batches waiting for an earlier one."""
        return len(self._ahead)

    def add(self, i: int, batch: Tally) -> None:
        """Add batch i."""
        self._ahead[i] = batch
        while not self.finished and self.length in self._ahead:
            self.total += self._ahead.pop(self.length)
            self.length += 1
            self.finished = self._stop.met(self.total)
