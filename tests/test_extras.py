"""What works with the core of the package alone, and what is said of the rest."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from fecnn.errors import EXTRAS, extra

ROOT = Path(__file__).parents[1]
WITHOUT = """
import sys


class Missing:
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)


sys.meta_path.insert(0, Missing)
import numpy as np
import fecnn
"""
STUDY = """
title = "t"
code = "hamming-7-4"
ebn0_db = [3]
stop = { frames = 4096 }
[[curve]]
decoder = "ml"
[[curve]]
decoder = "osd"
"""


def without_extras(script, folder, *names):
    names = names or tuple(module for modules in EXTRAS.values() for module in modules)
    return subprocess.run(
        [sys.executable, "-c", WITHOUT.format(names=names) + script],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )


def command(line):
    return f"from fecnn.cli.app import app; app({line.split()!r})"


def test_extras_are_those_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    brought = {name: {line.partition(">")[0].replace("-", "_") for line in optional[name]} for name in EXTRAS}
    brought["cluster"].add("dask")  # with distributed
    brought["onnx"].remove("fecnn[nets]")
    brought["sionna"] = {"sionna"}  # of sionna-no-rt, with torch
    assert brought == {name: set(modules) for name, modules in EXTRAS.items()}
    assert optional["all"] == [f"fecnn[{','.join(sorted(EXTRAS.keys() - {'onnx', 'sionna'}))}]"]
    core = {line.partition(">")[0] for line in project["dependencies"]}
    assert core == set("galois numba numpy pandas pydantic rich scipy typer".split())
    assert not [line for line in project["dependencies"] if "<" in line]


def test_the_core_decodes_simulates_and_shows_tables(tmp_path):
    (tmp_path / "mine.toml").write_text(STUDY)
    script = "print(fecnn.decoder('osd', fecnn.hamming(3))(np.ones(7)))\n"
    done = without_extras(script + command("run mine.toml"), tmp_path)
    assert done.returncode == 0, done.stderr
    assert "[0 0 0 0 0 0 0]" in done.stdout
    assert "4,096" in done.stdout
    assert "a figure needs matplotlib: pip install 'fecnn[plot]'" in done.stderr
    assert not (tmp_path / "fecnn-results/mine.svg").exists()
    for line in ("table mine.toml", "export mine.toml b.csv", "compare mine.toml ml osd", "report mine.toml"):
        assert without_extras(command(line), tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("run optimal-hamming-7-4", "curve slnn: decoder slnn needs torch: pip install 'fecnn[nets]'"),
        ("report verdict-bch-63-45", "fecnn: the cost of fecnn-net needs torch: pip install 'fecnn[nets]'"),
        ("plot optimal-hamming-7-4 -o x.svg", "fecnn: a figure needs matplotlib: pip install 'fecnn[plot]'"),
        ("train fecnn-net-bch-31-16", "fecnn: training needs torch: pip install 'fecnn[nets]'"),
        (
            "export-onnx ecct-bch-31-16",
            "fecnn: network ecct-bch-31-16 needs torch: pip install 'fecnn[nets]'",
        ),
        ("run mine.toml --cluster local:1", "a cluster needs distributed: pip install 'fecnn[cluster]'"),
        ("export mine.toml x.parquet", "fecnn: a .parquet file needs pyarrow: pip install 'fecnn[export]'"),
    ],
)
def test_a_missing_extra_is_named_with_its_line(tmp_path, line, said):
    (tmp_path / "mine.toml").write_text(STUDY)
    if line.startswith("export"):
        assert without_extras(command("run mine.toml"), tmp_path).returncode == 0
    done = without_extras(command(line), tmp_path)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_gnu_radio_comes_from_the_system(tmp_path):
    done = without_extras("import fecnn.pipelines.gnuradio", tmp_path, "gnuradio")
    assert "needs GNU Radio 3.10 in the same Python" in done.stderr
    assert "--system-site-packages" in done.stderr


def test_other_missing_modules_are_not_taken_for_an_extra():
    with pytest.raises(ModuleNotFoundError, match="No module named 'else'"), extra("plot", "a figure"):
        raise ModuleNotFoundError("No module named 'else'", name="else")


def test_python_is_told_of_a_missing_extra_too(tmp_path):
    script = (
        "study = fecnn.load_study('optimal-hamming-7-4')\n"
        "fecnn.plot(study, fecnn.table(study, study.path.parent / 'results.csv'))"
    )
    done = without_extras(script, tmp_path)
    assert done.stderr.splitlines()[-1] == (
        "ModuleNotFoundError: a figure needs matplotlib: pip install 'fecnn[plot]'"
    )
