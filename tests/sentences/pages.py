"""The documents: what they take from the studies, from the record, and from the benchmarks' recorded runs."""

# ruff: noqa: E501  (sentences are quoted whole)

import math
import re

from fecnn.analysis.costs import curve_costs
from fecnn.analysis.gap import gap_to_ml
from fecnn.nets.card import checkpoint_folder, read_card
from fecnn.studies.record import record
from sentences import (
    BCH_CODES,
    LEVELS,
    ROOT,
    below,
    overlap,
    pairs,
    printed,
    readme,
    row,
    rows,
    says,
    shipped,
    text,
)

TABLE = "published-nets-table"


def cells(page, *begins):
    """The cells of the one table row of a page that begins with these cells, as numbers where they are numbers."""
    found = []
    for line in (ROOT / page).read_text().splitlines():
        row = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and tuple(row[: len(begins)]) == begins:
            found.append(row[len(begins) :])
    (row,) = found
    return [float(it[0]) if (it := re.match(r"[\d.,]+", cell.replace(",", ""))) else cell for cell in row]


def of(code, decoder, ebn0_db):
    return row(TABLE, f"{decoder} of {code}", ebn0_db)


@says(
    "docs/networks.md",
    "It is not a fast decoder: on these codes every network takes more than ten times as long as OSD of order 2 ([below](#beside-osd-and-exact-ml)).",
    "That brings `fecnn-net` to ML within the intervals at 4, 5 and 6 dB on three of the four BCH codes of [published-nets-table](../studies/published-nets-table/README.md), at 1.1 to 2.2 times the time of the network alone.",
    "On all four codes OSD of order 2 and exact ML have a lower BLER than `fecnn-net` at 4 dB, and nowhere a higher one beyond the intervals.",
    "Order 1 has a lower one on (63,36) at 4 dB and on (63,51) at 4 and 5 dB; else the intervals overlap.",
    "OSD of order 2 takes a hundredth to a fiftieth of the time.",
    "With 8 tries the network is maximum likelihood within the intervals of the BLER on (31,16), (63,45) and (63,51), and takes 1.1 to 14 times as long.",
)
def networks_beside_osd():
    better, times, finished, tried = set(), [], {}, {}
    for code in BCH_CODES:
        for ebn0_db in LEVELS:
            net, ml, first, second = (
                of(code, it, ebn0_db) for it in ("fecnn-net", "ml", "osd (order 1)", "osd (order 2)")
            )
            times.append(net["us_per_frame"] / second["us_per_frame"])
            for one in (ml, second):
                assert not below(net, one)
                assert ebn0_db > 4 or one["bler"] < net["bler"]
            better |= {(code, ebn0_db)} if below(first, net) else set()
            assert below(first, net) or overlap(first, net)
            for name, kept in (("finish osd, order 1", finished), ("tries 8", tried)):
                other = of(code, f"fecnn-net ({name})", ebn0_db)
                if other is not None and overlap(other, ml):
                    kept.setdefault(code, []).append(other["us_per_frame"] / net["us_per_frame"])
    assert better == {("bch-63-36", 4.0), ("bch-63-51", 4.0), ("bch-63-51", 5.0)}
    printed(min(times), "5e1", max(times), "1e2")
    others = [
        it["us_per_frame"] / osd["us_per_frame"]
        for study in ("transformers-bch-31-16", "transformers-bch-63-51")
        for curve in {point.curve for point in shipped(study)[0].points}
        if curve.startswith(("ECCT", "CrossMPT", "fecnn-net"))
        for it, osd in pairs(study, curve, "osd (order 2)")
    ]
    assert min(*others, *times) > 10
    for kept, least, most in ((finished, "1.1", "2.2"), (tried, "1.1", "14")):
        whole = {code: ratios for code, ratios in kept.items() if len(ratios) == 3}
        assert set(whole) == set(BCH_CODES) - {"bch-63-36"}
        ratios = [it for ratios in whole.values() for it in ratios]
        printed(min(ratios), least, max(ratios), most)


@says(
    "docs/record.md",
    "- On polar (64,48) U-ECCT prints -ln(BER) of 11.98 at 6 dB, beyond exact ML on our code of that name (11.32 [11.18, 11.47]), so its code is another one.",
)
def u_ecct_on_polar_64_48():
    known = [it for it in record("polar-64-48", folder=None) if it.source.startswith("U-ECCT")]
    printed(max(-math.log(it.value) for it in known if it.ebn0_db == 6.0), "11.98")
    ml = row(TABLE, "ml of polar-64-48", 6.0)
    for value, told in (("ber_code", "11.32"), ("ber_code_high", "11.18"), ("ber_code_low", "11.47")):
        printed(-math.log(ml[value]), told)


@says(
    "CHANGELOG.md",
    "published tables and public logs, more than 1,500 points of 28 codes, more than 600 of them with counts,",
)
def size_of_the_record():
    known = record(folder=None)
    assert len(known) > 1500
    assert len({it.code for it in known}) == 28
    assert sum(it.frames is not None for it in known) > 600


@says(
    "docs/decoders.md",
    "| `polar-ecct-128-64` | 4.00e-7 | 3.99e-7 to 4.11e-7 |",
    "| `ldpc-121-70` | 4.85e-9 | 4.85e-9 to 5.60e-9 |",
    "| `ldpc-121-80` | 1.41e-9 | 1.41e-9 to 1.45e-9 |",
)
def light_words_at_6_db():
    for code, value in (
        ("polar-ecct-128-64", "4.00e-7"),
        ("ldpc-121-70", "4.85e-9"),
        ("ldpc-121-80", "1.41e-9"),
    ):
        (known,) = [
            it
            for it in record(code, folder=None)
            if (it.decoder, it.ebn0_db, it.metric) == ("exact ML", 6.0, "bler")
        ]
        printed(known.value, value)


@says(
    "docs/scaling.md",
    "With 32,768 frames at once, a frame takes 1.4 us (`fecnn-net`) to 5.5 us (`mlnn`) there, 36 to 119 times less than on one thread of the CPU beside it (one run: [benchmarks](../benchmarks/README.md#networks-on-a-gpu)).",
)
@says(
    "docs/train.md",
    "On one H100, a step of 4,096 frames (N = 6, d = 128, BCH (63,51), bfloat16) takes 61 ms for ECCT and 83 ms for CrossMPT.",
    "That is 495 and 218 times less per frame than on one thread of the CPU beside it (one run: [benchmarks](../benchmarks/README.md#networks-on-a-gpu)).",
)
def networks_on_a_gpu():
    page = "benchmarks/README.md"
    found = {
        name: cells(page, f"{name} bch-31-16 2 dB", "the same on the CPU")
        for name in ("slnn", "mlnn", "ecct", "crossmpt", "fecnn-net")
    }
    assert min(found, key=lambda it: found[it][0]) == "fecnn-net"
    assert max(found, key=lambda it: found[it][0]) == "mlnn"
    printed(found["fecnn-net"][0], "1.4", found["mlnn"][0], "5.5")
    ratios = [it[2] for it in found.values()]
    printed(min(ratios), "36", max(ratios), "119")
    for name, milliseconds, ratio in (("ecct", "61", "495"), ("crossmpt", "83", "218")):
        one = cells(page, f"training {name} bch-63-51, batch 4096", "the same on the CPU, batch 128")
        printed(one[0] * 4096 / 1e3, milliseconds, one[2], ratio)


@says(
    "docs/scaling.md",
    "Exact ML reaches BLER 1e-9 at about 7.2 dB.",
    "Near that point OSD of order 3 ran at 4.6 million frames per second of one core, noise and counting included (the table above).",
    "A hundred block errors are 10^11 frames: 6.0 hours of one core, 22 seconds of 1,000.",
    "finds the BLER of exact ML to 1 % from 1,268 drawn words at 7 and at 7.5 dB ([verdict-bch-63-45](../studies/verdict-bch-63-45/README.md)).",
    "On this code order 3 has the block errors of exact ML at all nine points of [osd-orders](../studies/osd-orders/README.md), 1 to 5 dB.",
)
def a_thousand_cores():
    found = gap_to_ml(*shipped("verdict-bch-63-45"), bler=1e-9)
    (exact,) = [it for it in found if it.curve == "exact ML (estimated)"]
    printed(exact.crossing.ebn0_db, "7.2")
    for ebn0_db in (7.0, 7.5):
        one = row("verdict-bch-63-45", "exact ML (estimated)", ebn0_db)
        assert (one["method"], one["frames"]) == ("union", 1268)
        assert max(one["bler_high"] / one["bler"], one["bler"] / one["bler_low"]) <= 1.01
    speed = cells("docs/scaling.md", "order 3, 7.1 dB")[2]
    assert speed == 4.6
    printed(1e11 / (speed * 1e6) / 3600, "6.0", 1e11 / (speed * 1e6) / 1000, "22")
    both = pairs("osd-orders", "osd (order 3) of bch-63-45", "ml of bch-63-45")
    assert [ml["ebn0_db"] for _, ml in both] == [1 + it / 2 for it in range(9)]
    assert all(osd["block_errors"] == ml["block_errors"] for osd, ml in both)


@says(
    "docs/studies.md",
    "On BCH (31,21) at 4 dB exact ML takes 80 operations per message bit, the training-free SLNN 1.5 million.",
)
@says(
    readme("verdict-bch-31-21"),
    "The training-free SLNN, which is maximum likelihood too, takes 1.5 million operations per message bit (see [complexity-slnn-mlnn](../complexity-slnn-mlnn/README.md)).",
)
def operations_of_bch_31_21():
    ml, point = curve_costs(*shipped("verdict-bch-31-21"))["ml"][4.0]
    printed(ml.operations / point.code.k, "80")
    slnn, _ = next(iter(curve_costs(*shipped("complexity-slnn-mlnn"))["slnn of bch-31-21"].values()))
    printed(slnn.operations / point.code.k, "1.5e6")
    assert all(
        it["block_errors"] == it["ml_errors"] for it in rows("complexity-slnn-mlnn", "slnn of bch-31-21")
    )


@says(
    "docs/train.md",
    "CrossMPT and ECCT have 13 and 23 times the block errors of ML at 4 dB.",
    "The networks of d = 32 in the zoo see 62 light dual words instead of the 15 rows of H, and are better at 3 and 4 dB after 768,000 frames",
)
def trained_on_a_gpu():
    page = "docs/train.md"
    ml = re.search(r"exact ML on the same frames.*?\((\d+);.*?\((\d+);", text(page))
    ratios = []
    for kind in ("ECCT", "CrossMPT"):
        line = re.search(
            rf"\| {kind} \|.*? \| [\d.e-]+ \([\d,]+; (\S+), \S+\) \| [\d.e-]+ \(([\d,]+); (\S+), \S+\)",
            text(page),
        )
        low, errors, lower = line.groups()
        for ebn0_db, end in ((3.0, low), (4.0, lower)):
            zoo = row("transformers-bch-31-16", f"{kind} d=32, light checks", ebn0_db)
            assert zoo["bler_high"] < float(end)
        card = read_card(checkpoint_folder(f"{kind.lower()}-bch-31-16"))
        assert (card.frames, card.model.options["orbits"] * 31) == (768_000, 62)
        ratios.append(int(errors.replace(",", "")) / int(ml[2]))
    printed(ratios[1], "13", ratios[0], "23")


@says(
    "docs/pipelines.md",
    "`fecnn-net` has at most 4 % more block errors if it is not told, and the transformers have up to 2 % fewer.",
    "it decides best on LLRs of the magnitude it saw there, and has 26 % fewer block errors if it is not told.",
)
def with_and_without_the_noise_level():
    page = "docs/pipelines.md"
    more = {}
    for network, ebn0_db in (
        *(
            (f"`fecnn-net`, BCH {code}", level)
            for code in ("(31,16)", "(63,45)")
            for level in ("2 dB", "4 dB")
        ),
        ("`ecct`, BCH (31,16)", "4 dB"),
        ("`crossmpt`, BCH (31,16)", "4 dB"),
        ("`literature-mlnn`, Hamming (7,4)", "4 dB"),
    ):
        _, told, untold = cells(page, network, ebn0_db)
        more.setdefault(network.split("`")[1], []).append(100 * (untold / told - 1))
    printed(max(more["fecnn-net"]), "4", *more["crossmpt"], "-2")
    assert -2 < more["ecct"][0] <= 0
    printed(*more["literature-mlnn"], "-26")


@says(
    "docs/pipelines.md",
    "A Sionna block adds 0.07 microseconds to each of 10,000 frames of 63 bits: 10 % to `osd`, which takes 0.72, and less than 1 % to `bp`.",
    "`bp` works on up to 32 frames at once in the time of one, so that a single one takes 2.5 times as long as in C++.",
    "Two threads (`Threads`) decoded 200,000 frames 1.9 times as fast as one (`ml`, BCH (63,45), 2 dB; [benchmarks](../benchmarks/README.md#a-call-for-one-frame-and-the-sionna-block)).",
)
def calls():
    page = "benchmarks/README.md"
    bare, block, ratio, _ = cells(page, "`osd` bch-63-45 2 dB")
    printed(block - bare, "0.07", bare, "0.72", 100 * (ratio - 1), "10")
    assert cells(page, "`bp` bch-63-45 2 dB")[2] < 1.01
    for ours, theirs, begins in (
        (
            ("`bp`, 20 iterations, ccsds-128-64", "ldpc BpDecoder (C++)"),
            2,
            ("`bp`, 20 iterations", "CCSDS (128,64)", "`ldpc`, C++"),
        ),
        (
            ("`berlekamp-massey` bch-63-45", "galois BCH (Numba)"),
            2,
            ("`berlekamp-massey`", "BCH (63,45)", "`galois`, Numba"),
        ),
        (
            ("`osd` order 2 ebch-64-36", "Sionna OSDecoder (torch)"),
            2,
            ("`osd`, order 2", "extended BCH (64,36)", "Sionna, torch"),
        ),
    ):
        measured = cells(page, *ours)[:theirs]
        shown = cells("docs/pipelines.md", *begins)
        assert [round(it, 1 if it < 10 else 0) for it in measured] == shown
    one, peer = cells("docs/pipelines.md", "`bp`, 20 iterations", "CCSDS (128,64)", "`ldpc`, C++")
    printed(one / peer, "2.5")
    printed(re.search(r"Two threads are ([\d.]+)", text(page))[1], "1.9")
