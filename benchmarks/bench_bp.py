"""Belief propagation against the plain kernel that came before: equal decisions, ratios of times."""

import numpy as np
import plain_bp
import pytest
from frames import frames_of

import fecnn

ITERATIONS = 20
WAYS = {
    "sum-product": {},
    "sum-product layered": {"schedule": "layered"},
    "min-sum": {"rule": "min-sum"},
    "min-sum layered": {"rule": "min-sum", "schedule": "layered"},
}


def plain(code, llr, rule="sum-product", schedule="flooding"):
    """Posteriors and iterations of the kernel before."""
    weights = code.H.sum(axis=1, dtype=np.int64)
    bits, starts = np.nonzero(code.H)[1].astype(np.int64), np.concatenate([[0], np.cumsum(weights)])
    posterior, sums = np.empty_like(llr), np.empty_like(llr[:0])
    used, solved = np.empty(len(llr), np.int64), np.empty(len(llr), np.bool_)
    numbers = np.float32(1), np.float32(0), schedule == "layered", np.float32(0)
    out = posterior, used, solved, sums
    plain_bp.bp(llr, bits, starts, rule == "sum-product", *numbers, ITERATIONS, True, *out)
    return posterior, used


@pytest.mark.parametrize("ebn0_db", [3.0, 4.0])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("each", [10_000, 1], ids=["batch", "one"])
def test_bp_against_its_plain_twin(each, way, ebn0_db, race, size):
    code, options = fecnn.load_code("ccsds-128-64"), WAYS[way]
    count = size(10_000 if each > 1 else 500)
    llr = frames_of(code, ebn0_db, count).llr
    decode = fecnn.decoder("bp", code, iterations=ITERATIONS, **options)
    batches = [llr[first : first + each] for first in range(0, count, each)]
    for batch in batches:
        bits, effort = decode.measure(batch)
        posterior, used = plain(code, batch, **options)
        ones = (posterior < 0) | ((posterior == 0) & (batch < 0))
        assert (bits == ones).all()
        assert (effort.work == used).all()
    race(
        f"bp {way} {ebn0_db:g} dB, {'a batch' if each > 1 else 'one frame a call'}",
        "plain twin",
        lambda: [decode(batch) for batch in batches],
        lambda: [plain(code, batch, **options) for batch in batches],
        count,
        target=1.0 if each > 1 and options else 1.4,
    )
