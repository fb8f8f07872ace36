"""Optimizers with their settings, and parameters and gradients for them, ours and PyTorch's."""

from __future__ import annotations

import itertools

import numpy as np

import autograd_cnn as ag
from autograd_cnn.optim import SGD, Adam, AdamW, RMSprop


def product(**choices):
    return [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]


SGD_CASES = [
    case
    for case in product(
        momentum=[0, 0.9], dampening=[0, 0.3], weight_decay=[0, 0.1], nesterov=[False, True], maximize=[False, True]
    )
    if not case["nesterov"] or (case["momentum"] and not case["dampening"])
]
ADAM_CASES = product(
    betas=[(0.9, 0.999), (0.5, 0.7)], weight_decay=[0, 0.1], amsgrad=[False, True], maximize=[False, True]
)
RMSPROP_CASES = product(
    alpha=[0.99, 0.5], weight_decay=[0, 0.1], momentum=[0, 0.9], centered=[False, True], maximize=[False, True]
)
CASES = [
    *[(SGD, case) for case in SGD_CASES],
    *[(Adam, case) for case in ADAM_CASES],
    *[(AdamW, case) for case in ADAM_CASES],
    *[(RMSprop, case) for case in RMSPROP_CASES],
]
SHAPES = [(3, 4), (5,), (), (2, 3)]
OPTIMIZERS = [
    (SGD, {"lr": 0.05}),
    (SGD, {"lr": 0.05, "momentum": 0.9, "dampening": 0.1}),
    (Adam, {"lr": 0.05, "amsgrad": True}),
    (AdamW, {"lr": 0.05}),
    (RMSprop, {"lr": 0.05, "momentum": 0.5, "centered": True}),
]


def arrays(seed, dtype="float64"):
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.standard_normal(shape), dtype) for shape in SHAPES]


def parameters(dtype="float64"):
    """Parameters of several shapes; the last is not contiguous."""
    params = [ag.tensor(a, requires_grad=True) for a in arrays(0, dtype)]
    params[-1] = ag.tensor(params[-1].detach().numpy().T.copy()).T.detach().requires_grad_()
    assert not params[-1].is_contiguous()
    return params


def give_gradients(params, step, dtype="float64"):
    for p, g in zip(params, arrays(1000 + step, dtype), strict=True):
        p.grad = ag.tensor(g)


def values(params):
    return [p.detach().numpy().copy() for p in params]


def torch_parameters(torch, dtype="float64"):
    return [torch.tensor(a, requires_grad=True) for a in arrays(0, dtype)]


def as_numpy(state):
    """A PyTorch state dict with arrays in place of tensors."""
    if isinstance(state, dict):
        return {name: as_numpy(value) for name, value in state.items()}
    if isinstance(state, list):
        return [as_numpy(value) for value in state]
    return state.numpy().copy() if hasattr(state, "numpy") else state
