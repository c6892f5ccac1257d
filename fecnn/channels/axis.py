"""What a study may be plotted over: Eb/N0, Es/N0, or the probability of a wrong or a lost bit.

Whatever the axis, a task holds an Eb/N0, which gives the same channel; see the ``at`` of each.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

from fecnn.channels.modulation import CONSTELLATIONS
from fecnn.channels.registry import REGISTRY, Named, options_of, parts_of

DIGITS = 9
"""Digits after the point of an Eb/N0 in dB that is computed: the same on all machines."""


@dataclass(frozen=True)
class Axis:
    """One of `AXES`.

    key: Its name in study files and in CSV.
    label: Its name in tables and figures, with its unit.
    low, high: Ends of its values.
    """

    key: str
    label: str
    low: float
    high: float

    def said(self, value: float, form: str = "g") -> str:
        """A value in a sentence, such as ``3 dB``; on another axis than Eb/N0 with its name.

        Example:
            >>> AXES["ebn0_db"].said(3.0), AXES["esn0_db"].said(3.0), AXES["crossover"].said(0.05)
            ('3 dB', 'Es/N0 3 dB', 'crossover 0.05')
        """
        name, _, unit = self.label.partition(" [")
        return f"{value:{form}} dB" if self.key == "ebn0_db" else _said(name, value, form, bool(unit))

    def refuse(self, channel: Named) -> None:
        """Reject a channel that has no such axis.

        Raises:
            ValueError: Naming the channels that have it.
        """
        name = parts_of(channel)[0]
        if self.key != "ebn0_db" and name not in (have := _having(self.key)):
            raise ValueError(f"{self.key} is for the channel {' or '.join(have)}, got {name}")

    def ebn0_db(self, value: float, n: int, k: int, channel: Named) -> float:
        """The Eb/N0 in dB at a value of the axis, for a code of this size."""
        if self.key == "ebn0_db":
            return value
        if self.key == "esn0_db":
            found = value - _bits_per_symbol(n, k, channel)
        elif self.key == "crossover":
            found = _decibels(NormalDist().inv_cdf(value) ** 2 / 2 * n / k)
        else:
            found = _decibels(-math.log(value) * n / k)
        return round(found, DIGITS)

    def value(self, ebn0_db: float, n: int, k: int, channel: Named) -> float:
        """The value of the axis at an Eb/N0 in dB, for a code of this size, to six digits."""
        if self.key == "ebn0_db":
            return ebn0_db
        ratio = 10 ** (ebn0_db / 10) * k / n
        if self.key == "esn0_db":
            return round(ebn0_db + _bits_per_symbol(n, k, channel), 6) + 0.0
        return float(
            f"{0.5 * math.erfc(math.sqrt(ratio)) if self.key == 'crossover' else math.exp(-ratio):.6g}"
        )


AXES = {
    axis.key: axis
    for axis in (
        Axis("ebn0_db", "Eb/N0 [dB]", -100.0, 100.0),
        Axis("esn0_db", "Es/N0 [dB]", -100.0, 100.0),
        Axis("crossover", "crossover probability", 0.0, 0.5),
        Axis("erasure", "erasure probability", 0.0, 1.0),
    )
}
"""By their keys; the ends of probabilities are left out, because no Eb/N0 gives them."""

EBN0 = AXES["ebn0_db"]


def _said(name: str, value: float, form: str, decibels: bool) -> str:
    return f"{name.removesuffix(' probability')} {value:{form}}" + " dB" * decibels


def _having(key: str) -> list[str]:
    """Built-in channels with an axis; Es/N0 is for those with symbols."""
    named = {"crossover": ["bsc"], "erasure": ["bec"]}
    return named.get(key) or [name for name in REGISTRY if "modulation" in options_of(name)]


def _bits_per_symbol(n: int, k: int, channel: Named) -> float:
    """10 log10 of the message bits per symbol, of a frame with its padding."""
    bits = CONSTELLATIONS[str(parts_of(channel)[1].get("modulation", "bpsk"))].bits
    return _decibels(k / -(-n // bits))


def _decibels(ratio: float) -> float:
    return 10 * math.log10(ratio)
