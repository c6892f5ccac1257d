"""Polarization-adjusted convolutional codes."""

import numpy as np

from fecnn.codes.code import Code
from fecnn.codes.convolutional import MAX_MEMORY
from fecnn.codes.families import log2_of, whole_number
from fecnn.codes.operations import counted
from fecnn.codes.polar import best_channels, checks_of_inputs, erasure_scores, kronecker_transform
from fecnn.errors import whole

PROFILES = ("rm", "polar")


def pac(n: int, k: int, *, polynomial: int = 0o133, profile: str = "rm") -> Code:
    """A PAC code: a polar code whose inputs pass a convolutional encoder of rate 1 first (Arikan 2019).

    With message bits at the k positions of the profile and zeros elsewhere, v, the codeword is u F, where
    u_i = sum_d c_d v_(i - d) and F is the Kronecker power of [[1, 0], [1, 1]], in natural order
    (arXiv:1908.09594). ``sc`` and ``scl`` decode it with dynamic frozen bits; for (128, 64) a list of 128
    comes close to maximum likelihood.

    Args:
        n: Length, a power of two.
        k: Dimension, 1 to n.
        polynomial: The taps c_0, c_1, ..., c_0 = 1 in the leading bit, as in octal tables. 1 gives the polar
            code itself.
        profile: ``rm``: the rows of F of largest weight, as in Reed-Muller codes, and of the lightest among
            them those of the most reliable channels. ``polar``: the most reliable channels. The channels are
            those of a binary erasure channel with erasure probability 1/2, as for `fecnn.polar`.

    Raises:
        ValueError: If a number is out of range, the polynomial does not end in a one, or there is no such
            profile.

    Example:
        >>> pac(128, 64)
        Code(pac-128-64: n=128, k=64)
        >>> pac(16, 8).minimum_distance
        4
    """
    m = log2_of("n", n)
    k = whole_number("k", k, 1, n)
    polynomial = whole("polynomial", polynomial)
    if not polynomial & 1 or not 0 < polynomial < 2 << MAX_MEMORY:
        raise ValueError(
            f"polynomial must end in a one and have up to {MAX_MEMORY + 1} bits, such as 0o133, got "
            f"{polynomial:#o}"
        )
    if profile not in PROFILES:
        raise ValueError(f"profile must be rm or polar, got {profile!r}")
    scores = erasure_scores(m, 0.5)
    if profile == "rm":
        weight = np.array([row.bit_count() for row in range(n)])
        # Reliability decides only within a weight: its rank is less than n.
        scores = weight * float(n) + np.argsort(np.lexsort((np.arange(n), scores)))
    taps = [int(tap) for tap in f"{polynomial:b}"]
    U = np.zeros((k, n), np.uint8)
    for row, place in enumerate(best_channels(scores, k)):
        U[row, place : place + len(taps)] = taps[: n - place]
    kind = ("" if profile == "rm" else "-polar") + ("" if polynomial == 0o133 else f"-{polynomial:o}")
    return counted(Code(kronecker_transform(U), checks_of_inputs(U), name=f"pac-{n}-{k}{kind}"))
