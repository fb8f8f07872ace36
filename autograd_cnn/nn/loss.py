"""Losses as modules: of labels, differences, probabilities and distributions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd_cnn.nn import functional as F
from autograd_cnn.nn.module import Module
from autograd_cnn.ops.loss_reduction import reduction_named

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class Loss(Module):
    """A loss with a reduction: "mean", "sum" or "none"."""

    more_reductions: tuple[str, ...] = ()  # that just this loss has

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__()
        if reduction not in self.more_reductions:
            reduction = reduction_named(type(self).__name__, reduction, size_average, reduce)
        self.reduction = reduction


class WeightedLoss(Loss):
    """A loss with weights, which are a buffer."""

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class CrossEntropyLoss(WeightedLoss):
    """-log softmax(x)[target], weighted by class; target holds class indices or probabilities.

    input: (N, C) or (N, C, d1, ...), target: (N,) or (N, d1, ...), or input's shape for probabilities

    >>> import autograd_cnn as ag
    >>> CrossEntropyLoss()(ag.zeros(1, 2), ag.tensor([0]))
    tensor(0.6931)
    """

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(WeightedLoss):
    """-x[target] for log-probabilities x, weighted by class.

    input: (N, C) or (N, C, d1, ...), target: (N,) or (N, d1, ...)

    >>> import autograd_cnn as ag
    >>> NLLLoss()(ag.tensor([[-0.5, -1.0]]), ag.tensor([1]))
    tensor(1.)
    """

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.nll_loss(input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class MSELoss(Loss):
    """(x - target)^2.

    >>> import autograd_cnn as ag
    >>> MSELoss()(ag.tensor([1.0, 3.0]), ag.tensor([1.0, 1.0]))
    tensor(2.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(Loss):
    """|x - target|.

    >>> import autograd_cnn as ag
    >>> L1Loss()(ag.tensor([1.0, 3.0]), ag.tensor([1.0, 1.0]))
    tensor(1.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(Loss):
    """d^2 / (2 beta) where d = |x - target| < beta, else d - beta / 2.

    R. Girshick: "Fast R-CNN", 2015.

    >>> import autograd_cnn as ag
    >>> SmoothL1Loss()(ag.tensor([0.5, 3.0]), ag.zeros(2))
    tensor(1.3125)
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(Loss):
    """d^2 / 2 where d = |x - target| < delta, else delta (d - delta / 2).

    P. Huber: "Robust estimation of a location parameter", 1964.

    >>> import autograd_cnn as ag
    >>> HuberLoss(delta=2.0)(ag.tensor([1.0, 5.0]), ag.zeros(2))
    tensor(4.2500)
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class BCELoss(WeightedLoss):
    """-(target log x + (1 - target) log(1 - x)) for probabilities x; the logarithms are kept above -100.

    >>> import autograd_cnn as ag
    >>> BCELoss()(ag.tensor([0.5]), ag.tensor([1.0]))
    tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(WeightedLoss):
    """BCELoss of sigmoid(x), stable for large |x|; `pos_weight` weighs the positive targets.

    >>> import autograd_cnn as ag
    >>> BCEWithLogitsLoss()(ag.zeros(1), ag.ones(1))
    tensor(0.6931)
    """

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Any = None,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class KLDivLoss(Loss):
    """target (log target - x) for log-probabilities x; "batchmean" divides the sum by the batch's size.

    S. Kullback, R. Leibler: "On information and sufficiency", 1951.

    >>> import autograd_cnn as ag
    >>> KLDivLoss(reduction="batchmean")(ag.tensor([[0.5, 0.5]]).log(), ag.tensor([[1.0, 0.0]]))
    tensor(0.6931)
    """

    more_reductions = ("batchmean",)

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class PoissonNLLLoss(Loss):
    """e^x - target x, minus the logarithm of Poisson's probability of `target` but for what depends on it alone.

    Without `log_input` x - target log(x + eps); `full` adds Stirling's approximation of log(target!).

    >>> import autograd_cnn as ag
    >>> PoissonNLLLoss()(ag.tensor([0.0]), ag.tensor([1.0]))
    tensor(1.)
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        return F.poisson_nll_loss(log_input, target, self.log_input, self.full, eps=self.eps, reduction=self.reduction)


class GaussianNLLLoss(Loss):
    """(log v + (x - target)^2 / v) / 2 with v = max(var, eps); `full` adds log(2 pi) / 2.

    D. Nix, A. Weigend: "Estimating the mean and variance of the target probability distribution", 1994.

    >>> import autograd_cnn as ag
    >>> GaussianNLLLoss()(ag.tensor([1.0]), ag.tensor([3.0]), ag.tensor([4.0]))
    tensor(1.1931)
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        return F.gaussian_nll_loss(input, target, var, full=self.full, eps=self.eps, reduction=self.reduction)


class CTCLoss(Loss):
    """-log of the probability that sequences of label probabilities spell their targets.

    log_probs: (T, N, C) or (T, C), targets: (N, S) or all labels in one row, both lengths: (N,).  "mean" divides each
    loss by the length of its target before it takes the mean.

    A. Graves et al.: "Connectionist temporal classification", 2006.

    >>> import autograd_cnn as ag
    >>> log_probs = ag.tensor([[[0.5, 0.5]], [[0.5, 0.5]]]).log()
    >>> CTCLoss()(log_probs, ag.tensor([[1]]), (2,), (1,))
    tensor(0.2877)
    """

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(self, log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any) -> Tensor:
        lengths = input_lengths, target_lengths
        return F.ctc_loss(log_probs, targets, *lengths, self.blank, self.reduction, self.zero_infinity)
