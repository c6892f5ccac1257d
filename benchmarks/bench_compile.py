"""Compile times on a machine with an empty cache, in CPU seconds of a separate process."""

import os
import subprocess
import sys

import pytest

from fecnn.decoders.registry import REGISTRY, built_in

FIRST_STUDY = """
import fecnn
from fecnn.jit import compiling
from fecnn.simulation.simulate import prepared
study = fecnn.load_study("optimal-hamming-7-4")
before = compiling.thread_seconds
for point in study.points:
    prepared(point.task)
"""

FIRST_DECISION = """
import numpy as np
import fecnn
code = fecnn.load_code({code!r})
channel = fecnn.AWGN.at(3.0, code.rate)
rng = np.random.default_rng(1)
llr = channel.transmit(code.encode(rng.integers(0, 2, (100, code.k), dtype=np.uint8)), rng)
fecnn.decoder({name!r}, code, channel, **{options!r})(llr)
"""

EVERYTHING = """
import numpy as np
import fecnn
from fecnn.studies.warm_up import warm_up
warm_up()
parity = np.random.default_rng(0).integers(0, 2, (100, 100), dtype=np.uint8)
wide = fecnn.Code.from_generator(np.concatenate([np.eye(100, dtype=np.uint8), parity], axis=1))
for name in ("ml", "osd", "pb-osd", "lc-osd"):
    fecnn.decoder(name, wide)(np.ones((1, 200), np.float32))
"""

TIMES = """
import time
from numba.core import event
compiled, inner = [], []
class Listener(event.Listener):
    def on_start(self, event):
        inner.append(time.thread_time())
    def on_end(self, event):
        began = inner.pop()
        function = event.data["dispatcher"].py_func
        seconds = 0 if inner else time.thread_time() - began
        compiled.append((function.__module__ + "." + function.__qualname__, seconds))
event.register("numba:compile", Listener())
{script}
foreign = [name for name, _ in compiled if any(part in name for part in ("raise_with", "argsort", "unicode"))]
print(time.process_time(), sum(seconds for _, seconds in compiled), len(compiled), *foreign)
"""

SEARCHED = {"ml": "bch-63-45", "refusing": "bch-63-45"}
"""Codes of decoders whose example is short enough for less than their search."""


def seconds(script, folder):
    """CPU seconds of a process with an empty cache, of its compilation, and the number of functions compiled.

    No kernel copies slices or sorts with NumPy, because compiling their error messages is slow.
    """
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", TIMES.format(script=script)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    whole, compiling, functions, *foreign = done.stdout.split()
    assert not foreign
    return float(whole), float(compiling), int(functions)


@pytest.mark.slow
def test_the_first_study(tmp_path):
    whole, compiling, functions = seconds(FIRST_STUDY, tmp_path)
    print(f"optimal-hamming-7-4: {functions} functions in {compiling:.1f} CPU s of {whole:.1f}, target 30")
    assert compiling < 30


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_the_first_decision(name, tmp_path):
    example = built_in(name).example
    code = SEARCHED.get(name, example.code)
    script = FIRST_DECISION.format(name=name, code=code, options=dict(example.options))
    whole, compiling, functions = seconds(script, tmp_path)
    print(f"{name}: {whole:.1f} CPU s, {compiling:.1f} of them for {functions} functions, target 12")
    assert whole < 12


@pytest.mark.slow
def test_everything(tmp_path):
    whole, compiling, functions = seconds(EVERYTHING, tmp_path)
    print(f"all kernels: {functions} functions in {compiling:.1f} CPU s of {whole:.1f}, target 60")
    assert compiling < 60
