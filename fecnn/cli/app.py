"""The command line: ``fecnn --help``."""

from typing import Annotated

import typer

from fecnn._version import __version__
from fecnn.cli.bench import bench_command
from fecnn.cli.ending import Commands
from fecnn.cli.listings import channels, codes, decoders, nets, studies
from fecnn.cli.pipelines import export_onnx_command
from fecnn.cli.record import record_command
from fecnn.cli.results import (
    compare_command,
    complexity_command,
    export,
    plot_command,
    report_command,
    table_command,
)
from fecnn.cli.run import merge_command, run_command, warm_up_command
from fecnn.cli.train import labels_command, train_command
from fecnn.cli.verify import frames_command, verify_command

app = typer.Typer(
    cls=Commands,
    help="Decoders for short block codes, measured fairly.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fecnn {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Decoders for short block codes, measured fairly."""


for name, command in (  # in the order of --help
    ("run", run_command),
    ("warm-up", warm_up_command),
    ("merge", merge_command),
    ("verify", verify_command),
    ("table", table_command),
    ("compare", compare_command),
    ("frames", frames_command),
    ("complexity", complexity_command),
    ("plot", plot_command),
    ("report", report_command),
    ("record", record_command),
    ("train", train_command),
    ("labels", labels_command),
    ("export", export),
    ("export-onnx", export_onnx_command),
    ("codes", codes),
    ("channels", channels),
    ("decoders", decoders),
    ("nets", nets),
    ("studies", studies),
    ("bench", bench_command),
):
    app.command(name=name)(command)
