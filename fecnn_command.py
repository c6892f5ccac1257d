"""The command ``fecnn``: Ctrl-C prints one line instead of a traceback, even during the imports."""

import gc
import os
import signal
from types import FrameType


def _stop(signum: int, frame: FrameType | None) -> None:
    """Exit at once; used only before the command starts and after it has ended."""
    os.write(2, b"\nstopped\n")
    os._exit(130)


def main() -> None:
    """Run the command line."""
    gc.set_threshold(100_000)  # imports and figures make many objects that stay: a tenth of the time was here
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:  # under nohup, for example
        from fecnn.cli.app import app

        app(prog_name="fecnn")
        return
    signal.signal(signal.SIGINT, _stop)  # imports often turn KeyboardInterrupt into another error
    try:
        from fecnn.cli.app import app

        signal.signal(signal.SIGINT, signal.default_int_handler)
        app(prog_name="fecnn")
    finally:
        signal.signal(signal.SIGINT, _stop)


if __name__ == "__main__":
    main()
