"""PyTorch's place of instance normalisation."""

from autograd_cnn.nn.instancenorm import InstanceNorm as InstanceNorm
from autograd_cnn.nn.instancenorm import InstanceNorm1d as InstanceNorm1d
from autograd_cnn.nn.instancenorm import InstanceNorm2d as InstanceNorm2d
from autograd_cnn.nn.instancenorm import InstanceNorm3d as InstanceNorm3d

_InstanceNorm = InstanceNorm
