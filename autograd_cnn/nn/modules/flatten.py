"""PyTorch's place of flattening."""

from autograd_cnn.nn.linear import Flatten as Flatten
from autograd_cnn.nn.linear import Unflatten as Unflatten
