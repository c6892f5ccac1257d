"""Two decoders on the same frames: which one errs where the other is right, and could that be chance?"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fecnn.channels.axis import EBN0, Axis
from fecnn.errors import StoreError, nearest
from fecnn.intervals import with_interval
from fecnn.simulation.stop import Prefix
from fecnn.simulation.store import Store
from fecnn.simulation.task import Point
from fecnn.studies.run import store_path
from fecnn.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd

LIKELIHOOD = 3.841458820694124
"""Twice the loss in log likelihood at the ends of a 95 % interval: the chi-squared quantile, one degree."""


@dataclass(frozen=True)
class Comparison:
    """Outcomes of two decoders on the same frames.

    Attributes:
        both, only_first, only_second: Frames that both got wrong, and frames that only one of them got wrong.
    """

    frames: int
    both: int
    only_first: int
    only_second: int

    def __str__(self) -> str:
        return (
            f"of {self.frames:,} frames {self.first_errors:,} and {self.second_errors:,} wrong, "
            f"{self.only_first:,} by the first alone and {self.only_second:,} by the second alone, "
            f"p {_probability(self.p_value)}"
        )

    def __add__(self, other: "Comparison") -> "Comparison":
        """The sum of two comparisons, which must be of different frames."""
        return Comparison(
            self.frames + other.frames,
            self.both + other.both,
            self.only_first + other.only_first,
            self.only_second + other.only_second,
        )

    @property
    def first_errors(self) -> int:
        """Block errors of the first decoder."""
        return self.both + self.only_first

    @property
    def second_errors(self) -> int:
        """Block errors of the second decoder."""
        return self.both + self.only_second

    @property
    def discordant(self) -> int:
        """Frames that one decoder got wrong and the other right."""
        return self.only_first + self.only_second

    @property
    def p_value(self) -> float:
        """Probability that equally good decoders differ at least as much: McNemar's exact two-sided test.

        Only frames that exactly one decoder got wrong distinguish the two; between equals they split evenly.

        Example:
            >>> round(Comparison(frames=1000, both=10, only_first=9, only_second=1).p_value, 4)
            0.0215
        """
        from scipy.stats import binomtest

        return float(binomtest(self.only_first, self.discordant).pvalue) if self.discordant else 1.0

    @property
    def difference(self) -> float:
        """BLER of the first decoder minus that of the second."""
        return (self.only_first - self.only_second) / self.frames

    @property
    def ratio(self) -> float:
        """BLER of the first decoder divided by that of the second; inf or NaN if the second made no error."""
        if self.second_errors == 0:
            return math.inf if self.first_errors else math.nan
        return self.first_errors / self.second_errors

    @property
    def difference_interval(self) -> tuple[float, float]:
        """95 % likelihood-ratio interval of the difference."""
        return self._interval(lambda d: np.array([0, 1, -1, 0]) - d, self.difference, -1.0, 1.0)

    @property
    def ratio_interval(self) -> tuple[float, float]:
        """95 % likelihood-ratio interval of the ratio; from 0 or to inf if one decoder made no error."""
        low, high = 0.0, math.inf
        if self.first_errors:
            top = math.log(self.ratio) if self.second_errors else 60.0
            low = math.exp(self._interval(self._ratio_residual, top, -60.0, top)[0])
        if self.second_errors:
            bottom = math.log(self.ratio) if self.first_errors else -60.0
            high = math.exp(self._interval(self._ratio_residual, bottom, bottom, 60.0)[1])
        return low, high

    @property
    def separate_frames(self) -> float:
        """Frames each decoder would need on separate noise for an equally narrow interval of the difference.

        It follows from the paired and unpaired variances of the difference; infinite if the pairs have none.
        """
        first, second = self.first_errors / self.frames, self.second_errors / self.frames
        paired = self.discordant / self.frames - self.difference**2
        separate = first * (1 - first) + second * (1 - second)
        return self.frames * separate / paired if paired else math.inf

    @staticmethod
    def _ratio_residual(log_ratio: float) -> NDArray[np.float64]:
        ratio = math.exp(log_ratio)
        # Scaled so that no entry is huge, which does not change the result.
        return np.array([1 - ratio, 1.0, -ratio, 0.0]) / (1 + ratio)

    def _interval(
        self, residual: Callable[[float], NDArray[np.float64]], best: float, least: float, most: float
    ) -> tuple[float, float]:
        """The ends of the interval, where the likelihood ratio of a value reaches its limit.

        residual: For a value, the contribution of each kind of frame (both wrong, only first, only second,
            neither) to a mean that is zero if the value is true.
        """
        from scipy.optimize import brentq

        counts = np.array(
            [self.both, self.only_first, self.only_second, self.frames - self.both - self.discordant], float
        )

        def excess(value: float) -> float:
            return _likelihood_ratio(counts, residual(value)) - LIKELIHOOD

        def end(limit: float) -> float:
            if best == limit or excess(limit) <= 0:
                return limit
            return float(brentq(excess, best, limit, xtol=1e-14, rtol=1e-10))

        return end(least), end(most)


def compare(
    study: Study, first: str, second: str, store: str | Path | None = None
) -> dict[float, Comparison]:
    """Compare two curves of a study, point by point, on the frames that both decoded.

    Results files record the block errors of every frame, and all decoders of a study see the same frames. The
    noise is therefore the same on both sides, and only the decoders differ.

    Args:
        study: The study.
        first: Name of a curve.
        second: Name of another curve.
        store: A results file; ``fecnn-results/<study>.sqlite`` by default.

    Returns:
        Comparisons by the value on the study's axis, such as Eb/N0 in dB; points where either curve has no
        frames are left out.

    Raises:
        LookupError: If the study has no such curve.
        ValueError: If the two curves are the same, one is estimated rather than counted, or they do not see
            the same frames at some point.
        FileNotFoundError: If there are no results; shipped results do not record single frames.
        StoreError: If the results file cannot be used.

    Example:
        >>> import fecnn, tempfile
        >>> stop = {"frames": 1000}
        >>> study = fecnn.make_study("demo", code="hamming-7-4", ebn0_db=2, stop=stop, curves=["ml", "slnn"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = folder + "/demo.sqlite"
        ...     fecnn.run(study, store=file).finish()
        ...     compared = compare(study, "ml", "slnn", file)
        >>> compared[2.0].only_first, compared[2.0].only_second
        (0, 0)
    """
    if first == second:
        raise ValueError(f"cannot compare {first!r} with itself")
    ours, theirs = (points_of(study, name) for name in (first, second))
    same = [at for at in ours if at in theirs]
    if not same:
        name = study.axis.label.partition(" [")[0]
        raise ValueError(f"{first} and {second} have no {name} in common")
    for at in same:
        if ours[at].task.stream != theirs[at].task.stream:
            raise ValueError(
                f"{first} and {second} do not see the same frames: "
                f"{_frames_of(ours[at])} and {_frames_of(theirs[at])}"
            )
    with Store(store or store_path(study)) as results:
        found = {at: paired(results, ours[at], theirs[at]) for at in same}
    return {at: comparison for at, comparison in found.items() if comparison.frames}


def display_comparison(found: dict[float, Comparison], axis: Axis = EBN0) -> "pd.DataFrame":
    """Comparisons as text for a table, by the values of an axis; the first decoder is A, the second B."""
    import pandas as pd

    rows = [
        {
            axis.label: f"{at:g}",
            "frames": f"{pair.frames:,}",
            "A wrong": f"{pair.first_errors:,}",
            "B wrong": f"{pair.second_errors:,}",
            "only A": f"{pair.only_first:,}",
            "only B": f"{pair.only_second:,}",
            "p": _probability(pair.p_value).removeprefix("= "),
            "BLER A - BLER B [95 %]": with_interval(pair.difference, *pair.difference_interval),
            "BLER A / BLER B [95 %]": _ratio(pair.ratio, *pair.ratio_interval),
            "separate": f"{pair.separate_frames:,.0f}",
        }
        for at, pair in found.items()
    ]
    return pd.DataFrame(rows)


def _ratio(ratio: float, low: float, high: float) -> str:
    """A ratio and interval with enough digits to tell them apart, at most seven."""
    for digits in range(3, 8):
        shown = [f"{value:.{digits}g}" for value in (ratio, low, high)]
        if low == high or len(set(shown)) == len({ratio, low, high}):
            break
    return "{} [{}, {}]".format(*shown)


def paired(store: Store, first: Point, second: Point) -> Comparison:
    """Compare two points of one stream on the frames that count for both."""
    a, b = block_errors(store, first), block_errors(store, second)
    frames = min(len(a), len(b))
    a, b = a[:frames], b[:frames]
    return Comparison(frames, int((a & b).sum()), int((a & ~b).sum()), int((~a & b).sum()))


def block_errors(store: Store, point: Point) -> NDArray[np.bool_]:
    """Whether each frame 0, 1, 2, ... of a point was wrong, up to where its stopping rule is met.

    Batches beyond that are left out, because their number depends on the number of workers.
    """
    prefix = Prefix(point.stop)
    for i, counts in store.batches(point.task, point.code).items():
        prefix.add(i, counts)
    try:
        packed = [store.flags(point.task, i) for i in range(prefix.length)]
    except LookupError as error:  # listed but missing
        raise StoreError(f"{store.path} is damaged ({error}); move it away and run again") from None
    bits = [np.unpackbits(np.frombuffer(flags, np.uint8), count=point.task.batch) for flags in packed]
    return np.concatenate([np.zeros(0, np.uint8), *bits]).astype(bool)


def points_of(study: Study, curve: str) -> dict[float, Point]:
    """The points of a simulated curve, by their values on the study's axis.

    Raises:
        LookupError: If the study has no such curve.
        ValueError: If the curve is estimated.
    """
    names = [known.name for known in study.curves]
    if curve not in names:
        raise LookupError(f"study {study.name} has no curve {curve!r}; {nearest(curve, names)}")
    if any(point.curve == curve for point in study.rare_points):
        raise ValueError(f"{curve} is estimated, so it has no frames")
    return {point.at: point for point in study.points if point.curve == curve}


def _frames_of(point: Point) -> str:
    return f"{point.code.name} over {point.task.told_channel}"


def _likelihood_ratio(counts: NDArray[np.float64], residual: NDArray[np.float64]) -> float:
    """Twice the loss in log likelihood of the counts if the mean residual must be zero.

    The most likely shares are counts / (1 + slope * residual), with the slope that makes the mean zero (Owen,
    Biometrika 1988). That slope maximises the sum below, which is concave in it. Kinds of frames that were
    not seen bound the slope too, because they may get a share.
    """
    from scipy.optimize import minimize_scalar

    if not (residual < 0).any() or not (residual > 0).any():
        # All residuals have the same sign: only kinds with residual 0 are possible.
        return 0.0 if not counts[residual != 0].any() else math.inf
    low, high = -1 / residual.max(), -1 / residual.min()
    seen = counts > 0
    counts, residual = counts[seen], residual[seen]

    def loss(slope: float) -> float:
        inside = 1 + slope * residual
        return math.inf if (inside <= 0).any() else -float(counts @ np.log(inside))

    found = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-12})
    return 2 * max(0.0, -min(float(found.fun), loss(low), loss(high)))


def _probability(p: float) -> str:
    return f"= {p:.2g}" if p else "< 1e-300"
