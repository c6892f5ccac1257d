"""Modulations and block fading (studies/qam-and-fading)."""

# ruff: noqa: E501  (sentences are quoted whole)

import math

from sentences import gaps, interval, published, readme, row, rows, says

QAM = "qam-and-fading"


def lost(decoder, code):
    """Gaps to ML with QPSK, 16-QAM and under fading, as they are written."""
    return [interval(gaps(QAM)[f"{code}, {channel}: {decoder}"]) for channel in ("QPSK", "16-QAM", "fading")]


@says(
    readme(QAM),
    "On AWGN the modulation shifts all decoders alike but lists; under block fading ML comes into the reach of OSD, and out of that of lists and of the network.",
    "- *BCH (63,45).* At BLER 1e-3 OSD of order 1 is 0.16 dB [0.13, 0.19] from ML with QPSK, 0.18 dB [0.15, 0.21] with 16-QAM, and 0.03 dB [-0.02, 0.08] under fading.",
    "`fecnn-net`, trained over AWGN with BPSK, is 0.12 dB [0.08, 0.16] and 0.16 dB [0.12, 0.20] from ML; under fading it does not reach 1e-3 up to 20 dB, where its BLER is 0.0193 [0.0172, 0.0215] and that of ML 4.85e-04 [4.32e-04, 5.43e-04].",
)
def the_bch_code():
    assert lost("OSD-1", "BCH") == ["0.16 dB [0.13, 0.19]", "0.18 dB [0.15, 0.21]", "0.03 dB [-0.02, 0.08]"]
    assert [interval(gaps(QAM)[f"BCH, {it}: fecnn-net"]) for it in ("QPSK", "16-QAM")] == [
        "0.12 dB [0.08, 0.16]",
        "0.16 dB [0.12, 0.20]",
    ]
    # With QPSK and 16-QAM the gaps are within each other's intervals, those of lists apart.
    for decoder, code, alike in (
        ("OSD-1", "BCH", True),
        ("fecnn-net", "BCH", True),
        ("SCL-8", "polar", False),
    ):
        one, other = (gaps(QAM)[f"{code}, {it}: {decoder}"] for it in ("QPSK", "16-QAM"))
        assert (one.low <= other.high and other.low <= one.high) is alike
    assert math.isnan(gaps(QAM)["BCH, fading: fecnn-net"].gap_db)
    last = rows(QAM, "BCH, fading: fecnn-net")[-1]
    assert last["ebn0_db"] == 20
    assert (
        f"{last['bler']:.4f} [{last['bler_low']:.4f}, {last['bler_high']:.4f}]" == "0.0193 [0.0172, 0.0215]"
    )
    ml = row(QAM, "BCH, fading: ML", 20)
    assert (
        f"{ml['bler']:.2e} [{ml['bler_low']:.2e}, {ml['bler_high']:.2e}]" == "4.85e-04 [4.32e-04, 5.43e-04]"
    )


@says(
    readme(QAM),
    "- *Polar (128,64).* Lists of 8 are 1.06 dB [1.01, 1.11] from ML with QPSK, 1.45 dB [1.40, 1.50] with 16-QAM, and 2.36 dB [2.21, 2.51] under fading: the code is designed for bits that are alike.",
    "OSD of order 2 is 0.99 dB [0.94, 1.05], 1.09 dB [1.03, 1.15] and 0.16 dB [0.07, 0.27] from ML.",
)
def the_polar_code():
    assert lost("SCL-8", "polar") == ["1.06 dB [1.01, 1.11]", "1.45 dB [1.40, 1.50]", "2.36 dB [2.21, 2.51]"]
    assert lost("OSD-2", "polar") == ["0.99 dB [0.94, 1.05]", "1.09 dB [1.03, 1.15]", "0.16 dB [0.07, 0.27]"]


@says(
    readme(QAM),
    "The four points of Sionna's tutorial within the grid (lists of 8 with QPSK) agree.",
)
def sionnas_points_agree():
    assert list(published(QAM)["verdict"]) == ["agrees"] * 4
    assert set(published(QAM)["curve"]) == {"polar, QPSK: SCL-8"}
