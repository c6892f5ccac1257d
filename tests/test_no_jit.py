"""The kernels are Python: the tests marked ``kernel`` pass where nothing is compiled.

``NUMBA_DISABLE_JIT=1 pytest -m kernel tests`` does the same by hand, for tracebacks and coverage.
"""

import os
import subprocess
import sys
from pathlib import Path


def test_kernels_pass_their_tests_uncompiled():
    tests = Path(__file__).parent.rglob("test_*.py")
    files = sorted(str(path) for path in tests if "mark.kernel" in path.read_text(encoding="utf-8"))
    assert len(files) > 5
    command = [sys.executable, "-m", "pytest", "-m", "kernel", "--tb=short", *files]
    done = subprocess.run(
        command, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-5000:]
