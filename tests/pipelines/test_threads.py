"""A decoder on several threads."""

import os
import pickle
import signal
import time

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
        assert twin == threads
    with pytest.raises(TypeError, match="count must be an integer"):
        Threads(fecnn.decoder("ml", CODE), 2.5)
    with pytest.raises(TypeError, match="decode must be from"):
        Threads(np.sign, 2)
    with pytest.raises(ValueError, match="count must be 1 thread or more, got 0"):
        Threads(fecnn.decoder("ml", CODE), 0)


def test_batches_are_judged_as_a_whole():
    decode = fecnn.decoder("ml", CODE)
    llr = np.ones((1000, 31), int)
    llr[:, 0] = 0
    llr[-1, 0] = 5  # so that these are no bits
    masked = np.ma.masked_array(np.ones((1000, 31)), mask=False)
    masked[3, 3] = np.ma.masked
    with Threads(decode, 2) as threads:
        assert (threads(llr) == decode(llr)).all()
        out = np.empty((1000, 31), np.uint8)
        assert threads(llr, out=out, channel=fecnn.AWGN(0.5)) is out
        with pytest.raises(TypeError, match="masked"):
            threads(masked)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_has_threads_of_its_own():
    llr = np.ones((20_000, 31), np.float32)
    with Threads(fecnn.decoder("ml", CODE), 2) as threads:
        for _ in range(3):
            threads(llr)
        child = os.fork()
        if not child:
            os._exit(int(threads(llr).any()))
        for _ in range(600):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                break
            time.sleep(0.1)
        else:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            pytest.fail("the child hangs")
        assert status == 0
