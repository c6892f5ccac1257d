"""An output of a notebook cell that is drawn again in its place."""

import sys
from typing import Any


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook; IPython is not imported to find out."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


class Output:
    """One output of the cell that runs, empty until it is first drawn; only where `in_notebook` is true."""

    def __init__(self) -> None:
        self._handle: Any = None

    def draw(self, html: str, text: str) -> None:
        """Show HTML in place of what was there; text is for frontends that show no HTML."""
        content = {"text/html": html, "text/plain": text}
        if self._handle is None:
            self._handle = sys.modules["IPython.display"].display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)
