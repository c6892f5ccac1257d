"""Cross-attention message passing transformer: bits attend to checks, and checks to bits, in turn."""

import torch
from torch import Tensor, nn

from fecnn.nets.attention import TokenNet
from fecnn.nets.edge_attention import Edges


class CrossMPT(TokenNet):
    """Cross-attention message passing transformer (Park, Kwak, Kim, Kim and No, ICLR 2025, arXiv 2405.01033).

    There are two streams of tokens. In every block the bits attend to their checks and then, with the same
    weights, the checks to their bits. The layer norm before the attention acts on the queries only, as in the
    authors' published program; keys and values are the other stream without normalisation. The two streams
    are joined before the head, so there are as many parameters as in `ECCT`.

    As in `ECCT`, the published program applies ``dropout=0.1`` in training without its model asking for it,
    and one more layer norm, the same for both streams, follows block N // 2.

    Arguments, shapes and errors are those of `TokenNet`.
    """

    def connect(self) -> None:
        """Edges from bits to checks and back; the embeddings are initialised as two separate matrices."""
        embedding, n = self.embedding.detach(), self.checks.shape[1]
        for vectors in (embedding[:n], embedding[n:]):
            nn.init.xavier_uniform_(vectors)
        self.to_checks, self.to_bits = Edges(self.checks.T > 0), Edges(self.checks > 0)

    def stages(self, magnitude: Tensor, hard: Tensor) -> list[Tensor]:
        """The logits (B, n), the only stage."""
        tokens, n = self.tokens(magnitude, hard), self.checks.shape[1]
        bits, checks = tokens[:, :n], tokens[:, n:]
        for layer in range(1, self.layers + 1):
            block = self.block(layer)
            bits = block(bits, checks, self.to_checks)
            checks = block(checks, bits, self.to_bits)
            if norm := self.normed_after(layer):
                bits, checks = norm(bits), norm(checks)
        return [self.head(torch.cat([bits, checks], dim=1))]
