"""How long commands take with a warm cache: CPU seconds of a whole process, the least of three."""

import os
import resource
import subprocess
import sys

import pytest

LIMITS = {
    "--help": 0.7,
    "studies": 0.7,
    "codes": 0.7,
    "nets": 0.7,
    "decoders": 0.7,
    "table osd-orders": 2.0,
    "plot osd-orders --metric bler -o figure.svg": 3.0,  # four panels
    "plot osd-orders -o figure.svg": 3.0,  # eight, with the gaps
    "report osd-orders -o report.html": 5.0,
}
"""CPU seconds that each command may take."""


def seconds(command, folder):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "fecnn", *command.split()],
        capture_output=True,
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.slow
@pytest.mark.parametrize("command", LIMITS)
def test_commands_answer_at_once(command, tmp_path):
    least, _, most = sorted(seconds(command, tmp_path) for _ in range(4))[:3]
    print(f"\n| {command.partition(' -o')[0]} | {least:.2f} [{least:.2f}, {most:.2f}] | {LIMITS[command]} |")
    assert least <= LIMITS[command]
