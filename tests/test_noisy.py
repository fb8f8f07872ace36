"""Activation functions with random numbers: their distributions, and the gradient of a hard choice."""

from __future__ import annotations

from types import ModuleType

import numpy as np

import autograd_cnn as ag
import autograd_cnn.nn.functional as F


def test_slopes_of_rrelu_are_uniform_and_are_its_gradient() -> None:
    ag.manual_seed(0)
    x = (ag.ones(100_000) * -2).requires_grad_()
    y = F.rrelu(x, 0.1, 0.5, training=True)
    y.sum().backward()
    slopes = x.grad.numpy()
    np.testing.assert_array_equal(y.detach().numpy(), slopes * -2)
    assert 0.1 <= slopes.min() < 0.101
    assert 0.499 < slopes.max() < 0.5
    assert abs(slopes.mean() - 0.3) < 0.002
    above = ag.tensor([0.0, 3.0])
    assert F.rrelu(above, training=True).tolist() == [0.0, 3.0]


def test_choices_of_gumbel_softmax_have_the_probabilities_of_softmax() -> None:
    ag.manual_seed(0)
    logits = ag.tensor([0.0, 1.0, -1.0, 2.0])
    chosen = F.gumbel_softmax(logits.expand(50_000, 4).contiguous(), tau=0.7, hard=True)
    assert set(np.unique(chosen.numpy().round(6))) == {0.0, 1.0}
    np.testing.assert_allclose(chosen.mean(0).numpy(), F.softmax(logits, 0).numpy(), atol=0.01)
    soft = F.gumbel_softmax(logits, tau=0.7)
    assert abs(soft.sum().item() - 1) < 1e-6


def test_a_hard_choice_has_the_gradient_of_the_soft_one() -> None:
    weight = ag.tensor([1.0, 3.0, -2.0])
    gradients = []
    for hard in (False, True):
        logits = ag.tensor([0.5, -0.5, 1.0], requires_grad=True)
        ag.manual_seed(1)
        (F.gumbel_softmax(logits, hard=hard) * weight).sum().backward()
        gradients.append(logits.grad.numpy())
    np.testing.assert_allclose(gradients[0], gradients[1], rtol=1e-5)


def test_torch_says_the_same_of_means(torch: ModuleType) -> None:
    logits = np.array([0.3, -0.7, 1.1], np.float32)
    ag.manual_seed(0)
    torch.manual_seed(0)
    ours = F.gumbel_softmax(ag.tensor(np.tile(logits, (50_000, 1))), tau=0.5).mean(0).numpy()
    theirs = torch.nn.functional.gumbel_softmax(torch.tensor(np.tile(logits, (50_000, 1))), tau=0.5).mean(0).numpy()
    np.testing.assert_allclose(ours, theirs, atol=0.01)
