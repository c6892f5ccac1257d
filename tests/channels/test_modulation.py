"""Modulations: maps, demappers and interleavers, against the standard, closed forms and a peer."""

import numpy as np
import oracles
import pytest
from decoding_cases import SMALL
from scipy.integrate import quad
from scipy.special import erfc
from scipy.stats import norm

from fecnn import AWGN
from fecnn.channels.modulation import CONSTELLATIONS, DEMAPPERS, INTERLEAVERS, Modem, _shape
from fecnn.channels.stream import FrameStream
from fecnn.testing import check_channel

BITS = {"bpsk": 1, "qpsk": 2, "8psk": 3, "16qam": 4, "64qam": 6, "256qam": 8}


@pytest.mark.parametrize("modulation", CONSTELLATIONS)
def test_symbols_are_those_of_the_standard(modulation):
    points = oracles.constellation(modulation)
    labels = np.array(list(points), np.uint8)
    modem = Modem(modulation)
    assert modem.bits == BITS[modulation] == labels.shape[1]
    found = modem.symbols(labels)[:, 0]
    assert found == pytest.approx(np.array(list(points.values())), abs=1e-6)
    assert np.mean(np.abs(found) ** 2) == pytest.approx(1, abs=1e-6)
    assert (modem.symbols(labels.reshape(1, -1))[0] == found).all()


@pytest.mark.parametrize("modulation", CONSTELLATIONS)
def test_labels_of_neighbours_differ_in_one_bit(modulation):
    points = oracles.constellation(modulation)
    labels, places = np.array(list(points)), np.array(list(points.values()))
    distance = np.abs(places[:, None] - places)
    least = distance[distance > 1e-9].min()
    near = np.argwhere((distance > 1e-9) & (distance < least * 1.001))
    assert {int((labels[a] != labels[b]).sum()) for a, b in near} == {1}


@pytest.mark.kernel
@pytest.mark.parametrize("demapper", DEMAPPERS)
@pytest.mark.parametrize("interleaver", INTERLEAVERS)
@pytest.mark.parametrize("modulation", CONSTELLATIONS)
def test_llrs_equal_sums_over_all_points(modulation, interleaver, demapper, rng):
    """Also beyond the reach of exp, with gains, and with padding, whose bits are known."""
    modem = Modem(modulation, demapper, interleaver, 5 if interleaver == "random" else 0)
    cases = [(2 * modem.bits, 0.4), (modem.bits + 1, 0.4), (13, 0.02), (7, 3.0)]
    for n, sigma in cases[:2] if SMALL else cases:
        shape = (3, modem.symbols_of(n))
        bits = rng.integers(0, 2, (3, n), dtype=np.uint8)
        gain = rng.uniform(0.2, 2, shape)
        noise = sigma * (rng.standard_normal(shape) + 1j * rng.standard_normal(shape))
        y = (gain * modem.symbols(bits) + noise).astype(np.complex64)
        found = modem.llr(y, sigma, n, gain)
        order = _shape(modem, n).order
        expected = oracles.demapped(modulation, y, sigma, gain, order, n, demapper == "exact")
        assert np.abs(found - expected).max() < 3e-6 * np.abs(expected).max() + 2e-5
        assert found.dtype == np.float32


@pytest.mark.parametrize("interleaver", INTERLEAVERS)
@pytest.mark.parametrize("modulation", CONSTELLATIONS)
def test_noiseless_bits_come_back(modulation, interleaver, rng):
    modem = Modem(modulation, "exact", interleaver, 3 if interleaver == "random" else 0)
    for n in (1, 7, 63, 64, 129):
        bits = rng.integers(0, 2, (5, n), dtype=np.uint8)
        assert ((modem.llr(modem.symbols(bits), 0.01, n) < 0) == bits).all()


@pytest.mark.parametrize("interleaver", INTERLEAVERS)
@pytest.mark.parametrize("modulation", CONSTELLATIONS)
def test_channels_with_a_modulation_keep_the_contract(modulation, interleaver):
    """13 bits: all of the higher ones need padding."""
    check_channel("awgn", modulation=modulation, interleaver=interleaver)


def test_max_log_is_no_log_likelihood_ratio():
    check_channel("awgn", modulation="16qam", demapper="maxlog", calibrated=False)
    with pytest.raises(AssertionError, match="not calibrated"):
        check_channel("awgn", modulation="16qam", demapper="maxlog")


def test_interleavers():
    rows = _shape(Modem("16qam", "exact", "row-column"), 12).order
    # TS 38.212, 5.4.2.2: f[i + j Qm] = e[i E / Qm + j].
    assert all(rows[i + 4 * j] == 3 * i + j for j in range(3) for i in range(4))
    one, two, again = (_shape(Modem("qpsk", "exact", "random", seed), 64).order for seed in (1, 2, 1))
    assert sorted(one) == sorted(two) == list(range(64))
    assert (one == again).all()
    assert (one != two).any()
    # Frames depend on it: a change raises STREAM.
    assert one[:8].tolist() == [33, 29, 11, 28, 51, 38, 53, 10]


def gray_qam(bits, gamma):
    """Bit error rate of Gray QAM at Eb/N0 gamma (Cho and Yoon, IEEE Trans. Commun. 50(7), 2002)."""
    size, side = 2**bits, 2 ** (bits // 2)
    total = 0.0
    for k in range(1, bits // 2 + 1):
        for i in range(int((1 - 2.0**-k) * side)):
            weight = 2 ** (k - 1) - np.floor(i * 2 ** (k - 1) / side + 0.5)
            sign = (-1) ** np.floor(i * 2 ** (k - 1) / side)
            total += sign * weight * erfc((2 * i + 1) * np.sqrt(3 * bits * gamma / (2 * (size - 1)))) / side
    return total / (bits / 2)


def gray_8psk(gamma):
    """From the density of the phase (Proakis): the chance of each sector, times its wrong bits."""
    es = 3 * gamma
    labels = [int(label, 2) for label in ("000", "001", "011", "010", "110", "111", "101", "100")]
    wrong = [np.mean([(labels[a] ^ labels[(a + i) % 8]).bit_count() for a in range(8)]) for i in range(8)]

    def density(angle):
        along = np.cos(angle)
        tail = norm.cdf(along * np.sqrt(2 * es)) * np.exp(-es * np.sin(angle) ** 2)
        return (np.exp(-es) + along * np.sqrt(4 * np.pi * es) * tail) / (2 * np.pi)

    chances = [quad(density, (i - 0.5) * np.pi / 4, (i + 0.5) * np.pi / 4)[0] for i in range(8)]
    assert sum(chances) == pytest.approx(1)
    return float(np.dot(wrong, chances)) / 3


@pytest.mark.parametrize("modulation", CONSTELLATIONS)
@pytest.mark.parametrize(("ebn0_db", "rate"), [(3.0, 1.0), (9.0, 0.8)])
def test_uncoded_error_rates_are_the_closed_forms(modulation, ebn0_db, rate):
    """Those of nearest points, as which max-log LLRs decide; Es = m R Eb."""
    gamma = rate * 10 ** (ebn0_db / 10)
    if modulation in ("bpsk", "qpsk"):
        expected = norm.sf(np.sqrt(2 * gamma))
    elif modulation == "8psk":
        expected = gray_8psk(gamma)
    else:
        expected = gray_qam(BITS[modulation], gamma)
    if modulation == "16qam":  # three terms, as textbooks have it
        x = np.sqrt(0.8 * gamma)
        assert expected == pytest.approx(0.75 * norm.sf(x) + 0.5 * norm.sf(3 * x) - 0.25 * norm.sf(5 * x))
    channel = AWGN.at(ebn0_db, rate, modulation=modulation, demapper="maxlog")
    stream = FrameStream("uncoded", 0)
    bits = stream.messages(40_000, 24)
    wrong = np.mean((channel.transmit(bits, stream) < 0) != bits)
    assert abs(wrong - expected) < 5 * np.sqrt(2 * expected / bits.size)


def test_padding_costs_energy():
    """7 bits in two 16-QAM symbols: their energy is spread over 8."""
    assert Modem("qpsk").loudness(7) ** 2 == pytest.approx(8 / 7)
    assert Modem("16qam").loudness(8) == 1
    # As the page on channels says.
    assert f"{20 * np.log10(Modem('qpsk').loudness(63)):.2f}" == "0.07"
    assert f"{20 * np.log10(Modem('16qam').loudness(63)):.2f}" == "-0.04"


@pytest.mark.parametrize("modulation", CONSTELLATIONS)
@pytest.mark.parametrize("interleaver", ["none", "random", "row-column"])
def test_the_energy_of_a_frame_is_what_its_symbols_have(modulation, interleaver):
    """Over all frames of 7 bits; the Eb/N0 of what is sent is the one that was asked for."""
    channel = AWGN.at(4.0, 4 / 7, modulation=modulation, interleaver=interleaver)
    words = (np.arange(128)[:, None] >> np.arange(7) & 1).astype(np.uint8)
    energy = (np.abs(channel.modem.symbols(words)) ** 2).sum(axis=1).mean()
    assert channel.modem.energy(7) == pytest.approx(energy, rel=1e-5)
    noise = 2 * (channel.sigma * channel.modem.loudness(7)) ** 2
    assert 10 * np.log10(energy / 4 / noise) == pytest.approx(4.0, abs=1e-4)
    # One bit of QPSK: the other is known, so it is BPSK on one axis, with half of the energy.
    channel = AWGN.at(2.0, 1.0, modulation="qpsk")
    stream = FrameStream("one", 0)
    bits = stream.messages(200_000, 1)
    wrong = np.mean((channel.transmit(bits, stream) < 0) != bits)
    expected = norm.sf(np.sqrt(10**0.2))
    assert abs(wrong - expected) < 5 * np.sqrt(expected / bits.size)


def test_frames_do_not_depend_on_the_batch():
    channel = AWGN.at(5.0, 0.5, modulation="64qam", interleaver="random")
    bits = FrameStream("bits", 0).messages(40, 63)
    whole = channel.transmit(bits, FrameStream("split", 0))
    for first, frames in ((0, 1), (1, 6), (7, 33)):
        part = channel.transmit(bits[first : first + frames], FrameStream("split", first))
        assert (part == whole[first : first + frames]).all()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("demapper", DEMAPPERS)
@pytest.mark.parametrize("modulation", ["bpsk", "qpsk", "16qam", "64qam", "256qam"])
def test_symbols_and_llrs_are_those_of_sionna(modulation, demapper, rng):
    """Its sign is the opposite outside; its QAM is that of TS 38.211, too."""
    torch = pytest.importorskip("torch")
    mapping = pytest.importorskip("sionna.phy.mapping")
    kind = ("pam", 1) if modulation == "bpsk" else ("qam", BITS[modulation])
    constellation = mapping.Constellation(*kind)
    mapper = mapping.Mapper(constellation=constellation)
    method = {"exact": "app", "maxlog": "maxlog"}[demapper]
    theirs = mapping.Demapper(method, constellation=constellation)
    modem = Modem(modulation, demapper)
    bits = rng.integers(0, 2, (20, 48), dtype=np.uint8)
    symbols = modem.symbols(bits)
    assert np.abs(mapper(torch.from_numpy(bits.astype(np.float32))).numpy() - symbols).max() < 1e-6
    sigma = 0.3
    noise = rng.standard_normal(symbols.shape) + 1j * rng.standard_normal(symbols.shape)
    y = (symbols + sigma * noise).astype(np.complex64)
    no = torch.tensor(2 * sigma**2, dtype=torch.float32)
    assert np.abs(-theirs(torch.from_numpy(y), no).numpy() - modem.llr(y, sigma, 48)).max() < 1e-3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"modulation": "16-qam"}, "no modulation '16-qam'; did you mean 16qam"),
        ({"demapper": "max-log"}, "no demapper 'max-log'; did you mean maxlog"),
        ({"interleaver": "rows"}, "no interleaver 'rows'"),
    ],
)
def test_mistakes_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        AWGN.at(3.0, 0.5, **options)
