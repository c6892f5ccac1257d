"""Labelled training sets for networks of others: received words, and their errors as exact ML sees them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat, savemat

from fecnn._files.atomic import writing
from fecnn._version import __version__
from fecnn.arrays import LLR, Bits, bpsk, hard
from fecnn.channels.channel import noise_sigma
from fecnn.codes.code import Code
from fecnn.decoders import decoder, soft_decoder
from fecnn.errors import extra

Targets = Literal["ml", "map", "sent"]
Messages = Literal["zero", "random"]

FORMATS = (".npz", ".mat", ".h5")
SHARD = 1 << 20
"""Frames in a file."""

CHUNK = 1 << 12
"""Frames made and decoded at once, which stay in the cache."""


@dataclass(frozen=True)
class Labels:
    """What a training set is made of; each of its shards is a function of this and of its number.

    ebn0_db: Eb/N0 in dB per message bit.
    targets: ``ml`` for the error pattern by exact ML, ``sent`` for the true one, ``map`` for the posterior
        probability that each hard decision is wrong.
    messages: ``zero`` for the zero word only, which is enough for networks in the error domain; ``random``.
    """

    code: Code
    ebn0_db: float
    targets: Targets = "ml"
    messages: Messages = "zero"
    seed: int = 1

    def __post_init__(self) -> None:
        for name, value, known in (("targets", self.targets, Targets), ("messages", self.messages, Messages)):
            if value not in get_args(known):
                raise ValueError(f"{name} must be {' or '.join(get_args(known))}, got {value!r}")

    def about(self) -> dict[str, Any]:
        """What the set is made of, as stored in each shard."""
        return {
            "code": self.code.name,
            "fingerprint": self.code.fingerprint,
            "ebn0_db": self.ebn0_db,
            "targets": self.targets,
            "messages": self.messages,
            "seed": self.seed,
            "fecnn": __version__,
        }

    def shard(self, number: int, frames: int = SHARD) -> dict[str, NDArray[Any]]:
        """A shard: ``y`` (frames, n) float32, with bit 0 sent as +1, and its labels.

        These are ``e`` (frames, n) int8, 1 where the hard decision is wrong; for ``map`` ``p`` (frames, n)
        float32 instead. For ``ml`` ``proved`` (frames,) is False where the decision was not proved to be ML.
        ``sent`` (frames, n) uint8 is there if the messages are random.

        Raises:
            ValueError: If the code has no exact decoder.
        """
        code = self.code
        # SFC64 makes normal numbers in two thirds of Philox's time.
        rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence(self.seed, spawn_key=(number,))))
        sigma = np.float32(noise_sigma(self.ebn0_db, code.rate))
        y = np.empty((frames, code.n), np.float32)
        found: dict[str, NDArray[Any]] = {"y": y}
        if self.targets == "map":
            found["p"] = np.empty((frames, code.n), np.float32)
        else:
            found["e"] = np.empty((frames, code.n), np.int8)
        if self.targets == "ml":
            found["proved"] = np.empty(frames, np.bool_)
        if self.messages == "random":
            found["sent"] = np.empty((frames, code.n), np.uint8)
        labelled = self._labeller()
        for first in range(0, frames, CHUNK):
            part = slice(first, min(first + CHUNK, frames))
            here = y[part]
            rng.standard_normal(dtype=np.float32, out=here)
            here *= sigma
            if self.messages == "zero":
                here += 1
            else:
                messages = rng.integers(0, 2, (len(here), code.k), np.uint8)
                found["sent"][part] = code.encode(messages)
                here += bpsk(found["sent"][part])
            sent = found["sent"][part] if "sent" in found else None
            for name, label in labelled(here, here * (2 / sigma**2), sent):
                found[name][part] = label
        return found

    def _labeller(self) -> Callable[[LLR, LLR, Bits | None], Iterator[tuple[str, NDArray[Any]]]]:
        """A function from received words, their LLRs and the sent words to labels by name."""
        if self.targets == "map":
            soft = soft_decoder("map", self.code)

            def posteriors(y: LLR, llr: LLR, sent: Bits | None) -> Iterator[tuple[str, NDArray[Any]]]:
                app = soft(llr)
                yield "p", 0.5 + 0.5 * np.tanh(0.5 * np.where(y < 0, app, -app))

            return posteriors
        if self.targets == "sent":

            def errors(y: LLR, llr: LLR, sent: Bits | None) -> Iterator[tuple[str, NDArray[Any]]]:
                yield "e", hard(y) if sent is None else hard(y) ^ sent

            return errors
        decide = decoder("ml", self.code)

        def decisions(y: LLR, llr: LLR, sent: Bits | None) -> Iterator[tuple[str, NDArray[Any]]]:
            words, effort = decide.measure(llr)
            yield "e", hard(y) ^ words
            yield "proved", ~effort.uncertified

        return decisions


def write_labels(
    labels: Labels, folder: str | Path, frames: int, *, shard: int = SHARD, suffix: str = ".npz"
) -> Iterator[tuple[Path, int, int]]:
    """Write a training set, shard by shard; files that are there already are kept, so that it resumes.

    ``.npz`` is NumPy's, and ``.mat`` MATLAB's, which the programs of SBND (arXiv 2605.03620) read as they
    are; ``.h5`` is HDF5, with one dataset for each array, from which parts can be read. ``about`` in each, an
    attribute in HDF5, is what it was made from, as JSON.

    Args:
        labels: The training set.
        folder: Where the files go.
        frames: Frames in all.
        shard: Frames in a file.
        suffix: ``.npz``, ``.mat`` or ``.h5``.

    Yields:
        Each file with its frames, and how many of their labels were not proved.

    Raises:
        ValueError: If the format is another, a number is below 1, or a file there is of another training set.
        ModuleNotFoundError: If HDF5 is wanted and h5py is not installed.
    """
    if suffix not in FORMATS:
        raise ValueError(f"labels are written as {' or '.join(FORMATS)}, got {suffix}")
    if suffix == ".h5":
        _h5py()
    if min(frames, shard) < 1:
        raise ValueError(f"frames and shard must be 1 or more, got {frames} and {shard}")
    name = f"{labels.code.name}-{labels.targets}-{labels.ebn0_db:g}dB"
    for number, first in enumerate(range(0, frames, shard)):
        count = min(shard, frames - first)
        path = Path(folder) / f"{name}-{number:05d}{suffix}"
        about = labels.about() | {"shard": number, "frames": count}
        if path.exists():
            found = _about(path)
            if any(found.get(key) != about[key] for key in about if key != "fecnn"):
                raise ValueError(
                    f"{path} is of another training set: {json.dumps(found)}; use another folder"
                )
            yield path, count, found["not_proved"]
            continue
        made = labels.shard(number, count)
        about["not_proved"] = int((~made["proved"]).sum()) if "proved" in made else 0
        made["about"] = np.array(json.dumps(about))
        path.parent.mkdir(parents=True, exist_ok=True)
        with writing(path) as file:
            if suffix == ".npz":
                np.savez(file, allow_pickle=False, **made)
            elif suffix == ".mat":
                savemat(file, made)  # type: ignore[arg-type]
            else:
                with _h5py().File(file, "w") as content:
                    content.attrs["about"] = made.pop("about").item()
                    for array, values in made.items():
                        content[array] = values
        yield path, count, about["not_proved"]


def _h5py() -> Any:
    with extra("export", "an HDF5 file"):
        import h5py
    return h5py


def _about(path: Path) -> dict[str, Any]:
    try:
        if path.suffix == ".npz":
            with path.open("rb") as file, np.load(file) as content:
                text = str(content["about"])
        elif path.suffix == ".mat":
            text = str(loadmat(path, variable_names=["about"])["about"][0])
        else:
            with path.open("rb") as file, _h5py().File(file, "r") as content:
                text = str(content.attrs["about"])
        found: dict[str, Any] = json.loads(text)
        found["not_proved"] = int(found["not_proved"])
    except Exception as error:  # the readers raise many kinds
        raise ValueError(
            f"{path} cannot be read as labels ({error}); delete it to have it written again"
        ) from None
    return found
