"""Derivatives of functions as functions, and modules as functions of their parameters."""

from autograd_cnn.func.batch import vmap as vmap
from autograd_cnn.func.derivatives import grad as grad
from autograd_cnn.func.derivatives import grad_and_value as grad_and_value
from autograd_cnn.func.derivatives import hessian as hessian
from autograd_cnn.func.derivatives import jacfwd as jacfwd
from autograd_cnn.func.derivatives import jacrev as jacrev
from autograd_cnn.func.derivatives import jvp as jvp
from autograd_cnn.func.derivatives import vjp as vjp
from autograd_cnn.func.stateless import functional_call as functional_call
from autograd_cnn.func.stateless import stack_module_state as stack_module_state
