"""A run in a notebook: one table, drawn again in its place while the run goes on."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from fecnn._notebook.html import card, line, table
from fecnn._notebook.output import Output
from fecnn.jit import compiling
from fecnn.simulation.simulate import Progress
from fecnn.studies.estimates import Estimation
from fecnn.studies.overview import COLUMNS, WORDS, Overview
from fecnn.studies.study import Study

REDRAWN = 0.5
"""Seconds after which the table is drawn again."""

LINES = 10
"""Most lines about lost workers and failures that are kept below the table."""


class LiveTable:
    """The overview of a run as an output of the cell; it stays as it is when the run ends or is interrupted.

    Use as a context manager. Arguments are those of `Overview`.
    """

    def __init__(self, study: Study, threads: Callable[[], int]) -> None:
        self._study, self._overview = study, Overview(study, threads)
        self._output, self._drawn = Output(), 0.0
        self._news: list[str] = []
        self._compiled, self._thread = "", threading.current_thread()
        self._compiling = compiling.told(self._compiles)

    def __enter__(self) -> Self:
        self._compiling.__enter__()
        self._draw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._compiling.__exit__(kind, error, trace)
        ended = f"after {self._overview.elapsed()}"
        finished = error is None and self._overview.finished
        self._draw(f"finished {ended}" if finished else f"stopped {ended}; run it again to continue")

    def update(self, step: Progress | Estimation | None) -> None:
        """Take in one step of the run; None if only time has passed."""
        if step is not None:
            self._news += self._overview.update(step)
        if isinstance(step, Estimation) and step.refusal:
            self._news.append(str(step))
        if isinstance(step, Progress) and step.counts is not None:
            self._compiled = ""
        if time.monotonic() - self._drawn >= REDRAWN:
            self._draw()

    def _compiles(self, what: str) -> None:
        self._compiled = what
        if threading.current_thread() is self._thread:  # of others, the next update tells
            self._draw()

    def _draw(self, end: str = "") -> None:
        told = f", {self._compiled}" if self._compiled else ""
        state = end or f"{self._overview.status()}{told}; interrupt the kernel to stop: nothing is lost"
        news = [line(text) for text in self._news[-LINES:]]
        parts = (table(COLUMNS, self._overview.rows(), words=WORDS), *news, line(state, faint=True))
        self._output.draw(card(self._study.title, self._study.name, *parts), f"{self._study.name}: {state}")
        self._drawn = time.monotonic()
