"""Plain reimplementations of the ECCT and CrossMPT authors' programs, as peers for our benchmarks.

Like those programs, they have four separate projections per attention, layers that are deep copies of one
another, masked_fill, and training that drops a tenth of the attention weights whatever the model asks for.
"""

import copy
import math

import torch
import torch.nn.functional as F
from torch import nn

HIDDEN_DROPOUT = 0.1


def copies(module, count):
    return nn.ModuleList([copy.deepcopy(module) for _ in range(count)])


class PlainAttention(nn.Module):
    def __init__(self, heads, d, dropout=HIDDEN_DROPOUT):
        super().__init__()
        self.heads, self.d_k = heads, d // heads
        self.projections = copies(nn.Linear(d, d), 4)
        self.dropout = nn.Dropout(dropout)

    def forward(self, query, key, value, mask):
        batch = query.size(0)
        q, k, v = (
            project(x).view(batch, -1, self.heads, self.d_k).transpose(1, 2)
            for project, x in zip(self.projections[:3], (query, key, value), strict=True)
        )
        scores = torch.matmul(q, k.transpose(-2, -1)) / math.sqrt(self.d_k)
        weights = F.softmax(scores.masked_fill(mask, -1e9), dim=-1)
        mixed = torch.matmul(self.dropout(weights), v).transpose(1, 2).contiguous()
        return self.projections[3](mixed.view(batch, -1, self.heads * self.d_k))


class PlainFeedForward(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.wide, self.back, self.dropout = nn.Linear(d, 4 * d), nn.Linear(4 * d, d), nn.Dropout(0.0)

    def forward(self, x):
        return self.back(self.dropout(F.gelu(self.wide(x))))


class Residual(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.norm, self.dropout = nn.LayerNorm(d), nn.Dropout(0.0)

    def forward(self, x, sublayer):
        return x + self.dropout(sublayer(self.norm(x)))


class PlainLayer(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.attention, self.feed, self.residuals = (
            PlainAttention(heads, d),
            PlainFeedForward(d),
            copies(Residual(d), 2),
        )

    def forward(self, x, sources, mask):
        x = self.residuals[0](
            x,
            lambda normed: self.attention(
                normed, *([normed, normed] if sources is None else [sources] * 2), mask
            ),
        )
        return self.residuals[1](x, self.feed)


class Plain(nn.Module):
    """Either network; forward takes |y| and the +-1 syndrome, as in those programs."""

    def __init__(self, H, layers, d, heads):
        super().__init__()
        m, n = H.shape
        self.n = n
        self.embedding = nn.Parameter(torch.empty(n + m, d))
        self.layers = copies(PlainLayer(d, heads), layers)
        self.norm, self.norm2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.per_token, self.out = nn.Sequential(nn.Linear(d, 1)), nn.Linear(n + m, n)

    def head(self, x):
        return self.out(self.per_token(self.norm(x)).squeeze(-1))

    def after(self, index, x):
        return self.norm2(x) if index == len(self.layers) // 2 and len(self.layers) > 1 else x


class PlainECCT(Plain):
    def __init__(self, H, layers, d, heads):
        super().__init__(H, layers, d, heads)
        m, n = H.shape
        seen = torch.eye(n + m)
        for check in range(m):
            members = H[check].nonzero()[0]
            seen[n + check, members] = seen[members, n + check] = 1
            for bit in members:
                seen[bit, members] = 1
        self.register_buffer("mask", (seen == 0)[None, None])

    def forward(self, magnitude, syndrome):
        x = self.embedding.unsqueeze(0) * torch.cat([magnitude, syndrome], -1).unsqueeze(-1)
        for index, layer in enumerate(self.layers, start=1):
            x = self.after(index, layer(x, None, self.mask))
        return self.head(x)


class PlainCrossMPT(Plain):
    def __init__(self, H, layers, d, heads):
        super().__init__(H, layers, d, heads)
        edges = torch.tensor(H) == 0
        self.register_buffer("bit_mask", edges.T[None, None].clone())
        self.register_buffer("check_mask", edges[None, None].clone())

    def forward(self, magnitude, syndrome):
        bits = self.embedding[: self.n].unsqueeze(0) * magnitude.unsqueeze(-1)
        checks = self.embedding[self.n :].unsqueeze(0) * syndrome.unsqueeze(-1)
        for index, layer in enumerate(self.layers, start=1):
            bits = layer(bits, checks, self.bit_mask)
            checks = layer(checks, bits, self.check_mask)
            bits, checks = self.after(index, bits), self.after(index, checks)
        return self.head(torch.cat([bits, checks], dim=1))


def plain_of(net):
    """The plain version of our ECCT or CrossMPT, with the same weights."""
    H = net.checks.to(torch.uint8).numpy()
    first = net.blocks[0].attention
    plain = {"ECCT": PlainECCT, "CrossMPT": PlainCrossMPT}[type(net).__name__](
        H, len(net.blocks), first.width, first.heads
    )
    pairs = [("norm", "norm"), ("middle_norm", "norm2"), ("per_token", "per_token.0"), ("out", "out")]
    for i in range(len(net.blocks)):
        pairs += [
            (f"blocks.{i}.{ours}", f"layers.{i}.{theirs}")
            for ours, theirs in {
                "attention_norm": "residuals.0.norm",
                "feed_norm": "residuals.1.norm",
                "attention.out": "attention.projections.3",
                "widen": "feed.wide",
                "narrow": "feed.back",
            }.items()
        ]
    weights = {"embedding": net.embedding.detach()}
    ours = net.state_dict()
    for kind in ("weight", "bias"):
        weights |= {f"{there}.{kind}": ours[f"{here}.{kind}"] for here, there in pairs}
        for i in range(len(net.blocks)):
            thirds = ours[f"blocks.{i}.attention.qkv.{kind}"].chunk(3)
            weights |= {
                f"layers.{i}.attention.projections.{j}.{kind}": third for j, third in enumerate(thirds)
            }
    missing, unexpected = plain.load_state_dict(weights, strict=False)
    assert not unexpected
    assert all(name.endswith("mask") for name in missing)
    return plain
