"""PyTorch's place of `Function`."""

from autograd_cnn.graph.function import Function as Function
from autograd_cnn.graph.function import once_differentiable as once_differentiable
