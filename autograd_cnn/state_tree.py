"""Nested state (dicts, lists, tuples, numbers, arrays) as JSON and back, without loss.

JSON has no tuple, no integer key, no NaN and no array.  Each of these is written as an object with one key
that starts with `$`; every other value is written as JSON has it, floats by their shortest exact decimal.
Subclasses (an ordered dict, a named tuple) come back as the plain type.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping
from functools import singledispatch
from typing import Any

import numpy as np

from autograd_cnn.creation import from_numpy
from autograd_cnn.device import Device
from autograd_cnn.devices import device
from autograd_cnn.errors import ArgumentError, AutogradCnnError, CheckpointError
from autograd_cnn.tensor import Tensor

MAX_DEPTH = 64

Arrays = dict[str, np.ndarray]
Path = tuple[str, ...]


def encode(value: Any, arrays: Arrays | None = None) -> Any:
    """`value` as JSON; arrays go into `arrays` under their dotted path, or inline where `arrays` is None.

    Errors: `ArgumentError` that names the path of a value which is not data (an object, a set, a function).

    >>> arrays = {}
    >>> encode({"state": {0: {"step": 3, "m": np.ones(2)}}, "betas": (0.9, 0.999)}, arrays)
    {'state': {'$dict': [[0, {'step': 3, 'm': {'$array': 'state.0.m'}}]]}, 'betas': {'$tuple': [0.9, 0.999]}}
    >>> arrays
    {'state.0.m': array([1., 1.])}
    """
    return _encode(value, arrays, ())


def decode(value: Any, arrays: Mapping[str, np.ndarray] | None = None) -> Any:
    """What `encode` was given; `CheckpointError` if `value` is not something that `encode` makes.

    >>> decode({"$tuple": [1, {"$float": "inf"}]})
    (1, inf)
    """
    return _decode(value, arrays or {}, 0)


@singledispatch
def _encode(value: Any, arrays: Arrays | None, path: Path) -> Any:
    remedy = "its state_dict()" if hasattr(value, "state_dict") else "the numbers, strings and arrays it is made of"
    raise ArgumentError(f"state: {_dotted(path)} is a {type(value).__name__}, which is not data; save {remedy}")


@_encode.register
def _(value: Tensor, arrays: Arrays | None, path: Path) -> Any:
    return {"$leaf" if value.requires_grad else "$tensor": _place(value.detach().numpy(), arrays, path)}


@_encode.register
def _(value: np.dtype, arrays: Arrays | None, path: Path) -> Any:
    return {"$dtype": value.str}


@_encode.register
def _(value: Device, arrays: Arrays | None, path: Path) -> Any:
    return {"$device": str(value)}


@_encode.register
def _(value: bytes, arrays: Arrays | None, path: Path) -> Any:
    return {"$bytes": base64.b64encode(value).decode()}


@_encode.register(bool | int | str | None)
def _(value: bool | int | str | None, arrays: Arrays | None, path: Path) -> Any:
    return value


@_encode.register
def _(value: float, arrays: Arrays | None, path: Path) -> Any:
    return value if math.isfinite(value) else {"$float": repr(value)}


@_encode.register
def _(value: np.generic, arrays: Arrays | None, path: Path) -> Any:
    return {"$scalar": _place(np.asarray(value), None, path)}


@_encode.register
def _(value: np.ndarray, arrays: Arrays | None, path: Path) -> Any:
    return {"$array": _place(value, arrays, path)}


@_encode.register
def _(value: list, arrays: Arrays | None, path: Path) -> Any:  # type: ignore[type-arg]
    if len(path) > MAX_DEPTH:
        raise ArgumentError(f"state: nested deeper than {MAX_DEPTH} at {_dotted(path[:4])}...")
    return [_encode(item, arrays, (*path, str(i))) for i, item in enumerate(value)]


@_encode.register
def _(value: tuple, arrays: Arrays | None, path: Path) -> Any:  # type: ignore[type-arg]
    return {"$tuple": _encode([*value], arrays, path)}


@_encode.register
def _(value: Mapping, arrays: Arrays | None, path: Path) -> Any:  # type: ignore[type-arg]
    if len(path) > MAX_DEPTH:
        raise ArgumentError(f"state: nested deeper than {MAX_DEPTH} at {_dotted(path[:4])}...")
    items = [(key, _encode(item, arrays, (*path, str(key)))) for key, item in value.items()]
    if all(isinstance(key, str) and not key.startswith("$") for key in value):
        return dict(items)
    return {"$dict": [[_encode(key, None, (*path, "key")), item] for key, item in items]}


def _dotted(path: Path) -> str:
    return ".".join(path) or "the whole"


def _place(array: np.ndarray, arrays: Arrays | None, path: Path) -> Any:
    """The name under which `arrays` now has the array, or the array itself as JSON."""
    if arrays is None:
        return _inline(array, path)
    name = ".".join(path)
    while name in arrays:  # the keys 0 and "0" have the same dotted path
        name += "'"
    arrays[name] = array
    return name


def _inline(array: np.ndarray, path: Path) -> list[Any]:
    if array.dtype.kind not in "biuf":
        raise ArgumentError(f"state: {_dotted(path)} has dtype {array.dtype}, which cannot be stored")
    little = array.astype(array.dtype.newbyteorder("<"))
    return [little.dtype.str, list(array.shape), base64.b64encode(little.tobytes()).decode()]


def _decode(value: Any, arrays: Mapping[str, np.ndarray], depth: int) -> Any:
    if depth > 2 * MAX_DEPTH:
        raise CheckpointError(f"state: nested deeper than {MAX_DEPTH}")
    if isinstance(value, list):
        return [_decode(item, arrays, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and (tag := next(iter(value))).startswith("$"):
        try:
            return _DECODERS[tag](value[tag], arrays, depth + 1)
        except (KeyError, ValueError, TypeError, AutogradCnnError) as error:
            raise CheckpointError(f"state: cannot read {tag} {str(value[tag])[:60]!r}: {error!r}") from error
    return {key: _decode(item, arrays, depth + 1) for key, item in value.items()}


def _decode_dict(pairs: Any, arrays: Mapping[str, np.ndarray], depth: int) -> dict[Any, Any]:
    return {_decode(key, arrays, depth): _decode(item, arrays, depth) for key, item in pairs}


def _decode_tuple(items: Any, arrays: Mapping[str, np.ndarray], depth: int) -> tuple[Any, ...]:
    return tuple(_decode(item, arrays, depth) for item in items)


def _decode_float(text: Any, arrays: Mapping[str, np.ndarray], depth: int) -> float:
    return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[text]


def _decode_array(stored: Any, arrays: Mapping[str, np.ndarray], depth: int) -> np.ndarray:
    if isinstance(stored, str):
        return arrays[stored]
    dtype, shape, text = stored
    data = bytearray(base64.b64decode(text, validate=True))  # a bytearray, so that the array can be written to
    if np.dtype(dtype).kind not in "biuf":
        raise ValueError(f"dtype {dtype}")
    return np.frombuffer(data, dtype).reshape(shape)


def _decode_tensor(stored: Any, arrays: Mapping[str, np.ndarray], depth: int) -> Tensor:
    return from_numpy(_decode_array(stored, arrays, depth))


def _decode_leaf(stored: Any, arrays: Mapping[str, np.ndarray], depth: int) -> Tensor:
    return _decode_tensor(stored, arrays, depth).requires_grad_()


def _decode_dtype(text: Any, arrays: Mapping[str, np.ndarray], depth: int) -> np.dtype:
    dtype = np.dtype(str(text))
    if dtype.kind not in "biuf":
        raise ValueError(f"dtype {text}")
    return dtype


def _decode_device(text: Any, arrays: Mapping[str, np.ndarray], depth: int) -> Device:
    return device(str(text))


def _decode_bytes(text: Any, arrays: Mapping[str, np.ndarray], depth: int) -> bytes:
    return base64.b64decode(text, validate=True)


def _decode_scalar(stored: Any, arrays: Mapping[str, np.ndarray], depth: int) -> np.generic:
    return _decode_array(stored, arrays, depth)[()]  # type: ignore[return-value]


_DECODERS: dict[str, Callable[[Any, Mapping[str, np.ndarray], int], Any]] = {
    "$dict": _decode_dict,
    "$tuple": _decode_tuple,
    "$float": _decode_float,
    "$array": _decode_array,
    "$tensor": _decode_tensor,
    "$leaf": _decode_leaf,
    "$dtype": _decode_dtype,
    "$device": _decode_device,
    "$bytes": _decode_bytes,
    "$scalar": _decode_scalar,
}
