"""How large a network may be: checked before anything is allocated, for widths come from files."""

MAX_PARAMETERS = 1 << 27
"""Most parameters of a network, 512 MiB of them: far beyond any decoder of a short code."""

MAX_LAYERS = 1000
"""Most layers or blocks of a network."""


def refuse_huge(parameters: int, layers: int = 1) -> None:
    """Refuse a network before it is built.

    Args:
        parameters: About how many numbers training would change.
        layers: Layers or blocks.

    Raises:
        ValueError: If there are more than `MAX_PARAMETERS`, or more layers than `MAX_LAYERS`.
    """
    if layers > MAX_LAYERS:
        raise ValueError(f"a network has at most {MAX_LAYERS} layers; use fewer")
    if parameters > MAX_PARAMETERS:
        raise ValueError(
            f"a network has at most {MAX_PARAMETERS} parameters; use smaller widths or a smaller code"
        )
