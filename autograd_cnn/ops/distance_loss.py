"""Losses that bring vectors together or apart: of pairs by their angle, of triplets by their distances."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.arithmetic import minimum, where
from autograd_cnn.ops.bounds import clamp_min
from autograd_cnn.ops.distance import Cosine, pairwise_distance
from autograd_cnn.ops.expand import broadcast_tensors
from autograd_cnn.ops.loss_reduction import reduction_of
from autograd_cnn.ops.operand import broadcast, require_floating, require_tensor

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor

COSINE = Cosine(0.0, 1e-12)  # squares of lengths are not quite 0, so that zeros have a cosine


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """1 - cos where the target is 1, max(0, cos - margin) where it is -1; cos is that of the angle of the vectors.

    input1 and input2: (N, D) or (D,), target: (N,) or ().  Raises ShapeError for other shapes, ArgumentError for an
    unknown reduction.

    >>> import autograd_cnn as ag
    >>> one, other = ag.tensor([[1.0, 0.0], [1.0, 0.0]]), ag.tensor([[1.0, 0.0], [3.0, 4.0]])
    >>> cosine_embedding_loss(one, other, ag.tensor([1, -1]), reduction="none")
    tensor([0.0000, 0.6000])
    """
    op = "cosine_embedding_loss"
    reduced = reduction_of(op, reduction, size_average, reduce)
    require_floating(op, input1=input1, input2=input2)
    shape, other, labels = (require_tensor(op, tensor).array.shape for tensor in (input1, input2, target))
    if len(labels) > 1 or len(shape) != len(labels) + 1 or len(other) != len(labels) + 1:
        raise ShapeError(
            f"{op}: inputs must be (N, D) with a target (N,), or (D,) with (), got {list(shape)}, {list(other)} and "
            f"{list(labels)}"
        )
    broadcast(op, shape[:-1], labels)
    broadcast(op, shape, other)
    if shape != other:
        input1, input2 = broadcast_tensors(input1, input2)
    cosine = apply(COSINE, input1, input2)[0]
    together = where(target == 1, 1 - cosine, 0.0)
    return reduced(together + where(target == -1, clamp_min(cosine - margin, 0.0), 0.0))


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, |anchor - positive| - |anchor - negative| + margin), p-norms over the last dimension.

    With `swap` |positive - negative| counts in place of |anchor - negative| where it is less (Balntas et al. 2016).

    All three: (..., D), broadcast, with as many dimensions.  Raises ShapeError where they do not fit, ArgumentError for
    a margin that is not above 0 and an unknown reduction.

    >>> import autograd_cnn as ag
    >>> points = ag.tensor([[[0.0, 0.0]], [[3.0, 4.0]], [[0.0, 5.5]]])
    >>> triplet_margin_loss(*points)
    tensor(0.5000)
    """
    op = "triplet_margin_loss"
    reduced = reduction_of(op, reduction, size_average, reduce)
    distance = partial(pairwise_distance, p=p, eps=eps)
    return reduced(_triplet(op, anchor, positive, negative, distance, margin, swap))


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """`triplet_margin_loss` by any distance, a function of two tensors; `pairwise_distance` unless given.

    Raises ShapeError where tensors have not as many dimensions, ArgumentError for a margin that is not above 0 and an
    unknown reduction.

    >>> import autograd_cnn as ag
    >>> points = ag.tensor([[[0.0, 0.0]], [[3.0, 4.0]], [[0.0, 5.0]]])
    >>> triplet_margin_with_distance_loss(*points, distance_function=lambda x, y: (x - y).abs().sum(-1))
    tensor(3.)
    """
    op = "triplet_margin_with_distance_loss"
    reduced = reduction_of(op, reduction)
    return reduced(_triplet(op, anchor, positive, negative, distance_function or pairwise_distance, margin, swap))


def _triplet(
    op: str, anchor: Any, positive: Any, negative: Any, distance: Callable[[Any, Any], Any], margin: float, swap: bool
) -> Any:
    if margin <= 0:
        raise ArgumentError(f"{op}: margin must be above 0, got {margin}")
    shapes = [require_tensor(op, tensor).array.shape for tensor in (anchor, positive, negative)]
    if len({len(shape) for shape in shapes}) > 1:
        listed = ", ".join(str(list(shape)) for shape in shapes)
        raise ShapeError(f"{op}: anchor, positive and negative must have as many dimensions, got shapes {listed}")
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return clamp_min(margin + near - far, 0.0)
