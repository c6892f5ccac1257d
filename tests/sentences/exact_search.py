"""The page about exact search: what it counts and compares."""

# ruff: noqa: E501  (sentences are quoted whole)

import csv
import math
import re
import runpy

import numpy as np

import fecnn
from fecnn.decoders.kernels import search, words
from fecnn.decoders.kernels.arena import Arena
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
        Arena().run(search.search, llr, columns, code.n - code.k, distance, -1.0, budgets, out, work, certain)
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


@says(
    PAGE,
    "All 2,000 frames were proved from 3 dB on for (128,64), from 5 dB for (256,139), and from 5.5 dB for (512,340), the hardest code of each length here.",
    "With 28 checks or fewer no frame takes more than 5,000 nodes, at any of these Eb/N0.",
)
def reach_of_the_search():
    with (ROOT / "docs" / "search-reach.csv").open() as file:
        points = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    for (n, k), least in {(128, 64): 3.0, (256, 139): 5.0, (512, 340): 5.5}.items():
        of_length = [point for point in points if point["n"] == n]
        of_code = [point for point in of_length if point["k"] == k]
        assert min(point["k"] for point in of_length) == k
        proved = [point["ebn0_db"] for point in of_code if not point["uncertified"]]
        assert min(proved) == least
        assert len(proved) == 1 + 2 * (6.0 - least)
        assert all(point["frames"] == 2000 for point in of_code if point["ebn0_db"] in proved)
        others = [point for point in of_length if point["k"] != k and point["ebn0_db"] >= least]
        assert not any(point["uncertified"] for point in others)
    few = [point for point in points if point["n"] - point["k"] <= 28]
    assert {point["n"] for point in few} == {128, 256, 512}
    assert max(point["most"] for point in few) < 5000
    # One of the points again.
    code, rng = fecnn.bch(127, 120, extended=True), np.random.default_rng(1)
    channel, decode = fecnn.AWGN.at(4.0, code.rate), fecnn.decoder("ml", code, method="search", nodes=10**6)
    work = [decode.measure(channel.transmit(np.zeros((10, 128), np.uint8), rng))[1].work for _ in range(200)]
    (point,) = [it for it in points if (it["n"], it["k"], it["ebn0_db"]) == (128, 120, 4.0)]
    printed(float(np.mean(work)), f"{point['nodes']:.4g}")
