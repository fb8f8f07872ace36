"""PyTorch's global switches.  Most ask for what is always so here; they are remembered, and answer when asked."""

from __future__ import annotations

from typing import Any

from autograd_cnn.dtype import set_default_dtype
from autograd_cnn.errors import ArgumentError, DTypeError

_PRECISIONS = ("highest", "high", "medium")
_MODES = ("default", "warn", "error")
_OLD_TYPES = {"torch.FloatTensor": "float32", "torch.DoubleTensor": "float64"}

_state: dict[str, Any] = {"deterministic": 0, "precision": "highest", "interop": 1, "warn_always": False}


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Asks for the same results in every run: every op gives them anyway, for every number of threads.

    >>> use_deterministic_algorithms(True)
    >>> are_deterministic_algorithms_enabled()
    True
    >>> use_deterministic_algorithms(False)
    """
    _state["deterministic"] = (1 if warn_only else 2) if mode else 0


def are_deterministic_algorithms_enabled() -> bool:
    """What `use_deterministic_algorithms` was told; the algorithms are deterministic either way.

    >>> are_deterministic_algorithms_enabled()
    False
    """
    return bool(_state["deterministic"])


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether `use_deterministic_algorithms` was to warn only; there is nothing to warn of.

    >>> is_deterministic_algorithms_warn_only_enabled()
    False
    """
    return bool(_state["deterministic"] == 1)


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """0 or "default", 1 or "warn", 2 or "error": another way to call `use_deterministic_algorithms`.

    >>> set_deterministic_debug_mode("default")
    """
    if debug_mode not in (*_MODES, 0, 1, 2):
        raise ArgumentError(f"set_deterministic_debug_mode: {debug_mode!r} is not one of {', '.join(_MODES)}, 0, 1, 2")
    _state["deterministic"] = _MODES.index(debug_mode) if isinstance(debug_mode, str) else debug_mode


def get_deterministic_debug_mode() -> int:
    """0, 1 or 2, see `set_deterministic_debug_mode`.

    >>> get_deterministic_debug_mode()
    0
    """
    return int(_state["deterministic"])


def set_float32_matmul_precision(precision: str) -> None:
    """How much precision products of float32 may lose, "highest", "high" or "medium": here they never lose any.

    >>> set_float32_matmul_precision("highest")
    """
    if precision not in _PRECISIONS:
        raise ArgumentError(f"set_float32_matmul_precision: {precision!r} is not one of {', '.join(_PRECISIONS)}")
    _state["precision"] = precision


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` was told.

    >>> get_float32_matmul_precision()
    'highest'
    """
    return str(_state["precision"])


def set_num_interop_threads(threads: int) -> None:
    """Ops run one after the other: the number is remembered, and changes nothing.

    >>> set_num_interop_threads(1)
    """
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ArgumentError(f"set_num_interop_threads: needs an integer of at least 1, got {threads!r}")
    _state["interop"] = threads


def get_num_interop_threads() -> int:
    """What `set_num_interop_threads` was told.

    >>> get_num_interop_threads()
    1
    """
    return int(_state["interop"])


def set_flush_denormal(mode: bool) -> bool:
    """False: denormal numbers are kept, always.

    >>> set_flush_denormal(True)
    False
    """
    return False


def set_warn_always(b: bool) -> None:
    """Whether to repeat warnings: Python's filters decide that here.

    >>> set_warn_always(False)
    """
    _state["warn_always"] = bool(b)


def is_warn_always_enabled() -> bool:
    """What `set_warn_always` was told.

    >>> is_warn_always_enabled()
    False
    """
    return bool(_state["warn_always"])


def set_default_tensor_type(t: Any) -> None:
    """The old way to call `set_default_dtype`: with `FloatTensor`, `DoubleTensor`, or their names in PyTorch.

    Raises DTypeError for other classes.

    >>> set_default_tensor_type("torch.FloatTensor")
    """
    dtype = _OLD_TYPES.get(t) if isinstance(t, str) else getattr(t, "dtype", None)
    if dtype is None:
        raise DTypeError(f"set_default_tensor_type: takes FloatTensor or DoubleTensor, got {t!r}")
    set_default_dtype(dtype)
