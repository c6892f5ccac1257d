"""Train the networks of the study what-training-buys, and write its results, figure and table.

Run from the root of a checkout: python tools/write_training_study.py FOLDER [NETWORK ...]

Trainings are kept in the folder and resume there. With names of networks only these are trained, so that
several processes may share the work; results are written once all are there.
"""

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from fecnn._files.atomic import write
from fecnn.analysis.table import FEW_ERRORS
from fecnn.analysis.texts import csv_text, markdown
from fecnn.intervals import proportion_interval
from fecnn.nets.card import CARD, Card, read_card
from fecnn.plots.figure import picture, save
from fecnn.plots.looks import look
from fecnn.plots.scene import Look, Mark, Panel, Scene, Series
from fecnn.plots.style import styled
from fecnn.training.recipe import training_of
from fecnn.training.train import train

HOME = Path("studies/what-training-buys")
BEGIN, END = "<!-- results -->", "<!-- end of results -->"

CODE, EBN0_DB = "bch-31-16", 4.0
STEPS, BATCH, FIXED = 1000, 128, 6_400

TRANSFORMER = {"layers": 6, "width": 32}
LIGHT = {**TRANSFORMER, "checks": "light", "orbits": 1}

NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "ECCT on H": ("ecct", TRANSFORMER),
    "ECCT": ("ecct", LIGHT),
    "recurrent ECCT": ("ecct", {**LIGHT, "shared": True}),
    "CrossMPT": ("crossmpt", LIGHT),
    "fecnn-net": ("fecnn-net", {}),
}
"""Name in the study -> architecture and its options; the first is trained in one way only."""

DATA: dict[str, dict[str, Any]] = {
    "fresh, sent word": {"targets": "sent"},
    "fresh, ML word": {"targets": "ml"},
    "fresh, MAP": {"targets": "map"},
    "fixed, ML word": {"targets": "ml", "frames": FIXED},
    "fixed, ML word, moved": {"targets": "ml", "frames": FIXED, "augment": True},
}
"""Name in the study -> what the network is shown."""


def trainings() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Network, data and configuration of every training."""
    for network, (kind, options) in NETWORKS.items():
        for data, shown in DATA.items():
            if network == "ECCT on H" and data != "fresh, ML word":
                continue
            name = f"{network}-{data}".replace(",", "").replace(" ", "-").lower()
            config = {
                "name": name,
                "code": CODE,
                "recipe": "improved",
                "model": {"kind": kind, "options": options},
                "data": shown,
                "batch": BATCH,
                "steps": STEPS,
                "epoch": FIXED // BATCH,
                "check": {"every": 200, "ebn0_db": [EBN0_DB], "frames": 20_000},
                "precision": "float32" if kind == "fecnn-net" else "bfloat16",
            }
            yield network, data, config


def finished(folder: Path, config: dict[str, Any]) -> Card | None:
    """The card of a training, once it is done as the configuration says."""
    card = read_card(folder) if (folder / CARD).is_file() else None
    if card is None or not card.finished:
        return None
    if training_of(card.config, card.name) != training_of(config, card.name):
        sys.exit(f"{folder} holds another training; use another folder")
    return card


def rows(network: str, data: str, card: Card) -> Iterator[dict[str, Any]]:
    """A row for every validation."""
    for validation in card.validations:
        (point,) = validation.points
        low, high = proportion_interval(point.block_errors, point.frames)
        yield {
            "network": network,
            "data": data,
            "parameters": card.parameters,
            "training_frames": validation.step * BATCH,
            "ebn0_db": point.ebn0_db,
            "frames": point.frames,
            "block_errors": point.block_errors,
            "bler": point.block_errors / point.frames,
            "bler_low": low,
            "bler_high": high,
            "code_bit_errors": point.code_bit_errors,
            "ml_block_errors": point.ml_block_errors,
            "cpu_seconds": round(card.cpu_seconds),
        }


def panel(network: str, found: pd.DataFrame) -> Panel:
    """BLER over training frames, a curve for each kind of data, and exact ML as a dashed line."""
    series = []
    for place, data in enumerate(DATA):
        points = found[found["data"] == data]
        if points.empty:
            continue
        marks = tuple(
            Mark(
                row.training_frames,
                row.bler,
                row.bler_low,
                row.bler_high,
                hollow=row.block_errors < FEW_ERRORS,
                frames=row.frames,
                block_errors=row.block_errors,
            )
            for row in points.itertuples()
        )
        series.append(Series("counted", data, CODE, look(place), marks))
    ml = found["ml_block_errors"].iloc[0] / found["frames"].iloc[0]
    ends = tuple(Mark(frames, ml) for frames in (found["training_frames"].min(), STEPS * BATCH))
    series.append(Series("estimated", "exact ML", CODE, Look("#404040", "longdash", 1.2), ends))
    return Panel(network, "training frames", f"BLER at {EBN0_DB:g} dB", tuple(series))


def table(results: pd.DataFrame) -> pd.DataFrame:
    """The end of every training: a row for each network, a column for each kind of data."""
    last = results[results["training_frames"] == STEPS * BATCH]
    shown = {
        (row.network, row.data): f"{row.bler:.2e} [{row.bler_low:.1e}, {row.bler_high:.1e}]"
        for row in last.itertuples()
    }
    return pd.DataFrame(
        [
            {
                "network": network,
                "parameters": f"{last[last['network'] == network]['parameters'].iloc[0]:,}",
                **{data: shown.get((network, data), "") for data in DATA},
            }
            for network in NETWORKS
        ]
    )


def main(folder: Path, chosen: list[str]) -> None:
    found, complete = [], True
    for network, data, config in trainings():
        home = folder / config["name"]
        card = finished(home, config)
        if card is None and (not chosen or network in chosen):
            for progress in islice(train(training_of(config, config["name"]), home), 0, None, 60):
                print(f"{config['name']}: step {progress.step:,}, loss {progress.loss:.4f}", flush=True)
            card = finished(home, config)
        complete &= card is not None
        if card is not None:
            found += rows(network, data, card)
    if not complete:
        print("some trainings are missing: nothing written")
        return
    results = pd.DataFrame(found)
    write(HOME / "results.csv", csv_text(results))
    panels = tuple(panel(network, results[results["network"] == network]) for network in NETWORKS)
    save(picture(Scene("What training buys", panels), styled(ylim=(2e-3, 1.0))), HOME / "figure.svg")
    readme = HOME / "README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    write(readme, f"{before}{BEGIN}\n{markdown(table(results))}{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
