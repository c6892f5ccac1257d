"""Races: ours and a peer on the same frames, in the same run, in CPU time of one thread.

``pytest benchmarks --benchmark-enable`` prints a table of ratios at the end. Without that option (as in the
test suite) every benchmark runs once, on few frames, to check that it works; nothing is timed.
"""

import os
import time
from dataclasses import dataclass

# Comparing the CPU time of one thread is valid only if NumPy's products use no other threads.
os.environ.update(OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1", OMP_NUM_THREADS="1")

import numpy as np
import pytest


@dataclass(frozen=True)
class Row:
    what: str
    peer: str
    ours_us: float
    peer_us: float
    ratios: np.ndarray
    target: float

    def line(self):
        low, middle, high = np.min(self.ratios), np.median(self.ratios), np.max(self.ratios)
        missed = "" if middle >= self.target else "  MISSED"
        return (
            f"| {self.what} | {self.peer} | {self.ours_us:.4g} | {self.peer_us:.4g} "
            f"| {middle:.3g} [{low:.3g}, {high:.3g}] | {self.target:g}{missed} |"
        )


ROWS = pytest.StashKey[list]()


@pytest.fixture
def race(request, benchmark):
    """``race(what, peer, ours, theirs, frames, peer_frames, target)``: interleaved calls of two functions.

    ours() processes ``frames`` frames, theirs() ``peer_frames``. The ratio is that of the times per frame, by
    ``clock``, which is the CPU time of this thread by default.
    """

    def run(
        what,
        peer,
        ours,
        theirs,
        frames,
        peer_frames=None,
        target=1.0,
        repeats=9,
        clock=time.thread_time,
    ):
        ours()  # compiles
        theirs()
        if benchmark.disabled:
            benchmark(ours)
            return
        times = np.array([[seconds(ours, clock), seconds(theirs, clock)] for _ in range(repeats)])
        a, b = times[:, 0] / frames, times[:, 1] / (peer_frames or frames)
        row = Row(what, peer, 1e6 * np.median(a), 1e6 * np.median(b), b / a, target)
        request.config.stash.setdefault(ROWS, []).append(row)
        benchmark.extra_info.update(ratio=float(np.median(b / a)), peer=peer, target=target)
        benchmark.pedantic(ours, rounds=3)

    return run


def seconds(call, clock):
    began = clock()
    call()
    return clock() - began


@pytest.fixture
def size(benchmark):
    """Number of frames of a benchmark; few if nothing is timed."""
    return (lambda frames: 32) if benchmark.disabled else (lambda frames: frames)


def pytest_terminal_summary(terminalreporter, config):
    rows = config.stash.get(ROWS, [])
    if rows:
        terminalreporter.section("ratios: time of the peer over ours, median [least, greatest]")
        terminalreporter.write_line("| what | peer | ours us/frame | peer us/frame | ratio | target |")
        terminalreporter.write_line("|---|---|---|---|---|---|")
        for row in rows:
            terminalreporter.write_line(row.line())
