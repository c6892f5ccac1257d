"""The shape of the package: imports run one way and are light; one place knows the signs."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import fecnn

PACKAGE = Path(fecnn.__file__).parent

# Each layer may import the ones before it, and its neighbours in the same line.
LAYERS = [
    ["_version", "arrays", "atomic", "errors", "intervals", "jit", "text", "tomlfile"],
    ["gf2"],
    ["code"],
    [
        "alist",
        "automorphism",
        "bit_order",
        "build",
        "card",
        "codefile",
        "catalogue",
        "cyclic",
        "low_weight",
        "stream",
    ],
    ["channel"],
    ["nets"],
    ["checkpoint"],
    ["decoders"],
    ["foreign", "testing", "tally", "recipe", "bounds", "witness"],
    ["sound"],
    ["rare", "complexity"],
    ["engine"],
    ["reference", "stop"],
    ["study"],
    ["simulate", "train", "learning"],
    ["store", "workers"],
    ["schedulers"],
    ["estimates", "cluster"],
    ["campaign", "bench", "warm_up"],
    ["agreement"],
    ["table", "live"],
    ["compare"],
    ["gap", "costs"],
    ["figure"],
    ["pareto"],
    ["report"],
    ["cli"],
]
LEVEL = {module: level for level, modules in enumerate(LAYERS) for module in modules}


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "fecnn":
            parts = node.module.split(".")
            yield from [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from (a.name.split(".")[1] for a in node.names if a.name.startswith("fecnn."))


def test_imports_run_one_way():
    for path in PACKAGE.rglob("*.py"):
        module = path.relative_to(PACKAGE).with_suffix("").parts[0]
        if module in ("__init__", "cli"):
            continue
        assert module in LEVEL, f"{path} has no layer"
        for imported in imports(path):
            if imported in LEVEL:
                assert LEVEL[imported] <= LEVEL[module], f"{path} imports {imported}, which is above it"


def test_importing_is_light():
    heavy = "torch galois matplotlib plotly pandas distributed"
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
