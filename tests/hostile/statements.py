"""SQL statements that make a well-formed database of a store that is none: (statement, values)."""

import functools
import math
import zlib

from fecnn.simulation.tally import COUNTS

# fmt: off
VALUES = (
    -1, 0, 1, 64, 65, 2**31, 2**62, -(2**63), 1.5, math.inf, -1e300, "many", "", "7", None, b"",
    b"\xff" * 9,
)
CONTENTS = (
    "", "null", "[]", "3", "{}", '{"options": 3}', '{"options": [[1]], "code": ""}', '{"options": []}',
    "[" * 5000, "{" * 20, '{"a":' * 5000, "9" * 5000, '{"options": {"a": [[]]}, "code": 0, "seed": NaN}',
    b"\xff", b"x",
)
# fmt: on
EDITS_OF_CONTENT = (
    ('"options"', '"optons"'),
    ('"code"', '"cde"'),
    (": ", ":["),
    ("64", "1e400"),
    ("[", "{"),
)
EDITS_OF_SCHEMA = (
    ("integer", "text"),
    ("without rowid", ""),
    ("frames", "fames"),
    ("primary key (task, i)", "check (1)"),
)
ENDLESS = "with recursive c(x) as (select 1 union all select x + 1 from c) select "
COLUMNS = ", ".join(("0 as task", "x as i", *(f"x as {name}" for name in COUNTS), "x'' as flags"))
SCHEMAS = (
    "create view extra as " + ENDLESS + "x from c",
    "create table extra (x)",
    "create index extra on batch (frames)",
    "create index extra on task (abs(length(content)))",
    "create trigger extra before insert on batch begin delete from batch; end",
    "alter table batch add column extra blob as (zeroblob(900000000))",
    "alter table batch rename to other",
    "drop table task",
    "delete from task",
)
LIES = (
    f"create view batch as {ENDLESS}{COLUMNS}, '' as version, '' as host, '' as time from c",
    "create table batch (task text, i integer, frames integer as (zeroblob(900000000)))",
    "create view batch as select zeroblob(900000000) as i",
    "create table batch (x)",
    "nonsense",
    "",
)


def statement(rng):
    """A statement and its values."""
    return rng.choice(KINDS)(rng)


def count(rng):
    return f"update batch set {rng.choice(COUNTS)} = ?{batches(rng)}", (rng.choice(VALUES),)


def flags(rng):
    good = zlib.compress(bytes(8))
    others = (b"", b"x", zlib.compress(b"")[:5], zlib.compress(bytes(7)), zlib.compress(bytes(9)))
    bombs = (bomb(1 << 12), bomb(1 << 18), bomb(1 << 28))
    value = rng.choice((*others, *bombs, good + b"more", rng.choice(VALUES)))
    return f"update batch set flags = ?{batches(rng)}", (value,)


def origin(rng):
    column = rng.choice(("i", "version", "host", "time", "task"))
    return f"update batch set {column} = ?{batches(rng)}", (rng.choice(VALUES),)


def task(rng):
    return "update task set content = ?", (rng.choice(CONTENTS),)


def edited_task(rng):
    return "update task set content = replace(content, ?, ?)", rng.choice(EDITS_OF_CONTENT)


def version(rng):
    name = rng.choice(("user_version", "application_id"))
    return f"pragma {name} = {rng.choice((-1, 0, 1, 2, 3, 2**31 - 1))}", ()


def column(rng):
    return f"alter table batch drop column {rng.choice((*COUNTS, 'flags', 'host', 'version'))}", ()


def schema(rng):
    return rng.choice(SCHEMAS), ()


def lie(rng):
    """The schema says that the table is something else, or elsewhere."""
    values = rng.choice(LIES), rng.choice(("table", "view", "index", "x"))
    page = rng.choice((0, 1, 2, 3, 4, 5, 99, 2**40))
    return "update sqlite_master set sql = ?, type = ?, rootpage = ? where name = 'batch'", (*values, page)


def root(rng):
    return f"update sqlite_master set rootpage = {rng.choice((0, 1, 2, 3, 99))} where name = 'task'", ()


def edited_schema(rng):
    return "update sqlite_master set sql = replace(sql, ?, ?)", rng.choice(EDITS_OF_SCHEMA)


KINDS = (
    *[count] * 4,
    *[flags] * 2,
    origin,
    *[task] * 2,
    edited_task,
    version,
    column,
    schema,
    lie,
    root,
    edited_schema,
)


def batches(rng):
    """Which batches a statement is for."""
    return rng.choice(("", " where i = 0", " where i = 1"))


@functools.cache
def bomb(size):
    """Bytes that zlib makes ``size`` bytes of."""
    return zlib.compress(bytes(size))
