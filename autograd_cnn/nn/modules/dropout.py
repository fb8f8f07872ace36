"""PyTorch's place of dropouts."""

from autograd_cnn.nn.dropout import AlphaDropout as AlphaDropout
from autograd_cnn.nn.dropout import Dropout as Dropout
from autograd_cnn.nn.dropout import Dropout1d as Dropout1d
from autograd_cnn.nn.dropout import Dropout2d as Dropout2d
from autograd_cnn.nn.dropout import Dropout3d as Dropout3d
from autograd_cnn.nn.dropout import FeatureAlphaDropout as FeatureAlphaDropout
