"""What the readers of all formats share: numbers of unknown origin, names of codes, points with counts."""

import math
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from fecnn._files.text import refuse_control_characters
from fecnn.codes.catalogue import code_names
from fecnn.errors import shown
from fecnn.studies.reference import MAX_COUNT, Reference, checked

_NUMBER = re.compile(r"[+-]?(\d{1,400}\.?\d{0,400}|\.\d{1,400})([eE][+-]?\d{1,9})?", re.ASCII)

SPREAD = 2.2
"""Half a 95 % interval of a bit error rate, relative, times the root of the number of block errors.

Bit errors of a frame come together, so block errors say how many independent events there were.
"""

MISPRINT = 0.02
"""Largest relative difference between a printed rate and its counts, of which some formats print 3 digits."""


def number(text: str, name: str) -> float:
    """A finite number.

    Raises:
        ValueError: If it is none.
    """
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise ValueError(f"{name} must be a number, got {shown(text)}")
    return value


def count(text: str, name: str) -> int:
    """A whole number from 0 to 2^53, which may be written as ``1.71e+08`` or ``100.0``.

    Raises:
        ValueError: If it is none.
    """
    value = number(text, name)
    if not 0 <= value <= MAX_COUNT or not value.is_integer():
        raise ValueError(f"{name} must be a count, got {shown(text)}")
    return int(value)


def code_of(path: Path, family: str, n: int | None, k: int | None) -> str:
    """Our name of a file's code: a catalogue name in the file's name, else the family with n and k.

    Raises:
        ValueError: If the file's name and its content contradict each other, or neither says the code.
    """
    named = _named(path)
    if named is not None:
        size = tuple(int(part) for part in named.rsplit("-", 2)[1:])
        if (n or size[0], k or size[1]) != size:
            raise ValueError(f"it is of a code with n = {n}, k = {k}, but is named after {named}")
        return named
    if n is None or k is None:
        raise ValueError(
            "it does not say its code: name the file after it, such as ecct-bch-31-21.csv (fecnn codes)"
        )
    refuse_control_characters(family, "the code")
    own = f"{family.lower()}-{n}-{k}"
    hamming = f"hamming-{n}-{k}"
    return hamming if family.lower() == "bch" and own not in code_names() and hamming in code_names() else own


def before_code(path: Path) -> str:
    """What a file's name says before the code, such as the decoder in ``ecct-bch-31-21-run5.csv``."""
    named = _named(path)
    return path.stem if named is None else path.stem.partition(named)[0].strip("-_ ") or path.stem


def _named(path: Path) -> str | None:
    """The longest name of a catalogue code in a file's name."""
    found = [name for name in code_names() if re.search(rf"(?<![a-z0-9]){name}(?![0-9])", path.stem.lower())]
    return max(found, key=len, default=None)


def counted_points(
    *,
    code: str,
    decoder: str,
    ebn0_db: str,
    frames: str,
    errors: str,
    bler: str,
    ber: str | None = None,
    ber_metric: str = "ber",
    source: str,
    where: str,
    how: str,
) -> Iterator[Reference]:
    """The points of one row of a file: its BLER with counts, and its BER if it has one.

    Raises:
        ValueError: If a number is none, or the numbers contradict each other.
    """
    for text, what in ((code, "the code"), (decoder, "the decoder"), (source, "the source")):
        refuse_control_characters(text, what)
    level, block_errors, total = (
        number(ebn0_db, "Eb/N0"),
        count(errors, "frame errors"),
        count(frames, "frames"),
    )
    if not total:
        raise ValueError("no frames were simulated")
    rate = number(bler, "the frame error rate")
    if not abs(rate - block_errors / total) <= MISPRINT * rate + _rounding(bler):
        raise ValueError(f"frame error rate {rate:g} is not {block_errors:,} errors in {total:,} frames")
    common = {"code": code, "decoder": decoder, "ebn0_db": level, "source": source, "where": where}
    yield checked(
        Reference(
            **common,  # type: ignore[arg-type]
            metric="bler",
            value=block_errors / total,
            rounding=_rounding(bler),
            errors=block_errors,
            frames=total,
            how=how,
        )
    )
    if ber is not None:
        spread = f", {100 * SPREAD / math.sqrt(block_errors):.2g} %" if block_errors else ""
        yield checked(
            Reference(
                **common,  # type: ignore[arg-type]
                metric=ber_metric,
                value=number(ber, "the bit error rate"),
                rounding=_rounding(ber),
                errors=None,
                frames=None,
                how=how + spread,
            )
        )


def decibels(level: float) -> str:
    """Eb/N0 with two digits, or more if it needs them.

    Example:
        >>> decibels(2.5), decibels(2.125)
        ('2.50', '2.125')
    """
    text = f"{level:.2f}"
    return text if float(text) == level else f"{level:.10g}"


def _rounding(text: str) -> float:
    """Half a unit of the last printed digit."""
    exponent = Decimal(text).as_tuple().exponent
    return 0.5 * 10.0**exponent if isinstance(exponent, int) else math.nan
