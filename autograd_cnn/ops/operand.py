"""How operands of an op are brought to one dtype and shape: PyTorch's promotion and broadcasting."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_cnn.dtype import bool_, get_default_dtype, of_scalar, result_type
from autograd_cnn.errors import DTypeError, ShapeError
from autograd_cnn.graph.base import TensorBase, wrap
from autograd_cnn.ops.cast import cast

Scalar = bool | int | float


def constant(value: Any, dtype: np.dtype, like: TensorBase) -> Any:
    """A zero-dimensional tensor on `like`'s device."""
    array = np.array(value, dtype)
    return wrap(like.device.from_host(array), like.device)


def broadcast(op: str, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The common shape; ShapeError names the dimension that does not fit."""
    result: list[int] = [1] * max(len(shape) for shape in shapes)
    for shape in shapes:
        for i, size in enumerate(shape, len(result) - len(shape)):
            if size != 1 and result[i] not in (1, size):
                listed = " and ".join(str(list(s)) for s in shapes)
                raise ShapeError(
                    f"{op}: shapes {listed} do not broadcast: sizes {result[i]} and {size} at dimension {i}, neither is 1"
                )
            if size != 1:
                result[i] = size
    return tuple(result)


def promoted(op: str, *operands: Any) -> list[Any]:
    """Tensors and Python numbers as tensors of one dtype, by PyTorch's rules."""
    like = next((operand for operand in operands if isinstance(operand, TensorBase)), None)
    if like is None:
        raise DTypeError(f"{op}: needs at least one tensor, got {', '.join(type(o).__name__ for o in operands)}")
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
        cast(operand, dtype) if isinstance(operand, TensorBase) else constant(operand, dtype, like)
        for operand in operands
    ]


def floating(op: str, x: Any) -> Any:
    """`x` if it is a floating point tensor, else `x` in the default dtype."""
    if not isinstance(x, TensorBase):
        raise DTypeError(f"{op}: takes a tensor, got {type(x).__name__}")
    return x if x.array.dtype.kind == "f" else cast(x, get_default_dtype())


def require_floating(op: str, **tensors: Any) -> None:
    """DTypeError unless all are floating point tensors of one dtype."""
    first: tuple[str, Any] | None = None
    for name, tensor in tensors.items():
        if tensor is None:
            continue
        if not isinstance(tensor, TensorBase):
            raise DTypeError(f"{op}: {name} must be a tensor, got {type(tensor).__name__}")
        if tensor.array.dtype.kind != "f":
            raise DTypeError(f"{op}: {name} must be a floating point tensor, got {tensor.array.dtype}")
        if first is None:
            first = name, tensor.array.dtype
        elif tensor.array.dtype != first[1]:
            raise DTypeError(f"{op}: {name} has dtype {tensor.array.dtype}, {first[0]} has {first[1]}")


def require_integer(op: str, name: str, tensor: Any) -> Any:
    """`tensor` as int64; DTypeError unless it holds integers."""
    if not isinstance(tensor, TensorBase):
        raise DTypeError(f"{op}: {name} must be a tensor, got {type(tensor).__name__}")
    if tensor.array.dtype == bool_ or tensor.array.dtype.kind == "f":
        raise DTypeError(f"{op}: {name} must hold integers (int64), got {tensor.array.dtype}")
    return cast(tensor, np.dtype(np.int64))


