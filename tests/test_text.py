"""Text from and for other people's programs: control characters, formulas, byte order marks, terminals."""

import os
import re
import shlex
import subprocess
import sys
import xml.dom.minidom

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_runs import run_all

import fecnn
from fecnn._files.text import cell, control_character, uncell
from fecnn.analysis.texts import csv_text
from fecnn.codes.codefile import save_code
from fecnn.errors import CheckpointError
from fecnn.nets.card import CARD, read_card
from fecnn.plots.figure import plot, save
from fecnn.plots.learning import plot_learning
from fecnn.reports import report
from fecnn.studies.reference import COLUMNS, read_references
from fecnn.training.recipe import load_training

STUDY = """
title = "{title}"
question = "one line\\nand another"
code = "hamming-7-4"
ebn0_db = [0, 2]
batch = 50
stop = {{ frames = 200 }}
[[curve]]
label = "{label}"
decoder = "ml"
[[curve]]
decoder = "hard"
"""

CONTROL = ["\x1b", "\x00", "\x07", "\x7f", "\x85", "\x9b", "\u2028", "\u202e", "\ufffe", "\t", "\n", "\r"]


def escaped(character):
    return f"\\u{ord(character):04x}"


def study(tmp_path, title="t", label="a label", folder="my"):
    path = tmp_path / folder / "study.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(STUDY.format(title=title, label=label), encoding="utf-8")
    return path


def finished(tmp_path, **texts):
    plan = fecnn.load_study(study(tmp_path, **texts))
    run_all(plan, tmp_path / "r.sqlite")
    return plan, fecnn.table(plan, tmp_path / "r.sqlite")


def command(*arguments, **options):
    options = {"capture_output": True, "check": False, **options}
    return subprocess.run([sys.executable, "-m", "fecnn_command", *map(str, arguments)], **options)


# Control characters


@pytest.mark.parametrize("character", CONTROL, ids=ascii)
def test_control_characters_in_studies_are_refused(tmp_path, character):
    told = "a line break" if character in "\n\r" else "the control character"
    for place, words in (("title", "title has"), ("label", r"curve 1\.label has")):
        with pytest.raises(ValueError, match=rf"study\.toml: {words} {told}") as refused:
            fecnn.load_study(study(tmp_path, **{place: f"a{escaped(character)}b"}))
        assert control_character(str(refused.value)) is None


def test_control_characters_anywhere_in_a_study_are_refused(tmp_path):
    path = study(tmp_path)
    sound = path.read_text()
    fecnn.load_study(path)  # a question may have several lines
    for text in ('decoder = "m\\u001bl"', 'decoder = "ml"\noptions = { a = "\\u001b" }', '"a\\u001b" = 1'):
        path.write_text(sound.replace('decoder = "ml"', text))
        with pytest.raises(ValueError, match=r"has the control character '\\x1b'; remove it"):
            fecnn.load_study(path)
    path.write_text(sound.replace("one line", "\\u001b[2J"))
    with pytest.raises(ValueError, match="question has the control character"):
        fecnn.load_study(path)


def test_letters_of_all_alphabets_are_no_control_characters(tmp_path):
    for text in ("Übertragung", "编码", "الترميز", "קוד", "a\u200db", "naïve “quoted”", "λ² ≤ 3"):
        assert fecnn.load_study(study(tmp_path, title=text)).title == text


def test_names_of_codes_are_shown_as_they_are(tmp_path):
    with pytest.raises(ValueError, match="the name of a code has the control character"):
        fecnn.Code.from_generator([[1, 1]], name="a\x1b[2J")
    save_code(fecnn.hamming(3), tmp_path / "a.toml", source="two\nlines")
    text = (tmp_path / "a.toml").read_text()
    (tmp_path / "a.toml").write_text(re.sub('name = ".*"', 'name = "a\\\\u001bb"', text))
    with pytest.raises(ValueError, match=r"a\.toml: name has the control character"):
        fecnn.load_code(tmp_path / "a.toml")
    fecnn.write_alist(fecnn.hamming(3).H, tmp_path / "a\x1b.alist")
    with pytest.raises(ValueError, match="the name of a code has the control character"):
        fecnn.load_code(tmp_path / "a\x1b.alist")


def test_control_characters_in_cards_trainings_references_and_results_are_refused(tmp_path):
    sound = (fecnn.nets.card.ZOO / "fecnn-net-bch-31-16" / CARD).read_text()
    (tmp_path / CARD).write_text(sound.replace('"name": "', '"name": "\\u001b'))
    with pytest.raises(CheckpointError, match="name has the control character"):
        read_card(tmp_path)
    (tmp_path / "train.toml").write_text('name = "a"\ncode = "b\\u001b"\n')
    with pytest.raises(ValueError, match=r"train\.toml: code has the control character"):
        load_training(tmp_path / "train.toml")
    row = ["hamming-7-4", "a\x1b", "1", "bler", "0.1", "", "", "s", "w", "h"]
    (tmp_path / "reference.csv").write_text(",".join(COLUMNS) + "\n" + ",".join(row) + "\n")
    with pytest.raises(ValueError, match=r"reference\.csv, line 2: decoder has the control character"):
        read_references(tmp_path / "reference.csv")
    plan, results = finished(tmp_path)
    (tmp_path / "results.csv").write_text(csv_text(results).replace("a label", "a\x1b"))
    with pytest.raises(ValueError, match=r"results\.csv: column curve has the control character"):
        fecnn.table(plan, tmp_path / "results.csv")


def test_what_an_error_quotes_does_not_command_the_terminal(tmp_path):
    done = command("table", "./no\x1b[2J.toml", cwd=tmp_path)
    assert done.returncode == 1
    assert b"no\\x1b[2J.toml" in done.stderr
    assert b"\x1b" not in done.stderr


# Formulas in spreadsheets

LABELS = ["=1+1", "+a", "-a", "@SUM(A1)", "'=1", "''-x", "-3", "1", "NA", "nan", 'a, \\"b\\"', "  =1"]


def test_a_cell_that_a_spreadsheet_would_run_is_text():
    for text in ("=1+1", "+1+1", "-1-1", "@A1", "\t=1", "\r=1", "-", "=", "＝1"):  # noqa: RUF001
        assert cell(text) == f"'{text}"
    for text in ("-1", "+1.5", "-1.5e-3", "-.5", "a=1", "1-2", "", "'a"):
        assert cell(text) == text


@given(st.text(alphabet="'=+-@1a.e \t\r", max_size=6) | st.text())
def test_a_cell_is_read_as_it_was(text):
    assert uncell(cell(text)) == text
    assert not re.match(r"[=+\-@\t\r]", cell(text)) or re.fullmatch(
        r"[+-]?[\d.]+(e[+-]?\d+)?", cell(text), re.I
    )


@pytest.mark.parametrize("label", LABELS)
def test_results_are_read_as_they_were_written(tmp_path, label):
    plan, results = finished(tmp_path, label=label)
    (tmp_path / "results.csv").write_text(csv_text(results))
    again = fecnn.table(plan, tmp_path / "results.csv")
    pd.testing.assert_frame_equal(again, results, check_dtype=False)
    raw = pd.read_csv(tmp_path / "results.csv", dtype=str, keep_default_na=False)
    texts = [text for name in raw for text in raw[name]]
    assert not [text for text in texts if re.match("[=+@-]", text) and not re.fullmatch(r"-?[\d.]+", text)]


def test_every_csv_is_harmless(tmp_path, call):
    path = study(tmp_path, label="=cmd|calc")
    call("run", path, "--out", "o")
    shown = call("table", path, "--out", "o", "--format", "csv").stdout_bytes
    costs = call("complexity", path, "--out", "o", "--format", "csv").stdout_bytes
    call("export", path, "a.csv", "--out", "o")
    for content in (shown, costs, (tmp_path / "a.csv").read_bytes()):
        assert not re.search(rb'(^|[,\n"])=', content)
    assert b"'=cmd|calc" in shown


def test_negative_numbers_stay_numbers():
    frame = pd.DataFrame({"a": [-1.5, 2.0], "b": [-1, 2], "c": ["-x", "y"]})
    assert csv_text(frame) == "a,b,c\n-1.5,-1,'-x\n2.0,2,y\n"


# Mathtext


@pytest.mark.parametrize(
    "label", ["$\\\\frac", "$x$", "_hidden", "a_b^c", "\\\\alpha", "$", "_child0", "100 %", "#&~"]
)
def test_labels_are_drawn_as_they_are(tmp_path, label):
    plan, results = finished(tmp_path, label=label, title=f"T {label}")
    figure = plot(plan, results)
    for name in ("a.svg", "a.png", "a.pdf"):
        save(figure, tmp_path / name)
    xml.dom.minidom.parse(str(tmp_path / "a.svg"))
    texts = figure.legends[0].get_texts()
    assert [text.get_text() for text in texts] == [plan.curves[0].name, "hard"]
    assert not any(text.get_parse_math() for text in texts)
    assert plan.title == f"T {plan.curves[0].label}"


def test_a_learning_curve_of_any_name_is_drawn(tmp_path):
    card = fecnn.nets.card.read_card(fecnn.nets.card.ZOO / "fecnn-net-bch-31-16")
    save(plot_learning(card.model_copy(update={"name": "$\\frac"})), tmp_path / "a.svg")


# Terminals


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "cp1252"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}],
)
def test_a_terminal_that_cannot_show_a_character_costs_nothing(tmp_path, environment):
    path = study(tmp_path, title="编码 λ", label="λ 编 [x]")
    done = command("run", path, cwd=tmp_path, env={**os.environ, **environment})
    assert done.returncode == 0, done.stderr
    assert b"hard" in done.stdout
    assert (tmp_path / "fecnn-results" / "my.svg").exists()
    for more in (["table", path], ["table", path, "--format", "csv"], ["table", "./编.toml"]):
        done = command(*more, cwd=tmp_path, env={**os.environ, **environment})
        assert b"Traceback" not in done.stderr


# As Excel and Notepad write them

REFERENCE = f"{','.join(COLUMNS)}\nhamming-7-4,ml,1,bler,0.1,,,s,w,h\n"


def readers(tmp_path):
    """By name: a sound text, and what reads it."""
    save_code(fecnn.hamming(3), tmp_path / "code.toml")
    fecnn.write_alist(fecnn.hamming(3).H, tmp_path / "code.alist")
    plan, results = finished(tmp_path)
    zoo = fecnn.nets.card.ZOO / "fecnn-net-bch-31-16"
    return {
        "s.toml": (STUDY.format(title="t", label="é"), fecnn.load_study),
        "c.toml": ((tmp_path / "code.toml").read_text(), fecnn.load_code),
        "c.alist": ((tmp_path / "code.alist").read_text(), fecnn.load_code),
        "t.toml": ((zoo / "train.toml").read_text(), load_training),
        CARD: ((zoo / CARD).read_text(), lambda path: read_card(path.parent)),
        "reference.csv": (REFERENCE, read_references),
        "results.csv": (csv_text(results), lambda path: fecnn.table(plan, path)),
    }


def test_files_as_windows_programs_save_them(tmp_path):
    for name, (text, read) in readers(tmp_path).items():
        path = tmp_path / name
        path.write_bytes(text.encode())
        expected = read(path)
        for ends in ("\n", "\r\n"):
            path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", ends).encode())
            found = read(path)
            if name == "results.csv":
                assert found.equals(expected)
            elif name.startswith("c."):
                assert found.fingerprint == expected.fingerprint
            elif name == "s.toml":
                assert found.curves == expected.curves
            else:
                assert found == expected
        for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
            path.write_bytes(text.encode(encoding))
            with pytest.raises(
                ValueError, match=rf"{re.escape(name)}, line 1: UTF-16 or UTF-32, .*; save it as UTF-8"
            ):
                read(path)


def test_semicolons_are_named(tmp_path):
    found = readers(tmp_path)
    for name in ("reference.csv", "results.csv"):
        text, read = found[name]
        for sign, said in ((";", "semicolons"), ("\t", "tabs")):
            (tmp_path / name).write_text(text.replace(",", sign))
            with pytest.raises(ValueError, match=rf"{name} looks like it was saved with {said}"):
                read(tmp_path / name)
            (tmp_path / name).write_text(text.replace(".", ",").replace(",", sign) if sign == "\t" else text)


# Names with brackets and blanks


@pytest.mark.parametrize("name", ["[a-z] *b?", "100% # ;&"])
def test_studies_of_any_name(tmp_path, call, name):
    path = study(tmp_path, folder=name)
    for part in ("1/2", "2/2"):
        told = call("run", f"./{name}", "--shard", part).stdout
    advice = told.strip().splitlines()[-1].removeprefix("When all shards are done: ")
    assert shlex.split(advice) == ["fecnn", "merge", f"./{name}"]
    (tmp_path / "fecnn-results" / "my n study.shard-1-of-2.sqlite").touch()
    call("merge", path)
    for more in (["plot", path], ["report", path], ["export", path, "a.csv"], ["table", path], ["run", path]):
        assert call(*more).stdout
    for suffix in (".sqlite", ".svg", ".html"):
        assert (tmp_path / "fecnn-results" / f"{name}{suffix}").exists()


def test_a_report_chooses_among_codes_with_blanks_in_their_names(tmp_path):
    for name in ("my code", "my"):
        save_code(fecnn.Code.from_generator(fecnn.hamming(3).G, name=name), tmp_path / f"{name}.toml")
    path = study(tmp_path)
    text = (
        path.read_text()
        .replace('code = "hamming-7-4"', "")
        .replace("[[curve]]", '[[curve]]\ncode = "../my code.toml"', 1)
    )
    path.write_text(text.replace('decoder = "hard"', 'decoder = "hard"\ncode = "../my.toml"\nebn0_db = [1]'))
    plan = fecnn.load_study(path)
    run_all(plan, tmp_path / "r.sqlite")
    page = report([plan], [fecnn.table(plan, tmp_path / "r.sqlite")])
    assert 'data-code="my code"' in page
    assert 'data-code="my"' in page
    assert "<option>my code</option>" in page
