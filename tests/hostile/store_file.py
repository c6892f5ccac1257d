"""Result stores: SQLite files, with or without a log beside them."""

import contextlib
import json
import math
import sqlite3
import zlib
from pathlib import Path

import numpy as np

from fecnn.analysis.compare import compare
from fecnn.analysis.export import export_table
from fecnn.analysis.table import table
from fecnn.errors import StoreError
from fecnn.simulation.store import Store
from fecnn.simulation.tally import COUNTS, Tally
from fecnn.studies.study import load_study
from fecnn.studies.verify import verify
from hostile.byte_mutants import damaged, noise
from hostile.page_mutants import damage_page
from hostile.statements import statement
from hostile.target import Target, check

STUDY = """
title = "t"
code = "hamming-7-4"
ebn0_db = [1.0, 2.0]
batch = 64
[[curve]]
decoder = "ml"
[[curve]]
decoder = "osd"
options = { order = 2 }
"""
MOST_FLAGS = 1 << 17
UNLOCKED = ("pragma writable_schema = 1", ())
NULLABLE = ("update sqlite_master set sql = replace(sql, ' not null', '')", ())
SECOND = (
    ("alter table batch drop column refusals", ()),
    ("alter table batch drop column refused_errors", ()),
    ("pragma user_version = 2", ()),
)
FIRST = (
    *SECOND,
    ("alter table batch drop column work", ()),
    ("alter table batch drop column uncertified", ()),
    ("pragma user_version = 1", ()),
)
"""As schemas 1 and 2 laid it out: without the last counts."""


class StoreFile(Target):
    named = "hostile.sqlite"
    refusals = (StoreError,)

    def prepare(self):
        path = self.folder / "sound.toml"
        path.write_text(STUDY)
        self.study = load_study(path)
        self.tasks = [point.task for point in self.study.points]
        self.plain, self.wal = self.made(self.folder / "sound.sqlite")
        small = after(self.plain, ("pragma page_size = 512", ()), ("vacuum", ()))
        self.contents = [
            self.plain,
            in_wal(self.plain),
            small,
            after(self.plain, *FIRST),
            after(self.plain, *SECOND),
        ]

    def made(self, path):
        """A store without a log, and the log of one more batch."""
        for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            name.unlink(missing_ok=True)
        with Store(path, write=True) as store:
            for task in self.tasks:
                for i in range(3):
                    flags = np.packbits(np.arange(64) % 13 == i).tobytes()
                    store.append(task, i, Tally(64, 5, 9, 21, 15, 51, 4, 77, 2, 0.25, flags=flags))
        plain = in_wal(path.read_bytes(), 1)
        with Store(path, write=True) as store:
            store.append(self.tasks[0], 3, Tally(64, 0, 0, 0, 0, 0, 0, 0, 0, 0.25, flags=bytes(8)))
            return plain, Path(f"{path}-wal").read_bytes()

    def sound(self):
        return self.contents

    def mutant(self, rng):
        kind = rng.random()
        if kind < 0.02:
            return self.files(noise(rng))
        if kind < 0.5:
            return self.files(self.restated(rng))
        return self.damaged(rng)

    def restated(self, rng):
        """A sound store after a few statements, half of them free to change its schema."""
        content = rng.choice(self.contents)
        statements = [statement(rng) for _ in range(rng.choice((1, 1, 2, 3)))]
        if rng.random() < 0.5:
            content = after(self.plain, UNLOCKED, NULLABLE)
            statements = [UNLOCKED, NULLABLE, *statements]
        if content[18] != 1:  # a database in memory has no log
            content = self.plain
        content = after(content, *statements)
        return in_wal(content) if rng.random() < 0.3 else content

    def damaged(self, rng):
        """The files of a sound store after damage to a few places, now and then with a log or journal."""
        content = bytearray(rng.choice(self.contents))
        for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
            damage_page(rng, content)
        files = self.files(bytes(content))
        if rng.random() < 0.05:
            log = damaged(rng, self.wal, [b"\0\0\0\0"]) if rng.random() < 0.7 else self.wal
            files[f"{self.named}-wal"] = log
        if rng.random() < 0.02:
            files[f"{self.named}-journal"] = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + rng.randbytes(600)
        return files

    def load(self):
        """Read all of it; of a quarter of the files make a table too, and to an eighth append a batch."""
        for sidecar in ("-wal", "-shm", "-journal"):
            if self.named + sidecar not in self.present:
                (self.folder / (self.named + sidecar)).unlink(missing_ok=True)
        path = self.folder / self.named
        digest = zlib.crc32(path.read_bytes())
        with Store(path, write=digest % 8 == 0) as store:
            for task in self.tasks:
                self.check_batches(store, task)
            for row in store.rows():
                check(isinstance(json.loads(row["options"]), dict), "options")
            if digest % 8 == 0:
                store.append(self.tasks[0], 9, Tally(64, flags=bytes(8)))
        if digest % 4 == 0:
            table(self.study, path)
            compare(self.study, "ml", "osd (order 2)", path)
            export_table(self.study, path)
            check(not any(it.differences for it in verify(path, seconds=0)), "nothing was simulated")

    def check_batches(self, store, task):
        for i, tally in store.batches(task).items():
            check(type(i) is int and i >= 0, f"batch {i!r}")
            counts = [getattr(tally, name) for name in COUNTS if name != "seconds"]
            check(all(type(count) is int and count >= 0 for count in counts), f"counts {counts}")
            check(0 <= tally.seconds < math.inf, f"seconds {tally.seconds!r}")
            try:
                flags = store.flags(task, i)
            except LookupError as error:  # cells out of order: met in passing, not when looked up
                check(type(error) is LookupError and self.named in str(error), "another error")
                continue
            check(len(flags) <= MOST_FLAGS, "flags of more frames than a batch has")


def after(content, *statements):
    """A database after statements, as far as SQLite takes them."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as base:
        base.deserialize(content)
        for words, values in statements:
            with contextlib.suppress(sqlite3.Error):
                base.execute(words, values)
        return base.serialize()


def in_wal(content, version=2):
    """A database whose header says that it has a write-ahead log (1: that it has none)."""
    return bytes([*content[:18], version, version, *content[20:]])
