"""Cards that describe trained weights, and where networks are found. No torch here."""

import hashlib
import json
import math
import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fecnn._files.problems import refusal, sentences
from fecnn._files.text import read_text, refuse_in_all
from fecnn.channels.channel import noise_sigma
from fecnn.codes.code import Code
from fecnn.errors import CheckpointError, nearest

ZOO = Path(__file__).parent / "zoo"
"""Folder of the trained networks that ship with fecnn, one folder each."""

WEIGHTS, CARD, CONFIG = "weights.safetensors", "card.json", "train.toml"

MAX_BYTES = 1 << 24
"""Largest card read, in bytes."""

# Limited to 64 bits: Python neither prints nor parses integers of thousands of digits.
Whole = Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)]
Options = dict[str, bool | Whole | float | str | list[Whole] | None]


PINNED = frozenset(
    """
    911488311cb43da8 0379146de317c0e1 290fb5aa2f855d17 c77bf0239e17fea0 5c5ce1d1ea1fbd99
    65a0fe0fa908be76 ee71aab11b86e1ee e1f027374858b378 726ada9c4ca8e18a f856c47d1f10d130
    684e77cbb5f4a016 ec62607d41572431 040e87694de5e759 d535acbd4fc719a3 cc8e5d3d1ba6ae60
    5dbd1a40daf91a60 ce7844cbc5771a74 91bcf9a36c1c19c4
    """.split()
)
"""Zoo networks whose results are named by their weights alone; see `network_version`."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Model(_Record):
    """An architecture's name and options."""

    kind: str
    options: Options = {}


class Validated(_Record):
    """Counts at one validation point, for the network and for exact ML on the same frames."""

    ebn0_db: float
    frames: int
    block_errors: int
    code_bit_errors: int
    ml_block_errors: int
    ml_code_bit_errors: int


class Validation(_Record):
    """One validation; ``loss`` is the mean training loss since the one before."""

    step: int
    loss: float
    points: tuple[Validated, ...]


class Card(_Record):
    """Everything about trained weights that a reader needs.

    fingerprint, checks: SHA-256 of the code, and of the parity checks that the network was built on.
    config: The complete training configuration, as `fecnn.training.recipe.Training` reads it.
    seconds, cpu_seconds: Wall and CPU time of training so far, including validation and making targets.
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

    def magnitude(self, code: Code) -> float:
        r"""E\|y\| of BPSK over AWGN, y = ±1 + noise, at the mean Eb/N0 in dB of the network's training.

        Raises:
            CheckpointError: If the card does not say at which Eb/N0 it was trained.
        """
        try:
            levels = [float(level) for level in self.config["data"]["ebn0_db"]]
            sigma = noise_sigma(sum(levels) / len(levels), code.rate)
        except (KeyError, TypeError, ValueError, ZeroDivisionError):
            raise CheckpointError(
                f"the card of {self.name} has no Eb/N0 of its training: data.ebn0_db"
            ) from None
        folded = sigma * math.sqrt(2 / math.pi) * math.exp(-0.5 / sigma**2)
        return folded + math.erf(1 / (sigma * math.sqrt(2)))


def zoo_names() -> list[str]:
    """Names of the networks that ship with fecnn."""
    return sorted(path.parent.name for path in ZOO.glob(f"*/{CARD}"))


def is_network(name_or_path: str) -> bool:
    """Whether this names a zoo network or a folder with a card."""
    return name_or_path in zoo_names() or (Path(name_or_path) / CARD).is_file()


def checkpoint_folder(name_or_path: str | Path) -> Path:
    """The folder of a zoo network, or of your own network by its path.

    Raises:
        LookupError: If the zoo has no network of that name.
        FileNotFoundError: If there is no such folder, or it has no card.
    """
    if isinstance(name_or_path, str) and "/" not in name_or_path and os.sep not in name_or_path:
        if name_or_path not in zoo_names():
            raise LookupError(
                f"no trained network {name_or_path!r} (give your own network by its folder's path, such "
                f"as ./fecnn-training/my-net); {nearest(name_or_path, zoo_names())}"
            )
        return ZOO / name_or_path
    folder = Path(name_or_path)
    if not (folder / CARD).is_file():
        raise FileNotFoundError(f"there is no {folder / CARD}: a trained network is a folder with one")
    return folder


def read_card(folder: Path) -> Card:
    """The card in a network's folder.

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
    """The default network of a decoder for a code."""
    return f"{decoder}-{code.name}"


def weights_digest(name_or_path: str | Path) -> str:
    """SHA-256 of a network's weights as its card states it; it identifies decoders that use them.

    Raises:
        LookupError, FileNotFoundError, CheckpointError: As for `load`.
    """
    return read_card(checkpoint_folder(name_or_path)).weights_sha256


def network_version(name_or_path: str | Path) -> str | None:
    """A version that identifies a network beyond its weights; None for zoo networks, wherever they are.

    The same weights are another function if the card says so, for example with another number of heads.

    Raises:
        LookupError, FileNotFoundError, CheckpointError: As for `load`.
    """
    card = read_card(checkpoint_folder(name_or_path))
    content = {"model": card.model.model_dump(), "weights_sha256": card.weights_sha256}
    version = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return None if version[:16] in PINNED else version
