"""Trained networks: a card and weights."""

import hashlib
import json
import pickle
from pathlib import Path

import torch

import fecnn
from fecnn.errors import CheckpointError
from fecnn.nets.card import CARD, WEIGHTS, Card, Model, read_card
from fecnn.nets.checkpoint import build, checks_digest, load, parameter_count, save
from hostile.byte_mutants import NUMBERS, damaged, noise
from hostile.networks import NETWORKS, OPTIONS
from hostile.target import Target, check
from hostile.tensor_mutants import reheaded, retyped
from hostile.traps import Trap, torch_pickle
from hostile.tree_mutants import as_json, warped

TOKENS = (*b'" { } [ ] : , \\u0000 \xff \0 null true'.split(b" "), b"[" * 500, *NUMBERS)


class Checkpoint(Target):
    named = "hostile-net"
    refusals = (CheckpointError,)

    def __init__(self, folder):
        super().__init__(Path(folder) / self.named)

    def prepare(self):
        self.code = fecnn.load_code("hamming-7-4")
        self.cards, self.weights = [], []
        for kind, options in NETWORKS.items():
            network = build(Model(kind=kind, options=options), self.code)
            card = save(self.folder, network, self.card_of(network, kind, options))
            self.cards.append(json.loads(card.model_dump_json()))
            self.weights.append((self.folder / WEIGHTS).read_bytes())
        self.words = [*Card.model_fields, *OPTIONS, *NETWORKS, "H", "systematic", "light"]
        self.pickles = [pickle.dumps(Trap(self.folder / "sprung")), torch_pickle(self.folder / "sprung")]

    def card_of(self, network, kind, options):
        """A card with something in every field except the digest of the weights."""
        ours = {"ebn0_db": 2.0, "frames": 500, "block_errors": 9, "code_bit_errors": 12}
        point = {**ours, "ml_block_errors": 8, "ml_code_bit_errors": 11}
        return Card(
            name="small",
            code="hamming-7-4",
            fingerprint=self.code.fingerprint,
            checks=checks_digest(network),
            model=Model(kind=kind, options=options),
            parameters=parameter_count(network),
            config={"steps": 40, "data": {"ebn0_db": [2.0]}},
            step=40,
            frames=2560,
            finished=True,
            seconds=1.0,
            cpu_seconds=1.0,
            validations=[{"step": 20, "loss": 0.5, "points": [point]}],
            versions={"fecnn": "0"},
            weights_sha256="",
        )

    def sound(self):
        """First byte: which network; second: whether the rest is its card (0) or its weights (1)."""
        for which, (card, weights) in enumerate(zip(self.cards, self.weights, strict=True)):
            yield bytes([which, 0]) + as_json(card)
            yield bytes([which, 1]) + weights

    def files(self, content):
        which, part = (content[0] % len(self.cards), content[1] % 2) if len(content) > 1 else (0, 0)
        if part == 0:
            return {CARD: content[2:], WEIGHTS: self.weights[which]}
        return self.with_weights(which, content[2:])

    def mutant(self, rng):
        which = rng.randrange(len(self.cards))
        if rng.random() < 0.45:
            return {CARD: self.other_card(rng, self.cards[which]), WEIGHTS: self.weights[which]}
        return self.with_weights(which, self.other_weights(rng, self.weights[which]))

    def with_weights(self, which, weights):
        """The files of a network, its card made to fit these weights."""
        digest = hashlib.sha256(weights).hexdigest()
        return {CARD: as_json({**self.cards[which], "weights_sha256": digest}), WEIGHTS: weights}

    def other_card(self, rng, card):
        kind = rng.randrange(3)
        if kind == 0:
            return damaged(rng, as_json(card), TOKENS)
        if kind == 1:
            return as_json(warped(rng, card, self.words))
        # Only the options: the widths of a network that is to be built.
        model = {**card["model"], "options": warped(rng, card["model"]["options"], self.words)}
        return as_json({**card, "model": model})

    def other_weights(self, rng, weights):
        kind = rng.random()
        if kind < 0.09:
            return rng.choice(self.weights)  # of another network
        if kind < 0.13:
            return rng.choice([*self.pickles, noise(rng)])
        if kind < 0.27:
            return damaged(rng, weights, TOKENS)
        return retyped(rng, weights) if kind < 0.55 else reheaded(rng, weights)

    def load(self):
        network, card = load(self.folder, self.code)
        check(card == read_card(self.folder), "card")
        check(parameter_count(network) == card.parameters, "parameters")
        check(checks_digest(network) == card.checks, "checks")
        state = network.state_dict().values()
        check(all(bool(torch.isfinite(tensor).all()) for tensor in state), "weights that are no numbers")

    def judge(self, files):
        taken = super().judge(files)
        check(not (self.folder / "sprung").exists(), "code in a checkpoint was run")
        return taken
