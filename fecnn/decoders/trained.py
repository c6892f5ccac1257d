"""Trained networks as decoders. Torch is imported when one is built: reading a study needs none."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits, hard
from fecnn.channels.channel import AWGN, Channel
from fecnn.codes.code import Code
from fecnn.decoders import Decoder, Effort, Measured, as_output
from fecnn.errors import CheckpointError
from fecnn.nets.card import default_weights, weights_digest

if TYPE_CHECKING:
    import torch

    from fecnn.nets.checkpoint import Network
    from fecnn.nets.error_domain import ErrorNet

ROWS = {"cpu": 512, "cuda": 1 << 14}
"""Frames that go through a network at a time: on a CPU its activations then stay in cache."""

KNOWN = 10.0
"""What a network is shown of a known bit, whose LLR is infinite: far more than noise ever leaves of y."""

Received = NDArray[np.float32]
Counts = NDArray[np.int64]


def ecct(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    weights: str | None = None,
    weights_sha256: str | None = None,
    tries: int = 0,
    device: str = "cpu",
) -> Decoder:
    """Error Correction Code Transformer (Choukroun and Wolf, NeurIPS 2022), trained.

    The network is `fecnn.nets.ecct.ECCT`. A frame whose hard decision is a codeword is returned as it is, for
    no word is more likely; the network decides on all others.

    Args:
        code: The code that the weights were trained for.
        channel: AWGN: the network sees |y|, so that the noise level must be known to undo the scale of LLRs.
        weights: A network in the zoo, or the path of a training's folder; ``ecct-`` and the name of the
            code, if not given.
        weights_sha256: Refuse other weights than these (studies fill it in).
        tries: How often a frame is decoded again whose decision is not proven most likely (by the code's
            minimum distance; where that is not known: is no codeword), each time with another of its least
            reliable bits turned and taken as known; the most likely codeword found is decided (Chase 1972,
            with patterns of one bit and a neural decoder inside). The decoder then measures its work: how
            often the network ran, or fecnn-net's iterations.
        device: Where torch computes, such as ``cpu`` or ``cuda``.

    Raises:
        LookupError: If the zoo has no such network.
        FileNotFoundError: If its folder is not there.
        ValueError: If the weights are damaged, another model's or another code's, the channel is not AWGN, or
            tries is not in 0..n.
    """
    return _trained("ecct", code, channel, weights, weights_sha256, device, tries)


def crossmpt(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    weights: str | None = None,
    weights_sha256: str | None = None,
    tries: int = 0,
    device: str = "cpu",
) -> Decoder:
    """Cross-attention message passing transformer (Park et al., ICLR 2025), trained.

    The network is `fecnn.nets.crossmpt.CrossMPT`. All else is as for ``ecct``, the default weights being
    ``crossmpt-`` and the name of the code.
    """
    return _trained("crossmpt", code, channel, weights, weights_sha256, device, tries)


def fecnn_net(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    weights: str | None = None,
    weights_sha256: str | None = None,
    tries: int = 0,
    device: str = "cpu",
) -> Decoder:
    """Neural message passing on the light dual words, weights shared by cyclic shifts: our own, trained.

    The network is `fecnn.nets.fecnn_net.FecnnNet`. All else is as for ``ecct``, the default weights being
    ``fecnn-net-`` and the name of the code.

    Example:
        >>> import fecnn
        >>> code = fecnn.load_code("bch-31-16")
        >>> decode = fecnn.decoder("fecnn-net", code, fecnn.AWGN.at(4.0, code.rate))
        >>> decode(np.ones(31, np.float32)).sum()
        np.uint64(0)
    """
    return _trained("fecnn-net", code, channel, weights, weights_sha256, device, tries)


def literature_slnn(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    weights: str,
    weights_sha256: str | None = None,
    device: str = "cpu",
) -> Decoder:
    """The literature's single-label network (Leung, Bhat and Motani, IEEE TGCN 2023), trained.

    The network is `fecnn.nets.dense.LiteratureSLNN`; training-free ``slnn`` is what it approximates.
    ``weights`` must be given. Other arguments and errors are those of ``ecct``.
    """
    return _trained("literature-slnn", code, channel, weights, weights_sha256, device)


def literature_mlnn(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    weights: str,
    weights_sha256: str | None = None,
    device: str = "cpu",
) -> Decoder:
    """The literature's multi-label network (Leung, Bhat and Motani, IEEE TGCN 2023), trained.

    The network is `fecnn.nets.dense.LiteratureMLNN`; training-free ``mlnn`` is what it approximates.
    ``weights`` must be given. Other arguments and errors are those of ``ecct``.
    """
    return _trained("literature-mlnn", code, channel, weights, weights_sha256, device)


def decider(network: "Network", code: Code, device: "torch.device") -> Callable[[Received], Bits]:
    """From received values y (B, n), bit 0 sent as +1, to code bits (B, n) or message bits (B, k)."""
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
        return find(network, code, y, device)[0]

    return errors


def find(finder: "ErrorNet", code: Code, y: Received, device: "torch.device") -> tuple[Bits, Counts]:
    """Decisions (B, n) of a network that points at errors on y (B, n), and its work (B,).

    A frame whose hard decision is a codeword keeps it, without work.
    """
    import torch

    word, work = hard(y), np.zeros(len(y), np.int64)
    broken = np.flatnonzero(code.syndrome(word).any(axis=1))
    step = ROWS[device.type]
    with torch.inference_mode():
        for start in range(0, len(broken), step):
            rows = broken[start : start + step]
            magnitude = torch.from_numpy(np.abs(y[rows])).to(device)
            wrong, taken = finder.measure(magnitude, _float(word[rows], device))
            word[rows] ^= wrong.cpu().numpy()
            work[rows] = taken.cpu().numpy()
    return word, work


def find_again(
    finder: "ErrorNet", code: Code, y: Received, tries: int, device: "torch.device"
) -> tuple[Bits, Counts]:
    """As `find`; where that is not surely most likely, the best of it and of ``tries`` with a bit turned.

    Chase (IEEE Trans. IT 18(1), 1972), with patterns of one bit and the network as the inner decoder.
    """
    word, work = find(finder, code, y, device)
    least = np.where(code.syndrome(word).any(axis=1), np.inf, _price(y, word))
    doubtful = np.flatnonzero(~surely_most_likely(code, y, word))
    weakest = np.argsort(np.abs(y[doubtful]), axis=1, kind="stable")
    for i in range(tries):
        guess = y[doubtful]
        at = np.arange(len(doubtful)), weakest[:, i]
        guess[at] = np.where(guess[at] < 0, KNOWN, -KNOWN)
        found, taken = find(finder, code, guess, device)
        work[doubtful] += taken
        price = np.where(code.syndrome(found).any(axis=1), np.inf, _price(y[doubtful], found))
        better = price < least[doubtful]
        word[doubtful[better]], least[doubtful[better]] = found[better], price[better]
        still = ~surely_most_likely(code, y[doubtful], word[doubtful])
        doubtful, weakest = doubtful[still], weakest[still]
    return word, work


def surely_most_likely(code: Code, y: Received, word: Bits) -> NDArray[np.bool_]:
    """Which words (B, n) are codewords, and proven to be of maximum likelihood by the minimum distance d.

    Another codeword differs in d places. At best these are all w where the word differs from the hard
    decision, and the d - w least reliable others: the word is safe if these cost as much as those
    (Taipale and Pursley, IEEE Trans. IT 37(1), 1991). Where d is not known, every codeword is taken for safe.
    """
    codeword: NDArray[np.bool_] = np.asarray(~code.syndrome(word).any(axis=1))
    if code.minimum_distance is None:
        return codeword
    differs = word != hard(y)
    others = np.sort(np.where(differs, np.inf, np.abs(y)), axis=1)
    missing = code.minimum_distance - differs.sum(axis=1)
    counted = np.arange(code.n) < missing[:, None]
    safe: NDArray[np.bool_] = _price(y, word) <= np.where(counted, others, 0).sum(axis=1)
    return codeword & safe


def _price(y: Received, word: Bits) -> NDArray[np.float32]:
    """How much less likely words are than the hard decision: the sum of |y| where they differ, (B,)."""
    price: NDArray[np.float32] = np.where(word != hard(y), np.abs(y), 0).sum(axis=1, dtype=np.float32)
    return price


def _float(bits: Bits, device: "torch.device") -> "torch.Tensor":
    import torch

    return torch.from_numpy(bits.astype(np.float32)).to(device)


def _trained(
    kind: str,
    code: Code,
    channel: Channel | None,
    weights: str | None,
    sha256: str | None,
    device: str,
    tries: int = 0,
) -> Decoder:
    from fecnn.nets.checkpoint import load
    from fecnn.nets.device import torch_device
    from fecnn.nets.error_domain import ErrorNet

    if not isinstance(channel, AWGN):
        raise ValueError(
            f"{kind} was trained on BPSK over AWGN and needs its noise level; "
            "give it the channel, such as fecnn.AWGN.at(4.0, code.rate)"
        )
    if not 0 <= tries <= code.n:
        raise ValueError(f"tries must be in 0..{code.n} for {code.name}, got {tries}")
    name = weights or default_weights(kind, code)
    if sha256 is not None and (found := weights_digest(name)) != sha256:
        raise CheckpointError(f"the weights of {name} have SHA-256 {found}, not the {sha256} asked for")
    network, card = load(name, code)
    if card.model.kind != kind:
        raise CheckpointError(f"{name} is the network of another decoder: {card.model.kind}, not {kind}")
    where = torch_device(device)
    network = network.to(where)
    to_received = np.float32(channel.sigma**2 / 2)

    def received(llr: LLR) -> Received:
        y: Received = np.nan_to_num(llr * to_received, posinf=KNOWN, neginf=-KNOWN)
        return y

    if tries and isinstance(network, ErrorNet):
        finder = network

        def measure(llr: LLR) -> tuple[Bits, Effort]:
            word, work = find_again(finder, code, received(llr), tries, where)
            return word, Effort(work, np.zeros(len(llr), np.bool_))

        return Measured(measure)
    decide = decider(network, code, where)
    return lambda llr: decide(received(llr))
