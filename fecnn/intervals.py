"""Confidence intervals for error rates from counts."""


def proportion_interval(errors: int, frames: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact confidence interval for a probability, such as a BLER (Clopper and Pearson, 1934).

    Args:
        errors: Number of trials with the event, such as frames decoded wrong.
        frames: Number of trials.
        confidence: Nominal coverage.

    Raises:
        ValueError: If not 0 <= errors <= frames, or the confidence is not in (0, 1).

    Example:
        >>> low, high = proportion_interval(0, 100)
        >>> low, round(high, 4)
        (0.0, 0.0362)
    """
    from scipy.special import betaincinv  # slow to import, so only where an interval is computed

    _check(frames, confidence)
    if not 0 <= errors <= frames:
        raise ValueError(f"errors must be in 0..{frames} frames, got {errors}")
    if frames == 0:
        return 0.0, 1.0
    tail = (1 - confidence) / 2
    low = 0.0 if errors == 0 else float(betaincinv(float(errors), float(frames - errors + 1), tail))
    high = 1.0 if errors == frames else float(betaincinv(float(errors + 1), float(frames - errors), 1 - tail))
    return low, high


def rate_interval(
    total: int, squares: int, frames: int, width: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Confidence interval for a bit error rate, allowing for errors that come together within a frame.

    The wrong bits of a frame are not independent, so a binomial interval on bits is far too narrow. The
    errors are treated as ``total^2 / variance`` independent Poisson events of equal size, where the variance
    of the sum is estimated from the squared counts per frame (Fay and Feuer, Statistics in Medicine 16, 1997,
    the gamma interval for weighted counts). Without errors, the upper end is that of the block error rate.

    Args:
        total: Wrong bits in all frames.
        squares: Sum over frames of the squared number of wrong bits.
        frames: Number of frames.
        width: Bits per frame, k or n.
        confidence: Nominal coverage.

    Raises:
        ValueError: If the counts contradict each other, or the confidence is not in (0, 1).

    Example:
        >>> low, high = rate_interval(total=200, squares=800, frames=10_000, width=4)
        >>> round(low, 5), round(high, 5)
        (0.00371, 0.00659)
    """
    from scipy.special import gammaincinv

    _check(frames, confidence)
    if (
        not (0 <= total <= squares <= width * total and total <= width * frames)
        or total * total > squares * frames
    ):
        raise ValueError(
            f"counts contradict each other: total {total}, squares {squares}, {frames} frames of {width} bits"
        )
    if total == 0:
        return proportion_interval(0, frames, confidence)
    if total == width * frames:
        return proportion_interval(frames, frames, confidence)
    tail = (1 - confidence) / 2
    rate = total / (frames * width)
    variance = squares - total * total / frames
    # If all frames have equally many errors (one frame, say), the variance is 0: use the squares instead.
    events = total * total / (variance if variance > 0 else squares)
    low = float(gammaincinv(events, tail)) / events
    high = float(gammaincinv(events + 1, 1 - tail)) / events
    return rate * low, min(1.0, rate * high)


def weighted_interval(
    total: float, squares: float, frames: float, one_more: float, confidence: float = 0.95
) -> tuple[float, float]:
    """Confidence interval for the mean of weights of 0 or more, of which most may be 0.

    Fay and Feuer (Statistics in Medicine 16, 1997): gamma distributions with the mean and the variance of the
    sum of the weights, for the upper end with one more weight that might as well have come up.

    Args:
        total: Sum of the weights.
        squares: Sum of their squares.
        frames: How many there are.
        one_more: The weight that is added for the upper end, 0 or more.
        confidence: Nominal coverage.

    Example:
        >>> low, high = weighted_interval(100.0, 100.0, 10**6, 1.0)  # nearly that of 100 errors
        >>> low, high
        (8.13...e-05, 0.0001216...)
    """
    from scipy.special import gammaincinv

    if not total + one_more:
        return 0.0, 0.0
    # If all weights are equal, the variance is 0: use the squares instead.
    variance = squares - total**2 / frames or squares
    tail = (1 - confidence) / 2
    low = variance / total * float(gammaincinv(total**2 / variance, tail)) if total else 0.0
    total, variance = total + one_more, variance + one_more**2
    high = variance / total * float(gammaincinv(total**2 / variance, 1 - tail))
    return low / frames, high / frames


def with_interval(rate: float, low: float, high: float, digits: int = 2) -> str:
    """A rate with its interval: ``1.79e-01 [1.76e-01, 1.82e-01]``, with so many digits after the point.

    Example:
        >>> with_interval(0.179, 0.176, 0.182)
        '1.79e-01 [1.76e-01, 1.82e-01]'
    """
    return f"{rate:.{digits}e} [{low:.{digits}e}, {high:.{digits}e}]"


def _check(frames: int, confidence: float) -> None:
    if frames < 0:
        raise ValueError(f"frames must be 0 or more, got {frames}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be in (0, 1), got {confidence}")
