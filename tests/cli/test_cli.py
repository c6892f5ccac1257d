import io
import os
import pty
import re
import subprocess
import sys

import pandas as pd
import pytest
from study_runs import ml_and_osd

import fecnn
from fecnn.channels.registry import REGISTRY as CHANNELS
from fecnn.cli.app import app
from fecnn.codes.registry import FAMILIES
from fecnn.simulation.tally import COUNTS

STUDY = ml_and_osd([0, 2], 50, "frames = 400", title="A small one", label="ordered")

COMMANDS = [
    "run",
    "merge",
    "table",
    "plot",
    "train",
    "export",
    "export-onnx",
    "codes",
    "channels",
    "decoders",
    "nets",
    "studies",
    "bench",
]

TRAINING = """
name = "tiny"
code = "hamming-7-4"
recipe = "improved"
steps = 30
check = { every = 10, ebn0_db = [2.0], frames = 500 }
[model]
kind = "fecnn-net"
options = { iterations = 1, width = 4 }
"""


@pytest.fixture
def call(call, tmp_path):
    """Runs the command line in a folder with a small study alone."""
    (tmp_path / "small.toml").write_text(STUDY)
    return call


def refused(call, *arguments):
    """The sentence of a command that must fail."""
    done = call(*arguments, code=1)
    assert done.stdout == ""
    assert done.stderr.startswith("fecnn: ")
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_the_commands_are_known(call):
    text = call("--help").output
    assert "channel" in text.lower() or "decoders for short block codes" in text.lower()
    for command in COMMANDS:
        assert f" {command} " in text
    registered = {c.name or c.callback.__name__ for c in app.registered_commands}
    assert set(COMMANDS) <= registered


@pytest.mark.parametrize(
    "command",
    [name for name in sorted(c.name or c.callback.__name__ for c in app.registered_commands)],
)
def test_every_command_has_help_with_an_example(call, command):
    text = re.sub(r"\x1b\[[0-9;]*m", "", call(command, "--help").output)
    _, _, after = text.partition("Example")
    assert f"fecnn {command}" in after


def test_version(call):
    assert call("--version").stdout == f"fecnn {fecnn.__version__}\n"


def test_codes_are_listed_and_described(call):
    listed = call("codes").stdout
    catalogue, _, families = listed.partition("\n\n")
    rows = {line.split()[0]: line.split()[1:] for line in catalogue.splitlines()[1:]}
    assert set(rows) == set(fecnn.code_names())
    assert {line.split()[0] for line in families.splitlines()[1:]} == set(FAMILIES)
    assert rows["hamming-7-4"] == ["7", "4", "0.571", "3"]
    text = call("codes", "hamming-7-4").stdout
    assert "hamming-7-4: n = 7, k = 4, rate 0.5714" in text
    assert fecnn.load_code("hamming-7-4").fingerprint in text
    assert "minimum distance: 3" in text
    assert "weight spectrum: 0: 1, 3: 7, 4: 7, 7: 1" in text


def test_codes_of_ones_own_are_described(call, tmp_path):
    fecnn.save_code(fecnn.hamming(3), tmp_path / "mine.toml", source="my desk")
    fecnn.write_alist(fecnn.hamming(3).H, tmp_path / "mine.alist")
    text = call("codes", "nr_polar").stdout
    assert 'code = { family = "nr_polar", k = 12, e = 54 }' in text
    assert "link: downlink or uplink." in text
    assert 'family = "bch", n = 15, k = 7 }' in refused(call, "codes", "bch-40-28")
    assert "source: my desk" in call("codes", tmp_path / "mine.toml").stdout
    assert "mine: n = 7, k = 4" in call("codes", "./mine.alist").stdout
    assert "did you mean hamming-7-4" in refused(call, "codes", "hamming-7-5")


def test_channels_are_listed_and_described(call):
    listed = call("channels").stdout
    assert all(name in listed for name in CHANNELS)
    text = call("channels", "rician").stdout
    assert "k_factor_db: float = 10.0" in text
    assert "Rician fading" in text
    assert "did you mean rayleigh" in refused(call, "channels", "raylegh")


def test_decoders_are_listed_and_described(call):
    listed = call("decoders").stdout
    rows = {line.split()[0]: line for line in listed.splitlines()[1:]}
    assert {"ml", "map", "osd", "slnn", "mlnn", "hard", "hard-ml"} <= set(rows)
    assert "Ordered-statistics decoding" in rows["osd"]
    assert rows["map"].split()[1] == "yes" != rows["ml"].split()[1]
    text = call("decoders", "osd").stdout
    assert "order: int = 2" in text
    assert "Fossorier" in text
    assert "did you mean osd" in refused(call, "decoders", "osdd")


def test_studies_are_listed(call):
    listed = call("studies").stdout
    for name in fecnn.study_names():
        assert re.search(rf"^{name} +\S", listed, re.MULTILINE)


def test_run_prints_the_table_and_draws_the_figure(call, tmp_path):
    done = call("run", "small.toml", "--workers", 2)
    assert "A small one" in done.stdout
    assert "ordered" in done.stdout
    assert (tmp_path / "fecnn-results" / "small.sqlite").is_file()
    assert (tmp_path / "fecnn-results" / "small.svg").read_bytes().startswith(b"<?xml")
    assert "continue with:" not in done.stdout
    assert re.search(r"ml 0 dB: 400 frames, \d+ block errors, BLER ", done.stderr)
    assert len([line for line in done.stderr.splitlines() if "compiling" not in line]) == 4
    assert "\x1b" not in done.output


def test_a_second_run_has_nothing_to_do_and_shows_the_same(call, tmp_path, monkeypatch):
    first = call("run", "small.toml", "--out", "out")
    before = call("table", "small.toml", "--out", "out", "--format", "csv").stdout
    monkeypatch.setattr(
        "fecnn.simulation.simulate.run_batch", lambda task, i: pytest.fail("a batch was made")
    )
    again = call("run", "small.toml", "--out", "out")
    assert again.stdout == first.stdout
    assert again.stderr == ""
    assert call("table", "small.toml", "--out", "out", "--format", "csv").stdout == before


def test_a_run_without_time_says_so(call):
    done = call("run", "small.toml", "--seconds", 0, code=1)
    assert done.stderr == "nothing was simulated: give it more time\n"


def test_a_run_that_stops_early_says_how_to_go_on(call, tmp_path):
    text = STUDY.replace("frames = 400", "frames = 400_000_000")
    (tmp_path / "small.toml").write_text(text)
    done = call("run", "small.toml", "--seconds", 0.3)
    assert "have not met the study's stopping rule; continue with: fecnn run small.toml" in " ".join(
        done.stdout.split()
    )


def test_quick_is_a_limit_of_time_that_seconds_may_change(call, monkeypatch):
    given = []
    real = fecnn.studies.run.run

    def run(plan, *, seconds, **options):
        given.append(seconds)
        return real(plan, seconds=seconds, **options)

    monkeypatch.setattr("fecnn.studies.run.run", run)
    call("run", "small.toml", "--quick")
    call("run", "small.toml", "--quick", "--seconds", 3)
    call("run", "small.toml")
    assert given == [fecnn.cli.run.QUICK_SECONDS, 3, None]
    assert 10 < fecnn.cli.run.QUICK_SECONDS < 60


def test_the_table_in_three_formats(call, tmp_path):
    call("run", "small.toml")
    rows = pd.read_csv(io.StringIO(call("table", "small.toml", "--format", "csv").stdout))
    expected = fecnn.table(
        fecnn.load_study(tmp_path / "small.toml"), tmp_path / "fecnn-results" / "small.sqlite"
    )
    pd.testing.assert_frame_equal(rows, expected)
    assert list(rows["frames"]) == [400] * 4
    text = call("table", "small.toml", "--format", "markdown").stdout
    assert text.startswith("| Eb/N0 [dB] | decoder | frames |")
    assert text.count("| 400 |") == 4
    shown = call("table", "small.toml").stdout
    for errors in rows["block_errors"]:
        assert f" {errors}* " in shown or f" {errors} " in shown
    assert "\x1b" not in shown
    assert "--format must be terminal, markdown, csv or latex, got 'xml'" in refused(
        call, "table", "small.toml", "--format", "xml"
    )


def test_the_figure_in_three_formats(call, tmp_path):
    call("run", "small.toml")
    assert call("plot", "small.toml").stdout == "fecnn-results/small.svg\n"
    for name, start in (("a.svg", b"<?xml"), ("b.pdf", b"%PDF"), ("c.png", b"\x89PNG")):
        assert call("plot", "small.toml", "-o", name, "--metric", "bler").stdout == f"{name}\n"
        assert (tmp_path / name).read_bytes().startswith(start)
    assert "a figure is written as .svg, .pdf, .png, .eps, .tex, .tikz, got a.jpg" in refused(
        call, "plot", "small.toml", "-o", "a.jpg"
    )
    assert "no metric 'fer'; known: bler, ber, ber_code" in refused(
        call, "plot", "small.toml", "--metric", "fer"
    )


def test_batches_are_exported_and_add_up(call, tmp_path):
    call("run", "small.toml", "--workers", 1)
    assert "32 batches: batches.csv" in call("export", "small.toml", "batches.csv").stdout
    call("export", "small.toml", "batches.parquet")
    rows, same = pd.read_csv("batches.csv"), pd.read_parquet("batches.parquet")
    # Text columns may have another dtype; the values are the same.
    assert rows.astype(object).where(rows.notna(), None).to_dict("records") == same.astype(object).where(
        same.notna(), None
    ).to_dict("records")
    assert (rows["kind"] == "batch").all()
    assert (rows["code"] == "hamming-7-4").all()
    assert set(rows["curve"]) == {"ml", "ordered"}
    assert {"task", "decoder", "options", "ebn0_db", "i", "version", "host", "time", *COUNTS} <= set(
        rows.columns
    )
    assert (rows["version"] == fecnn.__version__).all()
    table = fecnn.table(fecnn.load_study("./small.toml"))
    sums = rows.groupby(["decoder", "ebn0_db"])[["frames", "block_errors", "bit_errors_sq"]].sum()
    for _, row in table.iterrows():
        assert sums.loc[(row["decoder"], row["ebn0_db"])].equals(
            row[["frames", "block_errors", "bit_errors_sq"]].astype("int64")
        )
    assert "exported to .csv or .parquet, got batches.xlsx" in refused(
        call, "export", "small.toml", "batches.xlsx"
    )
    call("export", "small.toml", "nowhere/batches.csv")
    assert pd.read_csv("nowhere/batches.csv").equals(rows)


def test_estimates_are_exported(call, tmp_path):
    rare = '[[curve]]\nlabel = "rare"\ndecoder = "ml"\nmethod = "rare"\n'
    (tmp_path / "small.toml").write_text(STUDY + rare)
    call("run", "small.toml", "--workers", 1)
    assert "32 batches, 2 estimates: all.csv" in call("export", "small.toml", "all.csv").stdout
    call("export", "small.toml", "all.parquet")
    table = fecnn.table(fecnn.load_study("./small.toml"))
    for rows in (pd.read_csv("all.csv"), pd.read_parquet("all.parquet")):
        found = rows[rows["kind"] == "estimate"].sort_values("ebn0_db").reset_index(drop=True)
        ours = table[table["curve"] == "rare"].reset_index(drop=True)
        for name in ("curve", "code", "ebn0_db", "method", "frames", "bler", "bler_low", "bler_high"):
            assert list(found[name]) == list(ours[name]), name
        assert found["block_errors"].isna().all()
        assert (found["version"] == fecnn.__version__).all()
        assert (rows.loc[rows["kind"] == "batch", "frames"] == 50).all()


@pytest.mark.parametrize("name", ["optimal-hamming-7-4", "verdict-bch-31-21"])
def test_shipped_results_are_exported(call, name):
    done = call("export", name, "points.csv")
    assert "exporting the shipped ones" in done.stderr
    study = fecnn.load_study(name)
    table, rows = fecnn.table(study, study.path.parent / "results.csv"), pd.read_csv("points.csv")
    assert len(rows) == len(table)
    assert set(rows["kind"]) <= {"point", "estimate"}
    for column in ("curve", "code", "ebn0_db", "frames", "bler", "method"):
        assert list(rows[column]) == list(table[column]), column
    counted = rows[rows["kind"] == "point"]
    assert list(counted["block_errors"]) == list(table.loc[table["method"] == "counted", "block_errors"])
    call("export", name, "points.parquet")


def test_every_export_has_the_same_columns(call, tmp_path):
    call("run", "small.toml")
    call("export", "small.toml", "own.csv")
    call("export", "optimal-hamming-7-4", "shipped.csv")
    assert list(pd.read_csv("own.csv")) == list(pd.read_csv("shipped.csv"))


def test_an_export_of_nothing_has_its_columns(call):
    call("run", "small.toml", "--seconds", 0, code=1)
    call("export", "small.toml", "batches.csv")
    assert {"kind", "task", "i", *COUNTS} <= set(pd.read_csv("batches.csv").columns)


def test_mistakes_are_one_sentence(call, tmp_path):
    assert "did you mean optimal-hamming-7-4" in refused(call, "run", "optimal-haming-7-4")
    assert "there is no study file none.toml" in refused(call, "table", "none.toml")
    assert "no results in fecnn-results/small.sqlite; create them with fecnn run" in refused(
        call, "table", "small.toml"
    )
    assert "no results in" in refused(call, "plot", "small.toml")
    assert "no results in" in refused(call, "export", "small.toml", "batches.csv")
    (tmp_path / "broken.toml").write_text("title = 1")
    assert call("run", "broken.toml", code=1).stderr.startswith("fecnn: broken.toml has 2 problems:\n  - ")
    (tmp_path / "wrong.toml").write_text(STUDY.replace("order = 1", "order = 9"))
    assert "curve ordered: order must be in 0..4 for hamming-7-4, got 9" in refused(call, "run", "wrong.toml")
    assert not (tmp_path / "fecnn-results").exists()
    (tmp_path / "file").write_text("mine")
    assert "cannot create the folder of file/deeper/small.sqlite: Not a directory" in refused(
        call, "run", "small.toml", "--out", "file/deeper"
    )
    (tmp_path / "fecnn-results").mkdir()
    (tmp_path / "fecnn-results" / "small.sqlite").write_text("not a database, but a text of mine" * 10)
    assert "file is not a database" in refused(call, "run", "small.toml")
    assert (tmp_path / "fecnn-results" / "small.sqlite").read_text().startswith("not a database, but")


@pytest.mark.parametrize(
    "arguments",
    [["run"], ["run", "small.toml", "--workers", "0"], ["no-such-command"], ["run", "small.toml", "--fast"]],
)
def test_wrong_usage_is_refused_with_code_two(call, arguments):
    call(*arguments, code=2)


def test_shipped_results_are_shown_where_there_are_none_of_ones_own(call, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "study.toml").write_text(STUDY)
    call("run", "mine/study.toml")
    (folder / "results.csv").write_text(call("table", "mine/study.toml", "--format", "csv").stdout)
    own = call("table", "mine/study.toml", "--format", "csv").stdout
    shipped = call("table", "mine/study.toml", "--out", "elsewhere", "--format", "csv")
    assert shipped.stdout == own
    assert "showing the shipped ones" in shipped.stderr


def test_square_brackets_in_titles_and_labels_are_shown(call, tmp_path):
    (tmp_path / "small.toml").write_text(
        STUDY.replace("A small one", "A [/small] one [1]").replace('"ordered"', '"osd [ref]"')
    )
    shown = call("run", "small.toml").stdout
    assert "A [/small] one [1]" in shown
    assert "osd [ref]" in shown


# Terminals and pipes


def command(*arguments):
    return [sys.executable, "-c", "from fecnn.cli.app import app; app()", *map(str, arguments)]


ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "NO_COLOR", "COLUMNS")} | {
    "TERM": "xterm"
}


def test_output_in_a_pipe_is_plain(tmp_path):
    (tmp_path / "small.toml").write_text(STUDY)
    done = subprocess.run(
        command("run", "small.toml"), capture_output=True, cwd=tmp_path, env=ENVIRONMENT, check=True
    )
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"\r" not in done.stdout + done.stderr
    assert len([line for line in done.stderr.splitlines() if b"compiling" not in line]) == 4


def test_a_terminal_shows_live_progress(tmp_path):
    (tmp_path / "small.toml").write_text(STUDY)
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command("run", "small.toml"), stdout=subprocess.PIPE, stderr=theirs, cwd=tmp_path, env=ENVIRONMENT
    ) as running:
        os.close(theirs)
        seen = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            seen += part
        out = running.stdout.read()
    os.close(ours)
    assert running.returncode == 0
    assert b"Ctrl-C stops" in seen
    assert b"BLER [95 %]" in seen
    assert b"done" in seen
    assert b"\x1b[" in seen
    assert b"\x1b" not in out  # the table went into a pipe
    assert b"A small one" in out


def test_bench_measures_and_writes_what_it_shows(call, tmp_path):
    import json

    shown = call("bench", "ml hamming-7-4", "--seconds", 0, "--json", "speed.json").stdout
    assert "hamming-7-4" in shown
    assert "Eb/N0 [dB]" in shown  # brackets are no markup
    assert "Eb/N0 [dB]" in call("table", "optimal-hamming-7-4").stdout
    assert "numba" in shown
    written = json.loads((tmp_path / "speed.json").read_text())
    (case,) = written["cases"]
    assert case["case"] == {"decoder": "ml", "code": "hamming-7-4", "ebn0_db": 4.0, "options": {}}
    low, high = case["decode_us"][1:]
    assert 0 < low <= case["decode_us"][0] <= high
    assert case["total"]["frames"] >= 5 * 8
    assert written["machine"]["fecnn"] == fecnn.__version__
    assert "no case has 'hamning'" in call("bench", "hamning", code=1).stderr


def test_train_goes_on_and_its_results_are_shown(call, tmp_path):
    (tmp_path / "tiny.toml").write_text(TRAINING)
    done = call("train", "tiny.toml", "--seconds", "0")
    assert "not finished" in done.stdout
    done = call("train", "tiny.toml")
    assert done.stdout == "trained: fecnn-training/tiny\n"
    assert "step 10, loss" in done.stderr
    assert "ML" in done.stderr
    folder = tmp_path / "fecnn-training" / "tiny"
    assert {"README.md", "card.json", "curve.svg", "weights.safetensors"} <= {
        f.name for f in folder.iterdir()
    }
    assert "30 steps of 256" in call("nets", "fecnn-training/tiny").stdout
    call("plot", "fecnn-training/tiny", "-o", "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 5000


def test_nets_are_listed(call):
    text = call("nets").stdout
    assert re.search(r"slnn-7-hamming-7-4 +hamming-7-4 +published +184", text)


def test_training_is_refused_in_a_sentence(call, tmp_path):
    (tmp_path / "broken.toml").write_text(TRAINING.replace("steps = 30", "steps = 30\nstep = 3"))
    assert "step: unknown key" in refused(call, "train", "broken.toml")
    assert "slnn-7-hamming-7-4" in refused(call, "train", "slnn-8-hamming-7-4")
    assert "device" in refused(call, "train", "slnn-7-hamming-7-4", "--device", "abacus")


# Clusters and shards


def test_shards_are_merged_to_the_counts_of_one_run(call):
    call("run", "small.toml", "--workers", 1, "--out", "alone")
    for i in (1, 2):
        assert "fecnn merge small.toml" in call("run", "small.toml", "--shard", f"{i}/2").output
    done = call("merge", "small.toml")
    assert re.search(r"small.shard-1-of-2.sqlite: \d+ batches added, 0 already present", done.output)
    assert "small.svg" in done.output
    call("run", "small.toml")
    alone, pooled = (
        call("table", "small.toml", "--format", "csv", "--out", out).stdout
        for out in ("alone", "fecnn-results")
    )
    for table in (alone, pooled):
        assert len(table.splitlines()) == 5
    alone, pooled = (
        pd.read_csv(io.StringIO(text)).drop(columns=["seconds", "us_per_frame"]) for text in (alone, pooled)
    )
    assert alone.equals(pooled)


@pytest.mark.filterwarnings("ignore")
def test_a_run_on_a_cluster(call):
    assert "figure:" in call("run", "small.toml", "--cluster", "local:1").output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--shard", "3/2"), "--shard must be i/N with 1 <= i <= N, such as 3/16, got '3/2'"),
        (("--shard", "one"), "--shard must be i/N"),
        (("--cluster", "here"), "a cluster is local:N, an address such as tcp://host:8786, or a .toml file"),
        (("--cluster", "local:2", "--workers", "2"), "--workers sets threads of this process"),
        (("--batch-limit", "0"), "the time limit of a batch must be more than 0 seconds"),
    ],
)
def test_impossible_workers_are_refused(call, arguments, words):
    assert words in refused(call, "run", "small.toml", *arguments)


def test_a_study_without_shards_cannot_be_merged(call):
    assert "no shards of small in fecnn-results" in refused(call, "merge", "small.toml")


def test_a_failure_is_said_at_the_end_after_table_and_figure(call, request, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(request.path.parent)
    broken = '[[curve]]\ndecoder = "misbehaving:late"\noptions = { fault = "raise", after = 2 }\n'
    (tmp_path / "small.toml").write_text(STUDY + broken)
    done = call("run", "small.toml", "--workers", 1, code=1)
    assert "figure:" in done.output
    assert "2 points failed; all others were finished:" in done.output
    assert "ZeroDivisionError: a decoder's own mistake" in done.output
    assert 'misbehaving.py", line' in done.output
    assert done.output.count("Traceback") == 1  # the same at both points


@pytest.mark.parametrize("width", [60, 80, 100, 120, 160, 200])
@pytest.mark.parametrize("command", [("table", "optimal-hamming-7-4"), ("complexity", "optimal-hamming-7-4")])
def test_tables_fit_the_terminal(call, monkeypatch, width, command):
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("FORCE_COLOR", "1")  # as in a terminal
    lines = re.sub(r"\x1b\[[0-9;]*m", "", call(*command).stdout).splitlines()
    table = lines[: lines.index("")] if "" in lines else lines
    assert max(map(len, table)) <= width
    assert "…" not in "".join(lines)
    if width >= 80:  # and no cell is broken
        assert all(re.search(r"\b(osd \(order|hard|ml|slnn)\b", line) for line in lines[4:8] if "osd" in line)
        assert any("osd (order 1)" in line for line in lines)


def test_a_narrow_terminal_keeps_the_queries_beside_the_bler(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    lines = re.sub(r"\x1b\[[0-9;]*m", "", call("table", "queries-to-ml").stdout).splitlines()
    assert max(map(len, lines)) <= 80
    assert re.search(r"BLER +work/frame *$", lines[1])
    assert any(line.rstrip().endswith("1,384 queries") for line in lines)
    assert any(line.startswith("hidden to fit 80 columns") and line.endswith(", BER") for line in lines)


def test_tables_are_written_by_the_suffix_of_their_file(call, tmp_path):
    for name, begins in (
        ("t.tex", r"% \usepackage"),
        ("t.md", "| Eb/N0 [dB] |"),
        ("t.csv", "curve,decoder,"),
    ):
        call("table", "optimal-hamming-7-4", "-o", name)
        assert (tmp_path / name).read_text().startswith(begins)
    call("table", "optimal-hamming-7-4", "--columns", "decoder, BLER", "-o", "t.tex")
    assert r"decoder & BLER [95\,\%] \\" in (tmp_path / "t.tex").read_text()
    for arguments, said in (
        (("-o", "t.pdf"), "a table is written as .md, .csv, .tex, got t.pdf"),
        (("--format", "html"), "--format must be terminal, markdown, csv or latex, got 'html'"),
        (("--columns", "BELR"), "no column 'BELR'; did you mean BER or BLER"),
    ):
        done = call("table", "optimal-hamming-7-4", *arguments, code=1)
        assert said in done.stderr


def test_a_shell_completes_the_names_of_studies_and_codes(tmp_path):
    for words, found in (("table optimal-h", ["optimal-hamming-7-4"]), ("codes golay", ["golay-24-12"])):
        environment = {"_FECNN_COMPLETE": "complete_bash", "COMP_WORDS": f"fecnn {words}", "COMP_CWORD": "2"}
        done = subprocess.run(
            [sys.executable, "-m", "fecnn"],
            capture_output=True,
            text=True,
            env=ENVIRONMENT | environment,
            cwd=tmp_path,
            check=False,
        )
        assert done.stdout.split() == found


def test_a_comparison_fits_a_narrow_terminal(call, monkeypatch):
    call("run", "small.toml")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    text = re.sub(r"\x1b\[[0-9;]*m", "", call("compare", "small.toml", "ml", "ordered").stdout)
    assert max(map(len, text.splitlines())) <= 80
    assert not re.search(r"e[-+]0 *$", text, re.MULTILINE)  # no number is broken


def test_a_table_whose_curves_pass_no_target_says_so(call, tmp_path):
    (tmp_path / "high.toml").write_text(ml_and_osd([0], 50, "frames = 400", title="High"))
    call("run", "high.toml")
    shown = call("table", "high.toml").stdout
    assert "no curve passes BLER 0.001 within its points (fecnn table --bler takes another)" in shown
    assert "gap to ML" not in shown
