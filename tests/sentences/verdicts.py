"""The verdicts on two codes: how far from ML, at what cost, how sure."""

# ruff: noqa: E501  (sentences are quoted whole)

import math
from functools import cache

from scipy.stats import norm

from fecnn.analysis.costs import curve_costs
from fecnn.analysis.gap import gap_to_ml
from fecnn.analysis.record import NETWORKS, standings
from fecnn.analysis.tradeoff import front, weighed
from fecnn.nets.card import checkpoint_folder, read_card
from sentences import (
    ROOT,
    gaps,
    interval,
    lost,
    pairs,
    printed,
    readme,
    row,
    rows,
    says,
    shipped,
    total,
)

SMALL, LARGE = "verdict-bch-31-21", "verdict-bch-63-45"
LIGHT, EXACT = "bp on all light dual words", "exact ML (estimated)"


def paired(study, first, second):
    """The table of two decoders on common frames: only A wrong, only B wrong, p, ratio, frames, separate frames."""
    _, _, text = (ROOT / readme(study)).read_text().partition(f"A: {first}, B: {second}\n")
    found = {}
    for line in text.splitlines()[3:]:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        only_a, only_b, frames, separate = (int(cells[it].replace(",", "")) for it in (4, 5, 1, 9))
        found[float(cells[0])] = only_a, only_b, float(cells[6]), cells[8], frames, separate
    return found


@cache
def costs(study):
    """Gap to ML at BLER 1e-3, and operations per message bit and time there, by curve."""
    return {it.gap.curve: it for it in weighed(*shipped(study))[0]}


def cost(study, *told):
    """Check operations per message bit and microseconds per frame of curves."""
    for curve, operations, microseconds in told:
        one = costs(study)[curve]
        printed(one.operations, operations, one.microseconds, microseconds)


def best(study):
    """The curves that no other beats in gap and time, or in gap and operations."""
    found = list(costs(study).values())
    gap = [it.gap.gap_db for it in found]
    fronts = (front([getattr(it, by) for it in found], gap) for by in ("operations", "microseconds"))
    return {found[i].gap.curve for places in fronts for i in places}


@cache
def logs(study):
    """The networks of the record with counts, on the code of a study."""
    found = standings(study.removeprefix("verdict-"), folder=None)
    return [
        it for it in found if NETWORKS.match(it.decoder) and it.points[0].frames and it.how[:5] != "fecnn"
    ]


def stands(study, curve):
    """By Eb/N0, the logs that are better than a curve, and those that are even with it."""
    found = {}
    for ours in rows(study, curve):
        here = {it.decoder: it.at(ours["ebn0_db"], "bler") for it in logs(study)}
        ends = {name: it.interval for name, it in here.items() if it is not None}
        better = {name for name, (_, high) in ends.items() if high < ours["bler_low"]}
        worse = {name for name, (low, _) in ends.items() if ours["bler_high"] < low}
        found[ours["ebn0_db"]] = better, set(ends) - better - worse
    return found


def gap(study, decoder, target):
    """The gap of a decoder of the record to exact ML."""
    (one,) = [it for it in standings(study.removeprefix("verdict-"), folder=None) if it.decoder == decoder]
    return "{:.2f} dB [{:.2f}, {:.2f}]".format(*one.gaps[target])


def estimates(study, least, *within):
    """Check the least estimate of exact ML, how exact all are, and where they lie within the counts."""
    found = rows(study, EXACT)
    printed(found[-1]["bler"], least)
    assert all(max(it["bler_high"] / it["bler"], it["bler"] / it["bler_low"]) <= 1.0101 for it in found)
    inside = {
        it["ebn0_db"] for it, ml in pairs(study, EXACT, "ml") if ml["bler_low"] < it["bler"] < ml["bler_high"]
    }
    assert inside == set(within)


@says(
    readme(LARGE),
    '*Finished by OSD,* the network ends 0.10 dB [0.07, 0.13] from ML with order 0, which re-encodes once what it believes (`finish = "osd"`), and 0.00 dB [-0.02, 0.02] with order 1.',
    "Order 1 on the beliefs of BP on the same checks, which needs no training, ends at 0.21 dB [0.18, 0.25], and on the channel's values at the 0.14 dB above.",
)
@says(
    readme(SMALL),
    '*Finished by OSD,* the network ends 0.03 dB [0.00, 0.06] from ML with order 0, which re-encodes once what it believes (`finish = "osd"`), and -0.01 dB [-0.04, 0.02] with order 1.',
    "Order 1 on the beliefs of BP on the same checks, which needs no training, ends at 0.17 dB [0.13, 0.22]; on the channel's values it ends at 0.01 dB.",
)
def finished_by_osd():
    untrained = "bp-osd on all light dual words (order 1)"
    for study, order_0, order_1, of_bp, of_channel in (
        (LARGE, "0.10 dB [0.07, 0.13]", "0.00 dB [-0.02, 0.02]", "0.21 dB [0.18, 0.25]", "0.14 dB"),
        (SMALL, "0.03 dB [0.00, 0.06]", "-0.01 dB [-0.04, 0.02]", "0.17 dB [0.13, 0.22]", "0.01 dB"),
    ):
        known = gaps(study)
        assert interval(known["fecnn-net (finish osd)"]) == order_0
        assert interval(known["fecnn-net (finish osd, order 1)"]) == order_1
        assert interval(known[untrained]) == of_bp
        assert interval(known["osd (order 1)"]).startswith(of_channel)


@says(
    readme(LARGE),
    "OSD of order 2 certainly loses 15 of its 4,193 block errors against ML (504 and 503 block errors at 4 dB).",
    "At BLER 1e-3 order 1 is 0.14 dB [0.13, 0.16] from ML, the network `fecnn-net` 0.15 dB [0.13, 0.17], and BP on all light dual words 0.24 dB [0.21, 0.27].",
    "BP on H, OSD of order 0 and hard decisions do not get there up to 5 dB.",
    "With 8 tries the network is at ML: 0.00 dB [-0.02, 0.03].",
    "The estimates of exact ML go on to a BLER of 3.6e-12 at 8 dB, each point known to 1 % or better; they lie within the intervals of the counts at 4.5 and 5 dB.",
)
def how_far_on_63_45():
    assert [row(LARGE, it, 4.0)["block_errors"] for it in ("osd (order 2)", "ml")] == [504, 503]
    assert (lost(LARGE, "osd (order 2)"), total(LARGE, "osd (order 2)", "block_errors")) == (15, 4193)
    known = gaps(LARGE)
    assert interval(known["osd (order 1)"]) == "0.14 dB [0.13, 0.16]"
    assert interval(known["fecnn-net"]) == "0.15 dB [0.13, 0.17]"
    assert interval(known[LIGHT]) == "0.24 dB [0.21, 0.27]"
    for curve in ("bp", "osd (order 0)", "hard"):
        assert math.isnan(known[curve].gap_db)
    assert interval(known["fecnn-net (tries 8)"]) == "0.00 dB [-0.02, 0.03]"
    estimates(LARGE, "3.6e-12", 4.5, 5.0)


@says(
    readme(LARGE),
    "the record has 14 logs with counts of this code, eight of SBND (ECCT, CrossMPT, rECCT and GRU, of 611,000 to 1.4 million parameters, trained on 134 million to 2.1 billion frames) and six of the GNN decoder.",
    "The rECCT that comes closest is 0.13 dB [0.13, 0.14] from exact ML at BLER 1e-3, and 0.09 dB [0.07, 0.10] at 1e-5; the GNN decoder is 2.38 dB [2.36, 2.40] from it with 10 iterations, and weighted BP with 10 does not reach 1e-3 up to 6.5 dB.",
    "OSD of order 2 has a lower BLER than all logs at all seven points, beyond the intervals, and so has `fecnn-net` with 8 tries.",
    "Without tries `fecnn-net` (7,049 parameters, trained on 2.3 million frames) is worse than SBND's rECCT at 4 dB, and nowhere else worse than a log.",
    "OSD of order 1 is worse than SBND's rECCT and GRU at 5 dB, and nowhere else worse than a log.",
    "of each kind the one that comes closest to ML at BLER 1e-3",
)
def published_networks_on_63_45():
    found = logs(LARGE)
    sbnd = [it for it in found if it.how.startswith("SBND")]
    assert (len(found), len(sbnd)) == (14, 8)
    assert {it.decoder.split()[0] for it in found if it not in sbnd} == {"GNN"}
    trained_on(sbnd, {"ECCT", "CrossMPT", "rECCT", "GRU"}, (611_000, 1_400_000))
    rECCT, gru = "rECCT (ml-4m-2dB-aug, 512 epochs)", "GRU (ml-4m-2dB-aug, 512 epochs)"
    assert min(found, key=lambda it: it.gaps.get(1e-3, (math.inf,))).decoder == rECCT
    assert gap(LARGE, rECCT, 1e-3) == "0.13 dB [0.13, 0.14]"
    assert gap(LARGE, rECCT, 1e-5) == "0.09 dB [0.07, 0.10]"
    assert gap(LARGE, "GNN 10 iterations", 1e-3) == "2.38 dB [2.36, 2.40]"
    (weighted,) = [
        it for it in standings("bch-63-45", folder=None) if it.decoder == "weighted BP 10 (trained)"
    ]
    assert max(it.ebn0_db for it in weighted.points) == 6.5
    assert min(it.interval[0] for it in weighted.points) > 1e-3
    for curve in ("osd (order 2)", "fecnn-net (tries 8)"):
        assert set(map(repr, stands(LARGE, curve).values())) == {"(set(), set())"}
        assert len(stands(LARGE, curve)) == 7
    assert {at: worse for at, (worse, _) in stands(LARGE, "fecnn-net").items() if worse} == {4.0: {rECCT}}
    assert {at: worse for at, (worse, _) in stands(LARGE, "osd (order 1)").items() if worse} == {
        5.0: {rECCT, gru}
    }
    small(LARGE, 7_049, "2.3e6")
    closest(LARGE)


def small(study, parameters, frames):
    """Check the parameters of our network, and how many frames it was trained on."""
    card = read_card(checkpoint_folder(study.replace("verdict", "fecnn-net")))
    assert card.parameters == parameters
    printed(card.frames, frames)


def trained_on(found, kinds, parameters):
    """Check the kinds of some networks, the range of their parameters, and how many frames they were trained on."""
    assert {it.decoder.split()[0] for it in found} == kinds
    assert (min(it.parameters for it in found), max(it.parameters for it in found)) == parameters
    printed(
        min(it.training_frames for it in found), "134e6", max(it.training_frames for it in found), "2.1e9"
    )


def closest(study):
    """Check that of each kind the one is drawn that comes closest to ML at BLER 1e-3."""
    least = {}
    for one in logs(study):  # sorted by another gap
        kind = one.decoder.split()[0]
        if 1e-3 in one.gaps:
            least[kind] = min(least.get(kind, one), one, key=lambda it: it.gaps[1e-3][0])
    drawn = [it for it in shipped(study)[0].drawn if NETWORKS.match(it)]
    assert set(drawn) == {it.decoder for it in least.values()}


@says(
    readme(LARGE),
    "exact ML and OSD of orders 1 and 2 take 234 operations per message bit where they reach BLER 1e-3, 95 % of them or more exclusive ors of the elimination, and 0.39 to 0.42 microseconds per frame in this run.",
    "BP on dual words takes 385 and 6 microseconds.",
    "`fecnn-net` takes 300,000 for a frame that uses all its iterations (most stop before) and 58 microseconds on average.",
    "With tries it takes 190,000, as measured, and 360 microseconds at its crossing.",
    "Nothing beats ML and these two in both distance and cost, as the figure shows.",
)
def at_what_cost_on_63_45():
    three = ("ml", "234", "0.42"), ("osd (order 1)", "234", "0.39"), ("osd (order 2)", "234", "0.40")
    cost(LARGE, *three, (LIGHT, "385", "6"), ("fecnn-net", "3.0e5", "58"))
    cost(LARGE, ("fecnn-net (tries 8)", "19e4", "36e1"))
    exclusive_ors(LARGE, 4.0, 0.95)
    assert best(LARGE) >= {it[0] for it in three}


def exclusive_ors(study, ebn0_db, least):
    """Check the least share of binary operations in exact ML and OSD."""
    for curve in ("ml", "osd (order 1)", "osd (order 2)"):
        found, _ = curve_costs(*shipped(study))[curve][ebn0_db]
        assert least <= found.binary / found.operations <= least + 0.02


@says(
    readme(LARGE),
    "OSD of order 2 has fewer block errors than `fecnn-net` at every point, with and without tries.",
    "On common frames `fecnn-net` alone is wrong 5 to 8 times as often as OSD alone (at 5 dB 268 frames against 47, p = 1e-38), and its BLER is 1.3 to 1.8 times as high (1.79 [1.64, 1.97] at 5 dB).",
    "With noise of its own each would have needed 12 million frames for what 4.9 million common ones show.",
    "Against OSD of order 1 `fecnn-net` is worse up to 3.5 dB (p of 2e-5 and less).",
    "From 4 dB on the difference could be chance (p of 0.07, 0.78 and 0.12 at 4, 4.5 and 5 dB).",
    "With 8 tries it beats order 1 at every point (p of 8e-9 and less), and does not quite reach order 2.",
    "Over all points it is wrong alone on 137 frames and order 2 on 63, which is 1 to 9 % more block errors, and not chance at 2 and 3.5 dB (p of 5e-4 and 0.0025).",
)
def how_sure_on_63_45():
    second = paired(LARGE, "fecnn-net", "osd (order 2)")
    tried_second = paired(LARGE, "fecnn-net (tries 8)", "osd (order 2)")
    assert all(a > b for a, b, *_ in [*second.values(), *tried_second.values()])
    ratios = [a / b for a, b, *_ in second.values()]
    printed(min(ratios), "5", max(ratios), "8")
    assert second[5.0][:4] == (268, 47, 9.9e-39, "1.79 [1.64, 1.97]")
    ratios = [float(it[3].split()[0]) for it in second.values()]
    printed(min(ratios), "1.3", max(ratios), "1.8", second[5.0][5], "12e6", second[5.0][4], "4.9e6")
    first = paired(LARGE, "fecnn-net", "osd (order 1)")
    printed(max(it[2] for ebn0_db, it in first.items() if ebn0_db <= 3.5), "2e-5")
    assert all(a > b for ebn0_db, (a, b, *_) in first.items() if ebn0_db <= 3.5)
    printed(first[4.0][2], "0.07", first[4.5][2], "0.78", first[5.0][2], "0.12")
    tried_first = paired(LARGE, "fecnn-net (tries 8)", "osd (order 1)")
    assert all(a < b for a, b, *_ in tried_first.values())
    printed(max(it[2] for it in tried_first.values()), "8e-9")
    assert [sum(it[place] for it in tried_second.values()) for place in (0, 1)] == [137, 63]
    more = [100 * float(it[3].split()[0]) - 100 for it in tried_second.values()]
    printed(min(more), "1", max(more), "9")
    assert {ebn0_db for ebn0_db, it in tried_second.items() if it[2] < 0.05} == {2.0, 3.5}
    printed(tried_second[2.0][2], "5e-4", tried_second[3.5][2], "0.0025")


@says(
    readme(SMALL),
    "OSD of order 2 is maximum likelihood (no block error differs).",
    "At BLER 1e-3 order 1 is 0.01 dB [0.00, 0.01] from it, the network `fecnn-net` 0.05 dB [0.04, 0.07], and BP on all light dual words 0.17 dB [0.14, 0.20].",
    "At BLER 1e-2 OSD of order 0 loses 1.07 dB [1.02, 1.11], BP on H 1.44 dB [1.39, 1.49] and hard decisions 1.78 dB [1.73, 1.85]; the literature's MLNN [1000,500] has a BLER of 0.2 at 6 dB still.",
    "The estimates of exact ML go on to a BLER of 2.1e-11 at 9 dB, each point known to 1 % or better; 1e-6 takes 6.88 dB, 1e-9 8.34 dB.",
    "At 5.5 and 6 dB they lie within the intervals of the counts.",
    "At 5 dB they are 2.3 standard deviations apart: 4.97e-4 [4.95e-4, 5.00e-4] against 501 counted errors, 4.50e-4 [4.11e-4, 4.91e-4].",
    "Of three points one is that far off by chance once in 14 times.",
)
def how_far_on_31_21():
    assert all(it["block_errors"] == it["ml_errors"] for it in rows(SMALL, "osd (order 2)"))
    known = gaps(SMALL)
    assert interval(known["osd (order 1)"]) == "0.01 dB [0.00, 0.01]"
    assert interval(known["fecnn-net"]) == "0.05 dB [0.04, 0.07]"
    assert interval(known[LIGHT]) == "0.17 dB [0.14, 0.20]"
    known = {it.curve: it for it in gap_to_ml(*shipped(SMALL), bler=1e-2)}
    assert interval(known["osd (order 0)"]) == "1.07 dB [1.02, 1.11]"
    assert interval(known["bp"]) == "1.44 dB [1.39, 1.49]"
    assert interval(known["hard"]) == "1.78 dB [1.73, 1.85]"
    printed(row(SMALL, "MLNN [1000,500], trained", 6.0)["bler"], "0.2")
    estimates(SMALL, "2.1e-11", 5.5, 6.0)
    for target, where in ((1e-6, "6.88"), (1e-9, "8.34")):
        (found,) = [it for it in gap_to_ml(*shipped(SMALL), bler=target) if it.curve == EXACT]
        printed(found.crossing.ebn0_db, where)
    one, ml = row(SMALL, EXACT, 5.0), row(SMALL, "ml", 5.0)
    printed(one["bler"], "4.97e-4", one["bler_low"], "4.95e-4", one["bler_high"], "5.00e-4")
    printed(ml["bler"], "4.50e-4", ml["bler_low"], "4.11e-4", ml["bler_high"], "4.91e-4")
    assert ml["block_errors"] == 501
    expected = one["bler"] * ml["frames"]
    sigma = (expected - ml["block_errors"]) / math.sqrt(expected)
    printed(sigma, "2.3", 1 / (1 - (1 - 2 * norm.sf(sigma)) ** 3), "14")


@says(
    readme(SMALL),
    "the record has 14 logs of this code, all of SBND (ECCT, CrossMPT, rECCT and GRU, of 70,000 to 1.2 million parameters, trained on 134 million to 2.1 billion frames).",
    "The ECCT that comes closest is 0.09 dB [0.08, 0.09] from exact ML at BLER 1e-3, and 0.06 dB [0.04, 0.08] at 1e-5.",
    "OSD of order 2 has a lower BLER than all 14 at all nine points, beyond the intervals, and OSD of order 1 at all but 2.5 dB.",
    "`fecnn-net` (10,777 parameters, trained on 640,000 frames) is nowhere worse: it is better than all 14 at five of the nine points, and even with two to five of them at the others.",
    "of each kind the one that comes closest to ML at BLER 1e-3",
)
def published_networks_on_31_21():
    found = logs(SMALL)
    assert len(found) == 14
    assert all(it.how.startswith("SBND") for it in found)
    trained_on(found, {"ECCT", "CrossMPT", "rECCT", "GRU"}, (70_000, 1_200_000))
    ecct = "ECCT (ml-1mx16perm-3dB, 128 epochs)"
    assert ecct in shipped(SMALL)[0].drawn
    assert gap(SMALL, ecct, 1e-3) == "0.09 dB [0.08, 0.09]"
    assert gap(SMALL, ecct, 1e-5) == "0.06 dB [0.04, 0.08]"
    second, first = stands(SMALL, "osd (order 2)"), stands(SMALL, "osd (order 1)")
    assert len(second) == len(first) == 9
    assert set(map(repr, second.values())) == {"(set(), set())"}
    assert [at for at, (better, even) in first.items() if better or even] == [2.5]
    small(SMALL, 10_777, "640e3")
    ours = stands(SMALL, "fecnn-net")
    assert not any(better for better, _ in ours.values())
    even = [len(even) for _, even in ours.values()]
    assert (even.count(0), min(filter(None, even)), max(even)) == (5, 2, 5)
    closest(SMALL)


@says(
    readme(SMALL),
    "exact ML and OSD of orders 1 and 2 take 80 operations per message bit where they reach BLER 1e-3, 88 % of them or more exclusive ors of the elimination, and 0.17 to 0.18 microseconds per frame in this run.",
    "BP on dual words takes 600 and 5.6 microseconds.",
    "`fecnn-net` takes 560,000 for a frame that uses all its iterations (most stop before), and 23 microseconds on average.",
    "Nothing beats ML and these two in both distance and cost, as the figure shows.",
)
def at_what_cost_on_31_21():
    three = ("ml", "80", "0.18"), ("osd (order 1)", "80", "0.17"), ("osd (order 2)", "80", "0.17")
    cost(SMALL, *three, (LIGHT, "6.0e2", "5.6"), ("fecnn-net", "56e4", "23"))
    exclusive_ors(SMALL, 4.5, 0.88)
    assert best(SMALL) >= {it[0] for it in three}


@says(
    readme(SMALL),
    "OSD of order 1 has fewer block errors than `fecnn-net` at every point.",
    "On common frames `fecnn-net` alone is wrong 1.6 to 2.6 times as often as OSD alone (at 5 dB 108 frames against 57, p = 9e-5), and its BLER is 1.04 to 1.18 times as high (1.11 [1.06, 1.18] at 5 dB).",
    "This small difference is not chance at any of the nine points (p of 0.015 at most).",
    "With noise of its own each decoder would have needed 5.7 million frames at 5 dB for what one million common ones show.",
)
def how_sure_on_31_21():
    first = paired(SMALL, "fecnn-net", "osd (order 1)")
    assert len(first) == 9
    assert all(a > b for a, b, *_ in first.values())
    found = [a / b for a, b, *_ in first.values()]
    printed(min(found), "1.6", max(found), "2.6", max(it[2] for it in first.values()), "0.015")
    assert first[5.0][:4] == (108, 57, 8.8e-5, "1.11 [1.06, 1.18]")
    found = [float(it[3].split()[0]) for it in first.values()]
    printed(min(found), "1.04", max(found), "1.18", first[5.0][5], "5.7e6", first[5.0][4], "1.0e6")
