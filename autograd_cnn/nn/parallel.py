"""PyTorch's place of `DataParallel`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd_cnn.nn.module import Module


class DataParallel(Module):
    """A module as it is: on one device there is no batch to share out.

    Parameters have the names that they have in PyTorch's, which begin with `module.`.

    >>> from autograd_cnn import nn
    >>> list(DataParallel(nn.Linear(2, 1)).state_dict())
    ['module.weight', 'module.bias']
    """

    def __init__(
        self, module: Module, device_ids: Sequence[Any] | None = None, output_device: Any = None, dim: int = 0
    ) -> None:
        super().__init__()
        self.module = module
        self.dim = dim

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)
