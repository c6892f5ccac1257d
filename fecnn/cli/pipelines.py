"""The command that writes a decoder for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from fecnn.cli.options import shipped_names
from fecnn.cli.terminal import explained


def export_onnx_command(
    network: Annotated[
        str,
        typer.Argument(
            help="A network of the zoo, a training folder, or slnn or mlnn with --code.", metavar="NETWORK"
        ),
    ],
    code: Annotated[
        str | None,
        typer.Option(
            help="A code's name or file.",
            show_default="that of the network",
            autocompletion=shipped_names("codes"),
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("-o", "--file", help="File to write.", show_default="NETWORK.onnx", dir_okay=False),
    ] = None,
) -> None:
    """Write a network as an ONNX file that decodes LLRs, and check it in onnxruntime.

    Input llr (batch, n) float32, positive for bit 0; outputs bits (batch, n) uint8 and logits. The properties
    of the file say what the logits are, and for which code it is.

    Examples:

        fecnn export-onnx fecnn-net-bch-31-16

        fecnn export-onnx slnn --code hamming-7-4 -o slnn.onnx
    """
    with explained():
        from fecnn.codes.catalogue import load_code
        from fecnn.pipelines.onnx import export

        chosen = None if code is None else load_code(code)
        stem = Path(network).name + ("" if chosen is None else f"-{chosen.name}")
        path = file or Path(f"{stem}.onnx")
        checked = export(network, path, chosen)
        typer.echo(
            f"{path}: onnxruntime and torch agree in {checked.equal_bits:,} of {checked.bits:,} bits of "
            f"{checked.frames:,} random frames; logits differ by at most {checked.difference:.1e}"
        )
