"""Ordered-statistics decoding."""

import numpy as np

from fecnn.arrays import LLR, Bits
from fecnn.arrays import hard as hard_decision
from fecnn.channel import Channel
from fecnn.code import Code
from fecnn.decoders import Decoder, Effort, Measured
from fecnn.decoders.kernels import osd as kernel
from fecnn.decoders.kernels import words
from fecnn.decoders.ml import safe_distance


def osd(
    code: Code, channel: Channel | None = None, /, *, order: int = 2, prune: bool = True
) -> Decoder:
    """Ordered-statistics decoding (Fossorier and Lin, IEEE Trans. IT 41(5), 1995).

    The most likely of the codewords that differ from the hard decision in at most ``order`` positions of the
    most reliable basis.

    Args:
        code: Any n.
        channel: Not used.
        order: Most flips tried in the most reliable basis, 0 to k; at k this is maximum likelihood. The list
            grows as binomial(k, order).
        prune: Skip patterns that cannot win, by exact bounds: no decision changes, and what a frame costs
            depends on its noise. False tries the whole list, as in a textbook.

    Raises:
        ValueError: If order is not in 0..k.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("osd", fecnn.hamming(3), order=1)
        >>> decode(np.float32([[2, 3, -0.1, 4, 1, 2, 3]]))
        array([[0, 0, 0, 0, 0, 0, 0]], dtype=uint8)
    """
    check_order(code, order)
    return listed(code, order, prune, -1.0)


def fs_osd(
    code: Code, channel: Channel | None = None, /, *, order: int = 3, z: float = 1.5
) -> Decoder:
    """OSD that skips improbable patterns, in the style of fast and scalable OSD.

    The probabilistic necessary condition of Choi and Jeong (IEEE Commun. Lett. 23(10), 2019): a pattern whose
    flips alone, plus what the parity positions of the *right* pattern cost on average, is dearer than the best
    so far is not tried. Here the average is taken from the frame's own reliabilities, less ``z`` standard
    deviations.

    Args:
        code: Any n.
        channel: Not used; but the LLRs must be true ones, not scaled.
        order: As for `osd`.
        z: Standard deviations allowed, 0 or more: small is fast, large is `osd`.

    Raises:
        ValueError: If order is not in 0..k or z is negative.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("fs-osd", fecnn.hamming(3), order=1)
        >>> decode(np.float32([[2, 3, -0.1, 4, 1, 2, 3]]))
        array([[0, 0, 0, 0, 0, 0, 0]], dtype=uint8)
    """
    check_order(code, order)
    if not z >= 0:
        raise ValueError(f"z must be 0 or more standard deviations, got {z!r}; without the rule use osd")
    return listed(code, order, True, z)


def check_order(code: Code, order: int) -> None:
    """Refuse an order that is not in 0..k.

    Raises:
        ValueError: Naming it.
    """
    if not isinstance(order, int) or not 0 <= order <= code.k:
        raise ValueError(f"order must be in 0..{code.k} for {code.name}, got {order!r}")


def listed(code: Code, order: int, prune: bool, z: float) -> Decoder:
    """The OSD kernel as a decoder."""
    checks = code.n - code.k
    if checks == 0:
        return hard_decision
    columns, distance = words.columns_of(code.parity_columns), safe_distance(code)

    def measure(llr: LLR) -> tuple[Bits, Effort]:
        out, tried = np.empty(llr.shape, np.uint8), np.empty(len(llr), np.int64)
        kernel.osd(llr, columns, checks, distance, order, prune, z, out, tried)
        return out, Effort(tried, np.zeros(len(llr), np.bool_))

    return Measured(measure)
