"""Compiling kernels: on first call, once per machine, with a notice to the user.

Numba keeps machine code on disk, next to the source or in the user's cache folder. If neither is writable, a
temporary folder is used for the life of the process, and a warning says so.
"""

import atexit
import gc
import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None  # type: ignore[assignment]

import numba as nb
import numpy as np
from numba.core import event
from numba.core.options import DefaultOptions

LOCKED, COMPILES = "numba:compiler_lock", "numba:compile"
"""Numba's events: a thread holds the compiler lock (if only to load cached code); a function is compiled."""


def _has_cache() -> bool:
    """Whether Numba has a writable folder for this package's machine code."""
    try:
        nb.njit(cache=True)(_has_cache)
    except RuntimeError:
        return False
    return True


def _cache_for_this_process() -> bool:
    """Create a temporary cache folder for this process and its children; return whether that worked."""
    problem = "no folder for compiled kernels can be written, so every process compiles them again"
    try:
        folder = tempfile.mkdtemp(prefix="fecnn-")
    except OSError:
        logging.getLogger(__name__).warning("fecnn: %s", problem)
        return False
    owner = os.getpid()

    @atexit.register
    def _remove() -> None:
        if os.getpid() == owner:  # not in a fork
            shutil.rmtree(folder, ignore_errors=True)

    os.environ["NUMBA_CACHE_DIR"] = nb.config.CACHE_DIR = folder  # type: ignore[attr-defined]
    logging.getLogger(__name__).warning("fecnn: %s; set NUMBA_CACHE_DIR to a writable folder", problem)
    return True


_CACHED = _has_cache() or _cache_for_this_process()


_BORROWS = {"_nrt": False} if hasattr(DefaultOptions, "_nrt") else {}
"""Numba's option to leave out reference counts; without it such kernels are only slower."""


def kernel(function: Callable[..., Any] | None = None, /, *, borrows: bool = False, **options: Any) -> Any:
    """Compile a function on first call, without Python's lock; use as ``@kernel`` or ``@kernel(...)``.

    Args:
        function: The function to compile.
        borrows: Whether it allocates nothing and returns no array, so that its arrays are the caller's and
            need no reference counts. Tuples of arrays are free then. Numba refuses to compile an allocation.
        options: Further options for `numba.njit`, such as ``error_model="numpy"`` or ``inline="always"``.
    """
    # Kernels are never called from C, and the C wrapper takes a twentieth of the compile time.
    njit: Any = nb.njit
    counts = _BORROWS if borrows else {}
    compiled = njit(cache=_CACHED, nogil=True, no_cfunc_wrapper=True, **counts, **options)

    def decorate(function: Callable[..., Any]) -> Any:
        dispatcher = compiled(function)
        _save_one_at_a_time(dispatcher)
        return dispatcher

    return decorate if function is None else decorate(function)


def _save_one_at_a_time(dispatcher: Any) -> None:
    """Let one process at a time save machine code of a kernel.

    Numba names its files by what it has found in the index: two processes that save at once may choose one
    name for two signatures, and then load the code of the other.
    """
    cache: Any = getattr(dispatcher, "_cache", None)
    save: Any = getattr(cache, "save_overload", None)
    if fcntl is None or getattr(cache, "cache_path", None) is None:  # or nothing is cached
        return

    def locked(signature: Any, data: Any) -> None:
        with ExitStack() as stack:
            with suppress(OSError):  # a cache that cannot be written, or whose file system has no locks
                os.makedirs(cache.cache_path, exist_ok=True)
                lock = stack.enter_context(open(os.path.join(cache.cache_path, ".lock"), "ab"))
                fcntl.flock(lock, fcntl.LOCK_EX)
            save(signature, data)

    cache.save_overload = locked


class Compiling(event.Listener):
    """Measures the time spent preparing kernels instead of working, and announces what is being compiled.

    It listens to Numba's events. Garbage collection is disabled while compiling: the compiler creates
    millions of objects that all stay alive, so collecting them only costs time (about a seventh of it).
    """

    def __init__(self) -> None:
        self._preparing, self._compiling = _Clock(), _Clock()
        self._nested, self._collects = 0, False  # one thread compiles at a time, but kernels nest
        self._here = _Here()
        self._tell: Callable[[str], None] | None = None
        self._told: set[str] = set()

    def on_start(self, event: Any) -> None:
        """Handle a thread acquiring the compiler lock, or a compilation starting."""
        if event.kind == LOCKED:
            self._compiling.start()
            self._start()
            return
        tell, what = self._tell, self._here.what
        if tell is not None and what not in self._told:
            self._told.add(what)
            tell(f"compiling {what}, once on this machine")
        if not self._nested:
            self._collects = gc.isenabled()
            gc.disable()
        self._nested += 1

    def on_end(self, event: Any) -> None:
        """Handle the end of either."""
        if event.kind == LOCKED:
            self._end()
            self._compiling.end()
            return
        self._nested -= 1
        if not self._nested and self._collects:
            gc.enable()

    @contextmanager
    def preparing(self) -> Iterator[None]:
        """Count the time in this block as preparation, not work: it builds what compiled kernels need."""
        self._start()
        try:
            yield
        finally:
            self._end()

    @contextmanager
    def for_(self, what: str) -> Iterator[None]:
        """Name what this thread may compile for while in this block."""
        before, self._here.what = self._here.what, what
        try:
            yield
        finally:
            self._here.what = before

    @contextmanager
    def told(self, tell: Callable[[str], None]) -> Iterator[None]:
        """While in this block, call ``tell`` with one line for each thing that is compiled for."""
        self._tell, self._told = tell, set()
        try:
            yield
        finally:
            self._tell = None

    @property
    def seconds(self) -> float:
        """Wall time this process has spent preparing so far."""
        return self._preparing.seconds

    @property
    def compiler_seconds(self) -> float:
        """The part of `seconds` spent in the compiler."""
        return self._compiling.seconds

    @property
    def thread_seconds(self) -> float:
        """CPU time this thread has spent preparing so far."""
        return self._here.seconds

    def _start(self) -> None:
        if not self._here.depth:
            self._here.began = time.thread_time()
        self._here.depth += 1
        self._preparing.start()

    def _end(self) -> None:
        self._preparing.end()
        self._here.depth -= 1
        if not self._here.depth:
            self._here.seconds += time.thread_time() - self._here.began


class _Clock:
    """Wall time during which at least one thread is active."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads = 0
        self._began = self._seconds = 0.0

    def start(self) -> None:
        with self._lock:
            if not self._threads:
                self._began = time.monotonic()
            self._threads += 1

    def end(self) -> None:
        with self._lock:
            self._threads -= 1
            if not self._threads:
                self._seconds += time.monotonic() - self._began

    @property
    def seconds(self) -> float:
        with self._lock:
            return self._seconds + (time.monotonic() - self._began if self._threads else 0.0)


class _Here(threading.local):
    """What the current thread is doing."""

    what = "what all decoders need"
    depth = 0
    began = seconds = 0.0


compiling = Compiling()
"""Compilation times and notices of this process."""

for kind in (LOCKED, COMPILES):
    event.register(kind, compiling)  # type: ignore[no-untyped-call]


@kernel(inline="always")
def popcount(x):  # type: ignore[no-untyped-def]
    """Number of ones in a 64-bit word (the classic SWAR sum, which LLVM turns into one instruction)."""
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((x * np.uint64(0x0101010101010101)) >> np.uint64(56))
