"""The common parts of the transformer decoders: masked attention, its block, tokens and the output head."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fecnn.codes.code import Code
from fecnn.errors import shown
from fecnn.nets.edge_attention import Edges
from fecnn.nets.error_domain import ErrorNet, check_matrix
from fecnn.nets.size import refuse_huge


class Attention(nn.Module):
    """Multi-head attention; queries, keys and values come from one matrix of 3 width rows, in this order.

    Args:
        width: Entries per token.
        heads: Number of heads, a divisor of width.
        dropout: Fraction of the attention weights dropped in training.

    Shapes: queries (B, L, width), sources (B, M, width), or None to attend to the queries -> tokens (B, L,
    width).
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.width, self.heads, self.dropout = width, heads, dropout
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        for square in [*self.qkv.weight.detach().chunk(3), self.out.weight]:
            nn.init.xavier_uniform_(square)

    def forward(self, queries: Tensor, sources: Tensor | None, edges: Edges) -> Tensor:
        """For each query, a mix of the sources at the other end of its edges."""
        d = self.width
        kv = None
        if sources is None:
            q = self.qkv(queries)
        else:
            q = F.linear(queries, self.qkv.weight[:d], self.qkv.bias[:d])
            kv = F.linear(sources, self.qkv.weight[d:], self.qkv.bias[d:])
        mixed: Tensor = self.out(edges(q, kv, self.heads, self.dropout if self.training else 0.0))
        return mixed


class Block(nn.Module):
    """Attention and a feed-forward net of 4 width GELUs, both residual with the norm first."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads, dropout)
        self.feed_norm = nn.LayerNorm(width)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        for matrix in (self.widen.weight, self.narrow.weight):
            nn.init.xavier_uniform_(matrix)

    def forward(self, x: Tensor, sources: Tensor | None, edges: Edges) -> Tensor:
        """Tokens x (B, L, width) after attending to sources (B, M, width), or to themselves.

        Only x is normalised, not the sources.
        """
        x = x + self.attention(self.attention_norm(x), sources, edges)
        after: Tensor = x + self.narrow(F.gelu(self.widen(self.feed_norm(x))))
        return after


class TokenNet(ErrorNet):
    """One token per code bit and per check, blocks of attention, and a linear head to n logits.

    The token of a bit is its magnitude times a learned vector; that of a check is its syndrome, +-1, times a
    learned vector. The head maps each token to a number, and these n + m numbers to n logits.

    Args:
        code: The code.
        layers: Number of blocks, N.
        shared: Use one block N times, as recurrent transformers do (de Boni Rovella 2024).
        width: Entries per token, d.
        heads: Number of attention heads, a divisor of width.
        dropout: Dropout of the attention weights in training.
        checks, orbits: ``H``, ``systematic``, or ``light`` with a number of orbits; see `check_matrix`.

    Shapes: |y| (B, n) and hard decisions (B, n) -> logits (B, n), positive where the decision is wrong.

    Raises:
        TypeError: If layers, heads or width is not a whole number, or shared not a truth value.
        ValueError: If layers < 1, heads < 1, width is not a positive multiple of heads, dropout is outside
            [0, 1), checks or orbits are not possible, or the network would be too large.
    """

    def __init__(
        self,
        code: Code,
        *,
        layers: int = 6,
        shared: bool = False,
        width: int = 32,
        heads: int = 8,
        dropout: float = 0.0,
        checks: str = "H",
        orbits: int | None = None,
    ) -> None:
        for name, value in (("layers", layers), ("heads", heads), ("width", width)):
            if not isinstance(value, int):
                raise TypeError(f"{name} must be a whole number, got {shown(value)}")
        if not isinstance(shared, bool):
            raise TypeError(f"shared must be true or false, got {shown(shared)}")
        if layers < 1:
            raise ValueError(f"layers must be at least 1, got {layers}")
        if heads < 1:
            raise ValueError(f"heads must be at least 1, got {heads}")
        if width < 1 or width % heads:
            raise ValueError(f"width must be a positive multiple of heads = {heads}, got {width}")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {dropout}")
        rows = check_matrix(code, checks, orbits)
        m, n = rows.shape
        refuse_huge((1 if shared else layers) * 12 * width**2 + (n + m) * (n + width), layers, n + m)
        super().__init__(rows)
        self.embedding = nn.Parameter(torch.empty(n + m, width))
        self.layers = layers
        self.blocks = nn.ModuleList([Block(width, heads, dropout) for _ in range(1 if shared else layers)])
        self.middle_norm = nn.LayerNorm(width) if layers > 1 else None
        self.norm = nn.LayerNorm(width)
        self.per_token = nn.Linear(width, 1)
        self.out = nn.Linear(n + m, n)
        for matrix in (self.embedding, self.per_token.weight, self.out.weight):
            nn.init.xavier_uniform_(matrix)
        self.connect()

    def connect(self) -> None:
        """Set up which tokens attend to which."""
        raise NotImplementedError

    def tokens(self, magnitude: Tensor, hard: Tensor) -> Tensor:
        """The tokens (B, n + m, width), bits first."""
        values = torch.cat([magnitude, self.syndrome(hard).to(magnitude.dtype)], dim=-1)
        return values.unsqueeze(-1) * self.embedding

    def block(self, layer: int) -> nn.Module:
        """The block of a layer, counted from 1."""
        return self.blocks[(layer - 1) % len(self.blocks)]

    def head(self, tokens: Tensor) -> Tensor:
        """Logits (B, n) of the tokens (B, n + m, width) that the last block returned."""
        logits: Tensor = self.out(self.per_token(self.norm(tokens)).squeeze(-1))
        return logits

    def normed_after(self, layer: int) -> nn.LayerNorm | None:
        """The extra norm after block N // 2, counted from 1, if there are at least two blocks."""
        return self.middle_norm if layer == self.layers // 2 else None
