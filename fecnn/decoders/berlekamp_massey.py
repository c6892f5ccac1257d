"""Bounded-distance decoding of BCH and other cyclic codes by algebra, without a table."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits
from fecnn.channels.channel import Channel
from fecnn.codes.code import Code
from fecnn.codes.cyclic import ZeroRun, zero_run
from fecnn.decoders.contract import Decoder, Effort, Measured
from fecnn.decoders.cost import Cost
from fecnn.decoders.kernels import berlekamp_massey as kernel
from fecnn.decoders.registry import BuiltIn, Example


@dataclass(frozen=True)
class Algebra:
    """What the kernel needs of a code: see there."""

    powers: NDArray[np.int64]
    run: ZeroRun


def berlekamp_massey(code: Code, channel: Channel | None = None, /, *, t: int | None = None) -> Decoder:
    """Bounded-distance hard-decision decoding of cyclic codes.

    Berlekamp 1968; Massey, IEEE Trans. IT 15(1), 1969. Corrects up to t errors, else leaves the hard
    decision: then the output is no codeword, and the frame is counted as uncertified, with work 0 as every
    frame. Field, zeros and designed distance are found from the code itself.

    Args:
        code: Cyclic, such as a BCH code, or a cyclic code extended by an overall parity bit, its last.
        channel: Not used.
        t: Errors to correct, 0 to half the designed distance, which it is if not given.

    Raises:
        ValueError: If the code is not cyclic, or t out of range.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("berlekamp-massey", fecnn.load_code("bch-15-7"))
        >>> decode(np.float32([1, -1, 1, 1, 1, 1, -1, 1, 1, 1, 1, 1, 1, 1, 1])).any()
        np.False_
    """
    algebra = algebra_of(code)
    if algebra is None:
        raise _not_cyclic(code)
    if t is None:
        t = algebra.run.t
    if not 0 <= t <= algebra.run.t:
        raise ValueError(
            f"t must be in 0..{algebra.run.t} for {code.name}, half its designed distance of "
            f"{algebra.run.length + 1}, got {t}"
        )
    run, columns = algebra.run, code.parity_columns

    def measure(llr: LLR) -> tuple[Bits, Effort]:
        out, found = np.empty(llr.shape, np.uint8), np.empty(len(llr), np.bool_)
        kernel.correct(llr, algebra.powers, run.exp, run.log, run.step, columns, t, out, found)
        return out, Effort(np.zeros(len(llr), np.int64), ~found)

    return Measured(measure)


def _not_cyclic(code: Code) -> ValueError:
    """The error of a code without the algebra."""
    return ValueError(
        f"{code.name} is not a cyclic code (nor a cyclic code extended by a parity bit); use hard where "
        "n - k is small, or osd"
    )


def algebra_of(code: Code) -> Algebra | None:
    """The zeros of a cyclic or extended cyclic code as the kernel wants them; None of any other code."""
    run, core = zero_run(code), code.n
    if run is None and not (code.G.sum(axis=1) % 2).any() and code.k < code.n - 1:
        core -= 1
        run = zero_run(Code.from_generator(code.G[:, :-1], name=code.name))
    if run is None:
        return None
    order = len(run.log) - 1
    exponents = np.outer(np.arange(core), run.first + np.arange(2 * run.t)) * run.step % order
    return Algebra(run.exp[exponents], run)


def berlekamp_massey_cost(code: Code, work: float | None = None, *, t: int | None = None, **_: Any) -> Cost:
    """Algebraic decoding (Berlekamp 1968; Massey 1969) of a word with t errors, at most this.

    A product in GF(2^m) is an addition of logarithms, and a sum m bits; 2 T syndromes are computed, T half
    the designed distance, and the register grows at every other of the first 2 t steps.

    n signs; for half of the bits n - k checks and 2 T syndromes of m bits. The register: t^2 + 2 (T - t) t
    products for discrepancies and t^2 + 1 for corrections, and as many sums; 2 T + 4 t comparisons, and 6 t
    additions for ratios. Roots (Chien 1964): for each column 3 products, an addition and a comparison, and
    for each of t powers of it 3 additions, a comparison, and m bits. The check: t (n - k) bits.

    Raises:
        ValueError: If the code is not cyclic.
    """
    from fecnn.decoders.berlekamp_massey import algebra_of

    algebra = algebra_of(code)
    if algebra is None:
        raise _not_cyclic(code)
    n, checks, most = code.n, code.n - code.k, algebra.run.t
    t = most if t is None else t
    core, order = len(algebra.powers), len(algebra.run.log) - 1
    m = order.bit_length()
    products = t**2 + 2 * (most - t) * t + (t**2 + 1 if t else 0)
    stored = algebra.powers.size + 3 * order + 1
    return Cost(
        multiplications=3 * core,
        additions=products + 6 * t + core + 3 * core * t,
        comparisons=n + 2 * most + 4 * t + core + core * t,
        binary=n / 2 * checks + core / 2 * 2 * most * m + products * m + core * t * m + t * checks,
        parameters=stored,
        parameter_bits=m * stored,
        memory_bits=m * (2 * most + 3 * (2 * most + 2)) + checks,
    )


BERLEKAMP_MASSEY = BuiltIn(
    berlekamp_massey,
    cost=berlekamp_massey_cost,
    cites="Berlekamp 1968; Massey, IEEE Trans. IT 15(1), 1969",
    reach="BCH and other cyclic codes, also extended",
    example=Example("bch-127-64", 4.0),
)
