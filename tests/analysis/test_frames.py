"""Single frames behind a study's results are made again as they were simulated."""

import json
import sqlite3
import zlib
from contextlib import closing

import numpy as np
import pytest
from study_runs import make, run_all

import fecnn
from fecnn.errors import StaleError, StoreError
from fecnn.simulation.store import Store

STUDY = """
title = "t"
code = "bch-15-7"
ebn0_db = [0, 2]
batch = 300
stop = { frames = 1200 }
[[curve]]
decoder = "ml"
[[curve]]
decoder = "hard"
"""


@pytest.fixture
def study(tmp_path):
    plan = make(tmp_path, STUDY)
    run_all(plan, tmp_path / "r.sqlite")
    return plan


def flags(path, point):
    with Store(path) as store:
        packed = [store.flags(point.task, i) for i in range(4)]
    return np.concatenate([np.unpackbits(np.frombuffer(it, np.uint8), count=300) for it in packed]).astype(
        bool
    )


@pytest.mark.parametrize("curve", ["ml", "hard"])
def test_wrong_frames_are_all_frames_that_are_wrong(study, tmp_path, curve):
    """The wrong ones, made one by one, are those of all frames, made in a row."""
    path = tmp_path / "r.sqlite"
    every = fecnn.frames(study, curve, ebn0_db=2, most=10_000, store=path)
    wrong = fecnn.frames(study, curve, ebn0_db=2, most=10_000, wrong=True, store=path)
    assert len(every) == 1200
    assert (every.frame == np.arange(1200)).all()
    assert (every.wrong == flags(path, every.point)).all()
    assert 0 < len(wrong) == every.wrong.sum() < 1200
    for name in ("frame", "batch", "llr", "sent", "decided", "ml", "proved"):
        assert (getattr(wrong, name) == getattr(every, name)[every.wrong]).all(), name
    assert wrong.wrong.all()
    assert (wrong.batch == wrong.frame // 300).all()


def test_the_arrays_are_what_they_say(study, tmp_path):
    found = fecnn.frames(study, "hard", ebn0_db=0, wrong=True, most=20, store=tmp_path / "r.sqlite")
    code = fecnn.load_code("bch-15-7")
    assert found.llr.shape == found.sent.shape == found.decided.shape == found.ml.shape == (20, 15)
    assert (found.llr.dtype, found.sent.dtype, found.frame.dtype) == (np.float32, np.uint8, np.int64)
    assert not code.syndrome(found.sent).any()
    assert (found.decided == fecnn.decoder("hard", code)(found.llr)).all()
    assert (found.ml == fecnn.decoder("ml", code)(found.llr)).all()
    assert found.proved.all()
    assert (found.ml == found.sent).all(axis=1).any()  # soft decisions repair some
    table = fecnn.table(study, tmp_path / "r.sqlite")
    errors = table[(table["curve"] == "hard") & (table["ebn0_db"] == 0)]["block_errors"].item()
    assert (
        len(fecnn.frames(study, "hard", ebn0_db=0, wrong=True, most=9999, store=tmp_path / "r.sqlite"))
        == errors
    )


def test_a_decoder_of_messages_and_its_other_versions(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import fecnn\ndef bits(code, channel=None, /):\n    decode = fecnn.decoder('hard', code)\n"
        "    return lambda llr: code.extract(decode(llr))\n"
    )
    text = STUDY.replace('"ml"', '"./mine.py:bits"').replace("[0, 2]", "2")
    plan = make(tmp_path, text, "s.toml")
    run_all(plan, tmp_path / "s.sqlite")
    name = plan.curves[0].name
    found = fecnn.frames(plan, name, wrong=True, ml=False, store=tmp_path / "s.sqlite")
    assert (found.ml, found.proved) == (None, None)
    assert not found.point.code.syndrome(found.decided).any()
    assert "ml" not in found.arrays()
    (tmp_path / "mine.py").write_text((tmp_path / "mine.py").read_text() + "# edited\n")
    with pytest.raises(StaleError, match=r"4 batches of .* by another version"):
        fecnn.frames(fecnn.load_study(tmp_path / "s.toml"), name, store=tmp_path / "s.sqlite")


def test_ml_is_left_out_where_no_method_takes_the_code(tmp_path, rng):
    H = np.hstack([rng.integers(0, 2, (200, 200), np.uint8), np.eye(200, dtype=np.uint8)])
    fecnn.write_alist(H, tmp_path / "long.alist")
    curve = 'title = "t"\ncode = "long.alist"\nebn0_db = 4\nbatch = 10\nstop = { frames = 10 }\n[[curve]]\n'
    plan = make(tmp_path, curve + 'decoder = "bp"\n', "s.toml")
    run_all(plan, tmp_path / "s.sqlite")
    found = fecnn.frames(plan, "bp", store=tmp_path / "s.sqlite")
    assert (len(found), found.ml, found.proved) == (10, None, None)


def test_decisions_that_differ_from_the_flags_are_refused(study, tmp_path):
    path = tmp_path / "r.sqlite"
    task = study.points[0].task
    with Store(path) as store:
        bits = np.unpackbits(np.frombuffer(store.flags(task, 1), np.uint8), count=300)
    with closing(sqlite3.connect(path)) as base, base:
        packed = zlib.compress(np.packbits(np.roll(bits, 1)).tobytes())
        base.execute("update batch set flags = ? where task = ? and i = 1", (packed, task.id))
    with pytest.raises(StoreError, match=r"says that ml got frame \d+ at 0 dB wrong, but it does not"):
        fecnn.frames(study, "ml", ebn0_db=0, wrong=True, store=path)


def test_a_decision_among_others_is_repeated_as_it_was_simulated(tmp_path, plugins):
    """A decoder whose decision depends on the frames around it is asked again with the same frames."""
    text = STUDY.replace('"ml"', '"plugins:batch_dependent"').replace("[0, 2]", "0")
    plan = make(tmp_path, text, "s.toml")
    run_all(plan, tmp_path / "s.sqlite")
    name = plan.curves[0].name
    every = fecnn.frames(plan, name, most=2000, store=tmp_path / "s.sqlite")
    wrong = fecnn.frames(plan, name, most=2000, wrong=True, store=tmp_path / "s.sqlite")
    assert (every.frame[every.wrong] == wrong.frame).all()


def test_what_is_impossible_is_refused(study, tmp_path):
    path = tmp_path / "r.sqlite"
    with pytest.raises(ValueError, match="ml has several points: name one as ebn0_db; known: 0, 2"):
        fecnn.frames(study, "ml", store=path)
    with pytest.raises(ValueError, match="ml has no point at 3 dB; known: 0, 2"):
        fecnn.frames(study, "ml", ebn0_db=3, store=path)
    with pytest.raises(LookupError, match="no curve 'mll'; did you mean ml"):
        fecnn.frames(study, "mll", ebn0_db=0, store=path)
    with pytest.raises(ValueError, match="most must be at least 1, got 0"):
        fecnn.frames(study, "ml", ebn0_db=0, most=0, store=path)
    with pytest.raises(FileNotFoundError):
        fecnn.frames(study, "ml", ebn0_db=0, store=tmp_path / "none.sqlite")
    for _ in fecnn.run(study, store=tmp_path / "empty.sqlite", seconds=0):
        pass
    with pytest.raises(LookupError, match="has no results of ml at 0"):
        fecnn.frames(study, "ml", ebn0_db=0, store=tmp_path / "empty.sqlite")


def test_the_command_saves_them(call, tmp_path):
    make(tmp_path, STUDY, "small.toml")
    call("run", "small.toml")
    done = call("frames", "small.toml", "hard", "--ebn0-db", 2, "--wrong", "--most", 7, "-o", "w.npz")
    assert "7 frames, 7 decided wrong, ML gets" in done.stdout
    with np.load(tmp_path / "w.npz") as saved:
        expected = fecnn.frames(fecnn.load_study("./small.toml"), "hard", ebn0_db=2, wrong=True, most=7)
        for name, array in expected.arrays().items():
            assert (saved[name] == array).all(), name
        about = json.loads(str(saved["about"]))
        assert (saved["H"] @ saved["sent"].T % 2 == 0).all()
    assert about["curve"] == "hard"
    assert about["ebn0_db"] == 2.0
    assert call("frames", "small.toml", "ml", "--ebn0-db", 0).stdout.endswith("small.frames.npz\n")
    assert (
        "frames are written as .npz, got w.csv"
        in call("frames", "small.toml", "ml", "-o", "w.csv", code=1).stderr
    )
    assert "no results in" in call("frames", "small.toml", "ml", "--ebn0-db", 0, "--out", "x", code=1).stderr
