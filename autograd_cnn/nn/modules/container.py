"""PyTorch's place of containers."""

from autograd_cnn.nn.containers import ModuleDict as ModuleDict
from autograd_cnn.nn.containers import ModuleList as ModuleList
from autograd_cnn.nn.containers import Sequential as Sequential
