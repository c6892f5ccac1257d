import json
import multiprocessing
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
import zlib
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from damage import small_disk
from study_runs import run_all
from typer.testing import CliRunner

import fecnn
from fecnn.analysis.compare import compare
from fecnn.channels.stream import STREAM
from fecnn.cli.app import app
from fecnn.errors import StoreError
from fecnn.simulation.store import APPLICATION_ID, FOLD_SECONDS, SCHEMA, Store
from fecnn.simulation.tally import COUNTS, Tally
from fecnn.simulation.task import Task
from fecnn.studies.study import load_study

TASK = Task(
    code="/somewhere/hamming.toml",
    fingerprint="e6710d9d76fa2940d30c6d945126d15690fc6374702821159011b873c3a32a9c",
    channel="awgn",
    decoder="osd",
    options=(("order", 2),),
    ebn0_db=2.0,
    seed=1,
    batch=64,
)
OTHER = replace(TASK, ebn0_db=3.0)


def counts(i=0):
    """Of 64 frames: 4 errors of two message bits, the others of one, three code bits each."""
    errors = 5 + i % 50
    flags = (((1 << errors) - 1) << (64 - errors)).to_bytes(8, "big")
    return Tally(64, errors, errors + 4, errors + 12, 3 * errors, 9 * errors, 4, 77, 2, 0.25, flags=flags)


LONG = replace(TASK, batch=16_000)


def long_counts(i):
    """Flags that cannot be packed."""
    flags = random.Random(i).randbytes(2000)
    errors = int.from_bytes(flags, "big").bit_count()
    return Tally(16_000, *[errors] * 5, 0, flags=flags)


def filled(path, batches=3):
    with Store(path, write=True) as store:
        for i in range(batches):
            store.append(TASK, i, counts(i))
    return path


def test_round_trip(tmp_path):
    path = tmp_path / "new" / "folder" / "r.sqlite"
    with Store(path, write=True) as store:
        store.append(TASK, 0, counts(0))
        store.append(TASK, 7, counts(7))
        store.append(OTHER, 0, counts(1))
        assert store.batches(TASK) == {0: counts(0), 7: counts(7)}  # seen at once
    with Store(path) as store:
        assert store.batches(TASK) == {0: counts(0), 7: counts(7)}
        assert store.batches(OTHER) == {0: counts(1)}
        assert store.batches(replace(TASK, seed=2)) == {}
        assert store.flags(TASK, 7) == counts(7).flags
        assert store.flags(OTHER, 0) == counts(1).flags != store.flags(TASK, 0)
        with pytest.raises(LookupError, match="has no batch 3 of task"):
            store.flags(TASK, 3)


def test_large_counts_and_odd_paths(tmp_path):
    task = replace(TASK, batch=1 << 20)
    flags = random.Random(1).randbytes(1 << 17)
    errors = int.from_bytes(flags, "big").bit_count()
    big = Tally(
        1 << 20, errors, errors << 10, errors << 20, errors << 10, errors << 20, 1, 2**52, 1, 1e6, 3, 2, flags
    )
    path = tmp_path / "a b#c?d%20 é.sqlite"
    with Store(path, write=True) as store:
        store.append(task, 2**31, big)
    assert path.is_file()
    with Store(path) as store:
        assert store.batches(task) == {2**31: big}
        assert store.flags(task, 2**31) == big.flags


def test_the_first_of_two_batches_is_kept(tmp_path):
    path = filled(tmp_path / "r.sqlite", 1)
    with Store(path, write=True) as store:
        store.append(TASK, 0, counts(9))
        store.append(replace(TASK, code="elsewhere.toml"), 1, counts(1))
        assert store.batches(TASK) == {0: counts(0), 1: counts(1)}
        assert store.flags(TASK, 0) == counts(0).flags


def test_every_batch_is_committed_as_it_is_made(tmp_path):
    with Store(tmp_path / "r.sqlite", write=True) as writer, Store(tmp_path / "r.sqlite") as reader:
        for i in range(3):
            writer.append(TASK, i, counts(i))
            assert len(reader.batches(TASK)) == i + 1


def test_rows_say_what_was_made_by_which_version_where_and_when(tmp_path):
    before = datetime.now(UTC).replace(microsecond=0)
    with Store(filled(tmp_path / "r.sqlite", 2)) as store:
        rows = list(store.rows())
    columns = "task fingerprint channel decoder options ebn0_db seed batch i".split()
    assert set(rows[0]) == {*columns, *COUNTS, "version", "host", "time"}
    for i, row in enumerate(rows):
        assert {name: row[name] for name in COUNTS} == {name: getattr(counts(i), name) for name in COUNTS}
        assert (row["task"], row["i"], row["decoder"], row["options"]) == (TASK.id, i, "osd", '{"order": 2}')
        assert (row["ebn0_db"], row["batch"], row["version"]) == (2.0, 64, fecnn.__version__)
        assert row["host"]
        assert before <= datetime.fromisoformat(row["time"]) <= datetime.now(UTC)


def test_a_missing_file_is_not_made_by_reading(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no results in .*none\.sqlite; create them with fecnn run"):
        Store(tmp_path / "none.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_reading_does_not_write(tmp_path):
    path = filled(tmp_path / "r.sqlite")
    before = path.read_bytes()
    with Store(path) as store, pytest.raises(StoreError, match="cannot be written"):
        store.append(TASK, 99, counts())
    assert path.read_bytes() == before


def test_a_file_without_tables_is_named_and_may_be_written(tmp_path):
    path = tmp_path / "r.sqlite"
    path.touch()
    with pytest.raises(
        StoreError, match=r"r\.sqlite has no tables: it is empty, or was copied without the r"
    ):
        Store(path)
    assert filled(path)


# Copies of the one file, without the log beside it

ENDLESS_RUN = """
import sys, fecnn
for step in fecnn.run(fecnn.load_study(sys.argv[1]), store=sys.argv[2]):
    if step.batch is not None:
        sys.stdout.write(f"{step.batch}\\n"); sys.stdout.flush()
"""


@pytest.mark.parametrize("milliseconds", [5, 4000])  # so many batches a second, or one that takes long
def test_a_copy_of_the_one_file_has_what_was_committed_seconds_ago(tmp_path, milliseconds, plugins):
    plan = tmp_path / "mine.toml"
    plan.write_text(
        'title = "t"\ncode = "hamming-7-4"\nebn0_db = [0]\nbatch = 16\nstop = { frames = 16_000_000 }\n'
        f'[[curve]]\ndecoder = "misbehaving:patient"\noptions = {{ milliseconds = {milliseconds} }}\n'
    )
    command = [sys.executable, "-c", ENDLESS_RUN, str(plan), str(tmp_path / "r.sqlite")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        running.stdout.readline()
        threading.Thread(target=running.stdout.read, daemon=True).start()
        time.sleep(FOLD_SECONDS + 2)
        running.kill()
    (tmp_path / "copy").mkdir()
    shutil.copy(tmp_path / "r.sqlite", tmp_path / "copy")
    task = load_study(plan).points[0].task
    with Store(tmp_path / "copy" / "r.sqlite") as copy, Store(tmp_path / "r.sqlite") as whole:
        copied, made = copy.batches(task), whole.batches(task)
    assert 0 < len(copied) <= len(made)
    assert len(made) - len(copied) < (FOLD_SECONDS + 1.5) * 1000 / milliseconds
    assert {i: made[i] for i in copied} == copied


def test_a_new_file_alone_is_a_results_file(tmp_path):
    """From the first moment: what is laid out is not in the log alone."""
    with Store(tmp_path / "r.sqlite", write=True) as store:
        store.append(TASK, 0, counts())
        shutil.copy(tmp_path / "r.sqlite", tmp_path / "copy.sqlite")
    with Store(tmp_path / "copy.sqlite") as copy:
        assert copy.batches(TASK) == {}


def test_closing_folds_all_also_where_others_read(tmp_path):
    with Store(tmp_path / "r.sqlite", write=True) as first:
        with Store(tmp_path / "r.sqlite", write=True) as second:
            second.append(TASK, 0, counts())
        shutil.copy(tmp_path / "r.sqlite", tmp_path / "copy.sqlite")
        assert len(first.batches(TASK)) == 1
    with Store(tmp_path / "copy.sqlite") as copy:
        assert copy.batches(TASK) == {0: counts()}


@pytest.mark.parametrize("left", ["nothing", "a header"])
def test_a_file_without_its_tables_is_named_by_every_command(tmp_path, left):
    plan, path = tmp_path / "mine.toml", tmp_path / "mine.sqlite"
    plan.write_text('title = "t"\ncode = "hamming-7-4"\nebn0_db = [2]\n[[curve]]\ndecoder = "ml"\n')
    if left == "a header":
        with closing(sqlite3.connect(path)) as file:
            file.execute("pragma journal_mode = wal")
    else:
        path.touch()
    for command in (["table"], ["plot"], ["export"], ["merge"]):
        file = {"export": ["all.csv"], "merge": [str(path)]}.get(command[0], [])
        out = str(tmp_path / "pooled" if command[0] == "merge" else tmp_path)
        told = CliRunner().invoke(app, [*command, str(plan), *file, "--out", out])
        assert told.exit_code == 1, command
        assert (
            "mine.sqlite has no tables: it is empty, or was copied without the mine.sqlite-wal" in told.output
        )
    assert not (tmp_path / "pooled").exists()


def test_a_table_of_nothing_is_an_error(tmp_path):
    plan = tmp_path / "mine.toml"
    plan.write_text('title = "t"\ncode = "hamming-7-4"\nebn0_db = [2]\n[[curve]]\ndecoder = "ml"\n')
    filled(tmp_path / "mine.sqlite")
    told = CliRunner().invoke(app, ["table", str(plan), "--out", str(tmp_path)])
    assert told.exit_code == 1
    assert "mine.sqlite has no results of mine yet; create them with fecnn run" in told.output


# Files that are not ours, newer, or damaged


def changed(path, *statements):
    with closing(sqlite3.connect(path)) as file:
        for statement in statements:
            file.execute(statement)
        file.commit()
    return path


def newer(path):
    return changed(filled(path), f"pragma user_version = {SCHEMA + 1}")


def foreign(path):
    return changed(path, "create table note (text)", "insert into note values ('mine')")


def foreign_id(path):
    return changed(filled(path), f"pragma application_id = {APPLICATION_ID + 1}")


def no_database(path):
    path.write_bytes(b"frames,errors\n10,1\n" * 100)
    return path


def truncated(path):
    filled(path, 200)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def short(path):
    filled(path)
    path.write_bytes(path.read_bytes()[:50])
    return path


def corrupted(path):
    filled(path, 200)
    content = bytearray(path.read_bytes())
    for start in range(4096, len(content), 4096):
        content[start : start + 200] = b"\xa5" * 200
    path.write_bytes(content)
    return path


REFUSED = [
    (newer, f"has schema {SCHEMA + 1}, newer than {SCHEMA} of this fecnn; upgrade fecnn"),
    (foreign, "is not a fecnn results file; it is left unchanged"),
    (foreign_id, "is not a fecnn results file; it is left unchanged"),
    (no_database, "file is not a database"),
    (truncated, "damaged|malformed"),
    (short, "not a database|malformed"),
    (corrupted, "damaged|malformed"),
]


@pytest.mark.parametrize("write", [True, False], ids=["write", "read"])
@pytest.mark.parametrize(("spoil", "words"), REFUSED, ids=[spoil.__name__ for spoil, _ in REFUSED])
def test_what_is_no_whole_store_of_this_version_is_refused_and_left_alone(tmp_path, spoil, words, write):
    path = spoil(tmp_path / "r.sqlite")
    before = path.read_bytes()
    with pytest.raises(StoreError, match=words) as refused:
        Store(path, write=write)
    assert str(path) in str(refused.value)
    assert path.read_bytes() == before


def test_a_run_on_a_damaged_file_stops_before_it_begins(tmp_path):
    path = truncated(tmp_path / "r.sqlite")
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"damaged|malformed"):
        next(fecnn.run(load_study("optimal-hamming-7-4"), store=path))
    assert path.read_bytes() == before


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path, write=True)


def test_a_path_through_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"cannot create the folder of .*: Not a directory"):
        Store(tmp_path / "file" / "deeper" / "r.sqlite", write=True)


# Disks that are full or read-only


def fill_up(store, limit=10_000):
    """Append until the store refuses; how many were taken."""
    taken = 0

    def append_all():
        nonlocal taken
        for i in range(limit):
            store.append(LONG, i, long_counts(i))
            taken += 1

    words = "cannot be written (all earlier batches are kept; make room and run again)"
    with pytest.raises(StoreError, match=re.escape(words)):
        append_all()
    return taken


def test_a_full_disk_keeps_every_batch_before_and_goes_on_when_there_is_room(tmp_path):
    with small_disk(tmp_path / "disk", 400) as disk:
        path = disk / "r.sqlite"
        with Store(path, write=True) as store:
            taken = fill_up(store)
            assert taken > 5
            assert list(store.batches(LONG)) == list(range(taken))
        shutil.copytree(disk, tmp_path / "copy")
        subprocess.run(["mount", "-o", "remount,size=4m", str(disk)], check=True)
        with Store(path, write=True) as store:
            assert store.batches(LONG) == {i: long_counts(i) for i in range(taken)}
            store.append(LONG, taken, long_counts(taken))
            assert len(store.batches(LONG)) == taken + 1
    with Store(tmp_path / "copy" / "r.sqlite") as store:
        assert store.batches(LONG) == {i: long_counts(i) for i in range(taken)}


def test_a_file_that_may_not_grow_keeps_every_batch_before(tmp_path):
    """As a full disk, for users who may not mount one."""
    path = tmp_path / "r.sqlite"
    with Store(path, write=True) as store:
        store._db.execute("pragma max_page_count = 40")
        taken = fill_up(store)
        assert taken > 5
        store._db.execute("pragma max_page_count = 4000")
        store.append(LONG, taken, long_counts(taken))
    with Store(path) as store:
        assert list(store.batches(LONG)) == list(range(taken + 1))


def test_a_run_on_a_full_disk_says_so_and_keeps_its_batches(tmp_path):
    plan = tmp_path / "mine.toml"
    plan.write_text(
        'title = "t"\ncode = "hamming-7-4"\nebn0_db = [0]\nbatch = 8000\nstop = { frames = 8_000_000 }\n'
        '[[curve]]\ndecoder = "ml"\n'
    )
    study = load_study(plan)
    with small_disk(tmp_path / "disk", 300) as disk:
        made = (step for step in fecnn.run(study, store=disk / "r.sqlite") if step.batch is not None)
        kept = []
        with pytest.raises(StoreError, match="make room and run again"):
            kept.extend(step.batch for step in made)
        with Store(disk / "r.sqlite") as store:
            assert list(store.batches(study.points[0].task)) == kept
            assert len(kept) > 3


def test_a_read_only_disk_can_be_read_and_not_written(tmp_path):
    with small_disk(tmp_path / "disk", 2000) as disk:
        path = filled(disk / "r.sqlite")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with Store(path) as store:
            assert len(store.batches(TASK)) == 3
        with pytest.raises(StoreError, match=r"r\.sqlite cannot be"):
            filled(path, 4)
        with pytest.raises(StoreError, match=r"new\.sqlite cannot be opened"):
            Store(disk / "new.sqlite", write=True)
        with pytest.raises(StoreError, match=r"cannot create the folder of .*: Read-only file system"):
            Store(disk / "new" / "r.sqlite", write=True)


# Several writers


def race(path, begin, outcome):
    begin.wait()
    try:
        with Store(path, write=True) as store:
            store.append(TASK, 0, counts(0))
        outcome.put("fine")
    except Exception as error:
        outcome.put(f"{type(error).__name__}: {error}")


def test_a_new_file_may_be_laid_out_between_two_looks_of_another(tmp_path, monkeypatch):
    """Whatever is looked at first, another writer lays the file out just after it, unless it has to wait."""
    path = tmp_path / "r.sqlite"
    connect = sqlite3.connect
    other = threading.Thread(target=filled, args=(path,))

    class Found:
        def __init__(self, row):
            self.row = row

        def fetchone(self):
            return self.row

    class Connection(sqlite3.Connection):
        def execute(self, statement, *values):
            found = super().execute(statement, *values)
            if other.ident is None and ("application_id" in statement or "sqlite_master" in statement):
                found = Found(found.fetchone())
                other.start()
                other.join(0.5)
            return found

    def interrupted(*arguments, **options):
        factory = Connection if threading.current_thread() is threading.main_thread() else sqlite3.Connection
        return connect(*arguments, **options, factory=factory)

    monkeypatch.setattr(sqlite3, "connect", interrupted)
    with Store(path, write=True) as store:
        other.join()
        assert len(store.batches(TASK)) == 3


@pytest.mark.slow
def test_many_processes_may_make_one_new_file(tmp_path):
    """Both races of making a new file showed here, in about one of 150 processes."""
    context = multiprocessing.get_context("fork")
    if threading.active_count() > 1:
        pytest.skip("other threads are running: no fork")
    for attempt in range(150):
        begin, outcome = context.Barrier(4), context.SimpleQueue()
        path = tmp_path / f"{attempt}.sqlite"
        racers = [context.Process(target=race, args=(path, begin, outcome)) for _ in range(4)]
        for racer in racers:
            racer.start()
        outcomes = [outcome.get() for _ in racers]
        for racer in racers:
            racer.join()
        assert outcomes == ["fine"] * 4
        with Store(path) as store:
            assert store.batches(TASK) == {0: counts(0)}


TWICE = """
import sys, fecnn
plan = fecnn.load_study(sys.argv[1])
sys.stdout.write("ready\\n"); sys.stdout.flush(); sys.stdin.readline()
for step in fecnn.run(plan, store=sys.argv[2]):
    pass
"""


def test_two_processes_may_write_one_file(tmp_path):
    plan = tmp_path / "mine.toml"
    plan.write_text("""
title = "t"
code = "hamming-7-4"
ebn0_db = [0, 1]
batch = 100
stop = { frames = 20_000 }
[[curve]]
decoder = "ml"
""")
    study, path = load_study(plan), tmp_path / "r.sqlite"
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    writers = [
        subprocess.Popen([sys.executable, "-c", TWICE, str(plan), str(path)], **pipes) for _ in range(2)
    ]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        _, err = writer.communicate(timeout=60)
        assert writer.returncode == 0, err
    run_all(study, tmp_path / "alone.sqlite")
    with Store(path) as store, Store(tmp_path / "alone.sqlite") as alone:
        rows = [(row["task"], row["i"]) for row in store.rows()]
        assert len(rows) == len(set(rows)) == 400
        for point in study.points:
            both, one = store.batches(point.task), alone.batches(point.task)
            assert {i: replace(t, seconds=0.0) for i, t in both.items()} == {
                i: replace(t, seconds=0.0) for i, t in one.items()
            }
            assert all(store.flags(point.task, i) == alone.flags(point.task, i) for i in one)


@pytest.mark.parametrize(
    ("schema", "missing"),
    [(1, ("work", "uncertified", "refusals", "refused_errors")), (2, ("refusals", "refused_errors"))],
)
def test_a_file_of_an_older_schema_is_read_as_it_is_and_upgraded_when_written(schema, missing, tmp_path):
    """Schema 1 had no counts of work and of uncertified frames, and 2 none of refusals."""
    dropped = [f"alter table batch drop column {name}" for name in missing]
    path = changed(filled(tmp_path / "old.sqlite"), *dropped, f"pragma user_version = {schema}")
    old = {i: replace(counts(i), **dict.fromkeys(missing, 0)) for i in range(3)}
    with Store(path) as store:
        assert store.batches(TASK) == old
        assert [row["refusals"] for row in store.rows()] == [0, 0, 0]
    with Store(path, write=True) as store:
        store.append(TASK, 3, counts(3))
    with Store(path) as store:
        assert store.batches(TASK) == {**old, 3: counts(3)}
        assert store.flags(TASK, 1) == counts(1).flags


# Stores of unknown origin


def hostile(path, *statements):
    """A store after statements, or (statement, values), as SQLite itself takes them."""
    filled(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("pragma writable_schema = on")
        for statement in statements:
            file.execute(*((statement,) if isinstance(statement, str) else statement))
    return path


def bomb():
    return zlib.compress(bytes(1 << 26))


@pytest.mark.parametrize(
    "flags",
    ["text", 7, b"", b"no zlib", zlib.compress(b"12345678")[:-3], zlib.compress(b"1") + b"more", bomb()],
    ids=["text", "number", "empty", "noise", "cut", "more", "bomb"],
)
def test_flags_that_cannot_be_unpacked_are_refused(tmp_path, flags):
    path = hostile(tmp_path / "r.sqlite", ("update batch set flags = ? where i = 1", (flags,)))
    with Store(path) as store:
        assert store.flags(TASK, 0) == counts(0).flags
        with pytest.raises(StoreError, match=r"r\.sqlite is damaged \(the flags of batch 1 .*move it away"):
            store.flags(TASK, 1)


@pytest.mark.parametrize("value", ["many", -1, 1.5, float("inf"), b"7", None])
@pytest.mark.parametrize("name", ["frames", "work"])
def test_impossible_counts_are_refused(tmp_path, name, value):
    path = hostile(
        tmp_path / "r.sqlite",
        "update sqlite_master set sql = replace(sql, ' not null', '')",
        *("pragma schema_version = 99", "pragma writable_schema = reset"),
        (f"update batch set {name} = ? where i = 1", (value,)),
    )
    with (
        Store(path) as store,
        pytest.raises(StoreError, match=r"damaged \(batch 1 of .* has impossible counts"),
    ):
        store.batches(TASK)


@pytest.mark.parametrize("value", [-1.0, float("inf"), "long"])
def test_impossible_seconds_are_refused(tmp_path, value):
    path = hostile(tmp_path / "r.sqlite", ("update batch set seconds = ?", (value,)))
    with Store(path) as store, pytest.raises(StoreError, match="impossible counts"):
        store.batches(TASK)


@pytest.mark.parametrize(
    "content",
    ["", "null", "3", "[]", "{}", '{"options": 3}', '{"options": [[1]]}', "[" * 100_000, '{"a": 1}'],
)
def test_a_task_that_says_nothing_is_refused(tmp_path, content):
    path = hostile(tmp_path / "r.sqlite", ("update task set content = ?", (content,)))
    with (
        Store(path) as store,
        pytest.raises(StoreError, match=r"r\.sqlite is damaged \(the description of task .*"),
    ):
        list(store.rows())


@pytest.fixture
def forged(tmp_path):
    """Whatever was forged in a store of a study: what becomes of it."""
    path = tmp_path / "mine.toml"
    path.write_text(
        'title = "t"\ncode = "hamming-7-4"\nebn0_db = [3]\nbatch = 1024\nstop = { frames = 8192 }\n'
        '[[curve]]\ndecoder = "ml"\n[[curve]]\ndecoder = "hard"\n'
    )
    study = load_study(path)
    run_all(study, tmp_path / "r.sqlite")

    def refuse(*statement):
        hostile_values(tmp_path / "r.sqlite", statement)
        for use in (
            lambda: fecnn.table(study, tmp_path / "r.sqlite"),
            lambda: list(fecnn.run(study, store=tmp_path / "r.sqlite")),
            lambda: fecnn.merge(study, [tmp_path / "r.sqlite"], tmp_path / "pooled"),
        ):
            with pytest.raises(
                StoreError, match=r"r\.sqlite is damaged \((batch|the description|the flags)"
            ) as told:
                use()
        assert "move it away and run again" in str(told.value)
        if (tmp_path / "pooled").exists():
            with Store(tmp_path / "pooled" / "mine.sqlite") as pooled:
                assert list(pooled.rows()) == []
                assert pooled.tasks() == []
        return tmp_path / "r.sqlite", study

    return refuse


def hostile_values(path, statement):
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("pragma foreign_keys = off")
        file.execute(*statement)


@pytest.mark.parametrize(
    "statement",
    [
        ("update batch set block_errors=0, bit_errors=0, bit_errors_sq=0, code_bit_errors=0,"
         " code_bit_errors_sq=0, ml_errors=0 where i = 0",),
        ("update batch set frames = 1000000 where i = 0",),
        ("update batch set block_errors = 5000 where i = 0",),
        ("update batch set ml_errors = frames where i = 0",),
        ("update batch set uncertified = frames + 1 where i = 0",),
        ("update batch set flags = ? where i = 0", (zlib.compress(b""),)),
        ("update batch set flags = ? where i = 0", (zlib.compress(bytes(128)),)),
        ("update batch set frames = 0, block_errors = 0",),
        ("update batch set i = 9223372036854775807 where i = 7",),
        ("update batch set bit_errors = 9000000000000000000, bit_errors_sq = 9000000000000000000",),
        ("update batch set bit_errors = 5 * block_errors, bit_errors_sq = 25 * block_errors where i = 0",),
        ("update batch set code_bit_errors = 0, code_bit_errors_sq = 0 where i = 0",),
        ("update task set content = '{}'",),
        ("update task set content = replace(content, '\"ml\"', '\"osd\"')",),
        ("update task set content = replace(content, '1024', '512')",),
        ("delete from task where content like '%\"ml\"%'",),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_not_pooled_and_not_shown(forged, statement):
    forged(*statement)


def test_flags_that_contradict_counts_are_not_compared(forged):
    path, study = forged("update batch set flags = ? where i = 0", (zlib.compress(bytes(128)),))
    with pytest.raises(StoreError, match="0 flags for"):
        compare(study, "ml", "hard", path)


def test_tasks_of_older_noise_are_what_they_were(tmp_path, monkeypatch):
    """Files go on when `STREAM` is raised: what they had stays readable, and is not of today's tasks."""
    filled(tmp_path / "r.sqlite")
    old = TASK.id
    monkeypatch.setattr("fecnn.simulation.store.STREAM", STREAM + 1)
    monkeypatch.setattr("fecnn.simulation.task.STREAM", STREAM + 1)
    today = replace(TASK)
    assert today.id != old
    with Store(tmp_path / "r.sqlite", write=True) as store:
        assert store.batches(today) == {}
        store.append(today, 0, counts())
        assert {row["task"] for row in store.rows()} == {old, today.id}
    with Store(tmp_path / "pooled.sqlite", write=True) as pooled, Store(tmp_path / "r.sqlite") as part:
        assert pooled.pool(part) == (4, 0)


ENDLESS = "with recursive c(x) as (select 1 union all select x + 1 from c) select x as task, x as i from c"


@pytest.mark.parametrize("write", [True, False], ids=["write", "read"])
@pytest.mark.parametrize(
    "statements",
    [
        ["alter table batch rename to other", f"create view batch as {ENDLESS}"],
        ["create trigger sly before insert on batch begin delete from batch; end"],
        ["create table more as select * from batch", "drop table batch", "alter table more rename to batch"],
        ["create table curve (x int)"],
        ["alter table batch add column huge blob as (zeroblob(900000000))"],
        [f"create view beside as {ENDLESS}"],
        ["drop table task"],
        ["alter table batch drop column ml_errors"],
        ["pragma user_version = 0"],
        ["pragma user_version = -1"],
    ],
)
def test_a_store_with_programs_or_without_its_tables_is_refused(tmp_path, statements, write):
    path = hostile(tmp_path / "r.sqlite", *statements)
    with pytest.raises(
        StoreError, match=r"r\.sqlite is damaged \(its tables are not those of a results file"
    ):
        Store(path, write=write)


def test_no_value_is_as_large_as_a_file_claims(tmp_path):
    path = hostile(tmp_path / "r.sqlite", "update batch set host = zeroblob(20000000)")
    with Store(path) as store, pytest.raises(StoreError, match=r"r\.sqlite cannot be read: .*too big"):
        list(store.rows())


def test_a_decoder_that_a_store_names_is_not_imported(tmp_path, monkeypatch):
    """Stores travel: only the study that somebody wrote says which modules are loaded."""
    (tmp_path / "sprung.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    monkeypatch.syspath_prepend(tmp_path)
    plan = tmp_path / "mine.toml"
    plan.write_text(
        'title = "t"\ncode = "hamming-7-4"\nebn0_db = [2]\nbatch = 64\n'
        '[[curve]]\ndecoder = "ml"\n[[curve]]\ndecoder = "hard"\n'
    )
    study = load_study(plan)
    trap = replace(TASK, decoder="sprung:make", options=(("module", "sprung"),))
    with Store(tmp_path / "mine.sqlite", write=True) as store:
        for task in (trap, *(point.task for point in study.points)):
            store.append(task, 0, counts())
    with Store(tmp_path / "mine.sqlite") as store:
        assert trap.decoder in {row["decoder"] for row in store.rows()}
        assert len(store.batches(trap)) == 1
    assert len(fecnn.table(study, tmp_path / "mine.sqlite")) == 2
    assert compare(study, "ml", "hard", tmp_path / "mine.sqlite")
    exported = tmp_path / "all.csv"
    told = CliRunner().invoke(app, ["export", str(plan), str(exported), "--out", str(tmp_path)])
    assert told.exit_code == 0, told.output
    assert "sprung:make" in exported.read_text()
    for command in (["table", str(plan)], ["compare", str(plan), "ml", "hard"]):
        assert CliRunner().invoke(app, [*command, "--out", str(tmp_path)]).exit_code == 0
    assert not (tmp_path / "ran").exists()
    assert "sprung" not in sys.modules


def test_options_that_are_named_like_ours_stay_what_they_are(tmp_path):
    options = (("weights", "./mine.pt"), ("weights_sha256", "0" * 64))
    theirs = replace(TASK, decoder="mydec:make", options=options, source="a version")
    with Store(tmp_path / "r.sqlite", write=True) as store:
        store.append(theirs, 0, counts())
        assert set(store.batches(theirs)) == {0}
        (row,) = store.rows()
        assert json.loads(row["options"]) == dict(options)


def test_nothing_lies_beside_a_file_that_nobody_has_open(tmp_path):
    """Whoever closes it last: a writer, or a reader that came while it was written."""
    path = tmp_path / "r.sqlite"
    with Store(path, write=True) as store:
        store.append(TASK, 0, counts())
    with Store(path) as reader:
        assert len(list(reader.rows())) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["r.sqlite"]
    writer, reader = Store(path, write=True), Store(path)
    writer.append(TASK, 1, counts(1))
    writer.close()
    assert len(list(reader.rows())) == 2
    reader.close()
    assert [file.name for file in tmp_path.iterdir()] == ["r.sqlite"]


def test_a_reader_writes_nothing(tmp_path):
    with Store(tmp_path / "r.sqlite", write=True) as store:
        store.append(TASK, 0, counts())
    before = (tmp_path / "r.sqlite").read_bytes()
    with Store(tmp_path / "r.sqlite") as reader, pytest.raises(StoreError, match="readonly"):
        reader.append(TASK, 1, counts(1))
    assert (tmp_path / "r.sqlite").read_bytes() == before
