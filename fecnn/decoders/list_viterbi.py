"""List Viterbi decoding of convolutional codes with a CRC."""

from typing import Any, NamedTuple

import numpy as np

from fecnn.arrays import LLR, Bits
from fecnn.channels.channel import Channel
from fecnn.codes import gf2
from fecnn.codes.code import Code, per_code
from fecnn.codes.convolutional import output_bits
from fecnn.decoders.contract import Decoder, Effort, Measured
from fecnn.decoders.cost import REAL, Cost
from fecnn.decoders.kernels.register_lists import list_until_checked
from fecnn.decoders.refusing import code_of_other_checks
from fecnn.decoders.registry import BuiltIn, Example
from fecnn.decoders.trellis import minimum_span
from fecnn.errors import whole

MAX_MEMORY = 12
"""Largest memory of an encoder: 2**12 states."""

MAX_PATHS = 1 << 16
"""Most paths of a frame; each needs up to 44 bytes for each step of the trellis."""

FEW = 1 << 8
"""Paths of the first pass: most frames need no more."""

LONGEST_CRC = 32
"""Checks that are looked for behind a convolutional code, at most."""


def list_viterbi(
    code: Code, channel: Channel | None = None, /, *, list: int = 1 << 12, crc: int | None = None
) -> Decoder:
    """Serial list Viterbi decoding of convolutional codes with a CRC: ML within the list.

    Seshadri and Sundberg, IEEE Trans. Comm. 42(2/3/4), 1994. Paths of the encoder's own trellis come in order
    of their likelihood. The first that ends in the state in which it started, and whose word satisfies the
    CRC, is the most likely word of the code (Yang, Liang, Pan and Wesel, arXiv:2104.13905, 2021). So this is
    maximum likelihood unless the list is too short. Then the decision is the most likely word that violates
    the CRC alone, or the most likely path if none of the list ends where it started, and the frame counts as
    uncertified. The work of a frame is the number of paths tried, of any start and end.

    The convolutional code is recognised from the matrices of the code: it is what the checks without the CRC
    leave. Paths start in any state if it is tail-biting, and in state 0 if it is terminated by zeros.

    Args:
        code: ``fecnn.tailbiting(k + c, polynomials).subcode(crc=c)``, or the same of `fecnn.convolutional`,
            of rate 1/m before the CRC; or without a CRC. At most 2**12 states.
        channel: Not used.
        list: Most paths tried, 1 to 2**16. Memory for all of them is reserved where 256 are not enough.
        crc: How many of the last checks are a CRC, 0 or more. None: as many, up to 32, as leave the encoder
            of fewest states.

    Raises:
        ValueError: If the other checks leave no convolutional code, or an option is out of range.

    Example:
        >>> import fecnn
        >>> code = fecnn.tailbiting(12, (0o13, 0o17)).subcode(crc="11001")
        >>> decode = fecnn.decoder("list-viterbi", code)
        >>> bits, effort = decode.measure(np.ones(24, np.float32))
        >>> int(bits.sum()), int(effort.work)
        (0, 1)
    """
    most = whole("list", list)
    if not 1 <= most <= MAX_PATHS:
        raise ValueError(f"list must be in 1..{MAX_PATHS} paths, got {list}")
    found = encoder_of(code, crc)
    ones, columns = output_bits(found.taps), gf2.pack(np.ascontiguousarray(found.checks.T))

    def measure(llr: LLR, paths: int = min(most, FEW)) -> tuple[Bits, Effort]:
        out = np.empty(llr.shape, np.uint8)
        tried, passed = np.empty(len(llr), np.int64), np.empty(len(llr), np.bool_)
        list_until_checked(llr, ones, found.bites, columns, paths, out, tried, passed)
        failed = ~passed
        if paths < most and failed.any():  # once more, from the start
            out[failed], again = measure(llr[failed], most)
            tried[failed], failed[failed] = again.work, again.uncertified
        return out, Effort(tried, failed)

    return Measured(measure)


class Encoder(NamedTuple):
    """A convolutional encoder, and a CRC after it.

    taps: (outputs, memory + 1), those of the present bit first.
    bites: Whether it is tail-biting; else it is terminated by zeros.
    checks: (c, n), those of the CRC.
    """

    taps: Bits
    bites: bool
    checks: Bits


@per_code
def encoder_of(code: Code, crc: int | None = None) -> Encoder:
    """The encoder of the convolutional code that all checks but the last ``crc`` leave.

    If their number is not given, it is that with the fewest states, for a terminated code with a CRC is one
    of more states too: that of the product of both polynomials.

    Raises:
        ValueError: If they leave no such code, or one of too many states.
    """
    if crc is not None and whole("crc", crc) < 0:
        raise ValueError(f"crc must be 0 or more checks, got {crc}")
    most = max(min(LONGEST_CRC, len(code.H) - 1), 0)
    best: Encoder | None = None
    for checks in range(most + 1) if crc is None else [crc]:
        try:
            inner = code_of_other_checks(code, checks)
        except ValueError:
            if crc is not None:
                raise
            continue
        found = _encoder(inner)
        if found is not None and (best is None or found[0].shape[1] < best.taps.shape[1]):
            best = Encoder(*found, code.H[len(code.H) - checks :])
    if best is None:
        cut = f"up to {most}" if crc is None else str(crc)
        raise ValueError(
            f"{code.name} is no convolutional code of rate 1/m, tail-biting or terminated, with a CRC of "
            f"{cut} bits after it; use ml or osd"
        )
    memory = best.taps.shape[1] - 1
    if memory > MAX_MEMORY:
        raise ValueError(
            f"the encoder of {code.name} has 2**{memory} states, more than 2**{MAX_MEMORY}; use near-ml"
        )
    return best


def _encoder(code: Code) -> tuple[Bits, bool] | None:
    """Taps of a convolutional code, and whether it is tail-biting.

    The first row is the word of a minimum-span generator that begins first; the others are shifts of it.
    """
    row = minimum_span(code.G)[0]
    for outputs in range(2, code.n // code.k + 1):
        steps, rest = divmod(code.n, outputs)
        if rest:
            continue
        used = row.reshape(steps, outputs)
        length = int(np.flatnonzero(used.any(axis=1))[-1]) + 1
        bites = steps == code.k
        if not used[0].any() or length < 2 or not (bites or steps == code.k + length - 1):
            continue
        shifts = np.stack([np.roll(row, i * outputs) for i in range(code.k)])
        if not code.syndrome(shifts).any() and gf2.rank(shifts) == code.k:
            return np.ascontiguousarray(used[:length].T), bites
    return None


def list_viterbi_cost(code: Code, work: float | None = None, *, crc: int | None = None, **_: Any) -> Cost:
    """Viterbi's algorithm once, over S states, and ``work`` paths traced back; by default one.

    The price of each branch takes an addition per output; the pass an addition per branch, and a comparison
    per state and step. A path takes in each step three additions, and two comparisons to go on the heap; then
    the checks of the CRC.
    """
    found = encoder_of(code, crc)
    outputs, length = found.taps.shape
    states, steps = 1 << (length - 1), code.n // outputs
    count = 1.0 if work is None else work
    once = Cost(
        additions=2 * states * (code.n + steps),
        comparisons=states * steps,
        memory_bits=int(REAL * states * (3 * steps + 1) + count * steps * 6 * REAL),
    )
    path = Cost(additions=3 * steps, comparisons=3 * steps, binary=int(found.checks.sum()))
    return once + path.times(count)


LIST_VITERBI = BuiltIn(
    list_viterbi,
    cost=list_viterbi_cost,
    cites="Seshadri and Sundberg, IEEE Trans. Comm. 42(2/3/4), 1994",
    reach="convolutional codes of rate 1/m, tail-biting or terminated, with a CRC or without",
    example=Example("tailbiting-133-171-128-64", 3.0),
    unit="paths",
)
