"""What a Python file defines at its top level, read from its syntax: none of it is run."""

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any

from fecnn.errors import nearest

UNSEEN = frozenset(("*", "__getattr__", "exec", "globals", "locals", "modules", "setattr", "vars"))
"""Names whose use can bind others that the syntax does not show; ``*`` is ``from x import *``."""


@dataclass(frozen=True)
class Outline:
    """The top level of a file.

    bound: The names that it binds, as far as the syntax shows, each with the syntax that does.
    closed: Whether these are all.
    """

    bound: dict[str, list[ast.AST]]
    closed: bool

    def signature(self, function: str, file: str) -> Signature | None:
        """How a function is called; None if that is not known before the file is run.

        Raises:
            LookupError: If the file defines no such name, with the closest of its functions.
        """
        if self.closed and function not in self.bound:
            known = [name for name, nodes in self.bound.items() if isinstance(nodes[0], _Callable)]
            hint = nearest(function, known) if known else "it defines none"
            raise LookupError(f"{file} has no function {function!r}; {hint}")
        nodes = self.bound.get(function, [])
        if len(nodes) != 1 or not isinstance(nodes[0], ast.FunctionDef | ast.Lambda):
            return None
        return None if getattr(nodes[0], "decorator_list", []) else _signature(nodes[0].args)


_Callable = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda


def outline(path: Path) -> Outline:
    """The outline of a file.

    Raises:
        ValueError: If Python cannot read it; the message names the line.
    """
    try:
        tree = parsed(path.read_bytes())
    except SyntaxError as error:
        line = f", line {error.lineno}" if error.lineno else ""
        raise ValueError(f"{path}{line} is not Python: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"{path} is not Python: {error}") from None
    bound: dict[str, list[ast.AST]] = {}
    for name, node in _bindings(tree):
        bound.setdefault(name, []).append(node)
    used = {getattr(node, "id", getattr(node, "attr", "")) for node in ast.walk(tree)}
    return Outline(bound, closed=UNSEEN.isdisjoint(used | bound.keys()))


def parsed(content: bytes) -> ast.Module:
    """The syntax of a file, without the warnings that are its author's business."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(content)


def _bindings(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """What binds names at the top level, also within ``if``, ``try`` and the like, in order."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            yield from ((to.id, node.value) for to in node.targets if isinstance(to, ast.Name))
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0], node
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node
        else:
            if isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
                yield node.name, node
            if isinstance(node, ast.MatchMapping) and node.rest:
                yield node.rest, node
            waiting += reversed([*ast.iter_child_nodes(node)])
    for inner in ast.walk(tree):
        if isinstance(inner, ast.Global):  # bound when its function is called
            yield from ((name, inner) for name in inner.names)


def _signature(arguments: ast.arguments) -> Signature:
    """The signature of a function, with ``...`` for every default."""
    plain = [*arguments.posonlyargs, *arguments.args]
    kinds: list[Any] = [Parameter.POSITIONAL_ONLY] * len(arguments.posonlyargs)
    kinds += [Parameter.POSITIONAL_OR_KEYWORD] * len(arguments.args)
    first_default = len(plain) - len(arguments.defaults)
    parameters = [
        Parameter(it.arg, kind, default=... if i >= first_default else Parameter.empty)
        for i, (it, kind) in enumerate(zip(plain, kinds, strict=True))
    ]
    if arguments.vararg:
        parameters.append(Parameter(arguments.vararg.arg, Parameter.VAR_POSITIONAL))
    parameters += [
        Parameter(it.arg, Parameter.KEYWORD_ONLY, default=Parameter.empty if default is None else ...)
        for it, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    if arguments.kwarg:
        parameters.append(Parameter(arguments.kwarg.arg, Parameter.VAR_KEYWORD))
    return Signature(parameters)
