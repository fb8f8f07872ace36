"""One index for every element: gather, scatter_add, take_along_dim."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.graph.in_place import apply_inplace
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.cast import cast
from autograd_cnn.ops.dim import one_dim
from autograd_cnn.ops.expand import expand
from autograd_cnn.ops.index import index_along
from autograd_cnn.ops.operand import broadcast
from autograd_cnn.ops.slice import PutSlice

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class Gather(Op):
    """y[i, j, k] = x[i, index[i, j, k], k] for dim 1."""

    inputs = ("x", "index")
    nondifferentiable = ("index",)

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def infer(self, x: Any, index: Any) -> Any:
        require_shape("gather", "input", x.shape, index.shape, self.dim)
        return index.shape, x.dtype

    def compute(self, k: Any, out: Any, x: Any, index: Any) -> None:
        if out.size:
            k.gather(x, self.dim, index, out)

    def vjp_x(self, g: Any, index: Any, x_shape: Any) -> Any:
        return apply(Scatter(self.dim, x_shape), g, index)


class Scatter(Op):
    """Zeros of `shape` to which src is added: y[i, index[i, j, k], k] += src[i, j, k] for dim 1."""

    inputs = ("src", "index")
    nondifferentiable = ("index",)

    def __init__(self, dim: int, shape: tuple[int, ...]) -> None:
        self.dim = dim
        self.shape = shape

    def infer(self, src: Any, index: Any) -> Any:
        return self.shape, src.dtype

    def compute(self, k: Any, out: Any, src: Any, index: Any) -> None:
        k.fill(out, 0)
        if index.size:
            k.scatter_add(out, self.dim, index, src)

    def vjp_src(self, g: Any, index: Any) -> Any:
        return apply(Gather(self.dim), g, index)


class ScatterAdd(Op):
    """x to which src is added: y[i, index[i, j, k], k] += src[i, j, k] for dim 1."""

    inputs = ("x", "index", "src")
    nondifferentiable = ("index",)

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def infer(self, x: Any, index: Any, src: Any) -> Any:
        require_shape("scatter_add", "input", x.shape, index.shape, self.dim)
        require_shape("scatter_add", "src", src.shape, index.shape, None)
        return x.shape, x.dtype

    def compute(self, k: Any, out: Any, x: Any, index: Any, src: Any) -> None:
        k.copy(x, out)
        if index.size:
            k.scatter_add(out, self.dim, index, src)

    def vjp_x(self, g: Any) -> Any:
        return g

    def vjp_src(self, g: Any, index: Any, src_shape: Any) -> Any:
        taken = apply(Gather(self.dim), g, index)
        if taken.array.shape == src_shape:
            return taken
        return apply(PutSlice(tuple(slice(n) for n in taken.array.shape), src_shape), taken)


def require_shape(op: str, name: str, shape: tuple[int, ...], index: tuple[int, ...], free: int | None) -> None:
    """ShapeError unless index is nowhere larger than `shape`, but along `free`."""
    if len(shape) != len(index):
        raise ShapeError(f"{op}: index {list(index)} must have as many dimensions as {name} {list(shape)}")
    for d, (size, n) in enumerate(zip(shape, index, strict=True)):
        if n > size and d != free:
            raise ShapeError(f"{op}: index {list(index)} is larger than {name} {list(shape)} at dimension {d}")


def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """Elements of x along `dim`, one index for each of the result: y[i, j] = x[i, index[i, j]] for dim 1.

    index: as many dimensions as input, nowhere larger than input but along `dim`; y has its shape.  Raises ShapeError
    where it is larger, IndexOutOfRangeError for an index below 0 or from input.size(dim), DTypeError unless it
    holds integers, ArgumentError for `sparse_grad`: gradients are dense.

    >>> import autograd_cnn as ag
    >>> gather(ag.tensor([[1, 2], [3, 4]]), 1, ag.tensor([[1], [0]]))
    tensor([[2],
            [3]])
    """
    if sparse_grad:
        raise ArgumentError("gather: sparse_grad is not there, gradients are dense")
    dim, index = index_along("gather", input, dim, index)
    return apply(Gather(dim), input, index)


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """input with the elements of `src` added along `dim`: y[i, index[i, j]] += src[i, j] for dim 1.

    index: as many dimensions as input and src, nowhere larger than src, nor than input but along `dim`.  Raises as
    `gather`.

    >>> import autograd_cnn as ag
    >>> scatter_add(ag.zeros(3), 0, ag.tensor([0, 0, 2]), ag.tensor([1.0, 2.0, 3.0]))
    tensor([3., 0., 3.])
    """
    dim, index, src = _sources("scatter_add", input, dim, index, src)
    return apply(ScatterAdd(dim), input, index, src)


def scatter_add_(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """`scatter_add` in place; returns input.

    >>> import autograd_cnn as ag
    >>> scatter_add_(ag.ones(2), 0, ag.tensor([0, 0]), ag.tensor([1.0, 2.0]))
    tensor([4., 1.])
    """
    dim, index, src = _sources("scatter_add_", input, dim, index, src)
    return apply_inplace(ScatterAdd(dim), input, index, src)


def _sources(op: str, x: Any, dim: int, index: Any, src: Any) -> tuple[int, Any, Any]:
    dim, index = index_along(op, x, dim, index)
    if src.array.dtype != x.array.dtype:
        raise DTypeError(f"{op}: src has dtype {src.array.dtype}, input has {x.array.dtype}")
    return dim, index, src


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """`gather` where input and indices broadcast in the other dimensions; without `dim`, both count as flat.

    >>> import autograd_cnn as ag
    >>> x = ag.tensor([[3, 1, 2], [6, 5, 4]])
    >>> take_along_dim(x, ag.tensor([[0]]), 1)
    tensor([[3],
            [6]])
    """
    if dim is None:
        return gather(input.reshape(-1), 0, indices.reshape(-1))
    shape, index = input.array.shape, indices.array.shape
    if len(shape) != len(index):
        raise ShapeError(f"take_along_dim: indices {list(index)} must have as many dimensions as input {list(shape)}")
    dim = one_dim("take_along_dim", dim, len(shape))
    common = broadcast("take_along_dim", (*shape[:dim], 1, *shape[dim + 1 :]), (*index[:dim], 1, *index[dim + 1 :]))
    input = expand(input, (*common[:dim], shape[dim], *common[dim + 1 :]))
    indices = expand(indices, (*common[:dim], index[dim], *common[dim + 1 :]))
    return gather(input, dim, cast(indices, indices.array.dtype))
