"""The record: published points beside ours, with gaps to exact ML."""

import math
import re

import pytest
from study_runs import run_all
from typer.testing import CliRunner

import fecnn
from fecnn._files.shipped import shipped
from fecnn.analysis.gap import gap_to_ml
from fecnn.analysis.record import EXACT, display_standings, names, standings
from fecnn.analysis.table import table
from fecnn.cli.app import app
from fecnn.codes.catalogue import code_names
from fecnn.plots.rates import rate_scene
from fecnn.reports.record import published_codes, record_page
from fecnn.studies.record import OURS, add, record
from fecnn.studies.reference import read_references

SPARSE = ("ldpc-121-60", "ldpc-121-70", "ldpc-121-80", "ccsds-128-64")
HEAD = "code,decoder,ebn0_db,metric,value,errors,frames,source,where,how"
MINE = f"{HEAD},parameters,training_frames\n" + "".join(
    f"bch-31-16,my net,{ebn0_db},bler,,{errors},1000000,my thesis,Fig. 1,seen,123,456\n"
    for ebn0_db, errors in ((3, 30_000), (4, 6_000), (5, 700))
)


def standing(code, decoder, **where):
    return next(one for one in standings(code, **where) if one.decoder == decoder)


def test_every_point_of_the_shipped_record_is_of_a_code_of_ours_and_has_a_passport():
    points = [point for path in shipped("record").values() for point in read_references(path)]
    assert len(points) > 600
    for point in points:
        assert point.code in code_names()
        assert point.metric in ("bler", "ber_code")
        assert point.source
        assert point.where
        assert point.how
        if point.errors is not None:
            assert 0 <= point.errors <= point.frames
            assert point.metric == "bler"


@pytest.mark.parametrize(
    ("decoder", "ebn0_db", "bler", "low", "high"),
    [
        ("rECCT (ml-4m-2dB-aug, 512 epochs)", 4.0, 3.03e-3, 3.02e-3, 3.05e-3),
        ("rECCT (ml-4m-2dB-aug, 512 epochs)", 5.0, 9.33e-5, 9.10e-5, 9.57e-5),
        ("GNN 8 iterations", 8.0, 3.25e-5, None, None),
    ],
)
def test_points_of_logs_have_the_interval_of_their_counts(decoder, ebn0_db, bler, low, high):
    (point,) = [
        it for it in record("bch-63-45") if (it.decoder, it.ebn0_db, it.metric) == (decoder, ebn0_db, "bler")
    ]
    assert point.value == point.errors / point.frames == pytest.approx(bler, rel=5e-3)
    assert point.interval == fecnn.proportion_interval(point.errors, point.frames)
    if low:
        assert point.interval == pytest.approx((low, high), rel=5e-3)


def test_gaps_to_ml_agree_with_those_of_the_study():
    study = fecnn.load_study("verdict-bch-63-45")
    for gap in gap_to_ml(study, table(study, study.path.parent / "results.csv")):
        if gap.curve in ("fecnn-net", "osd (order 1)", "bp on all light dual words"):
            found, low, high = standing("bch-63-45", gap.curve).gaps[1e-3]
            assert found == pytest.approx(gap.gap_db, abs=0.05)
            assert low < gap.high
            assert gap.low < high


def test_exact_ml_is_first_and_agrees_with_counts():
    for code in ("bch-31-16", "bch-31-21", "bch-63-45", "rm-32-16", *SPARSE, "polar-ecct-128-86"):
        found = standings(code)
        assert found[0].decoder == EXACT
        assert found[0].gaps[1e-3][0] == 0
        exact = {point.ebn0_db: point for point in found[0].points}
        for one in found:
            if one.decoder in ("ml", "ML") and one.points[0].frames:
                for point in one.points:
                    if point.metric == "bler" and point.ebn0_db in exact and point.errors:
                        low, high = fecnn.proportion_interval(point.errors, point.frames, 0.9999)
                        ours = exact[point.ebn0_db].interval
                        assert low <= ours[1]
                        assert ours[0] <= high


def test_no_decoder_beats_exact_ml_beyond_its_interval():
    """On these codes every published curve with counts lies above ML: what a wrong mapping would break."""
    compared = 0
    for code in published_codes():
        found = standings(code)
        exact = {it.ebn0_db: it.interval[0] for it in found[0].points} if found[0].decoder == EXACT else {}
        for one in found:
            for point in one.points:
                if point.metric == "bler" and point.frames and point.ebn0_db in exact:
                    _, high = fecnn.proportion_interval(point.errors, point.frames, 0.99999)
                    assert high >= exact[point.ebn0_db], (code, one.decoder, point.ebn0_db)
                    compared += 1
    assert compared > 500


def test_your_own_points_stand_beside_the_others(tmp_path):
    path = tmp_path / "my net.csv"
    path.write_text(MINE)
    target, points = add(path, folder=tmp_path / "results")
    assert target == tmp_path / "results" / "record" / "my-net.csv"
    assert len(points) == 3
    one = standing("bch-31-16", "my net", folder=tmp_path / "results")
    assert (one.parameters, one.training_frames) == (123, 456)
    gap, low, high = one.gaps[1e-3]
    assert low <= gap <= high
    assert 0.4 < gap < 0.6
    assert "my net" in record_page(["bch-31-16"], folder=tmp_path / "results")
    path.write_text(MINE.replace("my net", "my other net"))  # the same file again replaces it
    add(path, folder=tmp_path / "results")
    decoders = {point.decoder for point in record("bch-31-16", folder=tmp_path / "results")}
    assert "my other net" in decoders
    assert "my net" not in decoders


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + "\n", "holds no points"),
        (MINE.replace("my thesis", "fecnn"), "gives fecnn as a source"),
        ("a,b\n1,2\n", "has no column"),
        (None, "there is no file"),
    ],
)
def test_what_holds_no_points_is_refused_and_nothing_is_put(tmp_path, text, said):
    if text is not None:
        (tmp_path / "x.csv").write_text(text)
    with pytest.raises((ValueError, FileNotFoundError), match=said):
        add(tmp_path / "x.csv", folder=tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_two_of_a_name_are_told_apart_by_their_sources():
    labels = names(standings("bch-63-51"))
    assert len(set(labels)) == len(labels)
    assert any(label.startswith("ECCT N=6 d=128: U-ECCT") for label in labels)


def test_the_table_has_all_that_a_reader_asks_for():
    shown = display_standings(standings("bch-63-45")).set_index("decoder")
    row = shown.loc["rECCT (ml-4m-2dB-aug, 512 epochs)"]
    assert row["BLER at 4 dB"] == "3.03e-03 [3.02e-03, 3.05e-03]"
    assert row["parameters"] == "611,000"
    assert row["training frames"] == "2,147,483,648"
    assert row["source"] == "SBND, arXiv 2605.03620, counted"
    assert re.fullmatch(r"0\.1\d \[0\.1\d, 0\.1\d\]", row["gap to ML at BLER 1e-3 [dB]"])
    assert shown.loc["ECCT N=6 d=128", "-ln(BER) at 4 / 5 / 6 dB"] == "5.60 / 7.79 / 10.93"
    assert shown.loc["fecnn-net", "parameters"] == "7,049"
    assert shown.loc["exact ML", "-ln(BER) at 4 / 5 / 6 dB"] == "- / - / > 16.27"  # 16.275
    recipes = display_standings(standings("bch-31-16")).set_index("decoder")["training frames"]
    assert recipes["ECCT d=32, light checks"] == recipes["CrossMPT d=32, light checks"] == "768,000"


def test_commands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = CliRunner()
    listed = run.invoke(app, ["record"])
    assert listed.exit_code == 0
    assert re.search(r"^bch-63-45 +\d+ +\d+ +\d+", listed.stdout, re.MULTILINE)
    assert "rECCT" in run.invoke(app, ["record", "bch-63-45"]).stdout
    (tmp_path / "their.csv").write_text(MINE)
    assert "3 points of 1 decoders" in run.invoke(app, ["record", "add", "their.csv"]).stdout
    assert "my net" in run.invoke(app, ["record", "bch-31-16"]).stdout
    assert run.invoke(app, ["record", "bch-31-16", "-o", "a.html"]).exit_code == 0
    assert "my net" in (tmp_path / "a.html").read_text()
    assert run.invoke(app, ["record", "bch-31-16", "-o", "a.csv"]).exit_code == 0
    assert "my net" in (tmp_path / "a.csv").read_text()
    refused = run.invoke(app, ["record", "nonsense"])
    assert refused.exit_code == 1
    assert "the record has no points of nonsense" in refused.stderr


def test_a_study_of_your_own_enters_the_record(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(
        'title = "Mine"\ncode = "bch-31-16"\nebn0_db = [3, 4]\nstop = { frames = 20000 }\n'
        'curve = [{ decoder = "./near.py:near", label = "my decoder" }]\n'
    )
    (tmp_path / "near.py").write_text(
        "import fecnn\n\n\ndef near(code, channel=None, /):\n    return fecnn.decoder('osd', code, order=0)\n"
    )
    run = CliRunner()
    refused = run.invoke(app, ["record", "add", "mine.toml"])
    assert refused.exit_code == 1
    assert run.invoke(app, ["run", "mine.toml"]).exit_code == 0
    assert "2 points of 1 decoders" in run.invoke(app, ["record", "add", "mine.toml"]).stdout
    one = standing("bch-31-16", "my decoder")
    assert one.points[0].source == "Mine"
    assert one.at(4.0, "bler").frames >= 20_000


def test_the_page_has_a_section_for_each_code_and_loads_nothing():
    page = record_page(["bch-63-45", "bch-31-16"])
    assert page.count('<section class="study"') == 2
    assert not re.search(r'(src|href)="(?!data:|#)', page)
    assert "gap and training" in page
    with pytest.raises(LookupError, match="the record has no points of nonsense"):
        record_page(["nonsense"])


def test_studies_draw_points_of_the_record_by_name(tmp_path):
    (tmp_path / "study.toml").write_text(
        'title = "t"\ncode = "bch-63-45"\nebn0_db = [3, 4]\nstop = { frames = 4096 }\n'
        'drawn = ["GRU (ml-4m-2dB-aug, 512 epochs)"]\ncurve = [{ decoder = "osd" }]\n'
    )
    study = fecnn.load_study(tmp_path / "study.toml")
    assert {point.code for point in study.recorded} == {"bch-63-45"}
    run_all(study, tmp_path / "a.sqlite")
    results = table(study, tmp_path / "a.sqlite")
    series = [one for one in rate_scene(study, results).panels[0].series if one.kind == "published"]
    assert len(series) == 1
    assert len(series[0].marks) == 11
    (tmp_path / "study.toml").write_text((tmp_path / "study.toml").read_text().replace("GRU", "GUR"))
    with pytest.raises(ValueError, match=r"no published points of 'GUR .*did you mean 'GRU"):
        fecnn.load_study(tmp_path / "study.toml")
    assert math.isfinite(results["bler"].iloc[0])
    assert OURS == "fecnn"
