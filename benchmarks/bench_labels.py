"""A labelled training set made by `fecnn labels`, against one that Sionna's OSD labels."""

import numpy as np
import pytest

import fecnn
from fecnn.channels.channel import noise_sigma
from fecnn.training.labels import Labels


@pytest.mark.filterwarnings("ignore")  # torch.compile warns about torch itself
def test_labels_against_osd_of_sionna(race, size, benchmark):
    """Noise, decisions and error patterns; a word of order 2 is never more likely than that of ML."""
    torch = pytest.importorskip("torch")
    linear = pytest.importorskip("sionna.phy.fec.linear", reason="sionna-no-rt is not installed")
    torch.set_num_threads(1)
    code, ebn0_db = fecnn.load_code("bch-63-45"), 2.0
    labels = Labels(code, ebn0_db)
    theirs = linear.OSDecoder(code.G.astype(float), t=2, device="cpu")
    theirs = theirs if benchmark.disabled else torch.compile(theirs)
    sigma = noise_sigma(ebn0_db, code.rate)
    count, few = size(1 << 17), min(size(64), 64)

    def labelled(y):
        with torch.no_grad():
            words = theirs(torch.from_numpy(-2 / sigma**2 * y).float()).numpy()
        return (y < 0) ^ (words > 0.5)

    def peer():
        rng = np.random.default_rng(1)
        return labelled(1 + sigma * rng.standard_normal((few, code.n), np.float32))

    made = labels.shard(0, few)
    assert made["proved"].all()
    y = made["y"].astype(np.float64)
    weight, weight_of_theirs = ((e * np.abs(y)).sum(axis=1) for e in (made["e"], labelled(made["y"])))
    assert (weight <= weight_of_theirs + 1e-5).all()
    race(
        f"labels of bch-63-45 {ebn0_db:g} dB",
        "NumPy's noise, Sionna OSDecoder of order 2",
        lambda: labels.shard(0, count),
        peer,
        count,
        few,
        100.0,
        repeats=5,
    )
