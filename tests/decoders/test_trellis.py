"""Trellises, their bit orders, and what is computed on them and over the dual code, against slow twins."""

import dataclasses
import os
import subprocess
import sys

import numpy as np
import oracles
import pytest
from decoding_cases import assert_most_likely

import fecnn
from fecnn import Code
from fecnn.codes import gf2
from fecnn.codes.bit_order import (
    bit_order,
    search_bit_order,
    state_dimensions,
    trellis_states,
    with_message_bits,
)
from fecnn.codes.codefile import save_code
from fecnn.decoders.kernels import lanes, polynomials, trellis
from fecnn.decoders.trellis import build_trellis, minimum_span


def random_codes(rng, longest=20):
    """Every k of some lengths, zero and repeated columns, redundant checks, shuffled orders."""
    codes = []
    for n in (1, 2, 3, 5, 8, 13, 16, longest):
        for k in sorted({1, 2, n // 2, n - 1, n} - {0}):
            if k > n:
                continue
            G = rng.integers(0, 2, (k, n), dtype=np.uint8)
            G[:, :k] |= np.eye(k, dtype=np.uint8)  # full rank now and then only
            if k < n:
                G[:, -1] = rng.choice([0, 1]) * G[:, 0]
            if gf2.rank(G) < k:
                G[:, :k] = np.eye(k, dtype=np.uint8)
            codes.append(Code.from_generator(G, name=f"random {n},{k}"))
    redundant = np.array([[1, 1, 0, 1, 0], [1, 1, 0, 1, 0], [0, 0, 1, 1, 0], [1, 1, 1, 0, 0]], np.uint8)
    codes.append(Code.from_parity_check(redundant, name="redundant H"))
    return [
        dataclasses.replace(code, bit_order=tuple(rng.permutation(code.n).tolist())) if i % 2 else code
        for i, code in enumerate(codes)
    ]


def hostile(rng, n, frames=37):
    """37 frames: neither a multiple of the lanes nor less."""
    ordinary = rng.normal(0.7, 2.5, (frames, n))
    return {
        "ordinary": ordinary,
        "ties": np.round(ordinary),
        "equal magnitudes": np.sign(ordinary),
        "all zero": np.zeros((frames, n)),
        "erasures": ordinary * rng.integers(0, 2, (frames, n)),
        "huge": ordinary * 1e30,
        "tiny": ordinary * 1e-30,
        "subnormal": ordinary * 1e-40,
        "mixed scales": ordinary * 10.0 ** rng.integers(-30, 30, (frames, n)),
        "largest": np.sign(ordinary) * np.finfo(np.float32).max,
        "steep": ordinary * 100,
    }


def test_viterbi_reaches_the_best_correlation(rng):
    for code in random_codes(rng):
        decode = fecnn.decoder("ml", code, method="trellis")
        for kind, values in hostile(rng, code.n).items():
            llr = values.astype(np.float32)
            decided = decode(llr)
            assert_most_likely(code, llr, decided, kind)


def test_near_ties_break_as_in_float64(rng):
    """Two codewords whose correlations float32 cannot tell apart, by far less than its rounding."""
    for name in ("hamming-7-4", "bch-31-16", "polar-32-16"):
        code = fecnn.load_code(name)
        by_trellis = fecnn.decoder("ml", code, method="trellis")
        by_codebook = fecnn.decoder("ml", code, method="codebook")
        codewords = code.encode(rng.integers(0, 2, (64, code.k), dtype=np.uint8))
        other = codewords ^ code.G[code.G.sum(axis=1).argmin()]
        llr = rng.uniform(20, 30, codewords.shape) * fecnn.arrays.bpsk(codewords)
        differ = codewords != other
        llr[differ] = rng.uniform(0.5, 1.0, differ.sum()) * np.where(rng.random(differ.sum()) < 0.5, 1, -1)
        for frame in range(64):
            at = np.flatnonzero(differ[frame])[0]
            signs = fecnn.arrays.bpsk(codewords[frame]).astype(np.float64)
            rest = (signs * llr[frame].astype(np.float32))[differ[frame]][1:].sum()
            llr[frame, at] = -signs[at] * rest  # equally likely, except for the rounding of this one
        llr = llr.astype(np.float32)
        assert (by_trellis(llr) == by_codebook(llr)).all() or np.array_equal(
            oracles.metric(by_trellis(llr), llr), oracles.metric(by_codebook(llr), llr)
        )
        out, doubtful = np.empty(llr.shape, np.uint8), np.empty(64, np.bool_)
        trellis.viterbi(llr, build_trellis(code, bit_order(code)), out, doubtful)
        assert doubtful.mean() > 0.9


@pytest.mark.parametrize("name", ["hamming-7-4", "polar-16-8", "bch-31-11", "polar-32-16", "golay-24-12"])
def test_undoubted_words_of_float32_are_those_of_float64(name, rng):
    code = fecnn.load_code(name)
    minimal = build_trellis(code, bit_order(code))
    for frames in (1, 15, 16, 17, 1000):
        llr = rng.normal(1, 1.5, (frames, code.n)).astype(np.float32)
        out, doubtful = np.empty(llr.shape, np.uint8), np.empty(frames, np.bool_)
        trellis.viterbi(llr, minimal, out, doubtful)
        exact = np.empty(llr.shape, np.uint8)
        trellis.viterbi_float64(llr, minimal, exact)
        assert (out == exact)[~doubtful].all()
        assert doubtful.mean() < 0.1


@pytest.mark.parametrize("method", ["trellis", "dual"])
def test_map_equals_sums_over_the_codebook(method, rng):
    for code in random_codes(rng, longest=14):
        if code.k > 12:
            continue
        soft = fecnn.soft_decoder("map", code, method=method)
        hard = fecnn.decoder("map", code, method=method, bits="code")
        for kind, values in hostile(rng, code.n).items():
            llr = values.astype(np.float32)
            if kind in ("huge", "largest", "mixed scales", "steep"):
                assert not np.isnan(soft(llr)).any()
                hard(llr)
                continue
            expected = oracles.app(code, llr, code.codebook())
            found = soft(llr)
            right = np.isfinite(expected)
            if method == "dual":
                right &= (np.abs(expected) < 20) & (np.abs(expected - llr) < 18)
            right |= np.isinf(expected) & (method == "trellis")
            assert np.allclose(found[right], expected[right], rtol=1e-6, atol=1e-5), (code.name, kind)
            clear = np.abs(expected) > 1e-9
            assert ((expected < 0) == hard(llr))[clear].all(), (code.name, kind)


def test_steep_posteriors_are_exact_on_the_trellis(rng):
    """Through all three tiers: float32 to about 50, float64 to about 600, and the log domain beyond."""
    code = fecnn.load_code("bch-15-7")
    for scale in (1, 5, 20, 100, 1000, 1e6):
        llr = (rng.normal(1, 1, (50, 15)) * scale).astype(np.float32)
        expected = oracles.app(code, llr, code.codebook())
        found = fecnn.soft_decoder("map", code, method="trellis")(llr)
        assert np.allclose(found, expected, rtol=1e-6, atol=1e-5), scale
        for method in ("trellis", "dual"):
            decided = fecnn.decoder("map", code, method=method, bits="code")(llr)
            clear = np.abs(expected) > 1e-9 * scale
            assert ((expected < 0) == decided)[clear].all(), (scale, method)


@pytest.mark.parametrize("name", ["bch-31-21", "bch-63-51", "polar-64-32"])
def test_tiers_of_bcjr_agree_at_any_snr(name, rng):
    code = fecnn.load_code(name)
    minimal = build_trellis(code, bit_order(code))
    for ebn0_db in (-5, 0, 5, 10, 15):
        words = code.encode(rng.integers(0, 2, (20, code.k), dtype=np.uint8))
        llr = fecnn.AWGN.at(ebn0_db, code.rate).transmit(words, rng)
        exact = np.empty(llr.shape)
        trellis.bcjr_logarithmic(llr, minimal, exact)
        for precision in (np.float32, np.float64):
            app, doubtful = np.empty(llr.shape, precision), np.empty(len(llr), np.bool_)
            trellis.bcjr(llr.astype(precision), minimal, 0.0, app, doubtful)
            assert np.allclose(app[~doubtful], exact[~doubtful], rtol=1e-6, atol=1e-5), ebn0_db
            assert ebn0_db > 0 or not doubtful.any()
        found = fecnn.soft_decoder("map", code, method="trellis")(llr)
        assert np.allclose(found, exact, rtol=1e-6, atol=1e-5), ebn0_db


def test_dual_and_trellis_agree_where_the_codebook_is_out_of_reach(rng):
    code = fecnn.load_code("bch-63-51")
    for ebn0_db in (0.0, 4.0, 8.0):
        words = code.encode(rng.integers(0, 2, (40, code.k), dtype=np.uint8))
        llr = fecnn.AWGN.at(ebn0_db, code.rate).transmit(words, rng)
        llr[:, :3] = 0
        by_trellis = fecnn.soft_decoder("map", code, method="trellis")(llr)
        by_dual = fecnn.soft_decoder("map", code, method="dual")(llr)
        near = (np.abs(by_trellis) < 20) & (np.abs(by_trellis - llr) < 18)
        assert np.allclose(by_dual[near], by_trellis[near], atol=2e-5)
        assert np.isfinite(by_dual).all()
        assert np.abs(by_dual - llr).max() < 40  # where it no longer knows it saturates
        for bits in ("code", "message"):
            decided = [fecnn.decoder("map", code, method=m, bits=bits)(llr) for m in ("trellis", "dual")]
            assert (decided[0] == decided[1]).all()


def test_a_frame_that_underflows_everywhere_is_doubtful(rng):
    """Far from any codeword the float32 sums are all 0: no NaN of theirs may pass."""
    for name in ("polar-64-32", "polar-128-96", "bch-63-57"):
        code = fecnn.load_code(name)
        minimal = build_trellis(code, bit_order(code))
        for strength in (10, 40, 90, 300):
            llr = (strength * np.sign(rng.normal(size=(33, code.n)))).astype(np.float32)
            app, doubtful = np.empty(llr.shape, np.float32), np.empty(33, np.bool_)
            for margin in (0.0, 1e-4):
                trellis.bcjr(llr, minimal, margin, app, doubtful)
                assert np.isfinite(app[~doubtful]).all()
            if code.n == 64:
                found = fecnn.soft_decoder("map", code, method="trellis")(llr)
                exact = np.empty((2, code.n))
                trellis.bcjr_logarithmic(llr[:2], minimal, exact)
                assert np.allclose(found[:2], exact, rtol=1e-6, atol=1e-5)


def test_known_and_contradictory_bits(rng):
    code = fecnn.load_code("hamming-7-4")
    llr = rng.normal(0, 2, (30, 7))
    llr[:, :2] = np.inf
    llr[15:, 2:7] = np.inf * np.sign(rng.normal(size=(15, 5)))  # mostly no codeword
    expected = oracles.app(code, fecnn.arrays.as_llr(llr, 7), code.codebook())
    for method in ("trellis", "dual"):
        decided = fecnn.decoder("map", code, method=method, bits="code")(llr)
        assert ((expected < 0) == decided)[np.abs(expected) > 1e-6].all(), method
        assert not np.isnan(fecnn.soft_decoder("map", code, method=method)(llr)).any()


def test_message_bits_that_no_code_bit_carries(rng):
    for code in [*random_codes(rng, longest=12), fecnn.load_code("polar-16-8")]:
        if code.k > 10:
            continue
        longer, positions = with_message_bits(code)
        assert (longer.codebook()[:, positions] == code.messages()).all()
        assert (longer.codebook()[:, : code.n] == code.codebook()).all()
        llr = rng.normal(0.5, 1.5, (40, code.n)).astype(np.float32)
        expected = oracles.app(code, llr, code.messages())
        decided = fecnn.decoder("map", code, output="message", method="trellis")(llr)
        assert ((expected < 0) == decided)[np.abs(expected) > 1e-9].all(), code.name


def test_batches_do_not_matter(rng):
    code = fecnn.load_code("polar-32-16")
    llr = rng.normal(1, 1.2, (50, 32)).astype(np.float32)
    for decode in (
        fecnn.decoder("ml", code, method="trellis"),
        fecnn.decoder("map", code, method="trellis"),
        fecnn.soft_decoder("map", code, method="trellis"),
        fecnn.soft_decoder("map", code, method="dual"),
    ):
        whole = decode(llr)
        for size in (1, 7, 16, 33):
            parts = [decode(llr[i : i + size]) for i in range(0, 50, size)]
            assert (np.concatenate(parts) == whole).all()
        assert decode(llr[:0]).shape == (0, *whole.shape[1:])


def test_trellises_of_any_order_are_minimal_and_hold_the_code(rng):
    for code in random_codes(rng, longest=10):
        if code.k > 10:
            continue
        order = rng.permutation(code.n)
        minimal = build_trellis(code, order)
        book = code.codebook()[:, order]
        sizes = np.diff(minimal.first)
        for depth in range(code.n + 1):
            past = (book[:, depth:] == 0).all(axis=1).sum()
            future = (book[:, :depth] == 0).all(axis=1).sum()
            assert sizes[depth] * past * future == len(book)
        assert (sizes == 2 ** state_dimensions(code, order)).all()
        assert trellis_states(code, order) == sizes[1:].sum()
        paths = {(0, ())}
        for t in range(code.n):
            rows = minimal.previous[minimal.first[t + 1] : minimal.first[t + 2]]
            paths = {
                (s, (*word, bit))
                for state, word in paths
                for s, origins in enumerate(rows)
                for bit in (0, 1)
                if origins[bit] == state
            }
        assert {word for _, word in paths} == {tuple(word) for word in book.tolist()}


def test_minimum_span(rng):
    for code in random_codes(rng):
        rows = minimum_span(code.G)
        starts = rows.argmax(axis=1)
        ends = rows.shape[1] - 1 - rows[:, ::-1].argmax(axis=1)
        assert len(set(starts)) == len(set(ends)) == code.k
        assert gf2.rank(np.concatenate([rows, code.G])) == gf2.rank(rows) == code.k


@pytest.mark.parametrize(
    ("name", "states"),
    [("polar-16-8", 82), ("bch-31-16", 4670), ("bch-31-21", 5790), ("polar-64-32", 10318)],
)
def test_stored_orders_keep_trellises_small(name, states):
    code = fecnn.load_code(name)
    assert code.bit_order is not None
    assert trellis_states(code, code.bit_order) <= states
    plain = dataclasses.replace(code, bit_order=None)
    assert plain.fingerprint == code.fingerprint


def test_a_search_is_repeatable_and_never_worse_than_the_natural_order():
    code = fecnn.load_code("bch-15-7")
    found = search_bit_order(code, steps=3000)
    assert sorted(found) == list(range(15))
    assert found == search_bit_order(code, steps=3000)
    assert trellis_states(code, found) < trellis_states(code)
    plain = dataclasses.replace(fecnn.load_code("polar-64-32"), bit_order=None)
    assert trellis_states(plain, bit_order(plain)) == 10317


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ((0, 1, 2, 3, 4, 5), "each position 0 to 6 once, got 6 entries, 6 of them distinct"),
        ((0, 1, 2, 3, 4, 5, 5), "got 7 entries, 6 of them distinct"),
        ((1, 2, 3, 4, 5, 6, 7), "each position 0 to 6 once"),
    ],
)
def test_a_bit_order_must_be_a_permutation(order, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        dataclasses.replace(fecnn.hamming(3), bit_order=order)
    path = tmp_path / "mine.toml"
    save_code(dataclasses.replace(fecnn.hamming(3), bit_order=(6, 5, 4, 3, 2, 1, 0)), path)
    assert fecnn.load_code(path).bit_order == (6, 5, 4, 3, 2, 1, 0)
    path.write_text(path.read_text().replace("[6, 5, 4, 3, 2, 1, 0]", str(list(order))))
    with pytest.raises(ValueError, match=words) as refused:
        fecnn.load_code(path)
    assert str(refused.value).startswith(str(path))


def test_polynomials():
    x = np.linspace(-700, 700, 20001)
    values = np.array([polynomials.exp(v) for v in x])
    assert np.allclose(values, np.exp(x), rtol=1e-14, atol=0)
    logs = np.array([polynomials.log(v) for v in values])
    assert np.allclose(logs, np.log(values), rtol=1e-15, atol=1e-15)
    assert polynomials.exp(-1e6) == polynomials.exp(-700.0)


def test_rows_start_on_a_cache_line():
    for dtype, width in ((np.float32, 16), (np.float64, 8), (np.int32, 16)):
        array = lanes.rows(5, dtype)
        assert array.shape == (5, width)
        assert array.ctypes.data % 64 == 0


def test_kernels_run_without_the_jit(tmp_path):
    """What is written in LLVM has a plain twin: the same results, slowly."""
    script = (
        "import sys, numpy as np, fecnn\n"
        "llr = np.load(sys.argv[1])\n"
        "code = fecnn.hamming(3)\n"
        "np.savez(sys.argv[2],\n"
        "    ml=fecnn.decoder('ml', code, method='trellis')(llr),\n"
        "    bcjr=fecnn.soft_decoder('map', code, method='trellis')(llr),\n"
        "    dual=fecnn.soft_decoder('map', code, method='dual')(llr))\n"
    )
    llr = np.random.default_rng(1).normal(1, 2, (19, 7)).astype(np.float32)
    llr[5] *= 40
    np.save(tmp_path / "llr.npy", llr)
    code = fecnn.hamming(3)
    expected = {
        "ml": fecnn.decoder("ml", code, method="trellis")(llr),
        "bcjr": fecnn.soft_decoder("map", code, method="trellis")(llr),
        "dual": fecnn.soft_decoder("map", code, method="dual")(llr),
    }
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    arguments = [str(tmp_path / "llr.npy"), str(tmp_path / "plain.npz")]
    subprocess.run([sys.executable, "-c", script, *arguments], check=True, env=environment)
    plain = np.load(tmp_path / "plain.npz")
    assert (plain["ml"] == expected["ml"]).all()
    for name in ("bcjr", "dual"):
        near = np.abs(expected[name]) < 20
        assert np.allclose(plain[name][near], expected[name][near], rtol=1e-6, atol=1e-5)


def test_arrays_that_are_not_contiguous_do_not_compile():
    from numba.core.errors import TypingError

    minimal = build_trellis(fecnn.hamming(3))
    llr = np.ones((40, 7), np.float32, order="F")
    with pytest.raises(TypingError, match="C-contiguous"):
        trellis.viterbi(llr, minimal, np.empty((40, 7), np.uint8), np.empty(40, np.bool_))


@pytest.mark.parametrize(
    ("decoder", "code", "scale", "compiled"),
    [
        ("map", "bch-31-16", 1, [1, 0, 0]),
        ("map", "bch-31-16", 0, [2, 0, 0]),  # float32 cannot tell a sign
        ("map", "hamming-7-4", 0, [1, 0, 0]),  # sixteen codewords are as easily summed
        ("ml", "hamming-7-4", 1, [0, 0, 0]),
        ("ml", "hamming-7-4", 0, [0, 0, 1]),  # a tie
    ],
)
def test_the_ways_of_rare_frames_are_compiled_when_there_is_one(decoder, code, scale, compiled):
    script = (
        "import fecnn, numpy as np; from fecnn.decoders.kernels import trellis\n"
        f"code = fecnn.load_code({code!r})\n"
        f"llr = {scale} * fecnn.bpsk(code.codebook()[:20]) * np.linspace(1, 40, code.n, dtype=np.float32)\n"
        f"fecnn.decoder({decoder!r}, code, method='trellis')(llr)\n"
        "kernels = trellis.bcjr, trellis.bcjr_logarithmic, trellis.viterbi_float64\n"
        "print(*(len(kernel.signatures) for kernel in kernels))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert [int(count) for count in done.stdout.split()] == compiled
