"""Function: ops of the user's own, by PyTorch's rules - static forward and backward, and a context between them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from autograd_cnn.errors import DTypeError, GraphError
from autograd_cnn.graph.base import TensorBase, alias
from autograd_cnn.graph.grad_mode import STATE, no_grad
from autograd_cnn.graph.op import INPUT, OUTPUT, Op, Plan
from autograd_cnn.graph.record import record


class Context:
    """Carries what `backward` needs from `forward`; any other attribute is the user's to set."""

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self.materialize_grads = True
        self.to_save: tuple[Any, ...] = ()
        self.without_grad: tuple[Any, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keeps tensors (inputs, outputs or others; None too) until the backward pass has run."""
        for tensor in tensors:
            if tensor is not None and not isinstance(tensor, TensorBase):
                raise DTypeError(
                    f"save_for_backward: takes tensors, got {type(tensor).__name__}; set other things as attributes"
                )
        self.to_save = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Declares outputs that carry no gradient."""
        self.without_grad = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether gradients that never arrived are given as zeros (the default) or as None."""
        self.materialize_grads = value

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `save_for_backward` kept; to be read in `backward`."""
        raise GraphError("saved_tensors: are there only while backward runs")


class FunctionOp(Op):
    """What stands in the graph for one application of a Function."""

    variadic = True
    variadic_outputs = True

    def __init__(self, function: type[Function], ctx: Context, args: Sequence[Any]) -> None:
        self.function = function
        self.ctx = ctx
        self.name = self.title = function.__name__
        self.returned: Sequence[tuple[int | None, Any]] = ()  # slot and spec of each of forward's results
        self.positions = [i for i, arg in enumerate(args) if isinstance(arg, TensorBase)]

    def save(self, tensors: tuple[Any, ...], outputs: tuple[Any, ...], to_save: tuple[Any, ...]) -> tuple[Any, ...]:
        """Plans what the node keeps; returns the inputs for it, which are `tensors` and what else is saved."""
        inputs = list(tensors)
        sources = []
        for t in to_save:
            if t is None:
                continue
            slot = next((i for i, y in enumerate(outputs) if y is t), None)
            if slot is not None:
                sources.append((OUTPUT, slot))
                continue
            position = next((i for i, x in enumerate(inputs) if x is t), None)
            if position is None:
                position = len(inputs)
                inputs.append(t)
            sources.append((INPUT, position))
        needs = tuple(x._requires_grad for x in inputs)
        names = tuple(f"saved_tensors[{i}]" for i, t in enumerate(to_save) if t is not None)
        self.present = [t is not None for t in to_save]
        self.extra = len(inputs) - len(tensors)
        key = sum(need << i for i, need in enumerate(needs)) + (1 << len(needs))
        self.plans = {key: Plan.of(needs, names, tuple(sources), FunctionOp.vjp)}  # type: ignore[misc]
        return tuple(inputs)

    def vjp(self, g: Any, needs: tuple[bool, ...], *saved: Any) -> tuple[Any, ...]:
        ctx, name = self.ctx, self.name
        arrived = list(g) if isinstance(g, list) else [g]
        grads = [None if slot is None else arrived[slot] for slot, _ in self.returned]
        if ctx.materialize_grads:
            like = next(gi for gi in grads if gi is not None)
            grads = [
                like.new_zeros(spec[0], dtype=spec[1]) if gi is None and spec is not None else gi
                for gi, (_, spec) in zip(grads, self.returned, strict=True)
            ]
        kept = iter(saved)
        view = _Backward(ctx, tuple(next(kept) if there else None for there in self.present))
        result = self.function.backward(view, *grads)
        result = result if isinstance(result, tuple) else (result,)
        wanted = len(ctx.needs_input_grad)
        while len(result) > wanted and result[-1] is None:
            result = result[:-1]
        if len(result) != wanted:
            raise GraphError(
                f"{name}.backward: must return a gradient or None for each of the {wanted} arguments of forward, "
                f"returned {len(result)}"
            )
        for i, r in enumerate(result):
            if r is not None and not isinstance(r, TensorBase):
                raise DTypeError(f"{name}.backward: gradient {i} must be a tensor or None, got {type(r).__name__}")
        return (*(result[i] for i in self.positions), *[None] * self.extra)

    def fields(self) -> dict[str, Any]:
        return {}


def _spec(y: Any) -> Any:
    return (y.array.shape, y.array.dtype) if isinstance(y, TensorBase) else None


class _Backward:
    """The context as `backward` sees it: the attributes of forward's, and the saved tensors."""

    def __init__(self, ctx: Context, saved: tuple[Any, ...]) -> None:
        self.__dict__.update(vars(ctx))
        self.saved_tensors = saved


class Function:
    """An op of the user's own: `forward(ctx, *args)` computes, `backward(ctx, *grads)` gives a gradient an argument.

    Call it by `apply`.  Both work on tensors; what `backward` does with ops can be derived again.

    >>> import autograd_cnn as ag
    >>> class Exp(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         y = x.exp()
    ...         ctx.save_for_backward(y)
    ...         return y
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         y, = ctx.saved_tensors
    ...         return g * y
    >>> x = ag.tensor([0.0, 1.0], requires_grad=True)
    >>> Exp.apply(x).sum().backward()
    >>> x.grad
    tensor([1.0000, 2.7183])
    """

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        raise GraphError("Function: define the static method forward(ctx, *args)")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Where a subclass has it, it saves what backward needs, and forward gets no context."""

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise GraphError("Function: define the static method backward(ctx, *grads)")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Runs `forward` unrecorded, and records this Function as one op."""
        state = STATE.get()
        ctx = Context(tuple(isinstance(arg, TensorBase) and arg._requires_grad for arg in args))
        with no_grad():
            if cls.setup_context is Function.setup_context:
                result = cls.forward(ctx, *args)
            else:
                result = cls.forward(*args)
                cls.setup_context(ctx, args, result)
        if not (state.recording and any(ctx.needs_input_grad)):
            return result
        op = FunctionOp(cls, ctx, args)
        tensors = tuple(args[i] for i in op.positions)
        # An input handed back as it is must not become its own parent.
        outputs = [
            alias(y) if any(y is t for t in tensors) else y
            for y in (result if isinstance(result, tuple) else (result,))
        ]
        tracked = tuple(
            y
            for y in outputs
            if isinstance(y, TensorBase) and y.array.dtype.kind == "f" and not any(y is m for m in ctx.without_grad)
        )
        if tracked:
            slots = iter(range(len(tracked)))
            op.returned = [(next(slots) if any(y is t for t in tracked) else None, _spec(y)) for y in outputs]
            inputs = op.save(tensors, tracked, ctx.to_save)
            ctx.to_save = ()
            specs = [_spec(y) for y in tracked]
            record(op, inputs, tracked, specs if len(tracked) > 1 else specs[0], state)
        return tuple(outputs) if isinstance(result, tuple) else outputs[0]


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """For a `backward` that works on arrays: its result cannot be derived again, and says so."""

    @functools.wraps(backward)
    def wrapped(ctx: Any, *grads: Any) -> Any:
        if STATE.get().recording:
            raise GraphError(
                f"{backward.__qualname__}: is once_differentiable, but create_graph=True asks for its derivative"
            )
        return backward(ctx, *grads)

    return wrapped
