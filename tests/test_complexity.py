"""Costs against counts made one by one, torch's own counter, and printed numbers."""

import math

import numpy as np
import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

import fecnn
from fecnn.card import Model
from fecnn.checkpoint import build
from fecnn.complexity import Cost, complexity, message_passing, transformer
from fecnn.decoders.trellis import bit_order, build_trellis


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
@pytest.mark.parametrize(("layers", "width"), [(1, 16), (2, 32)])
@pytest.mark.parametrize("name", ["bch-31-16", "ldpc-49-24"])
def test_products_of_transformers_are_those_that_torch_counts(kind, layers, width, name):
    """In float64 torch computes all pairs; it counts two operations for each product."""
    code = fecnn.load_code(name)
    network = build(Model(kind=kind, options={"layers": layers, "width": width}), code).double().eval()
    y = torch.randn(3, code.n, dtype=torch.float64)
    with FlopCounterMode(display=False) as counter, torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        network.stages(y.abs(), (y < 0).double())
    m, n = network.checks.shape
    # The syndrome is a product for torch, and counted as bits here; the embedding is none.
    syndrome = m * n
    ours = transformer(code, network, dense=True)
    other = 12 * (n + m) * width * layers + (n + m) * width
    norms = (2 * layers + 1 + (layers > 1)) * (2 * (n + m) * width + (n + m))
    pairs = (n + m) ** 2 if kind == "ecct" else 2 * n * m
    products = ours.multiplications - other - norms - layers * 2 * pairs * 8
    assert counter.get_total_flops() == 2 * 3 * (products + syndrome)
    sparse = transformer(code, network)
    attending = int(network.edges.pairs.sum()) if kind == "ecct" else 2 * int(network.checks.sum())
    assert ours.exponentials - sparse.exponentials == layers * 8 * (pairs - attending)


@pytest.mark.parametrize("name", ["hamming-7-4", "bch-31-16"])
def test_fecnn_net_counts_its_edges(name):
    code = fecnn.load_code(name)
    network = build(Model(kind="fecnn-net", options={"width": 8, "iterations": 3}), code)
    once, twice = (message_passing(code, network, work) for work in (1, 2))
    edges = int(network.incidence.sum())
    per_iteration = twice.exponentials - once.exponentials
    assert per_iteration == 2 * code.n + int(network.real.sum()) + edges + 2 * code.n * 8
    most = message_passing(code, network, None)
    assert most.exponentials == pytest.approx(6 * per_iteration)


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
    patterns = 1 + 16 + math.comb(16, 2)
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
        with pytest.raises(ValueError, match=r"give .* measured work"):
            complexity(variant, code)


def test_chase_decodes_hard_decisions_of_every_pattern():
    code = fecnn.load_code("bch-31-21")
    found = complexity("chase2", code)  # d = 5: two positions, four patterns
    once = complexity("hard", code)
    assert found.binary == 4 * once.binary
    assert found.comparisons == 4 * (once.comparisons + 1) + 2 * 31
    assert found.parameters == once.parameters
    assert complexity("chase2", code, positions=3).binary == 8 * once.binary


def test_costs_add_and_repeat():
    one = Cost(1, 2, 3, 4, 5, 6, 7, 8)
    assert one + Cost(memory_bits=3) == one
    assert one.times(2) == Cost(2, 4, 6, 8, 10, 6, 7, 8)
    assert one.operations == 15


def test_what_cannot_be_counted_is_refused():
    code = fecnn.load_code("bch-63-45")
    with pytest.raises(LookupError, match="no formula for 'odd'; "):
        complexity("odd", code)
    with pytest.raises(ValueError, match="give its measured work, nodes a frame"):
        complexity("ml", code)
    with pytest.raises(ValueError, match="queries a frame"):
        complexity("grand", code)
    with pytest.raises(ValueError, match="no formula for hard decisions"):
        complexity("hard", fecnn.load_code("bch-63-30"))
    assert complexity("ml", code, work=10).binary > complexity("ml", code, work=1).binary
