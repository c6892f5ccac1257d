"""Serial list Viterbi of convolutional codes with a CRC."""

import numpy as np
import oracles
import pytest
from decoding_cases import SMALL, assert_most_likely, llrs

import fecnn
from fecnn import Code
from fecnn.decoders.complexity import complexity
from fecnn.decoders.list_viterbi import encoder_of
from fecnn.testing import check_decoder

BITING, ENDING = fecnn.tailbiting, fecnn.convolutional
CASES = [
    (BITING, 7, (0o5, 0o7), 3),
    (BITING, 8, (0o13, 0o17), 0),
    (BITING, 6, (0o5, 0o7, 0o7), 2),
    (BITING, 8, (0o3, 0o1), 4),
    (ENDING, 7, (0o5, 0o7), 3),
    (ENDING, 8, (0o13, 0o15, 0o17), 4),
    (ENDING, 6, (0o23, 0o35), 0),
]
POLYNOMIALS = {0: None, 2: "111", 3: "1011", 4: "11001"}


def made(family, k, polynomials, crc):
    code = family(k, polynomials)
    return code.subcode(crc=POLYNOMIALS[crc]) if crc else code


def noisy(code, ebn0_db, frames, rng):
    sent = code.encode(rng.integers(0, 2, (frames, code.k), dtype=np.uint8))
    return sent, fecnn.AWGN.at(ebn0_db, code.rate).transmit(sent, rng)


@pytest.mark.kernel
@pytest.mark.parametrize("most", [1, 3, 20, 4096])
def test_it_tries_the_paths_of_the_textbook(most, rng):
    for family, k, polynomials, crc in CASES:
        code = made(family, k, polynomials, crc)
        llr = rng.normal(0.3, 1, (4 if SMALL else 20, code.n)).astype(np.float32)
        checks = code.H[len(code.H) - crc :]
        expected = oracles.list_viterbi(polynomials, k, family is BITING, checks, llr, most)
        bits, effort = fecnn.decoder("list-viterbi", code, list=most).measure(llr)
        assert (effort.work == expected[1]).all(), code.name
        assert (effort.uncertified == ~expected[2]).all(), code.name
        assert (bits == expected[0]).all(), code.name


@pytest.mark.kernel
def test_a_list_of_all_paths_is_maximum_likelihood(rng):
    for case in CASES[: 2 if SMALL else None]:
        code = made(*case)
        for kind, values in llrs(rng, code.n).items():
            llr = values.astype(np.float32)
            bits, effort = fecnn.decoder("list-viterbi", code).measure(llr)
            assert not effort.uncertified.any()
            assert_most_likely(code, llr, bits, kind)


@pytest.mark.parametrize(
    ("family", "polynomials", "crc", "ebn0_db"),
    [
        (BITING, (0o133, 0o171), 8, 2.0),
        (BITING, (0o561, 0o753), 6, 2.0),
        (ENDING, (0o133, 0o171), 8, 2.0),
        (ENDING, (0o133, 0o171, 0o165), 6, 1.0),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_certified_decisions_are_those_of_the_search(family, polynomials, crc, ebn0_db, rng):
    crc = "100000111" if crc == 8 else "1000011"
    code = family((32 if len(polynomials) == 2 else 16) + len(crc) - 1, polynomials).subcode(crc=crc)
    _, llr = noisy(code, ebn0_db, 200, rng)
    bits, effort = fecnn.decoder("list-viterbi", code).measure(llr)
    exact, proof = fecnn.decoder("ml", code, method="search").measure(llr)
    both = ~effort.uncertified & ~proof.uncertified
    assert both.mean() > 0.9
    assert (bits == exact)[both].all()
    assert (effort.work > 1).any()


def test_the_code_of_128_bits_comes_close_to_maximum_likelihood(rng):
    code = fecnn.tailbiting(64 + 6, (0o133, 0o171)).subcode(crc="1000011")
    sent, llr = noisy(code, 1.75, 1500, rng)
    wrong, least, alone = (
        (fecnn.decoder(name, code, **options)(llr) != sent).any(axis=1).sum()
        for name, options in (("list-viterbi", {}), ("near-ml", {}), ("list-viterbi", {"list": 1}))
    )
    assert 5 < least <= wrong < 1.5 * least
    assert alone > 5 * wrong


def test_without_a_crc_it_is_exact_on_the_trellis(rng):
    code = fecnn.tailbiting(40, (0o133, 0o171))
    _, llr = noisy(code, 1.0, 300, rng)
    bits, effort = fecnn.decoder("list-viterbi", code, list=1 << 14).measure(llr)
    done = ~effort.uncertified
    assert done.mean() > 0.98
    assert (bits == fecnn.decoder("ml", code, method="tail-biting")(llr))[done].all()


def test_what_the_list_does_not_hold_is_counted(rng):
    code = fecnn.tailbiting(38, (0o23, 0o35)).subcode(crc="1000011")
    _, llr = noisy(code, 1.0, 400, rng)
    whole, effort = fecnn.decoder("list-viterbi", code, list=1 << 16).measure(llr)
    assert not effort.uncertified.any()
    for most in (1, 10, 256, 300, 1000):
        bits, some = fecnn.decoder("list-viterbi", code, list=most).measure(llr)
        assert (some.work == np.minimum(effort.work, most)).all()
        assert (some.uncertified == (effort.work > most)).all()
        assert some.uncertified.any()
        assert (bits == whole)[~some.uncertified].all()
        assert not code.syndrome(bits[~some.uncertified]).any()
        assert code.syndrome(bits[some.uncertified]).any(axis=1).all()  # it says so itself


def test_the_encoder_is_recognised_from_the_matrices():
    for family, k, polynomials, crc in CASES:
        code = made(family, k, polynomials, crc)
        found = encoder_of(Code(code.G, code.H))
        assert [int("".join(map(str, row)), 2) for row in found.taps] == list(polynomials)
        assert (found.bites, len(found.checks)) == (family is BITING, crc)
    code = fecnn.tailbiting(75, (0o133, 0o171)).subcode(crc=11)
    found = encoder_of(code, 11)
    assert (
        found.taps.tolist()
        == encoder_of(code).taps.tolist()
        == [[1, 0, 1, 1, 0, 1, 1], [1, 1, 1, 1, 0, 0, 1]]
    )
    assert (found.checks == code.H[-11:]).all()


@pytest.mark.parametrize("options", [{}, {"list": 3}], ids=str)
def test_contract(options):
    check_decoder("list-viterbi", made(*CASES[0]), made(*CASES[4]), made(*CASES[1]), **options)
    check_decoder(
        "list-viterbi", fecnn.tailbiting(20, (0o133, 0o171)).subcode(crc="1000011"), **{"list": 300} | options
    )


def test_what_it_cannot_do_is_refused():
    with pytest.raises(
        ValueError, match=r"polar-16-8 is no convolutional code of rate 1/m, .* of up to 7 bits"
    ):
        fecnn.decoder("list-viterbi", fecnn.polar(16, 8))
    code = made(*CASES[0])
    with pytest.raises(ValueError, match="with a CRC of 2 bits after it; use ml or osd"):
        fecnn.decoder("list-viterbi", code, crc=2)
    with pytest.raises(ValueError, match="crc must be 0 or more checks, got -1"):
        fecnn.decoder("list-viterbi", code, crc=-1)
    with pytest.raises(ValueError, match=r"list must be in 1\.\.65536 paths, got 0"):
        fecnn.decoder("list-viterbi", code, list=0)
    long = fecnn.convolutional(16, (0o133, 0o171)).subcode(crc="100000111")
    with pytest.raises(ValueError, match=r"has 2\*\*14 states, more than 2\*\*12; use near-ml"):
        fecnn.decoder("list-viterbi", long, crc=0)  # the product with the polynomial of the CRC


def test_a_path_has_its_price():
    """4 states, 7 steps, two outputs: 56 branches, each with two prices to add, then one; 28 comparisons."""
    code = made(*CASES[0])
    one, three = (complexity("list-viterbi", code, work=work) for work in (1, 3))
    assert one.additions == 56 * 2 + 56 + 3 * 7
    assert one.comparisons == 28 + 3 * 7
    assert three.additions - one.additions == 2 * 3 * 7
    assert one.binary == code.H[-3:].sum()
