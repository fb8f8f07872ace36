"""PyTorch's place of convolutions."""

from autograd_cnn.nn.conv import Conv1d as Conv1d
from autograd_cnn.nn.conv import Conv2d as Conv2d
from autograd_cnn.nn.conv import Conv3d as Conv3d
from autograd_cnn.nn.conv import Convolution as Convolution
from autograd_cnn.nn.conv_transpose import ConvTranspose1d as ConvTranspose1d
from autograd_cnn.nn.conv_transpose import ConvTranspose2d as ConvTranspose2d
from autograd_cnn.nn.conv_transpose import ConvTranspose3d as ConvTranspose3d
from autograd_cnn.nn.conv_transpose import TransposedConvolution as TransposedConvolution
from autograd_cnn.nn.lazy import LazyConv1d as LazyConv1d
from autograd_cnn.nn.lazy import LazyConv2d as LazyConv2d
from autograd_cnn.nn.lazy import LazyConv3d as LazyConv3d
from autograd_cnn.nn.lazy import LazyConvTranspose1d as LazyConvTranspose1d
from autograd_cnn.nn.lazy import LazyConvTranspose2d as LazyConvTranspose2d
from autograd_cnn.nn.lazy import LazyConvTranspose3d as LazyConvTranspose3d

_ConvNd = Convolution
_ConvTransposeNd = TransposedConvolution
