"""The kernel of belief propagation before all its loops were vectors: a plain twin, and peer of `bench_bp`.

It is kept as it was.

Belief propagation on a Tanner graph, LANES frames side by side.

Every message is a row of LANES floats, one a frame, so that each step is a few vector instructions; a lane
whose frame is finished takes the next frame. The messages of bit j and its LLR change sign together with bit
j of the codeword that is sent, exactly, in any rounding: the decoder is symmetric by construction.

The check node of sum-product: with x = e^-|v|, the box-plus of two magnitudes is (x + y) / (1 + x y), which
keeps every digit of large magnitudes as long as x does not underflow. So all x are taken relative to
c = e^-m2, m2 the second smallest magnitude of the check: x' = e^(m2 - |v|) is at most 1 except for the
smallest one, m1, where m2 - m1 is cut at 40 (beyond, the smallest magnitude alone decides, to 17 digits).
Weak messages are more accurate as p = tanh(|v| / 2), whose box-plus is the product; the result is read from p
where it is small and from x' elsewhere.
"""

import numpy as np

from fecnn.decoders.kernels.loops import copy
from fecnn.jit import kernel

LANES = 32
LIMIT = np.float32(1e30)  # of a message: sums of any number of them are still finite
CUT = np.float32(40.0)
ONE, ZERO = np.float32(1.0), np.float32(0.0)


@kernel(error_model="numpy", fastmath={"contract"})
def bp(
    llr,
    bits,
    starts,
    sum_product,
    scale,
    offset,
    layered,
    damping,
    iterations,
    stop,
    posterior,
    used,
    solved,
    sums,
):
    """Iterate each frame until its decisions satisfy all checks (if ``stop``), or ``iterations`` times.

    llr (B, n) f4; check c looks at bits[starts[c] : starts[c + 1]] (i8); scale, offset, damping f4.
    Out: posterior (B, n) f4; used (B,) i8 iterations; solved (B,) b1, whether all checks are satisfied;
    sums (B, n) f4, zeros at first, the posteriors summed over iterations, or without rows if not wanted.
    """
    n = llr.shape[1]
    channel = np.zeros((n, LANES), np.float32)
    total = np.zeros((n, LANES), np.float32)
    following = np.empty((n, LANES), np.float32)
    sum_of = np.zeros((n, LANES), np.float32)
    message = np.zeros((len(bits), LANES), np.float32)
    widest = 0
    for check in range(len(starts) - 1):
        widest = max(widest, starts[check + 1] - starts[check])
    scratch = np.empty((4, widest, LANES), np.float32)
    row = np.empty((7, LANES), np.float32)
    frame_of = np.empty(LANES, np.int64)
    age = np.zeros(LANES, np.int64)
    waiting, live = np.int64(0), 0
    for lane in range(LANES):
        frame_of[lane], waiting = _next_frame(llr, waiting, bits, starts, stop, posterior, used, solved)
        live += frame_of[lane] >= 0
        _load(llr, frame_of[lane], lane, channel, total, message)
    while live > 0:
        if not layered:
            copy(channel.reshape(-1), following.reshape(-1))
        target = total if layered else following
        _sweep(
            bits, starts, sum_product, scale, offset, damping, layered, message, total, target, scratch, row
        )
        if not layered:
            total, following = following, total
        if len(sums) > 0:
            for j in range(n):
                for lane in range(LANES):
                    sum_of[j, lane] += total[j, lane]
        broken = _broken(channel, total, bits, starts)
        for lane in range(LANES):
            frame = frame_of[lane]
            if frame < 0:
                continue
            age[lane] += 1
            satisfied = (broken >> lane) & 1 == 0
            if age[lane] == iterations or (stop and satisfied):
                for j in range(n):
                    posterior[frame, j] = total[j, lane]
                if len(sums) > 0:
                    for j in range(n):
                        sums[frame, j] = sum_of[j, lane]
                        sum_of[j, lane] = ZERO
                used[frame], solved[frame] = age[lane], satisfied
                frame_of[lane], waiting = _next_frame(
                    llr, waiting, bits, starts, stop, posterior, used, solved
                )
                live -= frame_of[lane] < 0
                _load(llr, frame_of[lane], lane, channel, total, message)
                age[lane] = 0


@kernel(error_model="numpy", fastmath={"contract"})
def _next_frame(llr, waiting, bits, starts, stop, posterior, used, solved):
    """The next frame to iterate on, -1 if none is left, and the one after; answers the clean ones itself."""
    for frame in range(waiting, len(llr)):
        if not (stop and _clean(llr[frame], bits, starts)):
            return frame, frame + 1
        copy(llr[frame], posterior[frame])
        used[frame], solved[frame] = 0, True
    return -1, len(llr)


@kernel(error_model="numpy", fastmath={"contract"})
def _clean(values, bits, starts):
    for check in range(len(starts) - 1):
        parity = False
        for edge in range(starts[check], starts[check + 1]):
            parity ^= values[bits[edge]] < 0
        if parity:
            return False
    return True


@kernel(error_model="numpy", fastmath={"contract"})
def _load(llr, frame, lane, channel, total, message):
    for j in range(len(channel)):
        value = ZERO if frame < 0 else min(max(llr[frame, j], -LIMIT), LIMIT)
        channel[j, lane] = value
        total[j, lane] = value
    for edge in range(len(message)):
        message[edge, lane] = ZERO


@kernel(error_model="numpy", fastmath={"contract"})
def _broken(channel, total, bits, starts):
    """A mask of the lanes whose decisions break a check. A total of 0 decides as the channel does."""
    n = len(total)
    ones = np.zeros(n, np.int64)
    for j in range(n):
        mask = np.int64(0)
        for lane in range(LANES):
            one = total[j, lane] < 0 or (total[j, lane] == 0 and channel[j, lane] < 0)
            mask |= np.int64(one) << lane
        ones[j] = mask
    broken = 0
    for check in range(len(starts) - 1):
        parity = 0
        for edge in range(starts[check], starts[check + 1]):
            parity ^= ones[bits[edge]]
        broken |= parity
    return broken


@kernel(error_model="numpy", fastmath={"contract"})
def _sweep(bits, starts, sum_product, scale, offset, damping, in_place, message, total, target, scratch, row):
    """All checks once: their messages are renewed, and added to ``target`` or put in place of the old."""
    for check in range(len(starts) - 1):
        first, last = starts[check], starts[check + 1]
        degree = last - first
        incoming, outgoing = scratch[0], scratch[1]
        for i in range(degree):
            j = bits[first + i]
            for lane in range(LANES):
                value = total[j, lane] - message[first + i, lane]
                incoming[i, lane] = min(max(value, -LIMIT), LIMIT)
        if sum_product:
            _sum_product(incoming, outgoing, scratch[2], scratch[3], degree, row)
        else:
            _min_sum(incoming, outgoing, offset, degree, row)
        for i in range(degree):
            j = bits[first + i]
            for lane in range(LANES):
                old = message[first + i, lane]
                new = scale * outgoing[i, lane]
                new += damping * (old - new)
                message[first + i, lane] = new
                target[j, lane] = (incoming[i, lane] if in_place else target[j, lane]) + new


@kernel(error_model="numpy", fastmath={"contract"})
def _signs_and_minima(incoming, degree, sign, first, second):
    """Over a check: the product of signs (0 counts as positive) and the two smallest magnitudes."""
    for lane in range(LANES):
        sign[lane] = ONE
        first[lane] = LIMIT
        second[lane] = LIMIT
    for i in range(degree):
        for lane in range(LANES):
            value = incoming[i, lane]
            magnitude = abs(value)
            sign[lane] = -sign[lane] if value < 0 else sign[lane]
            second[lane] = min(second[lane], max(first[lane], magnitude))
            first[lane] = min(first[lane], magnitude)


@kernel(error_model="numpy", fastmath={"contract"})
def _min_sum(incoming, outgoing, offset, degree, row):
    sign, first, second = row[0], row[1], row[2]
    _signs_and_minima(incoming, degree, sign, first, second)
    for i in range(degree):
        for lane in range(LANES):
            value = incoming[i, lane]
            others = second[lane] if abs(value) == first[lane] else first[lane]
            others = max(others - offset, ZERO)
            outgoing[i, lane] = others * (-sign[lane] if value < 0 else sign[lane])


@kernel(error_model="numpy", fastmath={"contract"})
def _sum_product(incoming, outgoing, x, p, degree, row):
    """Box-plus of all incoming messages but one, by prefixes and suffixes; see the head of this file."""
    sign, first, second, gap, c, x_rest, p_rest = row[0], row[1], row[2], row[3], row[4], row[5], row[6]
    _signs_and_minima(incoming, degree, sign, first, second)
    for lane in range(LANES):
        gap[lane] = min(second[lane] - first[lane], CUT)
        c[lane] = _exp(-second[lane])
    for i in range(degree):
        for lane in range(LANES):
            magnitude = abs(incoming[i, lane])
            value = _exp(min(second[lane] - magnitude, gap[lane]))
            x[i, lane] = value
            p[i, lane] = _tanh_half(magnitude, c[lane] * value)
    # From here on, outgoing holds the prefix of x, and p_rest and x_rest the suffixes.
    for lane in range(LANES):
        x_rest[lane] = ZERO
        p_rest[lane] = ONE
        c[lane] *= c[lane]
    for i in range(degree):
        for lane in range(LANES):
            outgoing[i, lane] = x_rest[lane]
            x_rest[lane] = (x_rest[lane] + x[i, lane]) / (ONE + c[lane] * x_rest[lane] * x[i, lane])
    for lane in range(LANES):
        x_rest[lane] = ZERO
    for i in range(degree - 1, -1, -1):
        for lane in range(LANES):
            before = outgoing[i, lane]
            outgoing[i, lane] = (before + x_rest[lane]) / (ONE + c[lane] * before * x_rest[lane])
            x_rest[lane] = (x_rest[lane] + x[i, lane]) / (ONE + c[lane] * x_rest[lane] * x[i, lane])
            own = p[i, lane]
            p[i, lane] = p_rest[lane]
            p_rest[lane] *= own
            x[i, lane] = own
    for lane in range(LANES):
        p_rest[lane] = ONE
    for i in range(degree):
        for lane in range(LANES):
            value = incoming[i, lane]
            weak = p[i, lane] * p_rest[lane]
            p_rest[lane] *= x[i, lane]
            base = second[lane] if abs(value) == first[lane] else first[lane] + gap[lane]
            strong = base - _log(max(outgoing[i, lane], ONE))
            weak_others = _twice_atanh(weak)
            others = weak_others if weak < np.float32(0.3) else strong
            outgoing[i, lane] = others * (-sign[lane] if value < 0 else sign[lane])


@kernel(error_model="numpy", fastmath={"contract"}, inline="always")
def _exp(x):
    """e^x for x at most 40, to 2 units in the last place; about 1e-38 below -87."""
    x = max(x, np.float32(-87.0))
    power = np.floor(x * np.float32(1.44269504) + np.float32(0.5))
    r = x - power * np.float32(0.693359375) + power * np.float32(2.12194440e-4)
    y = np.float32(1.0 / 5040)
    y = y * r + np.float32(1.0 / 720)
    y = y * r + np.float32(1.0 / 120)
    y = y * r + np.float32(1.0 / 24)
    y = y * r + np.float32(1.0 / 6)
    y = y * r + np.float32(0.5)
    y = y * r + ONE
    y = y * r + ONE
    return y * np.int32((np.int32(power) + 127) << 23).view(np.float32)


@kernel(error_model="numpy", fastmath={"contract"}, inline="always")
def _log(x):
    """Natural logarithm of x at least 1: the exponent, and 2 atanh((m - 1) / (m + 1)) of the mantissa."""
    raw = np.int32(np.float32(x).view(np.int32) - 0x3F3504F3)  # so that the mantissa lies around 1
    power = np.int32(raw >> 23)
    mantissa = np.int32((raw & 0x007FFFFF) + 0x3F3504F3).view(np.float32)
    z = (mantissa - ONE) / (mantissa + ONE)
    return _twice_atanh(z) + np.float32(power) * np.float32(0.69314718)


@kernel(error_model="numpy", fastmath={"contract"}, inline="always")
def _twice_atanh(z):
    """2 atanh z for abs(z) at most 0.3, by its series."""
    s = z * z
    y = np.float32(2.0 / 13)
    y = y * s + np.float32(2.0 / 11)
    y = y * s + np.float32(2.0 / 9)
    y = y * s + np.float32(2.0 / 7)
    y = y * s + np.float32(2.0 / 5)
    y = y * s + np.float32(2.0 / 3)
    y = y * s + np.float32(2.0)
    return y * z


@kernel(error_model="numpy", fastmath={"contract"}, inline="always")
def _tanh_half(a, x):
    """tanh(a / 2) of a >= 0 and x = e^-a; by its series where 1 - x would lose digits."""
    h = np.float32(0.5) * a
    s = h * h
    y = np.float32(62.0 / 2835)
    y = y * s - np.float32(17.0 / 315)
    y = y * s + np.float32(2.0 / 15)
    y = y * s - np.float32(1.0 / 3)
    y = (y * s + ONE) * h
    large = (ONE - x) / (ONE + x)
    return y if a < np.float32(0.5) else large
