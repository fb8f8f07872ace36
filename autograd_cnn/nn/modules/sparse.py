"""PyTorch's place of embeddings."""

from autograd_cnn.nn.embedding import Embedding as Embedding
from autograd_cnn.nn.embedding import EmbeddingBag as EmbeddingBag
