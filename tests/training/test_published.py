"""The script for trainings of the published size: slices go on where the last one stopped."""

import runpy

import pytest
import torch

from fecnn.nets.card import read_card
from fecnn.training.frames import Ahead, Source
from fecnn.training.trainer import Trainer

SCRIPT = "tools/train_published.py"
LINE = "ecct-bch-15-7 --seconds 0 --width 8 --batch 64 --device cpu --state"


@pytest.fixture
def script(request):
    return runpy.run_path(str(request.config.rootpath / SCRIPT))


def test_slices_end_where_one_training_does(script, tmp_path, capsys):
    script["split"].__globals__["PIECE"] = 10_000
    for _ in range(3):
        script["main"]([*LINE.split(), str(tmp_path)])
    pieces = sorted(tmp_path.glob("checkpoint.*"))
    assert len(pieces) > 2
    assert max(piece.stat().st_size for piece in pieces) == 10_000
    card = read_card(tmp_path)
    assert (card.step, card.frames, card.finished) == (3, 192, False)
    assert "192 frames, not finished" in capsys.readouterr().out
    assert "128,000,000 frames of the published training" in (tmp_path / "README.md").read_text()

    whole = Trainer(script["published"]("ecct-bch-15-7", 8, 64, "cpu"))
    for _ in range(3):
        whole.advance()
    resumed = Trainer(whole.training)
    state = tmp_path / "whole"
    state.mkdir()
    (state / "checkpoint.safetensors").write_bytes(script["joined"](tmp_path))
    script["train"].__globals__["_resume"](resumed, state / "checkpoint.safetensors")
    for name, tensor in whole.tensors().items():
        assert torch.equal(resumed.tensors()[name], tensor), name


def test_a_state_in_part_is_not_taken_for_a_whole_one(script, tmp_path):
    script["split"].__globals__["PIECE"] = 10
    script["split"](b"an old state of a training", tmp_path)
    old = {path: path.read_bytes() for path in tmp_path.iterdir()}
    script["split"](b"a new state of the same training", tmp_path)
    assert not any(path.exists() for path in old)
    assert script["joined"](tmp_path) == b"a new state of the same training"
    for (
        path,
        content,
    ) in old.items():  # killed before the old one was removed, and before the new one was whole
        path.write_bytes(content)
    sorted(set(tmp_path.iterdir()) - old.keys())[1].unlink()
    assert script["joined"](tmp_path) == b"an old state of a training"
    next(iter(old)).unlink()
    with pytest.raises(ValueError, match="only a part of a state"):
        script["joined"](tmp_path)


def test_threads_make_the_batches_that_a_loop_makes(script):
    training = script["published"]("ecct-bch-15-7", 8, 64, "cpu")
    source = Source(training, training.load_code())
    ahead = Ahead(source.batch, threads=3, depth=4)
    for step in [0, 1, 2, 3, 9, 10, 4]:
        made, expected = ahead.batch(step), source.batch(step)
        assert (made.y == expected.y).all()
        assert (made.answer == expected.answer).all()
