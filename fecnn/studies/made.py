"""Studies built from Python objects instead of a file."""

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from fecnn._files.named import file_of
from fecnn.channels.axis import AXES
from fecnn.codes.catalogue import Place, Recipe, hold, is_code_path, recipe, with_paths
from fecnn.codes.code import Code
from fecnn.errors import shown
from fecnn.studies.study import Study

CodeLike = Code | Place
DecoderLike = str | Callable[..., Any]


def make_study(
    name: str,
    *,
    code: CodeLike | None = None,
    ebn0_db: float | Iterable[float] | Mapping[str, float] | None = None,
    curves: Iterable[DecoderLike | Mapping[str, Any]],
    **settings: Any,
) -> Study:
    """A study from Python objects, like one that `load_study` reads; its results are stored under its name.

    Args:
        name: Names the results; letters, digits, ``-``, ``_`` and ``.``.
        code: A `Code`, or whatever `load_code` takes.
        ebn0_db: One point, several, or ``{"from": 0, "to": 6, "step": 0.5}``.
        curves: Decoders: names, functions of a module or script, or mappings with the keys of a
            ``[[curve]]``, of which ``decoder`` and ``code`` may be objects too.
        settings: The other keys of a study file, such as ``title``, ``stop``, ``channel`` or ``seed``.

    Raises:
        ValueError: If something is invalid; all problems in one message.
        TypeError: If a decoder is a function that no file defines by name: it must be built again, perhaps in
            another process, and its code names its results.

    Example:
        >>> import fecnn
        >>> study = fecnn.make_study(
        ...     "first",
        ...     code=fecnn.hamming(3),
        ...     ebn0_db=[3, 4],
        ...     curves=["ml", {"decoder": "osd", "options": {"order": 1}}],
        ... )
        >>> study.name, [curve.name for curve in study.curves], len(study.points)
        ('first', ['ml', 'osd (order 1)'], 4)
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name, re.ASCII):
        raise ValueError(f"the name of a study has letters, digits, '-', '_' and '.', got {name!r}")
    content: dict[str, Any] = {"title": name, **settings, "curve": [_curve(curve) for curve in curves]}
    if code is not None:
        content["code"] = _code(code)
    if "channel" in content:
        content["channel"] = _channel(content["channel"])
    if ebn0_db is not None:
        content["ebn0_db"] = ebn0_db
    for key in AXES.keys() & content.keys():
        content[key] = _grid(content[key])
    # A folder of its own, which need not exist: nothing that lies here belongs to the study.
    return Study.of(content, Path.cwd() / name / "study.toml", called=name)


def _curve(given: DecoderLike | Mapping[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = dict(given) if isinstance(given, Mapping) else {"decoder": given}
    if callable(content.get("decoder")):
        content.setdefault("label", content["decoder"].__name__)
    if "decoder" in content:
        content["decoder"] = _decoder(content["decoder"])
    if "channel" in content:
        content["channel"] = _channel(content["channel"])
    if "code" in content:
        codes = content["code"]
        content["code"] = [_code(each) for each in codes] if isinstance(codes, list) else _code(codes)
    for key in AXES.keys() & content.keys():
        content[key] = _grid(content[key])
    return content


def _decoder(given: DecoderLike) -> Any:
    """The name of a decoder; that of a function leads to the file that defines it."""
    if isinstance(given, str):
        return _from_here(given)
    if not callable(given):
        return given  # refused by the study
    module, function = getattr(given, "__module__", None), getattr(given, "__qualname__", "")
    try:
        file = inspect.getsourcefile(given)
    except TypeError:
        file = None
    found: Any = sys.modules.get(module or "")
    if file is None or not Path(file).is_file() or getattr(found, function, None) is not given:
        raise TypeError(
            f"decoder {function or shown(given)} is not a function that a file defines by its name: save it "
            "in one, so that it can be built again and its results named by its code"
        )
    return f"{Path(file).resolve()}:{function}"


def _channel(given: Any) -> Any:
    """A channel as the study takes it, of which a file starts at the working directory."""
    if isinstance(given, Mapping):
        return {key: _channel(value) if key == "name" else value for key, value in given.items()}
    return _from_here(given) if isinstance(given, str) else given


def _from_here(name: str) -> str:
    """The name of a decoder or channel, with the whole path of its file if it is named by that."""
    in_file = file_of(name)
    return name if in_file is None else f"{in_file[0].resolve()}:{in_file[1]}"


def _code(given: Any) -> Any:
    if isinstance(given, Code):
        return hold(given)
    if isinstance(given, Mapping):
        made = cast("Recipe", with_paths(recipe(given), _resolved))
        return {key: list(value) if isinstance(value, tuple) else value for key, value in made}
    return _resolved(given) if is_code_path(given) else given


def _resolved(path: str | Path) -> str:
    return str(Path(path).resolve())


def _grid(given: Any) -> Any:
    if isinstance(given, Mapping):
        return {key: float(value) for key, value in given.items()}
    if isinstance(given, Iterable) and not isinstance(given, str):
        return [float(value) for value in given]
    return float(given) if isinstance(given, int) else given
