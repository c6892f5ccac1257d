"""Modulations: bits of a frame to symbols, and received symbols to LLRs.

The Gray maps are those of 3GPP TS 38.211, section 5.1: in QPSK and QAM, even bits of a symbol choose its real
part and odd bits its imaginary part. BPSK is real here, +1 and -1, while the standard turns it by 45 degrees,
which changes no LLR. 8-PSK is not in the standard; its labels are the binary reflected Gray code around the
circle (Agrell, Lassing, Strom and Ottosson, IEEE Trans. IT 50(12), 2004). The mean energy of a symbol is 1.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits, as_bits, compiled_for
from fecnn.channels.kernels import demap, map_bits
from fecnn.channels.stream import FrameStream, Noise
from fecnn.errors import nearest, shown, whole

Real = NDArray[np.float32]

NEVER = 1e30
"""Taken off the log-likelihood of a point that a frame's known last bits exclude."""


@dataclass(frozen=True)
class Constellation:
    """The points of a modulation, as the kernels take them.

    bits: Bits per symbol, m.
    groups: Sets of bits of a symbol that noise leaves independent: 2 where real and imaginary part carry
        their own, else 1. Bit t of group g is bit t * groups + g of the symbol.
    points: Coordinates of a group's points, (P, 2) f4, by their bits (bit t has the value 2^t): the group's
        own axis, and the other one.
    axes: Real dimensions of a symbol, 1 or 2.
    """

    bits: int
    groups: int
    points: Real
    axes: int


def _amplitude(signs: list[int]) -> int:
    """The level of a symbol on one axis, TS 38.211, 5.1.3 to 5.1.6: s0 (2^(b-1) - s1 (2^(b-2) - ...))."""
    return signs[0] * (2 ** (len(signs) - 1) - _amplitude(signs[1:])) if signs else 0


def _qam(bits: int) -> Constellation:
    """QPSK and square QAM."""
    half = bits // 2
    signs = [[1 - 2 * (i >> t & 1) for t in range(half)] for i in range(2**half)]
    levels = np.array([_amplitude(row) for row in signs]) / np.sqrt(2 * (4**half - 1) / 3)
    return Constellation(bits, 2, np.stack([levels, 0 * levels], axis=1).astype(np.float32), 2)


def _psk(bits: int) -> Constellation:
    """Points at multiples of 2 pi / M: that at i carries the bits of i ^ (i >> 1), the last one lowest."""
    angles = np.empty(2**bits)
    for i in range(2**bits):
        label = int(format(i ^ i >> 1, f"0{bits}b")[::-1], 2)
        angles[label] = 2 * np.pi * i / 2**bits
    return Constellation(bits, 1, np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32), 2)


CONSTELLATIONS = {
    "bpsk": Constellation(1, 1, np.array([[1, 0], [-1, 0]], np.float32), 1),
    "qpsk": _qam(2),
    "8psk": _psk(3),
    "16qam": _qam(4),
    "64qam": _qam(6),
    "256qam": _qam(8),
}

DEMAPPERS = ("exact", "maxlog")
INTERLEAVERS = ("none", "random", "row-column")


@dataclass(frozen=True)
class Modem:
    """The way from a frame's bits to symbols, and back to LLRs.

    A frame whose n bits are not a multiple of m is padded with zeros, which the receiver knows. Symbols with
    them have another mean energy over square QAM: zeros choose its inner points. Channels count the energy
    that a frame of n bits has in the mean, see `loudness`.

    Args:
        modulation: ``bpsk``, ``qpsk``, ``8psk``, ``16qam``, ``64qam`` or ``256qam``.
        demapper: ``exact`` for log-likelihood ratios; ``maxlog`` takes only the most likely symbol of each
            kind.
        interleaver: Which bits share a symbol: ``none`` for neighbours; ``random``; ``row-column``, which
            writes the bits into m rows and reads columns, as TS 38.212, section 5.4.2.2.
        interleaver_seed: Seed of the random one, 0 for the others.

    Raises:
        TypeError: If the seed is no whole number.
        ValueError: If one of these is unknown, or a seed is given to another interleaver.

    Example:
        >>> modem = Modem("16qam")
        >>> modem.symbols(np.array([[0, 0, 0, 0, 1, 0, 1, 1]], np.uint8)).round(4)
        array([[ 0.3162+0.3162j, -0.9487+0.9487j]], dtype=complex64)
        >>> modem.llr(modem.symbols(np.zeros((1, 4), np.uint8)), sigma=0.5, n=4).shape
        (1, 4)
    """

    modulation: str = "bpsk"
    demapper: str = "exact"
    interleaver: str = "none"
    interleaver_seed: int = 0

    def __post_init__(self) -> None:
        for name, known in (
            ("modulation", tuple(CONSTELLATIONS)),
            ("demapper", DEMAPPERS),
            ("interleaver", INTERLEAVERS),
        ):
            if (value := getattr(self, name)) not in known:
                raise ValueError(f"no {name} {value!r}; {nearest(str(value), known)}")
        if whole("interleaver_seed", self.interleaver_seed) and self.interleaver != "random":
            raise ValueError(
                f"interleaver_seed is for the interleaver random, not for {self.interleaver}, got "
                f"{self.interleaver_seed}"
            )

    def __str__(self) -> str:
        said = [self.modulation, *["max-log"] * (self.demapper == "maxlog")]
        if self.interleaver != "none":
            seed = f" {self.interleaver_seed}" if self.interleaver == "random" else ""
            said.append(f"{self.interleaver} interleaver{seed}")
        return ", ".join(said)

    @property
    def is_plain(self) -> bool:
        """Whether each bit of a frame is a BPSK symbol, in order."""
        return self.modulation == "bpsk" and self.interleaver == "none"

    @property
    def bits(self) -> int:
        """Bits per symbol, m."""
        return CONSTELLATIONS[self.modulation].bits

    def symbols_of(self, n: int) -> int:
        """Symbols of a frame of n bits."""
        return -(-n // self.bits)

    def energy(self, n: int) -> float:
        """Mean energy of a frame of n bits, padding included; that of a symbol without padding is 1.

        Example:
            >>> Modem("qpsk").energy(7), round(Modem("16qam").energy(7), 6)
            (4.0, 1.6)
        """
        known = CONSTELLATIONS[self.modulation]
        squares, labels = (known.points.astype(np.float64) ** 2).sum(axis=1), np.arange(len(known.points))
        zeros = (_shape(self, n).sure > 0).T @ (1 << np.arange(known.bits // known.groups))
        means = {
            mask: round(squares[labels & mask == 0].mean() / squares.mean(), 6)  # 1 without zeros
            for mask in np.unique(zeros).tolist()
        }
        return float(sum(means[mask] for mask in zeros.tolist())) / known.groups

    def loudness(self, n: int) -> float:
        """Amplitude of the noise at an Eb/N0 relative to that for frames without padding."""
        return float(np.sqrt(self.bits * self.energy(n) / n))

    def transmit(self, bits: Bits, rng: Noise, sigma: float, gain: Real | None = None) -> LLR:
        """LLRs of frames sent over Gaussian noise, float32 of the shape of the bits.

        Args:
            bits: Code bits, ``(frames, n)`` uint8.
            rng: Where the noise comes from.
            sigma: Standard deviation of the noise, per real dimension, for frames without padding.
            gain: Known amplitudes of fading, ``(frames, symbols)`` float32; 1 if left out.
        """
        n = bits.shape[1]
        loud = sigma * self.loudness(n)
        received = self.map(bits)
        if gain is not None:
            received *= gain if received.shape == gain.shape else np.concatenate([gain, gain], axis=1)
        received += np.float32(loud) * rng.standard_normal(received.shape, dtype=np.float32)
        return self.demap(received, loud, n, gain)

    def symbols(self, bits: Bits) -> NDArray[np.complex64]:
        """Symbols, (frames, ceil(n / m)) complex64, of mean energy 1; those with padding have their own.

        Args:
            bits: Code bits, ``(frames, n)`` uint8.
        """
        parts = self.map(bits)
        count = self.symbols_of(bits.shape[1])
        out = np.zeros((len(bits), count), np.complex64)
        out.real = parts[:, :count]
        if parts.shape[1] > count:
            out.imag = parts[:, count:]
        return out

    def llr(self, y: NDArray[Any], sigma: float, n: int, gain: NDArray[Any] | None = None) -> LLR:
        """LLRs of received symbols, (frames, n) float32.

        Args:
            y: Received symbols, ``(frames, symbols)`` complex; of a faded one, with its phase corrected.
            sigma: Standard deviation of the noise, per real dimension.
            n: Bits per frame.
            gain: Amplitudes of the fading, ``(frames, symbols)``; 1 if left out.
        """
        parts = [y.real, y.imag][: CONSTELLATIONS[self.modulation].axes]
        known = None if gain is None else np.asarray(gain, np.float32)
        return self.demap(np.concatenate(parts, axis=1).astype(np.float32), sigma, n, known)

    def map(self, bits: Bits) -> Real:
        """Real parts of the symbols, then the imaginary ones if there are any, (frames, axes * symbols)."""
        bits = as_bits(bits, "bits")
        frames, n = bits.shape
        known, shape = CONSTELLATIONS[self.modulation], _shape(self, n)
        out = np.empty((frames, known.axes * self.symbols_of(n)), np.float32)
        map_bits(compiled_for(bits), shape.source, known.points, out)
        return out

    def demap(self, received: Real, sigma: float, n: int, gain: Real | None = None) -> LLR:
        """As `llr`, of what `map` returns, received."""
        shape = _shape(self, n)
        out = np.empty((len(received), n), np.float32)
        points = CONSTELLATIONS[self.modulation].points
        gains = np.empty((0, 0), np.float32) if gain is None else compiled_for(gain)
        precision, exact = np.float32(1 / sigma**2), self.demapper == "exact"
        demap(compiled_for(received), gains, precision, points, shape.sure, shape.target, exact, out)
        return out


BPSK = Modem()
"""Each bit of a frame a symbol, in order."""


def refuse_modem(modem: object) -> None:
    """Reject what is no `Modem`, such as the name of a modulation."""
    if not isinstance(modem, Modem):
        raise TypeError(f"modem must be a Modem, as Modem('qpsk'), got {shown(modem)}")


@dataclass(frozen=True)
class _Shape:
    """What depends on the length of a frame; places are those of the groups' labels, group by group.

    order: The bit at each position of the transmitted frame, (m * symbols,) i8; n or more is padding.
    source: The same by bits of labels, (b, groups * symbols) u8.
    sure: What a bit 1 takes off a point's log-likelihood there, (b, groups * symbols) f4.
    target: For each code bit its index in such an array, (n,) i8.
    """

    order: NDArray[np.int64]
    source: NDArray[np.uint64]
    sure: Real
    target: NDArray[np.int64]


@lru_cache(maxsize=256)
def _shape(modem: Modem, n: int) -> _Shape:
    known, symbols = CONSTELLATIONS[modem.modulation], modem.symbols_of(n)
    size = known.bits * symbols
    order = np.arange(size)
    if modem.interleaver == "row-column":
        order = order.reshape(known.bits, symbols).T.reshape(-1)
    elif modem.interleaver == "random":
        stream = FrameStream(f"interleaver {modem.interleaver_seed}", 0)
        order = np.argsort(stream.random((1, size))[0], kind="stable")
    order = np.ascontiguousarray(order, np.int64)
    # Position s * m + t * groups + g holds bit t of group g of symbol s.
    source = order.reshape(symbols, -1, known.groups).transpose(1, 2, 0).reshape(-1, known.groups * symbols)
    sure = np.where(source < n, np.float32(0), np.float32(NEVER))
    return _Shape(order, source.astype(np.uint64), sure, np.argsort(source, axis=None)[:n].astype(np.int64))
