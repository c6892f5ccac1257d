"""Product codes: rectangles whose columns and rows are words of two codes."""

import json
import pickle
from itertools import product as pairs

import numpy as np
import pytest

import fecnn
from fecnn import Code
from fecnn.codes import gf2
from fecnn.codes.catalogue import load_code, paths_of, recipe, with_paths
from fecnn.codes.product import components

A, B = fecnn.hamming(3), fecnn.single_parity_check(4)


def same_code(one, other):
    return np.array_equal(gf2.rref(one.G)[0], gf2.rref(other.G)[0])


def test_the_words_are_the_rectangles_of_the_definition():
    """Of all 2^12 rectangles of 3 by 4 bits, those whose columns are of one code and rows of the other."""
    a, b = fecnn.single_parity_check(3), fecnn.repetition(4)
    code = fecnn.product(a, b)
    columns, rows = ({word.tobytes() for word in one.codebook()} for one in (a, b))
    found = set()
    for bits in pairs([0, 1], repeat=12):
        word = np.array(bits, np.uint8)
        rectangle = word.reshape(3, 4)
        if all(row.tobytes() in rows for row in rectangle) and all(
            c.tobytes() in columns for c in rectangle.T
        ):
            found.add(word.tobytes())
    assert {word.tobytes() for word in code.codebook()} == found
    assert (code.n, code.k, code.minimum_distance) == (12, 2, 8)


def test_sizes_distance_and_where_the_message_is():
    code = fecnn.product(A, B)
    assert (code.n, code.k, code.minimum_distance) == (28, 12, 6)
    message = np.arange(12, dtype=np.uint8) % 2
    word = code.encode(message).reshape(7, 4)
    assert (word[:4, :3] == message.reshape(4, 3)).all()
    assert not A.syndrome(word.T).any()
    assert not B.syndrome(word).any()


def test_h_has_the_checks_of_every_column_and_every_row():
    code = fecnn.product(A, B)
    assert code.H.shape == (3 * 4 + 7 * 1, 28)
    for check in code.H[:12].reshape(12, 7, 4):  # each within one column
        assert (check.any(axis=0)).sum() == 1
    for check in code.H[12:].reshape(7, 7, 4):
        assert (check.any(axis=1)).sum() == 1
    assert gf2.rank(code.H) == 28 - 12


def test_lightest_words_are_as_many_as_products_of_lightest_words():
    """A word of weight d_a d_b has d_b columns, all one word of weight d_a: all its rows are equal or 0."""
    for a, b in ((A, B), (fecnn.hamming(3, extended=True), fecnn.hamming(3, extended=True)), (A, A)):
        code = fecnn.product(a, b)
        d = a.minimum_distance * b.minimum_distance
        spectrum = code.weight_spectrum()
        assert not any(spectrum[1:d])
        assert (
            spectrum[d] == a.weight_spectrum()[a.minimum_distance] * b.weight_spectrum()[b.minimum_distance]
        )


def test_a_distance_is_claimed_only_if_both_are_known():
    unknown = load_code("bch-127-64")
    unknown = Code(unknown.G, unknown.H, name="unknown")
    assert fecnn.product(unknown, fecnn.repetition(2)).minimum_distance is None
    assert fecnn.product("bch-127-64", fecnn.repetition(2)).minimum_distance == 42
    counted = Code(A.G, A.H)  # states none, but is counted
    assert fecnn.product(counted, fecnn.hamming(5)).minimum_distance == 9


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (A, B),
        (B, A),
        (fecnn.hamming(3, extended=True), None),
        (fecnn.golay(), fecnn.repetition(5)),
        (fecnn.uncoded(3), fecnn.repetition(5)),
        (fecnn.hamming(5, extended=True), fecnn.hamming(4, extended=True)),
    ],
)
def test_components_are_recognised_from_any_matrices(a, b, rng):
    code = fecnn.product(a, b)
    b = a if b is None else b
    mixed = rng.permutation(code.G)
    mixed[1:] ^= mixed[:1]
    for given in (code, Code.from_generator(mixed), Code.from_parity_check(code.H)):
        found = components(given, b.n)
        assert found is not None
        assert same_code(found[0], a)
        assert same_code(found[1], b)


def test_other_codes_have_no_components(rng):
    for code in (
        fecnn.hamming(4),
        load_code("polar-64-32"),
        fecnn.random_code(24, 12),
        load_code("bch-31-16"),
    ):
        assert components(code) is None
    code = fecnn.product(A, B)
    assert components(code, 7) is None
    assert components(code.subcode(checks=[1] + [0] * 27)) is None
    shuffled = rng.permutation(28)
    assert components(Code.from_generator(code.G[:, shuffled])) is None


def test_of_several_rectangles_the_squarest_is_chosen():
    code = fecnn.product(fecnn.repetition(4), fecnn.repetition(8))
    assert [one.n for one in components(code)] == [4, 8]
    assert [one.n for one in components(code, 16)] == [2, 16]
    three = fecnn.product(fecnn.product(B, A), fecnn.hamming(3, extended=True))  # 28 by 8, or 4 by 56
    assert [one.n for one in components(three)] == [28, 8]
    assert [one.n for one in components(three, 56)] == [4, 56]


def test_it_survives_pickling_and_files(tmp_path):
    code = fecnn.product(A, B)
    fecnn.save_code(code, tmp_path / "mine.toml")
    fecnn.write_alist(code.H, tmp_path / "mine.alist")
    for again in (
        pickle.loads(pickle.dumps(code)),
        load_code(tmp_path / "mine.toml"),
        load_code(tmp_path / "mine.alist"),
    ):
        assert same_code(again, code)
        assert same_code(components(again)[0], A)


def test_components_by_name_file_and_table(tmp_path):
    fecnn.write_alist(A.H, tmp_path / "mine.alist")
    expected = fecnn.product(fecnn.load_code("hamming-7-4"), fecnn.hamming(3, extended=True))
    table = {"family": "hamming", "r": 3, "extended": True}
    for a in ("hamming-7-4", tmp_path / "mine.alist", {"parity_check": str(tmp_path / "mine.alist")}):
        for b in ("ext-hamming-8-4", table, {"code": "hamming-7-4", "extend": True}):
            assert same_code(load_code({"family": "product", "a": a, "b": b}), expected)
            assert same_code(fecnn.product(a, b), expected)
    assert load_code({"family": "product", "a": "spc-4"}) == fecnn.product(B)
    assert load_code({"family": "product", "a": "spc-4", "shorten": 2}).n == 14


def test_a_recipe_with_codes_in_it_is_plain_data_with_paths():
    given = {"family": "product", "a": "./mine.alist", "b": {"code": "./b.toml", "extend": True}}
    plain = recipe(given)
    assert recipe(dict(json.loads(json.dumps(plain)))) == plain
    assert [str(path) for path in paths_of(given)] == ["mine.alist", "b.toml"]
    moved = with_paths(plain, lambda path: f"/there/{path[2:]}")
    assert dict(moved)["a"] == "/there/mine.alist"
    assert dict(dict(moved)["b"]) == {"code": "/there/b.toml", "extend": True}


def test_a_file_that_changes_is_read_again(tmp_path):
    file = tmp_path / "mine.alist"
    for code in (A, fecnn.hamming(4)):
        fecnn.write_alist(code.H, file)
        assert load_code({"family": "product", "a": str(file), "b": "spc-4"}).n == 4 * code.n


def test_studies_take_it_and_name_it(tmp_path):
    fecnn.write_alist(A.H, tmp_path / "mine.alist")
    (tmp_path / "study.toml").write_text(
        'title = "products"\nebn0_db = [3.0]\nstop = { frames = 50 }\n'
        '[[curve]]\ndecoder = "turbo-product"\n'
        'code = { family = "product", a = "./mine.alist", b = { family = "hamming", r = 3, '
        "extended = true } }\n"
        '[[curve]]\ndecoder = "ml"\ncode = { family = "product", a = "spc-4" }\n'
    )
    study = fecnn.load_study(tmp_path / "study.toml")
    assert [curve.name for curve in study.curves] == [
        "turbo-product of product(a=./mine.alist, b=hamming(r=3, extended=True))",
        "ml of product-16-9",
    ]
    task = study.points[0].task
    assert type(task).of(json.loads(json.dumps(task.described()))) == task
    fecnn.run(study).finish()
    assert fecnn.table(study).frames.min() >= 50


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ({"a": 3}, ValueError, "a of a product is a code, its name or file, or a table .*, got 3"),
        ({"a": "spc-4", "b": [1, 2]}, ValueError, r"b of a product .*, got \(1, 2\)"),
        ({}, ValueError, "missing a required argument: 'a'; it takes a, b"),
        ({"a": "hamming-7-5"}, LookupError, "unknown code 'hamming-7-5'"),
        ({"a": "./none.toml"}, FileNotFoundError, "there is no code file"),
        ({"a": {"family": "hamming"}}, ValueError, "hamming of a code: missing a required argument: 'r'"),
        ({"a": "bch-127-64", "b": "spc-200"}, ValueError, "has length 25400; it may be at most 16384"),
    ],
)
def test_bad_components_are_refused(given, kind, message):
    with pytest.raises(kind, match=message):
        load_code({"family": "product", **given})


def test_what_is_no_code_is_refused():
    with pytest.raises(TypeError, match="a of a product is a code"):
        fecnn.product(np.eye(3))
