"""Several vectors at once in a loop whose formula is long.

Each operation of such a formula waits for the one before, and the processor looks too few instructions ahead to find
the next vector's.  LLVM lays several vectors side by side only in short loops, unless a loop asks for it.
"""

import re

from llvmlite import ir
from numba.core import config, types
from numba.extending import intrinsic

VECTORS = 4
_LABEL = re.compile(r"B(\d+)")  # of the blocks that Numba makes of bytecode, in the order of the source


@intrinsic
def interleaved(typingctx):
    """Stands behind an innermost loop without breaks: takes VECTORS of its vectors side by side."""

    def codegen(context, builder, signature, arguments):
        jumps = [jump for jump in map(_jump_back, builder.function.blocks) if jump is not None]
        if jumps:
            _, terminator = max(jumps, key=lambda jump: jump[0])
            wish = builder.module.add_metadata(["llvm.loop.interleave.count", ir.Constant(ir.IntType(32), VECTORS)])
            # A loop's metadata is known by its first operand, itself; until it has one, a number tells it from others.
            number = ir.Constant(ir.IntType(64), len(builder.module.metadata))
            loop = builder.module.add_metadata([number, wish])
            loop.operands = (loop, wish)
            terminator.set_metadata("llvm.loop", loop)
        return context.get_dummy_value()

    return types.void(), codegen


def _jump_back(block):
    """The place of a block and its jump, where that leads back to the head of a loop."""
    jump = block.terminator
    if jump is None or jump.opname != "br" or len(jump.operands) > 1:
        return None
    place, head = _LABEL.match(block.name), _LABEL.fullmatch(jump.operands[0].name)
    if place is None or head is None or int(place[1]) < int(head[1]):
        return None
    return int(place[1]), jump


if config.DISABLE_JIT:  # loops are Python's own

    def interleaved():
        pass
