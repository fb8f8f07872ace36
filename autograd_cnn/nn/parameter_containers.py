"""Modules that hold parameters of their own: ParameterList, ParameterDict."""

from __future__ import annotations

import operator
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Self

from autograd_cnn.errors import DTypeError, IndexOutOfRangeError
from autograd_cnn.nn.module import Module
from autograd_cnn.nn.parameter import Parameter
from autograd_cnn.tensor import Tensor


class ParameterList(Module):
    """Parameters as a list; tensors become parameters.

    Raises DTypeError for what is no tensor, IndexOutOfRangeError for a position that is not there.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn import nn
    >>> weights = ParameterList([ag.ones(2, 3), nn.Parameter(ag.zeros(2))])
    >>> [tuple(weight.shape) for weight in weights], list(weights.state_dict())
    ([(2, 3), (2,)], ['0', '1'])
    """

    def __init__(self, values: Iterable[Tensor] | None = None) -> None:
        super().__init__()
        if values is not None:
            self.extend(values)

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._parameters.values())

    def _name_at(self, index: int) -> str:
        position, size = operator.index(index), len(self)
        if not -size <= position < size:
            raise IndexOutOfRangeError(f"ParameterList: index {position} is out of range for {size} parameters")
        return str(position % size)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return self._parameters[self._name_at(index)]

    def __setitem__(self, index: int, value: Tensor) -> None:
        setattr(self, self._name_at(index), _parameter("ParameterList", value))

    def append(self, value: Tensor) -> Self:
        """Adds a parameter at the end; returns self."""
        self.register_parameter(str(len(self)), _parameter("ParameterList", value))
        return self

    def extend(self, values: Iterable[Tensor]) -> Self:
        """Adds parameters at the end; returns self."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise DTypeError(f"ParameterList.extend: values must hold tensors, got {type(values).__name__}")
        for value in [_parameter("ParameterList", value) for value in values]:
            self.append(value)
        return self

    def __iadd__(self, values: Iterable[Tensor]) -> Self:
        return self.extend(values)

    def extra_repr(self) -> str:
        return _lines(self._parameters)


class ParameterDict(Module):
    """Parameters under names of the user's choice; tensors become parameters.

    Raises DTypeError for what is no tensor.

    >>> import autograd_cnn as ag
    >>> scales = ParameterDict({"left": ag.ones(2), "right": ag.zeros(2)})
    >>> scales["left"] = ag.ones(3)
    >>> {name: tuple(scale.shape) for name, scale in scales.items()}
    {'left': (3,), 'right': (2,)}
    """

    def __init__(self, parameters: Mapping[str, Tensor] | Iterable[tuple[str, Tensor]] | None = None) -> None:
        super().__init__()
        if parameters is not None:
            self.update(parameters)

    def update(self, parameters: Mapping[str, Tensor] | Iterable[tuple[str, Tensor]]) -> None:
        """Adds parameters from a mapping or from pairs; those with a name that is there replace it."""
        pairs = parameters.items() if isinstance(parameters, Mapping | ParameterDict) else parameters
        for name, value in [(name, _parameter("ParameterDict", value)) for name, value in pairs]:
            self[name] = value

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._parameters.keys()

    def values(self) -> ValuesView[Any]:
        """The parameters."""
        return self._parameters.values()

    def items(self) -> ItemsView[str, Any]:
        """Names and parameters."""
        return self._parameters.items()

    def get(self, key: str, default: Any = None) -> Any:
        """The parameter of that name, or `default`."""
        return self._parameters.get(key, default)

    def setdefault(self, key: str, default: Tensor) -> Any:
        """The parameter of that name, which `default` becomes where there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: str) -> Any:
        """Takes out the parameter of that name and returns it."""
        parameter = self[key]
        del self[key]
        return parameter

    def clear(self) -> None:
        """Takes out all parameters."""
        for key in list(self):
            del self[key]

    def copy(self) -> ParameterDict:
        """Another dictionary of the same parameters."""
        return type(self)(self._parameters.items())  # type: ignore[arg-type]  # none of them is None

    def __contains__(self, key: str) -> bool:
        return key in self._parameters

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __getitem__(self, key: str) -> Any:
        return self._parameters[key]

    def __setitem__(self, key: str, value: Tensor) -> None:
        self.register_parameter(key, _parameter("ParameterDict", value))

    def __delitem__(self, key: str) -> None:
        if key not in self._parameters:
            raise KeyError(key)
        delattr(self, key)

    def extra_repr(self) -> str:
        return _lines(self._parameters)


def _parameter(owner: str, value: Any) -> Parameter:
    if not isinstance(value, Tensor):
        raise DTypeError(f"{owner}: values must be tensors, got {type(value).__name__}")
    return value if isinstance(value, Parameter) else Parameter(value)


def _lines(parameters: Mapping[str, Any]) -> str:
    return "\n".join(
        f"  ({name}): Parameter containing: [{parameter.dtype} of size {'x'.join(map(str, parameter.shape))}]"
        for name, parameter in parameters.items()
    )
