"""Functions by name: ``module:function``, or ``./file.py:function``."""

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fecnn.errors import nearest


def function_named(name: str, kind: str) -> Any:
    """The object behind ``module:function`` or ``./file.py:function``.

    Args:
        name: The name.
        kind: What it is to be, such as ``decoder``, for the messages.

    Raises:
        LookupError: If there is no such file, module or function, or the name has another form.
    """
    if (in_file := file_of(name)) is not None:
        return _function_in(*in_file, name, kind)
    module, _, function = name.partition(":")
    if not module or not function:
        raise LookupError(f"{kind} {name!r} must be named module:function")
    try:
        loaded = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not (module + ".").startswith(error.name + "."):
            raise
        raise LookupError(
            f"no module {module!r} for {kind} {name!r}; is it installed, or on PYTHONPATH?"
            f" A file is named by its path: ./{module}.py:{function}"
        ) from None
    if not hasattr(loaded, function):
        raise LookupError(f"module {module!r} has no function {function!r} for {kind} {name!r}")
    return getattr(loaded, function)


def no_such(kind: str, name: str, known: Sequence[str]) -> LookupError:
    """The error for a name that is none of the known ones, nor that of a function in a file."""
    if name.endswith(".py"):
        return LookupError(f"{kind} {name!r} names a file; its function follows: {name}:FUNCTION")
    return LookupError(f"no {kind} {name!r}; {nearest(name, known)}")


def file_of(name: str) -> tuple[Path, str] | None:
    """The file and the function of what is named by its file; None for any other name.

    Example:
        >>> file_of("osd"), file_of("my_decoders:nearest")
        (None, None)
        >>> path, function = file_of("./my_decoders.py:nearest")
        >>> path.name, function
        ('my_decoders.py', 'nearest')
    """
    file, _, function = name.rpartition(":")
    return (Path(file), function) if file.endswith(".py") and function else None


def _function_in(path: Path, function: str, name: str, kind: str) -> Any:
    """A function of a Python file, which may import what lies beside it."""
    path = path.resolve()
    if not path.is_file():
        raise LookupError(f"no file {path} for {kind} {name!r}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    before = sys.path.copy()
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(loaded)
    finally:
        sys.path[:] = before
    if not hasattr(loaded, function):
        raise LookupError(f"{path} has no function {function!r} for {kind} {name!r}")
    return getattr(loaded, function)
