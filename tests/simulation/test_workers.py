import threading
import time
from concurrent.futures import Future

import pytest
from damage import clock_that_jumps
from study_runs import make, ml_and_osd, results, run_all

import fecnn
from fecnn.errors import DecodingError
from fecnn.simulation.simulate import make_batches
from fecnn.simulation.store import Store
from fecnn.simulation.threads import Threads
from fecnn.simulation.workers import Failed, Made

STUDY = ml_and_osd([1, 3], 64, "block_errors = 60")

BROKEN = """
[[curve]]
label = "broken"
decoder = "misbehaving:late"
ebn0_db = [2.5, 3.5]
options = { fault = "%s", after = 4 }
"""


class LateFirst:
    """Makes every lot at once, but shows batch 0 only after so many others."""

    threads, slots, seconds = 1, 2, 1.0

    def __init__(self, others):
        self.lots, self._others, self._first = [], others, None

    def prepare(self, points):
        pass

    def submit(self, task, batches):
        lot = Future()
        self.lots.append(list(batches))
        made = list(make_batches(task, batches))
        if batches[0] == 0:
            self._first = lot, made
        else:
            lot.set_result(made)
        if len(self.lots) == self._others + 1:
            self._first[0].set_result(self._first[1])
        return lot


def test_little_is_made_while_nothing_is_known_of_what_is_left(tmp_path):
    """A second's worth of small batches would be a thousand of them."""
    plan = make(tmp_path, STUDY[: STUDY.rindex("[[curve]]")].replace("[1, 3]", "[1]"))
    workers = LateFirst(5)
    run_all(plan, tmp_path / "r.sqlite", workers)
    assert workers.lots[:6] == [[0], [1], [2], [3], [4], [5]]
    assert sum(map(len, workers.lots)) < 30


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("raise", "ZeroDivisionError: a decoder's own mistake"),
        ("exit", "SystemExit: a decoder's farewell"),
        ("nan", "TypeError: decoder misbehaving:late must return a uint8 array, got float64 array"),
        ("hang", "it takes longer than 0.5 s"),
    ],
)
def test_all_else_is_finished_when_a_curve_fails(tmp_path, plugins, fault, words):
    plan, good = make(tmp_path, STUDY + BROKEN % fault), make(tmp_path, STUDY)
    told = []

    def watch():
        # One: of two, either may be the first to make the fifth call, with an earlier batch.
        with Threads(1, limit=0.5) as threads:
            told.extend(
                (step.point.task.ebn0_db, step.failure)
                for step in fecnn.run(plan, store=tmp_path / "r.sqlite", workers=threads)
                if step.failure
            )

    with pytest.raises(DecodingError, match="2 points failed; all others were finished") as failed:
        watch()
    for ebn0_db in (2.5, 3.5):
        line = f"curve broken failed at {ebn0_db} dB, batch 4: {words}"
        assert line in str(failed.value)
        assert any(at == ebn0_db and failure.startswith(line) for at, failure in told)
    run_all(good, tmp_path / "good.sqlite")
    assert results(good, tmp_path / "r.sqlite").equals(results(good, tmp_path / "good.sqlite"))
    with Store(tmp_path / "r.sqlite") as file:
        assert [list(file.batches(point.task)) for point in plan.points[-2:]] == [[0, 1, 2, 3]] * 2


def test_the_trace_of_a_failure_is_in_its_notes(tmp_path, plugins):
    plan = make(tmp_path, STUDY + BROKEN % "raise")
    with pytest.raises(DecodingError) as failed:
        run_all(plan, tmp_path / "r.sqlite")
    assert any("misbehaving.py" in note and "ZeroDivisionError" in note for note in failed.value.__notes__)


def test_a_thread_that_hangs_is_replaced_and_not_waited_for(tmp_path, plugins):
    plan = make(tmp_path, STUDY + BROKEN % "hang")
    task = plan.points[-1].task
    began = time.monotonic()
    before = sum(thread.name == "fecnn" for thread in threading.enumerate())
    with Threads(1, limit=0.3) as threads:
        late = threads.submit(task, range(8)).result(timeout=30)
        after = threads.submit(plan.points[0].task, [0, 1]).result(timeout=30)
    assert time.monotonic() - began < 30
    assert [type(result) for result in late] == [Made] * 4 + [Failed]
    assert late[-1].late
    assert [type(result) for result in after] == [Made] * 2
    assert sum(thread.name == "fecnn" for thread in threading.enumerate()) == before + 1


def test_nobody_waits_for_a_decoder_that_hangs_from_the_first_frame(tmp_path, plugins):
    plan = make(tmp_path, STUDY + '[[curve]]\ndecoder = "misbehaving:never"\n')
    hangs = [point for point in plan.points if "never" in point.curve]
    with Threads(2, limit=1.0) as threads:
        late = threads.submit(hangs[0].task, [0])
        assert [type(result) for result in threads.submit(plan.points[0].task, [0]).result(timeout=30)] == [
            Made
        ]
        assert [type(result) for result in late.result(timeout=30)] == [Failed]


def test_a_slow_lot_of_quick_batches_is_not_late(tmp_path, plugins):
    text = (
        STUDY.split("[[curve]]")[0]
        + '[[curve]]\ndecoder = "misbehaving:patient"\noptions = { milliseconds = 100 }\n'
    )
    task = make(tmp_path, text).points[0].task
    with Threads(1, limit=0.5) as threads:
        results = threads.submit(task, range(10)).result(timeout=30)
    assert [type(result) for result in results] == [Made] * 10


@pytest.mark.parametrize("limit", [0, -1.0, float("nan")])
def test_a_limit_that_is_no_time_is_refused(limit):
    with pytest.raises(ValueError, match="the time limit of a batch must be more than 0 seconds"):
        Threads(1, limit)


def test_a_clock_that_jumps_changes_nothing(tmp_path, monkeypatch):
    """Only the time that is written beside a batch comes from it."""
    plan = make(tmp_path, STUDY)
    run_all(plan, tmp_path / "steady.sqlite")

    clock = clock_that_jumps(monkeypatch)
    run_all(plan, tmp_path / "jumping.sqlite", workers=2)
    assert clock.calls > 5
    assert results(plan, tmp_path / "jumping.sqlite").equals(results(plan, tmp_path / "steady.sqlite"))
    with Store(tmp_path / "jumping.sqlite") as file:
        assert len({row["time"][:4] for row in file.rows()}) > 2
