"""The error-domain kernels, piece by piece and whole, against their slow twins."""

import numba as nb
import numpy as np
import oracles
import pytest
from decoding_cases import SMALL, llrs, random_codes
from scipy.stats import binom

import fecnn
from fecnn import Code
from fecnn.arrays import bpsk
from fecnn.codes import gf2
from fecnn.decoders.kernels import basis, minplus, probable, search, words
from fecnn.decoders.kernels.arena import Arena

EXACT = -1.0


def adversarial_codes(rng, count=24, longest=20):
    """All sorts of small codes: k = 1, n - 1, n; zero and repeated columns; rank-deficient H."""
    codes = random_codes(rng, count=count, longest=longest)
    for n in (8, 20):
        codes += [fecnn.repetition(n), fecnn.single_parity_check(n)]
    return [code for code in codes if code.k <= 14 and code.n > code.k]


def run_search(code, llr, z=EXACT, budgets=(300, 500, 10**6), distance=1):
    out = np.empty(llr.shape, np.uint8)
    work, certain = np.empty(len(llr), np.int64), np.empty(len(llr), np.bool_)
    columns = words.columns_of(code.parity_columns)
    checks = code.n - code.k
    Arena().run(search.search, llr, columns, checks, distance, z, np.array(budgets), out, work, certain)
    return out, work, certain


def assert_ml(code, llr, decided, why):
    assert not code.syndrome(decided).any(), why
    best = oracles.correlations(code, llr).max(axis=1)
    scale = np.abs(llr).sum(axis=1, dtype=np.float64) + 1e-300
    assert (np.abs(oracles.metric(decided, llr) - best) <= 1e-12 * scale).all(), why


@pytest.mark.kernel
@pytest.mark.parametrize("budgets", [(300, 500, 10**6), (0, 10**6, 10**6), (0, 0, 10**6)])
def test_search_is_maximum_likelihood_at_every_stage(budgets, rng):
    """With no budget for its first stages, the last ones have to do everything."""
    for code in adversarial_codes(rng):
        for kind, values in llrs(rng, code.n).items():
            llr = values.astype(np.float32)
            decided, _, certain = run_search(code, llr, budgets=budgets)
            assert certain.all()
            assert_ml(code, llr, decided, (code.name, kind, budgets))


@pytest.mark.kernel
def test_search_may_use_the_true_minimum_distance(rng):
    for code in adversarial_codes(rng):
        distance = next(w for w, count in enumerate(code.weight_spectrum()) if w and count)
        for kind, values in llrs(rng, code.n).items():
            llr = values.astype(np.float32)
            assert_ml(code, llr, run_search(code, llr, distance=distance)[0], (code.name, kind))


@pytest.mark.kernel
def test_search_of_known_bits_and_subnormal_reliabilities(rng):
    code = fecnn.load_code("bch-15-7")
    llr = rng.normal(0, 1, (200, 15)).astype(np.float32)
    llr[:, 3] *= np.float32(1e-42)
    llr[:, 5:9] *= np.float32(1e-44)
    decided, _, certain = run_search(code, llr, budgets=(0, 10**6, 10**6))
    assert certain.all()
    assert_ml(code, llr, decided, "subnormal")


@pytest.mark.parametrize("name", ["bch-31-16", "bch-31-21"])
def test_search_equals_the_codebook(name, rng):
    code = fecnn.load_code(name)
    for ebn0_db in (0.0, 2.0, 4.0):
        channel = fecnn.AWGN.at(ebn0_db, code.rate)
        llr = channel.transmit(code.encode(rng.integers(0, 2, (24, code.k), dtype=np.uint8)), rng)
        by_codebook = fecnn.decoder("ml", code, method="codebook")(llr)
        assert (fecnn.decoder("ml", code, method="search")(llr) == by_codebook).all()
        assert (run_search(code, llr, budgets=(0, 0, 10**6))[0] == by_codebook).all()


def test_a_budget_that_runs_out_is_told(rng):
    code = fecnn.load_code("bch-127-64")
    channel = fecnn.AWGN.at(1.0, code.rate)
    llr = channel.transmit(code.encode(rng.integers(0, 2, (20, code.k), dtype=np.uint8)), rng)
    bits, effort = fecnn.decoder("ml", code, nodes=50).measure(llr)
    assert effort.uncertified.any()
    assert not code.syndrome(bits).any()
    assert (effort.work <= 3000).all()
    near, far = (fecnn.decoder("near-ml", code, z=z).measure(llr)[1] for z in (0.5, 1.5))
    assert near.work.sum() < far.work.sum()
    assert not near.uncertified.any()


def test_near_ml_with_large_z_is_maximum_likelihood(rng):
    code = fecnn.load_code("bch-63-36")
    channel = fecnn.AWGN.at(1.5, code.rate)
    llr = channel.transmit(code.encode(rng.integers(0, 2, (300, code.k), dtype=np.uint8)), rng)
    exact = fecnn.decoder("ml", code)(llr)
    assert (fecnn.decoder("near-ml", code, z=50.0)(llr) == exact).all()
    assert (fecnn.decoder("near-ml", code)(llr) != exact).any(axis=1).mean() < 0.02


@pytest.mark.kernel
@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_pruned_lists_decide_as_plain_ones(order, rng):
    long = [] if SMALL else [fecnn.load_code("bch-63-45"), fecnn.load_code("bch-127-64")]
    for code in [*adversarial_codes(rng), *long]:
        order_here = min(order, code.k)
        kinds = llrs(rng, code.n) if code.n < 30 else {"ordinary": rng.normal(1, 1, (20, code.n))}
        for kind, values in kinds.items():
            llr = values.astype(np.float32)
            plain, full = fecnn.decoder("osd", code, order=order_here, prune=False).measure(llr)
            pruned, less = fecnn.decoder("osd", code, order=order_here).measure(llr)
            assert (full.work >= less.work).all()
            scale = np.abs(llr).sum(axis=1, dtype=np.float64) + 1e-300
            lost = np.abs(oracles.metric(plain, llr) - oracles.metric(pruned, llr)) / scale
            assert (lost <= 1e-12).all(), (code.name, kind)
            if kind == "ordinary":
                assert (plain == pruned).all(), code.name


@pytest.mark.kernel
def test_plain_lists_have_the_textbook_number_of_patterns(rng):
    from math import comb

    code = fecnn.load_code("bch-31-16")
    llr = rng.normal(0.3, 1, (40, 31)).astype(np.float32)
    _, effort = fecnn.decoder("osd", code, order=3, prune=False).measure(llr)
    coded = code.syndrome((llr < 0).astype(np.uint8)).any(axis=1)
    assert (effort.work[coded] == sum(comb(16, w) for w in (1, 2, 3))).all()


@pytest.mark.kernel
def test_wide_codes_use_several_words(rng):
    """128 < n - k: order 1 of a textbook list, with three words of checks."""
    k, n = 10, 150
    code = Code.from_generator(
        np.concatenate([np.eye(k, dtype=np.uint8), rng.integers(0, 2, (k, n - k), dtype=np.uint8)], axis=1)
    )
    llr = rng.normal(0.2, 1, (6, n)).astype(np.float32)
    for prune in (False, True):
        assert (fecnn.decoder("osd", code, order=1, prune=prune)(llr) == oracles.osd(code, llr, 1)).all()


@pytest.mark.kernel
@pytest.mark.parametrize("checks", [65, 100, 128, 129, 192])
def test_words_of_checks_reach_maximum_likelihood(checks, rng):
    """Small k, so that the codebook can be asked."""
    k = 10
    G = np.concatenate([np.eye(k, dtype=np.uint8), rng.integers(0, 2, (k, checks), dtype=np.uint8)], axis=1)
    code = Code.from_generator(G)
    llr = rng.normal(0.1, 1, (3 if SMALL else 60, code.n)).astype(np.float32)
    for budgets in ((300, 500, 10**6), (0, 0, 10**6)):
        decided, _, certain = run_search(code, llr, budgets=budgets)
        assert certain.all()
        assert_ml(code, llr, decided, checks)


def test_the_longest_codes_are_decoded_as_on_their_trellis(rng):
    """(512, 502): a few hundred states, while the search sees more than 300 places of the basis."""
    code = fecnn.hamming(9, extended=True)
    channel = fecnn.AWGN.at(3.5, code.rate)
    llr = channel.transmit(code.encode(rng.integers(0, 2, (200, code.k))), rng)
    found, effort = fecnn.decoder("ml", code, method="search").measure(llr)
    assert not effort.uncertified.any()
    assert (found == fecnn.decoder("ml", code, method="trellis")(llr)).all()
    assert (effort.work > 100).any()


@pytest.mark.parametrize(("n", "k"), [(513, 400), (512, 319)])
def test_longer_codes_are_refused(n, k):
    code = fecnn.random_code(n, k, seed=1)
    with pytest.raises(ValueError, match="is out of reach"):
        fecnn.decoder("ml", code, method="search")
    with pytest.raises(ValueError, match="n may be up to 512 and n - k up to 192"):
        fecnn.decoder("near-ml", code)


def test_fs_osd_without_its_rule_is_osd(rng):
    code = fecnn.load_code("bch-63-36")
    channel = fecnn.AWGN.at(2.0, code.rate)
    llr = channel.transmit(code.encode(rng.integers(0, 2, (200, code.k), dtype=np.uint8)), rng)
    assert (
        fecnn.decoder("fs-osd", code, order=2, z=50.0)(llr) == fecnn.decoder("osd", code, order=2)(llr)
    ).all()
    _, less = fecnn.decoder("fs-osd", code, order=3, z=1.0).measure(llr)
    _, more = fecnn.decoder("osd", code, order=3).measure(llr)
    assert less.work.sum() < more.work.sum()


@pytest.mark.kernel
def test_sort_is_stable(rng):
    for n in (1, 7, 16, 31, 64, 100, 256):
        for values in (rng.normal(0, 1, n), np.round(rng.normal(0, 1, n)), np.zeros(n)):
            row = np.zeros(-(-n // words.ROW) * words.ROW, np.float32)
            row[:n] = values
            row[n:] = 0.5  # what lies there does not count
            padded = (n + 15) // 16 * 16
            order = np.empty(n, np.int32)
            basis.sort(row, n, np.empty(padded, np.int32), np.empty(padded, np.int32), order)
            assert (order == np.argsort(np.abs(row[:n]), kind="stable")).all()


@pytest.mark.kernel
def test_elimination_leaves_unit_columns_on_the_least_reliable_basis(rng):
    for code in adversarial_codes(rng):
        n, checks = code.n, code.n - code.k
        ordered = np.zeros((n + 8) & ~7, np.uint64)
        ordered[:n] = code.parity_columns[:, 0]
        ordered[n] = ordered[0]
        place, check = np.zeros(checks, np.int64), np.zeros(checks, np.int64)
        rest = np.zeros(n - checks, np.int64)
        basis.eliminate(ordered, n, checks, place, check, rest)
        assert [int(ordered[place[i]]) for i in range(checks)] == [1 << i for i in range(checks)]
        H = gf2.rref(code.H)[0]
        assert sorted(place) == oracles.most_reliable_basis(H, range(n))
        assert sorted([*place, *rest]) == list(range(n))
        # The eliminated matrix has the same row space: its null space is the code.
        after = ((ordered[:n, None] >> np.arange(checks, dtype=np.uint64)) & np.uint64(1)).astype(int)
        assert not (code.G.astype(int) @ after % 2).any()


@nb.njit
def relaxed(old, new, step, price):
    minplus.relax(old, new, step, price)


@pytest.mark.kernel
@pytest.mark.parametrize("price", [0, 3, 40_000])
def test_relax_is_one_step_of_the_recursion(price, rng):
    for states in (32, 256):
        old = rng.integers(0, 65_536, states).astype(np.uint16)
        for step in (0, 1, 17, 31, states - 1):
            new = np.empty_like(old)
            relaxed(old, new, step, price)
            moved = np.minimum(old[np.arange(states) ^ step].astype(int) + price, minplus.TOP)
            assert (new == np.minimum(old, moved)).all()


@pytest.mark.kernel
def test_byte_tables_are_sums(rng):
    parity = np.zeros(16, np.float32)
    parity[:11] = rng.uniform(0, 5, 11)
    sums = np.empty(512, np.float32)
    basis.sum_bytes(parity, sums)
    sums = sums.reshape(2, 256)
    for value in range(256):
        ones = (value >> np.arange(8)) & 1 == 1
        assert np.isclose(sums[0, value], parity[:8][ones].sum(), rtol=1e-6)
        assert np.isclose(sums[1, value], parity[8:][ones].sum(), rtol=1e-6)


def test_noiseless_frames_cost_nothing(rng):
    code = fecnn.load_code("bch-63-45")
    codewords = code.encode(rng.integers(0, 2, (10, 45), dtype=np.uint8))
    bits, effort = fecnn.decoder("ml", code).measure(bpsk(codewords))
    assert (bits == codewords).all()
    assert not effort.work.any()


def test_pb_osd_without_its_rules_is_osd(rng):
    code = fecnn.load_code("bch-63-36")
    channel = fecnn.AWGN.at(2.0, code.rate)
    llr = channel.transmit(code.encode(rng.integers(0, 2, (300, code.k), dtype=np.uint8)), rng)
    exact, full = fecnn.decoder("osd", code, order=3).measure(llr)
    loose, _ = fecnn.decoder("pb-osd", code, order=3, promise=0.0, success=1.0).measure(llr)
    assert (loose == exact).all()
    quick, less = fecnn.decoder("pb-osd", code, order=3, promise=1e-4).measure(llr)
    assert less.work.sum() < full.work.sum() / 2
    assert (quick != exact).any(axis=1).mean() < 0.02


@pytest.mark.kernel
@pytest.mark.parametrize("options", [{}, {"promise": 0.3, "success": 0.5}, {"promise": 0.0, "success": 1.0}])
def test_pb_osd_published_equals_its_twin(options, rng):
    """The same words and the same number of patterns, frame by frame."""
    for name, ebn0_db in (("golay-24-12", 0.0), ("bch-31-11", 0.0), ("bch-15-11", 2.0)):
        code = fecnn.load_code(name)
        sent = code.encode(rng.integers(0, 2, (25, code.k), dtype=np.uint8))
        llr = fecnn.AWGN.at(ebn0_db, code.rate).transmit(sent, rng)
        for order in range(4):
            decide = fecnn.decoder("pb-osd", code, order=order, rule="published", **options)
            bits, effort = decide.measure(llr)
            expected = [oracles.pb_osd(code, values, order, **options) for values in llr]
            assert (bits == [word for word, _, _ in expected]).all(), (name, order)
            assert effort.work.tolist() == [tried - 1 for _, tried, _ in expected], (name, order)


@pytest.mark.kernel
def test_pb_osd_knows_how_often_the_order_suffices():
    """Its P is a binomial distribution function, also far out and where nearly all or none are right."""
    for k in (1, 7, 64, 1500):
        for p in (1e-12, 1e-4, 0.02, 0.3, 0.5):
            for order in {0, 1, min(3, k), k // 2, k}:
                choices = binom(k, 0.5).logpmf(order) + k * np.log(2)
                within, beyond = probable._at_most(order, k, p, choices)
                assert within == pytest.approx(binom(k, p).cdf(order), rel=1e-8, abs=1e-300)
                if beyond > 1e-290:
                    assert beyond == pytest.approx(binom(k, p).sf(order), rel=1e-8)
    assert probable._at_most(3, 64, 0.0, 1.0) == (1.0, 0.0)


def test_pb_osd_is_as_often_right_as_it_says(rng):
    """The success probability of the pattern of order 0, on average over 300 frames: within 3 deviations."""
    code = fecnn.load_code("bch-31-11")
    sent = code.encode(rng.integers(0, 2, (300, code.k), dtype=np.uint8))
    llr = fecnn.AWGN.at(1.0, code.rate).transmit(sent, rng)
    twins = [oracles.pb_osd(code, values, 0) for values in llr]
    right = np.array([(word == own).all() for (word, _, _), own in zip(twins, sent, strict=True)])
    surely = np.array([probability for _, _, probability in twins])
    assert abs(right.mean() - surely.mean()) < 3 * np.sqrt((surely * (1 - surely)).sum()) / len(llr)
    sure = surely > 0.99
    assert sure.sum() > 50
    assert right[sure].mean() > 0.97


@pytest.mark.parametrize(
    ("name", "order", "ebn0_db", "patterns"), [("ebch-64-36", 3, 2.0, 300), ("ebch-128-64", 4, 2.5, 1300)]
)
def test_pb_osd_published_loses_little_for_few_patterns(name, order, ebn0_db, patterns, rng):
    """Nearly the decisions of exact ML, for few of the 7,807 and 679,121 patterns."""
    code = fecnn.load_code(name)
    sent = code.encode(rng.integers(0, 2, (3000, code.k), dtype=np.uint8))
    llr = fecnn.AWGN.at(ebn0_db, code.rate).transmit(sent, rng)
    bits, effort = fecnn.decoder("pb-osd", code, order=order, rule="published").measure(llr)
    exact = fecnn.decoder("ml", code)(llr)
    assert (bits != exact).any(axis=1).mean() < 0.003
    assert effort.work.mean() < patterns


@pytest.mark.kernel
def test_lc_osd_is_maximum_likelihood_unless_it_says_otherwise(rng):
    for code in adversarial_codes(rng):
        for kind, values in llrs(rng, code.n).items():
            llr = values.astype(np.float32)
            for delta in (1, 4, 12):
                decided, effort = fecnn.decoder("lc-osd", code, delta=delta).measure(llr)
                assert not effort.uncertified.any()
                assert_ml(code, llr, decided, (code.name, kind, delta))


def test_lc_osd_lists_by_price(rng):
    """The first candidates are the cheapest of all patterns that satisfy the local constraints."""
    code = fecnn.load_code("bch-63-36")
    channel = fecnn.AWGN.at(1.0, code.rate)
    llr = channel.transmit(code.encode(rng.integers(0, 2, (200, code.k), dtype=np.uint8)), rng)
    best = fecnn.decoder("ml", code)(llr)
    metric = oracles.metric(best, llr)
    last = np.full(len(llr), -np.inf)
    for candidates in (1, 10, 100, 10_000):
        decided, effort = fecnn.decoder("lc-osd", code, candidates=candidates).measure(llr)
        assert (effort.work <= candidates).all()
        found = oracles.metric(decided, llr)
        assert (found >= last - 1e-9).all()
        assert (effort.uncertified | (np.abs(found - metric) < 1e-9)).all()
        last = found
    assert not effort.uncertified.any()


@pytest.mark.kernel
def test_soft_osd_of_order_k_is_max_log_map(rng):
    for code in adversarial_codes(rng):
        if code.k > 9:
            continue
        llr = rng.normal(0.5, 2, (20, code.n)).astype(np.float32)
        book = code.codebook()
        found = fecnn.soft_decoder("osd", code, order=code.k)(llr)
        half = oracles.correlations(code, llr) / 2
        for j in range(code.n):
            if 0 < book[:, j].sum() < len(book):
                expected = half[:, book[:, j] == 0].max(axis=1) - half[:, book[:, j] == 1].max(axis=1)
                assert np.allclose(found[:, j], expected, rtol=1e-4, atol=1e-4), code.name


def test_soft_osd_decides_as_osd(rng):
    code = fecnn.load_code("bch-63-45")
    llr = rng.normal(0.7, 1, (60, 63)).astype(np.float32)
    for order in (0, 1, 2):
        soft = fecnn.soft_decoder("osd", code, order=order)(llr)
        hard = fecnn.decoder("osd", code, order=order)(llr)
        assert ((soft < 0) == hard)[soft != 0].all()


def test_a_minimum_distance_that_is_too_large_is_refused():
    import dataclasses

    code = dataclasses.replace(fecnn.load_code("ebch-128-64"), minimum_distance=24)
    for name in ("ml", "osd"):
        with pytest.raises(ValueError, match="stated as 24, but it has a codeword of weight 2"):
            fecnn.decoder(name, code)
