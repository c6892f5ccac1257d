"""One step of a min-plus recursion over states that are added modulo 2, as vector instructions.

``new[s] = min(old[s], price + old[s ^ step])`` in saturating uint16. Within blocks of 32 states the XOR is one of
32 constant shuffles, and across blocks it is an XOR of the block's number; LLVM's portable vectors become
whatever the machine has.
"""

from typing import Any

import numba as nb
import numpy as np
from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic, overload

LANES = 32
TOP = 65535
"""Saturated: no path."""


def relax(old: Any, new: Any, step: int, price: int) -> None:
    """One step: old, new (S,) u2 with S a multiple of 32, step below S, price u2."""
    states = np.arange(len(old))
    new[:] = np.minimum(old, np.minimum(old[states ^ step].astype(np.int64) + int(price), TOP))


@overload(relax)
def _relax_compiled(old, new, step, price):
    def compiled(old, new, step, price):
        _vector_step(old, new, np.int64(len(old) >> 5), np.int64(step), np.uint16(price))

    return compiled


@intrinsic
def _vector_step(typing_context, old, new, blocks, step, price):
    signature = nb.types.void(old, new, nb.types.int64, nb.types.int64, nb.types.uint16)
    index = ir.IntType(64)
    vector = ir.VectorType(ir.IntType(16), LANES)
    undefined = ir.Constant(vector, ir.Undefined)

    def shuffled(builder, value, places):
        mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), places)
        return builder.shuffle_vector(value, undefined, mask)

    def generate(context, builder, signature, arguments):
        old_type, new_type = signature.args[:2]
        source = builder.bitcast(
            context.make_array(old_type)(context, builder, arguments[0]).data, vector.as_pointer()
        )
        target = builder.bitcast(
            context.make_array(new_type)(context, builder, arguments[1]).data, vector.as_pointer()
        )
        blocks, step, price = arguments[2:]
        across = builder.lshr(step, ir.Constant(index, 5))
        within = builder.and_(step, ir.Constant(index, LANES - 1))
        first = builder.insert_element(undefined, price, ir.Constant(ir.IntType(32), 0))
        prices = shuffled(builder, first, [0] * LANES)
        add = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(vector, [vector, vector]), f"llvm.uadd.sat.v{LANES}i16"
        )
        done = builder.append_basic_block("done")
        cases = [builder.append_basic_block(f"within{i}") for i in range(LANES)]
        switch = builder.switch(within, cases[0])
        for i, case in enumerate(cases):
            if i:
                switch.add_case(ir.Constant(index, i), case)
            builder.position_at_end(case)
            with cgutils.for_range(builder, blocks, intp=index) as loop:
                block = loop.index
                stay = builder.load(builder.gep(source, [block]), align=2)
                move = builder.load(builder.gep(source, [builder.xor(block, across)]), align=2)
                move = builder.call(add, [shuffled(builder, move, [lane ^ i for lane in range(LANES)]), prices])
                least = builder.select(builder.icmp_unsigned("<", move, stay), move, stay)
                builder.store(least, builder.gep(target, [block]), align=2)
            builder.branch(done)
        builder.position_at_end(done)
        return context.get_dummy_value()

    return signature, generate
