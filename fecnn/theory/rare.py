"""The BLER of any decoder at low error rates, by importance sampling, with an interval.

Noise is drawn from a mixture under which errors are frequent, and each error counts with its weight: the
density of the true noise over that of the whole mixture (the balance heuristic of Veach and Guibas,
SIGGRAPH 1995). Weighted errors are unbiased, whatever the mixture. It has three parts:

- ``sphere``: a uniform direction and a length near those at which the decoder fails. This finds errors of
  any kind, and no error weighs more than this part alone would make it. That is what a defensive mixture is
  for (Hesterberg, Technometrics 37, 1995; Owen and Zhou, JASA 95, 2000).
- ``words``: noise with its mean halfway to a light codeword (Xia and Ryan, "On importance sampling for linear
  block codes", ICC 2003), for errors that good decoders make.
- ``bits``: each bit is hit at random, by a normal distribution of its own, for errors from few bits: hard
  decisions, reliable bits that are wrong, trapping sets.

Pilot rounds fit the parts to the errors of the round before, by maximum likelihood (Cappe, Douc, Guillin,
Marin and Robert, "Adaptive importance sampling in general mixture classes", Statistics and Computing 18,
2008). The shares of the parts and the number of frames follow from the last round. The estimate is made from
fresh frames alone, and their number does not depend on them.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from fecnn.arrays import LLR, bpsk
from fecnn.channels.awgn import AWGN
from fecnn.channels.channel import noise_sigma
from fecnn.codes.code import Code
from fecnn.codes.low_weight import light_words
from fecnn.decoders import decoder
from fecnn.decoders.built import BuiltDecoder
from fecnn.intervals import weighted_interval
from fecnn.theory.light_words import log_alone
from fecnn.theory.ml_bler import NORMAL, SAMPLED, Estimate, refuse_arguments, too_small, worth

Reals = NDArray[np.float64]

MOST_FRAMES = 1 << 26
"""Most frames of an estimate."""

PILOT = tuple(1 << size for size in range(11, 19))
"""Most rounds of the pilot, by their frames."""

LEAST_PILOTS = 4
"""Number of rounds after which the pilot ends if the last one was worth `ENOUGH` errors."""

ENOUGH = 100.0
"""Errors of plain Monte-Carlo that a pilot round should be worth."""

FEW = 30.0
"""As many errors' worth of the mean over all bits is added to what is known of a single one."""

FITTED = 2000
"""Errors that ``bits`` is fitted to, drawn by their weights."""

STEPS = 20
"""Steps of this fit by expectation and maximisation (Dempster, Laird and Rubin 1977)."""

NARROWEST = 0.25
"""Least standard deviation of the noise of a bit that is hit."""

CHUNK = 1 << 13
"""Frames decoded at once."""

MOST_WORDS = 1 << 10
"""Most light words."""

ALL_BUT = 0.999
"""Words are left out if the lighter ones have this share of the errors of maximum likelihood."""

SUMS = 1 << 24
"""Sums tried to find light words, a tenth of a second."""

FLOOR = 0.1
"""Share of the lengths of ``sphere`` that are drawn anywhere, whatever the pilot has found."""

SHARES = np.array([(i, j, 10 - i - j) for i in range(1, 9) for j in range(1, 10 - i)]) / 10
"""The shares of the parts that are tried: multiples of 1/10, none of them 0."""

MARGIN = 1.3
"""How many times the frames that the pilot finds necessary are drawn."""


def rare_bler(
    decode: str | Callable[..., Any], code: Code, ebn0_db: float, rel_error: float = 0.1, *, seed: int = 1
) -> Estimate:
    """BLER of any decoder over BPSK and AWGN, at rates too low to count.

    Random codewords are sent, so the decoder need not be symmetric. The interval is Fay and Feuer's (1997)
    for sums of weights. It leaves room for one more error, of the weight that errors like those seen would
    have if noise were drawn by length and direction alone: a kind of error that no pilot has met is covered
    if it occurs at the same lengths of the noise. Kinds that occur only at shorter lengths, fewer than once
    in all frames drawn there, can be missed.

    At an interval of 10 %, all frames drawn, with those of the pilot, were a tenth of what counting would
    take at 2e-4 (``osd`` of order 0 on bch-31-16), a fiftieth at 2e-6 (order 1 on bch-63-45), and fewer than
    one in 10,000 at 6e-9 (``hard`` on bch-31-16).

    Args:
        decode: A decoder of the code: from `fecnn.decoder`, a function of your own from LLRs (B, n) float32
            to code bits (B, n) or message bits (B, k) uint8, or whatever else `fecnn.decoder` takes. One that
            was built for a channel is used as for the channel at ``ebn0_db``.
        code: The code.
        ebn0_db: Eb/N0 in dB per information bit.
        rel_error: Half the width of the 95 % interval, relative to the value, in (0, 0.5].
        seed: Seed of the random numbers; equal seeds give equal estimates.

    Returns:
        The estimate; its ``frames`` are those of the final run, after 30,720 or more of the pilot.

    Raises:
        ValueError: If ``rel_error`` would need more than 2**26 frames, no error was met, or an argument is
            out of range; the message says what to do.

    Example:
        >>> import fecnn
        >>> code = fecnn.load_code("bch-15-11")
        >>> found = rare_bler(fecnn.decoder("hard", code), code, 10.0)
        >>> found.method, found.low < 4.318e-7 < found.high
        ('importance sampling', True)
    """
    refuse_arguments(rel_error, seed)
    sender, noise = _Sender(decode, code, ebn0_db), _Noise(code, ebn0_db)
    known, frames = _pilot(sender, noise, rel_error, seed), 0
    while True:
        frames = max(frames + 1, math.ceil(MARGIN * known.frames_needed(rel_error)))
        if frames > MOST_FRAMES:
            raise _too_rare(sender, known, rel_error, frames)
        sure = known.effective >= min(ENOUGH, (NORMAL / rel_error) ** 2 / 2)
        run, rng = _Weighed(frames), np.random.default_rng([seed, 5, frames])
        for errors in sender.errors(noise, rng, frames):
            run.add(noise, errors)
        if not run.total:
            frames *= 2
            continue
        low, high = run.interval()
        # A few errors of large weight may be missing from a pilot and from a run; hardly from both.
        if sure and high - low <= 2 * rel_error * run.mean:
            value, high = min(run.mean, 1.0), min(high + noise.beyond, 1.0)
            return Estimate(value, low, high, SAMPLED, frames, worth(value, high - low))
        known = run  # more frames, all of them new


class _Sender:
    """A decoder at an Eb/N0, and the frames that it is given."""

    def __init__(self, decode: str | Callable[..., Any], code: Code, ebn0_db: float) -> None:
        self.code, self.ebn0_db = code, ebn0_db
        self._channel = AWGN.at(ebn0_db, code.rate)
        if isinstance(decode, BuiltDecoder) and decode.recipe.channel is not None:
            decode = decode.at(self._channel)
        self._decode = decoder(decode, code, self._channel)

    def errors(self, noise: "_Noise", rng: np.random.Generator, frames: int) -> Iterator[LLR]:
        """The noise of the frames that the decoder gets wrong, chunk by chunk, (E, n) float32."""
        for first in range(0, frames, CHUNK):
            size = min(CHUNK, frames - first)
            drawn = noise.draw(rng, size)
            words = self.code.encode(rng.integers(0, 2, (size, self.code.k), dtype=np.uint8))
            sent = bpsk(words)
            # Noise in the frame of the sent word: negative is towards the other symbol.
            received = sent * (1 + np.float32(self._channel.sigma) * drawn)
            yield drawn[(self._decode(self._channel.llr(received)) != words).any(axis=1)]


class _Noise:
    """The mixture that noise is drawn from, in standard deviations of the true noise.

    shares: (3,) the shares of ``sphere``, ``words`` and ``bits``.
    beyond: The probability of noise longer than any that is considered.
    """

    def __init__(self, code: Code, ebn0_db: float) -> None:
        n, sigma = code.n, noise_sigma(ebn0_db, code.rate)
        self._n = n
        self.shares = np.full(3, 1 / 3)
        # The longest noise has sigma = 1 / sqrt(rate), Eb/N0 = -3 dB, or is hardly ever exceeded.
        reach = max(math.sqrt(n / code.rate) / sigma, math.sqrt(scipy.special.chdtri(n, 1e-12)))
        self.beyond = float(scipy.special.chdtrc(n, reach**2))
        self._reach, self._length = reach, (reach / 2, reach)
        words = light_words(code, max(SUMS, code.k)).words[:MOST_WORDS]
        log_share = log_alone(n, code.rate, ebn0_db)[words.sum(axis=1)]
        log_share -= scipy.special.logsumexp(log_share)
        kept = np.cumsum(np.exp(log_share)) - np.exp(log_share) < ALL_BUT
        self._share = np.exp(log_share[kept]) / np.exp(log_share[kept]).sum()
        self._means = (-1 / sigma * words[kept]).astype(np.float32)
        self._offset = (np.log(self._share) - (self._means.astype(np.float64) ** 2).sum(axis=1) / 2).astype(
            np.float32
        )
        # How often each bit is hit; mean and deviation without a hit, and of a hit.
        self._hits = np.full(n, min(2 / n, 0.5))
        self._bit = (0.0, 1.0, -1.2 / sigma, 1.0)

    def draw(self, rng: np.random.Generator, size: int) -> LLR:
        """Noise (size, n) float32, independent from row to row."""
        drawn = rng.standard_normal((size, self._n), np.float32)
        part = rng.choice(3, size, p=self.shares)
        ball = drawn[part == 0]
        length = self._drawn_lengths(rng, len(ball))
        drawn[part == 0] = ball * (length / _lengths(ball)).astype(np.float32)[:, None]
        which = rng.choice(len(self._means), int((part == 1).sum()), p=self._share)
        drawn[part == 1] += self._means[which]
        mean, deviation, hit_mean, hit_deviation = self._bit
        bits = drawn[part == 2]
        hit = rng.random(bits.shape, np.float32) < self._hits.astype(np.float32)
        drawn[part == 2] = np.where(hit, hit_mean + hit_deviation * bits, mean + deviation * bits)
        return drawn

    def log_ratios(self, noise: LLR) -> Reals:
        """Logarithm of the density of each part over that of the true noise: (E, n) to (E, 3)."""
        length = _lengths(noise)
        with np.errstate(divide="ignore"):
            sphere = np.log(self._density(length)) - _log_chi(self._n, length)
        towards = noise @ self._means.T + self._offset
        most = towards.max(axis=1, keepdims=True)
        words = most[:, 0] + np.log(np.exp(towards - most).sum(axis=1, dtype=np.float64))
        exact = noise.astype(np.float64)
        bits = (np.logaddexp(*self._log_bits(exact)) + exact**2 / 2).sum(axis=1)
        return np.stack([sphere, words, bits], axis=1)

    def _drawn_lengths(self, rng: np.random.Generator, size: int) -> Reals:
        """Lengths of ``sphere`` between 0 and the reach: a share `FLOOR` uniform, the others normal."""
        mean, deviation = self._length
        first, last = self._inside
        normal = mean + deviation * scipy.special.ndtri(first + (last - first) * rng.random(size))
        return np.where(rng.random(size) < FLOOR, self._reach * rng.random(size), normal)

    def _density(self, length: Reals) -> Reals:
        """Density of the lengths of ``sphere``."""
        mean, deviation = self._length
        first, last = self._inside
        normal = np.exp(-(((length - mean) / deviation) ** 2) / 2) / (deviation * math.sqrt(2 * math.pi))
        density = (1 - FLOOR) * normal / (last - first) + FLOOR / self._reach
        return np.where(length < self._reach, density, 0.0)

    @property
    def _inside(self) -> tuple[float, float]:
        """The probabilities that the normal length is below 0, and below the reach."""
        mean, deviation = self._length
        first, last = scipy.special.ndtr((np.array([0.0, self._reach]) - mean) / deviation).tolist()
        return first, last

    def _log_bits(self, noise: Reals) -> tuple[Reals, Reals]:
        """Logarithm of the density of each value without a hit and with one, times sqrt(2 pi)."""
        mean, deviation, hit_mean, hit_deviation = self._bit
        return (
            np.log1p(-self._hits) - ((noise - mean) / deviation) ** 2 / 2 - math.log(deviation),
            np.log(self._hits) - ((noise - hit_mean) / hit_deviation) ** 2 / 2 - math.log(hit_deviation),
        )

    def fit(self, errors: LLR, log_weights: Reals, rng: np.random.Generator) -> None:
        """Fit the lengths of ``sphere``, and ``bits``, to errors (E, n) with the logarithms of their weights.

        The best density of the length is the root of that of true noise times that of errors. Both are taken
        as normal, and so is the root of their product.
        """
        chosen = errors[rng.choice(len(errors), FITTED, p=_tempered(log_weights))].astype(np.float64)
        lengths = _lengths(chosen)
        true, seen = 2.0, 1 / max(lengths.var(), 0.1)  # one over the variances
        mean = (true * math.sqrt(self._n) + seen * lengths.mean()) / (true + seen)
        self._length = float(mean), math.sqrt(2 / (true + seen))
        for _ in range(STEPS):
            miss, hit = self._log_bits(chosen)
            share = scipy.special.expit(hit - miss)
            # Each bit by itself, as far as there are errors enough, and else as all bits together.
            hits = (ENOUGH * share.mean(axis=0) + FEW * share.mean()) / (ENOUGH + FEW)
            self._hits = np.clip(hits, 1e-3, 0.9)
            self._bit = (*_normal(chosen, 1 - share, 1.0), *_normal(chosen, share, NARROWEST))


def _lengths(noise: LLR | Reals) -> Reals:
    """Length of each row."""
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", noise, noise, dtype=np.float64)))


def _log_chi(n: int, length: Reals) -> Reals:
    """Logarithm of the density of the length of true noise, n values (the chi distribution)."""
    constant = (n / 2 - 1) * math.log(2) + math.lgamma(n / 2)
    return (n - 1) * np.log(length) - length**2 / 2 - constant


def _normal(values: Reals, shares: Reals, least: float) -> tuple[float, float]:
    """Mean of values by their shares, and their standard deviation, at least this large."""
    total = shares.sum() + 1e-9
    mean = float((shares * values).sum() / total)
    return mean, max(least, math.sqrt(float((shares * (values - mean) ** 2).sum() / total)))


def _tempered(log_weights: Reals) -> Reals:
    """Probabilities of errors: their weights, to the largest power up to 1 that leaves enough of them."""
    for power in np.linspace(1, 0, 21):
        weights = np.exp(power * (log_weights - log_weights.max()))
        if weights.sum() ** 2 >= min(ENOUGH, len(weights)) * (weights**2).sum():
            break
    return np.asarray(weights / weights.sum())


@dataclass
class _Weighed:
    """Sums over the errors in a number of frames, from which the BLER and its interval follow.

    frames: The number of frames.
    total, squares: Sums over errors of the weight and its square.
    unseen: Sum of each weight times the weight that ``sphere`` alone would have given.
    """

    frames: int
    total: float = 0.0
    squares: float = 0.0
    unseen: float = 0.0

    def add(self, noise: _Noise, errors: LLR) -> None:
        """Add errors, (E, n)."""
        ratios = noise.log_ratios(errors)
        ratios = ratios[ratios[:, 0] > -np.inf]  # others are longer than any noise considered
        weights = np.exp(-_log_mixed(ratios, noise.shares))
        self.total += float(weights.sum())
        self.squares += float((weights**2).sum())
        self.unseen += float((weights * np.exp(-ratios[:, 0])).sum() / noise.shares[0])

    @property
    def mean(self) -> float:
        """The BLER."""
        return self.total / self.frames

    @property
    def effective(self) -> float:
        """Number of errors of plain Monte-Carlo with the same relative variance."""
        return self.total**2 / self.squares

    def interval(self, frames: float | None = None) -> tuple[float, float]:
        """95 % interval of the mean, or the one to expect of another number of frames."""
        more = 1.0 if frames is None else frames / self.frames
        one_more = self.unseen / self.total
        return weighted_interval(more * self.total, more * self.squares, more * self.frames, one_more)

    def frames_needed(self, rel_error: float) -> float:
        """Number of frames, to a tenth, whose interval is narrow enough."""
        frames = (NORMAL / rel_error) ** 2 * self.squares / self.total / self.mean
        while True:
            low, high = self.interval(frames)
            if high - low <= 2 * rel_error * self.mean:
                return frames
            frames *= 1.1


def _pilot(sender: _Sender, noise: _Noise, rel_error: float, seed: int) -> _Weighed:
    """Fit the mixture in rounds and choose its shares; what the last round would have found with them.

    Raises:
        ValueError: If there were no errors, or their weights are no normal float64.
    """
    for i, frames in enumerate(PILOT):
        rng = np.random.default_rng([seed, 4, i])
        errors = np.concatenate(list(sender.errors(noise, rng, frames)))
        if len(errors):
            log_weights = -_log_mixed(noise.log_ratios(errors), noise.shares)
            noise.fit(errors, log_weights, rng)
            weights = np.exp(log_weights - log_weights.max())
            if i >= LEAST_PILOTS - 1 and weights.sum() ** 2 >= ENOUGH * (weights**2).sum():
                break
    if not len(errors):
        raise ValueError(
            f"the decoder of {sender.code.name} made no error in {sum(PILOT):,} frames, even where the noise "
            "is that of -3 dB: its BLER is too low to be found"
        )
    if not np.exp(log_weights).sum():
        raise too_small(sender.code, sender.ebn0_db)
    ratios = noise.log_ratios(errors)
    expected = [_expected(ratios, log_weights, frames, shares) for shares in SHARES]
    best, noise.shares = min(
        zip(expected, SHARES, strict=True), key=lambda it: it[0].frames_needed(rel_error)
    )
    return best


def _expected(ratios: Reals, log_weights: Reals, frames: int, shares: Reals) -> _Weighed:
    """What frames of a mixture with other parts, in other shares, are expected to sum up to.

    Args:
        ratios: Log-density of these parts over that of true noise, for errors drawn before, (E, 3).
        log_weights: The logarithms of the weights that these errors had, (E,).
        frames: The number of frames.
        shares: (3,).
    """
    weights = np.exp(log_weights)
    squares = float(np.exp(log_weights - _log_mixed(ratios, shares)).sum())
    inside = ratios[:, 0] > -np.inf
    unseen = float(np.exp((log_weights - ratios[:, 0])[inside]).sum() / shares[0])
    return _Weighed(frames, float(weights.sum()), squares, unseen)


def _log_mixed(ratios: Reals, shares: Reals) -> Reals:
    """Logarithm of the density of the mixture over that of the true noise: (E, 3) and (3,) to (E,)."""
    return np.asarray(scipy.special.logsumexp(ratios + np.log(shares), axis=1))


def _too_rare(sender: _Sender, known: _Weighed, rel_error: float, frames: int) -> ValueError:
    return ValueError(
        f"{SAMPLED}: the BLER of {sender.code.name} at {sender.ebn0_db:g} dB is about {known.mean:.1e}, but "
        f"rel_error {rel_error:g} would take about {frames:,} frames, and the most are {MOST_FRAMES:,}; use "
        "a larger rel_error, or a lower ebn0_db"
    )
