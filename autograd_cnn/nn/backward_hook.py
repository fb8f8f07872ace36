"""How a module's backward hooks learn the gradients of the module's inputs and outputs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from autograd_cnn.errors import ArgumentError
from autograd_cnn.graph.grad_mode import is_grad_enabled
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
    """For one call of a module: meets the gradients at its border and calls the hooks with them."""

    def __init__(self, module: Any, hooks: Sequence[Callable[..., Any]]) -> None:
        self.module = module
        self.hooks = hooks
        self.inputs: list[bool] = []  # which arguments, and which results, have a gradient
        self.outputs: list[bool] = []
        self.grad_output: tuple[Any, ...] | None = None

    def watch_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments with a border round all tensors in need of a gradient."""
        self.inputs = _watched(args)
        return _through(Border(self._meet_inputs), args, self.inputs)

    def watch_outputs(self, result: Any) -> Any:
        """The result with a border round all tensors in need of a gradient."""
        if not isinstance(result, Tensor | tuple):
            warnings.warn(
                f"{type(self.module).__name__}: its backward hooks will not be called, because its result is neither "
                f"a tensor nor a tuple of tensors, but a {type(result).__name__}",
                stacklevel=4,
            )
            return result
        results = result if isinstance(result, tuple) else (result,)
        self.outputs = _watched(results)
        passed = _through(Border(self._meet_outputs), results, self.outputs)
        return passed if isinstance(result, tuple) else passed[0]

    def _meet_outputs(self, grads: list[Any]) -> Sequence[Any]:
        self.grad_output = _spread(grads, self.outputs)
        if not any(self.inputs):
            nothing = (None,) * len(self.inputs)
            if any(g is not None for g in self._call(nothing)):
                raise ArgumentError(
                    f"{type(self.module).__name__}: no input requires grad, so a backward hook cannot return gradients"
                )
        return grads

    def _meet_inputs(self, grads: list[Any]) -> Sequence[Any]:
        if self.grad_output is None:  # they came by a way that does not lead through the outputs
            return grads
        replaced = self._call(_spread(grads, self.inputs))
        return [g for g, watched in zip(replaced, self.inputs, strict=True) if watched]

    def _call(self, grad_input: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.hooks:
            answer = hook(self.module, grad_input, self.grad_output)
            if answer is None:
                continue
            answer = answer if isinstance(answer, tuple) else (answer,)
            if len(answer) != len(grad_input):
                raise ArgumentError(
                    f"{type(self.module).__name__}: a backward hook must return one gradient for each of "
                    f"{len(grad_input)} inputs, got {len(answer)}"
                )
            grad_input = answer
        self.grad_output = None
        return grad_input


def _watched(values: tuple[Any, ...]) -> list[bool]:
    recording = is_grad_enabled()
    return [recording and isinstance(v, Tensor) and v.requires_grad for v in values]


def _spread(grads: Sequence[Any], watched: list[bool]) -> tuple[Any, ...]:
    """The gradients at the places that are watched, None at the others."""
    arrived = iter(grads)
    return tuple(next(arrived) if here else None for here in watched)


def _through(border: Border, values: tuple[Any, ...], watched: list[bool]) -> tuple[Any, ...]:
    if not any(watched):
        return values
    passed = iter(apply(border, *(v for v, here in zip(values, watched, strict=True) if here)))
    new = [next(passed) if here else v for v, here in zip(values, watched, strict=True)]
    return tuple(new) if type(values) is tuple else type(values)(*new)
