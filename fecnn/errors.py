"""The errors that fecnn raises, and how a message names a value or the nearest known name."""

from collections.abc import Sequence
from difflib import get_close_matches


class FecnnError(Exception):
    """The base class of fecnn's own errors; each is also the built-in error that fits it.

    Bad arguments raise plain ``ValueError``, ``TypeError`` and ``LookupError``.
    """


class DecodingError(FecnnError, RuntimeError):
    """A decoder failed in the middle of a study; the trace is in the notes."""


class ClusterError(FecnnError, RuntimeError):
    """A cluster cannot be used, or is gone; every batch that came in is kept."""


class StoreError(FecnnError, RuntimeError):
    """A results file cannot be used; what it held is untouched."""


class StaleError(StoreError):
    """Results of a curve are of another version of its decoder."""


class CheckpointError(FecnnError, ValueError):
    """A checkpoint that is damaged, or does not belong to what it is used for."""


class ContractError(FecnnError, AssertionError):
    """A decoder breaks the contract; the message says which clause, on which code."""


def nearest(name: str, known: Sequence[str]) -> str:
    """The end of an error message about an unknown name: the nearest known names, or all of them."""
    close = get_close_matches(name, known, n=3, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(close) + "?"
    return "known: " + ", ".join(sorted(known))


def shown(value: object) -> str:
    """A value in an error message, short whatever a file holds.

    Python refuses to print integers of thousands of digits, and nobody would read them.
    """
    if isinstance(value, int) and abs(value) >= 2**64:
        return "an integer beyond 64 bits"
    if not isinstance(value, str | int | float):
        return f"a {type(value).__name__}"
    text = repr(value)
    return text if len(text) <= 40 else text[:40] + "..."
