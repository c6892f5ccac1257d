"""Curves of others: read as published points, recognised by content, and written."""

import re
import time
from contextlib import suppress

import pytest
from study_runs import make, shipped
from two_curves import HEADER

import fecnn
from fecnn.analysis.table import counted
from fecnn.studies.curves.registry import FORMATS, read_curves

TRACE = """[metadata]
command=aff3ct -C BCH
title=A small trace
url=https://example.org/curve

[trace]
# Parameters :
# * Simulation ------------------------------------
#    ** Type                   = BFER
#    ** Coded monitoring       = no
# * Codec -----------------------------------------
#    ** Type                   = BCH
#    ** Info. bits (K)         = 21
#    ** Codeword size (N_cw)   = 31
# * Decoder ---------------------------------------
#    ** Type (D)               = ALGEBRAIC
# * Modem -----------------------------------------
#    ** Type                   = BPSK
# * Channel ---------------------------------------
#    ** Type                   = AWGN
# ----------|----------||----------|----------|----------|----------|----------||----------|----------
#     Es/N0 |    Eb/N0 ||      FRA |       BE |       FE |      BER |      FER ||  SIM_THR |    ET/RT
#      (dB) |     (dB) ||          |          |          |          |          ||   (Mb/s) | (hhmmss)
# ----------|----------||----------|----------|----------|----------|----------||----------|----------
       0.31 |     2.00 ||    12000 |    13000 |     4200 | 5.16e-02 | 3.50e-01 ||   50.000 | 00h00'00
       7.31 |     9.00 || 1.70e+09 |     2675 |      998 | 7.49e-08 | 5.87e-07 ||  200.000 | 00h04'00  x
# End of the simulation.
"""

OLD_TRACE = """Run command:
./bin/aff3ct -C BCH
Curve name:
BCH (15,7,2)
# * Code ------------------------------------------
#    ** Type                      = BCH
#    ** Info. bits (K)            = 7
#    ** Codeword size (N)         = 15
# * Modulator -------------------------------------
#    ** Type                      = BPSK
# * Channel ---------------------------------------
#    ** Type                      = AWGN_FAST
# * Decoder ---------------------------------------
#    ** Type (D)                  = ALGEBRAIC
#  Es/N0 | Eb/N0 |      FRA |       BE |       FE |      BER |      FER ||     CTHR ||    ET/RT
   -4.50 |  0.00 |     1000 |     1400 |      400 | 2.00e-01 | 4.00e-01 ||    13.11 || 00h00'00
"""

RPTU = """BCH_N31_K21 (31,21) Code: ML Simulation Results
Channel: AWGNC
Modulation: BPSK

Eb/N0 (dB)   FER     error frames   total frames
  0.00,   4.098e-01,    100,             244
  3.50,   1.000e-02,    100,           10000

Somebody, 2014
"""

SBND = """Eb/N0,WER,BER,CW errors,Bit errors,Total CW
1.0,0.25,0.0476190476190476,2500.0,10000.0,10000.0
4.5,0.002,0.0003,20.0,63.0,10000.0
"""


def read(tmp_path, text, name):
    (tmp_path / name).write_bytes(text.encode())
    return read_curves(tmp_path / name)


def test_a_trace_of_aff3ct(tmp_path):
    points = read(tmp_path, TRACE, "trace.txt")
    assert [(it.metric, it.ebn0_db, it.errors, it.frames) for it in points] == [
        ("bler", 2.0, 4200, 12000),
        ("ber", 2.0, None, None),
        ("bler", 9.0, 998, 1_700_000_000),
        ("ber", 9.0, None, None),
    ]
    assert {(it.code, it.decoder, it.source, it.where) for it in points} == {
        ("bch-31-21", "ALGEBRAIC", "https://example.org/curve", "trace.txt")
    }
    assert points[0].value == 0.35
    assert points[1].value == 0.0516
    low, high = points[1].interval  # 2.2 / sqrt(4200): as sure as its frames
    assert (high - low) / 2 == pytest.approx(0.034 * 0.0516, rel=0.05)
    assert points[2].how == "counts of a simulation, stopped early"
    assert points[0].how == "counts of a simulation"


def test_an_old_trace_of_aff3ct_and_one_that_counts_code_bits(tmp_path):
    points = read(tmp_path, OLD_TRACE, "old.txt")
    assert [(it.code, it.metric, it.value) for it in points] == [
        ("bch-15-7", "bler", 0.4),
        ("bch-15-7", "ber", 0.2),
    ]
    coded = TRACE.replace("Coded monitoring       = no", "Coded monitoring       = yes")
    assert read(tmp_path, coded, "coded.txt")[1].metric == "ber_code"


def test_a_file_of_rptu(tmp_path):
    points = read(tmp_path, RPTU, "BCH_N31_K21_ML.txt")
    assert [(it.code, it.decoder, it.ebn0_db, it.metric, it.errors, it.frames) for it in points] == [
        ("bch-31-21", "ML", 0.0, "bler", 100, 244),
        ("bch-31-21", "ML", 3.5, "bler", 100, 10000),
    ]
    assert points[0].value == 100 / 244


def test_a_log_of_sbnd_is_named_after_decoder_and_code(tmp_path):
    points = read(tmp_path, SBND, "ecct-bch-31-21-16m-run5.csv")
    assert {(it.code, it.decoder) for it in points} == {("bch-31-21", "ecct")}
    assert [(it.metric, it.value) for it in points[:2]] == [("bler", 0.25), ("ber", 0.0476190476190476)]
    assert (points[2].errors, points[2].frames) == (20, 10_000)
    with pytest.raises(
        ValueError, match=r"log\.csv, line 2: it does not say its code: name the file after it"
    ):
        read(tmp_path, SBND, "log.csv")


def test_the_name_of_a_file_says_which_code(tmp_path):
    trace = TRACE.replace("= BCH", "= POLAR").replace("= 21", "= 32").replace("= 31", "= 64")
    assert read(tmp_path, trace, "a.txt")[0].code == "polar-64-32"
    assert read(tmp_path, trace, "sc_polar-ecct-64-32.txt")[0].code == "polar-ecct-64-32"
    assert read(tmp_path, RPTU.replace("31,21", "7,4"), "a.txt")[0].code == "hamming-7-4"
    assert read(tmp_path, RPTU.replace("31,21", "9,5"), "a.txt")[0].code == "bch-9-5"
    with pytest.raises(ValueError, match="n = 31, k = 21, but is named after bch-15-7"):
        read(tmp_path, RPTU, "bch-15-7.txt")


BROKEN = {
    "another channel": (
        TRACE.replace("= AWGN", "= BSC"),
        22,
        "only BPSK over AWGN can be compared, got 'BPSK'",
    ),
    "another modulation": (TRACE.replace("= BPSK", "= PAM"), 22, "got 'PAM' over 'AWGN'"),
    "no Eb/N0": (TRACE.replace("   Eb/N0", "      EP"), 22, "the table needs one column Eb/N0"),
    "a torn row": (TRACE[: TRACE.index(" | 5.16e-02")], 25, "5 cells in a table of 9 columns"),
    "no number": (TRACE.replace("12000", "many "), 25, "frames must be a number, got 'many'"),
    "not finite": (TRACE.replace("12000", "1e999"), 25, "frames must be a number"),
    "half a frame": (TRACE.replace("12000", "120.5"), 25, "frames must be a count, got '120.5'"),
    "negative": (TRACE.replace(" 4200", "-4200"), 25, "frame errors must be a count"),
    "more errors than frames": (TRACE.replace("12000", "  120"), 25, "is not 4,200 errors in 120 frames"),
    "another rate": (
        TRACE.replace("3.50e-01", "4.50e-01"),
        25,
        "frame error rate 0.45 is not 4,200 errors in",
    ),
    "nothing simulated": (TRACE.replace("12000", "    0"), 25, "no frames were simulated"),
    "an escape": (TRACE.replace("ALGEBRAIC", "A\x1b[2J"), 25, "the decoder has the control character"),
    "no title": (RPTU.partition("\n")[2], 5, "it does not say its code"),
    "rptu: another channel": (RPTU.replace("AWGNC", "BSC"), 2, "only AWGN can be compared, got 'BSC'"),
    "rptu: few values": (RPTU.replace("             244", ""), 6, "frames must be a number, got ''"),
    "rptu: many values": (RPTU.replace("  244", "  244, 1"), 6, "got 5 values"),
    "sbnd: few fields": (SBND.replace(",10000.0\n4", "\n4"), 2, "fewer fields"),
    "sbnd: many fields": (SBND.replace(",10000.0\n4", ",10000.0,1\n4"), 2, "more fields"),
    "sbnd: no number": (SBND.replace("20.0", "x"), 3, "frame errors must be a number, got 'x'"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_are_refused_by_line(tmp_path, case):
    text, line, words = BROKEN[case]
    name = "ecct-bch-31-21.csv" if case.startswith("sbnd") else "a.txt"
    with pytest.raises(ValueError, match=rf"{re.escape(name)}, line {line}: .*{re.escape(words)}"):
        read(tmp_path, text, name)


def test_a_log_without_a_column_is_refused(tmp_path):
    with pytest.raises(ValueError, match="line 1: no column Total CW"):
        read(tmp_path, SBND.replace(",Total CW", ""), "ecct-bch-31-21.csv")


@pytest.mark.parametrize(
    "text", ["#" + "|" * 3_000_000, "\n" * 3_000_000, "#" + " FRA |" * 500_000, "(" * 3_000_000]
)
@pytest.mark.parametrize("start", ["", TRACE, RPTU])
def test_long_files_are_gone_through_once(tmp_path, text, start):
    begun = time.process_time()
    with suppress(ValueError):
        read(tmp_path, start + text, "a.txt")
    assert time.process_time() - begun < 5


def test_a_file_of_our_own_gives_counts_or_a_source(tmp_path):
    counts = f"{HEADER}\nhamming-7-4,ML,1,bler,,25,200,,,\n"
    (point,) = read(tmp_path, counts, "reference.csv")
    assert (point.value, point.errors, point.frames) == (0.125, 25, 200)
    for row, words in (
        ("hamming-7-4,ML,1,bler,0.1,,,,,", "a rate without counts .* needs a source"),
        ("hamming-7-4,ML,1,bler,,,,S,,", "value must be a number"),
        ("hamming-7-4,ML,1,ber,,25,200,S,,", "value must be a number"),
        ("hamming-7-4,ML,1,bler,,300,200,S,,", "300"),
    ):
        with pytest.raises(ValueError, match=f"line 2: .*{words}"):
            read(tmp_path, f"{HEADER}\n{row}\n", "reference.csv")


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_written_is_read_again(tmp_path, form):
    _, results = shipped("optimal-bch-31-21")
    rows = counted(results)
    rows = rows[rows["curve"] == "ml"].sort_values("ebn0_db")
    text = FORMATS[form].write(fecnn.load_code("bch-31-21"), "ml", rows)
    assert [name for name, it in FORMATS.items() if it.recognise(text)] == [form]
    name = f"ml-bch-31-21{FORMATS[form].suffix}"
    points = [it for it in read(tmp_path, text, name) if it.metric == "bler"]
    assert [it.ebn0_db for it in points] == list(rows["ebn0_db"])
    assert [it.errors for it in points] == list(rows["block_errors"])
    assert [it.frames for it in points] == list(rows["frames"])
    assert {(it.code, it.decoder) for it in points} == {("bch-31-21", "ml")}
    rates = [it.value for it in read(tmp_path, text, name) if it.metric == "ber"]
    assert rates == pytest.approx([] if form == "rptu" else list(rows["ber"]), rel=5e-3)


STUDY = """
title = "t"
code = "bch-31-21"
ebn0_db = [2]
stop = { frames = 4096 }
[[curve]]
decoder = "hard"
published = "ALGEBRAIC"
"""


def test_a_study_takes_them_beside_it(tmp_path, call):
    (tmp_path / "reference-aff3ct.txt").write_text(TRACE)
    (tmp_path / "reference-rptu.txt").write_text(RPTU)
    (tmp_path / "reference.csv").write_text(f"{HEADER}\nbch-31-21,ML,2,bler,,25,200,,,\n")
    study = make(tmp_path, STUDY, "study.toml")
    assert len(study.references) == 4 + 2 + 1
    call("run", "./study.toml")
    assert "Published points: " in call("table", "./study.toml").stdout
    (tmp_path / "mine.txt").write_text(TRACE)
    call("report", "./study.toml", "--published", "mine.txt", "-o", "r.html")
    assert "ALGEBRAIC" in (tmp_path / "r.html").read_text()


def test_a_curve_is_exported(tmp_path, call):
    done = call("export", "optimal-bch-31-21", "ml.txt", "--as", "aff3ct", "--curve", "ml")
    assert "points: ml.txt" in done.stdout
    points = [it for it in read_curves(tmp_path / "ml.txt") if it.metric == "bler"]
    _, results = shipped("optimal-bch-31-21")
    assert [it.errors for it in points] == list(counted(results[results["curve"] == "ml"])["block_errors"])
    for arguments, words in (
        (("--as", "aff3ct"), "--as and --curve belong together"),
        (("--as", "aff4ct", "--curve", "ml"), "no format of curves 'aff4ct'; did you mean aff3ct?"),
        (("--as", "rptu", "--curve", "none"), "no curve 'none'"),
    ):
        assert words in call("export", "optimal-bch-31-21", "a.txt", *arguments, code=1).stderr
