"""The sketches that the kernels are measured against; they live beside the checkout, not in it."""

import sys
from pathlib import Path

import pytest


def sketches() -> Path:
    """Put the folder of the sketches on sys.path; skip the benchmark where there is none."""
    folder = Path(__file__).parents[2] / "shared" / "prototypes" / "kernels"
    if not folder.is_dir():
        pytest.skip(f"there are no sketches to compare with: no folder {folder}")
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    return folder
