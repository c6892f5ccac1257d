"""Fano sequential decoding of polar codes, of PAC codes above all."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits
from fecnn.channels.channel import Channel
from fecnn.codes.code import Code
from fecnn.decoders.contract import Decoder, Effort, Measured
from fecnn.decoders.cost import REAL, Cost
from fecnn.decoders.kernels.fano import fano as kernel
from fecnn.decoders.on_mother import hard_on
from fecnn.decoders.polar import arranged, erased, failures
from fecnn.decoders.registry import BuiltIn, Example
from fecnn.errors import real, whole


def fano(
    code: Code, channel: Channel | None = None, /, *, delta: float = 2.0, visits: int = 1 << 15
) -> Decoder:
    """Fano sequential decoding, of PAC codes above all (Arikan, arXiv:1908.09594, 2019).

    Fano's search (IEEE Trans. IT 9(2), 1963) on the tree of the inputs u of the polar transform, along which
    successive cancellation goes without ever moving back. It follows a path as long as its metric does not
    fall below a threshold. Else it moves back and tries other branches, and if there are none, it lowers the
    threshold by ``delta``. The metric of a path is the sum of 1 - log2(1 + e^-x) - b_i over its bits, frozen
    ones included, with x the exact LLR of input i, negated if the path has a 1 there. The bias b_i is the
    cutoff rate of the synthetic channel (Moradi, arXiv:2012.05511, 2020): 1 - log2(1 + Z_i), with Z_i its
    Bhattacharyya parameter on the binary erasure channel whose own cutoff rate is the rate of the code.

    It comes close to maximum likelihood on PAC codes, after many visits where the channel is bad. The work of
    a frame is its visits of nodes: moves forward, to frozen bits too; n if it never moves back. A frame whose
    visits run out follows the best branches from where it stands, and counts as uncertified.

    Args:
        code: Any code that `sc` takes: polar, PAC, extended BCH, shortened or punctured.
        channel: Not used, but the LLRs should be true ones: scaled ones cost visits or errors.
        delta: How far apart thresholds are, in bits; above 0 and finite. Small ones cost visits, large ones
            errors.
        visits: Visits of nodes per frame, 1 or more, after which the search is over.

    Raises:
        ValueError: If the code ends in a CRC, or is far from a polar code, or an option is out of range.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("fano", fecnn.pac(16, 8))
        >>> bits, effort = decode.measure(np.float32([2, 3, -0.1, 4, 1, 2, 3, 2, 2, 3, 1, 4, 1, 2, 3, 2]))
        >>> int(bits.sum()), int(effort.work)
        (0, 16)
    """
    form = arranged(code)
    if form.outer:
        raise ValueError(
            f"{code.name} has {form.outer} checks beyond frozen bits, which fano cannot use; use scl"
        )
    if not 0 < real("delta", delta) < math.inf:
        raise ValueError(f"delta must be above 0 and finite, got {delta}")
    if whole("visits", visits) < 1:
        raise ValueError(f"visits must be 1 or more, got {visits}")
    rates = cutoff_rates(code)

    def measure(llr: LLR) -> tuple[Bits, Effort]:
        out = np.empty(llr.shape, np.uint8)
        used, complete = np.empty(len(llr), np.int64), np.empty(len(llr), np.bool_)
        kernel(form.in_order(llr), form.inputs, rates, float(delta), visits, out, used, complete)
        return form.as_given(out), Effort(used, ~complete)

    decode = Measured(measure)
    return decode if code.mother is None else hard_on(code.mother, decode)


def cutoff_rates(code: Code) -> NDArray[np.float64]:
    """The cutoff rates of the synthetic channels in bits, (n,), in the order of `arranged`; see `fano`.

    Example:
        >>> import fecnn
        >>> cutoff_rates(fecnn.polar(4, 2)).round(3)
        array([0.088, 0.483, 0.606, 0.958])
    """
    positions = erased(code, 2.0 ** (1.0 - code.rate) - 1.0)
    order = arranged(code).order
    taken = positions if order is None else positions[order]
    return np.asarray(1.0 - np.log2(1.0 + failures(taken)))


def fano_cost(code: Code, work: float | None = None, **_: Any) -> Cost:
    """Successive cancellation with the exact box-plus, in shares of 1 / n for each of ``work`` visits.

    That is (1 / 2) log2 n of each of two updates, as many sums of bits and, of the metric, two exponentials,
    three additions and two comparisons. A box-plus takes four exponentials, four additions and three
    comparisons. By default a frame that never moves back. Moves back cost two comparisons at most for each
    visit, which are counted. A visit after a move back may cost more updates than the average, or less.
    """
    n = code.n if code.mother is None else code.mother.code.n
    layers = math.log2(n)
    visit = Cost(
        additions=(1 + 4) * layers / 2 + 3,
        comparisons=3 * layers / 2 + 2 + 2,
        binary=2 * layers / 2,
        exponentials=4 * layers / 2 + 2,
        memory_bits=int((REAL + 1) * n * (layers + 1)) + REAL * n,
    )
    return visit.times(n if work is None else work)


FANO = BuiltIn(
    fano,
    cost=fano_cost,
    cites="Arikan, arXiv:1908.09594, 2019",
    reach="polar codes with dynamic frozen bits (PAC, extended BCH) or without, shortened or punctured",
    example=Example("polar-64-32", 3.0),
    unit="visits",
)
