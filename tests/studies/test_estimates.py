"""Curves of exact ML that are estimated, not counted: from the study file to the table, figure and report."""

import json
import math
import re
import sqlite3
from contextlib import closing

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from scipy.optimize import brentq
from scipy.stats import binom, norm
from study_runs import run_all
from typer.testing import CliRunner

import fecnn
from fecnn.analysis.compare import compare
from fecnn.analysis.costs import cost_table
from fecnn.analysis.export import export_table
from fecnn.analysis.gap import gap_to_ml
from fecnn.analysis.table import counted, display, estimated, judge, table
from fecnn.analysis.tradeoff import tradeoffs
from fecnn.channels.channel import noise_sigma
from fecnn.cli.app import app
from fecnn.cli.live import RunBoard
from fecnn.errors import StoreError
from fecnn.plots.figure import plot, tint
from fecnn.plots.rates import _curves, bound_marks
from fecnn.reports import report
from fecnn.simulation.store import Store
from fecnn.simulation.tally import COUNTS
from fecnn.simulation.threads import Threads
from fecnn.studies import estimates
from fecnn.studies.estimates import Estimation, estimate_points
from fecnn.theory.bounds import kat_bound, tangential_sphere_bound
from fecnn.theory.ml_bler import Estimate, ml_bler

STUDY = """
title = "Rare"
code = "hamming-7-4"
ebn0_db = [2, 4, 6]
batch = 4096
stop = { frames = 40960 }

[[curve]]
decoder = "ml"

[[curve]]
decoder = "hard"

[[curve]]
label = "exact"
decoder = "ml"
method = "rare"
rel_error = 0.1
ebn0_db = [6, 8, 10, 11]
"""


def load(folder, text=STUDY):
    (folder / "mine.toml").write_text(text)
    return fecnn.load_study(folder / "mine.toml")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rare")
    study = load(folder)
    run_all(study, folder / "r.sqlite")
    return study, table(study, folder / "r.sqlite")


@pytest.fixture
def counting(monkeypatch):
    """How often an estimate is made."""
    calls = []

    def counted_bler(code, ebn0_db, rel_error, *, seed):
        calls.append((ebn0_db, rel_error, seed))
        return ml_bler(code, ebn0_db, rel_error, seed=seed)

    monkeypatch.setattr(estimates, "ml_bler", counted_bler)
    return calls


# The study file


def test_points_that_are_estimated_are_no_points_to_simulate(tmp_path):
    study = load(tmp_path)
    assert [p.curve for p in study.points] == ["ml"] * 3 + ["hard"] * 3
    assert [(p.curve, p.ebn0_db, p.rel_error, p.seed) for p in study.rare_points] == [
        ("exact", ebn0_db, 0.1, 1) for ebn0_db in (6.0, 8.0, 10.0, 11.0)
    ]
    assert study.all_points == [*study.points, *study.rare_points]


def test_a_curve_without_a_name_or_an_error_has_them(tmp_path):
    study = load(tmp_path, STUDY.replace('label = "exact"\n', "").replace("rel_error = 0.1\n", ""))
    assert {(p.curve, p.rel_error) for p in study.rare_points} == {("exact ML (estimated)", 0.02)}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            '"ml"\nmethod',
            '"osd"\noptions = { oder = 1 }\nmethod',
            "curve exact: decoder osd has no option 'oder'",
        ),
        (
            "rel_error = 0.1",
            'channel = "bsc"',
            'curve exact: method = "rare" is for the channel awgn, got bsc',
        ),
        ("rel_error = 0.1", "batch = 7", 'curve exact: method = "rare" takes no batch'),
        ("rel_error = 0.1", "stop = { frames = 5 }", 'method = "rare" takes no stop'),
        ("rel_error = 0.1", 'options = { method = "search" }', 'method = "rare" takes no options'),
        (
            "rel_error = 0.1",
            "rel_error = 0.6",
            "curve 3.rel_error: must be less than or equal to 0.5",
        ),
        ('"rare"', '"rays"', "curve 3.method: must be 'rare', got 'rays'"),
        ('method = "rare"\n', "", 'rel_error is for method = "rare"'),
        ('label = "exact"\n', 'label = "ml"\n', "two curves are called 'ml'"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(tmp_path, old, new, words):
    assert old in STUDY
    with pytest.raises(ValueError, match=re.escape(words)):
        load(tmp_path, STUDY.replace(old, new))


def test_other_decoders_have_options_and_names(tmp_path):
    text = STUDY.replace('label = "exact"\ndecoder = "ml"', 'decoder = "osd"\noptions = { order = 1 }')
    study = load(tmp_path, text.replace("rel_error = 0.1\n", ""))
    assert [(p.curve, p.task.decoder, p.task.options, p.rel_error) for p in study.rare_points] == [
        ("osd (order 1) (estimated)", "osd", (("order", 1),), 0.1)
    ] * 4


def test_two_curves_that_are_the_same_are_refused(tmp_path):
    again = STUDY[STUDY.rindex("[[curve]]") :].replace('"exact"', '"again"')
    with pytest.raises(ValueError, match=r"curves exact and again are the same at 6\.0 dB; drop one"):
        load(tmp_path, STUDY + again)


def test_a_code_without_exact_ml_is_refused_before_anything_runs(tmp_path):
    rng = np.random.default_rng(1)
    G = np.hstack([np.eye(30, dtype=int), rng.integers(0, 2, (30, 470))])
    rare = {"decoder": "ml", "method": "rare", "label": "exact"}
    code = fecnn.Code.from_generator(G, name="long")
    study = fecnn.make_study("long", code=code, ebn0_db=[6], curves=[rare])
    with pytest.raises(ValueError, match=r"curve exact: .* of long"):
        next(fecnn.run(study, store=tmp_path / "r.sqlite"))
    assert not (tmp_path / "r.sqlite").exists()


def test_identity_is_what_decides_the_estimate(tmp_path):
    first = load(tmp_path).rare_points[0]
    variants = {
        "code": STUDY.replace("hamming-7-4", "hamming-15-11"),
        "seed": "seed = 2\n" + STUDY,
        "rel_error": STUDY.replace("0.1", "0.2"),
        "ebn0_db": STUDY.replace("[6, 8", "[6.5, 8"),
    }
    others = {what: load(tmp_path, text).rare_points[0] for what, text in variants.items()}
    assert len({first.id, *(point.id for point in others.values())}) == 5
    same = load(tmp_path, STUDY.replace('"exact"', '"by another name"').replace("batch = 4096", "batch = 64"))
    assert same.rare_points[0].id == first.id
    assert first.content == {
        "method": "rare",
        "fingerprint": fecnn.load_code("hamming-7-4").fingerprint,
        "ebn0_db": 6.0,
        "rel_error": 0.1,
        "seed": 1,
        "stream": fecnn.channels.stream.STREAM,
    }


# The run


def test_estimates_are_those_of_ml_bler_and_kept(tmp_path, counting):
    study = load(tmp_path)
    steps = [step for step in fecnn.run(study, store=tmp_path / "r.sqlite") if isinstance(step, Estimation)]
    assert [step.new for step in steps] == [False] * 4 + [True] * 4
    code = fecnn.load_code("hamming-7-4")
    assert [step.estimate for step in steps[4:]] == [
        ml_bler(code, ebn0_db, 0.1, seed=1) for ebn0_db in (6.0, 8.0, 10.0, 11.0)
    ]
    assert "exact 11 dB: BLER" in str(steps[-1])
    assert str(steps[-1]).endswith("words")
    again = [step for step in fecnn.run(study, store=tmp_path / "r.sqlite") if isinstance(step, Estimation)]
    assert [step.estimate for step in again] == [step.estimate for step in steps[4:]]
    assert len(counting) == 4


def test_a_run_that_stops_goes_on_where_it_was(tmp_path, counting):
    study = load(tmp_path)
    store = tmp_path / "r.sqlite"
    for step in fecnn.run(study, store=store):
        if isinstance(step, Estimation) and step.point.ebn0_db == 8.0 and step.new:
            break
    assert list(estimated(table(study, store))["ebn0_db"]) == [6.0, 8.0]
    run_all(study, store)
    assert [ebn0_db for ebn0_db, _, _ in counting] == [6.0, 8.0, 10.0, 11.0]
    other = load(tmp_path, "seed = 2\n" + STUDY)
    assert table(other, store).empty  # another seed, another estimate


def test_no_estimate_is_begun_too_late(tmp_path, counting):
    study = load(tmp_path)
    finish_late = list(fecnn.run(study, store=tmp_path / "r.sqlite", seconds=0))
    assert not counting
    assert sum(isinstance(step, Estimation) for step in finish_late) == 4
    asked = iter([False, False, True])
    with Store(tmp_path / "r.sqlite", write=True) as store:
        list(estimate_points(study.rare_points, store, lambda: next(asked)))
    assert len(counting) == 2


def refusing(code, ebn0_db, rel_error, *, seed):
    if ebn0_db == 8.0:
        raise ValueError("rays: too few decide")
    return ml_bler(code, ebn0_db, rel_error, seed=seed)


def test_a_point_that_is_refused_is_told_and_the_rest_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(estimates, "ml_bler", refusing)
    study = load(tmp_path)
    steps = list(fecnn.run(study, store=tmp_path / "r.sqlite"))
    refused = [step for step in steps if isinstance(step, Estimation) and step.refusal]
    assert [str(step) for step in refused] == ["exact 8 dB: not estimated: rays: too few decide"]
    assert list(estimated(table(study, tmp_path / "r.sqlite"))["ebn0_db"]) == [6.0, 10.0, 11.0]
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["run", "mine.toml", "--workers", "1"])
    assert done.exit_code == 0, done.output
    assert done.output.count("not estimated: rays: too few decide") == 1
    assert "continue with:" not in done.output


def test_a_store_from_before_there_were_estimates_is_read_and_written(tmp_path):
    study = load(tmp_path)
    with Store(tmp_path / "r.sqlite", write=True):
        pass
    with Store(tmp_path / "r.sqlite") as store:
        assert store.estimate(study.rare_points[0]) is None
    found = Estimate(1e-3, 0.9e-3, 1.1e-3, "union", 1000, math.inf)
    with Store(tmp_path / "r.sqlite", write=True) as store:
        store.append_estimate(study.rare_points[0], found, 0.5)
        store.append_estimate(study.rare_points[0], Estimate(2.0, 2.0, 2.0, "rays", 1, 1.0), 0.5)
        assert store.estimate(study.rare_points[0]) == found
        content = json.loads(store._db.execute("select content from estimate").fetchone()[0])
    assert content == study.rare_points[0].content


@pytest.mark.parametrize(
    "change",
    [
        "value = 2 * high",
        "low = 1.1 * value",
        "low = -0.1",
        "value = 1.5, high = 1.6",
        "value = 'much'",
        "frames = -1",
        "effective = -1.0",
        "method = hex(zeroblob(40))",
        "content = replace(content, '6.0', '7.0')",
        "content = '{}'",
    ],
)
def test_an_estimate_that_contradicts_itself_is_refused(tmp_path, change):
    study = load(tmp_path, STUDY.replace("[6, 8, 10, 11]", "[6]"))
    run_all(study, tmp_path / "r.sqlite")
    with closing(sqlite3.connect(tmp_path / "r.sqlite")) as file:
        assert file.execute(f"update estimate set {change}").rowcount
        file.commit()
    for use in (
        lambda: table(study, tmp_path / "r.sqlite"),
        lambda: fecnn.merge(study, [tmp_path / "r.sqlite"], tmp_path / "pooled"),
        lambda: run_all(study, tmp_path / "r.sqlite"),
    ):
        with pytest.raises(StoreError, match=r"r\.sqlite is damaged \(estimate .* contradicts itself"):
            use()


def test_estimates_that_disagree_are_not_pooled(tmp_path):
    study = load(tmp_path)
    run_all(study, tmp_path / "r.sqlite")
    fecnn.merge(study, [tmp_path / "r.sqlite"], tmp_path / "pooled")
    with closing(sqlite3.connect(tmp_path / "r.sqlite")) as file:
        file.execute("update estimate set low = 10 * low, value = 10 * value, high = 10 * high")
        file.commit()
    with pytest.raises(StoreError, match=r"disagree on estimate .*: the intervals do not overlap"):
        fecnn.merge(study, [tmp_path / "r.sqlite"], tmp_path / "pooled")


# What comes of it


def test_the_table_has_what_is_known(made):
    study, results = made
    rows = estimated(results)
    code = fecnn.load_code("hamming-7-4")
    assert len(results) == len(study.points) + len(study.rare_points) == 10
    assert len(counted(results)) == 6
    for _, row in rows.iterrows():
        found = ml_bler(code, row["ebn0_db"], 0.1, seed=1)
        assert (row["bler"], row["bler_low"], row["bler_high"]) == (found.value, found.low, found.high)
        assert (row["method"], row["frames"]) == (found.method, found.frames)
        assert row["bler_low"] <= tangential_sphere_bound(code, row["ebn0_db"])
        assert kat_bound(code, row["ebn0_db"]) <= row["bler_high"]
    assert (
        rows[["block_errors", "ml_errors", "work", "ber", "ber_code_low", "us_per_frame"]]
        .isna()
        .all(axis=None)
    )
    assert rows["bler"].iloc[-1] < 1e-9
    counts = results[results["ebn0_db"] == 6.0].set_index("curve")
    assert counts.loc["ml", "bler_low"] < counts.loc["exact", "bler"] < counts.loc["ml", "bler_high"]


def test_counts_stay_whole_numbers_in_files(made, tmp_path):
    study, results = made
    results.to_csv(tmp_path / "results.csv", index=False)
    line = next(
        line for line in (tmp_path / "results.csv").read_text().splitlines() if line.startswith("ml,")
    )
    assert ",40960," in line
    assert line.endswith(",counted")
    again = table(study, tmp_path / "results.csv")
    assert again[list(results)].equals(results)
    names = [name for name in COUNTS if name != "seconds"]
    assert (counted(again)[names].dtypes == "int64").all()


def test_people_see_the_method_and_no_counts_that_there_are_not(made):
    study, results = made
    shown = display(study, results)
    assert list(shown.columns[:4]) == ["Eb/N0 [dB]", "decoder", "method", "frames"]
    last = shown.iloc[-1]
    assert (last["decoder"], last["method"]) == ("exact", "union")
    assert (last["block errors"], last["not ML"], last["BER [95 %]"], last["us/frame"]) == ("", "", "", "")
    assert re.fullmatch(r"\d\.\d\de-\d\d \[\d.*\]", last["BLER [95 %]"])
    assert "method" not in display(study, counted(results))


def test_published_points_are_judged_by_an_estimate(made):
    study, results = made
    header = "code,decoder,ebn0_db,metric,value,errors,frames,source,where,how\n"
    (study.path.parent / "reference.csv").write_text(
        header
        + "".join(
            f'hamming-7-4,ML,8,{value},,,"S",t,seen\n' for value in ("bler,2.8e-5", "bler,1e-3", "ber,1e-5")
        )
    )
    text = STUDY.replace('label = "exact"', 'label = "exact"\npublished = "ML"')
    verdicts = judge(load(study.path.parent, text), results)
    (study.path.parent / "reference.csv").unlink()
    truth = ml_bler(fecnn.load_code("hamming-7-4"), 8.0, 0.1).value
    assert list(verdicts["published"]) == [2.8e-5, 1e-3]  # nothing is known of the bit error rate
    assert verdicts["verdict"].iloc[1] == "differs"
    assert verdicts["ours"].iloc[0] == truth


def test_the_figure_draws_it_dashed_and_without_markers(made):
    study, results = made
    bler, ber = plot(study, results).axes
    (line,) = [line for line in bler.get_lines() if line.get_label() == "exact"]
    assert line.get_marker() == "None"
    assert line.get_linestyle() == "--"
    (ml,) = [line for line in bler.get_lines() if line.get_label() == "ml"]
    assert line.get_color() == ml.get_color()
    assert list(line.get_xdata()) == [6.0, 8.0, 10.0, 11.0]
    bands = [
        c for c in bler.collections if to_hex(c.get_facecolor()[0]) == tint(to_hex(line.get_color()), 0.25)
    ]
    heights = bands[-1].get_paths()[0].vertices[:, 1]
    rows = estimated(results)
    assert (heights.min(), heights.max()) == (rows["bler_low"].min(), rows["bler_high"].max())
    assert "exact" not in [line.get_label() for line in ber.get_lines()]
    legend = plot(study, results).legends[0]
    handle = dict(zip((t.get_text() for t in legend.get_texts()), legend.legend_handles, strict=True))[
        "exact"
    ]
    assert handle.get_marker() in ("None", "", None)


def test_the_report_draws_it_and_says_how_it_was_made(made):
    study, results = made
    page = report([study], [results])
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    rates = {panel["tab"]: panel["curves"] for panel in data["sections"][0]["panels"]}
    (curve,) = [curve for curve in rates["BLER"] if curve["label"] == "exact"]
    assert (curve["kind"], curve["marker"], curve["dash"]) == ("estimated", "", "longdash")
    assert "estimated by union" in curve["marks"][-1][-1]
    assert not [curve for curve in rates["BER"] if curve["label"] == "exact"]


def test_bounds_reach_as_far_as_the_estimates(made):
    study, results = made
    study = load(study.path.parent, 'bounds = ["kat"]\n' + STUDY)
    axes = plot(study, results).axes[0]
    (line,) = [line for line in axes.get_lines() if line.get_gid() == "bound-kat"]
    assert line.get_xdata()[-1] == 11.0


def test_bounds_that_are_given_as_0_are_not_drawn(made):
    study, _ = made
    study = load(study.path.parent, 'bounds = ["meta-converse"]\n' + STUDY)
    found, problems = bound_marks(study, "hamming-7-4")
    marks = found["meta-converse"]
    assert problems == []
    assert len(marks) > 5
    assert min(mark.y for mark in marks) > 1e-12
    assert marks[-1].x < 11.0


def test_costs_and_comparisons_leave_it_out(made, tmp_path):
    study, results = made
    assert "exact" not in set(cost_table(study, results)["curve"])
    assert "exact" not in {one.gap.curve for one in tradeoffs(study, results)}
    with pytest.raises(ValueError, match="exact is estimated, so it has no frames"):
        compare(study, "ml", "exact", tmp_path / "none.sqlite")


def test_it_is_the_reference_where_counts_do_not_reach(made):
    study, results = made
    near = {gap.curve: gap for gap in gap_to_ml(study, results, bler=5e-3)}
    assert {gap.reference for gap in near.values()} == {"ml"}
    hidden = results[(results["curve"] != "ml") | (results["ebn0_db"] < 3)]
    far = {gap.curve: gap for gap in gap_to_ml(study, results, bler=1e-6)}
    assert far["exact"].reference == "exact"
    code = fecnn.load_code("hamming-7-4")
    truth = brentq(lambda x: math.log(tangential_sphere_bound(code, x) / 1e-6), 5, 12)
    assert far["exact"].crossing.ebn0_db == pytest.approx(truth, abs=0.1)
    assert (far["exact"].gap_db, far["exact"].low, far["exact"].high) == (0.0, 0.0, 0.0)
    assert math.isnan(far["hard"].gap_db)  # which does not reach it
    # Hard decisions are counted from 2 to 6 dB; without ML's counts there the estimates are the reference.
    wide = load(study.path.parent, STUDY.replace("[6, 8, 10, 11]", "[3, 4, 5, 6]"))
    rows = estimated(results).copy()
    rows["ebn0_db"] = [3.0, 4.0, 5.0, 6.0]
    for place, ebn0_db in enumerate(rows["ebn0_db"]):
        found = ml_bler(code, ebn0_db, 0.02)
        rows.iloc[place, [rows.columns.get_loc(c) for c in ("bler", "bler_low", "bler_high")]] = (
            *(found.value, found.low, found.high),
        )
    with_wide = pd.concat([counted(hidden), rows])
    by_estimate = next(gap for gap in gap_to_ml(wide, with_wide, bler=1e-2) if gap.curve == "hard")
    by_counts = next(gap for gap in gap_to_ml(study, results, bler=1e-2) if gap.curve == "hard")
    assert (by_estimate.reference, by_counts.reference) == ("exact", "ml")
    assert by_estimate.gap_db == pytest.approx(by_counts.gap_db, abs=0.1)
    assert by_estimate.low < by_estimate.gap_db < by_estimate.high
    assert np.isfinite([by_estimate.low, by_estimate.high]).all()


def test_bit_error_rates_are_not_referred_to_it(made):
    study, results = made
    assert {gap.reference for gap in gap_to_ml(study, results, ber=1e-3)} == {"ml"}
    assert "exact" not in {gap.curve for gap in gap_to_ml(study, results, ber=1e-3)}


def test_a_study_of_nothing_but_estimates(tmp_path):
    text = STUDY[: STUDY.index("[[curve]]")] + STUDY[STUDY.rindex("[[curve]]") :]
    study = load(tmp_path, text)
    run_all(study, tmp_path / "r.sqlite")
    results = table(study, tmp_path / "r.sqlite")
    assert len(results) == 4
    plot(study, results)
    assert "exact" in report([study], [results])


def test_the_board_shows_how_many_points_are_made(tmp_path, capsys):
    study = load(tmp_path)
    first, second, *_ = study.rare_points
    found = ml_bler(first.code, first.ebn0_db, 0.1)
    with Threads(1) as workers:
        board = RunBoard(study, workers)
        for step in (*map(Estimation, study.rare_points), Estimation(first, found, new=True)):
            board.update(step)

        def shown():
            rows = zip(*(map(str, column.cells) for column in board._render().columns), strict=True)
            return next(row for row in rows if row[0] == "exact")

    assert shown()[:3] == ("exact", "1/4", "6 dB")
    assert shown()[-1] == ""
    told = re.fullmatch(
        r"exact 6 dB: BLER (\S+) \[(\S+), (\S+)\] by union, (\S+) words\n", capsys.readouterr().err
    )
    ends = [float(told[i]) for i in (1, 2, 3)]
    assert ends == pytest.approx([found.value, found.low, found.high], rel=5e-3)
    assert ends[1] < ends[0] < ends[2]
    assert told[4] == f"{found.frames:,}"
    for point in study.rare_points[1:]:
        board.update(Estimation(point, refusal="no", new=True))
    assert shown()[-1] == "done"
    assert str(Estimation(second)) == "exact 8 dB: not estimated"
    assert capsys.readouterr().err == ""  # what is refused is said at the end


# Codes whose weight spectrum is not known


@pytest.fixture(scope="module")
def bounded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bounded")
    text = STUDY[: STUDY.index("[[curve]]")] + STUDY[STUDY.rindex("[[curve]]") :]
    text = text.replace("hamming-7-4", "bch-127-64").replace("[6, 8, 10, 11]", "[5, 6]")
    study = load(folder, text)
    run_all(study, folder / "r.sqlite")
    return study, folder / "r.sqlite"


def test_bounds_are_stored_and_shown_as_what_they_are(bounded, tmp_path):
    study, store = bounded
    results = table(study, store)
    assert set(results["method"]) == {"light words (not proved all)"}
    with Store(store) as kept:
        found = [kept.estimate(point) for point in study.rare_points]
    assert found == [ml_bler(fecnn.load_code("bch-127-64"), ebn0_db, 0.1) for ebn0_db in (5.0, 6.0)]
    assert all(one.certain and one.low <= one.value <= one.high for one in found)
    assert list(display(study, results)["method"]) == ["light words (not proved all)"] * 2
    assert "by light words (not proved all), " in str(Estimation(study.rare_points[1], found[1]))
    (marks,) = [line.marks for line in _curves(study, results, "bler", 0)]
    assert "bounds [" in marks[-1].said[1]
    assert marks[-1].said[2].startswith("estimated by light words (not proved all): ")
    plot(study, results)
    assert "light words (not proved all)" in report([study], [results])
    results.to_csv(tmp_path / "results.csv", index=False)
    assert table(study, tmp_path / "results.csv")["bler_high"].tolist() == [one.high for one in found]


def test_a_crossing_between_bounds_that_are_far_apart_contains_the_estimated_one(bounded):
    study, store = bounded
    results = table(study, store)
    rates = results["bler"].to_list()
    (gap,) = gap_to_ml(study, results, bler=math.sqrt(rates[0] * rates[1]))
    assert results["bler_high"].iloc[1] > 4 * results["bler_low"].iloc[1]
    assert gap.crossing.low <= gap.crossing.ebn0_db <= gap.crossing.high


# Decoders other than ml


MIXED = (
    STUDY.replace("[6, 8, 10, 11]", "[6, 9]")
    + """
[[curve]]
decoder = "hard"
method = "rare"
rel_error = 0.2
ebn0_db = [6, 9]

[[curve]]
label = "foreign"
decoder = "./own.py:make"
options = { low = 0.5 }
method = "rare"
rel_error = 0.2
ebn0_db = [6]
"""
)

OWN = """
import numpy as np
import fecnn

def make(code, channel, /, *, low=0.0):
    return fecnn.decoder("hard", code)
"""


def wrong_bits_of_hamming(ebn0_db):
    """BLER of bounded-distance decoding of Hamming (7,4): more than one wrong bit."""
    return binom.sf(1, 7, norm.sf(1 / noise_sigma(ebn0_db, 4 / 7)))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mixed")
    (folder / "own.py").write_text(OWN)
    study = load(folder, MIXED)
    run_all(study, folder / "r.sqlite")
    return study, folder / "r.sqlite"


def test_any_decoder_is_estimated_as_rare_bler_does(mixed, tmp_path):
    study, store = mixed
    rows = estimated(table(study, store))
    code = fecnn.load_code("hamming-7-4")
    for curve, ebn0_db in (("hard (estimated)", 6.0), ("hard (estimated)", 9.0), ("foreign", 6.0)):
        (row,) = rows[(rows["curve"] == curve) & (rows["ebn0_db"] == ebn0_db)].to_dict("records")
        found = fecnn.rare_bler("hard", code, ebn0_db, 0.2)
        assert (row["bler"], row["bler_low"], row["bler_high"]) == (found.value, found.low, found.high)
        assert row["bler_low"] < wrong_bits_of_hamming(ebn0_db) < row["bler_high"]
        assert (row["method"], row["frames"]) == ("importance sampling", found.frames)
    assert json.loads(rows[rows["curve"] == "foreign"]["options"].iloc[0]) == {"low": 0.5, "rel_error": 0.2}
    assert set(rows["decoder"]) == {"ml", "hard", "own:make"}


def test_estimates_of_any_decoder_are_kept_drawn_and_exported(mixed, tmp_path):
    study, store = mixed
    before = table(study, store)
    assert not [step for step in fecnn.run(study, store=store) if getattr(step, "new", False)]
    fecnn.merge(study, [store], tmp_path)
    results = table(study, tmp_path / "mine.sqlite")
    assert results["bler"].tolist() == before["bler"].tolist()
    results.to_csv(tmp_path / "results.csv", index=False)
    assert table(study, tmp_path / "results.csv")["bler_high"].tolist() == results["bler_high"].tolist()
    assert "importance sampling" in set(display(study, results)["method"])
    lines = {line.get_label(): line for line in plot(study, results).axes[0].get_lines()}
    assert lines["hard (estimated)"].get_color() == lines["hard"].get_color()
    assert lines["foreign"].get_color() != lines["hard"].get_color()
    assert "estimated by importance sampling" in report([study], [results])
    rows = export_table(study, store)
    rows = rows[rows["kind"] == "estimate"].set_index("curve")
    assert rows.loc["foreign", "decoder"] == "own:make"
    assert json.loads(rows.loc["foreign", "options"]) == {"low": 0.5, "rel_error": 0.2}
    assert all(check.equal for check in fecnn.verify(store, study=study, batches=1))


def test_only_ml_is_a_reference_of_gaps(mixed):
    study, store = mixed
    gaps = {gap.curve: gap for gap in gap_to_ml(study, table(study, store), bler=1e-4)}
    assert {gap.reference for gap in gaps.values()} == {"exact"}
    assert 1.0 < gaps["hard (estimated)"].gap_db < 2.5
    assert gaps["hard (estimated)"].low < gaps["hard (estimated)"].gap_db < gaps["hard (estimated)"].high


def test_another_version_of_a_decoder_is_another_estimate(tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    before = load(tmp_path, MIXED).rare_points
    (tmp_path / "own.py").write_text(OWN + "# changed\n")
    after = load(tmp_path, MIXED).rare_points
    changed = [one.curve for one, other in zip(before, after, strict=True) if one.id != other.id]
    assert changed == ["foreign"]
    assert len({point.id for point in before}) == len(before)


def test_a_decoder_that_raises_is_told_and_the_rest_goes_on(tmp_path):
    broken = OWN.replace('return fecnn.decoder("hard", code)', "return lambda llr: 1 / 0")
    (tmp_path / "own.py").write_text(broken)
    study = load(tmp_path, MIXED.replace("[6, 9]", "[6]"))
    steps = list(fecnn.run(study, store=tmp_path / "r.sqlite"))
    refused = [step for step in steps if isinstance(step, Estimation) and step.refusal]
    assert [step.refusal for step in refused] == ["ZeroDivisionError: division by zero"]
    assert list(estimated(table(study, tmp_path / "r.sqlite"))["curve"]) == ["exact", "hard (estimated)"]
