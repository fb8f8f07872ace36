"""What the current context says of recording: on or off, in which module, at which time step.

All of it is one immutable `State` in one ContextVar, so that threads and asyncio tasks do not see each other's
and `apply` reads it with a single look-up.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator
from contextvars import ContextVar
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class Scope:
    """The call of a module, inside the call of its parent.  `path` is dotted, `""` for the outermost."""

    __slots__ = ("module", "parent", "path")

    def __init__(self, module: object, parent: Scope | None, path: str) -> None:
        self.module = module
        self.parent = parent
        self.path = path


class State:
    __slots__ = ("anomaly", "inference", "order", "recording", "scope", "timestep")

    def __init__(
        self,
        recording: bool = True,
        inference: bool = False,
        anomaly: bool = False,
        scope: Scope | None = None,
        timestep: int | None = None,
        order: int = 1,
    ) -> None:
        self.recording = recording
        self.inference = inference
        self.anomaly = anomaly
        self.scope = scope
        self.timestep = timestep
        self.order = order  # 1 forward, 2 for what a first backward pass records, and so on

    def but(self, **changes: Any) -> State:
        """A copy with some fields changed."""
        other = self.within(self.scope)
        for name, value in changes.items():
            setattr(other, name, value)
        return other

    def within(self, scope: Scope | None) -> State:
        """`but(scope=scope)`, quick: every call of a module needs one."""
        return State(self.recording, self.inference, self.anomaly, scope, self.timestep, self.order)


STATE: ContextVar[State] = ContextVar("autograd_cnn_state", default=State())  # noqa: B039  (State is never mutated)


def is_grad_enabled() -> bool:
    """Whether ops are recorded now.

    >>> is_grad_enabled()
    True
    """
    return STATE.get().recording


def is_inference_mode_enabled() -> bool:
    """Whether inference mode is on now.

    >>> is_inference_mode_enabled()
    False
    """
    return STATE.get().inference


class StateManager:
    """Changes fields of the state for a `with` block or, as a decorator, for a call.

    A decorated generator function holds its mode only while it runs, not while it is suspended.
    """

    def __init__(self, **changes: Any) -> None:
        self._changes = changes
        self._before: list[State] = []

    def __enter__(self) -> StateManager:
        state = STATE.get()
        self._before.append(state)
        STATE.set(state.but(**self._changes))
        return self

    def __exit__(self, *exception: object) -> None:
        STATE.set(self._before.pop())

    def __call__(self, function: F) -> F:
        changes = self._changes
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def generate(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
                generator = function(*args, **kwargs)
                resume: Callable[[], Any] = functools.partial(next, generator)
                while True:
                    try:
                        with StateManager(**changes):
                            item = resume()
                    except StopIteration as stop:
                        return stop.value
                    try:
                        resume = functools.partial(generator.send, (yield item))
                    except GeneratorExit:
                        with StateManager(**changes):
                            generator.close()
                        raise
                    except BaseException as error:
                        resume = functools.partial(generator.throw, error)

            return generate  # type: ignore[return-value]

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with StateManager(**changes):
                return function(*args, **kwargs)

        return call  # type: ignore[return-value]


class no_grad(StateManager):
    """Ops inside are not recorded: results need no gradient.  A context manager and a decorator.

    >>> import autograd_cnn as ag
    >>> x = ag.ones(2, requires_grad=True)
    >>> with no_grad():
    ...     (x * 2).requires_grad
    False
    """

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        manager = super().__new__(cls)
        if function is None:
            return manager
        StateManager.__init__(manager, recording=False)
        return manager(function)

    def __init__(self) -> None:
        super().__init__(recording=False)


class enable_grad(StateManager):
    """Ops inside are recorded, also within `no_grad`.  A context manager and a decorator.

    >>> with no_grad(), enable_grad():
    ...     is_grad_enabled()
    True
    """

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        manager = super().__new__(cls)
        if function is None:
            return manager
        StateManager.__init__(manager, recording=True)
        return manager(function)

    def __init__(self) -> None:
        super().__init__(recording=True)


class ImmediateStateManager(StateManager):
    """Changes fields of the state at once; as a context manager, gives the former ones back at the end."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(**changes)
        self._outer = STATE.get()
        STATE.set(self._outer.but(**changes))

    def __enter__(self) -> ImmediateStateManager:
        STATE.set(self._outer.but(**self._changes))
        self._before.append(self._outer)
        return self

    def __call__(self, function: F) -> F:
        STATE.set(self._outer)
        return super().__call__(function)


class set_grad_enabled(ImmediateStateManager):
    """Turns recording on or off: at once as a function, for a block as a context manager.

    >>> with set_grad_enabled(False):
    ...     is_grad_enabled()
    False
    >>> is_grad_enabled()
    True
    """

    def __init__(self, mode: bool) -> None:
        super().__init__(recording=bool(mode))


class inference_mode(StateManager):
    """Ops inside are not recorded, and their results can never take part in recording.

    >>> import autograd_cnn as ag
    >>> with inference_mode():
    ...     y = ag.ones(2) * 2
    >>> y.is_inference()
    True
    """

    def __new__(cls, mode: Callable[..., Any] | bool = True) -> Any:
        manager = super().__new__(cls)
        if isinstance(mode, bool):
            return manager
        StateManager.__init__(manager, recording=False, inference=True)
        return manager(mode)

    def __init__(self, mode: bool = True) -> None:
        super().__init__(recording=not mode, inference=mode)


class timestep(StateManager):
    """Marks what is recorded inside as belonging to time step `t`, for pictures of loops.

    >>> import autograd_cnn as ag
    >>> h = ag.zeros(2, requires_grad=True)
    >>> with timestep(3):
    ...     h = h.tanh()
    >>> h.grad_fn.timestep
    3
    """

    def __init__(self, t: int) -> None:
        super().__init__(timestep=int(t))
