"""Simulated rates against closed forms, bounds, and values known from elsewhere."""

import math

import numpy as np
import pytest
from scipy.stats import binom, norm

import fecnn
from fecnn.simulation.simulate import run_batch
from fecnn.simulation.tally import Tally
from fecnn.simulation.task import Task


def simulate(code, decoder, ebn0_db, frames, **options):
    task = Task(
        code.name, code.fingerprint, "awgn", decoder, tuple(options.items()), float(ebn0_db), 7, 16384
    )
    total = Tally()
    for i in range(-(-frames // task.batch)):
        total += run_batch(task, i)
    return total


def five_sigma(p, frames):
    return 5 * math.sqrt(p * (1 - p) / frames)


def crossover(code, ebn0_db):
    return norm.sf(math.sqrt(2 * code.rate * 10 ** (ebn0_db / 10)))


@pytest.mark.parametrize(
    ("name", "t"), [("hamming-7-4", 1), ("bch-15-7", 2), ("bch-31-21", 2), ("golay-24-12", 3)]
)
def test_bounded_distance_decoding_fails_on_more_than_t_errors(name, t):
    code = fecnn.load_code(name)
    for ebn0_db in (1, 4):
        total = simulate(code, "hard", ebn0_db, 65536)
        expected = binom.sf(t, code.n, crossover(code, ebn0_db))
        assert abs(total.block_errors / total.frames - expected) < five_sigma(expected, total.frames)


def test_uncoded_bits_are_independent():
    code = fecnn.uncoded(4)
    total = simulate(code, "hard", 4, 65536)
    p = crossover(code, 4)
    assert abs(total.bit_errors / (4 * total.frames) - p) < five_sigma(p, 4 * total.frames)
    assert abs(total.block_errors / total.frames - (1 - (1 - p) ** 4)) < five_sigma(4 * p, total.frames)


def test_ml_of_a_repetition_code_is_one_long_symbol():
    code = fecnn.repetition(5)
    for decoder in ("ml", "map", "slnn"):
        total = simulate(code, decoder, 2, 65536)
        expected = norm.sf(math.sqrt(2 * 10 ** (2 / 10)))
        assert abs(total.block_errors / total.frames - expected) < five_sigma(expected, total.frames)


@pytest.mark.parametrize(("ebn0_db", "bler"), [(0, 0.1790), (2, 0.0641), (4, 0.01196), (6, 7.99e-4)])
def test_ml_of_hamming_7_4(ebn0_db, bler):
    """Against an independent simulation of about 1 % accuracy."""
    total = simulate(fecnn.load_code("hamming-7-4"), "ml", ebn0_db, 400_000)
    assert abs(total.block_errors / total.frames - bler) < 0.015 * bler + five_sigma(bler, total.frames)


@pytest.mark.parametrize(
    ("ebn0_db", "ml_ber", "map_ber"), [(0, 0.1256, 0.1233), (2, 0.0429, 0.0424), (4, 6.95e-3, 6.90e-3)]
)
def test_ber_of_polar_16_8(ebn0_db, ml_ber, map_ber):
    """Message bits of the non-systematic code, ML and bit-wise MAP, against an independent simulation."""
    code = fecnn.load_code("polar-16-8")
    for decoder, expected in (("ml", ml_ber), ("map", map_ber)):
        total = simulate(code, decoder, ebn0_db, 200_000)
        low, high = fecnn.rate_interval(total.bit_errors, total.bit_errors_sq, total.frames, code.k, 0.9999)
        assert low * 0.99 < expected < high * 1.01


@pytest.mark.parametrize("name", ["hamming-7-4", "bch-15-7", "bch-31-21", "golay-24-12"])
def test_ml_lies_between_its_bounds(name):
    """Union bound above; below, the error towards a single nearest codeword."""
    code = fecnn.load_code(name)
    spectrum = code.weight_spectrum()
    ebn0_db = 4
    ebn0 = code.rate * 10 ** (ebn0_db / 10)
    total = simulate(code, "osd", ebn0_db, 200_000, order=code.k)
    low, high = fecnn.proportion_interval(total.block_errors, total.frames, 0.9999)
    union = sum(count * norm.sf(math.sqrt(2 * w * ebn0)) for w, count in enumerate(spectrum) if w)
    nearest = next(w for w, count in enumerate(spectrum) if w and count)
    assert norm.sf(math.sqrt(2 * nearest * ebn0)) < high
    assert low < union


def test_every_ml_error_is_counted_in_the_lower_bound():
    """Exact ML errs only with a word more likely than the sent one; a weaker decoder's count bounds it."""
    code = fecnn.load_code("bch-15-7")
    ml, weak = simulate(code, "ml", 1, 50_000), simulate(code, "osd", 1, 50_000, order=0)
    assert ml.ml_errors == ml.block_errors
    assert 0 < weak.ml_errors < ml.block_errors < weak.block_errors


def test_bit_wise_map_has_the_lowest_ber_and_ml_the_lowest_bler():
    code = fecnn.load_code("polar-16-8")
    ml, app = simulate(code, "ml", 1, 200_000), simulate(code, "map", 1, 200_000)
    assert ml.block_errors < app.block_errors
    assert app.bit_errors < ml.bit_errors


def test_fading_and_hard_channels_run_through_the_engine():
    code = fecnn.load_code("hamming-7-4")
    tallies = {}
    for channel in ("awgn", "bsc", "rayleigh"):
        task = Task(code.name, code.fingerprint, channel, "ml", (), 4.0, 1, 32768)
        tallies[channel] = run_batch(task, 0)
    p = crossover(code, 4)
    expected = binom.sf(1, 7, p)  # on the BSC of a perfect code ML is bounded-distance decoding
    assert abs(tallies["bsc"].block_errors / 32768 - expected) < five_sigma(expected, 32768)
    assert tallies["awgn"].block_errors < tallies["bsc"].block_errors < tallies["rayleigh"].block_errors


def test_seconds_are_counted():
    total = simulate(fecnn.load_code("bch-15-7"), "ml", 2, 20_000)
    assert 0 < total.seconds < 60
    assert np.isfinite(total.seconds)
