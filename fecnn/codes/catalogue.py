"""Finding codes: shipped ones by name, your own by path."""

import hashlib
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from fecnn._files.shipped import is_path, shipped, shipped_folder
from fecnn.codes import families as build
from fecnn.codes.code import MAX_LENGTH, Code, can_be_counted
from fecnn.codes.codefile import CodeFile, code_of, named_fault, read_code_file
from fecnn.codes.matrix_file import code_from, not_transposed, read_matrix, stem
from fecnn.codes.polar import polar, read_reliability
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
    return list(shipped("codes"))


Files = tuple[tuple[str, str | int], ...]
"""The files of a code's matrices as plain data: the pairs of a mapping that `load_code` takes."""

Place = str | Path | Mapping[str, Any] | Files
"""Where a code is: a name, a file, or the files of its matrices by what they are."""


def load_code(place: Place) -> Code:
    """A code by name, from a file, or from the files of its matrices.

    Args:
        place: A shipped code's name; ``uncoded-K``, ``repetition-N`` or ``spc-N``; the path of a code file
            (``.toml``) or of a matrix, in any format that `fecnn.read_matrix` reads; or a mapping:
            ``{"generator": path, "parity_check": path}``, of which one may be missing, or
            ``{"frozen_bits": path, "k": K}`` for a polar code whose channels a file lists by reliability, as
            AFF3CT's ``.pc`` files do. A matrix is taken as parity checks unless the file names it as a
            generator.

    Raises:
        LookupError: If no shipped code has this name.
        FileNotFoundError: If there is no such file.
        ValueError: If a file is damaged, or states something its matrices contradict, or the matrices do not
            belong together.

    Example:
        >>> load_code("hamming-7-4")
        Code(hamming-7-4: n=7, k=4)
        >>> load_code("spc-3").minimum_distance
        2
    """
    if isinstance(place, Mapping | tuple):
        return _from_files(dict(place))
    if str(place) in _HELD:
        return _HELD[str(place)]
    if not is_code_path(place):
        return _load_named(str(place))
    path = Path(place)
    if path.suffix == ".toml":
        return code_of(read_code_file(path), path)
    return named_fault(path, lambda: code_from(path))


def is_code_path(place: Place) -> bool:
    """Whether this is the path of a file: shipped names have no dots or slashes."""
    named = isinstance(place, str | Path) and not is_held(place)
    return named and (is_path(place, ()) or "." in str(place))  # type: ignore[arg-type]


_HELD: dict[str, Code] = {}
"""Codes of this process that are in no file, by their places."""


def hold(code: Code) -> str:
    """A place for a code that is in no file, from which this process loads it."""
    place = f"memory:{code.name}:{code.fingerprint[:16]}"
    _HELD[place] = code
    return place


def is_held(place: Place) -> bool:
    """Whether `hold` made this place, in this process or another."""
    return isinstance(place, str) and place.startswith("memory:")


def told(place: object) -> str:
    """A place as people are told of it: of a code that is held, its name."""
    return str(place).split(":")[1] if isinstance(place, str) and is_held(place) else str(place)


def with_paths(place: str | Files, changed: Callable[[str], str]) -> str | Files:
    """A place whose paths are changed, such as those that start at a study's file."""
    if isinstance(place, str):
        return changed(place) if is_code_path(place) else place
    return tuple((key, changed(value) if isinstance(value, str) else value) for key, value in place)


KEYS = (("generator", "parity_check"), ("frozen_bits", "k"))
"""What a mapping may have: one of the matrices or both, or both of the others."""


def _from_files(place: Mapping[str, Any]) -> Code:
    unknown = [key for key in place if not any(key in keys for keys in KEYS)]
    if unknown:
        known = [key for keys in KEYS for key in keys]
        raise ValueError(f"unknown key {unknown[0]!r} of a code; {nearest(str(unknown[0]), known)}")
    if set(place) == set(KEYS[1]):
        path = Path(place["frozen_bits"])
        order = read_reliability(path)
        k = place["k"]
        if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= len(order):
            raise ValueError(f"k of a polar code of length {len(order)} is 1 to {len(order)}, got {k!r}")
        return polar(len(order), k, information_set=order[:k])
    paths = {key: Path(value) for key, value in place.items() if key in KEYS[0]}
    if not paths or len(paths) < len(place):
        raise ValueError("a code is given by generator, parity_check or both, or by frozen_bits and k")
    matrices = {key: read_matrix(path) for key, path in paths.items()}
    file = paths.get("parity_check", paths.get("generator"))
    assert file is not None
    name = stem(file)
    if "generator" not in matrices:
        return named_fault(
            file, lambda: Code.from_parity_check(not_transposed(matrices["parity_check"], file), name=name)
        )
    if "parity_check" not in matrices:
        return named_fault(file, lambda: Code.from_generator(matrices["generator"], name=name))
    G, H = matrices["generator"], matrices["parity_check"]
    if G.shape[1] != H.shape[1]:
        raise ValueError(
            f"{paths['generator']} has {G.shape[1]} columns, but {file} has "
            f"{H.shape[1]}: they are not of one code"
        )
    return named_fault(file, lambda: Code(G, H, name=name))


def claims(place: Place, code: Code) -> str | None:
    """SHA-256 of the properties that your own code file states without proof; None if there are none.

    Decoders rely on them: `hard` and `chase2` correct up to the minimum distance, `ml` stops by the spectrum.
    """
    said = code.minimum_distance, code.known_spectrum
    if said == (None, None) or can_be_counted(code) or not (is_code_path(place) or is_held(place)):
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
