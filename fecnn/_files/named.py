"""Functions by name, ``module:function``."""

import importlib
from typing import Any


def function_named(name: str, kind: str) -> Any:
    """The object behind ``module:function``.

    Args:
        name: The name.
        kind: What it is to be, such as ``decoder``, for the messages.

    Raises:
        LookupError: If there is no such module or function, or the name has another form.
    """
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
            + (f" A file is named by its path: ./{module}.py:{function}" if "decoder" in kind else "")
        ) from None
    if not hasattr(loaded, function):
        raise LookupError(f"module {module!r} has no function {function!r} for {kind} {name!r}")
    return getattr(loaded, function)
