import dataclasses
import math
import tomllib
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fecnn
from fecnn._files import shipped
from fecnn._files.text import control_character
from fecnn.codes import catalogue, codefile, gf2
from fecnn.codes.alist import write_alist
from fecnn.codes.catalogue import code_file, code_names, load_code
from fecnn.codes.code import Code, macwilliams
from fecnn.codes.codefile import rebuild, save_code
from fecnn.codes.families import hamming, repetition, uncoded
from fecnn.codes.low_weight import distance_bound, low_weight_words
from fecnn.codes.polar import kronecker_transform, polar
from fecnn.codes.registry import FAMILIES
from fecnn.studies.study import study_names, study_path

EXPECTED = {
    "hamming": ["7-4", "15-11", "31-26"],
    "ext-hamming": ["8-4"],
    "bch-15": ["7", "11"],
    "bch-31": ["11", "16", "21", "26"],
    "bch-63": ["30", "36", "39", "45", "51", "57"],
    "bch-127": ["64", "85", "106"],
    "ebch": ["64-36", "128-64"],
    "ccsds": ["128-64"],
    "polar": ["16-8", "32-16", "64-32", "64-48", "128-64", "128-86", "128-96"],
    "polar-ecct": ["64-32", "128-64", "128-86"],
    "ldpc": ["49-24", "121-60", "121-70", "121-80"],
    "golay": ["24-12"],
    "nr-ldpc": ["128-64"],
    "nr-polar-uplink": ["128-64"],
    "pac": ["128-64"],
    "product": ["64-16"],
    "rm": ["32-16", "64-42", "128-64"],
    "tailbiting-133-171": ["128-64"],
}
NAMES = sorted(f"{family}-{size}" for family, sizes in EXPECTED.items() for size in sizes)

# Lin & Costello, Error Control Coding, 2nd ed., appendix C: twice the errors corrected, plus 1. All of these
# codes meet their designed distance.
BCH_DISTANCES = {
    (15, 7): 5, (15, 11): 3, (31, 11): 11, (31, 16): 7, (31, 21): 5, (31, 26): 3, (63, 30): 13, (63, 36): 11,
    (63, 39): 9, (63, 45): 7, (63, 51): 5, (63, 57): 3, (127, 64): 21, (127, 85): 13, (127, 106): 7,
}  # fmt: skip
# x^4 + x + 1, x^5 + x^2 + 1, x^6 + x + 1 and x^7 + x^3 + 1: the fields that galois takes for BCH codes.
PRIMITIVE = {15: 0b10011, 31: 0b100101, 63: 0b1000011, 127: 0b10001001}

BEYOND_COUNTING = [
    "bch-127-64", "bch-127-85", "ebch-128-64", "ccsds-128-64", "polar-128-64", "polar-128-86", "rm-128-64",
    "polar-ecct-128-64", "polar-ecct-128-86", "ldpc-121-60", "ldpc-121-70", "ldpc-121-80", "nr-ldpc-128-64",
    "nr-polar-uplink-128-64", "pac-128-64", "tailbiting-133-171-128-64",
]  # fmt: skip
UNKNOWN_SPECTRUM = [
    name for name in BEYOND_COUNTING if name not in ("rm-128-64", "tailbiting-133-171-128-64")
]


def words_to_count(name):
    n, k = map(int, name.split("-")[-2:])
    return min(k, n - k)


COUNTABLE = [
    pytest.param(name, marks=pytest.mark.slow) if words_to_count(name) > 26 else name
    for name in NAMES
    if name not in BEYOND_COUNTING
]
REBUILT = [
    pytest.param(name, marks=pytest.mark.slow)
    if name.startswith(("bch-31", "bch-63", "bch-127", "ebch"))
    else name
    for name in NAMES
]

code_file = cache(code_file)


def test_the_catalogue_holds_the_promised_codes():
    assert sorted(code_names()) == NAMES


def test_names_are_sorted_by_family_and_then_by_number():
    names = code_names()
    assert (
        names.index("bch-15-7")
        < names.index("bch-15-11")
        < names.index("bch-127-64")
        < names.index("golay-24-12")
    )


# --- every file


@pytest.mark.parametrize("name", NAMES)
def test_every_file_holds_what_it_says(name):
    file, code = code_file(name), load_code(name)
    assert (file.name, code.name) == (name, name)
    assert name.endswith(f"{file.n}-{file.k}")
    assert (code.n, code.k) == (file.n, file.k)
    assert file.sha256 == code.fingerprint
    assert gf2.rank(code.G) == code.k
    assert gf2.rank(code.H) == code.n - code.k
    assert not (code.G.astype(int) @ code.H.T % 2).any()
    assert file.source
    assert file.minimum_distance_proof


@pytest.mark.parametrize("name", COUNTABLE)
def test_every_countable_spectrum_is_counted_again(name):
    told = load_code(name)
    counted = Code(told.G, told.H).weight_spectrum()
    assert told.known_spectrum == counted
    assert told.minimum_distance == next(weight for weight, count in enumerate(counted) if weight and count)


@pytest.mark.parametrize("name", REBUILT)
def test_every_file_is_rebuilt_by_its_builder(name):
    built = rebuild(code_file(name))
    assert built.fingerprint == code_file(name).sha256
    assert built.name == name
    assert built.minimum_distance in (None, load_code(name).minimum_distance)


@pytest.mark.parametrize("name", UNKNOWN_SPECTRUM)
def test_where_nothing_is_counted_a_witness_bounds_the_minimum_distance_from_above(name):
    code, file = load_code(name), code_file(name)
    word = np.zeros(code.n, np.uint8)
    word[file.witness] = 1
    assert word.sum() == code.minimum_distance
    assert not code.syndrome(word).any()
    assert file.weight_spectrum is None


@pytest.mark.parametrize(("name", "distance"), [("ebch-64-36", 12), ("ebch-128-64", 22)])
def test_extended_bch_files_are_bch_files_with_a_parity_bit(name, distance):
    code = load_code(name)
    plain = load_code(f"bch-{code.n - 1}-{code.k}")
    assert np.array_equal(code.G[:, :-1], plain.G)
    assert (code.G.sum(axis=1) % 2 == 0).all()
    assert code.minimum_distance == plain.minimum_distance + 1 == distance


def test_the_ccsds_code_is_the_standards():
    """Parity of rows 1, 17, 33, 49 of G as tabulated by labrador-ldpc for CCSDS 231.1-O-1, TC128."""
    code = load_code("ccsds-128-64")
    assert np.array_equal(code.G[:, :64], np.eye(64))
    parity = [f"{int(''.join(map(str, row)), 2):016X}" for row in code.G[::16, 64:]]
    assert parity == ["0E69166BEF4C0BC2", "7766137EBB248418", "C480FEB9CD53A713", "4EAA22FA465EEA11"]


@pytest.mark.parametrize(
    ("name", "distance", "sums"),
    [
        ("ccsds-128-64", 14, 6),
        ("nr-ldpc-128-64", 11, 5),
        ("nr-polar-uplink-128-64", 12, 5),
        pytest.param("pac-128-64", 16, 7, marks=pytest.mark.slow),
    ],
)
def test_sums_of_rows_of_two_generators_prove_the_minimum_distance(name, distance, sums):
    code = load_code(name)
    assert code.minimum_distance == distance_bound(code, sums) == distance


def test_the_ccsds_code_has_16_words_of_minimum_weight():
    assert len(low_weight_words(load_code("ccsds-128-64")).words) == 16


def test_the_spectrum_of_the_tail_biting_code_is_that_of_its_trellis():
    """The dual's counts are whole numbers, and the lightest words are those that a search finds."""
    code = load_code("tailbiting-133-171-128-64")
    spectrum = code.weight_spectrum()
    assert sum(spectrum) == 2**64
    dual = macwilliams(spectrum, 64)
    assert all(count >= 0 for count in dual)
    assert (dual[0], sum(dual)) == (1, 2**64)
    words = low_weight_words(code, 14).words
    weights = words.sum(axis=1, dtype=np.int64)
    assert np.bincount(weights, minlength=15)[10:].tolist() == list(spectrum[10:15])
    assert code.minimum_distance == 10 == distance_bound(code, 4)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("bch")])
def test_bch_files_have_the_consecutive_roots_that_bound_the_distance_from_below(name):
    code = load_code(name)
    n, d = code.n, BCH_DISTANCES[code.n, code.k]
    assert code.minimum_distance == d
    powers = [1]
    for _ in range(n - 1):
        doubled = powers[-1] << 1
        powers.append(doubled ^ PRIMITIVE[n] if doubled > n else doubled)
    assert sorted(powers) == list(range(1, n + 1))  # primitive
    for j in range(1, d):
        # Column i is the coefficient of x^(n - 1 - i): a codeword's value at alpha^j.
        at_columns = np.array([powers[j * (n - 1 - i) % n] for i in range(n)])
        assert not np.bitwise_xor.reduce(code.G * at_columns, axis=1).any()


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("polar")])
def test_polar_files_have_the_minimum_row_weight(name):
    file, code = code_file(name), load_code(name)
    rows = ["".join("01"[i & ~j == 0] for i in range(file.n)) for j in range(file.n)]
    chosen = [rows.index(row) for row in file.G]  # refuses a row that is not one of the kernel's power
    assert len(set(chosen)) == code.k
    assert code.minimum_distance == min(row.count("1") for row in file.G)


# First ones of the rows of the matrices of ECCT (github.com/yoniLc/ECCT, Codes_DB): the frozen bits, their
# binary digits reversed.
ECCT_FROZEN = {
    "polar-64-48": [0, 32, 16, 48, 8, 40, 24, 4, 36, 20, 12, 2, 34, 18, 1, 33],
    "polar-ecct-64-32": [
        0, 32, 16, 48, 8, 40, 24, 56, 4, 36, 20, 52, 12, 44, 28, 2, 34, 18, 50, 10, 42, 26, 6, 38, 22, 1,
        33, 17, 49, 9, 5, 3,
    ],
    "polar-128-96": [
        0, 64, 32, 96, 16, 80, 48, 112, 8, 72, 40, 104, 24, 88, 56, 4, 68, 36, 100, 20, 12, 2, 66, 34, 18,
        10, 6, 1, 65, 33, 17, 9,
    ],
    "polar-ecct-128-86": [
        0, 64, 32, 96, 16, 80, 48, 112, 8, 72, 40, 104, 24, 88, 56, 4, 68, 36, 100, 20, 84, 52, 12, 76,
        44, 28, 2, 66, 34, 98, 18, 82, 50, 10, 6, 1, 65, 33, 17, 9, 5, 3,
    ],
    "polar-ecct-128-64": [
        0, 64, 32, 96, 16, 80, 48, 112, 8, 72, 40, 104, 24, 88, 56, 120, 4, 68, 36, 100, 20, 84, 52, 116,
        12, 76, 44, 28, 2, 66, 34, 98, 18, 82, 50, 10, 74, 42, 26, 6, 70, 38, 22, 14, 1, 65, 33, 97, 17,
        81, 49, 9, 73, 41, 25, 5, 69, 37, 21, 13, 3, 67, 35, 19,
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", ECCT_FROZEN)
def test_polar_codes_of_the_ecct_tables_have_their_frozen_bits(name):
    code = load_code(name)
    digits = code.n.bit_length() - 1
    frozen = {int(f"{index:0{digits}b}"[::-1], 2) for index in ECCT_FROZEN[name]}
    u = kronecker_transform(code.G)
    assert set(np.flatnonzero(~u.any(axis=0))) == frozen
    rows = {row.tobytes() for row in kronecker_transform(np.eye(code.n, dtype=np.uint8)).T[sorted(frozen)]}
    assert {row.tobytes() for row in code.H} == rows  # H, too, is theirs


@pytest.mark.parametrize(("k", "distance", "sums"), [(80, 10, 5), (70, 10, 4), (60, 16, 6)])
def test_array_codes_have_their_minimum_distances(k, distance, sums):
    # Translations of the plane move any bit to any other; test_build.py shows that they keep the code.
    code = load_code(f"ldpc-121-{k}")
    assert distance_bound(code, sums, transitive=True) == code.minimum_distance == distance


def test_polar_16_8_is_the_assumed_one_and_says_so():
    file = code_file("polar-16-8")
    assert file.parameters == {"n": 16, "k": 8, "erasure": 0.5}
    assert load_code("polar-16-8").fingerprint == polar(16, 8, information_set=[7, *range(9, 16)]).fingerprint
    assert file.weight_spectrum == {0: 1, 4: 28, 8: 198, 12: 28, 16: 1}
    assert "ASSUMED information set {7, 9, 10, 11, 12, 13, 14, 15}" in file.source


def test_rm_128_64_has_the_only_spectrum_that_gleason_allows():
    # A doubly even self-dual code of length 128 has one of a family of spectra with 6 free numbers, which
    # A_0, A_4, .. A_20 settle (Gleason 1971). So it is enough that the stored one is in the family, that is,
    # divisible by 4 and its own MacWilliams transform, and has these six counts.
    code = load_code("rm-128-64")
    assert not (code.G.astype(int) @ code.G.T % 2).any()
    assert not (code.G.sum(axis=1) % 4).any()
    spectrum = code.weight_spectrum()
    assert macwilliams(spectrum, 64) == spectrum
    assert all(count == 0 for weight, count in enumerate(spectrum) if weight % 4)
    lightest = (
        2**3 * math.prod(2 ** (7 - i) - 1 for i in range(4)) // math.prod(2 ** (4 - i) - 1 for i in range(4))
    )
    assert [spectrum[weight] for weight in (0, 4, 8, 12, 16, 20)] == [1, 0, 0, 0, lightest, 0]
    assert code.minimum_distance == 16


# --- by name


def test_a_code_is_read_once():
    assert load_code("bch-31-21") is load_code("bch-31-21")


@pytest.mark.parametrize(("name", "n", "k"), [("uncoded-7", 7, 7), ("repetition-3", 3, 1), ("spc-8", 8, 7)])
def test_trivial_families_are_known_by_name(name, n, k):
    code = load_code(name)
    assert (code.name, code.n, code.k) == (name, n, k)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bch-31-22", r"unknown code 'bch-31-22' \(.*\); did you mean .*bch-31-21"),
        ("hamming-7-3", "did you mean hamming-7-4"),
        ("uncoded", "did you mean uncoded-64"),
        ("uncoded--4", "unknown code 'uncoded--4'"),
        ("", r"unknown code '' \(.*\); known: bch-127-106"),
        ("zzz", r"give your own code by its path, such as ./my_code.toml\); known: "),
    ],
)
def test_unknown_names_are_answered_with_the_nearest(name, words):
    with pytest.raises(LookupError, match=words):
        load_code(name)
    with pytest.raises(LookupError, match=words):
        code_file(name)


def test_a_trivial_name_out_of_range_is_a_bad_value():
    with pytest.raises(ValueError, match=r"n must be in 2..16384, got 999999999"):
        load_code("spc-999999999")


@pytest.mark.parametrize("name", ["repetition-2049", "repetition-16384", "spc-16384", "uncoded-8193"])
def test_a_trivial_code_that_takes_minutes_or_gigabytes_is_not_had_by_name(name):
    family = name.split("-")[0]
    with pytest.raises(ValueError, match=rf"{name} is too long: named {family} codes go up to n = \d+"):
        load_code(name)


def test_missing_files_are_missing(tmp_path):
    for name in ("nowhere.toml", "nowhere.alist", "sub/nowhere.toml"):
        with pytest.raises(FileNotFoundError, match="nowhere"):
            load_code(str(tmp_path / name))


def test_a_catalogue_that_was_not_installed_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "__file__", str(tmp_path / "fecnn" / "_files" / "shipped.py"))
    with pytest.raises(FileNotFoundError, match=r"the shipped codes are missing: there is no folder .*codes"):
        code_names()


def test_in_a_wheel_the_catalogue_lies_inside_the_package(tmp_path, monkeypatch):
    inside = tmp_path / "fecnn" / "_data" / "codes"
    inside.mkdir(parents=True)
    (tmp_path / "codes").mkdir()
    (tmp_path / "codes" / "stranger-2-1.toml").touch()
    save_code(repetition(2), inside / "repetition-2.toml")
    monkeypatch.setattr(shipped, "__file__", str(tmp_path / "fecnn" / "_files" / "shipped.py"))
    assert code_names() == ["repetition-2"]


# --- save and load


def may_be_shown(text):
    return control_character(text) is None


@settings(deadline=None)
@given(
    st.integers(1, 5),
    st.integers(0, 6),
    st.integers(0, 2**32),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(may_be_shown),
    st.text(st.characters(codec="utf-8"), max_size=50).filter(may_be_shown),
)
def test_save_and_load_round_trip(tmp_path_factory, k, checks, seed, name, source):
    path = tmp_path_factory.getbasetemp() / "round.toml"
    parity = np.random.default_rng(seed).integers(0, 2, (k, checks), np.uint8)
    plain = Code.from_generator(np.concatenate([parity, np.eye(k, dtype=np.uint8)], axis=1), name=name)
    spectrum = plain.weight_spectrum()
    first = next(weight for weight, count in enumerate(spectrum) if weight and count)
    code = dataclasses.replace(plain, minimum_distance=first, known_spectrum=spectrum)
    save_code(code, path, source=source)
    again = load_code(path)
    assert again.fingerprint == code.fingerprint
    assert (again.name, again.minimum_distance, again.known_spectrum) == (name, first, spectrum)
    assert catalogue.code_file(path).source == source


def test_every_field_survives_saving(tmp_path):
    parameters = {
        "n": 8,
        "k": 2,
        "systematic": True,
        "design_snr_db": -1e-20,
        "information_set": [6, 7],
        "odd key": 1,
    }
    code = polar(8, 2, information_set=[6, 7])
    path = tmp_path / "p.toml"
    save_code(
        code,
        path,
        family="polar",
        parameters=parameters,
        minimum_distance_proof="row",
        witness=np.array([0, 2, 4, 6]),
    )
    file = code_file(path)
    assert file.parameters == parameters
    assert (file.family, file.minimum_distance, file.minimum_distance_proof) == ("polar", 4, "row")
    assert file.witness == [0, 2, 4, 6]
    assert file.weight_spectrum is None


def test_counts_beyond_64_bits_are_written_as_strings_and_read_back(tmp_path):
    code = dataclasses.replace(
        uncoded(80), known_spectrum=tuple(math.comb(80, weight) for weight in range(81))
    )
    save_code(code, tmp_path / "u.toml")
    table = tomllib.loads((tmp_path / "u.toml").read_text())["weight_spectrum"]
    assert table["40"] == str(math.comb(80, 40))
    assert table["1"] == 80
    assert load_code(tmp_path / "u.toml").known_spectrum == code.known_spectrum


def test_an_alist_is_a_code_too(tmp_path, monkeypatch):
    write_alist(hamming(3).H, tmp_path / "mine.alist")
    monkeypatch.chdir(tmp_path)
    for path in ("mine.alist", "./mine.alist", tmp_path / "mine.alist"):
        code = load_code(path)
        assert (code.name, code.n, code.k) == ("mine", 7, 4)
        assert np.array_equal(code.H, hamming(3).H)


def test_faults_of_an_alist_name_the_file_once(tmp_path):
    write_alist(np.eye(3), tmp_path / "full.alist")
    with pytest.raises(ValueError, match=r"^\S*full\.alist: H of full has rank n = 3"):
        load_code(tmp_path / "full.alist")
    (tmp_path / "bad.alist").write_text("3 x\n")
    with pytest.raises(ValueError, match=r"^\S*bad\.alist, line 1: 'x' is not a whole number"):
        load_code(tmp_path / "bad.alist")


def test_save_code_refuses_what_load_code_would(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"path of a code file must end in \.toml, got .*c\.json"):
        save_code(hamming(3), tmp_path / "c.json")
    with pytest.raises(ValueError, match="witness must be the positions of the ones of a codeword"):
        save_code(hamming(3), tmp_path / "c.toml", witness=[0, 1])
    with pytest.raises(FileNotFoundError, match="create it first"):
        save_code(hamming(3), tmp_path / "none" / "c.toml")
    monkeypatch.setattr(codefile, "MAX_BYTES", 100)
    with pytest.raises(ValueError, match="hamming-7-4 is too large for a code file"):
        save_code(hamming(3), tmp_path / "c.toml")
    assert list(tmp_path.iterdir()) == []


# --- broken files

GOOD = {
    "name": '"rep"',
    "n": "3",
    "k": "1",
    "minimum_distance": "3",
    "weight_spectrum": '{ 0 = 1, "3" = "1" }',
    "witness": "[0, 1, 2]",
    "sha256": f'"{repetition(3).fingerprint}"',
    "G": '["111"]',
    "H": '["110", "101"]',
}


def written(path, **changes):
    says = {key: value for key, value in (GOOD | changes).items() if value is not None}
    path.write_text("\n".join(f"{key} = {value}" for key, value in says.items()) + "\n", encoding="utf-8")
    return path


def test_a_file_written_by_hand_is_read(tmp_path):
    code = load_code(written(tmp_path / "rep.toml"))
    assert code.minimum_distance == 3
    assert code.weight_spectrum() == (1, 0, 0, 1)
    least = written(tmp_path / "least.toml", minimum_distance=None, weight_spectrum=None, witness=None)
    assert load_code(least).minimum_distance is None


BROKEN = {
    "unknown key": ({"familly": '"bch"'}, r"familly: unknown key; did you mean family\?"),
    "endless key": ({"k" * 20_000: "1"}, "kkkk.*: unknown key"),
    "missing key": ({"sha256": None}, "sha256: missing"),
    "several problems": (
        {"n": None, "k": '"one"'},
        r"2 problems:\n  - n: missing\n  - k: must be a whole number, got 'one'",
    ),
    "true is no number": ({"n": "true"}, "n: must be a whole number, got True"),
    "zero": ({"k": "0"}, "k: must be greater than or equal to 1, got 0"),
    "huge n": ({"n": "1000000000"}, "n: must be less than or equal to 16384, got 1000000000"),
    "endless integer": ({"n": "0x" + "f" * 9000}, "n: .*got an integer beyond 64 bits"),
    "endless decimal": ({"n": "9" * 9000}, "is not valid TOML"),
    "wrong kind": ({"G": '"111"'}, "G: must be a list, got '111'"),
    "a table": ({"n": "{ a = 1 }"}, "n: must be a whole number"),
    "wrong digit": ({"G": '["112"]'}, r"G 1: String should match pattern '.*', got '112'"),
    "other digits": ({"G": '["11\u0661"]'}, r"G 1: String should match pattern"),
    "long row": (
        {"G": f'["{"1" * 20000}"]'},
        r"G 1: String should have at most 16384 characters, got '111.*\.\.\.",
    ),
    "short row": ({"H": '["110", "10"]'}, "row 2 of H has 2 digits, but n = 3"),
    "missing row": ({"k": "2"}, "G has 1 rows, but k = 2"),
    "no rows": ({"G": "[]"}, "G: must not be empty"),
    "changed matrix": ({"H": '["110", "011"]'}, "sha256 is .*, but G and H have .*: the file was edited"),
    "no hash": ({"sha256": '"abc"'}, "sha256: String should match pattern"),
    "contradictory": ({"H": '["110", "100"]'}, r"G H\^T of rep is not 0"),
    "checks missing": ({"H": '["110"]'}, "H of rep has rank 1, but n - k = 2"),
    "wrong spectrum": ({"weight_spectrum": "{ 0 = 1, 3 = 2 }"}, "the weight spectrum of rep must be n"),
    "weight beyond n": ({"weight_spectrum": "{ 0 = 1, 4 = 1 }"}, "weight_spectrum has weight 4, but n = 3"),
    "huge weight": (
        {"weight_spectrum": "{ 0 = 1, 999999999 = 1 }"},
        "weight_spectrum.*less than or equal to 16384",
    ),
    "wrong distance": ({"minimum_distance": "2"}, "minimum_distance is 2, but weight_spectrum starts at 3"),
    "witness of another weight": (
        {"minimum_distance": "2", "weight_spectrum": None},
        "witness has weight 3, but minimum_distance is 2",
    ),
    "witness no codeword": ({"witness": "[0, 1]"}, "witness must be the positions"),
    "witness beyond n": ({"witness": "[0, 1, 2, 3]"}, "witness must be the positions"),
    "witness twice": ({"witness": "[0, 1, 2, 2]"}, "witness must be the positions"),
    "negative witness": (
        {"witness": "[-1, 0, 1]"},
        r"witness 1: must be greater than or equal to 0",
    ),
    "deep nesting": ({"parameters": "{ a = " + "[" * 5000 + "]" * 5000 + " }"}, "nested too deeply"),
    "deep name": ({"a." * 3000 + "b": "1"}, "nested too deeply"),
    "nested parameters": ({"parameters": "{ a = { b = 1 } }"}, "parameters.a"),
    "twice": ({"name": '"a"\nname = "b"'}, r"is not valid TOML: Cannot overwrite a value \(at line 2"),
    "not TOML": ({"n": "3 ="}, r"is not valid TOML: .*line 2"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_are_refused_with_file_and_reason(tmp_path, case):
    changes, words = BROKEN[case]
    with pytest.raises(ValueError, match=words) as refused:
        load_code(written(tmp_path / "mine.toml", **changes))
    assert str(refused.value).startswith(str(tmp_path / "mine.toml"))
    assert len(str(refused.value)) < 1000 + len(str(tmp_path))


def test_a_file_with_many_faults_lists_the_first_fifty(tmp_path):
    with pytest.raises(ValueError, match=r"(?s)100 problems:.*G 50: .*\n  and 50 more$"):
        load_code(written(tmp_path / "mine.toml", G=str(["x"] * 100)))


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x00" * 100, b"n = 3\n\x80", b""], ids=repr)
def test_binary_junk_is_refused(tmp_path, content):
    path = tmp_path / "junk.toml"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"junk\.toml"):
        load_code(path)


def test_a_file_of_too_many_bytes_is_not_parsed(tmp_path, monkeypatch):
    path = written(tmp_path / "rep.toml")
    monkeypatch.setattr(codefile, "MAX_BYTES", path.stat().st_size - 1)
    with pytest.raises(ValueError, match=r"rep\.toml has more than \d+ bytes"):
        load_code(path)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_mutated_files_give_a_code_or_a_value_error(tmp_path_factory, data):
    path = written(tmp_path_factory.getbasetemp() / "mutated.toml")
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        stop = start + data.draw(st.integers(0, 4))
        content[start:stop] = data.draw(
            st.sampled_from(
                [b"", b"0", b"1", b'"', b"=", b"[", b"]", b"\n", b"{", b"e9", b".", b"-", b"\xff"]
            )
        )
    path.write_bytes(content)
    fingerprint = repetition(3).fingerprint
    try:
        found = load_code(path).fingerprint
    except ValueError as error:
        found, fingerprint = str(error)[: len(str(path))], str(path)
    assert found == fingerprint


@pytest.mark.parametrize(
    ("family", "parameters", "error", "words"),
    [
        ("bhc", {}, LookupError, "rep: no code family 'bhc'; did you mean bch"),
        ("custom", {}, LookupError, "rep: no code family 'custom'"),
        ("bch", {"k": 21}, ValueError, "rep: bch of a code: missing .*'n'; it takes n, k, d, polynomial"),
        ("hamming", {"r": 3, "s": 1}, ValueError, "hamming of a code: .*unexpected .*'s'"),
        ("hamming", {"r": 1}, ValueError, r"r must be in 2..14, got 1"),
    ],
)
def test_rebuilding_needs_a_builder_and_its_parameters(tmp_path, family, parameters, error, words):
    path = tmp_path / "rep.toml"
    save_code(dataclasses.replace(repetition(3), name="rep"), path, family=family, parameters=parameters)
    with pytest.raises(error, match=words):
        rebuild(code_file(path))


# --- studies


@pytest.fixture
def studies(tmp_path, monkeypatch):
    for name in ("optimal-b-15", "optimal-b-7", "other"):
        folder = tmp_path / "studies" / name
        folder.mkdir(parents=True)
        (folder / "study.toml").touch()
    (tmp_path / "studies" / "no-study").mkdir()
    monkeypatch.setattr(shipped, "__file__", str(tmp_path / "fecnn" / "_files" / "shipped.py"))
    return tmp_path / "studies"


def test_studies_are_the_folders_with_a_study(studies):
    assert study_names() == ["optimal-b-7", "optimal-b-15", "other"]
    assert study_path("other") == studies / "other" / "study.toml"


def test_unknown_studies_are_answered_with_the_nearest(studies):
    with pytest.raises(LookupError, match=r"unknown study 'optimal-b-8' \(.*\); did you mean optimal-b-7"):
        study_path("optimal-b-8")
    with pytest.raises(LookupError, match=r"unknown study 'no-study'.*such as ./my_study.toml"):
        study_path("no-study")


def test_a_study_of_ones_own_is_a_path(studies, monkeypatch):
    mine = studies / "other"
    (mine / "mine.toml").touch()
    assert study_path(mine) == mine / "study.toml"
    assert study_path(str(mine)) == mine / "study.toml"
    monkeypatch.chdir(mine)
    assert study_path("mine.toml") == Path("mine.toml")
    assert study_path(".") == Path("study.toml")
    for missing in ("yours.toml", "./none", studies / "no-study"):
        with pytest.raises(FileNotFoundError, match="there is no study file"):
            study_path(missing)


def test_the_shipped_studies_are_found():
    assert all(study_path(name).is_file() for name in study_names())


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_is_whole(name):
    family = FAMILIES[name]
    assert getattr(fecnn, name) is family.build
    code = family.build(**family.example)
    assert load_code({"family": name, **family.example}) == code
    assert code.n <= 64 or not family.example  # or a single code
    assert family.cites
    assert family.summary.endswith(".")
    for page in ("decoders", "public"):
        assert f"`{name}`" in (Path(__file__).parents[2] / f"docs/{page}.md").read_text(), page
