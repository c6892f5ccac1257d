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


LEVEL_ONE = 8192
"""Values of a strip that fit the first-level cache."""

STRIP = 64
"""Frames whose words are made at a time: they fit the first-level cache."""


@kernel
def gaussians(key, purpose, first, out):
    """Gaussians of frames ``first``, ``first + 1``, ...: out (frames, 4 * blocks) f4."""
    frames, width = out.shape
    blocks = width // 4
    words = np.empty((4, STRIP * blocks), np.uint32)
    values = np.empty((STRIP, width), np.float32)
    for start in range(0, frames, STRIP):
        philox(key, purpose, (first + np.uint64(start)) * np.uint64(blocks), words)
        box_muller(words.reshape(4, STRIP, blocks), values)
        for f in range(min(STRIP, frames - start)):
            for i in range(width):
                out[start + f, i] = values[f, i]


@kernel
def uniforms(key, purpose, first, out):
    """24-bit uniform values below 1 of frames ``first``, ``first + 1``, ...: out (frames, 4 * blocks) f4."""
    frames, width = out.shape
    blocks = width // 4
    words = np.empty((4, STRIP * blocks), np.uint32)
    for start in range(0, frames, STRIP):
        philox(key, purpose, (first + np.uint64(start)) * np.uint64(blocks), words)
        for f in range(min(STRIP, frames - start)):
            row = out[start + f]
            for word in range(4):
                line = words[word]
                for block in range(blocks):
                    row[4 * block + word] = np.float32(line[f * blocks + block] >> np.uint32(8)) * np.float32(
                        2.0**-24
                    )


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
def map_bits(bits, source, points, out):
    """Symbols of frames of bits (B, n) u1, by their real dimensions: out (B, axes * S) f4.

    source: The bit at each place, (b, groups * S) u8: bit t of a group's label; n or more for a zero. points:
    (P, 2) f4 by their bits, as in `fecnn.channels.modulation.Constellation`.
    """
    frames, n = bits.shape
    width, places = source.shape
    # Unsigned: an index that may be negative would be looked at.
    row = np.zeros(np.int64(max(np.uint64(n), source.max() + np.uint64(1))), np.uint8)
    labels = np.empty(places, np.uint64)
    for frame in range(frames):
        for j in range(n):
            row[j] = bits[frame, j]
        for place in range(places):
            labels[place] = row[source[0, place]]
        for t in range(1, width):
            for place in range(places):
                labels[place] |= np.uint64(row[source[t, place]]) << np.uint64(t)
        for place in range(places):
            out[frame, place] = points[labels[place], 0]
        if out.shape[1] > places:
            for place in range(places):
                out[frame, places + place] = points[labels[place], 1]


@kernel
def demap(received, gain, precision, points, sure, target, exact, llr):
    """LLRs (B, n) f4 of received values (B, axes * S) f4, axis by axis.

    The log-likelihood of a point x at gain a is (a <x, y> - a^2 |x|^2 / 2) / sigma^2, up to what all points
    share. Exact LLRs are differences of max + ln sum exp(. - max) over the points with either bit; the others
    are differences of the maxima. All is done with additions, multiplications and divisions, like the noise.
    A strip of frames is worked on at once, so that the loops are long.

    gain: (B, S) f4, or (0, 0) where all are 1. precision: 1 / sigma^2. sure: (b, groups * S) f4, what a bit 1
    of a group's label takes off the log-likelihood: 0, or much where the bit is known to be 0. target: for
    each code bit the place of its LLR in a (b, groups * S) array, (n,) i8.
    """
    f4 = np.float32
    frames, n = llr.shape
    size = len(points)
    width, places = sure.shape
    symbols = gain.shape[1] if len(gain) else places
    strip = max(1, LEVEL_ONE // (2 * size + 9) // places)
    padded = sure.any()
    length = strip * places
    along, across, amplitude = np.empty(length, f4), np.zeros(length, f4), np.ones(length, f4)
    likely, found = np.empty((size, length), f4), np.empty((width, length), f4)
    best, total, others = np.empty((2, length), f4), np.empty((2, length), f4), np.empty((size, length), f4)
    places_of_llrs = np.empty(n, np.uint64)
    for j in range(n):
        places_of_llrs[j] = target[j] // places * length + target[j] % places
    for start in range(0, frames, strip):
        many = min(strip, frames - start)
        for f in range(many):
            for place in range(places):
                along[f * places + place] = received[start + f, place]
            if received.shape[1] > places:
                for place in range(places):
                    across[f * places + place] = received[start + f, places + place]
            if len(gain):
                for first in range(0, places, symbols):
                    for s in range(symbols):
                        amplitude[f * places + first + s] = gain[start + f, s]
        for i in range(size):
            _log_likelihoods(along, across, amplitude, points[i, 0], points[i, 1], precision, likely[i])
            for t in range(width if padded else 0):
                if (i >> t) & 1:
                    row = sure[t]
                    for f in range(many):
                        for place in range(places):
                            likely[i, f * places + place] -= row[place]
        for t in range(width):
            for side in range(2):
                first = side << t
                _copy(likely[first], best[side])
                seen = 0
                for i in range(first + 1, size):
                    if (i >> t) & 1 == side:
                        _sort(likely[i], best[side], others[seen])
                        seen += 1
                for i in range(seen if exact else 0):
                    _add_exp(others[i], best[side], i == 0, total[side])
            if exact and size > 2:
                _log_ratio(best, total, found[t])
            else:
                _differ(best, found[t])
        values = found.reshape(-1)
        for f in range(many):
            row, begin = llr[start + f], np.uint64(f * places)
            for j in range(n):
                row[j] = values[places_of_llrs[j] + begin]


@kernel
def _log_likelihoods(along, across, amplitude, x, w, precision, out):
    half = np.float32(0.5) * (x * x + w * w)
    for s in range(len(out)):
        a = amplitude[s]
        out[s] = a * ((x * along[s] + w * across[s]) - a * half) * precision


@kernel
def _copy(values, out):
    for s in range(len(out)):
        out[s] = values[s]


@kernel
def _sort(values, larger, smaller):
    """The larger of ``values`` and ``larger`` stays there; the smaller ones are written."""
    for s in range(len(larger)):
        top, value = larger[s], values[s]
        larger[s] = max(top, value)
        smaller[s] = min(top, value)


@kernel
def _differ(sides, out):
    zero, one = sides[0], sides[1]
    for s in range(len(out)):
        out[s] = zero[s] - one[s]


@kernel(error_model="numpy")  # which does not look for divisions by 0
def _log_ratio(best, total, out):
    """best[0] - best[1] + ln(total[0] / total[1])."""
    a, b, p, q = best[0], best[1], total[0], total[1]
    for s in range(len(out)):
        out[s] = (a[s] - b[s]) + _log(np.float32(p[s] / q[s]).view(np.int32))


@kernel
def _add_exp(values, top, fresh, sums):
    """Add exp(values - top), none of which is above 1, to sums, or to 1 if these are fresh: all (N,) f4.

    exp(x) = 2^i exp(r) with a polynomial of the Cephes library (Moshier, 1989), accurate to 2e-7.
    """
    f4 = np.float32
    for s in range(len(sums)):
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
        scale = np.int32((power + np.int32(127)) << np.int32(23)).view(f4)
        sums[s] = (f4(1) if fresh else sums[s]) + (p * r * r + r + f4(1)) * scale


@kernel
def amplitudes(in_phase, quadrature, constant, scattered, out):
    """sqrt(scattered ((in_phase + constant)^2 + quadrature^2)): all (B, blocks) f4."""
    for frame in range(len(out)):
        for i in range(out.shape[1]):
            x, y = in_phase[frame, i] + constant, quadrature[frame, i]
            out[frame, i] = np.sqrt(scattered * (x * x + y * y))


@kernel
def faded_bpsk(bits, gain, noise, sigma, scale, out):
    """LLRs a (a s + sigma z) scale of bits (B, n) u1 at gains a: all others (B, n) f4."""
    for frame in range(len(out)):
        for i in range(out.shape[1]):
            a = gain[frame, i]
            y = (-a if bits[frame, i] else a) + sigma * noise[frame, i]
            out[frame, i] = a * y * scale


@kernel
def erased(bits, uniform, erasure, out):
    """LLRs of bits (B, n) u1: 0 where a uniform value is below the erasure probability, else infinite."""
    for frame in range(len(out)):
        for i in range(out.shape[1]):
            known = np.float32(-np.inf) if bits[frame, i] else np.float32(np.inf)
            out[frame, i] = np.float32(0) if uniform[frame, i] < erasure else known
