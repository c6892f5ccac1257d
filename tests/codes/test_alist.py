import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fecnn.codes import alist
from fecnn.codes.alist import read_alist, write_alist
from fecnn.codes.catalogue import load_code
from fecnn.codes.code import Code
from fecnn.codes.families import array_ldpc, hamming

shapes = st.tuples(st.integers(0, 9), st.integers(1, 9))
matrices = shapes.flatmap(lambda shape: arrays(np.uint8, shape, elements=st.integers(0, 1)))

# Three checks on four bits; column weights 1 2 2 1, row weights 2 2 2.
LINES = ["4 3", "2 2", "1 2 2 1", "2 2 2", "1 0", "1 2", "2 3", "3 0", "1 2", "2 3", "3 4"]
H = [[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("alist")


def read(folder, content):
    path = folder / "h.alist"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_alist(path)


def read_or_message(folder, content):
    """The matrix, or None and the message of the ValueError; any other error is the test's failure."""
    try:
        return read(folder, content), ""
    except ValueError as error:
        return None, str(error)


def changed(**lines):
    """LINES with some replaced, as text: l5="1" replaces line 5."""
    text = [lines.get(f"l{number}", line) for number, line in enumerate(LINES, start=1)]
    return "\n".join(text) + "\n"


@settings(deadline=None)
@given(matrices)
@example(np.zeros((3, 2), np.uint8))
@example(np.zeros((0, 2), np.uint8))
def test_round_trip(folder, matrix):
    path = folder / "round.alist"
    write_alist(matrix, path)
    again = read_alist(path)
    assert again.dtype == np.uint8
    assert np.array_equal(again, matrix)


@settings(deadline=None)
@given(matrices)
@example(np.zeros((3, 2), np.uint8))
def test_lists_without_padding_are_read_too(folder, matrix):
    columns = [np.flatnonzero(column) + 1 for column in matrix.T]
    rows = [np.flatnonzero(row) + 1 for row in matrix]
    weights = [[len(entries) for entries in lists] for lists in (columns, rows)]
    lines = [matrix.shape[::-1], [max(w, default=0) for w in weights], *weights, *columns, *rows]
    text = "".join(" ".join(map(str, line)) + "\n" for line in lines)
    assert np.array_equal(read(folder, text), matrix)


def test_the_written_form_is_that_of_the_format(folder):
    write_alist(H, folder / "form.alist")
    assert (folder / "form.alist").read_text() == changed()


@pytest.mark.parametrize(
    "text",
    [
        changed().replace("\n", "\r\n"),
        changed().replace("\n", "  \n") + "\n \n",
        changed().removesuffix("\n"),
        changed(l6="2 1", l10="  3\t2 "),
    ],
    ids=["carriage returns", "trailing blanks", "no last newline", "any order"],
)
def test_harmless_variants_are_read(folder, text):
    assert read(folder, text).tolist() == H


BROKEN = {
    "empty": ("", 1, "the file ends before n and m"),
    "blank": ("\n", 1, "the file ends before n and m"),
    "words": (changed(l1="four three"), 1, "'four' is not a whole number"),
    "negative": (changed(l1="-4 3"), 1, "'-4' is not a whole number"),
    "fraction": (changed(l3="1 2.0 2 1"), 3, "'2.0' is not a whole number"),
    "underscore": (changed(l3="1_0 2 2 1"), 3, "'1_0' is not a whole number"),
    "other digits": (changed(l1="4 \u0663"), 1, "is not a whole number"),
    "endless number": (changed(l1="4 " + "9" * 5000), 1, "'99999999999999999999...' is not a whole number"),
    "one size": (changed(l1="4"), 1, "expected n and m, 2 in all, found 1"),
    "non-binary header": (
        changed(l1="4 3 4"),
        1,
        "a non-binary alist over GF(4) has; only binary codes are read",
    ),
    "no columns": (changed(l1="0 3"), 1, "n = 0 columns, m = 3 rows are out of range"),
    "huge n": (changed(l1="999999999 3"), 1, "n = 999999999 columns, m = 3 rows are out of range"),
    "huge m": (changed(l1="4 999999999"), 1, "are out of range"),
    "huge product": (changed(l1="16384 16384"), 1, "are out of range"),
    "large sizes": (changed(l1="1000 1000"), 12, "the file ends early: n + m + 4 = 2004 lines needed"),
    "swapped sizes": (changed(l1="3 4"), 3, "expected the column weights, 3 in all, found 4"),
    "wrong largest column": (changed(l2="3 2"), 3, "the largest column weight is 2, but line 2 says 3"),
    "wrong largest row": (changed(l2="2 3"), 4, "the largest row weight is 2, but line 2 says 3"),
    "weight too large": (
        changed(l2="9 2", l3="1 9 2 1"),
        3,
        "a column weight is 9, but a column has 3 entries",
    ),
    "weight missing": (changed(l4="2 2"), 4, "expected the row weights, 3 in all, found 2"),
    "list too short": (changed(l6="1"), 6, "column 2 has weight 2, but 1 positions"),
    "zero inside": (changed(l6="0 1"), 6, "column 2 has weight 2, but 1 positions"),
    "list too long": (changed(l5="1 2"), 5, "column 1 has weight 1, but the list continues: 2"),
    "too much padding": (changed(l5="1 0 0"), 5, "column 1 has weight 1, but the list continues: 0"),
    "row out of range": (changed(l7="2 4"), 7, "column 3 lists position 4, but there are only 3"),
    "column out of range": (changed(l11="3 5"), 11, "row 3 lists position 5, but there are only 4"),
    "duplicate": (changed(l6="2 2"), 6, "column 2 lists position 2 twice"),
    "duplicate in a row": (changed(l10="3 3"), 10, "row 2 lists position 3 twice"),
    "only in the row": (changed(l9="1 3"), 9, "column 2 (line 6) lists row 1, but not the other way round"),
    "only in the row, later": (
        changed(l9="2 4"),
        9,
        "column 1 (line 5) lists row 1, but not the other way round",
    ),
    "only in a column": (changed(l6="1 3", l7="2 1"), 9, "column 3 (line 7) lists row 1"),
    "extra entry in a row": (
        changed(l9="1 2", l10="1 3"),
        10,
        "row 2 lists column 1 (line 5), but not the other",
    ),
    "line missing": ("\n".join(LINES[:-1]) + "\n", 11, "the file ends early: n + m + 4 = 11 lines needed"),
    "line left over": (changed() + "\n1 2\n", 13, "unexpected text after the last list, which is on line 11"),
    "not text": (changed().encode() + b"\xff\xfe", 12, "not text (invalid UTF-8)"),
    "binary": (b"\x00\x00\x00\x00\x01\x02", 1, "is not a whole number"),
    "two byte order marks": (2 * b"\xef\xbb\xbf" + changed().encode(), 1, "is not a whole number"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_are_refused_with_file_line_and_reason(folder, case):
    content, line, words = BROKEN[case]
    with pytest.raises(ValueError, match=r"h\.alist, line \d+: ") as refused:
        read(folder, content)
    assert f"h.alist, line {line}: " in str(refused.value)
    assert words in str(refused.value)
    assert len(str(refused.value)) < 400 + len(str(folder))


def test_a_file_of_too_many_bytes_is_not_read(folder, monkeypatch):
    monkeypatch.setattr(alist, "MAX_BYTES", len(changed()))
    assert read(folder, changed()).tolist() == H
    with pytest.raises(ValueError, match=r"h\.alist has more than \d+ bytes"):
        read(folder, changed() + " ")


def test_a_line_or_file_of_a_million_entries_is_refused(folder):
    with pytest.raises(ValueError, match="line 1: "):
        read(folder, "4 " * 1_000_000)
    with pytest.raises(ValueError, match="line 11: "):
        read(folder, changed().removesuffix("\n") + " 0" * 1_000_000)
    with pytest.raises(ValueError, match="line 3: expected the column weights, 4 in all, found 0"):
        read(folder, "4 3\n2 2\n" + "\n" * 1_000_000)


def test_a_missing_file_is_missing(folder):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_alist(folder / "nowhere.alist")


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_mutated_files_give_a_matrix_or_a_value_error(folder, data):
    content = bytearray(changed().encode())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        stop = start + data.draw(st.integers(0, 3))
        content[start:stop] = data.draw(
            st.sampled_from([b"", b"0", b"1", b"2", b"9", b" ", b"\n", b"-", b"\xff"])
        )
    matrix, message = read_or_message(folder, bytes(content))
    if matrix is None:
        assert "h.alist, line " in message
    else:
        write_alist(matrix, folder / "again.alist")
        assert np.array_equal(read_alist(folder / "again.alist"), matrix)


@settings(deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet="0123 \n", max_size=60))
def test_arbitrary_bytes_give_a_matrix_or_a_value_error(folder, content):
    matrix, message = read_or_message(folder, content)
    if matrix is None:
        assert "h.alist, line " in message
    else:
        assert set(np.unique(matrix)) <= {0, 1}


@pytest.mark.parametrize(
    "wrong", [np.zeros((3, 0)), np.ones(4), [[0, 2]]], ids=["no columns", "one axis", "two"]
)
def test_only_binary_matrices_are_written(folder, wrong):
    with pytest.raises(ValueError, match="H must"):
        write_alist(wrong, folder / "wrong.alist")
    assert not (folder / "wrong.alist").exists()


def test_writing_into_a_missing_folder_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*none; create it first"):
        write_alist(H, tmp_path / "none" / "h.alist")


def test_a_transposed_file_is_named(tmp_path):
    """Also where the transpose would be a valid code, but another one."""
    for code in (hamming(3), array_ldpc(7, 4)):
        path = tmp_path / f"{code.name}.alist"
        write_alist(code.H.T, path)
        with pytest.raises(
            ValueError, match=rf"looks transposed\. Its transpose checks a \({code.n}, {code.k}\)"
        ):
            load_code(path)
        assert Code.from_parity_check(read_alist(path).T).k == code.k
        write_alist(code.H, path)
        assert load_code(path).k == code.k
    with pytest.raises(ValueError, match=r"k = 0\); it looks transposed: give H\.T"):
        Code.from_parity_check(hamming(3).H.T)


def test_exchanged_sizes_are_named(folder):
    _, message = read_or_message(folder, changed(l1="3 4"))
    assert (
        "line 3: expected the column weights, 3 in all, found 4; are n and m in line 1 exchanged?" in message
    )
