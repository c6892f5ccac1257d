"""Lazy loading: modules of a package that load on first use, such as ``fecnn.theory.bounds``."""

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType


def loader(package: str, path: list[str]) -> Callable[[str], ModuleType]:
    """The ``__getattr__`` of a package whose modules load on first use.

    Args:
        package: The package's ``__name__``.
        path: The package's ``__path__``.
    """

    def load(name: str) -> ModuleType:
        if name.startswith("_") or name not in (module.name for module in iter_modules(path)):
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return import_module(f"{package}.{name}")

    return load
