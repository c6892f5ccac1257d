"""Algebraic bounded-distance decoding of BCH and other cyclic codes, without a table."""

from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits
from fecnn.channels.channel import Channel
from fecnn.codes import gf2
from fecnn.codes.code import Code
from fecnn.codes.cyclic import ZeroRun, zero_run
from fecnn.decoders.contract import Decoder, Effort, Measured
from fecnn.decoders.cost import Cost
from fecnn.decoders.erasures import with_erasures
from fecnn.decoders.kernels import berlekamp_massey as kernel
from fecnn.decoders.on_mother import hard_on
from fecnn.decoders.registry import BuiltIn, Example

PADDING = 32
"""Rows of tables are filled up to a multiple of this: whole vectors."""


@dataclass(frozen=True)
class Algebra:
    """The zeros of a code, and what an error in column j adds to each of the power sums: powers (n', l) i8.

    n' is n, or n - 1 if the last bit is an overall parity.
    """

    powers: NDArray[np.int64]
    run: ZeroRun


def berlekamp_massey(
    code: Code, channel: Channel | None = None, /, *, t: int | None = None, int8: bool = False
) -> Decoder:
    """Bounded-distance hard-decision decoding of cyclic codes.

    Berlekamp 1968; Massey, IEEE Trans. IT 15(1), 1969. It corrects up to t errors. LLRs of 0 are erasures:
    e errors and s of these are corrected if 2 e + s <= 2 t (see `fecnn.decoders.erasures`). With more, the
    output is the hard decision, not a codeword, and the frame is counted as uncertified. The work is 0.
    Field, zeros and designed distance are found from the code itself.

    Args:
        code: A cyclic code such as BCH, or one extended by an overall parity bit in the last position; either
            may be shortened, in consecutive positions if the code does not know its mother, or punctured if
            it does. Positions that are not sent are erasures in every frame.
        channel: Not used.
        t: Errors to correct, 0 to half the designed distance (the default).
        int8: Read the signs from LLRs of 8 bits: arrays of int8 are taken as they are, and other LLRs are
            rounded to the nearest integer, so that those up to 0.5 are erasures too.

    Raises:
        ValueError: If the code is not cyclic, or t is out of range.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("berlekamp-massey", fecnn.load_code("bch-15-7"))
        >>> decode(np.float32([1, -1, 1, 1, 1, 1, -1, 1, 1, 1, 1, 1, 1, 1, 1])).any()
        np.False_
    """
    algebra = algebra_of(code)
    if algebra is None and code.mother is not None and algebra_of(code.mother.code) is not None:
        return hard_on(code.mother, berlekamp_massey(code.mother.code, t=t, int8=int8))
    if algebra is None:
        raise _not_cyclic(code)
    if t is None:
        t = algebra.run.t
    if not 0 <= t <= algebra.run.t:
        raise ValueError(
            f"t must be in 0..{algebra.run.t} for {code.name}, half its designed distance of "
            f"{algebra.run.length + 1}, got {t}"
        )
    tables = tables_of(code, algebra)

    def measure(llr: LLR) -> tuple[Bits, Effort]:
        out, found = np.empty(llr.shape, np.uint8), np.empty(len(llr), np.bool_)
        kernel.correct(llr, tables, t, out, found)
        return out, Effort(np.zeros(len(llr), np.int64), ~found)

    return Measured(with_erasures(measure), int8=int8)


def _not_cyclic(code: Code) -> ValueError:
    """The error for a code without cyclic algebra."""
    return ValueError(
        f"{code.name} is not a cyclic code (nor one that is extended by a parity bit, shortened or "
        "punctured); use hard where n - k is small, or osd"
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


def tables_of(code: Code, algebra: Algebra) -> kernel.Algebra:
    """The tables of the kernel for a code with algebra."""
    run, powers = algebra.run, algebra.powers
    (core, length), columns = powers.shape, code.parity_columns
    order, room = len(run.log) - 1, _padded(max(core, length + 4))
    checks = np.zeros((columns.shape[1], _padded(code.n)), np.uint64)
    checks[:, : code.n] = columns.T
    exp = np.zeros(4 * order + 1, np.uint16)
    exp[: 2 * order] = run.exp
    log = run.log.astype(np.uint16)
    log[0] = 2 * order
    places, terms = _terms(algebra, room)
    stride = 2 if run.first == 1 else 1
    sums = _sums_of_syndromes(columns, powers, code.n - code.k)
    return kernel.Algebra(columns, checks, sums, length, stride, exp, log, core, places, terms, room)


def no_tables(code: Code) -> kernel.Algebra:
    """The columns of a code and nothing else, for kernels that have other tables."""
    columns, shorts = code.parity_columns, np.empty(0, np.uint16)
    if columns.shape[1] == 0:
        columns = np.zeros((code.n, 1), np.uint64)
    checks, sums = np.empty((0, 0), np.uint64), np.empty((0, 0, 0), np.uint64)
    places = np.empty((0, 0), np.int64)
    return kernel.Algebra(columns, checks, sums, 0, 1, shorts, shorts, 0, places, shorts, 0)


def _padded(count: int) -> int:
    return -(-count // PADDING) * PADDING


def _sums_of_syndromes(
    columns: NDArray[np.uint64], powers: NDArray[np.int64], checks: int
) -> NDArray[np.uint64]:
    """Power sums of each value of each four bits of a packed syndrome: see `kernel.Algebra`.

    They vanish on the code, so they are linear in the syndrome; one bit alone is a column of H.
    """
    core, length = powers.shape
    units = np.flatnonzero(gf2.weights(columns[:core]) == 1)
    of_bit = np.zeros((-(-checks // 4) * 4, -(-length // 4) * 4), "<u2")
    of_bit[gf2.unpack(columns[units], checks).argmax(axis=1), :length] = powers[units]
    packed = of_bit.view("<u8").astype(np.uint64).T  # (L, checks)
    chosen = np.arange(16)[:, None] >> np.arange(4) & 1 == 1
    fours = packed.reshape(len(packed), -1, 1, 4)
    table: NDArray[np.uint64] = np.bitwise_xor.reduce(np.where(chosen, fours, np.uint64(0)), axis=3)
    return table


def _terms(algebra: Algebra, room: int) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
    """Values of terms c z^i at z = beta^-j, and where those of c and i begin: see `kernel.Algebra`.

    For c = x^a, x the primitive element, they are the powers a - i j step of x. Terms of one i with a in the
    same class modulo gcd(i step, order) are shifts of one periodic sequence.
    """
    run = algebra.run
    order = len(run.log) - 1
    places = np.zeros((run.t, order + 1), np.int64)  # c = 0: the zeros at the beginning
    terms, begin = [np.zeros(room, np.uint16)], room
    for i in range(1, run.t + 1):
        fall = -i * run.step % order
        classes = gcd(fall, order)
        period = order // classes
        exponents = (np.arange(classes)[:, None] + fall * np.arange(period + room)) % order
        terms.append(run.exp[exponents].astype(np.uint16).ravel())
        shift = np.arange(period)
        rows = begin + np.arange(classes)[:, None] * (period + room) + shift
        places[i - 1, run.exp[exponents[:, :period]]] = rows
        begin += classes * (period + room)
    return places, np.concatenate(terms)


def berlekamp_massey_cost(code: Code, work: float | None = None, *, t: int | None = None, **_: Any) -> Cost:
    """Algebraic decoding (Berlekamp 1968; Massey 1969) of a word with t errors: an upper bound.

    A product in GF(2^m) is counted as an addition of logarithms, a sum as m bits. The decoder computes 2 T
    power sums, with T half the designed distance. The register grows at every other of the first 2 t steps.

    The first step takes n signs and, for half of the bits, n - k checks; the power sums take, for every four
    checks, m bits each. The register takes t^2 + 2 (T - t) t products for discrepancies and t^2 + 1 for
    corrections, and as many sums; 2 T + 4 t comparisons, and 6 t additions for ratios. Where the zeros begin
    with beta, only every other step is taken: t (t - 1) / 2 + (T - t) t and t (t - 1) / 2 + 1 products, and
    half of the rest. The roots (Chien 1964) take, per column, a comparison and t m bits. The final check
    takes t (n - k) bits.

    Raises:
        ValueError: If the code is not cyclic.
    """
    algebra = algebra_of(code)
    if algebra is None and code.mother is not None and algebra_of(code.mother.code) is not None:
        return berlekamp_massey_cost(code.mother.code, t=t)
    if algebra is None:
        raise _not_cyclic(code)
    n, checks, most = code.n, code.n - code.k, algebra.run.t
    t = most if t is None else t
    tables = tables_of(code, algebra)
    core, order, stride = tables.core, len(tables.log) - 1, tables.stride
    m = order.bit_length()
    short = t**2 if stride == 1 else t * (t - 1) // 2
    products = short + 2 * (most - t) * t // stride + (short + 1 if t else 0)
    sums = -(-checks // 4) * 2 * most
    stored = 16 * sums + tables.exp.size + tables.log.size + tables.places.size + tables.terms.size
    return Cost(
        additions=products + 6 * t // stride,
        comparisons=n + (2 * most + 4 * t) // stride + core,
        binary=n / 2 * checks + sums * m + products * m + core * t * m + t * checks,
        parameters=stored,
        parameter_bits=m * stored,
        memory_bits=m * (4 * most + 4 * (t + 2) + core) + checks,
    )


BERLEKAMP_MASSEY = BuiltIn(
    berlekamp_massey,
    cost=berlekamp_massey_cost,
    cites="Berlekamp 1968; Massey, IEEE Trans. IT 15(1), 1969",
    reach="BCH and other cyclic codes, also extended, shortened or punctured",
    example=Example("bch-127-64", 4.0),
)
