"""The sketches that the kernels grew from, where they lie beside the checkout."""

import importlib
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "shared" / "prototypes" / "kernels"


def sketches(*names):
    """Modules of the sketches; the test is skipped where they are not there."""
    if not FOLDER.is_dir():
        pytest.skip("the sketches are not beside this checkout")
    if str(FOLDER) not in sys.path:
        sys.path.insert(0, str(FOLDER))
    return [importlib.import_module(name) for name in names]
