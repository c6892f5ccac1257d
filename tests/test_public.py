"""What a stranger finds under ``import fecnn``: names, sub-packages, types, the command."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import fecnn


def python(script):
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_public_name_is_there_and_says_what_it_is():
    for name in fecnn.__all__:
        found = getattr(fecnn, name)
        assert getattr(found, "__doc__", None) or name in ("Bits", "LLR", "Decoder", "SoftDecoder"), name


@pytest.mark.parametrize(
    "name",
    [
        "theory.bounds",
        "testing.check_decoder",
        "nets.ecct",
        "codes.gf2",
        "training.recipe",
        "pipelines.onnx",
        "plots.pareto",
        "reports.report",
        "decoders.osd",
        "cli.app",
    ],
)
def test_sub_packages_load_when_they_are_named(name):
    python(f"import fecnn; fecnn.{name}")


def test_a_type_checker_sees_the_names_that_are_there():
    """The imports for type checkers, the homes of the names, and ``__all__`` say the same."""
    tree = ast.parse(Path(fecnn.__file__).read_text())
    (block,) = (
        node
        for node in tree.body
        if isinstance(node, ast.If) and "TYPE" in ast.unparse(node.test) and len(node.body) > 1
    )
    imported = {
        alias.name: node.module.removeprefix("fecnn.")
        for node in block.body
        if node.module != "fecnn"
        for alias in node.names
    }
    assert imported == {name: home for home, names in fecnn._HOMES.items() for name in names.split()}
    assert sorted(imported) == sorted(fecnn.__all__)
    assert set(fecnn.__all__) <= set(dir(fecnn))


def test_the_import_is_light():
    loaded = python("import sys, fecnn; print([m for m in ('numpy', 'numba', 'torch') if m in sys.modules])")
    assert loaded.strip() == "[]"


def test_what_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'fecnn' has no attribute 'nonsense'"):
        fecnn.nonsense  # noqa: B018
    with pytest.raises(AttributeError, match=r"module 'fecnn.theory' has no attribute 'nonsense'"):
        fecnn.theory.nonsense  # noqa: B018


def test_functions_of_the_package_are_no_modules():
    for name in ("table", "plot", "report", "compare", "run", "decoder"):
        assert callable(getattr(fecnn, name))


def test_python_m_fecnn_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "fecnn", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"fecnn {fecnn.__version__}\n"
