"""Belief propagation on the Tanner graph of H, or of all short checks of the code."""

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits, within_reach
from fecnn.channels.channel import Channel
from fecnn.codes.code import Code
from fecnn.codes.low_weight import low_weight_checks
from fecnn.codes.mother import Mother
from fecnn.decoders.contract import Decoder, Effort, Measured, SoftDecoder
from fecnn.decoders.cost import REAL, Cost
from fecnn.decoders.kernels import bp as kernel
from fecnn.decoders.kernels.arena import Arena
from fecnn.decoders.registry import BuiltIn, Example

MAX_EDGES = 6_000_000
"""Most ones in the check matrix; the messages of each take 128 bytes."""

FRACTIONS = 256
"""In int8, ``scale`` is a multiple of 1 / FRACTIONS."""

RULES = ("sum-product", "min-sum")
SCHEDULES = ("flooding", "layered")
CHECKS = ("H", "overcomplete")


@dataclass(frozen=True)
class Believed:
    """What belief propagation ends with, for each frame.

    posterior: The last posteriors, (B, n) float32.
    words: Bits by their posteriors, (B, n); one of exactly 0 takes the channel's decision, which favours no
        codeword.
    sums: Posteriors summed over iterations, (B, n) float32; None if they were not asked for.
    used: Iterations, (B,).
    solved: Whether all checks are satisfied, (B,).
    """

    posterior: LLR
    words: Bits
    sums: LLR | None
    used: NDArray[np.int64]
    solved: NDArray[np.bool_]


class Run(Protocol):
    """Belief propagation with its options."""

    def __call__(self, llr: LLR, *, stop: bool = True, sums: bool = False) -> Believed:
        """What it believes of frames, (B, n).

        Args:
            llr: LLRs.
            stop: Whether a frame is left as soon as its decisions satisfy all checks.
            sums: Whether posteriors are summed.
        """


def bp(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    rule: str = "sum-product",
    scale: float = 1.0,
    offset: float = 0.0,
    schedule: str = "flooding",
    iterations: int = 50,
    damping: float = 0.0,
    checks: str = "H",
    int8: bool = False,
) -> Decoder:
    """Belief propagation (Gallager 1963; Pearl 1988), until all checks are satisfied or iterations run out.

    A frame that never satisfies all checks keeps its last decisions and is counted as uncertified. The work
    of a frame is its number of iterations.

    Args:
        code: Any code. The rows of its H are the checks, so another H of the same code decodes differently.
            Of a punctured or repeated code they are those of its mother, with LLR 0 for what is not sent.
        channel: Not used: LLRs are enough.
        rule: ``sum-product``, exact on graphs without cycles, or ``min-sum`` (Wiberg 1996).
        scale: Factor on every check message, above 0. Below 1 it gives normalised min-sum (Chen and
            Fossorier, IEEE Trans. Comm. 50(3), 2002), and it tempers either rule on graphs with short cycles.
        offset: Subtracted from the magnitude of min-sum messages, 0 or more (Chen, Dholakia, Eleftheriou,
            Fossorier and Hu, IEEE Trans. Comm. 53(8), 2005).
        schedule: ``flooding``, or ``layered``: check by check with the newest messages (Hocevar 2004), which
            needs about half the iterations.
        iterations: Maximum number of iterations, 1 or more.
        damping: Weight of the old message in the new one, at least 0 and below 1.
        checks: ``H``, or ``overcomplete``: all least-weight words of the dual code (Bossert and Hergert, IEEE
            Trans. IT 32(5), 1986; Lucas, Bossert and Breitbach, IEEE JSAC 16(2), 1998), plus short ones until
            they span it. For dense codes such as BCH, combine it with a ``scale`` of 0.05 to 0.3.
        int8: Use LLRs of 8 bits, as fixed-point hardware does, with min-sum and without damping: LLRs,
            messages and posteriors are integers of -127 to 127, and all sums saturate there. Arrays of int8
            are taken as they are (-128 as -127); other LLRs are rounded to the nearest integer, so scale them
            (see `fecnn.Receiver`). Magnitudes of messages are multiplied by ``scale`` as a multiple of 1/256
            and rounded to the nearest integer, halves up; ``offset`` is a whole number of steps. The
            integers are computed in float32, which holds them exactly, so this is not faster.

    Raises:
        ValueError: If an option is out of range, or does not go with ``int8``, or there are too many checks.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("bp", fecnn.hamming(3), rule="min-sum", scale=0.8)
        >>> decode(np.float32([[2, 3, -0.1, 4, 1, 2, 3]]))
        array([[0, 0, 0, 0, 0, 0, 0]], dtype=uint8)
    """
    run = prepared(code, rule, scale, offset, schedule, iterations, damping, checks, int8)

    def measure(llr: LLR) -> tuple[Bits, Effort]:
        found = run(llr)
        return found.words, Effort(found.used, ~found.solved)

    return Measured(measure, int8=int8)


def bp_app(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    rule: str = "sum-product",
    scale: float = 1.0,
    offset: float = 0.0,
    schedule: str = "flooding",
    iterations: int = 50,
    damping: float = 0.0,
    checks: str = "H",
) -> SoftDecoder:
    """Posterior LLRs of belief propagation; options and errors are those of `bp`.

    All iterations are run, because a frame stopped early has LLRs that say nothing new about its bits. One
    exception: if `bp` stops at a codeword but further iterations leave it and end on none, the LLRs are those
    at which `bp` stops. Short cycles make the LLRs overconfident: up to |APP| = 8 the log-odds of a bit being
    right are 0.6 to 0.8 |APP| on BCH (31,21), Hamming (15,11) and polar (32,16), and as little as 0.2 |APP|
    on denser checks.

    Example:
        >>> import fecnn
        >>> app = fecnn.soft_decoder("bp", fecnn.repetition(3), schedule="layered")
        >>> app(np.float32([1, 2, -0.5]))
        array([2.5, 2.5, 2.5], dtype=float32)
    """
    run = prepared(code, rule, scale, offset, schedule, iterations, damping, checks)

    def posterior_of(llr: LLR) -> LLR:
        found = run(llr, stop=False)
        lost = np.flatnonzero(~found.solved)
        on_the_way = run(np.ascontiguousarray(llr[lost]))
        found.posterior[lost[on_the_way.solved]] = on_the_way.posterior[on_the_way.solved]
        return found.posterior

    return posterior_of


def prepared(
    code: Code,
    rule: str,
    scale: float,
    offset: float,
    schedule: str,
    iterations: int,
    damping: float,
    checks: str,
    int8: bool = False,
) -> Run:
    """Belief propagation with the options of `bp`, as a function, of int8 if so asked; errors as there."""
    for name, value, known in (
        ("rule", rule, RULES),
        ("schedule", schedule, SCHEDULES),
        ("checks", checks, CHECKS),
    ):
        if value not in known:
            raise ValueError(f"{name} must be {' or '.join(known)}, got {value!r}")
    if not isinstance(iterations, int) or iterations < 1:
        raise ValueError(f"iterations must be 1 or more, got {iterations!r}")
    if not 0 < scale < math.inf:
        raise ValueError(f"scale must be above 0, got {scale}")
    if not 0 <= damping < 1:
        raise ValueError(f"damping must be 0 or more and below 1, got {damping}")
    if not 0 <= offset < math.inf:
        raise ValueError(f"offset must be 0 or more, got {offset}")
    if offset > 0 and rule != "min-sum":
        raise ValueError(f"offset needs rule='min-sum', got offset={offset} with {rule}; use scale")
    if int8:
        _refuse_fractions(rule, offset, damping)
        scale = max(round(FRACTIONS * scale), 1) / FRACTIONS
    H, mother = _graph(code, checks)
    graph = _arranged(code, H, schedule == "layered")
    numbers = np.float32(scale), np.float32(offset), np.float32(damping)
    limit = np.float32(127) if int8 else None
    how, arena = kernel.Rule(rule == "sum-product", *numbers, schedule == "layered", limit), Arena()

    def run(llr: LLR, *, stop: bool = True, sums: bool = False) -> Believed:
        given = llr if mother is None else mother.llr(llr)
        if int8:
            given = np.maximum(given, -127).astype(np.float32)
        elif mother is not None:
            given = within_reach(given)
        posterior, summed = np.empty_like(given), np.zeros_like(given if sums else given[:0])
        used, solved = np.empty(len(llr), np.int64), np.empty(len(llr), np.bool_)
        out = posterior, used, solved, summed
        arena.run(kernel.bp, given, graph, how, iterations, stop, *out)
        ones: NDArray[np.bool_] = (posterior < 0) | ((posterior == 0) & (given < 0))
        words = ones.astype(np.uint8)
        if mother is not None:
            posterior, words = mother.sent_of(posterior), mother.sent_of(words)
            summed = mother.sent_of(summed)
        return Believed(posterior, words, summed if sums else None, used, solved)

    return run


def _refuse_fractions(rule: str, offset: float, damping: float) -> None:
    """Reject options that integers of 8 bits have no room for.

    Raises:
        ValueError: Saying what to use instead.
    """
    if rule != "min-sum":
        raise ValueError(f"int8 needs rule='min-sum', got {rule}, whose messages are no integers")
    if damping:
        raise ValueError(f"int8 has no damping, got damping={damping}: use scale")
    if offset != int(offset):
        raise ValueError(f"offset must be a whole number of steps for int8, got {offset}")


def _graph(code: Code, checks: str) -> tuple[Bits, Mother | None]:
    """The check matrix, and the longer code that it belongs to; None if it is the code's own.

    The H of a shortened code is that of its mother without the columns of known bits, and does as well.
    """
    if checks == "overcomplete":
        return low_weight_checks(code), None
    if code.mother is None or code.mother.only_shortened:
        return code.H, None
    return code.mother.code.H, code.mother


def _arranged(code: Code, H: Bits, layered: bool) -> kernel.Graph:
    """The checks of H as the kernel takes them; zero rows are left out."""
    edges = int(H.sum(dtype=np.int64))
    if edges > MAX_EDGES:
        raise ValueError(
            f"the checks of {code.name} have {edges} ones (at most {MAX_EDGES}); use checks='H', or osd"
        )
    weights = H.sum(axis=1, dtype=np.int64)
    weights = weights[weights > 0]
    starts = np.concatenate([[0], np.cumsum(weights)]).astype(np.int64)
    bits = np.nonzero(H)[1].astype(np.int64)
    order = np.arange(len(weights)) if layered else np.argsort(weights, kind="stable")
    groups, taken = [0], np.zeros(H.shape[1], np.bool_)
    for place, check in enumerate(order):
        own = bits[starts[check] : starts[check + 1]]
        full = place - groups[-1] == kernel.LANES or weights[check] != weights[order[groups[-1]]]
        if full or (layered and taken[own].any()):
            groups.append(place)
            taken[:] = False
        taken[own] = True
    groups += [len(order)] if len(order) else []
    return kernel.Graph(bits, starts, order.astype(np.int64), np.array(groups, np.int64))


def bp_cost(
    code: Code,
    work: float | None = None,
    *,
    rule: str = "sum-product",
    iterations: int = 50,
    checks: str = "H",
    **_: Any,
) -> Cost:
    """Belief propagation on E edges: the cost of ``work`` iterations, or of all if the work is not given.

    Sum-product takes a tanh, its inverse and two multiplications per edge (one product per check, divided by
    each input). Min-sum takes three comparisons and two exclusive ors per edge. Both take 2 E additions at
    the bits, plus E exclusive ors and n comparisons for the syndrome.
    """
    matrix = _graph(code, checks)[0]
    edges, n = int(matrix.sum()), matrix.shape[1]
    both = Cost(additions=2 * edges, comparisons=n, binary=edges, memory_bits=REAL * (edges + n))
    if rule == "min-sum":
        iteration = both + Cost(comparisons=3 * edges, binary=2 * edges)
    else:
        iteration = both + Cost(multiplications=2 * edges, exponentials=2 * edges)
    return iteration.times(iterations if work is None else work)


BP = BuiltIn(
    bp,
    cost=bp_cost,
    cites="Gallager 1963; Pearl 1988",
    reach="any code",
    example=Example("ccsds-128-64", 4.0),
    soft=bp_app,
    unit="iterations",
)
