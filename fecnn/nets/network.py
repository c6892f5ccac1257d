"""Networks by name, ready to call."""

from pathlib import Path
from typing import TYPE_CHECKING

from fecnn.codes.catalogue import load_code
from fecnn.codes.code import Code
from fecnn.errors import extra
from fecnn.nets.card import Card, checkpoint_folder, read_card

if TYPE_CHECKING:
    from torch import nn

FREE = ("slnn", "mlnn")
"""Networks that need no training: their weights are the codebook of any code."""


def network(name_or_path: str | Path, code: Code | None = None) -> "nn.Module":
    r"""A network as a torch module in evaluation mode, on the CPU.

    Bits are 0 and 1, BPSK sends 0 as +1, and y is the received value. All numbers are float32, frames are
    rows, and the module says which of these its kind is:

    - ``ecct``, ``crossmpt`` and ``fecnn-net`` take \|y\| (B, n) and hard decisions y < 0 (B, n), as 0.0 and
      1.0. They return logits (B, n): positive means that the hard decision of this bit is wrong.
    - ``literature-slnn`` takes y (B, n) and returns one logit per message, (B, 2^k).
    - ``literature-mlnn`` takes y (B, n) and returns logits (B, k): positive means that the message bit is 1.
    - ``slnn`` takes LLRs (B, n) in any unit, positive for bit 0, and returns one logit per message, (B, 2^k).
    - ``mlnn`` takes LLRs (B, n) and returns the probabilities (B, k) that message bits are 1.

    `fecnn.nets.from_llr.FromLLR` makes any of them a function from LLRs to code bits.

    Args:
        name_or_path: A name in the zoo (``fecnn nets``), the path of a training folder, ``slnn`` or ``mlnn``.
        code: The code, for ``slnn`` and ``mlnn``. A trained network knows its own; one that was trained on a
            code file that has moved needs it.

    Raises:
        LookupError: If the zoo has no network of that name.
        FileNotFoundError: If the folder, or the file of its code, does not exist.
        CheckpointError: If the weights are damaged, or were trained for another code.
        ValueError: If ``slnn`` or ``mlnn`` has no code, or one with k above 24.
        ModuleNotFoundError: If torch is not installed.

    Example:
        >>> import fecnn, torch
        >>> net = fecnn.network("ecct-bch-31-16")
        >>> y = torch.ones(2, 31)
        >>> with torch.inference_mode():
        ...     logits = net(y.abs(), (y < 0).float())
        >>> logits.shape
        torch.Size([2, 31])
    """
    return opened(name_or_path, code)[0]


def opened(name_or_path: str | Path, code: Code | None = None) -> "tuple[nn.Module, Code, Card | None]":
    """A network, its code, and its card, which those without training have not; as for `network`."""
    if name_or_path in FREE:
        if code is None:
            raise ValueError(f"{name_or_path} is made for a code; give one, such as hamming-7-4")
        if not isinstance(code, Code):
            raise TypeError(f"code must be a fecnn.Code (see fecnn.load_code), got {type(code).__name__}")
        with extra("nets", f"network {name_or_path}"):
            from fecnn.nets.codebook import MLNN, SLNN
        return (SLNN if name_or_path == "slnn" else MLNN)(code).eval(), code, None
    card = read_card(checkpoint_folder(name_or_path))
    if code is None:
        code = load_code(str(card.config.get("code", card.code)))
    with extra("nets", f"network {name_or_path}"):
        from fecnn.nets.checkpoint import load
    return *load(name_or_path, code)[:1], code, card
