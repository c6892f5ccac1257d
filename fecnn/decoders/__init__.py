"""Decoders: functions from LLRs to bits. Modules and names load on first use."""

from typing import TYPE_CHECKING

from fecnn._files.rooms import loader

_HOMES = {
    "built": "BuiltDecoder BuiltListDecoder BuiltSoftDecoder",
    "contract": "Decoder Effort Factory Lister Measured SoftDecoder Tunable as_output",
    "make": "decoder list_decoder soft_decoder",
    "registry": "decoder_names",
}

if TYPE_CHECKING:
    from fecnn.decoders.built import BuiltDecoder as BuiltDecoder
    from fecnn.decoders.built import BuiltListDecoder as BuiltListDecoder
    from fecnn.decoders.built import BuiltSoftDecoder as BuiltSoftDecoder
    from fecnn.decoders.contract import Decoder as Decoder
    from fecnn.decoders.contract import Effort as Effort
    from fecnn.decoders.contract import Factory as Factory
    from fecnn.decoders.contract import Lister as Lister
    from fecnn.decoders.contract import Measured as Measured
    from fecnn.decoders.contract import SoftDecoder as SoftDecoder
    from fecnn.decoders.contract import Tunable as Tunable
    from fecnn.decoders.contract import as_output as as_output
    from fecnn.decoders.make import decoder as decoder
    from fecnn.decoders.make import list_decoder as list_decoder
    from fecnn.decoders.make import soft_decoder as soft_decoder
    from fecnn.decoders.registry import decoder_names as decoder_names
else:
    __getattr__ = loader(__name__, __path__, _HOMES)
