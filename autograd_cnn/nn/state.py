"""A module's state as a flat dictionary, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd_cnn.errors import DTypeError, InPlaceError, StateDictError
from autograd_cnn.graph.in_place import require_changeable
from autograd_cnn.nn.uninitialized import Uninitialized
from autograd_cnn.tensor import Tensor

if TYPE_CHECKING:
    from autograd_cnn.nn.module import Module


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict(strict=False)` could not match."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


def entries(module: Module, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    """Every parameter and persistent buffer under every path it has."""
    for path, owner in module.named_modules(remove_duplicate=False):
        start = f"{prefix}{path}." if path else prefix
        for name, tensor in (*owner._parameters.items(), *owner._buffers.items()):
            if tensor is not None and name not in owner._non_persistent_buffers_set:
                yield start + name, tensor


def load(module: Module, state_dict: Mapping[str, Any], strict: bool) -> IncompatibleKeys:
    """Copies a state dict into a module; see `Module.load_state_dict`."""
    if not isinstance(state_dict, Mapping):
        raise DTypeError(f"load_state_dict: state_dict must be a mapping, got {type(state_dict).__name__}")
    own = dict(entries(module))
    missing = [name for name in own if name not in state_dict]
    unexpected = [name for name in state_dict if name not in own]
    problems = [f"missing: {name}{_of_shape(own[name])}" for name in missing] if strict else []
    problems += [f"unexpected: {name}" for name in unexpected] if strict else []
    arrays = {}
    for name, tensor in own.items():
        if name in state_dict:
            try:
                arrays[name] = _fitting(state_dict[name], tensor)
                if not isinstance(tensor, Uninitialized):
                    require_changeable("cannot be loaded", "the model's tensor", tensor)
            except (StateDictError, InPlaceError) as problem:
                problems.append(f"{name}: {problem}")
    if problems:
        raise StateDictError(f"load_state_dict for {type(module).__name__}:\n  " + "\n  ".join(problems))
    for name, array in arrays.items():
        tensor = own[name]
        if isinstance(tensor, Uninitialized):
            tensor.materialize(array.shape)
        values = tensor.device.from_host(array)
        tensor.device.kernels.copy(values, tensor.array)
        tensor.mark_changed("load_state_dict")
    return IncompatibleKeys(missing, unexpected)


def _of_shape(tensor: Tensor) -> str:
    return "" if isinstance(tensor, Uninitialized) else f", of shape {list(tensor.shape)}"


def _fitting(value: Any, tensor: Tensor) -> np.ndarray:
    """The array of a tensor, or of anything NumPy takes for one, if it can be copied into `tensor`."""
    if isinstance(value, Uninitialized):
        raise StateDictError("has no values in the state dict yet: its module is lazy and was never called")
    if isinstance(value, Tensor):
        array = value.device.to_host(value.array)
    elif hasattr(value, "__array__"):
        try:
            array = np.asarray(value)
        except (TypeError, ValueError, RuntimeError) as error:  # such as a dtype that NumPy does not have
            raise StateDictError(f"cannot be read as an array: {error}") from error
    else:
        raise StateDictError(f"is a {type(value).__name__}, not a tensor or an array")
    if isinstance(tensor, Uninitialized):
        if array.dtype.kind != "f":
            raise StateDictError(f"has dtype {array.dtype} in the state dict, a lazy module's are floating point")
        return array
    if array.shape != tensor.shape:
        raise StateDictError(f"has shape {list(array.shape)} in the state dict, {list(tensor.shape)} in the model")
    if array.dtype.kind not in "biuf" or not np.can_cast(array.dtype, tensor.dtype, "same_kind"):
        raise StateDictError(f"has dtype {array.dtype} in the state dict, {tensor.dtype} in the model")
    return array
