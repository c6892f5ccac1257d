"""Checks that a decoder or a channel, built-in or your own, keeps its contract."""

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from fecnn.arrays import LLR, Bits, bpsk, hard
from fecnn.channels.awgn import AWGN
from fecnn.channels.contract import refuse_unaddressed
from fecnn.channels.registry import channel_at
from fecnn.channels.stream import FrameStream
from fecnn.codes.code import Code
from fecnn.codes.families import hamming
from fecnn.codes.polar import polar
from fecnn.decoders import decoder
from fecnn.decoders.contract import Decoder
from fecnn.errors import ContractError

EBN0_DB = 3.0
FRAMES = 400
CHANNEL_FRAMES = 20_000


def check_decoder(name: str, *codes: Code, symmetric: bool = True, **options: Any) -> None:
    """Check a decoder against the contract that studies rely on.

    The decoder must

    - recover every codeword without noise;
    - return uint8 bits of shape (B, n) or (B, k), also for an empty batch, and code bits where n = k;
    - not write to its input;
    - return the same bits (also for ties) when called again, in other batches, from two threads at once,
      after many other frames, and when built a second time;
    - be symmetric: receiving codeword c instead of zero changes the decision by exactly c (this also
      justifies training on the zero codeword);
    - have no more block errors than undecoded hard decisions.

    Args:
        name: A decoder's name, or ``"module:function"`` of its factory.
        codes: Codes to check it on; Hamming (7,4) and polar (16,8) by default.
        symmetric: False for a decoder that does not claim symmetry.
        options: The decoder's options.

    Raises:
        ContractError: Naming the clause that is broken.

    Example:
        >>> check_decoder("osd", order=1)
    """
    for code in codes or (hamming(3), polar(16, 8)):
        channel = AWGN.at(EBN0_DB, code.rate)
        decode, twin = (decoder(name, code, channel, **options) for _ in range(2))
        _Check(name, code, decode).all(channel, symmetric, twin)
    if not codes:
        _check_full_code(name, options)


def check_channel(name: str, *, calibrated: bool = True, n: int = 13, **options: bool | float | str) -> None:
    """Check a channel against the contract that studies rely on.

    The channel must

    - return float32 LLRs of shape (frames, n) without NaN, also for an empty batch, and not write to its
      input;
    - draw all its randomness from the source that it is given, so that frames are the same in other batches,
      when made again, and from two threads at once;
    - keep the sign: at 20 dB most positive LLRs are of zeros, and most negative ones of ones;
    - be calibrated: among bits with an LLR near x, the share of zeros is 1 / (1 + exp(-x)).

    Args:
        name: A channel's name, or ``"module:function"``.
        calibrated: False for a channel whose LLRs approximate, such as those of a max-log demapper.
        n: Bits per frame.
        options: The channel's options.

    Raises:
        ContractError: Naming the clause that is broken.

    Example:
        >>> check_channel("awgn")
    """
    named = (*options.items(), ("name", name)) if options else name
    for ebn0_db in (1.0, 20.0):
        channel = channel_at(named, ebn0_db, 0.5)
        refuse_unaddressed(name, channel, n)
        bits = FrameStream("channel", 0).messages(CHANNEL_FRAMES, n)
        llr = channel.transmit(bits, FrameStream("channel", 0))
        if channel.transmit(bits[:0], FrameStream("channel", 0)).shape != (0, n):
            raise ContractError(f"channel {name} does not return an empty array for an empty batch")
        with ThreadPoolExecutor(2) as pool:
            for again in pool.map(
                lambda _, channel=channel, bits=bits: channel.transmit(bits, FrameStream("channel", 0)),
                range(4),
            ):
                if not np.array_equal(again, llr):
                    raise ContractError(f"channel {name} cannot be called from two threads at once")
        if ebn0_db == 20.0 and np.sum(hard(llr) != bits) + 0.5 * np.sum(llr == 0) > 0.25 * bits.size:
            raise ContractError(f"channel {name} has the sign of its LLRs wrong: positive means bit 0")
        if calibrated:
            _check_calibration(name, bits, llr)


def _check_calibration(name: str, bits: Bits, llr: LLR) -> None:
    """Check that the shares of zeros are those that the LLRs claim, to six standard deviations."""
    zero, value = (bits == 0).ravel(), llr.ravel().astype(np.float64)
    claimed = 1 / (1 + np.exp(-np.clip(value, -700, 700)))
    edges = np.array([-np.inf, -12, -8, -6, *np.arange(-5, 5.25, 0.5), 6, 8, 12, np.inf])
    which = np.digitize(value, edges)
    for i in np.unique(which):
        here = which == i
        expected, found = claimed[here].sum(), int(zero[here].sum())
        deviation = math.sqrt(float((claimed[here] * (1 - claimed[here])).sum()))
        if abs(found - expected) > 6 * deviation + 3:
            raise ContractError(
                f"channel {name} is not calibrated: of {int(here.sum())} bits with LLRs of "
                f"{value[here].min():.2f} to {value[here].max():.2f}, {found} are 0, not {expected:.1f} "
                "(where they approximate, give calibrated=False)"
            )


def _check_full_code(name: str, options: dict[str, Any]) -> None:
    """Check that a decoder returns code bits where n = k; one that rejects such codes passes."""
    code = Code.from_generator(np.triu(np.ones((6, 6), np.uint8)), name="full-6")
    codewords = code.codebook()
    try:
        decided = decoder(name, code, AWGN.at(EBN0_DB, code.rate), **options)(8 * bpsk(codewords))
    except Exception as error:
        if "message bits" in str(error):
            raise ContractError(str(error)) from None
        return
    if not np.array_equal(decided, codewords):
        raise ContractError(f"{name} on {code.name} does not recover codewords without noise, where n = k")


class _Check:
    def __init__(self, name: str, code: Code, decode: Decoder) -> None:
        self.code, self.decode = code, decode
        self._who = f"{name} on {code.name}"

    def all(self, channel: AWGN, symmetric: bool, twin: Decoder) -> None:
        rng = np.random.default_rng(1)
        messages = rng.integers(0, 2, (FRAMES, self.code.k), dtype=np.uint8)
        codewords = self.code.encode(messages)
        llr = channel.transmit(codewords, rng)
        self.require(
            self.wrong(self.decode(8 * bpsk(codewords)), codewords) == 0,
            "does not recover codewords without noise",
        )
        before = llr.copy()
        decided = self.decode(llr)
        self.require(bool((llr == before).all()), "writes to its input")
        self.require(
            self.decode(llr[:0]).shape == (0, decided.shape[1]),
            "does not return an empty array for an empty batch",
        )
        self.require(bool((self.decode(llr) == decided).all()), "decides differently the second time")
        parts = np.concatenate([self.decode(part) for part in np.array_split(llr, [1, 2, 9, 200])])
        self.require(bool((parts == decided).all()), "lets the other frames of its batch change a decision")
        with ThreadPoolExecutor(2) as pool:
            for again in pool.map(self.decode, [llr] * 4):
                self.require(bool((again == decided).all()), "cannot be called from two threads at once")
        if symmetric:
            self.symmetry(llr, rng)
        self.memory(llr, twin)
        errors, undecoded = self.wrong(decided, codewords), self.wrong(hard(llr), codewords)
        self.require(
            errors <= undecoded, f"has {errors} block errors, more than the {undecoded} of hard decisions"
        )

    def memory(self, llr: LLR, twin: Decoder) -> None:
        """Decisions must not depend on earlier frames, even for ties."""
        hard_to_tell = (llr, np.sign(llr), np.zeros_like(llr))
        first = [self.decode(frames) for frames in hard_to_tell]
        for _ in range(4):
            for frames, decided in zip(hard_to_tell, first, strict=True):
                self.require(bool((self.decode(frames) == decided).all()), "remembers what it decoded before")
                self.decode(np.repeat(frames, 3, axis=0)[:997])
        for frames, decided in zip(hard_to_tell, first, strict=True):
            self.require(
                bool((twin(frames) == decided).all()),
                "decides differently when built again: give its random numbers a fixed seed",
            )

    def symmetry(self, llr: LLR, rng: np.random.Generator) -> None:
        shift = rng.integers(0, 2, (len(llr), self.code.k), dtype=np.uint8)
        codeword = self.code.encode(shift)
        decided, shifted = self.decode(llr), self.decode(llr * bpsk(codeword))
        expected = decided ^ (codeword if decided.shape[1] == self.code.n else shift)
        self.require(bool((shifted == expected).all()), "is not symmetric: it favours some codewords")

    def wrong(self, decided: Bits, codewords: Bits) -> int:
        words = decided if decided.shape[1] == self.code.n else self.code.encode(decided)
        return int((words != codewords).any(axis=1).sum())

    def require(self, holds: bool, clause: str) -> None:
        if not holds:
            raise ContractError(f"{self._who} {clause}")
