import re
from types import SimpleNamespace

import pytest

import fecnn
from fecnn.cli.live import RunBoard
from fecnn.cli.train import TrainingBoard
from fecnn.codes.catalogue import load_code
from fecnn.nets.card import Model
from fecnn.simulation.simulate import Progress
from fecnn.simulation.tally import Tally

STUDY = """
title = "t"
code = "hamming-7-4"
ebn0_db = [1, 3]
batch = 64
stop = { frames = 128_000 }
[[curve]]
decoder = "ml"
"""


@pytest.fixture
def points(tmp_path):
    (tmp_path / "mine.toml").write_text(STUDY)
    return fecnn.load_study(tmp_path / "mine.toml")


def board_of(study, threads):
    return board_with(study, SimpleNamespace(threads=threads))


def board_with(study, workers):
    board = RunBoard(study, workers)
    for point in study.points:
        board.update(Progress(point, Tally(), False))
    return board


def shown(board):
    table = board._render()
    return [str(next(iter(column.cells))) for column in table.columns], re.sub(
        r"^elapsed \d+:\d\d", "", table.caption
    )


def made(board, point, frames, seconds):
    counts = Tally(frames=frames)
    board.update(Progress(point, counts, frames >= point.stop.frames, 0, counts, seconds))


def test_how_long_it_takes_is_told_once_all_points_have_begun(points):
    board = board_of(points, 4)
    first, second = points.points
    made(board, first, 64_000, 8.0)  # as much again is left
    assert shown(board)[0][-1] == ""
    assert shown(board)[1] == ", first batches of 1 of 2 points; Ctrl-C stops, and nothing is lost"
    made(board, second, 32_000, 4.0)  # three times as much
    assert shown(board)[0][-1] == "0:05"  # 20 seconds of a thread
    assert shown(board)[1] == ", about 0:05 left; Ctrl-C stops, and nothing is lost"


def test_a_cluster_without_workers_is_waited_for(points, capsys, monkeypatch):
    clock, workers = [100.0], SimpleNamespace(threads=0)
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    board = board_with(points, workers)
    shown(board)
    clock[0] += 40
    text = ", no workers for 0:40: waiting for some to join; Ctrl-C stops, and nothing is lost"
    assert shown(board)[1] == text
    for point in points.points:
        made(board, point, 64_000, 8.0)
    assert shown(board)[0][-1] == ""  # they may be gone again
    workers.threads = 1
    assert "no workers" not in shown(board)[1]
    workers.threads = 0
    assert "no workers for 0:00: " in shown(board)[1]


def test_a_log_tells_of_waiting_at_growing_intervals(points, capsys, monkeypatch):
    workers = SimpleNamespace(threads=0)
    board = board_with(points, workers)
    clock, told = [0.0], []
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    monkeypatch.setattr(board._board, "say", told.append)

    def a_second_later(_):
        clock[0] += 1
        if clock[0] == 100:  # one comes, and goes
            workers.threads = 1
        elif clock[0] == 101:
            workers.threads = 0
        elif clock[0] == 110:
            board._over.set()

    monkeypatch.setattr(board._over, "wait", a_second_later)
    board._tell_of_waiting()
    waits = ["0:05", "0:10", "0:20", "0:40", "1:20", "0:05"]
    assert told == [f"no workers for {wait}: waiting for some to join" for wait in waits]


def test_whoever_has_workers_waits_for_nobody(points, capsys, monkeypatch):
    monkeypatch.setattr("fecnn.cli.live.WAIT_TOLD", 0.0)
    with board_of(points, 2):
        assert capsys.readouterr().err == ""


def test_a_lost_worker_is_told_each_time(points, capsys):
    board = board_of(points, 2)
    for address in ("tcp://10.0.0.1:2", "tcp://10.0.0.1:3"):
        board.update(Progress(points.points[0], Tally(), False, loss=f"{address} died"))
    told = capsys.readouterr().err.splitlines()
    assert told == ["lost a worker: tcp://10.0.0.1:2 died", "lost a worker: tcp://10.0.0.1:3 died"]


class Step(SimpleNamespace):
    """A step of a training, as the board reads it."""

    def __init__(self, step, **rest):
        super().__init__(step=step, loss=0.25, rate=1000.0, validations=(), **rest)


PLAN = SimpleNamespace(
    name="my-net",
    steps=1000,
    batch=10,
    model=Model(kind="fecnn-net", options={"iterations": 2, "width": 8}),
    load_code=lambda: load_code("bch-15-7"),
)


def test_a_training_is_drawn_in_a_terminal(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    with TrainingBoard(PLAN) as board:
        board.update(Step(400))
    drawn = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", capsys.readouterr().err)
    for text in ("my-net", "400 of 1,000", "0.25000"):
        assert text in drawn
    assert "about 0:06 left; Ctrl-C stops" in drawn


def test_a_training_in_the_cell_of_a_notebook_is_told_in_lines(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("JPY_PARENT_PID", "1")
    with TrainingBoard(PLAN) as board:
        board.update(Step(400))
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert said == "fecnn-net for bch-15-7: 330 parameters on 15 checks; 1,000 steps of 10 frames\n"


def test_a_log_says_how_far_a_training_is_once_a_minute(capsys, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    with TrainingBoard(PLAN) as board:
        for seconds in range(0, 150, 10):
            clock[0] = float(seconds)
            board.update(Step(seconds))
    assert capsys.readouterr().err.splitlines()[1:] == [
        "step 60 of 1,000, loss 0.25000, 1,000 frames/s, about 0:10 left",
        "step 120 of 1,000, loss 0.25000, 1,000 frames/s, about 0:09 left",
    ]
