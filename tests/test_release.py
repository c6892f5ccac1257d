"""What a release states in several places agrees, and what its files run is there."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import yaml

import fecnn
from fecnn.cli.app import app

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RECIPE = yaml.safe_load((ROOT / "conda" / "recipe.yaml").read_text())
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())
CONDA = {"matplotlib": "matplotlib-base", "torch": "pytorch"}
"""Packages that have another name on conda-forge."""


def of_conda(requirements):
    """Requirements as a recipe writes them: the name, and the lowest version."""
    found = set()
    for line in requirements:
        name, lowest = line.split(">=")
        found.add(f"{CONDA.get(name, name)} >={lowest}")
    return found


def test_the_version_is_the_same_everywhere():
    """A version has its date in the changelog and in the citation, or in neither: it is not released yet."""
    changelog = (ROOT / "CHANGELOG.md").read_text()
    version, date = re.findall(r"^## (\S+) - (\S+)$", changelog, re.MULTILINE)[0]
    assert version == fecnn.__version__ == CITATION["version"] == RECIPE["context"]["version"]
    cited = (ROOT / "docs" / "install.md").read_text()
    assert f"version = {{{version}}}" in cited
    assert CITATION["title"] in cited
    if date == "unreleased":
        assert "date-released" not in CITATION
    else:
        assert date == str(CITATION["date-released"])


def test_the_citation_is_that_of_the_package():
    assert CITATION["license"] == PROJECT["license"] == RECIPE["about"]["license"]
    assert [author["name"] for author in CITATION["authors"]] == [it["name"] for it in PROJECT["authors"]]
    assert [(ROOT / name).is_file() for name in PROJECT["license-files"]] == [True]


def test_the_pythons_that_are_stated_are_tested():
    stated = {line.rpartition(" ")[2] for line in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", line)}
    ci = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    tested = set(ci["jobs"]["run"]["strategy"]["matrix"]["python"])
    assert stated <= tested
    assert PROJECT["requires-python"] == f">={min(stated, key=lambda it: int(it[2:]))}"


def test_the_recipe_has_the_requirements_of_the_package():
    requirements = RECIPE["requirements"]
    python = f"python {PROJECT['requires-python']}"
    assert set(requirements["run"]) == of_conda(PROJECT["dependencies"]) | {python}
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert set(requirements["host"]) == of_conda(build) | {python, "pip"}
    optional = PROJECT["optional-dependencies"]
    assert optional["all"] == ["fecnn[cluster,export,nets,plot]"]
    extras = [line for name in ("cluster", "export", "nets", "plot") for line in optional[name]]
    assert set(requirements["run_constraints"]) == of_conda(extras)
    assert RECIPE["build"]["python"]["entry_points"] == [
        f"{name} = {place}" for name, place in PROJECT["scripts"].items()
    ]
    assert RECIPE["about"]["summary"] == PROJECT["description"]
    assert (ROOT / "conda" / RECIPE["source"]["path"] / RECIPE["about"]["license_file"]).is_file()


def test_the_commands_of_the_recipe_and_the_image_exist():
    image = (ROOT / "Dockerfile").read_text()
    commands = [command for test in RECIPE["tests"] for command in test.get("script", ())]
    commands += re.findall(r"(?:^RUN |&& )(fecnn [^&\n]+)", image, re.MULTILINE)
    commands += re.findall(r"docker run .*? (fecnn run .*)$", image, re.MULTILINE)
    assert len(commands) == 5
    known = {command.name or command.callback.__name__ for command in app.registered_commands}
    for command in commands:
        _, name, *arguments = shlex.split(command)
        assert name in known | {"--version"}, command
        if name in ("run", "warm-up"):
            assert set(arguments[:1]) <= set(fecnn.study_names())
    extras = re.findall(r"\.whl\)\[(\w+)\]", image)
    assert extras == ["all"]
    assert set(extras) <= set(PROJECT["optional-dependencies"])


@pytest.mark.parametrize("workflow", sorted(path.name for path in ROOT.glob(".github/workflows/*.yml")))
def test_workflows_run_what_is_there(workflow):
    jobs = yaml.safe_load((ROOT / ".github/workflows" / workflow).read_text())["jobs"]
    lines = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert lines
    for path in re.findall(r"(?:^|\s)((?:\.ci|tools)/\S+)", "\n".join(lines)):
        assert (ROOT / path).is_file(), path


def test_nothing_says_that_fecnn_is_on_an_index():
    """Until it is: then this test goes."""
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "CITATION.cff"]
    for page in pages:
        text = page.read_text()
        for claim in (r"pypi\.org/project/fecnn", r"anaconda\.org/\S*/fecnn", r"pip install fecnn\b(?!-)"):
            assert not re.search(claim, text), (page.name, claim)
