"""The literature's trained networks, what they learn and what they cost."""

# ruff: noqa: E501  (sentences are quoted whole)

import math
import re
from functools import cache

from scipy.special import ndtr

from fecnn.analysis.costs import cost_table
from fecnn.analysis.gap import gap_to_ml
from fecnn.decoders.complexity import complexity
from sentences import (
    gaps,
    interval,
    overlap,
    pairs,
    printed,
    published,
    readme,
    row,
    rows,
    says,
    shipped,
    text,
)
from sentences.optimal import same_counts

HAMMING, BCH, COST = "literature-nets-hamming-7-4", "literature-nets-bch-31-21", "complexity-slnn-mlnn"
SLNNS = tuple(f"SLNN-{hidden}, trained" for hidden in (5, 6, 7))
MLNNS = tuple(f"MLNN {hidden}, trained" for hidden in ("[100]", "[50,50]", "[100,100]"))
LARGE = "MLNN [1000,500], trained", "MLNN [2000,1000], trained"


@says(
    readme(HAMMING),
    "None of the six networks is maximum likelihood: from 2 dB on the BLER of each is above the interval of ML at every point.",
    "The training-free `slnn` has the counts of `ml` at every point, `mlnn` those of `map`.",
    "At BLER 1e-3 SLNN-6 loses 1.52 dB [1.41, 1.62], and SLNN-5 does not get there up to 8 dB.",
    "SLNN-7 loses 0.17 dB [0.10, 0.24]: little at low Eb/N0 (BLER 0.1831 against 0.1791 at 0 dB) and more above (2.2e-5 against 1.3e-5 at 8 dB).",
    "The MLNNs lose less in BER than in BLER, which they are not trained for.",
    "MLNN [50,50] at 4 dB has a BER of 5.81e-3 (`map`: 5.25e-3) and a BLER of 1.57e-2 (`ml`: 1.21e-2).",
    "The MLNNs see Eb/N0 = 0 dB only, and lose more where it is higher: the BER of the three is 1.02 to 1.03 times that of `map` at 0 dB, and 1.3 to 4.1 times at 8 dB.",
)
def trained_networks_of_hamming():
    for curve in (*SLNNS, *MLNNS):
        inside = {it["ebn0_db"] for it, ml in pairs(HAMMING, curve, "ml") if it["bler"] <= ml["bler_high"]}
        assert not any(it >= 2 for it in inside)
    assert same_counts(HAMMING, "slnn", "ml")
    assert same_counts(HAMMING, "mlnn", "map")
    found = gaps(HAMMING)
    assert interval(found["SLNN-6, trained"]) == "1.52 dB [1.41, 1.62]"
    assert math.isnan(found["SLNN-5, trained"].gap_db)
    assert rows(HAMMING, "SLNN-5, trained")[-1]["ebn0_db"] == 8
    assert interval(found["SLNN-7, trained"]) == "0.17 dB [0.10, 0.24]"
    for ebn0_db, theirs, ours in ((0.0, "0.1831", "0.1791"), (8.0, "2.2e-5", "1.3e-5")):
        printed(
            row(HAMMING, "SLNN-7, trained", ebn0_db)["bler"],
            theirs,
            row(HAMMING, "ml", ebn0_db)["bler"],
            ours,
        )
    for curve in MLNNS:
        for (it, best), (_, ml) in zip(
            pairs(HAMMING, curve, "map"), pairs(HAMMING, curve, "ml"), strict=True
        ):
            assert it["ber"] / best["ber"] < it["bler"] / ml["bler"]
    one, ml, best = (row(HAMMING, it, 4.0) for it in ("MLNN [50,50], trained", "ml", "map"))
    printed(one["ber"], "5.81e-3", best["ber"], "5.25e-3", one["bler"], "1.57e-2", ml["bler"], "1.21e-2")
    for ebn0_db, least, most in ((0.0, "1.02", "1.03"), (8.0, "1.3", "4.1")):
        best = row(HAMMING, "map", ebn0_db)["ber"]
        ratios = [row(HAMMING, curve, ebn0_db)["ber"] / best for curve in MLNNS]
        printed(min(ratios), least, max(ratios), most)


@says(
    readme(HAMMING),
    "No two trainings end in the same weights: at 8 dB ours of SLNN-6 and SLNN-7 have 1.3 and 1.4 times the published BLER, ours of MLNN [100] 0.7 times the published BER.",
    "The order of the SLNNs is the same as published at every point.",
)
def trainings_of_hamming():
    found = published(HAMMING).set_index(["curve", "ebn0_db"])
    for curve, ratio in ((SLNNS[1], "1.3"), (SLNNS[2], "1.4"), (MLNNS[0], "0.7")):
        there = found.loc[(curve, 8.0)]
        printed(there["ours"] / there["published"], ratio)
    for ebn0_db in (it["ebn0_db"] for it in rows(HAMMING, "ml")):
        for values in ("ours", "published"):
            rates = [found.loc[(curve, ebn0_db)][values] for curve in SLNNS]
            assert rates == sorted(rates, reverse=True)


@says(
    readme(BCH),
    "Their bit error rates, 0.124 and 0.125 at 0 dB and 0.0342 at 4 dB, are 2 to 5 % above that of a single channel symbol (0.122 and 0.0325).",
    "That is worse than sending the bits without a code (0.077 and 0.0127), at all nine points: a code of rate 21/31 gives every symbol less energy, and the networks do not use what the code gives back.",
    "The larger network is no better: the intervals of the two overlap at all nine points, in BER and in BLER.",
    "At BER 1e-2 they are 2.0 dB behind hard decisions, and at BLER 0.1 3.2 dB.",
    "The BER of exact ML is 31 times lower at 4 dB and 2,800 times lower at 6 dB.",
)
def what_the_networks_of_bch_learn():
    above = []
    for ebn0_db, symbol, uncoded in ((0.0, "0.122", "0.077"), (4.0, "0.0325", "0.0127")):
        alone = float(ndtr(-math.sqrt(2 * 21 / 31 * 10 ** (ebn0_db / 10))))
        printed(alone, symbol, row(BCH, "uncoded", ebn0_db)["ber"], uncoded)
        above += [100 * (row(BCH, curve, ebn0_db)["ber"] / alone - 1) for curve in LARGE]
    rates = [row(BCH, curve, ebn0_db)["ber"] for ebn0_db in (0.0, 4.0) for curve in LARGE]
    printed(rates[0], "0.124", rates[1], "0.125", rates[2], "0.0342", rates[3], "0.0342")
    printed(min(above), "2", max(above), "5")
    for curve in LARGE:
        both = pairs(BCH, curve, "uncoded")
        assert len(both) == 9
        assert all(it["ber_low"] > uncoded["ber_high"] for it, uncoded in both)
    both = pairs(BCH, *LARGE)
    assert len(both) == 9
    assert all(overlap(one, other) and overlap(one, other, "ber") for one, other in both)
    for metric, target, behind in (("ber", 1e-2, "2.0"), ("bler", 0.1, "3.2")):
        known = {gap.curve: gap.gap_db for gap in gap_to_ml(*shipped(BCH), **{metric: target})}
        for curve in LARGE:
            printed(known[curve] - known["hard"], behind)
    for curve in LARGE:
        for ebn0_db, ratio in ((4.0, "31"), (6.0, "2.8e3")):
            printed(row(BCH, curve, ebn0_db)["ber"] / row(BCH, "ml", ebn0_db)["ber"], ratio)


@says(
    readme(BCH),
    "The training-free networks are maximum likelihood on every frame that was compared, and the cost is going through all 2^21 words.",
    "On the frames that both decoded they agree with `ml` and `map` frame by frame, as the last lines say.",
)
def training_free_networks_of_bch():
    assert all(it["block_errors"] == it["ml_errors"] for it in rows(BCH, "slnn"))
    assert re.findall(r"the two differ in (\d+)", text(readme(BCH))) == ["0", "0"]


@says(
    readme(BCH),
    "The first author saw the same: the eight published points of July 2024 are worse than uncoded transmission too, those of [2000,1000] most.",
    "At 3 dB `slnn` took 5 milliseconds per frame in this run, `mlnn` 12, and `ml`, with the decisions of `slnn`, 0.3 microseconds.",
)
def what_was_published_of_bch():
    points = {
        (it.decoder, it.ebn0_db): it.value
        for it in shipped(BCH)[0].references
        if it.decoder.startswith("MLNN")
    }
    assert len(points) == 8
    for (decoder, ebn0_db), value in points.items():
        assert value > row(BCH, "uncoded", ebn0_db)["ber_high"]
        if decoder == "MLNN[1000,500]":
            assert value < points["MLNN[2000,1000]", ebn0_db]
    for curve, time in (("slnn", "5e3"), ("mlnn", "12e3"), ("ml", "0.3")):
        printed(row(BCH, curve, 3.0)["us_per_frame"], time)


@says(
    readme(BCH),
    "**The published ML points** (Kaiserslautern/RPTU database) are low together at a BLER of 0.1 and more; [rptu-bch](../rptu-bch/README.md) shows that they are biased there.",
)
def published_ml_points_of_bch():
    high = published(BCH)
    high = high[(high["curve"] == "ml") & (high["ours"] >= 0.1)]
    assert len(high) == 3
    assert (high["published"] < high["ours"]).all()
    assert high["z"].sum() / math.sqrt(3) < -2.5


@cache
def costs():
    """Costs of a frame by curve, at the highest Eb/N0 where they depend on it."""
    return {it["curve"]: it for _, it in cost_table(*shipped(COST)).iterrows()}


@says(
    readme(COST),
    "Compared with the trained SLNNs, yes.",
    "Compared with the trained MLNNs, yes on the two smallest codes, and no on BCH (31,21), by a wide margin.",
    "The training-free SLNN takes 56 operations and 112 bits of weights, the trained SLNN-7 344 operations and 5,888 bits.",
    "The training-free MLNN takes 108 and 176, the trained ones 6,204 and 22,404 operations.",
    "2,048 operations against 8,975 (SLNN), 3,336 against 25,320 (MLNN).",
    "The training-free MLNN takes 57 million operations and 109 million one-bit weights.",
    "The MLNN [1000,500] takes 1.1 million operations and 0.54 million weights of 32 bits, and [2000,1000] takes 4.2 million and 2.1 million.",
    "The training-free MLNN is more complex in additions, in weights, and in the bits of all weights together (109 million against 17 and 67 million).",
    "In its favour, it multiplies nothing, and the trained ones do not decode (BER 0.051 at 3 dB, 8 times that of ML: see [literature-nets-bch-31-21](../literature-nets-bch-31-21/README.md)).",
    "The literature's SLNN of this code, with 31 hidden neurons, would take 65 million multiplications and as many additions, twice the training-free one's.",
    "On BCH (31,21) this holds against the SLNN only.",
    "All of these networks compute what exact ML without a network does in 47, 135 and, on BCH (31,21) at 3 dB, 1,700 operations.",
)
def what_networks_cost():
    known = costs()

    def of(curve, what="operations"):
        return int(known[curve][what])

    assert (of("slnn of hamming-7-4"), of("slnn of hamming-7-4", "parameter_bits")) == (56, 112)
    assert (of("SLNN-7, trained"), of("SLNN-7, trained", "parameter_bits")) == (344, 5888)
    assert (of("mlnn of hamming-7-4"), of("mlnn of hamming-7-4", "parameter_bits")) == (108, 176)
    assert (of("MLNN [50,50], trained"), of("MLNN [100,100], trained")) == (6204, 22404)
    assert (of("slnn of polar-16-8"), of("SLNN-16, trained")) == (2048, 8975)
    assert (of("mlnn of polar-16-8"), of("MLNN [128,64,32], trained")) == (3336, 25320)
    free, small, large = "mlnn of bch-31-21", *LARGE
    printed(of(free), "57e6", of(free, "parameters"), "109e6")
    printed(of(small), "1.1e6", of(small, "parameters"), "0.54e6")
    printed(of(large), "4.2e6", of(large, "parameters"), "2.1e6")
    for what in ("additions", "parameters", "parameter_bits"):
        assert of(free, what) > max(of(small, what), of(large, what))
    printed(of(free, "parameter_bits"), "109e6", of(small, "parameter_bits"), "17e6")
    printed(of(large, "parameter_bits"), "67e6")
    assert of(free, "multiplications") == 0
    for curve in LARGE:
        one, ml = row(COST, curve, 3.0), row(COST, "ml of bch-31-21", 3.0)
        printed(one["ber"], "0.051", one["ber"] / ml["ber"], "8")
    slnn = complexity("literature-slnn", shipped(BCH)[0].points[0].code, hidden=[31])
    printed(slnn.multiplications, "65e6", slnn.additions, "65e6")
    printed(slnn.additions / of("slnn of bch-31-21", "additions"), "2")
    assert of("slnn of bch-31-21") < slnn.operations
    assert of(free) > max(of(small), of(large))
    assert (of("ml of hamming-7-4"), of("ml of polar-16-8")) == (47, 135)
    printed(of("ml of bch-31-21"), "1.7e3")
