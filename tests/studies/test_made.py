"""Studies from Python objects."""

import dataclasses
import json

import numpy as np
import pytest

import fecnn
from fecnn.simulation.cluster import files_of, unpacked
from fecnn.simulation.task import Task
from fecnn.studies.run import store_path

STOP = {"frames": 4096}
ADVICE = " (give your own code by its path, such as ./my_code.toml)"
NEAREST = """
import numpy as np
import fecnn
def nearest(code, channel=None, /, *, scale=1.0):
    book = code.codebook()
    return lambda llr: book[np.argmax(scale * llr @ fecnn.bpsk(book).T.astype(np.float32), axis=1)]
"""


@pytest.fixture
def nearest(tmp_path, monkeypatch):
    (tmp_path / "mydecoders.py").write_text(NEAREST)
    monkeypatch.syspath_prepend(tmp_path)
    import mydecoders

    return mydecoders.nearest


def errors(study, folder):
    found = {
        step.point.curve: step.total.block_errors for step in fecnn.run(study, store=folder / "r.sqlite")
    }
    return found


def test_codes_decoders_and_grids_may_be_objects(tmp_path, nearest):
    code = fecnn.Code.from_parity_check(fecnn.hamming(3).H, name="mine")
    study = fecnn.make_study(
        "mine",
        code=code,
        ebn0_db=range(2, 4),
        stop=STOP,
        curves=[nearest, "ml", {"decoder": "ml", "code": fecnn.golay()}],
    )
    assert [curve.name for curve in study.curves] == ["nearest", "ml", "ml of golay-24-12"]
    assert [point.ebn0_db for point in study.points] == [2.0, 3.0] * 3
    assert study.points[0].code == code or study.points[0].code.fingerprint == code.fingerprint
    found = errors(study, tmp_path)
    assert found["nearest"] == found["ml"] > 0
    assert len(fecnn.table(study, tmp_path / "r.sqlite")) == 6


def test_a_study_has_the_results_of_one_from_a_file(tmp_path, nearest):
    made = fecnn.make_study("a", code="hamming-7-4", ebn0_db=3, stop=STOP, curves=["ml", nearest])
    (tmp_path / "b.toml").write_text(
        'title = "b"\ncode = "hamming-7-4"\nebn0_db = [3.0]\nstop = { frames = 4096 }\n'
        '[[curve]]\ndecoder = "ml"\n[[curve]]\ndecoder = "./mydecoders.py:nearest"\n'
    )
    read = fecnn.load_study(tmp_path / "b.toml")
    assert [point.task.id for point in made.points] == [point.task.id for point in read.points]


def test_it_has_a_name_and_no_files_but_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reference.csv").write_text("this is another study's")
    study = fecnn.make_study("first", code=fecnn.hamming(3), ebn0_db=[3], curves=["ml"])
    assert (study.name, study.title, study.references) == ("first", "first", [])
    assert str(store_path(study)) == "fecnn-results/first.sqlite"


def test_a_code_in_memory_travels_to_workers(tmp_path):
    code = fecnn.Code.from_generator(
        np.eye(3, 7, dtype=np.uint8) + np.eye(3, 7, 3, dtype=np.uint8), name="mine"
    )
    (point,) = fecnn.make_study("s", code=code, ebn0_db=3, curves=["ml"]).points
    (content,) = files_of(point.task).values()
    (tmp_path / "code.toml").write_bytes(content["code.toml"])
    assert fecnn.load_code(tmp_path / "code.toml").fingerprint == code.fingerprint
    assert unpacked(point.task) == point.task  # here it is held
    assert Task.of(json.loads(json.dumps(point.task.described()))) == point.task


def test_what_is_wrong_is_told_at_once():
    with pytest.raises(ValueError, match=r"letters, digits, '-', '_' and '\.', got '\.\./x'"):
        fecnn.make_study("../x", code="hamming-7-4", ebn0_db=3, curves=["ml"])
    with pytest.raises(
        ValueError, match=r"s has 2 problems:\n  - curve 1\.lable: unknown key; did you mean label"
    ):
        fecnn.make_study("s", code="hamming-7-4", ebn0_db=3, curves=[{"decoder": "ml", "lable": "x"}], sead=3)
    with pytest.raises(ValueError, match="problems") as refused:
        fecnn.make_study(
            "s",
            code="hamming-7-5",
            ebn0_db=3,
            curves=["mll", {"decoder": "osd", "options": {"ordr": 1}}, {"decoder": "ml", "lable": "x"}],
        )
    assert [line.replace(ADVICE, "") for line in str(refused.value).splitlines()] == [
        "s has 4 problems:",
        "  - curve 3.lable: unknown key; did you mean label?",
        "  - code: unknown code 'hamming-7-5'; did you mean hamming-7-4 or hamming-31-26 or hamming-15-11?; "
        'other sizes are made by a table, such as { family = "hamming", r = 3 }',
        "  - curve mll: no decoder 'mll'; did you mean ml or mlnn?",
        "  - curve osd (ordr 1): decoder osd has no option 'ordr'; did you mean order?",
    ]
    with pytest.raises(ValueError, match="no decoder 'mll'"):
        fecnn.make_study("s", code="hamming-7-4", ebn0_db=3, curves=["mll"])
    with pytest.raises(
        TypeError, match="<lambda> is not a function that a file defines by its name: save it"
    ):
        fecnn.make_study("s", code="hamming-7-4", ebn0_db=3, curves=[lambda llr: llr < 0])


def test_a_run_that_nobody_iterates_says_so_and_one_is_finished_by_a_call(tmp_path):
    study = fecnn.make_study("s", code="hamming-7-4", ebn0_db=3, stop=STOP, curves=["ml"])
    with pytest.warns(
        RuntimeWarning, match=r"nothing was simulated: loop over fecnn\.run\(\.\.\.\), or call its finish"
    ):
        fecnn.run(study, store=tmp_path / "r.sqlite")
    fecnn.run(study, store=tmp_path / "r.sqlite").finish()
    assert fecnn.table(study, tmp_path / "r.sqlite")["frames"].tolist() == [4096]


def test_a_code_may_be_a_table_of_what_it_is_made_of(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fecnn.write_alist(fecnn.hamming(3).H, "mine.alist")
    tables = [
        {"family": "nr_polar", "k": 16, "e": 32, "link": "uplink"},
        {"code": "ccsds-128-64", "puncture": 16},
        {"code": "hamming-7-4", "shorten": [0, 2]},
        {"parity_check": "mine.alist"},
        {"code": "./mine.alist", "extend": True},
    ]
    for table in tables:
        study = fecnn.make_study(
            "table", code=table, ebn0_db=3, curves=["hard", {"decoder": "osd", "code": table}]
        )
        loaded = fecnn.load_code(table)
        assert {point.code.fingerprint for point in study.points} == {loaded.fingerprint}, table


def test_a_table_is_called_by_its_codes_name():
    other = {"code": "ccsds-128-64", "puncture": [0, 2], "name": "mine"}
    polar = {"family": "nr_polar", "k": 16, "e": 32, "link": "uplink"}
    codes = [{"code": "ccsds-128-64", "puncture": [0, 1]}, other, polar]
    study = fecnn.make_study("named", ebn0_db=3, curves=[{"decoder": "hard", "code": codes}])
    names = ["ccsds-128-64-punctured-126-64", "mine", "nr-polar-uplink-32-16"]
    assert [curve.name for curve in study.curves] == [f"hard of {name}" for name in names]


def test_different_codes_of_one_name_are_refused():
    said = "decode different codes of one name"
    cut = [{"code": "ccsds-128-64", "puncture": [0, place]} for place in (1, 2)]
    with pytest.raises(ValueError, match=rf"=\[0, 1\]\) and hard of .*\[0, 2\]\) {said}"):
        fecnn.make_study("alike", ebn0_db=3, curves=[{"decoder": "hard", "code": cut}])
    code = fecnn.random_code(12, 6, 1)
    curves = [
        {"decoder": "ml", "code": dataclasses.replace(code, G=code.G[::-1])},
        {"decoder": "osd", "code": code},
    ]
    assert fecnn.make_study("same", ebn0_db=3, curves=curves)
    curves[1]["code"] = dataclasses.replace(fecnn.random_code(12, 6, 2), name=code.name)
    with pytest.raises(ValueError, match=said):
        fecnn.make_study("alike", ebn0_db=3, curves=curves)
