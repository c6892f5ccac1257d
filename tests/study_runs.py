"""Studies made from text, run to their end, and read back."""

import fecnn
from fecnn.analysis.table import table
from fecnn.studies.study import load_study

PATIENT = """
title = "t"
code = "hamming-7-4"
ebn0_db = [0, 1, 2]
batch = 16
stop = { frames = 16_000 }
[[curve]]
decoder = "misbehaving:patient"
options = { milliseconds = 3 }
"""
"""A study that takes its time: 9 seconds of one thread."""


def ml_and_osd(ebn0_db, batch, stop, title="t", label="osd (order 1)"):
    """The text of a study of the Hamming code by ML and by OSD."""
    return f"""
title = "{title}"
code = "hamming-7-4"
ebn0_db = {ebn0_db}
batch = {batch}
stop = {{ {stop} }}
[[curve]]
decoder = "ml"
[[curve]]
label = "{label}"
decoder = "osd"
options = {{ order = 1 }}
"""


def make(folder, text, name="mine.toml"):
    """The study of a file with this text."""
    path = folder / name
    path.write_text(text)
    return load_study(path)


def run_all(plan, store, workers=1, **options):
    """Run a study to the end."""
    for _ in fecnn.run(plan, store=store, workers=workers, **options):
        pass


def results(plan, store):
    """The table without what depends on the clock."""
    return fecnn.table(plan, store).drop(columns=["seconds", "us_per_frame"])


def shipped(name):
    """A study that comes with fecnn, and the table of its shipped results."""
    study = fecnn.load_study(name)
    return study, table(study, study.path.parent / "results.csv")
