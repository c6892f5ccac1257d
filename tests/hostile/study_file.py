"""Study files."""

import math

import fecnn
from fecnn.codes.alist import write_alist
from fecnn.studies.study import Curve, Grid, StopTable, Study, load_study
from fecnn.theory.bounds import BOUNDS
from hostile.code_checks import check_code
from hostile.target import check
from hostile.toml_file import TomlFile

SMALL = {"title": "t", "code": "hamming-7-4", "ebn0_db": [1.0, 2.0], "curve": [{"decoder": "ml"}]}
LARGE = {
    "title": "t",
    "question": "?",
    "code": "hamming-7-4",
    "channel": "bsc",
    "ebn0_db": {"from": 0.0, "to": 2.0, "step": 0.5},
    "stop": {"block_errors": 10, "frames": 1000, "relative_width": 0.1, "seconds": 1.0},
    "batch": 64,
    "seed": 5,
    "drawn": ["ML"],
    "panels": "code",
    "metrics": ["bler", "ber_code"],
    "bounds": [next(iter(BOUNDS))],
    "curve": [
        {"decoder": "osd", "options": {"order": 2}, "published": "ML", "label": "a"},
        {"decoder": "ml", "code": ["hamming-7-4", "spc-3"], "options": {"method": "codebook"}},
        {"decoder": "hard", "code": "uncoded", "channel": "awgn", "batch": 8},
        {"decoder": "map", "code": "mine.alist", "ebn0_db": [3.0], "stop": {"frames": 8}},
    ],
}


class StudyFile(TomlFile):
    def prepare(self):
        write_alist(fecnn.hamming(3).H, self.folder / "mine.alist")
        self.trees = [SMALL, LARGE]
        models = (Study, Curve, StopTable, Grid)
        names = [field.alias or name for model in models for name, field in model.model_fields.items()]
        self.words = [*names, "./mine.alist", "osd", "map", "uncoded", "rayleigh", [1.0, 2.0], {"order": 1}]

    def load(self):
        study = load_study(self.folder / self.named)
        for point in study.points:
            check(math.isfinite(point.task.ebn0_db) and 1 <= point.task.batch, "task")
            check(len(point.task.id) == 64 and point.task.fingerprint == point.code.fingerprint, "task")
            check_code(point.code)
        check(len({point.task.id for point in study.points}) == len(study.points), "one task twice")
