"""The command that measures decoding speed."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from fecnn.cli.terminal import explained, table_console

if TYPE_CHECKING:
    from fecnn.cli.speed import Measurement


def bench_command(
    only: Annotated[
        str,
        typer.Argument(help="Run only cases whose decoder or code contains this text.", metavar="ONLY"),
    ] = "",
    seconds: Annotated[float, typer.Option(min=0, help="Seconds spent on each case.")] = 1.0,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write the numbers to this file.")
    ] = None,
) -> None:
    """Measure the speed of decoders and whole simulations on this machine.

    Times are CPU times of one thread, medians of at least five rounds. "ready" is the time to the first
    decision: building the decoder, plus compiling it or loading its compiled code.

    Examples:

        fecnn bench

        fecnn bench osd --seconds 3 --json osd.json
    """
    from fecnn.cli import speed as bench

    with explained():
        cases = [case for case in bench.cases() if only in f"{case.name} {case.code}"]
        if not cases:
            raise LookupError(f"no case has {only!r} in the name of its decoder or code")
        made = bench.machine()
        typer.echo(", ".join(f"{key} {value}" for key, value in made.items()))
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in ("decoder", "code"):
            table.add_column(name)
        columns = (
            "Eb/N0 [dB]",
            "BLER",
            "decoding [us/frame]",
            "tries/frame",
            "simulation [frames/s]",
            "ready [s]",
        )
        for name in columns:
            table.add_column(Text(name), justify="right")  # Text: the brackets are not markup
        console = table_console()
        measurements = []
        with console.status("") as status:
            for case in cases:
                status.update(f"{case.name} on {case.code}")
                measured = bench.measure(case, seconds)
                measurements.append(measured)
                table.add_row(*_bench_row(measured))
            gain = bench.thread_gain(cases[0], max(seconds, 0.1)) if (os.cpu_count() or 1) > 1 else None
        console.print(table)
        if gain is not None:
            typer.echo(f"two threads over one: {gain:.2f} ({cases[0].name} on {cases[0].code}, wall time)")
        if json_file is not None:
            bench.save(measurements, gain, json_file)


def _bench_row(measured: "Measurement") -> list[str]:
    case, total = measured.case, measured.total
    middle, low, high = measured.decode_us
    return [
        case.name,
        case.code,
        f"{case.ebn0_db:g}",
        f"{total.block_errors / total.frames:.1e}",
        f"{middle:.3g} [{low:.3g}, {high:.3g}]",
        f"{total.work / total.frames:.3g}" if total.work else "",
        f"{measured.frames_per_second[0]:,.0f}",
        f"{measured.ready_seconds:.2f}",
    ]
