"""Parity-check matrices as alists."""

import re

import numpy as np

import fecnn
from fecnn.codes.alist import read_alist, write_alist
from hostile.byte_mutants import NUMBERS, damaged, noise
from hostile.code_checks import check_code
from hostile.target import Target, check

MATRICES = (
    [[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]],
    fecnn.hamming(3).H,
    [[0, 0], [1, 1]],
    [[1, 1, 1]],
)


class AlistFile(Target):
    named = "hostile.alist"
    TOKENS = (*b" |\n|\r\n|\t|0 | 0\n|\n\n|\xff|\0|-|1|\xc2\xa0".split(b"|"), *NUMBERS)

    def prepare(self):
        self.texts = [b"3 2\n2 2\n1 2 1\n2 2\n1\n1 2\n2\n1 2\n2 3\n"]  # without zeros that fill the lists
        for H in MATRICES:
            write_alist(H, self.folder / "sound.alist")
            self.texts.append((self.folder / "sound.alist").read_bytes())

    def sound(self):
        return self.texts

    def mutant(self, rng):
        if rng.random() < 0.05:
            return self.files(noise(rng))
        text = rng.choice(self.texts)
        if rng.random() < 0.3:
            return self.files(self.renumbered(rng, text))
        return self.files(damaged(rng, text, self.TOKENS))

    def renumbered(self, rng, text):
        """A few whole numbers of the lists changed: what a slip makes."""
        lines = [line.split() for line in text.split(b"\n")]
        for _ in range(rng.choice((1, 1, 2, 3))):
            line = rng.choice(lines)
            if line:
                small = (b"0", b"1", b"2", b"3", b"4", rng.choice(NUMBERS))
                line[rng.randrange(len(line))] = rng.choice(small)
        return b"\n".join(map(b" ".join, lines))

    def load(self):
        path = self.folder / self.named
        H = read_alist(path)
        head = re.sub("(#|%|//).*", "", path.read_text(encoding="utf-8-sig")).split()[:4]
        weights = (int(H.sum(axis=axis).max(initial=0)) for axis in (0, 1))
        check([*map(int, head)] == [*H.shape[::-1], *weights], "not as its head says")
        check(H.dtype == np.uint8 and H.ndim == 2 and H.max(initial=0) <= 1, "no matrix of bits")
        write_alist(H, self.folder / "again.alist")
        check(np.array_equal(read_alist(self.folder / "again.alist"), H), "no round trip")
        check_code(fecnn.load_code(str(path)))
