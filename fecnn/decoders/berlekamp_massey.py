"""Algebraic bounded-distance decoding of BCH and other cyclic codes, without a table."""

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
from fecnn.decoders.on_mother import hard_on
from fecnn.decoders.registry import BuiltIn, Example


@dataclass(frozen=True)
class Algebra:
    """What the kernel needs to know of a code."""

    powers: NDArray[np.int64]
    run: ZeroRun


def berlekamp_massey(code: Code, channel: Channel | None = None, /, *, t: int | None = None) -> Decoder:
    """Bounded-distance hard-decision decoding of cyclic codes.

    Berlekamp 1968; Massey, IEEE Trans. IT 15(1), 1969. It corrects up to t errors. With more, the output is
    the hard decision, not a codeword, and the frame is counted as uncertified. The work is 0 for every frame.
    Field, zeros and designed distance are found from the code itself.

    Args:
        code: A cyclic code such as BCH, or one extended by an overall parity bit in the last position; either
            may be shortened, in consecutive positions if the code does not know its mother.
        channel: Not used.
        t: Errors to correct, 0 to half the designed distance (the default).

    Raises:
        ValueError: If the code is not cyclic, or t is out of range.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("berlekamp-massey", fecnn.load_code("bch-15-7"))
        >>> decode(np.float32([1, -1, 1, 1, 1, 1, -1, 1, 1, 1, 1, 1, 1, 1, 1])).any()
        np.False_
    """
    algebra = algebra_of(code)
    if algebra is None and code.mother is not None and code.mother.only_shortened:
        return hard_on(code.mother, berlekamp_massey(code.mother.code, t=t))
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
    """The error for a code without cyclic algebra."""
    return ValueError(
        f"{code.name} is not a cyclic code (nor one that is extended by a parity bit or shortened); use hard "
        "where n - k is small, or osd"
    )


def algebra_of(code: Code) -> Algebra | None:
    """The zeros of a cyclic code, also extended or shortened, as the kernel needs them; None for others."""
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
    """Algebraic decoding (Berlekamp 1968; Massey 1969) of a word with t errors: an upper bound.

    A product in GF(2^m) is counted as an addition of logarithms, a sum as m bits. The decoder computes 2 T
    syndromes, with T half the designed distance. The register grows at every other of the first 2 t steps.

    The first step takes n signs and, for half of the bits, n - k checks and 2 T syndromes of m bits. The
    register takes t^2 + 2 (T - t) t products for discrepancies and t^2 + 1 for corrections, and as many sums;
    2 T + 4 t comparisons, and 6 t additions for ratios. The roots (Chien 1964) take, per column, 3 products,
    an addition and a comparison, and for each of its t powers 3 additions, a comparison and m bits. The final
    check takes t (n - k) bits.

    Raises:
        ValueError: If the code is not cyclic.
    """
    algebra = algebra_of(code)
    if algebra is None and code.mother is not None and code.mother.only_shortened:
        return berlekamp_massey_cost(code.mother.code, t=t)
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
    reach="BCH and other cyclic codes, also extended or shortened",
    example=Example("bch-127-64", 4.0),
)
