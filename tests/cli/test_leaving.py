"""A reader who leaves, and Ctrl-C: no command ends in a traceback."""

import os
import random
import re
import signal
import subprocess
import sys
import time

import pytest
from study_runs import ml_and_osd

STUDY = ml_and_osd([0, 2], 50, "frames = 1_000_000_000", title="A long one")

SHIPPED = "optimal-hamming-7-4"
INTERRUPTED = (130, -signal.SIGINT)
"""In a shell both are 130."""

WRITERS = [
    "--help",
    "run --help",
    "studies",
    "codes",
    "codes bch-31-16",
    "decoders",
    "decoders osd",
    "nets",
    "nets fecnn-net-bch-31-16",
    f"table {SHIPPED}",
    f"table {SHIPPED} --format csv",
    f"table {SHIPPED} --format markdown",
    f"complexity {SHIPPED}",
    f"complexity {SHIPPED} --format csv",
    f"plot {SHIPPED} -o a.svg",
    f"run {SHIPPED} --seconds 0.1",
    "bench berlekamp --seconds 0.01",
]


@pytest.fixture
def start():
    """Starts commands; those that do not end are killed after the test, with all their processes."""
    started = []

    def start(*arguments, **options):
        command = [sys.executable, "-m", "fecnn_command", *arguments]
        running = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True, **options)
        started.append(running)
        return running

    yield start
    for running in started:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
            running.communicate()


LOG = re.compile(r"\d{4}-\d\d-\d\d [\d:,]+ - (distributed|tornado)\.\S+ - (INFO|WARNING) - ")
"""A line of Dask's log: a worker that is interrupted while it starts is not silenced yet."""


def said(error):
    """What a command told, without what it and Dask tell of their work."""
    known = ("no results in ", "compiling ", "lost a worker")
    lines = [line for line in error.decode().splitlines() if line and not line.startswith(known)]
    lines = [line for line in lines if not LOG.match(line)]
    return [line for line in lines if " dB: " not in line]


@pytest.mark.parametrize("arguments", WRITERS)
def test_a_reader_who_leaves_ends_a_command_quietly(start, tmp_path, arguments):
    read, write = os.pipe()
    os.close(read)
    running = start(*arguments.split(), stdout=write, cwd=tmp_path)
    os.close(write)
    _, error = running.communicate(timeout=200)
    assert said(error) == []
    assert running.returncode == (1 if "--help" in arguments else 141)


def test_a_reader_who_leaves_early(start, tmp_path):
    running = start("table", "verdict-bch-63-45", "--format", "csv", stdout=subprocess.PIPE, cwd=tmp_path)
    with running:
        assert running.stdout.readline().startswith(b"curve,")
        running.stdout.close()
        assert said(running.stderr.read()) == []
    assert running.returncode in (0, 141)  # by what a pipe holds


def test_only_lines_of_a_log_are_left_out():
    line = b"2026-01-02 03:04:05,678 - distributed.worker - %s - Stopping worker\n"
    assert said(line % b"INFO" + line % b"WARNING") == []
    assert len(said(line % b"ERROR" + b"Traceback (most recent call last):\nKeyboardInterrupt\n")) == 3


INTERRUPTIBLE = [
    f"table {SHIPPED}",
    "plot verdict-bch-63-45 -o a.svg",
    "report verdict-bch-63-45 -o a.html",
    "run long.toml --workers 1",
    "run long.toml --cluster local:1",
    "train fecnn-net-bch-31-16",
    "bench osd",
    "warm-up osd scl",
]


@pytest.mark.parametrize("seed", [0, *(pytest.param(i, marks=pytest.mark.slow) for i in range(1, 6))])
@pytest.mark.parametrize("arguments", INTERRUPTIBLE)
def test_ctrl_c_ends_a_command_in_one_line(start, tmp_path, arguments, seed):
    """As a terminal sends it: to all processes of the command."""
    (tmp_path / "long.toml").write_text(STUDY)
    instant = random.Random(f"{arguments} {seed}").uniform(0.1, 4)
    running = start(*arguments.split(), stdout=subprocess.DEVNULL, cwd=tmp_path)
    time.sleep(instant)
    if running.poll() is not None:
        assert running.returncode == 0
        running.communicate()
        return
    os.killpg(running.pid, signal.SIGINT)
    _, error = running.communicate(timeout=200)
    lines = said(error)
    if running.returncode:  # else it was at its end
        assert running.returncode in INTERRUPTED, error
        assert len(lines) <= 1, error
        assert not lines or lines[0].startswith("stopped"), error


def test_ctrl_c_before_anything_is_imported_ends_in_one_line(start, tmp_path):
    """While the package is imported: here by a module that takes its time."""
    (tmp_path / "numba.py").write_text("import os, sys, time\nos.write(1, b'importing')\ntime.sleep(60)\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    running = start("studies", stdout=subprocess.PIPE, env=environment)
    assert running.stdout.read(9) == b"importing"
    running.send_signal(signal.SIGINT)
    assert running.communicate(timeout=60)[1] == b"\nstopped\n"
    assert running.returncode == 130


def test_an_interrupt_that_an_import_makes_another_error_of_is_still_one(tmp_path):
    script = """
import os, signal, sys, fecnn.cli.app, fecnn.cli.listings
def names(*_):
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        raise ImportError("a module of C failed to import")
fecnn.cli.listings.shipped = names
fecnn.cli.app.app(["studies"])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "\nstopped\n")


def test_an_interrupt_in_a_callback_of_c_is_not_lost():
    """C code that calls Python back cannot pass on what is raised there."""
    script = """
import ctypes, os, signal, time, fecnn.cli.app, fecnn.cli.listings
def compare(*_):
    os.kill(os.getpid(), signal.SIGINT)
    return 0
def names(*_):
    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(compare)
    ctypes.CDLL(None).qsort((ctypes.c_int * 2)(1, 2), 2, 4, callback)
    time.sleep(60)
    return []
fecnn.cli.listings.shipped = names
fecnn.cli.app.app(["studies"])
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=50, check=False
    )
    assert (done.returncode, done.stderr) == (130, "\nstopped\n")
