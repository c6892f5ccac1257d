"""Write a study's results.csv, figure.svg and README table from its results.

Run from the root of a checkout: python tools/write_study.py NAME [FOLDER OF RESULTS]
"""

import itertools
import sys
from pathlib import Path

import numpy as np

import fecnn
from fecnn.campaign import RESULTS, store_path
from fecnn.figure import plot, save
from fecnn.store import Store
from fecnn.study import Study, Task
from fecnn.table import display, judge, markdown

BEGIN, END = "<!-- results -->", "<!-- end of results -->"


def section(study: Study, results) -> str:
    """The part of a README that is made from results: the table, and how published points fared."""
    text = markdown(display(study, results))
    verdicts = judge(study, results)
    if len(verdicts):
        differ = verdicts[verdicts["verdict"] == "differs"]
        text += f"\nPublished points: {len(verdicts) - len(differ)} of {len(verdicts)} agree."
        for _, row in differ.iterrows():
            text += (
                f"\n- {row['curve']} at {row['ebn0_db']:g} dB: {row['metric']} published "
                f"{row['published']:.4g} "
                f"[{row['published_low']:.3g}, {row['published_high']:.3g}], ours {row['ours']:.4g} "
                f"[{row['low']:.3g}, {row['high']:.3g}] ({row['source']})."
            )
        text += "\n"
    return text


def common_frames(study: Study, store: Store, first: str, second: str) -> str:
    """A sentence on the frames that two curves both decoded: their block errors, flag by flag."""
    frames = errors = different = 0
    for ours, theirs in itertools.product(study.points, study.points):
        if (ours.curve, theirs.curve) == (first, second) and ours.task.ebn0_db == theirs.task.ebn0_db:
            a, b = (all_flags(store, point.task) for point in (ours, theirs))
            both = min(len(a), len(b))
            frames, errors = frames + both, errors + int(a[:both].sum())
            different += int((a[:both] != b[:both]).sum())
    return (
        f"On the {frames:,} frames (all points together) that both `{first}` and `{second}` decoded, "
        f"`{first}` has {errors:,} block errors, and the two differ in {different}.\n"
    )


def all_flags(store: Store, task: Task) -> np.ndarray:
    """Block errors of the frames 0, 1, 2, ... of a task, as far as batches go without a gap."""
    flags = [np.zeros(0, np.uint8)]
    for i in itertools.count():
        try:
            flags.append(np.unpackbits(np.frombuffer(store.flags(task, i), np.uint8), count=task.batch))
        except LookupError:
            return np.concatenate(flags)


def main(name: str, folder: Path) -> None:
    study = fecnn.load_study(f"studies/{name}")
    home = study.path.parent
    results = fecnn.table(study, store_path(study, folder))
    results.to_csv(home / "results.csv", index=False)
    save(plot(study, results), home / "figure.svg")
    readme = home / "README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    made = section(study, results)
    curves = {curve.name for curve in study.curves}
    with Store(store_path(study, folder)) as store:
        for pair in (("ml", "slnn"), ("map", "mlnn")):
            if curves.issuperset(pair):
                made += f"\n{common_frames(study, store, *pair)}"
    readme.write_text(f"{before}{BEGIN}\n{made}{END}{after}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else RESULTS)
