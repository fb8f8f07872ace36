"""PyTorch's place of instance normalisation."""

from autograd_cnn.nn.instancenorm import InstanceNorm as InstanceNorm
from autograd_cnn.nn.instancenorm import InstanceNorm1d as InstanceNorm1d
from autograd_cnn.nn.instancenorm import InstanceNorm2d as InstanceNorm2d
from autograd_cnn.nn.instancenorm import InstanceNorm3d as InstanceNorm3d
from autograd_cnn.nn.lazy import LazyInstanceNorm1d as LazyInstanceNorm1d
from autograd_cnn.nn.lazy import LazyInstanceNorm2d as LazyInstanceNorm2d
from autograd_cnn.nn.lazy import LazyInstanceNorm3d as LazyInstanceNorm3d

_InstanceNorm = InstanceNorm
