"""What trained networks lose where they are not told the noise level: block errors on the same frames."""

import numpy as np
import pytest
from scipy.stats import binomtest

import fecnn

CASES = [
    ("fecnn-net", "bch-31-16", {}, 2.0, 20_000),
    ("fecnn-net", "bch-31-16", {}, 4.0, 100_000),
    ("fecnn-net", "bch-63-45", {}, 2.0, 20_000),
    ("fecnn-net", "bch-63-45", {}, 4.0, 100_000),
    ("ecct", "bch-31-16", {}, 4.0, 60_000),
    ("crossmpt", "bch-31-16", {}, 4.0, 100_000),
    ("literature-mlnn", "hamming-7-4", {"weights": "mlnn-100-hamming-7-4"}, 4.0, 100_000),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "of", "options", "ebn0_db", "frames"), CASES)
def test_a_network_loses_at_most_a_twentieth(name, of, options, ebn0_db, frames):
    code = fecnn.load_code(of)
    channel = fecnn.AWGN.at(ebn0_db, code.rate)
    rng = np.random.default_rng(11)
    words = code.encode(rng.integers(0, 2, (frames, code.k), dtype=np.uint8))
    llr = channel.transmit(words, rng)
    decode = fecnn.decoder(name, code, **options)
    told = (decode(llr, channel=channel) != words).any(axis=1)
    untold = (decode(llr) != words).any(axis=1)
    lost, won = int((untold & ~told).sum()), int((told & ~untold).sum())
    p = binomtest(lost, lost + won).pvalue
    print(f"\n| {name} {of} | {ebn0_db:g} | {frames:,} | {told.sum():,} | {untold.sum():,} | p = {p:.2g} |")
    assert untold.sum() <= 1.05 * told.sum()
