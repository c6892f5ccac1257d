"""What passes a CRC or a margin, and what both refuse."""

# ruff: noqa: E501  (sentences are quoted whole)

from sentences import printed, readme, row, says

STUDY = "undetected"


def at(curve, crc, ebn0_db):
    """The results of a curve for the code with that CRC."""
    code = "polar-5g-128-64" + (f"-crc-{crc}" if crc else "")
    names = (f"{curve} of {code}", curve)
    (found,) = [it for name in names if (it := row(STUDY, name, ebn0_db)) is not None and it["code"] == code]
    assert found["frames"] == 65_536
    return found


def passed(one):
    """Wrong frames that were not refused."""
    return one["block_errors"] - one["refused_errors"]


@says(
    readme(STUDY),
    "Decoding the CRC with the other checks and refusing by margin refuses 19 to 66 times fewer frames than a CRC that is only checked, for shares of undetected errors that the counts cannot tell apart (8 and 11 bits, 3 dB).",
    "At 3 dB a CRC of 8 bits that is only checked lets 7 wrong frames of 65,536 pass behind exact ML, and refuses 3.6 % of the frames.",
    "OSD of order 3 that is told of the same CRC, with a margin of 3, lets 6 pass and refuses 0.19 %.",
    "With 11 bits none passes at 3 dB, for 4.4 % refused; with the margin 4 pass, for 0.07 % refused.",
    "Sixteen bits that are only checked cost a tenth of all frames at 3 dB, because the larger code has only 48 checks left to correct errors.",
)
def checked_or_decoded():
    ratios: list[float] = []
    for crc, (by_crc, by_margin), (percent, less) in (
        (8, (7, 6), ("3.6", "0.19")),
        (11, (0, 4), ("4.4", "0.07")),
    ):
        one, other = at("ML, CRC refuses", crc, 3.0), at("OSD-3, margin 3 refuses", crc, 3.0)
        assert (passed(one), passed(other)) == (by_crc, by_margin)
        printed(100 * one["refused"], percent, 100 * other["refused"], less)
        ratios.append(one["refusals"] / other["refusals"])
        assert max(one["undetected_low"], other["undetected_low"]) < min(
            one["undetected_high"], other["undetected_high"]
        )
    printed(ratios[0], "19", ratios[1], "66")
    printed(100 * at("ML, CRC refuses", 16, 3.0)["refused"], "10")


@says(
    readme(STUDY),
    "at 2 dB 63 to 73 wrong frames pass the CRC of 8 bits behind ML, OSD-3, BP-OSD-2 and SCL-8.",
    "at 2 dB 241 wrong frames of SCL-8 pass that of 8 bits, and it refuses 5.2 % instead of 18 %.",
    "Without a CRC a margin of 3 keeps 488 of the 597 wrong frames of OSD-3 at 3 dB, for 3.4 % refused.",
    "A margin of 1 instead of 3 refuses 14 frames instead of 44 and lets 18 wrong ones pass instead of 4 (CRC of 11 bits, 3 dB).",
    "none of 65,536 is below 5.63e-5.",
)
def lists_and_margins():
    before = [at(f"{name}, CRC refuses", 8, 2.0) for name in ("ML", "OSD-3", "BP-OSD-2", "SCL-8")]
    counts = [passed(one) for one in before]
    assert (min(counts), max(counts)) == (63, 73)
    aided = at("SCL-8", 8, 2.0)
    assert passed(aided) == 241
    printed(100 * aided["refused"], "5.2", 100 * before[-1]["refused"], "18")
    plain = at("OSD-3, margin 3 refuses", 0, 3.0)
    assert (plain["block_errors"], plain["refused_errors"]) == (597, 488)
    printed(100 * plain["refused"], "3.4")
    three, one = at("OSD-3, margin 3 refuses", 11, 3.0), at("OSD-3, margin 1 refuses", 11, 3.0)
    assert (one["refusals"], three["refusals"]) == (14, 44)
    assert (passed(one), passed(three)) == (18, 4)
    none = at("ML, CRC refuses", 11, 3.0)
    assert passed(none) == 0
    printed(none["undetected_high"], "5.63e-5")
