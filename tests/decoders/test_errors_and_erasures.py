"""Errors and erasures: every pattern within the radius, the nearest word beyond it, punctured codes."""

from itertools import combinations

import numpy as np
import pytest

import fecnn
from fecnn.decoders.berlekamp_massey import algebra_of

CODES = {
    "berlekamp-massey": ["bch-15-7", "bch-31-16", "bch-63-45", "ebch-64-36", "golay-24-12"],
    "hard": ["hamming-7-4", "bch-15-7", "bch-31-16", "rm-32-16"],
}


def radius(name, code):
    """Errors that the decoder corrects, and the designed or minimum distance that it rests on."""
    if name == "hard":
        return (code.minimum_distance - 1) // 2
    return algebra_of(code).run.t


@pytest.mark.kernel
@pytest.mark.parametrize(("name", "code"), [(name, code) for name, all_ in CODES.items() for code in all_])
def test_errors_and_erasures_within_the_radius_are_corrected(name, code):
    code, rng = fecnn.load_code(code), np.random.default_rng(5)
    t = radius(name, code)
    decode = fecnn.decoder(name, code)
    for lost in range(2 * t + 1):
        errors = (2 * t - lost) // 2
        words = code.encode(rng.integers(0, 2, (40, code.k)))
        llr = fecnn.bpsk(words) * rng.uniform(0.5, 3, words.shape).astype(np.float32)
        for frame in llr:
            places = rng.permutation(code.n)[: lost + errors]
            frame[places[:lost]] = 0
            frame[places[lost:]] *= -1
        bits, effort = decode.measure(llr)
        assert (bits == words).all(), (lost, errors)
        assert not effort.uncertified.any()


def test_every_pattern_of_erasures_and_errors_of_a_small_code():
    code = fecnn.load_code("bch-15-7")  # t = 2
    for name in ("hard", "berlekamp-massey"):
        decode = fecnn.decoder(name, code)
        llr = []
        for lost in range(5):
            for erased in combinations(range(15), lost):
                kept = [j for j in range(15) if j not in erased]
                for wrong in combinations(kept, (4 - lost) // 2):
                    frame = np.ones(15, np.float32)
                    frame[list(erased)] = 0
                    frame[list(wrong)] = -1
                    llr.append(frame)
        llr = np.array(llr)
        word = code.encode(np.ones(7, np.uint8))
        bits, effort = decode.measure(np.where(word, -llr, llr))
        assert (bits == word).all()
        assert not effort.uncertified.any()


def test_beyond_the_radius_the_decision_is_a_word_that_agrees_best_or_the_hard_decision(rng):
    code = fecnn.load_code("bch-15-7")
    llr = rng.choice(np.float32([-1, 0, 1]), (3000, 15))
    bits, effort = fecnn.decoder("berlekamp-massey", code).measure(llr)
    book = code.codebook()
    for frame, found, failed in zip(llr, bits, effort.uncertified, strict=True):
        filled = [(frame < 0).astype(np.uint8), (frame <= 0).astype(np.uint8)]
        near = [word for fill in filled for word in book[(book != fill).sum(axis=1) <= 2]]
        if failed:
            assert not near
            assert (found == filled[0]).all()
        else:
            price = [((word != filled[0]) & (frame != 0)).sum() for word in near]
            assert ((found != filled[0]) & (frame != 0)).sum() == min(price)
            assert not code.syndrome(found).any()


def test_a_punctured_code_is_decoded_with_erasures(rng):
    mother = fecnn.load_code("bch-63-45")  # t = 3
    code = mother.puncture([3, 20, 40]).shorten([0])
    words = code.encode(rng.integers(0, 2, (60, code.k)))
    decode = fecnn.decoder("berlekamp-massey", code)
    llr = fecnn.bpsk(words)
    for frame in llr:
        frame[rng.permutation(code.n)[:1]] *= -1  # 2 * 1 + 3 <= 6
    assert (decode(llr) == words).all()
    llr = fecnn.bpsk(words)
    for frame in llr:
        frame[rng.permutation(code.n)[:2]] *= -1  # beyond what is promised
    bits, effort = decode.measure(llr)
    right = (bits == words).all(axis=1)
    assert (right | effort.uncertified | ~code.syndrome(bits).any(axis=1)).all()


def test_the_binary_erasure_channel_is_corrected_up_to_d_less_1():
    code = fecnn.hamming(3)
    rng = np.random.default_rng(0)
    words = code.encode(rng.integers(0, 2, (2000, 4)))
    llr = fecnn.BEC(0.3).transmit(words, rng)
    wrong = (fecnn.decoder("hard", code)(llr) != words).any(axis=1)
    assert not wrong[(llr == 0).sum(axis=1) <= 2].any()
