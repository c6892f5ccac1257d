"""Codes that are defined by a table: that of their checks."""

from functools import cache
from pathlib import Path

import numpy as np

from fecnn.arrays import Bits
from fecnn.codes import gf2
from fecnn.codes.code import Code
from fecnn.codes.families import systematic_form

_FOLDER = Path(__file__).parent / "tables"


def ft8_174_91() -> Code:
    """The (174, 91) LDPC code of FT8 and FT4 (Franke, Somerville and Taylor, QEX, July/August 2020).

    Systematic: 91 message bits, of which the protocol makes the last 14 a CRC, and 83 parity bits. Every bit
    is in three checks, and a check has 6 or 7 bits. There are words of weight 10, and none below 8.

    Example:
        >>> code = ft8_174_91()
        >>> code, sorted(set(code.H.sum(axis=1).tolist()))
        (Code(ft8-174-91: n=174, k=91), [6, 7])
    """
    H = _checks("ft8-174-91")
    k = H.shape[1] - len(H)
    parity, _ = gf2.rref(H, order=[*range(k, H.shape[1]), *range(k)])
    G, _ = systematic_form(np.ascontiguousarray(parity[:, :k].T))
    return Code(G, H, name="ft8-174-91")


def mackay_96_48() -> Code:
    """MacKay's regular (96, 48) LDPC code 96.33.964, of his Encyclopedia of Sparse Graph Codes.

    Every bit is in three checks, and every check has six bits; the Tanner graph has no cycles of length 4.

    Example:
        >>> code = mackay_96_48()
        >>> code, code.minimum_distance, sorted(set(code.H.sum(axis=1).tolist()))
        (Code(mackay-96-48: n=96, k=48), 6, [6])
    """
    H = _checks("mackay-96-48")
    return Code(gf2.rref(gf2.null_space(H))[0], H, name="mackay-96-48", minimum_distance=6)


@cache
def _checks(name: str) -> Bits:
    """The parity-check matrix whose ones a table lists, column by column."""
    rows = np.loadtxt(_FOLDER / f"{name}.txt", np.int64) - 1
    H = np.zeros((rows.max() + 1, len(rows)), np.uint8)
    H[rows.T, np.arange(len(rows))] = 1
    return H
