"""Files that are never seen half written: the one writer of them all."""

import os
import secrets
from pathlib import Path


def write(path: str | Path, content: bytes | str, *, make_folder: bool = True) -> None:
    """Write a file: whoever reads it, even after a crash, sees the old content or the new.

    Two who write it at once both succeed, and the later one is seen. A link of that name is replaced, not
    followed; a pipe or a device, such as ``/dev/stdout``, is written to.

    Args:
        path: The file.
        content: Bytes, or text, which becomes UTF-8.
        make_folder: Make its folder where there is none.

    Raises:
        FileNotFoundError: If there is no folder, and it is not to be made.
        OSError: If it cannot be written; what was there stays.
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
    # Opened by name rather than by tempfile, whose files nobody else may read.
    fresh = path.parent / f".{secrets.token_hex(8)}.tmp"
    try:
        with fresh.open("xb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
