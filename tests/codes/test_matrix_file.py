"""Matrices as programs write them: each spelling gives the same matrix, and the rest is refused."""

import gzip
import io
import pprint
import sys
import time
from contextlib import suppress

import galois
import numpy as np
import pytest
import scipy.io
import scipy.sparse

import fecnn
from fecnn.codes.code import Code

H = np.array([[1, 1, 0, 1, 1, 0, 0], [1, 0, 1, 1, 0, 1, 0], [0, 1, 1, 1, 0, 0, 1]], np.uint8)
G = Code.from_parity_check(H).G


def rows(start="", between=" ", end="", matrix=H):
    return "".join(f"{start}{between.join(map(str, row))}{end}\n" for row in matrix.tolist())


def saved(matrix):
    stream = io.StringIO()
    np.savetxt(stream, matrix)
    return stream.getvalue()


def printed(matrix, **options):
    with np.printoptions(threshold=sys.maxsize, **options):
        return str(matrix)


MATLAB_WIDE = """
H =

  Columns 1 through 5

     1     1     0     1     1
     1     0     1     1     0
     0     1     1     1     0

  Columns 6 through 7

     0     0
     1     0
     0     1

"""

TEXTS = {
    "blanks": rows(),
    "commas": rows(between=","),
    "commas and blanks": rows(between=", "),
    "tabs": rows(between="\t"),
    "semicolons between columns": rows(between=";"),
    "digits": rows(between=""),
    "digits in groups": "1101 100\n1011 010\n0111 001\n",
    "floats": rows().replace("1", "1.0").replace(" 0", " 0."),
    "savetxt": saved(H),
    "comments": f"# parity checks\n{rows()}% the end\n",
    "byte order mark, carriage returns": "\ufeff" + rows(end="\r"),
    "blank lines": f"\n\n{rows()}\n\n",
    "NumPy str": printed(H),
    "NumPy str, wrapped": printed(H, linewidth=12),
    "NumPy str of floats": printed(H.astype(float)),
    "NumPy str of booleans": printed(H.astype(bool)),
    "NumPy repr": repr(H),
    "NumPy repr, wrapped": "array([[1, 1, 0, 1,\n 1, 0, 0],\n [1, 0, 1, 1, 0, 1, 0],\n [0,1,1,1,0,0,1]])",
    "Python": repr(H.tolist()),
    "Python, named": f"H = {pprint.pformat(H.tolist(), width=30)}\n",
    "Python, NumPy": f"import numpy as np\nH = np.array({H.tolist()}, dtype=np.uint8)\n",
    "galois": repr(galois.GF2(H)),
    "MATLAB": "H = [1 1 0 1 1 0 0; 1 0 1 1 0 1 0; 0 1 1 1 0 0 1];",
    "MATLAB, commas": "H=[1,1,0,1,1,0,0;1,0,1,1,0,1,0;0,1,1,1,0,0,1]",
    "MATLAB, lines": f"H = [\n{rows()}];\n",
    "MATLAB, continued": "H = [1 1 0 1 ...\n 1 0 0; 1 0 1 1 0 1 0; 0 1 1 1 0 0 1];",
    "MATLAB, shown": "\nH =\n\n" + rows(start="     ", between="     ") + "\n",
    "MATLAB, shown wide": MATLAB_WIDE,
    "Magma or Sage": rows("[", " ", "]"),
    "Magma, with a title": f"[7, 4, 3] Linear Code over GF(2)\nParity check matrix:\n{rows('[', ' ', ']')}",
    "Sage, in blocks": "[1 1 0 1|1 0 0]\n[1 0 1 1|0 1 0]\n[-------+-----]\n[0 1 1 1|0 0 1]\n",
    "Octave": f"# Created by Octave\n# name: H\n# type: matrix\n# rows: 3\n{rows(start=' ')}\n\n",
    "strings": repr(["".join(map(str, row)) for row in H.tolist()]),
    "NumPy repr, dtype on its own line": repr(H).replace(", dtype=uint8)", ",\n      dtype=uint8)"),
    "a bar": "1 1 0 1 | 1 0 0\n1 0 1 1 | 0 1 0\n0 1 1 1 | 0 0 1\n",
    "Mathematica": "{{1,1,0,1,1,0,0},{1,0,1,1,0,1,0},{0,1,1,1,0,0,1}}",
    "alist on one line": (
        "7 3 3 4 2 2 2 3 1 1 1 4 4 4 1 2 0 1 3 0 2 3 0 1 2 3 1 0 0 2 0 0 3 0 0 1 2 4 5 1 3 4 6 2 3 4 7"
    ),
    "alist, unpadded, on one line": (
        "7 3 3 4 2 2 2 3 1 1 1 4 4 4 1 2 1 3 2 3 1 2 3 1 2 3 1 2 4 5 1 3 4 6 2 3 4 7"
    ),
    "alist without rows": "7 3\n3 4\n2 2 2 3 1 1 1\n4 4 4\n1 2\n1 3\n2 3\n1 2 3\n1\n2\n3\n",
    "alist, parts apart": "\n".join(
        "7 3/3 4//2 2 2 3 1 1 1/4 4 4//1 2/1 3/2 3/1 2 3/1/2/3//1 2 4 5/1 3 4 6/2 3 4 7".split("/")
    ),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_texts(tmp_path, text):
    for name in ("c.txt", "c", "c.alist"):
        (tmp_path / name).write_text(text)
        assert np.array_equal(fecnn.load_code(tmp_path / name).H, H)
        assert np.array_equal(fecnn.read_matrix(tmp_path / name), H)
    (tmp_path / "c.gz").write_bytes(gzip.compress(text.encode()))
    assert np.array_equal(fecnn.load_code(tmp_path / "c.gz").H, H)


WRITERS = {
    "npy": lambda path: np.save(path, H),
    "npy, columns first": lambda path: np.save(path, np.asfortranarray(H)),
    "npy, booleans": lambda path: np.save(path, H.astype(bool)),
    "npy, floats": lambda path: np.save(path, H.astype(">f4")),
    "npz": lambda path: np.savez(path, H),
    "npz, compressed, named": lambda path: np.savez_compressed(path, pcm=H, snr=np.arange(5)),
    **{
        f"scipy.sparse {kind}": lambda path, kind=kind: scipy.sparse.save_npz(
            path, getattr(scipy.sparse, f"{kind}_matrix")(H)
        )
        for kind in ("csr", "csc", "coo", "bsr", "dia")
    },
    "mat": lambda path: scipy.io.savemat(path, {"H": H.astype(float), "Z": 27, "note": "mine"}),
    "mat, compressed, another name": lambda path: scipy.io.savemat(path, {"code": H}, do_compression=True),
    "mat, sparse": lambda path: scipy.io.savemat(path, {"H": scipy.sparse.csc_matrix(H.astype(float))}),
    "mat, logical": lambda path: scipy.io.savemat(path, {"H": H.astype(bool)}),
    "Matrix Market": lambda path: scipy.io.mmwrite(path, scipy.sparse.coo_matrix(H.astype(int))),
    "Matrix Market, pattern": lambda path: scipy.io.mmwrite(
        path, scipy.sparse.coo_matrix(H.astype(int)), field="pattern"
    ),
    "Matrix Market, dense": lambda path: scipy.io.mmwrite(path, H.astype(int)),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_binary_files(tmp_path, write):
    with (tmp_path / "c.bin").open("wb") as stream:  # so that no writer adds an ending
        write(stream)
    assert np.array_equal(fecnn.load_code(tmp_path / "c.bin").H, H)


def test_matrices_in_memory():
    for matrix in (scipy.sparse.csr_matrix(H), scipy.sparse.coo_array(H), galois.GF2(H), H.tolist()):
        assert np.array_equal(Code.from_parity_check(matrix).H, H)
    twice = scipy.sparse.coo_array(([1, 1, 1], ([0, 0, 0], [0, 0, 1])), shape=(1, 3))
    with pytest.raises(ValueError, match="only 0 and 1, got 2"):
        Code.from_parity_check(twice)


def test_what_a_matrix_is_called_says_what_it_is(tmp_path):
    np.savez(tmp_path / "both.npz", G=G[::-1], H=H)
    both = fecnn.load_code(tmp_path / "both.npz")
    assert np.array_equal(both.G, G[::-1])
    assert np.array_equal(both.H, H)
    (tmp_path / "g.m").write_text(f"G = {printed(G)}".replace("]\n", "];\n"))
    (tmp_path / "magma").write_text(
        f"[7, 4, 3] Linear Code over GF(2)\nGenerator matrix:\n{rows('[', ' ', ']', G)}"
    )
    (tmp_path / "two.m").write_text(f"H = [{rows(end=';')}];\nG = [{rows(end=';', matrix=G)}];\n")
    scipy.io.savemat(tmp_path / "c.mat", {"G": G, "H": H})
    octave = "# name: {}\n# type: matrix\n# rows: {}\n# columns: 7\n{}\n\n".format
    (tmp_path / "octave").write_text(octave("G", 4, rows(matrix=G)) + octave("H", 3, rows()))
    (tmp_path / "octave_g").write_text(octave("Gsys", 4, rows(matrix=G)))
    for name in ("g.m", "magma", "two.m", "c.mat", "octave", "octave_g"):
        code = fecnn.load_code(tmp_path / name)
        assert np.array_equal(code.G, G)
        assert not code.syndrome(G).any()


def test_a_generator_by_its_file_s_name_is_not_taken_as_parity_checks(tmp_path):
    np.save(tmp_path / "G.npy", G)
    with pytest.raises(ValueError, match=r"G\.npy: the file name says generator.*\{'generator': path\}"):
        fecnn.load_code(tmp_path / "G.npy")
    assert fecnn.load_code({"generator": tmp_path / "G.npy"}).k == 4
    for name in ("g.npy", "gen.npy", "G_7_4.npy", "hamming_G.npy", "generator-matrix.npy"):
        np.save(tmp_path / name, G)
        with pytest.raises(ValueError, match="the file name says generator"):
            fecnn.load_code(tmp_path / name)
    np.save(tmp_path / "golay_H.npy", H)
    assert fecnn.load_code(tmp_path / "golay_H.npy").k == 4
    np.savez(tmp_path / "deep.npz", H=np.zeros((2, 3, 7), np.uint8), A=np.eye(3, dtype=np.uint8))
    with pytest.raises(ValueError, match=r"H has shape \(2, 3, 7\), and is no matrix"):
        fecnn.load_code(tmp_path / "deep.npz")


def test_a_comment_that_says_generator_is_heard_unless_the_user_says_so(tmp_path):
    (tmp_path / "c.txt").write_text(f"% Generator matrix of my code\n{rows(matrix=G)}")
    with pytest.raises(ValueError, match="a comment says generator"):
        fecnn.load_code(tmp_path / "c.txt")
    assert np.array_equal(fecnn.load_code({"generator": tmp_path / "c.txt"}).G, G)
    assert np.array_equal(fecnn.read_matrix(tmp_path / "c.txt"), G)


def test_the_matrices_of_a_code_in_two_files(tmp_path):
    np.savetxt(tmp_path / "G.txt", G[::-1], "%d")
    more = np.vstack([H, H[0] ^ H[1]])
    fecnn.write_alist(more, tmp_path / "H.alist")
    code = fecnn.load_code({"generator": tmp_path / "G.txt", "parity_check": tmp_path / "H.alist"})
    assert np.array_equal(code.G, G[::-1])
    assert np.array_equal(code.H, more)
    assert code.name == "H"
    np.savetxt(tmp_path / "other.txt", np.roll(G, 1, axis=1), "%d")
    with pytest.raises(ValueError, match=r"H\.alist: G H\^T of H is not 0"):
        fecnn.load_code({"generator": tmp_path / "other.txt", "parity_check": tmp_path / "H.alist"})
    np.savetxt(tmp_path / "longer.txt", np.eye(8, dtype=int)[:4], "%d")
    with pytest.raises(ValueError, match=r"longer\.txt has 8 columns, but .*H\.alist has 7"):
        fecnn.load_code({"generator": tmp_path / "longer.txt", "parity_check": tmp_path / "H.alist"})
    with pytest.raises(ValueError, match=r"unknown key 'generater' of a code; did you mean generator"):
        fecnn.load_code({"generater": "x"})
    with pytest.raises(ValueError, match="by generator, parity_check or both, by frozen_bits and k"):
        fecnn.load_code({"generator": tmp_path / "G.txt", "k": 4})


def test_quasi_cyclic_base_matrices(tmp_path):
    identity = np.eye(3, dtype=int)

    def shifted(s):
        return 0 * identity if s < 0 else np.roll(identity, s, axis=1)

    want = np.block([[shifted(s) for s in row] for row in [[0, 1, 0, -1], [2, -1, 0, 0]]])
    for text in ("4 2 3\n\n0 1 0 -1\n2 -1 0 0\n", "# AFF3CT\n4 2 3\n0 1 0 -1\n2 -1 0 0\n\n1 1 1 1\n"):
        (tmp_path / "c.qc").write_text(text)
        assert np.array_equal(fecnn.load_code(tmp_path / "c.qc").H, want)
    for text, said in {
        "4 2 3\n0 1 0 -1\n2 -1 0 3\n": "the shift 3 is not from -1 to Z - 1 = 2",
        "4 2 3\n0 1 0 -1\n2 -1 0\n": "4 columns and 2 rows make 8 shifts, found 7",
        "2 4 3\n0 1 0 -1\n2 -1 0 0\n": "2 columns and 4 rows; it seems to have them exchanged",
        "4 2 3\n0 1 0 -1\n2 -1 0 0\n1 1 0 1\n": "punctures columns 3 of its blocks",
        "4 2 9999\n0 1 0 -1\n2 -1 0 0\n": "out of range",
        "4 2 3\n0 1 0 -1\n2 -1 0 x\n": "'x' is not a shift",
    }.items():
        (tmp_path / "c.qc").write_text(text)
        with pytest.raises(ValueError, match=said):
            fecnn.load_code(tmp_path / "c.qc")


def test_channels_of_a_polar_code_by_reliability(tmp_path):
    (tmp_path / "N8.pc").write_text("8\nawgn\n0.441047\n7 6 5 3 4 2 1 0 ")
    code = fecnn.load_code({"frozen_bits": tmp_path / "N8.pc", "k": 4})
    assert code.fingerprint == fecnn.polar(8, 4, information_set=[3, 5, 6, 7]).fingerprint
    with pytest.raises(ValueError, match="does not say how many carry bits"):
        fecnn.load_code(tmp_path / "N8.pc")
    with pytest.raises(ValueError, match="k of a polar code of length 8 is 1 to 8, got 9"):
        fecnn.load_code({"frozen_bits": tmp_path / "N8.pc", "k": 9})
    for text in (
        "8\nawgn\n0.4\n7 6 5 3 4 2 1 1",
        "8\nawgn\n0.4\n7 6 5 3",
        "8\nawgn\n0.4\n",
        "",
        "6\nawgn\n0.4\n5 4 3 2 1 0",
    ):
        (tmp_path / "N8.pc").write_text(text)
        with pytest.raises(ValueError, match=r"N8\.pc|power of two"):
            fecnn.load_code({"frozen_bits": tmp_path / "N8.pc", "k": 4})


REFUSED = {
    "an empty row": ("[[1, 1, 0], [0, 1, 1], []]", "row 3 has 0 entries, but row 1 has 3"),
    "words": ("hello world\n", r"begins with 'hello world' \(tried: alist, dense 0 and 1"),
    "empty": ("", "is empty"),
    "blank": ("\n\n", "is empty"),
    "comments only": ("# H\n# of a code\n", "is empty"),
    "signs": (rows().replace("0", "-1"), "entry 3 is '-1', not 0 or 1; and as an alist"),
    "another field": (rows().replace("0", "2"), "entry 3 is '2', not 0 or 1; and as an alist"),
    "ragged": ("1 0 1\n0 1\n", r"line 2 has 2 entries, but line 1 has 3"),
    "abbreviated": ("[[1 0 0 ... 0 1 1]\n [0 1 0 ... 1 0 1]]", r"row 1 is abbreviated by \.\.\."),
    "cut bracket": ("[[1 0 1]\n [0 1", r"has a \[ without a \]"),
    "three deep": ("[[[1, 0], [0, 1]]]", "brackets 3 deep"),
    "Sage's summary": (
        "63 x 127 dense matrix over Finite Field of size 2 (use the '.str()' method to see the entries)",
        'begins with "63 x 127 dense matrix',
    ),
    "empty cells": (rows(between=",").replace("0", ""), r"line 1: entry 3 is '', not 0 or 1"),
    "empty cells between tabs": (rows(between="\t").replace("0", ""), r"entry 3 is ''"),
    "decimal commas": ("1,0;0,0;1,0\n", "has both ',' and ';' between its entries"),
    "decimal commas and blanks": ("1,000000e+00 0,000000e+00\n", "entry 2 is '000000e\\+00 0'"),
    "two blocks": (rows() + "\n" + rows(), "2 blocks of rows with empty lines between them"),
    "blocks of columns, cut": (MATLAB_WIDE.replace("     0     1\n", ""), "not equally high: it is cut"),
    "a matrix before a named one": ("[[1,1,0],[0,1,1]]\nD = [1 1 1]\n", "before its first named matrix"),
    "rows left out": ("[[1 0 1]\n [0 1 1]\n ...\n [1 1 1]]", r"its list of rows is abbreviated by \.\.\."),
    "arithmetic": ("H = [[1,0,1]*2, [0,1,1]*2]", r"has '\*2\*2' beside its rows"),
    "null": ("[[1,0,1],null,[0,1,1]]", "has 'null' beside its rows"),
    "numbers of digits": ("[1101100, 1011010, 0111001]", "'1101100' is not 0 or 1; rows of digits"),
    "a generator by its comment": (
        f"% Generator matrix of my code\n{rows(matrix=G)}",
        "a comment says generator",
    ),
    "Octave, sparse": ("# name: H\n# type: sparse matrix\n# nnz: 1\n1 1 1\n", r"save full\(H\) instead"),
    "Matrix Market, not binary": (
        "%%MatrixMarket matrix coordinate integer general\n1 2 1\n1 1 10\n",
        r"entry \(1, 1\) is '10', not 0 or 1",
    ),
    "transposed": (rows(matrix=H.T), r"looks transposed\. Its transpose checks a \(7, 4\) code"),
    "two alike": ("A = [1 0 1]\nB = [0 1 1]\n", "2 matrices"),
    "GF(4)": (
        "3 2 4\n2 2\n2 1 1\n2 2\n1 1 2 3\n1 2\n2 1\n1 1 2 2\n1 3 3 1\n",
        r"non-binary alist over GF\(4\)",
    ),
}


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_matrix_is_refused_by_what_was_seen(tmp_path, text, said):
    (tmp_path / "c.txt").write_text(text)
    with pytest.raises(ValueError, match=said) as caught:
        fecnn.load_code(tmp_path / "c.txt")
    assert "c.txt" in str(caught.value)


def test_binary_files_are_refused_by_what_is_wrong(tmp_path):
    def refusal(raw):
        (tmp_path / "c.bin").write_bytes(raw)
        with pytest.raises(ValueError, match=r"c\.bin") as caught:
            fecnn.load_code(tmp_path / "c.bin")
        return str(caught.value)

    np.save(tmp_path / "o.npy", np.array([[{}, 1]], object))
    assert "Python objects, which may run code" in refusal((tmp_path / "o.npy").read_bytes())
    np.save(tmp_path / "H.npy", H)
    whole = (tmp_path / "H.npy").read_bytes()
    assert "is cut" in refusal(whole.replace(b"(3, 7)", b"(9999, 9999)")[:-6])
    assert "damaged gzip" in refusal(gzip.compress(whole)[:-20])
    np.save(tmp_path / "x.npy", np.arange(5))
    assert "no matrix of 0 and 1 (it has: unnamed of shape (5,))" in refusal(
        (tmp_path / "x.npy").read_bytes()
    )
    assert "save it with -v7" in refusal(b"MATLAB 7.3 MAT-file, Platform: GLNXA64" + bytes(600))
    assert "neither text nor of a known format (tried: alist" in refusal(b"\x80\x00\x01" * 99)
    scipy.io.savemat(tmp_path / "w.mat", {"note": "text"})
    assert "has no matrix of numbers" in refusal((tmp_path / "w.mat").read_bytes())
    assert "more than 67108864 bytes" in refusal(gzip.compress(bytes(1 << 27)))


def test_a_code_file_is_known_by_its_name_alone(tmp_path):
    fecnn.save_code(fecnn.hamming(3), tmp_path / "c.toml")
    assert fecnn.load_code(tmp_path / "c.toml").n == 7
    (tmp_path / "c.toml").rename(tmp_path / "c.txt")
    with pytest.raises(ValueError, match=r"is a code file: name it c\.toml"):
        fecnn.load_code(tmp_path / "c.txt")


@pytest.mark.parametrize(
    "text",
    [
        "array([[1, 1, 0],\n{}       [0, 1, 1]], dtype=uint8)\n",
        "array([[1, 1, 0], [0, 1, 1]],{}dtype=uint8)\n",
        "H = [{}1 1 0; 0 1 1];{}\n",
        "[{}x",
        "Columns 1{}x\n1 1 0\n0 1 1\n",
        "1 1 0{}\n{}0 1 1\n",
    ],
)
def test_long_blanks_take_no_time(tmp_path, text):
    path = tmp_path / "H.txt"
    path.write_text(text.replace("{}", " " * 50_000))
    begun = time.process_time()
    with suppress(ValueError):
        assert fecnn.load_code(path).n == 3
    assert time.process_time() - begun < 2  # it was minutes
