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

from fecnn.decoders.kernels.arena import empty, zeros
from fecnn.decoders.kernels.lanes import (
    as_bits,
    as_floats,
    choose,
    floor,
    higher,
    less,
    load,
    lower,
    magnitude,
    splat,
    store,
    to_floats,
    to_words,
    whole,
    within,
)
from fecnn.decoders.kernels.loops import copy
from fecnn.jit import kernel

EACH, WIDE = 16, 2  # floats in a vector, and vectors in a row
LANES = EACH * WIDE
LIMIT = np.float32(1e30)  # of a message: sums of any number of them are still finite
CUT = np.float32(40.0)
ONE, HALF, ZERO = np.float32(1.0), np.float32(0.5), np.float32(0.0)
SIGN, NONE = np.uint32(0x80000000), np.uint32(0)


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


@kernel(error_model="numpy", fastmath={"contract"}, borrows=True)
def bp(arena, llr, graph, rule, iterations, stop, posterior, used, solved, sums):
    """Iterate each frame until its decisions satisfy all checks (if ``stop``), or ``iterations`` times.

    arena, memory; llr (B, n) f4. Out: posterior (B, n) f4; used (B,) i8 iterations; solved (B,) b1, whether
    all checks are satisfied; sums (B, n) f4, zeros at first, the posteriors summed over iterations, or
    without rows if not wanted.
    """
    n = llr.shape[1]
    # One frame gathers its messages, which costs as much again as the check nodes of sum-product.
    steps = max(1, len(graph.groups) - 1)
    few = max(1, len(graph.order) // ((2 if rule.sum_product else 4) * steps))
    lanes = LANES if len(llr) > few else 1
    channel = zeros(arena, (n, lanes), np.float32)
    total = zeros(arena, (n, lanes), np.float32)
    following = empty(arena, (n, lanes), np.float32)
    sum_of = zeros(arena, (n, lanes), np.float32)
    message = zeros(arena, (len(graph.bits), lanes), np.float32)
    ones = empty(arena, n, np.int64)
    widest = 1
    for check in range(len(graph.order)):
        widest = max(widest, graph.starts[check + 1] - graph.starts[check])
    # Zeros also where no check ever is: arithmetic on what is left there can be slow.
    scratch = zeros(arena, (4, widest, LANES), np.float32)
    box = scratch[0], scratch[1], scratch[2], scratch[3]
    frame_of = empty(arena, lanes, np.int64)
    age = zeros(arena, lanes, np.int64)
    kept = empty(arena, lanes, np.int32)
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
    incoming, outgoing = box[0], box[1]
    alone = message.shape[1] == 1
    for step in range(len(groups) - 1 if alone else len(order)):
        begin = groups[step] if alone else step
        check = order[begin] if alone else step
        count = groups[step + 1] - begin if alone else LANES
        first = starts[check]
        degree = starts[check + 1] - first
        if alone:
            for lane in range(count):
                edge = starts[order[begin + lane]]
                for i in range(degree):
                    value = within(total[bits[edge + i], 0] - message[edge + i, 0], rule.limit)
                    incoming[i, lane] = min(max(value, -LIMIT), LIMIT)
        else:
            low, high = splat(-LIMIT), splat(LIMIT)
            for i in range(degree):
                for v in range(WIDE):
                    value = load(total, bits[first + i] * WIDE + v) - load(message, (first + i) * WIDE + v)
                    value = within(value, rule.limit)
                    store(incoming, i * WIDE + v, lesser(greater(value, low), high))
        for v in range((count + EACH - 1) // EACH):
            _check_node(rule, degree, box, v)
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
            damping = splat(rule.damping)
            for i in range(degree):
                for v in range(WIDE):
                    at, edge = bits[first + i] * WIDE + v, (first + i) * WIDE + v
                    new = load(outgoing, i * WIDE + v)
                    new = new + damping * (load(message, edge) - new)
                    store(message, edge, new)
                    before = load(incoming, i * WIDE + v) if rule.layered else load(target, at)
                    store(target, at, within(before + new, rule.limit))
    if alone and not rule.layered:
        for edge in range(len(bits)):
            target[bits[edge], 0] = within(target[bits[edge], 0] + message[edge, 0], rule.limit)


@kernel(error_model="numpy", fastmath={"contract"}, borrows=True)
def _check_node(rule, degree, box, v):
    """Messages to the bits of a check from those of its bits, in each lane of vector v.

    box: Four (widest, LANES) f4: messages in, messages out, and scratch for x and p of sum-product.
    """
    incoming, outgoing = box[0], box[1]
    zero, signs = splat(ZERO), splat(SIGN)
    first, second, sign = splat(LIMIT), splat(LIMIT), splat(NONE)
    for i in range(degree):
        value = load(incoming, i * WIDE + v)
        size = magnitude(value)
        sign = sign ^ as_bits(value)
        second = lesser(second, greater(first, size))
        first = lesser(first, size)
    if rule.sum_product:
        _sum_product(box, degree, v, first, second)
    else:
        offset = splat(rule.offset)
        for i in range(degree):
            more = less(first, magnitude(load(incoming, i * WIDE + v)))
            store(outgoing, i * WIDE + v, greater(choose(more, first, second) - offset, zero))
    scale = splat(rule.scale)
    for i in range(degree):
        negative = (sign ^ as_bits(load(incoming, i * WIDE + v))) & signs
        size = whole(scale * load(outgoing, i * WIDE + v), rule.limit)
        store(outgoing, i * WIDE + v, as_floats(as_bits(size) | negative))


@kernel(error_model="numpy", fastmath={"contract"}, inline="always")
def _sum_product(box, degree, v, first, second):
    """Box-plus of all incoming magnitudes but one, by prefixes and suffixes; see the head of this file."""
    incoming, outgoing, x, p = box
    zero, one, weakest = splat(ZERO), splat(ONE), splat(np.float32(0.3))
    gap, c = lesser(second - first, splat(CUT)), _exp(zero - second)
    for i in range(degree):
        size = magnitude(load(incoming, i * WIDE + v))
        value = _exp(lesser(second - size, gap))
        store(x, i * WIDE + v, value)
        store(p, i * WIDE + v, _tanh_half(size, c * value))
    # From here on, outgoing holds the prefix of x, and x_rest the suffix; box-plus with nothing, x = 0, is
    # left out. Then x holds the suffix of p.
    last = degree - 1
    c = c * c
    x_rest = load(x, v)
    for i in range(1, last):
        own = load(x, i * WIDE + v)
        store(outgoing, i * WIDE + v, x_rest)
        x_rest = (x_rest + own) / (one + c * x_rest * own)
    store(outgoing, last * WIDE + v, x_rest)
    x_rest, p_rest = load(x, last * WIDE + v), load(p, last * WIDE + v)
    store(x, last * WIDE + v, one)
    for i in range(last - 1, 0, -1):
        before, own = load(outgoing, i * WIDE + v), load(x, i * WIDE + v)
        store(outgoing, i * WIDE + v, (before + x_rest) / (one + c * before * x_rest))
        store(x, i * WIDE + v, p_rest)
        x_rest = (x_rest + own) / (one + c * x_rest * own)
        p_rest = p_rest * load(p, i * WIDE + v)
    if last > 0:
        store(outgoing, v, x_rest)
        store(x, v, p_rest)
    else:
        store(outgoing, v, zero)
    p_rest = one
    for i in range(degree):
        weak = load(x, i * WIDE + v) * p_rest
        p_rest = p_rest * load(p, i * WIDE + v)
        more = less(first, magnitude(load(incoming, i * WIDE + v)))
        base = choose(more, first + gap, second)
        z, exponent = _log(greater(load(outgoing, i * WIDE + v), one))
        is_weak = less(weak, weakest)
        half = _twice_atanh(choose(is_weak, weak, z))
        store(outgoing, i * WIDE + v, choose(is_weak, half, base - (half + exponent)))


@kernel(error_model="numpy", fastmath={"contract"}, inline="always")
def _exp(x):
    """e^x for x at most 40, to 2 units in the last place; about 1e-38 below -87."""
    x, one = greater(x, splat(np.float32(-87.0))), splat(ONE)
    power = floor(x * splat(np.float32(1.44269504)) + splat(HALF))
    r = x - power * splat(np.float32(0.693359375)) + power * splat(np.float32(2.12194440e-4))
    y = splat(np.float32(1.0 / 5040))
    y = y * r + splat(np.float32(1.0 / 720))
    y = y * r + splat(np.float32(1.0 / 120))
    y = y * r + splat(np.float32(1.0 / 24))
    y = y * r + splat(np.float32(1.0 / 6))
    y = y * r + splat(HALF)
    y = y * r + one
    y = y * r + one
    return y * as_floats(higher(to_words(power) + splat(np.uint32(127)), 23))


@kernel(error_model="numpy", fastmath={"contract"}, inline="always")
def _log(x):
    """Two numbers for x of at least 1: ln x is 2 atanh of the first, plus the second."""
    one, middle = splat(ONE), splat(np.uint32(0x3F3504F3))
    raw = as_bits(x) - middle  # so that the mantissa lies around 1
    mantissa = as_floats((raw & splat(np.uint32(0x007FFFFF))) + middle)
    return (mantissa - one) / (mantissa + one), to_floats(lower(raw, 23)) * splat(np.float32(0.69314718))


@kernel(error_model="numpy", fastmath={"contract"}, inline="always")
def _twice_atanh(z):
    """2 atanh z for abs(z) at most 0.3, by its series."""
    s = z * z
    y = splat(np.float32(2.0 / 13))
    y = y * s + splat(np.float32(2.0 / 11))
    y = y * s + splat(np.float32(2.0 / 9))
    y = y * s + splat(np.float32(2.0 / 7))
    y = y * s + splat(np.float32(2.0 / 5))
    y = y * s + splat(np.float32(2.0 / 3))
    y = y * s + splat(np.float32(2.0))
    return y * z


@kernel(error_model="numpy", fastmath={"contract"}, inline="always")
def _tanh_half(a, x):
    """tanh(a / 2) of a >= 0 and x = e^-a; by its series where 1 - x would lose digits."""
    h, one = splat(HALF) * a, splat(ONE)
    s = h * h
    y = splat(np.float32(62.0 / 2835))
    y = y * s - splat(np.float32(17.0 / 315))
    y = y * s + splat(np.float32(2.0 / 15))
    y = y * s - splat(np.float32(1.0 / 3))
    y = (y * s + one) * h
    return choose(less(a, splat(HALF)), y, (one - x) / (one + x))


@kernel(inline="always")
def lesser(a, b):
    """The smaller of two numbers, lane by lane."""
    return choose(less(a, b), a, b)


@kernel(inline="always")
def greater(a, b):
    """The greater of two numbers, lane by lane."""
    return choose(less(a, b), b, a)
