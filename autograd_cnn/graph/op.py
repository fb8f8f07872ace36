"""How an op is declared, and the checks made when its class is created.

An op is a small class whose fields are its static parameters.  What its backward pass needs is read off the
signatures of its vjps, so it can neither be forgotten nor kept without need:

    class Mul(Op):
        inputs = ("x", "other")

        def infer(self, x, other):          # shape and dtype, or the user's error; touches no data
            ...

        def compute(self, k, out, x, other):  # k: the device's kernels; `out` is allocated by the engine
            k.mul(x, other, out)

        def vjp_x(self, g, other):          # keeps `other` alive, and only where x needs a gradient
            return g * other

        def vjp_other(self, g, x):
            return g * x

After `g`, a vjp may name an input, an output, or `<input>_shape`.  One that shares work between inputs is a single
`vjp(self, g, needs, ...)` that returns a tuple.  The engine sums over broadcast dimensions and casts to the input's
dtype, so no vjp does.

Where several gradients are cheaper on arrays than as so many ops, an op may also have a `gradient(self, k, out, g,
...)`, which fills them at once and names what its vjps name.  It stands in for them where a pass is not recorded.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

Spec = tuple[tuple[int, ...], np.dtype]  # shape and dtype

INPUT, OUTPUT, SHAPE, MISSING = range(4)  # kinds of things that are saved; the last is an optional input left out


class Plan:
    """For one op class and one choice of inputs that need a gradient: what to save, and which vjps to run on what.

    `needs`     whether each input needs a gradient
    `sources`   what `saved` holds, tensors first: (kind, position) each
    `names`     the same, by name
    `tensors`   how many of them are tensors
    `constants` which of those come from inputs outside of the graph
    `simple`    whether there are vjps and all they need are the first two inputs and the first output; then
    `first`, `second`, `output`  say which of these three
    `vjps`      (input position, vjp, positions in `saved` of its arguments) each; no position for a joint vjp, and
                None for the arguments where they are all of `saved`
    `direct`    positions in `saved` of the arguments of the op's `gradient`, None for what is not kept; no tuple but
                None for an op without one.  For such an op the shapes of the inputs in `needs` are saved, too:
    `shapes`    their positions, None for the other inputs
    """

    __slots__ = (
        *("constants", "direct", "first", "names", "needs", "output", "second", "shapes", "simple", "sources"),
        *("tensors", "vjps"),
    )

    def __init__(self, op: type[Op], needs: tuple[bool, ...]) -> None:
        self.needs = needs
        wanted: list[tuple[int | None, Callable[..., Any], tuple[str, ...]]] = []
        if op.joint is not None:
            wanted.append((None, op.joint, _arguments(op.joint, 4 if issubclass(op, FusedOp) else 3)))
        else:
            for i, name in enumerate(op.inputs[: len(needs)]):
                if needs[i] and name not in op.nondifferentiable:
                    vjp = getattr(op, f"vjp_{name}")
                    wanted.append((i, vjp, _arguments(vjp, 2)))
        keep = list(dict.fromkeys(name for _, _, names in wanted for name in names))
        if issubclass(op, FusedOp):
            keep += [name for name in op.inputs[: len(needs)] if name not in keep]  # for `composite`
        if op.direct is not None:
            shapes = [f"{name}_shape" if need else "" for name, need in zip(op.inputs, needs, strict=False)]
            keep += [name for name in shapes if name and name not in keep]
        found = {name: op.source(name, len(needs)) for name in keep}
        self.names = tuple(sorted(keep, key=found.__getitem__))
        self.sources = tuple(found[name] for name in self.names)
        self.tensors = sum(kind < SHAPE for kind, _ in self.sources)
        self.constants = tuple(j for j, (kind, i) in enumerate(self.sources) if kind == INPUT and not needs[i])
        everything = tuple(range(len(self.names)))
        self.vjps = tuple(
            (i, vjp, None if positions == everything else positions)
            for i, vjp, names in wanted
            for positions in [tuple(self.names.index(name) for name in names)]
        )
        self.direct: tuple[int | None, ...] | None = None
        self.shapes: tuple[int | None, ...] = ()
        if op.direct is not None:
            self.direct, self.shapes = self._positions(_arguments(op.direct, 4)), self._positions(shapes)
        self._note_simple()

    def _positions(self, names: Sequence[str]) -> tuple[int | None, ...]:
        return tuple(self.names.index(name) if name in self.names else None for name in names)

    def _note_simple(self) -> None:
        self.first, self.second = (INPUT, 0) in self.sources, (INPUT, 1) in self.sources
        self.output = (OUTPUT, 0) in self.sources
        self.simple = bool(self.vjps) and len(self.sources) == self.first + self.second + self.output

    @classmethod
    def of(
        cls, needs: tuple[bool, ...], names: tuple[str, ...], sources: tuple[tuple[int, int], ...], joint: Any
    ) -> Plan:
        """A plan that saves just these tensors and gives them all to a joint vjp."""
        plan = cls.__new__(cls)
        plan.needs, plan.names, plan.sources, plan.tensors = needs, names, sources, len(sources)
        plan.constants = tuple(j for j, (kind, i) in enumerate(sources) if kind == INPUT and not needs[i])
        plan.vjps = ((None, joint, None),)
        plan.direct, plan.shapes = None, ()
        plan._note_simple()
        return plan


def _arguments(function: Callable[..., Any], skip: int) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)[skip:]


class Op:
    """A differentiable operation: a subclass names the `inputs`, and has `infer`, `compute` and a vjp for each.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn.graph.engine import apply
    >>> class Cube(Op):
    ...     inputs = ("x",)
    ...     def infer(self, x):
    ...         return x.shape, x.dtype
    ...     def compute(self, k, out, x):
    ...         k.mul(x, x, out)
    ...         k.mul(out, x, out)
    ...     def vjp_x(self, g, x):
    ...         return g * 3 * x * x
    >>> x = ag.tensor([2.0], requires_grad=True)
    >>> y = apply(Cube(), x)
    >>> y.backward()
    >>> y, x.grad
    (tensor([8.], grad_fn=<CubeBackward>), tensor([12.]))
    """

    inputs: ClassVar[tuple[str, ...]] = ()
    outputs: ClassVar[tuple[str, ...]] = ("y",)
    auxiliary: ClassVar[tuple[str, ...]] = ()  # outputs that are kept for backward or carry no gradient
    nondifferentiable: ClassVar[tuple[str, ...]] = ()  # inputs that never have a gradient
    variadic: ClassVar[bool] = False  # any number of inputs; needs a joint vjp
    variadic_outputs: ClassVar[bool] = False  # any number of outputs, as for split
    principal: ClassVar[int | None] = None  # the only output with a gradient, where there is just one
    joint: ClassVar[Callable[..., Any] | None] = None
    direct: ClassVar[Callable[..., Any] | None] = None  # `gradient`, where the class has one that its vjps agree with
    in_place: ClassVar[bool] = False  # whether `compute` may be given the first input's memory as `out`
    gradient_overwrites: ClassVar[bool] = False  # whether `gradient` may be given the memory of g as out[0]
    gradient_room: ClassVar[bool] = False  # whether `out` of `gradient` ends with room for another g, or g itself
    # `overwrite(k, g, *saved)` of an op with one input: its gradient, where a large g lies that nobody else holds.
    overwrite: ClassVar[Callable[..., None] | None] = None
    fresh: ClassVar[bool] = False  # whether a gradient that a vjp made is held by nobody else
    title: str  # the class's name; `<title>Backward` is what a node is called
    name: str  # as the user calls it: `MaxPool2d` is `max_pool2d`
    plans: ClassVar[dict[int, Plan]]

    def __init_subclass__(cls, abstract: bool = False) -> None:
        cls.plans = {}
        cls.title = cls.__name__
        if "name" not in vars(cls):
            cls.name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
        # A vjp of the user's may hand out a tensor that it keeps, or the same one twice; ours do not.
        cls.fresh = cls.__module__.startswith("autograd_cnn.ops.")
        if abstract:
            return
        main = [i for i, name in enumerate(cls.outputs) if name not in cls.auxiliary]
        cls.principal = main[0] if len(main) == 1 and not cls.variadic_outputs else None
        cls.joint = cls.gradient if issubclass(cls, FusedOp) else getattr(cls, "vjp", None)
        # An inherited one knows nothing of what a subclass makes of its vjps.
        cls.direct = cls.joint if issubclass(cls, FusedOp) else vars(cls).get("gradient")
        if "overwrite" not in vars(cls):
            cls.overwrite = None
        if cls.gradient_overwrites and cls.principal is None:
            raise TypeError(f"{cls.__name__}: with several gradients none of them may be written over")
        if cls.variadic and cls.joint is None:
            raise TypeError(f"{cls.__name__}: a variadic op needs a joint vjp(self, g, needs, ...)")
        for name in cls.inputs:
            if cls.joint is None and name not in cls.nondifferentiable and not hasattr(cls, f"vjp_{name}"):
                raise TypeError(
                    f"{cls.__name__}: input {name!r} has no vjp_{name} and is not declared nondifferentiable"
                )
        if not cls.variadic:
            Plan(cls, (True,) * len(cls.inputs))  # resolves every name, or raises now

    @classmethod
    def plan(cls, key: int) -> Plan:
        """The plan for inputs given as bits: those in need of a gradient, and one after the last input."""
        count = key.bit_length() - 1
        plan = cls.plans[key] = Plan(cls, tuple(bool(key >> i & 1) for i in range(count)))
        return plan

    @classmethod
    def source(cls, name: str, count: int) -> tuple[int, int]:
        """Where the thing that a vjp calls `name` is found, for a call with `count` inputs."""
        if name in cls.outputs:
            return OUTPUT, cls.outputs.index(name)
        owner = name if name in cls.inputs else name.removesuffix("_shape")
        if owner not in cls.inputs:
            known = (*cls.inputs, *cls.outputs, *(f"{i}_shape" for i in cls.inputs))
            raise TypeError(f"{cls.__name__}: a vjp asks for {name!r}; there is {', '.join(known)}")
        position = cls.inputs.index(owner)
        if position >= count:
            return MISSING, position
        return (INPUT if owner == name else SHAPE), position

    def carries_gradient(self, slot: int) -> bool:
        """Whether an output is differentiable; all are that the class does not name."""
        return slot >= len(self.outputs) or self.outputs[slot] not in self.auxiliary

    def infer(self, *arrays: Any) -> Any:
        """Shape and dtype of the output (a list of pairs where there are several); raises the user's errors."""
        raise NotImplementedError(f"{type(self).__name__}.infer")

    def compute(self, k: ModuleType, out: Any, *arrays: Any) -> None:
        """Fills `out` (a tuple where there are several outputs) by the device's kernels `k`."""
        raise NotImplementedError(f"{type(self).__name__}.compute")

    def gradient(self, k: ModuleType, out: Sequence[Any], g: Any, *saved: Any) -> None:
        """Fills the arrays of `out`, one per input (None where none is wanted), from g and the arrays it names.

        What it names and only an input that needs no gradient would have needed is None.
        """
        raise NotImplementedError(f"{type(self).__name__}.gradient")

    def fields(self) -> dict[str, Any]:
        """The static parameters."""
        return dict(vars(self))

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{name}={value!r}' for name, value in self.fields().items())})"


class ViewOp(Op, abstract=True):
    """An op whose output shows its input's memory.  It has a `view` in place of `infer` and `compute`."""

    inputs = ("x",)

    def view(self, x: np.ndarray) -> np.ndarray:
        """The view of `x`; raises the user's errors."""
        raise NotImplementedError(f"{type(self).__name__}.view")


class FusedOp(Op, abstract=True):
    """An op with one kernel forward and one backward, and the same function composed of other ops.

    It has a `gradient` and no vjps.  `composite(self, *inputs)` is used where the backward pass itself is recorded,
    and as the oracle in tests.
    """

    def composite(self, *inputs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__}.composite")
