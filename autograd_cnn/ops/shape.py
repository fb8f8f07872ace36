"""Other shapes for the same elements.  Views share their input's memory, as in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from operator import index
from typing import Any

from autograd_cnn.errors import ArgumentError, IndexOutOfRangeError, ShapeError
from autograd_cnn.graph.op import Op, ViewOp
from autograd_cnn.graph.record import apply, apply_view
from autograd_cnn.ops.dim import distinct, one_dim
from autograd_cnn.ops.operand import require_tensor
from autograd_cnn.ops.size import as_size, filled
from autograd_cnn.ops.slice import along


class View(ViewOp):
    """The same elements in another shape, where strides can say so."""

    def __init__(self, size: tuple[int, ...]) -> None:
        self.size = size

    def view(self, x: Any) -> Any:
        if x.flags.c_contiguous:
            return x.reshape(self.size)
        try:
            return x.reshape(self.size, copy=False)
        except ValueError:
            strides = [stride // x.itemsize for stride in x.strides]
            raise ShapeError(
                f"{self.name}: shape {list(x.shape)} with strides {strides} cannot be seen as "
                f"{list(self.size)} without a copy; use reshape"
            ) from None

    def vjp_x(self, g: Any, x_shape: Any) -> Any:
        return reshape(g, x_shape)


class Flatten(View):
    """View with several dimensions as one."""


class Unflatten(View):
    """View with one dimension as several."""


class Squeeze(View):
    """View without dimensions of size 1."""


class Unsqueeze(View):
    """View with one more dimension of size 1."""


class Reshape(Op):
    """The same elements in another shape, copied."""

    inputs = ("x",)

    def __init__(self, size: tuple[int, ...]) -> None:
        self.size = size

    def infer(self, x: Any) -> Any:
        return self.size, x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.copy(x, out.reshape(x.shape))

    def vjp_x(self, g: Any, x_shape: Any) -> Any:
        return reshape(g, x_shape)


class Permute(ViewOp):
    def __init__(self, dims: tuple[int, ...]) -> None:
        self.dims = dims

    def view(self, x: Any) -> Any:
        return x.transpose(self.dims)

    def vjp_x(self, g: Any) -> Any:
        inverse = [0] * len(self.dims)
        for position, dim in enumerate(self.dims):
            inverse[dim] = position
        return apply_view(Permute(tuple(inverse)), g)


def _as(cls: type[View], x: Any, size: tuple[int, ...]) -> Any:
    """`cls` where strides allow the view, else a copy."""
    try:
        return apply_view(cls(size), x)
    except ShapeError:
        return apply(Reshape(size), x)


def reshape(x: Any, *given: Any, shape: Any = None) -> Any:
    """The elements of x, in row-major order, in another shape: a view where possible, else a copy.

    `shape` is ints or one sequence; one of them may be -1.  Raises ShapeError where the numbers of elements
    differ.

    >>> import autograd_cnn as ag
    >>> reshape(ag.tensor([1, 2, 3, 4]), 2, -1)
    tensor([[1, 2],
            [3, 4]])
    """
    return _as(
        View, x, filled("reshape", as_size("reshape", given, "shape", shape), require_tensor("reshape", x).array.shape)
    )


def ravel(x: Any) -> Any:
    """The elements of x in one dimension: a view where possible, else a copy.

    >>> import autograd_cnn as ag
    >>> ravel(ag.tensor([[1, 2], [3, 4]]))
    tensor([1, 2, 3, 4])
    """
    return reshape(x, -1)


def view(x: Any, *given: Any, size: Any = None) -> Any:
    """The elements of x in another shape, in the same memory.

    `size` is ints or one sequence; one of them may be -1.  Raises ShapeError where the numbers of elements
    differ, and where x's memory layout would need a copy.

    >>> import autograd_cnn as ag
    >>> view(ag.tensor([[1, 2], [3, 4]]), 4)
    tensor([1, 2, 3, 4])
    """
    return apply_view(View(filled("view", as_size("view", given, "size", size), x.array.shape)), x)


def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Dimensions start_dim to end_dim, both included, as one: (N, C, H, W) to (N, C * H * W) for start_dim=1.

    A zero-dimensional x gives one dimension.  Raises IndexOutOfRangeError for a dim out of range,
    ArgumentError where end_dim comes first.

    >>> import autograd_cnn as ag
    >>> flatten(ag.zeros(2, 3, 4), 1).shape
    (2, 12)
    """
    shape = require_tensor("flatten", x).array.shape
    start = one_dim("flatten", start_dim, len(shape), "start_dim")
    end = one_dim("flatten", end_dim, len(shape), "end_dim")
    if start > end:
        raise ArgumentError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim} in shape {list(shape)}")
    return _as(Flatten, x, (*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :]))


def unflatten(x: Any, dim: int, sizes: Any) -> Any:
    """Dimension `dim` as several of the given sizes, one of which may be -1.

    Raises ShapeError where the sizes do not multiply to that of the dimension.

    >>> import autograd_cnn as ag
    >>> unflatten(ag.zeros(2, 12), 1, (3, -1)).shape
    (2, 3, 4)
    """
    shape = require_tensor("unflatten", x).array.shape
    dim = one_dim("unflatten", dim, len(shape))
    size = filled("unflatten", as_size("unflatten", (sizes,), "sizes"), shape[dim : dim + 1])
    return _as(Unflatten, x, (*shape[:dim], *size, *shape[dim + 1 :]))


def permute(x: Any, *given: Any, dims: Any = None) -> Any:
    """A view with the dimensions in another order: dimension i of the result is dimension dims[i] of x.

    Raises ArgumentError unless `dims` names each dimension once.

    >>> import autograd_cnn as ag
    >>> permute(ag.zeros(2, 3, 4), 2, 0, 1).shape
    (4, 2, 3)
    """
    dims = as_size("permute", given, "dims", dims)
    shape = require_tensor("permute", x).array.shape
    if len(dims) != len(shape):
        raise ArgumentError(f"permute: dims {list(dims)} must name each of the {len(shape)} dimensions of x once")
    return apply_view(Permute(distinct("permute", dims, len(shape), "dims")), x)


def transpose(x: Any, dim0: int, dim1: int) -> Any:
    """A view with two dimensions swapped.

    >>> import autograd_cnn as ag
    >>> transpose(ag.tensor([[1, 2], [3, 4]]), 0, 1)
    tensor([[1, 3],
            [2, 4]])
    """
    shape = require_tensor("transpose", x).array.shape
    dim0 = one_dim("transpose", dim0, len(shape), "dim0")
    dim1 = one_dim("transpose", dim1, len(shape), "dim1")
    dims = list(range(len(shape)))
    if dims:
        dims[dim0], dims[dim1] = dim1, dim0
    return apply_view(Permute(tuple(dims)), x)


swapdims = transpose


def swapaxes(x: Any, axis0: int, axis1: int) -> Any:
    """`transpose` under NumPy's name.

    >>> import autograd_cnn as ag
    >>> swapaxes(ag.zeros(2, 3, 4), 0, -1).shape
    (4, 3, 2)
    """
    return transpose(x, axis0, axis1)


def t(x: Any) -> Any:
    """The transpose of a matrix; fewer dimensions stay as they are.  Raises ShapeError for more than two.

    >>> import autograd_cnn as ag
    >>> t(ag.zeros(2, 3)).shape
    (3, 2)
    """
    ndim = require_tensor("t", x).array.ndim
    if ndim > 2:
        raise ShapeError(f"t: takes at most 2 dimensions, x has shape {list(x.array.shape)}; use transpose or mT")
    return apply_view(Permute(tuple(range(ndim))[::-1]), x)


def movedim(x: Any, source: Any, destination: Any) -> Any:
    """A view with dimensions `source` moved to `destination`, the others in their order.

    >>> import autograd_cnn as ag
    >>> movedim(ag.zeros(2, 3, 4), 0, -1).shape
    (3, 4, 2)
    """
    shape = require_tensor("movedim", x).array.shape
    sources = distinct("movedim", source, len(shape), "source")
    targets = distinct("movedim", destination, len(shape), "destination")
    if len(sources) != len(targets):
        raise ArgumentError(f"movedim: {len(sources)} source dims but {len(targets)} destination dims")
    order = [dim for dim in range(len(shape)) if dim not in sources]
    for target, dim in sorted(zip(targets, sources, strict=True)):
        order.insert(target, dim)
    return apply_view(Permute(tuple(order[: len(shape)])), x)


moveaxis = movedim  # NumPy's name


def squeeze(x: Any, dim: Any = None) -> Any:
    """A view without the dimensions of size 1, or without those of them that `dim` (an int or several) names.

    >>> import autograd_cnn as ag
    >>> x = ag.zeros(1, 3, 1)
    >>> squeeze(x).shape, squeeze(x, 0).shape, squeeze(x, 1).shape
    ((3,), (3, 1), (1, 3, 1))
    """
    shape = require_tensor("squeeze", x).array.shape
    dims = range(len(shape)) if dim is None else distinct("squeeze", dim, len(shape))
    size = tuple(n for i, n in enumerate(shape) if n != 1 or i not in dims)
    return apply_view(Squeeze(size), x)


def unsqueeze(x: Any, dim: int) -> Any:
    """A view with a new dimension of size 1 at `dim`.

    >>> import autograd_cnn as ag
    >>> unsqueeze(ag.zeros(2, 3), -1).shape
    (2, 3, 1)
    """
    shape = require_tensor("unsqueeze", x).array.shape
    dim = one_dim("unsqueeze", dim, len(shape) + 1)
    return apply_view(Unsqueeze((*shape[:dim], 1, *shape[dim:])), x)


def narrow(x: Any, dim: int, start: int, length: int) -> Any:
    """A view of `length` elements of dimension `dim` from `start`, which may count from the end.

    Raises IndexOutOfRangeError where they reach out of the dimension.

    >>> import autograd_cnn as ag
    >>> narrow(ag.tensor([1, 2, 3, 4]), 0, 1, 2)
    tensor([2, 3])
    """
    shape = require_tensor("narrow", x).array.shape
    if not shape:
        raise ShapeError("narrow: takes at least 1 dimension, x has shape []")
    dim = one_dim("narrow", dim, len(shape))
    start, length, size = index(start), index(length), shape[dim]
    first = start + size if start < 0 else start
    if length < 0 or not 0 <= first <= size - length:
        raise IndexOutOfRangeError(f"narrow: start {start} and length {length} reach out of dim {dim} of size {size}")
    return apply_view(along(dim, slice(first, first + length)), x)


def select(x: Any, dim: int, index: int) -> Any:
    """A view of x at position `index` of dimension `dim`, which the result lacks.

    >>> import autograd_cnn as ag
    >>> select(ag.tensor([[1, 2], [3, 4]]), 1, 0)
    tensor([1, 3])
    """
    shape = require_tensor("select", x).array.shape
    if not shape:
        raise ShapeError("select: takes at least 1 dimension, x has shape []")
    dim = one_dim("select", dim, len(shape))
    size = shape[dim]
    if not -size <= index < size:
        raise IndexOutOfRangeError(f"select: index {index} is out of range for dim {dim} of size {size}")
    return apply_view(along(dim, index % size), x)


def atleast_1d(*tensors: Any) -> Any:
    """The tensors, or one, where a number is (1,); several come as a tuple, and may be given as a sequence.

    >>> import autograd_cnn as ag
    >>> atleast_1d(ag.tensor(3))
    tensor([3])
    """
    return _at_least("atleast_1d", tensors, lambda shape: shape or (1,))


def atleast_2d(*tensors: Any) -> Any:
    """The tensors, or one, with two or more dimensions: (n,) is (1, n).

    >>> import autograd_cnn as ag
    >>> atleast_2d(ag.tensor(3), ag.tensor([1, 2]))
    (tensor([[3]]), tensor([[1, 2]]))
    """
    return _at_least("atleast_2d", tensors, lambda shape: (1,) * (2 - len(shape)) + shape)


def atleast_3d(*tensors: Any) -> Any:
    """The tensors, or one, with three or more dimensions: (n,) is (1, n, 1), and (m, n) is (m, n, 1).

    >>> import autograd_cnn as ag
    >>> atleast_3d(ag.zeros(2, 3)).shape
    (2, 3, 1)
    """
    return _at_least(
        "atleast_3d", tensors, lambda shape: ((1,) * (2 - len(shape)) + shape + (1,) * 3)[: max(len(shape), 3)]
    )


def _at_least(op: str, tensors: Any, shape: Callable[[tuple[int, ...]], tuple[int, ...]]) -> Any:
    many = len(tensors) != 1 or isinstance(tensors[0], list | tuple)
    if len(tensors) == 1 and many:
        tensors = tuple(tensors[0])
    views = tuple([reshape(x, shape(require_tensor(op, x).array.shape)) for x in tensors])
    return views if many else views[0]
