"""What scripts ask of CUDA, answered for a machine on which nothing of this package runs on a GPU.

Queries answer that there is none, seeds and `empty_cache` have nothing to do, and whatever needs a GPU raises
`NoCudaError`, in the places where PyTorch's build without CUDA does.

>>> import autograd_cnn as ag
>>> ag.cuda.is_available(), ag.cuda.device_count()
(False, 0)
>>> ag.cuda.manual_seed_all(0)
>>> ag.cuda.synchronize()
Traceback (most recent call last):
autograd_cnn.errors.NoCudaError: cuda.synchronize: there is no CUDA device; kernels run on the CPU
"""

from __future__ import annotations

from typing import Any, NoReturn

from autograd_cnn import amp as amp
from autograd_cnn.errors import NoCudaError


def is_available() -> bool:
    """False: there is no CUDA device for this package."""
    return False


def is_initialized() -> bool:
    """False: nothing of CUDA was started."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def get_arch_list() -> list[str]:
    """Nothing was compiled for any GPU."""
    return []


def manual_seed(seed: int) -> None:
    """Seeds the generators of no GPU."""


def manual_seed_all(seed: int) -> None:
    """Seeds the generators of no GPU."""


def seed() -> None:
    """Seeds the generators of no GPU."""


def seed_all() -> None:
    """Seeds the generators of no GPU."""


def empty_cache() -> None:
    """Frees no memory of a GPU; `autograd_cnn.empty_cache()` frees that of the process."""


def memory_allocated(device: Any = None) -> int:
    """0 bytes."""
    return 0


def max_memory_allocated(device: Any = None) -> int:
    """0 bytes."""
    return 0


def memory_reserved(device: Any = None) -> int:
    """0 bytes."""
    return 0


def max_memory_reserved(device: Any = None) -> int:
    """0 bytes."""
    return 0


def memory_stats(device: Any = None) -> dict[str, Any]:
    """No statistics."""
    return {}


def reset_peak_memory_stats(device: Any = None) -> None:
    """There are none to reset."""


def get_rng_state_all() -> list[Any]:
    """The states of no generators."""
    return []


def init() -> None:
    """Raises NoCudaError."""
    _refuse("init")


def current_device() -> int:
    """Raises NoCudaError."""
    _refuse("current_device")


def set_device(device: Any) -> None:
    """Raises NoCudaError."""
    _refuse("set_device")


def initial_seed() -> int:
    """Raises NoCudaError."""
    _refuse("initial_seed")


def synchronize(device: Any = None) -> None:
    """Raises NoCudaError."""
    _refuse("synchronize")


def get_rng_state(device: Any = "cuda") -> Any:
    """Raises NoCudaError."""
    _refuse("get_rng_state")


def get_device_name(device: Any = None) -> str:
    """Raises NoCudaError."""
    _refuse("get_device_name")


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """Raises NoCudaError."""
    _refuse("get_device_capability")


def get_device_properties(device: Any = None) -> Any:
    """Raises NoCudaError."""
    _refuse("get_device_properties")


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Raises NoCudaError."""
    _refuse("mem_get_info")


def current_stream(device: Any = None) -> Any:
    """Raises NoCudaError."""
    _refuse("current_stream")


class Stream:
    """Cannot be made: raises NoCudaError."""

    def __init__(self, device: Any = None, priority: int = 0, **kwargs: Any) -> None:
        _refuse("Stream")


class Event:
    """Cannot be made: raises NoCudaError.  For times take `time.perf_counter`."""

    def __init__(
        self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False, external: bool = False
    ) -> None:
        _refuse("Event")


def _refuse(name: str) -> NoReturn:
    raise NoCudaError(f"cuda.{name}: there is no CUDA device; kernels run on the CPU")
