"""Numba kernels for attention on the edges of a graph, processing several frames side by side."""

import numpy as np

from fecnn.jit import kernel

LOG2_E = np.float32(1.4426950408889634)
LN2_HIGH, LN2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
ROUND = np.float32(1.5 * 2**23)  # adding this to a float32 rounds it into the low bits of the mantissa


@kernel(error_model="numpy", fastmath={"contract"})
def exp(x):
    """e^x of a float32 in [-87, 0], accurate to 1e-7 and without a call, so that loops vectorise."""
    rounded = x * LOG2_E + ROUND
    exponent = rounded - ROUND
    r = (x - exponent * LN2_HIGH) - exponent * LN2_LOW
    p = np.float32(1.9875691500e-4)
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    p = p * r * r + r + np.float32(1)
    return p * np.int32((np.float32(rounded).view(np.int32) + 127) << 23).view(np.float32)


@kernel(error_model="numpy")
def load(x, start, column, size, scale, block):
    """Copy columns column.. of the tokens of some frames to block (tokens, entries, frames)."""
    for i in range(block.shape[0]):
        for frame in range(min(block.shape[2], len(x) - start)):
            for j in range(size):
                block[i, j, frame] = scale * x[start + frame, i, column + j]


@kernel(error_model="numpy")
def store(block, scale, x, start, column, size):
    """The reverse of `load`."""
    for i in range(block.shape[0]):
        for frame in range(min(block.shape[2], len(x) - start)):
            for j in range(size):
                x[start + frame, i, column + j] = scale * block[i, j, frame]


@kernel(error_model="numpy", fastmath={"contract"})
def attend(q, source, first, second, weights, out, offset):
    """Attend; keys are columns offset.. of source, values d further; weights (blocks, heads, E, frames)."""
    d, heads = out.shape[2], weights.shape[1]
    size = d // heads
    padded = -(-size // 4) * 4  # zero padding, so that entries are processed in fours
    lanes = weights.shape[3]
    scale = np.float32(1 / np.sqrt(size))
    ones = np.float32(1)
    query = np.zeros((q.shape[1], padded, lanes), np.float32)
    key = np.zeros((source.shape[1], padded, lanes), np.float32)
    value = np.zeros((source.shape[1], padded, lanes), np.float32)
    top = np.empty(lanes, np.float32)
    total = np.empty(lanes, np.float32)
    for start in range(0, len(q), lanes):
        block = start // lanes % len(weights)
        for head in range(heads):
            load(q, start, head * size, size, scale, query)
            load(source, start, offset + head * size, size, ones, key)
            load(source, start, offset + d + head * size, size, ones, value)
            w = weights[block, head]
            for i in range(len(query)):
                top[:] = -np.inf
                for e in range(first[i], first[i + 1]):
                    other = second[e]
                    score = w[e]
                    score[:] = 0
                    for j in range(0, padded, 4):
                        for lane in range(lanes):
                            score[lane] += (
                                query[i, j, lane] * key[other, j, lane]
                                + query[i, j + 1, lane] * key[other, j + 1, lane]
                                + query[i, j + 2, lane] * key[other, j + 2, lane]
                                + query[i, j + 3, lane] * key[other, j + 3, lane]
                            )
                    for lane in range(lanes):
                        top[lane] = score[lane] if score[lane] > top[lane] else top[lane]
                total[:] = 0
                for e in range(first[i], first[i + 1]):
                    score = w[e]
                    for lane in range(lanes):
                        x = score[lane] - top[lane]
                        score[lane] = exp(x if x > np.float32(-87) else np.float32(-87))
                    for lane in range(lanes):
                        total[lane] += score[lane]
                for lane in range(lanes):
                    total[lane] = ones / total[lane]
                query[i] = 0  # its place is that of the output
                for e in range(first[i], first[i + 1]):
                    other = second[e]
                    share = w[e]
                    for lane in range(lanes):
                        share[lane] *= total[lane]
                    for j in range(size):
                        for lane in range(lanes):
                            query[i, j, lane] += share[lane] * value[other, j, lane]
            store(query, ones, out, start, head * size, size)


@kernel(error_model="numpy", fastmath={"contract"})
def attend_backward(q, source, first, second, weights, of_out, of_q, of_source, offset):
    """Gradients of q and source from that of the output, using the weights stored by `attend`."""
    d, heads = of_out.shape[2], weights.shape[1]
    size = d // heads
    padded = -(-size // 4) * 4  # zero padding, so that entries are processed in fours
    lanes = weights.shape[3]
    scale = np.float32(1 / np.sqrt(size))
    ones = np.float32(1)
    L, M = q.shape[1], source.shape[1]
    query = np.zeros((L, padded, lanes), np.float32)
    of_mixed, of_query = np.zeros_like(query), np.zeros_like(query)
    key = np.zeros((M, padded, lanes), np.float32)
    value, of_key, of_value = np.zeros_like(key), np.zeros_like(key), np.zeros_like(key)
    of_weight = np.empty((weights.shape[2], lanes), np.float32)
    mean = np.empty(lanes, np.float32)
    for start in range(0, len(q), lanes):
        for head in range(heads):
            load(q, start, head * size, size, scale, query)
            load(source, start, offset + head * size, size, ones, key)
            load(source, start, offset + d + head * size, size, ones, value)
            load(of_out, start, head * size, size, ones, of_mixed)
            of_query[:] = 0
            of_key[:] = 0
            of_value[:] = 0
            w = weights[start // lanes, head]
            for i in range(L):
                mean[:] = 0
                for e in range(first[i], first[i + 1]):
                    other = second[e]
                    share, change = w[e], of_weight[e]
                    change[:] = 0
                    for j in range(0, padded, 4):
                        for lane in range(lanes):
                            change[lane] += (
                                of_mixed[i, j, lane] * value[other, j, lane]
                                + of_mixed[i, j + 1, lane] * value[other, j + 1, lane]
                                + of_mixed[i, j + 2, lane] * value[other, j + 2, lane]
                                + of_mixed[i, j + 3, lane] * value[other, j + 3, lane]
                            )
                    for j in range(size):
                        for lane in range(lanes):
                            of_value[other, j, lane] += share[lane] * of_mixed[i, j, lane]
                    for lane in range(lanes):
                        mean[lane] += share[lane] * change[lane]
                for e in range(first[i], first[i + 1]):
                    other = second[e]
                    share, change = w[e], of_weight[e]
                    for lane in range(lanes):
                        change[lane] = share[lane] * (change[lane] - mean[lane])
                    for j in range(size):
                        for lane in range(lanes):
                            of_query[i, j, lane] += change[lane] * key[other, j, lane]
                            of_key[other, j, lane] += change[lane] * query[i, j, lane]
            store(of_query, scale, of_q, start, head * size, size)
            store(of_key, ones, of_source, start, offset + head * size, size)
            store(of_value, ones, of_source, start, offset + d + head * size, size)
