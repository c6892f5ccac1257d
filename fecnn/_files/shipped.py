"""Where the shipped codes, studies and published points are, and how to tell a path from a shipped name."""

import os
import re
from pathlib import Path

RESULTS = Path("fecnn-results")
"""Default folder for results, relative to the current directory."""


def shipped_folder(kind: str) -> Path:
    """The folder of a kind of shipped data: inside the package in a wheel, next to it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "_data"
    folder = (inside if inside.is_dir() else package.parent) / kind
    if not folder.is_dir():
        raise FileNotFoundError(
            f"the shipped {kind} are missing: there is no folder {folder}; reinstall fecnn"
        )
    return folder


def shipped(kind: str) -> dict[str, Path]:
    """The files of a kind by name, in order of family and length: ``codes``, ``studies`` or ``record``."""
    pattern = {"codes": "*.toml", "studies": "*/study.toml", "record": "*.csv"}[kind]
    found = {
        path.parent.name if kind == "studies" else path.stem: path
        for path in shipped_folder(kind).glob(pattern)
    }
    return {name: found[name] for name in sorted(found, key=by_numbers)}


def is_path(name_or_path: str | Path, suffixes: tuple[str, ...]) -> bool:
    """Whether this is a path (to a folder or a file with such a suffix) rather than a shipped name."""
    if isinstance(name_or_path, Path):
        return True
    separators = ["/", os.sep, os.altsep or os.sep]
    is_folder = name_or_path in (os.curdir, os.pardir) or any(sign in name_or_path for sign in separators)
    return is_folder or name_or_path.endswith(suffixes)


def by_numbers(name: str) -> list[tuple[str, int]]:
    """Sort key that orders numbers by value: bch-15-7 before bch-127-64."""
    return [(word, int(number or 0)) for word, number in re.findall(r"([^0-9]*)([0-9]*)", name)]
