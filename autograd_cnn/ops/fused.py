"""A layer and its ReLU as one op: the result is rectified before it leaves the cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from autograd_cnn.errors import ShapeError
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.pointwise import pointwise_binary
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.activation import RELU_SLOPE
from autograd_cnn.ops.conv import Conv, convolve
from autograd_cnn.ops.linear import Linear
from autograd_cnn.ops.operand import require_floating

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Ints


class Rectified(Op, abstract=True):
    """What an op and its ReLU as one adds to the op."""

    activation: ClassVar[str] = "RELU"
    gradient_room = True

    def infer(self, *arrays: Any) -> Any:
        try:
            return super().infer(*arrays)
        except ShapeError as error:  # which begins with the name of the op alone
            raise ShapeError(str(error).replace(":", "_relu:", 1)) from None


def rectified_vjps(g: Any, y: Any, needs: Sequence[bool], *vjps: Callable[[Any], Any]) -> tuple[Any, ...]:
    """What the op's vjps make of g where y > 0; None where no gradient is needed."""
    g = pointwise_binary(RELU_SLOPE, g, y)
    return tuple(vjp(g) if need else None for need, vjp in zip(needs, vjps, strict=False))  # a bias may be left out


class ConvRelu(Rectified, Conv):
    """max(convolution, 0)."""

    def vjp(self, g: Any, needs: Any, x: Any, weight: Any, y: Any) -> Any:
        vjp_x = partial(self.vjp_x, weight=weight, x_shape=x.array.shape)
        vjp_weight = partial(self.vjp_weight, x=x, weight_shape=weight.array.shape)
        return rectified_vjps(g, y, needs, vjp_x, vjp_weight, self.vjp_bias)

    def gradient(self, k: Any, out: Sequence[Any], g: Any, x: Any, weight: Any, y: Any) -> None:  # type: ignore[override]
        *out, room = out
        k.relu_grad(g, y, room)
        super().gradient(k, out, room, x, weight)


class LinearRelu(Rectified, Linear):
    """max(x @ weight.T + bias, 0)."""

    def vjp(self, g: Any, needs: Any, x: Any, weight: Any, y: Any) -> Any:
        vjp_x, vjp_weight = partial(self.vjp_x, weight=weight), partial(self.vjp_weight, x=x)
        return rectified_vjps(g, y, needs, vjp_x, vjp_weight, self.vjp_bias)

    def gradient(self, k: Any, out: Sequence[Any], g: Any, x: Any, weight: Any, y: Any) -> None:  # type: ignore[override]
        *out, room = out
        k.relu_grad(g, y, room)
        super().gradient(k, out, room, x, weight)


LINEAR_RELU = LinearRelu()


def conv1d_relu(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints | str = 0,
    dilation: Ints = 1,
    groups: int = 1,
) -> Tensor:
    """relu(conv1d(...)) in one pass; arguments, shapes and errors are `conv1d`'s.

    >>> import autograd_cnn as ag
    >>> conv1d_relu(ag.tensor([[[1.0, 2, 4, 0]]]), ag.tensor([[[-1.0, 1]]]))
    tensor([[[1., 2., 0.]]])
    """
    return convolve(ConvRelu, "conv1d_relu", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d_relu(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints | str = 0,
    dilation: Ints = 1,
    groups: int = 1,
) -> Tensor:
    """relu(conv2d(...)) in one pass; arguments, shapes and errors are `conv2d`'s.

    >>> import autograd_cnn as ag
    >>> conv2d_relu(ag.ones(1, 1, 3, 3), ag.ones(1, 1, 2, 2), ag.tensor([-5.0]))
    tensor([[[[0., 0.],
              [0., 0.]]]])
    """
    return convolve(ConvRelu, "conv2d_relu", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d_relu(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints | str = 0,
    dilation: Ints = 1,
    groups: int = 1,
) -> Tensor:
    """relu(conv3d(...)) in one pass; arguments, shapes and errors are `conv3d`'s.

    >>> import autograd_cnn as ag
    >>> conv3d_relu(-ag.ones(1, 1, 2, 2, 2), ag.ones(1, 1, 2, 2, 2)).item()
    0.0
    """
    return convolve(ConvRelu, "conv3d_relu", 3, input, weight, bias, stride, padding, dilation, groups)


def linear_relu(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """relu(linear(x, weight, bias)) in one pass; shapes and errors are `linear`'s.

    >>> import autograd_cnn as ag
    >>> linear_relu(ag.tensor([[1.0, 2.0]]), ag.tensor([[3.0, 4.0], [-3.0, -4.0]]))
    tensor([[11.,  0.]])
    """
    require_floating("linear_relu", input=input, weight=weight, bias=bias)
    return apply(LINEAR_RELU, input, weight) if bias is None else apply(LINEAR_RELU, input, weight, bias)
