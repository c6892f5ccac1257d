"""Codes that are defined by a table, against what else is published of them."""

import numpy as np
import pytest

import fecnn
from fecnn.codes import gf2
from fecnn.codes.low_weight import distance_bound

# Of the generator matrix that is published with the protocol of FT8, in hexadecimal digits as WSJT-X has it:
# rows of 91 bits and a 0, the message bits that a parity bit adds up.
FT8_PARITY = {
    0: "8329ce11bf31eaf509f27fc",
    1: "761c264e25c259335493132",
    2: "dc265902fb277c6410a1bdc",
    10: "b0b811028c2bf997213487c",
    47: "56471f8702a0721e00b12b8",
    57: "a066cb2fedafc9f52664126",
    82: "608cc857594bfbb55d69600",
}


@pytest.mark.parametrize("make", [fecnn.ft8_174_91, fecnn.mackay_96_48])
def test_each_bit_is_in_three_checks_without_cycles_of_length_4(make):
    code = make()
    assert set(code.H.sum(axis=0)) == {3}
    assert gf2.rank(code.H) == len(code.H) == code.n - code.k
    overlap = code.H.T.astype(int) @ code.H
    assert np.triu(overlap, 1).max() == 1


def test_ft8_has_its_published_generator():
    code = fecnn.ft8_174_91()
    assert (code.n, code.k) == (174, 91)
    assert (code.G[:, :91] == np.eye(91, dtype=np.uint8)).all()
    for row, digits in FT8_PARITY.items():
        bits = [int(bit) for bit in f"{int(digits, 16):092b}"]
        assert code.G[:, 91 + row].tolist() == bits[:91]
        assert bits[91] == 0
    assert set(code.H.sum(axis=1)) == {6, 7}


def test_ft8_has_light_words_of_weight_10():
    from fecnn.codes.code import light_sum

    assert light_sum(fecnn.ft8_174_91(), 200) == 10


@pytest.mark.slow
def test_ft8_has_no_words_below_weight_8():
    assert distance_bound(fecnn.ft8_174_91(), 6) == 8


def test_mackay_s_code_is_regular_and_has_distance_6():
    code = fecnn.mackay_96_48()
    assert (code.n, code.k) == (96, 48)
    assert set(code.H.sum(axis=1)) == {6}
    assert distance_bound(code, 3) == 6  # of words found and proved: 2 (3 + 1) is more
    assert code.minimum_distance == 6
