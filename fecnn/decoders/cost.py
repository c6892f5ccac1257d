"""The cost of decoding a frame: operations by kind, and numbers that must be stored.

These operations are counted: on real numbers, multiplications (including divisions and square roots),
additions, and comparisons (including maxima and sign tests); on bits, exclusive or; and exponentials
(including logarithms, hyperbolic functions and their inverses, each of which is one table or series). Moving
data is free. Trained networks skip frames whose hard decision is a codeword; the formulas are for the other
frames, unless a measured ``work``, an average over all frames, already takes that into account.
"""

import math
from dataclasses import dataclass, fields, replace

from fecnn.codes.code import Code

REAL = 32
"""Bits per real number."""


KINDS = ("multiplications", "additions", "comparisons", "binary", "exponentials")
"""The kinds of operations in a `Cost`."""


@dataclass(frozen=True)
class Cost:
    """The cost of decoding one frame.

    Attributes:
        multiplications, additions, comparisons, binary, exponentials: Operations.
        parameters: Numbers stored permanently: weights, or the entries of a table.
        parameter_bits: Bits of all parameters.
        memory_bits: Bits held while a frame is decoded, without its LLRs.
    """

    multiplications: float = 0
    additions: float = 0
    comparisons: float = 0
    binary: float = 0
    exponentials: float = 0
    parameters: int = 0
    parameter_bits: int = 0
    memory_bits: int = 0

    def __str__(self) -> str:
        """The numbers for a reader, without those that are 0.

        Example:
            >>> print(Cost(additions=1234.6, binary=20, memory_bits=4096))
            1,255 operations (1,235 additions, 20 binary), memory 4,096 bit
        """
        kinds = [f"{getattr(self, kind):,.0f} {kind}" for kind in KINDS if getattr(self, kind)]
        text = f"{self.operations:,.0f} operations" + (f" ({', '.join(kinds)})" if kinds else "")
        if self.parameters:
            text += f", {self.parameters:,} parameters"
        return text + (f", memory {self.memory_bits:,.0f} bit" if self.memory_bits else "")

    @property
    def operations(self) -> float:
        """All operations, each counted as one."""
        return float(sum(getattr(self, kind) for kind in KINDS))

    def __add__(self, other: "Cost") -> "Cost":
        """The cost of one step after another; memory is reused."""
        total = {f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        return Cost(**total | {"memory_bits": max(self.memory_bits, other.memory_bits)})

    def times(self, count: float) -> "Cost":
        """The same operations, repeated ``count`` times; storage is unchanged."""
        return replace(self, **{kind: getattr(self, kind) * count for kind in KINDS})


def basis_cost(code: Code) -> Cost:
    """The cost of the most reliable basis and its first codeword, the start of OSD and of searches.

    Sorting takes n log2 n comparisons. For the basis, each of n - k pivots is added to half of the other
    rows, n bits each. The first word takes k (n - k) / 2 bits.
    """
    n, k = code.n, code.k
    return Cost(
        comparisons=n + n * math.log2(n),
        binary=(n - k) * (n - k - 1) / 2 * n + k * (n - k) / 2,
        memory_bits=(n - k) * n + REAL * n,
    )
