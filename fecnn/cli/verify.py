"""Commands that go back from stored counts to the frames behind them: frames, verify."""

import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fecnn._files.shipped import RESULTS
from fecnn.cli.options import OutOption, StudyArgument
from fecnn.cli.terminal import explained, print_table, say_whose_code_runs

if TYPE_CHECKING:
    from fecnn.studies.verify import Check

VERIFY_SECONDS = 30.0
"""Seconds of simulation of ``fecnn verify`` by default."""


def verify_command(
    results: Annotated[
        str,
        typer.Argument(
            help="A results file (.sqlite); or a study, to check its results in --out.", metavar="RESULTS"
        ),
    ],
    out: OutOption = RESULTS,
    batches: Annotated[
        int | None,
        typer.Option(min=1, help="Most batches per curve.", show_default="as many as there is time for"),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=0, help="Time for simulation; not counting building and compiling decoders.")
    ] = VERIFY_SECONDS,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Seed of the drawing, to repeat a check.", show_default="a new one"),
    ] = None,
    foreign_code: Annotated[
        bool | None,
        typer.Option(
            "--foreign-code/--no-foreign-code",
            help="Allow decoders and channels that do not ship with fecnn.",
            show_default="only those of a study",
        ),
    ] = None,
) -> None:
    """Simulate some batches of a results file again, and compare them bit for bit.

    Batches are drawn at random, at least one of every curve if there is time. All counts and all wrong frames
    must be equal; decoding times may differ. Ends with exit code 1 if any batch differs, or if none could be
    checked. The file alone is enough, unless it uses your own codes, networks or decoders: in that case name
    the study, so that fecnn can find them.

    Examples:

        fecnn verify results-from-a-colleague.sqlite

        fecnn verify my_study.toml --out received --seconds 300

        fecnn verify results.sqlite --seed 7 --batches 1
    """
    from fecnn.simulation.store import Store
    from fecnn.studies.run import store_path
    from fecnn.studies.study import load_study
    from fecnn.studies.verify import verify

    with explained():
        is_file = results.endswith(".sqlite") or (not results.endswith(".toml") and Path(results).is_file())
        plan = None if is_file else load_study(results)
        path = Path(results) if plan is None else store_path(plan, out)
        seed = secrets.randbits(31) if seed is None else seed
        with Store(path) as store:
            stored, estimates = sum(store.batch_counts().values()), store.estimate_count()
        if not stored:
            raise LookupError(f"{path} has no batches")
        if foreign_code:
            _say_whose_code_of_a_file_runs(path)
        elif foreign_code is None and plan is not None:
            say_whose_code_runs(plan)
        checks = []
        for check in verify(
            path, study=plan, batches=batches, seconds=seconds, seed=seed, foreign_code=foreign_code
        ):
            checks.append(check)
            for line in _lines(check):
                typer.echo(line, err=True)
        _show(checks)
        compared = sum(check.batch is not None for check in checks)
        different = sum(bool(check.differences) for check in checks)
        typer.echo(
            f"{compared:,} of {stored:,} batches ({compared / stored:.1%}) simulated again with seed {seed}: "
            + (f"{different:,} DIFFER" if different else "all equal" if compared else "nothing was checked")
        )
        if estimates:
            typer.echo(f"{estimates:,} estimated points are not checked: they are not counts")
        if different or not compared:
            raise typer.Exit(1)


def frames_command(
    study: StudyArgument,
    curve: Annotated[str, typer.Argument(help="A curve, as named in the table.", metavar="CURVE")],
    ebn0_db: Annotated[
        float | None, typer.Option("--ebn0-db", help="Eb/N0 of the point.", show_default="the only one")
    ] = None,
    wrong: Annotated[bool, typer.Option("--wrong", help="Only frames that the decoder got wrong.")] = False,
    most: Annotated[int, typer.Option("--most", min=1, help="Most frames; the first ones are taken.")] = 1000,
    ml: Annotated[bool, typer.Option("--ml/--no-ml", help="Also decode them with exact ML.")] = True,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-o", help="File to write: .npz.", show_default="in --out"),
    ] = None,
    out: OutOption = RESULTS,
    foreign_code: Annotated[
        bool,
        typer.Option(
            "--foreign-code/--no-foreign-code",
            help="Allow decoders and channels that do not ship with fecnn.",
        ),
    ] = True,
) -> None:
    """Save frames of a study, such as those a decoder got wrong: LLRs, sent word, decision, and that of ML.

    Frames are regenerated from your own results, which record the wrong frames; the shipped results do not.
    The arrays are llr (positive means 0), sent, decided, ml, proved (where ml is certain), frame and batch
    (where each frame is), wrong, G, H, and about (JSON).

    Examples:

        fecnn frames optimal-bch-31-21 "osd (order 1)" --ebn0-db 4 --wrong

        fecnn frames my_study.toml mine --ebn0-db 3 --wrong --most 50 -o wrong.npz
    """
    import io

    import numpy as np

    from fecnn._files.atomic import write
    from fecnn.analysis.frames import frames
    from fecnn.studies.run import store_path
    from fecnn.studies.study import load_study

    with explained():
        plan = load_study(study)
        path = file or store_path(plan, out).with_suffix(".frames.npz")
        if path.suffix != ".npz":
            raise ValueError(f"frames are written as .npz, got {path.name}")
        decoders = [known.decoder for known in plan.curves if known.name == curve]
        say_whose_code_runs(plan, foreign_code, decoders)
        found = frames(
            plan, curve, ebn0_db=ebn0_db, wrong=wrong, most=most, ml=ml, store=store_path(plan, out)
        )
        content = io.BytesIO()
        np.savez(content, **found.arrays())  # type: ignore[arg-type]
        write(path, content.getvalue())
        better = (
            "" if found.ml is None else f", ML gets {int((found.ml != found.sent).any(axis=1).sum()):,} wrong"
        )
        typer.echo(f"{len(found):,} frames, {int(found.wrong.sum()):,} decided wrong{better}: {path}")


def _say_whose_code_of_a_file_runs(path: Path) -> None:
    """Announce the decoders and channels of a results file that do not ship with fecnn, if they are here."""
    from fecnn._files.text import plain
    from fecnn.channels.registry import parts_of
    from fecnn.decoders.foreign import Kind, foreign, whose_code_runs
    from fecnn.simulation.store import Store

    with Store(path) as store:
        tasks = list(store.tasks())
    named = sorted({(task.decoder, task.home) for task in tasks if task.source}, key=str)
    channels = {(parts_of(task.channel)[0], task.channel_home) for task in tasks if task.channel_source}
    kinds: list[tuple[Kind, list[tuple[str, str | None]]]]
    kinds = [("decoder", named), ("channel", sorted(channels, key=str))]
    for kind, places in kinds:
        for name, home in places:
            with suppress(ValueError, LookupError):  # reported with its curve
                if (found := foreign(name, home, kind=kind)) is not None:
                    typer.echo(plain(whose_code_runs(name, found)), err=True)


def _lines(check: "Check") -> list[str]:
    """What to say of a check at once."""
    from fecnn._files.text import plain

    if check.obstacle is not None:
        return [plain(f"{check.curve}: not checked: {check.obstacle}").replace("\n", " ")]
    where = f"{check.curve} at {check.task.ebn0_db} dB, batch {check.batch}"
    return [plain(f"{where} differs: {difference}") for difference in check.differences]


def _show(checks: "list[Check]") -> None:
    """Print a row per curve."""
    import pandas as pd

    rows = []
    for name in dict.fromkeys(check.curve for check in checks):
        of_curve = [check for check in checks if check.curve == name]
        compared = [check for check in of_curve if check.batch is not None]
        different = sum(not check.equal for check in compared)
        rows.append(
            {
                "curve": name,
                "batches": f"{of_curve[0].stored:,}",
                "checked": f"{len(compared):,}",
                "frames": f"{sum(check.task.batch for check in compared):,}",
                "result": f"{different:,} DIFFER" if different else "equal" if compared else "not checked",
            }
        )
    print_table(pd.DataFrame(rows))
