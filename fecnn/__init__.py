"""fecnn: decoders for short block codes, measured fairly.

The import is light: names and sub-packages (`fecnn.theory`, `fecnn.nets`, ...) load on first use, and torch,
galois and matplotlib only where they are needed.
"""

from typing import TYPE_CHECKING

from fecnn._files.rooms import loader
from fecnn._version import __version__ as __version__

__all__ = [
    "AWGN",
    "BEC",
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
    "Receiver",
    "Rician",
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
    "convolutional",
    "decoder",
    "decoder_names",
    "frames",
    "ft8_174_91",
    "gap_to_ml",
    "golay",
    "hamming",
    "hard",
    "judge",
    "ldpc_qc",
    "list_decoder",
    "load_code",
    "load_study",
    "mackay_96_48",
    "make_study",
    "merge",
    "ml_bler",
    "network",
    "nr_ldpc",
    "nr_polar",
    "pac",
    "plot",
    "polar",
    "product",
    "proportion_interval",
    "random_code",
    "rare_bler",
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
    "tailbiting",
    "uncoded",
    "verify",
    "write_alist",
]

if TYPE_CHECKING:
    from fecnn import analysis as analysis
    from fecnn import channels as channels
    from fecnn import cli as cli
    from fecnn import codes as codes
    from fecnn import nets as nets
    from fecnn import pipelines as pipelines
    from fecnn import plots as plots
    from fecnn import simulation as simulation
    from fecnn import studies as studies
    from fecnn import testing as testing
    from fecnn import theory as theory
    from fecnn import training as training
    from fecnn.analysis.compare import compare
    from fecnn.analysis.frames import frames
    from fecnn.analysis.gap import gap_to_ml
    from fecnn.analysis.table import judge, table
    from fecnn.arrays import LLR, Bits, bpsk, hard
    from fecnn.channels.awgn import AWGN
    from fecnn.channels.discrete import BEC, BSC
    from fecnn.channels.fading import Rayleigh, Rician
    from fecnn.channels.receiver import Receiver
    from fecnn.codes.alist import read_alist, write_alist
    from fecnn.codes.catalogue import code_names, load_code
    from fecnn.codes.code import Code
    from fecnn.codes.codefile import save_code
    from fecnn.codes.convolutional import convolutional, tailbiting
    from fecnn.codes.families import (
        array_ldpc,
        bch,
        ccsds_128_64,
        golay,
        hamming,
        ldpc_qc,
        random_code,
        reed_muller,
        repetition,
        single_parity_check,
        uncoded,
    )
    from fecnn.codes.matrix_file import read_matrix
    from fecnn.codes.nr_ldpc import nr_ldpc
    from fecnn.codes.nr_polar import nr_polar
    from fecnn.codes.pac import pac
    from fecnn.codes.polar import polar
    from fecnn.codes.product import product
    from fecnn.codes.published import ft8_174_91, mackay_96_48
    from fecnn.decoders import decoder, list_decoder, soft_decoder
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
    from fecnn.nets.network import network
    from fecnn.plots.figure import plot
    from fecnn.reports import report
    from fecnn.simulation.tally import Tally
    from fecnn.studies.made import make_study
    from fecnn.studies.run import MergeError, merge, run
    from fecnn.studies.study import Study, load_study, study_names
    from fecnn.studies.verify import verify
    from fecnn.theory.ml_bler import Estimate, ml_bler
    from fecnn.theory.rare import rare_bler

_HOMES = {
    "analysis.compare": "compare",
    "analysis.frames": "frames",
    "analysis.gap": "gap_to_ml",
    "analysis.table": "judge table",
    "arrays": "LLR Bits bpsk hard",
    "channels.awgn": "AWGN",
    "channels.discrete": "BEC BSC",
    "channels.fading": "Rayleigh Rician",
    "channels.receiver": "Receiver",
    "codes.alist": "read_alist write_alist",
    "codes.catalogue": "code_names load_code",
    "codes.code": "Code",
    "codes.codefile": "save_code",
    "codes.convolutional": "convolutional tailbiting",
    "codes.families": (
        "array_ldpc bch ccsds_128_64 golay hamming ldpc_qc random_code reed_muller repetition "
        "single_parity_check uncoded"
    ),
    "codes.matrix_file": "read_matrix",
    "codes.nr_ldpc": "nr_ldpc",
    "codes.nr_polar": "nr_polar",
    "codes.pac": "pac",
    "codes.polar": "polar",
    "codes.product": "product",
    "codes.published": "ft8_174_91 mackay_96_48",
    "decoders": "decoder list_decoder soft_decoder",
    "decoders.contract": "Decoder SoftDecoder",
    "decoders.registry": "decoder_names",
    "errors": "CheckpointError ClusterError ContractError DecodingError FecnnError StaleError StoreError",
    "intervals": "proportion_interval rate_interval",
    "nets.network": "network",
    "plots.figure": "plot",
    "reports": "report",
    "simulation.tally": "Tally",
    "studies.run": "MergeError merge run",
    "studies.made": "make_study",
    "studies.study": "Study load_study study_names",
    "studies.verify": "verify",
    "theory.ml_bler": "Estimate ml_bler",
    "theory.rare": "rare_bler",
}
"""The public names of each module, which is imported when one of them is first used."""

if not TYPE_CHECKING:
    __getattr__ = loader(__name__, __path__, _HOMES)


def __dir__() -> list[str]:
    rooms = ("analysis", "channels", "codes", "decoders", "nets", "pipelines", "plots", "reports")
    more = (*rooms, "simulation", "studies", "testing", "theory", "training")
    return [*__all__, *more, *(name for name in globals() if name.startswith("__"))]
