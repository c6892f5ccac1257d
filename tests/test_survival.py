"""optimal-bch-31-21 --quick, run in every way and damaged in every way: the counts stay what they are.

What a time is enough for depends on the machine. A point that is finished in two runs is equal in both, and
so is every batch that both made.
"""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from damage import clock_that_jumps, doubled, killer, run_until_the_scheduler_is_killed, small_disk

import fecnn
from fecnn.errors import DecodingError, StoreError
from fecnn.simulation.cluster import connect
from fecnn.studies.run import store_path
from fecnn.studies.study import load_study

# A warning that became an error in one of Dask's own threads would stop it.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

NAME = "optimal-bch-31-21"
QUICK = 35.0
"""Seconds that --quick gives a study."""

FAULTS = ("raise", "exit", "shape", "rows", "dtype", "nan", "hang", "die")

BROKEN = """
[[curve]]
label = "broken: {fault}"
decoder = "misbehaving:late"
ebn0_db = [2.5]
stop = {{ frames = 1_000_000 }}
options = {{ fault = "{fault}", after = {after} }}
"""

DRIVER = """
import os, signal, sys, fecnn
made, study, store, seconds, last = 0, *sys.argv[1:]
for step in fecnn.run(fecnn.load_study(study), store=store, workers=2, seconds=float(seconds)):
    made += step.batch is not None
    if made == int(last):
        os.kill(os.getpid(), signal.SIGKILL)  # leaves its last commits in the log
"""


def run_all(plan, store, workers=2, seconds=QUICK, **options):
    for _ in fecnn.run(plan, store=store, workers=workers, seconds=seconds, **options):
        pass


def driver(store, seconds, last=-1):
    """A process that runs the study for some seconds, or is killed by itself after the ``last`` batch."""
    return subprocess.Popen([sys.executable, "-c", DRIVER, NAME, str(store), str(seconds), str(last)])


@pytest.fixture(scope="module")
def plan():
    return load_study(NAME)


@pytest.fixture(scope="module")
def undisturbed(plan, tmp_path_factory):
    """The results of two threads."""
    store = tmp_path_factory.mktemp("undisturbed") / "two-threads.sqlite"
    run_all(plan, store)
    return store


@pytest.fixture
def same(plan, undisturbed, tmp_path):
    """Holds a results file to the undisturbed one, of which it has ``batches`` and ``points`` at least."""

    def compare(store, batches, points):
        # Merging compares every batch that both have, and refuses what differs.
        _, part = fecnn.merge(plan, [undisturbed, store], tmp_path / f"both-{store.name}")
        assert not doubled(store)
        tables = [fecnn.table(plan, path).set_index(["curve", "ebn0_db"]) for path in (undisturbed, store)]
        there, here = (t[t["finished"]].drop(columns=["seconds", "us_per_frame"]) for t in tables)
        both = there.index.intersection(here.index)
        assert here.loc[both].equals(there.loc[both])
        print(f"{store.name}: {part.known} batches and {len(both)} points in both")
        assert part.known >= batches
        assert len(both) >= points

    return compare


def test_one_thread(plan, same, tmp_path):
    run_all(plan, tmp_path / "one.sqlite", 1)
    same(tmp_path / "one.sqlite", 500, 60)


@pytest.mark.parametrize("count", [1, 2])
def test_dask(plan, same, tmp_path, count):
    with connect(f"local:{count}") as workers:
        run_all(plan, tmp_path / "dask.sqlite", workers)
    same(tmp_path / "dask.sqlite", 500, 60)


def test_two_shards(plan, same, tmp_path):
    for i in (1, 2):
        run_all(plan, store_path(plan, tmp_path, (i, 2)), 1, shard=(i, 2))
    fecnn.merge(plan, folder=tmp_path)
    same(store_path(plan, tmp_path), 500, 60)


def test_killed_workers(plan, same, tmp_path):
    with connect("local:2") as workers, killer(workers, 4, 8) as killed:
        run_all(plan, tmp_path / "killed.sqlite", workers, seconds=45)
    assert len(killed) == 4
    same(tmp_path / "killed.sqlite", 500, 60)


def test_killed_drivers(plan, same, tmp_path):
    """Among them those that are writing: a batch takes some milliseconds, and so does its commit."""
    instants, store = random.Random(11), tmp_path / f"{NAME}.sqlite"
    command = [Path(sys.executable).parent / "fecnn", "run", NAME, "--quick", "--out", tmp_path]
    for _ in range(6):
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            time.sleep(instants.uniform(5, 12))
            process.kill()
    run_all(plan, store, seconds=15)
    same(store, 500, 60)


def test_a_killed_scheduler(plan, same, tmp_path):
    store = tmp_path / "killed.sqlite"
    run_until_the_scheduler_is_killed(plan, store, tmp_path, 200)
    run_all(plan, store, seconds=15)
    same(store, 500, 60)


def test_decoders_that_go_wrong(plan, same, tmp_path, plugins):
    """All kinds at once, in processes: one also ends its workers, one hangs."""
    text = (Path("studies") / NAME / "study.toml").read_text()
    path, store = tmp_path / "broken.toml", tmp_path / "broken.sqlite"
    # A worker that was ended counts anew: only a batch that ends all of them is to blame.
    broken = [BROKEN.format(fault=fault, after=0 if fault == "die" else 3) for fault in FAULTS]
    path.write_text(text + "".join(broken))
    with connect("local:2", limit=15.0) as workers, pytest.raises(DecodingError) as caught:
        run_all(load_study(path), store, workers, seconds=75)
    told = [str(caught.value), *getattr(caught.value, "__notes__", [])]
    for fault in FAULTS:
        assert any(f"broken: {fault} failed at 2.5 dB" in line for line in told), (fault, told)
    same(store, 500, 60)


def test_a_full_disk(plan, same, tmp_path):
    with small_disk(tmp_path / "disk", 400) as disk:
        store = disk / "full.sqlite"
        with pytest.raises(StoreError, match="make room and run again"):
            run_all(plan, store)
        same(store, 20, 0)
        subprocess.run(["mount", "-o", "remount,size=40m", str(disk)], check=True)
        run_all(plan, store, seconds=20)
        same(store, 500, 60)


def test_a_disk_that_becomes_read_only(plan, same, tmp_path):
    with small_disk(tmp_path / "disk", 40_000) as disk:
        store = disk / "read-only.sqlite"
        run_all(plan, store, seconds=8)
        before = fecnn.table(plan, store)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(StoreError, match=r"read-only\.sqlite cannot be"):
            run_all(plan, store)
        assert fecnn.table(plan, store).equals(before)
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        run_all(plan, store, seconds=15)
        same(store, 500, 60)


def test_two_drivers_of_one_file(same, tmp_path):
    store = tmp_path / "shared.sqlite"
    drivers = [driver(store, 40) for _ in range(2)]
    assert [process.wait(180) for process in drivers] == [0, 0]
    same(store, 500, 60)


def test_a_file_that_was_cut(plan, same, tmp_path):
    """Its log at random places, as a crash of the machine leaves it, and the file itself."""
    killed, places = tmp_path / "killed.sqlite", random.Random(2)
    assert driver(killed, 60, last=300).wait(120) == -signal.SIGKILL
    content, log = killed.read_bytes(), Path(f"{killed}-wal").read_bytes()
    assert len(log) > 100_000
    cuts = [(len(content), places.randrange(len(log))) for _ in range(5)]
    cuts += [(places.randrange(1, len(content)), len(log)) for _ in range(3)]
    kept = 0
    for number, (size, logged) in enumerate(cuts):
        store = tmp_path / f"cut-{number}.sqlite"
        store.write_bytes(content[:size])
        Path(f"{store}-wal").write_bytes(log[:logged])
        try:
            run_all(plan, store, seconds=8)
        except StoreError:
            assert size < len(content)  # a log without its end is only shorter
            continue
        kept += 1
        same(store, 30, 5)
    assert kept >= 5


def test_a_clock_that_jumps(plan, same, tmp_path, monkeypatch):
    store = tmp_path / "jumping.sqlite"
    clock = clock_that_jumps(monkeypatch)
    run_all(plan, store)
    assert clock.calls > 100
    same(store, 500, 60)
