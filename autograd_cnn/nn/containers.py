"""Modules that hold other modules: Sequential, ModuleList, ModuleDict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from autograd_cnn.errors import ArgumentError
from autograd_cnn.nn.module import Module


class Sequential(Module):
    """Modules applied one after the other: y = m_k(... m_2(m_1(x))).

    >>> from autograd_cnn import nn
    >>> Sequential(nn.Linear(2, 3), nn.ReLU())
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): ReLU()
    )
    """

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        named: Iterable[tuple[str, Module]]
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            named = modules[0].items()
        else:
            named = ((str(i), module) for i, module in enumerate(modules))
        for name, module in named:
            self.add_module(name, module)

    def forward(self, x: Any) -> Any:
        for module in self._modules.values():
            x = module(x)
        return x

    def append(self, module: Module) -> Sequential:
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Sequential:
        for module in modules:
            self.append(module)
        return self

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __getitem__(self, key: int | slice) -> Any:
        if isinstance(key, slice):
            return Sequential(dict(list(self._modules.items())[key]))
        return self._modules[_name(self, key)]

    def __setitem__(self, key: int, module: Module) -> None:
        self.add_module(_name(self, key), module)


class ModuleList(Module):
    """A list of modules whose parameters count as its own; it has no forward.

    >>> from autograd_cnn import nn
    >>> layers = ModuleList(nn.Linear(2, 2) for _ in range(3))
    >>> len(layers), len(list(layers.parameters()))
    (3, 6)
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(modules or ())

    def append(self, module: Module) -> ModuleList:
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> ModuleList:
        for module in modules:
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> None:
        modules = list(self)
        modules.insert(index, module)
        self._modules.clear()
        self.extend(modules)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __getitem__(self, key: int | slice) -> Any:
        if isinstance(key, slice):
            return ModuleList(list(self)[key])
        return self._modules[_name(self, key)]

    def __setitem__(self, key: int, module: Module) -> None:
        self.add_module(_name(self, key), module)


class ModuleDict(Module):
    """Modules under names of the user's choice; it has no forward.

    >>> from autograd_cnn import nn
    >>> heads = ModuleDict({"class": nn.Linear(4, 10), "box": nn.Linear(4, 4)})
    >>> list(heads.keys())
    ['class', 'box']
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        self.update(modules or {})

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        for name, module in dict(modules).items():
            self.add_module(name, module)

    def _new_name(self, kind: str, name: str) -> None:
        # Keys may coincide with attributes of the class, such as "train": they are not reached as attributes.
        if not isinstance(name, str) or "." in name or not name:
            raise ArgumentError(f"ModuleDict: a key must be a non-empty string without dots, got {name!r}")

    def keys(self) -> Iterable[str]:
        return self._modules.keys()

    def values(self) -> Iterable[Module]:
        return self._modules.values()

    def items(self) -> Iterable[tuple[str, Module]]:
        return self._modules.items()

    def pop(self, key: str) -> Module:
        return self._modules.pop(key)

    def clear(self) -> None:
        self._modules.clear()

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __getitem__(self, key: str) -> Module:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]


def _name(container: Sequential | ModuleList, index: int) -> str:
    """The name of the module at a position, counted from the end where it is negative."""
    size = len(container)
    if not -size <= index < size:
        raise IndexError(f"{type(container).__name__}: index {index} is out of range for {size} modules")
    return list(container._modules)[index]
