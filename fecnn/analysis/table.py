"""A study's results as a table: one row per point, with intervals and judged published values."""

import io
import json
import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fecnn._files.shipped import RESULTS
from fecnn._files.text import read_text, refuse_control_characters, refuse_semicolons, uncell
from fecnn.analysis.agreement import LogRate, agreement, log_rate, sentences, stopped_at, z_score
from fecnn.channels.axis import EBN0
from fecnn.decoders.registry import unit_of_work
from fecnn.errors import StoreError
from fecnn.intervals import proportion_interval, rate_interval, with_interval
from fecnn.simulation.stop import Prefix
from fecnn.simulation.store import Store
from fecnn.simulation.tally import COUNTS, Tally
from fecnn.simulation.task import Point, RarePoint
from fecnn.studies.reference import Reference
from fecnn.studies.run import store_path
from fecnn.studies.study import Study
from fecnn.theory.ml_bler import NORMAL, Estimate

if TYPE_CHECKING:
    import pandas as pd

MAX_BYTES = 1 << 28
"""Largest CSV of results read, in bytes."""

FEW_ERRORS = 100
"""Points with fewer block errors are marked: their interval is wider than about 20 % on each side."""

COUNTED = "counted"
"""The ``method`` of rows whose rates are counts of errors over frames."""

METRICS = {
    "bler": "BLER",
    "ber": "BER",
    "ber_code": "BER (code bits)",
    "undetected": "undetected BLER",
    "refused": "refused",
}

_OF_REFUSALS = ("refusals", "refused_errors")
OF_REFUSALS = ("undetected", "refused")
"""Metrics that say something only of decoders that refuse frames."""


def table(study: Study, store: str | Path | None = None) -> "pd.DataFrame":
    """The results of a study, one row per point.

    Counts are those of the ordered prefix of batches. ``<rate>_low`` and ``<rate>_high`` are the ends of 95 %
    intervals of ``bler`` (Clopper-Pearson), ``ber`` (message bits) and ``ber_code`` (code bits; see
    `fecnn.rate_interval`), and of ``undetected`` and ``refused`` (Clopper-Pearson): the shares of frames that
    are wrong but not refused, and of those that the decoder refused, right or wrong.

    ``method`` is ``counted``, or for points of a curve with ``method = "rare"`` the method that
    `fecnn.ml_bler` used, or ``importance sampling`` (`fecnn.rare_bler`). For these, ``frames`` is the number
    of frames, rays or words behind the estimate, and unknown values, including all error counts, are missing.
    The intervals of ``light words`` are bounds.

    Args:
        study: The study.
        store: A results file or a ``results.csv``. By default ``fecnn-results/<study>.sqlite``, or if that
            does not exist, the ``results.csv`` shipped with the study.

    Raises:
        FileNotFoundError: If there are no results.
        StoreError: If the results file cannot be used.

    Example:
        >>> import fecnn
        >>> study = fecnn.load_study("optimal-hamming-7-4")
        >>> results = table(study, study.path.parent / "results.csv")
        >>> row = results[(results["curve"] == "ml") & (results["ebn0_db"] == 6)].iloc[0]
        >>> int(row["block_errors"]), int(row["frames"])
        (203, 262144)
    """
    import pandas as pd  # takes a second to import, so only where a table is made

    path = Path(store) if store is not None else results_path(study)
    if store is None and path.suffix == ".csv":
        own = store_path(study)
        warnings.warn(
            f"there are no results in {own}; these are the shipped ones", RuntimeWarning, stacklevel=2
        )
    if path.suffix == ".csv":
        return _shipped(path)
    with Store(path) as results:
        rows = [_row_of(results, point) for point in study.points]
        estimates = [(point, results.estimate(point)) for point in study.rare_points]
    rows = [row for row in rows if row["frames"]]
    rows += [_estimated_row(point, found) for point, found in estimates if found is not None]
    columns = [*_ROW]
    if study.axis is not EBN0:
        columns.insert(columns.index("ebn0_db") + 1, study.axis.key)
    return _whole_counts(pd.DataFrame(rows, columns=columns))


def counted(results: "pd.DataFrame") -> "pd.DataFrame":
    """The rows of a table that hold counts."""
    rows = results[results["method"] == COUNTED]
    return rows.astype({name: "int64" for name in COUNTS if name != "seconds"})


def refuses(results: "pd.DataFrame") -> bool:
    """Whether a decoder of the table refused frames."""
    return bool(results["refusals"].fillna(0).any())


def estimated(results: "pd.DataFrame") -> "pd.DataFrame":
    """The rows of a table that hold estimates, by `fecnn.ml_bler` or `fecnn.rare_bler`."""
    return results[results["method"] != COUNTED]


def results_path(study: Study, folder: str | Path = RESULTS) -> Path:
    """The path of a study's results: its results file in a folder, else the shipped ``results.csv``."""
    own, shipped = store_path(study, folder), study.path.parent / "results.csv"
    return shipped if not own.exists() and shipped.exists() else own


def judge(study: Study, results: "pd.DataFrame") -> "pd.DataFrame":
    """Published points against ours, one row each: they agree if the two intervals overlap.

    Intervals are 95 %, or reading errors where a source gives no counts. Among many points some differ by
    chance: two exact intervals of equal width miss each other about once in 170 pairs, and once in 20 if the
    published value is much more, or much less, certain than ours. ``z`` is the difference of the logarithms
    of the two BLERs in standard deviations, positive if the published one is higher; it is missing if the
    source gives no counts. `fecnn.analysis.agreement` judges all points together.

    Args:
        study: The study.
        results: Its table, from `table`.

    Example:
        >>> import fecnn
        >>> study = fecnn.load_study("optimal-bch-31-21")
        >>> judged = judge(study, table(study, study.path.parent / "results.csv"))
        >>> judged["verdict"].value_counts().to_dict()
        {'agrees': 12, 'differs': 1}
    """
    import pandas as pd

    rows = []
    stopped = stopped_at(study.references)
    for point in study.all_points:
        references = _published(study, point)
        if not references:
            continue
        ours = results[(results["curve"] == point.curve) & (results["ebn0_db"] == point.ebn0_db)]
        for reference in references:
            for _, row in ours.iterrows():
                low, high = row[f"{reference.metric}_low"], row[f"{reference.metric}_high"]
                if math.isnan(low):  # an estimate has only a BLER
                    continue
                published_low, published_high = reference.interval
                rows.append(
                    {
                        "curve": point.curve,
                        "ebn0_db": reference.ebn0_db,
                        "metric": reference.metric,
                        "published": reference.value,
                        "published_low": published_low,
                        "published_high": published_high,
                        "ours": row[reference.metric],
                        "low": low,
                        "high": high,
                        "verdict": "agrees" if reference.agrees(low, high) else "differs",
                        "source": reference.source,
                        "where": reference.where,
                        "how": reference.how,
                        "code": reference.code,
                        "z": z_score(_published_rate(reference, stopped), _our_rate(point, row)),
                    }
                )
    columns = (
        "curve ebn0_db metric published published_low published_high ours low high verdict source where how "
        "code z"
    )
    return pd.DataFrame(rows, columns=columns.split()).astype({"z": float})


def published_summary(study: Study, results: "pd.DataFrame") -> list[str]:
    """Lines on how published points agree, one by one and as a group; empty if there are none."""
    verdicts = judge(study, results)
    if verdicts.empty:
        return []
    agree = int((verdicts["verdict"] == "agrees").sum())
    together = sentences(agreement(verdicts))
    lines = [f"Published points: {agree} of {len(verdicts)} agree."]
    if together:
        lines.append("Those with counts, together (z: log published less log ours, in standard deviations):")
    return lines + [f"- {line}" for line in together]


def _certain_losses(row: "pd.Series[Any]") -> str:
    """Block errors in which the sent word was at least as likely as the decision."""
    lost = row["block_errors"] - row["ml_errors"]
    ties = row["channel"].partition(" ")[0] in ("bsc", "bec")
    return f"{'up to ' * bool(ties and lost)}{lost:,}"


def display(study: Study, results: "pd.DataFrame") -> "pd.DataFrame":
    """The table as text for display, sorted along the study's axis, with curves in the study's order.

    ``not ML`` counts the block errors in which the sent word was at least as likely as the decision: what the
    decoder certainly lost against maximum likelihood. Over a BSC or BEC both may be equally likely, which is
    no loss; the count is then ``up to``. ``uncertified`` counts frames in which a budget ran out
    before a decoder could do all it promises; the column is left out if all are 0. The bit error rate over
    code bits is shown if the study draws it, and what was refused or undetected if anything was refused.
    Where a decoder guesses, ``queries/frame`` has the mean queries; if others of the study count something
    else, such as patterns, it is ``work/frame``, and says what.
    ``method`` is shown if some points are estimated: these have no error counts, and ``frames`` is the number
    of frames, rays or words behind them. Intervals of ``light
    words`` are bounds.
    """
    import pandas as pd

    verdicts = dict(iter(judge(study, results).groupby(["curve", "ebn0_db"])))
    order = {curve.name: place for place, curve in enumerate(study.curves)}
    units = {curve.name: unit_of_work(curve.decoder, curve.settings) for curve in study.curves}
    counted_in = {units.get(curve, "") for curve in results.loc[results["work"].fillna(0) > 0, "curve"]}
    rows = []
    at = [
        study.at(curve, ebn0_db) for curve, ebn0_db in zip(results["curve"], results["ebn0_db"], strict=True)
    ]
    ordered = results.assign(place=results["curve"].map(order), at=at).sort_values(["at", "place"])
    for _, row in ordered.iterrows():
        bler = with_interval(row["bler"], row["bler_low"], row["bler_high"])
        common = {
            study.axis.label: f"{row['at']:g}",
            "decoder": row["curve"],
            "method": row["method"],
            "frames": f"{row['frames']:,}",
            "BLER [95 %]": bler,
            "published": _verdict(verdicts.get((row["curve"], row["ebn0_db"]))),
        }
        if row["method"] != COUNTED:
            rows.append(dict.fromkeys(_COLUMNS, "") | common)
            continue
        rows.append(
            common
            | {
                "block errors": f"{row['block_errors']:,}"
                + ("*" if row["block_errors"] < FEW_ERRORS else ""),
                "not ML": _certain_losses(row),
                "uncertified": f"{row['uncertified']:,}",
                WORK: _work(row, units.get(row["curve"], "") if len(counted_in) > 1 else ""),
                "BER [95 %]": with_interval(row["ber"], row["ber_low"], row["ber_high"]),
                "BER (code bits) [95 %]": with_interval(
                    row["ber_code"], row["ber_code_low"], row["ber_code_high"]
                ),
                **{
                    f"{METRICS[name]} [95 %]": with_interval(
                        row[name], row[f"{name}_low"], row[f"{name}_high"]
                    )
                    for name in OF_REFUSALS
                },
                "us/frame": f"{row['us_per_frame']:.3g}",
            }
        )
    shown = pd.DataFrame(rows, columns=[study.axis.label, *_COLUMNS])
    if "ber_code" not in study.metrics:
        shown = shown.drop(columns="BER (code bits) [95 %]")
    if not refuses(results):
        shown = shown.drop(columns=[f"{METRICS[name]} [95 %]" for name in OF_REFUSALS])
    if GUESSES not in counted_in:
        shown = shown.drop(columns=WORK)
    elif len(counted_in) == 1:
        shown = shown.rename(columns={WORK: f"{GUESSES}/frame"})
    for column, nothing in (("published", ""), ("uncertified", "0"), ("method", COUNTED)):
        if shown[column].isin(["", nothing]).all():
            shown = shown.drop(columns=column)
    return shown


def _work(row: "pd.Series[Any]", unit: str) -> str:
    """Mean work of a frame, such as ``1,384 queries``; empty if a decoder counts none."""
    mean = row["work"] / row["frames"]
    text = f"{mean:,.0f}" if mean >= 100 else f"{mean:.3g}"
    return f"{text} {unit}".rstrip() if row["work"] else ""


GUESSES, WORK = "queries", "work/frame"
"""The unit of decoders whose work a table shows, and its column."""

_COLUMNS = (
    "decoder",
    "method",
    "frames",
    "block errors",
    "not ML",
    "uncertified",
    "BLER [95 %]",
    WORK,
    "BER [95 %]",
    "BER (code bits) [95 %]",
    *(f"{METRICS[name]} [95 %]" for name in OF_REFUSALS),
    "us/frame",
    "published",
)


def _verdict(published: "pd.DataFrame | None") -> str:
    """A verdict such as ``3 agree``, with the values of those that differ; empty if there are no points."""
    if published is None:
        return ""
    differ = published[published["verdict"] == "differs"]
    agree = len(published) - len(differ)
    words = [f"{agree} agree{'s' if agree == 1 else ''}"] if agree else []
    words += [f"{METRICS[row['metric']]} {row['published']:.4g} differs" for _, row in differ.iterrows()]
    return "; ".join(words)


def _published_rate(reference: Reference, stopped: dict[tuple[str, str], int]) -> LogRate | None:
    if reference.metric != "bler" or reference.errors is None or not reference.frames:
        return None
    until = reference.errors == stopped.get((reference.source, reference.decoder))
    return log_rate(reference.errors, reference.frames, until_errors=until)


def _our_rate(point: Point | RarePoint, row: Any) -> LogRate | None:
    if row["method"] != COUNTED or isinstance(point, RarePoint):
        return math.log(row["bler"]), (math.log(row["bler_high"] / row["bler_low"]) / 2 / NORMAL) ** 2
    errors, limit = int(row["block_errors"]), point.stop.block_errors
    # Within the first batch the number of frames is fixed, whatever the rule.
    until = limit is not None and errors >= limit and row["frames"] > point.task.batch
    return log_rate(errors, int(row["frames"]), until_errors=until)


def _published(study: Study, point: Point | RarePoint) -> list[Reference]:
    return [
        reference
        for reference in study.references
        if reference.decoder == point.published
        and reference.code == point.code.name
        and reference.ebn0_db == point.ebn0_db
        and reference.metric in METRICS
    ]


_ROW = (
    *("curve", "decoder", "options", "code", "channel", "ebn0_db", "finished", *COUNTS),
    *(f"{metric}{end}" for metric in METRICS for end in ("", "_low", "_high")),
    *("us_per_frame", "method"),
)
"""Columns of a table."""


def _row_of(store: Store, point: Point) -> dict[str, Any]:
    batches = store.batches(point.task, point.code)
    try:
        return _row(point, batches)
    except ValueError as error:
        raise StoreError(
            f"{store.path} is damaged (curve {point.curve} at {point.task.ebn0_db} dB: {error}); "
            "move it away and run again"
        ) from None


def _row(point: Point, batches: dict[int, Tally]) -> dict[str, Any]:
    prefix = Prefix(point.stop)
    for i, counts in batches.items():
        prefix.add(i, counts)
    total, code = prefix.total, point.code
    row: dict[str, Any] = {
        "curve": point.curve,
        "decoder": point.task.decoder,
        "options": json.dumps(point.task.all_options),
        "code": code.name,
        "channel": point.task.told_channel,
        "ebn0_db": point.task.ebn0_db,
        **_own_axis(point),
        "finished": prefix.finished,
    }
    row |= {name: getattr(total, name) for name in COUNTS}
    frames = max(total.frames, 1)
    row["bler"] = total.block_errors / frames
    row["bler_low"], row["bler_high"] = proportion_interval(total.block_errors, total.frames)
    for name, errors, squares, width in (
        ("ber", total.bit_errors, total.bit_errors_sq, code.k),
        ("ber_code", total.code_bit_errors, total.code_bit_errors_sq, code.n),
    ):
        row[name] = errors / (frames * width)
        row[f"{name}_low"], row[f"{name}_high"] = rate_interval(errors, squares, total.frames, width)
    row |= _rates_of_refusals(total.frames, total.block_errors, total.refusals, total.refused_errors)
    row["us_per_frame"] = 1e6 * total.seconds / frames
    row["method"] = COUNTED
    return row


def _rates_of_refusals(frames: int, errors: int, refusals: int, refused_errors: int) -> dict[str, float]:
    """The rates of `OF_REFUSALS` with their intervals."""
    found = {}
    for name, count in zip(OF_REFUSALS, (errors - refused_errors, refusals), strict=True):
        found[name] = count / max(frames, 1)
        found[f"{name}_low"], found[f"{name}_high"] = proportion_interval(count, frames)
    return found


def _own_axis(point: Point | RarePoint) -> dict[str, float]:
    """The place of a point on its study's axis, if that is not Eb/N0."""
    return {} if point.axis is EBN0 else {point.axis.key: point.at}


def _estimated_row(point: RarePoint, found: Estimate) -> dict[str, Any]:
    return {
        "curve": point.curve,
        "decoder": point.task.decoder,
        "options": json.dumps({**dict(point.task.told_options), "rel_error": point.rel_error}),
        "code": point.code.name,
        "channel": "awgn",
        "ebn0_db": point.ebn0_db,
        **_own_axis(point),
        "finished": True,
        "frames": found.frames,
        "bler": found.value,
        "bler_low": found.low,
        "bler_high": found.high,
        "method": found.method,
    }


def _whole_counts(results: "pd.DataFrame") -> "pd.DataFrame":
    """Counts as whole numbers, also where some are missing."""
    names = [name for name in COUNTS if name != "seconds"]
    return results.astype({name: "Int64" if results[name].isna().any() else "int64" for name in names})


def _with_refusals(results: "pd.DataFrame") -> "pd.DataFrame":
    """With the columns that a file of a version without decoders that refuse lacks: nothing was refused."""
    import pandas as pd

    rows = [
        {**dict.fromkeys(_OF_REFUSALS, 0), **_rates_of_refusals(row["frames"], row["block_errors"], 0, 0)}
        if row["method"] == COUNTED
        else {}
        for row in results.to_dict("records")
    ]
    added = pd.DataFrame(rows, index=results.index)
    order = list(results.columns)
    for place, name in enumerate(_ROW):
        if name in added:
            before = next(other for other in _ROW[place - 1 :: -1] if other in order)
            order.insert(order.index(before) + 1, name)
    return pd.concat([results, added], axis=1)[order]


def _shipped(path: Path) -> "pd.DataFrame":
    if not path.exists():
        raise FileNotFoundError(f"no results in {path}; create them with fecnn run")
    import pandas as pd

    content = read_text(path, MAX_BYTES, "results")
    texts = ("curve", "decoder", "options", "code", "channel", "method")
    try:
        results = pd.read_csv(
            io.StringIO(content),
            converters=dict.fromkeys(texts, uncell),
            keep_default_na=False,  # a curve may be called "NA"
            na_values=[""],
        )
    except ValueError as error:
        refuse_semicolons(path, content)
        raise ValueError(f"{path} is not CSV: {error}") from None
    later = {*_OF_REFUSALS, *OF_REFUSALS}
    is_older = later.isdisjoint(results.columns)
    needed = {"curve", "ebn0_db", "finished", *COUNTS, *METRICS} - (later if is_older else set())
    missing = needed - set(results.columns)
    if missing:
        refuse_semicolons(path, content)
        raise ValueError(f"{path} has no column {', '.join(sorted(missing))}: is it the CSV of fecnn table?")
    for name in texts:
        for text in results.get(name, pd.Series(dtype=str)).dropna().unique():
            try:
                refuse_control_characters(text, f"column {name}")
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from None
    if "method" not in results:  # of a version that could only count
        results["method"] = COUNTED
    if is_older:
        results = _with_refusals(results)
    return _whole_counts(results)
