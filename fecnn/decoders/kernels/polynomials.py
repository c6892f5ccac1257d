"""exp and log as polynomials: a loop over them is vectorised, a loop over calls of libm is not."""

from fecnn.decoders.kernels.lanes import as_float64, as_int64
from fecnn.jit import kernel

LOG2_E = 1.4426950408889634
LN_2_HIGH, LN_2_LOW = 0.693147180369123816490, 1.90821492927058770002e-10
"""ln 2 in two parts; the first has zeros at its end, so a multiple of it is exact."""

TO_INTEGER = 6755399441055744.0
"""1.5 * 2^52: a number of moderate size plus this has its nearest integer in the low bits."""

SQRT_HALF = 0x3FE6A09E667F3BCD
"""The bits of the square root of 1/2."""


@kernel(inline="always", error_model="numpy")
def exp(x):
    """e^x within 1e-14 of it, for x from -700 to 700; e^-700 below."""
    x = max(x, -700.0)
    shifted = x * LOG2_E + TO_INTEGER
    power = shifted - TO_INTEGER
    r = (x - power * LN_2_HIGH) - power * LN_2_LOW
    p = 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    return p * as_float64((as_int64(shifted) + 1023) << 52)


@kernel(inline="always", error_model="numpy")
def log(x):
    """Natural logarithm of x within 1e-15 of it or of 1, for normal x; about -709 for 0, 710 for inf.

    x = 2^e m with m from sqrt(1/2) to sqrt(2), and ln m = 2 artanh((m - 1) / (m + 1)).
    """
    bits = as_int64(x)
    power = (bits - SQRT_HALF) >> 52
    m = as_float64(bits - (power << 52))
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    p = 1.0 / 21.0
    p = p * z + 1.0 / 19.0
    p = p * z + 1.0 / 17.0
    p = p * z + 1.0 / 15.0
    p = p * z + 1.0 / 13.0
    p = p * z + 1.0 / 11.0
    p = p * z + 1.0 / 9.0
    p = p * z + 1.0 / 7.0
    p = p * z + 1.0 / 5.0
    p = p * z + 1.0 / 3.0
    return power * LN_2_HIGH + (2.0 * s * (p * z + 1.0) + power * LN_2_LOW)
