"""What is known about the decoders of a code, published ones and ours: error rates, and gaps to exact ML."""

import csv
import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fecnn._files.shipped import RESULTS, shipped
from fecnn.analysis.gap import gap_between
from fecnn.analysis.table import counted
from fecnn.analysis.texts import csv_text
from fecnn.intervals import with_interval
from fecnn.nets.card import checkpoint_folder, read_card, zoo_names
from fecnn.studies.record import OURS, record
from fecnn.studies.reference import Reference
from fecnn.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd

EBN0_DB = (4.0, 5.0, 6.0)
"""Where error rates are shown: most papers print these points."""

TARGETS = (1e-3, 1e-5)
"""BLERs at which gaps to ML are shown."""

EXACT = "exact ML"
"""The decoder of the record's estimates of the BLER of ML."""


@dataclass(frozen=True)
class Standing:
    """A decoder of a code in the record.

    points: Its points, all of one source and read in one way.
    gaps: Gap to exact ML in dB with the ends of a 95 % interval, by target BLER; only those it reaches.
    microseconds: Time per frame at the highest Eb/N0, for our own.
    """

    decoder: str
    code: str
    points: tuple[Reference, ...]
    gaps: dict[float, tuple[float, float, float]]
    microseconds: float | None = None

    @property
    def parameters(self) -> int | None:
        """Number of weights, if it is given."""
        return self.points[0].parameters

    @property
    def training_frames(self) -> int | None:
        """Frames that it was trained on, if they are given."""
        return self.points[0].training_frames

    @property
    def how(self) -> str:
        """Where its points are from: ``counted`` if there are counts, else how they were read."""
        point = self.points[0]
        if self.decoder == EXACT and point.source == OURS:
            return f"{OURS}, estimated, counted or bounded point by point"
        return f"{point.source}, {'counted' if all(it.frames for it in self.points) else point.how}"

    def at(self, ebn0_db: float, metric: str) -> Reference | None:
        """Its point of a metric at an Eb/N0."""
        return next((it for it in self.points if (it.ebn0_db, it.metric) == (ebn0_db, metric)), None)


def standings(code: str, *, folder: str | Path | None = RESULTS) -> list[Standing]:
    """The decoders of a code, sorted by gap to ML and then by error rate: exact ML first, the farthest last.

    Our own are those of the shipped studies, as counted there.

    Args:
        code: A code's name.
        folder: The folder of results, with your own points in its folder ``record``; None for none.

    Raises:
        ValueError: If a file of the record is invalid.

    Example:
        >>> known = {it.decoder: it for it in standings("bch-63-45")}
        >>> gap, low, high = known["rECCT (ml-4m-2dB-aug, 512 epochs)"].gaps[1e-3]
        >>> round(gap, 2), round(low, 2), round(high, 2)
        (0.13, 0.13, 0.14)
    """
    grouped: dict[tuple[str, str, str], list[Reference]] = {}
    ours, times = _ours(code)
    for point in [*record(code, folder=folder), *ours]:
        read = "" if point.decoder == EXACT else point.how.split(";")[0]
        grouped.setdefault((point.decoder, point.source, read), []).append(point)
    exact = [it for it in record(code, folder=None) if (it.decoder, it.source) == (EXACT, OURS)]
    found = []
    for (name, source, _), points in grouped.items():
        gaps = {target: gap_between(points, exact, target) for target in TARGETS if exact}
        told = {target: gap for target, gap in gaps.items() if math.isfinite(gap[0])}
        time = times.get(name) if source == OURS else None
        found.append(Standing(name, code, tuple(points), told, time))
    return sorted(found, key=_rank)


def _rank(one: Standing) -> tuple[float, ...]:
    if one.decoder == EXACT:
        return (-math.inf,)
    gap = next((one.gaps[target][0] for target in reversed(TARGETS) if target in one.gaps), math.inf)
    rates = [point.value for metric in ("bler", "ber_code") for point in one.points if point.metric == metric]
    return (gap, min(rates, default=1.0))


def _ours(code: str) -> tuple[list[Reference], dict[str, float]]:
    """Our counted points, of each decoder those of the study that has the most frames; and its times."""
    best: dict[str, list[dict[str, str]]] = {}
    for study in shipped("studies").values():
        curves: dict[str, list[dict[str, str]]] = {}
        with (study.parent / "results.csv").open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if (row["code"], row["channel"], row.get("method", "counted")) == (code, "awgn", "counted"):
                    curves.setdefault(row["curve"].removesuffix(f" of {code}"), []).append(row)
        for curve, rows in curves.items():
            name = rows[0]["decoder"] if curve == code else curve  # where each code has but one
            if _frames(rows) > _frames(best.get(name, [])):
                best[name] = rows
    points = [point for name, rows in best.items() for row in rows for point in _points(name, code, row)]
    times = {
        name: float(max(rows, key=lambda row: float(row["ebn0_db"]))["us_per_frame"])
        for name, rows in best.items()
    }
    return points, times


def _frames(rows: Sequence[dict[str, str]]) -> int:
    return sum(int(row["frames"]) for row in rows)


def _points(name: str, code: str, row: dict[str, str]) -> list[Reference]:
    """The BLER and the bit error rate over code bits of a row of results."""
    parameters, trained = _training(json.loads(row["options"]).get("weights"))
    frames, errors = int(row["frames"]), int(row["block_errors"])
    point = Reference(
        code=code,
        decoder=name,
        ebn0_db=float(row["ebn0_db"]),
        metric="bler",
        value=errors / frames,
        rounding=0.0,
        errors=errors,
        frames=frames,
        source=OURS,
        where="shipped studies",
        how="counted",
        parameters=parameters,
        training_frames=trained,
    )
    return [point, replace(point, metric="ber_code", value=float(row["ber_code"]))]


def _training(network: str | None) -> tuple[int | None, int | None]:
    """Weights of a network of the zoo, and the frames that it was trained on."""
    if network not in zoo_names():
        return None, None
    card = read_card(checkpoint_folder(network))
    return card.parameters, card.frames


def names(found: Sequence[Standing]) -> list[str]:
    """Names for standings: their decoders, with the source where two are called alike."""
    alike = Counter(one.decoder for one in found)
    return [f"{one.decoder}: {one.how}" if alike[one.decoder] > 1 else one.decoder for one in found]


Verdict = Literal["better", "even", "worse"]

NETWORKS = re.compile(r"r?(ECCT|CrossMPT|EfficientMPT|DDECC|SB-ECC|GRU|GNN)\b")
"""How names of published networks begin."""


def verdict(code: str, ebn0_db: float, ours: Mapping[str, float]) -> tuple[Verdict, list[Reference]]:
    """How a decoder of ours stands against the published networks of a code, one by one.

    It is better than a network if its 95 % interval lies below that of the published value, worse if it lies
    above, and even if they overlap; see `networks`.

    Args:
        code: The code's name.
        ebn0_db: The Eb/N0 in dB.
        ours: A row of `fecnn.table` with ``bler_low``, ``bler_high``, ``ber_code_low``, ``ber_code_high``.

    Returns:
        The worst of the verdicts, and the networks against which it is that; none if it is better than all.
    """
    against: dict[Verdict, list[Reference]] = {"better": [], "even": [], "worse": []}
    for point in networks(code, ebn0_db):
        low, high = point.interval
        mine = ours[f"{point.metric}_low"], ours[f"{point.metric}_high"]
        against["better" if mine[1] < low else "worse" if mine[0] > high else "even"].append(point)
    worst: Verdict = "worse" if against["worse"] else "even" if against["even"] else "better"
    return worst, [] if worst == "better" else against[worst]


def exact_ml(code: str, ebn0_db: float) -> dict[str, float]:
    """What the record has of exact ML at an Eb/N0, as `verdict` takes it: ends of its BLER and BER.

    Of the BER over code bits there is an upper bound, at most.
    """
    found = {"bler_low": 0.0, "bler_high": 1.0, "ber_code_low": 0.0, "ber_code_high": 1.0}
    for point in record(code, folder=None):
        if (point.decoder, point.source, point.ebn0_db) == (EXACT, OURS, ebn0_db):
            low, high = point.interval
            bound = "bound" in point.how
            found |= {f"{point.metric}_low": 0.0 if bound else low, f"{point.metric}_high": high}
    return found


def networks(code: str, ebn0_db: float) -> list[Reference]:
    """The points of published networks of a code at an Eb/N0, in the shipped record.

    Left out is what was digitised, what we counted, and what is of a code that was not compared with ours.
    """
    return [
        point
        for point in record(code, folder=None)
        if NETWORKS.match(point.decoder)
        and (point.ebn0_db == ebn0_db and point.metric in ("bler", "ber_code"))
        and not (point.source == OURS or re.search("digitised|not compared", point.how))
    ]


def points_of(study: Study, results: "pd.DataFrame") -> str:
    """The counted BLER of a study's curves over AWGN as text, in the schema of `fecnn.studies.reference`.

    Raises:
        ValueError: If there is none.
    """
    import pandas as pd

    rows = counted(results)
    rows = rows[rows["channel"] == "awgn"]
    if rows.empty:
        raise ValueError(f"there are no counted results of {study.name} over awgn yet; run it first")
    columns = {"code": rows["code"], "decoder": rows["curve"], "ebn0_db": rows["ebn0_db"], "metric": "bler"}
    counts = {"value": "", "errors": rows["block_errors"], "frames": rows["frames"]}
    passport = {"source": study.title, "where": f"results of {study.name}", "how": "counted"}
    return csv_text(pd.DataFrame(columns | counts | passport))


def display_standings(found: Sequence[Standing]) -> "pd.DataFrame":
    """Standings as text for a table: BLER and -ln(BER over code bits) at `EBN0_DB`, and gaps at `TARGETS`."""
    import pandas as pd

    rows = []
    for one, name in zip(found, names(found), strict=True):
        row = {"decoder": name}
        for ebn0_db in EBN0_DB:
            point = one.at(ebn0_db, "bler")
            row[f"BLER at {ebn0_db:g} dB"] = (
                "" if point is None else with_interval(point.value, *point.interval)
            )
        bits = [one.at(ebn0_db, "ber_code") for ebn0_db in EBN0_DB]
        row["-ln(BER) at 4 / 5 / 6 dB"] = " / ".join(map(_logarithm, bits)) if any(bits) else ""
        for target in TARGETS:
            gap = one.gaps.get(target)
            row[f"gap to ML at BLER {written(target)} [dB]"] = (
                "" if gap is None else "{:.2f} [{:.2f}, {:.2f}]".format(*gap)
            )
        row["parameters"] = "" if one.parameters is None else f"{one.parameters:,}"
        row["training frames"] = "" if one.training_frames is None else f"{one.training_frames:,}"
        row["us/frame"] = "" if one.microseconds is None else f"{one.microseconds:.2g}"
        row["source"] = one.how
        rows.append(row)
    return pd.DataFrame(rows)


def written(target: float) -> str:
    """A power of ten, such as ``1e-3``."""
    return f"{target:.0e}".replace("e-0", "e-")


def _logarithm(point: Reference | None) -> str:
    if point is None:
        return "-"
    if not point.value:
        return "no errors"
    logarithm = -math.log(point.value)
    # A bound is rounded to the side on which it still holds.
    return f"> {math.floor(100 * logarithm) / 100:.2f}" if "bound" in point.how else f"{logarithm:.2f}"
