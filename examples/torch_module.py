"""A link as a PyTorch module, compiled as one graph; bit errors by message and by code bits.

Run it with ``python examples/torch_module.py``, after ``pip install 'fecnn[nets]'``.
"""

import torch
from torch import nn

import fecnn
from fecnn.pipelines.torch import Decoder, Encoder, SoftDecoder

FRAMES, SIGMA = 2000, 0.7


class Link(nn.Module):
    """BPSK over AWGN: messages to decided messages, and a-posteriori LLRs."""

    def __init__(self, code):
        super().__init__()
        self.encode = Encoder(code)
        self.decode = Decoder("osd", code, llr_sign="log p0/p1", output="message", order=2)
        self.soft = SoftDecoder("osd", code, llr_sign="log p0/p1", order=2)

    def forward(self, messages, noise):
        """Messages (B, k) and noise (B, n)."""
        llr = 2 / SIGMA**2 * (1 - 2 * self.encode(messages) + SIGMA * noise)
        return self.decode(llr), self.soft(llr)


def main():
    """Decode noisy frames and print the error rates."""
    torch.manual_seed(1)
    code = fecnn.load_code("bch-31-16")
    link = torch.compile(Link(code), fullgraph=True, backend="aot_eager")
    messages = torch.randint(0, 2, (FRAMES, code.k)).float()
    decided, app = link(messages, torch.randn(FRAMES, code.n))
    wrong = int((decided != messages).any(dim=1).sum())
    low, high = fecnn.proportion_interval(wrong, FRAMES)
    print(f"BLER {wrong / FRAMES:.2e} [{low:.2e}, {high:.2e}], {wrong} of {FRAMES:,} frames")
    print(f"median magnitude of the a-posteriori LLRs: {app.abs().median():.1f}")


if __name__ == "__main__":
    main()
