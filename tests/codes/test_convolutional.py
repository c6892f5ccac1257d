"""Convolutional codes against a shift register, another implementation, tables and published counts."""

import numpy as np
import pytest

import fecnn
from fecnn.codes import gf2
from fecnn.intervals import proportion_interval

ENCODERS = [(0o5, 0o7), (0o133, 0o171), (0o13, 0o15, 0o17), (0o3, 0o1), (1, 1, 1), (0o345, 0o237)]

# Best encoders of rate 1/2 and their free distances (Odenwalder 1970; Larsen 1973).
BEST = {
    (0o5, 0o7): 5,
    (0o15, 0o17): 6,
    (0o23, 0o35): 7,
    (0o53, 0o75): 8,
    (0o133, 0o171): 10,
    (0o247, 0o371): 10,
    (0o561, 0o753): 12,
}


def shift_register(message, polynomials, register):
    """Outputs of each step; the register holds the latest bit first."""
    length = max(polynomials).bit_length()
    assert len(register) == length - 1
    out = []
    for bit in message:
        window = [int(bit), *register]
        for polynomial in polynomials:
            taps = [int(tap) for tap in f"{polynomial:0{length}b}"]
            out.append(sum(tap * value for tap, value in zip(taps, window, strict=True)) % 2)
        register = window[: length - 1]
    return out, register


@pytest.mark.parametrize("polynomials", ENCODERS, ids=str)
def test_words_are_those_of_a_shift_register(polynomials, rng):
    memory = max(polynomials).bit_length() - 1
    for k in (max(1, memory), 11, 30):
        terminated, tailbiting = fecnn.convolutional(k, polynomials), fecnn.tailbiting(k, polynomials)
        assert terminated.n == (k + memory) * len(polynomials)
        assert tailbiting.n == k * len(polynomials)
        for message in rng.integers(0, 2, (5, k), dtype=np.uint8):
            word, end = shift_register([*message, *[0] * memory], polynomials, [0] * memory)
            assert end == [0] * memory
            assert terminated.encode(message).tolist() == word
            start = [int(bit) for bit in message[::-1][:memory]]
            word, end = shift_register(message, polynomials, start)
            assert end == start
            assert tailbiting.encode(message).tolist() == word


@pytest.mark.parametrize("polynomials", ENCODERS[:3], ids=str)
@pytest.mark.parametrize(
    ("kind", "mode"), [("convolutional", "zero-termination"), ("tailbiting", "tail-biting")]
)
def test_words_are_those_of_komm(kind, mode, polynomials, rng):
    """komm has the present bit in the least significant place."""
    komm = pytest.importorskip("komm")
    length = max(polynomials).bit_length()
    reverse = [int(f"{polynomial:0{length}b}"[::-1], 2) for polynomial in polynomials]
    theirs = komm.TerminatedConvolutionalCode(komm.ConvolutionalCode([reverse]), 20, mode)
    messages = rng.integers(0, 2, (50, 20), dtype=np.uint8)
    assert (getattr(fecnn, kind)(20, polynomials).encode(messages) == theirs.encode(messages)).all()


@pytest.mark.parametrize("polynomials", BEST, ids=str)
def test_minimum_distances_are_the_free_distances_of_tables(polynomials):
    assert fecnn.convolutional(64, polynomials).minimum_distance == BEST[polynomials]


@pytest.mark.parametrize("polynomials", [*ENCODERS, (0o15, 0o17), (0o2, 0o3), (0o7, 0o5, 0o4)], ids=str)
def test_minimum_distances_are_counted(polynomials):
    """Also where a word of the tail-biting code wraps around more than once."""
    memory = max(polynomials).bit_length() - 1
    for k in range(max(1, memory), 13):
        for code in (fecnn.convolutional(k, polynomials), fecnn.tailbiting(k, polynomials)):
            counted = fecnn.Code.from_generator(code.G).weight_spectrum()
            assert code.minimum_distance == next(w for w, count in enumerate(counted) if w and count), code


def test_distances_of_tail_biting_codes_that_the_docstring_states():
    assert fecnn.tailbiting(64, (0o133, 0o171)).minimum_distance == 10
    assert fecnn.tailbiting(64, (0o515, 0o677)).minimum_distance == 12
    assert fecnn.tailbiting(64, (0o5537, 0o6131)).minimum_distance is None  # too long to search


def test_checks_are_local_and_no_more_than_needed_at_rate_half():
    for code in (fecnn.convolutional(30, (0o133, 0o171)), fecnn.tailbiting(30, (0o133, 0o171))):
        assert len(code.H) == code.n - code.k
        assert code.H.sum(axis=1).max() == (0o133).bit_count() + (0o171).bit_count()
        assert gf2.rank(code.H) == code.n - code.k


REFUSED = {
    "one polynomial": (lambda: fecnn.convolutional(8, [0o7]), "must be two or more positive numbers"),
    "a zero": (lambda: fecnn.convolutional(8, (0o7, 0)), r"two or more positive .*, got \(0o7, 0o0\)"),
    "catastrophic": (
        lambda: fecnn.tailbiting(9, (0o5, 0o3)),
        r"have the common factor 0o3, so the encoder is catastrophic; without it they are \(0o3, 0o1\)",
    ),
    "idle cell": (
        lambda: fecnn.convolutional(9, (0o6, 0o4)),
        r"common factor 0o2, so the last register cell has no use; without it they are \(0o3, 0o2\)",
    ),
    "long": (lambda: fecnn.convolutional(9, (1 << 21, 1)), "must have up to 21 bits, got 22"),
    "short tail": (lambda: fecnn.tailbiting(5, (0o133, 0o171)), "memory 6 has .* the least k is 6, got 5"),
    "no k": (lambda: fecnn.convolutional(0, (0o5, 0o7)), r"k must be in 1\.\.8190, got 0"),
    "large k": (lambda: fecnn.tailbiting(9000, (0o5, 0o7)), r"k must be in 1\.\.8192, got 9000"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_code_is_refused(case):
    make, words = REFUSED[case]
    with pytest.raises(ValueError, match=words):
        make()


# Errors and frames printed in Sionna's tutorial 5G_Channel_Coding_Polar_vs_LDPC_Codes, cell 12: constraint
# length 8, Viterbi; its encoder stops after the message, without zeros.
PUBLISHED = {0.0: (6937, 10_000), 2.0: (1850, 10_000), 4.0: (1223, 40_000)}


def test_published_points(rng):
    code = fecnn.convolutional(64, (0o345, 0o237)).puncture(14)
    assert (code.n, code.k) == (128, 64)
    decode = fecnn.decoder("ml", code, method="trellis")
    for ebn0_db, published in PUBLISHED.items():
        frames = 20_000
        words = code.encode(rng.integers(0, 2, (frames, 64), dtype=np.uint8))
        llr = fecnn.AWGN.at(ebn0_db, 0.5).transmit(words, rng)
        errors = int((decode(llr) != words).any(axis=1).sum())
        low, high = proportion_interval(errors, frames)
        theirs_low, theirs_high = proportion_interval(*published)
        assert low <= theirs_high
        assert theirs_low <= high


def test_the_punctured_code_is_that_of_sionna(rng):
    conv = pytest.importorskip("sionna.phy.fec.conv")
    import torch

    messages = rng.integers(0, 2, (20, 64), dtype=np.uint8)
    theirs = conv.ConvEncoder(rate=0.5, constraint_length=8, device="cpu")(
        torch.tensor(messages, dtype=torch.float32)
    )
    code = fecnn.convolutional(64, (0o345, 0o237)).puncture(14)
    assert (code.encode(messages) == theirs.numpy().astype(np.uint8)).all()


@pytest.mark.parametrize("name", ["ml", "map"])
def test_exact_decoders_choose_the_thin_trellis(name):
    from fecnn.decoders import map as by_bit
    from fecnn.decoders import ml

    code = fecnn.convolutional(64, (0o133, 0o171))
    assert (ml.chosen(code) if name == "ml" else by_bit.chosen(code, "code", "auto")) == "trellis"
