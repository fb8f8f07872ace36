"""Optimizer: what all optimizers share - parameter groups, hooks, state, its saving and loading."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, StateDictError
from autograd_cnn.graph.handle import RemovableHandle, register
from autograd_cnn.graph.in_place import require_changeable
from autograd_cnn.tensor import Tensor

Group = dict[str, Any]  # the parameters under "params", and the settings
State = dict[str, Any]  # of a parameter
Hooks = dict[int, Callable[..., Any]]

_before_every_step: Hooks = {}
_after_every_step: Hooks = {}


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Calls `hook(optimizer, args, kwargs)` before each step of every optimizer.

    >>> register_optimizer_step_pre_hook(lambda optimizer, args, kwargs: None).remove()
    """
    return register(_before_every_step, hook)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Calls `hook(optimizer, args, kwargs)` after each step of every optimizer.

    >>> register_optimizer_step_post_hook(lambda optimizer, args, kwargs: None).remove()
    """
    return register(_after_every_step, hook)


def _with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """A class's `step` with the optimizer's hooks round it."""

    @wraps(step)
    def hooked(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        if type(self).step is not hooked:  # a subclass's step called its parent's
            return step(self, *args, **kwargs)
        given: tuple[Any, ...] = (self, *args)
        for hook in (*_before_every_step.values(), *self._step_pre_hooks.values()):
            changed = hook(self, given, kwargs)
            if changed is not None:
                if not isinstance(changed, tuple) or len(changed) != 2:
                    raise DTypeError(
                        f"{self._name}: a step pre-hook returns None or (args, kwargs), got {type(changed).__name__}"
                    )
                given, kwargs = changed
        result = step(*given, **kwargs)
        self._opt_called = True
        for hook in (*self._step_post_hooks.values(), *_after_every_step.values()):
            hook(self, given, kwargs)
        return result

    return hooked


class Optimizer:
    """Updates parameters from their gradients.

    `params` are tensors, pairs of a name and a tensor, or groups: dictionaries with `params` and settings of their own.
    A subclass has a `step` that changes the parameters of `param_groups` in place, under `no_grad`, and keeps what it
    has to remember of a parameter p in the dictionary `state[p]`.

    >>> import autograd_cnn as ag
    >>> class SignDescent(Optimizer):
    ...     def __init__(self, params, lr):
    ...         super().__init__(params, {"lr": lr})
    ...
    ...     @ag.no_grad()
    ...     def step(self, closure=None):
    ...         for group in self.param_groups:
    ...             for p in group["params"]:
    ...                 p -= group["lr"] * p.grad.sign()
    >>> p = ag.tensor([1.0, -2.0], requires_grad=True)
    >>> (p * p).sum().backward()
    >>> SignDescent([p], lr=0.5).step()
    >>> p
    tensor([ 0.5000, -1.5000], requires_grad=True)
    """

    _opt_called = False  # whether there was a step, which belongs before a schedule's

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.param_groups: list[Group] = []
        self.state: defaultdict[Any, State] = defaultdict(dict)
        self._step_pre_hooks: Hooks = {}
        self._step_post_hooks: Hooks = {}
        self._state_dict_pre_hooks: Hooks = {}
        self._state_dict_post_hooks: Hooks = {}
        self._load_state_dict_pre_hooks: Hooks = {}
        self._load_state_dict_post_hooks: Hooks = {}
        self.check(defaults)
        if isinstance(params, Tensor):
            raise DTypeError(f"{self._name}: params must be an iterable of tensors, got one tensor; put it in a list")
        if not isinstance(params, Iterable):
            raise DTypeError(f"{self._name}: params must be an iterable of tensors, got {type(params).__name__}")
        groups = list(params)
        if not groups:
            raise ArgumentError(f"{self._name}: got an empty list of parameters")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in vars(cls):
            cls.step = _with_hooks(cls.step)  # type: ignore[method-assign]

    @property
    def _name(self) -> str:
        return type(self).__name__

    def check(self, group: Mapping[str, Any]) -> None:
        """ArgumentError for settings that are not possible."""

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Updates every parameter that has a gradient; a `closure` computes the loss first, and is returned."""
        raise NotImplementedError(f"{self._name}.step")

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Adds parameters with settings of their own; what is not set is the optimizer's default.

        Raises ArgumentError for impossible settings, for the result of an op, for a parameter that is in a group
        already, and where only some parameters have names; DTypeError for what is no tensor.
        """
        if not isinstance(param_group, Mapping):
            raise DTypeError(f"{self._name}: a parameter group must be a dict, got {type(param_group).__name__}")
        if "params" not in param_group:
            given = ", ".join(param_group) or "nothing"
            raise ArgumentError(f"{self._name}: a parameter group needs 'params', got {given}")
        params = param_group["params"]
        if isinstance(params, set):
            raise DTypeError(f"{self._name}: params must have an order, got a set")
        params = [params] if isinstance(params, Tensor) else list(params)
        named = [pair for pair in params if isinstance(pair, tuple) and len(pair) == 2]
        names = {"param_names": [name for name, _ in named]} if named else {}
        if named and len(named) != len(params):
            raise ArgumentError(f"{self._name}: {len(named)} of {len(params)} parameters have a name; all or none must")
        if named:
            params = [p for _, p in named]
        complete: Group = {**self.defaults, **param_group, **names, "params": params}
        if any(("param_names" in group) != ("param_names" in complete) for group in self.param_groups):
            raise ArgumentError(f"{self._name}: the parameters of all groups must have names, or of none")
        known = set(self._params())
        for p in params:
            if not isinstance(p, Tensor):
                raise DTypeError(f"{self._name}: can only optimize tensors, got {type(p).__name__}")
            if not (p.is_leaf or p.retains_grad):
                raise ArgumentError(f"{self._name}: can only optimize leaves, got the result of {p.grad_fn}")
            if p in known:
                raise ArgumentError(f"{self._name}: a parameter of shape {list(p.shape)} is in a group more than once")
            known.add(p)
        self.check(complete)
        self.param_groups.append(complete)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets all gradients, or sets them to zero; InPlaceError where one cannot be, and none has been then."""
        params: list[Any] = self._params()
        if not set_to_none:
            for p in params:
                if p._grad is not None:
                    require_changeable(f"{self._name}.zero_grad", "a gradient", p._grad)
        for p in params:
            if set_to_none:
                p._grad = None
            elif p._grad is not None:
                p._grad = p._grad.detach().zero_()

    # Hooks

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls `hook(optimizer, args, kwargs)` before each step; what it returns, unless None, are the new two."""
        return register(self._step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls `hook(optimizer, args, kwargs)` after each step."""
        return register(self._step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Calls `hook(optimizer)` before a state dict is made; the last of all hooks, or with `prepend` the first."""
        return _placed(self._state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Calls `hook(optimizer, state_dict)` once a state dict is made; it may return another."""
        return _placed(self._state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Calls `hook(optimizer, state_dict)` before one is loaded; it may return another."""
        return _placed(self._load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Calls `hook(optimizer)` once a state dict is loaded."""
        return _placed(self._load_state_dict_post_hooks, hook, prepend)

    # State

    def state_dict(self) -> dict[str, Any]:
        """The state with parameters replaced by their position, and the settings of every group.

        >>> import autograd_cnn as ag
        >>> from autograd_cnn.optim import SGD
        >>> SGD([ag.zeros(1, requires_grad=True)], lr=0.1).state_dict()["param_groups"][0]["lr"]
        0.1
        """
        for hook in self._state_dict_pre_hooks.values():
            hook(self)
        position = {p: i for i, p in enumerate(self._params())}
        groups = [{**group, "params": [position[p] for p in group["params"]]} for group in self.param_groups]
        states: dict[Any, Any] = {key: value for key, value in self.state.items() if key not in position}
        for group in self.param_groups:
            for p in group["params"]:
                state = self._saved_state(self.state.get(p, {}), group)
                if state:
                    states[position[p]] = state
        result: dict[str, Any] = {"state": states, "param_groups": groups}
        for hook in self._state_dict_post_hooks.values():
            changed = hook(self, result)
            result = result if changed is None else changed
        return result

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Takes over a state of `state_dict`, copied; PyTorch's is one, its tensors given as arrays.

        Raises StateDictError where groups, parameters, names or shapes differ, ArgumentError for impossible settings;
        nothing has changed then.
        """
        for hook in self._load_state_dict_pre_hooks.values():
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        try:
            saved, state = list(state_dict["param_groups"]), dict(state_dict["state"])
            sizes, own = ([len(group["params"]) for group in groups] for groups in (saved, self.param_groups))
        except (KeyError, TypeError, ValueError):
            raise StateDictError(
                f"{self._name}: a state dict has 'state', by parameter, and 'param_groups', each with 'params'"
            ) from None
        if sizes != own:
            raise StateDictError(
                f"{self._name}: the state dict has groups of {sizes} parameters, the optimizer of {own}"
            )
        groups = [self._loaded_group(group, i) for i, group in enumerate(saved)]
        targets = {
            i: (p, group)
            for old, group in zip(saved, groups, strict=True)
            for i, p in zip(old["params"], group["params"], strict=True)
        }
        loaded: defaultdict[Any, State] = defaultdict(dict)
        for i, entries in state.items():
            if i in targets:
                p, group = targets[i]
                loaded[p] = self._loaded_state(i, p, entries, group)
            else:
                loaded[i] = self._loaded_other(i, entries)
        self.state = loaded
        self._opt_called = True  # before the state was saved
        for group, settings in zip(self.param_groups, groups, strict=True):
            group.update(settings)
        for hook in self._load_state_dict_post_hooks.values():
            hook(self)

    def _saved_state(self, state: State, group: Group) -> State:
        """What is saved of the state of a parameter."""
        return state

    def _loaded_group(self, saved: Mapping[str, Any], i: int) -> Group:
        settings = {name: _number(value) for name, value in saved.items() if name != "params"}
        self.check({**self.defaults, **settings})
        return {**copy.deepcopy(settings), "params": self.param_groups[i]["params"]}

    def _loaded_state(self, i: Any, p: Tensor, saved: Any, group: Group) -> State:
        return {name: value if name == "step" else _fitted(value, p) for name, value in copy.deepcopy(saved).items()}

    def _loaded_other(self, key: Any, saved: Any) -> Any:
        """What the state keeps that is of no parameter."""
        return copy.deepcopy(saved)

    def _params(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group["params"]]

    def __repr__(self) -> str:
        lines = [f"{self._name} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])


def _placed(hooks: Hooks, hook: Callable[..., Any], first: bool) -> RemovableHandle:
    handle = register(hooks, hook)
    if first:
        others = {id: other for id, other in hooks.items() if id != handle.id}
        hooks.clear()
        hooks.update({handle.id: hook, **others})
    return handle


def _number(value: Any) -> Any:
    """The number in a tensor or array of one; anything else as it is, lists as tuples."""
    if isinstance(value, tuple) or (isinstance(value, list) and not all(isinstance(item, str) for item in value)):
        return tuple(map(_number, value))
    return value.item() if getattr(value, "ndim", None) == 0 and hasattr(value, "item") else value


def _fitted(value: Any, p: Tensor) -> Any:
    """A loaded value with the tensors and arrays in it of the parameter's dtype."""
    if isinstance(value, Tensor | np.ndarray):
        return p.new_tensor(value.array if isinstance(value, Tensor) else value)
    if isinstance(value, Mapping):
        return {name: _fitted(item, p) for name, item in value.items()}
    return type(value)(_fitted(item, p) for item in value) if isinstance(value, list | tuple) else value
