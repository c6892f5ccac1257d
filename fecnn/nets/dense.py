"""The literature's SLNN and MLNN: fully connected networks that need training.

They take unscaled BPSK values y (B, n), with bit 0 sent as +1. Leung, Bhat and Motani, "Low latency
energy-efficient neural decoders for block codes", IEEE Trans. Green Comm. Netw. 7(2), 2023. The training-free
networks compared with them are in `fecnn.nets.codebook`.
"""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fecnn.codes.code import MAX_CODEBOOK_K, Code
from fecnn.nets.size import refuse_huge


class LiteratureSLNN(nn.Module):
    """Single-label network: n inputs, ReLU layers, and 2^k logits, one per message.

    Args:
        code: A code with k at most 24.
        hidden: Widths of the ReLU layers.

    Raises:
        ValueError: If k is above 24, a width is not positive, or the network would be too large.

    Example:
        >>> import fecnn
        >>> sum(p.numel() for p in LiteratureSLNN(fecnn.hamming(3), hidden=[7]).parameters())
        184
    """

    def __init__(self, code: Code, *, hidden: Sequence[int]) -> None:
        super().__init__()
        if code.k > MAX_CODEBOOK_K:
            raise ValueError(f"a single-label network of {code.name} has 2^{code.k} outputs (at most 2^24)")
        self.k = code.k
        self.layers = _dense(code.n, hidden, 2**code.k)

    def forward(self, y: Tensor) -> Tensor:
        """Logits of all messages, (B, 2^k)."""
        logits: Tensor = self.layers(y)
        return logits

    def loss(self, y: Tensor, messages: Tensor) -> Tensor:
        """Mean cross entropy with the sent messages (B, k), 0 and 1."""
        weights = 1 << torch.arange(self.k - 1, -1, -1, device=y.device)
        return F.cross_entropy(self.forward(y), (messages.long() * weights).sum(dim=1))

    def decide(self, y: Tensor) -> Tensor:
        """Message bits (B, k) uint8 of the largest logit."""
        shifts = torch.arange(self.k - 1, -1, -1, device=y.device)
        return ((self.forward(y).argmax(dim=1)[:, None] >> shifts) & 1).to(torch.uint8)


class LiteratureMLNN(nn.Module):
    """Multi-label network: n inputs, ReLU layers, and k logits, one per message bit.

    Args:
        code: Any code.
        hidden: Widths of the ReLU layers.

    Raises:
        ValueError: If a width is not positive, or the network would be too large.

    Example:
        >>> import fecnn
        >>> sum(p.numel() for p in LiteratureMLNN(fecnn.hamming(3), hidden=[100, 100]).parameters())
        11304
    """

    def __init__(self, code: Code, *, hidden: Sequence[int]) -> None:
        super().__init__()
        self.layers = _dense(code.n, hidden, code.k)

    def forward(self, y: Tensor) -> Tensor:
        """Logits of the message bits being 1, (B, k); their sigmoid is the network's output."""
        logits: Tensor = self.layers(y)
        return logits

    def loss(self, y: Tensor, messages: Tensor) -> Tensor:
        """Mean binary cross entropy with the sent messages (B, k), 0 and 1."""
        return F.binary_cross_entropy_with_logits(self.forward(y), messages.to(y.dtype))

    def decide(self, y: Tensor) -> Tensor:
        """Message bits (B, k) uint8: 1 where the sigmoid is above 1/2."""
        return (self.forward(y) > 0).to(torch.uint8)


def _dense(inputs: int, hidden: Sequence[int], outputs: int) -> nn.Sequential:
    if not hidden or any(not isinstance(width, int) or width < 1 for width in hidden):
        raise ValueError(f"hidden must be the positive widths of one or more layers, got {list(hidden)[:9]}")
    widths = [inputs, *hidden]
    refuse_huge(sum(a * b for a, b in itertools.pairwise([*widths, outputs])), len(widths))
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], outputs))
