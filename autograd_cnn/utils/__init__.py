"""PyTorch's name for the place of `data`."""

from autograd_cnn.utils import data as data
