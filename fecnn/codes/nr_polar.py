"""The polar codes of 5G NR control channels: CRC, interleavers, parity bits, rate matching."""

import math

import numpy as np

from fecnn.arrays import Bits
from fecnn.codes import gf2
from fecnn.codes.code import Code
from fecnn.codes.crc import crc_of
from fecnn.codes.operations import rate_matched
from fecnn.codes.polar import checks_of_inputs, kronecker_transform, reliability_sequence
from fecnn.errors import whole

LINKS = ("downlink", "uplink")
MAX_BITS = 8192
"""Most bits that are sent of a code block."""

# fmt: off
SUB_BLOCKS = (
    0, 1, 2, 4, 3, 5, 6, 7, 8, 16, 9, 17, 10, 18, 11, 19, 12, 20, 13, 21, 14, 22, 15, 23, 24, 25, 26, 28, 27,
    29, 30, 31,
)
# fmt: on
"""Table 5.4.1.1-1: the order of the 32 sub-blocks."""

# fmt: off
CRC_ORDER = (
    0, 2, 4, 7, 9, 14, 19, 20, 24, 25, 26, 28, 31, 34, 42, 45, 49, 50, 51, 53, 54, 56, 58, 59, 61, 62,
    65, 66, 67, 69, 70, 71, 72, 76, 77, 81, 82, 83, 87, 88, 89, 91, 93, 95, 98, 101, 104, 106, 108, 110,
    111, 113, 115, 118, 119, 120, 122, 123, 126, 127, 129, 132, 134, 138, 139, 140, 1, 3, 5, 8, 10, 15,
    21, 27, 29, 32, 35, 43, 46, 52, 55, 57, 60, 63, 68, 73, 78, 84, 90, 92, 94, 96, 99, 102, 105, 107,
    109, 112, 114, 116, 121, 124, 128, 130, 133, 135, 141, 6, 11, 16, 22, 30, 33, 36, 44, 47, 64, 74,
    79, 85, 97, 100, 103, 117, 125, 131, 136, 142, 12, 17, 23, 37, 48, 75, 80, 86, 137, 143, 13, 18, 38,
    144, 39, 145, 40, 146, 41, *range(147, 164),
)
# fmt: on
"""Table 5.3.1.1-1: the order of up to 164 message and CRC bits in the downlink."""


def nr_polar(k: int, e: int, *, link: str = "downlink") -> Code:
    """The 5G NR polar code of k message bits sent as e, with its CRC (3GPP TS 38.212, 5.3.1 and 5.4.1).

    One code block without segmentation. The downlink has CRC24C, distributed among the message bits. The ones
    before the message and the identity of the receiver, which the standard adds to that CRC, only move all
    words by one constant, and are left out. The uplink has CRC11 from 20 message bits on; below, CRC6 and
    three parity-check bits. The `mother` is the polar code in natural order: `scl` works on that.

    Args:
        k: Message bits: 12 to 140 in the downlink, 12 to 1012 in the uplink, and below 360 there if e is 1088
            or more.
        e: Bits that are sent.
        link: ``downlink`` or ``uplink``.

    Raises:
        ValueError: If a number is out of range, or the standard would cut the message into two code blocks.

    Example:
        >>> code = nr_polar(64, 100)
        >>> code, code.mother.code.n, code.mother.how
        (Code(nr-polar-downlink-100-64: n=100, k=64), 128, 'shortened')
    """
    if link not in LINKS:
        raise ValueError(f"link must be downlink or uplink, got {link!r}")
    down = link == "downlink"
    k = whole("k", k)
    if not 12 <= k <= (140 if down else 1706):
        other = '; link="uplink" takes up to 1012' if down and 140 < k <= 1012 else ""
        raise ValueError(f"k must be in 12..{140 if down else 1012} in the {link}, got {k}{other}")
    crc = crc_of(24 if down else 11 if k >= 20 else 6)
    parities = 3 if not down and k < 20 else 0
    total = k + crc.degree
    e = whole("e", e)
    if not total + parities <= e <= MAX_BITS:
        checks = f"{crc.degree} of a CRC" + (f" and {parities} parity checks" if parities else "")
        raise ValueError(
            f"e must be in {total + parities}..{MAX_BITS} for k = {k} message bits and {checks}, got {e}"
        )
    if not down and (k >= 1013 or (k >= 360 and e >= 1088)):
        raise ValueError(
            f"k = {k} message bits sent as e = {e} are two code blocks in the uplink; build each: k up to "
            "1012, and below 360 where e is 1088 or more"
        )
    m = _log2_length(total, e, 9 if down else 10)
    n = 2**m
    order = _sub_block_order(n)
    if e >= n:
        sent = [order[i % n] for i in range(e)]
    elif 16 * total <= 7 * e:
        sent = order[n - e :]
    else:
        sent = order[:e]
    shortened = [] if 16 * total <= 7 * e else order[e:]
    channels = _channels(n, e, total, order)[-total - parities :]
    u = _transform(n, channels, total, parities, e)
    checked = np.concatenate([np.eye(k, dtype=np.uint8), crc.remainders(k)], axis=1)
    if down:
        checked = np.ascontiguousarray(checked[:, _crc_order(total)])
    U = gf2.LinearMap(u)(checked)
    long = Code(kronecker_transform(U), checks_of_inputs(U), name=f"nr-polar-{link}-{n}-{k}")
    if not down:
        sent = [sent[i] for i in _triangle(e)]
    return rate_matched(long, sent, shortened, name=f"nr-polar-{link}-{e}-{k}")


def _log2_length(total: int, e: int, most: int) -> int:
    """log2 of the length of the polar code (section 5.3.1)."""
    up = math.ceil(math.log2(e))
    # e <= 9/8 2^(up - 1), and a rate below 9/16
    first = up - 1 if 16 * e <= 9 * 2**up and 16 * total < 9 * e else up
    return max(min(first, math.ceil(math.log2(8 * total)), most), 5)


def _sub_block_order(n: int) -> list[int]:
    """The order in which the n bits are read into the buffer."""
    size = n // 32
    return [SUB_BLOCKS[i // size] * size + i % size for i in range(n)]


def _channels(n: int, e: int, total: int, order: list[int]) -> list[int]:
    """The channels that may hold information, worst first (section 5.4.1.1)."""
    frozen: set[int] = set()
    if e < n:
        if 16 * total <= 7 * e:
            frozen |= set(order[: n - e])
            most = math.ceil(3 * n / 4 - e / 2) if 4 * e >= 3 * n else math.ceil(9 * n / 16 - e / 4)
            frozen |= set(range(most))
        else:
            frozen |= set(order[e:])
    return [channel for channel in reliability_sequence(n) if channel not in frozen]


def _transform(n: int, channels: list[int], total: int, parities: int, e: int) -> Bits:
    """What each of ``total`` bits adds to the inputs u of the n channels, (total, n) bits (section 5.3.1.2).

    channels: Those with information, worst first.
    """
    at_parity = set(_parity_channels(channels, parities, int(e - total + 3 > 192)))
    rows = np.zeros((n, total), np.uint8)  # of each channel, which bits it holds
    register = np.zeros((5, total), np.uint8)
    used, chosen = 0, set(channels)
    for channel in range(n):
        register = np.roll(register, -1, axis=0)
        if channel in at_parity:
            rows[channel] = register[0]
        elif channel in chosen:
            rows[channel, used] = 1
            register[0] ^= rows[channel]
            used += 1
    return np.ascontiguousarray(rows.T)


def _parity_channels(channels: list[int], parities: int, light: int) -> list[int]:
    """The channels of parity-check bits: the least reliable, one of least row weight if ``light`` is 1."""
    if not parities:
        return []
    rest = channels[parities:]
    least = min(channel.bit_count() for channel in rest)
    lightest = [channel for channel in rest if channel.bit_count() == least][-1:]
    return channels[: parities - light] + lightest[:light]


def _crc_order(total: int) -> list[int]:
    """The order of ``total`` bits in the downlink, the last 24 of which are their CRC."""
    skipped = len(CRC_ORDER) - total
    return [place - skipped for place in CRC_ORDER if place >= skipped]


def _triangle(e: int) -> list[int]:
    """The order in which e bits, written row by row into a triangle, are read column by column."""
    side = math.ceil((math.sqrt(8 * e + 1) - 1) / 2)
    starts = [row * side - row * (row - 1) // 2 for row in range(side)]
    return [
        starts[row] + column
        for column in range(side)
        for row in range(side - column)
        if starts[row] + column < e
    ]
