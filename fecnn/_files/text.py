"""Text for people and other programs: what it may contain, and what it must not trigger."""

import codecs
import math
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Direction marks: they reorder text, so that it reads as something else."""

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

# Spreadsheets run a cell that starts with one of these as a formula; some also in full-width characters.
_FORMULA, _ARMED = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]"), re.compile(r"'+[=+\-@\t\r\n＝＋－＠]")  # noqa: RUF001
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def control_character(text: str, multiline: bool = False) -> str | None:
    r"""The first control character or line break of a text, or None.

    Control characters are those that a terminal would obey or that make an SVG invalid.

    Example:
        >>> control_character("a\x1b[2Jb"), control_character("a\nb", multiline=True)
        ('\x1b', None)
    """
    if text.isascii() and text.isprintable():
        return None
    for character in text:
        if multiline and character in "\n\r\t":
            continue
        if (
            unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
            or character in _BIDI
            or character in "\ufeff\ufffe\uffff"
        ):
            return character
    return None


def refuse_control_characters(text: str, what: str, multiline: bool = False) -> None:
    """Reject text with control characters, which must not reach a terminal or a figure.

    Raises:
        ValueError: Naming the character.
    """
    found = control_character(text, multiline)
    if found is not None:
        kind = "a line break" if found in "\n\r" else f"the control character {found!a}"
        raise ValueError(f"{what} has {kind}; remove it")


def refuse_in_all(content: Any, multiline: frozenset[str] = frozenset(), what: str = "") -> None:
    """Reject control characters in any name or value of nested tables and lists.

    Args:
        content: Tables, lists, values.
        multiline: Names of values that may span several lines.
        what: Where the content is, for the message.

    Raises:
        ValueError: Naming the place and the character.
    """
    for place, text, long in _texts(content, multiline, what, False):
        refuse_control_characters(text, place[:200] or "a value", long)


def _texts(
    content: Any, multiline: frozenset[str], place: str, long: bool
) -> Iterator[tuple[str, str, bool]]:
    if isinstance(content, str):
        yield place, content, long
    elif isinstance(content, dict):
        for key, value in content.items():
            yield f"a name in {place}" if place else "a name", str(key), False
            yield from _texts(value, multiline, f"{place}.{key}" if place else str(key), key in multiline)
    elif isinstance(content, list | tuple):
        for i, value in enumerate(content):
            yield from _texts(value, multiline, f"{place} {i + 1}" if place else f"entry {i + 1}", long)


def plain(text: str) -> str:
    r"""Text made safe for a terminal: control characters are escaped.

    Example:
        >>> plain("a\x1b[2J\n")
        'a\\x1b[2J\n'
    """
    if control_character(text, multiline=True) is None:
        return text
    return "".join(
        ascii(character)[1:-1] if control_character(character, multiline=True) else character
        for character in text
    )


def clock(seconds: float) -> str:
    """A duration as 4:05 or 1:04:05, rounded up to whole seconds.

    Example:
        >>> clock(244.2), clock(3845)
        ('4:05', '1:04:05')
    """
    minutes, rest = divmod(math.ceil(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def cell(text: str) -> str:
    """Text as a CSV cell that no spreadsheet runs as a formula; numbers are unchanged.

    Example:
        >>> cell("=1+1"), cell("'-x"), cell("-1.5e-3"), cell("osd")
        ("'=1+1", "''-x", '-1.5e-3', 'osd')
    """
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def uncell(text: str) -> str:
    """The inverse of `cell`."""
    return text[1:] if _ARMED.match(text) else text


def refuse_semicolons(path: Path, content: str) -> None:
    """Reject a CSV file saved with semicolons or tabs, as spreadsheets do where the comma is a decimal sign.

    Raises:
        ValueError: If the first line has semicolons or tabs, and fewer commas.
    """
    header = content.partition("\n")[0]
    for sign, name in ((";", "semicolons"), ("\t", "tabs")):
        if header.count(sign) > header.count(","):
            raise ValueError(
                f"{path} looks like it was saved with {name} between its columns; use commas, and points in "
                "numbers"
            )


def read_text(path: Path, most: int, too_large: str) -> str:
    """The text of a file of unknown origin, UTF-8 with or without a byte order mark.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it is larger than ``most`` bytes (``too_large`` says for what), or not UTF-8.
    """
    with path.open("rb") as stream:
        raw = stream.read(most + 1)
    if len(raw) > most:
        raise ValueError(f"{path} has more than {most} bytes: too large for {too_large}")
    return decoded(raw, path)


def decoded(raw: bytes, path: Path) -> str:
    """Bytes of unknown origin as text, UTF-8 with or without a byte order mark.

    Raises:
        ValueError: If they are not UTF-8.
    """
    text = raw[:4].replace(b"\0", b"").strip().decode("ascii", "replace")
    if raw.startswith(_UTF16) or (
        b"\0" in raw[:4] and raw[:4].strip(b"\0") and text.isascii() and text.isprintable()
    ):
        raise ValueError(f"{path}, line 1: UTF-16 or UTF-32, as Windows programs write; save it as UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path}, line {line}: not text (invalid UTF-8)") from None
