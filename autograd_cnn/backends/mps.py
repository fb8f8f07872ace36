"""Apple's Metal: not used."""

from __future__ import annotations


def is_available() -> bool:
    """False."""
    return False


def is_built() -> bool:
    """False: there are no kernels for Metal."""
    return False
