"""Atomic file writes: no reader ever sees a half-written file."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def write(path: str | Path, content: bytes | str, *, make_folder: bool = True) -> None:
    """Write a file atomically: readers see the old content or the new, even after a crash.

    Of two simultaneous writers, both succeed and the later one wins. A link at this path is replaced, not
    followed. A pipe or device, such as ``/dev/stdout``, is written to directly.

    Args:
        path: The file to write.
        content: Bytes, or text, which is encoded as UTF-8.
        make_folder: Create the folder if it does not exist.

    Raises:
        FileNotFoundError: If the folder does not exist and is not to be created.
        OSError: If the file cannot be written; the old content is kept.
    """
    path = Path(path)
    raw = content.encode() if isinstance(content, str) else content
    if make_folder:
        path.parent.mkdir(parents=True, exist_ok=True)
    elif not path.parent.is_dir():
        raise FileNotFoundError(f"cannot write {path}: there is no folder {path.parent}; create it first")
    if path.exists() and not (path.is_file() or path.is_dir()):
        path.write_bytes(raw)
        return
    with writing(path) as file:
        file.write(raw)


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """A file for what is too large to be held twice; it takes its place, atomically, when the block ends."""
    # Not tempfile: its files are readable only by their owner.
    fresh = path.parent / f".{secrets.token_hex(8)}.tmp"
    try:
        with fresh.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
