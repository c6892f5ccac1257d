"""Matrices in every other format."""

import gzip
import io

import numpy as np
import scipy.io
import scipy.sparse

import fecnn
from hostile.byte_mutants import NUMBERS, damaged, noise
from hostile.code_checks import check_code
from hostile.target import Target, check

H = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]], np.uint8)
TEXTS = (
    b"1 1 0 0\n0 1 1 0\n0 0 1 1\n",
    b"1100\n0110\n0011\n",
    b"array([[1, 1, 0, 0],\n       [0, 1, 1, 0],\n       [0, 0, 1, 1]], dtype=uint8)\n",
    b"H = [1 1 0 0; 0 1 1 0; 0 0 1 1];\nG = [1 1 1 1];\n",
    b"H =\n\n  Columns 1 through 3\n\n  1 1 0\n  0 1 1\n  0 0 1\n\n  Column 4\n\n  0\n  0\n  1\n",
    b"[4, 1, 4] Cyclic Code over GF(2)\nGenerator matrix:\n[1 1 1 1]\n",
    b"4 2 3\n\n0 1 0 -1\n2 -1 0 0\n\n1 1 1 1\n",
    b"8\nawgn\n0.44\n7 6 5 3 4 2 1 0\n",
)
TOKENS = (*b" |\n|;|,|[|]|[[|]]|{|}|...|=|H = |G = |# |%|Column 1\n|\0|-1|1e400".split(b"|"), *NUMBERS)


def written(write, *arguments, **options):
    stream = io.BytesIO()
    write(stream, *arguments, **options)
    return stream.getvalue()


class MatrixFile(Target):
    named = "hostile.matrix"

    def prepare(self):
        sparse = scipy.sparse.coo_matrix(H.astype(float))
        self.binaries = [
            written(np.save, H),
            written(np.save, H.astype(float)),
            written(np.savez, H=H, G=np.ones((1, 4), np.uint8)),
            written(np.savez_compressed, H),
            *(
                written(scipy.sparse.save_npz, sparse.asformat(kind))
                for kind in ("csr", "csc", "coo", "bsr", "dia")
            ),
            *(written(scipy.io.savemat, {"H": H, "Z": 3}, do_compression=packed) for packed in (False, True)),
            written(scipy.io.savemat, {"H": sparse}),
            written(scipy.io.mmwrite, sparse),
            written(scipy.io.mmwrite, H.astype(int)),
            gzip.compress(TEXTS[0]),
        ]

    def sound(self):
        return [*TEXTS[:-1], *self.binaries]

    def mutant(self, rng):
        if rng.random() < 0.05:
            return self.files(noise(rng))
        content = damaged(rng, rng.choice(rng.choice((TEXTS, self.binaries))), TOKENS)
        return self.files(gzip.compress(content, 1) if rng.random() < 0.1 else content)

    def load(self):
        code = fecnn.load_code(self.folder / self.named)
        check_code(code)
        check(code.H.dtype == np.uint8 and code.H.max(initial=0) <= 1, "no matrix of bits")
