"""PyTorch's place of `Module`."""

from autograd_cnn.nn.module import Module as Module
