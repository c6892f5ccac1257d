"""Fixtures of the tests."""

import os
import signal
from contextlib import nullcontext
from pathlib import Path

import numba
import numpy as np
import pytest
from hypothesis import settings

from fecnn.simulation import simulate

pytest.register_assert_rewrite("sentences")  # so that they say what differs

# What a shell starts in the background ignores Ctrl-C, and so would the commands that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The first example of a test may compile a kernel.
settings.register_profile("fecnn", deadline=None)
settings.load_profile("fecnn")


@pytest.fixture
def rng():
    """A generator of its own for each test."""
    return np.random.default_rng(20250324)


@pytest.fixture
def plugins(monkeypatch):
    """Makes ``misbehaving:...`` decoders, also for processes to come, with fresh ones for each test."""
    folder = Path(__file__).parent
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
    simulate._build.cache_clear()
    return folder


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Runs a command line in an empty folder; it must end with ``code``."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, code=0):
        from typer.testing import CliRunner

        from fecnn.cli.app import app

        done = CliRunner().invoke(app, list(map(str, arguments)))
        assert done.exit_code == code, done.output + repr(done.exception)
        assert done.exception is None or isinstance(done.exception, SystemExit)
        return done

    return run


@pytest.fixture(autouse=True)
def _arithmetic_of_kernels():
    """Where kernels run as Python: words wrap around and floats overflow without a warning, as compiled."""
    with np.errstate(all="ignore") if numba.config.DISABLE_JIT else nullcontext():
        yield
