"""Code files."""

import contextlib
import hashlib
import tomllib

import numpy as np

import fecnn
from fecnn.codes import codefile
from hostile.code_checks import check_code
from hostile.target import check
from hostile.toml_file import TomlFile


class CodeFile(TomlFile):
    def prepare(self):
        self.trees = []
        sound = self.folder / "sound.toml"
        for code in (fecnn.load_code("hamming-7-4"), fecnn.repetition(3), fecnn.load_code("uncoded-2")):
            codefile.save_code(code, sound, family="hamming", parameters={"r": 3}, witness=None)
            self.trees.append(tomllib.loads(sound.read_text()))
        self.trees[0] |= {"bit_order": [6, 5, 4, 3, 2, 1, 0], "witness": [0, 4, 5], "minimum_distance": 3}
        values = ["1111111", "0000000", "0101010", [0, 1, 2], {"0": 1, "3": 7}]
        self.words = [*codefile.CodeFile.model_fields, *values]

    def repaired(self, rng, tree):
        """With the SHA-256 of its matrices, most of the time: else nothing behind that check is ever seen."""
        if rng.random() < 0.8:
            with contextlib.suppress(TypeError, ValueError, LookupError, AttributeError, OverflowError):
                tree["sha256"] = digest_of(matrix_of(tree["G"]), matrix_of(tree["H"]))
        return tree

    def load(self):
        code = fecnn.load_code(self.folder / self.named)
        check_code(code)
        check(code.known_spectrum is None or sum(code.known_spectrum) == 2**code.k, "spectrum")
        check(code.bit_order is None or sorted(code.bit_order) == list(range(code.n)), "bit order")


def matrix_of(rows):
    return np.array([[int(bit) for bit in row] for row in rows], np.uint8)


def digest_of(G, H):
    digest = hashlib.sha256(f"{len(G[0])},{len(G)},{len(H)};".encode())
    for matrix in (G, H):
        digest.update(np.packbits(matrix).tobytes())
    return digest.hexdigest()
