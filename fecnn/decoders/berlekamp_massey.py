"""Bounded-distance decoding of BCH and other cyclic codes by algebra, without a table."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits
from fecnn.channels.channel import Channel
from fecnn.codes.code import Code
from fecnn.codes.cyclic import ZeroRun, zero_run
from fecnn.decoders import Decoder, Effort, Measured
from fecnn.decoders.kernels import berlekamp_massey as kernel


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
        raise ValueError(
            f"{code.name} is no cyclic code, nor one with a parity bit behind it; use hard where n - k is "
            "small, or osd"
        )
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
