"""Train a transformer at the published size and length, in slices: for a GPU that is lent for minutes.

Run from the root of a checkout, again and again, until the training is finished:

    python tools/train_published.py ecct-bch-31-16 --seconds 540 --state published/ecct-bch-31-16

Each run goes on where the last one stopped. The state lies in files of at most 15 MB, so that it can be
carried from one machine to the next.
"""

import argparse
import hashlib
import tempfile
from collections import defaultdict
from pathlib import Path

from fecnn._files.atomic import write
from fecnn.training.page import PUBLISHED_FRAMES, page, sentence
from fecnn.training.recipe import Training, training_of
from fecnn.training.train import STATE, train

PIECE = 15_000_000
"""Most bytes in a file of the state."""


def published(name: str, width: int, batch: int, device: str) -> Training:
    """As many frames as published, N = 6, by the improved recipe: larger batches, targets of ML."""
    kind, _, code = name.partition("-")
    steps = PUBLISHED_FRAMES[kind] // batch
    content = {
        "name": f"{name}-d{width}",
        "code": code,
        "recipe": "improved",
        "model": {"kind": kind, "options": {"layers": 6, "width": width}},
        "optimiser": {"rate": 1e-3, "warmup": steps // 50},
        "batch": batch,
        "steps": steps,
        "check": {"every": max(1, steps // 32), "ebn0_db": [4.0, 5.0], "frames": 100_000},
        "compile": device != "cpu",
        "device": device,
        "save_every": max(1, steps // 320),
    }
    return training_of(content, name)


def split(whole: bytes, folder: Path) -> None:
    """Replace the state in a folder; the old one is removed once the new one is there."""
    old = set(folder.glob(f"{STATE}.*"))
    digest = hashlib.sha256(whole).hexdigest()[:16]
    for number, first in enumerate(range(0, len(whole), PIECE)):
        path = folder / f"{STATE}.{digest}.{number:03d}"
        write(path, whole[first : first + PIECE])
        old.discard(path)
    for path in old:
        path.unlink()


def joined(folder: Path) -> bytes | None:
    """The newest whole state in a folder; None if there is none, not even in part.

    Raises:
        ValueError: If there are only parts of one.
    """
    parts = defaultdict(list)
    for path in sorted(folder.glob(f"{STATE}.*"), key=lambda path: path.name):
        parts[path.suffixes[-2][1:]].append(path)
    by_age = sorted(parts.items(), key=lambda part: part[1][0].stat().st_mtime, reverse=True)
    for digest, paths in by_age:
        whole = b"".join(path.read_bytes() for path in paths)
        if hashlib.sha256(whole).hexdigest()[:16] == digest:
            return whole
    if parts:
        raise ValueError(f"{folder} holds only a part of a state; fetch the rest of {STATE}.*, or remove it")
    return None


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("name", help="kind and code: ecct-bch-31-16, crossmpt-bch-63-45")
    parser.add_argument("--state", type=Path, required=True, help="folder of state, weights and card")
    parser.add_argument("--seconds", type=float, default=540, help="length of this slice")
    parser.add_argument("--width", type=int, default=128, help="entries per token, d")
    parser.add_argument("--batch", type=int, default=4096)
    parser.add_argument("--device", default="cuda")
    asked = parser.parse_args(arguments)
    training = published(asked.name, asked.width, asked.batch, asked.device)
    asked.state.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if (whole := joined(asked.state)) is not None:
            (folder / STATE).write_bytes(whole)
        slices = train(training, folder, seconds=asked.seconds)
        said = 0
        while True:
            try:
                progress = next(slices)
            except StopIteration as end:
                card = end.value
                break
            for validation in progress.validations[said:]:
                print(sentence(validation), flush=True)
            said = len(progress.validations)
        split((folder / STATE).read_bytes(), asked.state)
        for path in folder.iterdir():
            if path.name != STATE:
                write(asked.state / path.name, path.read_bytes())
    write(asked.state / "README.md", page(card, str(asked.state)))
    print(f"{card.name}: {card.frames:,} frames, {'finished' if card.finished else 'not finished'}")


if __name__ == "__main__":
    main()
