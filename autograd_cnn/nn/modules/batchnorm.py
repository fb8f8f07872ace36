"""PyTorch's place of batch normalisation."""

from autograd_cnn.nn.batchnorm import BatchNorm as BatchNorm
from autograd_cnn.nn.batchnorm import BatchNorm1d as BatchNorm1d
from autograd_cnn.nn.batchnorm import BatchNorm2d as BatchNorm2d
from autograd_cnn.nn.batchnorm import BatchNorm3d as BatchNorm3d
from autograd_cnn.nn.lazy import LazyBatchNorm1d as LazyBatchNorm1d
from autograd_cnn.nn.lazy import LazyBatchNorm2d as LazyBatchNorm2d
from autograd_cnn.nn.lazy import LazyBatchNorm3d as LazyBatchNorm3d

_BatchNorm = BatchNorm
