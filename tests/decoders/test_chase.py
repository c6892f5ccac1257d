"""Chase's second algorithm and Pyndiah's LLRs."""

import numpy as np
import oracles
import pytest
from decoding_cases import llrs, random_codes

import fecnn
from fecnn.arrays import bpsk
from fecnn.decoders.kernels import chase
from fecnn.testing import check_decoder


def half_distance(code):
    return (next(w for w, count in enumerate(code.weight_spectrum()) if w and count) - 1) // 2


@pytest.mark.kernel
def test_the_least_values_are_those_of_a_stable_sort(rng):
    for count in (1, 7, 40):
        for values in (rng.normal(0, 1, count), rng.integers(0, 3, count).astype(float), np.zeros(count)):
            for size in {0, 1, min(3, count), count}:
                places = np.empty(size, np.int64)
                chase._least(values, places)
                assert (places == np.argsort(values, kind="stable")[:size]).all()


@pytest.mark.kernel
def test_chase2_equals_the_textbook(rng):
    for code in random_codes(rng, count=20, longest=10):
        for positions in {0, 2, min(4, code.n)}:
            if positions > code.n:
                continue
            for kind, values in llrs(rng, code.n).items():
                llr = values[:8].astype(np.float32)
                decided = fecnn.decoder("chase2", code, positions=positions)(llr)
                expected = oracles.chase2(code, llr, positions, half_distance(code))
                scale = np.abs(llr).sum(axis=1)
                gap = oracles.metric(decided, llr) - oracles.metric(expected, llr)
                assert (np.abs(gap) <= 1e-6 * scale).all(), (code.name, kind)
                if kind == "ordinary":
                    assert (decided == expected).all(), code.name


def test_algebra_and_table_make_the_same_chase_decoder(rng, monkeypatch):
    code = fecnn.load_code("bch-31-16")
    codewords = code.encode(rng.integers(0, 2, (1000, 16), dtype=np.uint8))
    llr = fecnn.AWGN.at(2.0, code.rate).transmit(codewords, rng)
    for options in ({}, {"positions": 5, "t": 2}):
        table, table_app = (
            fecnn.decoder("chase2", code, **options),
            fecnn.soft_decoder("chase2", code, **options),
        )
        with monkeypatch.context() as patch:
            patch.setattr("fecnn.decoders.chase.MAX_CHECKS", 4)
            algebra = fecnn.decoder("chase2", code, **options)
            algebra_app = fecnn.soft_decoder("chase2", code, **options)
        (bits, effort), (others, other_effort) = table.measure(llr), algebra.measure(llr)
        assert (bits == others).all()
        assert (effort.uncertified == other_effort.uncertified).all()
        assert (table_app(llr) == algebra_app(llr)).all()


@pytest.mark.kernel
def test_all_positions_and_no_correction_list_every_codeword(rng):
    """Then chase2 is maximum likelihood, and its LLRs are max-log a-posteriori ones."""
    for code in [c for c in random_codes(rng, count=14, longest=9) if c.k > 1]:
        llr = rng.normal(0.5, 2, (10, code.n)).astype(np.float32)
        options = {"positions": code.n, "t": 0}
        decided = fecnn.decoder("chase2", code, **options)(llr)
        assert np.allclose(
            oracles.metric(decided, llr), oracles.correlations(code, llr).max(axis=1), rtol=1e-6
        )
        app = fecnn.soft_decoder("chase2", code, **options)(llr)
        for frame in range(10):
            expected = oracles.max_log_app(code.codebook(), llr[frame])
            differs = np.isfinite(expected)  # a constant bit has no rival
            assert np.allclose(app[frame][differs], expected[differs], rtol=1e-5, atol=1e-5)


@pytest.mark.kernel
def test_llrs_equal_the_textbook(rng):
    code = fecnn.load_code("bch-15-7")
    llr = rng.normal(0.8, 1, (60, 15)).astype(np.float32)
    seen = set()
    for positions, t in ((4, 2), (2, 1)):
        app = fecnn.soft_decoder("chase2", code, positions=positions, t=t, beta=0.3)(llr)
        for frame, values in enumerate(llr.astype(np.float64)):
            candidates = oracles.chase_candidates(code.codebook(), values, positions, t)
            if len(candidates) == 0:
                assert (app[frame] == llr[frame]).all()
                seen.add("none")
                continue
            expected = oracles.max_log_app(candidates, values)
            alone = ~np.isfinite(expected)
            best = candidates[oracles.metric(candidates, values).argmax()]
            agrees = (values < 0) == best
            lean = 0.3 * np.abs(values).mean() + np.where(agrees, np.abs(values), 0)
            expected[alone] = (lean * bpsk(best))[alone]
            assert ((app[frame] < 0) == best).all()
            seen |= set(alone.tolist())
            assert np.allclose(app[frame], expected, rtol=1e-5, atol=1e-5)
    assert seen == {"none", True, False}


def test_contract():
    check_decoder("chase2")
    check_decoder("chase2", fecnn.load_code("bch-15-7"), fecnn.golay(), positions=3)
    check_decoder("chase2", fecnn.load_code("bch-63-36"), positions=3)


def test_effort(rng):
    code = fecnn.load_code("bch-31-21")
    codewords = code.encode(rng.integers(0, 2, (500, 21), dtype=np.uint8))
    llr = fecnn.AWGN.at(1.0, code.rate).transmit(codewords, rng)
    bits, effort = fecnn.decoder("chase2", code, positions=3).measure(llr)
    clean = ~code.syndrome(llr < 0).any(axis=1)
    assert (effort.work == np.where(clean, 1, 8)).all()
    assert (effort.uncertified == code.syndrome(bits).any(axis=1)).all()


def test_64_patterns_on_bch_63_45_come_close_to_osd(rng):
    code = fecnn.load_code("bch-63-45")
    codewords = code.encode(rng.integers(0, 2, (8000, 45), dtype=np.uint8))
    llr = fecnn.AWGN.at(3.5, code.rate).transmit(codewords, rng)
    errors = {
        name: int((fecnn.decoder(name, code, **options)(llr) != codewords).any(axis=1).sum())
        for name, options in {"hard": {}, "chase2": {"positions": 6}, "osd": {"order": 2}}.items()
    }
    assert errors["osd"] < errors["chase2"] < 2.5 * errors["osd"]
    assert errors["hard"] > 10 * errors["chase2"]


@pytest.mark.parametrize(
    ("code", "options", "message"),
    [
        ("hamming-7-4", {"positions": 8}, r"positions must be in 0\.\.7 for hamming-7-4, got 8"),
        ("bch-31-16", {"positions": 21}, r"positions must be in 0\.\.20"),
        ("bch-127-64", {"t": 11}, r"t must be in 0\.\.10 for bch-127-64, got 11"),
        ("polar-128-64", {}, r"n - k = 64: a table of .*; use osd"),
    ],
)
def test_options_out_of_range_are_refused(code, options, message):
    with pytest.raises(ValueError, match=message):
        fecnn.decoder("chase2", fecnn.load_code(code), **options)
    with pytest.raises(ValueError, match="beta must be 0 or more, got -1"):
        fecnn.soft_decoder("chase2", fecnn.hamming(3), beta=-1)
