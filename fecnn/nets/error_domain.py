"""Networks that find errors: their input, their output and its signs, defined once for all of them.

Let y = +-1 + noise be BPSK (bit 0 sent as +1) and h = [y < 0] its hard decision. A network sees the
magnitudes |y| and the syndrome of h, with each check as +1 (satisfied) or -1 (violated), and returns a logit
for every code bit: **positive means that the hard decision of that bit is wrong**. The decision is
h xor [logit > 0].

None of |y|, the syndrome and the error pattern depends on the sent codeword, so such a network makes the same
errors on every codeword (Bennatan, Choukroun and Kisilev, ISIT 2018). Training on the zero word is therefore
training on all of them.
"""

import torch
from torch import Tensor, nn

from fecnn.arrays import Bits
from fecnn.codes import gf2
from fecnn.codes.automorphism import regular_group
from fecnn.codes.code import Code
from fecnn.codes.low_weight import low_weight_checks
from fecnn.errors import shown
from fecnn.nets.orbits import all_images, check_orbits, first_orbits

CHECKS = ("H", "systematic", "light")


class ErrorNet(nn.Module):
    """A network from magnitudes and hard decisions to logits of errors.

    Args:
        checks: Parity checks, (m, n) bits.

    The checks are a buffer that is not saved, because they follow from the code.
    """

    checks: Tensor

    def __init__(self, checks: Bits) -> None:
        super().__init__()
        self.register_buffer("checks", torch.tensor(checks, dtype=torch.float32), persistent=False)

    def syndrome(self, hard: Tensor) -> Tensor:
        """Checks of hard decisions (B, n), 0 and 1: (B, m), +1 if satisfied and -1 if violated."""
        return 1 - 2 * (hard.to(self.checks.dtype) @ self.checks.T).remainder(2)

    def forward(self, magnitude: Tensor, hard: Tensor) -> Tensor:
        """Logits (B, n) that hard decisions are wrong, from |y| (B, n) and hard decisions (B, n), 0 and 1."""
        return self.stages(magnitude, hard)[-1]

    def decide(self, magnitude: Tensor, hard: Tensor) -> Tensor:
        """Which hard decisions are wrong, (B, n) bool."""
        return self.measure(magnitude, hard)[0]

    def measure(self, magnitude: Tensor, hard: Tensor) -> tuple[Tensor, Tensor]:
        """Which hard decisions are wrong, (B, n) bool, and the number of network runs or iterations, (B,)."""
        return self.believe(magnitude, hard)[:2]

    def believe(self, magnitude: Tensor, hard: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As `measure`, and logits (B, n) from which another decoder may go on."""
        logits = self.forward(magnitude, hard)
        return logits > 0, logits.new_ones(len(logits), dtype=torch.int64), logits

    def settled(self, magnitude: Tensor, hard: Tensor) -> Tensor:
        """Logits (B, n) whose signs are the decisions of `decide`; unlike that, it can be exported."""
        return self.forward(magnitude, hard)

    def stages(self, magnitude: Tensor, hard: Tensor) -> list[Tensor]:
        """The logits after every stage supervised in training; the last are the network's output."""
        raise NotImplementedError


def check_matrix(code: Code, checks: str, orbits: int | None = None) -> Bits:
    """The parity checks that a network is built on, (m, n) bits.

    Args:
        code: The code.
        checks: ``H``; ``systematic``: the rows of H combined to an identity on n - k of the columns, the
            last possible ones (columns are not moved, so the code stays the same); or ``light``: the dual
            words of least weight, and further ones until they span the dual code.
        orbits: Use only this many orbits of the light checks under the code's known automorphisms
            (`fecnn.codes.automorphism.regular_group`), the first ones; None for all.

    Raises:
        TypeError: If ``orbits`` is not a whole number.
        ValueError: If ``checks`` is none of these, ``orbits`` is below 1 or given for other checks, there
            are fewer orbits, or so few do not span the dual code.
    """
    if checks not in CHECKS:
        raise ValueError(f"checks must be one of {', '.join(CHECKS)}, got {checks!r}")
    if orbits is not None and (not isinstance(orbits, int) or isinstance(orbits, bool)):
        raise TypeError(f"orbits must be a whole number, got {shown(orbits)}")
    if orbits is not None and (orbits < 1 or checks != "light"):
        raise ValueError(f"orbits must be at least 1, and is for checks = 'light'; got {orbits}")
    if checks == "H":
        return code.H
    if checks == "systematic":
        return gf2.rref(code.H, order=range(code.n - 1, -1, -1))[0]
    moves = regular_group(code)
    words = low_weight_checks(code)
    found = all_images(first_orbits(check_orbits(words, moves, []), orbits, code), code, moves)
    if (rank := gf2.rank(found)) < code.n - code.k:
        raise ValueError(
            f"{orbits} orbits of light checks have rank {rank}, and {code.name} has n - k = "
            f"{code.n - code.k}; use more orbits"
        )
    return found
