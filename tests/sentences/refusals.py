"""What a margin and a CRC let pass at the same share of refused frames."""

# ruff: noqa: E501  (sentences are quoted whole)

from sentences import printed, readme, row, says

STUDY = "refusals"


def at(curve, ebn0_db, passes, percent):
    """The results of a curve that lets this many wrong frames pass and refuses this percentage."""
    found = row(STUDY, curve, ebn0_db)
    assert found["frames"] == 131_072
    assert found["block_errors"] - found["refused_errors"] == passes
    printed(100 * found["refused"], percent)
    return found


@says(
    readme(STUDY),
    "for as many wrong frames that pass, a margin refuses three to six times fewer frames than a CRC that is only checked.",
    "At 2 dB a CRC of 8 bits that is only checked lets 120 wrong frames of 131,072 pass and refuses 18.4 %.",
    "With 11 bits that are decoded and a margin of 4, 123 pass for 2.9 % refused.",
    "At 2 dB a CRC of 11 bits that is only checked lets 5 pass for 23.1 % refused; decoded, with a margin of 8, it lets 7 pass for 7.9 %.",
    "of the 3,738 frames that a margin of 4 refuses with 11 bits at 2 dB, 2,150 were right.",
)
def decoded_or_checked():
    checked, decoded = (
        at("CRC-8 not decoded, OSD-3", 2.0, 120, "18.4"),
        at("CRC-11, OSD-3, margin 4.0", 2.0, 123, "2.9"),
    )
    far, near = (
        at("CRC-11 not decoded, OSD-3", 2.0, 5, "23.1"),
        at("CRC-11, OSD-3, margin 8.0", 2.0, 7, "7.9"),
    )
    printed(checked["refusals"] / decoded["refusals"], "6", far["refusals"] / near["refusals"], "3")
    for one, other in ((checked, decoded), (far, near)):
        assert max(one["undetected_low"], other["undetected_low"]) < min(
            one["undetected_high"], other["undetected_high"]
        )
    for one in (checked, far):
        assert one["refusals"] == one["refused_errors"]
    assert (decoded["refusals"], decoded["refusals"] - decoded["refused_errors"]) == (3738, 2150)


@says(
    readme(STUDY),
    "without a CRC, the polar code of OSD-3 lets 100 pass at 2 dB for 41.7 % refused (a margin of 6).",
    "SCL-32 with 11 bits lets 108 pass with a margin of 0.5 and still 95 with one of 8.",
    "In 99.5 % of its frames at 2 dB no second path satisfies the CRC",
    "At 3 dB few wrong frames pass: 10 behind the CRC of 8 bits that is only checked, for 3.7 % refused, and 8 with 8 bits decoded and a margin of 4, for 0.29 %.",
)
def codes_and_lists():
    at("no CRC, OSD-3, margin 6.0", 2.0, 100, "41.7")
    at("CRC-11, SCL-32, margin 0.5", 2.0, 108, "4.5")
    alone = at("CRC-11, SCL-32, margin 8.0", 2.0, 95, "4.8")
    printed(100 * alone["uncertified"] / alone["frames"], "99.5")
    at("CRC-8 not decoded, OSD-3", 3.0, 10, "3.7")
    at("CRC-8, OSD-3, margin 4.0", 3.0, 8, "0.29")
