"""Results files are verified by simulating some of their batches again."""

import sqlite3
import sys
import zlib
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from study_runs import make, ml_and_osd, run_all

import fecnn
from fecnn.errors import StoreError
from fecnn.simulation.store import Store
from fecnn.simulation.tally import COUNTS

STUDY = ml_and_osd([0, 2], 50, "frames = 200", label="ordered")


@pytest.fixture
def study(tmp_path):
    return make(tmp_path, STUDY)


@pytest.fixture
def file(study, tmp_path):
    path = tmp_path / "r.sqlite"
    run_all(study, path)
    return path


def change(file, statement, *values):
    with closing(sqlite3.connect(file)) as base, base:
        assert base.execute(statement, values).rowcount == 1


def forge(file, task, i, flags=None, **changed):
    """Other counts of a batch, which the file's own checks accept."""
    names = [f"{name} = ?" for name in (*changed, *(["flags"] if flags else []))]
    values = [*changed.values(), *([zlib.compress(flags)] if flags else [])]
    change(file, f"update batch set {', '.join(names)} where task = ? and i = ?", *values, task.id, i)


def test_an_honest_file_is_equal(study, file):
    checks = list(fecnn.verify(file, study=study, seconds=None))
    with Store(file) as store:
        stored = {(point.task.id, i) for point in study.points for i in store.batches(point.task)}
    assert {(check.task.id, check.batch) for check in checks} == stored
    assert len(checks) == len(stored) == 16
    assert all(check.equal and check.obstacle is None for check in checks)
    assert {check.curve: check.stored for check in checks} == {"ml": 8, "ordered": 8}


def test_without_its_study_curves_are_named_by_their_decoders(file):
    checks = list(fecnn.verify(file, batches=1))
    assert {check.curve for check in checks} == {"ml of hamming-7-4", "osd (order 1) of hamming-7-4"}
    assert len(checks) == 2


def test_every_point_has_its_turn_before_another_batch_of_it(study, file):
    checks = list(fecnn.verify(file, study=study, batches=4))
    for curve in ("ml", "ordered"):
        levels = [check.task.ebn0_db for check in checks if check.curve == curve]
        assert sorted(levels[:2]) == sorted(levels[2:]) == [0.0, 2.0]


def test_a_seed_draws_the_same_batches_again(study, file):
    def drawn(seed):
        return {(it.task.id, it.batch) for it in fecnn.verify(file, study=study, batches=2, seed=seed)}

    assert drawn(5) == drawn(5)
    assert len({frozenset(drawn(seed)) for seed in range(8)}) > 1


@pytest.mark.parametrize("name", [name for name in COUNTS if name not in ("seconds", "frames")])
def test_an_edited_count_is_found_when_its_batch_is_drawn(study, file, name):
    task = study.points[0].task
    with Store(file) as store:
        counts = store.batch(task, 2)
    changed = {name: getattr(counts, name) + 2}
    if name.endswith("_sq"):
        changed[name] = getattr(counts, name) + 4
    elif name == "block_errors":
        more = ("block_errors", "code_bit_errors", "code_bit_errors_sq")
        changed = {it: getattr(counts, it) + 1 for it in more}
    elif name == "refused_errors":
        changed["refusals"] = 2
    elif name == "ml_errors":
        changed = {name: counts.ml_errors - 1}
    elif name in ("bit_errors", "code_bit_errors"):
        changed[f"{name}_sq"] = getattr(counts, f"{name}_sq") + (4 if name == "bit_errors" else 14)
    flags = None
    if name == "block_errors":
        bits = np.unpackbits(np.frombuffer(counts.flags, np.uint8))
        bits[bits[:50].argmin()] = 1
        flags = np.packbits(bits).tobytes()
    forge(file, task, 2, flags, **changed)
    wrong = [check for check in fecnn.verify(file, study=study, seconds=None) if not check.equal]
    assert [(check.curve, check.task.ebn0_db, check.batch) for check in wrong] == [("ml", 0.0, 2)]
    assert any(difference.startswith(f"{name}: ") for difference in wrong[0].differences)


def test_other_wrong_frames_are_found(study, file):
    task = study.points[3].task
    with Store(file) as store:
        bits = np.unpackbits(np.frombuffer(store.flags(task, 1), np.uint8), count=50)
    forge(file, task, 1, np.packbits(np.roll(bits, 1)).tobytes())
    wrong = [check for check in fecnn.verify(file, seconds=None) if not check.equal]
    assert [check.differences for check in wrong] == [("other frames are wrong",)]


def test_a_decoding_time_may_differ(study, file):
    forge(file, study.points[0].task, 0, seconds=3.0)
    assert all(check.equal for check in fecnn.verify(file, seconds=None))


def test_counts_that_contradict_each_other_are_found_without_being_drawn(study, file):
    forge(file, study.points[1].task, 3, block_errors=49)
    with pytest.raises(StoreError, match=r"batch 3 of task .* contradicts itself"):
        list(fecnn.verify(file, seconds=0))


def test_a_batch_that_takes_too_long_is_said_so(study, file):
    with closing(sqlite3.connect(file)) as base, base:
        base.execute(
            "update batch set seconds = 400 where task in (?, ?)", [p.task.id for p in study.points[:2]]
        )
    checks = list(fecnn.verify(file, study=study, seconds=10))
    assert [it.obstacle for it in checks if it.curve == "ml"] == [
        "not enough time: a batch takes about 4e+02 s"
    ]
    assert sum(it.equal for it in checks if it.curve == "ordered") == 8


@pytest.mark.parametrize(
    ("option", "words"), [({"batches": 0}, "batches must"), ({"seconds": -1}, "seconds must")]
)
def test_impossible_numbers_are_refused(file, option, words):
    with pytest.raises(ValueError, match=words):
        list(fecnn.verify(file, **option))


# What is not here, or is another


def only(checks):
    (check,) = checks
    assert check.batch is None
    return check.obstacle


def one_curve(tmp_path, curve, code='"hamming-7-4"', name="s.toml"):
    plan = make(
        tmp_path,
        f'title = "t"\nebn0_db = 1\nbatch = 20\nstop = {{ frames = 20 }}\n[[curve]]\ncode = {code}\n{curve}',
        name,
    )
    path = tmp_path / "one.sqlite"
    run_all(plan, path)
    return plan, path


def test_a_code_file_that_is_missing_or_another(tmp_path):
    fecnn.save_code(fecnn.hamming(3), tmp_path / "mine.toml", source="s")
    _, path = one_curve(tmp_path, 'decoder = "ml"', '"mine.toml"')
    (tmp_path / "moved").mkdir()
    (tmp_path / "mine.toml").rename(tmp_path / "moved" / "mine.toml")
    assert f"its code file {tmp_path / 'mine.toml'} is not here" in only(fecnn.verify(path))
    (tmp_path / "moved" / "s.toml").write_text((tmp_path / "s.toml").read_text())
    (check,) = fecnn.verify(path, study=fecnn.load_study(tmp_path / "moved" / "s.toml"))
    assert check.equal  # the study says where the code is now
    fecnn.save_code(fecnn.hamming(4), tmp_path / "mine.toml", source="s")
    assert "is another code here" in only(fecnn.verify(path))
    (tmp_path / "mine.toml").write_text("n = 7")
    assert "its code cannot be loaded" in only(fecnn.verify(path))


def test_a_study_that_lost_a_point_still_says_where_its_code_is(tmp_path):
    fecnn.save_code(fecnn.hamming(3), tmp_path / "mine.toml", source="s")
    plan, path = one_curve(tmp_path, 'decoder = "ml"\nebn0_db = [1, 2]', '"mine.toml"')
    text = plan.path.read_text().replace("[1, 2]", "2")
    (tmp_path / "moved").mkdir()
    (tmp_path / "mine.toml").rename(tmp_path / "moved" / "mine.toml")
    checks = list(fecnn.verify(path, study=make(tmp_path / "moved", text, "s.toml")))
    assert sorted(check.task.ebn0_db for check in checks) == [1.0, 2.0]
    assert all(check.equal for check in checks)
    assert {check.curve for check in checks} == {"ml of mine.toml"}


def test_weights_that_are_missing_or_others(tmp_path):
    _, path = one_curve(tmp_path, 'decoder = "literature-slnn"\noptions = { weights = "slnn-7-hamming-7-4" }')
    (check,) = fecnn.verify(path)
    assert check.equal
    with Store(path) as store:
        (task,) = store.tasks()
    other = replace(task, weights=replace(task.weights, sha256="0" * 64))
    assert "the weights of slnn-7-hamming-7-4 differ" in only(fecnn.verify(restated(tmp_path, path, other)))
    gone = replace(task, weights=replace(task.weights, place="slnn-none"))
    assert "its network is not here: no trained network" in only(fecnn.verify(restated(tmp_path, path, gone)))


def restated(tmp_path, path, task, known=None):
    """The one batch of a file as one of another task."""
    with Store(path) as store:
        (old,) = store.tasks()
        counts = store.batch(old, 0)
    made = tmp_path / f"{task.id[:8]}.sqlite"
    with Store(made, write=True) as store:
        store.append(task, 0, counts)
    if known is not None:
        change(made, "update task set id = ?", known)
        change(made, "update batch set task = ?", known)
    return made


FOREIGN = "import fecnn\ndef mine(code, channel=None, /):\n    return fecnn.decoder('ml', code)\n"


def test_foreign_code_runs_only_if_allowed_and_unchanged(tmp_path):
    (tmp_path / "my_ml.py").write_text(FOREIGN)
    _, path = one_curve(tmp_path, 'decoder = "./my_ml.py:mine"')
    assert "decoder my_ml:mine does not ship with fecnn" in only(fecnn.verify(path))
    (check,) = fecnn.verify(path, foreign_code=True)
    assert check.equal
    (tmp_path / "my_ml.py").write_text(FOREIGN + "# edited\n")
    assert "is another version" in only(fecnn.verify(path, foreign_code=True))
    (tmp_path / "my_ml.py").unlink()
    assert "its decoder is not here" in only(fecnn.verify(path, foreign_code=True))


def test_a_file_cannot_make_anything_run(tmp_path, monkeypatch):
    _, path = one_curve(tmp_path, 'decoder = "ml"')
    with Store(path) as store:
        (task,) = store.tasks()
    (tmp_path / "evil.py").write_text("raise SystemExit('evil')")
    for decoder in ("evil:run", "os:system", "fecnn.cli.app:main"):
        for source in (None, "0" * 64):
            other = replace(task, decoder=decoder, source=source, home=str(tmp_path))
            assert "does not ship with fecnn" in only(fecnn.verify(restated(tmp_path, path, other)))
    other = replace(task, decoder="evil:run", home=str(tmp_path))
    assert "is another version" in only(fecnn.verify(restated(tmp_path, path, other), foreign_code=True))
    assert "evil" not in sys.modules


def test_a_study_allows_its_own_decoders_only(tmp_path):
    (tmp_path / "my_ml.py").write_text(FOREIGN)
    plan, path = one_curve(tmp_path, 'decoder = "./my_ml.py:mine"')
    (check,) = fecnn.verify(path, study=plan)
    assert check.equal
    assert "does not ship" in only(fecnn.verify(path, study=plan, foreign_code=False))
    with Store(path) as store:
        (task,) = store.tasks()
    strange = restated(tmp_path, path, replace(task, seed=7))
    assert "does not ship" in only(fecnn.verify(strange, study=plan))


@pytest.mark.parametrize(
    "changes",
    [
        {"fingerprint": 5},
        {"ebn0_db": "much"},
        {"ebn0_db": 1e999},
        {"channel": "none"},
        {"options": (("order", 1),)},
        {"code": 5},
        {"code": "/dev/zero"},
        {"sender": "/dev/stdin", "sender_fingerprint": "0"},
    ],
)
def test_a_task_of_nonsense_is_an_obstacle(tmp_path, changes):
    _, path = one_curve(tmp_path, 'decoder = "ml"')
    with Store(path) as store:
        (task,) = store.tasks()
    assert only(fecnn.verify(restated(tmp_path, path, replace(task, **changes))))


def test_batches_of_another_stream_are_not_checked(tmp_path, monkeypatch):
    _, path = one_curve(tmp_path, 'decoder = "ml"')
    monkeypatch.setattr("fecnn.simulation.task.STREAM", 2)
    monkeypatch.setattr("fecnn.simulation.store.STREAM", 2)
    assert "another version of the noise" in only(fecnn.verify(path))


# The command


def test_the_command_says_what_was_checked(call, tmp_path, study, file):
    done = call("verify", file, "--seed", 3)
    assert "16 of 16 batches (100.0%) simulated again with seed 3: all equal" in done.stdout
    assert done.stdout.count(" equal ") == 2
    forge(file, study.points[0].task, 0, work=99)
    done = call("verify", file, code=1)
    assert "ml of hamming-7-4 at 0.0 dB, batch 0 differs: work: 99 in the file" in done.stderr
    assert "1 DIFFER" in done.stdout
    assert "no results in" in call("verify", "none.sqlite", code=1).stderr
    (tmp_path / "text.sqlite").write_text("mine " * 100)
    assert "not a database" in call("verify", "text.sqlite", code=1).stderr


def test_the_command_takes_a_study_and_its_folder(call, tmp_path):
    make(tmp_path, STUDY, "small.toml")
    call("run", "small.toml", "--out", "there", "--workers", 1)
    done = call("verify", "small.toml", "--out", "there", "--batches", 1)
    assert "2 of 16 batches (12.5%)" in done.stdout
    assert "ordered" in done.stdout


def test_the_command_fails_if_nothing_could_be_checked(call, tmp_path):
    (tmp_path / "my_ml.py").write_text(FOREIGN)
    one_curve(tmp_path, 'decoder = "./my_ml.py:mine"')
    done = call("verify", "one.sqlite", code=1)
    assert "my_ml:mine does not ship with fecnn; --foreign-code allows it to run" in done.stderr
    assert "nothing was checked" in done.stdout
    assert "all equal" in call("verify", "one.sqlite", "--foreign-code").stdout


def test_estimates_are_not_checked_and_said_so(call, tmp_path):
    make(tmp_path, STUDY + '[[curve]]\nlabel = "rare"\ndecoder = "ml"\nmethod = "rare"\n', "small.toml")
    call("run", "small.toml")
    assert "2 estimated points are not checked" in call("verify", "small.toml").stdout


def test_codes_made_of_others_are_made_again(tmp_path):
    """A results file says how its codes are made, and that is all that is needed to check it."""
    plan = make(
        tmp_path,
        """
title = "t"
ebn0_db = [3.0]
stop = { frames = 512 }
batch = 256
[[curve]]
code = { code = "ccsds-128-64", puncture = [3, 70], shorten = 2 }
decoder = "bp"
[[curve]]
code = { family = "nr_ldpc", k = 20, n = 48 }
decoder = "bp"
[[curve]]
code = { family = "nr_polar", k = 20, e = 100, link = "uplink" }
decoder = "scl"
label = "5G polar"
""",
    )
    names = [point.code.name for point in plan.points]
    assert names == ["ccsds-128-64-shortened-punctured-124-62", "nr-ldpc-48-20", "nr-polar-uplink-100-20"]
    assert [curve.name for curve in plan.curves] == [
        "bp of ccsds-128-64-shortened-punctured-124-62",
        "bp of nr-ldpc-48-20",
        "5G polar",
    ]
    path = tmp_path / "r.sqlite"
    run_all(plan, path)
    table = fecnn.table(plan, path)
    assert set(table["code"]) == set(names)
    found = list(fecnn.verify(path, seconds=None))
    assert len(found) == 6
    assert all(check.equal for check in found)
