"""Networks as ONNX files, which run without fecnn and torch."""

import hashlib
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fecnn._files.atomic import write
from fecnn._version import __version__
from fecnn.channels.awgn import AWGN
from fecnn.codes.code import Code
from fecnn.errors import FecnnError, extra
from fecnn.nets.card import Card
from fecnn.nets.network import opened

if TYPE_CHECKING:
    from fecnn.nets.from_llr import FromLLR

TOLERANCE = 1e-4
"""Largest difference of logits from torch's, relative to the largest logit of a frame if that is above 1."""

MAX_CODEBOOK = 1 << 26
"""Largest codebook stored in a file, in bytes: k = 21 at n = 31."""

BATCHES, LEVELS = (1, 7, 100), (0.0, 3.0, 6.0)
"""Frames of each check, and their Eb/N0 in dB."""


@dataclass(frozen=True)
class Checked:
    """What onnxruntime made of a file, beside torch, on random frames.

    Attributes:
        frames: Number of frames, in batches of several sizes.
        difference: Largest difference of a logit, relative to the largest of its frame if that is above 1.
        bits, equal_bits: Number of bits, and of those decided as by torch.
    """

    frames: int
    difference: float
    bits: int
    equal_bits: int


def export(name_or_path: str | Path, path: str | Path, code: Code | None = None) -> Checked:
    """Write a network as an ONNX file from LLRs to bits, after checking it in onnxruntime.

    Input ``llr`` (batch, n) float32, finite, log p(y|0) / p(y|1): positive means bit 0. Outputs ``bits``
    (batch, n) uint8, code bits, and ``logits`` float32, see `fecnn.nets.from_llr.FromLLR`. The batch may have
    any size. LLRs of trained networks are scaled frame by frame, so they may be in any unit, as for ``slnn``;
    ``mlnn`` needs true LLRs. The properties of the file say all this, and name the code and the network.

    fecnn-net decides as `fecnn.decoder` does, but its messages are computed in float64. A batch takes as many
    iterations as its slowest frame.

    Args:
        name_or_path: As for `fecnn.network`.
        path: The file. It has the same bytes each time, with the same versions of torch and onnxscript.
        code: As for `fecnn.network`.

    Raises:
        FecnnError: If in onnxruntime logits differ by more than 1e-4 of the largest of their frame, or more
            than a thousandth of the bits differ; no file is written.
        ValueError: If the code is too large for ``slnn`` and ``mlnn`` in a file.
        ModuleNotFoundError: If ONNX is not installed.
        LookupError, FileNotFoundError, CheckpointError: As for `fecnn.network`.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> import fecnn
        >>> with TemporaryDirectory() as folder:
        ...     checked = export("slnn", Path(folder) / "slnn.onnx", fecnn.hamming(3))
        >>> checked.equal_bits == checked.bits
        True
    """
    if code is not None and code.n << code.k > MAX_CODEBOOK and name_or_path in ("slnn", "mlnn"):
        raise ValueError(
            f"{name_or_path} of {code.name} has a codebook of 2^{code.k} words of {code.n} bits, "
            "too large for a file; export a trained network"
        )
    network, code, card = opened(name_or_path, code)
    with extra("onnx", "an ONNX file"):
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    from fecnn.nets.from_llr import FromLLR

    magnitude = None if card is None else card.magnitude(code)
    decoder = FromLLR(network, code, magnitude).eval().requires_grad_(False)
    content = _traced(decoder, code, properties(decoder, str(name_or_path), code, card))
    checked = _checked(content, decoder, code)
    if checked.difference > TOLERANCE or checked.bits - checked.equal_bits > checked.bits // 1000:
        raise FecnnError(
            f"onnxruntime disagrees with torch, so {path} was not written: logits differ by up to "
            f"{checked.difference:.1e}, and {checked.bits - checked.equal_bits} of {checked.bits} bits"
        )
    write(path, content, make_folder=False)
    return checked


def properties(decoder: "FromLLR", name: str, code: Code, card: Card | None) -> dict[str, str]:
    """What the file says of itself: code, network, signs and scale."""
    kind = name if card is None else card.model.kind
    return {
        "fecnn.version": __version__,
        "network": name if card is None else card.name,
        "kind": kind,
        "weights_sha256": _digest(decoder) if card is None else card.weights_sha256,
        "code": code.name,
        "n": str(code.n),
        "k": str(code.k),
        "fingerprint": code.fingerprint,
        "llr": "log p(y|0) / p(y|1): positive means bit 0; finite, and none far above the others",
        "scale": SCALES[kind]
        if decoder.magnitude is None
        else f"any: the mean of |llr| of each frame is scaled to {decoder.magnitude:.6g}",
        "bits": "code bits, 0 and 1",
        "logits": LOGITS[kind],
    }


SCALES = {"slnn": "any positive factor", "mlnn": "true log-likelihood ratios: the noise level must be known"}

_ERROR = (
    "of each code bit: positive means that its hard decision (llr < 0) is wrong; hard decisions that are a "
    "codeword are kept"
)
_WORD = "one per message, in binary order with the first bit most significant; the largest wins"
_BIT = "of each message bit: positive means 1"
LOGITS = {
    "crossmpt": _ERROR,
    "ecct": _ERROR,
    "fecnn-net": _ERROR,
    "literature-slnn": _WORD,
    "slnn": _WORD,
    "literature-mlnn": _BIT,
    "mlnn": f"{_BIT}; log P(1) / P(0)",
}
"""What the logits of each kind of network are."""


def _digest(decoder: "FromLLR") -> str:
    """SHA-256 of the weights of a network without training, int8 in the order of its buffers."""
    weights = [buffer.numpy().tobytes() for buffer in decoder.network.buffers()]
    return hashlib.sha256(b"".join(weights)).hexdigest()


def _traced(decoder: "FromLLR", code: Code, said: dict[str, str]) -> bytes:
    """The decoder as the content of an ONNX file."""
    import torch

    batch = torch.export.Dim("batch")
    with _quiet():
        program = torch.onnx.export(
            decoder,
            (torch.ones(2, code.n),),
            dynamo=True,
            input_names=["llr"],
            output_names=["bits", "logits"],
            dynamic_shapes=({0: batch},),
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    # The exporter notes the source line of every node, with its path on this machine.
    for graph in _graphs(model):
        graph.ClearField("doc_string")
        graph.ClearField("metadata_props")
        for part in (*graph.node, *graph.value_info, *graph.input, *graph.output):
            part.ClearField("doc_string")
            part.ClearField("metadata_props")
    model.graph.name = said["network"]
    model.ClearField("metadata_props")
    for key, value in said.items():
        model.metadata_props.add(key=key, value=value)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _graphs(model: Any) -> Iterator[Any]:
    """The graph of a model, those inside its nodes (the body of a loop), and its functions."""
    left = [model.graph, *model.functions]
    while left:
        graph = left.pop()
        yield graph
        left += [
            attribute.g for node in graph.node for attribute in node.attribute if attribute.HasField("g")
        ]


@contextmanager
def _quiet() -> Iterator[None]:
    """Torch's remarks on its own exporter, which nobody can act on, are left out."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _checked(content: bytes, decoder: "FromLLR", code: Code) -> Checked:
    """A file's content in onnxruntime, beside the decoder in torch."""
    import onnxruntime
    import torch

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    frames, difference, bits, equal = 0, 0.0, 0, 0
    for level in LEVELS:
        channel = AWGN.at(level, code.rate)
        for count in BATCHES:
            llr = channel.transmit(code.encode(rng.integers(0, 2, (count, code.k), dtype=np.uint8)), rng)
            word, logits = session.run(["bits", "logits"], {"llr": llr})
            with torch.inference_mode():
                same, exact = (part.numpy() for part in decoder(torch.from_numpy(llr)))
            size = np.maximum(np.abs(exact).max(axis=1, keepdims=True), 1)
            frames += count
            difference = max(difference, float((np.abs(logits - exact) / size).max()))
            bits, equal = bits + same.size, equal + int((word == same).sum())
    return Checked(frames, difference, bits, equal)
