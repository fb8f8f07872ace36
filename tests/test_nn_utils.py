"""nn.utils: clipping, parameters as a vector, weight and spectral norm, against PyTorch's."""

from __future__ import annotations

import inspect
import math
import warnings

import numpy as np
import pytest
from guarded_memory import guarded, run_alone
from optim_cases import product

import autograd_cnn as ag
from autograd_cnn import nn
from autograd_cnn.errors import ArgumentError, DTypeError, InPlaceError, ShapeError
from autograd_cnn.kernels.cpu import gradients
from autograd_cnn.kernels.cpu.addressed import PART, ArrayTable
from autograd_cnn.kernels.cpu.jit import GRAIN
from autograd_cnn.nn import utils

SHAPES = [(3, 4), (5,), (), (2, 3), (0,), (PART + 3,), (2, GRAIN)]


def gradients_of(seed=0, dtype=np.float32, shapes=SHAPES[:5]):
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.standard_normal(shape), dtype) for shape in shapes]


def with_gradients(t, arrays):
    params = [t.zeros(a.shape, dtype=getattr(t, str(a.dtype)), requires_grad=True) for a in arrays]
    for p, g in zip(params, arrays, strict=True):
        p.grad = t.tensor(g)
    return [*params, t.ones(3, requires_grad=True)]  # the last has none


def compare(ours, theirs, rtol=1e-6):
    for p, q in zip(ours, theirs, strict=True):
        assert (p.grad is None) == (q.grad is None)
        if p.grad is not None:
            np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=rtol, atol=1e-30)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("norm_type", [2, 1, 3.5, math.inf, 0.5])
@pytest.mark.parametrize("max_norm", [1e-3, 2.0, 1e6])
def test_clip_grad_norm(torch, norm_type, max_norm, dtype):
    shapes = SHAPES if norm_type == 2 else SHAPES[:4]  # there is no largest element of nothing
    arrays = gradients_of(dtype=dtype, shapes=shapes)
    ours, theirs = with_gradients(ag, arrays), with_gradients(torch, arrays)
    total = utils.clip_grad_norm_((p for p in ours), max_norm, norm_type)
    expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    assert total.dtype == dtype
    np.testing.assert_allclose(total.numpy(), expected.numpy(), rtol=1e-6)
    compare(ours, theirs)
    value = utils.get_total_norm([p.grad for p in ours[:-1]], norm_type)
    np.testing.assert_allclose(value.item(), min(expected.item(), max_norm), rtol=1e-3)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_clipping_what_is_not_finite(torch, value):
    arrays = gradients_of()
    arrays[0][1, 2] = value
    ours, theirs = with_gradients(ag, arrays), with_gradients(torch, arrays)
    with pytest.raises(ArgumentError, match=r"the norm of order 2 is (nan|inf); error_if_nonfinite=False"):
        utils.clip_grad_norm_(ours, 1.0, error_if_nonfinite=True)
    compare(ours, with_gradients(torch, arrays))
    utils.clip_grad_norm_(ours, 1.0)
    torch.nn.utils.clip_grad_norm_(theirs, 1.0)
    compare(ours, theirs)
    ours, theirs = with_gradients(ag, arrays), with_gradients(torch, arrays)
    utils.clip_grad_value_(ours, 0.5)
    torch.nn.utils.clip_grad_value_(theirs, 0.5)
    compare(ours, theirs)


def test_clip_grad_value(torch):
    for arrays in (gradients_of(), gradients_of(shapes=SHAPES), gradients_of(dtype=np.float64)):
        ours, theirs = with_gradients(ag, arrays), with_gradients(torch, arrays)
        utils.clip_grad_value_(iter(ours), 0.5)
        torch.nn.utils.clip_grad_value_(theirs, 0.5)
        compare(ours, theirs, 0)


def test_gradients_of_several_dtypes_and_layouts(torch):
    arrays = [np.float32([[3.0, 4.0], [1.0, -2.0]]), np.float64([5.0, -0.5])]
    ours, theirs = with_gradients(ag, arrays), with_gradients(torch, arrays)
    for params in (ours, theirs):
        params[0].grad = params[0].grad.T
    total, expected = (u.clip_grad_norm_(p, 0.5) for u, p in ((utils, ours), (torch.nn.utils, theirs)))
    assert total.item() == pytest.approx(expected.item())
    compare(ours, theirs)
    assert not ours[0].grad.is_contiguous()


def test_one_tensor_none_and_no_gradient():
    p = ag.zeros(2, requires_grad=True)
    assert utils.clip_grad_norm_(p, 1.0).item() == 0
    assert utils.clip_grad_norm_([], 1.0).item() == 0
    with pytest.warns(UserWarning, match="the generator of parameters is empty"):
        utils.clip_grad_norm_((q for q in []), 1.0)
    p.grad = ag.tensor([3.0, 4.0])
    before = p.grad
    with pytest.warns(FutureWarning, match="call clip_grad_norm_"):
        assert utils.clip_grad_norm(p, 2.5).item() == 5
    assert p.grad is before
    np.testing.assert_allclose(before.tolist(), [1.5, 2.0], rtol=1e-6)


def test_a_gradient_used_before_it_was_clipped():
    p, w = ag.ones(2, requires_grad=True), ag.ones(2, requires_grad=True)
    p.grad = ag.tensor([3.0, 4.0])
    y = (p.grad * w).sum()
    utils.clip_grad_norm_(p, 1.0)
    with pytest.raises(InPlaceError, match="clip_grad_norm_"):
        y.backward()
    p.grad = ag.ones(1).expand(2)
    with pytest.raises(InPlaceError, match="clip_grad_value_: a gradient is expanded"):
        utils.clip_grad_value_(p, 0.5)
    with pytest.raises(DTypeError, match="expected tensors, got int"):
        utils.clip_grad_norm_([3], 1.0)


def changed(tables):
    """What the kernels make of arrays, and the sums of squares."""
    sums = []
    for table in tables:
        sums.append(np.array(gradients.sum_of_squares(table)))
        gradients.clamp_all(table, -0.7, 0.9)
        gradients.scale_all(table, 0.3)
    return [*sums, *(array for table in tables for array in table.columns[0])]


def test_same_bits_for_every_thread_count(same_bits):
    same_bits(lambda: changed([ArrayTable([gradients_of(shapes=SHAPES)])]))


def test_sums_of_squares_are_exact_to_double_precision():
    for shapes in (SHAPES, [(PART,), (1,), (PART - 1,), (3 * PART + 1,), (7,)], [(GRAIN * 3,)]):
        arrays = gradients_of(shapes=shapes)
        exact = math.fsum(float(x) ** 2 for a in arrays for x in a.ravel())
        assert gradients.sum_of_squares(ArrayTable([arrays])) == pytest.approx(exact, rel=1e-13)


def of_vectors(size, dtype, inside=lambda a: a):
    rng = np.random.default_rng(size)
    x, y = (inside(rng.standard_normal(size).astype(dtype)) for _ in range(2))
    product = gradients.dot_of(x, y)
    gradients.add_scaled(x, y, 0.3)
    return [np.array(product), x]


@pytest.mark.parametrize("size", [0, 1, PART, PART + 1, 2 * GRAIN + 3])
def test_products_and_sums_of_vectors(size):
    rng = np.random.default_rng(size)
    x, y = (rng.standard_normal(size) for _ in range(2))
    product, total = of_vectors(size, np.float64)
    assert product == pytest.approx(math.fsum((x * y).tolist()), rel=1e-12, abs=1e-12)
    np.testing.assert_allclose(total, x + 0.3 * y, rtol=1e-13, atol=1e-15)
    x, y = x.astype(np.float32), y.astype(np.float32)
    product, total = of_vectors(size, np.float32)
    assert product == pytest.approx(math.fsum((x.astype(float) * y).tolist()), rel=1e-12, abs=1e-12)
    np.testing.assert_allclose(total, x + np.float32(0.3) * y, rtol=1e-6, atol=1e-7)


def test_vectors_have_the_same_bits_for_every_thread_count(same_bits):
    same_bits(lambda: of_vectors(3 * GRAIN + 5, np.float32))


def in_guarded_memory():
    for dtype in (np.float32, np.float64):
        for size in (1, PART + 3, 2 * GRAIN + 1):
            for side in ("before", "after"):
                found = of_vectors(size, dtype, lambda a, side=side: guarded(a, side))
                for a, b in zip(found, of_vectors(size, dtype), strict=True):
                    assert a.tobytes() == b.tobytes()
    for dtype in (np.float32, np.float64):
        for side in ("before", "after"):
            arrays = gradients_of(shapes=SHAPES, dtype=dtype)
            inside = [guarded(a, side) if a.size else a for a in arrays]
            expected = changed([ArrayTable([[a.copy() for a in arrays]])])
            for a, b in zip(changed([ArrayTable([inside])]), expected, strict=True):
                assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("check_bounds", [False, True])
def test_nothing_outside_the_arrays_is_touched(check_bounds):
    child = run_alone("test_nn_utils", "in_guarded_memory", check_bounds)
    assert child.stdout == "finished\n", child.stderr


def test_parameters_as_a_vector(torch):
    layer = nn.Linear(3, 2)
    vector = utils.parameters_to_vector(layer.parameters())
    assert vector.tolist() == [*layer.weight.reshape(-1).tolist(), *layer.bias.tolist()]
    (vector * ag.arange(8.0)).sum().backward()
    assert layer.bias.grad.tolist() == [6, 7]
    target = ag.arange(9.0)
    utils.vector_to_parameters(target, layer.parameters())
    assert layer.weight.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert layer.bias.tolist() == [6, 7]
    assert isinstance(layer.weight, nn.Parameter)
    target[0] = 9.0  # they are views, as PyTorch's
    assert layer.weight[0, 0].item() == 9
    with pytest.raises(ShapeError, match=r"needs a vector of 8 elements, got shape \[7\]"):
        utils.vector_to_parameters(ag.zeros(7), layer.parameters())
    with pytest.raises(DTypeError, match="vec must be a tensor, got list"):
        utils.vector_to_parameters([1.0], layer.parameters())
    assert layer.bias.tolist() == [6, 7]


def test_l1_penalty():
    p, q = ag.tensor([1.0, -2.0, 0.0], requires_grad=True), ag.tensor([[-3.0]], requires_grad=True)
    total = utils.l1_penalty(iter([p, q]))
    total.backward()
    assert total.item() == 6
    assert p.grad.tolist() == [1, -1, 0]
    assert q.grad.tolist() == [[-1]]
    assert utils.l1_penalty(p).item() == 3
    assert utils.l1_penalty([]).item() == 0


# Weight and spectral norm

LAYERS = [
    ("Linear", (4, 3), (5, 4)),
    ("Conv2d", (2, 3, 3), (2, 2, 5, 5)),
    ("ConvTranspose2d", (2, 3, 3), (2, 2, 5, 5)),
    ("Conv1d", (2, 3, 3), (2, 2, 5)),
]


def pair(torch, kind, sizes):
    ours, theirs = getattr(nn, kind)(*sizes).double(), getattr(torch.nn, kind)(*sizes).double()
    ours.load_state_dict({name: value.numpy() for name, value in theirs.state_dict().items()})
    return ours, theirs


def quiet(f, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return f(*args, **kwargs)


def same_states(ours, theirs):
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state)
    for name, value in ours.state_dict().items():
        np.testing.assert_allclose(value.numpy(), state[name].numpy(), rtol=1e-9, atol=1e-12, err_msg=name)


def train(torch, ours, theirs, shape, steps=3):
    a, b = ag.optim.SGD(ours.parameters(), 0.1), torch.optim.SGD(theirs.parameters(), 0.1)
    for step in range(steps):
        x = np.random.default_rng(step).standard_normal(shape)
        for t, model, optimizer in ((ag, ours, a), (torch, theirs, b)):
            optimizer.zero_grad()
            (model(t.tensor(x)) ** 2).sum().backward()
            optimizer.step()
        same_states(ours, theirs)
    x = np.random.default_rng(9).standard_normal(shape)
    for mode in (True, False):
        ours.train(mode)
        theirs.train(mode)
        y, z = ours(ag.tensor(x)), theirs(torch.tensor(x))
        np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("kind", "sizes", "shape"), LAYERS)
@pytest.mark.parametrize("dim", [0, 1, None])
def test_weight_norm(torch, kind, sizes, shape, dim):
    ours, theirs = pair(torch, kind, sizes)
    assert quiet(utils.weight_norm, ours, dim=dim) is ours
    quiet(torch.nn.utils.weight_norm, theirs, dim=dim)
    same_states(ours, theirs)
    train(torch, ours, theirs, shape)
    other = quiet(utils.weight_norm, getattr(nn, kind)(*sizes).double(), dim=dim)
    other.load_state_dict({name: value.numpy() for name, value in theirs.state_dict().items()})
    same_states(other, theirs)
    utils.remove_weight_norm(ours)
    torch.nn.utils.remove_weight_norm(theirs)
    assert [name for name, _ in ours.named_parameters()] == [name for name, _ in theirs.named_parameters()]
    train(torch, ours, theirs, shape)


@pytest.mark.parametrize(("kind", "sizes", "shape"), LAYERS)
@pytest.mark.parametrize("settings", product(n_power_iterations=[1, 3], dim=[None, 1]))
def test_spectral_norm(torch, kind, sizes, shape, settings):
    ours, theirs = pair(torch, kind, sizes)
    assert utils.spectral_norm(ours, **settings) is ours
    torch.nn.utils.spectral_norm(theirs, **settings)
    ours.load_state_dict({name: value.numpy() for name, value in theirs.state_dict().items()})
    train(torch, ours, theirs, shape)
    ours.train()
    theirs.train()
    x = np.random.default_rng(1).standard_normal(shape)
    results = []
    for t, model in ((ag, ours), (torch, theirs)):  # two passes, as in generative adversarial networks
        model.zero_grad()
        (model(t.tensor(x)) - model(t.tensor(x[::-1].copy())) ** 2).sum().backward()
        results.append(model.weight_orig.grad.numpy())
    np.testing.assert_allclose(*results, rtol=1e-9, atol=1e-12)
    utils.remove_spectral_norm(ours)
    torch.nn.utils.remove_spectral_norm(theirs)
    same_states(ours, theirs)
    train(torch, ours, theirs, shape)


def test_the_spectral_norm_becomes_one():
    layer = utils.spectral_norm(nn.Linear(6, 4), n_power_iterations=1000)
    layer(ag.zeros(1, 6))
    assert np.linalg.norm(layer.weight.detach().numpy(), 2) == pytest.approx(1, rel=1e-3)


def test_norm_errors():
    layer = quiet(utils.weight_norm, nn.Linear(2, 2))
    for call, message in (
        (lambda: quiet(utils.weight_norm, layer), "weight_norm: weight of Linear has a weight norm already"),
        (lambda: quiet(utils.weight_norm, nn.ReLU()), "weight_norm: ReLU has no parameter 'weight'"),
        (lambda: utils.remove_weight_norm(nn.Linear(2, 2)), "weight of Linear has no weight norm"),
        (lambda: utils.spectral_norm(nn.ReLU()), "spectral_norm: ReLU has no parameter 'weight'"),
        (lambda: utils.spectral_norm(utils.spectral_norm(nn.Linear(2, 2))), "has a spectral norm already"),
        (lambda: utils.spectral_norm(nn.Linear(2, 2), n_power_iterations=0), "n_power_iterations must be at least 1"),
        (lambda: utils.remove_spectral_norm(nn.Linear(2, 2)), "weight of Linear has no spectral norm"),
    ):
        with pytest.raises(ArgumentError, match=message):
            call()
    with pytest.warns(FutureWarning, match="weight_norm is out of use"):
        utils.weight_norm(nn.Linear(2, 2))


@pytest.mark.parametrize(
    "name",
    [
        "clip_grad_norm_",
        "clip_grad_value_",
        "clip_grads_with_norm_",
        "get_total_norm",
        "parameters_to_vector",
        "vector_to_parameters",
        "weight_norm",
        "remove_weight_norm",
        "spectral_norm",
        "remove_spectral_norm",
    ],
)
def test_signatures_are_torch_s(torch, name):
    ours, theirs = (inspect.signature(getattr(u, name)).parameters.values() for u in (utils, torch.nn.utils))
    assert [(p.name, p.kind, p.default) for p in ours] == [(p.name, p.kind, p.default) for p in theirs]
