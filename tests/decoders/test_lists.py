"""Lists: exact where they say so, and of every decoder distinct codewords, best first, with their metrics."""

import copy
import pickle

import numpy as np
import oracles
import pytest
from decoding_cases import llrs, random_codes

import fecnn
from fecnn.decoders.contract import discrepancy
from fecnn.decoders.registry import REGISTRY, built_in, list_factory

NAMES = sorted(name for name in REGISTRY if built_in(name).lister)

GUESSERS = ("grand", "orbgrand", "sgrand")
"""They stop at a number of words, and the decision is the first."""

EXACT = [("ml", {}), ("lc-osd", {}), ("lc-osd", {"delta": 2}), ("osd", {"order": "k"}), ("sgrand", {})]


def noisy(code, frames, rng, ebn0_db=2.0):
    """Sent words and their LLRs."""
    sent = code.encode(rng.integers(0, 2, (frames, code.k), dtype=np.uint8))
    return sent, fecnn.AWGN.at(ebn0_db, code.rate).transmit(sent, rng)


def of(code, options):
    """Options for a code: an order of k is written as "k"."""
    return options | {"order": code.k} if options.get("order") == "k" else options


def suitable(name):
    """Codes on which a list decoder is tested."""
    codes = dict.fromkeys(("chase2", *GUESSERS), "bch-31-21") | {"scl": "polar-32-16"}
    return fecnn.load_code(codes.get(name, "bch-31-16"))


@pytest.mark.parametrize(("name", "options"), EXACT)
def test_an_exact_list_is_that_of_the_codebook(name, options):
    codes = [fecnn.bch(15, 7), fecnn.polar(16, 8), fecnn.reed_muller(2, 4), fecnn.repetition(5)]
    for code in codes:
        llr = np.random.default_rng(5).normal(0.5, 2, (40, code.n)).astype(np.float32)
        for size in (1, 3, (1 << code.k) + 2):
            words, metrics = fecnn.list_decoder(name, code, list=size, **of(code, options))(llr)
            expected, least = oracles.best(code, llr, size)
            known = expected.shape[1]
            assert np.array_equal(words[:, :known], expected)
            assert np.array_equal(metrics[:, :known], least.astype(np.float32))
            assert np.isinf(metrics[:, known:]).all()
            assert not words[:, known:].any()


@pytest.mark.kernel
@pytest.mark.parametrize(("name", "options"), EXACT)
def test_exact_lists_of_random_codes(rng, name, options):
    for code in random_codes(rng):
        decode = fecnn.list_decoder(name, code, list=6, **of(code, options))
        for kind, llr in llrs(rng, code.n).items():
            llr = llr.astype(np.float32)
            words, metrics = decode(llr)
            _, least = oracles.best(code, llr, 6)
            known = least.shape[1]
            assert np.allclose(metrics[:, :known], least, rtol=1e-6, atol=0), (code.name, kind)
            assert np.isinf(metrics[:, known:]).all()
            assert not code.syndrome(words.reshape(-1, code.n)).any()
            assert all(len({word.tobytes() for word in frame[:known]}) == known for frame in words)


@pytest.mark.parametrize(("name", "options"), EXACT)
@pytest.mark.parametrize("levels", [1, 2, 3])
def test_ties_are_listed_once_each(name, options, levels):
    code = fecnn.bch(15, 7)
    llr = np.random.default_rng(levels).integers(1 - levels, levels, (40, 15)).astype(np.float32)
    decode = fecnn.list_decoder(name, code, list=20, **of(code, options))
    words, metrics = decode(llr)
    assert np.array_equal(metrics, oracles.best(code, llr, 20)[1])
    assert all(len({word.tobytes() for word in frame}) == 20 for frame in words)
    assert np.array_equal(decode(llr[::-1])[0], words[::-1])


def test_an_exact_list_of_a_longer_code():
    """Two exact decoders that have nothing in common."""
    code = fecnn.load_code("bch-63-51")
    _, llr = noisy(code, 40, np.random.default_rng(2))
    words, metrics = fecnn.list_decoder("ml", code, list=30)(llr)
    others, same = fecnn.list_decoder("lc-osd", code, list=30)(llr)
    assert np.array_equal(words, others)
    assert np.array_equal(metrics, same)


def test_a_list_of_osd_is_of_its_order():
    """The flips of the basis by which the oracle's words differ are counted by re-encoding."""
    code = fecnn.bch(15, 7)
    _, llr = noisy(code, 40, np.random.default_rng(8), 0.0)
    for order in (0, 1, 2):
        words, _ = fecnn.list_decoder("osd", code, list=200, order=order)(llr)
        for frame, listed in zip(llr, words, strict=True):
            by_reliability = np.argsort(np.abs(frame), kind="stable")
            basis = oracles.most_reliable_basis(code.G, by_reliability[::-1])
            near = ((code.codebook() != (frame < 0))[:, basis]).sum(axis=1) <= order
            expected = {word.tobytes() for word in code.codebook()[near]}
            assert {word.tobytes() for word in listed[: len(expected)]} == expected


@pytest.mark.parametrize("name", NAMES)
def test_lists_hold_codewords_best_first_with_their_metrics(name):
    code = suitable(name)
    _, llr = noisy(code, 200, np.random.default_rng(1))
    words, metrics = fecnn.list_decoder(name, code, list=6)(llr)
    assert words.dtype == np.uint8
    assert metrics.dtype == np.float32
    assert words.shape == (200, 6, code.n)
    held = np.isfinite(metrics)
    assert held[:, 0].mean() > 0.8
    assert not code.syndrome(words.reshape(-1, code.n)).any()
    assert (metrics[:, :-1] <= metrics[:, 1:]).all()
    differs = words != (llr < 0)[:, None]
    own = (np.abs(llr.astype(np.float64))[:, None] * differs).sum(axis=2).astype(np.float32)
    assert np.array_equal(metrics[held], own[held])
    assert not words[~held].any()
    for frame, count in zip(words, held.sum(axis=1), strict=True):
        assert len({word.tobytes() for word in frame[:count]}) == count


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [1, 8])
def test_the_first_word_is_as_good_as_the_decision(name, size):
    code = suitable(name)
    _, llr = noisy(code, 300, np.random.default_rng(3), 1.0)
    options = {"list": size} if name == "scl" else {}
    decided, effort = fecnn.decoder(name, code, **options).measure(llr)
    words, metrics = fecnn.list_decoder(name, code, list=size)(llr)
    found = ~effort.uncertified if name in ("chase2", "scl") else np.ones(300, bool)
    assert np.array_equal(np.isfinite(metrics[:, 0]), found)
    if name in ("grand", "orbgrand") and size > 1:  # a later word may be likelier
        assert (metrics[:, 0] <= discrepancy(llr, decided).astype(np.float32)).all()
        assert (words[:, 0] == decided).all(axis=1).mean() < 1
        return
    assert np.array_equal(words[found, 0], decided[found])


@pytest.mark.parametrize("name", NAMES)
def test_shapes_follow_the_axes_of_the_llrs(name):
    code = suitable(name)
    _, llr = noisy(code, 6, np.random.default_rng(4))
    decode = fecnn.list_decoder(name, code, list=3)
    words, metrics = decode(llr)
    for shape in ((6,), (2, 3), (1, 6, 1)):
        again, same = decode(llr.reshape(*shape, code.n))
        assert np.array_equal(again, words.reshape(*shape, 3, code.n))
        assert np.array_equal(same, metrics.reshape(*shape, 3))
    again, same = decode(llr[2].astype(np.float64))
    assert np.array_equal(again, words[2])
    assert np.array_equal(same, metrics[2])
    none, nothing = decode(llr[:0])
    assert none.shape == (0, 3, code.n)
    assert nothing.shape == (0, 3)
    messages, same = fecnn.list_decoder(name, code, list=3, output="message")(llr)
    assert np.array_equal(messages, code.extract(words))
    assert np.array_equal(same, metrics)
    one, channel = fecnn.AWGN(0.5), fecnn.AWGN(0.25)
    assert np.array_equal(decode(llr, channel=channel)[0], decode.at(one)(llr)[0])


@pytest.mark.parametrize("name", NAMES)
def test_list_decoders_travel_and_compare(name):
    code = suitable(name)
    _, llr = noisy(code, 5, np.random.default_rng(4))
    decode = fecnn.list_decoder(name, code, list=4)
    for twin in (pickle.loads(pickle.dumps(decode)), copy.deepcopy(decode)):
        assert twin == decode
        assert hash(twin) == hash(decode)
        assert all(np.array_equal(*pair) for pair in zip(twin(llr), decode(llr), strict=True))
    assert decode != fecnn.list_decoder(name, code, list=5)
    assert decode != fecnn.decoder(name, code)
    assert repr(decode) == f"<list_decoder({name!r}, {code.name}, list=4)>"
    assert f"list decoder of {code.name}" in decode._repr_html_()


@pytest.mark.parametrize("name", NAMES)
def test_lists_do_not_favour_a_codeword(name):
    """Symmetry: the list of llr * bpsk(c) is that of llr, plus c."""
    code = suitable(name)
    sent, llr = noisy(code, 50, np.random.default_rng(6))
    words, metrics = fecnn.list_decoder(name, code, list=4)(llr)
    turned, same = fecnn.list_decoder(name, code, list=4)(llr * fecnn.bpsk(sent))
    assert np.array_equal(same, metrics)
    held = np.isfinite(metrics)
    assert np.array_equal((turned ^ sent[:, None])[held], words[held])


@pytest.mark.parametrize("name", NAMES)
def test_infinite_llrs_are_certain(name):
    code = suitable(name)
    sent, llr = noisy(code, 60, np.random.default_rng(7), 3.0)
    known = np.where(np.arange(code.n) % 5 == 0, np.inf, np.abs(llr)) * np.sign(llr)
    words, metrics = fecnn.list_decoder(name, code, list=5)(known)
    assert not np.isnan(metrics).any()
    assert (metrics[:, :-1] <= metrics[:, 1:]).all()
    held = np.isfinite(metrics)
    agree = (words == (known < 0)[:, None])[:, :, ::5].all(axis=2)
    assert agree[held].all()
    sure = fecnn.bpsk(sent) * np.float32(np.inf)
    words, metrics = fecnn.list_decoder(name, code, list=2)(sure)
    assert np.array_equal(words[:, 0], sent)
    assert not metrics[:, 0].any()
    assert np.isinf(metrics[:, 1]).all()


def test_large_and_small_llrs_are_told_apart():
    code = fecnn.bch(15, 7)
    rng = np.random.default_rng(9)
    llr = (rng.normal(1, 2, (50, 15)) * np.where(rng.random((50, 15)) < 0.2, 1e20, 1.0)).astype(np.float32)
    words, metrics = fecnn.list_decoder("ml", code, list=3)(llr)
    assert np.array_equal(words[:, 0], fecnn.decoder("ml", code, method="search")(llr))
    assert np.allclose(metrics, oracles.best(code, llr, 3)[1], rtol=1e-6)


def test_paths_of_scl_with_and_without_the_crc():
    code = fecnn.polar(32, 10, crc=6)
    sent, llr = noisy(code, 400, np.random.default_rng(10), 1.0)
    decided, effort = fecnn.decoder("scl", code, list=8).measure(llr)
    right = (decided == sent).all(axis=1)
    checked, metrics = fecnn.list_decoder("scl", code, list=8)(llr)
    every, all_metrics = fecnn.list_decoder("scl", code, list=8, checked=False)(llr)
    held = np.isfinite(metrics)
    assert np.array_equal(held.any(axis=1), ~effort.uncertified)
    assert np.isfinite(all_metrics).all()
    assert right.any()
    assert (checked == sent[:, None]).all(axis=2).any(axis=1)[right].all()
    passing = ~code.syndrome(every.reshape(-1, 32)).any(axis=1).reshape(400, 8)
    assert np.array_equal(passing.sum(axis=1), held.sum(axis=1))
    assert np.array_equal(every[passing], checked[held])
    assert 0 < held.sum() < held.size
    whole = fecnn.list_decoder("scl", fecnn.polar(16, 4, crc=6), list=16)
    small = fecnn.polar(16, 4, crc=6)
    llr = noisy(small, 50, np.random.default_rng(11))[1]
    assert np.array_equal(whole(llr)[0], oracles.best(small, llr, 16)[0])


def test_chase2_lists_what_its_patterns_find():
    code = fecnn.bch(15, 7)
    _, llr = noisy(code, 60, np.random.default_rng(12), 0.0)
    words, metrics = fecnn.list_decoder("chase2", code, list=20, positions=4)(llr)
    for frame, listed, prices in zip(llr, words, metrics, strict=True):
        weak = np.argsort(np.abs(frame), kind="stable")[:4]
        found = set()
        for pattern in range(16):
            flipped = (frame < 0).astype(np.uint8)
            flipped[weak[[(pattern >> i) & 1 == 1 for i in range(4)]]] ^= 1
            near = (code.codebook() != flipped).sum(axis=1) <= 2
            found |= {word.tobytes() for word in code.codebook()[near]}
        assert {word.tobytes() for word in listed[np.isfinite(prices)]} == found


@pytest.mark.parametrize("name", NAMES)
def test_the_sign_of_bit_llrs_over_a_list_is_its_first_word(name):
    """Max-log over the list: for each bit the least metric with a 1, less that with a 0."""
    code = suitable(name)
    _, llr = noisy(code, 100, np.random.default_rng(13))
    words, metrics = fecnn.list_decoder(name, code, list=16)(llr)
    ones = np.where(words == 1, metrics[:, :, None], np.inf).min(axis=1)
    zeros = np.where(words == 0, metrics[:, :, None], np.inf).min(axis=1)
    held = np.isfinite(metrics[:, 0])
    assert np.array_equal((ones < zeros)[held], words[held, 0] == 1)


def test_bit_llrs_over_all_codewords_are_those_of_osd():
    code = fecnn.hamming(3)
    llr = np.random.default_rng(14).normal(1, 2, (50, 7)).astype(np.float32)
    words, metrics = fecnn.list_decoder("ml", code, list=16)(llr)
    ones = np.where(words == 1, metrics[:, :, None], np.inf).min(axis=1)
    zeros = np.where(words == 0, metrics[:, :, None], np.inf).min(axis=1)
    assert np.allclose(ones - zeros, fecnn.soft_decoder("osd", code, order=4)(llr), atol=1e-5)


def test_a_list_that_cannot_be_had_is_refused_in_words():
    code = fecnn.hamming(3)
    with pytest.raises(LookupError, match="no list decoder 'bp'; known: chase2, grand, lc-osd, ml, or"):
        fecnn.list_decoder("bp", code)
    with pytest.raises(LookupError, match="did you mean lc-osd"):
        list_factory("lcosd")
    with pytest.raises(TypeError, match="a list decoder is the name of a built-in one, got function"):
        fecnn.list_decoder(lambda llr: llr, code)
    for size in (0, 4097, 2.0):
        with pytest.raises(ValueError, match=r"list must be in 1\.\.4096 words"):
            fecnn.list_decoder("ml", code, list=size)
    with pytest.raises(TypeError, match="decoder osd has no option 'ordr'; did you mean order"):
        fecnn.list_decoder("osd", code, ordr=2)
    with pytest.raises(ValueError, match=r"exact lists of ebch-128-64 .* use lc-osd or osd"):
        fecnn.list_decoder("ml", fecnn.load_code("ebch-128-64"))
    with pytest.raises(ValueError, match=r"delta must be in 1\.\.16"):
        fecnn.list_decoder("lc-osd", code, delta=0)
    with pytest.raises(ValueError, match="output must be code or message"):
        fecnn.list_decoder("ml", code, output="bits")
    with pytest.raises(TypeError, match=r"code must be a fecnn\.Code"):
        fecnn.list_decoder("ml", code.G)
    with pytest.raises(ValueError, match="NaN"):
        fecnn.list_decoder("ml", code)(np.full(7, np.nan, np.float32))
    with pytest.raises(ValueError, match="n = 7"):
        fecnn.list_decoder("ml", code)(np.ones(6, np.float32))
