"""fecnn: decoders for short block codes, measured fairly.

The import is light: torch, galois and matplotlib are imported only when needed, and sub-packages
(`fecnn.theory`, `fecnn.nets`, ...) load on first use.
"""

from typing import TYPE_CHECKING

from fecnn._files.rooms import loader
from fecnn._version import __version__ as __version__
from fecnn.analysis.compare import compare
from fecnn.analysis.gap import gap_to_ml
from fecnn.analysis.table import judge, table
from fecnn.arrays import LLR, Bits, bpsk, hard
from fecnn.channels.channel import AWGN, BSC, Rayleigh
from fecnn.codes.alist import read_alist, write_alist
from fecnn.codes.catalogue import code_names, load_code
from fecnn.codes.code import Code
from fecnn.codes.codefile import save_code
from fecnn.codes.families import (
    array_ldpc,
    bch,
    ccsds_128_64,
    golay,
    hamming,
    reed_muller,
    repetition,
    single_parity_check,
    uncoded,
)
from fecnn.codes.matrix_file import read_matrix
from fecnn.codes.polar import polar
from fecnn.decoders import decoder, soft_decoder
from fecnn.decoders.contract import Decoder, SoftDecoder
from fecnn.decoders.registry import decoder_names
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
from fecnn.plots.figure import plot
from fecnn.reports import report
from fecnn.simulation.tally import Tally
from fecnn.studies.run import MergeError, merge, run
from fecnn.studies.study import Study, load_study, study_names
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
    "compare",
    "decoder",
    "decoder_names",
    "gap_to_ml",
    "golay",
    "hamming",
    "hard",
    "judge",
    "load_code",
    "load_study",
    "merge",
    "ml_bler",
    "plot",
    "polar",
    "proportion_interval",
    "rate_interval",
    "read_alist",
    "read_matrix",
    "reed_muller",
    "repetition",
    "report",
    "run",
    "save_code",
    "single_parity_check",
    "soft_decoder",
    "study_names",
    "table",
    "uncoded",
    "write_alist",
]

if TYPE_CHECKING:
    from fecnn import analysis as analysis
    from fecnn import channels as channels
    from fecnn import cli as cli
    from fecnn import codes as codes
    from fecnn import nets as nets
    from fecnn import plots as plots
    from fecnn import simulation as simulation
    from fecnn import studies as studies
    from fecnn import testing as testing
    from fecnn import theory as theory
    from fecnn import training as training
else:
    __getattr__ = loader(__name__, __path__)
