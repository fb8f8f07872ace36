"""Gradients that the user's code makes, keeps or returns: hooks, Functions, own ops. None may corrupt another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import autograd_cnn as ag
from autograd_cnn.autograd import Function, Op, apply
from autograd_cnn.errors import ArgumentError, DTypeError, GraphError, ShapeError
from autograd_cnn.nn.functional import batch_norm, conv2d, linear
from autograd_cnn.ops.fused import conv2d_relu, linear_relu


def leaf() -> Any:
    return ag.tensor([1.0, 2.0, 3.0], requires_grad=True)


class Sum2(Function):
    """Returns one tensor as the gradient of both inputs."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        return x + y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        doubled = g * 2
        return doubled, doubled


def test_one_gradient_returned_for_two_inputs_is_accumulated_apart() -> None:
    x, y = leaf(), leaf()
    for _ in range(3):
        Sum2.apply(x, y).sum().backward()
    assert x.grad.tolist() == y.grad.tolist() == [6, 6, 6]


def test_a_gradient_that_a_function_keeps_is_not_added_to() -> None:
    constant = ag.ones(3)

    class Straight(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.round()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return constant

    x = leaf()
    for _ in range(3):
        Straight.apply(x).sum().backward()
    assert x.grad.tolist() == [3, 3, 3]
    assert constant.tolist() == [1, 1, 1]


def test_a_gradient_that_an_op_keeps_is_not_added_to() -> None:
    constant = ag.ones(3)

    class Straight(Op):
        inputs = ("x",)

        def infer(self, x: Any) -> Any:
            return x.shape, x.dtype

        def compute(self, k: Any, out: Any, x: Any) -> None:
            k.copy(x, out)

        def vjp_x(self, g: Any) -> Any:
            return constant

    x = leaf()
    for _ in range(3):
        apply(Straight(), x).sum().backward()
    assert x.grad.tolist() == [3, 3, 3]
    assert constant.tolist() == [1, 1, 1]


def test_what_a_hook_keeps_stays_as_it_was() -> None:
    x, seen = leaf(), []
    x.register_hook(seen.append)
    for _ in range(3):
        (x * x).sum().backward()
    assert [g.tolist() for g in seen] == [[2, 4, 6]] * 3
    assert x.grad.tolist() == [6, 12, 18]


def test_retained_gradients_accumulate() -> None:
    y = leaf() * 2
    y.retain_grad()
    loss = (y * y).sum()
    loss.backward(retain_graph=True)
    loss.backward()
    assert y.grad.tolist() == [8, 16, 24]


@pytest.mark.parametrize("inner", [False, True])
@pytest.mark.parametrize(
    ("hook", "error", "message"),
    [
        (lambda g: g[:2], ShapeError, r"float32\[3\], returned float32\[2\]"),
        (lambda g: g.double(), ShapeError, r"float32\[3\], returned float64\[3\]"),
        (lambda g: 5, DTypeError, "must return a tensor or None, got int"),
    ],
)
def test_a_hook_that_returns_no_such_gradient(
    hook: Callable[..., Any], error: type[Exception], message: str, inner: bool
) -> None:
    x = leaf()
    y = x * 1
    (y if inner else x).register_hook(hook)
    with pytest.raises(error, match=f"hook .*{message}"):
        y.sum().backward()
    assert x.grad is None


@pytest.mark.parametrize("gradient", [1.0, [1.0, 1.0, 1.0], "ones"])
def test_a_seed_that_is_no_tensor(gradient: Any) -> None:
    x = leaf()
    with pytest.raises((DTypeError, ArgumentError), match="gradient"):
        (x * 2).backward(gradient)
    assert x.grad is None


def test_roots_and_inputs_that_are_no_tensors() -> None:
    x = leaf()
    with pytest.raises(DTypeError, match="grad: inputs: takes tensors, got float"):
        ag.autograd.grad(x.sum(), 1.0)
    with pytest.raises(DTypeError, match="backward: tensors: takes tensors, got str"):
        ag.autograd.backward(["x"])
    with pytest.raises(ArgumentError, match="grad: inputs is empty"):
        ag.autograd.grad(x.sum(), [])


def test_backward_of_a_function_meets_a_gradient_for_each_result() -> None:
    class Parts(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            positive = x > 2
            ctx.mark_non_differentiable(positive)
            return positive, x * 2, "note"

        @staticmethod
        def backward(ctx: Any, g_positive: Any, g: Any, g_note: Any) -> Any:
            assert g_positive.tolist() == [False] * 3
            assert g_note is None
            return g * 2, None, None  # PyTorch lets Nones go that no argument asks for

    x = leaf()
    positive, y, note = Parts.apply(x)
    assert not positive.requires_grad
    assert note == "note"
    y.sum().backward()
    assert x.grad.tolist() == [2, 2, 2]


def test_setup_context_takes_the_place_of_the_context_in_forward() -> None:
    class Scale(Function):
        @staticmethod
        def forward(x: Any, factor: float) -> Any:  # type: ignore[override]
            return x * factor

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
            _, ctx.factor = inputs

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * ctx.factor, None

    x = leaf()
    Scale.apply(x, 3.0).sum().backward()
    assert x.grad.tolist() == [3, 3, 3]


def test_too_many_gradients_from_a_function() -> None:
    class Twice(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g, g

    with pytest.raises(GraphError, match="each of the 1 arguments of forward, returned 2"):
        Twice.apply(leaf()).sum().backward()


def test_a_gradient_that_others_hold_is_not_written_over() -> None:
    """relu writes its gradient where the incoming one lies, but only where nobody else can see that."""
    x = ag.randn(300, 400, requires_grad=True)
    seen = []
    y = x * 2
    z = y.relu()
    w = z * 3
    w.retain_grad()
    z.register_hook(seen.append)
    seed = ag.ones(300, 400)
    w.backward(seed)
    positive = (x.detach() > 0).float()
    assert (seed == 1).all()
    assert (w.grad == 1).all()
    assert (seen[0] == 3).all()
    assert (x.grad == 6 * positive).all()

    x.grad = None
    z = x.relu()
    z.backward(seed)  # the seed itself arrives at relu
    assert (seed == 1).all()
    assert (x.grad == positive).all()

    x.grad = None
    z = (x * 1).relu()
    (z + z.relu()).backward(seed)  # one gradient for two inputs
    assert (seed == 1).all()
    assert (x.grad == 2 * positive).all()

    inputs = [ag.randn(64, 8, 16, 16, requires_grad=True), ag.randn(8, requires_grad=True)]
    seed = ag.randn(64, 8, 16, 16)
    given, expected = seed.clone(), None
    for held in (True, False):  # batch norm, with the seed itself and with a gradient that nobody holds
        y = batch_norm(inputs[0] * 1, None, None, *inputs[1:], training=True)
        found = ag.autograd.grad(y if held else y * 1, inputs, seed)
        assert (seed == given).all()
        expected = expected or found
        assert all((one == other).all() for one, other in zip(found, expected, strict=True))

    x.grad, seed = None, ag.ones(300, 400)
    z = (x * 1).relu() * 3
    for count in (1, 2):  # a graph that is kept
        z.backward(seed, retain_graph=True)
        assert (x.grad == count * 3 * positive).all()


@pytest.mark.parametrize(
    ("function", "layer", "identity", "shapes"),
    [
        (conv2d_relu, conv2d, ag.eye(4).reshape(4, 4, 1, 1), [(16, 3, 32, 32), (4, 3, 3, 3), (4,)]),
        (linear_relu, linear, ag.eye(100), [(400, 20), (100, 20), (100,)]),
        (linear_relu, linear, ag.eye(100), [(20, 20, 20), (100, 20)]),
    ],
)
def test_layers_in_one_op_rectify_a_gradient_where_it_lies_only_if_nobody_holds_it(
    function: Callable[..., Any], layer: Callable[..., Any], identity: Any, shapes: list[tuple[int, ...]]
) -> None:
    inputs = [ag.randn(*shape, requires_grad=True) for shape in shapes]
    seed = ag.randn(*function(*inputs).shape)
    given, found = seed.clone(), []
    for follows, retains in ((False, False), (True, False), (True, True)):
        y = function(*inputs)
        if retains:
            y.retain_grad()
        for x in inputs:
            x.grad = None
        (layer(y, identity) if follows else y).backward(seed)
        assert (seed == given).all()
        assert not retains or (y.grad == given).all()
        found.append([x.grad for x in inputs])
    for gradients in found[1:]:
        assert all((one == other).all() for one, other in zip(gradients, found[0], strict=True))
    recorded = ag.autograd.grad(function(*inputs), inputs, seed, create_graph=True)
    for one, other in zip(recorded, found[0], strict=True):
        assert one.allclose(other, 1e-4, 1e-4)
