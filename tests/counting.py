"""Decoders written out number by number, counting what they do: slow, with the decisions of the real ones.

They follow the kernels' arithmetic operation by operation; moving data, magnitudes and changes of sign are
free, as in `fecnn.decoders.complexity`.
"""

import heapq
import math
from collections import Counter

import numpy as np

from fecnn.decoders.kernels import basis as mrb
from fecnn.decoders.kernels import constraints, lists, words
from fecnn.decoders.kernels.trellis import BUTTERFLY, MERGE, RESCALE, SPLIT
from fecnn.decoders.ml import safe_distance
from fecnn.decoders.trellis import bit_order, build_trellis


class Number:
    """A real number whose operations are counted, together with those of all made from it."""

    def __init__(self, value, done):
        self.value, self.done = float(value), done

    def _with(self, kind, other, operation):
        self.done[kind] += 1
        return Number(operation(self.value, getattr(other, "value", other)), self.done)

    def __add__(self, other):
        return self._with("additions", other, lambda a, b: a + b)

    def __sub__(self, other):
        return self._with("additions", other, lambda a, b: a - b)

    def __mul__(self, other):
        return self._with("multiplications", other, lambda a, b: a * b)

    def __truediv__(self, other):
        return self._with("multiplications", other, lambda a, b: a / b if b else math.inf)

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return Number(other, self.done) - self

    def __rtruediv__(self, other):
        return Number(other, self.done) / self

    def __neg__(self):
        return Number(-self.value, self.done)

    def __abs__(self):
        return Number(abs(self.value), self.done)

    def __lt__(self, other):
        self.done["comparisons"] += 1
        return self.value < getattr(other, "value", other)

    def exp(self):
        self.done["exponentials"] += 1
        return Number(math.exp(max(self.value, -700)), self.done)

    def log(self):
        self.done["exponentials"] += 1
        return Number(math.log(max(self.value, 1e-300)), self.done)


def most(a, b):
    return b if a < b else a


def least(a, b):
    return b if b < a else a


def transform(values):
    """Walsh and Hadamard: additions alone."""
    values, half = list(values), 1
    while half < len(values):
        for i in range(len(values)):
            if not i & half:
                a, b = values[i], values[i + half]
                values[i], values[i + half] = a + b, a - b
        half *= 2
    return values


def summed(values):
    """len - 1 additions."""
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total


def codebook_map(code, llr, targets):
    """Signs of a-posteriori LLRs of target bits (2^k, t) by sums over all words."""
    done = Counter()
    places = [Number(0, Counter()) for _ in range(2**code.k)]
    columns = code.G.T.astype(int) @ (1 << np.arange(code.k)[::-1])
    for j, column in enumerate(columns):
        places[column] = Number(llr[j], done) + places[column]
    for place in places:
        place.done = done
    places = transform(places)
    top = places[0]
    for place in places[1:]:
        top = most(top, place)
    zeros = [Number(0, done) for _ in targets[0]]
    ones = [Number(0, done) for _ in targets[0]]
    for place, wanted in zip(places, targets, strict=True):
        weight = (0.5 * (place - top)).exp()
        for j, bit in enumerate(wanted):
            share = weight * int(bit)
            ones[j] = ones[j] + share
            zeros[j] = zeros[j] + (weight - share)
    app = []
    for zero, one in zip(zeros, ones, strict=True):
        assert not least(zero, one) < 1e-280
        app.append((zero / one).log())
    return [int(value < 0) for value in app], done


def trellis_map(code, llr):
    """Signs of a-posteriori LLRs of the code bits by BCJR."""
    done = Counter()
    trellis = build_trellis(code, bit_order(code))
    n, first = code.n, trellis.first
    price = [Number(value, done) for value in llr]
    zero, one = [], []
    for value in price:
        unlikely, likely = (-abs(value)).exp(), Number(1, done)
        positive = not value < 0
        zero.append(likely if positive else unlikely)
        one.append(unlikely if positive else likely)

    def wings(t):
        begin, end = int(trellis.begin[t]), int(trellis.begin[t + 1])
        for w in range(begin, end):
            p0, p1, q0, q1 = (int(x) for x in trellis.wings[w])
            kind = trellis.kind[t]
            if kind == SPLIT:
                yield from ((p0, q0, 0), (p0, q1, 1))
            elif kind == MERGE:
                yield from ((p0, q0, 0), (p1, q0, 1))
            elif kind == BUTTERFLY:
                yield from ((p0, q0, 0), (p1, q1, 0), (p0, q1, 1), (p1, q0, 1))
            else:
                yield (p0, q0, int(w >= begin + trellis.zeros[t]))

    def rescaled(values):
        top = Number(1e-37, done)
        for value in values.values():
            top = most(top, value)
        return {state: value / top for state, value in values.items()}

    def gathered(table, state, value):
        table[state] = table[state] + value if state in table else value

    forward = [{0: Number(1, done)}]
    for t in range(n):
        weights, after = (zero[trellis.order[t]], one[trellis.order[t]]), {}
        for p, q, bit in wings(t):
            gathered(after, q, weights[bit] * forward[t][p])
        forward.append(rescaled(after) if t % RESCALE == RESCALE - 1 else after)
    backward, app = {0: Number(1, done)}, [None] * n
    low = Number(math.inf, done)
    for t in range(n - 1, -1, -1):
        j = trellis.order[t]
        weights, before = (zero[j], one[j]), {}
        sums = [Number(0, done), Number(0, done)]
        for p, q, bit in wings(t):
            sums[bit] = sums[bit] + forward[t][p] * backward[q]
            gathered(before, p, weights[bit] * backward[q])
        app[j] = (sums[0] / sums[1]).log() + price[j]
        low = least(low, weights[0] * sums[0] + weights[1] * sums[1])
        backward = rescaled(before) if t % RESCALE == 0 else before
        assert len(before) == first[t + 1] - first[t]
    nearest = farthest = abs(app[0])
    for value in app[1:]:
        nearest, farthest = least(nearest, abs(value)), most(farthest, abs(value))
    assert not nearest < 1e-4
    assert not low < 1e-24
    return [int(value < 0) for value in app], done


def dual_map(code, llr, wanted):
    """Signs of a-posteriori LLRs of some code bits by sums over the dual code, in eight lanes."""
    done = Counter()
    n, checks = code.n, max(3, code.n - code.k)
    columns = code.parity_columns[:, 0].astype(np.int64)
    blocks = 1 << (checks - 3)
    signs = [[-1.0 if int(h & lane).bit_count() % 2 else 1.0 for lane in range(8)] for h in columns]
    tanh = []
    for value in llr:
        e = (-abs(Number(value, done))).exp()
        t = (1.0 - e) / (1.0 + e)
        tanh.append(-t if Number(value, done) < 0 else t)
    plus = [[Number(1, done) for _ in range(8)] for _ in range(blocks)]
    minus = [[Number(1, done) for _ in range(8)] for _ in range(blocks)]
    for j in range(n):
        block = columns[j] >> 3
        mean, half = 0.5 + 0.5 * tanh[j], 0.5 - 0.5 * tanh[j]
        for lane in range(8):
            signed = half * signs[j][lane]
            plus[block][lane] = plus[block][lane] * (mean + signed)
            minus[block][lane] = minus[block][lane] * (mean - signed)
    for level in range(checks - 3):
        half = 1 << level
        last = level == checks - 4 and (checks - 3) % 2  # a single pass, of which only the sums are kept
        for i in range(blocks):
            if not i & half:
                for lane in range(8):
                    p0, p1 = plus[i][lane], plus[i + half][lane]
                    m0, m1 = minus[i][lane], minus[i + half][lane]
                    plus[i][lane], plus[i + half][lane] = p0 * p1, p0 * m1
                    if not last:
                        minus[i][lane], minus[i + half][lane] = m0 * m1, m0 * p1
    flat = [abs(value) for row in plus for value in row]
    error = summed(flat) * (n + checks) * 2.0**-52
    lanes = [transform([row[lane] for row in plus]) for lane in range(8)]
    plus = [[lanes[lane][row] for lane in range(8)] for row in range(blocks)]
    whole = summed(plus[0])
    app = []
    for j in range(n):
        flipped = summed([plus[columns[j] >> 3][lane] * signs[j][lane] for lane in range(8)])
        both = whole + flipped
        assert not both < 0
        gain = least(most((whole - flipped) / (tanh[j] * both), Number(-1, done)), Number(1, done))
        doubt = error * (1.0 + 1.0 / abs(tanh[j])) / most(whole + flipped - error, 0.5 * error + 1e-300)
        doubt = least(doubt, Number(2, done))
        assert not abs(tanh[j]) < 1e-6  # or it is done again with another own LLR
        cap = most(1.0 - doubt, Number(0, done))
        g = least(most(gain, -cap), cap)
        app.append(((1.0 + g) / (1.0 - g)).log() + float(llr[j]))
        slack = 2.0 * doubt / most(1.0 - abs(gain) - doubt, Number(1e-300, done))
        assert not abs(app[j]) < slack + 1e-5
    return [int(app[j] < 0) for j in wanted], done


def algebraic(code, hard, algebra):
    """Berlekamp and Massey of one word of hard decisions (n,): the corrected word, and what was done."""
    done = Counter()
    n, checks, run = code.n, code.n - code.k, algebra.run
    core, length = algebra.powers.shape
    exp, log, order = run.exp, run.log, len(run.log) - 1
    m = order.bit_length()
    word = np.array(hard, int)
    done["comparisons"] += n
    sums = np.zeros(length, int)
    done["binary"] += -(-checks // 4) * length * m
    for j in np.flatnonzero(word):
        done["binary"] += checks
        if j < core:
            sums ^= algebra.powers[j]
    now, before, register, gap, last = [1], [1], 0, 1, 1
    for step in range(length):
        discrepancy = sums[step]
        if step % 2 and run.first == 1:
            gap += 1
            continue
        for i in range(1, register + 1):
            if i < len(now) and now[i] and sums[step - i]:
                done["additions"] += 1
                done["binary"] += m
                discrepancy ^= exp[log[now[i]] + log[sums[step - i]]]
        done["comparisons"] += 1
        if discrepancy == 0:
            gap += 1
            continue
        ratio = log[discrepancy] - log[last] + order
        done["additions"] += 2
        done["comparisons"] += 1
        if ratio >= order:
            done["additions"] += 1
            ratio -= order
        done["comparisons"] += 1
        spare, now = now, now + [0] * max(0, len(before) + gap - len(now))
        for i, value in enumerate(before):
            if value:
                done["additions"] += 1
                done["binary"] += m
                now[i + gap] ^= int(exp[log[value] + ratio])
        if 2 * register <= step:
            before, register, gap, last = spare, step + 1 - register, 1, discrepancy
        else:
            gap += 1
    found = []
    for j in range(core):
        value = 1
        for i in range(1, register + 1):
            if i < len(now) and now[i]:
                done["binary"] += m
                value ^= int(exp[(log[now[i]] - i * j * run.step) % order])
        done["comparisons"] += 1
        if value == 0:
            found.append(j)
            done["binary"] += checks
    word[found] ^= 1
    return word, done


def _in_python(kernel):
    """The function of a kernel."""
    return getattr(kernel, "py_func", kernel)


def in_order_of_price(code, llr, delta):
    """lc-osd on frames (B, n): for each that is not proved at once, patterns tried, and what they took."""
    n, k, checks = code.n, code.k, code.n - code.k
    columns = words.columns_of(code.parity_columns)
    arena = np.zeros(1 << 20, np.int64)
    frame = _in_python(mrb.new_frame)(arena, columns, n, checks)
    relaxed = _in_python(constraints.new_relaxed)(arena, k, delta)
    steps, units, V = relaxed.steps, relaxed.units, relaxed.V
    found = []
    for values in llr:
        row = np.zeros(len(frame.spare), np.float32)
        row[:n] = values
        syndrome = words.syndrome_of(columns, row)
        if words.is_empty(syndrome):
            continue
        mrb.sort(row, n, frame.keys, frame.rank, frame.order)
        mrb.arrange(row, syndrome, columns, frame.order, frame.reliability, frame.ordered)
        mrb.eliminate(frame.ordered, n, checks, frame.place, frame.check, frame.basis)
        start = words.load(frame.ordered, n)
        best, bound = lists.price_start(start, safe_distance(code), frame.place, frame.reliability)
        if best <= bound:
            continue
        flip, price, parity = frame.flip, frame.price, frame.parity
        mrb.gather(frame.ordered, frame.place, frame.basis, frame.reliability, flip, price, parity)
        scale = constraints.scale_of(best)
        state = constraints.constrain(start, scale, frame, relaxed)
        last = constraints.in_units(best, 0.0, scale)
        done, tried, made = Counter(), 0, 1
        ways = [(int(V[k, state]), 0, k, state, 0, ())]
        while ways and ways[0][0] <= last:
            done["comparisons"] += 2 * len(ways).bit_length()  # of taking the least off a heap, at most
            _, _, t, here, spent, flips = heapq.heappop(ways)
            while t > 0:
                t -= 1
                stay = spent + int(V[t, here])
                moved = spent + int(units[t]) + int(V[t, here ^ steps[t]])
                done["additions"] += 3
                done["comparisons"] += 3
                if max(stay, moved) <= last:
                    done["comparisons"] += 1 + len(ways).bit_length()
                    made += 1
                    other = (t, here, spent, flips)
                    if stay <= moved:
                        other = (t, here ^ steps[t], spent + int(units[t]), (*flips, t))
                    heapq.heappush(ways, (max(stay, moved), made, *other))
                if moved < stay:
                    flips, spent, here = (*flips, t), spent + int(units[t]), here ^ steps[t]
            tried += 1
            pattern = start
            for j in flips:
                pattern = words.xor(pattern, words.load(flip, j))
            done["additions"] += len(flips) + words.count(pattern)
            done["binary"] += len(flips) * checks
            done["comparisons"] += 1
            exact = mrb.exact_price(start, np.array([*flips, 0]), len(flips), flip, price, parity)
            if exact < best:
                best, last = exact, constraints.in_units(exact, 0.0, scale)
        found.append((tried, done))
    return found
