"""What the samples of grid_sample leave out: derivatives of second order, and points that are nowhere."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn.gradcheck import gradcheck, gradgradcheck
from autograd_cnn.nn.functional import grid_sample

SHAPES = {2: ((1, 2, 4, 3), (1, 2, 3, 2)), 3: ((1, 2, 3, 2, 4), (1, 1, 2, 2, 3))}


def inputs(axes: int) -> list[ag.Tensor]:
    """Points that stay clear of where the elements change that they are made of."""
    rng = np.random.default_rng(axes)
    shape, points = SHAPES[axes]
    sizes = np.array(shape[:1:-1])
    cells = rng.integers(-2, sizes + 1, points) + rng.uniform(0.2, 0.8, points)
    grid = (2 * cells + 1) / sizes - 1
    return [ag.tensor(v, requires_grad=True) for v in (rng.standard_normal(shape), grid)]


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize(("axes", "mode"), [(2, "bilinear"), (2, "bicubic"), (3, "bilinear")])
def test_derivatives(axes: int, mode: str, padding: str) -> None:
    function = partial(grid_sample, mode=mode, padding_mode=padding, align_corners=False)
    assert gradcheck(function, inputs(axes))
    assert gradgradcheck(function, inputs(axes))


def test_third_derivatives() -> None:
    """Of a cubic: along one axis the gradient of the gradient has a gradient, too."""
    x, grid = inputs(2)

    def slope(x: ag.Tensor, grid: ag.Tensor) -> ag.Tensor:
        y = grid_sample(x, grid, mode="bicubic", align_corners=False)
        (g,) = ag.autograd.grad(y.sum(), grid, create_graph=True)
        return g

    assert gradgradcheck(slope, [x, grid])


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
def test_points_that_are_nowhere(mode: str, padding: str) -> None:
    x = ag.ones(1, 1, 3, 4, requires_grad=True)
    grid = ag.tensor([[[[np.nan, 0.0], [np.inf, 0.0], [0.0, -np.inf], [1e30, 1e30], [-1e9, 0.0]]]], requires_grad=True)
    y = grid_sample(x, grid, mode=mode, padding_mode=padding, align_corners=False)
    expected = 0.0 if padding == "zeros" else 1.0
    np.testing.assert_allclose(y.detach().numpy(), np.full(y.shape, expected), rtol=1e-6)
    y.sum().backward()
    assert np.isfinite(x.grad.numpy()).all()


def test_what_is_outside_is_not_read() -> None:
    x = ag.full((1, 1, 2, 2), np.inf)
    y = grid_sample(x, ag.full((1, 1, 1, 2), 5.0), align_corners=False)
    assert y.item() == 0
