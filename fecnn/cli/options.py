"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

StudyArgument = Annotated[
    str, typer.Argument(help="A study by name, a study.toml, or its folder.", metavar="STUDY")
]


FormOption = Annotated[str, typer.Option("--format", help="terminal, markdown or csv.")]


OutOption = Annotated[Path, typer.Option("--out", help="Folder of results.", file_okay=False)]
