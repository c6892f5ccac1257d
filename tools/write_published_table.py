"""Write results.csv, figure.svg and the table in the README of the study published-nets-table.

Run from the root of a checkout: python tools/write_published_table.py [FOLDER OF RESULTS]
Points without results in that folder keep their shipped values.

The general table has a row per point, and shows published points only where a curve is compared with them.
This one has a row per code and decoder, ours or published, with -ln of the bit error rate, as in the papers.
"""

import dataclasses
import math
import re
import sys
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from write_study import BEGIN, END

import fecnn
from fecnn._files.atomic import write
from fecnn.analysis.record import exact_ml, networks, verdict
from fecnn.analysis.table import FEW_ERRORS
from fecnn.analysis.texts import FOOTNOTE, csv_text
from fecnn.codes.catalogue import load_code
from fecnn.nets.card import checkpoint_folder, read_card
from fecnn.plots.figure import save
from fecnn.studies.run import RESULTS, store_path
from fecnn.studies.study import Study

NAME = "published-nets-table"
EBN0_DB = (4.0, 5.0, 6.0)

AGAINST = ("osd (order 1)", "osd (order 2)", "ml", "fecnn-net", "fecnn-net (finish osd, order 1)", "bp")
"""Decoders that are compared with the published networks."""

SHOWN = {
    "ml": ("exact ML", "o", "#000000"),
    "osd (order 2)": ("OSD of order 2", "s", "#0072B2"),
    "osd (order 1)": ("OSD of order 1", "^", "#56B4E9"),
    "bp": ("BP on H, 50 iterations", "v", "#8A6D00"),
    "fecnn-net": ("fecnn-net", "D", "#E69F00"),
    "fecnn-net (finish osd, order 1)": ("fecnn-net finished by OSD of order 1", "p", "#A65E00"),
    "ECCT N=6 d=128": ("ECCT, N = 6, d = 128", "x", "#D55E00"),
    "CrossMPT N=6 d=128": ("CrossMPT, N = 6, d = 128", "+", "#CC79A7"),
    "DDECC": ("DDECC", "1", "#882255"),
    "SB-ECC": ("SB-ECC", "2", "#009E73"),
}
"""Decoders of the figure: their labels, marks and colours; markers of published ones have no area."""


@dataclasses.dataclass(frozen=True)
class Value:
    """-ln of a bit error rate over code bits; a lower bound if there were no errors.

    low, high: The 95 % interval of a simulated value.
    """

    value: float
    low: float | None = None
    high: float | None = None
    bound: bool = False

    def __str__(self) -> str:
        if self.bound:
            return f"> {self.value:.1f}"
        return f"{self.value:.2f}" + ("" if self.low is None else f" [{self.low:.2f}, {self.high:.2f}]")


@dataclasses.dataclass(frozen=True)
class Row:
    """A decoder of a code, with its values, block errors and microseconds per frame by Eb/N0."""

    code: str
    decoder: str
    values: dict[float, Value]
    errors: dict[float, str]
    times: dict[float, str]
    parameters: int | None
    origin: str


def transformer_parameters(n: int, checks: int, layers: int, width: int) -> int:
    """Number of parameters of ECCT, equal to that of CrossMPT, counted from their programs.

    Embeddings of n + checks tokens; layers of attention (4 square matrices) and feed-forward (to 4 widths and
    back) with two norms; two more norms; one output per token, then one per bit.
    """
    tokens = n + checks
    attention = 4 * (width * width + width)
    feed_forward = 8 * width * width + 5 * width
    heads = width + 1 + tokens * n + n
    return tokens * width + layers * (attention + feed_forward + 4 * width) + 4 * width + heads


def simulated(found: pd.Series) -> Value:
    if found["code_bit_errors"] == 0:
        return Value(-math.log(found["ber_code_high"]), bound=True)
    return Value(*(-math.log(found[name]) for name in ("ber_code", "ber_code_high", "ber_code_low")))


def counted(errors: int) -> str:
    return f"{errors:,}" + "*" * (errors < FEW_ERRORS)


def rows(study: Study, results: pd.DataFrame) -> list[Row]:
    """Rows code by code: our decoders in the study's order, then the published ones in the file's order."""
    found = []
    for code in dict.fromkeys(point.code.name for point in study.points):
        for curve in study.curves:
            ours = results[(results["curve"] == curve.name) & (results["code"] == code)].set_index("ebn0_db")
            if ours.empty:
                continue
            values = {ebn0_db: simulated(point) for ebn0_db, point in ours.iterrows()}
            errors = {ebn0_db: counted(count) for ebn0_db, count in ours["block_errors"].items()}
            times = {ebn0_db: f"{us:.2g}" for ebn0_db, us in ours["us_per_frame"].items()}
            parameters = parameters_of(curve.what, code)
            found.append(Row(code, curve.what, values, errors, times, parameters, "simulated"))
        published: dict[tuple[str, str], dict[float, Value]] = {}
        for reference in study.references:
            if reference.code == code and reference.metric == "ber_code":
                key = reference.decoder, re.split("[;,]", reference.how)[0]
                published.setdefault(key, {})[reference.ebn0_db] = Value(-math.log(reference.value))
        for (decoder, how), values in published.items():
            origin = {"seen": "printed"}.get(how, how)
            found.append(Row(code, decoder, values, {}, {}, parameters_of(decoder, code), origin))
    return found


def parameters_of(decoder: str, name: str) -> int | None:
    if decoder.startswith("fecnn-net"):
        return read_card(checkpoint_folder(f"fecnn-net-{name}")).parameters
    size = re.fullmatch(r"(?:ECCT|CrossMPT) N=(\d+) d=(\d+)", decoder)
    code = load_code(name)
    return None if size is None else transformer_parameters(code.n, len(code.H), int(size[1]), int(size[2]))


def table(study: Study, results: pd.DataFrame) -> str:
    """The table as Markdown."""
    heads = ["code", "decoder", *(f"{ebn0_db:g} dB" for ebn0_db in EBN0_DB), "block errors", "us/frame"]
    heads += ["parameters", "values"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for row in rows(study, results):
        cells = [row.code, row.decoder, *(str(row.values.get(ebn0_db, "")) for ebn0_db in EBN0_DB)]
        for of in (row.errors, row.times):
            cells.append(" / ".join(of.get(ebn0_db, "-") for ebn0_db in EBN0_DB) if of else "")
        cells += ["" if row.parameters is None else f"{row.parameters:,}", row.origin]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + f"\n\n{FOOTNOTE}\n"


def verdicts(study: Study, results: pd.DataFrame) -> str:
    """How decoders of ours stand against the published networks of each code, as Markdown."""
    lines = [
        "| code | " + " | ".join(AGAINST) + " | least BLER counted, or BER printed, of a network at 5 dB |"
    ]
    lines.append("|---" * (len(AGAINST) + 2) + "|")
    for code in dict.fromkeys(results["code"]):
        cells = []
        for decoder in AGAINST:
            ours = results[results["curve"] == f"{decoder} of {code}"].set_index("ebn0_db")
            words = [standing(decoder, code, ebn0_db, one) for ebn0_db, one in ours.iterrows()]
            cells.append(" / ".join(words) if len(set(words)) > 1 else "".join(words[:1]))
        lines.append(f"| {code} | " + " | ".join(cells) + f" | {least(code)} |")
    return "\n".join(lines) + "\n"


def standing(decoder: str, code: str, ebn0_db: float, ours: pd.Series) -> str:
    """The verdict on a decoder of ours; where ML made no error, estimates and bounds narrow its intervals."""
    known = {name: ours[name] for name in ("bler_low", "bler_high", "ber_code_low", "ber_code_high")}
    if decoder == "ml" and not ours["block_errors"]:
        for name, value in exact_ml(code, ebn0_db).items():
            known[name] = max(known[name], value) if name.endswith("low") else min(known[name], value)
    return verdict(code, ebn0_db, known)[0]


def least(code: str) -> str:
    """The best published network at 5 dB, by BLER if some are counted."""
    points = networks(code, EBN0_DB[1])
    counted = [point for point in points if point.metric == "bler"]
    if not (counted or points):
        return ""
    best = min(counted or points, key=lambda point: point.value)
    value = f"{best.value:.2e}" if counted else f"-ln(BER) {-math.log(best.value):.2f}"
    return f"{best.decoder}: {value}"


def figure(study: Study, results: pd.DataFrame) -> Figure:
    """The figure: one line per code, one mark per decoder, at 5 and 6 dB."""
    drawn = Figure(figsize=(11.0, 7.2), layout="constrained")
    found = rows(study, results)
    codes = list(dict.fromkeys(row.code for row in found))
    panels = drawn.subplots(1, 2, sharey=True)
    for axes, ebn0_db in zip(panels, EBN0_DB[1:], strict=True):
        for decoder, (label, marker, colour) in SHOWN.items():
            line, order = {"color": colour, "linewidth": 1.2}, 4 if marker in "x+12" else 3
            axes.plot([], [], marker, label=label, color=colour)
            for row in found:
                if row.decoder != decoder or ebn0_db not in row.values:
                    continue
                value, height = row.values[ebn0_db], codes.index(row.code)
                faint = 0.4 if value.bound else 1.0
                axes.plot(value.value, height, marker, color=colour, alpha=faint, zorder=order)
                if value.bound:
                    arrow = {**line, "arrowstyle": "->", "alpha": faint}
                    axes.annotate("", (value.value + 1.0, height), (value.value, height), arrowprops=arrow)
                elif value.low is not None:
                    axes.plot([value.low, value.high], [height, height], alpha=0.6, **line)
        axes.set_title(f"{ebn0_db:g} dB", fontsize=10)
        axes.set_xlabel("-ln(BER over code bits); to the right is better")
        axes.set_yticks(range(len(codes)), codes)
        axes.grid(visible=True, axis="y", color="0.88", linewidth=0.8)
        axes.grid(visible=True, axis="x", color="0.93", linewidth=0.6)
        axes.set_axisbelow(True)
    panels[0].invert_yaxis()
    handles, labels = panels[1].get_legend_handles_labels()
    drawn.suptitle(study.title, fontsize=11)
    drawn.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    return drawn


def pooled(study: Study, made: pd.DataFrame, shipped: pd.DataFrame) -> pd.DataFrame:
    """The points simulated now, and the shipped values of all others, in the study's order."""
    rows = {(row["curve"], row["ebn0_db"]): row for table in (shipped, made) for _, row in table.iterrows()}
    order = [(point.curve, point.task.ebn0_db) for point in study.points]
    return pd.DataFrame([rows[key] for key in order if key in rows]).astype(shipped.dtypes)


def between(text: str, begin: str, inside: str, end: str) -> str:
    """A text with the part between two marks replaced."""
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{inside}{end}{after}"


def main(folder: Path) -> None:
    study = fecnn.load_study(f"studies/{NAME}")
    home = study.path.parent
    made, shipped = (fecnn.table(study, path) for path in (store_path(study, folder), home / "results.csv"))
    results = pooled(study, made, shipped)
    write(home / "results.csv", csv_text(results))
    save(figure(study, results), home / "figure.svg")
    readme = home / "README.md"
    text = between(readme.read_text(), BEGIN, table(study, results), END)
    write(readme, between(text, "<!-- verdicts -->", verdicts(study, results), "<!-- end of verdicts -->"))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS)
