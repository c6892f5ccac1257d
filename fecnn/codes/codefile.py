"""Code files: TOML files with a code, its family, parameters, source and known properties."""

import dataclasses
import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
)

from fecnn._files.atomic import write
from fecnn._files.problems import refusal, sentences
from fecnn._files.text import read_text
from fecnn._files.toml import refuse_controls, toml_of
from fecnn.arrays import Bits
from fecnn.codes.code import MAX_LENGTH, Code
from fecnn.codes.mother import Mother
from fecnn.codes.registry import build

MAX_BYTES = 1 << 24
"""Largest code file read or written; larger matrices belong in an alist."""

Parameter = StrictBool | StrictInt | StrictFloat | StrictStr | list[StrictInt] | list[list[StrictInt]]
Row = Annotated[str, Field(pattern="^[01]+$", max_length=MAX_LENGTH)]


class MotherTable(BaseModel):
    """The code that a shortened, punctured or repeated one is cut from, see `fecnn.codes.mother.Mother`.

    Attributes:
        name: Its name.
        n: Its length.
        sent: The position in it of each bit that is sent, 0-based.
        zero: Its positions that are 0.
        G: Rows of its generator, as strings of 0 and 1.
        H: Rows of its parity-check matrix, likewise.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=100)]
    n: Annotated[StrictInt, Field(ge=1, le=MAX_LENGTH)]
    sent: Annotated[list[Annotated[StrictInt, Field(ge=0, lt=MAX_LENGTH)]], Field(max_length=MAX_LENGTH)]
    zero: Annotated[list[Annotated[StrictInt, Field(ge=0, lt=MAX_LENGTH)]], Field(max_length=MAX_LENGTH)] = []
    G: Annotated[list[Row], Field(min_length=1, max_length=MAX_LENGTH)]
    H: Annotated[list[Row], Field(max_length=2 * MAX_LENGTH)]


class CodeFile(BaseModel):
    """The contents of a code file, a TOML file with these keys.

    Attributes:
        name: As shown in tables; for a shipped code, the file's name.
        family: The builder, one of `fecnn.codes.registry.FAMILIES`, or "custom".
        parameters: The builder's arguments.
        n: Code bits.
        k: Message bits.
        source: Where the code comes from.
        minimum_distance: The minimum distance, if known.
        minimum_distance_proof: How the minimum distance is known.
        weight_spectrum: Weight -> number of codewords, without zeros. Counts beyond 64 bits are strings.
        witness: Positions of the ones of a codeword of minimum weight, 0-based.
        bit_order: Order of the positions, 0-based, that keeps a trellis small.
        sha256: `Code.fingerprint`.
        G: Rows of the generator, as strings of 0 and 1.
        H: Rows of the parity-check matrix, likewise.
        mother: The code that it is cut from, if decoders may work from that.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=100)]
    family: str = "custom"
    parameters: dict[str, Parameter] = {}
    n: Annotated[StrictInt, Field(ge=1, le=MAX_LENGTH)]
    k: Annotated[StrictInt, Field(ge=1, le=MAX_LENGTH)]
    source: str = ""
    minimum_distance: Annotated[StrictInt, Field(ge=1, le=MAX_LENGTH)] | None = None
    minimum_distance_proof: str | None = None
    weight_spectrum: dict[Annotated[int, Field(ge=0, le=MAX_LENGTH)], Annotated[int, Field(gt=0)]] | None = (
        None
    )
    witness: list[Annotated[StrictInt, Field(ge=0, lt=MAX_LENGTH)]] | None = None
    bit_order: list[Annotated[StrictInt, Field(ge=0, lt=MAX_LENGTH)]] | None = None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    G: Annotated[list[Row], Field(min_length=1, max_length=MAX_LENGTH)]
    H: Annotated[list[Row], Field(max_length=2 * MAX_LENGTH)]
    mother: MotherTable | None = None


def code_text(code: Code) -> str:
    """A code file with all that a code carries."""
    return _toml(_validated(_said_of(code), Path(code.name)))


def _said_of(code: Code) -> dict[str, Any]:
    """What a code carries, as the keys of its file."""
    spectrum, mother = code.known_spectrum, code.mother
    return {
        "name": code.name,
        "n": code.n,
        "k": code.k,
        "minimum_distance": code.minimum_distance,
        "weight_spectrum": None if spectrum is None else {w: a for w, a in enumerate(spectrum) if a},
        "bit_order": None if code.bit_order is None else list(code.bit_order),
        "sha256": code.fingerprint,
        "G": _rows(code.G),
        "H": _rows(code.H),
        "mother": None
        if mother is None
        else {
            "name": mother.code.name,
            "n": mother.code.n,
            "sent": list(mother.sent),
            "zero": list(mother.zero),
            "G": _rows(mother.code.G),
            "H": _rows(mother.code.H),
        },
    }


def save_code(
    code: Code,
    path: str | Path,
    *,
    family: str = "custom",
    source: str = "",
    parameters: Mapping[str, Parameter] | None = None,
    minimum_distance_proof: str | None = None,
    witness: Iterable[int] | None = None,
) -> None:
    """Write a code file that `load_code` can read; the write is atomic.

    The minimum distance, the weight spectrum and the bit order are taken from the code.

    Args:
        code: The code to write.
        path: The file, ending ``.toml``.
        family: The builder in `fecnn.codes.registry.FAMILIES`, or "custom".
        source: Where the code comes from.
        parameters: The builder's arguments.
        minimum_distance_proof: How the minimum distance is known.
        witness: Positions of the ones of a codeword of minimum weight, 0-based.

    Raises:
        FileNotFoundError: If the folder does not exist.
        ValueError: If the path does not end in ``.toml``, the code is too large, or the witness is invalid.

    Example:
        >>> import fecnn, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_code(fecnn.hamming(3), Path(folder, "mine.toml"), source="Hamming 1950")
        ...     fecnn.load_code(Path(folder, "mine.toml"))
        Code(hamming-7-4: n=7, k=4)
    """
    target = Path(path)
    if target.suffix != ".toml":
        raise ValueError(f"path of a code file must end in .toml, got {target}")
    says = _said_of(code) | {
        "family": family,
        "parameters": dict(parameters or {}),
        "source": source,
        "minimum_distance_proof": minimum_distance_proof,
        "witness": None if witness is None else [int(position) for position in witness],
    }
    file = _validated(says, target)
    code_of(file, target)
    text = _toml(file)
    if len(text.encode()) > MAX_BYTES:
        raise ValueError(
            f"{code.name} is too large for a code file ({MAX_BYTES} bytes); write_alist writes H"
        )
    write(target, text, make_folder=False)


def rebuild(file: CodeFile) -> Code:
    """The code that the file's builder makes from the file's parameters, under the file's name.

    Raises:
        LookupError: If the family has no builder.
        ValueError: If the builder does not accept these parameters.

    Example:
        >>> from fecnn.codes.catalogue import code_file
        >>> rebuild(code_file("hamming-7-4")).fingerprint == code_file("hamming-7-4").sha256
        True
    """
    try:
        code = build(file.family, file.parameters)
    except (LookupError, ValueError) as error:
        raise type(error)(f"{file.name}: {error}") from None
    return dataclasses.replace(code, name=file.name)


def read_code_file(path: Path) -> CodeFile:
    """The contents of a code file, validated key by key.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a code file; the message lists all problems.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no code file {path}; the shipped ones are named without .toml")
    text = read_text(path, MAX_BYTES, "a code file")
    try:
        says = toml_of(text)
    except ValueError as error:
        raise ValueError(f"{path} is not valid TOML: {error}") from None
    return _validated(says, path)


def _validated(says: dict[str, Any], path: Path) -> CodeFile:
    refuse_controls(says, path)
    try:
        file = CodeFile.model_validate(says)
    except ValidationError as error:
        raise refusal(path, sentences(error, CodeFile), "a code file") from None
    if len(file.G) != file.k:
        raise ValueError(f"{path}: G has {len(file.G)} rows, but k = {file.k}")
    matrices = [("G", file.G, file.n), ("H", file.H, file.n)]
    if file.mother is not None:
        matrices += [("mother.G", file.mother.G, file.mother.n), ("mother.H", file.mother.H, file.mother.n)]
    for name, rows, n in matrices:
        wrong = next((index for index, row in enumerate(rows) if len(row) != n), None)
        if wrong is not None:
            raise ValueError(f"{path}: row {wrong + 1} of {name} has {len(rows[wrong])} digits, but n = {n}")
    return file


def code_of(file: CodeFile, path: Path) -> Code:
    """The code in a file, after checking that its matrices agree with its other keys where that is quick.

    Raises:
        ValueError: If they disagree; the message names ``path``.
    """
    code = named_fault(
        path,
        lambda: Code(
            _bits(file.G, file.n), _bits(file.H, file.n), name=file.name, mother=_mother(file.mother)
        ),
    )
    if code.fingerprint != file.sha256:
        raise ValueError(
            f"{path}: sha256 is {file.sha256}, but G and H have {code.fingerprint}: the file was edited; "
            "restore it, or write your own with save_code"
        )
    spectrum = None
    if file.weight_spectrum is not None:
        if max(file.weight_spectrum, default=0) > file.n:
            raise ValueError(
                f"{path}: weight_spectrum has weight {max(file.weight_spectrum)}, but n = {file.n}"
            )
        spectrum = tuple(file.weight_spectrum.get(weight, 0) for weight in range(file.n + 1))
        first = min((weight for weight in file.weight_spectrum if weight > 0), default=None)
        if file.minimum_distance is not None and first != file.minimum_distance:
            raise ValueError(
                f"{path}: minimum_distance is {file.minimum_distance}, but weight_spectrum starts at {first}"
            )
    _check_witness(file, code, path)
    return named_fault(
        path,
        lambda: dataclasses.replace(
            code,
            minimum_distance=file.minimum_distance,
            known_spectrum=spectrum,
            bit_order=None if file.bit_order is None else tuple(file.bit_order),
        ),
    )


def _mother(table: MotherTable | None) -> Mother | None:
    if table is None:
        return None
    longer = Code(_bits(table.G, table.n), _bits(table.H, table.n), name=table.name)
    return Mother(longer, tuple(table.sent), tuple(table.zero))


def _check_witness(file: CodeFile, code: Code, path: Path) -> None:
    if file.witness is None:
        return
    word = np.zeros(file.n, np.uint8)
    word[[position for position in file.witness if position < file.n]] = 1
    # By NumPy, because loading the kernel of `Code.syndrome` takes longer than all else that a listing does.
    if word.sum() != len(file.witness) or (word @ code.H.T % 2).any():
        raise ValueError(
            f"{path}: witness must be the positions of the ones of a codeword, each once, below n"
        )
    if file.minimum_distance is not None and len(file.witness) != file.minimum_distance:
        raise ValueError(
            f"{path}: witness has weight {len(file.witness)}, but minimum_distance is {file.minimum_distance}"
        )


def named_fault(path: Path, make: Callable[[], Code]) -> Code:
    """``make()``; a ValueError it raises is prefixed with the file's name."""
    try:
        return make()
    except ValueError as error:
        message = str(error)
        raise ValueError(message if message.startswith(str(path)) else f"{path}: {message}") from None


def _rows(matrix: Bits) -> list[str]:
    return ["".join(map(str, row)) for row in matrix.tolist()]


def _bits(rows: list[str], n: int) -> Bits:
    return (np.frombuffer("".join(rows).encode(), np.uint8) - ord("0")).reshape(len(rows), n)


def _toml(file: CodeFile) -> str:
    """The file's text: keys in the order of `CodeFile`, then its tables."""
    says = {key: value for key, value in file if value is not None}
    tables = {key: says.pop(key) for key in ("parameters", "weight_spectrum", "mother") if key in says}
    lines = [f"{key} = {_value(value, key in ('G', 'H'))}" for key, value in says.items()]
    for key, table in tables.items():
        lines += ["", f"[{key}]"]
        lines += [
            f"{_key(str(entry))} = {_value(value, entry in ('G', 'H'))}"
            for entry, value in dict(table).items()
        ]
    return "\n".join(lines) + "\n"


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _value(key)


def _value(value: Any, one_per_line: bool = False) -> str:
    if isinstance(value, list):
        items = [_value(item) for item in value]
        return (
            "[\n" + "".join(f"  {item},\n" for item in items) + "]"
            if one_per_line
            else f"[{', '.join(items)}]"
        )
    if isinstance(value, str):
        # A JSON string is a TOML string, except for DEL.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value >= 2**63:
        return f'"{value}"'  # TOML promises no more than 64 bits
    return repr(value)
