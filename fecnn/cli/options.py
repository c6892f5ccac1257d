"""Arguments and options shared by several commands."""

from pathlib import Path
from typing import Annotated

import typer

StudyArgument = Annotated[
    str, typer.Argument(help="A study: its name, its study.toml, or its folder.", metavar="STUDY")
]


FormOption = Annotated[str, typer.Option("--format", help="Output format: terminal, markdown or csv.")]


OutOption = Annotated[Path, typer.Option("--out", help="Folder for results.", file_okay=False)]
