"""Paired comparison: against loops over frames, known tests, and the truth by simulation."""

import math
import sqlite3
import zlib
from contextlib import closing
from itertools import product

import numpy as np
import oracles
import pytest
from scipy.stats import binomtest, chi2
from typer.testing import CliRunner

import fecnn
from fecnn.analysis.compare import LIKELIHOOD, Comparison, block_errors, compare, display_comparison
from fecnn.cli.app import app
from fecnn.errors import StoreError
from fecnn.simulation.simulate import run_batch
from fecnn.simulation.store import Store
from fecnn.studies.run import run, store_path

STUDY = """
title = "two decoders"
code = "hamming-7-4"
ebn0_db = [2, 4]
batch = 1000
[stop]
block_errors = 200
[[curve]]
decoder = "ml"
[[curve]]
decoder = "hard"
batch = 300
[[curve]]
label = "elsewhere"
decoder = "ml"
ebn0_db = [4, 6]
code = "polar-16-8"
[[curve]]
label = "far"
decoder = "ml"
ebn0_db = [7]
"""


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare")
    (folder / "two.toml").write_text(STUDY)
    study = fecnn.load_study(folder / "two.toml")
    for _ in run(study, store=store_path(study, folder)):
        pass
    return study, folder


def test_flags_are_compared_frame_by_frame(simulated):
    study, folder = simulated
    found = compare(study, "ml", "hard", store_path(study, folder))
    assert set(found) == {2.0, 4.0}
    points = {(point.curve, point.task.ebn0_db): point for point in study.points}
    for ebn0_db, pair in found.items():
        with Store(store_path(study, folder)) as store:
            ml, hard = (block_errors(store, points[curve, ebn0_db]) for curve in ("ml", "hard"))
            assert pair.frames == min(len(ml), len(hard))
        counts = dict.fromkeys(product((False, True), repeat=2), 0)
        for a, b in zip(ml, hard, strict=False):
            counts[bool(a), bool(b)] += 1
        assert (pair.both, pair.only_first, pair.only_second) == (
            counts[True, True],
            counts[True, False],
            counts[False, True],
        )
        assert pair.first_errors < pair.second_errors
        assert pair.p_value < 1e-3
        assert pair.difference_interval[1] < 0
        assert pair.ratio_interval[1] < 1


def test_what_workers_made_beyond_the_stopping_rule_is_not_compared(simulated, tmp_path):
    """How much that is depends on how many they are."""
    study, folder = simulated
    copy = tmp_path / "more.sqlite"
    copy.write_bytes(store_path(study, folder).read_bytes())
    with Store(copy, write=True) as store:
        for point in study.points:
            i = len(store.batches(point.task))
            store.append(point.task, i, run_batch(point.task, i))
    assert compare(study, "ml", "hard", copy) == compare(study, "ml", "hard", store_path(study, folder))


def test_batches_that_are_listed_and_not_there_are_damage(simulated, monkeypatch):
    study, folder = simulated

    def missing(self, task, i):
        raise LookupError("no batch")

    monkeypatch.setattr(Store, "flags", missing)
    with pytest.raises(StoreError, match="is damaged"):
        compare(study, "ml", "hard", store_path(study, folder))


def test_ratios_have_the_digits_that_their_ends_need():
    shown = display_comparison({0.0: Comparison(65536, 11733, 2, 2), 1.0: Comparison(100, 0, 0, 90)})
    assert shown["BLER A / BLER B [95 %]"].iloc[0] == "1 [0.9996, 1.0004]"
    assert list(display_comparison({0.0: Comparison(10**6, 0, 0, 10**5)})["p"]) == ["< 1e-300"]


def test_what_cannot_be_compared_is_refused(simulated):
    study, folder = simulated
    store = store_path(study, folder)
    with pytest.raises(ValueError, match=r"do not see the same frames: hamming-7-4 .* polar-16-8"):
        compare(study, "ml", "elsewhere", store)
    with pytest.raises(ValueError, match="no Eb/N0 in common"):
        compare(study, "ml", "far", store)
    with pytest.raises(ValueError, match="with itself"):
        compare(study, "ml", "ml", store)
    with pytest.raises(LookupError, match=r"no curve 'hrad'; .*hard"):
        compare(study, "ml", "hrad", store)
    with pytest.raises(FileNotFoundError, match="fecnn run"):
        compare(study, "ml", "hard", folder / "none.sqlite")


def test_command(simulated):
    study, folder = simulated
    shown = CliRunner().invoke(app, ["compare", str(study.path), "ml", "hard", "--out", str(folder)])
    assert shown.exit_code == 0
    pair = compare(study, "ml", "hard", store_path(study, folder))[2.0]
    assert f"{pair.frames:,}" in shown.output
    assert f"{pair.only_second:,}" in shown.output
    wrong = CliRunner().invoke(app, ["compare", str(study.path), "ml", "what", "--out", str(folder)])
    assert wrong.exit_code == 1
    assert "no curve 'what'" in wrong.output


@pytest.mark.parametrize(("first", "second"), [(0, 0), (5, 0), (9, 1), (40, 60), (1000, 900)])
def test_mcnemar_is_a_binomial_test(first, second):
    pair = Comparison(10_000, 17, first, second)
    expected = binomtest(first, first + second).pvalue if first + second else 1.0
    assert pair.p_value == pytest.approx(expected)


CASES = [
    Comparison(1000, 10, 9, 1),
    Comparison(100_000, 200, 0, 0),
    Comparison(5000, 0, 4, 11),
    Comparison(50, 10, 20, 20),
    Comparison(300, 0, 5, 0),
]


@pytest.mark.parametrize("pair", CASES)
def test_intervals_are_those_of_the_likelihood(pair):
    """At their ends the best shares under the constraint, found by brute force, are at the limit."""
    assert pytest.approx(chi2.ppf(0.95, 1)) == LIKELIHOOD
    for end in pair.difference_interval:
        lost = oracles.likelihood_lost(pair, np.array([0, 1, -1, 0]) - end)
        assert lost == pytest.approx(LIKELIHOOD, rel=1e-3)
    for end in pair.ratio_interval:
        if 0 < end < math.inf:
            lost = oracles.likelihood_lost(pair, np.array([1 - end, 1, -end, 0]))
            assert lost == pytest.approx(LIKELIHOOD, rel=1e-3)
    assert pair.difference_interval[0] <= pair.difference <= pair.difference_interval[1]


def test_intervals_cover():
    shares = np.array([2e-3, 1e-3, 5e-4])
    rng = np.random.default_rng(5)
    covered = np.zeros(2)
    rounds = 400
    for _ in range(rounds):
        counts = rng.multinomial(20_000, [*shares, 1 - shares.sum()])
        pair = Comparison(20_000, *(int(count) for count in counts[:3]))
        for i, (interval, truth) in enumerate(((pair.difference_interval, 5e-4), (pair.ratio_interval, 1.2))):
            covered[i] += interval[0] <= truth <= interval[1]
    assert (covered / rounds > 0.92).all()
    assert (covered / rounds < 0.985).all()


def test_separate_frames_give_the_same_spread():
    """The variance of a difference of independent runs of that many frames is the paired one."""
    rng = np.random.default_rng(6)
    shares = np.array([5e-3, 1e-3, 5e-4])
    frames = 20_000
    pairs = rng.multinomial(frames, [*shares, 1 - shares.sum()], 3000)
    expected = Comparison(frames, *(int(frames * share) for share in shares)).separate_frames
    alone = [rng.binomial(round(expected), share, 3000) / expected for share in (6e-3, 5.5e-3)]
    spread = np.std((pairs[:, 1] - pairs[:, 2]) / frames)
    assert np.std(alone[0] - alone[1]) == pytest.approx(spread, rel=0.06)


def test_counts_add():
    total = sum((Comparison(10, 1, 2, 3), Comparison(5, 0, 1, 0)), Comparison(0, 0, 0, 0))
    assert total == Comparison(15, 1, 3, 3)
    assert (total.first_errors, total.second_errors, total.discordant) == (4, 4, 6)


def test_flags_of_another_number_of_frames_are_refused(simulated, tmp_path):
    study, folder = simulated
    path = tmp_path / "short.sqlite"
    path.write_bytes(store_path(study, folder).read_bytes())
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("update batch set flags = ?", (zlib.compress(b"\1"),))
    with pytest.raises(
        StoreError, match=r"short\.sqlite is damaged \(batch 0 .*: 1 bytes of flags for 1,000"
    ):
        compare(study, "ml", "hard", path)


def test_a_comparison_in_words():
    found = Comparison(frames=40_000, both=1000, only_first=9, only_second=1)
    assert str(found) == (
        "of 40,000 frames 1,009 and 1,001 wrong, 9 by the first alone and 1 by the second alone, p = 0.021"
    )
    assert str(Comparison(frames=5000, both=0, only_first=5000, only_second=0)).endswith("p < 1e-300")
