import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from itertools import islice

import numpy as np
import pytest
from study_runs import PATIENT, make, results, run_all

import fecnn
from fecnn.channels.registry import channel_at
from fecnn.channels.stream import FrameStream
from fecnn.errors import DecodingError, StoreError
from fecnn.simulation import simulate
from fecnn.simulation.simulate import run_batch
from fecnn.simulation.stop import Prefix
from fecnn.simulation.store import Store
from fecnn.simulation.tally import COUNTS, Tally, tally
from fecnn.simulation.threads import Threads

STUDY = """
title = "t"
code = "hamming-7-4"
ebn0_db = [1, 3]
batch = 64
[stop]
block_errors = 60
[[curve]]
decoder = "ml"
[[curve]]
decoder = "osd"
options = { order = 1 }
[[curve]]
decoder = "hard"
channel = "bsc"
"""

COUNTED = [name for name in COUNTS if name != "seconds"]


def counted(total):
    return {name: getattr(total, name) for name in COUNTED}


def flags_of(plan, store):
    """Error flags of every batch that counts."""
    with Store(store) as file:
        kept = {}
        for point in plan.points:
            prefix = Prefix(point.stop)
            for i, counts in file.batches(point.task).items():
                prefix.add(i, counts)
            assert prefix.finished
            kept[point.task.id] = [file.flags(point.task, i) for i in range(prefix.length)]
    return kept


def lots(points, done, workers):
    """Steps of a simulation, lot after lot."""
    with Threads(workers) as threads:
        for lot in simulate.simulate(points, done, threads):
            yield from lot


# Batches


def one_by_one(task, code, first, count):
    """The same frames, each made and decoded alone."""
    decode = fecnn.decoder(task.decoder, code, **dict(task.options))
    channel = channel_at(task.channel, task.ebn0_db, code.rate)
    total, wrong = Tally(), []
    for frame in range(first, first + count):
        rng = FrameStream(task.stream, frame)
        codeword = code.encode(rng.messages(1, code.k))
        llr = channel.transmit(codeword, rng)
        decided, effort = decode.measure(llr)
        counts = tally(code, codeword, llr, decided, 0.0, effort)
        wrong.append(bool(counts.block_errors))
        total += counts
    return total, wrong


@pytest.mark.parametrize("place", [0, 2, 4], ids=["ml", "osd", "hard over bsc"])
def test_a_batch_is_the_frames_of_its_stream(tmp_path, place, monkeypatch):
    monkeypatch.setattr(simulate, "MAX_CHUNK", 24)  # batches of 64 are cut, and their flags joined
    point = make(tmp_path, STUDY).points[place]
    for i in (0, 3):
        expected, wrong = one_by_one(point.task, point.code, 64 * i, 64)
        got = run_batch(point.task, i)
        assert counted(got) == counted(expected)
        assert np.unpackbits(np.frombuffer(got.flags, np.uint8)).tolist() == wrong
        assert got.block_errors > 0


def test_a_batch_depends_on_its_arguments_alone(tmp_path):
    plan = make(tmp_path, STUDY)
    first, other = plan.points[0].task, plan.points[1].task
    before = run_batch(first, 5)
    run_batch(other, 5)
    again = run_batch(first, 6), run_batch(first, 5)
    assert counted(again[1]) == counted(before)
    assert again[1].flags == before.flags != again[0].flags
    assert run_batch(other, 5).flags != before.flags


def test_the_size_of_batches_does_not_change_the_frames(tmp_path):
    texts = [STUDY.replace("batch = 64", f"batch = {size}") for size in (24, 40, 120, 8200)]
    tasks = [make(tmp_path, text).points[0].task for text in texts]
    assert len({task.id for task in tasks}) == 4
    frames = 120 * 41
    totals = [sum((run_batch(task, i) for i in range(frames // task.batch)), Tally()) for task in tasks[:3]]
    assert totals[0].frames == totals[1].frames == totals[2].frames == frames
    assert counted(totals[0]) == counted(totals[1]) == counted(totals[2])
    assert totals[0].block_errors > 100
    # More than a chunk at a time.
    large = run_batch(tasks[3], 0)
    flags = b"".join(run_batch(tasks[1], i).flags for i in range(8200 // 40))
    assert large.flags == flags
    assert len(flags) == 8200 // 8


def test_a_batch_that_is_no_multiple_of_eight_has_whole_octets_of_flags(tmp_path):
    task = make(tmp_path, STUDY.replace("batch = 64", "batch = 13")).points[0].task
    batch = run_batch(task, 0)
    bits = np.unpackbits(np.frombuffer(batch.flags, np.uint8))
    assert len(bits) == 16
    assert bits.sum() == batch.block_errors


def test_a_task_of_another_code_is_refused(tmp_path):
    fecnn.save_code(fecnn.hamming(3), tmp_path / "mine-code.toml")
    text = STUDY.replace("hamming-7-4", "./mine-code.toml")
    task = make(tmp_path, text).points[0].task
    fecnn.save_code(fecnn.load_code("spc-5"), tmp_path / "mine-code.toml")
    with pytest.raises(ValueError, match="is not the code that this task was made for"):
        run_batch(task, 0)


# Every decoder sees the same frames


@pytest.mark.parametrize("code", ["hamming-7-4", "polar-16-8"])
def test_exact_decoders_count_the_same_errors(tmp_path, code):
    k = fecnn.load_code(code).k
    text = f'title = "t"\ncode = "{code}"\nebn0_db = [2]\nbatch = 1000\nstop = {{ frames = 3000 }}\n'
    exact = {"ml": "", "by trellis": 'method = "trellis"', "osd": f"order = {k}", "slnn": ""}
    for label, options in exact.items():
        decoder = "ml" if label == "by trellis" else label
        text += f'[[curve]]\nlabel = "{label}"\ndecoder = "{decoder}"\noptions = {{ {options} }}\n'
    for label in ("map", "mlnn", "hard"):
        text += f'[[curve]]\ndecoder = "{label}"\n'
    plan = make(tmp_path, text)
    run_all(plan, tmp_path / "r.sqlite")
    rows = results(plan, tmp_path / "r.sqlite").set_index("curve")[COUNTED].drop(columns="work")
    assert (rows["frames"] == 3000).all()
    for label in exact:
        assert rows.loc[label].equals(rows.loc["ml"].rename(label)), label
    assert rows.loc["mlnn"].equals(rows.loc["map"].rename("mlnn"))
    assert rows.loc["map", "bit_errors"] < rows.loc["ml", "bit_errors"] + 60
    assert rows.loc["map", "block_errors"] >= rows.loc["ml", "block_errors"] > 100
    assert rows.loc["hard", "block_errors"] > rows.loc["ml", "block_errors"]
    flags = flags_of(plan, tmp_path / "r.sqlite")
    ids = {point.curve: point.task.id for point in plan.points}
    assert flags[ids["ml"]] == flags[ids["osd"]] == flags[ids["slnn"]] != flags[ids["hard"]]


# Workers, order and interruptions


def test_counts_do_not_depend_on_workers_or_interruptions(tmp_path):
    plan = make(tmp_path, STUDY)
    run_all(plan, tmp_path / "1.sqlite", workers=1)
    expected, flags = results(plan, tmp_path / "1.sqlite"), flags_of(plan, tmp_path / "1.sqlite")
    assert expected["finished"].all()
    assert (expected["block_errors"] >= 60).all()
    for workers in (2, 4):
        store = tmp_path / f"{workers}.sqlite"
        run_all(plan, store, workers=workers)
        assert results(plan, store).equals(expected)
        assert flags_of(plan, store) == flags
    store, rounds, finished = tmp_path / "interrupted.sqlite", 0, False
    while not finished:
        rounds += 1
        with closing(fecnn.run(plan, store=store, workers=1 + rounds % 3)) as steps:
            made = 0
            for step in steps:
                made += step.batch is not None
                if made == 1 + rounds % 4:
                    break
            else:
                finished = True
    assert rounds > 5
    assert results(plan, store).equals(expected)
    assert flags_of(plan, store) == flags
    run_all(plan, store)  # nothing is left to do
    assert results(plan, store).equals(expected)


def test_a_finished_study_runs_nothing(tmp_path, monkeypatch):
    plan = make(tmp_path, STUDY)
    run_all(plan, tmp_path / "r.sqlite")
    monkeypatch.setattr(simulate, "run_batch", lambda task, i: pytest.fail("a batch was made"))
    steps = list(fecnn.run(plan, store=tmp_path / "r.sqlite"))
    assert len(steps) == len(plan.points)
    assert all(step.finished and step.batch is None for step in steps)


def test_batches_that_exist_are_not_made_again_and_gaps_are_filled(tmp_path):
    point = make(tmp_path, STUDY.replace("block_errors = 60", "frames = 384")).points[0]
    done = {i: run_batch(point.task, i) for i in (1, 2, 4)}
    for workers in (1, 2):
        steps = list(lots([point], {point.task.id: done}, workers))
        made = [step.batch for step in steps[1:]]
        assert len(made) == len(set(made))
        assert {0, 3, 5} <= set(made)
        assert not set(made) & set(done)
        assert workers > 1 or len(made) == 3  # another thread may run ahead of a gap
        assert counted(steps[-1].total) == counted(sum((run_batch(point.task, i) for i in range(6)), Tally()))


def test_stopping_is_decided_in_order_whoever_finishes_first(tmp_path, monkeypatch):
    text = STUDY.replace("block_errors = 60", "block_errors = 12")
    plan = make(tmp_path, text)

    def batch(i):
        return Tally(frames=64, block_errors=(7 * i) % 5, flags=b"")

    expected = Prefix(plan.points[0].stop)
    i = 0
    while not expected.finished:
        expected.add(i, batch(i))
        i += 1

    def late_when_even(task, i):
        time.sleep(0.02 if i % 2 == 0 else 0.001)
        return batch(i)

    monkeypatch.setattr(simulate, "run_batch", late_when_even)
    last, arrived = {}, []
    for step in lots(plan.points[:1], {}, 4):
        last = step
        arrived.append(step.batch)
    assert arrived[1:] != sorted(arrived[1:])
    assert last.finished
    assert last.total == expected.total


def test_the_point_on_which_least_time_was_spent_goes_next(tmp_path, monkeypatch):
    plan = make(tmp_path, STUDY)
    monkeypatch.setattr(simulate, "run_batch", lambda task, i: Tally(frames=64, block_errors=3))
    spent = {point.task.id: 0.0 for point in plan.points}
    batches = 0
    with Threads(1) as threads:
        for lot in islice(simulate.simulate(plan.points, {}, threads), 1, None):
            task = lot[0].point.task
            assert spent[task.id] == min(spent.values())
            spent[task.id] += sum(step.seconds for step in lot)
            batches += len(lot)
            if lot[-1].finished:
                del spent[task.id]
    assert not spent
    assert batches == 20 * len(plan.points)


def test_lots_grow_to_their_time_and_shrink_towards_the_end(tmp_path, monkeypatch):
    """At most one lot per thread is wasted, and lots are short when little is left."""
    monkeypatch.setattr(
        simulate, "run_batch", lambda task, i: time.sleep(1e-4) or Tally(frames=64, block_errors=i % 2)
    )
    (point,) = make(tmp_path, STUDY.replace("block_errors = 60", "block_errors = 1000")).points[:1]
    for count in (1, 3):
        with Threads(count) as threads:
            sizes = [len(lot) for lot in islice(simulate.simulate([point], {}, threads), 1, None)]
        assert sizes[0] == 1
        assert max(sizes) > 100 / count
        assert sum(sizes) < 2000 + 250 * (count - 1) + 10


def test_closing_waits_for_the_threads(tmp_path, plugins):
    text = (
        STUDY.split("[[curve]]")[0]
        + '[[curve]]\ndecoder = "misbehaving:patient"\noptions = { milliseconds = 30 }\n'
    )
    before = set(threading.enumerate())
    steps = fecnn.run(make(tmp_path, text), store=tmp_path / "r.sqlite", workers=3)
    while next(steps).batch is None:
        pass
    assert len(set(threading.enumerate()) - before) == 3
    steps.close()
    assert set(threading.enumerate()) <= before


def test_no_workers_are_refused(tmp_path):
    with pytest.raises(ValueError, match="workers must be 1 or more threads, got 0"):
        run_all(make(tmp_path, STUDY), tmp_path / "r.sqlite", workers=0)


# Rules and deadlines


@pytest.mark.parametrize(
    "rule", ["frames = 1000", "block_errors = 40", "relative_width = 0.5", "seconds = 0.02"]
)
def test_every_rule_stops_at_the_first_batch_that_meets_it(tmp_path, rule):
    text = STUDY.replace("block_errors = 60", rule).replace("[1, 3]", "[1]")
    plan = make(tmp_path, text.split('[[curve]]\ndecoder = "osd"')[0])
    run_all(plan, tmp_path / "r.sqlite")
    (point,) = plan.points
    with Store(tmp_path / "r.sqlite") as file:
        made = file.batches(point.task)
    total, length = Tally(), 0
    while not point.stop.met(total):
        total += made[length]
        length += 1
    assert length > 1
    # Lots are sized by the pace so far: a batch that takes unusually long may meet the rule inside its lot.
    surplus = len(made) - length
    assert surplus >= 0 if point.stop.seconds else surplus == 0
    (row,) = results(plan, tmp_path / "r.sqlite").to_dict("records")
    assert row["finished"]
    assert {name: row[name] for name in COUNTED} == counted(total)


def test_no_batch_is_begun_after_the_deadline(tmp_path, plugins):
    text = (
        STUDY.split("[stop]")[0]
        + '[[curve]]\ndecoder = "misbehaving:patient"\noptions = { milliseconds = 20 }\n'
    )
    plan = make(tmp_path, text)
    steps = list(fecnn.run(plan, store=tmp_path / "r.sqlite", seconds=0))
    assert [step.batch for step in steps] == [None, None]
    began = time.monotonic()
    run_all(plan, tmp_path / "r.sqlite", seconds=0.5)
    assert time.monotonic() - began < 5
    rows = fecnn.table(plan, tmp_path / "r.sqlite")
    assert not rows["finished"].any()
    assert 2 <= rows["frames"].sum() / 64 <= 27


# Decoders that go wrong


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("raise", "ZeroDivisionError: a decoder's own mistake"),
        ("shape", r"ValueError: decoder misbehaving:late must return shape \(64, 7\) .* got \(64, 6\)"),
        ("rows", r"ValueError: decoder misbehaving:late must return shape .* got \(63, 7\)"),
        ("dtype", "TypeError: decoder misbehaving:late must return a uint8 array, got float64 array"),
        ("list", "TypeError: decoder misbehaving:late must return a uint8 array, got list"),
        ("bits", "ValueError: decoder misbehaving:late must return bits 0 and 1, got 2"),
    ],
)
def test_a_decoder_that_fails_is_named_and_all_before_it_is_kept(tmp_path, plugins, fault, words):
    text = (
        STUDY
        + f"""
[[curve]]
label = "broken"
decoder = "misbehaving:late"
ebn0_db = [2.5]
options = {{ fault = "{fault}", after = 4 }}
"""
    )
    plan = make(tmp_path, text)
    seen = []

    def watch():
        for step in fecnn.run(plan, store=tmp_path / "r.sqlite"):
            if step.batch is not None:
                seen.append((step.point.task.id, step.batch))

    with pytest.raises(DecodingError, match=rf"curve broken failed at 2.5 dB, batch 4: {words}"):
        watch()
    with Store(tmp_path / "r.sqlite") as file:
        kept = [(point.task.id, i) for point in plan.points for i in file.batches(point.task)]
        broken = file.batches(plan.points[-1].task)
    assert sorted(kept) == sorted(seen)
    assert list(broken) == [0, 1, 2, 3]
    good = make(tmp_path, STUDY)
    run_all(good, tmp_path / "r.sqlite")
    run_all(good, tmp_path / "fresh.sqlite")
    assert results(good, tmp_path / "r.sqlite").equals(results(good, tmp_path / "fresh.sqlite"))


def test_a_decoder_that_fails_at_once_keeps_the_others(tmp_path, plugins):
    text = STUDY + '[[curve]]\ndecoder = "misbehaving:late"\noptions = { fault = "dtype", after = -1 }\n'
    plan = make(tmp_path, text)
    with pytest.raises(
        DecodingError, match=r"curve misbehaving:late \(.*\) failed at 1 dB, batch 0|at 1.0 dB, batch 0"
    ):
        run_all(plan, tmp_path / "r.sqlite")
    assert list(fecnn.table(plan, tmp_path / "r.sqlite")["curve"]) == [
        "ml",
        "ml",
        "osd (order 1)",
        "osd (order 1)",
        "hard",
        "hard",
    ]


# Killed processes

DRIVER = """
import os, random, signal, sys, time
import fecnn
from fecnn.simulation.simulate import run_batch

path, store, kills, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
plan = fecnn.load_study(path)
run_batch(plan.points[0].task, 0)  # compiled before it is forked: a child starts at once
instants = random.Random(seed)
killed = 0
while killed < kills:
    child = os.fork()
    if child == 0:
        for step in fecnn.run(plan, store=store, workers=2):
            pass
        os._exit(0)
    time.sleep(instants.uniform(0.1, 0.4))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        sys.exit("the run was over before it was killed")
    killed += 1
    print(sum(step.total.frames for step in fecnn.run(plan, store=store, seconds=0)), flush=True)
"""


def python(*arguments, plugins, **options):
    environment = {**os.environ, "PYTHONPATH": str(plugins), "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_killing_the_process_many_times_changes_nothing(tmp_path, plugins):
    plan = make(tmp_path, PATIENT)
    store = tmp_path / "killed.sqlite"
    with python("-c", DRIVER, tmp_path / "mine.toml", store, 15, 7, plugins=plugins) as driver:
        out, err = driver.communicate(timeout=120)
    assert driver.returncode == 0, err
    frames = [int(line) for line in out.split()]
    assert len(frames) == 15
    assert frames == sorted(frames)
    assert len(set(frames)) > 8  # most of the runs got somewhere before they were killed ...
    assert frames[-1] < 3 * 16_000  # ... and none of them finished
    run_all(plan, store, workers=16)
    run_all(plan, tmp_path / "undisturbed.sqlite", workers=16)
    assert results(plan, store).equals(results(plan, tmp_path / "undisturbed.sqlite"))
    assert flags_of(plan, store) == flags_of(plan, tmp_path / "undisturbed.sqlite")
    with Store(store) as file:
        rows = list(file.rows())
    assert len({(row["task"], row["i"]) for row in rows}) == len(rows)
    assert sum(row["frames"] for row in rows) == 16 * len(rows)


def batches_in(store):
    try:
        with closing(sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True)) as file:
            return file.execute("select count(*) from batch").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(tmp_path, plugins):
    plan = make(tmp_path, PATIENT)
    store = tmp_path / "out" / "mine.sqlite"
    command = [
        "-c",
        "from fecnn.cli.app import app; app()",
        "run",
        tmp_path / "mine.toml",
        "--out",
        tmp_path / "out",
    ]
    with python(*command, plugins=plugins) as running:
        until = time.monotonic() + 60
        while batches_in(store) < 5:
            assert running.poll() is None, running.stderr.read()
            assert time.monotonic() < until
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert "stopped; finished batches are saved in" in err
    assert "run the same command to continue" in err
    assert str(store) in err
    assert "Traceback" not in err
    assert out == ""
    assert running.returncode == 130
    assert err.strip().endswith("continue")
    kept = batches_in(store)
    assert 5 <= kept < 3000
    run_all(plan, store, seconds=0.1)
    assert batches_in(store) > kept


CUTS = """
import os, signal, sys
import fecnn

plan = fecnn.load_study(sys.argv[1])
made = 0
for step in fecnn.run(plan, store=sys.argv[2]):
    made += step.batch is not None
    if made >= 60:
        os.kill(os.getpid(), signal.SIGKILL)  # leaves its last commits in the log
"""


def test_a_file_cut_anywhere_is_refused_whole_or_goes_on_to_the_same_counts(tmp_path, plugins):
    text = PATIENT.replace("16_000", "800").replace("milliseconds = 3", "milliseconds = 0")
    plan = make(tmp_path, text)
    with python("-c", CUTS, tmp_path / "mine.toml", tmp_path / "killed.sqlite", plugins=plugins) as driver:
        driver.communicate(timeout=60)
    run_all(plan, tmp_path / "undisturbed.sqlite")
    expected = results(plan, tmp_path / "undisturbed.sqlite")
    content, log = (tmp_path / "killed.sqlite").read_bytes(), (tmp_path / "killed.sqlite-wal").read_bytes()
    assert len(log) > 20_000
    cuts = [
        (len(content), cut) for cut in (0, 1, 31, 32, 500, 4151, 4152, 4153, *range(5000, len(log), 9001))
    ]
    cuts += [(cut, len(log)) for cut in (0, 1, 15, 99, 100, 101, 511, 512, 4095, 4096) if cut < len(content)]
    went_on = 0
    for number, (kept, logged) in enumerate(cuts):
        path = tmp_path / f"cut-{number}.sqlite"
        path.write_bytes(content[:kept])
        (tmp_path / f"cut-{number}.sqlite-wal").write_bytes(log[:logged])
        try:
            run_all(plan, path)
            went_on += 1
        except StoreError:
            for part in tmp_path.glob(f"{path.name}*"):
                part.rename(tmp_path / f"away-{part.name}")
            run_all(plan, path)
        assert results(plan, path).equals(expected), (kept, logged)
    assert went_on > 10
