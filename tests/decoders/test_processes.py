"""Decoders and codes in other processes: pickled, and after a fork."""

import multiprocessing
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

import fecnn
from fecnn.decoders.registry import REGISTRY, decoder_names, factory

NEED_WEIGHTS = {"literature-slnn": "slnn-7-hamming-7-4", "literature-mlnn": "mlnn-100-hamming-7-4"}
BITING = {"family": "tailbiting", "k": 8, "polynomials": [5, 7]}


def code_for(name):
    if name in NEED_WEIGHTS:
        return "hamming-7-4"
    polar = dict.fromkeys(("aed", "fano", "sc", "scl"), "polar-16-8")
    return (polar | {"rpa": "rm-32-16", "turbo-product": "product-64-16", "list-viterbi": BITING}).get(
        name, "bch-31-16"
    )


@pytest.mark.parametrize(
    ("make", "name"),
    [
        *(("decoder", name) for name in sorted(REGISTRY)),
        *(("soft_decoder", name) for name in decoder_names(soft=True)),
    ],
)
def test_a_decoder_is_pickled_as_what_it_was_made_of(make, name, rng):
    code = fecnn.load_code(code_for(name))
    channel = fecnn.AWGN.at(3.0, code.rate)
    options = {"weights": NEED_WEIGHTS[name]} if name in NEED_WEIGHTS else {}
    decode = getattr(fecnn, make)(name, code, channel, **options)
    pickled = pickle.dumps(decode)
    assert len(pickled) < 20_000
    again = pickle.loads(pickled)
    llr = channel.transmit(code.encode(rng.integers(0, 2, (50, code.k), dtype=np.uint8)), rng)
    assert np.array_equal(again(llr), decode(llr))
    assert hasattr(again, "measure") == hasattr(decode, "measure")
    assert repr(again) == repr(decode)
    assert repr(decode).startswith(f"<{make}({name!r}, {code.name}")


def test_a_code_is_pickled_as_its_matrices():
    code = fecnn.load_code("bch-63-45")
    code.encode(np.zeros(45, np.uint8))  # what it has found meanwhile does not travel
    pickled = pickle.dumps(code)
    again = pickle.loads(pickled)
    assert len(pickled) < 20_000
    assert again.fingerprint == code.fingerprint
    assert (again.name, again.minimum_distance, again.bit_order) == (
        code.name,
        code.minimum_distance,
        code.bit_order,
    )
    assert not again.G.flags.writeable


def test_what_a_factory_returns_does_not_pickle():
    inner = factory("osd")(fecnn.hamming(3), None, order=1)
    with pytest.raises(TypeError, match=r"only decoders made by fecnn\.decoder can be pickled"):
        pickle.dumps(inner)


def test_a_spawned_process_decodes(rng):
    code = fecnn.hamming(3)
    decode = fecnn.decoder("osd", code, order=1)
    llr = rng.normal(1, 1, (20, 7)).astype(np.float32)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert np.array_equal(pool.apply(decode, (llr,)), decode(llr))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_network_decodes_after_a_fork():
    """Torch's threads do not survive it: with several of them, the child waited for ever."""
    script = (
        "import os, numpy as np, fecnn, torch\n"
        "torch.set_num_threads(2)\n"
        "code = fecnn.load_code('bch-31-16')\n"
        "decode = fecnn.decoder('fecnn-net', code, fecnn.AWGN.at(2.0, code.rate))\n"
        "llr = np.random.default_rng(1).normal(1, 2, (1000, 31)).astype(np.float32)\n"
        "before = decode(llr)\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    os._exit(0 if np.array_equal(decode(llr), before) else 3)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=True,
    )
    assert done.stdout == "0\n"
