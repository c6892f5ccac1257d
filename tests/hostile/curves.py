"""Curves of others: AFF3CT traces, RPTU text files, SBND logs, and our own CSV."""

import math

from fecnn.studies.curves.registry import read_curves
from hostile.byte_mutants import NUMBERS, damaged, noise
from hostile.references import SOUND as OWN
from hostile.target import Target, check

TRACE = """[metadata]
title=t
[trace]
# * Codec ------
#    ** Type                   = BCH
#    ** Info. bits (K)         = 21
#    ** Codeword size (N_cw)   = 31
# * Decoder ----
#    ** Type (D)               = ML
# * Channel ----
#    ** Type                   = AWGN
#     Es/N0 |    Eb/N0 ||      FRA |       BE |       FE |      BER |      FER ||  SIM_THR |    ET/RT
       0.31 |     2.00 ||    12000 |    13000 |     4200 | 5.16e-02 | 3.50e-01 ||   50.000 | 00h00'00
       7.31 |     9.00 || 1.70e+09 |     2675 |      998 | 7.49e-08 | 5.87e-07 ||  200.000 | 00h04'00  x
"""
RPTU = """BCH_N31_K21 (31,21) Code: ML Simulation Results
Channel: AWGNC
Eb/N0 (dB)   FER     error frames   total frames
  0.00,   4.098e-01,    100,             244
  3.50,   1.000e-02,    100,           10000
"""
SBND = """Eb/N0,WER,BER,CW errors,Bit errors,Total CW
1.0,0.25,0.0476190476190476,2500.0,10000.0,10000.0
4.5,0.002,0.0003,20.0,63.0,10000.0
"""


class Curves(Target):
    named = "hostile-bch-31-21.csv"
    TOKENS = (
        *b",;|;||;#;# * ;** ; = ;\n;\r;\0;x;(;);\xff;\x1b;e+;Code:;FRA;FER;\xef\xbb\xbf".split(b";"),
        *NUMBERS,
    )

    def sound(self):
        return [text.encode() for text in (TRACE, RPTU, SBND, OWN)]

    def mutant(self, rng):
        content = noise(rng) if rng.random() < 0.03 else rng.choice(self.sound()[:3])
        return self.files(damaged(rng, content, self.TOKENS))

    def load(self):
        for point in read_curves(self.folder / self.named):
            low, high = point.interval
            check(math.isfinite(point.ebn0_db), "Eb/N0")
            check(point.code and point.decoder, "no name")
            check(low <= point.value <= high < math.inf, f"interval {low}..{high} of {point.value}")
            check(point.errors is None or 0 <= point.errors <= point.frames, "counts")
