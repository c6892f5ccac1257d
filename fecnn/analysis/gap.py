"""Gaps to maximum likelihood: the Eb/N0 that a curve needs for an error rate, minus what ML needs."""

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import scipy
from numpy.typing import NDArray

from fecnn.analysis.table import METRICS
from fecnn.channels.registry import Named, sent_over
from fecnn.codes.code import Code
from fecnn.simulation.task import Point, RarePoint
from fecnn.studies.reference import Reference
from fecnn.studies.study import Study
from fecnn.theory.bounds import tangential_sphere_bound
from fecnn.theory.ml_bler import NORMAL

if TYPE_CHECKING:
    import pandas as pd

Reals = NDArray[np.float64]

REPETITIONS = 2000
"""Number of curves drawn for an interval."""

FAR_APART = 4.0
"""Bounds with a larger ratio are far apart; the ends of a 95 % interval have at most 3."""


@dataclass(frozen=True)
class Crossing:
    """Eb/N0 in dB at which a curve reaches an error rate, with the ends of a 95 % interval.

    It is NaN if the curve does not pass the rate; both ends are then inf if it is above it at all points, and
    -inf if it is below. Otherwise an end is infinite if the interval extends far beyond what was simulated.
    """

    ebn0_db: float
    low: float
    high: float


@dataclass(frozen=True)
class Gap:
    """A curve's distance in dB from the reference of its code, with a 95 % interval.

    Attributes:
        crossing: Where the curve reaches the target.
        reference: Name of the ML curve, or ``tangential-sphere bound``.
    """

    curve: str
    code: str
    crossing: Crossing
    reference: str
    gap_db: float
    low: float
    high: float

    @property
    def is_passed(self) -> bool:
        """Whether the curve passes the target within its points."""
        return math.isfinite(self.crossing.ebn0_db)

    def __str__(self) -> str:
        there = _there(self.crossing)
        if not self.is_passed:
            return f"{self.curve} of {self.code}: {there}"
        away = _decibels(self.gap_db, self.low, self.high)
        if not away:
            return f"{self.curve} of {self.code}: at {there} dB; {self.reference} does not reach it"
        return f"{self.curve} of {self.code}: at {there} dB, {away} dB from {self.reference}"


def gap_to_ml(
    study: Study,
    results: "pd.DataFrame",
    *,
    bler: float | None = None,
    ber: float | None = None,
    ber_code: float | None = None,
    reference: str = "ml",
    curves: Collection[str] | None = None,
) -> list[Gap]:
    """Gap in dB between each curve and exact ML for the same code and channel, at a target error rate.

    Between two simulated points a curve is interpolated as a straight line of the Gaussian quantile of the
    rate over the amplitude, 10^(dB / 20). This is exact for a single wrong word. For whole codes it is so
    close that points 1 dB apart move a crossing by at most 0.02 dB.

    The interval is a parametric bootstrap: both curves' counts are drawn again, and the gap is read off each
    time; for this the first and last lines are continued by at most their length. The two decode the same
    frames, so block errors in which the decoder's word beats the sent one are also errors of ML; these are
    drawn once for both. For bit error rates the curves are drawn independently, from the effective number of
    events of `fecnn.rate_interval`, which errs towards wide intervals.

    If the study has no counted ``ml`` curve, or it does not reach a target BLER, the reference is exact ML as
    estimated (``ml`` with ``method = "rare"``). Estimated curves, of any decoder, have noise of their own, so
    they are drawn independently, from normal distributions as wide as their intervals. If the ends are bounds
    that are far apart, the rates of all points are drawn together, half of them above the estimates.

    The reference of a curve with a max-log demapper is ML with the exact one, if the study has it; then too
    the two are drawn independently.

    Args:
        study: The study.
        results: Its table, from `fecnn.table`.
        bler: Target BLER; 1e-3 if no target is given. At most one target may be given.
        ber: Target BER over message bits.
        ber_code: Target BER over code bits.
        reference: ``ml`` for the study's curve of exact ML; ``tsb`` for the tangential-sphere bound, an upper
            bound on the BLER of ML, so that gaps are at least as wide as stated.
        curves: The curves whose gaps are wanted; all by default.

    Returns:
        A gap for each curve with results and a reference, including the reference itself; NaN where a curve
        does not reach the target.

    Raises:
        ValueError: If several targets are given, one is not in (0, 1), or the reference is unknown.

    Example:
        >>> import fecnn
        >>> study = fecnn.load_study("optimal-bch-31-21")
        >>> gaps = gap_to_ml(study, fecnn.table(study, study.path.parent / "results.csv"))
        >>> print({gap.curve: round(gap.gap_db, 2) for gap in gaps if gap.curve.startswith("osd")})
        {'osd (order 0)': 1.26, 'osd (order 1)': 0.01, 'osd (order 2)': 0.0}
    """
    metric, target = _target({"bler": bler, "ber": ber, "ber_code": ber_code})
    if reference not in ("ml", "tsb"):
        raise ValueError(f"reference must be 'ml' or 'tsb', got {reference!r}")
    if reference == "tsb" and metric != "bler":
        raise ValueError(f"the tangential-sphere bound is a bound on BLER, not on {METRICS[metric]}")
    return [gap for _, gap in _gaps(study, results, metric, [target], reference, curves)]


def gap_between(
    points: Sequence[Reference], optimum: Sequence[Reference], bler: float
) -> tuple[float, float, float]:
    """Gap in dB between published curves of the BLER at a target, with the ends of a 95 % interval.

    As `gap_to_ml`, but the two curves are drawn independently: from their counts where the source gives
    them, and else from a normal distribution as wide as the reading error. The result is NaN if a curve does
    not reach the target.
    """
    rng = np.random.default_rng(0)
    crossings = [
        _crossings(curve.ebn0_db, np.vstack([curve.rates, curve.drawn(rng)]), bler)
        for curve in (_read_rates(points), _read_rates(optimum))
    ]
    with np.errstate(invalid="ignore"):
        return _summary(crossings[0] - crossings[1])


def gaps_along_ml(study: Study, results: "pd.DataFrame", code: str) -> dict[str, list[tuple[float, Gap]]]:
    """By curve, the gaps to exact ML of a code, each with the Eb/N0 of a point of ML that has this BLER.

    Only counted curves are compared, each over its channel, and ML itself is left out. The result is empty if
    the study has no counted curve of exact ML.
    """
    optima = counted_ml(study, code).values()
    others = {point.curve for point in study.points if point.code.name == code} - set(optima)
    found: dict[str, list[tuple[float, Gap]]] = {}
    for optimum in optima:
        rows = results[(results["curve"] == optimum) & results["bler"].between(0, 1, inclusive="neither")]
        rows = rows.sort_values("ebn0_db")
        gaps = _gaps(study, results, "bler", rows["bler"].to_list(), "ml", others)
        for place, gap in gaps:
            if gap.reference == optimum:
                found.setdefault(gap.curve, []).append((rows["ebn0_db"].iloc[place], gap))
    return found


def published_gaps_along_ml(
    study: Study, results: "pd.DataFrame", points: Sequence[Reference]
) -> list[tuple[float, Gap]]:
    """As `gaps_along_ml`, for a published curve of the BLER of one code, whose noise is its own.

    Of several channels it is that of the curve which should agree with them, or the first. The result is
    empty if the source gives no counts.
    """
    optima = counted_ml(study, points[0].code)
    if not optima or not all(point.frames for point in points):
        return []
    whose = points[0].decoder, points[0].code
    agreeing = [it for it in study.points if (it.published, it.code.name) == whose]
    channels = (sent_over(it.task.channel) for it in agreeing)
    optimum = optima[next((it for it in channels if it in optima), next(iter(optima)))]
    first = next(point for point in study.points if point.curve == optimum)
    curves = (_read_rates(points), _Counts.of(results, optimum, first, "bler"))
    rng = np.random.default_rng(0)
    drawn = [(curve.ebn0_db, np.vstack([curve.rates, curve.drawn(rng)])) for curve in curves]
    found = []
    for ebn0_db, bler in zip(curves[1].ebn0_db, curves[1].rates, strict=True):
        ours, theirs = (_crossings(*curve, bler) for curve in drawn)
        with np.errstate(invalid="ignore"):
            gap = _summary(ours - theirs)
        name, code = points[0].decoder, points[0].code
        found.append((float(ebn0_db), Gap(name, code, _crossing(ours), optimum, *gap)))
    return found


def counted_ml(study: Study, code: str) -> dict[Named, str]:
    """By channel, the first counted curve of exact ML of a code; first those of an exact demapper."""
    found: dict[Named, str] = {}
    for point in sorted(study.points, key=_is_approximate):
        if point.code.name == code and _is_exact(point):
            found.setdefault(sent_over(point.task.channel), point.curve)
    return found


def _is_exact(point: Point | RarePoint) -> bool:
    """Whether this is exact ML on the LLRs of the channel; behind a receiver it is another decoder."""
    return point.task.decoder == "ml" and not point.task.receiver


def _is_approximate(point: Point | RarePoint) -> bool:
    """Whether the LLRs of its channel are those of a max-log demapper."""
    return point.task.channel != sent_over(point.task.channel)


def _gaps(
    study: Study,
    results: "pd.DataFrame",
    metric: str,
    targets: Sequence[float],
    reference: str,
    curves: Collection[str] | None,
) -> Iterator[tuple[int, Gap]]:
    """The gaps of each curve at each target, with the target's place; a curve is drawn once for all."""
    firsts: dict[str, Point | RarePoint] = {}
    counted = set(results["curve"])
    for point in (*study.points, *(study.rare_points if metric == "bler" else ())):
        if point.curve not in counted:
            continue
        firsts.setdefault(point.curve, point)

    @cache
    def rates(name: str) -> _Counts | _Estimates:
        return _rates_of(results, name, firsts[name], metric)

    for seed, (name, point) in enumerate(firsts.items()):
        if curves is not None and name not in curves:
            continue
        ours = rates(name)
        drawn: dict[str, tuple[Reals, Reals]] = {}
        for place, target in enumerate(targets):
            optimum = (
                "tangential-sphere bound" if reference == "tsb" else _optimum(rates, firsts, point, target)
            )
            if optimum is None or (reference == "tsb" and point.task.channel != "awgn"):
                continue
            theirs = None if reference == "tsb" else rates(optimum)
            mine = ours
            if theirs and isinstance(ours, _Counts) and firsts[optimum].task.channel != point.task.channel:
                # Errors shared with ML on the LLRs of one demapper need not be errors of ML on another's.
                mine = replace(ours, shared=0 * ours.shared)
            if optimum not in drawn:
                drawn[optimum] = _drawn_with(mine, theirs, np.random.default_rng(seed), metric)
            found = _crossings(ours.ebn0_db, drawn[optimum][0], target)
            if theirs is None:
                crossings = np.array(_bound_crossing(point.code, target))
            else:
                crossings = _crossings(theirs.ebn0_db, drawn[optimum][1], target)
            with np.errstate(invalid="ignore"):  # both may be infinite, beyond what was simulated
                gap = _summary(found - (found if name == optimum else crossings))
            yield place, Gap(name, point.code.name, _crossing(found), optimum, *gap)


def without_optimum(study: Study, results: "pd.DataFrame", gaps: Collection[Gap]) -> list[str]:
    """The curves with results but none of these gaps: there is no exact ML of their code and channel."""
    left = set(results["curve"]) - {gap.curve for gap in gaps}
    coded = (point.curve for point in study.all_points if point.code.k < point.code.n)
    return [name for name in dict.fromkeys(coded) if name in left]


def display_gaps(
    gaps: list[Gap], target: float = 1e-3, metric: str = "bler", *, without: Sequence[str] = ()
) -> "pd.DataFrame":
    """Gaps as text for a table; of a curve that does not pass the target it says on which side it is.

    Args:
        gaps: From `gap_to_ml`.
        target: The target error rate.
        metric: The metric of that rate.
        without: Curves that have no gap, see `without_optimum`.
    """
    import pandas as pd

    rows = [[gap.curve, _there(gap.crossing), _decibels(gap.gap_db, gap.low, gap.high)] for gap in gaps]
    rows += [[name, "", "no exact ML of its code and channel"] for name in without if gaps]
    needed = f"Eb/N0 for {METRICS[metric]} {target:g} [dB]"
    return pd.DataFrame(rows, columns=["decoder", needed, "gap to ML [dB]"])


def _there(crossing: Crossing) -> str:
    """Where a curve reaches the target, in words if it does not."""
    if math.isfinite(crossing.ebn0_db):
        return _decibels(crossing.ebn0_db, crossing.low, crossing.high)
    return "below it at all points" if crossing.high < 0 else "above it at all points"


def _decibels(value: float, low: float, high: float) -> str:
    # Adding 0.0 turns a negative zero into a positive one.
    value, low, high = (round(it, 2) + 0.0 for it in (value, low, high))
    return f"{value:.2f} [{low:.2f}, {high:.2f}]" if math.isfinite(value) else ""


def _target(targets: dict[str, float | None]) -> tuple[str, float]:
    given = [(metric, target) for metric, target in targets.items() if target is not None] or [("bler", 1e-3)]
    if len(given) > 1:
        raise ValueError(f"give one target, got {' and '.join(metric for metric, _ in given)}")
    metric, target = given[0]
    if not 0 < target < 1:
        raise ValueError(f"{metric} must be in (0, 1), got {target}")
    return metric, target


def _optimum(
    rates: "Callable[[str], _Counts | _Estimates]",
    curves: "dict[str, Point | RarePoint]",
    point: Point | RarePoint,
    target: float,
) -> str | None:
    """The curve of exact ML: the first counted one that reaches the target, else an estimated one."""
    alike = {
        name: other
        for name, other in curves.items()
        if other.code.fingerprint == point.code.fingerprint
        and other.task.channel in (point.task.channel, sent_over(point.task.channel))
        and _is_exact(other)
    }

    def place(name: str) -> tuple[bool, bool]:
        return _is_approximate(alike[name]), isinstance(alike[name], RarePoint)

    ordered = sorted(alike, key=place)
    for name in ordered:
        found = rates(name)
        if math.isfinite(_crossings(found.ebn0_db, found.rates[None], target)[0]):
            return name
    return ordered[0] if ordered else None


def _rates_of(
    results: "pd.DataFrame", curve: str, point: Point | RarePoint, metric: str
) -> "_Counts | _Estimates":
    if isinstance(point, Point):
        return _Counts.of(results, curve, point, metric)
    rows = results[results["curve"] == curve].sort_values("ebn0_db")
    return _Estimates(*(rows[name].to_numpy(float) for name in ("ebn0_db", "bler", "bler_low", "bler_high")))


def _read_rates(points: Sequence[Reference]) -> "_Counts | _Estimates":
    ordered = sorted((point for point in points if point.metric == "bler"), key=lambda point: point.ebn0_db)
    ebn0_db = np.array([point.ebn0_db for point in ordered])
    counts = np.array([(point.errors or 0, point.frames or 0) for point in ordered], float).reshape(-1, 2)
    if counts[:, 1].all():
        return _Counts(ebn0_db, np.maximum(counts[:, 0], 0.5), 1 / counts[:, 1], counts[:, 1], 0 * ebn0_db)
    rates = np.array([(point.value, *point.interval) for point in ordered])
    return _Estimates(ebn0_db, *rates.T)


@dataclass(frozen=True)
class _Estimates:
    """A curve of estimated rates over Eb/N0, with the ends of their 95 % intervals."""

    ebn0_db: Reals
    rates: Reals
    low: Reals
    high: Reals

    def drawn(self, rng: np.random.Generator) -> Reals:
        """Random rates consistent with the intervals, (REPETITIONS, points)."""
        middle, spread = (self.high + self.low) / 2, (self.high - self.low) / (2 * NORMAL)
        # An interval as wide as its value allows negative rates; the minimum meets every target.
        drawn = np.maximum(middle + spread * rng.standard_normal((REPETITIONS, len(middle))), 1e-300)
        # What bounds leave open is the same at all points: one place for all, half of them above the value.
        far = self.high > FAR_APART * self.low
        low, value, high = (
            np.log(np.maximum(rate[far], 1e-300)) for rate in (self.low, self.rates, self.high)
        )
        place = rng.uniform(-1, 1, (REPETITIONS, 1))
        drawn[:, far] = np.exp(value + place * np.where(place > 0, high - value, value - low))
        return drawn


@dataclass(frozen=True)
class _Counts:
    """A counted curve over Eb/N0.

    events: Effective number of independent events behind each rate; one half if there were none.
    weight: Contribution of an event to the rate.
    shared: Block errors that ML makes too.
    """

    ebn0_db: Reals
    events: Reals
    weight: Reals
    frames: Reals
    shared: Reals

    @classmethod
    def of(cls, results: "pd.DataFrame", curve: str, point: Point, metric: str) -> "_Counts":
        rows = results[results["curve"] == curve].sort_values("ebn0_db")
        ebn0_db, frames, errors, shared = (
            rows[name].to_numpy(float) for name in ("ebn0_db", "frames", "block_errors", "ml_errors")
        )
        if metric == "bler":
            events, weight = np.maximum(errors, 0.5), 1 / frames
        else:
            name, width = (
                ("bit_errors", point.code.k) if metric == "ber" else ("code_bit_errors", point.code.n)
            )
            total, squares = (rows[column].to_numpy(float) for column in (name, f"{name}_sq"))
            variance = squares - total**2 / frames
            variance = np.where(variance > 0, variance, squares)
            events = np.where(total > 0, total**2 / np.maximum(variance, 1), 0.5)
            weight = np.where(total > 0, total / events, 1) / (frames * width)
        return cls(ebn0_db, events, weight, frames, shared)

    @property
    def rates(self) -> Reals:
        return self.events * self.weight

    def drawn(self, rng: np.random.Generator) -> Reals:
        """Random rates consistent with the counts, (REPETITIONS, points)."""
        return self.weight * rng.gamma(self.events + 0.5, size=(REPETITIONS, len(self.events)))


def _drawn_with(
    ours: _Counts | _Estimates, optimum: _Counts | _Estimates | None, rng: np.random.Generator, metric: str
) -> tuple[Reals, Reals]:
    """The rates of a curve and of its reference (none for a bound): first as measured, then as drawn."""
    if optimum is None:
        return np.vstack([ours.rates, ours.drawn(rng)]), np.empty((0, 0))
    if metric == "bler" and isinstance(ours, _Counts) and isinstance(optimum, _Counts):
        drawn, best = _drawn_together(ours, optimum, rng)
    else:
        drawn, best = ours.drawn(rng), optimum.drawn(rng)
    return np.vstack([ours.rates, drawn]), np.vstack([optimum.rates, best])


def _drawn_together(ours: _Counts, optimum: _Counts, rng: np.random.Generator) -> tuple[Reals, Reals]:
    """Random block error rates of a decoder and of ML, consistent with the counts on their common frames."""
    drawn, best = ours.drawn(rng), optimum.drawn(rng)
    for i, ebn0_db in enumerate(ours.ebn0_db):
        for j in np.flatnonzero(optimum.ebn0_db == ebn0_db):
            common = ours.shared[i] * min(1.0, optimum.frames[j] / ours.frames[i])
            common = min(common, ours.events[i], optimum.events[j])
            both = rng.gamma(common, size=REPETITIONS) if common else np.zeros(REPETITIONS)
            for rates, counts, place in ((drawn, ours, i), (best, optimum, j)):
                alone = rng.gamma(counts.events[place] - common + 0.5, size=REPETITIONS)
                rates[:, place] = counts.weight[place] * (both + alone)
    return drawn, best


def _crossings(ebn0_db: Reals, rows: Reals, target: float) -> Reals:
    """Where each row of rates first falls to the target, in dB; the first row is measured, the others drawn.

    It is -inf if the row starts below the target, and inf if it never reaches it. Drawn rows are continued
    along their first and last lines, by at most the length of these.
    """
    if not len(ebn0_db):
        return np.full(len(rows), math.inf)
    below = rows <= target
    reaches, after = below.any(axis=1), below.argmax(axis=1)
    found = np.where(reaches, np.where(rows[:, 0] < target, -math.inf, ebn0_db[0]), math.inf)
    if len(ebn0_db) == 1:
        return np.asarray(found)
    place = np.where(reaches, np.maximum(after, 1), len(ebn0_db) - 1)
    amplitude = 10 ** (ebn0_db / 20)
    pair = rows[np.arange(len(rows))[:, None], place[:, None] - [1, 0]]
    quantile = -scipy.special.ndtri(np.minimum(pair, 1 - 1e-12))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (-scipy.special.ndtri(target) - quantile[:, 0]) / (quantile[:, 1] - quantile[:, 0])
        first, second = amplitude[place - 1], amplitude[place]
        crossing = 20 * np.log10(first + share * (second - first))
    falls = quantile[:, 1] > quantile[:, 0]
    before, beyond = reaches & (after == 0) & (-1 <= share) & (share <= 0), ~reaches & (share <= 2)
    inside = reaches & (after > 0)
    continued = np.where(np.arange(len(rows)) > 0, falls & (before | beyond), False)
    return np.where(inside | continued, crossing, found)


def _bound_crossing(code: Code, target: float) -> float:
    from scipy.optimize import brentq

    def excess(ebn0_db: float) -> float:
        return math.log(max(tangential_sphere_bound(code, ebn0_db), 1e-300) / target)

    return float(brentq(excess, -20, 40, xtol=1e-6))


def _crossing(found: Reals) -> Crossing:
    if math.isfinite(found[0]):
        return Crossing(*_summary(found))
    return Crossing(math.nan, float(found[0]), float(found[0]))


def _summary(found: Reals) -> tuple[float, float, float]:
    """The measured value (the first) and the 95 % interval of the drawn ones; NaN if it is not finite."""
    if not math.isfinite(found[0]):
        return math.nan, math.nan, math.nan
    drawn = np.where(np.isnan(found[1:]), math.inf, found[1:])
    ends = [round(share * (len(drawn) - 1)) for share in (0.025, 0.975)]
    low, high = np.partition(drawn, ends)[ends].tolist()
    return float(found[0]), low, high
