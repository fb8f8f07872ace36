"""PyTorch's place of batch normalisation."""

from autograd_cnn.nn.batchnorm import BatchNorm as BatchNorm
from autograd_cnn.nn.batchnorm import BatchNorm1d as BatchNorm1d
from autograd_cnn.nn.batchnorm import BatchNorm2d as BatchNorm2d
from autograd_cnn.nn.batchnorm import BatchNorm3d as BatchNorm3d

_BatchNorm = BatchNorm
