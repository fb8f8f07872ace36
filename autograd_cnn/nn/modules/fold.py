"""PyTorch's place of folding."""

from autograd_cnn.nn.folding import Fold as Fold
from autograd_cnn.nn.folding import Unfold as Unfold
