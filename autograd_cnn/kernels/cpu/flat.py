"""Kernels on small arrays: called past Numba's dispatcher, with arrays of any shape as flat ones.

For a few numbers, `ravel`, the choice of a compiled signature and the reference counts of Numba's own arrays cost
several times what the loop does.  Here an argument of the type `Flat` is read straight from the array object, laid
out as NumPy's `PyArrayObject_fields`, a struct that compiled extensions rely on and which therefore stays.
"""

from functools import partial

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel import models, register_default
from numba.core.errors import TypingError
from numba.extending import NativeValue, unbox
from numba.np.arrayobj import make_array, populate_array

from autograd_cnn.kernels.cpu.shared_code import address, address_of

_SINGLE, _DOUBLE = np.dtype(np.float32), np.dtype(np.float64)
_REAL = {_SINGLE: types.float32, _DOUBLE: types.float64}

_BYTES, _INDEX, _INT = ir.IntType(8).as_pointer(), ir.IntType(64), ir.IntType(32)
# What follows Python's object header: data, ndim, shape, strides, base, descr, flags.
_FIELDS = ir.LiteralStructType([_BYTES, _INT, _INDEX.as_pointer(), _BYTES, _BYTES, _BYTES, _INT])
_DATA, _NDIM, _SHAPE, _FLAGS = 0, 1, 2, 6
_HEADER, _BYTES_OF_POINTER = object.__basicsize__, 8
_TYPE_SIZE = _HEADER + 2 * _BYTES_OF_POINTER  # where a type object has `tp_basicsize`: behind `ob_size` and `tp_name`
_PLAIN = 0x101  # the flags NPY_ARRAY_C_CONTIGUOUS and NPY_ARRAY_ALIGNED


class Flat(types.Array):
    """An array object of a known dtype and any shape, as its elements in C order.

    Unless it is contiguous the kernel gets a copy, so what is written to has to be.  A NumPy scalar is an array, too.
    """

    def __init__(self, dtype):
        super().__init__(dtype, 1, "C", name=f"flat({dtype})")


register_default(Flat)(models.ArrayModel)


@unbox(Flat)
def _read(kind, instance, c):
    builder, null = c.builder, ir.Constant(c.pyapi.pyobj, None)
    copy = cgutils.alloca_once_value(builder, null)
    failed = cgutils.alloca_once_value(builder, cgutils.false_bit)
    source = cgutils.alloca_once_value(builder, instance)

    def replace(method):
        made = c.pyapi.call_method(instance, method)
        builder.store(made, copy)
        with builder.if_else(cgutils.is_null(builder, made)) as (missing, there):
            with missing:
                builder.store(cgutils.true_bit, failed)
            with there:
                builder.store(made, source)

    with builder.if_else(_is_array(builder, instance), likely=True) as (array_object, number):
        with array_object:
            plain = ir.Constant(_INT, _PLAIN)
            flags = builder.and_(_field(builder, instance, _FLAGS), plain)
            with builder.if_then(builder.icmp_unsigned("!=", flags, plain), likely=False):
                replace("copy")
        with number:
            replace("__array__")
    found = builder.load(source)
    shape = _field(builder, found, _SHAPE)
    size = cgutils.alloca_once_value(builder, ir.Constant(_INDEX, 1))
    with cgutils.for_range(builder, builder.sext(_field(builder, found, _NDIM), _INDEX)) as loop:
        length = builder.load(builder.gep(shape, [loop.index]))
        builder.store(builder.mul(builder.load(size), length), size)
    array = make_array(kind)(c.context, builder)
    itemsize = c.context.get_constant(types.intp, kind.dtype.bitwidth // 8)
    populate_array(
        array,
        data=builder.bitcast(_field(builder, found, _DATA), c.context.get_data_type(kind.dtype).as_pointer()),
        shape=cgutils.pack_array(builder, [builder.load(size)]),
        strides=cgutils.pack_array(builder, [itemsize]),
        itemsize=itemsize,
        meminfo=None,
    )
    return NativeValue(
        array._getvalue(), is_error=builder.load(failed), cleanup=lambda: c.pyapi.decref(builder.load(copy))
    )


def _field(builder, instance, number):
    fields = _at(builder, instance, _HEADER, _FIELDS)
    return builder.load(builder.gep(fields, [ir.Constant(_INT, 0), ir.Constant(_INT, number)]))


def _is_array(builder, instance):
    """Whether an object has the fields of an array: NumPy's scalars, which act like arrays, are too small for them."""
    kind = builder.load(_at(builder, instance, _HEADER - _BYTES_OF_POINTER, _BYTES))
    size = builder.load(_at(builder, kind, _TYPE_SIZE, _INDEX))
    return builder.icmp_signed(">=", size, ir.Constant(_INDEX, np.ndarray.__basicsize__))


def _at(builder, pointer, offset, kind):
    place = builder.gep(builder.bitcast(pointer, _BYTES), [ir.Constant(_INDEX, offset)])
    return builder.bitcast(place, kind.as_pointer())


class FlatKernel:
    """`kernel(*operands, out)` from a serial kernel on flat arrays, and a parallel loop that calls it by its address.

    There are one or two operands.
    `single` and `double` take arrays of float32 and of float64 in any shape, on one thread; `parallel` takes flat
    arrays, and any other dtype takes the long way.
    """

    __slots__ = ("_codes", "_loop", "double", "serial", "single")

    def __init__(self, kernel, loop):
        self.serial = kernel
        self.single, self.double = (partial(self._first, name) for name in ("single", "double"))
        self._loop = loop  # loop(code, *arrays, out)
        self._codes = {}

    def __call__(self, *arrays):
        """On one thread."""
        dtype = arrays[-1].dtype
        if (dtype is not _SINGLE and dtype is not _DOUBLE) or any(x.dtype is not dtype for x in arrays):
            self.serial(*[x.ravel() for x in arrays])
        else:
            (self.single if dtype is _SINGLE else self.double)(*arrays)

    def parallel(self, *arrays):
        """On all threads."""
        dtypes = arrays[0].dtype, arrays[-2].dtype, arrays[-1].dtype
        code = self._codes.get(dtypes)
        if code is None:
            code = self._codes[dtypes] = self._code([x.dtype for x in arrays])
        try:
            self._loop(code, *arrays)
        except TypingError:  # an array is not aligned
            self.serial(*arrays)

    def _code(self, dtypes):
        first = dtypes[0]
        if first not in _REAL or any(dtype != first for dtype in dtypes):
            return address_of(self.serial, *[np.zeros(1, dtype) for dtype in dtypes])
        kinds = (Flat(_REAL[first]),) * len(dtypes)  # small arrays have the same code
        self.serial.compile(kinds)
        return address(self.serial, kinds)

    def _first(self, name, *arrays):
        kind = Flat(types.float32 if name == "single" else types.float64)
        kernel = self.serial.compile((kind,) * len(arrays))
        setattr(self, name, kernel)
        kernel(*arrays)
