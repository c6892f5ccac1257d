"""What all classical decoders share: ties favour no codeword, and nothing overflows."""

import numpy as np
import pytest
from decoding_cases import llrs

import fecnn

DECODERS = {
    "bp": {},
    "bp min-sum": {"rule": "min-sum"},
    "bp layered": {"schedule": "layered"},
    "bp overcomplete": {"checks": "overcomplete", "scale": 0.2},
    "sc": {},
    "scl": {},
    "scl exact": {"exact": True},
    "berlekamp-massey": {},
    "chase2": {},
    "grand": {},
    "orbgrand": {},
    "orbgrand 1-line": {"lines": 1},
    "sgrand": {},
    "gcd": {},
    "gcd fixed": {"reliable": False},
}
POLAR, BCH = fecnn.load_code("polar-32-16"), fecnn.load_code("bch-31-16")


def made(name):
    code = POLAR if name.startswith("sc") else BCH
    return code, fecnn.decoder(name.split()[0], code, **DECODERS[name])


@pytest.mark.parametrize("name", DECODERS)
def test_ties_favour_no_codeword(name, rng):
    """On a binary symmetric channel all reliabilities are equal."""
    code, decode = made(name)
    llr = np.where(rng.random((400, code.n)) < 0.1, -1, 1).astype(np.float32)
    for magnitude in (1.0, 2.2, 40.0):
        codewords = code.encode(rng.integers(0, 2, (400, code.k), dtype=np.uint8))
        moved = decode(llr * fecnn.bpsk(codewords) * np.float32(magnitude))
        assert (moved == decode(llr * np.float32(magnitude)) ^ codewords).all()


@pytest.mark.kernel
@pytest.mark.parametrize("name", DECODERS)
def test_codewords_survive_any_scale(name, rng):
    code, decode = made(name)
    codewords = code.encode(rng.integers(0, 2, (20, code.k), dtype=np.uint8))
    for scale in (1e-38, 1e-3, 1.0, 1e3, 1e30, 3e38, np.inf):
        assert (decode(np.float32(scale) * fecnn.bpsk(codewords)) == codewords).all()


@pytest.mark.parametrize("name", DECODERS)
def test_hostile_llrs_give_bits(name, rng):
    code, decode = made(name)
    for values in llrs(rng, code.n).values():
        assert decode(values.astype(np.float32)).max() <= 1


@pytest.mark.parametrize("name", ["bp", "chase2", "scl"])
def test_hostile_llrs_give_finite_llrs(name, rng):
    code = POLAR if name == "scl" else BCH
    soft = fecnn.soft_decoder(name, code)
    for values in llrs(rng, code.n).values():
        assert np.isfinite(soft(values.astype(np.float32))).all()


def test_erasures_of_a_known_word_are_filled(rng):
    """Fewer than d erasures and no error: every soft decoder of high effort recovers the word."""
    code = BCH
    codewords = code.encode(rng.integers(0, 2, (100, code.k), dtype=np.uint8))
    erased = rng.permuted(np.tile(np.arange(31) < 3, (100, 1)), axis=1)
    llr = np.where(erased, 0, 5 * fecnn.bpsk(codewords)).astype(np.float32)
    for name in ("bp overcomplete", "chase2", "orbgrand", "grand", "berlekamp-massey", "gcd", "gcd fixed"):
        assert (made(name)[1](llr) == codewords).all(), name
