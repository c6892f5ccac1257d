"""Finding codes: shipped ones by name, your own by path."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from fecnn._files.shipped import is_path, shipped, shipped_folder
from fecnn.codes import families
from fecnn.codes.code import MAX_LENGTH, Code, can_be_counted
from fecnn.codes.codefile import CodeFile, code_of, named_fault, read_code_file
from fecnn.codes.matrix_file import code_from, not_transposed, read_matrix, stem
from fecnn.codes.polar import polar, read_reliability
from fecnn.codes.registry import FAMILIES, build
from fecnn.errors import nearest

# With the longest length available by name; longer ones take minutes or gigabytes to build.
_TRIVIAL: Mapping[str, tuple[Callable[[int], Code], int]] = {
    "repetition": (families.repetition, 1 << 11),
    "spc": (families.single_parity_check, 1 << 13),
    "uncoded": (families.uncoded, 1 << 13),
}


_TRIVIAL_EXAMPLES = ("repetition-5", "spc-8", "uncoded-64")


def code_names() -> list[str]:
    """Names of the shipped codes, in order of family and length.

    Example:
        >>> "bch-31-21" in code_names()
        True
    """
    return list(shipped("codes"))


Given = bool | int | float | str | tuple[int, ...] | tuple[tuple[int, ...], ...] | tuple[tuple[str, Any], ...]
Recipe = tuple[tuple[str, Given], ...]
"""A mapping that `load_code` takes, as plain data: its pairs."""

Place = str | Path | Mapping[str, Any] | Recipe
"""Where a code is: a name, a file, or how it is made."""


def load_code(place: Place) -> Code:
    """A code by name, from a file, or from what it is made of.

    Args:
        place: A shipped code's name; ``uncoded-K``, ``repetition-N`` or ``spc-N``; the path of a code file
            (``.toml``) or of a matrix, in any format that `fecnn.read_matrix` reads (taken as parity checks
            unless the file names it as a generator); or a mapping with one of

            - ``code``: another code's name or path;
            - ``family`` and the arguments of its builder, as in ``{"family": "bch", "n": 40, "k": 28}``; see
              `fecnn.codes.registry.FAMILIES`; where an argument is a code, it is given as here, by name, path
              or mapping;
            - ``generator`` and ``parity_check``: paths, of which one may be missing;
            - ``frozen_bits`` and ``k``: a polar code whose channels a file lists by reliability, as AFF3CT's
              ``.pc`` files do;

            and with any of ``subcode`` (a CRC), ``shorten``, ``puncture`` and ``extend`` (True), which are
            then done to it, in this order, as the methods of `fecnn.Code` of these names do. Its ``name`` is
            made of these unless one is given.

    Raises:
        LookupError: If no shipped code, or no family, has this name.
        FileNotFoundError: If there is no such file.
        ValueError: If a file is damaged, or states something its matrices contradict, or the matrices do not
            belong together; or if a key is unknown, or something cannot be built or done.

    Example:
        >>> load_code("hamming-7-4")
        Code(hamming-7-4: n=7, k=4)
        >>> load_code("spc-3").minimum_distance
        2
        >>> load_code({"code": "ccsds-128-64", "puncture": 16})
        Code(ccsds-128-64-punctured-112-64: n=112, k=64)
        >>> load_code({"family": "polar", "n": 128, "k": 64, "sequence": "5g", "crc": 11})
        Code(polar-5g-128-64-crc-11: n=128, k=64)
        >>> load_code({"code": "bch-31-21", "shorten": [0, 7], "name": "bch-29-19-spread"})
        Code(bch-29-19-spread: n=29, k=19)
        >>> load_code({"family": "product", "a": "ext-hamming-8-4", "b": {"family": "hamming", "r": 4}})
        Code(product-120-44: n=120, k=44)
    """
    if isinstance(place, Mapping):
        return _made(recipe(place))
    if isinstance(place, tuple):
        return _made(place)
    if str(place) in _HELD:
        return _HELD[str(place)]
    if not is_code_path(place):
        return _load_named(str(place))
    path = Path(place)
    if path.suffix == ".toml":
        return code_of(read_code_file(path), path)
    return named_fault(path, lambda: code_from(path))


def recipe(given: Mapping[str, Any]) -> Recipe:
    """A mapping that `load_code` takes, as plain data that can be hashed and stored.

    Example:
        >>> recipe({"code": "hamming-7-4", "shorten": [0, 1]})
        (('code', 'hamming-7-4'), ('shorten', (0, 1)))
    """
    return tuple((key, _as_data(value)) for key, value in given.items())


def _as_data(value: Any) -> Any:
    if isinstance(value, Mapping):
        return recipe(value)
    if isinstance(value, list | tuple):
        return tuple(map(_as_data, value))
    return str(value) if isinstance(value, Path) else value


def _as_lists(value: Any) -> Any:
    return list(map(_as_lists, value)) if isinstance(value, tuple) else value


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


def with_paths(place: str | Recipe, changed: Callable[[str], str]) -> str | Recipe:
    """A place whose paths are changed, such as those that start at a study's file."""
    if isinstance(place, str):
        return changed(place) if is_code_path(place) else place
    if not is_recipe(place):
        return place
    codes, files = _places_in(place)
    new: dict[str, Any] = {key: with_paths(value, changed) for key, value in codes.items()}
    new |= {key: changed(value) for key, value in files.items()}
    return tuple((key, new.get(key, value)) for key, value in place)


def paths_of(place: Place) -> list[Path]:
    """The files that a code is loaded from.

    Example:
        >>> paths_of({"code": "./mine.alist", "shorten": 2}), paths_of("hamming-7-4")
        ([PosixPath('mine.alist')], [])
        >>> paths_of({"family": "product", "a": "spc-4", "b": {"parity_check": "mine.mtx"}})
        [PosixPath('mine.mtx')]
    """
    if isinstance(place, Mapping):
        place = recipe(place)
    if isinstance(place, tuple) and is_recipe(place):
        codes, files = _places_in(place)
        return [path for code in codes.values() for path in paths_of(code)] + list(map(Path, files.values()))
    return [Path(place)] if isinstance(place, str | Path) and is_code_path(place) else []


def is_recipe(value: object) -> bool:
    """Whether this is what `recipe` gives, and no other plain data."""
    return isinstance(value, tuple) and all(
        isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str) for pair in value
    )


def _places_in(place: Recipe) -> tuple[dict[str, Any], dict[str, str]]:
    """The entries of a recipe that are codes themselves, and those that are paths of other files."""
    given: dict[str, Any] = dict(place)
    family = given.get("family")
    arguments = FAMILIES[family].codes if isinstance(family, str) and family in FAMILIES else ()
    codes = {key: given[key] for key in ("code", *arguments) if isinstance(given.get(key), str | tuple)}
    files = {key: given[key] for key in (*MATRICES, POLAR[0]) if isinstance(given.get(key), str)}
    return codes, files


MATRICES, POLAR = ("generator", "parity_check"), ("frozen_bits", "k")
DONE = ("subcode", "shorten", "puncture", "extend")
"""What may be done to a code, in this order."""


def _of_family(family: str, parameters: Recipe) -> Code:
    codes = FAMILIES[family].codes if family in FAMILIES else ()
    return build(family, {key: value if key in codes else _as_lists(value) for key, value in parameters})


_of_family_once = lru_cache(maxsize=64)(_of_family)


def _made(place: Recipe) -> Code:
    rest = dict(place)
    name = rest.pop("name", None)
    if name is not None and (not isinstance(name, str) or not name.strip()):
        raise ValueError(f"name of a code is a text, got {name!r}")
    done = {key: rest.pop(key) for key in DONE if key in rest}
    if "family" in rest:
        family = rest.pop("family")
        if not isinstance(family, str):
            raise ValueError(f"family of a code is a name, got {family!r}")
        make = _of_family if paths_of(place) else _of_family_once  # a file may change
        code = make(family, tuple(rest.items()))
    elif "code" in rest:
        other = rest.pop("code")
        if rest:
            raise _unknown(next(iter(rest)), (*DONE, "name"))
        if not isinstance(other, str):
            raise ValueError(f"code is the name or path of another code, got {other!r}")
        code = load_code(other)
    else:
        code = _from_files(rest)
    for key, how in done.items():
        code = _done(code, key, how)
    return code if name is None else replace(code, name=name)


def _done(code: Code, key: str, how: Any) -> Code:
    """One of the things that may be done to a code."""
    if key == "extend":
        if how is not True:
            raise ValueError(f"extend of a code is true, or left out, got {how!r}")
        return code.extend()
    if key == "subcode":
        if isinstance(how, bool) or not isinstance(how, int | str):
            raise ValueError(f"subcode of a code is a CRC, such as 11 or '0x11021', got {how!r}")
        return code.subcode(crc=how)
    places = list(how) if isinstance(how, tuple) else how
    if isinstance(places, bool) or not isinstance(places, int | list):
        raise ValueError(f"{key} of a code is a number of bits, or a list of positions, got {how!r}")
    return code.shorten(places) if key == "shorten" else code.puncture(places)


def _unknown(key: str, known: tuple[str, ...]) -> ValueError:
    return ValueError(f"unknown key {key!r} of a code; {nearest(str(key), list(known))}")


def _from_files(place: Mapping[str, Any]) -> Code:
    for key in place:
        if key not in (*MATRICES, *POLAR):
            raise _unknown(key, (*MATRICES, *POLAR, "code", "family", *DONE, "name"))
    if set(place) == set(POLAR):
        path = Path(place["frozen_bits"])
        order = read_reliability(path)
        k = place["k"]
        if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= len(order):
            raise ValueError(f"k of a polar code of length {len(order)} is 1 to {len(order)}, got {k!r}")
        return polar(len(order), k, information_set=order[:k])
    paths = {key: Path(value) for key, value in place.items() if key in MATRICES}
    if not paths or len(paths) < len(place):
        raise ValueError(
            "a code is given by generator, parity_check or both, by frozen_bits and k, by code, or by family"
        )
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
    if said == (None, None) or can_be_counted(code) or not (paths_of(place) or is_held(place)):
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


def _family_of(name: str) -> str | None:
    """The family that a name begins with; None if there is none."""
    words = name.lower().replace("_", "-")
    known = [family for family in FAMILIES if f"{words}-".startswith(family.replace("_", "-") + "-")]
    return max(known, key=len, default=None)


def _code_path(name: str) -> Path:
    names = code_names()
    if name not in names:
        family = _family_of(name)
        table = (
            f"; other sizes are made by a table, such as {FAMILIES[family].example_table}" if family else ""
        )
        raise LookupError(
            f"unknown code {name!r} (give your own code by its path, such as ./my_code.toml); "
            f"{nearest(name, [*names, *_TRIVIAL_EXAMPLES])}{table}"
        )
    return shipped_folder("codes") / f"{name}.toml"
