"""Mixed precision by PyTorch's names, on a device that has single precision only: nothing is cast, nothing scaled."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from autograd_cnn.device import AbsentDevice
from autograd_cnn.devices import device

C = TypeVar("C", bound=Callable[..., Any])


class autocast:
    """A context, or a decorator, in which everything is computed in the dtype that it has.

    Kernels of lower precision would gain nothing on this device and there are none: inside, float32 stays float32.
    It says so in a warning unless `enabled=False`.  Arguments are PyTorch's; a device that is no device raises.

    >>> import autograd_cnn as ag
    >>> with autocast("cpu", enabled=False):
    ...     (ag.ones(2, 2) @ ag.ones(2, 2)).dtype
    dtype('float32')
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        self.device = device(device_type).type
        self.fast_dtype = dtype
        if not enabled:
            return
        if isinstance(device(device_type), AbsentDevice):
            reason = f"there is no {device_type!r} device, so it is disabled"
        else:
            reason = "this device computes in float32 and float64 only, so it changes nothing"
        warnings.warn(f"autocast: {reason}", UserWarning, stacklevel=2)

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def __call__(self, function: C) -> C:
        @functools.wraps(function)
        def unchanged(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return unchanged  # type: ignore[return-value]


def is_autocast_available(device_type: str) -> bool:
    """False: `autocast` changes nothing here.

    >>> is_autocast_available("cpu")
    False
    """
    device(device_type)
    return False


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """False: nothing is cast.

    >>> is_autocast_enabled()
    False
    """
    return False


class GradScaler:
    """Scales a loss so that gradients in half precision do not vanish: in single precision by 1, as PyTorch's disabled.

    >>> import autograd_cnn as ag
    >>> scaler = GradScaler(enabled=False)
    >>> loss = ag.tensor(2.0)
    >>> scaler.scale(loss) is loss, scaler.get_scale(), scaler.is_enabled()
    (True, 1.0, False)
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 65536.0,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if enabled:
            warnings.warn(
                "GradScaler: nothing is computed in half precision, so it is disabled", UserWarning, stacklevel=2
            )

    def scale(self, outputs: Any) -> Any:
        """The outputs themselves."""
        return outputs

    def unscale_(self, optimizer: Any) -> None:
        """Nothing is to be divided."""

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """The optimizer's step."""
        return optimizer.step(*args, **kwargs)

    def update(self, new_scale: Any = None) -> None:
        """The scale stays 1."""

    def get_scale(self) -> float:
        """1."""
        return 1.0

    def is_enabled(self) -> bool:
        """False."""
        return False

    def state_dict(self) -> dict[str, Any]:
        """Empty, as of a disabled one."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """There is nothing to restore."""
