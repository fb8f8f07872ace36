"""PyTorch's name for the place of `data`, and recomputing during backward."""

from autograd_cnn.utils import checkpoint as checkpoint
from autograd_cnn.utils import data as data
