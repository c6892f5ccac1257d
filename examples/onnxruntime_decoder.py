"""A trained network in onnxruntime: decoding without torch, and its error rate beside fecnn's decoder.

Run it with ``python examples/onnxruntime_decoder.py``, after ``pip install 'fecnn[onnx]'``.
"""

import tempfile
from pathlib import Path

import numpy as np
import onnxruntime

import fecnn
from fecnn.pipelines.onnx import export

NETWORK, EBN0_DB, FRAMES, BATCH = "fecnn-net-bch-31-16", 2.0, 1000, 250


def decoder(path):
    """A function from LLRs (B, n) float32, positive for bit 0, to code bits (B, n) uint8."""
    session = onnxruntime.InferenceSession(path)
    said = session.get_modelmeta().custom_metadata_map
    print(f"{said['network']} for {said['code']}; llr: {said['llr']}")
    return lambda llr: session.run(["bits"], {"llr": llr})[0]


def main():
    """Export the network, decode noisy frames twice, and print both error rates."""
    code = fecnn.load_code("bch-31-16")
    channel = fecnn.AWGN.at(EBN0_DB, code.rate)
    rng = np.random.default_rng(1)
    sent = code.encode(rng.integers(0, 2, (FRAMES, code.k), dtype=np.uint8))
    llr = channel.transmit(sent, rng)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{NETWORK}.onnx"
        export(NETWORK, path)
        decoders = {
            "onnxruntime": decoder(path),  # takes no noise level
            "fecnn": fecnn.decoder("fecnn-net", code, weights=NETWORK),
        }
    for name, decode in decoders.items():
        bits = np.concatenate([decode(llr[i : i + BATCH]) for i in range(0, FRAMES, BATCH)])
        wrong = int((bits != sent).any(axis=1).sum())
        low, high = fecnn.proportion_interval(wrong, FRAMES)
        print(f"{name:11}  BLER {wrong / FRAMES:.2e} [{low:.2e}, {high:.2e}], {wrong} of {FRAMES} frames")


if __name__ == "__main__":
    main()
