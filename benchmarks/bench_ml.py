"""Exact maximum likelihood against correlation with the whole codebook, with identical decisions."""

import pytest
from frames import frames_of

import fecnn


def test_ml_against_a_matrix_product(race, size):
    """Exact ML of BCH (31,21) by correlation with all codewords, as a matrix product."""
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    code = fecnn.load_code("bch-31-21")
    count = size(1 << 15)
    frames = frames_of(code, 4.0, count)
    few = 16
    symbols = torch.from_numpy(fecnn.bpsk(code.codebook()))
    llr = torch.from_numpy(frames.llr[:few].copy())

    def peer():
        best, index = torch.full((few,), -1e30), torch.zeros(few, dtype=torch.int64)
        for first in range(0, len(symbols), 1 << 15):  # blocks that stay in cache: faster than one product
            value, at = (llr @ symbols[first : first + (1 << 15)].T).max(dim=1)
            index = torch.where(value > best, at + first, index)
            best = torch.maximum(value, best)
        return code.codebook()[index.numpy()]

    decode = fecnn.decoder("ml", code)
    assert (peer() == decode(frames.llr[:few])).all()
    race(
        "ml bch-31-21 4 dB",
        "codebook product (torch)",
        lambda: decode(frames.llr),
        peer,
        count,
        few,
        5000.0,
        repeats=5,
    )
