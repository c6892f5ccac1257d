"""What decoders are tried on: random codes, and LLRs easy and hostile."""

import numba
import numpy as np
import oracles

import fecnn
from fecnn import Code
from fecnn.codes import gf2

SMALL = bool(numba.config.DISABLE_JIT)
"""Kernels run as Python (see test_no_jit.py): less of everything."""

TRAINED = {"crossmpt", "ecct", "fecnn-net", "literature-mlnn", "literature-slnn"}
"""Decoders that need weights."""


def random_codes(rng, count=30, longest=12):
    """Codes with one row, all rows, zero and repeated columns, a redundant H; the others random."""
    codes = [
        Code.from_generator([[1]], name="k = n = 1"),
        Code.from_generator(np.eye(4, dtype=np.uint8), name="k = n"),
        Code.from_generator([[1, 1, 1, 0, 1]], name="k = 1 with a zero column"),
        Code.from_generator([[1, 0, 1, 1, 0], [0, 1, 1, 1, 0]], name="repeated and zero columns"),
        Code.from_parity_check([[1, 1, 0, 1], [1, 1, 0, 1], [0, 0, 1, 1], [1, 1, 1, 0]], name="redundant H"),
        fecnn.single_parity_check(6),
    ]
    while len(codes) < (8 if SMALL else count):
        n = int(rng.integers(2, longest + 1))
        G = rng.integers(0, 2, (int(rng.integers(1, n + 1)), n), dtype=np.uint8)
        if gf2.rank(G) == len(G):
            codes.append(Code.from_generator(G, name=f"random {n},{len(G)}"))
    return codes


def llrs(rng, n):
    """Ordinary, tied, zero, huge, tiny, and known bits."""
    ordinary = rng.normal(1, 3, (2 if SMALL else 30, n))
    return {
        "ordinary": ordinary,
        "ties": np.round(ordinary),
        "equal magnitudes": np.sign(ordinary),
        "zeros": ordinary * rng.integers(0, 2, ordinary.shape),
        "huge": ordinary * 1e30,
        "tiny": ordinary * 1e-30,
        "steep": ordinary * 400,
    }


def assert_most_likely(code, llr, decided, kind):
    """The decisions are codewords, and no codeword has a larger correlation."""
    assert not code.syndrome(decided).any()
    best = oracles.correlations(code, llr).max(axis=1)
    scale = np.abs(llr.astype(np.float64)).sum(axis=1) + 1e-300
    assert (np.abs(oracles.metric(decided, llr) - best) <= 1e-12 * scale).all(), (code.name, kind)
