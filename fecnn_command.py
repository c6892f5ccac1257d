"""The command ``fecnn``, whose imports also end in one line when Ctrl-C is pressed."""

import os
import signal
from types import FrameType


def _stop(signum: int, frame: FrameType | None) -> None:
    """End at once: nothing has begun yet, or all is done."""
    os.write(2, b"\nstopped\n")
    os._exit(130)


def main() -> None:
    """Run the command line."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:  # such as nohup
        from fecnn.cli.app import app

        app()
        return
    signal.signal(signal.SIGINT, _stop)  # many an import makes another error of KeyboardInterrupt
    try:
        from fecnn.cli.app import app

        signal.signal(signal.SIGINT, signal.default_int_handler)
        app()
    finally:
        signal.signal(signal.SIGINT, _stop)


if __name__ == "__main__":
    main()
