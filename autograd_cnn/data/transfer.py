"""Objects on their way between a loader and its worker processes.

A message is written by multiprocessing's own protocol, between a process and the children it started, never to a file.
Arrays follow as raw bytes, so that they are copied into the pipe and out of it, and nowhere else.
"""

from __future__ import annotations

import io
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np

from autograd_cnn.device import CPU, Device
from autograd_cnn.device import device as as_device
from autograd_cnn.graph.base import prepare
from autograd_cnn.tensor import Tensor

_OUT_OF_BAND = 5  # the protocol that hands large buffers out

Parts = list[Any]  # bytes, then the buffers


class _Packer(ForkingPickler):
    """Takes tensors apart, which elsewhere refuse to be pickled."""

    def reducer_override(self, item: Any) -> Any:
        if isinstance(item, Tensor):
            wanted = item.requires_grad and item.is_leaf
            return _tensor, (type(item), item.detach().numpy(), wanted)
        if isinstance(item, Device):
            return as_device, (item.type,)
        return NotImplemented


def packed(item: Any) -> Parts:
    """The message that `unpacked` makes a copy of `item` from.  Errors: whatever keeps the item from being sent."""
    head = io.BytesIO()
    buffers: list[Any] = []
    _Packer(head, _OUT_OF_BAND, True, buffers.append).dump(item)
    return [head.getbuffer(), *(buffer.raw() for buffer in buffers)]


def unpacked(parts: Parts) -> Any:
    """The object that a message stands for; its arrays lie in the message's own memory."""
    head, *buffers = parts
    return ForkingPickler.loads(head, buffers=buffers)


def send(connection: Connection, parts: Parts) -> None:
    """Writes a message: the sizes of its parts, then the parts."""
    connection.send_bytes(np.array([memoryview(part).nbytes for part in parts], np.int64).tobytes())
    for part in parts:
        if memoryview(part).nbytes:
            connection.send_bytes(part)


def receive(connection: Connection) -> Parts:
    """Reads a message.  Errors: `EOFError` or `OSError` when the other side is gone."""
    sizes = np.frombuffer(connection.recv_bytes(), np.int64).tolist()
    parts = [np.empty(size, np.uint8) for size in sizes]
    for part in parts:
        if part.nbytes:
            connection.recv_bytes_into(part.data)
    return parts


def _tensor(kind: type[Tensor], array: np.ndarray, requires_grad: bool) -> Tensor:
    tensor = Tensor.__new__(kind)
    prepare(tensor, array, CPU)
    tensor.requires_grad_(requires_grad)
    return tensor
