"""Dask schedulers that are started for a run, with their workers: on this machine, or as jobs of Slurm."""

import logging
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import dask
import distributed
from distributed.scheduler import DEFAULT_EXTENSIONS
from distributed.spans import SpansSchedulerExtension
from pydantic import Field, ValidationError

from fecnn.simulate import ClusterError
from fecnn.tomlfile import Table, problems, read_toml

SETTINGS = {
    # A lot waits at the scheduler, not behind another one: it would be blamed with it for a dead worker.
    "distributed.scheduler.worker-saturation": 1.0,
    # The driver judges what ended a worker.
    "distributed.scheduler.allowed-failures": 0,
    # Sampling a worker's stack a hundred times a second tells nothing about compiled kernels.
    "distributed.worker.profile.enabled": False,
    # What Dask remembers of lots done and of workers gone, for an hour: many megabytes that nobody reads.
    "distributed.admin.log-length": 100,
    "distributed.admin.low-level-log-length": 100,
    "distributed.scheduler.events-cleanup-delay": "1 minute",
    "distributed.admin.system-monitor.log-length": 100,
    # Dask has malloc give memory back at once: every chunk of frames would be paged in anew.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
}
"""How schedulers that are started here, and their workers, behave."""


class NoSpans(SpansSchedulerExtension):
    """Dask's own takes a note of every task, and keeps it for as long as the scheduler lives."""

    def observe_tasks(self, *tasks: Any, **of_them: Any) -> dict[Any, Any]:
        """Nothing is noted."""
        return {}

    def heartbeat(self, *measured: Any) -> None:
        """Nor this."""


OPTIONS = {
    "dashboard": False,
    # Lots wait at the scheduler, so there is none to steal; and stealing remembers workers long gone.
    "extensions": {name: kind for name, kind in DEFAULT_EXTENSIONS.items() if name != "stealing"}
    | {"spans": NoSpans},
}
"""What such a scheduler has, and has not."""

KEEP_MEMORY = "export MALLOC_TRIM_THRESHOLD_=33554432 MALLOC_MMAP_THRESHOLD_=33554432"
"""What a job says to the same end; 32 MiB is the most that malloc takes."""


@contextmanager
def local(where: str) -> "Iterator[distributed.LocalCluster]":
    """A scheduler and N workers on this machine, by ``local:N``.

    Raises:
        ValueError: If it is not that.
    """
    count = where.removeprefix("local:")
    if not count.isdecimal() or int(count) < 1:
        raise ValueError(f"a local cluster has 1 or more workers, such as local:2, got {where!r}")
    with (
        dask.config.set(SETTINGS),
        distributed.LocalCluster(
            n_workers=int(count),
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            scheduler_kwargs=OPTIONS,
            memory_limit=0,
            preload=[__name__],
            silence_logs=logging.CRITICAL,
        ) as cluster,
    ):
        yield cluster


def dask_setup(worker: "distributed.Worker") -> None:
    """Called by a local worker when it starts: Ctrl-C is for the driver alone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class SlurmJob(Table):
    """A job of a Slurm cluster, as ``dask_jobqueue.SLURMCluster`` takes it."""

    cores: int = Field(ge=1)
    memory: str
    processes: int | None = Field(default=None, ge=1)
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
    """What a Slurm file says: how many jobs, and what each is."""

    jobs: Annotated[int, Field(ge=1)]
    job: SlurmJob


@contextmanager
def slurm(path: Path) -> Iterator[Any]:
    """A scheduler on this machine, whose workers are jobs of Slurm, by a TOML file.

    Raises:
        ValueError: If the file is broken.
        FileNotFoundError: If there is none.
        ClusterError: If the scheduler cannot be started, or Slurm does not take the jobs.
    """
    try:
        plan = SlurmCluster.model_validate(read_toml(path))
    except ValidationError as error:
        raise ValueError(f"{path}: " + "; ".join(problems(error))) from None
    try:
        from dask_jobqueue.slurm import SLURMCluster, SLURMJob
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(
            "Slurm clusters need dask-jobqueue: pip install 'fecnn[cluster]'"
        ) from missing

    class Job(SLURMJob):
        """Has failed if Slurm does not take it; else a cluster that closes would wonder about it."""

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
            stack.enter_context(cluster)  # waits until Slurm has taken the jobs; `scale` would not
        except (OSError, RuntimeError, ValueError) as error:
            raise ClusterError(f"{path}: the cluster cannot be started: {str(error).strip()}") from error
        yield cluster
