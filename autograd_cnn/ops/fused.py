"""A layer and its ReLU as one op: the result is rectified before it leaves the cache."""

from __future__ import annotations

from typing import Any

from autograd_cnn.graph.pointwise import pointwise_binary
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.activation import RELU_SLOPE
from autograd_cnn.ops.conv import Conv, convolve
from autograd_cnn.ops.linear import Linear
from autograd_cnn.ops.operand import require_floating


class ConvRelu(Conv):
    """max(convolution, 0)."""

    activation = "RELU"

    def vjp(self, g: Any, needs: Any, x: Any, weight: Any, y: Any) -> Any:
        g = pointwise_binary(RELU_SLOPE, g, y)
        return (
            self.vjp_x(g, weight, x.array.shape) if needs[0] else None,
            self.vjp_weight(g, x, weight.array.shape) if needs[1] else None,
            *(self.vjp_bias(g) if need else None for need in needs[2:]),
        )


class LinearRelu(Linear):
    """max(x @ weight.T + bias, 0)."""

    activation = "RELU"

    def vjp(self, g: Any, needs: Any, x: Any, weight: Any, y: Any) -> Any:
        g = pointwise_binary(RELU_SLOPE, g, y)
        return (
            self.vjp_x(g, weight) if needs[0] else None,
            self.vjp_weight(g, x) if needs[1] else None,
            *(self.vjp_bias(g) if need else None for need in needs[2:]),
        )


LINEAR_RELU = LinearRelu()


def conv1d_relu(
    x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """relu(conv1d(...)) in one pass; arguments, shapes and errors are `conv1d`'s.

    >>> import autograd_cnn as ag
    >>> conv1d_relu(ag.tensor([[[1.0, 2, 4, 0]]]), ag.tensor([[[-1.0, 1]]]))
    tensor([[[1., 2., 0.]]])
    """
    return convolve(ConvRelu, "conv1d_relu", 1, x, weight, bias, stride, padding, dilation, groups)


def conv2d_relu(
    x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """relu(conv2d(...)) in one pass; arguments, shapes and errors are `conv2d`'s.

    >>> import autograd_cnn as ag
    >>> conv2d_relu(ag.ones(1, 1, 3, 3), ag.ones(1, 1, 2, 2), ag.tensor([-5.0]))
    tensor([[[[0., 0.],
              [0., 0.]]]])
    """
    return convolve(ConvRelu, "conv2d_relu", 2, x, weight, bias, stride, padding, dilation, groups)


def conv3d_relu(
    x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """relu(conv3d(...)) in one pass; arguments, shapes and errors are `conv3d`'s.

    >>> import autograd_cnn as ag
    >>> conv3d_relu(-ag.ones(1, 1, 2, 2, 2), ag.ones(1, 1, 2, 2, 2)).item()
    0.0
    """
    return convolve(ConvRelu, "conv3d_relu", 3, x, weight, bias, stride, padding, dilation, groups)


def linear_relu(x: Any, weight: Any, bias: Any = None) -> Any:
    """relu(linear(x, weight, bias)) in one pass; shapes and errors are `linear`'s.

    >>> import autograd_cnn as ag
    >>> linear_relu(ag.tensor([[1.0, 2.0]]), ag.tensor([[3.0, 4.0], [-3.0, -4.0]]))
    tensor([[11.,  0.]])
    """
    require_floating("linear_relu", x=x, weight=weight, bias=bias)
    return apply(LINEAR_RELU, x, weight) if bias is None else apply(LINEAR_RELU, x, weight, bias)
