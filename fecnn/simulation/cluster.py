"""Running a study on many machines with Dask distributed workers (the extra ``fecnn[cluster]``).

The driver keeps the results file and hands out lots of batches; workers are processes with the same fecnn
version. Dask passes Python objects in both directions: join only clusters whose every member you trust.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial
from itertools import count, repeat
from pathlib import Path
from typing import Any
from uuid import uuid4

from fecnn._files.atomic import write
from fecnn._version import __version__
from fecnn.channels.registry import parts_of
from fecnn.codes.catalogue import Recipe, is_held, load_code, with_paths
from fecnn.codes.codefile import code_text
from fecnn.decoders.foreign import files_at
from fecnn.errors import ClusterError, extra
from fecnn.jit import compiling
from fecnn.nets.card import CARD, WEIGHTS
from fecnn.simulation.simulate import curve_places, make_batches, prepared
from fecnn.simulation.task import Point, Task
from fecnn.simulation.threads import Threads, check_limit
from fecnn.simulation.workers import Failed, Made, WorkerLost

with extra("cluster", "a cluster"):
    import distributed
    from dask.utils import key_split
    from distributed.protocol.serialize import deserialize_bytes, serialize_bytes
    from distributed.scheduler import KilledWorker

    from fecnn.simulation import schedulers

LOT_SECONDS = 1.0
"""Target duration of a lot; the few milliseconds of handing it out are then negligible."""

LOTS_A_SECOND = 100
"""Most lots the driver hands out per second; with many workers, lots get longer."""

CONNECT_SECONDS = 30
"""How long to wait for the scheduler, in seconds."""

Files = dict[str, dict[str, bytes]]
"""Files that tasks need: for each name used in a task, file names and their contents."""


@contextmanager
def connect(where: str, limit: float | None = None) -> "Iterator[Cluster]":
    """Workers of a cluster, as a context manager.

    A script that uses ``local:N`` must do so under ``if __name__ == "__main__":``, because the started
    processes import it again.

    Args:
        where: ``local:N`` for N processes on this machine; the address of a running scheduler, such as
            ``tcp://10.0.0.1:8786``; or a ``.toml`` file describing a Slurm cluster (docs/scaling.md).
        limit: Seconds after which a batch fails and its worker is restarted; None for no limit. A worker's
            first batch includes building the decoder.

    Raises:
        ValueError: If ``where`` is none of these, the file is invalid, or the limit is not positive.
        FileNotFoundError: If there is no such file.
        ClusterError: If no scheduler answers.

    Example:
        >>> with connect("local:0"):
        ...     pass
        Traceback (most recent call last):
            ...
        ValueError: a local cluster needs 1 or more workers, such as local:2, got 'local:0'
    """
    check_limit(limit)
    with ExitStack() as stack:
        if where.startswith("local:"):
            scheduler: Any = stack.enter_context(schedulers.local(where))
        elif where.endswith(".toml"):
            scheduler = stack.enter_context(schedulers.slurm(Path(where)))
        elif "://" in where:
            scheduler = where
        else:
            raise ValueError(
                f"a cluster is local:N, an address such as tcp://host:8786, or a .toml file, got {where!r}"
            )
        try:
            client = distributed.Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise ClusterError(f"no scheduler answers at {where}: {error}") from error
        stack.callback(client.close, 5)
        kept = None if isinstance(scheduler, str) else schedulers.Kept(scheduler)
        yield Cluster(client, limit, kept, here=where.startswith("local:"))


class Cluster:
    """The workers of a Dask client, as made by `connect`."""

    def __init__(
        self,
        client: "distributed.Client",
        limit: float | None = None,
        kept: "schedulers.Kept | None" = None,
        *,
        here: bool = False,
    ) -> None:
        self._client, self._limit, self._kept, self._here = client, limit, kept, here
        self._threads, self._counted = 0, 0.0
        # One key group for all lots: the scheduler remembers every group as long as it has work.
        self._keys = zip(repeat(f"make_lot-{uuid4().hex}"), count())

    @property
    def threads(self) -> int:
        """Number of threads of all workers, counted at most once a second."""
        if time.monotonic() - self._counted > 1:
            try:
                self._threads = sum(self._client.nthreads().values())
            except (OSError, TimeoutError, RuntimeError, CancelledError):
                pass  # the lots in progress will report that the scheduler is gone
            # A scheduler in this process caches the last 100,000 keys, but every key is new.
            key_split.cache_clear()
            self._counted = time.monotonic()
        return self._threads

    @property
    def slots(self) -> int:
        """One lot more than there are threads, so that no worker waits for the driver and Dask never idles.

        (Each time Dask idles, a scheduler not started here begins a new span and keeps the old ones.)

        This is asked every second, so lost workers of a cluster started here are restarted here.

        Raises:
            ClusterError: If restarting failed.
        """
        if self._kept is not None:
            self._kept.look_after()
        return 1 + self.threads

    @property
    def seconds(self) -> float:
        """Target duration of a lot, in seconds."""
        return max(LOT_SECONDS, self._threads / LOTS_A_SECOND)

    def prepare(self, points: Sequence[Point]) -> None:
        """Send the files of codes and weights once to each worker, including workers that join later.

        Raises:
            ClusterError: If a worker cannot store them.
        """
        if self._here:
            # Compile here once, and local workers load the result; otherwise each would compile the same.
            # Only fecnn's own decoders are built, so no foreign code runs in the driver.
            names = curve_places(points)
            for point in {point.curve: point for point in points if point.task.source is None}.values():
                with compiling.for_(names[point.task.id]), suppress(Exception):  # a batch will report it
                    prepared(point.task)
        # All points of a curve need the same files.
        tasks = {replace(point.task, ebn0_db=0.0) for point in points}
        files: Files = {}
        for task in sorted(tasks, key=lambda task: task.id):
            files |= files_of(task)
        if files:
            try:
                self._client.register_plugin(Unpack(files))
            except Exception as error:
                raise ClusterError(f"a worker cannot store the files of this study: {error}") from error

    def submit(self, task: Task, batches: Sequence[int]) -> "Future[list[Made | Failed]]":
        """Simulate a lot of batches of a task, in this order, up to the first failure."""
        found: Future[list[Made | Failed]] = Future()
        try:
            lot = partial(make_lot, task, compact(batches), self._limit, __version__)
            # Send a lambda by value: a worker without fecnn would die silently on a name it lacks.
            remote = self._client.submit(
                lambda lot: deserialize_bytes(lot)(), serialize_bytes(lot), key=next(self._keys)
            )
        except Exception as error:
            raise ClusterError(f"the cluster accepts no more work: {error}") from error
        remote.add_done_callback(lambda done: self._deliver(done, found))
        return found

    def _deliver(self, remote: Any, found: "Future[list[Made | Failed]]") -> None:
        try:
            address, results = remote.result()
            self._works()
        except KilledWorker as error:
            self._works()
            found.set_exception(WorkerLost(f"{error.last_worker.address} died"))
        except ClusterError as error:
            found.set_exception(error)
        except (ImportError, AttributeError, TypeError) as error:  # as unpickling raises them
            found.set_exception(ClusterError(f"a worker has another fecnn than the driver, or none: {error}"))
        except BaseException as error:  # a caller is waiting, whatever the error
            found.set_exception(ClusterError(f"the cluster is lost: {error or type(error).__name__}"))
        else:
            found.set_result(results)
            if any(isinstance(result, Failed) and result.late for result in results):
                # The abandoned thread ends only with its process.
                threading.Thread(target=self._restart, args=(address,), daemon=True).start()
        finally:
            # The error's traceback refers to this frame, and through it to the lot: break the cycle.
            remote.release()

    def _works(self) -> None:
        if self._kept is not None:
            self._kept.works()

    def _restart(self, address: str) -> None:
        try:
            self._client.restart_workers([address], raise_for_error=False)
        except (ValueError, OSError, TimeoutError, RuntimeError) as error:
            logging.getLogger(__name__).warning("%s hangs and cannot be restarted: %s", address, error)


def make_lot(
    task: Task, batches: Sequence[int], limit: float | None, version: str
) -> tuple[str, list[Made | Failed]]:
    """On a worker: simulate a lot of batches; return the worker's address and the results.

    Raises:
        ClusterError: If the worker has another fecnn version than the driver.
    """
    address = distributed.get_worker().address
    if __version__ != version:
        raise ClusterError(f"worker {address} has fecnn {__version__}, but the driver has {version}")
    task = unpacked(task)
    if limit is None:
        return address, list(make_batches(task, batches))
    with Threads(1, limit) as thread:
        return address, thread.submit(task, batches).result()


def compact(batches: Sequence[int]) -> Sequence[int]:
    """The same indices, as a range if possible: the scheduler remembers all that it hands out.

    Example:
        >>> compact([4, 6, 8]), compact([1, 2, 5])
        (range(4, 9, 2), [1, 2, 5])
    """
    step = batches[1] - batches[0] if len(batches) > 1 else 1
    whole = range(batches[0], batches[-1] + 1, step)
    return whole if list(whole) == list(batches) else list(batches)


def files_of(task: Task) -> Files:
    """The files that a task needs and that do not ship with fecnn."""
    files: Files = {}

    def take(name: str) -> str:
        path = Path(name)
        if is_held(name):
            files[name] = {"code.toml": code_text(load_code(name)).encode()}
        elif name in (task.home, task.channel_home):
            files[name] = files_at(name, task.decoder, "decoder") if name == task.home else {}
            if name == task.channel_home:
                files[name] |= files_at(name, parts_of(task.channel)[0], "channel")
        elif "/" in name and path.is_dir():
            files[name] = {file: (path / file).read_bytes() for file in (CARD, WEIGHTS)}
        elif "/" in name:
            files[name] = {path.name: path.read_bytes()}
        return name

    _moved(task, take)
    return files


def _moved(task: Task, place_of: Callable[[str], str]) -> Task:
    """The task with its files in other places."""
    weights = task.weights and replace(task.weights, place=place_of(task.weights.place))

    def moved(place: str | Recipe) -> str | Recipe:
        return place_of(place) if isinstance(place, str) and is_held(place) else with_paths(place, place_of)

    code, sender = moved(task.code), task.sender and moved(task.sender)
    home = task.home and place_of(task.home)
    over = task.channel_home and place_of(task.channel_home)
    return replace(task, code=code, sender=sender, weights=weights, home=home, channel_home=over)


_places: dict[str, str] = {}
"""Where this worker has stored the files of each name."""


class Unpack(distributed.WorkerPlugin):
    """Writes the files of tasks into a worker's folder when it joins."""

    def __init__(self, files: Files) -> None:
        self.files = files
        names = (
            f"{name}/{file}".encode() + content
            for name, contents in files.items()
            for file, content in contents.items()
        )
        self.name = f"fecnn-{hashlib.sha256(b''.join(names)).hexdigest()[:16]}"

    def setup(self, worker: "distributed.Worker") -> None:
        """Write the files."""
        for number, (name, files) in enumerate(self.files.items()):
            folder = Path(worker.local_directory) / self.name / str(number)
            folder.mkdir(parents=True, exist_ok=True)
            for file, content in files.items():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                write(folder / file, content)
            only = "code.toml" if is_held(name) else Path(name).name  # of a folder, none of its files
            _places[name] = str(folder / only if only in files else folder)


def unpacked(task: Task) -> Task:
    """The task with the paths of its files on this worker."""
    return _moved(task, lambda name: _places.get(name, name))
