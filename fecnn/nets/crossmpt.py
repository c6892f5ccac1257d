"""Cross-attention message passing transformer: bits attend to checks, then checks to bits, in turn."""

import torch
from torch import Tensor, nn

from fecnn.code import Code
from fecnn.nets.attention import TokenNet
from fecnn.nets.edge_attention import Edges
from fecnn.nets.error_domain import check_matrix


class CrossMPT(TokenNet):
    """Cross-attention message passing transformer (Park, Kwak, Kim, Kim and No, ICLR 2025, arXiv 2405.01033).

    Two streams of tokens. In every block the bits attend to their checks and then, with the same weights, the
    checks to their bits. The layer norm before the attention acts on the queries only, as in the authors'
    published program; keys and values are the other stream as it is. The two streams are joined before the
    head, so that there are as many parameters as in `ECCT`.

    As there, ``dropout=0.1`` is what the published program applies in training without asking for it, and one
    more layer norm, the same for both streams, follows block N // 2.

    Args:
        code: The code.
        layers: Blocks, N.
        width: Entries of a token, d.
        heads: Heads of the attention, a divisor of width.
        dropout: Dropout of the attention weights in training.
        checks: ``H`` or ``systematic``, see `check_matrix`.

    Shapes: |y| (B, n) and hard decisions (B, n) -> logits (B, n), positive where the decision is wrong.

    Raises:
        ValueError: If layers < 1, width is no multiple of heads, dropout is outside [0, 1), or checks is
            unknown.
    """

    def __init__(
        self,
        code: Code,
        *,
        layers: int = 6,
        width: int = 32,
        heads: int = 8,
        dropout: float = 0.0,
        checks: str = "H",
    ) -> None:
        H = check_matrix(code, checks)
        super().__init__(H, layers=layers, width=width, heads=heads, dropout=dropout)
        embedding = self.embedding.detach()
        for vectors in (embedding[: code.n], embedding[code.n :]):  # drawn as the two matrices that they are
            nn.init.xavier_uniform_(vectors)
        self.to_checks, self.to_bits = Edges(self.checks.T > 0), Edges(self.checks > 0)

    def stages(self, magnitude: Tensor, hard: Tensor) -> list[Tensor]:
        """The logits (B, n), the only stage."""
        tokens, n = self.tokens(magnitude, hard), self.checks.shape[1]
        bits, checks = tokens[:, :n], tokens[:, n:]
        for layer, block in enumerate(self.blocks, start=1):
            bits = block(bits, checks, self.to_checks)
            checks = block(checks, bits, self.to_bits)
            if norm := self.normed_after(layer):
                bits, checks = norm(bits), norm(checks)
        return [self.head(torch.cat([bits, checks], dim=1))]
