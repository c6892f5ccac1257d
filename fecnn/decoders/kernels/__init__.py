"""Numba kernels: arrays in, arrays out, nothing else. Their callers check, they trust.

Metrics of float32 LLRs are summed in float64, where such sums are exact in practice: decoders that compute
the same optimum by different routes then break near ties alike, and give equal counts.
"""

from typing import TYPE_CHECKING

from fecnn._files.rooms import loader

if not TYPE_CHECKING:
    __getattr__ = loader(__name__, __path__)
