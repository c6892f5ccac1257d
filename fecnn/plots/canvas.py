"""A matplotlib figure that remembers what it shows, and is saved as journals ask."""

import io
import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from fecnn.errors import extra

with extra("plot", "a figure"):
    import matplotlib
    from matplotlib.figure import Figure

from fecnn._files.atomic import write
from fecnn.plots.scene import Scene
from fecnn.plots.style import SAVED, Style
from fecnn.plots.tikz import tikz


def dressed(dress: Style) -> AbstractContextManager[None]:
    """While in this block, matplotlib draws in a style."""
    return matplotlib.rc_context(dress.rc)


FORMATS = (".svg", ".pdf", ".png", ".eps", ".tex", ".tikz")

SCREEN = 96
"""Pixels per inch in a notebook, as browsers count them: type has the size of the page's."""

_UNDATED = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}


class Picture(Figure):
    """A figure of a scene; its own ``savefig`` embeds TrueType fonts too."""

    scene: Scene
    style: Style

    def savefig(self, fname: Any, **kwargs: Any) -> None:
        """Save as matplotlib does, with `SAVED`; what has not changed since is not laid out again."""
        layout = self.get_layout_engine()
        if not self.stale:
            self.set_layout_engine("none")
        try:
            with matplotlib.rc_context(SAVED):
                super().savefig(fname, **kwargs)
        finally:
            self.set_layout_engine(layout)

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """For notebooks, fine enough to be enlarged: IPython itself shows only figures of pyplot."""
        drawn = io.BytesIO()
        self.savefig(drawn, format="png", dpi=1.5 * SCREEN)
        width, height = (round(SCREEN * inches) for inches in self.get_size_inches())
        return drawn.getvalue(), {"width": width, "height": height}


def save(figure: Figure, path: str | Path) -> None:
    r"""Write a figure in the format of the file's suffix; the same figure gives the same bytes.

    ``.tex`` is a LaTeX document of its own with the data in it, drawn by pgfplots, and ``.tikz`` the picture
    alone, for ``\input``.

    Raises:
        ValueError: If the suffix is another.
    """
    path = Path(path)
    if path.suffix not in FORMATS:
        raise ValueError(f"a figure is written as {', '.join(FORMATS)}, got {path.name}")
    if path.suffix in (".tex", ".tikz"):
        if not isinstance(figure, Picture):
            raise TypeError(f"only figures made by fecnn are written as {path.suffix}")
        write(path, tikz(figure.scene, figure.style, document=path.suffix == ".tex"))
        return
    drawn = io.BytesIO()
    with matplotlib.rc_context(SAVED):
        figure.savefig(drawn, format=path.suffix[1:], dpi=160, metadata=_UNDATED.get(path.suffix))
    content = drawn.getvalue()
    if path.suffix == ".eps":
        content = re.sub(rb"%%CreationDate: .*\n", b"", content)
    write(path, content)
