"""The shipped codes and studies, found by name; codes and studies of one's own, by path."""

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

# With the largest length to be had by name: beyond it, building one takes minutes or gigabytes.
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
        ValueError: If the file is broken, or says what its matrices contradict.

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
    """What a file of one's own says of its code that nobody has counted, as a SHA-256; None if nothing.

    Decoders rely on it: `hard` and `chase2` correct by the minimum distance, `ml` stops by the spectrum.
    """
    said = code.minimum_distance, code.known_spectrum
    if said == (None, None) or can_be_counted(code) or not is_path(name_or_path, (".toml", ".alist")):
        return None
    return hashlib.sha256(repr(said).encode()).hexdigest()


def code_file(name_or_path: str | Path) -> CodeFile:
    """What the file of a shipped code, or a ``.toml`` file of one's own, says.

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
            raise ValueError(f"{name} is too long to be had by name: {trivial[1]}-{most} is the longest")
        return build_it(int(trivial[2]))
    path = _code_path(name)
    return code_of(read_code_file(path), path)


def _code_path(name: str) -> Path:
    names = code_names()
    if name not in names:
        raise LookupError(
            f"unknown code {name!r} (one of your own is given by its path, such as ./my_code.toml); "
            f"{nearest(name, [*names, 'uncoded-K', 'repetition-N', 'spc-N'])}"
        )
    return shipped_folder("codes") / f"{name}.toml"
