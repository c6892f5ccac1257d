"""The inner loop of a study: making frames, and counting a decoder's errors on them.

`PlainEngine` is the readable path through `fecnn.channels` and `fecnn.simulation.tally`. `Engine` is its
compiled version, with bit-for-bit the same frames and the same counts, as the tests show. Over BPSK and AWGN
it writes no array of noise: a few frames at a time stay in cache from the counter to the LLRs. Over other
channels it makes the codewords, and the channel their LLRs. Only frames with errors are visited twice.
"""

from dataclasses import dataclass

import numpy as np

from fecnn.arrays import LLR, Bits, compiled_for
from fecnn.channels.awgn import AWGN
from fecnn.channels.channel import Channel
from fecnn.channels.stream import FrameStream
from fecnn.codes import gf2
from fecnn.codes.code import Code
from fecnn.decoders.contract import Effort
from fecnn.simulation.kernels import count_words, make_frames, make_words
from fecnn.simulation.tally import Tally, effort_counts, tally


@dataclass(frozen=True)
class Frames:
    """Frames to be decoded.

    llr: (B, n) float32.
    codewords: The sent codewords, (B, n) uint8.
    """

    llr: LLR
    codewords: Bits


class PlainEngine:
    """Frames and counts for one code over any channel, by the readable path.

    Args:
        code: The code.
        channel: The channel.
    """

    def __init__(self, code: Code, channel: Channel) -> None:
        self.code, self._channel = code, channel

    def frames(self, stream: FrameStream, count: int) -> Frames:
        """The first ``count`` frames of a stream."""
        codewords = self.code.encode(stream.messages(count, self.code.k))
        return Frames(self._channel.transmit(codewords, stream), codewords)

    def count(self, frames: Frames, decided: Bits, seconds: float, effort: Effort | None = None) -> Tally:
        """Counts of decisions, (B, n) code bits."""
        return tally(self.code, frames.codewords, frames.llr, decided, seconds, effort)


class Engine:
    """The compiled version of `PlainEngine`: the same frames and counts.

    Args:
        code: The code.
        channel: The channel.

    Example:
        >>> import fecnn
        >>> code = fecnn.hamming(3)
        >>> engine = Engine(code, AWGN.at(4.0, code.rate))
        >>> frames = engine.frames(FrameStream("demo", 0), 100)
        >>> decode = fecnn.decoder("ml", code)
        >>> engine.count(frames, decode(frames.llr), 0.0).frames
        100
    """

    def __init__(self, code: Code, channel: Channel) -> None:
        self.code, self._channel = code, channel
        self._encode = gf2.LinearMap(code.G).table
        self._split = gf2.LinearMap(np.hstack([gf2.right_inverse(code.G), gf2.rref(code.H)[0].T])).table

    def frames(self, stream: FrameStream, count: int) -> Frames:
        """The first ``count`` frames of a stream."""
        n, k, first = self.code.n, self.code.k, np.uint64(stream.first)
        codewords, channel = np.empty((count, n), np.uint8), self._channel
        if not (isinstance(channel, AWGN) and channel.modem.is_plain):
            make_words(stream.key, first, k, self._encode, codewords)
            return Frames(compiled_for(channel.transmit(codewords, stream)), codewords)
        llr, messages = np.empty((count, n), np.float32), np.empty((count, -(-k // 64)), np.uint64)
        sigma, scale = np.float32(channel.sigma), np.float32(2 / channel.sigma**2)
        make_frames(stream.key, first, k, sigma, scale, self._encode, llr, codewords, messages)
        return Frames(llr, codewords)

    def count(self, frames: Frames, decided: Bits, seconds: float, effort: Effort | None = None) -> Tally:
        """Counts of decisions, (B, n) code bits."""
        decided = compiled_for(decided)
        flags = np.empty(len(decided), np.uint8)
        counts = count_words(frames.llr, frames.codewords, decided, self.code.k, self._split, flags)
        block_errors, bits, bits_sq, code_bits, code_bits_sq, ml_errors = counts.tolist()
        return Tally(
            frames=len(decided),
            block_errors=block_errors,
            bit_errors=bits,
            bit_errors_sq=bits_sq,
            code_bit_errors=code_bits,
            code_bit_errors_sq=code_bits_sq,
            ml_errors=ml_errors,
            **effort_counts(effort, flags != 0),
            seconds=seconds,
            flags=np.packbits(flags).tobytes(),
        )


class Resent:
    """Frames made by another code with the same codewords, counted for a code that maps messages differently.

    Args:
        engine: Engine of the code.
        sender: Engine of the other code, over the same channel.
    """

    def __init__(self, engine: Engine, sender: Engine) -> None:
        self.code, self.count, self.frames = engine.code, engine.count, sender.frames


AnyEngine = Engine | Resent
