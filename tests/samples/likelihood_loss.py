"""Samples: negative log-likelihoods of Poisson's and the normal distribution."""

import numpy as np

from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.nn import functional as F
from samples.loss import reduced
from samples.sample import ErrorSample, Sample, given, positive, real


def poisson_nll_loss(
    x: np.ndarray, target: np.ndarray, log_input=True, full=False, eps=1e-8, reduction="mean"
) -> np.ndarray:
    losses = np.exp(x) - target * x if log_input else x - target * np.log(x + eps)
    if full:
        t = np.maximum(target, 1)
        losses = losses + np.where(target > 1, t * np.log(t) - t + np.log(2 * np.pi * t) / 2, 0)
    return reduced(losses, reduction)


def gaussian_nll_loss(
    x: np.ndarray, target: np.ndarray, var: np.ndarray, full=False, eps=1e-6, reduction="mean"
) -> np.ndarray:
    var = var[..., None] if var.shape == x.shape[:-1] and var.shape != x.shape else var
    v = np.maximum(var, eps)
    return reduced((np.log(v) + (x - target) ** 2 / v + full * np.log(2 * np.pi)) / 2, reduction)


COUNTS = given([[0.0, 1.0, 2.0], [5.0, 0.5, 3.0]], grad=False)
REDUCTIONS = ("mean", "sum", "none")

SAMPLES = (
    *(
        Sample(
            f"poisson_nll_loss {kwargs}",
            F.poisson_nll_loss,
            (positive(2, 3), COUNTS),
            poisson_nll_loss,
            "nn.functional.poisson_nll_loss",
            kwargs,
        )
        for kwargs in (
            *({"reduction": reduction} for reduction in REDUCTIONS),
            {"log_input": False},
            {"full": True, "reduction": "none"},
            {"log_input": False, "full": True, "eps": 0.1},
        )
    ),
    Sample(
        "poisson_nll_loss for the target",
        F.poisson_nll_loss,
        (real(2, 3), positive(2, 3)),
        poisson_nll_loss,
        "nn.functional.poisson_nll_loss",
    ),
    *(
        Sample(
            f"gaussian_nll_loss {list(var)} {kwargs}",
            F.gaussian_nll_loss,
            (real(2, 3), real(2, 3), positive(*var)),
            gaussian_nll_loss,
            "nn.functional.gaussian_nll_loss",
            kwargs,
        )
        for var, kwargs in (
            *(((2, 3), {"reduction": reduction}) for reduction in REDUCTIONS),
            ((2, 1), {"full": True}),
            ((2,), {"reduction": "none"}),
            ((1, 3), {}),
            ((2, 3), {"eps": 0.1}),
        )
    ),
    Sample(
        "gaussian_nll_loss, var below eps",
        F.gaussian_nll_loss,
        (real(3), real(3), given([0.0, 1e-7, 2.0])),
        gaussian_nll_loss,
        "nn.functional.gaussian_nll_loss",
        {"reduction": "none"},
        order=1,
        why="the limit does not stop the gradient",
    ),
    Sample(
        "gaussian_nll_loss, a number for var",
        lambda x, t: F.gaussian_nll_loss(x, t, 2.0),
        (real(3), real(3)),
        lambda x, t: gaussian_nll_loss(x, t, np.full(3, 2.0)),
        lambda torch, x, t: torch.nn.functional.gaussian_nll_loss(x, t, 2.0),
    ),
)

ERRORS = (
    ErrorSample(
        "poisson_nll_loss, reduction",
        F.poisson_nll_loss,
        (real(3), real(3)),
        ArgumentError,
        "poisson_nll_loss: reduction must be .*'average'",
        {"reduction": "average"},
    ),
    ErrorSample(
        "poisson_nll_loss, shapes",
        F.poisson_nll_loss,
        (real(3), real(2)),
        ShapeError,
        r"poisson_nll_loss: input and target must have one shape, got \[3\] and \[2\]",
    ),
    ErrorSample(
        "gaussian_nll_loss, negative var",
        F.gaussian_nll_loss,
        (real(2), real(2), given([1.0, -0.5])),
        ArgumentError,
        "gaussian_nll_loss: var must be at least 0, got -0.5",
    ),
    ErrorSample(
        "gaussian_nll_loss, negative number",
        F.gaussian_nll_loss,
        (real(2), real(2), -1.0),
        ArgumentError,
        "gaussian_nll_loss: var must be at least 0, got -1",
    ),
    *(
        ErrorSample(
            f"gaussian_nll_loss, var {list(shape)}",
            F.gaussian_nll_loss,
            (real(2, 3), real(2, 3), positive(*shape)),
            ShapeError,
            rf"gaussian_nll_loss: var of shape \[{', '.join(map(str, shape))}\] does not fit input's shape \[2, 3\]",
        )
        for shape in ((3,), (1, 1), (2, 2), (4, 2, 3))
    ),
    ErrorSample(
        "gaussian_nll_loss, reduction",
        F.gaussian_nll_loss,
        (real(2), real(2), positive(2)),
        ArgumentError,
        "gaussian_nll_loss: reduction must be .*'batchmean'",
        {"reduction": "batchmean"},
    ),
)
