"""PyTorch's place of pixel shuffling."""

from autograd_cnn.nn.folding import PixelShuffle as PixelShuffle
from autograd_cnn.nn.folding import PixelUnshuffle as PixelUnshuffle
