"""Encoders and decoders as Sionna blocks; Sionna's LLRs (logits) are positive for bit 1."""

from typing import Any, Literal

from fecnn.channels.channel import Channel
from fecnn.codes.code import Code
from fecnn.decoders.built import Name
from fecnn.errors import extra

with extra("sionna", "fecnn.pipelines.sionna"):
    from sionna.phy import Block

from torch import Tensor

from fecnn.pipelines import torch as modules


class _Block(Block):  # type: ignore[misc]
    """A block with the code's sizes, as Sionna's own encoders and decoders have them."""

    def __init__(self, code: Code, precision: str | None, device: str | None) -> None:
        super().__init__(precision=precision, device=device)
        self.code = code

    @property
    def n(self) -> int:
        """Code bits in a word."""
        return self.code.n

    @property
    def k(self) -> int:
        """Message bits in a word."""
        return self.code.k

    @property
    def coderate(self) -> float:
        """Message bits per code bit."""
        return self.code.rate


class Encoder(_Block):
    """Codewords of messages: ``[..., k]`` to ``[..., n]`` bits 0 and 1 in the block's float type.

    Args:
        code: The code.
        precision: ``single`` or ``double``; by default Sionna's setting.
        device: A torch device; by default Sionna's setting.
    """

    def __init__(self, code: Code, *, precision: str | None = None, device: str | None = None) -> None:
        super().__init__(code, precision, device)
        self._encode = modules.Encoder(code).to(self.device)

    def call(self, bits: Tensor, /) -> Tensor:
        """Encode."""
        return self._encode(bits.to(self.dtype))  # type: ignore[no-any-return]


class Decoder(_Block):
    """A decoder of fecnn as a block: LLRs ``[..., n]`` to hard decisions, bits 0 and 1 in the float type.

    Args:
        name: A decoder, as `fecnn.decoder` takes it, with its code, channel and options. The channel may be
            left out: no decoder of fecnn needs it.
        output: ``code`` for ``[..., n]`` code bits, ``message`` for ``[..., k]`` message bits.
        precision: ``single`` or ``double``; by default Sionna's setting.
        device: A torch device; by default Sionna's setting. Decoding itself happens on the CPU.
    """

    def __init__(
        self,
        name: Name,
        code: Code,
        channel: Channel | None = None,
        /,
        *,
        output: Literal["code", "message"] = "code",
        precision: str | None = None,
        device: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(code, precision, device)
        self._decode = modules.Decoder(
            name, code, channel, llr_sign="log p1/p0", output=output, dtype=self.dtype, **options
        )

    def call(self, llr_ch: Tensor, /) -> Tensor:
        """Decode."""
        return self._decode(llr_ch)  # type: ignore[no-any-return]


class SoftDecoder(_Block):
    """A soft decoder of fecnn as a block: LLRs ``[..., n]`` to a-posteriori or extrinsic LLRs ``[..., n]``.

    Args:
        name: A soft decoder, as `fecnn.soft_decoder` takes it, with its code, channel and options.
        extrinsic: Whether to return the a-posteriori LLRs minus all LLRs given, for iterative
            receivers.
        hard_out: Whether to return decisions 0 and 1 on the code bits instead of LLRs.
        precision: ``single`` or ``double``; by default Sionna's setting.
        device: A torch device; by default Sionna's setting. Decoding itself happens on the CPU.

    Raises:
        ValueError: If decisions on extrinsic LLRs are asked for.
    """

    def __init__(
        self,
        name: Name,
        code: Code,
        channel: Channel | None = None,
        /,
        *,
        extrinsic: bool = False,
        hard_out: bool = False,
        precision: str | None = None,
        device: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(code, precision, device)
        if extrinsic and hard_out:
            raise ValueError("hard_out needs the a-posteriori LLRs: set extrinsic to False")
        self._hard_out = hard_out
        self._decode = modules.SoftDecoder(
            name, code, channel, llr_sign="log p1/p0", extrinsic=extrinsic, **options
        )

    def call(self, llr_ch: Tensor, /, prior: Tensor | None = None) -> Tensor:
        """Decode; the prior holds LLRs of what is known about the bits from elsewhere."""
        found = self._decode(llr_ch.to(self.dtype), None if prior is None else prior.to(self.dtype))
        return (found > 0).to(self.dtype) if self._hard_out else found  # type: ignore[no-any-return]
