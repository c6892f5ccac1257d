"""Limits on the size of networks, checked before anything is allocated, because widths come from files."""

MAX_PARAMETERS = 1 << 27
"""Most parameters of a network (512 MiB), far beyond any decoder of a short code."""

MAX_LAYERS = 1000
"""Most layers or blocks of a network."""


def refuse_huge(parameters: int, layers: int = 1) -> None:
    """Reject a network that is too large, before it is built.

    Args:
        parameters: Approximate number of parameters.
        layers: Number of layers or blocks.

    Raises:
        ValueError: If there are more than `MAX_PARAMETERS` parameters, or more than `MAX_LAYERS` layers.
    """
    if layers > MAX_LAYERS:
        raise ValueError(f"a network has at most {MAX_LAYERS} layers; use fewer")
    if parameters > MAX_PARAMETERS:
        raise ValueError(
            f"a network has at most {MAX_PARAMETERS} parameters; use smaller widths or a smaller code"
        )
