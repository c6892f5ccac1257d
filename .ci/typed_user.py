"""What a type checker must know of the installed package: mypy --strict passes this."""

from typing import assert_type

import numpy as np
from numpy.typing import NDArray

import fecnn

code = fecnn.load_code("bch-31-21")
assert_type(code, fecnn.Code)
decode: fecnn.Decoder = fecnn.decoder("osd", code, fecnn.AWGN.at(3.0, code.rate), order=2)
bits = decode(np.ones((1, code.n), np.float32))
assert_type(bits, NDArray[np.uint8])
assert_type(fecnn.ml_bler(code, 4.0).value, float)
try:
    fecnn.plot(fecnn.load_study("osd-orders"), fecnn.table(fecnn.load_study("osd-orders"))).savefig("a.svg")
except fecnn.FecnnError as error:
    assert_type(error, fecnn.FecnnError)
fecnn.theory.bounds.union_bound(code, 4.0)
fecnn.theory.bounds.union_bound(code, "4 dB")  # type: ignore[arg-type]
