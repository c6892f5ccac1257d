"""The Walsh-Hadamard transform of vectors."""

from fecnn.decoders.kernels.lanes import load, store
from fecnn.jit import kernel


@kernel
def walsh_hadamard(values):
    """Transform (rows, lanes) over the bits of the row, in place, two bits a pass; rows a power of two."""
    size = len(values)
    half = 1
    while 4 * half <= size:
        for start in range(0, size, 4 * half):
            for i in range(start, start + half):
                i1, i2, i3 = i + half, i + 2 * half, i + 3 * half
                a, b, c, d = load(values, i), load(values, i1), load(values, i2), load(values, i3)
                a, b, c, d = a + b, a - b, c + d, c - d
                store(values, i, a + c)
                store(values, i1, b + d)
                store(values, i2, a - c)
                store(values, i3, b - d)
        half *= 4
    if half < size:
        for i in range(half):
            a, b = load(values, i), load(values, i + half)
            store(values, i, a + b)
            store(values, i + half, a - b)
