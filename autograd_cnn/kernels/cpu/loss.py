"""Losses, element by element."""

from autograd_cnn.kernels.cpu import vectormath as vm
from autograd_cnn.kernels.cpu.jit import inline
from autograd_cnn.kernels.cpu.pointwise import binary


@binary
@inline
def binary_cross_entropy(x, target):
    """-(target log x + (1 - target) log(1 - x)), no logarithm below -100."""
    real = type(x)
    least = real(-100)
    return -(target * max(vm.log(x), least) + (real(1) - target) * max(vm.log1p(-x), least))
