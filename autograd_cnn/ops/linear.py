"""Products of matrices and vectors."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

from autograd_cnn.dtype import bool_
from autograd_cnn.errors import DTypeError, ShapeError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.operand import broadcast, require_floating
from autograd_cnn.ops.shape import reshape, squeeze, unsqueeze

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class Matmul(Op):
    """(..., M, K) @ (..., K, N): the product of matrices, over leading dimensions that broadcast.

    With `turned_x` or `turned_other` it is that matrix's transpose that is multiplied: a family of four, each of whose
    vjps is one of the four.
    """

    inputs = ("x", "other")

    def __init__(self, turned_x: bool, turned_other: bool) -> None:
        self.turned_x = turned_x
        self.turned_other = turned_other

    def infer(self, x: Any, other: Any) -> Any:
        x_shape, other_shape = x.shape, other.shape
        rows, inner = x_shape[-2:]
        if self.turned_x:
            rows, inner = inner, rows
        given, columns = other_shape[-2:]
        if self.turned_other:
            given, columns = columns, given
        if inner != given:
            raise ShapeError(f"matmul: input {x_shape} and other {other_shape}: inner sizes {inner} and {given} differ")
        batch = x_shape[:-2]
        if batch != other_shape[:-2]:
            batch = broadcast("matmul", batch, other_shape[:-2])
        return (*batch, rows, columns), x.dtype

    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        if self.turned_x:
            x = x.swapaxes(-1, -2)
        if self.turned_other:
            other = other.swapaxes(-1, -2)
        k.matmul(x, other, out)

    def vjp_x(self, g: Any, other: Any) -> Any:
        if self.turned_x:
            return apply(MATMULS[self.turned_other, True], other, g)
        return apply(MATMULS[False, not self.turned_other], g, other)

    def vjp_other(self, g: Any, x: Any, other_shape: Any) -> Any:
        if len(other_shape) == 2 and not self.turned_x:
            # The sum over the batch is part of the product.
            x, g = _rows(x), _rows(g)
        if self.turned_other:
            return apply(MATMULS[True, self.turned_x], g, x)
        return apply(MATMULS[not self.turned_x, False], x, g)


class Dot(Op):
    """The inner product of two vectors."""

    inputs = ("x", "other")

    def infer(self, x: Any, other: Any) -> Any:
        if x.shape != other.shape:
            raise ShapeError(
                f"dot: input {x.shape} and tensor {other.shape}: inner sizes {x.size} and {other.size} differ"
            )
        return (), x.dtype

    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.matmul(x.reshape(1, -1), other.reshape(-1, 1), out.reshape(1, 1))

    def vjp_x(self, g: Any, other: Any) -> Any:
        return g * other

    def vjp_other(self, g: Any, x: Any) -> Any:
        return g * x


DOT = Dot()


class SumRows(Op):
    """The sum over all dimensions but the last."""

    inputs = ("x",)

    def infer(self, x: Any) -> Any:
        return x.shape[-1:], x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.sum(x, tuple(range(x.ndim - 1)), out)

    def vjp_x(self, g: Any, x_shape: Any) -> Any:
        return g.expand(x_shape)


class Linear(Op):
    """x (..., K), weight (N, K), bias (N,) or None: x @ weight.T + bias."""

    inputs = ("x", "weight", "bias")
    activation: ClassVar[str] = "IDENTITY"  # the kernels' name of what is applied to the result

    def infer(self, x: Any, weight: Any, bias: Any = None) -> Any:
        x_shape, shape = x.shape, weight.shape
        if len(shape) != 2:
            raise ShapeError(f"linear: weight must be (out_features, in_features), got shape {list(shape)}")
        outputs, inputs = shape
        if not x_shape or x_shape[-1] != inputs:
            have = x_shape[-1] if x_shape else "no"
            raise ShapeError(f"linear: input {x_shape} has {have} features, weight {shape} takes {inputs}")
        if bias is not None and bias.shape != (outputs,):
            raise ShapeError(f"linear: bias has shape {list(bias.shape)}, weight {shape} needs [{outputs}]")
        return (*x_shape[:-1], outputs), x.dtype

    def compute(self, k: Any, out: Any, x: Any, weight: Any, bias: Any = None) -> None:
        if x.ndim != 2:
            rows = prod(x.shape[:-1])
            x, out = x.reshape(rows, x.shape[-1]), out.reshape(rows, out.shape[-1])
        k.linear_forward(x, weight, bias, out, getattr(k, self.activation))

    def vjp_x(self, g: Any, weight: Any) -> Any:
        if len(g.array.shape) == 1:
            return matmul(g, weight)
        return apply(MATMUL, g, weight)

    def vjp_weight(self, g: Any, x: Any) -> Any:
        return apply(MATMULS[True, False], _rows(g), _rows(x))

    def vjp_bias(self, g: Any) -> Any:
        return apply(SUM_ROWS, g)

    def gradient(self, k: Any, out: Sequence[Any], g: Any, x: Any, weight: Any) -> None:
        gx, gw, gb = out if len(out) == 3 else (*out, None)
        if g.ndim != 2:
            rows = prod(g.shape[:-1])
            g, x, gx = (None if a is None else a.reshape(rows, a.shape[-1]) for a in (g, x, gx))
        k.linear_backward(g, x, weight, gx, gw, gb)


MATMULS = {turned: Matmul(*turned) for turned in product((False, True), repeat=2)}
MATMUL, LINEAR, SUM_ROWS = MATMULS[False, False], Linear(), SumRows()


def _rows(x: Any) -> Any:
    """x as a matrix, its last dimension kept."""
    shape = x.array.shape
    return x if len(shape) == 2 else reshape(x, (prod(shape[:-1]), shape[-1]))


def require_pair(op: str, x: Any, other: Any, names: tuple[str, str] = ("input", "other")) -> None:
    for name, tensor in zip(names, (x, other), strict=True):
        if not isinstance(tensor, TensorBase):
            raise DTypeError(f"{op}: {name} must be a tensor, got {type(tensor).__name__}")
        if tensor.array.dtype == bool_:
            raise DTypeError(f"{op}: {name} must hold numbers, got bool")
    if x.array.dtype != other.array.dtype:
        raise DTypeError(f"{op}: {names[0]} has dtype {x.array.dtype}, {names[1]} has {other.array.dtype}")


def _require_dims(op: str, **tensors: tuple[Any, int]) -> None:
    for name, (tensor, ndim) in tensors.items():
        if tensor.array.ndim != ndim:
            raise ShapeError(f"{op}: {name} must have {ndim} dimensions, got shape {list(tensor.array.shape)}")


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The product of matrices or vectors: y[..., i, j] = sum_k x[..., i, k] * other[..., k, j].

    input: (..., M, K), other: (..., K, N), y: (..., M, N), leading dimensions broadcast.  A 1-D input counts as (1,
    K), a 1-D other as (K, 1), and y lacks that dimension.  Raises ShapeError where inner sizes or leading
    dimensions do not fit, DTypeError for two dtypes or bool.

    >>> import autograd_cnn as ag
    >>> matmul(ag.tensor([[1.0, 2.0], [3.0, 4.0]]), ag.tensor([1.0, 10.0]))
    tensor([21., 43.])
    """
    require_pair("matmul", input, other)
    x_shape, other_shape = input.array.shape, other.array.shape
    if len(x_shape) > 1 and len(other_shape) > 1:
        return apply(MATMUL, input, other)
    if not x_shape or not other_shape:
        raise ShapeError(
            f"matmul: takes at least 1 dimension, input has shape {x_shape} and other {other_shape}; use mul"
        )
    if x_shape[-1] != other_shape[max(len(other_shape) - 2, 0)]:
        inner = f"{x_shape[-1]} and {other_shape[max(len(other_shape) - 2, 0)]}"
        raise ShapeError(f"matmul: input {x_shape} and other {other_shape}: inner sizes {inner} differ")
    dropped = []
    if len(other_shape) == 1:
        other = unsqueeze(other, 1)
        dropped.append(-1)
    if len(x_shape) == 1:
        input = unsqueeze(input, 0)
        dropped.append(-2)
    return squeeze(apply(MATMUL, input, other), dropped)


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices: (M, K) @ (K, N), without broadcasting.

    >>> import autograd_cnn as ag
    >>> mm(ag.tensor([[1, 2]]), ag.tensor([[3], [4]]))
    tensor([[11]])
    """
    require_pair("mm", input, mat2, ("input", "mat2"))
    _require_dims("mm", input=(input, 2), mat2=(mat2, 2))
    return apply(MATMUL, input, mat2)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of matrices pair by pair: (B, M, K) @ (B, K, N), without broadcasting.

    >>> import autograd_cnn as ag
    >>> bmm(ag.ones(2, 1, 3), ag.ones(2, 3, 1)).shape
    (2, 1, 1)
    """
    require_pair("bmm", input, mat2, ("input", "mat2"))
    _require_dims("bmm", input=(input, 3), mat2=(mat2, 3))
    if input.array.shape[0] != mat2.array.shape[0]:
        raise ShapeError(f"bmm: input has {input.array.shape[0]} matrices, mat2 has {mat2.array.shape[0]}")
    return apply(MATMUL, input, mat2)


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """The product of a matrix and a vector: (M, K) @ (K,).

    >>> import autograd_cnn as ag
    >>> mv(ag.tensor([[1, 2], [3, 4]]), ag.tensor([1, 10]))
    tensor([21, 43])
    """
    require_pair("mv", input, vec, ("input", "vec"))
    _require_dims("mv", input=(input, 2), vec=(vec, 1))
    return matmul(input, vec)


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The inner product of two vectors: sum_k x[k] * tensor[k].

    >>> import autograd_cnn as ag
    >>> dot(ag.tensor([1, 2]), ag.tensor([3, 4]))
    tensor(11)
    """
    require_pair("dot", input, tensor, ("input", "tensor"))
    _require_dims("dot", input=(input, 1), tensor=(tensor, 1))
    return apply(DOT, input, tensor)


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """The outer product of two vectors: y[i, j] = x[i] * vec2[j].

    >>> import autograd_cnn as ag
    >>> outer(ag.tensor([1, 2]), ag.tensor([3, 4]))
    tensor([[3, 4],
            [6, 8]])
    """
    for name, tensor in (("input", input), ("vec2", vec2)):
        if not isinstance(tensor, TensorBase):
            raise DTypeError(f"outer: {name} must be a tensor, got {type(tensor).__name__}")
    _require_dims("outer", input=(input, 1), vec2=(vec2, 1))
    return unsqueeze(input, 1) * vec2


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """A product of matrices added to x, which broadcasts: beta * x + alpha * (mat1 @ mat2).

    As in PyTorch, input is left out, NaN and all, where beta is 0.

    >>> import autograd_cnn as ag
    >>> addmm(ag.tensor([100, 200]), ag.tensor([[1, 2]]), ag.tensor([[3, 4], [5, 6]]))
    tensor([[113, 216]])
    """
    require_pair("addmm", mat1, mat2, ("mat1", "mat2"))
    require_pair("addmm", input, mat1, ("input", "mat1"))
    _require_dims("addmm", mat1=(mat1, 2), mat2=(mat2, 2))
    y = apply(MATMUL, mat1, mat2)
    shape = y.array.shape
    if broadcast("addmm", input.array.shape, shape) != shape:
        raise ShapeError(f"addmm: input {input.array.shape} does not broadcast to {shape}, the shape of mat1 @ mat2")
    y = y if alpha == 1 else y * alpha
    if beta == 0:
        return y
    return y + (input if beta == 1 else input * beta)


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """A layer's affine map: y = x @ weight.T + bias.

    input: (..., in_features), weight: (out_features, in_features), bias: (out_features,) or None, y: (...,
    out_features). Raises ShapeError where the feature counts differ, DTypeError unless all are floating point
    of one dtype.

    >>> import autograd_cnn as ag
    >>> linear(ag.tensor([[1.0, 2.0]]), ag.tensor([[3.0, 4.0]]), ag.tensor([0.5]))
    tensor([[11.5000]])
    """
    require_floating("linear", input=input, weight=weight, bias=bias)
    return apply(LINEAR, input, weight) if bias is None else apply(LINEAR, input, weight, bias)


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """A map that is linear in both inputs: y_o = sum_(i, j) input1_i weight_(o, i, j) input2_j + bias_o.

    input1: (..., in1_features), input2: (..., in2_features), weight: (out_features, in1_features, in2_features),
    bias: (out_features,) or None, y: (..., out_features).  Raises ShapeError where sizes do not fit, DTypeError unless
    all are floating point of one dtype.

    >>> import autograd_cnn as ag
    >>> bilinear(ag.tensor([[1.0, 2.0]]), ag.tensor([[3.0]]), ag.tensor([[[4.0], [5.0]]]))
    tensor([[42.]])
    """
    require_floating("bilinear", input1=input1, input2=input2, weight=weight, bias=bias)
    shape1, shape2, shape = input1.array.shape, input2.array.shape, weight.array.shape
    if len(shape) != 3:
        raise ShapeError(f"bilinear: weight must be (out_features, in1_features, in2_features), got {list(shape)}")
    if not shape1 or not shape2 or shape1[:-1] != shape2[:-1] or (shape1[-1], shape2[-1]) != shape[1:]:
        raise ShapeError(f"bilinear: input1 {shape1} and input2 {shape2} do not fit weight {shape}")
    if bias is not None and bias.array.shape != shape[:1]:
        raise ShapeError(f"bilinear: bias has shape {list(bias.array.shape)}, weight {shape} needs [{shape[0]}]")
    outputs, first, second = shape
    by_first = weight.transpose(0, 1).reshape(first, outputs * second)
    halves = reshape(matmul(_rows(input1), by_first), (prod(shape1[:-1]), outputs, second))
    y = reshape((halves * unsqueeze(_rows(input2), 1)).sum(-1), (*shape1[:-1], outputs))
    return y if bias is None else y + bias
