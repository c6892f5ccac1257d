"""Live progress of a study in the terminal."""

import threading
from types import TracebackType
from typing import Self

from rich.table import Table
from rich.text import Text

from fecnn.cli.board import Board
from fecnn.simulation.simulate import Progress
from fecnn.simulation.workers import Workers
from fecnn.studies.estimates import Estimation
from fecnn.studies.overview import COLUMNS, WORDS, Overview, waiting
from fecnn.studies.study import Study

WAIT_TOLD = 5.0
"""Seconds without workers after which a log says so; again after twice as long, and so on."""


class RunBoard:
    """A line for each curve while a study runs; outside a terminal, a line for each finished point.

    On a narrow terminal the interval is shown as half its width. Use as a context manager.
    """

    def __init__(self, study: Study, workers: Workers) -> None:
        self._overview = Overview(study, lambda: workers.threads)
        self._told: set[tuple[str, float]] = set()  # finished points, in a log
        self._over = threading.Event()
        self._board = Board(self._render)

    def __enter__(self) -> Self:
        self._board.__enter__()
        if not self._board.drawn:
            threading.Thread(target=self._tell_of_waiting, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._board.__exit__(kind, error, trace)

    def update(self, progress: Progress | Estimation) -> None:
        """Take in one step of the run."""
        for line in self._overview.update(progress):
            self._board.say(line)
        if self._board.drawn:
            return
        if isinstance(progress, Estimation):
            if progress.new and progress.estimate:
                self._board.say(str(progress))
            return
        point = (progress.point.curve, progress.point.ebn0_db)
        if progress.finished and progress.counts is not None and point not in self._told:
            self._told.add(point)
            self._board.say(str(progress))

    def _tell_of_waiting(self) -> None:
        """Say in a log that there are no workers, at growing intervals."""
        following = WAIT_TOLD
        while not self._over.is_set():
            alone = self._overview.alone()
            if alone is None:
                following = WAIT_TOLD
            elif alone >= following:
                self._board.say(waiting(alone))
                following *= 2
            self._over.wait(1.0)

    def _render(self) -> Table:
        table = Table(box=None, pad_edge=False)
        for place, name in enumerate(COLUMNS):
            number = place >= WORDS
            table.add_column(name, justify="right" if number else "left", no_wrap=name.startswith("BLER"))
        for row in self._overview.rows(narrow=self._board.narrow):
            table.add_row(*map(Text, row))
        table.caption = f"{self._overview.status()}; Ctrl-C stops, and nothing is lost"
        return table
