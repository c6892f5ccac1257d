"""Training configurations."""

import json

import fecnn
from fecnn.codes.alist import write_alist
from fecnn.training.recipe import Check, Data, EarlyStop, Optimiser, Training, load_training, training_of
from hostile.networks import OPTIONS
from hostile.target import check
from hostile.toml_file import TomlFile

HEAD = {"name": "small", "code": "hamming-7-4", "steps": 40}
ATTENTION = {"layers": 1, "width": 8, "heads": 2}
SHORT = (
    ("improved", "fecnn-net", {"iterations": 2, "width": 4}),
    ("published", "literature-slnn", {"hidden": [7]}),
    ("published", "literature-mlnn", {"hidden": [5, 5]}),
    ("improved", "crossmpt", {**ATTENTION, "checks": "systematic"}),
    ("improved", "fecnn-net", {"orbits": 1, "limit": 3, "reference_ebn0_db": 3.0}),
)
SPELT_OUT = {
    **HEAD,
    "code": "mine.alist",
    "model": {"kind": "ecct", "options": {**ATTENTION, "dropout": 0.1}},
    "data": {"ebn0_db": [2.0], "messages": "zero", "targets": "ml", "frames": 640, "augment": True},
    "optimiser": {
        "method": "adamw",
        "rate": 0.01,
        "momentum": 0.5,
        "weight_decay": 0.1,
        "patience": 3,
        "schedule": "cosine",
        "warmup": 10,
        "final_rate": 0.0,
        "clip": 1.0,
        "average": 0.9,
    },
    "batch": 64,
    "epoch": 10,
    "deep": 0.1,
    "precision": "bfloat16",
    "seed": 3,
    "save_every": 5,
    "early_stop": {"patience": 3, "delta": 0.1},
    "check": {"every": 20, "ebn0_db": [2.0], "frames": 500},
}


class TrainingFile(TomlFile):
    def prepare(self):
        write_alist(fecnn.hamming(3).H, self.folder / "mine.alist")
        plans = [
            {**HEAD, "recipe": recipe, "model": {"kind": kind, "options": options}}
            for recipe, kind, options in SHORT
        ]
        self.trees = [*plans, SPELT_OUT]
        models = (Training, Data, Optimiser, EarlyStop, Check)
        names = [name for model in models for name in model.model_fields]
        values = "fecnn-net ecct improved published map plateau systematic".split()
        self.words = [*names, *OPTIONS, *values]

    def load(self):
        training = load_training(self.folder / self.named)
        again = json.loads(training.model_dump_json())
        check(training_of(again, self.named) == training, "no round trip")
