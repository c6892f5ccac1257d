"""A link in plain NumPy: QPSK, Rayleigh fading, and three decoders on the same LLRs.

Run it with ``python examples/numpy_link.py``.
"""

import numpy as np

import fecnn

CODE, EBN0_DB, FRAMES = "bch-63-45", 8.0, 4000


def main():
    """Print the block error rate of each decoder, with its 95 % interval."""
    code = fecnn.load_code(CODE)
    channel = fecnn.Rayleigh.at(EBN0_DB, code.rate)  # or your own demodulator: LLRs positive for bit 0
    rng = np.random.default_rng(1)
    messages = rng.integers(0, 2, (FRAMES, code.k), dtype=np.uint8)
    llr = channel.transmit(code.encode(messages), rng)
    for name, options in (("ml", {}), ("osd", {"order": 1}), ("bp", {})):
        decode = fecnn.decoder(name, code, output="message", **options)
        wrong = int((decode(llr) != messages).any(axis=1).sum())
        low, high = fecnn.proportion_interval(wrong, FRAMES)
        print(f"{name:4}  BLER {wrong / FRAMES:.2e} [{low:.2e}, {high:.2e}], {wrong} of {FRAMES:,} frames")


if __name__ == "__main__":
    main()
