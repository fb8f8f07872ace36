"""PyTorch's place of the data sets."""

from autograd_cnn.data.dataset import ChainDataset as ChainDataset
from autograd_cnn.data.dataset import ConcatDataset as ConcatDataset
from autograd_cnn.data.dataset import Dataset as Dataset
from autograd_cnn.data.dataset import IterableDataset as IterableDataset
from autograd_cnn.data.dataset import StackDataset as StackDataset
from autograd_cnn.data.dataset import Subset as Subset
from autograd_cnn.data.dataset import TensorDataset as TensorDataset
from autograd_cnn.data.dataset import random_split as random_split
