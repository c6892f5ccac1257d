"""What a run costs besides decoding: the driver's share, and what Dask adds."""

import time
from statistics import median

import pytest

import fecnn
from fecnn.cluster import connect
from fecnn.workers import Threads

STUDY = """
title = "t"
code = "bch-63-45"
ebn0_db = [3]
batch = {batch}
stop = {{ frames = {frames} }}
[[curve]]
decoder = "osd"
options = {{ order = 2 }}
"""

ROUNDS = 5


def plan_of(folder, batch, frames):
    path = folder / "mine.toml"
    path.write_text(STUDY.format(batch=batch, frames=frames))
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
    plan = plan_of(tmp_path, batch, size(1 << 21))
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


@pytest.mark.parametrize("batch", [4096, 1 << 20])
@pytest.mark.filterwarnings("ignore")
def test_dask_adds_little(benchmark, tmp_path, size, batch):
    """The same with one Dask worker against one thread, in turns; batches of 2^20 take about a second."""
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
