"""Parallel loops over pieces of work that call an already compiled serial kernel by its address.

A kernel that another one calls is compiled anew within it, and a parallel loop makes three such copies.  Where the
kernel is large, that is most of the time a user waits.  A call by address needs none.
"""

from numba import typeof
from numba.core import cgutils, types
from numba.core.errors import TypingError
from numba.extending import intrinsic


def address_of(kernel, *arguments):
    """The address of the code of a serial kernel for such arguments, which must leave it nothing to do."""
    kernel(*arguments)
    return address(kernel, tuple(map(typeof, arguments)))


def address(kernel, kinds):
    """The address of the code of a serial kernel that was compiled for arguments of these types."""
    compiled = kernel.overloads[kinds]
    return compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)


@intrinsic
def call(typingctx, address, arguments):
    """Call the kernel at `address`, one that returns nothing, with a tuple of just the types it was compiled for."""
    arrays = [kind for kind in arguments if isinstance(kind, types.Array)]
    if not all(kind.aligned or isinstance(kind.dtype, types.Record) for kind in arrays):
        raise TypingError("code is shared by arrays that are aligned")
    signature = types.void(types.intp, arguments)

    def codegen(context, builder, signature, values):
        kinds = signature.args[1].types
        given = [builder.extract_value(values[1], i) for i in range(len(kinds))]
        pointer = context.call_conv.get_function_type(types.none, kinds).as_pointer()
        function = builder.inttoptr(values[0], pointer)
        status, _ = context.call_conv.call_function(builder, function, types.none, kinds, given)
        with cgutils.if_unlikely(builder, status.is_error):
            context.call_conv.return_status_propagate(builder, status)
        return context.get_dummy_value()

    return signature, codegen
