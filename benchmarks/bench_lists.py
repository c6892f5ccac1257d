"""Successive cancellation against the plain kernels that came before: equal decisions, ratios of times.

And LLRs of 8 bits against those of 32.
"""

import numpy as np
import plain_polar
import pytest
from frames import assert_no_worse, frames_of

import fecnn
from fecnn.decoders.polar import arranged

CODES = {
    "(64,32)": (lambda: fecnn.load_code("polar-64-32"), 3.0, 1 << 13),
    "(128,64)": (lambda: fecnn.load_code("polar-128-64"), 3.0, 1 << 13),
    "(1024,512)": (lambda: fecnn.polar(1024, 512), 2.0, 1 << 11),
}


def plain_sc(form, llr):
    out = np.empty(llr.shape, np.uint8)
    plain_polar.sc(form.in_order(llr), plain_polar.Inputs(*form.inputs), False, out)
    return form.as_given(out)


def plain_scl(form, llr, paths):
    out = np.empty(llr.shape, np.uint8)
    tested, passed = np.empty(len(llr), np.int64), np.empty(len(llr), np.bool_)
    inputs = plain_polar.Inputs(*form.inputs)
    plain_polar.scl(form.in_order(llr), inputs, form.columns, paths, False, out, tested, passed)
    return form.as_given(out)


@pytest.mark.parametrize("name", CODES)
def test_sc_against_its_plain_twin(name, race, size):
    make, ebn0_db, most = CODES[name]
    code = make()
    count = size(most)
    llr, form = frames_of(code, ebn0_db, count).llr, arranged(code)
    decode = fecnn.decoder("sc", code)
    assert (decode(llr) == plain_sc(form, llr)).all()
    race(
        f"sc {name} {ebn0_db:g} dB",
        "plain twin",
        lambda: decode(llr),
        lambda: plain_sc(form, llr),
        count,
        target=3.2,
    )


@pytest.mark.parametrize("name", CODES)
def test_sc_of_int8_against_float32(name, race, size):
    """In eighths of a unit, which loses little: on 3 % of the frames at most only one of the two is wrong."""
    make, ebn0_db, most = CODES[name]
    code = make()
    count = size(most)
    frames = frames_of(code, ebn0_db, count)
    given = np.rint(np.clip(8 * frames.llr, -127, 127)).astype(np.int8)
    decode, peer = (fecnn.decoder("sc", code, int8=int8) for int8 in (True, False))
    wrong = (
        (decode(given) != frames.codewords).any(axis=1),
        (peer(frames.llr) != frames.codewords).any(axis=1),
    )
    assert (wrong[0] != wrong[1]).sum() <= max(0.03 * count, 3)  # few frames say little
    race(
        f"sc int8 {name} {ebn0_db:g} dB",
        "sc in float32",
        lambda: decode(given),
        lambda: peer(frames.llr),
        count,
        target=2.0,
    )


@pytest.mark.parametrize("paths", [8, 32])
@pytest.mark.parametrize("name", CODES)
def test_scl_against_its_plain_twin(name, paths, race, size):
    make, ebn0_db, most = CODES[name]
    code = make()
    count = size(most // 16)
    llr, form = frames_of(code, ebn0_db, count).llr, arranged(code)
    decode = fecnn.decoder("scl", code, list=paths)
    assert (decode(llr) == plain_scl(form, llr, paths)).all()
    race(
        f"scl {paths} {name} {ebn0_db:g} dB",
        "plain twin",
        lambda: decode(llr),
        lambda: plain_scl(form, llr, paths),
        count,
        target=2.0,
        repeats=5,
    )


@pytest.mark.parametrize(
    ("n", "ebn0_db", "paths", "target"),
    [(128, 3.0, 8, 15.0), (128, 3.0, 32, 40.0), (1024, 2.0, 8, 15.0), (1024, 2.0, 32, 40.0)],
)
def test_adaptive_lists_against_the_plain_twin(n, ebn0_db, paths, target, race, size):
    """The peer decodes fewer frames; the whole list decides on the same frames, no better beyond chance."""
    code = fecnn.polar(n, n // 2, crc=11)
    count = size(1 << (21 - n.bit_length()))
    frames = frames_of(code, ebn0_db, count)
    few, form = max(32, count // 16), arranged(code)
    decode, whole = (fecnn.decoder("scl", code, list=paths, adaptive=adaptive) for adaptive in (True, False))
    assert (whole(frames.llr[:few]) == plain_scl(form, frames.llr[:few], paths)).all()
    assert_no_worse(decode(frames.llr), whole(frames.llr), frames.codewords)
    race(
        f"scl {paths} adaptive ({n},{n // 2})+CRC-11 {ebn0_db:g} dB",
        "plain twin, whole list",
        lambda: decode(frames.llr),
        lambda: plain_scl(form, frames.llr[:few], paths),
        count,
        few,
        target,
        repeats=5,
    )
