"""Arguments and options shared by several commands."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from fecnn._files.shipped import shipped


def shipped_names(kind: str) -> Callable[[str], list[str]]:
    """What a shell completes: the names of the shipped codes or studies that begin so."""

    def names(incomplete: str) -> list[str]:
        return [name for name in shipped(kind) if name.startswith(incomplete)]

    return names


StudyArgument = Annotated[
    str,
    typer.Argument(
        help="A study: its name, its study.toml, or its folder.",
        metavar="STUDY",
        autocompletion=shipped_names("studies"),
    ),
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
