"""Channels in studies: what they are called, whose code runs, and what names the frames."""

import sys

import pytest

import fecnn
from fecnn.simulation import simulate
from fecnn.studies.study import load_study

STUDY = """
title = "t"
code = "hamming-7-4"
channel = "{channel}"
ebn0_db = [3.0]
batch = 256
stop = {{ frames = 1024 }}
[[curve]]
decoder = "ml"
"""
LOUDER = """
from fecnn import AWGN

def louder(ebn0_db, rate, /, *, by={by}):
    return AWGN.at(ebn0_db - by, rate)
"""
OWN_NOISE = """
import numpy as np
from fecnn import bpsk

RNG = np.random.default_rng(1)

class Noisy:
    def transmit(self, bits, rng):
        return bpsk(bits) + RNG.standard_normal(bits.shape).astype(np.float32)

def louder(ebn0_db, rate, /):
    return Noisy()
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder on the path, with nothing of its modules loaded before or after."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    simulate._build.cache_clear()
    yield tmp_path
    for name in ("own_noise", "their_noise"):
        sys.modules.pop(name, None)


def study(folder, channel):
    path = folder / "mine.toml"
    path.write_text(STUDY.format(channel=channel))
    return load_study(path)


def counts(found):
    fecnn.run(found).finish()
    return fecnn.table(found).iloc[0]


def test_a_function_of_a_module_is_a_channel(folder):
    (folder / "own_noise.py").write_text(LOUDER.format(by=3.0))
    own = study(folder, "own_noise:louder")
    assert "own_noise" not in sys.modules, "reading a study runs nothing"
    assert [(name, it.kind) for name, it in own.foreign.items()] == [("own_noise:louder", "channel")]
    rows = counts(own)
    assert rows["channel"] == "own_noise:louder"
    plain = counts(study(folder, "awgn"))
    assert rows["bler"] > 3 * plain["bler"]
    checks = fecnn.verify(folder / "fecnn-results" / "mine.sqlite", study=own, foreign_code=True)
    assert checks
    assert all(check.equal for check in checks)


def test_its_version_is_part_of_the_frames(folder):
    file = folder / "own_noise.py"
    file.write_text(LOUDER.format(by=3.0))
    before = study(folder, "own_noise:louder")
    (first,) = before.points
    file.write_text(LOUDER.format(by=2.0))
    (second,) = study(folder, "own_noise:louder").points
    assert first.task.id != second.task.id
    assert first.task.stream != second.task.stream
    with pytest.raises(ValueError, match=r"code of channel own_noise:louder .* not the version"):
        fecnn.run(before).finish()


def test_nothing_of_a_file_runs_unless_it_is_allowed(folder):
    (folder / "own_noise.py").write_text(LOUDER.format(by=3.0))
    own = study(folder, "own_noise:louder")
    counts(own)
    sys.modules.pop("own_noise", None)
    simulate._build.cache_clear()
    results = folder / "fecnn-results" / "mine.sqlite"
    (check,) = fecnn.verify(results)
    assert "channel own_noise:louder does not ship with fecnn" in check.obstacle
    assert "own_noise" not in sys.modules
    (folder / "own_noise.py").write_text(LOUDER.format(by=1.0))
    (check,) = fecnn.verify(results, foreign_code=True)
    assert "is another version here" in check.obstacle
    (folder / "own_noise.py").unlink()
    (check,) = fecnn.verify(results, foreign_code=True)
    assert "its channel is not here" in check.obstacle


def test_a_channel_with_randomness_of_its_own_is_refused(folder):
    (folder / "own_noise.py").write_text(OWN_NOISE)
    with pytest.raises(ValueError, match="draw all random numbers"):
        fecnn.run(study(folder, "own_noise:louder")).finish()


def test_whose_code_runs_is_said_and_can_be_forbidden(folder, call):
    (folder / "own_noise.py").write_text(LOUDER.format(by=3.0))
    file = study(folder, "own_noise:louder").path
    told = call("run", file)
    assert f"channel own_noise:louder runs code from {folder / 'own_noise.py'}" in told.output
    forbidden = call("run", file, "--no-foreign-code", code=1)
    assert "channel own_noise:louder does not ship with fecnn" in forbidden.output


@pytest.mark.parametrize(
    ("channel", "message"),
    [("awng", "channel: no channel 'awng'; did you mean awgn"), ("gone:at", "no module 'gone' for channel")],
)
def test_unknown_channels_are_named(folder, channel, message):
    with pytest.raises(ValueError, match=message):
        study(folder, channel)
