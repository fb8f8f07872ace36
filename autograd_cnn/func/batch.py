"""vmap: a function of samples as a function of batches."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.func.tree import leaves, rebuilt
from autograd_cnn.ops.join import stack
from autograd_cnn.random import get_rng_state, set_rng_state
from autograd_cnn.tensor import Tensor


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """The function that calls `func` with each slice of its arguments and stacks the results.

    in_dims: along which dimension tensors are sliced, None for what all calls share: one for all arguments, or a tuple
    with one for each, which may have the form of the argument.  out_dims: along which the results are stacked.
    randomness: whether random numbers are refused ("error"), drawn for each call ("different") or the same for all.

    The calls are made one after the other: it saves writing, not time.  `chunk_size` changes nothing.

    >>> import autograd_cnn as ag
    >>> vmap(ag.dot)(ag.ones(3, 2), ag.ones(3, 2))
    tensor([2., 2., 2.])
    """
    if randomness not in ("error", "different", "same"):
        raise ArgumentError(f"vmap: randomness must be 'error', 'different' or 'same', got {randomness!r}")

    @wraps(func)
    def batched(*args: Any, **kwargs: Any) -> Any:
        tensors = leaves(args)
        dims = _each(in_dims, args, "in_dims")
        slices = [(x, _dim(x, d)) for x, d in zip(tensors, dims, strict=True)]
        sizes = {x.shape[d] for x, d in slices if d is not None}
        if not sizes:
            raise ArgumentError("vmap: no argument has a dimension to be sliced along; in_dims are all None")
        if len(sizes) > 1:
            raise ShapeError(f"vmap: arguments must agree in the size they are sliced along, got {sorted(sizes)}")
        size = sizes.pop()
        if size == 0:
            raise ShapeError("vmap: there are no slices, so that the results have no shape")
        results = []
        before = get_rng_state()
        for i in range(size):
            if randomness == "same":
                set_rng_state(before)
            picked = [x if d is None else x.select(d, i) for x, d in slices]
            results.append(func(*rebuilt(args, picked), **kwargs))
            if randomness == "error" and get_rng_state() != before:
                raise ArgumentError(
                    "vmap: the function drew random numbers; say with randomness whether they are 'same' or 'different'"
                )
        columns = zip(*(leaves(result) for result in results), strict=True)
        places = _each(out_dims, results[0], "out_dims")
        return rebuilt(results[0], [_stacked(c, d) for c, d in zip(columns, places, strict=True)])

    return batched


def _each(dims: Any, tree: Any, what: str) -> list[Any]:
    """A dimension for each tensor of a tree."""
    if dims is None or isinstance(dims, int):
        return [dims] * len(leaves(tree))
    if isinstance(tree, tuple | list) and isinstance(dims, tuple | list) and len(dims) == len(tree):
        return [d for some, part in zip(dims, tree, strict=True) for d in _each(some, part, what)]
    if isinstance(tree, dict) and isinstance(dims, dict) and dims.keys() == tree.keys():
        return [d for name, part in tree.items() for d in _each(dims[name], part, what)]
    if isinstance(dims, tuple) and len(dims) == 1 and isinstance(tree, Tensor):
        return [dims[0]]
    raise ArgumentError(f"vmap: {what} must have the form of what they are for, got {dims!r}")


def _dim(x: Any, dim: int | None) -> int | None:
    if dim is None:
        return None
    if not isinstance(x, Tensor):
        raise DTypeError(f"vmap: cannot slice {type(x).__name__}; its in_dims must be None")
    if not -x.ndim <= dim < x.ndim:
        raise ArgumentError(f"vmap: in_dims has {dim} for a tensor of shape {list(x.shape)}")
    return dim % x.ndim


def _stacked(parts: Any, dim: int | None) -> Any:
    if not isinstance(parts[0], Tensor):
        raise DTypeError(f"vmap: the function must return tensors, got {type(parts[0]).__name__}")
    return parts[0] if dim is None else stack(list(parts), dim)
