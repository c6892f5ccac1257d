"""The option shared by tests and benchmarks, and a hard time limit for hanging tests."""

import faulthandler
import os
from importlib.util import find_spec
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # torch's threads only wait for each other on a busy machine

SLOW_LIMIT = 1800
"""Default time limit of a slow test, in seconds."""

TESTS = Path(__file__).parent / "tests"

QUICK = {
    TESTS / path
    for path in (
        "analysis/test_agreement.py",
        "channels/test_channel.py",
        "channels/test_stream.py",
        "codes/test_alist.py",
        "codes/test_catalogue.py",
        "codes/test_code.py",
        "codes/test_gf2.py",
        "simulation/test_sound.py",
        "simulation/test_tally.py",
        "studies/test_study.py",
        "test_layers.py",
    )
}
"""Test files for ``pytest -m quick``, which together take half a minute."""

stderr = pytest.StashKey[int]()


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="also run the tests marked slow")
    parser.addini("timeout_grace", "seconds after a test's timeout at which the process ends", default="60")


class WithoutRadio:
    """GNU Radio comes from the system, not from an index: without it, its blocks cannot be imported."""

    def pytest_ignore_collect(self, collection_path):
        return True if collection_path.parts[-2:] == ("pipelines", "gnuradio.py") else None


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """With -n, files stay together as long as there are others; without it, benchmarks must be timed."""
    # loadfile would try a test that kills its process again in each process that comes for it.
    if getattr(config.option, "numprocesses", None) and config.option.dist == "no":
        config.option.dist = "worksteal"


def pytest_configure(config):
    if find_spec("gnuradio") is None:
        config.pluginmanager.register(
            WithoutRadio()
        )  # a hook of this file is not asked about installed modules
    config.stash[stderr] = os.dup(2)  # before it is captured


def pytest_unconfigure(config):
    os.close(config.stash[stderr])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """End the process if even pytest-timeout cannot end a test: its main thread is stuck outside Python."""
    marker = item.get_closest_marker("timeout")
    said = marker.args[0] if marker else item.config.getoption("timeout") or item.config.getini("timeout")
    limit = float(said or 0) + float(item.config.getini("timeout_grace"))
    faulthandler.dump_traceback_later(limit, exit=True, file=item.config.stash[stderr])
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


def pytest_ignore_collect(collection_path, config):
    """With ``-m quick``, no other file is imported: torch and the others take their time."""
    if config.option.markexpr == "quick" and collection_path.is_file():
        return collection_path not in QUICK or None
    return None


def pytest_collection_modifyitems(config, items):
    skip = pytest.mark.skip(reason="slow: run with --slow")
    for item in items:
        if "slow" not in item.keywords:
            if item.path in QUICK:
                item.add_marker(pytest.mark.quick)
            continue
        if not config.getoption("--slow"):
            item.add_marker(skip)
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(SLOW_LIMIT))
