"""Encoders and decoders as PyTorch modules."""

import copy
import pickle

import numpy as np
import pytest
import torch
from torch import library

import fecnn
from fecnn.pipelines.torch import Decoder, Encoder, SoftDecoder

CODE = fecnn.load_code("bch-31-21")
SIGNS = {"log p0/p1": 1, "log p1/p0": -1}


@pytest.fixture
def llr(rng):
    sent = CODE.encode(rng.integers(0, 2, (60, CODE.k), dtype=np.uint8))
    return fecnn.AWGN.at(3.0, CODE.rate).transmit(sent, rng)


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_modules_decide_like_the_decoders_they_hold(llr, sign, dtype):
    tensor = torch.from_numpy(llr).to(dtype)
    known = tensor.float().numpy()
    for shape in ((60, 31), (3, 4, 5, 31), (60, 1, 31)):
        given = SIGNS[sign] * tensor.reshape(shape)
        for output, width in (("code", 31), ("message", 21)):
            bits = Decoder("ml", CODE, llr_sign=sign, output=output)(given)
            assert bits.dtype == torch.uint8
            assert bits.shape == (*shape[:-1], width)
            expected = fecnn.decoder("ml", CODE, output=output)(known)
            assert (bits.numpy() == expected.reshape(bits.shape)).all()
        app = SoftDecoder("osd", CODE, order=1, llr_sign=sign)(given)
        assert app.dtype == dtype
        expected = torch.from_numpy(fecnn.soft_decoder("osd", CODE, order=1)(known)).to(dtype)
        assert torch.equal(SIGNS[sign] * app, expected.reshape(shape))
        extrinsic = SoftDecoder("osd", CODE, order=1, llr_sign=sign, extrinsic=True)(given)
        rest = torch.from_numpy(fecnn.soft_decoder("osd", CODE, order=1).extrinsic(known)).to(dtype)
        assert torch.equal(SIGNS[sign] * extrinsic, rest.reshape(shape))


def test_parts_of_large_batches_are_put_together(rng):
    llr = torch.from_numpy(rng.standard_normal((9000, 31)).astype(np.float32))
    decode = Decoder("osd", CODE, llr_sign="log p1/p0", dtype=torch.float64)
    assert decode(llr).dtype == torch.float64
    assert (decode(llr).numpy() == fecnn.decoder("osd", CODE)(-llr.numpy())).all()


def test_strided_and_empty_tensors_are_taken(llr):
    tensor = torch.from_numpy(llr)
    decode = Decoder("osd", CODE, llr_sign="log p0/p1")
    assert torch.equal(decode(tensor[::2]), decode(tensor)[::2])
    assert torch.equal(decode(tensor.T.contiguous().T), decode(tensor))
    assert decode(tensor[0]).shape == (31,)
    assert decode(tensor[:0]).shape == (0, 31)


def test_certain_bits_have_no_extrinsic_nan():
    code = fecnn.repetition(3)
    soft = SoftDecoder("map", code, llr_sign="log p0/p1", extrinsic=True)
    found = soft(torch.tensor([[np.inf, 1.0, -2.0]]))
    assert not found.isnan().any()


def test_the_sign_must_be_said(llr):
    with pytest.raises(TypeError, match="llr_sign"):
        Decoder("ml", CODE)
    with pytest.raises(ValueError, match=r"got 'log p1/p2'.*log p1/p0"):
        Decoder("ml", CODE, llr_sign="log p1/p2")


def test_what_cannot_be_decoded_is_refused_in_words(llr):
    decode = Decoder("ml", CODE, llr_sign="log p0/p1")
    with pytest.raises(TypeError, match=r"llr requires grad.*llr.detach\(\)"):
        decode(torch.from_numpy(llr).requires_grad_())
    with torch.no_grad():
        decode(torch.from_numpy(llr).requires_grad_())
    network = Decoder("fecnn-net", fecnn.load_code("bch-31-16"), llr_sign="log p0/p1")
    with pytest.raises(TypeError, match=r"fecnn\.network"):
        network(torch.from_numpy(llr).requires_grad_())
    with pytest.raises(TypeError, match=r"floats, got torch\.int64"):
        decode(torch.ones(31, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"n = 31 values on the last axis, got shape \(7,\)"):
        decode(torch.ones(7))
    with pytest.raises(ValueError, match="k = 21 bits"):
        Encoder(CODE)(torch.ones(31))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.bool, torch.float32, torch.bfloat16])
def test_the_encoder_encodes(dtype, rng):
    code = fecnn.load_code("bch-63-45")
    messages = rng.integers(0, 2, (2, 5, 45), dtype=np.uint8)
    words = Encoder(code)(torch.from_numpy(messages).to(dtype))
    assert words.dtype == dtype
    assert (words.to(torch.uint8).numpy() == code.encode(messages)).all()


def test_modules_travel(llr):
    tensor = torch.from_numpy(llr)
    for module in (
        Decoder("osd", CODE, llr_sign="log p0/p1", order=1),
        SoftDecoder("osd", CODE, llr_sign="log p1/p0", order=1),
        Encoder(CODE),
    ):
        given = torch.ones(4, 21) if isinstance(module, Encoder) else tensor
        for twin in (pickle.loads(pickle.dumps(module)), copy.deepcopy(module)):
            assert torch.equal(twin(given), module(given))
        assert "bch-31-21" in repr(module)


def test_a_program_without_its_decoder_says_so():
    decode = Decoder("ml", CODE, llr_sign="log p0/p1")
    llr = torch.ones(2, 31)
    gone = decode._number + 10**6
    with pytest.raises(RuntimeError, match="exported in another process, or its module no longer exists"):
        torch.ops.fecnn.decode(llr, gone, 31, torch.uint8, False)
    number = decode._number
    del decode
    with pytest.raises(RuntimeError, match="build the module again"):
        torch.ops.fecnn.decode(llr, number, 31, torch.uint8, False)


class Link(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encode = Encoder(CODE)
        self.decode = Decoder("osd", CODE, llr_sign="log p1/p0", output="message")
        self.soft = SoftDecoder("osd", CODE, llr_sign="log p1/p0", order=1)

    def forward(self, messages, noise):
        llr = -4 * (1 - 2 * self.encode(messages) + noise)
        return self.decode(llr), self.soft(llr)


def test_a_link_compiles_as_one_graph_and_exports(rng):
    link = Link()
    messages = torch.from_numpy(rng.integers(0, 2, (50, 21)).astype(np.float32))
    noise = torch.from_numpy(0.6 * rng.standard_normal((50, 31)).astype(np.float32))
    expected = link(messages, noise)
    assert (expected[0] != messages).any(dim=1).sum() < 10
    compiled = torch.compile(link, fullgraph=True, backend="aot_eager")
    exported = torch.export.export(link, (messages, noise)).module()
    for other in (compiled, exported):
        for ours, theirs in zip(expected, other(messages, noise), strict=True):
            assert torch.equal(ours, theirs)
    library.opcheck(torch.ops.fecnn.decode, (noise, link.decode._number, 21, torch.uint8, True))
    library.opcheck(torch.ops.fecnn.decode, (noise, link.soft._number, 31, torch.float32, False))


def test_priors_have_the_sign_of_the_llrs(llr):
    code = fecnn.load_code("bch-15-7")
    given, prior = torch.from_numpy(llr[:, :15].copy()), torch.from_numpy(llr[::-1, :15].copy())
    expected = fecnn.soft_decoder("map", code).extrinsic(given.numpy(), prior=prior.numpy())
    for sign, turn in (("log p0/p1", 1), ("log p1/p0", -1)):
        soft = SoftDecoder("map", code, llr_sign=sign, extrinsic=True)
        torch.testing.assert_close(turn * soft(turn * given, turn * prior), torch.from_numpy(expected))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_extrinsic_llrs_have_the_dtype_of_the_llrs_and_are_rounded_once(llr, dtype):
    code = fecnn.load_code("bch-15-7")
    soft = SoftDecoder("map", code, llr_sign="log p0/p1", extrinsic=True)
    given = torch.from_numpy(llr[:, :15].copy()).to(dtype)
    exact = fecnn.soft_decoder("map", code).extrinsic(given.float().numpy())
    found = soft(given, torch.zeros(15, dtype=torch.float64))
    assert found.dtype == dtype
    torch.testing.assert_close(found, torch.from_numpy(exact).to(dtype), rtol=0, atol=0)


def test_priors_are_looked_at(llr):
    soft = SoftDecoder("map", fecnn.load_code("bch-15-7"), llr_sign="log p0/p1")
    given = torch.from_numpy(llr[:, :15].copy())
    with pytest.raises(
        ValueError, match=r"prior must have the shape of llr, \(.*15\), or \(n,\), got \(1,\)"
    ):
        soft(given, torch.zeros(1))
    with pytest.raises(TypeError, match="prior must be a tensor of floats"):
        soft(given, np.zeros(15))
    with pytest.raises(TypeError, match="prior requires grad"):
        soft(given, torch.zeros(15, requires_grad=True))
