"""PyTorch's place of dense layers."""

from autograd_cnn.nn.lazy import LazyLinear as LazyLinear
from autograd_cnn.nn.linear import Bilinear as Bilinear
from autograd_cnn.nn.linear import Identity as Identity
from autograd_cnn.nn.linear import Linear as Linear
