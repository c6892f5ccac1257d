"""Exact decoding on the trellis of tail-biting codes."""

import numpy as np
import pytest
from decoding_cases import SMALL, assert_most_likely, llrs
from scipy.special import logsumexp

import fecnn
from fecnn import Code
from fecnn.codes.convolutional import tail_biting_taps
from fecnn.decoders import map as by_bit
from fecnn.decoders import ml
from fecnn.decoders.complexity import complexity

CODES = [
    fecnn.tailbiting(6, (0o5, 0o7)),
    fecnn.tailbiting(4, (0o23, 0o35)),  # the register holds the whole message
    fecnn.tailbiting(5, (0o13, 0o15, 0o17)),
    fecnn.tailbiting(9, (0o3, 0o1)),
    Code.from_generator(
        np.roll(np.eye(6, 12, dtype=np.uint8).repeat(2, axis=1)[:, :12], 3, axis=1), name="late"
    ),
]


@pytest.mark.kernel
def test_decisions_are_most_likely(rng):
    for code in CODES[: 2 if SMALL else None]:
        decode = fecnn.decoder("ml", code, method="tail-biting")
        for kind, values in llrs(rng, code.n).items():
            llr = values.astype(np.float32)
            bits, effort = decode.measure(llr)
            assert_most_likely(code, llr, bits, kind)
            memory = tail_biting_taps(code).shape[1] - 1
            assert ((effort.work >= 1) & (effort.work <= 1 + 2**memory)).all()
            assert not effort.uncertified.any()


@pytest.mark.parametrize("polynomials", [(0o133, 0o171), (0o515, 0o677)], ids=str)
def test_decisions_are_those_of_the_search(polynomials, rng):
    """At 0.5 dB many frames need more than one pass."""
    code = fecnn.tailbiting(40, polynomials)
    assert ml.chosen(fecnn.tailbiting(64, polynomials)) == "tail-biting"
    words = code.encode(rng.integers(0, 2, (500, 40), dtype=np.uint8))
    llr = fecnn.AWGN.at(0.5, 0.5).transmit(words, rng)
    bits, effort = fecnn.decoder("ml", code, method="tail-biting").measure(llr)
    assert (bits == fecnn.decoder("ml", code, method="search")(llr)).all()
    assert 0.1 < (effort.work > 1).mean() < 0.9


def test_only_shifts_are_taken_for_tail_biting_codes(rng):
    for code in CODES:
        assert tail_biting_taps(code) is not None
    assert tail_biting_taps(fecnn.tailbiting(20, (0o133, 0o171))).tolist() == [
        [1, 0, 1, 1, 0, 1, 1],
        [1, 1, 1, 1, 0, 0, 1],
    ]
    for code in (fecnn.hamming(3), fecnn.uncoded(4), fecnn.convolutional(8, (0o5, 0o7)), fecnn.polar(16, 8)):
        assert tail_biting_taps(code) is None
    with pytest.raises(
        ValueError, match=r"ml by tail-biting of polar-16-8 .* is out of reach; use codebook or"
    ):
        fecnn.decoder("ml", fecnn.polar(16, 8), method="tail-biting")


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.name)
@pytest.mark.parametrize("factor", [1, 30, 3000])
def test_soft_decisions_are_those_of_sums_over_the_codebook(code, factor, rng):
    """Also where probabilities underflow, and in the log domain alone."""
    sent = code.encode(rng.integers(0, 2, (60, code.k), dtype=np.uint8))
    llr = np.float32(factor) * fecnn.AWGN.at(1.0, 0.5).transmit(sent, rng)
    llr[:20, :2] = np.where(sent[:20, :2], -np.inf, np.inf)  # certain bits
    llr[20:30, ::3] = 0.0
    log_likelihoods = np.where(np.isinf(llr), np.sign(llr) * 1e6, llr).astype(float) @ (
        0.5 - code.codebook().T.astype(float)
    )
    for bits, words in (("code", code.codebook()), ("message", code.messages())):
        one = np.where(words[None], log_likelihoods[:, :, None], -np.inf)
        zero = np.where(words[None], -np.inf, log_likelihoods[:, :, None])
        exact = logsumexp(zero, axis=1) - logsumexp(one, axis=1)
        app = by_bit._by_tail_biting(code, bits)(llr)
        # A certain bit stood for by 1e6 here.
        assert np.allclose(np.clip(app, -1e5, 1e5), np.clip(exact, -1e5, 1e5), rtol=1e-6, atol=1e-6)
        assert np.array_equal(
            fecnn.decoder("map", code, bits=bits, method="tail-biting", output="message")(llr)
            if bits == "message"
            else fecnn.decoder("map", code, bits=bits, method="tail-biting")(llr),
            (app < 0).astype(np.uint8),
        )


def test_soft_decisions_of_large_memory(rng):
    """The trellis of the block code has 2^16 states and more at each of 128 bits: out of reach."""
    code = fecnn.tailbiting(64, (0o561, 0o753))
    assert by_bit.chosen(code, "code", "auto") == by_bit.chosen(code, "message", "auto") == "tail-biting"
    short = fecnn.tailbiting(16, (0o561, 0o753))
    llr = fecnn.AWGN.at(1.0, 0.5).transmit(np.zeros((10, 32), np.uint8), rng)
    found, wanted = (fecnn.soft_decoder("map", short, method=it)(llr) for it in ("tail-biting", "codebook"))
    assert np.allclose(found, wanted, rtol=1e-5, atol=1e-5)


def test_the_cost_of_soft_decisions():
    """4 states, 10 steps: 32 pairs of a window and a first state."""
    code = fecnn.tailbiting(10, (0o5, 0o7))
    cost = complexity("map", code, bits="code", method="tail-biting")
    assert cost.multiplications == 10 * (3 * 32 + 2 * 16 + 8)
    assert cost.additions == 10 * (2 * 16 + 32 + 8 * 3 + 8 * 2)
    assert cost.exponentials == 10 * (8 + 4)
    assert cost.comparisons == 10 * (32 + 6) + 20


def test_the_cost_of_a_pass():
    """Two branches into each of 4 states in 10 steps; their prices are sums over two outputs."""
    code = fecnn.tailbiting(10, (0o5, 0o7))
    one, three = (complexity("ml", code, method="tail-biting", work=work) for work in (1, 3))
    assert one.additions == 2 * 4 * 10 * 2 + 2 * 4 * 10
    assert three.additions - one.additions == 2 * 2 * 4 * 10
    assert one.comparisons == 4 * 10 + 4
    with pytest.raises(ValueError, match="by tail-biting depends on the noise: give its measured work"):
        complexity("ml", code, method="tail-biting")
