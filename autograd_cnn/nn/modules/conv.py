"""PyTorch's place of convolutions."""

from autograd_cnn.nn.conv import Conv1d as Conv1d
from autograd_cnn.nn.conv import Conv2d as Conv2d
from autograd_cnn.nn.conv import Conv3d as Conv3d
from autograd_cnn.nn.conv import Convolution as Convolution
from autograd_cnn.nn.conv_transpose import ConvTranspose1d as ConvTranspose1d
from autograd_cnn.nn.conv_transpose import ConvTranspose2d as ConvTranspose2d
from autograd_cnn.nn.conv_transpose import ConvTranspose3d as ConvTranspose3d
from autograd_cnn.nn.conv_transpose import TransposedConvolution as TransposedConvolution

_ConvNd = Convolution
_ConvTransposeNd = TransposedConvolution
