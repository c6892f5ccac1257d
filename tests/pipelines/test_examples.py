"""Every example runs and says what it found."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SAYS = {
    "numpy_link.py": ["ml    BLER", "osd   BLER", "bp    BLER"],
    "processes.py": ["True: 4 parts from 2 processes equal one call"],
    "sionna_qam.py": ["QPSK   2.5 dB  BER", "16-QAM 5.5 dB  BER"],
    "torch_module.py": ["of 2,000 frames", "median magnitude"],
}
NEEDS = {"sionna_qam.py": "sionna.phy", "torch_module.py": "torch"}


def test_each_example_is_run():
    elsewhere = {"onnxruntime_decoder.py", "gnuradio_link.py"}  # by the tests of their worlds
    assert {path.name for path in EXAMPLES.glob("*.py")} == {*SAYS, *elsewhere}


@pytest.mark.parametrize("name", SAYS)
def test_an_example_runs(name, tmp_path):
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    done = subprocess.run(
        [sys.executable, EXAMPLES / name],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    for said in SAYS[name]:
        assert said in done.stdout, done.stdout
