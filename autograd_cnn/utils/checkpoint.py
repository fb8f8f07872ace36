"""checkpoint: less memory for a forward pass, part of which is run again during backward."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from autograd_cnn.errors import ArgumentError, DTypeError
from autograd_cnn.graph.grad_mode import STATE
from autograd_cnn.graph.recompute import Recomputation, recorded
from autograd_cnn.graph.record import next_index
from autograd_cnn.nn.containers import Sequential

Contexts = tuple[AbstractContextManager[Any], AbstractContextManager[Any]]


def noop_context_fn() -> Contexts:
    """No contexts: what `checkpoint` runs the function in unless told otherwise."""
    return nullcontext(), nullcontext()


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], Contexts] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """function(*args, **kwargs), of which nothing is kept for backward but the arguments; it runs again when needed.

    The result and all gradients are the same, of every order, for arguments and for whatever else the function uses.
    Random numbers are drawn again as they were, unless preserve_rng_state=False is given; what else the function
    changes, such as running statistics, it changes twice.  `context_fn` gives the contexts of the first run and of the
    second.  With determinism_check "none" it is not checked that the second run records the same ops.  There is one way
    to recompute, so `use_reentrant`, `debug` and `early_stop` change nothing.

    Backward raises GraphError where the function did something else the second time, and InPlaceError where a leaf
    that it uses, such as a parameter, was changed since.

    T. Chen, B. Xu, C. Zhang, C. Guestrin: "Training deep nets with sublinear memory cost", 2016.

    >>> import autograd_cnn as ag
    >>> x = ag.ones(2, requires_grad=True)
    >>> y = checkpoint(lambda x: (x * 3).exp().log(), x, use_reentrant=False)
    >>> y.grad_fn.saved_bytes()
    0
    >>> y.sum().backward()
    >>> x.grad
    tensor([3., 3.])
    """
    if determinism_check not in ("default", "none"):
        raise ArgumentError(f"checkpoint: determinism_check must be 'default' or 'none', got {determinism_check!r}")
    preserve = kwargs.pop("preserve_rng_state", True)
    first, second = context_fn()
    if not STATE.get().recording:
        with first:
            return function(*args, **kwargs)
    recomputation = Recomputation(
        lambda: function(*args, **kwargs), lambda: second, preserve, determinism_check == "default"
    )
    start = next_index()
    with first:
        outputs = function(*args, **kwargs)
    if recorded(outputs):
        recomputation.forget(outputs, start)
    return outputs


def checkpoint_sequential(
    functions: Sequential | Iterable[Callable[[Any], Any]],
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    **kwargs: Any,
) -> Any:
    """Functions one after the other, in `segments` parts of which each but the last is a `checkpoint`.

    functions: a Sequential, or functions of one argument.  Raises ArgumentError unless there is at least one segment
    and one function for each.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn import nn
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> checkpoint_sequential(net, 2, ag.ones(4, 2), use_reentrant=False).shape
    (4, 1)
    """
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise DTypeError(f"checkpoint_sequential: unexpected keyword arguments {', '.join(kwargs)}")
    parts: list[Any] = list(functions.children() if isinstance(functions, Sequential) else functions)
    if not 1 <= segments <= max(len(parts), 1):
        raise ArgumentError(f"checkpoint_sequential: {segments} segments of {len(parts)} functions")

    def part(start: int, end: int) -> Callable[[Any], Any]:
        def run(x: Any) -> Any:
            for function in parts[start:end]:
                x = function(x)
            return x

        return run

    size = len(parts) // segments
    for start in range(0, size * (segments - 1), size):
        input = checkpoint(part(start, start + size), input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return part(size * (segments - 1), len(parts))(input)
