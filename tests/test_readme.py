"""What the README and the documents show is executed, and what they print is true."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import fecnn
from fecnn.analysis.table import display, markdown, table

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("path", ["README.md", "docs/write-a-decoder.md"])
def test_python_blocks_run(path, tmp_path, monkeypatch):
    """The blocks of a page run in order; those before check_decoder are the module ``my_decoders``."""
    monkeypatch.syspath_prepend(tmp_path)
    names, module = {}, ""
    for block in blocks((ROOT / path).read_text(), "python"):
        if "check_decoder" in block:
            (tmp_path / "my_decoders.py").write_text(module)
        module += block
        exec(compile(block, path, "exec"), names)
    sys.modules.pop("my_decoders", None)
    if path == "README.md":
        assert names["low"] < names["wrong"] / 1000 < names["high"]


def test_the_study_shown_runs(tmp_path):
    """With the curve that is added to it further down."""
    (tmp_path / "my_study.toml").write_text("\n".join(blocks(README, "toml")))
    study = fecnn.load_study(tmp_path / "my_study.toml")
    steps = list(fecnn.run(study, workers=2, store=tmp_path / "results.sqlite"))
    assert steps
    results = table(study, tmp_path / "results.sqlite")
    assert results["finished"].all()
    assert len(results) == len(study.all_points) > len(study.points)


def test_commands_shown_run(tmp_path):
    """All but the two install commands, which the continuous integration runs."""
    (tmp_path / "my_study.toml").write_text(blocks(README, "toml")[0])
    lines = [line for block in blocks(README, "bash")[2:] for line in block.splitlines()]
    assert len(lines) >= 5
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for line in lines:
        done = subprocess.run(
            shlex.split(line, comments=True), cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, (line, done.stderr)
        assert done.stdout, line
    assert (tmp_path / "figure.pdf").stat().st_size > 10_000


def test_the_excerpt_is_from_the_study():
    study = fecnn.load_study("optimal-hamming-7-4")
    shipped = markdown(display(study, table(study, study.path.parent / "results.csv")))
    rows = [line for line in README.splitlines() if re.match(r"\| [\d.]+ \|", line)]
    assert len(rows) >= 7
    for row in rows:
        assert row in shipped.splitlines()


def test_the_networks_are_from_their_study():
    shipped = (ROOT / "studies" / "published-nets-table" / "README.md").read_text().splitlines()
    rows = [line for line in README.splitlines() if line.startswith("| bch-")]
    assert len(rows) >= 10
    assert set(rows) <= set(shipped)


def test_links_lead_somewhere():
    for page in [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("studies/*/README.md"),
        *ROOT.glob("fecnn/nets/zoo/*/README.md"),
    ]:
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), (page, target)
