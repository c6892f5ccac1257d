"""Exact bit-wise maximum a-posteriori decoding."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits, bpsk, out_of_sums, refuse_out_of_sums
from fecnn.channels.channel import Channel
from fecnn.codes import gf2
from fecnn.codes.code import Code
from fecnn.codes.convolutional import output_bits, tail_biting_taps
from fecnn.decoders.contract import Decoder, SoftDecoder, as_output
from fecnn.decoders.cost import REAL, Cost
from fecnn.decoders.kernels import codebook, dual, tail_biting_map, trellis
from fecnn.decoders.ml import generator_columns, ml_cost
from fecnn.decoders.registry import BuiltIn, Example
from fecnn.decoders.trellis import (
    bcjr_cost,
    bcjr_ns,
    bit_order,
    build_trellis,
    trellis_fits,
    trellis_states,
    with_message_bits,
)

Posterior = Callable[[LLR], NDArray[np.floating[Any]]]

METHODS = ("codebook", "tail-biting", "trellis", "dual")

MAX_CODEBOOK_K = 16
"""Largest k for which a-posteriori sums run over the codebook."""

MAX_FEW_K = 6
"""Largest k at which sums over the codebook are faster than BCJR in float64."""

MAX_TAIL_SUMS = 1 << 25
"""Most sums over the paths between two states, for all steps of a tail-biting trellis: 256 MiB of memory."""

MAX_DUAL_CHECKS = 19
"""Largest n - k for sums over the dual code: 8 MiB of working memory, about a millisecond per frame."""


def map_bits(
    code: Code, channel: Channel | None = None, /, *, bits: str = "message", method: str = "auto"
) -> Decoder:
    """Exact bit-wise maximum a-posteriori decisions: each bit is the sign of its own a-posteriori LLR.

    This minimises the bit error rate of the bits that are decided, not the block error rate. Decisions on
    message bits are given as the codeword of the message; decisions on code bits need not form a codeword.

    Args:
        code: A code with k at most 16, a trellis as in `ml`, n - k at most 19, or a tail-biting code with
            k 4**memory at most 2**25 (memory 9 for k = 64).
        channel: Not used: LLRs are enough.
        bits: Which bits are decided: the k of the ``message``, or the n of the ``code``.
        method: ``codebook`` (sums over all 2**k codewords), ``trellis`` (BCJR on the minimal trellis; Bahl,
            Cocke, Jelinek and Raviv 1974), ``tail-biting`` (the same on the trellis of `fecnn.tailbiting`,
            for all first states side by side), ``dual`` (sums over the dual code by two transforms; Hartmann
            and Rudolph 1976), or ``auto`` for the cheapest. The minimal trellis carries message bits that are
            not code bits as extra positions. ``dual`` needs message bits that are code bits, and falls back
            to the trellis for frames whose sums cancel too far to give a sign.

    Raises:
        ValueError: If an option is unknown, or the code is too large for the method.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("map", fecnn.hamming(3), output="message")
        >>> decode(np.float32([[2, 3, -0.1, 4, 1, 2, 3]]))
        array([[0, 0, 0, 0]], dtype=uint8)
    """
    if bits not in ("message", "code"):
        raise ValueError(f"bits must be message or code, got {bits!r}")
    app = _posterior(code, bits, chosen(code, bits, method), signs=True)

    def decode(llr: LLR) -> Bits:
        decided = (app(llr) < 0).view(np.uint8)
        return as_output(code, decided) if bits == "message" else decided

    return decode


def map_app(code: Code, channel: Channel | None = None, /, *, method: str = "auto") -> SoftDecoder:
    """Exact a-posteriori LLRs of the n code bits, float32; infinite for a bit that is constant.

    They are calibrated: the log-odds of a bit being right are |APP| (slope 1.00).

    Arguments and errors are those of the decoder ``map``. All methods but ``dual`` are accurate everywhere.
    ``dual`` loses digits by subtraction: on BCH (31,21) and (63,51) it is accurate to 1e-5 up to an APP of 20
    and to 1e-3 up to 25; beyond that it saturates, with the APP at most about 30 away from the LLR. So
    ``auto`` uses it only if nothing else is possible.
    """
    app = _posterior(code, "code", chosen(code, "code", method, soft=True), signs=False)
    return lambda llr: app(llr).astype(np.float32, copy=False)


def chosen(code: Code, bits: str, method: str, *, soft: bool = False) -> str:
    """The requested method, or the cheapest; raises if the code is too large for it."""
    if method not in ("auto", *METHODS):
        raise ValueError(f"method must be auto, {', '.join(METHODS[:-1])} or {METHODS[-1]}, got {method!r}")
    costs = _costs(code, bits)
    if method == "auto" and costs:
        exact = {name: cost for name, cost in costs.items() if not (soft and name == "dual")} or costs
        return min(exact, key=lambda name: exact[name])
    if method not in costs:
        by = "" if method == "auto" else f" by {method}"
        raise ValueError(
            f"exact {bits}-bit MAP of {code.name}{by} is out of reach (codebook: k <= {MAX_CODEBOOK_K}, here "
            f"{code.k}; trellis: {trellis_states(code, bit_order(code)):.1e} states; dual: n - k <= "
            f"{MAX_DUAL_CHECKS}, here {code.n - code.k}; more for message bits that are not code bits); "
            "use osd for hard decisions, bp or a soft osd for soft ones"
        )
    return method


def _costs(code: Code, bits: str) -> dict[str, float]:
    """Approximate nanoseconds per frame for each method that the code is small enough for."""
    costs = {}
    if code.k <= MAX_CODEBOOK_K:
        costs["codebook"] = (5.0 + 0.8 * (code.n if bits == "code" else code.k)) * 2**code.k
    taps = tail_biting_taps(code)
    if taps is not None and code.k * 4 ** (taps.shape[1] - 1) <= MAX_TAIL_SUMS:
        costs["tail-biting"] = 200.0 + 4.0 * code.k * 4 ** (taps.shape[1] - 1)
    carrier = carrier_of(code, bits)
    if carrier is not None:
        states = trellis_states(carrier.code, bit_order(carrier.code))
        if trellis_fits(carrier.code, states):
            costs["trellis"] = bcjr_ns(carrier.code, states)
    checks = code.n - code.k
    if checks <= MAX_DUAL_CHECKS and carrier is not None and carrier.code is code:
        costs["dual"] = 0.13 * checks * 2.0**checks + 17.0 * code.n
    return costs


@dataclass(frozen=True)
class Carrier:
    """A code with the wanted bits at ``positions``; its first n bits are those of the original code."""

    code: Code
    positions: NDArray[np.int64]


def carrier_of(code: Code, bits: str) -> Carrier | None:
    """The carrier of the wanted bits; None if message bits are not code bits and too many to add."""
    if bits == "code":
        return Carrier(code, np.arange(code.n))
    unit = np.flatnonzero(code.G.sum(axis=0) == 1)
    position = {int(code.G[:, j].argmax()): int(j) for j in unit[::-1]}
    if len(position) == code.k:
        return Carrier(code, np.array([position[i] for i in range(code.k)]))
    fits = code.k <= 64 and code.n <= 256 and trellis_fits(code, trellis_states(code, bit_order(code)))
    return Carrier(*with_message_bits(code)) if fits else None


def _posterior(code: Code, bits: str, method: str, *, signs: bool) -> Posterior:
    """A-posteriori LLRs of the wanted bits; with ``signs``, only their signs need to be right."""
    if method == "codebook":
        return _by_codebook(code, code.messages() if bits == "message" else code.codebook())
    if method == "tail-biting":
        return _by_tail_biting(code, bits)
    carrier = carrier_of(code, bits)
    assert carrier is not None  # guaranteed by `chosen`
    # Twice the error of float32.
    margin = carrier.code.n * 2.0**-20 if signs else 0.0
    app = (_by_trellis if method == "trellis" else _by_dual)(carrier.code, margin)
    if bits == "code":
        return app
    erased = np.zeros((1, carrier.code.n - code.n), np.float32)

    def of_message_bits(llr: LLR) -> NDArray[np.floating[Any]]:
        unknown = np.repeat(erased, len(llr), axis=0)
        return app(np.concatenate([llr, unknown], axis=1))[:, carrier.positions]

    return of_message_bits


def _by_codebook(code: Code, targets: Bits) -> Posterior:
    sums = _sums(code, targets)

    def app(llr: LLR) -> NDArray[np.floating[Any]]:
        refuse_out_of_sums(llr, "map by codebook")
        return sums(llr)

    return app


def _sums(code: Code, targets: Bits) -> Posterior:
    columns = generator_columns(code)
    wanted = targets.astype(np.float64)

    def app(llr: LLR) -> NDArray[np.float64]:
        out = np.empty((len(llr), wanted.shape[1]), np.float64)
        codebook.posterior(llr, columns, code.k, wanted, out)
        return out

    return app


def _by_trellis(code: Code, margin: float = 0.0) -> Posterior:
    """BCJR in float32; doubtful frames are repeated in float64, and if still doubtful in the log domain.

    For few codewords, direct sums are as accurate as BCJR in float64 and much quicker to compile.
    """
    varies: NDArray[np.bool_] = np.any(code.G, axis=0)
    if not varies.all():  # no codeword has a 1 in a constant bit, so its sums would always underflow
        return _with_constant_bits(_by_trellis(Code.from_generator(code.G[:, varies]), margin), varies)
    minimal = build_trellis(code, bit_order(code))

    def in_float32(llr: LLR, out: LLR, doubtful: NDArray[np.bool_]) -> None:
        trellis.bcjr(llr, minimal, margin, out, doubtful)

    if code.k <= MAX_FEW_K:
        sums = _sums(code, code.codebook())

        def in_float64(llr: LLR, out: LLR, doubtful: NDArray[np.bool_]) -> None:
            with np.errstate(over="ignore"):  # a bit beyond the range of float32 is certain
                out[:] = sums(llr)
            doubtful[out_of_sums(llr)] = True

    else:

        def in_float64(llr: LLR, out: LLR, doubtful: NDArray[np.bool_]) -> None:
            app = np.empty(llr.shape)
            trellis.bcjr(llr.astype(np.float64), minimal, 0.0, app, doubtful)
            out[:] = app

    return _in_turn(
        code.n,
        in_float32,
        in_float64,
        lambda llr, out, doubtful: trellis.bcjr_logarithmic(llr, minimal, out),
    )


def _by_tail_biting(code: Code, bits: str) -> Posterior:
    """BCJR on the tail-biting trellis in float64, and in the log domain where that does not do."""
    taps = tail_biting_taps(code)
    assert taps is not None  # guaranteed by `chosen`
    ones = output_bits(taps)
    labels = ones if bits == "code" else (np.arange(ones.shape[1]) & 1).astype(np.uint8)[None]

    def app(llr: LLR) -> NDArray[np.float64]:
        out, doubtful = np.empty((len(llr), code.k * len(labels))), np.empty(len(llr), np.bool_)
        tail_biting_map.posterior(llr, ones, labels, out, doubtful)
        if (left := np.flatnonzero(doubtful)).size:
            found = np.empty((len(left), out.shape[1]))
            tail_biting_map.posterior_logarithmic(llr[left], ones, labels, found)
            out[left] = found
        return out

    return app


def _by_dual(code: Code, margin: float = 0.0) -> Posterior:
    """Sums over the dual code; with a margin, doubtful signs go to the trellis if it can be built."""
    checks = max(3, code.n - code.k)
    columns = np.zeros(code.n, np.int64) if code.n == code.k else code.parity_columns[:, 0].astype(np.int64)
    parities = gf2.weights((columns[:, None] & np.arange(8))[..., None]) & 1
    signs = bpsk(parities.astype(np.uint8)).astype(np.float64)

    def by_dual(llr: LLR, out: LLR, doubtful: NDArray[np.bool_]) -> None:
        dual.posterior(llr, columns >> 3, checks, signs, margin, out, doubtful)

    if margin and trellis_fits(code, trellis_states(code, bit_order(code))):
        by_trellis = _by_trellis(code, margin)
        return _in_turn(code.n, by_dual, lambda llr, out, doubtful: np.copyto(out, by_trellis(llr)))
    return _in_turn(code.n, by_dual)


def _in_turn(n: int, *ways: Callable[[LLR, LLR, NDArray[np.bool_]], None]) -> Posterior:
    """Try each way in turn on the frames that the one before found doubtful."""

    def app(llr: LLR) -> LLR:
        out, doubtful = np.empty(llr.shape, np.float32), np.zeros(len(llr), np.bool_)
        ways[0](llr, out, doubtful)
        left = np.flatnonzero(doubtful)
        for way in ways[1:]:
            if not left.size:
                break
            found, doubtful = np.empty((len(left), n), np.float32), np.zeros(len(left), np.bool_)
            way(llr[left], found, doubtful)
            out[left] = found
            left = left[doubtful]
        return out

    return app


def _with_constant_bits(app: Posterior, varies: NDArray[np.bool_]) -> Posterior:
    def with_certain(llr: LLR) -> LLR:
        out = np.full(llr.shape, np.inf, np.float32)
        out[:, varies] = app(np.ascontiguousarray(llr[:, varies]))
        return out

    return with_certain


def map_cost(
    code: Code, work: float | None = None, *, bits: str = "message", method: str = "auto", **_: Any
) -> Cost:
    """Exact bit-wise decisions on t bits (k or n), by the method the decoder uses, plus a sign test per bit.

    Codebook: the transform of `ml` and its maximum. Per word, a subtraction, a product and an exponential,
    and for each wanted bit a product and three additions, which add the word's weight to one of two sums. Per
    wanted bit, a division, a logarithm and two comparisons.

    Trellis (Bahl, Cocke, Jelinek and Raviv 1974): three products per branch (past, future, both); an addition
    for each branch but the first into a state and out of a state, and for each branch into the sums of its
    bit. Per bit, an exponential, a logarithm, three products, two additions and four comparisons. After every
    16 bits, in both directions, states are compared and divided. Message bits that are not code bits are
    extra positions. Frames repeated in float64 are not counted.

    Tail-biting, of S states, in each of k steps: an exponential for each of the 2 S windows, and their prices
    as in `ml`. For each of the 2 S^2 pairs of a window and a first state a product in either direction and
    one for the sums; an addition for half of them in either direction, and for each in the sums. For each of
    the S^2 sums in either direction a comparison and a product. Per window, a product, and additions to the
    whole and to the sum of each wanted bit. Per wanted bit, two logarithms and three comparisons.

    Dual (Hartmann and Rudolph 1976), with M = 2^(n - k), at least 8: four products per word for every two
    checks beyond three, one for a last single check; M (n - k - 2) additions for the transform of their sum.
    Per bit, 44 products, 40 additions, 12 comparisons and two exponentials: eight words side by side at
    either end, and the error bounds. Repeating frames whose sums cancel too far is not counted.

    Raises:
        ValueError: If the code is too large for the method.
    """
    from fecnn.decoders.map import carrier_of, chosen

    n, k = code.n, code.k
    wanted = k if bits == "message" else n
    method = chosen(code, bits, method)
    signs = Cost(comparisons=wanted)
    if method == "codebook":
        each = Cost(1 + wanted, 1 + 3 * wanted, 0, 0, 1).times(2**k)
        ends = Cost(multiplications=wanted, comparisons=2 * wanted, exponentials=wanted)
        return replace(
            ml_cost(code, method="codebook") + each + ends + signs,
            parameters=2**k * wanted,
            parameter_bits=2**k * wanted,
        )
    if method == "trellis":
        carrier = carrier_of(code, bits)
        assert carrier is not None  # the method was chosen because there is one
        return bcjr_cost(carrier.code) + signs
    if method == "tail-biting":
        taps = tail_biting_taps(code)
        assert taps is not None  # the method was chosen because there are some
        outputs, states = taps.shape[0], 2 ** (taps.shape[1] - 1)
        pairs, labels = 2 * states**2, wanted // k
        step = Cost(
            multiplications=3 * pairs + 2 * states**2 + 2 * states,
            additions=2 * pairs // 2 + pairs + 2 * states * (1 + labels) + 2 * states * outputs,
            comparisons=2 * states**2 + 3 * labels,
            exponentials=2 * states + 2 * labels,
        )
        return signs + replace(step.times(k), memory_bits=REAL * states**2 * (k + 3))
    checks = max(3, n - k)
    size, passes = 2**checks, checks - 3
    return signs + Cost(
        multiplications=44 * n + 4 * size * (passes // 2) + size * (passes % 2) + 2,
        additions=40 * n + size * (passes + 1) + 6,
        comparisons=12 * n,
        exponentials=2 * n,
        memory_bits=REAL * 2 * size,
    )


MAP = BuiltIn(
    map_bits,
    cost=map_cost,
    cites="Bahl, Cocke, Jelinek and Raviv 1974",
    reach="a trellis of 2^22 states, n - k <= 19, k <= 16, or a tail-biting code of memory up to 9",
    example=Example("bch-31-21", 3.0, {"bits": "code"}),
    soft=map_app,
)
