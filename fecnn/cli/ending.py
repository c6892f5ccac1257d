"""How a command ends: quietly for a reader who leaves, in one line for Ctrl-C."""

import _thread
import io
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup


class Commands(TyperGroup):
    """All commands: a reader who leaves, Ctrl-C and a terminal of few characters end none in a traceback."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run a command."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
                stream.reconfigure(errors="replace")
        try:
            return super().main(*arguments, **options)
        finally:
            _flush()

    def invoke(self, ctx: Any) -> Any:
        """Run it once its arguments are read."""
        stopped = _Stopped()
        try:
            with stopped:
                return super().invoke(ctx)
        except BrokenPipeError:
            _leave_quietly()
        except BaseException as error:
            # An import, or compiled code, may have made another error of the interrupt.
            if isinstance(error, KeyboardInterrupt) or (stopped.was and not isinstance(error, typer.Exit)):
                typer.echo("\nstopped", err=True)
                raise typer.Exit(130) from None
            raise


class _Stopped:
    """Knows whether Ctrl-C was pressed."""

    was = False

    def __enter__(self) -> None:
        self._before, self._hook = signal.getsignal(signal.SIGINT), sys.unraisablehook
        self._listens = (
            self._before is signal.default_int_handler
            and threading.current_thread() is threading.main_thread()
        )
        if self._listens:
            signal.signal(signal.SIGINT, self._interrupt)
            sys.unraisablehook = self._again

    def __exit__(self, *_: object) -> None:
        if self._listens:
            signal.signal(signal.SIGINT, self._before)
            sys.unraisablehook = self._hook

    def _interrupt(self, signum: int, frame: object) -> None:
        self.was = True
        raise KeyboardInterrupt

    def _again(self, unraisable: "sys.UnraisableHookArgs") -> None:
        """It came in a callback of C, as LLVM's, from where it cannot be raised: again, once that is over."""
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            _thread.interrupt_main()
        else:
            self._hook(unraisable)


def _flush() -> None:
    """Give out what is left now: at the end of the process it would be too late to do it quietly."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _leave_quietly()


def _leave_quietly() -> NoReturn:
    """End as other programs do where nobody reads on, as in ``| head``."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(BrokenPipeError):
            stream.flush()
            continue
        os.dup2(nowhere, stream.fileno())
    sys.exit(128 + 13)  # SIGPIPE
