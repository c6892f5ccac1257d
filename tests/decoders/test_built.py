"""Decoders as objects: one shape of output, pickled, compared and hashed by content, other noise levels."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest

import fecnn
from fecnn.decoders.ml import safe_distance
from fecnn.decoders.registry import REGISTRY, built_in


@pytest.fixture(params=sorted(REGISTRY))
def case(request):
    """A built-in decoder, its code, and noisy frames."""
    example = built_in(request.param).example
    code = fecnn.load_code(example.code)
    channel = fecnn.AWGN.at(example.ebn0_db, code.rate)
    rng = np.random.default_rng(3)
    llr = channel.transmit(code.encode(rng.integers(0, 2, (40, code.k), dtype=np.uint8)), rng)
    return request.param, code, channel, dict(example.options), llr


def test_every_decoder_gives_code_bits_or_message_bits(case):
    name, code, channel, options, llr = case
    words = fecnn.decoder(name, code, channel, **options)
    messages = fecnn.decoder(name, code, channel, output="message", **options)
    assert words(llr).shape == (40, code.n)
    assert messages(llr).shape == (40, code.k)
    assert (code.extract(words(llr)) == messages(llr)).all()
    assert messages(llr[0]).shape == (code.k,)
    assert messages(llr.reshape(5, 8, code.n)).shape == (5, 8, code.k)
    bits, effort = messages.measure(llr)
    assert (bits == messages(llr)).all()
    assert effort.work.shape == effort.uncertified.shape == (40,)
    bits, effort = words.measure(llr[7])
    assert bits.shape == (code.n,)
    assert effort.work.shape == ()


def test_at_another_noise_level_a_decoder_is_the_one_built_for_it(case):
    name, code, channel, options, llr = case
    other = fecnn.AWGN(2 * channel.sigma)
    again = fecnn.decoder(name, code, other, **options)
    assert (fecnn.decoder(name, code, channel, **options).at(other)(llr) == again(llr)).all()
    assert (fecnn.decoder(name, code, **options)(llr, channel=other) == again(llr)).all()


def test_decoders_travel_and_compare_by_what_they_were_built_from(case):
    name, code, channel, options, llr = case
    for make in (fecnn.decoder, fecnn.soft_decoder):
        if make is fecnn.soft_decoder:
            if built_in(name).soft is None:
                continue
            options = {key: value for key, value in options.items() if key != "bits"}
        decode, again = (make(name, code, channel, **options) for _ in range(2))
        for twin in (pickle.loads(pickle.dumps(decode)), copy.deepcopy(decode), again):
            assert twin == decode
            assert hash(twin) == hash(decode)
            assert (twin(llr) == decode(llr)).all()
        assert decode != make(name, code, fecnn.AWGN.at(7.5, code.rate), **options)
        assert repr(decode).startswith(f"<{make.__name__}({name!r}, {code.name}")
    assert decode != "a word"


def test_decoders_of_other_outputs_are_not_equal():
    code = fecnn.hamming(3)
    assert fecnn.decoder("ml", code) != fecnn.decoder("ml", code, output="message")
    assert fecnn.decoder("ml", code) != fecnn.soft_decoder("map", code)
    assert fecnn.decoder("osd", code, order=1) != fecnn.decoder("osd", code, order=2)


def test_codes_compare_by_content():
    assert fecnn.load_code("bch-31-21") == fecnn.bch(31, 21)
    assert hash(fecnn.load_code("bch-31-21")) == hash(fecnn.bch(31, 21))
    assert len({fecnn.hamming(3), fecnn.load_code("hamming-7-4"), fecnn.repetition(7)}) == 2
    code = fecnn.bch(31, 21)
    assert pickle.loads(pickle.dumps(code)) == code
    assert code != fecnn.Code(code.G[::-1], code.H)
    assert code != "bch-31-21"


def test_what_equal_codes_claim_is_not_mixed_up():
    code = fecnn.load_code("polar-128-64")
    silent = fecnn.Code(code.G, code.H)
    assert silent == code
    assert hash(silent) == hash(code)
    assert [safe_distance(one) for one in (code, silent, code, silent)] == [8, 1, 8, 1]


@pytest.mark.parametrize(
    "channel",
    [
        fecnn.AWGN(0.5),
        fecnn.AWGN.at(3.0, 0.5, modulation="16qam", interleaver="random"),
        fecnn.BEC(0.3),
        fecnn.BSC(0.1),
        fecnn.Rayleigh(0.7),
        fecnn.Rician(0.7, 6.0, block=4),
    ],
)
def test_channels_travel_and_compare(channel):
    twin = pickle.loads(pickle.dumps(channel))
    assert twin == channel
    assert hash(twin) == hash(channel)
    assert channel != fecnn.AWGN(0.25)


def test_an_array_can_be_filled():
    code = fecnn.hamming(3)
    llr = np.ones((3, 7), np.float32)
    out = np.full((3, 7), 9, np.uint8)
    assert fecnn.decoder("ml", code)(llr, out=out) is out
    assert not out.any()
    app = np.zeros((3, 7), np.float32)
    assert fecnn.soft_decoder("map", code)(llr, out=app) is app
    assert (app > 1).all()
    for wrong in (np.zeros((3, 4), np.uint8), np.zeros((3, 7), np.int64), [[0] * 7] * 3):
        with pytest.raises(ValueError, match=r"out must be uint8 of shape \(3, 7\), got"):
            fecnn.decoder("ml", code)(llr, out=wrong)


def test_your_own_decoder_may_return_messages():
    code = fecnn.hamming(3)
    llr = 4 * fecnn.bpsk(code.codebook())

    def systematic(llr):
        return code.extract((llr < 0).astype(np.uint8))

    assert (fecnn.decoder(systematic, code)(llr) == code.codebook()).all()
    assert (fecnn.decoder(systematic, code, output="message")(llr) == code.messages()).all()
    with pytest.raises(ValueError, match="output must be code or message, got 'bits'"):
        fecnn.decoder(systematic, code, output="bits")


def test_another_noise_level_builds_your_own_decoder_again():
    built = []

    def factory(code, channel=None, /):
        built.append(channel)
        return lambda llr: (llr < 0).astype(np.uint8)

    decode = fecnn.decoder(factory, fecnn.hamming(3), fecnn.AWGN(0.5))
    decode(np.ones(7, np.float32), channel=fecnn.AWGN(0.25))
    assert built == [fecnn.AWGN(0.5), fecnn.AWGN(0.25)]


def test_torch_tensors_are_taken_or_refused_in_words():
    torch = pytest.importorskip("torch")
    decode = fecnn.decoder("ml", fecnn.hamming(3))
    assert decode(torch.ones(2, 7, dtype=torch.bfloat16)).tolist() == [[0] * 7] * 2
    with pytest.raises(TypeError, match=r"llr requires grad.*llr.detach\(\)"):
        decode(torch.ones(2, 7, requires_grad=True))
    with pytest.raises(TypeError, match=r"llr is on the device meta: give llr.cpu\(\)"):
        decode(torch.ones(2, 7, device="meta"))


def test_a_fork_after_a_network_has_decoded_does_not_hang():
    script = """
import os, sys, numpy as np, fecnn
import torch
torch.set_num_threads(2)
code = fecnn.load_code("bch-31-16")
decode = fecnn.decoder("ecct", code)
llr = np.random.default_rng(0).normal(2, 2, (2000, 31)).astype(np.float32)
expected = decode(llr)
torch.ones(2000, 2000) @ torch.ones(2000, 2000)
child = os.fork()
if child == 0:
    os._exit(0 if (decode(llr) == expected).all() else 3)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], timeout=60, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
