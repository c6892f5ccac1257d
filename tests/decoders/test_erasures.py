"""Decoders over erasures: received bits are certain (infinite LLRs), and the others say nothing."""

import itertools

import numpy as np
import pytest

import fecnn
from fecnn.channels.stream import FrameStream
from fecnn.codes import gf2
from fecnn.decoders.registry import REGISTRY, built_in

ML = {
    "ml by codebook": ("ml", {"method": "codebook"}),
    "ml by trellis": ("ml", {"method": "trellis"}),
    "ml by search": ("ml", {"method": "search"}),
    "near-ml": ("near-ml", {}),
    "map": ("map", {}),
    "slnn": ("slnn", {}),
    "mlnn": ("mlnn", {}),
    "osd": ("osd", {"order": 1}),
    "lc-osd": ("lc-osd", {}),
    "gcd": ("gcd", {}),
    "gcd fixed": ("gcd", {"reliable": False}),
    "scl": ("scl", {"list": 64}),
}
"""Decoders that find every word which the received bits determine; an OSD of any order does."""


CASES = [(name, "hamming-7-4") for name in ML if name != "scl"]  # which decodes polar codes


def received(code, erasure, frames, name="erasures"):
    stream = FrameStream(name, 0)
    sent = code.encode(stream.messages(frames, code.k))
    return sent, fecnn.BEC(erasure).transmit(sent, stream)


def determined(code, llr):
    """Whether the received bits determine the word: no codeword lies within the lost ones."""
    return np.array([gf2.rank(code.H[:, lost]) == lost.sum() if lost.any() else True for lost in llr == 0])


def peeled(code, llr):
    """Whether checks with a single lost bit, one after another, resolve them all."""
    done = []
    for frame in llr:
        lost = frame == 0
        while lost.any():
            single = code.H[:, lost].sum(axis=1) == 1
            if not single.any():
                break
            row = code.H[np.flatnonzero(single)[0]].astype(bool)
            lost &= ~(row & lost)
        done.append(not lost.any())
    return np.array(done)


@pytest.mark.parametrize(("name", "code"), [*CASES, *((name, "polar-16-8") for name in ML)])
def test_optimal_decoders_find_every_determined_word(name, code):
    code = fecnn.load_code(code)
    sent, llr = received(code, 0.4, 600)
    found = determined(code, llr)
    assert 100 < found.sum() < 500
    decided = fecnn.decoder(ML[name][0], code, **ML[name][1])(llr)
    assert (decided[found] == sent[found]).all()
    if name != "mlnn" and name != "map":  # these decide bit by bit
        kept = np.where(llr == 0, 0, decided ^ sent)
        assert not kept.any(), "a word that contradicts a received bit"
        assert not code.syndrome(decided).any()


def test_posteriors_are_certain_or_say_nothing():
    """Given erasures, a bit is determined, or both of its values are equally likely."""
    code = fecnn.load_code("hamming-7-4")
    sent, llr = received(code, 0.5, 400)
    app = fecnn.soft_decoder("map", code)(llr)
    book = code.codebook()
    for frame, values, word in zip(app, llr, sent, strict=True):
        fits = book[(book == word)[:, values != 0].all(axis=1)]
        for j, value in enumerate(frame):
            if (fits[:, j] == word[j]).all():
                assert value * fecnn.bpsk(word)[j] > 900
            else:
                assert abs(value) < 1e-3


def test_belief_propagation_peels():
    code = fecnn.load_code("ldpc-49-24")
    sent, llr = received(code, 0.3, 400)
    found = peeled(code, llr)
    assert 50 < found.sum() < 400
    decided = fecnn.decoder("bp", code, iterations=60)(llr)
    assert (decided[found] == sent[found]).all()


def test_the_count_over_a_study_is_the_closed_form(tmp_path, monkeypatch):
    """The share of patterns of lost bits that leave several words, for Hamming (7,4)."""
    monkeypatch.chdir(tmp_path)
    code, erasure = fecnn.load_code("hamming-7-4"), float(fecnn.BEC.at(2.0, 4 / 7).erasure)
    several = fewest = 0.0
    for lost in itertools.product([False, True], repeat=code.n):
        chosen = np.array(lost)
        chance = erasure ** chosen.sum() * (1 - erasure) ** (code.n - chosen.sum())
        free = chosen.sum() - gf2.rank(code.H[:, chosen]) if chosen.any() else 0
        several += chance * (1 - 2.0**-free)
        fewest += chance * (free > 0)
    study = fecnn.make_study(
        "lost", code="hamming-7-4", channel="bec", ebn0_db=2.0, stop={"frames": 20_000}, curves=["ml"]
    )
    fecnn.run(study).finish()
    row = fecnn.table(study).iloc[0]
    # Random codewords: a tie is decided right with one chance in its number of words.
    deviation = np.sqrt(several / row.frames)
    assert abs(row.bler - several) < 5 * deviation
    assert row.ml_errors == 0
    assert row.bler < fewest


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_decoder_takes_erasures(name):
    """A frame without a loss is decided as sent, and no frame is refused."""
    ours = built_in(name)
    code = fecnn.load_code(ours.example.code)
    sent, llr = received(code, 0.02, 200)
    decode = fecnn.decoder(name, code, fecnn.BEC(0.02), **ours.example.options)
    decided = decode(llr)
    complete = (llr != 0).all(axis=1)
    assert complete.any()
    assert (decided[complete] == sent[complete]).all()
    assert (decided != sent).any(axis=1).mean() < 0.3
