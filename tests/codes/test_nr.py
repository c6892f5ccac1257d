"""5G NR codes: bit for bit those of another implementation, and of the standard read step by step."""

import math

import numpy as np
import pytest

import fecnn
from fecnn.codes.crc import crc_of
from fecnn.codes.nr_ldpc import LIFTINGS, _circular, _fits, _graph_of, _length, _lifting
from fecnn.codes.nr_polar import CRC_ORDER, SUB_BLOCKS
from fecnn.codes.nr_tables import base_graph
from fecnn.codes.polar import kronecker_transform, reliability_sequence
from fecnn.intervals import proportion_interval

LDPC = [
    (64, 128, 1),
    (64, 128, 2),
    (64, 200, 4),
    (20, 100, 1),
    (100, 150, 1),
    (400, 500, 1),
    (12, 20, 1),
    (64, 72, 1),
]
POLAR = [
    *((64, 128, "downlink"), (64, 100, "downlink"), (40, 108, "downlink"), (140, 500, "downlink")),
    *((20, 300, "downlink"), (64, 128, "uplink"), (64, 200, "uplink"), (20, 64, "uplink")),
    *((200, 300, "uplink"), (300, 700, "uplink"), (116, 128, "uplink")),
]


def theirs(encoder, messages):
    import torch

    return encoder(torch.tensor(messages, dtype=torch.float32)).numpy().astype(np.uint8)


@pytest.mark.parametrize(("k", "n", "symbol"), LDPC)
def test_ldpc_words_are_those_of_sionna(k, n, symbol, rng):
    ldpc = pytest.importorskip("sionna.phy.fec.ldpc")
    encoder = ldpc.LDPC5GEncoder(k, n, num_bits_per_symbol=symbol if symbol > 1 else None, device="cpu")
    messages = rng.integers(0, 2, (100, k), dtype=np.uint8)
    code = fecnn.nr_ldpc(k, n, bits_per_symbol=symbol)
    assert (code.encode(messages) == theirs(encoder, messages)).all()


@pytest.mark.parametrize(("k", "e", "link"), POLAR)
def test_polar_words_are_those_of_sionna(k, e, link, rng):
    polar = pytest.importorskip("sionna.phy.fec.polar")
    encoder = polar.Polar5GEncoder(k, e, channel_type=link, device="cpu")
    messages = rng.integers(0, 2, (100, k), dtype=np.uint8)
    assert (fecnn.nr_polar(k, e, link=link).encode(messages) == theirs(encoder, messages)).all()


def uplink_word(message, e):
    """Sections 5.1, 5.3.1 and 5.4.1 of TS 38.212 for 12 to 19 bits, one bit after the other."""
    value, bits = 0, list(message)
    for bit in [*bits, 0, 0, 0, 0, 0, 0]:
        value = value << 1 | int(bit)
        if value >> 6:
            value ^= crc_of(6).polynomial
    bits += [value >> i & 1 for i in range(5, -1, -1)]
    total = len(bits)
    up = math.ceil(math.log2(e))
    first = up - 1 if e <= 9 / 8 * 2 ** (up - 1) and total / e < 9 / 16 else up
    n = 2 ** max(min(first, math.ceil(math.log2(8 * total)), 10), 5)
    order = [SUB_BLOCKS[32 * i // n] * (n // 32) + i % (n // 32) for i in range(n)]
    frozen = set()
    if e < n and total / e <= 7 / 16:
        frozen |= {order[i] for i in range(n - e)}
        frozen |= set(
            range(math.ceil(3 * n / 4 - e / 2) if e >= 3 * n / 4 else math.ceil(9 * n / 16 - e / 4))
        )
    elif e < n:
        frozen |= {order[i] for i in range(e, n)}
    chosen = [q for q in reliability_sequence(n) if q not in frozen][-total - 3 :]
    light = 1 if e - total + 3 > 192 else 0
    parity = set(chosen[: 3 - light])
    if light:
        weight = {q: 2 ** bin(q).count("1") for q in chosen[3:]}
        parity |= {[q for q in chosen[3:] if weight[q] == min(weight.values())][-1]}
    u, y = [0] * n, [0] * 5
    for i in range(n):
        y = [*y[1:], y[0]]
        if i in parity:
            u[i] = y[0]
        elif i in set(chosen):
            u[i] = bits.pop(0)
            y[0] ^= u[i]
    d = kronecker_transform(np.array(u, np.uint8))
    y = [d[i] for i in order]
    if e >= n:
        sent = [y[i % n] for i in range(e)]
    else:
        sent = y[n - e :] if total / e <= 7 / 16 else y[:e]
    side = next(t for t in range(1, e + 1) if t * (t + 1) // 2 >= e)
    triangle, place = [[None] * side for _ in range(side)], iter(sent)
    for row in range(side):
        for column in range(side - row):
            triangle[row][column] = next(place, None)
    read = [triangle[row][column] for column in range(side) for row in range(side - column)]
    return [bit for bit in read if bit is not None]


@pytest.mark.parametrize(
    ("k", "e"), [(12, 32), (12, 50), (15, 64), (19, 28), (19, 40), (16, 300), (13, 250), (12, 160)]
)
def test_uplink_words_of_few_bits_have_parity_checks(k, e, rng):
    code = fecnn.nr_polar(k, e, link="uplink")
    for message in rng.integers(0, 2, (20, k), dtype=np.uint8):
        assert code.encode(message).tolist() == uplink_word(message, e)


def test_base_graphs_have_the_degrees_of_the_standard():
    for number, message, degrees in ((1, 22, (19, 19, 19, 19)), (2, 10, (8, 10, 8, 10))):
        graph = base_graph(number)
        assert tuple(np.bincount(graph[:, 0])[:4]) == degrees
        assert (np.bincount(graph[:, 1])[message + 4 :] == 1).all()
        pairs = {(row, column) for row, column in graph[:, :2].tolist()}
        assert len(pairs) == len(graph)
        assert (graph[:, 2:] >= 0).all()
        # No two rows meet twice at the same shifts: there are no cycles of length 4.
        for size in (112, 208, 256, 288, 320, 352, 384):
            at = {(row, column): shift % size for row, column, shift in graph[:, [0, 1, 2 + LIFTINGS[size]]]}
            for row in range(graph[-1, 0]):
                for other in range(row + 1, graph[-1, 0] + 1):
                    shared = [c for c in range(message + 4) if (row, c) in at and (other, c) in at]
                    steps = [(at[row, c] - at[other, c]) % size for c in shared]
                    assert len(steps) == len(set(steps))
    assert len(LIFTINGS) == 51
    assert sorted(CRC_ORDER) == list(range(164))
    assert sorted(SUB_BLOCKS) == list(range(32))


def test_what_is_sent_and_what_is_not():
    code = fecnn.nr_ldpc(64, 128)
    assert set(code.mother.zero) == set(range(64, 110))
    assert not set(range(22)) & set(code.mother.sent)  # the first 2 Z bits
    repeated = fecnn.nr_ldpc(12, 200)
    assert len(set(repeated.mother.sent)) < 200
    assert fecnn.nr_polar(20, 600).mother.how.endswith("repeated")
    assert "punctured" in fecnn.nr_polar(20, 120).mother.how


REFUSED = {
    "no such link": (lambda: fecnn.nr_polar(64, 128, link="sidelink"), "link must be downlink or uplink"),
    "long downlink": (
        lambda: fecnn.nr_polar(141, 500),
        r"k must be in 12\.\.140 in the downlink, got 141; .*1012",
    ),
    "few bits": (lambda: fecnn.nr_polar(11, 100), r"k must be in 12\.\.140 in the downlink, got 11$"),
    "no room": (lambda: fecnn.nr_polar(64, 80), r"e must be in 88\.\.8192 for .* 24 of a CRC, got 80"),
    "two blocks": (lambda: fecnn.nr_polar(400, 1200, link="uplink"), "are two code blocks in the uplink"),
    "symbol": (lambda: fecnn.nr_ldpc(64, 127, bits_per_symbol=2), "the nearest are 126 and 128"),
    "odd symbol": (lambda: fecnn.nr_ldpc(64, 128, bits_per_symbol=3), "must be 1, 2, 4, 6 or 8, got 3"),
    "graph": (lambda: fecnn.nr_ldpc(64, 128, base_graph=3), "base_graph must be 1 or 2, got 3"),
    "long block": (lambda: fecnn.nr_ldpc(4000, 8000, base_graph=2), r"must be in 1\.\.3840, got 4000"),
    "long graph": (
        lambda: fecnn.nr_ldpc(8448, 16384),
        "more than the 16384 of a code; the nearest are k = 5280 with this n, or n = 15360 with this k",
    ),
    "shorter by the other graph": (lambda: fecnn.nr_ldpc(3000, 16000), "are k = 2880 or 4001 with this n"),
    "n below k": (lambda: fecnn.nr_ldpc(64, 60), "n = 60 bits .*; the smallest n is 65"),
    "no n": (lambda: fecnn.nr_ldpc(64, 1), "n = 1 bits .*; the smallest n is 65"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_standard_does_not_have_is_refused(case):
    make, words = REFUSED[case]
    with pytest.raises(ValueError, match=words):
        make()


def test_the_nearest_sizes_of_a_long_graph_are_legal_and_nearest():
    for (k, n), beyond in (((5280, 16384), (5281, 16384)), ((8448, 15360), (8448, 15361))):
        assert _fits(k, n, None)
        assert not _fits(*beyond, None)
    for k, n in ((64, 128), (500, 1500), (1000, 1200), (292, 400)):
        graph = _graph_of(k, n)
        assert fecnn.nr_ldpc(k, n).mother.code.n == _length(k, n, graph)
        places = _circular(k, n, graph, _lifting(k, graph))
        assert max(places) < _length(k, n, graph)


def test_too_few_bits_are_refused_with_the_least():
    with pytest.raises(ValueError, match=r"the smallest n is (\d+)") as refused:
        fecnn.nr_ldpc(64, 64)
    least = int(str(refused.value).rpartition(" ")[2])
    assert fecnn.nr_ldpc(64, least).n == least
    with pytest.raises(ValueError, match=f"the smallest n is {least}"):
        fecnn.nr_ldpc(64, least - 1)


# Errors and frames printed in Sionna's tutorial on short 5G codes, 5G_Channel_Coding_Polar_vs_LDPC_Codes.
PUBLISHED = {
    ("ldpc", 2.0): (1547, 10_000),
    ("ldpc", 3.0): (1127, 50_000),
    ("polar", 2.0): (1026, 10_000),
    ("polar", 3.0): (1015, 130_000),
}


@pytest.mark.parametrize(("family", "ebn0_db"), PUBLISHED)
def test_published_points(family, ebn0_db, rng):
    """Belief propagation of 20 iterations, and lists of 8 (their CRC11 is the uplink's)."""
    if family == "ldpc":
        code, decode = fecnn.nr_ldpc(64, 128), "bp"
        options = {"iterations": 20}
    else:
        code, decode = fecnn.nr_polar(64, 128, link="uplink"), "scl"
        options = {"list": 8}
    frames = 20_000
    words = code.encode(rng.integers(0, 2, (frames, 64), dtype=np.uint8))
    llr = fecnn.AWGN.at(ebn0_db, 0.5).transmit(words, rng)
    errors = int((fecnn.decoder(decode, code, **options)(llr) != words).any(axis=1).sum())
    low, high = proportion_interval(errors, frames)
    theirs_low, theirs_high = proportion_interval(*PUBLISHED[family, ebn0_db])
    assert low <= theirs_high
    assert theirs_low <= high


@pytest.mark.parametrize("k", range(12, 20))
def test_lists_take_all_uplink_codes_with_parity_bits(k):
    """The mother code of (19, 28) to (19, 32) has 13 checks, of which 7 are not frozen bits."""
    for e in (k + 9, k + 10, k + 11, k + 13, 40, 64, 100, 300):
        assert fecnn.decoder("scl", fecnn.nr_polar(k, e, link="uplink")) is not None


def test_a_shortened_code_is_decoded_in_the_order_it_was_made_for(rng):
    """Its information bits are good only with the shortened bits known: 0.99 of the blocks are lost else."""
    code = fecnn.nr_polar(140, 300)
    words = code.encode(rng.integers(0, 2, (1000, 140), dtype=np.uint8))
    llr = fecnn.AWGN.at(2.0, code.rate).transmit(words, rng)
    assert (fecnn.decoder("scl", code, list=8)(llr) != words).any(axis=1).mean() < 0.2


@pytest.mark.parametrize(
    ("k", "e", "link"),
    [(88, 128, "downlink"), (64, 108, "downlink"), (116, 128, "uplink"), (14, 60, "uplink")],
)
def test_lists_decode_5g_polar_codes(k, e, link, rng):
    code = fecnn.nr_polar(k, e, link=link)
    words = code.encode(rng.integers(0, 2, (300, k), dtype=np.uint8))
    llr = fecnn.AWGN.at(7.0, code.rate).transmit(words, rng)
    bits, effort = fecnn.decoder("scl", code, list=8).measure(llr)
    assert (bits != words).any(axis=1).sum() <= 15
    assert (effort.uncertified == code.syndrome(bits).any(axis=1)).all()
