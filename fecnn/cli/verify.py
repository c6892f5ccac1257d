"""Commands that go back from stored counts to the frames behind them."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fecnn._files.shipped import RESULTS
from fecnn.cli.options import OutOption
from fecnn.cli.terminal import explained, print_table

if TYPE_CHECKING:
    from fecnn.studies.study import Study
    from fecnn.studies.verify import Check

VERIFY_SECONDS = 30.0
"""Seconds of simulation of ``fecnn verify`` by default."""


def verify_command(
    results: Annotated[
        str,
        typer.Argument(
            help="A results file (.sqlite); or a study, whose results in --out are meant.", metavar="RESULTS"
        ),
    ],
    out: OutOption = RESULTS,
    batches: Annotated[
        int | None,
        typer.Option(min=1, help="Most batches per curve.", show_default="as many as there is time for"),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=0, help="Time for simulation; building and compiling decoders comes on top.")
    ] = VERIFY_SECONDS,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Seed of the drawing, to repeat a check.", show_default="a new one"),
    ] = None,
    foreign_code: Annotated[
        bool | None,
        typer.Option(
            "--foreign-code/--no-foreign-code",
            help="Allow decoders that do not ship with fecnn.",
            show_default="only those of a study",
        ),
    ] = None,
) -> None:
    """Simulate some batches of a results file again, and compare them bit for bit.

    Batches are drawn at random, at least one of every curve if there is time. All counts and all wrong frames
    must be equal; decoding times may differ. Ends with exit code 1 if any batch differs, or if none could be
    checked. The file alone is enough, unless codes, networks or decoders of your own are in it: then name the
    study, which says where they are.

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
        plan = None if results.endswith(".sqlite") else load_study(results)
        path = Path(results) if plan is None else store_path(plan, out)
        allowed = plan is not None if foreign_code is None else foreign_code
        seed = secrets.randbits(31) if seed is None else seed
        with Store(path) as store:
            stored, estimates = sum(store.batch_counts().values()), store.estimate_count()
        if not stored:
            raise LookupError(f"{path} has no batches")
        if allowed and plan is not None:
            _say_whose_code_runs(plan)
        checks = []
        for check in verify(
            path, study=plan, batches=batches, seconds=seconds, seed=seed, foreign_code=allowed
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


def _say_whose_code_runs(plan: "Study") -> None:
    from fecnn.decoders.foreign import whose_code_runs

    for name, it in plan.foreign.items():
        typer.echo(whose_code_runs(name, it), err=True)


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
