"""Other shapes for the same elements.  Views share their input's memory, as in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from operator import index
from typing import TYPE_CHECKING, Any

from autograd_cnn.errors import ArgumentError, IndexOutOfRangeError, ShapeError
from autograd_cnn.graph.op import Op, ViewOp
from autograd_cnn.graph.record import apply, apply_view
from autograd_cnn.ops.dim import distinct, one_dim
from autograd_cnn.ops.operand import require_tensor
from autograd_cnn.ops.size import as_size, filled
from autograd_cnn.ops.slice import along

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograd_cnn.ops.dim import Dims
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Ints


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


def reshape(input: Tensor, *given: Ints, shape: Ints | None = None) -> Tensor:
    """The elements of input, in row-major order, in another shape: a view where possible, else a copy.

    `shape` is ints or one sequence; one of them may be -1.  Raises ShapeError where the numbers of elements
    differ.

    >>> import autograd_cnn as ag
    >>> reshape(ag.tensor([1, 2, 3, 4]), 2, -1)
    tensor([[1, 2],
            [3, 4]])
    """
    return _as(
        View,
        input,
        filled("reshape", as_size("reshape", given, "shape", shape), require_tensor("reshape", input).array.shape),
    )


def ravel(input: Tensor) -> Tensor:
    """The elements of input in one dimension: a view where possible, else a copy.

    >>> import autograd_cnn as ag
    >>> ravel(ag.tensor([[1, 2], [3, 4]]))
    tensor([1, 2, 3, 4])
    """
    return reshape(input, -1)


def view(input: Tensor, *given: Ints, size: Ints | None = None) -> Tensor:
    """The elements of input in another shape, in the same memory.

    `size` is ints or one sequence; one of them may be -1.  Raises ShapeError where the numbers of elements
    differ, and where input's memory layout would need a copy.

    >>> import autograd_cnn as ag
    >>> view(ag.tensor([[1, 2], [3, 4]]), 4)
    tensor([1, 2, 3, 4])
    """
    return apply_view(View(filled("view", as_size("view", given, "size", size), input.array.shape)), input)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions start_dim to end_dim, both included, as one: (N, C, H, W) to (N, C * H * W) for start_dim=1.

    A zero-dimensional input gives one dimension.  Raises IndexOutOfRangeError for a dim out of range,
    ArgumentError where end_dim comes first.

    >>> import autograd_cnn as ag
    >>> flatten(ag.zeros(2, 3, 4), 1).shape
    (2, 12)
    """
    shape = require_tensor("flatten", input).array.shape
    start = one_dim("flatten", start_dim, len(shape), "start_dim")
    end = one_dim("flatten", end_dim, len(shape), "end_dim")
    if start > end:
        raise ArgumentError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim} in shape {list(shape)}")
    return _as(Flatten, input, (*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :]))


def unflatten(input: Tensor, dim: int, sizes: Ints) -> Tensor:
    """Dimension `dim` as several of the given sizes, one of which may be -1.

    Raises ShapeError where the sizes do not multiply to that of the dimension.

    >>> import autograd_cnn as ag
    >>> unflatten(ag.zeros(2, 12), 1, (3, -1)).shape
    (2, 3, 4)
    """
    shape = require_tensor("unflatten", input).array.shape
    dim = one_dim("unflatten", dim, len(shape))
    size = filled("unflatten", as_size("unflatten", (sizes,), "sizes"), shape[dim : dim + 1])
    return _as(Unflatten, input, (*shape[:dim], *size, *shape[dim + 1 :]))


def permute(input: Tensor, *given: Ints, dims: Ints | None = None) -> Tensor:
    """A view with the dimensions in another order: dimension i of the result is dimension dims[i] of input.

    Raises ArgumentError unless `dims` names each dimension once.

    >>> import autograd_cnn as ag
    >>> permute(ag.zeros(2, 3, 4), 2, 0, 1).shape
    (4, 2, 3)
    """
    dims = as_size("permute", given, "dims", dims)
    shape = require_tensor("permute", input).array.shape
    if len(dims) != len(shape):
        raise ArgumentError(f"permute: dims {list(dims)} must name each of the {len(shape)} dimensions of input once")
    return apply_view(Permute(distinct("permute", dims, len(shape), "dims")), input)


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """A view with two dimensions swapped.

    >>> import autograd_cnn as ag
    >>> transpose(ag.tensor([[1, 2], [3, 4]]), 0, 1)
    tensor([[1, 3],
            [2, 4]])
    """
    shape = require_tensor("transpose", input).array.shape
    dim0 = one_dim("transpose", dim0, len(shape), "dim0")
    dim1 = one_dim("transpose", dim1, len(shape), "dim1")
    dims = list(range(len(shape)))
    if dims:
        dims[dim0], dims[dim1] = dim1, dim0
    return apply_view(Permute(tuple(dims)), input)


swapdims = transpose


def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """`transpose` under NumPy's name.

    >>> import autograd_cnn as ag
    >>> swapaxes(ag.zeros(2, 3, 4), 0, -1).shape
    (4, 3, 2)
    """
    return transpose(input, axis0, axis1)


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; fewer dimensions stay as they are.  Raises ShapeError for more than two.

    >>> import autograd_cnn as ag
    >>> t(ag.zeros(2, 3)).shape
    (3, 2)
    """
    ndim = require_tensor("t", input).array.ndim
    if ndim > 2:
        raise ShapeError(
            f"t: takes at most 2 dimensions, input has shape {list(input.array.shape)}; use transpose or mT"
        )
    return apply_view(Permute(tuple(range(ndim))[::-1]), input)


def movedim(input: Tensor, source: Ints, destination: Ints) -> Tensor:
    """A view with dimensions `source` moved to `destination`, the others in their order.

    >>> import autograd_cnn as ag
    >>> movedim(ag.zeros(2, 3, 4), 0, -1).shape
    (3, 4, 2)
    """
    shape = require_tensor("movedim", input).array.shape
    sources = distinct("movedim", source, len(shape), "source")
    targets = distinct("movedim", destination, len(shape), "destination")
    if len(sources) != len(targets):
        raise ArgumentError(f"movedim: {len(sources)} source dims but {len(targets)} destination dims")
    order = [dim for dim in range(len(shape)) if dim not in sources]
    for target, dim in sorted(zip(targets, sources, strict=True)):
        order.insert(target, dim)
    return apply_view(Permute(tuple(order[: len(shape)])), input)


moveaxis = movedim  # NumPy's name


def squeeze(input: Tensor, dim: Dims | None = None) -> Tensor:
    """A view without the dimensions of size 1, or without those of them that `dim` (an int or several) names.

    >>> import autograd_cnn as ag
    >>> x = ag.zeros(1, 3, 1)
    >>> squeeze(x).shape, squeeze(x, 0).shape, squeeze(x, 1).shape
    ((3,), (3, 1), (1, 3, 1))
    """
    shape = require_tensor("squeeze", input).array.shape
    dims = range(len(shape)) if dim is None else distinct("squeeze", dim, len(shape))
    size = tuple(n for i, n in enumerate(shape) if n != 1 or i not in dims)
    return apply_view(Squeeze(size), input)


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """A view with a new dimension of size 1 at `dim`.

    >>> import autograd_cnn as ag
    >>> unsqueeze(ag.zeros(2, 3), -1).shape
    (2, 3, 1)
    """
    shape = require_tensor("unsqueeze", input).array.shape
    dim = one_dim("unsqueeze", dim, len(shape) + 1)
    return apply_view(Unsqueeze((*shape[:dim], 1, *shape[dim:])), input)


def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """A view of `length` elements of dimension `dim` from `start`, which may count from the end.

    Raises IndexOutOfRangeError where they reach out of the dimension.

    >>> import autograd_cnn as ag
    >>> narrow(ag.tensor([1, 2, 3, 4]), 0, 1, 2)
    tensor([2, 3])
    """
    shape = require_tensor("narrow", input).array.shape
    if not shape:
        raise ShapeError("narrow: takes at least 1 dimension, input has shape []")
    dim = one_dim("narrow", dim, len(shape))
    start, length, size = index(start), index(length), shape[dim]
    first = start + size if start < 0 else start
    if length < 0 or not 0 <= first <= size - length:
        raise IndexOutOfRangeError(f"narrow: start {start} and length {length} reach out of dim {dim} of size {size}")
    return apply_view(along(dim, slice(first, first + length)), input)


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """A view of input at position `index` of dimension `dim`, which the result lacks.

    >>> import autograd_cnn as ag
    >>> select(ag.tensor([[1, 2], [3, 4]]), 1, 0)
    tensor([1, 3])
    """
    shape = require_tensor("select", input).array.shape
    if not shape:
        raise ShapeError("select: takes at least 1 dimension, input has shape []")
    dim = one_dim("select", dim, len(shape))
    size = shape[dim]
    if not -size <= index < size:
        raise IndexOutOfRangeError(f"select: index {index} is out of range for dim {dim} of size {size}")
    return apply_view(along(dim, index % size), input)


def atleast_1d(*tensors: Tensor | Sequence[Tensor]) -> Any:
    """The tensors, or one, where a number is (1,); several come as a tuple, and may be given as a sequence.

    >>> import autograd_cnn as ag
    >>> atleast_1d(ag.tensor(3))
    tensor([3])
    """
    return _at_least("atleast_1d", tensors, lambda shape: shape or (1,))


def atleast_2d(*tensors: Tensor | Sequence[Tensor]) -> Any:
    """The tensors, or one, with two or more dimensions: (n,) is (1, n).

    >>> import autograd_cnn as ag
    >>> atleast_2d(ag.tensor(3), ag.tensor([1, 2]))
    (tensor([[3]]), tensor([[1, 2]]))
    """
    return _at_least("atleast_2d", tensors, lambda shape: (1,) * (2 - len(shape)) + shape)


def atleast_3d(*tensors: Tensor | Sequence[Tensor]) -> Any:
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
