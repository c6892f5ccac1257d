"""Modules of a package that load when they are first named, as ``fecnn.theory.bounds`` does."""

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType


def loader(package: str, path: list[str]) -> Callable[[str], ModuleType]:
    """The ``__getattr__`` of a package whose modules load when they are first named.

    Args:
        package: Its ``__name__``.
        path: Its ``__path__``.
    """

    def load(name: str) -> ModuleType:
        if name.startswith("_") or name not in (module.name for module in iter_modules(path)):
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return import_module(f"{package}.{name}")

    return load
