"""What decoding a frame costs in operations, by kind, and in numbers that must be stored.

Counted are operations on real numbers (multiplications, which include divisions and square roots; additions;
comparisons, which include maxima and sign tests), on bits (exclusive or), and exponentials (logarithms,
hyperbolic functions and their inverses too: each is one table or series). Moving data is free. A frame whose
hard decision is a codeword is done before a trained network begins; the formulas are for one that is not,
except where the measured ``work`` of a decoder, an average over all frames, takes that into account.
"""

import math
from dataclasses import dataclass, fields, replace

from fecnn.codes.code import Code

REAL = 32
"""Bits of a real number."""


KINDS = ("multiplications", "additions", "comparisons", "binary", "exponentials")
"""The operations of a `Cost`."""


@dataclass(frozen=True)
class Cost:
    """The cost of decoding one frame.

    multiplications, additions, comparisons, binary, exponentials: Operations.
    parameters: Numbers that are stored for good: weights, or the entries of a table.
    parameter_bits: Their bits.
    memory_bits: Bits held while a frame is decoded, its own LLRs not counted.
    """

    multiplications: float = 0
    additions: float = 0
    comparisons: float = 0
    binary: float = 0
    exponentials: float = 0
    parameters: int = 0
    parameter_bits: int = 0
    memory_bits: int = 0

    @property
    def operations(self) -> float:
        """All of them, each counted as one."""
        return float(sum(getattr(self, kind) for kind in KINDS))

    def __add__(self, other: "Cost") -> "Cost":
        """One after the other; memory is used again."""
        total = {f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        return Cost(**total | {"memory_bits": max(self.memory_bits, other.memory_bits)})

    def times(self, count: float) -> "Cost":
        """The same operations so many times; what is stored stays."""
        return replace(self, **{kind: getattr(self, kind) * count for kind in KINDS})


def basis_cost(code: Code) -> Cost:
    """The most reliable basis, with which ordered statistics and searches begin, and its first word.

    Sorting: n log2 n comparisons. The basis: each of n - k pivots is added to half of the other rows, n bits
    each. The first word: k (n - k) / 2 bits.
    """
    n, k = code.n, code.k
    return Cost(
        comparisons=n + n * math.log2(n),
        binary=(n - k) * (n - k - 1) / 2 * n + k * (n - k) / 2,
        memory_bits=(n - k) * n + REAL * n,
    )
