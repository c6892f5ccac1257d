"""Verifying a results file: some of its batches are simulated again and compared bit for bit."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from fecnn._files.text import plain
from fecnn.channels.registry import REGISTRY as CHANNELS
from fecnn.channels.registry import parts_of
from fecnn.codes.catalogue import Place, claims, is_code_path, load_code, paths_of
from fecnn.codes.code import Code
from fecnn.decoders.foreign import foreign
from fecnn.decoders.registry import REGISTRY
from fecnn.jit import compiling
from fecnn.nets.card import network_version, weights_digest
from fecnn.simulation.simulate import prepared, run_batch
from fecnn.simulation.store import Store
from fecnn.simulation.tally import Tally
from fecnn.simulation.task import Task
from fecnn.studies.study import Study

LONGEST_NAME = 80
"""Longest name of a curve that is made from its decoder and options."""


@dataclass(frozen=True)
class Check:
    """One batch of a results file, simulated again; or why a curve or a point of it could not be checked.

    Attributes:
        curve: The curve's name in the study, or its decoder, options and code.
        stored: Number of batches of the curve in the file.
        task: The point that the batch belongs to.
        batch: Index of the batch; None if nothing was simulated.
        differences: What differs, such as ``block_errors: 12 in the file, 11 again``; empty if all is equal.
        obstacle: Why the curve, or this point of it, could not be checked.
    """

    curve: str
    stored: int
    task: Task
    batch: int | None = None
    differences: tuple[str, ...] = ()
    obstacle: str | None = None

    @property
    def equal(self) -> bool:
        """Whether the batch was simulated again with the same result."""
        return self.batch is not None and not self.differences


def verify(
    results: str | Path,
    *,
    study: Study | None = None,
    batches: int | None = None,
    seconds: float | None = 30.0,
    seed: int | None = None,
    foreign_code: bool | None = None,
) -> Iterator[Check]:
    """Simulate randomly drawn batches of a results file again and compare them bit for bit.

    The file says what its batches are of, so no study is needed. All counts and all wrong frames must be
    equal; decoding times may differ. Each round draws one batch of every curve, the cheapest curve first, and
    goes through a curve's points in random order. An edited count is found if its batch is drawn. Every batch
    of the file, drawn or not, is checked for counts that contradict each other.

    Args:
        results: The results file.
        study: The study that the file belongs to, if at hand: it names the curves, and says where code files
            and networks are here. Otherwise they are looked for where they were when the file was made.
        batches: Most batches per curve; None for no limit.
        seconds: Start no batch that is expected to end later than this; None for no limit. Compiling does
            not count.
        seed: Seed of the drawing; None for a new one each time. Whoever edits a file should not know it.
        foreign_code: Whether decoders may run that do not ship with fecnn; by default only those of the
            study. Their code runs only in the version that made the results.

    Yields:
        A `Check` per batch, and one for each curve or point that cannot be checked; at least one per curve.

    Raises:
        FileNotFoundError: If there is no such file.
        StoreError: If it is not a results file, or some of its counts contradict each other.
        ValueError: If ``batches`` is not positive or ``seconds`` is negative.

    Example:
        >>> import fecnn, tempfile
        >>> study = fecnn.load_study("optimal-hamming-7-4")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = folder + "/demo.sqlite"
        ...     for progress in fecnn.run(study, store=file, seconds=0.01):
        ...         pass
        ...     all(check.equal for check in fecnn.verify(file, batches=1))
        True
    """
    if batches is not None and batches < 1:
        raise ValueError(f"batches must be at least 1, got {batches}")
    if seconds is not None and not seconds >= 0:
        raise ValueError(f"seconds must be at least 0, got {seconds}")
    rng = np.random.default_rng(seed)
    with Store(results) as store:
        curves = _curves(store, study)
        for curve in curves:
            allowed = curve.of_study if foreign_code is None else foreign_code
            curve.obstacle = curve.obstacle or _obstacle(curve.points[0], allowed)
            curve.draw(store, rng)
            if curve.obstacle is not None:
                yield curve.check(curve.points[0], obstacle=curve.obstacle)
        clock = _Clock(seconds)
        ready = [curve for curve in curves if curve.obstacle is None and curve.drawn]
        while ready:
            for curve in sorted(ready, key=lambda curve: curve.expected(curve.drawn[0][2])):
                yield from curve.next_check(store, clock)
            ready = [curve for curve in ready if curve.drawn and (batches is None or curve.made < batches)]


class _Clock:
    """The time left, without compiling."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds, self._began = seconds, self.now()

    @staticmethod
    def now() -> float:
        """Wall time, without compiling."""
        return time.monotonic() - compiling.seconds

    def allows(self, seconds: float) -> bool:
        """Whether something that takes so long would be done in time."""
        return self._seconds is None or self.now() - self._began + seconds <= self._seconds


@dataclass
class _Curve:
    """The points of a file that differ in nothing but Eb/N0.

    of_study: Whether it is a curve of the study at hand.
    drawn: Batches to be simulated again, in order: point, index, and stored decoding time.
    made, spent, stored_seconds: Number of batches simulated again, how long that took, and how long the file
        says that decoding them took.
    """

    name: str
    stored: int
    points: list[Task]
    of_study: bool
    obstacle: str | None = None
    drawn: list[tuple[Task, int, float]] = field(default_factory=list)
    told: bool = False
    made: int = 0
    spent: float = 0.0
    stored_seconds: float = 0.0

    def expected(self, seconds: float) -> float:
        """How long a batch of this decoding time is expected to take."""
        if self.stored_seconds > 1e-3:
            return seconds * self.spent / self.stored_seconds
        return max(seconds, self.spent / max(self.made, 1))

    def check(
        self,
        task: Task,
        batch: int | None = None,
        differences: Sequence[str] = (),
        obstacle: str | None = None,
    ) -> Check:
        """A result of this curve."""
        self.told = True
        return Check(self.name, self.stored, task, batch, tuple(differences), obstacle)

    def draw(self, store: Store, rng: np.random.Generator) -> None:
        """Put all batches in random order, going round the points so that none waits for the others."""
        code = None if self.obstacle else load_code(self.points[0].code)
        turns: list[tuple[int, Task, int, float]] = []
        for place in rng.permutation(len(self.points)):
            task = self.points[place]
            found = store.batches(task, code)  # rejects counts that contradict each other
            for turn, i in enumerate(rng.permutation(sorted(found)).tolist()):
                turns.append((turn, task, i, found[i].seconds))
        turns.sort(key=lambda it: it[0])
        self.drawn = [(task, i, seconds) for _, task, i, seconds in turns]

    def next_check(self, store: Store, clock: _Clock) -> Iterator[Check]:
        """Simulate the next drawn batch that there is time for."""
        late = 0.0
        while self.drawn:
            task, i, stored_seconds = self.drawn.pop(0)
            if not clock.allows(self.expected(stored_seconds)):
                late = late or self.expected(stored_seconds)
                continue
            try:
                prepared(task)
                began = clock.now()
                again = run_batch(task, i)
            except (Exception, SystemExit) as error:
                self.drawn = [it for it in self.drawn if it[0] is not task]
                yield self.check(task, obstacle=f"{type(error).__name__}: {error}")
                return
            self.made += 1
            self.spent += clock.now() - began
            self.stored_seconds += stored_seconds
            yield self.check(task, i, _differences(store.batch(task, i), again, store.counts))
            return
        if not self.told:
            yield self.check(self.points[0], obstacle=f"not enough time: a batch takes about {late:.2g} s")


def _curves(store: Store, study: Study | None) -> list[_Curve]:
    """What is in a file, curve by curve."""
    known = {} if study is None else {point.task.id: point for point in study.points}
    told, counts = store.curves(), store.batch_counts()
    groups: dict[tuple[Task, bool], list[tuple[str, Task]]] = {}
    for name, task in store.tasks_by_id().items():
        if counts.get(name):
            current = task.id == name
            groups.setdefault((replace(task, ebn0_db=0.0), current), []).append((name, task))
    curves = []
    for (_, current), tasks in groups.items():
        ours = next((known[it] for it, _ in tasks if it in known), None)
        if ours is None:
            name = ", ".join(sorted(map(str, told.get(tasks[0][0], ())))) or _described(tasks[0][1])
            points = [task for _, task in tasks]
        else:
            name, here = ours.curve, ours.task
            places = {key: getattr(here, key) for key in ("code", "sender", "weights", "home")}
            points = [replace(task, **places) for _, task in tasks]  # of the same ids
        stored = sum(counts[it] for it, _ in tasks)
        old = None if current else "made with another version of the noise, which this fecnn cannot make"
        curves.append(_Curve(plain(name), stored, points, ours is not None, old))
    return _distinct(curves)


def _distinct(curves: list[_Curve]) -> list[_Curve]:
    """Curves with different names: the second of a name gets a number, and so on."""
    seen: dict[str, int] = {}
    for curve in curves:
        seen[curve.name] = seen.get(curve.name, 0) + 1
        if seen[curve.name] > 1:
            curve.name += f" [{seen[curve.name]}]"
    return curves


def _described(task: Task) -> str:
    """A name for the curve of a task that no study names."""
    options = ", ".join(f"{key} {value}" for key, value in task.options)
    what = f"{task.decoder} ({options})" if options else str(task.decoder)
    where = Path(task.code).stem if isinstance(task.code, str) and is_code_path(task.code) else task.code
    name = f"{what} of {where if isinstance(where, str) else str(task.fingerprint)[:12]}"
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 3] + "..."


def _differences(stored: Tally, again: Tally, counts: Sequence[str]) -> list[str]:
    """What differs between a batch of the file and the same batch simulated again, except its time."""
    found = [
        f"{name}: {getattr(stored, name):,} in the file, {getattr(again, name):,} again"
        for name in counts
        if name != "seconds" and getattr(stored, name) != getattr(again, name)
    ]
    return found if stored.flags == again.flags else [*found, "other frames are wrong"]


def _obstacle(task: Task, foreign_code: bool) -> str | None:
    """Why the batches of a task cannot be simulated here; None if nothing is in the way so far.

    Nothing that the file names runs unless it ships with fecnn, or foreign code is allowed.
    """
    try:
        return (
            _code_obstacle(task.code, task.fingerprint, task.claims)
            or (task.sender and _code_obstacle(task.sender, task.sender_fingerprint))
            or _channel_obstacle(task, foreign_code)
            or _decoder_obstacle(task, foreign_code)
            or None
        )
    except Exception as error:  # a file may hold anything
        return f"{type(error).__name__}: {error}"


def _code_obstacle(place: Place, fingerprint: str | None, said: str | None = None) -> str | None:
    for path in paths_of(place):
        if not path.is_file():
            return f"its code file {path} is not here"
    try:
        code: Code = load_code(place)
    except (ValueError, LookupError, OSError) as error:
        return f"its code cannot be loaded: {error.args[0] if error.args else error}"
    if code.fingerprint != fingerprint:
        return f"{place} is another code here (SHA-256 {code.fingerprint[:12]}, not {str(fingerprint)[:12]})"
    if said is not None and claims(place, code) != said:
        return f"{place} states another minimum distance or spectrum here"
    return None


def _channel_obstacle(task: Task, foreign_code: bool) -> str | None:
    name = parts_of(task.channel)[0]
    if name in CHANNELS:
        return None
    if not foreign_code:
        return f"channel {name} does not ship with fecnn; --foreign-code allows it to run"
    try:
        found = foreign(name, task.channel_home, kind="channel")
    except (ValueError, LookupError) as error:
        return f"its channel is not here: {error.args[0] if error.args else error}"
    if found is None or found.version != task.channel_source:
        return f"the code of channel {name} is another version here"
    return None


def _decoder_obstacle(task: Task, foreign_code: bool) -> str | None:
    if task.decoder in REGISTRY or task.decoder in REGISTRY.values():
        return _weights_obstacle(task)
    if not foreign_code:
        return f"decoder {task.decoder} does not ship with fecnn; --foreign-code allows it to run"
    try:
        found = foreign(task.decoder, task.home)
    except (ValueError, LookupError) as error:
        return f"its decoder is not here: {error.args[0] if error.args else error}"
    if found is not None and found.version != task.source:
        return f"the code of decoder {task.decoder} in {found.file} is another version"
    return None


def _weights_obstacle(task: Task) -> str | None:
    if task.weights is None:
        return None
    place = task.weights.place
    try:
        found = weights_digest(place)
    except (ValueError, LookupError, OSError) as error:
        return f"its network is not here: {error.args[0] if error.args else error}"
    if found != task.weights.sha256:
        return f"the weights of {place} differ (SHA-256 {found[:12]}, not {task.weights.sha256[:12]})"
    if network_version(place) != task.source:
        return f"the card of {place} describes another network"
    return None
