"""How a command ends: quietly when its reader has left, with one line on Ctrl-C."""

import io
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

EXIT_CODES = {
    0: "all went well",
    1: "an error, said in one line; `verify` also if a batch differs, `merge` also if it rejects a file",
    2: "the command line was not understood",
    130: "stopped by Ctrl-C; what was committed is kept",
    141: "the reader of the output has left, as in `fecnn table STUDY | head`",
}
"""What the exit code of a command means."""


class Commands(TyperGroup):
    """All commands. Closed pipes, Ctrl-C and terminals with few characters never end in a traceback."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run a command, replacing characters that the terminal cannot show."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
                stream.reconfigure(errors="replace")
        try:
            return super().main(*arguments, **options)
        finally:
            _flush()

    def invoke(self, ctx: Any) -> Any:
        """Run the command after its arguments are parsed."""
        stopped = _Stopped()
        try:
            with stopped:
                return super().invoke(ctx)
        except BrokenPipeError:
            _leave_quietly()
        except BaseException as error:
            # Imports and compiled code may turn the interrupt into another error.
            if isinstance(error, KeyboardInterrupt) or (stopped.was and not isinstance(error, typer.Exit)):
                typer.echo("\nstopped", err=True)
                raise typer.Exit(130) from None
            raise


class _Stopped:
    """Records whether Ctrl-C was pressed."""

    was = False
    _again: threading.Timer | None = None

    def __enter__(self) -> None:
        self._before, self._hook = signal.getsignal(signal.SIGINT), sys.unraisablehook
        self._listens = (
            self._before is signal.default_int_handler
            and threading.current_thread() is threading.main_thread()
        )
        if self._listens:
            signal.signal(signal.SIGINT, self._interrupt)
            sys.unraisablehook = self._raise_later

    def __exit__(self, *_: object) -> None:
        if self._listens:
            if self._again:
                self._again.cancel()
            signal.signal(signal.SIGINT, self._before)
            sys.unraisablehook = self._hook

    def _interrupt(self, signum: int, frame: object) -> None:
        self.was = True
        raise KeyboardInterrupt

    def _raise_later(self, unraisable: "sys.UnraisableHookArgs") -> None:
        """Repeat an interrupt that arrived in a C callback (such as LLVM's), where it could not be raised."""
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            # Not at once: what is raised in this hook is lost as well.
            main = threading.get_ident()
            self._again = threading.Timer(0.05, signal.pthread_kill, (main, signal.SIGINT))
            self._again.daemon = True
            self._again.start()
        else:
            self._hook(unraisable)


def _flush() -> None:
    """Flush stdout now: at interpreter exit it is too late to fail quietly."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _leave_quietly()


def _leave_quietly() -> NoReturn:
    """Exit as other programs do when nobody reads their output, as in ``| head``."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(BrokenPipeError):
            stream.flush()
            continue
        os.dup2(nowhere, stream.fileno())
    sys.exit(128 + 13)  # SIGPIPE
