"""Codes of practice of rate 1/2 and length 128 (studies/short-codes-128-64)."""

# ruff: noqa: E501  (sentences are quoted whole)

import math

from fecnn.theory.bounds import meta_converse
from sentences import below, gaps, interval, pairs, printed, published, readme, row, rows, says

SHORT = "short-codes-128-64"


def there(curve):
    """Where a curve reaches BLER 1e-3, as it is written."""
    crossing = gaps(SHORT)[curve].crossing
    return f"{crossing.ebn0_db:.2f} dB [{crossing.low:.2f}, {crossing.high:.2f}]"


@says(
    readme(SHORT),
    "Decoded exactly, these codes are closer to the best possible than to their usual decoders: at BLER 1e-3 5G polar, extended BCH, PAC and CCSDS LDPC codes are at 2.51 to 2.56 dB and the meta-converse at 2.26 dB.",
    "5G LDPC needs 2.70 dB [2.66, 2.74], Reed-Muller 2.92 dB [2.88, 2.97], and the tail-biting convolutional code of memory 6 3.56 dB [3.49, 3.61].",
)
def exact_ml_and_the_best_possible():
    best = [
        gaps(SHORT)[f"{code}, ML"].crossing.ebn0_db
        for code in ("5G polar", "extended BCH", "PAC", "CCSDS LDPC")
    ]
    printed(min(best), "2.51", max(best), "2.56")
    # The bound falls, so it passes 1e-3 within the last digit of 2.26 dB.
    assert meta_converse(128, 64, 2.265) < 1e-3 < meta_converse(128, 64, 2.255)
    assert there("5G LDPC, ML") == "2.70 dB [2.66, 2.74]"
    assert there("Reed-Muller, ML") == "2.92 dB [2.88, 2.97]"
    assert there("tail-biting, ML") == "3.56 dB [3.49, 3.61]"
    # The usual decoders of each code: the distance to the bound is smaller than to them.
    for code, usual in (("5G polar", "SCL-8"), ("5G LDPC", "BP-20"), ("CCSDS LDPC", "BP-50")):
        ml, other = (gaps(SHORT)[f"{code}, {name}"].crossing for name in ("ML", usual))
        reached = other.ebn0_db if math.isfinite(other.ebn0_db) else 4.0
        assert other.high > 0  # above 1e-3 at all points, up to 4 dB, if it does not reach it
        assert ml.ebn0_db - 2.26 < reached - ml.ebn0_db


@says(
    readme(SHORT),
    "- The usual decoders lose 0.5 dB and more: at BLER 1e-3 lists of 8 are 1.05 dB [0.98, 1.11] from ML of 5G polar and 0.54 dB [0.48, 0.60] from ML of Reed-Muller; belief propagation of 5G LDPC, 20 iterations, reaches 1e-3 beyond 4 dB.",
    "- OSD of order 4 is 0.05 dB [0.01, 0.09] from ML of 5G LDPC, 0.05 dB [0.00, 0.10] of 5G polar, and 0.01 dB [-0.01, 0.03] of Reed-Muller.",
)
def what_usual_decoders_lose():
    assert interval(gaps(SHORT)["5G polar, SCL-8"]) == "1.05 dB [0.98, 1.11]"
    assert interval(gaps(SHORT)["Reed-Muller, SCL-8"]) == "0.54 dB [0.48, 0.60]"
    assert interval(gaps(SHORT)["5G LDPC, OSD-4"]) == "0.05 dB [0.01, 0.09]"
    assert interval(gaps(SHORT)["5G polar, OSD-4"]) == "0.05 dB [0.00, 0.10]"
    assert interval(gaps(SHORT)["Reed-Muller, OSD-4"]) == "0.01 dB [-0.01, 0.03]"
    last = rows(SHORT, "5G LDPC, BP-20")[-1]
    assert last["ebn0_db"] == 4
    assert last["bler_low"] > 1e-3


@says(
    readme(SHORT),
    "- Lists of 32 are 0.34 dB [0.29, 0.40] from ML of the PAC code.",
    "its BLER is 0.0327 [0.0275, 0.0386] even at 4 dB, by ML and by OSD of order 4 alike.",
)
def pac_and_convolutional_codes():
    assert interval(gaps(SHORT)["PAC, SCL-32"]) == "0.34 dB [0.29, 0.40]"
    for decoder in ("ML", "OSD-4"):
        one = row(SHORT, f"convolutional, {decoder}", 4)
        assert (
            f"{one['bler']:.4f} [{one['bler_low']:.4f}, {one['bler_high']:.4f}]" == "0.0327 [0.0275, 0.0386]"
        )


@says(
    readme(SHORT),
    "- So the order of the codes depends on the decoder: with lists of 8 Reed-Muller has a lower BLER than 5G polar at all points from 0 to 4 dB, beyond the intervals at 0 to 2.5 dB and at 4 dB; with ML a higher one at all of its points.",
    "- At 3.5 dB extended BCH has BLER 4.15e-06 [3.38e-06, 5.05e-06], from 100 block errors of exact ML, and 5G polar 6.93e-06 [5.64e-06, 8.43e-06].",
)
def the_order_depends_on_the_decoder():
    both = pairs(SHORT, "Reed-Muller, SCL-8", "5G polar, SCL-8")
    assert [one["ebn0_db"] for one, _ in both] == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4]
    assert all(one["bler"] < other["bler"] for one, other in both)
    assert [one["ebn0_db"] for one, other in both if not below(one, other)] == [3, 3.5]
    assert all(one["bler"] > other["bler"] for one, other in pairs(SHORT, "Reed-Muller, ML", "5G polar, ML"))
    for curve, said in (
        ("extended BCH", "4.15e-06 [3.38e-06, 5.05e-06]"),
        ("5G polar", "6.93e-06 [5.64e-06, 8.43e-06]"),
    ):
        one = row(SHORT, f"{curve}, ML", 3.5)
        assert f"{one['bler']:.2e} [{one['bler_low']:.2e}, {one['bler_high']:.2e}]" == said
        assert one["block_errors"] == 100


@says(
    readme(SHORT),
    "All 39 points of Sionna's tutorial on short 5G codes agree: belief propagation, lists, successive cancellation, the Viterbi algorithm, and OSD of order 4.",
)
def published_points_agree():
    verdicts = published(SHORT)["verdict"]
    assert len(verdicts) == 39
    assert set(verdicts) == {"agrees"}
