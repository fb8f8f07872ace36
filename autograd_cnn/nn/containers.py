"""Modules that hold other modules: Sequential, ModuleList, ModuleDict."""

from __future__ import annotations

import operator
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from itertools import groupby
from typing import TYPE_CHECKING, Any, Self

from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.nn.module import Module

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class ModuleSequence(Module):
    """What Sequential and ModuleList share: the methods of a list."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def _name_at(self, index: int) -> str:
        """The name of the module at a position, counted from the end where it is negative."""
        position, size = operator.index(index), len(self)
        if not -size <= position < size:
            raise IndexOutOfRangeError(f"{self._get_name()}: index {position} is out of range for {size} modules")
        return list(self._modules)[position]

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self._part(list(self._modules.items())[index])
        return self._modules[self._name_at(index)]

    def _part(self, named: list[tuple[str, Any]]) -> Self:
        """A container of the same class for some of the modules."""
        raise NotImplementedError(f"{self._get_name()}._part")

    def __setitem__(self, index: int, module: Module) -> None:
        self.add_module(self._name_at(index), module)

    def __delitem__(self, index: int | slice) -> None:
        names = list(self._modules)[index] if isinstance(index, slice) else [self._name_at(index)]
        self._renumber(module for name, module in self._modules.items() if name not in names)

    def _renumber(self, modules: Iterable[Any]) -> None:
        self._modules = {str(i): module for i, module in enumerate(list(modules))}

    def append(self, module: Module) -> Self:
        """Adds a module at the end; returns self."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Adds modules at the end; returns self."""
        if not isinstance(modules, Iterable):
            raise DTypeError(f"{self._get_name()}.extend: modules must be iterable, got {type(modules).__name__}")
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Puts a module before the one at `index`; returns self."""
        if not isinstance(module, Module):
            raise DTypeError(f"{self._get_name()}.insert: module must be a Module, got {type(module).__name__}")
        size = len(self)
        if not -size <= index <= size:
            raise IndexOutOfRangeError(f"{self._get_name()}.insert: index {index} is out of range for {size} modules")
        modules = list(self)
        modules.insert(index, module)
        self._renumber(modules)
        return self

    def pop(self, index: int | slice = -1) -> Any:
        """Takes out the module at `index` and returns it."""
        module = self[index]
        del self[index]
        return module

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)


class Sequential(ModuleSequence):
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
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, module in modules[0].items():
                self.add_module(name, module)
        else:
            self.extend(modules)

    def forward(self, input: Tensor) -> Tensor:
        for module in self:
            input = module(input)
        return input

    def _part(self, named: list[tuple[str, Any]]) -> Self:
        return type(self)(dict(named))

    def __add__(self, other: Sequential) -> Sequential:
        if not isinstance(other, Sequential):
            raise ArgumentError(f"Sequential: can only add a Sequential, got {type(other).__name__}")
        return Sequential(*self, *other)

    def __mul__(self, times: int) -> Sequential:
        if times < 1:
            raise ArgumentError(f"Sequential: can only be repeated 1 or more times, got {times}")
        return Sequential(*(list(self) * times))

    __rmul__ = __mul__


class ModuleList(ModuleSequence):
    """A list of modules whose parameters count as its own; it has no forward.

    >>> from autograd_cnn import nn
    >>> layers = ModuleList(nn.Linear(2, 2) for _ in range(3))
    >>> len(layers), len(list(layers.parameters()))
    (3, 6)
    >>> layers
    ModuleList(
      (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)
    )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def _part(self, named: list[tuple[str, Any]]) -> Self:
        return type(self)(module for _, module in named)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __repr__(self) -> str:
        blocks, start = [], 0
        for text, run in groupby(map(repr, self)):
            count = len(list(run))
            blocks.append(f"({start}): {text}" if count == 1 else f"({start}-{start + count - 1}): {count} x {text}")
            start += count
        return self._block(blocks)


class ModuleDict(Module):
    """Modules under names of the user's choice; it has no forward.

    >>> from autograd_cnn import nn
    >>> heads = ModuleDict({"class": nn.Linear(4, 10), "box": nn.Linear(4, 4)})
    >>> list(heads.keys())
    ['class', 'box']
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Adds modules from a mapping or from pairs; those with a name that is there replace it."""
        if not isinstance(modules, Iterable):
            raise DTypeError(f"ModuleDict.update: modules must be a mapping or pairs, got {type(modules).__name__}")
        pairs = list(modules.items() if isinstance(modules, Mapping | ModuleDict) else modules)
        for i, pair in enumerate(pairs):
            if not isinstance(pair, tuple | list):
                raise DTypeError(f"ModuleDict.update: element {i} must be a pair, got {type(pair).__name__}")
            if len(pair) != 2:
                raise ShapeError(
                    f"ModuleDict.update: element {i} must have 2 parts, a name and a module, got {len(pair)}"
                )
        for name, module in pairs:
            self.add_module(name, module)

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._modules.keys()

    def values(self) -> ValuesView[Any]:
        """The modules."""
        return self._modules.values()

    def items(self) -> ItemsView[str, Any]:
        """Names and modules."""
        return self._modules.items()

    def pop(self, key: str) -> Any:
        """Takes out the module of that name and returns it."""
        return self._modules.pop(key)

    def clear(self) -> None:
        """Takes out all modules."""
        self._modules.clear()

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]
