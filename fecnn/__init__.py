"""fecnn: decoders for short block codes, measured fairly.

Importing it is light: torch, galois and matplotlib are imported by what needs them.
"""

from fecnn._version import __version__ as __version__
from fecnn.analysis.table import judge, table
from fecnn.arrays import LLR, Bits, bpsk, hard
from fecnn.channels.channel import AWGN, BSC, Rayleigh
from fecnn.codes.alist import read_alist, write_alist
from fecnn.codes.catalogue import code_names, load_code, study_names
from fecnn.codes.code import Code
from fecnn.codes.codefile import save_code
from fecnn.codes.families import (
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
from fecnn.simulation.tally import Tally
from fecnn.studies.run import MergeError, merge, run
from fecnn.studies.study import Study, load_study
from fecnn.theory.ml_bler import Estimate, ml_bler

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
