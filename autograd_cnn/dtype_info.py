"""What can be asked of dtypes and of tensors' dtypes, by PyTorch's names."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_cnn import dtype as dtypes
from autograd_cnn.errors import DTypeError
from autograd_cnn.tensor import Tensor


def finfo(type: Any = None) -> np.finfo[Any]:
    """The limits of a floating dtype, the default one unless given: `eps`, `max`, `min`, `tiny`, `bits`, ...

    Raises DTypeError for another dtype.

    >>> import autograd_cnn as ag
    >>> float(finfo(ag.float32).eps)
    1.1920928955078125e-07
    """
    dtype = dtypes.get_default_dtype() if type is None else dtypes.as_dtype(type, "finfo")
    if dtype.kind != "f":
        raise DTypeError(f"finfo: takes a floating dtype, got {dtype}; iinfo is for integers")
    return np.finfo(dtype)


def iinfo(type: Any) -> np.iinfo[Any]:
    """The limits of an integer dtype: `max`, `min`, `bits`.  Raises DTypeError for another dtype.

    >>> import autograd_cnn as ag
    >>> iinfo(ag.uint8).max
    255
    """
    dtype = dtypes.as_dtype(type, "iinfo")
    if dtype.kind not in "iu":
        raise DTypeError(f"iinfo: takes an integer dtype, got {dtype}; finfo is for floating ones")
    return np.iinfo(dtype)


def promote_types(type1: Any, type2: Any) -> np.dtype:
    """The dtype of the result of mixing two tensors of these dtypes.

    >>> import autograd_cnn as ag
    >>> promote_types(ag.int64, ag.float32)
    dtype('float32')
    """
    return dtypes.promote(dtypes.as_dtype(type1, "promote_types"), dtypes.as_dtype(type2, "promote_types"))


def result_type(tensor1: Tensor, tensor2: Tensor) -> np.dtype:
    """The dtype of the result of mixing two tensors or numbers.

    >>> import autograd_cnn as ag
    >>> result_type(ag.tensor([1, 2]), 1.0)
    dtype('float32')
    """
    return dtypes.result_type(*(_operand(value) for value in (tensor1, tensor2)))


def _operand(value: Any) -> tuple[np.dtype, int]:
    if isinstance(value, Tensor):
        return value.dtype, 2 if value.ndim else 1
    return dtypes.of_scalar(value), 0


def can_cast(from_: Any, to: Any) -> bool:
    """Whether a result of one dtype may be written to a tensor of another: not to a lower category.

    >>> import autograd_cnn as ag
    >>> can_cast(ag.float64, ag.float32), can_cast(ag.float32, ag.int64)
    (True, False)
    """
    source, target = dtypes.as_dtype(from_, "can_cast"), dtypes.as_dtype(to, "can_cast")
    return dtypes.CATEGORY[source] <= dtypes.CATEGORY[target]


def is_floating_point(input: Tensor) -> bool:
    """Whether input is of a floating dtype.

    >>> import autograd_cnn as ag
    >>> is_floating_point(ag.ones(1)), is_floating_point(ag.arange(1))
    (True, False)
    """
    return _tensor(input, "is_floating_point").dtype.kind == "f"


def is_complex(input: Tensor) -> bool:
    """False: there are no complex tensors.

    >>> import autograd_cnn as ag
    >>> is_complex(ag.ones(1))
    False
    """
    _tensor(input, "is_complex")
    return False


def is_nonzero(input: Tensor) -> bool:
    """Whether the one element of input is not 0.  Raises for any other number of elements.

    >>> import autograd_cnn as ag
    >>> is_nonzero(ag.tensor([0.0]))
    False
    """
    return bool(_tensor(input, "is_nonzero"))


def is_inference(input: Tensor) -> bool:
    """Whether input was made in inference mode.

    >>> import autograd_cnn as ag
    >>> is_inference(ag.ones(1))
    False
    """
    return _tensor(input, "is_inference").version is None


def numel(input: Tensor) -> int:
    """The number of elements.

    >>> import autograd_cnn as ag
    >>> numel(ag.ones(2, 3))
    6
    """
    return int(_tensor(input, "numel").array.size)


def _tensor(x: Any, function: str) -> Tensor:
    if not isinstance(x, Tensor):
        raise DTypeError(f"{function}: input must be a Tensor, got {type(x).__name__}")
    return x
