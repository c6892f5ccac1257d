"""Study files: what to simulate, checked as a whole before anything runs."""

import inspect
import math
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, PrivateAttr, Tag, field_validator, model_validator

from fecnn._files.named import file_of
from fecnn._files.problems import MAX_PROBLEMS, refusal
from fecnn._files.shipped import is_path, shipped, shipped_folder
from fecnn._files.toml import Table, read_toml
from fecnn._notebook import html
from fecnn.channels.axis import AXES, EBN0, Axis
from fecnn.channels.receiver import Receiver
from fecnn.channels.registry import Named, Value, named
from fecnn.channels.registry import told as told_channel
from fecnn.codes.catalogue import (
    Recipe,
    claims,
    is_recipe,
    load_code,
    paths_of,
    recipe,
    told,
    with_paths,
)
from fecnn.codes.code import Code, has_spectrum
from fecnn.codes.families import uncoded
from fecnn.decoders import decoder
from fecnn.decoders.foreign import Foreign, Kind, foreign, signature_of
from fecnn.decoders.registry import factory, inside, is_trained
from fecnn.decoders.signature import misfits, wrong_values
from fecnn.errors import nearest
from fecnn.nets.card import Whole, default_weights, network_version, weights_digest
from fecnn.simulation.stop import MOST_FRAMES, Stop
from fecnn.simulation.task import Options, Point, RarePoint, Task, Weights, build_decoder
from fecnn.studies.curves.registry import read_curves
from fecnn.studies.problems import Found, Place, mended
from fecnn.studies.record import record
from fecnn.studies.reference import Reference
from fecnn.theory.bounds import BOUNDS

MAX_POINTS = 1000
"""Most points per curve."""

ML_REL_ERROR, REL_ERROR = 0.02, 0.1
"""Default half-width of an estimated point's interval, relative to its value: for ``ml``, for the others."""


class Grid(Table):
    """Evenly spaced values of an axis: from, to and step, both ends included."""

    start: float = Field(alias="from")
    stop: float = Field(alias="to")
    step: float = Field(gt=0)

    def values(self) -> list[float]:
        """The points, rounded to a millionth; empty if the number of steps is not finite."""
        steps = (self.stop - self.start) / self.step
        if not math.isfinite(steps):
            return []
        count = math.floor(steps + 1e-9) + 1
        return [round(self.start + i * self.step, 6) for i in range(count)]


def _table_of(curve: "Curve") -> Recipe:
    """The table by which a curve's own code is made, if it names no file; else empty."""
    place = curve.code.given() if isinstance(curve.code, CodeTable) else ()
    return () if paths_of(place) else place


@cache
def _name_of(place: Recipe) -> str | None:
    """The name of the code that is made so; None if there is none."""
    with suppress(LookupError, TypeError, ValueError, OSError):
        return load_code(place).name
    return None


def _kind(value: object) -> str:
    """Which of the forms that a key may have is meant, so that problems are told of this one alone."""
    if isinstance(value, FamilyTable) or (isinstance(value, dict) and "family" in value):
        return "family"
    return "list" if isinstance(value, list) else "table" if isinstance(value, dict | Table) else "value"


Ebn0 = Annotated[
    Annotated[list[Annotated[float, Field(ge=-100, le=100)]], Tag("list")]
    | Annotated[Grid, Tag("table")]
    | Annotated[float, Tag("value")],
    Discriminator(_kind),
]
Probability = Annotated[
    Annotated[list[float], Tag("list")] | Annotated[Grid, Tag("table")] | Annotated[float, Tag("value")],
    Discriminator(_kind),
]
Batch = Annotated[int, Field(ge=1, le=1 << 20)]

MAX_CURVES = 1000
"""Most curves per study."""

MAX_SHOWN = 20
"""Most curves in the table that a notebook shows."""

MAX_TASKS = 100_000
"""Most points per study."""


class StopTable(Table):
    """The rule by which a point has enough, see `fecnn.simulation.stop.Stop`."""

    block_errors: int | None = Field(default=None, gt=0, lt=1 << 63)
    frames: int = Field(default=MOST_FRAMES, gt=0, lt=1 << 63)
    relative_width: float | None = Field(default=None, gt=0)
    seconds: float | None = Field(default=None, gt=0)

    def rule(self) -> Stop:
        """The rule, as the simulation takes it."""
        return Stop(**self.model_dump())


def _positions(value: object) -> object:
    given = value if isinstance(value, list) else [value]
    if any(isinstance(it, bool) or not isinstance(it, int) for it in given):
        raise ValueError("must be a number of bits, or a list of positions")
    return value


def _checks(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("must be a CRC, such as 11 or '0x11021'")
    return value


Positions = Annotated[int | list[int], BeforeValidator(_positions)]
Checks = Annotated[int | str, BeforeValidator(_checks)]


class CodeTable(Table):
    """A code by what it is made of: the keys of a mapping that `fecnn.load_code` takes."""

    code: str | None = None
    family: str | None = None
    generator: str | None = None
    parity_check: str | None = None
    frozen_bits: str | None = None
    k: int | None = None
    name: str | None = None
    subcode: Checks | None = None
    shorten: Positions | None = None
    puncture: Positions | None = None
    extend: bool | None = None

    def __str__(self) -> str:
        return _spelt(self.given())

    def given(self) -> Recipe:
        """What is given, as plain data."""
        return recipe({key: value for key, value in self if value is not None})


def _spelt(given: Recipe) -> str:
    """A code by what it is made of, as people are told of it."""
    said: dict[str, Any] = dict(given)
    if "name" in said:
        return str(said["name"])
    for key in ("parity_check", "generator", "frozen_bits"):
        if key in said:
            return Path(str(said[key])).name
    first = str(said.pop("family", said.pop("code", "")))
    for key, value in said.items():
        if value and is_recipe(value):
            said[key] = _spelt(value)
        elif isinstance(value, tuple):
            said[key] = list(value)
    return f"{first}({', '.join(f'{key}={value}' for key, value in said.items())})"


class FamilyTable(CodeTable, extra="allow"):
    """A code of a family: its other keys are the arguments of the builder."""


CodeName = Annotated[
    Annotated[str, Tag("value")] | Annotated[CodeTable, Tag("table")] | Annotated[FamilyTable, Tag("family")],
    Discriminator(_kind),
]


class ReceiverTable(Table):
    """What the receiver does to the LLRs of a curve, see `fecnn.Receiver`."""

    scale: float = Field(default=1.0, gt=0)
    bits: int | None = None
    range: float | None = None

    def options(self) -> Options:
        """What is given and changes anything, in order."""
        given = self.model_dump(exclude_none=True, exclude_defaults=True)
        return tuple(sorted(given.items()))


ChannelName = Annotated[
    Annotated[str, Tag("value")] | Annotated[dict[str, bool | Whole | float | str], Tag("table")],
    Discriminator(_kind),
]


Setting = bool | Whole | float | str

THRESHOLDS = ("margin", "risk")
"""Options by which decoders refuse frames, see `Study.over`."""


class Curve(Table):
    """One decoder over a range of Eb/N0. Values not given here are taken from the study.

    With ``method = "rare"`` its BLER over AWGN is estimated instead of counted frame by frame: for ``ml`` by
    `fecnn.ml_bler`, which reaches 1e-10, and for other decoders by `fecnn.rare_bler`.

    decoder: Name, plug-in or ``module:function``.
    label: Name in tables and figures; by default the decoder and its options (and the curve's own code).
    options: The decoder's options. One that is a list gives one curve per value.
    code: A code name or file, a table (`CodeTable`), or ``uncoded`` for the k message bits sent
        without a code; or a list of these, which gives one curve per code.
    channel: Its own channel, see `Study`.
    receiver: What the receiver does to the LLRs (`ReceiverTable`); the frames stay those of other curves. Or
        a list of these, which gives one curve per receiver.
    published: The decoder in ``reference.csv`` whose points, for the same code, this curve should agree with.
    method: ``rare``, or None to simulate the decoder.
    rel_error: With ``rare``: half-width of the 95 % interval, relative to the value; by default 0.02 for
        ``ml``, and 0.1 for other decoders. Where the weight spectrum of a code is not known, the ends for
        ``ml`` are bounds, however wide.
    """

    decoder: str
    label: str | None = None
    options: dict[str, Setting | Annotated[list[Setting], Field(min_length=1)]] = Field(default={})
    code: (
        Annotated[
            Annotated[str, Tag("value")]
            | Annotated[CodeTable, Tag("table")]
            | Annotated[FamilyTable, Tag("family")]
            | Annotated[list[CodeName], Field(min_length=1), Tag("list")],
            Discriminator(_kind),
        ]
        | None
    ) = None
    channel: ChannelName | None = None
    receiver: (
        Annotated[
            Annotated[ReceiverTable, Tag("table")]
            | Annotated[list[ReceiverTable], Field(min_length=1), Tag("list")],
            Discriminator(_kind),
        ]
        | None
    ) = None
    ebn0_db: Ebn0 | None = None
    esn0_db: Ebn0 | None = None
    crossover: Probability | None = None
    erasure: Probability | None = None
    stop: StopTable | None = None
    batch: Batch | None = None
    published: str | None = None
    method: Literal["rare"] | None = None
    rel_error: float | None = Field(default=None, gt=0, le=0.5)
    _one_of_many: bool = PrivateAttr(default=False)
    _one_of_receivers: bool = PrivateAttr(default=False)
    _varied: tuple[str, ...] = PrivateAttr(default=())
    _code_name: str | None = PrivateAttr(default=None)
    _number: int = PrivateAttr(default=0)

    @property
    def name(self) -> str:
        """The label, or decoder and options, followed by the code if the curve has its own.

        The code also follows a label that is shared by several codes.
        """
        if self.code is None or (self.label is not None and not self._one_of_many):
            return self.what
        return f"{self.what} of {self._code_name or told(self.code)}"

    @property
    def what(self) -> str:
        """The label, or decoder and options, without the code.

        The receiver follows decoder and options, and also a label that is shared by several receivers.
        """
        receiver = self.receivers[0].options()
        if not receiver or (self.label is not None and not self._one_of_receivers):
            return self.told_decoder
        return f"{self.told_decoder}, LLR {', '.join(f'{key} {value}' for key, value in receiver)}"

    @property
    def told_decoder(self) -> str:
        """The label, or decoder and options, without the receiver and the code.

        A label that several values of an option share is followed by the value.
        """
        if self.label is not None:
            varied = [f"{key} {value}" for key, value in self.options.items() if key in self._varied]
            return ", ".join([self.label, *varied])
        if self.method == "rare" and self.decoder == "ml":
            return "exact ML (estimated)"
        options = ", ".join(f"{key} {value}" for key, value in self.options.items())
        told = f"{self.decoder} ({options})" if options else self.decoder
        return told if self.method is None else f"{told} (estimated)"

    @property
    def receivers(self) -> list[ReceiverTable]:
        """The receivers of its list, or its own."""
        given = self.receiver if isinstance(self.receiver, list) else [self.receiver]
        return [ReceiverTable() if one is None else one for one in given]

    @property
    def settings(self) -> dict[str, Setting]:
        """Its options, of a list the first."""
        return {key: it[0] if isinstance(it, list) else it for key, it in self.options.items()}

    def number(self, over: str) -> float | None:
        """What it has of a number of the receiver, or of an option; None if it has none."""
        of_receiver = over in ReceiverTable.model_fields
        found = getattr(self.receivers[0], over) if of_receiver else self.settings.get(over)
        return float(found) if isinstance(found, int | float) else None

    def without(self, number: str) -> "Curve":
        """The curve without a number of its receiver, or an option; the range goes with the bits."""
        if number not in ReceiverTable.model_fields:
            return self.model_copy(
                update={"options": {key: it for key, it in self.options.items() if key != number}}
            )
        dropped = {number, *["range"] * (number == "bits")}
        kept = {key: value for key, value in self.receivers[0].options() if key not in dropped}
        return self.model_copy(update={"receiver": ReceiverTable.model_validate(kept) if kept else None})

    @property
    def named_by(self) -> tuple[str, ...]:
        """The keys that its name is made of."""
        return ("decoder", "options", "receiver", "code") if self.label is None else ("label",)

    def each(self) -> "list[Curve]":
        """One curve per code, value of an option and receiver of a list; otherwise the curve itself."""
        curves = [self]
        if isinstance(self.code, list):
            curves = [self.model_copy(update={"code": code}) for code in self.code]
            for curve in curves:
                curve._one_of_many = True
        for key, values in self.options.items():
            if isinstance(values, list):
                curves = [
                    one.model_copy(update={"options": one.options | {key: value}})
                    for one in curves
                    for value in values
                ]
        varied = tuple(key for key, it in self.options.items() if isinstance(it, list) and len(it) > 1)
        for curve in curves:
            curve._varied = varied
        if isinstance(self.receiver, list):
            # Published points are of the one that changes nothing.
            curves = [
                one.model_copy(
                    update={"receiver": its, "published": None if its.options() else one.published}
                )
                for one in curves
                for its in self.receiver
            ]
            for curve in curves:
                curve._one_of_receivers = True
        return curves


class Study(Table):
    """A study: a question, a code, and curves to simulate on the same noise.

    Attributes:
        title: Shown above tables and figures.
        question: What the study is to answer; shown in reports.
        code: A code's name or file, or a table of what it is made of, as for `fecnn.load_code`; curves may
            have their own.
        channel: ``awgn``, ``bec``, ``bsc``, ``rayleigh`` or ``rician``; a plug-in, ``module:function`` or
            ``./file.py:function``; or a table of its ``name`` and options, as `fecnn.AWGN.at` and the like
            take them.
        ebn0_db: Points in dB per information bit: one, a list, or ``from``, ``to`` and ``step``.
        esn0_db, crossover, erasure: Another axis in its place: Es/N0 in dB, or the probability of a wrong bit
            (``bsc``) or a lost one (``bec``). A study has one axis.
        stop: When a point has enough: ``block_errors``, ``frames``, ``relative_width`` or ``seconds``.
        batch: Frames that are counted and stored together.
        seed: Seed of the messages and the noise.
        curves: The curves of the file, with one curve per code where it gives a list.
        drawn: Decoders in ``reference.csv`` whose points are drawn; all by default.
        panels: What each panel of the figure shows: a ``metric``, or a ``code``.
        over: What the figure is drawn over in place of the axis: a number of the receiver, ``scale`` or
            ``bits``; or a threshold, the ``margin`` of `refusing` or the ``risk`` of guessers, for the wrong
            decisions that pass against the frames that are refused. Curves that differ in it alone are one
            line.
        metrics: The error rates drawn, BLER and BER by default, and over a threshold undetected errors; and
            ``gap`` for the gap to exact ML in dB; with one panel per code, only the first, and the gap.
        bounds: Bounds drawn with the BLER, by their names in `fecnn.theory.bounds.BOUNDS`, for each code over
            AWGN (not for uncoded bits).

    Example:
        >>> study = load_study("optimal-hamming-7-4")
        >>> study.name, study.channel, len(study.curves)
        ('optimal-hamming-7-4', 'awgn', 9)
    """

    title: str
    question: str = ""
    code: CodeName | None = None
    channel: ChannelName = "awgn"
    ebn0_db: Ebn0 | None = None
    esn0_db: Ebn0 | None = None
    crossover: Probability | None = None
    erasure: Probability | None = None
    stop: StopTable = StopTable(block_errors=100)
    batch: Batch = 4096
    seed: int = Field(default=1, ge=0, lt=1 << 63)
    drawn: list[str] | None = None
    panels: Literal["metric", "code"] = "metric"
    over: Literal["scale", "bits", "margin", "risk"] | None = None
    metrics: list[Literal["bler", "ber", "ber_code", "undetected", "refused", "gap"]] = Field(
        default=["bler", "ber"], min_length=1
    )
    bounds: list[str] = Field(default=[])
    curves: list[Curve] = Field(alias="curve", min_length=1)
    _path: Path = PrivateAttr(default=Path())
    _codes: list[tuple[str | Recipe, Code]] = PrivateAttr(default_factory=list)
    _foreign: dict[str, Foreign | None] = PrivateAttr(default_factory=dict)
    _foreign_channels: dict[str, Foreign | None] = PrivateAttr(default_factory=dict)
    _refused: frozenset[Place] = PrivateAttr(default=frozenset())

    @classmethod
    def of(cls, content: dict[str, Any], path: Path, called: str | None = None) -> "Study":
        """The study of a file's content, checked as a whole; decoders are checked when they are built.

        Args:
            content: Its keys and values.
            path: The file, from whose folder other files are found.
            called: What messages call it; the path by default.

        Raises:
            ValueError: If anything is invalid or impossible; one message lists all problems.
        """
        rest = mended(content, cls)
        problems = rest.problems
        if rest.study is not None:
            rest.study._path, rest.study._refused = path.resolve(), rest.refused
            problems += rest.study._looked_at[1]
        if problems or rest.study is None:
            raise refusal(called or path, problems)
        return rest.study

    @model_validator(mode="before")
    @classmethod
    def _undetected_over_a_threshold(cls, content: Any) -> Any:
        # BLER and BER do not depend on a threshold.
        if isinstance(content, dict) and content.get("over") in THRESHOLDS:
            return {"metrics": ["undetected"]} | content
        return content

    @field_validator("curves")
    @classmethod
    def _taken_apart(cls, curves: list[Curve]) -> list[Curve]:
        for i, curve in enumerate(curves):
            curve._number = i
        curves = [one for curve in curves for one in curve.each()]
        codes: dict[str | None, set[str]] = {}
        for curve in curves:
            codes.setdefault(curve.label, set()).add(str(curve.code))
        for curve in curves:
            curve._one_of_many |= curve.code is not None and len(codes[curve.label]) > 1
        # A code that is made by a table is called by its own name, if that says which of them it is.
        tables = {place for curve in curves if (place := _table_of(curve))}
        shared = Counter(_name_of(place) for place in tables)
        for curve in curves:
            name = _name_of(_table_of(curve))
            curve._code_name = name if shared[name] == 1 else None
        if len(curves) > MAX_CURVES:
            raise ValueError(f"a study has at most {MAX_CURVES} curves, got {len(curves)}; split it")
        return curves

    def __repr__(self) -> str:
        return f"Study({self.name}: {len(self.curves)} curve{'s' * (len(self.curves) > 1)})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        points: dict[str, list[Point | RarePoint]] = {}
        for point in self.all_points:
            points.setdefault(point.curve, []).append(point)
        rows = [_told_row(curve, points[curve.name]) for curve in self.curves[:MAX_SHOWN]]
        columns = ("curve", "code", "channel", "stops after", self.axis.label, "points")
        parts = [html.line(self.question)] if self.question else []
        parts.append(html.table(columns, rows, words=4))
        if len(self.curves) > MAX_SHOWN:
            parts.append(html.line(f"and {len(self.curves) - MAX_SHOWN} more curves", faint=True))
        return html.card(self.title, self.name, *parts)

    @property
    def path(self) -> Path:
        """The file that the study was read from."""
        return self._path

    @property
    def name(self) -> str:
        """The name of the study's directory, or of its file."""
        return self.path.parent.name if self.path.name == "study.toml" else self.path.stem

    @property
    def axis(self) -> Axis:
        """What its points lie on: Eb/N0, or the axis whose values it gives."""
        return AXES[self._axes[0]] if self._axes else EBN0

    @cached_property
    def _axes(self) -> list[str]:
        """The axes whose values are given; there should be one."""
        return [key for key in AXES if any(getattr(it, key) is not None for it in (self, *self.curves))]

    def at(self, curve: str, ebn0_db: float) -> float:
        """The value of the axis at an Eb/N0 of a curve.

        Args:
            curve: The curve's name; one that the study does not have counts as its first.
            ebn0_db: Eb/N0 in dB.
        """
        code, channel = self._places.get(curve) or next(iter(self._places.values()))
        return self.axis.value(ebn0_db, code.n, code.k, channel)

    @cached_property
    def _places(self) -> dict[str, tuple[Code, Named]]:
        """The code and channel of each curve."""
        return {point.curve: (point.code, point.task.channel) for point in self.all_points}

    @property
    def points(self) -> list[Point]:
        """Every point of every simulated curve.

        Raises:
            ValueError: If a code, channel, decoder or option does not exist or a grid is impossible; one
                message lists all problems.
        """
        return [point for point in self.all_points if isinstance(point, Point)]

    @property
    def rare_points(self) -> list[RarePoint]:
        """Every point of every curve with ``method = "rare"``; errors as for `points`."""
        return [point for point in self.all_points if isinstance(point, RarePoint)]

    @property
    def all_points(self) -> list[Point | RarePoint]:
        """Simulated and estimated points, curve by curve; errors as for `points`."""
        points, problems = self._looked_at
        if problems:
            raise refusal(self.path, problems)
        return points

    @cached_property
    def _looked_at(self) -> tuple[list[Point | RarePoint], list[str]]:
        """All points, and all problems of what the file names: codes, decoders, grids, published points."""
        found = Found()
        for bound in self.bounds:
            if bound not in BOUNDS:
                found.add(f"bounds: no bound {bound!r}; {nearest(bound, list(BOUNDS))}")
        names = Counter(curve.name for curve in self.curves if self._is_sure(curve, *curve.named_by))
        for name in sorted(name for name, count in names.items() if count > 1):
            found.add(f"two curves are called {name!r}; give them different labels")
        points: list[Point | RarePoint] = []
        for curve in self.curves:
            points += self._points_of(curve, found)
            if len(points) > MAX_TASKS:
                found.add(f"it has more than {MAX_TASKS} points; split it")
                break
        if self.over is not None:
            for problem in self._problems_over(self.over):
                found.add(problem)
        if len(self._axes) > 1:
            found.add(f"a study has one axis: give {' or '.join(self._axes)}, for all curves")
        of_name: dict[str, Point | RarePoint] = {}
        for point in points:
            other = of_name.setdefault(point.code.name, point)
            if not _same_words(other.code, point.code):
                found.add(
                    f"{other.curve} and {point.curve} decode different codes of one name, {point.code.name}; "
                    "call one otherwise (a code that is given as a table may have a name)"
                )
        first_curve: dict[str, str] = {}
        for point in points if not self._refused else ():
            identity = point.task.id if isinstance(point, Point) else point.id
            first = first_curve.setdefault(identity, point.curve)
            if first != point.curve:
                at = point.axis.said(point.at, "")
                found.add(f"curves {first} and {point.curve} are the same at {at}; drop one")
        self._check_published(found)
        return points, found.sentences()

    def _problems_over(self, over: str) -> Iterator[str]:
        """Why a study cannot be drawn over a number: no curve has it, or two are at one place of a line."""
        refuses = over in THRESHOLDS
        if refuses and not any(over in curve.options for curve in self.curves):
            whose = 'decoder = "refusing"' if over == "margin" else "grand, orbgrand and sgrand"
            yield f"over: no curve has a {over}, an option of {whose}"
        elif not refuses and not any(over in dict(it.receivers[0].options()) for it in self.curves):
            yield f"over: no curve has a receiver with {over}"
        if refuses and "gap" in self.metrics:
            yield f"metrics: a gap to ML is not drawn over the {over}"
        placed: dict[tuple[str, Any], str] = {}
        for curve in self.curves:
            number = curve.number(over)
            other = placed.setdefault((curve.without(over).name, number), curve.name)
            if other != curve.name:
                where = f"without {over}" if number is None else f"at {over} {number:g}"
                yield f"over: {other} and {curve.name} are one line, and both {where}; label one otherwise"

    def _is_sure(self, curve: Curve, *keys: str) -> bool:
        """Whether none of these keys was refused, in the curve or for the whole study."""
        whole: tuple[Place, ...] = (("curve",), ("curve", curve._number))
        places = {place for key in keys for place in ((key,), (*whole[1], key), *whole)}
        return places.isdisjoint(self._refused)

    @cached_property
    def references(self) -> list[Reference]:
        """The published points in ``reference.csv`` and ``reference-*.csv`` (or ``.txt``) beside the study.

        Each file may be in any format that `fecnn.studies.curves` knows.

        Raises:
            ValueError: If a file is invalid; the message names the line.
        """
        return [point for path in self._published_files() for point in read_curves(path)]

    @cached_property
    def recorded(self) -> list[Reference]:
        """What `fecnn.studies.record` has about its codes, of decoders that its `references` do not have."""
        codes = {point.code.name for point in self.all_points}
        ours = {(point.code, point.decoder) for point in self.references}
        return [it for it in record() if it.code in codes and (it.code, it.decoder) not in ours]

    def _published_files(self) -> list[Path]:
        folder = self.path.parent
        files = [folder / "reference.csv", folder / "reference.txt"]
        files += sorted([*folder.glob("reference-*.csv"), *folder.glob("reference-*.txt")])
        return [path for path in files if path.exists()]

    def _check_published(self, found: Found) -> None:
        """Published points that cannot be read, and names that none of them has."""
        before = found.count
        known: set[str] = set()
        files = self._published_files()
        for path in files:
            with found.of():
                known |= {point.decoder for point in read_curves(path)}
        if found.count > before:
            return
        if not known.issuperset(self.drawn or []):
            everywhere = known | {point.decoder for point in record()}
            for name in self.drawn or []:
                if name not in everywhere:
                    found.add(f"drawn: no published points of {name!r}; {nearest(name, list(everywhere))}")
        if not files:
            return
        for curve in self.curves:
            if curve.published is not None and curve.published not in known:
                hint = nearest(curve.published, list(known))
                found.add(f"published: there are no points of {curve.published!r}; {hint}", curve.name)

    @property
    def foreign(self) -> dict[str, Foreign]:
        """Decoders and channels that do not ship with fecnn; running the study runs their code."""
        found = {curve.decoder: self._foreign_of(curve.decoder) for curve in self.curves}
        channels = {self._said_channel(curve)[0] for curve in self.curves}
        found |= {name: self._foreign_channel(name) for name in sorted(channels)}
        return {name: it for name, it in found.items() if it is not None}

    def check(self) -> None:
        """Build every decoder once, at its first point, so that problems are found before anything runs.

        Raises:
            ValueError: One message with all problems; tracebacks of foreign code are in the notes.
        """
        found = Found()
        traces: list[str] = []
        built: set[Task] = set()
        for point in self.all_points:
            if isinstance(point, RarePoint) and point.task.decoder == "ml":
                continue
            key = replace(point.task, ebn0_db=0.0, seed=0, batch=0)
            if key in built:
                continue
            built.add(key)
            try:
                build_decoder(point.task, point.code)
            except (Exception, SystemExit) as error:
                trained = point.task.weights is not None
                foreign_code = point.task.channel_source or (None if trained else point.task.source)
                theirs = foreign_code is not None and _outside(error)
                what = "its code exits: " if isinstance(error, SystemExit) else ""
                if theirs and not isinstance(error, ValueError | SystemExit):
                    what = f"its code raises {type(error).__name__}: "
                found.add(f"{what}{error}", point.curve)
                if theirs:
                    traces.append(traceback.format_exc())
        exact = {it.curve: it.code for it in self.rare_points if it.task.decoder == "ml"}
        for curve, code in exact.items():
            with found.of(curve):
                if has_spectrum(code):
                    decoder("ml", code)
                    code.weight_spectrum()
        if found.count:
            refused = refusal(self.path, found.sentences())
            for trace in traces[:MAX_PROBLEMS]:
                refused.add_note(trace)
            raise refused

    def _foreign_of(self, name: str) -> Foreign | None:
        if name not in self._foreign:
            self._foreign[name] = foreign(*self._placed(name))
        return self._foreign[name]

    def _foreign_channel(self, name: str) -> Foreign | None:
        if name not in self._foreign_channels:
            called, home = self._placed(name, "channel")
            found = self._foreign_channels[name] = foreign(called, home, kind="channel")
            if found is not None:
                signature_of(called, found)  # raises if the file has no such function
        return self._foreign_channels[name]

    def _said_channel(self, curve: Curve) -> tuple[str, dict[str, Value]]:
        """The name and the options of a curve's channel, as the file says them.

        Raises:
            LookupError: If a table has no name.
        """
        said = self.channel if curve.channel is None else curve.channel
        options: dict[str, Value] = {"name": said} if isinstance(said, str) else dict(said)
        if "name" not in options:
            raise LookupError('a table of a channel needs its name, such as { name = "awgn" }')
        return str(options.pop("name")), options

    def _channel_of(self, curve: Curve) -> Named:
        """The channel of a curve as plain data.

        Raises:
            LookupError, TypeError, ValueError: If there is none, or an option does not fit.
        """
        name, options = self._said_channel(curve)
        return named(self._placed(name, "channel")[0], options)

    def _placed(self, name: str, kind: Kind = "decoder") -> tuple[str, str | None]:
        """The name of a decoder or channel, and its folder if a file is named.

        The name is the same wherever that lies.
        """
        in_file = file_of(name)
        if in_file is None:
            return name, None
        path = (self.path.parent / in_file[0]).resolve()
        if not path.is_file():
            raise LookupError(f"{kind} {name}: there is no file {path}")
        return f"{path.stem}:{in_file[1]}", str(path.parent)

    def _points_of(self, curve: Curve, found: Found) -> Iterator[Point | RarePoint]:
        before = found.count
        channel: Named = ""
        receiver: Options = ()
        code = self._code_of(curve, found)
        whose = (None, "channel: ") if curve.channel is None else (curve.name, "")
        with found.of(*whose):
            channel = self._channel_of(curve)
            self._foreign_channel(self._said_channel(curve)[0])
            self.axis.refuse(channel)
        with found.of(curve.name, "receiver: "):
            (table,) = curve.receivers
            receiver = table.options()
            Receiver(**table.model_dump())
        if self._is_sure(curve, "decoder"):
            with found.of(curve.name):
                for problem in self._decoder_problems(curve):
                    found.add(problem, curve.name)
        grid = self._grid_of(curve, found)
        if found.count == before:
            for problem in _rare_problems(curve, channel):
                found.add(problem, curve.name)
        if code is None or found.count > before or not self._is_sure(curve, "decoder", "options"):
            return
        with found.of(curve.name):
            options, weights, source = self._options_of(curve, code)
        if found.count > before:
            return
        sender, sender_fingerprint = self._sender_of(curve, code)
        decoder_name, home = self._placed(curve.decoder)
        said_channel = self._said_channel(curve)[0]
        their_channel = self._foreign_channel(said_channel)
        for value in grid:
            task = Task(
                code=self._place_of(curve),
                fingerprint=code.fingerprint,
                channel=channel,
                decoder=decoder_name,
                options=options,
                ebn0_db=self.axis.ebn0_db(float(value), code.n, code.k, channel),
                seed=self.seed,
                batch=curve.batch or self.batch,
                weights=weights,
                source=source,
                claims=claims(self._place_of(curve), code),
                sender=sender,
                sender_fingerprint=sender_fingerprint,
                home=home,
                channel_source=None if their_channel is None else their_channel.version,
                channel_home=self._placed(said_channel, "channel")[1],
                receiver=receiver,
            )
            if curve.method == "rare":
                rel_error = curve.rel_error or (ML_REL_ERROR if curve.decoder == "ml" else REL_ERROR)
                yield RarePoint(curve.name, curve.published, code, task, rel_error, self.axis)
            else:
                stop = (curve.stop or self.stop).rule()
                yield Point(curve.name, curve.published, code, task, stop, self.axis)

    def _sender_of(self, curve: Curve, code: Code) -> tuple[str | Recipe, str] | tuple[None, None]:
        """The first code with the same codewords, if it is another: the study's own, or an earlier curve's.

        A code from an alist has another generator matrix than the same code from its file; with a common
        sender both see the same frames.
        """
        if not self._codes and self.code is not None:
            with suppress(ValueError, LookupError, OSError):  # reported with a curve that uses it
                self._codes.append((self._place(self.code), load_code(self._place(self.code))))
        for name, known in self._codes:
            if known.fingerprint == code.fingerprint:
                return None, None
            if _same_words(known, code):
                return name, known.fingerprint
        self._codes.append((self._place_of(curve), code))
        return None, None

    def _options_of(self, curve: Curve, code: Code) -> tuple[Options, Weights | None, str | None]:
        """The decoder's options in order, its weights pinned by their SHA-256, and its version."""
        options = curve.settings
        found = self._foreign_of(curve.decoder)
        if found is not None:
            return tuple(sorted(options.items())), None, found.version
        within = inside(curve.decoder, options)
        decides = within[0] if within else curve.decoder
        if not is_trained(decides):
            return tuple(sorted(options.items())), None, None
        place = self._resolve(str(options.pop("weights", default_weights(decides, code))))
        weights = Weights(place, weights_digest(place))
        return tuple(sorted(options.items())), weights, network_version(place)

    def _decoder_problems(self, curve: Curve) -> Iterator[str]:
        """What is wrong with a curve's decoder and its options, as far as it shows without the code."""
        options, complete = curve.settings, self._is_sure(curve, "options")
        if curve.published is not None and curve._varied:
            yield f"published: these points are of one decoder, but {curve._varied[0]} has several values"
        its = self._foreign_of(curve.decoder)
        if its is not None:  # foreign code is not imported before it runs
            signature = signature_of(curve.decoder, its)
            if signature is not None:
                yield from misfits(curve.decoder, signature, options, complete=complete)
            return
        name, given = curve.decoder, options
        while True:
            signature = inspect.signature(factory(name))
            yield from misfits(name, signature, given, complete=complete)
            yield from wrong_values(signature, given)
            within = inside(name, given)
            if within is None:
                break
            if self._foreign_of(within[0]) is not None:
                yield (
                    f"{name} takes only decoders that ship with fecnn in a study, which does not record the "
                    f"version of other code inside it, got {within[0]!r}"
                )
                return
            name, given = within
        weights = options.get("weights")
        if isinstance(weights, str) and is_trained(name):
            weights_digest(self._resolve(weights))

    def _grid_of(self, curve: Curve, found: Found) -> list[float]:
        axis = self.axis
        own = getattr(curve, axis.key)
        whose, grid = (None, getattr(self, axis.key)) if own is None else (curve.name, own)
        if grid is None:
            if self._is_sure(curve, *AXES):
                found.add(f"{axis.key} is missing; set it for the curve or the study", curve.name)
            return []
        if isinstance(grid, Grid):
            too_many = (grid.stop - grid.start) / grid.step >= MAX_POINTS
            values = [] if too_many else grid.values()
            shown = f"from {grid.start} to {grid.stop} step {grid.step}"
        elif isinstance(grid, float):
            too_many, values, shown = False, [grid], str(grid)
        else:
            too_many, values, shown = len(grid) > MAX_POINTS, grid, str(grid)
            shown = shown if len(shown) <= 200 else shown[:200] + "...]"
        if too_many:
            found.add(f"{axis.key} {shown} has more than {MAX_POINTS} points", whose)
        elif not values:
            found.add(f"{axis.key} {shown} has no points", whose)
        elif axis.label.endswith("[dB]") and any(not axis.low <= value <= axis.high for value in values):
            found.add(f"{axis.key} {shown} is outside -100..100 dB", whose)
        elif not axis.label.endswith("[dB]") and any(not axis.low < v < axis.high for v in values):
            found.add(f"{axis.key} {shown} is outside {axis.low:g}..{axis.high:g}, both ends excluded", whose)
        elif len(set(values)) < len(values):
            found.add(f"{axis.key} {shown} names a point twice", whose)
        return values

    def _place_of(self, curve: Curve) -> str | Recipe:
        """The code as `load_code` takes it, with paths resolved from the study's folder."""
        said = self._said_code(curve) or ""
        if said == "uncoded":
            return uncoded(load_code(self._place(self.code or "")).k).name
        return self._place(said)

    def _place(self, said: str | CodeTable) -> str | Recipe:
        place = said if isinstance(said, str) else said.given()
        return with_paths(place, lambda path: str((self.path.parent / path).resolve()))

    def _said_code(self, curve: Curve) -> str | CodeTable | None:
        return self.code if curve.code is None or isinstance(curve.code, list) else curve.code

    def _code_of(self, curve: Curve, found: Found) -> Code | None:
        if self._said_code(curve) is None or (curve.code == "uncoded" and self.code is None):
            if self._is_sure(curve, "code"):
                found.add("code is missing; set it for the curve or the study", curve.name)
            return None
        of_study = curve.code is None or curve.code == "uncoded"
        with found.of(None if of_study else curve.name, "code: " if of_study else ""):
            return load_code(self._place_of(curve))
        return None

    def _resolve(self, name: str) -> str:
        if "/" in name:
            return str((self.path.parent / name).resolve())
        return name


def _same_words(a: Code, b: Code) -> bool:
    """Whether two codes have the same codewords."""
    alike = a.fingerprint == b.fingerprint
    return alike or ((a.n, a.k) == (b.n, b.k) and not a.syndrome(b.G).any())


def _told_row(curve: Curve, points: Sequence[Point | RarePoint]) -> tuple[str, ...]:
    """A curve as a row for a reader; what its label stands for is added."""
    first, at = points[0], sorted(point.at for point in points)
    what = curve.model_copy(update={"label": None}).what
    name = curve.name if curve.label in (None, what) else f"{curve.name}: {what}"
    if isinstance(first, Point):
        channel, rule = first.task.told_channel, f"{first.stop}"
    else:
        channel, rule = "awgn", f"an interval of ±{first.rel_error:.3g} of the BLER"
    grid = ", ".join(f"{value:g}" for value in at)
    if len(at) > 3:
        grid = f"{at[0]:g} to {at[-1]:g}"
    code = f"{first.code.name} ({first.code.n}, {first.code.k})"
    return name, code, channel, rule, grid, f"{len(points)}"


def load_study(name_or_path: str | Path) -> Study:
    """A study by name, by file, or by the folder that holds its ``study.toml``.

    Args:
        name_or_path: A shipped study's name, the path of a ``.toml`` file, or that of a folder.

    Raises:
        LookupError: If there is no study of that name.
        FileNotFoundError: If there is no such file.
        ValueError: If the file is invalid or asks for something impossible; the message lists all problems.

    Example:
        >>> study = load_study("optimal-hamming-7-4")
        >>> study.code, study.curves[0].decoder
        ('hamming-7-4', 'ml')
    """
    path = study_path(name_or_path)
    return Study.of(read_toml(path), path)


def _outside(error: BaseException) -> bool:
    """Whether an error passed through code that is not fecnn's."""
    package = Path(__file__).parents[1]
    frames = traceback.extract_tb(error.__traceback__)
    return not all(Path(frame.filename).is_relative_to(package) for frame in frames)


def _rare_problems(curve: Curve, channel: Named) -> Iterator[str]:
    """Settings that do not fit the curve's method."""
    if curve.method is None:
        if curve.rel_error is not None:
            yield 'rel_error is for method = "rare"; a simulated curve has a stop'
        return
    if channel != "awgn":
        yield f'method = "rare" is for the channel awgn, got {told_channel(channel)}'
    if curve.receiver is not None:
        yield 'method = "rare" takes no receiver: it estimates the decoder on the LLRs of the channel'
    for name in ("stop", "batch"):
        if getattr(curve, name):
            yield f'method = "rare" takes no {name}: an estimate stops at its rel_error'
    if curve.decoder == "ml" and curve.options:
        yield 'method = "rare" takes no options of ml: every one of its methods is exact'


def study_names() -> list[str]:
    """Names of the shipped studies.

    Example:
        >>> "osd-orders" in study_names()
        True
    """
    return list(shipped("studies"))


def study_path(name_or_path: str | Path) -> Path:
    """The study.toml of a shipped study, or at a path.

    Args:
        name_or_path: A shipped study's name; the path of a ``.toml`` file; or the path (with a separator, or
            ``.``) of a folder that contains a study.toml.

    Raises:
        LookupError: If no shipped study has this name.
        FileNotFoundError: If there is no such file.
    """
    if not is_path(name_or_path, (".toml",)):
        name = str(name_or_path)
        if name not in study_names():
            raise LookupError(
                f"unknown study {name!r} (give your own study by its path, such as ./my_study.toml); "
                f"{nearest(name, study_names())}"
            )
        return shipped_folder("studies") / name / "study.toml"
    path = Path(name_or_path)
    file = path / "study.toml" if path.is_dir() else path
    if not file.is_file():
        raise FileNotFoundError(
            f"there is no study file {file}; the shipped ones are {', '.join(study_names())}"
        )
    return file
