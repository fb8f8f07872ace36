"""Serial kernels called past Numba's dispatcher, with arrays of any shape as flat ones, of more than one type.

As flat.py, where all arrays share a dtype.  Parallel loops share the same compiled code, by its address.
"""

import numpy as np
from numba.core import types

from autograd_cnn.kernels.cpu.flat import Flat
from autograd_cnn.kernels.cpu.shared_code import address

_REAL = {np.dtype(np.float32): types.float32, np.dtype(np.float64): types.float64}


class FlatCall:
    """`kernel.of(dtype)(*arguments)` from a serial kernel.

    `kinds` has a letter for each of its arguments: "i" for an integer, "d" for a float64, "x" for an array of
    `dtype`, "s" for one of float64.
    """

    __slots__ = ("_compiled", "_kernel", "_kinds")

    def __init__(self, kernel, kinds):
        self._kernel, self._kinds = kernel, kinds
        self._compiled = {}

    def of(self, dtype):
        """The compiled kernel for arrays of `dtype`."""
        return self._compiled.get(dtype) or self._compiled.setdefault(dtype, self._kernel.compile(self._types(dtype)))

    def address(self, dtype):
        """Where its code lies, for `shared_code.call`."""
        self.of(dtype)
        return address(self._kernel, self._types(dtype))

    def _types(self, dtype):
        kinds = {"i": types.intp, "d": types.float64, "x": Flat(_REAL[dtype]), "s": Flat(types.float64)}
        return tuple(kinds[letter] for letter in self._kinds)
