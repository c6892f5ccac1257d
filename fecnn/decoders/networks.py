"""Training-free torch networks as decoders. Torch is imported only when a decoder is built."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from fecnn.arrays import LLR, Bits, refuse_out_of_sums
from fecnn.channels.channel import Channel
from fecnn.codes.code import Code
from fecnn.decoders.contract import Decoder, as_output
from fecnn.decoders.cost import REAL, Cost
from fecnn.decoders.registry import BuiltIn, Example

if TYPE_CHECKING:
    from torch import Tensor

    from fecnn.nets.codebook import MLNN, SLNN

Network = TypeVar("Network", "SLNN", "MLNN")

MAX_LOGITS = 1 << 21
"""Most logits computed at once (16 MiB in float64)."""


def slnn(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    weights: str = "binary",
    dtype: str = "float64",
    device: str = "cpu",
) -> Decoder:
    """Training-free single-label network: codeword-wise ML (arXiv 2503.18758, Theorem 1).

    The network is `fecnn.nets.codebook.SLNN`.

    Args:
        code: A code with k at most 24.
        channel: Not used: the argmax needs no noise level.
        weights: ``binary`` (0 and 1) or ``bipolar`` (-1 and +1).
        dtype: ``float64`` breaks near ties as exact ML does; ``float32`` is faster.
        device: Where torch computes, such as ``cpu`` or ``cuda``.

    Raises:
        ValueError: If an option has a wrong value, or k > 24.
    """
    import torch

    from fecnn.nets.codebook import SLNN

    network = _module(SLNN, code, weights, device)
    shifts = torch.arange(code.k - 1, -1, -1, device=device)

    def decide(r: "Tensor") -> "Tensor":
        messages: Tensor = (network.decide(r)[:, None] >> shifts) & 1
        return messages.to(torch.uint8)

    return _on_torch(decide, code, dtype, device)


def mlnn(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    weights: str = "binary",
    dtype: str = "float64",
    device: str = "cpu",
) -> Decoder:
    """Training-free multi-label network: bit-wise ML of the message bits (arXiv 2503.18758, Theorem 2).

    The network is `fecnn.nets.codebook.MLNN`.

    The softmax needs the noise level, which is already in the LLRs. Arguments and errors as for ``slnn``.
    """
    from fecnn.nets.codebook import MLNN

    network = _module(MLNN, code, weights, device)
    return _on_torch(network.decide, code, dtype, device)


@lru_cache(maxsize=4)
def _module(network: type[Network], code: Code, weights: str, device: str) -> Network:
    """A network whose weights are shared by all decoders of a code."""
    from fecnn.nets.device import torch_device

    return network(code, weights=weights).to(torch_device(device))


def _on_torch(decide: "Callable[[Tensor], Tensor]", code: Code, dtype: str, device: str) -> Decoder:
    import torch

    from fecnn.nets.codebook import BLOCK

    if dtype not in ("float32", "float64"):
        raise ValueError(f"dtype must be float32 or float64, got {dtype!r}")
    floating = torch.float32 if dtype == "float32" else torch.float64
    rows = max(1, MAX_LOGITS // min(2**code.k, BLOCK))

    def decode(llr: LLR) -> Bits:
        refuse_out_of_sums(llr, "a network")
        frames = torch.from_numpy(llr)
        with torch.inference_mode():
            starts = range(0, max(len(llr), 1), rows)
            parts = [decide(frames[i : i + rows].to(device, floating)).cpu().numpy() for i in starts]
        return as_output(code, parts[0] if len(parts) == 1 else np.concatenate(parts))

    return decode


def slnn_cost(code: Code, work: float | None = None, *, binary: bool = True, **_: Any) -> Cost:
    """Training-free SLNN: each of 2^k outputs adds the inputs where its codeword has a one; then the maximum.

    All codewords together have n 2^(k-1) ones, which gives n 2^(k-1) - (2^k - 1) additions and no
    multiplications, with n 2^k one-bit weights. With ``binary = False`` the weights are real: n 2^k
    multiplications, (n - 1) 2^k additions, and 32 bits per weight.
    """
    n, words = code.n, 2**code.k
    if not binary:
        return Cost(n * words, (n - 1) * words, words - 1, 0, 0, n * words, REAL * n * words, REAL * words)
    ones = words // 2 * int(code.G.any(axis=0).sum())
    return Cost(0, ones - (words - 1), words - 1, 0, 0, n * words, n * words, REAL * words)


def mlnn_cost(code: Code, work: float | None = None, *, binary: bool = True, **_: Any) -> Cost:
    """Training-free MLNN: the SLNN's sums, 2^k exponentials, and k + 1 sums of these that are compared.

    The sum over all messages takes 2^k - 1 additions. For each of k bits, the sum over the messages with that
    bit set takes 2^(k-1) - 1, and its double is compared with the first sum (k more). (n + k) 2^k weights.
    """
    k, words = code.k, 2**code.k
    first = slnn_cost(code, binary=binary)
    hidden = replace(first, comparisons=0, exponentials=words)
    if not binary:
        return hidden + Cost(k * words, k * (words - 1), k, 0, 0, k * words, REAL * k * words)
    sums = words - 1 + k * (words // 2 - 1) + k
    return hidden + Cost(0, sums, k, 0, 0, k * words, k * words)


FREE_SLNN = BuiltIn(
    slnn,
    cost=slnn_cost,
    cites="arXiv 2503.18758",
    reach="k <= 24",
    example=Example("bch-15-7", 4.0),
)
FREE_MLNN = BuiltIn(
    mlnn,
    cost=mlnn_cost,
    cites="arXiv 2503.18758",
    reach="k <= 24",
    example=Example("bch-15-7", 4.0),
)
