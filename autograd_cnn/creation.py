"""Functions that make tensors."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.constructors import unwrapped
from autograd_cnn.device import CPU, Device
from autograd_cnn.device import device as as_device
from autograd_cnn.dtype import RANK, as_dtype, float64, get_default_dtype, int32, int64, of_scalar
from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.graph.base import wrap
from autograd_cnn.graph.grad_mode import is_inference_mode_enabled
from autograd_cnn.ops.assign import require_number
from autograd_cnn.ops.size import addressable, new_size
from autograd_cnn.tensor import Tensor

if TYPE_CHECKING:
    from autograd_cnn.typing import DTypeLike, Ints


def make(array: np.ndarray, device: Any, requires_grad: bool) -> Tensor:
    """A tensor on an array."""
    place: Device = CPU if device is None else as_device(device)
    result = wrap(place.from_host(array), place)
    if is_inference_mode_enabled():
        result.version = None
    return result.requires_grad_() if requires_grad else result


def tensor(data: Any, *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor with a copy of `data`: numbers, nested sequences, or an array.

    Python floats become the default dtype, integers int64; arrays keep their dtype, but for integers of a width that
    tensors do not have, which become int64.
    Raises DTypeError for dtypes that tensors do not have, ShapeError for ragged sequences.

    >>> tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    >>> tensor(1.5, requires_grad=True)
    tensor(1.5000, requires_grad=True)
    """
    if isinstance(data, Tensor):
        data = data.detach().numpy()
    elif isinstance(data, list | tuple):
        data = unwrapped(data)
    try:
        array = np.array(data)
    except ValueError as error:
        raise ShapeError(f"tensor: the nested sequences differ in length: {error}") from None
    if dtype is not None:
        dtype = as_dtype(dtype, "tensor")
    elif array.dtype.kind == "f" and not _holds_doubles(data):
        dtype = (
            get_default_dtype() if not isinstance(data, np.ndarray | np.generic) else _supported(array.dtype, "tensor")
        )
    else:
        dtype = _supported(array.dtype, "tensor")
    if array.dtype.kind not in "biuf":
        raise DTypeError(f"tensor: cannot make a tensor of {array.dtype}; needs numbers or bools")
    if dtype.kind in "iu" and array.size and not isinstance(data, np.ndarray | np.generic):
        most = np.iinfo(dtype).max
        for value in (int(array.min()), int(array.max())):
            if abs(value) > most + (dtype.kind == "i" and value < 0):
                raise ArgumentError(f"tensor: {dtype} cannot hold {value}")
    return make(np.ascontiguousarray(array, dtype).reshape(array.shape), device, requires_grad)


def _holds_doubles(data: Any) -> bool:
    """Whether there is a float64 of NumPy's in nested sequences: it keeps its precision, as Python's do not."""
    if isinstance(data, list | tuple):
        return any(_holds_doubles(item) for item in data)
    return isinstance(data, np.ndarray | np.generic) and data.dtype == float64


def _supported(dtype: np.dtype, op: str) -> np.dtype:
    """The dtype itself, or int64 for the integer widths that NumPy has beside it."""
    if dtype in RANK:
        return dtype
    if dtype.kind in "iu" and dtype.itemsize < 8:
        return int64
    return as_dtype(dtype, op)


def as_tensor(data: Any, dtype: DTypeLike | None = None, device: Any = None) -> Tensor:
    """Like `tensor`, but shares memory with an array or tensor that already fits.

    >>> import numpy as np
    >>> a = np.zeros(2)
    >>> t = as_tensor(a)
    >>> a[0] = 7
    >>> t
    tensor([7., 0.], dtype=float64)
    """
    wanted = None if dtype is None else as_dtype(dtype, "as_tensor")
    if isinstance(data, Tensor):
        return data.to(dtype=wanted, device=device)
    if isinstance(data, np.ndarray) and data.dtype in RANK and (wanted is None or wanted == data.dtype):
        return make(data, device, False)
    return tensor(data, dtype=dtype, device=device)


def from_numpy(ndarray: np.ndarray) -> Tensor:
    """A tensor on an array's memory; raises DTypeError for dtypes that tensors do not have.

    >>> import numpy as np
    >>> from_numpy(np.arange(3))
    tensor([0, 1, 2])
    """
    if not isinstance(ndarray, np.ndarray):
        raise DTypeError(f"from_numpy: takes a NumPy ndarray, got {type(ndarray).__name__}")
    as_dtype(ndarray.dtype, "from_numpy")
    return make(ndarray, None, False)


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor on the memory of any CPU array that speaks DLPack, or on a copy of it.

    >>> import numpy as np
    >>> from_dlpack(np.ones(2, np.float32))
    tensor([1., 1.])
    """
    if device is not None:
        as_device(device)
    array = np.from_dlpack(ext_tensor)
    return from_numpy(array.copy() if copy else array)


def full(
    size: Ints, fill_value: Any, *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A tensor of shape `size`, every number `fill_value`.

    Raises DTypeError for what is no number, ArgumentError for one that the dtype cannot hold.

    >>> full((2,), 7)
    tensor([7, 7])
    """
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    result = of_scalar(value) if dtype is None else as_dtype(dtype, "full")
    require_number("full", value, result)
    return _filled(new_size("full", (size,)), value, result, device, requires_grad)


def zeros(
    *given: Ints,
    size: Ints | None = None,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of zeros.

    >>> zeros(2, 3).shape
    (2, 3)
    """
    return _filled(new_size("zeros", given, size), 0, float_dtype(dtype, "zeros"), device, requires_grad)


def ones(
    *given: Ints,
    size: Ints | None = None,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of ones.

    >>> ones(2)
    tensor([1., 1.])
    """
    return _filled(new_size("ones", given, size), 1, float_dtype(dtype, "ones"), device, requires_grad)


def empty(
    *given: Ints,
    size: Ints | None = None,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of whatever the memory holds.

    >>> empty(2, 3).shape
    (2, 3)
    """
    return make(np.empty(new_size("empty", given, size), float_dtype(dtype, "empty")), device, requires_grad)


def _filled(size: tuple[int, ...], value: Any, dtype: np.dtype, device: Any, requires_grad: bool) -> Tensor:
    place: Device = CPU if device is None else as_device(device)
    array = place.empty(size, dtype)
    place.kernels.fill(array, value)
    return make(array, place, requires_grad)


def float_dtype(dtype: Any, op: str) -> np.dtype:
    """`dtype`, or the default one."""
    return get_default_dtype() if dtype is None else as_dtype(dtype, op)


def like(x: Tensor, dtype: Any, device: Any) -> dict[str, Any]:
    """The dtype and device given, or x's."""
    return {"dtype": x.dtype if dtype is None else dtype, "device": x.device if device is None else device}


def zeros_like(
    input: Tensor, *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Zeros of input's shape, dtype and device.

    >>> zeros_like(tensor([1, 2]))
    tensor([0, 0])
    """
    return zeros(input.shape, **like(input, dtype, device), requires_grad=requires_grad)


def ones_like(
    input: Tensor, *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Ones of input's shape, dtype and device.

    >>> ones_like(tensor([1.0, 2.0]))
    tensor([1., 1.])
    """
    return ones(input.shape, **like(input, dtype, device), requires_grad=requires_grad)


def full_like(
    input: Tensor, fill_value: Any, *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """`fill_value` in input's shape, dtype and device.

    >>> full_like(tensor([1.0, 2.0]), 3)
    tensor([3., 3.])
    """
    return full(input.shape, fill_value, **like(input, dtype, device), requires_grad=requires_grad)


def empty_like(
    input: Tensor, *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Uninitialised memory of input's shape, dtype and device.

    >>> empty_like(tensor([1.0, 2.0])).shape
    (2,)
    """
    return empty(input.shape, **like(input, dtype, device), requires_grad=requires_grad)


def eye(
    n: int, m: int | None = None, *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """The n x m matrix with ones on its diagonal.

    >>> eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    rows, columns = new_size("eye", (n, n if m is None else m))
    return make(np.eye(rows, columns, dtype=float_dtype(dtype, "eye")), device, requires_grad)


def arange(
    start: float = 0,
    end: float | None = None,
    step: float = 1,
    *,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The numbers from `start` up to but not `end`, `step` apart; integers where all three are.

    >>> arange(4)
    tensor([0, 1, 2, 3])
    >>> arange(0, 1, 0.25)
    tensor([0.0000, 0.2500, 0.5000, 0.7500])
    """
    if end is None:
        start, end = 0, start
    if step == 0 or (end - start) / step < 0:
        raise ArgumentError(f"arange: step {step} does not lead from {start} to {end}")
    addressable("arange", (int(min(abs((end - start) / step), sys.maxsize)),))
    whole = all(isinstance(v, int | np.integer) for v in (start, end, step))
    dtype = as_dtype(dtype, "arange") if dtype is not None else int64 if whole else get_default_dtype()
    return make(np.arange(start, end, step).astype(dtype, copy=False), device, requires_grad)


def linspace(
    start: float,
    end: float,
    steps: int,
    *,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` numbers at equal distances from `start` to `end`, both included.

    >>> linspace(0, 1, 3)
    tensor([0.0000, 0.5000, 1.0000])
    """
    (steps,) = new_size("linspace", (steps,))
    return make(np.linspace(start, end, steps, dtype=float_dtype(dtype, "linspace")), device, requires_grad)


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: DTypeLike = int64, device: Any = None) -> Tensor:
    """Rows and columns, (2, n), of the places on and below a diagonal of a matrix, row by row; see `tril`.

    >>> tril_indices(2, 3)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    rows, columns = new_size("tril_indices", (row, col))
    return _indices("tril_indices", np.tril_indices(rows, offset, columns), dtype, device)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: DTypeLike = int64, device: Any = None) -> Tensor:
    """Rows and columns, (2, n), of the places on and above a diagonal of a matrix, row by row; see `triu`.

    >>> triu_indices(2, 3, 1)
    tensor([[0, 0, 1],
            [1, 2, 2]])
    """
    rows, columns = new_size("triu_indices", (row, col))
    return _indices("triu_indices", np.triu_indices(rows, offset, columns), dtype, device)


def _indices(op: str, places: Any, dtype: Any, device: Any) -> Tensor:
    dtype = as_dtype(dtype, op)
    if dtype not in (int32, int64):
        raise DTypeError(f"{op}: indices are int32 or int64, got dtype {dtype}")
    return make(np.stack(places).astype(dtype), device, False)


def is_tensor(obj: Sequence[Any] | object) -> bool:
    """Whether `value` is a tensor.

    >>> is_tensor([1.0])
    False
    """
    return isinstance(obj, Tensor)
