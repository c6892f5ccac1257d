"""Trained networks as decoders. Torch is imported only when a decoder is built."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits, bpsk, hard
from fecnn.channels.awgn import AWGN
from fecnn.channels.channel import Channel
from fecnn.codes.code import Code
from fecnn.decoders.contract import Decoder, Effort, Factory, Lister, Measured, as_output
from fecnn.decoders.cost import REAL, Cost
from fecnn.decoders.finish import finisher, most_likely, price, surely_most_likely
from fecnn.decoders.osd import osd_cost
from fecnn.decoders.registry import BuiltIn, Example
from fecnn.errors import CheckpointError
from fecnn.nets.card import checkpoint_folder, default_weights, read_card

if TYPE_CHECKING:
    import torch

    from fecnn.nets.checkpoint import Network
    from fecnn.nets.error_domain import ErrorNet

ROWS = {"cpu": 512, "cuda": 1 << 14}
"""Frames passed through a network at once; on a CPU its activations then stay in cache."""

KNOWN = 10.0
"""Received value shown to a network for a known bit (infinite LLR): far larger than noise ever makes y."""

FAR = 16.0
"""LLRs this many times the median of their frame are known bits."""

Received = NDArray[np.float32]
Counts = NDArray[np.int64]


def decider(
    network: "Network", code: Code, device: "torch.device", finish: Lister | None = None
) -> Callable[[Received], Bits]:
    """A function from received y (B, n), bit 0 sent as +1, to code bits (B, n) or message bits (B, k)."""
    import torch

    from fecnn.nets.error_domain import ErrorNet

    if not isinstance(network, ErrorNet):
        dense = network

        def messages(y: Received) -> Bits:
            out = np.empty((len(y), code.k), np.uint8)
            step = ROWS[device.type]
            with torch.inference_mode():
                for start in range(0, len(y), step):
                    rows = torch.from_numpy(y[start : start + step]).to(device)
                    out[start : start + step] = dense.decide(rows).cpu().numpy()
            return as_output(code, out)

        return messages

    def errors(y: Received) -> Bits:
        return find(network, code, y, device, finish)[0]

    return errors


def find(
    finder: "ErrorNet", code: Code, y: Received, device: "torch.device", finish: Lister | None = None
) -> tuple[Bits, Counts]:
    """Decisions (B, n) of an error-finding network on y (B, n), and its work (B,).

    A frame whose hard decision is a codeword keeps it, with work 0. Where a decision cannot be proved ML,
    ``finish`` lists words by what the network believes, and the most likely one by y wins.
    """
    import torch

    word, work = hard(y), np.zeros(len(y), np.int64)
    broken = np.flatnonzero(code.syndrome(word).any(axis=1))
    step = ROWS[device.type]
    with torch.inference_mode():
        for start in range(0, len(broken), step):
            rows = broken[start : start + step]
            decided = word[rows]
            magnitude = torch.from_numpy(np.abs(y[rows])).to(device)
            wrong, taken, logits = finder.believe(magnitude, _float(decided, device))
            word[rows] ^= wrong.cpu().numpy()
            work[rows] = taken.cpu().numpy()
            if finish is not None:
                open_ = np.flatnonzero(~surely_most_likely(code, y[rows], word[rows]))
                # A positive logit says that the hard decision is wrong.
                believed = -bpsk(decided[open_]) * logits.float().cpu().numpy()[open_]
                chosen = rows[open_]
                word[chosen] = most_likely(code, y[chosen], word[chosen], *finish(believed))
    return word, work


def find_again(
    finder: "ErrorNet",
    code: Code,
    y: Received,
    tries: int,
    device: "torch.device",
    finish: Lister | None = None,
) -> tuple[Bits, Counts]:
    """Like `find`, with up to ``tries`` more attempts for frames whose decision cannot be proved ML.

    Each attempt flips one weak bit, and the best codeword wins. This is Chase's algorithm (IEEE Trans. IT
    18(1), 1972) with one-bit patterns and the network as the inner decoder.
    """
    word, work = find(finder, code, y, device, finish)
    least = np.where(code.syndrome(word).any(axis=1), np.inf, price(y, word))
    doubtful = np.flatnonzero(~surely_most_likely(code, y, word))
    weakest = np.argsort(np.abs(y[doubtful]), axis=1, kind="stable")
    for i in range(tries):
        guess = y[doubtful]
        at = np.arange(len(doubtful)), weakest[:, i]
        guess[at] = np.where(guess[at] < 0, KNOWN, -KNOWN)
        found, taken = find(finder, code, guess, device, finish)
        work[doubtful] += taken
        prices = np.where(code.syndrome(found).any(axis=1), np.inf, price(y[doubtful], found))
        better = prices < least[doubtful]
        word[doubtful[better]], least[doubtful[better]] = found[better], prices[better]
        still = ~surely_most_likely(code, y[doubtful], word[doubtful])
        doubtful, weakest = doubtful[still], weakest[still]
    return word, work


def _float(bits: Bits, device: "torch.device") -> "torch.Tensor":
    import torch

    return torch.from_numpy(bits.astype(np.float32)).to(device)


def _build(
    kind: str,
    code: Code,
    channel: Channel | None,
    weights: str | None,
    tries: int,
    finish: str | None,
    order: int,
    device: str,
) -> Decoder:
    from fecnn.nets.checkpoint import load
    from fecnn.nets.device import torch_device
    from fecnn.nets.error_domain import ErrorNet

    if not 0 <= tries <= code.n:
        raise ValueError(f"tries must be in 0..{code.n} for {code.name}, got {tries}")
    if finish not in (None, "osd"):
        raise ValueError(f"finish must be 'osd' or left out, got {finish!r}")
    if order and finish is None:
        raise ValueError("order is that of finish = 'osd'; give both")
    lister = None if finish is None else finisher(code, order)
    name = weights or default_weights(kind, code)
    network, card = load(name, code)
    if card.model.kind != kind:
        raise CheckpointError(f"{name} is the network of another decoder: {card.model.kind}, not {kind}")
    where = torch_device(device)
    network = network.to(where)
    mean = card.magnitude(code)
    if (tries or finish) and not isinstance(network, ErrorNet):
        raise ValueError(
            f"{'tries' if tries else 'finish'} is for networks that find errors; {kind} does not"
        )
    if not tries:
        decide = decider(network, code, where, lister)
        return OnLLRs(lambda y: (decide(y), np.zeros(len(y), np.int64)), mean, channel)
    finder = cast("ErrorNet", network)
    return OnLLRs(lambda y: find_again(finder, code, y, tries, where, lister), mean, channel)


class OnLLRs(Measured):
    """A network as a decoder: received values are made of LLRs of any channel and scale.

    Args:
        decide: From received values (B, n) to decisions and work.
        mean: Mean of the sizes of received values that the network knows best.
        channel: The channel; unless it is AWGN with BPSK, each frame is scaled to this mean.
    """

    def __init__(
        self, decide: Callable[[Received], tuple[Bits, Counts]], mean: float, channel: Channel | None
    ) -> None:
        super().__init__(self._measure)
        self._decide, self._mean, self._channel = decide, mean, channel

    def at(self, channel: Channel | None) -> "OnLLRs":
        """The same network for another channel."""
        return OnLLRs(self._decide, self._mean, channel)

    def _measure(self, llr: LLR) -> tuple[Bits, Effort]:
        if isinstance(self._channel, AWGN) and self._channel.modem.modulation == "bpsk":
            y = np.clip(llr * np.float32(self._channel.sigma**2 / 2), -KNOWN, KNOWN)
        else:
            y = scaled_frames(llr, self._mean)
        word, work = self._decide(y)
        return word, Effort(work, np.zeros(len(llr), np.bool_))


def scaled_frames(llr: LLR, mean: float) -> Received:
    """Received values (B, n): LLRs of which each frame is scaled so that their sizes have this mean.

    A size beyond `FAR` times the median of its frame is a known bit, which does not count and becomes
    `KNOWN`. The scale of the LLRs does not matter.
    """
    size = np.abs(llr)
    middle = np.median(size, axis=1, keepdims=True) if llr.size else size[:, :1]
    counts = size <= FAR * np.where(middle > 0, middle, size.max(axis=1, keepdims=True, initial=0.0))
    found = np.mean(size, axis=1, keepdims=True, where=counts)
    scale = np.divide(mean, found, out=np.ones_like(found), where=found > 0)
    y: Received = np.clip(llr * scale, -KNOWN, KNOWN)
    return y


def fully_connected_cost(code: Code, widths: Sequence[int]) -> Cost:
    """The literature's SLNN or MLNN with n inputs and these layer widths: a product and a sum per weight.

    Plus a comparison per ReLU, and then the largest of 2^k outputs (2^k - 1 comparisons) or the sign of each
    of k. Softmax and sigmoids do not change decisions and are left out.
    """
    pairs = list(pairwise([code.n, *widths]))
    weights = sum(a * b for a, b in pairs)
    # The bias takes the place of the addition that the first product does not need.
    verdict = widths[-1] if widths[-1] == code.k else widths[-1] - 1
    total = weights + sum(widths)
    return Cost(
        multiplications=weights,
        additions=weights,
        comparisons=sum(widths[:-1]) + verdict,
        parameters=total,
        parameter_bits=REAL * total,
        memory_bits=REAL * max(a + b for a, b in pairs),
    )


def transformer_cost(
    code: Code, network: Any, work: float | None = None, *, tries: int = 0, dense: bool = False, **_: Any
) -> Cost:
    """ECCT and CrossMPT with N blocks, width d, h heads, T = n + m tokens and P attending pairs per block.

    Matrix products (with as many additions): N (12 T d^2 + 2 P d) + T d + n T. For CrossMPT, P is twice the
    number of ones of H; for ECCT it is the number of pairs in its mask. ``dense = True`` counts masked pairs
    too: 2 n m and T^2. In addition, per block: softmax with P h exponentials, scalings, divisions, additions
    and comparisons; 4 T d GELUs, each an exponential and three multiplications; two norms (T d times 3
    additions and 2 multiplications; T roots) and two residual sums. Finally two more norms, T d
    multiplications of the embedding, and ones(H) bits of the syndrome.
    """
    m, n = network.checks.shape
    tokens, width, blocks = m + n, network.norm.normalized_shape[0], network.layers
    heads = network.blocks[0].attention.heads
    edges = [network.edges] if hasattr(network, "edges") else [network.to_checks, network.to_bits]
    pairs = sum(edge.pairs.numel() if dense else int(edge.pairs.sum()) for edge in edges)
    products = blocks * (12 * tokens * width**2 + 2 * pairs * width) + tokens * width + n * tokens
    norm = Cost(2 * tokens * width + tokens, 3 * tokens * width)
    soft = Cost(2 * pairs * heads, pairs * heads, pairs * heads, 0, pairs * heads)
    gelu = Cost(12 * tokens * width, 0, 0, 0, 4 * tokens * width)
    block = soft + gelu + norm + norm + Cost(0, 2 * tokens * width)
    total = sum(parameter.numel() for parameter in network.parameters())
    ones = int(network.checks.sum())
    return (
        Cost(products, products, n, ones, 0, total, REAL * total, REAL * (8 * tokens * width + pairs * heads))
        + block.times(blocks)
        + norm
        + (norm if blocks > 1 else Cost())
        + Cost(tokens * width)
    ).times(1 + tries if work is None else work)


def message_passing_cost(
    code: Code, network: Any, work: float | None = None, *, tries: int = 0, **_: Any
) -> Cost:
    """fecnn-net of width d on E edges, for ``work`` iterations; by default its limit, for each try.

    Messages: a tanh and a logarithm for each of n bits, an exponential per check, an inverse tanh and two
    multiplications per edge; sums over checks take E additions, signs E exclusive ors. Updates: d + 1 weights
    per edge, n (4 d^2 + 5 d) for the two layers, the two read-outs and the norm, and 2 n d GELUs.
    """
    n = code.n
    checks = int(network.real.sum())
    edges = int(network.incidence.sum())
    width = network.norm.shape[0]
    iteration = Cost(
        multiplications=2 * edges + edges * (width + 1) + n * (4 * width**2 + 5 * width) + 6 * n * width,
        additions=edges + edges * (width + 1) + n * (4 * width**2 + 5 * width),
        comparisons=2 * n,
        binary=edges + int(network.spanning.sum()),
        exponentials=2 * n + checks + edges + 2 * n * width,
    )
    total = sum(parameter.numel() for parameter in network.parameters())
    memory = REAL * (edges + 5 * n * width)
    stored = Cost(0, 0, n, edges, 0, total, REAL * total, memory)
    return stored + iteration.times(network.limit * (1 + tries) if work is None else work)


def decoder_of(kind: str, about: str) -> Factory:
    """The factory of a kind of network, with its docstring; nothing else differs between kinds."""

    def make(
        code: Code,
        channel: Channel | None = None,
        /,
        *,
        weights: str | None = None,
        tries: int = 0,
        finish: str | None = None,
        order: int = 0,
        device: str = "cpu",
    ) -> Decoder:
        return _build(kind, code, channel, weights, tries, finish, order, device)

    make.__doc__, make.__name__, make.__qualname__ = about, kind, kind
    return make


def cost_of(kind: str, formula: Callable[..., Cost]) -> Callable[..., Cost]:
    """The cost function of a kind of network: ``formula`` applied to the network with the given weights.

    With ``finish`` it is that of a frame which is finished.
    """

    def cost(code: Code, work: float | None = None, *, weights: str | None = None, **options: Any) -> Cost:
        from fecnn.nets.checkpoint import load

        network: Any = load(weights or default_weights(kind, code), code)[0]
        total = formula(code, network, work, **options)
        return total + osd_cost(code, order=options.get("order", 0)) if options.get("finish") else total

    return cost


def dense_cost_of(kind: str, outputs: Callable[[Code], int]) -> Callable[..., Cost]:
    """The cost function of a fully connected network, from its widths or from its card."""

    def cost(
        code: Code,
        work: float | None = None,
        *,
        hidden: Sequence[int] | None = None,
        weights: str | None = None,
        **_: Any,
    ) -> Cost:
        widths: Any = hidden
        if widths is None:
            card = read_card(checkpoint_folder(weights or default_weights(kind, code)))
            widths = card.model.options["hidden"]
        return fully_connected_cost(code, [*widths, outputs(code)])

    return cost


ecct = decoder_of(
    "ecct",
    """Error Correction Code Transformer (Choukroun and Wolf, NeurIPS 2022), trained.

    The network is `fecnn.nets.ecct.ECCT`. A frame whose hard decision is a codeword is returned unchanged,
    since no word is more likely; the network decodes all others.

    Args:
        code: The code that the weights were trained for.
        channel: AWGN with BPSK, if it is that and the LLRs are true: the network takes received values, and
            the noise level undoes the scaling of the LLRs. Otherwise each frame is scaled to the mean size
            that the network was trained on, so that the noise level and the scale of the LLRs do not matter.
        weights: A network in the zoo, or the path of a training folder. The default is ``ecct-`` plus the
            code's name.
        tries: Extra attempts for frames whose decision cannot be proved ML by the code's minimum distance
            (if that is not known: whose decision is not a codeword). Attempt i flips the i-th least reliable
            bit and fixes it; the most likely codeword found is returned (Chase 1972, with one-bit patterns
            and a neural inner decoder). The decoder then reports its work: the number of network runs, or of
            fecnn-net's iterations.
        finish: ``osd``: where a decision cannot be proved ML, OSD lists the best word (order 0) or the 8 best
            by what the network believes (for fecnn-net, its logits summed over iterations); of these and the
            network's own codeword the most likely is returned. A curve of ``osd`` of the same order shows
            what OSD does alone.
        order: Order of that OSD.
        device: Torch device, such as ``cpu`` or ``cuda``.

    Raises:
        LookupError: If the zoo has no such network.
        FileNotFoundError: If the folder does not exist.
        ValueError: If the weights are damaged or belong to another model or code, tries is not in 0..n, or
            finish is another word.
    """,
)
crossmpt = decoder_of(
    "crossmpt",
    """Cross-attention message passing transformer (Park et al., ICLR 2025), trained.

    The network is `fecnn.nets.crossmpt.CrossMPT`. Everything else is as for ``ecct``; the default weights are
    ``crossmpt-`` plus the code's name.
    """,
)
fecnn_net = decoder_of(
    "fecnn-net",
    """Neural message passing on low-weight dual words, weights shared by symmetry: our own, trained.

    The network is `fecnn.nets.fecnn_net.FecnnNet`. Everything else is as for ``ecct``; the default weights
    are ``fecnn-net-`` plus the code's name.

    Example:
        >>> import fecnn
        >>> code = fecnn.load_code("bch-31-16")
        >>> decode = fecnn.decoder("fecnn-net", code, fecnn.AWGN.at(4.0, code.rate))
        >>> decode(np.ones(31, np.float32)).sum()
        np.uint64(0)
    """,
)
literature_slnn = decoder_of(
    "literature-slnn",
    """The literature's single-label network (Leung, Bhat and Motani, IEEE TGCN 2023), trained.

    The network is `fecnn.nets.dense.LiteratureSLNN`; it approximates the training-free ``slnn``. There is no
    ``tries``; the other arguments and errors are those of ``ecct``.
    """,
)
literature_mlnn = decoder_of(
    "literature-mlnn",
    """The literature's multi-label network (Leung, Bhat and Motani, IEEE TGCN 2023), trained.

    The network is `fecnn.nets.dense.LiteratureMLNN`; it approximates the training-free ``mlnn``. There is no
    ``tries``; the other arguments and errors are those of ``ecct``.
    """,
)

ECCT = BuiltIn(
    ecct,
    cost=cost_of("ecct", transformer_cost),
    cites="Choukroun and Wolf, NeurIPS 2022",
    reach="a zoo network, or your own",
    example=Example("bch-31-16", 4.0),
    trained=True,
    unit="runs",
)
CROSSMPT = BuiltIn(
    crossmpt,
    cost=cost_of("crossmpt", transformer_cost),
    cites="Park et al., ICLR 2025",
    reach="a zoo network, or your own",
    example=Example("bch-31-16", 4.0),
    trained=True,
    unit="runs",
)
FECNN_NET = BuiltIn(
    fecnn_net,
    cost=cost_of("fecnn-net", message_passing_cost),
    cites="our own",
    reach="a zoo network, or your own",
    example=Example("bch-31-16", 4.0),
    trained=True,
    unit="iterations",
)
LITERATURE_SLNN = BuiltIn(
    literature_slnn,
    cost=dense_cost_of("literature-slnn", lambda code: 2**code.k),
    cites="Leung, Bhat and Motani, IEEE TGCN 2023",
    reach="a zoo network, or your own",
    example=Example("hamming-7-4", 4.0, {"weights": "slnn-7-hamming-7-4"}),
    trained=True,
    symmetric=False,
)
LITERATURE_MLNN = BuiltIn(
    literature_mlnn,
    cost=dense_cost_of("literature-mlnn", lambda code: code.k),
    cites="Leung, Bhat and Motani, IEEE TGCN 2023",
    reach="a zoo network, or your own",
    example=Example("hamming-7-4", 4.0, {"weights": "mlnn-100-hamming-7-4"}),
    trained=True,
    symmetric=False,
)
