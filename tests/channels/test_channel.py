"""Channels: every one of the registry is whole, and those of others are found, checked and named."""

import inspect
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import ncx2, norm

import fecnn
from fecnn import AWGN, BEC, BSC, Rayleigh
from fecnn.channels.registry import REGISTRY, built_in, channel_at, channel_names, channel_rows, told
from fecnn.channels.stream import FrameStream
from fecnn.errors import ContractError
from fecnn.testing import check_channel


def rician(ebn0, k):
    """The mean of Q over a noncentral chi-square distribution of the power."""
    power = ncx2(2, 2 * k, scale=0.5 / (1 + k))
    return quad(lambda p: norm.sf(np.sqrt(2 * ebn0 * p)) * power.pdf(p), 0, 8)[0]


def closed_forms(ebn0):
    """The share of wrong hard decisions on uncoded bits at an Eb/N0, for rate 1; a lost bit counts half."""
    return {
        "awgn": norm.sf(np.sqrt(2 * ebn0)),
        "bsc": norm.sf(np.sqrt(2 * ebn0)),
        "bec": 0.5 * np.exp(-ebn0),
        "rayleigh": 0.5 * (1 - np.sqrt(ebn0 / (1 + ebn0))),  # Proakis
        "rician": rician(ebn0, 10.0),
    }


def raw_error_rate(channel, frames=40000, n=8):
    """What is counted, and over how many bits."""
    stream = FrameStream("channel", 0)
    bits = stream.messages(frames, n)
    llr = channel.transmit(bits, stream)
    return ((llr < 0) != bits)[llr != 0].sum() / bits.size + 0.5 * (llr == 0).mean(), bits.size


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_a_channel_is_whole(name):
    check_channel(name)
    about = inspect.getdoc(built_in(name))
    assert re.search(r"\(.*\d{4}\)", about.partition("\n")[0]), "no source in its first sentence"
    assert getattr(fecnn, built_in(name).__name__) is built_in(name)
    assert str(channel_at(name, 3.0, 0.5))


@pytest.mark.parametrize("name", sorted(REGISTRY))
@pytest.mark.parametrize(("ebn0_db", "rate"), [(0.0, 1.0), (3.0, 0.75), (9.0, 0.5)])
def test_uncoded_error_rates_are_the_closed_forms(name, ebn0_db, rate):
    expected = closed_forms(rate * 10 ** (ebn0_db / 10))[name]
    found, size = raw_error_rate(channel_at(name, ebn0_db, rate))
    assert abs(found - expected) < 5 * np.sqrt(expected / size)


def test_the_documentation_has_the_rows_of_the_registry():
    """Made by tools/write_tables.py."""
    page = (Path(__file__).parents[2] / "docs" / "channels.md").read_text()
    _, _, rest = page.partition("<!-- made by tools/write_tables.py -->\n")
    rows = [line for line in rest.partition("<!-- end")[0].splitlines() if line.startswith("| `")]
    assert rows == [f"| `{name}` | " + " | ".join(cells) + " |" for name, *cells in channel_rows()]


def test_noiseless_zero_word_has_positive_llrs():
    zero = np.zeros((10, 5), np.uint8)
    for channel in (AWGN(1e-3), BSC(0.0), BEC(0.0), Rayleigh(1e-6)):
        assert (channel.transmit(zero, FrameStream("positive", 0)) > 0).all()
        assert (channel.transmit(zero + 1, np.random.default_rng(0)) < 0).all()
    for channel in (BSC(0.0), BEC(0.0)):
        assert np.isinf(channel.transmit(zero, FrameStream("positive", 0))).all()


def test_channels_that_say_nothing():
    zero = np.zeros((3, 4), np.uint8)
    for channel in (BSC(0.5), BEC(1.0)):
        assert (channel.transmit(zero, FrameStream("half", 0)) == 0).all()


@pytest.mark.parametrize("modulation", ["bpsk", "16qam"])
@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_bits_of_any_shape_and_kind_are_sent(name, modulation):
    if name in ("bsc", "bec") and modulation != "bpsk":
        return
    options = {} if modulation == "bpsk" else {"modulation": modulation}
    channel = channel_at(tuple({**options, "name": name}.items()), 3.0, 0.5)
    bits = np.random.default_rng(0).integers(0, 2, (4, 3, 10), dtype=np.uint8)
    expected = channel.transmit(bits.reshape(12, 10), np.random.default_rng(1))
    for kind in (np.uint8, bool, np.int64, float):
        found = channel.transmit(bits.astype(kind), np.random.default_rng(1))
        assert found.dtype == np.float32
        assert (found == expected.reshape(bits.shape)).all()
    one = channel.transmit(bits[0, 0].tolist(), np.random.default_rng(1))
    assert (one == channel.transmit(bits[0, :1], np.random.default_rng(1))[0]).all()
    for wrong, said in (
        (1 - 2 * bits.astype(int), "not .1 and -1"),
        (bits + 1, "got 2"),
        (np.uint8(1), "frames"),
    ):
        with pytest.raises(ValueError, match=f"bits must .*{said}"):
            channel.transmit(wrong, np.random.default_rng(1))


def test_noise_level():
    assert AWGN.at(0, 1).sigma == pytest.approx(np.sqrt(0.5))
    assert AWGN.at(3, 0.5).sigma == pytest.approx(10 ** (-3 / 20))
    assert BEC.at(0, 0.5).erasure == pytest.approx(np.exp(-0.5))


def test_an_erasure_channel_loses_what_it_says():
    llr = BEC(0.3).transmit(np.ones((5000, 8), np.uint8), FrameStream("lost", 0))
    assert set(np.unique(llr)) == {-np.inf, 0}
    assert abs((llr == 0).mean() - 0.3) < 5 * np.sqrt(0.21 / llr.size)


# Channels of others


class Flat:
    """LLRs of a noise level that is not that of the noise."""

    def __init__(self, sigma, claimed):
        self.sigma, self.claimed = sigma, claimed

    def transmit(self, bits, rng):
        y = fecnn.bpsk(bits) + np.float32(self.sigma) * rng.standard_normal(bits.shape, dtype=np.float32)
        return y * np.float32(2 / self.claimed**2)


def good(ebn0_db, rate, /, *, boost=0.0):
    sigma = AWGN.at(ebn0_db + boost, rate).sigma
    return Flat(sigma, sigma)


def too_sure(ebn0_db, rate, /):
    sigma = AWGN.at(ebn0_db, rate).sigma
    return Flat(sigma, 0.8 * sigma)


class Variant(Flat):
    def __init__(self, change):
        super().__init__(1.0, 1.0)
        self.change = change

    def transmit(self, bits, rng):
        return self.change(super().transmit(bits, rng))


GLOBAL = np.random.default_rng(1)

WRONG = {
    "float64": (lambda llr: llr.astype(np.float64), "must return float32"),
    "transposed": (lambda llr: llr.T, "must return float32"),
    "nan": (lambda llr: llr * np.float32(np.nan), "NaN|batch"),
    "of the batch": (lambda llr: llr + llr.mean(), "other frames of its batch"),
    "own randomness": (
        lambda llr: llr + GLOBAL.standard_normal(len(llr)).astype(np.float32)[:, None],
        "batch|second",
    ),
    "sign": (lambda llr: -llr, "sign|calibrated"),
    "scale": (lambda llr: llr * np.float32(1.5), "calibrated"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_channel_that_breaks_the_contract_is_told(fault, monkeypatch):
    change, message = WRONG[fault]
    monkeypatch.setitem(globals(), "broken", lambda ebn0_db, rate, /: Variant(change))
    with pytest.raises(ContractError, match=message):
        check_channel(f"{__name__}:broken")


def test_module_and_function_name_a_channel():
    name = f"{__name__}:good"
    check_channel(name)
    check_channel(name, boost=2.0)
    with pytest.raises(ContractError, match="not calibrated"):
        check_channel(f"{__name__}:too_sure")
    check_channel(f"{__name__}:too_sure", calibrated=False)
    assert channel_at((("boost", 1.0), ("name", name)), 3.0, 0.5).sigma == AWGN.at(4.0, 0.5).sigma
    assert told((("boost", 1.0), ("name", "mine"))) == "mine (boost 1.0)"


def test_an_entry_point_names_a_channel(tmp_path, monkeypatch):
    info = tmp_path / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[fecnn.channels]\nflat = their_noise:flat\n")
    (tmp_path / "their_noise.py").write_text(
        "from fecnn import AWGN\n\n\ndef flat(ebn0_db, rate, /):\n    return AWGN.at(ebn0_db - 1, rate)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert "flat" in channel_names()
    assert channel_at("flat", 3.0, 0.5) == AWGN.at(2.0, 0.5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: AWGN.at(float("nan"), 0.5), ValueError, "ebn0_db"),
        (lambda: AWGN.at(1000, 0.5), ValueError, "-100..100"),
        (lambda: AWGN.at(3, 0), ValueError, "rate"),
        (lambda: BSC(0.7), ValueError, "crossover"),
        (lambda: AWGN(-1.0), ValueError, "sigma must be above 0, got -1.0"),
        (lambda: AWGN(0), ValueError, "sigma must be above 0, got 0"),
        (lambda: Rayleigh("1"), TypeError, "sigma must be a number, got '1'"),
        (lambda: AWGN(0.5, "qpsk"), TypeError, r"modem must be a Modem, as Modem\('qpsk'\), got 'qpsk'"),
        (lambda: AWGN.at("3", 0.5), TypeError, "ebn0_db must be a number, got '3'"),
        (lambda: AWGN.at([3, 4], 0.5), TypeError, "ebn0_db must be a number, got a list"),
        (lambda: AWGN.at(3.0, fecnn.hamming(3)), TypeError, "rate, k / n, must be a number, got a Code"),
        (lambda: BSC("a"), TypeError, "crossover must be a number, got 'a'"),
        (lambda: BEC(None), TypeError, "erasure must be a number, got None"),
        (
            lambda: AWGN.at(3.0, 0.5, modulation="qpsk", interleaver_seed=5),
            ValueError,
            "interleaver_seed is for the interleaver random, not for none, got 5",
        ),
        (
            lambda: AWGN.at(3.0, 0.5, modulation="qpsk", interleaver="random", interleaver_seed="x"),
            TypeError,
            "interleaver_seed must be a whole number, got 'x'",
        ),
        (lambda: channel_at("./sum.py", 3.0, 0.5), LookupError, r"its function follows: ./sum.py:FUNCTION"),
        (
            lambda: channel_at((("crossover", 0.1), ("name", "bsc")), 3.0, 0.5),
            TypeError,
            "it is the axis of a study, crossover = ",
        ),
        (
            lambda: FrameStream("x", 0).normal(),
            AttributeError,
            "has standard_normal and random, but no normal",
        ),
        (lambda: BEC(1.7), ValueError, "erasure"),
        (lambda: channel_at("awng", 3, 0.5), LookupError, "did you mean awgn"),
        (lambda: channel_at((("sigm", 1.0), ("name", "bsc")), 3, 0.5), TypeError, "no option 'sigm'; it has"),
        (lambda: channel_at(f"{__name__}:bad", 3, 0.5), LookupError, "no function 'bad'"),
        (lambda: channel_at("nowhere:at_all", 3, 0.5), LookupError, "no module 'nowhere' for channel"),
        (lambda: channel_at(f"{__name__}:GLOBAL", 3, 0.5), TypeError, "must be a function make"),
        (lambda: channel_at(f"{__name__}:dict_of", 3, 0.5), TypeError, "object with transmit"),
    ],
)
def test_mistakes_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def dict_of(ebn0_db, rate, /):
    return {}
