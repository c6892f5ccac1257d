"""Trained networks on disk: safetensors and a JSON card, loaded without running any stored code."""

import hashlib
import inspect
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from fecnn._files.atomic import write
from fecnn.codes.code import Code
from fecnn.errors import CheckpointError, nearest
from fecnn.nets.card import CARD, WEIGHTS, Card, Model, checkpoint_folder, read_card
from fecnn.nets.crossmpt import CrossMPT
from fecnn.nets.dense import LiteratureMLNN, LiteratureSLNN
from fecnn.nets.ecct import ECCT
from fecnn.nets.error_domain import ErrorNet
from fecnn.nets.fecnn_net import FecnnNet

MAX_BYTES = 1 << 30
"""Largest weights file read, in bytes: somewhat more than the largest network needs."""

Network = ErrorNet | LiteratureSLNN | LiteratureMLNN

MODELS: Mapping[str, Callable[..., Network]] = {
    "crossmpt": CrossMPT,
    "ecct": ECCT,
    "fecnn-net": FecnnNet,
    "literature-mlnn": LiteratureMLNN,
    "literature-slnn": LiteratureSLNN,
}
"""Architectures by name: each takes a code and keyword options."""


def build(model: Model, code: Code, tensors: Mapping[str, Tensor] | None = None) -> Network:
    """An untrained network; checks that training found by a search are taken from ``tensors``.

    Raises:
        LookupError: If there is no such architecture.
        ValueError: If an option has an invalid value, or the code does not fit.
        TypeError: If the architecture has no such option.
    """
    if model.kind not in MODELS:
        raise LookupError(f"no model {model.kind!r}; {nearest(model.kind, list(MODELS))}")
    known = sorted(inspect.signature(MODELS[model.kind]).parameters.keys() - {"code", "supports"})
    for option in model.options:
        if option not in known:
            raise TypeError(f"model {model.kind} has no option {option!r}; {nearest(option, known)}")
    found = {}
    if tensors is not None and "supports" in tensors:
        if tensors["supports"].dtype != torch.int16:
            raise ValueError(f"supports must be int16, got {tensors['supports'].dtype}")
        found = {"supports": tensors["supports"].numpy()}
    return MODELS[model.kind](code, **model.options, **found)


def checks_digest(network: Network) -> str | None:
    """SHA-256 of a network's parity checks; None if it has none."""
    if not isinstance(network, ErrorNet):
        return None
    checks = network.checks.to(torch.uint8).cpu().numpy()
    return hashlib.sha256(f"{checks.shape};".encode() + checks.tobytes()).hexdigest()


def parameter_count(network: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


def save(
    folder: Path, network: Network, card: Card, stored: Literal["float32", "float16"] = "float32"
) -> Card:
    """Write weights and card into a folder; returns the card with the weights' SHA-256."""
    tensors = {name: tensor.contiguous().cpu() for name, tensor in network.state_dict().items()}
    if stored == "float16":
        tensors = {name: t.half() if t.dtype == torch.float32 else t for name, t in tensors.items()}
    content = save_tensors(tensors)
    card = card.model_copy(update={"weights_sha256": hashlib.sha256(content).hexdigest()})
    write(folder / WEIGHTS, content)
    write(folder / CARD, (card.model_dump_json(indent=1) + "\n").encode())
    return card


def load(name_or_path: str | Path, code: Code) -> tuple[Network, Card]:
    """A trained network in evaluation mode, and its card.

    Args:
        name_or_path: A name in the zoo, or the path (with a separator) of a training folder.
        code: The code that it was trained for, which must be the same bit for bit.

    Raises:
        LookupError: If the zoo has no network of that name.
        FileNotFoundError: If a file is missing.
        CheckpointError: If the weights are damaged or belong to another card, or were trained for another
            code or other parity checks.

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
            f"{folder}: {card.name} was trained for the code {card.code} ({card.fingerprint[:12]}...), "
            f"not for {code.name} ({code.fingerprint[:12]}...); train one with fecnn train"
        )
    path = folder / WEIGHTS
    if path.stat().st_size > MAX_BYTES:
        raise CheckpointError(f"{path} has more than {MAX_BYTES} bytes: too large for weights of a network")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != card.weights_sha256:
        raise CheckpointError(f"{path} is damaged, or belongs to another {CARD}: its SHA-256 differs")
    tensors = tensors_of(content, path)
    try:
        network = build(card.model, code, tensors)
    except (LookupError, TypeError, ValueError) as error:
        told = str(error.args[0] if error.args else error)
        raise CheckpointError(f"{folder / CARD}: this network cannot be built: {told[:600]}") from None
    if checks_digest(network) != card.checks:
        raise CheckpointError(
            f"{folder}: {card.name} was trained on other parity checks than {code.name} has: "
            "its H is another one"
        )
    if parameter_count(network) != card.parameters:
        raise CheckpointError(
            f"{folder / CARD} says {card.parameters} parameters, "
            f"but this network has {parameter_count(network)}"
        )
    load_state(network, {name: _widened(tensor) for name, tensor in tensors.items()}, path)
    return network.eval(), card


def _widened(tensor: Tensor) -> Tensor:
    """A float32 tensor for one stored in half precision."""
    return tensor.float() if tensor.dtype == torch.float16 else tensor


def tensors_of(content: bytes, path: Path) -> dict[str, Tensor]:
    """The tensors in a safetensors file.

    Raises:
        CheckpointError: If it is truncated or not a safetensors file.
    """
    try:
        return load_tensors(content)
    except SafetensorError as error:
        raise CheckpointError(f"{path} is not a complete safetensors file: {str(error)[:300]}") from None
    except KeyError as error:  # a dtype that safetensors knows but torch does not
        raise CheckpointError(f"{path} holds numbers of the unknown type {error}") from None


def load_state(network: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Load weights into a network.

    Raises:
        CheckpointError: If tensors are missing, unexpected, of another shape or type, or not finite.
    """
    wanted = network.state_dict()
    forms = {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()}
    if forms != {name: (tensor.shape, tensor.dtype) for name, tensor in wanted.items()}:
        strange = sorted(set(wanted) ^ set(forms)) or [
            name for name in wanted if forms[name] != (wanted[name].shape, wanted[name].dtype)
        ]
        raise CheckpointError(
            f"{path} holds the weights of another network: {', '.join(strange[:4])[:200]} differ"
        )
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise CheckpointError(f"{path} holds NaN or infinite numbers in {name}, which no training writes")
    network.load_state_dict(dict(tensors))


def versions() -> dict[str, str]:
    """Versions of the packages that affect the numbers."""
    from fecnn._version import __version__

    return {
        "fecnn": __version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
