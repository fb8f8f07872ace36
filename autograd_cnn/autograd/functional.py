"""Jacobians, Hessians and their products with vectors, of functions of tensors.

Functions take one tensor or several, and return one or several.  What several inputs or outputs make is a tuple: a
Jacobian is then a tuple, by output, of tuples, by input.  With `create_graph` results can be differentiated again; with
`strict` an input that does not matter, and a result that has no graph, raise GraphError, where zeros are returned else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autograd_cnn.autograd.products import jacobian_columns, jacobian_rows, jacobian_vector, vector_jacobian
from autograd_cnn.errors import ArgumentError, DTypeError, GraphError, ShapeError
from autograd_cnn.graph.grad_mode import enable_grad
from autograd_cnn.ops.join import stack
from autograd_cnn.tensor import Tensor

Tensors = Tensor | tuple[Tensor, ...]


def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """func(*inputs) and v^T J, J being the Jacobian: one backward pass.

    v is as the outputs are, and may be left out for a single output of one element.

    >>> import autograd_cnn as ag
    >>> vjp(lambda x: x * x, ag.tensor([1.0, 2.0]), ag.tensor([1.0, 10.0]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    with enable_grad():
        call = _Call("vjp", func, inputs, create_graph, strict)
        vector = call.vector(v, call.outputs, call.single_output)
        found = vector_jacobian(call.outputs, call.inputs, vector, create_graph, retain_graph=False)
        result = call.filled(found, call.inputs, "the outputs do not depend on input {}")
    return call.output(), call.packed(result, call.single_input)


def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """func(*inputs) and J v, J being the Jacobian: a backward pass through a backward pass.

    v is as the inputs are, and may be left out for a single input of one element.

    >>> import autograd_cnn as ag
    >>> jvp(lambda x: x * x, ag.tensor([1.0, 2.0]), ag.tensor([1.0, 10.0]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    with enable_grad():
        call = _Call("jvp", func, inputs, create_graph, strict)
        vector = call.vector(v, call.inputs, call.single_input)
        found = jacobian_vector(call.outputs, call.inputs, vector, create_graph)
        result = call.filled(found, call.outputs, "output {} does not depend on the inputs")
    return call.output(), call.packed(result, call.single_output)


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian: for output y and input x of shapes Y and X, dy/dx of shape Y + X.

    strategy "reverse-mode" takes a backward pass for each element of the outputs, "forward-mode" (which wants
    vectorize=True, as in PyTorch) one for each element of the inputs.  `vectorize` changes nothing else.

    >>> import autograd_cnn as ag
    >>> jacobian(lambda x: x * x, ag.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise ArgumentError(f"jacobian: strategy must be 'reverse-mode' or 'forward-mode', got {strategy!r}")
    if strategy == "forward-mode" and (create_graph or strict or not vectorize):
        raise ArgumentError("jacobian: strategy 'forward-mode' wants vectorize=True, and no create_graph or strict")
    if strict and vectorize:
        raise ArgumentError("jacobian: strict=True does not go with vectorize=True")
    with enable_grad():
        call = _Call("jacobian", func, inputs, create_graph, strict)
        find = _by_rows if strategy == "reverse-mode" else _by_columns
        rows = [find(call, i) for i in range(len(call.outputs))]
    return call.packed([call.packed(row, call.single_input) for row in rows], call.single_output, keep=True)


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The Hessian of a function with one element: for inputs a and b of shapes A and B, of shape A + B.

    >>> import autograd_cnn as ag
    >>> hessian(lambda x: (x ** 3).sum(), ag.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    if outer_jacobian_strategy not in ("reverse-mode", "forward-mode"):
        raise ArgumentError(
            "hessian: outer_jacobian_strategy must be 'reverse-mode' or 'forward-mode', "
            f"got {outer_jacobian_strategy!r}"
        )
    single = isinstance(inputs, Tensor)

    def gradient(*inner: Any) -> Any:
        found = jacobian(lambda *x: _scalar("hessian", func)(*x).reshape(()), inner, create_graph=True)
        if strict:
            for i, g in enumerate(found):
                if not g.requires_grad:
                    raise GraphError(f"hessian: the gradient for input {i} does not depend on the inputs")
        return found[0] if single else found

    return jacobian(gradient, inputs, create_graph, strict, vectorize, outer_jacobian_strategy)


def vhp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """func(*inputs), of one element, and v^T H, H being the Hessian.

    >>> import autograd_cnn as ag
    >>> vhp(lambda x: (x ** 3).sum(), ag.tensor([1.0, 2.0]), ag.tensor([1.0, 1.0]))
    (tensor(9.), tensor([ 6., 12.]))
    """
    with enable_grad():
        call, gradient = _first_order("vhp", func, inputs, create_graph, strict)
        vector = call.vector(v, call.inputs, call.single_input)
        found = vector_jacobian(gradient, call.inputs, vector, create_graph, retain_graph=create_graph)
        result = call.filled(found, call.inputs, "the gradient does not depend on input {}")
    return call.output(), call.packed(result, call.single_input)


def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """func(*inputs), of one element, and H v, H being the Hessian; the same as `vhp`, which is faster.

    >>> import autograd_cnn as ag
    >>> hvp(lambda x: (x ** 3).sum(), ag.tensor([1.0, 2.0]), ag.tensor([1.0, 1.0]))
    (tensor(9.), tensor([ 6., 12.]))
    """
    with enable_grad():
        call, gradient = _first_order("hvp", func, inputs, create_graph, strict)
        vector = call.vector(v, call.inputs, call.single_input)
        found = jacobian_vector(gradient, call.inputs, vector, create_graph)
        result = call.filled(found, call.inputs, "the gradient for input {} does not depend on the inputs")
    return call.output(), call.packed(result, call.single_input)


class _Call:
    """One call of the function, on inputs of this derivative's own."""

    def __init__(self, name: str, func: Callable[..., Any], inputs: Any, create_graph: bool, strict: bool) -> None:
        self.name, self.create_graph, self.strict = name, create_graph, strict
        self.single_input, given = _sequence(name, "inputs", inputs)
        # Linked to what they came from where a graph is asked for; so an outer derivative finds its way.
        self.inputs = [x.view_as(x) if create_graph and x.requires_grad else x.detach().requires_grad_() for x in given]
        self.single_output, self.outputs = _sequence(name, "outputs of the function", func(*self.inputs))
        for i, y in enumerate(self.outputs):
            if strict and not y.requires_grad:
                raise GraphError(f"{name}: output {i} does not depend on the inputs, or was computed without recording")

    def output(self) -> Any:
        """What the function returned."""
        return self.packed(self.outputs, self.single_output)

    def vector(self, v: Any, like: Sequence[Any], single: bool) -> list[Any]:
        """The vector to multiply with, checked against what it has to be like."""
        if v is None:
            if len(like) != 1 or like[0].numel() != 1:
                raise GraphError(f"{self.name}: v can be left out only for a single tensor of one element")
            return [like[0].detach().new_ones(like[0].shape)]
        _, found = _sequence(self.name, "v", v)
        if len(found) != len(like):
            raise ArgumentError(f"{self.name}: v has {len(found)} tensors, {len(like)} are needed")
        for i, (vi, x) in enumerate(zip(found, like, strict=True)):
            if vi.shape != x.shape:
                raise ShapeError(f"{self.name}: v[{i}] has shape {list(vi.shape)}, its tensor has {list(x.shape)}")
        return found if self.create_graph else [vi.detach() for vi in found]

    def filled(self, found: Sequence[Any], like: Sequence[Any], complaint: str) -> list[Any]:
        """What was found, with zeros where there is nothing."""
        results = []
        for i, (g, x) in enumerate(zip(found, like, strict=True)):
            if self.strict and (g is None or (self.create_graph and not g.requires_grad)):
                raise GraphError(f"{self.name}: {complaint.format(i)}")
            results.append(x.detach().new_zeros(x.shape) if g is None else g)
        return results

    def packed(self, values: Sequence[Any], single: bool, keep: bool = False) -> Any:
        """One value, or a tuple; without their graph unless it was asked for."""
        if not (keep or self.create_graph):
            values = [value.detach() for value in values]
        return values[0] if single else tuple(values)


def _by_rows(call: _Call, i: int) -> list[Any]:
    """dy/dx of output i for each input, row by row."""
    y = call.outputs[i]
    complaint = f"output {i} does not depend on input {{}}"
    rows = [call.filled(row, call.inputs, complaint) for row in jacobian_rows(y, call.inputs, call.create_graph)]
    return [
        stack([row[j] for row in rows]).reshape(*y.shape, *x.shape) if rows else x.new_zeros(*y.shape, *x.shape)
        for j, x in enumerate(call.inputs)
    ]


def _by_columns(call: _Call, i: int) -> list[Any]:
    """dy/dx of output i for each input, column by column."""
    y = call.outputs[i]
    columns = [call.filled(c, [y], "output {} is constant")[0] for c in jacobian_columns([y], call.inputs, False)]
    end, found = 0, []
    for x in call.inputs:
        start, end = end, end + x.numel()
        shape = (*y.shape, *x.shape)
        found.append(stack(columns[start:end], -1).reshape(shape) if end > start else y.detach().new_zeros(shape))
    return found


def _first_order(
    name: str, func: Callable[..., Any], inputs: Any, create_graph: bool, strict: bool
) -> tuple[_Call, list[Any]]:
    """A call of a function with one element, and its gradient, recorded."""
    call = _Call(name, _scalar(name, func), inputs, create_graph, strict)
    found = vector_jacobian(call.outputs, call.inputs, call.vector(None, call.outputs, True), create_graph=True)
    complaint = "the output does not depend on input {}"
    if strict:
        call.filled(found, call.inputs, complaint)
    return call, [x.detach().new_zeros(x.shape) if g is None else g for g, x in zip(found, call.inputs, strict=True)]


def _scalar(name: str, func: Callable[..., Any]) -> Callable[..., Any]:
    """`func`, whose result must be one tensor of one element."""

    def checked(*inputs: Any) -> Any:
        y = func(*inputs)
        if not isinstance(y, Tensor):
            raise DTypeError(f"{name}: the function must return a tensor, got {type(y).__name__}")
        if y.numel() != 1:
            raise ArgumentError(f"{name}: the function must return one element, got shape {list(y.shape)}")
        return y

    return checked


def _sequence(name: str, what: str, tensors: Any) -> tuple[bool, list[Any]]:
    """Whether it is one tensor, and the tensors."""
    if isinstance(tensors, Tensor):
        return True, [tensors]
    if not isinstance(tensors, tuple | list):
        raise DTypeError(f"{name}: {what} must be a tensor or a tuple of tensors, got {type(tensors).__name__}")
    for i, x in enumerate(tensors):
        if not isinstance(x, Tensor):
            raise DTypeError(f"{name}: {what} must be tensors, [{i}] is {type(x).__name__}")
    return False, list(tensors)
