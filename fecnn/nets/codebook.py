"""The training-free networks SLNN and MLNN, whose weights are the codebook (arXiv 2503.18758).

Both take rows r of n values that are proportional to the log-likelihood ratios log p(y|0) / p(y|1), with a
positive factor. (The papers send bit 0 as -1; here it is +1, hence the minus sign below.)
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from fecnn.codes.code import Code

BLOCK = 1 << 14
"""Codebook rows multiplied at once on the bounded-memory path."""


class SLNN(nn.Module):
    """Single-label network: n inputs, no hidden layer, 2^k outputs; its argmax is the ML message.

    Proof. ML picks the codeword c that maximises log p(y|c) = const - sum_j r_j c_j if r is the LLR, since
    each bit that is 1 costs r_j. So with binary weights W_ij = c_ij, the output -r W^T is the log-likelihood
    of every codeword up to a common constant, and its largest entry belongs to ML's codeword. With weights
    2 c_ij - 1 in {-1, +1}, the output -r W^T / 2 = -sum_j r_j c_ij + sum_j r_j / 2 differs from it by a
    constant common to all codewords. A positive factor on r changes no argmax, so neither form needs the
    noise level. QED.

    Args:
        code: Any code with k <= 24.
        weights: ``binary`` for 0 and 1, ``bipolar`` for -1 and +1.

    Shapes: r (B, n) floating point -> logits (B, 2^k). The weights are the buffer ``codewords`` (2^k, n)
    int8, which is part of ``state_dict`` and moved by ``to``. `decide` converts one block of them at a time,
    so that k = 21 fits in memory.
    """

    codewords: Tensor

    def __init__(self, code: Code, *, weights: str = "binary") -> None:
        super().__init__()
        if weights not in ("binary", "bipolar"):
            raise ValueError(f"weights must be binary or bipolar, got {weights!r}")
        self.k, self.bipolar = code.k, weights == "bipolar"
        codewords = torch.from_numpy(code.codebook()).to(torch.int8)
        self.register_buffer("codewords", 2 * codewords - 1 if self.bipolar else codewords)

    def forward(self, r: Tensor) -> Tensor:
        """Logits of all messages, (B, 2^k); their softmax is the posterior if r is the LLR."""
        return self._logits(r, self.codewords)

    def decide(self, r: Tensor) -> Tensor:
        """Index of the most likely message, (B,) int64: the argmax of `forward`, block by block."""
        if len(self.codewords) <= BLOCK:
            return self.forward(r).max(dim=1).indices
        best = r.new_full((len(r),), -torch.inf)
        argbest = torch.zeros(len(r), dtype=torch.int64, device=r.device)
        for start, logits in self.blocks(r):
            value, index = logits.max(dim=1)
            better = value > best
            best = torch.where(better, value, best)
            argbest = torch.where(better, start + index, argbest)
        return argbest

    def blocks(self, r: Tensor) -> Iterator[tuple[int, Tensor]]:
        """Blocks of at most 2^14 logits: (first message, logits (B, messages))."""
        for start in range(0, len(self.codewords), BLOCK):
            yield start, self._logits(r, self.codewords[start : start + BLOCK])

    def _logits(self, r: Tensor, codewords: Tensor) -> Tensor:
        logits = -r @ codewords.to(r.dtype).T
        return logits / 2 if self.bipolar else logits


class MLNN(nn.Module):
    """Multi-label network: n inputs, 2^k softmax units, k outputs, threshold 1/2: bit-wise ML.

    Proof. By the proof of `SLNN` the hidden logits are log-likelihoods up to a common constant if r times
    ``scale`` is the LLR, so their softmax is P(message i | y) for equally likely messages. The output weights
    are the message bits b_ij, so output j is sum_i b_ij P(i | y) = P(b_j = 1 | y), and comparing it with 1/2
    minimises the error probability of each bit. QED. Unlike SLNN's argmax, the softmax needs the scale: 1 for
    LLRs, 2 / sigma^2 for BPSK values y.

    Args:
        code: Any code with k <= 24.
        scale: Factor that makes r an LLR.
        weights: Form of the first layer: ``binary`` or ``bipolar``, as in `SLNN`.

    Shapes: r (B, n) floating point -> probabilities (B, k) that each message bit is 1. Buffers:
    ``hidden.codewords`` (2^k, n) and ``messages`` (2^k, k), int8.
    """

    messages: Tensor

    def __init__(self, code: Code, *, scale: float = 1.0, weights: str = "binary") -> None:
        super().__init__()
        if not scale > 0:
            raise ValueError(f"scale must be positive, got {scale}")
        self.scale = scale
        self.hidden = SLNN(code, weights=weights)
        self.register_buffer("messages", torch.from_numpy(code.messages()).to(torch.int8))

    def forward(self, r: Tensor) -> Tensor:
        """P(bit = 1) of each message bit, (B, k)."""
        posterior = torch.softmax(self.hidden(self.scale * r), dim=1)
        return posterior @ self.messages.to(r.dtype)

    def logits(self, r: Tensor) -> Tensor:
        """Logits log P(1) / P(0) of message bits, (B, k); in float32 they saturate at +-87."""
        posterior = torch.softmax(self.hidden(self.scale * r), dim=1)
        ones = self.messages.to(r.dtype)
        least = torch.finfo(r.dtype).tiny
        return torch.log((posterior @ ones).clamp_min(least)) - torch.log(
            (posterior @ (1 - ones)).clamp_min(least)
        )

    def blockwise(self, r: Tensor) -> Tensor:
        """The same function in bounded memory, with the softmax sums relative to a running maximum."""
        top: Tensor | None = None
        for start, logits in self.hidden.blocks(self.scale * r):
            highest = logits.amax(dim=1, keepdim=True)
            higher = highest if top is None else torch.maximum(top, highest)
            likelihood = logits.sub_(higher).exp_()
            sums = likelihood.sum(dim=1, keepdim=True)
            hits = likelihood @ self.messages[start : start + BLOCK].to(r.dtype)
            if top is None:
                total, ones = sums, hits
            else:
                shrink = torch.exp(top - higher)
                total, ones = total * shrink + sums, ones * shrink + hits
            top = higher
        return ones / total

    def decide(self, r: Tensor) -> Tensor:
        """Message bits, (B, k) uint8: 1 where the probability is above 1/2."""
        return (self.blockwise(r) > 0.5).to(torch.uint8)
