"""Build the source archive and the wheel of a release, and check them.

Run from the root of a checkout: python tools/build_release.py FOLDER [--tag vX.Y.Z]

The wheel is built from the source archive. It must be the wheel of the checkout, byte for byte, and the
archive must come out the same from its own files. Needs the packages build and twine.
"""

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from build import ProjectBuilder
from build.env import DefaultIsolatedEnv

ROOT = Path(__file__).parents[1]

MAX_WHEEL = 8_000_000
"""Largest wheel, in bytes."""

TIME = "1580601600"
"""SOURCE_DATE_EPOCH unless it is set: the time that Hatchling takes, 2 February 2020."""


def quiet(command, cwd=None, extra_environ=None):
    """Runs a build's command; what it prints is shown if it fails."""
    environment = {**os.environ, **(extra_environ or {})}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}")


def distributions(folder):
    """Source archive, and the wheel built from it; see the module's docstring for what is checked."""
    with DefaultIsolatedEnv() as place, tempfile.TemporaryDirectory() as aside:
        here = ProjectBuilder.from_isolated_env(place, ROOT, runner=quiet)
        place.install(here.build_system_requires)
        archive = Path(here.build("sdist", folder))
        with tarfile.open(archive) as files:
            files.extractall(aside, filter="data")
        (unpacked,) = Path(aside).iterdir()
        there = ProjectBuilder.from_isolated_env(place, unpacked, runner=quiet)
        wheel = Path(there.build("wheel", folder))
        again = Path(aside) / "again"
        same(archive, there.build("sdist", again))
        same(wheel, here.build("wheel", again))
    return archive, wheel


def same(one, other):
    """Ends the program if two files differ."""
    if Path(one).read_bytes() != Path(other).read_bytes():
        sys.exit(f"{Path(one).name} differs between the checkout and the source archive")


def main(folder, tag=None):
    os.environ.setdefault("SOURCE_DATE_EPOCH", TIME)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        sys.exit(f"{folder} is not empty")
    if tag is not None:
        changed = ["git", "status", "--porcelain"]
        if subprocess.run(changed, cwd=ROOT, capture_output=True, text=True, check=True).stdout:
            sys.exit("the checkout has changes that are not committed")
    archive, wheel = distributions(folder)
    version = wheel.name.split("-")[1]
    if tag is not None and tag != f"v{version}":
        sys.exit(f"the tag is {tag}, and the version {version}")
    for path in (archive, wheel):
        print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")
    if wheel.stat().st_size > MAX_WHEEL:
        sys.exit(f"the wheel has more than {MAX_WHEEL / 1e6:g} MB")
    checked = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", archive, wheel], check=False
    )
    sys.exit(checked.returncode)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where to put both; empty, or not there yet")
    parser.add_argument("--tag", help="fail unless it is v and the version")
    main(**vars(parser.parse_args()))
