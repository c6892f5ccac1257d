"""What is known of trained weights: the card beside them, and where they lie. No torch here."""

import hashlib
import json
import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fecnn._files.problems import refusal, sentences
from fecnn._files.text import read_text, refuse_in_all
from fecnn.codes.code import Code
from fecnn.errors import CheckpointError, nearest

ZOO = Path(__file__).parent / "zoo"
"""The trained networks that come with fecnn, a folder each."""

WEIGHTS, CARD, CONFIG = "weights.safetensors", "card.json", "train.toml"

MAX_BYTES = 1 << 24
"""Largest card read."""

# Of 64 bits: Python neither prints nor parses integers of thousands of digits.
Whole = Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)]
Options = dict[str, bool | Whole | float | str | list[Whole] | None]


PINNED = frozenset(
    """
    4559e2c9747f6a8b 0eae4614e23f58d4 911488311cb43da8 0379146de317c0e1 4c6feedd2c0de36d
    0cf2870b84e3716d 290fb5aa2f855d17 c77bf0239e17fea0 5c5ce1d1ea1fbd99 65a0fe0fa908be76
    ee71aab11b86e1ee e1f027374858b378 726ada9c4ca8e18a f856c47d1f10d130 684e77cbb5f4a016
    ec62607d41572431 d025ef2a7e0dffee 040e87694de5e759 3b7ec5910523a306 d535acbd4fc719a3
    cc8e5d3d1ba6ae60 5dbd1a40daf91a60 ce7844cbc5771a74 91bcf9a36c1c19c4
    """.split()
)
"""Networks of the zoo whose results are named by their weights alone, as all once were: `network_version`."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Model(_Record):
    """An architecture by name, and its options."""

    kind: str
    options: Options = {}


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
    config: The whole training configuration, as `fecnn.training.recipe.Training` reads it.
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


def zoo_names() -> list[str]:
    """Names of the networks that come with fecnn."""
    return sorted(path.parent.name for path in ZOO.glob(f"*/{CARD}"))


def is_network(name_or_path: str) -> bool:
    """Whether this names a network of the zoo, or a folder with a card."""
    return name_or_path in zoo_names() or (Path(name_or_path) / CARD).is_file()


def checkpoint_folder(name_or_path: str | Path) -> Path:
    """The folder of a network in the zoo, or of one's own by its path.

    Raises:
        LookupError: If the zoo has no network of that name.
        FileNotFoundError: If there is no such folder, or no card in it.
    """
    if isinstance(name_or_path, str) and "/" not in name_or_path and os.sep not in name_or_path:
        if name_or_path not in zoo_names():
            raise LookupError(
                f"no trained network {name_or_path!r} (one of your own is given by its folder's path, such "
                f"as ./fecnn-training/my-net); {nearest(name_or_path, zoo_names())}"
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
        card = Card.model_validate_json(read_text(path, MAX_BYTES, "a card"))
    except ValidationError as error:
        told = refusal(path, sentences(error, Card), "a card of trained weights")
        raise CheckpointError(str(told)) from None
    except ValueError as error:
        raise CheckpointError(str(error)) from None
    try:
        refuse_in_all(card.model_dump())
    except ValueError as error:
        raise CheckpointError(f"{path}: {error}") from None
    return card


def default_weights(decoder: str, code: Code) -> str:
    """The network that a decoder uses for a code where no other is named."""
    return f"{decoder}-{code.name}"


def weights_digest(name_or_path: str | Path) -> str:
    """SHA-256 of a checkpoint's weights, as its card states it: what identifies a decoder that uses them.

    Raises:
        LookupError, FileNotFoundError, CheckpointError: As `load`.
    """
    return read_card(checkpoint_folder(name_or_path)).weights_sha256


def network_version(name_or_path: str | Path) -> str | None:
    """What identifies a network beside its weights; None for networks of the zoo, wherever they lie.

    The same tensors are another function if the card says so, such as with another number of heads.

    Raises:
        LookupError, FileNotFoundError, CheckpointError: As `load`.
    """
    card = read_card(checkpoint_folder(name_or_path))
    content = {"model": card.model.model_dump(), "weights_sha256": card.weights_sha256}
    version = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return None if version[:16] in PINNED else version
