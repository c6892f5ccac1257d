"""Trainings of a second or so, and how they are run to their end."""

from fecnn.training.recipe import merged, training_of
from fecnn.training.train import train

SMALL = {
    "name": "small",
    "code": "hamming-7-4",
    "recipe": "improved",
    "model": {"kind": "fecnn-net", "options": {"iterations": 2, "width": 4}},
    "steps": 40,
    "batch": 64,
    "save_every": 3,
    "check": {"every": 20, "ebn0_db": [2.0], "frames": 500},
}
DENSE = {
    "name": "dense",
    "code": "hamming-7-4",
    "recipe": "published",
    "model": {"kind": "literature-slnn", "options": {"hidden": [7]}},
    "data": {"frames": 640},
    "steps": 60,
    "check": {"every": 30, "ebn0_db": [2.0], "frames": 500},
}
ECCT = {
    "name": "drops",
    "code": "hamming-7-4",
    "recipe": "improved",
    "model": {"kind": "ecct", "options": {"layers": 2, "width": 8, "heads": 2, "dropout": 0.1}},
    "data": {"augment": True},
    "steps": 20,
    "check": {"every": 10, "ebn0_db": [2.0], "frames": 500},
}
SPELT_OUT = {"recipe": None, "data": {"ebn0_db": [2.0]}, "optimiser": {"method": "sgd", "rate": 0.01}}
"""Instead of a recipe."""


def plan(content=SMALL, **changes):
    """A training, with changes."""
    return training_of(merged(content, changes), "test")


def whole(training, folder, **how):
    """Train to the end; the card."""
    steps = train(training, folder, **how)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
