"""Bounds on the block error rate of maximum likelihood over BPSK and AWGN, for one code or for the best code.

- For one code, from its weight spectrum: ``union_bound`` and ``tangential_sphere_bound`` (upper bounds) and
  ``kat_bound`` (a lower bound).
- For any code of a given length and dimension: ``sphere_packing_bound`` and ``meta_converse`` (lower bounds).
- For the best code of a given length and dimension: ``random_coding_bound`` (an upper bound).
- ``normal_approximation`` is not a bound.

Everything is computed from sums of positive terms in logarithms, so nothing overflows or cancels at low error
rates. The exception is ``meta_converse``, which is accurate down to about 1e-12.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import scipy  # its submodules load on first use
from numpy.typing import NDArray

from fecnn.channels.channel import noise_sigma
from fecnn.codes.code import Code

Reals = NDArray[np.float64]

NODES = 16
"""Gauss-Legendre nodes per panel of the angle."""

PAIRS = 24
"""Most weights used by ``kat_bound``; heavier words hardly matter."""

STEP = 1 / 4096
"""Grid spacing for the sum of information densities in ``meta_converse``, in bits."""

MAX_DIMENSION = 1000
"""Largest k of bounds on the sphere; fractions of the sphere near 2^-1022 are not representable."""

MAX_DENSITIES = 1500
"""Largest n of ``meta_converse``, for which seven standard deviations of the sum (1e-12) fit on the grid."""


def union_bound(code: Code, ebn0_db: float) -> float:
    """Upper bound on the BLER of ML: the sum of the probabilities of all wrong words, at most 1.

    Args:
        code: A code whose weight spectrum is known or can be counted.
        ebn0_db: Eb/N0 in dB per information bit.

    Raises:
        ValueError: If the spectrum is not known and the code is too large to count it.

    Example:
        >>> import fecnn
        >>> print(f"{union_bound(fecnn.load_code('bch-31-21'), 6.0):.3g}")
        2.57e-05
    """
    weights, log_counts = _spectrum(code)
    sigma = noise_sigma(ebn0_db, code.rate)
    return min(
        1.0, math.exp(scipy.special.logsumexp(log_counts + scipy.special.log_ndtr(-np.sqrt(weights) / sigma)))
    )


def tangential_sphere_bound(code: Code, ebn0_db: float) -> float:
    """Upper bound on the BLER of ML: a union bound in a cone around the sent word, plus everything outside.

    It is the tightest known upper bound that needs only the spectrum (Poltyrev, "Bounds on the decoding error
    probability of binary linear codes via their spectra", 1994; Herzberg and Poltyrev 1994). In Poltyrev's
    best cone, the union bound given the angle is below 1 at every angle. The bound is therefore the mean over
    the angle of min(1, that union bound), which is computed here.

    Args:
        code: A code whose weight spectrum is known or can be counted.
        ebn0_db: Eb/N0 in dB per information bit.

    Raises:
        ValueError: If the spectrum is not known and the code is too large to count it.

    Example:
        >>> import fecnn
        >>> print(f"{tangential_sphere_bound(fecnn.load_code('bch-31-21'), 4.0):.3g}")
        0.00625
    """
    weights, log_counts = _spectrum(code)
    if code.n == 1:  # a line has no angles
        return union_bound(code, ebn0_db)
    n, inside = code.n, weights < code.n
    half_angle = np.arctan(np.sqrt(weights[inside] / (n - weights[inside])))

    def log_union(angle: Reals) -> Reals:
        # A word is nearer if the transverse noise lies within a cap around its direction. The opposite word
        # is nearer if the angle is obtuse.
        cosine = np.tan(half_angle) / np.tan(angle[:, None])
        terms = log_counts[inside] + _log_cap(np.arccos(np.clip(cosine, -1, 1)), n - 1)
        opposite = np.where((angle > math.pi / 2) & (not inside.all()), 0.0, -np.inf)[:, None]
        terms = np.hstack([np.where(cosine < 1, terms, -np.inf), opposite])
        return np.asarray(scipy.special.logsumexp(terms, axis=1))

    signal = math.sqrt(n) / noise_sigma(ebn0_db, code.rate)
    return _mean_over_angle(n, signal, log_union, tuple(half_angle))


def kat_bound(code: Code, ebn0_db: float) -> float:
    """Lower bound on the BLER of ML from the spectrum, using the probabilities of words and pairs of words.

    It is the bound of Kuai, Alajaji and Takahara ("A lower bound on the probability of a finite union of
    events", 2000), where two words overlap at most as much as the minimum distance allows (Seguin, "A lower
    bound on the error probability for signals in white Gaussian noise", 1998). Of the sets of all words up to
    some weight, the best is used.

    Args:
        code: A code whose weight spectrum is known or can be counted.
        ebn0_db: Eb/N0 in dB per information bit.

    Raises:
        ValueError: If the spectrum is not known and the code is too large to count it.

    Example:
        >>> import fecnn
        >>> print(f"{kat_bound(fecnn.load_code('bch-31-21'), 6.0):.3g}")
        1.57e-05
    """
    weights, log_counts = (row[:PAIRS] for row in _spectrum(code))
    distance = np.sqrt(weights) / noise_sigma(ebn0_db, code.rate)
    overlap = (weights[:, None] + weights - weights[0]) / 2
    overlap = np.minimum(overlap, np.minimum(weights[:, None], weights))
    log_alone = scipy.special.log_ndtr(-distance)
    # Expected number of words that also beat the sent word, given that one does, counting that word itself.
    both = log_both(distance, overlap / np.sqrt(weights[:, None] * weights)) - log_alone[:, None]
    others = np.exp(log_counts) - np.eye(len(weights))
    company = 1 + np.cumsum(others * np.exp(both), axis=1)
    whole = np.floor(company)
    # The KAT term: 1/x, interpolated linearly between whole numbers.
    share = 1 / whole - (company - whole) / (whole * (whole + 1))
    best = -np.inf
    for last in range(len(weights)):
        terms = log_counts[: last + 1] + log_alone[: last + 1] + np.log(share[: last + 1, last])
        best = max(best, float(scipy.special.logsumexp(terms)))
    return math.exp(best)


def sphere_packing_bound(n: int, k: int, ebn0_db: float) -> float:
    """Lower bound on the BLER of any code of 2^k words of equal energy, from cones that fill the space.

    Shannon, "Probability of error for optimal codes in a Gaussian channel", 1959. It holds for every BPSK
    code, but also for codes that use the sphere better, so it is loose at high rates.

    Args:
        n: Length, at least 2.
        k: Dimension, at most 1000.
        ebn0_db: Eb/N0 in dB per information bit.

    Raises:
        ValueError: If not 1 <= k <= 1000 and 2 <= n.

    Example:
        >>> print(f"{sphere_packing_bound(63, 45, 4.0):.2e}")
        2.73e-05
    """
    _check_size(n, k)
    _check_dimension(k)
    # Half-angle of a cone that covers 2^-k of the sphere.
    angle = (
        math.asin(math.sqrt(scipy.special.betaincinv((n - 1) / 2, 0.5, 2.0 ** (1 - k))))
        if k > 1
        else math.pi / 2
    )
    signal = math.sqrt(n) / noise_sigma(ebn0_db, k / n)
    return _mean_over_angle(n, signal, lambda angles: np.where(angles < angle, -np.inf, 0.0), (angle,))


def random_coding_bound(n: int, k: int, ebn0_db: float) -> float:
    """Upper bound on the BLER of the best code of 2^k words of equal energy: the mean over random codes.

    It is the random-coding union bound (Polyanskiy, Poor and Verdu 2010) for words drawn from the sphere,
    equal to the upper bound of Shannon 1959. It says nothing about BPSK codes, which are worse at high rates.

    Args:
        n: Length, at least 2.
        k: Dimension, at most 1000.
        ebn0_db: Eb/N0 in dB per information bit.

    Raises:
        ValueError: If not 1 <= k <= 1000 and 2 <= n.

    Example:
        >>> print(f"{random_coding_bound(128, 64, 3.0):.2e}")
        2.86e-05
    """
    _check_size(n, k)
    _check_dimension(k)
    others = k * math.log(2) + math.log1p(-(2.0**-k))
    signal = math.sqrt(n) / noise_sigma(ebn0_db, k / n)
    return _mean_over_angle(n, signal, lambda angle: others + _log_cap(angle, n))


def meta_converse(n: int, k: int, ebn0_db: float) -> float:
    """Lower bound on the BLER of any code of 2^k words sent with BPSK.

    Polyanskiy, Poor and Verdu, "Channel coding rate in the finite blocklength regime", 2010, Theorem 28. The
    auxiliary output distribution is that of equiprobable bits; by symmetry, all words are equivalent in the
    test against it. The sum of n information densities is convolved on a grid of 1/4096 bit. Accurate down to
    1e-12; smaller values are returned as 0.

    Args:
        n: Length, 2 to 1500.
        k: Dimension.
        ebn0_db: Eb/N0 in dB per information bit.

    Raises:
        ValueError: If not 1 <= k <= n and 2 <= n <= 1500.

    Example:
        >>> print(f"{meta_converse(128, 64, 3.0):.2e}")
        1.18e-05
    """
    _check_size(n, k)
    if k > n:
        raise ValueError(f"BPSK sends one bit per symbol: k must be at most n = {n}, got {k}")
    if n > MAX_DENSITIES:
        raise ValueError(f"meta_converse is for n up to {MAX_DENSITIES}, got {n}; see normal_approximation")
    density, probability = _sum_of_densities(n, noise_sigma(ebn0_db, k / n))
    # The best test with false acceptance 2^-k accepts from some density on, and the last atom only partly.
    log_accepted = np.log(np.maximum(probability, 1e-300)) - density * math.log(2)
    accepted = np.logaddexp.accumulate(log_accepted[::-1])[::-1]
    first = int(np.searchsorted(-accepted, k * math.log(2)))
    if first == 0:
        return 0.0
    # Fraction of the atom below ``first`` that is still accepted.
    beyond = accepted[first] if first < len(accepted) else -np.inf
    room = -math.expm1(beyond + k * math.log(2)) * math.exp(-k * math.log(2) - log_accepted[first - 1])
    missed = float(probability[:first].sum() - probability[first - 1] * min(1.0, room))
    return min(missed, 1.0) if missed > 1e-12 else 0.0


def normal_approximation(n: int, k: int, ebn0_db: float) -> float:
    """Approximate BLER of the best code of 2^k words sent with BPSK; not a bound.

    It uses capacity, dispersion and half the logarithm of n (Polyanskiy, Poor and Verdu 2010, eq. 223 f.). It
    is far too low for short n and small BLER; compare with ``meta_converse``.

    Args:
        n: Length, at least 2.
        k: Dimension.
        ebn0_db: Eb/N0 in dB per information bit.

    Raises:
        ValueError: If not 1 <= k and 2 <= n.

    Example:
        >>> print(f"{normal_approximation(128, 64, 3.0):.2e}")
        6.17e-05
    """
    _check_size(n, k)
    density, weight = _information_density(noise_sigma(ebn0_db, k / n))
    capacity = float(weight @ density)
    dispersion = float(weight @ (density - capacity) ** 2)
    return float(scipy.special.ndtr(-(n * capacity - k + 0.5 * math.log2(n)) / math.sqrt(n * dispersion)))


@dataclass(frozen=True)
class Bound:
    """A bound that studies can name and draw.

    label: Its name in a legend.
    side: Whether the BLER is below (``upper``) or above (``lower``) it; None for an approximation.
    value: The bound on the BLER of a code at an Eb/N0 in dB; raises ValueError if the code has none.
    """

    name: str
    label: str
    side: Literal["upper", "lower"] | None
    value: Callable[[Code, float], float]


def _by_size(bound: Callable[[int, int, float], float]) -> Callable[[Code, float], float]:
    return lambda code, ebn0_db: bound(code.n, code.k, ebn0_db)


_BOUNDS = (
    Bound("union", "union bound (ML is below)", "upper", union_bound),
    Bound("tangential-sphere", "tangential-sphere bound (ML is below)", "upper", tangential_sphere_bound),
    Bound("kat", "Kuai-Alajaji-Takahara bound (ML is above)", "lower", kat_bound),
    Bound(
        "sphere-packing", "sphere packing 1959 (every code is above)", "lower", _by_size(sphere_packing_bound)
    ),
    Bound("meta-converse", "meta-converse (every BPSK code is above)", "lower", _by_size(meta_converse)),
    Bound(
        "random-coding",
        "random coding on the sphere (some code is below)",
        "upper",
        _by_size(random_coding_bound),
    ),
    Bound("normal-approximation", "normal approximation (no bound)", None, _by_size(normal_approximation)),
)
BOUNDS = {bound.name: bound for bound in _BOUNDS}
"""Bounds by the names that studies use."""


def _check_size(n: int, k: int) -> None:
    if n < 2 or k < 1:
        raise ValueError(f"n must be at least 2 and k at least 1, got n = {n} and k = {k}")


def _check_dimension(k: int) -> None:
    if k > MAX_DIMENSION:
        raise ValueError(f"this bound is for k up to {MAX_DIMENSION}, got {k}; see normal_approximation")


def _spectrum(code: Code) -> tuple[Reals, Reals]:
    """Weights of the nonzero words, and the logarithms of their numbers."""
    counts = code.weight_spectrum()
    weights = [w for w in range(1, code.n + 1) if counts[w]]
    return np.array(weights, float), np.array([math.log(counts[w]) for w in weights])


def _log_cap(angle: Reals, dimension: int) -> Reals:
    """Logarithm of the fraction of the unit sphere within an angle of a direction, in that dimension."""
    if dimension == 1:  # two points
        return np.where(angle < math.pi, math.log(0.5), 0.0)
    small = 0.5 * scipy.special.betainc((dimension - 1) / 2, 0.5, np.sin(angle) ** 2)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.where(angle <= math.pi / 2, small, 1 - small)))


def _mean_over_angle(n: int, signal: float, log_error: Any, kinks: tuple[float, ...] = ()) -> float:
    """Mean of min(1, exp(log_error)) over the angle between the sent and the received vector.

    signal: Length of the sent vector divided by the noise's standard deviation.
    log_error: A nondecreasing function of angles in (0, pi).
    kinks: Angles at which it is not smooth.
    """
    low, high = 0.0, math.pi
    for _ in range(60):  # bisect for the angle at which the union bound reaches 1
        middle = (low + high) / 2
        low, high = (middle, high) if log_error(np.array([middle]))[0] < 0 else (low, middle)
    # The angle scatters by about 1 / signal.
    panels = np.linspace(0, math.pi, 64 + 4 * math.ceil(signal))
    edges = np.unique([high, math.pi / 2, *kinks, *panels])
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    half = np.diff(edges) / 2
    angle = ((edges[:-1] + half)[:, None] + half[:, None] * nodes).ravel()
    log_weight = np.log(half[:, None] * weights).ravel()
    with np.errstate(divide="ignore"):
        error = np.minimum(0.0, log_error(angle))
    return min(
        1.0, math.exp(scipy.special.logsumexp(log_weight + error + _log_angle_density(angle, n, signal)))
    )


def _log_angle_density(angle: Reals, n: int, signal: float) -> Reals:
    """Logarithm of the density of that angle in n dimensions (Shannon 1959), an integral over the radius."""
    cosine = signal * np.cos(angle)[:, None]
    peak = (cosine + np.sqrt(cosine**2 + 4 * (n - 1))) / 2
    nodes, weights = np.polynomial.legendre.leggauss(96)
    # The integrand over the radius falls off faster than a Gaussian of variance 1.
    least, most = np.maximum(peak - 12, 0), peak + 12
    radius = (least + most) / 2 + (most - least) / 2 * nodes
    log_radial = (n - 1) * np.log(radius) - ((radius - cosine) ** 2 - cosine**2 + signal**2) / 2
    radial = scipy.special.logsumexp(log_radial, axis=1, b=weights * (most - least) / 2)
    sphere = math.log(2) + (n - 1) / 2 * math.log(math.pi) - scipy.special.gammaln((n - 1) / 2)
    return np.asarray((n - 2) * np.log(np.sin(angle)) + radial + sphere - n / 2 * math.log(2 * math.pi))


def log_both(distance: Reals, correlation: Reals) -> Reals:
    """Logarithm of P(X > d_i and Y > d_j) for standard normal X and Y with these correlations: (N, N)."""
    nodes, weights = np.polynomial.legendre.leggauss(96)
    least = distance[:, None, None]
    # Given X > d, X exceeds d by about 1/d.
    width = 40 / (least + np.sqrt(least**2 + 40))
    x = least + width / 2 * (nodes + 1)
    rest = np.sqrt(np.maximum(1 - correlation**2, 0))[:, :, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        tail = scipy.special.log_ndtr((correlation[:, :, None] * x - distance[None, :, None]) / rest)
    tail = np.where(rest > 0, tail, np.where(x >= distance[None, :, None], 0.0, -np.inf))
    return np.asarray(scipy.special.logsumexp(_log_density(x) + tail, axis=2, b=weights * width / 2))


def _log_density(x: Reals) -> Reals:
    """Logarithm of the density of a standard normal variable."""
    return np.asarray(-(x**2) / 2 - math.log(2 * math.pi) / 2)


def _information_density(sigma: float) -> tuple[Reals, Reals]:
    """One symbol's information density in bits, and its probabilities, on a grid of the noise."""
    noise: Reals = np.linspace(-12, 12, 8193)
    density = 1 - np.logaddexp(0, -2 * (1 + sigma * noise) / sigma**2) / math.log(2)
    weight = (noise[1] - noise[0]) * np.exp(_log_density(noise))
    return density, weight


@lru_cache(maxsize=8)
def _sum_of_densities(n: int, sigma: float) -> tuple[Reals, Reals]:
    """The sum of n information densities on a grid: values in bits, and their probabilities."""
    density, weight = _information_density(sigma)
    # Split each value between its two grid points so that the mean is kept: errors are of second order.
    mean = float(weight @ density)
    place = (density - mean) / STEP
    whole = np.floor(place)
    size = 1 << 21
    one = np.zeros(size)
    for shift, part in ((0, 1 - (place - whole)), (1, place - whole)):
        np.add.at(one, (whole.astype(np.int64) + shift) % size, weight * part)
    total = np.fft.irfft(np.fft.rfft(one) ** n, size)
    probability = np.maximum(np.roll(total, size // 2), 0)
    values = n * mean + STEP * (np.arange(size) - size // 2)
    return np.asarray(values, np.float64), np.asarray(probability, np.float64)
