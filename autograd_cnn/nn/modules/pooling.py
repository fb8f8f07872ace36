"""PyTorch's place of pooling."""

from autograd_cnn.nn.adaptive_pooling import AdaptiveAvgPool1d as AdaptiveAvgPool1d
from autograd_cnn.nn.adaptive_pooling import AdaptiveAvgPool2d as AdaptiveAvgPool2d
from autograd_cnn.nn.adaptive_pooling import AdaptiveAvgPool3d as AdaptiveAvgPool3d
from autograd_cnn.nn.adaptive_pooling import AdaptiveMaxPool1d as AdaptiveMaxPool1d
from autograd_cnn.nn.adaptive_pooling import AdaptiveMaxPool2d as AdaptiveMaxPool2d
from autograd_cnn.nn.adaptive_pooling import AdaptiveMaxPool3d as AdaptiveMaxPool3d
from autograd_cnn.nn.pooling import AvgPool1d as AvgPool1d
from autograd_cnn.nn.pooling import AvgPool2d as AvgPool2d
from autograd_cnn.nn.pooling import AvgPool3d as AvgPool3d
from autograd_cnn.nn.pooling import LPPool1d as LPPool1d
from autograd_cnn.nn.pooling import LPPool2d as LPPool2d
from autograd_cnn.nn.pooling import LPPool3d as LPPool3d
from autograd_cnn.nn.pooling import MaxPool1d as MaxPool1d
from autograd_cnn.nn.pooling import MaxPool2d as MaxPool2d
from autograd_cnn.nn.pooling import MaxPool3d as MaxPool3d
from autograd_cnn.nn.unpooling import FractionalMaxPool2d as FractionalMaxPool2d
from autograd_cnn.nn.unpooling import FractionalMaxPool3d as FractionalMaxPool3d
from autograd_cnn.nn.unpooling import MaxUnpool1d as MaxUnpool1d
from autograd_cnn.nn.unpooling import MaxUnpool2d as MaxUnpool2d
from autograd_cnn.nn.unpooling import MaxUnpool3d as MaxUnpool3d
