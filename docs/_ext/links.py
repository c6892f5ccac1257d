"""Makes links between the texts of the repository lead to the pages of the site.

On the code host a link leads from file to file. Here it leads to the page that a text has become, to a copy
of any other file, or to the code host for a folder.
"""

import os
import re
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

from .repository import ROOT, page_of

HOST = "https://github.com/fecnn/fecnn"
ON_HOST = re.compile(rf"{HOST}/blob/main/|https://raw\.githubusercontent\.com/fecnn/fecnn/main/")
LINK = re.compile(r"(?<=\]\()[^)\s]+(?=\))")
FENCE = re.compile(r"^\s*(?:```|~~~)")

log = logging.getLogger(__name__)


def led(target: str, text: str, page: str) -> str:
    """Where a link of a text leads from its page; a text is named by its path, a page without its ending."""
    path, mark, anchor = target.partition("#")
    if ON_HOST.match(path):
        path = ON_HOST.sub("", path)
    elif not path or re.match(r"[a-z]+:|/", path):
        return target
    else:
        path = os.path.normpath(os.path.join(os.path.dirname(text), path))
    pages = page_of()
    if path in pages:
        return f"/{pages[path]}.md{mark}{anchor}"
    if (ROOT / path).is_dir():
        return f"{HOST}/tree/main/{path}"
    if not (ROOT / path).is_file():
        log.warning("link to %s, which does not exist", path, location=page)
    if path.startswith("docs/"):
        return f"/{path.removeprefix('docs/')}{mark}{anchor}"
    return os.path.relpath(ROOT / path, (ROOT / "docs" / page).parent)


def relink(app: Sphinx, page: str, source: list[str]) -> None:
    text = {found: path for path, found in page_of().items()}.get(page)
    if text is None:
        if page.startswith("generated/"):  # made for the site, so its links are right
            return
        text = f"docs/{page}.md"
    inside, lines = False, []
    for line in source[0].splitlines(keepends=True):
        inside ^= bool(FENCE.match(line))
        lines.append(line if inside else LINK.sub(lambda it: led(it[0], text, page), line))
    source[0] = "".join(lines)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("source-read", relink)
    return {"parallel_read_safe": True}
