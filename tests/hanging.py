"""Tests that never end, for `test_limits`; collected only where this file is named."""

import itertools
import threading
import time

import torch  # noqa: F401  which a fixture imports, and that takes its time


def test_that_sleeps():
    time.sleep(1000)


def test_that_waits_for_a_lock():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def test_that_waits_for_a_thread():
    threading.Thread(target=time.sleep, args=(1000,), daemon=True, name="the one waited for").start()
    threading.Event().wait()


def test_that_ends():
    pass


def test_that_never_returns_from_c():
    sum(itertools.repeat(0))  # looks at no signals, and nobody else gets Python's lock
