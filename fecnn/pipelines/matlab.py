"""A decoder for MATLAB, where frames are columns and numbers are doubles."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import Bits
from fecnn.codes.catalogue import load_code
from fecnn.decoders import decoder
from fecnn.errors import shown


class Columns:
    """A decoder of frames in columns, as MATLAB has them.

    LLRs are log p(0)/p(1), positive for bit 0, as ``qamdemod`` gives them. In MATLAB::

        decode = py.fecnn.pipelines.matlab.Columns("osd", "bch-31-16", pyargs("order", 2));
        bits = uint8(decode(llr));        % llr is n x F, bits too

    Args:
        name: The decoder, as for `fecnn.decoder`.
        code: Name or file of the code, as for `fecnn.load_code`.
        output: ``code`` for n bits a frame, ``message`` for k.
        options: The decoder's options. Doubles without a fraction become integers.

    Raises:
        LookupError: If there is no such code or decoder.
        ValueError: If an option or the code does not fit.

    Example:
        >>> decode = Columns("osd", "hamming-7-4", order=1.0)
        >>> decode(np.full((7, 2), 3.0)).shape
        (7, 2)
    """

    def __init__(
        self, name: str, code: str, *, output: Literal["code", "message"] = "code", **options: Any
    ) -> None:
        whole = {
            key: int(value) if isinstance(value, float) and value.is_integer() else value
            for key, value in options.items()
        }
        self.code = load_code(code)
        self.decode = decoder(name, self.code, output=output, **whole)

    def __call__(self, llr: Any) -> Bits:
        """The decisions, (n, F) or (k, F) uint8, on LLRs (n, F), or (n,) for one frame.

        Raises:
            ValueError: If there are not n rows, or an LLR is not finite.
        """
        columns: NDArray[Any] = np.asarray(llr)
        if columns.ndim > 2 or columns.shape[:1] != (self.code.n,):
            raise ValueError(
                f"LLRs of {self.code.name} have n = {self.code.n} rows and a column for each frame, "
                f"got {shown(columns.shape)}"
            )
        return np.ascontiguousarray(self.decode(np.ascontiguousarray(columns.T, np.float32)).T)
