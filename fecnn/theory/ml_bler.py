"""The BLER of exact maximum likelihood where it is rare: three estimators, each with an interval.

Plain Monte-Carlo sees nothing at 1e-10. Two ways reach there, without a bias.

Rays: along a random direction the noise must be long enough to leave the region of the sent word. How long it
must be is found with an exact decoder, and how likely such noise is has a closed form.

Union: in an error some word beats the sent one. A light word is drawn, then noise that makes it win, and what
is counted is how many light words win at once (Karp and Luby). Heavier words, which are not listed, add at
most their union bound. Where that is little, it widens the interval upwards. Else errors are told apart by
the first word that wins along the noise: those of light words are drawn, the others found by rays.

Where errors are very rare, so are draws in which two words win at once, and thousands may show none. How many
they can be nevertheless is part of the interval, and bounds of the code bracket it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import scipy
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits
from fecnn.channels.channel import noise_sigma
from fecnn.codes.code import Code
from fecnn.codes.low_weight import MAX_WORDS, low_weight_words
from fecnn.decoders import decoder
from fecnn.decoders.contract import Decoder, Measured
from fecnn.intervals import proportion_interval
from fecnn.theory.bounds import kat_bound, tangential_sphere_bound, union_bound

Reals = NDArray[np.float64]
Method = Literal["auto", "monte-carlo", "rays", "union"]

CONFIDENCE = 0.95
"""Coverage of an interval."""

NORMAL = 1.959963984540054
"""Standard deviations of an interval of 95 % to each side."""

CHUNK = 1 << 14
"""Frames, or rays, that are decoded at a time."""

MOST_FRAMES = 1 << 28
"""Frames after which an estimate is given up."""

MOST_RAYS = 1 << 24
"""Rays after which an estimate is given up."""

FEW_WORDS = 1 << 17
"""So many light words are listed, and compared with noise, in less time than rays would take."""

SHRINK = 1 - 1e-6
"""A ray is followed to just inside of where the nearest word found so far wins."""

QUADRATURE = 1e-9
"""By so much, relatively, ends of an interval are moved out: bounds that bracket it are integrals."""


@dataclass(frozen=True)
class Estimate:
    """The BLER of exact maximum likelihood.

    value: The estimate.
    low: Lower end of a 95 % interval. But for ``monte-carlo``, it is not below the lower bound of Kuai,
        Alajaji and Takahara.
    high: Upper end; with ``union`` it includes all words that were not listed. But for ``monte-carlo``, it is
        not above the tangential-sphere and union bounds.
    method: ``monte-carlo``, ``rays``, ``union``, or ``union and rays``.
    frames: Frames, rays, drawn words, or drawn words and rays that it rests on.
    effective: As how many errors of plain Monte-Carlo it is worth, judging by the interval.
    """

    value: float
    low: float
    high: float
    method: str
    frames: int
    effective: float


def ml_bler(
    code: Code, ebn0_db: float, rel_error: float = 0.01, *, method: Method = "auto", seed: int = 1
) -> Estimate:
    """BLER of exact maximum likelihood over BPSK and AWGN, down to 1e-10 and below.

    The interval of ``monte-carlo`` is Clopper and Pearson's; that of ``rays`` is normal, from twice the rays
    that seemed enough; that of ``union`` is Fay and Feuer's for the share of overlaps, which allows for one
    more than was seen, so that it holds where none was. Those of both together are added in squares. All but
    the first are cut at bounds of the code (see `Estimate`).

    Args:
        code: Any that the decoder ``ml`` takes; but for ``monte-carlo`` with a weight spectrum that is known
            or can be counted.
        ebn0_db: Eb/N0 in dB per information bit.
        rel_error: Half the width of the 95 % interval, relative to the value.
        method: ``monte-carlo``: errors are counted. ``rays`` (Shannon 1959 for the geometry; an importance
            sampling without weights): for 1e-2 to 1e-6. ``union`` (Karp and Luby 1983): below about 1e-2,
            with rays for errors to heavy words where these matter. ``auto`` takes the one that is quick
            there, judging by bounds.
        seed: Of the random numbers. Equal seeds give equal estimates.

    Raises:
        ValueError: If the method cannot reach ``rel_error``: too many frames would be needed, or too few rays
            decide. Also if rel_error is not in (0, 0.5], seed is no whole number, the method is unknown, the
            code's spectrum is needed and cannot be counted, or the BLER is too small for a number.

    Example:
        >>> import fecnn
        >>> found = ml_bler(fecnn.load_code("hamming-7-4"), 12.0)
        >>> found.method, found.low < 5.905e-13 < found.high
        ('union', True)
    """
    if not 0 < rel_error <= 0.5:
        raise ValueError(f"rel_error must be in (0, 0.5], got {rel_error}")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed must be a whole number, 0 or more, got {seed!r}")
    if method != "monte-carlo" and not kat_bound(code, ebn0_db):
        raise ValueError(
            f"the BLER of {code.name} at {ebn0_db:g} dB is below 1e-300, too small a number; lower ebn0_db"
        )
    if method == "auto":
        method = _choose(code, ebn0_db, rel_error)
    if method == "monte-carlo":
        return _monte_carlo(code, ebn0_db, rel_error, seed)
    if method == "rays":
        return _rays(code, ebn0_db, rel_error, seed)
    if method == "union":
        return _union(code, ebn0_db, rel_error, seed)
    raise ValueError(f"method must be auto, monte-carlo, rays or union, got {method!r}")


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
    """Decode until there are errors enough."""
    decode = _exact(code)
    sigma = np.float32(noise_sigma(ebn0_db, code.rate))
    needed = math.ceil((NORMAL / rel_error) ** 2) + 4
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


def _rays(code: Code, ebn0_db: float, rel_error: float, seed: int) -> Estimate:
    """Mean, over directions, of the probability that noise in that direction is long enough for an error."""
    # Few rays of much weight hide that there may be others.
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
    """Rays until there are enough, and no fewer than it took others.

    They seem to be enough too early just when those of much weight have not come yet: a mean that ends there
    is too small. How many others took does not depend on these.
    """
    count = 0
    for stream in (3, 1):
        rays = _Rays(code, ebn0_db, rel_error, [seed, stream], heaviest)
        while rays.count < count or not enough(rays):
            rays.cast()
        count = rays.count
    return rays


class _Sample:
    """What was drawn at random, as far as its mean and its scatter go."""

    def __init__(self) -> None:
        self.count, self._total, self._squares = 0, 0.0, 0.0

    def add(self, values: Reals) -> None:
        """Take in more values, (N,)."""
        self._total, self._squares = (
            self._total + float(values.sum()),
            self._squares + float((values**2).sum()),
        )
        self.count += len(values)

    @property
    def mean(self) -> float:
        """Their mean: a probability."""
        return self._total / self.count

    @property
    def spread(self) -> float:
        """Half the width of its interval of 95 %."""
        return NORMAL * math.sqrt(max(self._squares / self.count - self.mean**2, 0) / self.count)

    @property
    def effective(self) -> float:
        """As how many errors of plain Monte-Carlo they are worth."""
        return self._total**2 / self._squares if self._squares else 0.0

    def interval(self, most: float) -> tuple[float, float]:
        """95 % interval of the mean of values from 0 to ``most``, at most 1, with what is rare and not seen.

        Fay and Feuer (Statistics in Medicine 16, 1997): gamma distributions of the mean and variance of the
        sum, for the upper end with one more value, the greatest. Whichever is rarer is taken as the events:
        values, or what they lack of 1.
        """
        if self._total <= self.count / 2:
            return self._gamma(self._total, self._squares, most)
        low, high = self._gamma(self.count - self._total, self.count - 2 * self._total + self._squares, 1.0)
        return 1 - high, 1 - low

    def _gamma(self, total: float, squares: float, most: float) -> tuple[float, float]:
        # Values that all are equal show no variance: each counts as rare.
        variance = squares - total**2 / self.count or squares
        tail = (1 - CONFIDENCE) / 2
        low = variance / total * float(scipy.special.gammaincinv(total**2 / variance, tail)) if total else 0.0
        if not most:
            return low, low
        total, variance = total + most, variance + most**2
        high = variance / total * float(scipy.special.gammaincinv(total**2 / variance, 1 - tail))
        return low / self.count, min(most, high / self.count)


class _Rays(_Sample):
    """Noise in random directions: how often a word heavier than ``heaviest`` is the first to win along it.

    beyond: Probability of noise so long that it is left out, a hundredth of the interval.
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
        """CHUNK more of them."""
        direction = self._rng.standard_normal((CHUNK, self._code.n))
        direction /= np.sqrt((direction**2).sum(axis=1, keepdims=True))
        reach, first = _first_to_win(self._decode, direction, np.full(CHUNK, self._limit))
        error = scipy.special.chdtrc(self._code.n, (reach / self._sigma) ** 2) * (first > self._heaviest)
        self.add(error)


def _first_to_win(decode: Decoder, direction: Reals, length: Reals) -> tuple[Reals, NDArray[np.int64]]:
    """How long noise in each direction is when ML first errs, up to a length, and to a word of which weight.

    inf and 0 where it does not. A word x wins from the length weight(x) / -sum of the direction over x's ones
    on; the least of these is found by decoding at the least found so far, until nothing wins before
    (Dinkelbach 1967).
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
    """The light words by drawing, and the others by their union bound or by rays."""
    listed = _Listed(code, ebn0_db, rel_error, seed)
    # Half of what may be missing is added, and as much to each end of the interval.
    doubt = listed.missing / (2 * kat_bound(code, ebn0_db))
    if doubt <= 0.75 * rel_error:
        listed.draw(min(rel_error / 2, rel_error - doubt))
        value, low, high = listed.mean + listed.missing / 2, listed.low, listed.high + listed.missing
        value, low, high = _bracketed(code, ebn0_db, value, low, high)
        return Estimate(value, low, high, "union", listed.count, _worth(value, high - low))
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
    return Estimate(value, low, high, "union and rays", listed.count + rays.count, _worth(value, high - low))


def _worth(value: float, width: float) -> float:
    """As how many errors of plain Monte-Carlo an interval so wide is worth."""
    return (2 * NORMAL * value / width) ** 2


def _bracketed(
    code: Code, ebn0_db: float, value: float, low: float, high: float
) -> tuple[float, float, float]:
    """An estimate and its interval, as far as bounds of the code allow; the bounds, where it is outside."""
    least = kat_bound(code, ebn0_db)
    most = min(union_bound(code, ebn0_db), tangential_sphere_bound(code, ebn0_db))
    low, high = (max(low, least), min(high, most)) if low <= most and high >= least else (least, most)
    return min(max(value, least), most), low * (1 - QUADRATURE), high * (1 + QUADRATURE)


class _Listed:
    """Errors to light words, up to a weight: each word's chance, shared among those that win with it.

    What is kept is what a draw loses of its word's chance: nothing where it wins alone, else at least 1/2.

    heaviest: The weight.
    missing: The union bound of all heavier words.
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
        self._most = 1 - 1 / len(self._words)  # when all of them win

    @property
    def count(self) -> int:
        """Draws."""
        return self._lost.count

    @property
    def mean(self) -> float:
        """The probability of such errors."""
        return self._union * (1 - self._lost.mean)

    @property
    def low(self) -> float:
        """Lower end of its interval of 95 %."""
        return self._union * (1 - self._lost.interval(self._most)[1])

    @property
    def high(self) -> float:
        """The upper end."""
        return self._union * (1 - self._lost.interval(self._most)[0])

    def draw(self, rel_error: float, decode: Decoder | None = None) -> None:
        """Draw words until the interval is so narrow.

        Args:
            rel_error: Half its width, relative to the mean.
            decode: Exact ML, to leave out errors for which a heavier word is the first to win.
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
            # Along the drawn word the noise is normal beyond what makes it win; across it is free.
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
    """A weight up to which words suffice, if so many can be listed; the union bound of all heavier ones."""
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
    """Probability that a word of each weight, 0 to n, beats the sent one."""
    return np.exp(scipy.special.log_ndtr(-np.sqrt(np.arange(code.n + 1)) / noise_sigma(ebn0_db, code.rate)))


@lru_cache(maxsize=8)
def _listed(code: Code, weight: int) -> NDArray[np.uint8]:
    return low_weight_words(code, weight).words


def _exact(code: Code) -> Decoder:
    """Exact ML, which refuses to give what it has not proved."""
    decode = decoder("ml", code)

    def proved(llr: LLR) -> Bits:
        words, effort = decode.measure(llr) if isinstance(decode, Measured) else (decode(llr), None)
        if effort is not None and effort.uncertified.any():
            raise ValueError(f"exact ML of {code.name} cannot be proved here: a search ran out of its budget")
        return words

    return proved


def _too_rare(method: str, effective: float, frames: int, rel_error: float) -> ValueError:
    return ValueError(
        f"{method}: after {frames:,} the estimate is worth {effective:.0f} errors, and rel_error "
        f"{rel_error:g} needs {(NORMAL / rel_error) ** 2:,.0f}; allow a greater one, or take another method"
    )
