"""Training sets for networks of others: what they hold is right, and they resume."""

import json
import subprocess
import sys

import h5py
import numpy as np
import oracles
import pytest
from scipy.io import loadmat
from typer.testing import CliRunner

import fecnn
from fecnn.arrays import hard
from fecnn.cli.app import app
from fecnn.training.labels import Labels, write_labels

CODE = fecnn.load_code("bch-15-7")


def llr_of(labels, y):
    return fecnn.AWGN.at(labels.ebn0_db, labels.code.rate).llr(y)


@pytest.mark.parametrize("messages", ["zero", "random"])
def test_labels_are_the_errors_that_exact_ml_sees(messages):
    labels = Labels(CODE, 2.0, messages=messages)
    made = labels.shard(0, 5000)
    assert (made["y"].dtype, made["e"].dtype) == (np.float32, np.int8)
    words = hard(made["y"]) ^ made["e"].astype(np.uint8)
    assert not CODE.syndrome(words).any()
    book = CODE.codebook()
    best = book[oracles.correlations(CODE, llr_of(labels, made["y"])).argmax(axis=1)]
    assert (words == best).all(axis=1).mean() > 0.999  # ties may be broken otherwise
    assert made["proved"].all()
    sent = made.get("sent", np.zeros_like(words))
    assert ("sent" in made) == (messages == "random")
    noise = made["y"] - fecnn.bpsk(sent)
    sigma = fecnn.AWGN.at(2.0, CODE.rate).sigma
    assert noise.std() == pytest.approx(sigma, rel=0.01)
    assert abs(noise.mean()) < 0.02
    wrong = (words != sent).any(axis=1).mean()
    assert 0 < wrong == pytest.approx(fecnn.ml_bler(CODE, 2.0).value, rel=0.15)


def test_posteriors_are_those_of_map():
    labels = Labels(CODE, 1.0, "map")
    made = labels.shard(3, 200)
    app = oracles.app(CODE, llr_of(labels, made["y"]).astype(np.float64), CODE.codebook())
    zero = 1 / (1 + np.exp(-app))
    expected = np.where(made["y"] < 0, zero, 1 - zero)
    np.testing.assert_allclose(made["p"], expected, atol=1e-5)
    assert "e" not in made


def test_sent_labels_are_the_true_errors():
    made = Labels(CODE, 1.0, "sent", "random").shard(0, 300)
    assert ((hard(made["y"]) ^ made["e"].astype(np.uint8)) == made["sent"]).all()


def test_shards_differ_and_are_functions_of_seed_and_number():
    labels = Labels(CODE, 2.0)
    first, second = labels.shard(0, 100)["y"], labels.shard(1, 100)["y"]
    assert not np.isin(first, second).any()
    assert (labels.shard(0, 100)["y"] == first).all()
    assert (Labels(CODE, 2.0, seed=2).shard(0, 100)["y"] != first).all()
    long = labels.shard(0, 10_000)
    assert (long["y"][:100] == first).all()


@pytest.mark.parametrize("suffix", [".npz", ".mat", ".h5"])
def test_files_resume_and_are_read_by_others(tmp_path, suffix):
    labels = Labels(CODE, 2.0)
    written = list(write_labels(labels, tmp_path, 2500, shard=1000, suffix=suffix))
    assert [count for _, count, _ in written] == [1000, 1000, 500]
    assert written[2][0].name == f"bch-15-7-ml-2dB-00002{suffix}"
    whole = labels.shard(1, 1000)
    before = written[1][0].read_bytes()
    written[1][0].unlink()
    stamps = [written[place][0].stat().st_mtime_ns for place in (0, 2)]
    assert list(write_labels(labels, tmp_path, 2500, shard=1000, suffix=suffix)) == written
    assert [written[place][0].stat().st_mtime_ns for place in (0, 2)] == stamps
    if suffix == ".npz":
        assert written[1][0].read_bytes() == before
        found = np.load(written[1][0])
        about = json.loads(str(found["about"]))
    elif suffix == ".mat":
        found = loadmat(written[1][0])
        about = json.loads(str(found["about"][0]))
    else:
        with h5py.File(written[1][0]) as file:
            found = {array: file[array][:] for array in file}
            about = json.loads(file.attrs["about"])
        assert found["proved"].dtype == np.bool_
    np.testing.assert_array_equal(found["y"], whole["y"])
    np.testing.assert_array_equal(found["e"], whole["e"])
    assert (found["y"].dtype, found["e"].dtype) == (np.float32, np.int8)
    assert (about["code"], about["shard"], about["not_proved"]) == ("bch-15-7", 1, 0)
    with pytest.raises(ValueError, match="is of another training set"):
        list(write_labels(Labels(CODE, 2.0, seed=7), tmp_path, 2500, shard=1000, suffix=suffix))
    written[0][0].write_bytes(written[0][0].read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"cannot be read as labels .*; delete it"):
        list(write_labels(labels, tmp_path, 2500, shard=1000, suffix=suffix))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"targets": "mal"}, "targets must be ml or map or sent, got 'mal'"),
        ({"messages": "all"}, "messages must be zero or random, got 'all'"),
    ],
)
def test_what_labels_cannot_be_is_said(wrong, said):
    with pytest.raises(ValueError, match=said):
        Labels(CODE, 2.0, **wrong)


def test_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = CliRunner()
    line = ["labels", "bch-15-7", "--ebn0-db", "3", "--frames", "700", "--shard", "400"]
    made = run.invoke(app, line)
    assert made.exit_code == 0, made.output
    assert made.stdout.split() == [f"fecnn-labels/bch-15-7-ml-3dB-0000{place}.npz" for place in (0, 1)]
    assert run.invoke(app, [*line, "--format", "xls"]).exit_code == 1
    assert run.invoke(app, ["labels", "nonsense", "--ebn0-db", "3"]).exit_code == 1
    assert sorted(path.name for path in (tmp_path / "fecnn-labels").iterdir()) == [
        f"bch-15-7-ml-3dB-0000{place}.npz" for place in (0, 1)
    ]


def test_labels_need_no_torch(tmp_path):
    script = (
        "import sys; sys.modules['torch'] = None\n"
        "import fecnn\nfrom fecnn.training.labels import Labels\n"
        "print(Labels(fecnn.load_code('bch-15-7'), 3.0).shard(0, 10)['e'].shape)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.strip() == "(10, 15)", done.stderr
