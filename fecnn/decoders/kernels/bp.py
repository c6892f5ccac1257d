"""Belief propagation on a Tanner graph, LANES frames, or LANES checks of a frame, side by side.

Every message is a row of LANES floats, one a frame, so that each step is a few vector instructions; a lane
whose frame is finished takes the next frame. A call for so few frames that most lanes would be idle takes
them one by one, and a row then holds a message of each of some checks. Every message is computed by the
same operations both ways: what is decided of a frame does not depend on the others. The messages of bit j and
its LLR change sign together with bit j of the codeword that is sent, exactly, in any rounding: the decoder is
symmetric by construction.

The check node of sum-product: with x = e^-|v|, the box-plus of two magnitudes is (x + y) / (1 + x y), which
keeps every digit of large magnitudes as long as x does not underflow. So all x are taken relative to
c = e^-m2, m2 the second smallest magnitude of the check: x' = e^(m2 - |v|) is at most 1 except for the
smallest one, m1, where m2 - m1 is cut at 40 (beyond, the smallest magnitude alone decides, to 17 digits).
Weak messages are more accurate as p = tanh(|v| / 2), whose box-plus is the product; the result is read from p
where it is small and from x' elsewhere.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fecnn.decoders.kernels.lanes import whole, within
from fecnn.decoders.kernels.loops import copy
from fecnn.jit import kernel

LANES = 32
LIMIT = np.float32(1e30)  # of a message: sums of any number of them are still finite
CUT = np.float32(40.0)
ONE, ZERO = np.float32(1.0), np.float32(0.0)
SIGN = np.int32(-0x80000000)


class Graph(NamedTuple):
    """Checks, and how those of one frame are taken side by side.

    bits: (E,) i8, the bits of each check, check by check.
    starts: (C + 1,) i8: check c looks at bits[starts[c] : starts[c + 1]].
    order: (C,) i8, the checks in the order in which they are taken.
    groups: (G + 1,) i8: checks order[groups[g] : groups[g + 1]] are side by side. They are at most LANES, of
        one degree, and, where the schedule is layered, have no bit in common.
    """

    bits: NDArray[np.int64]
    starts: NDArray[np.int64]
    order: NDArray[np.int64]
    groups: NDArray[np.int64]


class Rule(NamedTuple):
    """Check nodes: sum_product b1, or min-sum; scale, offset, damping f4; layered b1, or flooding.

    limit: f4, where all LLRs saturate, which are integers then, as in fixed point; None for floats.
    """

    sum_product: bool
    scale: np.float32
    offset: np.float32
    damping: np.float32
    layered: bool
    limit: np.float32 | None = None


@kernel(error_model="numpy", fastmath={"contract"})
def bp(llr, graph, rule, iterations, stop, posterior, used, solved, sums):
    """Iterate each frame until its decisions satisfy all checks (if ``stop``), or ``iterations`` times.

    llr (B, n) f4. Out: posterior (B, n) f4; used (B,) i8 iterations; solved (B,) b1, whether all checks are
    satisfied; sums (B, n) f4, zeros at first, the posteriors summed over iterations, or without rows if not
    wanted.
    """
    n = llr.shape[1]
    # One frame gathers its messages, which costs as much again as the check nodes of sum-product.
    steps = max(1, len(graph.groups) - 1)
    few = max(1, len(graph.order) // ((2 if rule.sum_product else 4) * steps))
    lanes = LANES if len(llr) > few else 1
    channel = np.zeros((n, lanes), np.float32)
    total = np.zeros((n, lanes), np.float32)
    following = np.empty((n, lanes), np.float32)
    sum_of = np.zeros((n, lanes), np.float32)
    message = np.zeros((len(graph.bits), lanes), np.float32)
    ones = np.empty(n, np.int64)
    widest = 1
    for check in range(len(graph.order)):
        widest = max(widest, graph.starts[check + 1] - graph.starts[check])
    # LLVM uses no vectors in a loop over falling rows, unless it cannot see that they fall.
    falling = np.empty(widest, np.int64)
    for i in range(widest):
        falling[i] = widest - 1 - i
    row, sign = np.empty((6, LANES), np.float32), np.empty(LANES, np.int32)
    box = np.zeros((4, widest, LANES), np.float32), row, sign, falling
    frame_of = np.empty(lanes, np.int64)
    age = np.zeros(lanes, np.int64)
    kept = np.empty(lanes, np.int32)
    waiting, live = np.int64(0), 0
    for lane in range(lanes):
        frame_of[lane], waiting = _next_frame(llr, waiting, graph, stop, posterior, used, solved)
        live += frame_of[lane] >= 0
        _load(llr, frame_of[lane], lane, channel, total)
    while live > 0:
        if not rule.layered:
            copy(channel.reshape(-1), following.reshape(-1))
        _sweep(graph, rule, message, total, total if rule.layered else following, box)
        if not rule.layered:
            total, following = following, total
        if len(sums) > 0:
            for j in range(n):
                for lane in range(lanes):
                    sum_of[j, lane] += total[j, lane]
        broken = _broken(channel, total, graph, ones)
        renewed = False
        for lane in range(lanes):
            kept[lane] = -1
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
                frame_of[lane], waiting = _next_frame(llr, waiting, graph, stop, posterior, used, solved)
                live -= frame_of[lane] < 0
                _load(llr, frame_of[lane], lane, channel, total)
                age[lane], kept[lane], renewed = 0, 0, True
        if renewed:
            _forget(message, kept)


@kernel(error_model="numpy", fastmath={"contract"}, borrows=True)
def _next_frame(llr, waiting, graph, stop, posterior, used, solved):
    """The next frame to iterate on, -1 if none is left, and the one after; answers the clean ones itself."""
    for frame in range(waiting, len(llr)):
        if not (stop and _clean(llr[frame], graph)):
            return frame, frame + 1
        copy(llr[frame], posterior[frame])
        used[frame], solved[frame] = 0, True
    return -1, len(llr)


@kernel(error_model="numpy", fastmath={"contract"}, borrows=True)
def _clean(values, graph):
    for check in range(len(graph.order)):
        parity = False
        for edge in range(graph.starts[check], graph.starts[check + 1]):
            parity ^= values[graph.bits[edge]] < 0
        if parity:
            return False
    return True


@kernel(error_model="numpy", fastmath={"contract"}, borrows=True)
def _load(llr, frame, lane, channel, total):
    for j in range(len(channel)):
        value = ZERO if frame < 0 else min(max(llr[frame, j], -LIMIT), LIMIT)
        channel[j, lane] = value
        total[j, lane] = value


@kernel(error_model="numpy", fastmath={"contract"}, borrows=True)
def _forget(message, kept):
    """Messages of a lane are kept (-1) or set to 0 (0)."""
    for edge in range(len(message)):
        for lane in range(len(kept)):
            raw = np.float32(message[edge, lane]).view(np.int32)
            message[edge, lane] = np.int32(raw & kept[lane]).view(np.float32)


@kernel(error_model="numpy", fastmath={"contract"}, borrows=True)
def _broken(channel, total, graph, ones):
    """A mask of the lanes whose decisions break a check; ones (n,) i8 is scratch."""
    for j in range(len(total)):
        mask = np.int64(0)
        for lane in range(total.shape[1]):
            one = total[j, lane] < 0 or (total[j, lane] == 0 and channel[j, lane] < 0)
            mask |= np.int64(one) << lane
        ones[j] = mask
    broken = 0
    for check in range(len(graph.order)):
        parity = 0
        for edge in range(graph.starts[check], graph.starts[check + 1]):
            parity ^= ones[graph.bits[edge]]
        broken |= parity
    return broken


@kernel(error_model="numpy", fastmath={"contract"}, borrows=True)
def _sweep(graph, rule, message, total, target, box):
    """All checks once: their messages are renewed, and added to ``target`` or put in place of the old.

    Of LANES frames, or of one: then the lanes are checks, a group at a time.
    """
    bits, starts, order, groups = graph
    incoming, outgoing = box[0][0], box[0][1]
    alone = message.shape[1] == 1
    for step in range(len(groups) - 1 if alone else len(order)):
        begin = groups[step] if alone else step
        check = order[begin] if alone else step
        count = groups[step + 1] - begin if alone else 1
        first = starts[check]
        degree = starts[check + 1] - first
        if alone:
            for lane in range(count):
                edge = starts[order[begin + lane]]
                for i in range(degree):
                    value = within(total[bits[edge + i], 0] - message[edge + i, 0], rule.limit)
                    incoming[i, lane] = min(max(value, -LIMIT), LIMIT)
        else:
            for i in range(degree):
                j = bits[first + i]
                for lane in range(LANES):
                    value = within(total[j, lane] - message[first + i, lane], rule.limit)
                    incoming[i, lane] = min(max(value, -LIMIT), LIMIT)
        _check_node(rule, degree, box)
        if alone:
            for lane in range(count):
                edge = starts[order[begin + lane]]
                for i in range(degree):
                    new = outgoing[i, lane]
                    new += rule.damping * (message[edge + i, 0] - new)
                    message[edge + i, 0] = new
                    if rule.layered:
                        target[bits[edge + i], 0] = within(incoming[i, lane] + new, rule.limit)
        else:
            for i in range(degree):
                j = bits[first + i]
                for lane in range(LANES):
                    old = message[first + i, lane]
                    new = outgoing[i, lane]
                    new += rule.damping * (old - new)
                    message[first + i, lane] = new
                    before = incoming[i, lane] if rule.layered else target[j, lane]
                    target[j, lane] = within(before + new, rule.limit)
    if alone and not rule.layered:
        for edge in range(len(bits)):
            target[bits[edge], 0] = within(target[bits[edge], 0] + message[edge, 0], rule.limit)


@kernel(error_model="numpy", fastmath={"contract"}, inline="always")
def _check_node(rule, degree, box):
    """Messages to the bits of a check, in ``box[0][1]``, from those in ``box[0][0]``, in each lane."""
    scratch, row, sign, falling = box
    incoming, outgoing, x, p = scratch[0], scratch[1], scratch[2], scratch[3]
    first, second = row[0], row[1]
    for lane in range(LANES):
        value = incoming[0, lane]
        sign[lane] = np.float32(value).view(np.int32)
        first[lane] = abs(value)
        second[lane] = LIMIT
    for i in range(1, degree):
        for lane in range(LANES):
            value = incoming[i, lane]
            magnitude = abs(value)
            sign[lane] ^= np.float32(value).view(np.int32)
            second[lane] = min(second[lane], max(first[lane], magnitude))
            first[lane] = min(first[lane], magnitude)
    if rule.sum_product:
        _sum_product(incoming, outgoing, x, p, degree, row, falling)
    else:
        for i in range(degree):
            for lane in range(LANES):
                others = second[lane] if abs(incoming[i, lane]) == first[lane] else first[lane]
                outgoing[i, lane] = max(others - rule.offset, ZERO)
    for i in range(degree):
        for lane in range(LANES):
            negative = (sign[lane] ^ np.float32(incoming[i, lane]).view(np.int32)) & SIGN
            size = whole(np.float32(rule.scale * outgoing[i, lane]), rule.limit)
            outgoing[i, lane] = np.int32(np.float32(size).view(np.int32) | negative).view(np.float32)


@kernel(error_model="numpy", fastmath={"contract"}, inline="always")
def _sum_product(incoming, outgoing, x, p, degree, row, falling):
    """Box-plus of all incoming magnitudes but one, by prefixes and suffixes; see the head of this file."""
    widest = len(falling)
    first, second, gap, c, x_rest, p_rest = row[0], row[1], row[2], row[3], row[4], row[5]
    for lane in range(LANES):
        gap[lane] = min(second[lane] - first[lane], CUT)
        c[lane] = _exp(-second[lane])
    for i in range(degree):
        for lane in range(LANES):
            magnitude = abs(incoming[i, lane])
            value = _exp(min(second[lane] - magnitude, gap[lane]))
            x[i, lane] = value
            p[i, lane] = _tanh_half(magnitude, c[lane] * value)
    # From here on, outgoing holds the prefix of x, and x_rest the suffix; box-plus with nothing, x = 0, is
    # left out. Then x holds the suffix of p.
    last = degree - 1
    for lane in range(LANES):
        c[lane] *= c[lane]
        x_rest[lane] = x[0, lane]
    for i in range(1, last):
        for lane in range(LANES):
            outgoing[i, lane] = x_rest[lane]
            x_rest[lane] = (x_rest[lane] + x[i, lane]) / (ONE + c[lane] * x_rest[lane] * x[i, lane])
    copy(x_rest, outgoing[last])
    copy(x[last], x_rest)
    copy(p[last], p_rest)
    for lane in range(LANES):
        x[last, lane] = ONE
    for place in range(1, last):
        i = falling[widest - degree + place]
        for lane in range(LANES):
            before = outgoing[i, lane]
            outgoing[i, lane] = (before + x_rest[lane]) / (ONE + c[lane] * before * x_rest[lane])
            x_rest[lane] = (x_rest[lane] + x[i, lane]) / (ONE + c[lane] * x_rest[lane] * x[i, lane])
            x[i, lane] = p_rest[lane]
            p_rest[lane] *= p[i, lane]
    if last > 0:
        copy(x_rest, outgoing[0])
        copy(p_rest, x[0])
    else:
        for lane in range(LANES):
            outgoing[0, lane] = ZERO
    for lane in range(LANES):
        p_rest[lane] = ONE
    for i in range(degree):
        for lane in range(LANES):
            weak = x[i, lane] * p_rest[lane]
            p_rest[lane] *= p[i, lane]
            base = second[lane] if abs(incoming[i, lane]) == first[lane] else first[lane] + gap[lane]
            z, exponent = _log(max(outgoing[i, lane], ONE))
            is_weak = weak < np.float32(0.3)
            half = _twice_atanh(weak if is_weak else z)
            outgoing[i, lane] = half if is_weak else base - (half + exponent)


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
    """Two numbers for x of at least 1: ln x is 2 atanh of the first, plus the second."""
    raw = np.int32(np.float32(x).view(np.int32) - 0x3F3504F3)  # so that the mantissa lies around 1
    power = np.int32(raw >> 23)
    mantissa = np.int32((raw & 0x007FFFFF) + 0x3F3504F3).view(np.float32)
    return (mantissa - ONE) / (mantissa + ONE), np.float32(power) * np.float32(0.69314718)


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
