"""Where the shipped codes and studies lie, and what is the path of one's own."""

import os
import re
from pathlib import Path


def shipped_folder(kind: str) -> Path:
    """Where codes or studies lie: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "_data"
    folder = (inside if inside.is_dir() else package.parent) / kind
    if not folder.is_dir():
        raise FileNotFoundError(
            f"the shipped {kind} are missing: there is no folder {folder}; install fecnn again"
        )
    return folder


def is_path(name_or_path: str | Path, suffixes: tuple[str, ...]) -> bool:
    """Whether this is the path of a file (of one of these endings) or of a folder, and no shipped name."""
    if isinstance(name_or_path, Path):
        return True
    separators = ["/", os.sep, os.altsep or os.sep]
    is_folder = name_or_path in (os.curdir, os.pardir) or any(sign in name_or_path for sign in separators)
    return is_folder or name_or_path.endswith(suffixes)


def by_numbers(name: str) -> list[tuple[str, int]]:
    """Sort key: bch-15-7 before bch-127-64."""
    return [(word, int(number or 0)) for word, number in re.findall(r"([^0-9]*)([0-9]*)", name)]
