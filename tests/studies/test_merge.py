import re
import sqlite3
from contextlib import closing

import pytest
from study_runs import results, run_all
from typer.testing import CliRunner

import fecnn
from fecnn.cli.app import app
from fecnn.errors import StoreError
from fecnn.simulation.stop import Stop
from fecnn.simulation.store import Store
from fecnn.studies.run import Merged, MergeError, store_path
from fecnn.studies.study import load_study

STUDY = """
title = "t"
code = "hamming-7-4"
ebn0_db = [1, 3]
batch = 64
stop = { block_errors = 150 }
[[curve]]
decoder = "ml"
[[curve]]
decoder = "hard"
stop = { frames = 5000 }
[[curve]]
decoder = "osd"
options = { order = 1 }
stop = { relative_width = 0.3 }
"""


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(STUDY)
    return load_study(path)


def make_shards(plan, folder, parts):
    for i in range(1, parts + 1):
        run_all(plan, store=store_path(plan, folder, (i, parts)), shard=(i, parts))


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_shards_that_are_pooled_have_the_counts_of_one_run(plan, tmp_path, parts):
    run_all(plan, store=tmp_path / "alone.sqlite")
    make_shards(plan, tmp_path, parts)
    merged = fecnn.merge(plan, folder=tmp_path)
    assert [part.path.name for part in merged] == [
        f"mine.shard-{i + 1}-of-{parts}.sqlite" for i in range(parts)
    ]
    assert all(part.added > 0 and part.known == 0 for part in merged)
    pooled = store_path(plan, tmp_path)
    before = results(plan, pooled)
    run_all(plan, store=pooled)  # the few batches that the shards did not foresee
    assert results(plan, pooled).equals(results(plan, tmp_path / "alone.sqlite"))
    assert before["frames"].sum() > 0.9 * results(plan, pooled)["frames"].sum()


def test_shards_make_different_batches_and_little_more_than_needed(plan, tmp_path):
    run_all(plan, store=tmp_path / "alone.sqlite")
    make_shards(plan, tmp_path, 4)
    with Store(tmp_path / "alone.sqlite") as file:
        alone = sum(1 for _ in file.rows())
    total = 0
    for i in range(1, 5):
        with Store(store_path(plan, tmp_path, (i, 4))) as file:
            made = [row["i"] for row in file.rows()]
        assert {index % 4 for index in made} == {i - 1}
        total += len(made)
    assert total < 1.8 * alone


def test_a_shard_does_not_make_what_the_study_has(plan, tmp_path):
    run_all(plan, store=store_path(plan, tmp_path))
    make_shards(plan, tmp_path, 2)
    for i in (1, 2):
        with Store(store_path(plan, tmp_path, (i, 2))) as file:
            assert list(file.rows()) == []


def test_merging_again_changes_nothing(plan, tmp_path):
    make_shards(plan, tmp_path, 2)
    first = fecnn.merge(plan, folder=tmp_path)
    with Store(store_path(plan, tmp_path)) as file:
        rows = list(file.rows())
    again = fecnn.merge(plan, folder=tmp_path)
    assert again == [Merged(part.path, 0, part.added) for part in first]
    with Store(store_path(plan, tmp_path)) as file:
        assert list(file.rows()) == rows
        flags = [file.flags(point.task, 0) for point in plan.points]
    with Store(store_path(plan, tmp_path, (1, 2))) as file:
        assert flags == [file.flags(point.task, 0) for point in plan.points]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("work = work + 1", r"second.sqlite and .*mine.sqlite disagree on batch 3 of task .*: work"),
        ("block_errors = block_errors + 1", "batch 3 of task .* contradicts itself: .* block errors"),
        ("flags = x'789c6360800000000800'", "the flags of batch 3"),
        ("ml_errors = 'many'", "impossible counts: ml_errors"),
    ],
)
def test_files_that_disagree_are_refused_and_nothing_is_taken(plan, tmp_path, change, said):
    run_all(plan, store=tmp_path / "first.sqlite")
    fecnn.merge(plan, [tmp_path / "first.sqlite"], tmp_path)
    run_all(plan, store=tmp_path / "second.sqlite")
    extra = (
        "insert into batch select task, i + 1000, "
        + ", ".join(
            "frames block_errors bit_errors bit_errors_sq code_bit_errors code_bit_errors_sq ml_errors work "
            "uncertified seconds refusals refused_errors flags version host time".split()
        )
        + " from batch"
    )
    with closing(sqlite3.connect(tmp_path / "second.sqlite")) as file:
        file.execute(extra)
        file.execute(f"update batch set {change} where i = 3")
        file.commit()
    with Store(store_path(plan, tmp_path)) as file:
        before = list(file.rows())
    with pytest.raises(StoreError, match=said) as refused:
        fecnn.merge(plan, [tmp_path / "second.sqlite"], tmp_path)
    assert "second.sqlite" in str(refused.value)
    with Store(store_path(plan, tmp_path)) as file:
        assert list(file.rows()) == before


def test_other_decoding_times_are_no_disagreement(plan, tmp_path):
    run_all(plan, store=tmp_path / "first.sqlite")
    run_all(plan, store=tmp_path / "second.sqlite", workers=2)
    first, second = fecnn.merge(plan, [tmp_path / "first.sqlite", tmp_path / "second.sqlite"], tmp_path)
    assert first.known == 0
    assert second.known >= first.added > 0


def test_a_broken_shard_is_refused_and_all_others_are_taken(plan, tmp_path):
    make_shards(plan, tmp_path, 3)
    (tmp_path / "mine.shard-2-of-3.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(MergeError, match=r"mine.shard-2-of-3.sqlite .*not a database") as refused:
        fecnn.merge(plan, folder=tmp_path)
    assert [part.path.name for part in refused.value.merged] == [
        "mine.shard-1-of-3.sqlite",
        "mine.shard-3-of-3.sqlite",
    ]
    with Store(store_path(plan, tmp_path)) as file:
        assert {row["i"] % 3 for row in file.rows()} == {0, 2}


def test_nothing_is_made_where_no_file_is_taken(plan, tmp_path):
    (tmp_path / "mine.shard-1-of-1.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(MergeError, match="not a database"):
        fecnn.merge(plan, folder=tmp_path)
    assert not store_path(plan, tmp_path).exists()


def test_a_file_of_another_study_is_refused(plan, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text(STUDY.replace("[1, 3]", "[2]"))
    run_all(load_study(other), store=tmp_path / "other.sqlite", seconds=0.5)
    with pytest.raises(StoreError, match=r"other.sqlite has only results of other studies, none of mine"):
        fecnn.merge(plan, [tmp_path / "other.sqlite"], tmp_path)
    assert not store_path(plan, tmp_path).exists()


def test_no_shards_are_an_error(plan, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no shards of mine in .*; create them with"):
        fecnn.merge(plan, folder=tmp_path)


@pytest.mark.parametrize("shard", [(0, 2), (3, 2), (1, 0)])
def test_a_shard_that_does_not_exist_is_refused(plan, tmp_path, shard):
    with pytest.raises(ValueError, match=re.escape(f"1 <= i <= N, got {shard[0]} of {shard[1]}")):
        run_all(plan, store=tmp_path / "r.sqlite", shard=shard)


def test_the_rule_of_a_share():
    stop = Stop(block_errors=200, frames=1001, relative_width=0.1, seconds=30.0)
    assert stop.share(1).frames == 1001
    share = stop.share(2)
    assert (share.block_errors, share.frames, share.seconds) == (120, 501, 15.0)
    needed = (2 * 1.96 / 0.1) ** 2
    assert (2 * 1.96 / share.relative_width) ** 2 == pytest.approx(needed / 2 + 2 * (needed / 2) ** 0.5)
    assert Stop(frames=10).share(3) == Stop(frames=4)


def test_estimates_are_pooled_and_left_to_the_last_run(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(STUDY + '[[curve]]\nlabel = "exact"\ndecoder = "ml"\nmethod = "rare"\nebn0_db = [6]\n')
    plan = load_study(path)
    make_shards(plan, tmp_path, 2)
    fecnn.merge(plan, folder=tmp_path)
    run_all(plan, store=tmp_path / "alone.sqlite")
    (point,) = plan.rare_points
    with Store(store_path(plan, tmp_path)) as file:
        assert file.estimate(point) is None
    for _ in range(2):
        fecnn.merge(plan, [tmp_path / "alone.sqlite"], tmp_path)
    with Store(store_path(plan, tmp_path)) as file, Store(tmp_path / "alone.sqlite") as alone:
        assert file.estimate(point) == alone.estimate(point) is not None


def test_a_shard_that_contradicts_itself_spoils_no_other(plan, tmp_path):
    make_shards(plan, tmp_path, 3)
    path = tmp_path / "mine.shard-2-of-3.sqlite"
    with closing(sqlite3.connect(path)) as file:
        file.execute("update batch set block_errors = block_errors - 1 where i = 1")
        file.commit()
    told = CliRunner().invoke(app, ["merge", str(plan.path), "--out", str(tmp_path)])
    assert told.exit_code == 1
    assert re.search(r"shard-2-of-3\.sqlite is damaged \(batch 1 of .* contradicts itself", told.output)
    for i in (1, 3):
        assert re.search(rf"shard-{i}-of-3\.sqlite: \d+ batches added, 0 already present", told.output)
    with Store(store_path(plan, tmp_path)) as file:
        assert {row["i"] % 3 for row in file.rows()} == {0, 2}
    # Made again, it is taken.
    path.unlink()
    run_all(plan, store=path, shard=(2, 3))
    assert CliRunner().invoke(app, ["merge", str(plan.path), "--out", str(tmp_path)]).exit_code == 0
    run_all(plan, store=store_path(plan, tmp_path))
    run_all(plan, store=tmp_path / "alone.sqlite")
    assert results(plan, store_path(plan, tmp_path)).equals(results(plan, tmp_path / "alone.sqlite"))
