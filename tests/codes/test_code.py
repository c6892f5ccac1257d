import dataclasses
from math import comb

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import fecnn
from fecnn.codes import gf2
from fecnn.codes.code import MAX_LENGTH, Code, macwilliams
from fecnn.codes.codefile import save_code

HAMMING_H = np.array([[1, 1, 0, 1, 1, 0, 0], [1, 0, 1, 1, 0, 1, 0], [0, 1, 1, 1, 0, 0, 1]], np.uint8)


@st.composite
def generators(draw, largest_k=8, largest_n=80):
    """Full-rank (k, n) bits in no particular form."""
    k = draw(st.integers(1, largest_k))
    n = draw(st.integers(k, largest_n))
    G = draw(arrays(np.uint8, (k, n), elements=st.integers(0, 1)))
    assume(gf2.rank(G) == k)
    return G


def random_code(k, n, seed):
    rng = np.random.default_rng(seed)
    return Code.from_generator(gf2.rref(rng.integers(0, 2, (k, n), np.uint8))[0])


@given(generators(), st.integers(0, 2**32))
def test_extract_undoes_encode_and_codewords_have_no_syndrome(G, seed):
    code = Code.from_generator(G)
    messages = np.random.default_rng(seed).integers(0, 2, (5, code.k), np.uint8)
    words = code.encode(messages)
    assert np.array_equal(words, messages.astype(int) @ G % 2)
    assert np.array_equal(code.extract(words), messages)
    assert not code.syndrome(words).any()


@given(generators(largest_n=30), st.integers(0, 2**32))
def test_a_word_without_syndrome_is_a_codeword(G, seed):
    code = Code.from_generator(G)
    word = np.random.default_rng(seed).integers(0, 2, code.n, np.uint8)
    is_codeword = np.array_equal(code.encode(code.extract(word)), word)
    assert is_codeword == (not code.syndrome(word).any())


def test_extract_reads_the_systematic_positions_of_any_word():
    positions = [9, 2, 5, 0]
    G = np.zeros((4, 10), np.uint8)
    G[:, positions] = np.eye(4, dtype=np.uint8)
    G[:, [1, 3, 4, 6, 7, 8]] = [
        [1, 1, 1, 1, 0, 0],
        [1, 0, 1, 1, 1, 0],
        [0, 1, 1, 0, 0, 1],
        [0, 0, 1, 1, 1, 1],
    ]
    words = np.random.default_rng(3).integers(0, 2, (50, 10), np.uint8)
    assert np.array_equal(Code.from_generator(G).extract(words), words[:, positions])


def test_redundant_checks_are_kept_and_every_one_gives_a_syndrome_bit():
    H = np.concatenate([HAMMING_H, HAMMING_H[:1] ^ HAMMING_H[1:2], np.zeros((1, 7), np.uint8)])
    code = Code.from_parity_check(H)
    assert (code.n, code.k) == (7, 4)
    assert np.array_equal(code.H, H)
    word = np.eye(7, dtype=np.uint8)[0]
    assert np.array_equal(code.syndrome(word), H[:, 0])
    assert code.weight_spectrum() == (1, 0, 0, 7, 7, 0, 0, 1)
    assert code.parity_columns.shape == (7, 1)


def test_a_rank_deficient_H_makes_a_larger_code():
    code = Code.from_parity_check(HAMMING_H[[0, 1, 0]])
    assert code.k == 5


def test_leading_axes_and_empty_batches():
    code = Code.from_parity_check(HAMMING_H)
    messages = np.random.default_rng(0).integers(0, 2, (2, 3, 4), np.uint8)
    words = code.encode(messages)
    assert words.shape == (2, 3, 7)
    assert code.encode(messages[1, 2]).tolist() == words[1, 2].tolist()
    assert code.extract(words).shape == (2, 3, 4)
    assert code.syndrome(words).shape == (2, 3, 3)
    assert code.encode(np.zeros((0, 4), np.uint8)).shape == (0, 7)


def test_codebook_is_in_the_order_of_the_messages():
    code = Code.from_parity_check(HAMMING_H)
    assert code.messages()[[0, 1, 8]].tolist() == [[0, 0, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0]]
    assert np.array_equal(code.codebook(), code.encode(code.messages()))
    assert len({word.tobytes() for word in code.codebook()}) == 16


def test_codebook_refuses_large_codes():
    code = random_code(25, 40, 1)
    with pytest.raises(ValueError, match=r"codebook of unnamed has 2\*\*25 rows; use osd"):
        code.codebook()


REFUSED = {
    "dependent rows": (
        [[1, 0, 1], [1, 0, 1]],
        None,
        r"G of bad has 2 rows but rank 1; drop dependent rows",
    ),
    "not binary": ([[1, 2, 1]], None, "G must hold only 0 and 1, got 2; reduce it modulo 2 first"),
    "negative": ([[1, -1, 1]], None, "G must hold only 0 and 1, got -1"),
    "not a number": ([[1, float("nan"), 1]], None, "G must hold only 0 and 1, got nan"),
    "no rows": (np.zeros((0, 3)), None, r"G must be a matrix with rows and columns, got shape \(0, 3\)"),
    "no columns": (np.zeros((3, 0)), None, r"G must be a matrix with rows and columns, got shape \(3, 0\)"),
    "one axis": ([1, 0, 1], None, r"G must be a matrix with rows and columns, got shape \(3,\)"),
    "too long": (np.ones((1, MAX_LENGTH + 1), np.uint8), None, r"too large: n may be at most 16384"),
    "another code": (
        [[1, 1, 1]],
        [[1, 1, 0], [0, 1, 0]],
        r"G H\^T of bad is not 0: H belongs to another code",
    ),
    "checks missing": (
        [[1, 1, 1]],
        [[1, 1, 0]],
        r"H of bad has rank 1, but n - k = 2: parity checks are missing",
    ),
    "other length": ([[1, 1, 1]], [[1, 1]], r"H must have 3 entries on the last axis, got shape \(1, 2\)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_matrices_are_refused_with_a_reason(case):
    G, H, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        Code.from_generator(G, name="bad") if H is None else Code(np.array(G), np.array(H), name="bad")


def test_text_is_refused_as_the_wrong_kind():
    with pytest.raises(TypeError, match="G must be numbers 0 and 1"):
        Code.from_generator([["0", "1"]])


def test_a_parity_check_matrix_of_full_rank_leaves_no_code():
    with pytest.raises(ValueError, match=r"H of none has rank n = 3: only the zero word satisfies it"):
        Code.from_parity_check(np.eye(3), name="none")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda code: code.encode([1, 0, 1]),
            r"messages must have 4 entries on the last axis, got shape \(3,\)",
        ),
        (lambda code: code.extract(np.zeros((2, 4))), r"words must have 7 entries .* got shape \(2, 4\)"),
        (lambda code: code.syndrome([3] * 7), "words must hold only 0 and 1, got 3"),
        (lambda code: code.encode(1), r"messages must have 4 entries on the last axis, got shape \(\)"),
    ],
)
def test_wrong_words_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(Code.from_parity_check(HAMMING_H))


@pytest.mark.parametrize(
    "spectrum", [(1, 0, 0, 2), (0, 0, 0, 2), (1, 1), (1, 0, 0, 0, 1), (1, 3, -2, 0)], ids=str
)
def test_an_impossible_known_spectrum_is_refused(spectrum):
    code = Code.from_generator([[1, 1, 1]], name="rep")
    with pytest.raises(ValueError, match=r"the weight spectrum of rep must be n \+ 1 counts"):
        dataclasses.replace(code, known_spectrum=spectrum)


@pytest.mark.parametrize(("k", "n"), [(3, 9), (9, 14), (11, 70), (12, 24), (5, 5), (13, 130)])
def test_weight_spectrum_is_that_of_the_codebook(k, n):
    code = random_code(k, n, seed=n)
    counts = np.bincount(code.codebook().sum(axis=1, dtype=int), minlength=n + 1)
    assert code.weight_spectrum() == tuple(counts.tolist())


@given(generators(largest_k=6, largest_n=12))
def test_macwilliams_both_ways(G):
    code = Code.from_generator(G)
    n, k = code.n, code.k
    own = tuple(np.bincount(code.codebook().sum(axis=1, dtype=int), minlength=n + 1).tolist())
    dual_words = np.array([[0] * n]) if n == k else Code.from_generator(code.H).codebook()
    dual = tuple(np.bincount(dual_words.sum(axis=1, dtype=int), minlength=n + 1).tolist())
    assert macwilliams(own, k) == dual
    assert macwilliams(dual, n - k) == own


def test_macwilliams_is_exact_beyond_floats():
    n = 300
    repetition = (1, *[0] * (n - 1), 1)
    assert macwilliams(repetition, 1) == tuple(comb(n, w) if w % 2 == 0 else 0 for w in range(n + 1))


def test_weight_spectrum_beyond_counting_says_so():
    code = random_code(40, 80, 1)
    with pytest.raises(
        ValueError, match=r"weight spectrum of unnamed needs 2\*\*40 words \(at most 2\*\*34\)"
    ):
        code.weight_spectrum()


@pytest.mark.parametrize(
    ("name", "spectrum", "message"),
    [
        ("bch-31-16", {0: 1, 15: 2**16 - 1}, "A_7 is 155, not 0"),
        ("hamming-7-4", {0: 1, 3: 7, 4: 8}, "A_4 is 7, not 8"),
        ("bch-63-45", {0: 1, 9: 2**45 - 1}, "A_7 is 3411, not 0"),
        ("ebch-64-36", {0: 1, 13: 2**36 - 1}, "of its dual is 0 by the columns of G"),
        ("ebch-64-36", {0: 1, 2: 1, 32: 2**36 - 2}, "A_2 is 0 by the columns of H"),
    ],
)
def test_a_false_weight_spectrum_is_refused(name, spectrum, message, tmp_path):
    code = fecnn.load_code(name)
    counts = tuple(spectrum.get(weight, 0) for weight in range(code.n + 1))
    with pytest.raises(ValueError, match=f"is not that of this code: .*{message}"):
        Code(code.G, code.H, name="claims", known_spectrum=counts)
    save_code(code, tmp_path / "claims.toml")
    text = (tmp_path / "claims.toml").read_text()
    table = "".join(f"{weight} = {count}\n" for weight, count in spectrum.items())
    text = text[: text.index("[weight_spectrum]")] + "[weight_spectrum]\n" + table
    text = "\n".join(line for line in text.splitlines() if not line.startswith("minimum_distance"))
    (tmp_path / "claims.toml").write_text(text)
    with pytest.raises(ValueError, match=rf"claims\.toml: .*is not that of this code: .*{message}"):
        fecnn.load_code(tmp_path / "claims.toml")


def test_a_spectrum_that_no_small_count_contradicts_is_refused():
    """Columns of G and H cannot tell: the transform, and a search for a lighter word, can."""
    code = fecnn.load_code("rm-64-42")
    counts = list(code.known_spectrum)
    counts[16], counts[20] = counts[16] + 1, counts[20] - 1
    with pytest.raises(ValueError, match=r"not that of this code: .*its dual|of its dual"):
        dataclasses.replace(code, known_spectrum=tuple(counts))
    rng = np.random.default_rng(1)
    ebch = fecnn.load_code("ebch-64-36")
    G = ebch.G.copy()
    G[0] = rng.permutation(np.arange(64) < 6)
    light = Code.from_generator(gf2.rref(G)[0], name="light")
    with pytest.raises(ValueError, match="not that of this code"):
        dataclasses.replace(light, known_spectrum=ebch.known_spectrum)
    code = fecnn.load_code("polar-64-32")  # minimum distance 8, so it has a word lighter than 12
    with pytest.raises(ValueError, match="it has a codeword of weight 8"):
        dataclasses.replace(code, minimum_distance=None, known_spectrum=self_dual_spectrum())


def self_dual_spectrum():
    """That of an extremal doubly even self-dual (64,32,12) code: right for its dual, wrong for a polar code.

    By Gleason's theorem it is a polynomial in the weight enumerators of the Hamming and the Golay code.
    """
    hamming = {0: 1, 4: 14, 8: 1}
    factor = {4: 1, 8: -4, 12: 6, 16: -4, 20: 1}  # x^4 y^4 (x^4 - y^4)^4
    total = {}
    for power in range(3):
        term = {0: 1}
        for _ in range(power):
            term = _product(term, factor)
        for _ in range(8 - 3 * power):
            term = _product(term, hamming)
        wanted = 0 if power else 1
        scale = wanted - total.get(4 * power, 0)
        for weight, count in term.items():
            total[weight] = total.get(weight, 0) + scale * count
    assert total[4] == total[8] == 0
    return tuple(total.get(weight, 0) for weight in range(65))


def _product(one, other):
    out = {}
    for a, x in one.items():
        for b, y in other.items():
            out[a + b] = out.get(a + b, 0) + x * y
    return out


@pytest.mark.parametrize(
    ("distance", "message"),
    [
        (9, "is stated as 9, but it is 7"),
        (3, "is stated as 3, but it is 7"),
        (17, r"must be in 1\.\.n - k \+ 1 = 16"),
    ],
)
def test_a_minimum_distance_that_contradicts_is_refused(distance, message):
    code = fecnn.load_code("bch-31-16")
    with pytest.raises(ValueError, match=f"minimum_distance of bch-31-16 {message}"):
        dataclasses.replace(code, minimum_distance=distance)
    if distance == 9:
        code = fecnn.load_code("bch-63-36")  # not counted in a moment
        plain = Code(code.G, code.H, name="plain", minimum_distance=13)
        for name in ("ml", "osd", "pb-osd"):
            options = {"method": "search"} if name == "ml" else {}
            with pytest.raises(ValueError, match="codeword of weight 11"):
                fecnn.decoder(name, plain, **options)


def test_plus_and_minus_one_are_no_bits():
    with pytest.raises(
        ValueError, match=r"got (-1|255): bits are 0 and 1, not \+1 and -1; .*use \(1 - H\) // 2"
    ):
        Code.from_parity_check(1 - 2 * np.array(HAMMING_H))
    with pytest.raises(ValueError, match=r"use \(1 - words\) // 2"):
        Code.from_parity_check(HAMMING_H).extract([1, -1, 1, 1, 1, 1, 1])


def test_masked_matrices_are_refused():
    with pytest.raises(TypeError, match="H is a masked array with 1 masked values"):
        Code.from_parity_check(np.ma.array(HAMMING_H, mask=np.arange(21).reshape(3, 7) == 0))


def test_fingerprint_changes_with_every_matrix_but_not_with_the_name():
    code = Code.from_parity_check(HAMMING_H, name="a")
    same = Code(code.G, code.H, name="b", minimum_distance=3)
    assert same.fingerprint == code.fingerprint
    other_messages = Code(code.G[::-1], code.H)
    other_checks = Code(code.G, code.H[::-1])
    more_checks = Code(code.G, np.concatenate([code.H, code.H[:1]]))
    prints = {each.fingerprint for each in (code, other_messages, other_checks, more_checks)}
    assert len(prints) == 4


def test_matrices_are_copies_and_cannot_be_changed():
    G = np.array([[1, 1, 1]], np.uint8)
    code = Code.from_generator(G)
    G[0, 0] = 0
    assert code.G.tolist() == [[1, 1, 1]]
    with pytest.raises(ValueError, match="read-only"):
        code.G[0, 0] = 0
    with pytest.raises(ValueError, match="read-only"):
        code.H[0, 0] = 0
    with pytest.raises(ValueError, match="read-only"):
        code.parity_columns[0, 0] = 0


@given(generators(largest_n=130), st.integers(0, 2**32))
def test_parity_columns_add_up_to_a_syndrome_that_is_zero_on_codewords_only(G, seed):
    code = Code.from_generator(G)
    word = np.random.default_rng(seed).integers(0, 2, code.n, np.uint8)
    total = np.bitwise_xor.reduce(code.parity_columns[word == 1], axis=0)
    assert total.any() == code.syndrome(word).any()
    sent = code.encode(np.ones(code.k, np.uint8))
    assert not np.bitwise_xor.reduce(code.parity_columns[sent == 1], axis=0).any()


def test_a_code_without_checks():
    code = Code(np.eye(3, dtype=np.uint8), np.zeros((0, 3), np.uint8), name="uncoded-3")
    assert code.rate == 1.0
    assert code.syndrome(np.ones((2, 3))).shape == (2, 0)
    assert code.weight_spectrum() == (1, 3, 3, 1)
    assert repr(code) == "Code(uncoded-3: n=3, k=3)"


def test_the_dual_is_orthogonal_and_its_dual_is_the_code():
    from fecnn.codes.catalogue import load_code

    for code in (load_code("bch-15-7"), load_code("golay-24-12"), load_code("polar-16-8")):
        dual = code.dual
        assert (dual.n, dual.k) == (code.n, code.n - code.k)
        assert not (dual.G.astype(int) @ code.G.T % 2).any()
        assert not code.syndrome(dual.dual.G).any()
        counted = np.bincount(dual.codebook().sum(axis=1, dtype=int), minlength=code.n + 1)
        assert dual.weight_spectrum() == tuple(counted.tolist())


def test_a_code_without_checks_has_no_dual():
    with pytest.raises(ValueError, match="has n = k = 2: its dual has only the zero word"):
        _ = Code.from_generator(np.eye(2)).dual
