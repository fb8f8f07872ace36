"""Module: parameters, buffers and child modules under names, and a forward pass."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from autograd_cnn.dtype import as_dtype
from autograd_cnn.errors import ArgumentError, DTypeError, StateDictError
from autograd_cnn.graph.grad_mode import STATE, Scope
from autograd_cnn.graph.handle import RemovableHandle, register
from autograd_cnn.nn.backward_hook import Watcher
from autograd_cnn.nn.parameter import Buffer, Parameter
from autograd_cnn.tensor import Tensor

T = TypeVar("T", bound="Module")


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict(strict=False)` could not match."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """A layer or a network: assign parameters and modules to attributes, define `forward`, and call it.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden = nn.Linear(4, 8)
    ...         self.out = nn.Linear(8, 2)
    ...     def forward(self, x):
    ...         return self.out(self.hidden(x).relu())
    >>> net = Net()
    >>> net(ag.zeros(3, 4)).shape
    (3, 2)
    >>> net
    Net(
      (hidden): Linear(in_features=4, out_features=8, bias=True)
      (out): Linear(in_features=8, out_features=2, bias=True)
    )
    """

    training: bool

    def __init__(self) -> None:
        for name in ("_parameters", "_buffers", "_modules"):
            object.__setattr__(self, name, {})
        for name in ("_forward_pre_hooks", "_forward_hooks", "_backward_hooks"):
            object.__setattr__(self, name, {})
        object.__setattr__(self, "_transient", set())
        object.__setattr__(self, "training", True)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The computation; subclasses define it."""
        raise AttributeError(f"{type(self).__name__}: has no forward method; define forward(self, ...)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        state = STATE.get()
        parent = state.scope
        path = "" if parent is None else parent.module._path_of(self, parent.path)  # type: ignore[attr-defined]
        STATE.set(state.but(scope=Scope(self, parent, path)))
        try:
            for pre_hook in list(self._forward_pre_hooks.values()):
                changed = pre_hook(self, args)
                if changed is not None:
                    args = changed if isinstance(changed, tuple) else (changed,)
            if self._backward_hooks:
                watcher = Watcher(self, list(self._backward_hooks.values()))
                result = watcher.watch_outputs(self.forward(*watcher.watch_inputs(args), **kwargs))
            else:
                result = self.forward(*args, **kwargs)
            for hook in list(self._forward_hooks.values()):
                changed = hook(self, args, result)
                if changed is not None:
                    result = changed
            return result
        finally:
            STATE.set(state)

    def _path_of(self, child: Module, own: str) -> str:
        """The dotted path of a module called within this one."""
        name = next((n for n, m in self._modules.items() if m is child), None)
        if name is None:
            name = next((n for n, m in self.named_modules() if m is child), type(child).__name__)
        return f"{own}.{name}" if own else name

    # Attributes

    def __setattr__(self, name: str, value: Any) -> None:
        registries = self.__dict__
        if "_parameters" not in registries:
            raise AttributeError(f"{type(self).__name__}: call super().__init__() before assigning {name!r}")
        if isinstance(value, Parameter):
            self._forget(name)
            self._parameters[name] = value
        elif isinstance(value, Module):
            self._forget(name)
            self._modules[name] = value
        elif isinstance(value, Buffer):
            self._forget(name)
            self.register_buffer(name, value, persistent=value.persistent)
        elif name in self._parameters:
            if value is not None:
                raise DTypeError(f"{type(self).__name__}: parameter {name!r} must be a Parameter, got {type(value).__name__}")
            self._parameters[name] = None
        elif name in self._buffers and (value is None or isinstance(value, Tensor)):
            self._buffers[name] = value
        elif name in self._modules and value is None:
            self._modules[name] = None
        else:
            object.__setattr__(self, name, value)

    def _forget(self, name: str) -> None:
        self.__dict__.pop(name, None)
        for registry in (self._parameters, self._buffers, self._modules):
            registry.pop(name, None)

    def __getattr__(self, name: str) -> Any:
        for registry in ("_parameters", "_buffers", "_modules"):
            members = self.__dict__.get(registry)
            if members is not None and name in members:
                return members[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __delattr__(self, name: str) -> None:
        for registry in (self._parameters, self._buffers, self._modules):
            if name in registry:
                del registry[name]
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._parameters, *self._buffers, *self._modules})

    def _new_name(self, kind: str, name: str) -> None:
        if not isinstance(name, str) or "." in name or not name:
            raise ArgumentError(f"{type(self).__name__}: a {kind}'s name must be a non-empty string without dots, got {name!r}")
        if hasattr(self, name) and name not in {**self._parameters, **self._buffers, **self._modules}:
            raise ArgumentError(f"{type(self).__name__}: there is an attribute {name!r} already")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Adds a parameter under `name`; None declares that there is none."""
        self._new_name("parameter", name)
        self._forget(name)
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Adds a tensor that is saved with the module (where `persistent`) but not trained."""
        self._new_name("buffer", name)
        self._forget(name)
        self._buffers[name] = tensor
        if persistent:
            self._transient.discard(name)
        else:
            self._transient.add(name)

    def register_module(self, name: str, module: Module | None) -> None:
        """Adds a child under `name`."""
        self._new_name("module", name)
        self._forget(name)
        self._modules[name] = module

    add_module = register_module

    # Walks

    def named_modules(self, prefix: str = "", memo: set[Module] | None = None) -> Iterator[tuple[str, Module]]:
        """Self and every module below with its dotted path, each once."""
        memo = set() if memo is None else memo
        stack = [(prefix, self)]
        while stack:
            path, module = stack.pop()
            if module in memo:
                continue
            memo.add(module)
            yield path, module
            children = [(f"{path}.{n}" if path else n, m) for n, m in module._modules.items() if m is not None]
            stack.extend(reversed(children))

    def modules(self) -> Iterator[Module]:
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        return (module for _, module in self.named_children())

    def _named_members(self, registry: str, prefix: str, recurse: bool, once: bool) -> Iterator[tuple[str, Any]]:
        seen = set()
        for path, module in self.named_modules(prefix) if recurse else [(prefix, self)]:
            for name, member in getattr(module, registry).items():
                if member is None or member in seen:
                    continue
                if once:
                    seen.add(member)
                yield f"{path}.{name}" if path else name, member

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Every parameter with its dotted path, shared ones once."""
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The module at a dotted path."""
        module = self
        for name in target.split(".") if target else ():
            child = module._modules.get(name)
            if child is None:
                known = ", ".join(module._modules) or "none"
                raise AttributeError(f"get_submodule: {type(module).__name__} has no module {name!r} (it has: {known})")
            module = child
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        parameter = module._parameters.get(name)
        if parameter is None:
            raise AttributeError(f"get_parameter: {type(module).__name__} has no parameter {name!r}")
        return parameter

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if name not in module._buffers:
            raise AttributeError(f"get_buffer: {type(module).__name__} has no buffer {name!r}")
        return module._buffers[name]

    def apply(self: T, fn: Callable[[Module], None]) -> T:
        """Calls `fn` on every module below and on self; returns self."""
        for module in [*self.modules()][::-1]:
            fn(module)
        return self

    # State

    def state_dict(self, *, prefix: str = "", keep_vars: bool = False) -> OrderedDict[str, Tensor]:
        """Every parameter and persistent buffer by its dotted path, sharing memory.

        >>> from autograd_cnn import nn
        >>> list(nn.Linear(2, 1).state_dict())
        ['weight', 'bias']
        """
        state: OrderedDict[str, Tensor] = OrderedDict()
        for path, module in self._named_modules_all(prefix):
            for name, tensor in module._own_state():
                state[path + name] = tensor if keep_vars else tensor.detach()
        return state

    def _named_modules_all(self, prefix: str) -> Iterator[tuple[str, Module]]:
        """Every module under every path it has (shared ones several times); paths end with a dot."""
        stack = [(prefix, self)]
        while stack:
            path, module = stack.pop()
            yield path, module
            stack.extend((f"{path}{n}.", m) for n, m in reversed(module._modules.items()) if m is not None)

    def _own_state(self) -> Iterator[tuple[str, Tensor]]:
        for name, parameter in self._parameters.items():
            if parameter is not None:
                yield name, parameter
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._transient:
                yield name, buffer

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copies a state dict into the parameters and buffers, by name.

        Raises StateDictError that lists every missing, unexpected or misshapen entry (with `strict=False` only the
        misshapen ones); nothing has changed then.
        """
        own: dict[str, Tensor] = {}
        for path, module in self._named_modules_all(""):
            own.update((path + name, tensor) for name, tensor in module._own_state())
        missing = [name for name in own if name not in state_dict]
        unexpected = [name for name in state_dict if name not in own]
        problems = []
        if strict and missing:
            problems.append("missing: " + ", ".join(missing))
        if strict and unexpected:
            problems.append("unexpected: " + ", ".join(unexpected))
        for name, tensor in own.items():
            if name in state_dict:
                shape = getattr(state_dict[name], "shape", None)
                if shape is None:
                    problems.append(f"{name}: is a {type(state_dict[name]).__name__}, not a tensor or an array")
                elif tuple(shape) != tensor.shape:
                    problems.append(f"{name}: has shape {list(shape)} in the state dict, {list(tensor.shape)} in the model")
        if problems:
            raise StateDictError(f"load_state_dict for {type(self).__name__}:\n  " + "\n  ".join(problems))
        for name, tensor in own.items():
            if name in state_dict:
                value = state_dict[name]
                array = value.array if isinstance(value, Tensor) else value
                tensor.device.kernels.copy(tensor.device.from_host(array), tensor.array)
                tensor.version.count += 1
                tensor.version.changed_by = "load_state_dict"
        return IncompatibleKeys(missing, unexpected)

    # Modes and conversion

    def train(self: T, mode: bool = True) -> T:
        """Switches dropout, batch norm and their like to training behaviour; returns self."""
        if not isinstance(mode, bool):
            raise DTypeError(f"train: mode must be a bool, got {type(mode).__name__}")
        for module in self.modules():
            object.__setattr__(module, "training", mode)
        return self

    def eval(self: T) -> T:
        """Switches dropout, batch norm and their like to evaluation behaviour; returns self."""
        return self.train(False)

    def requires_grad_(self: T, requires_grad: bool = True) -> T:
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets all gradients, or sets them to zero."""
        for parameter in self.parameters():
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad.zero_()

    def to(self: T, *target: Any, dtype: Any = None, device: Any = None) -> T:
        """Converts floating point parameters and buffers to a dtype; returns self."""
        for module in self.modules():
            for registry in (module._parameters, module._buffers):
                for tensor in registry.values():
                    if tensor is None:
                        continue
                    converted = tensor.detach().to(*target, dtype=dtype, device=device)
                    if tensor.is_floating_point() and converted.is_floating_point():
                        tensor.array = converted.array
                        tensor.device = converted.device
                        if tensor._grad is not None:
                            tensor._grad = tensor._grad.detach().to(*target, dtype=dtype, device=device)
        return self

    def float(self: T) -> T:
        return self.to(as_dtype("float32", "float"))

    def double(self: T) -> T:
        return self.to(as_dtype("float64", "double"))

    def cpu(self: T) -> T:
        return self.to(device="cpu")

    # Hooks

    def register_forward_pre_hook(self, hook: Callable[[Module, tuple[Any, ...]], Any]) -> RemovableHandle:
        """Calls `hook(module, args)` before forward; what it returns, if anything, replaces the arguments."""
        return register(self._forward_pre_hooks, hook)

    def register_forward_hook(self, hook: Callable[[Module, tuple[Any, ...], Any], Any]) -> RemovableHandle:
        """Calls `hook(module, args, output)` after forward; what it returns, if anything, replaces the output."""
        return register(self._forward_hooks, hook)

    def register_full_backward_hook(self, hook: Callable[[Module, Any, Any], Any]) -> RemovableHandle:
        """Calls `hook(module, grad_input, grad_output)` when the gradients of the inputs are there.

        Both are tuples, None for what needs no gradient; what it returns, if anything, replaces grad_input.
        """
        return register(self._backward_hooks, hook)

    # Printing

    def extra_repr(self) -> str:
        """The settings between the parentheses of the printed module."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        lines = []
        for name, module in self._modules.items():
            body = repr(module).replace("\n", "\n  ")
            lines.append(f"({name}): {body}")
        extra = self.extra_repr()
        settings = extra.split("\n") if extra else []
        if not lines and len(settings) <= 1:
            return f"{self._get_name()}({extra})"
        return f"{self._get_name()}(\n  " + "\n  ".join(settings + lines) + "\n)"

    def flops(self, inputs: tuple[tuple[int, ...], ...], output: tuple[int, ...]) -> int:
        """Floating point operations of this module's own forward, given its inputs' and output's shapes."""
        return 0

    def summary(self, *inputs: Any, input_size: Any = None, depth: int | None = None) -> Any:
        """A table of output shapes, parameters and FLOPs of every layer, for an input or for its size.

        >>> from autograd_cnn import nn
        >>> nn.Sequential(nn.Linear(4, 2), nn.ReLU()).summary(input_size=(1, 4)).total_parameters
        10
        """
        from autograd_cnn.nn.summary import summarize

        return summarize(self, inputs, input_size, depth)
