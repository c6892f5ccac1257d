"""The page about exact search: what it counts and compares."""

# ruff: noqa: E501  (sentences are quoted whole)

import math
import re
import runpy

import numpy as np

import fecnn
from fecnn.decoders.kernels import search, words
from fecnn.decoders.ml import LIST_PATTERNS, chosen, safe_distance
from sentences import ROOT, printed, says

PAGE = "docs/exact-search.md"


def tool():
    return runpy.run_path(str(ROOT / "tools" / "draw_search.py"))


@says(
    PAGE,
    "BCH (63,45) has 2^45 codewords, about 3.5e13.",
    "at 4 dB it tries three patterns per frame, on average.",
    "Unless the hard decision is a codeword, OSD without these bounds (`prune=False`) tries 1,035 patterns beside order 0 with order 2, and 15,225 with order 3, and proves nothing.",
    "**Local constraints**, after about 300 patterns.",
)
def patterns_tried():
    code = fecnn.load_code("bch-63-45")
    printed(2**code.k, "3.5e13")
    (row,) = re.findall(r"^\| 4 dB \|.*\| ([\d.]+) \| \d+ \|$", (ROOT / PAGE).read_text(), re.MULTILINE)
    printed(row, "3")
    llr = tool()["llrs"](4.0, 100)
    clean = ~code.syndrome((llr < 0).astype(np.uint8)).any(axis=1)
    for order, told in ((2, 1035), (3, 15225)):
        assert sum(math.comb(code.k, flips) for flips in range(1, order + 1)) == told
        _, effort = fecnn.decoder("osd", code, order=order, prune=False).measure(llr)
        assert (effort.work == np.where(clean, 0, told)).all()
    assert LIST_PATTERNS == 300


@says(
    PAGE,
    "These are the 990 pairs of flips of two frames of BCH (63,45), the first at 2 dB and the first at 4 dB in which a pair wins.",
    "On the left the winner costs 1.4 % less than order 0, and 201 pairs have to be tried.",
    "On the right order 0 costs 1.3 times as much as the winner, which flips two of the five least reliable places, and leaves 66.",
    "Of all patterns with three flips or more, the bounds leave 3 in the first frame and none in the second.",
)
def pairs_of_two_frames():
    drawn = tool()
    assert drawn["SHOWN_DB"] == (2.0, 4.0)
    frames = [drawn["shown_frame"](ebn0_db) for ebn0_db in drawn["SHOWN_DB"]]
    (left, _, lighter), (right, pair, best) = frames
    printed(100 * (1 - lighter / left.start), "1.4", right.start / best, "1.3")
    assert max(pair) < 5
    for (found, _, price), pairs, heavier in zip(frames, (201, 66), (3, 0), strict=True):
        assert math.comb(len(found.basis), 2) == 990
        single = int((found.basis + found.floors[1] < price * (1 + drawn["SLACK"])).sum())
        assert found.pairs_below(price).sum() == pairs
        assert found.count_below(price) == single + pairs + heavier


@says(PAGE, "then more patterns are tried, and the decisions are the same.")
def without_a_minimum_distance():
    code, llr = fecnn.load_code("bch-63-45"), tool()["llrs"](3.0, 2000)
    columns, budgets = words.columns_of(code.parity_columns), np.array([300, 500, 10**6])
    found = []
    for distance in (1, safe_distance(code)):
        out, work = np.empty(llr.shape, np.uint8), np.empty(len(llr), np.int64)
        certain = np.empty(len(llr), np.bool_)
        search.search(llr, columns, code.n - code.k, distance, -1.0, budgets, out, work, certain)
        assert certain.all()
        found.append((out, work))
    (out, work), (known, least) = found
    assert (out == known).all()
    assert work.sum() > least.sum()


@says(
    PAGE,
    "`auto` takes the one of the least expected time: `codebook` for the extended Hamming code (8,4), `trellis` for polar (64,32), whose trellis is small in a good order of the bits, and the search for BCH (31,21) and longer codes without such a trellis.",
)
def methods():
    names = ("ext-hamming-8-4", "polar-64-32", "bch-31-21", "bch-63-45", "bch-127-64", "ldpc-121-60")
    ways = ["codebook", "trellis", *["search"] * 4]
    assert [chosen(fecnn.load_code(name)) for name in names] == ways
