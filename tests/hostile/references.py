"""Published points, as CSV."""

import math

from fecnn.studies.reference import COLUMNS, read_references
from hostile.byte_mutants import NUMBERS, damaged, noise
from hostile.target import Target, check

ROWS = (
    "hamming-7-4,ML,1.0,bler,0.15,100,588,S,Table 1,seen",
    'hamming-7-4,"ML, exact",2,ber,1.5e-3,,,"S ""2""","Fig. 1\nright","digitised, 2 %"',
    "bch-31-21,OSD,3,-ln(ber_code),6.15,,,S,Table 2,seen",
    "bch-31-21,OSD,-1.25,gap_db,0.20,,,S,Table 2,read at 0.5 % or 10%",
)
SOUND = "\n".join([",".join(COLUMNS), *ROWS, ""])
# fmt: off
CELLS = (
    "", "0", "-1", "x", "nan", "inf", "1e400", "1e-400", "1e-999999999", "1E5", "0.10", "1_0", "sNaN",
    "é", "-ln(ber)", "-ln()", "-ln(bler)", "bler", "10", "11", "9" * 30, "9" * 400, "9" * 5000,
    "1e99 %", "\0",
    "2 %", "1.5.2%", ". %", "9" * 400 + "%", "1" * 3000, "1" * 100_000, "1 " * 50_000, "1" + " " * 50_000,
    '"', '""', '"a', "1.", "+3", " 4 ", "\u0663", "0x1", "1e308", "-0.0", "-1e308", "100 %", "1000 %",
)
# fmt: on


class References(Target):
    named = "hostile.csv"
    TOKENS = (*b',|"|""|\n|\r|\r\n|\0|%| %|\xff|-ln(|)|\xef\xbb\xbf'.split(b"|"), *NUMBERS)

    def sound(self):
        return [SOUND.encode()]

    def mutant(self, rng):
        kind = rng.random()
        if kind < 0.03:
            return self.files(noise(rng))
        if kind < 0.6:
            return self.files(self.refilled(rng))
        return self.files(damaged(rng, SOUND.encode(), self.TOKENS))

    def refilled(self, rng):
        """The sound text with a few other cells, now and then in its header."""
        rows = [row.split(",") for row in SOUND.split("\n")]
        for _ in range(rng.choice((1, 1, 2, 3))):
            row = rng.choice(rows if rng.random() < 0.2 else rows[1:])
            row[rng.randrange(len(row))] = rng.choice(CELLS)
        return "\n".join(map(",".join, rows)).encode()

    def load(self):
        for reference in read_references(self.folder / self.named):
            low, high = reference.interval
            check(math.isfinite(reference.ebn0_db), "Eb/N0")
            check(low <= reference.value <= high < math.inf, f"interval {low}..{high} of {reference.value}")
