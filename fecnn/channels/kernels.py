"""Numba kernels: counters to random words, these to Gaussians; bits to symbols, and symbols to LLRs."""

import numpy as np

from fecnn.jit import kernel


@kernel
def philox(key, purpose, first, out):
    """Random words of blocks ``first``, ``first + 1``, ...: key (3,) u4, out (4, blocks) u4.

    The counter is (low half of the block index, high half, third key word, purpose).
    """
    mask = np.uint64(0xFFFFFFFF)
    w0, w1, w2, w3 = out[0], out[1], out[2], out[3]
    key0, key1, key2 = key[0], key[1], key[2]
    for i in range(out.shape[1]):
        index = first + np.uint64(i)
        a, b = np.uint32(index & mask), np.uint32(index >> np.uint64(32))
        c, d = key2, purpose
        k0, k1 = key0, key1
        for _ in range(10):
            left = np.uint64(0xD2511F53) * np.uint64(a)
            right = np.uint64(0xCD9E8D57) * np.uint64(c)
            a = np.uint32(right >> np.uint64(32)) ^ b ^ k0
            b = np.uint32(right & mask)
            c = np.uint32(left >> np.uint64(32)) ^ d ^ k1
            d = np.uint32(left & mask)
            k0 = np.uint32(k0 + np.uint32(0x9E3779B9))
            k1 = np.uint32(k1 + np.uint32(0xBB67AE85))
        w0[i] = a
        w1[i] = b
        w2[i] = c
        w3[i] = d


@kernel
def box_muller(words, out):
    """Turn random words (4, frames, blocks) u4 into Gaussians (frames, 4 * blocks) f4.

    Words 0 and 1 of a block give its values 0 and 1; words 2 and 3 give values 2 and 3. Value v of block b is
    at position v * blocks + b of its frame.
    """
    _, frames, blocks = words.shape
    size = frames * blocks
    radius, x, y = np.empty(size, np.float32), np.empty(size, np.float32), np.empty(size, np.float32)
    for pair in range(2):
        _radii(words[2 * pair].reshape(size), radius)
        _turns(words[2 * pair + 1].reshape(size), radius, x, y)
        start = 2 * pair * blocks
        for frame in range(frames):
            for block in range(blocks):
                out[frame, start + block] = x[frame * blocks + block]
                out[frame, start + blocks + block] = y[frame * blocks + block]


@kernel
def _radii(words, radius):
    """sqrt(-2 ln u) for u = (word + 1/2) / 2^32, accurate to 2e-5: words (N,) u4, radius (N,) f4."""
    f4 = np.float32
    for i in range(len(words)):
        radius[i] = (f4(words[i]) + f4(0.5)) * f4(2.0**-32)
    bits = radius.view(np.int32)
    for i in range(len(words)):
        radius[i] = np.sqrt(max(f4(-2) * _log(bits[i]), f4(0)))


@kernel(inline="always")
def _log(bits):
    """Ln x of a positive float32 x, given its bits as an i4.

    x = 2^e m with m in [sqrt(1/2), sqrt(2)); ln m = t - t^2/2 + t^3 p(t), t = m - 1, with the polynomial p of
    the Cephes library (Moshier, 1989).
    """
    f4 = np.float32
    fraction = (bits & np.int32(0x7FFFFF)) | np.int32(0x3F800000)
    above = np.int32(fraction > np.int32(0x3FB504F3))
    exponent = f4((bits >> np.int32(23)) - np.int32(127) + above)
    t = f4(fraction - np.int32(0x3F800000)) * f4(2.0**-23)
    t = (t + f4(1)) * (f4(0.5) if above else f4(1)) - f4(1)
    p = f4(7.0376836292e-2)
    p = p * t + f4(-1.1514610310e-1)
    p = p * t + f4(1.1676998740e-1)
    p = p * t + f4(-1.2420140846e-1)
    p = p * t + f4(1.4249322787e-1)
    p = p * t + f4(-1.6668057665e-1)
    p = p * t + f4(2.0000714765e-1)
    p = p * t + f4(-2.4999993993e-1)
    p = p * t + f4(3.3333331174e-1)
    square = t * t
    return (t + (p * t * square - f4(0.5) * square)) + exponent * f4(0.69314718056)


@kernel
def _turns(words, radius, x, y):
    """Points (x, y) at the given radius and a uniform angle: all (N,), words u4, the others f4.

    The top two bits of the word choose the quadrant, the other thirty an angle within +-pi/4.
    """
    f4 = np.float32
    for i in range(len(words)):
        word = words[i]
        quadrant = word >> np.uint32(30)
        angle = f4(np.int32(word << np.uint32(2))) * f4(np.pi / 4 / 2.0**31)
        square = angle * angle
        sine = f4(8.3321608736e-3) + square * f4(-1.9515295891e-4)
        sine = angle + angle * square * (f4(-1.6666654611e-1) + square * sine)
        cosine = f4(-1.388731625493765e-3) + square * f4(2.443315711809948e-5)
        cosine = f4(1) + square * (f4(-0.5) + square * (f4(4.166664568298827e-2) + square * cosine))
        swap = (quadrant & np.uint32(1)) != np.uint32(0)
        across = sine if swap else cosine
        along = cosine if swap else sine
        left = (quadrant == np.uint32(1)) | (quadrant == np.uint32(2))
        x[i] = radius[i] * (-across if left else across)
        y[i] = radius[i] * (-along if quadrant >= np.uint32(2) else along)


@kernel
def map_bits(bits, order, points, groups, out):
    """Symbols of frames of bits (B, n) u1: their real and imaginary parts, out (2, B, S) f4.

    Place p of the transmitted frame carries bit order[p], or a zero if that is n or more; points (P, 2) f4 by
    their bits, as in `fecnn.channels.modulation.Constellation`.
    """
    _, frames, symbols = out.shape
    n, width = bits.shape[1], len(order) // symbols
    for frame in range(frames):
        for s in range(symbols):
            for group in range(groups):
                label = np.int64(0)
                for t in range(width // groups):
                    place = order[s * width + t * groups + group]
                    if place < n:
                        label |= np.int64(bits[frame, place]) << t
                out[group, frame, s] = points[label, 0]
                if groups == 1:
                    out[1, frame, s] = points[label, 1]


@kernel
def demap(received, gain, precision, points, excluded, order, exact, llr):
    """LLRs (B, n) f4 of received real and imaginary parts (2, B, S) f4.

    The log-likelihood of a point x at gain a is (a <x, y> - a^2 |x|^2 / 2) / sigma^2, up to what all points
    share. Exact LLRs are differences of max + ln sum exp(. - max) over the points with either bit; the others
    are differences of the maxima. All is done with additions and multiplications, like the noise.

    gain: (B, S) f4, or (0, 0) where all are 1; precision: 1 / sigma^2; excluded: (groups, P, S) f4, taken off
    the log-likelihoods.
    """
    f4 = np.float32
    frames, n = llr.shape
    groups, size, symbols = excluded.shape
    width = len(order) // symbols
    likely = np.empty((size, symbols), f4)
    best, total = np.empty((2, symbols), f4), np.empty((2, symbols), f4)
    total_bits = total.view(np.int32)
    powers, series = np.empty(symbols, np.int32), np.empty(symbols, f4)
    scales = powers.view(f4)
    amplitude, energy = np.ones(symbols, f4), np.ones(symbols, f4)
    for frame in range(frames):
        if len(gain):
            for s in range(symbols):
                amplitude[s] = gain[frame, s]
                energy[s] = gain[frame, s] * gain[frame, s]
        for group in range(groups):
            along, across = received[group, frame], received[1 - group, frame]
            for i in range(size):
                x, w, row, never = points[i, 0], points[i, 1], likely[i], excluded[group, i]
                half = f4(0.5) * (x * x + w * w)
                for s in range(symbols):
                    inner = amplitude[s] * (x * along[s] + w * across[s])
                    row[s] = (inner - energy[s] * half) * precision - never[s]
            for t in range(width // groups):
                for side in range(2):
                    top, sums = best[side], total[side]
                    for s in range(symbols):
                        top[s] = f4(-3e38)
                        sums[s] = f4(0)
                    for i in range(size):
                        if (i >> t) & 1 == side:
                            row = likely[i]
                            for s in range(symbols):
                                top[s] = max(top[s], row[s])
                    if exact and size > 2:
                        for i in range(size):
                            if (i >> t) & 1 == side:
                                _add_exp(likely[i], top, powers, scales, series, sums)
                        for s in range(symbols):
                            top[s] += _log(total_bits[side, s])
                zero, one = best[0], best[1]
                for s in range(symbols):
                    place = order[s * width + t * groups + group]
                    if place < n:
                        llr[frame, place] = zero[s] - one[s]


@kernel
def _add_exp(values, top, powers, scales, series, sums):
    """Add exp(values - top), none of which is above 1, to sums: all (S,) f4.

    powers (i4, whose bits are the scales) and series are overwritten. exp(x) = 2^i exp(r) with a polynomial
    of the Cephes library (Moshier, 1989), accurate to 2e-7.
    """
    f4 = np.float32
    for s in range(len(values)):
        x = max(values[s] - top[s], f4(-87))
        power = np.int32(x * f4(1.44269504089) - f4(0.5))
        r = x - f4(power) * f4(0.693359375)
        r = r - f4(power) * f4(-2.12194440e-4)
        p = f4(1.9875691500e-4)
        p = p * r + f4(1.3981999507e-3)
        p = p * r + f4(8.3334519073e-3)
        p = p * r + f4(4.1665795894e-2)
        p = p * r + f4(1.6666665459e-1)
        p = p * r + f4(5.0000001201e-1)
        series[s] = p * r * r + r + f4(1)
        powers[s] = (power + np.int32(127)) << np.int32(23)
    for s in range(len(values)):
        sums[s] += series[s] * scales[s]
