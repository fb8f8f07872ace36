"""TensorBase: an array, its place in the graph and its gradient.  No arithmetic: that is `Tensor`'s."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

import numpy as np

from autograd_cnn.device import CPU, Device

if TYPE_CHECKING:
    from autograd_cnn.graph.node import Node
    from autograd_cnn.graph.op import ViewOp


class Version:
    """Counts the in-place changes of a storage; a tensor and its views share one."""

    count: int = 0
    changed_by: str = ""


class Arithmetic(Protocol):
    """What the engine asks of a gradient; `Tensor` has it."""

    array: np.ndarray

    def __add__(self, other: Any) -> Any: ...
    def sum_to_size(self, *size: int) -> Any: ...
    def to(self, dtype: np.dtype) -> Any: ...


class TensorBase:
    """The engine's view of a tensor.

    Fields that most tensors leave alone are class attributes, so that making a tensor costs only what it uses.
    """

    result_class: ClassVar[type[TensorBase]]  # what ops return; set by Tensor

    array: np.ndarray
    version: Version
    device: Device = CPU
    _requires_grad: bool = False
    _grad: TensorBase | None = None
    node: Node | None = None
    slot: int = 0  # which output of the node this is
    base: TensorBase | None = None  # of a view: the tensor whose memory it shows,
    chain: tuple[ViewOp, ...] = ()  # by these ops,
    seen: int = 0  # as of this version of it
    hooks: dict[int, Callable[[Any], Any]] | None = None  # of a leaf; others keep theirs on the node
    inference: bool = False
    name: str | None = None
    detached_from: Any = None  # a weak reference, so that a picture can draw the cut

    __hash__ = object.__hash__


def wrap(array: np.ndarray, device: Device = CPU) -> TensorBase:
    """A fresh tensor round `array`, without a graph."""
    tensor = TensorBase.result_class()
    tensor.array = array
    tensor.version = Version()
    if device is not CPU:
        tensor.device = device
    return tensor


def alias(tensor: TensorBase) -> TensorBase:
    """A tensor on the same storage and version counter, without the graph."""
    twin = wrap(tensor.array, tensor.device)
    twin.version = tensor.version
    return twin


def arithmetic(tensor: TensorBase) -> Arithmetic:
    return cast(Arithmetic, tensor)
