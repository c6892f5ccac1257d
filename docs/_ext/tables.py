"""Wraps each table, so that a wide one scrolls by itself on a narrow page."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx


def wrap(app: Sphinx, tree: nodes.document, page: str) -> None:
    for table in list(tree.findall(nodes.table)):
        if "scrolls" not in getattr(table.parent, "attributes", {}).get("classes", []):
            around = nodes.container(classes=["scrolls"])
            table.replace_self(around)
            around += table


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("doctree-resolved", wrap)
    return {"parallel_read_safe": True}
