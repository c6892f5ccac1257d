"""What it takes to compile every kernel from nothing: once for each width of checks, whatever the codes."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import time
import numpy as np
import fecnn
from fecnn.bench import CASES, Case, Run

parity = np.random.default_rng(0).integers(0, 2, (100, 100), dtype=np.uint8)
wide = fecnn.Code.from_generator(np.concatenate([np.eye(100, dtype=np.uint8), parity], axis=1))
for case in [*CASES, Case("ml", "bch-15-7", 3.0, {"method": "codebook"}), Case("grand", "bch-15-7", 3.0)]:
    Run(case).round()
for name in ("ml", "osd", "pb-osd", "lc-osd"):
    fecnn.decoder(name, wide)(np.ones(200, np.float32))
for name in fecnn.decoder_names(soft=True):
    fecnn.soft_decoder(name, fecnn.load_code("polar-16-8"))(np.ones(16, np.float32))
print(time.process_time())
"""


@pytest.mark.slow
def test_all_kernels_compile_in_three_minutes(tmp_path, benchmark):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, env=environment
    )
    print(f"all kernels from nothing: {float(done.stdout):.0f} s of CPU, target 180")
    assert float(done.stdout) < 180
    benchmark(lambda: None)
