"""Encoders and decoders as GNU Radio blocks; GNU Radio's LLRs are positive for bit 1.

As with all blocks in Python, keep a name for each as long as the flow graph runs: GNU Radio does not.
"""

from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fecnn.channels.channel import Channel
from fecnn.codes.code import Code
from fecnn.decoders import decoder, soft_decoder
from fecnn.decoders.built import Name

try:
    from gnuradio import gr
except ImportError as error:
    raise ImportError(
        "fecnn.pipelines.gnuradio needs GNU Radio 3.10 in the same Python: install gnuradio of Debian or "
        "Ubuntu, and fecnn in an environment of python3 -m venv --system-site-packages (with 'numpy<2' if "
        "that GNU Radio was built for NumPy 1)"
    ) from error

BLOCKS = Path(__file__).parent / "grc"
"""The folder of the blocks' definitions for GNU Radio Companion, for its ``GRC_BLOCKS_PATH``."""

Items = list[NDArray[Any]]


DONE = -1
"""What a block's ``work`` returns when there is no more to come."""


class _Block(gr.sync_block):  # type: ignore[misc]
    """A block that turns all vectors that are there into others, in one call.

    A vector that cannot be decoded ends the flow graph after those before it, with a line in GNU Radio's
    log: an exception in ``work`` would leave it hanging.
    """

    def __init__(
        self, name: str, given: tuple[type[np.generic], int], made: tuple[type[np.generic], int]
    ) -> None:
        # A vector of one item is an item.
        super().__init__(name, *([(dtype, width) if width > 1 else dtype] for dtype, width in (given, made)))
        self._given, self._made = given, made

    def start(self) -> bool:
        """Compile before the flow graph runs, so that its first vectors do not wait for it."""
        (dtype, width), (made, length) = self._given, self._made
        with suppress(Exception):  # it hangs the flow graph, and may be about these zeros
            self._fill(np.zeros((1, width), dtype), np.zeros((1, length), made))
        return True

    def work(self, input_items: Items, output_items: Items) -> int:
        """Fill all vectors of the output."""
        given = input_items[0].reshape(-1, self._given[1])
        out = output_items[0].reshape(-1, self._made[1])
        try:
            self._fill(given, out)
            return len(out)
        except Exception:
            return self._as_far_as_possible(given, out)

    def _as_far_as_possible(self, given: NDArray[Any], out: NDArray[Any]) -> int:
        for place in range(len(out)):
            one = slice(place, place + 1)
            try:
                self._fill(given[one], out[one])
            except Exception as error:
                if place:
                    return place
                gr.logger(self.name()).error(f"vector {self.nitems_read(0)}: {error}")
                return DONE
        return len(out)

    def _fill(self, given: NDArray[Any], out: NDArray[Any]) -> None:
        raise NotImplementedError


class Encoder(_Block):
    """Codewords of messages: vectors of k bytes 0 and 1 to vectors of n.

    Args:
        code: The code.
    """

    def __init__(self, code: Code) -> None:
        if not isinstance(code, Code):
            raise TypeError(f"code must be a fecnn.Code, such as fecnn.load_code('bch-31-16'), got {code!r}")
        super().__init__(f"{code.name} encoder", (np.uint8, code.k), (np.uint8, code.n))
        self.code = code

    def _fill(self, given: NDArray[Any], out: NDArray[Any]) -> None:
        out[:] = self.code.encode(given)


class Decoder(_Block):
    """A decoder of fecnn as a block: vectors of n LLRs log p1/p0 to vectors of bytes 0 and 1.

    Args:
        name: A decoder, as `fecnn.decoder` takes it, with its code, channel and options. The channel may be
            left out: no decoder of fecnn needs it.
        output: ``message`` for vectors of k message bits, ``code`` for n code bits.
    """

    def __init__(
        self,
        name: Name,
        code: Code,
        channel: Channel | None = None,
        /,
        *,
        output: Literal["code", "message"] = "message",
        **options: Any,
    ) -> None:
        self.decode = decoder(name, code, channel, output=output, **options)
        width = code.k if output == "message" else code.n
        super().__init__(f"{code.name} {self.decode.recipe.called}", (np.float32, code.n), (np.uint8, width))

    def _fill(self, given: NDArray[Any], out: NDArray[Any]) -> None:
        self.decode(-given, out=out)


class SoftDecoder(_Block):
    """A soft decoder of fecnn as a block: vectors of n LLRs log p1/p0 to n a-posteriori LLRs log p1/p0.

    Args:
        name: A soft decoder, as `fecnn.soft_decoder` takes it, with its code, channel and options.
        extrinsic: Whether to return only what the code adds: the a-posteriori LLRs minus the LLRs.
    """

    def __init__(
        self,
        name: Name,
        code: Code,
        channel: Channel | None = None,
        /,
        *,
        extrinsic: bool = False,
        **options: Any,
    ) -> None:
        soft = soft_decoder(name, code, channel, **options)
        self.decode = soft.extrinsic if extrinsic else soft
        super().__init__(f"{code.name} {soft.recipe.called}", (np.float32, code.n), (np.float32, code.n))

    def _fill(self, given: NDArray[Any], out: NDArray[Any]) -> None:
        np.subtract(0, self.decode(-given), out=out)  # where -0.0 does not occur
