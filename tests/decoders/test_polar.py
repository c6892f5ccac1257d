"""Successive cancellation, with lists and CRCs."""

import numpy as np
import oracles
import plain_polar
import pytest
from decoding_cases import assert_most_likely, llrs

import fecnn
from fecnn import Code
from fecnn.codes import gf2
from fecnn.codes.crc import crc_of
from fecnn.codes.polar import kronecker_transform
from fecnn.decoders.polar import arranged, frozen_bits
from fecnn.testing import check_decoder

CODES = [
    fecnn.polar(2, 1),
    fecnn.polar(8, 4),
    fecnn.polar(16, 9, systematic=True),
    fecnn.polar(16, 5, information_set=[3, 9, 12, 14, 15]),
    fecnn.polar(16, 6, crc=6),
    fecnn.polar(32, 12, crc=6, systematic=True),
    fecnn.reed_muller(1, 3),
    fecnn.uncoded(4),
    fecnn.polar(64, 50),  # its subtrees of free bits are longer than most lists
]


DYNAMIC = [
    fecnn.pac(8, 4, polynomial=0o7),
    fecnn.pac(16, 6),
    fecnn.pac(32, 16, profile="polar"),
    fecnn.pac(64, 50, polynomial=0o3),  # with subtrees of free bits that change later frozen ones
    fecnn.nr_polar(12, 32, link="uplink").mother.code,
    fecnn.nr_polar(12, 40).mother.code,
    fecnn.polar(16, 9).subcode(checks=np.eye(1, 16, 3, dtype=np.uint8) ^ np.eye(1, 16, 12, dtype=np.uint8)),
    fecnn.hamming(4, extended=True),
]
"""Codes with frozen bits that are sums of earlier bits."""


@pytest.mark.kernel
@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("paths", [1, 2, 3, 8])
def test_dynamic_frozen_bits_are_those_of_the_textbook(paths, exact, rng):
    for code in DYNAMIC:
        form = arranged(code)
        assert (form.inputs.places >= 0).any(), code.name
        assert form.outer == 0
        order = np.arange(code.n) if form.order is None else form.order
        ordered = Code.from_generator(code.G[:, order])
        sums = oracles.frozen_sums(ordered)
        frozen = np.array([sum_ is not None for sum_ in sums])
        assert (form.inputs.frozen == frozen).all()
        llr = rng.normal(0.7, 1.3, (12, code.n)).astype(np.float32)
        expected = oracles.scl(ordered, frozen, llr, paths, exact, sums)
        given = np.empty_like(llr)
        given[:, order] = llr
        assert (fecnn.decoder("scl", code, list=paths, exact=exact)(given)[:, order] == expected).all(), code
        if paths == 1:
            assert (fecnn.decoder("sc", code, exact=exact)(given)[:, order] == expected).all(), code


def test_frozen_sums_of_pac_codes_are_their_convolution():
    """u_i of v = 0 is what the register adds to it, by hand for (8,4): information bits 3, 5, 6 and 7."""
    code = fecnn.pac(8, 4, polynomial=0o7)
    # u = v + D v + D^2 v with v_4 = 0: u_4 = v_3 = u_3.
    assert oracles.frozen_sums(code) == [[], [], [], None, [3], None, None, None]
    masks, places = arranged(code).inputs[1:]
    assert places.tolist() == [-1, -1, -1, -1, 0, -1, -1, -1]
    assert masks[:, 0].tolist() == [0, 0, 0, 1, 0, 0, 0, 0]


@pytest.mark.kernel
@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("paths", [1, 2, 3, 8])
def test_scl_equals_the_textbook(paths, exact, rng):
    for code in CODES:
        llr = rng.normal(0.7, 1.3, (12, code.n)).astype(np.float32)
        expected = oracles.scl(code, frozen_bits(code), llr, paths, exact)
        assert (fecnn.decoder("scl", code, list=paths, exact=exact)(llr) == expected).all(), code.name


@pytest.mark.parametrize("paths", [1, 2, 3, 5, 8, 16, 20, 33, 64, 65, 128])
def test_decisions_are_those_of_the_plain_twins_in_float64(paths, rng):
    """On many frames of all kinds of codes; and on a BSC and a BEC, where most comparisons are ties."""
    codes = [
        fecnn.load_code("polar-64-32"),
        fecnn.polar(128, 53, crc=11),
        fecnn.pac(64, 32),
        fecnn.nr_polar(12, 40).mother.code,
        fecnn.reed_muller(2, 6),
    ]
    for code in codes:
        form = arranged(code)
        words = code.encode(rng.integers(0, 2, (200, code.k), dtype=np.uint8))
        signs = fecnn.bpsk(words)
        llrs = {
            "awgn": fecnn.AWGN.at(1.5, code.rate).transmit(words, rng),
            "bsc": (signs * np.where(rng.random(words.shape) < 0.07, -1, 1) * 2.5866).astype(np.float32),
            "bec": (signs * (rng.random(words.shape) > 0.4) * 0.3).astype(np.float32),
            "integers": np.rint(3 * fecnn.AWGN.at(1.5, code.rate).transmit(words, rng)).clip(-127, 127),
        }
        for kind, llr in llrs.items():
            given = form.in_order(llr)
            expected, tested = np.empty(llr.shape, np.uint8), np.empty(len(llr), np.int64)
            passed, inputs = np.empty(len(llr), np.bool_), plain_polar.Inputs(*form.inputs)
            plain_polar.scl(given, inputs, form.columns, paths, False, expected, tested, passed)
            bits, effort = fecnn.decoder("scl", code, list=paths).measure(llr)
            assert (form.in_order(bits) == expected).all(), (code, kind)
            assert (effort.work == tested).all()
            assert (effort.uncertified == ~passed).all()
            if paths == 1 and not form.outer:
                plain_polar.sc(given, inputs, False, expected)
                assert (form.in_order(fecnn.decoder("sc", code)(llr)) == expected).all(), (code, kind)


def test_any_number_of_frames_is_decoded_as_one_by_one(rng):
    """Frames lie side by side: full rows of them, parts of rows, and a single one."""
    for code in (fecnn.polar(8, 4), fecnn.polar(64, 32), fecnn.pac(32, 16)):
        llr = rng.normal(0.7, 1.3, (131, code.n)).astype(np.float32)
        for decode in (fecnn.decoder("sc", code), fecnn.decoder("scl", code, list=4)):
            alone = np.concatenate([decode(row[None]) for row in llr])
            for frames in (0, 1, 15, 16, 17, 64, 65, 131):
                assert (decode(llr[:frames]) == alone[:frames]).all()


@pytest.mark.parametrize("most", [1, 2, 6, 8])
@pytest.mark.parametrize("exact", [False, True])
def test_an_adaptive_list_is_the_first_that_satisfies_the_crc(most, exact, rng):
    """By hand: whole lists of 1, 2, 4, ... paths, frame by frame."""
    code = fecnn.polar(32, 12, crc=6)
    words = code.encode(rng.integers(0, 2, (150, 12), dtype=np.uint8))
    llr = fecnn.AWGN.at(1.0, code.rate).transmit(words, rng)
    sizes = [size for size in (1, 2, 4) if size < most] + [most]
    lists = [fecnn.decoder("scl", code, list=size, exact=exact).measure(llr) for size in sizes]
    bits, effort = fecnn.decoder("scl", code, list=most, exact=exact, adaptive=True).measure(llr)
    ended = set()
    for frame in range(len(llr)):
        last = next((i for i, (_, how) in enumerate(lists) if not how.uncertified[frame]), len(lists) - 1)
        expected, how = lists[last]
        assert (bits[frame] == expected[frame]).all()
        assert effort.work[frame] == sum(how.work[frame] for _, how in lists[: last + 1])
        assert effort.uncertified[frame] == how.uncertified[frame] == code.syndrome(bits[frame]).any()
        ended.add(last)
    assert ended == set(range(len(sizes)))


def test_adaptive_lists_err_as_often_as_whole_ones(rng):
    """Polar (128,64) with CRC-11 at 2 dB: the same frames but few, each way by chance."""
    code = fecnn.polar(128, 64, crc=11)
    words = code.encode(rng.integers(0, 2, (20_000, 64), dtype=np.uint8))
    llr = fecnn.AWGN.at(2.0, code.rate).transmit(words, rng)
    wrong = [
        (fecnn.decoder("scl", code, adaptive=adaptive)(llr) != words).any(axis=1)
        for adaptive in (True, False)
    ]
    only, other = int((wrong[0] & ~wrong[1]).sum()), int((wrong[1] & ~wrong[0]).sum())
    assert wrong[1].sum() > 500
    assert 0 < only + other < 0.1 * wrong[1].sum()
    assert abs(only - other) <= 4 * np.sqrt(only + other)


@pytest.mark.parametrize("exact", [False, True])
def test_a_full_list_is_maximum_likelihood(exact, rng):
    for code in CODES + DYNAMIC:
        free = int((~frozen_bits(code)).sum())
        if free > 12:
            continue
        decode = fecnn.decoder("scl", code, list=2**free, exact=exact)
        for kind, values in llrs(rng, code.n).items():
            if exact and kind == "tiny":
                continue  # the metric is -log of a probability near 1/2 per bit: rounding hides the LLRs
            llr = values.astype(np.float32)
            decided = decode(llr)
            assert_most_likely(code, llr, decided, kind)


@pytest.mark.kernel
@pytest.mark.parametrize("exact", [False, True])
def test_soft_output_of_a_full_list_is_max_log_map(exact, rng):
    for code in CODES + DYNAMIC:
        free = int((~frozen_bits(code)).sum())
        if free > 6:
            continue
        llr = rng.normal(0.5, 2, (20, code.n)).astype(np.float32)
        found = fecnn.soft_decoder("scl", code, list=2**free, exact=exact)(llr)
        half, book = oracles.correlations(code, llr) / 2, code.codebook()
        for j in range(code.n):
            if 0 < book[:, j].sum() < len(book):
                expected = half[:, book[:, j] == 0].max(axis=1) - half[:, book[:, j] == 1].max(axis=1)
                assert np.allclose(found[:, j], expected, rtol=1e-5, atol=1e-5), code.name


def test_soft_output_decides_as_the_list(rng):
    for code in (fecnn.load_code("polar-64-32"), fecnn.polar(128, 53, crc=11)):
        codewords = code.encode(rng.integers(0, 2, (400, code.k), dtype=np.uint8))
        llr = fecnn.AWGN.at(2.0, code.rate).transmit(codewords, rng)
        for paths in (2, 8):
            soft = fecnn.soft_decoder("scl", code, list=paths)(llr)
            bits, effort = fecnn.decoder("scl", code, list=paths).measure(llr)
            sure = (soft != 0) & ~effort.uncertified[:, None]
            assert ((soft < 0) == bits)[sure].all()
            assert np.isfinite(soft).all()
            assert sure.mean() > 0.5


@pytest.mark.parametrize("make", [lambda: fecnn.pac(128, 64), lambda: fecnn.load_code("ebch-64-36")])
def test_lists_of_polar_subcodes_come_to_ml(make, rng):
    """PAC (128,64) at 2 dB; extended BCH (64,36), whose positions are field elements, as a polar subcode."""
    code = make()
    words = code.encode(rng.integers(0, 2, (4000, code.k), dtype=np.uint8))
    llr = fecnn.AWGN.at(2.0, code.rate).transmit(words, rng)
    near_ml = int((fecnn.decoder("near-ml", code)(llr) != words).any(axis=1).sum())
    wrong = {}
    for paths in (1, 8, 128):
        bits, effort = fecnn.decoder("scl", code, list=paths).measure(llr)
        assert not code.syndrome(bits).any()
        assert not effort.uncertified.any()
        wrong[paths] = int((bits != words).any(axis=1).sum())
    assert wrong[1] > 2 * wrong[8] > 2 * wrong[128]
    assert abs(wrong[128] - near_ml) <= 0.2 * near_ml + 3
    assert (fecnn.decoder("sc", code)(llr) != words).any(axis=1).sum() == wrong[1]


def test_sc_is_a_list_of_one_and_long_lists_come_to_ml(rng):
    code = fecnn.load_code("polar-64-32")
    codewords = code.encode(rng.integers(0, 2, (3000, code.k), dtype=np.uint8))
    llr = fecnn.AWGN.at(2.0, code.rate).transmit(codewords, rng)
    wrong = {}
    for paths in (1, 2, 4, 32):
        decided = fecnn.decoder("scl", code, list=paths)(llr)
        wrong[paths] = int((decided != codewords).any(axis=1).sum())
    assert (fecnn.decoder("sc", code)(llr) == fecnn.decoder("scl", code, list=1)(llr)).all()
    ml = int((fecnn.decoder("osd", code, order=3)(llr) != codewords).any(axis=1).sum())
    assert wrong[1] > wrong[2] > wrong[4] >= wrong[32]
    assert abs(wrong[32] - ml) <= 0.02 * ml + 2


def test_sc_on_the_erasure_channel_fails_as_density_evolution_says(rng):
    """SC decides all bits surely iff no information channel is erased (Arikan 2009)."""
    n, k, erasure = 64, 32, 0.4
    code = fecnn.polar(n, k, erasure=erasure)
    frames = 20_000
    codewords = code.encode(rng.integers(0, 2, (frames, k), dtype=np.uint8))
    erased = rng.random((frames, n)) < erasure
    llr = np.where(erased, 0, fecnn.bpsk(codewords)).astype(np.float32)
    # By hand: bit i is known iff the recursion of erasures leaves it so.
    state = erased.reshape(frames, 1, n)
    while state.shape[2] > 1:
        half = state.shape[2] // 2
        first, second = state[:, :, :half], state[:, :, half:]
        state = np.stack([first | second, first & second], axis=2).reshape(frames, -1, half)
    lost = state[:, ~frozen_bits(code), 0].any(axis=1)
    right = (fecnn.decoder("sc", code)(llr) == codewords).all(axis=1)
    assert right[~lost].all()
    assert 0 < (~right).sum() < lost.sum()  # a guess is right now and then


def test_contract():
    codes = (fecnn.polar(16, 8), fecnn.polar(32, 16, systematic=True), fecnn.reed_muller(2, 5))
    check_decoder("sc", *codes)
    check_decoder("scl", *codes, fecnn.polar(32, 10, crc=6))
    check_decoder("scl", *codes, list=3, exact=True)
    for name in ("sc", "scl"):
        check_decoder(name, fecnn.pac(32, 16), fecnn.nr_polar(12, 32, link="uplink"))


@pytest.mark.parametrize("name", ["sc", "scl"])
def test_symmetry_where_all_reliabilities_are_equal(name, rng):
    """On a BSC most comparisons are ties; none may favour zero."""
    code = fecnn.load_code("polar-64-32")
    llr = np.where(rng.random((500, 64)) < 0.08, -1, 1).astype(np.float32)
    codewords = code.encode(rng.integers(0, 2, (500, 32), dtype=np.uint8))
    decode = fecnn.decoder(name, code)
    assert (decode(llr * fecnn.bpsk(codewords)) == decode(llr) ^ codewords).all()


@pytest.mark.parametrize("crc", [6, 11, 24])
@pytest.mark.parametrize("systematic", [False, True])
def test_crc_bits_are_remainders(crc, systematic, rng):
    """Message and CRC together are a multiple of the polynomial (3GPP TS 38.212)."""
    k = 20
    code = fecnn.polar(64, k, crc=crc, systematic=systematic)
    inner = fecnn.polar(64, k + crc, systematic=systematic)
    assert (code.n, code.k) == (64, k)
    assert code.name == f"polar-64-{k}" + ("-systematic" if systematic else "") + f"-crc-{crc}"
    assert len(code.H) == 64 - k
    messages = rng.integers(0, 2, (50, k), dtype=np.uint8)
    bits = inner.extract(code.encode(messages))
    assert (bits[:, :k] == messages).all()
    for row in bits:
        value = int("".join(map(str, row)), 2)
        while value.bit_length() > crc:
            value ^= crc_of(crc).polynomial << (value.bit_length() - crc - 1)
        assert value == 0


def test_a_crc_makes_short_polar_codes_better(rng):
    """At 3 dB CRC-aided (128,64) with 6 bits and 32 paths gains on the plain code's ML, as is well known."""
    plain, aided = fecnn.load_code("polar-128-64"), fecnn.polar(128, 64, design_snr_db=0.0, crc=6)
    errors = {}
    for code in (plain, aided):
        codewords = code.encode(rng.integers(0, 2, (3000, 64), dtype=np.uint8))
        llr = fecnn.AWGN.at(3.0, 0.5).transmit(codewords, rng)
        bits, effort = fecnn.decoder("scl", code, list=16).measure(llr)
        errors[code.name] = int((bits != codewords).any(axis=1).sum())
        assert (effort.uncertified == code.syndrome(bits).any(axis=1)).all()
        assert ((effort.work >= 1) & (effort.work <= 16)).all()
    assert errors[aided.name] < 0.5 * errors[plain.name]


def test_kronecker_transform_is_its_own_inverse(rng):
    words = rng.integers(0, 2, (5, 32), dtype=np.uint8)
    before = words.copy()
    assert (kronecker_transform(kronecker_transform(words)) == words).all()
    assert (words == before).all()
    assert (kronecker_transform(np.eye(8, dtype=np.uint8)) == fecnn.polar(8, 8).G).all()


def test_frozen_bits_do_not_depend_on_the_generator(rng):
    code = fecnn.polar(32, 12)
    mixed = rng.integers(0, 2, (12, 12), dtype=np.uint8)
    while gf2.rank(mixed) < 12:
        mixed = rng.integers(0, 2, (12, 12), dtype=np.uint8)
    other = Code.from_generator(mixed @ code.G % 2)
    assert (frozen_bits(other) == frozen_bits(code)).all()
    assert frozen_bits(code).sum() == 20


@pytest.mark.parametrize(
    ("name", "code", "options", "message"),
    [
        ("sc", fecnn.hamming(3), {}, "length 7: polar codes need a power of two; use osd"),
        ("scl", fecnn.load_code("bch-31-16"), {}, "length 31"),
        ("sc", fecnn.polar(32, 10, crc=6), {}, "6 checks beyond frozen bits, which sc cannot use; use scl"),
        ("scl", fecnn.polar(8, 4), {"list": 0}, r"list must be in 1\.\.4096 paths, got 0"),
        ("scl", fecnn.polar(8, 4), {"adaptive": True}, "adaptive needs a CRC, .*; polar-8-4 has none"),
        ("scl", fecnn.polar(8, 4), {"list": 5000}, r"list must be in 1\.\.4096 paths, got 5000"),
    ],
)
def test_what_is_no_polar_code_is_refused(name, code, options, message):
    with pytest.raises(ValueError, match=message):
        fecnn.decoder(name, code, **options)


def test_a_code_far_from_polar_is_refused(rng):
    parity = rng.integers(0, 2, (50, 78), dtype=np.uint8)
    code = Code.from_generator(np.concatenate([np.eye(50, dtype=np.uint8), parity], axis=1))
    with pytest.raises(
        ValueError, match=r"is not a polar code in natural or bit-reversed order: .*; use osd"
    ):
        fecnn.decoder("scl", code)


def test_a_crc_code_is_rebuilt_from_its_file(tmp_path):
    from fecnn.codes.catalogue import code_file
    from fecnn.codes.codefile import rebuild, save_code

    code = fecnn.polar(32, 10, design_snr_db=1.0, crc=6)
    parameters = {"n": 32, "k": 10, "design_snr_db": 1.0, "crc": 6}
    save_code(code, tmp_path / "crc.toml", family="polar", parameters=parameters)
    assert rebuild(code_file(tmp_path / "crc.toml")).fingerprint == code.fingerprint


def test_an_unknown_crc_is_refused():
    for crc in (7, "1010", "25a", 0x11020):
        with pytest.raises(ValueError, match=r"crc must be 6, 8, 11, 16, 24, 24a, 24b, 24c bits .*, got"):
            fecnn.polar(32, 10, crc=crc)


def bit_reversed(n):
    digits = n.bit_length() - 1
    return [int(f"{i:0{digits}b}"[::-1], 2) for i in range(n)]


POLAR_CODES = [
    fecnn.load_code("polar-ecct-64-32"),
    fecnn.polar(64, 20, crc=24, systematic=True),
    fecnn.polar(32, 16, crc=11),
    fecnn.polar(32, 20, crc=11),
    fecnn.polar(16, 6, crc=6),
]


@pytest.mark.parametrize("code", POLAR_CODES, ids=repr)
def test_bit_reversed_polar_codes_are_decoded_in_their_order(code, rng):
    """The same frames, their bits permuted, give the same decisions, permuted."""
    order = bit_reversed(code.n)
    permuted = Code.from_parity_check(code.H[:, order], name="reversed")
    llr = fecnn.AWGN.at(2.0, code.rate).transmit(
        code.encode(rng.integers(0, 2, (300, code.k), dtype=np.uint8)), rng
    )
    names = ["scl"] if arranged(code).outer else ["sc", "scl"]
    for name in names:
        there = fecnn.decoder(name, permuted)(llr[:, order])
        assert (there == fecnn.decoder(name, code)(llr)[:, order]).all(), name
    soft = fecnn.soft_decoder("scl", permuted)(llr[:, order])
    assert (soft == fecnn.soft_decoder("scl", code)(llr)[:, order]).all()
    if (frozen_bits(code) != frozen_bits(code)[order]).any():
        assert arranged(permuted).order is not None


@pytest.mark.parametrize("name", ["sc", "scl"])
def test_codes_that_are_no_polar_codes_are_refused(name, rng):
    polar = fecnn.load_code("polar-64-32")
    shuffled = Code.from_generator(polar.G[:, rng.permutation(64)], name="shuffled")
    parity = rng.integers(0, 2, (32, 32), dtype=np.uint8)
    dense = Code.from_generator(np.concatenate([np.eye(32, dtype=np.uint8), parity], axis=1), name="random")
    for code in (shuffled, dense):
        with pytest.raises(
            ValueError, match=r"not a polar code in natural .* a list of about 2\^1[345].*use osd"
        ):
            fecnn.decoder(name, code)


def test_few_checks_need_short_lists(rng):
    """Of any code: (32,28) with 4 checks, and extended Hamming (32,26) in the order of its field elements."""
    parity = rng.integers(0, 2, (28, 4), dtype=np.uint8)
    dense = Code.from_generator(np.concatenate([np.eye(28, dtype=np.uint8), parity], axis=1), name="random")
    for code in (dense, fecnn.hamming(5, extended=True)):
        words = code.encode(rng.integers(0, 2, (2000, code.k), dtype=np.uint8))
        llr = fecnn.AWGN.at(4.0, code.rate).transmit(words, rng)
        ml = fecnn.decoder("ml", code)(llr)
        assert (fecnn.decoder("scl", code, list=64)(llr) != ml).any(axis=1).mean() < 0.005


def test_a_list_of_all_words_of_a_crc_code_is_maximum_likelihood(rng):
    code = fecnn.polar(32, 4, crc=6, design_snr_db=0.0)
    llr = fecnn.AWGN.at(1.0, code.rate).transmit(
        code.encode(rng.integers(0, 2, (3000, 4), dtype=np.uint8)), rng
    )
    assert (fecnn.decoder("scl", code, list=2**4)(llr) == fecnn.decoder("ml", code)(llr)).all()
    soft = fecnn.soft_decoder("scl", code, list=2**4)(llr[:50])
    for frame in range(50):
        expected = oracles.max_log_app(code.codebook(), llr[frame])
        varies = np.isfinite(expected)
        assert np.allclose(soft[frame, varies], expected[varies], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("turn", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["sc", "scl"])
def test_a_polar_code_with_its_digits_exchanged_is_decoded_as_well(name, turn, rng):
    """Even positions first, say: taken in the order of the file, sc has four times the block errors."""
    code = fecnn.load_code("polar-64-32")
    positions = np.arange(64)
    turned = ((positions << turn) | (positions >> (6 - turn))) & 63
    file = fecnn.Code.from_parity_check(code.H[:, turned], name="file")
    words = code.encode(rng.integers(0, 2, (500, 32), dtype=np.uint8))
    llr = fecnn.AWGN.at(2.5, 0.5).transmit(words, rng)
    decided = fecnn.decoder(name, code)(llr)
    assert np.array_equal(fecnn.decoder(name, file)(llr[:, turned]), decided[:, turned])
    if name == "scl":
        app = fecnn.soft_decoder(name, code)(llr)
        assert np.allclose(fecnn.soft_decoder(name, file)(llr[:, turned]), app[:, turned])
