"""Training: batches that are functions of the step, and checkpoints from which it goes on bit for bit."""

import copy
import json
import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_tensors
from torch import Tensor
from torch.nn import functional as F

from fecnn._files.atomic import write
from fecnn.arrays import LLR, Bits, bpsk, hard
from fecnn.channels.channel import noise_sigma
from fecnn.codes.automorphism import random_automorphisms
from fecnn.codes.code import Code
from fecnn.decoders import decoder, soft_decoder
from fecnn.decoders.trained import decider
from fecnn.errors import CheckpointError
from fecnn.nets.card import Card, Validated, Validation
from fecnn.nets.checkpoint import (
    Network,
    build,
    checks_digest,
    load_state,
    parameter_count,
    save,
    tensors_of,
    versions,
)
from fecnn.nets.device import torch_device
from fecnn.nets.error_domain import ErrorNet
from fecnn.training.recipe import Training

STATE = "checkpoint.safetensors"
"""Everything that training needs to go on, in one file."""

CHUNK = 1 << 14
"""Frames of a fixed set, or of validation, that are made at a time."""

FRESH, FIXED, ORDER, VALIDATION, AUGMENT = range(5)
"""Purposes of random numbers: fresh batches, fixed sets and their orders, validation, augmentation."""


@dataclass(frozen=True)
class TrainingProgress:
    """Training after some steps: loss of the last one, frames a second of late, and validations so far."""

    step: int
    loss: float
    rate: float
    validations: tuple[Validation, ...]
    finished: bool


@dataclass
class Batch:
    """What a network is shown, rows of a batch: y, bit 0 sent as +1, and what it should answer.

    answer: Probabilities that hard decisions are wrong, (B, n), or message bits, (B, k); float32.
    """

    y: NDArray[np.float32]
    answer: NDArray[np.float32]


class Source:
    """The frames of a training: those of a step depend on the configuration and the step alone."""

    def __init__(self, training: Training, code: Code) -> None:
        self.training, self.code = training, code
        data = training.data
        self._sigmas = np.array([noise_sigma(db, code.rate) for db in data.ebn0_db], np.float32)
        self._ml = decoder("ml", code) if data.targets == "ml" else None
        self._app = soft_decoder("map", code) if data.targets == "map" else None
        self._fixed = None if data.frames is None else self._fixed_set(data.frames)
        self._order = lru_cache(maxsize=1)(self._new_order)

    def batch(self, step: int) -> Batch:
        """The frames of a step, counted from 0."""
        count = self.training.batch
        if self._fixed is None:
            frames = self._make(count, self._rng(FRESH, step))
        else:
            epoch, part = divmod(step, self.training.epoch_steps)
            rows = self._order(epoch)[part * count : (part + 1) * count]
            frames = Batch(self._fixed.y[rows], self._fixed.answer[rows])
        if self.training.data.augment:
            # A permuted y is the y of a permuted codeword; its signs are those of that word.
            places = random_automorphisms(self.code, count, self._rng(AUGMENT, step))
            frames = Batch(
                np.take_along_axis(frames.y, places, axis=1),
                np.take_along_axis(frames.answer, places, axis=1),
            )
        return frames

    def _fixed_set(self, count: int) -> Batch:
        parts = [
            self._make(min(CHUNK, count - first), self._rng(FIXED, first)) for first in range(0, count, CHUNK)
        ]
        return Batch(np.concatenate([p.y for p in parts]), np.concatenate([p.answer for p in parts]))

    def _new_order(self, epoch: int) -> NDArray[np.int64]:
        assert self._fixed is not None
        return self._rng(ORDER, epoch).permutation(len(self._fixed.y))

    def _make(self, count: int, rng: np.random.Generator) -> Batch:
        code = self.code
        messages = np.zeros((count, code.k), np.uint8)
        if self.training.data.messages == "random":
            messages = rng.integers(0, 2, (count, code.k), np.uint8)
        sent = code.encode(messages)
        sigma: NDArray[np.float32] = rng.choice(self._sigmas, (count, 1))
        y: LLR = bpsk(sent) + sigma * rng.standard_normal((count, code.n), np.float32)
        if self.training.dense:
            return Batch(y, messages.astype(np.float32))
        return Batch(y, self._errors(y, sent, y * (np.float32(2) / sigma**2)))

    def _errors(self, y: NDArray[np.float32], sent: Bits, llr: LLR) -> NDArray[np.float32]:
        """Probabilities that the hard decisions are wrong: 0 and 1, or, for ``map``, posterior ones."""
        if self._app is not None:
            towards_error = np.where(y < 0, np.float32(1), np.float32(-1)) * self._app(llr)
            posterior: NDArray[np.float32] = 0.5 + 0.5 * np.tanh(0.5 * towards_error)
            return posterior
        word = sent if self._ml is None else self._ml(llr)
        return (word ^ hard(y)).astype(np.float32)

    def _rng(self, purpose: int, index: int) -> np.random.Generator:
        return stream(self.training.seed, purpose, index)


def stream(seed: int, purpose: int, index: int) -> np.random.Generator:
    """A generator of its own for every purpose and index (Philox; its counter is far from any other's)."""
    return np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, index, purpose]))


class Trainer:
    """A network in training, and all that decides how it goes on.

    kept: The network that is validated and saved: the mean of the weights over the last steps, or, without
        averaging, the network itself.
    """

    def __init__(self, training: Training) -> None:
        self.training = training
        self.code = training.load_code()
        self.source = Source(training, self.code)
        torch.manual_seed(training.seed)
        self.device = torch_device(training.device)
        self.network = build(training.model, self.code).to(self.device)
        self.kept = self.network if training.optimiser.average is None else copy.deepcopy(self.network)
        self.optimiser = _optimiser(training, self.network)
        self.state = State()
        self._resumed: Path | None = None
        self._stages: Any = getattr(self.network, "stages", None)
        if training.compile:
            self._stages = torch.compile(self._stages)
        self._ml = lru_cache(maxsize=None)(self._ml_counts)

    @property
    def finished(self) -> bool:
        """Whether all steps are done, or it was stopped early."""
        return self.state.stopped or self.state.step >= self.training.steps

    def advance(self) -> float:
        """One step; its loss.

        Raises:
            FloatingPointError: If the loss is no longer a number.
            CheckpointError: If it goes on from a checkpoint that had lost a part.
        """
        training, state = self.training, self.state
        # Dropout draws from torch's generators: seeded anew, a step does not depend on the ones before.
        # (torch.manual_seed takes longer than a step of a small network.)
        torch.default_generator.manual_seed(training.seed << 40 | state.step)
        if self.device.type == "cuda":
            torch.cuda.manual_seed(training.seed << 40 | state.step)
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate()
        if not self.network.training:
            self.network.train()
        loss = self._loss(self.source.batch(state.step))
        value = loss.item()
        if not math.isfinite(value):
            raise FloatingPointError(
                f"the loss of {training.name} is {value} at step {state.step + 1}; a lower rate may help"
            )
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if training.optimiser.clip is not None:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), training.optimiser.clip)
        if self._resumed is not None:
            self._check_memory(self._resumed)
        self.optimiser.step()
        if training.optimiser.average is not None:
            past = min(training.optimiser.average, (1 + state.step) / (10 + state.step))
            with torch.no_grad():
                for mean, now in zip(self.kept.parameters(), self.network.parameters(), strict=True):
                    mean.lerp_(now, 1 - past)
        state.step += 1
        state.epoch_loss += value
        state.recent_loss += value
        state.recent_steps += 1
        if state.step % training.epoch_steps == 0:
            self._end_epoch()
        return value

    def validate(self) -> Validation:
        """Decode the validation frames, beside exact ML, and note the counts."""
        training, state = self.training, self.state
        decide = decider(self.kept.eval(), self.code, self.device)
        points = []
        for index, ebn0_db in enumerate(training.check.ebn0_db):
            blocks, bits = self._count(index, lambda y, llr: decide(y))
            ml_blocks, ml_bits = self._ml(index)
            points.append(
                Validated(
                    ebn0_db=ebn0_db,
                    frames=training.check.frames,
                    block_errors=blocks,
                    code_bit_errors=bits,
                    ml_block_errors=ml_blocks,
                    ml_code_bit_errors=ml_bits,
                )
            )
        loss = state.recent_loss / max(state.recent_steps, 1)
        found = Validation(step=state.step, loss=loss, points=tuple(points))
        state.validations.append(found)
        state.recent_loss, state.recent_steps = 0.0, 0
        return found

    def card(self) -> Card:
        """What is to be known of the weights as they are now."""
        training, state = self.training, self.state
        return Card(
            name=training.name,
            code=self.code.name,
            fingerprint=self.code.fingerprint,
            checks=checks_digest(self.network),
            model=training.model,
            parameters=parameter_count(self.network),
            config=training.model_dump(mode="json"),
            step=state.step,
            frames=state.step * training.batch,
            finished=self.finished,
            seconds=state.seconds,
            cpu_seconds=state.cpu_seconds,
            validations=tuple(state.validations),
            versions=versions(),
            weights_sha256="",
        )

    def tensors(self) -> dict[str, Tensor]:
        """Weights, their mean and the optimiser's memory, by name."""
        networks = {"network": self.network} | ({"kept": self.kept} if self.kept is not self.network else {})
        found = {f"{name}.{key}": t for name, net in networks.items() for key, t in net.state_dict().items()}
        memory = self.optimiser.state_dict()["state"]
        found |= {f"optimiser.{i}.{key}": t for i, entries in memory.items() for key, t in entries.items()}
        return {name: tensor.detach().contiguous().cpu() for name, tensor in found.items()}

    def restore(self, tensors: dict[str, Tensor], state: "State", path: Path) -> None:
        """Go on from tensors and state that were saved.

        Raises:
            CheckpointError: If the tensors are not those of this training.
        """
        parts: dict[str, dict[str, Tensor]] = {"network": {}, "kept": {}, "optimiser": {}}
        for name, tensor in tensors.items():
            part, _, key = name.partition(".")
            parts.setdefault(part, {})[key] = tensor
        load_state(self.network, parts["network"], path)
        if self.kept is not self.network:
            load_state(self.kept, parts["kept"], path)
        memory: dict[int, dict[str, Tensor]] = {}
        shapes = {str(i): parameter.shape for i, parameter in enumerate(self.network.parameters())}
        for name, tensor in parts["optimiser"].items():
            index, _, key = name.partition(".")
            wanted = torch.Size([]) if key == "step" else shapes.get(index)
            if index not in shapes or tensor.shape != wanted or tensor.dtype != torch.float32:
                raise CheckpointError(f"{path} holds the memory of another optimiser: {name[:100]} differs")
            memory.setdefault(int(index), {})[key] = tensor
        keys = (
            {"momentum_buffer"}
            if self.training.optimiser.method == "sgd"
            else {"step", "exp_avg", "exp_avg_sq"}
        )
        if any(entries.keys() != keys for entries in memory.values()):
            raise CheckpointError(
                f"{path} holds the memory of another optimiser: each needs {', '.join(keys)}"
            )
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": memory})
        self.state = state
        self._resumed = path if state.step else None

    def _check_memory(self, path: Path) -> None:
        """Only a step shows which weights have gradients; the steps before remembered each of those."""
        optimiser, names = self.training.optimiser, dict(self.network.named_parameters())
        remembers = optimiser.method != "sgd" or optimiser.momentum > 0
        lost = [name for name, p in names.items() if p.grad is not None and p not in self.optimiser.state]
        if remembers and lost:
            raise CheckpointError(f"{path} has lost the optimiser's memory of {', '.join(lost[:4])}")
        self._resumed = None

    def _loss(self, frames: Batch) -> Tensor:
        training = self.training
        y = torch.from_numpy(frames.y).to(self.device)
        answer = torch.from_numpy(frames.answer).to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=training.precision == "bfloat16"):
            if not isinstance(self.network, ErrorNet):
                return self.network.loss(y, answer)
            stages = self._stages(y.abs(), (y < 0).to(y.dtype))
        weights = [training.deep] * (len(stages) - 1) + [1.0]
        losses = [F.binary_cross_entropy_with_logits(logits.float(), answer) for logits in stages]
        return torch.stack([w * loss for w, loss in zip(weights, losses, strict=True)]).sum() / sum(weights)

    def _rate(self) -> float:
        """Learning rate of the step to come."""
        optimiser, step = self.training.optimiser, self.state.step
        rate = optimiser.rate * min(1.0, (step + 1) / (optimiser.warmup + 1))
        if optimiser.schedule == "plateau":
            return rate * self.state.plateau_factor
        if optimiser.schedule == "constant" or step < optimiser.warmup:
            return rate
        done = (step - optimiser.warmup) / max(self.training.steps - optimiser.warmup, 1)
        return optimiser.final_rate + (rate - optimiser.final_rate) * 0.5 * (1 + math.cos(math.pi * done))

    def _end_epoch(self) -> None:
        state, early = self.state, self.training.early_stop
        loss, state.epoch_loss = state.epoch_loss, 0.0
        if loss < state.plateau_least:
            state.plateau_least, state.plateau_bad = loss, 0
        else:
            state.plateau_bad += 1
            if state.plateau_bad > self.training.optimiser.patience:
                state.plateau_factor, state.plateau_bad = state.plateau_factor * 0.1, 0
        if early is None:
            return
        if loss < state.least_loss - early.delta:
            state.least_loss, state.bad_epochs = loss, 0
        else:
            state.bad_epochs += 1
            state.stopped = state.bad_epochs >= early.patience

    def _ml_counts(self, index: int) -> tuple[int, int]:
        ml = decoder("ml", self.code)
        return self._count(index, lambda y, llr: ml(llr))

    def _count(self, index: int, decide: Callable[[LLR, LLR], Bits]) -> tuple[int, int]:
        """Block and code-bit errors on the validation frames of a point; ``decide`` sees y and LLRs."""
        training, code = self.training, self.code
        sigma = np.float32(noise_sigma(training.check.ebn0_db[index], code.rate))
        rng = stream(training.seed, VALIDATION, index)
        blocks = bits = 0
        for first in range(0, training.check.frames, CHUNK):
            count = min(CHUNK, training.check.frames - first)
            messages = rng.integers(0, 2, (count, code.k), np.uint8)
            sent = code.encode(messages)
            y = bpsk(sent) + sigma * rng.standard_normal((count, code.n), np.float32)
            decided = decide(y, y * (2 / sigma**2))
            wrong = (decided if decided.shape[1] == code.n else code.encode(decided)) != sent
            blocks, bits = blocks + int(wrong.any(axis=1).sum()), bits + int(wrong.sum())
        return blocks, bits


Whole = Annotated[int, Field(ge=0, lt=1 << 53)]


class State(BaseModel):
    """Where a training stands, apart from its tensors."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    step: Whole = 0
    epoch_loss: float = 0.0
    recent_loss: float = 0.0
    recent_steps: Whole = 0
    plateau_least: float = 1e300
    plateau_bad: Whole = 0
    plateau_factor: float = Field(default=1.0, ge=0, le=1)
    least_loss: float = 1e300
    bad_epochs: Whole = 0
    stopped: bool = False
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    validations: list[Validation] = []


def train(
    training: Training, folder: str | Path, *, seconds: float | None = None
) -> Generator[TrainingProgress, None, Card]:
    """Train a network, or go on where its folder says that training was; yields now and then how it goes.

    A checkpoint is written every ``save_every`` steps, at every validation and at the end, in one file that
    is replaced as a whole: killed at any instant, training goes on from the last one to the same weights (on
    one machine; torch is set to one thread). Weights and card, which decoders read, are written at every
    validation.

    Args:
        training: What to do, as `fecnn.training.recipe.load_training` reads it.
        folder: Where checkpoints, weights and card lie.
        seconds: Save and return after about this long.

    Raises:
        CheckpointError: If the folder holds a damaged checkpoint, or that of another configuration.
        FloatingPointError: If the loss is no longer a number.
    """
    folder = Path(folder)
    torch.set_num_threads(1)
    trainer = Trainer(training)
    if (folder / STATE).exists():
        _resume(trainer, folder / STATE)
    state = trainer.state
    wall, cpu = time.perf_counter(), time.process_time()
    began = reported = wall
    steps_then = state.step
    loss = math.nan

    def keep(card: bool) -> Card:
        nonlocal wall, cpu
        now, used = time.perf_counter(), time.process_time()
        state.seconds, state.cpu_seconds = state.seconds + now - wall, state.cpu_seconds + used - cpu
        wall, cpu = now, used
        _save_state(trainer, folder)
        return save(folder, trainer.kept, trainer.card()) if card else trainer.card()

    while not trainer.finished:
        loss = trainer.advance()
        validates = state.step % training.check.every == 0 or trainer.finished
        if validates:
            trainer.validate()
        if validates or state.step % training.save_every == 0:
            keep(card=validates)
        now = time.perf_counter()
        if validates or now - reported > 1:
            rate = (state.step - steps_then) * training.batch / max(now - reported, 1e-9)
            yield TrainingProgress(state.step, loss, rate, tuple(state.validations), trainer.finished)
            reported, steps_then = now, state.step
        if seconds is not None and now - began > seconds:
            break
    yield TrainingProgress(state.step, loss, 0.0, tuple(state.validations), trainer.finished)
    return keep(card=True)


def _save_state(trainer: Trainer, folder: Path) -> None:
    metadata = {"config": _identity(trainer), "state": trainer.state.model_dump_json()}
    write(folder / STATE, save_tensors(trainer.tensors(), metadata))


def _resume(trainer: Trainer, path: Path) -> None:
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
    except SafetensorError as error:
        raise CheckpointError(f"{path} is not a whole checkpoint: {str(error)[:300]}") from None
    try:
        theirs = json.loads(metadata.get("config", ""))
    except (ValueError, RecursionError):
        theirs = None
    if not isinstance(theirs, dict) or "state" not in metadata:
        raise CheckpointError(f"{path} is not a checkpoint of a training")
    ours = json.loads(_identity(trainer))
    if ours != theirs:
        differ = sorted(key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key))
        raise CheckpointError(
            f"{path} is of another configuration ({', '.join(differ)[:300]} differ); "
            "give the training another name or folder, or remove the old one"
        )
    try:
        state = State.model_validate_json(metadata["state"])
    except ValidationError as error:
        raise CheckpointError(
            f"{path} does not say where training was: {error.errors()[0]['msg'][:300]}"
        ) from None
    trainer.restore(tensors_of(path.read_bytes(), path), state, path)


def _identity(trainer: Trainer) -> str:
    """The configuration as far as it decides the weights, and the code bit for bit."""
    content = trainer.training.model_dump(mode="json", exclude={"device", "save_every", "code"})
    return json.dumps({**content, "code": trainer.code.fingerprint}, sort_keys=True)


def _optimiser(training: Training, network: Network) -> torch.optim.Optimizer:
    chosen = training.optimiser
    parameters = network.parameters()
    if chosen.method == "sgd":
        return torch.optim.SGD(
            parameters, chosen.rate, momentum=chosen.momentum, weight_decay=chosen.weight_decay, fused=True
        )
    method = torch.optim.Adam if chosen.method == "adam" else torch.optim.AdamW
    return method(parameters, chosen.rate, weight_decay=chosen.weight_decay, fused=True)
