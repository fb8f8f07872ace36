"""PyTorch's place of the samplers."""

from autograd_cnn.data.sampler import BatchSampler as BatchSampler
from autograd_cnn.data.sampler import RandomSampler as RandomSampler
from autograd_cnn.data.sampler import Sampler as Sampler
from autograd_cnn.data.sampler import SequentialSampler as SequentialSampler
from autograd_cnn.data.sampler import SubsetRandomSampler as SubsetRandomSampler
from autograd_cnn.data.sampler import WeightedRandomSampler as WeightedRandomSampler
