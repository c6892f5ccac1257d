"""Fano's algorithm on polar and PAC codes."""

import numpy as np
import oracles
import pytest
from decoding_cases import SMALL, llrs

import fecnn
from fecnn import Code
from fecnn.decoders.complexity import complexity
from fecnn.decoders.fano import cutoff_rates
from fecnn.decoders.polar import arranged
from fecnn.testing import check_decoder

CODES = [
    fecnn.pac(8, 4),
    fecnn.pac(16, 8),
    fecnn.pac(16, 9, polynomial=0o7, profile="polar"),
    fecnn.polar(16, 8),
    fecnn.polar(4, 4),
    fecnn.bch(15, 7).extend(),
    fecnn.reed_muller(1, 3),
]


def ordered(code):
    """The code in the order in which it is decoded, and that order."""
    order = arranged(code).order
    order = np.arange(code.n) if order is None else order
    return Code.from_generator(code.G[:, order]), order


def noisy(code, ebn0_db, frames, rng):
    sent = code.encode(rng.integers(0, 2, (frames, code.k), dtype=np.uint8))
    return sent, fecnn.AWGN.at(ebn0_db, code.rate).transmit(sent, rng)


@pytest.mark.kernel
@pytest.mark.parametrize(("delta", "visits"), [(2.0, 1 << 15), (0.3, 1 << 15), (5.5, 1 << 15), (1.0, 21)])
def test_it_makes_the_moves_of_the_flow_chart(delta, visits, rng):
    for code in CODES:
        natural, order = ordered(code)
        llr = rng.normal(0.7, 1.5, (6 if SMALL else 25, code.n)).astype(np.float32)
        expected = oracles.fano(natural, oracles.frozen_sums(natural), llr[:, order], delta, visits)
        bits, effort = fecnn.decoder("fano", code, delta=delta, visits=visits).measure(llr)
        assert (bits[:, order] == expected[0]).all(), code.name
        assert (effort.work == expected[1]).all(), code.name
        assert (effort.uncertified == ~expected[2]).all(), code.name


@pytest.mark.parametrize("delta", [0.05, 1.0, 6.0])
def test_no_path_stays_above_a_higher_threshold(delta, rng):
    """Whatever the order of moves: the worst metric on the path is within delta of the best that there is."""
    for code in CODES:
        natural, order = ordered(code)
        bias = cutoff_rates(code)
        inputs = natural.codebook()[:, ::-1].astype(int)
        for i in range(code.n.bit_length() - 1):  # the transform, in the reverse order of bits
            inputs = inputs.reshape(len(inputs), -1, 2, 1 << i)
            inputs = np.stack([inputs[:, :, 0], inputs[:, :, 0] ^ inputs[:, :, 1]], axis=2)
        inputs = inputs.reshape(len(inputs), code.n)[:, ::-1]
        assert (inputs[:, arranged(code).inputs.frozen & (arranged(code).inputs.places < 0)] == 0).all()
        llr = rng.normal(0.7, 1.5, (4, code.n)).astype(np.float32)
        bits = fecnn.decoder("fano", code, delta=delta, visits=1 << 22)(llr)[:, order]
        for frame in range(len(llr)):
            channel, known, worst = llr[frame, order].astype(float), {}, []
            for u in inputs.tolist():
                metric, lowest = 0.0, 0.0
                for i, bit in enumerate(u):
                    if tuple(u[:i]) not in known:
                        known[tuple(u[:i])] = oracles.bit_llr(channel, u[:i], True)
                    value = known[tuple(u[:i])]
                    metric += 1 - np.logaddexp(0, value if bit else -value) / np.log(2) - bias[i]
                    lowest = min(lowest, metric)
                worst.append(lowest)
            chosen = (natural.codebook() == bits[frame]).all(axis=1).argmax()
            assert worst[chosen] > max(worst) - delta - 1e-9, code.name


def test_biases_are_cutoff_rates_which_polarisation_raises():
    """Polarisation gains cutoff rate (Arikan 2006): in each split, R0(Z-) + R0(Z+) >= 2 R0(Z)."""
    rates = cutoff_rates(fecnn.pac(128, 64))
    assert ((rates >= 0) & (rates <= 1)).all()
    assert 64.0 < rates.sum() < 128 * (2 - 2**0.5)  # at most n times the capacity
    z = 2**0.5 - 1
    assert cutoff_rates(fecnn.polar(2, 1)) == pytest.approx(1 - np.log2([1 + 2 * z - z * z, 1 + z * z]))


@pytest.mark.parametrize(("code", "ebn0_db"), [(fecnn.pac(32, 16), 1.0), (fecnn.pac(64, 32), 1.5)], ids=str)
def test_small_pac_codes_come_close_to_maximum_likelihood(code, ebn0_db, rng):
    sent, llr = noisy(code, ebn0_db, 4000, rng)
    wrong = [(fecnn.decoder(name, code)(llr) != sent).any(axis=1).sum() for name in ("fano", "ml", "sc")]
    assert wrong[1] < wrong[0] < 1.15 * wrong[1]
    assert wrong[2] > 1.5 * wrong[1]


def test_the_pac_code_of_128_bits_comes_close_to_maximum_likelihood(rng):
    """Arikan's case. It never finds a likelier word than near-ml."""
    code = fecnn.pac(128, 64)
    sent, llr = noisy(code, 1.75, 3000, rng)
    bits, effort = fecnn.decoder("fano", code, visits=1 << 16).measure(llr)
    best = fecnn.decoder("near-ml", code)(llr)
    wrong, least = (bits != sent).any(axis=1), (best != sent).any(axis=1)
    assert (oracles.metric(bits, llr) <= oracles.metric(best, llr) + 1e-3).all()
    assert 30 < least.sum() <= wrong.sum() < 1.2 * least.sum()
    assert effort.uncertified.sum() < 6
    assert 300 < effort.work.mean() < 3000


def test_the_threshold_trades_visits_for_errors(rng):
    code = fecnn.pac(64, 32)
    sent, llr = noisy(code, 1.5, 3000, rng)
    work, wrong = [], []
    for delta in (0.5, 2.0, 8.0, 30.0):
        bits, effort = fecnn.decoder("fano", code, delta=delta).measure(llr)
        work.append(effort.work.mean())
        wrong.append((bits != sent).any(axis=1).sum())
    assert sorted(work, reverse=True) == work
    assert wrong[1] < 0.9 * wrong[2] < 0.9 * 0.9 * wrong[3]


def test_a_frame_without_noise_takes_n_visits(rng):
    for code in (*CODES, fecnn.pac(128, 64)):
        sent = code.encode(rng.integers(0, 2, (50, code.k), dtype=np.uint8))
        bits, effort = fecnn.decoder("fano", code).measure(8 * fecnn.bpsk(sent))
        assert (bits == sent).all()
        assert (effort.work == code.n).all()


def test_what_the_visits_do_not_finish_is_counted(rng):
    """It is still a codeword; with the fewest visits it is that of successive cancellation."""
    code = fecnn.pac(64, 32)
    _, llr = noisy(code, 1.0, 500, rng)
    whole, effort = fecnn.decoder("fano", code).measure(llr)
    for visits in (1, 64, 150, 400):
        bits, some = fecnn.decoder("fano", code, visits=visits).measure(llr)
        assert (some.uncertified == (effort.work > visits)).all()
        assert some.uncertified.any()
        assert (some.work <= visits + code.n).all()
        assert (some.work == effort.work)[~some.uncertified].all()
        assert (bits == whole)[~some.uncertified].all()
        assert not code.syndrome(bits).any()
        if visits == 1:
            assert (bits == fecnn.decoder("sc", code, exact=True)(llr)).all()


@pytest.mark.kernel
def test_llrs_of_any_size_end_in_codewords(rng):
    for code in CODES[:3]:
        decode = fecnn.decoder("fano", code, visits=2000)
        for kind, values in llrs(rng, code.n).items():
            bits, effort = decode.measure(values.astype(np.float32))
            assert not code.syndrome(bits).any(), kind
            assert (effort.work <= 2000 + code.n).all(), kind


def test_shortened_and_punctured_codes_are_decoded_on_their_mother(rng):
    for code in (fecnn.pac(64, 32).shorten(4), fecnn.polar(64, 32).puncture(5)):
        sent, llr = noisy(code, 3.0, 2000, rng)
        wrong = [(fecnn.decoder(name, code)(llr) != sent).any(axis=1).sum() for name in ("fano", "ml", "sc")]
        assert wrong[0] < 1.3 * wrong[1] < wrong[2]


def test_frames_do_not_depend_on_those_before(rng):
    code = fecnn.pac(32, 16)
    _, llr = noisy(code, 1.0, 100, rng)
    decode = fecnn.decoder("fano", code)
    bits, effort = decode.measure(llr)
    for i in range(0, 100, 13):
        alone, own = decode.measure(llr[i])
        assert (alone == bits[i]).all()
        assert own.work == effort.work[i]


@pytest.mark.parametrize("options", [{}, {"delta": 0.5}, {"visits": 20}], ids=str)
def test_contract(options):
    check_decoder("fano", fecnn.pac(16, 8), fecnn.polar(8, 4), **options)
    check_decoder("fano", fecnn.pac(64, 32).puncture(3), **{"visits": 1000} | options)


def test_what_it_cannot_do_is_refused():
    with pytest.raises(ValueError, match="has 6 checks beyond frozen bits, which fano cannot use; use scl"):
        fecnn.decoder("fano", fecnn.polar(64, 32, crc=6))
    for delta in (0.0, np.inf, np.nan):  # an infinite one made thresholds of NaN, and the search endless
        with pytest.raises(ValueError, match=f"delta must be above 0 and finite, got {delta}"):
            fecnn.decoder("fano", fecnn.pac(16, 8), delta=delta)
    with pytest.raises(ValueError, match="visits must be 1 or more, got 0"):
        fecnn.decoder("fano", fecnn.pac(16, 8), visits=0)


def test_a_visit_costs_its_share_of_successive_cancellation():
    code = fecnn.pac(128, 64)
    once, more = complexity("fano", code), complexity("fano", code, work=256)
    assert more.operations == 2 * once.operations
    assert once.exponentials == 4 * 64 * 7 + 2 * 128
    assert once.additions == (1 + 4) * 64 * 7 + 3 * 128
    assert once.binary == complexity("sc", code).binary
