"""fecnn-net and the literature's dense networks: sizes, equations in loops, symmetry."""

import itertools

import numpy as np
import oracles
import pytest
import torch
from shaken import shaken

import fecnn
from fecnn.codes.automorphism import (
    automorphisms,
    is_automorphism,
    random_automorphisms,
    regular_group,
    shift_length,
)
from fecnn.decoders.finish import LISTED, surely_most_likely
from fecnn.decoders.trained import KNOWN, decider
from fecnn.nets.checkpoint import load
from fecnn.nets.dense import LiteratureMLNN, LiteratureSLNN
from fecnn.nets.fecnn_net import FecnnNet


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def frames(n, rng, size=5):
    y = (1 + 0.7 * rng.standard_normal((size, n))).astype(np.float32)
    return np.abs(y), (y < 0).astype(np.float32)


def shifts(length):
    return [lambda j, s=s: j - j % length + (j + s) % length for s in range(length)]


def flips(n):
    return [lambda j, s=s: j ^ s for s in range(n)]


def plane(p):
    return [lambda j, a=a, b=b: (j // p + a) % p * p + (j + b) % p for a in range(p) for b in range(p)]


def doubled(n):
    return [lambda j: 2 * j % n]


def additions(*pairs):
    """Digit a of the position is added to digit b."""
    return [lambda j, a=a, b=b: j ^ (j >> a & 1) << b for a, b in pairs]


@pytest.mark.parametrize(
    ("name", "length", "group", "maps", "options"),
    [
        ("hamming-7-4", 1, shifts(1), [], {}),  # systematic, so not cyclic
        ("bch-15-7", 15, shifts(15), doubled(15), {"orbits": 1}),
        ("bch-15-11", 15, shifts(15), doubled(15), {}),
        ("bch-63-51", 63, shifts(63), doubled(63), {}),  # one orbit has 21 checks
        ("polar-16-8", 16, flips(16), additions((0, 1), (1, 2), (2, 1), (1, 0), (2, 3)), {}),
        ("rm-32-16", 32, flips(32), additions(*itertools.permutations(range(5), 2)), {"orbits": 6}),
        ("ldpc-49-24", 49, plane(7), [lambda j: 2 * (j // 7) % 7 * 7 + 2 * j % 7], {}),
        ("ccsds-128-64", 16, shifts(16), [], {}),
        ("ext-hamming-8-4", 1, shifts(1), [], {}),  # its parity bit is put last
    ],
)
def test_fecnn_net_is_its_equations(rng, name, length, group, maps, options):
    code = fecnn.load_code(name)
    assert len(regular_group(code)) == length
    network = shaken(FecnnNet(code, iterations=2, width=4, **options))
    magnitude, hard = frames(code.n, rng, 3)
    with torch.no_grad():
        logits = network(torch.from_numpy(magnitude), torch.from_numpy(hard)).numpy()
    weights = {key: value.numpy() for key, value in network.state_dict().items()}
    expected = oracles.fecnn_net(code, weights, length, group, maps, 2, network.scale, magnitude, hard)
    np.testing.assert_allclose(logits, expected, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("name", ["bch-31-16", "rm-32-16", "ldpc-49-24"])
def test_fecnn_net_decides_alike_after_every_automorphism(name, rng):
    code = fecnn.load_code(name)
    network = FecnnNet(code, iterations=2, width=8)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.01 * torch.randn(parameter.shape, generator=torch.manual_seed(1))
    magnitude, hard = (torch.from_numpy(a) for a in frames(code.n, rng))
    assert len(automorphisms(code)) > 1
    with torch.no_grad():
        for move in automorphisms(code):
            moved = network(magnitude[:, move], hard[:, move])
            torch.testing.assert_close(moved, network(magnitude, hard)[:, move], rtol=1e-4, atol=1e-4)


def test_fecnn_net_of_some_orbits_is_cyclic_still(rng):
    code = fecnn.load_code("bch-31-16")
    network = shaken(FecnnNet(code, iterations=2, width=8, orbits=3))
    magnitude, hard = (torch.from_numpy(a) for a in frames(31, rng))
    with torch.no_grad():
        shifted = network(magnitude.roll(5, dims=1), hard.roll(5, dims=1))
        torch.testing.assert_close(shifted, network(magnitude, hard).roll(5, dims=1), rtol=1e-4, atol=1e-4)


def test_fecnn_net_stops_at_the_first_codeword(rng):
    code = fecnn.load_code("bch-15-7")
    network = FecnnNet(code, iterations=2, limit=4, width=4)
    magnitude, hard = (torch.from_numpy(a) for a in frames(15, rng, 300))
    network.iterations = 4
    with torch.no_grad():
        words = np.array([(hard.bool() ^ (stage > 0)).numpy() for stage in network.stages(magnitude, hard)])
        decided = (hard.bool() ^ network.decide(magnitude, hard)).numpy()
    solved = ~code.syndrome(words.astype(np.uint8)).any(axis=2)
    stage = np.where(solved.any(axis=0), solved.argmax(axis=0), 3)
    assert len(np.unique(stage)) > 2
    assert (decided == words[stage, np.arange(300)]).all()


def test_fecnn_net_has_few_parameters():
    assert count(FecnnNet(fecnn.load_code("bch-31-16"), width=48)) == 10_777
    assert count(FecnnNet(fecnn.load_code("bch-63-45"))) == 4_617


def test_fecnn_net_is_symmetric(rng):
    """The same noise on any codeword: the same logits, bit for bit."""
    code = fecnn.load_code("bch-15-7")
    network = shaken(FecnnNet(code, iterations=3, width=8))
    noise = (0.7 * rng.standard_normal((20, 15))).astype(np.float32)
    words = code.encode(rng.integers(0, 2, (20, 7), dtype=np.uint8))
    answers = []
    for sent in (np.zeros_like(words), words):
        signs = fecnn.bpsk(sent)
        y = signs * (1 + noise)
        with torch.no_grad():
            answers.append(network(torch.from_numpy(np.abs(y)), torch.from_numpy((y < 0).astype(np.float32))))
    assert torch.equal(*answers)


def test_fecnn_net_starts_as_belief_propagation():
    """Untrained, it already corrects every single error."""
    code = fecnn.load_code("bch-31-16")
    network = FecnnNet(code)
    hard = torch.eye(31)
    magnitude = torch.full((31, 31), 1.0)
    with torch.no_grad():
        assert torch.equal(network(magnitude, hard) > 0, hard.bool())


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"iterations": 0}, "iterations"),
        ({"width": -1}, "width"),
        ({"orbits": 0}, "orbits"),
        ({"width": 2.5}, "width"),
        ({"supports": np.int16([[0, 1, 2]])}, "parity checks"),
        ({"supports": np.int16([[0, 99]])}, "positions"),
    ],
)
def test_fecnn_net_refuses(options, named):
    with pytest.raises(ValueError, match=named):
        FecnnNet(fecnn.load_code("bch-15-7"), **options)


def test_gradients_reach_every_parameter(rng):
    network = shaken(FecnnNet(fecnn.load_code("polar-16-8"), iterations=3, width=4))
    magnitude, hard = (torch.from_numpy(a) for a in frames(16, rng, 50))
    torch.stack([stage.square().mean() for stage in network.stages(magnitude, hard)]).sum().backward()
    padding = network.input_weight.grad == 0  # blocks with fewer checks have weights without an edge
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.any(), name
    assert padding.float().mean() < 0.7


def test_dense_sizes_are_the_published_ones():
    hamming, bch = fecnn.load_code("hamming-7-4"), fecnn.load_code("bch-31-21")
    assert count(LiteratureSLNN(hamming, hidden=[7])) == 184
    assert [count(LiteratureMLNN(hamming, hidden=h)) for h in ([100], [50, 50], [100, 100])] == [
        1204,
        3154,
        11304,
    ]
    assert [count(LiteratureMLNN(bch, hidden=h)) for h in ([1000, 500], [2000, 1000])] == [543_021, 2_086_021]


def test_dense_networks_decide_by_their_largest_logits(rng):
    code = fecnn.load_code("hamming-7-4")
    y = torch.from_numpy(rng.standard_normal((20, 7)).astype(np.float32))
    slnn, mlnn = LiteratureSLNN(code, hidden=[5]), LiteratureMLNN(code, hidden=[5])
    with torch.no_grad():
        assert (slnn.decide(y).numpy() == code.messages()[slnn(y).argmax(1)]).all()
        assert (mlnn.decide(y).numpy() == (torch.sigmoid(mlnn(y)) > 0.5).numpy()).all()
    with pytest.raises(ValueError, match="hidden"):
        LiteratureSLNN(code, hidden=[])


@pytest.mark.parametrize(("name", "length"), [("bch-63-45", 63), ("ccsds-128-64", 16), ("golay-24-12", 1)])
def test_shifts_are_found(name, length):
    assert shift_length(fecnn.load_code(name)) == length


@pytest.mark.parametrize("name", ["bch-31-21", "rm-32-16", "polar-64-32", "ldpc-49-24", "ccsds-128-64"])
def test_automorphisms_map_the_code_onto_itself(name, rng):
    code = fecnn.load_code(name)
    assert all(is_automorphism(code, one) for one in automorphisms(code))
    words = code.encode(rng.integers(0, 2, (50, code.k), dtype=np.uint8))
    places = random_automorphisms(code, 50, rng)
    assert not code.syndrome(np.take_along_axis(words, places, axis=1)).any()
    assert len(np.unique(places, axis=0)) > 13  # CCSDS has 16


def test_a_code_without_known_automorphisms_is_left_as_it_is(rng):
    assert (random_automorphisms(fecnn.golay(), 3, rng) == np.arange(24)).all()


@pytest.mark.parametrize(
    ("name", "length"),
    [("bch-31-16", 31), ("rm-32-16", 32), ("ldpc-121-60", 121), ("ccsds-128-64", 16), ("golay-24-12", 1)],
)
def test_a_regular_group_moves_the_bits_of_each_block_freely(name, length):
    code = fecnn.load_code(name)
    moves = regular_group(code)
    assert moves.shape == (length, code.n)
    assert all(is_automorphism(code, move) for move in moves)
    assert all((move[other] == moves).all(axis=1).any() for move in moves[:5] for other in moves)
    for first in range(0, code.n, length):
        assert (moves[:, first] == np.arange(first, first + length)).all()
        assert (np.sort(moves[:, first + length - 1]) == np.arange(first, first + length)).all()


# Frames that are decoded again


@pytest.mark.parametrize("kind", ["fecnn-net", "crossmpt"])
def test_tries_are_those_of_a_loop_over_frames(kind, rng):
    code = fecnn.load_code("bch-31-16")
    channel = fecnn.AWGN.at(0.0, code.rate)
    llr = channel.transmit(code.encode(rng.integers(0, 2, (250, 16), dtype=np.uint8)), rng)
    y = llr * np.float32(channel.sigma**2 / 2)
    network = load(f"{kind}-bch-31-16", code)[0]
    plain = decider(network, code, torch.device("cpu"))
    expected = oracles.decide_again(plain, code, y, 5, KNOWN)
    words, effort = fecnn.decoder(kind, code, channel, tries=5).measure(llr)
    assert (words == expected).all()
    assert (words != plain(y)).any(axis=1).sum() > 5
    assert not effort.work[~code.syndrome(fecnn.hard(llr)).any(axis=1)].any()
    if kind == "crossmpt":  # a run for the frame, and one for each try
        assert set(effort.work.tolist()) >= {1, 6}
        assert effort.work.max() == 6


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("kind", ["fecnn-net", "ecct"])
def test_a_finished_frame_has_the_best_word_of_a_textbook_list(kind, order, rng):
    code = fecnn.load_code("bch-31-16")
    channel = fecnn.AWGN.at(1.0, code.rate)
    llr = channel.transmit(code.encode(rng.integers(0, 2, (50, 16), dtype=np.uint8)), rng)
    y = llr * np.float32(channel.sigma**2 / 2)
    network = load(f"{kind}-bch-31-16", code)[0]
    alone = decider(network, code, torch.device("cpu"))(y)
    hard = fecnn.hard(y)
    with torch.inference_mode():
        logits = network.believe(torch.from_numpy(np.abs(y)), torch.from_numpy(hard.astype(np.float32)))[2]
    believed = np.where(hard, 1, -1) * logits.numpy()
    expected = oracles.finished(code, y, alone, believed, order, LISTED if order else 1)
    proved = surely_most_likely(code, y, alone)
    expected[proved] = alone[proved]
    words = fecnn.decoder(kind, code, channel, finish="osd", order=order)(llr)
    assert (words == expected).all(axis=1).sum() >= 49  # logits of another batch differ in their last digits
    assert (words != alone).any(axis=1).sum() > 1
    assert not code.syndrome(words).any()


def test_finishing_brings_a_network_close_to_maximum_likelihood(rng):
    code = fecnn.load_code("bch-63-45")
    channel = fecnn.AWGN.at(3.0, code.rate)
    sent = code.encode(rng.integers(0, 2, (4000, 45), dtype=np.uint8))
    llr = channel.transmit(sent, rng)
    options = ({}, {"finish": "osd"}, {"finish": "osd", "order": 1})
    decoders = [fecnn.decoder("fecnn-net", code, channel, **one) for one in options]
    osd = fecnn.decoder("osd", code, order=1)
    alone, first, second, plain, ml = (
        (decide(llr) != sent).any(axis=1).sum() for decide in (*decoders, osd, fecnn.decoder("ml", code))
    )
    assert alone > first > second
    assert second < plain
    assert second <= 1.1 * ml


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"finish": "ods"}, "finish must be 'osd' or left out, got 'ods'"),
        ({"order": 1}, "order is that of finish = 'osd'; give both"),
        ({"finish": "osd", "order": 99}, "order must be in 0..16"),
    ],
)
def test_impossible_finishes_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        fecnn.decoder("fecnn-net", fecnn.load_code("bch-31-16"), **options)


def test_networks_of_messages_have_no_finish():
    code = fecnn.load_code("hamming-7-4")
    with pytest.raises(ValueError, match="finish is for networks that find errors; literature-slnn does not"):
        fecnn.decoder("literature-slnn", code, weights="slnn-7-hamming-7-4", finish="osd")


def test_what_is_surely_most_likely_is(rng):
    code = fecnn.load_code("bch-31-16")
    y = (1 + fecnn.AWGN.at(2.0, code.rate).sigma * rng.standard_normal((3000, 31))).astype(np.float32)
    exact = fecnn.decoder("ml", code)(y)
    for words in (exact, fecnn.decoder("osd", code, order=0)(y), fecnn.hard(y)):
        safe = surely_most_likely(code, y, words)
        assert 100 < safe.sum() < 2900
        assert (words[safe] == exact[safe]).all()


def test_where_the_distance_is_not_known_codewords_are_safe(rng):
    code = fecnn.Code.from_parity_check(fecnn.load_code("bch-15-7").H)
    assert code.minimum_distance is None
    y = rng.standard_normal((50, 15)).astype(np.float32)
    words = fecnn.decoder("ml", code)(y)
    words[::2, 0] ^= 1
    assert surely_most_likely(code, y, words).tolist() == [False, True] * 25


def test_tries_bring_a_network_close_to_maximum_likelihood(rng):
    code = fecnn.load_code("bch-63-45")
    channel = fecnn.AWGN.at(2.5, code.rate)
    sent = code.encode(rng.integers(0, 2, (1000, 45), dtype=np.uint8))
    llr = channel.transmit(sent, rng)
    wrong = [
        (fecnn.decoder("fecnn-net", code, channel, tries=tries)(llr) != sent).any(axis=1).sum()
        for tries in (0, 16)
    ]
    least = (fecnn.decoder("ml", code)(llr) != sent).any(axis=1).sum()
    assert least <= wrong[1] < 1.15 * least < 1.3 * least < wrong[0]


@pytest.mark.parametrize("tries", [-1, 32])
def test_impossible_tries_are_refused(tries):
    code = fecnn.load_code("bch-31-16")
    with pytest.raises(ValueError, match=f"tries must be in 0..31 for .*, got {tries}"):
        fecnn.decoder("fecnn-net", code, fecnn.AWGN.at(3.0, code.rate), tries=tries)


# Devices


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("kind", ["slnn", "mlnn", "ecct", "crossmpt", "fecnn-net"])
def test_a_gpu_decides_as_the_cpu_does(kind, rng):
    """Up to ties: sums in another order may differ in their last digit."""
    code = fecnn.load_code("bch-31-16")
    channel = fecnn.AWGN.at(2.0, code.rate)
    llr = channel.transmit(code.encode(rng.integers(0, 2, (2000, 16), dtype=np.uint8)), rng)
    words = [fecnn.decoder(kind, code, channel, device=device)(llr) for device in ("cpu", "cuda")]
    assert (words[0] != words[1]).any(axis=1).sum() <= 2


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
@pytest.mark.parametrize("kind", ["slnn", "mlnn", "ecct", "crossmpt", "fecnn-net"])
def test_a_gpu_that_is_not_there_is_refused(kind):
    code = fecnn.load_code("bch-31-16")
    with pytest.raises(ValueError, match="cuda"):
        fecnn.decoder(kind, code, fecnn.AWGN.at(2.0, code.rate), device="cuda")
