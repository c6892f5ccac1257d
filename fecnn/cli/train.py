"""The command that trains a network."""

import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Self, Unpack

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from fecnn._files.atomic import write
from fecnn._files.text import clock
from fecnn.cli.board import Board
from fecnn.cli.options import shipped_names
from fecnn.cli.terminal import explained
from fecnn.errors import extra

if TYPE_CHECKING:
    from fecnn.nets.card import Card
    from fecnn.plots.style import Options
    from fecnn.training.recipe import Training
    from fecnn.training.trainer import TrainingProgress

QUIET = 60.0
"""Seconds after which a log says how far a training is."""


def train_command(
    config: Annotated[
        str, typer.Argument(help="A network of the zoo by name, or a train.toml.", metavar="CONFIG")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder of trainings.", file_okay=False)] = Path(
        "fecnn-training"
    ),
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda or cuda:1.", show_default="that of the configuration")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0, help="Save and stop after this long; the same command resumes.")
    ] = None,
) -> None:
    """Train a network; checkpoints, weights, card and learning curve go to a folder named after it.

    Stop or kill it at any time: the same command resumes from the last checkpoint, to the same weights.

    Examples:

        fecnn train fecnn-net-bch-31-16

        fecnn train my_net.toml --device cuda --out trainings
    """
    with explained():
        with extra("nets", "training"):
            from fecnn.training.page import page
            from fecnn.training.recipe import load_training
            from fecnn.training.train import train

        plan = load_training(config, device)
        folder = out / plan.name
        try:
            with TrainingBoard(plan) as board:
                steps = train(plan, folder, seconds=seconds)
                while True:
                    try:
                        board.update(next(steps))
                    except StopIteration as end:
                        card = end.value
                        break
        except KeyboardInterrupt:
            typer.echo(f"\nstopped; the same command resumes from the last checkpoint in {folder}", err=True)
            raise typer.Exit(130) from None
        save_learning(card, folder / "curve.svg")
        write(folder / "README.md", page(card, str(folder)))
        typer.echo(f"{'trained' if card.finished else 'not finished'}: {folder}")


class TrainingBoard:
    """Step, loss, speed and the latest validation while a network trains; outside a terminal, plain lines.

    Use as a context manager.
    """

    def __init__(self, plan: "Training") -> None:
        self._plan = plan
        self._progress: TrainingProgress | None = None
        self._validated = 0
        self._said = time.monotonic()
        self._board = Board(self._render)

    def __enter__(self) -> Self:
        self._board.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._board.__exit__(kind, error, trace)

    def _introduce(self) -> None:
        """Say what is trained, and for how long."""
        from fecnn.nets.checkpoint import build, parameter_count

        plan, code = self._plan, self._plan.load_code()
        network = build(plan.model, code)
        checks = getattr(network, "checks", None)
        self._board.say(
            f"{plan.model.kind} for {code.name}: {parameter_count(network):,} parameters"
            + (f" on {len(checks):,} checks" if checks is not None else "")
            + f"; {plan.steps:,} steps of {plan.batch:,} frames"
        )

    def update(self, progress: "TrainingProgress") -> None:
        """Take in one step of the training."""
        from fecnn.training.page import sentence

        if self._progress is None:
            self._introduce()
        self._progress = progress
        new = progress.validations[self._validated :]
        self._validated = len(progress.validations)
        for validation in new:
            self._board.say(sentence(validation))
        now = time.monotonic()
        if new:
            self._said = now
        elif not self._board.drawn and now - self._said >= QUIET:
            self._said = now
            self._board.say(
                f"step {progress.step:,} of {self._plan.steps:,}, loss {progress.loss:.5f}, "
                f"{progress.rate:,.0f} frames/s{self._left(progress)}"
            )

    def _left(self, progress: "TrainingProgress") -> str:
        if not progress.rate:
            return ""
        return f", about {clock((self._plan.steps - progress.step) * self._plan.batch / progress.rate)} left"

    def _render(self) -> Group:
        table = Table("network", box=None, pad_edge=False)
        for name in ("step", "loss", "frames/s"):
            table.add_column(name, justify="right")
        progress, total = self._progress, f"{self._plan.steps:,}"
        if progress is None:
            table.add_row(Text(self._plan.name), f"of {total}", "", "")
        else:
            speed = f"{progress.rate:,.0f}" if progress.rate else ""
            table.add_row(
                Text(self._plan.name), f"{progress.step:,} of {total}", f"{progress.loss:.5f}", speed
            )
        left = self._left(progress) if progress else ""
        return Group(table, Text(f"{self._board.elapsed()}{left}; Ctrl-C stops; the same command resumes"))


def save_learning(card: "Card", path: Path, **options: "Unpack[Options]") -> None:
    """Write the learning curve of a training as a figure; options as for `fecnn.plots.style.styled`."""
    from fecnn.plots.figure import save
    from fecnn.plots.learning import plot_learning

    save(plot_learning(card, **options), path)


def labels_command(
    code: Annotated[
        str,
        typer.Argument(
            help="A code, by name or file.", metavar="CODE", autocompletion=shipped_names("codes")
        ),
    ],
    ebn0_db: Annotated[float, typer.Option("--ebn0-db", help="Eb/N0 of the received words in dB.")],
    frames: Annotated[int, typer.Option(min=1, help="Words in all.")] = 1 << 20,
    targets: Annotated[str, typer.Option(help="ml, map (posteriors) or sent: what the labels are.")] = "ml",
    messages: Annotated[str, typer.Option(help="zero: only the zero word is sent; or random.")] = "zero",
    form: Annotated[
        str, typer.Option("--format", help="npz; mat for MATLAB and SBND; or h5 (HDF5).")
    ] = "npz",
    shard: Annotated[int, typer.Option(min=1, help="Words in a file.")] = 1 << 20,
    seed: Annotated[int, typer.Option(min=0, help="Of the noise.")] = 1,
    out: Annotated[Path, typer.Option("--out", help="Folder for the files.", file_okay=False)] = Path(
        "fecnn-labels"
    ),
) -> None:
    """Write a training set for networks of others: received words, and their errors as exact ML sees them.

    Each file has y (words, n) float32, with bit 0 sent as +1, e (words, n) int8, and proved (words,), which
    tells for each label whether it was proved to be ML. With map it has p, the probability that a hard
    decision is wrong, instead of e. Files that are there already are kept, so the same command resumes.

    Examples:

        fecnn labels bch-63-45 --ebn0-db 2 --frames 16_777_216

        fecnn labels bch-31-21 --ebn0-db 3 --targets map --format mat
    """
    from fecnn.codes.catalogue import load_code
    from fecnn.training.labels import Labels, write_labels

    with explained():
        of = Labels(load_code(code), ebn0_db, targets, messages, seed)  # type: ignore[arg-type]
        lost = 0
        for path, _, not_proved in write_labels(of, out, frames, shard=shard, suffix=f".{form}"):
            typer.echo(path)
            lost += not_proved
        if lost:
            typer.echo(
                f"{lost:,} of {frames:,} labels are not proved to be ML; see proved in the files", err=True
            )
