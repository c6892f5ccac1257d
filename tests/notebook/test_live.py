"""The live table of a run, without a kernel: what is drawn, and when nothing is."""

import subprocess
import sys
from types import SimpleNamespace

import numba
import pytest
import study_runs

import fecnn
from fecnn._notebook.output import in_notebook
from fecnn.jit import compiling
from fecnn.simulation.simulate import Progress
from fecnn.simulation.tally import Tally
from fecnn.studies.live import LiveTable

STUDY = """
title = "Two decoders"
code = "hamming-7-4"
ebn0_db = [1, 3]
batch = 64
stop = { frames = 6400 }
[[curve]]
decoder = "ml"
[[curve]]
decoder = "hard"
"""


class Cell:
    """The output of a cell, which keeps everything that was drawn in it."""

    def __init__(self):
        self.outputs, self.drawn = 0, []

    def display(self, content, *, raw, display_id):
        assert raw
        assert display_id
        self.outputs += 1
        self.update(content, raw=raw)
        return self

    def update(self, content, *, raw):
        assert raw
        self.drawn.append(content)


@pytest.fixture
def cell(monkeypatch):
    """The cell that runs, in what looks like a kernel."""
    cell = Cell()
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", cell)
    return cell


def test_a_run_draws_one_table_that_ends_finished(cell, tmp_path, monkeypatch):
    monkeypatch.setattr("fecnn.studies.live.REDRAWN", 0.0)
    study = study_runs.make(tmp_path, STUDY)
    fecnn.run(study, store=tmp_path / "r.sqlite").finish()
    assert cell.outputs == 1
    assert len(cell.drawn) > 100
    first, last = cell.drawn[0]["text/html"], cell.drawn[-1]["text/html"]
    assert "interrupt the kernel to stop" in first
    assert "6,400" not in first
    assert last.count("6,400") == last.count("done") == 2
    assert cell.drawn[-1]["text/plain"].startswith("mine: finished after ")


def test_it_is_not_drawn_for_every_batch(cell, tmp_path, monkeypatch):
    monkeypatch.setattr("fecnn.studies.live.REDRAWN", 1e9)
    fecnn.run(study_runs.make(tmp_path, STUDY), store=tmp_path / "r.sqlite").finish()
    assert len(cell.drawn) == 2  # at the start and at the end


def test_nothing_is_drawn_by_a_loop_or_before_the_run_begins(cell, tmp_path):
    study = study_runs.make(tmp_path, STUDY)
    run = fecnn.run(study, store=tmp_path / "r.sqlite")
    assert repr(run) == "<run of mine, not begun: loop over it, or call finish()>"
    assert not (tmp_path / "r.sqlite").exists()
    assert all(step is not None for step in run)
    assert cell.drawn == []


def test_what_is_stopped_says_so_and_goes_on(cell, tmp_path):
    study = study_runs.make(tmp_path, STUDY.replace("6400", "1_000_000"))
    fecnn.run(study, store=tmp_path / "r.sqlite", seconds=0).finish()
    assert cell.drawn[-1]["text/plain"].startswith("mine: stopped after ")
    assert "run it again to continue" in cell.drawn[-1]["text/plain"]


def test_failures_are_named_below_the_table(cell, tmp_path, plugins):
    text = STUDY + '[[curve]]\ndecoder = "misbehaving:late"\noptions = { fault = "raise", after = 1 }\n'
    study = study_runs.make(tmp_path, text)
    with pytest.raises(fecnn.DecodingError):
        fecnn.run(study, store=tmp_path / "r.sqlite").finish()
    last = cell.drawn[-1]["text/html"]
    assert "2 failed" in last
    assert last.count("failed: curve misbehaving:late") == 2
    assert "stopped after" in last


def test_an_interrupt_closes_the_results_file(cell, tmp_path, monkeypatch):
    """Also if it comes while the table is drawn; the traceback, which notebooks keep, holds the run."""
    study = study_runs.make(tmp_path, STUDY)
    monkeypatch.setattr("fecnn.studies.live.REDRAWN", 0.0)

    def interrupted(content, *, raw):
        if len(cell.drawn) == 20:
            cell.update = type(cell).update.__get__(cell)
            raise KeyboardInterrupt
        cell.drawn.append(content)

    cell.update = interrupted
    with pytest.raises(KeyboardInterrupt) as kept:
        fecnn.run(study, store=tmp_path / "r.sqlite").finish()
    assert "stopped after" in cell.drawn[-1]["text/html"]
    fecnn.run(study, store=tmp_path / "r.sqlite").finish()
    assert "finished after" in cell.drawn[-1]["text/html"]
    assert fecnn.table(study, tmp_path / "r.sqlite")["finished"].all()
    del kept


def test_a_terminal_of_ipython_is_no_notebook(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=object))
    assert not in_notebook()


def test_without_a_notebook_nothing_is_shown_and_ipython_is_not_imported(tmp_path):
    (tmp_path / "mine.toml").write_text(STUDY)
    script = (
        "import sys, fecnn\nfecnn.run(fecnn.load_study('mine.toml'), store='r').finish()\n"
        "assert 'IPython' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_is_compiled_is_told_until_batches_come_in(cell, tmp_path, monkeypatch):
    monkeypatch.setattr("fecnn.studies.live.REDRAWN", 0.0)
    study = study_runs.make(tmp_path, STUDY)

    @numba.njit
    def something(x):
        return x + 1

    with LiveTable(study, lambda: 1) as live:
        with compiling.for_("my decoder"):
            something(1)
        assert "compiling my decoder, once on this machine" in cell.drawn[-1]["text/plain"]
        counts = Tally(frames=64)
        live.update(Progress(study.points[0], counts, False, 0, counts, 0.1))
        assert "compiling" not in cell.drawn[-1]["text/plain"]
