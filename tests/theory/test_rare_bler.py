"""Importance sampling of any decoder: against closed forms, exact ML, and counts, by how often it covers."""

import functools
import math

import numpy as np
import oracles
import pytest
from scipy.stats import binom, norm

import fecnn
from fecnn.channels.channel import noise_sigma
from fecnn.theory import rare
from fecnn.theory.rare import rare_bler

SEEDS = 40
LEAST = 34
"""Coverage of 95 % gives fewer than this of 40 in one case of 300."""

FEW_SEEDS, LEAST_OF_FEW = 4, 3
"""Fewer than this of 4 is one case of 70; the slow test has all 40."""


def covering(decode, code, ebn0_db, truth, rel_error, seeds=SEEDS):
    """How many intervals of different seeds have the truth; all must be as narrow as was asked for."""
    found = [rare_bler(decode, code, ebn0_db, rel_error, seed=seed) for seed in range(seeds)]
    for one in found:
        assert one.method == "importance sampling"
        assert 0 < one.low < one.value < one.high <= 1
        assert one.high - one.low <= 2 * rel_error * one.value * (1 + 1e-9)
    # Unbiased: the mean of the values, within four of its standard deviations.
    values = np.array([one.value for one in found]) / truth
    assert abs(values.mean() - 1) < 4 * values.std(ddof=1) / math.sqrt(seeds) + 0.01
    return sum(one.low <= truth <= one.high for one in found)


def wrong_bit(code, ebn0_db):
    return norm.sf(1 / noise_sigma(ebn0_db, code.rate))


@pytest.mark.parametrize(("name", "ebn0_db"), [("hamming-7-4", 12.5), ("bch-15-11", 10.5)])
def test_hard_decisions_have_a_closed_form(name, ebn0_db):
    code = fecnn.load_code(name)
    truth = binom.sf(1, code.n, wrong_bit(code, ebn0_db))  # the code is perfect
    assert 1e-10 < truth < 1e-7
    assert covering(fecnn.decoder("hard", code), code, ebn0_db, truth, 0.2) >= LEAST


@pytest.mark.parametrize(("name", "ebn0_db"), [("hamming-7-4", 12.0), ("polar-16-8", 10.0)])
def test_maximum_likelihood_is_known_to_one_in_a_thousand(name, ebn0_db):
    code = fecnn.load_code(name)
    truth = fecnn.ml_bler(code, ebn0_db, 0.003).value
    assert truth < 1e-8
    assert covering(fecnn.decoder("ml", code), code, ebn0_db, truth, 0.25) >= LEAST


@functools.cache
def counted(decode, code, ebn0_db, frames):
    """BLER counted in a number of frames."""
    channel, errors = fecnn.AWGN.at(ebn0_db, code.rate), 0
    rng = np.random.default_rng(12345)
    for _ in range(frames >> 13):
        words = code.encode(rng.integers(0, 2, (1 << 13, code.k), dtype=np.uint8))
        errors += int((decode(channel.transmit(words, rng)) != words).any(axis=1).sum())
    assert errors > 2000
    return errors / frames


@pytest.mark.parametrize(
    ("name", "decoder", "options", "ebn0_db", "frames"),
    [
        ("bch-15-7", "osd", {"order": 0}, 5.0, 1 << 19),
        ("polar-16-8", "sc", {}, 5.0, 1 << 20),
        ("hamming-7-4", "bp", {"iterations": 3}, 5.0, 1 << 20),
    ],
)
def test_intervals_cover_what_is_counted(name, decoder, options, ebn0_db, frames):
    code = fecnn.load_code(name)
    decode = fecnn.decoder(decoder, code, fecnn.AWGN.at(ebn0_db, code.rate), **options)
    assert covering(decode, code, ebn0_db, counted(decode, code, ebn0_db, frames), 0.25) >= LEAST


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "decoder", "options", "ebn0_db", "frames"),
    [
        ("bch-31-21", "osd", {"order": 0}, 5.0, 1 << 21),
        ("bch-31-16", "osd", {"order": 1}, 4.5, 1 << 23),
        ("ldpc-49-24", "bp", {}, 5.0, 1 << 22),
        ("polar-64-32", "sc", {}, 4.5, 1 << 22),
        ("polar-64-32", "scl", {"list": 4}, 3.5, 1 << 21),
    ],
)
def test_intervals_cover_what_is_counted_of_longer_codes(name, decoder, options, ebn0_db, frames):
    test_intervals_cover_what_is_counted(name, decoder, options, ebn0_db, frames)


# Errors that have nothing to do with light words


def by_first(llr):
    """The first bit decides."""
    return (llr[:, :1] < 0).astype(np.uint8)


def by_three(llr):
    """A majority of three bits decides."""
    return ((llr[:, :3] < 0).sum(axis=1, keepdims=True) > 1).astype(np.uint8)


def if_strong(llr):
    """The first bit decides, but the wrong way if the two next to it are far larger than they should be."""
    sigma = noise_sigma(22.0, 1 / 15)
    high = (np.abs(llr[:, 1:3]) * sigma**2 / 2 > 1.7).all(axis=1, keepdims=True)
    return by_first(llr) ^ high


FAR = {
    "first bit": (by_first, 22.5, lambda p, sigma: p),
    "majority of three bits": (by_three, 19.0, lambda p, sigma: 3 * p**2 - 2 * p**3),
    "too strong": (if_strong, 22.0, lambda p, sigma: p + norm.sf(0.7 / sigma) ** 2),
}


def far_from_words(kind, seeds):
    """How many intervals cover, of a decoder whose errors are far from any codeword."""
    decode, ebn0_db, truth = FAR[kind]
    code = fecnn.repetition(15)
    rate = truth(wrong_bit(code, ebn0_db), noise_sigma(ebn0_db, code.rate))
    assert 1e-8 < rate < 1e-5
    return covering(decode, code, ebn0_db, rate, 0.3, seeds)


@pytest.mark.parametrize("kind", ["majority of three bits", "too strong"])
def test_errors_far_from_any_codeword_are_found(kind):
    assert far_from_words(kind, FEW_SEEDS) >= LEAST_OF_FEW


@pytest.mark.slow
@pytest.mark.parametrize("kind", FAR)
def test_errors_far_from_any_codeword_are_covered(kind):
    assert far_from_words(kind, SEEDS) >= LEAST


def test_a_trap_of_a_few_bits_beside_maximum_likelihood_is_found():
    """A decoder that fails where three certain bits are weak at once, twice as often as ML fails at all."""
    code, ebn0_db, low = fecnn.load_code("bch-15-7"), 8.0, 0.05
    sigma, ml = noise_sigma(ebn0_db, code.rate), fecnn.decoder("ml", code)

    def decode(llr):
        words = ml(llr)
        margins = llr[:, :3] * np.float32(sigma**2 / 2) * fecnn.bpsk(words[:, :3])
        words[(margins < low).all(axis=1)] ^= code.G[0]
        return words

    exact, trap = fecnn.ml_bler(code, ebn0_db, 0.01).value, norm.cdf((low - 1) / sigma) ** 3
    assert trap > 2 * exact
    found = [rare_bler(decode, code, ebn0_db, 0.3, seed=seed) for seed in range(3)]
    assert sum(one.low <= exact + trap <= one.high for one in found) >= 2


# What the numbers are made of


@pytest.fixture
def noise():
    """The mixture after a fit to errors, with shares that are not equal."""
    fitted = rare._Noise(fecnn.load_code("hamming-7-4"), 6.0)
    rng = np.random.default_rng(1)
    drawn = fitted.draw(rng, 5000)
    ratios = fitted.log_ratios(drawn)
    wrong = drawn[:, 0] < -1 / noise_sigma(6.0, 4 / 7)
    fitted.fit(drawn[wrong], -rare._log_mixed(ratios[wrong], fitted.shares), rng)
    fitted.shares = np.array([0.2, 0.5, 0.3])
    return fitted


def test_weights_are_those_of_the_slow_twin(noise):
    drawn = noise.draw(np.random.default_rng(2), 200)
    found = rare._log_mixed(noise.log_ratios(drawn), noise.shares)
    for values, log_ratio in zip(drawn.astype(float), found, strict=True):
        expected = oracles.density_ratio(
            values,
            noise.shares,
            lambda length: float(noise._density(np.array([length]))[0]),
            (noise._means.astype(float), noise._share),
            (noise._hits, *noise._bit),
        )
        assert math.exp(log_ratio) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("part", range(3))
def test_each_part_is_drawn_from_the_density_that_it_is_said_to_have(noise, part):
    """Means over one part alone, weighted, are those of true noise."""
    noise.shares = np.where(np.arange(3) == part, 1.0, 0.0)
    drawn = noise.draw(np.random.default_rng(3), 1 << 18)
    with np.errstate(divide="ignore"):
        weights = np.exp(-noise.log_ratios(drawn)[:, part])
    # Where noise is true noise and each of the parts often enough.
    inside = (drawn[:, 0] < -1) & (drawn[:, 0] > -3) & (np.abs(drawn[:, 1:]) < 1.5).all(axis=1)
    share = (norm.cdf(-1) - norm.cdf(-3)) * (1 - 2 * norm.sf(1.5)) ** 6
    values = weights * inside
    assert values.mean() == pytest.approx(share, abs=5 * values.std() / 512)
    assert values.std() / 512 < 0.1 * share


def test_the_interval_leaves_room_for_a_kind_of_error_that_was_not_seen():
    """Without errors of small weight it is that of Poisson counts; one more heavy one moves the upper end."""
    seen = rare._Weighed(10**6, total=100.0, squares=100.0, unseen=100.0)
    assert seen.interval() == pytest.approx(fecnn.proportion_interval(100, 10**6), rel=0.01)
    blind = rare._Weighed(10**6, total=100.0, squares=100.0, unseen=100.0 * 50)
    assert blind.interval()[0] == seen.interval()[0]
    assert blind.interval()[1] > 100e-6 + 50e-6


# Its arguments


def test_equal_seeds_give_equal_estimates():
    code = fecnn.load_code("hamming-7-4")
    found = [rare_bler("hard", code, 6.0, 0.3, seed=seed) for seed in (1, 1, 2)]
    assert found[0] == found[1] != found[2]


def test_decoders_are_taken_in_every_form():
    code = fecnn.load_code("hamming-7-4")
    built = fecnn.decoder("ml", code, output="message")
    forms = (built, "ml", lambda llr: built(llr), lambda llr: fecnn.decoder("ml", code)(llr))
    assert len({rare_bler(form, code, 6.0, 0.3) for form in forms}) == 1


def test_a_decoder_built_for_a_channel_is_used_for_the_one_of_the_estimate():
    code = fecnn.load_code("hamming-7-4")
    seen = []

    def make(code, channel, /):
        seen.append(channel)
        decode = fecnn.decoder("ml", code)
        return lambda llr: decode(llr)

    rare_bler(fecnn.decoder(make, code, fecnn.AWGN.at(1.0, code.rate)), code, 6.0, 0.3)
    assert seen[-1] == fecnn.AWGN.at(6.0, code.rate)


def test_rates_near_one_are_estimated_too():
    code = fecnn.load_code("hamming-7-4")
    found = rare_bler("hard", code, -10.0, 0.1)
    truth = binom.sf(1, 7, wrong_bit(code, -10.0))
    assert truth > 0.5
    assert found.low < truth < found.high <= 1
    assert found.value <= 1


def test_of_one_bit_and_of_a_code_without_checks():
    for code in (fecnn.uncoded(1), fecnn.uncoded(6)):
        truth = -math.expm1(code.n * math.log1p(-wrong_bit(code, 12.0)))
        found = rare_bler("hard", code, 12.0, 0.2)
        assert truth < 1e-7
        assert found.low < truth < found.high


def test_what_cannot_be_reached_is_refused(monkeypatch):
    code = fecnn.load_code("hamming-7-4")
    with pytest.raises(ValueError, match=r"rel_error must be in \(0, 0.5\], got 0.6"):
        rare_bler("ml", code, 6.0, 0.6)
    with pytest.raises(ValueError, match="seed must be a whole number, 0 or more, got -1"):
        rare_bler("ml", code, 6.0, seed=-1)
    with pytest.raises(ValueError, match="BLER of hamming-7-4 at 35 dB is below 1e-300"):
        rare_bler("ml", code, 35.0)
    monkeypatch.setattr(rare, "MOST_FRAMES", 1 << 12)
    with pytest.raises(ValueError, match=r"about 1\.\de-08, but rel_error 0\.1 would take about .* frames"):
        rare_bler("ml", code, 10.0)
    with pytest.raises(ValueError, match=r"decoder .* must return shape"):
        rare_bler(lambda llr: np.zeros((len(llr), 5), np.uint8), code, 6.0)


def test_a_decoder_without_errors_is_refused():
    """Only a genie could be one: this one is told the words."""
    code = fecnn.load_code("hamming-7-4")

    class Sure(rare._Sender):
        def errors(self, noise, rng, frames):
            for errors in super().errors(noise, rng, frames):
                yield errors[:0]

    sender, noise = Sure("ml", code, 6.0), rare._Noise(code, 6.0)
    with pytest.raises(ValueError, match="made no error in 522,240 frames"):
        rare._pilot(sender, noise, 0.1, 1)


def test_a_network_is_estimated_and_its_lead_over_maximum_likelihood_is_none():
    pytest.importorskip("torch")
    code = fecnn.load_code("bch-31-16")
    decode = fecnn.decoder("fecnn-net", code, fecnn.AWGN.at(4.0, code.rate))
    found = rare_bler(decode, code, 4.0, 0.3)
    exact = fecnn.ml_bler(code, 4.0, 0.05)
    assert exact.low < found.high
    assert found.low < 3 * exact.high


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "decoder", "options", "ebn0_db", "fewer"),
    [
        ("bch-31-16", "osd", {"order": 0}, 7.0, (7, 15)),
        ("bch-63-45", "osd", {"order": 1}, 6.0, (35, 100)),
        ("bch-31-16", "hard", {}, 10.0, (10_000, math.inf)),
    ],
)
def test_frames_are_as_few_as_it_says(monkeypatch, name, decoder, options, ebn0_db, fewer):
    """The ratios of the docstring: frames that counting would take, over all that are drawn."""
    drawn = []

    class Counting(rare._Sender):
        def errors(self, noise, rng, frames):
            drawn.append(frames)
            yield from super().errors(noise, rng, frames)

    monkeypatch.setattr(rare, "_Sender", Counting)
    code = fecnn.load_code(name)
    found = rare_bler(fecnn.decoder(decoder, code, **options), code, ebn0_db)
    assert fewer[0] < (1.96 / 0.1) ** 2 / found.value / sum(drawn) < fewer[1]
