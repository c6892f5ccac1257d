"""Fuzz one kind of input with atheris, which follows the branches of the loader.

    pip install atheris
    python tools/fuzz_atheris.py alist --seconds 60
    python tools/fuzz_atheris.py store --cases 100000

The targets are those of tests/test_fuzz.py. It stops at the first fault and prints the folder
that holds the case.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]
# Numba cannot compile code that atheris has instrumented.
COMPILED = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "fecnn").rglob("*.py")
    if "@kernel" in path.read_text(encoding="utf-8")
]
with atheris.instrument_imports(include=["fecnn", "tomllib"], exclude=COMPILED):
    from hostile import TARGETS, limits


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=0, help="stop after this many seconds (0: no limit)")
    parser.add_argument("--cases", type=int, default=-1, help="stop after this many cases (-1: no limit)")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{asked.target}-", dir=memory))
    target = TARGETS[asked.target](folder / "case")
    corpus = folder / "corpus"
    corpus.mkdir()
    for i, content in enumerate(target.sound()):
        target.judge(
            target.files(content)
        )  # first-use compiling and importing must not count as the case's time
        (corpus / f"sound-{i}").write_bytes(content)
    print(f"cases lie in {folder}", flush=True)
    options = [f"-max_total_time={asked.seconds}", f"-runs={asked.cases}", f"-seed={asked.seed}"]
    options += ["-max_len=40000", "-timeout=60", "-rss_limit_mb=8000", f"-artifact_prefix={folder}/"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], lambda data: target.judge(target.files(data)))
    with limits(max(asked.seconds, 1 << 20)):
        atheris.Fuzz()


if __name__ == "__main__":
    main()
