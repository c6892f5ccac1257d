"""Error Correction Code Transformer: bits and checks attend to each other along the Tanner graph."""

import torch
from torch import Tensor

from fecnn.nets.attention import TokenNet
from fecnn.nets.edge_attention import Edges


class ECCT(TokenNet):
    """Error Correction Code Transformer (Choukroun and Wolf, NeurIPS 2022, arXiv 2203.14966).

    Self-attention over n + m tokens. A bit attends to itself, to the bits that share a check with it, and to
    its checks; a check attends to itself and to its bits.

    The function and the number of parameters are those of the authors' published program, whose weights fit
    after renaming. Three details of that program are made explicit here. Its attention drops a tenth of the
    weights in training (``dropout=0.1``), although its model does not ask for that. There is one more layer
    norm, after block N // 2. The feed-forward net has GELU units, not the gated ones of the paper's text. The
    checks are the rows of H as given, including dependent ones, |y| is not scaled by the noise level, and the
    output is a logit of the multiplicative noise being -1, that is, of an error.

    Arguments, shapes and errors are those of `TokenNet`.
    """

    def connect(self) -> None:
        """Edges among all tokens."""
        self.edges = Edges(attending(self.checks))

    def stages(self, magnitude: Tensor, hard: Tensor) -> list[Tensor]:
        """The logits (B, n), the only stage."""
        x = self.tokens(magnitude, hard)
        for layer in range(1, self.layers + 1):
            block = self.block(layer)
            x = block(x, None, self.edges)
            if norm := self.normed_after(layer):
                x = norm(x)
        return [self.head(x)]


def attending(H: Tensor) -> Tensor:
    """Which pairs of tokens, bits first, attend to each other: (n + m, n + m) bool, from H (m, n)."""
    m, n = H.shape
    among_bits = (H.T @ H > 0) | torch.eye(n, dtype=torch.bool)
    edges = H > 0
    return torch.cat(
        [torch.cat([among_bits, edges.T], dim=1), torch.cat([edges, torch.eye(m, dtype=torch.bool)], dim=1)]
    )
