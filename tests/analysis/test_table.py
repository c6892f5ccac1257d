import pandas as pd
import pytest
from study_runs import make, shipped
from two_curves import FEW, MANY, STUDY, filled, flagged, refer, row

import fecnn
from fecnn.analysis.table import display, judge, table
from fecnn.analysis.texts import FOOTNOTE, markdown
from fecnn.errors import StoreError
from fecnn.intervals import proportion_interval, rate_interval
from fecnn.simulation.store import Store
from fecnn.simulation.tally import COUNTS, Tally
from fecnn.studies.study import load_study


@pytest.fixture
def study(tmp_path):
    return make(tmp_path, STUDY, "study.toml")


@pytest.fixture
def store(study, tmp_path):
    return filled(study, tmp_path / "r.sqlite")


# Table


def test_every_point_has_a_row_with_its_counts_and_rates(study, store):
    rows = table(study, store)
    assert list(rows["curve"]) == ["ml", "ml", "ml", "second"]
    assert list(rows["ebn0_db"]) == [0, 1, 2, 0]
    assert list(rows["finished"]) == [True, True, True, False]
    assert list(rows["frames"]) == [4000, 4000, 4000, 1000]
    ours = dict(rows.loc[0])
    assert (ours["decoder"], ours["code"], ours["channel"], ours["options"]) == (
        "ml",
        "hamming-7-4",
        "awgn",
        "{}",
    )
    assert rows.loc[3, "options"] == '{"order": 1}'
    total = sum([MANY] * 4, Tally())
    assert {name: ours[name] for name in COUNTS} == {name: getattr(total, name) for name in COUNTS}
    assert (ours["bler"], ours["ber"]) == (0.15, 300 / 4000)
    assert ours["ber_code"] == pytest.approx(480 / 7000)
    assert ours["us_per_frame"] == pytest.approx(2.0)
    assert (ours["bler_low"], ours["bler_high"]) == proportion_interval(600, 4000)
    assert (ours["ber_low"], ours["ber_high"]) == rate_interval(1200, 2640, 4000, 4)
    assert (ours["ber_code_low"], ours["ber_code_high"]) == rate_interval(1920, 6400, 4000, 7)
    none = dict(rows.loc[2])
    assert (none["bler"], none["bler_low"], none["bler_high"]) == (0.0, 0.0, proportion_interval(0, 4000)[1])


def test_a_store_without_counts_gives_an_empty_table(study, tmp_path):
    Store(tmp_path / "new.sqlite", write=True).close()
    rows = table(study, tmp_path / "new.sqlite")
    assert rows.empty
    assert {"curve", "ebn0_db", "bler_low", *COUNTS} <= set(rows.columns)


def test_results_of_this_folder_come_before_the_shipped_ones(study, store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no results in .* create them with fecnn run"):
        table(study)
    table(study, store).to_csv(tmp_path / "results.csv", index=False)
    with pytest.warns(RuntimeWarning, match="these are the shipped ones"):
        shipped = table(study)
    pd.testing.assert_frame_equal(shipped, table(study, store))
    local = fecnn.studies.run.store_path(study)
    with Store(local, write=True) as file:
        file.append(study.points[0].task, 0, flagged(FEW))
    assert list(table(study)["block_errors"]) == [9]


def test_a_missing_results_csv_says_how_to_make_it(study, tmp_path):
    with pytest.raises(FileNotFoundError, match="create them with fecnn run"):
        table(study, tmp_path / "none.csv")


def test_a_results_csv_of_another_kind_is_refused(study, tmp_path):
    (tmp_path / "results.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"results\.csv"):
        table(study, tmp_path / "results.csv")


# Published points


# Ours at 0 dB: BLER 0.15 [0.139, 0.1614], BER 0.075 [0.0687, 0.0817].
@pytest.mark.parametrize(
    ("published", "verdict"),
    [
        (row("0.15"), "agrees"),
        (row("0.1625"), "differs"),
        (row("0.16"), "agrees"),
        (row("0.1380"), "differs"),
        (row("0.14"), "agrees"),
        (row("0.17"), "differs"),  # rounded: at least 0.165
        (row("0.2"), "agrees"),
        (row("0.17", how="digitised, 5.5 %"), "agrees"),
        (row("0.17", how="digitised, 2 %"), "differs"),
        (row("0.17", how="digitised; 2 % in x, 10% in y"), "agrees"),
        (row("0.17", 100, 588), "agrees"),
        (row("0.17", 10_000, 58_824), "differs"),
        (row("0.13", 10_000, 76_923), "differs"),
        (row("0.13", 100, 769), "agrees"),
        (row("0.075", metric="ber"), "agrees"),
        (row("0.085", metric="ber"), "differs"),
        (row("0.0686", metric="ber_code"), "agrees"),
        (row("0.060", metric="ber_code"), "differs"),
        (row("2.68", metric="-ln(ber_code)"), "agrees"),
        (row("2.81", metric="-ln(ber_code)"), "differs"),
    ],
)
def test_published_points_are_judged_by_their_error_and_ours(study, store, published, verdict):
    study = refer(study, published)
    if published == row("0.2"):  # half a unit of its only digit: 0.15 to 0.25
        assert study.references[0].interval == pytest.approx((0.15, 0.25))
    (judged,) = judge(study, table(study, store)).to_dict("records")
    assert judged["verdict"] == verdict
    assert (judged["curve"], judged["ebn0_db"], judged["source"], judged["where"]) == (
        "ml",
        0.0,
        "Someone, 2001",
        "table 1",
    )


@pytest.mark.parametrize(
    "published",
    [
        row(decoder="OSD"),
        row(code="hamming-15-11"),
        row(ebn0_db="0.5"),
        row(metric="fer"),
        row(ebn0_db="7"),
    ],
)
def test_points_of_something_else_are_not_judged(study, store, published):
    assert judge(refer(study, published, row(ebn0_db="9")), table(study, store)).empty


# What people read


def test_display_is_sorted_and_marks_few_errors(study, store):
    shown = display(study, table(study, store))
    assert list(shown.columns) == [
        "Eb/N0 [dB]",
        "decoder",
        "frames",
        "block errors",
        "not ML",
        "BLER [95 %]",
        "BER [95 %]",
        "us/frame",
    ]
    assert list(shown["Eb/N0 [dB]"]) == ["0", "0", "1", "2"]
    assert list(shown["decoder"]) == ["ml", "second", "ml", "ml"]
    assert list(shown["frames"]) == ["4,000", "1,000", "4,000", "4,000"]
    assert list(shown["block errors"]) == ["600", "150", "36*", "0*"]
    low, high = proportion_interval(600, 4000)
    assert shown.loc[0, "BLER [95 %]"] == f"1.50e-01 [{low:.2e}, {high:.2e}]"


def test_display_shows_published_points_with_their_verdict(study, store):
    study = refer(
        study, row("0.15", 10, 67), row("0.2000"), row("0.075", metric="ber"), row("0.15", ebn0_db="1")
    )
    shown = display(study, table(study, store))
    assert shown.loc[0, "published"] == "2 agree; BLER 0.2 differs"
    assert list(shown["published"][1:]) == ["", "BLER 0.15 differs", ""]


def test_mean_queries_stand_beside_the_bler_of_guessers():
    study, results = shipped("queries-to-ml")
    shown = display(study, results)
    columns = list(shown.columns)
    assert columns[columns.index("BLER [95 %]") + 1] == "work/frame"
    row = results[(results["curve"] == "orbgrand of bch-63-51") & (results["ebn0_db"] == 2)].iloc[0]
    cells = shown[shown["Eb/N0 [dB]"] == "2"].set_index("decoder")["work/frame"]
    assert cells["orbgrand of bch-63-51"] == f"{row['work'] / row['frames']:,.0f} queries" == "1,384 queries"
    assert cells["lc-osd of bch-63-51"].endswith(" patterns")
    assert cells["ml (method search) of bch-63-51"].endswith(" nodes")
    guessers = results[results["decoder"].isin(["gcd", "orbgrand", "sgrand"])]
    alone = display(study, guessers)
    assert "work/frame" not in alone
    cells = alone[alone["Eb/N0 [dB]"] == "2"].set_index("decoder")["queries/frame"]
    assert cells["orbgrand of bch-63-51"] == "1,384"
    others = display(study, results[results["decoder"] == "lc-osd"])
    assert not any("/frame" in name for name in others if name != "us/frame")


def test_markdown_is_a_table(study, store):
    lines = markdown(display(study, table(study, store))).splitlines()
    assert lines[0] == (
        "| Eb/N0 [dB] | decoder | frames | block errors | not ML | BLER [95 %] | BER [95 %] | us/frame |"
    )
    assert lines[1] == "|---|---|---|---|---|---|---|---|"
    assert len(lines) == 2 + 4 + 2
    assert all(line.count("|") == 9 for line in lines[:6])
    assert lines[-1] == FOOTNOTE


def test_labels_do_not_break_the_markdown_table(study, store):
    study.path.write_text(STUDY.replace('"second"', '"a | b"'))
    study = load_study(study.path)
    text = markdown(display(study, table(study, store)))
    assert r"| a \| b |" in text


# Damage


def test_counts_that_contradict_each_other_are_refused_with_the_file(study, tmp_path):
    """Also by the n and k of its code."""
    wide = Tally(1000, 1, 5, 25, 5, 25), Tally(1000, 1, 1, 1, 8, 64)
    for counts in (Tally(1000, 2000), Tally(1000, 1, 5000, 5000, 1, 1), Tally(1000, 1, 1, 1, 20, 10), *wide):
        path = tmp_path / f"{counts.block_errors}-{counts.bit_errors}-{counts.code_bit_errors}.sqlite"
        with Store(path, write=True) as results:
            results.append(study.points[0].task, 0, flagged(counts))
        with pytest.raises(
            StoreError, match=rf"{path.name} is damaged \(batch 0 .*, ml at 0.0 dB, .*move it away"
        ):
            table(study, path)


def test_results_of_before_refusals_are_read_as_none_refused(tmp_path):
    study, results = shipped("osd-variants")
    later = [
        "refusals",
        "refused_errors",
        *(n + e for n in ("undetected", "refused") for e in ("", "_low", "_high")),
    ]
    older, half = tmp_path / "older.csv", tmp_path / "half.csv"
    results.drop(columns=later).to_csv(older, index=False)
    read = table(study, older)
    assert list(read.columns) == list(results.columns)
    assert not read["refusals"].any()
    assert (read["undetected"] == read["bler"]).all()
    assert (read["undetected_high"] == read["bler_high"]).all()
    results.drop(columns="undetected").to_csv(half, index=False)
    with pytest.raises(ValueError, match="has no column undetected: is it the CSV of fecnn table"):
        table(study, half)
