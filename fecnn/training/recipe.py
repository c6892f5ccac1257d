"""Training files (TOML) and their presets, checked as a whole before anything runs."""

import copy
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fecnn._files.problems import refusal, sentences
from fecnn._files.toml import read_toml
from fecnn.codes.catalogue import is_code_path, load_code
from fecnn.codes.code import Code
from fecnn.errors import nearest, shown
from fecnn.nets.card import CONFIG, ZOO, Model
from fecnn.nets.checkpoint import MODELS, build
from fecnn.nets.device import has_bfloat16
from fecnn.nets.error_domain import ErrorNet

Count = Annotated[int, Field(ge=1, lt=1 << 53)]
Decibels = Annotated[float, Field(ge=-100, le=100)]


class _Table(BaseModel):
    # Infinities cannot be stored in the JSON of a card.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Data(_Table):
    """The frames shown to the network.

    ebn0_db: Eb/N0 in dB; each frame draws one of these values.
    messages: ``random``, or ``zero``: the all-zero word, for networks that see no signs.
    targets: What is learned: the ``sent`` word, the word of exact maximum likelihood (``ml``), or the
        posterior of every bit (``map``). The last two are for networks in the error domain.
    frames: Size of a fixed set, used in a new order in every epoch (a remainder smaller than a batch is left
        out). Without it, frames are always fresh.
    augment: Move every frame by a random automorphism of the code.
    """

    ebn0_db: list[Decibels] = Field(min_length=1)
    messages: Literal["random", "zero"] = "random"
    targets: Literal["sent", "ml", "map"] = "sent"
    frames: Count | None = None
    augment: bool = False


class Optimiser(_Table):
    """How the weights are updated.

    schedule: ``constant``; ``cosine``, from ``rate`` after ``warmup`` steps to ``final_rate`` at the last
        step; or ``plateau``, a tenth after ``patience`` epochs without a lower loss.
    clip: Largest norm of the gradient.
    average: Weight of the past in a running mean of the weights; the mean is what is validated and saved.
    """

    method: Literal["sgd", "adam", "adamw"]
    rate: float = Field(gt=0)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    weight_decay: float = Field(default=0.0, ge=0)
    schedule: Literal["constant", "cosine", "plateau"] = "constant"
    warmup: int = Field(default=0, ge=0, lt=1 << 53)
    final_rate: float = Field(default=0.0, ge=0)
    patience: Count = 10
    clip: float | None = Field(default=None, gt=0)
    average: float | None = Field(default=None, gt=0, lt=1)


class EarlyStop(_Table):
    """Stop after ``patience`` epochs whose summed loss did not fall ``delta`` below the least so far."""

    patience: Count
    delta: float = Field(default=1e-3, ge=0)


class Check(_Table):
    """Validation against exact ML every ``every`` steps, on ``frames`` frames at each of ``ebn0_db``."""

    every: Count = 2000
    ebn0_db: list[Decibels] = [3.0, 4.0]
    frames: Count = 20_000


class Training(_Table):
    """A training: the contents of a ``train.toml``, with its preset filled in.

    recipe: The preset: ``published``, as the literature trained this kind of network, or ``improved``, the
        best known to us on a small budget; None if everything is given explicitly.
    epoch: Steps after which the loss is summed and schedules act; with a fixed set, one pass through it.
    deep: Weight in the loss of the stages before the last, for networks with several.
    precision: ``float32``, or ``bfloat16`` for the products in training (weights stay float32). The improved
        recipe of the transformers takes bfloat16 where the device has units for it.
    save_every: Maximum number of steps between checkpoints.
    stored: Type of the weights that decoders read; the network is validated with weights so rounded.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    code: str
    recipe: Literal["published", "improved"] | None = None
    model: Model
    data: Data
    optimiser: Optimiser
    batch: Count = 128
    steps: Count
    epoch: Count = 1000
    early_stop: EarlyStop | None = None
    deep: float = Field(default=0.3, ge=0)
    precision: Literal["float32", "bfloat16"] = "float32"
    compile: bool = False
    device: str = "cpu"
    seed: int = Field(default=1, ge=0, lt=1 << 20)
    save_every: Count = 1000
    stored: Literal["float32", "float16"] = "float32"
    check: Check = Check()

    @model_validator(mode="after")
    def _fits(self) -> "Training":
        dense = self.dense
        if dense and self.data.targets != "sent":
            raise ValueError(
                f"targets {self.data.targets!r} are for networks in the error domain; use 'sent'"
            )
        if dense and self.data.messages == "zero":
            raise ValueError("messages 'zero' would teach this network one word; use 'random'")
        if dense and self.data.augment:
            raise ValueError("augment moves errors, not messages; it is for networks in the error domain")
        if dense and self.compile:
            raise ValueError("compile is for networks in the error domain; this one is quick enough")
        if self.model.kind == "fecnn-net" and self.precision != "float32":
            raise ValueError("fecnn-net multiplies many numbers close to 1; its precision must be 'float32'")
        if self.data.frames is not None and self.data.frames < self.batch:
            raise ValueError(
                f"a fixed set of {self.data.frames} frames is smaller than a batch of {self.batch}"
            )
        return self

    @property
    def dense(self) -> bool:
        """Whether the network decides on messages rather than on errors."""
        model = MODELS.get(self.model.kind)
        return isinstance(model, type) and not issubclass(model, ErrorNet)

    @property
    def epoch_steps(self) -> int:
        """Steps per epoch."""
        return self.epoch if self.data.frames is None else self.data.frames // self.batch

    def load_code(self) -> Code:
        """Load the code, by name or from a file."""
        return load_code(self.code)


LITERATURE = {
    "data": {"ebn0_db": [0.0], "messages": "random", "targets": "sent", "frames": 1_000_000},
    "optimiser": {"method": "sgd", "rate": 0.01, "momentum": 0.9, "schedule": "plateau", "patience": 10},
    "batch": 64,
}
"""10^6 noisy words at Eb/N0 = 0 dB, SGD (first author's repository and MSc thesis, 2024)."""

TRANSFORMER = {
    "data": {"ebn0_db": [2.0, 3.0, 4.0, 5.0, 6.0, 7.0], "messages": "zero", "targets": "sent"},
    "optimiser": {"method": "adam", "rate": 1e-4, "schedule": "cosine", "final_rate": 1e-6},
    "batch": 128,
}
"""Choukroun and Wolf 2022, who use 1,000 epochs of 1,000 such steps."""

IMPROVED: dict[str, Any] = {
    "data": {"ebn0_db": [2.5, 3.0, 3.5, 4.0], "messages": "zero", "targets": "ml"},
    "optimiser": {
        "method": "adamw",
        "weight_decay": 0.01,
        "schedule": "cosine",
        "clip": 1.0,
        "average": 0.998,
    },
    "batch": 256,
}
"""Warm-up, a high rate, low Eb/N0, clipped gradients, averaged weights, and targets of exact ML."""


FASTEST = "fastest"
"""Stands for ``bfloat16`` where the device has units for it, and else for ``float32``."""


def improved(rate: float, warmup: int, **more: Any) -> dict[str, Any]:
    """The improved recipe, adapted to one kind of network."""
    return IMPROVED | {"optimiser": IMPROVED["optimiser"] | {"rate": rate, "warmup": warmup}} | more


PRESETS: dict[tuple[str, str], dict[str, Any]] = {
    ("literature-slnn", "published"): LITERATURE,
    ("literature-mlnn", "published"): LITERATURE,
    ("ecct", "published"): TRANSFORMER,
    ("crossmpt", "published"): TRANSFORMER,
    ("ecct", "improved"): improved(4e-3, 200, precision=FASTEST),
    ("crossmpt", "improved"): improved(4e-3, 200, precision=FASTEST),
    ("fecnn-net", "improved"): improved(1e-2, 100),
}


def load_training(name_or_path: str | Path, device: str | None = None) -> Training:
    """A training by the name of a network in the zoo, or from a ``.toml`` file.

    Args:
        name_or_path: The name or the file.
        device: Another device than the file names.

    Raises:
        LookupError: If the zoo has no training of that name.
        FileNotFoundError: If there is no such file.
        ValueError: If the file is invalid or asks for something impossible; the message lists all problems.

    Example:
        >>> load_training("fecnn-net-bch-31-16").model.kind
        'fecnn-net'
    """
    path = Path(name_or_path)
    if path.suffix != ".toml" and "/" not in str(name_or_path):
        known = sorted(file.parent.name for file in ZOO.glob(f"*/{CONFIG}"))
        if str(name_or_path) not in known:
            raise LookupError(
                f"no training {str(name_or_path)!r} (give your own training by its file, such as "
                f"./my_net.toml); {nearest(str(name_or_path), known)}"
            )
        path = ZOO / str(name_or_path) / CONFIG
    content = read_toml(path)
    if device is not None:
        content["device"] = device
    code = content.get("code")
    if isinstance(code, str) and is_code_path(code):
        content["code"] = str((path.parent / code).resolve())
    return training_of(content, str(path))


def training_of(content: dict[str, Any], source: str) -> Training:
    """A training from the contents of a file; fills in the preset and builds the model once as a check.

    Raises:
        ValueError: If it asks for something impossible; the message names ``source``.
    """
    model = content.get("model")
    said = model.get("kind") if isinstance(model, dict) else None
    kind = said if isinstance(said, str) else ""
    recipe = content.get("recipe")
    if kind and kind not in MODELS:
        raise ValueError(f"{source}: no model {shown(kind)}; {nearest(kind, list(MODELS))}")
    if recipe is not None and kind:
        recipes = [name for model_kind, name in PRESETS if model_kind == kind]
        if recipe not in recipes:
            raise ValueError(
                f"{source}: recipe {shown(recipe)} is not for {kind}; "
                + nearest(recipe if isinstance(recipe, str) else "", recipes)
            )
        content = merged(PRESETS[kind, str(recipe)], content)
        if content.get("precision") == FASTEST and PRESETS[kind, str(recipe)].get("precision") == FASTEST:
            device = content.get("device", "cpu")
            content["precision"] = "bfloat16" if has_bfloat16(str(device)) else "float32"
    try:
        training = Training.model_validate(content)
        build(training.model, training.load_code())
    except ValidationError as error:
        raise refusal(source, sentences(error, Training)) from None
    except OSError as error:
        raise ValueError(f"{source}: the code cannot be read: {error}") from None
    except (LookupError, TypeError, ValueError) as error:
        raise refusal(source, [str(error.args[0] if error.args else error)]) from None
    return training


def merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Merge two nested tables; values in ``over`` win."""
    result = copy.deepcopy(under)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result
