"""What an interrupted training goes on from; each kind of network and optimiser has a file of its own."""

import contextlib
import json
import math

from fecnn.errors import CheckpointError
from fecnn.training.recipe import training_of
from fecnn.training.train import _resume, _save_state
from fecnn.training.trainer import Trainer
from hostile.byte_mutants import damaged, noise
from hostile.checkpoint import TOKENS
from hostile.target import Target, check
from hostile.tensor_mutants import joined, parts, reheaded
from hostile.tree_mutants import as_json, warped

HEAD = {"name": "small", "code": "hamming-7-4", "steps": 4000, "batch": 8, "data": {"ebn0_db": [2.0]}}
PLANS = (
    {
        **HEAD,
        "model": {"kind": "fecnn-net", "options": {"iterations": 2, "width": 4}},
        "optimiser": {"method": "adamw", "rate": 0.01, "average": 0.9},
    },
    {
        **HEAD,
        "model": {"kind": "literature-slnn", "options": {"hidden": [4]}},
        "optimiser": {"method": "sgd", "rate": 0.01},
    },
)


class TrainingState(Target):
    named = "hostile-"
    refusals = (CheckpointError,)

    def prepare(self):
        self.trainers, self.states = [], []
        for plan in PLANS:
            trainer = Trainer(training_of(plan, "sound"))
            for _ in range(3):
                trainer.advance()
            _save_state(trainer, self.folder / "sound")
            self.trainers.append(trainer)
            self.states.append(next((self.folder / "sound").glob("*.safetensors")).read_bytes())

    def sound(self):
        """First byte: which plan; then its state."""
        return [bytes([which]) + state for which, state in enumerate(self.states)]

    def files(self, content):
        return {f"{self.named}{content[0] % 2 if content else 0}.safetensors": content[1:]}

    def mutant(self, rng):
        which = rng.randrange(2)
        state, kind = self.states[which], rng.random()
        if kind < 0.05:
            state = rng.choice((noise(rng), self.states[1 - which]))
        elif kind < 0.25:
            state = damaged(rng, state, TOKENS)
        elif kind < 0.65:
            state = self.restated(rng, state)
        else:
            state = reheaded(rng, state)
        return self.files(bytes([which]) + state)

    def restated(self, rng, state):
        """Another count of steps and sums, or another configuration."""
        header, data = parts(state)
        part = "state" if rng.random() < 0.7 else "config"
        said = warped(rng, json.loads(header["__metadata__"][part]), ["step", "validations", "code"])
        header["__metadata__"][part] = as_json(said).decode("utf-8", "replace")
        return joined(json.dumps(header).encode(), data)

    def load(self):
        (name,) = self.present
        trainer = self.trainers[int(name[len(self.named)])]
        _resume(trainer, self.folder / name)
        check(trainer.state.step >= 0, "steps")
        with contextlib.suppress(FloatingPointError):  # large weights have an endless loss
            check(math.isfinite(trainer.advance()), "loss")
