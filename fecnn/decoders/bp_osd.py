"""OSD after belief propagation."""

import numpy as np

from fecnn.arrays import LLR, Bits
from fecnn.channels.channel import Channel
from fecnn.codes.code import Code
from fecnn.decoders.bp import bp_cost, prepared
from fecnn.decoders.contract import Decoder, Effort, Measured
from fecnn.decoders.cost import Cost
from fecnn.decoders.finish import finisher, most_likely, surely_most_likely
from fecnn.decoders.osd import order_of, osd_cost
from fecnn.decoders.registry import BuiltIn, Example

BELIEFS = ("sum", "posterior")


def bp_osd(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    order: int = 1,
    belief: str = "sum",
    always: bool = False,
    both: bool = True,
    rule: str = "sum-product",
    scale: float = 1.0,
    schedule: str = "flooding",
    iterations: int = 50,
    checks: str = "H",
) -> Decoder:
    """Belief propagation, and OSD on what it believes where it ends on no codeword (Fossorier 2001).

    OSD lists the best word (order 0) or the 8 best by the beliefs; of these and the codeword of belief
    propagation, if it found one, the most likely by the channel is the decision. So it is always a codeword.
    The work of a frame is its number of iterations.

    Args:
        code: Any code.
        channel: Not used: LLRs are enough, but they should be true ones, not scaled.
        order: As for `osd`, 0 to k.
        belief: What OSD takes for LLRs: ``posterior``, those of the last iteration (Fossorier, IEEE JSAC
            19(5), 2001), or ``sum``, posteriors summed over the iterations (Jiang, Zhao, Xu and Zhang, IEEE
            Commun. Lett. 11(8), 2007), since those of a frame that finds no codeword swing.
        always: Also where belief propagation found a codeword that the minimum distance does not prove to be
            ML. If that distance is not known, no codeword is doubted, and this changes nothing.
        both: OSD lists the best words by the channel's LLRs too.
        rule: As for `bp`.
        scale: As for `bp`.
        schedule: As for `bp`.
        iterations: As for `bp`.
        checks: As for `bp`.

    Raises:
        ValueError: If an option is out of range, or there are too many checks.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("bp-osd", fecnn.load_code("ccsds-128-64"), order=1)
        >>> decode(np.full((1, 128), 2, np.float32)).any()
        np.False_
    """
    if belief not in BELIEFS:
        raise ValueError(f"belief must be {' or '.join(BELIEFS)}, got {belief!r}")
    run = prepared(code, rule, scale, 0.0, schedule, iterations, 0.0, checks)
    lister = finisher(code, order_of(code, order))

    def measure(llr: LLR) -> tuple[Bits, Effort]:
        found = run(llr, sums=belief == "sum")
        words = found.words
        rows = np.flatnonzero(~surely_most_likely(code, llr, words) if always else ~found.solved)
        given, believed = llr[rows], (found.posterior if found.sums is None else found.sums)[rows]
        lists = [lister(beliefs) for beliefs in ((believed, given) if both else (believed,))]
        listed, held = (np.concatenate(parts, axis=1) for parts in zip(*lists, strict=True))
        words[rows] = most_likely(code, given, words[rows], listed, held)
        return words, Effort(found.used, np.zeros(len(llr), np.bool_))

    return Measured(measure)


def bp_osd_cost(
    code: Code, work: float | None = None, *, order: int = 1, both: bool = True, **options: object
) -> Cost:
    """A frame of `bp` that takes ``work`` iterations and ends on no codeword, and OSD once or twice."""
    bp_options = {key: value for key, value in options.items() if key in ("rule", "iterations", "checks")}
    return bp_cost(code, work, **bp_options) + osd_cost(code, order=order).times(1 + both)  # type: ignore[arg-type]


BP_OSD = BuiltIn(
    bp_osd,
    cost=bp_osd_cost,
    cites="Fossorier, IEEE JSAC 19(5), 2001",
    reach="any code",
    example=Example("ccsds-128-64", 3.0),
    unit="iterations",
)
