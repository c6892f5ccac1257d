"""The BLER of exact maximum likelihood where it is rare: three estimators, each with an interval.

Plain Monte-Carlo sees nothing at 1e-10. Two ways reach there, without a bias.

Rays: along a random direction the noise must be long enough to leave the region of the sent word. How long it
must be is found with an exact decoder, and how likely such noise is has a closed form.

Union: in an error some word beats the sent one. A word is drawn, then noise that makes it win, and what is
counted is how many listed words win at once (Karp and Luby). Words that are not listed add at most their
union bound, which widens the interval upwards.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import scipy
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits
from fecnn.bounds import kat_bound, tangential_sphere_bound
from fecnn.channel import noise_sigma
from fecnn.code import Code
from fecnn.decoders import Decoder, Measured, decoder
from fecnn.low_weight import MAX_WORDS, low_weight_words
from fecnn.tally import proportion_interval

Reals = NDArray[np.float64]
Method = Literal["auto", "monte-carlo", "rays", "union"]

NORMAL = 1.959963984540054
"""Standard deviations of an interval of 95 % to each side."""

CHUNK = 1 << 14
"""Frames, or rays, that are decoded at a time."""

MOST_FRAMES = 1 << 28
"""Frames after which an estimate is given up."""

MOST_RAYS = 1 << 24
"""Rays after which an estimate is given up."""

SHRINK = 1 - 1e-6
"""A ray is followed to just inside of where the nearest word found so far wins."""


@dataclass(frozen=True)
class Estimate:
    """The BLER of exact maximum likelihood.

    value: The estimate.
    low: Lower end of a 95 % interval.
    high: Upper end; with ``union`` it includes all words that were not listed.
    method: ``monte-carlo``, ``rays`` or ``union``.
    frames: Frames, rays or drawn words that it rests on.
    effective: As how many errors of plain Monte-Carlo it is worth.
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

    Args:
        code: Any that the decoder ``ml`` takes; but for ``monte-carlo`` with a weight spectrum that is known
            or can be counted.
        ebn0_db: Eb/N0 in dB per information bit.
        rel_error: Half the width of the 95 % interval, relative to the value.
        method: ``monte-carlo``: errors are counted. ``rays`` (Shannon 1959 for the geometry; an importance
            sampling without weights): for 1e-2 to 1e-6. ``union`` (Karp and Luby 1983): below about 1e-5.
            ``auto`` takes the one that is quick there, judging by bounds.
        seed: Of the random numbers. Equal seeds give equal estimates.

    Raises:
        ValueError: If the method cannot reach ``rel_error``: too many frames would be needed, too few rays
            decide, or words that are not listed may add too much. Also if rel_error is not in (0, 0.5], the
            method is unknown, or the code's spectrum is needed and cannot be counted.

    Example:
        >>> import fecnn
        >>> found = ml_bler(fecnn.load_code("hamming-7-4"), 12.0)
        >>> found.method, found.low < 5.905e-13 < found.high
        ('union', True)
    """
    if not 0 < rel_error <= 0.5:
        raise ValueError(f"rel_error must be in (0, 0.5], got {rel_error}")
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
    if upper > 1e-4:
        return "rays"
    _, left = _heaviest(code, ebn0_db, rel_error)
    return "rays" if left > 0.9 * rel_error * upper else "union"


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
    sigma = noise_sigma(ebn0_db, code.rate)
    # Noise beyond this length is left out, and has at most a hundredth of the interval in all.
    beyond = 1e-2 * rel_error * kat_bound(code, ebn0_db)
    limit = sigma * math.sqrt(scipy.special.chdtri(code.n, beyond))
    decode = _exact(code)
    rng = np.random.default_rng([seed, 1])
    total = squares = 0.0
    rays = 0
    while True:
        reach = _reach(code, decode, limit, rng)
        error = scipy.special.chdtrc(code.n, (reach / sigma) ** 2)
        total, squares, rays = total + float(error.sum()), squares + float((error**2).sum()), rays + CHUNK
        effective = total**2 / squares if squares else 0.0
        # Few rays of much weight hide that there may be others.
        needed = max(100.0, (NORMAL / rel_error) ** 2)
        if effective >= needed:
            break
        if rays >= MOST_RAYS >> 4 and effective * MOST_RAYS < needed * rays:
            raise _too_rare("rays", effective, rays, rel_error)
    value = total / rays
    spread = NORMAL * math.sqrt(max(squares / rays - value**2, 0) / rays)
    return Estimate(value, max(0.0, value - spread), value + spread + beyond, "rays", rays, effective)


def _reach(code: Code, decode: Decoder, limit: float, rng: np.random.Generator) -> Reals:
    """How long the noise may be, along CHUNK random directions, until ML decides wrongly; inf beyond a limit.

    A word x wins from the length weight(x) / -sum of the direction over x's ones on; the least of these is
    found by decoding at the least found so far, until nothing wins before (Dinkelbach 1967).
    """
    direction = rng.standard_normal((CHUNK, code.n))
    direction /= np.sqrt((direction**2).sum(axis=1, keepdims=True))
    length, reach = np.full(CHUNK, limit), np.full(CHUNK, math.inf)
    alive = np.arange(CHUNK)
    while len(alive):
        y = (1 + length[alive, None] * direction[alive]).astype(np.float32)
        words = decode(y)
        wrong = words.any(axis=1)
        alive, words = alive[wrong], words[wrong]
        against = -(words * direction[alive]).sum(axis=1)
        reach[alive] = words.sum(axis=1) / against
        length[alive] = reach[alive] * SHRINK
    return reach


def _union(code: Code, ebn0_db: float, rel_error: float, seed: int) -> Estimate:
    """Sum, over light words, of the probability that each wins, shared among those that win with it."""
    sigma = noise_sigma(ebn0_db, code.rate)
    words, missing = _light_words(code, ebn0_db, rel_error)
    weights = words.sum(axis=1)
    alone = _alone(code, ebn0_db)[weights]
    log_alone = np.log(alone)
    union = float(alone.sum())
    if missing > 2 * rel_error * union:
        raise _not_listed(missing, union, rel_error)
    rows, columns = words.astype(np.float32), np.ascontiguousarray(words.T.astype(np.float32))
    rng = np.random.default_rng([seed, 2])
    chunk = min(CHUNK, max(64, (1 << 25) // len(words)))
    total = squares = 0.0
    drawn = 0
    while True:
        which = rng.choice(len(words), chunk, p=alone / union)
        ones, weight = rows[which], weights[which][:, None]
        # Along the drawn word the noise is normal beyond what makes it win; across it is free.
        along = -sigma * scipy.special.ndtri_exp(np.log(rng.random((chunk, 1))) + log_alone[which][:, None])
        noise = sigma * rng.standard_normal((chunk, code.n))
        noise += ones * ((-(noise * ones).sum(axis=1, keepdims=True) - along * np.sqrt(weight)) / weight)
        wins = (-(noise.astype(np.float32) @ columns) >= weights * SHRINK).sum(axis=1)
        share = 1 / np.maximum(wins, 1)
        total, squares, drawn = total + float(share.sum()), squares + float((share**2).sum()), drawn + chunk
        mean = total / drawn
        spread = NORMAL * math.sqrt(max(squares / drawn - mean**2, 0) / drawn)
        if drawn >= 1000 and spread <= rel_error / 2 * mean:
            break
        if drawn >= MOST_RAYS:
            raise _too_rare("union", drawn, drawn, rel_error)
    low, high = union * (mean - spread), union * (mean + spread) + missing
    if high - low > 2 * rel_error * union * mean:
        raise _not_listed(missing, union * mean, rel_error)
    effective = (NORMAL * mean / spread) ** 2 if spread else math.inf
    return Estimate(union * mean + missing / 2, low, high, "union", drawn, effective)


def _light_words(code: Code, ebn0_db: float, rel_error: float) -> tuple[NDArray[np.uint8], float]:
    """Light words, and the union bound of all that are not among them, counted from the spectrum."""
    weight, _ = _heaviest(code, ebn0_db, rel_error)
    found = _listed(code, weight)
    counts = np.array(code.weight_spectrum()) - np.bincount(found.sum(axis=1), minlength=code.n + 1)
    counts[0] = 0
    return found, float(counts @ _alone(code, ebn0_db))


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


def _not_listed(missing: float, union: float, rel_error: float) -> ValueError:
    return ValueError(
        f"union: words that are not listed may add {missing:.2g} to {union:.3g}, more than rel_error "
        f"{rel_error:g} allows; use rays, or a higher Eb/N0"
    )
