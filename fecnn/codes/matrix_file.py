"""Matrices from files as people have them, recognised by their content: text, NumPy, SciPy, MATLAB.

An alist, a dense matrix of 0 and 1 and a quasi-cyclic base matrix are text; a file compressed by gzip is what
is in it.
"""

import gzip
import io
import math
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from fecnn._files.text import decoded
from fecnn.arrays import Bits, as_bits
from fecnn.codes import gf2
from fecnn.codes.alist import alist_of
from fecnn.codes.code import MAX_LENGTH, Code
from fecnn.codes.mat5 import arrays_of
from fecnn.codes.matrix_text import (
    MAX_ENTRIES,
    has_title,
    is_quasi_cyclic,
    matrices_of,
    matrix_market_of,
    quasi_cyclic_of,
    without_comments,
)
from fecnn.errors import shown

MAX_BYTES = 1 << 26
"""Largest file read, compressed or not."""

_GENERATOR = re.compile(r"(g|gm|gen|generator)(mat|matrix|sys|gen|std|bin)?([_\W\d].*)?", re.IGNORECASE)
_CHECKS = re.compile(r"(h|hm|pcm|parity|parity.?check)(mat|matrix|sys|std|bin|s)?([_\W\d].*)?", re.IGNORECASE)


def role(name: str) -> str:
    """What a matrix is by its name: ``G``, a generator; ``H``, parity checks; or empty.

    Example:
        >>> [role(name) for name in ("G", "generator_matrix", "Gsys", "H", "pcm", "golay", "A")]
        ['G', 'G', 'G', 'H', 'H', '', '']
    """
    return "G" if _GENERATOR.fullmatch(name) else "H" if _CHECKS.fullmatch(name) else ""


FORMATS = (
    "alist, dense 0 and 1, quasi-cyclic base matrix, NumPy .npy and .npz, scipy.sparse .npz, MATLAB .mat, "
    "Matrix Market, and any of them compressed by gzip"
)


def read_matrix(path: str | Path) -> Bits:
    """The matrix, ``(m, n)`` bits, in a file of any format that `load_code` reads.

    Args:
        path: The file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is of no known format, is damaged, or holds no matrix of 0 and 1, or several.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "H.txt")
        ...     np.savetxt(path, [[1, 1, 0], [0, 1, 1]], "%d")
        ...     read_matrix(path)
        array([[1, 1, 0],
               [0, 1, 1]], dtype=uint8)
    """
    return _only(read_matrices(Path(path)), Path(path))


def code_from(path: Path) -> Code:
    """The code of a matrix file: a matrix named as a generator generates it, any other checks it.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If `read_matrix` refuses it, or its matrices make no code.
    """
    found = read_matrices(path, bare=True)
    G, H = ([matrix for name, matrix in found.items() if role(name) == kind] for kind in "GH")
    name = stem(path)
    if len(G) == 1 and len(H) == 1:
        return Code(G[0], H[0], name=name)
    if len(G) == 1 and len(found) == 1:
        return Code.from_generator(G[0], name=name)
    matrix = H[0] if len(H) == 1 else _only(found, path)
    if not H and "G" in {role(part) for part in re.split(r"[_\W\d]+", name)}:
        raise ValueError(
            f"{path}: the file name says generator, but a bare file is read as parity checks; "
            "say which it is: "
            "fecnn.load_code({'generator': path}), or code = { generator = \"...\" } in a study"
        )
    return Code.from_parity_check(not_transposed(matrix, path), name=name)


def stem(path: Path) -> str:
    """The name of a file without its ending, and without ``.gz``."""
    return path.name.removesuffix(".gz").rpartition(".")[0] or path.name


def not_transposed(H: Bits, path: Path) -> Bits:
    """A parity-check matrix, unless it can only be the transpose of one, which some programs write.

    Raises:
        ValueError: If it has more rows than columns, as only an H with many redundant checks may have.
    """
    m, n = H.shape
    if m > n:
        rank = gf2.rank(H)
        meant = "" if rank == n else "; if you do mean many redundant checks, leave .T out"
        raise ValueError(
            f"{path} has {m} rows and only {n} columns: it looks transposed. Its transpose checks a "
            f"({m}, {m - rank}) code: Code.from_parity_check(fecnn.read_matrix(path).T){meant}"
        )
    return H


def read_matrices(path: Path, *, bare: bool = False) -> dict[str, Bits]:
    """The matrices of a file by name, empty for one that has none.

    Args:
        path: The file.
        bare: Whether nobody has said what a matrix without a name is, so that no comment may say otherwise.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is of no known format, or damaged.
    """
    raw = _unpacked(path)
    for magic, read in _BINARY.items():
        if raw.startswith(magic):
            return _bits(read(raw, path), path)
    try:
        text = decoded(raw, path)
    except ValueError as error:
        if "UTF-16" in str(error):
            raise
        raise ValueError(f"{path} is neither text nor of a known format (tried: {FORMATS})") from None
    if text.startswith("%%MatrixMarket"):
        return {"H": matrix_market_of(text, path)}
    return _from_text(text, path, bare)


def _from_text(text: str, path: Path, bare: bool) -> dict[str, Bits]:
    if re.search(r"^sha256\s*=", text, re.MULTILINE):
        raise ValueError(f"{path} is a code file: name it {stem(path)}.toml")
    if _OCTAVE.search(text):
        return _octave(text, path)
    numbers = without_comments(text)
    if bare and _SAYS_GENERATOR.search(text) and not has_title(numbers) and "parity" not in text.lower():
        raise ValueError(
            f"{path}: a comment says generator, but a bare matrix is read as parity checks; "
            'say which it is: name it, as in G = [...], or fecnn.load_code({"generator": path})'
        )
    if is_quasi_cyclic(numbers):
        return {"H": quasi_cyclic_of(numbers, path)}
    if _RELIABILITY.match(numbers):
        raise ValueError(
            f"{path} lists channels of a polar code by reliability, and does not say how many carry bits: "
            'fecnn.load_code({"frozen_bits": path, "k": K}), or in a study code = { frozen_bits = "", k = K }'
        )
    if _LETTERS.search(numbers) or "[" in numbers or "{" in numbers:
        if _BRACKET.search(numbers) or has_title(numbers):
            return matrices_of(numbers, path)
        if path.suffix == ".alist":
            return {"H": alist_of(text, path)}  # which says what is wrong with it
        begins = next(line.strip() for line in text.splitlines() if line.strip())
        raise ValueError(
            f"{path} holds no matrix in a known format: it begins with {shown(begins[:60])} "
            f"(tried: {FORMATS})"
        )
    if not numbers.strip():
        raise ValueError(f"{path} is empty")
    try:
        if set(numbers) <= _OF_BITS:
            return matrices_of(numbers, path)
        return {"H": alist_of(text, path)}
    except ValueError as error:
        other = alist_of if set(numbers) <= _OF_BITS else matrices_of
        try:
            found = other(text, path)
        except ValueError as second:
            first_line = next(line for line in numbers.splitlines() if line.strip()).split()
            if other is matrices_of and len(first_line) in (2, 3):
                raise error from None
            dense, alist = (second, error) if other is matrices_of else (error, second)
            raise ValueError(f"{dense}; and as an alist: {str(alist).removeprefix(f'{path}, ')}") from None
        return found if isinstance(found, dict) else {"H": found}


_OCTAVE = re.compile(r"^# name: *(\w+)[ \t\r]*$", re.MULTILINE)
_SAYS_GENERATOR = re.compile(r"(#|%|//).*\bgenerator\b", re.IGNORECASE)


def _octave(text: str, path: Path) -> dict[str, Bits]:
    """The matrices that Octave has saved as text, by name."""
    _, *parts = _OCTAVE.split(text)
    found: dict[str, Bits] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        if re.search(r"^# type:.*(sparse|complex|cell|string|struct)", body, re.MULTILINE):
            raise ValueError(f"{path}: {name} is not a full matrix of numbers; save full({name}) instead")
        found[name] = _only(matrices_of(without_comments(body), path), path)
    return found


_RELIABILITY = re.compile(r"\s*\d+\s+[A-Za-z]\w*\s+[-+.\deE]+\s+\d+\s", re.ASCII)
_LETTERS = re.compile(r"[A-DF-Za-df-z]")
_BRACKET = re.compile(r"[\[{]\s*+[\[{]?+\s*+[\"']?([01]|True|False)")
_OF_BITS = frozenset("01 \t\r\n,;|.eE+")
"""What dense matrices are written with."""


def _unpacked(path: Path) -> bytes:
    """The bytes of a file, of a compressed one those in it."""
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    with path.open("rb") as stream:
        raw = stream.read(MAX_BYTES + 1)
    if raw.startswith(b"\x1f\x8b"):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(raw)) as stream:
                raw = stream.read(MAX_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} is a damaged gzip file: {error}") from None
    if len(raw) > MAX_BYTES:
        raise ValueError(f"{path} has more than {MAX_BYTES} bytes: too large for the matrix of a short code")
    return raw


class _Refused(ValueError):
    """What is wrong with a file is known already."""


@contextmanager
def _reading(path: Path, kind: str) -> Iterator[None]:
    """Whatever a library says of a file, as one error that names the file and its kind."""
    try:
        yield
    except _Refused:
        raise
    except MemoryError:
        raise _Refused(f"{path} needs more memory than is available") from None
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        raise _Refused(f"{path} is a damaged {kind}: {said}") from None


def _npy(raw: bytes, path: Path) -> Mapping[str, Any]:
    with _reading(path, ".npy file"):
        return {"": _array(raw, path)}


def _array(raw: bytes, path: Path) -> Any:
    """An array in NumPy's format, once its head has said that it is no larger than the file."""
    stream = io.BytesIO(raw)
    version = np.lib.format.read_magic(stream)
    head_of = {(1, 0): np.lib.format.read_array_header_1_0}.get(version, np.lib.format.read_array_header_2_0)
    shape, _, dtype = head_of(stream)
    if dtype.hasobject:
        raise _Refused(f"{path} holds Python objects, which may run code: save an array of numbers")
    if math.prod(shape) * dtype.itemsize > len(raw):
        raise _Refused(f"{path} is cut: its head says {math.prod(shape)} entries of {dtype}")
    stream.seek(0)
    return np.lib.format.read_array(stream, allow_pickle=False)


def _npz(raw: bytes, path: Path) -> Mapping[str, Any]:
    with _reading(path, ".npz file"), zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = [info for info in archive.infolist() if info.filename.endswith(".npy")]
        if sum(info.file_size for info in members) > MAX_BYTES:
            raise _Refused(f"{path} unpacks to more than {MAX_BYTES} bytes")
        if not members:
            raise _Refused(f"{path} is a zip archive without NumPy arrays")
        arrays = {}
        for info in members:
            with archive.open(info) as stream:
                arrays[info.filename.removesuffix(".npy")] = _array(stream.read(MAX_BYTES + 1), path)
    if {"format", "shape", "data"} <= arrays.keys():
        with _reading(path, "sparse matrix of SciPy"):
            return {"": _sparse(arrays, path)}
    return arrays


def _sparse(arrays: dict[str, Any], path: Path) -> Any:
    """A matrix that `scipy.sparse.save_npz` wrote."""
    import scipy.sparse

    rows, columns = (int(length) for length in arrays["shape"])
    _check_size((rows, columns), path)
    kind = arrays["format"].item()
    kind = kind.decode() if isinstance(kind, bytes) else str(kind)
    data = arrays["data"]
    if kind == "coo":
        return scipy.sparse.coo_array((data, (arrays["row"], arrays["col"])), shape=(rows, columns))
    if kind == "dia":
        return scipy.sparse.dia_array((data, arrays["offsets"]), shape=(rows, columns))
    makers = {"csr": scipy.sparse.csr_array, "csc": scipy.sparse.csc_array, "bsr": scipy.sparse.bsr_array}
    matrix = makers[kind]((data, arrays["indices"], arrays["indptr"]), shape=(rows, columns))
    matrix.check_format(full_check=True)
    return matrix


def _mat(raw: bytes, path: Path) -> Mapping[str, Any]:
    with _reading(path, ".mat file"):
        arrays = arrays_of(raw, MAX_ENTRIES)
    if not arrays:
        raise _Refused(f"{path} has no matrix of numbers")
    # Sizes, rates and the like often lie beside the matrix.
    return {name: array for name, array in arrays.items() if min(array.shape) > 1} or arrays


def _hdf5(raw: bytes, path: Path) -> Mapping[str, Any]:
    raise _Refused(f"{path} is a MATLAB file of version 7.3 (HDF5): save it with -v7")


_BINARY: Mapping[bytes, Callable[[bytes, Path], Mapping[str, Any]]] = {
    b"\x93NUMPY": _npy,
    b"PK\x03\x04": _npz,
    b"MATLAB 5.0": _mat,
    b"MATLAB 7.3": _hdf5,
    b"\x89HDF": _hdf5,
}
"""How each binary format begins, and its reader."""


def _is_size(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 and 0 < max(shape) <= 2 * MAX_LENGTH and 0 < shape[0] * shape[1] <= MAX_ENTRIES


def _check_size(shape: tuple[int, ...], path: Path) -> None:
    if not _is_size(shape):
        raise _Refused(f"{path} has an array of shape {shape}: not the matrix of a short code")


def _bits(arrays: Mapping[str, Any], path: Path) -> dict[str, Bits]:
    """The matrices among arrays, as bits."""
    found = {}
    for name, array in arrays.items():
        if np.ndim(array) != 2 and not hasattr(array, "toarray"):
            if role(name):
                raise ValueError(f"{path}: {name} has shape {np.shape(array)}, and is no matrix")
            continue
        _check_size(array.shape, path)
        try:
            found[name] = as_bits(array, name or "the matrix")
        except (TypeError, ValueError) as error:
            if len(arrays) == 1 or role(name):
                raise ValueError(f"{path}: {error}") from None
    if not found:
        shapes = [f"{name or 'unnamed'} of shape {np.shape(array)}" for name, array in [*arrays.items()][:9]]
        raise ValueError(f"{path} has no matrix of 0 and 1 (it has: {', '.join(shapes) or 'nothing'})")
    return found


def _only(found: dict[str, Bits], path: Path) -> Bits:
    if len(found) != 1:
        names = ", ".join(f"{name} {matrix.shape}" for name, matrix in [*found.items()][:9])
        raise ValueError(f"{path} has {len(found)} matrices ({names}); name them G and H, or keep one")
    return next(iter(found.values()))
