"""Costs against counts made one by one, torch's own counter, and printed numbers."""

import math
from collections import Counter

import counting
import numpy as np
import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

import fecnn
from fecnn.decoders.berlekamp_massey import algebra_of
from fecnn.decoders.complexity import complexity
from fecnn.decoders.cost import KINDS, Cost, basis_cost
from fecnn.decoders.map import chosen
from fecnn.decoders.trained import message_passing_cost, transformer_cost
from fecnn.decoders.trellis import bit_order, build_trellis
from fecnn.nets.card import Model
from fecnn.nets.checkpoint import build


@pytest.mark.parametrize("name", ["hamming-7-4", "polar-16-8", "bch-15-7"])
def test_training_free_networks_by_their_codebook(name):
    code = fecnn.load_code(name)
    words, messages = code.codebook(), np.array(list(np.ndindex(*(2,) * code.k)))
    found = complexity("slnn", code)
    # A word of weight w is the sum of w inputs: w - 1 additions.
    assert found.additions == sum(int(word.sum()) - 1 for word in words[1:])
    assert found.comparisons == len(words) - 1
    assert found.multiplications == 0
    assert (found.parameters, found.parameter_bits) == (words.size, words.size)
    more = complexity("mlnn", code)
    of_bits = sum(int(column.sum()) - 1 for column in messages.T)
    assert more.additions == found.additions + (len(words) - 1) + of_bits + code.k
    assert more.exponentials == len(words)
    assert more.parameters == words.size + messages.size
    as_numbers = complexity("slnn", code, binary=False)
    assert as_numbers.multiplications == words.size
    assert as_numbers.additions == len(words) * (code.n - 1)
    assert as_numbers.parameter_bits == 32 * words.size


@pytest.mark.parametrize(
    ("decoder", "weights", "parameters", "products"),
    [
        ("literature-slnn", "slnn-7-hamming-7-4", 184, 161),
        ("literature-mlnn", "mlnn-100-hamming-7-4", 1204, 1100),
        ("literature-mlnn", "mlnn-100-100-hamming-7-4", 11_304, 11_100),
    ],
)
def test_literature_networks(decoder, weights, parameters, products):
    """Parameters are printed in the first author's thesis."""
    found = complexity(decoder, fecnn.load_code("hamming-7-4"), weights=weights)
    assert found.parameters == parameters
    assert found.multiplications == found.additions == products


def test_literature_networks_by_their_widths_alone():
    """Sizes that the first author trained for BCH (31,21), with their parameters; and one never built."""
    code = fecnn.load_code("bch-31-21")
    assert complexity("literature-mlnn", code, hidden=[1000, 500]).parameters == 543_021
    assert complexity("literature-mlnn", code, hidden=[2000, 1000]).parameters == 2_086_021
    slnn = complexity("literature-slnn", code, hidden=[31])
    assert slnn.multiplications == 65_012_673
    assert slnn.comparisons == 31 + 2**21 - 1


@pytest.mark.parametrize("kind", ["ecct", "crossmpt"])
@pytest.mark.parametrize(("layers", "width", "shared"), [(1, 16, False), (2, 32, False), (3, 16, True)])
@pytest.mark.parametrize("name", ["bch-31-16", "ldpc-49-24"])
def test_products_of_transformers_are_those_that_torch_counts(kind, layers, width, shared, name):
    """In float64 torch computes all pairs; it counts two operations for each product."""
    code = fecnn.load_code(name)
    network = (
        build(Model(kind=kind, options={"layers": layers, "width": width, "shared": shared}), code)
        .double()
        .eval()
    )
    y = torch.randn(3, code.n, dtype=torch.float64)
    with FlopCounterMode(display=False) as counter, torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        network.stages(y.abs(), (y < 0).double())
    m, n = network.checks.shape
    # The syndrome is a product for torch, and counted as bits here; the embedding is none.
    syndrome = m * n
    ours = transformer_cost(code, network, dense=True)
    other = 12 * (n + m) * width * layers + (n + m) * width
    norms = (2 * layers + 1 + (layers > 1)) * (2 * (n + m) * width + (n + m))
    pairs = (n + m) ** 2 if kind == "ecct" else 2 * n * m
    products = ours.multiplications - other - norms - layers * 2 * pairs * 8
    assert counter.get_total_flops() == 2 * 3 * (products + syndrome)
    sparse = transformer_cost(code, network)
    attending = int(network.edges.pairs.sum()) if kind == "ecct" else 2 * int(network.checks.sum())
    assert ours.exponentials - sparse.exponentials == layers * 8 * (pairs - attending)


@pytest.mark.parametrize("name", ["hamming-7-4", "bch-31-16"])
def test_fecnn_net_counts_its_edges(name):
    code = fecnn.load_code(name)
    network = build(Model(kind="fecnn-net", options={"width": 8, "iterations": 3}), code)
    once, twice = (message_passing_cost(code, network, work) for work in (1, 2))
    edges = int(network.incidence.sum())
    per_iteration = twice.exponentials - once.exponentials
    assert per_iteration == 2 * code.n + int(network.real.sum()) + edges + 2 * code.n * 8


def test_tries_cost_what_was_measured_or_at_most_all_of_them():
    code = fecnn.load_code("bch-31-16")
    for decoder in ("fecnn-net", "ecct", "crossmpt"):
        once, most = (complexity(decoder, code, tries=tries) for tries in (0, 4))
        assert most.operations == pytest.approx(5 * once.operations, rel=1e-3)
        assert most.parameters == once.parameters
    assert complexity("ecct", code, tries=4, work=2.5).operations == pytest.approx(
        2.5 * once_of("ecct", code)
    )


def once_of(decoder, code):
    return complexity(decoder, code).operations


def test_viterbi_counts_its_branches():
    code = fecnn.load_code("bch-15-7")
    trellis = build_trellis(code, bit_order(code))
    sizes = np.diff(trellis.first)
    branches = merges = 0
    for depth in range(1, code.n + 1):
        for state in range(trellis.first[depth], trellis.first[depth + 1]):
            into = sum(int(previous) < sizes[depth - 1] for previous in trellis.previous[state])
            branches, merges = branches + into, merges + into - 1
    found = complexity("ml", code, method="trellis")
    assert (found.additions, found.comparisons) == (branches, merges)


def test_successive_cancellation_counts_its_updates():
    def visit(length):
        return (0, 0) if length == 1 else tuple(2 * x + length // 2 for x in visit(length // 2))

    for name in ("polar-16-8", "polar-128-64"):
        code = fecnn.load_code(name)
        box, add = visit(code.n)
        found = complexity("sc", code)
        assert (found.additions, found.comparisons) == (add, 3 * box)
        lists = complexity("scl", code, list=4)
        assert lists.additions == 4 * add + code.k * 8


def test_osd_grows_with_its_list():
    code = fecnn.load_code("bch-31-16")
    whole = complexity("osd", code, order=2)
    few = complexity("osd", code, order=2, work=3.5)
    patterns = 16 + math.comb(16, 2)
    assert whole.comparisons - few.comparisons == pytest.approx(patterns - 3.5)
    assert whole.additions == pytest.approx(patterns * (7.5 + 2))


def test_belief_propagation_counts_its_edges():
    code = fecnn.load_code("ldpc-49-24")
    edges = int(code.H.sum())
    once = complexity("bp", code, work=1)
    assert (once.exponentials, once.multiplications, once.additions) == (2 * edges, 2 * edges, 2 * edges)
    assert complexity("bp", code).exponentials == 50 * 2 * edges
    assert complexity("bp", code, rule="min-sum", iterations=5).exponentials == 0
    more = complexity("bp", fecnn.load_code("bch-31-16"), checks="overcomplete", work=1)
    assert more.additions == 2 * 465 * 8


def test_variants_cost_more_a_pattern_than_what_they_vary():
    code = fecnn.load_code("bch-31-21")
    for variant, plain, extra in (
        ("near-ml", complexity("ml", code, work=7), 2),
        ("fs-osd", complexity("osd", code, order=3, work=7), 3),
        ("pb-osd", complexity("osd", code, order=3, work=7), 3),
        ("orbgrand", complexity("grand", code, work=7), 1),
    ):
        found = complexity(variant, code, work=7)
        sort = 31 * math.log2(31) if variant == "orbgrand" else 0
        assert found.operations == pytest.approx(plain.operations + 7 * extra + sort)
        with pytest.raises(ValueError, match=r"measured work"):
            complexity(variant, code)


def test_a_line_and_a_heap_have_their_price():
    code = fecnn.load_code("bch-31-21")
    basic = complexity("orbgrand", code, work=8)
    assert complexity("orbgrand", code, work=8, lines=1).operations == basic.operations + 5
    # 2 additions, 4 log2(8) comparisons and 10 exclusive ors a query, instead of an addition.
    assert complexity("sgrand", code, work=8).operations == pytest.approx(
        basic.operations + 8 * (1 + 12 + 10)
    )
    with pytest.raises(ValueError, match=r"measured work"):
        complexity("sgrand", code)


@pytest.mark.parametrize("name", ["grand", "orbgrand", "sgrand"])
def test_predicting_errors_costs_three_operations_a_query(name):
    code = fecnn.load_code("bch-31-21")
    plain, told = complexity(name, code, work=8), complexity(name, code, work=8, risk=0.1)
    assert told.exponentials == 31
    assert told.operations == pytest.approx(plain.operations + 31 * 11 + 8 * 3)


def test_a_guess_of_the_codeword_has_its_price():
    code = fecnn.load_code("bch-31-21")
    once, more = (complexity("gcd", code, work=work) for work in (1, 8))
    # Two sums of 10 checks, 5 + 2 additions, two comparisons; on and off the heap is free for one alone.
    assert once.operations == pytest.approx(basis_cost(code).operations + 20 + 7 + 2)
    assert more.operations == pytest.approx(basis_cost(code).operations + 8 * (20 + 7 + 2 + 4 * 3))
    assert more.memory_bits == 2 * 8 * (5 * 32 + 10)
    fixed = complexity("gcd", code, work=8, reliable=False)
    assert fixed.additions == more.additions
    assert more.binary - fixed.binary == 10 * 9 / 2 * 31 - code.H.sum()
    with pytest.raises(ValueError, match=r"measured work"):
        complexity("gcd", code)


def test_chase_decodes_hard_decisions_of_every_pattern():
    code = fecnn.load_code("bch-31-21")
    found = complexity("chase2", code)  # d = 5: two positions, four patterns
    once = complexity("hard", code)
    assert found.binary == 4 * once.binary
    assert found.comparisons == 4 * (once.comparisons + 1) + 2 * 31
    assert found.parameters == once.parameters
    assert complexity("chase2", code, positions=3).binary == 8 * once.binary


def received(code, ebn0_db, frames):
    channel = fecnn.AWGN.at(ebn0_db, code.rate)
    rng = np.random.default_rng(1)
    messages = rng.integers(0, 2, (frames, code.k), dtype=np.uint8)
    return channel.transmit(code.encode(messages), rng)


def kinds(cost):
    return {kind: getattr(cost, kind) for kind in KINDS if getattr(cost, kind)}


@pytest.mark.parametrize("name", ["hamming-7-4", "polar-16-8"])
@pytest.mark.parametrize("bits", ["message", "code"])
def test_map_by_the_codebook_counts_what_it_does(name, bits):
    code = fecnn.load_code(name)
    targets = code.messages() if bits == "message" else code.codebook()
    for llr in received(code, 3.0, 2):
        decided, done = counting.codebook_map(code, llr, targets)
        real = fecnn.decoder("map", code, output=bits, bits=bits, method="codebook")(llr[None])
        assert (real[0] == decided).all()
        assert kinds(complexity("map", code, bits=bits, method="codebook")) == done


@pytest.mark.parametrize("name", ["hamming-7-4", "bch-15-7", "bch-31-16", "ldpc-49-24"])
def test_map_by_the_trellis_counts_what_it_does(name):
    code = fecnn.load_code(name)
    for llr in received(code, 3.0, 2):
        decided, done = counting.trellis_map(code, llr)
        real = fecnn.decoder("map", code, bits="code", method="trellis")(llr[None])
        assert (real[0] == decided).all()
        assert kinds(complexity("map", code, bits="code", method="trellis")) == done


@pytest.mark.parametrize("name", ["hamming-7-4", "hamming-15-11", "bch-15-7", "bch-31-21"])
def test_map_by_the_dual_code_counts_what_it_does(name):
    code = fecnn.load_code(name)
    for llr in received(code, 3.0, 2):
        decided, done = counting.dual_map(code, llr, range(code.n))
        real = fecnn.decoder("map", code, bits="code", method="dual")(llr[None])
        assert (real[0] == decided).all()
        assert kinds(complexity("map", code, bits="code", method="dual")) == done
    # A sign test less for every bit that is not wanted.
    fewer = complexity("map", code, bits="code", method="dual") + Cost(comparisons=code.k - code.n)
    assert complexity("map", code, method="dual") == fewer


def test_map_counts_the_method_that_is_taken():
    code = fecnn.load_code("bch-31-21")
    assert complexity("map", code) == complexity("map", code, method=chosen(code, "message", "auto"))
    with pytest.raises(ValueError, match="out of reach"):
        complexity("map", fecnn.load_code("bch-127-64"))


def test_map_carries_message_bits_and_leaves_constant_bits_out():
    mixed = fecnn.Code.from_generator(np.array([[1, 1, 0, 1, 0], [1, 0, 1, 1, 0]]), name="mixed")
    assert not mixed.G[:, -1].any()
    rest = fecnn.Code.from_generator(mixed.G[:, :-1], name="rest")
    shorter, longer = (complexity("map", c, bits="code", method="trellis") for c in (rest, mixed))
    assert longer.operations == shorter.operations + 1  # its sign test
    plain = fecnn.Code.from_generator(
        np.array([[1, 1, 0, 1], [0, 1, 1, 1], [1, 1, 1, 0]]), name="no message bit"
    )
    assert not (plain.G.sum(axis=0) == 1).any()
    carried = complexity("map", plain, method="trellis")
    assert carried.exponentials == 2 * (plain.n + plain.k)


@pytest.mark.parametrize(
    ("name", "t"), [("bch-15-7", 2), ("bch-31-16", 3), ("bch-63-45", 3), ("bch-63-45", 1)]
)
def test_berlekamp_massey_counts_no_less_than_it_does(name, t):
    code = fecnn.load_code(name)
    algebra = algebra_of(code)
    rng = np.random.default_rng(2)
    most = complexity("berlekamp-massey", code, t=t)
    total = Counter()
    for _ in range(40):
        word = code.encode(rng.integers(0, 2, code.k, dtype=np.uint8)).astype(int)
        noisy = word.copy()
        noisy[rng.choice(code.n, t, replace=False)] ^= 1
        decided, done = counting.algebraic(code, noisy, algebra)
        assert (decided == word).all()
        real = fecnn.decoder("berlekamp-massey", code)(fecnn.bpsk(noisy[None].astype(np.uint8)))
        assert (real == decided).all()
        for kind in ("multiplications", "additions", "comparisons"):
            assert done[kind] <= getattr(most, kind), kind
        total += done
    # Not every discrepancy is one, and not every sum of logarithms exceeds the order of the field.
    for kind in ("multiplications", "additions", "comparisons", "binary"):
        assert total[kind] / 40 == pytest.approx(getattr(most, kind), rel=0.35), kind


@pytest.mark.parametrize("t", [None, 4])
def test_hard_decisions_of_many_checks_are_those_of_algebra(t):
    """Twenty-seven: too many for a table."""
    code = fecnn.load_code("bch-63-36")
    rng = np.random.default_rng(4)
    llr = fecnn.AWGN.at(4.0, code.rate).transmit(np.zeros((300, code.n), np.uint8), rng)
    decisions = [fecnn.decoder(kind, code, t=t)(llr) for kind in ("hard", "berlekamp-massey")]
    assert (decisions[0] == decisions[1]).all()
    alone = complexity("berlekamp-massey", code, t=t)
    assert complexity("hard", code, t=t) == alone
    once = alone + Cost(additions=code.n / 2, comparisons=1)
    found = complexity("chase2", code, work=3, positions=2, t=t)
    assert found.additions == 3 * once.additions
    assert found.comparisons == 3 * once.comparisons + 2 * code.n
    with pytest.raises(ValueError, match="use osd"):
        complexity("hard-ml", code)


def test_berlekamp_massey_of_other_codes():
    extended = complexity("berlekamp-massey", fecnn.load_code("ebch-64-36"))
    assert (
        extended.comparisons == complexity("berlekamp-massey", fecnn.load_code("bch-63-36")).comparisons + 1
    )
    with pytest.raises(ValueError, match="polar-16-8 is not a cyclic code"):
        complexity("berlekamp-massey", fecnn.load_code("polar-16-8"))


@pytest.mark.parametrize(("name", "ebn0_db"), [("bch-31-16", 2.0), ("bch-63-45", 3.0), ("bch-63-36", 2.0)])
def test_lc_osd_counts_no_less_than_it_does(name, ebn0_db):
    code = fecnn.load_code(name)
    llr = received(code, ebn0_db, 150)
    found = counting.in_order_of_price(code, llr, 8)
    _, effort = fecnn.decoder("lc-osd", code, delta=8).measure(llr)
    patterns = sum(tried for tried, _ in found)
    assert patterns == effort.work.sum() > 0
    whole, none = (complexity("lc-osd", code, work=work) for work in (patterns / len(found), 0))
    listing = {kind: getattr(whole, kind) - getattr(none, kind) for kind in KINDS}
    done = sum((done for _, done in found), Counter())
    counted = sum(done.values()) / len(found)
    assert counted <= sum(listing.values()) <= 4 * counted
    # The table, as it is filled: one addition and one minimum for each state of each row.
    table = none.operations - complexity("osd", code, order=0).operations
    assert table == pytest.approx(2 * (code.k + 1) * 256 + 2 * code.k + 8)


def test_lc_osd_needs_its_work_and_counts_its_options():
    code = fecnn.load_code("bch-31-21")
    with pytest.raises(ValueError, match="give the measured work, patterns a frame"):
        complexity("lc-osd", code)
    plain, probable = (complexity("lc-osd", code, work=2, z=z) for z in (None, 1.5))
    assert probable.exponentials - plain.exponentials == 2
    assert complexity("lc-osd", code, work=2, delta=16) == complexity("lc-osd", code, work=2, delta=10)
    assert complexity("lc-osd", code, work=2, delta=1).additions > 21 * 32  # whole vectors of states


def test_osd_of_order_0_is_its_first_word():
    """Hamming (7,4): 54 operations, which any number of further patterns comes on top of."""
    code = fecnn.load_code("hamming-7-4")
    first = complexity("osd", code, order=0)
    assert round(first.operations) == 54
    assert first == complexity("osd", code, order=0, work=0) == complexity("osd", code, order=2, work=0)
    pattern = (code.n - code.k) / 2 + 1 + 1 + (code.n - code.k)
    assert complexity("osd", code, order=1).operations == pytest.approx(first.operations + 4 * pattern)


def test_costs_add_and_repeat():
    one = Cost(1, 2, 3, 4, 5, 6, 7, 8)
    assert one + Cost(memory_bits=3) == one
    assert one.times(2) == Cost(2, 4, 6, 8, 10, 6, 7, 8)
    assert one.operations == 15


def test_what_cannot_be_counted_is_refused():
    code = fecnn.load_code("bch-63-45")
    with pytest.raises(LookupError, match="no built-in decoder 'odd'; "):
        complexity("odd", code)
    with pytest.raises(ValueError, match="give its measured work, nodes per frame"):
        complexity("ml", code)
    with pytest.raises(ValueError, match="queries per frame"):
        complexity("grand", code)
    with pytest.raises(ValueError, match="not a cyclic code"):
        complexity("hard", fecnn.load_code("polar-64-32"))
    assert complexity("ml", code, work=10).binary > complexity("ml", code, work=1).binary
