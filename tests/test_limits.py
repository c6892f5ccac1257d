"""No test runs for ever."""

import subprocess
import sys
from pathlib import Path


def run(*options):
    home = Path(__file__).parent
    command = [sys.executable, "-m", "pytest", home / "hanging.py", "-o", "timeout=1", *options]
    return subprocess.run(command, cwd=home.parent, capture_output=True, text=True, timeout=300, check=False)


def test_a_test_that_hangs_fails_with_its_stacks_and_the_others_go_on():
    done = run("-k", "not from_c")
    assert done.returncode == 1
    assert "3 failed, 1 passed" in done.stdout
    assert done.stdout.count("Failed: Timeout (>1.0s) from pytest-timeout.") >= 3
    for place in ("time.sleep(1000)", "lock.acquire()", "threading.Event().wait()", "the one waited for"):
        assert place in done.stdout + done.stderr


def test_of_two_processes_the_one_that_hangs_outside_python_ends_with_its_stacks_and_the_others_go_on():
    done = run("-k", "from_c or ends", "-o", "timeout_grace=1", "-n", "2")
    assert done.returncode == 1
    assert "1 failed, 1 passed" in done.stdout
    assert "crashed while running 'tests/hanging.py::test_that_never_returns_from_c'" in done.stdout
    assert "Timeout (0:00:02)!" in done.stderr
    assert "in test_that_never_returns_from_c" in done.stderr


def test_a_test_that_hangs_outside_python_ends_the_process_with_its_stacks():
    done = run("-k", "from_c or ends", "-o", "timeout_grace=1")
    assert done.returncode == 1
    assert "Timeout (0:00:02)!" in done.stderr
    assert "in test_that_never_returns_from_c" in done.stderr
