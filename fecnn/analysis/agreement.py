"""Published points against ours as a set: points that agree one by one may still be low as a group.

The z of a point is the difference between its published rate p and our rate q, in standard deviations:

    z = (log p - log q) / sqrt(v + w),    v = (1 - p) / E

for E errors, with w likewise for q. This is a difference of logarithms, as for the risk ratio (Katz et al.,
Biometrics 34, 1978). If frames were counted *until* there were E errors, the rate is too high by a factor of
E / (E - 1) (Haldane, Biometrika 33, 1945), so the unbiased (E - 1) / (N - 1) is used. The logarithm of an
unbiased rate is low by half its variance, which is added.

If only chance is at work, n points have a mean z of 0 +- 1 / sqrt(n), and their squares sum to a chi-square
with n degrees of freedom.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fecnn.studies.reference import Reference

if TYPE_CHECKING:
    import pandas as pd

RANGES = (
    (0.1, 1.0, "0.1 and more"),
    (1e-2, 0.1, "1e-2 to 0.1"),
    (1e-3, 1e-2, "1e-3 to 1e-2"),
    (0, 1e-3, "below 1e-3"),
)
"""Ranges of our rates that are judged together: lower end, upper end (excluded), and name."""

CHANCE = 0.01
"""Differences less likely than this are not attributed to chance."""

LogRate = tuple[float, float]
"""Logarithm of a rate, and the variance of that logarithm."""


def log_rate(errors: int, frames: int, *, until_errors: bool) -> LogRate | None:
    """Unbiased logarithm of an error rate from counts, and its variance; None for fewer than two errors.

    Args:
        errors: Number of errors, E.
        frames: Number of frames in which they were counted.
        until_errors: Whether counting stopped at E errors, so that the number of frames is random.

    Example:
        >>> fixed, until = log_rate(100, 1000, until_errors=False), log_rate(100, 1000, until_errors=True)
        >>> round(until[0] - fixed[0], 4), round(fixed[1], 4)
        (-0.009, 0.009)
    """
    if errors < 2:
        return None
    variance = (1 - errors / frames) / errors
    rate = (errors - 1) / (frames - 1) if until_errors else errors / frames
    return math.log(rate) + variance / 2, variance


def stopped_at(references: Sequence[Reference]) -> dict[tuple[str, str], int]:
    """The error count at which simulations stopped, by source and decoder, where the points reveal it.

    It is the largest count, if several points share it; points stopped by another limit have fewer errors.
    """
    counts: dict[tuple[str, str], Counter[int]] = {}
    for point in references:
        if point.errors is not None:
            counts.setdefault((point.source, point.decoder), Counter())[point.errors] += 1
    return {key: max(found) for key, found in counts.items() if found[max(found)] > 1}


def z_score(published: LogRate | None, ours: LogRate | None) -> float:
    """Published minus ours, in standard deviations; NaN if either has too few counts."""
    if published is None or ours is None or not published[1] + ours[1]:
        return math.nan
    return (published[0] - ours[0]) / math.sqrt(published[1] + ours[1])


def agreement(verdicts: "pd.DataFrame") -> "pd.DataFrame":
    """How published points agree as a group: one row per range of rates that has points with counts.

    Columns: ``points``, ``mean_z``, ``sigma`` (the mean in its own standard deviations, negative if published
    rates are low), ``p_mean`` (the probability of a mean at least this far from 0), ``chi_square`` and
    ``p_scatter``.

    Args:
        verdicts: From `fecnn.judge`. A published point that several curves should match counts once, for the
            first of them, because the curves share their noise.
    """
    import pandas as pd
    import scipy

    known = verdicts[verdicts["z"].notna()]
    known = known.drop_duplicates(["code", "ebn0_db", "metric", "published", "source", "where"])
    rows = []
    for low, high, name in RANGES:
        z = known.loc[(known["ours"] >= low) & (known["ours"] < high), "z"].to_numpy()
        if not len(z):
            continue
        sigma = float(z.sum() / math.sqrt(len(z)))
        rows.append(
            {
                "bler": name,
                "points": len(z),
                "mean_z": float(z.mean()),
                "sigma": sigma,
                "p_mean": 2 * float(scipy.special.ndtr(-abs(sigma))),
                "chi_square": float((z**2).sum()),
                "p_scatter": float(scipy.special.chdtrc(len(z), (z**2).sum())),
            }
        )
    return pd.DataFrame(rows, columns="bler points mean_z sigma p_mean chi_square p_scatter".split())


def sentences(found: "pd.DataFrame") -> list[str]:
    r"""The result of `agreement` as text, one line per range.

    Example:
        >>> import pandas as pd
        >>> row = dict(bler="0.1 and more", points=32, mean_z=-1.02, sigma=-5.8, p_mean=7e-9)
        >>> (line,) = sentences(pd.DataFrame([row | dict(chi_square=59.0, p_scatter=0.003)]))
        >>> print(line.replace("), ", "),\n"))
        BLER 0.1 and more: 32 points, mean z -1.02 (low together by 5.8 sigma, p = 7e-09),
        chi-square 59 (p = 0.003)
    """
    lines = []
    for _, row in found.iterrows():
        how, sigma = "low" if row["sigma"] < 0 else "high", row["sigma"]
        together = f"{sigma:+.1f} sigma together"
        if row["p_mean"] < CHANCE:
            together = f"{how} together by {abs(sigma):.1f} sigma"
        together += f", p = {row['p_mean']:.1g}"
        points = f"{row['points']} point{'s' if row['points'] != 1 else ''}"
        lines.append(
            f"BLER {row['bler']}: {points}, mean z {row['mean_z']:+.2f} ({together}), "
            f"chi-square {row['chi_square']:.0f} (p = {row['p_scatter']:.1g})"
        )
    return lines
