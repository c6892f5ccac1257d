"""Guessing the noise."""

import numpy as np
import oracles
import pytest
from decoding_cases import assert_most_likely, llrs, random_codes
from scipy.special import expit

import fecnn
from fecnn import Code
from fecnn.decoders.grand import _Search
from fecnn.intervals import proportion_interval
from fecnn.testing import check_decoder


@pytest.mark.kernel
@pytest.mark.parametrize(("name", "options"), [("grand", {}), ("orbgrand", {}), ("orbgrand", {"lines": 1})])
@pytest.mark.parametrize("queries", [1, 9, 1 << 20])
def test_they_try_the_patterns_of_the_textbook_in_its_order(name, options, queries, rng):
    for code in random_codes(rng, count=16, longest=8):
        for values in llrs(rng, code.n).values():
            llr = values[:4].astype(np.float32)
            bits, effort = fecnn.decoder(name, code, queries=queries, **options).measure(llr)
            expected, used = oracles.grand(code, llr, queries, name == "orbgrand", "lines" in options)
            assert (bits == expected).all(), code.name
            assert (effort.uncertified == (used < 0)).all()
            assert (effort.work == np.where(used < 0, queries, used)).all()


@pytest.mark.kernel
@pytest.mark.parametrize("queries", [1, 9, 1 << 16])
def test_sgrand_tries_the_patterns_in_order_of_cost(queries, rng):
    for code in random_codes(rng, count=16, longest=8):
        llr = llrs(rng, code.n)["ordinary"][:8].astype(np.float32)
        bits, effort = fecnn.decoder("sgrand", code, queries=queries).measure(llr)
        expected, used = oracles.sgrand(code, llr, queries)
        assert (bits == expected).all(), code.name
        assert (effort.uncertified == (used < 0)).all()
        assert (effort.work == np.where(used < 0, min(queries, 1 << code.n), used)).all()


@pytest.mark.kernel
def test_sgrand_is_maximum_likelihood(rng):
    for code in (fecnn.load_code("bch-15-7"), fecnn.golay(), *random_codes(rng, count=10)):
        for kind, values in llrs(rng, code.n).items():
            llr = values.astype(np.float32)
            bits, effort = fecnn.decoder("sgrand", code).measure(llr)
            assert not effort.uncertified.any()
            assert_most_likely(code, llr, bits, kind)


def test_sgrand_needs_the_fewest_queries(rng):
    code = fecnn.load_code("bch-31-21")
    sent = code.encode(rng.integers(0, 2, (4000, 21), dtype=np.uint8))
    llr = fecnn.AWGN.at(3.0, code.rate).transmit(sent, rng)
    work = [
        fecnn.decoder(name, code, **options).measure(llr)[1].work.mean()
        for name, options in [("sgrand", {}), ("orbgrand", {"lines": 1}), ("orbgrand", {}), ("grand", {})]
    ]
    assert work == sorted(work)
    assert work[1] < 0.5 * work[3]


@pytest.mark.parametrize("queries", [0, (1 << 22) + 1])
def test_sgrand_refuses_what_it_cannot_store(queries):
    with pytest.raises(ValueError, match=r"queries must be in 1\.\.4194304, got"):
        fecnn.decoder("sgrand", fecnn.hamming(3), queries=queries)


@pytest.mark.kernel
def test_grand_is_at_least_distance(rng):
    for code in (fecnn.load_code("bch-15-7"), fecnn.golay(), fecnn.load_code("polar-16-8")):
        llr = rng.normal(0.5, 1, (200, code.n)).astype(np.float32)
        received = (llr < 0).astype(np.uint8)
        moved = (fecnn.decoder("grand", code)(llr) != received).sum(axis=1)
        nearest = (fecnn.decoder("hard-ml", code)(llr) != received).sum(axis=1)
        assert (moved == nearest).all()


@pytest.mark.kernel
@pytest.mark.parametrize("checks", [60, 64, 65, 100])
def test_checks_of_several_words(checks, rng):
    """Two flips among the least reliable bits of long codes are found early."""
    parity = rng.integers(0, 2, (20, checks), dtype=np.uint8)
    code = Code.from_generator(np.concatenate([np.eye(20, dtype=np.uint8), parity], axis=1))
    codewords = code.encode(rng.integers(0, 2, (30, 20), dtype=np.uint8))
    llr = fecnn.bpsk(codewords) * rng.uniform(2, 3, codewords.shape)
    for frame in range(30):
        wrong = rng.choice(code.n, 2, replace=False)
        llr[frame, wrong] *= -0.1
    for name in ("grand", "orbgrand"):
        bits, effort = fecnn.decoder(name, code).measure(llr.astype(np.float32))
        assert (bits == codewords).all()
        assert (effort.work <= (5 if name == "orbgrand" else 1 + code.n * (code.n + 1) / 2)).all()


def test_pure_noise_takes_two_to_the_checks_queries_on_average(rng):
    """Each pattern is right with probability 2^-(n-k) then (Duffy, Li and Medard 2019)."""
    code = fecnn.load_code("bch-31-21")
    llr = rng.normal(0, 1, (3000, 31)).astype(np.float32)
    for name in ("grand", "orbgrand"):
        work = fecnn.decoder(name, code).measure(llr)[1].work.mean()
        assert 0.5 * 2**10 < work < 1.5 * 2**10, name


def test_orbgrand_comes_close_to_maximum_likelihood_at_high_rate(rng):
    code = fecnn.load_code("bch-31-26")
    codewords = code.encode(rng.integers(0, 2, (20_000, 26), dtype=np.uint8))
    llr = fecnn.AWGN.at(4.0, code.rate).transmit(codewords, rng)
    errors = {
        name: int((fecnn.decoder(name, code)(llr) != codewords).any(axis=1).sum())
        for name in ("ml", "orbgrand", "grand", "hard")
    }
    assert errors["ml"] <= errors["orbgrand"] < 1.2 * errors["ml"]
    assert errors["orbgrand"] < 0.4 * errors["grand"]
    assert errors["grand"] == errors["hard"]  # the code is perfect


@pytest.mark.parametrize("name", ["grand", "orbgrand"])
def test_contract(name):
    check_decoder(name)
    check_decoder(name, fecnn.load_code("bch-15-7"), fecnn.golay(), fecnn.uncoded(3))
    check_decoder(name, fecnn.load_code("bch-63-45"), queries=5000)


def test_contract_of_sgrand():
    check_decoder("sgrand")
    check_decoder("sgrand", fecnn.load_code("bch-15-7"), fecnn.golay(), fecnn.uncoded(3))
    check_decoder("sgrand", fecnn.load_code("bch-63-45"), queries=5000)


def test_contract_of_the_line():
    check_decoder("orbgrand", lines=1)
    check_decoder("orbgrand", fecnn.load_code("bch-15-7"), fecnn.golay(), fecnn.uncoded(3), lines=1)


PUBLISHED = [
    # decoder, lines, n, CRC, Eb/N0, errors and frames published, our frames
    ("grand", 0, 128, "1000111100111", 6.0, 100, 1794, 5382),
    ("orbgrand", 0, 128, "1000111100111", 5.0, 100, 9884, 29_652),
    ("orbgrand", 1, 128, "1000111100111", 4.0, 350, 3567, 4000),
    ("orbgrand", 1, 128, "1000111100111", 5.0, 350, 38_003, 32_574),
    ("orbgrand", 1, 128, "10011110101100101", 4.0, 50, 1368, 8208),
    ("orbgrand", 1, 64, "10011110101100101", 4.0, 100, 20_623, 61_869),
    ("orbgrand", 1, 256, "10101100100110101", 5.0, 50, 2324, 13_944),
    ("orbgrand", 1, 512, "11010001011101011", 6.0, 100, 12_301, 36_903),
    pytest.param("orbgrand", 1, 128, "1000111100111", 6.0, 350, 885_554, 400_000, marks=pytest.mark.slow),
]
"""Results of github.com/kenrduffy/GRAND-MATLAB at 860d26b, of CRC codes; it stops at a number of errors."""


@pytest.mark.parametrize(
    ("name", "lines", "n", "crc", "ebn0_db", "their_errors", "their_frames", "count"), PUBLISHED
)
def test_published_counts_are_met(name, lines, n, crc, ebn0_db, their_errors, their_frames, count):
    """With equal rates, the share of our errors among all is our share of the frames."""
    code, rng = fecnn.uncoded(n).subcode(crc=crc), np.random.default_rng(7)
    channel = fecnn.AWGN.at(ebn0_db, code.rate)
    decode = fecnn.decoder(name, code, queries=1 << 30, **({"lines": lines} if lines else {}))
    errors = 0
    for start in range(0, count, 20_000):
        size = min(20_000, count - start)
        sent = code.encode(rng.integers(0, 2, (size, code.k), dtype=np.uint8))
        errors += int((decode(channel.transmit(sent, rng)) != sent).any(axis=1).sum())
    low, high = proportion_interval(errors, errors + their_errors, 0.99)
    assert low < count / (count + their_frames) < high


def test_a_line_is_closer_to_maximum_likelihood(rng):
    code = fecnn.load_code("bch-63-51")
    sent = code.encode(rng.integers(0, 2, (40_000, 51), dtype=np.uint8))
    llr = fecnn.AWGN.at(5.0, code.rate).transmit(sent, rng)
    wrong = {
        (name, *options.values()): (fecnn.decoder(name, code, **options)(llr) != sent).any(axis=1)
        for name, options in [("ml", {}), ("orbgrand", {}), ("orbgrand", {"lines": 1})]
    }
    ml, basic, line = (int(them.sum()) for them in wrong.values())
    assert ml <= line < basic


@pytest.mark.parametrize("lines", [2, -1])
def test_other_lines_are_refused(lines):
    with pytest.raises(ValueError, match="lines must be 0 or 1, got"):
        fecnn.decoder("orbgrand", fecnn.hamming(3), lines=lines)


@pytest.mark.parametrize("queries", [0, -1])
def test_a_budget_below_one_is_refused(queries):
    for name in ("grand", "orbgrand"):
        with pytest.raises(ValueError, match="queries must be 1 or more, got"):
            fecnn.decoder(name, fecnn.hamming(3), queries=queries)


ORDERS = [
    ("grand", {}, "weight"),
    ("orbgrand", {}, "rank"),
    ("orbgrand", {"lines": 1}, "line"),
    ("sgrand", {}, "cost"),
]
"""Guessers, their options, and what the oracle calls their order."""


def noisy(code, frames, rng, ebn0_db=2.0):
    sent = code.encode(rng.integers(0, 2, (frames, code.k), dtype=np.uint8))
    return sent, fecnn.AWGN.at(ebn0_db, code.rate).transmit(sent, rng)


def small_codes(rng):
    """Random codes and some without words of odd weight."""
    return [*random_codes(rng, count=8, longest=9), fecnn.load_code("ext-hamming-8-4"), fecnn.repetition(6)]


@pytest.mark.kernel
@pytest.mark.parametrize(("name", "options", "order"), ORDERS)
@pytest.mark.parametrize("queries", [1, 70, 1 << 16])
def test_lists_are_the_first_words_of_the_textbook(name, options, order, queries, rng):
    for code in small_codes(rng):
        _, llr = noisy(code, 6, rng)
        words, metrics = fecnn.list_decoder(name, code, list=3, queries=queries, **options)(llr)
        for frame, values in enumerate(llr):
            expected, probability, _ = oracles.sogrand(code, values, order, queries, 3)
            count = len(expected)
            best = np.argsort(-probability, kind="stable")
            assert np.array_equal(words[frame, :count], expected[best]), (code.name, frame)
            assert np.isinf(metrics[frame, count:]).all()


@pytest.mark.kernel
@pytest.mark.parametrize(("name", "options", "order"), ORDERS)
@pytest.mark.parametrize(("queries", "size"), [(1, 1), (9, 2), (1 << 16, 1), (1 << 16, 4), (1 << 16, 600)])
def test_soft_output_is_that_of_the_textbook(name, options, order, queries, size, rng):
    for code in small_codes(rng):
        _, llr = noisy(code, 4, rng)
        soft = fecnn.soft_decoder(name, code, list=size, queries=queries, miss=0.0, **options)(llr)
        expected = [oracles.sogrand_app(code, values, order, queries, size) for values in llr]
        constant = ~code.codebook().any(axis=0)  # bits that are 0 in all words are certain
        finite = np.isfinite(expected)
        assert (finite | constant).all()
        assert np.isposinf(soft[~finite]).all()
        np.testing.assert_allclose(soft[finite], np.array(expected)[finite], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("name", "options", "order"), ORDERS)
@pytest.mark.parametrize("code", [fecnn.bch(15, 7), fecnn.reed_muller(1, 4), fecnn.hamming(3)], ids=str)
def test_with_all_words_listed_soft_output_is_exact(name, options, order, code, rng):
    _, llr = noisy(code, 50, rng, 0.0)
    soft = fecnn.soft_decoder(name, code, list=1 << code.k, miss=0.0, **options)
    exact = oracles.app(code, llr, code.codebook())
    np.testing.assert_allclose(soft(llr), exact, rtol=1e-4, atol=1e-4)
    few = fecnn.soft_decoder(name, code, list=2, miss=0.0, **options)
    assert np.abs(few(llr) - exact).max() > 0.1


@pytest.mark.parametrize(("name", "options", "order"), ORDERS)
def test_predicted_errors_of_random_codes_are_those_that_happen(name, options, order, rng):
    """Galligan et al. 2023; within each range of predictions too. For one code alone it need not hold."""
    predicted, wrong = [], []
    for seed in range(100):
        code = fecnn.random_code(24, 14, seed=seed)
        sent, llr = noisy(code, 200, rng, 3.0)
        bits, effort = fecnn.decoder(name, code, risk=1.0, **options).measure(llr)
        predicted.append(expit(-effort.margin.astype(np.float64)))
        wrong.append((bits != sent).any(axis=1))
        assert not effort.refused.any()
    predicted, wrong = np.concatenate(predicted), np.concatenate(wrong)
    for low, high in [(0, 1), (0, 0.01), (0.01, 0.1), (0.1, 0.5), (0.5, 1)]:
        inside = (predicted >= low) & (predicted <= high)
        mean, deviation = predicted[inside].sum(), np.sqrt((predicted * (1 - predicted))[inside].sum())
        assert abs(wrong[inside].sum() - mean) < 3.5 * deviation, (low, high)
    assert (predicted > 0.5).sum() > 50


def test_a_code_of_large_distance_errs_less_than_predicted(rng):
    code = fecnn.load_code("bch-31-21")
    sent, llr = noisy(code, 20_000, rng, 3.0)
    bits, effort = fecnn.decoder("sgrand", code, risk=1.0).measure(llr)
    predicted, wrong = expit(-effort.margin.astype(np.float64)).mean(), (bits != sent).any(axis=1).mean()
    assert 0.048 < predicted < 0.054
    assert 0.030 < wrong < 0.036


@pytest.mark.parametrize("size", [1, 2, 4])
def test_predicted_losses_of_lists_are_those_that_happen(size, rng):
    """The chance that the sent word is not in the list, over random codes (Yuan et al. 2025)."""
    expected, lost, variance = 0.0, 0, 0.0
    for seed in range(60):
        code = fecnn.random_code(28, 18, seed=seed)
        sent, llr = noisy(code, 200, rng, 2.0)
        found = _Search(code, 1 << 20, "line").several(llr, size)
        odds = np.logaddexp.reduce(found.log_words, axis=1) - found.log_rest
        expected += expit(-odds).sum()
        variance += (expit(-odds) * expit(odds)).sum()
        lost += int((~(found.words == sent[:, None]).all(axis=2).any(axis=1)).sum())
    assert abs(lost - expected) < 3.5 * np.sqrt(variance)
    assert lost > 100


@pytest.mark.parametrize(("name", "options", "order"), ORDERS)
def test_a_risk_changes_no_decision_and_refuses_by_the_prediction(name, options, order, rng):
    code = fecnn.load_code("bch-31-21")
    _, llr = noisy(code, 400, rng)
    for queries in (50, 1 << 16):
        bits, effort = fecnn.decoder(name, code, queries=queries, **options).measure(llr)
        for risk in (0.0, 1e-3, 0.1, 1.0):
            decode = fecnn.decoder(name, code, queries=queries, risk=risk, **options)
            again, told = decode.measure(llr)
            assert np.array_equal(again, bits)
            assert np.array_equal(told.work, effort.work)
            assert np.array_equal(told.uncertified, effort.uncertified)
            assert np.isneginf(told.margin[told.uncertified]).all()
            assert np.array_equal(told.refused, expit(-told.margin.astype(np.float64)) > risk)
        assert effort.refused is None
    assert not effort.uncertified.any()


def test_a_search_may_end_where_another_word_is_improbable(rng):
    """Then bit probabilities stay about as close to the exact ones."""
    code = fecnn.load_code("bch-31-21")
    _, llr = noisy(code, 400, rng, 4.0)
    exact = fecnn.soft_decoder("map", code)(llr)
    search = _Search(code, 1 << 20, "line")
    whole, ended = (search.several(llr, 4, miss).used.mean() for miss in (0.0, 1e-5))
    assert ended < 0.5 * whole
    for miss in (0.0, 1e-5):
        app = fecnn.soft_decoder("orbgrand", code, lines=1, miss=miss)(llr)
        small = np.abs(exact) < 5
        assert np.abs(expit(app) - expit(exact))[small].mean() < 0.03


def test_llrs_far_apart_leave_finite_soft_outputs(rng):
    """The probability of what was not tried is then lost in rounding."""
    code = fecnn.load_code("bch-15-7")
    for scale in (1.0, 30.0, 1e4, 1e9):
        llr = (rng.normal(0.5, 1, (50, code.n)) * scale).astype(np.float32)
        for name, options, _ in ORDERS:
            for miss in (0.0, 1e-5):
                app = fecnn.soft_decoder(name, code, miss=miss, **options)(llr)
                assert np.isfinite(app).all()
            decided, effort = fecnn.decoder(name, code, risk=0.5, **options).measure(llr)
            assert not np.isnan(effort.margin).any()
            if scale > 1 and name == "sgrand":
                assert np.array_equal(app < 0, decided == 1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"list": 0}, r"list must be in 1\.\.4096 words, got 0"),
        ({"list": 5000}, r"list must be in 1\.\.4096 words, got 5000"),
        ({"miss": -0.1}, r"miss must be a probability, 0 to 1, got -0\.1"),
        ({"miss": 2.0}, r"miss must be a probability, 0 to 1, got 2\.0"),
        ({"queries": 0}, "queries must be "),
    ],
)
def test_soft_options_out_of_range_are_refused(options, said):
    for name in ("grand", "orbgrand", "sgrand"):
        with pytest.raises(ValueError, match=said):
            fecnn.soft_decoder(name, fecnn.hamming(3), **options)


@pytest.mark.parametrize("risk", [-0.1, 1.1, float("nan")])
def test_a_risk_that_is_no_probability_is_refused(risk):
    for name in ("grand", "orbgrand", "sgrand"):
        with pytest.raises(ValueError, match="risk must be a probability, 0 to 1, got"):
            fecnn.decoder(name, fecnn.hamming(3), risk=risk)
