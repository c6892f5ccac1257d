"""Training: batches that are functions of the step, resuming, and what configurations are refused."""

import json
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from trainings import DENSE, ECCT, SMALL, SPELT_OUT, plan, whole

import fecnn
from fecnn.arrays import hard
from fecnn.codes.automorphism import automorphisms
from fecnn.errors import CheckpointError
from fecnn.nets.card import checkpoint_folder, read_card, zoo_names
from fecnn.nets.checkpoint import load
from fecnn.nets.device import has_bfloat16
from fecnn.training.frames import Source
from fecnn.training.recipe import PRESETS, load_training, training_of
from fecnn.training.train import STATE
from fecnn.training.trainer import Trainer


def weights(folder):
    return load_file(folder / "weights.safetensors")


def same(a, b):
    return a.keys() == b.keys() and all((a[name] == b[name]).all() for name in a)


@pytest.mark.parametrize("content", [SMALL, DENSE, ECCT], ids=lambda content: content["name"])
def test_stopping_and_going_on_changes_nothing(tmp_path, content):
    training = plan(content)
    card = whole(training, tmp_path / "once")
    assert card.finished
    assert card.step == training.steps
    for _ in range(training.steps):
        again = whole(training, tmp_path / "often", seconds=0)  # a step a sitting
    assert again.finished
    assert same(weights(tmp_path / "once"), weights(tmp_path / "often"))
    assert same(load_file(tmp_path / "once" / STATE), load_file(tmp_path / "often" / STATE))
    assert [v.points for v in again.validations] == [v.points for v in card.validations]


def test_a_killed_training_ends_with_the_same_weights(tmp_path):
    """SIGKILL at random instants; the command goes on each time."""
    config = tmp_path / "small.toml"
    config.write_text(
        'name = "small"\ncode = "hamming-7-4"\nrecipe = "improved"\nsteps = 1500\nsave_every = 20\n'
        "check = { every = 500, ebn0_db = [2.0], frames = 200 }\n"
        '[model]\nkind = "fecnn-net"\noptions = { iterations = 1, width = 4 }\n'
    )

    def start(out):
        run = [sys.executable, "-c", "from fecnn.cli.app import app; app()"]
        command = [*run, "train", str(config), "--out", str(tmp_path / out)]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    whole(load_training(config), tmp_path / "whole" / "small")
    rng = random.Random(5)
    state = tmp_path / "killed" / "small" / STATE
    kills = 0
    while True:
        process = start("killed")
        seen = state.stat().st_mtime_ns if state.exists() else 0
        while process.poll() is None and (not state.exists() or state.stat().st_mtime_ns == seen):
            time.sleep(0.01)
        if process.poll() is None and kills < 3:
            time.sleep(rng.random() * 0.15)  # it is at work: strike
            process.send_signal(signal.SIGKILL)
            kills += 1
        _, said = process.communicate()
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, said
    assert kills == 3
    assert same(weights(tmp_path / "whole" / "small"), weights(tmp_path / "killed" / "small"))


def test_batches_depend_on_the_step_alone():
    training = plan()
    code = training.load_code()
    one, other = Source(training, code), Source(training, code)
    late = one.batch(7)
    other.batch(3)
    again = other.batch(7)
    assert (late.y == again.y).all()
    assert (late.answer == again.answer).all()
    assert (one.batch(8).y != late.y).all()


def test_a_fixed_set_is_gone_through_whole_in_a_new_order():
    training = plan(DENSE)
    source = Source(training, training.load_code())
    epochs = [np.concatenate([source.batch(e * 10 + s).y for s in range(10)]) for e in range(2)]
    assert (epochs[0] != epochs[1]).any()
    assert {tuple(y) for y in epochs[0]} == {tuple(y) for y in epochs[1]}
    assert len(np.unique(epochs[0], axis=0)) == 640


@pytest.mark.parametrize("targets", ["sent", "ml", "map"])
@pytest.mark.parametrize("messages", ["zero", "random"])
@pytest.mark.parametrize("augment", [False, True])
def test_answers_are_errors(targets, messages, augment):
    training = plan(
        code="bch-15-7",
        batch=2000,
        data={"targets": targets, "messages": messages, "augment": augment, "ebn0_db": [3.0]},
    )
    code = training.load_code()
    frames = Source(training, code).batch(0)
    answer = frames.answer
    decided = hard(frames.y) ^ (answer > 0.5).astype(np.uint8)
    if targets != "map":
        assert not code.syndrome(decided).any()
        assert decided.any() == (messages == "random" or targets == "ml")
    else:
        assert ((answer > 0) & (answer < 1)).mean() > 0.9
        # Calibrated: as many errors as the probabilities promise.
        sent = Source(
            plan(code="bch-15-7", batch=2000, data={**training.data.model_dump(), "targets": "sent"}), code
        )
        errors = sent.batch(0).answer
        assert abs(errors.sum() - answer.sum()) < 4 * np.sqrt((answer * (1 - answer)).sum())
    if targets == "ml":
        llr = frames.y * np.float32(2 / fecnn.AWGN.at(3.0, code.rate).sigma ** 2)
        assert (fecnn.decoder("ml", code)(llr) == decided).all()


def test_a_small_network_learns(tmp_path):
    training = plan(steps=300, batch=128, check={"every": 300, "ebn0_db": [4.0], "frames": 20_000})
    card = whole(training, tmp_path)
    point = card.validations[-1].points[0]
    assert point.ml_block_errors <= point.block_errors < 1.5 * point.ml_block_errors
    code = training.load_code()
    decode = fecnn.decoder("fecnn-net", code, fecnn.AWGN.at(4.0, code.rate), weights=str(tmp_path))
    assert (decode(8 * fecnn.bpsk(code.codebook())) == code.codebook()).all()


def test_plateaus_lower_the_rate_and_patience_ends_it():
    training = plan(
        DENSE, steps=400, optimiser={"rate": 1e-12, "patience": 2}, early_stop={"patience": 6, "delta": 1.0}
    )
    trainer = Trainer(training)
    while not trainer.finished:
        trainer.advance()
    assert trainer.state.stopped
    assert trainer.state.step == 70  # one epoch of 10 sets the mark, six do not better it
    assert trainer.state.plateau_factor <= 0.1


def test_the_rate_warms_up_and_falls():
    trainer = Trainer(plan(steps=1000, optimiser={"warmup": 100, "rate": 0.01, "final_rate": 1e-4}))
    rates = []
    for step in range(1000):
        trainer.state.step = step
        rates.append(trainer._rate())
    assert rates[0] == pytest.approx(0.01 / 101)
    assert max(rates) == pytest.approx(rates[100]) == pytest.approx(0.01)
    assert rates[99] < rates[100] > rates[101]
    assert rates[-1] == pytest.approx(1e-4, rel=0.01)


def test_losing_the_numbers_is_said(tmp_path):
    training = plan(DENSE, optimiser={"rate": 1e30})
    with pytest.raises(FloatingPointError, match="lower rate"):
        whole(training, tmp_path)


def test_a_checkpoint_with_other_automorphisms_is_refused(tmp_path, monkeypatch):
    """Frames would be moved by other permutations from here on."""
    training = plan(code="bch-15-7", data={"augment": True})
    whole(training, tmp_path, seconds=0)
    whole(training, tmp_path, seconds=0)
    monkeypatch.setattr("fecnn.training.train.automorphisms", lambda code: automorphisms(code)[:1])
    with pytest.raises(CheckpointError, match=r"of another configuration \(automorphisms differ\)"):
        whole(training, tmp_path, seconds=0)


def test_a_checkpoint_of_another_configuration_is_refused(tmp_path):
    whole(plan(), tmp_path)
    with pytest.raises(CheckpointError, match=r"optimiser.*another name or folder"):
        whole(plan(optimiser={"rate": 0.5}), tmp_path)
    whole(plan(device="cpu", save_every=7), tmp_path)  # these decide nothing


@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_a_truncated_checkpoint_is_refused_by_name(tmp_path, keep):
    whole(plan(), tmp_path)
    path = tmp_path / STATE
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=STATE):
        whole(plan(), tmp_path)


def test_a_checkpoint_that_says_anything_else_is_refused_by_name(tmp_path):
    """Whatever its metadata and its optimiser's memory claim."""
    whole(plan(), tmp_path)
    path = tmp_path / STATE
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    tensors = load_tensors(path.read_bytes())
    memory = next(name for name in tensors if name.endswith("exp_avg"))
    half = memory.removesuffix("exp_avg")
    state = json.loads(metadata["state"]) | {"step": 3}
    metadata["state"] = json.dumps(state)
    for said, held in (
        ({**metadata, "config": "[" * 100_000}, tensors),
        ({**metadata, "config": "3"}, tensors),
        ({"config": metadata["config"]}, tensors),
        ({**metadata, "state": json.dumps({**state, "step": -1})}, tensors),
        ({**metadata, "state": json.dumps({**state, "step": 10**30})}, tensors),
        ({**metadata, "state": json.dumps({**state, "plateau_factor": 1e300})}, tensors),
        (metadata, {**tensors, "optimiser.x.exp_avg": tensors[memory].clone()}),
        (metadata, {**tensors, "optimiser.999.exp_avg": tensors[memory].clone()}),
        (metadata, {**tensors, memory: torch.zeros(3)}),
        (metadata, {name: tensor for name, tensor in tensors.items() if name != memory}),
        (metadata, {name: tensor for name, tensor in tensors.items() if not name.startswith(half)}),
        (metadata, {name: tensor for name, tensor in tensors.items() if "optimiser" not in name}),
    ):
        path.write_bytes(save_tensors(held, said))
        with pytest.raises(CheckpointError, match=STATE) as refused:
            whole(plan(), tmp_path)
        assert len(str(refused.value)) < 600 + len(str(path))


def test_a_card_says_what_was_done(tmp_path):
    training = plan()
    card = whole(training, tmp_path)
    assert card == read_card(tmp_path)
    assert (card.step, card.frames, card.finished) == (40, 40 * 64, True)
    assert card.fingerprint == training.load_code().fingerprint
    assert card.config["optimiser"]["rate"] == 0.01
    assert [v.step for v in card.validations] == [20, 40]
    assert 0 < card.seconds
    assert training_of(card.config, "card") == training  # it can be trained again from the card


@pytest.mark.parametrize("content", [SMALL, DENSE], ids=lambda content: content["name"])
def test_weights_are_stored_in_half_the_bytes_and_validated_as_they_are_stored(tmp_path, content):
    training = plan(content, stored="float16")
    card = whole(training, tmp_path / "half")
    other = whole(plan(content), tmp_path / "whole")
    assert card.config["stored"] == "float16"
    assert [v.loss for v in card.validations] == [v.loss for v in other.validations]  # trained alike
    half, full = weights(tmp_path / "half"), weights(tmp_path / "whole")
    assert same(
        half, {name: a.astype(np.float16) if a.dtype == np.float32 else a for name, a in full.items()}
    )
    assert {a.dtype for a in half.values()} <= {np.dtype(np.float16), np.dtype(np.int16)}
    network, _ = load(tmp_path / "half", training.load_code())
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    trainer = Trainer(training)
    trainer.kept = network
    assert trainer.validate().points == card.validations[-1].points


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"recipe": "improvd"}, "improved"),
        ({"recipe": "published"}, "'published'"),
        ({"code": "hamming-7-5"}, "hamming-7-4"),
        ({"step": 3}, "step"),
        ({"steps": 0}, "steps"),
        ({"name": "../up"}, "name"),
        ({"model": {"kind": "ect"}}, "ecct"),
        ({"model": {"options": {"widht": 3}}}, "width"),
        ({"model": {"options": {"width": -3}}}, "width"),
        ({"model": {"options": {"supports": 3}}}, "supports"),
        ({"precision": "bfloat16"}, "float32"),
        ({"precision": "float16"}, "precision"),
        ({"data": {"frames": 10}}, "batch"),
        ({"data": {"ebn0_db": []}}, "ebn0_db"),
        ({"data": {"targets": "mlx"}}, "targets"),
        ({"optimiser": {"rate": -1.0}}, "rate"),
    ],
)
def test_impossible_configurations_are_refused(changes, named):
    with pytest.raises(ValueError, match="test: ") as caught:
        plan(**changes)
    assert named in str(caught.value)


@pytest.mark.parametrize("data", [{"targets": "ml"}, {"messages": "zero"}, {"augment": True}])
def test_dense_networks_learn_messages(data):
    with pytest.raises(ValueError, match=r"error domain|one word"):
        plan(DENSE, data=data)
    with pytest.raises(ValueError, match="compile"):
        plan(DENSE, compile=True)


def test_files_are_named_when_refused(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text("name = ")
    with pytest.raises(ValueError, match=r"broken.toml is not TOML"):
        load_training(path)
    with pytest.raises(LookupError, match="fecnn-net-bch-31-16"):
        load_training("fecnn-net-bch-31-17")
    with pytest.raises(FileNotFoundError):
        load_training(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": {"options": {"width": 10**12}}}, "at most 134217728 parameters"),
        ({"model": {"options": {"iterations": 10**12}}}, "at most 10000"),
        ({"model": {"kind": "ecct", "options": {"iterations": None}}}, "iterations"),
        ({"model": {"options": {"orbits": 10**6000}}}, "orbits"),
        ({"steps": 10**300}, "steps"),
        ({"optimiser": {"rate": float("inf")}}, "rate"),
        ({"recipe": "x" * 100_000}, "recipe 'xxx"),
        ({"recipe": 10**6000}, "recipe an integer beyond 64 bits"),
        ({"model": {"kind": "x" * 100_000}}, "no model 'xxx"),
        ({"model": {"kind": 10**6000}}, "kind"),
        ({"code": "./none.toml"}, "the code cannot be read: there is no code file none.toml"),
        ({"code": "./none.alist"}, "the code cannot be read: .*none.alist"),
        ({"x" * 20_000: 1, "y": 2}, "unknown key"),
    ],
)
def test_hostile_configurations_are_refused_briefly(changes, words):
    with pytest.raises(ValueError, match=rf"(?s)test.*{words}") as caught:
        plan(**changes)
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize(
    "model",
    [
        {"kind": "ecct", "options": {"width": 8 * 10**9}},
        {"kind": "ecct", "options": {"width": 1, "heads": 1, "layers": 10**9}},
        {"kind": "crossmpt", "options": {"width": 80_000}},
        {"kind": "fecnn-net", "options": {"width": 80_000}},
        {"kind": "literature-slnn", "options": {"hidden": [10**9]}},
        {"kind": "literature-mlnn", "options": {"hidden": [20_000, 20_000]}},
        {"kind": "literature-mlnn", "options": {"hidden": [1] * 2000}},
    ],
)
def test_huge_networks_are_refused_before_they_are_built(model):
    with pytest.raises(ValueError, match=r"a network has at most \d+ (parameters|layers)"):
        training_of({**SMALL, **SPELT_OUT, "model": model}, "test")


def test_hostile_training_files_are_refused_in_words(tmp_path):
    path = tmp_path / "broken.toml"
    for text, words in (
        ('code = "\\u0000.alist"\n', "code has the control character"),
        ("a = " + "[" * 3000, "nested too deeply"),
        ("a = " + "9" * 5000, "Exceeds the limit"),
        ("#" * 300_000, "has more than 262144 bytes"),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=rf"broken\.toml.*{words}"):
            load_training(path)


def test_presets_are_what_the_papers_say():
    transformer = PRESETS["ecct", "published"]
    assert transformer["optimiser"]["rate"] == 1e-4
    assert transformer["data"]["ebn0_db"] == [2, 3, 4, 5, 6, 7]
    assert transformer["batch"] == 128
    literature = PRESETS["literature-slnn", "published"]
    assert literature["data"]["frames"] == 10**6
    assert literature["data"]["ebn0_db"] == [0]
    assert literature["optimiser"]["method"] == "sgd"


@pytest.mark.slow
def test_compiled_training_is_the_same_to_rounding():
    losses = [[Trainer(plan(compile=compiled)).advance() for _ in range(3)] for compiled in (False, True)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("content", [SMALL, DENSE, ECCT], ids=lambda content: content["name"])
def test_training_on_a_gpu(tmp_path, content):
    training = plan(content, device="cuda")
    card = whole(training, tmp_path)
    assert card.finished
    code = training.load_code()
    channel = fecnn.AWGN.at(3.0, code.rate)
    y = channel.transmit(code.codebook(), np.random.default_rng(1))
    here, there = (
        fecnn.decoder(training.model.kind, code, channel, weights=str(tmp_path), device=device)(y)
        for device in ("cpu", "cuda")
    )
    assert (here == there).mean() > 0.99


@pytest.mark.parametrize(
    ("flags", "precision"),
    [("avx2 avx512_bf16", "bfloat16"), ("amx_bf16", "bfloat16"), ("avx512f", "float32")],
)
def test_the_preset_of_transformers_has_the_precision_that_the_processor_is_fast_in(
    flags, precision, tmp_path, monkeypatch
):
    (tmp_path / "cpuinfo").write_text(f"flags : fpu {flags} sse\n")
    monkeypatch.setattr("fecnn.nets.device.CPUINFO", tmp_path / "cpuinfo")
    content = {"name": "a", "code": "bch-15-7", "recipe": "improved", "steps": 2, "model": {"kind": "ecct"}}
    assert training_of(dict(content), "a").precision == precision
    for given in ("float32", "bfloat16"):
        assert training_of(content | {"precision": given}, "a").precision == given
    assert training_of(content | {"model": {"kind": "fecnn-net"}}, "a").precision == "float32"
    assert not has_bfloat16("cuda:9")


def test_trainings_of_the_zoo_say_the_precision_of_their_cards():
    for name in zoo_names():
        card = read_card(checkpoint_folder(name))
        assert load_training(name).precision == card.config.get("precision", "float32")


def test_a_code_is_looked_for_beside_its_configuration(tmp_path, monkeypatch):
    np.savetxt(tmp_path / "H.txt", fecnn.load_code("hamming-7-4").H, fmt="%d")
    config = tmp_path / "net.toml"
    config.write_text(
        'name = "net"\ncode = "H.txt"\nrecipe = "improved"\nsteps = 1\n[model]\nkind = "fecnn-net"\n'
    )
    monkeypatch.chdir("/")
    assert load_training(config).load_code().n == 7
