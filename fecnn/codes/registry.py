"""The code families that ship with fecnn: how each is built, and who published it."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fecnn.codes import families as block
from fecnn.codes.code import Code
from fecnn.codes.convolutional import convolutional, tailbiting
from fecnn.codes.nr_ldpc import nr_ldpc
from fecnn.codes.nr_polar import nr_polar
from fecnn.codes.pac import pac
from fecnn.codes.polar import polar
from fecnn.codes.product import product
from fecnn.codes.published import ft8_174_91, mackay_96_48
from fecnn.errors import nearest


@dataclass(frozen=True)
class Family:
    """A family of codes.

    build: The function that returns a `Code`; exported by `fecnn` under its own name.
    cites: Who published it, where and when.
    example: Arguments of a small code.
    codes: Those of its arguments that are codes themselves, given as `fecnn.load_code` takes them.
    """

    build: Callable[..., Code]
    cites: str
    example: Mapping[str, Any]
    codes: tuple[str, ...] = ()

    @property
    def example_table(self) -> str:
        """The example as the table of a study file, without its own name."""
        name = next(key for key, value in FAMILIES.items() if value is self)
        said = (
            (key, list(value) if isinstance(value, tuple) else value) for key, value in self.example.items()
        )
        return "{ " + ", ".join([f'family = "{name}"', *(f"{key} = {value!r}" for key, value in said)]) + " }"

    @property
    def summary(self) -> str:
        """The first line of the builder's docstring."""
        return (inspect.getdoc(self.build) or "").partition("\n")[0]


FAMILIES = {
    "array_ldpc": Family(block.array_ldpc, "Fan, Int. Symp. Turbo Codes, Brest 2000", {"p": 7, "rows": 4}),
    "bch": Family(block.bch, "Hocquenghem 1959; Bose and Ray-Chaudhuri 1960", {"n": 15, "k": 7}),
    "ccsds_128_64": Family(block.ccsds_128_64, "CCSDS 231.0-B", {}),
    "convolutional": Family(convolutional, "Elias 1955", {"k": 8, "polynomials": (0o5, 0o7)}),
    "ft8_174_91": Family(ft8_174_91, "Franke, Somerville and Taylor, QEX, July/August 2020", {}),
    "golay": Family(block.golay, "Golay 1949", {}),
    "hamming": Family(block.hamming, "Hamming 1950", {"r": 3}),
    "ldpc_qc": Family(
        block.ldpc_qc,
        "Fossorier, IEEE Trans. IT 50(8), 2004",
        {"base": [[0, 1, 2, -1], [-1, 2, 0, 1]], "z": 5},
    ),
    "mackay_96_48": Family(mackay_96_48, "MacKay, Encyclopedia of Sparse Graph Codes", {}),
    "nr_ldpc": Family(nr_ldpc, "3GPP TS 38.212, sections 5.3.2 and 5.4.2", {"k": 20, "n": 48}),
    "nr_polar": Family(nr_polar, "3GPP TS 38.212, sections 5.3.1 and 5.4.1", {"k": 12, "e": 54}),
    "pac": Family(pac, "Arikan, arXiv:1908.09594, 2019", {"n": 16, "k": 8}),
    "polar": Family(polar, "Arikan, IEEE Trans. IT 55(7), 2009", {"n": 16, "k": 8}),
    "product": Family(product, "Elias 1954", {"a": "ext-hamming-8-4", "b": "spc-4"}, codes=("a", "b")),
    "random_code": Family(block.random_code, "Elias 1955", {"n": 12, "k": 6, "seed": 1}),
    "reed_muller": Family(block.reed_muller, "Muller 1954; Reed 1954", {"r": 1, "m": 4}),
    "repetition": Family(block.repetition, "folklore", {"n": 5}),
    "single_parity_check": Family(block.single_parity_check, "folklore", {"n": 5}),
    "tailbiting": Family(
        tailbiting, "Ma and Wolf, IEEE Trans. Comm. 34(2), 1986", {"k": 8, "polynomials": (0o5, 0o7)}
    ),
    "uncoded": Family(block.uncoded, "folklore", {"k": 4}),
}
"""Each family by name."""


def build(family: str, parameters: Mapping[str, Any]) -> Code:
    """A code of a family.

    Args:
        family: One of `FAMILIES`.
        parameters: The builder's arguments, by name.

    Raises:
        LookupError: If there is no such family.
        ValueError: If the builder does not take these arguments, or there is no such code.

    Example:
        >>> build("hamming", {"r": 3})
        Code(hamming-7-4: n=7, k=4)
    """
    if family not in FAMILIES:
        raise LookupError(f"no code family {family!r}; {nearest(family, list(FAMILIES))}")
    builder = FAMILIES[family].build
    try:
        inspect.signature(builder).bind(**parameters)
    except TypeError as error:
        raise ValueError(f"{family} of a code: {error}; it takes {_arguments(builder)}") from None
    try:
        return builder(**parameters)
    except TypeError as error:
        raise ValueError(f"{family} of a code: {error}") from None


def _arguments(builder: Callable[..., Code]) -> str:
    names = list(inspect.signature(builder).parameters)
    return ", ".join(names) if names else "no arguments"
