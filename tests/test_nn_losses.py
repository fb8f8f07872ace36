"""Loss and distance modules have PyTorch's arguments, by name and by position, and give its numbers and gradients."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from test_nn_layers import compare, numbers

import autograd_cnn as ag
from autograd_cnn import nn
from autograd_cnn.errors import ArgumentError
from autograd_cnn.nn import functional as F

SIGNS = np.array([1.0, -1.0, -1.0, 1.0])
PAIR = (numbers(4, 3), numbers(4, 3, seed=1))
COUNTS = np.array([[0.5, 1.0, 4.0]])
CHANCES = np.random.default_rng(3).dirichlet(np.ones(3), 4)
LABELS = np.array([2, 0, 1, 1])
SETS = np.array([[2, 0, -1], [-1, 1, 0], [0, 1, 2], [1, -1, 0]])

LOSSES = {
    "HuberLoss": (lambda nn: nn.HuberLoss("sum", 0.5), PAIR),
    "KLDivLoss": (lambda nn: nn.KLDivLoss(reduction="sum"), (np.log(CHANCES), CHANCES[::-1].copy())),
    "KLDivLoss batchmean": (
        lambda nn: nn.KLDivLoss(None, None, "batchmean", log_target=True),
        (np.log(CHANCES), np.log(CHANCES[::-1])),
    ),
    "PoissonNLLLoss": (lambda nn: nn.PoissonNLLLoss(full=True), (numbers(1, 3), COUNTS)),
    "PoissonNLLLoss no log": (lambda nn: nn.PoissonNLLLoss(False, eps=0.1), (CHANCES[:1], COUNTS)),
    "GaussianNLLLoss": (lambda nn: nn.GaussianNLLLoss(full=True, reduction="sum"), (*PAIR, CHANCES)),
    "HingeEmbeddingLoss": (lambda nn: nn.HingeEmbeddingLoss(0.7), (numbers(4), SIGNS)),
    "MarginRankingLoss": (lambda nn: nn.MarginRankingLoss(0.2), (numbers(4), numbers(4, seed=1), SIGNS)),
    "CosineEmbeddingLoss": (lambda nn: nn.CosineEmbeddingLoss(0.2), (*PAIR, SIGNS)),
    "SoftMarginLoss": (lambda nn: nn.SoftMarginLoss(reduction="none"), (numbers(4), SIGNS.astype(int))),
    "MultiLabelSoftMarginLoss": (lambda nn: nn.MultiLabelSoftMarginLoss(), (PAIR[0], CHANCES)),
    "MultiLabelMarginLoss": (lambda nn: nn.MultiLabelMarginLoss(), (PAIR[0], SETS)),
    "MultiMarginLoss": (lambda nn: nn.MultiMarginLoss(2, 0.8), (PAIR[0], LABELS)),
    "TripletMarginLoss": (lambda nn: nn.TripletMarginLoss(0.5, 3.0, swap=True), (*PAIR, numbers(4, 3, seed=2))),
    "TripletMarginWithDistanceLoss": (
        lambda nn: nn.TripletMarginWithDistanceLoss(distance_function=nn.CosineSimilarity(-1), margin=0.4),
        (*PAIR, numbers(4, 3, seed=2)),
    ),
    "CosineSimilarity": (lambda nn: nn.CosineSimilarity(0), PAIR),
    "PairwiseDistance": (lambda nn: nn.PairwiseDistance(1.0, keepdim=True), PAIR),
}


@pytest.mark.parametrize(("make", "inputs"), LOSSES.values(), ids=LOSSES)
def test_losses(torch, make, inputs):
    compare(torch, make, *inputs)


@pytest.mark.parametrize("form", ["padded", "in a row", "without a batch"])
def test_ctc_loss(torch, form):
    scores, labels = numbers(6, 3, 4), np.array([[1, 2, 2], [3, 0, 0], [1, 3, 0]])
    times, lengths = (6, 4, 5), (3, 1, 2)
    if form == "in a row":
        labels = np.concatenate([line[:n] for line, n in zip(labels, lengths, strict=True)])
    elif form == "without a batch":
        scores, labels, times, lengths = scores[:, 0], labels[0], (6,), (3,)
    for options in ({}, {"reduction": "none", "zero_infinity": True}):

        def forward(module, x, options=options):
            lib = ag if isinstance(module, nn.Module) else torch
            return module(x.log_softmax(-1), lib.tensor(labels), lib.tensor(times), lib.tensor(lengths))

        compare(torch, lambda nn, options=options: nn.CTCLoss(**options), scores, forward=forward)


BY_POSITION = {
    "l1_loss": (None, None, "sum"),
    "mse_loss": (None, None, "sum"),
    "smooth_l1_loss": (None, None, "sum", 0.5),
    "huber_loss": ("sum", 0.5),
    "binary_cross_entropy": (None, None, None, "sum"),
    "binary_cross_entropy_with_logits": (None, None, None, "sum"),
    "kl_div": (None, None, "sum", True),
    "soft_margin_loss": (None, None, "sum"),
    "multilabel_soft_margin_loss": (None, None, None, "sum"),
    "hinge_embedding_loss": (0.5, None, None, "sum"),
    "poisson_nll_loss": (False, True, None, 0.1, None, "sum"),
}


@pytest.mark.parametrize(("name", "more"), BY_POSITION.items(), ids=BY_POSITION)
def test_arguments_by_position(torch, name, more):
    x, target = CHANCES[:2], CHANCES[2:]
    ours = getattr(F, name)(ag.tensor(x), ag.tensor(target), *more)
    theirs = getattr(torch.nn.functional, name)(torch.tensor(x), torch.tensor(target), *more)
    np.testing.assert_allclose(ours.item(), theirs.item(), rtol=1e-12)


@pytest.mark.parametrize("average", [None, False, True])
@pytest.mark.parametrize("reduce", [None, False, True])
def test_reductions_of_old(torch, average, reduce):
    x, labels = numbers(3, 4), np.array([0, 3, 1])
    for name, target in (("mse_loss", numbers(3, 4, seed=1)), ("cross_entropy", labels), ("nll_loss", labels)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ours = getattr(F, name)(ag.tensor(x), ag.tensor(target), size_average=average, reduce=reduce)
            theirs = getattr(torch.nn.functional, name)(
                torch.tensor(x), torch.tensor(target), size_average=average, reduce=reduce
            )
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12)
    with pytest.warns(DeprecationWarning, match="MSELoss: size_average and reduce are deprecated.* reduction='sum'"):
        assert nn.MSELoss(size_average=False).reduction == "sum"


ERRORS = [
    (lambda: nn.KLDivLoss(reduction="max"), "KLDivLoss: reduction must be .* got 'max'"),
    (lambda: nn.MSELoss(reduction="batchmean"), "MSELoss: reduction must be .* got 'batchmean'"),
    (lambda: nn.MultiMarginLoss(p=3), "MultiMarginLoss: p must be 1 or 2, got 3"),
    (lambda: nn.TripletMarginLoss(margin=0), "TripletMarginLoss: margin must be above 0, got 0"),
    (lambda: nn.HuberLoss(delta=0.0)(ag.ones(1), ag.ones(1)), "huber_loss: delta must be above 0, got 0.0"),
]


@pytest.mark.parametrize(("make", "message"), ERRORS, ids=range(len(ERRORS)))
def test_errors(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()
