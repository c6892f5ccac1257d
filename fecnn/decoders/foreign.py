"""Decoders and channels that do not ship with fecnn: where their code is, its version, and running it.

Nothing is imported to find this out; imports are read from the syntax of the files.
"""

import ast
import hashlib
import importlib
import importlib.util
import sys
import sysconfig
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from inspect import Signature
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, TypeGuard

from fecnn._files.named import no_such
from fecnn.channels import registry as channels
from fecnn.decoders.outline import outline, parsed
from fecnn.decoders.registry import REGISTRY, decoder_names, plugin

Kind = Literal["decoder", "channel"]


@dataclass(frozen=True)
class Foreign:
    """A decoder or channel that does not ship with fecnn.

    file: The path of its module.
    version: The SHA-256 of its module and everything it imports, except installed packages and the standard
        library. For an entry point: its distribution and version, plus the SHA-256 if that is not an
        installed copy.
    kind: Which of the two it is.
    """

    file: str
    version: str
    kind: Kind = "decoder"


def foreign(name: str, home: str | None = None, *, kind: Kind = "decoder") -> Foreign | None:
    """The file and version behind the name of a decoder or channel; None if it ships with fecnn.

    Args:
        name: The name of a built-in one or an entry point, or ``module:function``.
        home: A folder with modules of its own, besides those on Python's path.
        kind: What the name is of.

    Raises:
        LookupError: If there is no such decoder or channel, or module.
        ValueError: If its module has no file.
    """
    with _lock, _at(home):
        found = _find(name, kind)
    return found and found[0]


def signature_of(called: str, it: Foreign) -> Signature | None:
    """How the factory of a decoder or channel is called; None if that is not known before its file is run.

    Raises:
        LookupError: If the file has no such function.
        ValueError: If the file is not Python.
    """
    _, _, function = called.rpartition(":")
    path = Path(it.file)
    if ":" not in called or path.suffix != ".py" or not path.is_file():
        return None
    return outline(path).signature(function, str(path))


def files_at(home: str, name: str, kind: Kind) -> dict[str, bytes]:
    """The files of a decoder or channel that lie in its folder, by their paths there."""
    with _lock, _at(home):
        found = _find(name, kind)
    folder = Path(home)
    files = [Path(str(it.spec.origin)) for it in found[1].values()] if found else []
    contents = [it.content for it in found[1].values()] if found else []
    return {
        file.relative_to(folder).as_posix(): content
        for file, content in zip(files, contents, strict=True)
        if file.is_relative_to(folder)
    }


@contextmanager
def _at(home: str | None) -> Iterator[None]:
    """While in this block, modules are looked for in this folder first."""
    before = sys.path.copy()
    if home is not None:
        sys.path.insert(0, home)
    try:
        yield
    finally:
        sys.path[:] = before


def whose_code_runs(name: str, it: Foreign) -> str:
    """The line that announces whose code is about to run."""
    return f"{it.kind} {name} runs code from {it.file}"


@contextmanager
def running(name: str, version: str, home: str | None = None, *, kind: Kind = "decoder") -> Iterator[None]:
    """While in this block, the name of a foreign decoder or channel resolves to its files as they are now.

    Whatever was imported before is set aside. Each version has its own modules, so what was built from
    another version keeps those. Modules imported by others are restored afterwards.

    Raises:
        LookupError: If there is no such decoder or channel, or module.
        ValueError: If its files are not this version, modules of this version were reloaded, or it
            imported files that its version does not cover.
    """
    with _lock, _at(home):
        found = _find(name, kind)
        if found is None or found[0].version != version:
            where = "of fecnn itself" if found is None else f"in {found[0].file}"
            raise ValueError(
                f"the code of {kind} {name} {where} is not the version that the study was loaded with: "
                "it has changed since, or is another copy; load the study again, or make the copies identical"
            )
        it, files = found
        ours = _versions.setdefault((it.file, version), {})
        if not all(map(_exact, ours.values())):
            raise ValueError(
                f"{kind} {name}: its code was reloaded, so two versions are mixed in this process; "
                "start a new process"
            )
        theirs = {name: sys.modules.pop(name) for name in files if name in sys.modules}
        before, path = set(sys.modules), sys.path.copy()
        sys.modules.update(ours)
        finder = _Finder(files)
        sys.meta_path.insert(0, finder)
        try:
            yield
            if strange := _uncovered(set(sys.modules) - before - files.keys()):
                raise ValueError(
                    f"{kind} {name} has imported {strange}, which is not part of its version: import it "
                    "with an import statement, from its own folder or from PYTHONPATH"
                )
        finally:
            sys.path[:] = path
            sys.meta_path.remove(finder)
            now = {name: sys.modules[name] for name in files if name in sys.modules}
            ours.update({name: it for name, it in now.items() if _exact(it)})
            sys.modules.update({name: it for name, it in theirs.items() if not _exact(it)})


@dataclass(frozen=True)
class _File:
    spec: ModuleSpec
    content: bytes


_lock = threading.RLock()
_versions: dict[tuple[str, str], dict[str, ModuleType]] = {}
"""The modules loaded so far, for each version of a decoder's file."""


class _Exact(SourceFileLoader):
    """Loads the content already read. Compiled files could be stale: they match by second and size only."""

    def __init__(self, name: str, path: str, content: bytes) -> None:
        super().__init__(name, path)
        self.content = content

    def get_data(self, path: str) -> bytes:
        return self.content if path == self.path else super().get_data(path)

    def path_stats(self, path: str) -> Mapping[str, float]:
        raise OSError("no compiled file is read or written")


class _Finder:
    """Finds source files in the form in which they were read."""

    def __init__(self, files: Mapping[str, _File]) -> None:
        self._files = files

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """The module's spec, or None if it is not one of these files."""
        file = self._files.get(name)
        if file is None:
            return None
        origin = str(file.spec.origin)
        return importlib.util.spec_from_file_location(
            name,
            origin,
            loader=_Exact(name, origin, file.content),
            submodule_search_locations=file.spec.submodule_search_locations,
        )


def _uncovered(names: set[str]) -> str:
    """The file of an imported module that may be edited, if there is one among these names."""
    for name in sorted(names):
        file = getattr(sys.modules.get(name), "__file__", None)
        if file and name.partition(".")[0] != "fecnn" and not _installed(str(file)):
            return str(file)
    return ""


def _exact(module: ModuleType) -> bool:
    """Whether the module was loaded by us and not reloaded since."""
    return isinstance(getattr(module.__spec__, "loader", None), _Exact)


def _find(name: str, kind: Kind) -> tuple[Foreign, dict[str, _File]] | None:
    """The file and version behind a name, and the source files to load as they were read."""
    if name in (REGISTRY if kind == "decoder" else channels.REGISTRY):
        return None
    entry = None
    if ":" in name:
        module, _, function = name.partition(":")
        if not module or not function:
            raise LookupError(f"{kind} {name!r} must be named module:function")
    else:
        entry = plugin(name) if kind == "decoder" else channels.plugin(name)
        if entry is None:
            known = decoder_names() if kind == "decoder" else channels.channel_names()
            raise no_such(kind, name, known)
        module = entry.module
    if module.partition(".")[0] == "fecnn":
        return None
    files = _files(module)
    if module not in files:
        if module in sys.modules:
            raise ValueError(
                f"{kind} {name} exists in memory only; save it in a file, so that it has a version"
            )
        beside = (
            "" if entry else f" A file beside a study is named by its path: ./{name.replace(':', '.py:')}"
        )
        raise LookupError(
            f"no module {module!r} for {kind} {name!r}; is it installed, or on PYTHONPATH?{beside}"
        )
    where, version = str(files[module].spec.origin), _digest(files)
    if entry is not None and entry.dist is not None:
        named = f"{entry.dist.name} {entry.dist.version}"
        if _installed(where):
            return Foreign(where, named, kind), {}
        version = f"{named} {version}"
    sources = {
        module: it for module, it in files.items() if str(it.spec.origin).endswith(".py") and it.spec.loader
    }
    return Foreign(where, version, kind), sources


def _digest(files: Mapping[str, _File]) -> str:
    lines = (f"{name} {hashlib.sha256(it.content).hexdigest()}\n" for name, it in sorted(files.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _files(module: str) -> dict[str, _File]:
    """A module, its packages, and everything they import that is not installed."""
    importlib.invalidate_caches()
    top = module.partition(".")[0]
    files: dict[str, _File] = {}
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        parts = waiting.pop().split(".")
        for i in range(len(parts)):
            name = ".".join(parts[: i + 1])
            if name in seen or parts[0] == "fecnn" or not all(parts):
                continue
            seen.add(name)
            spec = _spec(name)
            if spec is None or spec.origin is None or (parts[0] != top and _installed(spec.origin)):
                continue
            content = _read(spec)
            files[name] = _File(spec, content)
            waiting += _imports(name, spec.submodule_search_locations is not None, content)
    return files


def _spec(name: str) -> ModuleSpec | None:
    """A module's spec. Unlike `importlib.util.find_spec`, this does not import the packages around it."""
    if name == "__main__":  # the running script, which has no spec
        file = getattr(sys.modules[name], "__file__", None)
        return ModuleSpec(name, None, origin=str(Path(file).resolve())) if file else None
    path: Sequence[str] | None = None
    spec = None
    parts = name.split(".")
    for i in range(len(parts)):
        whole = ".".join(parts[: i + 1])
        finders = (find for it in sys.meta_path if (find := getattr(it, "find_spec", None)) is not None)
        spec = next((found for find in finders if (found := find(whole, path)) is not None), None)
        locations = None if spec is None else spec.submodule_search_locations
        if locations is None and i + 1 < len(parts):
            return None
        # For a package without a file, iterating would look up its parent, which is not imported.
        path = getattr(locations, "_path", locations)
    return spec


def _installed(origin: str) -> bool:
    """Whether a module is part of Python or was installed, so that its author does not edit it there."""
    path = Path(origin)
    return (
        origin in ("built-in", "frozen")
        or not {"site-packages", "dist-packages"}.isdisjoint(path.parts)
        or any(path.is_relative_to(sysconfig.get_path(kind)) for kind in ("stdlib", "platstdlib"))
    )


def _read(spec: ModuleSpec) -> bytes:
    if spec.origin in ("built-in", "frozen"):
        return sys.version.encode()
    read = getattr(spec.loader, "get_data", None)  # works for zip files too
    return bytes(read(spec.origin)) if read else Path(str(spec.origin)).read_bytes()


def _imports(name: str, is_package: bool, content: bytes) -> Iterator[str]:
    """Everything a source file imports: modules, and names that may be modules."""
    try:
        tree = parsed(content)
    except (SyntaxError, ValueError, RecursionError):  # not source, or not runnable
        return
    package = name if is_package else name.rpartition(".")[0]
    nodes = list(ast.walk(tree))
    importers = {"import_module", "__import__"} | {
        alias.asname
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module == "importlib"
        for alias in node.names
        if alias.name == "import_module" and alias.asname
    }
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")
            base = parents[: len(parents) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (module, *(f"{module}.{alias.name}" for alias in node.names))
        elif isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in importers:
                values = (*node.args[:1], *(key.value for key in node.keywords if key.arg == "name"))
                yield from (_absolute(it.value, package) for it in values if _is_text(it))


def _is_text(node: ast.expr) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _absolute(name: Any, package: str) -> str:
    """A module's name, possibly with leading dots, resolved as `importlib.import_module` does."""
    level = len(name) - len(name.lstrip("."))
    parents = package.split(".")
    return ".".join([*parents[: len(parents) - level + 1], name[level:]]) if level else str(name)
