"""How much time and memory a loader may take, and how many words it may say."""

import contextlib
import faulthandler
from pathlib import Path

MOST_SECONDS = 5.0
"""Processor time that one case may take: far beyond what any needs, far below what a hang takes."""

MOST_BYTES = 1 << 30
"""Address space that a loader may ask for beyond what the process has."""

LONGEST_MESSAGE = 10_000
"""Characters of an error's message."""


@contextlib.contextmanager
def limits(seconds):
    """Within, the system refuses much memory, and a hang ends the process with its stacks."""
    import resource  # not on every system

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MOST_BYTES, hard))
    faulthandler.dump_traceback_later(seconds, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
