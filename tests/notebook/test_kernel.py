"""Notebooks in a kernel of their own: the one that is shipped, and what people do in theirs."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "docs" / "notebook.ipynb"


@pytest.fixture
def execute(tmp_path, monkeypatch):
    """Executes a notebook in a fresh kernel and an empty folder; returns the cells of code."""
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):  # nobody's start-up files
        monkeypatch.setenv(name, str(tmp_path / name))
    folder = tmp_path / "empty"
    folder.mkdir()

    def run(notebook, **options):
        where = {"metadata": {"path": str(folder)}}
        client = NotebookClient(notebook, timeout=200, kernel_name="python3", resources=where, **options)
        client.execute()
        return [cell for cell in notebook.cells if cell.cell_type == "code"]

    return run


def kinds(cell, kind):
    """What of a kind a cell shows, such as its images."""
    return [output["data"][kind] for output in cell.outputs if kind in output.get("data", {})]


def said(cell):
    """The text that a reader sees, as words."""
    shown = [output["data"].get("text/html", output["data"]["text/plain"]) for output in cell.outputs]
    return re.sub(r"<style.*?</style>|<[^>]+>", " ", " ".join(shown), flags=re.DOTALL).split()


def test_the_shipped_notebook_runs_and_shows_what_is_stored_in_it(execute):
    stored = [cell for cell in nbformat.read(SHIPPED, as_version=4).cells if cell.cell_type == "code"]
    cells = execute(nbformat.read(SHIPPED, as_version=4))
    (code,) = kinds(cells[0], "text/html")
    assert "bch-31-21" in code
    assert "<svg" in code
    assert sum(len(kinds(cell, "image/png")) for cell in cells) == 1
    assert not [output for cell in cells for output in cell.outputs if output.output_type == "stream"]
    (run,) = [cell for cell in cells if ".finish()" in cell.source]
    assert [output.output_type for output in run.outputs] == ["display_data"]
    (table,) = kinds(run, "text/html")
    assert table.count("4/4") == table.count(">done<") == 3
    assert "finished after" in table
    for cell, before in zip(cells, stored, strict=True):
        assert cell.source == before.source
        assert len(cell.outputs) == len(before.outputs)
        if cell is not run:  # which tells times
            assert said(cell) == said(before)


STUDY = """
import _thread, threading
import fecnn
study = fecnn.make_study("long", code="hamming-7-4", ebn0_db=3, curves=["ml"], stop={"frames": 10**9})
fecnn.run(study, seconds=0.01).finish()
"""
INTERRUPTED = """
threading.Timer(1, _thread.interrupt_main).start()
fecnn.run(study).finish()
"""
RESULTS = """
results = fecnn.table(study)
print(list(fecnn.run(study, seconds=0))[-1].total.frames)
"""


def test_an_interrupted_run_keeps_its_table_and_figures_are_shown_once(execute):
    figure = "fecnn.plot(study, results)"
    sources = [STUDY, INTERRUPTED, RESULTS, figure, "%matplotlib inline\n" + figure, f"f = {figure}"]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    begun, interrupted, stored, *figures, kept = execute(
        nbformat.v4.new_notebook(cells=cells), allow_errors=True
    )

    def frames(cell):
        (table,) = kinds(cell, "text/html")
        assert "stopped after" in table
        return int(re.search(r">([\d,]+)</td>", table)[1].replace(",", ""))

    assert [output.output_type for output in interrupted.outputs] == ["display_data", "error"]
    assert interrupted.outputs[1].ename == "KeyboardInterrupt"
    assert 0 < frames(begun) < frames(interrupted) <= int(stored.outputs[0].text)
    for cell in figures:
        assert len(kinds(cell, "image/png")) == 1
    assert kept.outputs == []
