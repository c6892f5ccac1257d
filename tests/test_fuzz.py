"""Hostile input of every kind: loaded soundly or refused in words; no hang, no memory, nothing run.

Everything random follows from seeds, drawn by hypothesis. What is tried, and what counts as a fault, is in
`hostile`; a fault's message shows the files, which also stay in the target's folder.
"""

import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from hostile import TARGETS, Fault, limits
from hostile.target import check
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

CASES = 10
"""Mutants of one seed: hypothesis takes longer to draw a seed than most loaders to refuse a file."""

once = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # seeds have no smaller ones
    suppress_health_check=list(HealthCheck),
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is limited as on Linux")


@pytest.fixture(scope="module")
def target_of():
    """Targets by name, in memory where there is a file system in memory."""
    made = {}
    memory = Path("/dev/shm")
    base = Path(tempfile.mkdtemp(prefix="fecnn-", dir=memory if memory.is_dir() else None))

    def find(name):
        if name not in made:
            made[name] = TARGETS[name](base / name)
        return made[name]

    yield find
    shutil.rmtree(base, ignore_errors=True)


def fuzz(target, seeds):
    """Judge mutants of so many seeds; how many cases, and how many of them were taken."""
    count = {True: 0, False: 0}

    @settings(once, max_examples=seeds)
    @given(st.integers(0, 2**64 - 1))
    def many(seed):
        rng = random.Random(seed)
        with limits(seconds=600):
            for _ in range(CASES):
                count[target.judge(target.mutant(rng))] += 1

    many()
    return sum(count.values()), count[True]


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_sound_is_taken(target_of, name):
    target = target_of(name)
    for content in target.sound():
        assert target.judge(target.files(content))


@pytest.mark.parametrize("name", TARGETS)
def test_hostile_files_are_loaded_soundly_or_refused_in_words(target_of, name):
    cases, taken = fuzz(target_of(name), 100)
    assert cases >= 900
    assert 0 < taken < cases / 2


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_a_hundred_thousand_hostile_files(target_of, name):
    cases, taken = fuzz(target_of(name), 10_000)
    assert cases >= 100_000
    assert 0 < taken < cases / 2


# The harness itself


def raises(error):
    def load():
        raise error

    return load


def hangs():
    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass


PLANTED = {
    "another error": (raises(KeyError("hostile.csv")), "KeyError is not a documented error"),
    "a kind of the documented error": (
        raises(UnicodeDecodeError("utf-8", b"", 0, 1, "hostile.csv")),
        "UnicodeDecodeError is not a documented error",
    ),
    "a panic": (raises(BaseException("hostile.csv")), "BaseException is not a documented error"),
    "no words": (raises(ValueError()), "does not name the file"),
    "no file": (raises(ValueError("it is broken")), "does not name the file"),
    "a whole file for a message": (
        raises(ValueError("hostile.csv" * 10_000)),
        "a message of 110000 characters",
    ),
    "something unsound": (lambda: check(False, "NaN"), "NaN"),
    "much memory": (lambda: np.zeros(2 << 30, np.uint8), "Unable to allocate 2.00 GiB"),
    "much time": (hangs, "took 0.3 s"),
}


@pytest.mark.parametrize("case", PLANTED)
def test_a_planted_bug_is_found(target_of, monkeypatch, case):
    load, words = PLANTED[case]
    target = target_of("references")
    monkeypatch.setattr(target, "load", load)
    monkeypatch.setattr("hostile.budget.MOST_SECONDS", 0.2)
    with limits(seconds=60), pytest.raises(Fault, match=words):
        target.judge(target.files(target.sound()[0]))


@pytest.mark.parametrize(
    ("name", "where", "what"),
    [
        ("alist", "fecnn.codes.alist._Reader.compare", lambda self, H, rows: None),
        ("references", "fecnn.studies.reference.shown", lambda value: {}["x"]),
        ("store", "fecnn.simulation.store.Store._damaged", lambda self, how: ValueError(how)),
        ("checkpoint", "fecnn.nets.checkpoint.parameter_count", lambda network: {}[network]),
        ("state", "fecnn.training.trainer.load_state", lambda network, tensors, path: {}[path]),
        ("code", "fecnn._files.problems.shown", lambda value: repr(value)),
        ("study", "fecnn._files.problems.shown", lambda value: repr(value)),
        ("training", "fecnn._files.problems.shown", lambda value: repr(value)),
    ],
)
def test_a_bug_planted_in_a_loader_is_found_by_its_mutants(target_of, monkeypatch, name, where, what):
    monkeypatch.setattr(where, what)
    with pytest.raises(Fault):
        fuzz(target_of(name), 300)
