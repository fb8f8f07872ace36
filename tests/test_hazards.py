"""Where limits, infinities and empty sums lie in wait: our numbers are PyTorch's, and never less finite."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn import nn

INF = math.inf


def attention(F: Any, t: Any, x: Any) -> Any:
    masked = t.tensor([[True, True], [False, False]])
    return F.scaled_dot_product_attention(x.reshape(1, 2, 2), x.reshape(1, 2, 2), x.reshape(1, 2, 2), masked)[:, :1]


# What each does to x, and x.
HAZARDS: dict[str, tuple[Callable[[Any, Any, Any], Any], Any]] = {
    "softmax of nothing but -inf": (lambda t, F, x: F.softmax(x, dim=0), [-INF, -INF]),
    "softmax of inf": (lambda t, F, x: F.softmax(x, dim=0), [INF, 0.0]),
    "softmax of large numbers": (lambda t, F, x: F.softmax(x, dim=0), [1e4, 0.0]),
    "softmax with -inf": (lambda t, F, x: F.softmax(x, dim=0), [-INF, 0.0]),
    "log_softmax of large numbers": (lambda t, F, x: F.log_softmax(x, dim=0), [1e4, 0.0]),
    "logsumexp of nothing but -inf": (lambda t, F, x: t.logsumexp(x, 0), [-INF, -INF]),
    "logsumexp of inf": (lambda t, F, x: t.logsumexp(x, 0), [INF, 0.0]),
    "logsumexp of large numbers": (lambda t, F, x: t.logsumexp(x, 0), [1e4, 1e4]),
    "logaddexp of -inf": (lambda t, F, x: t.logaddexp(x[:1], x[1:]), [-INF, -INF]),
    "cross_entropy, every target ignored": (
        lambda t, F, x: F.cross_entropy(x, t.tensor([-100, -100])),
        [[1.0, 2.0], [3.0, 4.0]],
    ),
    "cross_entropy of large scores": (lambda t, F, x: F.cross_entropy(x, t.tensor([1])), [[1e4, 0.0]]),
    "sqrt at 0": (lambda t, F, x: t.sqrt(x), [0.0, 1.0]),
    "square root as a power at 0": (lambda t, F, x: x**0.5, [0.0, 1.0]),
    "std of one element": (lambda t, F, x: t.std(x), [1.0]),
    "std of equal elements": (lambda t, F, x: t.std(x), [2.0, 2.0]),
    "where past a logarithm": (lambda t, F, x: t.where(x > 0, t.log(x), t.zeros_like(x)), [0.0, 1.0]),
    "mean of nothing": (lambda t, F, x: t.mean(x[:0]), [1.0]),
    "CTC without a way": (
        lambda t, F, x: F.ctc_loss(
            F.log_softmax(x, -1), t.tensor([[1, 1]]), t.tensor([2]), t.tensor([2]), reduction="sum"
        ),
        [[[0.1, 0.2]], [[0.3, 0.4]]],
    ),
    "binary_cross_entropy at 0 and 1": (lambda t, F, x: F.binary_cross_entropy(x, t.tensor([0.0, 1.0])), [0.0, 1.0]),
    "binary_cross_entropy, wrong for certain": (lambda t, F, x: F.binary_cross_entropy(x, t.tensor([1.0])), [0.0]),
    "logistic loss of large scores": (
        lambda t, F, x: F.binary_cross_entropy_with_logits(x, t.tensor([1.0, 0.0])),
        [1e4, -1e4],
    ),
    "softplus, both tails": (lambda t, F, x: F.softplus(x), [-1e4, 1e4]),
    "logsigmoid, both tails": (lambda t, F, x: F.logsigmoid(x), [-1e4, 1e4]),
    "tanh and sigmoid, both tails": (lambda t, F, x: t.tanh(x) + t.sigmoid(x), [-1e4, 1e4]),
    "norm at 0": (lambda t, F, x: t.norm(x), [0.0, 0.0]),
    "prod with zeros": (lambda t, F, x: t.prod(x), [0.0, 2.0, 0.0]),
    "cosine of 0": (lambda t, F, x: F.cosine_similarity(x, t.zeros_like(x), dim=0), [1.0, 2.0]),
    "normalize of 0": (lambda t, F, x: F.normalize(x, dim=0), [0.0, 0.0]),
    "layer norm of equal numbers": (lambda t, F, x: F.layer_norm(x, (3,)), [[5.0, 5.0, 5.0]]),
    "divergence from a class of probability 0": (
        lambda t, F, x: F.kl_div(x, t.tensor([0.0, 1.0]), reduction="sum"),
        [-1.0, -2.0],
    ),
    "a row of attention beside one that may see nothing": (lambda t, F, x: attention(F, t, x), [1.0, 2.0, 3.0, 4.0]),
    "variance far from 0": (lambda t, F, x: t.var(x), [1e8, 1e8, 1e8]),
}


def outcome(t: Any, F: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The value and the gradient of its sum."""
    call, values = HAZARDS[name]
    x = t.tensor(values, requires_grad=True)
    y = call(t, F, x)
    y.sum().backward()
    return y.detach().numpy(), x.grad.numpy()


@pytest.mark.filterwarnings("ignore::UserWarning")  # PyTorch's, of too few degrees of freedom
@pytest.mark.parametrize("name", HAZARDS)
def test_values_are_pytorchs_and_gradients_not_less_finite(name: str, torch: ModuleType) -> None:
    (value, grad), (right, theirs) = outcome(ag, nn.functional, name), outcome(torch, torch.nn.functional, name)
    np.testing.assert_allclose(value, right, rtol=1e-6, atol=1e-7)
    finite = np.isfinite(theirs)
    np.testing.assert_allclose(grad[finite], theirs[finite], rtol=1e-5, atol=1e-7)


def test_no_more_hazards_than_pytorchs_12() -> None:
    spoilt = [
        name for name in HAZARDS if not all(np.isfinite(array).all() for array in outcome(ag, nn.functional, name))
    ]
    assert len(spoilt) <= 12, spoilt


def test_nan_is_no_infinite_loss() -> None:
    scores = ag.tensor([[[math.nan, 0.0]], [[0.0, 0.0]]])
    loss = nn.functional.ctc_loss(scores, ag.tensor([[1]]), ag.tensor([2]), ag.tensor([1]), zero_infinity=True)
    assert math.isnan(loss.item())


def test_recurrence_through_relu_keeps_nan_both_ways() -> None:
    grads = []
    for unroll in (False, True):
        ag.manual_seed(0)
        layer = nn.RNN(2, 3, nonlinearity="relu", unroll=unroll)
        x = ag.tensor([[[math.nan, 1.0]], [[1.0, 1.0]]], requires_grad=True)
        layer(x)[0].sum().backward()
        grads.append(x.grad.numpy())
    np.testing.assert_array_equal(*grads)
