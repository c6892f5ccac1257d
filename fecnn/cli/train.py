"""The command that trains a network."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from fecnn._files.atomic import write
from fecnn.cli.terminal import explained
from fecnn.nets.card import Card


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
        float | None, typer.Option(min=0, help="Save and stop after this long; the same command goes on.")
    ] = None,
) -> None:
    """Train a network: checkpoints, weights, card and learning curve go to a folder of its name.

    Stop it, or kill it, at any time: the same command goes on from the last checkpoint, to the same weights.

    Examples:

        fecnn train fecnn-net-bch-31-16

        fecnn train my_net.toml --device cuda --out trainings
    """
    from fecnn.training.page import page, sentence
    from fecnn.training.recipe import load_training
    from fecnn.training.train import train

    with explained():
        plan = load_training(config)
        if device is not None:
            plan = plan.model_copy(update={"device": device})
        folder = out / plan.name
        console, told = Console(stderr=True), 0
        try:
            with console.status(f"{plan.name}: {plan.steps:,} steps") as status:
                steps = train(plan, folder, seconds=seconds)
                while True:
                    try:
                        progress = next(steps)
                    except StopIteration as end:
                        card = end.value
                        break
                    left = (plan.steps - progress.step) * plan.batch / progress.rate if progress.rate else 0.0
                    status.update(
                        f"{plan.name}: step {progress.step:,} of {plan.steps:,}, loss {progress.loss:.5f}, "
                        f"{progress.rate:,.0f} frames/s, {left / 60:.0f} min left"
                    )
                    for validation in progress.validations[told:]:
                        console.print(Text(sentence(validation)), soft_wrap=True)
                    told = len(progress.validations)
        except KeyboardInterrupt:
            typer.echo(f"\nstopped; the same command goes on from the last checkpoint in {folder}", err=True)
            raise typer.Exit(130) from None
        save_learning(card, folder / "curve.svg")
        write(folder / "README.md", page(card))
        typer.echo(f"{'trained' if card.finished else 'not finished'}: {folder}")


def save_learning(card: Card, path: Path) -> None:
    """Write the learning curve of a training as a figure."""
    from fecnn.plots.figure import save
    from fecnn.training.page import plot_learning

    save(plot_learning(card), path)
