"""The operations of any built-in decoder, by its name."""

from typing import Any

from fecnn.codes.code import Code
from fecnn.decoders.cost import Cost
from fecnn.decoders.registry import built_in


def complexity(decoder: str, code: Code, *, work: float | None = None, **options: Any) -> Cost:
    """Operations, parameters and memory of a decoder.

    Args:
        decoder: A built-in decoder's name. Its formula is documented beside it, in its own file, as
            ``osd_cost`` in `fecnn.decoders.osd`.
        code: The code.
        work: What the decoder did for a frame, on average, at some Eb/N0: test patterns (``osd``), nodes
            (``ml``), iterations (``bp``), queries (``grand``): the ``work`` of a table over its ``frames``.
            Where it is not given, the most that they can be, or, for ``ml``, an error.
        options: As for the decoder; for the trained networks also ``dense = True``, to count masked pairs,
            and for ``slnn`` and ``mlnn`` ``binary = False``, to count their weights as numbers that multiply.
            The literature's two may be given by their ``hidden`` widths alone.

    Raises:
        LookupError: If there is no such built-in decoder.
        ValueError: If the work is needed and not given.

    Example:
        >>> import fecnn
        >>> complexity("slnn", fecnn.hamming(3)).additions
        41
        >>> complexity("literature-slnn", fecnn.hamming(3), weights="slnn-7-hamming-7-4").multiplications
        161
    """
    return built_in(decoder).cost(code, work, **options)
