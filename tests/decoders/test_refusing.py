"""Refusing: what is refused and what is not, against brute force; counts in studies."""

import numpy as np
import pytest
from oracles import correlations, discrepancies

import fecnn
from fecnn.analysis.table import display, refuses, table
from fecnn.channels.stream import FrameStream
from fecnn.simulation.frames import PlainEngine
from fecnn.simulation.tally import Tally, effort_counts


@pytest.fixture
def code():
    return fecnn.polar(32, 12, crc=6)


def received(code, frames=400, ebn0_db=1.0):
    rng = np.random.default_rng(3)
    return fecnn.AWGN.at(ebn0_db, code.rate).transmit(code.encode(rng.integers(0, 2, (frames, code.k))), rng)


def test_the_margin_is_the_ratio_of_the_best_two_words(code):
    llr = received(code)
    _, effort = fecnn.decoder("refusing", code, margin=1.5).measure(llr)
    metrics = np.sort(discrepancies(code, llr), axis=1)
    gaps = metrics[:, 1] - metrics[:, 0]
    assert effort.margin == pytest.approx(gaps, abs=1e-4)
    assert effort.margin.dtype == np.float32
    clear = np.abs(gaps - 1.5) > 1e-3
    assert (effort.refused == (gaps < 1.5))[clear].all()
    assert 0 < effort.refused.sum() < len(llr)


def test_a_threshold_of_0_refuses_nothing_and_decides_like_the_other_decoder(code):
    llr = received(code)
    bits, effort = fecnn.decoder("refusing", code, decoder="osd", margin=0, order=2).measure(llr)
    assert not effort.refused.any()
    assert (bits == fecnn.decoder("osd", code, order=2)(llr)).all()


def test_checks_that_are_left_out_refuse_what_violates_them(code):
    inner = fecnn.polar(32, 18)
    assert not inner.syndrome(code.G).any()
    llr = received(code)
    bits, effort = fecnn.decoder("refusing", code, unchecked=6).measure(llr)
    best = inner.codebook()[correlations(inner, llr).argmax(axis=1)]
    assert (bits == best).all()
    assert (effort.refused == code.syndrome(best).any(axis=1)).all()
    assert 0 < effort.refused.sum() < len(llr)
    assert effort.margin is None


@pytest.mark.parametrize(("decoder", "options"), [("scl", {"list": 4}), ("osd", {"order": 1}), ("bp", {})])
def test_any_decoder_can_be_inside(code, decoder, options):
    llr = received(code, frames=50)
    decode = fecnn.decoder("refusing", code, decoder=decoder, unchecked=6, **options)
    bits, effort = decode.measure(llr)
    alone = fecnn.decoder(decoder, fecnn.polar(32, 18), **options) if decoder == "scl" else None
    assert alone is None or (bits == alone(llr)).all()
    assert (effort.refused == code.syndrome(bits).any(axis=1)).all()


def test_a_decision_that_is_no_codeword_is_refused():
    code = fecnn.load_code("ccsds-128-64")
    llr = received(code, frames=60)
    bits, effort = fecnn.decoder("refusing", code, decoder="bp").measure(llr)
    assert (effort.refused == code.syndrome(bits).any(axis=1)).all()
    assert effort.refused.any()


def test_lost_and_certain_frames(code):
    decode = fecnn.decoder("refusing", code, margin=1.0)
    bits, effort = decode.measure(np.zeros((1, 32), np.float32))
    assert effort.refused.all()
    assert effort.margin[0] == 0
    word = code.encode(np.ones(code.k, np.uint8))
    bits, effort = decode.measure(np.where(word, -np.inf, np.inf).astype(np.float32))
    assert (bits == word).all()
    assert not effort.refused
    assert effort.margin >= 1000


def test_an_empty_list_is_refused_whatever_the_threshold(code, rng):
    """Its word is filled up with zeros, which is a codeword that nobody found."""
    llr = rng.normal(0, 1, (400, 32)).astype(np.float32)
    _, metrics = fecnn.list_decoder("scl", code, list=2)(llr)
    empty = np.isinf(metrics[:, 0])
    assert 0 < empty.sum() < 400
    _, effort = fecnn.decoder("refusing", code, decoder="scl", list=2, margin=0).measure(llr)
    assert (effort.refused == empty).all()
    assert (effort.uncertified == np.isinf(metrics[:, 1])).all()


def test_counts_tell_wrong_from_refused():
    effort = fecnn.decoder("refusing", fecnn.hamming(3), margin=1.0).measure(np.zeros((4, 7), np.float32))[1]
    wrong = np.array([True, False, True, False])
    assert effort_counts(effort, wrong) == {"work": 0, "uncertified": 0, "refusals": 4, "refused_errors": 2}
    assert effort_counts(None, wrong) == {}
    assert (Tally(refusals=2, refused_errors=1) + Tally(refusals=3)).refusals == 5


def test_a_study_counts_what_is_refused_and_undetected(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = fecnn.polar(32, 12, crc=6)
    options = [{"decoder": "ml", "unchecked": 6}, {"decoder": "ml", "margin": 1.0}]
    curves = [{"decoder": "ml"}, *({"decoder": "refusing", "options": one} for one in options)]
    study = fecnn.make_study("refusing", code=code, ebn0_db=1, curves=curves, stop={"frames": 4096})
    fecnn.run(study).finish()
    results = table(study)
    assert refuses(results)
    plain, checked, sure = results.to_dict("records")
    assert plain["refusals"] == plain["refused_errors"] == 0
    assert plain["undetected"] == plain["bler"]
    for row, point, one in zip((checked, sure), study.points[1:], options, strict=True):
        frames = PlainEngine(code, fecnn.AWGN.at(1.0, code.rate)).frames(
            FrameStream(point.task.stream, 0), 4096
        )
        bits, effort = fecnn.decoder("refusing", code, **one).measure(frames.llr)
        wrong = (bits != frames.codewords).any(axis=1)
        assert row["refusals"] == effort.refused.sum()
        assert row["refused_errors"] == (effort.refused & wrong).sum()
        assert row["undetected"] == (wrong & ~effort.refused).mean()
        assert row["undetected_low"] < row["undetected"] < row["undetected_high"]
        assert row["refused"] == effort.refused.mean()
    assert sure["block_errors"] == plain["block_errors"]
    assert sure["undetected"] < plain["undetected"]
    shown = display(study, results)
    assert {"undetected BLER [95 %]", "refused [95 %]"} < set(shown.columns)
    without = results[results["curve"] == "ml"]
    assert not set(display(study, without).columns) & {"refused [95 %]"}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"margin": -1.0}, ValueError, "margin must be a log-likelihood ratio, 0 or more, got -1.0"),
        ({"unchecked": 30}, ValueError, r"unchecked must be in 0\.\.20 checks of polar-32-12-crc-6, got 30"),
        ({"unchecked": "6"}, TypeError, "unchecked must be a whole number, got '6'"),
        ({"decoder": "bp", "margin": 1.0}, LookupError, "no list decoder 'bp'"),
        (
            {"decoder": "scl", "list": 1, "margin": 1.0},
            ValueError,
            "list must be 2 or more for a margin, got 1",
        ),
        ({"decoder": "osd", "ordr": 1}, TypeError, "no option 'ordr'; did you mean order"),
    ],
)
def test_mistakes_are_named(code, options, error, message):
    with pytest.raises(error, match=message):
        fecnn.decoder("refusing", code, **options)


def test_dependent_checks_cannot_be_left_out():
    code = fecnn.load_code("rm-32-16")
    doubled = fecnn.Code(code.G, np.concatenate([code.H, code.H[:2]]))
    with pytest.raises(ValueError, match="the last 2 checks of unnamed follow from others"):
        fecnn.decoder("refusing", doubled, unchecked=2)


@pytest.mark.kernel
def test_what_the_other_decoder_refuses_stays_refused(rng):
    code = fecnn.reed_muller(2, 4)
    llr = fecnn.AWGN.at(3.0, code.rate).transmit(code.encode(rng.integers(0, 2, (300, code.k))), rng)
    bits, alone = fecnn.decoder("orbgrand", code, risk=0.2).measure(llr)
    assert 0 < alone.refused.sum() < len(llr)
    for name, options in (("refusing", {}), ("aed", {"ensemble": 1})):
        found, effort = fecnn.decoder(name, code, decoder="orbgrand", risk=0.2, **options).measure(llr)
        np.testing.assert_array_equal(found, bits)
        np.testing.assert_array_equal(effort.refused, alone.refused)
        np.testing.assert_array_equal(effort.margin, alone.margin)
    # Refused by the risk, by the checks that are left, or by both.
    code = code.subcode(crc=6)
    found, effort = fecnn.decoder("refusing", code, decoder="orbgrand", risk=0.2, unchecked=6).measure(llr)
    violates = code.syndrome(found).any(axis=1)
    np.testing.assert_array_equal(effort.refused, alone.refused | violates)


@pytest.mark.kernel
def test_the_refusal_of_an_ensemble_is_that_of_the_member_that_found_the_word(rng):
    code = fecnn.reed_muller(2, 4)
    llr = fecnn.AWGN.at(2.0, code.rate).transmit(code.encode(rng.integers(0, 2, (300, code.k))), rng)
    options = {"decoder": "refusing", "margin": 2.0}
    bits, effort = fecnn.decoder("aed", code, ensemble=4, stop="never", **options).measure(llr)
    # All members are exact, so all have the margin of the best two words.
    expected, alone = fecnn.decoder("refusing", code, margin=2.0).measure(llr)
    np.testing.assert_array_equal(bits, expected)
    np.testing.assert_allclose(effort.margin, alone.margin, rtol=1e-6)
    np.testing.assert_array_equal(effort.refused, alone.refused)
    assert 0 < effort.refused.sum() < len(llr)


def test_a_list_without_a_second_word_is_not_certified(rng):
    code = fecnn.load_code("bch-31-21")
    llr = fecnn.AWGN.at(3.0, code.rate).transmit(code.encode(rng.integers(0, 2, (500, code.k))), rng)
    short = fecnn.list_decoder("sgrand", code, list=2, queries=300)
    held = np.isfinite(short(llr)[1]).sum(axis=1)
    assert set(held) == {0, 1, 2}
    _, effort = fecnn.decoder("refusing", code, decoder="sgrand", queries=300, margin=1.0).measure(llr)
    np.testing.assert_array_equal(effort.uncertified, held < 2)
    np.testing.assert_array_equal(np.isinf(effort.margin), held == 1)
    assert effort.refused[held == 0].all()
    # Known bits leave one word of those that agree with them, but the list is whole.
    llr[:, :20] = np.copysign(np.inf, llr[:, :20])
    _, effort = fecnn.decoder("refusing", code, margin=1.0).measure(llr)
    assert not effort.uncertified.any()
