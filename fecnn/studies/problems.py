"""All problems of a study in one message: each in our words, once, and none hides another."""

import copy
import inspect
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from fecnn._files.problems import keys_at, sentence
from fecnn._files.toml import Table
from fecnn.channels.axis import AXES
from fecnn.decoders.registry import REGISTRY, built_in
from fecnn.errors import is_near

Place = tuple[Any, ...]
Content = TypeVar("Content", bound=Table)

ROUNDS = 8
"""Most times that a content is mended; each time fewer of its keys are left."""

SURE = 0.75
"""How close a misspelt key must be to a known one to be read as that."""

MOST_NAMED = 5
"""Most curves that are named with a problem they share."""

MEANINGS = {
    "code": "a code is a name, a file or a table",
    "channel": "a channel is a name, or a table of its name and options",
    "curve code": "a code is a name, a file or a table, or a list of these",
    "receiver": "a receiver is a table, such as { bits = 4, range = 8.0 }, or a list of these",
    "curve": "write [[curve]] with double brackets: a study has a list of curves",
    **dict.fromkeys(AXES, "a number, a list of numbers, or { from, to, step }"),
    "options": "an option is a number, a word, true or false, or a list of these",
    "stop": "a rule is a table, such as { block_errors = 100 }",
}
"""What a key may have, where several forms are possible."""


SEVERAL = ("code", "channel", "receiver", *AXES)
"""Keys that have several forms, of which pydantic names the one that it reads."""


@dataclass(frozen=True)
class Mended(Generic[Content]):
    """What is left of a study's content without its wrong keys, so that the rest can be looked at.

    study: What is left; None if nothing could be made of it.
    problems: What was wrong, in one sentence each.
    refused: Where a key was taken out or filled in: ``("ebn0_db",)``, ``("curve", 0, "ebn0_db")``, or
        ``("curve", 0)`` for all of it.
    """

    study: Content | None
    problems: list[str]
    refused: frozenset[Place]


class Found:
    """The problems found so far. One that several curves share is told once."""

    def __init__(self) -> None:
        self._curves: dict[str, list[str]] = {}
        self.count = 0

    def add(self, problem: str, curve: str | None = None) -> None:
        """A problem of a curve, or of the whole study."""
        self.count += 1
        curves = self._curves.setdefault(problem, [])
        if curve is not None and curve not in curves:
            curves.append(curve)

    @contextmanager
    def of(self, curve: str | None = None, prefix: str = "") -> Iterator[None]:
        """Note what is raised in this block."""
        try:
            yield
        except (LookupError, TypeError, ValueError, OSError, ImportError) as error:
            self.add(f"{prefix}{error}", curve)

    def sentences(self) -> list[str]:
        """One sentence per problem, which begins with its curves."""
        return [
            f"curve{'s' * (len(curves) > 1)} {_listed(curves)}: {problem}" if curves else problem
            for problem, curves in self._curves.items()
        ]


def _listed(names: list[str]) -> str:
    """Names in a sentence.

    Example:
        >>> _listed(["a"]), _listed(["a", "b", "c"])
        ('a', 'a, b and c')
    """
    if len(names) > MOST_NAMED:
        return f"{', '.join(names[:MOST_NAMED])} and {len(names) - MOST_NAMED} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def mended(content: dict[str, Any], model: type[Content]) -> Mended[Content]:
    """What can be made of a study's content, and what is wrong with its keys and values.

    A misspelt key is read as the one that it is close to. Any other that pydantic refuses is taken out, or
    filled in where there must be one, and the rest is validated again: one problem may hide another.
    """
    rest = copy.deepcopy(content)
    problems: list[str] = []
    refused: set[Place] = set()
    for _ in range(ROUNDS):
        try:
            return Mended(model.model_validate(rest), problems, frozenset(refused))
        except ValidationError as error:
            problems += _sentences(error, rest, model)
            wrong = {_place_in_file(problem["loc"]): problem["type"] for problem in error.errors()}
            for place, kind in reversed(wrong.items()):  # the last entry of a list first
                refused.add(_mend(rest, place, kind, model))
    return Mended(None, problems, frozenset(refused))


def _mend(content: dict[str, Any], place: Place, kind: str, model: type[Table]) -> Place:
    """Make a content of which pydantic does not say this again; the key that it lacks now."""
    parent = _at(content, place[:-1])
    if parent is None or (kind == "missing" and place[-1] in parent):
        return ()  # taken out with what it was in; or misspelt, and read already
    if place == ("title",):
        content["title"] = "untitled"
        return place
    if place == ("curve",) and isinstance(content.get("curve"), dict):
        content["curve"] = [content["curve"]]
        return ()
    if place == ("curve",):
        content["curve"] = [{"decoder": "1"}]
        return place
    if place[0] == "curve" and place[2:] in ((), ("decoder",)):
        curve = content["curve"][place[1]] if place[2:] else {}
        content["curve"][place[1]] = {
            **curve,
            "decoder": str(place[1] + 1),
        }  # so it is called curve 1, 2, ...
        return place
    depth = 3 if place[0] == "curve" else 1
    table = content if depth == 1 else content["curve"][place[1]]
    if kind == "extra_forbidden" and _is_option(content, place):
        value, options = table.pop(place[-1]), table.setdefault("options", {})
        if isinstance(options, dict):
            options.setdefault(place[-1], value)
        return ()
    if kind == "extra_forbidden" and (meant := _meant(content, place, model)):
        parent[meant] = parent.pop(place[-1])
        return ()
    key, within = place[depth - 1], place[depth : depth + 1]
    alone = key == "options" or (key in ("code", "receiver") and isinstance(table.get(key), list))
    if within and alone and len(table[key]) > 1:
        del table[key][within[0]]
    else:
        table.pop(key, None)
    return place[:depth]


def _meant(content: dict[str, Any], place: Place, model: type[Table]) -> str | None:
    """The key that an unknown one is surely meant to be, if that is not there too."""
    table = _at(content, place[:-1])
    close = get_close_matches(str(place[-1]), keys_at(model, place[:-1]), n=1, cutoff=SURE)
    return next((key for key in close if key not in table), None)


def _at(content: Any, place: Place) -> Any:
    """What a content has at a place; None if nothing."""
    with suppress(LookupError, TypeError):
        for part in place:
            content = content[part]
        return content
    return None


def _is_option(content: dict[str, Any], place: Place) -> bool:
    """Whether an unknown key of a curve is an option of its decoder."""
    if len(place) != 3 or place[0] != "curve":
        return False
    decoder = _at(content, place[:-1]).get("decoder")
    if not isinstance(decoder, str) or decoder not in REGISTRY:
        return False
    return place[-1] in inspect.signature(built_in(decoder).hard).parameters


def _place_in_file(place: Place) -> Place:
    """Where a problem is, without the names of forms that pydantic puts after the key that has several."""
    parts: list[Any] = []
    for i, part in enumerate(place):
        before = place[i - 2 : i] if i > 1 else (None, *place[:i])
        several = before[-1] in SEVERAL or (before[0] == "list" and "code" in parts)
        form = part in ("value", "table", "family", "list") and several
        depths = {"options": 1, "channel": 2}  # after the key, and the form that a channel has
        typed = any(key in parts[:3] and i > place.index(key) + depth for key, depth in depths.items())
        if not form and not typed:
            parts.append(part)
    return tuple(parts)


def _sentences(error: ValidationError, content: dict[str, Any], model: type[Table]) -> list[str]:
    """Pydantic's problems in our words, one per place."""
    places: dict[Place, Any] = {}
    for problem in error.errors():
        place = _place_in_file(problem["loc"])
        told = meaning = ""
        if "options" in place[:-1]:
            meaning = "options"
        elif problem["type"] in ("string_type", "float_type", "union_tag_invalid"):
            inside = place[-2:-1] == ("receiver",) and isinstance(place[-1], str)  # a key of it is wrong
            meaning = next((key for key in SEVERAL if key in place[-1 if inside else -2 :]), "")
        elif problem["type"] == "model_type" and place[-1] == "stop":
            meaning = "stop"
        elif problem["type"] == "extra_forbidden" and _is_option(content, place):
            decoder = _at(content, place[:-1])["decoder"]
            told = f"an option of {decoder}: write options = {{ {place[-1]} = ... }}"
            problem["input"] = {}  # which is not shown
        if meaning == "code" and place[0] == "curve":
            meaning = "curve code"
        elif place == ("curve",) and problem["type"] == "list_type" and isinstance(problem["input"], dict):
            meaning = "curve"
        if told or meaning:
            problem |= {"msg": told or MEANINGS[meaning], "type": ""}
        places.setdefault(place, {**problem, "loc": place})
    unknown = [place for place, problem in places.items() if problem["type"] == "extra_forbidden"]
    for place in [place for place, problem in places.items() if problem["type"] == "missing"]:
        if any(other[:-1] == place[:-1] and is_near(str(other[-1]), str(place[-1])) for other in unknown):
            del places[place]  # it is there, misspelt
    return [sentence(problem, model) for problem in places.values()]
