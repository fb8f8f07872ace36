"""Samples to batches: default_collate; and single samples to tensors: default_convert."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import singledispatch
from typing import Any

import numpy as np

from autograd_cnn.creation import as_tensor, from_numpy
from autograd_cnn.errors import DTypeError, ShapeError
from autograd_cnn.tensor import Tensor


def default_collate(batch: Sequence[Any]) -> Any:
    """Samples that are alike, put together along a new first dimension, as PyTorch's function does.

    Tensors and arrays of shape S become a Tensor of shape (N, *S); integers an int64 Tensor, floats a
    float64 one, bools a bool one; dicts, named tuples and sequences are collated field by field (a tuple
    becomes a list); strings and bytes stay as they are.
    Errors: `ShapeError` for samples of different shapes or lengths, `DTypeError` for what is none of these.

    >>> default_collate([(1, 0.5), (2, 1.5)])
    [tensor([1, 2]), tensor([0.5000, 1.5000], dtype=float64)]
    >>> default_collate([{"name": "a"}, {"name": "b"}])
    {'name': ['a', 'b']}
    """
    if not len(batch):
        raise ShapeError("default_collate: the batch is empty")
    return _collate(batch[0], batch)


def default_convert(data: Any) -> Any:
    """The arrays in a sample as Tensors, as PyTorch's function does; what is none stays as it is.

    Dicts, named tuples and sequences are gone through; a tuple becomes a list.

    >>> default_convert({"x": np.zeros(2, np.float32), "name": "a", "n": 3})
    {'x': tensor([0., 0.]), 'name': 'a', 'n': 3}
    """
    return _convert(data)


@singledispatch
def _convert(data: Any) -> Any:
    return data


@_convert.register(np.ndarray | np.generic)
def _(data: Any) -> Any:
    return data if data.dtype.kind in "SUOVMm" else as_tensor(np.asarray(data))


@_convert.register
def _(data: Mapping) -> Any:  # type: ignore[type-arg]
    return {key: default_convert(value) for key, value in data.items()}


@_convert.register
def _(data: Sequence) -> Any:  # type: ignore[type-arg]
    if isinstance(data, str | bytes):
        return data
    rebuild: Callable[..., Any] = getattr(type(data), "_make", list)
    return rebuild([default_convert(value) for value in data])


@singledispatch
def _collate(first: Any, batch: Sequence[Any]) -> Any:
    raise DTypeError(
        f"default_collate: takes tensors, arrays, numbers, strings, dicts and sequences, not {type(first).__name__}"
    )


@_collate.register
def _(first: np.ndarray, batch: Sequence[Any]) -> Tensor:
    return as_tensor(_stack(batch))


@_collate.register
def _(first: Tensor, batch: Sequence[Any]) -> Tensor:
    return from_numpy(_stack([sample.detach().numpy() for sample in batch]))


@_collate.register(bool | int | float | np.generic)
def _(first: Any, batch: Sequence[Any]) -> Tensor:
    return as_tensor(np.asarray(batch))


@_collate.register(str | bytes)
def _(first: str | bytes, batch: Sequence[Any]) -> Sequence[Any]:
    return batch


@_collate.register
def _(first: Mapping, batch: Sequence[Any]) -> dict[Any, Any]:  # type: ignore[type-arg]
    return {key: default_collate([sample[key] for sample in batch]) for key in first}


@_collate.register
def _(first: Sequence, batch: Sequence[Any]) -> Any:  # type: ignore[type-arg]
    lengths = {len(sample) for sample in batch}
    if len(lengths) > 1:
        raise ShapeError(f"default_collate: samples have different lengths, {sorted(lengths)}")
    fields = [default_collate(field) for field in zip(*batch, strict=True)]
    rebuild: Callable[..., Any] = getattr(type(first), "_make", list)  # a named tuple stays one
    return rebuild(fields)


def _stack(arrays: Sequence[np.ndarray]) -> np.ndarray:
    for i, array in enumerate(arrays):
        if np.shape(array) != np.shape(arrays[0]):
            raise ShapeError(
                f"default_collate: sample {i} has shape {np.shape(array)}, sample 0 {np.shape(arrays[0])}; "
                "transform them to one size, or pass a collate_fn"
            )
    return np.stack(arrays)
