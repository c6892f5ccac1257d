import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

import fecnn
from fecnn.channels.stream import FrameStream
from fecnn.intervals import proportion_interval, rate_interval
from fecnn.simulation.tally import COUNTS, Tally, tally

# Seconds are halves here: sums of those are exact.
tallies = st.builds(
    Tally,
    **{name: st.integers(0, 10**12) for name in COUNTS if name != "seconds"},
    seconds=st.integers(0, 10**6).map(lambda halves: halves / 2),
)


@given(tallies, tallies, tallies)
def test_tallies_are_a_commutative_monoid(a, b, c):
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a + Tally() == a == Tally() + a
    for name in COUNTS:
        assert getattr(a + b, name) == getattr(a, name) + getattr(b, name)


def test_the_counts_are_all_fields_but_the_flags():
    names = (
        "frames block_errors bit_errors bit_errors_sq code_bit_errors code_bit_errors_sq ml_errors "
        "work uncertified seconds refusals refused_errors"
    )
    assert names.split() == list(COUNTS)
    assert (Tally(frames=8, flags=b"\x01") + Tally(frames=8, flags=b"\x02")).flags is None


def naive(code, messages, codewords, llr, words, guesses):
    """Counts frame by frame; likelihoods are compared over the whole codebook."""
    book = {word.tobytes() for word in code.codebook()}
    counts = dict.fromkeys(COUNTS, 0)
    for message, sent, values, word, guess in zip(messages, codewords, llr, words, guesses, strict=True):
        bits = sum(int(a) != int(b) for a, b in zip(message, guess, strict=True))
        code_bits = sum(int(a) != int(b) for a, b in zip(sent, word, strict=True))
        counts["frames"] += 1
        counts["block_errors"] += code_bits > 0
        counts["bit_errors"] += bits
        counts["bit_errors_sq"] += bits**2
        counts["code_bit_errors"] += code_bits
        counts["code_bit_errors_sq"] += code_bits**2
        likelihood = [
            sum(float(v) * (-1) ** int(b) for v, b in zip(values, w, strict=True)) for w in (word, sent)
        ]
        counts["ml_errors"] += code_bits > 0 and word.tobytes() in book and likelihood[0] > likelihood[1]
    return counts


def frames(code, rng, count):
    messages = rng.integers(0, 2, (count, code.k), dtype=np.uint8)
    codewords = code.encode(messages)
    return messages, codewords, fecnn.AWGN.at(0.0, code.rate).transmit(codewords, rng)


@pytest.mark.parametrize("name", ["hamming-7-4", "bch-15-7", "polar-16-8", "spc-5"])
@pytest.mark.parametrize("kind", ["codewords", "no codewords", "mixed"])
def test_tally_against_counting_frame_by_frame(name, kind, rng):
    code = fecnn.load_code(name)
    messages, codewords, llr = frames(code, rng, 203)
    guesses = messages.copy()
    wrong = rng.random(203) < 0.5
    guesses[wrong] = rng.integers(0, 2, (int(wrong.sum()), code.k), dtype=np.uint8)
    likely = fecnn.decoder("ml", code)(llr)
    if kind == "codewords":
        words = np.where(wrong[:, None], code.encode(guesses), likely)
    elif kind == "no codewords":
        words = fecnn.hard(llr)
    else:
        words = np.where(rng.random((203, 1)) < 0.5, fecnn.hard(llr), likely)
    got = tally(code, codewords, llr, words, 0.25)
    expected = naive(code, messages, codewords, llr, words, code.extract(words))
    assert {n: getattr(got, n) for n in COUNTS} == expected | {"seconds": 0.25}
    assert 0 < got.block_errors < got.frames
    flags = np.unpackbits(np.frombuffer(got.flags, np.uint8))
    assert flags[:203].tolist() == (words != codewords).any(axis=1).tolist()
    assert not flags[203:].any()
    assert len(flags) == 208


def test_a_sent_word_that_is_as_likely_is_no_error_of_maximum_likelihood():
    code = fecnn.load_code("repetition-2")
    sent, decided = np.zeros((3, 2), np.uint8), np.ones((3, 2), np.uint8)
    llr = np.float32([[1, -1], [-1, 0.5], [1, -0.5]])
    got = tally(code, sent, llr, decided, 0.0)
    assert (got.block_errors, got.ml_errors) == (3, 1)


def test_infinite_llrs_are_compared_without_warnings():
    code = fecnn.load_code("repetition-2")
    sent, decided = np.zeros((3, 2), np.uint8), np.ones((3, 2), np.uint8)
    llr = np.float32([[np.inf, -np.inf], [-np.inf, 3], [np.inf, -3]])
    assert tally(code, sent, llr, decided, 0.0).ml_errors == 1


def test_no_frames_are_counted_as_none():
    code = fecnn.load_code("hamming-7-4")
    empty = np.zeros((0, 7), np.uint8)
    got = tally(code, empty, empty.astype(np.float32), empty, 0.0)
    assert got == Tally()
    assert got.flags == b""


def test_maximum_likelihood_bound_of_maximum_likelihood_is_its_own_rate(rng):
    code = fecnn.load_code("bch-15-7")
    _, codewords, llr = frames(code, rng, 4000)
    best = tally(code, codewords, llr, fecnn.decoder("ml", code)(llr), 0.0)
    assert best.ml_errors == best.block_errors > 100
    hard = tally(code, codewords, llr, fecnn.decoder("hard-ml", code)(llr), 0.0)
    assert 0 < hard.ml_errors < best.block_errors < hard.block_errors


# Intervals


@settings(deadline=None)
@given(st.integers(1, 3000), st.data(), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
@example(1, None, 0.95)
@example(10**5, None, 0.95)
def test_proportions_against_scipy(trials, data, confidence):
    for errors in {0, trials} if data is None else {data.draw(st.integers(0, trials))}:
        exact = binomtest(errors, trials).proportion_ci(confidence, method="exact")
        got = proportion_interval(errors, trials, confidence)
        assert got == pytest.approx((exact.low, exact.high), rel=1e-9, abs=1e-11)  # SciPy searches to 2e-12


@pytest.mark.parametrize(("errors", "trials"), [(1, 10**9), (200, 10**9), (10**5, 10**7), (10**7 - 1, 10**7)])
def test_proportions_of_many_trials_leave_the_tails_that_they_should(errors, trials):
    low, high = proportion_interval(errors, trials)
    assert binom.sf(errors - 1, trials, low) == pytest.approx(0.025, rel=1e-6)
    assert binom.cdf(errors, trials, high) == pytest.approx(0.025, rel=1e-6)


def test_nothing_is_known_without_frames():
    assert proportion_interval(0, 0) == (0.0, 1.0)
    assert rate_interval(0, 0, 0, 4) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("errors", "trials", "confidence", "words"),
    [
        (3, 2, 0.95, r"errors must be in 0\.\.2 frames, got 3"),
        (-1, 2, 0.95, r"errors must be in 0\.\.2 frames, got -1"),
        (0, -1, 0.95, "frames must be 0 or more, got -1"),
        (1, 2, 1.0, r"confidence must be in \(0, 1\), got 1.0"),
        (1, 2, float("nan"), "confidence must be in"),
    ],
)
def test_impossible_proportions_are_refused(errors, trials, confidence, words):
    with pytest.raises(ValueError, match=words):
        proportion_interval(errors, trials, confidence)


@st.composite
def errors_of_frames(draw):
    """Wrong bits of each frame, and the bits of a frame."""
    width = draw(st.integers(1, 40))
    return draw(st.lists(st.integers(0, width), min_size=1, max_size=60)), width


def counts(errors):
    return sum(errors), sum(e * e for e in errors), len(errors)


@given(errors_of_frames())
@example(([3, 3, 3], 4))
@example(([4, 4], 4))
@example(([0, 0], 4))
@example(([1], 1))
def test_bit_error_intervals_hold_the_rate_and_widen_with_confidence(case):
    errors, width = case
    total, squares, count = counts(errors)
    before = None
    for confidence in (0.99, 0.95, 0.8):
        low, high = rate_interval(total, squares, count, width, confidence)
        assert 0 <= low <= total / (count * width) <= high <= 1
        assert low < high
        if before is not None:
            assert before[0] <= low
            assert high <= before[1]
        before = low, high


@given(errors_of_frames(), st.integers(2, 50))
def test_bit_error_intervals_narrow_with_frames(case, times):
    errors, width = case
    total, squares, count = counts(errors)
    low, high = rate_interval(total, squares, count, width)
    more_low, more_high = rate_interval(times * total, times * squares, times * count, width)
    assert more_high - more_low < high - low


def test_errors_that_come_together_widen_the_interval():
    alone = rate_interval(100, 100, 10_000, 8)
    together = rate_interval(100, 400, 10_000, 8)  # four in each of 25 frames
    assert together[0] < alone[0] < alone[1] < together[1]
    assert (together[1] - together[0]) / (alone[1] - alone[0]) == pytest.approx(2, rel=0.1)


def test_the_ends_are_those_of_the_block_error_rate():
    assert rate_interval(0, 0, 500, 7) == proportion_interval(0, 500)
    assert rate_interval(3500, 24500, 500, 7) == proportion_interval(500, 500)


@pytest.mark.parametrize(
    ("total", "squares", "count", "width"),
    [
        (-1, 1, 10, 4),
        (5, 4, 10, 4),  # fewer squares than errors
        (5, 21, 10, 4),  # more than 4 errors in a frame
        (41, 164, 10, 4),  # more errors than bits
        (1, 1, 0, 4),
        # Ten errors in five frames have 20 squares or more.
        (10, 10, 5, 4),
    ],
)
def test_contradictory_counts_are_refused(total, squares, count, width):
    with pytest.raises(ValueError, match="counts contradict each other"):
        rate_interval(total, squares, count, width)


def binomial_on_bits(total, squares, count, width):
    """What is often done: every bit an independent trial."""
    return proportion_interval(total, count * width)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "ebn0_db"), [("hamming-7-4", 3.0), ("bch-15-7", 2.0)])
def test_intervals_cover_the_truth_as_often_as_they_say(name, ebn0_db):
    code, size, repetitions = fecnn.load_code(name), 600, 3000
    decode = fecnn.decoder("ml", code)
    channel = fecnn.AWGN.at(ebn0_db, code.rate)
    sums = []  # of message bits, code bits, their squares, and blocks, for each repetition
    for first in range(0, size * repetitions, size * 100):
        stream = FrameStream(f"coverage of {name}", first)
        messages = stream.messages(size * 100, code.k)
        codewords = code.encode(messages)
        words = decode(channel.transmit(codewords, stream))
        bits = (code.extract(words) != messages).sum(axis=1, dtype=np.int64)
        code_bits = (words != codewords).sum(axis=1, dtype=np.int64)
        per_frame = np.stack([bits, bits**2, code_bits, code_bits**2, code_bits > 0], axis=1)
        sums.append(per_frame.reshape(100, size, 5).sum(axis=1))
    sums = np.concatenate(sums)
    # The mean of all is 50 times more precise than one of the 3000.
    rates = sums.sum(axis=0) / (size * repetitions)

    def coverage(interval, columns, width):
        truth = rates[columns[0]] / width
        held = [
            low <= truth <= high
            for low, high in (interval(*map(int, row[columns]), size, width) for row in sums)
        ]
        return np.mean(held)

    # 3000 repetitions see a coverage to about 0.4 % (one sigma).
    for columns, width in (([0, 1], code.k), ([2, 3], code.n)):
        assert 0.935 < coverage(rate_interval, columns, width) < 0.98
        assert coverage(binomial_on_bits, columns, width) < 0.90
    blocks = coverage(lambda errors, count, width: proportion_interval(errors, count), [4], 1)
    assert 0.94 < blocks < 0.985


def test_an_interval_of_more_frames_than_64_bits_count():
    low, high = proportion_interval(2**64, 2**66)
    assert low < 0.25 < high
    assert high - low < 1e-8
