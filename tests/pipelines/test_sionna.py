"""Sionna blocks in Sionna's own links."""

import numpy as np
import pytest

import fecnn

pytest.importorskip("sionna.phy", reason="needs sionna-no-rt")

import torch
from sionna.phy import config
from sionna.phy.channel import AWGN
from sionna.phy.fec.linear import OSDecoder
from sionna.phy.mapping import BinarySource, Constellation, Demapper, Mapper
from sionna.phy.utils import ebnodb2no, sim_ber

from fecnn.intervals import proportion_interval
from fecnn.pipelines.sionna import Decoder, Encoder, SoftDecoder

CODE = fecnn.load_code("ebch-64-36")


@pytest.fixture(autouse=True)
def _seeded():
    config.seed = 7


class Link:
    """Messages, code bits, and LLRs over an AWGN channel with a QAM constellation."""

    def __init__(self, code, bits):
        self.code, self.bits = code, bits
        self.source, self.encode = BinarySource(), Encoder(code)
        constellation = Constellation("qam", bits)
        self.mapper, self.channel = Mapper(constellation=constellation), AWGN()
        self.demapper = Demapper("app", constellation=constellation)

    def __call__(self, shape, ebn0_db):
        messages = self.source([*shape, self.code.k])
        sent = self.encode(messages)
        no = ebnodb2no(ebn0_db, self.bits, self.code.rate)
        return messages, sent, self.demapper(self.channel(self.mapper(sent), no), no)


@pytest.mark.parametrize(("bits", "ebn0_db"), [(2, 2.0), (4, 4.5)], ids=["QPSK", "16-QAM"])
def test_block_errors_equal_those_of_sionnas_osd(bits, ebn0_db):
    _, sent, llr = Link(CODE, bits)((2000,), ebn0_db)
    theirs = OSDecoder(CODE.G.astype(np.float32), t=2)
    decoders = Decoder("osd", CODE, order=2), theirs
    errors = [(decode(llr) != sent).any(dim=-1).sum().item() for decode in decoders]
    assert errors[0] == errors[1] > 20


def test_a_noiseless_link_decodes_every_word_and_fails_with_the_sign_turned():
    messages, sent, llr = Link(CODE, 4)((500,), 40.0)
    for name in ("osd", "ml", "bp"):
        assert torch.equal(Decoder(name, CODE)(llr), sent)
        assert torch.equal(Decoder(name, CODE, output="message")(llr), messages)
        assert (Decoder(name, CODE)(-llr) != sent).any(dim=-1).all()
    assert torch.equal(SoftDecoder("osd", CODE, hard_out=True)(llr), sent)


def test_leading_dimensions_precision_and_sizes():
    _, sent, llr = Link(CODE, 2)((2, 3, 5), 6.0)
    decode = Decoder("osd", CODE)
    assert (decode.n, decode.k, decode.coderate) == (64, 36, 36 / 64)
    assert decode(llr).shape == sent.shape == (2, 3, 5, 64)
    assert torch.equal(decode(llr)[1, 2], decode(llr[1, 2]))
    assert decode(llr).dtype == torch.float32
    double = Decoder("osd", CODE, precision="double")
    assert double(llr).dtype == torch.float64
    assert SoftDecoder("osd", CODE, precision="double")(llr).dtype == torch.float64


def test_blocks_compile_as_one_graph():
    decode, soft = Decoder("osd", CODE), SoftDecoder("osd", CODE, order=1)
    _, _, llr = Link(CODE, 2)((20,), 3.0)
    decode(llr), soft(llr)

    @torch.compile(fullgraph=True, backend="aot_eager")
    def receive(llr):
        return decode(2 * llr), soft(llr)

    hard, app = receive(llr)
    assert torch.equal(hard, decode(2 * llr))
    assert torch.equal(app, soft(llr))


def test_sim_ber_is_inside_fecnns_interval():
    code, ebn0_db = fecnn.load_code("polar-64-32"), 3.0
    link, decode = Link(code, 2), Decoder("osd", code, order=2)

    def monte_carlo(batch_size, ebno_db):
        _, sent, llr = link((batch_size,), ebno_db)
        return sent, decode(llr)

    _, bler = sim_ber(monte_carlo, [ebn0_db], batch_size=4000, max_mc_iter=8, verbose=False, early_stop=False)
    rng = np.random.default_rng(5)
    words = code.encode(rng.integers(0, 2, (40_000, code.k), dtype=np.uint8))
    ours = fecnn.decoder("osd", code, order=2)(fecnn.AWGN.at(ebn0_db, code.rate).transmit(words, rng))
    low, high = proportion_interval(int((ours != words).any(axis=1).sum()), len(words))
    theirs_low, theirs_high = proportion_interval(round(float(bler[0]) * 32_000), 32_000)
    assert theirs_low < high
    assert low < theirs_high


def test_soft_output_against_brute_force():
    code = fecnn.load_code("hamming-7-4")
    llr = torch.randn(200, 7) * 3
    app = SoftDecoder("map", code)(llr)
    metric = llr.double() @ torch.from_numpy(code.codebook().astype(np.float64)).T
    ones = torch.from_numpy(code.codebook() == 1)
    for bit in range(7):
        expected = metric[:, ones[:, bit]].logsumexp(1) - metric[:, ~ones[:, bit]].logsumexp(1)
        assert torch.allclose(app[:, bit].double(), expected, atol=1e-4)
    extrinsic = SoftDecoder("map", code, extrinsic=True)(llr)
    assert torch.allclose(extrinsic, app - llr)
    with pytest.raises(ValueError, match="hard_out needs the a-posteriori"):
        SoftDecoder("map", code, extrinsic=True, hard_out=True)


def test_an_iterative_loop_of_demapper_and_decoder_gains_over_one_pass():
    """With set-partition-like labels, priors from the decoder tell the demapper much."""
    code = fecnn.load_code("bch-15-7")
    points = np.exp(2j * np.pi * np.array([0, 3, 6, 1, 5, 2, 7, 4]) / 8)
    constellation = Constellation("custom", 3, points=torch.from_numpy(points.astype(np.complex64)))
    mapper, channel = Mapper(constellation=constellation), AWGN()
    sent = Encoder(code)(BinarySource()([6000, code.k]))
    no = ebnodb2no(4.0, 3, code.rate)
    received = channel(mapper(sent), no)
    demap, soft = Demapper("app", constellation=constellation), SoftDecoder("map", code, extrinsic=True)
    decide = SoftDecoder("map", code, hard_out=True)
    prior, errors = torch.zeros_like(sent), []
    for _ in range(4):
        llr = demap(received, no, prior.unflatten(-1, (-1, 3))) - prior
        errors.append((decide(llr) != sent).any(dim=-1).sum().item())
        prior = soft(llr)
    assert errors[0] > 100
    assert errors[-1] < 0.9 * errors[0], errors
