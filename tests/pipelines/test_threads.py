"""A decoder on several threads."""

import pickle

import numpy as np
import pytest

import fecnn
from fecnn.pipelines.threads import Threads

CODE = fecnn.load_code("bch-31-21")


@pytest.mark.parametrize("make", [fecnn.decoder, fecnn.soft_decoder], ids=["hard", "soft"])
@pytest.mark.parametrize("shape", [(1000, 31), (3, 5, 67, 31), (127, 31), (31,), (0, 31)])
def test_threads_decide_like_the_decoder(make, shape, rng):
    llr = rng.normal(1, 1.5, shape).astype(np.float32)
    decode = make("osd", CODE, order=1)
    with Threads(decode, 3) as threads:
        found = threads(llr)
    assert found.dtype == decode(llr).dtype
    assert (found == decode(llr)).all()
    assert found.shape == llr.shape


def test_errors_are_those_of_the_decoder_and_threads_travel():
    with Threads(fecnn.decoder("ml", CODE, output="message"), 2) as threads:
        with pytest.raises(ValueError, match="n = 31"):
            threads(np.ones((1000, 7), np.float32))
        llr = np.ones((1000, 31), np.float32)
        llr[700, 3] = np.nan
        with pytest.raises(ValueError, match="NaN"):
            threads(llr)
        twin = pickle.loads(pickle.dumps(threads))
        assert twin(np.ones((500, 31))).shape == (500, 21)
        twin.close()
    with pytest.raises(ValueError, match="count must be 1 thread or more, got 0"):
        Threads(fecnn.decoder("ml", CODE), 0)
