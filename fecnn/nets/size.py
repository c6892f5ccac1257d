"""Limits on the size of networks, checked before anything is allocated, because widths come from files."""

MAX_PARAMETERS = 1 << 27
"""Most parameters of a network (512 MiB), far beyond any decoder of a short code."""

MAX_LAYERS = 1000
"""Most layers or blocks of a network."""

MAX_TOKENS = 1 << 13
"""Most tokens of a transformer, whose masks have the square of it."""


def refuse_huge(parameters: int, layers: int = 1, tokens: int = 0) -> None:
    """Reject a network that is too large, before it is built.

    Args:
        parameters: Approximate number of parameters.
        layers: Number of layers or blocks.
        tokens: Number of tokens that may attend to each other.

    Raises:
        ValueError: If there are more than `MAX_PARAMETERS` parameters, `MAX_LAYERS` layers or `MAX_TOKENS`
            tokens.
    """
    if tokens > MAX_TOKENS:
        raise ValueError(f"a transformer has at most {MAX_TOKENS} tokens, not {tokens}; use fewer checks")
    if layers > MAX_LAYERS:
        raise ValueError(f"a network has at most {MAX_LAYERS} layers; use fewer")
    if parameters > MAX_PARAMETERS:
        raise ValueError(
            f"a network has at most {MAX_PARAMETERS} parameters; use smaller widths or a smaller code"
        )
