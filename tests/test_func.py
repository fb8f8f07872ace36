"""func: derivatives of functions as functions, and modules as functions of their parameters, against PyTorch's."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from test_autograd_functional import arrays, same

import autograd_cnn as ag
from autograd_cnn import func, nn
from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError, StateDictError


def both(torch, run, rtol=1e-9):
    """Runs a function of a library with ours and with PyTorch's, and compares what it returns."""
    ours, theirs = run(ag), run(torch)
    compare(ours, theirs, rtol)
    return ours


def compare(ours, theirs, rtol):
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys()
        for name in ours:
            compare(ours[name], theirs[name], rtol)
    elif isinstance(theirs, list | tuple):
        assert type(ours) is type(theirs)
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            compare(a, b, rtol)
    elif hasattr(theirs, "shape"):
        same(ours, theirs, rtol)
    else:
        assert ours == theirs


def values(t, *shapes, seed=0):
    return [t.tensor(a) for a in arrays(*shapes, seed=seed)]


def cubic(x, y):
    return (x**3 * y).sum() + (y**2).sum()


CASES = {
    "grad": lambda t, x, y: t.func.grad(cubic)(x, y),
    "grad for the second": lambda t, x, y: t.func.grad(cubic, argnums=1)(x, y),
    "grad for both": lambda t, x, y: t.func.grad(cubic, argnums=(0, 1))(x, y),
    "grad for the last": lambda t, x, y: t.func.grad(cubic, argnums=-1)(x, y),
    "grad with aux": lambda t, x, y: t.func.grad(lambda x: ((x**2).sum(), {"x": x, "n": [x * 3]}), has_aux=True)(x),
    "grad with a keyword": lambda t, x, y: t.func.grad(lambda x, *, k: (x**k).sum())(x, k=3),
    "grad of a tree": lambda t, x, y: t.func.grad(lambda p: (p["a"] * p["b"][0]).sum())({"a": x, "b": [y, y * 2]}),
    "grad and value": lambda t, x, y: t.func.grad_and_value(cubic)(x, y),
    "grad and value with aux": lambda t, x, y: t.func.grad_and_value(lambda x: (x.sum(), x * 2), has_aux=True)(x),
    "grad of grad": lambda t, x, y: t.func.grad(lambda x: t.func.grad(cubic)(x, y).sum())(x),
    "third order": lambda t, x, y: t.func.grad(
        lambda x: t.func.grad(lambda x: t.func.grad(lambda x: (x**4).sum())(x).sum())(x).sum()
    )(x),
    "independent": lambda t, x, y: t.func.grad(lambda x, y: (y * 2).sum())(x, y),
    "jacrev": lambda t, x, y: t.func.jacrev(lambda x, y: x * y.sum())(x, y),
    "jacrev for both": lambda t, x, y: t.func.jacrev(lambda x, y: (x * y, x.sum()), argnums=(0, 1))(x, y),
    "jacrev with aux": lambda t, x, y: t.func.jacrev(lambda x: (x**2, x), has_aux=True)(x),
    "jacrev of trees": lambda t, x, y: t.func.jacrev(lambda p: {"c": p["a"] * p["b"]})({"a": x, "b": y}),
    "jacfwd": lambda t, x, y: t.func.jacfwd(lambda x, y: x * y.sum())(x, y),
    "jacfwd for both": lambda t, x, y: t.func.jacfwd(lambda x, y: (x * y, x.sum()), argnums=(0, 1))(x, y),
    "jacfwd with aux": lambda t, x, y: t.func.jacfwd(lambda x: (x**2, x), has_aux=True)(x),
    "jacrev of jacrev": lambda t, x, y: t.func.jacrev(t.func.jacrev(cubic))(x, y),
    "jacrev of jacfwd": lambda t, x, y: t.func.jacrev(t.func.jacfwd(cubic))(x, y),
    "hessian": lambda t, x, y: t.func.hessian(cubic)(x, y),
    "hessian for both": lambda t, x, y: t.func.hessian(cubic, argnums=(0, 1))(x, y),
    "vjp": lambda t, x, y: t.func.vjp(lambda x, y: x * y, x, y)[1](y),
    "vjp of several": lambda t, x, y: t.func.vjp(lambda x: (x * 2, x.sum()), x)[1]((y, y.sum())),
    "vjp's output": lambda t, x, y: t.func.vjp(lambda x: {"a": x * 2}, x)[0],
    "vjp with aux": lambda t, x, y: t.func.vjp(lambda x: (x * 2, x + 1), x, has_aux=True)[2],
    "vjp twice": lambda t, x, y: [*map(t.func.vjp(lambda x: x.exp(), x)[1], (x, y))],
    "grad through vjp": lambda t, x, y: t.func.grad(lambda x: t.func.vjp(lambda x: x**3, x)[1](y)[0].sum())(x),
    "jvp": lambda t, x, y: t.func.jvp(lambda x, y: x * y, (x, y), (y, x)),
    "jvp of several": lambda t, x, y: t.func.jvp(lambda x: (x * 2, x.sum()), (x,), (y,)),
    "jvp with aux": lambda t, x, y: t.func.jvp(lambda x: (x * 2, x + 1), (x,), (y,), has_aux=True),
    "jvp of grad": lambda t, x, y: t.func.jvp(t.func.grad(lambda x: (x**3).sum()), (x,), (y,)),
    "captured": lambda t, x, y: t.func.grad(lambda x: (x * y).sum())(x),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of PyTorch's forward mode
@pytest.mark.parametrize("case", CASES)
def test_as_torch(torch, case):
    both(torch, lambda t: CASES[case](t, *values(t, (3,), (3,))))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "case", ["grad", "grad for both", "grad of grad", "jacrev", "jacfwd", "hessian", "vjp", "jvp", "captured"]
)
def test_results_know_what_is_outside(torch, case):
    def run(t):
        x, y = (value.requires_grad_() for value in values(t, (3,), (3,)))
        result = CASES[case](t, x, y)
        leaves = result if isinstance(result, tuple) else (result,)
        sum((leaf**2).sum() for leaf in leaves).backward()
        with t.no_grad():
            alone = CASES[case](t, x, y)
        found = [
            t.zeros_like(z) + (0 if z.grad is None else z.grad) for z in (x, y)
        ]  # independent of it: None or zeros
        return [result, *found, alone]

    both(torch, run)


def test_nothing_is_kept_where_nothing_outside_needs_it():
    x = ag.tensor([1.0, 2.0])
    for result in (func.grad(lambda x: (x**2).sum())(x), *func.vjp(lambda x: x * 2, x)[1](x), func.jacrev(ag.sin)(x)):
        assert not result.requires_grad
    assert x.grad is None
    assert not func.vjp(lambda x: x * 2, x)[0].requires_grad


def test_errors():
    x = ag.ones(2)
    for call, error, message in (
        (lambda: func.grad(lambda x: x)(x), ArgumentError, r"must return a tensor without dimensions, got shape \[2\]"),
        (lambda: func.grad(lambda x: 3)(x), DTypeError, "grad: the function must return a tensor, got int"),
        (lambda: func.grad(lambda x: x.sum(), 1)(x), ArgumentError, "argnums has 1, the function was called with 1"),
        (lambda: func.grad(lambda x: x.sum())(3), DTypeError, "can differentiate for floating point tensors, got int"),
        (lambda: func.grad(lambda x: x.sum())(ag.arange(3)), DTypeError, "floating point tensors, got int64"),
        (lambda: func.grad(lambda x: x.sum(), has_aux=True)(x), DTypeError, r"must return \(output, aux\)"),
        (lambda: func.vjp(lambda x: x, x)[1](ag.ones(3)), ShapeError, r"cotangents\[0\] must have shape \[2\]"),
        (lambda: func.vjp(lambda x: x, x)[1]((x, x)), ArgumentError, "cotangents have 2 tensors, 1 are needed"),
        (lambda: func.jvp(lambda x: x, x, x), DTypeError, "jvp: primals and tangents must be tuples"),
        (lambda: func.jvp(lambda x: x.detach(), (x,), (x,), strict=True), ArgumentError, "does not depend on the prim"),
        (lambda: func.jacrev(lambda x: 3)(x), DTypeError, "jacrev: the function must return tensors, got int"),
    ):
        with pytest.raises(error, match=message):
            call()


# functional_call


def networks(torch):
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2)).double()
    ours = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).double()
    ours.load_state_dict({name: value.numpy() for name, value in theirs.state_dict().items()})
    return {ag: ours, torch: theirs}


def test_functional_call(torch):
    models = networks(torch)

    def run(t):
        model = models[t]
        parameters = {name: p.detach() * 2 for name, p in model.named_parameters()}
        buffers = {name: b.clone() for name, b in model.named_buffers()}
        (x,) = values(t, (5, 3))

        def loss(parameters, x):
            return (t.func.functional_call(model, (parameters, buffers), (x,)) ** 2).sum()

        before = dict(model.named_parameters())
        t.func.functional_call(model, (parameters, buffers), (x,))  # changes the buffers
        model.eval()
        found = t.func.grad(loss)(parameters, x)
        assert all(p is before[name] for name, p in model.named_parameters())
        assert all(p.grad is None for p in model.parameters())
        some = t.func.functional_call(model, {"0.bias": parameters["0.bias"]}, x, {})
        return [found, some, buffers, list(model.buffers())]

    both(torch, run)


def test_functional_call_restores_after_an_error_and_checks_names(torch):
    layer = nn.Linear(2, 2)
    weight = layer.weight
    with pytest.raises(ShapeError):
        func.functional_call(layer, {"weight": ag.ones(2, 2)}, ag.ones(1, 3))
    assert layer.weight is weight
    assert layer._parameters["weight"] is weight
    for call, error, message in (
        (lambda: func.functional_call(layer, [{"bias": ag.ones(2)}] * 2, ()), ArgumentError, "bias are in more than"),
        (lambda: func.functional_call(layer, {"bias": 3}, ()), DTypeError, "bias must be a tensor, got int"),
        (
            lambda: func.functional_call(layer, {"x": ag.ones(1)}, (), strict=True),
            StateDictError,
            r"missing \['bias', 'weight'\], unknown \['x'\]",
        ),
    ):
        with pytest.raises(error, match=message):
            call()


def test_tied_weights(torch):
    def run(t):
        model = t.nn.Sequential(t.nn.Linear(2, 2, bias=False), t.nn.Linear(2, 2, bias=False)).double()
        model[1].weight = model[0].weight
        weight, x = values(t, (2, 2), (1, 2))
        plain = t.nn.Sequential(t.nn.Linear(2, 2, bias=False), t.nn.Linear(2, 2, bias=False)).double()
        loose = t.func.functional_call(plain, {"0.weight": weight, "1.weight": weight.T}, x, tie_weights=False)
        return [t.func.functional_call(model, {"0.weight": weight}, x), loose]

    both(torch, run)


def test_stacked_state(torch):
    models = [networks(torch) for _ in range(3)]
    x = values(ag, (5, 3))[0]

    def run(t):
        return t.func.stack_module_state([each[t] for each in models])

    parameters, buffers = both(torch, run)
    call = lambda p, b: func.functional_call(models[0][ag].eval(), (p, b), (x,))  # noqa: E731
    together = func.vmap(call)(parameters, buffers)
    for each, y in zip(models, together, strict=True):
        np.testing.assert_allclose(each[ag].eval()(x).detach().numpy(), y.detach().numpy(), rtol=1e-9)
    with pytest.raises(ArgumentError, match="modules must be of one class"):
        func.stack_module_state([nn.Linear(1, 1), nn.ReLU()])
    with pytest.raises(ArgumentError, match="needs at least one module"):
        func.stack_module_state([])


# vmap

VMAPS = {
    "dot": lambda t, x, y: t.func.vmap(t.dot)(x, y),
    "shared": lambda t, x, y: t.func.vmap(t.mul, in_dims=(0, None))(x, y),
    "other dims": lambda t, x, y: t.func.vmap(lambda a, b: a * b, in_dims=1, out_dims=1)(x, y),
    "negative": lambda t, x, y: t.func.vmap(lambda a, b: a * b, in_dims=-1, out_dims=-1)(x, y),
    "one number for all": lambda t, x, y: t.func.vmap(lambda a, b: (a, b.sum()), in_dims=1, out_dims=(1, 0))(x, y),
    "trees": lambda t, x, y: t.func.vmap(lambda d: {"s": d["a"] + d["b"][0]}, in_dims=({"a": 0, "b": [1]},))(
        {"a": x, "b": [y.T]}
    ),
    "gradients of samples": lambda t, x, y: t.func.vmap(t.func.grad(cubic), in_dims=(0, None))(x, y[0]),
    "within another": lambda t, x, y: t.func.vmap(t.func.vmap(lambda a, b: a * b))(x, y),
    "grad through it": lambda t, x, y: t.func.grad(lambda x: t.func.vmap(t.dot)(x, y).sum())(x),
    "by its other name": lambda t, x, y: t.vmap(lambda a, k: a * k, in_dims=(0, None))(x, 3),
}


@pytest.mark.parametrize("case", VMAPS)
def test_vmap_as_torch(torch, case):
    both(torch, lambda t: VMAPS[case](t, *values(t, (4, 3), (4, 3))))


def test_vmap_and_random_numbers():
    x = ag.zeros(3, 2)
    draw = lambda x: x + ag.rand(2)  # noqa: E731
    with pytest.raises(ArgumentError, match="vmap: the function drew random numbers"):
        func.vmap(draw)(x)
    same_for_all = func.vmap(draw, randomness="same")(x)
    assert (same_for_all == same_for_all[0]).all()
    different = func.vmap(draw, randomness="different")(x)
    assert (different != different[0]).any()


def test_vmap_errors():
    x = ag.ones(3, 2)
    for call, error, message in (
        (lambda: func.vmap(ag.sin, randomness="x"), ArgumentError, "randomness must be 'error', 'different' or 'same'"),
        (lambda: func.vmap(ag.sin, in_dims=None)(x), ArgumentError, "no argument has a dimension to be sliced along"),
        (lambda: func.vmap(ag.add)(x, x.T), ShapeError, r"agree in the size they are sliced along, got \[2, 3\]"),
        (lambda: func.vmap(ag.sin, in_dims=2)(x), ArgumentError, r"in_dims has 2 for a tensor of shape \[3, 2\]"),
        (
            lambda: func.vmap(ag.sin, in_dims=(0, 0))(x),
            ArgumentError,
            "in_dims must have the form of what they are for",
        ),
        (lambda: func.vmap(lambda x: 3)(x), DTypeError, "the function must return tensors, got int"),
        (lambda: func.vmap(lambda x: x)(3), DTypeError, "cannot slice int; its in_dims must be None"),
        (lambda: func.vmap(ag.sin)(ag.ones(0, 2)), ShapeError, "there are no slices"),
    ):
        with pytest.raises(error, match=message):
            call()


@pytest.mark.parametrize("name", ["grad", "grad_and_value", "jacrev", "jacfwd", "hessian", "vjp", "jvp", "vmap"])
def test_signatures_are_torch_s(torch, name):
    ours, theirs = (inspect.signature(getattr(f, name)).parameters.values() for f in (func, torch.func))
    assert [(p.name, p.kind, p.default) for p in ours] == [(p.name, p.kind, p.default) for p in theirs]


@pytest.mark.parametrize("name", ["functional_call", "stack_module_state"])
def test_signatures_for_modules_are_torch_s(torch, name):
    ours, theirs = (inspect.signature(getattr(f, name)).parameters.values() for f in (func, torch.func))
    assert [(p.name, p.kind, p.default) for p in ours] == [(p.name, p.kind, p.default) for p in theirs]
