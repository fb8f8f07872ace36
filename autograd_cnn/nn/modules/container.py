"""PyTorch's place of containers."""

from autograd_cnn.nn.containers import ModuleDict as ModuleDict
from autograd_cnn.nn.containers import ModuleList as ModuleList
from autograd_cnn.nn.containers import Sequential as Sequential
from autograd_cnn.nn.parameter_containers import ParameterDict as ParameterDict
from autograd_cnn.nn.parameter_containers import ParameterList as ParameterList
