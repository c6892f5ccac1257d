"""The BLER of exact maximum likelihood at low error rates: four estimators, each with an interval.

Plain Monte-Carlo sees no errors at 1e-10. Two unbiased methods reach that far.

Rays: in a random direction, noise must have a certain length to leave the region of the sent word. An exact
decoder finds that length, and the probability of longer noise has a closed form.

Union: in an error, some word beats the sent one. This method draws a light word, then noise that makes it
win, and counts how many light words win at once (Karp and Luby). Heavier words, which are not listed, add at
most their union bound. If that is small, it just widens the interval upwards. Otherwise errors are
distinguished by the first word that wins along the noise: errors to light words are drawn, the others are
found by rays.

If errors are very rare, so are draws in which two words win at once, and thousands of draws may show none.
The interval therefore allows for overlaps that were not seen, and it is limited by bounds for the code.

Where the weight spectrum is not known, there are only bounds, from light words that were searched
(`fecnn.theory.light_words`). Between them lies the union bound of the words found, which is an estimate.
"""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import scipy
from numpy.typing import NDArray

from fecnn._notebook import html
from fecnn.arrays import LLR, Bits
from fecnn.channels.channel import noise_sigma
from fecnn.codes.code import Code, has_spectrum
from fecnn.codes.low_weight import MAX_WORDS, light_words, low_weight_words
from fecnn.decoders import decoder
from fecnn.decoders.contract import Decoder
from fecnn.intervals import proportion_interval, weighted_interval, with_interval
from fecnn.theory.bounds import kat_bound, tangential_sphere_bound, union_bound
from fecnn.theory.light_words import kat_of_words, log_alone, most_union

Reals = NDArray[np.float64]
Method = Literal["auto", "monte-carlo", "rays", "union", "light words"]

LIGHT_WORDS = "light words"
"""Method of an estimate from light words, all of which up to some weight are proved to be found."""

NOT_PROVED = "light words (not proved all)"
"""The same where it is not proved that all words of least weight were found."""

SAMPLED = "importance sampling"
"""Method of the estimates of `fecnn.rare_bler`, which may be of any decoder; all others are of exact ML."""

CERTAIN = (LIGHT_WORDS, NOT_PROVED)
"""Methods whose intervals are bounds, which hold for certain."""

UNITS = {
    SAMPLED: "frames",
    "monte-carlo": "frames",
    "rays": "rays",
    "union": "words",
    "union and rays": "words and rays",
    LIGHT_WORDS: "words",
    NOT_PROVED: "words",
}
"""What ``frames`` of an estimate counts, by method."""

NORMAL = 1.959963984540054
"""Half-width of a 95 % interval of a normal distribution, in standard deviations."""

CHUNK = 1 << 14
"""Frames or rays decoded at once."""

MOST_FRAMES = 1 << 28
"""Number of frames after which an estimate is given up."""

MOST_COUNTED = 1 << 22
"""If no more frames are needed, errors of a code without a weight spectrum are counted."""

MOST_RAYS = 1 << 24
"""Number of rays after which an estimate is given up."""

FEW_WORDS = 1 << 17
"""Up to this many light words, listing and comparing them with noise is faster than rays."""

SHRINK = 1 - 1e-6
"""A ray is next decoded just before the length at which the nearest word found so far wins."""

QUADRATURE = 1e-9
"""Relative widening of intervals, because the bounds that limit them are numerical integrals."""


@dataclass(frozen=True)
class Estimate:
    """An estimated BLER: of exact maximum likelihood by `ml_bler`, of any decoder by `fecnn.rare_bler`.

    Attributes:
        value: The estimate. For light words it is the union bound of the words found, and nothing more is
            proved of it than that it lies between the ends.
        low: Lower end of a 95 % interval. Except for ``monte-carlo`` and ``importance sampling``, it is at
            least the lower bound of Kuai, Alajaji and Takahara. For light words it is that bound, which is
            certain.
        high: Upper end; for ``union`` it includes all words that were not listed. Where the lower end is
            limited by a bound, the upper one is too, by the tangential-sphere and union bounds. For light
            words it is the largest union bound of all spectra that the code can have, which is certain, but
            may be far above the value.
        method: ``importance sampling`` (by `fecnn.rare_bler`), or ``monte-carlo``, ``rays``, ``union``,
            ``union and rays``, ``light words``, or ``light words (not proved all)``: the value may lack words
            of least weight.
        frames: Number of frames, rays, drawn words, drawn words and rays, or light words behind the estimate.
        effective: Number of errors for which plain Monte-Carlo would have an equally narrow interval.

    Example:
        >>> import fecnn
        >>> found = fecnn.ml_bler(fecnn.hamming(3), 12.0)
        >>> found.certain, found.low < found.value < found.high
        (False, True)
    """

    value: float
    low: float
    high: float
    method: str
    frames: int
    effective: float

    @property
    def certain(self) -> bool:
        """Whether the ends are bounds, which hold for certain, rather than those of a 95 % interval."""
        return self.method in CERTAIN

    def __str__(self) -> str:
        """One line: the BLER with its interval, the method, and what is behind it."""
        return f"BLER {self._bler()} by {self.method}, {self.frames:,} {UNITS[self.method]}"

    def _repr_html_(self) -> str:
        ends = "bounds" if self.certain else "95 %"
        whose = "" if self.method == SAMPLED else " of exact ML"
        columns = (f"BLER{whose} [{ends}]", "method", UNITS[self.method], "equivalent errors")
        row = (self._bler(), self.method, f"{self.frames:,}", f"{self.effective:,.3g}")
        return html.table(columns, [row], words=2)

    def _bler(self) -> str:
        """The value and its interval, with enough digits to tell them apart."""
        width = (self.high - self.low) / self.value
        digits = max(2, math.ceil(-math.log10(width))) if width else 2
        return with_interval(self.value, self.low, self.high, digits)


def ml_bler(
    code: Code, ebn0_db: float, rel_error: float = 0.01, *, method: Method = "auto", seed: int = 1
) -> Estimate:
    """BLER of exact maximum likelihood over BPSK and AWGN, down to 1e-10 and below.

    The interval of ``monte-carlo`` is Clopper-Pearson's. That of ``rays`` is normal; rays are drawn a second
    time, at least as many as were needed the first time, so that stopping causes no bias. That of ``union``
    is Fay and Feuer's for the share of overlaps; it allows for one more overlap than was seen, so it holds
    even if none was. For both methods together, the half-widths are added in squares. All except
    ``monte-carlo`` are limited by bounds for the code (see `Estimate`).

    ``light words`` draws nothing. Its ends are bounds, as narrow as what is known of the code allows; they do
    not depend on ``rel_error``.

    Args:
        code: Any code that the decoder ``ml`` takes; for ``light words`` any code at all. For ``rays`` and
            ``union``, its weight spectrum must be known or countable.
        ebn0_db: Eb/N0 in dB per information bit.
        rel_error: Half the width of the 95 % interval, relative to the value.
        method: ``monte-carlo`` counts errors. ``rays`` (Shannon 1959 for the geometry; importance sampling
            without weights) suits 1e-2 to 1e-6. ``union`` (Karp and Luby 1983) suits rates below about 1e-2,
            with rays for errors to heavy words if these matter. ``light words`` needs no weight spectrum. The
            first call for a code searches its light words, at most half a minute. ``auto`` takes the fastest
            by its bounds. Without a spectrum it counts if about 2**22 frames will do and ML proves its
            decisions, else it takes ``light words``.
        seed: Seed of the random numbers; equal seeds give equal estimates.

    Raises:
        ValueError: If the method cannot reach ``rel_error``, because it would need too many frames or too few
            rays dominate. Also if rel_error is not in (0, 0.5], seed is not a whole number, the method is
            unknown, the code's spectrum is needed but cannot be counted, the stated minimum distance is
            false, or the BLER is below 1e-300.

    Example:
        >>> import fecnn
        >>> found = ml_bler(fecnn.load_code("hamming-7-4"), 12.0)
        >>> found.method, found.low < 5.905e-13 < found.high
        ('union', True)
    """
    refuse_arguments(rel_error, seed)
    if method == "auto" and not has_spectrum(code):
        method = "light words"
        if MOST_COUNTED * kat_of_words(code, light_words(code).words, ebn0_db) >= _errors_needed(rel_error):
            with suppress(ValueError):  # at low Eb/N0, ML cannot prove all decisions for some codes
                return _monte_carlo(code, ebn0_db, rel_error, seed)
    if method == "monte-carlo":
        return _monte_carlo(code, ebn0_db, rel_error, seed)
    if method == "light words":
        return _light_words(code, ebn0_db)
    if not kat_bound(code, ebn0_db):
        raise too_small(code, ebn0_db)
    if method == "auto":
        method = _choose(code, ebn0_db, rel_error)
    if method == "monte-carlo":
        return _monte_carlo(code, ebn0_db, rel_error, seed)
    if method == "rays":
        return _rays(code, ebn0_db, rel_error, seed)
    if method == "union":
        return _union(code, ebn0_db, rel_error, seed)
    raise ValueError(f"method must be auto, monte-carlo, rays, union or light words, got {method!r}")


def refuse_arguments(rel_error: float, seed: int) -> None:
    """Reject what no estimate can be made with.

    Raises:
        ValueError: If rel_error is not in (0, 0.5], or seed is not a whole number.
    """
    if not 0 < rel_error <= 0.5:
        raise ValueError(f"rel_error must be in (0, 0.5], got {rel_error}")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed must be a whole number, 0 or more, got {seed!r}")


def _choose(code: Code, ebn0_db: float, rel_error: float) -> Method:
    upper = tangential_sphere_bound(code, ebn0_db)
    if upper > 1e-2:
        return "monte-carlo"
    weight, heavier = _heaviest(code, ebn0_db, rel_error)
    if heavier <= 0.9 * rel_error * upper:
        return "union"
    few = sum(code.weight_spectrum()[1 : weight + 1]) <= FEW_WORDS
    return "union" if few and heavier <= upper / 2 else "rays"


def _monte_carlo(code: Code, ebn0_db: float, rel_error: float, seed: int) -> Estimate:
    """Decode frames until there are enough errors."""
    decode = _exact(code)
    sigma = np.float32(noise_sigma(ebn0_db, code.rate))
    needed = _errors_needed(rel_error)
    rng = np.random.default_rng([seed, 0])
    frames = errors = 0
    while errors < needed:
        if frames >= MOST_FRAMES >> 8 and errors * MOST_FRAMES < needed * frames / 2:
            raise _too_rare("monte-carlo", errors, frames, rel_error)
        y = 1 + sigma * rng.standard_normal((CHUNK, code.n), np.float32)
        errors += int(decode(y).any(axis=1).sum())
        frames += CHUNK
    return Estimate(
        errors / frames, *proportion_interval(errors, frames), "monte-carlo", frames, float(errors)
    )


def _errors_needed(rel_error: float) -> int:
    """Number of errors whose interval is narrow enough."""
    return math.ceil((NORMAL / rel_error) ** 2) + 4


def _light_words(code: Code, ebn0_db: float) -> Estimate:
    """Bounds from light words, and the union bound of these words between them."""
    found = light_words(code)
    low = kat_of_words(code, found.words, ebn0_db) * (1 - QUADRATURE)
    if not low:
        raise too_small(code, ebn0_db)
    high = min(1.0, most_union(code, ebn0_db) * (1 + QUADRATURE))
    weights = found.words.sum(axis=1)
    union = float(np.exp(log_alone(code.n, code.rate, ebn0_db))[weights].sum())
    value = min(max(union, low), high)
    method = LIGHT_WORDS if found.complete >= weights[0] else NOT_PROVED
    return Estimate(value, low, high, method, len(weights), worth(value, high - low))


def _rays(code: Code, ebn0_db: float, rel_error: float, seed: int) -> Estimate:
    """Mean, over directions, of the probability that noise in that direction is long enough for an error."""
    # A few rays with large weights may hide that there are others.
    needed = max(100.0, (NORMAL / rel_error) ** 2)

    def enough(rays: _Rays) -> bool:
        if rays.count >= MOST_RAYS >> 4 and rays.effective * MOST_RAYS < needed * rays.count:
            raise _too_rare("rays", rays.effective, rays.count, rel_error)
        return rays.effective >= needed

    rays = _cast(code, ebn0_db, rel_error, seed, enough)
    low, high = rays.mean - rays.spread, rays.mean + rays.spread + rays.beyond
    value, low, high = _bracketed(code, ebn0_db, rays.mean, low, high)
    return Estimate(value, low, high, "rays", rays.count, rays.effective)


def _cast(
    code: Code,
    ebn0_db: float,
    rel_error: float,
    seed: int,
    enough: Callable[["_Rays"], bool],
    heaviest: int = 0,
) -> "_Rays":
    """Rays until there are enough, and no fewer than another stream needed.

    A set of rays seems sufficient too early just when those with large weights have not come up yet, and a
    mean that stops there is too small. The number needed by another stream is independent of these rays.
    """
    count = 0
    for stream in (3, 1):
        rays = _Rays(code, ebn0_db, rel_error, [seed, stream], heaviest)
        while rays.count < count or not enough(rays):
            rays.cast()
        count = rays.count
    return rays


class _Sample:
    """Mean and spread of values drawn at random."""

    def __init__(self) -> None:
        self.count, self._total, self._squares = 0, 0.0, 0.0

    def add(self, values: Reals) -> None:
        """Add more values, (N,)."""
        self._total, self._squares = (
            self._total + float(values.sum()),
            self._squares + float((values**2).sum()),
        )
        self.count += len(values)

    @property
    def mean(self) -> float:
        """The mean of the values, a probability."""
        return self._total / self.count

    @property
    def spread(self) -> float:
        """Half the width of the 95 % interval of the mean."""
        return NORMAL * math.sqrt(max(self._squares / self.count - self.mean**2, 0) / self.count)

    @property
    def effective(self) -> float:
        """Number of errors of plain Monte-Carlo with the same relative variance."""
        return self._total**2 / self._squares if self._squares else 0.0

    def interval(self, most: float) -> tuple[float, float]:
        """95 % interval of the mean of values from 0 to ``most`` <= 1, allowing for rare values not seen.

        It is `fecnn.intervals.weighted_interval`, with one more value of the maximum size for the upper end.
        The rarer quantity is treated as the events: the values, or their differences from 1.
        """
        if self._total <= self.count / 2:
            low, high = weighted_interval(self._total, self._squares, self.count, most)
            return low, min(most, high)
        total, squares = self.count - self._total, self.count - 2 * self._total + self._squares
        low, high = weighted_interval(total, squares, self.count, 1.0)
        return 1 - min(1.0, high), 1 - low


class _Rays(_Sample):
    """Noise in random directions: how often a word heavier than ``heaviest`` is the first to win along it.

    beyond: Probability of noise too long to be considered, a hundredth of the interval.
    """

    def __init__(
        self, code: Code, ebn0_db: float, rel_error: float, seed: list[int], heaviest: int = 0
    ) -> None:
        self._code, self._heaviest, self._decode = code, heaviest, _exact(code)
        self._sigma = noise_sigma(ebn0_db, code.rate)
        self.beyond = 1e-2 * rel_error * kat_bound(code, ebn0_db)
        self._limit = self._sigma * math.sqrt(scipy.special.chdtri(code.n, self.beyond))
        self._rng = np.random.default_rng(seed)
        super().__init__()

    def cast(self) -> None:
        """Add CHUNK more rays."""
        direction = self._rng.standard_normal((CHUNK, self._code.n))
        direction /= np.sqrt((direction**2).sum(axis=1, keepdims=True))
        reach, first = _first_to_win(self._decode, direction, np.full(CHUNK, self._limit))
        error = scipy.special.chdtrc(self._code.n, (reach / self._sigma) ** 2) * (first > self._heaviest)
        self.add(error)


def _first_to_win(decode: Decoder, direction: Reals, length: Reals) -> tuple[Reals, NDArray[np.int64]]:
    """Length of the noise in each direction at which ML first errs, and the weight of the word it errs to.

    They are inf and 0 if it does not err up to the given length. A word x wins from the length
    weight(x) / -(sum of the direction over the ones of x) on. The smallest such length is found by decoding
    repeatedly at the smallest one found so far, until no word wins earlier (Dinkelbach 1967).
    """
    length, reach = length.copy(), np.full(len(direction), math.inf)
    first = np.zeros(len(direction), np.int64)
    alive = np.arange(len(direction))
    while len(alive):
        y = (1 + length[alive, None] * direction[alive]).astype(np.float32)
        words = decode(y)
        wrong = words.any(axis=1)
        alive, words = alive[wrong], words[wrong]
        against = -(words * direction[alive]).sum(axis=1)
        first[alive] = words.sum(axis=1)
        reach[alive] = first[alive] / against
        length[alive] = reach[alive] * SHRINK
    return reach, first


def _union(code: Code, ebn0_db: float, rel_error: float, seed: int) -> Estimate:
    """Light words by drawing, and heavier ones by their union bound or by rays."""
    listed = _Listed(code, ebn0_db, rel_error, seed)
    # Half of what may be missing is added to the value, and as much to each end of the interval.
    doubt = listed.missing / (2 * kat_bound(code, ebn0_db))
    if doubt <= 0.75 * rel_error:
        listed.draw(min(rel_error / 2, rel_error - doubt))
        value, low, high = listed.mean + listed.missing / 2, listed.low, listed.high + listed.missing
        value, low, high = _bracketed(code, ebn0_db, value, low, high)
        return Estimate(value, low, high, "union", listed.count, worth(value, high - low))
    listed.draw(rel_error / 2, _exact(code))

    def enough(rays: _Rays) -> bool:
        if rays.effective >= 100 and rays.spread <= 0.85 * rel_error * (listed.mean + rays.mean):
            return True
        if rays.count >= MOST_RAYS:
            raise _too_rare("union", rays.effective, rays.count, rel_error)
        return False

    rays = _cast(code, ebn0_db, rel_error, seed, enough, listed.heaviest)
    value = listed.mean + rays.mean
    low = value - math.hypot(listed.mean - listed.low, rays.spread)
    high = value + math.hypot(listed.high - listed.mean, rays.spread)
    value, low, high = _bracketed(code, ebn0_db, value, low, high + rays.beyond)
    return Estimate(value, low, high, "union and rays", listed.count + rays.count, worth(value, high - low))


def worth(value: float, width: float) -> float:
    """Number of errors of plain Monte-Carlo that would give an interval of this width."""
    return (2 * NORMAL * value / width) ** 2


def _bracketed(
    code: Code, ebn0_db: float, value: float, low: float, high: float
) -> tuple[float, float, float]:
    """An estimate and its interval, clipped to bounds for the code; the bounds, if it is outside them."""
    least = kat_bound(code, ebn0_db)
    most = min(union_bound(code, ebn0_db), tangential_sphere_bound(code, ebn0_db))
    low, high = (max(low, least), min(high, most)) if low <= most and high >= least else (least, most)
    return min(max(value, least), most), low * (1 - QUADRATURE), high * (1 + QUADRATURE)


class _Listed:
    """Errors to light words: each word's probability, shared among the words that win with it.

    The sample holds the loss of each draw from its word's probability: 0 if the word wins alone, else at
    least 1/2.

    heaviest: Largest weight of a light word.
    missing: The union bound over all heavier words.
    """

    def __init__(self, code: Code, ebn0_db: float, rel_error: float, seed: int) -> None:
        self._sigma = noise_sigma(ebn0_db, code.rate)
        self.heaviest, _ = _heaviest(code, ebn0_db, rel_error)
        self._words = _listed(code, self.heaviest)
        self._weights = self._words.sum(axis=1)
        alone = _alone(code, ebn0_db)
        counts = np.array(code.weight_spectrum()) - np.bincount(self._weights, minlength=code.n + 1)
        counts[0] = 0
        self.missing = float(counts @ alone)
        self._alone = alone[self._weights]
        self._union = float(self._alone.sum())
        self._rng = np.random.default_rng([seed, 2])
        self._lost = _Sample()
        self._most = 1 - 1 / len(self._words)  # if all words win at once

    @property
    def count(self) -> int:
        """Number of draws."""
        return self._lost.count

    @property
    def mean(self) -> float:
        """The probability of errors to light words."""
        return self._union * (1 - self._lost.mean)

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval of the mean."""
        return self._union * (1 - self._lost.interval(self._most)[1])

    @property
    def high(self) -> float:
        """Upper end of the 95 % interval of the mean."""
        return self._union * (1 - self._lost.interval(self._most)[0])

    def draw(self, rel_error: float, decode: Decoder | None = None) -> None:
        """Draw words until the interval is narrow enough.

        Args:
            rel_error: Half the width of the interval to reach, relative to the mean.
            decode: Exact ML, to exclude errors in which a heavier word is the first to win.
        """
        words, weights = self._words, self._weights
        if decode is not None:
            self._most = 1.0
        rows, columns = words.astype(np.float32), np.ascontiguousarray(words.T.astype(np.float32))
        log_alone = np.log(self._alone)
        chunk = min(CHUNK, max(64, (1 << 25) // len(words)))
        while self.count < 1000 or self.high - self.low > 2 * rel_error * self.mean:
            if self.count >= MOST_RAYS:
                raise _too_rare("union", self.count, self.count, 2 * rel_error)
            which = self._rng.choice(len(words), chunk, p=self._alone / self._union)
            ones, weight = rows[which], weights[which][:, None]
            # Along the drawn word the noise is normal, given that the word wins; across it is unrestricted.
            beyond = np.log(self._rng.random((chunk, 1))) + log_alone[which][:, None]
            along = -self._sigma * scipy.special.ndtri_exp(beyond)
            noise = self._sigma * self._rng.standard_normal((chunk, words.shape[1]))
            noise += ones * ((-(noise * ones).sum(axis=1, keepdims=True) - along * np.sqrt(weight)) / weight)
            wins = (-(noise.astype(np.float32) @ columns) >= weights * SHRINK).sum(axis=1)
            lost = 1 - 1 / np.maximum(wins, 1)
            if decode is not None:
                length = np.sqrt((noise**2).sum(axis=1))
                _, first = _first_to_win(decode, noise / length[:, None], length)
                lost[first > self.heaviest] = 1
            self._lost.add(lost)


def _heaviest(code: Code, ebn0_db: float, rel_error: float) -> tuple[int, float]:
    """The weight up to which words are listed, and the union bound of all heavier words."""
    counts, alone = code.weight_spectrum(), _alone(code, ebn0_db)
    enough = 0.25 * rel_error * kat_bound(code, ebn0_db)
    weights = [w for w in range(1, code.n + 1) if counts[w]]
    heaviest = weights[0]
    for weight in weights:
        if sum(counts[1 : weight + 1]) > MAX_WORDS:
            break
        heaviest = weight
        if sum(counts[w] * alone[w] for w in weights if w > weight) <= enough:
            break
    return heaviest, float(sum(counts[w] * alone[w] for w in weights if w > heaviest))


def _alone(code: Code, ebn0_db: float) -> Reals:
    """Probability that a word of each weight, 0 to n, beats the sent word."""
    return np.exp(log_alone(code.n, code.rate, ebn0_db))


@lru_cache(maxsize=8)
def _listed(code: Code, weight: int) -> NDArray[np.uint8]:
    return low_weight_words(code, weight).words


def _exact(code: Code) -> Decoder:
    """Exact ML that raises an error for decisions it has not proved."""
    decode = decoder("ml", code)

    def proved(llr: LLR) -> Bits:
        words, effort = decode.measure(llr)
        if effort.uncertified.any():
            raise ValueError(f"exact ML of {code.name} cannot be proved here: a search exhausted its budget")
        return words

    return proved


def too_small(code: Code, ebn0_db: float) -> ValueError:
    """The error of a BLER that is no normal float64."""
    return ValueError(
        f"the BLER of {code.name} at {ebn0_db:g} dB is below 1e-300, too small to compute; lower ebn0_db"
    )


def _too_rare(method: str, effective: float, frames: int, rel_error: float) -> ValueError:
    return ValueError(
        f"{method}: after {frames:,} the estimate is worth {effective:.0f} errors, and rel_error "
        f"{rel_error:g} needs {(NORMAL / rel_error) ** 2:,.0f}; use a larger rel_error, or another method"
    )
