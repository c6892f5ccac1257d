"""Guessing the codeword."""

import numpy as np
import oracles
import pytest
from decoding_cases import assert_most_likely, llrs, random_codes

import fecnn
from fecnn import Code
from fecnn.testing import check_decoder

BOTH = pytest.mark.parametrize("reliable", [True, False], ids=["most reliable", "fixed"])


def noisy(name, ebn0_db, frames, rng):
    """A code of the catalogue, messages sent, and their LLRs."""
    code = fecnn.load_code(name)
    sent = code.encode(rng.integers(0, 2, (frames, code.k), dtype=np.uint8))
    return code, sent, fecnn.AWGN.at(ebn0_db, code.rate).transmit(sent, rng)


@BOTH
@pytest.mark.kernel
@pytest.mark.parametrize("queries", [1, 5, 1 << 16])
def test_it_tries_the_patterns_of_the_textbook_until_the_same_one(reliable, queries, rng):
    for code in (*random_codes(rng, count=24, longest=9), fecnn.load_code("bch-15-7")):
        if code.n == code.k:
            continue  # every hard decision is a codeword: nothing is guessed
        llr = llrs(rng, code.n)["ordinary"][:12].astype(np.float32)
        bits, effort = fecnn.decoder("gcd", code, reliable=reliable, queries=queries).measure(llr)
        expected, used, proved = oracles.gcd(code, llr, queries, reliable)
        assert (bits == expected).all(), code.name
        assert (effort.work == used).all(), code.name
        assert (effort.uncertified == ~proved).all(), code.name


@BOTH
@pytest.mark.kernel
def test_it_is_maximum_likelihood(reliable, rng):
    for code in (fecnn.load_code("bch-15-7"), fecnn.golay(), *random_codes(rng, count=10)):
        for kind, values in llrs(rng, code.n).items():
            llr = values.astype(np.float32)
            bits, effort = fecnn.decoder("gcd", code, reliable=reliable).measure(llr)
            assert not effort.uncertified.any()
            assert_most_likely(code, llr, bits, kind)


@BOTH
@pytest.mark.parametrize(
    ("name", "ebn0_db"),
    [
        ("bch-31-21", 1.0),
        ("bch-31-21", 4.0),
        ("bch-63-45", 2.0),
        ("bch-63-45", 4.0),
        ("ebch-64-36", 3.0),
        ("polar-64-48", 3.0),
        ("bch-127-106", 4.0),
    ],
)
def test_what_it_proves_is_the_decision_of_exact_search(reliable, name, ebn0_db, rng):
    code, _, llr = noisy(name, ebn0_db, 500, rng)
    bits, effort = fecnn.decoder("gcd", code, reliable=reliable).measure(llr)
    proved = ~effort.uncertified
    assert proved.mean() > 0.9
    assert (bits[proved] == fecnn.decoder("ml", code)(llr)[proved]).all()


@pytest.mark.parametrize(("name", "ebn0_db"), [("bch-31-21", 2.0), ("bch-15-7", 0.0), ("bch-63-51", 4.0)])
def test_no_frame_takes_more_guesses_than_guessing_the_noise(name, ebn0_db, rng):
    """Proved by Ma for any information set: each pattern of it that is tried is also one of all n bits."""
    code, _, llr = noisy(name, ebn0_db, 2000, rng)
    noise = fecnn.decoder("sgrand", code, queries=1 << 20).measure(llr)[1]
    fixed, chosen = (
        fecnn.decoder("gcd", code, reliable=it, queries=1 << 20).measure(llr)[1] for it in (False, True)
    )
    assert not (noise.uncertified | fixed.uncertified | chosen.uncertified).any()
    assert (fixed.work <= noise.work).all()
    assert (chosen.work <= noise.work).all()
    assert chosen.work.sum() < 0.5 * fixed.work.sum() < 0.5 * noise.work.sum()


def test_one_guess_decodes_a_parity_check_and_two_a_repetition(rng):
    """The least reliable bit of a failed check is the only one outside the basis."""
    llr = rng.normal(0, 1, (500, 9)).astype(np.float32)
    assert (fecnn.decoder("gcd", fecnn.single_parity_check(9)).measure(llr)[1].work == 1).all()
    bits, effort = fecnn.decoder("gcd", fecnn.repetition(9)).measure(llr)
    assert (bits[:, 0] == (llr.sum(axis=1) < 0)).all()
    lost = [(np.abs(it)[np.sign(it) != np.sign(it[np.abs(it).argmax()])]).sum() for it in llr]
    assert (effort.work == 1 + (np.abs(llr).max(axis=1) < lost)).all()


@BOTH
def test_what_the_queries_do_not_prove_is_counted(reliable, rng):
    """It is still a codeword, no less likely than with fewer queries, and no decision changes once proved."""
    code, _, llr = noisy("bch-63-45", 1.5, 300, rng)
    whole, effort = fecnn.decoder("gcd", code, reliable=reliable, queries=1 << 20).measure(llr)
    assert not effort.uncertified.any()
    before = np.full(len(llr), -np.inf)
    for queries in (1, 7, 50, 1000):
        bits, some = fecnn.decoder("gcd", code, reliable=reliable, queries=queries).measure(llr)
        assert (some.work == np.minimum(effort.work, queries)).all()
        assert (some.uncertified == (effort.work > queries)).all()
        assert some.uncertified.any()
        assert not code.syndrome(bits).any()
        assert (bits == whole)[~some.uncertified].all()
        now = oracles.metric(bits, llr)
        assert (now >= before).all()
        before = now


@BOTH
@pytest.mark.kernel
@pytest.mark.parametrize("checks", [16, 32, 60, 64, 65, 100, 130])
def test_checks_of_several_words(reliable, checks, rng):
    parity = rng.integers(0, 2, (10, checks), dtype=np.uint8)
    code = Code.from_generator(np.concatenate([np.eye(10, dtype=np.uint8), parity], axis=1))
    llr = rng.normal(0.3, 1, (8, code.n)).astype(np.float32)
    bits, effort = fecnn.decoder("gcd", code, reliable=reliable).measure(llr)
    assert not effort.uncertified.any()
    assert_most_likely(code, llr, bits, checks)


@BOTH
def test_long_codes(reliable, rng):
    """Two wrong bits among 300 are found, wherever they are."""
    code = fecnn.random_code(300, 200, seed=1)
    sent = code.encode(rng.integers(0, 2, (20, 200), dtype=np.uint8))
    llr = fecnn.bpsk(sent) * rng.uniform(2, 3, sent.shape)
    for frame in llr:
        frame[rng.choice(300, 2, replace=False)] *= -0.1
    bits, effort = fecnn.decoder("gcd", code, reliable=reliable).measure(llr.astype(np.float32))
    assert (bits == sent).all()
    assert not effort.uncertified.any()


@BOTH
def test_a_second_pass_changes_nothing(reliable, rng, monkeypatch):
    code, _, llr = noisy("bch-31-21", 1.0, 400, rng)
    bits, effort = fecnn.decoder("gcd", code, reliable=reliable, queries=60).measure(llr)
    monkeypatch.setattr("fecnn.decoders.gcd.FEW", 3)
    again, same = fecnn.decoder("gcd", code, reliable=reliable, queries=60).measure(llr)
    assert (effort.work > 3).any()
    assert (again == bits).all()
    assert (same.work == effort.work).all()
    assert (same.uncertified == effort.uncertified).all()


@BOTH
def test_frames_do_not_depend_on_those_before(reliable, rng):
    code, _, llr = noisy("bch-31-16", 1.0, 200, rng)
    decode = fecnn.decoder("gcd", code, reliable=reliable)
    bits, effort = decode.measure(llr)
    for i in range(0, 200, 13):
        alone, own = decode.measure(llr[i])
        assert (alone == bits[i]).all()
        assert own.work == effort.work[i]


@pytest.mark.parametrize("options", [{}, {"reliable": False}, {"queries": 20}], ids=str)
def test_contract(options):
    check_decoder("gcd", **options)
    check_decoder("gcd", fecnn.load_code("bch-15-7"), fecnn.golay(), fecnn.uncoded(3), **options)
    check_decoder("gcd", fecnn.load_code("bch-63-45"), **options | {"queries": 5000})


@pytest.mark.parametrize("queries", [0, (1 << 22) + 1])
def test_queries_that_it_cannot_store_are_refused(queries):
    with pytest.raises(ValueError, match=r"queries must be in 1\.\.4194304, got"):
        fecnn.decoder("gcd", fecnn.hamming(3), queries=queries)


def test_a_basis_is_chosen_by_true_or_false():
    with pytest.raises(TypeError, match="reliable must be true or false, got 'yes'"):
        fecnn.decoder("gcd", fecnn.hamming(3), reliable="yes")
