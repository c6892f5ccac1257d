"""Finding codes: shipped ones by name, your own by path."""

import hashlib
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

from fecnn._files.shipped import by_numbers, is_path, shipped_folder
from fecnn.codes import families as build
from fecnn.codes.alist import read_checks
from fecnn.codes.code import MAX_LENGTH, Code, can_be_counted
from fecnn.codes.codefile import CodeFile, code_of, named_fault, read_code_file
from fecnn.errors import nearest

# With the longest length available by name; longer ones take minutes or gigabytes to build.
_TRIVIAL: Mapping[str, tuple[Callable[[int], Code], int]] = {
    "repetition": (build.repetition, 1 << 11),
    "spc": (build.single_parity_check, 1 << 13),
    "uncoded": (build.uncoded, 1 << 13),
}


def code_names() -> list[str]:
    """Names of the shipped codes, in order of family and length.

    Example:
        >>> "bch-31-21" in code_names()
        True
    """
    return sorted((path.stem for path in shipped_folder("codes").glob("*.toml")), key=by_numbers)


def load_code(name_or_path: str | Path) -> Code:
    """A code by name or from a file.

    Args:
        name_or_path: A shipped code's name; ``uncoded-K``, ``repetition-N`` or ``spc-N``; or the path of a
            ``.toml`` or ``.alist`` file.

    Raises:
        LookupError: If no shipped code has this name.
        FileNotFoundError: If there is no such file.
        ValueError: If the file is damaged, or states something its matrices contradict.

    Example:
        >>> load_code("hamming-7-4")
        Code(hamming-7-4: n=7, k=4)
        >>> load_code("spc-3").minimum_distance
        2
    """
    if not is_path(name_or_path, (".toml", ".alist")):
        return _load_named(str(name_or_path))
    path = Path(name_or_path)
    if path.suffix == ".alist":
        return named_fault(path, lambda: Code.from_parity_check(read_checks(path), name=path.stem))
    return code_of(read_code_file(path), path)


def claims(name_or_path: str | Path, code: Code) -> str | None:
    """SHA-256 of the properties that your own code file states without proof; None if there are none.

    Decoders rely on them: `hard` and `chase2` correct up to the minimum distance, `ml` stops by the spectrum.
    """
    said = code.minimum_distance, code.known_spectrum
    if said == (None, None) or can_be_counted(code) or not is_path(name_or_path, (".toml", ".alist")):
        return None
    return hashlib.sha256(repr(said).encode()).hexdigest()


def code_file(name_or_path: str | Path) -> CodeFile:
    """The contents of a shipped code's file, or of your own ``.toml`` file.

    Raises:
        LookupError: If no shipped code has this name.
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a code file.

    Example:
        >>> code_file("bch-31-21").parameters
        {'n': 31, 'k': 21}
    """
    if is_path(name_or_path, (".toml",)):
        return read_code_file(Path(name_or_path))
    return read_code_file(_code_path(str(name_or_path)))


@lru_cache(maxsize=256)
def _load_named(name: str) -> Code:
    trivial = re.fullmatch(r"([a-z]+)-([0-9]{1,9})", name)
    if trivial and trivial[1] in _TRIVIAL:
        build_it, most = _TRIVIAL[trivial[1]]
        if most < int(trivial[2]) <= MAX_LENGTH:
            raise ValueError(
                f"{name} is too long: named {trivial[1]} codes go up to n = {most}; "
                f"build longer ones with fecnn.{build_it.__name__}({trivial[2]})"
            )
        return build_it(int(trivial[2]))
    path = _code_path(name)
    return code_of(read_code_file(path), path)


def _code_path(name: str) -> Path:
    names = code_names()
    if name not in names:
        raise LookupError(
            f"unknown code {name!r} (give your own code by its path, such as ./my_code.toml); "
            f"{nearest(name, [*names, 'uncoded-K', 'repetition-N', 'spc-N'])}"
        )
    return shipped_folder("codes") / f"{name}.toml"
