"""Trained weights with their card: safetensors and JSON, loaded without running anything."""

import hashlib
import os
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from fecnn.arrays import nearest
from fecnn.code import Code
from fecnn.nets.crossmpt import CrossMPT
from fecnn.nets.dense import LiteratureMLNN, LiteratureSLNN
from fecnn.nets.ecct import ECCT
from fecnn.nets.error_domain import ErrorNet
from fecnn.nets.fecnn_net import FecnnNet

Network = ErrorNet | LiteratureSLNN | LiteratureMLNN
Options = dict[str, bool | int | float | str | list[int] | None]

MODELS: Mapping[str, Callable[..., Network]] = {
    "crossmpt": CrossMPT,
    "ecct": ECCT,
    "fecnn-net": FecnnNet,
    "literature-mlnn": LiteratureMLNN,
    "literature-slnn": LiteratureSLNN,
}
"""Architectures by name: each takes a code and keyword options."""

ZOO = Path(__file__).parent / "zoo"
WEIGHTS, CARD = "weights.safetensors", "card.json"


class CheckpointError(ValueError):
    """A checkpoint that is damaged, or does not belong to what it is used for."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Model(_Record):
    """An architecture and its options, as plain data."""

    kind: str
    options: Options = {}

    def build(self, code: Code, tensors: Mapping[str, Tensor] | None = None) -> Network:
        """The untrained network; checks that training found by a search are taken from its tensors.

        Raises:
            LookupError: If there is no such architecture.
            ValueError: If an option has a wrong value, or the code does not suit it.
            TypeError: If it has no such option.
        """
        if self.kind not in MODELS:
            raise LookupError(f"no model {self.kind!r}; {nearest(self.kind, list(MODELS))}")
        found = {} if tensors is None or "supports" not in tensors else {"supports": tensors["supports"].numpy()}
        return MODELS[self.kind](code, **self.options, **found)


class Validated(_Record):
    """Counts on one point's validation frames, of the network and of exact ML on the same frames."""

    ebn0_db: float
    frames: int
    block_errors: int
    code_bit_errors: int
    ml_block_errors: int
    ml_code_bit_errors: int


class Validation(_Record):
    """What validation found after some steps; loss is the mean of the training loss since the one before."""

    step: int
    loss: float
    points: tuple[Validated, ...]


class Card(_Record):
    """What a reader must know of trained weights.

    fingerprint, checks: SHA-256 of the code, and of the parity checks that the network was built on.
    config: The whole training configuration, as `fecnn.recipe.Training` reads it.
    seconds, cpu_seconds: Wall and CPU time of training so far, validation and targets included.
    """

    format: Literal[1] = 1
    name: str
    code: str
    fingerprint: str
    checks: str | None
    model: Model
    parameters: int
    config: dict[str, Any]
    step: int
    frames: int
    finished: bool
    seconds: float
    cpu_seconds: float
    validations: tuple[Validation, ...]
    versions: dict[str, str]
    weights_sha256: str


def checks_digest(network: Network) -> str | None:
    """SHA-256 of the parity checks of a network; None for one without."""
    if not isinstance(network, ErrorNet):
        return None
    checks = network.checks.to(torch.uint8).cpu().numpy()
    return hashlib.sha256(f"{checks.shape};".encode() + checks.tobytes()).hexdigest()


def parameter_count(network: nn.Module) -> int:
    """Numbers that training changes."""
    return sum(parameter.numel() for parameter in network.parameters())


def write(path: Path, content: bytes) -> None:
    """Write a file so that it is never seen half written, even after a crash."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def save(folder: Path, network: Network, card: Card) -> Card:
    """Write weights and card into a folder; the card with the weights' SHA-256 is returned."""
    folder.mkdir(parents=True, exist_ok=True)
    content = save_tensors({name: t.contiguous().cpu() for name, t in network.state_dict().items()})
    card = card.model_copy(update={"weights_sha256": hashlib.sha256(content).hexdigest()})
    write(folder / WEIGHTS, content)
    write(folder / CARD, (card.model_dump_json(indent=1) + "\n").encode())
    return card


def zoo_names() -> list[str]:
    """Names of the networks that come with fecnn."""
    return sorted(path.parent.name for path in ZOO.glob(f"*/{CARD}"))


def checkpoint_folder(name_or_path: str | Path) -> Path:
    """The folder of a network in the zoo, or of one's own by its path.

    Raises:
        LookupError: If the zoo has no network of that name.
        FileNotFoundError: If there is no such folder, or no card in it.
    """
    if isinstance(name_or_path, str) and "/" not in name_or_path and os.sep not in name_or_path:
        if name_or_path not in zoo_names():
            raise LookupError(
                f"no trained network {name_or_path!r}; {nearest(name_or_path, zoo_names())} "
                "One of your own is given by its folder's path, such as ./fecnn-training/my-net"
            )
        return ZOO / name_or_path
    folder = Path(name_or_path)
    if not (folder / CARD).is_file():
        raise FileNotFoundError(f"there is no {folder / CARD}: a trained network is a folder with one")
    return folder


def read_card(folder: Path) -> Card:
    """The card in a folder.

    Raises:
        CheckpointError: If it is not a card.
    """
    path = folder / CARD
    try:
        return Card.model_validate_json(path.read_bytes())
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"])) or "the file"
        raise CheckpointError(f"{path} is not a card of trained weights: {where}: {problem['msg']}") from None


def load(name_or_path: str | Path, code: Code) -> tuple[Network, Card]:
    """A trained network, ready to decide, and its card.

    Args:
        name_or_path: A name in the zoo, or the path (with a separator) of a training's folder.
        code: The code that it must have been trained for, bit for bit.

    Raises:
        LookupError: If the zoo has no network of that name.
        FileNotFoundError: If a file is missing.
        CheckpointError: If the weights are damaged or another card's, or were trained for another code or
            other parity checks.

    Example:
        >>> import fecnn
        >>> network, card = load("fecnn-net-bch-31-16", fecnn.load_code("bch-31-16"))
        >>> card.parameters == sum(p.numel() for p in network.parameters())
        True
    """
    folder = checkpoint_folder(name_or_path)
    card = read_card(folder)
    if card.fingerprint != code.fingerprint:
        raise CheckpointError(
            f"{card.name} was trained for the code {card.code} ({card.fingerprint[:12]}...), "
            f"not for {code.name} ({code.fingerprint[:12]}...); train one with fecnn train"
        )
    path = folder / WEIGHTS
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != card.weights_sha256:
        raise CheckpointError(f"{path} is damaged, or does not belong to the {CARD} beside it (SHA-256 differs)")
    tensors = tensors_of(content, path)
    network = card.model.build(code, tensors)
    if checks_digest(network) != card.checks:
        raise CheckpointError(
            f"{card.name} was trained on other parity checks than {code.name} has; its H is not this one"
        )
    load_state(network, tensors, path)
    return network.eval(), card


def tensors_of(content: bytes, path: Path) -> dict[str, Tensor]:
    """The tensors in a safetensors file.

    Raises:
        CheckpointError: If it is truncated or something else.
    """
    try:
        return load_tensors(content)
    except SafetensorError as error:
        raise CheckpointError(f"{path} is not a whole safetensors file: {error}") from None


def load_state(network: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Give a network its weights.

    Raises:
        CheckpointError: If tensors are missing, left over or of another shape.
    """
    wanted = network.state_dict()
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if shapes != {name: tuple(tensor.shape) for name, tensor in wanted.items()}:
        strange = sorted(set(wanted) ^ set(shapes)) or [
            name for name in wanted if shapes[name] != tuple(wanted[name].shape)
        ]
        raise CheckpointError(f"{path} holds the weights of another network: {', '.join(strange[:4])} differ")
    network.load_state_dict(dict(tensors))


def weights_digest(name_or_path: str | Path) -> str:
    """SHA-256 of a checkpoint's weights, as its card states it: what identifies a decoder that uses them.

    Raises:
        LookupError, FileNotFoundError, CheckpointError: As `load`.
    """
    return read_card(checkpoint_folder(name_or_path)).weights_sha256


def versions() -> dict[str, str]:
    """Versions of what decides the numbers."""
    from fecnn import __version__

    return {
        "fecnn": __version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
