"""The dtypes that tensors have, and PyTorch's rules for mixing them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autograd_cnn.errors import DTypeError

if TYPE_CHECKING:
    from autograd_cnn.typing import DTypeLike

float32 = np.dtype(np.float32)
float64 = np.dtype(np.float64)
int64 = np.dtype(np.int64)
bool_ = np.dtype(np.bool_)
uint8 = np.dtype(np.uint8)
int32 = np.dtype(np.int32)

# From weakest to strongest; a category (bool, int, float) is a range of this order.
ORDER = (bool_, uint8, int32, int64, float32, float64)
RANK = {dtype: rank for rank, dtype in enumerate(ORDER)}
CATEGORY = {dtype: {"b": 0, "u": 1, "i": 1, "f": 2}[dtype.kind] for dtype in ORDER}

_default: np.dtype = float32


def get_default_dtype() -> np.dtype:
    """The dtype of tensors made from Python floats.

    >>> get_default_dtype()
    dtype('float32')
    """
    return _default


def set_default_dtype(d: DTypeLike) -> None:
    """Sets the dtype of tensors made from Python floats: float32 or float64.

    Raises DTypeError for anything else.

    >>> set_default_dtype(float32)
    """
    global _default
    dtype: np.dtype = np.dtype(d)
    if dtype.kind != "f" or dtype not in RANK:
        raise DTypeError(f"set_default_dtype: takes float32 or float64, got {dtype}")
    _default = dtype


def as_dtype(dtype: object, op: str) -> np.dtype:
    """`dtype` as one of the dtypes that tensors have; DTypeError otherwise."""
    if dtype is float:
        return _default
    try:
        result = np.dtype(dtype)  # type: ignore[call-overload]
    except TypeError:
        result = None
    if result not in RANK:
        names = ", ".join(str(d) for d in ORDER)
        raise DTypeError(f"{op}: dtype {dtype} is not one of {names}")
    return result


def of_scalar(value: object) -> np.dtype:
    """The dtype that a number of Python or NumPy stands for."""
    if isinstance(value, bool | np.bool_):
        return bool_
    if isinstance(value, int | np.integer):
        return int64
    return _default


def promote(x: np.dtype, y: np.dtype) -> np.dtype:
    """The dtype of the result of mixing two tensors that both have dimensions.

    >>> promote(int64, float32)
    dtype('float32')
    >>> promote(uint8, int32)
    dtype('int32')
    """
    return x if RANK[x] >= RANK[y] else y


def result_type(*operands: tuple[np.dtype, int]) -> np.dtype:
    """PyTorch's promotion of operands given as (dtype, priority).

    Priority 2 is a tensor with dimensions, 1 a zero-dimensional tensor, 0 a Python number.  An operand of
    lower priority decides only when its category (bool < int < float) is higher than all above it.

    >>> result_type((float32, 2), (float64, 0))
    dtype('float32')
    >>> result_type((int64, 2), (float32, 0))
    dtype('float32')
    """
    result: np.dtype | None = None
    for priority in (2, 1, 0):
        level: np.dtype | None = None
        for dtype, p in operands:
            if p == priority:
                level = dtype if level is None else promote(level, dtype)
        if level is not None and (result is None or CATEGORY[level] > CATEGORY[result]):
            result = level
    assert result is not None
    return result
