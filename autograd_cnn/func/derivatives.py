"""Functions that are derivatives of functions; of derivatives too, to any order.

Arguments and results are tensors, or tuples, lists and dicts of them; derivatives have their form.  A derivative keeps
a graph only where something outside needs one: an argument or a captured tensor that requires grad, or an outer
derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from autograd_cnn.autograd.products import jacobian_columns, jacobian_rows, jacobian_vector, vector_jacobian
from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.func.tree import leaves, mapped, rebuilt
from autograd_cnn.graph.grad_mode import enable_grad, is_grad_enabled
from autograd_cnn.graph.node import Node
from autograd_cnn.graph.walk import reachable
from autograd_cnn.ops.join import stack
from autograd_cnn.tensor import Tensor

Argnums = int | tuple[int, ...]


def grad(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that computes the gradient of `func`, of one element, for the arguments at `argnums`.

    With `has_aux` func returns (value, aux), and the gradient comes with aux.

    >>> import autograd_cnn as ag
    >>> grad(lambda x: (x ** 3).sum())(ag.tensor([1.0, 2.0]))
    tensor([ 3., 12.])
    >>> grad(grad(lambda x: x ** 3))(ag.tensor(2.0))
    tensor(12.)
    """
    inner = grad_and_value(func, argnums, has_aux)

    @wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        found, value = inner(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def grad_and_value(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that computes `grad`'s result and the value: (gradient, value), or (gradient, (value, aux)).

    >>> import autograd_cnn as ag
    >>> grad_and_value(lambda x: (x ** 3).sum())(ag.tensor([1.0, 2.0]))
    (tensor([ 3., 12.]), tensor(9.))
    """

    @wraps(func)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        call = _Call("grad", func, args, argnums, has_aux, kwargs)
        if not isinstance(call.output, Tensor):
            raise DTypeError(f"grad: the function must return a tensor, got {type(call.output).__name__}")
        if call.output.ndim != 0:
            shape = list(call.output.shape)
            raise ArgumentError(f"grad: the function must return a tensor without dimensions, got shape {shape}")
        one = call.output.detach().new_ones(())
        found = call.pulled(vector_jacobian([call.output], call.inputs, [one], call.linked, retain_graph=False))
        value = call.freed(call.output)
        return found, (value, call.freed(call.aux)) if has_aux else value

    return derivative


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """func(*primals), and the function that multiplies a vector of the output's form with the Jacobian: v -> v^T J.

    That one returns a tuple with an entry for each of `primals`, and can be called more than once.  With `has_aux` func
    returns (output, aux), and aux is returned third.

    >>> import autograd_cnn as ag
    >>> y, pull = vjp(lambda x: x * x, ag.tensor([1.0, 2.0]))
    >>> pull(ag.ones(2))
    (tensor([2., 4.]),)
    """
    call = _Call("vjp", func, primals, tuple(range(len(primals))), has_aux)
    outputs = call.outputs()

    def pull(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        v = call.vector(cotangents, outputs)
        linked = (call.linked or any(vi.requires_grad for vi in v)) if create_graph is None else create_graph
        return call.pulled(vector_jacobian(outputs, call.inputs, v, linked and is_grad_enabled(), retain_graph))

    result = call.freed(call.output)
    return (result, pull, call.freed(call.aux)) if has_aux else (result, pull)


def jvp(func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> Any:
    """func(*primals) and the Jacobian times `tangents`: how the output changes along them.

    Computed as a backward pass through a backward pass.  With `strict` an output that depends on no primal raises
    ArgumentError, where zeros are returned else.

    >>> import autograd_cnn as ag
    >>> jvp(lambda x: x * x, (ag.tensor([1.0, 2.0]),), (ag.ones(2),))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        kinds = type(primals).__name__, type(tangents).__name__
        raise DTypeError(f"jvp: primals and tangents must be tuples, got {kinds[0]} and {kinds[1]}")
    call = _Call("jvp", func, primals, tuple(range(len(primals))), has_aux)
    outputs, u = call.outputs(), call.vector(tangents, call.inputs, "tangents")
    linked = call.linked or (is_grad_enabled() and any(ui.requires_grad for ui in u))
    found = jacobian_vector(outputs, call.inputs, u, linked)
    if strict and any(g is None for g in found):
        raise ArgumentError("jvp: an output does not depend on the primals")
    result = rebuilt(call.output, _filled(found, outputs, linked))
    return (call.freed(call.output), result, *((call.freed(call.aux),) if has_aux else ()))


def jacrev(
    func: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable[..., Any]:
    """The function that computes the Jacobian of `func` for the arguments at `argnums`, a backward pass for each row.

    For an output of shape Y and an argument of shape X it has shape Y + X.  `chunk_size` changes nothing.

    >>> import autograd_cnn as ag
    >>> jacrev(lambda x: x * x)(ag.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        call = _Call("jacrev", func, args, argnums, has_aux, kwargs)
        blocks = []
        for y in call.outputs():
            rows = [_filled(row, call.inputs, call.linked) for row in jacobian_rows(y, call.inputs, call.linked)]
            columns = list(zip(*rows, strict=True)) or [()] * len(call.inputs)
            blocks.append(call.arranged([_stacked(c, 0, y, x) for c, x in zip(columns, call.inputs, strict=True)]))
        result = rebuilt(call.output, blocks)
        return (result, call.freed(call.aux)) if has_aux else result

    return jacobian


def jacfwd(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Callable[..., Any]:
    """The same as `jacrev`, by a product with the Jacobian for each column; for functions of few numbers.

    >>> import autograd_cnn as ag
    >>> jacfwd(lambda x: x * x)(ag.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        call = _Call("jacfwd", func, args, argnums, has_aux, kwargs)
        outputs = call.outputs()
        columns = [
            _filled(column, outputs, call.linked) for column in jacobian_columns(outputs, call.inputs, call.linked)
        ]
        blocks = []
        for i, y in enumerate(outputs):
            end, found = 0, []
            for x in call.inputs:
                start, end = end, end + x.numel()
                found.append(_stacked([column[i] for column in columns[start:end]], -1, y, x))
            blocks.append(call.arranged(found))
        result = rebuilt(call.output, blocks)
        return (result, call.freed(call.aux)) if has_aux else result

    return jacobian


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The function that computes the second derivatives of `func`: `jacfwd` of `jacrev`.

    >>> import autograd_cnn as ag
    >>> hessian(lambda x: (x ** 3).sum())(ag.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)


class _Call:
    """One call of the function, with the arguments to be derived for as tensors of this derivative's own."""

    def __init__(
        self,
        name: str,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        argnums: Argnums,
        has_aux: bool,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        self.name, self.argnums = name, argnums
        self.places = [_place(name, i, len(args)) for i in ((argnums,) if isinstance(argnums, int) else argnums)]
        self.wanted = tuple(args[i] for i in self.places)
        recording = is_grad_enabled()
        with enable_grad():
            self.inputs = [self._own(x) for x in leaves(self.wanted)]
            given = list(args)
            for i, value in zip(self.places, rebuilt(self.wanted, self.inputs), strict=True):
                given[i] = value
            result = func(*given, **(kwargs or {}))
        if has_aux and not (isinstance(result, tuple) and len(result) == 2):
            raise DTypeError(f"{name}: with has_aux the function must return (output, aux)")
        self.output: Any = result[0] if has_aux else result
        self.aux: Any = result[1] if has_aux else None
        self.linked = recording and self._reaches_out()

    def _own(self, x: Any) -> Any:
        if not isinstance(x, Tensor) or x.array.dtype.kind != "f":
            kind = x.dtype if isinstance(x, Tensor) else type(x).__name__
            raise DTypeError(f"{self.name}: can differentiate for floating point tensors, got {kind}")
        return x.view_as(x) if x.requires_grad else x.detach().requires_grad_()

    def _reaches_out(self) -> bool:
        """Whether the result has a graph beyond this call's own tensors."""
        tensors = [y for y in leaves(self.output) if isinstance(y, Tensor) and y.requires_grad]
        own = {id(x) for x in self.inputs}
        if any(y.node is None and id(y) not in own for y in tensors):
            return True
        edges = (edge for node in reachable({y.node for y in tensors if y.node is not None}) for edge in node.edges)
        return any(edge is not None and not isinstance(edge[0], Node) and id(edge[0]) not in own for edge in edges)

    def outputs(self) -> list[Any]:
        """The tensors that the function returned."""
        found = leaves(self.output)
        for y in found:
            if not isinstance(y, Tensor):
                raise DTypeError(f"{self.name}: the function must return tensors, got {type(y).__name__}")
        return found

    def vector(self, tree: Any, like: Sequence[Any], what: str = "cotangents") -> list[Any]:
        """The tensors of a vector to multiply with, checked against what it has to be like."""
        found = leaves(tree)
        if len(found) != len(like):
            raise ArgumentError(f"{self.name}: {what} have {len(found)} tensors, {len(like)} are needed")
        for i, (v, x) in enumerate(zip(found, like, strict=True)):
            if not isinstance(v, Tensor) or v.shape != x.shape:
                got = list(v.shape) if isinstance(v, Tensor) else type(v).__name__
                raise ShapeError(f"{self.name}: {what}[{i}] must have shape {list(x.shape)}, got {got}")
        return found

    def pulled(self, found: Sequence[Any]) -> Any:
        """Gradients in the form of the arguments."""
        linked = any(g is not None and g.requires_grad for g in found)
        return self.arranged(_filled(found, self.inputs, linked))

    def arranged(self, values: Sequence[Any]) -> Any:
        """A value for each input in the form of the arguments, of the one argument where argnums is a number."""
        result = rebuilt(self.wanted, values)
        return result[0] if isinstance(self.argnums, int) else result

    def freed(self, tree: Any) -> Any:
        """Results without this call's graph, unless it reaches out."""
        if self.linked:
            return tree
        return mapped(lambda leaf: leaf.detach() if isinstance(leaf, Tensor) else leaf, tree)


def _place(name: str, i: int, count: int) -> int:
    if not -count <= i < count:
        raise ArgumentError(f"{name}: argnums has {i}, the function was called with {count} positional arguments")
    return i % count


def _filled(found: Sequence[Any], like: Sequence[Any], linked: bool) -> list[Any]:
    """What was found, with zeros where there is nothing; without a graph unless linked."""
    values = [x.detach().new_zeros(x.shape) if g is None else g for g, x in zip(found, like, strict=True)]
    return values if linked else [value.detach() for value in values]


def _stacked(parts: Sequence[Any], dim: int, y: Any, x: Any) -> Any:
    """Rows or columns as dy/dx."""
    shape = (*y.shape, *x.shape)
    return stack(list(parts), dim).reshape(shape) if parts else y.detach().new_zeros(shape)
