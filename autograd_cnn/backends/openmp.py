"""OpenMP: one of the ways in which Numba's threads run; `autograd-cnn doctor` says which one it is here."""

from __future__ import annotations

from functools import cache
from importlib import import_module


@cache
def is_available() -> bool:
    """Whether kernels can run in OpenMP's threads here.

    >>> is_available() in (True, False)
    True
    """
    try:
        import_module("numba.np.ufunc.omppool")
    except ImportError:
        return False
    return True
