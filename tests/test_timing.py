"""The command of benchmarks/README.md times what it runs."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_benchmarks_are_timed():
    bench = "benchmarks/bench_engine.py::test_small_codes_decode_fast"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", bench, "--benchmark-enable", "-s"]
    # Benchmarks are off in a worker of pytest-xdist, and this test may run in one.
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=ROOT, env=alone, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Rounds" in done.stdout
