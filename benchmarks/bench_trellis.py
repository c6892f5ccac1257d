"""Viterbi, BCJR and the dual transform against their sketches, on the same frames of the same trellis."""

import numpy as np
import pytest
from frames import frames_of
from sketches import sketches

import fecnn
from fecnn.decoders.kernels import dual, trellis
from fecnn.decoders.trellis import bit_order, build_trellis

FRAMES = {
    "hamming-7-4": 1 << 15,
    "polar-16-8": 1 << 14,
    "bch-31-16": 1 << 13,
    "bch-31-21": 1 << 13,
    "bch-63-51": 1 << 10,
    "polar-64-32": 1 << 12,
}


def sketched(minimal):
    """A trellis as the sketches have it: predecessors and successors, rows counted over all depths."""
    first, previous = minimal.first, minimal.previous
    states, n = len(previous), len(minimal.order)
    before = np.full((2, states - 1), states, np.int32)
    after = np.full((2, states), minimal.widest, np.int32)
    for t in range(n):
        size = first[t + 1] - first[t]
        for bit in (0, 1):
            origin = previous[first[t + 1] : first[t + 2], bit]
            known = np.flatnonzero(origin < size)
            before[bit, first[t + 1] - 1 + known] = first[t] + origin[known]
            after[bit, first[t] + origin[known]] = known
    return first, *before, *after


def setting(name, ebn0_db, size):
    code = fecnn.load_code(name)
    llr = frames_of(code, ebn0_db, size(FRAMES[name])).llr
    minimal = build_trellis(code, bit_order(code))
    return code, llr, minimal, np.ascontiguousarray(llr[:, minimal.order])


@pytest.mark.parametrize("name", ["hamming-7-4", "polar-16-8", "bch-31-16", "bch-31-21"])
def test_viterbi_against_the_sketch(name, race, size):
    """Ours looks after near ties, puts the bits in order and writes a byte each; the sketch packs them."""
    (mlalt,) = sketches("mlalt")
    code, llr, minimal, reordered = setting(name, 3.0, size)
    first, before0, before1, *_ = sketched(minimal)
    sketch, words = (
        mlalt.make_vit(code.n, len(minimal.previous), minimal.widest),
        np.empty(len(llr), np.int32),
    )
    out, doubtful = np.empty(llr.shape, np.uint8), np.empty(len(llr), np.bool_)

    def ours():
        trellis.viterbi(llr, minimal, out, doubtful)

    def theirs():
        sketch(reordered, first, before0, before1, words)

    ours()
    theirs()
    unpacked = (words.astype(np.int64)[:, None] >> np.arange(code.n)) & 1
    assert (out[:, minimal.order] == unpacked)[~doubtful].all()
    assert doubtful.mean() < 0.01
    race(
        f"Viterbi {name} 3 dB", "sketch mlalt.py", ours, theirs, len(llr), target=0.7 if code.n < 31 else 0.9
    )


@pytest.mark.parametrize("ebn0_db", [2.0, 5.0])
@pytest.mark.parametrize("name", ["hamming-7-4", "polar-16-8", "bch-31-16", "bch-31-21", "polar-64-32"])
def test_bcjr_against_the_sketch(name, ebn0_db, race, size):
    (mapdec2,) = sketches("mapdec2")
    code, llr, minimal, reordered = setting(name, ebn0_db, size)
    sketch, arrays = mapdec2.make_bcjr(code.n, len(minimal.previous), minimal.widest), sketched(minimal)
    app, doubtful = np.empty(llr.shape, np.float32), np.empty(len(llr), np.bool_)
    posterior = np.empty(llr.shape)

    def ours():
        trellis.bcjr(llr, minimal, 0.0, app, doubtful)

    def theirs():
        sketch(reordered, *arrays, posterior)

    ours()
    theirs()
    near = np.abs(posterior) < 25
    assert np.allclose(app[:, minimal.order][near], posterior[near], rtol=0, atol=1e-5)
    race(f"BCJR {name} {ebn0_db:g} dB", "sketch mapdec2.py", ours, theirs, len(llr), target=0.9)


@pytest.mark.parametrize("ebn0_db", [2.0, 5.0])
@pytest.mark.parametrize("name", ["bch-31-21", "bch-63-51"])
def test_dual_against_the_sketch(name, ebn0_db, race, size):
    """Ours also bounds its error, frame by frame."""
    (mapaos,) = sketches("mapaos")
    code, llr, *_ = setting(name, ebn0_db, size)
    checks, columns = code.n - code.k, code.parity_columns[:, 0].astype(np.int64)
    sketch, signs = mapaos.make_dual_aos(code.n, checks, np.float64), mapaos.signs(columns, 3)
    app, doubtful = np.empty(llr.shape, np.float32), np.empty(len(llr), np.bool_)
    posterior = np.empty(llr.shape)

    def ours():
        dual.posterior(llr, columns >> 3, checks, signs, 0.0, app, doubtful)

    def theirs():
        sketch(llr, columns, signs, posterior)

    ours()
    theirs()
    near = np.abs(posterior) < 10
    assert np.allclose(app[near], posterior[near], rtol=0, atol=1e-4)
    race(f"dual {name} {ebn0_db:g} dB", "sketch mapaos.py", ours, theirs, len(llr), target=0.9)
