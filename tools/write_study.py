"""Write a study's results.csv, figure.svg and README table from its results.

Run from the root of a checkout: python tools/write_study.py NAME [FOLDER OF RESULTS]

Shipped points with the same counts are kept, including their decoding time. Without results in that folder,
everything is written again from the shipped results, except frame-by-frame comparisons, which are kept.
"""

import sys
from pathlib import Path

import pandas as pd

import fecnn
from fecnn._files.atomic import write
from fecnn.analysis.compare import Comparison, compare, display_comparison
from fecnn.analysis.costs import cost_table, curve_costs, display_costs
from fecnn.analysis.gap import display_gaps, gap_to_ml
from fecnn.analysis.record import display_standings, standings
from fecnn.analysis.table import display, judge, published_summary
from fecnn.analysis.texts import csv_text, markdown
from fecnn.plots.figure import plot, save
from fecnn.plots.pareto import plot_pareto
from fecnn.simulation.tally import COUNTS
from fecnn.studies.run import RESULTS, store_path
from fecnn.studies.study import Study

BEGIN, END = "<!-- results -->", "<!-- end of results -->"


def section(study: Study, results) -> str:
    """The part of a README made from results: the table, gaps to ML, and agreement with published points."""
    text = markdown(display(study, results))
    gaps = gap_to_ml(study, results)
    if any(gap.is_passed for gap in gaps):
        text += "\n" + markdown(display_gaps(gaps))
    verdicts = judge(study, results)
    if len(verdicts):
        differ = verdicts[verdicts["verdict"] == "differs"]
        first, *together = published_summary(study, results)
        text += f"\n{first}"
        for _, row in differ.iterrows():
            text += (
                f"\n- {row['curve']} at {row['ebn0_db']:g} dB: {row['metric']} published "
                f"{row['published']:.4g} "
                f"[{row['published_low']:.3g}, {row['published_high']:.3g}], ours {row['ours']:.4g} "
                f"[{row['low']:.3g}, {row['high']:.3g}] ({row['source']})."
            )
        text += "\n"
        if together:
            text += "\n" + "\n".join([together[0], "", *together[1:]]) + "\n"
    return text


def networks(study: Study) -> str:
    """What the record knows of the networks that a study of one code draws."""
    found = [one for one in standings(study.code, folder=None) if one.decoder in (study.drawn or ())]
    known = display_standings(found)
    return markdown(known.loc[:, (known != "").any()])


def per_frame(study: Study, results: pd.DataFrame) -> str:
    """Work and operations per frame: a row for each code and Eb/N0, a column for each decoder."""
    costs = curve_costs(study, results)
    at = results["curve"], results["ebn0_db"]
    known = results.assign(
        work=results["work"] / results["frames"],
        operations=[costs[curve][ebn0_db][0].operations for curve, ebn0_db in zip(*at, strict=True)],
        decoder=[curve.partition(" of ")[0] for curve in results["curve"]],
    )
    text = ""
    for what, title in (("work", "Work per frame"), ("operations", "Operations per frame")):
        cells = {
            name: known[known["decoder"] == name].set_index(["code", "ebn0_db"])[what].map(_rounded)
            for name in dict.fromkeys(known["decoder"])
        }
        table = pd.DataFrame(cells).loc[
            list(dict.fromkeys(zip(known["code"], known["ebn0_db"], strict=True)))
        ]
        table.insert(0, "Eb/N0 [dB]", [f"{ebn0_db:g}" for _, ebn0_db in table.index])
        table.insert(0, "code", [code for code, _ in table.index])
        text += f"\n{title}:\n\n{markdown(table)}"
    return text


def _rounded(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def common_frames(study: Study, folder: Path, first: str, second: str) -> str:
    """A sentence comparing the block errors of two curves on the frames that both decoded."""
    found = sum(compare(study, first, second, store_path(study, folder)).values(), Comparison(0, 0, 0, 0))
    return (
        f"On the {found.frames:,} frames (all points together) that both `{first}` and `{second}` decoded, "
        f"`{first}` has {found.first_errors:,} block errors, and the two differ in {found.discordant}.\n"
    )


def with_shipped(results: pd.DataFrame, shipped: pd.DataFrame) -> pd.DataFrame:
    """The results, with shipped rows in place of rows with the same counts; their times may differ."""
    same = ["curve", "ebn0_db", "method", *(name for name in COUNTS if name != "seconds")]
    known = {tuple(map(str, row[same])): row for _, row in shipped.iterrows()}
    rows = [known.get(tuple(map(str, row[same])), row) for _, row in results.iterrows()]
    return pd.DataFrame(rows).reset_index(drop=True).astype(results.dtypes)


def paired(study: Study, folder: Path) -> str:
    """Frame-by-frame comparisons of the networks (with and without tries) against OSD."""
    text = ""
    for first in (curve.name for curve in study.curves if curve.decoder == "fecnn-net"):
        for second in ("osd (order 1)", "osd (order 2)"):
            found = compare(study, first, second, store_path(study, folder))
            text += f"\nA: {first}, B: {second}\n\n" + markdown(display_comparison(found, study.axis))
    return text


def main(name: str, folder: Path) -> None:
    study = fecnn.load_study(f"studies/{name}")
    home = study.path.parent
    shipped = home / "results.csv"
    fresh = store_path(study, folder).exists()
    results = fecnn.table(study, store_path(study, folder) if fresh else shipped)
    if fresh and shipped.exists():
        results = with_shipped(results, fecnn.table(study, shipped))
    if fresh:
        write(shipped, csv_text(results))
    save(plot(study, results), home / "figure.svg")
    readme = home / "README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    old, _, after = rest.partition(END)
    made = section(study, results)
    curves = {curve.name for curve in study.curves}
    for pair in (("ml", "slnn"), ("map", "mlnn")):
        if fresh and curves.issuperset(pair):
            made += f"\n{common_frames(study, folder, *pair)}"
    if not fresh:
        made += "".join(f"\n{line}\n" for line in old.splitlines() if line.startswith("On the "))
    if name.startswith(("complexity-", "verdict-")):
        made += "\n" + markdown(display_costs(study, cost_table(study, results)))
    if name == "queries-to-ml":
        made += per_frame(study, results)
    if name.startswith("verdict-"):
        made += "\n" + networks(study)
        save(plot_pareto(study, results), home / "pareto.svg")
        made += paired(study, folder) if fresh else old[old.index("\nA: fecnn-net") :]
    write(readme, f"{before}{BEGIN}\n{made}{END}{after}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else RESULTS)
