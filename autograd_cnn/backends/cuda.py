"""CUDA's libraries: not used.  The switches have no effect."""

from __future__ import annotations


class matmul:
    """Switches of matrix products on a GPU, with PyTorch's defaults."""

    allow_tf32 = False
    allow_fp16_reduced_precision_reduction = True
    allow_bf16_reduced_precision_reduction = True


def is_built() -> bool:
    """False: there are no kernels for CUDA."""
    return False
