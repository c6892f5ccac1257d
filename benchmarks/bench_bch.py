"""Algebraic decoding against the plain kernel that came before: equal decisions, ratios of times."""

import numpy as np
import plain_bch
import pytest
from frames import frames_of

import fecnn
from fecnn.decoders.berlekamp_massey import algebra_of


def plain(code, algebra, llr):
    out, found = np.empty(llr.shape, np.uint8), np.empty(len(llr), np.bool_)
    run = algebra.run
    plain_bch.correct(llr, algebra.powers, run.exp, run.log, run.step, code.parity_columns, run.t, out, found)
    return out


@pytest.mark.parametrize("name", ["bch-31-21", "bch-63-45", "bch-127-64"])
def test_berlekamp_massey_against_its_plain_twin(name, race, size):
    code = fecnn.load_code(name)
    count = size(20_000)
    llr, algebra = frames_of(code, 4.0, count).llr, algebra_of(code)
    decode = fecnn.decoder("berlekamp-massey", code)
    assert (decode(llr) == plain(code, algebra, llr)).all()
    race(
        f"berlekamp-massey {name} 4 dB",
        "plain twin",
        lambda: decode(llr),
        lambda: plain(code, algebra, llr),
        count,
        target=3.2,
    )
