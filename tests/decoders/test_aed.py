"""Automorphism ensemble decoding: its permutations, its choice, and how many errors it leaves."""

import math

import numpy as np
import oracles
import pytest

import fecnn
from fecnn.codes.groups import GROUPS, drawn, echelon
from fecnn.decoders.complexity import complexity
from fecnn.intervals import proportion_interval
from fecnn.studies.study import load_study
from fecnn.testing import check_decoder


def frames(code, ebn0_db, count, rng):
    channel = fecnn.AWGN.at(ebn0_db, code.rate)
    sent = code.encode(rng.integers(0, 2, (count, code.k), dtype=np.uint8))
    return sent, channel.transmit(sent, rng)


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("rm-32-16", "affine"),
        ("polar-64-32", "affine"),
        ("bch-31-16", "shifts"),
        ("ldpc-49-24", "shifts"),
        ("ccsds-128-64", "shifts"),
        ("ebch-64-36", "field"),
        ("ebch-128-64", "field"),
    ],
)
def test_permutations_map_codewords_to_codewords(name, group, rng):
    code = fecnn.load_code(name)
    places = drawn(code, 12, group, seed=3)
    assert len({place.tobytes() for place in places}) == 12
    assert (places[0] == np.arange(code.n)).all()
    words = code.encode(rng.integers(0, 2, (50, code.k), dtype=np.uint8))
    for place in places:
        moved = np.empty_like(words)
        for j in range(code.n):
            moved[:, place[j]] = words[:, j]
        assert not (moved @ code.H.T % 2).any()
    assert (places == drawn(code, 12, group, seed=3)).all()
    assert (places != drawn(code, 12, group, seed=4)).any()


def test_a_permutation_that_is_no_automorphism_is_not_used(monkeypatch):
    swapped = np.arange(32)
    swapped[:2] = 1, 0
    monkeypatch.setitem(GROUPS, "affine", lambda code, rng: iter([(swapped, b"")]))
    with pytest.raises(AssertionError, match="drawn for rm-32-16 is not an automorphism"):
        fecnn.decoder("aed", fecnn.load_code("rm-32-16"), group="affine")


@pytest.mark.parametrize(
    ("code", "group", "size"),
    [
        (fecnn.reed_muller(1, 3), "affine", 8 * 7 * 6 * 4),
        # x -> A x + b with two digits that may be added to each other, beside one of which that is not so.
        (fecnn.polar(8, 5, information_set=[3, 4, 5, 6, 7]), "affine", 8 * 6 * 4),
        (fecnn.bch(7, 4).extend(), "field", 8 * 7 * 3),
        (fecnn.bch(7, 4), "shifts", 7 * 3),
        (fecnn.load_code("ldpc-49-24"), "shifts", 49 * 3),
        (fecnn.load_code("ccsds-128-64"), "shifts", 16),
    ],
)
def test_a_group_has_its_size_and_is_drawn_evenly(code, group, size):
    draws = GROUPS[group](code, np.random.default_rng(1))
    count: dict[bytes, int] = {}
    for _ in range(60 * size):
        key = next(draws)[0].tobytes()
        count[key] = count.get(key, 0) + 1
    assert len(count) == size
    spread = np.array(list(count.values()))
    assert abs(((spread - 60) ** 2 / 60).sum() - size) < 6 * math.sqrt(2 * size)  # chi-square


def test_a_matrix_is_known_up_to_the_maps_that_sc_absorbs(rng):
    """Two maps have one echelon if and only if T A is the other: cosets of 8 * 6 / 2 of the 168 maps."""
    maps = [A for A in (rng.integers(0, 2, (3, 3)) for _ in range(400)) if echelon(A) is not None]
    assert len({tuple(echelon(A)) for A in maps}) == 168 // 24
    least = np.tril(np.ones((3, 3), int))
    swap = np.eye(3, dtype=int)[[1, 0, 2]]
    for A in maps:
        assert echelon(least @ A % 2) == echelon(swap @ A % 2) == echelon(A)
        assert abs(round(np.linalg.det(A))) % 2 == 1


@pytest.mark.parametrize(("name", "classes"), [("polar-64-32", 3), ("polar-128-64", 9), ("rm-32-16", 50)])
def test_sc_decides_alike_where_the_echelons_are_equal(name, classes, rng):
    code = fecnn.load_code(name)
    _, llr = frames(code, 1.0, 400, rng)
    decode = fecnn.decoder("sc", code)
    seen: dict[bytes, np.ndarray] = {}
    draws = GROUPS["affine"](code, rng)
    for _ in range(60):
        place, kind = next(draws)
        words = decode(llr[:, np.argsort(place)])[:, place]
        assert (seen.setdefault(kind, words) == words).all()
    different = len({words.tobytes() for words in seen.values()})
    assert different >= classes
    assert different == len(seen) or name == "polar-64-32"  # whose SC absorbs more maps than it must


@pytest.mark.parametrize("stop", ["proved", "codeword", "never"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("rm-32-16", {"decoder": "sc"}),
        ("rm-32-16", {"decoder": "scl", "list": 2}),
        ("bch-31-16", {"decoder": "bp", "iterations": 3}),
        ("bch-31-16", {"decoder": "hard"}),
    ],
)
def test_the_decision_is_that_of_the_textbook(name, options, stop, rng):
    code = fecnn.load_code(name)
    _, llr = frames(code, 1.0, 300, rng)
    bits, effort = fecnn.decoder("aed", code, ensemble=6, stop=stop, seed=5, **options).measure(llr)
    inner = dict(options)
    decode = fecnn.decoder(inner.pop("decoder"), code, **inner)
    words, tried = oracles.ensemble(code, llr, decode, drawn(code, 6, "auto", 5), stop == "codeword")
    assert (bits == words).all()
    assert (effort.uncertified == code.syndrome(bits).any(axis=1)).all()
    if stop == "proved":
        assert (effort.work <= tried).all()
        assert effort.work.min() == 1
        assert (bits == oracles.ml(code, llr))[effort.work < 6].all()
    else:
        assert (effort.work == tried).all()


def test_one_is_the_decoder_itself_and_more_is_better(rng):
    code = fecnn.load_code("polar-128-64")
    sent, llr = frames(code, 2.5, 6000, rng)
    wrong = [
        int((fecnn.decoder("aed", code, ensemble=size)(llr) != sent).any(axis=1).sum()) for size in (1, 9)
    ]
    assert (fecnn.decoder("aed", code, ensemble=1)(llr) == fecnn.decoder("sc", code)(llr)).all()
    assert wrong[1] < 0.85 * wrong[0]


def test_a_distance_that_is_not_known_proves_little(rng):
    known = fecnn.load_code("rm-32-16")
    code = fecnn.Code(known.G, known.H, name="rm-32-16 of unknown distance")
    _, llr = frames(code, 3.0, 500, rng)
    clean = ~code.syndrome(fecnn.hard(llr)).any(axis=1)
    bits, effort = fecnn.decoder("aed", code, ensemble=4).measure(llr)
    assert (effort.work == np.where(clean, 1, 4)).all()
    assert (bits == fecnn.decoder("aed", known, ensemble=4)(llr)).all()


@pytest.mark.slow
def test_32_sc_paths_of_rm_128_64_at_3_db():
    """Orientation: BLER 1.04e-3, and 9.2e-4 near ML. The counts are those of docs/decoders.md."""
    code, rng = fecnn.load_code("rm-128-64"), np.random.default_rng(5)
    decode, near, alone = (
        fecnn.decoder(name, code, **options)
        for name, options in (("aed", {"ensemble": 32}), ("near-ml", {}), ("sc", {}))
    )
    wrong = best = without = 0
    for _ in range(4):
        sent, llr = frames(code, 3.0, 20_000, rng)
        missed = (decode(llr) != sent).any(axis=1)
        wrong += int(missed.sum())
        best += int((near(llr[missed]) != sent[missed]).any(axis=1).sum())
        without += int((alone(llr) != sent).any(axis=1).sum())
    assert (wrong, without) == (85, 10_896)
    low, high = proportion_interval(wrong, 80_000)
    assert low < 1.04e-3 < high
    assert 0.75 < best / wrong <= 1


def test_a_network_is_an_ensemble_too(rng):
    pytest.importorskip("torch")
    code = fecnn.load_code("bch-31-16")
    channel = fecnn.AWGN.at(3.0, code.rate)
    sent, llr = frames(code, 3.0, 400, rng)
    decode = fecnn.decoder("aed", code, channel, decoder="ecct", ensemble=4)
    alone = (fecnn.decoder("ecct", code, channel)(llr) != sent).any(axis=1).sum()
    assert (decode(llr) != sent).any(axis=1).sum() < 0.9 * alone
    other = fecnn.AWGN.at(5.0, code.rate)
    again = fecnn.decoder("aed", code, other, decoder="ecct", ensemble=4)
    assert (decode.at(other)(llr) == again(llr)).all()


def test_contract():
    check_decoder("aed", fecnn.load_code("rm-32-16"), fecnn.load_code("polar-64-32"), ensemble=4)
    check_decoder("aed", fecnn.bch(7, 4), fecnn.load_code("ebch-64-36"), decoder="bp", ensemble=3)
    check_decoder("aed", fecnn.load_code("bch-31-16"), decoder="hard", stop="codeword")


def test_cost_is_that_of_its_decodings():
    code = fecnn.load_code("rm-32-16")
    one = complexity("aed", code, ensemble=1, decoder="scl", list=4)
    assert one.additions == complexity("scl", code, list=4).additions + 32
    assert complexity("aed", code, ensemble=8, decoder="scl", list=4).operations == 8 * one.operations
    assert complexity("aed", code, work=2.5, decoder="scl", list=4).operations == 2.5 * one.operations


@pytest.mark.parametrize(
    ("code", "options", "said"),
    [
        ("rm-32-16", {"ensemble": 0}, "ensemble must be 1 or more, got 0"),
        ("rm-32-16", {"seed": -1}, "seed must be 0 or more, got -1"),
        ("rm-32-16", {"stop": "soon"}, "stop must be proved, codeword or never, got 'soon'"),
        ("rm-32-16", {"group": "all"}, "group must be auto, affine, field, shifts, got 'all'"),
        ("rm-32-16", {"group": "field"}, "rm-32-16 has 1 known in the group field"),
        ("bch-15-7", {"decoder": "bp", "ensemble": 61}, "bch-15-7 has 60 known, with the identity"),
        ("bch-15-7", {"decoder": "bp", "ensemble": 1 << 62}, "bch-15-7 has 60 known, with the identity"),
        ("golay-24-12", {"decoder": "bp"}, "golay-24-12 has 1 known"),
    ],
)
def test_what_it_cannot_do_is_said(code, options, said):
    with pytest.raises(ValueError, match=said):
        fecnn.decoder("aed", fecnn.load_code(code), **options)


def test_options_of_the_other_decoder_are_its_own():
    code = fecnn.load_code("rm-32-16")
    with pytest.raises(TypeError, match="decoder sc has no option 'list'"):
        fecnn.decoder("aed", code, list=4)
    with pytest.raises(LookupError, match="no decoder 'scs'"):
        fecnn.decoder("aed", code, decoder="scs")


def study(tmp_path, options):
    path = tmp_path / "study.toml"
    path.write_text(
        'title = "t"\ncode = "bch-31-16"\nebn0_db = [3.0]\n'
        f'[[curve]]\ndecoder = "aed"\noptions = {{ {options} }}\n'
    )
    return load_study(path)


def test_a_study_pins_the_weights_of_a_network_inside(tmp_path):
    found = study(tmp_path, 'decoder = "ecct", ensemble = 2').points[0].task
    assert found.weights is not None
    assert found.weights.place == "ecct-bch-31-16"
    assert len(found.weights.sha256) == 64
    assert dict(found.options) == {"decoder": "ecct", "ensemble": 2}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ('decoder = "scl", lists = 4', "decoder scl has no option 'lists'"),
        ('decoder = "scl", list = "4"', "list must be a whole number, got"),
        ('ensemble = "4"', "ensemble must be a whole number, got"),
        ('decoder = "mine:decode"', "mine"),
        ('decoder = "./mine.py:decode"', "takes only decoders that ship with fecnn in a study"),
    ],
)
def test_a_study_checks_the_options_of_both(tmp_path, options, said):
    (tmp_path / "mine.py").write_text("def decode(code, channel=None, /):\n    return lambda llr: llr < 0\n")
    with pytest.raises(ValueError, match=said):
        study(tmp_path, options)
