"""Decoders of a third party: a good one, and one for each way of breaking the contract."""

import itertools

import numpy as np

from fecnn.arrays import bpsk, hard


def nearest_codeword(code, channel=None, /):
    book = code.codebook()
    symbols = bpsk(book).T.astype(np.float64)
    return lambda llr: book[(llr.astype(np.float64) @ symbols).argmax(axis=1)]


def always_zero(code, channel=None, /):
    return lambda llr: np.zeros((len(llr), code.n), np.uint8)


def favours_zero(code, channel=None, /):
    decode = nearest_codeword(code)
    return lambda llr: decode(llr + np.float32(0.5))


def writes(code, channel=None, /):
    decode = nearest_codeword(code)

    def write(llr):
        bits = decode(llr)
        llr *= 2
        return bits

    return write


def batch_dependent(code, channel=None, /):
    decode = nearest_codeword(code)

    def lazy(llr):
        bits = decode(llr)
        bits[100:] = hard(llr[100:])
        return bits

    return lazy


def forgetful(code, channel=None, /):
    decode, calls = nearest_codeword(code), itertools.count()
    # Right on the first two calls of the contract, then never again.
    return lambda llr: decode(llr) if next(calls) < 3 else hard(llr)


def worse_than_hard(code, channel=None, /):
    decode = nearest_codeword(code)

    def bad(llr):
        clean = np.abs(llr).min(axis=1) > 7
        return np.where(clean[:, None], decode(llr), hard(-llr))

    return bad


def wrong_dtype(code, channel=None, /):
    return lambda llr: np.zeros((len(llr), code.n))


def wrong_shape(code, channel=None, /):
    return lambda llr: np.zeros((len(llr), code.n + 1), np.uint8)


def not_bits(code, channel=None, /):
    return lambda llr: np.full((len(llr), code.n), 2, np.uint8)


def stateful(code, channel=None, /):
    decode, seen = nearest_codeword(code), [0]

    def counting(llr):
        seen[0] += len(llr)
        bits = decode(llr)
        if seen[0] > 5000:
            bits = bits ^ code.G[0]
        return bits

    return counting


def unseeded(code, channel=None, /):
    """Breaks ties by chance, and nothing else."""
    decode, rng = nearest_codeword(code), np.random.default_rng()
    return lambda llr: decode(llr + np.float32(1e-4) * rng.normal(size=llr.shape).astype(np.float32))


def unseeded_factory(code, channel=None, /):
    """The same bits every time, until it is made again."""
    decode, noise = nearest_codeword(code), np.random.default_rng().normal(0, 1e-4, code.n)
    return lambda llr: decode(llr + noise.astype(np.float32) * np.sign(llr + np.float32(1e-9)))


def messages(code, channel=None, /):
    decode = nearest_codeword(code)
    return lambda llr: code.extract(decode(llr))
