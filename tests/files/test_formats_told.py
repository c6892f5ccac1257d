"""docs/file-formats.md lists the keys, defaults and columns that the code has, in its order."""

import json
import re
import sqlite3
from pathlib import Path

import pytest
from pydantic import BaseModel
from study_runs import shipped

import fecnn
from fecnn.analysis import table as results
from fecnn.channels.receiver import MOST_BITS
from fecnn.channels.registry import REGISTRY as CHANNELS
from fecnn.codes.codefile import CodeFile, MotherTable
from fecnn.nets.card import Card, Model, Validated, Validation
from fecnn.simulation import store
from fecnn.studies.reference import COLUMNS, OPTIONAL
from fecnn.studies.study import (
    MAX_POINTS,
    ML_REL_ERROR,
    REL_ERROR,
    CodeTable,
    Curve,
    Grid,
    ReceiverTable,
    StopTable,
    Study,
)
from fecnn.training.recipe import Check, Data, EarlyStop, Optimiser, Training

PAGE = (Path(__file__).parents[2] / "docs" / "file-formats.md").read_text()

MODELS = {
    "Study": Study,
    "Curve": Curve,
    "Receiver": ReceiverTable,
    "Stop": StopTable,
    "Grid": Grid,
    "Code of a study": CodeTable,
    "Code file": CodeFile,
    "Mother of a code": MotherTable,
    "Training": Training,
    "Model": Model,
    "Data": Data,
    "Optimiser": Optimiser,
    "Early stop": EarlyStop,
    "Check": Check,
    "Trained network": Card,
    "Validation": Validation,
    "Validated point": Validated,
}


def rows_after(what):
    """The cells of the first table after a text that stands once."""
    assert PAGE.count(what) == 1, what
    lines = PAGE[PAGE.index(what) :].splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def default_of(field):
    """As a TOML file would say it."""
    if field.is_required():
        return "required"
    default = field.default
    if default is None:
        return ""
    if isinstance(default, BaseModel):
        said = default.model_dump(exclude_defaults=True)
        inside = ", ".join(f"{key} = {value}" for key, value in said.items())
        return f"`{{ {inside} }}`" if said else "`{}`"
    if isinstance(default, int) and default >= 10_000:
        return f"`{default:_}`"
    return f"`{json.dumps(default)}`"


@pytest.mark.parametrize("head", MODELS)
def test_keys_and_defaults_are_those_of_the_model(head):
    (level,) = re.findall(rf"^(#+) {head}$", PAGE, re.MULTILINE)
    told = [(row[0], row[2]) for row in rows_after(f"\n{level} {head}\n")]
    fields = MODELS[head].model_fields
    assert told == [(f"`{field.alias or name}`", default_of(field)) for name, field in fields.items()]


def test_every_table_of_a_file_is_told():
    """None of the models that these are made of is missing."""
    used = set()

    def look(kind):
        for field in kind.model_fields.values():
            for name in re.findall(r"[\w.]+", repr(field.annotation)):
                last = name.rpartition(".")[2]
                used.update(one for one in known if one.__name__ == last)

    known = {sub for base in BaseModel.__subclasses__() for sub in (base, *base.__subclasses__())}
    known = {one for one in known if one.__module__.startswith("fecnn.")}
    for kind in MODELS.values():
        look(kind)
    assert used <= set(MODELS.values())
    assert {Curve, StopTable, Grid, CodeTable, Model, Data, Optimiser, Check, Validated} <= used


def test_limits_and_choices():
    assert f"at most {MAX_POINTS:,}" in PAGE
    assert f"{ML_REL_ERROR} for `ml` and {REL_ERROR} for others" in PAGE
    (channel,) = [row for row in rows_after("\n## Study\n") if row[0] == "`channel`"]
    assert sorted(re.findall(r'"(\w+)"', channel[1])) == sorted(CHANNELS)
    (bits,) = [row for row in rows_after("\n### Receiver\n") if row[0] == "`bits`"]
    assert bits[1] == f"2 to {MOST_BITS}"


def test_columns_of_published_points():
    (line,) = re.findall(r"^A CSV file with a header line: (.*)$", PAGE, re.MULTILINE)
    assert re.findall(r"`(\w+)`", line) == [*COLUMNS, *OPTIONAL]


def test_columns_of_the_results_file(tmp_path):
    study = fecnn.make_study(
        "mine",
        code="hamming-7-4",
        ebn0_db=[8],
        stop={"frames": 100},
        batch=100,
        curves=["ml", {"decoder": "ml", "method": "rare", "rel_error": 0.5}],
    )
    path = tmp_path / "results.sqlite"
    fecnn.run(study, workers=1, store=path).finish()
    db = sqlite3.connect(path)
    db.execute(store._CURVES)
    found = {name for (name,) in db.execute("select name from sqlite_master where type = 'table'")}
    assert found == set(store._KEYS)
    for name in found:
        told = [(row[0].strip("`"), row[1]) for row in rows_after(f"\n`{name}`: ")]
        assert told == [(row[1], row[2].lower()) for row in db.execute(f"pragma table_info({name})")]
    ((content,),) = db.execute("select content from task").fetchall()
    told = {row[0].strip("`") for row in rows_after("\n`content` of a task:\n")}
    assert told == set(json.loads(content))
    ((application,), (schema,)) = (
        db.execute(f"pragma {name}").fetchone() for name in ("application_id", "user_version")
    )
    assert f"`application_id` is 0x{application:X}" in PAGE
    assert f"`user_version` is the schema, {schema}." in PAGE
    db.close()


def test_columns_of_the_table_of_results():
    told = [name for row in rows_after("\n### Table of results\n") for name in re.findall(r"`(\w+)`", row[0])]
    assert told == list(results._ROW) == list(shipped("osd-variants")[1].columns)
