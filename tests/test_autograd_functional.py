"""Jacobians, Hessians and products with them, by autograd.functional and func, against PyTorch's."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn.autograd import functional
from autograd_cnn.errors import ArgumentError, DTypeError, GraphError, ShapeError

NAMES = ("vjp", "jvp", "jacobian", "hessian", "vhp", "hvp")


def arrays(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return tuple(rng.uniform(0.2, 1.5, shape) for shape in shapes)


# Functions of a library, and the shapes of their inputs: one tensor or several, to one or several.
FUNCTIONS = {
    "one to one": (lambda t: lambda x: x.sin() * x.sum(), [(2, 3)], False),
    "one to a tuple": (lambda t: lambda x: (x.exp(), x.sum()), [(3,)], False),
    "several to one": (lambda t: lambda x, w: x @ w, [(2, 3), (3, 2)], True),
    "several to several": (lambda t: lambda x, y: (x * y, y.cos(), x.sum()), [(3,), (3,)], True),
    "independent": (lambda t: lambda x, y: (x * 2, y**2), [(2,), (3,)], True),
    "constant": (lambda t: lambda x: (x.detach() * 3, x * 2), [(2,)], False),
    "convolution": (
        lambda t: lambda x, w: t.nn.functional.conv2d(x, w, padding=1).tanh(),
        [(1, 2, 3, 3), (1, 2, 3, 3)],
        True,
    ),
    "no dimensions": (lambda t: lambda x, y: x * y.exp(), [(), ()], True),
}
SCALARS = {
    "one": (lambda t: lambda x: (x.exp() * x.sum()).sum(), [(2, 2)], False),
    "several": (lambda t: lambda x, y: (x**3 * y).sum() + (y**2).sum(), [(3,), (3,)], True),
    "linear in one": (lambda t: lambda x, y: x.sum() + (y**2).sum(), [(2,), (2,)], True),
    "a column": (lambda t: lambda x: (x**3).sum().reshape(1, 1), [(2,)], False),
    "network": (
        lambda t: lambda x, w: t.nn.functional.cross_entropy(x @ w, t.tensor([0, 2])),
        [(2, 4), (4, 3)],
        True,
    ),
}


def inputs_of(t, shapes, several, seed=0, requires_grad=False):
    found = tuple(t.tensor(a, requires_grad=requires_grad) for a in arrays(*shapes, seed=seed))
    return found if several else found[0]


def same(ours, theirs, rtol=1e-9):
    if isinstance(theirs, list):  # as PyTorch's forward mode returns
        theirs = tuple(theirs)
    assert isinstance(ours, tuple) == isinstance(theirs, tuple)
    if isinstance(ours, dict):
        assert ours.keys() == theirs.keys()
        ours, theirs = tuple(ours.values()), tuple(theirs.values())
    if isinstance(ours, tuple):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            same(a, b, rtol)
        return
    assert ours.shape == theirs.shape
    assert ours.requires_grad == theirs.requires_grad
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=rtol, atol=1e-12)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of PyTorch's forward mode
@pytest.mark.parametrize("case", FUNCTIONS)
@pytest.mark.parametrize(
    "options", [{}, {"vectorize": True}, {"vectorize": True, "strategy": "forward-mode"}], ids=["", "vector", "forward"]
)
def test_jacobian(torch, case, options):
    make, shapes, several = FUNCTIONS[case]
    if "strategy" in options and case in ("constant", "convolution"):
        options = {"vectorize": True}  # PyTorch has no forward mode for them
        ours = functional.jacobian(make(ag), inputs_of(ag, shapes, several), vectorize=True, strategy="forward-mode")
    else:
        ours = functional.jacobian(make(ag), inputs_of(ag, shapes, several), **options)
    same(ours, torch.autograd.functional.jacobian(make(torch), inputs_of(torch, shapes, several), **options))


@pytest.mark.parametrize("case", SCALARS)
@pytest.mark.parametrize("options", [{}, {"vectorize": True}], ids=["", "vector"])
def test_hessian(torch, case, options):
    make, shapes, several = SCALARS[case]
    found = [t.autograd.functional.hessian(make(t), inputs_of(t, shapes, several), **options) for t in (ag, torch)]
    same(*found)


@pytest.mark.parametrize("case", FUNCTIONS)
@pytest.mark.parametrize("name", ["vjp", "jvp"])
def test_first_order_products(torch, name, case):
    make, shapes, several = FUNCTIONS[case]
    found = []
    for t in (ag, torch):
        inputs = inputs_of(t, shapes, several)
        if name == "jvp":
            v = inputs_of(t, shapes, several, seed=1)
        else:
            outputs = make(t)(*inputs) if several else make(t)(inputs)
            is_tuple = isinstance(outputs, tuple)
            v = inputs_of(t, [tuple(y.shape) for y in (outputs if is_tuple else (outputs,))], is_tuple, seed=1)
        found.append(getattr(t.autograd.functional, name)(make(t), inputs, v))
    same(*found)


@pytest.mark.parametrize("case", SCALARS)
@pytest.mark.parametrize("name", ["vhp", "hvp"])
def test_second_order_products(torch, name, case):
    make, shapes, several = SCALARS[case]
    found = [
        getattr(t.autograd.functional, name)(
            make(t), inputs_of(t, shapes, several), inputs_of(t, shapes, several, seed=1)
        )
        for t in (ag, torch)
    ]
    same(*found)


@pytest.mark.parametrize("name", NAMES)
def test_results_with_a_graph(torch, name):
    found = []
    for t in (ag, torch):
        inputs = inputs_of(t, [(2,), (2,)], True, requires_grad=True)
        weights = t.tensor([1.0, -2.0], dtype=t.float64, requires_grad=True)
        v = None if name in ("jacobian", "hessian", "vjp") else inputs_of(t, [(2,), (2,)], True, seed=1)
        settings = {} if v is None else {"v": v}
        result = getattr(t.autograd.functional, name)(
            lambda x, y, w=weights: (x**3 * y**2 * w).sum(), inputs, create_graph=True, **settings
        )
        flat = [result]
        while any(isinstance(item, tuple) for item in flat):
            flat = [leaf for item in flat for leaf in (item if isinstance(item, tuple) else (item,))]
        total = sum((leaf**2).sum() for leaf in flat)
        total.backward()
        found.append((result, inputs[0].grad, inputs[1].grad, weights.grad))
    same(*found)


@pytest.mark.parametrize("name", NAMES)
def test_strict(torch, name):
    scalar = name in ("hessian", "vhp", "hvp")
    bad = {
        "independent of an input": lambda x, y: (x**3).sum() if scalar else x * 2,
        "without a graph": lambda x, y: (x.detach() * y.detach()).sum() if scalar else x.detach(),
        "linear": (lambda x, y: x.sum() + y.sum()) if scalar else None,
    }
    good = lambda x, y: (x**3 * y**3).sum() if scalar else x * y  # noqa: E731
    for t, error in ((torch, RuntimeError), (ag, GraphError)):
        inputs = inputs_of(t, [(2,), (2,)], True)
        if name == "vjp":
            v = (inputs[0],)[0]
        elif name in ("jacobian", "hessian"):
            v = None
        else:
            v = inputs
        call = getattr(t.autograd.functional, name)
        settings = {} if v is None else {"v": v}
        call(good, inputs, strict=True, **settings)
        for why, function in bad.items():
            if function is None or (name == "jvp" and why.startswith("independent")):
                continue
            call(function, inputs, **settings)
            with pytest.raises(error):
                call(function, inputs, strict=True, **settings)


def test_errors():
    x = ag.ones(2)
    for call, error, message in (
        (lambda: functional.vjp(lambda x: x * x, x), GraphError, "vjp: v can be left out only for a single tensor"),
        (lambda: functional.vjp(lambda x: x, x, ag.ones(3)), ShapeError, r"vjp: v\[0\] has shape \[3\], its tensor"),
        (lambda: functional.jvp(lambda x: x, x, (x, x)), ArgumentError, "jvp: v has 2 tensors, 1 are needed"),
        (
            lambda: functional.jacobian(lambda x: 3, x),
            DTypeError,
            "outputs of the function must be a tensor or a tuple",
        ),
        (lambda: functional.jacobian(lambda x: x, 3), DTypeError, "jacobian: inputs must be a tensor or a tuple"),
        (lambda: functional.jacobian(lambda x: x, x, strategy="x"), ArgumentError, "jacobian: strategy must be"),
        (lambda: functional.jacobian(lambda x: x, x, strategy="forward-mode"), ArgumentError, "wants vectorize=True"),
        (lambda: functional.hessian(lambda x: x, x), ArgumentError, r"hessian: the function must return one element"),
        (lambda: functional.hvp(lambda x: (x, x), x), DTypeError, "hvp: the function must return a tensor, got tuple"),
    ):
        with pytest.raises(error, match=message):
            call()


def test_within_no_grad_and_without_traces():
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    with ag.no_grad():
        assert functional.jacobian(lambda x: x * x, x).tolist() == [[2, 0], [0, 4]]
        assert functional.hvp(lambda x: (x**3).sum(), x, ag.ones(2))[1].tolist() == [6, 12]
    assert x.grad is None


@pytest.mark.parametrize("name", NAMES)
def test_signatures_are_torch_s(torch, name):
    ours, theirs = (
        inspect.signature(getattr(module, name)).parameters.values()
        for module in (functional, torch.autograd.functional)
    )
    assert [(p.name, p.kind, p.default) for p in ours] == [(p.name, p.kind, p.default) for p in theirs]


def test_empty_inputs():
    empty = ag.zeros(0, 2)
    assert functional.jacobian(lambda x: x * 2, empty).shape == (0, 2, 0, 2)
    assert functional.jacobian(lambda x: x.sum(), empty).shape == (0, 2)
    assert functional.jacobian(lambda x: x.sum(), empty, vectorize=True, strategy="forward-mode").shape == (0, 2)
