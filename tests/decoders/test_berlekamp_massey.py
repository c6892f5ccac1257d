"""Algebraic decoding of cyclic codes."""

import numpy as np
import plain_bch
import pytest
from decoding_cases import SMALL
from scipy.stats import binom, norm

import fecnn
from fecnn import Code
from fecnn.codes import gf2
from fecnn.codes.cyclic import is_cyclic, zero_run
from fecnn.decoders.berlekamp_massey import algebra_of
from fecnn.testing import check_decoder

# Bose & Ray-Chaudhuri's codes and their designed distances (Lin & Costello, appendix C).
DESIGNED = {
    "bch-15-7": 5, "bch-31-11": 11, "bch-31-16": 7, "bch-31-26": 3, "bch-63-30": 13, "bch-63-36": 11,
    "bch-63-45": 7, "bch-127-64": 21, "bch-127-85": 13,
}  # fmt: skip

# Bounded-distance decoding as measured by AFF3CT's reference simulations: Eb/N0 in dB -> FER.
PUBLISHED = {
    "bch-31-16": {3: 0.194, 4: 7.92e-2, 5: 2.19e-2, 6: 4.11e-3},
    "bch-31-21": {3: 0.202, 4: 7.75e-2, 5: 2.17e-2, 6: 3.64e-3},
    "bch-63-36": {3: 0.216, 4: 6.16e-2, 5: 9.95e-3, 6: 5.82e-4},
    "bch-63-45": {3: 0.326, 4: 0.113, 5: 2.20e-2, 6: 2.16e-3},
    "bch-63-51": {3: 0.387, 4: 0.159, 5: 3.84e-2, 6: 5.16e-3},
    "bch-127-64": {3: 0.401, 4: 9.51e-2, 5: 8.22e-3, 6: 1.59e-4},
}


def received(code, rng, frames, flip):
    """LLRs +-1 of random codewords with independent flips."""
    codewords = code.encode(rng.integers(0, 2, (frames, code.k), dtype=np.uint8))
    return np.where((rng.random(codewords.shape) < flip) ^ (codewords == 1), -1, 1).astype(
        np.float32
    ), codewords


@pytest.mark.parametrize("name", DESIGNED)
def test_designed_distances(name):
    assert zero_run(fecnn.load_code(name)).length + 1 == DESIGNED[name]


@pytest.mark.kernel
@pytest.mark.parametrize(
    "name", ["bch-15-7", "bch-15-11", "bch-31-16", "bch-31-21", "bch-63-45", "bch-63-51"]
)
def test_it_equals_the_table_of_coset_leaders(name, rng):
    code = fecnn.load_code(name)
    half = (code.minimum_distance - 1) // 2
    for t in range(half + 1):
        llr, _ = received(code, rng, 50 if SMALL else 3000, (half + 1) / code.n)
        algebra = fecnn.decoder("berlekamp-massey", code, t=t)(llr)
        assert (algebra == fecnn.decoder("hard", code, t=t)(llr)).all()


def test_extended_and_other_cyclic_codes_equal_the_table(rng):
    reverse = fecnn.load_code("bch-31-16")
    codes = {
        "extended": (fecnn.bch(15, 7, extended=True), 2),
        "extended 32": (fecnn.bch(31, 16, extended=True), 3),
        "reversed columns": (Code(reverse.G[:, ::-1], reverse.H[:, ::-1], minimum_distance=7), 3),
        "length 23, BCH bound 5 below its distance 7": (fecnn.golay(extended=False), 2),
        "its extension": (fecnn.golay(), 2),
        "zeros that are no narrow-sense run": (reverse.dual, 3),
        "cyclic Hamming": (fecnn.load_code("bch-31-26"), 1),
        "repetition": (fecnn.repetition(9), 4),
    }
    for name, (code, half) in codes.items():
        for t in (half, max(half - 1, 0)):
            llr, _ = received(code, rng, 2000, (half + 1) / code.n)
            algebra = fecnn.decoder("berlekamp-massey", code, t=t)(llr)
            assert (algebra == fecnn.decoder("hard", code, t=t)(llr)).all(), name
        with pytest.raises(ValueError, match=rf"t must be in 0\.\.{half} for .*, half its designed distance"):
            fecnn.decoder("berlekamp-massey", code, t=half + 1)


@pytest.mark.kernel
@pytest.mark.parametrize("name", ["bch-127-64", "bch-127-85", "bch-63-30"])
def test_it_corrects_exactly_t_errors_and_no_more(name, rng):
    code = fecnn.load_code(name)
    t = (code.minimum_distance - 1) // 2
    frames = 20 if SMALL else 300
    codewords = code.encode(rng.integers(0, 2, (frames, code.k), dtype=np.uint8))
    decode = fecnn.decoder("berlekamp-massey", code)
    for errors in range(t + 3):
        wrong = rng.permuted(np.tile(np.arange(code.n) < errors, (frames, 1)), axis=1)
        word = codewords ^ wrong
        decided = decode(fecnn.bpsk(word))
        if errors <= t:
            assert (decided == codewords).all()
        else:
            assert (decided != codewords).any(axis=1).all()
            moved = (decided != word).sum(axis=1)
            assert (moved <= t).all()
            assert not code.syndrome(decided[moved > 0]).any()


def plain(code, llr, t):
    """Decisions of the plain twin, and whether they are codewords."""
    algebra, out, found = algebra_of(code), np.empty(llr.shape, np.uint8), np.empty(len(llr), np.bool_)
    run = algebra.run
    plain_bch.correct(llr, algebra.powers, run.exp, run.log, run.step, code.parity_columns, t, out, found)
    return out, found


def codes_with_algebra():
    yield from (fecnn.load_code(f"bch-{size}") for size in ("31-21", "63-45", "127-64", "31-11"))
    yield fecnn.load_code("ebch-64-36")
    yield fecnn.load_code("bch-31-16").dual  # its run of zeros begins elsewhere
    yield fecnn.golay(extended=False)  # beta is a power of the primitive element
    yield fecnn.golay()
    yield quadratic_residue_code()  # more checks than its zeros
    yield fecnn.repetition(9)
    yield fecnn.load_code("bch-127-85").dual  # two words of checks
    yield Code.from_generator(shortened_generator(fecnn.load_code("bch-63-45"), 11), name="shortened")


def shortened_generator(code, places):
    """Of the words that are 0 in the last places, without these."""
    return gf2.vanishing(code.G, range(code.n - places, code.n))[:, : code.n - places]


def test_it_equals_its_plain_twin_on_every_kind_of_code(rng):
    """Words with 0 to t + 2 errors, beside the code's words and by chance, on every radius."""
    for code in codes_with_algebra():
        most, frames = algebra_of(code).run.t, 10 if SMALL else 100
        codewords = code.encode(rng.integers(0, 2, (frames, code.k), dtype=np.uint8))
        errors = [rng.permuted(np.tile(np.arange(code.n) < count, (frames, 1)), axis=1)
                  for count in range(min(most + 3, code.n + 1))]  # fmt: skip
        words = np.concatenate([codewords ^ some for some in errors])
        llr = np.concatenate(
            [fecnn.bpsk(words)]
            + [fecnn.AWGN.at(snr, code.rate).transmit(codewords, rng) for snr in (-2.0, 2.0, 4.0, 6.0)]
        )
        for t in {0, 1, most - 1, most} if most else {0}:
            bits, effort = fecnn.decoder("berlekamp-massey", code, t=t).measure(llr)
            expected, found = plain(code, llr, t)
            assert (bits == expected).all(), (code, t)
            assert (effort.uncertified == ~found).all(), (code, t)


def test_algebra_of_all_words_of_a_short_code():
    """Every word of the space, also those far beyond the radius, and a code of one zero."""
    for code in (fecnn.bch(15, 7), fecnn.bch(15, 5), fecnn.load_code("bch-15-11")):
        words = (np.arange(1 << code.n)[:, None] >> np.arange(code.n) & 1).astype(np.uint8)
        if SMALL:
            words = words[::997]
        llr = fecnn.bpsk(words)
        for t in range(algebra_of(code).run.t + 1):
            assert (fecnn.decoder("berlekamp-massey", code, t=t)(llr) == plain(code, llr, t)[0]).all()


def test_hard_takes_algebra_where_the_table_is_too_large(rng):
    code = fecnn.load_code("bch-127-64")
    llr, codewords = received(code, rng, 200, 0.04)
    decided = fecnn.decoder("hard", code)(llr)
    assert (decided == fecnn.decoder("berlekamp-massey", code)(llr)).all()
    assert (decided == codewords).all(axis=1).mean() > 0.9
    with pytest.raises(ValueError, match=r"t must be in 0\.\.10"):
        fecnn.decoder("hard", code, t=11)
    weaker = fecnn.decoder("hard", code, t=2)(llr)
    assert (((llr < 0) != weaker).sum(axis=1) <= 2).all()


def test_contract():
    check_decoder(
        "berlekamp-massey", fecnn.load_code("bch-15-7"), fecnn.load_code("bch-31-11"), fecnn.golay()
    )
    check_decoder("hard", fecnn.load_code("bch-127-64"))


@pytest.mark.parametrize("name", ["bch-31-11", "bch-127-64", "bch-127-85"])
def test_failures_are_words_with_more_than_t_errors(name, rng):
    """The block error rate in closed form: a binomial tail."""
    code = fecnn.load_code(name)
    p = norm.sf(np.sqrt(2 * code.rate * 10**0.4))
    llr, codewords = received(code, rng, 40_000, p)
    failed = (fecnn.decoder("berlekamp-massey", code)(llr) != codewords).any(axis=1).mean()
    expected = binom.sf((code.minimum_distance - 1) // 2, code.n, p)
    assert abs(failed - expected) < 5 * np.sqrt(expected / 40_000)


def compare(name, ebn0_db, frames, rng):
    """FER against the published one, known to about 10 % (100 errors)."""
    code, errors = fecnn.load_code(name), 0
    decode = fecnn.decoder("berlekamp-massey", code)
    for start in range(0, frames, 20_000):
        codewords = code.encode(rng.integers(0, 2, (min(20_000, frames - start), code.k), dtype=np.uint8))
        llr = fecnn.AWGN.at(ebn0_db, code.rate).transmit(codewords, rng)
        errors += int((decode(llr) != codewords).any(axis=1).sum())
    low, high = fecnn.proportion_interval(errors, frames, 0.999)
    published = PUBLISHED[name][ebn0_db]
    assert low / 1.2 < published < high * 1.2, (errors / frames, published)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_points(name, rng):
    for ebn0_db in (3, 4):
        compare(name, ebn0_db, 10_000, rng)


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_published_points_further_down(name, rng):
    for ebn0_db in (5, 6):
        compare(name, ebn0_db, 400_000, rng)


def test_codes_that_are_not_cyclic_are_refused():
    for code in (fecnn.polar(16, 8), fecnn.hamming(4), fecnn.uncoded(5), fecnn.single_parity_check(8)):
        assert not is_cyclic(code) or zero_run(code) is None
        with pytest.raises(
            ValueError,
            match=r"is not a cyclic code \(nor one that is extended by a parity bit, shortened or punctured\); use",  # noqa: E501
        ):
            fecnn.decoder("berlekamp-massey", code)


@pytest.mark.parametrize("name", ["hard", "berlekamp-massey"])
@pytest.mark.parametrize("code", ["bch-15-7", "bch-63-45", "bch-127-64"])
def test_it_says_where_it_gives_up(name, code, rng):
    code = fecnn.load_code(code)
    llr, _ = received(code, rng, 500, (code.minimum_distance + 1) / 2 / code.n)
    decode = fecnn.decoder(name, code)
    bits, effort = decode.measure(llr)
    gave_up = code.syndrome(bits).any(axis=1)
    assert 0 < gave_up.sum() < 500
    assert (effort.uncertified == gave_up).all()
    assert (effort.work == 0).all()
    assert (decode(llr) == bits).all()
    assert (bits == (llr < 0))[gave_up].all()


def quadratic_residue_code():
    """(89, 45), minimum distance 17; its zeros promise 7."""
    residues = np.zeros(89, np.uint8)
    residues[[0, *(i * i % 89 for i in range(1, 89))]] = 1
    for idempotent in (residues, 1 - residues):
        G = gf2.rref(np.array([np.roll(idempotent, i) for i in range(89)]))[0]
        if len(G) == 45:
            return Code(G, gf2.null_space(G), name="qr-89-45", minimum_distance=17)
    raise AssertionError


def test_hard_corrects_what_algebra_can_and_says_so(rng):
    code = quadratic_residue_code()
    with pytest.warns(UserWarning, match=r"hard of qr-89-45 corrects t = 3 errors, .* not the 8 of its"):
        decode = fecnn.decoder("hard", code)
    llr, codewords = received(code, rng, 200, 0.0)
    for row in llr:
        row[rng.permutation(89)[:3]] *= -1
    assert (decode(llr) == codewords).all()
    assert (fecnn.decoder("hard", code, t=3)(llr) == codewords).all()
    with pytest.raises(ValueError, match=r"t must be in 0\.\.3 for qr-89-45"):
        fecnn.decoder("hard", code, t=8)
