"""Training with checkpoints from which it resumes to bit-for-bit the same weights."""

import hashlib
import json
import math
import time
from collections.abc import Generator
from pathlib import Path

import numpy as np
import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_tensors

from fecnn._files.atomic import write
from fecnn.codes.automorphism import automorphisms
from fecnn.errors import CheckpointError
from fecnn.nets.card import Card
from fecnn.nets.checkpoint import (
    save,
    tensors_of,
)
from fecnn.training.recipe import Training
from fecnn.training.trainer import State, Trainer, TrainingProgress

STATE = "checkpoint.safetensors"
"""File with everything needed to resume training."""


def train(
    training: Training, folder: str | Path, *, seconds: float | None = None
) -> Generator[TrainingProgress, None, Card]:
    """Train a network, resuming from a checkpoint in the folder if there is one; yields progress.

    A checkpoint is written every ``save_every`` steps, at every validation and at the end, as one file that
    is replaced atomically. Killed at any instant, training resumes from the last checkpoint and reaches the
    same weights (on one machine; torch is set to one thread). The weights and card that decoders read are
    written at every validation.

    Args:
        training: The training, from `fecnn.training.recipe.load_training`.
        folder: Folder of checkpoints, weights and card.
        seconds: Save and return after about this many seconds.

    Raises:
        CheckpointError: If the folder holds a damaged checkpoint, or one of another configuration.
        FloatingPointError: If the loss is no longer finite.
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
        return (
            save(folder, trainer.stored(), trainer.card(), trainer.training.stored)
            if card
            else trainer.card()
        )

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
        raise CheckpointError(f"{path} is not a complete checkpoint: {str(error)[:300]}") from None
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
            f"{path} does not contain a valid training state: {error.errors()[0]['msg'][:300]}"
        ) from None
    trainer.restore(tensors_of(path.read_bytes(), path), state, path)


def _identity(trainer: Trainer) -> str:
    """What determines the weights: the configuration, the code, and the permutations that move frames."""
    content = trainer.training.model_dump(mode="json", exclude={"device", "save_every", "code"})
    content["code"] = trainer.code.fingerprint
    if trainer.training.data.augment:
        moves = np.array(automorphisms(trainer.code), np.int64)
        content["automorphisms"] = hashlib.sha256(moves.tobytes()).hexdigest()
    return json.dumps(content, sort_keys=True)
