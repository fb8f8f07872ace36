"""CPU kernels: arrays in, arrays out.  Every public kernel is a name of this module."""

# ruff: noqa: F401
from .pool import (
    adaptive_avg_pool2d,
    adaptive_avg_pool2d_grad,
    avg_pool2d,
    avg_pool2d_grad,
    max_pool2d,
    max_pool2d_gather,
    max_pool2d_scatter,
)
