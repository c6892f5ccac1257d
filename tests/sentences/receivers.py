"""Receivers that are told a wrong noise level, or have few bits (studies/mismatch, studies/quantised)."""

# ruff: noqa: E501  (sentences are quoted whole)

import math

from sentences import below, gaps, interval, published, readme, results, says

MISMATCH = "mismatch"
FACTORS = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)


def at(label, factor, code=""):
    """The row of a curve at a factor."""
    name = f"{label}{f', LLR scale {factor}' * (factor != 1)}{f' of {code}' * bool(code)}"
    found = results(MISMATCH)
    (only,) = found[found["curve"] == name].to_dict("records")
    return only


def said(label, factor, digits, code=""):
    """A BLER with its interval, as it is written."""
    one = at(label, factor, code)
    return " ".join(
        [f"{one['bler']:.{digits}f}", f"[{one['bler_low']:.{digits}f}, {one['bler_high']:.{digits}f}]"]
    )


@says(
    readme(MISMATCH),
    "- ML, OSD, max-log lists and `fecnn-net` have the same block errors at all nine factors.",
    "Normalised min-sum has 544 or 546 of them in 12,288 frames, depending on rounding.",
)
def who_does_not_need_the_noise_level():
    for label, code in (
        ("ML", "bch-63-45"),
        ("ML", "ccsds-128-64"),
        ("OSD-1", ""),
        ("OSD-2", "ccsds-128-64"),
        ("OSD-2", "nr-polar-uplink-128-64"),
        ("SCL-8, max-log", ""),
        ("fecnn-net", ""),
    ):
        every = [at(label, factor, code) for factor in FACTORS]
        assert len({(one["frames"], one["block_errors"], one["bit_errors"]) for one in every}) == 1, label
    every = [at("normalised min-sum", factor) for factor in FACTORS]
    assert {(one["frames"], one["block_errors"]) for one in every} == {(12288, 544), (12288, 546)}


@says(
    readme(MISMATCH),
    "- Sum-product on the CCSDS code has BLER 0.0468 [0.0431, 0.0507] with the true level.",
    "If the noise is taken for 3 dB stronger than it is, 0.210 [0.198, 0.223]; for 6 dB stronger, none of 4,096 frames is decoded.",
    "For 6 dB weaker it is 0.0667 [0.0613, 0.0723].",
)
def what_sum_product_loses():
    assert said("sum-product", 1, 4) == "0.0468 [0.0431, 0.0507]"
    assert said("sum-product", 0.5, 3) == "0.210 [0.198, 0.223]"
    assert at("sum-product", 0.25)["block_errors"] == at("sum-product", 0.25)["frames"] == 4096
    assert said("sum-product", 4.0, 4) == "0.0667 [0.0613, 0.0723]"


@says(
    readme(MISMATCH),
    "- OSD of order 1 after it mends most: BLER 0.0318 [0.0292, 0.0346] at 6 dB stronger, 0.00363 [0.00328, 0.00400] at 6 dB weaker, and 0.00328 [0.00297, 0.00362] at the true level.",
    "- On BCH (63,45), sum-product on all light dual words is at BLER 0.0493 [0.0447, 0.0542] for 3 dB stronger noise, and 0.0151 [0.0137, 0.0165] at the true level.",
)
def what_osd_mends():
    assert said("sum-product, then OSD-1", 0.25, 4) == "0.0318 [0.0292, 0.0346]"
    assert said("sum-product, then OSD-1", 4.0, 5) == "0.00363 [0.00328, 0.00400]"
    assert said("sum-product, then OSD-1", 1, 5) == "0.00328 [0.00297, 0.00362]"
    assert said("BP on all light dual words", 0.5, 4) == "0.0493 [0.0447, 0.0542]"
    assert said("BP on all light dual words", 1, 4) == "0.0151 [0.0137, 0.0165]"


@says(
    readme(MISMATCH),
    "- Lists of 8 with the exact box-plus gain nothing over max-log ones that the intervals would show: 0.103 [0.094, 0.112] and 0.104 [0.095, 0.114] at the true level.",
    "At 6 dB stronger they are at 0.199 [0.187, 0.211].",
)
def lists_with_the_exact_box_plus():
    assert said("SCL-8, exact", 1, 3) == "0.103 [0.094, 0.112]"
    assert said("SCL-8, max-log", 1, 3) == "0.104 [0.095, 0.114]"
    assert said("SCL-8, exact", 0.25, 3) == "0.199 [0.187, 0.211]"
    assert not below(at("SCL-8, exact", 1), at("SCL-8, max-log", 1))


@says(
    readme(MISMATCH),
    "Both published points agree: layered sum-product of AFF3CT, and lists of Sionna's tutorial, each at the true level.",
)
def published_points_agree():
    assert list(published(MISMATCH)["verdict"]) == ["agrees", "agrees"]
    assert set(published(MISMATCH)["curve"]) == {"sum-product", "SCL-8, max-log"}


QUANTISED = "quantised"
RANGES = {"bch-63-45": (4.3, 7.5, 9.0, 11.0, 13.0)} | dict.fromkeys(
    ("ccsds-128-64", "nr-polar-uplink-128-64"), (2.2, 4.5, 6.0, 7.0, 8.0)
)
CODES = tuple(RANGES)


def quantised(label, code, bits=None):
    """The gap of a decoder with LLRs of so many bits."""
    receiver = "" if bits is None else f", LLR bits {bits}, range {RANGES[code][bits - 2]}"
    shared = f" of {code}" * (label in ("ML", "OSD-2"))
    return gaps(QUANTISED)[f"{label}{receiver}{shared}"]


def cost(label, code, bits):
    """What so many bits cost, in dB as they are written."""
    return f"{quantised(label, code, bits).gap_db - quantised(label, code).gap_db:.2f}"


@says(
    readme(QUANTISED),
    "Four bits cost 0.05 dB or so, five or six nothing that matters; with three and fewer it depends on the decoder.",
    "- *Exact ML* loses 0.18 to 0.21 dB with 3 bits, 0.04 or 0.05 dB with 4, and 0.01 or 0.02 dB with 5, on all three codes.",
    "With 2 bits it loses 1.09 dB [1.04, 1.15] on BCH (63,45).",
)
def what_bits_cost_exact_ml():
    assert sorted(cost("ML", code, 3) for code in CODES) == ["0.18", "0.20", "0.21"]
    assert {cost("ML", code, 4) for code in CODES} == {"0.04", "0.05"}
    assert {cost("ML", code, 5) for code in CODES} == {"0.01", "0.02"}
    assert interval(quantised("ML", "bch-63-45", 2)) == "1.09 dB [1.04, 1.15]"
    every = [("ML", code) for code in CODES] + [("OSD-2", code) for code in CODES]
    every += [("sum-product", CODES[1]), ("normalised min-sum", CODES[1]), ("SCL-8", CODES[2])]
    assert all(0.03 < float(cost(*one, 4)) < 0.1 for one in every)
    assert all(float(cost(*one, bits)) < 0.035 for one in every for bits in (5, 6))


@says(
    readme(QUANTISED),
    "- *Lists of 8* lose as much: 0.23 dB with 3 bits, 0.04 dB with 4 and 1.15 dB with 2.",
    "- *Belief propagation* loses 0.25 dB (sum-product) and 0.28 dB (normalised min-sum) with 3 bits, and 0.06 dB or 0.07 dB with 4.",
)
def what_bits_cost_lists_and_belief_propagation():
    assert [cost("SCL-8", CODES[2], bits) for bits in (3, 4, 2)] == ["0.23", "0.04", "1.15"]
    assert [cost(it, CODES[1], 3) for it in ("sum-product", "normalised min-sum")] == ["0.25", "0.28"]
    assert {cost(it, CODES[1], 4) for it in ("sum-product", "normalised min-sum")} == {"0.06", "0.07"}


@says(
    readme(QUANTISED),
    "- *OSD* suffers most from few levels, because bits of equal reliability leave its most reliable basis to chance: on 5G polar order 2 loses 1.49 dB with 3 bits, and 0.09 dB with 4.",
    "On BCH (63,45), where order 2 is as good as ML, it loses 0.18 dB [0.14, 0.22] with 3 bits, as ML does.",
    "OSD of order 2 with 2 bits, and on the CCSDS code with 3, is beyond the points that were simulated, and so is sum-product with 2.",
)
def what_bits_cost_osd():
    assert [cost("OSD-2", CODES[2], bits) for bits in (3, 4)] == ["1.49", "0.09"]
    assert interval(quantised("OSD-2", "bch-63-45")) == "0.00 dB [0.00, 0.00]"
    assert interval(quantised("OSD-2", "bch-63-45", 3)) == "0.18 dB [0.14, 0.22]"
    assert interval(quantised("ML", "bch-63-45", 3)) == "0.18 dB [0.14, 0.22]"
    beyond = [
        ("OSD-2", CODES[1], 2),
        ("OSD-2", CODES[2], 2),
        ("OSD-2", CODES[1], 3),
        ("sum-product", CODES[1], 2),
    ]
    assert all(quantised(*one).crossing.low == math.inf for one in beyond)
    others = [
        ("ML", CODES[1]),
        ("sum-product", CODES[1]),
        ("normalised min-sum", CODES[1]),
        ("SCL-8", CODES[2]),
    ]
    assert max(float(cost(*one, 3)) for one in others) < 1.49


@says(
    readme(QUANTISED),
    "The three points of Sionna's tutorial within the grid (lists of 8, not quantised) agree.",
)
def points_of_lists_agree():
    assert list(published(QUANTISED)["verdict"]) == ["agrees"] * 3
    assert set(published(QUANTISED)["curve"]) == {"SCL-8"}
