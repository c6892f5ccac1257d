"""Files that are never seen half written."""

import os
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Write a file, making its folder: whoever reads it, even after a crash, sees the old content or the new.

    Raises:
        OSError: If it cannot be written; what was there stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
