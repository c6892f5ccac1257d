"""Progress in the terminal: a table that is redrawn, or plain lines where stderr is not a terminal."""

import os
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from fecnn._files.text import clock, plain
from fecnn.jit import compiling

WIDE = 100
"""Columns of a terminal in which whole intervals fit."""


class Board:
    """Draws what ``render`` returns four times a second, with lines above it; outside a terminal, only lines.

    Use as a context manager. It writes to stderr, so that a table on stdout can be piped, and reports what is
    being compiled.
    """

    def __init__(self, render: Callable[[], RenderableType]) -> None:
        self._render = render
        self._console = Console(stderr=True)
        self._live: Live | None = None
        self._compiling = compiling.told(self.say)
        self._began = time.monotonic()

    @property
    def drawn(self) -> bool:
        """Whether there is a terminal to draw on. A notebook's cell looks like one but is not."""
        return self._console.is_terminal and "JPY_PARENT_PID" not in os.environ

    @property
    def narrow(self) -> bool:
        """Whether whole intervals do not fit."""
        return self._console.width < WIDE

    def __enter__(self) -> Self:
        self._compiling.__enter__()
        if self.drawn:
            self._live = Live(console=self._console, refresh_per_second=4, get_renderable=self._render)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._compiling.__exit__(kind, error, trace)
        if self._live:
            self._live.stop()

    def say(self, line: str) -> None:
        """Write a line that stays."""
        if self.drawn:
            self._console.print(Text(plain(line)), soft_wrap=True)
            return
        try:
            print(plain(line), file=sys.stderr, flush=True)
        except BrokenPipeError:  # a thread that compiles has no use for the error
            if threading.current_thread() is threading.main_thread():
                raise

    def elapsed(self) -> str:
        """Time since the start, as the caption says it."""
        return f"elapsed {clock(time.monotonic() - self._began)}"
