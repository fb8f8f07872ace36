"""Views in which elements repeat: expand, broadcast_to, broadcast_tensors, meshgrid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.graph.op import ViewOp
from autograd_cnn.graph.record import apply_view
from autograd_cnn.ops.operand import broadcast, require_tensor
from autograd_cnn.ops.shape import reshape, transpose
from autograd_cnn.ops.size import addressable, as_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Ints


class Expand(ViewOp):
    def __init__(self, size: tuple[int, ...]) -> None:
        self.size = size

    def view(self, x: Any) -> Any:
        size = self.size
        if x.flags.c_contiguous and x.size and 0 not in size:
            # What follows, at an eighth of its cost.
            new = len(size) - x.ndim
            steps = [s if n == m else 0 for n, m, s in zip(x.shape, size[new:], x.strides, strict=True)]
            return np.ndarray(size, x.dtype, x, 0, (*(0,) * new, *steps))
        y = np.broadcast_to(x, size)
        # NumPy marks it read-only, which would be another type, and another compilation, for every kernel.
        y.flags.writeable = x.flags.writeable
        return y

    def vjp_x(self, g: Any) -> Any:
        return g


def expand(input: Tensor, *given: Ints, size: Ints | None = None) -> Tensor:
    """A view in which dimensions of size 1 repeat; -1 keeps a size, new dimensions come first.

    Raises ShapeError where a size is neither 1 nor the one asked for.

    >>> import autograd_cnn as ag
    >>> expand(ag.tensor([[1], [2]]), -1, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    return _expanded("expand", input, as_size("expand", given, "size", size))


def broadcast_to(input: Tensor, size: Ints) -> Tensor:
    """`expand` under NumPy's name.

    >>> import autograd_cnn as ag
    >>> broadcast_to(ag.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    return _expanded("broadcast_to", input, as_size("broadcast_to", (size,)))


def _expanded(op: str, x: Any, size: tuple[int, ...]) -> Any:
    shape = x.array.shape
    new = len(size) - len(shape)
    if new < 0:
        raise ShapeError(f"{op}: size {list(size)} has fewer dimensions than shape {list(shape)}")
    result = list(size)
    for i, n in enumerate(size):
        have = shape[i - new] if i >= new else 1
        if n == -1 and i >= new:
            result[i] = have
        elif n < 0 or have not in (1, n):
            raise ShapeError(f"{op}: shape {list(shape)} does not expand to {list(size)}: {have} to {n} at dim {i}")
    return apply_view(Expand(addressable(op, tuple(result))), x)


def broadcast_tensors(*tensors: Tensor | Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Views of all tensors in the shape that they broadcast to.

    >>> import autograd_cnn as ag
    >>> [x.shape for x in broadcast_tensors(ag.zeros(3, 1), ag.zeros(2))]
    [(3, 2), (3, 2)]
    """
    if not tensors:
        return ()
    shape = broadcast("broadcast_tensors", *[require_tensor("broadcast_tensors", x).array.shape for x in tensors])
    return tuple([_expanded("broadcast_tensors", x, shape) for x in tensors])


def meshgrid(*tensors: Tensor | Sequence[Tensor], indexing: str = "ij") -> tuple[Tensor, ...]:
    """The coordinates of a grid: for n vectors, n views of shape (len_1, ..., len_n), the i-th of which varies along i.

    `indexing="xy"` swaps the first two dimensions of the results.  Numbers count as vectors of length 1.  Raises
    ShapeError for more dimensions, DTypeError for several dtypes.

    >>> import autograd_cnn as ag
    >>> meshgrid(ag.tensor([1, 2]), ag.tensor([3, 4, 5]))[1]
    tensor([[3, 4, 5],
            [3, 4, 5]])
    """
    vectors: Sequence[Any] = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], list | tuple) else tensors
    if indexing not in ("ij", "xy"):
        raise ArgumentError(f"meshgrid: indexing must be 'ij' or 'xy', got {indexing!r}")
    if not vectors:
        raise ArgumentError("meshgrid: needs at least one tensor")
    for i, x in enumerate(vectors):
        if require_tensor("meshgrid", x).array.ndim > 1:
            raise ShapeError(f"meshgrid: tensors[{i}] must be a vector, got shape {list(x.array.shape)}")
        if x.array.dtype != vectors[0].array.dtype:
            raise DTypeError(
                f"meshgrid: tensors[0] has dtype {vectors[0].array.dtype}, tensors[{i}] has {x.array.dtype}"
            )
    shape = tuple(x.array.size for x in vectors)
    apart = [(1,) * i + (n,) + (1,) * (len(shape) - i - 1) for i, n in enumerate(shape)]
    grids = [_expanded("meshgrid", reshape(x, place), shape) for x, place in zip(vectors, apart, strict=True)]
    if indexing == "xy" and len(grids) > 1:
        grids = [transpose(grid, 0, 1) for grid in grids]
    return tuple(grids)
