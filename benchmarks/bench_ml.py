"""Exact and near-ML search against the sketch it grew from, with identical decisions."""

import numpy as np
import pytest
from frames import frames_of
from sketches import sketches

import fecnn

# KERNELS.md, section 1.4: the code, and Eb/N0 near BLER 1e-1, 1e-3 and 1e-5.
TABLE = {
    "bch31_21": (2.2, 4.8, 6.3),
    "bch31_16": (1.6, 4.4, 6.0),
    "bch63_51": (2.9, 4.95, 6.2),
    "bch63_45": (2.1, 4.2, 5.45),
    "bch63_36": (1.5, 3.5, 4.7),
    "ebch64_36": (1.5, 3.45, 4.6),
    "polar64_32": (1.8, 4.35, 5.85),
    "bch127_64": (2.6, 3.4),
    "ebch128_64": (2.5, 3.3),
    "ccsds128_64": (2.7, 3.7),
    "polar128_64": (4.0, 5.4),
}
POINTS = [("ml", name, ebn0_db) for name, grid in TABLE.items() for ebn0_db in grid]
# near-ml differs from ml only where the list budget ends: at n = 128.
POINTS += [
    ("near-ml", name, ebn0_db) for _, name, ebn0_db in POINTS if name.split("_")[0][-3:] in ("127", "128")
]
NODES = 1_000_000


def sketch_of(name):
    """The sketch's code and decoder, and the same code as ours."""
    codes, lcpb = sketches("codes", "lcpb")
    G, H = codes.get(name)
    long = G.shape[1] > 100
    theirs = lcpb.Dec(G, H, codes.DMIN[name], 10 if long else 8, 14 if long else 10)
    ours = fecnn.Code(G, H, name=name, minimum_distance=codes.DMIN[name])
    return lcpb, theirs, ours


@pytest.mark.parametrize(("decoder", "name", "ebn0_db"), POINTS)
def test_search_against_the_sketch(decoder, name, ebn0_db, race, size):
    lcpb, theirs, code = sketch_of(name)
    count = size((1 << 15) if code.n < 100 else (1 << 10) if ebn0_db < 3 else (1 << 12))
    llr = frames_of(code, ebn0_db, count).llr
    options = {"method": "search"} if decoder == "ml" else {}
    decode = fecnn.decoder(decoder, code, nodes=NODES, **options)
    z = -1.0 if decoder == "ml" else 1.5
    decided, effort = decode.measure(llr)
    words, _, work, _ = theirs(llr, z=z, maxtep=NODES)
    both = ~effort.uncertified & (work >= 0)
    assert (lcpb.pack(decided)[both] == words[both]).all()
    assert both.mean() > 0.99
    race(
        f"{decoder} {name} {ebn0_db} dB",
        "sketch lcpb.py",
        lambda: decode(llr),
        lambda: theirs(llr, z=z, maxtep=NODES),
        count,
        target=0.9,
    )


@pytest.mark.parametrize(("n", "k"), [(128, 63), (256, 128)])
def test_two_words_of_checks_against_one(n, k, race, size):
    """The fixed cost of a frame (order 0) with a second word of checks, against (128, 64) with one."""
    rng = np.random.default_rng(1)
    codes = []
    for length, dimension in ((128, 64), (n, k)):
        parity = rng.integers(0, 2, (dimension, length - dimension), dtype=np.uint8)
        G = np.concatenate([np.eye(dimension, dtype=np.uint8), parity], axis=1)
        codes.append(fecnn.Code.from_generator(G))
    count = size(1 << 12)
    llrs = [frames_of(code, 4.0, count).llr for code in codes]
    one, two = (fecnn.decoder("osd", code, order=0) for code in codes)
    race(
        f"osd 0 ({n},{k}), two words",
        "(128,64), one word",
        lambda: two(llrs[1]),
        lambda: one(llrs[0]),
        count,
        target=1 / 3 if n == 128 else 1 / 6,  # twice the length is more than twice the work
    )
