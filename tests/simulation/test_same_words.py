"""One code in two guises: other matrices, the same codewords. All of a study's curves see the same frames."""

import numpy as np
import pytest
from study_runs import run_all

import fecnn
from fecnn.channels.awgn import AWGN
from fecnn.channels.fading import Rayleigh
from fecnn.channels.stream import FrameStream
from fecnn.simulation.frames import Engine, Resent
from fecnn.simulation.simulate import run_batch
from fecnn.simulation.tally import COUNTS
from fecnn.studies.study import load_study

STUDY = """
title = "One code in two guises"
code = "bch-31-21"
ebn0_db = [2, 3]
batch = 3000
stop = { frames = 3000 }
channel = "CHANNEL"
[[curve]]
decoder = "DECODER"
code = "same.alist"
label = "from the alist"
[[curve]]
decoder = "DECODER"
label = "from the file"
"""


@pytest.fixture
def study(tmp_path):
    def made(channel="awgn", decoder="ml", text=STUDY):
        fecnn.write_alist(fecnn.load_code("bch-31-21").H, tmp_path / "same.alist")
        (tmp_path / "study.toml").write_text(text.replace("CHANNEL", channel).replace("DECODER", decoder))
        return load_study(tmp_path)

    return made


@pytest.mark.parametrize("channel", ["awgn", "rayleigh"])
def test_all_curves_of_one_code_see_the_same_frames(study, channel):
    first, second = (study(channel).points[place] for place in (0, 2))
    assert first.code.fingerprint != second.code.fingerprint
    assert first.task.stream == second.task.stream
    assert first.task.id != second.task.id
    one, other = run_batch(first.task, 0), run_batch(second.task, 0)
    assert one.block_errors > 50
    assert one.flags == other.flags
    for count in set(COUNTS) - {"seconds", "bit_errors", "bit_errors_sq"}:
        assert getattr(one, count) == getattr(other, count)


def test_the_code_of_the_study_keeps_its_frames_and_names(study):
    both = study()
    text = STUDY.replace(STUDY[STUDY.index("[[curve]]") : STUDY.rindex("[[curve]]")], "")
    alone = study(text=text)
    assert [point.task for point in both.points[2:]] == [point.task for point in alone.points]
    (other,) = {point.task.sender_fingerprint for point in both.points[:2]}
    assert other == alone.points[0].code.fingerprint


def test_without_a_code_of_the_study_the_first_curve_is_followed(study):
    text = STUDY.replace('code = "bch-31-21"\n', "", 1).replace(
        'label = "from the file"', 'code = "bch-31-21"'
    )
    first, second = (study(text=text).points[place].task for place in (0, 2))
    assert (first.sender, second.sender_fingerprint) == (None, first.fingerprint)
    assert first.stream == second.stream


def test_other_codes_of_the_size_have_frames_of_their_own(study, rng):
    text = STUDY.replace("same.alist", "other.toml")
    code = fecnn.load_code("bch-31-21")
    swapped = fecnn.Code.from_generator(code.G[:, rng.permutation(31)], name="other")
    path = study().path.parent / "other.toml"
    fecnn.save_code(swapped, path)
    first, second = (study(text=text).points[place].task for place in (0, 2))
    assert first.sender is second.sender is None
    assert first.stream != second.stream


def test_curves_of_one_code_are_compared_frame_by_frame(study, tmp_path):
    both = study()
    run_all(both, tmp_path / "r.sqlite")
    from fecnn.analysis.compare import compare

    for found in compare(both, "from the alist", "from the file", tmp_path / "r.sqlite").values():
        assert found.frames == 3000
        assert found.discordant == 0


@pytest.mark.parametrize("code", [fecnn.hamming(7), fecnn.load_code("bch-31-21")], ids=lambda code: code.name)
@pytest.mark.parametrize("channel", [AWGN.at(4.0, 0.7), Rayleigh.at(9.0, 0.7)], ids=["awgn", "rayleigh"])
def test_counts_are_of_the_messages_that_the_code_has(code, channel, rng):
    """More than 64 message bits, too: they are packed in words."""
    mixed = code.G.copy()
    for _ in range(200):
        i, j = rng.choice(code.k, 2, replace=False)
        mixed[i] ^= mixed[j]
    guise = fecnn.Code.from_generator(mixed, name="guise")
    engine = Resent(Engine(guise, channel), Engine(code, channel))
    frames = engine.frames(FrameStream("a", 0), 500)
    original = Engine(code, channel).frames(FrameStream("a", 0), 500)
    assert np.array_equal(frames.llr, original.llr)
    decided = frames.codewords.copy()
    messages = guise.extract(decided)
    assert np.array_equal(guise.encode(messages), decided)
    wrong = messages.copy()
    wrong[::7, 0] ^= 1
    wrong[::11, -1] ^= 1
    counts = engine.count(frames, guise.encode(wrong), 0.0)
    errors = (wrong != messages).sum(axis=1)
    assert counts.bit_errors == errors.sum()
    assert counts.block_errors == (errors > 0).sum()
    assert counts.code_bit_errors == (guise.encode(wrong) != decided).sum()


def test_a_sender_that_has_changed_is_refused(study):
    task = study().points[0].task
    from dataclasses import replace

    with pytest.raises(ValueError, match="is not the code that this task was made for"):
        run_batch(replace(task, sender="bch-31-16"), 0)
