"""The cost of a run besides decoding: the driver's share, and Dask's overhead."""

import time
from concurrent.futures import FIRST_COMPLETED, wait
from statistics import median

import numba as nb
import numpy as np
import pytest

import fecnn
from fecnn.channels.kernels import box_muller, philox
from fecnn.channels.stream import FrameStream
from fecnn.simulation.cluster import connect
from fecnn.simulation.kernels import STRIP
from fecnn.simulation.simulate import run_batch
from fecnn.simulation.store import Store
from fecnn.simulation.threads import Threads

STUDY = """
title = "t"
code = "bch-63-45"
ebn0_db = [{ebn0_db}]
batch = {batch}
stop = {{ frames = {frames} }}
[[curve]]
decoder = "osd"
options = {{ order = {order} }}
"""

ROUNDS = 5


def plan_of(folder, batch, frames, ebn0_db=3.0, order=2):
    path = folder / "mine.toml"
    path.write_text(STUDY.format(batch=batch, frames=frames, ebn0_db=ebn0_db, order=order))
    return fecnn.load_study(path)


def measured(plan, store, workers):
    """Wall time of a run, CPU time of this process, time in batches, CPU time of decoding."""
    store.unlink(missing_ok=True)
    began, cpu, batches, decoding = time.perf_counter(), time.process_time(), 0.0, 0.0
    for step in fecnn.run(plan, workers=workers, store=store):
        batches += step.seconds
        decoding += step.counts.seconds if step.counts else 0.0
    return time.perf_counter() - began, time.process_time() - cpu, batches, decoding


@pytest.mark.parametrize("batch", [1024, 4096, 65536])
def test_the_engine_takes_little(benchmark, tmp_path, size, batch):
    """OSD of order 2 on BCH (63,45): the driver (handing out, storing, progress), and all but decoding."""
    plan = plan_of(tmp_path, batch, size(1 << 23))
    driver, rest = [], []
    with Threads(1) as workers:
        measured(plan_of(tmp_path, batch, 1), tmp_path / "warm.sqlite", workers)
        for _ in range(1 if benchmark.disabled else ROUNDS):
            wall, cpu, batches, decoding = measured(plan, tmp_path / "r.sqlite", workers)
            driver.append(1 - batches / wall)
            rest.append(1 - decoding / cpu)
    if not benchmark.disabled:
        print(f"batches of {batch}: the driver {spread(driver)} of the wall time, target 10 %")
        print(f"  with messages, noise and counting {spread(rest)} of the CPU time")
    benchmark(lambda: None)


@nb.njit
def draw(key, strips, blocks):
    """Draw the Gaussians for a number of strips of frames, as the engine does, and nothing else."""
    words = np.empty((4, STRIP * blocks), np.uint32)
    values = np.empty((STRIP, 4 * blocks), np.float32)
    for strip in range(strips):
        philox(key, np.uint32(0), np.uint64(strip * STRIP * blocks), words)
        box_muller(words.reshape(4, STRIP, blocks), values)
    return values[0, 0]


def noise_seconds(frames, n):
    """CPU time of the Gaussians alone."""
    key, began = FrameStream("noise", 0).key, time.process_time()
    draw(key, frames // STRIP, (n + 3) // 4)
    return time.process_time() - began


@pytest.mark.parametrize(("ebn0_db", "order"), [(0, 2), (3, 2), (5, 2), (7.1, 3)])
def test_all_but_decoding(benchmark, tmp_path, size, ebn0_db, order):
    """The shares of the noise, and of messages, counting and the driver; and the overall speed."""
    plan = plan_of(tmp_path, 16384, size(1 << 23), ebn0_db, order)
    frames = plan.points[0].stop.frames
    rest, noise, speed = [], [], []
    with Threads(1) as workers:
        measured(plan_of(tmp_path, 16384, 1, ebn0_db, order), tmp_path / "warm.sqlite", workers)
        noise_seconds(STRIP, 63)
        for _ in range(1 if benchmark.disabled else ROUNDS):
            _, cpu, _, decoding = measured(plan, tmp_path / "r.sqlite", workers)
            noise.append(noise_seconds(frames, 63) / cpu)
            rest.append(1 - decoding / cpu - noise[-1])
            speed.append(frames / cpu / 1e6)
    if not benchmark.disabled:
        print(f"order {order} at {ebn0_db} dB: {spread(noise)} of the CPU time are the noise itself,")
        print(f"  {spread(rest)} are messages, counting and the driver; {median(speed):.2g} M frames/s")
    benchmark(lambda: None)


def lots_a_second(workers, task, slots, lots):
    flying, made, began = set(), 0, time.perf_counter()
    while made < lots:
        flying |= {workers.submit(task, [made]) for _ in range(slots - len(flying))}
        done = wait(flying, return_when=FIRST_COMPLETED).done
        made += len(done)
        flying -= done
    wait(flying)
    return made / (time.perf_counter() - began)


@pytest.mark.filterwarnings("ignore")
def test_lots_a_second(benchmark, tmp_path):
    """Batches of 64 frames, one per lot: the cost of handing out lots."""
    task = plan_of(tmp_path, 64, 1).points[0].task
    lots = 10 if benchmark.disabled else 1000
    for name, open_workers, slots in (
        ("1 thread", lambda: Threads(1), (1,)),
        ("2 threads", lambda: Threads(2), (2,)),
        ("Dask local:2", lambda: connect("local:2"), (2, 64)),
    ):
        with open_workers() as workers:
            lots_a_second(workers, task, 2, 5)
            for most in slots:
                rates = [
                    lots_a_second(workers, task, most, lots)
                    for _ in range(1 if benchmark.disabled else ROUNDS)
                ]
                if not benchmark.disabled:
                    low, high = min(rates), max(rates)
                    print(f"{name}, {most} at a time: {median(rates):,.0f} lots/s [{low:,.0f}, {high:,.0f}]")
    benchmark(lambda: None)


@pytest.mark.parametrize("together", [1, 1000])
def test_rows_a_second(benchmark, tmp_path, together):
    """Batches per second that the results file takes, by batches per commit."""
    task = plan_of(tmp_path, 64, 1).points[0].task
    counts, rows, rates = run_batch(task, 0), 10 if benchmark.disabled else 2000, []
    with Store(tmp_path / "r.sqlite", write=True) as store:
        for turn in range(1 if benchmark.disabled else ROUNDS):
            began = time.perf_counter()
            for first in range(turn * rows, (turn + 1) * rows, together):
                store.append_all(
                    (task, i, counts) for i in range(first, min(first + together, (turn + 1) * rows))
                )
            rates.append(rows / (time.perf_counter() - began))
        assert len(store.batches(task)) == rows * len(rates)
    if not benchmark.disabled:
        print(f"{together} in a commit: {median(rates):,.0f} rows/s [{min(rates):,.0f}, {max(rates):,.0f}]")
    benchmark(lambda: None)


@pytest.mark.parametrize("batch", [4096, 1 << 20])
@pytest.mark.filterwarnings("ignore")
def test_dask_adds_little(benchmark, tmp_path, size, batch):
    """One Dask worker against one thread, alternating; batches of 2^20 frames take about a second."""
    plan = plan_of(tmp_path, batch, max(batch, size(1 << 23)))
    if benchmark.disabled and batch > 4096:
        pytest.skip("needs timing")
    added, share = [], []
    with Threads(1) as threads, connect("local:1") as dask:
        for workers in (threads, dask):
            measured(plan_of(tmp_path, batch, 1), tmp_path / "warm.sqlite", workers)
        for _ in range(1 if benchmark.disabled else ROUNDS):
            alone = measured(plan, tmp_path / "r.sqlite", threads)
            wall, _, batches, _ = measured(plan, tmp_path / "r.sqlite", dask)
            added.append(wall / alone[0] - 1)
            share.append(1 - batches / wall)
    if not benchmark.disabled:
        print(f"batches of {batch}: Dask adds {spread(added)} to the wall time of a thread, target 10 %")
        print(f"  {spread(share)} of its time are spent outside of batches")
    benchmark(lambda: None)


def spread(shares):
    return f"{median(shares):.1%} [{min(shares):.1%}, {max(shares):.1%}]"
