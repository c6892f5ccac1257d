"""Numba kernels of the engine: frames made, and decisions counted, without an array of noise."""

import numpy as np

from fecnn.channels.kernels import box_muller, philox
from fecnn.channels.stream import MESSAGE, NOISE
from fecnn.jit import kernel, popcount

STRIP = 64
"""Frames made at a time: their noise fits the first-level cache."""


@kernel
def make_frames(key, first, k, sigma, scale, encode, llr, sent, messages):
    """Fill in frames ``first``, ``first + 1``, ...; encode: table of a `gf2.LinearMap`."""
    frames, n = llr.shape
    blocks, message_blocks = (n + 3) // 4, (k + 127) // 128
    octets, _, width = encode.shape
    noise_words = np.empty((4, STRIP * blocks), np.uint32)
    padded = (n + 15) // 16 * 16
    noise_values = np.zeros(STRIP * 4 * blocks + 16, np.float32)
    noise = noise_values[: STRIP * 4 * blocks].reshape(STRIP, 4 * blocks)
    values, bits = llr.reshape(-1), sent.reshape(-1)
    message_words = np.empty((4, STRIP * message_blocks), np.uint32)
    for start in range(0, frames, STRIP):
        here = first + np.uint64(start)
        philox(key, np.uint32(NOISE + 4), here * np.uint64(blocks), noise_words)
        box_muller(noise_words.reshape(4, STRIP, blocks), noise)
        philox(key, np.uint32(MESSAGE), here * np.uint64(message_blocks), message_words)
        for f in range(min(STRIP, frames - start)):
            _message(message_words, f * message_blocks, k, messages, start + f)
            # Rows are written in whole vectors: what spills into the next row is written over by its frame.
            first_value = (start + f) * n
            spill = min(padded, len(values) - first_value)
            for w in range(width):
                codeword = np.uint64(0)
                for octet in range(octets):
                    word = messages[start + f, octet >> 3]
                    value = np.int64((word >> np.uint64(8 * (octet & 7))) & np.uint64(255))
                    codeword ^= encode[octet, value, w]
                count = np.uint64(min(64, spill - 64 * w))
                place, source = np.uint64(first_value + 64 * w), np.uint64(4 * blocks * f + 64 * w)
                _modulate(codeword, count, noise_values, source, sigma, scale, bits, values, place)


@kernel
def make_words(key, first, k, encode, sent):
    """Fill in codewords of frames ``first``, ``first + 1``, ...: sent (B, n) u1; encode as `make_frames`."""
    frames, n = sent.shape
    message_blocks = (k + 127) // 128
    octets, _, width = encode.shape
    message_words = np.empty((4, STRIP * message_blocks), np.uint32)
    messages = np.empty((1, (k + 63) // 64), np.uint64)
    bits = sent.reshape(-1)
    for start in range(0, frames, STRIP):
        here = first + np.uint64(start)
        philox(key, np.uint32(MESSAGE), here * np.uint64(message_blocks), message_words)
        for f in range(min(STRIP, frames - start)):
            _message(message_words, f * message_blocks, k, messages, 0)
            for w in range(width):
                codeword = np.uint64(0)
                for octet in range(octets):
                    word = messages[0, octet >> 3]
                    value = np.int64((word >> np.uint64(8 * (octet & 7))) & np.uint64(255))
                    codeword ^= encode[octet, value, w]
                place = np.uint64((start + f) * n + 64 * w)
                _spread(codeword, np.uint64(min(64, n - 64 * w)), bits, place)


@kernel
def _spread(word, count, bits, place):
    """Up to 64 bits from a word of them, written from ``place`` on."""
    for j in range(count):
        bits[place + j] = np.uint8((word >> j) & np.uint64(1))


@kernel
def _modulate(word, count, noise, source, sigma, scale, bits, values, place):
    """LLRs of up to 64 code bits from a word of them, written from ``place`` on; noise from ``source`` on."""
    for j in range(count):  # unsigned: an index that may be negative would be looked at bit by bit
        bit = np.uint8((word >> j) & np.uint64(1))
        bits[place + j] = bit
        values[place + j] = ((np.float32(-1) if bit else np.float32(1)) + sigma * noise[source + j]) * scale


@kernel(inline="always")
def _message(words, block, k, messages, frame):
    """The k message bits of a frame from the words of its blocks: messages (B, W) u8 out."""
    last = messages.shape[1] - 1
    for w in range(last + 1):
        source, half = block + (w >> 1), 2 * (w & 1)
        low, high = np.uint64(words[half, source]), np.uint64(words[half + 1, source])
        messages[frame, w] = low | (high << np.uint64(32))
    messages[frame, last] &= _first_bits(k - 64 * last)


@kernel
def count_words(llr, sent, decided, k, split, flags):
    """Counts of code bits; split: table of the k message bits of a word, followed by its syndrome.

    All is linear: the wrong message bits are the message of the difference, whose syndrome says whether the
    decision is a codeword.

    Returns:
        block errors, bit errors, their squares per frame, the same for code bits, ML errors: (6,) i8.
    """
    counts = np.zeros(6, np.int64)
    n = llr.shape[1]
    difference = np.empty((n + 63) // 64, np.uint64)
    parts = np.empty(split.shape[2], np.uint64)
    _compare(sent, decided, flags)
    values, x, y = llr.reshape(-1), sent.reshape(-1), decided.reshape(-1)
    for f in range(len(llr)):
        if flags[f]:
            _pack_difference(x, y, f * n, n, difference)
            _apply(split, difference, parts)
            bits = _weight(parts, k)
            likely = bits == _weight(parts, n) and _gain(values, x, f * n, difference) > 0.0
            _add(counts, bits, _weight(difference, n), likely)
    return counts


@kernel
def _compare(a, b, differ):
    """Which rows of a and b (B, n) differ: differ (B,) u1 out.

    Rows are read in whole vectors; what belongs to the next row is masked.
    """
    frames, n = a.shape
    x, y = a.reshape(-1), b.reshape(-1)
    padded = (n + 63) // 64 * 64
    mask = np.zeros(padded, np.uint8)
    mask[:n] = 255
    for f in range(frames):
        first = f * n
        ones = np.uint8(0)
        if first + padded <= len(x):
            p, q = x[first : first + padded], y[first : first + padded]
            for j in range(padded):
                ones |= (p[j] ^ q[j]) & mask[j]
        else:
            for j in range(first, first + n):
                ones |= x[j] ^ y[j]
        differ[f] = ones


@kernel
def _pack_difference(a, b, first, n, words):
    """Where the n bits from ``first`` on differ; read in whole vectors, like those of `_compare`."""
    for w in range(len(words)):
        place = first + 64 * w
        word = np.uint64(0)
        for j in range(np.uint64(min(64, len(a) - place))):
            word |= np.uint64(a[np.uint64(place) + j] ^ b[np.uint64(place) + j]) << j
        words[w] = word & _first_bits(n - 64 * w)


@kernel(inline="always")
def _first_bits(count):
    """A word whose first ``count`` bits are ones, or all 64."""
    ones = ~np.uint64(0)
    return ones if count >= 64 else ~(ones << np.uint64(count))


@kernel
def _apply(table, words, out):
    """A `gf2.LinearMap` on packed bits."""
    for w in range(len(out)):
        total = np.uint64(0)
        for octet in range(len(table)):
            value = np.int64((words[octet >> 3] >> np.uint64(8 * (octet & 7))) & np.uint64(255))
            total ^= table[octet, value, w]
        out[w] = total


@kernel
def _gain(llr, sent, first, difference):
    """How much likelier than the word sent, from ``first`` on, is that with the difference added: an LLR."""
    total = 0.0
    for w in range(len(difference)):
        place = first + 64 * w
        count = min(64, len(llr) - place)  # whole vectors: bits beyond the frame do not differ
        total += _gain_of_word(difference[w], np.uint64(count), llr, sent, np.uint64(place))
    return total


# The order of the sum is the compiler's, so that it can take many terms at once.
@kernel(fastmath={"reassoc", "nsz"})
def _gain_of_word(word, count, llr, sent, first):
    total = 0.0
    for j in range(count):
        value = llr[first + j] if sent[first + j] else -llr[first + j]
        total += np.float64(value if (word >> j) & np.uint64(1) else np.float32(0))
    return total


@kernel
def _weight(words, count):
    """Number of ones among the first ``count`` bits."""
    total = np.int64(0)
    for w in range((count + 63) >> 6):
        total += popcount(words[w] & _first_bits(count - 64 * w))
    return total


@kernel
def _add(counts, bits, code_bits, likely):
    counts[0] += 1
    counts[1] += bits
    counts[2] += bits * bits
    counts[3] += code_bits
    counts[4] += code_bits * code_bits
    counts[5] += likely
