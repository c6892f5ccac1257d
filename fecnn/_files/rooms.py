"""Lazy loading: modules of a package, and names in them, that load on first use."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any

NOTHING: Mapping[str, str] = MappingProxyType({})


def loader(package: str, path: list[str], homes: Mapping[str, str] = NOTHING) -> Callable[[str], Any]:
    """The ``__getattr__`` of a package whose modules, such as ``fecnn.theory.bounds``, load on first use.

    Args:
        package: The package's ``__name__``.
        path: The package's ``__path__``.
        homes: Names that the package takes from its modules, by module, with blanks between them.
    """
    home_of = {name: module for module, names in homes.items() for name in names.split()}

    def load(name: str) -> Any:
        if name in home_of:
            found = getattr(import_module(f"{package}.{home_of[name]}"), name)
            setattr(sys.modules[package], name, found)
            return found
        if name.startswith("_") or name not in (module.name for module in iter_modules(path)):
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return import_module(f"{package}.{name}")

    return load
