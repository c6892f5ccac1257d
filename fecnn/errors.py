"""The exceptions fecnn raises, and helpers for readable error messages."""

import operator
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from numbers import Real


class FecnnError(Exception):
    """Base class of fecnn's own errors; each subclass also derives from the built-in error that fits it.

    Bad arguments raise plain ``ValueError``, ``TypeError`` and ``LookupError``.
    """


class DecodingError(FecnnError, RuntimeError):
    """A decoder failed during a study; its traceback is in the notes."""


class ClusterError(FecnnError, RuntimeError):
    """A cluster cannot be used or was lost; every batch received so far is kept."""


class StoreError(FecnnError, RuntimeError):
    """A results file cannot be used; its contents are unchanged."""


class StaleError(StoreError):
    """Stored results of a curve were made by another version of its decoder."""


class CheckpointError(FecnnError, ValueError):
    """A checkpoint is damaged, or does not belong to the network or training it is used for."""


class ContractError(FecnnError, AssertionError):
    """A decoder breaks the contract; the message names the clause and the code."""


def nearest(name: str, known: Sequence[str]) -> str:
    """End of an error message about an unknown name: the closest known names, or all of them.

    Names that have commas themselves are in quotes.
    """
    folded = {one.lower(): repr(one) if "," in one else one for one in known}
    close = [folded[one] for one in get_close_matches(name.lower(), folded, n=3, cutoff=0.5)]
    if close:
        return "did you mean " + " or ".join(close) + "?"
    return "known: " + ", ".join(sorted(folded.values()))


def is_near(name: str, known: str) -> bool:
    """Whether a name is a likely misspelling of one that is known."""
    return bool(get_close_matches(name, [known], cutoff=0.5))


def whole(name: str, value: object) -> int:
    """A whole number, of any type that Python takes as an index but bool.

    Raises:
        TypeError: If it is something else, naming the argument.
    """
    try:
        if not isinstance(value, bool):
            return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        pass
    raise TypeError(f"{name} must be a whole number, got {shown(value)}")


def real(name: str, value: object) -> float:
    """A number, of any type but bool that Python takes as real; NumPy's are, a text is not.

    Raises:
        TypeError: If it is something else, naming the argument.
    """
    if isinstance(value, Real) and not isinstance(value, bool):
        return float(value)
    raise TypeError(f"{name} must be a number, got {shown(value)}")


def truth(name: str, value: object) -> bool:
    """True or False itself.

    Raises:
        TypeError: If it is something else, naming the argument.
    """
    if isinstance(value, bool):
        return value
    raise TypeError(f"{name} must be true or false, got {shown(value)}")


def shown(value: object) -> str:
    """A value as shown in an error message, always short.

    Python refuses to print integers of thousands of digits, which a file may contain.
    """
    if value is None:
        return "None"
    if isinstance(value, int) and abs(value) >= 2**64:
        return "an integer beyond 64 bits"
    if not isinstance(value, str | int | float):
        name = type(value).__name__
        return f"{'an' if name[0] in 'AEIOaeiou' else 'a'} {name}"
    text = repr(value)
    return text if len(text) <= 40 else text[:40] + "..."


EXTRAS = {
    "cluster": ("dask", "distributed", "dask_jobqueue"),
    "export": ("h5py", "pyarrow"),
    "nets": ("torch", "safetensors"),
    "onnx": ("onnx", "onnxruntime", "onnxscript", "torch"),
    "plot": ("matplotlib",),
    "sionna": ("sionna",),
}
"""What each extra of the package brings."""


@contextmanager
def extra(name: str, what: str) -> Iterator[None]:
    """Import the modules of an extra; if one is not installed, say how to install it.

    Args:
        name: The extra, see `EXTRAS`.
        what: What it is needed for; it begins the message.

    Raises:
        ModuleNotFoundError: If a module is missing, with the line that installs it.

    Example:
        >>> with extra("plot", "a figure"):
        ...     raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")
        Traceback (most recent call last):
        ModuleNotFoundError: a figure needs matplotlib: pip install 'fecnn[plot]'
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        module = (missing.name or "").partition(".")[0]
        if module not in EXTRAS[name]:
            raise
        raise ModuleNotFoundError(
            f"{what} needs {module}: pip install 'fecnn[{name}]'", name=missing.name
        ) from None
