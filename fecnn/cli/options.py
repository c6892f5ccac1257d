"""Arguments and options shared by several commands."""

from pathlib import Path
from typing import Annotated

import typer

StudyArgument = Annotated[
    str, typer.Argument(help="A study: its name, its study.toml, or its folder.", metavar="STUDY")
]


FormOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="Output format: terminal, markdown, csv or latex.",
        show_default="terminal, or by the file's suffix",
    ),
]


FileOption = Annotated[
    Path | None, typer.Option("-o", "--file", help="File to write: .md, .csv or .tex.", dir_okay=False)
]


ColumnsOption = Annotated[
    str | None,
    typer.Option(help="Columns to show, with commas between them.", show_default="all", metavar="A,B,..."),
]


OutOption = Annotated[Path, typer.Option("--out", help="Folder for results.", file_okay=False)]
