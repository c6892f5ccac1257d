"""A study of two curves, its results as they might be counted, and published points beside it."""

from dataclasses import replace

import numpy as np

from fecnn.simulation.store import Store
from fecnn.simulation.tally import Tally
from fecnn.studies.reference import COLUMNS
from fecnn.studies.study import load_study

STUDY = """
title = "Two curves"
code = "hamming-7-4"
ebn0_db = [0, 1, 2]
batch = 1000
stop = { frames = 4000 }
[[curve]]
decoder = "ml"
published = "ML"
[[curve]]
label = "second"
decoder = "osd"
options = { order = 1 }
"""

HEADER = ",".join(COLUMNS)

# block errors, bit errors and squares, code bit errors and squares of batches of 1000 frames
MANY = Tally(1000, 150, 300, 660, 480, 1600, 150, seconds=0.002)
FEW = Tally(1000, 9, 18, 40, 28, 94, 9, seconds=0.001)
NONE = Tally(1000, seconds=0.004)


def flagged(counts):
    """With flags: the first frames are wrong."""
    wrong = np.arange(counts.frames) < counts.block_errors
    return replace(counts, flags=np.packbits(wrong).tobytes())


def filled(study, path):
    """ML: many errors at 0 dB, few at 1 dB, none at 2 dB; the second curve only at 0 dB, unfinished."""
    with Store(path, write=True) as file:
        for point, counts in zip(study.points[:3], (MANY, FEW, NONE), strict=True):
            for i in range(5):  # one more than the rule asks for
                file.append(point.task, i, flagged(counts))
        file.append(study.points[3].task, 0, flagged(MANY))
        file.append(study.points[3].task, 2, flagged(MANY))  # does not count: batch 1 is missing
        file.append(study.points[5].task, 1, flagged(MANY))
    return path


def refer(study, *rows):
    """Published points beside the study."""
    (study.path.parent / "reference.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    return load_study(study.path)


def row(
    value="0.15",
    errors="",
    frames="",
    how="seen",
    ebn0_db="0.0",
    metric="bler",
    decoder="ML",
    code="hamming-7-4",
):
    """A published point."""
    return f'{code},{decoder},{ebn0_db},{metric},{value},{errors},{frames},"Someone, 2001",table 1,"{how}"'
