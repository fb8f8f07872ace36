"""How operands of an op are brought to one dtype and shape: PyTorch's promotion and broadcasting."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from autograd_cnn.dtype import as_dtype, bool_, get_default_dtype, of_scalar, result_type
from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.graph.base import TensorBase, wrap
from autograd_cnn.ops.cast import cast

Scalar = bool | int | float
NUMBERS = (float, int)
OPERANDS = (TensorBase, bool, int, float, np.number, np.bool_, np.ndarray)  # what operators take


def constant(op: str, value: Any, dtype: np.dtype, like: TensorBase) -> Any:
    """A zero-dimensional tensor on `like`'s device; ArgumentError for an integer that `dtype` cannot hold."""
    try:
        array = np.array(value, dtype)
    except OverflowError:
        raise ArgumentError(f"{op}: {dtype} cannot hold {value}") from None
    return wrap(like.device.from_host(array), like.device)


@lru_cache(maxsize=4096)
def broadcast(op: str, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The common shape; ShapeError names the dimension that does not fit."""
    result: list[int] = [1] * max(len(shape) for shape in shapes)
    for shape in shapes:
        for i, size in enumerate(shape, len(result) - len(shape)):
            if size != 1 and result[i] not in (1, size):
                listed = " and ".join(str(list(s)) for s in shapes)
                raise ShapeError(
                    f"{op}: shapes {listed} do not broadcast: sizes {result[i]} and {size} at dimension {i}, "
                    "neither is 1"
                )
            if size != 1:
                result[i] = size
    return tuple(result)


def promoted(op: str, *operands: Any) -> list[Any]:
    """Tensors and Python numbers as tensors of one dtype, by PyTorch's rules."""
    like = next((operand for operand in operands if isinstance(operand, TensorBase)), None)
    if like is None:
        raise DTypeError(f"{op}: needs at least one tensor, got {', '.join(type(o).__name__ for o in operands)}")
    return together(op, like, *operands)


def together(op: str, like: TensorBase, *operands: Any) -> list[Any]:
    """The same, also where all are numbers: they go to `like`'s device."""
    if any(isinstance(operand, np.ndarray) for operand in operands):
        operands = tuple(_from_array(op, o, like) if isinstance(o, np.ndarray) else o for o in operands)
    levels = []
    for operand in operands:
        if isinstance(operand, TensorBase):
            levels.append((operand.array.dtype, 2 if operand.array.ndim else 1))
        elif isinstance(operand, Scalar | np.number | np.bool_):
            levels.append((of_scalar(operand), 0))
        else:
            raise DTypeError(f"{op}: takes tensors and numbers, got {type(operand).__name__}")
    dtype = result_type(*levels)
    return [
        cast(operand, dtype) if isinstance(operand, TensorBase) else constant(op, operand, dtype, like)
        for operand in operands
    ]


def _from_array(op: str, array: np.ndarray, like: TensorBase) -> TensorBase:
    as_dtype(array.dtype, op)
    return wrap(like.device.from_host(array), like.device)


def pair(op: str, x: Any, other: Any) -> Any:
    """Both operands as tensors of one dtype; quick where they are already, or one is a number that fits."""
    if isinstance(x, TensorBase):
        if isinstance(other, TensorBase):
            if x.array.dtype is other.array.dtype:
                return x, other
        elif other.__class__ in NUMBERS and x.array.dtype.kind == "f":
            return x, constant(op, other, x.array.dtype, x)
    return promoted(op, x, other)


def dtype_of(operand: Any) -> np.dtype:
    """The dtype of a tensor, or the one that a Python number stands for."""
    return operand.array.dtype if isinstance(operand, TensorBase) else of_scalar(operand)


def refuse_bools(op: str, *operands: Any, instead: str = "") -> None:
    """DTypeError where an operand is bool."""
    for operand in operands:
        if dtype_of(operand) == bool_:
            raise DTypeError(f"{op}: takes numbers, got {bool_}{instead}")


def require_tensor(op: str, x: Any) -> Any:
    """`x`; DTypeError unless it is a tensor."""
    if not isinstance(x, TensorBase):
        raise DTypeError(f"{op}: takes a tensor, got {type(x).__name__}")
    return x


def floating(op: str, x: Any) -> Any:
    """`x` if it is a floating point tensor, else `x` in the default dtype."""
    if isinstance(x, TensorBase) and x.array.dtype.kind == "f":
        return x
    return cast(require_tensor(op, x), get_default_dtype())


def require_floating(op: str, **tensors: Any) -> None:
    """DTypeError unless all are floating point tensors of one dtype; None is one that was left out."""
    common: np.dtype | None = None
    for name, tensor in tensors.items():
        if tensor is None and common is not None:  # only the first cannot be left out
            continue
        if not isinstance(tensor, TensorBase):
            raise DTypeError(f"{op}: {name} must be a tensor, got {type(tensor).__name__}")
        dtype = tensor.array.dtype
        if dtype is common:
            continue
        if dtype.kind != "f":
            raise DTypeError(f"{op}: {name} must be a floating point tensor, got {dtype}")
        if common is None:
            common = dtype
        elif dtype != common:
            raise DTypeError(f"{op}: {name} has dtype {dtype}, {next(iter(tensors))} has {common}")


def require_integer(op: str, name: str, tensor: Any) -> Any:
    """`tensor` as int64; DTypeError unless it holds integers."""
    if not isinstance(tensor, TensorBase):
        raise DTypeError(f"{op}: {name} must be a tensor, got {type(tensor).__name__}")
    if tensor.array.dtype == bool_ or tensor.array.dtype.kind == "f":
        raise DTypeError(f"{op}: {name} must hold integers (int64), got {tensor.array.dtype}")
    return cast(tensor, np.dtype(np.int64))


def first_outside(index: Any, size: int) -> int | None:
    """The first element of an int64 tensor that is outside of [0, size); None where all are inside."""
    place = index.device.kernels.check_range(index.array, 0, size) if index.array.size else -1
    return None if place < 0 else int(index.device.to_host(index.array).reshape(-1)[place])
