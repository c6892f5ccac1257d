"""Trained weights: what is loaded, and what is refused by name."""

import hashlib
import json
import os
import pickle
import shutil
import struct
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hostile.traps import Trap, torch_pickle
from safetensors.torch import load_file, save_file
from trainings import plan, whole

import fecnn
from fecnn.channels.stream import STREAM
from fecnn.decoders.trained import scaled_frames
from fecnn.errors import CheckpointError, StaleError
from fecnn.nets.card import CARD, PINNED, WEIGHTS, checkpoint_folder, network_version, read_card, zoo_names
from fecnn.nets.checkpoint import load
from fecnn.simulation.store import Store
from fecnn.simulation.task import build_decoder
from fecnn.studies.study import load_study
from fecnn.testing import check_decoder
from fecnn.training.recipe import load_training, training_of


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "small"
    whole(plan(), folder)
    return folder


@pytest.fixture
def copy(trained, tmp_path):
    """A copy that a test may damage."""
    folder = tmp_path / "copy"
    folder.mkdir()
    for name in (WEIGHTS, CARD):
        (folder / name).write_bytes((trained / name).read_bytes())
    return folder


def refused(folder, code="hamming-7-4", **options):
    code = fecnn.load_code(code) if isinstance(code, str) else code
    with pytest.raises(CheckpointError) as caught:
        fecnn.decoder("fecnn-net", code, fecnn.AWGN.at(4.0, code.rate), weights=str(folder), **options)
    return str(caught.value)


def test_a_network_comes_back_bit_for_bit(trained):
    network, card = load(trained, fecnn.load_code("hamming-7-4"))
    assert card.name == "small"
    assert not network.training
    for name, tensor in load_file(trained / WEIGHTS).items():
        assert torch.equal(network.state_dict()[name], tensor)


def test_another_code_is_refused(trained):
    assert "hamming-15-11" in refused(trained, "hamming-15-11")


def test_another_parity_check_matrix_is_refused(trained):
    code = fecnn.load_code("hamming-7-4")
    H = code.H.copy()
    H[0] ^= H[1]
    assert "trained for the code" in refused(trained, fecnn.Code(code.G, H, name="other-H"))


def test_checks_that_are_not_those_of_training_are_refused(copy):
    edit(copy, checks="0" * 64)
    assert "parity checks" in refused(copy)


@pytest.mark.parametrize("keep", [0, 7, 100, -1])
def test_truncated_weights_are_refused(copy, keep):
    path = copy / WEIGHTS
    path.write_bytes(path.read_bytes()[:keep])
    assert "weights.safetensors is damaged" in refused(copy)
    edit(copy, weights_sha256=sha256(path))
    assert "not a complete safetensors file" in refused(copy)


def test_weights_of_another_card_are_refused(copy):
    tensors = load_file(copy / WEIGHTS)
    tensors["norm"] += 1
    save_file(tensors, copy / WEIGHTS)
    assert "SHA-256" in refused(copy)


def test_tensors_that_do_not_fit_are_refused(copy):
    tensors = load_file(copy / WEIGHTS)
    for change in ({"norm": torch.ones(5, 1)}, {"extra": torch.ones(1)}, {"verdict": None}):
        changed = {name: t for name, t in {**tensors, **change}.items() if t is not None}
        save_file(changed, copy / WEIGHTS)
        edit(copy, weights_sha256=sha256(copy / WEIGHTS))
        assert next(iter(change)) in refused(copy)


def test_checks_that_the_code_does_not_have_are_refused(copy):
    tensors = load_file(copy / WEIGHTS)
    tensors["supports"][0, 0] = (tensors["supports"][0, 0] + 1) % 7
    save_file(tensors, copy / WEIGHTS)
    edit(copy, weights_sha256=sha256(copy / WEIGHTS))
    code = fecnn.load_code("hamming-7-4")
    with pytest.raises(ValueError, match=r"parity checks|trained on other"):
        load(copy, code)


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda card: card.pop("seconds"), "seconds"),
        (lambda card: card.update(step="many"), "step"),
        (lambda card: card.update(pickle="cos\nsystem"), "pickle"),
        (lambda card: card.update(format=2), "format"),
    ],
)
def test_damaged_cards_are_refused(copy, damage, named):
    card = json.loads((copy / CARD).read_text())
    damage(card)
    (copy / CARD).write_text(json.dumps(card))
    said = refused(copy)
    assert CARD in said
    assert named in said


def test_half_a_card_is_refused(copy):
    text = (copy / CARD).read_bytes()
    for keep in (0, len(text) // 2):
        (copy / CARD).write_bytes(text[:keep])
        assert CARD in refused(copy)


def test_a_pickle_is_not_run(copy, tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    torch.save({"norm": Trap()}, copy / WEIGHTS)
    edit(copy, weights_sha256=sha256(copy / WEIGHTS))
    refused(copy)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"width": 10**12}, "parameters"),
        ({"width": "wide"}, "width"),
        ({"reference_ebn0_db": 1e300}, "ebn0_db"),
        ({"module": "os"}, "no option 'module'"),
    ],
)
def test_a_card_of_a_network_that_cannot_be_built_is_refused(copy, options, words):
    edit(copy, model={"kind": "fecnn-net", "options": options})
    said = refused(copy)
    assert f"{copy / CARD}: this network cannot be built" in said
    assert words in said


@pytest.mark.parametrize("kind", ["os:system", "sprung:Network", "torch.load", "__import__"])
def test_a_card_does_not_name_what_is_run(copy, monkeypatch, kind):
    """Architectures come from a list; a module beside the card, with its name in the card, stays unread."""
    (copy / "sprung.py").write_text(f"open({str(copy / 'ran')!r}, 'w')\n")
    monkeypatch.syspath_prepend(copy)
    edit(copy, model={"kind": kind, "options": {}}, config={"model": {"kind": kind}}, versions={kind: kind})
    assert f"no model '{kind}'" in refused(copy)
    assert not (copy / "ran").exists()
    assert "sprung" not in sys.modules


@pytest.mark.parametrize("name", [WEIGHTS, CARD])
@pytest.mark.parametrize("form", ["pickle", "torch"])
def test_a_pickle_is_refused_whatever_it_is_called(copy, tmp_path, name, form):
    trap = Trap(str(tmp_path / "sprung"))
    content = pickle.dumps(trap) if form == "pickle" else torch_pickle(tmp_path / "sprung")
    assert os.mkdir.__name__.encode() in content  # it would go off
    (copy / name).write_bytes(content)
    if name == WEIGHTS:
        edit(copy, weights_sha256=sha256(copy / WEIGHTS))
    assert name in refused(copy)
    assert not (tmp_path / "sprung").exists()


def test_numbers_of_another_type_or_none_at_all_are_refused(copy):
    tensors = load_file(copy / WEIGHTS)
    for name, values, words in (
        ("norm", tensors["norm"].double(), "norm differ"),
        ("norm", tensors["norm"] * torch.nan, "NaN or infinite numbers in norm"),
        ("supports", tensors["supports"].float(), "supports must be int16, got torch.float32"),
        ("supports", tensors["supports"].bfloat16(), "supports must be int16"),
        ("supports", tensors["supports"].repeat(100_000, 1), "supports must be at most 262144 orbits"),
    ):
        save_file({**tensors, name: values}, copy / WEIGHTS)
        edit(copy, weights_sha256=sha256(copy / WEIGHTS))
        assert words in refused(copy)


def test_a_card_with_another_number_of_parameters_is_refused(copy):
    edit(copy, parameters=10**9)
    assert "says 1000000000 parameters, but this network has" in refused(copy)


def test_huge_files_are_not_read(copy):
    with (copy / WEIGHTS).open("r+b") as file:
        file.truncate(2 << 30)  # a hole: takes no room
    assert "weights.safetensors has more than" in refused(copy)
    with (copy / CARD).open("r+b") as file:
        file.truncate(2 << 30)
    assert "card.json has more than" in refused(copy)


@pytest.mark.parametrize("size", [0, 10**9, 2**63, 2**64 - 1])
def test_headers_that_claim_any_size_are_refused(copy, size):
    header = json.dumps({"norm": {"dtype": "F32", "shape": [size, size], "data_offsets": [0, size]}}).encode()
    for length in (len(header), size):
        (copy / WEIGHTS).write_bytes(struct.pack("<Q", length) + header)
        edit(copy, weights_sha256=sha256(copy / WEIGHTS))
        assert "weights.safetensors" in refused(copy)


def test_the_network_of_another_decoder_is_refused(trained):
    code = fecnn.load_code("hamming-7-4")
    with pytest.raises(CheckpointError, match="fecnn-net, not ecct"):
        fecnn.decoder("ecct", code, fecnn.AWGN.at(4.0, code.rate), weights=str(trained))


def test_pinned_weights_are_checked(trained):
    code = fecnn.load_code("hamming-7-4")
    study = trained.parent / "pinned.toml"
    study.write_text(
        'title = "t"\ncode = "hamming-7-4"\nebn0_db = [3]\n[[curve]]\ndecoder = "fecnn-net"\n'
        f'options = {{ weights = "{trained}" }}\n'
    )
    task = load_study(study).points[0].task
    build_decoder(task, code)
    with pytest.raises(CheckpointError, match=f"have SHA-256 {task.weights.sha256}, not the ffff"):
        build_decoder(replace(task, weights=replace(task.weights, sha256="f" * 64)), code)


@pytest.mark.parametrize("name", ["fecnn-net-bch-31-16", "ecct-bch-31-16", "mlnn-100-hamming-7-4"])
def test_without_a_noise_level_neither_it_nor_the_scale_of_the_llrs_matters(name, rng):
    card = read_card(checkpoint_folder(name))
    code = fecnn.load_code(card.code)
    channel = fecnn.AWGN.at(3.0, code.rate)
    codewords = code.encode(rng.integers(0, 2, (4000, code.k), dtype=np.uint8))
    llr = channel.transmit(codewords, rng)
    told = fecnn.decoder(card.model.kind, code, channel, weights=name)
    estimated = fecnn.decoder(card.model.kind, code, weights=name)
    errors = [int((decode(llr) != codewords).any(axis=1).sum()) for decode in (told, estimated)]
    assert errors[1] <= 1.1 * errors[0]
    llr = llr[:400]
    for scale in (0.25, 2.0**10, 2.0**-40):
        assert (estimated(llr * np.float32(scale)) == estimated(llr)).all()
    assert (estimated.at(channel)(llr) == told(llr)).all()
    assert (estimated(llr, channel=channel) == told(llr)).all()
    quarter = fecnn.AWGN(channel.sigma * 2)  # LLRs of twice the noise are a quarter
    assert (told(llr / 4, channel=quarter) == told(llr)).all()


def test_known_and_erased_bits_do_not_change_the_scale(rng):
    code = fecnn.load_code("bch-31-16")
    llr = fecnn.AWGN.at(4.0, code.rate).transmit(np.zeros((500, 31), np.uint8), rng)
    decode = fecnn.decoder("fecnn-net", code)
    known = llr.copy()
    known[:, :3] = np.inf
    assert decode(known).any(axis=1).sum() <= decode(llr).any(axis=1).sum()
    assert not decode(np.zeros((2, 31))).any()
    y = scaled_frames(np.float32([[4, -4, 1e6, 4], [0, 0, 0, 0], [0, 0, 0, 2]]), 1.0)
    assert y.tolist() == [[1, -1, 10, 1], [0, 0, 0, 0], [0, 0, 0, 4]]


@pytest.mark.parametrize(
    "channel",
    [fecnn.BSC.at(6.0, 0.5), fecnn.Rayleigh.at(9.0, 0.5), fecnn.AWGN.at(6.0, 0.5, modulation="16qam")],
)
def test_networks_decode_other_channels(channel, rng):
    code = fecnn.load_code("bch-31-16")
    codewords = code.encode(rng.integers(0, 2, (2000, code.k), dtype=np.uint8))
    llr = channel.transmit(codewords, rng)
    errors = {
        name: int((fecnn.decoder(name, code, channel)(llr) != codewords).any(axis=1).sum())
        for name in ("fecnn-net", "ml", "hard-ml")
    }
    assert errors["ml"] <= errors["fecnn-net"] < 2 * errors["ml"] + 20, errors
    told, untold = (fecnn.decoder("fecnn-net", code, it)(llr) for it in (channel, None))
    assert (told == untold).all(), "the noise level of another channel is taken for that of BPSK over AWGN"


def test_unknown_names_are_answered_with_the_nearest(tmp_path):
    with pytest.raises(LookupError, match="fecnn-net-bch-31-16"):
        checkpoint_folder("fecnn-net-bch-31-61")
    with pytest.raises(FileNotFoundError, match=CARD):
        checkpoint_folder(tmp_path)


def test_the_decoder_keeps_the_contract(trained):
    check_decoder("fecnn-net", fecnn.load_code("hamming-7-4"), weights=str(trained))


def test_known_bits_are_no_trouble(trained, rng):
    code = fecnn.load_code("hamming-7-4")
    channel = fecnn.AWGN.at(2.0, code.rate)
    decode = fecnn.decoder("fecnn-net", code, channel, weights=str(trained))
    sent = code.encode(rng.integers(0, 2, (2000, 4), dtype=np.uint8))
    llr = channel.transmit(sent, rng)
    known = np.where(np.arange(7) < 3, np.inf * fecnn.bpsk(sent), llr).astype(np.float32)
    wrong, wrong_before = ((decode(x) != sent).any(axis=1).sum() for x in (known, llr))
    assert wrong < wrong_before
    assert (decode(np.inf * fecnn.bpsk(sent)) == sent).all()


def test_codewords_pass_and_scale_is_undone(trained, rng):
    """The same y at another noise level is the same to the network."""
    code = fecnn.load_code("hamming-7-4")
    y = (1 + 0.5 * rng.standard_normal((500, 7))).astype(np.float32)
    decided = []
    for ebn0_db in (0.0, 4.0):
        channel = fecnn.AWGN.at(ebn0_db, code.rate)
        decided.append(fecnn.decoder("fecnn-net", code, channel, weights=str(trained))(channel.llr(y)))
    assert (decided[0] == decided[1]).mean() > 0.999
    words = code.codebook()
    assert (fecnn.decoder("fecnn-net", code, channel, weights=str(trained))(fecnn.bpsk(words)) == words).all()


def test_a_study_pins_weights_wherever_they_lie(trained, copy, tmp_path):
    tasks = []
    for folder in (trained, copy):
        study = tmp_path / "study.toml"
        study.write_text(
            'title = "t"\ncode = "hamming-7-4"\nebn0_db = [3]\n[[curve]]\ndecoder = "fecnn-net"\n'
            f'options = {{ weights = "{folder}" }}\n'
        )
        tasks.append(load_study(study).points[0].task)
    first, second = tasks
    assert first.weights.sha256 == read_card(trained).weights_sha256
    assert first.weights.place != second.weights.place
    assert (first.id, first.stream) == (second.id, second.stream)
    study.write_text(
        'title = "t"\ncode = "hamming-7-4"\nebn0_db = [3]\n[[curve]]\ndecoder = "fecnn-net"\n'
        '[[curve]]\ndecoder = "literature-slnn"\noptions = { weights = "./none" }\n'
    )
    with pytest.raises(ValueError, match=r"fecnn-net-hamming-7-4(.|\n)*none"):
        load_study(study)


# The same tensors may be another function


@pytest.fixture
def heads(tmp_path):
    """A transformer of the zoo in a folder of one's own, and what a study of it finds."""
    folder = tmp_path / "net"
    shutil.copytree(checkpoint_folder("ecct-bch-63-51"), folder)
    path = tmp_path / "heads.toml"
    path.write_text(
        'title = "t"\ncode = "bch-63-51"\nebn0_db = [2]\nbatch = 256\nstop = { frames = 512 }\n'
        '[[curve]]\ndecoder = "ecct"\noptions = { weights = "./net" }\n'
    )

    def errors(store, plan=None, **options):
        steps = list(fecnn.run(plan or load_study(path), store=tmp_path / store, **options))
        return steps[-1].total.block_errors

    return folder, path, errors


def change_model(folder, everywhere, **options):
    """Options of the model in a card, or also in the configuration that the card quotes."""
    card = json.loads((folder / CARD).read_text())
    model = {"kind": "ecct", "options": card["model"]["options"] | options}
    config = card["config"] | ({"model": model} if everywhere else {})
    edit(folder, model=model, config=config)


@pytest.mark.parametrize("everywhere", [False, True])
@pytest.mark.parametrize("heads_", [1, 4])
def test_a_card_that_was_changed_is_another_network(heads, heads_, everywhere):
    folder, path, errors = heads
    original, before = errors("r.sqlite"), load_study(path)
    change_model(folder, everywhere, heads=heads_)
    with pytest.raises(ValueError, match=r"the card of .*net has changed since the study was loaded"):
        errors("r.sqlite", before)
    with pytest.raises(StaleError, match=r"2 batches of curve ecct \(weights ./net\) by another version"):
        errors("r.sqlite")
    changed = errors("other.sqlite")
    assert changed != original
    assert errors("r.sqlite", fresh=True) == changed
    change_model(folder, everywhere, heads=8)  # said now, but what it was
    with Store(folder.parent / "r.sqlite") as store:
        assert store.stale(before.points) == {"ecct (weights ./net)": 2}
    assert errors("r.sqlite", before_of(folder, path)) == original


def before_of(folder, path):
    """The study with the card of the zoo again."""
    shutil.copy(checkpoint_folder("ecct-bch-63-51") / CARD, folder / CARD)
    return load_study(path)


def test_a_card_with_other_checks_is_refused(heads):
    folder, _, errors = heads
    errors("r.sqlite")
    change_model(folder, False, checks="systematic")
    with pytest.raises(ValueError, match="other parity checks"):
        errors("r.sqlite")


def test_results_of_the_older_zoo_are_named_by_weights_alone(heads):
    """Those made before cards were looked at, wherever the network lies."""
    folder, path, _ = heads
    assert sum(network_version(name) is None for name in zoo_names()) == len(PINNED)
    assert network_version(folder) is None
    (task,) = (point.task for point in load_study(path).points)
    content = {
        "fingerprint": task.fingerprint,
        "channel": "awgn",
        "decoder": "ecct",
        "options": [["weights_sha256", sha256(folder / WEIGHTS)]],
        "ebn0_db": 2.0,
        "seed": 1,
        "batch": 256,
        "stream": STREAM,
    }
    assert task.id == hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def test_the_zoo_is_whole_and_light():
    sizes = [file.stat().st_size for name in zoo_names() for file in checkpoint_folder(name).iterdir()]
    assert sum(sizes) < 11e6
    for name in zoo_names():
        folder = checkpoint_folder(name)
        card = read_card(folder)
        code = fecnn.load_code(card.code)
        network, _ = load(name, code)
        assert card.name == name
        assert card.finished
        assert training_of(card.config, "card") == load_training(name)
        assert card.parameters == sum(p.numel() for p in network.parameters())
        kept = Path(__file__).parents[2] / "fecnn/nets/zoo" / name  # a wheel has no pages and figures
        assert {file.name for file in kept.iterdir()} == {
            CARD, WEIGHTS, "README.md", "curve.svg", "train.toml"
        }  # fmt: skip
        channel = fecnn.AWGN.at(8.0, code.rate)
        decode = fecnn.decoder(card.model.kind, code, channel, weights=name)
        words = code.encode(np.eye(code.k, dtype=np.uint8))
        decided = decode(channel.llr(fecnn.bpsk(words)))
        assert (decided == (words if decided.shape[1] == code.n else np.eye(code.k))).all(), name


def edit(folder, **changes):
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps({**card, **changes}))


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
