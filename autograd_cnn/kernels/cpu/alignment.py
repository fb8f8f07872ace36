"""Memory whose vectors do not lie across cache lines: such loads and stores take twice as long."""

import numpy as np

from autograd_cnn.kernels.cpu.jit import inline
from autograd_cnn.kernels.cpu.microkernel import VECTOR_BYTES


def aligned(elements, like):
    """New memory, of the type of `like`, in which whole vectors from its beginning on are whole cache lines."""
    memory = np.empty(elements + VECTOR_BYTES // like.itemsize, like.dtype)
    first = -memory.ctypes.data % VECTOR_BYTES // like.itemsize
    return memory[first : first + elements]


scratch = inline(aligned)  # the same within kernels
