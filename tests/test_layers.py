"""The shape of the package: imports run one way and are light; one place knows the signs."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import fecnn

PACKAGE = Path(fecnn.__file__).parent

ROOMS = [
    "_version",
    "arrays",
    "errors",
    "intervals",
    "jit",
    "_files",
    "_notebook",
    "codes",
    "channels",
    "nets",
    "decoders",
    "testing",
    "theory",
    "training",
    "simulation",
    "studies",
    "analysis",
    "plots",
    "reports",
    "pipelines",
    "cli",
]
"""A room, a folder or a module at the top, uses itself and the rooms before it."""


ALLOWED = {"fecnn.arrays", "fecnn.jit", "fecnn.channels.stream", "fecnn._files.rooms"}
"""What kernels may import besides kernels."""


def imports(path):
    """Every module of the package that a file imports, anywhere in it; the package itself as ``fecnn``."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports by a relative name"
            if node.module.split(".")[0] == "fecnn":
                yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "fecnn")


def test_each_room_has_its_place():
    found = {path.stem for path in PACKAGE.glob("*.py")} | {
        path.parent.name for path in PACKAGE.glob("*/*.py")
    }
    assert found - {"__init__", "__main__"} == set(ROOMS)
    assert len(list(PACKAGE.glob("*.py"))) <= 8


def test_imports_run_down_the_rooms():
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).with_suffix("").parts[0]
        if room in ("__init__", "__main__"):
            continue
        for module in imports(path):
            parts = module.split(".")
            assert len(parts) > 1, f"{path} imports the whole package"
            assert ROOMS.index(parts[1]) <= ROOMS.index(room), f"{path} imports {module}, which is above it"


def test_kernels_import_kernels_arrays_and_their_compiler_only():
    """Also those in the ``kernels.py`` of other rooms; the purposes of the stream are numbers."""
    for path in [*PACKAGE.glob("decoders/kernels/*.py"), *PACKAGE.glob("*/kernels.py")]:
        for module in imports(path):
            assert ".kernels" in module or module in ALLOWED, f"{path} imports {module}"


LIBRARIES = {"collections", "llvmlite", "math", "numba", "numpy", "operator", "typing"}
"""What kernels may import from elsewhere."""


def test_kernels_import_no_library_but_numpy_and_the_compiler():
    for path in [*PACKAGE.glob("decoders/kernels/*.py"), *PACKAGE.glob("*/kernels.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            names = (
                [node.module]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else []
            )
            assert {name.split(".")[0] for name in names} <= LIBRARIES | {"fecnn"}, path


def test_kernels_lie_in_kernels():
    for path in PACKAGE.rglob("*.py"):
        decorated = re.search(r"^@kernel", path.read_text(), re.MULTILINE)
        assert not decorated or "kernels" in path.parts[-1] + path.parts[-2] or path.name == "jit.py", path


def test_importing_is_light():
    heavy = "torch galois matplotlib pandas distributed"
    script = f"import sys, fecnn; print([m for m in '{heavy}'.split() if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_only_arrays_maps_bits_to_symbols():
    """``1 - 2 * bits`` wraps to 255 on uint8: everybody uses `bpsk`."""
    for path in PACKAGE.rglob("*.py"):
        if path.name != "arrays.py":
            assert not re.search(r"1(\.0)? *- *2(\.0)? *\* *\w*(bits|words|codeword)", path.read_text()), path


def test_no_code_from_data():
    for path in PACKAGE.rglob("*.py"):
        names = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
        assert not names & {"eval", "exec", "pickle"}, path


def test_a_simulation_knows_nothing_of_study_files():
    for path in PACKAGE.glob("simulation/*.py"):
        assert not re.search(r"^\s*(from|import) pydantic", path.read_text(), re.MULTILINE), path
