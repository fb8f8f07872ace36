"""TensorBase: an array, its place in the graph and its gradient.  No arithmetic: that is `Tensor`'s."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from autograd_cnn.device import CPU, Device

if TYPE_CHECKING:
    from autograd_cnn.graph.node import Node
    from autograd_cnn.graph.op import ViewOp
    from autograd_cnn.tensor import Tensor


class View:
    """What a view remembers: the tensor whose memory it shows, by which ops, as of which version of it."""

    __slots__ = ("base", "chain", "seen")

    def __init__(self, base: TensorBase, chain: tuple[ViewOp, ...], seen: int) -> None:
        self.base = base
        self.chain = chain
        self.seen = seen


class TensorBase:
    """The engine's view of a tensor.  Slots, since reading them is what most of an op's overhead comes down to.

    `version` counts the in-place changes of the storage and names the last op that made one; a tensor, its views and
    its detached twins share the list.  None for what was made in inference mode.
    """

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_grad",
        "_requires_grad",
        "_view",
        "array",
        "device",
        "node",
        "slot",
        "version",
    )

    blank: ClassVar[Callable[[], Tensor]]  # a tensor as ops return them, still without attributes; set by Tensor

    array: np.ndarray
    device: Device
    version: list[Any] | None
    node: Node | None
    slot: int  # which output of the node this is
    _requires_grad: bool
    _grad: TensorBase | None
    _view: View | None

    # Rarely set, so not in slots.
    hooks: dict[int, Callable[[Any], Any]] | None = None  # of a leaf; others keep theirs on the node
    name: str | None = None
    detached_from: Any = None  # a weak reference, so that a picture can draw the cut

    __hash__ = object.__hash__

    @property
    def root(self) -> TensorBase:
        """The tensor that owns the memory: self, or what self is a view of."""
        if self._view is None:
            return self
        base = self._view.base
        return base if base._view is None else base._view.base  # it has become a view, as by `squeeze_`

    def mark_changed(self, by: str) -> None:
        """Notes that the content was changed in place."""
        if self.version is not None:
            self.version[0] += 1
            self.version[1] = by


def prepare(tensor: TensorBase, array: np.ndarray, device: Device) -> None:
    """Makes `tensor` a leaf round `array`."""
    tensor.array = array
    tensor.device = device
    tensor.version = [0, ""]
    tensor.node = None
    tensor.slot = 0
    tensor._requires_grad = False
    tensor._grad = None
    tensor._view = None


def wrap(array: np.ndarray, device: Device = CPU) -> Tensor:
    """A fresh tensor round `array`, without a graph."""
    tensor = TensorBase.blank()
    tensor.array = array  # `prepare`, without the call
    tensor.device = device
    tensor.version = [0, ""]
    tensor.node = None
    tensor.slot = 0
    tensor._requires_grad = False
    tensor._grad = None
    tensor._view = None
    return tensor


def alias(tensor: TensorBase) -> Tensor:
    """A tensor on the same storage and version counter, without the graph."""
    twin = TensorBase.blank()
    prepare(twin, tensor.array, tensor.device)
    twin.version = tensor.version
    return twin
