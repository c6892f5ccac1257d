"""fecnn: decoders for short block codes, measured fairly.

Importing it is light: torch, galois and matplotlib are imported by what needs them.
"""

from fecnn._version import __version__ as __version__
from fecnn.alist import read_alist, write_alist
from fecnn.arrays import LLR, Bits, bpsk, hard
from fecnn.build import (
    array_ldpc,
    bch,
    ccsds_128_64,
    golay,
    hamming,
    polar,
    reed_muller,
    repetition,
    single_parity_check,
    uncoded,
)
from fecnn.campaign import MergeError, merge, run
from fecnn.catalogue import code_names, load_code, study_names
from fecnn.channel import AWGN, BSC, Rayleigh
from fecnn.code import Code
from fecnn.codefile import save_code
from fecnn.decoders import Decoder, SoftDecoder, decoder, decoder_names, soft_decoder
from fecnn.errors import (
    CheckpointError,
    ClusterError,
    ContractError,
    DecodingError,
    FecnnError,
    StaleError,
    StoreError,
)
from fecnn.intervals import proportion_interval, rate_interval
from fecnn.rare import Estimate, ml_bler
from fecnn.study import Study, load_study
from fecnn.table import judge, table
from fecnn.tally import Tally

__all__ = [
    "AWGN",
    "BSC",
    "LLR",
    "Bits",
    "CheckpointError",
    "ClusterError",
    "Code",
    "ContractError",
    "Decoder",
    "DecodingError",
    "Estimate",
    "FecnnError",
    "MergeError",
    "Rayleigh",
    "SoftDecoder",
    "StaleError",
    "StoreError",
    "Study",
    "Tally",
    "array_ldpc",
    "bch",
    "bpsk",
    "ccsds_128_64",
    "code_names",
    "decoder",
    "decoder_names",
    "golay",
    "hamming",
    "hard",
    "judge",
    "load_code",
    "load_study",
    "merge",
    "ml_bler",
    "polar",
    "proportion_interval",
    "rate_interval",
    "read_alist",
    "reed_muller",
    "repetition",
    "run",
    "save_code",
    "single_parity_check",
    "soft_decoder",
    "study_names",
    "table",
    "uncoded",
    "write_alist",
]
