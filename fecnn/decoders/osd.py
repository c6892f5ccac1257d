"""Ordered-statistics decoding."""

import numpy as np

from fecnn.arrays import LLR, Bits
from fecnn.arrays import hard as hard_decision
from fecnn.channel import Channel
from fecnn.code import Code
from fecnn.decoders import Decoder, Effort, Measured
from fecnn.decoders.kernels import osd as kernel


def osd(code: Code, channel: Channel | None = None, /, *, order: int = 2) -> Decoder:
    """Ordered-statistics decoding (Fossorier and Lin, IEEE Trans. IT 41(5), 1995).

    The most likely of the codewords that differ from the hard decision in at most ``order`` positions of the
    most reliable basis. Patterns that cannot win are skipped, which changes no decision.

    Args:
        code: Any n.
        channel: Not used.
        order: Most flips tried in the most reliable basis, 0 to k; at k this is maximum likelihood. The cost
            grows as binomial(k, order).

    Raises:
        ValueError: If order is not in 0..k.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("osd", fecnn.hamming(3), order=1)
        >>> decode(np.float32([[2, 3, -0.1, 4, 1, 2, 3]]))
        array([[0, 0, 0, 0, 0, 0, 0]], dtype=uint8)
    """
    if not isinstance(order, int) or not 0 <= order <= code.k:
        raise ValueError(f"order must be in 0..{code.k} for {code.name}, got {order!r}")
    columns = code.parity_columns
    checks = code.n - code.k

    def measure(llr: LLR) -> tuple[Bits, Effort]:
        out = np.empty(llr.shape, np.uint8)
        if checks:
            kernel.osd(llr, columns, checks, order, out)
        else:
            out[:] = hard_decision(llr)
        return out, Effort(np.zeros(len(llr), np.int64), np.zeros(len(llr), np.bool_))

    return Measured(measure)
