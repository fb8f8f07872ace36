"""Embedding: a table of vectors looked up by id, one by one or in bags."""

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
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
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
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        if _weight is None:
            table = empty(num_embeddings, embedding_dim, device=device, dtype=dtype)
            self.weight = Parameter(table, requires_grad=not _freeze)
            self.reset_parameters()
        else:
            self.weight = Parameter(_table("Embedding", _weight, num_embeddings, embedding_dim), not _freeze)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """A layer on the memory of a table (num_embeddings, embedding_dim); `freeze` keeps it as it is.

        >>> import autograd_cnn as ag
        >>> Embedding.from_pretrained(ag.tensor([[1.0, 2.0], [3.0, 4.0]]))(ag.tensor([1]))
        tensor([[3., 4.]])
        """
        if embeddings.ndim != 2:
            raise ShapeError(f"Embedding: embeddings must have 2 dimensions, got shape {list(embeddings.shape)}")
        count, size = embeddings.shape
        options = padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse
        return cls(count, size, *options, _weight=embeddings, _freeze=freeze)

    def reset_parameters(self) -> None:
        """Draws new initial values."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0.0

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse
        )

    def extra_repr(self) -> str:
        return _described(self)


class EmbeddingBag(Module):
    """For each bag of ids the sum, the mean or the maximum of their vectors; zeros for a bag of none.

    input: (bags, ids) of integers, or (ids,) with offsets (bags,); weight: (num_embeddings, embedding_dim), y: (bags,
    embedding_dim).  Ids equal to `padding_idx` do not count.

    >>> import autograd_cnn as ag
    >>> EmbeddingBag(10, 3, mode="sum")(ag.tensor([1, 2, 4]), ag.tensor([0, 2])).shape
    (2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        require_sizes("EmbeddingBag", 0, num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        if padding_idx is not None:
            require_sizes("EmbeddingBag", -num_embeddings, padding_idx=padding_idx)
            if padding_idx >= num_embeddings:
                raise ArgumentError(
                    f"EmbeddingBag: padding_idx {padding_idx} is out of range for {num_embeddings} embeddings"
                )
            padding_idx %= num_embeddings
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset
        self.padding_idx = padding_idx
        if _weight is None:
            self.weight = Parameter(empty(num_embeddings, embedding_dim, device=device, dtype=dtype))
            self.reset_parameters()
        else:
            self.weight = Parameter(_table("EmbeddingBag", _weight, num_embeddings, embedding_dim))

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> EmbeddingBag:
        """A layer on the memory of a table (num_embeddings, embedding_dim); `freeze` keeps it as it is.

        >>> import autograd_cnn as ag
        >>> EmbeddingBag.from_pretrained(ag.tensor([[1.0, 2.0], [3.0, 4.0]]))(ag.tensor([[0, 1]]))
        tensor([[2., 3.]])
        """
        if embeddings.ndim != 2:
            raise ShapeError(f"EmbeddingBag: embeddings must have 2 dimensions, got shape {list(embeddings.shape)}")
        count, size = embeddings.shape
        options = max_norm, norm_type, scale_grad_by_freq, mode, sparse, embeddings, include_last_offset, padding_idx
        layer = cls(count, size, *options)
        layer.weight.requires_grad_(not freeze)
        return layer

    def reset_parameters(self) -> None:
        """Draws new initial values."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0.0

    def forward(self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None) -> Tensor:
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self) -> str:
        return f"{_described(self)}, mode={self.mode!r}"


def _table(layer: str, weight: Tensor, count: int, size: int) -> Tensor:
    if tuple(weight.shape) != (count, size):
        raise ShapeError(f"{layer}: the table must have shape {[count, size]}, got {list(weight.shape)}")
    return weight


def _described(layer: Any) -> str:
    """Sizes, and the options that are not the default."""
    defaults = {"padding_idx": None, "max_norm": None, "norm_type": 2, "scale_grad_by_freq": False, "sparse": False}
    options = {name: getattr(layer, name) for name in defaults}
    chosen = [f", {name}={option}" for name, option in options.items() if option != defaults[name]]
    return f"{layer.num_embeddings}, {layer.embedding_dim}{''.join(chosen)}"
