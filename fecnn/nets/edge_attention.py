"""Attention along the edges of a graph on the CPU: only attending pairs are computed, many frames at once.

With heads of four entries and masks that keep a quarter of the pairs, a batched matrix product is mostly
wasted. Here up to LANES frames are the innermost dimension, so that one edge of one head takes a few vector
instructions.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from fecnn.nets.kernels import attend, attend_backward

LANES = 128
"""Most frames processed side by side."""


class Edges(nn.Module):
    """Which tokens attend to which, and attention along these edges; it has no weights.

    Args:
        pairs: (L, M) bool, true where query i attends to source j. A query without any source attends to all
            of them, which is also the effect of a large negative score at every masked pair.
    """

    pairs: Tensor
    first: Tensor
    second: Tensor

    def __init__(self, pairs: Tensor) -> None:
        super().__init__()
        pairs = pairs | ~pairs.any(dim=1, keepdim=True)
        queries, sources = pairs.nonzero(as_tuple=True)
        self.register_buffer("pairs", pairs, persistent=False)
        # Query i attends to the sources second[first[i] : first[i + 1]].
        self.register_buffer(
            "first", torch.searchsorted(queries, torch.arange(len(pairs) + 1)), persistent=False
        )
        self.register_buffer("second", sources, persistent=False)

    def forward(self, q: Tensor, kv: Tensor | None, heads: int, dropout: float) -> Tensor:
        """softmax(q k^T / sqrt(d / heads)) v over the edges.

        Args:
            q: Queries (B, L, d), or (B, L, 3 d) with keys and values after them if kv is None.
            kv: Keys and values (B, M, 2 d).
            heads: Number of heads.
            dropout: Fraction of the weights to drop.

        Returns:
            (B, L, d). On the CPU, in float32 or bfloat16 and without dropout, it is computed edge by edge in
            float32; otherwise, and in an exported network, by torch.
        """
        by_edges = q.device.type == "cpu" and q.dtype in (torch.float32, torch.bfloat16) and not dropout
        if by_edges and not torch.compiler.is_exporting():
            kv = kv if kv is None else kv.float()
            edges = (self.first, self.second)
            mixed: Tensor = EdgeAttention.apply(q.float(), kv, edges, heads)  # type: ignore[no-untyped-call]
            return mixed.to(q.dtype)
        d = q.shape[2] // 3 if kv is None else q.shape[2]
        parts = q.chunk(3, dim=2) if kv is None else (q, *kv.chunk(2, dim=2))
        query, key, value = (x.reshape(*x.shape[:2], heads, d // heads).transpose(1, 2) for x in parts)
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=self.pairs, dropout_p=dropout)
        return mixed.transpose(1, 2).flatten(2)


class EdgeAttention(torch.autograd.Function):
    """The computation of `Edges` by kernels: ``apply(q, kv, (first, second), heads)`` in float32."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, kv: Tensor | None, edges: tuple[Tensor, Tensor], heads: int) -> Tensor:
        """Attend along the edges, keeping the attention weights if gradients will be needed."""
        kept = any(ctx.needs_input_grad)
        B, L, d = q.shape
        d = d // 3 if kv is None else d
        q, source = q.contiguous(), q.contiguous() if kv is None else kv.contiguous()
        lanes = min(LANES, max(16, -(-B // 16) * 16))
        weights = q.new_empty(-(-B // lanes) if kept else 1, heads, len(edges[1]), lanes)
        out = q.new_empty(B, L, d)
        arrays = [a.detach().numpy() for a in (q, source, *edges, weights, out)]
        attend(*arrays, d if kv is None else 0)
        if kept:
            ctx.save_for_backward(q, source, *edges, weights)
            ctx.own = kv is None
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of q and kv."""
        q, source, *rest = ctx.saved_tensors
        of_q = torch.empty_like(q)
        of_source = of_q if ctx.own else torch.empty_like(source)
        arrays = [a.numpy() for a in (q, source, *rest, gradients[0].contiguous(), of_q, of_source)]
        attend_backward(*arrays, gradients[0].shape[2] if ctx.own else 0)
        return of_q, None if ctx.own else of_source, None, None
