"""What cannot change - read-only memory, expanded tensors, those of inference mode - is refused before anything has."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn import nn
from autograd_cnn.errors import InPlaceError, StateDictError
from autograd_cnn.nn import functional as F
from autograd_cnn.nn import init
from autograd_cnn.random import default_generator

SIZE = 40  # by 40


def frozen(array: np.ndarray) -> Any:
    array.flags.writeable = False
    return ag.from_numpy(array)


def of_inference(array: np.ndarray) -> Any:
    with ag.inference_mode():
        return ag.tensor(array).clone()


MAKERS = {
    "on read-only memory": lambda: frozen(np.linspace(-2, 2, SIZE * SIZE, dtype=np.float32).reshape(SIZE, SIZE)),
    "expanded": lambda: ag.linspace(-2, 2, SIZE).expand(SIZE, SIZE),
    "expanded along rows": lambda: ag.linspace(-2, 2, SIZE).unsqueeze(1).expand(SIZE, SIZE),
    "made in inference_mode": lambda: of_inference(np.linspace(-2, 2, SIZE * SIZE, dtype=np.float32).reshape(SIZE, -1)),
    "part of read-only memory": lambda: frozen(np.zeros((SIZE, 2 * SIZE), np.float32))[:, ::2],
}
ROWS = ag.tensor([0, 3])
PLACES = ROWS.unsqueeze(1).expand(2, SIZE)
# These take the shape of a view of themselves, or leave the graph: no number changes.
NO_CHANGE = {"detach_", "requires_grad_", "squeeze_", "unsqueeze_", "t_", "transpose_", "swapaxes_", "swapdims_"}
METHODS = {name for name in dir(ag.Tensor) if name.endswith("_") and not name.endswith("__")} - NO_CHANGE


def called(name: str) -> Callable[[Any], Any]:
    """The method with as many arguments as it needs: tensors like its own, or a dim."""
    needed = [p for p in signature(getattr(ag.Tensor, name)).parameters.values() if p.default is p.empty][1:]
    plain = [p.name for p in needed if p.kind is p.POSITIONAL_OR_KEYWORD]
    return lambda x: getattr(x, name)(*(0 if p == "dim" else ag.ones(SIZE, SIZE) for p in plain))


CHANGES: dict[str, Callable[[Any], Any]] = {
    "copy_": lambda x: x.copy_(ag.zeros(SIZE)),
    "copy_ number": lambda x: x.copy_(3),
    "clamp_": lambda x: x.clamp_(0, 1),
    "clip_": lambda x: x.clip_(0, 1),
    "geometric_": lambda x: x.geometric_(0.5),
    "zero_": lambda x: x.zero_(),
    "fill_": lambda x: x.fill_(2),
    "fill_ tensor": lambda x: x.fill_(ag.tensor(2.0)),
    "add_": lambda x: x.add_(ag.ones(SIZE, SIZE)),
    "add_ number": lambda x: x.add_(1),
    "sub_ broadcast": lambda x: x.sub_(ag.ones(SIZE)),
    "+=": lambda x: x.__iadd__(1),
    "**=": lambda x: x.__ipow__(2),
    "detached add_": lambda x: x.detach().add_(1),
    "x[1:]": lambda x: x.__setitem__(slice(1, None), 0.0),
    "x[rows]": lambda x: x.__setitem__(ROWS, ag.ones(2, SIZE)),
    "x[mask]": lambda x: x.__setitem__(x > 1, 0.0),
    "x[:, rows]": lambda x: x.__setitem__((slice(None), ROWS), 0.0),
    "index_put_": lambda x: x.index_put_((ROWS,), ag.ones(2, SIZE)),
    "index_put_ accumulate": lambda x: x.index_put_((ROWS,), ag.ones(2, SIZE), accumulate=True),
    "scatter_add_": lambda x: x.scatter_add_(0, PLACES, ag.ones(2, SIZE)),
    "scatter_": lambda x: x.scatter_(0, PLACES, ag.ones(2, SIZE)),
    "scatter_reduce_": lambda x: x.scatter_reduce_(0, PLACES, ag.ones(2, SIZE), "amax"),
    "index_add_": lambda x: x.index_add_(0, ROWS, ag.ones(2, SIZE)),
    "index_copy_": lambda x: x.index_copy_(0, ROWS, ag.ones(2, SIZE)),
    "index_fill_": lambda x: x.index_fill_(0, ROWS, 1.0),
    "masked_fill_": lambda x: x.masked_fill_(x > 1, 0.0),
    "masked_scatter_": lambda x: x.masked_scatter_(x > 1, ag.ones(SIZE, SIZE)),
    "fill_diagonal_": lambda x: x.fill_diagonal_(1.0),
    "F.relu": lambda x: F.relu(x, inplace=True),
    "F.leaky_relu": lambda x: F.leaky_relu(x, 0.1, inplace=True),
    "F.dropout": lambda x: F.dropout(x, 0.5, training=True, inplace=True),
    "uniform_": init.uniform_,
    "normal_": init.normal_,
    "trunc_normal_": init.trunc_normal_,
    "constant_": lambda x: init.constant_(x, 0.5),
    "zeros_": init.zeros_,
    "ones_": init.ones_,
    "eye_": init.eye_,
    "xavier_uniform_": init.xavier_uniform_,
    "xavier_normal_": init.xavier_normal_,
    "kaiming_uniform_": init.kaiming_uniform_,
    "kaiming_normal_": init.kaiming_normal_,
    "orthogonal_": init.orthogonal_,
    "dirac_": lambda x: init.dirac_(x.unsqueeze(2)),
}


CHANGES |= {name: called(name) for name in sorted(METHODS - CHANGES.keys())}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", MAKERS)
def test_nothing_is_written(kind: str, change: str) -> None:
    if change == "fill_diagonal_" and kind.startswith("expanded"):
        pytest.skip("no two elements of the diagonal share memory")
    x = MAKERS[kind]()
    before, draws = x.numpy().copy(), default_generator.get_state()
    with pytest.raises(InPlaceError, match=kind.removesuffix(" along rows").removeprefix("part of ")):
        CHANGES[change](x)
    np.testing.assert_array_equal(x.numpy(), before)
    assert x.is_inference() or x._version == 0
    assert default_generator.get_state() == draws, "numbers were drawn for it"


STATISTICS = {
    "on read-only memory": frozen,
    "expanded": lambda array: ag.tensor(array.flat[0]).expand(array.shape),
    "made in inference_mode": of_inference,
}
SPOILT = [
    (name, kind)
    for name in ("running_mean", "running_var", "num_batches_tracked")
    for kind in STATISTICS
    if name != "num_batches_tracked" or kind != "expanded"  # one number cannot be
]


@pytest.mark.parametrize(("name", "kind"), SPOILT)
def test_running_statistics(name: str, kind: str) -> None:
    """Of the three all move or none."""
    layer = nn.BatchNorm2d(3)
    setattr(layer, name, STATISTICS[kind](getattr(layer, name).numpy().copy()))
    before = {key: value.numpy().copy() for key, value in layer.state_dict().items()}
    x = ag.randn(4, 3, 5, 5)
    with pytest.raises(InPlaceError, match=f"batch_norm: {name} .*{kind}"):
        layer(x)
    with pytest.raises(StateDictError, match=f"{name}: cannot be loaded: the model's tensor .*{kind}"):
        layer.load_state_dict({key: value + 3 for key, value in before.items()})
    for key, value in layer.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[key], err_msg=key)
    with pytest.raises(InPlaceError, match=kind):
        layer.reset_running_stats()
    with ag.no_grad():
        layer.eval()(x)  # which only reads them


@pytest.mark.parametrize("kind", ["on read-only memory", "expanded"])
def test_gradients_that_arrive_at_one_that_cannot_change_make_a_new_one(kind: str) -> None:
    x = ag.arange(4, dtype=ag.float32).requires_grad_()
    x.grad = held = STATISTICS[kind](np.ones(4, np.float32))
    (x * x).sum().backward()
    assert x.grad.tolist() == [1, 3, 5, 7]
    assert held.tolist() == [1, 1, 1, 1]
    assert not x.grad.requires_grad


def test_an_element_of_an_expanded_tensor_is_one_place() -> None:
    x = ag.zeros(1).expand(4)
    x[0] = 5.0
    assert x.tolist() == [5, 5, 5, 5]


@pytest.mark.parametrize("kind", ["on read-only memory", "expanded"])
def test_gradients_are_set_to_zero_all_or_none(kind: str) -> None:
    params = [ag.ones(4, requires_grad=True) for _ in range(2)]
    params[0].grad, params[1].grad = ag.ones(4), STATISTICS[kind](np.ones(4, np.float32))
    with pytest.raises(InPlaceError, match=f"SGD.zero_grad: a gradient is {kind}"):
        ag.optim.SGD(params).zero_grad(set_to_none=False)
    assert params[0].grad.tolist() == [1, 1, 1, 1]
