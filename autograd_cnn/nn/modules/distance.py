"""PyTorch's place of distances."""

from autograd_cnn.nn.distance import CosineSimilarity as CosineSimilarity
from autograd_cnn.nn.distance import PairwiseDistance as PairwiseDistance
