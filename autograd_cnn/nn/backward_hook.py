"""How a module's backward hooks learn the gradients of the module's inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.tensor import Tensor


class Border(Op):
    """The identity on several tensors: one node through which all gradients at a module's border pass."""

    variadic = True
    variadic_outputs = True

    def __init__(self, meet: Callable[[list[Any]], Sequence[Any]]) -> None:
        self.meet = meet

    def infer(self, *tensors: Any) -> Any:
        return [(x.shape, x.dtype) for x in tensors]

    def compute(self, k: Any, out: Any, *tensors: Any) -> None:
        for x, y in zip(tensors, out, strict=True):
            k.copy(x, y)

    def vjp(self, g: Any, needs: tuple[bool, ...]) -> Any:
        return tuple(self.meet(g if isinstance(g, list) else [g]))

    def fields(self) -> dict[str, Any]:
        return {}


class Watcher:
    """Calls a module's backward hooks with the gradients at its border."""

    def __init__(self, module: Any, hooks: Sequence[Callable[..., Any]]) -> None:
        self.module = module
        self.hooks = hooks
        self.grad_output: tuple[Any, ...] = ()
        self.inputs: list[bool] = []

    def watch_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments with a border round all tensors in need of a gradient."""
        self.inputs = [isinstance(arg, Tensor) and arg.requires_grad for arg in args]
        return _through(Border(self._meet_inputs), args)

    def watch_outputs(self, result: Any) -> Any:
        """The result with a border round all tensors in need of a gradient."""
        if isinstance(result, tuple):
            return _through(Border(self._meet_outputs), result)
        return _through(Border(self._meet_outputs), (result,))[0]

    def _meet_outputs(self, grads: list[Any]) -> Sequence[Any]:
        self.grad_output = tuple(grads)
        if not any(self.inputs):
            self._call([None] * len(self.inputs))
        return grads

    def _meet_inputs(self, grads: list[Any]) -> Sequence[Any]:
        arrived = iter(grads)
        replaced = self._call([next(arrived) if watched else None for watched in self.inputs])
        return [g for g, watched in zip(replaced, self.inputs, strict=True) if watched]

    def _call(self, grad_input: Sequence[Any]) -> Sequence[Any]:
        given = tuple(grad_input)
        for hook in self.hooks:
            answer = hook(self.module, given, self.grad_output)
            if answer is not None:
                given = answer if isinstance(answer, tuple) else (answer,)
        return given


def _through(border: Border, values: tuple[Any, ...]) -> tuple[Any, ...]:
    tensors = [v for v in values if isinstance(v, Tensor) and v.requires_grad]
    if not tensors:
        return values
    passed = iter(apply(border, *tensors))
    return tuple(next(passed) if isinstance(v, Tensor) and v.requires_grad else v for v in values)
