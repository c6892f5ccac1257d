"""Matrices written out as text: dense, as programs print them; quasi-cyclic; Matrix Market."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fecnn.arrays import Bits
from fecnn.codes.code import MAX_LENGTH
from fecnn.errors import shown

MAX_ENTRIES = 1 << 27
"""Largest number of entries, m n, of a matrix read."""

MAX_CHARACTERS = 1 << 24
"""Longest text of a dense matrix read."""

_COMMENT = re.compile(r"(#|%|//).*")
_HEADER = re.compile(
    r"^[ \t]*(?:(?P<name>(?!dtype\b|order\b)[A-Za-z_]\w*)[ \t]*:?=|"
    r"(?:the )?(?P<title>generator|parity[ -]?check) matrix\b[^\n\[]*$)",
    re.MULTILINE | re.IGNORECASE,
)
_COLUMNS = re.compile(
    r"^[ \t]*columns? \d+(?: (?:through|and|to) \d+)?[ \t]*+:?+[ \t]*+$", re.IGNORECASE | re.MULTILINE
)
_QUOTED = re.compile(r"[\"']([01]+)[\"']")
_WRAPPER = re.compile(r"^\s*(?:\w+\.)*\w+\s*\((?=\s*[\[{])")  # array( of NumPy, GF( of galois
# Possessive, and only from a sign, so that long blanks are scanned only once.
_CLOSING = re.compile(r"(?=[,);])(?:,\s*+(?:dtype|order)\s*+=\s*+[\w.'\"<>]++\s*+)?+\)?+\s*+;?+$")
_RULE = re.compile(r"^\s*\[[-+ ]*\]\s*$")  # between blocks, as Sage draws it
_NUMBER = re.compile(r"[+-]?(\d{1,20}\.?\d{0,30}|\.\d{1,30})([eE][+-]?\d{1,4})?", re.ASCII)


def matrices_of(text: str, path: Path) -> dict[str, Bits]:
    """Dense matrices of 0 and 1 by the names that they have in a text; the name is empty where there is none.

    Rows are lines, or are in brackets, or end with semicolons, as NumPy, Python, MATLAB, Magma and Sage write
    them; entries are apart by blanks, commas or bars, or stand together.

    Raises:
        ValueError: If it is not such a text, naming the file, the line or row, and what was found.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(
            f"{path} has more than {MAX_CHARACTERS} characters; write a large matrix as an alist"
        )
    found: dict[str, Bits] = {}
    for name, body in _parts(text, path):
        if name in found:
            raise ValueError(f"{path} has two matrices named {name or 'nothing'}")
        found[name] = _matrix(body, path)
    return found


def _check_length(text: str, path: Path) -> None:
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"{path} has more than {MAX_CHARACTERS} characters; write it as an alist")


def without_comments(text: str) -> str:
    """The text without what follows ``#``, ``%`` or ``//`` on a line."""
    return _COMMENT.sub("", text)


def has_title(text: str) -> bool:
    """Whether a matrix is named, as in MATLAB, or titled, as in Magma."""
    return _HEADER.search(text) is not None or _COLUMNS.search(text) is not None


def _parts(text: str, path: Path) -> Iterator[tuple[str, str]]:
    """The name and the text of each matrix."""
    headers = list(_HEADER.finditer(text))
    if not headers:
        yield "", text
        return
    for line in text[: headers[0].start()].splitlines():
        if line.strip() and not re.search(r"[A-Za-z]{3}", line):
            raise ValueError(f"{path} has {shown(line.strip()[:40])} before its first named matrix")
    ends = [header.start() for header in headers[1:]] + [len(text)]
    for header, end in zip(headers, ends, strict=True):
        yield header["name"] or header["title"], text[header.end() : end]


def _matrix(body: str, path: Path) -> Bits:
    if quoted := _QUOTED.findall(body):
        rows = [(f"row {i}", [row]) for i, row in enumerate(quoted, 1)]
    elif "[" in body or "{" in body:
        rows = _bracketed(body.replace("{", "[").replace("}", "]"), path)
    else:
        rows = _lines(body, path)
    entries = [_entries(tokens, where, path) for where, tokens in rows]
    if not entries or not len(entries[0]):
        raise ValueError(f"{path} has no matrix in it")
    width = len(entries[0])
    for (where, _), row in zip(rows, entries, strict=True):
        if len(row) != width:
            raise ValueError(f"{path}, {where} has {len(row)} entries, but {rows[0][0]} has {width}")
    if width > MAX_LENGTH or len(rows) > 2 * MAX_LENGTH or width * len(rows) > MAX_ENTRIES:
        raise ValueError(f"{path} has a matrix of {len(rows)} by {width}: out of range")
    return np.array(entries, np.uint8)


Row = tuple[str, list[str]]
"""Where a row is, for messages, and its entries as written."""


def _lines(body: str, path: Path) -> list[Row]:
    """A row a line; MATLAB shows wide matrices as blocks of columns."""
    if _COLUMNS.search(body):
        columns = [_plain_rows(part, path) for part in _COLUMNS.split(body)]
        blocks = [block for block in columns if block]
        if len({len(block) for block in blocks}) > 1:
            raise ValueError(f"{path} has blocks of columns that are not equally high: it is cut")
        return [
            (parts[0][0], [token for _, tokens in parts for token in tokens])
            for parts in zip(*blocks, strict=True)
        ]
    groups = [rows for part in re.split(r"\n[ \t]*\n", body) if (rows := _plain_rows(part, path))]
    if len(groups) > 1 and any(len(rows) > 1 for rows in groups):
        raise ValueError(
            f"{path} has {len(groups)} blocks of rows with empty lines between them: keep one matrix in a "
            "file, or name each, as in G = [...]"
        )
    return _plain_rows(body, path)


def _plain_rows(body: str, path: Path) -> list[Row]:
    return [
        (f"line {number}", cells)
        for number, line in enumerate(body.splitlines(), 1)
        if (cells := _cells(line, f"line {number}", path))
    ]


def _cells(line: str, where: str, path: Path) -> list[str]:
    """The entries of a row, apart by one kind of sign; blanks around another kind do not count."""
    line = line.replace("|", " ").strip(" \r")
    kinds = [sign for sign in ",;\t" if sign in line.rstrip(",;\t")]
    if not kinds:
        return line.rstrip(",;\t").split()
    if len(kinds) > 1 and kinds != [",", "\t"]:
        raise ValueError(
            f"{path}, {where} has both {shown(kinds[0])} and {shown(kinds[1])} between its entries"
        )
    cells = [cell.strip() for cell in re.sub(r"[,;\t]$", "", line).split(kinds[0])]
    for i, cell in enumerate(cells, 1):
        if not cell or " " in cell:
            raise ValueError(f"{path}, {where}: entry {i} is {shown(cell)}, not 0 or 1")
    return cells


def _bracketed(body: str, path: Path) -> list[Row]:
    """Rows in brackets, or one bracket whose rows end with semicolons or lines."""
    body = "\n".join(line for line in body.splitlines() if not _RULE.match(line))
    body = _CLOSING.sub("", _WRAPPER.sub("", body, count=1).strip(), count=1).strip()
    depth, deepest, start = 0, 0, 0
    inner: list[str] = []
    outer: list[str] = []
    beside: tuple[list[str], list[str]] = ([], [])  # what is in no brackets, and in the outer ones alone
    for place, sign in enumerate(body):
        if sign == "[":
            depth += 1
            deepest = max(deepest, depth)
            start = place + 1
        elif sign == "]":
            depth -= 1
            if depth < 0:
                raise ValueError(f"{path} has a ] without a [")
            if depth == 1 or (depth == 0 and deepest == 1):
                (inner if depth == 1 else outer).append(body[start:place])
        elif depth < 2 and sign not in " \t\n,;":
            beside[depth].append(sign)
    if depth:
        raise ValueError(f"{path} has a [ without a ]")
    if deepest > 2:
        raise ValueError(f"{path} has brackets {deepest} deep, and a matrix has two at most")
    strange = "".join(beside[0] + (beside[1] if deepest == 2 else []))
    if strange.startswith(("..", "…")):
        raise ValueError(_abbreviated(path, "its list of rows", "..."))
    if strange:
        raise ValueError(f"{path} has {shown(strange[:40])} beside its rows")
    if deepest == 2 or len(outer) > 1:
        return [(f"row {i}", _list(row, f"row {i}", path)) for i, row in enumerate(inner or outer, 1)]
    whole = re.sub(r"\.\.\.[ \t]*\n", " ", outer[0])
    rows = [
        tokens
        for i, row in enumerate(re.split(r"[;\n]", whole), 1)
        if (tokens := _list(row, f"row {i}", path))
    ]
    return [(f"row {i}", row) for i, row in enumerate(rows, 1)]


def _list(row: str, where: str, path: Path) -> list[str]:
    """The entries of a row in brackets, apart by blanks, commas or bars."""
    if re.search(r"^\s*,|,\s*,", row):
        raise ValueError(f"{path}, {where} has an empty entry")
    tokens = row.replace("|", " ").replace(",", " ").split()
    if "," in row and len(tokens) > 1 and any(len(token) > 1 and not token.strip("01") for token in tokens):
        wide = next(token for token in tokens if len(token) > 1 and not token.strip("01"))
        raise ValueError(f"{path}, {where}: {shown(wide)} is not 0 or 1; rows of digits stand in quotes")
    return tokens


def _abbreviated(path: Path, where: str, token: str) -> str:
    return (
        f"{path}, {where} is abbreviated by {token}: print it whole, with numpy.savetxt or "
        "numpy.set_printoptions(threshold=sys.maxsize)"
    )


def _entries(tokens: list[str], where: str, path: Path) -> Bits:
    """The bits of a row; digits may stand together in groups of one length, the last one shorter."""
    together = "".join(tokens)
    if tokens and not together.strip("01"):
        size = len(tokens[0])
        if all(len(token) == size for token in tokens[:-1]) and len(tokens[-1]) <= size:
            return np.frombuffer(together.encode(), np.uint8) - np.uint8(ord("0"))
    row = np.empty(len(tokens), np.uint8)
    for i, token in enumerate(tokens):
        if token in ("..", "...", "…"):
            raise ValueError(_abbreviated(path, where, token))
        row[i] = _bit(token, f"{where}: entry {i + 1}", path)
    return row


def _bit(token: str, where: str, path: Path) -> int:
    value = float(token) if _NUMBER.fullmatch(token) else {"True": 1.0, "False": 0.0}.get(token)
    if value not in (0.0, 1.0):
        raise ValueError(f"{path}, {where} is {shown(token)}, not 0 or 1")
    return int(value)


def quasi_cyclic_of(text: str, path: Path) -> Bits:
    """The parity checks of a quasi-cyclic base matrix, as AFF3CT's ``.qc`` files have it.

    The columns, the rows and the size Z of a block come first, then the shifts row by row: a block is the
    identity with its columns moved right by the shift, or zero where that is -1. A line of ones may follow,
    one for each column of blocks: columns that are sent.

    Raises:
        ValueError: If it is not such a file, or it punctures, naming the file and what was found.
    """
    lines = [tokens for line in text.splitlines() if (tokens := line.replace(",", " ").split())]
    tokens = [token for line in lines for token in line]
    for token in tokens:
        if not re.fullmatch(r"-?\d{1,9}", token, re.ASCII):
            raise ValueError(
                f"{path}: {shown(token)} is not a shift; a base matrix has whole numbers from -1 on"
            )
    columns, rows, size = (int(token) for token in tokens[:3])
    if min(columns, rows, size) < 1 or columns * size > MAX_LENGTH or rows * size > 2 * MAX_LENGTH:
        raise ValueError(
            f"{path}: {columns} by {rows} blocks of size {size} are out of range (n at most {MAX_LENGTH})"
        )
    if len(lines) > 1 and len(lines[1]) == rows != columns and len(lines[1:]) >= columns:
        raise ValueError(
            f"{path} begins with {columns} columns and {rows} rows; it seems to have them exchanged"
        )
    shifts = np.array([int(token) for token in tokens[3 : 3 + columns * rows]])
    sent = [int(token) for token in tokens[3 + columns * rows :]]
    if len(shifts) < columns * rows or (sent and len(sent) != columns):
        raise ValueError(
            f"{path}: {columns} columns and {rows} rows make {columns * rows} shifts, found {len(tokens) - 3}"
        )
    wrong = shifts[(shifts < -1) | (shifts >= size)]
    if wrong.size:
        raise ValueError(f"{path}: the shift {wrong[0]} is not from -1 to Z - 1 = {size - 1}")
    if not all(sent):
        missing = [str(i) for i, one in enumerate(sent, 1) if not one]
        raise ValueError(
            f"{path} punctures columns {', '.join(missing)} of its blocks: punctured codes are not read; "
            "drop the last line for the mother code"
        )
    identity = np.eye(size, dtype=np.uint8)
    zero = np.zeros((size, size), np.uint8)
    blocks = [
        [zero if shift < 0 else np.roll(identity, shift, axis=1) for shift in row]
        for row in shifts.reshape(rows, columns)
    ]
    return np.asarray(np.block(blocks))


def is_quasi_cyclic(text: str) -> bool:
    """Whether three numbers are in the first line, and as many follow as a base matrix of this size has."""
    first = next((tokens for line in text.splitlines() if (tokens := line.split())), [])
    if len(first) != 3 or not all(re.fullmatch(r"\d{1,5}", token, re.ASCII) for token in first):
        return False
    columns, rows, _ = (int(token) for token in first)
    found = len(text.split()) - 3
    return found in (columns * rows, columns * rows + columns) or bool(re.search(r"(?<!\S)-1(?!\S)", text))


def matrix_market_of(text: str, path: Path) -> Bits:
    """A matrix in the Matrix Market exchange format (Boisvert, Pozo and Remington, NISTIR 5935, 1996).

    SciPy's reader ends the process for some damaged files (SciPy 1.17).

    Raises:
        ValueError: If it is damaged, is not of 0 and 1, or is skew-symmetric, Hermitian or complex.
    """
    _check_length(text, path)
    title, *lines = text.splitlines()
    words = title.lower().split()[1:]
    layout, field, symmetry = (*words[1:], "", "", "")[:3]
    if (
        layout not in ("coordinate", "array")
        or field not in ("real", "double", "integer", "pattern")
        or symmetry not in ("general", "symmetric")
    ):
        raise ValueError(f"{path} is a Matrix Market file of a kind that is not read: {shown(title[:80])}")
    tokens = [token for line in lines if not line.startswith("%") for token in line.split()]
    symmetric = symmetry == "symmetric"
    head = 2 if layout == "array" else 3
    if len(tokens) < head or not all(re.fullmatch(r"\d{1,9}", token, re.ASCII) for token in tokens[:head]):
        raise ValueError(f"{path} does not begin with the size of its matrix")
    rows, columns = int(tokens[0]), int(tokens[1])
    if (
        rows < 1
        or columns < 1
        or (symmetric and rows != columns)
        or max(rows, columns) > 2 * MAX_LENGTH
        or rows * columns > MAX_ENTRIES
    ):
        raise ValueError(f"{path} has a matrix of {rows} by {columns}: out of range")
    matrix = np.zeros((rows, columns), np.uint8)
    if layout == "array":
        values = tokens[head:]
        if len(values) != (columns * (columns + 1) // 2 if symmetric else rows * columns):
            raise ValueError(f"{path} has {len(values)} entries, too many or too few for {rows} by {columns}")
        places = [(i, j) for j in range(columns) for i in range(j if symmetric else 0, rows)]
    else:
        width = 2 if field == "pattern" else 3
        if len(tokens) != head + width * int(tokens[2]):
            raise ValueError(f"{path} has {len(tokens) - head} numbers, not {width} times {tokens[2]}")
        places = [
            (_index(tokens[at], rows, path), _index(tokens[at + 1], columns, path))
            for at in range(head, len(tokens), width)
        ]
        values = ["1"] * len(places) if field == "pattern" else tokens[head + 2 :: 3]
        if len(set(places)) < len(places):
            raise ValueError(f"{path} has an entry twice")
    for (i, j), value in zip(places, values, strict=True):
        matrix[i, j] = _bit(value, f"entry ({i + 1}, {j + 1})", path)
        if symmetric:
            matrix[j, i] = matrix[i, j]
    return matrix


def _index(token: str, most: int, path: Path) -> int:
    if not re.fullmatch(r"\d{1,9}", token, re.ASCII) or not 1 <= int(token) <= most:
        raise ValueError(f"{path} has an entry at {shown(token)}, outside of 1 to {most}")
    return int(token) - 1
