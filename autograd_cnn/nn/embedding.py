"""Embedding: a table of vectors looked up by id."""

from __future__ import annotations

from typing import Any

from autograd_cnn.creation import empty
from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.graph.grad_mode import no_grad
from autograd_cnn.nn import functional as F
from autograd_cnn.nn import init
from autograd_cnn.nn.module import Module
from autograd_cnn.nn.parameter import Parameter
from autograd_cnn.nn.size import require_sizes
from autograd_cnn.tensor import Tensor


class Embedding(Module):
    """y = weight[ids]; the vector at `padding_idx` is zero and gets no gradient.

    ids: integers of any shape, weight: (num_embeddings, embedding_dim), y: (*ids.shape, embedding_dim)

    Raises IndexOutOfRangeError for an id outside [0, num_embeddings).

    >>> import autograd_cnn as ag
    >>> Embedding(10, 3)(ag.tensor([1, 2])).shape
    (2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        require_sizes("Embedding", 0, num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        if padding_idx is not None:
            require_sizes("Embedding", -num_embeddings, padding_idx=padding_idx)
            if padding_idx >= num_embeddings:
                raise ArgumentError(
                    f"Embedding: padding_idx {padding_idx} is out of range for {num_embeddings} embeddings"
                )
            padding_idx %= num_embeddings
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.weight = Parameter(empty(num_embeddings, embedding_dim, device=device, dtype=dtype))
        self.reset_parameters()

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None) -> Embedding:
        """A layer on the memory of a table (num_embeddings, embedding_dim); `freeze` keeps it as it is.

        >>> import autograd_cnn as ag
        >>> Embedding.from_pretrained(ag.tensor([[1.0, 2.0], [3.0, 4.0]]))(ag.tensor([1]))
        tensor([[3., 4.]])
        """
        if embeddings.ndim != 2:
            raise ShapeError(f"Embedding: embeddings must have 2 dimensions, got shape {list(embeddings.shape)}")
        layer = cls(embeddings.shape[0], embeddings.shape[1], padding_idx, dtype=embeddings.dtype)
        layer.weight = Parameter(embeddings, requires_grad=not freeze)
        return layer

    def reset_parameters(self) -> None:
        """Draws new initial values."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0.0

    def forward(self, ids: Any) -> Any:
        return F.embedding(ids, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
