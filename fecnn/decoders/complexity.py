"""Operation counts of any built-in decoder, by name."""

from typing import Any

from fecnn.codes.code import Code
from fecnn.decoders.cost import Cost
from fecnn.decoders.registry import built_in
from fecnn.errors import extra


def complexity(decoder: str, code: Code, /, *, work: float | None = None, **options: Any) -> Cost:
    """Operations, parameters and memory that a decoder needs for one frame.

    Args:
        decoder: A built-in decoder's name. Its formula is documented in the decoder's own file, for example
            ``osd_cost`` in `fecnn.decoders.osd`.
        code: The code.
        work: Average work per frame at some Eb/N0: test patterns (``osd``), nodes (``ml``), iterations
            (``bp``) or queries (``grand``). It is the ``work`` of a table divided by its ``frames``. Without
            it the maximum is used; ``ml`` raises an error instead.
        options: The decoder's options. Trained networks also take ``dense = True``, to count masked pairs;
            ``slnn`` and ``mlnn`` take ``binary = False``, to count their weights as real multiplications. The
            literature's SLNN and MLNN may be given by their ``hidden`` widths alone.

    Raises:
        LookupError: If there is no such built-in decoder.
        ValueError: If the work is needed but not given.

    Example:
        >>> import fecnn
        >>> complexity("slnn", fecnn.hamming(3)).additions
        41
        >>> complexity("literature-slnn", fecnn.hamming(3), weights="slnn-7-hamming-7-4").multiplications
        161
    """
    with extra("nets", f"the cost of {decoder}"):
        return built_in(decoder).cost(code, work, **options)
