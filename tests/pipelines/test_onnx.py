"""Networks as ONNX files: the same decisions in onnxruntime, for batches of any size."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from shaken import shaken

import fecnn
from fecnn.errors import FecnnError
from fecnn.nets.card import Card, Model, read_card
from fecnn.nets.checkpoint import build, checks_digest, parameter_count, save
from fecnn.nets.from_llr import FromLLR, scaled

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")
from fecnn.pipelines import onnx  # noqa: E402

CODE = fecnn.load_code("bch-15-7")
EXAMPLE = Path(__file__).parents[2] / "examples" / "onnxruntime_decoder.py"
SMALL = {
    "ecct": {"layers": 2, "width": 8, "heads": 2},
    "crossmpt": {"layers": 2, "width": 8, "heads": 2},
    "fecnn-net": {"iterations": 2, "width": 8},
    "literature-slnn": {"hidden": [9]},
    "literature-mlnn": {"hidden": [9]},
}
LEVELS = [1.0, 2.0, 6.0]
"""Eb/N0 of their training in dB; its mean is 3."""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The file of each kind of network, its name and what the check found; all are written once."""
    folder = tmp_path_factory.mktemp("onnx")
    made = {}
    for kind in (*SMALL, "slnn", "mlnn"):
        name, code = kind, CODE
        if kind in SMALL:
            name, code = str(trained(kind, folder)), None
        path = folder / f"{kind}.onnx"
        made[kind] = path, name, onnx.export(name, path, code)
    return made


def trained(kind, folder):
    """A folder with a small network that nobody trained."""
    model = Model(kind=kind, options=SMALL[kind])
    network = shaken(build(model, CODE))
    card = Card(
        name=f"small-{kind}",
        code=CODE.name,
        fingerprint=CODE.fingerprint,
        checks=checks_digest(network),
        model=model,
        parameters=parameter_count(network),
        config={"code": CODE.name, "data": {"ebn0_db": LEVELS}},
        step=1,
        frames=1,
        finished=True,
        seconds=1.0,
        cpu_seconds=1.0,
        validations=[],
        versions={},
        weights_sha256="",
    )
    save(folder / kind, network, card)
    return folder / kind


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options)


def noisy(code, rng, ebn0_db, count):
    sent = code.encode(rng.integers(0, 2, (count, code.k), dtype=np.uint8))
    return fecnn.AWGN.at(ebn0_db, code.rate).transmit(sent, rng)


def by_fecnn(kind, name, code, llr):
    """Code bits by `fecnn.decoder`, which without a channel scales frames as the file does."""
    return fecnn.decoder(kind, code, **({} if kind in ("slnn", "mlnn") else {"weights": name}))(llr)


@pytest.mark.parametrize("kind", [*SMALL, "slnn", "mlnn"])
def test_decisions_are_those_of_the_decoder(kind, files, rng):
    path, name, checked = files[kind]
    assert checked.frames == 324
    assert checked.equal_bits == checked.bits == checked.frames * CODE.n
    assert checked.difference < onnx.TOLERANCE
    decode = session(path)
    for ebn0_db in (0.0, 6.0):
        llr = noisy(CODE, rng, ebn0_db, 2000)
        bits, logits = decode.run(["bits", "logits"], {"llr": llr})
        assert bits.dtype == np.uint8
        assert logits.dtype == np.float32
        assert (bits == by_fecnn(kind, name, CODE, llr)).all()
        for rows in (0, 1, 7, 1000):
            part, of_part = decode.run(["bits", "logits"], {"llr": llr[:rows]})
            assert (part == bits[:rows]).all()
            assert np.allclose(of_part, logits[:rows], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", [*SMALL, "slnn"])
def test_the_unit_of_llrs_does_not_matter_and_zeros_are_decoded(kind, files, rng):
    decode = session(files[kind][0])
    llr = noisy(CODE, rng, 2.0, 100)
    for unit in (2.0**-60, 2.0**40):
        assert (decode.run(["bits"], {"llr": llr * unit})[0] == decode.run(["bits"], {"llr": llr})[0]).all()
    bits, logits = decode.run(None, {"llr": np.zeros((1, CODE.n), np.float32)})
    assert not np.isnan(logits).any()
    assert not CODE.syndrome(bits).any()


@pytest.mark.parametrize("kind", [*SMALL, "slnn", "mlnn"])
def test_the_file_says_what_it_is(kind, files):
    path, name, _ = files[kind]
    said = session(path).get_modelmeta().custom_metadata_map
    assert said["kind"] == kind
    assert (said["code"], said["n"], said["k"]) == ("bch-15-7", "15", "7")
    assert said["fingerprint"] == CODE.fingerprint
    assert said["fecnn.version"] == fecnn.__version__
    assert "positive means bit 0" in said["llr"]
    if kind in SMALL:
        assert said["network"] == f"small-{kind}"
        assert said["weights_sha256"] == read_card(Path(name)).weights_sha256
        assert "the mean of |llr| of each frame is scaled to" in said["scale"]
    else:
        assert len(said["weights_sha256"]) == 64
    assert said["logits"] == onnx.LOGITS[kind]
    assert str(Path.cwd()) not in path.read_bytes().decode("latin1")


def test_fecnn_net_of_the_zoo_decides_alike(tmp_path, rng, call):
    """Its messages are in float64 in the file: with the same commands, the same bytes."""
    done = call("export-onnx", "fecnn-net-bch-31-16")
    assert "agree in 10,044 of 10,044 bits of 324 random frames" in done.stdout
    assert not done.stderr
    path = tmp_path / "fecnn-net-bch-31-16.onnx"
    code = fecnn.load_code("bch-31-16")
    card = read_card(fecnn.nets.card.ZOO / path.stem)
    decoder = FromLLR(fecnn.network(path.stem), code, card.magnitude(code)).eval()
    channel = fecnn.AWGN.at(3.25, code.rate)
    received = np.abs(1 + channel.sigma * rng.standard_normal(10**6)).mean()
    assert decoder.magnitude == pytest.approx(received, rel=2e-3)
    llr = np.concatenate([noisy(code, rng, ebn0_db, 500) for ebn0_db in (1.0, 5.0)])
    with torch.inference_mode():
        bits, exact = (part.numpy() for part in decoder(torch.from_numpy(llr)))
        y = scaled(torch.from_numpy(llr), decoder.magnitude).numpy()
    for rows in (1000, 7):
        part, logits = session(path).run(None, {"llr": llr[:rows]})
        assert (part == bits[:rows]).all()
        assert np.abs(logits - exact[:rows]).max() < 1e-4
    decode = fecnn.decoder("fecnn-net", code, channel)
    assert (decode(y * np.float32(2 / channel.sigma**2)) == bits).all(axis=1).sum() >= 999


def test_the_same_network_has_the_same_bytes(files, tmp_path):
    path, name, _ = files["ecct"]
    onnx.export(name, tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == path.read_bytes()


def test_what_cannot_be_exported_is_refused(call, tmp_path, monkeypatch):
    def said(*arguments):
        return call("export-onnx", *arguments, code=1).stderr

    assert "no trained network 'ecct-bch-31-61'" in said("ecct-bch-31-61")
    assert "slnn is made for a code" in said("slnn")
    assert "2^45 words of 63 bits, too large for a file" in said("mlnn", "--code", "bch-63-45")
    assert "was trained for the code bch-31-16" in said("ecct-bch-31-16", "--code", "bch-31-21")
    assert "there is no folder nowhere" in said("slnn", "--code", "hamming-7-4", "-o", "nowhere/a.onnx")
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "onnxscript", None)
        assert "an ONNX file needs onnxscript: pip install 'fecnn[onnx]'" in said("ecct-bch-31-16")
    assert not list(tmp_path.glob("**/*.onnx"))


def test_a_file_that_disagrees_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx, "_checked", lambda *_: onnx.Checked(900, 0.5, 6300, 6000))
    with pytest.raises(FecnnError, match=r"was not written: logits differ by up to 5.0e-01, and 300 of 6300"):
        onnx.export("slnn", tmp_path / "a.onnx", fecnn.hamming(3))
    assert not list(tmp_path.iterdir())


def test_networks_by_name():
    assert not fecnn.network("ecct-bch-31-16").training
    probabilities = fecnn.network("mlnn", CODE)(torch.tensor([[9.0] * 15]))
    assert probabilities.shape == (1, 7)
    assert (probabilities < 0.5).all()
    with pytest.raises(LookupError, match="did you mean ecct-bch-31-16"):
        fecnn.network("ecct-bch-31-15")


def test_the_example_runs(tmp_path):
    done = subprocess.run(
        [sys.executable, EXAMPLE], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    first, second = (line.partition("BLER")[2] for line in done.stdout.splitlines()[-2:])
    assert abs(int(first.split()[3]) - int(second.split()[3])) <= 4
