"""Tables of 3GPP TS 38.212: the order of polar channels, and the base graphs of LDPC codes."""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_FOLDER = Path(__file__).parent / "nr"


@cache
def polar_sequence() -> tuple[int, ...]:
    """Table 5.3.1.2-1: the 1024 channels, worst first.

    Example:
        >>> polar_sequence()[:6], polar_sequence()[-3:]
        ((0, 1, 2, 4, 8, 16), (1021, 1022, 1023))
    """
    lines = (_FOLDER / "polar-sequence.txt").read_text(encoding="ascii").splitlines()
    return tuple(int(number) for line in lines if not line.startswith("#") for number in line.split())


@cache
def base_graph(number: int) -> NDArray[np.int64]:
    """Tables 5.3.2-2 and 5.3.2-3: row, column, and the shifts of the eight sets of lifting sizes, (ones, 10).

    Example:
        >>> [(len(base_graph(i)), *base_graph(i)[:, :2].max(axis=0) + 1) for i in (1, 2)]
        [(316, np.int64(46), np.int64(68)), (197, np.int64(42), np.int64(52))]
    """
    return np.loadtxt(_FOLDER / f"base-graph-{number}.csv", np.int64, delimiter=",", skiprows=1)
