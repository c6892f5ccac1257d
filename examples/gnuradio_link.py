"""A GNU Radio flow graph over BPSK and noise, with fecnn's encoder and exact ML.

Run it with ``python examples/gnuradio_link.py``, where GNU Radio 3.10 and fecnn are installed side by side:
docs/pipelines.md says how. ``gnuradio_link.grc`` is the same link for GNU Radio Companion.
"""

import numpy as np
from gnuradio import analog, blocks, digital, gr

import fecnn
from fecnn.pipelines.gnuradio import Decoder, Encoder

CODE, EBN0_DB, FRAMES = "bch-63-45", 3.5, 20_000


class Link(gr.top_block):
    """Random messages, sent and decoded; ``sent`` and ``decided`` hold their bits."""

    def __init__(self, code, channel, messages):
        super().__init__("BPSK with fecnn")
        source = blocks.vector_source_b(messages.ravel().tolist(), False, code.k)
        bits = blocks.vector_to_stream(gr.sizeof_char, code.n)
        symbols = digital.chunks_to_symbols_bf([-1.0, 1.0])  # GNU Radio sends bit 1 as +1
        noise = analog.noise_source_f(analog.GR_GAUSSIAN, channel.sigma, 1)
        received = blocks.add_ff()
        llr = blocks.multiply_const_ff(2 / channel.sigma**2)  # log p1/p0
        words = blocks.stream_to_vector(gr.sizeof_float, code.n)
        self.decided = blocks.vector_sink_b(code.k)
        self.encoder, self.decoder = Encoder(code), Decoder("ml", code)  # GNU Radio keeps no reference
        self.connect(source, self.encoder, bits, symbols, received)
        self.connect(noise, (received, 1))
        self.connect(received, llr, words, self.decoder, self.decided)


def main():
    """Print the bit and block error rates."""
    code = fecnn.load_code(CODE)
    messages = np.random.default_rng(1).integers(0, 2, (FRAMES, code.k), dtype=np.uint8)
    link = Link(code, fecnn.AWGN.at(EBN0_DB, code.rate), messages)
    link.run()
    wrong = np.array(link.decided.data(), np.uint8).reshape(messages.shape) != messages
    errors = int(wrong.any(axis=1).sum())
    low, high = fecnn.proportion_interval(errors, FRAMES)
    print(f"{EBN0_DB} dB  BER {wrong.mean():.2e}  BLER {errors / FRAMES:.2e} [{low:.2e}, {high:.2e}]")


if __name__ == "__main__":
    main()
