"""Vectors in kernels: several frames side by side, one a lane, in one 64-byte register.

A row of a 2-D array with 16 columns of 4 bytes, 8 of 8 bytes, or 64 of 1 byte, is a vector: ``load(array,
row)``. Vectors are added and multiplied like numbers, and LLVM makes of that what the processor has: one
instruction of AVX-512, two of AVX2, four of NEON. Without the JIT (NUMBA_DISABLE_JIT=1) a vector is a numpy
row, and each operation is the plain function that stands above it.

LLRs in signed integers, such as int8, saturate: `plus` and `minus_or_plus` give -127 to 127.
"""

import operator

import numpy as np
from llvmlite import ir
from numba.core import cgutils, config, errors, types
from numba.core.datamodel import models
from numba.extending import intrinsic, overload, register_model

from fecnn.jit import kernel

BYTES = 64

JIT = not config.DISABLE_JIT  # type: ignore[attr-defined]


class Vector(types.Type):
    """The numba type of a vector of as many ``dtype`` as fill it."""

    def __init__(self, dtype):
        self.dtype = dtype
        self.count = BYTES * 8 // dtype.bitwidth
        super().__init__(f"vector {self.count} x {dtype}")


class Mask(types.Type):
    """The numba type of the outcome of a comparison, lane by lane."""

    def __init__(self, count):
        self.count = count
        super().__init__(f"mask of {count}")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, ir.VectorType(manager[kind.dtype].get_value_type(), kind.count))


@register_model(Mask)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, ir.VectorType(ir.IntType(1), kind.count))


def _operation(plain):
    """``plain`` itself without the JIT, else the numba intrinsic that computes the same."""
    return intrinsic if JIT else lambda compiled: plain


def _contiguous(*arrays):
    """Refuse, while types are found, what the pointers below would misread."""
    if not all(isinstance(array, types.Array) and array.layout == "C" for array in arrays):
        raise errors.TypingError(f"vectors lie in C-contiguous arrays, got {arrays}")


def _row(context, builder, kind, array, row):
    """Pointer to a row as a vector."""
    data = context.make_array(kind)(context, builder, array).data
    vector = context.get_value_type(Vector(kind.dtype))
    return builder.gep(builder.bitcast(data, vector.as_pointer()), [row])


@_operation(lambda array: BYTES // array.itemsize)
def width(typing, array):
    """Lanes of the vectors of an array: known to the compiler, as ``array.shape[1]`` is not."""
    lanes = Vector(array.dtype).count
    return types.intp(array), lambda context, builder, signature, args: context.get_constant(
        types.intp, lanes
    )


@_operation(lambda array, row: array.reshape(-1, BYTES // array.itemsize)[row].copy())
def load(typing, array, row):
    """A row of a C-contiguous (rows, lanes) array, or as many values of a flat one."""
    _contiguous(array)

    def build(context, builder, signature, arguments):
        loaded = builder.load(_row(context, builder, signature.args[0], *arguments))
        loaded.align = array.dtype.bitwidth // 8
        return loaded

    return Vector(array.dtype)(array, types.intp), build


def _set_row(array, row, vector):
    array.reshape(-1, BYTES // array.itemsize)[row] = vector


@_operation(_set_row)
def store(typing, array, row, vector):
    """Write a vector to a row of a C-contiguous (rows, lanes) array, or as many values of a flat one."""
    _contiguous(array)

    def build(context, builder, signature, arguments):
        stored = builder.store(arguments[2], _row(context, builder, signature.args[0], *arguments[:2]))
        stored.align = array.dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), build


@_operation(lambda value: np.full(BYTES // np.dtype(type(value)).itemsize, value))
def splat(typing, value):
    """A number in every lane; its type says how many."""

    def build(context, builder, signature, arguments):
        return _spread(builder, arguments[0], context.get_value_type(signature.return_type))

    return Vector(value)(value), build


def _spread(builder, value, vector):
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.IntType(32)(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), None)
    return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), zeros)


@_operation(lambda a: a.sum())
def total(typing, a):
    """The sum over the lanes, halves added to halves."""

    def build(context, builder, signature, arguments):
        return _folded(builder, arguments[0], a.count, builder.fadd)

    return a.dtype(a), build


def _folded(builder, value, count, join):
    """All lanes joined in one: halves with halves."""
    lanes, half = range(count), count // 2
    while half:
        turned = ir.Constant(ir.VectorType(ir.IntType(32), count), [*lanes[half:], *lanes[:half]])
        value = join(value, builder.shuffle_vector(value, value, turned))
        half //= 2
    return builder.extract_element(value, ir.IntType(32)(0))


def _set_transposed(values, begin, stride, out, out_begin, out_stride):
    square = np.arange(BYTES // values.itemsize)
    runs = values.reshape(-1)[begin + square[:, None] * stride + square]
    for i in square:  # in this order, as runs may overlap
        out.reshape(-1)[out_begin + i * out_stride + square] = runs[:, i]


@_operation(_set_transposed)
def transpose(typing, values, begin, stride, out, out_begin, out_stride):
    """Read as many runs as there are lanes, each of as many values, and write the transpose likewise.

    The first run begins at ``begin``, the others follow ``stride`` apart, counted through the whole of a
    C-contiguous array. They are written in turn: where they overlap the later one stays.
    """
    _contiguous(values, out)
    kind = Vector(values.dtype)

    def build(context, builder, signature, arguments):
        vector = context.get_value_type(kind)

        def run(place, i):
            data = context.make_array(signature.args[place])(context, builder, arguments[place]).data
            at = builder.add(arguments[place + 1], builder.mul(arguments[place + 2], ir.IntType(64)(i)))
            return builder.bitcast(builder.gep(data, [at]), vector.as_pointer())

        def shuffled(a, b, lanes):
            return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), lanes))

        count, align = kind.count, kind.dtype.bitwidth // 8
        runs = []
        for i in range(count):
            runs.append(builder.load(run(0, i)))
            runs[-1].align = align
        half = count // 2
        while half:  # exchange the off-diagonal quarters of blocks of 2 half x 2 half
            lower = [count + i - half if i & half else i for i in range(count)]
            upper = [count + i if i & half else i + half for i in range(count)]
            for i in range(count):
                if not i & half:
                    a, b = runs[i], runs[i + half]
                    runs[i], runs[i + half] = shuffled(a, b, lower), shuffled(a, b, upper)
            half //= 2
        for i in range(count):
            builder.store(runs[i], run(3, i)).align = align
        return context.get_dummy_value()

    return types.void(values, types.intp, types.intp, out, types.intp, types.intp), build


@_operation(lambda a: a.max())
def greatest(typing, a):
    """The greatest value of the lanes."""

    def build(context, builder, signature, arguments):
        def greater(one, other):
            return builder.select(builder.fcmp_ordered("<", one, other), other, one)

        return _folded(builder, arguments[0], a.count, greater)

    return a.dtype(a), build


@_operation(lambda a, b: a < b)
def less(typing, a, b):
    """Where a < b: False where one is NaN."""
    return Mask(a.count)(a, b), lambda context, builder, signature, args: _less(builder, a, *args)


def _less(builder, kind, a, b):
    compare = builder.icmp_signed if isinstance(kind.dtype, types.Integer) else builder.fcmp_ordered
    return compare("<", a, b)


@_operation(lambda mask, a, b: np.where(mask, a, b))
def choose(typing, mask, a, b):
    """Of two vectors, a where the mask is set, else b."""
    return a(mask, a, b), lambda context, builder, signature, args: builder.select(*args)


@_operation(lambda mask: int.from_bytes(np.packbits(mask, bitorder="little").tobytes(), "little"))
def as_integer(typing, mask):
    """Bit i is lane i of the mask: an int64, or an uint64 of 64 lanes."""

    def build(context, builder, signature, arguments):
        packed = builder.bitcast(arguments[0], ir.IntType(mask.count))
        return builder.zext(packed, ir.IntType(64))

    return (types.uint64 if mask.count == 64 else types.int64)(mask), build


@_operation(lambda word, a: np.array([int(word) >> lane & 1 for lane in range(len(a))]) != 0)
def as_mask(typing, word, a):
    """The inverse of `as_integer`: bit i of an integer is lane i of a mask for vectors like ``a``."""

    def build(context, builder, signature, arguments):
        bits = builder.trunc if word.bitwidth > a.count else builder.zext
        narrow = arguments[0] if word.bitwidth == a.count else bits(arguments[0], ir.IntType(a.count))
        return builder.bitcast(narrow, ir.VectorType(ir.IntType(1), a.count))

    return Mask(a.count)(word, a), build


@_operation(lambda a, j: (a >> a.dtype.type(j)) & a.dtype.type(1) != 0)
def has_bit(typing, a, j):
    """Where bit j of a vector of unsigned integers is set."""

    def build(context, builder, signature, arguments):
        vector = context.get_value_type(a)
        one = builder.shl(ir.IntType(64)(1), arguments[1])
        one = one if a.dtype.bitwidth == 64 else builder.trunc(one, vector.element)
        here = builder.and_(arguments[0], _spread(builder, one, vector))
        return builder.icmp_unsigned("!=", here, ir.Constant(vector, None))

    return Mask(a.count)(a, types.intp), build


def _saturated(exact, a):
    """Exact results in the type of a: cut off where that is a signed integer."""
    top = np.iinfo(a.dtype).max if a.dtype.kind == "i" else np.inf
    return np.clip(exact, -top, top).astype(a.dtype)


def _saturating(builder, name, kind, a, b):
    """LLVM's saturating sum or difference of vectors of signed integers: -128 to 127 of int8."""
    called = f"llvm.{name}.sat.v{kind.count}i{kind.dtype.bitwidth}"
    return builder.call(
        cgutils.get_or_insert_function(builder.module, ir.FunctionType(a.type, [a.type] * 2), called), [a, b]
    )


def _symmetric(builder, kind, a):
    """Without the least integer, which has no negative."""
    least = ir.Constant(a.type, [1 - 2 ** (kind.dtype.bitwidth - 1)] * kind.count)
    return builder.select(builder.icmp_signed("<", a, least), least, a)


def _plain_magnitude(a):
    return _saturated(np.abs(a.astype(np.int64)), a) if a.dtype.kind == "i" else np.abs(a)


@_operation(_plain_magnitude)
def magnitude(typing, a):
    """|a|, lane by lane; of int8 at most 127."""

    def build(context, builder, signature, arguments):
        if isinstance(a.dtype, types.Integer):
            value, none = arguments[0], ir.Constant(context.get_value_type(a), None)
            negated = _saturating(builder, "ssub", a, none, value)
            return builder.select(builder.icmp_signed("<", value, none), negated, value)
        words = ir.VectorType(ir.IntType(a.dtype.bitwidth), a.count)
        positive = builder.and_(
            builder.bitcast(arguments[0], words),
            ir.Constant(words, [2 ** (a.dtype.bitwidth - 1) - 1] * a.count),
        )
        return builder.bitcast(positive, context.get_value_type(a))

    return a(a), build


@_operation(lambda a, limit: a if limit is None else np.clip(a, -limit, limit))
def within(typing, a, limit):
    """A float, or a vector of them, cut off at -limit and limit; as it is for None, known to the compiler."""

    def build(context, builder, signature, arguments):
        value, most = arguments
        if limit == types.none:
            return value
        both = most, builder.fneg(most)
        high, low = both if a == limit else (_spread(builder, bound, value.type) for bound in both)
        value = builder.select(builder.fcmp_ordered("<", high, value), high, value)
        return builder.select(builder.fcmp_ordered("<", value, low), low, value)

    return a(a, limit), build


@_operation(np.floor)
def floor(typing, a):
    """Floats, rounded down to integers."""
    return a(a), lambda context, builder, signature, args: _floor(builder, a, *args)


def _floor(builder, kind, a):
    called = f"llvm.floor.v{kind.count}f{kind.dtype.bitwidth}"
    return builder.call(
        cgutils.get_or_insert_function(builder.module, ir.FunctionType(a.type, [a.type]), called), [a]
    )


@_operation(lambda a, limit: a if limit is None else np.minimum(np.floor(a + np.float32(0.5)), limit))
def whole(typing, a, limit):
    """Floats of 0 or more, rounded to integers, halves up, at most limit; as they are for None."""

    def build(context, builder, signature, arguments):
        value, most = arguments
        if limit == types.none:
            return value
        half = ir.Constant(value.type, [0.5] * a.count)
        value, most = _floor(builder, a, builder.fadd(value, half)), _spread(builder, most, value.type)
        return builder.select(builder.fcmp_ordered("<", most, value), most, value)

    return a(a, limit), build


_AS_WIDE = {types.float32: types.uint32, types.uint32: types.float32}


def _cast(plain, instruction):
    @_operation(plain)
    def cast(typing, a):
        other = Vector(_AS_WIDE[a.dtype])

        def build(context, builder, signature, arguments):
            return getattr(builder, instruction)(arguments[0], context.get_value_type(other))

        return other(a), build

    return cast


as_bits = _cast(lambda a: a.view(np.uint32), "bitcast")
as_floats = _cast(lambda a: a.view(np.float32), "bitcast")
"""Float32 as the unsigned integers that have their bits, and back."""

to_words = _cast(lambda a: a.astype(np.int32).view(np.uint32), "fptosi")
to_floats = _cast(lambda a: a.view(np.int32).astype(np.float32), "sitofp")
"""Integers by their value: float32 that are whole to words in two's complement, and back."""


@_operation(lambda bits: np.int64(bits).view(np.float64))
def as_float64(typing, bits):
    """The float64 with the bits of an int64."""
    return types.float64(types.int64), lambda context, builder, signature, args: builder.bitcast(
        args[0], ir.DoubleType()
    )


@_operation(lambda value: np.float64(value).view(np.int64))
def as_int64(typing, value):
    """The bits of a float64 as an int64."""
    return types.int64(types.float64), lambda context, builder, signature, args: builder.bitcast(
        args[0], ir.IntType(64)
    )


def _set_bits(out, begin, word):
    out[begin : begin + 32] = (int(word) >> np.arange(32)) & 1


@_operation(_set_bits)
def store_bits(typing, out, begin, word):
    """Write the 32 bits of an int32 to 32 bytes of a C-contiguous 1-D array, the lowest first."""
    _contiguous(out)

    def build(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        words, octets = ir.VectorType(ir.IntType(32), 32), ir.VectorType(ir.IntType(8), 32)
        undefined = ir.Constant(words, ir.Undefined)
        spread = builder.shuffle_vector(
            builder.insert_element(undefined, arguments[2], ir.IntType(32)(0)),
            undefined,
            ir.Constant(words, None),
        )
        places = ir.Constant(words, [1 << i for i in range(32)])
        ones = builder.icmp_unsigned("!=", builder.and_(spread, places), ir.Constant(words, None))
        target = builder.bitcast(builder.gep(data, [arguments[1]]), octets.as_pointer())
        builder.store(builder.zext(ones, octets), target).align = 1
        return context.get_dummy_value()

    return types.void(out, types.intp, types.int32), build


def _binary(plain, instruction):
    @_operation(plain)
    def compute(typing, a, b):
        if not isinstance(a, Vector) or a != b:
            return None
        kind = "f" if isinstance(a.dtype, types.Float) else ""
        return a(a, b), lambda context, builder, signature, args: instruction(builder, kind, *args)

    if JIT:

        @overload(plain)
        def typed(a, b):
            return (lambda a, b: compute(a, b)) if isinstance(a, Vector) and a == b else None

    return compute


# Floating-point products may be fused with a sum: that only saves a rounding.
_binary(
    operator.add,
    lambda builder, kind, a, b: builder.fadd(a, b, flags=("contract",)) if kind else builder.add(a, b),
)
_binary(operator.sub, lambda builder, kind, a, b: builder.fsub(a, b) if kind else builder.sub(a, b))
_binary(
    operator.mul,
    lambda builder, kind, a, b: builder.fmul(a, b, flags=("contract",)) if kind else builder.mul(a, b),
)
_binary(operator.truediv, lambda builder, kind, a, b: builder.fdiv(a, b))
_binary(operator.or_, lambda builder, kind, a, b: builder.or_(a, b))
_binary(operator.and_, lambda builder, kind, a, b: builder.and_(a, b))
_binary(operator.xor, lambda builder, kind, a, b: builder.xor(a, b))


def _wide(a):
    return a.astype(np.int64) if a.dtype.kind == "i" else a


def _sum_of_llrs(builder, kind, a, b, minus):
    if isinstance(kind.dtype, types.Integer):
        return _saturating(builder, "ssub" if minus else "sadd", kind, a, b)
    return builder.fsub(a, b) if minus else builder.fadd(a, b, flags=("contract",))


@_operation(lambda a, b: _saturated(_wide(a) + _wide(b), a))
def plus(typing, a, b):
    """LLRs a + b."""

    def build(context, builder, signature, arguments):
        one, other = arguments
        found = _sum_of_llrs(builder, a, one, other, False)
        return _symmetric(builder, a, found) if isinstance(a.dtype, types.Integer) else found

    return a(a, b), build


@_operation(lambda mask, a, b: _saturated(np.where(mask, _wide(a) - _wide(b), _wide(a) + _wide(b)), a))
def minus_or_plus(typing, mask, a, b):
    """LLRs a - b where the mask is set, else a + b."""

    def build(context, builder, signature, arguments):
        where, one, other = arguments
        fewer, more = (_sum_of_llrs(builder, a, one, other, minus) for minus in (True, False))
        found = builder.select(where, fewer, more)
        return _symmetric(builder, a, found) if isinstance(a.dtype, types.Integer) else found

    return a(mask, a, b), build


@_operation(lambda mask, a: np.where(mask, _saturated(-_wide(a), a), a))
def negated(typing, mask, a):
    """LLRs -a where the mask is set, else a, of which none is -128."""

    def build(context, builder, signature, arguments):
        where, value = arguments
        zero = ir.Constant(context.get_value_type(a), None)
        take = builder.sub if isinstance(a.dtype, types.Integer) else builder.fsub
        return builder.select(where, take(zero, value), value)

    return a(mask, a), build


def _shift(plain, name):
    @_operation(plain)
    def shift(typing, a, count):
        def build(context, builder, signature, arguments):
            vector = context.get_value_type(a)
            by = arguments[1] if a.dtype.bitwidth == 64 else builder.trunc(arguments[1], vector.element)
            return getattr(builder, name)(arguments[0], _spread(builder, by, vector))

        return a(a, types.intp), build

    return shift


higher = _shift(lambda a, count: a << a.dtype.type(count), "shl")
lower = _shift(lambda a, count: a >> a.dtype.type(count), "lshr")
"""Vectors of unsigned integers, shifted left and right by the same number of bits in each lane."""


@kernel
def rows(count, dtype):
    """An empty (count, lanes) array, one vector a row, on a cache line each: across two it costs twice."""
    itemsize = np.empty(1, dtype).itemsize
    lanes = BYTES // itemsize
    buffer = np.empty((count + 1) * lanes, dtype)
    begin = (-buffer.ctypes.data % BYTES) // itemsize
    return buffer[begin : begin + count * lanes].reshape(count, lanes)
