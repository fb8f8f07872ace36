"""autograd_cnn: define-by-run automatic differentiation with kernels that Numba compiles."""

from autograd_cnn import autograd as autograd
from autograd_cnn.creation import tensor as tensor
