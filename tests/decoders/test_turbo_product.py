"""Turbo decoding of product codes: a slow twin, exact ML, published points, and where it refuses."""

import pickle

import numpy as np
import oracles
import pytest
from decoding_cases import SMALL as FEW

import fecnn
from fecnn.decoders.complexity import complexity
from fecnn.testing import check_decoder

SMALL = fecnn.load_code("product-64-16")
TALL = fecnn.product(fecnn.hamming(3), fecnn.single_parity_check(4))


def received(code, ebn0_db, frames, rng):
    sent = code.encode(rng.integers(0, 2, (frames, code.k), dtype=np.uint8))
    return sent, fecnn.AWGN.at(ebn0_db, code.rate).transmit(sent, rng)


@pytest.mark.kernel
@pytest.mark.parametrize(
    "components", [("hamming-7-4", "spc-4"), ("ext-hamming-8-4", "hamming-7-4"), ("spc-3", "repetition-4")]
)
@pytest.mark.parametrize("options", [{}, {"positions": 2, "alpha": 0.3, "beta": 0.8, "iterations": 3}])
def test_decisions_equal_the_slow_twin(components, options, rng):
    down, along = map(fecnn.load_code, components)
    code = fecnn.product(down, along)
    _, llr = received(code, 1.0, 3 if FEW else 40, rng)
    bits, effort = fecnn.decoder("turbo-product", code, columns=along.n, **options).measure(llr)
    defaults = {"iterations": 8, "positions": 5, "alpha": 0.5, "beta": 0.5}
    expected, used = oracles.turbo_product(down, along, llr, **defaults | options)
    assert (bits == expected).all()
    assert (effort.work == used).all()
    assert (effort.uncertified == code.syndrome(expected).any(axis=1)).all()
    assert 0 < used.mean()


def test_contract():
    check_decoder("turbo-product", SMALL, TALL)
    check_decoder("turbo-product", fecnn.product("bch-15-7", "golay-24-12"), positions=3, iterations=2)


def test_decisions_do_not_depend_on_the_scale_of_the_llrs(rng):
    _, llr = received(SMALL, 1.5, 500, rng)
    decode = fecnn.decoder("turbo-product", SMALL)
    bits, effort = decode.measure(llr)
    assert effort.uncertified.any()
    for scale in (2.0**-80, 2.0**-9, 2.0**12):  # exactly the same arithmetic
        other, theirs = decode.measure((llr * np.float32(scale)).astype(np.float32))
        assert (other == bits).all()
        assert (theirs.work == effort.work).all()
    other = decode((llr * np.float32(0.3)).astype(np.float32))
    assert (other != bits).any(axis=1).mean() < 0.01


def test_it_is_never_better_than_exact_ml_and_close_to_it(rng):
    sent, llr = received(SMALL, 2.0, 6000, rng)
    best, decided = (fecnn.decoder(name, SMALL)(llr) for name in ("ml", "turbo-product"))
    codewords = ~SMALL.syndrome(decided).any(axis=1)
    gap = oracles.metric(best, llr) - oracles.metric(decided, llr)
    assert (gap[codewords] >= -1e-4).all()
    errors = [int((bits != sent).any(axis=1).sum()) for bits in (best, decided)]
    assert 100 < errors[0] <= errors[1] < 1.5 * errors[0]


def test_one_iteration_of_products_of_parity_checks_is_not_enough():
    """Two by two parity checks: the wrong bit is where the row and the column that fail meet."""
    code = fecnn.product("spc-5", "spc-6")
    decode = fecnn.decoder("turbo-product", code)
    for place in range(30):
        llr = np.ones(30, np.float32)
        llr[place] = -0.5
        assert not decode(llr).any()


def iterated_hard(code, down, along, words):
    """Rows and columns decoded hard in turn, until nothing changes."""
    by_row, by_column = fecnn.decoder("hard", along), fecnn.decoder("hard", down)
    for _ in range(20):
        rectangles = words.reshape(-1, down.n, along.n)
        rows = by_row(fecnn.bpsk(rectangles))
        both = by_column(fecnn.bpsk(rows).transpose(0, 2, 1)).transpose(0, 2, 1)
        words = both.reshape(words.shape)
    return words


def test_it_corrects_what_iterated_hard_decoding_corrects(rng):
    """On a binary symmetric channel, and much that it does not."""
    code = fecnn.product(fecnn.hamming(4, extended=True))
    down = along = fecnn.hamming(4, extended=True)
    sent = code.encode(rng.integers(0, 2, (2000, code.k), dtype=np.uint8))
    words = sent ^ (rng.random(sent.shape) < 0.04).astype(np.uint8)
    hard_right = (iterated_hard(code, down, along, words) == sent).all(axis=1)
    right = (fecnn.decoder("turbo-product", code)(fecnn.bpsk(words)) == sent).all(axis=1)
    assert 300 < hard_right.sum() < 1900
    assert (hard_right & ~right).sum() <= 0.005 * hard_right.sum()
    assert (~right).sum() < 0.5 * (~hard_right).sum()


# AFF3CT, error_rate_references@0aa68d3, TURBO_PROD/AWGN/BPSK/BCH1: Turbo_prod_BCH_16_11_p5_i8.txt and
# Turbo_prod_BCH_32_26_p5_i8.txt, 8 iterations, 5 positions, alpha 0.5; wrong frames and frames as printed.
# Its extrinsic LLR of a bit without a rival is another: the reliabilities of the 5 positions less the metric.
@pytest.mark.parametrize(
    ("r", "ebn0_db", "wrong", "of", "frames"),
    [(4, 1.5, 106, 1343, 2500), (4, 2.0, 101, 4786, 8000), (5, 2.0, 104, 1414, 1500)],
)
def test_published_points(r, ebn0_db, wrong, of, frames, rng):
    code = fecnn.product(fecnn.hamming(r, extended=True))
    decode = fecnn.decoder("turbo-product", code, iterations=8, positions=5, alpha=0.5)
    sent, llr = received(code, ebn0_db, frames, rng)
    errors = int((decode(llr) != sent).any(axis=1).sum())
    # The difference of two counted rates, within four standard deviations.
    deviation = np.sqrt(wrong / of**2 + errors / frames**2)
    assert abs(wrong / of - errors / frames) < 4 * deviation


def test_effort(rng):
    llr = np.concatenate([received(SMALL, ebn0_db, 300, rng)[1] for ebn0_db in (1.0, 10.0)])
    bits, effort = fecnn.decoder("turbo-product", SMALL, iterations=4).measure(llr)
    clean = ~SMALL.syndrome(llr < 0).any(axis=1)
    assert clean.any()
    assert ((effort.work == 0) == clean).all()
    assert effort.work.max() <= 8
    assert (effort.uncertified == SMALL.syndrome(bits).any(axis=1)).all()


def test_beliefs_stay_finite(rng):
    """Frames that find no codeword, over very many iterations."""
    decode = fecnn.decoder("turbo-product", fecnn.product("bch-15-7"), iterations=300, positions=2, alpha=1.0)
    llr = rng.normal(0, 1, (10, 225)).astype(np.float32)
    with np.errstate(all="raise", under="ignore"):
        _, effort = decode.measure(llr)
    assert effort.uncertified.any()
    assert (effort.work[effort.uncertified] == 600).all()


def test_an_extended_bch_code_by_algebra(rng):
    """n - k of the components above 24: no table of coset leaders."""
    component = fecnn.load_code("ebch-64-36")
    code = fecnn.product(component, fecnn.single_parity_check(3))
    sent, llr = received(code, 6.0, 20, rng)
    assert (fecnn.decoder("turbo-product", code, positions=3)(llr) == sent).all()


def test_it_is_built_again_from_a_pickle_and_from_a_file(rng, tmp_path):
    fecnn.save_code(SMALL, tmp_path / "mine.toml")
    _, llr = received(SMALL, 1.0, 50, rng)
    decode = fecnn.decoder("turbo-product", SMALL)
    assert (pickle.loads(pickle.dumps(decode))(llr) == decode(llr)).all()
    again = fecnn.decoder("turbo-product", fecnn.load_code(tmp_path / "mine.toml"))
    assert (again(llr) == decode(llr)).all()


def test_cost_of_an_iteration_by_hand():
    """Rows of spc-4, columns of hamming-7-4: 2^p patterns of each, and the LLRs between."""
    p = 2
    found = complexity("turbo-product", TALL, work=2, positions=p)
    lines = {"rows": (7, fecnn.single_parity_check(4)), "columns": (4, fecnn.hamming(3))}
    chase = {which: complexity("chase2", one, work=2**p, positions=p) for which, (_, one) in lines.items()}
    assert found.multiplications == 2 * 28
    assert found.additions == sum(lines[w][0] * chase[w].additions for w in lines) + 8 * 28
    selected = sum(count * 2**p * one.n for count, one in lines.values())
    assert found.comparisons == sum(lines[w][0] * chase[w].comparisons for w in lines) + selected
    assert found.binary == sum(lines[w][0] * chase[w].binary for w in lines) + 2 * TALL.H.sum()
    most = complexity("turbo-product", TALL, positions=p, iterations=3)
    assert most.operations == 3 * found.operations


@pytest.mark.parametrize(
    ("code", "options", "message"),
    [
        (fecnn.hamming(4), {}, "hamming-15-11 is not a product of two codes; fecnn.product makes them"),
        (SMALL, {"columns": 4}, "product-64-16 is not a product of two codes with rows of 4 bits"),
        (SMALL, {"iterations": 0}, "iterations must be 1 or more, got 0"),
        (SMALL, {"positions": 21}, r"positions must be in 0\.\.20, got 21"),
        (SMALL, {"alpha": -1.0}, "alpha must be 0 or more, got -1"),
        (SMALL, {"beta": float("nan")}, "beta must be 0 or more, got nan"),
        (SMALL, {"t": 9}, r"t must be in 0\.\.8 for rows of product-64-16, got 9"),
        (fecnn.product("polar-128-64", "spc-3"), {}, "columns of product-384-128 has n - k = 64"),
    ],
)
def test_what_it_cannot_decode_is_refused(code, options, message):
    with pytest.raises(ValueError, match=message):
        fecnn.decoder("turbo-product", code, **options)
