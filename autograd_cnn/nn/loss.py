"""Losses as modules."""

from __future__ import annotations

from typing import Any

from autograd_cnn.nn import functional as F
from autograd_cnn.nn.module import Module
from autograd_cnn.ops.loss import reduction_of


class Loss(Module):
    """A loss with a reduction: "mean", "sum" or "none"."""

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__()
        reduction_of(type(self).__name__, reduction)  # raises for an unknown one
        self.reduction = reduction


class CrossEntropyLoss(Loss):
    """-log softmax(x)[target], weighted by class; target holds class indices or probabilities.

    x: (N, C) or (N, C, d1, ...), target: (N,) or (N, d1, ...), or x's shape for probabilities

    >>> import autograd_cnn as ag
    >>> CrossEntropyLoss()(ag.zeros(1, 2), ag.tensor([0]))
    tensor(0.6931)
    """

    def __init__(
        self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0
    ) -> None:
        super().__init__(reduction=reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, x: Any, target: Any) -> Any:
        return F.cross_entropy(
            x,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(Loss):
    """-x[target] for log-probabilities x, weighted by class.

    x: (N, C) or (N, C, d1, ...), target: (N,) or (N, d1, ...)

    >>> import autograd_cnn as ag
    >>> NLLLoss()(ag.tensor([[-0.5, -1.0]]), ag.tensor([1]))
    tensor(1.)
    """

    def __init__(self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, x: Any, target: Any) -> Any:
        return F.nll_loss(x, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class MSELoss(Loss):
    """(x - target)^2.

    >>> import autograd_cnn as ag
    >>> MSELoss()(ag.tensor([1.0, 3.0]), ag.tensor([1.0, 1.0]))
    tensor(2.)
    """

    def forward(self, x: Any, target: Any) -> Any:
        return F.mse_loss(x, target, reduction=self.reduction)


class L1Loss(Loss):
    """|x - target|.

    >>> import autograd_cnn as ag
    >>> L1Loss()(ag.tensor([1.0, 3.0]), ag.tensor([1.0, 1.0]))
    tensor(1.)
    """

    def forward(self, x: Any, target: Any) -> Any:
        return F.l1_loss(x, target, reduction=self.reduction)


class SmoothL1Loss(Loss):
    """d^2 / (2 beta) where d = |x - target| < beta, else d - beta / 2.

    R. Girshick: "Fast R-CNN", 2015.

    >>> import autograd_cnn as ag
    >>> SmoothL1Loss()(ag.tensor([0.5, 3.0]), ag.zeros(2))
    tensor(1.3125)
    """

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.beta = beta

    def forward(self, x: Any, target: Any) -> Any:
        return F.smooth_l1_loss(x, target, reduction=self.reduction, beta=self.beta)


class BCELoss(Loss):
    """-(target log x + (1 - target) log(1 - x)) for probabilities x; the logarithms are kept above -100.

    >>> import autograd_cnn as ag
    >>> BCELoss()(ag.tensor([0.5]), ag.tensor([1.0]))
    tensor(0.6931)
    """

    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.register_buffer("weight", weight)

    def forward(self, x: Any, target: Any) -> Any:
        return F.binary_cross_entropy(x, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(Loss):
    """BCELoss of sigmoid(x), stable for large |x|; `pos_weight` weighs the positive targets.

    >>> import autograd_cnn as ag
    >>> BCEWithLogitsLoss()(ag.zeros(1), ag.ones(1))
    tensor(0.6931)
    """

    def __init__(self, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction=reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, x: Any, target: Any) -> Any:
        return F.binary_cross_entropy_with_logits(
            x, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )
