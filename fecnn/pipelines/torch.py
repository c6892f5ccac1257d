"""Encoders and decoders as PyTorch modules: tensors of any device, float dtype and leading shape."""

import itertools
import secrets
from typing import Any, Literal, Self, get_args
from weakref import WeakValueDictionary

from fecnn.channels.channel import Channel
from fecnn.codes.code import Code
from fecnn.decoders import BuiltDecoder, BuiltSoftDecoder, decoder, soft_decoder
from fecnn.decoders.built import Name
from fecnn.decoders.registry import REGISTRY, is_trained
from fecnn.errors import extra, nearest

with extra("nets", "fecnn.pipelines.torch"):
    import torch
    from torch import Tensor, library, nn

Sign = Literal["log p0/p1", "log p1/p0"]
"""What a positive LLR says: that the bit is 0, as in fecnn, or that it is 1, as in Sionna."""

SIGNS = get_args(Sign)

_numbers = itertools.count(
    secrets.randbits(62)
)  # a program of another process must not meet a decoder of this
_known: "WeakValueDictionary[int, BuiltDecoder | BuiltSoftDecoder]" = WeakValueDictionary()
"""The decoders of this process by number: a registered operator takes tensors and numbers, not objects."""


PART = 1 << 17
"""LLRs decoded at a time, so that temporary copies of them stay small."""


@library.custom_op("fecnn::decode", mutates_args=())
def _decode(llr: Tensor, number: int, width: int, dtype: torch.dtype, turned: bool) -> Tensor:
    """What decoder ``number`` makes of LLRs (..., n): (..., width); turned: positive is 1, in results too."""
    decode, n = _known.get(number), llr.shape[-1]
    if decode is None:
        raise RuntimeError(
            "the decoder of this program is gone: it was exported in another process, or its module no "
            "longer exists; build the module again and export it here"
        )
    frames = llr.detach().reshape(-1, n).to("cpu", torch.float32).contiguous()
    out = torch.empty((len(frames), width), dtype=dtype)
    rows = max(1, min(PART // n, len(frames)))
    # Where LLRs have room in the result, they are turned there: touching new memory costs most of all here.
    has_room = dtype == torch.float32 and width == n
    negated = torch.empty((rows if turned and not has_room else 0, n))
    for start in range(0, len(frames), rows):
        part, into = frames[start : start + rows], out[start : start + rows]
        if turned:
            part = torch.neg(part, out=into if has_room else negated[: len(part)])
        found = torch.from_numpy(decode(part.numpy()))
        into.copy_(-found if turned and isinstance(decode, BuiltSoftDecoder) else found)
    return out.reshape(*llr.shape[:-1], width).to(llr.device)


@_decode.register_fake
def _(llr: Tensor, number: int, width: int, dtype: torch.dtype, turned: bool) -> Tensor:
    return llr.new_empty((*llr.shape[:-1], width), dtype=dtype)


class Encoder(nn.Module):
    """Codewords of messages: ``(..., k)`` to ``(..., n)`` bits 0 and 1, of the same dtype and device.

    Args:
        code: The code.

    Example:
        >>> import fecnn
        >>> Encoder(fecnn.hamming(3))(torch.tensor([1.0, 0.0, 0.0, 1.0]))
        tensor([1., 0., 0., 1., 0., 0., 1.])
    """

    G: Tensor

    def __init__(self, code: Code) -> None:
        super().__init__()
        self.code = code
        self.register_buffer("G", torch.tensor(code.G, dtype=torch.float32), persistent=False)

    def forward(self, messages: Tensor) -> Tensor:
        """Encode.

        Raises:
            ValueError: If the last dimension is not k, or (unless it is compiled) these are not bits.
        """
        if messages.shape[-1:] != (self.code.k,):
            raise ValueError(f"messages must have k = {self.code.k} bits, got shape {tuple(messages.shape)}")
        if not torch.compiler.is_compiling() and ((messages != 0) & (messages != 1)).any():
            raise ValueError("messages must hold only 0 and 1")
        # Sums of at most k ones are exact in float32.
        return (messages.to(self.G.dtype) @ self.G).remainder(2).to(messages.dtype)

    def extra_repr(self) -> str:
        """The code."""
        return str(self.code)


class _Adapter(nn.Module):
    """What both decoders have in common: the sign, the number of the operator, and refusals."""

    def __init__(self, decode: "BuiltDecoder | BuiltSoftDecoder", llr_sign: Sign) -> None:
        super().__init__()
        if llr_sign not in SIGNS:
            raise ValueError(
                f"llr_sign must say what a positive LLR means, got {llr_sign!r}; "
                + nearest(str(llr_sign), SIGNS)
            )
        self.decode, self.llr_sign = decode, llr_sign
        self._number = _numbered(decode)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._number = _numbered(self.decode)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        twin = self.__class__.__new__(self.__class__)
        twin.__setstate__(self.__dict__.copy())
        return twin

    def _refuse_other(self, llr: Tensor, what: str) -> None:
        """Refuse what is no tensor of floats, or requires grad."""
        if not isinstance(llr, Tensor) or not llr.is_floating_point():
            raise TypeError(f"{what} must be a tensor of floats, got {getattr(llr, 'dtype', type(llr))}")
        if torch.is_grad_enabled() and llr.requires_grad:
            name = self.decode.recipe.called
            way = (
                "; fecnn.network gives the network itself, which has gradients"
                if name in REGISTRY and is_trained(name)
                else ""
            )
            raise TypeError(
                f"{what} requires grad, and the decoder {name} passes no gradient on: give {what}.detach(), "
                f"or call it in torch.no_grad(){way}"
            )

    def _decoded(self, llr: Tensor, width: int, dtype: torch.dtype) -> Tensor:
        n = self.decode.recipe.code.n
        self._refuse_other(llr, "llr")
        if llr.shape[-1:] != (n,):
            raise ValueError(f"llr must have n = {n} values on the last axis, got shape {tuple(llr.shape)}")
        found: Tensor = _decode(llr, self._number, width, dtype, self.llr_sign != SIGNS[0])
        return found

    def extra_repr(self) -> str:
        """The decoder and the sign."""
        return f"{self.decode.recipe}, llr_sign={self.llr_sign!r}"


class Decoder(_Adapter):
    """A decoder of fecnn as a module: LLRs ``(..., n)`` of any float dtype to bits 0 and 1 on their device.

    It decides on the CPU. Under ``torch.compile`` and ``torch.export`` it is the operator ``fecnn::decode``;
    an exported program runs in the process that exported it, as long as the module lives.

    Args:
        name: A decoder, as `fecnn.decoder` takes it, with its code, channel and options.
        llr_sign: What a positive LLR says: ``log p0/p1`` for bit 0, ``log p1/p0`` for bit 1. It has no
            default, because a wrong sign decodes to wrong codewords in silence.
        output: ``code`` for n code bits, ``message`` for k message bits.
        dtype: Type of the bits.

    Raises:
        ValueError, TypeError, LookupError: As `fecnn.decoder`; also if the LLRs require grad.

    Example:
        >>> import fecnn
        >>> decode = Decoder("ml", fecnn.hamming(3), llr_sign="log p1/p0")
        >>> decode(torch.tensor([2, 3, -0.1, 4, 1, 2, 3], dtype=torch.bfloat16))
        tensor([1, 1, 1, 1, 1, 1, 1], dtype=torch.uint8)
    """

    def __init__(
        self,
        name: Name,
        code: Code,
        channel: Channel | None = None,
        /,
        *,
        llr_sign: Sign,
        output: Literal["code", "message"] = "code",
        dtype: torch.dtype = torch.uint8,
        **options: Any,
    ) -> None:
        super().__init__(decoder(name, code, channel, output=output, **options), llr_sign)
        self.width, self.dtype = code.n if output == "code" else code.k, dtype

    def forward(self, llr: Tensor) -> Tensor:
        """Decode."""
        return self._decoded(llr, self.width, self.dtype)


class SoftDecoder(_Adapter):
    """A soft decoder of fecnn as a module: LLRs ``(..., n)`` to a-posteriori LLRs of the same sign and dtype.

    Args:
        name: A soft decoder, as `fecnn.soft_decoder` takes it, with its code, channel and options.
        llr_sign: As for `Decoder`; the result has the same sign.
        extrinsic: Whether to return only what the code adds: the a-posteriori LLRs minus all LLRs given, and
            0 where both are infinite.

    Raises:
        ValueError, TypeError, LookupError: As `fecnn.soft_decoder`; also if the LLRs require grad.

    Example:
        >>> import fecnn
        >>> app = SoftDecoder("map", fecnn.repetition(3), llr_sign="log p1/p0")
        >>> app(torch.tensor([1, 2, -0.5]))
        tensor([2.5000, 2.5000, 2.5000])
    """

    def __init__(
        self,
        name: Name,
        code: Code,
        channel: Channel | None = None,
        /,
        *,
        llr_sign: Sign,
        extrinsic: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(soft_decoder(name, code, channel, **options), llr_sign)
        self.extrinsic = extrinsic

    def forward(self, llr: Tensor, prior: Tensor | None = None) -> Tensor:
        """Decode; the prior holds LLRs of the same sign, of what is known about the bits from elsewhere."""
        self._refuse_other(llr, "llr")
        if prior is not None:
            self._refuse_other(prior, "prior")
            if prior.shape not in (llr.shape, llr.shape[-1:]):
                raise ValueError(
                    f"prior must have the shape of llr, {tuple(llr.shape)}, or (n,), got {tuple(prior.shape)}"
                )
        elif not self.extrinsic:
            return self._decoded(llr, llr.shape[-1], llr.dtype)
        given = llr.float() if prior is None else llr.float() + prior.float()
        app = self._decoded(given, given.shape[-1], torch.float32)
        found = torch.where(app == given, 0.0, app - given) if self.extrinsic else app
        return found.to(llr.dtype)  # rounded once


def _numbered(decode: "BuiltDecoder | BuiltSoftDecoder") -> int:
    number = next(_numbers)
    _known[number] = decode
    return number
