"""Compiling: told, not charged to anybody, and possible where nothing can be written."""

import os
import re
import subprocess
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest

import fecnn
from fecnn.jit import _save_one_at_a_time, compiling
from fecnn.studies.run import run

STUDY = """
title = "two"
code = "hamming-7-4"
ebn0_db = [1, 2, 3]
batch = 64

[stop]
frames = 64

[[curve]]
decoder = "hard"

[[curve]]
decoder = "osd"
options = { order = 1 }
"""


def python(*arguments, folder, **environment):
    command = [sys.executable, *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=True)


def test_a_run_tells_what_it_compiles_once_on_a_machine(tmp_path):
    (tmp_path / "two.toml").write_text(STUDY)
    command = ("-c", "from fecnn.cli.app import app; app()", "run", "two.toml", "--workers", "1")
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    told = python(*command, folder=tmp_path, **cache).stderr.splitlines()
    assert [line for line in told if "compiling" in line] == [
        "compiling what all decoders need, once on this machine",
        "compiling hard (1 of 2), once on this machine",
        "compiling osd (order 1) (2 of 2), once on this machine",
    ]
    (tmp_path / "fecnn-results/two.sqlite").unlink()
    assert "compiling" not in python(*command, folder=tmp_path, **cache).stderr


def test_what_was_warmed_up_is_not_compiled_again(tmp_path):
    (tmp_path / "two.toml").write_text(STUDY)
    app = ("-c", "from fecnn.cli.app import app; app()")
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    told = python(*app, "warm-up", "two.toml", "grand", folder=tmp_path, **cache).stderr
    assert "compiling osd (order 1) (2 of 2), once on this machine" in told
    assert "compiling grand (2 of 2), once on this machine" in told
    assert "compiling" not in python(*app, "run", "two.toml", folder=tmp_path, **cache).stderr
    assert python(*app, "warm-up", "two.toml", "grand", folder=tmp_path, **cache).stderr == ""


def test_no_batch_is_charged_for_compiling(tmp_path):
    """Not even one whose frames are the first that need float64: here, ties."""
    script = (
        "import numpy as np, time, fecnn\n"
        "from fecnn.jit import _save_one_at_a_time, compiling\n"
        "from fecnn.simulation.simulate import run_batch\n"
        "task = fecnn.load_study('two.toml').points[0].task\n"
        "began = time.perf_counter()\n"
        "counts = run_batch(task, 0)\n"
        "assert time.perf_counter() - began > 20 * counts.seconds, counts.seconds\n"
        "assert compiling.seconds > 0.5 and compiling.thread_seconds > 0.5\n"
    )
    text = STUDY.replace('decoder = "hard"', 'decoder = "ml"\noptions = { method = "trellis" }')
    (tmp_path / "two.toml").write_text(text)
    python("-c", script, folder=tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "cache"))


def test_the_clock_of_a_run_does_not_count_compiling_and_every_point_gets_a_batch(tmp_path):
    text = STUDY.replace("frames = 64", "frames = 1_000_000")
    (tmp_path / "two.toml").write_text(text)
    study = fecnn.load_study(tmp_path / "two.toml")
    for _ in run(study, store=tmp_path / "r.sqlite", seconds=1e-9):
        pass
    table = fecnn.table(study, tmp_path / "r.sqlite")
    assert list(table["frames"]) == [64] * 6
    for _ in run(study, store=tmp_path / "r.sqlite", seconds=1e-9):  # now each of them has one
        pass
    assert fecnn.table(study, tmp_path / "r.sqlite")["frames"].sum() <= 7 * 64  # one while the clock started

    before = compiling.seconds
    with compiling.preparing():
        while compiling.seconds - before < 0.3:
            pass
    assert compiling.seconds - before >= 0.3


def test_the_garbage_collector_rests_only_while_compiling():
    import gc

    from fecnn.jit import kernel

    seen = []

    class Told:
        def __call__(self, line):
            seen.append(line)

    @kernel
    def twice(x):
        return 2 * x

    assert gc.isenabled()
    with compiling.told(Told()), compiling.for_("a test"):
        assert twice(np.float32(3)) == 6
    assert gc.isenabled()
    assert seen in ([], ["compiling a test, once on this machine"])  # pytest's cache folder may have it


@pytest.mark.parametrize("forbidden", ["cache", "cache and temporary"])
def test_where_no_cache_can_be_written_one_line_says_so(forbidden, tmp_path):
    """Numba tries to write to the folder of the source and to that of the user; here it can do neither."""
    script = (
        "import tempfile\n"
        "real = tempfile.TemporaryFile\n"
        "def only_ours(*, dir):\n"
        "    if 'fecnn-' not in str(dir): raise OSError\n"
        "    return real(dir=dir)\n"
        "tempfile.TemporaryFile = only_ours\n"
        f"if 'temporary' in {forbidden!r}:\n"
        "    def refuse(prefix): raise OSError\n"
        "    tempfile.mkdtemp = refuse\n"
        "import numpy as np, fecnn\n"
        "print(fecnn.decoder('hard', fecnn.hamming(3))(np.ones(7, np.float32)))\n"
        "import os; print(os.environ.get('NUMBA_CACHE_DIR'))\n"
    )
    done = python("-c", script, folder=tmp_path, NUMBA_CACHE_DIR="")
    assert re.fullmatch(r"fecnn: no folder for compiled kernels can be written, .*\n", done.stderr)
    bits, folder = done.stdout.splitlines()
    assert bits == "[0 0 0 0 0 0 0]"
    assert not os.path.exists(folder)  # the process has removed it


def test_arrays_that_cannot_be_written_compile_nothing_anew(tmp_path):
    from numba.core import event

    code = fecnn.load_code("hamming-7-4")
    rng = np.random.default_rng(1)
    messages = rng.integers(0, 2, (20, 4), dtype=np.uint8)
    llr = fecnn.AWGN.at(2.0, code.rate).transmit(code.encode(messages), rng)
    decoders = [fecnn.decoder(name, code) for name in ("ml", "osd", "map", "hard", "bp", "grand")]
    expected = [decode(llr) for decode in decoders]
    fecnn.soft_decoder("map", code)(llr)
    code.extract(code.encode(messages)), code.syndrome(code.encode(messages))

    np.save(tmp_path / "llr.npy", llr)
    mapped = np.load(tmp_path / "llr.npy", mmap_mode="r")
    frozen = llr.astype(np.float64)
    frozen.flags.writeable = messages.flags.writeable = False
    shifted = np.frombuffer(b"x" + llr.tobytes(), np.float32, offset=1).reshape(llr.shape)
    with event.install_recorder("numba:compile") as recorder:
        for given in (mapped, frozen, np.asfortranarray(llr), shifted, llr.astype(">f4")):
            for decode, bits in zip(decoders, expected, strict=True):
                assert np.array_equal(decode(given), bits)
            fecnn.soft_decoder("map", code)(given)
        words = code.encode(messages)
        words.flags.writeable = False
        code.extract(words), code.syndrome(words)
    assert not recorder.buffer


BORROWED = """
import sys
import numba
import numpy as np
import fecnn


def has_array(kind):
    if isinstance(kind, numba.types.BaseTuple):
        return any(has_array(each) for each in kind)
    return isinstance(kind, numba.types.Array)


code, llr = fecnn.load_code("bch-31-16"), np.ones((1, 31), np.float32)
for name, options in (("osd", {}), ("lc-osd", {}), ("ml", {"method": "search"})):
    fecnn.decoder(name, code, **options)(llr)
fecnn.soft_decoder("osd", code)(llr)
modules = [module for name, module in sys.modules.items() if name.startswith("fecnn.")]
kernels = {thing for module in modules for thing in vars(module).values() if hasattr(thing, "targetoptions")}
borrowing = [kernel for kernel in kernels if not kernel.targetoptions.get("_nrt", True)]
compiled = [(kernel.__name__, each.signature) for kernel in borrowing for each in kernel.overloads.values()]
print(len(compiled), [name for name, signature in compiled if has_array(signature.return_type)])
"""


def test_what_borrows_returns_no_array(tmp_path):
    """It would not be counted as a reference of the caller's, who would free memory that is in use."""
    found = python("-c", BORROWED, folder=tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "cache")).stdout.split()
    assert int(found[0]) > 20
    assert found[1:] == ["[]"]


TWO = """
import sys
import numpy as np
from fecnn.jit import kernel


@kernel
def twice(values):
    return values + values


kind = sys.argv[1]
print(twice(np.ones(1, kind)).dtype)
"""


def test_processes_that_compile_at_once_keep_their_signatures_apart(tmp_path):
    """Each finds its own in the cache afterwards: one file for each signature."""
    (tmp_path / "two.py").write_text(TWO)
    kinds = ["float32", "float64", "int32", "int64", "uint8", "int16"]
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    running = [
        subprocess.Popen(
            [sys.executable, "two.py", kind], cwd=tmp_path, env=environment, stdout=subprocess.PIPE
        )
        for kind in kinds
    ]
    for kind, process in zip(kinds, running, strict=True):
        assert process.communicate()[0].decode().strip() == kind
    assert len(list((tmp_path / "cache").rglob("*.nbc"))) == len(kinds)
    for kind in kinds:
        assert python("two.py", kind, folder=tmp_path, **environment).stdout.strip() == kind


def test_one_process_saves_at_a_time(tmp_path, monkeypatch):
    """While another holds the lock, nothing is saved."""
    fcntl = pytest.importorskip("fcntl")

    class Cache:
        cache_path = str(tmp_path)
        saved = False

        def save_overload(self, signature, data):
            self.saved = True

    dispatcher = SimpleNamespace(_cache=Cache())
    _save_one_at_a_time(dispatcher)
    with open(tmp_path / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        thread = threading.Thread(target=dispatcher._cache.save_overload, args=(None, None))
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        assert not dispatcher._cache.saved
    thread.join(10)
    assert dispatcher._cache.saved
