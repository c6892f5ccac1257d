"""The trainer: a network, its optimiser and its validations, advanced step by step."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torch.nn import functional as F

from fecnn.arrays import LLR, Bits, bpsk
from fecnn.channels.channel import noise_sigma
from fecnn.decoders import decoder
from fecnn.decoders.trained import decider
from fecnn.errors import CheckpointError
from fecnn.nets.card import Card, Validated, Validation
from fecnn.nets.checkpoint import (
    Network,
    build,
    checks_digest,
    load_state,
    parameter_count,
    versions,
)
from fecnn.nets.device import torch_device
from fecnn.nets.error_domain import ErrorNet
from fecnn.training.frames import CHUNK, VALIDATION, Ahead, Batch, Source, stream
from fecnn.training.recipe import Training


@dataclass(frozen=True)
class TrainingProgress:
    """Training after some steps: the last loss, recent frames per second, and validations so far."""

    step: int
    loss: float
    rate: float
    validations: tuple[Validation, ...]
    finished: bool


class Trainer:
    """A network in training, with everything that determines how it continues.

    kept: The network that is validated and saved: the mean of the weights over recent steps, or without
        averaging the network itself.
    """

    def __init__(self, training: Training) -> None:
        self.training = training
        self.code = training.load_code()
        torch.manual_seed(training.seed)
        self.device = torch_device(training.device)
        self.source: Source | Ahead = Source(training, self.code)
        if self.device.type == "cuda":
            self.source = Ahead(self.source.batch)
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
        """Whether all steps are done, or training stopped early."""
        return self.state.stopped or self.state.step >= self.training.steps

    def advance(self) -> float:
        """Take one step and return its loss.

        Raises:
            FloatingPointError: If the loss is no longer finite.
            CheckpointError: If training resumed from a checkpoint with a missing part.
        """
        training, state = self.training, self.state
        # Dropout draws from torch's generators; reseeding makes a step independent of earlier ones.
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
                f"the loss of {training.name} is {value} at step {state.step + 1}; try a lower rate"
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

    def stored(self) -> Network:
        """The network as it is saved, its weights rounded to what is stored of them; in evaluation mode."""
        if self.training.stored == "float32":
            return self.kept.eval()
        rounded = copy.deepcopy(self.kept)
        return rounded.half().float().eval()

    def validate(self) -> Validation:
        """Decode the validation frames with the network and exact ML, and record the counts."""
        training, state = self.training, self.state
        decide = decider(self.stored(), self.code, self.device)
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
        """The card of the current weights."""
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
        """Weights, their mean and the optimiser's state, by name."""
        networks = {"network": self.network} | ({"kept": self.kept} if self.kept is not self.network else {})
        found = {f"{name}.{key}": t for name, net in networks.items() for key, t in net.state_dict().items()}
        memory = self.optimiser.state_dict()["state"]
        found |= {f"optimiser.{i}.{key}": t for i, entries in memory.items() for key, t in entries.items()}
        return {name: tensor.detach().contiguous().cpu() for name, tensor in found.items()}

    def restore(self, tensors: dict[str, Tensor], state: "State", path: Path) -> None:
        """Continue from saved tensors and state.

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
                raise CheckpointError(f"{path} holds the state of another optimiser: {name[:100]} differs")
            memory.setdefault(int(index), {})[key] = tensor
        keys = (
            {"momentum_buffer"}
            if self.training.optimiser.method == "sgd"
            else {"step", "exp_avg", "exp_avg_sq"}
        )
        if any(entries.keys() != keys for entries in memory.values()):
            raise CheckpointError(
                f"{path} holds the state of another optimiser: each entry needs {', '.join(keys)}"
            )
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": memory})
        self.state = state
        self._resumed = path if state.step else None

    def _check_memory(self, path: Path) -> None:
        """Check for missing optimiser state, on the first step, which shows which weights have gradients."""
        optimiser, names = self.training.optimiser, dict(self.network.named_parameters())
        remembers = optimiser.method != "sgd" or optimiser.momentum > 0
        lost = [name for name, p in names.items() if p.grad is not None and p not in self.optimiser.state]
        if remembers and lost:
            raise CheckpointError(f"{path} lacks the optimiser's state of {', '.join(lost[:4])}")
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
        """Learning rate of the next step."""
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
        """Block and code-bit errors on the validation frames of a point; ``decide`` takes y and LLRs."""
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
    """The state of a training, apart from its tensors."""

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


def _optimiser(training: Training, network: Network) -> torch.optim.Optimizer:
    chosen = training.optimiser
    parameters = network.parameters()
    if chosen.method == "sgd":
        return torch.optim.SGD(
            parameters, chosen.rate, momentum=chosen.momentum, weight_decay=chosen.weight_decay, fused=True
        )
    method = torch.optim.Adam if chosen.method == "adam" else torch.optim.AdamW
    return method(parameters, chosen.rate, weight_decay=chosen.weight_decay, fused=True)
