"""Another name of `autograd_cnn.data`, as PyTorch's users write it.

>>> from autograd_cnn.utils.data import DataLoader
>>> import autograd_cnn.data
>>> DataLoader is autograd_cnn.data.DataLoader
True
"""

from autograd_cnn.data import *  # noqa: F403
from autograd_cnn.data import __all__ as __all__
from autograd_cnn.utils.data import dataloader as dataloader
from autograd_cnn.utils.data import dataset as dataset
from autograd_cnn.utils.data import sampler as sampler
