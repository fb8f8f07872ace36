"""Optimizers with their settings, and parameters and gradients for them, ours and PyTorch's."""

from __future__ import annotations

import itertools
from contextlib import contextmanager

import numpy as np

import autograd_cnn as ag
from autograd_cnn.optim import ASGD, SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, NAdam, RAdam, RMSprop, Rprop


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
NADAM_CASES = product(
    betas=[(0.9, 0.999), (0.5, 0.7)],
    weight_decay=[0, 0.1],
    momentum_decay=[4e-3, 0.3],
    decoupled_weight_decay=[False, True],
    maximize=[False, True],
)
RADAM_CASES = product(
    betas=[(0.9, 0.999), (0.5, 0.9)],
    weight_decay=[0, 0.1],
    decoupled_weight_decay=[False, True],
    maximize=[False, True],
)
ADAMAX_CASES = product(
    betas=[(0.9, 0.999), (0.5, 0.7)], eps=[1e-8, 1e-2], weight_decay=[0, 0.1], maximize=[False, True]
)
ADAGRAD_CASES = product(
    lr_decay=[0, 0.1],
    weight_decay=[0, 0.1],
    initial_accumulator_value=[0, 0.3],
    eps=[1e-10, 1e-2],
    maximize=[False, True],
)
ADADELTA_CASES = product(rho=[0.9, 0.5], eps=[1e-6, 1e-2], weight_decay=[0, 0.1], maximize=[False, True])
RPROP_CASES = product(etas=[(0.5, 1.2), (0.3, 2.0)], step_sizes=[(1e-6, 50), (0.01, 0.04)], maximize=[False, True])
ASGD_CASES = product(lambd=[1e-4, 0.1], alpha=[0.75, 0.5], t0=[1e6, 10], weight_decay=[0, 0.1], maximize=[False, True])
CASES = [
    *[(SGD, case) for case in SGD_CASES],
    *[(Adam, case) for case in ADAM_CASES],
    *[(Adam, {**case, "decoupled_weight_decay": True}) for case in ADAM_CASES],
    *[(AdamW, case) for case in ADAM_CASES],
    *[(RMSprop, case) for case in RMSPROP_CASES],
    *[(NAdam, case) for case in NADAM_CASES],
    *[(RAdam, case) for case in RADAM_CASES],
    *[(Adamax, case) for case in ADAMAX_CASES],
    *[(Adagrad, case) for case in ADAGRAD_CASES],
    *[(Adadelta, case) for case in ADADELTA_CASES],
    *[(Rprop, case) for case in RPROP_CASES],
    *[(ASGD, case) for case in ASGD_CASES],
]
SHAPES = [(3, 4), (5,), (), (2, 3)]
OPTIMIZERS = [
    (SGD, {"lr": 0.05}),
    (SGD, {"lr": 0.05, "momentum": 0.9, "dampening": 0.1}),
    (Adam, {"lr": 0.05, "amsgrad": True}),
    (AdamW, {"lr": 0.05}),
    (RMSprop, {"lr": 0.05, "momentum": 0.5, "centered": True}),
    (NAdam, {"lr": 0.05, "momentum_decay": 0.1}),
    (RAdam, {"lr": 0.05, "betas": (0.8, 0.9)}),
    (Adamax, {"lr": 0.05}),
    (Adagrad, {"lr": 0.5, "lr_decay": 1e-3, "initial_accumulator_value": 0.1}),
    (Adadelta, {"lr": 5.0}),
    (Rprop, {"lr": 0.05}),
    (ASGD, {"lr": 0.05, "t0": 3}),
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


@contextmanager
def numbers_in(torch, dtype):
    """PyTorch keeps the numbers of its states, such as mu_product, in its default dtype."""
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def as_torch(torch, state):
    """Our state dict with PyTorch's tensors."""
    if isinstance(state, dict):
        return {name: as_torch(torch, value) for name, value in state.items()}
    if isinstance(state, list):
        return [as_torch(torch, value) for value in state]
    return torch.tensor(state.numpy()) if isinstance(state, ag.Tensor) else state


def as_numpy(state):
    """A PyTorch state dict with arrays in place of tensors."""
    if isinstance(state, dict):
        return {name: as_numpy(value) for name, value in state.items()}
    if isinstance(state, list):
        return [as_numpy(value) for value in state]
    return state.numpy().copy() if hasattr(state, "numpy") else state
