"""What can happen to a run, done for real: killed processes, full disks, a clock that jumps."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

import fecnn
from fecnn.errors import ClusterError
from fecnn.simulation.cluster import connect
from fecnn.simulation.store import Store


@contextmanager
def killer(workers, shortest, longest):
    """Kills a worker at four random instants: the processes killed."""
    instants, killed, over = random.Random(5), [], threading.Event()

    def kill():
        while len(killed) < 4 and not over.wait(instants.uniform(shortest, longest)):
            pids = workers._client.run(os.getpid, on_error="ignore")
            if pids:
                killed.append(instants.choice(list(pids.values())))
                os.kill(killed[-1], signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


@contextmanager
def scheduler(folder, port=0, workers=1, options=()):
    """A scheduler and workers as processes of their own: the scheduler, its address, the workers."""
    file = folder / f"scheduler-{random.random()}.json"
    quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    dask = [sys.executable, "-m", "dask"]
    # Addresses of the loopback only.
    command = [*dask, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    processes = [subprocess.Popen([*command, "--scheduler-file", str(file)], **quiet)]
    try:
        until = time.monotonic() + 60
        while not file.exists():
            assert time.monotonic() < until
            time.sleep(0.05)
        work = [*dask, "worker", "--scheduler-file", str(file), "--nthreads", "1", "--no-dashboard"]
        work += ["--host", "127.0.0.1", "--death-timeout", "20", "--local-directory", str(folder), *options]
        processes += [subprocess.Popen(work, **quiet) for _ in range(workers)]
        address = json.loads(file.read_text())["address"]
        yield processes[0], address, processes[1:]
    finally:
        for process in processes[::-1]:
            process.terminate()
        for process in processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def run_until_the_scheduler_is_killed(plan, store, folder, batches):
    """Kills it after so many batches: the run ends in an error, and the file has all that were made."""
    made = 0

    def until_it_is_gone():
        nonlocal made
        with connect(address) as workers:
            for step in fecnn.run(plan, store=store, workers=workers):
                made += step.batch is not None
                if made == batches:
                    process.kill()

    with scheduler(folder) as (process, address, _):
        with pytest.raises(ClusterError, match=r"the cluster (is lost|accepts no more work)"):
            until_it_is_gone()
    assert made >= batches
    with Store(store) as file:
        assert sum(1 for _ in file.rows()) == made


@contextmanager
def small_disk(folder, size):
    """A file system of ``size`` KiB of its own."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only a user who may mount file systems can run this")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def clock_that_jumps(monkeypatch):
    """Lets the clock jump by years, to and fro: the clock, which counts how often it was asked."""

    class Jumping:
        calls = 0

        @classmethod
        def now(cls, zone):
            cls.calls += 1
            return datetime.now(zone) + timedelta(days=(-1) ** cls.calls * 400 * cls.calls)

    monkeypatch.setattr("fecnn.simulation.store.datetime", Jumping)
    monkeypatch.setattr(time, "time", lambda: 1e9 * (-1) ** Jumping.calls)
    return Jumping


def doubled(store):
    """How many batches of a results file are there more than once."""
    with Store(store) as file:
        rows = [(row["task"], row["i"]) for row in file.rows()]
    return len(rows) - len(set(rows))
