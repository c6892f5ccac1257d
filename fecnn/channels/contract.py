"""What the engine relies on in a channel that does not ship with fecnn."""

import numpy as np

from fecnn.channels.channel import Channel
from fecnn.channels.stream import FrameStream
from fecnn.errors import ContractError

FRAMES = 9


def refuse_unaddressed(name: str, channel: Channel, n: int) -> None:
    """Reject a channel whose LLRs are not float32 ``(frames, n)`` that follow from each frame's address.

    Args:
        name: What messages call it.
        channel: The channel.
        n: Bits per frame.

    Raises:
        ContractError: Naming what is wrong.
    """
    bits = FrameStream("contract", 0).messages(FRAMES, n)
    before = bits.copy()
    whole, again = (channel.transmit(bits, FrameStream("contract noise", 0)) for _ in range(2))
    for first, count in ((0, 1), (1, FRAMES - 1)):
        rows = slice(first, first + count)
        part = channel.transmit(bits[rows], FrameStream("contract noise", first))
        for llr, frames in ((whole, FRAMES), (part, count)):
            found = f"{llr.dtype} {llr.shape}" if isinstance(llr, np.ndarray) else type(llr).__name__
            if found != f"float32 {(frames, n)}":
                raise ContractError(f"channel {name} must return float32 {(frames, n)}, got {found}")
        if np.isnan(part).any():
            raise ContractError(f"channel {name} returns NaN; a position that says nothing has LLR 0")
        if not np.array_equal(part, whole[rows]):
            raise ContractError(
                f"channel {name} lets the other frames of its batch change a frame: draw all random numbers "
                "from the rng that it is given, one row a frame"
            )
    if not np.array_equal(whole, again):
        raise ContractError(
            f"channel {name} makes other frames the second time: draw all random numbers from the rng that "
            "it is given"
        )
    if not np.array_equal(bits, before):
        raise ContractError(f"channel {name} writes to the bits that it is given")
