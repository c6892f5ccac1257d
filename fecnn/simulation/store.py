"""The results file: one SQLite file with one row per batch, committed as it is simulated."""

import hashlib
import json
import math
import os
import socket
import sqlite3
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fecnn._version import __version__
from fecnn.channels.stream import STREAM
from fecnn.codes.code import Code
from fecnn.errors import StoreError
from fecnn.simulation.sound import contradiction
from fecnn.simulation.tally import COUNTS, Tally
from fecnn.simulation.task import Point, RarePoint, Task
from fecnn.theory.ml_bler import Estimate

SCHEMA = 3
MAX_FLAGS = 1 << 17  # bytes: a batch has at most 2^20 frames
MAX_VALUE = 1 << 24  # bytes of a text, blob or row; no more is allocated, whatever a file claims
MOST_BATCH = 1 << 20  # frames
APPLICATION_ID = 0x6665636E  # "fecn"

FOLD_SECONDS = 2.0
"""Seconds after a commit within which it is moved from the log beside the file into the file itself."""

_TABLES = f"""
create table task (id text primary key, content text not null) without rowid;
create table batch (
    task text not null references task (id),
    i integer not null,
    {", ".join(f"{name} {'real' if name == 'seconds' else 'integer'} not null" for name in COUNTS)},
    flags blob not null,
    version text not null,
    host text not null,
    time text not null,
    primary key (task, i)
) without rowid;
"""


_ESTIMATES = """
create table if not exists estimate (
    id text primary key,
    content text not null,
    value real not null,
    low real not null,
    high real not null,
    method text not null,
    frames integer not null,
    effective real not null,
    seconds real not null,
    version text not null,
    host text not null,
    time text not null
) without rowid
"""
"""Created with the first estimate: most studies have none."""

_CURVES = """
create table if not exists curve (
    task text not null,
    name text not null,
    primary key (task, name)
) without rowid
"""
"""The curves a task was run for, if its decoder may have several versions; created with the first of them."""

_KEYS = {"task": ("id",), "batch": ("task", "i"), "estimate": ("id",), "curve": ("task", "name")}
"""The unique key of each table."""

_BATCH = ("i", *COUNTS, "version", "host", "time")
_STORED = ("task", "i", *COUNTS, "flags", "version", "host", "time")
_PLACE = {"code", "source", "claims", "sender", "sender_fingerprint", "weights", "home"}
_PLACE |= {"channel_source", "channel_home", "receiver"}  # the latter is among the options
"""Fields of a task that are left out of exported batches."""

ROW = ("task", *sorted({field.name for field in fields(Task)} - _PLACE), *_BATCH)
"""Columns of an exported batch."""


class Store:
    """A results file. Several processes may write to one file; the first to commit a batch wins.

    Args:
        path: The file; created (with its folder) if it is missing and ``write`` is true.
        write: Open for appending; otherwise for reading only.

    Raises:
        StoreError: If the file is not a store, is damaged, was made by a newer version, or cannot be opened.
        FileNotFoundError: If the file is missing and ``write`` is false.
    """

    def __init__(self, path: str | Path, *, write: bool = False) -> None:
        self.path = Path(path)
        self._write = write
        self._folded, self._dirty = time.monotonic(), write
        if not write and not self.path.exists():
            raise FileNotFoundError(f"no results in {self.path}; create them with fecnn run")
        with self._explained("cannot be opened"):
            if write:
                try:
                    self.path.parent.mkdir(parents=True, exist_ok=True)
                except OSError as error:
                    raise StoreError(f"cannot create the folder of {self.path}: {error.strerror}") from None
            self._db = self._connect()
        try:
            with self._explained("cannot be read"):
                self._check(write)
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        if self._write:
            self.fold(0.0)  # SQLite does this only when the last process closes the file
        self._db.close()

    def fold(self, seconds: float = FOLD_SECONDS) -> None:
        """Move committed batches into the file itself, unless done within the last ``seconds``.

        SQLite first keeps commits in a log beside the file, but people copy the file alone. If this fails,
        the commits stay in the log.
        """
        if self._dirty and time.monotonic() - self._folded >= seconds:
            with suppress(sqlite3.Error):
                _, logged, folded = self._db.execute("pragma wal_checkpoint(passive)").fetchone()
                self._dirty = folded < logged  # a reader may still need the older state
            self._folded = time.monotonic()

    def append(self, task: Task, i: int, counts: Tally) -> None:
        """Commit batch i of a task; a batch that exists already is left unchanged.

        Raises:
            StoreError: If it cannot be written, for example on a full disk; all earlier batches are kept.
        """
        self.append_all([(task, i, counts)])

    def append_all(self, made: Iterable[tuple[Task, int, Tally]]) -> None:
        """Commit several batches together: all of them or, on an error, none.

        Raises:
            StoreError: As for `append`.
        """
        origin = (__version__, socket.gethostname(), datetime.now(UTC).isoformat(timespec="seconds"))
        tasks: dict[str, str] = {}
        rows = []
        for task, i, counts in made:
            if task.id not in tasks:
                tasks[task.id] = json.dumps(task.described(), sort_keys=True)
            values = (getattr(counts, name) for name in COUNTS)
            rows.append((task.id, i, *values, zlib.compress(counts.flags or b""), *origin))
        if not rows:
            return
        with (
            self._explained("cannot be written (all earlier batches are kept; make room and run again)"),
            self._db,
        ):
            self._insert(tasks, rows)
        self._dirty = True
        self.fold()

    def _insert(self, tasks: Mapping[str, str], rows: Iterable[tuple[object, ...]]) -> None:
        self._db.executemany("insert or ignore into task values (?, ?)", tasks.items())
        self._db.executemany(
            f"insert or ignore into batch ({', '.join(_STORED)}) values ({', '.join('?' * len(_STORED))})",
            rows,
        )

    def tasks(self) -> list[Task]:
        """All tasks in the file."""
        return list(self.tasks_by_id().values())

    def tasks_by_id(self) -> dict[str, Task]:
        """All tasks in the file by their ids there, which differ from `Task.id` if `STREAM` was another."""
        with self._explained("cannot be read"):
            return {
                known: self._task(known, it) for known, it in self._db.execute("select id, content from task")
            }

    def pool(self, other: "Store", codes: Mapping[str, Code] | None = None) -> tuple[int, int]:
        """Add the batches and estimates of another file.

        Args:
            other: The other file.
            codes: Known codes by task id; counts are checked against them.

        Returns:
            How many batches were new, and how many were present already.

        Raises:
            StoreError: If the files have different counts or errors for the same batch (decoding times may
                differ), one cannot be read or written, or a batch or estimate of the other contradicts
                itself. Nothing is added then.
        """
        with other._explained("cannot be read"):
            contents = dict(other._db.execute("select id, content from task").fetchall())
        tasks = {known: other._task(known, content) for known, content in contents.items()}
        before = self._db.total_changes
        known = 0
        with self._explained("cannot be written (nothing was merged; make room and merge again)"), self._db:
            self._db.execute("begin immediate")
            self._insert(contents, [])
            described = self._db.total_changes - before
            for row in other._stored():
                task, i, *counts = row[: 2 + len(COUNTS)]
                if task not in tasks:
                    raise other._damaged(f"the description of task {task!r:.40} cannot be read")
                other._check_batch(
                    tasks[task], task, i, counts, row[2 + len(COUNTS)], (codes or {}).get(task)
                )
                here = next(self._stored(task, i), None)
                if here is None:
                    self._insert({}, [row])
                else:
                    known += 1
                    self._agree(here, row, other)
            added = self._db.total_changes - before - described
            if other._has("estimate"):
                self._db.execute(_ESTIMATES)
                with other._explained("cannot be read"):
                    estimates = other._db.execute("select * from estimate").fetchall()
                for name, content, *values in estimates:
                    other._check_estimate(name, content, values)
                    here = self._db.execute("select low, high from estimate where id = ?", (name,)).fetchone()
                    if here is not None and (here[0] > values[2] or here[1] < values[1]):
                        raise StoreError(
                            f"{other.path} and {self.path} disagree on estimate {name[:12]}: the intervals "
                            "do not overlap; nothing of it was merged"
                        )
                marks = ", ".join("?" * 12)
                self._db.executemany(f"insert or ignore into estimate values ({marks})", estimates)
            self._name({(task, name) for task, names in other.curves().items() for name in names})
        self._dirty = True
        self.fold()
        return added, known

    def curves(self) -> dict[str, set[str]]:
        """The curves that tasks were run for, by task id; only for decoders with versions."""
        if not self._has("curve"):
            return {}
        found: dict[str, set[str]] = {}
        with self._explained("cannot be read"):
            for task, name in self._db.execute("select task, name from curve"):
                found.setdefault(task, set()).add(name)
        return found

    def name_curves(self, points: Sequence[Point]) -> None:
        """Store the curves of points whose decoders may have other versions in the future.

        Raises:
            StoreError: As for `append`.
        """
        with self._explained("cannot be written (make room and run again)"), self._db:
            self._name({(point.task.id, point.curve) for point in points if point.task.versioned})

    def _name(self, curves: Iterable[tuple[str, str]]) -> None:
        if curves:
            self._db.execute(_CURVES)
            self._db.executemany("insert or ignore into curve values (?, ?)", sorted(curves))

    def stale(self, points: Sequence[Point]) -> Counter[str]:
        """Number of batches made by other versions of these points' decoders or channels, by curve.

        Tasks that were run only for curves of other names do not count.
        """
        found: Counter[str] = Counter()
        for (curve, _), count in self.other_versions(points).items():
            found[curve] += count
        return found

    def other_versions(self, points: Sequence[Point]) -> Counter[tuple[str, str]]:
        """The same, by curve and by what is of another version: ``channel``, or else ``decoder``."""
        wanted: dict[str, list[Point]] = {}
        for point in points:
            if point.task.versioned:
                wanted.setdefault(point.task.kin, []).append(point)
        found: Counter[tuple[str, str]] = Counter()
        if not wanted:
            return found
        names, current = self.curves(), {point.task.id for point in points}
        with self._explained("cannot be read"):
            made = self._db.execute(
                "select id, content, count(*) from batch join task on task.id = batch.task group by id"
            ).fetchall()
        for known, content, count in made:
            task = self._task(known, content)
            if known in current or task.id != known:  # made with another version of the noise
                continue
            for point in wanted.get(task.kin, ()):
                if point.curve in names.get(known, {point.curve}):
                    same = task.channel_source == point.task.channel_source
                    found[point.curve, "decoder" if same else "channel"] += count
        return found

    def _has(self, table: str) -> bool:
        with self._explained("cannot be read"):
            found = self._db.execute("select 1 from sqlite_master where name = ?", (table,)).fetchone()
        return found is not None

    def _stored(self, *key: object) -> Iterator[tuple[Any, ...]]:
        """All rows as stored, or the row of a task and an index."""
        chosen = "where task = ? and i = ?" if key else "order by task, i"
        with self._explained("cannot be read"):
            yield from self._db.execute(f"select {self._selected(_STORED)} from batch {chosen}", key)

    def _agree(self, ours: tuple[Any, ...], theirs: tuple[Any, ...], other: "Store") -> None:
        """Reject a batch that differs; times, hosts and versions may differ."""
        task, i = ours[:2]
        for name, mine, its in zip(_STORED, ours, theirs, strict=True):
            if name in ("seconds", "version", "host", "time") or mine == its:
                continue
            if name == "flags" and self._unpacked(task, i, mine) == other._unpacked(task, i, its):
                continue
            shown = "which frames are wrong" if name == "flags" else f"{name} {its} there, {mine} here"
            raise StoreError(
                f"{other.path} and {self.path} disagree on batch {i} of task {task[:12]}: {shown}; "
                "nothing of it was merged"
            )

    def batches(self, task: Task, code: Code | None = None) -> dict[int, Tally]:
        """All batches of a task by index, without their flags.

        Args:
            task: The task.
            code: Its code, if known; counts are checked against it.

        Raises:
            StoreError: If they cannot be read, or one contradicts itself.
        """
        found = {}
        with self._explained("cannot be read"):
            described = self._db.execute("select content from task where id = ?", (task.id,)).fetchone()
            if described is not None:
                self._task(task.id, described[0])
            for i, *counts, flags in self._db.execute(
                f"select i, {self._selected(COUNTS)}, flags from batch where task = ? order by i", (task.id,)
            ):
                self._check_batch(task, task.id, i, counts, flags, code)
                found[i] = Tally(*counts)
        if found and described is None:
            raise self._damaged(f"the description of task {task.id!r:.40} cannot be read")
        return found

    def append_estimate(self, point: RarePoint, found: Estimate, seconds: float) -> None:
        """Commit the estimate of a point; one that exists already is left unchanged.

        Raises:
            StoreError: If it cannot be written, for example on a full disk.
        """
        row = (
            *(point.id, json.dumps(point.content, sort_keys=True)),
            *(found.value, found.low, found.high, found.method, found.frames, found.effective, seconds),
            *(__version__, socket.gethostname(), datetime.now(UTC).isoformat(timespec="seconds")),
        )
        with self._explained("cannot be written (everything earlier is kept; run again)"), self._db:
            self._db.execute(_ESTIMATES)
            self._db.execute(f"insert or ignore into estimate values ({', '.join('?' * len(row))})", row)
        self._dirty = True
        self.fold(0.0)  # the next one may take long

    def estimate(self, point: RarePoint) -> Estimate | None:
        """The estimate of a point; None if there is none.

        Raises:
            StoreError: If it cannot be read, or contradicts itself.
        """
        if not self._has("estimate"):
            return None
        with self._explained("cannot be read"):
            row = self._db.execute(
                "select content, value, low, high, method, frames, effective from estimate where id = ?",
                (point.id,),
            ).fetchone()
        if row is None:
            return None
        self._check_estimate(point.id, row[0], row[1:])
        return Estimate(*row[1:])

    def flags(self, task: Task, i: int) -> bytes:
        """The packed block-error flags of a batch; errors as for `batch`."""
        return self.batch(task, i).flags or b""

    def batch(self, task: Task, i: int) -> Tally:
        """A batch with its flags.

        Raises:
            LookupError: If there is no such batch.
            StoreError: If it cannot be read, or contradicts itself.
        """
        with self._explained("cannot be read"):
            row = self._db.execute(
                f"select {self._selected(COUNTS)}, flags from batch where task = ? and i = ?", (task.id, i)
            ).fetchone()
        if row is None:
            raise LookupError(f"{self.path} has no batch {i} of task {task.id[:12]}")
        *counts, packed = row
        self._check_batch(task, task.id, i, counts, packed)
        return replace(Tally(*counts), flags=self._unpacked(task.id, i, packed))

    @property
    def counts(self) -> list[str]:
        """The counts that the file has; one of an older schema lacks some."""
        missing = self._missing_counts()
        return [name for name in COUNTS if name not in missing]

    def batch_counts(self) -> dict[str, int]:
        """The number of batches of each task, by its id in the file."""
        with self._explained("cannot be read"):
            return dict(self._db.execute("select task, count(*) from batch group by task"))

    def estimate_count(self) -> int:
        """The number of estimates."""
        if not self._has("estimate"):
            return 0
        with self._explained("cannot be read"):
            return int(self._db.execute("select count(*) from estimate").fetchone()[0])

    def rows(self) -> Iterator[dict[str, object]]:
        """Every batch with its task as one flat row, without flags, for export."""
        with self._explained("cannot be read"):
            found = self._db.execute(
                f"select task.id, task.content, {self._selected(_BATCH)} from batch "
                "join task on task.id = batch.task order by task.id, i"
            ).fetchall()
        last, described = None, {}
        for task_id, content, *values in found:
            if task_id != last:
                task = self._task(task_id, content)
                told = {"options": json.dumps(task.all_options), "channel": task.told_channel}
                described = {**task.described(), **told}
                # The code's path on that machine is meaningless; its fingerprint identifies it.
                described = {name: value for name, value in described.items() if name not in _PLACE}
                last = task_id
            self._check_batch(task, task_id, values[0], values[1 : 1 + len(COUNTS)])
            yield {"task": task_id, **described, **dict(zip(_BATCH, values, strict=True))}

    def estimates(self) -> Iterator[dict[str, Any]]:
        """Every estimate as one flat row, for export."""
        if not self._has("estimate"):
            return
        with self._explained("cannot be read"):
            found = self._db.execute("select * from estimate order by id").fetchall()
        for name, content, value, low, high, method, frames, effective, *origin in found:
            self._check_estimate(name, content, (value, low, high, method, frames, effective))
            try:
                told = json.loads(content)
                point = {key: told[key] for key in ("fingerprint", "ebn0_db", "seed")}
                options = {**told.get("options", {}), "rel_error": told["rel_error"]}
                which = told.get("decoder", "ml")
                sound = (
                    isinstance(which, str)
                    and type(point["seed"]) is int
                    and all(type(told[key]) in (int, float) for key in ("ebn0_db", "rel_error"))
                )
            except (ValueError, TypeError, LookupError, RecursionError):
                sound = False
            if not sound:
                raise self._damaged(f"the description of estimate {name!r:.14} cannot be read")
            rates = {"bler": value, "bler_low": low, "bler_high": high}
            seconds, version, host, time = origin
            yield {
                **{"task": name, "decoder": which, "channel": "awgn"},
                **{"options": json.dumps(options), "method": method, "frames": frames},
                **{"seconds": seconds, "version": version, "host": host, "time": time},
                **point,
                **rates,
            }

    def _task(self, known: str, content: object) -> Task:
        """A task of the file, checked against its id."""
        try:
            described = json.loads(content)  # type: ignore[arg-type]
            task = Task.of(described)
            # Ids made under older streams stay valid.
            same = any(task.id_under(stream) == known for stream in range(STREAM, 0, -1))
        except (ValueError, TypeError, LookupError, RecursionError):
            same = False
        if not (same and type(task.batch) is int and 1 <= task.batch <= MOST_BATCH):
            raise self._damaged(f"the description of task {known!r:.40} does not match its id")
        return task

    def _selected(self, names: tuple[str, ...]) -> str:
        """Columns to select, with 0 for counts that a file of an older schema lacks."""
        missing = self._missing_counts()
        return ", ".join("0" if name in missing else name for name in names)

    def _connect(self) -> sqlite3.Connection:
        # SQLite removes its log and lock files when the last process closes the file, unless that only reads.
        mode = "rwc" if self._write else "rw"
        if not self._write and not os.access(self.path.parent, os.W_OK):
            # It cannot create them there. Without them, nobody can be writing.
            mode = "ro" if Path(f"{self.path}-wal").exists() else "ro&immutable=1"
        uri = f"{self.path.resolve().as_uri()}?mode={mode}"
        connection = sqlite3.connect(uri, uri=True, timeout=60)
        # In WAL mode this survives a killed process; only a power failure may lose the last commits.
        try:
            connection.execute("pragma synchronous = normal")
            connection.execute(f"pragma query_only = {'off' if self._write else 'on'}")
            connection.execute("pragma trusted_schema = off")
            connection.execute("pragma cell_size_check = on")
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check(self, write: bool) -> None:
        """Check that this is a complete store of this version; set up a new one."""
        header = self._header()
        if header == (0, 0, 0):
            if write:
                self._lay_out()
                header = self._header()
            else:
                raise StoreError(
                    f"{self.path} has no tables: it is empty, or was copied without the {self.path.name}-wal "
                    "beside it; copy both, or copy it again some seconds later"
                )
        _, application, schema = header
        if application != APPLICATION_ID:
            raise StoreError(f"{self.path} is not a fecnn results file; it is left unchanged")
        if schema > SCHEMA:
            raise StoreError(
                f"{self.path} has schema {schema}, newer than {SCHEMA} of this fecnn; upgrade fecnn"
            )
        self._refuse_other_tables(schema)
        problem = self._db.execute("pragma quick_check(1)").fetchone()
        if problem != ("ok",):
            raise self._damaged(str(problem and problem[0])[:300])
        if schema < SCHEMA and write:
            self._upgrade()

    def _refuse_other_tables(self, schema: int) -> None:
        """Accept only tables of plain columns: views, triggers and computed columns would run code."""
        kinds = dict(self._db.execute("select name, type from sqlite_master"))
        foreign = False
        for table, keys in _KEYS.items():
            columns = self._db.execute(
                "select name, pk, hidden from pragma_table_xinfo(?)", (table,)
            ).fetchall()
            key = tuple(name for name, place, _ in sorted(columns, key=lambda it: it[1]) if place)
            foreign |= bool(columns) and key != keys
            foreign |= any(hidden for *_, hidden in columns)
        if (
            not set(kinds.values()) <= {"table", "index"}
            or not kinds.get("task") == kinds.get("batch") == "table"
            or foreign
            or schema < 1
            or (schema == SCHEMA and self._missing_counts())
        ):
            raise self._damaged("its tables are not those of a results file")

    def _check_batch(
        self,
        task: Task,
        name: str,
        i: Any,
        counts: Sequence[Any],
        packed: bytes | None = None,
        code: Code | None = None,
    ) -> None:
        """Check stored counts: SQLite stores any type, and a damaged page may hold anything."""
        for column, value in (("i", i), *zip(COUNTS, counts, strict=True)):
            whole = type(value) is int and value >= 0
            if not (whole or (column == "seconds" and type(value) is float and 0 <= value < math.inf)):
                raise self._damaged(f"batch {i!r:.40} of task {name[:12]} has impossible counts: {column}")
        flags = None if packed is None else self._unpacked(name, i, packed)
        size = (None, None) if code is None else (code.k, code.n)
        how = contradiction(
            Tally(flags=flags, **dict(zip(COUNTS, counts, strict=True))), task.batch, i, *size
        )
        if how is not None:
            at = f"{task.decoder!s:.60} at {task.ebn0_db!s:.20} dB"
            raise self._damaged(f"batch {i} of task {name[:12]}, {at}, contradicts itself: {how}")

    def _check_estimate(self, name: str, content: object, values: Sequence[Any]) -> None:
        """Check a stored estimate: value, low, high, method, frames, effective."""
        value, low, high, method, frames, effective = values[:6]
        if not (
            isinstance(content, str)
            and hashlib.sha256(content.encode()).hexdigest() == name
            and all(type(number) in (int, float) for number in (value, low, high, effective))
            and 0 <= low <= value <= high
            and value <= 1
            and effective >= 0
            and (type(frames) is int and frames >= 0)
            and (isinstance(method, str) and len(method) <= 40)
        ):
            raise self._damaged(f"estimate {name!r:.14} contradicts itself")

    def _unpacked(self, task: str, i: object, packed: bytes) -> bytes:
        """Flags unpacked from zlib, bounded in size: a few bytes may claim gigabytes."""
        unpack = zlib.decompressobj()
        try:
            flags = unpack.decompress(packed, MAX_FLAGS + 1)
        except (zlib.error, TypeError):
            pass
        else:
            if unpack.eof and not unpack.unused_data and len(flags) <= MAX_FLAGS:
                return flags
        raise self._damaged(f"the flags of batch {i} of task {task[:12]} cannot be unpacked")

    def _damaged(self, how: str) -> StoreError:
        return StoreError(f"{self.path} is damaged ({how}); it is left unchanged: move it away and run again")

    def _header(self) -> tuple[int, int, int]:
        """Number of tables, application id and schema, read in one transaction."""
        self._db.execute("begin")
        tables = self._db.execute("select count(*) from sqlite_master").fetchone()[0]
        application = self._db.execute("pragma application_id").fetchone()[0]
        schema = self._db.execute("pragma user_version").fetchone()[0]
        self._db.commit()
        return tables, application, schema

    def _lay_out(self) -> None:
        self._switch_to_wal()
        self._db.execute("begin immediate")  # two processes may arrive here together
        if self._db.execute("select count(*) from sqlite_master").fetchone()[0] == 0:
            for statement in filter(str.strip, _TABLES.split(";")):
                self._db.execute(statement)
            self._db.execute(f"pragma application_id = {APPLICATION_ID}")
            self._db.execute(f"pragma user_version = {SCHEMA}")
        self._db.commit()
        self._db.execute("pragma wal_checkpoint(passive)")  # now a copy of the file alone is valid

    def _upgrade(self) -> None:
        """Upgrade from schema 1, which had no counts of effort, or 2, which had none of refusals."""
        self._db.execute("begin immediate")  # two processes may arrive here together
        for name in self._missing_counts():
            self._db.execute(f"alter table batch add column {name} integer not null default 0")
        self._db.execute(f"pragma user_version = {SCHEMA}")
        self._db.commit()

    def _missing_counts(self) -> list[str]:
        """Counts of this version that the file lacks."""
        present = {row[1] for row in self._db.execute("pragma table_info(batch)")}
        return [name for name in COUNTS if name not in present]

    def _switch_to_wal(self) -> None:
        """Switch to WAL mode; SQLite itself does not wait for other processes here."""
        for _ in range(600):
            try:
                self._db.execute("pragma journal_mode = wal")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
                time.sleep(0.1)
        self._db.execute("pragma journal_mode = wal")

    @contextmanager
    def _explained(self, failure: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # SQLite's message may quote bad text
            raise StoreError(f"{self.path} {failure}: {error}") from error
