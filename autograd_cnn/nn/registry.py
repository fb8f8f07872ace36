"""Registry: parameters, buffers and child modules under names, and the walks over them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from autograd_cnn.errors import ArgumentError, DTypeError, RegistrationError
from autograd_cnn.nn.parameter import Buffer, Parameter
from autograd_cnn.tensor import Tensor

if TYPE_CHECKING:
    from autograd_cnn.nn.module import Module


class Registry:
    """What a module consists of.  Assigning a parameter, a buffer or a module to an attribute registers it.

    Parameters and buffers are plain attributes as well: finding them through `__getattr__` alone would cost a layer
    more than its checks.
    """

    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]

    def __init__(self) -> None:
        # Straight into __dict__: __setattr__ needs these to be there.
        vars(self).update(_parameters={}, _buffers={}, _modules={}, _non_persistent_buffers_set=set())

    def __setattr__(self, name: str, value: Any) -> None:
        members = vars(self)
        if isinstance(value, Parameter):
            self._claim("_parameters", "parameter", name)
            self.register_parameter(name, value)
        elif name in members.get("_parameters", ()):
            _require(self, "parameter", name, value, Parameter)
            self._parameters[name] = members[name] = None
        elif isinstance(value, Registry):
            self._claim("_modules", "module", name)
            self._modules[name] = cast("Module", value)
        elif name in members.get("_modules", ()):
            _require(self, "module", name, value, Registry)
            self._modules[name] = None
        elif isinstance(value, Buffer) or name in members.get("_buffers", ()):
            persistent = value.persistent if isinstance(value, Buffer) else name not in self._non_persistent_buffers_set
            self.register_buffer(name, value, persistent)
        else:
            object.__setattr__(self, name, value)

    def _claim(self, registry: str, kind: str, name: str) -> None:
        """Takes a name from whatever else has it, so that `registry` can have it."""
        if registry not in vars(self):
            raise AttributeError(f"{type(self).__name__}: call super().__init__() before assigning {kind} {name!r}")
        if registry == "_parameters" and hasattr(type(self), name):
            raise RegistrationError(f"{type(self).__name__}: the class has an attribute {name!r} already")
        for other in ("_parameters", "_buffers", "_modules"):
            if other != registry:
                vars(self)[other].pop(name, None)
        self._non_persistent_buffers_set.discard(name)
        vars(self).pop(name, None)

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
                vars(self).pop(name, None)
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        names = {*super().__dir__(), *self._parameters, *self._buffers, *self._modules}
        return sorted(name for name in names if not name[:1].isdigit())

    def _check_name(self, registry: str, kind: str, name: str) -> None:
        owner = type(self).__name__
        if registry not in vars(self):
            raise AttributeError(f"{owner}: call super().__init__() before registering {kind} {name!r}")
        if not isinstance(name, str):
            raise DTypeError(f"{owner}: a {kind}'s name must be a string, got {type(name).__name__}")
        if "." in name or not name:
            raise RegistrationError(f"{owner}: a {kind}'s name must not be empty nor contain a dot, got {name!r}")
        if hasattr(self, name) and name not in vars(self)[registry]:
            raise RegistrationError(f"{owner}: cannot register {kind} {name!r}, there is such an attribute already")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Adds a parameter under `name`; None declares that there is none.

        Raises RegistrationError for a name that is taken, empty or dotted, DTypeError for anything but a Parameter.
        """
        self._check_name("_parameters", "parameter", name)
        _require(self, "parameter", name, param, Parameter)
        if param is not None and param.node is not None:
            raise ArgumentError(
                f"{type(self).__name__}: parameter {name!r} must be a leaf, got the result of {param.node.op.name}"
            )
        self._parameters[name] = vars(self)[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Adds a tensor that is part of the state (saved where `persistent`) but not trained.

        Raises RegistrationError for a name that is taken, empty or dotted, DTypeError for anything but a tensor.
        """
        self._check_name("_buffers", "buffer", name)
        _require(self, "buffer", name, tensor, Tensor)
        self._buffers[name] = vars(self)[name] = tensor
        (self._non_persistent_buffers_set.discard if persistent else self._non_persistent_buffers_set.add)(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Adds a child under `name`.

        Raises RegistrationError for a name that is taken, empty or dotted, DTypeError for anything but a Module.
        """
        self._check_name("_modules", "module", name)
        _require(self, "module", name, module, Registry)
        self._modules[name] = module

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as `add_module`."""
        self.add_module(name, module)

    # Walks

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Self and every module below with its dotted path; shared ones once, unless told otherwise."""
        memo = set() if memo is None else memo
        module = cast("Module", self)
        if module in memo:
            return
        if remove_duplicate:
            memo.add(module)
        yield prefix, module
        for name, child in self._modules.items():
            if child is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from child.named_modules(memo, path, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """Self and every module below, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules just below, each once."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules just below, each once."""
        return (module for _, module in self.named_children())

    def _named_members(self, registry: str, prefix: str, recurse: bool, once: bool) -> Iterator[tuple[str, Any]]:
        seen = set()
        owners = (
            self.named_modules(prefix=prefix, remove_duplicate=once) if recurse else [(prefix, cast("Module", self))]
        )
        for path, module in owners:
            for name, member in vars(module)[registry].items():
                if member is None or member in seen:
                    continue
                if once:
                    seen.add(member)
                yield f"{path}.{name}" if path else name, member

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Every parameter with its dotted path; shared ones once, unless told otherwise."""
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Every parameter, each once."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Every buffer with its dotted path; shared ones once, unless told otherwise."""
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Every buffer, each once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The module at a dotted path, self for "".  Raises AttributeError where there is none."""
        module = cast("Module", self)
        for name in target.split(".") if target else ():
            child = module._modules.get(name)
            if child is None:
                known = ", ".join(module._modules) or "none"
                raise AttributeError(
                    f"get_submodule {target!r}: {type(module).__name__} has no module {name!r} (it has: {known})"
                )
            module = child
        return module

    def _get_member(self, what: str, registry: str, target: str) -> Any:
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        members = vars(owner)[registry]
        if name not in members:
            known = ", ".join(members) or "none"
            raise AttributeError(
                f"get_{what} {target!r}: {type(owner).__name__} has no {what} {name!r} (it has: {known})"
            )
        return members[name]

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path.  Raises AttributeError where there is none."""
        return self._get_member("parameter", "_parameters", target)

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path.  Raises AttributeError where there is none."""
        return self._get_member("buffer", "_buffers", target)


def _require(owner: Registry, kind: str, name: str, value: Any, wanted: type) -> None:
    title = "Module" if wanted is Registry else wanted.__name__
    if value is not None and not isinstance(value, wanted):
        raise DTypeError(
            f"{type(owner).__name__}: {kind} {name!r} must be a {title} or None, got {type(value).__name__}"
        )
