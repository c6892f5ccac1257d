"""Memory for kernels, cut from one array that their caller makes.

A kernel that allocates counts references, so that what it calls is compiled twice: once to borrow arrays, and
once more in the kernel that owns them. A kernel that works in an arena borrows everything. The arena is its
first argument, and before anything else it cuts from it the arrays that it works in::

    @kernel(borrows=True)
    def decode(arena, llr):
        order, spent = empty(arena, llr.shape[1], np.int32), zeros(arena, (2, llr.shape[1]), np.float64)

    Arena().run(decode, llr)

The kernel itself says how much it needs: where an arena is too small, it is called again with a larger one.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba.core import cgutils, types
from numba.core.typing.templates import signature as signature_of
from numba.extending import lower_builtin, type_callable
from numba.np import arrayobj
from numpy.typing import NDArray

LINE = 64
"""Bytes of a cache line. Each array begins on one: a vector that lies across two takes twice as long."""

STEP = 1 << 17
"""Words by which an arena grows at most, where that is enough."""

HEAD = 8 + LINE
"""Bytes of the first word, and up to the first line."""


class Arena:
    """How much memory a kernel needs, learnt from its first call and kept; threads may share it."""

    def __init__(self) -> None:
        self._words = 512

    def run(self, kernel: Callable[..., Any], *arguments: Any) -> Any:
        """Call a kernel with memory, which is its own until it returns, and then these arguments.

        Raises:
            ValueError: If it wants an array of negative size.
        """
        while True:
            memory = np.empty(self._words, np.int64)
            memory[0] = 0
            try:
                return kernel(memory, *arguments)
            except TooSmall:
                needed = (HEAD + int(memory[0])) // 8  # so far
                if needed <= self._words:
                    raise ValueError("a kernel wants an array of negative size") from None
                self._words = max(needed, self._words + min(self._words, STEP))


class TooSmall(Exception):
    """The kernel needs more memory than it was given; it has not begun."""


def empty(arena: NDArray[np.int64], shape: Any, dtype: Any) -> NDArray[Any]:
    """An array like that of `numpy.empty`, from an arena: (words,) i8, the first counts the bytes it gave.

    Raises:
        TooSmall: If the arena is.
    """
    begin, count = int(arena[0]), math.prod(shape) if isinstance(shape, tuple) else shape
    size = count * np.dtype(dtype).itemsize
    arena[0] = begin + -(-size // LINE) * LINE
    if size < 0 or HEAD + arena[0] > arena.nbytes:
        raise TooSmall
    first = 8 + -(arena.ctypes.data + 8) % LINE + begin
    octets = arena.view(np.uint8)[first : first + size]
    array: NDArray[Any] = octets.view(dtype).reshape(shape)
    return array


def zeros(arena: NDArray[np.int64], shape: Any, dtype: Any) -> NDArray[Any]:
    """The same, filled with zeros."""
    array = empty(arena, shape, dtype)
    array[...] = 0
    return array


def empty_each(arena: NDArray[np.int64], arrays: Any, size: int) -> Any:
    """Such an array of ``size`` values for each of a tuple of arrays, or for one array: of their types."""
    if isinstance(arrays, tuple):
        return tuple(empty(arena, size, array.dtype) for array in arrays)
    return empty(arena, size, arrays.dtype)


@type_callable(empty)
@type_callable(zeros)
def _typed(context: Any) -> Callable[..., Any]:
    def found(arena: Any, shape: Any, dtype: Any) -> Any:
        return types.Array(dtype.dtype, len(shape) if isinstance(shape, types.BaseTuple) else 1, "C")

    return found


@type_callable(empty_each)
def _typed_each(context: Any) -> Callable[..., Any]:
    def found(arena: Any, arrays: Any, size: Any) -> Any:
        return arrays.copy(layout="C") if isinstance(arrays, types.Array) else arrays

    return found


@lower_builtin(empty, types.Array, types.Any, types.Any)
def _empty(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    return _cut(context, builder, signature, arguments, signature.return_type)[0]


@lower_builtin(zeros, types.Array, types.Any, types.Any)
def _zeros(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    array, data, size = _cut(context, builder, signature, arguments, signature.return_type)
    cgutils.memset(builder, data, size, 0)
    return array


@lower_builtin(empty_each, types.Array, types.Any, types.Integer)
def _empty_each(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    made, (arena, _, size) = signature.return_type, signature.args
    kinds = [made] if isinstance(made, types.Array) else made
    short = signature_of(made, arena, size, size), (arguments[0], arguments[2])
    arrays = [_cut(context, builder, *short, kind)[0] for kind in kinds]
    return arrays[0] if isinstance(made, types.Array) else context.make_tuple(builder, made, arrays)


def _cut(context: Any, builder: Any, signature: Any, arguments: Any, made: Any) -> Any:
    """Machine code of `empty`: an array, the address of its values, and their size in bytes."""

    def constant(value: int) -> Any:
        return context.get_constant(types.intp, value)

    kinds: Any = signature.args[1]
    values = [arguments[1]]
    if isinstance(kinds, types.BaseTuple):
        values = cgutils.unpack_tuple(builder, arguments[1])
    else:
        kinds = [kinds]
    counts = [context.cast(builder, *of, types.intp) for of in zip(values, kinds, strict=True)]
    itemsize = context.get_abi_sizeof(context.get_data_type(made.dtype))
    strides = [constant(itemsize)]
    for count in reversed(counts):
        strides.insert(0, builder.mul(strides[0], count))
    size = strides.pop(0)
    arena = context.make_array(signature.args[0])(context, builder, arguments[0])
    begin = builder.load(arena.data)
    end = builder.add(begin, builder.and_(builder.add(size, constant(LINE - 1)), constant(-LINE)))
    left = builder.sub(builder.mul(arena.nitems, constant(8)), builder.add(begin, constant(HEAD)))
    room = builder.and_(left, constant(-LINE))
    builder.store(end, arena.data)
    with cgutils.if_unlikely(builder, builder.icmp_unsigned(">", size, room)):  # a negative size is huge
        context.call_conv.return_user_exc(builder, TooSmall, ())
    first = builder.add(builder.ptrtoint(arena.data, begin.type), constant(8 + LINE - 1))
    address = builder.add(builder.and_(first, constant(-LINE)), begin)
    data = builder.inttoptr(address, context.get_data_type(made.dtype).as_pointer())
    array = context.make_array(made)(context, builder)
    arrayobj.populate_array(
        array, data=data, shape=counts, strides=strides, itemsize=constant(itemsize), meminfo=None
    )
    return array._getvalue(), data, size
