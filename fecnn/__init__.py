"""fecnn: decoders for short block codes, measured fairly.

Importing it is light: torch, galois and matplotlib are imported by what needs them.
"""

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
from fecnn.campaign import merge, run
from fecnn.catalogue import code_names, load_code, study_names
from fecnn.channel import AWGN, BSC, Rayleigh
from fecnn.code import Code
from fecnn.codefile import save_code
from fecnn.decoders import Decoder, SoftDecoder, decoder, decoder_names, soft_decoder
from fecnn.rare import Estimate, ml_bler
from fecnn.study import Study, load_study
from fecnn.table import judge, table
from fecnn.tally import Tally, proportion_interval, rate_interval

__version__ = "0.1.0"

__all__ = [
    "AWGN",
    "BSC",
    "LLR",
    "Bits",
    "Code",
    "Decoder",
    "Estimate",
    "Rayleigh",
    "SoftDecoder",
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
