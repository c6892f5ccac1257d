"""Writes the pages that are made from the package and the repository, before Sphinx looks for pages.

They lie in ``docs/generated``, which git ignores. A page that has not changed is left alone, so that only
changed ones are read again.
"""

import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from . import api, channels, codes, commands, decoders, families, networks, repository, studies

FOLDER = "generated"


def write_pages(app: Sphinx) -> None:
    folder = Path(app.srcdir, FOLDER)
    made: dict[str, str | bytes] = {}
    for module in (repository, studies, codes, families, channels, decoders, networks, commands, api):
        made |= module.pages()
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file() and path.relative_to(folder).as_posix() not in made:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            shutil.rmtree(path)
    for name, content in made.items():
        path = folder / name
        data = content if isinstance(content, bytes) else content.encode()
        if not path.is_file() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", write_pages, priority=100)
    return {"parallel_read_safe": True}
