"""What the README and the documents show is executed, and what they print is true."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import fecnn
from fecnn.analysis.gap import display_gaps, gap_to_ml
from fecnn.analysis.table import display, table
from fecnn.analysis.texts import markdown
from fecnn.decoders.registry import REGISTRY

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()

PUBLISHED = re.compile(
    r"https://(?:github\.com/fecnn/fecnn/blob|raw\.githubusercontent\.com/fecnn/fecnn)/main/([^)#\s]+)"
)
"""Links of a page that is also read outside the repository, each to a path of the checkout."""


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def command_line(line, folder):
    """What a command prints that is typed in a folder; it must succeed."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        shlex.split(line, comments=True), cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, (line, done.stderr)
    assert done.stdout, line
    return done.stdout


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "docs/channels.md",
        "docs/decoders.md",
        "docs/bounds-and-rare-events.md",
        "docs/exact-search.md",
        "docs/file-formats.md",
        "docs/networks.md",
        "docs/pipelines.md",
        "docs/studies.md",
        "docs/write-a-decoder.md",
    ],
)
def test_python_blocks_run(path, tmp_path, monkeypatch):
    """The blocks of a page run in order; one that begins with the name of a file is that file, too."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    names, modules = {}, []
    for block in blocks((ROOT / path).read_text(), "python"):
        if named := re.match(r"# (\w+)\.py\n", block):
            modules.append(named[1])
            (tmp_path / f"{named[1]}.py").write_text(block)
        exec(compile(block, path, "exec"), names)
    for module in modules:
        sys.modules.pop(module, None)
    if path == "README.md":
        assert names["low"] < names["wrong"] / 1000 < names["high"]


def test_a_network_of_torchs_own_learns_from_labels(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    (block,) = [it for it in blocks((ROOT / "docs/train.md").read_text(), "python") if "write_labels" in it]
    exec(compile(block, "docs/train.md", "exec"), names)
    share = names["e"].mean(dim=0)
    entropy = -(share * share.log() + (1 - share) * (1 - share).log()).mean()
    assert names["loss"] < 0.5 * entropy


def test_your_own_decoder_has_the_gap_that_is_shown(tmp_path, monkeypatch):
    """The decoder of the README keeps the contract, and its study prints the rows that stand there."""
    (module,) = [block for block in blocks(README, "python") if block.startswith("# my_decoders.py\n")]
    (tmp_path / "my_decoders.py").write_text(module)
    (study,) = blocks(README, "toml")
    (tmp_path / "my_study.toml").write_text(study)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    fecnn.testing.check_decoder("my_decoders:softened")
    sys.modules.pop("my_decoders", None)
    for block in blocks(README, "bash")[2:]:
        command_line(block, tmp_path)
    mine = fecnn.load_study("my_study.toml")
    made = markdown(display_gaps(gap_to_ml(mine, table(mine, "fecnn-results/my_study.sqlite"))))
    shown = README[README.index("| decoder | Eb/N0 for BLER") :].partition("\n\n")[0]
    assert shown == made.strip()


def test_the_study_shown_runs(tmp_path):
    """With the curve that is added to it further down."""
    page = (ROOT / "docs" / "studies.md").read_text()
    (tmp_path / "my_study.toml").write_text("\n".join(blocks(page, "toml")))
    study = fecnn.load_study(tmp_path / "my_study.toml")
    steps = list(fecnn.run(study, workers=2, store=tmp_path / "results.sqlite"))
    assert steps
    results = table(study, tmp_path / "results.sqlite")
    assert results["finished"].all()
    assert len(results) == len(study.all_points) > len(study.points)


@pytest.mark.parametrize("page", ["studies", "networks", "record"])
def test_commands_shown_run(page, tmp_path):
    text = (ROOT / "docs" / f"{page}.md").read_text()
    if studies := blocks(text, "toml"):
        (tmp_path / "my_study.toml").write_text(studies[0])
    lines = [line for block in blocks(text, "bash") for line in block.splitlines()]
    assert len(lines) >= 2
    for line in lines:
        command_line(line, tmp_path)
        if output := re.search(r"-o (\S+)", line):
            assert (tmp_path / output[1]).stat().st_size > 10_000


def test_the_session_for_a_paper_runs_as_it_is_written(tmp_path, monkeypatch):
    page = (ROOT / "docs" / "paper.md").read_text()
    (matrix,), decoder_and_check, (study,), (rows,) = (
        blocks(page, language) for language in ("text", "python", "toml", "latex")
    )
    files = dict(zip(("H.txt", "my_study.toml"), (matrix, study), strict=True))
    files |= {block.partition("\n")[0].removeprefix("# "): block for block in decoder_and_check}
    assert all(block.startswith(f"# {name}") for name, block in files.items())
    for name, block in files.items():
        (tmp_path / name).write_text(block)
    done = subprocess.run(
        [sys.executable, "check.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = [command_line(line, tmp_path) for block in blocks(page, "bash") for line in block.splitlines()]
    assert rows in (tmp_path / "table.tex").read_text()
    figure = (tmp_path / "figure.pdf").read_bytes()
    assert b"/TrueType" in figure or b"/Type42" in figure or b"/FontFile2" in figure
    assert b"/Type3" not in figure
    assert "all equal" in told[-1]


def test_the_excerpt_is_from_the_study():
    study = fecnn.load_study("optimal-hamming-7-4")
    shipped = markdown(display(study, table(study, study.path.parent / "results.csv")))
    rows = [line for line in README.splitlines() if re.match(r"\| [\d.]+ \|", line)]
    assert len(rows) >= 7
    for row in rows:
        assert row in shipped.splitlines()


def test_the_networks_are_from_their_study():
    shipped = (ROOT / "studies" / "published-nets-table" / "README.md").read_text().splitlines()
    page = (ROOT / "docs" / "networks.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| bch-")]
    assert len(rows) >= 10
    assert set(rows) <= set(shipped)


def test_the_decoders_of_the_readme_exist_and_every_study_has_a_row():
    """All decoders are in docs/decoders.md, made from the registry: see test_registry."""
    short = README[README.index("## Decoders") : README.index("## Read on")]
    named = {
        name
        for line in short.splitlines()
        if line.startswith("| `")
        for name in line.split("|")[1].split("`")[1::2]
    }
    assert named <= set(REGISTRY)
    assert len(named) > 20
    page = (ROOT / "docs" / "studies.md").read_text()
    assert set(re.findall(r"^\| \[([\w-]+)\]", page, re.MULTILINE)) == {
        path.parent.name for path in ROOT.glob("studies/*/README.md")
    }


@pytest.mark.parametrize("path", sorted(path.name for path in ROOT.glob("docs/*.md")))
def test_what_a_page_imports_is_there(path):
    """Also where its blocks need a cluster, or training, to run."""
    for block in blocks((ROOT / "docs" / path).read_text(), "python"):
        for line in re.findall(r"^(?:from \S+ )?import .*$", block, re.MULTILINE):
            exec(line, {})


def test_the_public_names_are_listed():
    page = (ROOT / "docs" / "public.md").read_text()
    listed = "".join(line for line in page.splitlines() if re.match(r"\| [a-z]", line))
    assert sorted(re.findall(r"`(\w+)`", listed)) == sorted(fecnn.__all__)


def test_links_lead_somewhere():
    for page in [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("benchmarks/*.md"),
        *ROOT.glob("studies/*/README.md"),
        *ROOT.glob("fecnn/nets/zoo/*/README.md"),
    ]:
        for target, anchor in re.findall(r"\]\((?!http)([^)#]*)#?([^)]*)", page.read_text()):
            found = page.parent / target if target else page
            assert found.exists(), (page, target)
            if anchor:
                headings = re.findall(r"^#+ (.*)$", found.read_text(), re.MULTILINE)
                assert anchor in {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}


def test_the_readme_reads_the_same_on_a_package_index():
    """Its links and images are absolute, and each leads to a file of this checkout."""
    targets = re.findall(r"\]\(([^)\s]+)", README)
    assert all(target.startswith("https://") for target in targets)
    paths = PUBLISHED.findall(README)
    assert len(paths) >= 8
    assert [path for path in paths if not (ROOT / path).exists()] == []
