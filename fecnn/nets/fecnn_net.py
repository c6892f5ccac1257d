"""fecnn-net: a recurrent message-passing network on low-weight dual words."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from fecnn.channels.channel import noise_sigma
from fecnn.codes.automorphism import regular_group, stabilisers
from fecnn.codes.code import Code
from fecnn.codes.low_weight import low_weight_checks
from fecnn.errors import shown
from fecnn.nets.error_domain import ErrorNet
from fecnn.nets.orbits import all_images, check_orbits, first_orbits, incoming_checks, tied_edges
from fecnn.nets.size import refuse_huge

LARGEST = 14.0
"""Largest magnitude a check sees: in float32 products, e^-14 is the smallest distance from certainty."""

START = 1.5
"""Sum of the weights of all messages to a bit, before training."""

MAX_ITERATIONS = 10_000
"""Most iterations per frame; a frame that never reaches a codeword takes them all."""

SMALLEST = 1e-6
"""Smallest |tanh| a check sees, and the smallest distance of its output from certainty."""


class FecnnNet(ErrorNet):
    """Neural belief propagation with memory, on all least-weight dual words, with weights shared by symmetry.

    It uses three things that the code provides for free: the syndrome, so that no codeword is special; the
    low-weight dual words, each of which is a parity check (the rows of H of a BCH code are few and heavy);
    and a group of automorphisms that moves every position to every other by exactly one of its members, so
    that one set of weights serves all n positions: the shifts of a cyclic code, the translations j -> j XOR i
    of a Reed-Muller or polar code, those of the plane for an array code. A code with none of these has blocks
    of positions, each with a set of its own: one a circulant for a quasi-cyclic code, else one a position.

    With L_j = 2 |y_j| / sigma^2 at a reference Eb/N0, and X = L at first, an iteration computes

        m_cj  = 2 artanh(s_c prod_{i in c, i != j} tanh(X_i / 2))        sum-product in the error domain
        z_j  <- z_j + A m_j + a L_j,  then  z_j <- z_j + MLP(norm(z_j))  a memory of ``width`` numbers per bit
        X_j   = L_j + w . m_j + u . z_j                 and a logit -(b L_j + w . m_j + v . z_j)

    where s_c = +-1 is the syndrome of check c and m_j holds the messages to bit j in an order relative to j,
    the same for all bits of a block of the group. A, a, w, u, v, b and the MLP are the same in all
    iterations. Edges that further automorphisms map to each other share their columns of A and w
    (`fecnn.codes.automorphism.stabilisers`: for a cyclic code j -> 2 j mod n, for Reed-Muller and polar codes
    the linear maps of the position's digits). A frame is finished once its decision is a codeword. (Fixed
    factors and biases are omitted here.) Training starts at u = v = 0, which is belief propagation, damped by
    w and not extrinsic. Neural belief propagation: Nachmani, Be'ery and Burshtein 2016. On redundant checks:
    Buchberger, Haeger, Pfister, Schmalen and Graell i Amat 2020. Shared by cyclic shifts: Chen and Ye, ICML
    2021.

    Args:
        code: Any code. Codes without known automorphisms (`fecnn.codes.automorphism.regular_group`) get
            separate weights for each edge.
        iterations: Number of iterations in training.
        limit: Maximum number of iterations in decoding; by default twice ``iterations``.
        width: Numbers in the memory of a bit.
        orbits: Use only this many orbits of checks, the first ones; None for all.
        reference_ebn0_db: Eb/N0 in dB used to turn magnitudes into LLRs, whatever the channel's own.
        supports: The checks as positions of their ones, one row per orbit, padded with -1; None to search for
            them.

    Raises:
        ValueError: If an argument is out of range, or a given check is not a check of the code.
    """

    supports: Tensor
    spanning: Tensor
    tied: Tensor
    incidence: Tensor
    incoming: Tensor
    repeats: Tensor
    real: Tensor

    def __init__(
        self,
        code: Code,
        *,
        iterations: int = 6,
        limit: int | None = None,
        width: int = 32,
        orbits: int | None = None,
        reference_ebn0_db: float = 4.0,
        supports: NDArray[np.int16] | None = None,
    ) -> None:
        whole = {"iterations": iterations, "limit": limit, "width": width, "orbits": orbits}
        for name, value in whole.items():
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ValueError(f"{name} must be a whole number above 0, got {shown(value)}")
        if max(iterations, limit or 1) > MAX_ITERATIONS:
            raise ValueError(f"iterations and limit must be at most {MAX_ITERATIONS}")
        moves = regular_group(code)
        n, length = code.n, len(moves)
        fixing = stabilisers(code) if length == n else []
        if supports is None:
            supports = first_orbits(check_orbits(low_weight_checks(code), moves, fixing), orbits, code)
        checks = all_images(supports, code, moves)
        super().__init__(checks)
        self.iterations, self.limit, self.blocks = iterations, limit or 2 * iterations, n // length
        self.scale = 2 / noise_sigma(reference_ebn0_db, code.rate) ** 2
        self.register_buffer("supports", torch.from_numpy(supports.astype(np.int16)))
        incoming, repeats = incoming_checks(supports, checks, moves)
        degree = int(repeats.sum(axis=1).max())
        # Padding edges of blocks with few checks come from an extra check whose message is 0.
        extra = int(incoming.max()) + 1 - len(checks)
        self._constant("spanning", code.H.astype(np.float32))
        self._constant("incoming", incoming.reshape(-1))
        self._constant("repeats", repeats[:, None].astype(np.float32))
        self._constant("incidence", np.pad(checks, ((0, extra), (0, 0))).astype(np.float32))
        self._constant("real", np.repeat(np.array([1, 0], np.float32), [len(checks), extra])[:, None])
        edges = incoming.shape[1]
        classes = tied_edges(checks[incoming[0, :, 0]], fixing) if fixing else np.arange(edges)
        self._constant("tied", classes)

        kinds = int(classes.max()) + 1
        refuse_huge(self.blocks * width * (kinds + 1) + 4 * width**2)
        self.message_weight = nn.Parameter(torch.full((self.blocks, 1, kinds), START / degree))
        self.input_weight = nn.Parameter(torch.empty(self.blocks, width, kinds))
        self.input_bias = nn.Parameter(torch.zeros(self.blocks, width, 1))
        self.llr_weight = nn.Parameter(torch.empty(self.blocks, width, 1))
        for weight in (self.input_weight, self.llr_weight):
            nn.init.uniform_(weight, -(degree**-0.5), degree**-0.5)
        self.norm = nn.Parameter(torch.ones(width, 1))
        self.expand, self.contract = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.reliability = nn.Parameter(torch.zeros(1, width))
        self.verdict = nn.Parameter(torch.zeros(1, width))
        self.llr_verdict = nn.Parameter(torch.ones(()))

    def _constant(self, name: str, values: NDArray[np.float32] | NDArray[np.int64]) -> None:
        self.register_buffer(name, torch.from_numpy(values), persistent=False)

    def stages(self, magnitude: Tensor, hard: Tensor) -> list[Tensor]:
        """Logits (B, n) after every iteration."""
        flow, logits = self._begin(magnitude, hard), []
        for _ in range(self.iterations):
            flow, logit = self._iterate(flow)
            logits.append(logit.T)
        return logits

    def believe(self, magnitude: Tensor, hard: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Which decisions are wrong, (B, n), the iterations used, (B,), and logits summed over them, (B, n).

        Each frame stops at its first iteration that gives a codeword, or at ``limit``. Sums are a better
        start for another decoder than the last logits, which swing in frames that find no codeword.
        """
        total = torch.zeros_like(magnitude)
        wrong = torch.zeros(hard.shape, dtype=torch.bool, device=hard.device)
        iterations = torch.zeros(len(hard), dtype=torch.int64, device=hard.device)
        flow, frames = self._begin(magnitude, hard), torch.arange(len(hard), device=hard.device)
        for _ in range(self.limit):
            flow, logit = self._iterate(flow)
            wrong[frames] = (logit > 0).T
            total[frames] += logit.T.to(total.dtype)
            iterations[frames] += 1
            decided = hard[frames].bool() ^ wrong[frames]
            broken = (decided.to(hard.dtype) @ self.spanning.T).remainder(2).any(dim=1)
            frames = frames[broken]
            if not len(frames):
                break
            flow = flow.of(broken)
        return wrong, iterations, total

    def settled(self, magnitude: Tensor, hard: Tensor) -> Tensor:
        """Logits (B, n) of the iteration at which `measure` stops, with messages in float64.

        In float32, logits near certainty are only good to a few thousandths: torch's own differ by as much
        from one batch size to another. So `measure` may decide otherwise where a logit is that close to 0.
        """

        def unsettled(step: Tensor, X: Tensor, memory: Tensor, logits: Tensor, done: Tensor) -> Tensor:
            return (step < self.limit) & ~done.all()

        def iterate(
            step: Tensor, X: Tensor, memory: Tensor, logits: Tensor, done: Tensor
        ) -> tuple[Tensor, ...]:
            flow, logit = self._iterate(start._replace(X=X, memory=memory))
            logits = torch.where(done, logits, logit)
            decided = hard.T.bool() ^ (logits > 0)
            broken = (self.spanning @ decided.to(hard.dtype)).remainder(2).any(dim=0)
            return step + 1, flow.X, flow.memory, logits, ~broken

        start = self._begin(magnitude, hard)
        done = torch.zeros_like(hard[:, 0], dtype=torch.bool)
        step = torch.zeros((), dtype=torch.int64, device=hard.device)
        state: tuple[Tensor, ...] = (step, start.X.double(), start.memory, torch.zeros_like(start.L), done)
        if torch.compiler.is_exporting():
            state = torch.while_loop(unsettled, iterate, state)  # type: ignore[no-untyped-call]
        else:
            while unsettled(*state):
                state = iterate(*state)
        return state[3].T

    def _begin(self, magnitude: Tensor, hard: Tensor) -> "_Flow":
        # Frames are the innermost dimension: every step is a matrix product or runs over contiguous frames.
        L = (magnitude * self.scale).T.contiguous()
        constant = torch.baddbmm(self.input_bias, 0.3 * self.llr_weight, L.view(self.blocks, 1, -1))
        syndrome = self.real * (1 - 2 * (self.incidence @ hard.T).remainder(2))
        return _Flow(L, syndrome, constant, L, torch.zeros_like(constant))

    def _iterate(self, flow: "_Flow") -> "tuple[_Flow, Tensor]":
        """One iteration: the flow after it, and logits (n, B)."""
        llr = flow.L.view(self.blocks, 1, -1)
        m = self.messages(flow.X, flow.syndrome)
        memory = flow.memory + torch.baddbmm(flow.constant, self._edge(self.input_weight), m, alpha=0.3)
        memory = memory + self._mlp(memory)
        pushed = self._edge(self.message_weight) @ m
        X = (llr + pushed + self.reliability @ memory).view_as(flow.L).to(flow.X.dtype)
        logit = -(self.llr_verdict * llr + pushed + self.verdict @ memory).view_as(flow.L)
        return flow._replace(X=X, memory=memory), logit

    def _edge(self, weight: Tensor) -> Tensor:
        """The weight of every edge, (..., degree)."""
        return weight.index_select(2, self.tied) * self.repeats

    def messages(self, X: Tensor, syndrome: Tensor) -> Tensor:
        """Messages to every bit: X (n, B) and syndrome (checks, B) to (blocks, degree, B n / blocks).

        The output of a check is the product of all inputs divided by the receiver's own, so each check needs
        only one product.
        """
        t = torch.tanh(X.clamp(-LARGEST, LARGEST) * 0.5)
        sign = torch.where(t < 0, -1.0, 1.0)
        size = t.abs().clamp_min(SMALLEST)
        with torch.no_grad():
            broken = (self.incidence @ (t < 0).to(self.incidence.dtype)).remainder(2)
            signs = syndrome * (1 - 2 * broken)
        product = signs * torch.exp(self.incidence.to(X.dtype) @ torch.log(size))
        edges = product.index_select(0, self.incoming).view(self.blocks, len(self.tied), -1)
        own = (sign / size).view(self.blocks, 1, -1)
        return _twice_artanh((edges * own).clamp(SMALLEST - 1, 1 - SMALLEST), self.norm.dtype)

    def _mlp(self, memory: Tensor) -> Tensor:
        scaled = memory * torch.rsqrt(memory.square().mean(dim=1, keepdim=True) + 1e-6) * self.norm
        wide = F.gelu(self.expand.weight @ scaled + self.expand.bias[:, None])
        return self.contract.weight @ wide + self.contract.bias[:, None]


def _twice_artanh(x: Tensor, dtype: torch.dtype) -> Tensor:
    """2 artanh(x) in ``dtype``; of a float64 x, only the distance from 1 is rounded to it."""
    if x.dtype != torch.float64 or dtype == torch.float64:
        return 2 * torch.atanh(x)
    left = (1 - x.abs()).to(dtype)
    return torch.where(x < 0, -1.0, 1.0) * (torch.log(2 - left) - torch.log(left))


class _Flow(NamedTuple):
    """The state of B frames between iterations; M = B n / blocks.

    L, X: (n, B). syndrome: (checks, B). constant, memory: (blocks, width, M).
    """

    L: Tensor
    syndrome: Tensor
    constant: Tensor
    X: Tensor
    memory: Tensor

    def of(self, chosen: Tensor) -> "_Flow":
        """The flow of the chosen frames, (B,) bool."""
        frames = chosen.nonzero()[:, 0]
        count = len(chosen)
        return _Flow(
            *(
                part.reshape(*part.shape[:-1], -1, count).index_select(-1, frames).flatten(-2)
                if part.dim() == 3
                else part.index_select(-1, frames)
                for part in self
            )
        )
