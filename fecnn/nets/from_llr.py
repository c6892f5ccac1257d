"""Networks as functions from LLRs to bits and logits."""

import torch
from torch import Tensor, nn

from fecnn.codes.code import Code
from fecnn.nets.codebook import MLNN, SLNN
from fecnn.nets.dense import LiteratureSLNN
from fecnn.nets.error_domain import ErrorNet


class FromLLR(nn.Module):
    r"""A network as a decoder: LLRs in, code bits and the network's own logits out.

    Args:
        network: Any network of this package.
        code: Its code.
        magnitude: Mean of \|y\| that a trained network expects, see `fecnn.nets.card.Card.magnitude`. Each
            frame of LLRs is scaled to this mean, so that they may be in any unit. None passes them on as
            they are.

    Shapes: llr (B, n) float32, finite, log p(y|0) / p(y|1): positive means bit 0 -> bits (B, n) uint8, and
    logits float32:

    - (B, n) of networks that find errors (`fecnn.nets.error_domain`): positive means that the hard decision
      of this bit is wrong. Hard decisions that are a codeword are kept, whatever the logits are.
    - (B, 2^k) of single-label networks: one per message, in the order of `Code.messages`; the largest wins.
    - (B, k) of multi-label networks: log P(1) / P(0) of each message bit, positive means 1.

    Decided messages are encoded. A frame of zeros has y = 0, so it is decoded like any other.
    """

    def __init__(self, network: nn.Module, code: Code, magnitude: float | None = None) -> None:
        super().__init__()
        self.network, self.magnitude = network, magnitude
        self.checks: Tensor
        self.generator: Tensor
        self.words: Tensor
        if isinstance(network, ErrorNet):
            self.register_buffer("checks", torch.tensor(code.H, dtype=torch.float32), persistent=False)
        elif isinstance(network, SLNN | LiteratureSLNN):
            self.register_buffer("words", torch.tensor(code.codebook()), persistent=False)
        else:
            self.register_buffer("generator", torch.tensor(code.G, dtype=torch.float32), persistent=False)

    def forward(self, llr: Tensor) -> tuple[Tensor, Tensor]:
        """Code bits (B, n) uint8 and logits float32."""
        network = self.network
        y = llr if self.magnitude is None else scaled(llr, self.magnitude)
        if isinstance(network, ErrorNet):
            hard = (y < 0).to(y.dtype)
            logits = network.settled(y.abs(), hard)
            broken = (hard @ self.checks.T).remainder(2).any(dim=1, keepdim=True)
            return (hard.bool() ^ (broken & (logits > 0))).to(torch.uint8), logits
        if isinstance(network, SLNN | LiteratureSLNN):
            logits = network(y)
            return self.words[logits.argmax(dim=1)], logits
        logits = network.logits(y) if isinstance(network, MLNN) else network(y)
        return ((logits > 0).to(y.dtype) @ self.generator).remainder(2).to(torch.uint8), logits


def scaled(llr: Tensor, magnitude: float) -> Tensor:
    """Frames (B, n) in a unit in which the mean of their magnitudes is this; frames of zeros stay so."""
    mean = llr.abs().mean(dim=1, keepdim=True)
    return llr * (magnitude / mean.clamp_min(torch.finfo(llr.dtype).tiny))
