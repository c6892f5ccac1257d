"""Published points beside a study, as CSV."""

import re
import time

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from study_runs import make
from two_curves import HEADER, STUDY, refer, row

from fecnn.intervals import proportion_interval
from fecnn.studies.reference import read_references


@pytest.fixture
def study(tmp_path):
    return make(tmp_path, STUDY, "study.toml")


def test_reading_errors_are_those_named_or_of_the_last_digit(study):
    study = refer(study, row("0.150"), row("1.5e-3"), row("0.2", how="digitised, 5 %"), row("0.17", 100, 588))
    intervals = [reference.interval for reference in study.references]
    assert intervals[0] == pytest.approx((0.1495, 0.1505))
    assert intervals[1] == pytest.approx((1.45e-3, 1.55e-3))
    assert intervals[2] == pytest.approx((0.19, 0.21))
    assert intervals[3] == proportion_interval(100, 588)


def test_logarithms_of_rates_are_read_as_rates(study):
    (reference,) = refer(study, row("6.15", metric="-ln(ber_code)")).references
    assert (reference.metric, reference.value) == ("ber_code", pytest.approx(np.exp(-6.15)))
    assert -np.log(reference.interval) == pytest.approx([6.155, 6.145], abs=1e-4)


BROKEN = {
    "no number": (row("many"), 2, "many"),
    "no value": (row(""), 2, "value"),
    "not finite": (row("nan"), 2, "value nan is not finite"),
    "infinite": (row("Infinity"), 2, "value Infinity is not finite"),
    "no Eb/N0": (row(ebn0_db="x"), 2, "x"),
    "Eb/N0 not finite": (row(ebn0_db="nan"), 2, "nan"),
    "errors no number": (row(errors="1.5", frames="10"), 2, "1.5"),
    "more errors than frames": (row(errors="11", frames="10"), 2, "11"),
    "negative errors": (row(errors="-1", frames="10"), 2, "-1"),
    "negative value": (row("-0.1"), 2, "-0.1"),
    "logarithm of nothing": (row("-800", metric="-ln(ber)"), 2, "math range error"),
    "too few fields": ("hamming-7-4,ML,1", 2, "value"),
    "too many fields": (row() + ",more", 2, "more"),
    "third line": (row() + "\n" + row("x"), 3, "x"),
    "after blank lines": (row() + "\n\n\n" + row("x"), 5, "x"),
    "after a quoted line break": (row(how="seen\nby us") + "\n" + row("x"), 4, "x"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_references_are_refused_by_line(study, case):
    text, line, words = BROKEN[case]
    with pytest.raises(ValueError, match=rf"reference\.csv, line {line}: .*{re.escape(words)}"):
        refer(study, text).references  # noqa: B018


def test_references_without_a_column_or_that_are_no_csv_are_refused(tmp_path):
    path = tmp_path / "reference.csv"
    path.write_text(HEADER.replace(",how", "") + "\n")
    with pytest.raises(ValueError, match=r"reference\.csv has no column how; references have code, "):
        read_references(path)
    path.write_text(HEADER + '\n"unfinished')
    with pytest.raises(ValueError, match="is not CSV"):
        read_references(path)
    path.write_bytes(HEADER.encode() + b"\n\xff\xfe")
    with pytest.raises(ValueError, match=r"reference.csv, line 2: not text \(invalid UTF-8\)"):
        read_references(path)


@pytest.mark.parametrize(
    "how", ["1" * 100_000, "1 " * 50_000, "1" + " " * 100_000, "1" * 50_000 + " " * 50_000]
)
def test_a_long_passport_is_gone_through_once(study, how):
    """Each digit was once tried as the beginning of a percentage, minutes for a field of digits."""
    begun = time.process_time()
    (reference,) = refer(study, row(how=how)).references
    assert reference.interval == pytest.approx((0.145, 0.155))
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"errors": "1" + "0" * 30, "frames": "2" + "0" * 30}, "errors must be at most 2^53, got an integer"),
        ({"errors": "1", "frames": str(2**53 + 1)}, "frames must be at most 2^53"),
        ({"how": "digitised, " + "9" * 400 + " %"}, "has no finite interval"),
        ({"value": "1e308", "how": "digitised, 200 %"}, "has no finite interval"),
    ],
)
def test_numbers_beyond_sense_are_refused(study, changes, words):
    with pytest.raises(ValueError, match=rf"reference\.csv, line 2: .*{re.escape(words)}"):
        refer(study, row(**changes)).references  # noqa: B018


@pytest.mark.parametrize(
    "wrong",
    [row("x" * 100_000), row(errors="1" * 100_000), row(ebn0_db="9" * 100_000), row() + "," + "x" * 100_000],
)
def test_refusals_of_references_are_short(study, wrong):
    with pytest.raises(ValueError, match=r"reference\.csv, line 2: ") as refused:
        refer(study, wrong).references  # noqa: B018
    assert len(str(refused.value)) < 1000


def test_too_large_a_file_of_references_is_not_read(study, monkeypatch):
    monkeypatch.setattr("fecnn.studies.reference.MAX_BYTES", len(HEADER))
    with pytest.raises(ValueError, match=r"reference\.csv has more than \d+ bytes"):
        refer(study, row()).references  # noqa: B018


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("references")


fields = st.sampled_from(
    [
        "",
        "ML",
        "1",
        "1.0",
        "nan",
        "inf",
        "1e400",
        "1e-999999999",
        "-1",
        "x",
        '"',
        '"a\nb"',
        "2 %",
        ". %",
        "\x00",
        "é",
    ]
)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.lists(fields, min_size=1, max_size=12), max_size=4), st.binary(max_size=8))
@example([["c", "ML", "1", "bler", "0.1", "", "", "s", "w", "read at . %"]], b"")
@example([["c", "ML", "1", "bler", "0.1", "3", "2", "s", "w", "seen"]], b"")
def test_any_file_is_read_whole_or_refused_with_a_value_error(folder, rows, tail):
    path = folder / "reference.csv"
    path.write_bytes("\n".join([HEADER, *map(",".join, rows)]).encode() + b"\n" + tail)
    try:
        references, told = read_references(path), "reference.csv"
    except ValueError as error:
        references, told = [], str(error)
    assert "reference.csv" in told
    for reference in references:
        low, high = reference.interval
        assert low <= reference.value <= high
