"""Shortening, puncturing, extending and CRCs: the words, what is known of them, and their decoders."""

import pickle
from math import comb

import numpy as np
import pytest

import fecnn
from fecnn.codes import gf2
from fecnn.codes.crc import crc_of
from fecnn.codes.mother import Mother
from fecnn.codes.operations import rate_matched


def words_of(code):
    return {bytes(word) for word in code.codebook()}


def test_shortened_words_are_those_that_are_zero_there():
    long = fecnn.load_code("bch-15-7")
    zero = [2, 3, 11]
    rest = [i for i in range(15) if i not in zero]
    expected = {bytes(word[rest]) for word in long.codebook() if not word[zero].any()}
    code = long.shorten(zero)
    assert words_of(code) == expected
    assert code.minimum_distance == min(sum(word) for word in expected if any(word))
    assert not code.syndrome(code.codebook()).any()


def test_a_systematic_code_loses_its_first_message_bits():
    long = fecnn.load_code("bch-63-51")
    code = long.shorten(5)
    assert (code.G == long.G[5:, 5:]).all()
    assert (code.H == long.H[:, 5:]).all()
    assert code.name == "bch-63-51-shortened-58-46"


def test_punctured_words_lack_the_positions():
    long = fecnn.load_code("bch-15-7")
    code = long.puncture([0, 14])
    assert words_of(code) == {bytes(word[1:14]) for word in long.codebook()}
    assert (code.G == long.G[:, 1:14]).all()
    assert fecnn.load_code("bch-15-7").puncture(2).mother.sent == tuple(range(13))


def test_repeated_and_permuted_positions():
    long, sent = fecnn.hamming(3), [6, 0, 1, 2, 3, 4, 5, 6, 6]
    code = rate_matched(long, sent)
    assert (code.codebook() == long.codebook()[:, sent]).all()
    assert not code.syndrome(code.codebook()).any()
    assert code.minimum_distance == min(long.codebook()[1:][:, sent].sum(axis=1))


def test_what_is_cut_twice_is_seen_from_the_first_code():
    long = fecnn.load_code("bch-31-16")
    code = long.shorten([0, 1]).puncture([28]).shorten([0])
    assert code.mother.code == long
    assert code.mother.zero == (0, 1, 2)
    assert code.mother.sent == tuple(i for i in range(3, 31) if i != 30)
    repeated = rate_matched(fecnn.hamming(3), [0, 1, 2, 3, 4, 5, 6, 0]).shorten([0])
    assert not repeated.codebook()[:, -1].any()  # its copy is still sent
    llr = repeated.mother.llr(np.full((1, 7), -2, np.float32))
    assert np.isposinf(llr[0, 0])


def test_extended_codes_have_one_more_parity():
    for code in (fecnn.hamming(3), fecnn.load_code("bch-31-21"), fecnn.polar(16, 7)):
        longer = code.extend()
        assert (longer.codebook()[:, :-1] == code.codebook()).all() if code.k < 20 else True
        counted = fecnn.Code(longer.G, longer.H).weight_spectrum()
        assert longer.known_spectrum in (None, counted)
        assert longer.minimum_distance == next(w for w, count in enumerate(counted) if w and count)


def test_no_distance_is_inherited():
    code = fecnn.load_code("ccsds-128-64").shorten(1)
    assert (code.minimum_distance, code.known_spectrum) == (None, None)
    assert fecnn.load_code("ccsds-128-64").puncture(1).minimum_distance is None
    even = fecnn.load_code("ccsds-128-64").subcode(checks=[1] + 127 * [0])
    assert even.minimum_distance is None


def test_subcodes_by_checks_and_by_crcs(rng):
    code = fecnn.hamming(4)
    even = code.subcode(checks=np.ones(15))
    assert (even.k, even.minimum_distance) == (10, 4)
    checked = fecnn.uncoded(24).subcode(crc=8)
    for word in checked.encode(rng.integers(0, 2, (50, 16), dtype=np.uint8)):
        value = int("".join(map(str, word)), 2)
        while value.bit_length() > 8:
            value ^= 0x19B << (value.bit_length() - 9)
        assert value == 0


def test_crcs_of_all_kinds():
    assert crc_of(24) != crc_of("24a") != crc_of("24b")
    assert crc_of("24c").polynomial == crc_of(24).polynomial == 0x1B2B117
    assert (crc_of("24a").polynomial, crc_of("24b").polynomial) == (0x1864CFB, 0x1800063)
    assert crc_of(16).polynomial == 0x11021  # CCITT
    # The weights of x + 1: a parity bit.
    assert fecnn.uncoded(9).subcode(crc="0b11").weight_spectrum() == tuple(
        0 if w % 2 else comb(9, w) for w in range(10)
    )
    assert crc_of("0x11021") == crc_of("0o210041") == crc_of("10001000000100001")
    assert fecnn.polar(128, 6, crc=6).name == "polar-128-6-crc-6"


REFUSED = {
    "nothing is left": (lambda: fecnn.repetition(5).shorten(1), "leaves only the zero word"),
    "words become equal": (lambda: fecnn.hamming(3).puncture(4), "only 3 can be told from the 3 positions"),
    "no such position": (lambda: fecnn.hamming(3).shorten([7]), "some but not all, got 7"),
    "a position twice": (lambda: fecnn.hamming(3).shorten([1, 1]), "got 2, 1 of them distinct"),
    "none": (lambda: fecnn.hamming(3).puncture(0), "bits must be 1 to n - 1 = 6"),
    "all": (lambda: fecnn.hamming(3).puncture(range(7)), "got 7, 7 of them distinct"),
    "sent and zero": (lambda: rate_matched(fecnn.hamming(3), range(7), [2]), "both sent and zero"),
    "neither": (lambda: fecnn.hamming(3).subcode(), "by crc or by checks, one of them"),
    "a long CRC": (lambda: fecnn.hamming(3).subcode(crc=6), "too few message bits for a CRC of 6 bits"),
    "two meanings": (lambda: fecnn.polar(64, 32, crc="11"), "crc '11' may be the CRC of 11 bits, .*'0b11'"),
    "no polynomial": (lambda: fecnn.polar(64, 32, crc=""), "crc must be 6, 8, .*, got ''"),
    "no first term": (lambda: fecnn.polar(64, 32, crc="011"), "crc must be 6, 8, .*, got '011'"),
    "all words fail": (lambda: fecnn.repetition(3).subcode(checks=[1, 1, 1]), "leave only the zero word"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_is_refused(case):
    make, words = REFUSED[case]
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize("wrong", [2.0, True, "3", [1.5], [True]])
def test_positions_are_whole_numbers(wrong):
    for how in ("puncture", "shorten"):
        with pytest.raises(TypeError, match="bits must be a whole number, got"):
            getattr(fecnn.hamming(3), how)(wrong)


def test_a_mother_of_other_words_is_refused():
    code, longer = fecnn.hamming(3), fecnn.hamming(4)
    for mother, words in (
        (Mother(longer, tuple(range(7))), "are not those sent of its mother hamming-15-11"),
        (Mother(longer, tuple(range(6))), "must say n = 7 positions of hamming-15-11"),
        (Mother(longer, (*range(6), 99)), "each 0 to 14"),
        (Mother(code.puncture(1), tuple(range(6))), "has a mother itself"),
    ):
        with pytest.raises(ValueError, match=words):
            fecnn.Code(code.G, code.H, name="mine", mother=mother)


def test_identity_pickle_and_file(tmp_path):
    code = fecnn.load_code("ccsds-128-64").puncture([3, 64, 65])
    bare = fecnn.Code(code.G, code.H)
    assert code != bare  # belief propagation decides differently on it
    assert pickle.loads(pickle.dumps(code)) == code
    fecnn.save_code(code, tmp_path / "mine.toml")
    again = fecnn.load_code(tmp_path / "mine.toml")
    assert again == code
    assert again.mother == code.mother
    text = (tmp_path / "mine.toml").read_text()
    (tmp_path / "mine.toml").write_text(text.replace("zero = []", "zero = [3]"))
    with pytest.raises(ValueError, match=r"mine\.toml: "):
        fecnn.load_code(tmp_path / "mine.toml")


def test_recipes(tmp_path):
    code = fecnn.load_code({"code": "ccsds-128-64", "puncture": 16})
    assert code == fecnn.load_code("ccsds-128-64").puncture(16)
    assert fecnn.load_code({"family": "hamming", "r": 4, "shorten": [0, 5], "extend": True}).n == 14
    both = fecnn.load_code({"family": "polar", "n": 64, "k": 40, "subcode": 6, "puncture": [0]})
    assert (both.n, both.k) == (63, 34)
    fecnn.write_alist(fecnn.hamming(3).H, tmp_path / "h.alist")
    assert fecnn.load_code({"code": str(tmp_path / "h.alist"), "shorten": 1}).k == 3
    for given, error, words in (
        ({"family": "hamming", "q": 3}, ValueError, "it takes r, extended"),
        ({"family": "hamming", "r": "three"}, ValueError, "hamming of a code"),
        ({"family": "haming", "r": 3}, LookupError, "no code family 'haming'; did you mean hamming"),
        ({"code": "hamming-7-4", "shorten": "two"}, ValueError, "a number of bits, or a list of positions"),
        ({"code": "hamming-7-4", "shortn": 2}, ValueError, "unknown key 'shortn' of a code; did you mean"),
        ({"code": "hamming-7-4", "extend": 1}, ValueError, "extend of a code is true, or left out"),
        ({"code": "hamming-7-4", "subcode": True}, ValueError, "subcode of a code is a CRC"),
        ({"code": "hamming-7-5"}, LookupError, "did you mean hamming-7-4"),
        ({"shorten": 2}, ValueError, "by code, or by family"),
    ):
        with pytest.raises(error, match=words):
            fecnn.load_code(given)


# Decoders


def noisy(code, ebn0_db, frames, rng):
    words = code.encode(rng.integers(0, 2, (frames, code.k), dtype=np.uint8))
    return words, fecnn.AWGN.at(ebn0_db, code.rate).transmit(words, rng)


def errors(decode, words, llr):
    return int((decode(llr) != words).any(axis=1).sum())


def test_belief_propagation_of_a_punctured_code_works_on_its_mother(rng):
    """The H of the punctured code itself is dense, and does not decode (GNU Radio issue 6748)."""
    mother = fecnn.load_code("ccsds-128-64")
    code = mother.puncture(16)
    words, llr = noisy(code, 4.0, 3000, rng)
    at_mother = np.zeros((3000, 128), np.float32)
    at_mother[:, :112] = llr
    for options in ({}, {"schedule": "layered"}, {"rule": "min-sum", "scale": 0.8}):
        decide = fecnn.decoder("bp", code, **options)
        assert (decide(llr) == fecnn.decoder("bp", mother, **options)(at_mother)[:, :112]).all()
    soft = fecnn.soft_decoder("bp", code)(llr)
    assert (soft == fecnn.soft_decoder("bp", mother)(at_mother)[:, :112]).all()
    by_itself = fecnn.Code.from_generator(code.G)
    assert errors(fecnn.decoder("bp", code), words, llr) < 0.1 * errors(
        fecnn.decoder("bp", by_itself), words, llr
    )
    finished, effort = fecnn.decoder("bp-osd", code).measure(llr)
    assert not code.syndrome(finished).any()
    assert (effort.work >= 1).all()


def test_repeated_bits_are_added(rng):
    long = fecnn.load_code("ccsds-128-64")
    code = rate_matched(long, [*range(128), *range(32)])
    _, llr = noisy(code, 3.0, 300, rng)
    added = llr[:, :128].copy()
    added[:, :32] += llr[:, 128:]
    assert (fecnn.decoder("bp", code)(llr)[:, :128] == fecnn.decoder("bp", long)(added)).all()
    contradicting = np.full((1, 160), 2, np.float32)
    contradicting[0, 5], contradicting[0, 133] = np.inf, -np.inf
    assert not fecnn.decoder("bp", code)(contradicting)[0, :5].any()


@pytest.mark.parametrize("cut", ["shortened", "punctured"])
def test_lists_of_all_paths_of_a_cut_polar_code_are_maximum_likelihood(cut, rng):
    long = fecnn.polar(32, 12)
    code = long.shorten([31, 30, 29]) if cut == "shortened" else long.puncture([0, 1, 2, 3, 4])
    words, llr = noisy(code, 2.0, 400, rng)
    ml = fecnn.decoder("ml", code)(llr)
    bits, effort = fecnn.decoder("scl", code, list=4096).measure(llr)
    assert (bits == ml).all()
    assert not effort.uncertified.any()
    best, metrics = fecnn.list_decoder("scl", code, list=4)(llr)
    assert (np.diff(metrics[:, :2], axis=1) >= 0).all()
    assert not code.syndrome(best[:, 0]).any()
    few = errors(fecnn.decoder("sc", code), words, llr)
    assert errors(fecnn.decoder("ml", code), words, llr) <= few < 400
    app = fecnn.soft_decoder("scl", code, list=4096)(llr)
    assert ((app < 0) == ml).all()


def test_cut_codes_are_decoded_by_all_that_take_any_code(rng):
    code = fecnn.load_code("bch-31-16").shorten(3).puncture([5])
    words, llr = noisy(code, 3.0, 500, rng)
    best = errors(fecnn.decoder("ml", code), words, llr)
    assert errors(fecnn.decoder("osd", code, order=3), words, llr) == best
    assert errors(fecnn.decoder("near-ml", code), words, llr) <= best + 5


SHORTENED = {
    "bare matrices": lambda: fecnn.Code.from_generator(fecnn.load_code("bch-63-51").G[5:, 5:]),
    "bare, in the last positions": lambda: fecnn.Code.from_generator(
        fecnn.load_code("bch-63-51").G[5:, ::-1][:, :58]
    ),
    "by name": lambda: fecnn.load_code("bch-63-51").shorten(5),
    "anywhere": lambda: fecnn.load_code("bch-63-51").shorten([1, 7, 20, 33, 61]),
    "extended": lambda: fecnn.load_code("bch-63-51").extend().shorten(5),
    "by its size": lambda: fecnn.bch(58, 46),
}


@pytest.mark.parametrize("case", SHORTENED)
def test_algebra_corrects_shortened_codes(case, rng):
    code, frames = SHORTENED[case](), 300
    words = code.encode(rng.integers(0, 2, (frames, code.k), dtype=np.uint8))
    decode = fecnn.decoder("berlekamp-massey", code)
    for wrong in range(5):
        flips = rng.permuted(np.tile(np.arange(code.n) < wrong, (frames, 1)), axis=1)
        received = words ^ flips
        bits, effort = decode.measure(2 * fecnn.bpsk(received))
        if wrong <= 2:
            assert (bits == words).all()
            assert not effort.uncertified.any()
        else:
            # Whatever is not certified is the hard decision; the rest are codewords within two flips.
            assert (bits[effort.uncertified] == received[effort.uncertified]).all()
            assert not code.syndrome(bits[~effort.uncertified]).any()
            assert ((bits != received).sum(axis=1) <= 2).all()
            assert effort.uncertified.any()


def test_algebra_of_a_shortened_code_is_that_of_the_table(rng):
    code = fecnn.bch(25, 15)  # of (31,21)
    assert code.n - code.k == 10
    llr = rng.normal(0.5, 1.0, (2000, 25)).astype(np.float32)
    table = fecnn.decoder("hard", code, t=2).measure(llr)
    algebra = fecnn.decoder("berlekamp-massey", code).measure(llr)
    assert (table[0] == algebra[0]).all()
    assert (table[1].uncertified == algebra[1].uncertified).all()


def test_bch_codes_by_distance_polynomial_and_size():
    assert (fecnn.bch(63, d=7).k, fecnn.bch(63, d=6).k, fecnn.bch(15, d=15).k) == (45, 45, 1)
    other = fecnn.bch(31, 21, polynomial=0b111101)
    assert other.name == "bch-31-21-0x3d"
    assert other != fecnn.bch(31, 21)
    assert other.minimum_distance == 5
    # Its zeros are those of its own field: g is the product of two minimal polynomials, the first as given.
    from fecnn.codes.cyclic import generator_polynomial

    g = generator_polynomial(fecnn.Code.from_generator(other.G[:, ::-1]))
    value = g
    while value.bit_length() >= 6:
        value ^= 0b111101 << (value.bit_length() - 6)
    assert value == 0
    for wrong, words in (
        ({"n": 63, "d": 64}, "designed distance 64: it is 2 to 63"),
        ({"n": 63}, "dimension k or its designed distance d, one of them"),
        ({"n": 63, "k": 45, "d": 7}, "one of them"),
        ({"n": 31, "k": 21, "polynomial": 0b111111}, "must be primitive of degree 5 for n = 31, such as 0b"),
    ):
        with pytest.raises(ValueError, match=words):
            fecnn.bch(**wrong)


def test_vanishing_rows_span_all_vectors_that_vanish(rng):
    matrix = rng.integers(0, 2, (9, 16), dtype=np.uint8)
    columns = [0, 3, 8]
    found = gf2.vanishing(matrix, columns)
    assert not found[:, columns].any()
    span = (((np.arange(1 << 9)[:, None] >> np.arange(9)) & 1) @ matrix % 2).astype(np.uint8)
    expected = {bytes(row) for row in span if not row[columns].any()}
    inside = (((np.arange(1 << len(found))[:, None] >> np.arange(len(found))) & 1) @ found % 2).astype(
        np.uint8
    )
    assert {bytes(row) for row in inside} == expected


def test_the_5g_sequence_keeps_the_partial_order():
    """A channel is worse than one whose index has more ones at the same places and others."""
    from fecnn.codes.polar import reliability_sequence

    place = {channel: i for i, channel in enumerate(reliability_sequence(1024))}
    for channel in range(1024):
        for digit in range(10):
            if not channel >> digit & 1:
                assert place[channel] < place[channel | 1 << digit]
    assert reliability_sequence(16) == [0, 1, 2, 4, 8, 3, 5, 9, 6, 10, 12, 7, 11, 13, 14, 15]
    assert fecnn.polar(16, 8, sequence="5g") == fecnn.polar(
        16, 8, information_set=[6, 7, 10, 11, *range(12, 16)]
    )
    with pytest.raises(ValueError, match="sequence must be '5g', got '6g'"):
        fecnn.polar(16, 8, sequence="6g")
    with pytest.raises(ValueError, match="has 1024 channels, got n = 2048"):
        fecnn.polar(2048, 8, sequence="5g")
