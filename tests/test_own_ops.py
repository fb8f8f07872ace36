"""Operators of the user's own: several outputs, and mistakes in a declaration."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn.graph.engine import apply
from autograd_cnn.graph.op import Op


def leaf(*values: float) -> Any:
    return ag.tensor(list(values), dtype=ag.float64, requires_grad=True)


class Split(Op):
    """Two outputs with gradients, and a joint vjp."""

    inputs = ("x",)
    outputs = ("low", "high")

    def infer(self, x: Any) -> Any:
        half = (x.shape[0] // 2,)
        return [(half, x.dtype), (half, x.dtype)]

    def compute(self, k: Any, out: Any, x: Any) -> None:
        for part, values in zip(out, np.split(x, 2), strict=True):
            k.copy(values, part)

    def vjp(self, g: Any, needs: Any, x_shape: Any) -> Any:
        parts = [ag.zeros(x_shape[0] // 2, dtype=ag.float64) if part is None else part for part in g]
        return (ag.cat(parts),)


class TestOwnOps:
    def test_several_outputs(self) -> None:
        x = leaf(1, 2, 3, 4)
        low, high = apply(Split(), x)
        (low * high).sum().backward()
        assert x.grad.tolist() == [3, 4, 1, 2]
        low, high = apply(Split(), x)
        assert ag.autograd.grad(high.sum(), x)[0].tolist() == [0, 0, 1, 1]
        assert (low.output_nr, high.output_nr) == (0, 1)

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ({"inputs": ("x",)}, "Broken: input 'x' has no vjp_x and is not declared nondifferentiable"),
            (
                {"inputs": ("x",), "vjp_x": lambda self, g, z: g},
                "Broken: a vjp asks for 'z'; there is x, y, x_shape",
            ),
            ({"variadic": True}, "Broken: a variadic op needs a joint vjp"),
        ],
    )
    def test_mistakes_are_found_when_the_class_is_made(self, body: dict[str, Any], message: str) -> None:
        with pytest.raises(TypeError, match=message):
            type("Broken", (Op,), body)

    def test_fields_are_what_a_picture_prints(self) -> None:
        node = (leaf(1) ** 3).grad_fn
        assert repr(node.op) == "pow_scalar(exponent=3)"
        assert node.attrs() == {"exponent": 3}
        assert node.module_path is None
        assert node.source.startswith(__file__)
