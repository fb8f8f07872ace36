"""PyTorch's place of upsampling."""

from autograd_cnn.nn.upsampling import Upsample as Upsample
from autograd_cnn.nn.upsampling import UpsamplingBilinear2d as UpsamplingBilinear2d
from autograd_cnn.nn.upsampling import UpsamplingNearest2d as UpsamplingNearest2d
