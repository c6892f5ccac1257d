"""Every decoder against its slow twin, on random codes and LLRs, easy and hostile."""

import re

import numpy as np
import oracles
import pytest
from decoding_cases import TRAINED, assert_most_likely, llrs, random_codes

import fecnn
from fecnn import Code
from fecnn.arrays import bpsk
from fecnn.decoders.registry import REGISTRY, decoder_names

EXACT = [
    ("ml", {"method": "codebook"}),
    ("ml", {"method": "trellis"}),
    ("ml", {"method": "search"}),
    ("slnn", {}),
    ("slnn", {"weights": "bipolar"}),
]


def words(code, bits):
    return code.encode(bits) if bits.shape[1] != code.n else bits


@pytest.mark.parametrize(("name", "options"), EXACT)
def test_exact_decoders_reach_the_best_correlation(name, options, rng):
    for code in random_codes(rng):
        decode = fecnn.decoder(name, code, **options)
        for kind, values in llrs(rng, code.n).items():
            llr = values.astype(np.float32)
            decided = words(code, decode(llr))
            assert_most_likely(code, llr, decided, kind)


def test_osd_of_order_k_is_maximum_likelihood(rng):
    for code in random_codes(rng):
        decode = fecnn.decoder("osd", code, order=code.k)
        for kind, values in llrs(rng, code.n).items():
            llr = values.astype(np.float32)
            best = oracles.correlations(code, llr).max(axis=1)
            scale = np.abs(llr).sum(axis=1) + 1e-300
            assert (np.abs(oracles.metric(decode(llr), llr) - best) <= 1e-12 * scale).all(), (code.name, kind)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_osd_equals_the_textbook_list(order, rng):
    for code in random_codes(rng, count=16):
        llr = rng.normal(0.5, 1, (20, code.n)).astype(np.float32)
        decided = fecnn.decoder("osd", code, order=min(order, code.k))(llr)
        assert (decided == oracles.osd(code, llr, min(order, code.k))).all(), code.name


def test_osd_ties_are_as_good_as_the_textbook_list(rng):
    for code in random_codes(rng, count=12):
        llr = np.sign(rng.normal(0.5, 1, (20, code.n))).astype(np.float32)
        decided = fecnn.decoder("osd", code, order=code.k)(llr)
        assert np.allclose(oracles.metric(decided, llr), oracles.metric(oracles.osd(code, llr, code.k), llr))


@pytest.mark.parametrize("n", [64, 65, 128, 129, 256])
def test_osd_of_long_codes(n, rng):
    """Several words of checks: errors only where the reliability is least, which order 0 must undo."""
    k = n // 3
    code = Code.from_generator(
        np.concatenate([np.eye(k, dtype=np.uint8), rng.integers(0, 2, (k, n - k), dtype=np.uint8)], axis=1)
    )
    codewords = code.encode(rng.integers(0, 2, (20, k), dtype=np.uint8))
    llr = bpsk(codewords) * rng.uniform(3, 4, codewords.shape)
    wrong = rng.permuted(np.tile(np.arange(n) < 5, (20, 1)), axis=1)
    llr = np.where(wrong, -0.1 * llr, llr).astype(np.float32)
    assert (fecnn.decoder("osd", code, order=1)(llr) == codewords).all()


@pytest.mark.parametrize("method", ["codebook", "trellis"])
def test_map_equals_sums_over_the_codebook(method, rng):
    for code in random_codes(rng):
        soft = fecnn.soft_decoder("map", code, method=method)
        for kind, values in llrs(rng, code.n).items():
            if kind in ("huge", "tiny"):
                continue
            llr = values.astype(np.float32)
            expected = oracles.app(code, llr, code.codebook())
            found = soft(llr)
            assert np.allclose(found, expected, rtol=1e-6, atol=2e-6), (code.name, kind)
            clear = np.abs(expected) > 1e-9
            decided = fecnn.decoder("map", code, bits="code", method=method)(llr)
            assert ((expected < 0) == decided)[clear].all()


def test_map_of_message_bits_and_mlnn_equal_sums_over_the_codebook(rng):
    for code in random_codes(rng):
        for kind in ("ordinary", "steep"):
            llr = llrs(rng, code.n)[kind].astype(np.float32)
            expected = oracles.app(code, llr, code.messages())
            clear = np.abs(expected) > 1e-9
            for name in ("map", "mlnn"):
                decided = fecnn.decoder(name, code, output="message")(llr)
                assert ((expected < 0) == decided)[clear].all(), (name, code.name, kind)


def test_map_is_stable_at_any_snr(rng):
    code = fecnn.load_code("bch-15-7")
    book = code.codebook()
    for ebn0_db in (-20, -5, 5, 15, 30):
        channel = fecnn.AWGN.at(ebn0_db, code.rate)
        llr = channel.transmit(code.encode(rng.integers(0, 2, (50, 7), dtype=np.uint8)), rng)
        expected = oracles.app(code, llr, book)
        for method in ("codebook", "trellis"):
            found = fecnn.soft_decoder("map", code, method=method)(llr)
            assert np.isfinite(found).all()
            assert np.allclose(found, expected, rtol=1e-6, atol=1e-5), (ebn0_db, method)


def test_map_of_a_constant_bit_is_certain():
    code = Code.from_generator([[1, 0, 1]])
    for method in ("codebook", "trellis"):
        assert fecnn.soft_decoder("map", code, method=method)(np.float32([1, -2, 3])).tolist() == [
            4.0,
            np.inf,
            4.0,
        ]


def test_trellis_is_minimal(rng):
    """Its states at each depth are counted by the dimensions of past and future subcodes (Forney 1988)."""
    from fecnn.decoders.ml import build_trellis, trellis_states

    for code in random_codes(rng):
        trellis = build_trellis(code)
        sizes = np.diff(trellis.first)
        book = code.codebook()
        for depth in range(code.n + 1):
            past = (book[:, depth:] == 0).all(axis=1).sum()
            future = (book[:, :depth] == 0).all(axis=1).sum()
            assert sizes[depth] * past * future == len(book)
        assert trellis_states(code) == sizes[1:].sum()


@pytest.mark.parametrize("t", [0, 1, 2])
def test_hard_equals_a_search_of_the_codebook(t, rng):
    for code in [c for c in random_codes(rng) if c.n > c.k]:
        distance = next(w for w, count in enumerate(code.weight_spectrum()) if w and count)
        if t > (distance - 1) // 2:
            continue  # beyond half the distance the nearest codeword is not unique
        llr = rng.normal(0.5, 1, (40, code.n)).astype(np.float32)
        assert (fecnn.decoder("hard", code, t=t)(llr) == oracles.bounded_distance(code, llr, t)).all()


def test_hard_uses_half_the_minimum_distance(rng):
    code = fecnn.load_code("bch-15-7")
    llr = rng.normal(0.5, 1, (200, 15)).astype(np.float32)
    assert (fecnn.decoder("hard", code)(llr) == oracles.bounded_distance(code, llr, 2)).all()


def test_hard_ml_is_at_least_distance(rng):
    for code in random_codes(rng):
        llr = rng.normal(0.5, 1, (40, code.n)).astype(np.float32)
        decided = fecnn.decoder("hard-ml", code)(llr)
        received = (llr < 0).astype(np.uint8)
        nearest = (code.codebook()[None] != received[:, None]).sum(axis=2).min(axis=1)
        assert not code.syndrome(decided).any()
        assert ((decided != received).sum(axis=1) == nearest).all()


@pytest.mark.parametrize(
    "name", ["ml", "near-ml", "slnn", "osd", "fs-osd", "pb-osd", "lc-osd", "map", "mlnn", "hard", "hard-ml"]
)
def test_contract(name):
    from fecnn.testing import check_decoder

    check_decoder(name)
    check_decoder(
        name, fecnn.golay(extended=False), fecnn.load_code("bch-15-7"), fecnn.single_parity_check(9)
    )


def test_contract_of_the_published_rule():
    from fecnn.testing import check_decoder

    check_decoder("pb-osd", rule="published")
    check_decoder("pb-osd", fecnn.golay(extended=False), fecnn.single_parity_check(9), rule="published")


def test_contract_of_a_plug_in():
    from fecnn.testing import check_decoder

    check_decoder("plugins:nearest_codeword")


@pytest.mark.parametrize(
    ("name", "clause"),
    [
        ("always_zero", "does not recover codewords"),
        ("favours_zero", "is not symmetric"),
        ("writes", "writes to its input"),
        ("batch_dependent", "other frames of its batch"),
        ("forgetful", "the second time"),
        ("worse_than_hard", "block errors, more than the"),
        ("stateful", "remembers what it decoded before"),
        ("unseeded", "remembers what|is not symmetric"),
        ("unseeded_factory", "built again|is not symmetric"),
        ("messages", "returns message bits of full-6, where n = k = 6"),
    ],
)
def test_contract_refuses(name, clause):
    """The negative controls: each breaks one clause."""
    from fecnn.errors import ContractError
    from fecnn.testing import check_decoder

    with pytest.raises(ContractError, match=clause):
        check_decoder(f"plugins:{name}")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("wrong_dtype", "must return a uint8 array"),
        ("wrong_shape", "must return shape"),
        ("not_bits", "bits 0 and 1, got 2"),
    ],
)
def test_what_a_plug_in_returns_is_checked(name, message):
    decode = fecnn.decoder(f"plugins:{name}", fecnn.hamming(3))
    with pytest.raises((TypeError, ValueError), match=message):
        decode(np.ones((3, 7), np.float32))


def test_entry_points_are_found(monkeypatch):
    import importlib.metadata as metadata

    entry = metadata.EntryPoint("nearest", "plugins:nearest_codeword", "fecnn.decoders")
    monkeypatch.setattr(
        "fecnn.decoders.registry.entry_points", lambda group: [entry] if group == entry.group else []
    )
    assert "nearest" in fecnn.decoder_names()
    decode = fecnn.decoder("nearest", fecnn.hamming(3))
    assert decode(np.ones(7, np.float32)).tolist() == [0] * 7


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda c: fecnn.decoder("osb", c), LookupError, "no decoder 'osb'; did you mean osd"),
        (lambda c: fecnn.decoder("no_such_module_x:f", c), LookupError, "no module 'no_such_module_x'"),
        (lambda c: fecnn.decoder("fecnn.codes.families:nothing", c), LookupError, "no function 'nothing'"),
        (lambda c: fecnn.decoder("osd", c, ordr=1), TypeError, "no option 'ordr'; did you mean order"),
        (lambda c: fecnn.decoder("osd", c, order=2.0), TypeError, "order must be a whole number, got 2.0"),
        (lambda c: fecnn.decoder("osd", c, order=None), TypeError, "order must be a whole number, got None"),
        (lambda c: fecnn.decoder("osd", c, order=True), TypeError, "order must be a whole number, got True"),
        (
            lambda c: fecnn.decoder("grand", c, queries=1 << 63),
            TypeError,
            "queries must be a number of 64 bits",
        ),
        (lambda c: fecnn.decoder("refusing", c, margin=10**400), TypeError, "margin must be a number of 64"),
        (lambda c: fecnn.decoder("scl", c, adaptive="yes"), TypeError, "adaptive must be true or false, got"),
        (lambda c: fecnn.decoder("hard-ml", c, t=1), TypeError, "no option 't'; it has none"),
        (
            lambda c: fecnn.decoder("osd", c, order=5),
            ValueError,
            r"order must be in 0..4 for hamming-7-4, got 5",
        ),
        (lambda c: fecnn.decoder("ml", c, method="magic"), ValueError, "trellis or search, got 'magic'"),
        (lambda c: fecnn.decoder("ml", c, nodes=0), ValueError, "nodes must be 1 or more, got 0"),
        (lambda c: fecnn.decoder("near-ml", c, z=-1.0), ValueError, "z must be 0 or more"),
        (lambda c: fecnn.decoder("fs-osd", c, z=-1.0), ValueError, "z must be 0 or more"),
        (
            lambda c: fecnn.decoder("pb-osd", c, rule="exact"),
            ValueError,
            "rule must be 'fixed' or 'published', got 'exact'",
        ),
        (
            lambda c: fecnn.decoder("pb-osd", c, rule="published", success=0),
            ValueError,
            r"success must be a probability in \(0, 1\], got 0",
        ),
        (lambda c: fecnn.decoder("map", c, bits="all"), ValueError, "message or code"),
        (lambda c: fecnn.decoder("hard", c, t=-1), ValueError, "t must be 0 or more"),
        (lambda c: fecnn.decoder("slnn", c, weights="ternary"), ValueError, "binary or bipolar"),
        (lambda c: fecnn.decoder("slnn", c, dtype="int8"), ValueError, "float32 or float64"),
        (lambda c: fecnn.decoder("ml", c.G), TypeError, "must be a fecnn.Code"),
        (lambda c: fecnn.decoder("ml", c)(np.ones(6)), ValueError, r"n = 7 values .* got shape \(6,\)"),
        (lambda c: fecnn.decoder("ml", c)([np.nan] * 7), ValueError, "NaN"),
        (lambda c: fecnn.decoder("ml", c)(["a"] * 7), TypeError, "real numbers"),
    ],
)
def test_mistakes_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call(fecnn.load_code("hamming-7-4"))


@pytest.mark.parametrize(
    ("name", "code", "options"),
    [
        ("ml", "bch-63-45", {"method": "codebook"}),
        ("ml", "bch-127-64", {"method": "trellis"}),
        ("map", "bch-127-64", {}),
        ("map", "polar-64-48", {"method": "trellis"}),
        ("slnn", "bch-31-26", {}),
        ("hard", "polar-128-64", {}),
        ("hard-ml", "bch-127-64", {}),
    ],
)
def test_what_is_out_of_reach_is_refused_with_an_alternative(name, code, options):
    code = fecnn.load_code(code)
    with pytest.raises(ValueError, match=r"use osd|osd for hard|or osd|use search|or search"):
        fecnn.decoder(name, code, **options)


def test_leading_axes_and_other_floats(rng):
    code = fecnn.hamming(3)
    llr = rng.normal(0, 1, (2, 3, 7))
    for name in ("ml", "mlnn"):
        decode = fecnn.decoder(name, code)
        whole = decode(llr)
        assert whole.shape[:2] == (2, 3)
        assert (whole[1, 2] == decode(llr[1, 2].astype(np.float32))).all()
    assert fecnn.soft_decoder("map", code)(llr).shape == (2, 3, 7)


def test_infinite_llrs_are_known_bits(rng):
    """Decoding with known bits is decoding among the codewords that have them."""
    code = fecnn.load_code("bch-15-7")
    book = code.codebook()
    codewords = code.encode(rng.integers(0, 2, (40, 7), dtype=np.uint8))
    llr = rng.normal(0, 2, (40, 15)).astype(np.float32)
    known = rng.permuted(np.tile(np.arange(15) < 3, (40, 1)), axis=1)
    llr = np.where(known, bpsk(codewords) * np.float32(np.inf), llr)
    decided = {name: fecnn.decoder(name, code, **o)(llr) for name, o in (("ml", {}), ("osd", {"order": 7}))}
    decided["trellis"] = fecnn.decoder("ml", code, method="trellis")(llr)
    for frame in range(40):
        allowed = book[(book[:, known[frame]] == codewords[frame, known[frame]]).all(axis=1)]
        finite = np.where(known[frame], 0, llr[frame]).astype(np.float64)
        best = allowed[(bpsk(allowed) @ finite).argmax()]
        for name, words_ in decided.items():
            assert (words_[frame] == best).all(), name
    app = fecnn.soft_decoder("map", code)(llr)
    assert (np.abs(app[known]) >= 1000).all()


def test_bounded_memory_networks_compute_the_same_function(rng, monkeypatch):
    import torch

    from fecnn.nets import codebook

    code = fecnn.load_code("bch-15-7")
    r = torch.from_numpy(rng.normal(0, 3, (50, 15)))
    slnn = codebook.SLNN(code)
    mlnn = codebook.MLNN(code, scale=0.7)
    logits, bits = slnn(r), mlnn(r)
    assert logits.shape == (50, 128)
    assert bits.shape == (50, 7)
    monkeypatch.setattr(codebook, "BLOCK", 10)
    assert (slnn.decide(r) == logits.argmax(dim=1)).all()
    assert torch.allclose(mlnn.blockwise(r), bits, rtol=1e-12, atol=0)
    assert (mlnn.decide(r) == (bits > 0.5)).all()


def test_networks_are_what_the_theorems_say(rng):
    """Binary weights that are the codebook, no hidden layer or one of 2^k; both forms agree."""
    import torch

    from fecnn.nets.codebook import MLNN, SLNN

    code = fecnn.load_code("hamming-7-4")
    slnn, bipolar, mlnn = SLNN(code), SLNN(code, weights="bipolar"), MLNN(code)
    assert {name: tuple(t.shape) for name, t in slnn.state_dict().items()} == {"codewords": (16, 7)}
    assert {name: tuple(t.shape) for name, t in mlnn.state_dict().items()} == {
        "hidden.codewords": (16, 7),
        "messages": (16, 4),
    }
    assert set(slnn.codewords.unique().tolist()) == {0, 1}
    assert set(bipolar.codewords.unique().tolist()) == {-1, 1}
    assert int(slnn.codewords.sum()) == 56
    r = torch.from_numpy(rng.normal(0, 3, (40, 7)))
    posterior = torch.softmax(slnn(r), dim=1)
    assert torch.allclose(posterior, torch.softmax(bipolar(r), dim=1), rtol=1e-12)
    log_weight = oracles.correlations(code, r.numpy()) / 2
    expected = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    assert np.allclose(posterior.numpy(), expected / expected.sum(axis=1, keepdims=True), rtol=1e-12)
    reloaded = SLNN(fecnn.load_code("hamming-7-4"))
    reloaded.load_state_dict(slnn.state_dict())
    assert reloaded.to(torch.device("cpu"))(r).equal(slnn(r))


def test_networks_equal_the_exact_decoders_frame_by_frame():
    """SLNN is exact ML and MLNN exact bit-wise MAP on BCH (31,21)."""
    from fecnn.channels.stream import FrameStream

    code = fecnn.load_code("bch-31-21")
    slnn, mlnn = fecnn.decoder("slnn", code), fecnn.decoder("mlnn", code)
    ml, app = fecnn.decoder("ml", code), fecnn.decoder("map", code)
    for ebn0_db in (0.0, 3.0):
        stream = FrameStream(f"equal {ebn0_db}", 0)
        codewords = code.encode(stream.messages(64, 21))
        llr = fecnn.AWGN.at(ebn0_db, code.rate).transmit(codewords, stream)
        assert (slnn(llr) == ml(llr)).all()
        assert (mlnn(llr) == app(llr)).all()


def test_memory_of_ml_on_bch_31_21_is_bounded():
    """Both methods, in a fresh process, stay under 1 GiB."""
    import subprocess
    import sys

    script = (
        "import numpy as np, fecnn\n"
        "code = fecnn.load_code('bch-31-21')\n"
        "for method in ('trellis', 'codebook'):\n"
        "    fecnn.decoder('ml', code, method=method)(np.ones((9, 31), np.float32))\n"
        "print(*[line.split()[1] for line in open('/proc/self/status') if 'VmHWM' in line])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1 << 20


def test_message_bits_where_n_is_k_are_refused():
    """Widths cannot tell message bits from code bits: code bits are the contract."""
    full = Code.from_generator(np.triu(np.ones((6, 6), np.uint8)), name="full")
    with pytest.raises(ValueError, match=r"returns message bits of full, where n = k = 6: .*as_output"):
        fecnn.decoder("plugins:messages", full)
    word = full.encode([1, 0, 1, 1, 0, 1])
    for name in ("ml", "map", "mlnn", "slnn", "osd", "hard", "plugins:nearest_codeword"):
        assert (fecnn.decoder(name, full)(8 * bpsk(word)) == word).all(), name
    fecnn.decoder("plugins:messages", fecnn.uncoded(4))  # the same bits either way


TINY = [
    fecnn.repetition(2), fecnn.repetition(3), fecnn.repetition(31), fecnn.repetition(128), fecnn.uncoded(1),
    fecnn.uncoded(4), fecnn.single_parity_check(3), fecnn.hamming(2), fecnn.hamming(3), fecnn.polar(2, 1),
    fecnn.polar(64, 1), Code.from_generator([[1, 0, 0], [0, 1, 0]], name="idle bit"),
]  # fmt: skip
NOT_FOR = {  # what a decoder is not made for, by what it says
    "aed": "power of two|as many automorphisms",
    "berlekamp-massey": "not a cyclic code",
    "chase2": "a table of",
    "fano": "power of two",
    "hard": "a table of",
    "hard-ml": "a table of",
    "list-viterbi": "no convolutional code|states, more than",
    "rpa": "no Reed-Muller code",
    "sc": "power of two",
    "scl": "power of two",
    "turbo-product": "not a product",
}


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("name", sorted({*REGISTRY} - TRAINED))
def test_defaults_build_on_tiny_codes(name, soft, rng):
    if soft and name not in decoder_names(soft=True):
        return
    for code in TINY:
        frames = 5 if code.n < 20 else 1  # the patterns of Chase's algorithm are 2^(d/2)
        words_ = code.encode(rng.integers(0, 2, (frames, code.k), dtype=np.uint8))
        make = fecnn.soft_decoder if soft else fecnn.decoder
        try:
            decode = make(name, code, fecnn.AWGN.at(3.0, code.rate))
        except ValueError as error:
            if re.search(NOT_FOR.get(name, "never"), str(error)):
                continue
            raise
        decided = decode(8 * bpsk(words_))
        decided = (decided < 0).astype(np.uint8) if soft else words(code, decided)
        assert (decided == words_).all(), code.name


@pytest.mark.parametrize("name", ["osd", "fs-osd", "pb-osd"])
def test_an_order_that_is_given_must_exist(name):
    with pytest.raises(ValueError, match=r"order must be in 0\.\.1 for repetition-3, got 2"):
        fecnn.decoder(name, fecnn.repetition(3), order=2)
