"""Viterbi, BCJR and the dual transform against their sketches, on the same frames of the same trellis.

Run: pytest -o python_files="bench_*.py" -s benchmarks/bench_trellis.py. Times are CPU time of the thread,
ours and the sketch's in turn; the ratio and its spread go to ``extra_info`` and, with -s, to the screen. Our
Viterbi is the whole decoder, which checks LLRs and near ties and writes bits; the sketch leaves packed words.
"""

import time

import numpy as np
import pytest
from sketches import sketches

import fecnn
from fecnn.decoders.kernels import dual, trellis
from fecnn.decoders.trellis import bit_order, build_trellis

FRAMES = {
    "hamming-7-4": 1 << 17,
    "polar-16-8": 1 << 16,
    "bch-31-16": 1 << 13,
    "bch-31-21": 1 << 13,
    "bch-63-51": 1 << 10,
    "polar-64-32": 1 << 12,
}
REPEATS = 9


def frames(code, ebn0_db):
    rng = np.random.default_rng(1)
    words = code.encode(rng.integers(0, 2, (FRAMES[code.name], code.k), dtype=np.uint8))
    return fecnn.AWGN.at(ebn0_db, code.rate).transmit(words, rng)


def in_turn(ours, theirs):
    """CPU seconds of each, (repeats, 2), after a first call that compiles."""
    seconds = np.empty((REPEATS + 1, 2))
    for repeat in seconds:
        for column, run in enumerate((ours, theirs)):
            start = time.thread_time()
            run()
            repeat[column] = time.thread_time() - start
    return seconds[1:]


def record(benchmark, code, seconds, **more):
    """``seconds`` (repeats, 2) for the frames of the code: microseconds a frame, and theirs over ours."""
    ours, theirs = 1e6 * np.median(seconds, axis=0) / FRAMES[code.name]
    low, ratio, high = np.quantile(seconds[:, 1] / seconds[:, 0], [0, 0.5, 1])
    benchmark.extra_info.update(
        code=code.name,
        ours_us=round(float(ours), 4),
        sketch_us=round(float(theirs), 4),
        speedup=round(float(ratio), 2),
        spread=(round(float(low), 2), round(float(high), 2)),
        **{name: float(value) for name, value in more.items()},
    )
    print(f"\n{benchmark.name}: {benchmark.extra_info}")


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


@pytest.mark.parametrize("name", ["hamming-7-4", "polar-16-8", "bch-31-16", "bch-31-21"])
def test_viterbi(benchmark, name):
    sketches()
    from mlalt import make_vit

    code = fecnn.load_code(name)
    llr, minimal = frames(code, 3.0), build_trellis(code, bit_order(code))
    decode = fecnn.decoder("ml", code, method="trellis")
    reordered = np.ascontiguousarray(llr[:, minimal.order])
    first, before0, before1, *_ = sketched(minimal)
    sketch, words = make_vit(code.n, len(minimal.previous), minimal.widest), np.empty(len(llr), np.int32)

    seconds = in_turn(lambda: decode(llr), lambda: sketch(reordered, first, before0, before1, words))
    ours = decode(llr)
    theirs = (words.astype(np.int64)[:, None] >> np.arange(code.n)) & 1
    same = (ours[:, minimal.order] == theirs).all(axis=1).mean()
    assert same > 0.999  # the sketch does not look after near ties
    record(benchmark, code, seconds, states=len(minimal.previous), same=same)
    benchmark.pedantic(decode, (llr,), rounds=3)


@pytest.mark.parametrize("ebn0_db", [2.0, 5.0])
@pytest.mark.parametrize("name", ["hamming-7-4", "polar-16-8", "bch-31-16", "bch-31-21", "polar-64-32"])
def test_bcjr(benchmark, name, ebn0_db):
    sketches()
    from mapdec2 import make_bcjr

    code = fecnn.load_code(name)
    llr, minimal = frames(code, ebn0_db), build_trellis(code, bit_order(code))
    app, doubtful = np.empty(llr.shape, np.float32), np.empty(len(llr), np.bool_)
    reordered = np.ascontiguousarray(llr[:, minimal.order])
    arrays = sketched(minimal)
    sketch = make_bcjr(code.n, len(minimal.previous), minimal.widest)
    theirs = np.empty(llr.shape)

    def ours():
        trellis.bcjr(llr, minimal, 0.0, app, doubtful)

    seconds = in_turn(ours, lambda: sketch(reordered, *arrays, theirs))
    error = np.abs(app[:, minimal.order] - theirs)[np.abs(theirs) < 25].max()
    assert error < 2e-5
    soft = fecnn.soft_decoder("map", code, method="trellis")
    record(benchmark, code, seconds, states=len(minimal.previous), error=error, doubtful=doubtful.mean())
    benchmark.pedantic(soft, (llr,), rounds=3)


@pytest.mark.parametrize("ebn0_db", [2.0, 5.0])
@pytest.mark.parametrize("name", ["bch-31-21", "bch-63-51"])
def test_dual(benchmark, name, ebn0_db):
    sketches()
    from mapaos import make_dual_aos, signs

    code = fecnn.load_code(name)
    llr = frames(code, ebn0_db)
    columns = code.parity_columns[:, 0].astype(np.int64)
    app, doubtful = np.empty(llr.shape, np.float32), np.empty(len(llr), np.bool_)
    sketch, theirs = make_dual_aos(code.n, code.n - code.k, np.float64), np.empty(llr.shape)
    of_lanes = signs(columns, 3)

    def ours():
        dual.posterior(llr, columns >> 3, code.n - code.k, of_lanes, 0.0, app, doubtful)

    seconds = in_turn(ours, lambda: sketch(llr, columns, of_lanes, theirs))
    error = np.abs(app - theirs)[np.abs(theirs) < 10].max()
    assert error < 1e-4
    decode = fecnn.decoder("map", code, method="dual")
    record(benchmark, code, seconds, error=error, doubtful=doubtful.mean())
    benchmark.pedantic(decode, (llr,), rounds=3)
