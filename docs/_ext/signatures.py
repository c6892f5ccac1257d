"""Signatures as their author wrote them: aliases by their names, defaults by their constants."""

import ast
import inspect
import textwrap
from dataclasses import is_dataclass
from typing import Any

from sphinx.application import Sphinx


class Unquoted(ast.NodeTransformer):
    """Names in quotes as names; the strings of a Literal stay."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        literal = isinstance(node.value, ast.Name) and node.value.id == "Literal"
        return node if literal else self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.parse(node.value, mode="eval").body if isinstance(node.value, str) else node


def annotated(node: ast.AST | None) -> None:
    """Take the quotes from the annotations of a function, an argument or a field."""
    for part in ("annotation", "returns"):
        if (found := getattr(node, part, None)) is not None:
            setattr(node, part, Unquoted().visit(found))


def arguments(function: ast.FunctionDef, bound: bool) -> str:
    taken = function.args
    for node in (function, *ast.walk(taken)):
        annotated(node)
    if bound:
        for places in (taken.posonlyargs, taken.args):
            if places:
                del places[0]
                break
    returns = "" if function.returns is None else f" -> {ast.unparse(function.returns)}"
    return f"({ast.unparse(taken)}){returns}"


def written(what: str, thing: Any) -> tuple[str, str | None] | None:
    tree = ast.parse(textwrap.dedent(inspect.getsource(thing))).body[0]
    if isinstance(tree, ast.ClassDef):
        if is_dataclass(thing):
            fields = [node for node in tree.body if isinstance(node, ast.AnnAssign)]
            for field in fields:
                annotated(field)
            return f"({', '.join(ast.unparse(field) for field in fields)})", None
        made = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "__init__"]
        return (arguments(made[0], True).partition(" -> ")[0], None) if made else ("", None)
    if not isinstance(tree, ast.FunctionDef):
        return None
    decorators = [ast.unparse(it) for it in tree.decorator_list]
    bound = what == "method" and "staticmethod" not in decorators
    text, mark, returns = arguments(tree, bound).partition(") -> ")
    return (f"{text})", returns) if mark else (text, None)


def show(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str, str | None] | None:
    return written(what, thing) if signature is not None and what in ("function", "method", "class") else None


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("autodoc-process-signature", show)
    return {"parallel_read_safe": True}
