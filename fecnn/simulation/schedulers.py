"""Dask schedulers and workers started for a run: on this machine, or as Slurm jobs."""

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import dask
import distributed
from distributed.scheduler import DEFAULT_EXTENSIONS
from distributed.spans import SpansSchedulerExtension

from fecnn._files.toml import Positive, Table, read_table
from fecnn.errors import ClusterError, extra

SETTINGS = {
    # Lots wait at the scheduler, not on a worker: a worker's death must be blamed on one lot only.
    "distributed.scheduler.worker-saturation": 1.0,
    # The driver decides what killed a worker.
    "distributed.scheduler.allowed-failures": 0,
    # Dask gives up on a worker that does not return in time and starts no other; `Kept` does.
    "distributed.deploy.lost-worker-timeout": "1 day",
    # Sampling a worker's stack a hundred times a second tells nothing about compiled kernels.
    "distributed.worker.profile.enabled": False,
    # Dask remembers finished lots and lost workers for an hour: many megabytes that nobody reads.
    "distributed.admin.log-length": 100,
    "distributed.admin.low-level-log-length": 100,
    "distributed.scheduler.events-cleanup-delay": "1 minute",
    "distributed.admin.system-monitor.log-length": 100,
    # By default Dask makes malloc return memory at once, so every chunk of frames would be paged in again.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
}
"""Settings of schedulers started here, and of their workers."""


class NoSpans(SpansSchedulerExtension):
    """Disables Dask's spans, which record every task for as long as the scheduler lives."""

    def observe_tasks(self, *tasks: Any, **of_them: Any) -> dict[Any, Any]:
        """Record nothing."""
        return {}

    def heartbeat(self, *measured: Any) -> None:
        """Record nothing."""


OPTIONS = {
    "dashboard": False,
    # Lots wait at the scheduler, so there is nothing to steal, and stealing remembers lost workers.
    "extensions": {name: kind for name, kind in DEFAULT_EXTENSIONS.items() if name != "stealing"}
    | {"spans": NoSpans},
}
"""Options of schedulers started here."""

KEEP_MEMORY = "export MALLOC_TRIM_THRESHOLD_=33554432 MALLOC_MMAP_THRESHOLD_=33554432"
"""The malloc settings for Slurm jobs, to the same end; 32 MiB is malloc's maximum."""


@contextmanager
def local(where: str) -> "Iterator[distributed.LocalCluster]":
    """A scheduler and N workers on this machine, from ``local:N``.

    Raises:
        ValueError: If N is not 1 or more.
    """
    count = where.removeprefix("local:")
    if not count.isdecimal() or int(count) < 1:
        raise ValueError(f"a local cluster needs 1 or more workers, such as local:2, got {where!r}")
    with dask.config.set(SETTINGS), ExitStack() as stack:
        with uninterrupted():
            cluster = distributed.LocalCluster(
                n_workers=0,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                scheduler_kwargs=OPTIONS,
                memory_limit=0,
                preload=[__name__],
                silence_logs=logging.CRITICAL,
            )
            stack.callback(cluster.close)
            if hasattr(signal, "pthread_sigmask"):
                resource_tracker.ensure_running()  # else a child would start it and lift the signal mask
                cluster.sync(_shield)
        # Keep the workers' HTTP servers local; older Dask versions expose them to the network.
        cluster.new_spec["options"]["dashboard_address"] = "127.0.0.1:0"
        for _ in range(int(count)):
            cluster.worker_spec.update(cluster.new_worker_spec())
        cluster.sync(cluster._correct_state)
        yield cluster


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Delay Ctrl-C until the end of this block, because Dask could not clean up after it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[int] = []
    before = signal.signal(signal.SIGINT, lambda signum, _: waiting.append(signum))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if waiting:
            signal.raise_signal(signal.SIGINT)


async def _shield() -> None:
    """Block Ctrl-C for processes started from here: a terminal sends it to all, but only the driver acts."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])


def dask_setup(worker: "distributed.Worker") -> None:
    """Called by a local worker on start: ignore Ctrl-C, which is for the driver."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


PATIENCE = 60.0
"""Seconds that a nanny, or Slurm, gets to restart a lost worker."""

PAUSE = 5.0
"""Seconds before a worker that nothing restarts is started again, also after a failed start."""

ATTEMPTS = 3
"""How often workers are restarted without any of them completing a lot."""

CLOSE_SECONDS = 20.0
"""Seconds to wait for the remains of a lost worker to close."""


class Kept:
    """Keeps the workers of a cluster started here alive: workers that are lost for good are restarted."""

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self._seen: set[Any] = set()  # a job may wait in Slurm's queue for days without being lost
        self._gone: dict[Any, float] = {}
        self._starting: Future[None] | None = None
        self._began = 0.0
        self._attempts = 0
        self._problem = "none of them came up"

    def works(self) -> None:
        """Note that some worker has completed a lot, or died trying."""
        self._attempts = 0

    def look_after(self) -> None:
        """Restart workers that are lost for good; call this about once a second.

        Raises:
            ClusterError: If there are no workers, and restarting them has failed too often.
        """
        now = time.monotonic()
        if self._starting is not None:
            if not self._starting.done() and now - self._began < 2 * PATIENCE:
                return
            self._end_start()
        there = {worker.name for worker in list(self._cluster.scheduler.workers.values())}
        groups = {
            name: {f"{name}{part}" for part in spec.get("group", [""])}
            for name, spec in self._cluster.worker_spec.items()
        }
        alive = {name for name, group in groups.items() if name in there or group & there}
        self._seen |= alive
        self._gone = {
            name: self._gone.get(name, now)
            for name in groups
            if name not in alive and (name in self._seen or self._is_over(name))
        }
        lost = [
            name
            for name, since in self._gone.items()
            if now - since > (PAUSE if self._is_over(name) else PATIENCE)
        ]
        if not lost:
            return
        if not alive:
            if self._attempts == ATTEMPTS:
                raise ClusterError(
                    f"all {len(groups)} workers are lost, and restarting them failed {ATTEMPTS} times: "
                    f"{self._problem}; every batch received is kept"
                )
            self._attempts += 1
        logging.getLogger(__name__).warning(
            "%d of %d workers are lost: restarting them", len(lost), len(groups)
        )
        for name in lost:
            del self._gone[name]
        self._seen.difference_update(lost)
        self._began = now
        self._starting = asyncio.run_coroutine_threadsafe(
            self._start_again(lost), self._cluster.loop.asyncio_loop
        )

    def _is_over(self, name: Any) -> bool:
        """Whether the worker's nanny has given up, or its start has failed."""
        keeper = self._cluster.workers.get(name)
        return keeper is None or keeper.status in (distributed.Status.closed, distributed.Status.failed)

    def _end_start(self) -> None:
        starting, self._starting = self._starting, None
        if starting is None:
            return
        if not starting.done():
            starting.cancel()
            self._problem = f"they did not start within {2 * PATIENCE:g} s"
        elif not starting.cancelled() and (error := starting.exception()) is not None:
            self._problem = f"{type(error).__name__}: {error}".splitlines()[0]

    async def _start_again(self, names: Sequence[Any]) -> None:
        cluster = self._cluster
        for name in names:
            keeper = cluster.workers.pop(name, None)
            if keeper is not None:
                with suppress(Exception):  # whatever remains of it
                    await asyncio.wait_for(keeper.close(), CLOSE_SECONDS)
                cluster._created.discard(keeper)  # otherwise Dask would wait for it to end
        await cluster._correct_state()


class SlurmJob(Table):
    """A job of a Slurm cluster, with the options of ``dask_jobqueue.SLURMCluster``."""

    cores: Positive
    memory: str
    processes: Positive | None = None
    queue: str | None = None
    account: str | None = None
    walltime: str | None = None
    interface: str | None = None
    python: str | None = None
    local_directory: str | None = None
    log_directory: str | None = None
    job_extra_directives: list[str] | None = None
    job_script_prologue: list[str] | None = None


class SlurmCluster(Table):
    """The contents of a Slurm file: the number of jobs, and the options of each."""

    jobs: Positive
    job: SlurmJob


@contextmanager
def slurm(path: Path) -> Iterator[Any]:
    """A scheduler on this machine whose workers are Slurm jobs, from a TOML file.

    Raises:
        ValueError: If the file is invalid.
        FileNotFoundError: If the file does not exist.
        ClusterError: If the scheduler cannot be started, or Slurm rejects the jobs.
    """
    plan = read_table(path, SlurmCluster)
    with extra("cluster", "a Slurm cluster"):
        from dask_jobqueue.slurm import SLURMCluster, SLURMJob

    class Job(SLURMJob):
        """A job marked as failed if Slurm rejects it; otherwise closing the cluster would raise an error."""

        async def start(self) -> None:
            try:
                await super().start()
            except BaseException:
                self.status = distributed.Status.failed
                raise

    job = plan.job
    options: Mapping[str, Any] = {
        **job.model_dump(exclude_none=True),
        "processes": job.processes or job.cores,  # kernels hold no lock, but torch and plug-ins may
        "job_script_prologue": [*(job.job_script_prologue or ()), KEEP_MEMORY],
        "job_cls": Job,
        "scheduler_options": OPTIONS,
    }
    with dask.config.set(SETTINGS), ExitStack() as stack:
        try:
            cluster = SLURMCluster(**options)
            for _ in range(plan.jobs):
                cluster.worker_spec.update(cluster.new_worker_spec())
            stack.enter_context(cluster)  # waits until Slurm has accepted the jobs; `scale` would not
        except (OSError, RuntimeError, ValueError) as error:
            raise ClusterError(f"{path}: the cluster cannot be started: {str(error).strip()}") from error
        yield cluster
